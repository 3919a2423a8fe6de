/* prescan.h - a walk over a data set before DCMTK sees it.
 *
 * DCMTK parses by recursion and trusts lengths; this walk is iterative, takes constant memory, and
 * refuses what would hurt: nesting below DICOM_MAX_DEPTH, lengths beyond the file, sequences
 * without an end. On the way it notes where the pixel data lie. */
#ifndef HILUM_DICOM_PRESCAN_H
#define HILUM_DICOM_PRESCAN_H

#include "meta.h"

typedef struct {
  guint32 pixel_tag;     /* 7FE00010, 7FE00008 (float) or 7FE00009 (double); 0: none */
  gboolean encapsulated; /* undefined length: a sequence of fragments */
  guint64 pixel_length;  /* bytes of the value, or of all fragments together */
  guint n_fragments;     /* without the offset table */
  char sop_class[65];
} DicomLayout;

/* NAME is for messages. */
gboolean dicom_prescan(DicomSource *source, const char *name, const DicomMeta *meta,
                       DicomLayout *layout, GError **error);
/* The inflated rest of a deflated file from OFFSET on, as a source of its own. */
DicomSource *dicom_inflate(DicomSource *source, const char *name, guint64 offset, GError **error);

#endif
