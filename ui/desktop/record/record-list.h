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
/* More of those that are shown, all older than they are; not where all are shown. */
void desktop_record_list_add(DesktopRecordList *self, const gint64 *numbers, gsize n);
/* Pages that were read or are being read since the list was made. */
guint desktop_record_list_n_reads(DesktopRecordList *self);
/* Where event NUMBER stands; FALSE: not in the list. */
gboolean desktop_record_list_find(DesktopRecordList *self, gint64 number, guint *position);

G_END_DECLS
#endif
