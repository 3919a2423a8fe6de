/* eval-tools.h - what the commands below `hilum eval` share. */
#ifndef HILUM_CLI_EVAL_TOOLS_H
#define HILUM_CLI_EVAL_TOOLS_H

#include "app_eval.h"
#include "commands.h"

/* The command as it could be typed again; before cli_parse() takes it apart. g_free(). */
char *cli_eval_command(int argc, char **argv);
void cli_eval_problem(const char *text, gpointer user);
gboolean cli_eval_go_on(gpointer user);
/* Ends what REPORT begins: prints it as JSON, or by PRINT, and writes it into FOLDER when that is
 * not NULL. */
int cli_eval_end(JsonNode *report, gboolean json, const char *folder, void (*print)(JsonObject *));
/* "key  N of a kind" for each thing that was left out. */
void cli_eval_print_left_out(JsonObject *report);
/* Percent with its interval: " 56.4 [50.6, 62.7]". g_free(). */
char *cli_eval_percent(JsonObject *object, const char *name);

#endif
