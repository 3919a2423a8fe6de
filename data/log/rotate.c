/* rotate.c - a log is sealed, and another goes on from it; see chain.h.
 *
 * 1. Nobody else has the log open while it is sealed: it leaves WAL, which SQLite allows to the
 * last connection alone, and is locked from then until its files have moved. Where there is no WAL,
 *    who has it open finds it sealed when it writes (row.c).
 * 2. "sealed" is the first step that stays. From then on no event is added, and what is left to do
 *    follows from it: make the log that goes on, aside, whole, with what it goes on from; then move
 *    files (rotate-files.c). Whoever opens the log for writing finishes it.
 * 3. The checkpoint that seals covers every event, "sealed" as well.
 */
#include "chain.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <string.h>

#include "copy.h"
#include "head.h"
#include "keys.h"
#include "person.h"
#include "rotate.h"
#include "row.h"

#define DOING "sealing the log"
#define MOST_NUMBER 9999u
/* How long a program that only looks is waited for. */
#define ALONE_MS 2000

/* ---- alone with the log ---------------------------------------------------------------------- */

static gboolean
be_alone(StoreLog *log, GError **error)
{
  int rc = SQLITE_BUSY;

  store_log_set_busy_timeout(log, 100);
  for (int waited = 0; rc != SQLITE_OK && waited <= ALONE_MS; waited += 100) {
    rc = sqlite3_exec(log->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED) {
      return store_fail_sqlite(error, log->db, log->name, DOING, rc);
    }
    if (rc != SQLITE_OK) {
      g_usleep(100 * 1000);
    }
  }
  store_log_set_busy_timeout(log, ALONE_MS);
  return rc == SQLITE_OK
             ? store_exec(log->db, log->name, DOING, "PRAGMA synchronous = EXTRA", error)
             : store_fail(error, STORE_ERROR_BUSY, log->name,
                          DOING ": another program, or a window, has it open: close that first");
}

/* Held until the log is closed. *moved: another program was faster, and its files are not here any
 * more. */
static gboolean
hold(StoreLog *log, gboolean *moved, GError **error)
{
  int has_moved = 0;

  if (!store_exec(log->db, log->name, DOING, "BEGIN EXCLUSIVE", error)) {
    return FALSE;
  }
  sqlite3_file_control(log->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
  *moved = has_moved != 0;
  return TRUE;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* log.sqlite is to be log-0001.sqlite: the first from NUMBER on that nothing of a log has. */
static char *
choose_name(StoreLog *log, guint number, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(log->path);
  g_autofree char *own = g_path_get_basename(log->path);
  const char *dot = strrchr(own, '.');
  const int stem = dot && dot > own ? (int)(dot - own) : (int)strlen(own);

  for (; number <= MOST_NUMBER; number++) {
    g_autofree char *name = g_strdup_printf("%.*s-%04u%s", stem, own, number, own + stem);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (store_copy_vacant(path, TRUE, NULL)) {
      return g_steal_pointer(&name);
    }
  }
  store_fail(error, STORE_ERROR_INVALID, log->name, DOING ": there is no number left for its name");
  return NULL;
}

/* ---- the log that goes on -------------------------------------------------------------------- */

/* What LOG.pub holds. */
static char *
public_key(StoreLog *log, GError **error)
{
  g_auto(StoreVerifier) verifier = {0};

  return store_head_verifier(log->path, &verifier, error) ? store_verifier_text(&verifier) : NULL;
}

/* LOG, which is sealed, as the log that goes on will know it. */
static StoreLink *
make_link(StoreLog *log, guint number, GError **error)
{
  g_autoptr(StoreLink) link = g_new0(StoreLink, 1);
  g_autofree char *folder = g_path_get_dirname(log->path);
  guint64 size = 0;
  StoreHash root;

  link->public_key = public_key(log, error);
  if (!link->public_key || !store_log_checkpoint(log, &link->checkpoint, error) ||
      !store_tree_size(log, &size, error) || !store_tree_root(log, size, &root, error)) {
    return NULL;
  }
  link->file = g_strdup(log->sealed_as);
  link->path = g_build_filename(folder, link->file, NULL);
  link->log_id = g_strdup(log->log_id);
  link->sealed_at = g_strdup(log->sealed_at);
  link->events = (gint64)size;
  link->number = number;
  link->root = g_malloc(65);
  sodium_bin2hex(link->root, 65, root.bytes, sizeof root.bytes);
  return g_steal_pointer(&link);
}

static gboolean
write_continued(StoreLog *next, const StoreLink *link, guint years, GError **error)
{
  g_autofree char *events = g_strdup_printf("%" G_GINT64_FORMAT, link->events);
  g_autofree char *number = g_strdup_printf("%u", link->number);
  g_autofree char *kept = g_strdup_printf("%u", years);
  const StoreField fields[] = {{"file", link->file},
                               {"log_id", link->log_id},
                               {"number", number},
                               {"events", events},
                               {"root", link->root},
                               {"sealed_at", link->sealed_at},
                               {"public_key", link->public_key},
                               {"checkpoint", link->checkpoint},
                               {"retention_years", kept}};
  const StoreEvent event = {
      .kind = "continued", .fields = fields, .n_fields = G_N_ELEMENTS(fields) - (years ? 0 : 1)};

  return store_log_add_event(next, &event, error) == STORE_CONTINUED_EVENT;
}

/* A whole log in the folder ASIDE. */
static gboolean
make_next(StoreLog *log, const StoreLink *link, const char *aside, guint years, GError **error)
{
  g_autofree char *path = g_build_filename(aside, STORE_COPY_NAME, NULL);
  g_autofree char *note = g_build_filename(aside, STORE_ROTATE_NAME, NULL);
  g_autofree char *journal = g_strconcat(path, ".keys-journal", NULL);
  StoreKeys *keys = store_keys_make_like(path, log->keys, error);
  g_autoptr(StoreLog) next = NULL;
  g_autoptr(GError) local = NULL;

  if (!keys) {
    return FALSE;
  }
  next = store_log_begin(path, keys, NULL, 0, error);
  if (!next || !write_continued(next, link, years, error) ||
      !store_people_carry(log, next, error) || !store_log_checkpoint(next, NULL, error)) {
    return FALSE;
  }
  g_clear_pointer(&next, store_log_close);
  g_unlink(journal); /* it is empty, and the folder is to be when its log was taken out */
  if (!g_file_set_contents_full(note, link->file, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &local)) {
    return store_fail(error, STORE_ERROR_IO, log->name, DOING ": %s", local->message);
  }
  return store_copy_sync(aside, error);
}

/* Makes it, and gives the folder its name: from then on it waits. */
static gboolean
make_waiting(StoreLog *log, const StoreLink *link, guint years, GError **error)
{
  g_autofree char *aside = g_strconcat(log->path, ".begin", NULL);
  g_autofree char *waiting = store_rotate_waiting(log->path);
  g_autofree char *folder = g_path_get_dirname(log->path);

  store_copy_discard(aside); /* of one that was cut short: this one is alone */
  if (g_mkdir(aside, 0700) != 0) {
    return store_fail_errno(error, aside, DOING, errno);
  }
  if (make_next(log, link, aside, years, error)) {
    if (g_rename(aside, waiting) == 0) {
      return store_rotate_sync(folder, error);
    }
    store_fail_errno(error, waiting, DOING, errno);
  }
  store_copy_discard(aside);
  return FALSE;
}

/* LOG is sealed and held. */
static StoreLink *
go_on(StoreLog *log, GError **error)
{
  g_autoptr(GError) local = NULL;
  g_autoptr(StoreLink) before = store_chain_previous(log, &local);
  g_autoptr(StoreLink) link = NULL;
  guint years = 0;

  if (local) {
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
  }
  link = make_link(log, before ? before->number + 1 : 1, error);
  if (!link || !store_retain_read(log, &years, error) || !make_waiting(log, link, years, error)) {
    return NULL;
  }
  g_clear_pointer(&log->keys, store_keys_close);
  return store_rotate_settle(log->path, FALSE, error) ? g_steal_pointer(&link) : NULL;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static gboolean
seal(StoreLog *log, GError **error)
{
  g_autofree char *own = g_path_get_basename(log->path);
  g_autoptr(GError) local = NULL;
  g_autoptr(StoreLink) before = store_chain_previous(log, &local);
  g_autofree char *name = local ? NULL : choose_name(log, before ? before->number + 1 : 1, error);
  const StoreField fields[] = {{"file", name}, {"goes_on_in", own}};
  const StoreEvent event = {.kind = "sealed", .fields = fields, .n_fields = G_N_ELEMENTS(fields)};

  if (local) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  return name && store_log_add_event(log, &event, error) && store_chain_open(log, error);
}

static StoreLink *
fail_moved(StoreLog *log, GError **error)
{
  store_fail(error, STORE_ERROR_BUSY, log->name, DOING ": another program did so just now");
  return NULL;
}

StoreLink *
store_rotate_at(const char *path, const StoreOpen *how, GTimeSpan clock_offset, GError **error)
{
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GError) local = NULL;
  gboolean moved = FALSE;

  g_return_val_if_fail(path && how && !how->read_only && !how->locked, NULL);
  log = store_log_open_with(path, how, error);
  if (!log || !be_alone(log, error)) {
    return NULL;
  }
  log->clock_offset = clock_offset;
  if (!seal(log, error) || !hold(log, &moved, error)) {
    return NULL;
  }
  return moved ? fail_moved(log, error) : go_on(log, error);
}

StoreLink *
store_log_rotate(const char *path, const StoreOpen *how, GError **error)
{
  return store_rotate_at(path, how, 0, error);
}

gboolean
store_rotate_finish(const char *path, const StoreOpen *how, GError **error)
{
  g_autoptr(StoreLog) log = store_log_open_sealed(path, how, error);
  g_autofree char *own = log ? g_path_get_basename(log->path) : NULL;
  g_autoptr(StoreLink) link = NULL;
  gboolean moved = FALSE;

  if (!log) {
    return FALSE;
  }
  if (!log->goes_on || !g_str_equal(own, log->goes_on)) {
    return TRUE; /* another program was faster */
  }
  if (!hold(log, &moved, error)) {
    return FALSE;
  }
  link = moved ? NULL : go_on(log, error);
  return moved || link;
}
