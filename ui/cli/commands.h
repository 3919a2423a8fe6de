/* commands.h - every subcommand, one function each. The table is in commands.c. */
#ifndef HILUM_CLI_COMMANDS_H
#define HILUM_CLI_COMMANDS_H

#include "cli.h"

extern const CliCommand cli_commands[]; /* ends with a NULL name */

int cmd_ask(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_image_deid(int argc, char **argv); /* below "image" */
int cmd_model(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_cache(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_phantom(int argc, char **argv);
int cmd_pmc(int argc, char **argv);
int cmd_dataset(int argc, char **argv);
int cmd_eval(int argc, char **argv);

/* Commands of cmd_image(). */
int cmd_image_text(int argc, char **argv);
int cmd_image_extract(int argc, char **argv);
int cmd_image_list(int argc, char **argv);

/* Of cmd_log(). */
int cmd_log_person(int argc, char **argv);
int cmd_log_export(int argc, char **argv);
int cmd_log_import(int argc, char **argv);
int cmd_log_send(int argc, char **argv);
int cmd_log_consent(int argc, char **argv);
int cmd_log_verify(int argc, char **argv);
int cmd_log_prove(int argc, char **argv);
int cmd_log_checkpoint(int argc, char **argv);
int cmd_log_check_proof(int argc, char **argv);
int cmd_log_erase(int argc, char **argv);
int cmd_log_protect(int argc, char **argv);
int cmd_log_backup(int argc, char **argv);
int cmd_log_restore(int argc, char **argv);
int cmd_log_recover(int argc, char **argv);
int cmd_log_rotate(int argc, char **argv);
int cmd_log_retain(int argc, char **argv);
int cmd_log_retire(int argc, char **argv);
/* Says so where a newer Hilum wrote the log at PATH (NULL: the user's own). */
void cmd_log_note_newer(const char *path);

/* Of cmd_model(). */
int cmd_model_convert(int argc, char **argv);
int cmd_model_compare(int argc, char **argv);
int cmd_model_random(int argc, char **argv);
int cmd_model_imatrix(int argc, char **argv);

/* Of cmd_pmc(). */
int cmd_pmc_select(int argc, char **argv);

/* Of cmd_dataset(). */
int cmd_dataset_convert(int argc, char **argv);
int cmd_dataset_instruct(int argc, char **argv);
int cmd_dataset_stats(int argc, char **argv);
int cmd_dataset_split(int argc, char **argv);
int cmd_dataset_balance(int argc, char **argv);

/* Of cmd_eval(). */
int cmd_eval_vqa(int argc, char **argv);
int cmd_eval_answer(int argc, char **argv);
int cmd_eval_judge(int argc, char **argv);
int cmd_eval_science(int argc, char **argv);

#endif
