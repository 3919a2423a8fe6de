/* cmd-model.c - hilum model info|trace */
#include <stdio.h>
#include <string.h>

#include "commands.h"

static double
mebibytes(JsonObject *o, const char *member)
{
  return (double)json_object_get_int_member(o, member) / (1 << 20);
}

static void
print_memory(JsonObject *o)
{
  cli_print_field("to run",
                  "%.0f MiB at most: weights %.0f, %d positions %.0f, pictures %.0f, "
                  "the rest working space",
                  mebibytes(o, "peak_bytes"), mebibytes(o, "resident_weight_bytes"),
                  (int)json_object_get_int_member(o, "run_context"), mebibytes(o, "kv_bytes"),
                  mebibytes(o, "picture_bytes"));
  if (!json_object_get_null_member(o, "fits")) {
    cli_print_field("this machine", "has %.0f MiB to give: %s", mebibytes(o, "available_bytes"),
                    json_object_get_boolean_member(o, "fits")
                        ? "it fits"
                        : "NOT ENOUGH; a smaller type, a shorter --context or --kv-type q8_0 help");
  }
}

static void
print_info(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  const char *card = json_object_get_string_member_with_default(o, "card", "");

  cli_print_field("name", "%s", cli_text_member(o, "name"));
  cli_print_field("path", "%s", cli_text_member(o, "path"));
  cli_print_field("format", "%s, %s", cli_text_member(o, "format"),
                  cli_text_member(o, "quantization"));
  cli_print_field("sha256", "%s",
                  json_object_get_null_member(o, "sha256") ? "not taken (add --hash)"
                                                           : cli_text_member(o, "sha256"));
  cli_print_field("parameters", "%.1f million, %.1f MB of weights",
                  (double)json_object_get_int_member(o, "parameters") / 1e6,
                  (double)json_object_get_int_member(o, "weight_bytes") / 1e6);
  cli_print_field(
      "decoder", "%d layers, hidden %d, %d heads (%d key/value), vocabulary %d",
      (int)json_object_get_int_member(o, "layers"), (int)json_object_get_int_member(o, "hidden"),
      (int)json_object_get_int_member(o, "heads"), (int)json_object_get_int_member(o, "kv_heads"),
      (int)json_object_get_int_member(o, "vocab"));
  cli_print_field("context", "%d positions of %.1f KiB of keys and values",
                  (int)json_object_get_int_member(o, "context"),
                  (double)json_object_get_int_member(o, "kv_position_bytes") / 1024);
  print_memory(o);
  cli_print_field("template", "%s", cli_text_member(o, "template"));
  if (json_object_get_null_member(o, "vision")) {
    cli_print_field("vision", "none (a text model)");
  } else {
    JsonObject *v = json_object_get_object_member(o, "vision");
    cli_print_field("vision", "%d x %d pixels (%s), %d tokens, hidden %d, %d blocks, from %s",
                    (int)json_object_get_int_member(v, "image_size"),
                    (int)json_object_get_int_member(v, "image_size"), cli_text_member(v, "aspect"),
                    (int)json_object_get_int_member(v, "image_tokens"),
                    (int)json_object_get_int_member(v, "hidden"),
                    (int)json_object_get_int_member(v, "blocks_run"), cli_text_member(v, "origin"));
    cli_print_field("projector", "%s", cli_text_member(v, "projector"));
  }
  if (*card) {
    printf("\n%s%s", card, g_str_has_suffix(card, "\n") ? "" : "\n");
  }
}

static int
cmd_info(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  gboolean json = FALSE, hash = FALSE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {{"hash", 0, 0, G_OPTION_ARG_NONE, &hash,
                                   "Take the SHA-256 of more than a gigabyte too", NULL},
                                  CLI_JSON_ENTRY(&json),
                                  {NULL}};
  int status;

  if (!cli_parse(&argc, &argv, entries, cli_model_group(&model), "[MODEL]",
                 "What a model is: shape, parts, hash and card; and the memory that it will take.",
                 NULL, 0, 1, &status)) {
    return status;
  }
  if (!cli_model_operand(&model, argc, argv) || !cli_model_finish(&model)) {
    return CLI_MISUSED;
  }
  node = app_model_info(&model.model, hash, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_info(node);
  }
  return CLI_DONE;
}

static void
print_stage(JsonObject *o, const char *name)
{
  if (!json_object_get_null_member(o, name)) {
    JsonObject *stage = json_object_get_object_member(o, name);
    g_autofree char *shape = app_json_text(json_object_get_member(stage, "shape"));
    cli_print_field(name, "%s, norm %.6g", shape, json_object_get_double_member(stage, "norm"));
  }
}

static void
print_trace(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonObject *logits = json_object_get_object_member(o, "logits_last");
  JsonArray *top = json_object_get_array_member(logits, "top10");

  if (!json_object_get_null_member(o, "preprocess")) {
    JsonObject *picture = json_object_get_object_member(o, "preprocess");
    g_autofree char *shape = app_json_text(json_object_get_member(picture, "u8_shape"));
    cli_print_field("picture", "%s, sha256 %s", shape,
                    json_object_get_string_member(picture, "u8_sha256"));
  }
  print_stage(o, "vision");
  print_stage(o, "projected");
  cli_print_field("prompt", "%u ids, %d positions",
                  json_array_get_length(json_object_get_array_member(o, "ids")),
                  (int)json_object_get_int_member(o, "n_positions"));
  cli_print_field("logits", "norm %.6g, std %.6g", json_object_get_double_member(logits, "norm"),
                  json_object_get_double_member(logits, "std"));
  for (guint i = 0; i < json_array_get_length(top); i++) {
    JsonArray *pair = json_array_get_array_element(top, i);
    cli_print_field(i == 0 ? "first ids" : "", "%6d  %.6f",
                    (int)json_array_get_int_element(pair, 0),
                    json_array_get_double_element(pair, 1));
  }
  cli_print_field("text", "%s", json_object_get_string_member(o, "text"));
}

static int
cmd_trace(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  g_autofree char *image = NULL, *prompt = NULL, *dump = NULL;
  gboolean json = FALSE;
  int max_tokens = 16, status;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"image", 0, 0, G_OPTION_ARG_FILENAME, &image, "Picture for the \"<image>\" of the prompt",
       "FILE"},
      {"prompt", 0, 0, G_OPTION_ARG_FILENAME, &prompt,
       "Rendered prompt, with \"<image>\" where the picture goes", "TEXT"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &max_tokens,
       "Most ids of the greedy answer (default: 16)", "N"},
      {"dump", 0, 0, G_OPTION_ARG_FILENAME, &dump,
       "Folder for vision.npy, projected.npy and logits_last.npy", "DIR"},
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, cli_model_group(&model), NULL,
                 "Every stage of one prompt, in numbers.", NULL, 0, 0, &status)) {
    return status;
  }
  if (!prompt) {
    return cli_misused("--prompt says what to trace; it is missing");
  }
  if (max_tokens < 0 || max_tokens > 65536) {
    return cli_misused("--max-tokens is %d; expected 0 to 65536", max_tokens);
  }
  if (!cli_model_finish(&model)) {
    return CLI_MISUSED;
  }
  node = app_model_trace(&model.model, image, prompt, (guint)max_tokens, dump, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_trace(node);
  }
  return CLI_DONE;
}

int
cmd_model(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"info", "show what a model is", cmd_info},
      {"convert", "write a model as one GGUF file", cmd_model_convert},
      {"compare", "measure how near two models are", cmd_model_compare},
      {"random", "write a model with random weights, for measuring", cmd_model_random},
      {"imatrix", "find out which weights count, for convert", cmd_model_imatrix},
      {"trace", "show every stage of one prompt in numbers", cmd_trace},
      {NULL, NULL, NULL}};

  return cli_dispatch("hilum model", "Looks into models and converts them.", commands, argc, argv);
}
