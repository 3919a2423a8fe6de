/* cmd-convert.c - hilum model convert */
#include <stdio.h>
#include <unistd.h>

#include "commands.h"

typedef struct {
  gint64 began, shown;
  gboolean terminal;
} Show;

/* One line that overwrites itself, on a terminal only. */
static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  Show *show = user;
  const gint64 now = g_get_monotonic_time();
  const double seconds = (double)(now - show->began) / 1e6;

  if (show->terminal && (now - show->shown > 200000 || done == total)) {
    const double rate = seconds > 0 ? (double)done / seconds : 0;
    const double left = rate > 0 ? (double)(total - done) / rate : 0;

    fprintf(stderr, "\r%3d %%  %.0f of %.0f MB, %.0f MB/s, %d:%02d left   %s",
            total > 0 ? (int)((double)done * 100 / (double)total) : 0, (double)done / 1e6,
            (double)total / 1e6, rate / 1e6, (int)left / 60, (int)left % 60,
            done == total ? "\n" : "");
    show->shown = done == total ? G_MAXINT64 / 2 : now;
  }
  return !cli_is_interrupted();
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  cli_print_field("model", "%s (%s)", cli_text_member(o, "out"), cli_text_member(o, "type"));
  if (!json_object_get_null_member(o, "mmproj")) {
    cli_print_field("tower", "%s", cli_text_member(o, "mmproj"));
  }
  cli_print_field("written", "%.1f MB in %d tensors, %.1f s",
                  (double)json_object_get_int_member(o, "bytes") / 1e6,
                  (int)json_object_get_int_member(o, "tensors"),
                  json_object_get_double_member(o, "seconds"));
  if (json_object_get_int_member(o, "verified_rows") > 0) {
    cli_print_field("verified",
                    "%" G_GINT64_FORMAT " rows; largest error %.2g of a block's largest",
                    json_object_get_int_member(o, "verified_rows"),
                    json_object_get_double_member(o, "worst_error"));
  }
  cli_print_field("sha256", "%s", cli_text_member(o, "sha256"));
}

typedef struct {
  CliModel model;
  char *type, *tower_type, *out, *card, *verify, *base, *lora, *imatrix;
  gboolean split, packed, json;
} Options;

static void
options_clear(Options *options)
{
  cli_model_clear(&options->model);
  g_free(options->type);
  g_free(options->tower_type);
  g_free(options->out);
  g_free(options->card);
  g_free(options->verify);
  g_free(options->base);
  g_free(options->lora);
  g_free(options->imatrix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
parse(Options *o, int *argc, char ***argv, int *status)
{
  const GOptionEntry entries[] = {
      {"type", 0, 0, G_OPTION_ARG_FILENAME, &o->type,
       "f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_k_m or q4_0 (default: f16)", "TYPE"},
      {"tower-type", 0, 0, G_OPTION_ARG_FILENAME, &o->tower_type,
       "f32, f16, bf16 or q8_0 for tower and projector (default: as --type, at least q8_0)",
       "TYPE"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &o->out, "GGUF file to write", "FILE"},
      {"base", 0, 0, G_OPTION_ARG_FILENAME, &o->base,
       "Folder of the model that MODEL is a delta to (LLaMA-7B for LLaVA-Med v1.0)", "DIR"},
      {"lora", 0, 0, G_OPTION_ARG_FILENAME, &o->lora,
       "Folder of a PEFT adapter to merge into the weights", "DIR"},
      {"imatrix", 0, 0, G_OPTION_ARG_FILENAME, &o->imatrix,
       "File of 'hilum model imatrix': spend the bits on the weights that count", "FILE"},
      {"pack", 0, 0, G_OPTION_ARG_NONE, &o->packed,
       "Store matrices as the kernels read them: loads at once, and only here", NULL},
      {"split", 0, 0, G_OPTION_ARG_NONE, &o->split,
       "Write the pair that llama.cpp reads: FILE, and the tower as FILE-mmproj.gguf", NULL},
      {"verify", 0, 0, G_OPTION_ARG_FILENAME, &o->verify,
       "Hold rows of the written file against the source: sample, all or none (default: sample)",
       "ROWS"},
      {"card", 0, 0, G_OPTION_ARG_FILENAME, &o->card, "Text file to store as the model's card",
       "FILE"},
      CLI_JSON_ENTRY(&o->json),
      {NULL}};

  return cli_parse(argc, argv, entries, cli_model_group(&o->model), "[MODEL]",
                   "Writes a model as one GGUF file: decoder, tower, projector, tokenizer.", NULL,
                   0, 1, status);
}

static gboolean
finish(Options *o, AppConvertOptions *convert)
{
  static const char *const types[] = {"f16",    "f32",    "bf16", "q8_0", "q6_k",
                                      "q5_k_m", "q4_k_m", "q4_0", NULL};
  static const char *const tower_types[] = {"f16", "f32", "bf16", "q8_0", NULL};
  static const char *const verifies[] = {"sample", "all", "none", NULL};
  guint type = 0, tower_type = 0, verify = APP_VERIFY_SAMPLE;

  if (!cli_parse_choice("type", o->type, types, &type) ||
      !cli_parse_choice("tower-type", o->tower_type, tower_types, &tower_type) ||
      !cli_parse_choice("verify", o->verify, verifies, &verify) || !cli_model_finish(&o->model)) {
    return FALSE;
  }
  if (o->split && o->packed) {
    cli_misused("--split and --pack exclude each other: llama.cpp does not read packed files");
    return FALSE;
  }
  *convert = (AppConvertOptions){.type = types[type],
                                 .tower_type = o->tower_type,
                                 .card = o->card,
                                 .imatrix = o->imatrix,
                                 .out = o->out,
                                 .base = o->base,
                                 .lora = o->lora,
                                 .verify = (AppVerify)verify,
                                 .packed = o->packed,
                                 .split = o->split};
  return TRUE;
}

int
cmd_model_convert(int argc, char **argv)
{
  g_auto(Options) options = {0};
  AppConvertOptions convert;
  Show show = {.began = g_get_monotonic_time(), .terminal = isatty(STDERR_FILENO)};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  int status;

  if (!parse(&options, &argc, &argv, &status)) {
    return status;
  }
  if (!cli_model_operand(&options.model, argc, argv)) {
    return CLI_MISUSED;
  }
  if (!options.out) {
    return cli_misused("--out says which GGUF file to write; it is missing");
  }
  if (!finish(&options, &convert)) {
    return CLI_MISUSED;
  }
  cli_catch_interrupt();
  node = app_model_convert(&options.model.model, &convert, show_progress, &show, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (options.json) {
    cli_print_json(node);
  } else {
    print_report(node);
  }
  return CLI_DONE;
}
