/* pictures.c - encoded pictures that an engine keeps for all its sessions. */
#include "engine/pictures.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct ModelPictures {
  pthread_mutex_t lock;
  ModelPicture *first; /* those that are kept */
  size_t n_values;
  uint64_t bytes, limit, clock;
};

ModelPictures *
model_pictures_new(size_t n_values, uint64_t limit, ModelError *err)
{
  ModelPictures *pictures = calloc(1, sizeof *pictures);

  if (!pictures || pthread_mutex_init(&pictures->lock, NULL) != 0) {
    free(pictures);
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for encoded pictures");
    return NULL;
  }
  pictures->n_values = n_values;
  pictures->limit = limit;
  return pictures;
}

static void
picture_free(ModelPicture *picture)
{
  free(picture->rows);
  free(picture);
}

/* With the lock. Never the newest, so that one is kept whatever the limit. */
static void
shrink(ModelPictures *pictures)
{
  const uint64_t each = pictures->n_values * sizeof(float);

  while (pictures->bytes > pictures->limit) {
    ModelPicture **oldest = NULL;
    for (ModelPicture **at = &pictures->first; *at; at = &(*at)->next) {
      if ((*at)->n_users == 0 && (*at)->used < pictures->clock &&
          (!oldest || (*at)->used < (*oldest)->used)) {
        oldest = at;
      }
    }
    if (!oldest) {
      return;
    }
    ModelPicture *gone = *oldest;
    *oldest = gone->next;
    pictures->bytes -= each;
    picture_free(gone);
  }
}

void
model_pictures_free(ModelPictures *pictures)
{
  if (!pictures) {
    return;
  }
  while (pictures->first) {
    ModelPicture *next = pictures->first->next;
    picture_free(pictures->first);
    pictures->first = next;
  }
  pthread_mutex_destroy(&pictures->lock);
  free(pictures);
}

void
model_pictures_set_limit(ModelPictures *pictures, uint64_t limit)
{
  pthread_mutex_lock(&pictures->lock);
  pictures->limit = limit;
  shrink(pictures);
  pthread_mutex_unlock(&pictures->lock);
}

/* With the lock. */
static ModelPicture *
look(ModelPictures *pictures, const char *key)
{
  ModelPicture *picture = pictures->first;

  while (picture && strcmp(picture->key, key) != 0) {
    picture = picture->next;
  }
  return picture;
}

ModelPicture *
model_pictures_find(ModelPictures *pictures, const char key[65])
{
  ModelPicture *found;

  pthread_mutex_lock(&pictures->lock);
  found = look(pictures, key);
  if (found) {
    found->n_users++;
    found->used = ++pictures->clock;
  }
  pthread_mutex_unlock(&pictures->lock);
  return found;
}

ModelPicture *
model_pictures_start(ModelPictures *pictures, const char key[65], ModelError *err)
{
  ModelPicture *picture = calloc(1, sizeof *picture);

  if (picture) {
    picture->rows = calloc(pictures->n_values, sizeof *picture->rows);
  }
  if (!picture || !picture->rows) {
    free(picture);
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a picture's rows");
    return NULL;
  }
  memcpy(picture->key, key, sizeof picture->key);
  picture->n_users = 1;
  return picture;
}

void
model_pictures_keep(ModelPictures *pictures, ModelPicture *picture)
{
  pthread_mutex_lock(&pictures->lock);
  /* Two sessions may have encoded it at the same time: the first one's is kept. */
  if (!picture->is_kept && !look(pictures, picture->key)) {
    picture->is_kept = true;
    picture->used = ++pictures->clock;
    picture->next = pictures->first;
    pictures->first = picture;
    pictures->bytes += pictures->n_values * sizeof *picture->rows;
    shrink(pictures);
  }
  pthread_mutex_unlock(&pictures->lock);
}

void
model_pictures_release(ModelPictures *pictures, ModelPicture *picture)
{
  bool is_last;

  if (!picture) {
    return;
  }
  pthread_mutex_lock(&pictures->lock);
  is_last = --picture->n_users == 0 && !picture->is_kept;
  shrink(pictures);
  pthread_mutex_unlock(&pictures->lock);
  if (is_last) {
    picture_free(picture);
  }
}
