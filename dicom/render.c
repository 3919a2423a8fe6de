/* render.c - THE picture: VOI, presentation shape and colour, to 8-bit RGB (PS3.3 C.7.6.3, C.11).
 */
#include "frame.h"
#include "lut.h"

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

/* Lowest value to black, highest to white. */
static DicomWindow
range_window(const DicomFrame *frame)
{
  double span = frame->high - frame->low;

  if (span >= 1) {
    return (DicomWindow){
        .voi = DICOM_VOI_LINEAR, .center = frame->low + (span + 1) / 2, .width = span + 1};
  }
  return (DicomWindow){.voi = DICOM_VOI_LINEAR_EXACT,
                       .center = (frame->low + frame->high) / 2,
                       .width = span > 0 ? span : 1};
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
    const DicomLut *lut = g_ptr_array_index(frame->voi_luts, 0);

    return (DicomWindow){
        .voi = DICOM_VOI_LUT, .center = lut->first + lut->n / 2.0, .width = lut->n};
  }
  return range_window(frame);
}

static guint8
to_byte(double value)
{
  return value >= 254.5 ? 255 : value > 0 ? (guint8)(value + 0.5) : 0;
}

static guint8
grey_of(const DicomFrame *frame, const DicomWindow *window, double stored)
{
  double value = dicom_frame_modality(frame, stored);
  guint8 grey = to_byte(dicom_window_apply(frame, window, value));

  return frame->inverse != window->invert ? 255 - grey : grey;
}

/* At most 16 bits: every value is computed once. */
static void
render_grey_table(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height;
  guint bits = frame->bits_stored, mask = (1u << bits) - 1, shift = frame->shift;
  const guint8 *in = frame->stored;
  g_autofree guint8 *table = g_malloc(1u << bits);

  for (guint i = 0; i <= mask; i++) {
    gboolean negative = frame->is_signed && i >> (bits - 1);

    table[i] = grey_of(frame, window, negative ? (double)i - (double)mask - 1 : i);
  }
  if (dicom_sample_bytes(frame->type) == 1) {
    for (gsize i = 0; i < n; i++, out += 3) {
      out[0] = out[1] = out[2] = table[in[i] >> shift & mask];
    }
    return;
  }
  for (gsize i = 0; i < n; i++, in += 2, out += 3) {
    out[0] = out[1] = out[2] = table[(in[0] | (guint)in[1] << 8) >> shift & mask];
  }
}

static void
render_grey(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  if (dicom_sample_bytes(frame->type) <= 2) {
    render_grey_table(frame, window, out);
    return;
  }
  gsize n = (gsize)frame->width * frame->height;
  for (gsize i = 0; i < n; i++, out += 3) {
    double stored = dicom_frame_sample(frame, i);

    out[0] = out[1] = out[2] = isnan(stored) ? 0 : grey_of(frame, window, stored);
  }
}

/* Stored sample to 8 bits: the upper ones of BitsStored. */
static guint8
colour_byte(const DicomFrame *frame, gsize index)
{
  if (frame->type == SAMPLE_U8 && frame->bits_stored == 8) {
    return frame->stored[index];
  }
  double value = dicom_frame_sample(frame, index);
  double top = ldexp(1, (int)frame->bits_stored) - 1;

  return to_byte(value * 255 / top);
}

static guint8
clamp_fixed(gint value)
{
  value = (value + 32768) >> 16;
  return (guint8)CLAMP(value, 0, 255);
}

/* PS3.3 C.7.6.3.1.2, in 16.16 fixed point. */
static void
ybr_to_rgb(guint8 *p, gboolean partial)
{
  gint y = p[0], cb = p[1] - 128, cr = p[2] - 128;

  if (partial) {
    gint base = 76309 * (y - 16); /* 255/219 */

    p[0] = clamp_fixed(base + 104597 * cr);
    p[1] = clamp_fixed(base - 25675 * cb - 53279 * cr);
    p[2] = clamp_fixed(base + 132201 * cb);
    return;
  }
  p[0] = clamp_fixed((y << 16) + 91881 * cr);
  p[1] = clamp_fixed((y << 16) - 22554 * cb - 46802 * cr);
  p[2] = clamp_fixed((y << 16) + 116130 * cb);
}

static void
render_palette(const DicomFrame *frame, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height;

  for (gsize i = 0; i < n; i++, out += 3) {
    double stored = dicom_frame_sample(frame, i);

    for (guint c = 0; c < 3; c++) {
      const DicomLut *lut = frame->palette[c];
      double index = CLAMP(stored - lut->first, 0, lut->n - 1);

      out[c] = (guint8)(lut->data[(gsize)index] >> (lut->bits - 8));
    }
  }
}

static void
render_colour(const DicomFrame *frame, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height;

  if (frame->colour == COLOUR_PALETTE) {
    render_palette(frame, out);
    return;
  }
  if (frame->type == SAMPLE_U8 && frame->bits_stored == 8) {
    memcpy(out, frame->stored, n * 3);
  } else {
    for (gsize i = 0; i < n * 3; i++) {
      out[i] = colour_byte(frame, i);
    }
  }
  if (frame->colour != COLOUR_RGB) {
    for (gsize i = 0; i < n; i++) {
      ybr_to_rgb(out + 3 * i, frame->colour == COLOUR_YBR_PARTIAL);
    }
  }
}

/* A window on colour is brightness and contrast of each channel; the standard has none, but X-rays
 * photographed as RGB want one. */
static void
window_colour(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height * 3;
  guint8 table[256];

  for (guint i = 0; i < 256; i++) {
    guint8 value =
        window->voi == DICOM_VOI_LUT ? (guint8)i : to_byte(dicom_window_apply(frame, window, i));

    table[i] = window->invert ? 255 - value : value;
  }
  for (gsize i = 0; i < n; i++) {
    out[i] = table[out[i]];
  }
}

/* What the caller asked for, made sane: no numbers that are none, no table that is not there. */
static DicomWindow
usable_window(const DicomFrame *frame, const DicomWindow *asked)
{
  DicomWindow window = asked ? *asked : dicom_frame_default_window(frame);

  if (window.voi == DICOM_VOI_LUT) {
    if (frame->colour == COLOUR_GREY && window.lut >= frame->voi_luts->len) {
      DicomWindow fallback = range_window(frame);

      fallback.invert = window.invert;
      return fallback;
    }
    return window;
  }
  if (window.voi == DICOM_VOI_NONE) {
    if (frame->colour == COLOUR_GREY && !frame->ready_8bit) {
      DicomWindow fallback = range_window(frame);

      fallback.invert = window.invert;
      return fallback;
    }
    return window;
  }
  if (!isfinite(window.center) || !isfinite(window.width) || window.width <= 0) {
    DicomWindow fallback = range_window(frame);

    fallback.invert = window.invert;
    return fallback;
  }
  return window;
}

DicomPicture *
dicom_frame_render(const DicomFrame *frame, const DicomWindow *asked, GError **error)
{
  g_autoptr(DicomPicture) picture = g_new0(DicomPicture, 1);
  DicomWindow window = usable_window(frame, asked);

  picture->width = frame->width;
  picture->height = frame->height;
  picture->pixels = g_try_malloc_n((gsize)frame->width * frame->height, 3);
  if (!picture->pixels) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
                "a picture of %u x %u pixels needs more memory than there is", frame->width,
                frame->height);
    return NULL;
  }
  if (frame->colour == COLOUR_GREY) {
    render_grey(frame, &window, picture->pixels);
  } else {
    render_colour(frame, picture->pixels);
    if (window.voi != DICOM_VOI_NONE || window.invert) {
      window_colour(frame, &window, picture->pixels);
    }
  }
  return g_steal_pointer(&picture);
}
