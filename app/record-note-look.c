/* record-note-look.c - what is still under way: looks at series, settings that are being changed,
 * words that are being typed. Each is one event once it is over, or has lasted. */
#include <string.h>

#include "record-note.h"
#include "study.h"

/* A look that lasts is written when it is so old, and at its end if more was seen since. */
#define LOOK_US (30 * G_USEC_PER_SEC)
/* Hands rest so long between two changes of one setting. */
#define REST_US (3 * G_USEC_PER_SEC)

typedef struct {
  AppStudy *study; /* a reference */
  guint series, index;
  guint first, last, n_seen, n_images;
  guint8 *seen;                          /* a bit an image */
  gboolean has_window, is_there, is_new; /* IS_NEW: something that was not written yet */
  AppWindow window;
  gint64 happened, due; /* DUE -1: at its end */
} Look;

/* A note that the next of its kind and name replaces. */
typedef struct {
  AppNote *note;
  char *name, *before; /* BEFORE: of a setting */
} Open;

struct _AppLooks {
  GPtrArray *looks; /* of Look */
  GPtrArray *open;  /* of Open */
};

static void
look_free(gpointer data)
{
  Look *look = data;

  app_study_unref(look->study);
  g_free(look->seen);
  g_free(look);
}

static void
open_free(gpointer data)
{
  Open *open = data;

  app_note_free(open->note);
  g_free(open->name);
  g_free(open->before);
  g_free(open);
}

AppLooks *
app_looks_new(void)
{
  AppLooks *looks = g_new0(AppLooks, 1);

  looks->looks = g_ptr_array_new_with_free_func(look_free);
  looks->open = g_ptr_array_new_with_free_func(open_free);
  return looks;
}

void
app_looks_free(AppLooks *looks)
{
  g_ptr_array_unref(looks->looks);
  g_ptr_array_unref(looks->open);
  g_free(looks);
}

/* ---- looks --------------------------------------------------------------------------------- */

static Look *
look_new(AppStudy *study, guint series)
{
  Look *look = g_new0(Look, 1);
  const AppSeriesInfo *info = app_study_series(study, series);

  look->study = app_study_ref(study);
  look->series = series;
  look->n_images = info->n_images;
  look->seen = g_malloc0(info->n_images / 8 + 1);
  look->first = G_MAXUINT;
  look->happened = g_get_real_time();
  look->due = g_get_monotonic_time() + LOOK_US;
  return look;
}

static gboolean
same_window(const AppWindow *a, const AppWindow *b)
{
  return a->set == b->set && a->lut == b->lut && a->invert == b->invert && a->center == b->center &&
         a->width == b->width;
}

static void
look_at(Look *look, guint index, const AppWindow *window)
{
  guint8 *byte = &look->seen[index / 8];
  const guint8 bit = (guint8)(1u << index % 8);

  if (!(*byte & bit)) {
    *byte |= bit;
    look->n_seen++;
    look->is_new = TRUE;
  }
  look->first = MIN(look->first, index);
  look->last = MAX(look->last, index);
  look->index = index;
  look->is_new |=
      look->has_window != (window != NULL) || (window && !same_window(window, &look->window));
  look->has_window = window != NULL;
  look->window = window ? *window : (AppWindow){0};
  look->is_there = TRUE;
}

static AppNote *
look_note(const Look *look)
{
  const AppStudySeries *series = look->study->series->pdata[look->series];
  AppNote *note = app_note_new("shown", "view");
  guint item, frame;
  const DicomSeriesItem *found = app_study_locate(series, look->index, &item, &frame);

  note->happened = look->happened;
  app_note_set_series(note, series->series, found);
  note->about.frame = frame;
  if (look->has_window) {
    const AppWindow *window = &look->window;
    note->about.has_window = window->set && window->lut == 0;
    note->about.window_center = window->center;
    note->about.window_width = window->width;
    note->about.has_voi_lut = window->set && window->lut > 0;
    note->about.voi_lut = window->lut > 0 ? window->lut - 1 : 0;
    note->about.inverted = window->invert;
  }
  app_note_set_number(note, "images", look->n_images);
  app_note_set_number(note, "seen", look->n_seen);
  app_note_set_number(note, "first", look->first + 1);
  app_note_set_number(note, "last", look->last + 1);
  return note;
}

void
app_notes_looks_begin(AppNotes *notes)
{
  AppLooks *looks = app_notes_lock(notes);

  if (looks) {
    for (guint i = 0; i < looks->looks->len; i++) {
      ((Look *)looks->looks->pdata[i])->is_there = FALSE;
    }
    app_notes_leave(notes);
  }
}

void
app_notes_look(AppNotes *notes, AppStudy *study, guint series, guint index, const AppWindow *window)
{
  AppLooks *looks = app_notes_lock(notes);
  Look *look = NULL;
  gboolean begins;

  if (!looks) {
    return;
  }
  for (guint i = 0; i < looks->looks->len && !look; i++) {
    Look *at = looks->looks->pdata[i];
    look = at->study == study && at->series == series ? at : NULL;
  }
  begins = !look;
  if (!look) {
    look = look_new(study, series);
    g_ptr_array_add(looks->looks, look);
  }
  if (index < look->n_images) {
    look_at(look, index, window);
  }
  /* The thread is woken when it has a new time to wake, never by a scroll. */
  if (begins) {
    app_notes_unlock(notes);
  } else {
    app_notes_leave(notes);
  }
}

void
app_notes_looks_end(AppNotes *notes)
{
  AppLooks *looks = app_notes_lock(notes);
  gboolean over = FALSE;

  if (!looks) {
    return;
  }
  for (guint i = looks->looks->len; i > 0; i--) {
    Look *look = looks->looks->pdata[i - 1];
    if (!look->is_there) {
      if (look->is_new && look->n_seen > 0) {
        app_notes_push_locked(notes, look_note(look));
      }
      g_ptr_array_remove_index(looks->looks, i - 1);
      over = TRUE;
    }
  }
  if (over) {
    app_notes_unlock(notes);
  } else {
    app_notes_leave(notes);
  }
}

/* ---- what rests ---------------------------------------------------------------------------- */

static Open *
find_open(AppLooks *looks, const char *kind, const char *name)
{
  for (guint i = 0; i < looks->open->len; i++) {
    Open *open = looks->open->pdata[i];
    if (strcmp(open->note->kind, kind) == 0 && g_strcmp0(open->name, name) == 0) {
      return open;
    }
  }
  return NULL;
}

/* NOTE takes the place of the open one of its kind and NAME. */
static Open *
open_note(AppLooks *looks, AppNote *note, const char *name)
{
  Open *open = find_open(looks, note->kind, name);

  note->due = g_get_monotonic_time() + REST_US;
  if (open) {
    note->happened = open->note->happened;
    app_note_free(open->note);
  } else {
    open = g_new0(Open, 1);
    open->name = g_strdup(name);
    g_ptr_array_add(looks->open, open);
  }
  open->note = note;
  return open;
}

void
app_notes_setting(AppNotes *notes, const char *name, const char *before, const char *after,
                  gboolean is_private)
{
  AppLooks *looks = app_notes_lock(notes);
  AppNote *note;
  Open *open;

  if (!looks) {
    return;
  }
  note = app_note_new("setting", "change");
  open = open_note(looks, note, name);
  if (!open->before) {
    open->before = g_strdup(before);
  }
  app_note_set(note, "name", name);
  if (is_private) {
    app_note_seal(note, "before", open->before);
    app_note_seal(note, "value", after);
  } else {
    app_note_set(note, "before", open->before);
    app_note_set(note, "value", after);
  }
  if (g_strcmp0(open->before, after) == 0) { /* back again */
    g_ptr_array_remove(looks->open, open);
  }
  app_notes_unlock(notes);
}

static AppNote *
viewed_note(const char *what, gint64 conversation, const char *words)
{
  AppNote *note = app_note_new("viewed", what);

  if (conversation > 0) {
    app_note_set_number(note, "conversation", (guint64)conversation);
  }
  app_note_seal(note, "words", words);
  return note;
}

void
app_notes_viewed(AppNotes *notes, const char *what, gint64 conversation, const char *words)
{
  AppLooks *looks = app_notes_lock(notes);

  if (looks) {
    if (words) {
      open_note(looks, viewed_note(what, conversation, words), what);
    } else {
      app_notes_push_locked(notes, viewed_note(what, conversation, words));
    }
    app_notes_unlock(notes);
  }
}

void
app_note_viewed(StoreLog *log, const char *what, gint64 conversation, const char *words)
{
  AppNote *note = viewed_note(what, conversation, words);

  app_note_write(note, log, NULL);
  app_note_free(note);
}

/* ---- when they are due --------------------------------------------------------------------- */

void
app_looks_collect(AppLooks *looks, gint64 now, gboolean all, GQueue *line)
{
  for (guint i = 0; i < looks->looks->len; i++) {
    Look *look = looks->looks->pdata[i];
    if (all || (look->due >= 0 && look->due <= now)) {
      if (look->is_new && look->n_seen > 0) {
        g_queue_push_tail(line, look_note(look));
      }
      look->is_new = FALSE;
      look->due = -1;
    }
  }
  for (guint i = 0; i < looks->open->len;) {
    Open *open = looks->open->pdata[i];
    if (all || open->note->due <= now) {
      g_queue_push_tail(line, g_steal_pointer(&open->note));
      g_ptr_array_remove_index(looks->open, i);
    } else {
      i++;
    }
  }
}

gint64
app_looks_next(const AppLooks *looks)
{
  gint64 next = -1;

  for (guint i = 0; i < looks->looks->len; i++) {
    const Look *look = looks->looks->pdata[i];
    if (look->due >= 0 && (next < 0 || look->due < next)) {
      next = look->due;
    }
  }
  for (guint i = 0; i < looks->open->len; i++) {
    const Open *open = looks->open->pdata[i];
    if (next < 0 || open->note->due < next) {
      next = open->note->due;
    }
  }
  return next;
}
