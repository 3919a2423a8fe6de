/* model-row.h - one model: what it is, what it takes, and what can be made of it.
 *
 * Signals: "use"; "made" (string path): a conversion has ended, and is ready there if not "".
 */
#ifndef HILUM_DESKTOP_MODEL_ROW_H
#define HILUM_DESKTOP_MODEL_ROW_H

#include <adwaita.h>

#include "app_models.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_MODEL_ROW (desktop_model_row_get_type())
G_DECLARE_FINAL_TYPE(DesktopModelRow, desktop_model_row, DESKTOP, MODEL_ROW, AdwExpanderRow)

/* ENTRY is read, not kept. */
DesktopModelRow *desktop_model_row_new(const AppModelEntry *entry);
/* Path of the model; "" for the demo model. */
const char *desktop_model_row_get_path(DesktopModelRow *self);
/* Whether this one answers; whether any here can, which no one can while a server does. */
void desktop_model_row_set_state(DesktopModelRow *self, gboolean in_use, gboolean can_use);
/* Whether a conversion is under way. */
gboolean desktop_model_row_is_busy(DesktopModelRow *self);
/* Ends what is under way for it: nothing comes from it any more. */
void desktop_model_row_stop(DesktopModelRow *self);

G_END_DECLS
#endif
