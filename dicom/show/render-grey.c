/* render-grey.c - stored values of a grey frame to 8 bits: modality LUT, VOI, inversion, padding.
 */
#include "render.h"

#include "lut.h"

#include <string.h>

/* Padding is background, and that is black on the screen whatever the picture's polarity is (PS3.3
 * C.7.5.1.1.2: it is not part of the image). Only the one who turns the whole picture turns it. */
static void
finish_block(const DicomFrame *frame, const DicomWindow *window, const double *stored, guint8 *grey)
{
  if (frame->inverse != window->invert) {
    for (guint i = 0; i < DICOM_BLOCK; i++) {
      grey[i] = (guint8)~grey[i];
    }
  }
  if (!frame->has_padding && frame->type < SAMPLE_F32) {
    return;
  }
  for (guint i = 0; i < DICOM_BLOCK; i++) {
    if (dicom_frame_is_padding(frame, stored[i])) {
      grey[i] = window->invert ? 255 : 0;
    }
  }
}

static void
grey_block(const DicomFrame *frame, const DicomWindow *window, const double *stored, guint8 *grey)
{
  double values[DICOM_BLOCK];

  if (frame->modality) {
    for (guint i = 0; i < DICOM_BLOCK; i++) {
      values[i] = dicom_frame_modality(frame, stored[i]);
    }
  } else {
    for (guint i = 0; i < DICOM_BLOCK; i++) {
      values[i] = stored[i] * frame->slope + frame->intercept;
    }
  }
  dicom_voi_block(frame, window, values, grey);
  finish_block(frame, window, stored, grey);
}

/* ---- at most 16 bits: a table of what occurs ---------------------------------------------------
 */

/* TABLE has a grey for every sample from LOW to HIGH, and room for a block behind them. */
static void
fill_table(const DicomFrame *frame, const DicomWindow *window, gint low, gint high, guint8 *table)
{
  /* All bits are value, and so are the samples between two that are. */
  gboolean plain = frame->shift == 0 && dicom_frame_cut(frame, (guint32)low & 0xffff) == low &&
                   dicom_frame_cut(frame, (guint32)high & 0xffff) == high;

  for (gint at = low; at <= high; at += DICOM_BLOCK) {
    double stored[DICOM_BLOCK];

    if (plain) {
      for (gint i = 0; i < DICOM_BLOCK; i++) {
        stored[i] = at + i;
      }
    } else {
      for (gint i = 0; i < DICOM_BLOCK; i++) {
        stored[i] = dicom_frame_cut(frame, (guint32)(at + i) & 0xffff);
      }
    }
    grey_block(frame, window, stored, table + (at - low));
  }
}

/* The grey of a sample of two bytes at IN; TABLE is where that of 0 is. */
static inline guint64
grey_at(const guint8 *in, const guint8 *table, gboolean is_signed)
{
  guint16 word;

  memcpy(&word, in, sizeof word);
  word = GUINT16_FROM_LE(word);
  return is_signed ? table[(gint16)word] : table[word];
}

/* Eight samples a turn, stored at once: a third faster than one by one. */
static inline void
look_up_words(const guint8 *restrict in, const guint8 *restrict table, guint8 *restrict out,
              gsize n, gboolean is_signed)
{
  gsize i = 0;

  for (; i + 8 <= n; i += 8, in += 16) {
    guint64 eight = 0;

    eight |= grey_at(in, table, is_signed) | grey_at(in + 2, table, is_signed) << 8;
    eight |= grey_at(in + 4, table, is_signed) << 16 | grey_at(in + 6, table, is_signed) << 24;
    eight |= grey_at(in + 8, table, is_signed) << 32 | grey_at(in + 10, table, is_signed) << 40;
    eight |= grey_at(in + 12, table, is_signed) << 48 | grey_at(in + 14, table, is_signed) << 56;
    eight = GUINT64_TO_LE(eight);
    memcpy(out + i, &eight, sizeof eight);
  }
  for (; i < n; i++, in += 2) {
    out[i] = (guint8)grey_at(in, table, is_signed);
  }
}

static void
look_up_bytes(const guint8 *restrict in, const guint8 *restrict table, guint8 *restrict out,
              gsize n)
{
  gsize i = 0;

  for (; i + 8 <= n; i += 8, in += 8) {
    guint64 eight = 0;

    eight |= table[in[0]] | (guint64)table[in[1]] << 8 | (guint64)table[in[2]] << 16;
    eight |= (guint64)table[in[3]] << 24 | (guint64)table[in[4]] << 32;
    eight |= (guint64)table[in[5]] << 40 | (guint64)table[in[6]] << 48;
    eight |= (guint64)table[in[7]] << 56;
    eight = GUINT64_TO_LE(eight);
    memcpy(out + i, &eight, sizeof eight);
  }
  for (; i < n; i++) {
    out[i] = table[*in++];
  }
}

static void
render_bytes(const DicomFrame *frame, const DicomWindow *window, guint8 *out, gsize n)
{
  guint8 table[DICOM_BLOCK];

  G_STATIC_ASSERT(DICOM_BLOCK == 256);
  fill_table(frame, window, 0, 255, table);
  look_up_bytes(frame->stored, table, out, n);
}

static void
render_words(const DicomFrame *frame, const DicomWindow *window, guint8 *out, gsize n)
{
  /* Whatever the frame says of its samples, each of them is in the table. */
  g_autofree guint8 *table = g_malloc0(65536 + DICOM_BLOCK);
  dicom_frame_need_range(frame);
  gboolean is_signed = frame->raw_known && frame->raw_signed;
  gint first = is_signed ? G_MININT16 : 0, last = is_signed ? G_MAXINT16 : G_MAXUINT16;
  gint low = frame->raw_known ? CLAMP(frame->raw_low, first, last) : first;
  gint high = frame->raw_known ? CLAMP(frame->raw_high, first, last) : last;

  fill_table(frame, window, low, high, table + (low - first));
  if (is_signed) {
    look_up_words(frame->stored, table - first, out, n, TRUE);
  } else {
    look_up_words(frame->stored, table, out, n, FALSE);
  }
}

/* ---- more bits, and real numbers ---------------------------------------------------------------
 */

static void
load_block(const DicomFrame *frame, gsize at, guint n, double stored[DICOM_BLOCK])
{
  const guint8 *in = frame->stored + at * dicom_sample_bytes(frame->type);

  if (frame->type == SAMPLE_F32 && G_BYTE_ORDER == G_LITTLE_ENDIAN) {
    for (guint i = 0; i < n; i++) {
      float value;

      memcpy(&value, in + 4 * i, sizeof value);
      stored[i] = (double)value;
    }
  } else {
    for (guint i = 0; i < n; i++) {
      stored[i] = dicom_frame_sample(frame, at + i);
    }
  }
  for (guint i = n; i < DICOM_BLOCK; i++) {
    stored[i] = 0;
  }
}

static void
render_blocks(const DicomFrame *frame, const DicomWindow *window, guint8 *out, gsize n)
{
  for (gsize at = 0; at < n; at += DICOM_BLOCK) {
    guint count = (guint)MIN(DICOM_BLOCK, n - at);
    double stored[DICOM_BLOCK];
    guint8 grey[DICOM_BLOCK];

    load_block(frame, at, count, stored);
    grey_block(frame, window, stored, grey);
    memcpy(out + at, grey, count);
  }
}

static void
render_plain(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  gsize n = (gsize)frame->width * frame->height;

  switch (dicom_sample_bytes(frame->type)) {
  case 1:
    render_bytes(frame, window, out, n);
    break;
  case 2:
    render_words(frame, window, out, n);
    break;
  default:
    render_blocks(frame, window, out, n);
    break;
  }
}

/* ---- what a presentation state adds ------------------------------------------------------------
 */

/* In tiles that stay in the cache, whichever way the picture is turned. */
#define TILE 64

static void
turn(const DicomFrame *frame, const guint8 *in, guint8 *out)
{
  guint w = dicom_frame_width(frame), h = dicom_frame_height(frame);

  for (guint top = 0; top < h; top += TILE) {
    for (guint left = 0; left < w; left += TILE) {
      guint right = MIN(left + TILE, w), bottom = MIN(top + TILE, h);

      for (guint y = top; y < bottom; y++) {
        /* From one pixel to the next is the same step all along a row. */
        gsize at = dicom_frame_index(frame, left, y);
        gsize step = left + 1 < w ? dicom_frame_index(frame, left + 1, y) - at : 0;

        for (guint x = left; x < right; x++, at += step) {
          out[(gsize)y * w + x] = in[at];
        }
      }
    }
  }
}

static void
draw_marks(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  guint8 shutter = (guint8)(window->invert ? 255 - frame->shutter_grey : frame->shutter_grey);

  for (guint i = 0; i < frame->marks->len; i++) {
    const DicomMark *mark = &g_array_index(frame->marks, DicomMark, i);
    guint8 *p = out + mark->start;

    if (mark->kind & MARK_SHUTTER) {
      memset(p, shutter, mark->length);
    }
    for (guint k = 0; mark->kind & MARK_STROKE && k < mark->length; k++) {
      p[k] = p[k] < 128 ? 255 : 0;
    }
  }
}

gboolean
dicom_render_grey(const DicomFrame *frame, const DicomWindow *window, guint8 *out)
{
  if (frame->turns == 0 && !frame->flip) {
    render_plain(frame, window, out);
  } else {
    g_autofree guint8 *straight = g_try_malloc((gsize)frame->width * frame->height);

    if (!straight) {
      return FALSE;
    }
    render_plain(frame, window, straight);
    turn(frame, straight, out);
  }
  draw_marks(frame, window, out);
  return TRUE;
}
