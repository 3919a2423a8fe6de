/* keys.h - the one table of what can be done and by which keys.
 *
 * Actions of the program and of a window ("app.", "win.", "window.") get theirs from the
 * application; those of a widget ("view.") while it, or something inside of it, has the focus, so
 * that plain letters can be keys and text can still be typed elsewhere. What a person has changed
 * is in the settings and counts at once.
 */
#ifndef HILUM_DESKTOP_KEYS_H
#define HILUM_DESKTOP_KEYS_H

#include <gtk/gtk.h>

#include "settings/settings.h"

G_BEGIN_DECLS

typedef struct {
  const char *action; /* with its target: "win.stop", "view.tool::zoom", "view.preset(1)" */
  const char *title;  /* untranslated: gettext() it, and GROUP */
  const char *group;  /* entries of a group stand together */
  const char *keys;   /* defaults, as gtk_accelerator_parse() reads them, a space between; "" */
} DesktopKey;

/* Ends with an ACTION of NULL. */
const DesktopKey *desktop_keys(void);
const DesktopKey *desktop_keys_find(const char *action);

/* In force now. g_strfreev(). */
char **desktop_keys_get(DesktopSettings *settings, const DesktopKey *key);
/* The same without those of the number pad that stand beside others: for people to read. */
char **desktop_keys_shown(DesktopSettings *settings, const DesktopKey *key);
/* NULL goes back to the defaults. */
void desktop_keys_set(DesktopSettings *settings, const DesktopKey *key, const char *const *keys);
void desktop_keys_reset_all(DesktopSettings *settings);
/* Who has ACCELERATOR now and would get in the way of KEY, or NULL. */
const DesktopKey *desktop_keys_conflict(DesktopSettings *settings, const DesktopKey *key,
                                        const char *accelerator);
/* Why ACCELERATOR cannot be a key for KEY, for people, or NULL. g_free(). */
char *desktop_keys_problem(const DesktopKey *key, const char *accelerator);
/* The first key in force as people read it ("Ctrl+O"), or "". g_free(). */
char *desktop_keys_label(DesktopSettings *settings, const char *action);

/* Gives APPLICATION its keys, now and whenever they change, for as long as both live. */
void desktop_keys_attach_application(DesktopSettings *settings, GtkApplication *application);
/* Gives WIDGET the keys of all actions that begin with PREFIX ("view."), which it must have
 * installed; now and whenever they change. WIDGET keeps SETTINGS. */
void desktop_keys_attach(DesktopSettings *settings, GtkWidget *widget, const char *prefix);

/* keys-menu.c. A copy of MODEL, of sections and items without submenus, that shows the keys in
 * force. g_object_unref(). */
GMenuModel *desktop_keys_menu(DesktopSettings *settings, GMenuModel *model);
/* The menu of BUTTON shows the keys in force, now and whenever they change. */
void desktop_keys_attach_menu(DesktopSettings *settings, GtkMenuButton *button);

/* keys-tooltip.c. Below ROOT, the tooltip of whatever has one and does something of the table says
 * its key as well, now and whenever it changes. */
void desktop_keys_attach_tooltips(DesktopSettings *settings, GtkWidget *root);
/* WIDGET does the same as ACTION (static), without being bound to it. */
void desktop_keys_mark(GtkWidget *widget, const char *action);
/* Another tooltip, to which the key is added. */
void desktop_keys_set_tooltip(GtkWidget *widget, const char *text);

G_END_DECLS
#endif
