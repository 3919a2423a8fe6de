/* dicom_deid.h - copies without the patient (PS3.15 annex E, 2024b). */
#ifndef HILUM_DICOM_DEID_H
#define HILUM_DICOM_DEID_H

#include "dicom.h"

G_BEGIN_DECLS

typedef struct {
  guint x, y, width, height;
} DicomRect;

typedef struct {
  gboolean modified_dates;    /* Retain Longitudinal Temporal Information, modified dates */
  gboolean retain_device;     /* Retain Device Identity */
  gboolean clean_descriptors; /* Clean Descriptors */
  gboolean clean_graphics;    /* Clean Graphics: overlays and annotations go */
  gboolean clean_pixels;      /* Clean Pixel Data for the regions that the file itself declares */
  const DicomRect *blank;     /* blanked in every frame, besides */
  guint n_blank;
  guint8 key[32]; /* UIDs, dates and identifiers are remapped by it, always to the same */
} DicomDeidOptions;

typedef struct {
  GPtrArray *removed, *replaced, *kept, *cleaned; /* of char *: attributes by keyword or tag */
  GPtrArray *blanked;     /* of char *: "0,0,640,40", "outside 10,60,600,400" */
  GPtrArray *unsure;      /* of char *: what could not be guaranteed, for people */
  char *sop_instance_uid; /* the new one */
  char *path;             /* of the copy */
} DicomDeidReport;
void dicom_deid_report_free(DicomDeidReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomDeidReport, dicom_deid_report_free)

/* A decoded frame of the input, for blanking; the application asks its helper. */
typedef DicomFrame *(*DicomDeidFrame)(guint frame, gpointer user, GError **error);

/* Reads IN (walked and checked by this room's own reader, never by a codec) and writes
 * FOLDER/study/series/instance.dcm, named by the new UIDs: aside, synced and renamed, and never
 * over a file that is there. The transfer syntax stays, unless something is blanked: then it
 * becomes Explicit VR Little Endian.
 *
 * FALSE: nothing was written, because the file cannot be read, or because it would show who the
 * patient is: BurnedInAnnotation YES with nothing to blank, an encapsulated document, a DICOMDIR.
 * A report with UNSURE entries is no failure of this call; the caller decides. Neither messages nor
 * reports hold values. */
gboolean dicom_deid_file(const char *in, const char *folder, const DicomDeidOptions *options,
                         DicomDeidFrame frame, gpointer user, DicomDeidReport **report,
                         GError **error);

G_END_DECLS
#endif
