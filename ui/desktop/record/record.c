/* record.c - the log in a window of its own: its life, what is looked for, and what one event says.
 */
#include "record/record-private.h"

#include <glib/gi18n.h>

#include "record/export-dialog.h"

G_DEFINE_FINAL_TYPE(DesktopRecord, desktop_record, ADW_TYPE_WINDOW)

enum { CONVERSATION, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- what is there -------------------------------------------------------------------------- */

static void
show_message(DesktopRecord *self, const char *icon, const char *title, const char *message)
{
  g_autofree char *plain = g_markup_escape_text(message, -1);

  adw_status_page_set_icon_name(self->nothing, icon);
  adw_status_page_set_title(self->nothing, title);
  adw_status_page_set_description(self->nothing, plain);
  gtk_stack_set_visible_child_name(self->pages, "nothing");
  gtk_widget_set_visible(self->details, FALSE);
}

static void
show_count(DesktopRecord *self)
{
  const guint n = g_list_model_get_n_items(G_LIST_MODEL(self->list));
  const gint64 all = self->record ? app_record_n_events(self->record) : 0;
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, all);
  g_autofree char *text = n == all ? g_strdup_printf(ngettext("%u event", "%u events", n), n)
                                   : g_strdup_printf(_("%u of %s events"), n, number);

  gtk_label_set_text(self->count, self->record ? text : "");
  if (n > 0) {
    gtk_stack_set_visible_child_name(self->pages, "list");
    gtk_widget_set_visible(self->details, TRUE);
  } else if (self->record) {
    show_message(self, "edit-find-symbolic", _("Nothing Found"),
                 _("No event of the log is of this kind and has these words."));
  }
}

static const AppEvent *
selected(DesktopRecord *self)
{
  DesktopRecordItem *item = gtk_single_selection_get_selected_item(self->selection);

  return item ? desktop_record_item_get(item) : NULL;
}

static void
on_item_read(DesktopRecordItem *item, DesktopRecord *self)
{
  if (item == gtk_single_selection_get_selected_item(self->selection)) {
    desktop_record_show_details(self, selected(self));
  }
}

static void
on_selected(DesktopRecord *self)
{
  DesktopRecordItem *item = gtk_single_selection_get_selected_item(self->selection);

  if (item && !desktop_record_item_get(item)) {
    g_signal_connect_object(item, "changed", G_CALLBACK(on_item_read), self, 0);
  }
  desktop_record_show_details(self, selected(self));
}

static void
on_failed(DesktopRecordList *list, const char *message, DesktopRecord *self)
{
  g_autofree char *plain = g_markup_escape_text(message, -1);

  adw_toast_overlay_add_toast(self->toasts, adw_toast_new(plain));
}

/* ---- looking for ---------------------------------------------------------------------------- */

typedef struct {
  DesktopRecord *self;
  GCancellable *cancellable; /* tells whether it is the newest */
  gboolean shown;            /* what it finds is in the list */
} Search;

static void
search_free(Search *search)
{
  g_object_unref(search->cancellable);
  g_object_unref(search->self);
  g_free(search);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Search, search_free)

static void
stop(GCancellable **cancellable)
{
  if (*cancellable) {
    g_cancellable_cancel(*cancellable);
    g_clear_object(cancellable);
  }
}

static void
show_found(Search *search, const gint64 *numbers, gsize n)
{
  DesktopRecord *self = search->self;
  g_autoptr(GArray) first = NULL;

  if (search->shown) {
    desktop_record_list_add(self->list, numbers, n);
  } else {
    first = g_array_new(FALSE, FALSE, sizeof *numbers);
    g_array_append_vals(first, numbers, (guint)n);
    desktop_record_list_set(self->list, self->record, g_steal_pointer(&first));
    search->shown = TRUE;
  }
  show_count(self);
}

static void
on_part_found(const gint64 *numbers, gsize n, guint64 done, guint64 total, gpointer user)
{
  Search *search = user;
  DesktopRecord *self = search->self;

  if (search->cancellable == self->finding && total > 0) {
    gtk_progress_bar_set_fraction(self->progress, (double)done / (double)total);
    if (n > 0) {
      show_found(search, numbers, n);
    }
  }
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Search) search = data;
  g_autoptr(GError) error = NULL;
  DesktopRecord *self = search->self;
  const gboolean good = app_record_find_finish(self->record, result, &error);

  if (search->cancellable != self->finding) {
    return;
  }
  g_clear_object(&self->finding);
  gtk_widget_set_visible(GTK_WIDGET(self->progress), FALSE);
  if (!good) {
    show_message(self, "dialog-error-symbolic", _("The Log Cannot Be Read"), error->message);
  } else if (!search->shown) {
    show_found(search, NULL, 0);
  }
}

static void
begin_search(DesktopRecord *self, const AppRecordFilter *filter)
{
  Search *search = g_new0(Search, 1);

  self->finding = g_cancellable_new();
  search->self = g_object_ref(self);
  search->cancellable = g_object_ref(self->finding);
  gtk_progress_bar_set_fraction(self->progress, 0);
  gtk_widget_set_visible(GTK_WIDGET(self->progress), TRUE);
  app_record_find_async(self->record, filter, on_part_found, search, self->finding, on_found,
                        search);
}

/* The entry tells of its text when nothing was typed, too: the list is left as it is then. */
static void
find(DesktopRecord *self)
{
  const guint kind = gtk_drop_down_get_selected(self->kind);
  const AppRecordFilter filter = {.kind = kind > 0 ? app_event_kind(kind - 1) : NULL,
                                  .words = gtk_editable_get_text(GTK_EDITABLE(self->search)),
                                  .failed = gtk_toggle_button_get_active(self->failed)};
  g_autofree char *wish = g_strdup_printf("%u %d %s", kind, filter.failed, filter.words);

  if (!self->record || g_strcmp0(wish, self->wish) == 0) {
    return;
  }
  g_free(self->wish);
  self->wish = g_steal_pointer(&wish);
  stop(&self->finding);
  gtk_widget_set_visible(GTK_WIDGET(self->progress), FALSE);
  if (filter.kind || *filter.words || filter.failed) {
    begin_search(self, &filter);
  } else {
    desktop_record_list_set(self->list, self->record, NULL);
    show_count(self);
  }
}

void
desktop_record_go_to(DesktopRecord *self, gint64 number)
{
  guint position;

  if (!desktop_record_list_find(self->list, number, &position)) {
    gtk_drop_down_set_selected(self->kind, 0);
    gtk_toggle_button_set_active(self->failed, FALSE);
    gtk_editable_set_text(GTK_EDITABLE(self->search), "");
    find(self);
    if (!desktop_record_list_find(self->list, number, &position)) {
      return; /* it came after the log was opened here */
    }
  }
  gtk_single_selection_set_selected(self->selection, position);
  /* The list inside is not for others to have; who is inside it can ask it to scroll. */
  for (GtkWidget *at = gtk_widget_get_first_child(GTK_WIDGET(self->view)); at;
       at = gtk_widget_get_next_sibling(at)) {
    gtk_widget_activate_action(at, "list.scroll-to-item", "u", position);
  }
}

/* ---- opening -------------------------------------------------------------------------------- */

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Search) search = data;
  g_autoptr(GError) error = NULL;
  DesktopRecord *self = search->self;
  AppRecord *record = app_record_open_finish(result, &error);

  if (search->cancellable != self->opening) {
    app_record_free(record);
    return;
  }
  g_clear_object(&self->opening);
  if (record) {
    desktop_record_list_set(self->list, NULL, NULL);
    stop(&self->finding);
    g_clear_pointer(&self->record, app_record_free);
    g_clear_pointer(&self->wish, g_free);
    self->record = record;
    find(self);
  } else {
    show_message(self, "dialog-error-symbolic", _("The Log Cannot Be Read"), error->message);
  }
}

static void
open_record(DesktopRecord *self)
{
  Search *search = g_new0(Search, 1);

  stop(&self->opening);
  self->opening = g_cancellable_new();
  search->self = g_object_ref(self);
  search->cancellable = g_object_ref(self->opening);
  app_record_open_async(self->path, self->opening, on_opened, search);
}

/* ---- hands ---------------------------------------------------------------------------------- */

static void
on_open(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopRecord *self = DESKTOP_RECORD(widget);
  const AppEvent *event = selected(self);

  if (event && event->conversation != 0) {
    g_signal_emit(self, signals[CONVERSATION], 0, event->conversation);
  }
}

static void
on_activated(GtkColumnView *view, guint position, DesktopRecord *self)
{
  gtk_widget_activate_action(GTK_WIDGET(self), "record.open", NULL);
}

/* What leaves: the conversation of the event that is selected can be chosen. */
static void
on_export(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopRecord *self = DESKTOP_RECORD(widget);
  const AppEvent *event = selected(self);
  GArray *one = NULL;

  if (event && event->conversation != 0) {
    one = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_array_append_val(one, event->conversation);
  }
  gtk_window_present(GTK_WINDOW(
      desktop_export_dialog_new(GTK_WINDOW(self), self->path, one, _("The selected one"))));
}

static void
on_find(GtkWidget *widget, const char *name, GVariant *parameter)
{
  gtk_widget_grab_focus(GTK_WIDGET(DESKTOP_RECORD(widget)->search));
}

static void
on_refresh(GtkWidget *widget, const char *name, GVariant *parameter)
{
  open_record(DESKTOP_RECORD(widget));
}

/* The dialogs' way to say how it went: as in the window. */
static void
on_toast(GtkWidget *widget, const char *name, GVariant *parameter)
{
  on_failed(NULL, g_variant_get_string(parameter, NULL), DESKTOP_RECORD(widget));
}

/* ---- life ----------------------------------------------------------------------------------- */

DesktopRecord *
desktop_record_new(GtkWindow *beside, const char *path)
{
  DesktopRecord *self = g_object_new(DESKTOP_TYPE_RECORD, "transient-for", beside, NULL);

  self->path = g_strdup(path);
  open_record(self);
  return self;
}

static void
desktop_record_dispose(GObject *object)
{
  DesktopRecord *self = DESKTOP_RECORD(object);

  self->closed = TRUE;
  stop(&self->opening);
  stop(&self->finding);
  desktop_record_stop_verifying(self);
  if (self->list) {
    desktop_record_list_set(self->list, NULL, NULL);
  }
  G_OBJECT_CLASS(desktop_record_parent_class)->dispose(object);
}

static void
desktop_record_finalize(GObject *object)
{
  DesktopRecord *self = DESKTOP_RECORD(object);

  g_clear_object(&self->selection);
  g_clear_object(&self->list);
  g_clear_pointer(&self->record, app_record_free);
  g_free(self->path);
  g_free(self->wish);
  G_OBJECT_CLASS(desktop_record_parent_class)->finalize(object);
}

static void
bind_children(GtkWidgetClass *widget)
{
  gtk_widget_class_bind_template_child(widget, DesktopRecord, toasts);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, search);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, kind);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, failed);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, view);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, pages);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, nothing);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, count);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, facts);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, event_title);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, event_caption);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, progress);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, details);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, open);
  gtk_widget_class_bind_template_callback(widget, find);
}

static void
desktop_record_class_init(DesktopRecordClass *class)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_record_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_record_finalize;
  gtk_widget_class_set_template_from_resource(widget, "/org/hilum/Hilum/record.ui");
  bind_children(widget);
  desktop_record_verify_class_setup(class);
  gtk_widget_class_install_action(widget, "record.open", NULL, on_open);
  gtk_widget_class_install_action(widget, "record.export", NULL, on_export);
  gtk_widget_class_install_action(widget, "record.find", NULL, on_find);
  gtk_widget_class_install_action(widget, "record.refresh", NULL, on_refresh);
  gtk_widget_class_install_action(widget, "win.toast", "s", on_toast);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_f, GDK_CONTROL_MASK, "record.find", NULL);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_e, GDK_CONTROL_MASK, "record.export", NULL);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_F5, 0, "record.refresh", NULL);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_w, GDK_CONTROL_MASK, "window.close", NULL);
  signals[CONVERSATION] = g_signal_new("conversation", DESKTOP_TYPE_RECORD, G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
}

static void
desktop_record_init(DesktopRecord *self)
{
  g_autoptr(GtkStringList) kinds = gtk_string_list_new(NULL);

  gtk_widget_init_template(GTK_WIDGET(self));
  gtk_string_list_append(kinds, _("All events"));
  for (guint i = 0; app_event_kind(i); i++) {
    gtk_string_list_append(kinds, app_event_title(app_event_kind(i), NULL));
  }
  gtk_drop_down_set_model(self->kind, G_LIST_MODEL(kinds));
  self->list = desktop_record_list_new();
  self->selection = gtk_single_selection_new(G_LIST_MODEL(g_object_ref(self->list)));
  gtk_single_selection_set_autoselect(self->selection, FALSE);
  g_signal_connect_object(self->selection, "notify::selected-item", G_CALLBACK(on_selected), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(self->list, "failed", G_CALLBACK(on_failed), self, 0);
  g_signal_connect_object(self->view, "activate", G_CALLBACK(on_activated), self, 0);
  desktop_record_add_columns(self->view);
  gtk_column_view_set_model(self->view, GTK_SELECTION_MODEL(self->selection));
  gtk_window_set_focus(GTK_WINDOW(self), GTK_WIDGET(self->search));
  desktop_record_show_details(self, selected(self));
  show_message(self, "document-open-recent-symbolic", _("Opening the Log"), "");
}
