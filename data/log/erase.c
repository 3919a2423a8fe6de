/* erase.c - keys that die.
 *
 * 1. The event comes first: should the process end between the two, the log says what was to be
 *    done, and the key is there to be erased again.
 * 2. A patient is found in another log by what the texts about the conversation say. So the log
 * that has them is the last whose key is erased.
 * 3. What cannot be reached ends it before anything was erased, or is said.
 */
#include "chain.h"

#include <sodium.h>

#include "content.h"
#include "index-file.h"
#include "joint.h"
#include "keys.h"
#include "row.h"
#include "words.h"
#include "write.h"

#define DOING "erasing what is known of a patient"

/* A log in which a key is looked for. */
typedef struct {
  StoreLink *link; /* NULL: the log that is written */
  StoreLog *log;
  StoreKeys *keys;  /* LOG, when it is sealed, has none */
  GArray *subjects; /* of gint64: whose keys are to go */
} Place;

typedef struct {
  StoreLog *log;   /* that is written */
  StoreLog *of;    /* that the conversation is of; LOG, or */
  StoreLog *owned; /* ... a sealed one */
  GPtrArray *links;
  GPtrArray *identities; /* of GBytes */
  GPtrArray *places;     /* the one of OF last */
  const StoreErasure *what;
  const StoreSecrets *secrets;
  StoreErased *erased;
} Erasing;

void
store_erased_clear(StoreErased *erased)
{
  g_clear_pointer(&erased->left, g_free);
  g_clear_pointer(&erased->kept_until, g_free);
}

static void
place_free(gpointer data)
{
  Place *place = data;

  if (place->link) {
    store_keys_close(place->keys);
    store_log_close(place->log);
  }
  g_array_unref(place->subjects);
  g_free(place);
}

static void
erasing_clear(Erasing *erasing)
{
  g_clear_pointer(&erasing->links, g_ptr_array_unref);
  g_clear_pointer(&erasing->identities, g_ptr_array_unref);
  g_clear_pointer(&erasing->places, g_ptr_array_unref);
  g_clear_pointer(&erasing->owned, store_log_close);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Erasing, erasing_clear)

/* ---- who it is about ------------------------------------------------------------------------- */

/* What SQL finds for CONVERSATION. */
static gboolean
list_numbers(StoreLog *log, const char *sql, gint64 conversation, GArray *numbers, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, conversation);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
      const gint64 number = sqlite3_column_int64(statement, 0);
      if (number) {
        g_array_append_val(numbers, number);
      }
    }
  }
  return rc == SQLITE_DONE || store_fail_sqlite(error, log->db, log->name, DOING, rc);
}

#define IMAGES_OF_CONVERSATION                                                                     \
  "SELECT i.event FROM turn AS t JOIN image AS i ON i.id = t.image WHERE t.conversation = ?1"      \
  " UNION SELECT i.event FROM turn AS t JOIN event AS b ON b.seq = t.event,"                       \
  " json_each(b.body, '$.earlier_images') AS j JOIN image AS i ON i.id = j.value"                  \
  " WHERE t.conversation = ?1"

/* Those that stand for one of SUBJECTS together with others. */
static gboolean
add_joint(StoreLog *log, GArray *subjects, GError **error)
{
  for (guint i = 0, n = subjects->len; i < n; i++) {
    if (!store_joint_list(log, g_array_index(subjects, gint64, i), DOING, subjects, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* The subjects that the texts of CONVERSATION are sealed under: of its turns and of all images that
 * they were asked on. */
static gboolean
list_subjects(StoreLog *log, gint64 conversation, GArray *subjects, GError **error)
{
  return list_numbers(log,
                      "SELECT e.subject FROM turn AS t JOIN event AS e ON e.seq = t.event"
                      " WHERE t.conversation = ?1 UNION SELECT subject FROM event WHERE seq IN"
                      " (" IMAGES_OF_CONVERSATION ")",
                      conversation, subjects, error) &&
         add_joint(log, subjects, error);
}

/* How the patient of the image that EVENT made is found again. An image whose key is gone names
 * nobody. */
static gboolean
add_identity(StoreLog *log, gint64 event, GPtrArray *identities, GError **error)
{
  g_auto(StoreBody) body = {0};
  g_autoptr(GByteArray) identity = g_byte_array_new();
  GStringChunk *strings;
  StoreImage image = {0};

  if (!store_row_open(log, event, "image", &body, NULL, NULL, error)) {
    return FALSE;
  }
  if (!body.json[STORE_SEALED]) {
    return TRUE;
  }
  strings = g_string_chunk_new(256);
  store_get_image(&body, &image, strings);
  store_put_identity(identity, &image, 0);
  g_string_chunk_free(strings);
  if (identity->len > 0 && identity->data[0] != 'c') { /* nothing names it but its conversation */
    g_ptr_array_add(identities, g_bytes_new(identity->data, identity->len));
  }
  sodium_memzero(identity->data, identity->len);
  return !body.failed;
}

static gboolean
list_identities(StoreLog *log, gint64 conversation, GPtrArray *identities, GError **error)
{
  g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(gint64));

  if (!list_numbers(log, IMAGES_OF_CONVERSATION, conversation, events, error)) {
    return FALSE;
  }
  for (guint i = 0; i < events->len; i++) {
    if (!add_identity(log, g_array_index(events, gint64, i), identities, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Until when the newest text is to be kept, unless that is over. */
static gboolean
look_at_duty(Erasing *erasing, gint64 conversation, GError **error)
{
  StoreErased *erased = erasing->erased;
  g_autoptr(GArray) last = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_auto(StoreBody) body = {0};
  g_autofree char *time = NULL;
  gboolean ended = FALSE;

  if (!store_log_retention(erasing->log, &erased->retention_years, NULL, error) ||
      !list_numbers(erasing->of, "SELECT max(event) FROM turn WHERE conversation = ?1",
                    conversation, last, error)) {
    return FALSE;
  }
  if (last->len == 0) {
    return TRUE;
  }
  if (!store_row_open(erasing->of, g_array_index(last, gint64, 0), "turn", &body, &time, NULL,
                      error)) {
    return FALSE;
  }
  erased->kept_until = store_log_kept_until(erasing->log, time, erased->retention_years, &ended);
  if (ended) {
    g_clear_pointer(&erased->kept_until, g_free);
  }
  return TRUE;
}

/* ---- where ----------------------------------------------------------------------------------- */

static void
add_place(Erasing *erasing, StoreLink *link, StoreLog *log, StoreKeys *keys)
{
  Place *place = g_new0(Place, 1);

  place->link = link;
  place->log = log;
  place->keys = keys;
  place->subjects = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_ptr_array_add(erasing->places, place);
}

/* Whether LINK's keys are where they should be: those of a log that was changed can be erased. */
static gboolean
is_reachable(const StoreLink *link)
{
  g_autofree char *keys = g_strconcat(link->path, ".keys", NULL);

  return link->state != STORE_LINK_MISSING && g_file_test(keys, G_FILE_TEST_EXISTS);
}

static gboolean
leave(Erasing *erasing, const StoreLink *link, const char *why, GError **error)
{
  char *left = erasing->erased->left;

  if (!erasing->what->leave_missing) {
    return store_fail(error, STORE_ERROR_NOT_FOUND, erasing->log->name,
                      DOING ": nothing was erased, for %s, in which there may be texts about the "
                            "same patient, cannot be reached (%s)",
                      link->file, why);
  }
  erasing->erased->left = left ? g_strconcat(left, ", ", link->file, NULL) : g_strdup(link->file);
  g_free(left);
  return TRUE;
}

static gboolean
open_place(Erasing *erasing, StoreLink *link, GError **error)
{
  g_autoptr(GError) local = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreKeys) keys = NULL;

  if (link->state == STORE_LINK_RETIRED) {
    return TRUE;
  }
  log = is_reachable(link) ? store_chain_open_link(link) : NULL;
  if (!log) {
    return leave(erasing, link, link->found ? link->found : "its keys are missing", error);
  }
  keys = store_keys_open(link->path, FALSE, erasing->secrets, &local);
  if (!keys || g_strcmp0(store_keys_log_id(keys), link->log_id) != 0 ||
      g_strcmp0(store_log_id(log), link->log_id) != 0) {
    return leave(erasing, link, keys ? "it is another log" : local->message, error);
  }
  add_place(erasing, link, g_steal_pointer(&log), g_steal_pointer(&keys));
  return TRUE;
}

/* All of them, that of the log that the conversation is of last. */
static gboolean
open_places(Erasing *erasing, GError **error)
{
  StoreLink *last = NULL;

  for (guint i = 0; i < erasing->links->len; i++) {
    StoreLink *link = erasing->links->pdata[i];
    if (erasing->owned && g_str_equal(link->log_id, erasing->of->log_id)) {
      last = link;
    } else if (!open_place(erasing, link, error)) {
      return FALSE;
    }
  }
  add_place(erasing, NULL, erasing->log, erasing->log->keys);
  return !last || open_place(erasing, last, error);
}

static gboolean
find_subjects(Erasing *erasing, Place *place, GError **error)
{
  for (guint i = 0; i < erasing->identities->len; i++) {
    gsize n = 0;
    const void *identity = g_bytes_get_data(erasing->identities->pdata[i], &n);
    gint64 subject = 0;
    if (!store_keys_find_subject(place->keys, identity, n, FALSE, 0, &subject, error)) {
      return FALSE;
    }
    if (subject) {
      g_array_append_val(place->subjects, subject);
    }
  }
  return add_joint(place->log, place->subjects, error);
}

/* The sealed log whose name is erasing->what->of. */
static gboolean
open_of(Erasing *erasing, GError **error)
{
  const StoreOpen how = {.read_only = TRUE, .secrets = erasing->secrets};
  g_autofree char *name = g_path_get_basename(erasing->what->of);

  for (guint i = 0; i < erasing->links->len; i++) {
    const StoreLink *link = erasing->links->pdata[i];
    if (g_str_equal(link->file, name)) {
      erasing->of = erasing->owned = store_log_open_with(link->path, &how, error);
      return erasing->of != NULL;
    }
  }
  return store_fail(error, STORE_ERROR_NOT_FOUND, erasing->log->name,
                    DOING ": it goes on from no log %s", name);
}

/* ---- erasing --------------------------------------------------------------------------------- */

static gboolean
note(Erasing *erasing, const Place *place, gint64 subject, GError **error)
{
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, subject);
  const StoreErased *erased = erasing->erased;
  StoreField fields[6] = {{"subject", number}, {"reason", erasing->what->reason}};
  StoreEvent event = {.kind = "erased", .fields = fields, .n_fields = 2};

  if (place->link) {
    fields[event.n_fields++] = (StoreField){"file", place->link->file};
    fields[event.n_fields++] = (StoreField){"log_id", place->link->log_id};
  }
  if (erased->kept_until) { /* the duty to keep had not ended */
    fields[event.n_fields++] = (StoreField){"to_be_kept_until", erased->kept_until};
  }
  if (erased->left) {
    fields[event.n_fields++] = (StoreField){"not_reached", erased->left};
  }
  return store_log_add_event(erasing->log, &event, error) != 0;
}

static gboolean
erase_subject(Erasing *erasing, const Place *place, gint64 subject, gboolean *done, GError **error)
{
  guint8 key[STORE_KEY_BYTES];
  gboolean there = FALSE;

  if (!store_keys_get_subject(place->keys, subject, key, &there, error)) {
    return FALSE;
  }
  sodium_memzero(key, sizeof key);
  if (!there) {
    return TRUE;
  }
  if (!note(erasing, place, subject, error) ||
      !store_keys_erase_subject(place->keys, subject, erasing->secrets, error)) {
    return FALSE;
  }
  erasing->erased->subjects++;
  *done = TRUE;
  return TRUE;
}

static gboolean
erase_in(Erasing *erasing, const Place *place, GError **error)
{
  g_autofree char *index =
      g_strconcat(place->link ? place->link->path : erasing->log->path, ".index", NULL);
  gboolean done = FALSE;

  for (guint i = 0; i < place->subjects->len; i++) {
    if (!erase_subject(erasing, place, g_array_index(place->subjects, gint64, i), &done, error)) {
      return FALSE;
    }
  }
  erasing->erased->files += done;
  if (!place->link) {
    return store_words_forget(erasing->log, error);
  }
  return !g_file_test(index, G_FILE_TEST_EXISTS) || store_index_file_remove(index, error);
}

static gboolean
prepare(Erasing *erasing, gint64 conversation, GError **error)
{
  Place *last;

  erasing->links = store_log_links(erasing->log, error);
  if (!erasing->links || (erasing->what->of && !open_of(erasing, error)) ||
      !store_require(erasing->of, STORE_SQL_HAS_CONVERSATION, "conversation", DOING, conversation,
                     error) ||
      !list_identities(erasing->of, conversation, erasing->identities, error) ||
      !look_at_duty(erasing, conversation, error) || !open_places(erasing, error)) {
    return FALSE;
  }
  last = erasing->places->pdata[erasing->places->len - 1];
  for (guint i = 0; i + 1 < erasing->places->len; i++) {
    if (!find_subjects(erasing, erasing->places->pdata[i], error)) {
      return FALSE;
    }
  }
  return list_subjects(erasing->of, conversation, last->subjects, error);
}

gboolean
store_log_erase_all(StoreLog *log, gint64 conversation, const StoreErasure *what,
                    const StoreSecrets *secrets, StoreErased *erased, GError **error)
{
  g_auto(Erasing)
      erasing = {.log = log, .of = log, .what = what, .secrets = secrets, .erased = erased};

  g_return_val_if_fail(log && what && erased, FALSE);
  memset(erased, 0, sizeof *erased);
  erasing.identities = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  erasing.places = g_ptr_array_new_with_free_func(place_free);
  if (log->goes_on) {
    return store_chain_refuse(log, DOING, error);
  }
  if (log->read_only || !log->keys) {
    return store_fail(error, STORE_ERROR_IO, log->name, "%s: the log was opened for reading only",
                      DOING);
  }
  if (!prepare(&erasing, conversation, error)) {
    return FALSE;
  }
  for (guint i = 0; i < erasing.places->len; i++) {
    if (!erase_in(&erasing, erasing.places->pdata[i], error)) {
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
store_log_erase(StoreLog *log, gint64 conversation, const char *reason, guint *subjects,
                const StoreSecrets *secrets, GError **error)
{
  const StoreErasure what = {.reason = reason};
  g_auto(StoreErased) erased = {0};

  if (!store_log_erase_all(log, conversation, &what, secrets, &erased, error)) {
    return FALSE;
  }
  if (subjects) {
    *subjects = erased.subjects;
  }
  return TRUE;
}
