/* The table of subcommands, in the order in which --help shows them. */
#include "commands.h"

const CliCommand cli_commands[] = {
    {NULL, NULL, NULL},
};
