/* seal.h - a text under the key of its subject. Private to the room.
 *
 * Event number N of subject S is sealed under a key of its own, BLAKE2b-256 of "hilum event" and N
 * (big-endian) keyed with S's key, so that one event can be shown to others without the rest. What
 * lies in the row is
 *   1 byte    1: this form
 *   32 bytes  BLAKE2b-256 of "hilum commit" keyed with the event's key: no other key can pass for
 * it 24 bytes  nonce, random the rest  XChaCha20-Poly1305 of the text, padded to a multiple of 64
 * bytes (0x80, then zeros), bound to the bytes of the row without it (row.h)
 */
#ifndef HILUM_DATA_LOG_SEAL_H
#define HILUM_DATA_LOG_SEAL_H

#include <glib.h>

G_BEGIN_DECLS

#define STORE_SEAL_KEY_BYTES 32u

void store_seal_key(const guint8 subject_key[STORE_SEAL_KEY_BYTES], gint64 number,
                    guint8 key[STORE_SEAL_KEY_BYTES]);
GByteArray *store_seal(const guint8 key[STORE_SEAL_KEY_BYTES], const char *text, gsize n,
                       const GByteArray *bound_to);
/* NULL when SEALED is not what was sealed under KEY and bound so. The text ends with a NUL beyond
 * *n; the caller wipes it with store_wipe(). */
char *store_unseal(const guint8 key[STORE_SEAL_KEY_BYTES], const guint8 *sealed, gsize n_sealed,
                   const GByteArray *bound_to, gsize *n);
/* The same of what is bound to bytes that were changed since: the text is as it was written only as
 * far as the caller can see, for nothing proves it. */
char *store_unseal_unproved(const guint8 key[STORE_SEAL_KEY_BYTES], const guint8 *sealed,
                            gsize n_sealed, gsize *n);
/* Overwrites and frees; NULL is allowed. */
void store_wipe(char *text, gsize n);

G_END_DECLS
#endif
