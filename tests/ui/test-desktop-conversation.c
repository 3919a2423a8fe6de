/* test-desktop-conversation.c - the conversation pane in a window of its own, with no model: keys
 * and clicks go in, signals come out, turns are made up. */
#include <adwaita.h>
#include <string.h>

#include "conversation/conversation-private.h"
#include "conversation/image-chip.h"
#include "conversation/turn-row-private.h"
#include "desktop-hands.h"

typedef struct {
  GtkWidget *window;
  DesktopConversation *conversation;
  DesktopAbout *first, *second;
  GString *heard;
  DesktopTurnRow *row; /* of the last signal, borrowed */
} Fixture;

static DesktopAbout *
about_new(const char *path, const char *label)
{
  const AppImageChoice choice = {.path = path, .window = {.set = TRUE, .center = 40, .width = 400}};
  const char *none[] = {NULL};

  return desktop_about_new(&choice, label, "C 40  W 400", "CT", "CHEST", none);
}

static void
hear_ask(DesktopConversation *conversation, const char *text, Fixture *f)
{
  g_string_append_printf(f->heard, "ask %s;", text);
}

static void
hear_describe(DesktopConversation *conversation, guint length, Fixture *f)
{
  g_string_append_printf(f->heard, "describe %u;", length);
}

static void
hear_again(DesktopConversation *conversation, GObject *row, const char *text, Fixture *f)
{
  g_string_append_printf(f->heard, "again %s;", text ? text : "-");
  f->row = DESKTOP_TURN_ROW(row);
}

static void
hear_judge(DesktopConversation *conversation, GObject *row, guint verdict, const char *text,
           Fixture *f)
{
  g_string_append_printf(f->heard, "judge %u %s;", verdict, text ? text : "-");
}

static void
hear_check(DesktopConversation *conversation, GObject *row, guint check, Fixture *f)
{
  g_string_append_printf(f->heard, "check %u;", check);
}

static void
hear_look(DesktopConversation *conversation, GObject *seen, Fixture *f)
{
  guint8 pixels[2 * 2 * 3] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9};
  const AppPicture picture = {2, 2, pixels};

  g_string_append(f->heard, "look;");
  desktop_seen_take(DESKTOP_SEEN(seen), &picture);
}

static void
setup(Fixture *f, gconstpointer data)
{
  f->heard = g_string_new(NULL);
  f->window = gtk_window_new();
  f->conversation = g_object_new(DESKTOP_TYPE_CONVERSATION, NULL);
  f->first = about_new("/a/one.dcm", "CT 1/30");
  f->second = about_new("/a/two.dcm", "CT 2/30");
  g_signal_connect(f->conversation, "ask", G_CALLBACK(hear_ask), f);
  g_signal_connect(f->conversation, "describe", G_CALLBACK(hear_describe), f);
  g_signal_connect(f->conversation, "ask-again", G_CALLBACK(hear_again), f);
  g_signal_connect(f->conversation, "judge", G_CALLBACK(hear_judge), f);
  g_signal_connect(f->conversation, "check", G_CALLBACK(hear_check), f);
  g_signal_connect(f->conversation, "look", G_CALLBACK(hear_look), f);
  gtk_window_set_decorated(GTK_WINDOW(f->window), FALSE);
  gtk_window_set_default_size(GTK_WINDOW(f->window), 360, 700);
  gtk_window_set_child(GTK_WINDOW(f->window), GTK_WIDGET(f->conversation));
  gtk_window_present(GTK_WINDOW(f->window));
  g_object_add_weak_pointer(G_OBJECT(f->conversation), (gpointer *)&f->conversation);
  desktop_conversation_set_about(f->conversation, f->first);
  desktop_conversation_set_state(f->conversation, TRUE, FALSE);
  wait_until(gtk_widget_get_mapped(GTK_WIDGET(f->conversation)));
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gtk_window_destroy(GTK_WINDOW(f->window));
  wait_until(f->conversation == NULL); /* nothing holds it */
  desktop_about_unref(f->first);
  desktop_about_unref(f->second);
  g_string_free(f->heard, TRUE);
}

#define TURN                                                                                       \
  "{\"question\": \"%s\", \"answer\": \"A nodule, maybe.\", \"turn_id\": 7, \"stop\": \"eos\","    \
  "\"tokens\": [{\"text\": \"A\", \"p\": 0.95}, {\"text\": \" nodule\", \"p\": 0.4},"              \
  " {\"text\": \",\", \"p\": 0.9}, {\"text\": \" maybe\", \"p\": 0.1},"                            \
  " {\"text\": \".\", \"p\": 0.7}],"                                                               \
  "\"image\": {\"path\": \"/a/one.dcm\", \"frame\": 0, \"window_center\": 40,"                     \
  " \"window_width\": 400, \"pixels_sha256\": \"aa11\", \"sent_sha256\": \"bb22\"},"               \
  "\"model\": {\"name\": \"demo\", \"sha256\": \"0123456789abcdef\", \"engine\": \"local\","       \
  " \"template\": \"v1\"},"                                                                        \
  "\"sampling\": {\"temperature\": 0.2, \"top_p\": 0.7, \"seed\": 99},"                            \
  "\"timing\": {\"first_token_s\": 0.5, \"answer_tokens\": 5, \"decode_tokens_per_s\": 20}}"

static JsonNode *
turn_new(const char *question)
{
  g_autofree char *text = g_strdup_printf(TURN, question);
  g_autoptr(GError) error = NULL;
  JsonNode *node = json_from_string(text, &error);

  g_assert_no_error(error);
  return node;
}

/* Asks about ABOUT and has it answered. */
static DesktopTurnRow *
talk(Fixture *f, const char *text, DesktopAbout *about, DesktopTurnRow *instead_of)
{
  g_autoptr(DesktopQuestion) question = desktop_question_new(text, APP_LENGTH_AUTO, about);
  g_autoptr(JsonNode) turn = turn_new(text);
  DesktopTurnRow *row;

  question->adds = !instead_of && desktop_conversation_adds(f->conversation);
  row = desktop_conversation_add_turn(f->conversation, question, instead_of);
  desktop_conversation_finish_turn(f->conversation, row, turn);
  return row;
}

static GtkWidget *
row_part(DesktopTurnRow *row, const char *name)
{
  return GTK_WIDGET(gtk_widget_get_template_child(GTK_WIDGET(row), DESKTOP_TYPE_TURN_ROW, name));
}

static guint
n_children(GtkWidget *widget)
{
  guint n = 0;

  for (GtkWidget *c = gtk_widget_get_first_child(widget); c; c = gtk_widget_get_next_sibling(c)) {
    n++;
  }
  return n;
}

/* ---- a row ---------------------------------------------------------------------------------- */

static void
test_row_text(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopQuestion) question = desktop_question_new("Why?", APP_LENGTH_AUTO, f->first);
  g_autoptr(GtkWidget) widget = g_object_ref_sink(desktop_turn_row_new(question));
  DesktopTurnRow *row = DESKTOP_TURN_ROW(widget);

  desktop_turn_row_set_phase(row, "image", 1, 2);
  g_assert_nonnull(strstr(gtk_label_get_text(row->phase), "50"));
  desktop_turn_row_set_phase(row, "image", 0, 0);
  desktop_turn_row_set_phase(row, "prompt", 0, 0);
  desktop_turn_row_append(row, "a\xe2\x82", 3); /* two thirds of a euro sign */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a");
  g_assert_nonnull(strstr(gtk_label_get_text(row->phase), "first word after"));
  desktop_turn_row_append(row, "\xac!", 2);
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a\u20ac!");
  desktop_turn_row_append(row, "\xff\xff\xff\xff<b>", 7); /* never a character, and no markup */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a\u20ac!\ufffd\ufffd\ufffd\ufffd<b>");
}

/* While one waits: the stage, how much of it is done, and when it will be. */
static void
test_waiting(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopQuestion) question = desktop_question_new("Why?", APP_LENGTH_AUTO, f->first);
  g_autoptr(GtkWidget) widget = g_object_ref_sink(desktop_turn_row_new(question));
  DesktopTurnRow *row = DESKTOP_TURN_ROW(widget);
  const gint64 seconds = G_USEC_PER_SEC;

  desktop_turn_row_set_phase(row, "image", 0, 10);
  g_assert_cmpstr(gtk_label_get_text(row->phase), ==, "Encoding the picture… 0 %");
  row->started -= 4 * seconds; /* so long ago */
  row->stage_started -= 4 * seconds;
  desktop_turn_row_set_phase(row, "image", 4, 10);
  g_assert_cmpstr(gtk_label_get_text(row->phase), ==,
                  "Encoding the picture… 40 % · about 6 s more");
  /* Another stage has a pace of its own, which is not known at once. */
  desktop_turn_row_set_phase(row, "prompt", 0, 8);
  g_assert_cmpstr(gtk_label_get_text(row->phase), ==, "Reading the question… 0 % · 4 s");
  row->stage_started -= 2 * seconds;
  desktop_turn_row_set_phase(row, "prompt", 4, 8);
  g_assert_cmpstr(gtk_label_get_text(row->phase), ==,
                  "Reading the question… 50 % · first word in about 2 s");
  desktop_turn_row_append(row, "So", 2);
  g_assert_nonnull(strstr(gtk_label_get_text(row->phase), "first word after"));
}

static void
count_change(GtkLabel *label, GParamSpec *spec, guint *n)
{
  (*n)++;
}

/* However fast the text comes, the label changes at a pace that can be read. */
static void
test_pace(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopQuestion) question = desktop_question_new("Why?", APP_LENGTH_AUTO, f->first);
  DesktopTurnRow *row = desktop_conversation_add_turn(f->conversation, question, NULL);
  gint64 begin = g_get_monotonic_time();
  guint n = 0, most;

  g_signal_connect(row->answer, "notify::label", G_CALLBACK(count_change), &n);
  for (guint i = 0; i < 200; i++) {
    desktop_turn_row_append(row, "word ", 5);
    g_usleep(1000);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
  }
  most = (guint)((g_get_monotonic_time() - begin) * 15 / G_USEC_PER_SEC) + 2;
  g_assert_cmpuint(n, >=, 1);
  g_assert_cmpuint(n, <=, most);
  g_assert_cmpuint(strlen(desktop_turn_row_get_answer(row)), ==, 1000);
}

static void
test_sure(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = talk(f, "What?", f->first, NULL);
  const char *unsure = "The model was unsure of: “nodule” 40 %, “maybe” 10 %, “.” 70 %";
  PangoAttrList *list;
  GSList *attributes;

  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(row->legend)));
  gtk_widget_activate_action(GTK_WIDGET(row), "conversation.show-sure", NULL);
  g_assert_true(gtk_widget_get_visible(GTK_WIDGET(row->legend)));
  list = gtk_label_get_attributes(row->answer);
  attributes = pango_attr_list_get_attributes(list);
  g_assert_cmpuint(g_slist_length(attributes), ==, 3); /* nodule, maybe, and the full stop */
  g_assert_cmpint(((PangoAttrInt *)attributes->data)->value, ==, PANGO_UNDERLINE_DOUBLE);
  g_assert_cmpuint(((PangoAttribute *)attributes->data)->start_index, ==, 2); /* not the space */
  g_assert_cmpuint(((PangoAttribute *)attributes->data)->end_index, ==, 8);
  g_assert_cmpint(((PangoAttrInt *)attributes->next->data)->value, ==, PANGO_UNDERLINE_ERROR);
  g_assert_cmpint(((PangoAttrInt *)attributes->next->next->data)->value, ==,
                  PANGO_UNDERLINE_SINGLE);
  g_slist_free_full(attributes, (GDestroyNotify)pango_attribute_destroy);
  gtk_test_accessible_assert_property(row->answer, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, unsure);
  gtk_widget_activate_action(GTK_WIDGET(row), "conversation.show-sure", NULL);
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(row->legend)));
}

/* Pieces that are not the answer say nothing of it. */
static void
test_sure_of_other(Fixture *f, gconstpointer data)
{
  g_autoptr(DesktopQuestion) question = desktop_question_new("?", APP_LENGTH_AUTO, f->first);
  g_autoptr(JsonNode) turn =
      json_from_string("{\"answer\": \"No.\", \"question\": \"?\", \"tokens\":"
                       " [{\"text\": \"Yes.\", \"p\": 0.1}, 3, null]}",
                       NULL);
  DesktopTurnRow *row = desktop_conversation_add_turn(f->conversation, question, NULL);

  desktop_conversation_finish_turn(f->conversation, row, turn);
  desktop_turn_row_set_sure(row, TRUE);
  g_assert_null(row->pieces);
  g_assert_nonnull(strstr(gtk_label_get_text(row->legend), "not known"));
}

static void
test_details(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = talk(f, "What?", f->first, NULL);
  g_autofree char *text = desktop_turn_row_details_text(row);

  g_assert_nonnull(strstr(gtk_label_get_text(row->provenance), "CT 1/30"));
  g_assert_nonnull(strstr(gtk_label_get_text(row->provenance), "demo 01234567"));
  g_assert_null(strstr(gtk_label_get_text(row->provenance), "0123456789abcdef"));
  g_assert_nonnull(strstr(text, "/a/one.dcm"));
  g_assert_nonnull(strstr(text, "0123456789abcdef"));
  g_assert_nonnull(strstr(text, "Seed: 99"));
  g_assert_nonnull(strstr(text, "Template: v1"));
  g_assert_nonnull(strstr(text, "temperature 0.2, top-p 0.7"));
  hands_click(row->details_button);
  wait_until(gtk_revealer_get_child_revealed(row->details));
  hands_click(row->details_button);
  wait_until(!gtk_widget_get_visible(GTK_WIDGET(row->details)));
}

static void
test_verdict(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = talk(f, "What?", f->first, NULL);
  GtkWidget *bar = GTK_WIDGET(row->verdict), *reject, *editor;
  g_autoptr(JsonNode) verdict =
      json_from_string("{\"verdict\": \"edited\", \"text\": \"No nodule.\", \"by\": \"anna\","
                       " \"time\": \"2026-01-02T03:04:05Z\"}",
                       NULL);

  reject = GTK_WIDGET(gtk_widget_get_template_child(bar, DESKTOP_TYPE_VERDICT_BAR, "reject"));
  editor = GTK_WIDGET(gtk_widget_get_template_child(bar, DESKTOP_TYPE_VERDICT_BAR, "editor"));
  hands_click(reject);
  wait_until(f->heard->len > 0);
  g_assert_cmpstr(f->heard->str, ==, "judge 2 -;");
  g_string_truncate(f->heard, 0);
  desktop_verdict_bar_edit(row->verdict);
  wait_until(gtk_widget_get_mapped(editor));
  hands("key", "ctrl+a", "type", "--delay", "5", "No nodule.");
  hands("key", "ctrl+Return");
  wait_until(f->heard->len > 0);
  g_assert_cmpstr(f->heard->str, ==, "judge 1 No nodule.;");
  desktop_turn_row_take_verdict(row, json_node_get_object(verdict));
  g_assert_true(g_str_has_prefix(desktop_verdict_bar_get_text(row->verdict), "Edited by anna, "));
  /* Both are in sight, each for what it is. */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "A nodule, maybe.");
  g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(
                      gtk_widget_get_template_child(bar, DESKTOP_TYPE_VERDICT_BAR, "edited"))),
                  ==, "No nodule.");
}

static void
test_checks(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = talk(f, "What?", f->first, NULL);
  g_autoptr(JsonNode) blank =
      json_from_string("{\"check\": \"blank\", \"answers\": [{\"answer\": \"A nodule.\"}],"
                       " \"same\": true, \"agreement\": 1, \"depends_on_image\": false}",
                       NULL);
  g_autoptr(JsonNode) seeds = json_from_string(
      "{\"check\": \"seeds\", \"answers\": [{\"answer\": \"x\"}, {\"answer\": \"y\"},"
      " {\"answer\": \"z\"}], \"same\": false, \"agreement\": 0.25}",
      NULL);

  gtk_widget_activate_action(GTK_WIDGET(row), "turn.check-blank", NULL);
  gtk_widget_activate_action(GTK_WIDGET(row), "turn.check-seeds", NULL);
  g_assert_cmpstr(f->heard->str, ==, "check 0;check 1;");
  desktop_turn_row_set_checking(row, TRUE);
  g_assert_true(gtk_widget_get_visible(row->check_box));
  desktop_turn_row_take_check(row, json_node_get_object(blank), NULL);
  g_assert_nonnull(strstr(gtk_label_get_text(row->check), "Does not depend on the picture"));
  desktop_turn_row_set_checking(row, TRUE);
  g_assert_nonnull(strstr(gtk_label_get_text(row->check), "Does not depend on the picture"));
  desktop_turn_row_take_check(row, json_node_get_object(seeds), NULL);
  g_assert_nonnull(strstr(gtk_label_get_text(row->check), "Does not depend on the picture"));
  g_assert_nonnull(strstr(gtk_label_get_text(row->check), "25 %"));
  g_assert_nonnull(strstr(gtk_label_get_text(row->others), "3. z"));
  g_assert_true(gtk_widget_get_visible(row->check_icon));
  /* One that was stopped leaves no trace. */
  desktop_turn_row_set_checking(row, TRUE);
  desktop_turn_row_take_check(row, NULL, NULL);
  g_assert_false(gtk_widget_get_visible(row->check_spinner));
}

/* ---- asking --------------------------------------------------------------------------------- */

static void
test_keys(Fixture *f, gconstpointer data)
{
  g_autofree char *left = NULL;

  desktop_conversation_focus_entry(f->conversation);
  hands("key", "Return");
  hands("type", "--delay", "5", "a nodule?");
  hands("key", "shift+Return");
  hands("type", "--delay", "5", "or a mass?");
  g_assert_cmpstr(f->heard->str, ==, "");
  hands("key", "Return");
  wait_until(f->heard->len > 0);
  g_assert_cmpstr(f->heard->str, ==, "ask a nodule?\nor a mass?;");
  /* The question leaves the entry only once it is a turn. */
  talk(f, "a nodule?\nor a mass?", f->first, NULL);
  left = desktop_conversation_dup_question(f->conversation);
  g_assert_cmpstr(left, ==, "");
}

static void
test_states(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;

  desktop_conversation_set_state(c, FALSE, FALSE);
  desktop_conversation_set_question(c, "too early");
  desktop_conversation_ask(c);
  desktop_conversation_set_state(c, TRUE, FALSE);
  desktop_conversation_set_question(c, "   ");
  desktop_conversation_ask(c);
  desktop_conversation_set_state(c, TRUE, TRUE);
  g_assert_true(gtk_stack_get_visible_child(c->buttons) == c->stop);
  desktop_conversation_set_question(c, "meanwhile");
  desktop_conversation_ask(c);
  g_assert_cmpstr(f->heard->str, ==, "");
  desktop_conversation_set_state(c, TRUE, FALSE);
  gtk_widget_activate_action(GTK_WIDGET(c), "conversation.describe", "s", "brief");
  gtk_widget_activate_action(GTK_WIDGET(c), "conversation.describe", "s", "detailed");
  gtk_widget_activate_action(GTK_WIDGET(c), "conversation.describe", "s", "auto");
  g_assert_cmpstr(f->heard->str, ==, "describe 1;describe 2;describe 0;");
}

static void
test_suggestions(Fixture *f, gconstpointer data)
{
  const char *const *chest = desktop_question_suggestions("CR", "CHEST", FALSE);
  GtkWidget *button = gtk_widget_get_first_child(f->conversation->starters);

  g_assert_cmpstr(chest[0], ==, "Is this chest X-ray normal?");
  g_assert_true(desktop_question_suggestions("DX", " chest ", FALSE) == chest);
  g_assert_true(desktop_question_suggestions("DX", "FOOT", FALSE) != chest);
  g_assert_true(desktop_question_suggestions("CT", "", FALSE) !=
                desktop_question_suggestions("CT", "HEAD", FALSE));
  g_assert_nonnull(desktop_question_suggestions("", "", FALSE)[0]);
  g_assert_nonnull(desktop_question_suggestions("XX", "CHES", FALSE)[0]);
  g_assert_nonnull(strstr(desktop_question_suggestions("CT", "", TRUE)[0], "between the images"));
  hands_click(button);
  wait_until(f->heard->len > 0);
  g_assert_cmpstr(f->heard->str, ==, "ask Is there a nodule or a mass in the lungs? Where?;");
}

/* ---- what is sent --------------------------------------------------------------------------- */

static void
test_chips(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;
  DesktopImageChip *chip = DESKTOP_IMAGE_CHIP(gtk_widget_get_first_child(c->chips));

  g_assert_true(desktop_image_chip_get_about(chip) == f->first);
  g_assert_false(gtk_widget_get_visible(c->add));
  desktop_image_chip_open(chip);
  wait_until(f->heard->len > 0);
  g_assert_cmpstr(f->heard->str, ==, "look;");
  hands("key", "Escape");
  talk(f, "One?", f->first, NULL);
  g_assert_cmpuint(n_children(c->chips), ==, 1);
  /* A prior is offered to a conversation about what it is the prior of. */
  g_assert_false(gtk_widget_get_mapped(c->add_prior));
  desktop_conversation_set_has_prior(c, TRUE);
  g_assert_true(gtk_widget_get_mapped(c->add_prior));
  desktop_conversation_set_has_prior(c, FALSE);
  g_assert_false(gtk_widget_get_mapped(c->add_prior));
  /* Another image: a conversation of its own, unless it is added. */
  desktop_conversation_set_about(c, f->second);
  g_assert_cmpuint(n_children(c->chips), ==, 1);
  g_assert_true(gtk_widget_get_visible(c->add));
  g_assert_false(desktop_conversation_adds(c));
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(c->add), TRUE);
  g_assert_cmpuint(n_children(c->chips), ==, 2);
  talk(f, "Two?", f->second, NULL);
  g_assert_cmpuint(n_children(GTK_WIDGET(c->list)), ==, 2); /* no line between */
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 2);
  g_assert_false(desktop_conversation_adds(c));
  /* Back at the first: known. */
  desktop_conversation_set_about(c, f->first);
  g_assert_cmpuint(n_children(c->chips), ==, 2);
  g_assert_false(gtk_widget_get_visible(c->add));
}

static void
test_about(Fixture *f, gconstpointer data)
{
  AppImageChoice choice = f->first->choice;
  g_autoptr(DesktopAbout) turned = NULL, same = NULL;
  g_autofree char *text = NULL;

  same = desktop_about_new(&choice, "CT 1/30", NULL, NULL, NULL, NULL);
  g_assert_true(desktop_about_same(same, f->first));
  choice.turns = 5;
  choice.flip = TRUE;
  choice.window.invert = TRUE;
  choice.region = (AppRegion){1, 2, 120, 80};
  turned = desktop_about_new(&choice, "CT 1/30", "C 40  W 400", "CT", NULL, NULL);
  g_assert_false(desktop_about_same(turned, f->first));
  g_assert_false(desktop_about_same(turned, NULL));
  text = desktop_about_text(turned);
  g_assert_cmpstr(text, ==,
                  "CT 1/30 · C 40  W 400 · region 120 × 80, turned 90°, mirrored, inverted");
}

static void
test_new_conversation(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;

  talk(f, "One?", f->first, NULL);
  talk(f, "Two?", f->second, NULL);
  g_assert_cmpuint(n_children(GTK_WIDGET(c->list)), ==, 3);
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 1);
  desktop_conversation_end(c);
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 0);
  talk(f, "Three?", f->second, NULL);
  g_assert_cmpuint(n_children(GTK_WIDGET(c->list)), ==, 5);
}

/* ---- versions ------------------------------------------------------------------------------- */

static const char *
question_at(Fixture *f, int index)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index(f->conversation->list, index);

  return row ? desktop_turn_row_get_question(DESKTOP_TURN_ROW(row)) : "";
}

static void
test_versions(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;
  DesktopTurnRow *one = talk(f, "One?", f->first, NULL), *two = talk(f, "Two?", f->first, NULL);
  DesktopTurnRow *other;

  talk(f, "Three?", f->first, NULL);
  gtk_widget_activate_action(GTK_WIDGET(two), "turn.again", NULL);
  g_assert_cmpstr(f->heard->str, ==, "again -;");
  g_assert_true(f->row == two);
  g_assert_cmpint(desktop_conversation_again_at(c, two), ==, 1);
  other = talk(f, "Two, otherwise?", f->first, two);
  g_assert_cmpstr(question_at(f, 1), ==, "Two, otherwise?");
  g_assert_cmpstr(question_at(f, 2), ==, "");
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 2);
  g_assert_cmpstr(gtk_label_get_text(other->version), ==, "2 of 2");
  hands_click(other->back);
  wait_until(g_str_equal(question_at(f, 1), "Two?"));
  g_assert_cmpstr(question_at(f, 2), ==, "Three?");
  g_assert_true(gtk_window_get_focus(GTK_WINDOW(f->window)) == two->on);
  /* The model is not there: nothing is asked, until the newest is back. */
  g_assert_true(gtk_widget_get_visible(c->earlier_box));
  desktop_conversation_set_question(c, "What?");
  f->heard = g_string_truncate(f->heard, 0);
  desktop_conversation_ask(c);
  g_assert_cmpstr(f->heard->str, ==, "");
  g_assert_cmpint(desktop_conversation_index_of(c, two), ==, -1);
  g_assert_cmpint(desktop_conversation_again_at(c, two), ==, 1);
  g_assert_cmpint(
      desktop_conversation_again_at(c, DESKTOP_TURN_ROW(gtk_list_box_get_row_at_index(c->list, 2))),
      ==, -1);
  desktop_conversation_show_live(c);
  g_assert_cmpstr(question_at(f, 1), ==, "Two, otherwise?");
  g_assert_false(gtk_widget_get_visible(c->earlier_box));
  /* A version within another, and the first turn once more: none is lost. */
  talk(f, "Four?", f->first, NULL);
  talk(f, "Two, a third time?", f->first, other);
  talk(f, "One again?", f->first, one);
  g_assert_cmpstr(question_at(f, 1), ==, "");
  desktop_conversation_switch(c, DESKTOP_TURN_ROW(gtk_list_box_get_row_at_index(c->list, 0)), -1);
  g_assert_cmpstr(question_at(f, 0), ==, "One?");
  g_assert_cmpstr(question_at(f, 1), ==, "Two, a third time?");
  desktop_conversation_switch(c, DESKTOP_TURN_ROW(gtk_list_box_get_row_at_index(c->list, 1)), -1);
  g_assert_cmpstr(question_at(f, 1), ==, "Two, otherwise?");
  g_assert_cmpstr(question_at(f, 2), ==, "Four?");
  desktop_conversation_show_live(c);
  g_assert_cmpstr(question_at(f, 0), ==, "One again?");
  g_assert_cmpstr(question_at(f, 1), ==, "");
}

static void
test_edit(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;
  DesktopTurnRow *one = talk(f, "One?", f->first, NULL);
  g_autofree char *written = NULL;

  gtk_widget_activate_action(GTK_WIDGET(one), "turn.edit", NULL);
  g_assert_true(gtk_widget_get_visible(c->editing_box));
  written = desktop_conversation_dup_question(c);
  g_assert_cmpstr(written, ==, "One?");
  hands("key", "Escape");
  wait_until(!gtk_widget_get_visible(c->editing_box));
  gtk_widget_activate_action(GTK_WIDGET(one), "turn.edit", NULL);
  hands("type", "--delay", "5", " Two?");
  hands("key", "Return");
  wait_until(f->heard->len > 0);
  g_assert_cmpstr(f->heard->str, ==, "again One? Two?;");
  g_assert_false(gtk_widget_get_visible(c->editing_box));
}

/* What came to nothing is in the list and not in the timeline. */
static void
test_failure(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;
  g_autoptr(DesktopQuestion) question = desktop_question_new("Two?", APP_LENGTH_AUTO, f->first);
  DesktopTurnRow *one = talk(f, "One?", f->first, NULL), *failed, *next;

  failed = desktop_conversation_add_turn(c, question, NULL);
  desktop_conversation_fail_turn(c, failed, "No.");
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 1);
  g_assert_cmpint(desktop_conversation_again_at(c, failed), ==, 1);
  next = talk(f, "Three?", f->first, NULL);
  g_assert_cmpint(desktop_conversation_index_of(c, one), ==, 0);
  g_assert_cmpint(desktop_conversation_index_of(c, next), ==, 1);
  g_assert_cmpint(desktop_conversation_again_at(c, next), ==, 1);
  g_assert_true(desktop_conversation_shows_live(c));
}

/* ---- reading -------------------------------------------------------------------------------- */

/* A finished answer takes the focus of an empty entry, so that it is read out; letters still go to
 * the entry. */
static void
test_announce(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;
  g_autofree char *written = NULL;
  DesktopTurnRow *row;
  GtkWidget *focus;

  desktop_conversation_focus_entry(c);
  row = talk(f, "One?", f->first, NULL);
  focus = gtk_window_get_focus(GTK_WINDOW(f->window));
  g_assert_true(focus == GTK_WIDGET(row->answer));
  hands("type", "--delay", "5", "Where?");
  wait_until(!gtk_label_get_selection_bounds(row->answer, NULL, NULL));
  wait_until((g_free(written), written = desktop_conversation_dup_question(c),
              g_str_equal(written, "Where?")));
  /* Who writes is left alone. */
  row = talk(f, "Two?", f->first, NULL);
  g_assert_true(gtk_window_get_focus(GTK_WINDOW(f->window)) != GTK_WIDGET(row->answer));
}

static void
test_stays(Fixture *f, gconstpointer data)
{
  GtkAdjustment *adjustment;

  for (guint i = 0; i < 12; i++) {
    talk(f, "A question that takes some room?", f->first, NULL);
  }
  adjustment = gtk_scrolled_window_get_vadjustment(f->conversation->scroller);
  wait_until(gtk_adjustment_get_value(adjustment) > 0 &&
             gtk_adjustment_get_value(adjustment) >= gtk_adjustment_get_upper(adjustment) -
                                                         gtk_adjustment_get_page_size(adjustment) -
                                                         1);
  /* A reader further up is not torn away by an answer that grows. */
  gtk_adjustment_set_value(adjustment, 10);
  desktop_turn_row_set_unsaved(f->conversation->live->pdata[11], "a long line of text to wrap");
  for (guint i = 0; i < 20; i++) {
    g_main_context_iteration(NULL, FALSE);
    g_usleep(5000);
  }
  g_assert_cmpfloat(gtk_adjustment_get_value(adjustment), ==, 10);
}

/* ---- the past ------------------------------------------------------------------------------- */

static void
test_past(Fixture *f, gconstpointer data)
{
  DesktopConversation *c = f->conversation;
  g_autoptr(JsonArray) turns = json_array_new();
  DesktopTurnRow *row;

  talk(f, "Now?", f->second, NULL);
  json_array_add_element(turns, turn_new("Then?"));
  json_array_add_element(turns, turn_new("And then?"));
  desktop_conversation_show_past(c, "2 January", turns);
  g_assert_true(desktop_conversation_is_past(c));
  g_assert_false(gtk_widget_get_visible(c->composer));
  row = DESKTOP_TURN_ROW(gtk_list_box_get_row_at_index(c->past_list, 1));
  g_assert_cmpstr(desktop_turn_row_get_question(row), ==, "And then?");
  g_assert_cmpstr(desktop_turn_row_get_asked(row)->about->choice.path, ==, "/a/one.dcm");
  g_assert_cmpfloat(desktop_turn_row_get_asked(row)->about->choice.window.width, ==, 400);
  desktop_conversation_leave_past(c, FALSE);
  g_assert_cmpuint(n_children(GTK_WIDGET(c->list)), ==, 1);
  desktop_conversation_show_past(c, "2 January", turns);
  desktop_conversation_set_past_state(c, TRUE, FALSE, NULL);
  g_assert_true(gtk_widget_get_sensitive(c->resume));
  desktop_conversation_leave_past(c, TRUE);
  g_assert_cmpuint(n_children(GTK_WIDGET(c->list)), ==, 4);
  g_assert_cmpuint(desktop_conversation_n_turns(c), ==, 2);
  desktop_conversation_set_about(c, f->first);
  g_assert_true(desktop_conversation_knows(c, f->first, 2));
}

/* ---- for everyone --------------------------------------------------------------------------- */

/* Nothing is wider than the narrowest pane. */
static void
test_narrow(Fixture *f, gconstpointer data)
{
  static const char *const warnings[] = {"A sentence about what speaks against it.", NULL};
  int minimum;

  talk(f, "One?", f->first, NULL);
  desktop_conversation_set_about(f->conversation, f->second);
  desktop_conversation_set_away(f->conversation, "gpu.example.hospital.org:8000");
  desktop_conversation_set_warnings(f->conversation, warnings);
  gtk_widget_measure(GTK_WIDGET(f->conversation), GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL,
                     NULL, NULL);
  g_assert_cmpint(minimum, <=, 360);
}

static void
test_names(Fixture *f, gconstpointer data)
{
  DesktopTurnRow *row = talk(f, "One?", f->first, NULL);
  GtkWidget *view = GTK_WIDGET(desktop_question_entry_get_view(f->conversation->entry));

  gtk_test_accessible_assert_role(view, GTK_ACCESSIBLE_ROLE_TEXT_BOX);
  gtk_test_accessible_assert_property(view, GTK_ACCESSIBLE_PROPERTY_LABEL, "Question");
  gtk_test_accessible_assert_property(row_part(row, "back"), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      "Earlier version");
  g_assert_cmpstr(gtk_label_get_text(f->conversation->notice), ==,
                  "Research use only. Not for clinical use");
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"row-text", test_row_text}, {"pace", test_pace},
               {"sure", test_sure},         {"sure-of-other", test_sure_of_other},
               {"details", test_details},   {"verdict", test_verdict},
               {"checks", test_checks},     {"keys", test_keys},
               {"states", test_states},     {"suggestions", test_suggestions},
               {"waiting", test_waiting},   {"chips", test_chips},
               {"about", test_about},       {"new-conversation", test_new_conversation},
               {"versions", test_versions}, {"edit", test_edit},
               {"failure", test_failure},   {"announce", test_announce},
               {"stays", test_stays},       {"past", test_past},
               {"narrow", test_narrow},     {"names", test_names}};

  /* So that accessible properties can be read without a bus. */
  g_setenv("GTK_A11Y", "test", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/conversation/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
