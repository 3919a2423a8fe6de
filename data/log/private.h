/* private.h - what the files of the conversation log share. */
#ifndef HILUM_DATA_LOG_PRIVATE_H
#define HILUM_DATA_LOG_PRIVATE_H

#include "store.h"
#include <sqlite3.h>

/* The texts are in statement.c; each is prepared on first use and kept. */
typedef enum {
  STORE_SQL_BEGIN,
  STORE_SQL_COMMIT,
  STORE_SQL_ROLLBACK,
  STORE_SQL_FIND_MODEL,
  STORE_SQL_ADD_MODEL,
  STORE_SQL_FIND_PATIENT,
  STORE_SQL_ADD_PATIENT,
  STORE_SQL_FIND_STUDY,
  STORE_SQL_ADD_STUDY,
  STORE_SQL_FIND_SERIES,
  STORE_SQL_ADD_SERIES,
  STORE_SQL_FIND_IMAGE,
  STORE_SQL_ADD_IMAGE,
  STORE_SQL_ADD_CONVERSATION,
  STORE_SQL_ADD_TURN,
  STORE_SQL_HAS_MODEL,
  STORE_SQL_HAS_IMAGE,
  STORE_SQL_HAS_CONVERSATION,
  STORE_SQL_LAST_TURN,
  STORE_SQL_LIST,
  STORE_SQL_GET,
  STORE_SQL_SHOW,
  STORE_SQL_ADD_TURN_IMAGE,
  STORE_SQL_EARLIER,
  STORE_SQL_HAS_TURN,
  STORE_SQL_ADD_VERDICT,
  STORE_SQL_VERDICTS,
  STORE_SQL_ADD_CHECK,
  STORE_SQL_ADD_CHECK_ANSWER,
  STORE_SQL_CHECKS,
  STORE_SQL_CHECK_ANSWERS,
  STORE_SQL_ADD_TURN_WORDS,
  STORE_SQL_ADD_VERDICT_WORDS,
  STORE_SQL_FIND_WORD,
  STORE_SQL_SNIPPET,
  STORE_SQL_VERDICT_SNIPPET,
  STORE_N_SQL,
} StoreSql;

struct _StoreLog {
  sqlite3 *db;
  char *name; /* the path as messages show it */
  gboolean read_only;
  sqlite3_stmt *statements[STORE_N_SQL];
};

/* ---- error.c: both set *error to "NAME: …" and return FALSE ------------------------------ */

gboolean store_fail(GError **error, StoreError code, const char *name, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* RC: what SQLite answered while DOING ("adding a turn"). Says nothing of any row's content. */
gboolean store_fail_sqlite(GError **error, sqlite3 *db, const char *name, const char *doing,
                           int rc);

/* ---- file.c ----------------------------------------------------------------------------- */

/* Makes the folder and an empty file where they are missing (unless READ_ONLY), refuses what is no
 * regular file, and takes others' rights away. Returns the path with its folder resolved. */
char *store_file_prepare(const char *path, gboolean read_only, GError **error);
/* Size in bytes, 0 when it is not there. */
gint64 store_file_size(const char *path, const char *suffix);

/* ---- log.c ---------------------------------------------------------------------------------- */

/* Runs texts of our own that bind nothing and return nothing. */
gboolean store_exec(sqlite3 *db, const char *name, const char *doing, const char *sql,
                    GError **error);
void store_log_set_busy_timeout(StoreLog *log, int milliseconds);

/* ---- statement.c ------------------------------------------------------------------------ */

/* A prepared statement in use: leaving the scope resets it and forgets what was bound. */
typedef sqlite3_stmt StoreStatement;
void store_statement_done(StoreStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreStatement, store_statement_done)

StoreStatement *store_statement(StoreLog *log, StoreSql sql, const char *doing, GError **error);
/* One step; *row says whether there is a row. */
gboolean store_step(StoreLog *log, StoreStatement *statement, const char *doing, gboolean *row,
                    GError **error);
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
/* NULL, or 64 lower-case hexadecimal digits. */
void store_bind_sha256(StoreBinder *binder, const char *field, const char *text);
void store_bind_int(StoreBinder *binder, gint64 value);
/* An id, 0 meaning none (NULL). */
void store_bind_id(StoreBinder *binder, gint64 id);
/* Not-a-number becomes NULL. */
void store_bind_real(StoreBinder *binder, double value);
/* Little-endian int32. */
void store_bind_ids(StoreBinder *binder, const char *field, const gint32 *ids, gsize count);
void store_bind_pieces(StoreBinder *binder, const char *field, const StorePiece *pieces,
                       gsize count);
void store_bind_null(StoreBinder *binder);
/* Now, ISO 8601, UTC, milliseconds. */
void store_bind_time(StoreBinder *binder);

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
/* NaN for NULL. */
double store_read_real(StoreReader *reader, const char *field);
/* Host order, g_free(); NULL with *count 0 for none. */
gint32 *store_read_ids(StoreReader *reader, const char *field, gsize *count);
/* Pieces of TEXT: their ends never fall, and stand between characters. */
StorePiece *store_read_pieces(StoreReader *reader, const char *field, const char *text,
                              gsize *count);
void store_corrupt(StoreReader *reader, const char *field, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* ---- read.c ------------------------------------------------------------------------------ */

/* Two columns: the reference in one row and the id of the row that was found for it. A reference
 * that leads nowhere was broken by other hands. 0 for NULL. */
gint64 store_read_reference(StoreReader *reader, const char *field, StoreNull null);
char *store_dup_text(StoreReader *reader, const char *field, StoreNull null);

/* ---- write.c ----------------------------------------------------------------------------- */

gboolean store_begin(StoreLog *log, const char *doing, GError **error);
/* Ends the transaction: commits what made ID, or rolls back. Returns ID, or 0 with *error set. */
gint64 store_finish(StoreLog *log, const char *doing, gint64 id, GError **error);
/* NOT_FOUND unless SQL finds ID, which is one of WHAT. */
gboolean store_require(StoreLog *log, StoreSql sql, const char *what, const char *doing, gint64 id,
                       GError **error);
/* The row that an INSERT without a result has made: its id, or 0. */
gint64 store_insert(StoreLog *log, StoreBinder *binder, const char *doing, GError **error);

/* ---- search.c ---------------------------------------------------------------------------- */

/* Enters the words of TEXT and, when SQL has a place for them, of MORE (else NULL) for row ID, by
 * SQL. */
gboolean store_add_words(StoreLog *log, StoreSql sql, gint64 id, const char *text, const char *more,
                         const char *doing, GError **error);
/* IO when this SQLite has no FTS5. */
gboolean store_check_words(sqlite3 *db, const char *name, GError **error);

#endif
