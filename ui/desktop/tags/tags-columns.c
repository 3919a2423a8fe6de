/* tags-columns.c - the columns of the tag browser: tag, VR, name, value. */
#include "tags/tags-private.h"

#include <glib/gi18n.h>

/* Logical pixels for each level of nesting, and the levels that have them. */
#define INDENT 14
#define MOST_LEVELS 8

typedef enum { COLUMN_TAG, COLUMN_VR, COLUMN_NAME, COLUMN_VALUE } Column;

static const char *
column_text(const AppTag *tag, Column column)
{
  const char *const texts[] = {tag->tag, tag->vr, tag->keyword, tag->value};

  return texts[column];
}

static void
on_setup(GtkListItemFactory *factory, GtkListItem *list_item, gpointer column)
{
  GtkWidget *label = gtk_label_new("");

  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_label_set_single_line_mode(GTK_LABEL(label), TRUE);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  if (GPOINTER_TO_INT(column) == COLUMN_TAG || GPOINTER_TO_INT(column) == COLUMN_VR) {
    gtk_widget_add_css_class(label, "monospace");
  }
  g_object_set_data(G_OBJECT(list_item), "column", column);
  gtk_list_item_set_child(list_item, label);
}

static void
show_cell(GtkListItem *list_item)
{
  GtkWidget *label = gtk_list_item_get_child(list_item);
  Column column = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(list_item), "column"));
  const AppTag *tag = desktop_tag_item_get(gtk_list_item_get_item(list_item));
  const char *text = column_text(tag, column);

  gtk_label_set_text(GTK_LABEL(label), text);
  if (column == COLUMN_VALUE) {
    gtk_widget_set_tooltip_text(label, *text ? text : NULL);
  } else if (column == COLUMN_TAG) {
    gtk_widget_set_margin_start(label, (int)MIN(tag->depth, MOST_LEVELS) * INDENT);
  }
}

static void
on_item_changed(DesktopTagItem *item, GtkListItem *list_item)
{
  show_cell(list_item);
}

static void
on_bind(GtkListItemFactory *factory, GtkListItem *list_item, gpointer column)
{
  g_signal_connect_object(gtk_list_item_get_item(list_item), "changed", G_CALLBACK(on_item_changed),
                          list_item, 0);
  show_cell(list_item);
}

static void
on_unbind(GtkListItemFactory *factory, GtkListItem *list_item, gpointer column)
{
  g_signal_handlers_disconnect_by_data(gtk_list_item_get_item(list_item), list_item);
}

static void
add_column(GtkColumnView *view, const char *title, Column which, int width)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
  g_autoptr(GtkColumnViewColumn) column = gtk_column_view_column_new(title, factory);

  g_signal_connect(factory, "setup", G_CALLBACK(on_setup), GINT_TO_POINTER(which));
  g_signal_connect(factory, "bind", G_CALLBACK(on_bind), GINT_TO_POINTER(which));
  g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), GINT_TO_POINTER(which));
  gtk_column_view_column_set_resizable(column, TRUE);
  gtk_column_view_column_set_fixed_width(column, width);
  gtk_column_view_column_set_expand(column, which == COLUMN_VALUE);
  gtk_column_view_append_column(view, column);
}

void
desktop_tags_add_columns(GtkColumnView *view)
{
  add_column(view, _("Tag"), COLUMN_TAG, 160);
  /* Translators: value representation, a term of DICOM */
  add_column(view, _("VR"), COLUMN_VR, 60);
  add_column(view, _("Name"), COLUMN_NAME, 250);
  add_column(view, _("Value"), COLUMN_VALUE, -1);
}
