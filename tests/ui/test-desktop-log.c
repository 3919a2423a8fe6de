/* test-desktop-log.c - the window and a log that is locked, erased, or not as it was signed. */
#include "window-fixture.h"
#include "app_proof.h"
#include "conversation/turn-row-private.h"
#include "history/history-row.h"
#include "settings/passphrase.h"

/* A log with one conversation in it. */
static void
setup(Fixture *f, gconstpointer data)
{
  g_autoptr(AppReview) review = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) turn = NULL;
  g_autofree char *image = NULL;
  AppImageChoice choice = {0};
  AppQuestion question = {.question = "Is there a nodule?",
                          .sampling = {.temperature = 0, .top_p = 1, .max_tokens = 4}};

  fixture_begin(f, 3);
  image = g_build_filename(f->study, "slice-00.dcm", NULL);
  choice.path = image;
  question.image = &choice;
  review = app_review_new(&f->options, &error);
  g_assert_no_error(error);
  turn = app_review_ask(review, &question, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(app_review_save(review, &error));
}

/* By another process: nothing of it is remembered in this one. */
static void
lock_log(Fixture *f, const char *passphrase)
{
  g_autofree char *file = g_build_filename(f->folder, "passphrase", NULL);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) process = NULL;

  g_assert_true(g_file_set_contents(file, passphrase, -1, NULL));
  g_subprocess_launcher_setenv(launcher, "HILUM_LOG_NEW_PASSPHRASE_FILE", file, TRUE);
  process = g_subprocess_launcher_spawn(launcher, &error, g_getenv("HILUM_BIN"), "log", "protect",
                                        "passphrase", "--log", f->log, NULL);
  g_assert_no_error(error);
  g_assert_true(g_subprocess_wait_check(process, NULL, &error));
  g_assert_no_error(error);
  g_remove(file);
  desktop_passphrase_again();
}

/* A dialog over the window with this heading, or NULL. */
static GtkWidget *
dialog(const char *heading)
{
  GListModel *windows = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWidget) window = g_list_model_get_item(windows, i);
    if (ADW_IS_MESSAGE_DIALOG(window) && gtk_widget_get_mapped(window) &&
        g_str_equal(adw_message_dialog_get_heading(ADW_MESSAGE_DIALOG(window)), heading)) {
      return window;
    }
  }
  return NULL;
}

static GtkListBox *
found(Fixture *f)
{
  return GTK_LIST_BOX(
      gtk_widget_get_template_child(GTK_WIDGET(f->window->history), DESKTOP_TYPE_HISTORY, "list"));
}

/* ---- a passphrase ---------------------------------------------------------------------------- */

#define HEADING "Passphrase of the Log"

/* What stands in the dialog. */
static const char *
typed(void)
{
  GtkWidget *asking = dialog(HEADING);

  return asking ? gtk_entry_buffer_get_text(g_object_get_data(G_OBJECT(asking), "first")) : NULL;
}

static void
type_passphrase(const char *text)
{
  hands_rest(); /* it is drawn */
  hands_focus(dialog(HEADING));
  hands_rest();
  hands("type", "--delay", "20", text);
  wait_until(g_strcmp0(typed(), text) == 0);
  hands("key", "Return");
}

static gboolean
says_wrong(void)
{
  GtkWidget *asking = dialog(HEADING);

  return asking && strstr(adw_message_dialog_get_body(ADW_MESSAGE_DIALOG(asking)), "does not open");
}

static void
test_passphrase(Fixture *f, gconstpointer data)
{
  lock_log(f, "right one\n");
  open_window(f);
  wait_until(dialog(HEADING));
  g_assert_false(says_wrong());
  type_passphrase("wrong one");
  wait_until(says_wrong());
  g_assert_null(f->window->review);
  type_passphrase("right one");
  wait_until(f->window->review);
  g_assert_false(gtk_widget_get_visible(f->window->log_bar));
  /* Nobody is asked twice. */
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(gtk_list_box_get_row_at_index(found(f), 0));
  g_assert_null(dialog(HEADING));
}

static void
test_refused(Fixture *f, gconstpointer data)
{
  lock_log(f, "another\n");
  open_window(f);
  wait_until(dialog(HEADING));
  hands_focus(dialog(HEADING));
  hands("key", "Escape");
  wait_until(f->window->review);
  g_assert_null(dialog(HEADING));
  g_assert_true(f->window->locked);
  g_assert_true(gtk_widget_get_visible(f->window->log_bar));
  g_assert_nonnull(strstr(gtk_label_get_text(f->window->log_text), "kept nowhere"));
  /* Asked again by its button alone. */
  hands_click(GTK_WIDGET(f->window->log_button));
  wait_until(dialog(HEADING));
  type_passphrase("another");
  wait_until(f->window->review);
  g_assert_false(f->window->locked);
  g_assert_false(gtk_widget_get_visible(f->window->log_bar));
}

/* Wrong twice, and then not given. */
static void
test_given_up(Fixture *f, gconstpointer data)
{
  lock_log(f, "nobody knows\n");
  open_window(f);
  wait_until(dialog(HEADING));
  type_passphrase("a guess");
  wait_until(says_wrong() && !*typed());
  type_passphrase("one more");
  wait_until(says_wrong() && !*typed());
  hands_focus(dialog(HEADING));
  hands("key", "alt+g"); /* Go On Without */
  wait_until(f->window->review);
  g_assert_null(dialog(HEADING));
  g_assert_true(f->window->locked);
  g_assert_true(gtk_widget_get_visible(f->window->log_bar));
}

static void
test_closed_meanwhile(Fixture *f, gconstpointer data)
{
  lock_log(f, "a third\n");
  open_window(f);
  wait_until(dialog(HEADING));
  close_window(f);
  g_assert_null(dialog(HEADING));
}

/* ---- erased, and changed ----------------------------------------------------------------------
 */

static void
test_erased(Fixture *f, gconstpointer data)
{
  DesktopConversation *c;
  DesktopTurnRow *row;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_erase(f->log, 1, "asked for", &error);

  g_assert_no_error(error);
  open_window(f);
  wait_until(f->window->review);
  c = f->window->conversation;
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  hands_rest();
  wait_until(!desktop_history_is_searching(f->window->history) &&
             gtk_list_box_get_row_at_index(found(f), 0));
  g_assert_cmpstr(
      gtk_widget_get_tooltip_text(GTK_WIDGET(gtk_list_box_get_row_at_index(found(f), 0))), ==,
      "Erased");
  /* An entry that tells of nothing new does not take the rows away. */
  g_signal_emit_by_name(
      gtk_widget_get_template_child(GTK_WIDGET(f->window->history), DESKTOP_TYPE_HISTORY, "entry"),
      "search-changed");
  g_assert_false(desktop_history_is_searching(f->window->history));
  hands_focus(GTK_WIDGET(f->window));
  hands("key", "Return");
  hands("key", "Return");
  wait_until(desktop_conversation_is_past(c));
  row = DESKTOP_TURN_ROW(gtk_widget_get_last_child(GTK_WIDGET(c->past_list)));
  g_assert_cmpstr(desktop_turn_row_get_question(row), ==, "Erased");
  g_assert_nonnull(strstr(desktop_turn_row_get_answer(row), "were erased"));
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(gtk_widget_get_template_child(
      GTK_WIDGET(row->verdict), DESKTOP_TYPE_VERDICT_BAR, "accept"))));
}

static void
test_changed(Fixture *f, gconstpointer data)
{
  g_autoptr(AppReview) review = NULL;
  g_autofree char *old = NULL;
  gsize n;

  /* An older copy in the place of what was signed since. */
  g_assert_true(g_file_get_contents(f->log, &old, &n, NULL));
  review = app_review_new(&f->options, NULL);
  g_assert_nonnull(review);
  g_clear_pointer(&review, app_review_free);
  g_assert_true(g_file_set_contents(f->log, old, (gssize)n, NULL));
  open_window(f);
  wait_until(f->window->review);
  g_assert_true(gtk_widget_get_visible(f->window->log_bar));
  g_assert_nonnull(strstr(gtk_label_get_text(f->window->log_text), "not as it was signed"));
  hands_focus(GTK_WIDGET(f->window));
  hands_click(GTK_WIDGET(f->window->log_button));
  wait_until(dialog("The Log Was Changed") || dialog("The Log Cannot Be Verified"));
  g_assert_nonnull(dialog("The Log Was Changed"));
}

static void
test_verified(Fixture *f, gconstpointer data)
{
  open_window(f);
  wait_until(f->window->review);
  g_assert_false(gtk_widget_get_visible(f->window->log_bar));
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.verify-log", NULL);
  wait_until(dialog("The Log Is Whole"));
}

/* ---- damaged, or newer ----------------------------------------------------------------------- */

/* N bytes of the log, in its first page. */
static void
write_bytes(Fixture *f, goffset at, const char *bytes, gsize n)
{
  g_autoptr(GFile) file = g_file_new_for_path(f->log);
  g_autoptr(GError) error = NULL;
  g_autoptr(GFileIOStream) stream = g_file_open_readwrite(file, NULL, &error);

  g_assert_no_error(error);
  g_assert_true(g_seekable_seek(G_SEEKABLE(stream), at, G_SEEK_SET, NULL, NULL));
  g_assert_true(g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(stream)), bytes,
                                          n, NULL, NULL, &error));
}

static void
test_damaged(Fixture *f, gconstpointer data)
{
  const char zeros[3000] = {0};
  GtkWidget *asked;

  write_bytes(f, 100, zeros, sizeof zeros);
  open_window(f);
  wait_until(f->window->review);
  g_assert_true(gtk_widget_get_visible(f->window->log_bar));
  g_assert_nonnull(strstr(gtk_label_get_text(f->window->log_text), "kept nowhere"));
  hands_focus(GTK_WIDGET(f->window));
  hands_click(GTK_WIDGET(f->window->log_button));
  wait_until(dialog("Set the Damaged Log Aside?"));
  asked = dialog("Set the Damaged Log Aside?");
  adw_message_dialog_response(ADW_MESSAGE_DIALOG(asked), "recover");
  gtk_window_close(GTK_WINDOW(asked));
  wait_until(dialog("The Log Was Recovered"));
  g_assert_nonnull(
      strstr(adw_message_dialog_get_body(ADW_MESSAGE_DIALOG(dialog("The Log Was Recovered"))),
             "log.sqlite.corrupt-"));
  wait_until(f->window->review && !f->window->loading);
  g_assert_false(gtk_widget_get_visible(f->window->log_bar));
  g_assert_cmpint(f->window->fault, ==, APP_LOG_SOUND);
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(gtk_list_box_get_row_at_index(found(f), 0));
}

static void
test_newer(Fixture *f, gconstpointer data)
{
  const char version[] = {0, 0, 0, 6};
  g_autofree char *before = NULL, *after = NULL;
  gsize n = 0, n_after = 0;

  write_bytes(f, 60, version, sizeof version);
  g_assert_true(g_file_get_contents(f->log, &before, &n, NULL));
  open_window(f);
  wait_until(f->window->review);
  g_assert_true(gtk_widget_get_visible(f->window->log_bar));
  g_assert_nonnull(strstr(gtk_label_get_text(f->window->log_text), "A newer Hilum"));
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(gtk_list_box_get_row_at_index(found(f), 0));
  close_window(f);
  g_assert_true(g_file_get_contents(f->log, &after, &n_after, NULL));
  g_assert_cmpmem(before, n, after, n_after);
}

int
main(int argc, char **argv)
{
  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  desktop_passphrase_attach();
#define ADD(path, func) g_test_add("/desktop/log/" path, Fixture, NULL, setup, func, teardown)
  ADD("erased", test_erased);
  ADD("changed", test_changed);
  ADD("verified", test_verified);
  ADD("damaged", test_damaged);
  ADD("newer", test_newer);
  ADD("passphrase", test_passphrase);
  ADD("refused", test_refused);
  ADD("given-up", test_given_up);
  ADD("closed-meanwhile", test_closed_meanwhile);
#undef ADD
  return g_test_run();
}
