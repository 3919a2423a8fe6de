/* render-colour.c - stored values of a colour frame to 8-bit RGB (PS3.3 C.7.6.3). */
#include "lut.h"
#include "render.h"

#include <math.h>
#include <string.h>

/* Stored sample to 8 bits: the upper ones of BitsStored. */
static guint8
colour_byte(const DicomFrame *frame, gsize index)
{
  double value = dicom_frame_sample(frame, index);
  double top = ldexp(1, (int)frame->bits_stored) - 1;
  double byte = value * 255 / top;

  return byte >= 254.5 ? 255 : byte > 0 ? (guint8)(byte + 0.5) : 0;
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

static guint32
palette_entry(const DicomLut *lut, double stored)
{
  double index = CLAMP(stored - lut->first, 0, lut->n - 1.0);
  guint entry = lut->data[(gsize)index];

  return MIN(lut->bits > 8 ? entry >> (lut->bits - 8) : entry, 255);
}

/* Red, green and blue of one stored value (PS3.3 C.7.6.3.1.5), in the low bytes. */
static guint32
palette_colour(const DicomFrame *frame, double stored)
{
  return palette_entry(frame->palette[0], stored) | palette_entry(frame->palette[1], stored) << 8 |
         palette_entry(frame->palette[2], stored) << 16;
}

static void
put_colour(guint8 *out, guint32 colour)
{
  out[0] = (guint8)colour;
  out[1] = (guint8)(colour >> 8);
  out[2] = (guint8)(colour >> 16);
}

static void
render_palette(const DicomFrame *frame, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height, bytes = dicom_sample_bytes(frame->type);
  g_autofree guint32 *colours = bytes <= 2 ? g_new(guint32, 1u << 8 * bytes) : NULL;
  const guint8 *in = frame->stored;

  for (guint i = 0; colours && i < 1u << 8 * bytes; i++) {
    colours[i] = palette_colour(frame, dicom_frame_cut(frame, i));
  }
  for (gsize i = 0; i < n; i++, in += bytes, out += 3) {
    put_colour(out, bytes == 1   ? colours[in[0]]
                    : bytes == 2 ? colours[in[0] | (guint)in[1] << 8]
                                 : palette_colour(frame, dicom_frame_sample(frame, i)));
  }
}

static void
render_samples(const DicomFrame *frame, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height;

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
  double values[DICOM_BLOCK];
  guint8 table[DICOM_BLOCK];

  for (guint i = 0; i < DICOM_BLOCK; i++) {
    values[i] = i;
    table[i] = (guint8)i;
  }
  if (window->voi != DICOM_VOI_LUT) {
    dicom_voi_block(frame, window, values, table);
  }
  for (guint i = 0; window->invert && i < DICOM_BLOCK; i++) {
    table[i] = (guint8)~table[i];
  }
  for (gsize i = 0; i < n; i++) {
    out[i] = table[out[i]];
  }
}

void
dicom_render_colour(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  if (frame->colour == COLOUR_PALETTE) {
    render_palette(frame, out);
  } else {
    render_samples(frame, out);
  }
  if (window->voi != DICOM_VOI_NONE || window->invert) {
    window_colour(frame, window, out);
  }
}

gboolean
dicom_frame_rgb(const DicomFrame *frame, guint x, guint y, guint8 rgb[3])
{
  DicomFrame one = *frame; /* borrows everything */
  gsize index;

  if (x >= dicom_frame_width(frame) || y >= dicom_frame_height(frame) ||
      frame->colour == COLOUR_GREY) {
    return FALSE;
  }
  index = dicom_frame_index(frame, x, y);
  one.width = one.height = 1;
  one.stored += index * frame->samples * dicom_sample_bytes(frame->type);
  if (frame->colour == COLOUR_PALETTE) {
    put_colour(rgb, palette_colour(frame, dicom_frame_sample(frame, index)));
  } else {
    render_samples(&one, rgb);
  }
  return TRUE;
}
