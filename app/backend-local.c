/* backend-local.c - a conversation with the model in this program.
 *
 * The model's SHA-256 is taken on a thread of its own, beside the first answer.
 */
#include "backend.h"

typedef struct {
  AppBackend parent;
  ModelEngine *engine;
  ModelSession *session;

  GMutex hash_lock;
  GThread *hasher; /* NULL once it was joined */
  gboolean hash_ok;
  char sha256[65];
  ModelError hash_error;
} Local;

static gpointer
take_hash(gpointer data)
{
  Local *local = data;

  local->hash_ok = model_engine_sha256(local->engine, local->sha256, &local->hash_error);
  return NULL;
}

static gboolean
local_describe(AppBackend *backend, StoreModel *model, GError **error)
{
  Local *local = (Local *)backend;
  const ModelInfo *info = model_engine_info(local->engine);

  g_mutex_lock(&local->hash_lock);
  if (local->hasher) {
    g_thread_join(g_steal_pointer(&local->hasher));
  }
  g_mutex_unlock(&local->hash_lock);
  *model = (StoreModel){.name = info->name,
                        .sha256 = local->hash_ok ? local->sha256 : NULL,
                        .quantization = info->quantization,
                        .path = info->path,
                        .template_name = info->template_name};
  return local->hash_ok || app_error_from_model(error, &local->hash_error);
}

static const char *
local_name(AppBackend *backend)
{
  return model_engine_info(((Local *)backend)->engine)->name;
}

static guint
local_turns(AppBackend *backend)
{
  return model_session_turns(((Local *)backend)->session);
}

static gboolean
local_rewind(AppBackend *backend, guint turn, GError **error)
{
  ModelError failure = {0};

  return model_session_rewind(((Local *)backend)->session, turn, &failure) ||
         app_error_from_model(error, &failure);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void
on_progress(ModelPhase phase, uint32_t done, uint32_t total, void *user)
{
  static const char *const names[] = {"image", "prompt", "answer"};
  const AppBackendListener *listener = user;

  listener->progress(names[phase], done, total, listener->user);
}

static bool
on_token(const char *bytes, size_t length, int32_t id, void *user)
{
  const AppBackendListener *listener = user;

  return listener->text(bytes, length, listener->user);
}

static gboolean
local_ask(AppBackend *backend, const AppBackendQuestion *question,
          const AppBackendListener *listener, ModelAnswer *answer, char **why, GError **error)
{
  const ModelSampling sampling = {.temperature = (float)question->sampling.temperature,
                                  .top_p = (float)question->sampling.top_p,
                                  .seed = question->sampling.seed,
                                  .max_tokens = question->sampling.max_tokens};
  const ModelCallbacks callbacks = {
      .progress = on_progress, .token = on_token, .user = (gpointer)listener};
  ModelImage picture = {0};
  ModelError failure = {0};

  if (question->shot) {
    picture = app_shot_image(question->shot);
  }
  return model_session_ask(((Local *)backend)->session, question->shot ? &picture : NULL,
                           question->question, &sampling, &callbacks, answer, &failure) ||
         app_error_from_model(error, &failure);
}

static void
local_stop(AppBackend *backend)
{
  model_session_cancel(((Local *)backend)->session);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
local_free(AppBackend *backend)
{
  Local *local = (Local *)backend;

  if (local->hasher) {
    g_thread_join(local->hasher);
  }
  g_clear_pointer(&local->session, model_session_free);
  g_clear_pointer(&local->engine, model_engine_free);
  g_mutex_clear(&local->hash_lock);
  g_free(local);
}

static const AppBackendClass local_class = {.free = local_free,
                                            .describe = local_describe,
                                            .name = local_name,
                                            .turns = local_turns,
                                            .rewind = local_rewind,
                                            .ask = local_ask,
                                            .stop = local_stop};

AppBackend *
app_backend_local_new(const AppModelOptions *options, GError **error)
{
  Local *local = g_new0(Local, 1);
  g_autoptr(AppBackend) backend = &local->parent;
  const ModelSessionOptions session_options = app_session_options(options);
  ModelError failure = {0};

  local->parent.class = &local_class;
  g_mutex_init(&local->hash_lock);
  local->engine = app_engine_open(options, error);
  if (!local->engine) {
    return NULL;
  }
  local->session = model_session_new(local->engine, &session_options, &failure);
  if (!local->session) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  local->hasher = g_thread_new("model-hash", take_hash, local);
  return g_steal_pointer(&backend);
}
