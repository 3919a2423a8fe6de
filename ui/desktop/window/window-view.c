/* window-view.c - the study that is open, and what the rest of the window says of it. */
#include "window/window-private.h"

#include <glib/gi18n.h>

/* A scroll or a drag changes what is shown in every frame; words follow it so often. */
#define TELL_MS 100

char *
desktop_window_subject(DesktopWindow *self)
{
  return desktop_viewport_subject(desktop_window_viewport(self));
}

const AppSeriesInfo *
desktop_window_series_info(DesktopWindow *self)
{
  return desktop_viewport_get_info(desktop_window_viewport(self));
}

/* ---- telling the others ------------------------------------------------------------------- */

static void
show_title(DesktopWindow *self)
{
  const AppSeriesInfo *info = desktop_window_series_info(self);

  if (info) {
    adw_window_title_set_title(self->title, info->title);
    adw_window_title_set_subtitle(self->title, info->subtitle);
  }
}

static void
tell(DesktopWindow *self)
{
  AppSlice *slice = desktop_viewport_get_slice(desktop_window_viewport(self));

  desktop_conversation_set_warnings(
      self->conversation, slice ? (const char *const *)app_slice_facts(slice)->warnings : NULL);
  desktop_window_update_asking(self);
  desktop_window_update_tools(self);
  desktop_window_update_tags(self);
}

static gboolean
on_tell(gpointer data)
{
  DesktopWindow *self = data;

  self->telling = 0;
  if (self->tell_again) {
    self->tell_again = FALSE;
    self->telling = g_timeout_add(TELL_MS, on_tell, self);
    tell(self);
  }
  return G_SOURCE_REMOVE;
}

void
desktop_window_shown(DesktopWindow *self)
{
  if (self->closed) {
    return;
  }
  if (self->telling) {
    self->tell_again = TRUE;
  } else {
    self->telling = g_timeout_add(TELL_MS, on_tell, self);
    tell(self);
  }
}

/* ---- studies ------------------------------------------------------------------------------ */

void
desktop_window_select_series(DesktopWindow *self, guint series)
{
  DesktopViewport *viewport = desktop_window_viewport(self);

  g_return_if_fail(self->study && series < app_study_n_series(self->study));
  if (desktop_viewport_get_series(viewport) != series) {
    desktop_viewport_set_series(viewport, series, 0);
    app_study_focus(self->study, series, 0, 1);
  }
  show_title(self);
}

void
desktop_window_picked(DesktopWindow *self)
{
  DesktopViewport *viewport = desktop_window_viewport(self);
  guint series = desktop_viewport_get_series(viewport);

  if (self->study && series != G_MAXUINT) {
    app_study_focus(self->study, series, desktop_viewport_get_index(viewport), 0);
    desktop_strip_select(self->strip, series);
    show_title(self);
  }
  desktop_window_update_output(self);
  desktop_window_shown(self);
}

static void
on_progress(const AppStudyProgress *progress, gpointer data)
{
  DesktopWindow *self = data;
  guint n = progress->n_ready + progress->n_failed;

  desktop_strip_set_progress(self->strip, progress);
  gtk_progress_bar_set_fraction(self->progress, (double)n / MAX(progress->n_images, 1));
  gtk_widget_set_visible(GTK_WIDGET(self->progress),
                         progress->is_loading && progress->n_images > 1);
}

void
desktop_window_let_go(DesktopWindow *self)
{
  g_clear_handle_id(&self->telling, g_source_remove);
  self->tell_again = FALSE;
  if (self->study) {
    g_cancellable_cancel(self->viewing);
    g_clear_object(&self->viewing);
    app_study_set_listener(self->study, NULL, NULL);
    desktop_strip_set_study(self->strip, NULL);
    if (self->tags) {
      desktop_tags_show(self->tags, NULL, 0, 0, NULL);
    }
    for (guint i = 0; i < DESKTOP_PANES; i++) {
      desktop_viewport_set_reference(self->panes[i], NULL);
      desktop_viewport_set_study(self->panes[i], NULL);
      desktop_viewport_set_message(self->panes[i], NULL);
    }
    desktop_window_note_looks(self);
  }
}

void
desktop_window_take_study(DesktopWindow *self, AppStudy *study)
{
  desktop_window_close_saver(self);
  desktop_window_let_go(self);
  desktop_annotations_clear(self->annotations);
  g_clear_pointer(&self->study, app_study_free);
  gtk_widget_set_visible(GTK_WIDGET(self->progress), FALSE);
  self->study = study;
  self->viewing = g_cancellable_new();
  app_study_set_listener(study, on_progress, self);
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    desktop_viewport_set_study(self->panes[i], study);
  }
  desktop_window_hang(self);
  desktop_window_fill_pane(self);
  if (app_study_n_series(study) == 0) {
    adw_window_title_set_subtitle(self->title, app_study_summary(study));
    desktop_viewport_set_message(desktop_window_viewport(self),
                                 _("There is no image here, only documents."));
  }
  desktop_window_picked(self);
  desktop_window_show_wanted(self);
  gtk_widget_grab_focus(GTK_WIDGET(desktop_window_viewport(self)));
}
