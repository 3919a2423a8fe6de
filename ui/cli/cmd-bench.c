/* cmd-bench.c - hilum bench */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app_bench.h"
#include "commands.h"

/* On a terminal only, one line that overwrites itself. */
static gboolean
show_progress(const char *what, guint done, guint total, gpointer user)
{
  if (isatty(STDERR_FILENO)) {
    fprintf(stderr, "\r%u of %u: %s        %s", done, total, what, done == total ? "\n" : "");
  }
  return !cli_is_interrupted();
}

static double
number(JsonObject *o, const char *name)
{
  return json_object_get_null_member(o, name) ? 0 : json_object_get_double_member(o, name);
}

static void
print_limits(JsonObject *o)
{
  if (number(o, "read_bytes_per_s") > 0) {
    cli_print_field("memory", "%.1f GB/s read", number(o, "read_bytes_per_s") / 1e9);
    cli_print_field("int8", "%.0f GOP/s (%s)", number(o, "int8_ops_per_s") / 1e9,
                    cli_text_member(o, "int8_instruction"));
    if (number(o, "bf16_ops_per_s") > 0) {
      cli_print_field("bf16", "%.0f GOP/s (%s)", number(o, "bf16_ops_per_s") / 1e9,
                      cli_text_member(o, "bf16_instruction"));
    }
    cli_print_field("f32", "%.0f GOP/s (%s)", number(o, "f32_ops_per_s") / 1e9,
                    cli_text_member(o, "f32_instruction"));
  }
}

static void
print_bench(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  cli_print_field("model", "%s, %s", cli_text_member(o, "model"),
                  cli_text_member(o, "quantization"));
  cli_print_field("kernels", "%s, %d threads", cli_text_member(o, "kernels"),
                  (int)json_object_get_int_member(o, "threads"));
  print_limits(o);
  cli_print_field("load", "%.2f s", number(o, "load_s"));
  cli_print_field("prompt", "%.1f tokens/s, %.0f %% of the int8 limit",
                  number(o, "prompt_tokens_per_s"), 100 * number(o, "int8_fraction"));
  cli_print_field("decode", "%.2f tokens/s, %.0f %% of the memory's speed",
                  number(o, "decode_tokens_per_s"), 100 * number(o, "bandwidth_fraction"));
  if (number(o, "image_s") > 0) {
    cli_print_field("picture", "%.2f s, %.0f %% of the int8 limit", number(o, "image_s"),
                    100 * number(o, "image_int8_fraction"));
  }
  cli_print_field("first token", "%.2f s for %d positions", number(o, "first_token_s"),
                  (int)json_object_get_int_member(o, "first_positions"));
  cli_print_field("follow-up", "%.2f s for %d positions", number(o, "follow_up_first_token_s"),
                  (int)json_object_get_int_member(o, "follow_up_positions"));
  cli_print_field("peak memory", "%.2f GB",
                  (double)json_object_get_int_member(o, "peak_rss_bytes") / 1e9);
}

typedef struct {
  int prompt, tokens, depth, question, repeats, buffer;
  gboolean image, no_limits, json;
} Options;

static gboolean
in_range(const char *name, int value, int least, int most)
{
  if (value < least || value > most) {
    cli_misused("--%s is %d; expected %d to %d", name, value, least, most);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check(const Options *o)
{
  return in_range("prompt", o->prompt, 1, 1 << 20) && in_range("tokens", o->tokens, 1, 1 << 20) &&
         in_range("depth", o->depth, 0, 1 << 20) && in_range("question", o->question, 1, 4096) &&
         in_range("repeats", o->repeats, 1, 1000) && in_range("buffer", o->buffer, 64, 1 << 20);
}

int
cmd_bench(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  Options o = {.prompt = 512, .tokens = 32, .question = 40, .repeats = 3, .buffer = 1024};
  AppBenchOptions bench = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  int status;
  const GOptionEntry entries[] = {
      {"prompt", 0, 0, G_OPTION_ARG_INT, &o.prompt, "Ids to run as one prompt (default: 512)", "N"},
      {"tokens", 0, 0, G_OPTION_ARG_INT, &o.tokens, "Tokens to decode (default: 32)", "N"},
      {"depth", 0, 0, G_OPTION_ARG_INT, &o.depth,
       "Positions before the decoded tokens (default: 0)", "N"},
      {"question", 0, 0, G_OPTION_ARG_INT, &o.question, "Tokens of a question (default: 40)", "N"},
      {"image", 0, 0, G_OPTION_ARG_NONE, &o.image, "Ask the first question of a picture", NULL},
      {"repeats", 0, 0, G_OPTION_ARG_INT, &o.repeats,
       "Measurements that each figure is the median of (default: 3)", "N"},
      {"no-limits", 0, 0, G_OPTION_ARG_NONE, &o.no_limits,
       "Do not measure what the machine could give", NULL},
      {"buffer", 0, 0, G_OPTION_ARG_INT, &o.buffer,
       "MiB to measure the memory's speed with (default: 1024)", "N"},
      CLI_JSON_ENTRY(&o.json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, cli_model_group(&model), "[MODEL]",
                 "How fast a model is on this machine, beside the machine's own limits.",
                 "Nothing else should run meanwhile. Ids, pictures and questions are made up.", 0,
                 1, &status)) {
    return status;
  }
  if (!cli_model_operand(&model, argc, argv) || !cli_model_finish(&model) || !check(&o)) {
    return CLI_MISUSED;
  }
  bench = (AppBenchOptions){.model = model.model,
                            .prompt = (guint)o.prompt,
                            .tokens = (guint)o.tokens,
                            .depth = (guint)o.depth,
                            .question = (guint)o.question,
                            .repeats = (guint)o.repeats,
                            .image = o.image,
                            .limits = !o.no_limits,
                            .read_bytes = (guint64)o.buffer << 20,
                            .seconds = 0.5};
  cli_catch_interrupt();
  node = app_bench(&bench, show_progress, NULL, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (o.json) {
    cli_print_json(node);
  } else {
    print_bench(node);
  }
  return CLI_DONE;
}
