/* record-private.h - the inside of the record, shared by its files.
 *
 * Invariants:
 * 1. `list` shows events of `record`, all of them or those that were found last.
 * 2. One search runs at a time (`finding`); a newer wish cancels it.
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
  GtkLabel *count, *facts;
  GtkProgressBar *progress;
  GtkWidget *details, *open;

  gboolean closed;

  /* Owned. */
  char *path;
  AppRecord *record; /* NULL: it is not open yet */
  DesktopRecordList *list;
  GtkSingleSelection *selection;
  GCancellable *opening, *finding; /* NULL: nothing is under way */
};

/* record-columns.c */
void desktop_record_add_columns(GtkColumnView *view);
/* "2026-11-26 11:04:05" as the clock here has it. g_free(). */
char *desktop_record_time(const char *iso);

G_END_DECLS
#endif
