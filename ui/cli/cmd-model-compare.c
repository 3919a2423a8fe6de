/* cmd-model-compare.c - hilum model compare */
#include "app_bench.h"
#include "commands.h"

static void
print_compared(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  cli_print_field("a", "%s (%s)", cli_text_member(o, "a"), cli_text_member(o, "quantization_a"));
  cli_print_field("b", "%s (%s)", cli_text_member(o, "b"), cli_text_member(o, "quantization_b"));
  cli_print_field("over", "%d positions of %d texts",
                  (int)json_object_get_int_member(o, "positions"),
                  (int)json_object_get_int_member(o, "texts"));
  cli_print_field(
      "divergence", "mean %.6f, median %.6f, 99 %% below %.6f, largest %.6f",
      json_object_get_double_member(o, "mean_kl"), json_object_get_double_member(o, "median_kl"),
      json_object_get_double_member(o, "p99_kl"), json_object_get_double_member(o, "max_kl"));
  cli_print_field("agreement", "%.2f %% of the likeliest tokens",
                  100 * json_object_get_double_member(o, "agreement"));
  cli_print_field("perplexity", "a %.4f, b %.4f", json_object_get_double_member(o, "perplexity_a"),
                  json_object_get_double_member(o, "perplexity_b"));
}

int
cmd_model_compare(int argc, char **argv)
{
  g_autofree char *text = NULL, *prompts = NULL;
  gboolean json = FALSE;
  int threads = 0, window = 0, status;
  AppModelOptions a = {0}, b = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"text", 0, 0, G_OPTION_ARG_FILENAME, &text,
       "Text to compare over (default: a report and a story of our own)", "FILE"},
      {"prompts", 0, 0, G_OPTION_ARG_FILENAME, &prompts,
       "The same, but each line is a text of its own", "FILE"},
      {"window", 0, 0, G_OPTION_ARG_INT, &window,
       "Positions after which a text is cut (default: 512, or the models' context)", "N"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "A B",
                 "How near model B is to model A, token by token of a text.",
                 "Kullback-Leibler divergence (of B from A, in nats) of what both expect next, how "
                 "often they agree on the likeliest token, and the perplexity of both.",
                 2, 2, &status)) {
    return status;
  }
  if (text && prompts) {
    return cli_misused("--text and --prompts: name one of them");
  }
  if (threads < 0 || threads > 1024) {
    return cli_misused("--threads is %d; expected 0 (one per core) to 1024", threads);
  }
  if (window < 0 || window == 1) {
    return cli_misused("--window is %d; expected 2 or more", window);
  }
  a = (AppModelOptions){.model = argv[1], .n_threads = (guint)threads};
  b = (AppModelOptions){.model = argv[2], .n_threads = (guint)threads};
  node =
      app_model_compare(&a, &b, prompts ? prompts : text, prompts != NULL, (guint)window, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_compared(node);
  }
  return CLI_DONE;
}
