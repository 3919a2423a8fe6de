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
  GPtrArray *unsure;      /* of char *: what could not be guaranteed, for people */
  char *sop_instance_uid; /* the new one, for a name */
} DicomDeidReport;
void dicom_deid_report_free(DicomDeidReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomDeidReport, dicom_deid_report_free)

/* A decoded frame of the input, for blanking; the application asks its helper. */
typedef DicomFrame *(*DicomDeidFrame)(guint frame, gpointer user, GError **error);

/* Reads IN (walked and checked by this room's own reader, never by a codec), writes OUT aside,
 * synced and renamed. FALSE: nothing was written. A report with UNSURE entries is no failure of
 * this call; the caller decides. */
gboolean dicom_deid_file(const char *in, const char *out, const DicomDeidOptions *options,
                         DicomDeidFrame frame, gpointer user, DicomDeidReport **report,
                         GError **error);

G_END_DECLS
#endif
