/* pixels.h - where the pixel data of an object lie, and its fragments. Private to the room. */
#ifndef HILUM_DICOM_PIXELS_H
#define HILUM_DICOM_PIXELS_H

#include "dataset.h"

typedef struct {
  guint32 tag;               /* 7FE00010, 7FE00008 (float) or 7FE00009 (double); 0: none */
  char vr[3];                /* "" in implicit VR */
  gboolean big_endian;       /* native words */
  gboolean encapsulated;     /* a sequence of fragments */
  guint64 offset;            /* native: of the value */
  guint64 length;            /* bytes of the value that are there, or of all fragments together */
  gboolean cut;              /* the file ends inside */
  guint n_fragments;         /* without the basic offset table */
  guint64 *fragment_offsets; /* of each fragment's bytes */
  guint32 *fragment_lengths;
  guint n_offsets;  /* of the basic offset table (PS3.5 A.4), or the extended one */
  guint64 *offsets; /* from the first fragment's item tag on */
  guint n_starts;   /* frames that were found by their markers */
  guint *starts;    /* the first fragment of each */
  gboolean looked;  /* for markers */
} DicomPixels;

/* Finds them in the root of DATASET, which outlives PIXELS. FALSE when there is no memory for it.
 */
gboolean dicom_pixels_find(const DicomDataset *dataset, const char *name, DicomPixels *pixels,
                           GError **error);
void dicom_pixels_clear(DicomPixels *pixels);
/* N bytes of native pixels from byte OFFSET on, little-endian. BYTES of a sample, 1 for 1 bit. */
gboolean dicom_pixels_native(const DicomPixels *pixels, DicomSource *source, const char *name,
                             guint64 offset, guint bytes, guint8 *out, gsize n, GError **error);
/* Which fragments hold FRAME of N_FRAMES: one each, by the offset table, all for a single frame, or
 * by the start marker of JPEG-like code streams (FF D8, FF 4F FF 51, FF 0A). */
gboolean dicom_pixels_frame(DicomPixels *pixels, DicomSource *source, const char *name, guint frame,
                            guint n_frames, guint *first, guint *last, GError **error);
/* Fragments FIRST to LAST joined, followed by 16 zero bytes; g_free(). */
guint8 *dicom_pixels_join(const DicomPixels *pixels, DicomSource *source, const char *name,
                          guint first, guint last, gsize *n, GError **error);

#endif
