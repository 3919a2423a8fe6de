/* decode-native.c - frames without compression (PS3.5 clause 8): which form, is it all there, and
 * out of the file. */
#include "decode.h"
#include "native.h"

/* YBR_FULL_422 shares the chroma of two pixels - unless the value is long enough for whole samples:
 * then the writer undid the subsampling and kept the name. */
static DicomNative
native_form(const DicomFile *file)
{
  const DicomInfo *info = &file->info;
  DicomNative form = {info->columns,        info->rows, info->samples,
                      info->bits_allocated, FALSE,      info->planar == 1};
  guint64 whole = dicom_native_bits(&form) * info->frames; /* below 2^57 */

  form.subsampled = info->samples == 3 && g_str_has_suffix(info->photometric, "_422") &&
                    file->pixels.length < (whole + 7) / 8;
  return form;
}

gboolean
dicom_check_native(const DicomFile *file, GError **error)
{
  const DicomInfo *info = &file->info;
  DicomNative form = native_form(file);
  guint64 need = (dicom_native_bits(&form) * info->frames + 7) / 8; /* below 2^54 */

  if (need <= file->pixels.length) {
    return TRUE;
  }
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
              "%s: %s has %" G_GUINT64_FORMAT " bytes%s; Rows %u x Columns %u x NumberOfFrames %u "
              "x SamplesPerPixel %u x BitsAllocated %u needs %" G_GUINT64_FORMAT,
              file->name, dicom_pixels_keyword(file), file->pixels.length,
              file->pixels.cut ? " before the file ends" : "", info->rows, info->columns,
              info->frames, info->samples, info->bits_allocated, need);
  return FALSE;
}

/* Pixels that are rearranged at a time: few enough for the processor's cache, a multiple of 8. */
#define PART 8192

/* PART's pixels, which follow AT others of the frame whose first bit is FIRST, into RAW as one
 * frame would lie. */
static gboolean
read_part(DicomFile *file, const DicomNative *form, const DicomNative *part, guint64 first,
          guint64 at, guint8 *raw, guint *first_bit, GError **error)
{
  DicomSource *source = dicom_dataset_source(file->dataset);
  guint64 pixels = (guint64)form->columns * form->rows, bit = first;
  gsize bytes = MAX(form->bits / 8, 1), n;

  if (form->planar && form->samples > 1 && !form->subsampled) {
    n = part->columns * bytes;
    for (guint s = 0; s < form->samples; s++) {
      if (!dicom_pixels_native(&file->pixels, source, file->name,
                               first / 8 + (s * pixels + at) * bytes, (guint)bytes, raw + s * n, n,
                               error)) {
        return FALSE;
      }
    }
    return TRUE;
  }
  bit += at * (form->subsampled ? 2 : form->samples) * form->bits;
  *first_bit = (guint)(bit % 8);
  n = (gsize)((*first_bit + dicom_native_bits(part) + 7) / 8);
  return dicom_pixels_native(&file->pixels, source, file->name, bit / 8, (guint)bytes, raw, n,
                             error);
}

gboolean
dicom_decode_native(DicomFile *file, guint index, DicomFrame *frame, GError **error)
{
  DicomNative form = native_form(file), part = form;
  guint64 pixels = (guint64)form.columns * form.rows;
  guint64 first = dicom_native_bits(&form) * index; /* the frame's first bit */
  gsize bytes = MAX(form.bits / 8, 1);

  if (dicom_native_is_plain(&form)) {
    return dicom_pixels_native(&file->pixels, dicom_dataset_source(file->dataset), file->name,
                               first / 8, (guint)bytes, frame->stored, frame->n_bytes, error);
  }
  g_autofree guint8 *raw = g_malloc(PART * form.samples * bytes + 8);
  part.rows = 1;
  for (guint64 at = 0; at < pixels; at += PART) {
    guint first_bit = 0;

    part.columns = (guint)MIN(pixels - at, PART);
    if (!read_part(file, &form, &part, first, at, raw, &first_bit, error)) {
      return FALSE;
    }
    dicom_native_arrange(&part, raw, first_bit, frame->stored + at * form.samples * bytes);
  }
  return TRUE;
}
