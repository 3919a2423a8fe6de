/* test-proof.c - canonical rows, Merkle trees, signed notes: against numbers of others, all small
 * cases, and every way to damage a proof by a bit. */
#include <string.h>

#include <sodium.h>

#include "log/canonical.h"
#include "log/note.h"
#include "store.h"

/* ---- trees ----------------------------------------------------------------------------------- */

/* The leaves and roots that Certificate Transparency's own tests have (RFC 6962). */
static const char *const leaves[] = {"",
                                     "00",
                                     "10",
                                     "2021",
                                     "3031",
                                     "40414243",
                                     "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void
assert_hash(const StoreHash *hash, const char *hex)
{
  char text[2 * STORE_HASH_BYTES + 1];

  sodium_bin2hex(text, sizeof text, hash->bytes, STORE_HASH_BYTES);
  g_assert_cmpstr(text, ==, hex);
}

static void
test_roots(void)
{
  StoreMerkle tree = {0};

  for (guint i = 0; i < G_N_ELEMENTS(roots); i++) {
    StoreHash root = store_merkle_root(&tree), leaf;
    guint8 bytes[64];
    gsize n = 0;

    assert_hash(&root, roots[i]);
    if (i < G_N_ELEMENTS(leaves)) {
      g_assert_cmpint(
          sodium_hex2bin(bytes, sizeof bytes, leaves[i], strlen(leaves[i]), NULL, &n, NULL), ==, 0);
      leaf = store_hash_leaf(bytes, n);
      store_merkle_add(&tree, &leaf);
    }
  }
}

#define MOST 40u

static StoreHash
leaf_at(guint64 index, gpointer user)
{
  return store_hash_leaf(&index, sizeof index);
}

/* Whether CHECK fails for each bit of PROOF that is turned over, and for one hash more or less. */
#define ASSERT_EVERY_BIT_COUNTS(proof, check)                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    for (guint bit = 0; bit < (proof)->len * 256; bit += 37) {                                     \
      (proof)->data[bit / 8] ^= (char)(1 << bit % 8);                                              \
      g_assert_false(check);                                                                       \
      (proof)->data[bit / 8] ^= (char)(1 << bit % 8);                                              \
    }                                                                                              \
    if ((proof)->len > 0) {                                                                        \
      g_array_set_size(proof, (proof)->len - 1);                                                   \
      g_assert_false(check);                                                                       \
      g_array_set_size(proof, (proof)->len + 2);                                                   \
      g_assert_false(check);                                                                       \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

static void
test_paths(void)
{
  for (guint64 size = 1; size <= MOST; size++) {
    const StoreHash root = store_merkle_subtree(0, size, leaf_at, NULL);

    for (guint64 i = 0; i < size; i++) {
      g_autoptr(GArray) path = store_merkle_path(i, size, leaf_at, NULL);
      const StoreHash leaf = leaf_at(i, NULL), other = leaf_at(i + 1, NULL);

      g_assert_true(store_merkle_check_path(i, size, &leaf, path, &root));
      g_assert_false(store_merkle_check_path(i, size, &other, path, &root));
      g_assert_false(store_merkle_check_path(size, size, &leaf, path, &root));
      ASSERT_EVERY_BIT_COUNTS(path, store_merkle_check_path(i, size, &leaf, path, &root));
    }
  }
}

static void
test_consistency(void)
{
  for (guint64 size = 0; size <= MOST; size++) {
    const StoreHash root = store_merkle_subtree(0, size, leaf_at, NULL);

    for (guint64 old = 0; old <= size; old++) {
      g_autoptr(GArray) proof = store_merkle_consistency(old, size, leaf_at, NULL);
      const StoreHash old_root = store_merkle_subtree(0, old, leaf_at, NULL),
                      false_root = leaf_at(77, NULL);

      g_assert_true(store_merkle_check_consistency(old, size, proof, &old_root, &root));
      g_assert_false(store_merkle_check_consistency(old, size, proof, &false_root, &root));
      g_assert_true(old == 0 ||
                    !store_merkle_check_consistency(old, size, proof, &old_root, &false_root));
      g_assert_false(store_merkle_check_consistency(size + 1, size, proof, &old_root, &root));
      ASSERT_EVERY_BIT_COUNTS(proof,
                              store_merkle_check_consistency(old, size, proof, &old_root, &root));
    }
  }
}

/* ---- notes ----------------------------------------------------------------------------------- */

/* The example of Go's package golang.org/x/mod/sumdb/note, which defined the format. */
#define GO_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_TEXT                                                                                    \
  "If you think cryptography is the answer to your problem,\n"                                     \
  "then you don't know what your problem is.\n"
#define GO_NOTE                                                                                    \
  GO_TEXT                                                                                          \
  "\n\xe2\x80\x94 PeterNeumann "                                                                   \
  "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBw"        \
  "JnAM=\n"

static void
test_go(void)
{
  g_auto(StoreVerifier) verifier = {0};
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL, *again = NULL, *key = NULL;
  g_auto(StoreSigner) signer = {0};
  /* Its private key's seed, from the same example. */
  guint8 seed[33];
  gsize n;

  g_assert_true(store_verifier_parse(&verifier, GO_KEY "\n", &error));
  g_assert_no_error(error);
  g_assert_true(store_note_open(&verifier, GO_NOTE, &text, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(text, ==, GO_TEXT);
  g_assert_cmpint(sodium_base642bin(seed, sizeof seed,
                                    "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", 44, NULL, &n,
                                    NULL, sodium_base64_VARIANT_ORIGINAL),
                  ==, 0);
  g_assert_true(store_signer_init(&signer, "PeterNeumann", seed + 1, &error));
  key = store_verifier_text(&signer.verifier);
  g_assert_cmpstr(key, ==, GO_KEY);
  again = store_note_sign(&signer, GO_TEXT);
  g_assert_cmpstr(again, ==, GO_NOTE);
}

static void
assert_refused(const StoreVerifier *verifier, const char *note, gint code)
{
  g_autoptr(GError) error = NULL;

  g_assert_false(store_note_open(verifier, note, NULL, &error));
  g_assert_error(error, STORE_ERROR, code);
}

static void
test_notes_refused(void)
{
  g_auto(StoreVerifier) verifier = {0};
  g_autofree char *long_note = g_strnfill(STORE_NOTE_MOST_BYTES + 1, 'x');
  static const char *const keys[] = {
      "",
      "a",
      "a+b",
      "a+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
      "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
      "+c74f20a3+AR=="};

  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(store_verifier_parse(&verifier, keys[i], &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_FORMAT);
  }
  g_assert_true(store_verifier_parse(&verifier, GO_KEY, NULL));
  assert_refused(&verifier, "", STORE_ERROR_FORMAT);
  assert_refused(&verifier, "a\n", STORE_ERROR_FORMAT);
  assert_refused(&verifier, "a\n\nb\n", STORE_ERROR_FORMAT);
  assert_refused(&verifier, "a\n\n\xe2\x80\x94 b c", STORE_ERROR_FORMAT);
  assert_refused(&verifier, "\xff\n\n", STORE_ERROR_FORMAT);
  assert_refused(&verifier, long_note, STORE_ERROR_FORMAT);
  assert_refused(&verifier, "a\n\n\xe2\x80\x94 PeterNeumann x08g\n", STORE_ERROR_NOT_FOUND);
  for (gsize i = 0; i < strlen(GO_TEXT); i++) {
    g_autofree char *note = g_strdup(GO_NOTE);
    note[i] ^= 1;
    g_assert_false(store_note_open(&verifier, note, NULL, NULL));
  }
}

static void
test_checkpoints(void)
{
  g_auto(StoreSigner) signer = {0};
  const guint8 seed[32] = {1};
  StoreCheckpoint checkpoint = {12345, leaf_at(1, NULL)}, read;
  g_autofree char *text = NULL, *note = NULL, *opened = NULL;
  static const char *const bad[] = {"",          "log\n",     "log\n5\n",  "log\n5\nAAAA\n",
                                    "log\n05\n", "log\n-5\n", "log\n+5\n", "log\n 5\n"};

  g_assert_true(store_signer_init(&signer, "log", seed, NULL));
  text = store_checkpoint_text("log", &checkpoint);
  note = store_note_sign(&signer, text);
  g_assert_true(store_note_open(&signer.verifier, note, &opened, NULL));
  g_assert_true(store_checkpoint_parse(&read, opened, "log", NULL));
  g_assert_cmpuint(read.size, ==, 12345);
  g_assert_true(store_hash_equal(&read.root, &checkpoint.root));
  g_assert_false(store_checkpoint_parse(&read, opened, "other", NULL));
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *whole = g_strconcat(bad[i], i >= 4 ? strrchr(text, '=') - 43 : "", NULL);

    g_assert_false(store_checkpoint_parse(&read, whole, "log", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_FORMAT);
  }
  store_signer_clear(&signer);
  g_assert_false(store_signer_init(&signer, "a b", seed, NULL));
  g_assert_false(store_signer_init(&signer, "a+b", seed, NULL));
  g_assert_false(store_signer_init(&signer, "", seed, NULL));
}

/* ---- rows ------------------------------------------------------------------------------------ */

static GByteArray *
row_of(sqlite3 *db, const char *sql)
{
  GByteArray *bytes = g_byte_array_new();
  sqlite3_stmt *statement = NULL;

  g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  store_canonical_row(bytes, "t", statement);
  sqlite3_finalize(statement);
  return bytes;
}

/* Values that look alike to people, or joined, are other rows. */
static void
test_rows(void)
{
  static const char *const rows[] = {
      "SELECT NULL AS a, 1 AS b",         "SELECT 0 AS a, 1 AS b",     "SELECT 0.0 AS a, 1 AS b",
      "SELECT -0.0 AS a, 1 AS b",         "SELECT '' AS a, 1 AS b",    "SELECT x'' AS a, 1 AS b",
      "SELECT '0' AS a, 1 AS b",          "SELECT x'30' AS a, 1 AS b", "SELECT '01' AS a, '' AS b",
      "SELECT '0' AS a, '1' AS b",        "SELECT 0 AS b, 1 AS a",     "SELECT 0 AS a",
      "SELECT 0 AS a, 1 AS b, NULL AS c", "SELECT 256 AS a, 1 AS b"};
  static const guint8 expected[] = {'T', 't', 0, 0, 0, 0, 0, 0,   0,   1, 't', 0, 0, 0, 1, 't', 0,
                                    0,   0,   0, 0, 0, 0, 1, 'a', 'i', 0, 0,   0, 0, 0, 0, 0,   0};
  sqlite3 *db = NULL;
  g_autoptr(GHashTable) seen = g_hash_table_new_full(
      (GHashFunc)g_bytes_hash, (GEqualFunc)g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);

  g_assert_cmpint(sqlite3_open(":memory:", &db), ==, SQLITE_OK);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    GByteArray *bytes = row_of(db, rows[i]);
    if (i == 11) {
      g_assert_cmpmem(bytes->data, bytes->len, expected, sizeof expected);
    }
    g_assert_true(g_hash_table_add(seen, g_byte_array_free_to_bytes(bytes)));
  }
  sqlite3_close(db);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/proof/roots", test_roots);
  g_test_add_func("/proof/paths", test_paths);
  g_test_add_func("/proof/consistency", test_consistency);
  g_test_add_func("/proof/go", test_go);
  g_test_add_func("/proof/notes-refused", test_notes_refused);
  g_test_add_func("/proof/checkpoints", test_checkpoints);
  g_test_add_func("/proof/rows", test_rows);
  return g_test_run();
}
