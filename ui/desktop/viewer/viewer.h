/* viewer.h - the picture on the screen, and the hands on it.
 *
 * Shows one AppView, fitted into the widget on black, resampled on the CPU to exactly the device
 * pixels that it covers. It renders nothing and reads nothing itself: what the hands ask for goes
 * out as signals, and the next view comes back in.
 *
 * Signals: "step" (int): so many images on, or back; G_MININT and G_MAXINT are the ends.
 * "window-changed" (double center, double width): by drag or key. "window-reset". "play": to begin
 * or to end a cine.
 */
#ifndef HILUM_DESKTOP_VIEWER_H
#define HILUM_DESKTOP_VIEWER_H

#include <gtk/gtk.h>

#include "app.h"
#include "viewer/resample.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_VIEWER (desktop_viewer_get_type())
G_DECLARE_FINAL_TYPE(DesktopViewer, desktop_viewer, DESKTOP, VIEWER, GtkWidget)

/* Takes VIEW; NULL shows nothing. */
void desktop_viewer_take_view(DesktopViewer *self, AppView *view);
/* What is on the screen, or NULL. Borrowed until the next view. */
const AppView *desktop_viewer_get_view(DesktopViewer *self);
void desktop_viewer_set_filter(DesktopViewer *self, DesktopFilter filter);
/* The window of the view in words, "C 40 W 400", or "" where it has none. g_free(). */
char *desktop_viewer_window_text(const AppView *view);

G_END_DECLS
#endif
