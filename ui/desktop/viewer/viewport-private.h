/* viewport-private.h - the inside of a viewport, shared by its files.
 *
 * Invariants:
 * 1. `drawn` is what is on the screen: `texture` shows its canvas, and `drawn_series`,
 *    `drawn_index`, `drawn_window` say what was asked for to get it. All that is said or measured
 * is about `drawn`; `series`, `index`, `window`, `placement` are what hands ask for.
 * 2. One drawing is under way at a time (`busy`); with `again`, something was wished for since.
 * 3. `placement` with scale 0 is fitted; its size is set only as a drawing is asked for.
 * 4. Drawings of another study than `study` are told by their `cancellable`.
 */
#ifndef HILUM_DESKTOP_VIEWPORT_PRIVATE_H
#define HILUM_DESKTOP_VIEWPORT_PRIVATE_H

#include "viewer/viewport.h"
#include "viewer/words.h"

G_BEGIN_DECLS

typedef enum {
  HAND_NONE,
  HAND_WINDOW,
  HAND_PAN,
  HAND_ZOOM,
  HAND_SCROLL,
  HAND_DRAW,
  HAND_EDIT
} Hand;

struct _DesktopViewport {
  GtkWidget parent;

  AppStudy *study; /* borrowed */
  GCancellable *cancellable;

  /* Wished for. */
  guint series, index;
  AppWindow window;
  AppPlacement placement;
  guint presentation; /* 1 + number of a presentation state; 0: none */
  gboolean as_stated; /* until hands turn or move it */
  gboolean busy, again;

  /* On the screen; owned. */
  AppDrawn *drawn;
  guint drawn_series, drawn_index;
  AppWindow drawn_window;
  GdkTexture *texture;
  guint n_presentations; /* that are about it */
  char *error, *message;
  AppSlice *reference;
  gboolean framed, hides_texts;

  /* Text over the picture; each line is drawn once. */
  DesktopWords *words;
  guint describe_soon; /* source */

  /* Hands. */
  const char *tool; /* static */
  Hand hand;
  gboolean moved, has_pointer;
  double pointer_x, pointer_y;    /* logical pixels */
  double press_x, press_y;        /* where the drag began */
  double last_dx, last_dy;        /* of the drag, so far */
  double drag_center, drag_width; /* of the window, not rounded */
  double scrolled;                /* part of a step that wheel or drag has gone */
  AppPlacement start;             /* as the drag began */

  /* Annotations. `draft` is being drawn while DRAFTED points of it stand; else `selected` is the
   * one whose handles show, or 0. */
  DesktopAnnotations *annotations;
  DesktopAnnotation draft, before; /* BEFORE: what was edited, to go back to */
  guint drafted, selected;
  gboolean draft_fresh; /* its first point was set by the press under way */
  const char *cursor;   /* static; NULL: the usual one */
  int grip;

  /* Hands without a mouse: the middle of a pixel of the stored picture. */
  gboolean has_cursor;
  double cursor_x, cursor_y;

  GPtrArray *presets; /* of DesktopPreset; or NULL */

  /* A cine runs while `ticking` is not 0: it was at image `play_from` at `play_start`, in µs of the
   * frame clock. */
  guint ticking, play_from;
  gint64 play_start;
  double rate; /* 0: the file's own */
};

typedef enum {
  CHANGED,
  MOVED,
  PICKED,
  SERIES_STEP,
  SERIES_DROPPED,
  CINE,
  N_SIGNALS
} ViewportSignal;

/* viewport.c */
void desktop_viewport_emit(DesktopViewport *self, ViewportSignal signal);
void desktop_viewport_emit_moved(DesktopViewport *self, int direction);
void desktop_viewport_emit_number(DesktopViewport *self, ViewportSignal signal, int number);
const AppSliceFacts *desktop_viewport_facts(DesktopViewport *self); /* NULL: nothing is shown */

/* viewport-load.c */
void desktop_viewport_request(DesktopViewport *self);
void desktop_viewport_forget(DesktopViewport *self);
void desktop_viewport_clear_shown(DesktopViewport *self);

/* viewport-draw.c. Between logical pixels of the widget and the stored picture that is shown. */
void desktop_viewport_to_picture(DesktopViewport *self, double x, double y, double *px, double *py);
void desktop_viewport_to_widget(DesktopViewport *self, double px, double py, double *x, double *y);
void desktop_viewport_snapshot(GtkWidget *widget, GtkSnapshot *snapshot);

/* viewport-corners.c */
void desktop_viewport_snapshot_corners(DesktopViewport *self, GtkSnapshot *snapshot);
void desktop_viewport_snapshot_message(DesktopViewport *self, GtkSnapshot *snapshot,
                                       const char *message);

/* viewport-lines.c */
void desktop_viewport_snapshot_lines(DesktopViewport *self, GtkSnapshot *snapshot);

/* viewport-text.c */
char *desktop_viewport_number(double value); /* for people; g_free() */
void desktop_viewport_describe_soon(DesktopViewport *self);
char *desktop_viewport_probe_text(DesktopViewport *self);

/* viewport-lie.c. What is wished for, with the size of now and a scale. FALSE: nothing is shown. */
gboolean desktop_viewport_wished(DesktopViewport *self, AppPlacement *placement);
void desktop_viewport_zoom_at(DesktopViewport *self, const AppPlacement *from, double factor,
                              double x, double y);
void desktop_viewport_pan(DesktopViewport *self, const AppPlacement *from, double dx, double dy);
void desktop_viewport_turn(DesktopViewport *self, int quarter);
void desktop_viewport_flip(DesktopViewport *self, gboolean vertical);
void desktop_viewport_straighten(DesktopViewport *self); /* is to be asked for */
void desktop_viewport_fit(DesktopViewport *self);
void desktop_viewport_actual_size(DesktopViewport *self);

/* viewport-presentation.c: how somebody saved that images are to be looked at */
void desktop_viewport_count_presentations(DesktopViewport *self);
/* A line for the corner, or NULL. g_free(). */
char *desktop_viewport_presentation_line(DesktopViewport *self);

/* viewport-window.c */
gboolean desktop_viewport_has_window(DesktopViewport *self);
void desktop_viewport_begin_grey(DesktopViewport *self);
/* By so many logical pixels of a drag, times FACTOR. */
void desktop_viewport_drag_grey(DesktopViewport *self, double dx, double dy, double factor);
void desktop_viewport_nudge_grey(DesktopViewport *self, int across, int down);
void desktop_viewport_auto_grey(DesktopViewport *self);
void desktop_viewport_preset(DesktopViewport *self, guint n);
void desktop_viewport_invert(DesktopViewport *self);

/* viewport-hands.c, viewport-actions.c */
void desktop_viewport_hands_setup(DesktopViewport *self);
void desktop_viewport_actions_install(GtkWidgetClass *class);
void desktop_viewport_reset(DesktopViewport *self);

/* viewport-cursor.c */
void desktop_viewport_cursor_setup(DesktopViewport *self);
void desktop_viewport_cursor_toggle(DesktopViewport *self);
gboolean desktop_viewport_cursor_hide(DesktopViewport *self); /* whether it was there */
/* In logical pixels of the widget. FALSE: there is none. */
gboolean desktop_viewport_cursor_at(DesktopViewport *self, double *x, double *y);
void desktop_viewport_cursor_move(DesktopViewport *self, int across, int down, gboolean fine);
/* What a click there would do; without a cursor, it appears. */
void desktop_viewport_cursor_point(DesktopViewport *self);
void desktop_viewport_snapshot_cursor(DesktopViewport *self, GtkSnapshot *snapshot);
/* What is measured and what is there, or NULL. g_free(). */
char *desktop_viewport_cursor_text(DesktopViewport *self);

/* viewport-tools.c */
gboolean desktop_viewport_tool_draws(DesktopViewport *self);
/* A press at X, Y, logical: TRUE when an annotation is gripped or one begins. */
gboolean desktop_viewport_tools_press(DesktopViewport *self, double x, double y);
void desktop_viewport_tools_drag(DesktopViewport *self, double x, double y);
void desktop_viewport_tools_release(DesktopViewport *self, gboolean moved);
void desktop_viewport_tools_hover(DesktopViewport *self, double x, double y);
/* Whether there was something to cancel. */
gboolean desktop_viewport_tools_cancel(DesktopViewport *self);
void desktop_viewport_tools_delete(DesktopViewport *self);

G_END_DECLS
#endif
