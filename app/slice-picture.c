/* slice-picture.c - THE 8-bit picture of a slice and a window; the last few are kept.
 *
 * Invariants:
 * 1. `lock` guards the whole shelf; pictures are made without it, and never change afterwards.
 * 2. The newest is first. No more than MAX_KEPT are kept, and beside the newest none beyond
 *    MAX_BYTES: four viewports of CT, or the two radiographs of a chest, each with its frame.
 */
#include "slice.h"

#include <string.h>

#define MAX_KEPT 4
#define MAX_BYTES ((gsize)32 << 20)

typedef struct {
  DicomFrame *frame; /* a reference, so that no other frame can be at its place in memory */
  DicomWindow window;
  gboolean covered; /* with the file's own shutters and overlays */
  AppEight eight;
} Kept;

typedef struct {
  GMutex lock;
  Kept kept[MAX_KEPT];
  guint n;
} Shelf;

static Shelf *
the_shelf(void)
{
  static gsize once = 0;

  if (g_once_init_enter(&once)) {
    Shelf *shelf = g_new0(Shelf, 1);

    g_mutex_init(&shelf->lock);
    g_once_init_leave(&once, (gsize)shelf);
  }
  return (Shelf *)once;
}

void
app_eight_clear(AppEight *eight)
{
  g_clear_pointer(&eight->pixels, g_bytes_unref);
}

static void
kept_clear(Kept *kept)
{
  app_eight_clear(&kept->eight);
  g_clear_pointer(&kept->frame, dicom_frame_unref);
}

static gboolean
same_window(const DicomWindow *a, const DicomWindow *b)
{
  return a->voi == b->voi && a->lut == b->lut && a->invert == b->invert &&
         memcmp(&a->center, &b->center, sizeof a->center) == 0 &&
         memcmp(&a->width, &b->width, sizeof a->width) == 0;
}

static gboolean
find_kept(Shelf *shelf, const DicomFrame *frame, const DicomWindow *window, gboolean covered,
          AppEight *eight)
{
  for (guint i = 0; i < shelf->n; i++) {
    Kept found = shelf->kept[i];

    if (found.frame == frame && found.covered == covered && same_window(&found.window, window)) {
      memmove(shelf->kept + 1, shelf->kept, i * sizeof found);
      shelf->kept[0] = found;
      *eight = found.eight;
      g_bytes_ref(eight->pixels);
      return TRUE;
    }
  }
  return FALSE;
}

/* What has to go is moved to OUT, to be freed without the lock; how many. */
static guint
keep(Shelf *shelf, Kept new, Kept out[MAX_KEPT + 1])
{
  gsize n_bytes = g_bytes_get_size(new.eight.pixels);
  guint n_out = 0, n = 0;
  Kept stay[MAX_KEPT];

  for (guint i = 0; i < shelf->n; i++) {
    Kept *kept = &shelf->kept[i];

    n_bytes += g_bytes_get_size(kept->eight.pixels);
    /* The same slice through another window: nobody goes back to that very one while dragging. */
    if (kept->frame == new.frame || n + 1 == MAX_KEPT || n_bytes > MAX_BYTES) {
      out[n_out++] = *kept;
      n_bytes -= g_bytes_get_size(kept->eight.pixels);
    } else {
      stay[n++] = *kept;
    }
  }
  shelf->kept[0] = new;
  memcpy(shelf->kept + 1, stay, n * sizeof stay[0]);
  shelf->n = n + 1;
  return n_out;
}

static gboolean
make_grey(AppSlice *slice, const DicomWindow *window, gboolean covered, AppEight *eight,
          GError **error)
{
  gsize n = (gsize)eight->width * eight->height;
  g_autofree guint8 *pixels = g_try_malloc(n);

  if (!pixels) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "a picture of %u x %u pixels needs more memory than there is", eight->width,
                eight->height);
    return FALSE;
  }
  if (!dicom_frame_render_grey8(slice->frame, window, pixels, error)) {
    return FALSE;
  }
  if (covered) {
    dicom_frame_draw_covers(slice->frame, pixels, 1);
  }
  eight->channels = 1;
  eight->pixels = g_bytes_new_take(g_steal_pointer(&pixels), n);
  return TRUE;
}

static gboolean
make_colour(AppSlice *slice, const DicomWindow *window, gboolean covered, AppEight *eight,
            GError **error)
{
  g_autoptr(DicomPicture) picture = dicom_frame_render(slice->frame, window, error);

  if (!picture) {
    return FALSE;
  }
  if (covered) {
    dicom_frame_draw_covers(slice->frame, picture->pixels, 3);
  }
  eight->channels = 3;
  eight->pixels = g_bytes_new_take(g_steal_pointer(&picture->pixels),
                                   (gsize)picture->width * picture->height * 3);
  return TRUE;
}

gboolean
app_slice_eight(AppSlice *slice, const DicomWindow *window, gboolean bare, AppEight *eight,
                GError **error)
{
  Shelf *shelf = the_shelf();
  Kept out[MAX_KEPT + 1];
  gboolean found, covered = !bare && slice->facts.has_covers;
  guint n_out;

  g_mutex_lock(&shelf->lock);
  found = find_kept(shelf, slice->frame, window, covered, eight);
  g_mutex_unlock(&shelf->lock);
  if (found) {
    return TRUE;
  }
  *eight = (AppEight){slice->facts.width, slice->facts.height, 0, NULL};
  if (!(slice->facts.is_colour ? make_colour : make_grey)(slice, window, covered, eight, error)) {
    return FALSE;
  }
  Kept new = {dicom_frame_ref(slice->frame), *window, covered, *eight};
  g_bytes_ref(eight->pixels);
  g_mutex_lock(&shelf->lock);
  n_out = keep(shelf, new, out);
  g_mutex_unlock(&shelf->lock);
  for (guint i = 0; i < n_out; i++) {
    kept_clear(&out[i]);
  }
  return TRUE;
}

void
app_slice_forget_pictures(void)
{
  Shelf *shelf = the_shelf();
  Kept out[MAX_KEPT];
  guint n;

  g_mutex_lock(&shelf->lock);
  n = shelf->n;
  memcpy(out, shelf->kept, sizeof out);
  shelf->n = 0;
  g_mutex_unlock(&shelf->lock);
  for (guint i = 0; i < n; i++) {
    kept_clear(&out[i]);
  }
}
