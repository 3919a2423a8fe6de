/* dataset-split.c - hilum dataset split: parts of a set between which nothing leaks. */
#include <string.h>

#include "app_dataset.h"
#include "list-pipe.h"
#include "out.h"
#include "private.h"

#define MOST_PARTS 16u
#define MOST_FILES 128u /* each has a buffer */

typedef struct {
  const AppSplitOptions *options;
  const AppDatasetListener *listener;
  DataLayout layout;
  DataSplit split;
  char *names[MOST_PARTS];
  double shares[MOST_PARTS];
  AppOut *outs[MOST_FILES];
  char *paths[MOST_FILES];
  guint64 records[MOST_FILES];
  DataCounts counts;
  guint64 size;
  guint n_files, n_problems;
} Split;

static void
split_clear(Split *run)
{
  data_layout_clear(&run->layout);
  for (guint i = 0; i < MOST_FILES; i++) {
    g_clear_pointer(&run->outs[i], app_out_abandon);
    g_free(run->paths[i]);
  }
  for (guint i = 0; i < MOST_PARTS; i++) {
    g_free(run->names[i]);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Split, split_clear)

/* ---- pieces ------------------------------------------------------------------------------------
 */

static void
work(const char *bytes, gsize n, AppPiece *piece, gpointer user)
{
  const Split *run = user;

  data_split_lines(&run->split, bytes, n, piece->out, &piece->counts, piece->problems);
}

static gboolean
write_record(Split *run, guint file, const guint8 *bytes, gsize n, GError **error)
{
  const gboolean first = run->records[file]++ == 0, array = run->options->array;

  return (!array || app_out_write(run->outs[file], first ? "\n" : ",\n", first ? 1 : 2, error)) &&
         app_out_write(run->outs[file], bytes, n, error) &&
         (array || app_out_write(run->outs[file], "\n", 1, error));
}

static gboolean
take(AppPiece *piece, guint64 first_line, guint64 bytes, gpointer user, GError **error)
{
  Split *run = user;
  const guint8 *at = piece->out->data, *end = at + piece->out->len;

  app_list_tell(piece, first_line, run->options->file, FALSE, run->listener, &run->n_problems);
  data_counts_add(&run->counts, &piece->counts);
  while (at < end) {
    guint32 head[2];

    memcpy(head, at, sizeof head);
    if (!write_record(run, head[0], at + sizeof head, head[1], error)) {
      return FALSE;
    }
    at += sizeof head + head[1];
  }
  return app_list_go_on(run->listener, bytes, run->size, error);
}

/* ---- parts -------------------------------------------------------------------------------------
 */

static gboolean
refuse_parts(const char *text, GError **error)
{
  g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
              "--parts: found \"%s\", expected NAME=SHARE with commas between, such as "
              "train=0.8,val=0.1,test=0.1, of at most %u names of letters and digits",
              text, MOST_PARTS);
  return FALSE;
}

static gboolean
parse_part(Split *run, const char *part)
{
  const char *equals = strchr(part, '=');
  const guint i = run->split.n_parts;
  char *end = NULL;

  if (!equals || equals == part || i == MOST_PARTS) {
    return FALSE;
  }
  run->names[i] = g_strndup(part, (gsize)(equals - part));
  for (const char *c = run->names[i]; *c; c++) {
    if (!g_ascii_isalnum(*c) && *c != '_') {
      return FALSE;
    }
  }
  for (guint k = 0; k < i; k++) {
    if (strcmp(run->names[k], run->names[i]) == 0) {
      return FALSE;
    }
  }
  run->shares[i] = g_ascii_strtod(equals + 1, &end);
  run->split.n_parts++;
  return end && !*end && end != equals + 1 && run->shares[i] > 0 && run->shares[i] < 1e9;
}

static gboolean
parse_parts(Split *run, GError **error)
{
  const char *text = run->options->parts ? run->options->parts : "train=0.8,val=0.1,test=0.1";
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  double sum = 0;

  for (guint i = 0; parts[i]; i++) {
    if (!parse_part(run, parts[i])) {
      return refuse_parts(text, error);
    }
    sum += run->shares[i];
  }
  for (guint i = 0; i < run->split.n_parts; i++) {
    run->shares[i] /= sum;
  }
  return run->split.n_parts > 0 || refuse_parts(text, error);
}

static gboolean
open_files(Split *run, GError **error)
{
  const char *suffix = run->options->array ? "json" : "jsonl";
  const guint n_shards = run->split.n_shards;

  run->n_files = run->split.n_parts * n_shards;
  if (run->n_files > MOST_FILES) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "--shards: %u parts of %u shards are %u files; at most %u can be written at once",
                run->split.n_parts, n_shards, run->n_files, MOST_FILES);
    return FALSE;
  }
  for (guint i = 0; i < run->n_files; i++) {
    const char *part = run->names[i / n_shards];
    g_autofree char *name =
        n_shards == 1 ? g_strdup_printf("%s.%s", part, suffix)
                      : g_strdup_printf("%s-%05u-of-%05u.%s", part, i % n_shards, n_shards, suffix);

    run->paths[i] = g_build_filename(run->options->out, name, NULL);
    if (!app_file_is_another(run->paths[i], run->options->file, error) ||
        !(run->outs[i] = app_out_new(run->paths[i], error)) ||
        (run->options->array && !app_out_write(run->outs[i], "[", 1, error))) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
finish_files(Split *run, GError **error)
{
  for (guint i = 0; i < run->n_files; i++) {
    if ((run->options->array && !app_out_write(run->outs[i], "\n]\n", 3, error)) ||
        !app_out_finish(g_steal_pointer(&run->outs[i]), error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static gboolean
prepare(Split *run, GError **error)
{
  const AppSplitOptions *o = run->options;
  g_autofree char *name = g_filename_display_name(o->file);

  run->split.seed = o->seed;
  run->split.shares = run->shares;
  run->split.n_shards = MAX(o->n_shards, 1);
  run->split.group = o->group && strcmp(o->group, "auto") != 0 ? o->group : NULL;
  if (!parse_parts(run, error) || !app_list_size(o->file, &run->size, error) ||
      !app_list_find(o->file, NULL, &run->layout, error)) {
    return FALSE;
  }
  if (run->layout.format != DATA_FORMAT_PAIRS && run->layout.format != DATA_FORMAT_LLAVA &&
      run->layout.format != DATA_FORMAT_IMAGEFOLDER) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: a list of the kind \"%s\"; expected pairs or a training set (hilum dataset "
                "convert makes them)",
                name, data_format_name(run->layout.format));
    return FALSE;
  }
  return open_files(run, error);
}

static JsonNode *
report(const Split *run, double seconds)
{
  JsonObject *o = json_object_new();
  JsonArray *parts = json_array_new();

  app_json_set_text(o, "file", run->options->file);
  app_json_set_text(o, "out", run->options->out);
  app_json_set_text(o, "group", run->split.group ? run->split.group : "auto");
  for (guint i = 0; i < run->split.n_parts; i++) {
    JsonObject *part = json_object_new();
    JsonArray *files = json_array_new();
    guint64 records = 0;

    for (guint k = 0; k < run->split.n_shards; k++) {
      records += run->records[i * run->split.n_shards + k];
      json_array_add_string_element(files, run->paths[i * run->split.n_shards + k]);
    }
    json_object_set_string_member(part, "name", run->names[i]);
    json_object_set_int_member(part, "records", (gint64)records);
    json_object_set_array_member(part, "files", files);
    json_array_add_object_element(parts, part);
  }
  json_object_set_array_member(o, "parts", parts);
  json_object_set_int_member(o, "lines", (gint64)run->counts.lines);
  app_json_set_object(o, "dropped", app_list_dropped(&run->counts));
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_dataset_split(const AppSplitOptions *options, const AppDatasetListener *listener,
                  GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(Split) run = {.options = options, .listener = listener};
  const AppLinePipe pipe = {.n_threads = options->n_threads > 0 ? options->n_threads
                                                                : g_get_num_processors(),
                            .work = work,
                            .take = take,
                            .user = &run};

  if (!g_file_test(options->out, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such folder", options->out);
    return NULL;
  }
  if (!prepare(&run, error) ||
      !app_list_run(&pipe, options->file, &run.layout, 0, run.size, error) ||
      !finish_files(&run, error)) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}
