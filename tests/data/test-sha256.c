/* test-sha256.c - SHA-256 of one message and of two at once: the examples of FIPS 180-4, and
 * libsodium's answer for every length about the blocks' borders. */
#include "log/sha256.h"
#include <glib.h>
#include <sodium.h>
#include <string.h>

static void
assert_hash(const StoreMessage *message, const char *expected)
{
  char hex[65];

  sodium_bin2hex(hex, sizeof hex, message->hash, sizeof message->hash);
  g_assert_cmpstr(hex, ==, expected);
}

static void
test_examples(void)
{
  StoreMessage abc = {.bytes = "abc", .n = 3}, none = {.bytes = "", .n = 0};

  store_sha256(&abc);
  store_sha256(&none);
  assert_hash(&abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_hash(&none, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
test_lengths(void)
{
  guint8 bytes[700];
  const gsize n_max = sizeof bytes - 1;

  for (gsize i = 0; i < sizeof bytes; i++) {
    bytes[i] = (guint8)(i * 131 + i / 7);
  }
  for (gsize n = 0; n <= n_max; n++) {
    StoreMessage one = {.bytes = bytes + 1, .n = n}, plain = one, a = one;
    StoreMessage b = {.bytes = bytes + 1, .n = (n * 37) % n_max}, plain_b = b;

    store_sha256_plain(&plain);
    store_sha256_plain(&plain_b);
    store_sha256(&one);
    store_sha256_two(&a, &b);
    g_assert_cmpmem(one.hash, 32, plain.hash, 32);
    g_assert_cmpmem(a.hash, 32, plain.hash, 32);
    g_assert_cmpmem(b.hash, 32, plain_b.hash, 32);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_assert_cmpint(sodium_init(), >=, 0);
  g_test_add_func("/sha256/examples", test_examples);
  g_test_add_func("/sha256/lengths", test_lengths);
  return g_test_run();
}
