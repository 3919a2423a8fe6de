/* app_secrets.h - whom to ask for the passphrase of a log.
 *
 * What opens a log is kept by the keyring, or comes out of a passphrase, or lies beside the log
 * (data/include/store.h). A passphrase is looked for in the file that $HILUM_LOG_PASSPHRASE_FILE
 * names, of which the first line counts ("3": what is to be read from descriptor 3, once), and a
 * new one in $HILUM_LOG_NEW_PASSPHRASE_FILE before that; where neither is set the user is asked.
 */
#ifndef HILUM_APP_SECRETS_PUBLIC_H
#define HILUM_APP_SECRETS_PUBLIC_H

#include "app.h"

G_BEGIN_DECLS

/* Asks for the passphrase, on whatever thread opens the log. AGAIN: a new one, which is asked for
 * twice. NULL with *error set when the user refuses. The string is wiped and freed. */
typedef char *(*AppAskPassphrase)(gboolean again, gpointer user, GError **error);
/* At the start, before a log is opened. */
void app_set_ask_passphrase(AppAskPassphrase ask, gpointer user);
/* Whether a wrong answer is asked for again, until the user refuses; without it, the log is not
 * opened. */
void app_set_ask_again(gboolean again);
/* A new log is kept by the keyring where one answers within a second and is open: nobody is asked
 * anything. Without PREFER, which is the default, only the one at the usual place: what a script
 * makes elsewhere has to be read without a session. $HILUM_LOG_PROTECTION ("file", "passphrase",
 * "keyring") has the last word. */
void app_prefer_keyring(gboolean prefer);
/* The first line of the file PLACE, or of the descriptor that it is the number of; WHAT stands
 * before the message. The caller wipes it. */
char *app_secret_line(const char *what, const char *place, GError **error);
/* ERROR says that the key of the log's texts was not to be had. */
gboolean app_log_is_locked(const GError *error);

G_END_DECLS
#endif
