/* window-ask.c - the model, and questions to it. */
#include "window/window-private.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "strip/strip-item.h"

/* LLaVA-Med's own demo samples with these. */
#define TEMPERATURE 0.2
#define TOP_P 0.7

/* ---- what is on the screen ----------------------------------------------------------------- */

/* Which of several studies of the patient, too. g_free(). */
static char *
label_shown(DesktopWindow *self, const AppSliceFacts *facts)
{
  const AppSeriesInfo *info = app_study_series(self->study, facts->series);
  g_autofree char *date = desktop_strip_date(info->study_date);
  gboolean others = FALSE;

  for (guint i = 0; i < app_study_n_series(self->study) && !others; i++) {
    const AppSeriesInfo *other = app_study_series(self->study, i);
    others = other->patient == info->patient && other->study != info->study;
  }
  return others && *date ? g_strdup_printf("%s · %s", facts->label, date) : g_strdup(facts->label);
}

/* A reference, or NULL. */
static DesktopAbout *
about_shown(DesktopWindow *self)
{
  DesktopViewport *viewport = desktop_window_viewport(self);
  AppSlice *slice = desktop_viewport_get_slice(viewport);
  const AppSliceFacts *facts = slice ? app_slice_facts(slice) : NULL;
  g_autofree char *window = NULL, *label = NULL;
  AppImageChoice choice;

  if (!facts || !desktop_viewport_get_choice(viewport, &choice)) {
    return NULL;
  }
  window = desktop_viewport_asked_window_text(viewport);
  label = label_shown(self, facts);
  return desktop_about_new(&choice, label, window, facts->modality, facts->body_part,
                           (const char *const *)facts->warnings);
}

/* What is told of the screen may come late, a question must not. */
static void
look(DesktopWindow *self)
{
  g_autoptr(DesktopAbout) was = self->about;
  guint series = desktop_viewport_get_series(desktop_window_viewport(self));
  gboolean adds = desktop_conversation_adds(self->conversation) && self->looked == series;

  self->about = about_shown(self);
  if (was && self->about && desktop_about_same(was, self->about)) {
    desktop_about_unref(self->about);
    self->about = g_steal_pointer(&was);
  }
  desktop_conversation_set_about(self->conversation, self->about);
  /* Who wants to add an image may still look for the right one of its series. */
  if (self->about && (adds || self->adding == series)) {
    desktop_conversation_set_adds(self->conversation, TRUE);
    self->adding = G_MAXUINT;
  }
  self->looked = series;
}

/* ---- beforehand --------------------------------------------------------------------------- */

/* Hands that leaf through images with the entry in focus go on before this many ms. */
#define PREPARE_MS 250

static gboolean
prepare(gpointer data)
{
  DesktopWindow *self = data;

  self->preparing_soon = 0;
  look(self);
  if (self->about && self->review && !self->asking) {
    app_review_prepare(self->review, &self->about->choice);
  }
  return G_SOURCE_REMOVE;
}

/* What is on the screen will be asked about, or something else will: either way the model goes to
 * work on nothing else. */
static void
prepare_soon(DesktopWindow *self)
{
  g_clear_handle_id(&self->preparing_soon, g_source_remove);
  if (self->closed || !self->review || self->asking) {
    return;
  }
  look(self);
  if (self->about && !desktop_viewport_is_playing(desktop_window_viewport(self)) &&
      desktop_conversation_is_approached(self->conversation)) {
    self->preparing_soon = g_timeout_add(PREPARE_MS, prepare, self);
  } else {
    app_review_prepare(self->review, NULL);
  }
}

void
desktop_window_update_asking(DesktopWindow *self)
{
  gboolean can_ask;
  GtkWidget *widget = GTK_WIDGET(self);

  look(self);
  can_ask = self->review && self->about && !self->resuming && !self->after_check;
  desktop_conversation_set_state(self->conversation, can_ask, self->asking != NULL);
  /* A disabled action leaves its key to others: Escape closes a popover, too. */
  gtk_widget_action_set_enabled(widget, "win.stop", self->asking != NULL);
  gtk_widget_action_set_enabled(widget, "win.describe", can_ask && !self->asking);
  gtk_widget_action_set_enabled(widget, "win.new-conversation",
                                !self->asking &&
                                    desktop_conversation_n_turns(self->conversation) > 0);
  desktop_window_update_compare(self);
  prepare_soon(self);
}

/* ---- the model ---------------------------------------------------------------------------- */

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
  DesktopWindow *self = data;
  g_autoptr(GError) error = NULL;
  AppReview *review = app_review_new_finish(result, &error);

  g_clear_object(&self->loading);
  if (self->closed) {
    g_clear_pointer(&review, app_review_free);
  } else if (review) {
    self->review = review;
    desktop_conversation_set_model_status(self->conversation, NULL, FALSE, FALSE);
    desktop_window_update_log(self);
  } else if (desktop_window_log_is_locked(self, error) ||
             desktop_window_log_is_faulty(self, error)) {
    desktop_window_load_model(self); /* without it */
  } else {
    g_autofree char *text = g_strdup_printf(
        _("There is no model to ask: %s\n\nImages can be viewed all the same."), error->message);
    desktop_conversation_set_model_status(self->conversation, text, FALSE, TRUE);
  }
  if (!self->closed) {
    desktop_window_update_asking(self);
  }
  desktop_window_end_job(self);
}

void
desktop_window_load_model(DesktopWindow *self)
{
  AppReviewOptions options = *self->options;

  g_return_if_fail(!self->loading && !self->review);
  options.no_log = options.no_log || self->locked || self->fault != APP_LOG_SOUND;
  desktop_window_begin_job(self);
  self->loading = g_cancellable_new();
  desktop_conversation_set_model_status(self->conversation, _("Loading the model…"), TRUE, FALSE);
  app_review_new_async(&options, self->loading, on_loaded, self);
}

/* ---- questions ---------------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  DesktopTurnRow *row;
} Asking;

static void
asking_free(Asking *asking)
{
  g_object_unref(asking->row);
  desktop_window_end_job(asking->window);
  g_free(asking);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asking, asking_free)

static void
on_text(const char *bytes, gsize length, gpointer data)
{
  Asking *asking = data;

  if (!asking->window->closed) {
    desktop_turn_row_append(asking->row, bytes, length);
  }
}

static void
on_progress(const char *phase, guint done, guint total, gpointer data)
{
  Asking *asking = data;

  if (!asking->window->closed) {
    desktop_turn_row_set_phase(asking->row, phase, done, total);
  }
}

static void
end_asking(DesktopWindow *self)
{
  g_clear_object(&self->asking);
  if (!self->closed) {
    desktop_window_update_asking(self);
  }
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Asking) asking = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = asking->window;
  gboolean saved = app_review_save_finish(result, &error);
  gint64 conversation = saved ? app_review_saved_conversation(result) : 0;

  if (self->closed) {
    if (!saved) {
      g_printerr("hilum-desktop: AN ANSWER IS NOT IN THE LOG: %s\n", error->message);
    }
  } else if (saved) {
    desktop_conversation_mark_saved(self->conversation);
    desktop_turn_row_set_conversation(asking->row, conversation);
    desktop_history_refresh(self->history);
  } else {
    desktop_turn_row_set_unsaved(asking->row, error->message);
  }
  end_asking(self);
  if (saved && !self->closed) {
    desktop_window_answered(self, asking->row);
  }
}

/* A timeline without turns knows no image any more: the next question brings its own. */
static void
fail(DesktopWindow *self, DesktopTurnRow *row, const char *message)
{
  gboolean stopped = g_cancellable_is_cancelled(self->asking);
  const DesktopQuestion *asked = desktop_turn_row_get_asked(row);

  desktop_conversation_fail_turn(self->conversation, row,
                                 stopped ? _("Stopped before there was an answer.") : message);
  if (desktop_conversation_n_turns(self->conversation) == 0) {
    app_review_reset(self->review);
  }
  if (!stopped && asked->text) {
    desktop_conversation_give_back(self->conversation, asked->text);
  }
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Asking) asking = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = asking->window;
  g_autoptr(JsonNode) turn = app_review_ask_finish(self->review, result, &error);

  if (turn) {
    if (!self->closed) {
      desktop_conversation_finish_turn(self->conversation, asking->row, turn);
    }
    /* The next question waits for it, and so does a new conversation: the review is busy. */
    app_review_save_async(self->review, on_saved, g_steal_pointer(&asking));
    return;
  }
  if (!self->closed && g_error_matches(error, APP_ERROR, APP_ERROR_MODEL_LOST)) {
    fail(self, asking->row,
         _("There is no answer: the model's file was changed or cut short while it was in use. The "
           "model is being loaded again."));
    desktop_window_change_model(self);
  } else if (!self->closed) {
    fail(self, asking->row, error->message);
  }
  end_asking(self);
}

/* With the timeline where the question belongs; N turns of it come before. */
static void
send(DesktopWindow *self, DesktopQuestion *question, DesktopTurnRow *instead_of, guint n)
{
  gboolean known = n > 0 && desktop_conversation_knows(self->conversation, question->about, n);
  AppListener listener;
  AppQuestion ask;
  Asking *asking = g_new0(Asking, 1);

  question->sampling = (AppSampling){TEMPERATURE, TOP_P, g_random_int(), 0, APP_MOST_LOOKUP};
  question->adds = n > 0 && !known && (question->adds || instead_of);
  ask = (AppQuestion){.question = question->text,
                      .image = known ? NULL : &question->about->choice,
                      .add_image = question->adds,
                      .sampling = question->sampling,
                      .length = question->length};
  desktop_window_begin_job(self);
  asking->window = self;
  asking->row =
      g_object_ref(desktop_conversation_add_turn(self->conversation, question, instead_of));
  self->asking = g_cancellable_new();
  listener = (AppListener){on_text, on_progress, asking};
  app_review_ask_async(self->review, &ask, &listener, self->asking, on_answered, asking);
  desktop_window_update_asking(self);
}

static void
ask_again(DesktopWindow *self, GObject *row)
{
  g_autoptr(DesktopQuestion) question = g_object_steal_data(row, "again");
  int n = desktop_conversation_again_at(self->conversation, DESKTOP_TURN_ROW(row));
  g_autoptr(GError) error = NULL;

  if (!question || n < 0 || self->asking) {
    return;
  }
  if (app_review_rewind(self->review, (guint)n, &error)) {
    send(self, question, DESKTOP_TURN_ROW(row), (guint)n);
  } else {
    desktop_window_toast(self, error->message);
  }
}

static void
question_free(gpointer question)
{
  desktop_question_free(question);
}

static void
ask_in_full(DesktopWindow *self, DesktopQuestion *question, DesktopTurnRow *instead_of)
{
  if (!self->review || self->asking || self->resuming || self->after_check) {
    return;
  }
  if (instead_of) {
    g_object_set_data_full(G_OBJECT(instead_of), "again", desktop_question_copy(question),
                           question_free);
    desktop_window_after_check(self, ask_again, instead_of);
  } else {
    send(self, question, NULL, desktop_conversation_n_turns(self->conversation));
  }
}

/* ---- a warning before ---------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  DesktopQuestion *question;
  DesktopTurnRow *instead_of; /* or NULL */
} Doubt;

static void
doubt_free(gpointer data)
{
  Doubt *doubt = data;

  desktop_question_free(doubt->question);
  g_clear_object(&doubt->instead_of);
  g_free(doubt);
}

static void
on_doubt(AdwMessageDialog *dialog, const char *response, Doubt *doubt)
{
  DesktopWindow *self = doubt->window;

  if (g_str_equal(response, "ask") && !self->closed) {
    g_hash_table_add(self->warned, g_strdup(doubt->question->about->choice.path));
    ask_in_full(self, doubt->question, doubt->instead_of);
  } else if (doubt->question->text && !self->closed) {
    desktop_conversation_give_back(self->conversation, doubt->question->text);
  }
}

/* The model was never trained on such an image: once for each, the user says whether to go on. */
static void
ask_with_care(DesktopWindow *self, const DesktopQuestion *question, DesktopTurnRow *instead_of)
{
  const DesktopAbout *about = question->about;
  Doubt *doubt = g_new0(Doubt, 1);
  g_autofree char *text = NULL;
  GtkWidget *dialog;

  doubt->window = self;
  doubt->question = desktop_question_copy(question);
  doubt->instead_of = instead_of ? g_object_ref(instead_of) : NULL;
  if (!about->warnings[0] || g_hash_table_contains(self->warned, about->choice.path)) {
    ask_in_full(self, doubt->question, instead_of);
    doubt_free(doubt);
    return;
  }
  text = g_strjoinv("\n\n", about->warnings);
  dialog = adw_message_dialog_new(GTK_WINDOW(self), _("Ask About This Image?"), text);
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "ask",
                                   _("_Ask All the Same"), NULL);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  g_object_set_data_full(G_OBJECT(dialog), "doubt", doubt, doubt_free);
  g_signal_connect(dialog, "response", G_CALLBACK(on_doubt), doubt);
  gtk_window_present(GTK_WINDOW(dialog));
}

static void
begin(DesktopWindow *self, const char *text, AppLength length)
{
  g_autoptr(DesktopQuestion) question = NULL;

  look(self);
  if (self->about && self->review && !self->asking && !self->after_check) {
    question = desktop_question_new(text, length, self->about);
    question->adds = desktop_conversation_adds(self->conversation);
    ask_with_care(self, question, NULL);
  }
}

void
desktop_window_ask(DesktopWindow *self, const char *question)
{
  begin(self, question, APP_LENGTH_AUTO);
}

void
desktop_window_describe(DesktopWindow *self, AppLength length)
{
  begin(self, NULL, length);
}

void
desktop_window_stop(DesktopWindow *self)
{
  if (self->asking) {
    g_cancellable_cancel(self->asking);
  }
}

static void
begin_anew(DesktopWindow *self, GObject *nothing)
{
  if (self->asking || !self->review) {
    return;
  }
  app_review_reset(self->review);
  desktop_conversation_end(self->conversation);
  desktop_window_update_asking(self);
  desktop_window_toast(self, _("The next question begins a new conversation"));
  desktop_conversation_focus_entry(self->conversation);
}

void
desktop_window_new_conversation(DesktopWindow *self)
{
  if (self->asking || !self->review || desktop_conversation_n_turns(self->conversation) == 0) {
    return;
  }
  desktop_window_after_check(self, begin_anew, NULL);
}

/* ---- what the conversation asks for --------------------------------------------------------- */

static void
on_ask(DesktopConversation *conversation, const char *question, DesktopWindow *self)
{
  desktop_window_ask(self, question);
}

static void
on_describe(DesktopConversation *conversation, guint length, DesktopWindow *self)
{
  desktop_window_describe(self, (AppLength)length);
}

static void
on_ask_again(DesktopConversation *conversation, DesktopTurnRow *row, const char *text,
             DesktopWindow *self)
{
  g_autoptr(DesktopQuestion) question = desktop_question_copy(desktop_turn_row_get_asked(row));

  if (text) {
    g_free(question->text);
    question->text = g_strdup(text);
  }
  ask_with_care(self, question, row);
}

void
desktop_window_ask_setup(DesktopWindow *self)
{
  self->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_signal_connect(self->conversation, "ask", G_CALLBACK(on_ask), self);
  g_signal_connect(self->conversation, "describe", G_CALLBACK(on_describe), self);
  g_signal_connect(self->conversation, "ask-again", G_CALLBACK(on_ask_again), self);
  g_signal_connect_swapped(self->conversation, "stop", G_CALLBACK(desktop_window_stop), self);
  g_signal_connect_swapped(self->conversation, "begin-anew",
                           G_CALLBACK(desktop_window_new_conversation), self);
  g_signal_connect_swapped(self->conversation, "approached", G_CALLBACK(prepare_soon), self);
  desktop_window_update_asking(self);
}
