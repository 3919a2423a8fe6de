/* person-pin.c - what a PIN is held against, and how long to wait after wrong ones. */
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "person.h"

/* A log that asks for more than this is not one of ours. */
#define MOST_OPERATIONS 16u
#define MOST_MEMORY (256u << 20)
#define FIRST_WAIT 30u /* seconds */
#define MOST_WAIT 900u

/* ---- what is a PIN --------------------------------------------------------------------------- */

/* 1111, 1234, 9876: what is tried first. */
static gboolean
is_simple(const char *pin)
{
  const gunichar first = g_utf8_get_char(pin), second = g_utf8_get_char(g_utf8_next_char(pin));
  const gint64 step = (gint64)second - first;
  gunichar before = first;

  if (step < -1 || step > 1 || (step != 0 && !g_ascii_isdigit((char)MIN(first, 127)))) {
    return FALSE;
  }
  for (const char *at = g_utf8_next_char(pin); *at; at = g_utf8_next_char(at)) {
    if ((gint64)g_utf8_get_char(at) - before != step) {
      return FALSE;
    }
    before = g_utf8_get_char(at);
  }
  return TRUE;
}

StorePinCheck
store_pin_check(const char *pin)
{
  glong length;

  g_return_val_if_fail(pin, STORE_PIN_SHORT);
  /* A character takes six bytes at most. */
  if (strnlen(pin, STORE_PIN_MOST * 6 + 1) > STORE_PIN_MOST * 6) {
    return STORE_PIN_LONG;
  }
  if (!g_utf8_validate(pin, -1, NULL)) {
    return STORE_PIN_ODD;
  }
  length = g_utf8_strlen(pin, -1);
  if (length < (glong)STORE_PIN_LEAST || length > (glong)STORE_PIN_MOST) {
    return length < (glong)STORE_PIN_LEAST ? STORE_PIN_SHORT : STORE_PIN_LONG;
  }
  for (const char *at = pin; *at; at = g_utf8_next_char(at)) {
    if (!g_unichar_isprint(g_utf8_get_char(at))) {
      return STORE_PIN_ODD;
    }
  }
  return is_simple(pin) ? STORE_PIN_SIMPLE : STORE_PIN_GOOD;
}

/* ---- its hash -------------------------------------------------------------------------------- */

static gboolean
get_key(StoreLog *log, const StorePin *pin, guint8 key[STORE_KEY_BYTES], GError **error)
{
  if (pin->keyed) {
    memcpy(key, pin->key, STORE_KEY_BYTES);
    return TRUE;
  }
  return store_keys_derive(log->keys, "person pin", key, error);
}

static gboolean
hash_pin(StoreLog *log, const char *text, StorePin *pin, GError **error)
{
  guint8 key[STORE_KEY_BYTES], keyed[32];
  crypto_generichash_state state;
  /* The same characters may come composed or not, as the keyboard likes. */
  char *normal = g_utf8_normalize(text, -1, G_NORMALIZE_NFC);
  int rc;

  if (!normal || !get_key(log, pin, key, error)) {
    g_free(normal);
    return FALSE;
  }
  crypto_generichash_init(&state, key, sizeof key, sizeof keyed);
  crypto_generichash_update(&state, (const guint8 *)"hilum pin 1", 11);
  crypto_generichash_update(&state, pin->salt, sizeof pin->salt);
  crypto_generichash_update(&state, (const guint8 *)normal, strlen(normal));
  crypto_generichash_final(&state, keyed, sizeof keyed);
  rc = crypto_pwhash(pin->hash, sizeof pin->hash, (const char *)keyed, sizeof keyed, pin->salt,
                     pin->operations, (size_t)pin->memory, crypto_pwhash_ALG_ARGON2ID13);
  sodium_memzero(key, sizeof key);
  sodium_memzero(keyed, sizeof keyed);
  sodium_memzero(&state, sizeof state);
  sodium_memzero(normal, strlen(normal));
  g_free(normal);
  return rc == 0 || store_fail(error, STORE_ERROR_IO, log->name,
                               "looking at a PIN: the memory that this takes is not to be had");
}

gboolean
store_pin_make(StoreLog *log, const char *pin_text, StorePin *pin, GError **error)
{
  if (!log->keys) {
    return store_fail(error, STORE_ERROR_LOCKED, log->name, "keeping a PIN: the log is locked");
  }
  randombytes_buf(pin->salt, sizeof pin->salt);
  pin->operations = crypto_pwhash_OPSLIMIT_INTERACTIVE;
  pin->memory = crypto_pwhash_MEMLIMIT_INTERACTIVE;
  pin->keyed = FALSE;
  pin->there = hash_pin(log, pin_text, pin, error);
  return pin->there;
}

gboolean
store_pin_carry(StoreLog *log, StorePin *pin, GError **error)
{
  guint8 key[STORE_KEY_BYTES];

  if (!log->keys) {
    return store_fail(error, STORE_ERROR_LOCKED, log->name, "carrying a PIN: the log is locked");
  }
  if (!get_key(log, pin, key, error)) {
    return FALSE;
  }
  memcpy(pin->key, key, sizeof key);
  pin->keyed = TRUE;
  sodium_memzero(key, sizeof key);
  return TRUE;
}

gboolean
store_pin_look(StoreLog *log, const char *pin_text, const StorePin *pin, gboolean *right,
               GError **error)
{
  StorePin other = *pin;

  *right = FALSE;
  if (!log->keys || !pin->there) {
    return store_fail(error, STORE_ERROR_LOCKED, log->name,
                      "looking at a PIN: what it is held against cannot be read");
  }
  /* What could never be one is not looked at: a longer text would take as long as it likes. */
  if (store_pin_check(pin_text) == STORE_PIN_LONG || !g_utf8_validate(pin_text, -1, NULL)) {
    return TRUE;
  }
  if (!hash_pin(log, pin_text, &other, error)) {
    return FALSE;
  }
  *right = sodium_memcmp(other.hash, pin->hash, sizeof other.hash) == 0;
  sodium_memzero(&other, sizeof other);
  return TRUE;
}

/* ---- as members of an event ------------------------------------------------------------------ */

static const char *
hex(GStringChunk *strings, const guint8 *bytes, gsize n)
{
  g_autofree char *text = g_malloc(2 * n + 1);

  sodium_bin2hex(text, 2 * n + 1, bytes, n);
  return g_string_chunk_insert(strings, text);
}

static const char *
number(GStringChunk *strings, guint64 value)
{
  char text[24];

  g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, value);
  return g_string_chunk_insert(strings, text);
}

gsize
store_pin_put(const StorePin *pin, StoreField fields[5], GStringChunk *strings)
{
  fields[0] = (StoreField){"salt", hex(strings, pin->salt, sizeof pin->salt)};
  fields[1] = (StoreField){"hash", hex(strings, pin->hash, sizeof pin->hash)};
  fields[2] = (StoreField){"operations", number(strings, pin->operations)};
  fields[3] = (StoreField){"memory", number(strings, pin->memory)};
  if (!pin->keyed) {
    return 4;
  }
  fields[4] = (StoreField){"pin_key", hex(strings, pin->key, sizeof pin->key)};
  return 5;
}

static gboolean
unhex(const char *text, guint8 *bytes, gsize n)
{
  gsize found = 0;

  return text && strlen(text) == 2 * n &&
         sodium_hex2bin(bytes, n, text, 2 * n, NULL, &found, NULL) == 0 && found == n;
}

gboolean
store_pin_get(StorePin *pin, const char *salt, const char *hash, const char *operations,
              const char *memory, const char *key)
{
  pin->keyed = key != NULL;
  pin->there = (!key || unhex(key, pin->key, sizeof pin->key)) &&
               unhex(salt, pin->salt, sizeof pin->salt) &&
               unhex(hash, pin->hash, sizeof pin->hash) && operations && memory &&
               g_ascii_string_to_unsigned(operations, 10, crypto_pwhash_OPSLIMIT_MIN,
                                          MOST_OPERATIONS, &pin->operations, NULL) &&
               g_ascii_string_to_unsigned(memory, 10, crypto_pwhash_MEMLIMIT_MIN, MOST_MEMORY,
                                          &pin->memory, NULL);
  return pin->there;
}

/* ---- waiting --------------------------------------------------------------------------------- */

StoreMoment
store_moment_now(StoreLog *log)
{
  StoreMoment now = {.wall = g_get_real_time() + log->clock_offset};
  g_autofree char *boot = NULL;
  struct timespec since = {0};

  clock_gettime(CLOCK_BOOTTIME, &since);
  now.uptime = (gint64)since.tv_sec * G_USEC_PER_SEC + since.tv_nsec / 1000 + log->boot_offset;
  if (g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL)) {
    g_strlcpy(now.boot, g_strchomp(boot), sizeof now.boot);
  }
  return now;
}

guint
store_pin_wait(guint wrong, const StoreMoment *then, const StoreMoment *now)
{
  const guint doublings = wrong > STORE_PIN_FREE ? MIN(wrong - STORE_PIN_FREE, 10) : 0;
  const gint64 wait = wrong < STORE_PIN_FREE ? 0 : MIN(FIRST_WAIT << doublings, MOST_WAIT);
  gint64 passed = now->wall - then->wall;

  /* The clock of one start of the machine cannot be set. Over a start, or on another machine, the
   * other clocks count; where they went back, what the machine has run by now, so that nobody is
   * kept out for ever. */
  if ((*now->boot && strcmp(now->boot, then->boot) == 0) || passed < 0) {
    passed = strcmp(now->boot, then->boot) == 0 ? now->uptime - then->uptime : now->uptime;
  }
  passed = MAX(passed, 0);
  return passed >= wait * G_USEC_PER_SEC
             ? 0
             : (guint)((wait * G_USEC_PER_SEC - passed + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}
