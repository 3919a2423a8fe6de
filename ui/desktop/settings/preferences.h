/* preferences.h - the dialog in which settings are made. What is changed counts at once. */
#ifndef HILUM_DESKTOP_PREFERENCES_H
#define HILUM_DESKTOP_PREFERENCES_H

#include <adwaita.h>

#include "settings/settings.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_PREFERENCES (desktop_preferences_get_type())
G_DECLARE_FINAL_TYPE(DesktopPreferences, desktop_preferences, DESKTOP, PREFERENCES,
                     AdwPreferencesWindow)

DesktopPreferences *desktop_preferences_new(DesktopSettings *settings);
/* The log whose protection is shown (NULL: at the default place), if one is KEPT. */
void desktop_preferences_set_log(DesktopPreferences *self, const char *path, gboolean kept);

G_END_DECLS
#endif
