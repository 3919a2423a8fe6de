/* shot-part.c - a part of a picture, turned and mirrored. */
#include <string.h>

#include "private.h"

/* Where the pixel X, Y of the result lies in a part of WIDTH by HEIGHT. The picture was turned
 * clockwise first, then mirrored, so going back is the other way round. */
static void
find_source(const AppImageChoice *choice, guint width, guint height, guint x, guint y,
            guint *from_x, guint *from_y)
{
  const guint across = choice->turns % 2 ? height : width;
  const guint at = choice->flip ? across - 1 - x : x;
  const guint xs[] = {at, y, width - 1 - at, width - 1 - y};
  const guint ys[] = {y, height - 1 - at, height - 1 - y, at};

  *from_x = xs[choice->turns];
  *from_y = ys[choice->turns];
}

static DicomPicture *
cut(const DicomPicture *from, const AppRegion *part, const AppImageChoice *choice)
{
  const gboolean lies = choice->turns % 2;
  DicomPicture *to =
      dicom_picture_new(lies ? part->height : part->width, lies ? part->width : part->height);
  guint8 *out = to->pixels;

  for (guint y = 0; y < to->height; y++) {
    for (guint x = 0; x < to->width; x++, out += 3) {
      guint from_x, from_y;
      find_source(choice, part->width, part->height, x, y, &from_x, &from_y);
      memcpy(out, from->pixels + 3 * ((gsize)(part->y + from_y) * from->width + part->x + from_x),
             3);
    }
  }
  return to;
}

gboolean
app_picture_cut(DicomPicture **picture, const AppImageChoice *choice, GError **error)
{
  const DicomPicture *whole = *picture;
  AppRegion part = choice->region;
  DicomPicture *result;

  if (choice->turns > 3) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "a turn by %u right angles was asked for; expected 0 to 3", choice->turns);
    return FALSE;
  }
  if (part.width == 0) {
    part = (AppRegion){0, 0, whole->width, whole->height};
  }
  if (part.height == 0 || (guint64)part.x + part.width > whole->width ||
      (guint64)part.y + part.height > whole->height) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s: the region is %u x %u from column %u and row %u on, which is not inside the "
                "picture of %u x %u",
                choice->path, part.width, part.height, part.x, part.y, whole->width, whole->height);
    return FALSE;
  }
  if (part.width == whole->width && part.height == whole->height && choice->turns == 0 &&
      !choice->flip) {
    return TRUE;
  }
  result = cut(whole, &part, choice);
  dicom_picture_free(*picture);
  *picture = result;
  return TRUE;
}
