/* verify.c - whether the log is what it was.
 *
 * 1. The events are read once, in stretches (stretch.h) that several threads may look at; then the
 *    stretches are joined in order: the chain from one to the next, and the roots that were signed.
 * 2. The derived tables are held against the events as these are read (derived.h). Where that is in
 *    doubt, SQLite names the row.
 * 3. What is found ends the looking: behind it nothing can be said. So the first finding of the
 *    first stretch that has one is told, whatever order they were looked at in.
 */
#include "record.h"

#include "head.h"
#include "stretch.h"
#include <sodium.h>
#include <string.h>

#define DOING "verifying the log"
#define STRETCH_ROWS (8 * STORE_BLOCK_ROWS)

typedef struct {
  StoreLog *log;
  StoreReport *report;
  GPtrArray *heads; /* of StoreHead, by size */
  GArray *sizes;    /* theirs, of guint64 */
  guint head;       /* the next to be met */
  StoreMerkle high; /* over the blocks that were joined */
  StoreHash root;   /* over all events that were joined */
  StoreHash last;   /* hash of the last of them */
  char *time;       /* of the last that tells one */
  gint64 counts[STORE_N_DERIVED];
  gboolean differs[STORE_N_DERIVED];
} Verifier;

void
store_report_free(StoreReport *report)
{
  if (report) {
    g_free(report->found);
    g_free(report->log_id);
    g_free(report->root);
    g_free(report->signed_at);
    g_free(report);
  }
}

static void G_GNUC_PRINTF(3, 4) find(Verifier *verifier, gint64 event, const char *format, ...)
{
  va_list args;

  if (verifier->report->found) {
    return;
  }
  va_start(args, format);
  verifier->report->found = g_strdup_vprintf(format, args);
  va_end(args);
  verifier->report->first = event;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* ROOT: over as many events as the next checkpoint covers. */
static void
check_head(Verifier *verifier, const StoreHash *root)
{
  const StoreHead *head = verifier->heads->pdata[verifier->head];

  if (!store_hash_equal(root, &head->checkpoint.root)) {
    find(verifier, 0, "the first %" G_GUINT64_FORMAT " events are not those that were signed%s%s%s",
         head->checkpoint.size, head->time ? " at " : "", head->time ? head->time : "",
         head->kept ? ", says a checkpoint that was kept elsewhere" : "");
    return;
  }
  verifier->head++;
  verifier->report->checkpoints += !head->kept;
  verifier->report->kept += head->kept;
  verifier->report->signed_events = (gint64)head->checkpoint.size;
  g_free(verifier->report->signed_at);
  verifier->report->signed_at = g_strdup(head->time);
}

/* ---- joining --------------------------------------------------------------------------------- */

/* The blocks of STRETCH up to event SIZE, of which *N were joined. */
static void
join_blocks(Verifier *verifier, const StoreStretch *stretch, gint64 size, guint *n)
{
  const gint64 blocks = size / STORE_BLOCK_ROWS - stretch->first / STORE_BLOCK_ROWS;

  for (; (gint64)*n < blocks && *n < stretch->blocks->len; (*n)++) {
    store_merkle_add(&verifier->high, &g_array_index(stretch->blocks, StoreHash, *n));
  }
}

static StoreHash
root_of(const Verifier *verifier, gint64 size, const StoreHash *rest)
{
  return size % STORE_BLOCK_ROWS == 0 ? store_merkle_root(&verifier->high)
                                      : store_merkle_root_with(&verifier->high, rest);
}

static void
join_roots(Verifier *verifier, const StoreStretch *stretch)
{
  guint n = 0;

  for (guint i = 0; i < stretch->rests->len && !verifier->report->found; i++) {
    const gint64 size = (gint64)g_array_index(verifier->sizes, guint64, verifier->head);
    StoreHash root;

    join_blocks(verifier, stretch, size, &n);
    root = root_of(verifier, size, &g_array_index(stretch->rests, StoreHash, i));
    check_head(verifier, &root);
  }
  join_blocks(verifier, stretch, stretch->done, &n);
  verifier->root = root_of(verifier, stretch->done, &stretch->rest);
}

static void
join_times(Verifier *verifier, const StoreStretch *stretch)
{
  StoreReport *report = verifier->report;

  if (!stretch->first_time) {
    return;
  }
  if (verifier->time && strcmp(stretch->first_time, verifier->time) < 0) {
    report->clock_back++;
    if (!report->clock_back_first) {
      report->clock_back_first = stretch->first_timed;
    }
  }
  report->clock_back += stretch->clock_back;
  if (!report->clock_back_first) {
    report->clock_back_first = stretch->clock_back_first;
  }
  g_free(verifier->time);
  verifier->time = g_strdup(stretch->last_time);
}

static gboolean
join(Verifier *verifier, StoreStretch *stretch, GError **error)
{
  if (stretch->done >= stretch->first) {
    if (!store_hash_equal(&stretch->before, &verifier->last)) {
      find(verifier, stretch->first, STORE_STRETCH_UNLINKED, stretch->first);
      return TRUE;
    }
    verifier->last = stretch->end;
    verifier->report->events = stretch->done;
    join_times(verifier, stretch);
    join_roots(verifier, stretch);
    for (guint i = 0; i < STORE_N_DERIVED; i++) {
      verifier->counts[i] += stretch->counts[i];
      verifier->differs[i] = verifier->differs[i] || stretch->differs[i];
    }
  }
  if (stretch->found && !verifier->report->found) {
    verifier->report->found = g_steal_pointer(&stretch->found);
    verifier->report->first = stretch->event;
  }
  if (stretch->error && !verifier->report->found) {
    g_propagate_error(error, g_steal_pointer(&stretch->error));
    return FALSE;
  }
  return TRUE;
}

/* ---- looking --------------------------------------------------------------------------------- */

/* What the threads share. */
typedef struct {
  const Verifier *verifier;
  gint64 total, rows; /* events; of a stretch */
  StoreProgress progress;
  gpointer user;
  GMutex lock;          /* of all that follows */
  GPtrArray *stretches; /* of StoreStretch */
  gint64 looked;        /* events */
  guint bad;            /* the first stretch that has a finding: those behind it do not matter */
  gboolean cancelled;
} Job;

typedef struct {
  Job *job;
  gboolean first;     /* on the caller's thread, with the caller's connection */
  StoreStretch *next; /* to begin with, or NULL */
} Hand;

static StoreStretch *
take_stretch(Job *job)
{
  StoreStretch *stretch = NULL;
  gint64 first;

  g_mutex_lock(&job->lock);
  first = (gint64)job->stretches->len * job->rows + 1;
  if (!job->cancelled && job->stretches->len <= job->bad && first <= job->total) {
    stretch = store_stretch_new(job->stretches->len, first,
                                first + MIN(job->rows - 1, job->total - first));
    g_ptr_array_add(job->stretches, stretch);
  }
  g_mutex_unlock(&job->lock);
  return stretch;
}

static gboolean
go_on(const StoreStretch *stretch, guint events, gpointer user)
{
  const Hand *hand = user;
  Job *job = hand->job;
  gboolean matters;
  gint64 looked;

  g_mutex_lock(&job->lock);
  looked = job->looked += events;
  matters = !job->cancelled && stretch->index <= job->bad;
  g_mutex_unlock(&job->lock);
  if (matters && hand->first && job->progress && !job->progress(looked, job->total, job->user)) {
    g_mutex_lock(&job->lock);
    job->cancelled = TRUE;
    g_mutex_unlock(&job->lock);
    matters = FALSE;
  }
  return matters;
}

static void
work(gpointer item)
{
  Hand *hand = item;
  Job *job = hand->job;
  StoreLog *log = job->verifier->log;
  g_autoptr(StoreLog) twin = hand->first ? NULL : store_log_twin(log, NULL);
  g_auto(StoreDerived) derived = {0};
  StoreStretch *stretch;

  /* Where there is no second connection to be had, one thread does all. */
  if (!hand->first && !twin) {
    return;
  }
  while ((stretch = hand->next ? hand->next : take_stretch(job))) {
    hand->next = NULL;
    store_stretch_look(stretch, twin ? twin : log, &derived, job->verifier->sizes, go_on, hand);
    if (stretch->found || stretch->error) {
      g_mutex_lock(&job->lock);
      job->bad = MIN(job->bad, stretch->index);
      g_mutex_unlock(&job->lock);
    }
  }
}

static void
look(Job *job, const StoreHands *hands)
{
  const guint n = hands ? MAX(hands->n, 1) : 1;
  g_autofree Hand *all = g_new0(Hand, n);
  g_autofree gpointer *items = g_new0(gpointer, n);

  for (guint i = 0; i < n; i++) {
    all[i] = (Hand){job, i == 0, NULL};
    items[i] = &all[i];
  }
  all[0].next = take_stretch(job); /* however short the log is, the caller is told of it */
  if (n == 1) {
    work(items[0]);
  } else {
    hands->run(work, items, n, hands->user);
  }
}

static gboolean
check_events(Verifier *verifier, gint64 total, const StoreHands *hands, StoreProgress progress,
             gpointer user, GError **error)
{
  Job job = {.verifier = verifier,
             .total = total,
             .rows = hands && hands->events ? hands->events : STRETCH_ROWS,
             .progress = progress,
             .user = user,
             .bad = G_MAXUINT};
  gboolean ok = TRUE;

  g_mutex_init(&job.lock);
  job.stretches = g_ptr_array_new_with_free_func((GDestroyNotify)store_stretch_free);
  look(&job, hands);
  g_mutex_clear(&job.lock);
  if (job.cancelled) {
    ok = store_fail(error, STORE_ERROR_CANCELLED, verifier->log->name, DOING ": cancelled");
  }
  for (guint i = 0; ok && i < job.stretches->len && !verifier->report->found; i++) {
    ok = join(verifier, job.stretches->pdata[i], error);
  }
  g_ptr_array_unref(job.stretches);
  return ok;
}

/* ---- derived tables -------------------------------------------------------------------------- */

static gboolean
ask(Verifier *verifier, const char *sql, gint64 found[2], GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(verifier->log->db, sql, -1, &statement, NULL);

  found[0] = found[1] = 0;
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  if (rc == SQLITE_ROW) {
    found[0] = sqlite3_column_int64(statement, 0);
    found[1] = sqlite3_column_int64(statement, 1);
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, verifier->log->db, verifier->log->name, DOING, rc);
}

static gboolean
check_table(Verifier *verifier, guint which, GError **error)
{
  const char *table = store_derived_table(which);
  g_autofree char *count = g_strdup_printf("SELECT count(*), 0 FROM %s", table);
  gint64 rows[2], found[2] = {0, 0};

  if (!ask(verifier, count, rows, error) ||
      ((verifier->differs[which] || rows[0] != verifier->counts[which]) &&
       !store_derived_find(verifier->log, which, DOING, found, error))) {
    return FALSE;
  }
  if (found[0] || found[1]) {
    find(verifier, found[1], "table %s, row %" G_GINT64_FORMAT " is not what its event says", table,
         found[0]);
  } else if (rows[0] != verifier->counts[which]) {
    find(verifier, 0,
         "table %s has %" G_GINT64_FORMAT " rows, expected %" G_GINT64_FORMAT
         ", one for each event",
         table, rows[0], verifier->counts[which]);
  }
  return TRUE;
}

static gboolean
check_tables(Verifier *verifier, GError **error)
{
  gint64 found[2];

  for (guint i = 0; i < STORE_N_DERIVED && !verifier->report->found; i++) {
    if (!check_table(verifier, i, error)) {
      return FALSE;
    }
  }
  if (verifier->report->found) {
    return TRUE;
  }
  if (!ask(verifier, "SELECT coalesce(max(id), 0), max(event) FROM block", found, error)) {
    return FALSE;
  }
  if (found[0] * (gint64)STORE_BLOCK_ROWS > verifier->report->events) {
    find(verifier, 0, "table block has rows beyond the log's end");
  }
  return TRUE;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static gboolean
read_key(StoreLog *log, const char *public_key, StoreVerifier *key, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr(GError) local = NULL;

  if (!public_key) {
    return store_head_verifier(log->path, key, error);
  }
  if (!g_file_get_contents(public_key, &text, NULL, &local)) {
    return store_fail(error, STORE_ERROR_NOT_FOUND, public_key, "%s", local->message);
  }
  if (!store_verifier_parse(key, text, error)) {
    g_prefix_error(error, "%s: ", public_key);
    return FALSE;
  }
  return TRUE;
}

/* What was kept elsewhere is held against the log with the checkpoints of its own. */
static gboolean
add_kept(Verifier *verifier, const char *text, const StoreVerifier *key, GError **error)
{
  const guint before = verifier->heads->len;
  g_autoptr(GPtrArray) kept = NULL;
  gboolean cut = FALSE;

  kept = store_head_parse(text, "the checkpoints that were kept", key, &cut, error);
  if (!kept) {
    return FALSE;
  }
  for (guint i = 0; i < kept->len; i++) {
    ((StoreHead *)kept->pdata[i])->kept = TRUE;
  }
  g_ptr_array_extend_and_steal(verifier->heads, g_steal_pointer(&kept));
  return verifier->heads->len > before ||
         store_fail(error, STORE_ERROR_FORMAT, "the checkpoints that were kept",
                    "found none, expected a signed checkpoint of this log");
}

/* A LOG.head that says nothing, or what its key did not sign, is something found. */
static gboolean
read_heads(Verifier *verifier, const StoreVerifier *key, GError **error)
{
  g_autofree char *path = g_strconcat(verifier->log->path, ".head", NULL);
  g_autofree char *name = store_head_name(verifier->log->log_id);
  g_autoptr(GError) local = NULL;

  if (strcmp(name, key->name) != 0) {
    find(verifier, 0, "the public key is that of another log");
    return TRUE;
  }
  verifier->heads = store_head_read(path, key, &verifier->report->cut, &local);
  if (!verifier->heads) {
    if (g_error_matches(local, STORE_ERROR, STORE_ERROR_IO)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
    if (g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
      verifier->heads = g_ptr_array_new_with_free_func((GDestroyNotify)store_head_free);
      return TRUE; /* that nothing is signed is said at the end */
    }
    find(verifier, 0, "%s", local->message);
  }
  return TRUE;
}

static void
check_end(Verifier *verifier)
{
  const StoreHead *next;

  if (!verifier->report->found && verifier->heads->len == 0 &&
      verifier->report->events > (gint64)STORE_HEAD_ROWS) {
    find(verifier, 0, "LOG.head has no checkpoint, and a log of this length has signed some");
  }
  if (verifier->report->found || verifier->head >= verifier->heads->len) {
    return;
  }
  next = verifier->heads->pdata[verifier->head];
  find(verifier, verifier->report->events + 1,
       "%" G_GUINT64_FORMAT " events were signed, and there are %" G_GINT64_FORMAT
       ": the end is missing%s",
       next->checkpoint.size, verifier->report->events,
       next->kept ? ", says a checkpoint that was kept elsewhere" : "");
}

/* What was signed last of a sealed log ends with the event that says so. */
static gboolean
check_seal(Verifier *verifier, GError **error)
{
  StoreReport *report = verifier->report;
  g_autofree char *sql = g_strdup_printf(
      "SELECT kind = 'sealed', 0 FROM event WHERE seq = %" G_GINT64_FORMAT, report->signed_events);
  gint64 found[2];

  if (report->found || report->events <= report->signed_events) {
    return TRUE;
  }
  if (!ask(verifier, sql, found, error)) {
    return FALSE;
  }
  if (found[0]) {
    find(verifier, report->signed_events + 1,
         "event %" G_GINT64_FORMAT " was put in after the log had been sealed",
         report->signed_events + 1);
  }
  return TRUE;
}

static gboolean
run(Verifier *verifier, const StoreKept *kept, const StoreHands *hands, StoreProgress progress,
    gpointer user, GError **error)
{
  const char *public_key = kept ? kept->public_key : NULL;
  g_auto(StoreVerifier) key = {0};
  gint64 total[2] = {0, 0};

  if (!read_key(verifier->log, public_key, &key, error) || !read_heads(verifier, &key, error)) {
    return FALSE;
  }
  if (verifier->report->found) {
    return TRUE;
  }
  if (kept && kept->checkpoints && !add_kept(verifier, kept->checkpoints, &key, error)) {
    return FALSE;
  }
  store_head_sort(verifier->heads);
  for (guint i = 0; i < verifier->heads->len; i++) {
    const StoreHead *head = verifier->heads->pdata[i];
    g_array_append_val(verifier->sizes, head->checkpoint.size);
  }
  /* The caller's connection is the first to read, so the others see all that it sees. */
  if (!ask(verifier, "SELECT max(seq), 0 FROM event", total, error)) {
    return FALSE;
  }
  while (verifier->head < verifier->heads->len &&
         g_array_index(verifier->sizes, guint64, verifier->head) == 0) {
    check_head(verifier, &verifier->root);
  }
  if (!check_events(verifier, total[0], hands, progress, user, error)) {
    return FALSE;
  }
  check_end(verifier);
  return verifier->report->found || (check_tables(verifier, error) && check_seal(verifier, error));
}

StoreReport *
store_log_verify_with(StoreLog *log, const StoreKept *kept, const StoreHands *hands,
                      StoreProgress progress, gpointer user, GError **error)
{
  g_autoptr(StoreReport) report = g_new0(StoreReport, 1);
  Verifier verifier = {.log = log, .report = report};
  gboolean ok;

  g_return_val_if_fail(log, NULL);
  g_return_val_if_fail(!hands || hands->events % STORE_BLOCK_ROWS == 0, NULL);
  report->log_id = g_strdup(log->log_id);
  report->newer = log->newer;
  if (log->other_rows) {
    store_fail(error, STORE_ERROR_NEWER, log->name,
               DOING ": a newer Hilum wrote it, and its events say more than this one knows: only "
                     "that one can prove them");
    return NULL;
  }
  verifier.root = store_merkle_root(&verifier.high);
  verifier.sizes = g_array_new(FALSE, FALSE, sizeof(guint64));
  /* One moment of the log, whoever else writes. */
  ok = store_exec(log->db, log->name, DOING, "BEGIN", error);
  if (ok) {
    ok = run(&verifier, kept, hands, progress, user, error);
    sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
    report->root = g_malloc(65);
    sodium_bin2hex(report->root, 65, verifier.root.bytes, sizeof verifier.root.bytes);
    report->whole = report->found == NULL;
  }
  g_clear_pointer(&verifier.heads, g_ptr_array_unref);
  g_array_unref(verifier.sizes);
  g_free(verifier.time);
  return ok ? g_steal_pointer(&report) : NULL;
}

StoreReport *
store_log_verify(StoreLog *log, const StoreKept *kept, StoreProgress progress, gpointer user,
                 GError **error)
{
  return store_log_verify_with(log, kept, NULL, progress, user, error);
}
