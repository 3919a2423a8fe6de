/* derived.c - see derived.h.
 *
 * 1. Where each event of a kind has a row that says the same and names this event, and the table
 * has as many rows as there are such events, every row is what its event says: no two events can
 *    have the same row.
 * 2. The quick look reads only plain JSON of Hilum's own; whatever is unlike it is left to SQLite.
 */
#include "derived.h"

#include <string.h>

#define MOST_MEMBERS 4u

static const struct {
  const char *kind, *table;
  const char *columns;    /* named as the members of the event */
  const char *numbers[4]; /* the same; all but the hash */
  gboolean lookup;        /* the first column is a hash, which the event has in hexadecimal */
  const char *differs;
} tables[STORE_N_DERIVED] = {
    {"model",
     "model",
     "lookup",
     {NULL},
     TRUE,
     "lower(hex(d.lookup)) IS NOT json_extract(e.body, '$.lookup')"},
    {"image",
     "image",
     "lookup",
     {NULL},
     TRUE,
     "lower(hex(d.lookup)) IS NOT json_extract(e.body, '$.lookup')"},
    {"conversation",
     "conversation",
     "model, rewound_from",
     {"model", "rewound_from"},
     FALSE,
     "d.model IS NOT json_extract(e.body, '$.model')"
     " OR d.rewound_from IS NOT json_extract(e.body, '$.rewound_from')"},
    {"turn",
     "turn",
     "conversation, number, image",
     {"conversation", "number", "image"},
     FALSE,
     "d.conversation IS NOT json_extract(e.body, '$.conversation')"
     " OR d.number IS NOT json_extract(e.body, '$.number')"
     " OR d.image IS NOT json_extract(e.body, '$.image')"},
    {"verdict", "verdict", "turn", {"turn"}, FALSE, "d.turn IS NOT json_extract(e.body, '$.turn')"},
    {"check",
     "answer_check",
     "turn",
     {"turn"},
     FALSE,
     "d.turn IS NOT json_extract(e.body, '$.turn')"},
};

void
store_derived_clear(StoreDerived *derived)
{
  for (guint i = 0; i < STORE_N_DERIVED; i++) {
    g_clear_pointer(&derived->row[i], sqlite3_finalize);
  }
}

guint
store_derived_of(const char *kind)
{
  guint i = 0;

  while (i < STORE_N_DERIVED && strcmp(tables[i].kind, kind) != 0) {
    i++;
  }
  return i;
}

const char *
store_derived_table(guint which)
{
  return tables[which].table;
}

/* ---- the members of an object ---------------------------------------------------------------- */

/* VALUE: where it begins, NULL: the object has none; N bytes. */
typedef struct {
  const char *name, *value;
  gsize n;
} Member;

/* Behind the string that begins at AT; END: it does not end. */
static const char *
skip_string(const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++) {
    at += *at == '\\';
  }
  return at < end ? at + 1 : end;
}

static const char *
skip_value(const char *at, const char *end)
{
  guint depth = 0;

  while (at < end) {
    if (*at == '"') {
      at = skip_string(at, end);
    } else if (*at == '{' || *at == '[') {
      depth++;
      at++;
    } else if (depth == 0 && (*at == ',' || *at == '}')) {
      break;
    } else {
      depth -= depth > 0 && (*at == '}' || *at == ']');
      at++;
    }
  }
  return at;
}

/* Over spaces, and then over C. */
static gboolean
skip(const char **at, const char *end, char c)
{
  while (*at < end && **at == ' ') {
    (*at)++;
  }
  if (*at >= end || **at != c) {
    return FALSE;
  }
  (*at)++;
  return TRUE;
}

static gboolean
note_member(Member *members, guint n_members, const char *name, gsize n_name, const char *value,
            gsize n)
{
  for (guint i = 0; i < n_members; i++) {
    if (strlen(members[i].name) == n_name && memcmp(members[i].name, name, n_name) == 0) {
      if (members[i].value) {
        return FALSE; /* twice: readers differ in which one counts */
      }
      members[i].value = value;
      members[i].n = n;
    }
  }
  return TRUE;
}

/* FALSE: BODY is no object as Hilum writes them. */
static gboolean
read_members(const char *body, gsize n, Member *members, guint n_members)
{
  const char *at = body, *end = body + n;

  if (!skip(&at, end, '{')) {
    return FALSE;
  }
  do {
    const char *name, *value;
    gsize n_name;

    if (!skip(&at, end, '"')) {
      return FALSE;
    }
    name = at;
    at = skip_string(at - 1, end);
    n_name = (gsize)(at - name) - 1;
    if (at == end || memchr(name, '\\', n_name) || !skip(&at, end, ':')) {
      return FALSE;
    }
    at += at < end && *at == ' ';
    value = at;
    at = skip_value(at, end);
    if (!note_member(members, n_members, name, n_name, value, (gsize)(at - value))) {
      return FALSE;
    }
  } while (skip(&at, end, ','));
  return skip(&at, end, '}') && at == end;
}

/* A whole number above 0, or 0. */
static gint64
number_of(const Member *member)
{
  gint64 number = 0;

  if (!member->value || member->n > 18) {
    return 0;
  }
  for (gsize i = 0; i < member->n; i++) {
    if (!g_ascii_isdigit(member->value[i])) {
      return 0;
    }
    number = 10 * number + (member->value[i] - '0');
  }
  return number;
}

/* ---- a quick look ---------------------------------------------------------------------------- */

static gboolean
same_number(sqlite3_stmt *row, int column, const Member *member)
{
  const int type = sqlite3_column_type(row, column);

  if (type == SQLITE_NULL) {
    return !member->value;
  }
  return type == SQLITE_INTEGER && number_of(member) > 0 &&
         sqlite3_column_int64(row, column) == number_of(member);
}

static gboolean
same_lookup(sqlite3_stmt *row, int column, const Member *member)
{
  static const char digits[] = "0123456789abcdef";
  const int n = sqlite3_column_bytes(row, column);
  const guint8 *bytes = sqlite3_column_blob(row, column);

  if (sqlite3_column_type(row, column) != SQLITE_BLOB || !member->value || !bytes ||
      member->n != 2 * (gsize)n + 2 || member->value[0] != '"') {
    return FALSE;
  }
  for (int i = 0; i < n; i++) {
    if (member->value[1 + 2 * i] != digits[bytes[i] >> 4] ||
        member->value[2 + 2 * i] != digits[bytes[i] & 15]) {
      return FALSE;
    }
  }
  return TRUE;
}

static sqlite3_stmt *
row_of(StoreDerived *derived, sqlite3 *db, guint which)
{
  if (!derived->row[which]) {
    g_autofree char *sql = g_strdup_printf("SELECT event, %s FROM %s WHERE id = ?1",
                                           tables[which].columns, tables[which].table);
    sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &derived->row[which], NULL);
  }
  return derived->row[which];
}

gboolean
store_derived_same(StoreDerived *derived, sqlite3 *db, guint which, gint64 number, const char *body,
                   gsize n)
{
  sqlite3_stmt *row = row_of(derived, db, which);
  Member members[MOST_MEMBERS] = {{"id", NULL, 0}};
  guint n_members = 1;
  gboolean same;

  if (tables[which].lookup) {
    members[n_members++].name = "lookup";
  }
  for (guint i = 0; tables[which].numbers[i]; i++) {
    members[n_members++].name = tables[which].numbers[i];
  }
  if (!row || !read_members(body, n, members, n_members) || number_of(&members[0]) == 0) {
    return FALSE;
  }
  sqlite3_bind_int64(row, 1, number_of(&members[0]));
  same = sqlite3_step(row) == SQLITE_ROW && sqlite3_column_int64(row, 0) == number;
  for (guint i = 1; same && i < n_members; i++) {
    same = tables[which].lookup ? same_lookup(row, (int)i, &members[i])
                                : same_number(row, (int)i, &members[i]);
  }
  sqlite3_reset(row);
  return same;
}

/* ---- a thorough one -------------------------------------------------------------------------- */

gboolean
store_derived_find(StoreLog *log, guint which, const char *doing, gint64 found[2], GError **error)
{
  g_autofree char *sql = g_strdup_printf(
      "SELECT d.id, d.event FROM %s AS d LEFT JOIN event AS e ON e.seq = d.event"
      " WHERE e.kind IS NOT '%s' OR d.id IS NOT json_extract(e.body, '$.id') OR %s LIMIT 1",
      tables[which].table, tables[which].kind, tables[which].differs);
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL);

  found[0] = found[1] = 0;
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  if (rc == SQLITE_ROW) {
    found[0] = sqlite3_column_int64(statement, 0);
    found[1] = sqlite3_column_int64(statement, 1);
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, log->db, log->name, doing, rc);
}
