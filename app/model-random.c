/* model-random.c - models with random weights, for measuring. */
#include "private.h"

#include "model_bench.h"

const char *
app_model_random_shape(guint index)
{
  return model_random_shape(index);
}

typedef struct {
  AppProgress progress;
  gpointer user;
} Listener;

static bool
forward_progress(uint64_t done, uint64_t total, void *user)
{
  const Listener *listener = user;

  return listener->progress(done, total, listener->user);
}

gboolean
app_model_random(const AppRandomOptions *options, const char *out, AppProgress progress,
                 gpointer user, GError **error)
{
  Listener listener = {progress, user};
  const ModelRandomOptions random = {.shape = options->shape,
                                     .type = options->type,
                                     .tower_type = options->tower_type,
                                     .seed = options->seed,
                                     .part =
                                         options->part == APP_RANDOM_DECODER ? MODEL_RANDOM_DECODER
                                         : options->part == APP_RANDOM_TOWER ? MODEL_RANDOM_TOWER
                                                                             : MODEL_RANDOM_WHOLE,
                                     .progress = progress ? forward_progress : NULL,
                                     .user = &listener};
  ModelError failure = {0};

  if (!app_file_has_folder(out, error)) {
    return FALSE;
  }
  return model_random_write(&random, out, &failure) || app_error_from_model(error, &failure);
}
