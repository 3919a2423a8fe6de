/* remote-stream.c - from the bytes of a stream to the pieces of an answer. */
#include <string.h>

#include "remote.h"

/* ---- server-sent events ------------------------------------------------------------------- */

void
app_sse_init(AppSse *sse)
{
  *sse = (AppSse){.line = g_string_new(NULL), .data = g_string_new(NULL)};
}

void
app_sse_clear(AppSse *sse)
{
  g_string_free(sse->line, TRUE);
  g_string_free(sse->data, TRUE);
}

/* The value of the line's field when it is one of ours. llama.cpp's server says "error:" where
 * others say "data:". */
static const char *
field_value(const char *line)
{
  const char *value;

  if (g_str_has_prefix(line, "data")) {
    value = line + strlen("data");
  } else if (g_str_has_prefix(line, "error")) {
    value = line + strlen("error");
  } else {
    return NULL;
  }
  if (*value == '\0') {
    return value;
  }
  if (*value != ':') {
    return NULL;
  }
  return value[1] == ' ' ? value + 2 : value + 1;
}

static AppSseState
end_event(AppSse *sse, AppSseEvent event, gpointer user)
{
  gboolean go_on = TRUE;

  if (sse->has_data) {
    go_on = event(sse->data->str, sse->data->len, user);
  }
  g_string_truncate(sse->data, 0);
  sse->has_data = FALSE;
  return go_on ? APP_SSE_MORE : APP_SSE_ENOUGH;
}

static AppSseState
end_line(AppSse *sse, AppSseEvent event, gpointer user)
{
  const char *line = sse->line->str, *value;
  AppSseState state = APP_SSE_MORE;

  if (!sse->begun && g_str_has_prefix(line, "\xef\xbb\xbf")) {
    line += 3;
  }
  sse->begun = TRUE;
  value = field_value(line);
  if (*line == '\0') {
    state = end_event(sse, event, user);
  } else if (value) {
    gsize length = sse->line->len - (gsize)(value - sse->line->str);

    if (sse->data->len + length > APP_REMOTE_MAX_EVENT) {
      return APP_SSE_TOO_LONG;
    }
    if (sse->has_data) {
      g_string_append_c(sse->data, '\n');
    }
    g_string_append_len(sse->data, value, (gssize)length);
    sse->has_data = TRUE;
  }
  g_string_truncate(sse->line, 0);
  return state;
}

AppSseState
app_sse_feed(AppSse *sse, const char *bytes, gsize length, AppSseEvent event, gpointer user)
{
  AppSseState state = APP_SSE_MORE;

  for (gsize i = 0; i < length && state == APP_SSE_MORE;) {
    const char *rest = bytes + i;
    gsize n = 0;

    if (sse->after_cr && *rest == '\n') {
      sse->after_cr = FALSE;
      i++;
      continue;
    }
    sse->after_cr = FALSE;
    while (i + n < length && rest[n] != '\n' && rest[n] != '\r') {
      n++;
    }
    if (sse->line->len + n > APP_REMOTE_MAX_EVENT) {
      return APP_SSE_TOO_LONG;
    }
    g_string_append_len(sse->line, rest, (gssize)n);
    i += n;
    if (i < length) {
      sse->after_cr = bytes[i] == '\r';
      i++;
      state = end_line(sse, event, user);
    }
  }
  return state;
}

AppSseState
app_sse_end(AppSse *sse, AppSseEvent event, gpointer user)
{
  AppSseState state = sse->line->len > 0 ? end_line(sse, event, user) : APP_SSE_MORE;

  return state == APP_SSE_MORE ? end_event(sse, event, user) : state;
}

/* ---- chat completions --------------------------------------------------------------------- */

void
app_remote_chunk_clear(AppRemoteChunk *chunk)
{
  g_clear_pointer(&chunk->text, g_free);
  g_clear_pointer(&chunk->model, g_free);
  g_clear_pointer(&chunk->finish, g_free);
  g_clear_pointer(&chunk->failure, g_free);
  app_remote_tokens_clear(&chunk->tokens);
}

static JsonObject *
get_object(JsonObject *object, const char *member)
{
  JsonNode *node = object ? json_object_get_member(object, member) : NULL;

  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static guint
get_count(JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member(object, member);
  gint64 value = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;

  return (guint)CLAMP(value, 0, G_MAXINT32);
}

static gboolean
has_value(JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member(object, member);

  return node && !JSON_NODE_HOLDS_NULL(node);
}

/* Choice 0 of the event; NULL where it has none, as in the one that tells the usage alone. */
static JsonObject *
first_choice(JsonObject *object)
{
  JsonNode *node = json_object_get_member(object, "choices");
  JsonArray *choices = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  guint n = choices ? json_array_get_length(choices) : 0;

  for (guint i = 0; i < n; i++) {
    JsonNode *element = json_array_get_element(choices, i);
    if (JSON_NODE_HOLDS_OBJECT(element)) {
      JsonObject *choice = json_node_get_object(element);
      if (!json_object_has_member(choice, "index") || get_count(choice, "index") == 0) {
        return choice;
      }
    }
  }
  return NULL;
}

gboolean
app_remote_chunk_read(const char *data, gsize length, AppRemoteChunk *chunk, GError **error)
{
  g_autoptr(JsonObject) object = app_json_object_read(data, length, error);
  JsonObject *choice, *delta, *usage;
  const char *text;

  if (!object) {
    return FALSE;
  }
  if (has_value(object, "error")) {
    chunk->failure = app_remote_complaint(data, length, NULL);
    chunk->failure = chunk->failure ? chunk->failure : g_strdup("");
    return TRUE;
  }
  if (!json_object_has_member(object, "choices")) {
    /* llama.cpp's older "error:" field holds the error itself. */
    chunk->failure = app_remote_complaint(data, length, NULL);
    if (!chunk->failure) {
      g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, "neither \"choices\" nor \"error\"");
    }
    return chunk->failure != NULL;
  }
  chunk->model = g_strdup(app_json_get_text(object, "model"));
  choice = first_choice(object);
  if (choice) {
    delta = get_object(choice, "delta");
    text = delta ? app_json_get_text(delta, "content") : NULL;
    chunk->text = text && *text ? g_strdup(text) : NULL;
    chunk->finish = g_strdup(app_json_get_text(choice, "finish_reason"));
    app_remote_tokens_read(&chunk->tokens, choice);
  }
  usage = get_object(object, "usage");
  if (usage) {
    chunk->has_usage = TRUE;
    chunk->prompt_tokens = get_count(usage, "prompt_tokens");
    chunk->answer_tokens = get_count(usage, "completion_tokens");
  }
  return TRUE;
}
