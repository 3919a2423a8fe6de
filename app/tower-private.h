/* tower-private.h - the parts of tower.c share this.
 *
 * Invariants of an AppTower that was made:
 * 1. Exactly one of `engine` and `clip` is there.
 * 2. Either `examples` has been learnt from (`centre`, `means`, `counts`), or there are `classes`,
 *    whose directions are of length 1; nothing changes then. */
#ifndef HILUM_APP_TOWER_PRIVATE_H
#define HILUM_APP_TOWER_PRIVATE_H

#include "model_clip.h"
#include "private.h"
#include "tower.h"

typedef struct {
  guint kind;
  float *features; /* as the tower gives them, of length `width` */
} AppTowerExample;

/* One of what a picture may be of; static, but for the direction. */
typedef struct {
  DataDomain domain;
  const char *name; /* of one that is none of the five; else NULL */
  float *direction; /* [width] */
} AppTowerClass;

struct _AppTower {
  ModelEngine *engine;
  ModelClip *clip;
  GMutex lock; /* one picture at a time */
  guint width;
  /* By examples. */
  GArray *examples; /* of AppTowerExample */
  double *centre, *means[DATA_N_DOMAINS];
  guint counts[DATA_N_DOMAINS];
  double accuracy;
  /* By prompts. */
  GArray *classes; /* of AppTowerClass, or NULL */
  guint n_prompts;
  double scale;
};

/* What the tower sees in PICTURE, of length `width`, which it sets; g_free(). */
float *app_tower_see(AppTower *tower, const DicomPicture *picture, GError **error);

/* tower-examples.c */
gboolean app_tower_learn(AppTower *tower, const char *examples, GError **error);
void app_tower_tell_by_examples(const AppTower *tower, const float *features, PmcPicture *seen);

/* tower-prompts.c */
gboolean app_tower_prompt(AppTower *tower, GError **error);
void app_tower_tell_by_prompts(const AppTower *tower, const float *features, PmcPicture *seen);
void app_tower_class_clear(gpointer of);

#endif
