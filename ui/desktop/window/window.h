/* window.h - the window: series, picture, conversation.
 *
 * One class in several files: window.c (life, widgets), window-open.c (what is opened),
 * window-pane.c (what there is), window-view.c (what is shown), window-layout.c and window-hang.c
 * (panes side by side), window-tools.c, window-document.c, window-ask.c (model and questions),
 * window-model.c (another model).
 */
#ifndef HILUM_DESKTOP_WINDOW_H
#define HILUM_DESKTOP_WINDOW_H

#include <adwaita.h>

#include "app.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_WINDOW (desktop_window_get_type())
G_DECLARE_FINAL_TYPE(DesktopWindow, desktop_window, DESKTOP, WINDOW, AdwApplicationWindow)

/* OPTIONS is borrowed and outlives the window. APPLICATION may be NULL in tests. */
DesktopWindow *desktop_window_new(GtkApplication *application, const AppReviewOptions *options);
/* Begins to load the model, in the background. */
void desktop_window_load_model(DesktopWindow *self);
/* A file or folder; the newest call wins. */
void desktop_window_open_files(DesktopWindow *self, GFile **files, guint n_files);

/* WHY events cannot be written to the log, N of them; NULL: they can. */
void desktop_window_tell_notes(DesktopWindow *self, const char *why, guint n);

/* The model that the options name has changed: it is loaded when nothing is under way. */
void desktop_window_change_model(DesktopWindow *self);

G_END_DECLS
#endif
