/* backend-local.c - a conversation with the model in this program.
 *
 * The model's SHA-256 is taken on a thread of its own, beside the first answer.
 */
#include "backend.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Positions of a session's own choice (model.h), and what a template says besides, generously. */
#define DEFAULT_CONTEXT 4096u
#define SLACK 64u

typedef struct {
  AppBackend parent;
  ModelEngine *engine;
  ModelSession *session;
  gboolean is_guest; /* the engine is another's */
  ModelSessionOptions options;
  GCancellable *opening; /* owned; or NULL */
  gint closing;          /* atomic: whoever reads the whole file reads in vain */
  AppCache *cache;       /* NULL: nothing is kept on disk */
  char picture[65];      /* key of the picture that may not be on disk yet; "": none */

  GMutex hash_lock;
  GThread *hasher; /* NULL once it was joined */
  gboolean hash_ok;
  char sha256[65];
  ModelError hash_error;
  GMutex told_lock; /* of the next three */
  gboolean hashed;
  AppBackendTold told;
  gpointer told_user;
} Local;

static bool
is_wanted(void *user)
{
  Local *local = user;

  return !g_cancellable_is_cancelled(local->opening) && !g_atomic_int_get(&local->closing);
}

static StoreModel
model_of(const Local *local)
{
  const ModelInfo *info = model_engine_info(local->engine);

  return (StoreModel){.name = info->name,
                      .sha256 = local->hash_ok ? local->sha256 : NULL,
                      .quantization = info->quantization,
                      .path = info->path,
                      .template_name = info->template_name};
}

/* With the lock: tells whoever waits, once. */
static void
tell_hash(Local *local)
{
  const StoreModel model = model_of(local);

  if (local->told && local->hashed) {
    local->told(&model, local->told_user);
    local->told = NULL;
  }
}

static gpointer
take_hash(gpointer data)
{
  Local *local = data;

  local->hash_ok = model_engine_sha256(local->engine, local->sha256, &local->hash_error);
  g_mutex_lock(&local->told_lock);
  local->hashed = TRUE;
  tell_hash(local);
  g_mutex_unlock(&local->told_lock);
  return NULL;
}

static void
local_tell(AppBackend *backend, AppBackendTold told, gpointer user)
{
  Local *local = (Local *)backend;

  g_mutex_lock(&local->told_lock);
  local->told = told;
  local->told_user = user;
  tell_hash(local);
  g_mutex_unlock(&local->told_lock);
}

static gboolean
local_describe(AppBackend *backend, StoreModel *model, GError **error)
{
  Local *local = (Local *)backend;

  g_mutex_lock(&local->hash_lock);
  if (local->hasher) {
    g_thread_join(g_steal_pointer(&local->hasher));
  }
  g_mutex_unlock(&local->hash_lock);
  /* A hash of what is no longer there would be a lie in the log. */
  if (app_engine_is_lost(local->engine, error)) {
    return FALSE;
  }
  *model = model_of(local);
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

/* ---- from one day to the next -------------------------------------------------------------- */

static bool
read_state(void *bytes, size_t n, void *user)
{
  return app_cache_get(user, bytes, n);
}

static bool
write_state(const void *bytes, size_t n, void *user)
{
  return app_cache_add(user, bytes, n);
}

/* What was computed behind PICTURE on another day, into the session. */
static gboolean
recall_state(Local *local, const char *picture)
{
  ModelError failure = {0};
  char key[65];
  g_autoptr(AppCacheReader) reader = NULL;
  gsize n;
  gboolean ok;

  model_session_state_key(local->session, picture, key);
  reader = app_cache_read(local->cache, APP_CACHE_STATE, key, &n);
  if (!reader) {
    return FALSE;
  }
  ok = model_session_restore(local->session, read_state, reader, &failure);
  if (!ok && failure.code == MODEL_ERROR_CORRUPT) {
    app_cache_remove(local->cache, APP_CACHE_STATE, key);
  }
  return ok;
}

static void
recall_picture(Local *local, const char *picture)
{
  gsize n;
  g_autoptr(AppCacheReader) reader = app_cache_read(local->cache, APP_CACHE_PICTURE, picture, &n);
  g_autofree guint8 *bytes = NULL;

  if (!reader) {
    return;
  }
  if (n == model_picture_bytes(local->engine)) {
    bytes = g_try_malloc(n);
  }
  if (!bytes || !app_cache_get(reader, bytes, n) ||
      !model_picture_put(local->engine, picture, bytes, n, NULL)) {
    app_cache_remove(local->cache, APP_CACHE_PICTURE, picture);
  }
}

static void local_settle(AppBackend *backend);

/* Before IMAGE is asked about, now (ASKING) or perhaps, as the first of a conversation (ANEW) or in
 * one whose beginning must stay. */
static void
recall(Local *local, const ModelImage *image, gboolean asking, gboolean anew)
{
  char key[65];

  if (!local->cache || !model_picture_key(local->engine, image, key, NULL)) {
    return; /* what is wrong with it is said by who asks */
  }
  if (strcmp(local->picture, key) != 0) {
    local_settle(&local->parent);
  }
  if (asking) { /* what was only looked at is not kept on disk */
    memcpy(local->picture, key, sizeof key);
  }
  if (model_session_behind(local->session, key) == 0 && !(anew && recall_state(local, key)) &&
      !model_picture_is_kept(local->engine, key)) {
    recall_picture(local, key);
  }
}

static void
keep_picture(Local *local)
{
  const gsize n = model_picture_bytes(local->engine);
  g_autofree guint8 *bytes = NULL;
  AppCacheFile *file;

  if (app_cache_has(local->cache, APP_CACHE_PICTURE, local->picture) ||
      !model_picture_is_kept(local->engine, local->picture)) {
    return;
  }
  bytes = g_try_malloc(n);
  if (bytes && model_picture_take(local->engine, local->picture, bytes)) {
    file = app_cache_start(local->cache, APP_CACHE_PICTURE, local->picture, n);
    if (file) {
      app_cache_finish(file, app_cache_add(file, bytes, n));
    }
  }
}

static void
keep_state(Local *local)
{
  const guint behind = model_session_behind(local->session, local->picture);
  AppCacheFile *file;
  char key[65];

  model_session_state_key(local->session, local->picture, key);
  if (behind == 0 || app_cache_has(local->cache, APP_CACHE_STATE, key)) {
    return;
  }
  file = app_cache_start(local->cache, APP_CACHE_STATE, key,
                         model_session_state_bytes(local->session, behind));
  if (file) {
    app_cache_finish(file, model_session_save(local->session, behind, write_state, file, NULL));
  }
}

static void
local_settle(AppBackend *backend)
{
  Local *local = (Local *)backend;

  if (local->cache && local->picture[0]) {
    if (!app_engine_is_lost(local->engine, NULL)) {
      keep_picture(local);
      keep_state(local);
    }
    local->picture[0] = '\0';
  }
}

/* ---- asking ------------------------------------------------------------------------------- */

typedef struct {
  Local *local;
  const AppBackendListener *listener;
} Asking;

static void
on_progress(ModelPhase phase, uint32_t done, uint32_t total, void *user)
{
  static const char *const names[] = {"image", "prompt", "answer"};
  const Asking *asking = user;

  asking->listener->progress(names[phase], done, total, asking->listener->user);
}

/* TURNS were there before the question. An answer that was computed from what is lost is none. */
static gboolean
take_back_if_lost(Local *local, guint turns, ModelAnswer *answer, GError **error)
{
  if (!app_engine_is_lost(local->engine, error)) {
    return FALSE;
  }
  if (model_session_turns(local->session) > turns) {
    model_session_rewind(local->session, turns, NULL);
    model_answer_clear(answer);
  }
  return TRUE;
}

static bool
on_token(const char *bytes, size_t length, int32_t id, void *user)
{
  const Asking *asking = user;

  /* Nobody is to read what comes of weights that are gone. */
  return model_engine_is_intact(asking->local->engine) &&
         asking->listener->text(bytes, length, asking->listener->user);
}

static gboolean
local_ask(AppBackend *backend, const AppBackendQuestion *question,
          const AppBackendListener *listener, ModelAnswer *answer, char **why, GError **error)
{
  Local *local = (Local *)backend;
  const ModelSampling sampling = {.temperature = (float)question->sampling.temperature,
                                  .top_p = (float)question->sampling.top_p,
                                  .seed = question->sampling.seed,
                                  .max_tokens = question->sampling.max_tokens,
                                  .lookup = question->sampling.lookup};
  Asking asking = {local, listener};
  const ModelCallbacks callbacks = {.progress = on_progress, .token = on_token, .user = &asking};
  const guint turns = model_session_turns(local->session);
  ModelImage picture = {0};
  ModelError failure = {0};
  gboolean ok;

  if (app_engine_is_lost(local->engine, error)) {
    return FALSE;
  }
  if (question->shot) {
    picture = app_shot_image(question->shot);
    recall(local, &picture, TRUE, turns == 0);
  }
  ok = model_session_ask(local->session, question->shot ? &picture : NULL, question->question,
                         &sampling, &callbacks, answer, &failure);
  return !take_back_if_lost(local, turns, answer, error) &&
         (ok || app_error_from_model(error, &failure));
}

/* ---- saying again ------------------------------------------------------------------------- */

/* The ids that the model itself said, when they are those of ANSWER, else those of its text. */
static gboolean
ids_of(Local *local, const char *answer, const gint32 *ids, gsize n_ids, ModelIds *result,
       ModelError *failure)
{
  char *text = n_ids > 0 ? model_detokenize(local->engine, ids, n_ids, NULL) : NULL;
  gboolean ok = TRUE;

  if (text && strcmp(g_strchomp(text), answer) == 0) {
    result->ids = malloc(n_ids * sizeof *ids);
    ok = result->ids != NULL;
    result->n = result->capacity = ok ? n_ids : 0;
    if (ok) {
      memcpy(result->ids, ids, n_ids * sizeof *ids);
    }
  } else {
    ok = model_tokenize(local->engine, answer, strlen(answer), result, failure);
  }
  free(text);
  return ok;
}

static gboolean
local_recite(AppBackend *backend, const AppShot *shot, const char *question, const char *answer,
             const gint32 *ids, gsize n_ids, GError **error)
{
  Local *local = (Local *)backend;
  ModelIds said = {0};
  ModelImage picture = {0};
  ModelError failure = {0};
  gboolean ok;

  if (app_engine_is_lost(local->engine, error)) {
    return FALSE;
  }
  if (shot) {
    picture = app_shot_image(shot);
    recall(local, &picture, FALSE, model_session_turns(local->session) == 0);
  }
  ok = ids_of(local, answer, ids, n_ids, &said, &failure) &&
       model_session_recite(local->session, shot ? &picture : NULL, question, said.ids, said.n,
                            &failure);
  model_ids_clear(&said);
  return ok || app_error_from_model(error, &failure);
}

/* ---- beforehand --------------------------------------------------------------------------- */

static void
local_prepare(AppBackend *backend, const AppShot *shot, gboolean (*go_on)(gpointer user),
              gpointer user)
{
  Local *local = (Local *)backend;
  ModelImage picture = {0};
  uint32_t left = 1;

  if (shot) {
    picture = app_shot_image(shot);
    recall(local, &picture, FALSE, TRUE);
  }
  while (left > 0 && go_on(user) &&
         model_session_prepare(local->session, shot ? &picture : NULL, shot != NULL, NULL, &left,
                               NULL)) {
  }
}

static void
local_stop(AppBackend *backend)
{
  model_session_cancel(((Local *)backend)->session);
}

static AppPicture *
local_see(AppBackend *backend, const AppShot *shot, GError **error)
{
  const ModelImage image = app_shot_image(shot);
  ModelError failure = {0};
  AppPicture *picture;
  uint32_t side = 0;
  uint8_t *square = model_preprocess(((Local *)backend)->engine, &image, &side, &failure);

  if (!square) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  picture = g_new(AppPicture, 1);
  *picture = (AppPicture){side, side, g_memdup2(square, 3 * (gsize)side * side)};
  free(square);
  return picture;
}

static void
local_expect(AppBackend *backend, const char *text)
{
  /* It saves time at best: no memory for it is no failure. */
  model_session_expect(((Local *)backend)->session, text, strlen(text), NULL);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
local_free(AppBackend *backend)
{
  Local *local = (Local *)backend;

  g_atomic_int_set(&local->closing, 1);
  if (local->hasher) {
    g_thread_join(local->hasher);
  }
  if (local->session) {
    local_settle(backend);
  }
  if (local->is_guest) {
    local->engine = NULL;
  }
  g_clear_pointer(&local->cache, app_cache_free);
  g_clear_pointer(&local->session, model_session_free);
  g_clear_pointer(&local->engine, model_engine_free);
  g_clear_object(&local->opening);
  g_mutex_clear(&local->hash_lock);
  g_mutex_clear(&local->told_lock);
  g_free(local);
}

/* ---- another conversation ----------------------------------------------------------------- */

/* It saves time at best: where it fails, all is computed again. */
static void
take_over(Local *to, Local *from, const AppShot *first)
{
  const ModelImage picture = app_shot_image(first);
  char key[65];

  if (model_picture_key(from->engine, &picture, key, NULL)) {
    app_hand_over(from->session, to->session, model_session_behind(from->session, key));
  }
}

static AppBackend *
local_another(AppBackend *backend, const AppShot *first, guint more, GError **error)
{
  Local *from = (Local *)backend, *local = g_new0(Local, 1);
  g_autoptr(AppBackend) another = &local->parent;
  const ModelInfo *info = model_engine_info(from->engine);
  const guint64 needed = (guint64)model_session_positions(from->session) + more + SLACK;
  ModelError failure = {0};

  local->parent.class = from->parent.class;
  g_mutex_init(&local->hash_lock);
  g_mutex_init(&local->told_lock);
  local->engine = from->engine;
  local->is_guest = TRUE;
  local->options = from->options;
  /* No larger than the other, which it need not be: keys and values take most of the memory. */
  if (from->options.context == 0 || needed < from->options.context) {
    local->options.context = (uint32_t)MIN(needed, MIN(info->context, DEFAULT_CONTEXT));
  }
  local->session = model_session_new(local->engine, &local->options, &failure);
  if (!local->session) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  if (first) {
    take_over(local, from, first);
  }
  return g_steal_pointer(&another);
}

static const AppBackendClass local_class = {.free = local_free,
                                            .describe = local_describe,
                                            .tell = local_tell,
                                            .name = local_name,
                                            .turns = local_turns,
                                            .rewind = local_rewind,
                                            .ask = local_ask,
                                            .stop = local_stop,
                                            .prepare = local_prepare,
                                            .settle = local_settle,
                                            .see = local_see,
                                            .recite = local_recite,
                                            .another = local_another,
                                            .expect = local_expect};

AppBackend *
app_backend_local_new(const AppModelOptions *options, AppCache *cache, GError **error)
{
  Local *local = g_new0(Local, 1);
  g_autoptr(AppBackend) backend = &local->parent;
  ModelError failure = {0};

  local->parent.class = &local_class;
  local->cache = cache;
  local->options = app_session_options(options);
  g_mutex_init(&local->hash_lock);
  g_mutex_init(&local->told_lock);
  local->opening = options->cancellable ? g_object_ref(options->cancellable) : NULL;
  local->engine = app_engine_open_while(options, is_wanted, local, error);
  if (!local->engine) {
    return NULL;
  }
  local->session = model_session_new(local->engine, &local->options, &failure);
  if (!local->session) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  local->hasher = g_thread_new("model-hash", take_hash, local);
  return g_steal_pointer(&backend);
}
