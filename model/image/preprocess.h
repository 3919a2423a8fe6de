/* preprocess.h - the one picture preparation, for inference and training alike. Private to model/.
 * Follows LLaVA's process_images and Pillow's bicubic, bit for bit (facts 2). */
#ifndef HILUM_MODEL_PREPROCESS_H
#define HILUM_MODEL_PREPROCESS_H

#include "checkpoint/checkpoint.h"

/* out: [size][size][3] RGB, before /255. Takes memory for one padded picture at most. */
bool model_image_square(const ModelVisionConfig *vision, ModelAspect aspect,
                        const ModelImage *image, uint8_t *out, ModelError *err);
/* u8 [size][size][3] -> out [3][size][size] = (x/255 - mean)/std. */
void model_image_normalise(const ModelVisionConfig *vision, const uint8_t *u8, float *out);

#endif
