/* image-index.h - the pictures of a data set by name, content and looks. Not for others. */
#ifndef HILUM_APP_IMAGE_INDEX_H
#define HILUM_APP_IMAGE_INDEX_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* How alike two pictures' hashes may be to look the same: bits of 64 that differ. Three, since one
 * of four parts of 16 bits is then equal, by which they are found. */
#define APP_LOOKS_ALIKE 3u

typedef struct {
  char *name;
  char *content; /* SHA-256 of the file; NULL: it is not there */
  gboolean has_looks;
  guint64 looks; /* difference hash */
  char *problem; /* why it has no looks, though it is there; NULL: none, or it is all one grey */
} AppIndexed;

typedef struct _AppImageIndex AppImageIndex;

AppImageIndex *app_image_index_new(const char *folder);
void app_image_index_free(AppImageIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppImageIndex, app_image_index_free)
/* Each name once. */
void app_image_index_add(AppImageIndex *index, const char *name);
guint app_image_index_size(const AppImageIndex *index);
/* Reads and decodes them all, on all cores. GO_ON is called by the calling thread; FALSE ends it.
 */
gboolean app_image_index_look(AppImageIndex *index,
                              gboolean (*go_on)(guint done, guint total, gpointer user),
                              gpointer user);
const AppIndexed *app_image_index_at(const AppImageIndex *index, guint i);
/* One of INDEX with the same name; the same content; nearly the same looks. NULL: none. EXCEPT: not
 * this one; may be NULL. */
const AppIndexed *app_image_index_named(const AppImageIndex *index, const char *name);
const AppIndexed *app_image_index_same(const AppImageIndex *index, const AppIndexed *image,
                                       const AppIndexed *except);
const AppIndexed *app_image_index_alike(const AppImageIndex *index, const AppIndexed *image,
                                        const AppIndexed *except);

G_END_DECLS
#endif
