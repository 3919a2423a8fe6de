/* pmc.c - hilum pmc figures: articles and packages to lines of JSON, and their images. */
#include "app_pmc.h"

#include <string.h>

#include "out.h"
#include "pmc.h"
#include "private.h"

typedef struct {
  const AppPmcOptions *options;
  const AppPmcListener *listener;
  AppOut *out;
  GHashTable *wanted; /* stem of an image of this package to the pair_id, both owned */
  guint articles, figures, failed, without_caption, images, images_missing;
  GError *failure; /* of writing: ends the run */
} Run;

static void
write_line(Run *run, const PmcFigure *figure)
{
  gsize n;
  g_autofree char *line = pmc_figure_line(figure, &n);

  if (!run->out) {
    run->listener->line(line, n, run->listener->user);
  } else if (!run->failure && app_out_write(run->out, line, n, &run->failure)) {
    app_out_write(run->out, "\n", 1, &run->failure);
  }
}

/* A pair_id that can name a file: ids in articles hold neither, but nobody checked them. */
static gboolean
names_a_file(const char *pair_id)
{
  return !strchr(pair_id, '/') && *pair_id != '.' && strlen(pair_id) < 200;
}

static gboolean
on_figure(const PmcFigure *figure, gpointer user)
{
  Run *run = user;

  run->figures++;
  run->without_caption += !figure->fig_caption || !*figure->fig_caption;
  if (run->options->images && figure->image && names_a_file(figure->pair_id)) {
    g_hash_table_replace(run->wanted, g_path_get_basename(figure->image),
                         g_strdup(figure->pair_id));
  }
  write_line(run, figure);
  return !run->failure;
}

static void
on_article(const char *name, const GError *failure, gpointer user)
{
  Run *run = user;

  if (failure) {
    run->failed++;
    if (run->listener->problem) {
      run->listener->problem(failure->message, run->listener->user);
    }
  } else {
    run->articles++;
  }
}

/* ---- images ------------------------------------------------------------------------------------
 */

static void
on_package(const char *name, gpointer user)
{
  Run *run = user;

  run->images_missing += g_hash_table_size(run->wanted);
  g_hash_table_remove_all(run->wanted);
}

/* "PMC1/F1.jpg" is the image that the article calls "F1" or "F1.jpg". */
static const char *
pair_of(Run *run, const char *name, char **key)
{
  g_autofree char *base = g_path_get_basename(name);
  const char *pair = g_hash_table_lookup(run->wanted, base);
  char *dot = strrchr(base, '.');

  if (!pair && dot) {
    *dot = '\0';
    pair = g_hash_table_lookup(run->wanted, base);
  }
  *key = g_steal_pointer(&base);
  return pair;
}

static gboolean
wants_image(const char *name, gpointer user)
{
  g_autofree char *key = NULL;
  const char *dot = strrchr(name, '.');

  /* Training reads JPEG; the GIFs beside them are thumbnails, the TIFFs the same picture larger. */
  return dot && (g_ascii_strcasecmp(dot, ".jpg") == 0 || g_ascii_strcasecmp(dot, ".jpeg") == 0) &&
         pair_of(user, name, &key) != NULL;
}

static void
on_image(const char *name, const void *bytes, gsize n, gpointer user)
{
  Run *run = user;
  g_autofree char *key = NULL, *file = NULL, *path = NULL;
  const char *pair = pair_of(run, name, &key);

  file = g_strconcat(pair, ".jpg", NULL);
  path = g_build_filename(run->options->images, file, NULL);
  if (!run->failure && app_file_write(path, bytes, n, &run->failure)) {
    run->images++;
    g_hash_table_remove(run->wanted, key);
  }
}

static gboolean
on_go_on(gpointer user)
{
  Run *run = user;

  return !run->failure && (!run->listener->go_on ||
                           run->listener->go_on(run->articles, run->figures, run->listener->user));
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static gboolean
visit_all(Run *run, GError **error)
{
  const PmcVisitor visitor = {.figure = on_figure,
                              .article = on_article,
                              .package = run->options->images ? on_package : NULL,
                              .wants_image = run->options->images ? wants_image : NULL,
                              .image = on_image,
                              .go_on = on_go_on,
                              .user = run};
  g_autoptr(GError) why = NULL;

  for (guint i = 0; run->options->paths[i]; i++) {
    if (!pmc_visit(run->options->paths[i], &visitor, &why)) {
      break;
    }
  }
  if (run->options->images) {
    on_package(NULL, run);
  }
  if (run->failure) {
    g_propagate_error(error, g_steal_pointer(&run->failure));
    return FALSE;
  }
  if (why) {
    const gboolean cancelled = g_error_matches(why, STORE_ERROR, STORE_ERROR_CANCELLED);
    g_set_error_literal(error, APP_ERROR, cancelled ? APP_ERROR_CANCELLED : APP_ERROR_FAILED,
                        cancelled ? "stopped; nothing was written" : why->message);
    return FALSE;
  }
  return TRUE;
}

static JsonNode *
report(const Run *run, double seconds)
{
  JsonObject *o = json_object_new();

  app_json_set_text(o, "out", run->options->out);
  json_object_set_int_member(o, "articles", run->articles);
  json_object_set_int_member(o, "figures", run->figures);
  json_object_set_int_member(o, "failed", run->failed);
  json_object_set_int_member(o, "without_caption", run->without_caption);
  json_object_set_int_member(o, "images", run->images);
  json_object_set_int_member(o, "images_missing", run->images_missing);
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}

JsonNode *
app_pmc_figures(const AppPmcOptions *options, const AppPmcListener *listener, GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_autoptr(AppOut) out = NULL;
  g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  Run run = {.options = options, .listener = listener, .wanted = wanted};

  if (options->images && !g_file_test(options->images, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: there is no such folder", options->images);
    return NULL;
  }
  if (options->out && !(out = app_out_new(options->out, error))) {
    return NULL;
  }
  run.out = out;
  if (!visit_all(&run, error) || (out && !app_out_finish(g_steal_pointer(&out), error))) {
    return NULL;
  }
  return report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}
