/* Every allocation of the readers and of the writer fails once: a message and false, nothing leaked
 * (the sanitizer build sees to that), nothing left on the disk. Linked with --wrap, so that the
 * library's calls come here; GLib's do not count while the countdown is 0. */
#include "model/checkpoint-fixture.h"
#include "model/clip-fixture.h"
#include "model_clip.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

/* The allocation that fails, counted down; 0: none. */
static guint countdown;

static gboolean
fails_now(void)
{
  return countdown > 0 && --countdown == 0;
}

void *
__wrap_malloc(size_t n)
{
  return fails_now() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
  return fails_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
  return fails_now() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *text)
{
  return fails_now() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t n)
{
  return fails_now() ? NULL : __real_strndup(text, n);
}

/* Opens PATH with the n-th allocation failing, for every n; returns how many there are. */
static guint
open_with_failures(const char *path, const ModelEngineOptions *options)
{
  for (guint n = 1;; n++) {
    ModelCheckpoint c;
    ModelError err = {0};
    bool ok, none_failed;
    countdown = n;
    ok = model_checkpoint_open(path, options, &c, &err);
    none_failed = countdown > 0;
    countdown = 0;
    if (ok)
      model_checkpoint_close(&c);
    if (none_failed) {
      g_assert_true(ok);
      return n - 1;
    }
    g_assert_false(ok);
    assert_message(&err, MODEL_ERROR_TOO_LARGE, "*out of memory*");
  }
}

static void
test_open(void)
{
  static const TinyOptions cases[] = {
      {.layout = LAYOUT_ORIGINAL},
      {.layout = LAYOUT_CONVERTED},
      {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE},
      {.layout = LAYOUT_ORIGINAL, .text_only = TRUE, .tied = TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = tiny_folder(&cases[i]);
    g_autofree char *gguf = g_build_filename(folder, "m.gguf", NULL);
    ModelCheckpoint c;
    g_assert_cmpuint(open_with_failures(folder, NULL), >, 20);
    open_checkpoint(folder, NULL, &c);
    g_assert_true(model_gguf_write(&c, "f16", "card", gguf, NULL, NULL, NULL));
    model_checkpoint_close(&c);
    g_assert_cmpuint(open_with_failures(gguf, NULL), >, 8);
    remove_tree(folder);
  }
}

static void
test_write(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
  const ModelWriteOptions options = {.type = "q8_0", .card = "card", .verify = MODEL_VERIFY_ALL};
  g_autofree char *folder = tiny_folder(&o), *place = new_folder();
  g_autofree char *out = g_build_filename(place, "m.gguf", NULL);
  ModelCheckpoint c;
  bool ok = false;

  open_checkpoint(folder, NULL, &c);
  for (guint n = 1; !ok; n++) {
    ModelError err = {0};
    bool none_failed;
    countdown = n;
    ok = model_gguf_write_file(&c, &options, out, NULL, &err);
    none_failed = countdown > 0;
    countdown = 0;
    /* Only the folder's name, for its sync, may be missed: the file is in its place by then. */
    if (!ok) {
      assert_message(&err, MODEL_ERROR_TOO_LARGE, "*out of memory");
      g_assert_cmpuint(count_files(place), ==, 0);
    } else {
      g_assert_cmpuint(count_files(place), ==, 1);
      g_assert_cmpuint(n, >, 50);
    }
    g_assert_true(ok || !none_failed);
  }
  model_checkpoint_close(&c);
  remove_tree(folder);
  remove_tree(place);
}

/* A pair of towers: opening, a text, a picture. */
static void
test_clip(void)
{
  static const ClipKind kinds[] = {CLIP_QUICK, CLIP_OPENAI, CLIP_BIOMED};
  static const guint8 grey[4] = {0, 80, 160, 255};
  const ModelImage picture = {2, 2, 1, grey};
  const ModelClipOptions options = {.n_threads = 1};

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autofree char *place = new_folder();
    bool ok = false;

    clip_make(place, kinds[i], TRUE, NULL);
    for (guint n = 1; !ok; n++) {
      ModelClip *clip;
      ModelError err = {0};
      float out[CLIP_WIDTH];
      bool none_failed;
      countdown = n;
      clip = model_clip_open(place, &options, &err);
      ok = clip && model_clip_text(clip, "a chest x-ray \u00fc", 16, out, &err) &&
           model_clip_picture(clip, &picture, out, &err);
      none_failed = countdown > 0;
      countdown = 0;
      model_clip_free(clip);
      g_assert_true(ok == none_failed);
      if (!ok) {
        assert_message(&err, MODEL_ERROR_TOO_LARGE, "*out of memory*");
      } else {
        g_assert_cmpuint(n, >, 40);
      }
    }
    remove_tree(place);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/checkpoint-allocation/open", test_open);
  g_test_add_func("/checkpoint-allocation/write", test_write);
  g_test_add_func("/checkpoint-allocation/clip", test_clip);
  return g_test_run();
}
