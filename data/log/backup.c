/* backup.c - copies of the log, and the way back.
 *
 * 1. Checkpoints are copied before the rows, and keys after them: a copy's LOG.head never knows of
 *    rows that the copy lacks, and no row lacks the key that it was sealed under.
 * 2. A copy counts when it was verified, is on the disk and has its name.
 */
#include "copy.h"

#include <glib/gstdio.h>
#include <string.h>

static gboolean
note_backup(StoreLog *log, gboolean with_key, gboolean failed, GError **error)
{
  const StoreField field = {"with_key", with_key ? "yes" : "no"};
  const StoreEvent event = {
      .kind = "export", .action = "backup", .failed = failed, .fields = &field, .n_fields = 1};

  if (log->goes_on) { /* whoever asks for it tells the log that goes on */
    return TRUE;
  }
  return store_log_add_event(log, &event, error) && store_log_checkpoint(log, NULL, error);
}

/* Into ASIDE, whose files are on the disk then. */
static StoreReport *
copy_log(StoreLog *log, const char *aside, gboolean with_key, StoreProgress progress, gpointer user,
         GError **error)
{
  g_autofree char *to = g_build_filename(aside, STORE_COPY_NAME, NULL);
  g_autoptr(StoreReport) report = NULL;

  if (!store_copy_beside(log->path, to, ".head", NULL, error) ||
      !store_copy_beside(log->path, to, ".pub", NULL, error) ||
      !store_copy_database(log->db, to, progress, user, error) ||
      !store_copy_keys(log->path, to, error) ||
      (with_key && !store_copy_beside(log->path, to, ".key", NULL, error))) {
    return NULL;
  }
  report = store_copy_verify(aside, error);
  if (report && with_key) { /* the root key may have moved meanwhile */
    g_autoptr(StoreLog) copy = store_log_open(to, TRUE, error);
    if (!copy) {
      return NULL;
    }
  }
  return report && store_copy_sync(aside, error) ? g_steal_pointer(&report) : NULL;
}

static gboolean
set_folder(const char *aside, const char *folder, GError **error)
{
  g_autofree char *name = g_filename_display_name(folder);

  return g_rename(aside, folder) == 0 ||
         store_fail(error, STORE_ERROR_IO, name, "the copy could not get its name");
}

StoreReport *
store_log_backup(StoreLog *log, const char *folder, gboolean with_key, StoreProgress progress,
                 gpointer user, GError **error)
{
  g_autofree char *name = g_filename_display_name(folder);
  g_autofree char *aside = NULL;
  g_autoptr(StoreReport) report = NULL;

  g_return_val_if_fail(log && folder, NULL);
  if (with_key && store_log_protection(log) != STORE_PROTECTION_FILE) {
    store_fail(error, STORE_ERROR_INVALID, log->name,
               "its root key is in no file (%s): it cannot be copied with the log",
               store_protection_name(log));
    return NULL;
  }
  if (g_file_test(folder, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
    store_fail(error, STORE_ERROR_INVALID, name, "found something there, expected a new folder");
    return NULL;
  }
  aside = store_copy_aside(folder, error);
  if (!aside) {
    return NULL;
  }
  if (note_backup(log, with_key, FALSE, error)) {
    report = copy_log(log, aside, with_key, progress, user, error);
    if (!report || !set_folder(aside, folder, error)) {
      note_backup(log, with_key, TRUE, NULL);
      g_clear_pointer(&report, store_report_free);
    }
  }
  if (!report) {
    store_copy_discard(aside);
  }
  return g_steal_pointer(&report);
}

/* The copy in FOLDER, which is LOG, into ASIDE. */
static StoreReport *
copy_back(StoreLog *log, const char *aside, gboolean *with_key, GError **error)
{
  g_autofree char *to = g_build_filename(aside, STORE_COPY_NAME, NULL);
  g_autoptr(StoreReport) report = NULL;

  if (!store_copy_beside(log->path, to, ".head", NULL, error) ||
      !store_copy_beside(log->path, to, ".pub", NULL, error) ||
      !store_copy_database(log->db, to, NULL, NULL, error) ||
      !store_copy_keys(log->path, to, error) ||
      !store_copy_beside(log->path, to, ".key", with_key, error)) {
    return NULL;
  }
  report = store_copy_verify(aside, error);
  return report && store_copy_sync(aside, error) ? g_steal_pointer(&report) : NULL;
}

StoreReport *
store_restore(const char *folder, const char *path, gboolean *with_key, GError **error)
{
  const StoreOpen how = {.locked = TRUE};
  g_autofree char *from = g_build_filename(folder, STORE_COPY_NAME, NULL);
  g_autofree char *parent = g_path_get_dirname(path);
  g_autofree char *aside = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreReport) report = NULL;
  gboolean key = FALSE;

  g_return_val_if_fail(folder && path, NULL);
  if (!store_copy_vacant(path, FALSE, error)) {
    return NULL;
  }
  log = store_log_open_with(from, &how, error);
  if (!log) {
    return NULL;
  }
  g_mkdir_with_parents(parent, 0700);
  aside = store_copy_aside(path, error);
  if (!aside) {
    return NULL;
  }
  report = copy_back(log, aside, &key, error);
  if (report && (!store_copy_vacant(path, key, error) || !store_copy_set(aside, path, error))) {
    g_clear_pointer(&report, store_report_free);
  }
  store_copy_discard(aside);
  if (with_key) {
    *with_key = key;
  }
  return g_steal_pointer(&report);
}
