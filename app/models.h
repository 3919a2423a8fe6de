/* models.h - what models.c and models-async.c share. Not for others. */
#ifndef HILUM_APP_MODELS_INSIDE_H
#define HILUM_APP_MODELS_INSIDE_H

#include "app_models.h"

G_BEGIN_DECLS

/* Synchronous twins of app_models_info_async() and app_models_list_async(). */
JsonNode *app_models_read(const char *path, gboolean hash, GError **error);
GPtrArray *app_models_list(const char *folder, const char *const *paths, GCancellable *cancellable,
                           GError **error);

G_END_DECLS
#endif
