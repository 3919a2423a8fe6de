/* clip-open.h - opening the pairs of clip-fixture.h. */
#ifndef HILUM_TESTS_MODEL_CLIP_OPEN_H
#define HILUM_TESTS_MODEL_CLIP_OPEN_H

#include "clip-fixture.h"
#include "clip-golden.h"

#include "checkpoint-fixture.h"
#include "clip/clip.h"

static inline char *
make(ClipKind kind, gboolean half, const char *without)
{
  char *folder = new_folder();

  clip_make(folder, kind, half, without);
  return folder;
}

static inline ModelClip *
open_clip(const char *folder, guint threads)
{
  const ModelClipOptions options = {.n_threads = threads};
  ModelError err = {0};
  ModelClip *clip = model_clip_open(folder, &options, &err);

  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(clip);
  return clip;
}

static inline void
assert_refused(const char *folder, ModelErrorCode code, const char *pattern)
{
  ModelError err = {0};
  ModelClip *clip = model_clip_open(folder, NULL, &err);

  g_assert_null(clip);
  assert_message(&err, code, pattern);
}

#endif
