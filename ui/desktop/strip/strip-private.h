/* strip-private.h - the inside of the strip, shared by its files.
 *
 * Invariants:
 * 1. `items` has one item for each series of `study`, in the study's order; `store` has what is to
 *    be seen of them, between headings.
 * 2. A thumbnail under way holds its item and its cancellable, not the strip: `asking` are those
 *    whose answer is still wanted.
 * 3. `filling` is TRUE while selections change without a hand.
 */
#ifndef HILUM_DESKTOP_STRIP_PRIVATE_H
#define HILUM_DESKTOP_STRIP_PRIVATE_H

#include "strip/strip-item.h"
#include "strip/strip-row.h"
#include "strip/strip.h"

G_BEGIN_DECLS

struct _DesktopStrip {
  GtkBox parent;

  /* Template widgets. */
  GtkListView *list;
  GtkScrolledWindow *scroller;
  GtkToggleButton *keys_only;
  GtkLabel *heading, *summary_label, *refused_text;
  GtkMenuButton *refused_button;

  gboolean filling;
  guint selected; /* series, or G_MAXUINT */

  /* Borrowed. */
  AppStudy *study;
  DesktopStripItem *loading; /* the item that shows progress, or NULL */

  /* Owned. */
  GListStore *store;             /* of DesktopStripItem */
  GtkSingleSelection *selection; /* of it */
  GPtrArray *items;              /* of DesktopStripItem *, by series */
  GPtrArray *rows;               /* of DesktopStripRow *, borrowed: those that show an item */
  GPtrArray *asking;             /* of Asking *, see strip-thumbnails.c; borrowed */
  GQueue kept;          /* of DesktopStripItem *, owned: with a picture, the newest first */
  guint looking;        /* tick callback that looks which rows are in sight, or 0 */
  guint frames_to_wait; /* until it does */
};

/* strip-thumbnails.c: asks soon for what is in sight and has none. */
void desktop_strip_look(DesktopStrip *self);
/* All that is under way is forgotten. */
void desktop_strip_stop_looking(DesktopStrip *self);

G_END_DECLS
#endif
