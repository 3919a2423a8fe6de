/* sha256.h - SHA-256 (FIPS 180-4), so that the model room needs no library for identities. */
#ifndef HILUM_MODEL_BASE_SHA256_H
#define HILUM_MODEL_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t state[8];
  uint64_t n_bytes;
  uint8_t block[64];
} ModelSha256;

void model_sha256_init(ModelSha256 *sha);
void model_sha256_update(ModelSha256 *sha, const void *data, size_t n);
void model_sha256_finish(ModelSha256 *sha, char hex[65]);

#endif
