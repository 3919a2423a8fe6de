/* shortcuts.h - the window that shows all keys in force. */
#ifndef HILUM_DESKTOP_SHORTCUTS_H
#define HILUM_DESKTOP_SHORTCUTS_H

#include <gtk/gtk.h>

#include "settings/settings.h"

G_BEGIN_DECLS

GtkWindow *desktop_shortcuts_new(DesktopSettings *settings);

G_END_DECLS
#endif
