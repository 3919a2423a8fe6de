/* instruct-text.c - text as Python's str treats it: replies are split and cleaned as LLaVA-Med's
 * scripts do, on any machine and in any locale. */
#include "dataset/instruct-turns.h"

#include <string.h>

static gboolean
is_space(gunichar c)
{
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
         c == 0x205f || c == 0x3000;
}

char *
data_text_strip(const char *text, gsize n)
{
  const char *end = text + n;

  while (text < end && is_space(g_utf8_get_char(text))) {
    text = g_utf8_next_char(text);
  }
  while (end > text) {
    const char *last = g_utf8_prev_char(end);
    if (!is_space(g_utf8_get_char(last))) {
      break;
    }
    end = last;
  }
  return g_strndup(text, (gsize)(end - text));
}

/* A capital sigma ends a word: there is a letter before it and none behind (Unicode, 3.13). */
static gboolean
ends_word(const char *text, const char *at)
{
  const char *next = g_utf8_next_char(at);

  return at > text && g_unichar_isalpha(g_utf8_get_char(g_utf8_prev_char(at))) &&
         !(*next && g_unichar_isalpha(g_utf8_get_char(next)));
}

char *
data_text_lower(const char *text)
{
  GString *lower = g_string_sized_new(strlen(text) + 1);

  for (const char *p = text; *p; p = g_utf8_next_char(p)) {
    const gunichar c = g_utf8_get_char(p);

    if (c < 0x80) {
      g_string_append_c(lower, g_ascii_tolower((char)c));
    } else if (c == 0x130) { /* I with a dot becomes i and the dot alone */
      g_string_append(lower, "i\xcc\x87");
    } else if (c == 0x3a3) {
      g_string_append(lower, ends_word(text, p) ? "\xcf\x82" : "\xcf\x83");
    } else {
      g_string_append_unichar(lower, g_unichar_tolower(c));
    }
  }
  return g_string_free(lower, FALSE);
}
