/* image-index.c - see image-index.h. */
#include "image-index.h"

#include <string.h>

#include "decoder.h"
#include "private.h"

#define PARTS 4u /* of 16 bits */

struct _AppImageIndex {
  char *folder;
  GPtrArray *images;        /* of AppIndexed * */
  GHashTable *names;        /* to AppIndexed, borrowed */
  GHashTable *contents;     /* SHA-256 to the first of that content */
  GHashTable *looks[PARTS]; /* part's bits to a GPtrArray of AppIndexed, borrowed */
};

static void
indexed_free(gpointer data)
{
  AppIndexed *image = data;

  g_free(image->name);
  g_free(image->content);
  g_free(image->problem);
  g_free(image);
}

AppImageIndex *
app_image_index_new(const char *folder)
{
  AppImageIndex *index = g_new0(AppImageIndex, 1);

  index->folder = g_strdup(folder);
  index->images = g_ptr_array_new_with_free_func(indexed_free);
  index->names = g_hash_table_new(g_str_hash, g_str_equal);
  index->contents = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < PARTS; i++) {
    index->looks[i] = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
  }
  return index;
}

void
app_image_index_free(AppImageIndex *index)
{
  if (!index) {
    return;
  }
  g_hash_table_unref(index->names);
  g_hash_table_unref(index->contents);
  for (guint i = 0; i < PARTS; i++) {
    g_hash_table_unref(index->looks[i]);
  }
  g_ptr_array_unref(index->images);
  g_free(index->folder);
  g_free(index);
}

void
app_image_index_add(AppImageIndex *index, const char *name)
{
  AppIndexed *image;

  if (!g_hash_table_contains(index->names, name)) {
    image = g_new0(AppIndexed, 1);
    image->name = g_strdup(name);
    g_ptr_array_add(index->images, image);
    g_hash_table_insert(index->names, image->name, image);
  }
}

guint
app_image_index_size(const AppImageIndex *index)
{
  return index->images->len;
}

const AppIndexed *
app_image_index_at(const AppImageIndex *index, guint i)
{
  return index->images->pdata[i];
}

const AppIndexed *
app_image_index_named(const AppImageIndex *index, const char *name)
{
  return g_hash_table_lookup(index->names, name);
}

/* ---- looking -----------------------------------------------------------------------------------
 */

/* The mean grey of cell X, Y of 9 x 8 that PICTURE is divided into. */
static double
cell(const DicomPicture *picture, guint x, guint y)
{
  const guint left = x * picture->width / 9, top = y * picture->height / 8;
  const guint right = MAX((x + 1) * picture->width / 9, left + 1),
              bottom = MAX((y + 1) * picture->height / 8, top + 1);
  guint64 sum = 0;

  for (guint row = top; row < bottom; row++) {
    const guint8 *p = picture->pixels + 3 * ((gsize)row * picture->width + left);
    for (guint i = 0; i < 3 * (right - left); i++) {
      sum += p[i];
    }
  }
  return (double)sum / (3.0 * (right - left) * (bottom - top));
}

/* Difference hash: of 9 x 8 cells, whether each is brighter than its neighbour to the right. FALSE:
 * too even a picture to tell it from others. */
static gboolean
look(const DicomPicture *picture, guint64 *looks)
{
  guint n_set = 0;

  if (picture->width < 9 || picture->height < 8) {
    return FALSE;
  }
  *looks = 0;
  for (guint y = 0; y < 8; y++) {
    double left = cell(picture, 0, y);
    for (guint x = 0; x < 8; x++) {
      const double right = cell(picture, x + 1, y);
      /* Less than one grey is noise. */
      const gboolean set = left > right + 1;
      *looks = *looks << 1 | set;
      n_set += set;
      left = right;
    }
  }
  return n_set >= 6;
}

static void
look_at(gpointer data, gpointer user)
{
  const AppImageIndex *index = user;
  AppIndexed *image = data;
  g_autofree char *path = app_file_below(index->folder, image->name, NULL), *bytes = NULL;
  g_autoptr(GError) problem = NULL;
  g_autoptr(DicomFrame) frame = NULL;
  g_autoptr(DicomPicture) picture = NULL;
  gsize n;

  if (!path || !g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
      !g_file_get_contents(path, &bytes, &n, NULL)) {
    return;
  }
  image->content = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, n);
  frame = app_decoder_frame(path, 0, NULL, NULL, &problem);
  picture = frame ? dicom_frame_render(frame, NULL, &problem) : NULL;
  if (picture) {
    image->has_looks = look(picture, &image->looks);
  } else {
    image->problem = g_strdup(problem->message);
  }
}

static guint
part_of(guint64 looks, guint i)
{
  return (guint)(looks >> (16 * i)) & 0xffff;
}

static void
remember(AppImageIndex *index, AppIndexed *image)
{
  if (image->content && !g_hash_table_contains(index->contents, image->content)) {
    g_hash_table_insert(index->contents, image->content, image);
  }
  for (guint i = 0; image->has_looks && i < PARTS; i++) {
    gpointer key = GUINT_TO_POINTER(part_of(image->looks, i));
    GPtrArray *list = g_hash_table_lookup(index->looks[i], key);

    if (!list) {
      list = g_ptr_array_new();
      g_hash_table_insert(index->looks[i], key, list);
    }
    g_ptr_array_add(list, image);
  }
}

gboolean
app_image_index_look(AppImageIndex *index,
                     gboolean (*go_on)(guint done, guint total, gpointer user), gpointer user)
{
  GThreadPool *workers =
      g_thread_pool_new(look_at, index, (gint)app_decoder_n_helpers(), FALSE, NULL);
  const guint total = index->images->len;
  gboolean ok = TRUE;

  for (guint i = 0; i < total; i++) {
    g_thread_pool_push(workers, index->images->pdata[i], NULL);
  }
  while (ok && g_thread_pool_unprocessed(workers) > 0) {
    g_usleep(50000);
    ok = !go_on || go_on(total - g_thread_pool_unprocessed(workers), total, user);
  }
  g_thread_pool_free(workers, !ok, TRUE);
  for (guint i = 0; ok && i < total; i++) {
    remember(index, index->images->pdata[i]);
  }
  return ok;
}

/* ---- finding -----------------------------------------------------------------------------------
 */

const AppIndexed *
app_image_index_same(const AppImageIndex *index, const AppIndexed *image, const AppIndexed *except)
{
  const AppIndexed *found =
      image->content ? g_hash_table_lookup(index->contents, image->content) : NULL;

  return found != except ? found : NULL;
}

const AppIndexed *
app_image_index_alike(const AppImageIndex *index, const AppIndexed *image, const AppIndexed *except)
{
  for (guint i = 0; image->has_looks && i < PARTS; i++) {
    const GPtrArray *list =
        g_hash_table_lookup(index->looks[i], GUINT_TO_POINTER(part_of(image->looks, i)));

    for (guint k = 0; list && k < list->len; k++) {
      const AppIndexed *other = list->pdata[k];
      /* What is the same is not nearly so. */
      if (other != except && strcmp(other->content, image->content) != 0 &&
          (guint)__builtin_popcountll(other->looks ^ image->looks) <= APP_LOOKS_ALIKE) {
        return other;
      }
    }
  }
  return NULL;
}
