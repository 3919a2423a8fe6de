/* record-event.h - what the files of the record as people look at it share. */
#ifndef HILUM_APP_RECORD_EVENT_H
#define HILUM_APP_RECORD_EVENT_H

#include "app_record.h"
#include "private.h"

G_BEGIN_DECLS

/* ROW as it is looked at (record-event.c). */
AppEvent *app_event_new(const StoreEventRow *row);
/* NUMBER, which cannot be read, and WHY. */
AppEvent *app_event_new_broken(gint64 number, const char *why);
/* Whether ROW has what FILTER asks for; WORDS: its words, folded, ends with NULL. */
gboolean app_event_matches(const StoreEventRow *row, const AppRecordFilter *filter,
                           char *const *words);

G_END_DECLS
#endif
