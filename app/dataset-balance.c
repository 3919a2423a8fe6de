/* dataset-balance.c - hilum dataset balance: general captions so that concepts are balanced. */
#include <string.h>

#include "app_dataset.h"
#include "list-pipe.h"
#include "out.h"
#include "private.h"

typedef struct {
  const AppBalanceOptions *options;
  const AppDatasetListener *listener;
  DataLayout layout;
  DataPhrases *phrases;
  AppOut *out;
  DataCounts counts;
  guint64 size, tally[DATA_N_CHOICES];
  guint pass, n_problems;
} Balance;

static void
balance_clear(Balance *run)
{
  data_layout_clear(&run->layout);
  g_clear_pointer(&run->phrases, data_phrases_free);
  g_clear_pointer(&run->out, app_out_abandon);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Balance, balance_clear)

static void
work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Balance *run = user;
  g_autoptr(GByteArray) pairs = g_byte_array_new();

  data_list_pairs(&run->layout, bytes, n, pairs, &piece->counts, piece->problems);
  if (run->pass == 0) {
    data_phrases_find((const char *)pairs->data, pairs->len, piece->aside);
  } else if (run->pass == 1) {
    data_phrases_draw(run->phrases, (const char *)pairs->data, pairs->len, piece->aside);
  } else {
    data_phrases_choose(run->phrases, (const char *)pairs->data, pairs->len, piece->out,
                        piece->tally);
  }
}

static gboolean
take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Balance *run = user;

  if (run->pass == 0) {
    app_list_tell(piece, first_line, run->options->in, FALSE, run->listener, &run->n_problems);
    data_counts_add(&run->counts, &piece->counts);
    data_phrases_count(run->phrases, piece->aside);
  } else if (run->pass == 1) {
    data_phrases_offer(run->phrases, piece->aside);
  }
  for (guint i = 0; i < DATA_N_CHOICES; i++) {
    run->tally[i] += piece->tally[i];
  }
  return app_out_write(run->out, piece->out->data, piece->out->len, error) &&
         app_list_go_on(run->listener, (bytes + run->pass * run->size) / 3, run->size, error);
}

static JsonNode *
report(const Balance *run, double seconds)
{
  JsonObject *o = json_object_new(), *dropped = app_list_dropped(&run->counts),
             *phrases = json_object_new();
  guint64 all, drawn, rare;

  data_phrases_sizes(run->phrases, &all, &drawn, &rare);
  app_json_set_text(o, "in", run->options->in);
  app_json_set_text(o, "out", run->options->out);
  json_object_set_int_member(o, "captions", (gint64)run->counts.written);
  json_object_set_int_member(o, "chosen", (gint64)run->tally[DATA_CHOSEN]);
  json_object_set_int_member(phrases, "all", (gint64)all);
  json_object_set_int_member(phrases, "too_rare", (gint64)rare);
  json_object_set_int_member(phrases, "drawn_from", (gint64)drawn);
  app_json_set_object(o, "phrases", phrases);
  json_object_set_int_member(dropped, "all_rare", (gint64)run->tally[DATA_ALL_RARE]);
  json_object_set_int_member(dropped, "not_drawn", (gint64)run->tally[DATA_NOT_DRAWN]);
  app_json_set_object(o, "dropped", dropped);
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_dataset_balance(const AppBalanceOptions *options, const AppDatasetListener *listener,
                    GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(Balance) run = {.options = options, .listener = listener};
  const AppLinePipe pipe = {.n_threads = options->n_threads > 0 ? options->n_threads
                                                                : g_get_num_processors(),
                            .work = work,
                            .take = take,
                            .user = &run};

  if (!app_list_size(options->in, &run.size, error) ||
      !app_list_find(options->in, options->from, &run.layout, error) ||
      !app_file_is_another(options->out, options->in, error) ||
      !(run.out = app_out_new(options->out, error))) {
    return NULL;
  }
  if (!data_convert_is_known(run.layout.format, DATA_FORMAT_PAIRS) ||
      run.layout.format == DATA_FORMAT_IMAGE_URLS) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: a list of the kind \"%s\" has no captions",
                options->in, data_format_name(run.layout.format));
    return NULL;
  }
  run.phrases = data_phrases_new(options->least, options->most, options->seed);
  for (; run.pass < 3; run.pass++) {
    if (!app_list_run(&pipe, options->in, &run.layout, 0, run.size, error)) {
      return NULL;
    }
    if (run.pass == 0) {
      data_phrases_settle(run.phrases);
    }
  }
  if (!app_out_finish(g_steal_pointer(&run.out), error)) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}
