/* test-desktop-person.c - the window asks who is there where a verdict needs it, and signs them
 * out when nobody is. */
#include "window-fixture.h"
#include "app_person.h"
#include "conversation/turn-row-private.h"

#define NAME "Dr. Ann Field"
#define PIN "4711"
#define HEADING "Sign In"

static void
set_down(Fixture *f, const AppPersonWish *wish)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_person_do(f->log, wish, NULL, &error);

  g_assert_no_error(error);
}

static void
setup(Fixture *f, gconstpointer data)
{
  const AppPersonWish enrol = {APP_PERSON_ENROL, .name = NAME, .role = "Radiologist", .pin = PIN};
  const AppPersonWish require = {APP_PERSON_REQUIRE, .required = TRUE};

  fixture_begin(f, 3);
  set_down(f, &enrol);
  set_down(f, &require);
  open_window(f);
}

static GtkWidget *
dialog(void)
{
  GListModel *windows = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWidget) window = g_list_model_get_item(windows, i);
    if (ADW_IS_MESSAGE_DIALOG(window) && gtk_widget_get_mapped(window) &&
        g_str_equal(adw_message_dialog_get_heading(ADW_MESSAGE_DIALOG(window)), HEADING)) {
      return window;
    }
  }
  return NULL;
}

static gboolean
says(const char *words)
{
  GtkWidget *asking = dialog();

  return asking && strstr(adw_message_dialog_get_body(ADW_MESSAGE_DIALOG(asking)), words);
}

/* For people who look: $HILUM_TEST_PICTURES is a folder. */
static void
take_picture(const char *name)
{
  const char *folder = g_getenv("HILUM_TEST_PICTURES");
  g_autofree char *command = NULL;

  if (folder) {
    hands_rest();
    command = g_strdup_printf("import -window root %s/%s.png", folder, name);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
  }
}

static void
type_pin(const char *pin)
{
  hands_rest(); /* it is drawn */
  hands_focus(dialog());
  hands_rest();
  hands("type", "--delay", "20", pin);
  hands_rest();
  hands("key", "Return");
}

static DesktopTurnRow *
ask(Fixture *f)
{
  g_autoptr(GFile) file = g_file_new_for_path(f->study);

  desktop_window_open_files(f->window, &file, 1);
  wait_until(desktop_viewport_get_slice(desktop_window_viewport(f->window)));
  wait_until(f->window->review);
  desktop_window_ask(f->window, "Is there a nodule?");
  wait_until(!f->window->asking);
  return DESKTOP_TURN_ROW(gtk_widget_get_last_child(GTK_WIDGET(f->window->conversation->list)));
}

static void
accept(DesktopTurnRow *row)
{
  g_signal_emit_by_name(
      gtk_widget_get_template_child(GTK_WIDGET(row->verdict), DESKTOP_TYPE_VERDICT_BAR, "accept"),
      "clicked");
}

static gboolean
is_in(Fixture *f)
{
  g_autofree char *name = app_person_who();

  return name && gtk_widget_get_visible(f->window->person_bar);
}

static gboolean
is_out(Fixture *f)
{
  g_autofree char *name = app_person_who();

  return !name && !gtk_widget_get_visible(f->window->person_bar);
}

/* The verdict waits for a PIN, and is kept once that is right. */
static void
test_verdict(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = ask(f);

  g_assert_true(is_out(f));
  accept(row);
  wait_until(dialog());
  take_picture("asked");
  type_pin("0815");
  wait_until(says("wrong"));
  take_picture("wrong");
  g_assert_cmpstr(desktop_verdict_bar_get_text(row->verdict), ==, "");
  type_pin(PIN);
  wait_until(g_str_has_prefix(desktop_verdict_bar_get_text(row->verdict), "Accepted by " NAME));
  g_assert_true(is_in(f));
  g_assert_cmpstr(gtk_label_get_text(f->window->person_name), ==, "Signed in: " NAME);
  take_picture("in");
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.sign-out", NULL);
  wait_until(is_out(f));
}

/* Who thinks better of it has said nothing. */
static void
test_cancelled(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = ask(f);

  accept(row);
  wait_until(dialog());
  gtk_window_close(GTK_WINDOW(dialog()));
  wait_until(!dialog());
  g_assert_true(is_out(f));
  g_assert_cmpstr(desktop_verdict_bar_get_text(row->verdict), ==, "");
}

/* Nobody touched anything for long: the next who does is not taken for who was there. */
static void
test_idle(Fixture *f, gconstpointer data)
{
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.sign-in", NULL);
  wait_until(dialog());
  type_pin(PIN);
  wait_until(is_in(f));
  f->window->person_seen -= 9 * 60;
  hands_focus(GTK_WIDGET(f->window));
  hands("key", "Shift_L");
  hands_rest();
  g_assert_true(is_in(f));
  f->window->person_seen -= 11 * 60;
  hands("key", "Shift_L");
  wait_until(is_out(f));
}

int
main(int argc, char **argv)
{
  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
#define ADD(path, func) g_test_add("/desktop/person/" path, Fixture, NULL, setup, func, teardown)
  ADD("verdict", test_verdict);
  ADD("cancelled", test_cancelled);
  ADD("idle", test_idle);
#undef ADD
  return g_test_run();
}
