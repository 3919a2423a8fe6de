/* test-desktop-keys.c - keys chosen in the preferences by pressing them: conflicts, what cannot be
 * a key, none at all, and back to the usual ones. */
#include <adwaita.h>
#include <string.h>

#include "desktop-hands.h"
#include "settings/preferences-private.h"
#include "window/window.h"

typedef struct {
  DesktopSettings *settings;
  DesktopPreferences *preferences;
  GtkWindow *dialog; /* weak */
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
  f->settings = desktop_settings_new(NULL);
  f->preferences = desktop_preferences_new(f->settings);
  g_object_add_weak_pointer(G_OBJECT(f->preferences), (gpointer *)&f->preferences);
  gtk_window_present(GTK_WINDOW(f->preferences));
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gtk_window_close(GTK_WINDOW(f->preferences));
  wait_until(!f->preferences);
  desktop_keys_reset_all(f->settings);
  g_object_unref(f->settings);
}

/* The first below WIDGET that is a TYPE and says TEXT, in a label or as its label. */
static GtkWidget *
find(GtkWidget *widget, GType type, const char *text)
{
  GtkWidget *found = NULL;
  const char *says = GTK_IS_LABEL(widget)    ? gtk_label_get_text(GTK_LABEL(widget))
                     : GTK_IS_BUTTON(widget) ? gtk_button_get_label(GTK_BUTTON(widget))
                                             : NULL;

  if (g_type_is_a(G_OBJECT_TYPE(widget), type) && says && strstr(says, text)) {
    return widget;
  }
  for (GtkWidget *c = gtk_widget_get_first_child(widget); c && !found;
       c = gtk_widget_get_next_sibling(c)) {
    found = find(c, type, text);
  }
  return found;
}

static void
open_dialog(Fixture *f, const char *action)
{
  GListModel *all = gtk_window_get_toplevels();

  desktop_key_dialog_present(f->settings, desktop_keys_find(action), GTK_WINDOW(f->preferences));
  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(all, i);
    if (window != GTK_WINDOW(f->preferences)) {
      g_set_weak_pointer(&f->dialog, window);
    }
  }
  wait_until(gtk_widget_get_mapped(GTK_WIDGET(f->dialog)));
  hands_focus(GTK_WIDGET(f->dialog));
  wait_until(gtk_window_is_active(f->dialog));
  hands_rest();
}

static char *
keys_of(Fixture *f, const char *action)
{
  g_auto(GStrv) keys = desktop_keys_get(f->settings, desktop_keys_find(action));

  return g_strjoinv(" ", keys);
}

#define check_keys(f, action, expected)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *check_all = keys_of(f, action);                                               \
    g_assert_cmpstr(check_all, ==, expected);                                                      \
  }                                                                                                \
  G_STMT_END

static gboolean
says(Fixture *f, const char *text)
{
  return f->dialog && find(GTK_WIDGET(f->dialog), GTK_TYPE_LABEL, text);
}

/* Keys that something else has: said, and taken only by who says so. */
static void
test_conflict(Fixture *f, gconstpointer data)
{
  open_dialog(f, "win.tags");
  hands("key", "ctrl+d");
  wait_until(says(f, "\u201cDescribe the image\u201d has these keys and would lose them"));
  hands("key", "Escape");
  wait_until(!f->dialog);
  check_keys(f, "win.tags", "<Control>t");
  check_keys(f, "win.describe", "<Control>d");

  open_dialog(f, "win.tags");
  hands("key", "ctrl+d");
  wait_until(says(f, "would lose them"));
  hands_click(find(GTK_WIDGET(f->dialog), GTK_TYPE_BUTTON, "_Take Them"));
  wait_until(!f->dialog);
  check_keys(f, "win.tags", "<Control>d");
  check_keys(f, "win.describe", "");

  /* One of several keys is taken, the others stay. */
  open_dialog(f, "view.reset");
  hands("key", "c");
  wait_until(says(f, "\u201cPlay or pause\u201d has these keys"));
  hands("key", "Return");
  wait_until(!f->dialog);
  check_keys(f, "view.reset", "c");
  check_keys(f, "view.play", "space");
}

/* A plain letter that is everywhere would be missing in questions; Tab moves the focus. */
static void
test_problem(Fixture *f, gconstpointer data)
{
  open_dialog(f, "win.describe");
  hands("key", "x");
  wait_until(says(f, "the plain key is needed for writing"));
  g_assert_false(gtk_widget_get_sensitive(find(GTK_WIDGET(f->dialog), GTK_TYPE_BUTTON, "_Set")));
  /* A key that can be set comes after one that cannot. */
  hands("key", "ctrl+shift+x");
  wait_until(gtk_widget_get_sensitive(find(GTK_WIDGET(f->dialog), GTK_TYPE_BUTTON, "_Set")));
  hands("key", "Return");
  wait_until(!f->dialog);
  check_keys(f, "win.describe", "<Shift><Control>x");
}

static void
test_none(Fixture *f, gconstpointer data)
{
  open_dialog(f, "win.describe");
  hands("key", "BackSpace");
  wait_until(!f->dialog);
  check_keys(f, "win.describe", "");
}

/* One's usual keys come back by its own button, all of them by another. */
static void
test_reset(Fixture *f, gconstpointer data)
{
  const char *const other[] = {"<Control>F9", NULL};
  GtkWidget *reset = NULL;

  for (guint i = 0; i < f->preferences->key_rows->len; i++) {
    DesktopKeyRow *row = f->preferences->key_rows->pdata[i];
    if (g_str_equal(row->key->action, "win.describe")) {
      reset = row->reset;
    }
  }
  g_assert_false(gtk_widget_get_visible(reset));
  desktop_keys_set(f->settings, desktop_keys_find("win.describe"), other);
  desktop_keys_set(f->settings, desktop_keys_find("win.tags"), other);
  g_assert_true(gtk_widget_get_visible(reset));
  g_signal_emit_by_name(reset, "clicked");
  g_assert_false(gtk_widget_get_visible(reset));
  check_keys(f, "win.describe", "<Control>d");
  check_keys(f, "win.tags", "<Control>F9");
  g_signal_emit_by_name(find(GTK_WIDGET(f->preferences), GTK_TYPE_BUTTON, "Reset All"), "clicked");
  check_keys(f, "win.tags", "<Control>t");
}

/* The first below WIDGET whose tooltip begins with TEXT. */
static GtkWidget *
with_tooltip(GtkWidget *widget, const char *text)
{
  const char *tip = gtk_widget_get_tooltip_text(widget);
  GtkWidget *found = tip && g_str_has_prefix(tip, text) ? widget : NULL;

  for (GtkWidget *c = gtk_widget_get_first_child(widget); c && !found;
       c = gtk_widget_get_next_sibling(c)) {
    found = with_tooltip(c, text);
  }
  return found;
}

/* Tooltips say the keys in force: those of actions with and without a target, and of what is not
 * bound to its action. */
static void
test_tooltips(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *action, *plain, *usual;
  } cases[] = {{"win.toggle-series", "Series", "Series (F9)"},
               {"view.tool::pan", "Pan", "Pan (P)"},
               {"image.compare", "Compare with Prior", "Compare with Prior (B)"},
               {"view.play", "Play", "Play (C)"},
               {"win.stop", "Stop the Answer", "Stop the Answer (Escape)"},
               {"win.new-conversation", "New Conversation", "New Conversation (Ctrl+N)"}};
  const char *const other[] = {"<Control>F7", NULL}, *const none[] = {NULL};
  const AppReviewOptions options = {.no_log = TRUE};
  DesktopWindow *window = desktop_window_new(NULL, &options);

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    GtkWidget *widget = with_tooltip(GTK_WIDGET(window), cases[i].usual);
    const DesktopKey *key = desktop_keys_find(cases[i].action);
    g_autofree char *changed = g_strconcat(cases[i].plain, " (Ctrl+F7)", NULL);

    g_assert_nonnull(widget);
    desktop_keys_set(f->settings, key, other);
    wait_until(g_str_equal(gtk_widget_get_tooltip_text(widget), changed));
    desktop_keys_set(f->settings, key, none);
    wait_until(g_str_equal(gtk_widget_get_tooltip_text(widget), cases[i].plain));
    desktop_keys_set(f->settings, key, NULL);
    wait_until(g_str_equal(gtk_widget_get_tooltip_text(widget), cases[i].usual));
  }
  g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
  gtk_window_destroy(GTK_WINDOW(window));
  wait_until(!window);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"conflict", test_conflict},
               {"problem", test_problem},
               {"none", test_none},
               {"reset", test_reset},
               {"tooltips", test_tooltips}};

  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/keys/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
