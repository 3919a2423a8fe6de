/* voi.c - the functions and tables of PS3.3 C.11.2, from values after the modality LUT to 8 bits.
 */
#include "lut.h"

#include <math.h>
#include <string.h>

/* C.11.2.1.2.1 and C.11.2.1.3.2: both are a line between two ends, and differ in where it lies. */
static void
linear(double c, double w, const double *restrict values, double *restrict y)
{
  for (guint i = 0; i < DICOM_BLOCK; i++) {
    y[i] = ((values[i] - c) / w + 0.5) * 255;
  }
}

/* LINEAR of width 1 is a step, of which the first branch of C.11.2.1.2.1 has the edge. */
static void
step(double edge, const double *restrict values, double *restrict y)
{
  for (guint i = 0; i < DICOM_BLOCK; i++) {
    y[i] = values[i] > edge ? 255 : 0;
  }
}

/* C.11.2.1.3.1. */
static void
sigmoid(double c, double w, const double *restrict values, double *restrict y)
{
  for (guint i = 0; i < DICOM_BLOCK; i++) {
    y[i] = 255 / (1 + exp(-4 * (values[i] - c) / w));
  }
}

/* C.11.2.1.1. Values between two entries take the lower one, those outside the first or last. */
static void
table(const DicomLut *lut, const double *restrict values, double *restrict y)
{
  double scale = 255.0 / ((1u << lut->bits) - 1);

  for (guint i = 0; i < DICOM_BLOCK; i++) {
    double index = floor(values[i]) - lut->first;
    guint entry = !(index > 0)          ? lut->data[0]
                  : index >= lut->n - 1 ? lut->data[lut->n - 1]
                                        : lut->data[(gsize)index];

    y[i] = entry * scale;
  }
}

/* C.11.6.1.1: the whole range that comes out of VOI is spread over the table's entries. */
static void
presentation(const DicomLut *lut, double *restrict y)
{
  double entries = (lut->n - 1) / 255.0, scale = 255.0 / ((1u << lut->bits) - 1);

  for (guint i = 0; i < DICOM_BLOCK; i++) {
    double held = y[i] > 0 ? MIN(y[i], 255) : 0;

    y[i] = lut->data[(gsize)(held * entries + 0.5)] * scale;
  }
}

/* Rounded and held to 0..255; what is no number becomes 0. */
static void
to_bytes(const double *restrict y, guint8 *restrict grey)
{
  gint32 whole[DICOM_BLOCK];

  for (guint i = 0; i < DICOM_BLOCK; i++) {
    double held = y[i] > 0 ? y[i] : 0;

    held = held < 255 ? held : 255;
    whole[i] = (gint32)(held + 0.5);
  }
  for (guint i = 0; i < DICOM_BLOCK; i++) {
    grey[i] = (guint8)whole[i];
  }
}

void
dicom_voi_block(const DicomFrame *frame, const DicomWindow *window,
                const double values[DICOM_BLOCK], guint8 grey[DICOM_BLOCK])
{
  double c = window->center, w = window->width;
  double y[DICOM_BLOCK];

  switch (window->voi) {
  case DICOM_VOI_SIGMOID:
    sigmoid(c, w, values, y);
    break;
  case DICOM_VOI_LUT:
    table(g_ptr_array_index(frame->voi_luts, window->lut), values, y);
    break;
  case DICOM_VOI_LINEAR:
    /* Below 1 the standard's formula divides by less than nothing; such windows are meant exactly.
     */
    if (w >= 1) {
      c -= 0.5;
      w -= 1;
    }
    if (w > 0) {
      linear(c, w, values, y);
    } else {
      step(c, values, y);
    }
    break;
  case DICOM_VOI_LINEAR_EXACT:
    linear(c, w, values, y);
    break;
  case DICOM_VOI_NONE:
  default:
    memcpy(y, values, sizeof y);
    break;
  }
  if (frame->presentation) {
    presentation(frame->presentation, y);
  }
  to_bytes(y, grey);
}
