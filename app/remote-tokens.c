/* remote-tokens.c - how likely a server's model held each piece of its answer.
 *
 * A server says what bytes its tokens have; nothing of it is believed further than that the answer
 * that it streamed is made of them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "remote.h"

void
app_remote_tokens_init(AppRemoteTokens *tokens)
{
  *tokens =
      (AppRemoteTokens){g_string_new(NULL), g_array_new(FALSE, FALSE, sizeof(ModelAnswerPiece))};
}

void
app_remote_tokens_clear(AppRemoteTokens *tokens)
{
  if (tokens->bytes) {
    g_string_free(tokens->bytes, TRUE);
    g_array_unref(tokens->ends);
  }
  *tokens = (AppRemoteTokens){0};
}

void
app_remote_tokens_append(AppRemoteTokens *to, const AppRemoteTokens *from)
{
  const gsize before = to->bytes->len;

  for (guint i = 0; from->ends && i < from->ends->len; i++) {
    ModelAnswerPiece piece = g_array_index(from->ends, ModelAnswerPiece, i);
    piece.end += before;
    g_array_append_val(to->ends, piece);
  }
  if (from->bytes) {
    g_string_append_len(to->bytes, from->bytes->str, (gssize)from->bytes->len);
  }
}

static JsonArray *
get_array(JsonObject *object, const char *member)
{
  JsonNode *node = object ? json_object_get_member(object, member) : NULL;

  return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

/* The token's bytes; its text, in which half a character is broken, where there are none. */
static void
append_bytes(GString *to, JsonObject *token)
{
  JsonArray *bytes = get_array(token, "bytes");
  const char *text = app_json_get_text(token, "token");

  for (guint i = 0; bytes && i < json_array_get_length(bytes); i++) {
    JsonNode *node = json_array_get_element(bytes, i);
    if (JSON_NODE_HOLDS_VALUE(node)) {
      g_string_append_c(to, (char)(json_node_get_int(node) & 0xff));
    }
  }
  if (!bytes && text) {
    g_string_append(to, text);
  }
}

void
app_remote_tokens_read(AppRemoteTokens *tokens, JsonObject *choice)
{
  JsonNode *node = json_object_get_member(choice, "logprobs");
  JsonArray *content = node && JSON_NODE_HOLDS_OBJECT(node)
                           ? get_array(json_node_get_object(node), "content")
                           : NULL;

  for (guint i = 0; content && i < json_array_get_length(content); i++) {
    JsonNode *element = json_array_get_element(content, i);
    JsonObject *token = JSON_NODE_HOLDS_OBJECT(element) ? json_node_get_object(element) : NULL;
    JsonNode *value = token ? json_object_get_member(token, "logprob") : NULL;
    double p = value && JSON_NODE_HOLDS_VALUE(value) ? exp(json_node_get_double(value)) : NAN;
    ModelAnswerPiece piece;

    if (!tokens->bytes) {
      app_remote_tokens_init(tokens);
    }
    if (isfinite(p)) { /* one that is left out leaves a gap, and then nothing fits */
      append_bytes(tokens->bytes, token);
      piece = (ModelAnswerPiece){tokens->bytes->len, (float)CLAMP(p, 0, 1)};
      g_array_append_val(tokens->ends, piece);
    }
  }
}

void
app_remote_tokens_fill(const AppRemoteTokens *tokens, ModelAnswer *answer)
{
  const gsize length = strlen(answer->text);
  gsize skipped = 0, n = 0, before = 0;

  if (!tokens->bytes || length == 0) {
    return;
  }
  while (skipped < tokens->bytes->len && g_ascii_isspace(tokens->bytes->str[skipped])) {
    skipped++;
  }
  if (tokens->bytes->len - skipped < length ||
      memcmp(tokens->bytes->str + skipped, answer->text, length) != 0) {
    return;
  }
  answer->pieces = calloc(tokens->ends->len, sizeof *answer->pieces);
  for (guint i = 0; answer->pieces && i < tokens->ends->len && before < length; i++) {
    ModelAnswerPiece piece = g_array_index(tokens->ends, ModelAnswerPiece, i);
    piece.end = piece.end > skipped ? MIN(piece.end - skipped, length) : 0;
    while (((guchar)answer->text[piece.end] & 0xc0) == 0x80) {
      piece.end--; /* a character belongs to the token that ends it */
    }
    before = piece.end;
    answer->pieces[n++] = piece;
  }
  answer->n_pieces = n;
}
