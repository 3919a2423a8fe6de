/* dataset-show.c - see dataset-show.h. */
#include "dataset-show.h"

#include <stdio.h>
#include <unistd.h>

static void
on_problem(const char *text, gpointer user)
{
  cli_note("%s", text);
}

static gboolean
on_go_on(guint64 done, guint64 total, gpointer user)
{
  CliShow *show = user;
  const gint64 now = g_get_monotonic_time();

  if (show->terminal && now - show->shown > 200000) {
    fprintf(stderr, "\r%3d %% ", total > 0 ? (int)(100 * done / total) : 100);
    show->shown = now;
  }
  return !cli_is_interrupted();
}

const AppDatasetListener *
cli_show_begin(CliShow *show)
{
  *show = (CliShow){.began = g_get_monotonic_time(), .terminal = isatty(STDERR_FILENO) == 1};
  show->listener = (AppDatasetListener){on_problem, on_go_on, show};
  cli_catch_interrupt();
  return &show->listener;
}

int
cli_show_end(CliShow *show, JsonNode *report, const GError *error, gboolean json,
             void (*print)(JsonNode *report))
{
  if (show->shown > 0) {
    fputc('\n', stderr);
  }
  if (!report) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(report);
  } else {
    print(report);
  }
  return cli_finish_output(CLI_DONE);
}

void
cli_print_counts(const char *key, JsonObject *counts)
{
  g_autoptr(GList) names = json_object_get_members(counts);
  g_autoptr(GString) text = g_string_new(NULL);

  for (GList *l = names; l; l = l->next) {
    const gint64 n = json_object_get_int_member(counts, l->data);
    if (n > 0) {
      g_autofree char *name = g_strdelimit(g_strdup(l->data), "_", ' ');
      g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", text->len ? ", " : "", n, name);
    }
  }
  cli_print_field(key, "%s", text->len ? text->str : "nothing");
}

gboolean
cli_parse_shard(const char *text, guint *shard, guint *n_shards)
{
  g_auto(GStrv) parts = g_strsplit(text, "/", -1);
  guint64 i, n;

  if (g_strv_length(parts) != 2 ||
      !g_ascii_string_to_unsigned(parts[1], 10, 1, 1000000, &n, NULL) ||
      !g_ascii_string_to_unsigned(parts[0], 10, 1, n, &i, NULL)) {
    cli_misused("--shard: found \"%s\", expected I/N, such as 1/8", text);
    return FALSE;
  }
  *shard = (guint)i;
  *n_shards = (guint)n;
  return TRUE;
}
