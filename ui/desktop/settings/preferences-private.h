/* preferences-private.h - the inside of the preferences, shared by their files.
 *
 * Invariants:
 * 1. The rows of `preset_rows` and `key_rows` show what the settings hold; they are made anew, or
 *    told, when the settings change, whoever changed them.
 */
#ifndef HILUM_DESKTOP_PREFERENCES_PRIVATE_H
#define HILUM_DESKTOP_PREFERENCES_PRIVATE_H

#include "settings/keys.h"
#include "settings/preferences.h"

G_BEGIN_DECLS

struct _DesktopPreferences {
  AdwPreferencesWindow parent;

  /* Template widgets. */
  AdwComboRow *style;
  AdwActionRow *log_row, *model_row;
  GtkButton *log_reset, *log_choose, *preset_reset, *preset_add;
  AdwPreferencesGroup *presets;
  GtkSpinButton *cache, *threads;
  GtkSwitch *blank_check, *probabilities;
  AdwPreferencesPage *keys_page;
  AdwPreferencesGroup *protection;
  AdwActionRow *protection_row;
  GtkMenuButton *protection_change;
  GtkSpinner *protection_busy;

  /* Owned. */
  DesktopSettings *settings;
  GtkFileChooserNative *chooser;
  GPtrArray *preset_rows; /* of GtkWidget, borrowed from PRESETS */
  GPtrArray *key_rows;    /* of DesktopKeyRow */
  char *log_path;         /* NULL: the default place */

  gboolean protecting; /* the log gets a new key */
  gboolean gone;       /* the widgets are */
};

typedef struct {
  const DesktopKey *key;
  GtkBox *labels;   /* what its keys are */
  GtkWidget *reset; /* back to the usual ones */
} DesktopKeyRow;

/* preferences-presets.c */
void desktop_preferences_presets_setup(DesktopPreferences *self);

/* preferences-log.c */
void desktop_preferences_log_class_setup(DesktopPreferencesClass *preferences_class);

/* preferences-keys.c */
void desktop_preferences_keys_setup(DesktopPreferences *self);

/* key-dialog.c. Asks for new keys for KEY, over PARENT, and sets them. */
void desktop_key_dialog_present(DesktopSettings *settings, const DesktopKey *key,
                                GtkWindow *parent);

G_END_DECLS
#endif
