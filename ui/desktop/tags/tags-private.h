/* tags-private.h - the inside of the tag browser, shared by its files.
 *
 * Invariants:
 * 1. `store` has the elements of the image that was read last; the labels say of which one.
 * 2. One reading is under way at most (`reading`); `again` when another image was asked for since.
 */
#ifndef HILUM_DESKTOP_TAGS_PRIVATE_H
#define HILUM_DESKTOP_TAGS_PRIVATE_H

#include "tags/tag-item.h"
#include "tags/tags.h"

G_BEGIN_DECLS

struct _DesktopTags {
  AdwWindow parent;

  /* Template widgets. */
  AdwWindowTitle *title;
  GtkSearchEntry *search;
  GtkColumnView *view;
  GtkStack *pages;
  AdwStatusPage *nothing;
  GtkLabel *count;

  gboolean again;
  guint series, index;
  guint n_found; /* what was searched for, without the sequences around it */

  /* Borrowed. */
  AppStudy *study;

  /* Owned. */
  GListStore *store; /* of DesktopTagItem */
  GtkFilterListModel *found;
  GtkSingleSelection *selection;
  GCancellable *reading; /* NULL: none is under way */
  char *text;            /* searched for, folded; "" */
};

/* tags-columns.c */
void desktop_tags_add_columns(GtkColumnView *view);

G_END_DECLS
#endif
