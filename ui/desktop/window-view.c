/* window-view.c - which image is shown, and how.
 *
 * One view is rendered at a time, and only the newest wish waits: a fast wheel or drag skips what
 * nobody would see. Each view that arrives is shown, so that a drag moves even when it outruns the
 * renderer.
 */
#include "window-private.h"

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
  g_autofree char *window = desktop_viewer_window_text(view);

  gtk_label_set_text(self->corner_label, view ? view->label : "");
  gtk_label_set_text(self->corner_window, window);
}

/* The old picture must not stand where another was asked for. */
static void
show_view_error(DesktopWindow *self, const char *message)
{
  const AppSeriesInfo *info = app_study_series(self->study, self->series);
  g_autofree char *text = g_strdup_printf("Image %u of %u cannot be shown\n\n%s", self->index + 1,
                                          info->n_images, message);

  desktop_viewer_take_view(self->viewer, NULL);
  gtk_label_set_text(self->view_error, text);
  gtk_widget_set_visible(GTK_WIDGET(self->view_error), TRUE);
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
    gtk_widget_set_visible(GTK_WIDGET(self->view_error), FALSE);
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
  if (self->view_busy || !self->study) {
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

void
desktop_window_select_series(DesktopWindow *self, guint series)
{
  const AppSeriesInfo *info;

  g_return_if_fail(self->study && series < app_study_n_series(self->study));
  info = app_study_series(self->study, series);
  self->series = series;
  self->index = 0;
  self->wanted = (AppWindow){0};
  adw_window_title_set_title(self->title, info->title);
  adw_window_title_set_subtitle(self->title, info->subtitle);
  request_view(self);
}

static void
on_series_selected(GtkListBox *list, GtkListBoxRow *row, DesktopWindow *self)
{
  if (row && self->study) {
    desktop_window_select_series(self, (guint)gtk_list_box_row_get_index(row));
  }
}

static GtkWidget *
series_row(const AppSeriesInfo *info)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *title = gtk_label_new(info->title);
  GtkWidget *subtitle = gtk_label_new(info->subtitle);

  gtk_label_set_ellipsize(GTK_LABEL(title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_tooltip_text(title, info->title);
  gtk_label_set_ellipsize(GTK_LABEL(subtitle), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_label_set_xalign(GTK_LABEL(subtitle), 0);
  gtk_widget_add_css_class(subtitle, "dim-label");
  gtk_widget_add_css_class(subtitle, "caption");
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), subtitle);
  return box;
}

static void
fill_series(DesktopWindow *self)
{
  guint n = app_study_n_series(self->study);
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self->series_list)))) {
    gtk_list_box_remove(self->series_list, child);
  }
  for (guint i = 0; i < n; i++) {
    gtk_list_box_append(self->series_list, series_row(app_study_series(self->study, i)));
  }
  gtk_widget_set_visible(self->series_pane, n > 1);
}

static void
show_refused(DesktopWindow *self)
{
  guint n_refused = 0, n_shown = 0;
  const char *why = app_study_refused(self->study, &n_refused);
  g_auto(GStrv) reasons = g_strsplit(why, "\n", -1);
  g_autofree char *spaced = g_strjoinv("\n\n", reasons);
  g_autofree char *label = NULL;

  for (guint i = 0; i < app_study_n_series(self->study); i++) {
    n_shown += app_study_series(self->study, i)->n_images;
  }
  label = g_strdup_printf("%u image%s shown, %u file%s refused", n_shown, n_shown == 1 ? "" : "s",
                          n_refused, n_refused == 1 ? "" : "s");
  gtk_menu_button_set_label(self->refused_button, label);
  gtk_label_set_text(self->refused_text, spaced);
  gtk_widget_set_visible(GTK_WIDGET(self->refused_button), n_refused > 0);
}

void
desktop_window_take_study(DesktopWindow *self, AppStudy *study)
{
  if (self->viewing) {
    g_cancellable_cancel(self->viewing);
    g_clear_object(&self->viewing);
  }
  self->viewing = g_cancellable_new();
  self->view_busy = FALSE;
  desktop_viewer_take_view(self->viewer, NULL);
  gtk_widget_set_visible(GTK_WIDGET(self->view_error), FALSE);
  show_corners(self);
  g_clear_pointer(&self->study, app_study_free);
  self->study = study;
  fill_series(self);
  show_refused(self);
  gtk_list_box_select_row(self->series_list, gtk_list_box_get_row_at_index(self->series_list, 0));
  gtk_widget_grab_focus(GTK_WIDGET(self->viewer));
  desktop_window_update_asking(self);
}

/* ---- hands -------------------------------------------------------------------------------- */

static void
on_step(DesktopViewer *viewer, int steps, DesktopWindow *self)
{
  gint64 last, index;

  if (!self->study) {
    return;
  }
  last = (gint64)app_study_series(self->study, self->series)->n_images - 1;
  index = CLAMP((gint64)self->index + steps, 0, last);
  if (index != self->index) {
    self->index = (guint)index;
    request_view(self);
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
  g_signal_connect(self->series_list, "row-selected", G_CALLBACK(on_series_selected), self);
}
