/* train.c - the training run as a use case: start, data, pictures, progress, result. */
#include "app_train.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "private.h"
#include "train-data.h"
#include "train-pictures.h"
#include "train.h"

#define MAX_CARD_BYTES (256 << 10)

typedef struct {
  const AppTrainOptions *options;
  AppTrainReport report;
  gpointer user;
  TrainRun *run;
  GPtrArray *sets; /* of AppTrainData * */
  AppTrainPictures *pictures;
  AppTrainRecord *record; /* the sample that was handed out last */
  gboolean plain;
  /* of the run so far */
  TrainProgress last;
  GArray *losses; /* of double, one a step in this process */
  gboolean stopped;
} Course;

static void
course_free(Course *course)
{
  app_train_record_free(course->record);
  app_train_pictures_free(course->pictures);
  g_clear_pointer(&course->sets, g_ptr_array_unref);
  g_clear_pointer(&course->losses, g_array_unref);
  train_run_free(course->run);
  g_free(course);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Course, course_free)

void
app_train_options_init(AppTrainOptions *options)
{
  TrainOptions paper;

  train_options_init(&paper);
  *options = (AppTrainOptions){.train = "projector,llm",
                               .mask = paper.mask,
                               .warmup_ratio = paper.warmup_ratio,
                               .clip_norm = paper.clip_norm,
                               .beta2 = paper.beta2,
                               .batch = paper.batch,
                               .accumulate = paper.accumulate,
                               .max_length = paper.max_length,
                               .type = "f16",
                               .picture_bytes = (guint64)2 << 30};
}

/* ---- the start ------------------------------------------------------------------------------ */

static gboolean
write_start(const AppTrainOptions *options, const char *out, GError **error)
{
  char storage[TRAIN_SHAPE_TEXT];
  TrainShape shape;
  ModelError failure = {0};

  if (!options->tokenizer) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT,
                        "a model from nothing needs a tokenizer: name a SentencePiece model");
    return FALSE;
  }
  train_shape_init(&shape);
  shape.seed = options->seed;
  if (options->model.template_name) {
    shape.template_name = options->model.template_name;
  }
  return (train_shape_parse(options->init_shape, &shape, storage, &failure) &&
          train_model_init(&shape, options->tokenizer, out, &failure)) ||
         app_error_from_model(error, &failure);
}

static TrainOptions
train_options(const AppTrainOptions *options, unsigned parts)
{
  TrainOptions o;

  train_options_init(&o);
  o.parts = parts;
  o.mask = options->mask;
  o.template_name = options->model.template_name;
  o.lr = options->lr;
  o.weight_decay = options->weight_decay;
  o.beta2 = options->beta2;
  o.clip_norm = options->clip_norm;
  o.warmup_ratio = options->warmup_ratio;
  o.constant_lr = options->constant_lr;
  o.batch = options->batch;
  o.accumulate = options->accumulate;
  o.max_length = options->max_length;
  o.steps = options->steps;
  o.epochs = options->epochs;
  o.seed = options->seed;
  o.n_threads = options->model.n_threads;
  o.checkpoint_every = options->save_every;
  return o;
}

/* A random start is a file beside OUT for as long as it takes to open it. */
static gboolean
open_run(Course *course, GError **error)
{
  const AppTrainOptions *options = course->options;
  const ModelEngineOptions engine = {.mmproj = options->model.mmproj,
                                     .vision_tower = options->model.vision_tower,
                                     .template_name = options->model.template_name,
                                     .guard = app_guard()};
  g_autofree char *start = g_strdup_printf("%s.start-%ld", options->out, (long)getpid());
  ModelError failure = {0};
  TrainOptions train;
  unsigned parts;

  if (!train_parts_parse(options->train, &parts, &failure)) {
    return app_error_from_model(error, &failure);
  }
  train = train_options(options, parts);
  if (options->model.model) {
    course->run = train_run_new(options->model.model, &engine, &train, &failure);
  } else {
    if (!write_start(options, start, error)) {
      return FALSE;
    }
    course->run = train_run_new(start, &engine, &train, &failure);
    g_unlink(start);
  }
  return course->run != NULL || app_error_from_model(error, &failure);
}

/* ---- data ----------------------------------------------------------------------------------- */

static gboolean
open_data(Course *course, GError **error)
{
  course->sets = g_ptr_array_new_with_free_func((GDestroyNotify)app_train_data_free);
  for (guint i = 0; course->options->data[i]; i++) {
    AppTrainData *data = app_train_data_open(course->options->data[i], error);

    if (!data) {
      return FALSE;
    }
    g_ptr_array_add(course->sets, data);
  }
  return TRUE;
}

static gboolean
pictures_progress(guint64 done, guint64 total, gpointer user)
{
  Course *course = user;
  const AppTrainProgress progress = {.phase = "pictures", .done = done, .total = total};

  return !course->report || course->report(&progress, course->user);
}

/* Reads every record once: a fault in the data shows now, and not after hours. */
static gboolean
open_pictures(Course *course, GError **error)
{
  const AppTrainOptions *options = course->options;

  course->pictures = app_train_pictures_new(course->run, options->images ? options->images : ".",
                                            options->picture_bytes);
  for (guint s = 0; s < course->sets->len; s++) {
    const AppTrainData *data = g_ptr_array_index(course->sets, s);

    for (guint64 i = 0; i < app_train_data_count(data); i++) {
      g_autoptr(AppTrainRecord) record = app_train_data_read(data, i, error);
      g_autoptr(GError) failure = NULL;

      if (!record) {
        return FALSE;
      }
      if (record->image && !app_train_pictures_add(course->pictures, record->image, &failure) &&
          failure) {
        g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                                   "%s: record %" G_GUINT64_FORMAT ": ", options->data[s], i + 1);
        return FALSE;
      }
    }
  }
  return app_train_pictures_prepare(course->pictures, options->model.n_threads, pictures_progress,
                                    course, error);
}

static uint64_t
source_count(uint32_t kind, void *user)
{
  const Course *course = user;

  return app_train_data_count(g_ptr_array_index(course->sets, kind));
}

/* The model room knows no GError: the message travels as a ModelError and back. */
static bool
source_fail(GError *failure, ModelError *err)
{
  err->code = MODEL_ERROR_IO;
  g_strlcpy(err->message, failure->message, sizeof err->message);
  g_error_free(failure);
  return false;
}

static bool
source_get(uint32_t kind, uint64_t index, TrainSample *sample, void *user, ModelError *err)
{
  Course *course = user;
  GError *failure = NULL;
  guint skip = course->plain ? 1 : 0; /* stage 1 in LLaVA 1.x's form: the caption alone */

  g_clear_pointer(&course->record, app_train_record_free);
  course->record = app_train_data_read(g_ptr_array_index(course->sets, kind), index, &failure);
  if (!course->record) {
    return source_fail(failure, err);
  }
  if (course->record->image &&
      !app_train_pictures_get(course->pictures, course->record->image, &sample->image, &failure)) {
    return source_fail(failure, err);
  }
  sample->turns = (const char *const *)course->record->turns->pdata + skip;
  sample->n_turns = course->plain ? 1 : course->record->turns->len;
  return true;
}

/* ---- the run -------------------------------------------------------------------------------- */

static bool
train_progress(const TrainProgress *p, void *user)
{
  Course *course = user;
  const AppTrainProgress progress = {.phase = "train",
                                     .done = p->step,
                                     .total = p->steps,
                                     .loss = p->loss,
                                     .lr = p->lr,
                                     .grad_norm = p->grad_norm,
                                     .samples_per_s = p->samples_per_s,
                                     .seconds = p->seconds,
                                     .samples = p->samples,
                                     .tokens = p->tokens,
                                     .mismatches = p->mismatches};

  course->last = *p;
  g_array_append_val(course->losses, p->loss);
  course->stopped = course->report && !course->report(&progress, course->user);
  return !course->stopped;
}

static double
last_loss(const Course *course)
{
  guint n = course->losses->len, tenth = n / 10 > 0 ? n / 10 : n;
  double sum = 0;

  for (guint i = n - tenth; i < n; i++) {
    sum += g_array_index(course->losses, double, i);
  }
  return tenth ? sum / tenth : 0;
}

static JsonNode *
result(const Course *course, GError **error)
{
  const AppModelOptions written = {.model = course->options->out};
  g_autoptr(JsonNode) info = app_model_info(&written, TRUE, error);
  JsonObject *object;

  if (!info) {
    return NULL;
  }
  object = json_object_new();
  json_object_set_string_member(object, "out", course->options->out);
  json_object_set_string_member(
      object, "sha256", json_object_get_string_member(json_node_get_object(info), "sha256"));
  json_object_set_string_member(object, "type", course->options->type);
  json_object_set_int_member(object, "steps", (gint64)course->last.step);
  json_object_set_int_member(object, "samples", (gint64)course->last.samples);
  json_object_set_int_member(object, "tokens", (gint64)course->last.tokens);
  json_object_set_int_member(object, "mismatches", (gint64)course->last.mismatches);
  json_object_set_double_member(object, "seconds", course->last.seconds);
  if (course->losses && course->losses->len) {
    json_object_set_double_member(object, "loss", last_loss(course));
  } else {
    json_object_set_null_member(object, "loss");
  }
  return app_json_node(object);
}

static gboolean
read_card(const AppTrainOptions *options, char **card, GError **error)
{
  gsize length;

  if (!options->card) {
    return TRUE;
  }
  if (!g_file_get_contents(options->card, card, &length, error)) {
    return FALSE;
  }
  if (length > MAX_CARD_BYTES || !g_utf8_validate(*card, (gssize)length, NULL)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %" G_GSIZE_FORMAT " bytes, expected UTF-8 text of at most %d", options->card,
                length, MAX_CARD_BYTES);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check(const AppTrainOptions *options, GError **error)
{
  const char *wrong = NULL;

  if (!options->out) {
    wrong = "nothing says which file to write";
  } else if (!options->model.model == !options->init_shape) {
    wrong = "name a model to start from, or a shape to start from nothing, and not both";
  } else if (!options->data || !options->data[0]) {
    wrong = options->init_shape ? NULL : "no data to train on";
  } else if (!g_strv_contains((const char *const[]){"f32", "f16", "q8_0", NULL}, options->type)) {
    wrong = "the type is none of f32, f16, q8_0";
  }
  if (wrong) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT, wrong);
    return FALSE;
  }
  /* Not after hours. */
  return app_file_has_folder(options->out, error);
}

JsonNode *
app_train(const AppTrainOptions *options, AppTrainReport report, gpointer user, GError **error)
{
  g_autoptr(Course) course = g_new0(Course, 1);
  g_autofree char *card = NULL;
  ModelError failure = {0};
  TrainSource source = {.count = source_count, .get = source_get, .user = course};

  course->options = options;
  course->report = report;
  course->user = user;
  course->losses = g_array_new(FALSE, FALSE, sizeof(double));
  course->plain = options->mask && g_str_equal(options->mask, "plain");
  if (!check(options, error) || !read_card(options, &card, error)) {
    return NULL;
  }
  if (!options->data || !options->data[0]) {
    return write_start(options, options->out, error) ? result(course, error) : NULL;
  }
  if (!open_data(course, error) || !open_run(course, error) || !open_pictures(course, error)) {
    return NULL;
  }
  source.n_kinds = course->sets->len;
  if (!train_run(course->run, &source, options->checkpoint_dir, train_progress, course, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  if (course->stopped && course->last.step < course->last.steps) {
    g_set_error(error, APP_ERROR, APP_ERROR_CANCELLED,
                "stopped after step %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "%s%s",
                course->last.step, course->last.steps,
                options->checkpoint_dir ? "; the same command goes on from the checkpoint in " : "",
                options->checkpoint_dir ? options->checkpoint_dir : "");
    return NULL;
  }
  if (!train_run_write(course->run, options->type, card, options->out, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  return result(course, error);
}
