/* record-list.c - the events of a log as a list that reads only what is looked at.
 *
 * 1. Pages are made when one of their lines is asked for, and at most MOST_PAGES are kept: the one
 *    that was asked for longest ago goes. Lines that somebody still holds live on.
 * 2. One page is read at a time, the one asked for last first: who scrolls past does not wait for
 *    what was passed.
 */
#include "record/record-list.h"

#define PAGE 64u
#define MOST_PAGES 64u

typedef struct {
  guint number;     /* of the page, from 0 */
  GPtrArray *items; /* of DesktopRecordItem */
  gboolean is_read;
  GList link; /* in `pages` */
} Page;

struct _DesktopRecordList {
  GObject parent;

  AppRecord *record; /* borrowed */
  GArray *numbers;   /* of gint64, or NULL */
  guint n_items;
  GHashTable *by_number; /* of Page */
  GQueue pages;          /* the same; asked for last at the head */
  GCancellable *reading; /* NULL: no page is being read */
  guint n_reads;
};

static void desktop_record_list_model_init(GListModelInterface *interface);
G_DEFINE_FINAL_TYPE_WITH_CODE(DesktopRecordList, desktop_record_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL,
                                                    desktop_record_list_model_init))

static guint failed_signal;

static void
page_free(gpointer data)
{
  Page *page = data;

  g_ptr_array_unref(page->items);
  g_free(page);
}

static gint64
number_at(DesktopRecordList *self, guint position)
{
  return self->numbers ? g_array_index(self->numbers, gint64, position)
                       : (gint64)self->n_items - position;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* What is being read, with the list that wanted it. */
typedef struct {
  DesktopRecordList *self;
  GCancellable *cancellable; /* tells whether it is still wanted */
  GPtrArray *items;
} Reading;

static void
reading_free(Reading *reading)
{
  g_object_unref(reading->self);
  g_object_unref(reading->cancellable);
  g_ptr_array_unref(reading->items);
  g_free(reading);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reading, reading_free)

static void read_next(DesktopRecordList *self);

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Reading) reading = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) events = app_record_read_finish(NULL, result, &error);
  DesktopRecordList *self = reading->self;

  if (self->reading != reading->cancellable) {
    return;
  }
  g_clear_object(&self->reading);
  for (guint i = 0; events && i < events->len; i++) {
    desktop_record_item_take(reading->items->pdata[i], g_steal_pointer(&events->pdata[i]));
  }
  if (!events) {
    g_signal_emit(self, failed_signal, 0, error->message);
  }
  read_next(self);
}

static Page *
first_unread(DesktopRecordList *self)
{
  for (GList *at = self->pages.head; at; at = at->next) {
    if (!((Page *)at->data)->is_read) {
      return at->data;
    }
  }
  return NULL;
}

static void
read_next(DesktopRecordList *self)
{
  Page *page = self->reading || !self->record ? NULL : first_unread(self);
  gint64 numbers[PAGE];
  Reading *reading;

  if (!page) {
    return;
  }
  page->is_read = TRUE;
  self->n_reads++;
  self->reading = g_cancellable_new();
  reading = g_new0(Reading, 1);
  reading->self = g_object_ref(self);
  reading->cancellable = g_object_ref(self->reading);
  reading->items = g_ptr_array_ref(page->items);
  for (guint i = 0; i < page->items->len; i++) {
    numbers[i] = desktop_record_item_get_number(page->items->pdata[i]);
  }
  app_record_read_async(self->record, numbers, page->items->len, self->reading, on_read, reading);
}

/* ---- pages ---------------------------------------------------------------------------------- */

static Page *
page_new(DesktopRecordList *self, guint number)
{
  Page *page = g_new0(Page, 1);
  const guint first = number * PAGE, end = MIN(first + PAGE, self->n_items);

  page->number = number;
  page->link.data = page;
  page->items = g_ptr_array_new_with_free_func(g_object_unref);
  for (guint i = first; i < end; i++) {
    g_ptr_array_add(page->items, desktop_record_item_new(number_at(self, i)));
  }
  return page;
}

static Page *
page_of(DesktopRecordList *self, guint number)
{
  Page *page = g_hash_table_lookup(self->by_number, GUINT_TO_POINTER(number));

  if (page) {
    g_queue_unlink(&self->pages, &page->link);
  } else {
    page = page_new(self, number);
    g_hash_table_insert(self->by_number, GUINT_TO_POINTER(number), page);
    if (self->pages.length >= MOST_PAGES) {
      Page *oldest = self->pages.tail->data;
      g_queue_unlink(&self->pages, &oldest->link);
      g_hash_table_remove(self->by_number, GUINT_TO_POINTER(oldest->number));
    }
  }
  g_queue_push_head_link(&self->pages, &page->link);
  return page;
}

static void
forget_pages(DesktopRecordList *self)
{
  if (self->reading) {
    g_cancellable_cancel(self->reading);
    g_clear_object(&self->reading);
  }
  g_queue_init(&self->pages);
  g_hash_table_remove_all(self->by_number);
}

/* ---- the list ------------------------------------------------------------------------------- */

static GType
get_item_type(GListModel *model)
{
  return DESKTOP_TYPE_RECORD_ITEM;
}

static guint
get_n_items(GListModel *model)
{
  return DESKTOP_RECORD_LIST(model)->n_items;
}

static gpointer
get_item(GListModel *model, guint position)
{
  DesktopRecordList *self = DESKTOP_RECORD_LIST(model);
  Page *page;

  if (position >= self->n_items) {
    return NULL;
  }
  page = page_of(self, position / PAGE);
  read_next(self);
  return g_object_ref(page->items->pdata[position % PAGE]);
}

static void
desktop_record_list_model_init(GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

void
desktop_record_list_set(DesktopRecordList *self, AppRecord *record, GArray *numbers)
{
  const guint before = self->n_items;
  const gint64 all = record ? app_record_n_events(record) : 0;

  forget_pages(self);
  g_clear_pointer(&self->numbers, g_array_unref);
  self->numbers = numbers;
  self->record = record;
  /* A GListModel counts in guint. */
  self->n_items = numbers ? numbers->len : (guint)CLAMP(all, 0, G_MAXINT);
  g_list_model_items_changed(G_LIST_MODEL(self), 0, before, self->n_items);
}

/* The last page may have had room: its lines are known to others, so it goes on and is read anew.
 */
static void
extend_page(DesktopRecordList *self, guint number)
{
  Page *page = g_hash_table_lookup(self->by_number, GUINT_TO_POINTER(number));
  const guint end = MIN((number + 1) * PAGE, self->n_items);

  for (guint i = number * PAGE + (page ? page->items->len : 0); page && i < end; i++) {
    g_ptr_array_add(page->items, desktop_record_item_new(number_at(self, i)));
    page->is_read = FALSE;
  }
}

void
desktop_record_list_add(DesktopRecordList *self, const gint64 *numbers, gsize n)
{
  const guint before = self->n_items;

  g_return_if_fail(self->numbers && n <= G_MAXINT - before);
  g_array_append_vals(self->numbers, numbers, (guint)n);
  self->n_items += (guint)n;
  extend_page(self, before / PAGE);
  g_list_model_items_changed(G_LIST_MODEL(self), before, 0, (guint)n);
}

guint
desktop_record_list_n_reads(DesktopRecordList *self)
{
  return self->n_reads;
}

gboolean
desktop_record_list_find(DesktopRecordList *self, gint64 number, guint *position)
{
  guint low = 0, high = self->n_items;

  while (low < high) { /* numbers fall */
    const guint middle = low + (high - low) / 2;

    if (number_at(self, middle) > number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *position = low;
  return low < self->n_items && number_at(self, low) == number;
}

/* ---- life ----------------------------------------------------------------------------------- */

DesktopRecordList *
desktop_record_list_new(void)
{
  return g_object_new(DESKTOP_TYPE_RECORD_LIST, NULL);
}

static void
desktop_record_list_finalize(GObject *object)
{
  DesktopRecordList *self = DESKTOP_RECORD_LIST(object);

  forget_pages(self);
  g_hash_table_unref(self->by_number);
  g_clear_pointer(&self->numbers, g_array_unref);
  G_OBJECT_CLASS(desktop_record_list_parent_class)->finalize(object);
}

static void
desktop_record_list_class_init(DesktopRecordListClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_record_list_finalize;
  failed_signal = g_signal_new("failed", DESKTOP_TYPE_RECORD_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
desktop_record_list_init(DesktopRecordList *self)
{
  self->by_number = g_hash_table_new_full(NULL, NULL, NULL, page_free);
  g_queue_init(&self->pages);
}
