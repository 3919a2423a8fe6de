/* note.c - see note.h. */
#include "note.h"

#include <sodium.h>
#include <string.h>

#include "store.h"

#define ED25519 0x01
#define DASH "\xe2\x80\x94 "
#define SIGNATURE_BYTES (4u + crypto_sign_BYTES)

/* ---- keys ------------------------------------------------------------------------------------ */

void
store_verifier_clear(StoreVerifier *verifier)
{
  g_clear_pointer(&verifier->name, g_free);
}

void
store_signer_clear(StoreSigner *signer)
{
  store_verifier_clear(&signer->verifier);
  sodium_memzero(signer->secret_key, sizeof signer->secret_key);
}

/* Neither spaces nor '+' (c2sp.org/signed-note); and plain ASCII, so that no two look alike. */
static gboolean
is_name(const char *name)
{
  gsize n = 0;

  for (; name[n] && n <= STORE_NAME_MOST_BYTES; n++) {
    if (!g_ascii_isgraph(name[n]) || name[n] == '+') {
      return FALSE;
    }
  }
  return n > 0 && n <= STORE_NAME_MOST_BYTES;
}

static guint32
key_id(const StoreVerifier *verifier)
{
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  static const guint8 kind[2] = {'\n', ED25519};
  StoreHash hash;

  g_byte_array_append(bytes, (const guint8 *)verifier->name, (guint)strlen(verifier->name));
  g_byte_array_append(bytes, kind, sizeof kind);
  g_byte_array_append(bytes, verifier->public_key, sizeof verifier->public_key);
  hash = store_hash(bytes->data, bytes->len);
  return (guint32)hash.bytes[0] << 24 | (guint32)hash.bytes[1] << 16 | (guint32)hash.bytes[2] << 8 |
         hash.bytes[3];
}

gboolean
store_signer_init(StoreSigner *signer, const char *name, const guint8 seed[32], GError **error)
{
  memset(signer, 0, sizeof *signer);
  if (!is_name(name)) {
    g_set_error_literal(
        error, STORE_ERROR, STORE_ERROR_INVALID,
        "a log's name: expected letters, digits and signs other than '+', no spaces");
    return FALSE;
  }
  if (crypto_sign_seed_keypair(signer->verifier.public_key, signer->secret_key, seed) != 0) {
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_INVALID, "no key comes of this seed");
    return FALSE;
  }
  signer->verifier.name = g_strdup(name);
  return TRUE;
}

char *
store_verifier_text(const StoreVerifier *verifier)
{
  guint8 key[33];
  g_autofree char *base64 = NULL;

  key[0] = ED25519;
  memcpy(key + 1, verifier->public_key, 32);
  base64 = g_base64_encode(key, sizeof key);
  return g_strdup_printf("%s+%08x+%s", verifier->name, key_id(verifier), base64);
}

/* Strict: one way to write each string of bytes. *N is how many there must be. */
static gboolean
decode(const char *base64, gsize length, guint8 *bytes, gsize n)
{
  gsize found;
  const char *end;

  return sodium_base642bin(bytes, n, base64, length, NULL, &found, &end,
                           sodium_base64_VARIANT_ORIGINAL) == 0 &&
         found == n && end == base64 + length;
}

gboolean
store_verifier_parse(StoreVerifier *verifier, const char *text, GError **error)
{
  g_autofree char *line = g_strdup(text);
  g_auto(GStrv) parts = NULL;
  g_autofree char *again = NULL;
  guint8 key[33];

  memset(verifier, 0, sizeof *verifier);
  g_strchomp(line);
  /* The base64 may hold a '+', the name may not. */
  parts = g_strsplit(line, "+", 3);
  if (g_strv_length(parts) == 3 && is_name(parts[0]) &&
      decode(parts[2], strlen(parts[2]), key, sizeof key) && key[0] == ED25519) {
    verifier->name = g_strdup(parts[0]);
    memcpy(verifier->public_key, key + 1, 32);
    again = store_verifier_text(verifier);
    if (strcmp(again, line) == 0) {
      return TRUE;
    }
    store_verifier_clear(verifier);
  }
  g_set_error_literal(error, STORE_ERROR, STORE_ERROR_FORMAT,
                      "a public key: expected NAME+ID+KEY, with the id of this very name and key");
  return FALSE;
}

/* ---- notes ----------------------------------------------------------------------------------- */

char *
store_note_sign(const StoreSigner *signer, const char *text)
{
  const guint32 id = key_id(&signer->verifier);
  guint8 signature[SIGNATURE_BYTES] = {(guint8)(id >> 24), (guint8)(id >> 16), (guint8)(id >> 8),
                                       (guint8)id};
  g_autofree char *base64 = NULL;

  g_return_val_if_fail(g_str_has_suffix(text, "\n"), NULL);
  crypto_sign_detached(signature + 4, NULL, (const guint8 *)text, strlen(text), signer->secret_key);
  base64 = g_base64_encode(signature, sizeof signature);
  return g_strconcat(text, "\n" DASH, signer->verifier.name, " ", base64, "\n", NULL);
}

/* A line "— NAME BASE64" by VERIFIER's name and key id: its signature. */
static gboolean
is_signature_of(const StoreVerifier *verifier, const char *line, guint8 signature[SIGNATURE_BYTES])
{
  const guint32 id = key_id(verifier);
  const gsize n_name = strlen(verifier->name);
  const char *at = line + strlen(DASH);

  if (strncmp(at, verifier->name, n_name) != 0 || at[n_name] != ' ') {
    return FALSE;
  }
  at += n_name + 1;
  return decode(at, strlen(at), signature, SIGNATURE_BYTES) && signature[0] == (guint8)(id >> 24) &&
         signature[1] == (guint8)(id >> 16) && signature[2] == (guint8)(id >> 8) &&
         signature[3] == (guint8)id;
}

static gboolean
refuse(GError **error, const char *why)
{
  g_set_error(error, STORE_ERROR, STORE_ERROR_FORMAT, "a signed note: %s", why);
  return FALSE;
}

gboolean
store_note_open(const StoreVerifier *verifier, const char *note, char **text, GError **error)
{
  const gsize n = strnlen(note, STORE_NOTE_MOST_BYTES + 1);
  const char *blank;
  g_auto(GStrv) lines = NULL;
  guint8 signature[SIGNATURE_BYTES];
  gboolean found = FALSE;

  if (n > STORE_NOTE_MOST_BYTES || !g_utf8_validate(note, (gssize)n, NULL)) {
    return refuse(error, "expected at most 64 KiB of UTF-8");
  }
  /* The signatures come after the last blank line. */
  blank = g_strrstr(note, "\n\n");
  if (!blank || blank == note || !g_str_has_suffix(note, "\n")) {
    return refuse(error, "expected a text, a blank line and signatures");
  }
  lines = g_strsplit(blank + 2, "\n", -1);
  for (guint i = 0; lines[i] && lines[i + 1]; i++) {
    if (!g_str_has_prefix(lines[i], DASH)) {
      return refuse(error, "a line behind the blank one is no signature");
    }
    if (is_signature_of(verifier, lines[i], signature)) {
      if (crypto_sign_verify_detached(signature + 4, (const guint8 *)note,
                                      (guint64)(blank + 1 - note), verifier->public_key) != 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_CORRUPT,
                    "a signed note: the signature of %s is not one of this text", verifier->name);
        return FALSE;
      }
      found = TRUE;
    }
  }
  if (!found) {
    g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND, "a signed note: no signature of %s",
                verifier->name);
    return FALSE;
  }
  if (text) {
    *text = g_strndup(note, (gsize)(blank + 1 - note));
  }
  return TRUE;
}

/* ---- checkpoints ------------------------------------------------------------------------------
 */

char *
store_checkpoint_text(const char *name, const StoreCheckpoint *checkpoint)
{
  g_autofree char *root = g_base64_encode(checkpoint->root.bytes, STORE_HASH_BYTES);

  return g_strdup_printf("%s\n%" G_GUINT64_FORMAT "\n%s\n", name, checkpoint->size, root);
}

gboolean
store_checkpoint_parse(StoreCheckpoint *checkpoint, const char *text, const char *name,
                       GError **error)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  const guint n = g_strv_length(lines);

  if (n < 4 || *lines[n - 1] || strcmp(lines[0], name) != 0) {
    g_set_error(error, STORE_ERROR, STORE_ERROR_FORMAT,
                "a checkpoint: expected the log's name \"%s\", its size and its root, a line each",
                name);
    return FALSE;
  }
  if ((lines[1][0] == '0' && lines[1][1]) ||
      !g_ascii_string_to_unsigned(lines[1], 10, 0, G_MAXINT64, &checkpoint->size, NULL) ||
      !g_ascii_isdigit(lines[1][0]) ||
      !decode(lines[2], strlen(lines[2]), checkpoint->root.bytes, STORE_HASH_BYTES)) {
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_FORMAT,
                        "a checkpoint: expected a number of rows and the base64 of 32 bytes");
    return FALSE;
  }
  for (guint i = 3; i + 1 < n; i++) {
    if (!*lines[i]) {
      g_set_error_literal(error, STORE_ERROR, STORE_ERROR_FORMAT, "a checkpoint: an empty line");
      return FALSE;
    }
  }
  return TRUE;
}
