/* dicom_key_object.h - writes Key Object Selection documents (PS3.3 A.35.4, template TID 2010).
 *
 * Thread rule: any thread. Errors: DICOM_ERROR, G_FILE_ERROR.
 */
#ifndef HILUM_DICOM_KEY_OBJECT_H
#define HILUM_DICOM_KEY_OBJECT_H

#include "dicom.h"

G_BEGIN_DECLS

/* An image that is pointed at. */
typedef struct {
  const char *sop_class, *sop_instance_uid, *series_instance_uid;
  const guint *frames; /* from 1, as DICOM counts; NULL: the whole image */
  guint n_frames;
} DicomKeyImage;

/* Writes a document "Of Interest" about N images of one study to PATH: patient and study as HEADER,
 * the header of one of them, says. The document is a new instance of a new series. Written aside,
 * synced, renamed. */
gboolean dicom_key_object_write(const char *path, const DicomInfo *header,
                                const DicomKeyImage *images, guint n, GError **error);

/* "2.25." and a random number of 122 bits (PS3.5 B.2). g_free(). */
char *dicom_uid_new(void);
/* The same of the N BYTES, always the same (RFC 9562, version 8). g_free(). */
char *dicom_uid_of(const void *bytes, gsize n);

G_END_DECLS
#endif
