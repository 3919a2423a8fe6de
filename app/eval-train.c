/* eval-train.c - what stands beside a score: what the training split gives away, and what others
 * published. */
#include <string.h>

#include "eval.h"
#include "image-index.h"
#include "score.h"

void
app_eval_set_file(JsonObject *object, const char *member, const char *path, const char *sha256)
{
  JsonObject *file;
  g_autofree char *name = NULL;

  if (!path) {
    json_object_set_null_member(object, member);
    return;
  }
  name = g_filename_display_name(path);
  file = json_object_new();
  json_object_set_string_member(file, "path", name);
  app_json_set_text(file, "sha256", sha256);
  json_object_set_object_member(object, member, file);
}

/* ---- which is the training split --------------------------------------------------------------
 */

/* "image_split=validation" to "image_split=train". */
static char **
other_split(const char *const *where)
{
  static const char *const keys[] = {"image_split", "official_split", "split"};

  for (guint i = 0; where && where[i]; i++) {
    for (guint k = 0; k < G_N_ELEMENTS(keys); k++) {
      const gsize n = strlen(keys[k]);
      if (strncmp(where[i], keys[k], n) == 0 && where[i][n] == '=' &&
          !strstr(where[i] + n, "train")) {
        char **found = g_new0(char *, 2);
        found[0] = g_strconcat(keys[k], "=train", NULL);
        return found;
      }
    }
  }
  return NULL;
}

/* "pvqa_test.json" to "pvqa_train.json", when it is there. */
static char *
file_beside(const char *path)
{
  static const char *const splits[] = {"test", "validation", "validate", "valid", "val", "dev"};
  g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);

  for (guint i = 0; i < G_N_ELEMENTS(splits); i++) {
    const char *at = strstr(name, splits[i]);
    g_autofree char *before = at ? g_strndup(name, (gsize)(at - name)) : NULL;
    g_autofree char *other = at ? g_strconcat(before, "train", at + strlen(splits[i]), NULL) : NULL;
    g_autofree char *beside = other ? g_build_filename(folder, other, NULL) : NULL;
    if (beside && g_file_test(beside, G_FILE_TEST_IS_REGULAR)) {
      return g_steal_pointer(&beside);
    }
  }
  return NULL;
}

void
app_eval_guess_train(AppEvalOptions *options, char **path, char ***where)
{
  *where = other_split(options->where);
  *path = *where ? g_strdup(options->questions) : file_beside(options->questions);
  options->train = *path;
  options->train_where = (const char *const *)*where;
}

/* ---- shared images ----------------------------------------------------------------------------
 */

static gboolean
go_on(guint done, guint total, gpointer user)
{
  const AppEvalListener *listener = user;

  return !listener || !listener->go_on || listener->go_on(listener->user);
}

/* The name below FOLDER of the file that was found for Q: with the ending that the set leaves out.
 */
static const char *
name_below(const AppEvalQuestion *q, const char *folder)
{
  const gsize n = strlen(folder);
  const char *at = q->path ? q->path : q->image;

  if (q->path && strncmp(at, folder, n) == 0) {
    at += n;
    while (*at == '/') {
      at++;
    }
  }
  return at;
}

static AppImageIndex *
index_of(GPtrArray *questions, const char *folder, AppEvalSay *say, GError **error)
{
  g_autoptr(AppImageIndex) index = app_image_index_new(folder);

  for (guint i = 0; i < questions->len; i++) {
    app_image_index_add(index, name_below(questions->pdata[i], folder));
  }
  if (!app_image_index_look(index, go_on, (gpointer)say->listener)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped");
    return NULL;
  }
  return g_steal_pointer(&index);
}

typedef struct {
  guint readable, names, same, alike, questions, train;
} Shared;

static Shared
count_shared(const AppImageIndex *images, const AppImageIndex *train, GPtrArray *questions,
             const char *folder)
{
  g_autoptr(GHashTable) shared = g_hash_table_new(g_str_hash, g_str_equal);
  Shared n = {0};

  for (guint i = 0; i < app_image_index_size(images); i++) {
    const AppIndexed *image = app_image_index_at(images, i);
    n.readable += image->content != NULL;
    n.names += app_image_index_named(train, image->name) != NULL;
    if (app_image_index_same(train, image, NULL)) {
      n.same++;
      g_hash_table_add(shared, image->name);
    } else if (image->content && app_image_index_alike(train, image, NULL)) {
      n.alike++;
    }
  }
  for (guint i = 0; i < app_image_index_size(train); i++) {
    n.train += app_image_index_at(train, i)->content != NULL;
  }
  for (guint i = 0; i < questions->len; i++) {
    n.questions += g_hash_table_contains(shared, name_below(questions->pdata[i], folder));
  }
  return n;
}

JsonObject *
app_eval_leak(const AppEvalOptions *options, const AppEvalSet *set, const AppEvalSet *train,
              AppEvalSay *say, GError **error)
{
  const char *folder = options->train_images ? options->train_images : options->images;
  g_autoptr(AppImageIndex) images = index_of(set->questions, options->images, say, error);
  g_autoptr(AppImageIndex) others = images ? index_of(train->questions, folder, say, error) : NULL;
  JsonObject *o;
  Shared n;

  if (!others) {
    return NULL;
  }
  n = count_shared(images, others, set->questions, options->images);
  o = json_object_new();
  app_eval_set_file(o, "train", options->train, train->sha256);
  json_object_set_int_member(o, "train_images", n.train);
  json_object_set_int_member(o, "train_missing", app_image_index_size(others) - n.train);
  json_object_set_int_member(o, "images", n.readable);
  json_object_set_int_member(o, "same_names", n.names);
  json_object_set_int_member(o, "same_images", n.same);
  json_object_set_int_member(o, "near_images", n.alike);
  json_object_set_double_member(o, "share", n.readable > 0 ? (double)n.same / n.readable : 0);
  json_object_set_int_member(o, "questions_on_shared", n.questions);
  return o;
}

/* ---- published tables -------------------------------------------------------------------------
 */

static void
set_percent(JsonObject *object, const char *name, double percent)
{
  if (percent >= 0) {
    json_object_set_double_member(object, name, percent);
  } else {
    json_object_set_null_member(object, name);
  }
}

JsonObject *
app_eval_published(const char *dataset)
{
  guint n;
  const char *source;
  const DataPublishedVqa *rows = data_published_vqa(dataset, &n, &source);
  JsonObject *o = json_object_new();
  JsonArray *array = json_array_new();

  app_json_set_text(o, "dataset", dataset);
  app_json_set_text(o, "source", source);
  for (guint i = 0; i < n; i++) {
    JsonObject *row = json_object_new();
    json_object_set_string_member(row, "model", rows[i].model);
    set_percent(row, "open_percent", rows[i].open);
    set_percent(row, "closed_percent", rows[i].closed);
    json_object_set_boolean_member(row, "open_is_accuracy", rows[i].open_is_accuracy);
    json_array_add_object_element(array, row);
  }
  json_object_set_array_member(o, "rows", array);
  return o;
}
