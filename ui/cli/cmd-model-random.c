/* cmd-model-random.c - hilum model random */
#include <stdio.h>
#include <unistd.h>

#include "commands.h"

typedef struct {
  gint64 start; /* monotonic, microseconds */
  int shown;    /* percent; -1: nothing yet */
} Progress;

/* On a terminal only: a percentage and the time left, over and over on one line. */
static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  Progress *progress = user;
  const int percent = total > 0 ? (int)((double)done * 100 / (double)total) : 0;
  const double s = (double)(g_get_monotonic_time() - progress->start) / 1e6;

  if (percent != progress->shown && isatty(STDERR_FILENO)) {
    fprintf(stderr, "\r%3d %%, %.0f s left   %s", percent,
            done > 0 ? s * (double)(total - done) / (double)done : 0, percent == 100 ? "\n" : "");
    progress->shown = percent;
  }
  return !cli_is_interrupted();
}

/* Names with commas between. */
static char *
shapes_text(void)
{
  GString *text = g_string_new(NULL);
  const char *name;

  for (guint i = 0; (name = app_model_random_shape(i)); i++) {
    g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", name);
  }
  return g_string_free(text, FALSE);
}

static gboolean
is_shape(const char *shape)
{
  const char *name;

  for (guint i = 0; (name = app_model_random_shape(i)); i++) {
    if (g_str_equal(name, shape)) {
      return TRUE;
    }
  }
  return FALSE;
}

int
cmd_model_random(int argc, char **argv)
{
  static const char *const types[] = {"q4_k_m", "q4_0", "q8_0", "q6_k", "q5_k_m",
                                      "f16",    "bf16", "f32",  NULL};
  static const char *const parts[] = {"whole", "decoder", "tower", NULL};
  g_autofree char *shape = NULL, *type = NULL, *tower_type = NULL, *out = NULL, *seed_text = NULL;
  g_autofree char *part = NULL;
  g_autofree char *shapes = shapes_text();
  g_autofree char *description =
      g_strdup_printf("Shapes: %s. The same seed gives the same bytes everywhere.", shapes);
  g_autoptr(GError) error = NULL;
  guint choice = 0, part_choice = APP_RANDOM_WHOLE;
  AppRandomOptions random = {.seed = 1};
  Progress progress = {g_get_monotonic_time(), -1};
  int status;
  const GOptionEntry entries[] = {
      {"shape", 0, 0, G_OPTION_ARG_FILENAME, &shape, "Whose sizes to take (see below)", "SHAPE"},
      {"type", 0, 0, G_OPTION_ARG_FILENAME, &type,
       "q4_k_m, q4_0, q8_0, q6_k, q5_k_m, f16, bf16 or f32 (default: q4_k_m)", "TYPE"},
      {"tower-type", 0, 0, G_OPTION_ARG_FILENAME, &tower_type,
       "f16, bf16, q8_0 or f32, for tower and projector (default: as --type says)", "TYPE"},
      {"part", 0, 0, G_OPTION_ARG_FILENAME, &part,
       "whole, or of the two files that llama.cpp reads: decoder or tower", "PART"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &seed_text, "Which weights (default: 1)", "N"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "GGUF file to write", "FILE"},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Writes a model with random weights, to measure speed and memory with.",
                 description, 0, 0, &status)) {
    return status;
  }
  if (!shape || !is_shape(shape)) {
    return shape
               ? cli_misused("--shape is '%s'; expected one of %s", shape, shapes)
               : cli_misused("--shape says whose sizes to take; it is missing (one of %s)", shapes);
  }
  if (!out) {
    return cli_misused("--out says which GGUF file to write; it is missing");
  }
  if (!cli_parse_choice("type", type, types, &choice) ||
      !cli_parse_choice("part", part, parts, &part_choice) ||
      (seed_text && !cli_parse_seed(seed_text, &random.seed))) {
    return CLI_MISUSED;
  }
  cli_catch_interrupt();
  random.shape = shape;
  random.type = types[choice];
  random.tower_type = tower_type;
  random.part = (AppRandomPart)part_choice;
  if (!app_model_random(&random, out, show_progress, &progress, &error)) {
    return cli_failed(error);
  }
  return CLI_DONE;
}
