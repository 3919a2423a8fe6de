/* teacher-journal.c - see teacher-journal.h.
 *
 * Invariants, under the lock:
 * 1. The file is whole lines up to `end`, and nothing behind it.
 * 2. `places` has the last line of each key that could be read.
 */
#include "teacher-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE "{\"hilum_teacher_journal\": 1}\n"
#define BUFFER (1u << 20)
/* A line lost to a failure of power costs a question; syncing each costs more. */
#define SYNC_US G_USEC_PER_SEC

typedef struct {
  guint8 key[32];
  guint64 at;
  guint32 n;
} Place;

struct _AppJournal {
  GMutex lock;
  char *path;
  int fd;
  guint64 end;
  gint64 synced;      /* µs */
  GHashTable *places; /* of Place, which is its own key */
};

void
app_journal_entry_clear(AppJournalEntry *entry)
{
  g_clear_pointer(&entry->text, g_free);
  g_clear_pointer(&entry->why, g_free);
  g_clear_pointer(&entry->model, g_free);
}

static guint
place_hash(gconstpointer place)
{
  guint hash;

  memcpy(&hash, ((const Place *)place)->key, sizeof hash);
  return hash;
}

static gboolean
place_equal(gconstpointer a, gconstpointer b)
{
  return memcmp(((const Place *)a)->key, ((const Place *)b)->key, 32) == 0;
}

static gboolean
key_bytes(const char *key, guint8 bytes[32])
{
  if (!key || strlen(key) != 64) {
    return FALSE;
  }
  for (guint i = 0; i < 32; i++) {
    const int high = g_ascii_xdigit_value(key[2 * i]), low = g_ascii_xdigit_value(key[2 * i + 1]);
    if (high < 0 || low < 0) {
      return FALSE;
    }
    bytes[i] = (guint8)(high << 4 | low);
  }
  return TRUE;
}

static gboolean
fail(const char *path, const char *what, GError **error)
{
  const int why = errno;
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: the journal cannot be %s: %s", name, what,
              g_strerror(why));
  return FALSE;
}

static gboolean
refuse(const char *path, const char *what, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "%s: %s", name, what);
  return FALSE;
}

/* ---- one line ------------------------------------------------------------------------------- */

static guint64
get_count(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  const gint64 n = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;

  return n > 0 ? MIN((guint64)n, G_MAXUINT32) : 0;
}

static gboolean
get_flag(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_boolean(node);
}

static char *
get_text(JsonObject *object, const char *name)
{
  const char *text = app_json_get_text(object, name);

  return text && g_utf8_validate(text, -1, NULL) ? g_strdup(text) : NULL;
}

static gboolean
entry_read(const char *line, gsize n, AppJournalEntry *entry)
{
  g_autoptr(JsonObject) object = app_json_object_read(line, n, NULL);
  const char *key = object ? app_json_get_text(object, "key") : NULL;
  const char *outcome = object ? app_json_get_text(object, "outcome") : NULL;
  guint8 bytes[32];

  if (!key_bytes(key, bytes) || !outcome) {
    return FALSE;
  }
  entry->outcome = APP_N_TEACHER_OUTCOMES;
  for (guint i = 0; i < APP_N_TEACHER_OUTCOMES; i++) {
    if (strcmp(outcome, app_teacher_outcome_name((AppTeacherOutcome)i)) == 0) {
      entry->outcome = (AppTeacherOutcome)i;
    }
  }
  g_strlcpy(entry->key, key, sizeof entry->key);
  entry->text = get_text(object, "text");
  entry->why = get_text(object, "why");
  entry->model = get_text(object, "model");
  entry->is_cut = get_flag(object, "cut");
  entry->is_estimate = get_flag(object, "estimate");
  entry->tokens_in = get_count(object, "tokens_in");
  entry->tokens_out = get_count(object, "tokens_out");
  return entry->outcome < APP_N_TEACHER_OUTCOMES &&
         (entry->text != NULL) == (entry->outcome == APP_TEACHER_ANSWERED);
}

static char *
entry_line(const AppJournalEntry *entry)
{
  JsonObject *o = json_object_new();
  g_autoptr(JsonNode) node = app_json_node(o);
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ"), *json = NULL;

  json_object_set_string_member(o, "key", entry->key);
  json_object_set_string_member(o, "outcome", app_teacher_outcome_name(entry->outcome));
  json_object_set_string_member(o, "time", time);
  app_json_set_text(o, "model", entry->model);
  json_object_set_int_member(o, "tokens_in", (gint64)entry->tokens_in);
  json_object_set_int_member(o, "tokens_out", (gint64)entry->tokens_out);
  json_object_set_boolean_member(o, "estimate", entry->is_estimate);
  if (entry->outcome == APP_TEACHER_ANSWERED) {
    json_object_set_boolean_member(o, "cut", entry->is_cut);
    json_object_set_string_member(o, "text", entry->text);
  } else {
    app_json_set_text(o, "why", entry->why);
  }
  json = app_json_text(node);
  return g_strconcat(json, "\n", NULL);
}

/* ---- opening -------------------------------------------------------------------------------- */

static void
remember(AppJournal *journal, const char *key, guint64 at, gsize n)
{
  Place *place = g_new(Place, 1);

  *place = (Place){.at = at, .n = (guint32)n};
  key_bytes(key, place->key);
  g_hash_table_replace(journal->places, place, place);
}

static void
take_line(AppJournal *journal, const char *line, gsize n, guint64 at, AppJournalFacts *facts)
{
  g_auto(AppJournalEntry) entry = {0};

  if (!entry_read(line, n, &entry)) {
    facts->damaged++;
    return;
  }
  facts->entries++;
  facts->tokens_in += entry.tokens_in;
  facts->tokens_out += entry.tokens_out;
  remember(journal, entry.key, at, n);
}

/* What is not longer than a line may be. */
typedef struct {
  GByteArray *line; /* the beginning of one that goes on; empty when it is too long */
  gboolean too_long;
  guint64 at; /* where it begins */
} Reading;

static void
end_line(AppJournal *journal, Reading *r, guint64 end, AppJournalFacts *facts)
{
  if (r->too_long) {
    facts->damaged++;
  } else if (r->at > 0) { /* not the first, which was looked at */
    take_line(journal, (const char *)r->line->data, r->line->len, r->at, facts);
  }
  g_byte_array_set_size(r->line, 0);
  r->too_long = FALSE;
  r->at = end;
}

static void
take_bytes(AppJournal *journal, Reading *r, const char *bytes, gsize n, guint64 at,
           AppJournalFacts *facts)
{
  const char *end = bytes + n;

  for (const char *p = bytes; p < end;) {
    const char *stop = memchr(p, '\n', (gsize)(end - p));
    const gsize length = (gsize)((stop ? stop : end) - p);

    if (r->line->len + length > APP_JSON_MAX_OBJECT) {
      r->too_long = TRUE;
      g_byte_array_set_size(r->line, 0);
    }
    if (!r->too_long) {
      g_byte_array_append(r->line, (const guint8 *)p, (guint)length);
    }
    p += length + (stop != NULL);
    if (stop) {
      end_line(journal, r, at + (guint64)(p - bytes), facts);
    }
  }
}

/* A last line without its end: whole if it can be read, else gone. */
static gboolean
mend(AppJournal *journal, Reading *r, AppJournalFacts *facts, GError **error)
{
  g_auto(AppJournalEntry) entry = {0};

  journal->end = r->at;
  if (r->line->len == 0 && !r->too_long) {
    return TRUE;
  }
  if (!r->too_long && r->at > 0 && entry_read((const char *)r->line->data, r->line->len, &entry) &&
      pwrite(journal->fd, "\n", 1, (off_t)(r->at + r->line->len)) == 1) {
    end_line(journal, r, r->at + r->line->len + 1, facts);
    journal->end = r->at;
    return TRUE;
  }
  facts->torn = TRUE;
  return ftruncate(journal->fd, (off_t)journal->end) == 0 || fail(journal->path, "mended", error);
}

static gboolean
read_all(AppJournal *journal, AppJournalFacts *facts, GError **error)
{
  g_autofree char *buffer = g_malloc(BUFFER);
  g_autoptr(GByteArray) line = g_byte_array_new();
  Reading r = {.line = line};
  guint64 at = 0;

  for (;;) {
    const gssize n = pread(journal->fd, buffer, BUFFER, (off_t)at);

    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fail(journal->path, "read", error);
    }
    if (n == 0) {
      return mend(journal, &r, facts, error);
    }
    take_bytes(journal, &r, buffer, (gsize)n, at, facts);
    at += (guint64)n;
  }
}

/* Whole or not at all. */
static gboolean
append(AppJournal *journal, const char *bytes, gsize n, GError **error)
{
  gsize done = 0;

  while (done < n) {
    const gssize now = pwrite(journal->fd, bytes + done, n - done, (off_t)(journal->end + done));

    if (now < 0 && errno == EINTR) {
      continue;
    }
    if (now <= 0) {
      fail(journal->path, "written", error);
      /* What remains of the line if this fails, too, is what a kill leaves. */
      return ftruncate(journal->fd, (off_t)journal->end) == 0 && FALSE;
    }
    done += (gsize)now;
  }
  journal->end += n;
  return TRUE;
}

/* An empty file, or one whose first line a kill cut off, becomes a journal. */
static gboolean
check_first_line(AppJournal *journal, GError **error)
{
  const gsize n = strlen(FIRST_LINE);
  char found[sizeof FIRST_LINE];
  const gssize got = pread(journal->fd, found, n, 0);
  struct stat status;

  if (got < 0 || fstat(journal->fd, &status) != 0) {
    return fail(journal->path, "read", error);
  }
  if (!S_ISREG(status.st_mode) || memcmp(found, FIRST_LINE, (gsize)got) != 0) {
    return refuse(journal->path, "is no journal of a teacher; it was left alone", error);
  }
  if ((gsize)got == n) {
    return TRUE;
  }
  return append(journal, FIRST_LINE, n, error);
}

AppJournal *
app_journal_open(const char *path, AppJournalFacts *facts, GError **error)
{
  g_autoptr(AppJournal) journal = g_new0(AppJournal, 1);

  *facts = (AppJournalFacts){0};
  g_mutex_init(&journal->lock);
  journal->path = g_strdup(path);
  journal->places = g_hash_table_new_full(place_hash, place_equal, g_free, NULL);
  journal->synced = g_get_monotonic_time();
  journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
  if (journal->fd < 0) {
    fail(path, "opened", error);
    return NULL;
  }
  if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
    refuse(path, "another run uses this journal", error);
    return NULL;
  }
  if (!check_first_line(journal, error) || !read_all(journal, facts, error)) {
    return NULL;
  }
  return g_steal_pointer(&journal);
}

void
app_journal_free(AppJournal *journal)
{
  if (!journal) {
    return;
  }
  if (journal->fd >= 0) {
    fdatasync(journal->fd);
    close(journal->fd);
  }
  g_clear_pointer(&journal->places, g_hash_table_unref);
  g_mutex_clear(&journal->lock);
  g_free(journal->path);
  g_free(journal);
}

/* ---- reading and writing -------------------------------------------------------------------- */

static gboolean
place_of(AppJournal *journal, const char *key, Place *place)
{
  Place wanted = {0};
  const Place *found;

  if (!key_bytes(key, wanted.key)) {
    return FALSE;
  }
  g_mutex_lock(&journal->lock);
  found = g_hash_table_lookup(journal->places, &wanted);
  if (found) {
    *place = *found;
  }
  g_mutex_unlock(&journal->lock);
  return found != NULL;
}

gboolean
app_journal_find(AppJournal *journal, const char key[65], AppJournalEntry *entry)
{
  g_autofree char *line = NULL;
  Place place;

  if (!place_of(journal, key, &place)) {
    return FALSE;
  }
  line = g_malloc(place.n);
  if (pread(journal->fd, line, place.n, (off_t)place.at) == (gssize)place.n &&
      entry_read(line, place.n, entry) && strcmp(entry->key, key) == 0) {
    return TRUE;
  }
  app_journal_entry_clear(entry);
  return FALSE;
}

gboolean
app_journal_add(AppJournal *journal, const AppJournalEntry *entry, GError **error)
{
  g_autofree char *line = entry_line(entry);
  const gsize n = strlen(line);
  guint64 at;
  gboolean ok;

  g_mutex_lock(&journal->lock);
  at = journal->end;
  ok = append(journal, line, n, error);
  if (ok) {
    remember(journal, entry->key, at, n - 1);
    if (g_get_monotonic_time() - journal->synced > SYNC_US) {
      fdatasync(journal->fd);
      journal->synced = g_get_monotonic_time();
    }
  }
  g_mutex_unlock(&journal->lock);
  return ok;
}
