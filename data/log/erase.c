/* erase.c - keys that die, and a root key that moves. */
#include "record.h"

#include "joint.h"
#include "keys.h"
#include "row.h"
#include "words.h"
#include "write.h"
#include <sodium.h>

#define DOING "erasing what is known of a patient"

/* The subjects that the texts of CONVERSATION are sealed under: of its turns and of all images that
 * they were asked on; and those that stand for one of these together with others. */
static gboolean
list_subjects(StoreLog *log, gint64 conversation, GArray *subjects, GError **error)
{
  static const char sql[] =
      "SELECT e.subject FROM turn AS t JOIN event AS e ON e.seq = t.event WHERE t.conversation = ?1"
      " UNION SELECT e.subject FROM turn AS t JOIN event AS b ON b.seq = t.event,"
      " json_each(b.body, '$.earlier_images') AS j JOIN image AS i ON i.id = j.value"
      " JOIN event AS e ON e.seq = i.event WHERE t.conversation = ?1";
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, conversation);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
      const gint64 subject = sqlite3_column_int64(statement, 0);
      if (subject) {
        g_array_append_val(subjects, subject);
      }
    }
  }
  sqlite3_finalize(statement);
  if (rc != SQLITE_DONE) {
    return store_fail_sqlite(error, log->db, log->name, DOING, rc);
  }
  for (guint i = 0, n = subjects->len; i < n; i++) {
    if (!store_joint_list(log, g_array_index(subjects, gint64, i), DOING, subjects, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* The event comes first: should the process end between the two, the log says what was to be done,
 * and the key is there to be erased again. */
static gboolean
erase_subject(StoreLog *log, gint64 subject, const char *reason, const StoreSecrets *secrets,
              guint *erased, GError **error)
{
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, subject);
  const StoreField fields[] = {{"subject", number}, {"reason", reason}};
  const StoreEvent event = {.kind = "erased", .fields = fields, .n_fields = G_N_ELEMENTS(fields)};
  guint8 key[STORE_KEY_BYTES];
  gboolean there = FALSE;

  if (!store_keys_get_subject(log->keys, subject, key, &there, error)) {
    return FALSE;
  }
  sodium_memzero(key, sizeof key);
  if (!there) {
    return TRUE;
  }
  if (!store_log_add_event(log, &event, error) ||
      !store_keys_erase_subject(log->keys, subject, secrets, error)) {
    return FALSE;
  }
  ++*erased;
  return TRUE;
}

gboolean
store_log_erase(StoreLog *log, gint64 conversation, const char *reason, guint *subjects,
                const StoreSecrets *secrets, GError **error)
{
  const char *doing = DOING;
  g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(gint64));
  guint erased = 0;

  g_return_val_if_fail(log, FALSE);
  if (log->read_only || !log->keys) {
    return store_fail(error, STORE_ERROR_IO, log->name, "%s: the log was opened for reading only",
                      doing);
  }
  if (!store_require(log, STORE_SQL_HAS_CONVERSATION, "conversation", doing, conversation, error) ||
      !list_subjects(log, conversation, list, error)) {
    return FALSE;
  }
  for (guint i = 0; i < list->len; i++) {
    if (!erase_subject(log, g_array_index(list, gint64, i), reason, secrets, &erased, error)) {
      return FALSE;
    }
  }
  if (subjects) {
    *subjects = erased;
  }
  return store_words_forget(log, error);
}

gboolean
store_log_protect(StoreLog *log, StoreProtection protection, const StoreSecrets *secrets,
                  GError **error)
{
  StoreField fields[] = {{"name", "protection"}, {"before", NULL}, {"value", NULL}};
  const StoreEvent event = {.kind = "setting",
                            .action = "protection",
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields)};

  g_return_val_if_fail(log, FALSE);
  if (log->read_only || !log->keys) {
    return store_fail(error, STORE_ERROR_IO, log->name,
                      "moving the root key: the log was opened for reading only");
  }
  fields[1].text = store_protection_name(log);
  if (!store_keys_protect(log->keys, protection, secrets, error)) {
    return FALSE;
  }
  fields[2].text = store_protection_name(log);
  return store_log_add_event(log, &event, error) != 0;
}
