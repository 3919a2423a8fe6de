/* passphrase.h - asks for a log's passphrase, or a PIN, at the terminal. */
#ifndef HILUM_CLI_PASSPHRASE_H
#define HILUM_CLI_PASSPHRASE_H

#include <glib.h>

/* From now on. */
void cli_set_ask_passphrase(void);

/* What is asked for, in words. */
typedef struct {
  const char *prompt, *again; /* AGAIN: it is a new one, and asked for twice; or NULL */
  const char *what, *instead; /* "the log's passphrase"; what to do where nobody can be asked */
} CliSecret;
/* A line that is typed and not shown; the caller wipes it with cli_wipe(). */
char *cli_ask_secret(const CliSecret *secret, GError **error);
void cli_wipe(char **line);

#endif
