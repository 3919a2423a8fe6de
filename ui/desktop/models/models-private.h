/* models-private.h - the inside of the dialog of models, shared by its files.
 *
 * Invariants:
 * 1. Whatever runs on another thread holds the dialog by a reference; after `closed` it touches no
 *    widget.
 * 2. `rows` are the children of GROUP, in the order of the list that was read last.
 */
#ifndef HILUM_DESKTOP_MODELS_PRIVATE_H
#define HILUM_DESKTOP_MODELS_PRIVATE_H

#include "models/model-row.h"
#include "models/models.h"

G_BEGIN_DECLS

struct _DesktopModels {
  AdwWindow parent;

  /* Template widgets. */
  AdwToastOverlay *toasts;
  GtkStack *pages;
  AdwPreferencesGroup *remote_group, *group;
  AdwActionRow *remote_row;

  gboolean closed;
  gboolean is_stale; /* to be read again when no conversion is under way */
  GPtrArray *rows;   /* of DesktopModelRow, borrowed from GROUP */

  /* Owned. */
  DesktopSettings *settings;
  char *in_use; /* "": the demo model */
  GCancellable *cancellable;
  GtkFileChooserNative *chooser;
};

/* models.c */
void desktop_models_toast(DesktopModels *self, const char *text);
void desktop_models_remember(DesktopModels *self, const char *path);
void desktop_models_read(DesktopModels *self);

G_END_DECLS
#endif
