/* window-view.c - which image is shown, and how.
 *
 * One view is rendered at a time, and only the newest wish waits: a fast wheel or drag skips what
 * nobody would see. Each view that arrives is shown, so that a drag moves even when it outruns the
 * renderer.
 */
#include "window/window-private.h"

/* Hands that go farther at once go on in no direction. */
#define MAX_STEPS 10

typedef struct {
  DesktopWindow *window;
  GCancellable *cancellable; /* tells which study it was for */
  AppWindow wanted;
} Viewing;

static void
viewing_free(Viewing *viewing)
{
  desktop_window_end_job(viewing->window);
  g_object_unref(viewing->cancellable);
  g_free(viewing);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Viewing, viewing_free)

char *
desktop_window_subject(DesktopWindow *self)
{
  const AppView *view = desktop_viewer_get_view(self->viewer);
  g_autofree char *window = desktop_viewer_window_text(view);

  if (!view) {
    return NULL;
  }
  return g_strdup_printf("%s%s%s", view->label, *window ? " · " : "", window);
}

static void
show_corners(DesktopWindow *self)
{
  const AppView *view = desktop_viewer_get_view(self->viewer);
  const AppLetters none = {"", "", "", ""}, *letters = view ? &view->letters : &none;
  g_autofree char *window = desktop_viewer_window_text(view);

  gtk_label_set_text(self->corner_label, view ? view->label : "");
  gtk_label_set_text(self->corner_window, window);
  gtk_label_set_text(self->letter_left, letters->left);
  gtk_label_set_text(self->letter_right, letters->right);
  gtk_label_set_text(self->letter_top, letters->top);
  gtk_label_set_text(self->letter_bottom, letters->bottom);
  desktop_conversation_set_warnings(self->conversation,
                                    view ? (const char *const *)view->warnings : NULL);
}

static void
show_in_place(DesktopWindow *self, const char *text)
{
  gtk_label_set_text(self->view_error, text);
  gtk_widget_set_visible(GTK_WIDGET(self->view_error), *text != '\0');
}

/* The old picture must not stand where another was asked for. */
static void
show_view_error(DesktopWindow *self, const char *message)
{
  g_autofree char *text = g_strdup_printf("Image %u of %u cannot be shown\n\n%s", self->index + 1,
                                          desktop_window_series_info(self)->n_images, message);

  desktop_viewer_take_view(self->viewer, NULL);
  show_in_place(self, text);
}

static void request_view(DesktopWindow *self);

static void
on_view(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Viewing) viewing = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = viewing->window;
  AppView *view = app_study_view_finish(self->study, result, &error);

  if (self->closed || viewing->cancellable != self->viewing) {
    g_clear_pointer(&view, app_view_free);
    return;
  }
  self->view_busy = FALSE;
  if (view) {
    self->shown = viewing->wanted;
    show_in_place(self, "");
    desktop_viewer_take_view(self->viewer, view);
  } else if (!self->view_again) {
    show_view_error(self, error->message);
  }
  show_corners(self);
  desktop_window_update_asking(self);
  if (self->view_again) {
    request_view(self);
  }
}

static void
request_view(DesktopWindow *self)
{
  Viewing *viewing;

  self->view_again = self->view_busy;
  if (self->view_busy || !desktop_window_series_info(self)) {
    return;
  }
  self->view_busy = TRUE;
  viewing = g_new0(Viewing, 1);
  desktop_window_begin_job(self);
  viewing->window = self;
  viewing->cancellable = g_object_ref(self->viewing);
  viewing->wanted = self->wanted;
  app_study_view_async(self->study, self->series, self->index,
                       self->wanted.set ? &self->wanted : NULL, self->viewing, on_view, viewing);
}

/* ---- series ------------------------------------------------------------------------------- */

const AppSeriesInfo *
desktop_window_series_info(DesktopWindow *self)
{
  return self->study && self->series < app_study_n_series(self->study)
             ? app_study_series(self->study, self->series)
             : NULL;
}

void
desktop_window_go_to(DesktopWindow *self, guint index, int direction)
{
  self->index = index;
  app_study_focus(self->study, self->series, index, direction);
  request_view(self);
}

void
desktop_window_select_series(DesktopWindow *self, guint series)
{
  const AppSeriesInfo *info;

  g_return_if_fail(self->study && series < app_study_n_series(self->study));
  desktop_window_pause(self);
  info = app_study_series(self->study, series);
  self->series = series;
  self->wanted = (AppWindow){0};
  adw_window_title_set_title(self->title, info->title);
  adw_window_title_set_subtitle(self->title, info->subtitle);
  desktop_window_go_to(self, 0, 1);
  desktop_window_update_play(self);
}

static void
on_progress(const AppStudyProgress *progress, gpointer data)
{
  DesktopWindow *self = data;
  guint n = progress->n_ready + progress->n_failed;

  gtk_progress_bar_set_fraction(self->progress, (double)n / MAX(progress->n_images, 1));
  gtk_widget_set_visible(GTK_WIDGET(self->progress),
                         progress->is_loading && progress->n_images > 1);
}

static void
forget_study(DesktopWindow *self)
{
  if (self->viewing) {
    g_cancellable_cancel(self->viewing);
    g_clear_object(&self->viewing);
  }
  desktop_window_pause(self);
  desktop_window_close_saver(self);
  self->view_busy = FALSE;
  desktop_viewer_take_view(self->viewer, NULL);
  show_in_place(self, "");
  gtk_widget_set_visible(GTK_WIDGET(self->progress), FALSE);
  show_corners(self);
  g_clear_pointer(&self->study, app_study_free);
}

void
desktop_window_take_study(DesktopWindow *self, AppStudy *study)
{
  forget_study(self);
  self->viewing = g_cancellable_new();
  self->study = study;
  self->series = self->index = 0;
  app_study_set_listener(study, on_progress, self);
  desktop_window_fill_pane(self); /* which selects the first series */
  if (app_study_n_series(study) == 0) {
    adw_window_title_set_subtitle(self->title, app_study_summary(study));
    show_in_place(self, "There is no image here, only documents.");
  }
  desktop_window_update_play(self);
  gtk_widget_grab_focus(GTK_WIDGET(self->viewer));
  desktop_window_update_asking(self);
}

/* ---- hands -------------------------------------------------------------------------------- */

static void
on_step(DesktopViewer *viewer, int steps, DesktopWindow *self)
{
  const AppSeriesInfo *info = desktop_window_series_info(self);
  gint64 index;

  if (!info) {
    return;
  }
  desktop_window_pause(self);
  index = CLAMP((gint64)self->index + steps, 0, (gint64)info->n_images - 1);
  if (index != self->index) {
    gboolean is_jump = steps > MAX_STEPS || steps < -MAX_STEPS;

    desktop_window_go_to(self, (guint)index, is_jump ? 0 : steps > 0 ? 1 : -1);
  }
}

static void
on_window_changed(DesktopViewer *viewer, double center, double width, DesktopWindow *self)
{
  self->wanted = (AppWindow){.set = TRUE, .center = center, .width = width};
  request_view(self);
}

static void
on_window_reset(DesktopViewer *viewer, DesktopWindow *self)
{
  self->wanted = (AppWindow){0};
  request_view(self);
}

void
desktop_window_view_setup(DesktopWindow *self)
{
  g_signal_connect(self->viewer, "step", G_CALLBACK(on_step), self);
  g_signal_connect(self->viewer, "window-changed", G_CALLBACK(on_window_changed), self);
  g_signal_connect(self->viewer, "window-reset", G_CALLBACK(on_window_reset), self);
  g_signal_connect_swapped(self->viewer, "play", G_CALLBACK(desktop_window_play), self);
  g_signal_connect_swapped(self->play, "clicked", G_CALLBACK(desktop_window_play), self);
}
