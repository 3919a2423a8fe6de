/* application.h - the program: its options, its windows, its end. */
#ifndef HILUM_DESKTOP_APPLICATION_H
#define HILUM_DESKTOP_APPLICATION_H

#include <adwaita.h>

#include "app.h"
#include "settings/settings.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_APPLICATION (desktop_application_get_type())
G_DECLARE_FINAL_TYPE(DesktopApplication, desktop_application, DESKTOP, APPLICATION, AdwApplication)

/* OPTIONS is borrowed and outlives the application. A process that has options of its own for model
 * or log is ALONE: an application of its own. Any other opens its files in the one that is there.
 */
DesktopApplication *desktop_application_new(const AppReviewOptions *options,
                                            DesktopSettings *settings, gboolean alone);
/* When it has run: who signed in with a PIN is signed out. Waits for the log. */
void desktop_application_sign_out(DesktopApplication *self);

G_END_DECLS
#endif
