/* window-layout.c - panes side by side: which there are, which is the active one, and how they go
 * together. */
#include "window/window-private.h"

#include <glib/gi18n.h>
#include <stdio.h>

DesktopViewport *
desktop_window_viewport(DesktopWindow *self)
{
  return self->panes[self->active];
}

guint
desktop_window_n_panes(DesktopWindow *self)
{
  return self->columns * self->rows;
}

/* ---- going together ----------------------------------------------------------------------- */

/* Mm in the patient. */
static void
middle_of(const AppSliceFacts *facts, double point[3])
{
  const AppPlane *plane = facts->plane;
  double across = (facts->width - 1) / 2.0 * plane->spacing_x;
  double down = (facts->height - 1) / 2.0 * plane->spacing_y;

  for (int i = 0; i < 3; i++) {
    point[i] = plane->origin[i] + across * plane->row[i] + down * plane->column[i];
  }
}

/* Which image of SERIES lies where the active one does. */
static gboolean
lies_there(DesktopWindow *self, const AppSliceFacts *facts, guint series, guint *index)
{
  double point[3];

  if (!facts->plane || !facts->plane->frame_of_reference_uid) {
    return FALSE;
  }
  middle_of(facts, point);
  return app_study_nearest(self->study, series, facts->plane->frame_of_reference_uid, point, index);
}

/* Others that lie in the same space go to where the active one is, and priors along with it. */
static void
link_others(DesktopWindow *self, const AppSliceFacts *facts)
{
  for (guint i = 0; self->linked && i < desktop_window_n_panes(self); i++) {
    guint series = desktop_viewport_get_series(self->panes[i]), index;

    if (i != self->active && series != G_MAXUINT &&
        (lies_there(self, facts, series, &index) ||
         desktop_window_goes_along(self, i, facts->index, &index))) {
      desktop_viewport_follow(self->panes[i], index);
    }
  }
}

/* Whether the active pane shows another image than it did. */
static gboolean
remember_place(DesktopWindow *self, AppSlice *slice)
{
  const AppSliceFacts *facts = app_slice_facts(slice);
  gboolean moved = self->linked_series != facts->series || self->linked_index != facts->index;

  self->linked_series = facts->series;
  self->linked_index = facts->index;
  return moved;
}

static void
draw_references(DesktopWindow *self)
{
  AppSlice *slice = desktop_viewport_get_slice(desktop_window_viewport(self));

  for (guint i = 0; i < DESKTOP_PANES; i++) {
    desktop_viewport_set_reference(self->panes[i], i == self->active ? NULL : slice);
  }
}

static void
on_changed(DesktopViewport *viewport, DesktopWindow *self)
{
  AppSlice *slice = desktop_viewport_get_slice(viewport);

  desktop_window_note_looks(self);
  if (self->closed || viewport != desktop_window_viewport(self)) {
    return;
  }
  if (desktop_window_n_panes(self) > 1) {
    draw_references(self);
    /* A window or a zoom moves nobody; another slice does. */
    if (slice && remember_place(self, slice)) {
      link_others(self, app_slice_facts(slice));
    }
  }
  desktop_window_shown(self);
}

/* ---- the active one ----------------------------------------------------------------------- */

static void
frame_active(DesktopWindow *self)
{
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    desktop_viewport_set_framed(self->panes[i],
                                i == self->active && desktop_window_n_panes(self) > 1);
  }
}

static void
on_picked(DesktopViewport *viewport, DesktopWindow *self)
{
  for (guint i = 0; i < desktop_window_n_panes(self) && !self->closed; i++) {
    if (self->panes[i] == viewport && self->active != i) {
      desktop_viewport_pause(desktop_window_viewport(self));
      self->active = i;
      if (desktop_viewport_get_slice(viewport)) {
        remember_place(self, desktop_viewport_get_slice(viewport));
      }
      frame_active(self);
      draw_references(self);
      desktop_window_picked(self);
      g_object_notify(G_OBJECT(self), "invert");
      g_object_notify(G_OBJECT(self), "presentation");
    }
  }
}

static void
on_series_step(DesktopViewport *viewport, int steps, DesktopWindow *self)
{
  guint series = desktop_viewport_get_series(viewport);
  gint64 next = (gint64)series + CLAMP(steps, -1000, 1000);

  if (self->study && series != G_MAXUINT && next >= 0 && next < app_study_n_series(self->study)) {
    on_picked(viewport, self);
    desktop_window_select_series(self, (guint)next);
    desktop_window_picked(self);
  }
}

static void
on_series_dropped(DesktopViewport *viewport, guint series, DesktopWindow *self)
{
  if (self->study && series < app_study_n_series(self->study)) {
    on_picked(viewport, self);
    gtk_widget_grab_focus(GTK_WIDGET(viewport));
    desktop_window_select_series(self, series);
    desktop_window_picked(self);
  }
}

/* ---- layouts ------------------------------------------------------------------------------ */

/* A pane without a series takes the next one that is nowhere else. */
static void
fill_empty(DesktopWindow *self)
{
  guint n = self->study ? app_study_n_series(self->study) : 0;

  for (guint i = 0; i < desktop_window_n_panes(self); i++) {
    guint series = 0;

    if (n == 0 || desktop_viewport_get_series(self->panes[i]) != G_MAXUINT) {
      continue;
    }
    for (guint k = 0; k < desktop_window_n_panes(self) && series < n;) {
      gboolean taken = desktop_viewport_get_series(self->panes[k]) == series;
      series += taken;
      k = taken ? 0 : k + 1;
    }
    if (series < n) {
      desktop_viewport_set_series(self->panes[i], series, 0);
    } else {
      desktop_viewport_set_message(self->panes[i],
                                   _("Drop a series here, or click here and choose one"));
    }
  }
}

void
desktop_window_set_layout(DesktopWindow *self, guint columns, guint rows)
{
  self->columns = CLAMP(columns, 1, 2);
  self->rows = CLAMP(rows, 1, 2);
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    GtkLayoutManager *manager = gtk_widget_get_layout_manager(GTK_WIDGET(self->views));
    GtkLayoutChild *child =
        gtk_layout_manager_get_layout_child(manager, GTK_WIDGET(self->panes[i]));
    guint column = i % self->columns, row = i / self->columns;

    gtk_grid_layout_child_set_column(GTK_GRID_LAYOUT_CHILD(child), (int)column);
    gtk_grid_layout_child_set_row(GTK_GRID_LAYOUT_CHILD(child), (int)row);
    gtk_widget_set_visible(GTK_WIDGET(self->panes[i]), i < desktop_window_n_panes(self));
    if (i >= desktop_window_n_panes(self)) {
      desktop_viewport_pause(self->panes[i]);
    }
  }
  if (self->active >= desktop_window_n_panes(self)) {
    on_picked(self->panes[0], self);
  }
  fill_empty(self);
  frame_active(self);
  draw_references(self);
  desktop_window_note_looks(self);
  g_object_notify(G_OBJECT(self), "layout");
}

char *
desktop_window_get_layout(DesktopWindow *self)
{
  return g_strdup_printf("%ux%u", self->rows, self->columns);
}

/* "1x2": so many rows, so many columns; what is no layout changes nothing. */
void
desktop_window_name_layout(DesktopWindow *self, const char *name)
{
  static const struct {
    const char *name;
    guint columns, rows;
  } layouts[] = {{"1x1", 1, 1}, {"1x2", 2, 1}, {"2x1", 1, 2}, {"2x2", 2, 2}};

  for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
    if (g_strcmp0(name, layouts[i].name) == 0) {
      desktop_window_set_layout(self, layouts[i].columns, layouts[i].rows);
    }
  }
}

void
desktop_window_hang(DesktopWindow *self)
{
  g_autofree char *wanted =
      self->settings ? desktop_settings_get_text(self->settings, DESKTOP_SETTING_LAYOUT) : NULL;
  DesktopHanging hanging;

  desktop_hang(self->study, &hanging);
  self->active = 0;
  for (guint i = 0; i < hanging.n; i++) {
    desktop_viewport_set_series(self->panes[i], hanging.panes[i].series, hanging.panes[i].index);
  }
  if (hanging.n > 0) {
    app_study_focus(self->study, hanging.panes[0].series, hanging.panes[0].index, 1);
  }
  desktop_window_set_layout(self, hanging.columns, hanging.rows);
  desktop_window_name_layout(self, wanted);
  desktop_window_anchor(self);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
read_presets(DesktopWindow *self)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(self->settings);

  for (guint i = 0; i < DESKTOP_PANES; i++) {
    desktop_viewport_set_presets(self->panes[i], presets);
  }
}

static void
on_presets(GSettings *store, const char *key, DesktopWindow *self)
{
  read_presets(self);
}

void
desktop_window_layout_setup(DesktopWindow *self)
{
  g_autoptr(GError) error = NULL;

  self->settings = desktop_settings_new(&error);
  if (!self->settings) {
    g_printerr("hilum-desktop: %s\n", error->message);
  }
  self->annotations = desktop_annotations_new();
  self->linked = TRUE;
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    DesktopViewport *viewport = g_object_new(DESKTOP_TYPE_VIEWPORT, "hexpand", TRUE, "vexpand",
                                             TRUE, "visible", FALSE, NULL);

    self->panes[i] = viewport;
    gtk_grid_attach(self->views, GTK_WIDGET(viewport), 0, (int)i, 1, 1);
    desktop_viewport_set_annotations(viewport, self->annotations);
    g_signal_connect(viewport, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect(viewport, "picked", G_CALLBACK(on_picked), self);
    g_signal_connect(viewport, "series-step", G_CALLBACK(on_series_step), self);
    g_signal_connect(viewport, "series-dropped", G_CALLBACK(on_series_dropped), self);
    if (self->settings) {
      desktop_keys_attach(self->settings, GTK_WIDGET(viewport), "view.");
    }
  }
  if (self->settings) {
    read_presets(self);
    g_signal_connect_object(desktop_settings_peek(self->settings),
                            "changed::" DESKTOP_SETTING_PRESETS, G_CALLBACK(on_presets), self, 0);
  }
  desktop_window_set_layout(self, 1, 1);
}
