/* test-train-run.c - whole runs on a model and data made here: order, learning, stopping and going
 * on to the same bits, kills and full disks, refusals. */
#include "run.h"
#include "save.h"
#include "tokenizer-fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a model and data ----------------------------------------------------------------------- */

typedef struct {
  char *folder, *tokenizer, *model;
} Place;

static const TrainShape tiny = {.image_size = 16,
                                .patch_size = 8,
                                .vision_hidden = 12,
                                .vision_blocks = 2,
                                .vision_heads = 2,
                                .vision_ffn = 20,
                                .hidden = 16,
                                .layers = 2,
                                .heads = 2,
                                .kv_heads = 1,
                                .ffn = 24,
                                .context = 256,
                                .theta = 1000.0f,
                                .projector = "mlp2x_gelu",
                                .template_name = "mistral_instruct",
                                .name = "tiny",
                                .seed = 5};

static void
place_init(Place *place)
{
  static const HandPiece pieces[] = {
      {"<unk>", 0, MODEL_PIECE_UNKNOWN}, {"<s>", 0, MODEL_PIECE_CONTROL},
      {"</s>", 0, MODEL_PIECE_CONTROL},  {"\xE2\x96\x81", -1, MODEL_PIECE_NORMAL},
      {"a", -2, MODEL_PIECE_NORMAL},     {"e", -3, MODEL_PIECE_NORMAL}};
  const HandOptions options = {
      .model_type = 2, .dummy_prefix = -1, .remove_spaces = 0, .bytes = TRUE};
  g_autoptr(GByteArray) bytes = hand_model(pieces, G_N_ELEMENTS(pieces), &options);
  ModelError err = {0};

  place->folder = g_dir_make_tmp("hilum-train-XXXXXX", NULL);
  place->tokenizer = g_build_filename(place->folder, "tokenizer.model", NULL);
  place->model = g_build_filename(place->folder, "start.gguf", NULL);
  g_assert_true(g_file_set_contents(place->tokenizer, (const char *)bytes->data, bytes->len, NULL));
  g_assert_true(train_model_init(&tiny, place->tokenizer, place->model, &err));
}

static void
remove_folder(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *inner = g_build_filename(path, name, NULL);

    if (g_file_test(inner, G_FILE_TEST_IS_DIR)) {
      remove_folder(inner);
    } else {
      g_unlink(inner);
    }
  }
  g_rmdir(path);
}

static void
place_clear(Place *place)
{
  remove_folder(place->folder);
  g_free(place->folder);
  g_free(place->tokenizer);
  g_free(place->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* Two kinds of data. Kind 0: bright or dark, and the answer says which; kind 1: text alone. */
typedef struct {
  const char *turns[4];
  uint8_t pixels[20 * 10 * 3];
  guint fail_at; /* the GET that fails, from 1; 0: none */
  guint gets;
} Data;

static uint64_t
data_count(uint32_t kind, void *user)
{
  return kind == 0 ? 11 : 5;
}

static bool
data_get(uint32_t kind, uint64_t index, TrainSample *sample, void *user, ModelError *err)
{
  Data *data = user;
  bool bright = index % 2;

  if (++data->gets == data->fail_at) {
    err->code = MODEL_ERROR_IO;
    g_strlcpy(err->message, "the disk is gone", sizeof err->message);
    return false;
  }
  data->turns[0] = kind == 0 ? "bright?" : "say e";
  data->turns[1] = kind == 1 ? "e" : bright ? "yes" : "no";
  data->turns[2] = "sure?";
  data->turns[3] = "aa";
  memset(data->pixels, bright ? 250 - (int)index : 3 + (int)index, sizeof data->pixels);
  sample->turns = data->turns;
  sample->n_turns = index % 3 == 0 ? 4 : 2;
  if (kind == 0) {
    sample->image = (ModelImage){20, 10, 3, data->pixels};
  }
  return true;
}

static TrainSource
source_of(Data *data)
{
  return (TrainSource){.n_kinds = 2, .count = data_count, .get = data_get, .user = data};
}

static TrainOptions
options_of(uint64_t steps)
{
  TrainOptions options;

  train_options_init(&options);
  options.parts = TRAIN_VISION | TRAIN_PROJECTOR | TRAIN_LLM;
  options.lr = 3e-3;
  options.batch = 6;
  options.accumulate = 2;
  options.steps = steps;
  options.seed = 11;
  options.n_threads = 2;
  options.checkpoint_every = 3;
  return options;
}

static TrainRun *
run_new(const Place *place, const TrainOptions *options)
{
  ModelError err = {0};
  TrainRun *run = train_run_new(place->model, NULL, options, &err);

  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(run);
  return run;
}

/* What progress saw. */
typedef struct {
  GArray *losses; /* of double, by step */
  uint64_t stop_at;
  uint64_t limit_files_at; /* from this step on no file may grow past a kilobyte */
} Watch;

static bool
watch_step(const TrainProgress *progress, void *user)
{
  Watch *watch = user;

  g_array_set_size(watch->losses, (guint)progress->step);
  g_array_index(watch->losses, double, progress->step - 1) = progress->loss;
  if (progress->step == watch->limit_files_at) {
    struct rlimit limit = {1024, 1024};

    setrlimit(RLIMIT_FSIZE, &limit);
  }
  return progress->step != watch->stop_at;
}

static void
watch_init(Watch *watch)
{
  *watch = (Watch){.losses = g_array_new(FALSE, TRUE, sizeof(double))};
}

/* The weights and losses of an uninterrupted run. */
static float *
straight(const Place *place, uint64_t steps, Watch *watch, size_t *n)
{
  TrainOptions options = options_of(steps);
  TrainRun *run = run_new(place, &options);
  Data data = {0};
  TrainSource source = source_of(&data);
  ModelError err = {0};
  float *weights;

  watch_init(watch);
  g_assert_true(train_run(run, &source, NULL, watch_step, watch, &err));
  *n = run->core.params.n_data;
  weights = g_memdup2(run->core.params.data, *n * sizeof(float));
  train_run_free(run);
  return weights;
}

static void
check_same(const Watch *a, const Watch *b, guint from)
{
  g_assert_cmpuint(a->losses->len, ==, b->losses->len);
  for (guint i = from; i < a->losses->len; i++) {
    g_assert_true(g_array_index(a->losses, double, i) == g_array_index(b->losses, double, i));
  }
}

static void
check_finish(const Place *place, const char *folder, uint64_t steps, guint threads, guint from)
{
  TrainOptions options = options_of(steps);
  Watch expected, watch;
  size_t n;
  g_autofree float *weights = straight(place, steps, &expected, &n);
  Data data = {0};
  TrainSource source = source_of(&data);
  ModelError err = {0};
  TrainRun *run;

  options.n_threads = threads;
  run = run_new(place, &options);
  watch_init(&watch);
  g_assert_true(train_run(run, &source, folder, watch_step, &watch, &err));
  g_assert_cmpstr(err.message, ==, "");
  check_same(&expected, &watch, from);
  g_assert_true(g_array_index(watch.losses, double, from - 1) == 0); /* was not computed again */
  g_assert_cmpmem(run->core.params.data, n * sizeof(float), weights, n * sizeof(float));
  train_run_free(run);
  g_array_unref(watch.losses);
  g_array_unref(expected.losses);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
test_init(void)
{
  g_auto(Place) place = {0};
  g_autofree char *again = NULL, *a = NULL, *b = NULL;
  TrainShape other = tiny;
  gsize n, m;
  ModelError err = {0};
  TrainOptions options = options_of(1);
  TrainRun *run;

  place_init(&place);
  again = g_build_filename(place.folder, "again.gguf", NULL);
  g_assert_true(train_model_init(&tiny, place.tokenizer, again, &err));
  g_assert_true(g_file_get_contents(place.model, &a, &n, NULL));
  g_assert_true(g_file_get_contents(again, &b, &m, NULL));
  g_assert_cmpmem(a, n, b, m);
  run = run_new(&place, &options);
  g_assert_cmpuint(run->checkpoint.config.decoder.vocab, ==, 6 + 256);
  g_assert_cmpuint(run->checkpoint.config.vision.blocks_run, ==, 2);
  g_assert_cmpuint(train_run_picture_side(run), ==, 16);
  train_run_free(run);
  other.tied = true;
  other.projector = "linear";
  g_assert_true(train_model_init(&other, place.tokenizer, again, &err));
  other.heads = 3;
  g_assert_false(train_model_init(&other, place.tokenizer, again, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  other = tiny;
  other.projector = "spline";
  g_assert_false(train_model_init(&other, place.tokenizer, again, &err));
  g_assert_false(train_model_init(&tiny, place.model, again, &err)); /* no tokenizer */
  g_assert_false(train_model_init(&tiny, "/nowhere", again, &err));
  g_assert_nonnull(strstr(err.message, "/nowhere"));
}

/* Each field that is 0 is named; nothing is written. */
static void
test_init_zeros(void)
{
  static const struct {
    const char *name;
    gsize offset;
  } fields[] = {{"image_size", G_STRUCT_OFFSET(TrainShape, image_size)},
                {"patch_size", G_STRUCT_OFFSET(TrainShape, patch_size)},
                {"vision_hidden", G_STRUCT_OFFSET(TrainShape, vision_hidden)},
                {"vision_blocks", G_STRUCT_OFFSET(TrainShape, vision_blocks)},
                {"vision_heads", G_STRUCT_OFFSET(TrainShape, vision_heads)},
                {"vision_ffn", G_STRUCT_OFFSET(TrainShape, vision_ffn)},
                {"hidden", G_STRUCT_OFFSET(TrainShape, hidden)},
                {"layers", G_STRUCT_OFFSET(TrainShape, layers)},
                {"heads", G_STRUCT_OFFSET(TrainShape, heads)},
                {"kv_heads", G_STRUCT_OFFSET(TrainShape, kv_heads)},
                {"ffn", G_STRUCT_OFFSET(TrainShape, ffn)},
                {"context", G_STRUCT_OFFSET(TrainShape, context)}};
  g_auto(Place) place = {0};
  g_autofree char *out = NULL;

  place_init(&place);
  out = g_build_filename(place.folder, "never.gguf", NULL);
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_autofree char *named = g_strdup_printf("shape: %s is 0,", fields[i].name);
    TrainShape shape = tiny;
    ModelError err = {0};

    G_STRUCT_MEMBER(uint32_t, &shape, fields[i].offset) = 0;
    g_assert_false(train_model_init(&shape, place.tokenizer, out, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
    g_assert_true(g_str_has_prefix(err.message, named));
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
}

static void
test_learns_and_writes(void)
{
  g_auto(Place) place = {0};
  TrainOptions options = options_of(120);
  Data data = {0};
  TrainSource source = source_of(&data);
  ModelError err = {0};
  TrainRun *run, *read;
  Watch watch;
  g_autofree char *out = NULL;
  double first, last;

  options.lr = 1e-2;
  place_init(&place);
  watch_init(&watch);
  run = run_new(&place, &options);
  g_assert_true(train_run(run, &source, NULL, watch_step, &watch, &err));
  first = g_array_index(watch.losses, double, 0);
  last = g_array_index(watch.losses, double, 119);
  g_test_message("loss %g, then %g", first, last);
  g_assert_cmpfloat(fabs(first - log(262)), <, 0.3); /* knows nothing of 262 pieces */
  g_assert_cmpfloat(last, <, 0.5 * first);

  /* f32 holds the very weights. */
  out = g_build_filename(place.folder, "trained.gguf", NULL);
  g_assert_true(train_run_write(run, "f32", "a card", out, &err));
  g_free(place.model);
  place.model = g_strdup(out);
  read = run_new(&place, &options);
  g_assert_cmpstr(read->checkpoint.card, ==, "a card");
  g_assert_cmpmem(read->core.params.data, read->core.params.n_data * sizeof(float),
                  run->core.params.data, run->core.params.n_data * sizeof(float));
  g_assert_false(train_run_write(run, "f32", NULL, "/nowhere/x.gguf", &err));
  train_run_free(read);
  train_run_free(run);
  g_array_unref(watch.losses);
}

static void
test_resume(void)
{
  g_auto(Place) place = {0};
  g_autofree char *folder = NULL;
  TrainOptions options = options_of(12);
  Data data = {0};
  TrainSource source = source_of(&data);
  ModelError err = {0};
  Watch watch;
  TrainRun *run;

  place_init(&place);
  folder = g_build_filename(place.folder, "checkpoints", NULL);
  watch_init(&watch);
  watch.stop_at = 7;
  run = run_new(&place, &options);
  g_assert_true(train_run(run, &source, folder, watch_step, &watch, &err));
  g_assert_cmpuint(watch.losses->len, ==, 7);
  train_run_free(run);
  check_finish(&place, folder, 12, 1, 7); /* and on another number of threads */

  /* Done: nothing is left to do, and the weights are there. */
  run = run_new(&place, &options);
  watch.stop_at = 0;
  g_array_set_size(watch.losses, 0);
  g_assert_true(train_run(run, &source, folder, watch_step, &watch, &err));
  g_assert_cmpuint(watch.losses->len, ==, 0);
  train_run_free(run);
  g_array_unref(watch.losses);
}

/* A child whose disk is full from step 5 on dies (or fails) while it writes the checkpoint of step
 * 6; that of step 3 must be whole. */
static int
child_with_full_disk(const Place *place, const char *folder, bool ignore_signal)
{
  pid_t child = fork();
  int status;

  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    struct rlimit no_core = {0, 0};
    TrainOptions options = options_of(12);
    Data data = {0};
    TrainSource source = source_of(&data);
    ModelError err = {0};
    Watch watch;
    TrainRun *run = run_new(place, &options);
    bool ok;

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGXFSZ, ignore_signal ? SIG_IGN : SIG_DFL);
    watch_init(&watch);
    watch.limit_files_at = 5;
    ok = train_run(run, &source, folder, watch_step, &watch, &err);
    _exit(ok ? 0 : strstr(err.message, TRAIN_CHECKPOINT_NAME) ? 1 : 2);
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  return status;
}

static guint
count_files(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name(dir)) {
    n++;
  }
  return n;
}

static void
test_killed(void)
{
  g_auto(Place) place = {0};
  g_autofree char *folder = NULL;
  int status;

  place_init(&place);
  folder = g_build_filename(place.folder, "checkpoints", NULL);
  status = child_with_full_disk(&place, folder, false);
  g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
  g_assert_cmpuint(count_files(folder), ==, 2); /* the half one beside the whole one */
  check_finish(&place, folder, 12, 2, 3);
  g_assert_cmpuint(count_files(folder), ==, 1);
}

static void
test_disk_full(void)
{
  g_auto(Place) place = {0};
  g_autofree char *folder = NULL;
  int status;

  place_init(&place);
  folder = g_build_filename(place.folder, "checkpoints", NULL);
  status = child_with_full_disk(&place, folder, true);
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, 1);
  g_assert_cmpuint(count_files(folder), ==, 1); /* nothing is left behind */
  check_finish(&place, folder, 12, 2, 3);
}

/* Trains 3 steps of 3 with SEED into FOLDER; returns the error's code. A refused checkpoint leaves
 * weights, moments and their count as they were. */
static ModelErrorCode
attempt(const Place *place, const char *folder, uint64_t seed, ModelError *err)
{
  TrainOptions options = options_of(3);
  Data data = {0};
  TrainSource source = source_of(&data);
  g_autofree float *weights = NULL, *m = NULL, *v = NULL;
  TrainRun *run;
  gsize n, n_moments;
  bool ok;

  options.seed = seed;
  run = run_new(place, &options);
  n = run->core.params.n_data * sizeof(float);
  n_moments = run->core.params.n_gradient * sizeof(float);
  weights = g_memdup2(run->core.params.data, n);
  m = g_memdup2(run->core.m, n_moments);
  v = g_memdup2(run->core.v, n_moments);
  memset(err, 0, sizeof *err);
  ok = train_run(run, &source, folder, NULL, NULL, err);
  g_assert_true(ok == (err->code == MODEL_OK));
  if (!ok && err->code != MODEL_ERROR_IO) { /* else it trained, and could not write */
    g_assert_cmpmem(run->core.params.data, n, weights, n);
    g_assert_cmpmem(run->core.m, n_moments, m, n_moments);
    g_assert_cmpmem(run->core.v, n_moments, v, n_moments);
    g_assert_cmpuint(run->core.updates, ==, 0);
  }
  train_run_free(run);
  return err->code;
}

static void
test_bad_checkpoints(void)
{
  g_auto(Place) place = {0};
  g_autofree char *folder = NULL, *path = NULL, *whole = NULL;
  ModelError err;
  gsize n;

  place_init(&place);
  folder = g_build_filename(place.folder, "checkpoints", NULL);
  path = g_build_filename(folder, TRAIN_CHECKPOINT_NAME, NULL);
  g_assert_cmpint(attempt(&place, folder, 1, &err), ==, MODEL_OK);
  g_assert_true(g_file_get_contents(path, &whole, &n, NULL));
  g_assert_cmpint(attempt(&place, folder, 2, &err), ==, MODEL_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(err.message, "another run"));
  /* Cut anywhere. */
  for (gsize cut = 0; cut < n; cut += cut < 2048 ? 97 : n / 7) {
    ModelErrorCode code;

    g_assert_true(g_file_set_contents(path, whole, (gssize)cut, NULL));
    code = attempt(&place, folder, 1, &err);
    g_assert_true(code == MODEL_ERROR_CORRUPT || code == MODEL_ERROR_FORMAT);
    g_assert_nonnull(strstr(err.message, TRAIN_CHECKPOINT_NAME));
  }
  /* A byte changed anywhere. */
  for (gsize at = 0; at < n; at += at < sizeof(TrainSaved) ? 41 : n / 11) {
    g_autofree char *changed = g_memdup2(whole, n);

    changed[at] ^= 0x55;
    g_assert_true(g_file_set_contents(path, changed, (gssize)n, NULL));
    g_assert_cmpint(attempt(&place, folder, 1, &err), !=, MODEL_OK);
    g_assert_cmpint(err.code, !=, MODEL_ERROR_IO);
  }
  g_assert_true(g_file_set_contents(path, whole, (gssize)n, NULL));
  g_assert_cmpint(attempt(&place, folder, 1, &err), ==, MODEL_OK);
  g_assert_cmpint(attempt(&place, "/proc/nowhere", 1, &err), ==, MODEL_ERROR_IO);
}

static void
test_failures(void)
{
  g_auto(Place) place = {0};
  TrainOptions options = options_of(3);
  Data data = {.fail_at = 9};
  TrainSource source = source_of(&data);
  ModelError err = {0};
  TrainRun *run;

  place_init(&place);
  run = run_new(&place, &options);
  g_assert_false(train_run(run, &source, NULL, NULL, NULL, &err));
  g_assert_cmpstr(err.message, ==, "the disk is gone");
  data.fail_at = 0;
  run->core.params.data[run->core.params.tensors[run->core.params.output_norm].offset] = NAN;
  g_assert_false(train_run(run, &source, NULL, NULL, NULL, &err));
  g_assert_nonnull(strstr(err.message, "step 1:"));
  train_run_free(run);
  options.mask = "v7";
  g_assert_null(train_run_new(place.model, NULL, &options, &err));
  g_assert_nonnull(strstr(err.message, "v7"));
  options = options_of(3);
  options.batch = 0;
  g_assert_null(train_run_new(place.model, NULL, &options, &err));
  options = options_of(3);
  options.lr = NAN;
  g_assert_null(train_run_new(place.model, NULL, &options, &err));
  options = options_of(3);
  g_assert_null(train_run_new(place.tokenizer, NULL, &options, &err)); /* no model */
  /* The plain mask wants the caption alone. */
  options.mask = "plain";
  run = run_new(&place, &options);
  g_assert_false(train_run(run, &source, NULL, NULL, NULL, &err));
  g_assert_nonnull(strstr(err.message, "the caption alone"));
  train_run_free(run);
}

/* Each epoch of a kind is a permutation, kinds come equally often, and the place of the picture's
 * mark is a fair coin; another seed gives another order. */
static void
test_order(void)
{
  Data data = {0};
  TrainSource source = source_of(&data);
  TrainOrder order, other, restored;
  TrainOrderState state = {0};
  guint seen[2][11] = {{0}}, taken[2] = {0}, first = 0, differ = 0;
  ModelError err = {0};

  g_assert_true(train_order_init(&order, 1, &source, &err));
  g_assert_true(train_order_init(&other, 2, &source, &err));
  g_assert_true(train_order_init(&restored, 1, &source, &err));
  for (guint i = 0; i < 4000; i++) {
    uint32_t kind, kind2;
    uint64_t index, index2;
    bool picture_first, picture_first2;

    train_order_next(&order, &kind, &index, &picture_first);
    train_order_next(&other, &kind2, &index2, &picture_first2);
    differ += kind != kind2 || index != index2;
    first += picture_first;
    taken[kind]++;
    g_assert_cmpuint(++seen[kind][index], ==, order.state.kinds[kind].epoch + 1);
    if (i == 1234) {
      state = order.state;
      g_assert_true(train_order_restore(&restored, &state, &err));
    } else if (i > 1234) {
      train_order_next(&restored, &kind2, &index2, &picture_first2);
      g_assert_true(kind == kind2 && index == index2 && picture_first == picture_first2);
    }
  }
  /* Four deviations of a fair coin over 4000 throws are 126. */
  g_assert_cmpint(ABS((int)taken[0] - 2000), <, 126);
  g_assert_cmpint(ABS((int)first - 2000), <, 126);
  g_assert_cmpuint(differ, >, 3000);
  state.kinds[1].count = 6;
  g_assert_false(train_order_restore(&restored, &state, &err));
  train_order_clear(&order);
  train_order_clear(&other);
  train_order_clear(&restored);
}

/* In a batch the picture stands before or behind the first question, and nowhere else. */
static void
test_picture_place(void)
{
  g_auto(Place) place = {0};
  TrainOptions options = options_of(1);
  Data data = {0};
  TrainSource source = source_of(&data);
  TrainOrder order;
  ModelError err = {0};
  TrainRun *run;
  guint before = 0, behind = 0;

  place_init(&place);
  run = run_new(&place, &options);
  g_assert_true(train_order_init(&order, 3, &source, &err));
  for (guint b = 0; b < 10; b++) {
    g_assert_true(train_batch_fill(&run->batch, &source, &order, &err));
    for (guint i = 0; i < run->batch.n; i++) {
      const TrainRaw *raw = &run->batch.raw[i];

      if (!run->batch.items[i].has_picture) {
        g_assert_cmpstr(raw->turns[0], ==, "say e");
        continue;
      }
      before += g_str_equal(raw->turns[0], "<image>\nbright?");
      behind += g_str_equal(raw->turns[0], "bright?\n<image>");
      g_assert_cmpuint(run->batch.items[i].n_rows, ==, raw->ids.n + 3); /* four patches */
    }
  }
  g_assert_cmpuint(before, >, 3);
  g_assert_cmpuint(behind, >, 3);
  train_order_clear(&order);
  train_run_free(run);
}

static void
test_options(void)
{
  char storage[TRAIN_SHAPE_TEXT];
  ModelError err = {0};
  TrainShape shape;
  unsigned parts = 0;

  g_assert_true(train_parts_parse("llm,vision", &parts, &err));
  g_assert_cmpuint(parts, ==, TRAIN_LLM | TRAIN_VISION);
  g_assert_false(train_parts_parse("", &parts, &err));
  g_assert_false(train_parts_parse("llm,tower", &parts, &err));
  g_assert_nonnull(strstr(err.message, "tower"));
  train_shape_init(&shape);
  g_assert_true(
      train_shape_parse("hidden=64,theta=5e4,tied=1,name=x,seed=9", &shape, storage, &err));
  g_assert_true(shape.hidden == 64 && shape.theta == 5e4f && shape.tied && shape.seed == 9);
  g_assert_cmpstr(shape.name, ==, "x");
  g_assert_false(train_shape_parse("hidden", &shape, storage, &err));
  g_assert_false(train_shape_parse("hidden=-3", &shape, storage, &err));
  g_assert_false(train_shape_parse("hidden=0", &shape, storage, &err));
  g_assert_false(train_shape_parse("hidden=99999999999", &shape, storage, &err));
  g_assert_false(train_shape_parse("width=3", &shape, storage, &err));
  g_assert_false(train_shape_parse("theta=nan", &shape, storage, &err));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/train/options", test_options);
  g_test_add_func("/train/init", test_init);
  g_test_add_func("/train/init-zeros", test_init_zeros);
  g_test_add_func("/train/order", test_order);
  g_test_add_func("/train/picture-place", test_picture_place);
  g_test_add_func("/train/learns-and-writes", test_learns_and_writes);
  g_test_add_func("/train/resume", test_resume);
  g_test_add_func("/train/killed", test_killed);
  g_test_add_func("/train/disk-full", test_disk_full);
  g_test_add_func("/train/bad-checkpoints", test_bad_checkpoints);
  g_test_add_func("/train/failures", test_failures);
  return g_test_run();
}
