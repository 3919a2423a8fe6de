/* train-pictures.c - see train-pictures.h.
 *
 * Invariants: `entries` and their names change in the calling thread alone; a worker writes the
 * square or the error of its own entry, and the calling thread looks after it has come back. */
#include "train-pictures.h"

typedef struct {
  char *path;
  guint8 *square; /* NULL: not prepared */
  GError *error;
} Entry;

struct _AppTrainPictures {
  const TrainRun *run;
  char *folder;
  guint64 limit, bytes; /* BYTES: of all entries, prepared or to be */
  guint side;
  GHashTable *entries; /* name -> Entry */
  GPtrArray *waiting;  /* of Entry *, borrowed */
  GAsyncQueue *done;
  volatile gint stop;
  guint8 *spare; /* for pictures past the limit */
};

static void
entry_free(gpointer data)
{
  Entry *entry = data;

  g_free(entry->path);
  g_free(entry->square);
  g_clear_error(&entry->error);
  g_free(entry);
}

AppTrainPictures *
app_train_pictures_new(const TrainRun *run, const char *folder, guint64 limit)
{
  AppTrainPictures *pictures = g_new0(AppTrainPictures, 1);

  pictures->run = run;
  pictures->folder = g_strdup(folder);
  pictures->limit = limit;
  pictures->side = train_run_picture_side(run);
  pictures->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
  pictures->waiting = g_ptr_array_new();
  pictures->done = g_async_queue_new();
  pictures->spare = g_malloc((gsize)pictures->side * pictures->side * 3 + 1);
  return pictures;
}

void
app_train_pictures_free(AppTrainPictures *pictures)
{
  if (pictures) {
    g_hash_table_unref(pictures->entries);
    g_ptr_array_unref(pictures->waiting);
    g_async_queue_unref(pictures->done);
    g_free(pictures->spare);
    g_free(pictures->folder);
    g_free(pictures);
  }
}

static gboolean
prepare(const AppTrainPictures *pictures, const char *path, guint8 *square, GError **error)
{
  g_autoptr(AppShot) shot = app_shot_new(&(AppImageChoice){.path = path}, error);
  ModelError failure = {0};
  ModelImage image;

  if (!shot) {
    return FALSE;
  }
  image = app_shot_image(shot);
  return train_run_square(pictures->run, &image, square, &failure) ||
         app_error_from_model(error, &failure);
}

gboolean
app_train_pictures_add(AppTrainPictures *pictures, const char *name, GError **error)
{
  guint64 size = (guint64)pictures->side * pictures->side * 3;
  g_autofree char *path = NULL;
  Entry *entry;

  if (g_hash_table_contains(pictures->entries, name)) {
    return TRUE;
  }
  if (pictures->bytes + size > pictures->limit) {
    return FALSE;
  }
  path = app_file_below(pictures->folder, name, error);
  if (!path) {
    return FALSE;
  }
  entry = g_new0(Entry, 1);
  entry->path = g_steal_pointer(&path);
  g_hash_table_insert(pictures->entries, g_strdup(name), entry);
  g_ptr_array_add(pictures->waiting, entry);
  pictures->bytes += size;
  return TRUE;
}

static void
prepare_entry(gpointer data, gpointer user)
{
  AppTrainPictures *pictures = user;
  Entry *entry = data;
  guint8 *square = NULL;

  if (!g_atomic_int_get(&pictures->stop)) {
    square = g_malloc((gsize)pictures->side * pictures->side * 3);
    if (!prepare(pictures, entry->path, square, &entry->error)) {
      g_clear_pointer(&square, g_free);
    }
  }
  entry->square = square;
  g_async_queue_push(pictures->done, entry);
}

gboolean
app_train_pictures_prepare(AppTrainPictures *pictures, guint n_threads, AppProgress progress,
                           gpointer user, GError **error)
{
  guint n = pictures->waiting->len;
  gboolean going = TRUE;
  GThreadPool *pool;

  if (n_threads == 0) {
    n_threads = g_get_num_processors();
  }
  pool = g_thread_pool_new(prepare_entry, pictures, (gint)n_threads, FALSE, error);
  if (!pool) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    g_thread_pool_push(pool, g_ptr_array_index(pictures->waiting, i), NULL);
  }
  for (guint i = 0; i < n; i++) {
    Entry *entry = g_async_queue_pop(pictures->done);

    if (going && entry->error) {
      g_propagate_error(error, g_steal_pointer(&entry->error));
      going = FALSE;
    } else if (going && !progress(i + 1, n, user)) {
      g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED,
                          "stopped while pictures were prepared");
      going = FALSE;
    }
    g_atomic_int_set(&pictures->stop, !going);
  }
  g_thread_pool_free(pool, FALSE, TRUE);
  g_ptr_array_set_size(pictures->waiting, 0);
  return going;
}

gboolean
app_train_pictures_get(AppTrainPictures *pictures, const char *name, ModelImage *image,
                       GError **error)
{
  const Entry *entry = g_hash_table_lookup(pictures->entries, name);
  const guint8 *square = entry ? entry->square : NULL;

  if (!square) {
    g_autofree char *path = app_file_below(pictures->folder, name, error);

    if (!path || !prepare(pictures, path, pictures->spare, error)) {
      return FALSE;
    }
    square = pictures->spare;
  }
  *image = (ModelImage){pictures->side, pictures->side, 3, square};
  return TRUE;
}
