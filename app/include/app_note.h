/* app_note.h - what happens in the window besides questions, on its way into the log.
 *
 * Files that are opened and refused, images that are shown, settings, models, past conversations
 * that are looked at: each is an event. They are written by a thread of their own, in order, so
 * that nothing that is seen waits for the disk. What cannot be written waits (as turns do) and is
 * told of; what is lost in the end is counted, in the log as soon as it can be written.
 *
 * NOTES may be NULL in each call: no log is kept, and nothing is done.
 *
 * Thread rule: any thread; the listener is called in the main context of who set it.
 */
#ifndef HILUM_APP_NOTE_H
#define HILUM_APP_NOTE_H

#include "app.h"

G_BEGIN_DECLS

/* Begins with the start of the program. LOG_PATH NULL: the default place. */
AppNotes *app_notes_new(const char *log_path);
AppNotes *app_notes_ref(AppNotes *notes);
/* The last one ends them as app_notes_close_async() does, and waits. */
void app_notes_unref(AppNotes *notes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppNotes, app_notes_unref)
/* Notes the end of the program and writes all. Later notes are not taken. */
void app_notes_close_async(AppNotes *notes, GAsyncReadyCallback callback, gpointer user);
/* FALSE: some are not in the log. */
gboolean app_notes_close_finish(AppNotes *notes, GAsyncResult *result, GError **error);

/* WHY they cannot be written, of N that wait; NULL: they are again. */
typedef void (*AppNotesTrouble)(const char *why, guint n, gpointer user);
void app_notes_set_listener(AppNotes *notes, AppNotesTrouble listener, gpointer user);
/* A log whose passphrase was refused takes no notes until this is called. */
void app_notes_try_again(AppNotes *notes);
/* Whether all that was noted so far is written; for tests. */
gboolean app_notes_are_written(AppNotes *notes);

/* app_study_open_around_async() (AROUND) or app_study_open_async(), of which NOTES keep what was
 * opened and what was refused. Ends with app_study_open_finish(). */
void app_notes_open_study_async(AppNotes *notes, const char *path, gboolean around, guint frame,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user);

/* What is on the screen now: between begin and end, each pane with the image that it shows. One
 * look at a series is one event, which says how many images were seen, from which to which, and the
 * last window; one that lasts is written in between. */
void app_notes_looks_begin(AppNotes *notes);
/* WINDOW NULL: none (a colour picture). */
void app_notes_look(AppNotes *notes, AppStudy *study, guint series, guint index,
                    const AppWindow *window);
void app_notes_looks_end(AppNotes *notes);

/* NAME is AFTER now; of several changes within seconds, the first BEFORE and the last AFTER count.
 * IS_PRIVATE: the values may name a person (a path). */
void app_notes_setting(AppNotes *notes, const char *name, const char *before, const char *after,
                       gboolean is_private);
/* WHAT: "conversation", "list", "search" (static). WORDS: what was looked for, or NULL; of words
 * that grow as they are typed, the last count. */
void app_notes_viewed(AppNotes *notes, const char *what, gint64 conversation, const char *words);

G_END_DECLS
#endif
