/* record-note.h - the inside of notes, shared by record-note.c (the line and its thread),
 * record-note-look.c (what is still under way) and record-note-study.c (what is said of studies).
 *
 * Invariants:
 * 1. `lock` guards everything but `log`, which is the thread's alone. Nobody writes, and nobody
 *    waits for a disk, with the lock held.
 * 2. A note is in `line` until it is written; only the thread takes notes out, and only the first.
 * 3. `open` are notes that may still change; they go into `line` when they are due.
 */
#ifndef HILUM_APP_RECORD_NOTE_H
#define HILUM_APP_RECORD_NOTE_H

#include "app_note.h"
#include "private.h"

G_BEGIN_DECLS

/* One event. Strings are its own. */
typedef struct {
  const char *kind, *action; /* static */
  gboolean failed;
  GStringChunk *strings;
  GArray *fields, *sealed; /* of StoreField */
  StoreImage about;
  gboolean has_about;
  char *person;    /* who was signed in, or NULL */
  gint64 happened; /* g_get_real_time() */
  gint64 due;      /* of an open one: g_get_monotonic_time() */
} AppNote;
AppNote *app_note_new(const char *kind, const char *action);
void app_note_free(AppNote *note);
/* NAME is static; TEXT may be NULL: then nothing is said. */
void app_note_set(AppNote *note, const char *name, const char *text);
void app_note_set_number(AppNote *note, const char *name, guint64 number);
void app_note_seal(AppNote *note, const char *name, const char *text);
/* Copies the texts of ABOUT that are not "". */
void app_note_set_about(AppNote *note, const StoreImage *about);
/* What a series and its study say of themselves. */
void app_note_set_series(AppNote *note, const DicomSeries *series, const DicomSeriesItem *item);
/* Writes it. A LATE one says when it happened. */
gboolean app_note_write(const AppNote *note, StoreLog *log, GError **error);

/* Takes NOTE. Both may be NULL. */
void app_notes_push(AppNotes *notes, AppNote *note);
/* What SCAN of PATH found and refused. */
void app_notes_scan(AppNotes *notes, const DicomScan *scan, const char *path);
/* A file that was to be asked about. ERROR NULL: it was opened. */
AppNote *app_note_new_file(const char *path, const DicomInfo *info, const GError *error);
/* A model: loaded, or ERROR says why not. */
AppNote *app_note_new_model(const StoreModel *model, const GError *error);
/* That the log at LOG was looked at, best done: it may be one that cannot be written. */
void app_note_viewed(StoreLog *log, const char *what, gint64 conversation, const char *words);

/* record-note-look.c: a look under way, and what is in the hands of a person. */
typedef struct _AppLooks AppLooks;
AppLooks *app_looks_new(void);
void app_looks_free(AppLooks *looks);
/* With the lock. What is due at NOW, or everything with ALL, as notes behind LINE. */
void app_looks_collect(AppLooks *looks, gint64 now, gboolean all, GQueue *line);
/* When the next is due; -1: nothing is. */
gint64 app_looks_next(const AppLooks *looks);
/* The lock of NOTES, and its looks, for record-note-look.c; NULL when they are closed. */
AppLooks *app_notes_lock(AppNotes *notes);
void app_notes_unlock(AppNotes *notes); /* and the thread looks again */
void app_notes_leave(AppNotes *notes);  /* and nothing else */
/* With the lock: into line, taken. */
void app_notes_push_locked(AppNotes *notes, AppNote *note);

G_END_DECLS
#endif
