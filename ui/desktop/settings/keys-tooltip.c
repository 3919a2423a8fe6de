/* keys-tooltip.c - tooltips that say the key in force beside what a button does. */
#include "settings/keys.h"

#include <glib/gi18n.h>

#define TIP "desktop-key-tip"
#define MARK "desktop-key-action"

typedef struct {
  DesktopSettings *settings; /* owned */
  char *action, *plain;      /* owned; as the table names it, as it was written */
  GtkWidget *widget;
} Tip;

static void
tip_free(gpointer data, GClosure *closure)
{
  Tip *tip = data;

  g_object_unref(tip->settings);
  g_free(tip->action);
  g_free(tip->plain);
  g_free(tip);
}

static void
show(GSettings *store, const char *name, Tip *tip)
{
  g_autofree char *key = desktop_keys_label(tip->settings, tip->action);
  /* Translators: what a button does, and the key that does the same. */
  g_autofree char *text = *key ? g_strdup_printf(_("%s (%s)"), tip->plain, key) : NULL;

  gtk_widget_set_tooltip_text(tip->widget, text ? text : tip->plain);
}

static void
attach(DesktopSettings *settings, GtkWidget *widget, const char *action)
{
  Tip *tip = g_new0(Tip, 1);
  GClosure *closure = g_cclosure_new(G_CALLBACK(show), tip, tip_free);

  tip->settings = g_object_ref(settings);
  tip->action = g_strdup(action);
  tip->plain = g_strdup(gtk_widget_get_tooltip_text(widget));
  tip->widget = widget;
  g_object_set_data(G_OBJECT(widget), TIP, tip);
  g_object_watch_closure(G_OBJECT(widget), closure);
  g_signal_connect_closure(desktop_settings_peek(settings), "changed::" DESKTOP_SETTING_KEYS,
                           closure, FALSE);
  show(NULL, NULL, tip);
}

/* What the table may call it; g_free(). */
static char *
action_of(GtkWidget *widget)
{
  const char *mark = g_object_get_data(G_OBJECT(widget), MARK);
  const char *name = !mark && GTK_IS_ACTIONABLE(widget)
                         ? gtk_actionable_get_action_name(GTK_ACTIONABLE(widget))
                         : NULL;

  return name ? g_action_print_detailed_name(
                    name, gtk_actionable_get_action_target_value(GTK_ACTIONABLE(widget)))
              : g_strdup(mark);
}

void
desktop_keys_attach_tooltips(DesktopSettings *settings, GtkWidget *root)
{
  g_autoptr(GQueue) queue = g_queue_new();
  GtkWidget *widget;

  g_queue_push_tail(queue, root);
  while ((widget = g_queue_pop_head(queue))) {
    g_autofree char *action = gtk_widget_get_tooltip_text(widget) ? action_of(widget) : NULL;

    if (action && desktop_keys_find(action) && !g_object_get_data(G_OBJECT(widget), TIP)) {
      attach(settings, widget, action);
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
      g_queue_push_tail(queue, child);
    }
  }
}

void
desktop_keys_mark(GtkWidget *widget, const char *action)
{
  g_object_set_data(G_OBJECT(widget), MARK, (gpointer)action);
}

void
desktop_keys_set_tooltip(GtkWidget *widget, const char *text)
{
  Tip *tip = g_object_get_data(G_OBJECT(widget), TIP);

  if (!tip) {
    gtk_widget_set_tooltip_text(widget, text);
  } else if (!g_str_equal(tip->plain, text)) {
    g_free(tip->plain);
    tip->plain = g_strdup(text);
    show(NULL, NULL, tip);
  }
}
