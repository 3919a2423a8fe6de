/* teacher-http.c - one question to a server, and what it says to it. */
#include "teacher-private.h"

#include <string.h>

#define CONNECT_MS 10000u
/* A whole answer is waited for: a long one, behind a queue. */
#define ANSWER_MS 300000u
#define MAX_TIMEOUT_S 86400u

/* ---- the request ---------------------------------------------------------------------------- */

GString *
app_teacher_body(const AppTeacher *teacher, const AppTeacherRequest *request, gboolean other_limit)
{
  const AppSampling *s = &teacher->options.sampling;
  JsonObject *o = json_object_new();
  JsonArray *messages = json_array_new();
  g_autoptr(JsonNode) node = app_json_node(o);
  g_autofree char *json = NULL;

  json_object_set_string_member(o, "model", teacher->options.remote.model);
  json_object_set_boolean_member(o, "stream", FALSE);
  if (other_limit) { /* such models take no other temperature than their own, either */
    json_object_set_int_member(o, "max_completion_tokens", s->max_tokens);
  } else {
    json_object_set_int_member(o, "max_tokens", s->max_tokens);
    json_object_set_double_member(o, "temperature", s->temperature);
    json_object_set_double_member(o, "top_p", s->top_p);
    json_object_set_int_member(o, "seed", (gint64)(s->seed & G_MAXINT64));
  }
  for (guint i = 0; request->messages && i < request->messages->len; i++) {
    const AppTeacherMessage *m = &g_array_index(request->messages, AppTeacherMessage, i);
    JsonObject *message = json_object_new();

    json_object_set_string_member(message, "role", m->role);
    json_object_set_string_member(message, "content", m->text);
    json_array_add_object_element(messages, message);
  }
  json_object_set_array_member(o, "messages", messages);
  json = app_json_text(node);
  return g_string_new(json);
}

/* ---- the reply ------------------------------------------------------------------------------ */

static void G_GNUC_PRINTF(3, 4)
    set(AppTeacherTry *attempt, AppTeacherOutcome outcome, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_free(attempt->why);
  attempt->why = g_strdup_vprintf(format, args);
  va_end(args);
  attempt->outcome = outcome;
}

static JsonObject *
get_object(JsonObject *object, const char *name)
{
  JsonNode *node = object ? json_object_get_member(object, name) : NULL;

  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static guint64
get_count(JsonObject *object, const char *name, gboolean *has)
{
  JsonNode *node = json_object_get_member(object, name);

  *has = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64 &&
         json_node_get_int(node) >= 0 && json_node_get_int(node) <= G_MAXINT32;
  return *has ? (guint64)json_node_get_int(node) : 0;
}

static JsonObject *
first_choice(JsonObject *object)
{
  JsonNode *node = json_object_get_member(object, "choices");
  JsonArray *choices = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  JsonNode *first =
      choices && json_array_get_length(choices) > 0 ? json_array_get_element(choices, 0) : NULL;

  return first && JSON_NODE_HOLDS_OBJECT(first) ? json_node_get_object(first) : NULL;
}

/* A text, or [{"type": "text", "text": ...}, ...]. NULL: neither. g_free(). */
static char *
content_of(JsonObject *message)
{
  JsonNode *node = json_object_get_member(message, "content");
  const char *text = app_json_get_text(message, "content");
  g_autoptr(GString) joined = NULL;
  JsonArray *parts;

  if (text || !node || !JSON_NODE_HOLDS_ARRAY(node)) {
    return g_strdup(text);
  }
  joined = g_string_new(NULL);
  parts = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(parts); i++) {
    JsonNode *part = json_array_get_element(parts, i);
    text =
        JSON_NODE_HOLDS_OBJECT(part) ? app_json_get_text(json_node_get_object(part), "text") : NULL;
    g_string_append(joined, text ? text : "");
  }
  return g_string_free(g_steal_pointer(&joined), FALSE);
}

static gboolean
is_blank(const char *text)
{
  for (; *text; text = g_utf8_next_char(text)) {
    if (!g_unichar_isspace(g_utf8_get_char(text))) {
      return FALSE;
    }
  }
  return TRUE;
}

static void
read_usage(JsonObject *object, AppTeacherTry *attempt)
{
  JsonObject *usage = get_object(object, "usage");
  gboolean in = FALSE, out = FALSE;

  if (usage) {
    attempt->tokens_in = get_count(usage, "prompt_tokens", &in);
    attempt->tokens_out = get_count(usage, "completion_tokens", &out);
  }
  attempt->has_usage = in && out;
}

static void
read_choice(JsonObject *choice, AppTeacherTry *attempt)
{
  JsonObject *message = get_object(choice, "message");
  const char *finish = app_json_get_text(choice, "finish_reason");
  g_autofree char *text = message ? content_of(message) : NULL;
  const char *refusal = message ? app_json_get_text(message, "refusal") : NULL;

  if (finish && strcmp(finish, "content_filter") == 0) {
    set(attempt, APP_TEACHER_FILTERED, "the server's filter took the answer");
  } else if (refusal && *refusal && !text) {
    set(attempt, APP_TEACHER_FILTERED, "the model refused");
  } else if (!message) {
    set(attempt, APP_TEACHER_NONSENSE, "a choice without a message");
  } else if (text && !g_utf8_validate(text, -1, NULL)) {
    set(attempt, APP_TEACHER_NONSENSE, "an answer with half a character in it");
  } else if (!text || is_blank(text)) {
    set(attempt, APP_TEACHER_EMPTY, "an answer without a word");
  } else if (strlen(text) > APP_TEACHER_MAX_TEXT) {
    set(attempt, APP_TEACHER_TOO_LONG, "an answer of %" G_GSIZE_FORMAT " bytes, more than %u",
        strlen(text), APP_TEACHER_MAX_TEXT);
  } else {
    attempt->outcome = APP_TEACHER_ANSWERED;
    attempt->text = g_steal_pointer(&text);
    attempt->is_cut = finish && strcmp(finish, "length") == 0;
  }
}

void
app_teacher_read_reply(const char *body, gsize n, const char *content_type, AppTeacherTry *attempt)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) object = NULL;
  const char *model;

  attempt->is_asked = TRUE;
  if (strcmp(content_type, "text/html") == 0) {
    set(attempt, APP_TEACHER_NONSENSE, "a web page");
    return;
  }
  while (n > 0 && app_json_is_blank(*body)) {
    body++;
    n--;
  }
  if (n == 0) {
    set(attempt, APP_TEACHER_NONSENSE, "nothing at all");
    return;
  }
  object = app_json_object_read(body, n, &error);
  if (!object) {
    set(attempt, APP_TEACHER_NONSENSE, "no JSON object (%s)", error->message);
    return;
  }
  model = app_json_get_text(object, "model");
  attempt->model = model ? app_remote_printable(model) : NULL;
  read_usage(object, attempt);
  if (get_object(object, "error") || app_json_get_text(object, "error")) {
    attempt->is_asked = FALSE;
    set(attempt, APP_TEACHER_FAILED, "the server failed");
  } else if (!first_choice(object)) {
    set(attempt, APP_TEACHER_NONSENSE, "JSON without a choice in it");
  } else {
    read_choice(first_choice(object), attempt);
  }
}

/* ---- one exchange --------------------------------------------------------------------------- */

typedef struct {
  GString *body;
  gboolean too_long;
} Heard;

static gboolean
on_data(const AppHttpHead *head, const char *bytes, gsize n, gpointer user)
{
  Heard *heard = user;
  const gsize most = head->status == 200 ? APP_TEACHER_MAX_REPLY : APP_REMOTE_MAX_COMPLAINT;

  heard->too_long = heard->body->len + n > most;
  g_string_append_len(heard->body, bytes, (gssize)MIN(n, most - heard->body->len));
  return !heard->too_long;
}

static void
on_sent(gsize done, gsize total, gpointer user)
{
}

/* The server's words, if they may be repeated: they must hold neither key nor question. */
static char *
complaint(const AppTeacher *teacher, const AppTeacherRequest *request, const GString *body,
          const AppHttpHead *head)
{
  g_autofree char *raw = app_remote_complaint(body->str, body->len, head->content_type);
  g_autoptr(GPtrArray) sent = g_ptr_array_new();

  for (guint i = 0; request->messages && i < request->messages->len; i++) {
    g_ptr_array_add(sent, g_array_index(request->messages, AppTeacherMessage, i).text);
  }
  g_ptr_array_add(sent, NULL);
  return raw ? app_remote_repeatable(raw, teacher->bearer, (const char *const *)sent->pdata) : NULL;
}

static AppTeacherOutcome
outcome_of(guint status, const GString *body)
{
  switch (status) {
  case 401:
  case 402:
  case 403:
  case 404:
    return APP_TEACHER_DENIED;
  case 408:
  case 409:
  case 425:
    return APP_TEACHER_FAILED;
  case 429:
    /* An account without money, which no waiting fills. */
    return strstr(body->str, "insufficient_quota") ? APP_TEACHER_DENIED : APP_TEACHER_BUSY;
  default:
    return status >= 500                   ? APP_TEACHER_FAILED
           : status >= 300 && status < 400 ? APP_TEACHER_DENIED
                                           : APP_TEACHER_REFUSED;
  }
}

static const char *
status_text(const AppTeacher *teacher, guint status)
{
  switch (status) {
  case 401:
    return teacher->bearer ? "the server does not accept the key"
                           : "the server wants a key, and the environment has none";
  case 402:
    return "the server wants to be paid";
  case 413:
    return "the question is too large for the server";
  default:
    return status >= 300 && status < 400
               ? "the server sends on to another address, which must be named itself"
               : app_remote_status_text(status, teacher->bearer != NULL);
  }
}

static void
read_status(const AppTeacher *teacher, const AppTeacherRequest *request, const GString *body,
            const AppHttpHead *head, gboolean other_limit, AppTeacherTry *attempt)
{
  g_autofree char *said = complaint(teacher, request, body, head);

  set(attempt, outcome_of(head->status, body), "HTTP %u, %s%s%s", head->status,
      status_text(teacher, head->status), said ? ": " : "", said ? said : "");
  attempt->wait_s = head->retry_after_s;
  attempt->other_limit =
      head->status == 400 && !other_limit && strstr(body->str, "max_completion_tokens") != NULL;
}

void
app_teacher_http_try(AppTeacherWorker *worker, const AppTeacherRequest *request,
                     AppTeacherTry *attempt)
{
  AppTeacher *teacher = worker->teacher;
  Heard heard = {.body = g_string_new(NULL)};
  const AppHttpListener listener = {on_sent, on_data, &heard};
  AppHttpHead head = {0};
  g_autoptr(GError) error = NULL;
  gboolean other_limit, ok = FALSE;
  GString *body;

  g_mutex_lock(&teacher->lock);
  other_limit = teacher->other_limit;
  g_mutex_unlock(&teacher->lock);
  body = app_teacher_body(teacher, request, other_limit);
  app_http_begin(worker->http);
  if (!g_atomic_int_get(&teacher->halt)) { /* set before app_http_stop() */
    ok = app_http_post(worker->http, body->str, body->len, &listener, &head, &error);
  }
  g_string_free(body, TRUE);
  if (!ok && (!error || g_error_matches(error, APP_ERROR, APP_ERROR_CANCELLED))) {
    set(attempt, APP_TEACHER_NOT_ASKED, "stopped");
  } else if (!ok) {
    set(attempt, head.is_silent ? APP_TEACHER_SILENT : APP_TEACHER_CONNECTION, "%s",
        error->message);
  } else if (head.status != 200) {
    read_status(teacher, request, heard.body, &head, other_limit, attempt);
  } else if (heard.too_long) {
    attempt->is_asked = TRUE;
    set(attempt, APP_TEACHER_TOO_LONG, "a reply of more than %u bytes", APP_TEACHER_MAX_REPLY);
  } else {
    app_teacher_read_reply(heard.body->str, heard.body->len, head.content_type, attempt);
  }
  g_string_free(heard.body, TRUE);
}

AppHttp *
app_teacher_http_new(const AppTeacher *teacher, GError **error)
{
  const AppRemoteOptions *remote = &teacher->options.remote;
  const guint limit_ms = MIN(remote->timeout_s, MAX_TIMEOUT_S) * 1000;
  const AppHttpOptions http = {.url = teacher->address.endpoint,
                               .host = teacher->address.host,
                               .key = teacher->bearer,
                               .ca_file = remote->ca_file,
                               .proxy = teacher->address.loopback ? NULL : remote->proxy,
                               .role = remote->role,
                               .accept = "application/json",
                               .loopback_only = teacher->address.loopback,
                               .connect_ms = limit_ms ? MIN(limit_ms, CONNECT_MS) : CONNECT_MS,
                               .first_byte_ms = limit_ms ? limit_ms : ANSWER_MS,
                               .idle_ms = limit_ms ? limit_ms : ANSWER_MS};

  return app_http_new(&http, error);
}
