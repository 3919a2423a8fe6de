/* app_key_image.h - the images of a study that a reader has marked.
 *
 * Marks are of an AppStudy, and of its thread. What is marked is remembered beside the log, one
 * file for each study, and can be saved as DICOM Key Object Selections (PS3.3 A.35.4) for other
 * programs. Pictures that are no DICOM can be marked, but nothing remembers it.
 */
#ifndef HILUM_APP_KEY_IMAGE_H
#define HILUM_APP_KEY_IMAGE_H

#include "app.h"

G_BEGIN_DECLS

gboolean app_study_is_key(AppStudy *study, guint series, guint index);
/* Marks it or takes the mark away, in memory. */
void app_study_set_key(AppStudy *study, guint series, guint index, gboolean is_key);
guint app_study_n_keys(AppStudy *study, guint series);
/* Of guint: the marked images of SERIES, in order. g_array_unref(). */
GArray *app_study_keys(AppStudy *study, guint series);

/* Marks what was marked when the study was open before; else what Key Object Selections among its
 * files say. FOLDER is where marks are remembered, app_key_folder(); NULL: nowhere, then and later.
 */
void app_study_load_keys_async(AppStudy *study, const char *folder, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user);
gboolean app_study_load_keys_finish(AppStudy *study, GAsyncResult *result, GError **error);
/* Remembers the marks as they are when it runs; the last of several calls counts. */
void app_study_remember_keys_async(AppStudy *study, GAsyncReadyCallback callback, gpointer user);
gboolean app_study_remember_keys_finish(AppStudy *study, GAsyncResult *result, GError **error);
/* Beside the log LOG_PATH (NULL: the default one). g_free(). */
char *app_key_folder(const char *log_path);

/* Writes a Key Object Selection to PATH; of several studies the second and further ones to
 * "NAME-2.dcm" and so on. Returns how many files there are; 0 with *error. */
void app_study_save_keys_async(AppStudy *study, const char *path, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user);
guint app_study_save_keys_finish(AppStudy *study, GAsyncResult *result, GError **error);

G_END_DECLS
#endif
