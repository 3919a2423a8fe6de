/* talk.h - what the writers of documents about a conversation share. Private to the dicom room. */
#ifndef HILUM_DICOM_DOCUMENT_TALK_H
#define HILUM_DICOM_DOCUMENT_TALK_H

#include "dicom/document/put.h"
#include "dicom_key_object.h"
#include "dicom_talk.h"

/* How one kind of document differs from another in the modules that all have. */
typedef struct {
  const char *sop_class, *modality, *series_description, *series_number;
  const char *software_version;
  GDateTime *created;
  gboolean has_schemes;         /* declares 99HILUM */
  gboolean is_document;         /* a PDF, else a report */
  const DicomTalkImage *images; /* of a PDF: where it comes from */
  gsize n_images;
} DicomTalkKind;

/* A new data set: SOP common, patient, study, series and equipment, up to InstanceNumber. */
GByteArray *dicom_talk_set_new(const DicomTalkStudy *study, const DicomTalkKind *kind,
                               const char *uid);
/* CONTENT: elements behind these. Gives the object a UID of all that it says, and writes it. */
gboolean dicom_talk_set_write(const char *path, const DicomTalkStudy *study,
                              const DicomTalkKind *kind, const GByteArray *content, GError **error);
/* The SOP instance; FRAMES: with its frame. */
GByteArray *dicom_talk_reference(const DicomTalkImage *image, gboolean frames);
/* All that must be there is. */
gboolean dicom_talk_check(const char *path, const DicomTalkStudy *study,
                          const DicomTalkImage *images, gsize n, GError **error);

/* A node of the content tree (PS3.3 C.17.3). What does not belong to its type is NULL. */
typedef struct {
  const char *relationship, *type;
  const DicomCode *name, *code;
  const char *text, *uid, *person, *time; /* TIME as DT */
  const DicomTalkImage *image;
  GByteArray *children; /* taken; NULL: none */
} DicomTalkNode;
void dicom_talk_put_node(GByteArray *items, const DicomTalkNode *node);
void dicom_talk_put_text(GByteArray *items, const char *relationship, const DicomCode *name,
                         const char *text);
void dicom_talk_put_code(GByteArray *items, const char *relationship, const DicomCode *name,
                         const DicomCode *code);
void dicom_talk_put_uid(GByteArray *items, const DicomCode *name, const char *uid);

/* The image library (TID 1600): each of the IMAGES once. */
void dicom_talk_put_library(GByteArray *items, const DicomTalkImage *images, gsize n);

#endif
