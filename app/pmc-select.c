/* pmc-select.c - hilum pmc select: single-panel figures of the five kinds. */
#include <string.h>

#include "app_pmc.h"
#include "list-pipe.h"
#include "out.h"
#include "panels.h"
#include "private.h"
#include "tower.h"

G_STATIC_ASSERT(PMC_N_VERDICTS <= APP_PIECE_TALLY);

typedef struct {
  const AppPmcSelectOptions *options;
  const AppDatasetListener *listener;
  DataLayout layout;
  PmcSelect select;
  AppTower *tower;
  AppOut *out, *decisions;
  DataCounts counts;
  guint64 verdicts[PMC_N_VERDICTS], size, from, to;
  guint n_problems;
} Run;

static void
run_clear(Run *run)
{
  data_layout_clear(&run->layout);
  g_clear_pointer(&run->tower, app_tower_free);
  g_clear_pointer(&run->out, app_out_abandon);
  g_clear_pointer(&run->decisions, app_out_abandon);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* ---- what data asks for ------------------------------------------------------------------------
 */

static gboolean
look(const char *name, PmcPicture *seen, gpointer user)
{
  const Run *run = user;
  g_autofree char *path = app_file_below(run->options->images, name, NULL);
  g_autoptr(DicomPicture) picture = NULL;

  if (!path || !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    return FALSE;
  }
  picture = app_tower_picture(path, NULL);
  if (picture) {
    app_panels_look(picture, seen);
    if (run->tower && seen->panels < 2 && seen->letters < 2) {
      app_tower_look(run->tower, picture, seen);
    }
  }
  return TRUE;
}

/* ---- pieces ------------------------------------------------------------------------------------
 */

static void
work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Run *run = user;
  GByteArray *decisions = run->decisions ? piece->aside : NULL;
  g_autoptr(GByteArray) pairs = NULL;
  DataCounts counts = {0};

  if (run->layout.format == DATA_FORMAT_PAIRS && !run->layout.container) {
    pmc_select_lines(&run->select, bytes, n, piece->out, decisions, piece->tally, &piece->counts,
                     piece->problems);
    return;
  }
  pairs = g_byte_array_new();
  data_list_pairs(&run->layout, bytes, n, pairs, &piece->counts, piece->problems);
  pmc_select_lines(&run->select, (const char *)pairs->data, pairs->len, piece->out, decisions,
                   piece->tally, &counts, NULL);
  piece->tally[PMC_NO_CAPTION] += piece->counts.dropped[DATA_DROPPED_NO_CAPTION];
  piece->counts.written = counts.written;
  memcpy(piece->counts.domains, counts.domains, sizeof counts.domains);
}

static gboolean
take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Run *run = user;

  app_list_tell(piece, first_line, run->options->in, run->from > 0, run->listener,
                &run->n_problems);
  data_counts_add(&run->counts, &piece->counts);
  for (guint i = 0; i < PMC_N_VERDICTS; i++) {
    run->verdicts[i] += piece->tally[i];
  }
  return app_list_go_on(run->listener, bytes, run->to, error) &&
         app_out_write(run->out, piece->out->data, piece->out->len, error) &&
         (!run->decisions ||
          app_out_write(run->decisions, piece->aside->data, piece->aside->len, error));
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static gboolean
parse_domains(Run *run, GError **error)
{
  g_auto(GStrv) names = g_strsplit(run->options->domains ? run->options->domains : "", ",", -1);

  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    run->select.domains[i] = !run->options->domains;
  }
  for (guint k = 0; names[k]; k++) {
    guint i = 0;
    while (i < DATA_DOMAIN_NONE && strcmp(data_domain_name((DataDomain)i), names[k]) != 0) {
      i++;
    }
    if (i == DATA_DOMAIN_NONE) {
      g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                  "--domains: found \"%s\", expected some of chest_xray, mri, histology, gross and "
                  "ct_scan with commas between",
                  names[k]);
      return FALSE;
    }
    run->select.domains[i] = TRUE;
  }
  return TRUE;
}

static gboolean
prepare_pictures(Run *run, GError **error)
{
  const AppPmcSelectOptions *o = run->options;

  const gboolean tower = o->tower || o->vision_tower || o->examples;

  if (tower && !o->images) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT, "a tower needs --images to look at");
    return FALSE;
  }
  if (o->images && !g_file_test(o->images, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such folder", o->images);
    return FALSE;
  }
  run->select.look = o->images ? look : NULL;
  run->select.user = run;
  if (tower) {
    run->tower = app_tower_new(o->tower, o->vision_tower, o->examples, o->n_threads, error);
  }
  return !tower || run->tower;
}

static gboolean
prepare(Run *run, GError **error)
{
  const AppPmcSelectOptions *o = run->options;
  g_autofree char *name = g_filename_display_name(o->in);

  if (!app_list_size(o->in, &run->size, error)) {
    return FALSE;
  }
  if (o->n_shards > 0 && (o->shard < 1 || o->shard > o->n_shards)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "shard %u of %u; expected one of 1 to %u",
                o->shard, o->n_shards, o->n_shards);
    return FALSE;
  }
  run->to = run->size;
  if (o->n_shards > 0) {
    run->from = (guint64)((unsigned __int128)run->size * (o->shard - 1) / o->n_shards);
    run->to = (guint64)((unsigned __int128)run->size * o->shard / o->n_shards);
  }
  run->select.least = o->least > 0 ? o->least : 0.5;
  if (!parse_domains(run, error) || !app_list_find(o->in, o->from, &run->layout, error) ||
      !app_file_is_another(o->out, o->in, error)) {
    return FALSE;
  }
  if (run->layout.container && o->n_shards > 1) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: one JSON value, of which no part can be read by itself; expected lines (hilum "
                "dataset convert makes them)",
                name);
    return FALSE;
  }
  return prepare_pictures(run, error);
}

static JsonNode *
report(const Run *run, double seconds)
{
  JsonObject *o = json_object_new(), *verdicts = json_object_new(), *domains = json_object_new();
  const AppPmcSelectOptions *options = run->options;
  g_autofree char *shard =
      options->n_shards > 0 ? g_strdup_printf("%u/%u", options->shard, options->n_shards) : NULL;

  app_json_set_text(o, "in", options->in);
  app_json_set_text(o, "out", options->out);
  app_json_set_text(o, "decisions", options->decisions);
  app_json_set_text(o, "shard", shard);
  json_object_set_int_member(o, "lines", (gint64)run->counts.lines);
  json_object_set_int_member(o, "selected", (gint64)run->counts.written);
  for (guint i = 0; i < PMC_N_VERDICTS; i++) {
    json_object_set_int_member(verdicts, pmc_verdict_name((PmcVerdict)i), (gint64)run->verdicts[i]);
  }
  app_json_set_object(o, "verdicts", verdicts);
  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    json_object_set_int_member(domains, data_domain_name((DataDomain)i),
                               (gint64)run->counts.domains[i]);
  }
  app_json_set_object(o, "domains", domains);
  json_object_set_int_member(o, "malformed", (gint64)run->counts.dropped[DATA_DROPPED_MALFORMED]);
  json_object_set_int_member(o, "no_id", (gint64)run->counts.dropped[DATA_DROPPED_NO_ID]);
  if (run->tower) {
    app_json_set_object(o, "tower", app_tower_report(run->tower));
  } else {
    json_object_set_null_member(o, "tower");
  }
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_pmc_select(const AppPmcSelectOptions *options, const AppDatasetListener *listener,
               GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(Run) run = {.options = options, .listener = listener};
  const AppLinePipe pipe = {.n_threads = options->n_threads > 0 ? options->n_threads
                                                                : g_get_num_processors(),
                            .work = work,
                            .take = take,
                            .user = &run};

  if (!prepare(&run, error) || !(run.out = app_out_new(options->out, error)) ||
      (options->decisions && !(run.decisions = app_out_new(options->decisions, error))) ||
      !app_list_run(&pipe, options->in, &run.layout, run.from, run.to, error) ||
      (run.tower && app_tower_is_lost(run.tower, error)) ||
      (run.decisions && !app_out_finish(g_steal_pointer(&run.decisions), error)) ||
      !app_out_finish(g_steal_pointer(&run.out), error)) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}
