/* pixels.c - where the pixel data of an object lie (PS3.5 clause 8 and annex A.4). */
#include "pixels.h"

#include "dataset-tree.h"
#include "dicom.h"
#include "dicom/limits.h"
#include "dicom/codec/native.h"
#include "dicom/tags.h"

#include <string.h>

#define ZEROS_BEHIND 16

static gboolean G_GNUC_PRINTF(4, 5)
    refuse(const char *name, DicomError code, GError **error, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, DICOM_ERROR, code, "%s: %s", name, what);
  return FALSE;
}

static gboolean
no_memory(const char *name, GError **error)
{
  return refuse(name, DICOM_ERROR_TOO_LARGE, error, "needs more memory than there is");
}

/* ---- finding -----------------------------------------------------------------------------------
 */

/* The basic offset table, the first item of the fragments: 32-bit offsets. */
static void
read_basic_table(DicomSource *source, guint64 offset, guint32 length, DicomPixels *pixels)
{
  guint n = MIN(length / 4, DICOM_MAX_FRAMES);
  g_autofree guint8 *bytes = n > 0 ? g_try_malloc((gsize)n * 4) : NULL;

  if (!bytes || !dicom_source_read(source, offset, bytes, (gsize)n * 4)) {
    return;
  }
  pixels->offsets = g_new(guint64, n);
  pixels->n_offsets = n;
  for (guint i = 0; i < n; i++) {
    const guint8 *p = bytes + (gsize)i * 4;

    pixels->offsets[i] = p[0] | (guint64)p[1] << 8 | (guint64)p[2] << 16 | (guint64)p[3] << 24;
  }
}

/* ExtendedOffsetTable (7FE0,0001): 64-bit offsets, for objects of more than 4 GiB. */
static void
read_extended_table(const DicomItem *root, DicomPixels *pixels)
{
  gsize n;
  g_autofree guint8 *bytes =
      dicom_item_bytes(root, TAG_ExtendedOffsetTable, (gsize)DICOM_MAX_FRAMES * 8, &n);

  if (!bytes || n < 8) {
    return;
  }
  g_free(pixels->offsets);
  pixels->n_offsets = (guint)(n / 8);
  pixels->offsets = g_new0(guint64, pixels->n_offsets);
  for (guint i = 0; i < pixels->n_offsets; i++) {
    for (guint k = 0; k < 8; k++) {
      pixels->offsets[i] |= (guint64)bytes[(gsize)i * 8 + k] << (8 * k);
    }
  }
}

static gboolean
copy_fragments(const DicomDataset *dataset, const char *name, DicomPixels *pixels, GError **error)
{
  guint n = dataset->n_fragments;

  pixels->encapsulated = TRUE;
  pixels->cut = dataset->fragments_cut;
  if (n < 2) {
    return TRUE;
  }
  pixels->fragment_offsets = g_try_new(guint64, n - 1);
  pixels->fragment_lengths = g_try_new(guint32, n - 1);
  if (!pixels->fragment_offsets || !pixels->fragment_lengths) {
    return no_memory(name, error);
  }
  pixels->n_fragments = n - 1;
  memcpy(pixels->fragment_offsets, dataset->fragment_offsets + 1, (n - 1) * sizeof(guint64));
  memcpy(pixels->fragment_lengths, dataset->fragment_lengths + 1, (n - 1) * sizeof(guint32));
  for (guint i = 0; i < n - 1; i++) {
    pixels->length += pixels->fragment_lengths[i];
  }
  read_basic_table(dicom_dataset_source(dataset), dataset->fragment_offsets[0],
                   dataset->fragment_lengths[0], pixels);
  read_extended_table(dicom_dataset_root(dataset), pixels);
  return TRUE;
}

gboolean
dicom_pixels_find(const DicomDataset *dataset, const char *name, DicomPixels *pixels,
                  GError **error)
{
  static const guint32 tags[] = {TAG_PixelData, TAG_FloatPixelData, TAG_DoubleFloatPixelData};
  const DicomItem *root = dicom_dataset_root(dataset);
  const DicomNode *node = NULL;

  memset(pixels, 0, sizeof *pixels);
  for (guint i = 0; i < G_N_ELEMENTS(tags) && !node; i++) {
    node = dicom_item_find(root, tags[i]);
  }
  if (!node) {
    return TRUE;
  }
  pixels->tag = node->tag;
  memcpy(pixels->vr, node->vr, 2);
  pixels->big_endian = (node->flags & DICOM_NODE_BIG_ENDIAN) != 0;
  if (node->flags & DICOM_NODE_FRAGMENTS) {
    if (copy_fragments(dataset, name, pixels, error)) {
      return TRUE;
    }
    dicom_pixels_clear(pixels);
    return FALSE;
  }
  pixels->cut = (node->flags & DICOM_NODE_CUT) != 0;
  pixels->offset = node->value;
  pixels->length = node->end - node->value;
  return TRUE;
}

void
dicom_pixels_clear(DicomPixels *pixels)
{
  g_clear_pointer(&pixels->fragment_offsets, g_free);
  g_clear_pointer(&pixels->fragment_lengths, g_free);
  g_clear_pointer(&pixels->offsets, g_free);
  g_clear_pointer(&pixels->starts, g_free);
  memset(pixels, 0, sizeof *pixels);
}

/* ---- native ------------------------------------------------------------------------------------
 */

gboolean
dicom_pixels_native(const DicomPixels *pixels, DicomSource *source, const char *name,
                    guint64 offset, guint bytes, guint8 *out, gsize n, GError **error)
{
  /* Samples of one byte are big-endian only where two of them stand in one word of OW (PS3.5
   * clause 8.1.2 and annex D). */
  guint width = pixels->big_endian ? MAX(bytes, pixels->vr[1] == 'B' ? 1 : 2) : 1;
  guint64 first = offset - offset % width;

  if (offset > pixels->length || n > pixels->length - offset) {
    return refuse(name, DICOM_ERROR_CORRUPT, error,
                  "PixelData has %" G_GUINT64_FORMAT " bytes; expected %" G_GSIZE_FORMAT
                  " from byte %" G_GUINT64_FORMAT " on",
                  pixels->length, n, offset);
  }
  /* Whole words; the last one may be cut by the end of the value. */
  gsize before = (gsize)(offset - first), all = before + n;
  all += (width - all % width) % width;
  all = (gsize)MIN((guint64)all, pixels->length - first);
  g_autofree guint8 *words = all > n ? g_try_malloc(all) : NULL;
  guint8 *target = words ? words : out;
  if (all > n && !words) {
    return no_memory(name, error);
  }
  if (!dicom_source_read(source, pixels->offset + first, target, all)) {
    return refuse(name, DICOM_ERROR_IO, error, "PixelData cannot be read");
  }
  dicom_native_swap(target, all, width);
  if (words) {
    memcpy(out, words + before, n);
  }
  return TRUE;
}

/* ---- frames ------------------------------------------------------------------------------------
 */

/* The fragment that an offset of the table points at; the number of fragments when at none. */
static guint
fragment_at(const DicomPixels *pixels, guint64 offset)
{
  guint64 wanted = pixels->fragment_offsets[0] + offset;
  guint low = 0, high = pixels->n_fragments;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (pixels->fragment_offsets[middle] < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < pixels->n_fragments && pixels->fragment_offsets[low] == wanted ? low
                                                                              : pixels->n_fragments;
}

static gboolean
frame_by_table(const DicomPixels *pixels, guint frame, guint n_frames, guint *first, guint *last)
{
  if (pixels->n_offsets < n_frames || n_frames == 0) {
    return FALSE;
  }
  guint from = fragment_at(pixels, pixels->offsets[frame]), to = pixels->n_fragments;
  if (frame + 1 < n_frames) {
    to = fragment_at(pixels, pixels->offsets[frame + 1]);
  }
  if (from >= to || (to == pixels->n_fragments && frame + 1 < n_frames)) {
    return FALSE;
  }
  *first = from;
  *last = to - 1;
  return TRUE;
}

/* Every code stream of the JPEG family begins with a marker that cannot occur at the beginning of a
 * fragment in its middle, because the encoders escape FF. */
static gboolean
begins_code_stream(DicomSource *source, guint64 offset, guint32 length)
{
  guint8 p[4];

  if (length < 4 || !dicom_source_read(source, offset, p, 4)) {
    return FALSE;
  }
  return p[0] == 0xff && ((p[1] == 0xd8 && p[2] == 0xff) ||
                          (p[1] == 0x4f && p[2] == 0xff && p[3] == 0x51) || p[1] == 0x0a);
}

static void
find_starts(DicomPixels *pixels, DicomSource *source)
{
  if (pixels->looked) {
    return;
  }
  pixels->looked = TRUE;
  pixels->starts = g_try_new(guint, pixels->n_fragments);
  for (guint i = 0; pixels->starts && i < pixels->n_fragments; i++) {
    if (begins_code_stream(source, pixels->fragment_offsets[i], pixels->fragment_lengths[i])) {
      pixels->starts[pixels->n_starts++] = i;
    }
  }
}

gboolean
dicom_pixels_frame(DicomPixels *pixels, DicomSource *source, const char *name, guint frame,
                   guint n_frames, guint *first, guint *last, GError **error)
{
  guint n = pixels->n_fragments;

  *first = *last = frame;
  if (n > 0 && frame < n_frames) {
    if (n == n_frames) {
      return TRUE;
    }
    if (n_frames == 1) {
      *last = n - 1;
      return TRUE;
    }
    if (frame_by_table(pixels, frame, n_frames, first, last)) {
      return TRUE;
    }
    find_starts(pixels, source);
    if (frame < pixels->n_starts) {
      *first = pixels->starts[frame];
      *last = (frame + 1 < pixels->n_starts ? pixels->starts[frame + 1] : n) - 1;
      return TRUE;
    }
  }
  return refuse(name, DICOM_ERROR_CORRUPT, error,
                "frame %u, counted from 0, of %u is not among the %u fragments of PixelData", frame,
                n_frames, n);
}

guint8 *
dicom_pixels_join(const DicomPixels *pixels, DicomSource *source, const char *name, guint first,
                  guint last, gsize *n, GError **error)
{
  guint64 total = 0; /* at most 2^21 * 2^32 */
  gsize at = 0;

  *n = 0;
  if (first > last || last >= pixels->n_fragments) {
    refuse(name, DICOM_ERROR_CORRUPT, error, "PixelData has no fragments %u to %u", first, last);
    return NULL;
  }
  for (guint i = first; i <= last; i++) {
    total += pixels->fragment_lengths[i];
  }
  if (total > DICOM_MAX_FRAME_BYTES) {
    refuse(name, DICOM_ERROR_TOO_LARGE, error, "a code stream of %" G_GUINT64_FORMAT " bytes",
           total);
    return NULL;
  }
  g_autofree guint8 *bytes = g_try_malloc((gsize)total + ZEROS_BEHIND);
  if (!bytes) {
    no_memory(name, error);
    return NULL;
  }
  for (guint i = first; i <= last; i++) {
    if (!dicom_source_read(source, pixels->fragment_offsets[i], bytes + at,
                           pixels->fragment_lengths[i])) {
      refuse(name, DICOM_ERROR_IO, error, "fragment %u of PixelData cannot be read", i);
      return NULL;
    }
    at += pixels->fragment_lengths[i];
  }
  memset(bytes + at, 0, ZEROS_BEHIND);
  *n = at;
  return g_steal_pointer(&bytes);
}
