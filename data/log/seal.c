/* seal.c - see seal.h. */
#include "seal.h"

#include <sodium.h>
#include <string.h>

#define FORM 1u
#define COMMIT_BYTES 32u
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_BYTES (1 + COMMIT_BYTES + NONCE_BYTES)
#define BLOCK_BYTES 64u

G_STATIC_ASSERT(STORE_SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
G_STATIC_ASSERT(STORE_SEAL_KEY_BYTES == crypto_generichash_BYTES);

void
store_seal_key(const guint8 subject_key[STORE_SEAL_KEY_BYTES], gint64 number,
               guint8 key[STORE_SEAL_KEY_BYTES])
{
  guint8 message[11 + sizeof number] = "hilum event";

  number = GINT64_TO_BE(number);
  memcpy(message + 11, &number, sizeof number);
  crypto_generichash(key, STORE_SEAL_KEY_BYTES, message, sizeof message, subject_key,
                     STORE_SEAL_KEY_BYTES);
}

static void
commit(const guint8 key[STORE_SEAL_KEY_BYTES], guint8 to[COMMIT_BYTES])
{
  static const guint8 message[] = {'h', 'i', 'l', 'u', 'm', ' ', 'c', 'o', 'm', 'm', 'i', 't'};

  crypto_generichash(to, COMMIT_BYTES, message, sizeof message, key, STORE_SEAL_KEY_BYTES);
}

GByteArray *
store_seal(const guint8 key[STORE_SEAL_KEY_BYTES], const char *text, gsize n,
           const GByteArray *bound_to)
{
  const gsize padded = (n / BLOCK_BYTES + 1) * BLOCK_BYTES;
  GByteArray *sealed = g_byte_array_sized_new((guint)(HEAD_BYTES + padded + TAG_BYTES));
  guint8 *plain = g_malloc0(padded);

  memcpy(plain, text, n);
  plain[n] = 0x80;
  g_byte_array_set_size(sealed, (guint)(HEAD_BYTES + padded + TAG_BYTES));
  sealed->data[0] = FORM;
  commit(key, sealed->data + 1);
  randombytes_buf(sealed->data + 1 + COMMIT_BYTES, NONCE_BYTES);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed->data + HEAD_BYTES, NULL, plain, padded,
                                             bound_to->data, bound_to->len, NULL,
                                             sealed->data + 1 + COMMIT_BYTES, key);
  store_wipe((char *)plain, padded);
  return sealed;
}

char *
store_unseal(const guint8 key[STORE_SEAL_KEY_BYTES], const guint8 *sealed, gsize n_sealed,
             const GByteArray *bound_to, gsize *n)
{
  guint8 expected[COMMIT_BYTES];
  guint8 *plain;
  gsize padded;

  *n = 0;
  if (n_sealed < HEAD_BYTES + BLOCK_BYTES + TAG_BYTES || sealed[0] != FORM) {
    return NULL;
  }
  padded = n_sealed - HEAD_BYTES - TAG_BYTES;
  commit(key, expected);
  plain = g_malloc(padded + 1);
  if (sodium_memcmp(expected, sealed + 1, COMMIT_BYTES) != 0 ||
      crypto_aead_xchacha20poly1305_ietf_decrypt(
          plain, NULL, NULL, sealed + HEAD_BYTES, n_sealed - HEAD_BYTES, bound_to->data,
          bound_to->len, sealed + 1 + COMMIT_BYTES, key) != 0 ||
      padded % BLOCK_BYTES != 0 || sodium_unpad(n, plain, padded, BLOCK_BYTES) != 0) {
    store_wipe((char *)plain, padded + 1);
    *n = 0;
    return NULL;
  }
  plain[*n] = 0;
  return (char *)plain;
}

/* The cipher is a stream: block 0 makes the key of the tag, the text is under those from 1 on. */
char *
store_unseal_unproved(const guint8 key[STORE_SEAL_KEY_BYTES], const guint8 *sealed, gsize n_sealed,
                      gsize *n)
{
  guint8 *plain;
  gsize padded;

  *n = 0;
  if (n_sealed < HEAD_BYTES + BLOCK_BYTES + TAG_BYTES || sealed[0] != FORM) {
    return NULL;
  }
  padded = n_sealed - HEAD_BYTES - TAG_BYTES;
  plain = g_malloc(padded + 1);
  crypto_stream_xchacha20_xor_ic(plain, sealed + HEAD_BYTES, padded, sealed + 1 + COMMIT_BYTES, 1,
                                 key);
  if (padded % BLOCK_BYTES != 0 || sodium_unpad(n, plain, padded, BLOCK_BYTES) != 0) {
    store_wipe((char *)plain, padded + 1);
    *n = 0;
    return NULL;
  }
  plain[*n] = 0;
  return (char *)plain;
}

void
store_wipe(char *text, gsize n)
{
  if (text) {
    sodium_memzero(text, n);
    g_free(text);
  }
}
