/* record-private.h - the inside of the record, shared by its files.
 *
 * Invariants:
 * 1. `list` shows events of `record`, all of them or those that were found last.
 * 2. One search runs at a time (`finding`); a newer wish cancels it. What was shown before stays
 *    until the first event is found.
 * 3. One verification runs at a time (`verifying`), beside all else.
 */
#ifndef HILUM_DESKTOP_RECORD_PRIVATE_H
#define HILUM_DESKTOP_RECORD_PRIVATE_H

#include "record/record-list.h"
#include "record/record.h"

G_BEGIN_DECLS

struct _DesktopRecord {
  AdwWindow parent;

  /* Template widgets. */
  AdwToastOverlay *toasts;
  GtkSearchEntry *search;
  GtkDropDown *kind;
  GtkToggleButton *failed;
  GtkColumnView *view;
  GtkStack *pages;
  AdwStatusPage *nothing;
  GtkLabel *count, *event_title, *event_caption;
  GtkGrid *facts;
  GtkProgressBar *progress;
  GtkWidget *details, *open;
  GtkWidget *proof_bar, *proof_show;
  GtkImage *proof_icon;
  GtkLabel *proof_title, *proof_text;
  GtkProgressBar *proof_progress;
  GtkButton *proof_stop;

  gboolean closed;
  gint64 proof_first; /* the first event that was found changed, or 0 */

  /* Owned. */
  char *path;
  char *wish;        /* what is or was looked for last, NULL: nothing yet */
  AppRecord *record; /* NULL: it is not open yet */
  DesktopRecordList *list;
  GtkSingleSelection *selection;
  GCancellable *opening, *finding, *verifying; /* NULL: nothing is under way */
};

/* record.c: selects event NUMBER and shows it, without a filter if it is not among those shown. */
void desktop_record_go_to(DesktopRecord *self, gint64 number);

/* record-details.c: EVENT may be NULL. */
void desktop_record_show_details(DesktopRecord *self, const AppEvent *event);

/* record-verify.c */
void desktop_record_verify_class_setup(DesktopRecordClass *class);
void desktop_record_stop_verifying(DesktopRecord *self);

/* record-columns.c */
void desktop_record_add_columns(GtkColumnView *view);
/* "2026-11-26 11:04:05" as the clock here has it. g_free(). */
char *desktop_record_time(const char *iso);

G_END_DECLS
#endif
