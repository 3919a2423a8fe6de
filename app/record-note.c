/* record-note.c - notes in line, and the thread that writes them; see record-note.h. */
#include "record-note.h"

#include <string.h>

#include "app_person.h"
#include "secrets.h"
#include "trust.h"

/* Notes that wait at most; what comes then is counted and lost. */
#define MOST_WAITING 20000u
#define RETRY_US (10 * G_USEC_PER_SEC)
/* An event says when it happened where it was written so much later. */
#define LATE_US (2 * G_USEC_PER_SEC)

struct _AppNotes {
  gint n_refs;
  GMutex lock;
  GCond changed;
  GThread *thread;
  char *log_path;
  GQueue line; /* of AppNote */
  AppLooks *looks;
  guint n_lost;     /* since the last that was written */
  gboolean closing; /* no more are taken */
  gboolean hurry;   /* what failed is tried again at once */
  gboolean locked;  /* the passphrase was refused */
  gboolean writing;
  GError *trouble; /* what the last try failed with, or NULL */
  AppNotesTrouble listener;
  gpointer listener_user;
  GMainContext *context;
  GTask *ended; /* who waits for the end */

  StoreLog *log; /* of the thread alone */
};

/* ---- one note ------------------------------------------------------------------------------ */

AppNote *
app_note_new(const char *kind, const char *action)
{
  AppNote *note = g_new0(AppNote, 1);

  note->kind = kind;
  note->action = action;
  note->strings = g_string_chunk_new(256);
  note->fields = g_array_new(FALSE, FALSE, sizeof(StoreField));
  note->sealed = g_array_new(FALSE, FALSE, sizeof(StoreField));
  note->person = app_person_who();
  note->happened = g_get_real_time();
  return note;
}

void
app_note_free(AppNote *note)
{
  if (note) {
    g_string_chunk_free(note->strings);
    g_array_unref(note->fields);
    g_array_unref(note->sealed);
    g_free(note->person);
    g_free(note);
  }
}

static void
note_release(gpointer note)
{
  app_note_free(note);
}

static void
add(AppNote *note, GArray *fields, const char *name, const char *text)
{
  if (text) {
    const StoreField field = {name, g_string_chunk_insert(note->strings, text)};
    g_array_append_val(fields, field);
  }
}

void
app_note_set(AppNote *note, const char *name, const char *text)
{
  add(note, note->fields, name, text);
}

void
app_note_set_number(AppNote *note, const char *name, guint64 number)
{
  g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);

  app_note_set(note, name, text);
}

void
app_note_seal(AppNote *note, const char *name, const char *text)
{
  add(note, note->sealed, name, text);
}

void
app_note_set_about(AppNote *note, const StoreImage *about)
{
  const char **texts[] = {&note->about.study_instance_uid, &note->about.series_instance_uid,
                          &note->about.patient_id,         &note->about.patient_name,
                          &note->about.study_date,         &note->about.study_description,
                          &note->about.modality,           &note->about.path,
                          &note->about.sop_instance_uid,   &note->about.sop_class,
                          &note->about.transfer_syntax,    &note->about.voi_function,
                          &note->about.pixels_sha256,      &note->about.sent_sha256,
                          &note->about.body_part,          &note->about.view,
                          &note->about.laterality,         &note->about.warnings};

  note->about = *about;
  note->has_about = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    *texts[i] =
        *texts[i] && **texts[i] ? g_string_chunk_insert_const(note->strings, *texts[i]) : NULL;
  }
}

gboolean
app_note_write(const AppNote *note, StoreLog *log, GError **error)
{
  g_autoptr(GArray) fields = g_array_copy(note->fields);
  g_autofree char *happened = NULL;
  StoreEvent event = {.kind = note->kind,
                      .action = note->action,
                      .failed = note->failed,
                      .about = note->has_about ? &note->about : NULL,
                      .sealed = (const StoreField *)(gconstpointer)note->sealed->data,
                      .n_sealed = note->sealed->len};

  if (g_get_real_time() - note->happened >= LATE_US) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(note->happened / G_USEC_PER_SEC);
    happened = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    const StoreField field = {"happened", happened};
    g_array_append_val(fields, field);
  }
  event.fields = (const StoreField *)(gconstpointer)fields->data;
  event.n_fields = fields->len;
  store_log_set_person(log, note->person); /* who it was then */
  return store_log_add_event(log, &event, error) != 0;
}

/* ---- in line ------------------------------------------------------------------------------- */

AppLooks *
app_notes_lock(AppNotes *notes)
{
  if (notes) {
    g_mutex_lock(&notes->lock);
    if (!notes->closing) {
      return notes->looks;
    }
    g_mutex_unlock(&notes->lock);
  }
  return NULL;
}

void
app_notes_unlock(AppNotes *notes)
{
  g_cond_signal(&notes->changed);
  g_mutex_unlock(&notes->lock);
}

void
app_notes_leave(AppNotes *notes)
{
  g_mutex_unlock(&notes->lock);
}

void
app_notes_push_locked(AppNotes *notes, AppNote *note)
{
  if (notes->locked || notes->line.length >= MOST_WAITING) {
    notes->n_lost++;
    app_note_free(note);
  } else {
    g_queue_push_tail(&notes->line, note);
  }
}

void
app_notes_push(AppNotes *notes, AppNote *note)
{
  if (note && app_notes_lock(notes)) {
    app_notes_push_locked(notes, note);
    app_notes_unlock(notes);
  } else {
    app_note_free(note);
  }
}

gboolean
app_notes_are_written(AppNotes *notes)
{
  gboolean written = TRUE;

  if (notes) {
    g_mutex_lock(&notes->lock);
    written = notes->line.length == 0 && !notes->writing;
    g_mutex_unlock(&notes->lock);
  }
  return written;
}

void
app_notes_try_again(AppNotes *notes)
{
  if (app_notes_lock(notes)) {
    notes->locked = FALSE;
    notes->hurry = TRUE;
    app_notes_unlock(notes);
  }
}

/* ---- telling of trouble -------------------------------------------------------------------- */

typedef struct {
  AppNotes *notes;
  char *why;
  guint n;
} Telling;

static void
telling_free(gpointer data)
{
  Telling *telling = data;

  app_notes_unref(telling->notes);
  g_free(telling->why);
  g_free(telling);
}

static gboolean
tell(gpointer data)
{
  const Telling *telling = data;
  AppNotesTrouble listener;
  gpointer user;

  g_mutex_lock(&telling->notes->lock);
  listener = telling->notes->listener;
  user = telling->notes->listener_user;
  g_mutex_unlock(&telling->notes->lock);
  if (listener) {
    listener(telling->why, telling->n, user);
  }
  return G_SOURCE_REMOVE;
}

/* With the lock. */
static void
tell_trouble(AppNotes *notes)
{
  Telling *telling;

  if (notes->listener) {
    telling = g_new0(Telling, 1);
    telling->notes = app_notes_ref(notes);
    telling->why = notes->trouble ? g_strdup(notes->trouble->message) : NULL;
    telling->n = notes->line.length;
    /* Never at once: the thread must not be the one that runs it. */
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, tell, telling, telling_free);
    g_source_attach(source, notes->context);
  }
}

void
app_notes_set_listener(AppNotes *notes, AppNotesTrouble listener, gpointer user)
{
  if (notes) {
    g_mutex_lock(&notes->lock);
    notes->listener = listener;
    notes->listener_user = user;
    g_clear_pointer(&notes->context, g_main_context_unref);
    notes->context = g_main_context_ref_thread_default();
    if (notes->trouble) {
      tell_trouble(notes);
    }
    g_mutex_unlock(&notes->lock);
  }
}

/* ---- the thread ---------------------------------------------------------------------------- */

/* What was lost is in the log as well: how many, and not what. */
static gboolean
write_lost(AppNotes *notes, guint n, GError **error)
{
  g_autofree char *number = g_strdup_printf("%u", n);
  const StoreField field = {"events", number};
  const StoreEvent event = {
      .kind = "application", .action = "not-kept", .failed = TRUE, .fields = &field, .n_fields = 1};

  return store_log_add_event(notes->log, &event, error) != 0;
}

/* *N_LOST becomes how many of them the log was told of. */
static void
write_first(AppNotes *notes, const AppNote *note, guint *n_lost, GError **error)
{
  if (!notes->log) {
    notes->log = app_log_open_at(notes->log_path, FALSE, error);
  }
  if (!notes->log || (*n_lost > 0 && !write_lost(notes, *n_lost, error))) {
    *n_lost = 0;
    return;
  }
  app_note_write(note, notes->log, error);
}

/* With the lock: nothing is kept, as the window says, until the log is opened. */
static void
lose_all(AppNotes *notes)
{
  notes->n_lost += notes->line.length;
  g_queue_clear_full(&notes->line, note_release);
}

/* With the lock, after a try; takes ERROR. */
static void
settle(AppNotes *notes, GError *error)
{
  const gboolean had_trouble = notes->trouble != NULL;

  g_clear_error(&notes->trouble);
  if (!error) {
    app_note_free(g_queue_pop_head(&notes->line));
  } else if (app_log_is_locked(error)) {
    notes->locked = TRUE;
    lose_all(notes);
    g_error_free(error);
  } else {
    notes->trouble = error;
  }
  if (had_trouble != (notes->trouble != NULL)) {
    tell_trouble(notes);
  }
}

/* With the lock, which is let go of meanwhile. */
static void
try_first(AppNotes *notes)
{
  const AppNote *note = g_queue_peek_head(&notes->line);
  guint n_lost = notes->n_lost;
  GError *error = NULL;

  notes->writing = TRUE;
  notes->hurry = FALSE;
  g_mutex_unlock(&notes->lock);
  write_first(notes, note, &n_lost, &error);
  g_mutex_lock(&notes->lock);
  notes->writing = FALSE;
  notes->n_lost -= n_lost;
  settle(notes, error);
}

/* With the lock: waits until something is due. */
static void
wait_for_work(AppNotes *notes, gint64 retry)
{
  const gint64 next = app_looks_next(notes->looks);
  gint64 until = notes->trouble ? retry : next;

  if (notes->trouble && next >= 0) {
    until = MIN(until, next);
  }
  if (until >= 0) {
    g_cond_wait_until(&notes->changed, &notes->lock, until);
  } else {
    g_cond_wait(&notes->changed, &notes->lock);
  }
}

static void
end(AppNotes *notes)
{
  GTask *task;

  g_clear_pointer(&notes->log, store_log_close);
  g_mutex_lock(&notes->lock);
  task = g_steal_pointer(&notes->ended);
  if (task && notes->trouble && notes->line.length > 0) {
    g_task_return_new_error(task, APP_ERROR, APP_ERROR_FAILED, "%u events are not in the log: %s",
                            notes->line.length, notes->trouble->message);
  } else if (task) {
    g_task_return_boolean(task, TRUE);
  }
  g_mutex_unlock(&notes->lock);
  g_clear_object(&task);
}

static gpointer
work(gpointer data)
{
  AppNotes *notes = data;
  gint64 retry = 0;

  g_mutex_lock(&notes->lock);
  for (gboolean more = TRUE; more;) {
    const gint64 now = g_get_monotonic_time();
    gboolean last = notes->closing;

    app_looks_collect(notes->looks, now, last, &notes->line);
    if (notes->locked) {
      lose_all(notes);
    }
    if (notes->line.length > 0 && (!notes->trouble || notes->hurry || last || now >= retry)) {
      try_first(notes);
      retry = g_get_monotonic_time() + RETRY_US;
      more = !(last && notes->trouble);
    } else if (last) {
      more = FALSE;
    } else {
      wait_for_work(notes, retry);
    }
  }
  g_mutex_unlock(&notes->lock);
  end(notes);
  return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static AppNote *
note_program(const char *action)
{
  AppNote *note = app_note_new("application", action);

  app_note_set(note, "program", g_get_prgname());
  app_note_set(note, "program_version", app_version());
  return note;
}

AppNotes *
app_notes_new(const char *log_path)
{
  AppNotes *notes = g_new0(AppNotes, 1);

  notes->n_refs = 1;
  g_mutex_init(&notes->lock);
  g_cond_init(&notes->changed);
  g_queue_init(&notes->line);
  notes->log_path = g_strdup(log_path);
  notes->looks = app_looks_new();
  g_queue_push_tail(&notes->line, note_program("start"));
  notes->thread = g_thread_new("notes", work, notes);
  return notes;
}

AppNotes *
app_notes_ref(AppNotes *notes)
{
  if (notes) {
    g_atomic_int_inc(&notes->n_refs);
  }
  return notes;
}

/* With the lock. */
static void
begin_end(AppNotes *notes)
{
  if (!notes->closing) {
    app_looks_collect(notes->looks, g_get_monotonic_time(), TRUE, &notes->line);
    app_notes_push_locked(notes, note_program("stop"));
    notes->closing = TRUE;
    g_cond_signal(&notes->changed);
  }
}

void
app_notes_unref(AppNotes *notes)
{
  if (!notes || !g_atomic_int_dec_and_test(&notes->n_refs)) {
    return;
  }
  g_mutex_lock(&notes->lock);
  begin_end(notes);
  g_mutex_unlock(&notes->lock);
  g_thread_join(notes->thread);
  g_queue_clear_full(&notes->line, note_release);
  app_looks_free(notes->looks);
  g_clear_error(&notes->trouble);
  g_clear_pointer(&notes->context, g_main_context_unref);
  g_cond_clear(&notes->changed);
  g_mutex_clear(&notes->lock);
  g_free(notes->log_path);
  g_free(notes);
}

void
app_notes_close_async(AppNotes *notes, GAsyncReadyCallback callback, gpointer user)
{
  GTask *task = g_task_new(NULL, NULL, callback, user);

  g_task_set_source_tag(task, app_notes_close_async);
  g_mutex_lock(&notes->lock);
  if (notes->closing) {
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
  } else {
    notes->ended = task;
    begin_end(notes);
  }
  g_mutex_unlock(&notes->lock);
}

gboolean
app_notes_close_finish(AppNotes *notes, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}
