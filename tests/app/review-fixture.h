/* review-fixture.h - reviews of two small images with a small model, for tests of what is kept. */
#ifndef HILUM_TESTS_REVIEW_FIXTURE_H
#define HILUM_TESTS_REVIEW_FIXTURE_H

#include "app_cache.h"
#include "tiny.h"

typedef struct {
  char *folder, *model, *image, *other, *log, *cache;
} Kept;

static inline void
kept_set_up(Kept *k, gconstpointer data)
{
  const TinyDicom first = {
      .rows = 40, .columns = 60, .uid = "1.2.3.1", .instance = 1, .window = "300\\400"};
  const TinyDicom second = {
      .rows = 64, .columns = 60, .frames = 30, .uid = "1.2.3.2", .instance = 2};

  k->folder = tiny_folder_new();
  k->model = g_build_filename(k->folder, "tiny.gguf", NULL);
  k->image = g_build_filename(k->folder, "a.dcm", NULL);
  k->other = g_build_filename(k->folder, "b.dcm", NULL);
  k->log = g_build_filename(k->folder, "log.sqlite", NULL);
  k->cache = app_cache_folder(k->log);
  tiny_model_write(k->folder, k->model);
  tiny_dicom_write(k->image, &first);
  tiny_dicom_write(k->other, &second);
}

static inline void
kept_tear_down(Kept *k, gconstpointer data)
{
  tiny_folder_free(k->folder);
  g_free(k->model);
  g_free(k->image);
  g_free(k->other);
  g_free(k->log);
  g_free(k->cache);
}

static inline AppReview *
kept_review(Kept *k, gboolean no_cache)
{
  const AppReviewOptions options = {
      .model = {.model = k->model}, .log_path = k->log, .no_cache = no_cache};
  g_autoptr(GError) error = NULL;
  AppReview *review = app_review_new(&options, &error);

  g_assert_no_error(error);
  return review;
}

/* What is said of a turn. */
typedef struct {
  char *ids; /* of the answer, as JSON */
  gboolean image_cached;
  guint n_computed, n_cached, n_encodings;
} Said;

static inline void
count_encodings(const char *phase, guint done, guint total, gpointer user)
{
  if (strcmp(phase, "image") == 0 && done == 0) {
    ++*(guint *)user;
  }
}

static inline Said
said_of(JsonNode *node, guint n_encodings)
{
  JsonObject *turn = json_node_get_object(node);
  JsonObject *timing = json_object_get_object_member(turn, "timing");

  return (Said){.ids = app_json_text(json_object_get_member(turn, "answer_ids")),
                .image_cached = json_object_get_boolean_member(timing, "image_cached"),
                .n_computed = (guint)json_object_get_int_member(timing, "prompt_tokens"),
                .n_cached = (guint)json_object_get_int_member(timing, "prompt_cached_tokens"),
                .n_encodings = n_encodings};
}

static inline Said
kept_ask(AppReview *review, const char *path, guint frame, const char *text)
{
  const AppImageChoice choice = {.path = path, .frame = frame};
  const AppQuestion question = {
      .question = text, .image = &choice, .sampling = {.top_p = 1, .max_tokens = 6}};
  guint n_encodings = 0;
  const AppListener listener = {NULL, count_encodings, &n_encodings};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_review_ask(review, &question, &listener, NULL, &error);

  g_assert_no_error(error);
  return said_of(node, n_encodings);
}

static inline void
said_clear(Said *said)
{
  g_free(said->ids);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Said, said_clear)

/* Names of the cache's files that end in ENDING, with their folder. */
static inline GPtrArray *
kept_files(Kept *k, const char *ending)
{
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(k->cache, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    if (g_str_has_suffix(name, ending)) {
      g_ptr_array_add(names, g_build_filename(k->cache, name, NULL));
    }
  }
  return names;
}

#endif
