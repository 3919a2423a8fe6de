/* passphrase.h - asks the user for the passphrase of a log, whichever thread opens it. */
#ifndef HILUM_DESKTOP_PASSPHRASE_H
#define HILUM_DESKTOP_PASSPHRASE_H

#include <glib.h>

G_BEGIN_DECLS

/* At the start: from now on a dialog over the window in use asks, and again after a wrong answer.
 * Who refuses, or closes the window meanwhile, is not asked again. */
void desktop_passphrase_attach(void);
/* The user wants to be asked again. */
void desktop_passphrase_again(void);

G_END_DECLS
#endif
