/* checksum.c - a fast checksum against damage. */
#include "base/checksum.h"

#include <string.h>

#include "base/random.h"

void
model_checksum_init(ModelChecksum *sum)
{
  uint64_t state = 0;

  *sum = (ModelChecksum){0};
  for (int i = 0; i < 8; i++) {
    sum->lanes[i] = model_splitmix64(&state);
  }
}

static void
take(uint64_t lanes[8], const uint8_t *block)
{
  uint64_t words[8];

  memcpy(words, block, sizeof words);
  for (int i = 0; i < 8; i++) {
    const uint64_t x = lanes[i] ^ words[i];
    lanes[i] = (x << 29 | x >> 35) * 0x9e3779b97f4a7c15u;
  }
}

void
model_checksum_update(ModelChecksum *sum, const void *data, size_t n)
{
  const uint8_t *bytes = data;
  const size_t used = sum->n_bytes % 64;

  sum->n_bytes += n;
  if (used > 0) {
    const size_t part = n < 64 - used ? n : 64 - used;
    memcpy(sum->block + used, bytes, part);
    if (used + part < 64) {
      return;
    }
    take(sum->lanes, sum->block);
    bytes += part;
    n -= part;
  }
  for (; n >= 64; bytes += 64, n -= 64) {
    take(sum->lanes, bytes);
  }
  if (n > 0) {
    memcpy(sum->block, bytes, n);
  }
}

static uint64_t
mixed(uint64_t state)
{
  return model_splitmix64(&state);
}

void
model_checksum_finish(ModelChecksum *sum, uint8_t out[MODEL_CHECKSUM_BYTES])
{
  uint64_t low = sum->n_bytes, high = ~sum->n_bytes;

  if (sum->n_bytes % 64 > 0) {
    memset(sum->block + sum->n_bytes % 64, 0, 64 - sum->n_bytes % 64);
    take(sum->lanes, sum->block);
  }
  for (int i = 0; i < 8; i++) {
    low = mixed(low ^ sum->lanes[i]);
    high = mixed(high + sum->lanes[7 - i]);
  }
  memcpy(out, &low, 8);
  memcpy(out + 8, &high, 8);
}

void
model_checksum(const void *data, size_t n, uint8_t out[MODEL_CHECKSUM_BYTES])
{
  ModelChecksum sum;

  model_checksum_init(&sum);
  model_checksum_update(&sum, data, n);
  model_checksum_finish(&sum, out);
}
