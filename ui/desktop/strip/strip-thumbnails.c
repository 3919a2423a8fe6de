/* strip-thumbnails.c - small pictures for the rows in sight, a few at a time.
 *
 * A list view keeps rows far beyond what is seen, so a row asks for nothing by itself: what lies in
 * the scrolled window is looked up when it moved, from the top. A picture that scrolled away before
 * it came is cancelled, and the oldest pictures are let go when there are many.
 */
#include "strip/strip-private.h"

#include "app_slice.h"

/* Under way at once: decoding for the viewer comes before it, and has most helpers. */
#define MAX_ASKING 2
/* At 112 device pixels a side these are 10 MB. */
#define MAX_KEPT 200

typedef struct {
  DesktopStrip *strip; /* NULL: nobody wants it any more */
  AppStudy *study;     /* borrowed: as long as STRIP is there */
  DesktopStripItem *item;
  GCancellable *cancellable;
} Asking;

static void
asking_free(Asking *asking)
{
  if (asking->strip) {
    g_ptr_array_remove_fast(asking->strip->asking, asking);
  }
  g_object_unref(asking->item);
  g_object_unref(asking->cancellable);
  g_free(asking);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asking, asking_free)

static void
forget(Asking *asking)
{
  asking->strip = NULL;
  asking->item->asked = FALSE;
  g_cancellable_cancel(asking->cancellable);
}

static void
keep(DesktopStrip *self, DesktopStripItem *item)
{
  g_queue_push_head(&self->kept, g_object_ref(item));
  while (g_queue_get_length(&self->kept) > MAX_KEPT) {
    g_autoptr(DesktopStripItem) oldest = g_queue_pop_tail(&self->kept);

    g_clear_object(&oldest->thumbnail);
    oldest->asked = FALSE;
    desktop_strip_item_changed(oldest);
  }
}

static void
take(Asking *asking, const AppCanvas *canvas)
{
  DesktopStripItem *item = asking->item;

  if (canvas && canvas->width > 0 && canvas->height > 0) {
    item->thumbnail =
        gdk_memory_texture_new((int)canvas->width, (int)canvas->height, GDK_MEMORY_R8G8B8,
                               canvas->pixels, (gsize)canvas->width * 3);
    keep(asking->strip, item);
    desktop_strip_item_changed(item);
  }
  desktop_strip_look(asking->strip);
}

static void
on_thumbnail(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Asking) asking = data;
  g_autoptr(AppCanvas) canvas = app_study_thumbnail_finish(asking->study, result, NULL);

  /* A series that cannot be decoded has no picture; why is told where it is shown. */
  if (asking->strip) {
    take(asking, canvas);
  }
}

static void
on_drawn(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Asking) asking = data;
  g_autoptr(AppDrawn) drawn = app_study_draw_finish(asking->study, result, NULL);

  if (asking->strip) {
    take(asking, drawn ? drawn->canvas : NULL);
  }
}

static void
ask(DesktopStrip *self, DesktopStripItem *item)
{
  Asking *asking = g_new0(Asking, 1);
  guint size = (guint)(DESKTOP_STRIP_THUMBNAIL * gtk_widget_get_scale_factor(GTK_WIDGET(self)));

  asking->strip = self;
  asking->study = self->study;
  asking->item = g_object_ref(item);
  asking->cancellable = g_cancellable_new();
  item->asked = TRUE;
  g_ptr_array_add(self->asking, asking);
  if (item->kind == DESKTOP_STRIP_SERIES) {
    app_study_thumbnail_async(self->study, item->series, size, asking->cancellable, on_thumbnail,
                              asking);
  } else {
    const AppDrawing drawing = {.series = item->series,
                                .index = item->index,
                                .placement = {.width = size, .height = size, .smooth = TRUE}};

    app_study_draw_async(self->study, &drawing, asking->cancellable, on_drawn, asking);
  }
}

/* ---- what is in sight ----------------------------------------------------------------------- */

/* Where ROW lies in the scrolled window; FALSE: not in sight. */
static gboolean
is_in_sight(DesktopStrip *self, DesktopStripRow *row, float *top)
{
  graphene_rect_t bounds;
  GtkWidget *scroller = GTK_WIDGET(self->scroller);

  if (!gtk_widget_get_mapped(GTK_WIDGET(row)) ||
      !gtk_widget_compute_bounds(GTK_WIDGET(row), scroller, &bounds)) {
    return FALSE;
  }
  *top = bounds.origin.y;
  return bounds.size.height > 0 && bounds.origin.y < (float)gtk_widget_get_height(scroller) &&
         bounds.origin.y + bounds.size.height > 0;
}

static DesktopStripItem *
next_wanted(DesktopStrip *self)
{
  DesktopStripItem *wanted = NULL;
  float top, highest = 0;

  for (guint i = 0; i < self->rows->len; i++) {
    DesktopStripRow *row = self->rows->pdata[i];
    DesktopStripItem *item = desktop_strip_row_get_item(row);

    if (item && desktop_strip_item_has_thumbnail(item) && !item->asked &&
        is_in_sight(self, row, &top) && (!wanted || top < highest)) {
      wanted = item;
      highest = top;
    }
  }
  return wanted;
}

static gboolean
item_is_in_sight(DesktopStrip *self, const DesktopStripItem *item)
{
  float top;

  for (guint i = 0; i < self->rows->len; i++) {
    if (desktop_strip_row_get_item(self->rows->pdata[i]) == item) {
      return is_in_sight(self, self->rows->pdata[i], &top);
    }
  }
  return FALSE;
}

static gboolean
look(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  DesktopStrip *self = DESKTOP_STRIP(widget);
  DesktopStripItem *wanted;

  /* Rows that came in this frame are laid out at its end. */
  if (self->frames_to_wait > 0) {
    self->frames_to_wait--;
    return G_SOURCE_CONTINUE;
  }
  self->looking = 0;
  for (guint i = self->asking->len; i > 0; i--) {
    Asking *asking = self->asking->pdata[i - 1];

    if (!item_is_in_sight(self, asking->item)) {
      g_ptr_array_remove_index_fast(self->asking, i - 1);
      forget(asking);
    }
  }
  while (self->study && self->asking->len < MAX_ASKING && (wanted = next_wanted(self))) {
    ask(self, wanted);
  }
  return G_SOURCE_REMOVE;
}

void
desktop_strip_look(DesktopStrip *self)
{
  if (self->study) {
    self->frames_to_wait = 1;
    if (self->looking == 0) {
      self->looking = gtk_widget_add_tick_callback(GTK_WIDGET(self), look, NULL, NULL);
    }
  }
}

void
desktop_strip_stop_looking(DesktopStrip *self)
{
  if (self->looking != 0) {
    gtk_widget_remove_tick_callback(GTK_WIDGET(self), self->looking);
    self->looking = 0;
  }
  for (guint i = 0; i < self->asking->len; i++) {
    forget(self->asking->pdata[i]);
  }
  g_ptr_array_set_size(self->asking, 0);
  g_queue_clear_full(&self->kept, g_object_unref);
}
