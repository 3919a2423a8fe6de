/* retain.c - how long the log is kept, and what goes when that time is over.
 *
 * 1. The years are an event of the log ("setting", "retention"), carried along when another log
 * goes on from it, so that nobody shortens them unseen.
 * 2. Nothing is ever removed by itself. What is removed was sealed, is as it was sealed, is the
 *    oldest that is left, and its time is over by this machine's clock.
 * 3. The event comes first, then the keys, then the rows: whatever is cut short is said, is
 *    unreadable, and can be done again.
 */
#include "chain.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "copy.h"
#include "keys.h"
#include "row.h"
#include "rotate.h"

#define DOING "removing a sealed log"

static gboolean
parse_years(const char *text, guint *years)
{
  guint64 value = 0;

  if (!text || !g_ascii_string_to_unsigned(text, 10, 1, STORE_RETENTION_MOST, &value, NULL)) {
    return FALSE;
  }
  *years = (guint)value;
  return TRUE;
}

/* What the log before this one was kept for. */
static gboolean
read_inherited(StoreLog *log, guint *years, GError **error)
{
  g_auto(StoreBody) body = {0};
  gint64 number = 0;

  if (!store_chain_continued(log, &number, error)) {
    return FALSE;
  }
  if (!number) {
    return TRUE;
  }
  if (!store_row_open(log, number, "continued", &body, NULL, NULL, error)) {
    return FALSE;
  }
  parse_years(store_chain_field(&body, "retention_years"), years);
  return TRUE;
}

gboolean
store_retain_read(StoreLog *log, guint *years, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db,
                              "SELECT seq FROM event WHERE kind = 'setting'"
                              " AND json_extract(body, '$.action') = 'retention'"
                              " ORDER BY seq DESC LIMIT 1",
                              -1, &statement, NULL);

  *years = 0;
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  if (rc == SQLITE_ROW) {
    g_auto(StoreBody) body = {0};
    if (!store_row_open(log, sqlite3_column_int64(statement, 0), "setting", &body, NULL, NULL,
                        error)) {
      return FALSE;
    }
    if (!parse_years(store_chain_field(&body, "value"), years)) {
      store_body_corrupt(&body, "value", "found something else, expected a number of years");
    }
    return !body.failed;
  }
  return rc == SQLITE_DONE
             ? read_inherited(log, years, error)
             : store_fail_sqlite(error, log->db, log->name, "reading how long it is kept", rc);
}

gboolean
store_log_retention(StoreLog *log, guint *years, gboolean *set, GError **error)
{
  g_return_val_if_fail(log && years, FALSE);
  if (!store_retain_read(log, years, error)) {
    return FALSE;
  }
  if (set) {
    *set = *years != 0;
  }
  *years = *years ? *years : STORE_RETENTION_YEARS;
  return TRUE;
}

gboolean
store_log_set_retention(StoreLog *log, guint years, GError **error)
{
  g_autofree char *before = NULL, *value = g_strdup_printf("%u", years);
  StoreField fields[] = {{"name", "retention_years"}, {"before", NULL}, {"value", value}};
  const StoreEvent event = {
      .kind = "setting", .action = "retention", .fields = fields, .n_fields = G_N_ELEMENTS(fields)};
  guint old = 0;

  g_return_val_if_fail(log, FALSE);
  if (years < 1 || years > STORE_RETENTION_MOST) {
    return store_fail(error, STORE_ERROR_INVALID, log->name,
                      "years to keep it: found %u, expected 1 to %u", years, STORE_RETENTION_MOST);
  }
  if (!store_log_retention(log, &old, NULL, error)) {
    return FALSE;
  }
  fields[1].text = before = g_strdup_printf("%u", old);
  return store_log_add_event(log, &event, error) != 0;
}

char *
store_log_kept_until(StoreLog *log, const char *time, guint years, gboolean *ended)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) then = time ? g_date_time_new_from_iso8601(time, utc) : NULL;
  g_autoptr(GDateTime) until = then ? g_date_time_add_years(then, (int)years) : NULL;
  g_autoptr(GDateTime) clock = g_date_time_new_now_utc();
  g_autoptr(GDateTime) now = g_date_time_add(clock, log->clock_offset);

  if (!until) {
    return NULL;
  }
  if (ended) {
    *ended = g_date_time_compare(until, now) <= 0;
  }
  return g_date_time_format(until, "%Y-%m-%dT%H:%M:%SZ");
}

/* ---- removing -------------------------------------------------------------------------------- */

/* The link of FILE in LINKS, *at its place; NULL with NOT_FOUND. */
static StoreLink *
find_link(StoreLog *log, GPtrArray *links, const char *file, guint *at, GError **error)
{
  g_autofree char *name = g_path_get_basename(file);

  for (*at = 0; *at < links->len; ++*at) {
    StoreLink *link = links->pdata[*at];
    if (g_str_equal(link->file, name)) {
      return link;
    }
  }
  store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
             "it goes on from no log %s; 'hilum log rotate --list' shows those that it does", name);
  return NULL;
}

static gboolean
may_go(StoreLog *log, GPtrArray *links, guint at, GError **error)
{
  const StoreLink *link = links->pdata[at];
  g_autofree char *until = NULL;
  gboolean ended = FALSE;
  guint years = 0;

  if (link->state != STORE_LINK_THERE) {
    return store_fail(error, STORE_ERROR_INVALID, log->name, DOING ": %s",
                      link->found ? link->found : "it was removed already");
  }
  for (guint i = at + 1; i < links->len; i++) {
    const StoreLink *older = links->pdata[i];
    if (older->state != STORE_LINK_RETIRED) {
      return store_fail(error, STORE_ERROR_INVALID, log->name,
                        DOING ": %s goes on from %s, which is still kept: that one goes first",
                        link->file, older->file);
    }
  }
  if (!store_log_retention(log, &years, NULL, error)) {
    return FALSE;
  }
  until = store_log_kept_until(log, link->sealed_at, years, &ended);
  return ended || store_fail(error, STORE_ERROR_INVALID, log->name,
                             DOING ": %s is to be kept until %.10s (%u years from when it was "
                                   "sealed)",
                             link->file, until ? until : "some day", years);
}

static gboolean
note_retirement(StoreLog *log, const StoreLink *link, const char *reason, GError **error)
{
  g_autofree char *events = g_strdup_printf("%" G_GINT64_FORMAT, link->events);
  g_autofree char *years_text = NULL;
  StoreField fields[] = {{"file", link->file},   {"log_id", link->log_id},
                         {"events", events},     {"root", link->root},
                         {"begun", link->begun}, {"sealed_at", link->sealed_at},
                         {"reason", reason},     {"retention_years", NULL}};
  const StoreEvent event = {
      .kind = "erased", .action = "log", .fields = fields, .n_fields = G_N_ELEMENTS(fields)};
  guint years = 0;

  if (!store_log_retention(log, &years, NULL, error)) {
    return FALSE;
  }
  fields[7].text = years_text = g_strdup_printf("%u", years);
  return store_log_add_event(log, &event, error) && store_log_checkpoint(log, NULL, error);
}

/* The database goes last: while it is there the link can be followed, and this done again. */
static gboolean
remove_files(const StoreLink *link, GError **error)
{
  static const char *const suffixes[] = {".index", ".index-busy", ".people", "-journal", "-wal",
                                         "-shm",   ".head",       ".pub",    ""};
  g_autofree char *folder = g_path_get_dirname(link->path);

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(link->path, suffixes[i], NULL);
    if (g_unlink(path) != 0 && errno != ENOENT) {
      return store_fail_errno(error, path, DOING, errno);
    }
  }
  return store_rotate_sync(folder, error);
}

gboolean
store_log_retire(StoreLog *log, const char *file, const char *reason, const StoreSecrets *secrets,
                 GError **error)
{
  g_autoptr(GPtrArray) links = NULL;
  StoreLink *link;
  gboolean said = FALSE;
  guint at = 0;

  g_return_val_if_fail(log && file && reason, FALSE);
  if (log->goes_on) {
    return store_chain_refuse(log, DOING, error);
  }
  links = store_log_links(log, error);
  link = links ? find_link(log, links, file, &at, error) : NULL;
  if (!link || !may_go(log, links, at, error) ||
      !store_chain_was_retired(log, link->log_id, &said, error) ||
      (!said && !note_retirement(log, link, reason, error))) {
    return FALSE;
  }
  return store_keys_destroy(link->path, link->log_id, secrets, error) && remove_files(link, error);
}
