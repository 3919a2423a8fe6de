/* window-compare.c - the same part of the same patient at an earlier time, beside what is shown.
 *
 * Two examinations have no frame of reference in common. They are linked from where they stand:
 * `anchors` are the images that count as one place, and from there both go on by mm along the
 * stack. Who turns linking off, moves one and turns it on again has aligned them by eye.
 */
#include <glib/gi18n.h>
#include <string.h>

#include "window/window-private.h"

/* ---- which ---------------------------------------------------------------------------------- */

typedef struct {
  guint current, prior; /* series */
} Pair;

static gboolean
is_beside(DesktopWindow *self, const Pair *pair)
{
  return desktop_window_n_panes(self) > 1 &&
         desktop_viewport_get_series(self->panes[0]) == pair->current &&
         desktop_viewport_get_series(self->panes[1]) == pair->prior;
}

/* What the active pane would be compared with; FALSE: with nothing. */
static gboolean
find_pair(DesktopWindow *self, Pair *pair)
{
  guint series =
      self->study ? desktop_viewport_get_series(desktop_window_viewport(self)) : G_MAXUINT;

  if (series == G_MAXUINT) {
    return FALSE;
  }
  pair->current = series;
  pair->prior =
      desktop_hang_prior(self->study, series, app_study_series(self->study, series)->study);
  if (pair->prior == G_MAXUINT) { /* it may be the oldest itself */
    pair->prior = series;
    pair->current = desktop_hang_latest(self->study, series);
  }
  return pair->current != G_MAXUINT;
}

/* The one before that which is there already; after the oldest the newest again. */
static void
go_back_in_time(DesktopWindow *self, Pair *pair)
{
  guint shown = desktop_viewport_get_series(self->panes[1]), older;

  if (desktop_window_n_panes(self) < 2 || shown == G_MAXUINT ||
      desktop_viewport_get_series(self->panes[0]) != pair->current || self->active != 0) {
    return;
  }
  older =
      desktop_hang_prior(self->study, pair->current, app_study_series(self->study, shown)->study);
  if (older != G_MAXUINT && is_beside(self, &(Pair){pair->current, shown})) {
    pair->prior = older;
  }
}

/* ---- side by side --------------------------------------------------------------------------- */

void
desktop_window_anchor(DesktopWindow *self)
{
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    self->anchors[i].series = desktop_viewport_get_series(self->panes[i]);
    self->anchors[i].index = desktop_viewport_get_index(self->panes[i]);
  }
}

gboolean
desktop_window_goes_along(DesktopWindow *self, guint pane, guint index, guint *found)
{
  guint series = desktop_viewport_get_series(desktop_window_viewport(self));
  guint other = desktop_viewport_get_series(self->panes[pane]);
  const AppSeriesInfo *a, *b;

  if (series == G_MAXUINT || other == G_MAXUINT || self->anchors[self->active].series != series ||
      self->anchors[pane].series != other) {
    return FALSE;
  }
  a = app_study_series(self->study, series);
  b = app_study_series(self->study, other);
  return a->patient == b->patient && a->study != b->study &&
         strcmp(a->modality, b->modality) == 0 &&
         app_study_along(self->study, series, self->anchors[self->active].index, index, other,
                         self->anchors[pane].index, found);
}

static void
put_beside(DesktopWindow *self, const Pair *pair)
{
  DesktopViewport *current = self->panes[0], *prior = self->panes[1];
  DesktopViewport *active = desktop_window_viewport(self);
  AppWindow window;

  if (desktop_viewport_get_series(active) == pair->current && active != current) {
    desktop_viewport_set_series(current, pair->current, desktop_viewport_get_index(active));
  } else if (desktop_viewport_get_series(current) != pair->current) {
    desktop_viewport_set_series(current, pair->current, 0);
  }
  desktop_viewport_set_series(prior, pair->prior,
                              app_study_beside(self->study, pair->current,
                                               desktop_viewport_get_index(current), pair->prior));
  /* Only one grey scale for both lets greys be compared; HU mean the same in both. */
  if (strcmp(app_study_series(self->study, pair->current)->modality, "CT") == 0 &&
      desktop_viewport_get_window(current, &window)) {
    desktop_viewport_set_window(prior, &window);
  }
  desktop_window_set_layout(self, 2, 1);
  desktop_window_anchor(self);
}

static void
on_compare(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  Pair pair;

  if (!find_pair(self, &pair)) {
    desktop_window_toast(self,
                         _("There is no earlier study of the same part of this patient here"));
    return;
  }
  go_back_in_time(self, &pair);
  put_beside(self, &pair);
  gtk_widget_grab_focus(GTK_WIDGET(self->panes[0]));
  desktop_window_picked(self);
}

/* ---- the conversation ----------------------------------------------------------------------- */

static gboolean
is_in_conversation(DesktopWindow *self, guint wanted)
{
  g_autoptr(GPtrArray) images = desktop_conversation_images(self->conversation);
  guint series, index;

  for (guint i = 0; i < images->len; i++) {
    const DesktopAbout *about = images->pdata[i];

    if (app_study_find(self->study, about->choice.path, about->choice.frame, &series, &index) &&
        series == wanted) {
      return TRUE;
    }
  }
  return FALSE;
}

/* The prior of what the conversation is about comes on the screen, and the next question adds it.
 */
static void
on_add_prior(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  Pair pair;

  if (!find_pair(self, &pair)) {
    desktop_window_toast(self,
                         _("There is no earlier study of the same part of this patient here"));
    return;
  }
  if (!is_beside(self, &pair)) {
    put_beside(self, &pair);
  }
  gtk_widget_grab_focus(GTK_WIDGET(self->panes[1]));
  desktop_window_picked(self);
  if (desktop_conversation_n_turns(self->conversation) == 0) {
    desktop_window_toast(self, _("A conversation begins with one image; others can join it then"));
    return;
  }
  self->adding = pair.prior;
  gtk_widget_set_visible(self->side_pane, TRUE);
  gtk_stack_set_visible_child_name(self->side, "conversation");
  desktop_window_update_asking(self);
  desktop_conversation_focus_entry(self->conversation);
}

void
desktop_window_update_compare(DesktopWindow *self)
{
  Pair pair = {G_MAXUINT, G_MAXUINT};
  gboolean has_prior = find_pair(self, &pair);
  guint shown =
      self->study ? desktop_viewport_get_series(desktop_window_viewport(self)) : G_MAXUINT;

  gtk_widget_set_visible(self->compare, has_prior);
  desktop_conversation_set_has_prior(self->conversation, has_prior && shown != pair.prior &&
                                                             !is_in_conversation(self, pair.prior));
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
on_linked(DesktopWindow *self)
{
  if (self->linked) {
    desktop_window_anchor(self);
  }
}

void
desktop_window_compare_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  gtk_widget_class_bind_template_child(class, DesktopWindow, compare);
  gtk_widget_class_install_action(class, "image.compare", NULL, on_compare);
  gtk_widget_class_install_action(class, "image.add-prior", NULL, on_add_prior);
}

void
desktop_window_compare_setup(DesktopWindow *self)
{
  self->adding = self->looked = G_MAXUINT;
  g_signal_connect(self, "notify::linked", G_CALLBACK(on_linked), NULL);
}
