/* history-row.h - one past conversation in a few lines. */
#ifndef HILUM_DESKTOP_HISTORY_ROW_H
#define HILUM_DESKTOP_HISTORY_ROW_H

#include <gtk/gtk.h>

#include "app_trust.h"

G_BEGIN_DECLS

GtkWidget *desktop_history_row_new(const AppHistoryEntry *entry);
/* Of a row that is one. */
gint64 desktop_history_row_get_id(GtkListBoxRow *row);
/* "2 January 2026, 14:05 · CT". Borrowed. */
const char *desktop_history_row_get_title(GtkListBoxRow *row);
/* For the line above the first row of a day. Borrowed. */
const char *desktop_history_row_get_day(GtkListBoxRow *row);

G_END_DECLS
#endif
