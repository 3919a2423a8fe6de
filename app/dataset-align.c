/* dataset-align.c - hilum dataset align: pairs to concept alignment data. */
#include <string.h>

#include "app_dataset.h"
#include "list-pipe.h"
#include "model_prompt.h"
#include "out.h"
#include "private.h"

#define MOST_TARGET 100000000u

typedef struct {
  const AppAlignOptions *options;
  const AppDatasetListener *listener;
  DataAlign align;
  DataLayout layout;
  DataSample sample;
  guint64 size, from, to;
  AppOut *out;
  DataCounts counts;
  guint n_problems;

  /* The smallest tickets of each domain so far, the largest of them first: heaps. */
  GArray *heaps[DATA_N_DOMAINS];
  guint quotas[DATA_N_DOMAINS];
} Align;

static void
align_clear(Align *run)
{
  data_layout_clear(&run->layout);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Align, align_clear)

/* ---- what data asks for ------------------------------------------------------------------------
 */

static const char *
instruction(const char *caption, gsize n, guint64 seed, gboolean *brief, gpointer user)
{
  const ModelInstruction chosen = model_prompt_instruction(MODEL_LENGTH_AUTO, caption, seed);

  *brief = strcmp(chosen.list, "brief") == 0;
  return chosen.words > 0 ? chosen.text : NULL;
}

static gboolean
has_image(const char *name, gpointer user)
{
  const Align *run = user;
  g_autofree char *path = app_file_below(run->options->images, name, NULL);

  return path && g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

/* ---- the target --------------------------------------------------------------------------------
 */

static gboolean
refuse_target(const char *text, GError **error)
{
  g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
              "--target: found \"%s\", expected a number, or DOMAIN=NUMBER with commas between; "
              "domains are chest_xray, mri, histology, gross and ct_scan",
              text);
  return FALSE;
}

static gboolean
parse_quota(Align *run, const char *part, GError **error)
{
  const char *equals = strchr(part, '=');
  guint64 number;

  if (!g_ascii_string_to_unsigned(equals ? equals + 1 : part, 10, 1, MOST_TARGET, &number, NULL)) {
    return refuse_target(run->options->target, error);
  }
  if (!equals) {
    run->quotas[DATA_DOMAIN_NONE] = (guint)number;
    return TRUE;
  }
  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    const char *name = data_domain_name((DataDomain)i);
    if (strlen(name) == (gsize)(equals - part) && strncmp(name, part, strlen(name)) == 0) {
      run->quotas[i] = (guint)number;
      run->sample.domains = TRUE;
      return TRUE;
    }
  }
  return refuse_target(run->options->target, error);
}

static gboolean
parse_target(Align *run, GError **error)
{
  g_auto(GStrv) parts = g_strsplit(run->options->target, ",", -1);

  for (guint i = 0; parts[i]; i++) {
    if (!parse_quota(run, parts[i], error)) {
      return FALSE;
    }
  }
  if (!parts[0] || (run->sample.domains && run->quotas[DATA_DOMAIN_NONE] > 0) ||
      (!run->sample.domains && parts[1])) {
    return refuse_target(run->options->target, error);
  }
  return TRUE;
}

static void
sift_down(GArray *heap, guint at)
{
  guint64 *n = (guint64 *)(void *)heap->data;

  for (;;) {
    guint largest = at;
    for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < heap->len; child++) {
      largest = n[child] > n[largest] ? child : largest;
    }
    if (largest == at) {
      return;
    }
    const guint64 swap = n[at];
    n[at] = n[largest];
    n[largest] = swap;
    at = largest;
  }
}

static void
sift_up(GArray *heap, guint at)
{
  guint64 *n = (guint64 *)(void *)heap->data;

  while (at > 0 && n[at] > n[(at - 1) / 2]) {
    const guint64 swap = n[at];
    n[at] = n[(at - 1) / 2];
    n[(at - 1) / 2] = swap;
    at = (at - 1) / 2;
  }
}

static void
offer(GArray *heap, guint quota, guint64 number)
{
  if (heap->len < quota) {
    g_array_append_val(heap, number);
    sift_up(heap, heap->len - 1);
  } else if (quota > 0 && number < g_array_index(heap, guint64, 0)) {
    g_array_index(heap, guint64, 0) = number;
    sift_down(heap, 0);
  }
}

/* ---- pieces ------------------------------------------------------------------------------------
 */

/* Lines of pairs in the place of BYTES, or NULL: they are such lines. */
static GByteArray *
convert(const Align *run, const char *bytes, gsize n, AppPiece *piece)
{
  GByteArray *pairs = NULL;

  if (run->layout.format != DATA_FORMAT_PAIRS || run->layout.container) {
    pairs = g_byte_array_new();
    data_list_pairs(&run->layout, bytes, n, pairs, &piece->counts, piece->problems);
  }
  return pairs;
}

static void
draw_work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Align *run = user;
  g_autoptr(GByteArray) pairs = convert(run, bytes, n, piece);

  if (pairs) {
    data_align_tickets(&run->align, (const char *)pairs->data, pairs->len, piece->tickets);
  } else {
    data_align_tickets(&run->align, bytes, n, piece->tickets);
  }
}

static gboolean
draw_take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Align *run = user;

  for (guint i = 0; i < piece->tickets->len; i++) {
    const DataTicket *ticket = &g_array_index(piece->tickets, DataTicket, i);
    const guint which = run->sample.domains ? ticket->domain : DATA_DOMAIN_NONE;
    offer(run->heaps[which], run->quotas[which], ticket->number);
  }
  return app_list_go_on(run->listener, bytes, run->to, error);
}

static void
align_work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Align *run = user;
  g_autoptr(GByteArray) pairs = convert(run, bytes, n, piece);
  DataCounts counts = {0};

  if (pairs) {
    /* What the list lost is counted; lines, and what was written, are those of now. */
    data_align(&run->align, (const char *)pairs->data, pairs->len, piece->out, &counts, NULL);
    counts.lines = piece->counts.lines;
    for (guint i = 0; i < DATA_N_DROPPED; i++) {
      counts.dropped[i] += piece->counts.dropped[i];
    }
    piece->counts = counts;
  } else {
    data_align(&run->align, bytes, n, piece->out, &piece->counts, piece->problems);
  }
}

static gboolean
align_take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Align *run = user;
  const guint skip = run->align.array && run->counts.written == 0 && piece->out->len > 0;

  app_list_tell(piece, first_line, run->options->in, run->from > 0, run->listener,
                &run->n_problems);
  data_counts_add(&run->counts, &piece->counts);
  /* No comma before the first element. */
  return (piece->out->len == 0 ||
          app_out_write(run->out, piece->out->data + skip, piece->out->len - skip, error)) &&
         app_list_go_on(run->listener, bytes, run->to, error);
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static gboolean
run_pipe(Align *run, gboolean draw, GError **error)
{
  const AppLinePipe pipe = {.n_threads = run->options->n_threads > 0 ? run->options->n_threads
                                                                     : g_get_num_processors(),
                            .work = draw ? draw_work : align_work,
                            .take = draw ? draw_take : align_take,
                            .user = run};

  return app_list_run(&pipe, run->options->in, &run->layout, draw ? 0 : run->from,
                      draw ? run->size : run->to, error);
}

/* Draws from the whole file, whichever shard is asked for. */
static gboolean
draw_sample(Align *run, GError **error)
{
  gboolean ok;

  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    run->heaps[i] = g_array_new(FALSE, FALSE, sizeof(guint64));
  }
  ok = run_pipe(run, TRUE, error);
  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    const gboolean full = run->heaps[i]->len >= run->quotas[i];
    run->sample.limits[i] = run->quotas[i] == 0 ? 0
                            : full              ? g_array_index(run->heaps[i], guint64, 0) + 1
                                                : G_MAXUINT64;
    g_array_unref(run->heaps[i]);
  }
  run->align.sample = &run->sample;
  return ok;
}

static gboolean
find_layout(Align *run, GError **error)
{
  const AppAlignOptions *o = run->options;
  g_autofree char *name = g_filename_display_name(o->in);
  DataFormat format;

  /* Lines that are no JSON at all are named one by one, as ever. */
  if (run->size == 0 || !app_list_find(o->in, o->from, &run->layout, o->from ? error : NULL)) {
    run->layout = (DataLayout){.format = DATA_FORMAT_PAIRS};
    return !o->from || run->size == 0;
  }
  format = run->layout.format;
  if (format == DATA_FORMAT_IMAGE_URLS || format == DATA_FORMAT_LLAVA ||
      format == DATA_FORMAT_SCIENCEQA) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: a list of the kind \"%s\", which has no captions; expected pairs", name,
                data_format_name(format));
    return FALSE;
  }
  if (run->layout.container && o->n_shards > 1) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: one JSON value, of which no part can be read by itself; expected lines (hilum "
                "dataset convert makes them)",
                name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
prepare(Align *run, GError **error)
{
  const AppAlignOptions *o = run->options;
  g_autofree char *name = g_filename_display_name(o->in);

  if (!app_list_size(o->in, &run->size, error)) {
    return FALSE;
  }
  if (o->images && !g_file_test(o->images, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such folder", o->images);
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
  run->align = (DataAlign){.seed = o->seed,
                           .instruction = instruction,
                           .has_image = o->images ? has_image : NULL,
                           .user = run,
                           .array = !g_str_has_suffix(o->out, ".jsonl")};
  return app_file_is_another(o->out, o->in, error) && (!o->target || parse_target(run, error)) &&
         find_layout(run, error);
}

static JsonNode *
report(const Align *run, double seconds, guint64 bytes)
{
  JsonObject *o = json_object_new(), *domains = json_object_new();
  g_autofree char *shard =
      run->options->n_shards > 0
          ? g_strdup_printf("%u/%u", run->options->shard, run->options->n_shards)
          : NULL;

  app_json_set_text(o, "in", run->options->in);
  app_json_set_text(o, "out", run->options->out);
  app_json_set_text(o, "shard", shard);
  json_object_set_int_member(o, "lines", (gint64)run->counts.lines);
  json_object_set_int_member(o, "written", (gint64)run->counts.written);
  json_object_set_int_member(o, "brief", (gint64)run->counts.brief);
  json_object_set_int_member(o, "detailed", (gint64)run->counts.detailed);
  app_json_set_object(o, "dropped", app_list_dropped(&run->counts));
  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    json_object_set_int_member(domains, data_domain_name((DataDomain)i),
                               (gint64)run->counts.domains[i]);
  }
  app_json_set_object(o, "domains", domains);
  json_object_set_int_member(o, "bytes_in", (gint64)(run->to - run->from));
  json_object_set_int_member(o, "bytes_out", (gint64)bytes);
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_dataset_align(const AppAlignOptions *options, const AppDatasetListener *listener,
                  GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(Align) run = {.options = options, .listener = listener};
  g_autoptr(AppOut) out = NULL;
  guint64 bytes;

  if (!prepare(&run, error) || !(out = app_out_new(options->out, error)) ||
      (options->target && !draw_sample(&run, error))) {
    return NULL;
  }
  run.out = out;
  if ((run.align.array && !app_out_write(out, "[", 1, error)) || !run_pipe(&run, FALSE, error) ||
      (run.align.array && !app_out_write(out, "\n]\n", 3, error))) {
    return NULL;
  }
  bytes = app_out_bytes(out);
  if (!app_out_finish(g_steal_pointer(&out), error)) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC, bytes);
}
