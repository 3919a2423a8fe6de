/* strip-row.h - a line of the strip as it is seen. */
#ifndef HILUM_DESKTOP_STRIP_ROW_H
#define HILUM_DESKTOP_STRIP_ROW_H

#include "strip/strip-item.h"

G_BEGIN_DECLS

/* Logical pixels, each way. */
#define DESKTOP_STRIP_THUMBNAIL 56

#define DESKTOP_TYPE_STRIP_ROW (desktop_strip_row_get_type())
G_DECLARE_FINAL_TYPE(DesktopStripRow, desktop_strip_row, DESKTOP, STRIP_ROW, GtkBox)

GtkWidget *desktop_strip_row_new(void);
/* NULL: none. */
void desktop_strip_row_set_item(DesktopStripRow *self, DesktopStripItem *item);
DesktopStripItem *desktop_strip_row_get_item(DesktopStripRow *self);

G_END_DECLS
#endif
