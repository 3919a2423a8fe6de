/* record-columns.c - the columns of the record: number, time, who, event, what about. */
#include "record/record-private.h"

#include <glib/gi18n.h>

typedef enum { COLUMN_NUMBER, COLUMN_TIME, COLUMN_WHO, COLUMN_EVENT, COLUMN_ABOUT } Column;

char *
desktop_record_time(const char *iso)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, utc);
  g_autoptr(GDateTime) here = time ? g_date_time_to_local(time) : NULL;

  return here ? g_date_time_format(here, "%F %T") : g_strdup(iso);
}

static char *
cell_text(DesktopRecordItem *item, Column column)
{
  const AppEvent *event = desktop_record_item_get(item);

  if (column == COLUMN_NUMBER) {
    return g_strdup_printf("%" G_GINT64_FORMAT, desktop_record_item_get_number(item));
  }
  if (!event) {
    return g_strdup(column == COLUMN_TIME ? "…" : "");
  }
  switch (column) {
  case COLUMN_TIME:
    return desktop_record_time(event->time);
  case COLUMN_WHO:
    return g_strdup(event->who);
  case COLUMN_EVENT:
    /* Translators: %s is what happened, "Image shown". */
    return event->failed && *event->kind && !g_str_equal(event->kind, "refused") /* they say it */
               ? g_strdup_printf(_("%s: failed"), app_event_title(event->kind, event->action))
               : g_strdup(app_event_title(event->kind, event->action));
  default:
    return g_strdup(event->summary);
  }
}

static void
show_cell(GtkListItem *list_item)
{
  GtkWidget *label = gtk_list_item_get_child(list_item);
  DesktopRecordItem *item = gtk_list_item_get_item(list_item);
  const Column column = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(list_item), "column"));
  const AppEvent *event = desktop_record_item_get(item);
  g_autofree char *text = cell_text(item, column);

  gtk_label_set_text(GTK_LABEL(label), text);
  if (column == COLUMN_EVENT && event && event->failed) {
    gtk_widget_add_css_class(label, "error");
  } else {
    gtk_widget_remove_css_class(label, "error");
  }
}

static void
on_setup(GtkListItemFactory *factory, GtkListItem *list_item, gpointer column)
{
  GtkWidget *label = gtk_label_new("");

  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_label_set_single_line_mode(GTK_LABEL(label), TRUE);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  if (GPOINTER_TO_INT(column) == COLUMN_NUMBER || GPOINTER_TO_INT(column) == COLUMN_TIME) {
    gtk_widget_add_css_class(label, "numeric");
  }
  g_object_set_data(G_OBJECT(list_item), "column", column);
  gtk_list_item_set_child(list_item, label);
}

static void
on_item_changed(DesktopRecordItem *item, GtkListItem *list_item)
{
  show_cell(list_item);
}

static void
on_bind(GtkListItemFactory *factory, GtkListItem *list_item, gpointer unused)
{
  g_signal_connect_object(gtk_list_item_get_item(list_item), "changed", G_CALLBACK(on_item_changed),
                          list_item, 0);
  show_cell(list_item);
}

static void
on_unbind(GtkListItemFactory *factory, GtkListItem *list_item, gpointer unused)
{
  g_signal_handlers_disconnect_by_data(gtk_list_item_get_item(list_item), list_item);
}

static void
add_column(GtkColumnView *view, const char *title, Column which, int width)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
  g_autoptr(GtkColumnViewColumn) column = gtk_column_view_column_new(title, factory);

  g_signal_connect(factory, "setup", G_CALLBACK(on_setup), GINT_TO_POINTER(which));
  g_signal_connect(factory, "bind", G_CALLBACK(on_bind), NULL);
  g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), NULL);
  gtk_column_view_column_set_resizable(column, TRUE);
  gtk_column_view_column_set_fixed_width(column, width);
  gtk_column_view_column_set_expand(column, which == COLUMN_ABOUT);
  gtk_column_view_append_column(view, column);
}

void
desktop_record_add_columns(GtkColumnView *view)
{
  add_column(view, _("No."), COLUMN_NUMBER, 90);
  add_column(view, _("Time"), COLUMN_TIME, 170);
  add_column(view, _("Who"), COLUMN_WHO, 130);
  add_column(view, _("Event"), COLUMN_EVENT, 260);
  add_column(view, _("About"), COLUMN_ABOUT, -1);
}
