/* passphrase.h - asks for a log's passphrase at the terminal. */
#ifndef HILUM_CLI_PASSPHRASE_H
#define HILUM_CLI_PASSPHRASE_H

/* From now on. */
void cli_set_ask_passphrase(void);

#endif
