/* export-time.c - dates as people give them. */
#include "export-private.h"

#include <string.h>

/* Digits where PATTERN has 9, else the same characters. */
static gboolean
is_like(const char *text, const char *pattern)
{
  for (; *text && *pattern; text++, pattern++) {
    if (*pattern == '9' ? !g_ascii_isdigit(*text) : *text != *pattern) {
      return FALSE;
    }
  }
  return !*text;
}

static GDateTime *
read_moment(const char *text, gsize n)
{
  static const char rest[] = "0000-01-01T00:00:00.000Z";
  g_autofree char *whole = g_strconcat(text, rest + n, NULL);

  return g_date_time_new_from_iso8601(whole, NULL);
}

gboolean
app_export_moment(const char *option, const char *text, gboolean end, char moment[32],
                  GError **error)
{
  static const gsize lengths[] = {4, 7, 10, 13, 16, 19};
  const gsize n = strlen(text) - (g_str_has_suffix(text, "Z") ? 1 : 0);
  g_autofree char *bare = g_strndup(text, n);
  g_autoptr(GDateTime) from = NULL, to = NULL;
  g_autofree char *written = NULL;

  for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
    if (n == lengths[i] && is_like(bare, "9999-99-99T99:99:99")) {
      from = read_moment(bare, n);
      to = !from    ? NULL
           : i == 0 ? g_date_time_add_years(from, 1)
           : i == 1 ? g_date_time_add_months(from, 1)
           : i == 2 ? g_date_time_add_days(from, 1)
           : i == 3 ? g_date_time_add_hours(from, 1)
           : i == 4 ? g_date_time_add_minutes(from, 1)
                    : g_date_time_add_seconds(from, 1);
    }
  }
  if (!from || !to) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s is '%s'; expected a date such as 2026-11-26, or 2026-11-26T09:30 (UTC)", option,
                text);
    return FALSE;
  }
  written = g_date_time_format(end ? to : from, "%Y-%m-%dT%H:%M:%S.000Z");
  g_strlcpy(moment, written, 32);
  return TRUE;
}
