/* card.h - the model card that a converted file carries. Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_CARD_H
#define HILUM_MODEL_CHECKPOINT_CARD_H

#include "checkpoint/write.h"

/* CARD, or NULL: the checkpoint's own, less its section "Conversion", and a new one of that: what
 * was converted, into which types, what was merged into it. No dates and no folders: the same input
 * gives the same text. Caller frees *made. */
bool model_card_make(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                     const char *card, char **made, ModelError *err);

#endif
