/* strip.c - what the study holds: its lines, in order, and what is chosen of them. */
#include "strip/strip-private.h"

#include <glib/gi18n.h>

#include "app_key_image.h"

G_DEFINE_FINAL_TYPE(DesktopStrip, desktop_strip, GTK_TYPE_BOX)

enum { SERIES_CHOSEN, IMAGE_CHOSEN, DOCUMENT_CHOSEN, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- order ---------------------------------------------------------------------------------- */

/* Patients as they come; of each the newest study first; series as they come. */
static gint
compare_series(gconstpointer a, gconstpointer b, gpointer study)
{
  const guint *x = a, *y = b;
  const AppSeriesInfo *one = app_study_series(study, *x), *other = app_study_series(study, *y);

  if (one->patient != other->patient) {
    return one->patient < other->patient ? -1 : 1;
  }
  if (one->study != other->study) {
    return one->study > other->study ? -1 : 1;
  }
  return *x < *y ? -1 : *x > *y;
}

static GArray *
series_in_order(AppStudy *study)
{
  guint n = app_study_n_series(study);
  GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(guint), n);

  for (guint i = 0; i < n; i++) {
    g_array_append_val(order, i);
  }
  g_array_sort_with_data(order, compare_series, study);
  return order;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void
take_line(GPtrArray *lines, DesktopStripItem *item)
{
  g_ptr_array_add(lines, item);
}

static void
add_series(DesktopStrip *self, GPtrArray *lines)
{
  g_autoptr(GArray) order = series_in_order(self->study);
  const AppSeriesInfo *before = NULL, *last;
  gboolean many_studies, many_patients;

  if (order->len == 0) {
    return;
  }
  before = app_study_series(self->study, g_array_index(order, guint, 0));
  last = app_study_series(self->study, g_array_index(order, guint, order->len - 1));
  many_studies = before->study != last->study;
  many_patients = before->patient != last->patient;
  before = NULL;
  for (guint i = 0; i < order->len; i++) {
    guint series = g_array_index(order, guint, i);
    const AppSeriesInfo *info = app_study_series(self->study, series);

    if (many_studies && (!before || before->study != info->study)) {
      gboolean is_current = !before || before->patient != info->patient;
      take_line(lines, desktop_strip_item_new_study(info, many_patients, is_current));
    }
    take_line(lines, g_object_ref(self->items->pdata[series]));
    before = info;
  }
}

static void
add_documents(DesktopStrip *self, GPtrArray *lines)
{
  guint n = app_study_n_documents(self->study);

  if (n > 0) {
    take_line(lines, desktop_strip_item_new_heading(_("Documents")));
  }
  for (guint i = 0; i < n; i++) {
    take_line(lines, desktop_strip_item_new_document(i, app_study_document(self->study, i)));
  }
}

static void
add_key_images(DesktopStrip *self, GPtrArray *lines)
{
  g_autoptr(GArray) order = series_in_order(self->study);

  for (guint i = 0; i < order->len; i++) {
    guint series = g_array_index(order, guint, i);
    const AppSeriesInfo *info = app_study_series(self->study, series);
    g_autoptr(GArray) keys = app_study_keys(self->study, series);

    for (guint k = 0; k < keys->len; k++) {
      take_line(lines, desktop_strip_item_new_image(series, g_array_index(keys, guint, k), info));
    }
  }
}

static guint
count_keys(DesktopStrip *self)
{
  guint n = 0;

  for (guint i = 0; i < self->items->len; i++) {
    DesktopStripItem *item = self->items->pdata[i];
    guint n_keys = app_study_n_keys(self->study, i);

    n += n_keys;
    if (item->n_keys != n_keys) {
      item->n_keys = n_keys;
      desktop_strip_item_changed(item);
    }
  }
  return n;
}

/* Selects the line of the active pane's series, if it is there, and brings it into sight. */
static void
show_selected(DesktopStrip *self, gboolean scroll)
{
  guint n = g_list_model_get_n_items(G_LIST_MODEL(self->store)), at = GTK_INVALID_LIST_POSITION;

  for (guint i = 0; i < n && at == GTK_INVALID_LIST_POSITION; i++) {
    g_autoptr(DesktopStripItem) item = g_list_model_get_item(G_LIST_MODEL(self->store), i);

    if (item->kind == DESKTOP_STRIP_SERIES && item->series == self->selected) {
      at = i;
    }
  }
  self->filling = TRUE;
  gtk_single_selection_set_selected(self->selection, at);
  self->filling = FALSE;
  if (scroll && at != GTK_INVALID_LIST_POSITION) {
    gtk_widget_activate_action(GTK_WIDGET(self->list), "list.scroll-to-item", "u", at);
  }
}

static void
fill(DesktopStrip *self)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_object_unref);
  gboolean keys_only = gtk_toggle_button_get_active(self->keys_only);

  if (self->study && keys_only) {
    add_key_images(self, lines);
  } else if (self->study) {
    add_series(self, lines);
    add_documents(self, lines);
  }
  gtk_label_set_text(self->heading, keys_only ? _("Key Images") : _("Series"));
  self->filling = TRUE;
  g_list_store_splice(self->store, 0, g_list_model_get_n_items(G_LIST_MODEL(self->store)),
                      lines->pdata, lines->len);
  self->filling = FALSE;
  if (!keys_only) {
    show_selected(self, TRUE);
  }
  desktop_strip_look(self);
}

void
desktop_strip_update_keys(DesktopStrip *self)
{
  guint n = self->study ? count_keys(self) : 0;

  gtk_widget_set_sensitive(GTK_WIDGET(self->keys_only), n > 0);
  if (gtk_toggle_button_get_active(self->keys_only)) {
    if (n == 0) {
      gtk_toggle_button_set_active(self->keys_only, FALSE); /* which fills */
    } else {
      fill(self);
    }
  }
}

static void
show_summary(DesktopStrip *self)
{
  guint n_refused = 0;
  const char *why = self->study ? app_study_refused(self->study, &n_refused) : "";
  const char *summary = self->study ? app_study_summary(self->study) : "";
  g_auto(GStrv) reasons = g_strsplit(why, "\n", -1);
  g_autofree char *spaced = g_strjoinv("\n\n", reasons);

  gtk_label_set_text(self->summary_label, summary);
  gtk_menu_button_set_label(self->refused_button, summary);
  gtk_label_set_text(self->refused_text, spaced);
  gtk_widget_set_visible(GTK_WIDGET(self->summary_label), n_refused == 0);
  gtk_widget_set_visible(GTK_WIDGET(self->refused_button), n_refused > 0);
}

void
desktop_strip_set_study(DesktopStrip *self, AppStudy *study)
{
  guint n = study ? app_study_n_series(study) : 0;

  desktop_strip_stop_looking(self);
  self->study = study;
  self->selected = G_MAXUINT;
  self->loading = NULL;
  g_ptr_array_set_size(self->items, 0);
  for (guint i = 0; i < n; i++) {
    g_ptr_array_add(self->items, desktop_strip_item_new_series(i, app_study_series(study, i)));
  }
  gtk_toggle_button_set_active(self->keys_only, FALSE);
  desktop_strip_update_keys(self);
  fill(self);
  show_summary(self);
}

void
desktop_strip_select(DesktopStrip *self, guint series)
{
  if (series != self->selected) {
    self->selected = series;
    if (!gtk_toggle_button_get_active(self->keys_only)) {
      show_selected(self, TRUE);
    }
  }
}

guint
desktop_strip_first_series(DesktopStrip *self)
{
  g_autoptr(GArray) order = self->study ? series_in_order(self->study) : NULL;

  return order && order->len > 0 ? g_array_index(order, guint, 0) : G_MAXUINT;
}

gboolean
desktop_strip_has_choice(DesktopStrip *self)
{
  guint n_refused = 0;
  DesktopStripItem *first = self->items->len > 0 ? self->items->pdata[0] : NULL;

  if (!self->study) {
    return FALSE;
  }
  app_study_refused(self->study, &n_refused);
  return self->items->len != 1 || app_study_n_documents(self->study) > 0 || n_refused > 0 ||
         first->notes[0] || first->n_keys > 0;
}

void
desktop_strip_set_progress(DesktopStrip *self, const AppStudyProgress *progress)
{
  DesktopStripItem *item =
      progress->series < self->items->len ? self->items->pdata[progress->series] : NULL;

  if (self->loading && self->loading != item && self->loading->is_loading) {
    self->loading->is_loading = FALSE;
    desktop_strip_item_changed(self->loading);
  }
  self->loading = item;
  if (item) {
    item->is_loading = progress->is_loading && progress->n_images > 1;
    item->n_images = progress->n_images;
    item->n_ready = progress->n_ready;
    item->n_failed = progress->n_failed;
    desktop_strip_item_changed(item);
  }
}

/* ---- hands ---------------------------------------------------------------------------------- */

static void
on_selected(GtkSelectionModel *selection, guint position, guint n, DesktopStrip *self)
{
  DesktopStripItem *item = gtk_single_selection_get_selected_item(self->selection);

  if (self->filling || !item) {
    return;
  }
  if (item->kind == DESKTOP_STRIP_SERIES) {
    self->selected = item->series;
    g_signal_emit(self, signals[SERIES_CHOSEN], 0, item->series);
  } else if (item->kind == DESKTOP_STRIP_IMAGE) {
    g_signal_emit(self, signals[IMAGE_CHOSEN], 0, item->series, item->index);
  } else {
    /* Only what can be selected can have the focus, so these can; but what is shown is not them. */
    show_selected(self, FALSE);
  }
}

static void
open_document(DesktopStrip *self, const DesktopStripItem *item)
{
  if (item->kind == DESKTOP_STRIP_DOCUMENT && item->opens) {
    g_signal_emit(self, signals[DOCUMENT_CHOSEN], 0, item->index);
  }
}

static void
on_activated(GtkListView *list, guint position, DesktopStrip *self)
{
  g_autoptr(DesktopStripItem) item = g_list_model_get_item(G_LIST_MODEL(self->store), position);

  if (item) {
    open_document(self, item);
  }
}

/* A document is opened by one click, as anything else here is shown by one. */
static void
on_released(GtkGestureClick *gesture, int n_press, double x, double y, DesktopStrip *self)
{
  GtkWidget *row = gtk_event_controller_get_widget(GTK_EVENT_CONTROLLER(gesture));
  DesktopStripItem *item = desktop_strip_row_get_item(DESKTOP_STRIP_ROW(row));

  if (n_press == 1 && item) {
    open_document(self, item);
  }
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void
on_setup(GtkListItemFactory *factory, GtkListItem *list_item, DesktopStrip *self)
{
  GtkWidget *row = desktop_strip_row_new();
  GtkGesture *click = gtk_gesture_click_new();

  g_signal_connect(click, "released", G_CALLBACK(on_released), self);
  gtk_widget_add_controller(row, GTK_EVENT_CONTROLLER(click));
  gtk_list_item_set_child(list_item, row);
}

static void
on_bind(GtkListItemFactory *factory, GtkListItem *list_item, DesktopStrip *self)
{
  DesktopStripRow *row = DESKTOP_STRIP_ROW(gtk_list_item_get_child(list_item));
  DesktopStripItem *item = gtk_list_item_get_item(list_item);

  gtk_list_item_set_activatable(list_item, desktop_strip_item_has_thumbnail(item) || item->opens);
  desktop_strip_row_set_item(row, item);
  g_ptr_array_add(self->rows, row);
  desktop_strip_look(self);
}

static void
on_unbind(GtkListItemFactory *factory, GtkListItem *list_item, DesktopStrip *self)
{
  DesktopStripRow *row = DESKTOP_STRIP_ROW(gtk_list_item_get_child(list_item));

  g_ptr_array_remove_fast(self->rows, row);
  desktop_strip_row_set_item(row, NULL);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
desktop_strip_dispose(GObject *object)
{
  DesktopStrip *self = DESKTOP_STRIP(object);

  if (self->study) {
    desktop_strip_stop_looking(self);
    self->study = NULL;
  }
  gtk_list_view_set_model(self->list, NULL);
  gtk_list_view_set_factory(self->list, NULL);
  gtk_widget_dispose_template(GTK_WIDGET(self), DESKTOP_TYPE_STRIP);
  G_OBJECT_CLASS(desktop_strip_parent_class)->dispose(object);
}

static void
desktop_strip_finalize(GObject *object)
{
  DesktopStrip *self = DESKTOP_STRIP(object);

  g_ptr_array_unref(self->asking);
  g_ptr_array_unref(self->rows);
  g_ptr_array_unref(self->items);
  g_object_unref(self->selection);
  g_object_unref(self->store);
  G_OBJECT_CLASS(desktop_strip_parent_class)->finalize(object);
}

static void
desktop_strip_class_init(DesktopStripClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_strip_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_strip_finalize;
  signals[SERIES_CHOSEN] = g_signal_new("series-chosen", DESKTOP_TYPE_STRIP, G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[IMAGE_CHOSEN] = g_signal_new("image-chosen", DESKTOP_TYPE_STRIP, G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT);
  signals[DOCUMENT_CHOSEN] = g_signal_new("document-chosen", DESKTOP_TYPE_STRIP, G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  gtk_widget_class_set_template_from_resource(widget_class, "/org/hilum/Hilum/strip.ui");
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, list);
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, scroller);
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, keys_only);
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, heading);
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, summary_label);
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, refused_text);
  gtk_widget_class_bind_template_child(widget_class, DesktopStrip, refused_button);
}

static void
desktop_strip_init(DesktopStrip *self)
{
  g_autoptr(GtkListItemFactory) factory = gtk_signal_list_item_factory_new();
  GtkAdjustment *adjustment;

  gtk_widget_init_template(GTK_WIDGET(self));
  self->selected = G_MAXUINT;
  self->items = g_ptr_array_new_with_free_func(g_object_unref);
  self->rows = g_ptr_array_new();
  self->asking = g_ptr_array_new();
  self->store = g_list_store_new(DESKTOP_TYPE_STRIP_ITEM);
  self->selection = gtk_single_selection_new(g_object_ref(G_LIST_MODEL(self->store)));
  gtk_single_selection_set_autoselect(self->selection, FALSE);
  g_signal_connect_object(self->selection, "selection-changed", G_CALLBACK(on_selected), self, 0);
  g_signal_connect_object(factory, "setup", G_CALLBACK(on_setup), self, 0);
  g_signal_connect_object(factory, "bind", G_CALLBACK(on_bind), self, 0);
  g_signal_connect_object(factory, "unbind", G_CALLBACK(on_unbind), self, 0);
  gtk_list_view_set_factory(self->list, factory);
  gtk_list_view_set_model(self->list, GTK_SELECTION_MODEL(self->selection));
  g_signal_connect_object(self->list, "activate", G_CALLBACK(on_activated), self, 0);
  g_signal_connect_object(self->keys_only, "toggled", G_CALLBACK(fill), self, G_CONNECT_SWAPPED);
  adjustment = gtk_scrolled_window_get_vadjustment(self->scroller);
  g_signal_connect_object(adjustment, "value-changed", G_CALLBACK(desktop_strip_look), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(adjustment, "changed", G_CALLBACK(desktop_strip_look), self,
                          G_CONNECT_SWAPPED);
}
