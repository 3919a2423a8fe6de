/* sha256.h - SHA-256 (FIPS 180-4) of one message, or of two at once. Private to the room.
 *
 * Where the processor has instructions for it (x86 with SHA extensions) these are used, four times
 * as fast as libsodium's, which is used elsewhere. One message keeps the processor waiting for its
 * own last round; a second one fills the gaps.
 */
#ifndef HILUM_DATA_LOG_SHA256_H
#define HILUM_DATA_LOG_SHA256_H

#include <glib.h>

G_BEGIN_DECLS

#define STORE_SHA256_BYTES 32u

typedef struct {
  const void *bytes;
  gsize n;
  guint8 hash[STORE_SHA256_BYTES]; /* the result */
} StoreMessage;

void store_sha256(StoreMessage *message);
void store_sha256_two(StoreMessage *a, StoreMessage *b);
/* The same without the processor's own instructions, for tests. */
void store_sha256_plain(StoreMessage *message);

G_END_DECLS
#endif
