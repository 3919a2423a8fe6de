/* recover.c - a damaged log is set aside, and what can be read of it goes on in a new one.
 *
 * 1. The damaged files are read and renamed, never written to.
 * 2. The new log counts when it was verified and is on the disk; then it takes its place (
 *    recover-swap.h). Until that moment the old one is where it was.
 */
#include "record.h"

#include "copy.h"
#include "head.h"
#include "keys.h"
#include "person.h"
#include "recover-keys.h"
#include "recover-rows.h"
#include "recover-scan.h"
#include "recover-swap.h"
#include "row.h"
#include <string.h>
#include <sys/stat.h>

#define SCRATCH "found.sqlite"
#define N_FIELDS 9

void
store_recovery_free(StoreRecovery *recovery)
{
  if (recovery) {
    g_free(recovery->found);
    g_free(recovery->set_aside);
    g_free(recovery->log_id);
    g_free(recovery->previous_log_id);
    g_free(recovery->lost);
    g_free(recovery);
  }
}

/* ---- whether there is anything to do --------------------------------------------------------- */

static gboolean
is_damage(const GError *error)
{
  return g_error_matches(error, STORE_ERROR, STORE_ERROR_CORRUPT) ||
         g_error_matches(error, STORE_ERROR, STORE_ERROR_FORMAT);
}

/* The message without the log's name, which it begins with. */
static char *
without_name(const char *message, const char *path)
{
  g_autofree char *name = g_filename_display_name(path);
  g_autofree char *base = g_path_get_basename(name);
  const char *at = strstr(message, base);

  at = at ? strstr(at, ": ") : NULL;
  return g_strdup(at ? at + 2 : message);
}

/* *found: what speaks against the log, NULL: nothing does. *foreign: perhaps it is none. */
static gboolean
look(const char *path, StoreProgress progress, gpointer user, char **found, gboolean *foreign,
     GError **error)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) local = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, &local);
  g_autoptr(StoreReport) report = NULL;

  *found = NULL;
  if (log && log->newer) {
    return store_fail(error, STORE_ERROR_NEWER, log->name,
                      "schema version: found %d: a newer Hilum wrote this log, and only that one "
                      "can recover it",
                      log->newer);
  }
  report = log ? store_log_verify(log, NULL, progress, user, &local) : NULL;
  if (report) {
    *found = g_strdup(report->found);
    return TRUE;
  }
  if (!is_damage(local)) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  *found = without_name(local->message, path);
  *foreign = g_error_matches(local, STORE_ERROR, STORE_ERROR_FORMAT);
  return TRUE;
}

/* LOG.pub is made out of the keys, whenever the log is opened for writing. */
static gboolean
restore_public_key(const char *path, const StoreSecrets *secrets, GError **error)
{
  const StoreOpen how = {.secrets = secrets};
  g_autofree char *public_key = g_strconcat(path, ".pub", NULL);
  g_autoptr(StoreLog) log = NULL;
  struct stat st;

  if (lstat(public_key, &st) == 0) {
    return TRUE;
  }
  log = store_log_open_with(path, &how, error);
  return log != NULL;
}

/* ---- the checkpoints that are left ----------------------------------------------------------- */

/* The checkpoint that TEXT begins with, whatever lies behind it; of StoreHead, or NULL. */
static GPtrArray *
whole_note(char *text, const char *name, const StoreVerifier *verifier)
{
  char *end = strstr(text, "\n\n");
  gboolean cut = FALSE;

  end = end ? strchr(end + 2, '\n') : NULL;
  if (!end) {
    return NULL;
  }
  end[1] = '\0';
  return store_head_parse(text, name, verifier, &cut, NULL);
}

/* Those of LOG.head that the log's own key signed, whatever lies between them. */
static GPtrArray *
read_heads(const char *path, StoreKeys *keys, GError **error)
{
  g_autofree char *file = g_strconcat(path, ".head", NULL);
  g_autofree char *name = store_head_name(store_keys_log_id(keys));
  g_autofree char *begin = g_strconcat(name, "\n", NULL);
  g_autofree char *text = NULL;
  g_autoptr(GPtrArray) heads = g_ptr_array_new_with_free_func((GDestroyNotify)store_head_free);
  g_auto(StoreSigner) signer = {0};
  gsize n = 0;

  if (!store_keys_signer(keys, name, &signer, error)) {
    return NULL;
  }
  if (store_file_size(file, "") > (gint64)STORE_HEAD_MOST_BYTES ||
      !g_file_get_contents(file, &text, &n, NULL)) {
    return g_steal_pointer(&heads);
  }
  for (gsize i = 0; i < n; i++) {
    text[i] = text[i] ? text[i] : '?';
  }
  for (const char *at = strstr(text, begin), *next; at; at = next) {
    g_autofree char *note = NULL;
    g_autoptr(GPtrArray) one = NULL;

    next = strstr(at + 1, begin);
    note = next ? g_strndup(at, (gsize)(next - at)) : g_strdup(at);
    one = whole_note(note, name, &signer.verifier);
    if (one && one->len > 0) {
      g_ptr_array_add(heads, g_ptr_array_steal_index(one, 0));
    }
  }
  store_head_sort(heads);
  return g_steal_pointer(&heads);
}

/* ---- the new log ----------------------------------------------------------------------------- */

typedef struct {
  const char *path, *aside; /* of the log, and of the folder where the new one is made */
  StoreKeys *keys;          /* of the damaged log */
  StorePages *pages;
  StoreRecovery *recovery;
  StoreProgress progress;
  gpointer user;
} Recover;

static char *
number_text(gint64 number)
{
  return g_strdup_printf("%" G_GINT64_FORMAT, number);
}

static StoreLog *
begin(Recover *self, const StoreFound *found, const char *new_path, GError **error)
{
  StoreRecovery *recovery = self->recovery;
  g_autofree char *base = g_path_get_basename(recovery->set_aside);
  g_autofree char *read = number_text(found->rows), *last = number_text(found->last);
  g_autofree char *changed = number_text(found->changed), *proved = number_text(found->proved);
  const StoreField fields[N_FIELDS] = {{"recovered_from", recovery->previous_log_id},
                                       {"set_aside", base},
                                       {"found", recovery->found},
                                       {"events", last},
                                       {"events_read", read},
                                       {"events_changed", changed},
                                       {"events_lost", recovery->lost},
                                       {"last_proved_event", proved},
                                       {"last_root", found->root}};
  guint lost_keys = 0;
  StoreKeys *keys = store_keys_succeed(self->keys, new_path, &lost_keys, error);

  return keys ? store_log_begin(new_path, keys, fields, N_FIELDS, error) : NULL;
}

static gboolean
note_end(StoreLog *log, const StoreRecovery *recovery, GError **error)
{
  g_autofree char *recovered = number_text(recovery->events_recovered);
  g_autofree char *unreadable = number_text(recovery->events_unreadable);
  g_autofree char *unproved = number_text(recovery->events_unproved);
  g_autofree char *lost = number_text(recovery->texts_lost);
  g_autofree char *erased = number_text(recovery->texts_erased);
  g_autofree char *placeholders = number_text(recovery->placeholders);
  const StoreField fields[] = {{"events_recovered", recovered}, {"events_unreadable", unreadable},
                               {"events_unproved", unproved},   {"texts_lost", lost},
                               {"texts_erased", erased},        {"placeholders", placeholders}};
  const StoreEvent event = {
      .kind = "recovered", .action = "end", .fields = fields, .n_fields = G_N_ELEMENTS(fields)};

  return store_log_add_event(log, &event, error) != 0;
}

static void
fill_in(StoreRecovery *recovery, const StoreFound *found)
{
  recovery->events_lost = found->last - found->rows;
  recovery->last_proved_event = found->proved;
  recovery->lost = g_strdup(found->lost->str);
}

static gboolean
check_log_id(Recover *self, const StoreFound *found, GError **error)
{
  g_autofree char *name = g_filename_display_name(self->path);

  return !found->log_id[0] || strcmp(found->log_id, self->recovery->previous_log_id) == 0 ||
         store_fail(error, STORE_ERROR_LOCKED, name,
                    "found the keys of another log beside it: put its own there first");
}

/* The new log, in the folder aside. */
static gboolean
write_log(Recover *self, GPtrArray *heads, GError **error)
{
  g_autofree char *name = g_filename_display_name(self->path);
  g_autofree char *scratch = g_build_filename(self->aside, SCRATCH, NULL);
  g_autofree char *new_path = g_build_filename(self->aside, STORE_COPY_NAME, NULL);
  g_auto(StoreFound) found = {0};
  g_autoptr(StoreScan) scan =
      store_scan_new(self->pages, scratch, name, heads, self->progress, self->user, &found, error);
  g_autoptr(StoreLog) log = NULL;
  gboolean good;

  if (!scan || !check_log_id(self, &found, error)) {
    return FALSE;
  }
  fill_in(self->recovery, &found);
  log = begin(self, &found, new_path, error);
  if (!log) {
    return FALSE;
  }
  self->recovery->log_id = g_strdup(log->log_id);
  good = store_recover_rows(log, self->keys, scan, &found, self->recovery, self->progress,
                            self->user, error) &&
         store_people_recovered(log, error) && note_end(log, self->recovery, error) &&
         store_log_checkpoint(log, NULL, error);
  if (!good) {
    store_keys_forget_place(log->keys);
  }
  return good;
}

static gboolean
make_new(Recover *self, GError **error)
{
  g_autoptr(GPtrArray) heads = read_heads(self->path, self->keys, error);
  g_autofree char *marker = g_strconcat(self->path, ".recover", NULL);
  g_autoptr(StoreReport) report = NULL;
  struct stat st;

  if (heads && write_log(self, heads, error)) {
    report = store_copy_verify(self->aside, error);
  }
  if (report && store_copy_sync(self->aside, error) &&
      store_swap(self->path, self->aside, self->recovery->set_aside, error)) {
    return TRUE;
  }
  if (lstat(marker, &st) != 0) { /* else the next opening finishes it */
    store_copy_discard(self->aside);
  }
  return FALSE;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* FOUND, FOREIGN: as look() says. */
static StoreKeys *
open_keys(const char *path, const StoreSecrets *secrets, const char *found, gboolean foreign,
          GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  g_autoptr(GError) local = NULL;
  StoreKeys *keys = store_keys_open(path, TRUE, secrets, &local);

  if (g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
    store_fail(error, foreign ? STORE_ERROR_FORMAT : STORE_ERROR_LOCKED, name,
               foreign ? "%s"
                       : "%s; and its keys (the .keys file beside it) are missing, without "
                         "which nothing of it can be recovered: put them back first",
               found);
  } else if (local) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  return keys;
}

static gboolean
recover(const char *path, const StoreSecrets *secrets, gboolean foreign, StoreRecovery *recovery,
        StoreProgress progress, gpointer user, GError **error)
{
  g_autoptr(StoreKeys) keys = open_keys(path, secrets, recovery->found, foreign, error);
  g_autoptr(StorePages) pages = keys ? store_pages_open(path, error) : NULL;
  g_autofree char *aside = pages ? store_copy_aside(path, error) : NULL;
  Recover self = {path, aside, keys, pages, recovery, progress, user};

  if (!aside) {
    return FALSE;
  }
  recovery->needed = TRUE;
  recovery->previous_log_id = g_strdup(store_keys_log_id(keys));
  recovery->set_aside = store_swap_name(path);
  return make_new(&self, error);
}

/* As look(); a LOG.pub that is missing is put back on the way. */
static gboolean
look_twice(const char *path, const StoreSecrets *secrets, StoreProgress progress, gpointer user,
           char **found, gboolean *foreign, GError **error)
{
  g_autoptr(GError) local = NULL;

  if (look(path, progress, user, found, foreign, &local)) {
    return TRUE;
  }
  if (!g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND) ||
      store_file_size(path, "") == 0) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  return restore_public_key(path, secrets, error) &&
         look(path, progress, user, found, foreign, error);
}

StoreRecovery *
store_recover(const char *path, const StoreSecrets *secrets, StoreProgress progress, gpointer user,
              GError **error)
{
  g_autoptr(StoreRecovery) recovery = g_new0(StoreRecovery, 1);
  gboolean foreign = FALSE;

  g_return_val_if_fail(path, NULL);
  if (!store_swap_finish(path, error) ||
      !look_twice(path, secrets, progress, user, &recovery->found, &foreign, error) ||
      (recovery->found && !recover(path, secrets, foreign, recovery, progress, user, error))) {
    return NULL;
  }
  return g_steal_pointer(&recovery);
}
