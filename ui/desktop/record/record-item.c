/* record-item.c - one event of the log, as a line of the record. */
#include "record/record-item.h"

struct _DesktopRecordItem {
  GObject parent;

  gint64 number;
  AppEvent *event;
};

G_DEFINE_FINAL_TYPE(DesktopRecordItem, desktop_record_item, G_TYPE_OBJECT)

static guint changed_signal;

DesktopRecordItem *
desktop_record_item_new(gint64 number)
{
  DesktopRecordItem *item = g_object_new(DESKTOP_TYPE_RECORD_ITEM, NULL);

  item->number = number;
  return item;
}

gint64
desktop_record_item_get_number(const DesktopRecordItem *item)
{
  return item->number;
}

const AppEvent *
desktop_record_item_get(const DesktopRecordItem *item)
{
  return item->event;
}

void
desktop_record_item_take(DesktopRecordItem *item, AppEvent *event)
{
  g_clear_pointer(&item->event, app_event_free);
  item->event = event;
  g_signal_emit(item, changed_signal, 0);
}

static void
desktop_record_item_finalize(GObject *object)
{
  g_clear_pointer(&DESKTOP_RECORD_ITEM(object)->event, app_event_free);
  G_OBJECT_CLASS(desktop_record_item_parent_class)->finalize(object);
}

static void
desktop_record_item_class_init(DesktopRecordItemClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_record_item_finalize;
  changed_signal = g_signal_new("changed", DESKTOP_TYPE_RECORD_ITEM, G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 0);
}

static void
desktop_record_item_init(DesktopRecordItem *item)
{
}
