/* joint.c - texts about several patients at once.
 *
 * 1. A turn that was asked on images of several subjects is sealed under a subject of its own,
 * which stands for them together and for no image: whose key it is says no more than that of a
 * patient.
 * 2. When one of them is erased, so is every joint subject that it is part of. Turns from before
 *    there were joint subjects are sealed under the subject of the image that joined last, which an
 *    erasure of another does not touch.
 */
#include "joint.h"

#include "keys.h"
#include "row.h"
#include <sodium.h>

static gboolean
subject_of_image(StoreLog *log, gint64 image, const char *doing, gint64 *subject, GError **error)
{
  const gint64 event = store_require(log, STORE_SQL_HAS_IMAGE, "image", doing, image, error);
  g_auto(StoreBody) body = {0};

  return event && store_row_open(log, event, "image", &body, NULL, subject, error);
}

/* SUBJECTS stays in order, each once. */
static void
insert(GArray *subjects, gint64 subject)
{
  guint at = 0;

  while (at < subjects->len && g_array_index(subjects, gint64, at) < subject) {
    at++;
  }
  if (at == subjects->len || g_array_index(subjects, gint64, at) != subject) {
    g_array_insert_val(subjects, at, subject);
  }
}

/* The one that stands for all SUBJECTS; made where it is new. */
static gboolean
find_joint(StoreLog *log, const GArray *subjects, const char *doing, gint64 *subject,
           GError **error)
{
  g_autoptr(GString) identity = g_string_new("j");
  gint64 next = 0;

  for (guint i = 0; i < subjects->len; i++) {
    const gint64 one = g_array_index(subjects, gint64, i);
    guint8 key[STORE_KEY_BYTES];
    gboolean there = FALSE;

    if (!store_keys_get_subject(log->keys, one, key, &there, error)) {
      return FALSE;
    }
    sodium_memzero(key, sizeof key);
    if (!there) {
      return store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                        "%s: the key of a patient whose image it is about was erased", doing);
    }
    g_string_append_printf(identity, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", one);
  }
  return store_row_next(log, doing, &next, error) &&
         store_keys_find_subject(log->keys, identity->str, identity->len, TRUE, next, subject,
                                 error);
}

gboolean
store_joint_subject(StoreLog *log, const StoreTurn *turn, const char *doing, gint64 *subject,
                    GError **error)
{
  g_autoptr(GArray) subjects = g_array_new(FALSE, FALSE, sizeof(gint64));

  for (gsize i = 0; i <= turn->n_earlier_images; i++) {
    const gint64 image = i < turn->n_earlier_images ? turn->earlier_images[i] : turn->image;
    gint64 one = 0;

    if (!subject_of_image(log, image, doing, &one, error)) {
      return FALSE;
    }
    insert(subjects, one);
  }
  if (subjects->len == 1) {
    *subject = g_array_index(subjects, gint64, 0);
    return TRUE;
  }
  return find_joint(log, subjects, doing, subject, error);
}

gboolean
store_joint_list(StoreLog *log, gint64 subject, const char *doing, GArray *joint, GError **error)
{
  static const char sql[] =
      "WITH asked (event, image) AS (SELECT event, image FROM turn WHERE image IS NOT NULL"
      " UNION ALL SELECT t.event, j.value FROM turn AS t JOIN event AS b ON b.seq = t.event,"
      " json_each(b.body, '$.earlier_images') AS j)"
      " SELECT DISTINCT te.subject FROM asked JOIN image AS i ON i.id = asked.image"
      " JOIN event AS ie ON ie.seq = i.event JOIN event AS te ON te.seq = asked.event"
      " WHERE ie.subject = ?1 AND te.subject NOT IN"
      " (SELECT e.subject FROM image AS x JOIN event AS e ON e.seq = x.event)";
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, subject);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
      const gint64 one = sqlite3_column_int64(statement, 0);
      g_array_append_val(joint, one);
    }
  }
  return rc == SQLITE_DONE || store_fail_sqlite(error, log->db, log->name, doing, rc);
}
