/* turn-answer.c - a row while one waits for its answer, and while that grows. */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/turn-row-private.h"

/* Text that changes more often is no easier to read, and costs a layout each time. */
#define FLUSH_US (G_USEC_PER_SEC / 15)
#define CLOCK_MS 500
/* A wait that is shorter needs no watch. */
#define SHORT_S 1.5
/* Of a stage: what less of it tells of its end is a guess. */
#define TELLING_SHARE 0.1

/* ---- waiting ------------------------------------------------------------------------------ */

/* How long the present stage goes on at the pace that it had; negative: nobody knows. */
static double
seconds_left(DesktopTurnRow *self)
{
  double passed = (double)(g_get_monotonic_time() - self->stage_started) / G_USEC_PER_SEC;
  double took = (double)(self->stage_told - self->stage_started) / G_USEC_PER_SEC;

  if (self->stage_share < TELLING_SHARE || took < SHORT_S / 2) {
    return -1;
  }
  return MAX(took / self->stage_share - passed, 1);
}

static void
show_phase(DesktopTurnRow *self)
{
  double left = seconds_left(self);
  double waited = (double)(g_get_monotonic_time() - self->started) / G_USEC_PER_SEC;
  double first = (double)(self->first_text - self->started) / G_USEC_PER_SEC;
  g_autofree char *text = NULL;

  if (self->first_text > 0) {
    text = g_strdup_printf(_("%s · first word after %.1f s"), self->phase_text, first);
  } else if (waited >= SHORT_S && left > 0 && self->stage == 'p') {
    text = g_strdup_printf(_("%s · first word in about %.0f s"), self->phase_text, left);
  } else if (waited >= SHORT_S && left > 0) {
    text = g_strdup_printf(_("%s · about %.0f s more"), self->phase_text, left);
  } else if (waited >= SHORT_S) {
    text = g_strdup_printf(_("%s · %.0f s"), self->phase_text, waited);
  } else {
    text = g_strdup(self->phase_text);
  }
  gtk_label_set_text(self->phase, text);
}

static gboolean
on_clock(gpointer data)
{
  show_phase(data);
  return G_SOURCE_CONTINUE;
}

void
desktop_turn_row_start_clock(DesktopTurnRow *self)
{
  self->started = g_get_monotonic_time();
  self->phase_text = g_strdup(_("Waiting for the model…"));
  self->clock = g_timeout_add(CLOCK_MS, on_clock, self);
  show_phase(self);
}

void
desktop_turn_row_stop_clock(DesktopTurnRow *self)
{
  g_clear_handle_id(&self->clock, g_source_remove);
  if (self->spinner) {
    gtk_spinner_stop(GTK_SPINNER(self->spinner));
    gtk_widget_set_visible(self->working, FALSE);
  }
}

static void
note_stage(DesktopTurnRow *self, const char *phase, double share)
{
  const gint64 now = g_get_monotonic_time();

  if (self->stage != *phase || share < self->stage_share) {
    self->stage = *phase;
    self->stage_started = now;
  }
  self->stage_told = now;
  self->stage_share = share;
}

void
desktop_turn_row_set_phase(DesktopTurnRow *self, const char *phase, guint done, guint total)
{
  guint percent = total > 0 ? (guint)((guint64)100 * MIN(done, total) / total) : 0;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  note_stage(self, phase, total > 0 ? (double)MIN(done, total) / total : 0);
  g_free(self->phase_text);
  if (g_str_equal(phase, "image")) {
    self->phase_text = total > 0 ? g_strdup_printf(_("Encoding the picture… %u %%"), percent)
                                 : g_strdup(_("Encoding the picture…"));
  } else if (g_str_equal(phase, "prompt")) {
    self->phase_text = total > 1 ? g_strdup_printf(_("Reading the question… %u %%"), percent)
                                 : g_strdup(_("Reading the question…"));
  } else if (g_str_equal(phase, "sending")) {
    self->phase_text = g_strdup_printf(_("Sending the picture… %u %%"), percent);
  } else if (g_str_equal(phase, "waiting")) {
    self->phase_text = g_strdup(_("Waiting for the server…"));
  } else {
    self->phase_text = g_strdup(_("Answering…"));
  }
  show_phase(self);
}

/* ---- the growing text --------------------------------------------------------------------- */

void
desktop_turn_row_flush(DesktopTurnRow *self)
{
  g_autofree char *shown = NULL;
  const char *end = NULL;

  if (self->flushing == 0) {
    return;
  }
  g_clear_handle_id(&self->flushing, g_source_remove);
  self->flushed = g_get_monotonic_time();
  /* The rest of a character is on its way. */
  if (!g_utf8_validate_len(self->text->str, self->text->len, &end) &&
      self->text->str + self->text->len - end < 4) {
    shown = g_strndup(self->text->str, (gsize)(end - self->text->str));
  } else {
    shown = g_utf8_make_valid(self->text->str, (gssize)self->text->len);
  }
  gtk_label_set_text(self->answer, shown);
  gtk_widget_set_visible(GTK_WIDGET(self->answer), *shown != '\0');
}

static gboolean
on_flush(gpointer data)
{
  desktop_turn_row_flush(data);
  return G_SOURCE_REMOVE; /* it is gone by then */
}

void
desktop_turn_row_append(DesktopTurnRow *self, const char *bytes, gsize length)
{
  gint64 since = g_get_monotonic_time() - self->flushed;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  g_string_append_len(self->text, bytes, (gssize)length);
  if (self->first_text == 0) {
    self->first_text = g_get_monotonic_time();
    show_phase(self);
  }
  if (self->flushing == 0) {
    self->flushing =
        g_timeout_add(since >= FLUSH_US ? 0 : (guint)((FLUSH_US - since) / 1000), on_flush, self);
  }
}
