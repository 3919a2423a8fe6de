/* dataset-stats.c - hilum dataset stats: what is in a set, as numbers and as plots. */
#include <string.h>

#include "app_dataset.h"
#include "list-pipe.h"
#include "private.h"

#define MOST_NOUNS 4u

typedef struct {
  const AppStatsOptions *options;
  const AppDatasetListener *listener;
  DataLayout layout;
  DataStats *stats;
  DataCounts counts;
  guint64 size;
  guint n_problems;
  GArray *verbs;
  JsonArray *plots;
} Stats;

static void
stats_clear(Stats *run)
{
  data_layout_clear(&run->layout);
  g_clear_pointer(&run->stats, data_stats_free);
  g_clear_pointer(&run->verbs, g_array_unref);
  g_clear_pointer(&run->plots, json_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stats, stats_clear)

static void
work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Stats *run = user;

  piece->own = data_stats_new();
  piece->own_free = (GDestroyNotify)data_stats_free;
  data_stats_lines(piece->own, &run->layout, bytes, n, &piece->counts, piece->problems);
}

static gboolean
take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Stats *run = user;

  app_list_tell(piece, first_line, run->options->file, FALSE, run->listener, &run->n_problems);
  data_counts_add(&run->counts, &piece->counts);
  data_stats_add(run->stats, piece->own);
  return app_list_go_on(run->listener, bytes, run->size, error);
}

/* ---- plots -------------------------------------------------------------------------------------
 */

static gboolean
write_plot(Stats *run, const char *name, const char *svg, GError **error)
{
  g_autofree char *path = g_build_filename(run->options->svg, name, NULL);

  json_array_add_string_element(run->plots, path);
  return app_file_write(path, svg, strlen(svg), error);
}

static gboolean
write_plots(Stats *run, GError **error)
{
  g_autoptr(GArray) domains = g_array_new(FALSE, FALSE, sizeof(DataShare));
  const gboolean turns = run->stats->questions > 0;
  g_autofree char *bars = NULL, *answers = NULL, *questions = NULL, *rings = NULL;

  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    const DataShare share = {(char *)data_domain_name((DataDomain)i), run->stats->domains[i], NULL};
    g_array_append_val(domains, share);
  }
  bars = data_plot_bars("Records by kind of picture", domains);
  answers = data_plot_lengths(turns ? "Words of answers" : "Words of captions",
                              &run->stats->answered, 10);
  if (!write_plot(run, "domains.svg", bars, error) ||
      !write_plot(run, turns ? "answers.svg" : "captions.svg", answers, error)) {
    return FALSE;
  }
  if (!turns) {
    return TRUE;
  }
  questions = data_plot_lengths("Words of questions", &run->stats->asked, 2);
  rings = data_plot_rings("Verbs of questions and their nouns", run->verbs);
  return write_plot(run, "questions.svg", questions, error) &&
         write_plot(run, "verbs.svg", rings, error);
}

/* ---- the report --------------------------------------------------------------------------------
 */

static JsonObject *
lengths_object(const DataLengths *lengths)
{
  JsonObject *o = json_object_new();
  guint64 short_ones = 0;

  for (guint i = 0; i < 30; i++) {
    short_ones += lengths->lengths[i];
  }
  json_object_set_int_member(o, "texts", (gint64)lengths->texts);
  json_object_set_double_member(o, "mean_words",
                                (double)lengths->words / (double)MAX(lengths->texts, 1));
  json_object_set_int_member(o, "median", data_lengths_quantile(lengths, 0.5));
  json_object_set_int_member(o, "p10", data_lengths_quantile(lengths, 0.1));
  json_object_set_int_member(o, "p90", data_lengths_quantile(lengths, 0.9));
  json_object_set_double_member(o, "under_30", (double)short_ones / (double)MAX(lengths->texts, 1));
  return o;
}

static JsonArray *
shares_array(const GArray *shares, const char *name)
{
  JsonArray *array = json_array_new();

  for (guint i = 0; shares && i < shares->len; i++) {
    const DataShare *share = &g_array_index(shares, DataShare, i);
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, name, share->name);
    json_object_set_int_member(o, "count", (gint64)share->count);
    if (strcmp(name, "verb") == 0) {
      json_object_set_array_member(o, "nouns", shares_array(share->parts, "noun"));
    }
    json_array_add_object_element(array, o);
  }
  return array;
}

static JsonObject *
domains_object(const DataStats *stats)
{
  JsonObject *domains = json_object_new();

  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    JsonObject *o = json_object_new();
    json_object_set_int_member(o, "records", (gint64)stats->domains[i]);
    json_object_set_int_member(o, "questions", (gint64)stats->domain_questions[i]);
    app_json_set_object(domains, data_domain_name((DataDomain)i), o);
  }
  return domains;
}

static JsonNode *
report(Stats *run, double seconds)
{
  const DataStats *stats = run->stats;
  JsonObject *o = json_object_new(), *turns = json_object_new();

  app_json_set_text(o, "file", run->options->file);
  app_json_set_text(o, "format", data_format_name(run->layout.format));
  json_object_set_int_member(o, "records", (gint64)stats->records);
  json_object_set_int_member(o, "questions", (gint64)stats->questions);
  json_object_set_int_member(o, "with_image", (gint64)stats->with_image);
  app_json_set_object(o, "domains", domains_object(stats));
  for (guint i = 0; i <= DATA_MOST_TURNS; i++) {
    char name[16];
    g_snprintf(name, sizeof name, "%u", i);
    if (stats->turns[i] > 0) {
      json_object_set_int_member(turns, name, (gint64)stats->turns[i]);
    }
  }
  app_json_set_object(o, "turns", turns);
  app_json_set_object(o, "asked", lengths_object(&stats->asked));
  app_json_set_object(o, "answered", lengths_object(&stats->answered));
  json_object_set_array_member(o, "verbs", shares_array(run->verbs, "verb"));
  json_object_set_array_member(o, "plots", json_array_ref(run->plots));
  app_json_set_object(o, "dropped", app_list_dropped(&run->counts));
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_dataset_stats(const AppStatsOptions *options, const AppDatasetListener *listener,
                  GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(Stats) run = {.options = options,
                       .listener = listener,
                       .stats = data_stats_new(),
                       .plots = json_array_new()};
  const AppLinePipe pipe = {.n_threads = options->n_threads > 0 ? options->n_threads
                                                                : g_get_num_processors(),
                            .work = work,
                            .take = take,
                            .user = &run};

  if (options->svg && !g_file_test(options->svg, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such folder", options->svg);
    return NULL;
  }
  if (!app_list_size(options->file, &run.size, error) ||
      !app_list_find(options->file, options->from, &run.layout, error) ||
      !app_list_run(&pipe, options->file, &run.layout, 0, run.size, error)) {
    return NULL;
  }
  run.verbs = data_stats_verbs(run.stats, options->n_verbs > 0 ? options->n_verbs : 20, MOST_NOUNS);
  if (options->svg && !write_plots(&run, error)) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}
