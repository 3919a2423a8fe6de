/* test-desktop-history.c - past conversations in the whole window: found by keys, read, gone on
 * with; and what an answer is checked and judged by, with a model that really answers. */
#include "window-fixture.h"
#include "conversation/turn-row-private.h"
#include "history/history-row.h"

static void
setup(Fixture *f, gconstpointer data)
{
  fixture_begin(f, 5);
  open_window(f);
  wait_until(f->window->review);
}

static void
open_path(Fixture *f, const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);

  desktop_window_open_files(f->window, &file, 1);
  wait_until(desktop_viewport_get_slice(desktop_window_viewport(f->window)));
}

static DesktopTurnRow *
last_row(GtkListBox *list)
{
  return DESKTOP_TURN_ROW(gtk_widget_get_last_child(GTK_WIDGET(list)));
}

static DesktopTurnRow *
ask(Fixture *f, const char *question)
{
  desktop_window_ask(f->window, question);
  g_assert_nonnull(f->window->asking);
  wait_until(!f->window->asking);
  return last_row(f->window->conversation->list);
}

static GtkListBox *
found(Fixture *f)
{
  return GTK_LIST_BOX(
      gtk_widget_get_template_child(GTK_WIDGET(f->window->history), DESKTOP_TYPE_HISTORY, "list"));
}

static guint
n_found(Fixture *f)
{
  guint n = 0;

  while (gtk_list_box_get_row_at_index(found(f), (int)n)) {
    n++;
  }
  return n;
}

static const char *
side(Fixture *f)
{
  return gtk_stack_get_visible_child_name(f->window->side);
}

/* ---- history -------------------------------------------------------------------------------- */

static void
test_search(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->window->conversation;

  open_path(f, f->study);
  ask(f, "Is there a nodule?");
  ask(f, "How large is it?");
  desktop_window_new_conversation(f->window);
  wait_until(!f->window->after_check);
  ask(f, "Is the heart enlarged?");
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(g_str_equal(side(f), "history") && n_found(f) == 2);
  /* The newest first; typed words leave what has them, in any turn. */
  hands("type", "--delay", "5", "larg");
  wait_until(n_found(f) == 1);
  hands("key", "Return");
  hands("key", "Return");
  wait_until(desktop_conversation_is_past(c));
  g_assert_cmpstr(side(f), ==, "conversation");
  g_assert_cmpstr(desktop_turn_row_get_question(last_row(c->past_list)), ==, "How large is it?");
  wait_until(gtk_widget_get_sensitive(c->resume));
  hands_click(c->past_back);
  wait_until(g_str_equal(side(f), "history"));
  g_assert_false(desktop_conversation_is_past(c));
  g_assert_cmpstr(desktop_turn_row_get_question(last_row(c->list)), ==, "Is the heart enlarged?");
  /* Nothing has all of that. */
  desktop_history_focus(f->window->history);
  hands("key", "ctrl+a", "type", "--delay", "5", "zebra");
  wait_until(n_found(f) == 0);
}

/* Another day: the window opens again, the conversation and its image with it. */
static void
test_resume(Fixture *f, gconstpointer data)
{
  DesktopConversation *c;
  DesktopTurnRow *row;

  open_path(f, f->study);
  desktop_viewport_step(desktop_window_viewport(f->window), 2);
  wait_until(
      desktop_viewport_get_index(desktop_window_viewport(f->window)) == 2 &&
      g_str_equal(
          app_slice_facts(desktop_viewport_get_slice(desktop_window_viewport(f->window)))->label,
          "CT 3/5"));
  ask(f, "Is there a nodule?");
  close_window(f);
  open_window(f);
  wait_until(f->window->review);
  c = f->window->conversation;
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(n_found(f) == 1);
  g_signal_emit_by_name(gtk_list_box_get_row_at_index(found(f), 0), "activate");
  wait_until(desktop_conversation_is_past(c));
  /* Its image is on the screen again. */
  wait_until(f->window->study && desktop_viewport_get_slice(desktop_window_viewport(f->window)) &&
             f->window->wanted == NULL);
  g_assert_true(g_str_has_suffix(
      app_slice_facts(desktop_viewport_get_slice(desktop_window_viewport(f->window)))->path,
      "slice-02.dcm"));
  /* With the series that it is one of. */
  g_assert_cmpuint(app_study_series(f->window->study, 0)->n_images, ==, 5);
  wait_until(gtk_widget_get_sensitive(c->resume));
  hands_click(c->resume);
  wait_until(!desktop_conversation_is_past(c) && !f->window->resuming);
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 1);
  row = ask(f, "Where is it?");
  g_assert_true(desktop_turn_row_is_answered(row));
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 2);
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 2);
}

/* The file has gone: the conversation is read all the same, and says why it cannot go on. */
static void
test_gone(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->window->conversation;

  open_path(f, f->study);
  ask(f, "Is there a nodule?");
  for (guint i = 0; i < 5; i++) {
    g_autofree char *name = g_strdup_printf("slice-%02u.dcm", i);
    g_autofree char *path = g_build_filename(f->study, name, NULL);
    g_assert_cmpint(g_remove(path), ==, 0);
  }
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(n_found(f) == 1);
  g_signal_emit_by_name(gtk_list_box_get_row_at_index(found(f), 0), "activate");
  wait_until(desktop_conversation_is_past(c));
  wait_until(gtk_widget_get_sensitive(c->resume));
  hands_click(c->resume);
  wait_until(gtk_widget_get_visible(c->past_failure));
  g_assert_nonnull(strstr(gtk_label_get_text(GTK_LABEL(c->past_failure)), "slice-00.dcm"));
  hands_click(c->past_back);
  wait_until(!desktop_conversation_is_past(c));
}

/* ---- an answer under doubt ------------------------------------------------------------------ */

static gboolean
has_check(DesktopTurnRow *row, const char *text)
{
  return strstr(gtk_label_get_text(row->check), text) != NULL;
}

static void
test_checks(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row;

  open_path(f, f->study);
  row = ask(f, "Is there a nodule?");
  gtk_widget_activate_action(GTK_WIDGET(row), "turn.check-blank", NULL);
  wait_until(!f->window->checking && has_check(row, "epend"));
  gtk_widget_activate_action(GTK_WIDGET(row), "turn.check-seeds", NULL);
  wait_until(!f->window->checking && has_check(row, "seeds"));
  g_assert_true(has_check(row, "epend"));
  /* And after each answer, if that is wished. */
  g_object_set(f->window->conversation, "check-blank", TRUE, NULL);
  row = ask(f, "Where?");
  wait_until(!f->window->checking && has_check(row, "epend"));
  /* It makes way for a question, and for a version. A third turn might find no room in so small a
   * model. */
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.new-conversation", NULL);
  wait_until(desktop_conversation_n_turns(f->window->conversation) == 0);
  row = ask(f, "How large?");
  gtk_widget_activate_action(GTK_WIDGET(row), "turn.again", NULL);
  wait_until(g_strcmp0(gtk_label_get_text(last_row(f->window->conversation->list)->version),
                       "2 of 2") == 0);
  /* The one before it may still be on its way to the log. */
  wait_until(!f->window->asking && app_review_turns(f->window->review) == 1);
  close_window(f);
}

static void
test_verdict(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row;
  GtkWidget *accept;

  open_path(f, f->study);
  row = ask(f, "Is there a nodule?");
  g_assert_cmpint(desktop_turn_row_get_id(row), >, 0);
  accept = GTK_WIDGET(
      gtk_widget_get_template_child(GTK_WIDGET(row->verdict), DESKTOP_TYPE_VERDICT_BAR, "accept"));
  gtk_widget_grab_focus(accept);
  hands("key", "space");
  wait_until(g_str_has_prefix(desktop_verdict_bar_get_text(row->verdict), "Accepted by "));
  /* It is there when the conversation is read again. */
  gtk_widget_activate_action(GTK_WIDGET(f->window), "win.history", NULL);
  wait_until(n_found(f) == 1);
  g_signal_emit_by_name(gtk_list_box_get_row_at_index(found(f), 0), "activate");
  wait_until(desktop_conversation_is_past(f->window->conversation));
  row = last_row(f->window->conversation->past_list);
  g_assert_true(g_str_has_prefix(desktop_verdict_bar_get_text(row->verdict), "Accepted by "));
}

/* What the chip shows is what the model gets: its square. */
static void
test_seen(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->window->conversation;
  g_autoptr(GtkWidget) seen = NULL;

  open_path(f, f->study);
  wait_until(c->about);
  seen = g_object_ref_sink(desktop_seen_new(c->about));
  desktop_conversation_emit(c, DESKTOP_CONVERSATION_LOOK, seen);
  wait_until(desktop_seen_has_picture(DESKTOP_SEEN(seen)));
}

/* Versions in the model's own timeline: it goes back, and the log has all that was said. */
static void
take_result(GObject *source, GAsyncResult *result, gpointer taken)
{
  *(GAsyncResult **)taken = g_object_ref(result);
}

static void
test_again(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *first, *second;
  g_autoptr(JsonNode) list = NULL;

  open_path(f, f->study);
  first = ask(f, "Is there a nodule?");
  second = ask(f, "Where?");
  gtk_widget_activate_action(GTK_WIDGET(second), "turn.again", NULL);
  wait_until(f->window->asking);
  wait_until(!f->window->asking);
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 2);
  gtk_widget_activate_action(GTK_WIDGET(first), "turn.again", NULL);
  wait_until(f->window->asking);
  wait_until(!f->window->asking);
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 1);
  list = app_log_list(f->log, 10, NULL);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==, 3);
}

/* An earlier version is gone on with: the model is there again, and what comes next belongs to it.
 */
static void
test_go_on_here(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->window->conversation;
  DesktopTurnRow *first, *next;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) list = NULL, line = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  JsonArray *turns;
  gint64 id;

  open_path(f, f->study);
  first = ask(f, "Is there a nodule?");
  gtk_widget_activate_action(GTK_WIDGET(first), "turn.again", NULL);
  wait_until(f->window->asking);
  wait_until(!f->window->asking);
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 1);
  g_assert_true(c->live->pdata[0] != first);
  g_assert_false(gtk_widget_get_visible(c->earlier_box));
  desktop_conversation_switch(c, c->live->pdata[0], -1);
  g_assert_true(gtk_widget_get_visible(c->earlier_box));
  wait_until(gtk_widget_get_sensitive(c->go_on_here));
  hands_click(c->go_on_here);
  wait_until(!gtk_widget_get_visible(c->earlier_box) && !f->window->resuming);
  g_assert_false(gtk_widget_get_visible(c->earlier_box));
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 1);
  g_assert_true(c->live->pdata[0] == first);
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 1);
  next = ask(f, "How large?");
  g_assert_true(desktop_turn_row_is_answered(next));
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 2);
  /* In the log it follows the first version. */
  id = desktop_turn_row_get_conversation(next);
  g_assert_cmpint(id, >, 0);
  app_history_show_async(f->log, id, NULL, take_result, &result);
  wait_until(result);
  line = app_history_show_finish(result, &error);
  g_assert_no_error(error);
  turns = json_node_get_array(line);
  g_assert_cmpuint(json_array_get_length(turns), ==, 2);
  g_assert_cmpint(json_object_get_int_member(json_array_get_object_element(turns, 0), "turn_id"),
                  ==, desktop_turn_row_get_id(first));
  /* And the other version can be had again. */
  desktop_conversation_switch(c, first, 1);
  wait_until(gtk_widget_get_sensitive(c->go_on_here));
  hands_click(c->go_on_here);
  wait_until(!gtk_widget_get_visible(c->earlier_box) && !f->window->resuming);
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 1);
}

/* Another slice joins the conversation. */
static void
test_add(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->window->conversation;
  DesktopTurnRow *row;

  open_path(f, f->study);
  ask(f, "Is there a nodule?");
  desktop_viewport_step(desktop_window_viewport(f->window), 2);
  wait_until(gtk_widget_get_visible(c->add));
  hands_click(c->add);
  wait_until(desktop_conversation_adds(c));
  row = ask(f, "Is it larger here?");
  g_assert_true(desktop_turn_row_is_answered(row));
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 2);
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 2);
}

static GtkWindow *
dialog(Fixture *f)
{
  GListModel *all = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(all, i);
    if (ADW_IS_MESSAGE_DIALOG(window)) {
      return window;
    }
  }
  return NULL;
}

/* As its button does. */
static void
respond(Fixture *f, const char *response)
{
  GtkWindow *asks = dialog(f);

  adw_message_dialog_response(ADW_MESSAGE_DIALOG(asks), response);
  gtk_window_destroy(asks);
}

/* What the model was never trained on is asked about only by who says so, once. */
static void
test_doubt(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "picture.png", NULL), *kept = NULL;
  g_autoptr(GBytes) bytes = g_bytes_new_take(g_malloc0(64 * 64 * 4), 64 * 64 * 4);
  g_autoptr(GdkTexture) texture =
      gdk_memory_texture_new(64, 64, GDK_MEMORY_R8G8B8A8, bytes, 64 * 4);

  g_assert_true(gdk_texture_save_to_png(texture, path));
  open_path(f, path);
  desktop_window_ask(f->window, "What is it?");
  g_assert_null(f->window->asking);
  wait_until(dialog(f));
  respond(f, "cancel");
  g_assert_null(f->window->asking);
  kept = desktop_conversation_dup_question(f->window->conversation);
  g_assert_cmpstr(kept, ==, "What is it?");
  desktop_window_ask(f->window, "What is it?");
  wait_until(dialog(f));
  respond(f, "ask");
  wait_until(f->window->asking);
  wait_until(!f->window->asking);
  ask(f, "And else?");
  g_assert_null(dialog(f));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"search", test_search}, {"resume", test_resume},         {"gone", test_gone},
               {"checks", test_checks}, {"verdict", test_verdict},       {"seen", test_seen},
               {"again", test_again},   {"go-on-here", test_go_on_here}, {"add", test_add},
               {"doubt", test_doubt}};

  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/history/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
