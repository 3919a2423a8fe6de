/* window-private.h - the inside of the window, shared by its files.
 *
 * Invariants:
 * 1. Whatever runs on another thread holds the window by desktop_window_begin_job(), which keeps
 *    the program up as well; desktop_window_end_job() lets go. After `closed` a job touches no
 *    widget.
 * 2. `review` is freed when the last job is over.
 * 3. A question is about what the active viewport shows, never about what is still being drawn.
 * 4. Viewports borrow `study`: they let go before it is freed.
 */
#ifndef HILUM_DESKTOP_WINDOW_PRIVATE_H
#define HILUM_DESKTOP_WINDOW_PRIVATE_H

#include "app_async.h"
#include "app_recover.h"
#include "conversation/conversation.h"
#include "history/history.h"
#include "record/record.h"
#include "settings/keys.h"
#include "strip/strip.h"
#include "tags/tags.h"
#include "viewer/viewport.h"
#include "window/window-hang.h"
#include "window/window.h"

G_BEGIN_DECLS

/* OBJECT may be NULL. */
typedef void (*DesktopAfter)(DesktopWindow *self, GObject *object);

struct _DesktopWindow {
  AdwApplicationWindow parent;

  /* Template widgets. */
  AdwToastOverlay *toasts;
  GtkWidget *log_bar; /* seen when something is the matter with the log */
  GtkLabel *log_text;
  GtkButton *log_button;
  AdwWindowTitle *title;
  GtkStack *pages;
  AdwStatusPage *failed_page;
  GtkLabel *loading_label;
  GtkProgressBar *progress;
  GtkGrid *views;
  GtkMenuButton *tools, *presets, *lie, *layout, *main;
  GtkWidget *cine, *compare;
  GtkButton *play;
  GtkSpinButton *rate;
  GtkRevealer *series_pane;
  GtkPaned *series_paned, *side_paned;
  GtkToggleButton *series_toggle, *conversation_toggle;
  DesktopStrip *strip;
  DesktopTags *tags;     /* a window beside, or NULL; weak */
  DesktopRecord *record; /* the same */
  GtkWidget *side_pane;
  GtkStack *side; /* "conversation" or "history" */
  DesktopConversation *conversation;
  DesktopHistory *history;

  GtkWidget *person_bar; /* above the conversation: who is signed in (window-person.c) */
  GtkLabel *person_name;
  gint64 person_seen; /* seconds, of the clock that nobody sets: somebody was there */
  guint person_tick;  /* source */

  gboolean closed;
  gboolean locked;        /* the log: its passphrase was not given */
  AppLogFault fault;      /* the log: it is damaged, or of a newer Hilum */
  char *untold;           /* owned: why events cannot be written to it; NULL: they can */
  int least_side;         /* width of the conversation that its words need */
  guint placing;          /* source that lets go of the conversation's width, or 0 */
  gboolean series_shown;  /* the strip is not folded away by a person; */
  gboolean series_wanted; /* nor, of this study, for want of a choice */
  guint n_jobs;
  gboolean model_changes; /* when no job is left */

  /* Borrowed. */
  const AppReviewOptions *options;

  /* Owned: what is open. */
  AppStudy *study;
  GCancellable *viewing; /* of this study; NULL: no study */
  GCancellable *opening;
  GtkFileChooserNative *chooser;
  GtkFileChooserNative *saver; /* of a document of this study */
  guint saver_document;

  /* What is shown: panes in the order of reading, COLUMNS * ROWS of them to be seen. */
  DesktopViewport *panes[DESKTOP_PANES]; /* of the template's grid */
  guint columns, rows, active;
  gboolean linked;
  guint linked_series, linked_index; /* that others went along with */
  struct {
    guint series, index;
  } anchors[DESKTOP_PANES]; /* see window-compare.c */
  guint adding;             /* series that joins the conversation once it is shown, or G_MAXUINT */
  guint looked;             /* series that the conversation was told of last */
  DesktopAnnotations *annotations; /* owned; of this study */
  DesktopSettings *settings;       /* owned; NULL: there are none */
  guint telling;                   /* source: others heard lately of what is shown */
  gboolean tell_again;

  /* Owned: model and questions. */
  AppReview *review;
  GCancellable *loading, *asking;
  guint preparing_soon;   /* source, or 0 */
  DesktopAbout *about;    /* what a question would be about now, or NULL */
  GHashTable *warned;     /* paths of images whose warnings the user has heard */
  GCancellable *checking; /* an answer, beside what the user does; NULL: none */
  DesktopAfter after_check;
  GObject *after_check_data;
  DesktopAbout *wanted;   /* to be shown as soon as its study is open, or NULL */
  GCancellable *resuming; /* the past conversation PAST_ID */
  gint64 past_id;
};

/* window.c */
void desktop_window_begin_job(DesktopWindow *self);
void desktop_window_end_job(DesktopWindow *self);
void desktop_window_toast(DesktopWindow *self, const char *text);

/* window-open.c */
void desktop_window_open_setup(DesktopWindow *self);
/* An image of a file, with its series. */
void desktop_window_open_around(DesktopWindow *self, const char *path, guint frame);
void desktop_window_choose(DesktopWindow *self, gboolean folder);

/* window-view.c */
/* Takes STUDY and shows it. */
void desktop_window_take_study(DesktopWindow *self, AppStudy *study);
/* Nothing shows or follows the study any more. Once only, before the widgets go. */
void desktop_window_let_go(DesktopWindow *self);
/* In the active pane, from its first image on; nothing happens when it is there already. */
void desktop_window_select_series(DesktopWindow *self, guint series);
/* Of the active pane; NULL: nothing is shown, or there is no study. */
const AppSeriesInfo *desktop_window_series_info(DesktopWindow *self);
/* Another pane, or another series in it: the list and the title follow. */
void desktop_window_picked(DesktopWindow *self);
/* What the active pane shows has changed: the others hear of it, now and then. */
void desktop_window_shown(DesktopWindow *self);
/* "CT 45/120 · C 40  W 400", what a question would be about now; NULL when nothing is shown. */
char *desktop_window_subject(DesktopWindow *self);

/* window-layout.c */
void desktop_window_layout_setup(DesktopWindow *self);
/* The active pane: what is asked about, and what keys go to. */
DesktopViewport *desktop_window_viewport(DesktopWindow *self);
guint desktop_window_n_panes(DesktopWindow *self);
void desktop_window_set_layout(DesktopWindow *self, guint columns, guint rows);
void desktop_window_name_layout(DesktopWindow *self, const char *name);
char *desktop_window_get_layout(DesktopWindow *self);
/* Shows the study as its modality is used to. */
void desktop_window_hang(DesktopWindow *self);

/* window-compare.c: a prior beside what is current */
void desktop_window_compare_class_setup(DesktopWindowClass *class);
void desktop_window_compare_setup(DesktopWindow *self);
void desktop_window_update_compare(DesktopWindow *self);
/* What the panes show counts as one place from now on. */
void desktop_window_anchor(DesktopWindow *self);
/* Where PANE, of another examination, goes when the active one goes to INDEX; FALSE: nowhere. */
gboolean desktop_window_goes_along(DesktopWindow *self, guint pane, guint index, guint *found);

/* window-tools.c: the bar above the pictures */
void desktop_window_tools_class_setup(DesktopWindowClass *class);
void desktop_window_tools_setup(DesktopWindow *self);
void desktop_window_update_tools(DesktopWindow *self);
/* Windows and presentation states of what the active pane shows. g_object_unref(). */
GMenuModel *desktop_window_presets_menu(DesktopWindow *self);

/* window-pane.c: the strip of what the study holds, and folding of the panes at the sides */
void desktop_window_pane_class_setup(DesktopWindowClass *class);
void desktop_window_pane_setup(DesktopWindow *self);
void desktop_window_fill_pane(DesktopWindow *self);
void desktop_window_update_panes(DesktopWindow *self);
/* Before the window closes. */
void desktop_window_keep_widths(DesktopWindow *self);

/* window-tags.c */
void desktop_window_tags_class_setup(DesktopWindowClass *class);
void desktop_window_update_tags(DesktopWindow *self);

/* window-output.c */
void desktop_window_output_class_setup(DesktopWindowClass *class);
void desktop_window_update_output(DesktopWindow *self);

/* window-key-image.c */
void desktop_window_key_image_class_setup(DesktopWindowClass *class);
void desktop_window_load_keys(DesktopWindow *self);

/* window-document.c: reads a report, or saves a PDF */
void desktop_window_open_document(DesktopWindow *self, guint document);
void desktop_window_close_saver(DesktopWindow *self);

/* window-ask.c */
void desktop_window_ask_setup(DesktopWindow *self);
/* QUESTION NULL: describe. */
void desktop_window_ask(DesktopWindow *self, const char *question);
void desktop_window_describe(DesktopWindow *self, AppLength length);
void desktop_window_stop(DesktopWindow *self);
void desktop_window_new_conversation(DesktopWindow *self);
void desktop_window_update_asking(DesktopWindow *self);

/* window-trust.c: what the model sees, checks and verdicts */
void desktop_window_trust_setup(DesktopWindow *self);
void desktop_window_check(DesktopWindow *self, DesktopTurnRow *row, AppCheck check);
/* ROW is answered and in the log: time for what is done beside. */
void desktop_window_answered(DesktopWindow *self, DesktopTurnRow *row);
/* Calls AFTER once no check runs, at once when none does; the newest wish counts. The review would
 * wait for a check, and the window with it. */
void desktop_window_after_check(DesktopWindow *self, DesktopAfter after, gpointer object);

/* window-person.c: who is signed in with a PIN */
void desktop_window_person_class_setup(DesktopWindowClass *class);
void desktop_window_person_setup(DesktopWindow *self);
void desktop_window_update_person(DesktopWindow *self);
/* Asks who is there; then, where somebody is, AFTER (may be NULL). */
void desktop_window_sign_in(DesktopWindow *self, DesktopAfter after, GObject *object);
/* Seconds since the machine started, its sleep included. */
gint64 desktop_window_uptime(void);

/* window-record.c: the log beside the window */
void desktop_window_record_class_setup(DesktopWindowClass *class);

/* window-note.c: what the log is told of what is seen */
void desktop_window_note_looks(DesktopWindow *self);
void desktop_window_note_setup(DesktopWindow *self);

/* window-log.c: the log that cannot be opened, or is not as it was signed */
void desktop_window_log_class_setup(DesktopWindowClass *class);
void desktop_window_recover_class_setup(DesktopWindowClass *class);
/* Whether ERROR says that the log is damaged or a newer one; then the window says so, and goes on
 * without it. */
gboolean desktop_window_log_is_faulty(DesktopWindow *self, const GError *error);
void desktop_window_update_log(DesktopWindow *self);
/* TRUE: ERROR says that its passphrase was refused; from now on the window goes on without. */
gboolean desktop_window_log_is_locked(DesktopWindow *self, const GError *error);

/* window-history.c: past conversations, and the images of any */
void desktop_window_history_setup(DesktopWindow *self);
void desktop_window_toggle_history(DesktopWindow *self);
void desktop_window_show_about(DesktopWindow *self, DesktopAbout *about);
/* The study may hold what is wanted. */
void desktop_window_show_wanted(DesktopWindow *self);
/* What can be done with the past conversation that is shown; MESSAGE: why not, or NULL. */
void desktop_window_update_past(DesktopWindow *self, const char *message);
/* Reads the conversation ID of the log; TITLE stands above it. */
void desktop_window_open_past(DesktopWindow *self, gint64 id, const char *title);

G_END_DECLS
#endif
