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

gboolean
dicom_decode_native(DicomFile *file, guint index, DicomFrame *frame, GError **error)
{
  DicomNative form = native_form(file);
  DicomSource *source = dicom_dataset_source(file->dataset);
  guint64 bits = dicom_native_bits(&form), first = bits * index, offset = first / 8;
  gsize n = (gsize)((first + bits + 7) / 8 - offset);
  gboolean plain = dicom_native_is_plain(&form);
  g_autofree guint8 *raw = plain ? NULL : g_try_malloc(n);
  guint8 *target = plain ? frame->stored : raw;

  if (!target) {
    return dicom_decode_refuse(file, DICOM_ERROR_TOO_LARGE, error,
                               "needs more memory than there is");
  }
  if (!dicom_pixels_native(&file->pixels, source, file->name, offset, MAX(form.bits / 8, 1), target,
                           n, error)) {
    return FALSE;
  }
  if (!plain) {
    dicom_native_arrange(&form, raw, (guint)(first % 8), frame->stored);
  }
  return TRUE;
}
