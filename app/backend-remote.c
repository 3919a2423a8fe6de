/* backend-remote.c - a conversation with a model on a server that speaks OpenAI's chat completions.
 *
 * 1. `turns` is what was said and answered; it grows only by an answer, whole or broken off.
 * 2. `picture` is the one that was compressed last, and need not be in the conversation any more.
 */
#include "backend.h"

#include <math.h>
#include <string.h>

#include "remote-hearing.h"

/* A server that is there answers within this; one behind a busy router, too. */
#define CONNECT_MS 10000u
/* A long queue, a cold model, a large picture on slow processors. */
#define FIRST_BYTE_MS 300000u
/* Between two words. */
#define IDLE_MS 60000u
#define MAX_TIMEOUT_S 86400u

typedef struct {
  AppBackend parent;
  AppRemoteAddress address;
  AppHttp *http;
  char *key;       /* NULL: none */
  char *requested; /* the model, as the user calls it */
  char *reported;  /* as the server does; NULL: it has not answered yet */

  GPtrArray *turns; /* of AppRemoteTurn */
  GBytes *picture;  /* PNG */
  char *picture_sha256;
  AppRemoteOptions options; /* as they were given; strings are owned */
  gboolean no_logprobs;     /* the server does not like to be asked for them */
} Remote;

/* SHOT (not NULL) as PNG; the same as before is not compressed again. */
static gboolean
take_picture(Remote *remote, const AppShot *shot, GError **error)
{
  if (remote->picture && strcmp(remote->picture_sha256, shot->sent_sha256) == 0) {
    return TRUE;
  }
  g_clear_pointer(&remote->picture, g_bytes_unref);
  g_clear_pointer(&remote->picture_sha256, g_free);
  remote->picture = dicom_picture_png(shot->picture, error);
  if (!remote->picture) {
    return FALSE;
  }
  remote->picture_sha256 = g_strdup(shot->sent_sha256);
  if (g_bytes_get_size(remote->picture) > APP_REMOTE_MAX_PICTURE) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "the picture has %" G_GSIZE_FORMAT " bytes as PNG; at most %u are sent",
                g_bytes_get_size(remote->picture), APP_REMOTE_MAX_PICTURE);
    g_clear_pointer(&remote->picture, g_bytes_unref);
    return FALSE;
  }
  return TRUE;
}

/* ---- the answer --------------------------------------------------------------------------- */

/* All texts of the request, which no message may repeat; ends with NULL. Borrowed. */
static GPtrArray *
sent_texts(const Remote *remote, const char *question)
{
  GPtrArray *texts = g_ptr_array_new();

  for (guint i = 0; i < remote->turns->len; i++) {
    const AppRemoteTurn *turn = remote->turns->pdata[i];
    g_ptr_array_add(texts, turn->question);
    g_ptr_array_add(texts, turn->answer);
  }
  g_ptr_array_add(texts, (gpointer)question);
  g_ptr_array_add(texts, NULL);
  return texts;
}

/* ---- what became of it -------------------------------------------------------------------- */

/* The server answered, but not with a stream. */
static void
complain(const Remote *remote, AppRemoteHearing *hearing, const AppHttpHead *head,
         const char *const *sent)
{
  g_autofree char *raw =
      app_remote_complaint(hearing->complaint->str, hearing->complaint->len, head->content_type);
  g_autofree char *said = raw ? app_remote_repeatable(raw, remote->key, sent) : NULL;
  const char *between = said ? ": " : "";

  if (head->status >= 300 && head->status < 400) {
    app_remote_hearing_fail(hearing,
                            "HTTP %u, the server sends on to another address, and pictures are not "
                            "sent after it; name that address yourself",
                            head->status);
  } else if (head->status == 200) {
    app_remote_hearing_fail(
        hearing, "answered with %s and not with a stream of chat completions%s%s",
        strcmp(head->content_type, "text/html") == 0 ? "a web page" : head->content_type, between,
        said ? said : "");
  } else {
    app_remote_hearing_fail(hearing, "HTTP %u, %s%s%s", head->status,
                            app_remote_status_text(head->status, remote->key != NULL), between,
                            said ? said : "");
  }
}

/* Whether all of it came. Else hearing->failure says why not. */
static gboolean
is_whole(const Remote *remote, AppRemoteHearing *hearing, const AppHttpHead *head,
         const char *const *sent)
{
  if (hearing->failure) {
    return FALSE;
  }
  if (hearing->last.failure) {
    g_autofree char *said = app_remote_repeatable(hearing->last.failure, remote->key, sent);
    app_remote_hearing_fail(hearing, "the server failed%s%s", said ? ": " : "", said ? said : "");
    return FALSE;
  }
  if (hearing->done || hearing->last.finish) {
    return TRUE;
  }
  if (!app_remote_is_stream(head)) {
    complain(remote, hearing, head, sent);
  } else if (hearing->text->len > 0) {
    app_remote_hearing_fail(hearing, "the connection broke off within the answer");
  } else {
    app_remote_hearing_fail(hearing, "answered with nothing that is a chat completion");
  }
  return FALSE;
}

/* In the words of a model that runs here, as far as the server's have the same meaning. */
static const char *
stop_of(const AppRemoteHearing *hearing, guint max_tokens)
{
  const char *finish = hearing->last.finish;

  if (finish && strcmp(finish, "length") == 0) {
    return hearing->last.has_usage && hearing->last.answer_tokens < max_tokens ? "context"
                                                                               : "max-tokens";
  }
  if (finish && strcmp(finish, "content_filter") == 0) {
    return "content-filter";
  }
  return "eos";
}

/* What the server does not tell is not-a-number. */
static void
fill_answer(const AppRemoteHearing *hearing, const char *stop, ModelAnswer *answer)
{
  *answer = (ModelAnswer){.text = strdup(hearing->text->str), .stop = stop};
  answer->timing = (ModelTiming){.image_s = NAN,
                                 .prompt_s = NAN,
                                 .first_token_s = NAN,
                                 .answer_s = NAN,
                                 .prompt_tokens = hearing->last.prompt_tokens,
                                 .answer_tokens = hearing->last.answer_tokens};
  app_remote_tokens_fill(&hearing->tokens, answer);
  if (hearing->first > 0) {
    answer->timing.first_token_s = (double)(hearing->first - hearing->begun) / G_USEC_PER_SEC;
    answer->timing.answer_s = (double)(hearing->latest - hearing->first) / G_USEC_PER_SEC;
  }
}

/* PICTURE: that joined with QUESTION, or NULL. */
static void
add_turn(Remote *remote, const char *question, const char *answer, GBytes *picture)
{
  AppRemoteTurn *turn = g_new(AppRemoteTurn, 1);

  *turn =
      (AppRemoteTurn){g_strdup(question), g_strdup(answer), picture ? g_bytes_ref(picture) : NULL};
  g_ptr_array_add(remote->turns, turn);
}

/* The request is over, with the error FAILED or without. */
static gboolean
conclude(Remote *remote, AppRemoteHearing *hearing, const AppBackendQuestion *question,
         const AppHttpHead *head, GError *failed, ModelAnswer *answer, char **why, GError **error)
{
  g_autoptr(GPtrArray) sent = sent_texts(remote, question->question);
  gboolean stopped = !hearing->done &&
                     (hearing->stopped || g_error_matches(failed, APP_ERROR, APP_ERROR_CANCELLED));
  gboolean told =
      head->status > 0 && !app_remote_is_stream(head); /* an error that was cut short is one */
  const char *stop = NULL;

  if (!hearing->failure && failed && !told && !hearing->done && !hearing->last.finish) {
    hearing->failure = g_error_copy(failed);
  }
  if (stopped) {
    stop = "cancelled";
  } else if (is_whole(remote, hearing, head, (const char *const *)sent->pdata)) {
    stop = stop_of(hearing, question->sampling.max_tokens);
  } else if (hearing->text->len > 0) {
    stop = "interrupted";
    *why = g_strdup(hearing->failure->message);
  } else {
    g_propagate_error(error, g_steal_pointer(&hearing->failure));
    return FALSE;
  }
  if (stopped && hearing->text->len == 0) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped before anything was said");
    return FALSE;
  }
  fill_answer(hearing, stop, answer);
  add_turn(remote, question->question, hearing->text->str, question->shot ? remote->picture : NULL);
  return TRUE;
}

static void
post(Remote *remote, AppRemoteHearing *hearing, const AppBackendQuestion *question,
     AppHttpHead *head, GError **failed)
{
  const AppHttpListener heard = {app_remote_hearing_sent, app_remote_hearing_data, hearing};
  GString *body =
      app_remote_body(remote->requested, remote->turns, question->shot ? remote->picture : NULL,
                      question->question, &question->sampling, !remote->no_logprobs);
  gboolean ok = app_http_post(remote->http, body->str, body->len, &heard, head, failed);

  g_string_free(body, TRUE);
  if (ok && app_remote_is_stream(head) && !hearing->done && !hearing->failure &&
      !hearing->stopped) {
    app_sse_end(&hearing->sse, app_remote_hearing_event, hearing);
  }
}

/* Whether the server refused the request for asking how likely its tokens are. */
static gboolean
dislikes_logprobs(const Remote *remote, const AppRemoteHearing *hearing, const AppHttpHead *head)
{
  return !remote->no_logprobs && (head->status == 400 || head->status == 422) &&
         strstr(hearing->complaint->str, "logprob") != NULL;
}

static gboolean
remote_ask(AppBackend *backend, const AppBackendQuestion *question,
           const AppBackendListener *listener, ModelAnswer *answer, char **why, GError **error)
{
  Remote *remote = (Remote *)backend;
  AppRemoteHearing hearing = {
      .host = remote->address.host, .listener = listener, .begun = g_get_monotonic_time()};
  AppHttpHead head = {0};
  g_autoptr(GError) failed = NULL;
  gboolean ok;

  if (question->shot && !take_picture(remote, question->shot, error)) {
    return FALSE;
  }
  app_http_begin(remote->http);
  listener->progress("sending", 0, 100, listener->user); /* which may stop it again */
  app_remote_hearing_init(&hearing);
  post(remote, &hearing, question, &head, &failed);
  if (dislikes_logprobs(remote, &hearing, &head)) {
    remote->no_logprobs = TRUE;
    g_clear_error(&failed);
    app_remote_hearing_clear(&hearing);
    hearing = (AppRemoteHearing){
        .host = remote->address.host, .listener = listener, .begun = hearing.begun};
    app_remote_hearing_init(&hearing);
    head = (AppHttpHead){0};
    post(remote, &hearing, question, &head, &failed);
  }
  if (hearing.model) {
    g_free(remote->reported);
    remote->reported = g_steal_pointer(&hearing.model);
  }
  ok = conclude(remote, &hearing, question, &head, failed, answer, why, error);
  app_remote_hearing_clear(&hearing);
  return ok;
}

/* ---- the rest of the table ---------------------------------------------------------------- */

static const char *
remote_name(AppBackend *backend)
{
  const Remote *remote = (Remote *)backend;

  return remote->reported ? remote->reported : remote->requested;
}

static gboolean
remote_describe(AppBackend *backend, StoreModel *model, GError **error)
{
  *model = (StoreModel){.name = remote_name(backend), .engine = ((Remote *)backend)->address.base};
  return TRUE;
}

/* Another may answer in the end, which the turns tell. */
static void
remote_tell(AppBackend *backend, AppBackendTold told, gpointer user)
{
  StoreModel model;

  remote_describe(backend, &model, NULL);
  told(&model, user);
}

static guint
remote_turns(AppBackend *backend)
{
  return ((Remote *)backend)->turns->len;
}

static gboolean
remote_rewind(AppBackend *backend, guint turn, GError **error)
{
  g_ptr_array_set_size(((Remote *)backend)->turns, (int)turn);
  return TRUE;
}

static void
remote_stop(AppBackend *backend)
{
  app_http_stop(((Remote *)backend)->http);
}

/* The server has its own way with it. */
static AppPicture *
remote_see(AppBackend *backend, const AppShot *shot, GError **error)
{
  const DicomPicture *sent = shot->picture;
  AppPicture *picture = g_new(AppPicture, 1);

  *picture = (AppPicture){sent->width, sent->height,
                          g_memdup2(sent->pixels, 3 * (gsize)sent->width * sent->height)};
  return picture;
}

static gboolean
remote_recite(AppBackend *backend, const AppShot *shot, const char *question, const char *answer,
              const gint32 *ids, gsize n_ids, GError **error)
{
  Remote *remote = (Remote *)backend;

  if (shot && !take_picture(remote, shot, error)) {
    return FALSE;
  }
  add_turn(remote, question, answer, shot ? remote->picture : NULL);
  return TRUE;
}

static AppBackend *
remote_another(AppBackend *backend, const AppShot *first, guint more, GError **error)
{
  const Remote *remote = (Remote *)backend;
  AppBackend *another = app_backend_remote_new(&remote->options, error);

  if (another) {
    ((Remote *)another)->no_logprobs = remote->no_logprobs;
  }
  return another;
}

static void
remote_free(AppBackend *backend)
{
  Remote *remote = (Remote *)backend;

  g_clear_pointer(&remote->http, app_http_free);
  app_remote_address_clear(&remote->address);
  g_free(remote->key);
  g_free(remote->requested);
  g_free(remote->reported);
  g_ptr_array_unref(remote->turns);
  g_clear_pointer(&remote->picture, g_bytes_unref);
  g_free(remote->picture_sha256);
  g_free((gpointer)remote->options.url);
  g_free((gpointer)remote->options.model);
  g_free((gpointer)remote->options.ca_file);
  g_free((gpointer)remote->options.proxy);
  g_free(remote);
}

static const AppBackendClass remote_class = {.free = remote_free,
                                             .describe = remote_describe,
                                             .tell = remote_tell,
                                             .name = remote_name,
                                             .turns = remote_turns,
                                             .rewind = remote_rewind,
                                             .ask = remote_ask,
                                             .stop = remote_stop,
                                             .see = remote_see,
                                             .recite = remote_recite,
                                             .another = remote_another};

static AppHttp *
make_http(const Remote *remote, const AppRemoteOptions *options, GError **error)
{
  guint limit_ms = MIN(options->timeout_s, MAX_TIMEOUT_S) * 1000;
  const AppHttpOptions http = {.url = remote->address.endpoint,
                               .host = remote->address.host,
                               .key = remote->key,
                               .ca_file = options->ca_file,
                               .proxy = remote->address.loopback ? NULL : options->proxy,
                               .loopback_only = remote->address.loopback,
                               .connect_ms = limit_ms ? MIN(limit_ms, CONNECT_MS) : CONNECT_MS,
                               .first_byte_ms = limit_ms ? limit_ms : FIRST_BYTE_MS,
                               .idle_ms = limit_ms ? limit_ms : IDLE_MS};

  return app_http_new(&http, error);
}

AppBackend *
app_backend_remote_new(const AppRemoteOptions *options, GError **error)
{
  Remote *remote = g_new0(Remote, 1);
  g_autoptr(AppBackend) backend = &remote->parent;
  g_autofree char *host = app_remote_host(options, error);

  remote->parent.class = &remote_class;
  remote->turns = g_ptr_array_new_with_free_func(app_remote_turn_free);
  if (!host || !app_remote_address_parse(options, &remote->address, error) ||
      !app_remote_key(options, &remote->key, error)) {
    return NULL;
  }
  remote->requested = g_strdup(options->model);
  remote->options = *options;
  remote->options.url = g_strdup(options->url);
  remote->options.model = g_strdup(options->model);
  remote->options.ca_file = g_strdup(options->ca_file);
  remote->options.proxy = g_strdup(options->proxy);
  remote->http = make_http(remote, options, error);
  return remote->http ? g_steal_pointer(&backend) : NULL;
}
