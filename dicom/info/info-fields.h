/* info-fields.h - every field of DicomInfo, once: what starts, copies, ends and transmits a
 * DicomInfo goes through this table. Private to the room. */
#ifndef HILUM_DICOM_INFO_FIELDS_H
#define HILUM_DICOM_INFO_FIELDS_H

#include "dicom.h"

typedef enum {
  DICOM_FIELD_TEXT,    /* char *, never NULL */
  DICOM_FIELD_ENUM,    /* an enum as guint, below N */
  DICOM_FIELD_UINT,    /* guint */
  DICOM_FIELD_INT,     /* gint */
  DICOM_FIELD_BOOLEAN, /* gboolean, TRUE or FALSE */
  DICOM_FIELD_DOUBLE,  /* N doubles in the structure itself */
  DICOM_FIELD_DOUBLES, /* GArray of double */
  DICOM_FIELD_TEXTS,   /* GPtrArray of char *, which it frees */
  DICOM_FIELD_PLANES,  /* GArray of DicomPlane */
} DicomFieldKind;

typedef struct {
  const char *name;
  DicomFieldKind kind;
  gsize offset; /* in DicomInfo: G_STRUCT_MEMBER_P() */
  guint n;
} DicomInfoField;

extern const DicomInfoField dicom_info_fields[];
extern const guint dicom_info_n_fields;

/* For messages: UID with its name if it has one, "missing" when empty. g_free(). */
char *dicom_info_class_text(const DicomInfo *info, const char *uid);

/* Texts "", arrays empty, slope, frames and samples 1, everything else 0. */
void dicom_info_init(DicomInfo *info, const char *path);
/* Frees what the fields hold, not INFO. */
void dicom_info_clear(DicomInfo *info);

#endif
