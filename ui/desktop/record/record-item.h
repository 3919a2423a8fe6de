/* record-item.h - one event of the log, as a line of the record. */
#ifndef HILUM_DESKTOP_RECORD_ITEM_H
#define HILUM_DESKTOP_RECORD_ITEM_H

#include <glib-object.h>

#include "app_record.h"

G_BEGIN_DECLS

/* Signal "changed": it has been read. */
#define DESKTOP_TYPE_RECORD_ITEM (desktop_record_item_get_type())
G_DECLARE_FINAL_TYPE(DesktopRecordItem, desktop_record_item, DESKTOP, RECORD_ITEM, GObject)

DesktopRecordItem *desktop_record_item_new(gint64 number);
gint64 desktop_record_item_get_number(const DesktopRecordItem *item);
/* NULL: it has not been read yet. Borrowed. */
const AppEvent *desktop_record_item_get(const DesktopRecordItem *item);
/* Takes EVENT. */
void desktop_record_item_take(DesktopRecordItem *item, AppEvent *event);

G_END_DECLS
#endif
