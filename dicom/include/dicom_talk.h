/* dicom_talk.h - writes what was asked about images, and answered by a machine, as objects of the
 * study that the images belong to: a structured report, and a PDF in an envelope.
 *
 * The report is an Enhanced SR (PS3.3 A.35.2) whose root is that of TID 1500: the images in a
 * library (TID 1600), and a measurement group for each turn (TID 1501), in which the algorithm is
 * named (TID 4019), what it said is inferred from the image, and what a person made of it stands
 * beside it with that person as the observer (TID 1003). It is never VERIFIED: nobody attests to
 * it. Codes that no standard has are of the scheme 99HILUM, which the report declares.
 *
 * The same input gives the same bytes, UIDs too.
 * Thread rule: any thread. Errors: DICOM_ERROR, G_FILE_ERROR. Strings are UTF-8 and borrowed.
 */
#ifndef HILUM_DICOM_TALK_H
#define HILUM_DICOM_TALK_H

#include "dicom.h"

G_BEGIN_DECLS

/* An image that was asked about. */
typedef struct {
  const char *sop_class, *sop_instance_uid, *series_instance_uid, *study_instance_uid;
  guint frame;          /* from 1, as DICOM counts; 0: the image has one */
  const char *modality; /* NULL or "": not known */
} DicomTalkImage;

typedef struct {
  const char *verdict; /* "accepted", "edited", "rejected" */
  const char *text;    /* the person's own words in the answer's place, or NULL */
  const char *person;  /* as DICOM writes names; NULL: not said */
  const char *time;    /* ISO 8601, UTC */
} DicomTalkVerdict;

typedef struct {
  const char *time;              /* ISO 8601, UTC */
  const char *question, *answer; /* NULL: left out, and that is said */
  const char *algorithm, *version;
  const char *const *parameters; /* of the algorithm; ends with NULL */
  const char *const *checks;     /* one sentence each; ends with NULL */
  const DicomTalkImage *images;
  gsize n_images;
  const DicomTalkVerdict *verdicts; /* the last one counts */
  gsize n_verdicts;
} DicomTalkTurn;

typedef struct {
  const char *name;   /* of the conversation, for people */
  const char *notice; /* of what it is good for */
  const char *software_version;
  GDateTime *created;
  const DicomTalkTurn *turns;
  gsize n_turns;
} DicomTalk;

/* Whose it is, as the images say; what is not known is NULL or "". */
typedef struct {
  const char *patient_name, *patient_id, *patient_birth_date, *patient_sex;
  const char *study_instance_uid, *study_id, *study_date, *study_time, *study_description;
  const char *accession_number;
} DicomTalkStudy;
/* What HEADER says; borrowed. */
DicomTalkStudy dicom_talk_study(const DicomInfo *header);

gboolean dicom_talk_write(const char *path, const DicomTalkStudy *study, const DicomTalk *talk,
                          GError **error);

typedef struct {
  const char *title, *software_version;
  GDateTime *created;
  gboolean names_patient;       /* the pages do */
  const DicomTalkImage *images; /* that it is about */
  gsize n_images;
} DicomTalkPdf;
/* The document PDF (PS3.3 A.45.1), which begins with "%PDF". */
gboolean dicom_talk_write_pdf(const char *path, const DicomTalkStudy *study,
                              const DicomTalkPdf *about, GBytes *pdf, GError **error);

G_END_DECLS
#endif
