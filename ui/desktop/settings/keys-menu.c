/* keys-menu.c - menus that show the keys in force. GTK knows those of the application alone. */
#include "settings/keys.h"

#include <string.h>

/* "view.tool::pan", as the table writes it; NULL: no action. g_free(). */
static char *
detailed_name(GMenuModel *model, int i)
{
  g_autofree char *action = NULL;
  g_autoptr(GVariant) target =
      g_menu_model_get_item_attribute_value(model, i, G_MENU_ATTRIBUTE_TARGET, NULL);

  /* A name with a target in it was taken apart when it came into the menu. */
  return g_menu_model_get_item_attribute(model, i, G_MENU_ATTRIBUTE_ACTION, "s", &action)
             ? g_action_print_detailed_name(action, target)
             : NULL;
}

static void
show_key(DesktopSettings *settings, GMenuItem *item, const char *action)
{
  const DesktopKey *key = desktop_keys_find(action);
  g_auto(GStrv) keys = key ? desktop_keys_shown(settings, key) : NULL;

  if (keys && keys[0]) {
    g_menu_item_set_attribute(item, "accel", "s", keys[0]);
  }
}

/* Items of MODEL, which has no submenus, with their keys. */
static GMenu *
flat_copy(DesktopSettings *settings, GMenuModel *model)
{
  GMenu *copy = g_menu_new();

  for (int i = 0; i < g_menu_model_get_n_items(model); i++) {
    g_autoptr(GMenuItem) item = g_menu_item_new_from_model(model, i);
    g_autofree char *action = detailed_name(model, i);

    if (action) {
      show_key(settings, item, action);
    }
    g_menu_append_item(copy, item);
  }
  return copy;
}

GMenuModel *
desktop_keys_menu(DesktopSettings *settings, GMenuModel *model)
{
  g_autoptr(GMenu) copy = flat_copy(settings, model);
  g_autoptr(GMenu) menu = g_menu_new();

  for (int i = 0; i < g_menu_model_get_n_items(model); i++) {
    g_autoptr(GMenuItem) item = g_menu_item_new_from_model(G_MENU_MODEL(copy), i);
    g_autoptr(GMenuModel) section = g_menu_model_get_item_link(model, i, G_MENU_LINK_SECTION);

    if (section) {
      g_autoptr(GMenu) inside = flat_copy(settings, section);
      g_menu_item_set_section(item, G_MENU_MODEL(inside));
    }
    g_menu_append_item(menu, item);
  }
  return G_MENU_MODEL(g_steal_pointer(&menu));
}

/* ---- a button's menu ---------------------------------------------------------------------- */

typedef struct {
  DesktopSettings *settings; /* owned */
  GMenuModel *model;         /* owned; as it was written */
  GtkMenuButton *button;
} Attachment;

static void
attachment_free(gpointer data, GClosure *closure)
{
  Attachment *attachment = data;

  g_object_unref(attachment->settings);
  g_object_unref(attachment->model);
  g_free(attachment);
}

static void
give_menu(GSettings *store, const char *name, Attachment *attachment)
{
  g_autoptr(GMenuModel) menu = desktop_keys_menu(attachment->settings, attachment->model);

  gtk_menu_button_set_menu_model(attachment->button, menu);
}

void
desktop_keys_attach_menu(DesktopSettings *settings, GtkMenuButton *button)
{
  Attachment *attachment = g_new0(Attachment, 1);
  GClosure *closure = g_cclosure_new(G_CALLBACK(give_menu), attachment, attachment_free);

  attachment->settings = g_object_ref(settings);
  attachment->model = g_object_ref(gtk_menu_button_get_menu_model(button));
  attachment->button = button;
  g_object_watch_closure(G_OBJECT(button), closure);
  g_signal_connect_closure(desktop_settings_peek(settings), "changed::" DESKTOP_SETTING_KEYS,
                           closure, FALSE);
  give_menu(NULL, NULL, attachment);
}
