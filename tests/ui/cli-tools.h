/* cli-tools.h - two sets of phantoms and a model with random weights, made once by `hilum` itself,
 * for tests of the commands that make, train and evaluate. */
#ifndef HILUM_TESTS_CLI_TOOLS_H
#define HILUM_TESTS_CLI_TOOLS_H

#include "app/tiny.h"
#include "cli-run.h"

#define N_PHANTOMS "20"
#define SHAPE                                                                                      \
  "image_size=28,patch_size=14,vision_hidden=16,vision_blocks=2,vision_heads=2,vision_ffn=32,"     \
  "hidden=32,layers=1,heads=2,kv_heads=1,ffn=48,context=512,name=sprout"

static char *folder; /* of all tests */
static char *phantoms, *instruct, *held_out, *questions, *tokenizer, *model;

static inline char *
in_folder(const char *name)
{
  return g_build_filename(folder, name, NULL);
}

static inline char *
contents(const char *path, gsize *length)
{
  g_autoptr(GError) error = NULL;
  char *text = NULL;

  g_file_get_contents(path, &text, length, &error);
  g_assert_no_error(error);
  return text;
}

static inline void
assert_same_file(const char *a, const char *b)
{
  gsize n_a, n_b;
  g_autofree char *one = contents(a, &n_a), *other = contents(b, &n_b);

  g_assert_cmpuint(n_a, ==, n_b);
  g_assert_true(memcmp(one, other, n_a) == 0);
}

static inline void
write_phantoms(const char *out, const char *seed, const char *format, const char *split)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "phantom", "--out", out, "--seed", seed, "--count", N_PHANTOMS, "--size",
          "48", "--format", format, "--split", split, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
}

static inline void
cli_tools_set_up(void)
{
  g_auto(CliRun) run = {0};

  folder = tiny_folder_new();
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  phantoms = in_folder("train");
  instruct = g_build_filename(phantoms, "instruct.json", NULL);
  held_out = in_folder("eval");
  questions = g_build_filename(held_out, "eval.jsonl", NULL);
  tokenizer = in_folder("tokenizer.model");
  model = in_folder("start.gguf");
  write_phantoms(phantoms, "1", "png", "train");
  write_phantoms(held_out, "2", "dicom", "eval");
  tiny_tokenizer_write(tokenizer);
  cli_run(&run, NULL, "train", "--init-shape", SHAPE, "--tokenizer", tokenizer, "--seed", "3",
          "--out", model, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
}

static inline void
check_misuse(const char *const (*wrong)[12], guint n)
{
  for (guint i = 0; i < n; i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, "", wrong[i]);
    g_test_message("row %u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpstr(run.err, !=, "");
  }
}

static inline void
cli_tools_clear(void)
{
  char **owned[] = {&phantoms, &instruct, &held_out, &questions, &tokenizer, &model};

  tiny_folder_free(folder);
  for (guint i = 0; i < G_N_ELEMENTS(owned); i++) {
    g_free(*owned[i]);
  }
}

/* `hilum train` from the random start on the phantoms, with MORE options (ends with NULL). */
static inline GPtrArray *
train_args(const char *out, const char *const *more)
{
  const char *const common[] = {"train",  "--model",      model,
                                "--data", instruct,       "--images",
                                phantoms, "--train",      "vision,projector,llm",
                                "--lr",   "1e-3",         "--batch",
                                "2",      "--accumulate", "1",
                                "--type", "f32",          "--threads",
                                "1",      "--out",        out};
  GPtrArray *args = g_ptr_array_new();

  for (guint i = 0; i < G_N_ELEMENTS(common); i++) {
    g_ptr_array_add(args, (gpointer)common[i]);
  }
  for (guint i = 0; more[i]; i++) {
    g_ptr_array_add(args, (gpointer)more[i]);
  }
  g_ptr_array_add(args, NULL);
  return args;
}

static inline void
train(CliRun *run, const char *out, const char *const *more)
{
  g_autoptr(GPtrArray) args = train_args(out, more);

  cli_runv(run, NULL, (const char *const *)args->pdata);
  g_test_message("%s", run->err);
}

#endif
