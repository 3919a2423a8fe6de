/* names.c - names for who cannot see: GTK 4.8 gives a button with a picture none. */
#include "settings/names.h"

#include <string.h>

static void
take_name(GtkWidget *button)
{
  const char *tooltip = gtk_widget_get_tooltip_text(button);
  const char *keys = tooltip ? strstr(tooltip, " (") : NULL;
  g_autofree char *name = keys ? g_strndup(tooltip, (gsize)(keys - tooltip)) : g_strdup(tooltip);

  if (name && *name) {
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  }
}

static gboolean
shows_picture_alone(GtkWidget *widget)
{
  if (GTK_IS_MENU_BUTTON(widget)) {
    return !gtk_menu_button_get_label(GTK_MENU_BUTTON(widget));
  }
  return GTK_IS_BUTTON(widget) && !gtk_button_get_label(GTK_BUTTON(widget));
}

void
desktop_names_by_tooltips(GtkWidget *root)
{
  g_autoptr(GQueue) queue = g_queue_new();
  GtkWidget *widget;

  g_queue_push_tail(queue, root);
  while ((widget = g_queue_pop_head(queue))) {
    if (shows_picture_alone(widget) && gtk_widget_get_tooltip_text(widget)) {
      take_name(widget);
      g_signal_connect(widget, "notify::tooltip-text", G_CALLBACK(take_name), NULL);
    }
    for (GtkWidget *c = gtk_widget_get_first_child(widget); c; c = gtk_widget_get_next_sibling(c)) {
      g_queue_push_tail(queue, c);
    }
  }
}
