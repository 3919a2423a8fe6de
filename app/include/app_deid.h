/* app_deid.h - copies of files and folders without the patient. */
#ifndef HILUM_APP_DEID_H
#define HILUM_APP_DEID_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  guint x, y, width, height;
} AppRect;
/* "X,Y,W,H" in pixels, the last two at least 1. */
gboolean app_rect_parse(const char *text, AppRect *rect, GError **error);

typedef struct {
  const char *const *paths; /* files and folders, ends with NULL */
  const char *out;          /* folder of the copies */
  const char *key;          /* file of 32 bytes, made when it is not there; NULL: the user's own */
  gboolean modified_dates, retain_device, clean_descriptors, clean_graphics, clean_pixels;
  const AppRect *blank;
  guint n_blank;
} AppDeidOptions;

typedef struct {
  guint n_files, n_copied, n_refused, n_unsure; /* N_UNSURE are among the copied */
} AppDeidCounts;

/* One file's outcome: {file, out, sop_instance_uid, removed, replaced, kept, cleaned, blanked,
 * unsure, error}; attributes by keyword or tag, never values. A refused file has null for OUT and a
 * text for ERROR. */
typedef void (*AppDeidEach)(JsonNode *report, gpointer user);

/* FALSE: could not begin, or PROGRESS cancelled; refused files are no failure of this call. */
gboolean app_deid(const AppDeidOptions *options, AppDeidEach each, AppProgress progress,
                  gpointer user, AppDeidCounts *counts, GError **error);

/* $XDG_DATA_HOME/hilum/deid.key. g_free(). */
char *app_deid_key_path(void);

G_END_DECLS

#endif
