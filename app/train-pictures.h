/* train-pictures.h - pictures of a training run, decoded once. Private to app. */
#ifndef HILUM_APP_TRAIN_PICTURES_H
#define HILUM_APP_TRAIN_PICTURES_H

#include "private.h"
#include "train.h"

G_BEGIN_DECLS

typedef struct _AppTrainPictures AppTrainPictures;

/* RUN is borrowed. FOLDER: where names are below. LIMIT: bytes of prepared pictures to keep. */
AppTrainPictures *app_train_pictures_new(const TrainRun *run, const char *folder, guint64 limit);
void app_train_pictures_free(AppTrainPictures *pictures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTrainPictures, app_train_pictures_free)

/* Another picture to prepare ahead. FALSE: the limit is reached, or NAME leaves the folder. */
gboolean app_train_pictures_add(AppTrainPictures *pictures, const char *name, GError **error);
/* Prepares what was added, on N_THREADS threads; PROGRESS in the calling thread, FALSE stops. */
gboolean app_train_pictures_prepare(AppTrainPictures *pictures, guint n_threads,
                                    AppProgress progress, gpointer user, GError **error);
/* The square of NAME, valid until the next call. */
gboolean app_train_pictures_get(AppTrainPictures *pictures, const char *name, ModelImage *image,
                                GError **error);

G_END_DECLS
#endif
