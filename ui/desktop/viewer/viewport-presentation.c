/* viewport-presentation.c - presentation states: which of them are about the image, and which one
 * it is shown by. */
#include "viewer/viewport-private.h"

#include <glib/gi18n.h>
#include <string.h>

#include "app_presentation.h"

static gboolean
refers(DesktopViewport *self, guint presentation)
{
  return self->drawn && app_study_presentation_refers(self->study, presentation, self->drawn_series,
                                                      self->drawn_index);
}

void
desktop_viewport_count_presentations(DesktopViewport *self)
{
  guint n = app_study_n_presentations(self->study);

  self->n_presentations = 0;
  for (guint i = 0; i < n; i++) {
    self->n_presentations += refers(self, i);
  }
}

guint
desktop_viewport_get_presentation(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), 0);
  return self->presentation;
}

/* Grey scale and place are the state's then, or the image's again. */
void
desktop_viewport_set_presentation(DesktopViewport *self, guint presentation)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  if (self->presentation == presentation || !self->study ||
      presentation > app_study_n_presentations(self->study)) {
    return;
  }
  self->presentation = presentation;
  desktop_viewport_reset(self);
  g_object_notify(G_OBJECT(self), "presentation");
}

void
desktop_viewport_next_presentation(DesktopViewport *self)
{
  guint n = self->study ? app_study_n_presentations(self->study) : 0;

  for (guint next = self->presentation + 1; next <= n; next++) {
    if (refers(self, next - 1)) {
      desktop_viewport_set_presentation(self, next);
      return;
    }
  }
  desktop_viewport_set_presentation(self, 0);
}

/* ---- in words ----------------------------------------------------------------------------- */

/* By the locale; what is no date is left out. g_free(). */
static char *
date_text(const char *date)
{
  g_autoptr(GDateTime) day = NULL;
  int year, month, of_month;

  if (strlen(date) != 8 || strspn(date, "0123456789") != 8) {
    return g_strdup("");
  }
  of_month = (int)g_ascii_strtoll(date, NULL, 10);
  year = of_month / 10000;
  month = of_month / 100 % 100;
  day = g_date_time_new_local(year, month, of_month % 100, 0, 0, 0);
  return day ? g_date_time_format(day, "%x") : g_strdup("");
}

char *
desktop_viewport_presentation_name(DesktopViewport *self, guint presentation)
{
  const AppPresentation *info;
  g_autofree char *date = NULL;
  GString *text;

  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self) && presentation > 0, NULL);
  if (!refers(self, presentation - 1)) {
    return NULL;
  }
  info = app_study_presentation(self->study, presentation - 1);
  date = date_text(info->date);
  text = g_string_new(NULL);
  if (*info->creator) {
    /* Translators: a person, who has saved a presentation state */
    g_string_append_printf(text, _("As saved by %s"), info->creator);
  } else if (!*info->name) {
    g_string_append_printf(text, _("Presentation state %u"), presentation);
  }
  if (*info->name) {
    g_string_append_printf(text, "%s%s", text->len > 0 ? " · " : "", info->name);
  }
  if (*date) {
    g_string_append_printf(text, " · %s", date);
  }
  return g_string_free(text, FALSE);
}

char *
desktop_viewport_presentation_line(DesktopViewport *self)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  if (!facts || facts->presentation || self->n_presentations == 0) {
    return NULL;
  }
  return g_strdup_printf(
      ngettext("%u presentation state", "%u presentation states", self->n_presentations),
      self->n_presentations);
}
