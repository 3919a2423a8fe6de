/* sight.c - whether a model sees at all.
 *
 * A tower that was not loaded, or was lost in a conversion, gives the same rows for every picture,
 * and the decoder answers all the same: fluently, and of nothing (LLaVA-Med's issue 130). So two
 * very different pictures go through tower and projector at load. A few patches of them do: every
 * weight matrix takes part, at some hundredths of a picture's cost.
 */
#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "image/preprocess.h"

#define PATCHES 16u
/* Of their length: trained towers differ by far more, one that does not see by nothing. */
#define LEAST_DIFFERENCE 1e-4

/* A black picture, or (BRIGHT) a pattern of many colours. */
static void
paint(uint8_t *u8, uint32_t side, bool bright)
{
  for (uint32_t y = 0; y < side; y++) {
    for (uint32_t x = 0; x < side; x++, u8 += 3) {
      u8[0] = bright ? (uint8_t)(255 - x * 7 % 64) : 0;
      u8[1] = bright && (x / 3 + y / 5) % 2 ? 255 : 0;
      u8[2] = bright ? (uint8_t)(128 + y * 11 % 128) : 0;
    }
  }
}

typedef struct {
  uint8_t *u8;
  float *pixels, *features, *rows[2];
} Sight;

static bool
sight_init(Sight *sight, const ModelEngine *engine, uint32_t n, ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;
  const size_t n_pixels = 3 * (size_t)config->vision.image_size * config->vision.image_size;

  sight->u8 = calloc(n_pixels, 1);
  sight->pixels = calloc(n_pixels, sizeof(float));
  sight->features = calloc(n, config->vision.hidden * sizeof(float));
  sight->rows[0] = calloc(n, config->decoder.hidden * sizeof(float));
  sight->rows[1] = calloc(n, config->decoder.hidden * sizeof(float));
  return (sight->u8 && sight->pixels && sight->features && sight->rows[0] && sight->rows[1]) ||
         model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for looking at two pictures");
}

static void
sight_clear(Sight *sight)
{
  free(sight->u8);
  free(sight->pixels);
  free(sight->features);
  free(sight->rows[0]);
  free(sight->rows[1]);
}

static bool
look(Sight *sight, const ModelEngine *engine, uint32_t n, bool bright, ModelError *err)
{
  const ModelVisionConfig *vision = &engine->checkpoint.config.vision;

  paint(sight->u8, vision->image_size, bright);
  model_image_normalise(vision, sight->u8, sight->pixels);
  return model_vision_encode_some(engine, sight->pixels, n, NULL, sight->features, err) &&
         model_project_some(engine, sight->features, n, sight->rows[bright], err);
}

static bool
compare(const Sight *sight, const ModelEngine *engine, uint32_t n, ModelError *err)
{
  const size_t n_values = (size_t)n * engine->checkpoint.config.decoder.hidden;
  const float *a = sight->rows[0], *b = sight->rows[1];
  double difference = 0, length = 0;

  for (size_t i = 0; i < n_values; i++) {
    difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    length += (double)a[i] * a[i] + (double)b[i] * b[i];
  }
  if (!isfinite(length)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the vision tower gives numbers that are none: its weights are damaged",
                      engine->checkpoint.path);
  }
  if (!(difference > LEAST_DIFFERENCE * LEAST_DIFFERENCE * length)) {
    return model_fail(
        err, MODEL_ERROR_CORRUPT,
        "%s: the model is blind: two very different pictures (one black, one a bright "
        "pattern) look the same to it, so its answers would be about no image. Its "
        "vision tower or projector is empty or damaged; convert or fetch it again",
        engine->checkpoint.path);
  }
  return true;
}

bool
model_engine_check_sight(const ModelEngine *engine, ModelError *err)
{
  const uint32_t n = engine->n_patches < PATCHES ? engine->n_patches : PATCHES;
  Sight sight = {0};
  bool ok;

  if (!engine->checkpoint.config.has_vision) {
    return true;
  }
  ok = model_engine_check_ready(engine, err) && sight_init(&sight, engine, n, err) &&
       look(&sight, engine, n, false, err) && model_checkpoint_go_on(&engine->checkpoint, err) &&
       look(&sight, engine, n, true, err) && compare(&sight, engine, n, err);
  sight_clear(&sight);
  return ok;
}
