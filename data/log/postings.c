/* postings.c - see postings.h.
 *
 * 1. What is gathered has each conversation once for a term, as long as conversations come one
 *    after the other; where they do not, the set that is written has it once all the same.
 * 2. Lists come from a file whose pages were proved, and are read as if they did not.
 */
#include "postings.h"

#include "terms.h"
#include <string.h>

const char store_postings_tables[] =
    "CREATE TABLE IF NOT EXISTS posting (shard INTEGER NOT NULL, term BLOB NOT NULL,"
    " list BLOB NOT NULL, PRIMARY KEY (shard, term)) WITHOUT ROWID;";

/* ---- sets ------------------------------------------------------------------------------------ */

static void
add_to_set(StoreSet *set, guint place)
{
  set->bits[place / 64] |= G_GUINT64_CONSTANT(1) << (place % 64);
}

gint
store_set_last(const StoreSet *set, gint most)
{
  for (gint i = most / 64; most >= 0 && i >= 0; i--) {
    guint64 bits = set->bits[i];

    if (i == most / 64 && most % 64 != 63) {
      bits &= (G_GUINT64_CONSTANT(1) << (most % 64 + 1)) - 1;
    }
    if (bits) {
      return 64 * i + 63 - __builtin_clzll(bits);
    }
  }
  return -1;
}

void
store_set_and(StoreSet *set, const StoreSet *other)
{
  for (guint i = 0; i < G_N_ELEMENTS(set->bits); i++) {
    set->bits[i] &= other->bits[i];
  }
}

/* Adds what a row says to SET; FALSE: no row of ours says so. */
static gboolean
read_list(const guint8 *list, gsize n, StoreSet *set)
{
  gint64 place = -1;

  if (n == sizeof set->bits) {
    for (guint i = 0; i < G_N_ELEMENTS(set->bits); i++) {
      guint64 bits;
      memcpy(&bits, list + 8 * i, sizeof bits);
      set->bits[i] |= GUINT64_FROM_LE(bits);
    }
    return TRUE;
  }
  for (gsize i = 0; i < n; i++) {
    gint64 step = list[i] & 127;

    if (list[i] & 128) {
      if (++i == n) {
        return FALSE;
      }
      step |= (gint64)list[i] << 7;
    }
    place += step;
    if (step == 0 || place >= STORE_SHARD) {
      return FALSE;
    }
    add_to_set(set, (guint)place);
  }
  return TRUE;
}

/* Into LIST, which has room for a set's bits. Returns how many bytes it takes. */
static gsize
write_list(const StoreSet *set, guint8 *list)
{
  gint before = -1;
  gsize n = 0;

  for (guint i = 0; i < G_N_ELEMENTS(set->bits) && n + 2 < sizeof set->bits; i++) {
    for (guint64 bits = set->bits[i]; bits && n + 2 < sizeof set->bits; bits &= bits - 1) {
      const gint place = (gint)(64 * i) + __builtin_ctzll(bits);
      const guint step = (guint)(place - before);

      list[n++] = (guint8)((step & 127) | (step > 127 ? 128 : 0));
      if (step > 127) {
        list[n++] = (guint8)(step >> 7);
      }
      before = place;
    }
  }
  if (n + 2 < sizeof set->bits) {
    return n;
  }
  for (guint i = 0; i < G_N_ELEMENTS(set->bits); i++) {
    const guint64 bits = GUINT64_TO_LE(set->bits[i]);
    memcpy(list + 8 * i, &bits, sizeof bits);
  }
  return sizeof set->bits;
}

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct {
  gint64 shard;
  guint32 hash;
  guint n, n_places, room;
  guint16 *places;
  char term[STORE_MOST_TERM];
} Entry;

struct _StoreGathering {
  GHashTable *entries; /* of Entry, to itself */
};

static guint
entry_hash(gconstpointer key)
{
  return ((const Entry *)key)->hash;
}

static gboolean
entry_equal(gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  return x->hash == y->hash && x->shard == y->shard && x->n == y->n &&
         memcmp(x->term, y->term, x->n) == 0;
}

static void
entry_free(gpointer data)
{
  Entry *entry = data;

  g_free(entry->places);
  g_free(entry);
}

StoreGathering *
store_gathering_new(void)
{
  StoreGathering *gathering = g_new0(StoreGathering, 1);

  gathering->entries = g_hash_table_new_full(entry_hash, entry_equal, NULL, entry_free);
  return gathering;
}

void
store_gathering_free(StoreGathering *gathering)
{
  if (gathering) {
    g_hash_table_unref(gathering->entries);
    g_free(gathering);
  }
}

guint
store_gathering_count(StoreGathering *gathering)
{
  return g_hash_table_size(gathering->entries);
}

void
store_gathering_add(StoreGathering *gathering, gint64 conversation, const char *term, gsize n)
{
  const guint16 place = (guint16)(conversation % STORE_SHARD);
  Entry key = {.shard = conversation / STORE_SHARD, .n = (guint)MIN(n, STORE_MOST_TERM)};
  Entry *entry;

  memcpy(key.term, term, key.n);
  key.hash = 2166136261u ^ (guint32)key.shard;
  for (guint i = 0; i < key.n; i++) {
    key.hash = (key.hash ^ (guint8)term[i]) * 16777619u;
  }
  entry = g_hash_table_lookup(gathering->entries, &key);
  if (!entry) {
    entry = g_memdup2(&key, sizeof key);
    g_hash_table_add(gathering->entries, entry);
  }
  if (entry->n_places && entry->places[entry->n_places - 1] == place) {
    return;
  }
  if (entry->n_places == entry->room) {
    entry->room = entry->room ? 2 * entry->room : 4;
    entry->places = g_renew(guint16, entry->places, entry->room);
  }
  entry->places[entry->n_places++] = place;
}

static int
in_order(gconstpointer a, gconstpointer b)
{
  const Entry *x = *(Entry *const *)a, *y = *(Entry *const *)b;
  const int first = memcmp(x->term, y->term, MIN(x->n, y->n));

  return x->shard != y->shard ? (x->shard > y->shard) - (x->shard < y->shard)
         : first              ? first
                              : (x->n > y->n) - (x->n < y->n);
}

static int
write_entry(const Entry *entry, StorePostings *postings, gboolean fresh, sqlite3_stmt *put)
{
  guint8 list[sizeof(StoreSet)];
  StoreSet set = {{0}};
  gsize n;
  int rc = fresh ? SQLITE_OK
                 : store_postings_get(postings, entry->shard, entry->term, entry->n, FALSE, &set);

  if (rc != SQLITE_OK) {
    return rc;
  }
  for (guint i = 0; i < entry->n_places; i++) {
    add_to_set(&set, entry->places[i]);
  }
  n = write_list(&set, list);
  sqlite3_bind_int64(put, 1, entry->shard);
  sqlite3_bind_blob(put, 2, entry->term, (int)entry->n, SQLITE_STATIC);
  sqlite3_bind_blob(put, 3, list, (int)n, SQLITE_STATIC);
  rc = sqlite3_step(put);
  sqlite3_reset(put);
  sqlite3_clear_bindings(put);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
store_gathering_write(StoreGathering *gathering, sqlite3 *db)
{
  g_autofree gpointer *entries = NULL;
  g_auto(StorePostings) postings = {0};
  g_autoptr(StoreOwnedStatement) put = NULL;
  guint n = 0;
  gint64 shard = -1, last = -1;
  gboolean fresh = FALSE;
  int rc = store_postings_open(&postings, db);

  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(db, "REPLACE INTO posting (shard, term, list) VALUES (?1, ?2, ?3)", -1,
                            &put, NULL);
  }
  entries = g_hash_table_get_keys_as_array(gathering->entries, &n);
  qsort(entries, n, sizeof *entries, in_order);
  for (guint i = 0; i < n && rc == SQLITE_OK; i++) {
    const Entry *entry = entries[i];

    if (entry->shard != shard) { /* what is the first of its shard has nothing to join */
      shard = entry->shard;
      rc = store_postings_shard(&postings, shard, &last);
      fresh = last != shard;
    }
    if (rc == SQLITE_OK) {
      rc = write_entry(entry, &postings, fresh, put);
    }
  }
  g_hash_table_remove_all(gathering->entries);
  return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

int
store_postings_open(StorePostings *postings, sqlite3 *db)
{
  int rc = sqlite3_prepare_v2(db, "SELECT list FROM posting WHERE shard = ?1 AND term = ?2", -1,
                              &postings->one, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(
        db, "SELECT list FROM posting WHERE shard = ?1 AND term >= ?2 AND term < ?3", -1,
        &postings->many, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(db, "SELECT max(shard) FROM posting WHERE shard <= ?1", -1,
                            &postings->shard, NULL);
  }
  return rc;
}

void
store_postings_clear(StorePostings *postings)
{
  g_clear_pointer(&postings->one, sqlite3_finalize);
  g_clear_pointer(&postings->many, sqlite3_finalize);
  g_clear_pointer(&postings->shard, sqlite3_finalize);
}

int
store_postings_shard(StorePostings *postings, gint64 most, gint64 *shard)
{
  int rc;

  sqlite3_bind_int64(postings->shard, 1, most);
  rc = sqlite3_step(postings->shard);
  *shard = rc == SQLITE_ROW && sqlite3_column_type(postings->shard, 0) == SQLITE_INTEGER
               ? sqlite3_column_int64(postings->shard, 0)
               : -1;
  sqlite3_reset(postings->shard);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int
store_postings_get(StorePostings *postings, gint64 shard, const char *term, gsize n,
                   gboolean begins, StoreSet *set)
{
  sqlite3_stmt *statement = begins ? postings->many : postings->one;
  char end[STORE_MOST_TERM + 1];
  int rc;

  memset(set, 0, sizeof *set);
  n = MIN(n, STORE_MOST_TERM);
  memcpy(end, term, n);
  end[n] = (char)0xff; /* no byte of UTF-8 */
  sqlite3_bind_int64(statement, 1, shard);
  sqlite3_bind_blob(statement, 2, term, (int)n, SQLITE_STATIC);
  if (begins) {
    sqlite3_bind_blob(statement, 3, end, (int)n + 1, SQLITE_STATIC);
  }
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
    const gsize length = (gsize)sqlite3_column_bytes(statement, 0);

    if (!read_list(sqlite3_column_blob(statement, 0), length, set)) {
      rc = SQLITE_CORRUPT;
      break;
    }
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
