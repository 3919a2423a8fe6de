/* run.h - what a TrainRun holds. Private to model/train and its tests. */
#ifndef HILUM_TRAIN_RUN_H
#define HILUM_TRAIN_RUN_H

#include "batch.h"
#include "core.h"

struct TrainRun {
  TrainOptions options; /* strings below */
  char template_name[64];
  ModelCheckpoint checkpoint;
  ModelTokenizer *tokenizer;
  TrainCore core;
  TrainBatch batch;
  ModelMask mask;
};

#endif
