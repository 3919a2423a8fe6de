/* secrets.h - the root key of a log in the desktop's keyring (Secret Service, by libsecret), and
 * the passphrase, wherever it comes from.
 *
 * The keyring is waited for, but never for ever: some seconds for a service that says nothing, two
 * minutes where a user may be typing the keyring's own password.
 *
 * Thread rule: any thread; waits on it, so not the main one.
 */
#ifndef HILUM_APP_SECRETS_H
#define HILUM_APP_SECRETS_H

#include "app_secrets.h"
#include "store.h"

G_BEGIN_DECLS

/* What became of a question for the passphrase. */
typedef struct {
  gboolean answered; /* a person can be, or was, asked, and there was an answer */
  guint which;       /* of those that were heard; 0: none */
} AppAsked;

/* How to come by root keys in this session: without a session bus there are no functions of the
 * keyring. Its USER may point to an AppAsked, which is filled in; NULL: app_secrets_asked(). */
StoreSecrets app_secrets_get(void);
/* What became of the last question of the calling thread. */
AppAsked *app_secrets_asked(void);
/* How the root key of a new log is kept. IS_USUAL: it is the one at the usual place. */
StoreProtection app_secrets_protection_of_new(gboolean is_usual);
/* Whether there is a keyring that answers; takes up to the patience for silent services. */
gboolean app_secrets_has_keyring(void);
/* A passphrase is kept in locked memory, so that nobody is asked twice. Forgets it: the log is to
 * be locked. */
void app_secrets_forget_passphrase(void);
/* Forgets what was answered then, which was wrong; not what was heard since, in another thread. */
void app_secrets_forget_wrong(const AppAsked *asked);
/* Whether a passphrase that a person was asked for, and that was wrong, is asked for again. */
gboolean app_secrets_asks_again(void);
/* For tests: how long to wait for a service that says nothing, in milliseconds; 0: as usual. */
void app_secrets_set_patience(guint milliseconds);

G_END_DECLS
#endif
