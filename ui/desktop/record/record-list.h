/* record-list.h - the events of a log as a list that reads only what is looked at.
 *
 * A GListModel of DesktopRecordItem, newest first. An item is there at once and is filled when its
 * page has been read.
 */
#ifndef HILUM_DESKTOP_RECORD_LIST_H
#define HILUM_DESKTOP_RECORD_LIST_H

#include <gio/gio.h>

#include "record/record-item.h"

G_BEGIN_DECLS

/* Signal "failed" (string: why): a page could not be read. */
#define DESKTOP_TYPE_RECORD_LIST (desktop_record_list_get_type())
G_DECLARE_FINAL_TYPE(DesktopRecordList, desktop_record_list, DESKTOP, RECORD_LIST, GObject)

DesktopRecordList *desktop_record_list_new(void);
/* RECORD is borrowed until the next call, or NULL. NUMBERS: of the events that are shown, newest
 * first; NULL: all. Takes NUMBERS. */
void desktop_record_list_set(DesktopRecordList *self, AppRecord *record, GArray *numbers);

G_END_DECLS
#endif
