/* remote-message.c - what a server says when it does not answer, fit to be shown.
 *
 * Three things are kept out of our errors: letters that steer a terminal or deceive, the key, and
 * what was asked. Servers quote all of them: a validation error repeats the request.
 */
#include <string.h>

#include "remote.h"

/* So many bytes in common are no chance. */
#define WINDOW 16
/* Texts shorter than this occur in any message. */
#define LEAST 4

/* ---- finding it --------------------------------------------------------------------------- */

static const char *
text_of(JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}

/* The shapes of OpenAI and llama.cpp {error: {message}}, Ollama {error}, vLLM's older ones
 * {message}, and FastAPI {detail} or {detail: [{msg}]}. */
static const char *
message_of(JsonObject *object)
{
  static const char *const names[] = {"error", "message", "detail"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    JsonNode *node = json_object_get_member(object, names[i]);
    const char *text = text_of(node);

    if (node && JSON_NODE_HOLDS_OBJECT(node)) {
      text = app_json_get_text(json_node_get_object(node), "message");
    } else if (node && JSON_NODE_HOLDS_ARRAY(node) &&
               json_array_get_length(json_node_get_array(node)) > 0) {
      JsonNode *first = json_array_get_element(json_node_get_array(node), 0);
      text = JSON_NODE_HOLDS_OBJECT(first) ? app_json_get_text(json_node_get_object(first), "msg")
                                           : NULL;
    }
    if (text && *text) {
      return text;
    }
  }
  return NULL;
}

char *
app_remote_complaint(const char *body, gsize length, const char *content_type)
{
  g_autoptr(JsonObject) object = app_json_object_read(body, length, NULL);

  if (object) {
    return g_strdup(message_of(object));
  }
  if (content_type && g_str_has_prefix(content_type, "text/plain")) {
    return g_strndup(body, length);
  }
  return NULL;
}

/* ---- making it fit to be shown ------------------------------------------------------------ */

char *
app_remote_printable(const char *message)
{
  g_autofree char *valid = g_utf8_make_valid(message, -1);
  g_autoptr(GString) text = g_string_new(NULL);
  guint n = 0;

  for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);

    if (g_unichar_isspace(c)) {
      if (text->len == 0 || text->str[text->len - 1] == ' ') {
        continue;
      }
      c = ' ';
    } else if (!g_unichar_isprint(c)) {
      c = '?';
    }
    if (++n > APP_REMOTE_MAX_MESSAGE) {
      g_string_append(text, "…");
      break;
    }
    g_string_append_unichar(text, c);
  }
  return g_strchomp(g_string_free(g_steal_pointer(&text), FALSE));
}

/* Whether MESSAGE holds WINDOW bytes of TEXT on end, or all of a shorter one. */
static gboolean
repeats(const char *message, const char *text)
{
  gsize n = strlen(message), whole = strlen(text), window = MIN(whole, WINDOW);

  if (window < LEAST || n < window) {
    return FALSE;
  }
  for (gsize i = 0; i + window <= n; i++) {
    if (memmem(text, whole, message + i, window)) {
      return TRUE;
    }
  }
  return FALSE;
}

char *
app_remote_repeatable(const char *message, const char *key, const char *const *sent)
{
  g_autofree char *shown = app_remote_printable(message);

  /* A key may come back with some of its letters starred out, which is the server's to do. */
  if (!*shown || strstr(message, "base64,") || (key && strstr(message, key)) ||
      (key && repeats(shown, key))) {
    return NULL;
  }
  for (; sent && *sent; sent++) {
    /* As it was sent, and as it looks on one line. */
    g_autofree char *flat = app_remote_printable(*sent);
    if (repeats(shown, *sent) || repeats(shown, flat)) {
      return NULL;
    }
  }
  return g_steal_pointer(&shown);
}

const char *
app_remote_status_text(guint status, gboolean has_key)
{
  switch (status) {
  case 400:
  case 422:
    return "the server does not take this question";
  case 401:
    return has_key ? "the server does not accept the key in HILUM_ENGINE_KEY"
                   : "the server wants a key, and HILUM_ENGINE_KEY is not set";
  case 403:
    return "the server does not allow this";
  case 404:
    return "the server knows no such address or model";
  case 413:
    return "the picture is too large for the server";
  case 429:
    return "the server has too many requests; try again later";
  case 502:
  case 503:
  case 504:
    return "the server is not ready; try again later";
  default:
    return status >= 500 ? "the server failed" : "the server refuses";
  }
}
