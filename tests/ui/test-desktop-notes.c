/* test-desktop-notes.c - what is seen in the window is told to the log, and what is said when it
 * cannot be. */
#include "window-fixture.h"

#include "app_note.h"
#include "record-events.h"
#include "settings/preferences.h"
#include "settings/told.h"

#define N 10

static void
setup(Fixture *f, gconstpointer data)
{
  fixture_begin(f, N);
  f->options.notes = app_notes_new(f->log);
  open_window(f);
  wait_until(f->window->review);
}

static void
end(Fixture *f, gconstpointer data)
{
  if (f->window) {
    close_window(f);
  }
  app_notes_unref(f->options.notes);
  teardown(f, data);
}

static void
open_path(Fixture *f, const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);

  desktop_window_open_files(f->window, &file, 1);
  wait_until(!f->window->opening);
}

static DesktopViewport *
view(Fixture *f)
{
  return desktop_window_viewport(f->window);
}

static void
go_to(Fixture *f, guint index)
{
  desktop_viewport_go_to(view(f), index, 1);
  wait_until(app_slice_facts(desktop_viewport_get_slice(view(f)))->index == index);
}

/* The window is closed: all is written. */
static GPtrArray *
events(Fixture *f, const char *kind, const char *action)
{
  if (f->window) {
    close_window(f);
  }
  g_clear_pointer(&f->options.notes, app_notes_unref);
  return record_events(f->log, kind, action);
}

static void
assert_says(const AppEvent *event, const char *fact)
{
  if (!strstr(event->facts, fact)) {
    g_error("'%s' is not in '%s'", fact, event->facts);
  }
}

/* ---- tests --------------------------------------------------------------------------------- */

/* A study opened, scrolled and windowed: one import, one look. */
static void
test_look(Fixture *f, gconstpointer data)
{
  const AppWindow window = {.set = TRUE, .center = 123, .width = 321};
  g_autoptr(GPtrArray) import = NULL, shown = NULL, model = NULL;

  open_path(f, f->study);
  wait_until(desktop_viewport_get_slice(view(f)));
  for (guint i = 1; i < 6; i++) {
    go_to(f, i);
  }
  go_to(f, 3);
  desktop_viewport_set_window(view(f), &window);
  wait_until(desktop_viewport_get_window(view(f), &(AppWindow){0}));
  {
    AppWindow now = {0};
    wait_until(desktop_viewport_get_window(view(f), &now) && now.center == 123);
  }
  import = events(f, "import", NULL);
  g_assert_cmpuint(import->len, ==, 1);
  assert_says(import->pdata[0], "images: 10");
  shown = events(f, "shown", NULL);
  g_assert_cmpuint(shown->len, ==, 1);
  assert_says(shown->pdata[0], "first: 1\n");
  assert_says(shown->pdata[0], "last: 6\n");
  assert_says(shown->pdata[0], "seen: 6");
  assert_says(shown->pdata[0], "window_center: 123");
  assert_says(shown->pdata[0], "DOE^JANE");
  model = events(f, "loaded", NULL);
  g_assert_cmpuint(model->len, ==, 1);
}

/* Another study takes its place: the first look ends. A file that is none is refused. */
static void
test_studies(Fixture *f, gconstpointer data)
{
  g_autofree char *other = fixture_study_new(3);
  g_autofree char *bad = g_build_filename(f->folder, "bad.dcm", NULL);
  g_autoptr(GPtrArray) import = NULL, shown = NULL, refused = NULL;

  open_path(f, f->study);
  wait_until(desktop_viewport_get_slice(view(f)));
  open_path(f, other);
  wait_until(desktop_viewport_get_slice(view(f)));
  g_assert_true(g_file_set_contents(bad, "nothing of an image", -1, NULL));
  open_path(f, bad);
  import = events(f, "import", NULL);
  g_assert_cmpuint(import->len, ==, 2);
  shown = events(f, "shown", NULL);
  g_assert_cmpuint(shown->len, ==, 2);
  refused = events(f, "refused", NULL);
  g_assert_cmpuint(refused->len, ==, 1);
  g_assert_true(((AppEvent *)refused->pdata[0])->failed);
  tiny_folder_free(g_steal_pointer(&other));
}

static void
on_searched(DesktopHistory *history, const char *words, char **last)
{
  g_free(*last);
  *last = g_strdup(words);
}

/* Listed, searched as it is typed, and one of what was found read. */
static void
test_history(Fixture *f, gconstpointer data)
{
  g_autoptr(GPtrArray) viewed = NULL;
  g_autofree char *words = NULL;

  open_path(f, f->study);
  wait_until(desktop_viewport_get_slice(view(f)));
  desktop_window_ask(f->window, "Is there a nodule?");
  wait_until(!f->window->asking);
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  g_signal_connect(f->window->history, "searched", G_CALLBACK(on_searched), &words);
  hands_focus(GTK_WIDGET(f->window));
  hands("type", "--delay", "5", "nodule");
  wait_until(g_strcmp0(words, "nodule") == 0);
  desktop_window_open_past(f->window, 1, "The first");
  wait_until(desktop_conversation_is_past(f->window->conversation));
  viewed = events(f, "viewed", NULL);
  g_assert_cmpuint(viewed->len, ==, 4); /* and that we look here */
  g_assert_cmpstr(((AppEvent *)viewed->pdata[0])->action, ==, "events");
  g_assert_cmpstr(((AppEvent *)viewed->pdata[1])->action, ==, "search");
  assert_says(viewed->pdata[1], "words: nodule");
  g_assert_cmpstr(((AppEvent *)viewed->pdata[2])->action, ==, "conversation");
  g_assert_cmpstr(((AppEvent *)viewed->pdata[3])->action, ==, "list");
}

static void
test_settings(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopSettings) settings = desktop_settings_new(NULL);
  GSettings *store = desktop_settings_peek(settings);
  DesktopTold *told = desktop_told_new(settings);
  g_autoptr(GPtrArray) changed = NULL;

  desktop_told_set_notes(told, f->options.notes);
  g_settings_set_uint(store, DESKTOP_SETTING_THREADS, 3);
  g_settings_set(store, DESKTOP_SETTING_WINDOW_SIZE, "(ii)", 900, 700); /* how it lies: no event */
  desktop_told_free(told);
  changed = events(f, "setting", "change");
  g_assert_cmpuint(changed->len, ==, 1);
  assert_says(changed->pdata[0], "name: threads\n");
  assert_says(changed->pdata[0], "value: 3");
  g_settings_reset(store, DESKTOP_SETTING_THREADS);
  g_settings_reset(store, DESKTOP_SETTING_WINDOW_SIZE);
}

/* The bar under the header says it, with a way to try again, until it is over. */
static void
test_trouble(Fixture *f, gconstpointer data)
{
  g_assert_false(gtk_widget_get_visible(f->window->log_bar));
  desktop_window_tell_notes(f->window, "the disk is full", 2);
  g_assert_true(gtk_widget_get_visible(f->window->log_bar));
  g_assert_cmpstr(gtk_label_get_text(f->window->log_text), ==,
                  "2 events are not in the log yet: the disk is full");
  g_assert_cmpstr(gtk_actionable_get_action_name(GTK_ACTIONABLE(f->window->log_button)), ==,
                  "win.retry-notes");
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.retry-notes", NULL);
  desktop_window_tell_notes(f->window, NULL, 0);
  g_assert_false(gtk_widget_get_visible(f->window->log_bar));
}

/* From the preferences: it is the window below that verifies. */
static void
test_verify(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopSettings) settings = desktop_settings_new(NULL);
  DesktopPreferences *preferences = desktop_preferences_new(settings);
  const guint before = f->window->n_jobs;
  g_autoptr(GPtrArray) verified = NULL;

  gtk_window_set_transient_for(GTK_WINDOW(preferences), GTK_WINDOW(f->window));
  gtk_window_present(GTK_WINDOW(preferences));
  desktop_preferences_set_log(preferences, f->log, TRUE);
  gtk_widget_activate_action(GTK_WIDGET(preferences), "log.verify", NULL);
  g_assert_cmpuint(f->window->n_jobs, ==, before + 1);
  wait_until(f->window->n_jobs == before);
  gtk_window_destroy(GTK_WINDOW(preferences));
  verified = events(f, "verification", NULL);
  g_assert_cmpuint(verified->len, ==, 1);
  g_assert_false(((AppEvent *)verified->pdata[0])->failed);
}

/* Without a log nothing is noted, and nothing is made. */
static void
test_no_log(Fixture *f, gconstpointer data)
{
  g_autofree char *none = g_build_filename(f->folder, "none.sqlite", NULL);

  close_window(f);
  g_clear_pointer(&f->options.notes, app_notes_unref);
  f->options.no_log = TRUE;
  f->options.log_path = none;
  open_window(f);
  wait_until(f->window->review);
  open_path(f, f->study);
  wait_until(desktop_viewport_get_slice(view(f)));
  go_to(f, 2);
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  close_window(f);
  g_assert_false(g_file_test(none, G_FILE_TEST_EXISTS));
  f->options.log_path = f->log;
}

#define ADD(name, test) g_test_add("/ui/desktop-notes/" name, Fixture, NULL, setup, test, end)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  adw_init();
  ADD("look", test_look);
  ADD("studies", test_studies);
  ADD("history", test_history);
  ADD("settings", test_settings);
  ADD("trouble", test_trouble);
  ADD("verify", test_verify);
  ADD("no-log", test_no_log);
  return g_test_run();
}
