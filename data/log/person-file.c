/* person-file.c - LOG.people: what was read of people, so that not all events need be read for it
 * again.
 *
 * 1. It is derived and may be deleted: what it says ends with one event, whose hash it names, and
 *    all events behind that are read in any case. An older copy of it only costs time.
 * 2. It is sealed under a key of the log and bound to it, for it holds what PINs are held against:
 *    nobody without the root key can make one, or learn from it.
 */
#include "person.h"

#include <sodium.h>
#include <string.h>

#include "keys.h"
#include "seal.h"

#define MAGIC "hilum people 1\n"
#define MOST_BYTES (1u << 20)
/* Events behind it from which on it is written anew. */
#define WORTH_EVENTS 2048
#define TYPE G_VARIANT_TYPE("(xayba(xsmsssuayay))")
#define HEAD_BYTES (sizeof MAGIC - 1 + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)

/* What it is bound to: the log, and how this program lays out what it keeps. */
static char *
binding_of(StoreLog *log)
{
  return g_strdup_printf("%s%s %zu %zu", MAGIC, log->log_id, sizeof(StorePin), sizeof(StoreMoment));
}

static gboolean
key_of(StoreLog *log, guint8 key[STORE_KEY_BYTES])
{
  return log->keys && log->log_id && store_keys_derive(log->keys, "people", key, NULL);
}

/* The hash of event NUMBER, which is there. */
static gboolean
hash_of(StoreLog *log, gint64 number, guint8 hash[32])
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  gboolean good = sqlite3_prepare_v2(log->db, "SELECT hash FROM event WHERE seq = ?1", -1,
                                     &statement, NULL) == SQLITE_OK;

  if (good) {
    sqlite3_bind_int64(statement, 1, number);
    good = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == 32;
  }
  if (good) {
    memcpy(hash, sqlite3_column_blob(statement, 0), 32);
  }
  return good;
}

/* ---- writing --------------------------------------------------------------------------------- */

static GVariant *
bytes_of(const void *data, gsize n)
{
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, n, 1);
}

static GVariant *
pack(const StorePeople *people, const guint8 hash[32])
{
  GVariantBuilder list;

  g_variant_builder_init(&list, G_VARIANT_TYPE("a(xsmsssuayay)"));
  for (guint i = 0; i < people->people->len; i++) {
    const StorePersonState *state = people->people->pdata[i];
    const StorePerson *person = &state->person;

    g_variant_builder_add(&list, "(xsmsssu@ay@ay)", person->id, person->name, person->role,
                          person->since, person->last ? person->last : "", person->wrong,
                          bytes_of(&state->pin, sizeof state->pin),
                          bytes_of(&state->refused, sizeof state->refused));
  }
  return g_variant_ref_sink(g_variant_new("(x@ayb@a(xsmsssuayay))", people->upto,
                                          bytes_of(hash, 32), people->required,
                                          g_variant_builder_end(&list)));
}

void
store_people_remember(StoreLog *log, StorePeople *people)
{
  g_autofree char *path = g_strconcat(log->path, ".people", NULL);
  g_autofree char *binding = binding_of(log);
  g_autofree guint8 *file = NULL;
  g_autoptr(GVariant) packed = NULL;
  guint8 key[STORE_KEY_BYTES], hash[32];
  unsigned long long n = 0;
  gsize size;

  if (log->read_only || people->upto - people->kept < WORTH_EVENTS || !key_of(log, key)) {
    return;
  }
  people->kept = people->upto; /* what fails now is tried again after as many events */
  if (hash_of(log, people->upto, hash)) {
    packed = pack(people, hash);
    size = g_variant_get_size(packed);
    file = g_malloc(HEAD_BYTES + size + crypto_aead_xchacha20poly1305_ietf_ABYTES);
    memcpy(file, MAGIC, sizeof MAGIC - 1);
    randombytes_buf(file + sizeof MAGIC - 1, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(file + HEAD_BYTES, &n, g_variant_get_data(packed),
                                               size, (const guint8 *)binding, strlen(binding), NULL,
                                               file + sizeof MAGIC - 1, key);
    g_file_set_contents_full(path, (const char *)file, (gssize)(HEAD_BYTES + n),
                             G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
  }
  sodium_memzero(key, sizeof key);
}

/* ---- reading --------------------------------------------------------------------------------- */

static gboolean
copy_bytes(GVariant *from, gpointer to, gsize size)
{
  gsize n = 0;
  gconstpointer data = g_variant_get_fixed_array(from, &n, 1);

  if (n == size) {
    memcpy(to, data, size);
  }
  return n == size;
}

/* FALSE: nothing of it is to be used. */
static gboolean
unpack(StoreLog *log, StorePeople *people, GVariant *packed)
{
  g_autoptr(GVariant) hash = NULL, list = NULL;
  guint8 said[32], there[32];
  gint64 upto = 0;
  gboolean required = FALSE;

  g_variant_get(packed, "(x@ayb@a(xsmsssuayay))", &upto, &hash, &required, &list);
  if (upto < 1 || !copy_bytes(hash, said, sizeof said) || !hash_of(log, upto, there) ||
      memcmp(said, there, sizeof said) != 0 || g_variant_n_children(list) > STORE_PEOPLE_MOST) {
    return FALSE;
  }
  for (gsize i = 0; i < g_variant_n_children(list); i++) {
    StorePersonState *state = g_new0(StorePersonState, 1);
    StorePerson *person = &state->person;
    g_autoptr(GVariant) pin = NULL, refused = NULL;

    g_ptr_array_add(people->people, state);
    g_variant_get_child(list, i, "(xsmsssu@ay@ay)", &person->id, &person->name, &person->role,
                        &person->since, &person->last, &person->wrong, &pin, &refused);
    if (!copy_bytes(pin, &state->pin, sizeof state->pin) ||
        !copy_bytes(refused, &state->refused, sizeof state->refused)) {
      return FALSE;
    }
    if (!*person->last) {
      g_clear_pointer(&person->last, g_free);
    }
  }
  people->upto = people->kept = upto;
  people->required = required;
  people->any = required || people->people->len > 0;
  return TRUE;
}

/* The file's text, once it is found to be this log's; g_free() after wiping. */
static guint8 *
open_file(StoreLog *log, gsize *n)
{
  g_autofree char *path = g_strconcat(log->path, ".people", NULL);
  g_autofree char *binding = binding_of(log), *file = NULL;
  g_autofree guint8 *text = NULL;
  guint8 key[STORE_KEY_BYTES];
  unsigned long long length = 0;
  gsize size = 0;
  gboolean good;

  if (store_file_size(path, "") > MOST_BYTES || !g_file_get_contents(path, &file, &size, NULL) ||
      size < HEAD_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES ||
      memcmp(file, MAGIC, sizeof MAGIC - 1) != 0 || !key_of(log, key)) {
    return NULL;
  }
  text = g_malloc(size);
  good = crypto_aead_xchacha20poly1305_ietf_decrypt(
             text, &length, NULL, (const guint8 *)file + HEAD_BYTES, size - HEAD_BYTES,
             (const guint8 *)binding, strlen(binding), (const guint8 *)file + sizeof MAGIC - 1,
             key) == 0;
  sodium_memzero(key, sizeof key);
  *n = (gsize)length;
  return good ? g_steal_pointer(&text) : NULL;
}

void
store_people_recall(StoreLog *log, StorePeople *people)
{
  gsize n = 0;
  guint8 *text = open_file(log, &n);

  if (text) {
    g_autoptr(GVariant) packed =
        g_variant_ref_sink(g_variant_new_from_data(TYPE, text, n, FALSE, NULL, NULL));

    if (!g_variant_is_normal_form(packed) || !unpack(log, people, packed)) {
      g_ptr_array_set_size(people->people, 0);
    }
    g_clear_pointer(&packed, g_variant_unref);
    sodium_memzero(text, n);
    g_free(text);
  }
}
