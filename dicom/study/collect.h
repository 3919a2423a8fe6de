/* collect.h - what is kept of each file until all are known. Private to the room. */
#ifndef HILUM_DICOM_COLLECT_H
#define HILUM_DICOM_COLLECT_H

#include "dicom.h"
#include "stack.h"

/* A stack of frames of one object. */
typedef struct {
  DicomStack *stack; /* its slices: the first one alone */
  GArray *order;     /* of guint: frames; NULL: all, as they are stored */
  GArray *alongs;    /* of double: mm along the stack's normal, of each; NULL: not known */
  guint n_frames;
} DicomFrameStack;

/* Texts without an owner are the collector's, equal ones are one. */
typedef struct {
  char *path; /* owned */
  DicomContent content;
  const char *sop_instance_uid, *series_instance_uid, *study_instance_uid;
  const char *patient_id, *patient_name, *patient_birth_date, *patient_sex;
  const char *study_date, *study_description, *accession_number;
  const char *modality, *series_description;
  const char *sop_class, *image_type, *body_part, *view_position, *laterality, *burned_in;
  const char *frame_of_reference_uid;
  gint series_number;
  gboolean is_dicom;
  double frame_time_ms;
  guint frames;
  DicomSlice slice;        /* of a file that is one image */
  GPtrArray *frame_stacks; /* of DicomFrameStack *, for an object of several frames, else NULL */
  DicomDocument *document; /* for what is no image, else NULL */
  GPtrArray *named;        /* of char *: files that a DICOMDIR names, else NULL */
} DicomRecord;

/* tree.c: RECORDS (of DicomRecord *, in the order of their names, none twice) as patients, studies,
 * series and documents of SCAN. Documents change hands. */
void dicom_tree_grow(DicomScan *scan, GPtrArray *records);
/* series.c: the stacks of RECORDS, the images of one series. Of DicomSeries *. */
GPtrArray *dicom_series_make(GPtrArray *records);
void dicom_document_free(DicomDocument *document);

#endif
