/* secrets.c - see secrets.h.
 *
 * 1. A passphrase that was heard is kept as a SecretValue, whose memory is locked and wiped; one
 *    mutex guards it and the settings.
 * 2. The user is asked while the mutex is free: two threads may ask at once, and the second answer
 *    counts.
 */
#include "secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <libsecret/secret.h>
#include <string.h>
#include <unistd.h>

#include "secrets-keyring.h"

#define PATIENCE_MS 5000u
#define MOST_BYTES 4096u
#define OLD_FILE "HILUM_LOG_PASSPHRASE_FILE"
#define NEW_FILE "HILUM_LOG_NEW_PASSPHRASE_FILE"
#define PROTECTION "HILUM_LOG_PROTECTION"
/* A new log does not wait longer for a service that says nothing. */
#define NEW_PATIENCE_MS 1000u

static struct {
  GMutex mutex;
  AppAskPassphrase ask;
  gpointer user;
  gboolean asks_again;
  SecretValue *passphrase;
  guint which; /* counts what was heard, from 1 */
  guint patience;
  gboolean prefers_keyring;
} state;

static gboolean locked(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
locked(GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error_literal(error, STORE_ERROR, STORE_ERROR_LOCKED, what);
  return FALSE;
}

/* ---- the keyring ----------------------------------------------------------------------------- */

static guint
patience(void)
{
  guint milliseconds;

  g_mutex_lock(&state.mutex);
  milliseconds = state.patience ? state.patience : PATIENCE_MS;
  g_mutex_unlock(&state.mutex);
  return milliseconds;
}

void
app_secrets_set_patience(guint milliseconds)
{
  g_mutex_lock(&state.mutex);
  state.patience = milliseconds;
  g_mutex_unlock(&state.mutex);
}

gboolean
app_secrets_has_keyring(void)
{
  return app_keyring_is_there(patience(), NULL);
}

static gboolean
fetch(const char *log_id, guint8 key[32], gpointer user, GError **error)
{
  return app_keyring_fetch(log_id, patience(), key, error);
}

static gboolean
keep(const char *log_id, const guint8 key[32], gpointer user, GError **error)
{
  return app_keyring_keep(log_id, patience(), key, error);
}

static gboolean
forget(const char *log_id, gpointer user, GError **error)
{
  return app_keyring_forget(log_id, patience(), error);
}

/* ---- the passphrase -------------------------------------------------------------------------- */

void
app_set_ask_passphrase(AppAskPassphrase ask, gpointer user)
{
  g_mutex_lock(&state.mutex);
  state.ask = ask;
  state.user = user;
  g_mutex_unlock(&state.mutex);
}

void
app_set_ask_again(gboolean again)
{
  g_mutex_lock(&state.mutex);
  state.asks_again = again;
  g_mutex_unlock(&state.mutex);
}

gboolean
app_secrets_asks_again(void)
{
  gboolean again;

  g_mutex_lock(&state.mutex);
  again = state.asks_again;
  g_mutex_unlock(&state.mutex);
  return again;
}

gboolean
app_log_is_locked(const GError *error)
{
  return g_error_matches(error, STORE_ERROR, STORE_ERROR_LOCKED);
}

/* Which it is. What several threads heard at once is one. */
static guint
remember(const char *passphrase)
{
  guint which;

  g_mutex_lock(&state.mutex);
  if (!state.passphrase || strcmp(secret_value_get_text(state.passphrase), passphrase) != 0) {
    g_clear_pointer(&state.passphrase, secret_value_unref);
    state.passphrase = secret_value_new(passphrase, -1, "text/plain");
    state.which = MAX(state.which + 1, 1);
  }
  which = state.which;
  g_mutex_unlock(&state.mutex);
  return which;
}

void
app_secrets_forget_passphrase(void)
{
  g_mutex_lock(&state.mutex);
  g_clear_pointer(&state.passphrase, secret_value_unref);
  g_mutex_unlock(&state.mutex);
}

/* A thread that tried the wrong one for a long time must not forget the right one, which another
 * thread was given meanwhile. */
void
app_secrets_forget_wrong(const AppAsked *asked)
{
  g_mutex_lock(&state.mutex);
  if (asked->which == state.which) {
    g_clear_pointer(&state.passphrase, secret_value_unref);
  }
  g_mutex_unlock(&state.mutex);
}

static char *
remembered(void)
{
  char *passphrase = NULL;

  g_mutex_lock(&state.mutex);
  if (state.passphrase) {
    passphrase = g_strdup(secret_value_get_text(state.passphrase));
  }
  g_mutex_unlock(&state.mutex);
  return passphrase;
}

/* The first line of what FD gives, NULL when there is none or it is too long. */
static char *
first_line(int fd)
{
  char bytes[MOST_BYTES + 1];
  char *line = NULL;
  gsize n = 0;

  while (n < sizeof bytes && !memchr(bytes, '\n', n)) {
    gssize part = read(fd, bytes + n, sizeof bytes - n);
    if (part < 0 && errno == EINTR) {
      continue;
    }
    if (part <= 0) {
      break;
    }
    n += (gsize)part;
  }
  if (n > 0 && (n < sizeof bytes || memchr(bytes, '\n', n))) {
    const char *end = memchr(bytes, '\n', n);
    gsize length = end ? (gsize)(end - bytes) : n;
    if (length > 0 && bytes[length - 1] == '\r') {
      length--;
    }
    line = length > 0 && !memchr(bytes, '\0', length) ? g_strndup(bytes, length) : NULL;
  }
  explicit_bzero(bytes, sizeof bytes);
  return line;
}

char *
app_secret_line(const char *what, const char *place, GError **error)
{
  guint64 number = 0;
  gboolean is_number = g_ascii_string_to_unsigned(place, 10, 0, G_MAXINT, &number, NULL);
  int fd = is_number ? (int)number : open(place, O_RDONLY | O_NOCTTY | O_CLOEXEC);
  char *line = fd >= 0 ? first_line(fd) : NULL;

  if (fd < 0) {
    locked(error, "%s: %s: %s", what, place, g_strerror(errno));
  } else if (!line) {
    locked(error, "%s: %s: found no line, expected one of at most %u bytes, the first", what, place,
           MOST_BYTES);
  }
  if (fd >= 0 && !is_number) {
    close(fd);
  }
  return line;
}

/* A log asks again when another process moved its root key: long after it was opened, on any
 * thread. So it is the thread that remembers. */
AppAsked *
app_secrets_asked(void)
{
  static GPrivate slot = G_PRIVATE_INIT(g_free);
  AppAsked *asked = g_private_get(&slot);

  if (!asked) {
    asked = g_new0(AppAsked, 1);
    g_private_set(&slot, asked);
  }
  return asked;
}

static char *
ask(gboolean again, gpointer user, GError **error)
{
  const char *next = again ? g_getenv(NEW_FILE) : NULL;
  const gboolean other = next && *next; /* the new one has a file of its own */
  const char *variable = other ? NEW_FILE : OLD_FILE;
  const char *place = other ? next : g_getenv(OLD_FILE);
  const gboolean has_file = place && *place;
  /* Without a file a new passphrase is one that the user is asked for. */
  char *passphrase = other || (again && !has_file) ? NULL : remembered();
  AppAskPassphrase asker;
  gpointer asker_user;
  AppAsked *asked = user ? user : app_secrets_asked();

  g_mutex_lock(&state.mutex);
  asker = state.ask;
  asker_user = state.user;
  g_mutex_unlock(&state.mutex);
  if (!passphrase && has_file) {
    passphrase = app_secret_line(variable, place, error);
  } else if (!passphrase && asker) {
    g_autoptr(GError) local = NULL;
    passphrase = asker(again, asker_user, &local);
    if (!passphrase) {
      locked(error, "%s", local ? local->message : "no passphrase was given");
    }
  } else if (!passphrase) {
    locked(error, "the log's passphrase is needed, and there is nobody to ask: set $" OLD_FILE);
  }
  if (passphrase) {
    const guint which = remember(passphrase);
    *asked = (AppAsked){!has_file, which};
  }
  return passphrase;
}

/* ---- new logs -------------------------------------------------------------------------------- */

void
app_prefer_keyring(gboolean prefer)
{
  g_mutex_lock(&state.mutex);
  state.prefers_keyring = prefer;
  g_mutex_unlock(&state.mutex);
}

StoreProtection
app_secrets_protection_of_new(gboolean is_usual)
{
  const char *wish = g_getenv(PROTECTION);
  gboolean prefers;

  if (wish && *wish) {
    return strcmp(wish, "keyring") == 0      ? STORE_PROTECTION_KEYRING
           : strcmp(wish, "passphrase") == 0 ? STORE_PROTECTION_PASSPHRASE
                                             : STORE_PROTECTION_FILE;
  }
  g_mutex_lock(&state.mutex);
  prefers = state.prefers_keyring;
  g_mutex_unlock(&state.mutex);
  return (prefers || is_usual) && app_keyring_is_open(MIN(patience(), NEW_PATIENCE_MS))
             ? STORE_PROTECTION_KEYRING
             : STORE_PROTECTION_FILE;
}

StoreSecrets
app_secrets_get(void)
{
  StoreSecrets secrets = {.ask = ask};

  if (app_keyring_has_bus()) {
    secrets.fetch = fetch;
    secrets.keep = keep;
    secrets.forget = forget;
  }
  return secrets;
}
