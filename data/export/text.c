/* text.c - see text.h. */
#include "export/text.h"

#include <math.h>
#include <string.h>

void
store_text_append_real(GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};

  if (!isfinite(value)) {
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
    g_ascii_formatd(text, sizeof text, formats[i], value);
    if (g_ascii_strtod(text, NULL) == value) {
      break;
    }
  }
  g_string_append(out, text);
}

void
store_json_append_text(GString *out, const char *name, const char *text)
{
  g_autofree char *valid =
      text && !g_utf8_validate(text, -1, NULL) ? g_utf8_make_valid(text, -1) : NULL;

  store_json_append_member(out, name, valid ? valid : text);
}

void
store_json_append_int(GString *out, const char *name, gint64 value)
{
  store_json_append_name(out, name);
  g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
}

void
store_json_append_real(GString *out, const char *name, double value)
{
  store_json_append_name(out, name);
  if (isfinite(value)) {
    store_text_append_real(out, value);
  } else {
    g_string_append(out, "null");
  }
}

void
store_json_append_bool(GString *out, const char *name, gboolean value)
{
  store_json_append_name(out, name);
  g_string_append(out, value ? "true" : "false");
}

void
store_json_append_comma(GString *out)
{
  if (out->len > 0 && out->str[out->len - 1] != '[') {
    g_string_append(out, ", ");
  }
}
