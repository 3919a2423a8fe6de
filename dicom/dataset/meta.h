/* meta.h - PS3.10 clause 7: preamble, file meta information, and where the data set begins.
 *
 * Our own small parser, so that a message can name the transfer syntax whatever the codec library
 * thinks of it. Data sets without preamble or meta information are recognised by their first
 * element. */
#ifndef HILUM_DICOM_META_H
#define HILUM_DICOM_META_H

#include "source.h"
#include "syntax.h"

typedef struct {
  gboolean has_preamble, has_meta;
  char syntax_uid[65]; /* as in the file, "" when it says nothing */
  char media_sop_class[65];
  const DicomSyntax *syntax; /* by UID, else guessed from the first element; NULL: unknown UID */
  guint64 data_start;
  /* How the data set is really written: as SYNTAX says, unless its first element says otherwise. */
  gboolean explicit_vr, big_endian, deflated;
  const char *damage; /* static, "": it is as it should be */
} DicomMeta;

/* DICOM_ERROR_FORMAT when these bytes are no DICOM at all; NAME is for messages. */
gboolean dicom_meta_read(DicomSource *source, const char *name, DicomMeta *meta, GError **error);

#endif
