/* test-desktop-window.c - the whole window in this process: studies, questions, faults, its end. */
#include <signal.h>
#include <sys/resource.h>

#include "desktop-fixture.h"
#include "mock-server.h"
#include "window/window-private.h"

typedef struct {
  char *folder, *study, *log, *model;
  AppReviewOptions options;
  DesktopWindow *window; /* borrowed; NULL once it is finalised */
} Fixture;

/* A model that takes its time: a few seconds for a whole answer. */
static void
slow_model_write(const char *folder, const char *path)
{
  g_autofree char *tokenizer = g_build_filename(folder, "tokenizer.model", NULL);
  const TrainShape shape = {.image_size = 28,
                            .patch_size = 14,
                            .vision_hidden = 32,
                            .vision_blocks = 3,
                            .vision_heads = 2,
                            .vision_ffn = 64,
                            .hidden = 512,
                            .layers = 6,
                            .heads = 8,
                            .kv_heads = 4,
                            .ffn = 1024,
                            .context = 1024,
                            .theta = 10000,
                            .projector = "mlp2x_gelu",
                            .template_name = "mistral_instruct",
                            .name = "slow",
                            .seed = 7};
  ModelError failure = {0};

  tiny_tokenizer_write(tokenizer);
  g_assert_true(train_model_init(&shape, tokenizer, path, &failure));
}

static void
setup(Fixture *f, gconstpointer slow)
{
  f->folder = tiny_folder_new();
  f->study = fixture_study_new(30);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  f->model = g_build_filename(f->folder, "model.gguf", NULL);
  if (slow) {
    slow_model_write(f->folder, f->model);
  } else {
    tiny_model_write(f->folder, f->model);
  }
  f->options = (AppReviewOptions){.model = {.model = f->model}, .log_path = f->log};
  f->window = desktop_window_new(NULL, &f->options);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  gtk_window_present(GTK_WINDOW(f->window));
}

static void
close_window(Fixture *f)
{
  gtk_window_close(GTK_WINDOW(f->window));
  /* Nothing may hold it but what is under way. */
  wait_until(f->window == NULL);
}

static void
teardown(Fixture *f, gconstpointer slow)
{
  if (f->window) {
    close_window(f);
  }
  tiny_folder_free(f->folder);
  tiny_folder_free(f->study);
  g_free(f->log);
  g_free(f->model);
}

static void
open_path(Fixture *f, const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);

  desktop_window_open_files(f->window, &file, 1);
}

static DesktopViewport *
viewport(Fixture *f)
{
  return desktop_window_viewport(f->window);
}

static void
set_window(Fixture *f, double center, double width)
{
  const AppWindow window = {.set = TRUE, .center = center, .width = width};

  desktop_viewport_set_window(viewport(f), &window);
}

static void
act(Fixture *f, const char *name)
{
  g_assert_true(gtk_widget_activate_action(GTK_WIDGET(viewport(f)), name, NULL));
}

/* At the edges of the screen: "RLAP". */
static char *
letters(Fixture *f)
{
  AppSlice *slice = desktop_viewport_get_slice(viewport(f));
  AppPlacement placement;
  AppLetters all;

  if (!slice) {
    return g_strdup("");
  }
  g_assert_true(desktop_viewport_get_placement(viewport(f), &placement));
  all = app_placement_letters(&placement, app_slice_facts(slice));
  return g_strconcat(all.left, all.right, all.top, all.bottom, NULL);
}

static void
check_letters(Fixture *f, const char *expected)
{
  g_autofree char *shown = letters(f);

  g_assert_cmpstr(shown, ==, expected);
}

static const char *
shown_label(Fixture *f)
{
  AppSlice *slice = desktop_viewport_get_slice(viewport(f));

  return slice ? app_slice_facts(slice)->label : "";
}

static void
open_study(Fixture *f)
{
  open_path(f, f->study);
  wait_until(desktop_viewport_get_slice(viewport(f)));
}

static void
load(Fixture *f)
{
  desktop_window_load_model(f->window);
  open_study(f);
  /* The picture may have made way for another meanwhile (the study is hung when it is whole). */
  wait_until(f->window->review && desktop_viewport_get_slice(viewport(f)));
}

/* The newest row of the conversation. */
static DesktopTurnRow *
last_turn(Fixture *f)
{
  GtkWidget *widget = GTK_WIDGET(f->window->conversation);
  GtkWidget *list = NULL, *row;
  g_autoptr(GQueue) queue = g_queue_new();

  g_queue_push_tail(queue, widget);
  while (!list && (widget = g_queue_pop_head(queue))) {
    if (GTK_IS_LIST_BOX(widget)) {
      list = widget;
    }
    for (GtkWidget *c = gtk_widget_get_first_child(widget); c; c = gtk_widget_get_next_sibling(c)) {
      g_queue_push_tail(queue, c);
    }
  }
  g_assert_nonnull(list);
  row = gtk_widget_get_last_child(list);
  return row ? DESKTOP_TURN_ROW(row) : NULL;
}

static guint
n_rows(Fixture *f)
{
  GtkWidget *row = GTK_WIDGET(last_turn(f));
  guint n = 0;

  for (; row; row = gtk_widget_get_prev_sibling(row)) {
    n++;
  }
  return n;
}

static void
ask(Fixture *f, const char *question)
{
  desktop_window_ask(f->window, question);
  g_assert_nonnull(f->window->asking);
  wait_until(!f->window->asking);
}

static JsonArray *
conversations(Fixture *f, JsonNode **holder)
{
  g_autoptr(GError) error = NULL;

  *holder = app_log_list(f->log, 100, &error);
  g_assert_no_error(error);
  return json_node_get_array(*holder);
}

static JsonArray *
turns_of(Fixture *f, guint conversation, JsonNode **holder)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) list = NULL;
  JsonArray *all = conversations(f, &list);
  gint64 id = json_object_get_int_member(json_array_get_object_element(all, conversation), "id");

  *holder = app_log_show(f->log, id, &error);
  g_assert_no_error(error);
  return json_node_get_array(*holder);
}

/* ---- looking ------------------------------------------------------------------------------ */

static void
test_stack(Fixture *f, gconstpointer slow)
{
  open_study(f);
  g_assert_cmpstr(shown_label(f), ==, "CT 1/30");
  /* Faster than anything renders: the last wish counts. */
  for (int i = 0; i < 20; i++) {
    desktop_viewport_step(viewport(f), 1);
  }
  wait_until(g_str_equal(shown_label(f), "CT 21/30"));
  desktop_viewport_step(viewport(f), G_MAXINT);
  wait_until(g_str_equal(shown_label(f), "CT 30/30"));
  desktop_viewport_step(viewport(f), 1);
  g_assert_cmpuint(desktop_viewport_get_index(viewport(f)), ==, 29);
  desktop_viewport_step(viewport(f), G_MININT);
  wait_until(g_str_equal(shown_label(f), "CT 1/30"));
  {
    g_autofree char *subject = desktop_viewport_subject(viewport(f));
    g_assert_cmpstr(subject, ==, "CT 1/30 · C 200  W 400");
  }
}

static double
shown_width(Fixture *f)
{
  AppWindow window;

  g_assert_true(desktop_viewport_get_window(viewport(f), &window));
  return window.width;
}

static void
test_window_level(Fixture *f, gconstpointer slow)
{
  g_autofree char *text = NULL;

  open_study(f);
  g_assert_cmpfloat(shown_width(f), ==, 400);
  for (int i = 1; i <= 50; i++) {
    set_window(f, 100.0, 300.0 + i);
  }
  wait_until(shown_width(f) == 350);
  text = desktop_viewport_window_text(viewport(f));
  g_assert_cmpstr(text, ==, "C 100  W 350");
  /* It goes along through the stack, and goes back on demand. */
  desktop_viewport_step(viewport(f), 3);
  wait_until(g_str_equal(shown_label(f), "CT 4/30"));
  g_assert_cmpfloat(shown_width(f), ==, 350);
  act(f, "view.reset");
  wait_until(shown_width(f) == 400);
}

static void
test_refused(Fixture *f, gconstpointer slow)
{
  g_autofree char *bad = g_build_filename(f->study, "bad.dcm", NULL);
  g_autofree char *missing = g_build_filename(f->folder, "nowhere", NULL);
  DesktopWindow *w;

  g_assert_true(g_file_set_contents(bad, "\x89PNG\r\n\x1a\n but no more", -1, NULL));
  w = f->window;
  open_path(f, missing);
  wait_until(g_strcmp0(gtk_stack_get_visible_child_name(w->pages), "failed") == 0);
  g_assert_nonnull(strstr(adw_status_page_get_title(w->failed_page), "nowhere"));
  g_assert_nonnull(strstr(adw_status_page_get_description(w->failed_page), "nowhere"));
  open_study(f);
  g_assert_true(gtk_revealer_get_reveal_child(w->series_pane));
  /* What is open stays when the next thing cannot be. */
  open_path(f, missing);
  wait_until(!w->opening);
  g_assert_cmpstr(gtk_stack_get_visible_child_name(w->pages), ==, "viewer");
  g_assert_cmpstr(shown_label(f), ==, "CT 1/30");
}

/* One that cannot be decoded: a message in its place, never another picture. */
static void
test_broken(Fixture *f, gconstpointer slow)
{
  g_autofree char *path = g_build_filename(f->study, "broken.dcm", NULL), *bytes = NULL;
  g_autofree char *from =
      g_test_build_filename(G_TEST_DIST, "cases", "dicom-rle-too-short", "input", NULL);
  DesktopWindow *w = f->window;
  guint broken = 0;
  gsize n;

  g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
  open_path(f, f->study);
  wait_until(w->study);
  g_assert_cmpuint(app_study_n_series(w->study), ==, 2);
  while (app_study_series(w->study, broken)->n_images > 1) {
    broken++;
  }
  desktop_window_select_series(w, 1 - broken);
  wait_until(g_str_equal(shown_label(f), "CT 1/30"));
  desktop_window_select_series(w, broken);
  wait_until(desktop_viewport_get_error(viewport(f)));
  g_assert_null(desktop_viewport_get_slice(viewport(f)));
  g_assert_nonnull(strstr(desktop_viewport_get_error(viewport(f)), "broken.dcm"));
  check_letters(f, "");
  desktop_window_select_series(w, 1 - broken);
  wait_until(g_str_equal(shown_label(f), "CT 1/30"));
  g_assert_null(desktop_viewport_get_error(viewport(f)));
  check_letters(f, "RLAP");
}

/* What is decoded is shown, whatever becomes of the file. */
static void
test_vanished(Fixture *f, gconstpointer slow)
{
  g_autofree char *path = g_build_filename(f->study, "slice-05.dcm", NULL);

  open_study(f);
  wait_until(gtk_progress_bar_get_fraction(f->window->progress) == 1);
  g_assert_cmpint(g_remove(path), ==, 0);
  desktop_viewport_step(viewport(f), 5);
  wait_until(g_str_equal(shown_label(f), "CT 6/30"));
}

/* ---- what the data say -------------------------------------------------------------------- */

static void
test_letters(Fixture *f, gconstpointer slow)
{
  DesktopWindow *w = f->window;

  check_letters(f, "");
  open_study(f);
  check_letters(f, "RLAP");
  /* One series with nothing to say of it needs no list. */
  g_assert_false(gtk_revealer_get_reveal_child(w->series_pane));
}

static GtkWidget *
conversation_child(Fixture *f, const char *name)
{
  return GTK_WIDGET(gtk_widget_get_template_child(GTK_WIDGET(f->window->conversation),
                                                  DESKTOP_TYPE_CONVERSATION, name));
}

/* Of a picture nothing is known: no letters, and a warning for as long as it is shown. */
static void
test_warnings(Fixture *f, gconstpointer slow)
{
  g_autofree char *path = g_build_filename(f->folder, "picture.png", NULL);
  g_autoptr(GBytes) bytes = g_bytes_new_take(g_malloc0(64 * 64 * 4), 64 * 64 * 4);
  g_autoptr(GdkTexture) texture =
      gdk_memory_texture_new(64, 64, GDK_MEMORY_R8G8B8A8, bytes, 64 * 4);
  GtkWidget *box = conversation_child(f, "warnings");
  GtkLabel *label = GTK_LABEL(conversation_child(f, "warnings_label"));

  g_assert_true(gdk_texture_save_to_png(texture, path));
  open_study(f);
  g_assert_false(gtk_widget_get_visible(box));
  open_path(f, path);
  wait_until(g_str_equal(shown_label(f), "1/1"));
  wait_until(gtk_widget_get_visible(box));
  g_assert_cmpstr(gtk_label_get_text(label), !=, "");
  check_letters(f, "");
  open_path(f, f->study);
  wait_until(g_str_equal(shown_label(f), "CT 1/30"));
  wait_until(!gtk_widget_get_visible(box));
}

/* All visible text below WIDGET. */
static void
collect_text(GtkWidget *widget, GString *text)
{
  if (GTK_IS_LABEL(widget)) {
    g_string_append_printf(text, "%s\n", gtk_label_get_text(GTK_LABEL(widget)));
  }
  for (GtkWidget *c = gtk_widget_get_first_child(widget); c; c = gtk_widget_get_next_sibling(c)) {
    collect_text(c, text);
  }
}

static gboolean
has_text(gpointer widget, const char *part)
{
  g_autoptr(GString) text = g_string_new(NULL);

  collect_text(widget, text);
  return strstr(text->str, part) != NULL;
}

static void
test_notes(Fixture *f, gconstpointer slow)
{
  g_autofree char *path = g_build_filename(f->study, "slice-11.dcm", NULL);

  g_assert_cmpint(g_remove(path), ==, 0);
  open_study(f);
  g_assert_true(gtk_revealer_get_reveal_child(f->window->series_pane));
  wait_until(has_text(f->window->strip, "missing between"));
  g_assert_true(has_text(f->window->strip, "29 of 29 files shown"));
}

/* A window beside the one under test, or NULL. */
static GtkWindow *
other_window(Fixture *f)
{
  GListModel *all = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(all, i);
    if (window != GTK_WINDOW(f->window)) {
      return window;
    }
  }
  return NULL;
}

static void
test_documents(Fixture *f, gconstpointer slow)
{
  const char *report = "/usr/lib/python3/dist-packages/pydicom/data/test_files/reportsi.dcm";
  g_autofree char *copy = g_build_filename(f->study, "report.dcm", NULL), *bytes = NULL;
  DesktopWindow *w = f->window;
  gsize n;

  if (!g_file_get_contents(report, &bytes, &n, NULL)) {
    g_test_skip("python3-pydicom is not there");
    return;
  }
  open_study(f);
  g_assert_false(has_text(w->strip, "Documents"));
  /* A document alone: a study without an image, and no question. */
  open_path(f, report);
  wait_until(w->study && app_study_n_series(w->study) == 0);
  {
    g_autofree char *text = desktop_viewport_description(viewport(f));
    g_assert_null(desktop_viewport_get_slice(viewport(f)));
    g_assert_cmpstr(text, ==, "There is no image here, only documents.");
  }
  wait_until(has_text(w->strip, "Documents"));
  desktop_viewport_step(viewport(f), 1);
  act(f, "view.reset");
  act(f, "view.play");
  /* Below the images. */
  g_assert_true(g_file_set_contents(copy, bytes, (gssize)n, NULL));
  open_path(f, f->study);
  wait_until(g_str_equal(shown_label(f), "CT 1/30"));
  wait_until(has_text(w->strip, "Basic Text SR"));
  g_signal_emit_by_name(w->strip, "document-chosen", 0);
  wait_until(other_window(f) && has_text(other_window(f), "Verification"));
  gtk_window_close(other_window(f));
  wait_until(!other_window(f));
  /* Closed before it is read. */
  g_signal_emit_by_name(w->strip, "document-chosen", 0);
  g_assert_nonnull(other_window(f));
  gtk_window_close(other_window(f));
}

static void
test_cine(Fixture *f, gconstpointer slow)
{
  DesktopWindow *w = f->window;
  g_autofree char *alone = g_build_filename(f->study, "slice-00.dcm", NULL);
  AppSeriesInfo *info;
  guint index;

  open_path(f, alone);
  wait_until(g_str_equal(shown_label(f), "CT 1/1"));
  act(f, "view.play"); /* one image: nothing */
  g_assert_false(desktop_viewport_is_playing(viewport(f)));
  g_assert_false(gtk_widget_get_visible(w->cine));
  open_path(f, f->study);
  wait_until(g_str_equal(shown_label(f), "CT 1/30"));
  g_assert_cmpfloat(desktop_viewport_get_rate(viewport(f)), ==, 10); /* it says none itself */
  info = (AppSeriesInfo *)app_study_series(w->study, 0);
  info->frame_time_ms = 20;
  g_assert_cmpfloat(desktop_viewport_get_rate(viewport(f)), ==, 50);
  desktop_window_update_tools(w);
  g_assert_true(gtk_widget_get_visible(w->cine));
  desktop_viewport_step(viewport(f), 25);
  wait_until(g_str_equal(shown_label(f), "CT 26/30"));
  act(f, "view.play");
  /* Past the end, and from the start again. */
  wait_until((index = desktop_viewport_get_index(viewport(f))) < 20 && index > 3);
  g_assert_true(desktop_viewport_is_playing(viewport(f)));
  desktop_viewport_step(viewport(f), 1); /* hands end it */
  g_assert_false(desktop_viewport_is_playing(viewport(f)));
  act(f, "view.play");
  act(f, "view.play");
  g_assert_false(desktop_viewport_is_playing(viewport(f)));
  act(f, "view.play");
  gtk_spin_button_set_value(w->rate, 25);
  g_assert_cmpfloat(desktop_viewport_get_rate(viewport(f)), ==, 25);
  close_window(f);
}

/* The bar is there as long as images are loaded, and not after. */
static void
test_progress(Fixture *f, gconstpointer slow)
{
  open_study(f);
  wait_until(gtk_progress_bar_get_fraction(f->window->progress) == 1);
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(f->window->progress)));
}

/* ---- asking ------------------------------------------------------------------------------- */

static void
check_image(JsonObject *turn, const char *uid, double center, double width)
{
  JsonObject *image = json_object_get_object_member(turn, "image");

  g_assert_cmpstr(json_object_get_string_member(image, "sop_instance_uid"), ==, uid);
  g_assert_cmpfloat(json_object_get_double_member(image, "window_center"), ==, center);
  g_assert_cmpfloat(json_object_get_double_member(image, "window_width"), ==, width);
  g_assert_false(json_object_get_boolean_member(image, "blank"));
}

static void
test_ask(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) list = NULL, first = NULL, second = NULL;
  JsonArray *turns;
  JsonObject *turn;

  load(f);
  ask(f, "Is there a nodule?");
  g_assert_cmpuint(n_rows(f), ==, 1);
  ask(f, "Where?");
  g_assert_cmpuint(n_rows(f), ==, 2);
  desktop_viewport_step(viewport(f), 2);
  set_window(f, 100.0, 300.0);
  wait_until(g_str_equal(shown_label(f), "CT 3/30") && shown_width(f) == 300);
  ask(f, NULL);
  g_assert_cmpuint(n_rows(f), ==, 4); /* a divider, and the third turn */
  g_assert_true(DESKTOP_IS_TURN_ROW(last_turn(f)));
  wait_until(app_review_turns(f->window->review) == 1);

  g_assert_cmpuint(json_array_get_length(conversations(f, &list)), ==, 2);
  turns = turns_of(f, 1, &first);
  g_assert_cmpuint(json_array_get_length(turns), ==, 2);
  turn = json_array_get_object_element(turns, 0);
  g_assert_cmpstr(json_object_get_string_member(turn, "question"), ==, "Is there a nodule?");
  check_image(turn, "1.2.3.4.1", 200, 400);
  turns = turns_of(f, 0, &second);
  g_assert_cmpuint(json_array_get_length(turns), ==, 1);
  turn = json_array_get_object_element(turns, 0);
  check_image(turn, "1.2.3.4.3", 100, 300);
  g_assert_true(json_object_has_member(turn, "instruction"));
  /* The window tells what the log tells. */
  g_assert_cmpstr(json_object_get_string_member(turn, "answer"), ==,
                  desktop_turn_row_get_answer(last_turn(f)));
}

/* The first letter of a question sets the model to work on what is on the screen; nothing is said
 * or logged for it, and questions and images come and go as ever. */
static void
test_prepare(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) none = NULL, list = NULL;

  load(f);
  gtk_widget_grab_focus(GTK_WIDGET(viewport(f)));
  desktop_conversation_set_question(f->window->conversation, "W");
  g_assert_cmpuint(f->window->preparing_soon, !=, 0);
  wait_until(f->window->preparing_soon == 0);
  desktop_viewport_step(viewport(f), 3);
  wait_until(g_str_equal(shown_label(f), "CT 4/30"));
  wait_until(f->window->preparing_soon != 0); /* others hear of it a tenth of a second later */
  wait_until(f->window->preparing_soon == 0);
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 0);
  g_assert_cmpuint(json_array_get_length(conversations(f, &none)), ==, 0);
  ask(f, "What?");
  g_assert_cmpuint(json_array_get_length(conversations(f, &list)), ==, 1);
  desktop_conversation_set_question(f->window->conversation, "A");
  close_window(f);
}

static void
test_new_conversation(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) list = NULL;

  load(f);
  ask(f, "One?");
  desktop_window_new_conversation(f->window);
  wait_until(!f->window->after_check); /* a check of the first answer makes way */
  ask(f, "Two?");
  g_assert_cmpuint(json_array_get_length(conversations(f, &list)), ==, 2);
  g_assert_cmpuint(n_rows(f), ==, 3);
}

/* A question on what is on the screen, not on what is still being rendered. */
static void
test_ask_shown(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) holder = NULL, later = NULL;

  load(f);
  desktop_viewport_step(viewport(f), 9);
  set_window(f, 10.0, 20.0);
  ask(f, "What?");
  check_image(json_array_get_object_element(turns_of(f, 0, &holder), 0), "1.2.3.4.1", 200, 400);
  /* Nor on the window that the hand has gone on to meanwhile. */
  wait_until(shown_width(f) == 20);
  desktop_viewport_step(viewport(f), 1);
  set_window(f, 300.0, 40.0);
  wait_until(g_str_equal(shown_label(f), "CT 11/30"));
  g_assert_cmpfloat(shown_width(f), ==, 20);
  ask(f, "And now?");
  check_image(json_array_get_object_element(turns_of(f, 0, &later), 0), "1.2.3.4.11", 10, 20);
}

static void
test_stop(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) holder = NULL;
  JsonObject *turn;

  load(f);
  desktop_window_ask(f->window, "Go on and on.");
  wait_until(*desktop_turn_row_get_answer(last_turn(f)) || !f->window->asking);
  desktop_window_stop(f->window);
  wait_until(!f->window->asking);
  turn = json_array_get_object_element(turns_of(f, 0, &holder), 0);
  g_assert_cmpstr(json_object_get_string_member(turn, "stop"), ==, "cancelled");
  /* And it goes on. */
  desktop_window_ask(f->window, "Again?");
  wait_until(*desktop_turn_row_get_answer(last_turn(f)) || !f->window->asking);
  desktop_window_stop(f->window);
  wait_until(!f->window->asking);
}

/* Closed in the middle of an answer: no crash, and what was said is in the log. */
static void
test_close_while_answering(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) holder = NULL;
  JsonObject *turn;

  load(f);
  desktop_window_ask(f->window, "Go on and on.");
  wait_until(*desktop_turn_row_get_answer(last_turn(f)) || !f->window->asking);
  g_assert_nonnull(f->window->asking);
  close_window(f);
  turn = json_array_get_object_element(turns_of(f, 0, &holder), 0);
  g_assert_cmpstr(json_object_get_string_member(turn, "stop"), ==, "cancelled");
  g_assert_cmpstr(json_object_get_string_member(turn, "answer"), !=, "");
}

/* The same where a server answers, which then says nothing more for ever. */
static void
test_close_while_streaming(Fixture *f, gconstpointer slow)
{
  MockServer *server = mock_server_new();
  g_autoptr(JsonNode) holder = NULL;
  JsonObject *turn;

  close_window(f);
  /* Longer than the test waits: it is the closing that ends it. */
  f->options.remote = (AppRemoteOptions){.url = server->url, .model = "m", .timeout_s = 600};
  f->window = desktop_window_new(NULL, &f->options);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  gtk_window_present(GTK_WINDOW(f->window));
  g_object_set(f->window->conversation, "check-blank", FALSE, NULL);
  load(f);
  mock_reply(server, MOCK_OK, MOCK_TEXT("Half an"), MOCK_HANG, NULL);
  desktop_window_ask(f->window, "Is there a nodule?");
  wait_until(*desktop_turn_row_get_answer(last_turn(f)));
  g_assert_nonnull(f->window->asking);
  close_window(f);
  turn = json_array_get_object_element(turns_of(f, 0, &holder), 0);
  g_assert_cmpstr(json_object_get_string_member(turn, "stop"), ==, "cancelled");
  g_assert_cmpstr(json_object_get_string_member(turn, "answer"), ==, "Half an");
  mock_server_free(server);
}

/* Closed while the model is read, at several points of it: the window goes, and no conversation was
 * begun. */
static void
test_close_while_loading(Fixture *f, gconstpointer slow)
{
  for (guint i = 0; i < 6; i++) {
    const gint64 until = g_get_monotonic_time() + 1000 * (gint64)(i * i * 4);
    g_autoptr(JsonNode) none = NULL;

    desktop_window_load_model(f->window);
    open_path(f, f->study);
    while (f->window->loading && g_get_monotonic_time() < until) {
      g_main_context_iteration(NULL, FALSE);
    }
    close_window(f);
    g_assert_true(!g_file_test(f->log, G_FILE_TEST_EXISTS) ||
                  json_array_get_length(conversations(f, &none)) == 0);
    f->window = desktop_window_new(NULL, &f->options);
    g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
    gtk_window_present(GTK_WINDOW(f->window));
  }
}

static void
test_close_at_once(Fixture *f, gconstpointer slow)
{
  desktop_window_load_model(f->window);
  open_path(f, f->study);
  close_window(f);
}

static void
test_close_while_viewing(Fixture *f, gconstpointer slow)
{
  open_study(f);
  desktop_viewport_step(viewport(f), 3);
  close_window(f);
}

static void
test_no_model(Fixture *f, gconstpointer slow)
{
  g_assert_true(g_file_set_contents(f->model, "GGUF", -1, NULL));
  desktop_window_load_model(f->window);
  open_study(f);
  wait_until(!f->window->loading);
  g_assert_null(f->window->review);
  desktop_window_ask(f->window, "Anybody there?");
  g_assert_null(f->window->asking);
}

static void
limit_files(rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = bytes;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* A full disk: the answer is shown, the row says that it is not in the log; with room again, the
 * next answer takes it along. */
static void
test_full_disk(Fixture *f, gconstpointer slow)
{
  g_autoptr(JsonNode) list = NULL, holder = NULL;
  DesktopTurnRow *row;
  GtkWidget *box;

  load(f);
  signal(SIGXFSZ, SIG_IGN);
  limit_files(1);
  ask(f, "Lost?");
  row = last_turn(f);
  box = GTK_WIDGET(
      gtk_widget_get_template_child(GTK_WIDGET(row), DESKTOP_TYPE_TURN_ROW, "unsaved_box"));
  wait_until(gtk_widget_get_visible(box));
  limit_files(RLIM_INFINITY);
  g_assert_cmpstr(desktop_turn_row_get_answer(row), !=, "");
  ask(f, "Found?");
  wait_until(!gtk_widget_get_visible(box));
  g_assert_cmpuint(json_array_get_length(turns_of(f, 0, &holder)), ==, 2);
}

static char *
row_text(DesktopTurnRow *row, const char *name)
{
  GObject *label = gtk_widget_get_template_child(GTK_WIDGET(row), DESKTOP_TYPE_TURN_ROW, name);

  return g_strdup(gtk_label_get_text(GTK_LABEL(label)));
}

/* A server answers: that pictures go there is in sight before, and at the answer after. A question
 * without an answer comes back into the entry. */
static void
test_away(Fixture *f, gconstpointer slow)
{
  MockServer *server = mock_server_new();
  g_autofree char *sent = NULL, *failed = NULL, *broken = NULL, *returned = NULL;
  g_autofree char *sentence =
      g_strconcat("Pictures and questions are sent to ", server->host, NULL);

  g_assert_false(gtk_widget_get_visible(conversation_child(f, "away")));
  close_window(f);
  f->options.remote = (AppRemoteOptions){.url = server->url, .model = "m", .timeout_s = 5};
  f->window = desktop_window_new(NULL, &f->options);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  gtk_window_present(GTK_WINDOW(f->window));
  g_assert_true(gtk_widget_get_visible(conversation_child(f, "away")));
  g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(conversation_child(f, "away_label"))), ==, sentence);

  /* The server's answers are counted out. */
  g_object_set(f->window->conversation, "check-blank", FALSE, NULL);
  load(f);
  mock_reply(server, MOCK_OK, MOCK_TEXT("No."), MOCK_FINISH("stop"), MOCK_DONE, NULL);
  ask(f, "Is there a nodule?");
  sent = row_text(last_turn(f), "provenance");
  g_assert_nonnull(strstr(sent, "served"));
  g_assert_nonnull(strstr(sent, server->host));

  mock_reply(server, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", NULL);
  ask(f, "Where?");
  failed = row_text(last_turn(f), "failure");
  g_assert_nonnull(strstr(failed, "HTTP 500"));
  returned = desktop_conversation_dup_question(f->window->conversation);
  g_assert_cmpstr(returned, ==, "Where?");

  mock_reply(server, MOCK_OK, MOCK_TEXT("Half an"), NULL);
  ask(f, "Where?");
  broken = row_text(last_turn(f), "provenance");
  g_assert_nonnull(strstr(broken, "This answer broke off."));
  g_assert_cmpuint(app_review_turns(f->window->review), ==, 2);
  close_window(f);
  mock_server_free(server);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    gboolean slow;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"stack", FALSE, test_stack},
               {"window-level", FALSE, test_window_level},
               {"refused", FALSE, test_refused},
               {"broken", FALSE, test_broken},
               {"vanished", FALSE, test_vanished},
               {"letters", FALSE, test_letters},
               {"warnings", FALSE, test_warnings},
               {"notes", FALSE, test_notes},
               {"documents", FALSE, test_documents},
               {"cine", FALSE, test_cine},
               {"progress", FALSE, test_progress},
               {"ask", FALSE, test_ask},
               {"prepare", FALSE, test_prepare},
               {"new-conversation", FALSE, test_new_conversation},
               {"ask-shown", FALSE, test_ask_shown},
               {"stop", TRUE, test_stop},
               {"close-while-answering", TRUE, test_close_while_answering},
               {"close-while-streaming", FALSE, test_close_while_streaming},
               {"close-while-loading", TRUE, test_close_while_loading},
               {"close-at-once", FALSE, test_close_at_once},
               {"close-while-viewing", FALSE, test_close_while_viewing},
               {"no-model", FALSE, test_no_model},
               {"full-disk", FALSE, test_full_disk},
               {"away", FALSE, test_away}};

  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/window/%s", tests[i].name);
    g_test_add(path, Fixture, tests[i].slow ? "slow" : NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
