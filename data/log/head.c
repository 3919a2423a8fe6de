/* head.c - see head.h.
 *
 * 1. A checkpoint is written after the rows that it covers are on the disk, so LOG.head never knows
 *    more than an honest log has.
 * 2. It is one append of one note, under a lock of the file, and fsynced. A note that was cut short
 *    by a crash is followed by an empty line and passed over.
 */
#include "head.h"

#include "chain.h"
#include "keys.h"
#include "row.h"
#include "write.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of how many the signatures are looked at when a log is opened: of all, and there is one for each
 * closing, would take longer each day. The log is held against the last; verification looks at all.
 */
#define HEADS_AT_OPENING 16u

char *
store_head_name(const char *log_id)
{
  return g_strconcat("hilum-log/", log_id, NULL);
}

void
store_head_free(StoreHead *head)
{
  if (head) {
    g_free(head->time);
    g_free(head->note);
    g_free(head);
  }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreHead, store_head_free)

/* ---- reading -------------------------------------------------------------------------------- */

static char *
read_small(const char *path, gsize most, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  g_autoptr(GString) text = NULL;
  struct stat st;
  gssize n = 1;

  if (fd < 0) {
    store_fail_errno(error, path, "opening", errno);
    return NULL;
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)most) {
    close(fd);
    store_fail(error, STORE_ERROR_FORMAT, name,
               "found no regular file of at most %" G_GSIZE_FORMAT " bytes", most);
    return NULL;
  }
  text = g_string_sized_new((gsize)st.st_size + 1);
  while (n > 0 && text->len <= most) {
    char buffer[65536];
    n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) {
      n = 1;
    } else if (n < 0) {
      int number = errno;
      close(fd);
      store_fail_errno(error, path, "reading", number);
      return NULL;
    } else {
      g_string_append_len(text, buffer, n);
    }
  }
  close(fd);
  if (text->len > most || strlen(text->str) != text->len ||
      !g_utf8_validate_len(text->str, text->len, NULL)) {
    store_fail(error, STORE_ERROR_FORMAT, name, "found what is no text");
    return NULL;
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean
store_head_verifier(const char *log_path, StoreVerifier *verifier, GError **error)
{
  g_autofree char *path = g_strconcat(log_path, ".pub", NULL);
  g_autofree char *text = read_small(path, 4096, error);
  g_autofree char *name = g_filename_display_name(path);

  if (!text) {
    return FALSE;
  }
  if (!store_verifier_parse(verifier, text, error)) {
    g_prefix_error(error, "%s: ", name);
    return FALSE;
  }
  return TRUE;
}

/* Where the note that begins at TEXT ends: behind its signatures. NULL when it has no end. */
static const char *
end_of_note(const char *text)
{
  const char *at = strstr(text, "\n\n");

  at = at ? at + 2 : NULL;
  if (!at || !g_str_has_prefix(at, "\xe2\x80\x94 ")) {
    return NULL;
  }
  while (g_str_has_prefix(at, "\xe2\x80\x94 ")) {
    at = strchr(at, '\n');
    if (!at) {
      return NULL;
    }
    at++;
  }
  return at;
}

/* Whether the one signature of the note that ends at END is as long as it must be: 68 bytes as
 * base64. A shorter one was being written when the machine stopped. */
static gboolean
is_signed_whole(const char *note, const char *end, const StoreVerifier *verifier)
{
  const gsize expected = strlen("\xe2\x80\x94 ") + strlen(verifier->name) + 1 + 92 + 1;
  const char *line = end - 1;

  while (line > note && line[-1] != '\n') {
    line--;
  }
  return (gsize)(end - line) >= expected;
}

static StoreHead *
parse_head(const char *note, const StoreVerifier *verifier, GError **error)
{
  g_autoptr(StoreHead) head = g_new0(StoreHead, 1);
  g_autofree char *text = NULL;
  g_auto(GStrv) lines = NULL;

  if (!store_note_open(verifier, note, &text, error) ||
      !store_checkpoint_parse(&head->checkpoint, text, verifier->name, error)) {
    return NULL;
  }
  lines = g_strsplit(text, "\n", -1);
  if (lines[3] && g_str_has_prefix(lines[3], "time ")) {
    head->time = g_strdup(lines[3] + 5);
  }
  head->note = g_strdup(note);
  return g_steal_pointer(&head);
}

/* Whether TEXT may be the beginning of a note, cut wherever it was. */
static gboolean
may_begin(const char *text, const StoreVerifier *verifier)
{
  return strncmp(text, verifier->name, MIN(strlen(text), strlen(verifier->name))) == 0;
}

/* A note that a crash cut short is followed by a whole one: the next begins with the log's name. */
static const char *
next_note(const char *text, const StoreVerifier *verifier)
{
  g_autofree char *begin = g_strconcat("\n", verifier->name, "\n", NULL);
  const char *next = strstr(text + 1, begin);

  return next ? next + 1 : NULL;
}

/* Each whole note, of char *; NULL where something else stands between them. */
static GPtrArray *
split_notes(const char *text, const char *name, const StoreVerifier *verifier, gboolean *cut,
            GError **error)
{
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

  for (const char *at = text; at && *at;) {
    const char *next = next_note(at, verifier), *end = end_of_note(at);

    if (*at == '\n') {
      at++;
    } else if (!may_begin(at, verifier)) {
      store_fail(error, STORE_ERROR_CORRUPT, name,
                 "behind checkpoint %u: found something else, expected checkpoints of this log",
                 notes->len);
      return NULL;
    } else if (!end || (next && next < end) || !is_signed_whole(at, end, verifier)) {
      *cut = TRUE;
      at = next;
    } else {
      g_ptr_array_add(notes, g_strndup(at, (gsize)(end - at)));
      at = end;
    }
  }
  return g_steal_pointer(&notes);
}

/* The NEWEST of them, or all (0). */
static GPtrArray *
parse_newest(const char *text, const char *name, const StoreVerifier *verifier, guint newest,
             gboolean *cut, GError **error)
{
  g_autoptr(GPtrArray) heads = g_ptr_array_new_with_free_func((GDestroyNotify)store_head_free);
  g_autoptr(GPtrArray) notes = NULL;

  *cut = FALSE;
  notes = split_notes(text, name, verifier, cut, error);
  if (!notes) {
    return NULL;
  }
  for (guint i = newest && notes->len > newest ? notes->len - newest : 0; i < notes->len; i++) {
    g_autoptr(GError) local = NULL;
    StoreHead *head = parse_head(notes->pdata[i], verifier, &local);

    if (!head) {
      store_fail(error, STORE_ERROR_CORRUPT, name, "checkpoint %u: %s", i + 1, local->message);
      return NULL;
    }
    g_ptr_array_add(heads, head);
  }
  return g_steal_pointer(&heads);
}

GPtrArray *
store_head_parse(const char *text, const char *name, const StoreVerifier *verifier, gboolean *cut,
                 GError **error)
{
  return parse_newest(text, name, verifier, 0, cut, error);
}

static GPtrArray *
read_newest(const char *path, const StoreVerifier *verifier, guint newest, gboolean *cut,
            GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  g_autofree char *text = read_small(path, STORE_HEAD_MOST_BYTES, error);

  *cut = FALSE;
  return text ? parse_newest(text, name, verifier, newest, cut, error) : NULL;
}

GPtrArray *
store_head_read(const char *path, const StoreVerifier *verifier, gboolean *cut, GError **error)
{
  return read_newest(path, verifier, 0, cut, error);
}

static int
smaller_first(gconstpointer a, gconstpointer b)
{
  const guint64 x = (*(StoreHead *const *)a)->checkpoint.size,
                y = (*(StoreHead *const *)b)->checkpoint.size;

  return (x > y) - (x < y);
}

void
store_head_sort(GPtrArray *heads)
{
  g_ptr_array_sort(heads, smaller_first);
}

/* ---- writing -------------------------------------------------------------------------------- */

static gboolean
write_all(int fd, const char *text, gsize n)
{
  while (n > 0) {
    gssize done = write(fd, text, n);
    if (done < 0 && errno != EINTR) {
      return FALSE;
    }
    if (done > 0) {
      text += done;
      n -= (gsize)done;
    }
  }
  return TRUE;
}

/* Whether what is in the file ends with a whole note, so that nothing need be put before the next.
 */
static gboolean
ends_well(int fd)
{
  char last[2] = "";
  off_t size = lseek(fd, 0, SEEK_END);

  return size == 0 ||
         (size >= 2 && pread(fd, last, 2, size - 2) == 2 && last[0] == '\n' && last[1] == '\n');
}

static gboolean
append_note(const char *path, const char *note, GError **error)
{
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  g_autoptr(GString) text = g_string_new("");
  struct stat st;
  gboolean ok;
  int number;

  if (fd < 0) {
    return store_fail_errno(error, path, "opening", errno);
  }
  ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX) == 0;
  if (ok) {
    g_string_append_printf(text, "%s%s\n", ends_well(fd) ? "" : "\n\n", note);
    ok = write_all(fd, text->str, text->len) && fsync(fd) == 0;
  }
  number = errno;
  close(fd);
  return ok || store_fail_errno(error, path, "writing a checkpoint", number);
}

static gboolean
write_public_key(StoreLog *log, const StoreSigner *signer, GError **error)
{
  g_autofree char *path = g_strconcat(log->path, ".pub", NULL);
  g_autofree char *key = store_verifier_text(&signer->verifier);
  g_autofree char *line = g_strconcat(key, "\n", NULL);
  g_autofree char *there = NULL;
  g_autoptr(GError) local = NULL;

  there = read_small(path, 4096, &local);
  if (there) {
    return g_str_equal(there, line) ||
           store_fail(error, STORE_ERROR_CORRUPT, log->name,
                      "LOG.pub beside it holds another key than the one that signs this log");
  }
  if (!g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  g_clear_error(&local);
  if (!g_file_set_contents_full(path, line, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                &local)) {
    return store_fail(error, STORE_ERROR_IO, log->name, "LOG.pub beside it: %s", local->message);
  }
  return TRUE;
}

static gboolean
sign(StoreLog *log, const StoreCheckpoint *checkpoint, char **note, GError **error)
{
  g_autofree char *name = store_head_name(log->log_id);
  g_autofree char *text = store_checkpoint_text(name, checkpoint);
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *time = g_date_time_format(now, "time %Y-%m-%dT%H:%M:%SZ\n");
  g_autofree char *whole = g_strconcat(text, time, NULL);
  g_auto(StoreSigner) signer = {0};

  if (!store_keys_signer(log->keys, name, &signer, error) ||
      !write_public_key(log, &signer, error)) {
    return FALSE;
  }
  *note = store_note_sign(&signer, whole);
  return TRUE;
}

gboolean
store_log_checkpoint(StoreLog *log, char **note, GError **error)
{
  g_autofree char *path = g_strconcat(log->path, ".head", NULL);
  g_autofree char *signed_note = NULL;
  StoreCheckpoint checkpoint = {0};

  if (log->read_only && log->goes_on) {
    return store_chain_last_checkpoint(log, note, error);
  }
  if (log->read_only || !log->keys) {
    return store_fail(error, STORE_ERROR_IO, log->name,
                      "signing a checkpoint: the log was opened for reading only");
  }
  if (!store_tree_size(log, &checkpoint.size, error) ||
      !store_tree_root(log, checkpoint.size, &checkpoint.root, error) ||
      !sign(log, &checkpoint, &signed_note, error) || !append_note(path, signed_note, error)) {
    return FALSE;
  }
  log->signed_size = checkpoint.size;
  if (note) {
    *note = g_steal_pointer(&signed_note);
  }
  return TRUE;
}

/* A checkpoint that cannot be written now is written later: the rows are there. */
void
store_head_note(StoreLog *log)
{
  guint64 size = 0;

  if (log->keys && log->log_id && store_tree_size(log, &size, NULL) &&
      size >= log->signed_size + STORE_HEAD_ROWS) {
    store_log_checkpoint(log, NULL, NULL);
  }
}

void
store_head_close(StoreLog *log)
{
  guint64 size = 0;

  if (!log->read_only && log->keys && log->log_id && store_tree_size(log, &size, NULL) &&
      size > log->signed_size) {
    store_log_checkpoint(log, NULL, NULL);
  }
}

/* ---- opening -------------------------------------------------------------------------------- */

/* What the last checkpoint says and the log does not bear out; NULL: all is well. */
static const char *
compare_last(StoreLog *log, const StoreHead *last)
{
  StoreHash root;
  guint64 size = 0;

  if (!store_tree_size(log, &size, NULL)) {
    return "the log's end cannot be read";
  }
  if (last->checkpoint.size > size) {
    return "rows that were signed are missing at the end";
  }
  if (!store_tree_root(log, last->checkpoint.size, &root, NULL) ||
      !store_hash_equal(&root, &last->checkpoint.root)) {
    return "rows that were signed are not as they were";
  }
  return NULL;
}

static gboolean
note_trouble(StoreLog *log, const char *trouble, GError **error)
{
  const StoreField field = {"found", trouble};
  const StoreEvent event = {
      .kind = "verification", .action = "open", .failed = TRUE, .fields = &field, .n_fields = 1};

  log->trouble = trouble;
  return store_log_add_event(log, &event, error) != 0;
}

gboolean
store_head_open(StoreLog *log, GError **error)
{
  g_autofree char *path = g_strconcat(log->path, ".head", NULL);
  g_autofree char *name = store_head_name(log->log_id);
  g_autoptr(GPtrArray) heads = NULL;
  g_autoptr(GError) local = NULL;
  g_auto(StoreSigner) signer = {0};
  const char *trouble = NULL;
  gboolean cut = FALSE;

  if (!store_keys_signer(log->keys, name, &signer, error) ||
      !write_public_key(log, &signer, error)) {
    return FALSE;
  }
  heads = read_newest(path, &signer.verifier, HEADS_AT_OPENING, &cut, &local);
  if (heads && heads->len > 0) {
    const StoreHead *last = heads->pdata[heads->len - 1];
    log->signed_size = last->checkpoint.size;
    trouble = compare_last(log, last);
  } else if (!heads && g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
    guint64 size = 0;
    /* A log whose only process died before its first checkpoint is short. */
    trouble =
        store_tree_size(log, &size, NULL) && size > STORE_HEAD_ROWS ? "LOG.head is missing" : NULL;
  } else if (!heads) {
    trouble = "LOG.head cannot be read";
  }
  return !trouble || note_trouble(log, trouble, error);
}
