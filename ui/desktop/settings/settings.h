/* settings.h - what a person has set, kept by GSettings (org.hilum.Hilum).
 *
 * Plain keys are read and bound through desktop_settings_peek(), by the names below; what needs
 * checking has functions of its own. Each who needs settings makes an object: they all see the same
 * values, and "changed::KEY" of the peeked GSettings tells of a change, whoever made it.
 */
#ifndef HILUM_DESKTOP_SETTINGS_H
#define HILUM_DESKTOP_SETTINGS_H

#include <gio/gio.h>

#include "app.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_SETTINGS (desktop_settings_get_type())
G_DECLARE_FINAL_TYPE(DesktopSettings, desktop_settings, DESKTOP, SETTINGS, GObject)

/* Keys of the schema, and their GVariant types. */
#define DESKTOP_SETTING_LOG "log"                               /* s: file; "": default */
#define DESKTOP_SETTING_MODEL "model"                           /* s: path; "": demo model */
#define DESKTOP_SETTING_MODELS "models"                         /* as: opened before */
#define DESKTOP_SETTING_THREADS "threads"                       /* u; 0: one a core */
#define DESKTOP_SETTING_CACHE "cache-limit"                     /* u, MB; 0: a quarter */
#define DESKTOP_SETTING_PRESETS "presets"                       /* a(sdd) */
#define DESKTOP_SETTING_KEYS "keys"                             /* a{sas} */
#define DESKTOP_SETTING_LAYOUT "layout"                         /* s: "auto", "1x1", … */
#define DESKTOP_SETTING_SERIES_SHOWN "series-shown"             /* b */
#define DESKTOP_SETTING_CONVERSATION_SHOWN "conversation-shown" /* b */
#define DESKTOP_SETTING_SERIES_WIDTH "series-width"             /* i */
#define DESKTOP_SETTING_CONVERSATION_WIDTH "conversation-width" /* i */
#define DESKTOP_SETTING_WINDOW_SIZE "window-size"               /* (ii) */
#define DESKTOP_SETTING_MAXIMIZED "window-maximized"            /* b */
#define DESKTOP_SETTING_PROBABILITIES "show-probabilities"      /* b */
#define DESKTOP_SETTING_BLANK_CHECK "check-with-blank"          /* b */
#define DESKTOP_SETTING_SIGN_OUT "sign-out-minutes"             /* u */
#define DESKTOP_SETTING_STYLE "style"                           /* s: "system", "light", "dark" */

/* NULL when the schema is nowhere to be found. */
DesktopSettings *desktop_settings_new(GError **error);
GSettings *desktop_settings_peek(DesktopSettings *self);

/* A string setting, or NULL where it is empty. g_free(). */
char *desktop_settings_get_text(DesktopSettings *self, const char *key);

/* A window for CT by name. The log keeps the numbers, never the name. */
typedef struct {
  char *name;
  double width, center;
} DesktopPreset;
void desktop_preset_free(DesktopPreset *preset);
DesktopPreset *desktop_preset_new(const char *name, double width, double center);
/* What is wrong with it, for people, or NULL. g_free(). */
char *desktop_preset_problem(const char *name, double width, double center);

/* Of DesktopPreset, in their order; what a hand-edited setting got wrong is left out. */
GPtrArray *desktop_settings_get_presets(DesktopSettings *self);
void desktop_settings_set_presets(DesktopSettings *self, GPtrArray *presets);

G_END_DECLS
#endif
