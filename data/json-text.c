/* json-text.c - see json-text.h. */
#include "json-text.h"

#include <string.h>

void
store_json_append(GString *out, const char *text, gsize n)
{
  static const char hex[] = "0123456789abcdef";
  gsize start = 0;

  g_string_append_c(out, '"');
  for (gsize i = 0; i < n; i++) {
    const guint8 c = (guint8)text[i];
    static const char *const names = "btnfr";
    static const char codes[] = "\b\t\n\f\r";
    const char *code;

    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    g_string_append_len(out, text + start, (gssize)(i - start));
    start = i + 1;
    if (c == '"' || c == '\\') {
      g_string_append_c(out, '\\');
      g_string_append_c(out, (char)c);
    } else if (c && (code = strchr(codes, c))) {
      g_string_append_c(out, '\\');
      g_string_append_c(out, names[code - codes]);
    } else {
      const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
      g_string_append_len(out, escape, sizeof escape);
    }
  }
  g_string_append_len(out, text + start, (gssize)(n - start));
  g_string_append_c(out, '"');
}

void
store_json_append_name(GString *out, const char *name)
{
  if (out->len > 0 && out->str[out->len - 1] != '{') {
    g_string_append(out, ", ");
  }
  g_string_append_c(out, '"');
  g_string_append(out, name);
  g_string_append(out, "\": ");
}

void
store_json_append_member(GString *out, const char *name, const char *text)
{
  store_json_append_name(out, name);
  if (text) {
    store_json_append(out, text, strlen(text));
  } else {
    g_string_append(out, "null");
  }
}
