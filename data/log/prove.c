/* prove.c - one conversation with what proves it, and the check of that on another machine.
 *
 * The proof is one JSON object:
 *   "hilum_proof"  1
 *   "public_key"   what LOG.pub holds, for comparison: who checks brings a copy of his own
 *   "checkpoint"   a signed note (head.h)
 *   "conversation" its id
 *   "events"       a list of {"number", "row": base64 of the row's bytes (row.h), "path": list of
 *                  base64 of the hashes from its leaf to the root, the lowest first, "key": base64
 *                  of the event's own key (seal.h), or null where nothing is sealed or it is gone}
 *
 * The way to the root goes through the block of 1024 rows that an event lies in, whose root is in
 * the log: a proof costs the hashes of its blocks, whatever the log's length.
 */
#include "record.h"

#include "head.h"
#include "json-text.h"
#include "limits.h"
#include "row.h"
#include "seal.h"
#include <sodium.h>
#include <string.h>

#define DOING "proving a conversation"
#define MOST_PROOF (256u << 20)
#define MOST_EVENTS 100000u
#define MOST_PATH 64u

/* ---- which events -----------------------------------------------------------------------------
 */

/* The first event, which names the log; those of the conversation, its model and images, and what
 * was made of its answers; in order. */
static const char events_sql[] =
    "SELECT 1 AS event UNION SELECT event FROM conversation WHERE id = ?1"
    " UNION SELECT m.event FROM model AS m JOIN conversation AS c ON c.model = m.id WHERE c.id = ?1"
    " UNION SELECT event FROM turn WHERE conversation = ?1"
    " UNION SELECT i.event FROM image AS i JOIN turn AS t ON t.image = i.id"
    "  WHERE t.conversation = ?1"
    " UNION SELECT v.event FROM verdict AS v JOIN turn AS t ON t.id = v.turn"
    "  WHERE t.conversation = ?1"
    " UNION SELECT a.event FROM answer_check AS a JOIN turn AS t ON t.id = a.turn"
    "  WHERE t.conversation = ?1"
    " UNION SELECT i.event FROM turn AS t JOIN event AS e ON e.seq = t.event,"
    "  json_each(e.body, '$.earlier_images') AS j JOIN image AS i ON i.id = j.value"
    "  WHERE t.conversation = ?1 ORDER BY 1";

static GArray *
list_events(StoreLog *log, gint64 conversation, GError **error)
{
  g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, events_sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, conversation);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW && events->len < MOST_EVENTS) {
      const gint64 event = sqlite3_column_int64(statement, 0);
      g_array_append_val(events, event);
    }
  }
  if (rc != SQLITE_DONE) {
    store_fail_sqlite(error, log->db, log->name, DOING, rc == SQLITE_ROW ? SQLITE_TOOBIG : rc);
    return NULL;
  }
  return g_steal_pointer(&events);
}

/* ---- the way to the root ----------------------------------------------------------------------
 */

/* The roots of the blocks below SIZE rows, the last of which may not be full. */
typedef struct {
  GArray *roots;  /* of StoreHash */
  GArray *leaves; /* of the block that was asked for last */
  gint64 block;   /* which one, from 0; -1: none */
} Ways;

static StoreHash
hash_at(guint64 index, gpointer user)
{
  return g_array_index((GArray *)user, StoreHash, index);
}

static gboolean
read_hashes(StoreLog *log, const char *sql, gint64 first, gint64 last, gboolean leaf, GArray *into,
            GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, first);
    sqlite3_bind_int64(statement, 2, last);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
      StoreHash hash;
      if (sqlite3_column_bytes(statement, 0) != (int)sizeof hash.bytes) {
        rc = SQLITE_CORRUPT;
        break;
      }
      memcpy(hash.bytes, sqlite3_column_blob(statement, 0), sizeof hash.bytes);
      if (leaf) {
        hash = store_hash_leaf(hash.bytes, sizeof hash.bytes);
      }
      g_array_append_val(into, hash);
    }
  }
  return rc == SQLITE_DONE || store_fail_sqlite(error, log->db, log->name, DOING, rc);
}

static gboolean
read_leaves(StoreLog *log, gint64 first, gint64 last, GArray *into, GError **error)
{
  g_array_set_size(into, 0);
  return read_hashes(log, "SELECT hash FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", first,
                     last, TRUE, into, error) &&
         ((gint64)into->len == last - first + 1 ||
          store_fail(error, STORE_ERROR_CORRUPT, log->name, DOING ": an event is missing"));
}

static gboolean
open_ways(StoreLog *log, guint64 size, Ways *ways, GError **error)
{
  const gint64 whole = (gint64)(size / STORE_BLOCK_ROWS), rest = (gint64)(size % STORE_BLOCK_ROWS);

  ways->roots = g_array_new(FALSE, FALSE, sizeof(StoreHash));
  ways->leaves = g_array_new(FALSE, FALSE, sizeof(StoreHash));
  ways->block = -1;
  if (!read_hashes(log, "SELECT root FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id", 1, whole,
                   FALSE, ways->roots, error)) {
    return FALSE;
  }
  if ((gint64)ways->roots->len != whole) {
    return store_fail(error, STORE_ERROR_CORRUPT, log->name, DOING ": a block is missing");
  }
  if (rest) {
    StoreHash root;
    if (!read_leaves(log, whole * STORE_BLOCK_ROWS + 1, (gint64)size, ways->leaves, error)) {
      return FALSE;
    }
    root = store_merkle_subtree(0, (guint64)rest, hash_at, ways->leaves);
    g_array_append_val(ways->roots, root);
    ways->block = whole;
  }
  return TRUE;
}

static void
close_ways(Ways *ways)
{
  g_clear_pointer(&ways->roots, g_array_unref);
  g_clear_pointer(&ways->leaves, g_array_unref);
}

static GArray *
path_of(StoreLog *log, gint64 number, guint64 size, Ways *ways, GError **error)
{
  const gint64 index = number - 1, block = index / STORE_BLOCK_ROWS;
  g_autoptr(GArray) path = NULL, high = NULL;

  if (ways->block != block) {
    const gint64 first = block * STORE_BLOCK_ROWS + 1;
    if (!read_leaves(log, first, MIN(first + STORE_BLOCK_ROWS - 1, (gint64)size), ways->leaves,
                     error)) {
      return NULL;
    }
    ways->block = block;
  }
  path = store_merkle_path((guint64)(index % STORE_BLOCK_ROWS), ways->leaves->len, hash_at,
                           ways->leaves);
  high = store_merkle_path((guint64)block, ways->roots->len, hash_at, ways->roots);
  g_array_append_vals(path, high->data, high->len);
  return g_steal_pointer(&path);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void
append_base64(GString *json, const guint8 *bytes, gsize n)
{
  g_autofree char *text = g_base64_encode(bytes, n);

  g_string_append_printf(json, "\"%s\"", text);
}

static gboolean
append_row(StoreLog *log, const StoreRow *row, GString *json, GError **error)
{
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  guint8 key[STORE_SEAL_KEY_BYTES];
  gboolean there = FALSE;

  if (!store_row_key(log, row, key, &there, error)) {
    return FALSE;
  }
  store_row_bytes(row, bytes);
  g_string_append_printf(json, "{\"number\": %" G_GINT64_FORMAT ", \"row\": ", row->number);
  append_base64(json, bytes->data, bytes->len);
  g_string_append(json, ", \"key\": ");
  if (there) {
    append_base64(json, key, sizeof key);
  } else {
    g_string_append(json, "null");
  }
  sodium_memzero(key, sizeof key);
  return TRUE;
}

static gboolean
append_event(StoreLog *log, gint64 number, guint64 size, Ways *ways, GString *json, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EVENT, DOING, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  StoreReader reader = {log, statement, "event", number, 0, FALSE, error};
  g_autoptr(GArray) path = NULL;
  gboolean found = FALSE;
  StoreRow row;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, number);
  if (binder.failed || !store_step(log, statement, DOING, &found, error)) {
    return FALSE;
  }
  if (!found) {
    return store_fail(error, STORE_ERROR_CORRUPT, log->name,
                      "event %" G_GINT64_FORMAT ": found nothing, expected one", number);
  }
  if (!store_row_read(&reader, &row) || !append_row(log, &row, json, error)) {
    return FALSE;
  }
  path = path_of(log, number, size, ways, error);
  if (!path) {
    return FALSE;
  }
  g_string_append(json, ", \"path\": [");
  for (guint i = 0; i < path->len; i++) {
    g_string_append(json, i ? ", " : "");
    append_base64(json, g_array_index(path, StoreHash, i).bytes, sizeof(StoreHash));
  }
  g_string_append(json, "]}");
  return TRUE;
}

/* The last checkpoint that covers event LAST, or a new one. */
static gboolean
checkpoint_for(StoreLog *log, gint64 last, const StoreVerifier *key, StoreCheckpoint *checkpoint,
               char **note, GError **error)
{
  g_autofree char *path = g_strconcat(log->path, ".head", NULL);
  g_autoptr(GPtrArray) heads = NULL;
  g_autofree char *text = NULL;
  gboolean cut = FALSE;

  if (!log->read_only) {
    return store_log_checkpoint(log, note, error) && store_note_open(key, *note, &text, error) &&
           store_checkpoint_parse(checkpoint, text, key->name, error);
  }
  heads = store_head_read(path, key, &cut, error);
  if (!heads) {
    return FALSE;
  }
  for (guint i = heads->len; i > 0; i--) {
    const StoreHead *head = heads->pdata[i - 1];
    if (head->checkpoint.size >= (guint64)last) {
      *checkpoint = head->checkpoint;
      *note = g_strdup(head->note);
      return TRUE;
    }
  }
  return store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                    DOING ": no checkpoint covers it yet, and the log is open for reading only");
}

char *
store_log_prove(StoreLog *log, gint64 conversation, GError **error)
{
  g_autoptr(GArray) events = NULL;
  g_autoptr(GString) json = g_string_new("{\"hilum_proof\": 1, \"conversation\": ");
  g_auto(StoreVerifier) key = {0};
  g_autofree char *note = NULL, *public_key = NULL;
  StoreCheckpoint checkpoint = {0};
  Ways ways = {0};
  gboolean ok;

  if (!store_require(log, STORE_SQL_HAS_CONVERSATION, "conversation", DOING, conversation, error) ||
      !store_head_verifier(log->path, &key, error)) {
    return NULL;
  }
  events = list_events(log, conversation, error);
  if (!events || !checkpoint_for(log, g_array_index(events, gint64, events->len - 1), &key,
                                 &checkpoint, &note, error)) {
    return NULL;
  }
  public_key = store_verifier_text(&key);
  g_string_append_printf(json, "%" G_GINT64_FORMAT, conversation);
  store_json_append_member(json, "public_key", public_key);
  store_json_append_member(json, "checkpoint", note);
  g_string_append(json, ", \"events\": [");
  ok = open_ways(log, checkpoint.size, &ways, error);
  for (guint i = 0; ok && i < events->len; i++) {
    g_string_append(json, i ? ",\n " : "\n ");
    ok = append_event(log, g_array_index(events, gint64, i), checkpoint.size, &ways, json, error);
  }
  close_ways(&ways);
  g_string_append(json, "]}\n");
  return ok ? g_string_free(g_steal_pointer(&json), FALSE) : NULL;
}

/* ---- checking ---------------------------------------------------------------------------------
 */

static gboolean G_GNUC_PRINTF(2, 3) no_proof(GError **error, const char *format, ...)
{
  va_list args;
  g_autofree char *what = NULL;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, STORE_ERROR, STORE_ERROR_CORRUPT, "the proof: %s", what);
  return FALSE;
}

/* The bytes of a row, read back. */
typedef struct {
  const guint8 *at, *end;
  gboolean failed;
} Bytes;

static const guint8 *
take(Bytes *bytes, guint64 n)
{
  const guint8 *at = bytes->at;

  if (bytes->failed || n > (guint64)(bytes->end - bytes->at)) {
    bytes->failed = TRUE;
    return NULL;
  }
  bytes->at += n;
  return at;
}

static guint64
take_u64(Bytes *bytes)
{
  const guint8 *at = take(bytes, 8);
  guint64 value = 0;

  if (at) {
    memcpy(&value, at, 8);
  }
  return GUINT64_FROM_BE(value);
}

/* A value of TAG, or NULL where NULL_TOO and it is 'n'. */
static const guint8 *
take_value(Bytes *bytes, char tag, gboolean null_too, guint64 *n)
{
  const guint8 *found = take(bytes, 1);

  *n = 0;
  if (found && null_too && *found == 'n') {
    return NULL;
  }
  if (!found || *found != (guint8)tag) {
    bytes->failed = TRUE;
    return NULL;
  }
  *n = take_u64(bytes);
  return tag == 'i' ? NULL : take(bytes, *n);
}

static void
expect_name(Bytes *bytes, const char *name)
{
  guint64 n = 0;
  const guint8 *found = take_value(bytes, 't', FALSE, &n);

  if (!found || n != strlen(name) || memcmp(found, name, n) != 0) {
    bytes->failed = TRUE;
  }
}

/* Texts are copied into STRINGS, so that they end with a NUL. */
static gboolean
read_back(const guint8 *row_bytes, gsize n, StoreRow *row, GStringChunk *strings)
{
  Bytes bytes = {row_bytes, row_bytes + n, FALSE};
  const guint8 *head = take(&bytes, 1), *count, *text;
  guint64 length = 0;

  memset(row, 0, sizeof *row);
  bytes.failed = bytes.failed || *head != 'T';
  expect_name(&bytes, "event");
  count = take(&bytes, 4);
  bytes.failed = bytes.failed || memcmp(count, "\0\0\0\7", 4) != 0;
  expect_name(&bytes, "seq");
  take_value(&bytes, 'i', FALSE, &length);
  row->number = (gint64)length;
  for (guint i = 0; i < 2; i++) {
    expect_name(&bytes, i ? "kind" : "time");
    text = take_value(&bytes, 't', FALSE, &length);
    *(i ? &row->kind : &row->time) =
        text ? g_string_chunk_insert_len(strings, (const char *)text, (gssize)length) : "";
  }
  expect_name(&bytes, "subject");
  take_value(&bytes, 'i', TRUE, &length);
  row->subject = (gint64)length;
  expect_name(&bytes, "body");
  text = take_value(&bytes, 't', FALSE, &length);
  row->n_body = length;
  row->body = text ? g_string_chunk_insert_len(strings, (const char *)text, (gssize)length) : "";
  expect_name(&bytes, "sealed");
  row->sealed = take_value(&bytes, 'b', TRUE, &length);
  row->n_sealed = length;
  expect_name(&bytes, "previous");
  text = take_value(&bytes, 'b', FALSE, &length);
  if (!text || length != sizeof row->previous.bytes || bytes.at != bytes.end) {
    return FALSE;
  }
  memcpy(row->previous.bytes, text, sizeof row->previous.bytes);
  return !bytes.failed && strlen(row->body) == row->n_body;
}

static guint8 *
decode(JsonObject *object, const char *field, gsize *n)
{
  const char *text = json_object_get_string_member_with_default(object, field, NULL);

  *n = 0;
  return text ? g_base64_decode(text, n) : NULL;
}

static GArray *
decode_path(JsonObject *object)
{
  JsonNode *node = json_object_get_member(object, "path");
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(StoreHash));

  if (!list || json_array_get_length(list) > MOST_PATH) {
    return NULL;
  }
  for (guint i = 0; i < json_array_get_length(list); i++) {
    JsonNode *item = json_array_get_element(list, i);
    const char *text =
        json_node_get_value_type(item) == G_TYPE_STRING ? json_node_get_string(item) : "";
    gsize n = 0;
    g_autofree guint8 *bytes = g_base64_decode(text, &n);
    StoreHash hash;

    if (n != sizeof hash.bytes) {
      return NULL;
    }
    memcpy(hash.bytes, bytes, n);
    g_array_append_val(path, hash);
  }
  return g_steal_pointer(&path);
}

static gboolean
tell_proved(const StoreRow *row, const StoreHash *hash, const char *text, StoreEventFunc func,
            gpointer user, GError **error)
{
  char sha256[65];
  const StoreEventRow event = {.number = row->number,
                               .time = row->time,
                               .kind = row->kind,
                               .body = row->body,
                               .text = text,
                               .subject = row->subject,
                               .erased = row->subject && !text,
                               .sha256 = sha256};

  sodium_bin2hex(sha256, sizeof sha256, hash->bytes, sizeof hash->bytes);
  return func(&event, user, error);
}

static gboolean
check_text(JsonObject *object, const StoreRow *row, char **text, gsize *n, GError **error)
{
  gsize n_key = 0;
  JsonNode *node = json_object_get_member(object, "key");
  g_autofree guint8 *key = NULL;
  g_autoptr(GByteArray) bound = NULL;

  *text = NULL;
  if (node && JSON_NODE_HOLDS_NULL(node)) {
    return TRUE;
  }
  key = decode(object, "key", &n_key);
  if (n_key != STORE_SEAL_KEY_BYTES || !row->sealed) {
    return no_proof(error, "event %" G_GINT64_FORMAT ": found no key of 32 bytes", row->number);
  }
  bound = g_byte_array_new();
  store_row_bound(row, bound);
  *text = store_unseal(key, row->sealed, row->n_sealed, bound, n);
  return *text ||
         no_proof(error, "event %" G_GINT64_FORMAT ": its key does not open its text", row->number);
}

static gboolean
check_proved(JsonObject *object, const StoreCheckpoint *checkpoint, gint64 *before,
             StoreEventFunc func, gpointer user, GError **error)
{
  g_autoptr(GStringChunk) strings = g_string_chunk_new(4096);
  g_autoptr(GArray) path = decode_path(object);
  gsize n = 0, n_text = 0;
  g_autofree guint8 *bytes = decode(object, "row", &n);
  StoreHash hash, leaf;
  StoreRow row;
  char *text = NULL;
  gboolean ok;

  if (!bytes || !path || !read_back(bytes, n, &row, strings) || row.number <= *before) {
    return no_proof(error, "found what is no event, expected one behind event %" G_GINT64_FORMAT,
                    *before);
  }
  *before = row.number;
  hash = store_hash(bytes, n);
  leaf = store_hash_leaf(hash.bytes, sizeof hash.bytes);
  if ((guint64)row.number > checkpoint->size ||
      !store_merkle_check_path((guint64)row.number - 1, checkpoint->size, &leaf, path,
                               &checkpoint->root)) {
    return no_proof(error, "event %" G_GINT64_FORMAT " is not among those that were signed",
                    row.number);
  }
  if (!check_text(object, &row, &text, &n_text, error)) {
    return FALSE;
  }
  ok = tell_proved(&row, &hash, text, func, user, error);
  store_wipe(text, n_text);
  return ok;
}

static gboolean
check_all(JsonObject *proof, const char *public_key, StoreEventFunc func, gpointer user,
          GError **error)
{
  g_auto(StoreVerifier) key = {0};
  const char *note = json_object_get_string_member_with_default(proof, "checkpoint", NULL);
  JsonNode *node = json_object_get_member(proof, "events");
  JsonArray *events = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  g_autofree char *text = NULL;
  StoreCheckpoint checkpoint = {0};
  gint64 before = 0;

  if (!store_verifier_parse(&key, public_key, error)) {
    return FALSE;
  }
  if (json_object_get_int_member_with_default(proof, "hilum_proof", 0) != 1 || !note || !events ||
      json_array_get_length(events) > MOST_EVENTS) {
    return no_proof(error, "found no checkpoint and events, or those of a newer Hilum");
  }
  if (!store_note_open(&key, note, &text, error) ||
      !store_checkpoint_parse(&checkpoint, text, key.name, error)) {
    return FALSE;
  }
  for (guint i = 0; i < json_array_get_length(events); i++) {
    JsonNode *item = json_array_get_element(events, i);
    if (!JSON_NODE_HOLDS_OBJECT(item)) {
      return no_proof(error, "found something else, expected events");
    }
    if (!check_proved(json_node_get_object(item), &checkpoint, &before, func, user, error)) {
      return FALSE;
    }
  }
  return before > 0 || no_proof(error, "it holds no event");
}

gboolean
store_check_proof(const char *text, gsize n, const char *public_key, StoreEventFunc func,
                  gpointer user, GError **error)
{
  g_autoptr(GError) local = NULL;
  g_auto(StoreBody) body = {.name = "the proof", .kind = "proof", .error = &local};

  if (sodium_init() < 0 || n > MOST_PROOF) {
    return no_proof(error, "found %" G_GSIZE_FORMAT " bytes, expected at most %u", n, MOST_PROOF);
  }
  if (!store_body_parse(&body, STORE_CLEAR, text, n)) {
    return no_proof(error, "found no JSON object, expected one");
  }
  return check_all(body.json[STORE_CLEAR], public_key, func, user, error);
}
