/* window-history.c - a past conversation: read, its image shown again, gone on with. */
#include "window/window-private.h"

#include <glib/gi18n.h>

#include "app_note.h"

/* ---- its image ------------------------------------------------------------------------------ */

static void
show_choice(DesktopWindow *self, const AppImageChoice *choice, guint series, guint index)
{
  DesktopViewport *viewport = desktop_window_viewport(self);
  const AppPlacement placement = {.turns = choice->turns, .flip = choice->flip};

  desktop_viewport_set_series(viewport, series, index);
  desktop_viewport_set_window(viewport, &choice->window);
  desktop_viewport_set_placement(viewport, &placement);
}

void
desktop_window_show_wanted(DesktopWindow *self)
{
  guint series, index;

  if (self->wanted && self->study &&
      app_study_find(self->study, self->wanted->choice.path, self->wanted->choice.frame, &series,
                     &index)) {
    g_autoptr(DesktopAbout) about = g_steal_pointer(&self->wanted);
    show_choice(self, &about->choice, series, index);
  }
}

void
desktop_window_show_about(DesktopWindow *self, DesktopAbout *about)
{
  g_clear_pointer(&self->wanted, desktop_about_unref);
  self->wanted = desktop_about_ref(about);
  desktop_window_show_wanted(self);
  if (!self->wanted) {
    return;
  }
  if (!g_file_test(about->choice.path, G_FILE_TEST_EXISTS)) {
    g_clear_pointer(&self->wanted, desktop_about_unref);
    desktop_window_toast(self, _("The file of that image is no longer there"));
    return;
  }
  desktop_window_open_around(self, about->choice.path, about->choice.frame);
}

/* ---- opening -------------------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  gint64 id;
  char *title;
} Past;

static Past *
past_new(DesktopWindow *window, gint64 id, const char *title)
{
  Past *past = g_new0(Past, 1);

  desktop_window_begin_job(window);
  past->window = window;
  past->id = id;
  past->title = g_strdup(title);
  return past;
}

static void
past_free(Past *past)
{
  desktop_window_end_job(past->window);
  g_free(past->title);
  g_free(past);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Past, past_free)

void
desktop_window_update_past(DesktopWindow *self, const char *message)
{
  desktop_conversation_set_past_state(self->conversation,
                                      self->review && !self->asking && !self->resuming,
                                      self->resuming != NULL, message);
}

static void
on_shown(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Past) past = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_history_show_finish(result, &error);
  DesktopWindow *self = past->window;
  DesktopAbout *about;

  if (self->closed) {
    return;
  }
  if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
    desktop_window_toast(self, error ? error->message : _("That conversation cannot be read"));
    return;
  }
  app_notes_viewed(self->options->notes, "conversation", past->id, NULL);
  self->past_id = past->id;
  gtk_stack_set_visible_child_name(self->side, "conversation");
  desktop_conversation_show_past(self->conversation, past->title, json_node_get_array(node));
  desktop_window_update_past(self, NULL);
  about = desktop_conversation_past_about(self->conversation);
  if (about && !desktop_about_same(about, self->about)) {
    desktop_window_show_about(self, about);
  }
}

void
desktop_window_open_past(DesktopWindow *self, gint64 id, const char *title)
{
  app_history_show_async(self->options->log_path, id, NULL, on_shown, past_new(self, id, title));
}

static void
on_chosen(DesktopHistory *history, gint64 id, const char *title, DesktopWindow *self)
{
  desktop_window_open_past(self, id, title);
}

/* ---- going on ------------------------------------------------------------------------------- */

static void
on_resumed(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Past) past = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = past->window;
  gboolean ok = app_review_resume_finish(self->review, result, &error);

  g_clear_object(&self->resuming);
  if (self->closed) {
    return;
  }
  if (ok) {
    desktop_conversation_leave_past(self->conversation, TRUE);
  } else {
    desktop_window_update_past(self, error->message);
  }
  desktop_window_update_asking(self);
}

static void
resume(DesktopWindow *self, GObject *nothing)
{
  if (self->review && !self->asking && !self->resuming &&
      desktop_conversation_is_past(self->conversation)) {
    self->resuming = g_cancellable_new();
    desktop_window_update_past(self, NULL);
    /* Its timeline is gone either way: what is asked next brings its image. */
    desktop_conversation_end(self->conversation);
    app_review_resume_async(self->review, self->past_id, self->resuming, on_resumed,
                            past_new(self, self->past_id, NULL));
    desktop_window_update_asking(self);
  }
}

static void
on_resume(DesktopConversation *conversation, DesktopWindow *self)
{
  desktop_window_after_check(self, resume, NULL);
}

/* ---- another version ------------------------------------------------------------------------ */

static void
on_gone_back(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Past) past = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = past->window;
  gboolean ok = app_review_resume_finish(self->review, result, &error);

  g_clear_object(&self->resuming);
  if (self->closed) {
    return;
  }
  if (ok) {
    desktop_conversation_take_shown(self->conversation);
    desktop_conversation_focus_entry(self->conversation);
  } else {
    desktop_window_toast(self, error->message);
    if (app_review_turns(self->review) == 0) { /* its timeline was given up for nothing */
      desktop_conversation_end(self->conversation);
    }
  }
  desktop_window_update_asking(self);
}

static void
go_back_to_shown(DesktopWindow *self, GObject *nothing)
{
  gint64 id = desktop_conversation_shown_id(self->conversation);

  if (self->review && !self->asking && !self->resuming && id != 0) {
    self->resuming = g_cancellable_new();
    app_review_resume_async(self->review, id, self->resuming, on_gone_back,
                            past_new(self, id, NULL));
    desktop_window_update_asking(self);
  }
}

static void
on_go_on_here(DesktopConversation *conversation, DesktopWindow *self)
{
  desktop_window_after_check(self, go_back_to_shown, NULL);
}

static void
on_leave(DesktopConversation *conversation, DesktopWindow *self)
{
  if (self->resuming) {
    g_cancellable_cancel(self->resuming);
    return;
  }
  desktop_conversation_leave_past(self->conversation, FALSE);
  desktop_window_toggle_history(self);
}

static void
on_show_about(DesktopConversation *conversation, gpointer about, DesktopWindow *self)
{
  desktop_window_show_about(self, about);
}

void
desktop_window_toggle_history(DesktopWindow *self)
{
  gboolean is_shown = g_str_equal(gtk_stack_get_visible_child_name(self->side), "history");

  gtk_stack_set_visible_child_name(self->side, is_shown ? "conversation" : "history");
  if (is_shown) {
    desktop_conversation_focus_entry(self->conversation);
  } else {
    app_notes_viewed(self->options->notes, "list", 0, NULL);
    desktop_history_refresh(self->history);
    desktop_history_focus(self->history);
  }
}

void
desktop_window_history_setup(DesktopWindow *self)
{
  g_signal_connect(self->history, "chosen", G_CALLBACK(on_chosen), self);
  g_signal_connect(self->conversation, "resume", G_CALLBACK(on_resume), self);
  g_signal_connect(self->conversation, "go-on-here", G_CALLBACK(on_go_on_here), self);
  g_signal_connect(self->conversation, "leave-past", G_CALLBACK(on_leave), self);
  g_signal_connect(self->conversation, "show-about", G_CALLBACK(on_show_about), self);
}
