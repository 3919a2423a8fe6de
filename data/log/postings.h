/* postings.h - which conversations each term (terms.h) is in. Private to the room.
 *
 * Conversations lie in shards of 8192 by their ids. For each term of each shard there is one row:
 * the conversations' places in the shard, as 1024 bytes of bits, or as ever the distances from one
 * to the next (LEB128; the first from -1) where these are shorter. A shard's answer to any question
 * is one set of bits, so what is asked costs a few rows for each shard, however often a word is in
 * it; and the newest shards come first.
 */
#ifndef HILUM_DATA_LOG_POSTINGS_H
#define HILUM_DATA_LOG_POSTINGS_H

#include "private.h"

G_BEGIN_DECLS

#define STORE_SHARD_BITS 13u
#define STORE_SHARD (1u << STORE_SHARD_BITS)

extern const char store_postings_tables[];

/* A set of a shard's conversations. */
typedef struct {
  guint64 bits[STORE_SHARD / 64];
} StoreSet;
/* The last of SET that is at most MOST; -1: none. */
gint store_set_last(const StoreSet *set, gint most);
void store_set_and(StoreSet *set, const StoreSet *other);

/* ---- writing --------------------------------------------------------------------------------- */

/* What is to be added, in memory. */
typedef struct _StoreGathering StoreGathering;

StoreGathering *store_gathering_new(void);
void store_gathering_free(StoreGathering *gathering);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreGathering, store_gathering_free)
void store_gathering_add(StoreGathering *gathering, gint64 conversation, const char *term, gsize n);
guint store_gathering_count(StoreGathering *gathering);
/* Adds all of it to DB, within the transaction that is open there, and empties it. An SQLite code.
 */
int store_gathering_write(StoreGathering *gathering, sqlite3 *db);

/* ---- reading --------------------------------------------------------------------------------- */

/* Statements of one connection. */
typedef struct {
  sqlite3_stmt *one, *many, *shard;
} StorePostings;

/* An SQLite code, as all that follow. */
int store_postings_open(StorePostings *postings, sqlite3 *db);
void store_postings_clear(StorePostings *postings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StorePostings, store_postings_clear)

/* The last shard that is at most MOST; -1: none. */
int store_postings_shard(StorePostings *postings, gint64 most, gint64 *shard);
/* The conversations that TERM, or any that BEGINS so, is in. */
int store_postings_get(StorePostings *postings, gint64 shard, const char *term, gsize n,
                       gboolean begins, StoreSet *set);

G_END_DECLS
#endif
