/* picture_store.c - encoded pictures by key: what they are good for, and taking them out of an
 * engine and putting them back.
 *
 * A picture that was taken out: "HilumPic", version, number of values (both 32 bits), its key (64
 * hex digits), the values as little-endian float32, a checksum of all that (128 bits). */
#include "engine/pictures.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/error.h"
#include "base/random.h"
#include "base/sha256.h"
#include "checkpoint/write.h"
#include "engine/engine.h"

/* To be raised whenever tower, projector or decoder begin to compute otherwise. */
#define ARITHMETIC "1"
#define HEADER 80u
#define VERSION 1u

/* ---- what rows, keys and values depend on -------------------------------------------------- */

enum { PROBE_M = 40, PROBE_N = 70, PROBE_K = 300 };

/* The bits of a product: float32 is summed up in another order on another processor. */
static bool
probe(const ModelEngine *engine, char hex[65], ModelError *err)
{
  float *x = calloc(PROBE_M * PROBE_K + PROBE_N * PROBE_K + PROBE_M * PROBE_N, sizeof *x);
  float *w, *y;
  ModelTensor tensor = {.name = "probe",
                        .n_bytes = PROBE_N * PROBE_K * sizeof *w,
                        .shape = {PROBE_N, PROBE_K},
                        .n_dims = 2,
                        .type = MODEL_TYPE_F32};
  ModelRandom random;

  if (!x) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a model's identity");
  }
  w = x + PROBE_M * PROBE_K;
  y = w + PROBE_N * PROBE_K;
  model_random_seed(&random, 1);
  for (size_t i = 0; i < PROBE_M * PROBE_K + PROBE_N * PROBE_K; i++) {
    x[i] = (float)((double)(model_random_next(&random) >> 11) * 0x1p-52 - 1);
  }
  tensor.data = (const uint8_t *)w;
  model_matmul(engine->pool, &tensor, NULL, x, PROBE_M, y);
  model_sha256(y, PROBE_M * PROBE_N * sizeof *y, hex);
  free(x);
  return true;
}

static void
identify(const ModelEngine *engine, const char *bits, bool pictures, char hex[65])
{
  ModelSha256 sha;
  char glance[65];

  model_checkpoint_glance(&engine->checkpoint, pictures, glance);
  model_sha256_init(&sha);
  model_sha256_update(&sha, ARITHMETIC, sizeof ARITHMETIC);
  model_sha256_update(&sha, bits, 64);
  model_sha256_update(&sha, glance, 64);
  /* Small models are computed with dequantised weights, large ones with packed ones. */
  model_sha256_update(&sha, engine->arena ? "arena" : engine->packs ? "packs" : "files", 5);
  model_sha256_finish(&sha, hex);
}

bool
model_engine_identify(ModelEngine *engine, ModelError *err)
{
  char bits[65];

  if (!probe(engine, bits, err)) {
    return false;
  }
  identify(engine, bits, false, engine->identity);
  identify(engine, bits, true, engine->picture_identity);
  return true;
}

void
model_square_key(const ModelEngine *engine, const uint8_t *square, char key[65])
{
  const uint32_t side = engine->checkpoint.config.vision.image_size;
  ModelSha256 sha;

  model_sha256_init(&sha);
  model_sha256_update(&sha, engine->picture_identity, 64);
  model_sha256_update(&sha, square, 3 * (size_t)side * side);
  model_sha256_finish(&sha, key);
}

bool
model_picture_key(const ModelEngine *engine, const ModelImage *image, char key[65], ModelError *err)
{
  uint32_t side;
  uint8_t *square = model_preprocess(engine, image, &side, err);

  if (!square) {
    return false;
  }
  model_square_key(engine, square, key);
  free(square);
  return true;
}

/* ---- out and in --------------------------------------------------------------------------- */

static size_t
n_values(const ModelEngine *engine)
{
  return (size_t)engine->n_patches * engine->checkpoint.config.decoder.hidden;
}

size_t
model_picture_bytes(const ModelEngine *engine)
{
  return HEADER + n_values(engine) * sizeof(float) + MODEL_CHECKSUM_BYTES;
}

static void
put_header(const ModelEngine *engine, const char key[65], uint8_t header[HEADER])
{
  const uint32_t numbers[] = {VERSION, (uint32_t)n_values(engine)};

  memcpy(header, "HilumPic", 8);
  memcpy(header + 8, numbers, 8);
  memcpy(header + 16, key, 64);
}

bool
model_picture_is_kept(const ModelEngine *engine, const char key[65])
{
  ModelPicture *picture = engine->pictures ? model_pictures_find(engine->pictures, key) : NULL;

  model_pictures_release(engine->pictures, picture);
  return picture != NULL;
}

bool
model_picture_take(const ModelEngine *engine, const char key[65], uint8_t *bytes)
{
  const size_t n = n_values(engine) * sizeof(float);
  ModelPicture *picture = engine->pictures ? model_pictures_find(engine->pictures, key) : NULL;

  if (!picture) {
    return false;
  }
  put_header(engine, key, bytes);
  memcpy(bytes + HEADER, picture->rows, n);
  model_checksum(bytes, HEADER + n, bytes + HEADER + n);
  model_pictures_release(engine->pictures, picture);
  return true;
}

bool
model_picture_put(const ModelEngine *engine, const char key[65], const uint8_t *bytes, size_t n,
                  ModelError *err)
{
  uint8_t header[HEADER], sum[MODEL_CHECKSUM_BYTES];
  ModelPicture *picture;

  if (!engine->pictures || n != model_picture_bytes(engine)) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "encoded picture: found %zu bytes, expected %zu", n,
                      engine->pictures ? model_picture_bytes(engine) : 0);
  }
  put_header(engine, key, header);
  model_checksum(bytes, n - sizeof sum, sum);
  if (memcmp(bytes, header, HEADER) != 0 || memcmp(bytes + n - sizeof sum, sum, sizeof sum) != 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "encoded picture: it is damaged, or another's");
  }
  picture = model_pictures_start(engine->pictures, key, err);
  if (!picture) {
    return false;
  }
  memcpy(picture->rows, bytes + HEADER, n_values(engine) * sizeof(float));
  model_pictures_keep(engine->pictures, picture);
  model_pictures_release(engine->pictures, picture);
  return true;
}

void
model_pictures_limit(const ModelEngine *engine, uint64_t bytes)
{
  if (engine->pictures) {
    model_pictures_set_limit(engine->pictures, bytes);
  }
}
