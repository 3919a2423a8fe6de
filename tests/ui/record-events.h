/* record-events.h - the events of a log, as the window reads them. */
#ifndef HILUM_TESTS_UI_RECORD_EVENTS_H
#define HILUM_TESTS_UI_RECORD_EVENTS_H

#include <string.h>

#include "app/wait.h"
#include "app_record.h"

typedef struct {
  AppRecord *record;
  GArray *numbers;
  gboolean found;
  GPtrArray *events;
} RecordReading;

static inline void
record_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(GError) error = NULL;

  ((RecordReading *)data)->record = app_record_open_finish(result, &error);
  g_assert_no_error(error);
}

static inline void
record_part(const gint64 *numbers, gsize n, guint64 done, guint64 total, gpointer data)
{
  g_array_append_vals(((RecordReading *)data)->numbers, numbers, (guint)n);
}

static inline void
record_found(GObject *source, GAsyncResult *result, gpointer data)
{
  ((RecordReading *)data)->found = app_record_find_finish(NULL, result, NULL);
}

static inline void
record_read(GObject *source, GAsyncResult *result, gpointer data)
{
  ((RecordReading *)data)->events = app_record_read_finish(NULL, result, NULL);
}

/* Events of KIND and ACTION (NULL: any) of the log at PATH, the newest first; of AppEvent. Looking
 * is one itself. */
static inline GPtrArray *
record_events(const char *path, const char *kind, const char *action)
{
  const AppRecordFilter filter = {.kind = kind};
  RecordReading reading = {.numbers = g_array_new(FALSE, FALSE, sizeof(gint64))};

  app_record_open_async(path, NULL, record_opened, &reading);
  wait_until(reading.record);
  app_record_find_async(reading.record, &filter, record_part, &reading, NULL, record_found, &reading);
  wait_until(reading.found);
  app_record_read_async(reading.record, (const gint64 *)(gpointer)reading.numbers->data,
                        reading.numbers->len, NULL, record_read, &reading);
  wait_until(reading.events);
  for (guint i = reading.events->len; action && i > 0; i--) {
    if (g_strcmp0(((AppEvent *)reading.events->pdata[i - 1])->action, action) != 0) {
      g_ptr_array_remove_index(reading.events, i - 1);
    }
  }
  g_array_unref(reading.numbers);
  app_record_free(reading.record);
  return reading.events;
}

#endif
