/* seen.h - what the model saw of an image: the very square, pixel by pixel.
 *
 * It computes no square: whoever shows it answers its wish by desktop_seen_take() or _fail().
 */
#ifndef HILUM_DESKTOP_SEEN_H
#define HILUM_DESKTOP_SEEN_H

#include <gtk/gtk.h>

#include "conversation/about.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_SEEN (desktop_seen_get_type())
G_DECLARE_FINAL_TYPE(DesktopSeen, desktop_seen, DESKTOP, SEEN, GtkBox)

GtkWidget *desktop_seen_new(DesktopAbout *about);
/* Borrowed. */
DesktopAbout *desktop_seen_get_about(DesktopSeen *self);
gboolean desktop_seen_has_picture(DesktopSeen *self);
void desktop_seen_take(DesktopSeen *self, const AppPicture *picture);
void desktop_seen_fail(DesktopSeen *self, const char *message);

G_END_DECLS
#endif
