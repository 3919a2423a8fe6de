/* keys-place.c - where the root key is kept: LOG.key, a passphrase in somebody's head, the keyring.
 *
 * 1. LOG.key is one line: "hilum-root-key-1 LOG_ID 64 HEXADECIMAL DIGITS". It is written aside,
 *    synced and renamed; the bytes of the one that it replaces are overwritten after that.
 * 2. A LOG.key that others may read is not refused, for backups and memory sticks lose modes, and
 *    whoever is locked out of the record has lost more than a secret: its mode is tightened, and
 *    the caller gives the keys another root key. One of another user's is refused, as is a link.
 * 3. A passphrase is taken as Unicode's NFC, so that it is the same from every keyboard.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys-private.h"

#define MAGIC "hilum-root-key-1 "
#define MAGIC_LENGTH (sizeof MAGIC - 1)
#define LINE_LENGTH (MAGIC_LENGTH + 32 + 1 + 64 + 1)
#define OTHERS (S_IRWXG | S_IRWXO)

/* Argon2id's limits as they are used, and those that a file may ask for: what costs an attacker
 * less was written by one, and what costs more is an attack on this computer. */
#define OPS crypto_pwhash_argon2id_OPSLIMIT_MODERATE
#define MEMORY crypto_pwhash_argon2id_MEMLIMIT_MODERATE
#define LEAST_OPS crypto_pwhash_argon2id_OPSLIMIT_MODERATE
#define MOST_OPS 16
#define LEAST_MEMORY crypto_pwhash_argon2id_MEMLIMIT_MODERATE
#define MOST_MEMORY (1 << 30)
#define MOST_PASSPHRASE 4096u

G_STATIC_ASSERT(crypto_pwhash_argon2id_SALTBYTES == STORE_SALT_BYTES);

static gboolean
fail_file(StoreKeys *keys, const char *doing, int number, GError **error)
{
  g_autofree char *name = g_filename_display_name(keys->key_path);

  return store_fail(error, number == ENOENT ? STORE_ERROR_LOCKED : STORE_ERROR_IO, name, "%s: %s",
                    doing, g_strerror(number));
}

static gboolean
fail_key(StoreKeys *keys, StoreError code, const char *what, GError **error)
{
  g_autofree char *name = g_filename_display_name(keys->key_path);

  return store_fail(error, code, name, "%s", what);
}

/* ---- LOG.key --------------------------------------------------------------------------------- */

/* LINE (LINE_LENGTH bytes) into a log's id and a key. */
static gboolean
parse_line(const char *line, char log_id[33], guint8 *key)
{
  gsize n = 0;

  if (memcmp(line, MAGIC, MAGIC_LENGTH) != 0 || line[MAGIC_LENGTH + 32] != ' ' ||
      line[LINE_LENGTH - 1] != '\n') {
    return FALSE;
  }
  memcpy(log_id, line + MAGIC_LENGTH, 32);
  log_id[32] = '\0';
  return sodium_hex2bin(key, STORE_KEY_BYTES, line + MAGIC_LENGTH + 33, 64, NULL, &n, NULL) == 0 &&
         n == STORE_KEY_BYTES;
}

static gboolean
read_line(int fd, char line[LINE_LENGTH])
{
  gsize got = 0;
  char more;

  while (got < LINE_LENGTH) {
    gssize part = read(fd, line + got, LINE_LENGTH - got);
    if (part < 0 && errno == EINTR) {
      continue;
    }
    if (part <= 0) {
      return FALSE;
    }
    got += (gsize)part;
  }
  return read(fd, &more, 1) == 0;
}

/* A descriptor of LOG.key, -1 with *error set. */
static int
open_key_file(StoreKeys *keys, gboolean *loose, GError **error)
{
  int fd = open(keys->key_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;

  if (fd < 0) {
    int number = errno;
    if (number == ELOOP) {
      fail_key(keys, STORE_ERROR_FORMAT, "found a symbolic link, expected a regular file", error);
    } else {
      fail_file(keys, "reading the root key", number, error);
    }
    return -1;
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    fail_key(keys, STORE_ERROR_FORMAT, "found something else, expected a regular file", error);
  } else if (st.st_uid != geteuid()) {
    fail_key(keys, STORE_ERROR_FORMAT, "found the file of another user, expected one's own", error);
  } else {
    *loose = (st.st_mode & OTHERS) != 0;
    if (*loose && !keys->read_only) {
      fchmod(fd, 0600); /* where it fails the key is still to be replaced */
    }
    return fd;
  }
  close(fd);
  return -1;
}

static gboolean
get_from_file(StoreKeys *keys, const char *log_id, guint8 *key, gboolean *loose, GError **error)
{
  char line[LINE_LENGTH], found[33];
  int fd = open_key_file(keys, loose, error);
  gboolean good;

  if (fd < 0) {
    return FALSE;
  }
  good = read_line(fd, line) && parse_line(line, found, key);
  sodium_memzero(line, sizeof line);
  close(fd);
  if (!good) {
    return fail_key(keys, STORE_ERROR_CORRUPT, "found something else, expected a root key", error);
  }
  return strcmp(found, log_id) == 0 ||
         fail_key(keys, STORE_ERROR_LOCKED, "found the root key of another log", error);
}

/* What FD, a file of no name any more, held. */
static void
overwrite(int fd)
{
  static const char zeros[LINE_LENGTH];
  struct stat st;

  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0 &&
      pwrite(fd, zeros, sizeof zeros, 0) > 0) {
    fsync(fd);
  }
}

static gboolean
write_aside(const char *aside, const char line[LINE_LENGTH])
{
  int fd;
  gboolean good;

  g_unlink(aside); /* what a process that died left there was never anybody's key */
  fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    return FALSE;
  }
  good = fchmod(fd, 0600) == 0 && write(fd, line, LINE_LENGTH) == (gssize)LINE_LENGTH &&
         fsync(fd) == 0;
  return close(fd) == 0 && good;
}

static gboolean
put_in_file(StoreKeys *keys, const char *log_id, const guint8 *key, GError **error)
{
  g_autofree char *aside = g_strconcat(keys->key_path, ".new", NULL);
  char line[LINE_LENGTH + 1];
  int old = open(keys->key_path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  gboolean good;
  int number;

  memcpy(line, MAGIC, MAGIC_LENGTH);
  memcpy(line + MAGIC_LENGTH, log_id, 32);
  line[MAGIC_LENGTH + 32] = ' ';
  sodium_bin2hex(line + MAGIC_LENGTH + 33, 65, key, STORE_KEY_BYTES);
  line[LINE_LENGTH - 1] = '\n';
  good = write_aside(aside, line) && g_rename(aside, keys->key_path) == 0 &&
         store_file_sync_folder(keys->key_path);
  number = errno;
  sodium_memzero(line, sizeof line);
  if (old >= 0) {
    if (good) {
      overwrite(old);
    }
    close(old);
  }
  return good || fail_file(keys, "writing the root key", number == ENOENT ? EIO : number, error);
}

static gboolean
forget_file(StoreKeys *keys, GError **error)
{
  int old = open(keys->key_path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  gboolean good = g_unlink(keys->key_path) == 0 || errno == ENOENT;
  int number = errno;

  if (old >= 0) {
    if (good) {
      overwrite(old);
    }
    close(old);
  }
  good = good && store_file_sync_folder(keys->key_path);
  return good || fail_file(keys, "removing the root key", number, error);
}

void
store_place_log_id(StoreKeys *keys, char log_id[33])
{
  int fd = open(keys->key_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  char line[LINE_LENGTH];
  guint8 key[STORE_KEY_BYTES], random[16];

  if (fd < 0 || !read_line(fd, line) || !parse_line(line, log_id, key)) {
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(log_id, 33, random, sizeof random);
  }
  if (fd >= 0) {
    close(fd);
  }
  sodium_memzero(line, sizeof line);
  sodium_memzero(key, sizeof key);
}

gboolean
store_place_clear(StoreKeys *keys, const char *log_id, GError **error)
{
  guint8 key[STORE_KEY_BYTES];
  gboolean loose = FALSE;
  g_autofree char *aside = g_strconcat(keys->key_path, "-aside", NULL);
  g_autoptr(GError) local = NULL;
  gboolean own = get_from_file(keys, log_id, key, &loose, &local);

  sodium_memzero(key, sizeof key);
  /* One of this log's is what a making that was cut short has left: nothing is under it. */
  if (own || !g_file_test(keys->key_path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
    return TRUE;
  }
  if (g_file_test(aside, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
    return fail_key(keys, STORE_ERROR_INVALID,
                    "found the root key of another log, and another one that was set aside "
                    "(-aside): move both",
                    error);
  }
  return g_rename(keys->key_path, aside) == 0 ||
         fail_file(keys, "setting aside the root key of another log", errno, error);
}

/* ---- passphrases ----------------------------------------------------------------------------- */

static gboolean
stretch(StoreKeys *keys, const StoreRoot *root, const char *passphrase, guint8 *key, GError **error)
{
  g_autofree char *normal = g_utf8_normalize(passphrase, -1, G_NORMALIZE_NFC);
  const char *text = normal ? normal : passphrase; /* no UTF-8: as it is */
  int rc = crypto_pwhash(key, STORE_KEY_BYTES, text, strlen(text), root->salt,
                         (unsigned long long)root->ops, (size_t)root->memory,
                         crypto_pwhash_ALG_ARGON2ID13);

  if (normal) {
    sodium_memzero(normal, strlen(normal));
  }
  return rc == 0 || store_fail(error, STORE_ERROR_IO, keys->name,
                               "there is not enough memory to try a passphrase: it takes %d MiB",
                               (int)(root->memory >> 20));
}

static gboolean
get_from_passphrase(StoreKeys *keys, const StoreRoot *root, const StoreSecrets *secrets,
                    gboolean again, guint8 *key, GError **error)
{
  char *passphrase;
  gboolean good;

  if (!secrets || !secrets->ask) {
    return store_fail(error, STORE_ERROR_LOCKED, keys->name,
                      "its passphrase is needed, and nobody can be asked for it here");
  }
  if (root->ops < LEAST_OPS || root->ops > MOST_OPS || root->memory < (gint64)LEAST_MEMORY ||
      root->memory > MOST_MEMORY) {
    return store_fail(
        error, STORE_ERROR_CORRUPT, keys->name,
        "the passphrase's limits: found %" G_GINT64_FORMAT " passes and %" G_GINT64_FORMAT
        " bytes, expected %u to %d passes and %u to %d bytes",
        root->ops, root->memory, (guint)LEAST_OPS, MOST_OPS, (guint)LEAST_MEMORY, MOST_MEMORY);
  }
  passphrase = secrets->ask(again, secrets->user, error);
  if (!passphrase) {
    return FALSE;
  }
  if (!*passphrase || strlen(passphrase) > MOST_PASSPHRASE) {
    good = store_fail(error, again ? STORE_ERROR_INVALID : STORE_ERROR_LOCKED, keys->name,
                      "the passphrase: expected 1 to %u bytes", MOST_PASSPHRASE);
  } else {
    good = stretch(keys, root, passphrase, key, error);
  }
  sodium_memzero(passphrase, strlen(passphrase));
  g_free(passphrase);
  return good;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static gboolean
no_keyring(StoreKeys *keys, GError **error)
{
  return store_fail(error, STORE_ERROR_LOCKED, keys->name,
                    "its root key is in the keyring (Secret Service), and there is none here");
}

gboolean
store_place_get(StoreKeys *keys, const StoreRoot *root, gboolean ask, guint8 *key, gboolean *loose,
                GError **error)
{
  const StoreSecrets *secrets = &keys->secrets;
  gboolean local = FALSE;

  if (loose) {
    *loose = FALSE;
  }
  switch (root->protection) {
  case STORE_PROTECTION_PASSPHRASE:
    return ask ? get_from_passphrase(keys, root, secrets, FALSE, key, error)
               : store_fail(error, STORE_ERROR_LOCKED, keys->name,
                            "another program gave it a passphrase: open it again");
  case STORE_PROTECTION_KEYRING:
    return secrets->fetch ? secrets->fetch(root->log_id, key, secrets->user, error)
                          : no_keyring(keys, error);
  case STORE_PROTECTION_FILE:
  default:
    return get_from_file(keys, root->log_id, key, loose ? loose : &local, error);
  }
}

gboolean
store_place_new(StoreKeys *keys, StoreRoot *root, const StoreSecrets *secrets, guint8 *key,
                GError **error)
{
  memset(root->salt, 0, sizeof root->salt);
  root->ops = root->memory = 0;
  if (root->protection == STORE_PROTECTION_KEYRING && (!secrets || !secrets->keep)) {
    return no_keyring(keys, error);
  }
  if (root->protection != STORE_PROTECTION_PASSPHRASE) {
    randombytes_buf(key, STORE_KEY_BYTES);
    return TRUE;
  }
  randombytes_buf(root->salt, sizeof root->salt);
  root->ops = OPS;
  root->memory = MEMORY;
  return get_from_passphrase(keys, root, secrets, TRUE, key, error);
}

gboolean
store_place_put(StoreKeys *keys, const StoreRoot *root, const StoreSecrets *secrets,
                const guint8 *key, GError **error)
{
  switch (root->protection) {
  case STORE_PROTECTION_PASSPHRASE:
    return TRUE;
  case STORE_PROTECTION_KEYRING:
    return secrets && secrets->keep ? secrets->keep(root->log_id, key, secrets->user, error)
                                    : no_keyring(keys, error);
  case STORE_PROTECTION_FILE:
  default:
    return put_in_file(keys, root->log_id, key, error);
  }
}

gboolean
store_place_forget(StoreKeys *keys, const char *log_id, StoreProtection protection,
                   const StoreSecrets *secrets, GError **error)
{
  switch (protection) {
  case STORE_PROTECTION_PASSPHRASE:
    return TRUE;
  case STORE_PROTECTION_KEYRING:
    return secrets && secrets->forget ? secrets->forget(log_id, secrets->user, error)
                                      : no_keyring(keys, error);
  case STORE_PROTECTION_FILE:
  default:
    return forget_file(keys, error);
  }
}
