/* secrets-keyring.h - a log's root key as an item of the keyring. Private to secrets*.c. */
#ifndef HILUM_APP_SECRETS_KEYRING_H
#define HILUM_APP_SECRETS_KEYRING_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether there is a session bus to ask at; starts none. */
gboolean app_keyring_has_bus(void);
/* LOCKED when no service answers within PATIENCE (milliseconds). */
gboolean app_keyring_is_there(guint patience, GError **error);
/* Whether its default collection is there and open, so that a key can be kept without a question to
 * anybody. Asks nothing of the user, and waits for PATIENCE at most. */
gboolean app_keyring_is_open(guint patience);
/* Each is LOCKED when the user refuses, nothing answers or nothing is there. */
gboolean app_keyring_fetch(const char *log_id, guint patience, guint8 key[32], GError **error);
gboolean app_keyring_keep(const char *log_id, guint patience, const guint8 key[32], GError **error);
/* What is not there is forgotten. */
gboolean app_keyring_forget(const char *log_id, guint patience, GError **error);

G_END_DECLS
#endif
