/* checksum.h - a fast checksum of 128 bits against damage (not against malice), over bytes that may
 * come in pieces. Private to model/.
 *
 * Eight lanes take a word of 64 bits each in turn: s = rotl(s ^ word, 29) * an odd constant. Each
 * step is one-to-one, so one changed word always changes its lane; the length and the lanes are
 * mixed at the end. */
#ifndef HILUM_MODEL_BASE_CHECKSUM_H
#define HILUM_MODEL_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define MODEL_CHECKSUM_BYTES 16u

typedef struct {
  uint64_t lanes[8], n_bytes;
  uint8_t block[64];
} ModelChecksum;

void model_checksum_init(ModelChecksum *sum);
void model_checksum_update(ModelChecksum *sum, const void *data, size_t n);
void model_checksum_finish(ModelChecksum *sum, uint8_t out[MODEL_CHECKSUM_BYTES]);
/* All at once. */
void model_checksum(const void *data, size_t n, uint8_t out[MODEL_CHECKSUM_BYTES]);

#endif
