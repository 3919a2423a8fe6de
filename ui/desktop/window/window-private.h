/* window-private.h - the inside of the window, shared by its files.
 *
 * Invariants:
 * 1. Whatever runs on another thread holds the window by desktop_window_begin_job(), which keeps
 *    the program up as well; desktop_window_end_job() lets go. After `closed` a job touches no
 *    widget.
 * 2. `review` is freed when the last job is over.
 * 3. `shown` is the window that was asked for when the viewer's view was made: a question is about
 *    the viewer's view and `shown`, never about what is still being rendered.
 */
#ifndef HILUM_DESKTOP_WINDOW_PRIVATE_H
#define HILUM_DESKTOP_WINDOW_PRIVATE_H

#include "app_async.h"
#include "conversation/conversation.h"
#include "viewer/viewer.h"
#include "window/window.h"

G_BEGIN_DECLS

struct _DesktopWindow {
  AdwApplicationWindow parent;

  /* Template widgets. */
  AdwToastOverlay *toasts;
  AdwWindowTitle *title;
  GtkStack *pages;
  AdwStatusPage *failed_page;
  GtkLabel *loading_label, *corner_label, *corner_window, *view_error;
  GtkLabel *letter_left, *letter_right, *letter_top, *letter_bottom;
  GtkProgressBar *progress;
  GtkButton *play;
  GtkWidget *series_pane, *documents_title;
  GtkListBox *series_list, *documents_list;
  GtkLabel *summary_label, *refused_text;
  GtkMenuButton *refused_button;
  DesktopViewer *viewer;
  DesktopConversation *conversation;

  gboolean closed;

  /* Borrowed. */
  const AppReviewOptions *options;

  /* Owned: what is open. */
  AppStudy *study;
  GCancellable *opening;
  GtkFileChooserNative *chooser;
  GtkFileChooserNative *saver; /* of a document of this study */
  guint saver_document;

  /* Owned: what is shown. `wanted` is what the hands ask for. */
  guint series, index;
  AppWindow wanted, shown;
  GCancellable *viewing; /* of this study; NULL: no study */
  gboolean view_busy, view_again;

  /* A cine runs while `playing` is not 0: it was at image `play_from` at `play_start`, in µs of the
   * frame clock. */
  guint playing, play_from;
  gint64 play_start;

  /* Owned: model and questions. */
  AppReview *review;
  GCancellable *loading, *asking;
  guint preparing_soon; /* source, or 0 */
  gboolean has_asked;
  char *asked_path; /* of the conversation under way; NULL: none */
  guint asked_frame;
  AppWindow asked_window;
};

/* window.c */
void desktop_window_begin_job(DesktopWindow *self);
void desktop_window_end_job(DesktopWindow *self);
void desktop_window_toast(DesktopWindow *self, const char *text);

/* window-open.c */
void desktop_window_open_setup(DesktopWindow *self);
void desktop_window_choose(DesktopWindow *self, gboolean folder);

/* window-view.c */
void desktop_window_view_setup(DesktopWindow *self);
/* Takes STUDY and shows its first image. */
void desktop_window_take_study(DesktopWindow *self, AppStudy *study);
void desktop_window_select_series(DesktopWindow *self, guint series);
/* Of the series that is shown; NULL: the study has none, or there is no study. */
const AppSeriesInfo *desktop_window_series_info(DesktopWindow *self);
/* To image INDEX of it, by hands that go in DIRECTION (-1, 0: anywhere, 1). */
void desktop_window_go_to(DesktopWindow *self, guint index, int direction);
/* "CT 45/120 · C 40 W 400", what a question would be about now; NULL when nothing is shown. */
char *desktop_window_subject(DesktopWindow *self);

/* window-pane.c: the list of what the study holds */
void desktop_window_pane_setup(DesktopWindow *self);
void desktop_window_fill_pane(DesktopWindow *self);

/* window-document.c: reads a report, or saves a PDF */
void desktop_window_open_document(DesktopWindow *self, guint document);
void desktop_window_close_saver(DesktopWindow *self);

/* window-cine.c */
void desktop_window_play(DesktopWindow *self);
void desktop_window_pause(DesktopWindow *self);
void desktop_window_update_play(DesktopWindow *self);

/* window-ask.c */
void desktop_window_ask_setup(DesktopWindow *self);
/* QUESTION NULL: describe. */
void desktop_window_ask(DesktopWindow *self, const char *question);
void desktop_window_stop(DesktopWindow *self);
void desktop_window_new_conversation(DesktopWindow *self);
void desktop_window_update_asking(DesktopWindow *self);

G_END_DECLS
#endif
