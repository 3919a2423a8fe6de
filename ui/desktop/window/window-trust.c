/* window-trust.c - how far an answer can be relied on: what the model saw, the same asked again,
 * and what people make of it. */
#include "window/window-private.h"

#include <glib/gi18n.h>

#include "app_person.h"

#define OTHER_SEEDS 3

/* ---- what the model sees -------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  DesktopSeen *seen;
} Looking;

static void
looking_free(Looking *looking)
{
  g_object_unref(looking->seen);
  desktop_window_end_job(looking->window);
  g_free(looking);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Looking, looking_free)

static void
on_seen(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Looking) looking = data;
  g_autoptr(GError) error = NULL;
  AppPicture *picture = app_review_seen_finish(looking->window->review, result, &error);

  if (looking->window->closed) {
    g_clear_pointer(&picture, app_picture_free);
  } else if (picture) {
    desktop_seen_take(looking->seen, picture);
    app_picture_free(picture);
  } else {
    desktop_seen_fail(looking->seen, error->message);
  }
}

static void
on_look(DesktopConversation *conversation, GObject *seen, DesktopWindow *self)
{
  Looking *looking;

  if (!self->review) {
    desktop_seen_fail(DESKTOP_SEEN(seen), _("There is no model that could see it yet."));
    return;
  }
  looking = g_new0(Looking, 1);
  desktop_window_begin_job(self);
  looking->window = self;
  looking->seen = DESKTOP_SEEN(g_object_ref(seen));
  app_review_seen_async(self->review, &desktop_seen_get_about(looking->seen)->choice, NULL, on_seen,
                        looking);
}

/* ---- the same again ------------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  DesktopTurnRow *row;
} Turning; /* of a turn that something is done with */

static Turning *
turning_new(DesktopWindow *window, DesktopTurnRow *row)
{
  Turning *turning = g_new0(Turning, 1);

  desktop_window_begin_job(window);
  turning->window = window;
  turning->row = g_object_ref(row);
  return turning;
}

static void
turning_free(Turning *turning)
{
  g_object_unref(turning->row);
  desktop_window_end_job(turning->window);
  g_free(turning);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Turning, turning_free)

static void
run_after(DesktopWindow *self)
{
  g_autoptr(GObject) holder = g_steal_pointer(&self->after_check_data);
  DesktopAfter after = self->after_check;

  self->after_check = NULL;
  if (after && !self->closed) {
    after(self, holder);
    desktop_window_update_asking(self);
  }
}

/* One that a question stopped is no news: nothing is said of it. */
static void
on_checked(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Turning) turning = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = turning->window;
  g_autoptr(JsonNode) node = app_review_check_finish(self->review, result, &error);
  gboolean stopped = g_error_matches(error, APP_ERROR, APP_ERROR_CANCELLED) ||
                     g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_clear_object(&self->checking);
  if (!self->closed) {
    desktop_turn_row_take_check(turning->row, node ? json_node_get_object(node) : NULL,
                                node || stopped ? NULL : error->message);
  }
  run_after(self);
}

void
desktop_window_check(DesktopWindow *self, DesktopTurnRow *row, AppCheck check)
{
  int index = desktop_conversation_index_of(self->conversation, row);

  if (!self->review || self->asking || self->checking || index < 0) {
    return;
  }
  self->checking = g_cancellable_new();
  desktop_turn_row_set_checking(row, TRUE);
  app_review_check_async(self->review, (guint)index, check, OTHER_SEEDS, self->checking, on_checked,
                         turning_new(self, row));
}

void
desktop_window_answered(DesktopWindow *self, DesktopTurnRow *row)
{
  /* A server is asked for nothing that nobody asked for. */
  if (desktop_conversation_get_check_blank(self->conversation) && !self->options->remote.url &&
      *desktop_turn_row_get_answer(row)) {
    desktop_window_check(self, row, APP_CHECK_BLANK);
  }
}

void
desktop_window_after_check(DesktopWindow *self, DesktopAfter after, gpointer object)
{
  g_set_object(&self->after_check_data, object);
  self->after_check = after;
  if (self->checking) {
    g_cancellable_cancel(self->checking);
    desktop_window_update_asking(self); /* nothing is asked in between */
  } else {
    run_after(self);
  }
}

static void
on_check(DesktopConversation *conversation, GObject *row, guint check, DesktopWindow *self)
{
  if (self->checking) {
    desktop_window_toast(self, _("The answer before is still being checked"));
  }
  desktop_window_check(self, DESKTOP_TURN_ROW(row), (AppCheck)check);
}

/* ---- verdicts ------------------------------------------------------------------------------- */

static void on_judge(DesktopConversation *conversation, GObject *row, guint verdict,
                     const char *text, DesktopWindow *self);

/* Somebody signed in: what they wanted to say of ROW is said now. */
static void
judge_again(DesktopWindow *self, GObject *row)
{
  on_judge(self->conversation, row, GPOINTER_TO_UINT(g_object_get_data(row, "verdict")),
           g_object_get_data(row, "verdict-text"), self);
}

static void
on_judged(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Turning) turning = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = turning->window;
  g_autoptr(JsonNode) verdict = app_review_judge_finish(self->review, result, &error);

  if (self->closed) {
    if (!verdict) {
      g_printerr("hilum-desktop: A VERDICT IS NOT IN THE LOG: %s\n", error->message);
    }
  } else if (verdict) {
    desktop_turn_row_take_verdict(turning->row, json_node_get_object(verdict));
  } else if (app_person_is_needed(error)) {
    desktop_window_update_person(self); /* who was signed in may have been removed */
    desktop_window_sign_in(self, judge_again, G_OBJECT(turning->row));
  } else {
    desktop_window_toast(self, error->message);
  }
}

static void
on_judge(DesktopConversation *conversation, GObject *row, guint verdict, const char *text,
         DesktopWindow *self)
{
  DesktopTurnRow *turn = DESKTOP_TURN_ROW(row);

  if (!self->review) {
    desktop_window_toast(self, _("There is no model yet, and so no log to keep a verdict in"));
    return;
  }
  g_object_set_data(row, "verdict", GUINT_TO_POINTER(verdict));
  g_object_set_data_full(row, "verdict-text", g_strdup(text), g_free);
  app_review_judge_async(self->review, desktop_turn_row_get_id(turn), (AppVerdict)verdict, text,
                         on_judged, turning_new(self, turn));
}

void
desktop_window_trust_setup(DesktopWindow *self)
{
  GSettings *settings = self->settings ? desktop_settings_peek(self->settings) : NULL;

  g_signal_connect(self->conversation, "look", G_CALLBACK(on_look), self);
  g_signal_connect(self->conversation, "check", G_CALLBACK(on_check), self);
  g_signal_connect(self->conversation, "judge", G_CALLBACK(on_judge), self);
  if (settings) {
    g_settings_bind(settings, DESKTOP_SETTING_PROBABILITIES, self->conversation, "show-sure",
                    G_SETTINGS_BIND_DEFAULT);
    g_settings_bind(settings, DESKTOP_SETTING_BLANK_CHECK, self->conversation, "check-blank",
                    G_SETTINGS_BIND_DEFAULT);
  }
}
