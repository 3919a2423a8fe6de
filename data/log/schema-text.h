/* schema-text.h - how the texts of the schema are put together. A released version never
 * changes (tests/data/test-migrate.c holds their sums), so neither does what is here. */
#ifndef HILUM_DATA_LOG_SCHEMA_TEXT_H
#define HILUM_DATA_LOG_SCHEMA_TEXT_H

/* clang-format off */

#define BEGIN_TABLE(table) \
  "CREATE TABLE " table " (\n" \
  "  id INTEGER PRIMARY KEY CHECK (id > 0),\n" \
  "  time TEXT NOT NULL CHECK (time LIKE '____-__-__T__:__:__.___Z')"
#define COLUMN(text) ",\n  " text
#define END_TABLE "\n) STRICT;\n"

#define SHA256(name) \
  COLUMN(name " TEXT CHECK (length(" name ") = 64 AND " name " NOT GLOB '*[^0-9a-f]*')")
#define COUNT(name) COLUMN(name " INTEGER NOT NULL CHECK (" name " BETWEEN 0 AND 4294967295)")
#define FLAG(name) COLUMN(name " INTEGER NOT NULL CHECK (" name " IN (0, 1))")
#define IDS(name) COLUMN(name " BLOB NOT NULL CHECK (length(" name ") % 4 = 0)")

#define INDEX(name, on) "CREATE INDEX " name " ON " on ";\n"

/* BEFORE INSERT sees the id only where the statement gives one; that is the case to refuse. */
#define APPEND_ONLY(table, key) \
  "CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table "\n" \
  "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;\n" \
  "CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table "\n" \
  "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;\n" \
  "CREATE TRIGGER " table "_no_replace BEFORE INSERT ON " table "\n" \
  "WHEN EXISTS (SELECT 1 FROM " table " WHERE " key ")\n" \
  "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;\n"

/* clang-format on */

#endif
