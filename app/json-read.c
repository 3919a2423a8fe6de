/* json-read.c - JSON from elsewhere, bounded before json-glib sees it.
 *
 * Its parser is recursive, and takes comments and single-quoted strings, which the scanner here
 * would read otherwise than it: both are refused, so that the nesting counted is the nesting
 * parsed. Its messages quote the text; ours say the place. */
#include <string.h>

#include "private.h"

#define MAX_DEPTH 32u

static gboolean
is_json_character(char c)
{
  return g_ascii_isalnum(c) || app_json_is_blank(c) || (c != '\0' && strchr(",:+-.", c));
}

gboolean
app_json_is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

gsize
app_json_object_length(const char *text, gsize n)
{
  gboolean in_string = FALSE;
  guint depth = 0;

  if (n == 0 || text[0] != '{') {
    return 0;
  }
  for (gsize i = 0; i < n && i < APP_JSON_MAX_OBJECT; i++) {
    char c = text[i];

    if (in_string) {
      i += c == '\\';
      in_string = c != '"';
    } else if (c == '"') {
      in_string = TRUE;
    } else if (c == '{' || c == '[') {
      if (++depth > MAX_DEPTH) {
        return 0;
      }
    } else if (c == '}' || c == ']') {
      if (--depth == 0) {
        return i + 1;
      }
    } else if (!is_json_character(c)) {
      return 0;
    }
  }
  return 0;
}

/* While the error is raised the parser still knows where it is. */
static void
on_parse_error(JsonParser *parser, gpointer failure, gpointer place)
{
  *(guint *)place = json_parser_get_current_pos(parser);
}

JsonObject *
app_json_object_read(const char *text, gsize n, GError **error)
{
  g_autoptr(JsonParser) parser = json_parser_new_immutable();
  gsize length = app_json_object_length(text, n), end = length;
  guint place = 0;

  while (end < n && app_json_is_blank(text[end])) {
    end++;
  }
  if (length == 0 || end < n) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "expected one whole JSON object of at most %u bytes, at most %u deep",
                APP_JSON_MAX_OBJECT, MAX_DEPTH);
    return NULL;
  }
  if (!g_utf8_validate_len(text, length, NULL)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, "not UTF-8");
    return NULL;
  }
  g_signal_connect(parser, "error", G_CALLBACK(on_parse_error), &place);
  if (!json_parser_load_from_data(parser, text, (gssize)length, NULL)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "not JSON near character %u", place);
    return NULL;
  }
  return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

const char *
app_json_get_text(JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member(object, member);

  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}
