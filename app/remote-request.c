/* remote-request.c - what goes to the server: a chat completion, streamed.
 *
 * The server remembers nothing: each question goes there with all turns before it and the picture.
 * The server's own template is used, and no system prompt.
 */
#include <string.h>

#include "remote.h"

void
app_remote_turn_free(gpointer data)
{
  AppRemoteTurn *turn = data;

  g_free(turn->question);
  g_free(turn->answer);
  g_clear_pointer(&turn->picture, g_bytes_unref);
  g_free(turn);
}

static void
append_text(GString *body, const char *text)
{
  g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);
  g_autofree char *json = app_json_text(node);

  g_string_append(body, json);
}

static void
append_base64(GString *body, GBytes *bytes)
{
  gsize n = 0, at = body->len;
  const guchar *in = g_bytes_get_data(bytes, &n);
  int state = 0, save = 0;

  g_string_set_size(body, at + (n / 3 + 1) * 4 + 4);
  at += g_base64_encode_step(in, n, FALSE, body->str + at, &state, &save);
  at += g_base64_encode_close(FALSE, body->str + at, &state, &save);
  g_string_set_size(body, at);
}

static void
append_message(GString *body, const char *role, const char *text, GBytes *picture)
{
  g_string_append_printf(body, "{\"role\": \"%s\", \"content\": ", role);
  if (picture) {
    g_string_append(body, "[{\"type\": \"image_url\", \"image_url\": {\"url\": "
                          "\"data:image/png;base64,");
    append_base64(body, picture);
    g_string_append(body, "\"}}, {\"type\": \"text\", \"text\": ");
    append_text(body, text);
    g_string_append(body, "}]}");
  } else {
    append_text(body, text);
    g_string_append_c(body, '}');
  }
}

/* Everything but the messages, which would make json-glib hold the picture twice. */
static void
append_settings(GString *body, const char *model, const AppSampling *sampling, gboolean logprobs)
{
  JsonObject *object = json_object_new(), *options = json_object_new();
  g_autoptr(JsonNode) node = app_json_node(object);
  g_autofree char *json = NULL;

  json_object_set_string_member(object, "model", model);
  json_object_set_boolean_member(object, "stream", TRUE);
  json_object_set_boolean_member(options, "include_usage", TRUE);
  json_object_set_object_member(object, "stream_options", options);
  json_object_set_double_member(object, "temperature", sampling->temperature);
  json_object_set_double_member(object, "top_p", sampling->top_p);
  /* Servers take it as a signed number. */
  json_object_set_int_member(object, "seed", (gint64)(sampling->seed & G_MAXINT64));
  json_object_set_int_member(object, "max_tokens", sampling->max_tokens);
  if (logprobs) {
    json_object_set_boolean_member(object, "logprobs", TRUE);
  }
  json = app_json_text(node);
  g_string_append_len(body, json, (gssize)strlen(json) - 1); /* the brace is still to come */
}

GString *
app_remote_body(const char *model, GPtrArray *turns, GBytes *picture, const char *question,
                const AppSampling *sampling, gboolean logprobs)
{
  GString *body = g_string_new(NULL);

  append_settings(body, model, sampling, logprobs);
  g_string_append(body, ", \"messages\": [");
  for (guint i = 0; i < turns->len; i++) {
    const AppRemoteTurn *turn = turns->pdata[i];

    append_message(body, "user", turn->question, turn->picture);
    g_string_append(body, ", ");
    append_message(body, "assistant", turn->answer, NULL);
    g_string_append(body, ", ");
  }
  append_message(body, "user", question, picture);
  g_string_append(body, "]}");
  return body;
}
