/* models.h - the dialog of models: which there are, which answers, and making smaller ones.
 *
 * Signal "use" (string path): this one is to answer from now on; "" is the demo model. The settings
 * hold it already.
 */
#ifndef HILUM_DESKTOP_MODELS_H
#define HILUM_DESKTOP_MODELS_H

#include <adwaita.h>

#include "app_models.h"
#include "settings/settings.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_MODELS (desktop_models_get_type())
G_DECLARE_FINAL_TYPE(DesktopModels, desktop_models, DESKTOP, MODELS, AdwWindow)

/* IN_USE: path of the model that answers now, NULL: the demo model. REMOTE: name of the server that
 * answers in its place, or NULL. */
DesktopModels *desktop_models_new(DesktopSettings *settings, const char *in_use,
                                  const char *remote);
/* Adds the model at PATH to the list, when it is one. */
void desktop_models_open(DesktopModels *self, const char *path);

G_END_DECLS
#endif
