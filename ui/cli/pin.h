/* pin.h - PINs on the command line: out of a file, or typed at the terminal. */
#ifndef HILUM_CLI_PIN_H
#define HILUM_CLI_PIN_H

#include <glib.h>

/* The PIN that is the first line of FILE (or of the descriptor of that number), or, FILE being
 * NULL, is typed; AGAIN: a new one. To be wiped with cli_wipe(). */
char *cli_pin(const char *file, gboolean again, GError **error);
/* Signs NAME in at LOG for what this program does. */
gboolean cli_sign_in(const char *log, const char *name, const char *file, GError **error);
void cli_sign_out(const char *log);

#endif
