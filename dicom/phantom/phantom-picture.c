/* phantom-picture.c - a phantom as a frame and as an 8-bit picture.
 *
 * The frame holds the very words that phantom-dicom.c writes, so that the picture is made by the
 * one rendering of the room.
 */
#include "phantom-private.h"

#include <glib/gstdio.h>
#include <png.h>
#include <string.h>

#include "dicom/frame.h"

#define BITS_STORED 12

double
phantom_stored_center(const PhantomTruth *truth)
{
  /* PS3.3 C.11.2.1.2.1 turned round: 4095 - x is shown inverted as x is. */
  return truth->monochrome1 ? 4096 - truth->window_center : truth->window_center;
}

DicomFrame *
phantom_frame(const PhantomTruth *truth)
{
  gboolean ct = truth->kind != PHANTOM_CHEST_CR;
  g_autofree gint16 *values = phantom_draw(truth);
  DicomFrame *frame = dicom_frame_new(truth->columns, truth->rows, 1, SAMPLE_U16);
  gsize n = (gsize)truth->rows * truth->columns;
  frame->n_bytes = 2 * n;
  frame->stored = g_malloc(frame->n_bytes);
  gint offset = ct ? -PHANTOM_CT_INTERCEPT : 0;
  for (gsize i = 0; i < n; i++) {
    gint word = values[i] + offset;
    word = truth->monochrome1 ? 4095 - word : word;
    frame->stored[2 * i] = (guint8)(word & 0xff);
    frame->stored[2 * i + 1] = (guint8)(word >> 8);
  }
  frame->bits_stored = BITS_STORED;
  frame->slope = 1;
  frame->intercept = ct ? PHANTOM_CT_INTERCEPT : 0;
  frame->inverse = truth->monochrome1;
  /* All that twelve bits can hold; nobody asks this frame for its own range. */
  frame->low = frame->intercept;
  frame->high = frame->intercept + 4095;
  frame->ranged = TRUE;
  DicomWindow window = {.voi = DICOM_VOI_LINEAR,
                        .center = phantom_stored_center(truth),
                        .width = truth->window_width};
  g_array_append_val(frame->windows, window);
  return frame;
}

DicomPicture *
phantom_render(const PhantomTruth *truth, GError **error)
{
  g_autoptr(DicomFrame) frame = phantom_frame(truth);
  return dicom_frame_render(frame, NULL, error);
}

gboolean
phantom_write_png(const PhantomTruth *truth, const char *path, gboolean sync, GError **error)
{
  g_autoptr(DicomPicture) picture = phantom_render(truth, error);
  if (!picture) {
    return FALSE;
  }
  gsize n = (gsize)picture->width * picture->height;
  g_autofree guint8 *grey = g_malloc(n);
  for (gsize i = 0; i < n; i++) {
    grey[i] = picture->pixels[3 * i];
  }
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = picture->width;
  image.height = picture->height;
  image.format = PNG_FORMAT_GRAY;
  image.flags = PNG_IMAGE_FLAG_FAST;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  g_autofree guint8 *bytes = g_malloc(size);
  if (!png_image_write_to_memory(&image, bytes, &size, 0, grey, 0, NULL)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: PNG: %s", path, image.message);
    return FALSE;
  }
  GFileSetContentsFlags flags = sync ? G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE
                                     : G_FILE_SET_CONTENTS_NONE;
  g_autoptr(GError) failure = NULL;
  if (!sync) {
    g_unlink(path); /* written so, an old file that is longer would keep its tail */
  }
  if (!g_file_set_contents_full(path, (const char *)bytes, (gssize)size, flags, 0644, &failure)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s", failure->message);
    return FALSE;
  }
  return TRUE;
}
