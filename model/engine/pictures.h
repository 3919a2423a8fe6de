/* pictures.h - encoded pictures that an engine keeps for all its sessions. Private to model/engine.
 *
 * Bounded in bytes: what was used longest ago goes. Any thread; a picture in use is never freed.
 * Rows are written by one thread before the picture is kept, and only read afterwards. */
#ifndef HILUM_MODEL_PICTURES_H
#define HILUM_MODEL_PICTURES_H

#include "model.h"

typedef struct ModelPictures ModelPictures;
typedef struct ModelPicture ModelPicture;
struct ModelPicture {
  char key[65];
  float *rows; /* [n_patches][hidden] */
  /* Of pictures.c: */
  uint32_t n_users;
  bool is_kept;
  uint64_t used;
  ModelPicture *next;
};

/* About five pictures of a 7B model: those of one conversation and the ones before. */
#define MODEL_PICTURES_BYTES (UINT64_C(48) << 20)

/* N_VALUES floats each, at most LIMIT bytes of those that nobody uses (but always one). */
ModelPictures *model_pictures_new(size_t n_values, uint64_t limit, ModelError *err);
/* PICTURES may be NULL. All must have been released. */
void model_pictures_free(ModelPictures *pictures);
void model_pictures_set_limit(ModelPictures *pictures, uint64_t limit);

/* The picture that is kept under KEY, or NULL; model_pictures_release(). */
ModelPicture *model_pictures_find(ModelPictures *pictures, const char key[65]);
/* An empty one to fill; nobody else finds it before it is kept. */
ModelPicture *model_pictures_start(ModelPictures *pictures, const char key[65], ModelError *err);
void model_pictures_keep(ModelPictures *pictures, ModelPicture *picture);
/* PICTURE may be NULL. One that was not kept is freed. */
void model_pictures_release(ModelPictures *pictures, ModelPicture *picture);

#endif
