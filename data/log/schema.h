/* schema.h - the versions of the log's tables, and how a file is brought to the newest. */
#ifndef HILUM_DATA_LOG_SCHEMA_H
#define HILUM_DATA_LOG_SCHEMA_H

#include "store.h"
#include <glib.h>
#include <sqlite3.h>

#define STORE_APPLICATION_ID 0x48494c4d /* "HILM" */

/* MIGRATIONS[i] takes a log of version i to version i + 1; version 0 is an empty file. The texts
 * are never edited once released: a new version is a new text at the end. */
typedef struct {
  const char *const *migrations;
  int version;
} StoreSchema;

extern const StoreSchema store_schema;

/* Reads what the file says it is and changes nothing: FALSE with FORMAT, NEWER or CORRUPT. *version
 * is 0 for an empty file. READ_ONLY: a newer one is let through. */
gboolean store_schema_check(sqlite3 *db, const char *name, const StoreSchema *schema,
                            gboolean read_only, int *version, GError **error);
/* Each step in one transaction, so that a failure leaves the version before it. LOG: whose rows are
 * brought over and whose first event is written; NULL for a schema without rows. */
gboolean store_schema_migrate(sqlite3 *db, const char *name, const StoreSchema *schema,
                              StoreLog *log, GError **error);
/* Holds every table, index, trigger and view against those that the migrations make: one that is
 * missing, changed or foreign is CORRUPT. */
gboolean store_schema_compare(sqlite3 *db, const char *name, const StoreSchema *schema,
                              GError **error);
/* For a file of a newer VERSION: whether all columns that this one reads are there; NEWER where one
 * is not. *same_rows: events have no others, so that their hashes are what they were. */
gboolean store_schema_known(sqlite3 *db, const char *name, int version, gboolean *same_rows,
                            GError **error);

#endif
