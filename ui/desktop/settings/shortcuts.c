/* shortcuts.c - the window that shows all keys in force, made from the table.
 *
 * A GtkShortcutsWindow can be built by GtkBuilder alone before GTK 4.14, so the table is written as
 * what GtkBuilder reads.
 */
#include "settings/shortcuts.h"

#include <glib/gi18n.h>

#include "settings/keys.h"

/* Gestures are not keys and can't be changed, but this is where one looks for them. */
static const struct {
  const char *title, *subtitle;
} gestures[] = {{N_("Window"), N_("Drag with the left button; Shift for fine steps")},
                {N_("Scroll through the images"), N_("Wheel")},
                {N_("Zoom about the pointer"), N_("Ctrl and wheel, or drag with the right button")},
                {N_("Move the picture"), N_("Drag with the middle button")},
                {N_("The file’s own window"), N_("Double-click")}};

static void
append_property(GString *xml, const char *name, const char *value)
{
  g_autofree char *plain = g_markup_escape_text(value, -1);

  g_string_append_printf(xml, "<property name=\"%s\">%s</property>", name, plain);
}

static void
append_key(GString *xml, const char *title, const char *keys)
{
  g_string_append(xml, "<child><object class=\"GtkShortcutsShortcut\">");
  append_property(xml, "title", title);
  append_property(xml, "accelerator", keys);
  g_string_append(xml, "</object></child>");
}

static void
append_group(GString *xml, const char *title)
{
  g_string_append(xml, "<child><object class=\"GtkShortcutsGroup\">");
  append_property(xml, "title", title);
}

static void
append_gestures(GString *xml)
{
  append_group(xml, _("By hand, on the picture"));
  for (gsize i = 0; i < G_N_ELEMENTS(gestures); i++) {
    g_string_append(xml, "<child><object class=\"GtkShortcutsShortcut\">"
                         "<property name=\"shortcut-type\">gesture</property>");
    append_property(xml, "title", _(gestures[i].title));
    append_property(xml, "subtitle", _(gestures[i].subtitle));
    g_string_append(xml, "</object></child>");
  }
  g_string_append(xml, "</object></child>");
}

GtkWindow *
desktop_shortcuts_new(DesktopSettings *settings)
{
  g_autoptr(GString) xml = g_string_new("<interface><object class=\"GtkShortcutsWindow\" "
                                        "id=\"window\"><child>"
                                        "<object class=\"GtkShortcutsSection\">"
                                        "<property name=\"section-name\">keys</property>"
                                        "<property name=\"max-height\">12</property>");
  g_autoptr(GtkBuilder) builder = NULL;
  const char *group = NULL;

  for (const DesktopKey *key = desktop_keys(); key->action; key++) {
    g_auto(GStrv) keys = desktop_keys_shown(settings, key);
    g_autofree char *joined = g_strjoinv(" ", keys);
    if (g_strcmp0(group, key->group) != 0) {
      if (group) {
        g_string_append(xml, "</object></child>");
      }
      group = key->group;
      append_group(xml, _(group));
    }
    if (*joined) {
      append_key(xml, _(key->title), joined);
    }
  }
  g_string_append(xml, "</object></child>");
  append_gestures(xml);
  g_string_append(xml, "</object></child></object></interface>");
  builder = gtk_builder_new_from_string(xml->str, (gssize)xml->len);
  /* Windows belong to GTK. */
  return GTK_WINDOW(gtk_builder_get_object(builder, "window"));
}
