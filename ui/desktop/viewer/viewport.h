/* viewport.h - one pane of pictures: what it shows, how it lies there, and the hands on it.
 *
 * A viewport shows image after image of one series of a study. It asks app for drawings at its own
 * device pixels, one at a time, and shows each that arrives; what it says of itself (slice, window,
 * placement, choice) is always what is on the screen, never what is still being drawn.
 *
 * One class in several files: viewport.c (life), -load.c (what is asked of app), -draw.c (picture,
 * lines, frame), -corners.c (text over the picture), -text.c (words for people), -hands.c (mouse
 * and wheel), -lie.c (zoom, pan, turn), -window.c (grey scale), -actions.c (actions "view.NAME"),
 * -cine.c, -tools.c (annotations), -presentation.c (presentation states),
 * -cursor.c (measuring by keys).
 *
 * Signals: "changed": what is shown, its window, its placement or its region. "moved" (uint index,
 * int direction): to another image by hands; a viewport that only follows does not say so.
 * "picked": hands went to it. "series-step" (int): the next series is wanted, or the one before.
 * "series-dropped" (uint): a series, dragged as a G_TYPE_UINT, is to be shown here. "cine": it
 * began, ended or changed its rate.
 */
#ifndef HILUM_DESKTOP_VIEWPORT_H
#define HILUM_DESKTOP_VIEWPORT_H

#include <gtk/gtk.h>

#include "app_slice.h"
#include "settings/settings.h"
#include "viewer/annotations.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_VIEWPORT (desktop_viewport_get_type())
G_DECLARE_FINAL_TYPE(DesktopViewport, desktop_viewport, DESKTOP, VIEWPORT, GtkWidget)

/* ---- what is shown ------------------------------------------------------------------------ */

/* STUDY is borrowed: to be taken away, with NULL, before it is freed. */
void desktop_viewport_set_study(DesktopViewport *self, AppStudy *study);
/* Another series begins with its own window, fitted; NULL study or G_MAXUINT: none. */
void desktop_viewport_set_series(DesktopViewport *self, guint series, guint index);
guint desktop_viewport_get_series(DesktopViewport *self); /* G_MAXUINT: none */
guint desktop_viewport_get_index(DesktopViewport *self);  /* that was asked for last */
/* Of its series; NULL: there is none. */
const AppSeriesInfo *desktop_viewport_get_info(DesktopViewport *self);
/* By hands that go in DIRECTION (-1, 0: anywhere, 1): images that way are decoded ahead. */
void desktop_viewport_go_to(DesktopViewport *self, guint index, int direction);
/* As another viewport's hands want it. */
void desktop_viewport_follow(DesktopViewport *self, guint index);
/* So many images on, or back; beyond the ends there is nothing. */
void desktop_viewport_step(DesktopViewport *self, int steps);
/* What to say where no picture is; NULL: nothing. */
void desktop_viewport_set_message(DesktopViewport *self, const char *message);

/* Key images were marked or unmarked. */
void desktop_viewport_update_keys(DesktopViewport *self);

/* What is on the screen, or NULL; borrowed until "changed". */
AppSlice *desktop_viewport_get_slice(DesktopViewport *self);
/* The window and the placement on the screen; FALSE: nothing is shown. */
gboolean desktop_viewport_get_window(DesktopViewport *self, AppWindow *window);
gboolean desktop_viewport_get_placement(DesktopViewport *self, AppPlacement *placement);
/* Why nothing is shown, or NULL. */
const char *desktop_viewport_get_error(DesktopViewport *self);
/* Exactly what a question would carry; strings are borrowed until "changed". FALSE: nothing. */
gboolean desktop_viewport_get_choice(DesktopViewport *self, AppImageChoice *choice);
/* What the question may be about, in pixels of the stored picture; FALSE: all of it. */
gboolean desktop_viewport_get_region(DesktopViewport *self, AppRegion *region);
/* "C 40  W 400", or the name of the table, or "". g_free(). */
char *desktop_viewport_window_text(DesktopViewport *self);
/* The same of what a question would carry, which is the image without a presentation state. */
char *desktop_viewport_asked_window_text(DesktopViewport *self);
/* "CT 45/120 · C 40  W 400"; NULL: nothing is shown. g_free(). */
char *desktop_viewport_subject(DesktopViewport *self);
/* The picture in words, as screen readers get it. g_free(). */
char *desktop_viewport_description(DesktopViewport *self);

/* ---- how --------------------------------------------------------------------------------- */

void desktop_viewport_set_window(DesktopViewport *self, const AppWindow *window);
/* Scale 0: fitted. Its size, and what "smooth" and "covers" say, is the viewport's own. */
void desktop_viewport_set_placement(DesktopViewport *self, const AppPlacement *placement);
/* Pixels of an enlarged picture melt into each other, or are seen as they are. */
void desktop_viewport_set_smooth(DesktopViewport *self, gboolean smooth);
/* Of DesktopPreset: offered after the file's own windows, for CT alone. Takes a reference. */
void desktop_viewport_set_presets(DesktopViewport *self, GPtrArray *presets);
/* Preset N, from 1 on: the file's, then those for CT. NULL: there are fewer. g_free(). */
char *desktop_viewport_preset_name(DesktopViewport *self, guint n);
/* 1 + number of one of the study's presentation states; 0: none. Its grey scale and place count
 * then.
 */
void desktop_viewport_set_presentation(DesktopViewport *self, guint presentation);
guint desktop_viewport_get_presentation(DesktopViewport *self);
/* The next one that is about the image, or none. */
void desktop_viewport_next_presentation(DesktopViewport *self);
/* "As saved by Doe, Jane · Lungs · 01/02/25"; NULL: it is not about what is shown. g_free(). */
char *desktop_viewport_presentation_name(DesktopViewport *self, guint presentation);
/* "window", "pan", "zoom", "scroll", "distance", "angle", "ellipse", "rectangle", "region". */
void desktop_viewport_set_tool(DesktopViewport *self, const char *tool);
const char *desktop_viewport_get_tool(DesktopViewport *self);
/* Action I, "view.NAME", and the type of its parameter, or NULL; NULL past the last. Beside them
 * there are the stateful "view.tool" (s), "view.invert", "view.smooth", "view.texts" and
 * "view.covers": the file's own overlays and shutters; and "view.presentation" (u). */
const char *desktop_viewport_action(guint i, const char **parameter);
/* Shared by the viewports of a window. */
void desktop_viewport_set_annotations(DesktopViewport *self, DesktopAnnotations *annotations);
/* One of several: the one that questions and keys are about has a frame. */
void desktop_viewport_set_framed(DesktopViewport *self, gboolean framed);
/* Where the plane of SLICE cuts what is shown here is a line; NULL: no line. */
void desktop_viewport_set_reference(DesktopViewport *self, AppSlice *slice);

/* ---- cine -------------------------------------------------------------------------------- */

gboolean desktop_viewport_can_play(DesktopViewport *self);
gboolean desktop_viewport_is_playing(DesktopViewport *self);
void desktop_viewport_play(DesktopViewport *self);
void desktop_viewport_pause(DesktopViewport *self);
/* Images a second: the file's own, or 10, until it is set. */
double desktop_viewport_get_rate(DesktopViewport *self);
void desktop_viewport_set_rate(DesktopViewport *self, double rate);

G_END_DECLS
#endif
