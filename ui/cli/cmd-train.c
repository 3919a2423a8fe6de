/* cmd-train.c - hilum train */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app_train.h"
#include "commands.h"

typedef struct {
  gboolean json, terminal;
  gint64 shown; /* when the last line for people was written */
} Show;

static void
print_step(const AppTrainProgress *p)
{
  g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
  JsonObject *object = json_object_new();

  json_object_set_int_member(object, "step", (gint64)p->done);
  json_object_set_int_member(object, "steps", (gint64)p->total);
  json_object_set_double_member(object, "loss", p->loss);
  json_object_set_double_member(object, "lr", p->lr);
  json_object_set_double_member(object, "grad_norm", p->grad_norm);
  json_object_set_double_member(object, "samples_per_s", p->samples_per_s);
  json_object_set_double_member(object, "seconds", p->seconds);
  json_object_set_int_member(object, "samples", (gint64)p->samples);
  json_object_set_int_member(object, "tokens", (gint64)p->tokens);
  json_object_set_int_member(object, "mismatches", (gint64)p->mismatches);
  json_node_take_object(node, object);
  cli_print_json(node);
}

static void
print_for_people(Show *show, const AppTrainProgress *p)
{
  gint64 now = g_get_monotonic_time();
  const gboolean last = p->done == p->total;

  /* A line that overwrites itself on a terminal, else a line every ten seconds. */
  if (!last && now - show->shown < (show->terminal ? G_USEC_PER_SEC / 5 : 10 * G_USEC_PER_SEC)) {
    return;
  }
  show->shown = now;
  if (g_str_equal(p->phase, "pictures")) {
    fprintf(stderr, "%spictures %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
            show->terminal ? "\r" : "", p->done, p->total);
  } else {
    double left = (double)(p->total - p->done) * p->seconds / (double)MAX(p->done, 1);

    fprintf(stderr,
            "%sstep %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT
            "  loss %.4f  lr %.2e  norm %.2f  %.1f samples/s  %.0f s, %.0f s left%s",
            show->terminal ? "\r" : "", p->done, p->total, p->loss, p->lr, p->grad_norm,
            p->samples_per_s, p->seconds, left, show->terminal ? "  " : "");
  }
  if (!show->terminal || last) {
    fputc('\n', stderr);
  }
}

static gboolean
report(const AppTrainProgress *progress, gpointer user)
{
  Show *show = user;

  if (show->json && g_str_equal(progress->phase, "train")) {
    print_step(progress);
  }
  print_for_people(show, progress);
  return !cli_is_interrupted();
}

typedef struct {
  CliModel model;
  char **data;
  char *images, *train, *mask, *seed, *checkpoint, *out, *type, *card, *init_shape, *tokenizer;
  double lr, weight_decay, warmup, clip, beta2, epochs;
  int batch, accumulate, max_length, cache;
  gint64 steps, save_every;
  gboolean constant, json;
} Options;

static void
options_clear(Options *o)
{
  char **owned[] = {&o->images, &o->train, &o->mask, &o->seed,       &o->checkpoint,
                    &o->out,    &o->type,  &o->card, &o->init_shape, &o->tokenizer};

  for (guint i = 0; i < G_N_ELEMENTS(owned); i++) {
    g_clear_pointer(owned[i], g_free);
  }
  g_clear_pointer(&o->data, g_strfreev);
  cli_model_clear(&o->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* "a.json,b.json" and repeated options, as one list. */
static char **
split_data(char **given)
{
  GPtrArray *all = g_ptr_array_new();

  for (guint i = 0; given && given[i]; i++) {
    g_auto(GStrv) parts = g_strsplit(given[i], ",", -1);
    for (guint k = 0; parts[k]; k++) {
      if (*parts[k]) {
        g_ptr_array_add(all, g_strdup(parts[k]));
      }
    }
  }
  g_ptr_array_add(all, NULL);
  return (char **)g_ptr_array_free(all, FALSE);
}

static gboolean
parse(Options *o, int *argc, char ***argv, int *status)
{
  const GOptionEntry entries[] = {
      {"data", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->data,
       "Data sets in LLaVA's format, with commas; each is one kind, drawn uniformly", "FILE,..."},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &o->images, "Folder that images are below", "DIR"},
      {"train", 0, 0, G_OPTION_ARG_FILENAME, &o->train,
       "What trains: vision, projector, llm, with commas (default: projector,llm)", "PARTS"},
      {"mask", 0, 0, G_OPTION_ARG_FILENAME, &o->mask,
       "What counts in the loss: plain, llama_2, v1, v0 (default: llama_2)", "MASK"},
      {"lr", 0, 0, G_OPTION_ARG_DOUBLE, &o->lr,
       "Highest learning rate (default: 2e-3 for the projector alone, else 2e-5)", "RATE"},
      {"constant-lr", 0, 0, G_OPTION_ARG_NONE, &o->constant, "No warm-up, no cosine", NULL},
      {"warmup", 0, 0, G_OPTION_ARG_DOUBLE, &o->warmup,
       "Share of the steps that warm up (default: 0.03)", "SHARE"},
      {"weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &o->weight_decay, "AdamW's (default: 0)", "W"},
      {"beta2", 0, 0, G_OPTION_ARG_DOUBLE, &o->beta2, "AdamW's (default: 0.999)", "B"},
      {"clip", 0, 0, G_OPTION_ARG_DOUBLE, &o->clip, "Largest gradient norm, 0 for any (default: 1)",
       "NORM"},
      {"batch", 0, 0, G_OPTION_ARG_INT, &o->batch, "Samples at once (default: 16)", "N"},
      {"accumulate", 0, 0, G_OPTION_ARG_INT, &o->accumulate, "Batches to a step (default: 8)", "N"},
      {"max-length", 0, 0, G_OPTION_ARG_INT, &o->max_length, "Most ids of a sample (default: 2048)",
       "N"},
      {"epochs", 0, 0, G_OPTION_ARG_DOUBLE, &o->epochs,
       "Times through the data (default: 1 for the projector alone, else 3)", "N"},
      {"steps", 0, 0, G_OPTION_ARG_INT64, &o->steps, "Steps, in place of epochs", "N"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &o->seed, "Of order and random start (default: 0)",
       "N"},
      {"checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &o->checkpoint,
       "Folder of the checkpoint; a run that was stopped goes on from it", "DIR"},
      {"save-every", 0, 0, G_OPTION_ARG_INT64, &o->save_every,
       "Steps between checkpoints (default: only at the end)", "N"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &o->out, "GGUF file to write", "FILE"},
      {"type", 0, 0, G_OPTION_ARG_FILENAME, &o->type, "f32, f16 or q8_0 (default: f16)", "TYPE"},
      {"card", 0, 0, G_OPTION_ARG_FILENAME, &o->card, "Text file to store as the model's card",
       "FILE"},
      {"init-shape", 0, 0, G_OPTION_ARG_FILENAME, &o->init_shape,
       "Start from nothing: \"hidden=256,layers=6,...\"; without --data the start is written",
       "SHAPE"},
      {"tokenizer", 0, 0, G_OPTION_ARG_FILENAME, &o->tokenizer,
       "SentencePiece model for --init-shape", "FILE"},
      {"cache", 0, 0, G_OPTION_ARG_INT, &o->cache,
       "Megabytes of prepared pictures to keep (default: 2048)", "MB"},
      CLI_JSON_ENTRY(&o->json),
      {NULL}};

  return cli_parse(argc, argv, entries, cli_model_group(&o->model), NULL,
                   "Trains a model on images with conversations.", NULL, 0, 0, status);
}

static gboolean
finish(Options *o, AppTrainOptions *train)
{
  if (!o->out) {
    cli_misused("--out says which GGUF file to write; it is missing");
    return FALSE;
  }
  if (o->batch < 1 || o->accumulate < 1 || o->max_length < 2 || o->cache < 0 || o->steps < 0 ||
      o->save_every < 0) {
    cli_misused("--batch, --accumulate, --max-length, --cache, --steps and --save-every are "
                "positive numbers");
    return FALSE;
  }
  if (o->seed && !cli_parse_seed(o->seed, &train->seed)) {
    return FALSE;
  }
  if (!cli_model_finish(&o->model)) {
    return FALSE;
  }
  train->model = o->model.model;
  train->init_shape = o->init_shape;
  train->tokenizer = o->tokenizer;
  train->images = o->images;
  train->train = o->train ? o->train : train->train;
  train->mask = o->mask ? o->mask : train->mask;
  train->lr = o->lr;
  train->weight_decay = o->weight_decay;
  train->warmup_ratio = o->warmup;
  train->clip_norm = o->clip;
  train->beta2 = o->beta2;
  train->constant_lr = o->constant;
  train->batch = (guint)o->batch;
  train->accumulate = (guint)o->accumulate;
  train->max_length = (guint)o->max_length;
  train->steps = (guint64)o->steps;
  train->epochs = o->epochs;
  train->checkpoint_dir = o->checkpoint;
  train->save_every = (guint64)o->save_every;
  train->out = o->out;
  train->type = o->type ? o->type : train->type;
  train->card = o->card;
  train->picture_bytes = (guint64)o->cache << 20;
  return TRUE;
}

int
cmd_train(int argc, char **argv)
{
  g_auto(Options) options = {0};
  AppTrainOptions train;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  g_auto(GStrv) data = NULL;
  Show show = {.terminal = isatty(STDERR_FILENO)};
  int status;

  app_train_options_init(&train);
  options.warmup = train.warmup_ratio;
  options.clip = train.clip_norm;
  options.beta2 = train.beta2;
  options.batch = (int)train.batch;
  options.accumulate = (int)train.accumulate;
  options.max_length = (int)train.max_length;
  options.cache = (int)(train.picture_bytes >> 20);
  if (!parse(&options, &argc, &argv, &status)) {
    return status;
  }
  if (!finish(&options, &train)) {
    return CLI_MISUSED;
  }
  data = split_data(options.data);
  train.data = (const char *const *)data;
  show.json = options.json;
  cli_catch_interrupt();
  node = app_train(&train, report, &show, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (options.json) {
    cli_print_json(node);
  } else {
    JsonObject *o = json_node_get_object(node);
    cli_print_field("model", "%s (%s)", json_object_get_string_member(o, "out"),
                    json_object_get_string_member(o, "type"));
    cli_print_field("sha256", "%s", json_object_get_string_member(o, "sha256"));
    if (!json_object_get_null_member(o, "loss")) {
      cli_print_field("loss", "%.4f over the last tenth of %d steps",
                      json_object_get_double_member(o, "loss"),
                      (int)json_object_get_int_member(o, "steps"));
    }
  }
  return CLI_DONE;
}
