/* save.h - checkpoints of a run that can be resumed. Private to model/train.
 *
 * One file in the folder. A checkpoint counts only once it is whole: it is written aside, synced,
 * renamed over the one before, and ends with the SHA-256 of what comes before. */
#ifndef HILUM_TRAIN_SAVE_H
#define HILUM_TRAIN_SAVE_H

#include "core.h"
#include "order.h"

#define TRAIN_CHECKPOINT_NAME "hilum-train.checkpoint"

typedef struct {
  char magic[8];
  uint32_t version, parts;
  uint64_t step, steps, n_gradient, updates, samples, tokens, mismatches;
  double seconds;
  char fingerprint[65]; /* of options, data counts and starting weights */
  char reserved[7];
  TrainOrderState order;
} TrainSaved;

bool train_save(const char *folder, const TrainSaved *saved, const TrainCore *core,
                ModelError *err);
/* *FOUND false: there is none. Otherwise SAVED and the trained weights and moments of CORE are
 * filled; an error when the file is damaged or of another run than EXPECTED->fingerprint, and CORE
 * is as it was then. */
bool train_load(const char *folder, const TrainSaved *expected, TrainSaved *saved, TrainCore *core,
                bool *found, ModelError *err);

#endif
