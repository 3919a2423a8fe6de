/* application.h - the program: its options, its windows, its end. */
#ifndef HILUM_DESKTOP_APPLICATION_H
#define HILUM_DESKTOP_APPLICATION_H

#include <adwaita.h>

#include "app.h"
#include "settings/settings.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_APPLICATION (desktop_application_get_type())
G_DECLARE_FINAL_TYPE(DesktopApplication, desktop_application, DESKTOP, APPLICATION, AdwApplication)

/* OPTIONS is borrowed and outlives the application. Each process is an application of its own,
 * because each may have another model and another log. */
DesktopApplication *desktop_application_new(const AppReviewOptions *options,
                                            DesktopSettings *settings);

G_END_DECLS
#endif
