/* render.c - THE picture: VOI, presentation shape and colour, to 8-bit RGB (PS3.3 C.7.6.3, C.11).
 */
#include "render.h"

#include <math.h>
#include <string.h>

DicomPicture *
dicom_picture_new(guint width, guint height)
{
  DicomPicture *picture = g_new0(DicomPicture, 1);

  picture->width = width;
  picture->height = height;
  picture->pixels = g_malloc0((gsize)width * height * 3);
  return picture;
}

void
dicom_picture_free(DicomPicture *picture)
{
  if (picture) {
    g_free(picture->pixels);
    g_free(picture);
  }
}

char *
dicom_picture_sha256(const DicomPicture *picture)
{
  return g_compute_checksum_for_data(G_CHECKSUM_SHA256, picture->pixels,
                                     (gsize)picture->width * picture->height * 3);
}

DicomWindow
dicom_window_of_range(double low, double high)
{
  double span = high - low;

  if (span >= 1) {
    return (DicomWindow){
        .voi = DICOM_VOI_LINEAR, .center = low + (span + 1) / 2, .width = span + 1};
  }
  return (DicomWindow){
      .voi = DICOM_VOI_LINEAR_EXACT, .center = (low + high) / 2, .width = span > 0 ? span : 1};
}

static DicomWindow
range_window(const DicomFrame *frame)
{
  double low, high;

  dicom_frame_range(frame, &low, &high);
  return dicom_window_of_range(low, high);
}

guint
dicom_frame_n_windows(const DicomFrame *frame)
{
  return frame->windows->len;
}

DicomWindow
dicom_frame_window(const DicomFrame *frame, guint i)
{
  return g_array_index(frame->windows, DicomWindow, i);
}

guint
dicom_frame_n_voi_luts(const DicomFrame *frame)
{
  return frame->voi_luts->len;
}

DicomWindow
dicom_frame_lut_window(const DicomFrame *frame, guint i)
{
  const DicomLut *lut = g_ptr_array_index(frame->voi_luts, i);

  return (DicomWindow){
      .voi = DICOM_VOI_LUT, .lut = i, .center = lut->first + lut->n / 2.0, .width = lut->n};
}

DicomWindow
dicom_frame_default_window(const DicomFrame *frame)
{
  if (frame->colour != COLOUR_GREY || frame->ready_8bit) {
    return (DicomWindow){.voi = DICOM_VOI_NONE, .center = 127.5, .width = 255};
  }
  if (frame->windows->len > 0) {
    return g_array_index(frame->windows, DicomWindow, 0);
  }
  if (frame->voi_luts->len > 0) {
    return dicom_frame_lut_window(frame, 0);
  }
  return range_window(frame);
}

/* What the caller asked for, made sane: no numbers that are none, no table that is not there. */
static DicomWindow
usable_window(const DicomFrame *frame, const DicomWindow *asked)
{
  DicomWindow window = asked ? *asked : dicom_frame_default_window(frame);
  gboolean is_grey = frame->colour == COLOUR_GREY, usable;

  switch (window.voi) {
  case DICOM_VOI_LUT:
    usable = !is_grey || window.lut < frame->voi_luts->len;
    break;
  case DICOM_VOI_NONE:
    usable = !is_grey || frame->ready_8bit;
    break;
  default:
    usable = isfinite(window.center) && isfinite(window.width) && window.width > 0;
    break;
  }
  if (!usable) {
    gboolean invert = window.invert;

    window = range_window(frame);
    window.invert = invert;
  }
  return window;
}

static gboolean
no_memory(const DicomFrame *frame, GError **error)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
              "a picture of %u x %u pixels needs more memory than there is",
              dicom_frame_width(frame), dicom_frame_height(frame));
  return FALSE;
}

gboolean
dicom_frame_render_grey8(const DicomFrame *frame, const DicomWindow *asked, guint8 *out,
                         GError **error)
{
  DicomWindow window = usable_window(frame, asked);

  if (frame->colour != COLOUR_GREY) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "a picture in grey was asked for, and the frame is in colour");
    return FALSE;
  }
  if (!dicom_render_grey(frame, &window, out)) {
    return no_memory(frame, error);
  }
  return TRUE;
}

/* The N greys in the last third of the 3 * N bytes become RGB in all of them. Eight pixels a turn
 * are three words, and no turn writes over greys that a later one reads. */
static void
grey_to_rgb(guint8 *pixels, gsize n)
{
  const guint8 *p = pixels + 2 * n;
  gsize i = 0;

  for (; i + 8 <= n; i += 8, p += 8) {
    guint64 a = p[0], b = p[1], c = p[2], d = p[3], e = p[4], f = p[5], g = p[6], h = p[7];
    guint64 x = a * 0x010101 | b * 0x010101000000 | c * 0x0101000000000000;
    guint64 y = c | d * 0x01010100 | e * 0x01010100000000 | f << 56;
    guint64 z = f * 0x0101 | g * 0x0101010000 | h * 0x0101010000000000;

    x = GUINT64_TO_LE(x);
    y = GUINT64_TO_LE(y);
    z = GUINT64_TO_LE(z);
    memcpy(pixels + 3 * i, &x, sizeof x);
    memcpy(pixels + 3 * i + 8, &y, sizeof y);
    memcpy(pixels + 3 * i + 16, &z, sizeof z);
  }
  for (; i < n; i++) {
    guint8 value = *p++;

    pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = value;
  }
}

DicomPicture *
dicom_frame_render(const DicomFrame *frame, const DicomWindow *asked, GError **error)
{
  g_autoptr(DicomPicture) picture = g_new0(DicomPicture, 1);
  DicomWindow window = usable_window(frame, asked);
  gsize n = (gsize)frame->width * frame->height;

  picture->width = dicom_frame_width(frame);
  picture->height = dicom_frame_height(frame);
  picture->pixels = g_try_malloc_n(n, 3);
  if (!picture->pixels) {
    no_memory(frame, error);
    return NULL;
  }
  if (frame->colour != COLOUR_GREY) {
    dicom_render_colour(frame, &window, picture->pixels);
  } else if (dicom_render_grey(frame, &window, picture->pixels + 2 * n)) {
    grey_to_rgb(picture->pixels, n);
  } else {
    no_memory(frame, error);
    return NULL;
  }
  return g_steal_pointer(&picture);
}
