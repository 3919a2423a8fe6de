/* app_models.h - for the window: which models there are, and what is done with one beforehand.
 *
 * The calls do their work on a thread of their own; callbacks arrive in the caller's thread-default
 * main context.
 */
#ifndef HILUM_APP_MODELS_H
#define HILUM_APP_MODELS_H

#include "app.h"

G_BEGIN_DECLS

/* Where models of the user lie: "hilum/models" in the folder of user data. It need not be there.
 * g_free(). */
char *app_models_folder(void);
/* The projector's file beside llama.cpp's language model PATH ("X-mmproj.gguf" beside "X.gguf"), or
 * NULL where there is none. g_free(). */
char *app_models_mmproj(const char *path);

typedef struct {
  char *path;
  gboolean is_demo;
  JsonNode *info; /* app_model_info(), without the hash of big ones; NULL: */
  char *problem;  /* why it cannot be used, or NULL */
} AppModelEntry;
void app_model_entry_free(AppModelEntry *entry);

/* Of AppModelEntry: the demo model, what lies in FOLDER (NULL: app_models_folder()), what lies at
 * PATHS (NULL-ended; NULL: none); each once, by name within its kind. Headers alone are read. */
void app_models_list_async(const char *folder, const char *const *paths, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user);
GPtrArray *app_models_list_finish(GAsyncResult *result, GError **error);

/* app_model_info() of PATH, HASH as there. */
void app_models_info_async(const char *path, gboolean hash, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user);
JsonNode *app_models_info_finish(GAsyncResult *result, GError **error);

/* Share that is done, 0 to 1, in the caller's main context; not more often than it can be seen. */
typedef void (*AppModelsProgress)(double share, gpointer user);
/* app_model_convert() of PATH to a new file OUT of type TYPE, verified in samples. A cancelled one
 * leaves no file. PROGRESS is not called after CALLBACK. */
void app_models_convert_async(const char *path, const char *type, const char *out,
                              AppModelsProgress progress, gpointer progress_user,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user);
JsonNode *app_models_convert_finish(GAsyncResult *result, GError **error);

G_END_DECLS
#endif
