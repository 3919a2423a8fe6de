/* window-ask.c - the model, and questions to it. */
#include "window/window-private.h"

#include <string.h>

/* LLaVA-Med's own demo samples with these. */
#define TEMPERATURE 0.2
#define TOP_P 0.7

/* ---- beforehand --------------------------------------------------------------------------- */

/* Hands that leaf through images with the entry in focus go on before this many ms. */
#define PREPARE_MS 250

static gboolean
prepare(gpointer data)
{
  DesktopWindow *self = data;
  AppImageChoice image;

  self->preparing_soon = 0;
  if (self->review && !self->asking &&
      desktop_viewport_get_choice(desktop_window_viewport(self), &image)) {
    app_review_prepare(self->review, &image);
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
  if (desktop_viewport_get_slice(desktop_window_viewport(self)) &&
      !desktop_viewport_is_playing(desktop_window_viewport(self)) &&
      desktop_conversation_is_approached(self->conversation)) {
    self->preparing_soon = g_timeout_add(PREPARE_MS, prepare, self);
  } else {
    app_review_prepare(self->review, NULL);
  }
}

void
desktop_window_update_asking(DesktopWindow *self)
{
  g_autofree char *subject = desktop_window_subject(self);
  g_autofree char *text = subject ? g_strdup_printf("About %s", subject) : NULL;
  gboolean can_ask = self->review && subject;
  GtkWidget *widget = GTK_WIDGET(self);

  desktop_conversation_set_state(self->conversation, can_ask, self->asking != NULL);
  /* A disabled action leaves its key to others: Escape closes a popover, too. */
  gtk_widget_action_set_enabled(widget, "win.stop", self->asking != NULL);
  gtk_widget_action_set_enabled(widget, "win.describe", can_ask && !self->asking);
  gtk_widget_action_set_enabled(widget, "win.new-conversation",
                                self->asked_path != NULL && !self->asking);
  desktop_conversation_set_subject(self->conversation, text);
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
  } else {
    g_autofree char *text = g_strdup_printf("There is no model to ask: %s\n\nImages can be viewed "
                                            "all the same. “hilum-desktop --model PATH” starts "
                                            "with another model.",
                                            error->message);
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
  g_return_if_fail(!self->loading && !self->review);
  desktop_window_begin_job(self);
  self->loading = g_cancellable_new();
  desktop_conversation_set_model_status(self->conversation, "Loading the model…", TRUE, FALSE);
  app_review_new_async(self->options, self->loading, on_loaded, self);
}

/* ---- questions ---------------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  DesktopTurnRow *row;
  char *question; /* NULL: describe */
} Asking;

static void
asking_free(Asking *asking)
{
  g_object_unref(asking->row);
  desktop_window_end_job(asking->window);
  g_free(asking->question);
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

  if (self->closed) {
    if (!saved) {
      g_printerr("hilum-desktop: AN ANSWER IS NOT IN THE LOG: %s\n", error->message);
    }
  } else if (saved) {
    desktop_conversation_mark_saved(self->conversation);
  } else {
    desktop_turn_row_set_unsaved(asking->row, error->message);
  }
  end_asking(self);
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
      desktop_turn_row_finish(asking->row, turn);
    }
    /* The next question waits for it, and so does a new conversation: the review is busy. */
    app_review_save_async(self->review, on_saved, g_steal_pointer(&asking));
    return;
  }
  if (!self->closed) {
    gboolean stopped = g_cancellable_is_cancelled(self->asking);
    desktop_turn_row_fail(asking->row,
                          stopped ? "Stopped before there was an answer." : error->message);
    if (!stopped && asking->question) {
      desktop_conversation_give_back(self->conversation, asking->question);
    }
  }
  end_asking(self);
}

static gboolean
same_window(const AppWindow *a, const AppWindow *b)
{
  return a->set == b->set && a->lut == b->lut && a->invert == b->invert &&
         (!a->set || a->lut || (a->center == b->center && a->width == b->width));
}

/* Another picture, or another window on it, begins another conversation: the model sees one picture
 * in each. The list says where. */
static void
mark_conversation(DesktopWindow *self, const AppImageChoice *choice, const char *subject)
{
  gboolean same = self->asked_path && strcmp(self->asked_path, choice->path) == 0 &&
                  self->asked_frame == choice->frame &&
                  same_window(&self->asked_window, &choice->window);

  if (!same) {
    g_autofree char *text = g_strdup_printf("New conversation · %s", subject);
    /* Nothing comes before the first. */
    if (self->has_asked) {
      desktop_conversation_add_divider(self->conversation, text);
    }
    self->has_asked = TRUE;
    g_free(self->asked_path);
    self->asked_path = g_strdup(choice->path);
    self->asked_frame = choice->frame;
    self->asked_window = choice->window;
  }
}

/* Frames count from 0, as on the command line and in the log. */
static char *
subject_in_full(const AppImageChoice *image, const char *subject)
{
  g_autofree char *name = g_path_get_basename(image->path);
  g_autofree char *shown = g_filename_display_name(name);

  return g_strdup_printf("%s · %s, frame %u", subject, shown, image->frame);
}

void
desktop_window_ask(DesktopWindow *self, const char *question)
{
  g_autofree char *subject = desktop_window_subject(self);
  g_autofree char *full = NULL;
  AppImageChoice image;
  AppQuestion ask;
  AppListener listener;
  Asking *asking;

  if (!self->review || self->asking ||
      !desktop_viewport_get_choice(desktop_window_viewport(self), &image)) {
    return;
  }
  ask = (AppQuestion){.question = question,
                      .image = &image,
                      .sampling = {TEMPERATURE, TOP_P, g_random_int(), 0, APP_MOST_LOOKUP}};
  full = subject_in_full(&image, subject);
  mark_conversation(self, &image, subject);
  desktop_window_begin_job(self);
  asking = g_new0(Asking, 1);
  asking->window = self;
  asking->question = g_strdup(question);
  asking->row = g_object_ref(desktop_conversation_add_turn(
      self->conversation, question ? question : "Describe the image.", full));
  self->asking = g_cancellable_new();
  listener = (AppListener){on_text, on_progress, asking};
  app_review_ask_async(self->review, &ask, &listener, self->asking, on_answered, asking);
  desktop_window_update_asking(self);
}

void
desktop_window_stop(DesktopWindow *self)
{
  if (self->asking) {
    g_cancellable_cancel(self->asking);
  }
}

void
desktop_window_new_conversation(DesktopWindow *self)
{
  if (self->asking || !self->review || !self->asked_path) {
    return;
  }
  app_review_reset(self->review);
  g_clear_pointer(&self->asked_path, g_free);
  desktop_window_update_asking(self);
  desktop_window_toast(self, "The next question begins a new conversation");
  desktop_conversation_focus_entry(self->conversation);
}

static void
on_ask(DesktopConversation *conversation, const char *question, DesktopWindow *self)
{
  desktop_window_ask(self, question);
}

static void
on_describe(DesktopConversation *conversation, DesktopWindow *self)
{
  desktop_window_ask(self, NULL);
}

void
desktop_window_ask_setup(DesktopWindow *self)
{
  g_signal_connect(self->conversation, "ask", G_CALLBACK(on_ask), self);
  g_signal_connect(self->conversation, "describe", G_CALLBACK(on_describe), self);
  g_signal_connect_swapped(self->conversation, "stop", G_CALLBACK(desktop_window_stop), self);
  g_signal_connect_swapped(self->conversation, "begin-anew",
                           G_CALLBACK(desktop_window_new_conversation), self);
  g_signal_connect_swapped(self->conversation, "approached", G_CALLBACK(prepare_soon), self);
  desktop_window_update_asking(self);
}
