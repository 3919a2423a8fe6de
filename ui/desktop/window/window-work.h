/* window-work.h - long work on the log, with a dialog that tells how far it is and ends it. */
#ifndef HILUM_DESKTOP_WINDOW_WORK_H
#define HILUM_DESKTOP_WINDOW_WORK_H

#include "window/window-private.h"

G_BEGIN_DECLS

/* Holds a job of the window (window-private.h). */
typedef struct {
  DesktopWindow *window;
  GtkWidget *dialog; /* weak */
  GtkWidget *bar;    /* of the dialog */
  GCancellable *cancellable;
} DesktopWork;

/* Presents the dialog. WHAT: that is counted, for screen readers. */
DesktopWork *desktop_work_new(DesktopWindow *self, const char *title, const char *what);
void desktop_work_free(DesktopWork *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DesktopWork, desktop_work_free)
/* An AppProgress; WORK is its USER. */
gboolean desktop_work_progress(guint64 done, guint64 total, gpointer work);
/* Takes the dialog away. FALSE: the window was closed meanwhile, and nothing is to be said. */
gboolean desktop_work_end(DesktopWork *work);
/* What came of it, in a dialog with nothing to choose. */
void desktop_work_tell(DesktopWork *work, const char *title, const char *text);

G_END_DECLS
#endif
