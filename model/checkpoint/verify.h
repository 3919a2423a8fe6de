/* verify.h - holding a file that was just written against its source. Private to model/checkpoint.
 */
#ifndef HILUM_MODEL_CHECKPOINT_VERIFY_H
#define HILUM_MODEL_CHECKPOINT_VERIFY_H

#include "checkpoint/plan.h"

/* Reads the file PATH again and compares rows with CHECKPOINT's: every one, or of each tensor the
 * first, the last and some between, as options->verify says. A difference beyond what a type may
 * round is MODEL_ERROR_IO. Fills n_verified_rows, worst_error and worst_tensor of REPORT. */
bool model_verify_file(const ModelCheckpoint *checkpoint, const ModelPlan *plan,
                       const ModelWriteOptions *options, const char *path,
                       ModelConvertReport *report, ModelError *err);

/* The largest difference of a weight that was stored as TYPE, as a fraction of the largest value of
 * its block. */
double model_type_error(ModelType type);

#endif
