/* cache-key.c - the key of what is kept about pictures outside the log: a subject of its own, so
 * that it can be erased, and old copies of what was under it read no more.
 */
#include <string.h>

#include "keys.h"
#include "private.h"
#include "row.h"
#include "write.h"

/* No patient's identity begins so. */
static const char identity[] = "\xff"
                               "what is kept about pictures";

gboolean
store_log_cache_key(StoreLog *log, guint8 key[32], GError **error)
{
  static const char doing[] = "finding the key of caches";
  gint64 next = 0, subject = 0;
  gboolean there = FALSE;

  if (!log->keys) {
    return store_fail(error, STORE_ERROR_LOCKED, log->name, "%s: the log is locked", doing);
  }
  if (!store_row_next(log, doing, &next, error) ||
      !store_keys_find_subject(log->keys, identity, sizeof identity, !log->read_only, next,
                               &subject, error) ||
      (subject && !store_keys_get_subject(log->keys, subject, key, &there, error))) {
    return FALSE;
  }
  return there || store_fail(error, STORE_ERROR_NOT_FOUND, log->name, "%s: there is none", doing);
}

gboolean
store_log_erase_cache_key(StoreLog *log, GError **error)
{
  gint64 subject = 0;

  if (!log->keys) {
    return store_fail(error, STORE_ERROR_LOCKED, log->name, "the log is locked");
  }
  return store_keys_find_subject(log->keys, identity, sizeof identity, FALSE, 0, &subject, error) &&
         (!subject || store_keys_erase_subject(log->keys, subject, NULL, error));
}
