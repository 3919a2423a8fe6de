/* private.h - what the files of the conversation log share. */
#ifndef HILUM_DATA_LOG_PRIVATE_H
#define HILUM_DATA_LOG_PRIVATE_H

#include "store.h"
#include <sqlite3.h>

typedef struct _StoreKeys StoreKeys;

/* The texts are in statement.c; each is prepared on first use and kept. */
typedef enum {
  STORE_SQL_BEGIN,
  STORE_SQL_COMMIT,
  STORE_SQL_ROLLBACK,
  STORE_SQL_EVENT,
  STORE_SQL_EVENTS,
  STORE_SQL_LAST_EVENT,
  STORE_SQL_ADD_EVENT,
  STORE_SQL_HASHES,
  STORE_SQL_BLOCKS,
  STORE_SQL_ADD_BLOCK,
  STORE_SQL_FIND_MODEL,
  STORE_SQL_FIND_IMAGE,
  STORE_SQL_NEXT_MODEL,
  STORE_SQL_NEXT_IMAGE,
  STORE_SQL_NEXT_CONVERSATION,
  STORE_SQL_NEXT_TURN,
  STORE_SQL_NEXT_VERDICT,
  STORE_SQL_NEXT_CHECK,
  STORE_SQL_ADD_MODEL,
  STORE_SQL_ADD_IMAGE,
  STORE_SQL_ADD_CONVERSATION,
  STORE_SQL_ADD_TURN,
  STORE_SQL_ADD_VERDICT,
  STORE_SQL_ADD_CHECK,
  STORE_SQL_HAS_MODEL, /* each HAS: the event that made it */
  STORE_SQL_HAS_IMAGE,
  STORE_SQL_HAS_CONVERSATION,
  STORE_SQL_HAS_TURN,
  STORE_SQL_LAST_TURN,
  STORE_SQL_LIST,
  STORE_SQL_GET,
  STORE_SQL_SHOW,
  STORE_SQL_VERDICTS,
  STORE_SQL_CHECKS,
  STORE_SQL_WORDS, /* events that may have words, and whose; TEXTS: those of a conversation */
  STORE_SQL_TEXTS,
  STORE_SQL_SESSIONS,
  STORE_N_SQL,
} StoreSql;

struct _StoreLog {
  sqlite3 *db;
  char *name; /* the path as messages show it */
  gboolean read_only;
  gboolean changeless;    /* nobody can change it: opened without locks */
  GTimeSpan clock_offset; /* of the clock that events are dated by; 0 but in tests */
  GTimeSpan boot_offset;  /* of the clock that nobody sets; the same */
  StoreKeys *keys;        /* NULL: locked, only what is readable to all can be read */
  char *path;             /* as it was opened, its folder resolved */
  char *log_id;
  char *person;          /* who signed in, or NULL */
  char *first_written;   /* in another log, what is imported now; or NULL */
  struct _StorePeople *people; /* person.c: who may sign in, once it was asked for */
  gboolean words_sealed; /* the index is a file */
  sqlite3 *words;        /* search.c: the index, once it was asked for */
  guint64 signed_size;   /* head.c: rows that the last checkpoint covers */
  char *goes_on, *sealed_as, *sealed_at; /* chain.c: of a sealed log, names of files and the time */
  const char *trouble; /* head.c: what LOG.head told against the log when it was opened, or NULL */
  int newer;           /* the version of a log that a newer Hilum wrote; else 0 */
  gboolean other_rows; /* its events have columns that are not known: no hash can be checked */
  const StoreField *begin; /* what the first event of a log that is made says besides */
  gsize n_begin;
  sqlite3_stmt *statements[STORE_N_SQL];
};

/* ---- error.c: both set *error to "NAME: …" and return FALSE ------------------------------ */

gboolean store_fail(GError **error, StoreError code, const char *name, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* NUMBER: the errno of what was done to the file PATH; NOT_FOUND or IO. */
gboolean store_fail_errno(GError **error, const char *path, const char *doing, int number);
/* RC: what SQLite answered while DOING ("adding a turn"). Says nothing of any row's content. */
gboolean store_fail_sqlite(GError **error, sqlite3 *db, const char *name, const char *doing,
                           int rc);

/* ---- file.c ----------------------------------------------------------------------------- */

/* Makes the folder and an empty file where they are missing (unless READ_ONLY), refuses what is no
 * regular file, and takes others' rights away. Returns the path with its folder resolved. */
char *store_file_prepare(const char *path, gboolean read_only, GError **error);
/* Size in bytes, 0 when it is not there. */
gint64 store_file_size(const char *path, const char *suffix);
/* Whatever it is, a link as well. */
gboolean store_file_is_there(const char *path);
/* Fsyncs the folder that PATH is in; FALSE with errno. */
gboolean store_file_sync_folder(const char *path);

/* ---- log.c ---------------------------------------------------------------------------------- */

/* Runs texts of our own that bind nothing and return nothing. */
gboolean store_exec(sqlite3 *db, const char *name, const char *doing, const char *sql,
                    GError **error);
void store_log_set_busy_timeout(StoreLog *log, int milliseconds);
/* Makes a log at PATH, where none is, that goes on from another: under KEYS, which are its own from
 * then on (with an error, too), and FIELDS in its first event. */
StoreLog *store_log_begin(const char *path, StoreKeys *keys, const StoreField *fields, gsize n,
                          GError **error);
/* Another connection to the same file, for reading, which another thread may use at the same time.
 * It knows no keys. */
StoreLog *store_log_twin(StoreLog *log, GError **error);

/* ---- statement.c ------------------------------------------------------------------------ */

/* A prepared statement in use: leaving the scope resets it and forgets what was bound. */
typedef sqlite3_stmt StoreStatement;
void store_statement_done(StoreStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreStatement, store_statement_done)

/* One that is prepared for a single use: leaving the scope frees it. */
typedef sqlite3_stmt StoreOwnedStatement;
static inline void
store_owned_statement_free(StoreOwnedStatement *statement)
{
  sqlite3_finalize(statement);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreOwnedStatement, store_owned_statement_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, sqlite3_close)

StoreStatement *store_statement(StoreLog *log, StoreSql sql, const char *doing, GError **error);
/* One step; *row says whether there is a row. */
gboolean store_step(StoreLog *log, StoreStatement *statement, const char *doing, gboolean *row,
                    GError **error);
/* Many reads at one moment of the log, which also spares each of them its locks. Whether it began,
 * which is what RELEASE is told. */
gboolean store_hold(StoreLog *log);
void store_release(StoreLog *log, gboolean held);
/* Runs a statement that returns no row. */
gboolean store_run(StoreLog *log, StoreSql sql, const char *doing, GError **error);

/* Binds parameter after parameter. The first failure is kept and the later calls do nothing. */
typedef struct {
  StoreLog *log;
  sqlite3_stmt *statement;
  const char *table; /* for messages */
  int index;         /* of the last bound parameter */
  gboolean failed;
  GError **error;
} StoreBinder;

/* NULL stays NULL. Bytes that are no UTF-8 become U+FFFD: an answer may end inside a character, and
 * losing the turn would be worse; the token ids beside it hold what was really said. */
void store_bind_text(StoreBinder *binder, const char *field, const char *text);
void store_bind_int(StoreBinder *binder, gint64 value);
/* An id, 0 meaning none (NULL). */
void store_bind_id(StoreBinder *binder, gint64 id);
void store_bind_blob(StoreBinder *binder, const void *bytes, gsize n); /* NULL stays NULL */
/* Of any length; what is UTF-8 already. */
void store_bind_long_text(StoreBinder *binder, const char *text, gsize n);
void store_bind_null(StoreBinder *binder);
/* ---- column.c --------------------------------------------------------------------------- */

/* Reads column after column of the current row and trusts none. The first failure (CORRUPT, naming
 * table, row, column, found and expected) is kept; the later calls return 0 or NULL. */
typedef struct {
  StoreLog *log;
  sqlite3_stmt *statement;
  const char *table;
  gint64 row; /* id, for messages */
  int index;  /* of the next column */
  gboolean failed;
  GError **error;
} StoreReader;

typedef enum { STORE_REQUIRED, STORE_NULLABLE } StoreNull;

/* Borrowed until the next step; NULL only for NULL. */
const char *store_read_text(StoreReader *reader, const char *field, StoreNull null);
gint64 store_read_int(StoreReader *reader, const char *field, gint64 min, gint64 max);
/* A row's id, 0 for NULL. */
gint64 store_read_id(StoreReader *reader, const char *field, StoreNull null);
guint store_read_uint(StoreReader *reader, const char *field);
/* Not held against STORE_MAX_TEXT but MOST bytes; *n is its length. Required. */
const char *store_read_long_text(StoreReader *reader, const char *field, guint most, gsize *n);
void store_corrupt(StoreReader *reader, const char *field, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* ---- write.c --------------------------------------------------------------------------------- */

gboolean store_begin(StoreLog *log, const char *doing, GError **error);
/* Ends the transaction: commits what made ID, or rolls back. Returns ID, or 0 with *error set. */
gint64 store_finish(StoreLog *log, const char *doing, gint64 id, GError **error);
/* First two columns of the row that SQL finds for ID; 0 where there is none or they are NULL. */
gboolean store_look_up(StoreLog *log, StoreSql sql, const char *doing, gint64 id, gint64 found[2],
                       GError **error);
/* The event that made ID, which is one of WHAT; 0 with NOT_FOUND. */
gint64 store_require(StoreLog *log, StoreSql sql, const char *what, const char *doing, gint64 id,
                     GError **error);
/* Adds to a derived table: ID, EVENT and the N numbers or ids that follow (0 is NULL). */
gboolean store_derive_row(StoreLog *log, StoreSql sql, const char *doing, const gint64 *values,
                          guint n, GError **error);
gboolean store_next_id(StoreLog *log, StoreSql sql, const char *doing, gint64 *id, GError **error);

/* ---- head.c ---------------------------------------------------------------------------------- */

/* After a commit, and before closing: a checkpoint when one is due. */
void store_head_note(StoreLog *log);
void store_head_close(StoreLog *log);

/* ---- log.c ----------------------------------------------------------------------------------- */

/* "file", "passphrase", "keyring". */
const char *store_protection_name(StoreLog *log);

/* ---- search.c -------------------------------------------------------------------------------- */

/* IO when this SQLite has no FTS5. */
gboolean store_check_words(sqlite3 *db, const char *name, GError **error);

#endif
