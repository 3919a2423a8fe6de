/* dataset-show.h - how the subcommands of `hilum dataset` and `hilum pmc` show what goes on. */
#ifndef HILUM_CLI_DATASET_SHOW_H
#define HILUM_CLI_DATASET_SHOW_H

#include "app_dataset.h"
#include "commands.h"

typedef struct {
  gint64 began, shown;
  gboolean terminal;
  AppDatasetListener listener;
} CliShow;

/* Problems to standard error, progress to a terminal, Ctrl-C as a wish to end. Borrowed. */
const AppDatasetListener *cli_show_begin(CliShow *show);
/* REPORT as JSON or by PRINT, or the complaint of ERROR; returns the status to exit with. */
int cli_show_end(CliShow *show, JsonNode *report, const GError *error, gboolean json,
                 void (*print)(JsonNode *report));
/* "12 malformed, 3 no_id": members that are not 0; "nothing". */
void cli_print_counts(const char *key, JsonObject *counts);
/* "3/8"; FALSE after a complaint. */
gboolean cli_parse_shard(const char *text, guint *shard, guint *n_shards);

#endif
