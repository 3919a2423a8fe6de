/* keys-wrap.c - keys under other keys, and what is bound to them. */
#include <string.h>

#include "canonical.h"
#include "keys-private.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
G_STATIC_ASSERT(NONCE + STORE_KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES ==
                STORE_WRAPPED_BYTES);
G_STATIC_ASSERT(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == STORE_KEY_BYTES);

static GByteArray *
bound_to(const char *log_id, StoreWrap kind, gint64 number, const guint8 *identity)
{
  GByteArray *bytes = g_byte_array_new();

  store_canonical_text(bytes, "hilum key 1", 11);
  store_canonical_text(bytes, log_id, strlen(log_id));
  store_canonical_integer(bytes, kind);
  store_canonical_integer(bytes, number);
  if (identity) {
    store_canonical_blob(bytes, identity, 32);
  }
  return bytes;
}

void
store_keys_wrap(const char *log_id, StoreWrap kind, gint64 number, const guint8 *identity,
                const guint8 by[STORE_KEY_BYTES], const guint8 key[STORE_KEY_BYTES],
                guint8 wrapped[STORE_WRAPPED_BYTES])
{
  g_autoptr(GByteArray) bound = bound_to(log_id, kind, number, identity);

  randombytes_buf(wrapped, NONCE);
  crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped + NONCE, NULL, key, STORE_KEY_BYTES,
                                             bound->data, bound->len, NULL, wrapped, by);
}

gboolean
store_keys_unwrap(const char *log_id, StoreWrap kind, gint64 number, const guint8 *identity,
                  const guint8 by[STORE_KEY_BYTES], const guint8 wrapped[STORE_WRAPPED_BYTES],
                  guint8 key[STORE_KEY_BYTES])
{
  g_autoptr(GByteArray) bound = bound_to(log_id, kind, number, identity);

  return crypto_aead_xchacha20poly1305_ietf_decrypt(key, NULL, NULL, wrapped + NONCE,
                                                    STORE_WRAPPED_BYTES - NONCE, bound->data,
                                                    bound->len, wrapped, by) == 0;
}

void
store_keys_hash(const guint8 key[STORE_KEY_BYTES], const char *purpose, const void *bytes, gsize n,
                guint8 hash[32])
{
  g_autoptr(GByteArray) text = g_byte_array_new();

  store_canonical_text(text, purpose, strlen(purpose));
  if (bytes) {
    store_canonical_blob(text, bytes, n);
  }
  crypto_generichash(hash, 32, text->data, text->len, key, STORE_KEY_BYTES);
  sodium_memzero(text->data, text->len);
}

void
store_root_check(const StoreRoot *root, const guint8 key[STORE_KEY_BYTES], guint8 check[32])
{
  store_keys_hash(key, "hilum root check 1", root->log_id, strlen(root->log_id), check);
}

void
store_root_mac(const StoreRoot *root, const guint8 key[STORE_KEY_BYTES], guint8 mac[32])
{
  g_autoptr(GByteArray) bytes = g_byte_array_new();

  store_canonical_text(bytes, root->log_id, strlen(root->log_id));
  store_canonical_integer(bytes, root->protection);
  store_canonical_integer(bytes, root->last_subject);
  store_canonical_blob(bytes, root->salt, sizeof root->salt);
  store_canonical_integer(bytes, root->ops);
  store_canonical_integer(bytes, root->memory);
  store_canonical_blob(bytes, root->check, sizeof root->check);
  if (root->has_pending) {
    store_canonical_blob(bytes, root->pending, sizeof root->pending);
  }
  store_canonical_integer(bytes, root->leftover);
  store_keys_hash(key, "hilum root row 1", bytes->data, bytes->len, mac);
}
