/* dataset-convert.c - hilum dataset convert: lists that people have to pairs, and training sets
 * from layout to layout. */
#include <string.h>

#include "app_dataset.h"
#include "list-pipe.h"
#include "out.h"
#include "private.h"

typedef struct {
  const AppDatasetConvertOptions *options;
  const AppDatasetListener *listener;
  DataLayout layout;
  DataConvert convert;
  gboolean urls;    /* addresses alone, each once */
  GHashTable *seen; /* of them */
  AppOut *out;
  DataCounts counts;
  guint n_problems;
  guint64 size;
} Convert;

static void
convert_clear(Convert *run)
{
  data_layout_clear(&run->layout);
  g_clear_pointer(&run->seen, g_hash_table_unref);
  g_clear_pointer(&run->out, app_out_abandon);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Convert, convert_clear)

/* ---- pieces ------------------------------------------------------------------------------------
 */

static void
work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Convert *run = user;

  data_convert(&run->convert, &run->layout, bytes, n, piece->out, &piece->counts, piece->problems);
}

/* The addresses in the lines of PIECE that were not seen before. */
static gboolean
write_urls(Convert *run, const AppPiece *piece, GError **error)
{
  g_autofree char *text = g_strndup((const char *)piece->out->data, piece->out->len);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

  for (guint i = 0; lines[i] && *lines[i]; i++) {
    g_autoptr(JsonObject) pair = app_json_object_read(lines[i], strlen(lines[i]), NULL);
    const char *url = pair ? app_json_get_text(pair, "pmc_tar_url") : NULL;

    url = url ? url : pair ? app_json_get_text(pair, "image_url") : NULL;
    if (!url || !g_hash_table_add(run->seen, g_strdup(url))) {
      run->counts.dropped[url ? DATA_DROPPED_NOT_SAMPLED : DATA_DROPPED_NO_IMAGE]++;
    } else if (!app_out_write(run->out, url, strlen(url), error) ||
               !app_out_write(run->out, "\n", 1, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Convert *run = user;
  const guint skip = run->convert.array && run->counts.written == 0 && piece->out->len > 0;

  app_list_tell(piece, first_line, run->options->in, FALSE, run->listener, &run->n_problems);
  data_counts_add(&run->counts, &piece->counts);
  if (!app_list_go_on(run->listener, bytes, run->size, error)) {
    return FALSE;
  }
  if (run->urls) {
    return write_urls(run, piece, error);
  }
  /* No comma before the first element. */
  return piece->out->len == 0 ||
         app_out_write(run->out, piece->out->data + skip, piece->out->len - skip, error);
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static gboolean
choose_target(Convert *run, GError **error)
{
  const AppDatasetConvertOptions *o = run->options;
  const DataFormat from = run->layout.format;
  const gboolean set = from == DATA_FORMAT_LLAVA || from == DATA_FORMAT_SCIENCEQA;

  run->urls = o->to && strcmp(o->to, "urls") == 0;
  run->convert.to = run->urls ? DATA_FORMAT_PAIRS
                    : o->to   ? data_format_of_name(o->to)
                    : set     ? DATA_FORMAT_LLAVA
                              : DATA_FORMAT_PAIRS;
  if (run->convert.to == DATA_N_FORMATS || !data_convert_is_known(from, run->convert.to)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "--to: from %s to \"%s\" there is no way; targets are pairs, llava, imagefolder "
                "and urls",
                data_format_name(from), o->to);
    return FALSE;
  }
  run->convert.array = run->convert.to == DATA_FORMAT_LLAVA && !g_str_has_suffix(o->out, ".jsonl");
  return TRUE;
}

static gboolean
prepare(Convert *run, GError **error)
{
  const AppDatasetConvertOptions *o = run->options;

  if (!app_list_size(o->in, &run->size, error)) {
    return FALSE;
  }
  if (o->shape && !data_scienceqa_is_shape(o->shape)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "--shape: found \"%s\", expected QCM or CQM, then one of -A, -ALE, -LEA, -LA, -EA "
                "and -LEPA",
                o->shape);
    return FALSE;
  }
  run->convert.split = o->split;
  run->convert.shape = o->shape;
  run->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return app_list_find(o->in, o->from, &run->layout, error) && choose_target(run, error) &&
         app_file_is_another(o->out, o->in, error);
}

static JsonNode *
report(const Convert *run, double seconds, guint64 bytes)
{
  JsonObject *o = json_object_new();

  app_json_set_text(o, "in", run->options->in);
  app_json_set_text(o, "out", run->options->out);
  app_json_set_text(o, "from", data_format_name(run->layout.format));
  app_json_set_text(o, "to", run->urls ? "urls" : data_format_name(run->convert.to));
  json_object_set_int_member(o, "lines", (gint64)run->counts.lines);
  json_object_set_int_member(
      o, "written", (gint64)(run->urls ? g_hash_table_size(run->seen) : run->counts.written));
  app_json_set_object(o, "dropped", app_list_dropped(&run->counts));
  json_object_set_int_member(o, "bytes_out", (gint64)bytes);
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_dataset_convert(const AppDatasetConvertOptions *options, const AppDatasetListener *listener,
                    GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(Convert) run = {.options = options, .listener = listener};
  const AppLinePipe pipe = {.n_threads = options->n_threads > 0 ? options->n_threads
                                                                : g_get_num_processors(),
                            .work = work,
                            .take = take,
                            .user = &run};
  guint64 bytes;

  if (!prepare(&run, error) || !(run.out = app_out_new(options->out, error))) {
    return NULL;
  }
  if ((run.convert.array && !app_out_write(run.out, "[", 1, error)) ||
      !app_list_run(&pipe, options->in, &run.layout, 0, run.size, error) ||
      (run.convert.array && !app_out_write(run.out, "\n]\n", 3, error))) {
    return NULL;
  }
  bytes = app_out_bytes(run.out);
  if (!app_out_finish(g_steal_pointer(&run.out), error)) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC, bytes);
}
