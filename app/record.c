/* record.c - the log read by pages, and looked through, on threads of their own.
 *
 * 1. `log` is used by one thread at a time, the one that holds `lock`. Who looks through all of it
 *    lets those who want a page go first (`n_waiting`).
 * 2. Who reads holds a reference: the log is closed when the last one is done.
 */
#include "record-event.h"

#include <glib/gi18n.h>

#include <string.h>

#include "export-private.h"
#include "rotate.h"
#include "trust.h"

/* Events that are looked at before a page can come in between, and the time between two words of
 * what was found. */
#define STRIDE 512
#define TELL_US 100000

struct _AppRecord {
  gint n_refs, n_waiting;
  GMutex lock;
  GCond free;
  StoreLog *log;
  gint64 n_events;
};

/* ---- life ---------------------------------------------------------------------------------- */

static AppRecord *
record_ref(AppRecord *record)
{
  g_atomic_int_inc(&record->n_refs);
  return record;
}

void
app_record_free(AppRecord *record)
{
  if (record && g_atomic_int_dec_and_test(&record->n_refs)) {
    g_clear_pointer(&record->log, store_log_close);
    g_mutex_clear(&record->lock);
    g_cond_clear(&record->free);
    g_free(record);
  }
}

static void
record_release(gpointer record)
{
  app_record_free(record);
}

gint64
app_record_n_events(AppRecord *record)
{
  return record->n_events;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* It is enough to know that there is one. */
static gboolean
is_there(const StoreEventRow *row, gpointer user, GError **error)
{
  g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "");
  return FALSE;
}

/* *there: there is an event AT, or one that comes later: some may have been removed. One that was
 * changed is there. */
static gboolean
look_for(StoreLog *log, gint64 at, gboolean *there, GError **error)
{
  g_autoptr(GError) local = NULL;

  *there = !store_log_each_event(log, at, 0, is_there, NULL, &local);
  if (*there && !g_error_matches(local, G_IO_ERROR, G_IO_ERROR_EXISTS) &&
      !g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  return TRUE;
}

/* The number of the last one: doubled until there is none, then halved. */
static gboolean
count_events(StoreLog *log, gint64 *count, GError **error)
{
  gint64 low = 0, high = 1; /* LOW is there, HIGH is not */
  gboolean found = TRUE;

  while (found && high < G_MAXINT64 / 2) {
    if (!look_for(log, high, &found, error)) {
      return FALSE;
    }
    low = found ? high : low;
    high = found ? 2 * high : high;
  }
  while (high - low > 1) {
    const gint64 at = low + (high - low) / 2;

    if (!look_for(log, at, &found, error)) {
      return FALSE;
    }
    low = found ? at : low;
    high = found ? high : at;
  }
  *count = low;
  return TRUE;
}

/* That somebody looks is an event. A log that cannot be written can be looked at all the same: it
 * cannot be changed either. */
static void
tell_that_it_was_viewed(const char *path)
{
  const StoreEvent event = {.kind = "viewed", .action = "events"};
  g_autoptr(StoreLog) log = app_log_open_there(path, NULL);

  if (log) {
    app_log_add_event(log, &event, NULL);
  }
}

static void
open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const char *path = data;
  g_autoptr(AppRecord) record = g_new0(AppRecord, 1);
  GError *error = NULL;

  record->n_refs = 1;
  g_mutex_init(&record->lock);
  g_cond_init(&record->free);
  record->log = app_log_open(path, &error);
  if (record->log) {
    g_clear_pointer(&record->log, store_log_close);
    tell_that_it_was_viewed(path);
    record->log = app_log_open(path, &error);
  }
  if (record->log && count_events(record->log, &record->n_events, &error)) {
    g_task_return_pointer(task, g_steal_pointer(&record), record_release);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_record_open_async(const char *log_path, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_task_set_source_tag(task, app_record_open_async);
  g_task_set_task_data(task, g_strdup(log_path), g_free);
  g_task_run_in_thread(task, open_in_thread);
}

AppRecord *
app_record_open_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- a page -------------------------------------------------------------------------------- */

typedef struct {
  AppRecord *record;
  gint64 *numbers;
  gsize n;
  GPtrArray *events; /* of AppEvent, in the order of the log */
} Reading;

static void
reading_free(gpointer data)
{
  Reading *reading = data;

  app_record_free(reading->record);
  g_clear_pointer(&reading->events, g_ptr_array_unref);
  g_free(reading->numbers);
  g_free(reading);
}

static void
event_free(gpointer event)
{
  app_event_free(event);
}

static gboolean
keep_event(const StoreEventRow *row, gpointer user, GError **error)
{
  g_ptr_array_add(user, app_event_new(row));
  return TRUE;
}

/* Event NUMBER, or why it cannot be read; nothing where that says more of the log than of it. */
static AppEvent *
read_one(StoreLog *log, gint64 number, GError **error)
{
  g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func(event_free);
  g_autoptr(GError) local = NULL;

  if (store_log_each_event(log, number, number, keep_event, one, &local)) {
    return one->len == 1 ? g_steal_pointer(&one->pdata[0])
                         : app_event_new_broken(number, _("It is no longer there."));
  }
  if (g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    return app_event_new_broken(number, local->message);
  }
  g_propagate_error(error, g_steal_pointer(&local));
  return NULL;
}

/* Events I and the following as long as each number is one less than the one before: newest first.
 * Where one of them was changed or removed, the others are read all the same. */
static gboolean
read_run(Reading *reading, gsize *i, GError **error)
{
  const gint64 *numbers = reading->numbers;
  StoreLog *log = reading->record->log;
  gsize end = *i + 1;
  g_autoptr(GPtrArray) run = g_ptr_array_new_with_free_func(event_free);
  g_autoptr(GError) local = NULL;
  gboolean whole;

  while (end < reading->n && numbers[end] == numbers[end - 1] - 1) {
    end++;
  }
  whole = store_log_each_event(log, numbers[end - 1], numbers[*i], keep_event, run, &local);
  if (!whole && !g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  whole = whole && run->len == end - *i;
  for (gsize k = *i; k < end; k++) {
    AppEvent *event =
        whole ? g_steal_pointer(&run->pdata[end - 1 - k]) : read_one(log, numbers[k], error);

    if (!event) {
      return FALSE;
    }
    g_ptr_array_add(reading->events, event);
  }
  *i = end;
  return TRUE;
}

static void
read_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Reading *reading = data;
  GError *error = NULL;
  gboolean ok = TRUE;

  g_atomic_int_inc(&reading->record->n_waiting);
  g_mutex_lock(&reading->record->lock);
  g_atomic_int_add(&reading->record->n_waiting, -1);
  for (gsize i = 0; ok && i < reading->n;) {
    ok =
        !g_cancellable_set_error_if_cancelled(cancellable, &error) && read_run(reading, &i, &error);
  }
  g_cond_broadcast(&reading->record->free);
  g_mutex_unlock(&reading->record->lock);
  if (ok) {
    g_task_return_pointer(task, g_steal_pointer(&reading->events),
                          (GDestroyNotify)g_ptr_array_unref);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_record_read_async(AppRecord *record, const gint64 *numbers, gsize n, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Reading *reading = g_new0(Reading, 1);

  reading->record = record_ref(record);
  reading->numbers = g_memdup2(numbers, n * sizeof *numbers);
  reading->n = n;
  reading->events = g_ptr_array_new_full((guint)n, event_free);
  g_task_set_source_tag(task, app_record_read_async);
  g_task_set_task_data(task, reading, reading_free);
  g_task_run_in_thread(task, read_in_thread);
}

GPtrArray *
app_record_read_finish(AppRecord *record, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- looking through it -------------------------------------------------------------------- */

typedef struct {
  AppRecord *record;
  AppRecordFilter filter; /* its texts are owned */
  char **words;           /* folded */
  AppRecordFound tell;
  gpointer user;
  GMainContext *context;
  GCancellable *cancellable;
  GArray *found; /* of gint64, newest first; not told yet */
  GArray *part;  /* in the order of the log */
  gint64 n_met;  /* events that were there, of those looked at */
  gint64 told;   /* µs */
} Finding;

static void
finding_free(gpointer data)
{
  Finding *finding = data;

  app_record_free(finding->record);
  g_free((gpointer)finding->filter.kind);
  g_strfreev(finding->words);
  g_main_context_unref(finding->context);
  g_clear_pointer(&finding->found, g_array_unref);
  g_clear_pointer(&finding->part, g_array_unref);
  g_free(finding);
}

typedef struct {
  GTask *task; /* keeps who hears */
  GArray *found;
  gint64 done;
} Word;

static void
word_free(gpointer data)
{
  Word *word = data;

  g_array_unref(word->found);
  g_object_unref(word->task);
  g_free(word);
}

static gboolean
say(gpointer data)
{
  const Word *word = data;
  const Finding *finding = g_task_get_task_data(word->task);

  if (!g_cancellable_is_cancelled(g_task_get_cancellable(word->task)) &&
      !g_task_get_completed(word->task)) {
    finding->tell((const gint64 *)(gconstpointer)word->found->data, word->found->len,
                  (guint64)word->done, (guint64)finding->record->n_events, finding->user);
  }
  return G_SOURCE_REMOVE;
}

/* Before the task's own end, which comes by the same way. */
static void
tell_found(GTask *task, Finding *finding, gint64 done)
{
  const gint64 now = g_get_monotonic_time();
  Word *word;

  if (finding->tell && (now - finding->told > TELL_US || done == finding->record->n_events)) {
    word = g_new(Word, 1);
    *word = (Word){g_object_ref(task), g_steal_pointer(&finding->found), done};
    finding->found = g_array_new(FALSE, FALSE, sizeof(gint64));
    finding->told = now;
    g_main_context_invoke_full(finding->context, G_PRIORITY_DEFAULT, say, word, word_free);
  }
}

static gboolean
look_at(const StoreEventRow *row, gpointer user, GError **error)
{
  Finding *finding = user;

  if (app_event_matches(row, &finding->filter, finding->words)) {
    g_array_append_val(finding->part, row->number);
  }
  return !g_cancellable_set_error_if_cancelled(finding->cancellable, error);
}

/* What is certainly not looked for need not be opened. */
static gboolean
may_match(const char *kind, const char *body, gpointer user)
{
  Finding *finding = user;
  const AppRecordFilter *filter = &finding->filter;

  finding->n_met++;
  return (!filter->kind || strcmp(kind, filter->kind) == 0) &&
         (!filter->failed || strstr(body, "\"failure\""));
}

/* One that cannot be read went wrong, and is nothing else that anybody can look for. */
static gboolean
look_at_each(Finding *finding, gint64 first, gint64 last, GError **error)
{
  g_array_set_size(finding->part, 0);
  for (gint64 at = first; at <= last; at++) {
    g_autoptr(GError) local = NULL;
    gboolean ok;

    finding->n_met = 0;
    ok = store_log_each_event_of(finding->record->log, may_match, at, at, look_at, finding, &local);
    if (!ok && !g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
    if ((!ok || finding->n_met == 0) && finding->filter.failed && !finding->filter.kind &&
        !*finding->words) {
      g_array_append_val(finding->part, at);
    }
  }
  return TRUE;
}

/* Events FIRST to LAST, as soon as nobody wants a page. */
static gboolean
look_at_part(Finding *finding, gint64 first, gint64 last, GError **error)
{
  AppRecord *record = finding->record;
  g_autoptr(GError) local = NULL;
  gboolean ok;

  g_array_set_size(finding->part, 0);
  g_mutex_lock(&record->lock);
  while (g_atomic_int_get(&record->n_waiting) > 0) {
    g_cond_wait(&record->free, &record->lock);
  }
  finding->n_met = 0;
  ok = store_log_each_event_of(record->log, may_match, first, last, look_at, finding, &local);
  if (ok ? finding->n_met < last - first + 1
         : g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    g_clear_error(&local);
    ok = look_at_each(finding, first, last, &local);
  }
  g_mutex_unlock(&record->lock);
  if (!ok) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  for (guint i = finding->part->len; i > 0; i--) {
    g_array_append_val(finding->found, g_array_index(finding->part, gint64, i - 1));
  }
  return ok;
}

static void
find_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Finding *finding = data;
  const gint64 n = finding->record->n_events;
  GError *error = NULL;
  gboolean ok = TRUE;

  finding->cancellable = cancellable;
  for (gint64 last = n; ok && last > 0; last -= STRIDE) {
    const gint64 first = MAX(last - STRIDE + 1, 1);

    ok = !g_cancellable_set_error_if_cancelled(cancellable, &error) &&
         look_at_part(finding, first, last, &error);
    if (ok) {
      tell_found(task, finding, n - first + 1);
    }
  }
  if (ok) {
    g_task_return_boolean(task, TRUE);
  } else {
    g_task_return_error(task, error);
  }
}

static char **
words_of(const char *text)
{
  g_autofree char *folded = g_utf8_casefold(text ? text : "", -1);
  g_auto(GStrv) parts = g_strsplit_set(folded, " \t\n", -1);
  g_autoptr(GPtrArray) words = g_ptr_array_new();

  for (char **part = parts; *part; part++) {
    if (**part) {
      g_ptr_array_add(words, g_strdup(*part));
    }
  }
  g_ptr_array_add(words, NULL);
  return (char **)g_ptr_array_steal(words, NULL);
}

void
app_record_find_async(AppRecord *record, const AppRecordFilter *filter, AppRecordFound found,
                      gpointer found_user, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Finding *finding = g_new0(Finding, 1);

  finding->record = record_ref(record);
  finding->filter = (AppRecordFilter){.kind = g_strdup(filter->kind), .failed = filter->failed};
  finding->words = words_of(filter->words);
  finding->tell = found;
  finding->user = found_user;
  finding->context = g_main_context_ref_thread_default();
  finding->found = g_array_new(FALSE, FALSE, sizeof(gint64));
  finding->part = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_task_set_source_tag(task, app_record_find_async);
  g_task_set_task_data(task, finding, finding_free);
  g_task_run_in_thread(task, find_in_thread);
}

gboolean
app_record_find_finish(AppRecord *record, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}
