/* talk-set.c - what all documents about a conversation have: whose they are, and their envelope. */
#include "dicom/document/talk.h"

#include <string.h>

#include "dicom_key_object.h"

/* This program's codes as a scheme (PS3.3 C.12.1). */
#define SCHEME_UID "2.25.132950541829573628014650873216549870231"

static const char *
or_empty(const char *text)
{
  return text ? text : "";
}

DicomTalkStudy
dicom_talk_study(const DicomInfo *header)
{
  return (DicomTalkStudy){.patient_name = header->patient_name,
                          .patient_id = header->patient_id,
                          .patient_birth_date = header->patient_birth_date,
                          .patient_sex = header->patient_sex,
                          .study_instance_uid = header->study_instance_uid,
                          .study_id = header->study_id,
                          .study_date = header->study_date,
                          .study_time = header->study_time,
                          .study_description = header->study_description,
                          .accession_number = header->accession_number};
}

static void
put_scheme(GByteArray *to)
{
  GByteArray *scheme = g_byte_array_new();

  dicom_put_text(scheme, 0x00080102, "SH", "99HILUM");
  dicom_put_text(scheme, 0x0008010c, "UI", SCHEME_UID);
  dicom_put_text(scheme, 0x00080115, "ST", "Hilum");
  dicom_put_text(scheme, 0x00080116, "ST", "Hilum");
  dicom_put_single(to, 0x00080110, scheme);
}

GByteArray *
dicom_talk_reference(const DicomTalkImage *image, gboolean frames)
{
  GByteArray *reference = g_byte_array_new();

  dicom_put_text(reference, 0x00081150, "UI", image->sop_class);
  dicom_put_text(reference, 0x00081155, "UI", image->sop_instance_uid);
  if (frames && image->frame > 0) {
    g_autofree char *frame = g_strdup_printf("%u", image->frame);

    dicom_put_text(reference, 0x00081160, "IS", frame);
  }
  return reference;
}

gboolean
dicom_talk_check(const char *path, const DicomTalkStudy *study, const DicomTalkImage *images,
                 gsize n, GError **error)
{
  const char *missing = !*or_empty(study->study_instance_uid) ? "StudyInstanceUID" : NULL;

  for (gsize i = 0; i < n && !missing; i++) {
    missing = !*or_empty(images[i].sop_class)             ? "SOPClassUID"
              : !*or_empty(images[i].sop_instance_uid)    ? "SOPInstanceUID"
              : !*or_empty(images[i].series_instance_uid) ? "SeriesInstanceUID"
              : !*or_empty(images[i].study_instance_uid)  ? "StudyInstanceUID"
                                                          : NULL;
  }
  if (missing) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: a document about these images cannot be made: %s is missing", name, missing);
  }
  return !missing;
}

static void
put_patient(GByteArray *set, const DicomTalkStudy *study)
{
  dicom_put_text(set, 0x00100010, "PN", or_empty(study->patient_name));
  dicom_put_text(set, 0x00100020, "LO", or_empty(study->patient_id));
  dicom_put_text(set, 0x00100030, "DA", dicom_put_date(or_empty(study->patient_birth_date)));
  dicom_put_text(set, 0x00100040, "CS", dicom_put_sex(or_empty(study->patient_sex)));
}

/* Attributes of group 0008, which belong to several modules. */
static void
put_general(GByteArray *set, const DicomTalkStudy *study, const DicomTalkKind *kind,
            const char *uid)
{
  g_autofree char *date = g_date_time_format(kind->created, "%Y%m%d");
  g_autofree char *time = g_date_time_format(kind->created, "%H%M%S");

  dicom_put_text(set, 0x00080005, "CS", "ISO_IR 192");
  dicom_put_text(set, 0x00080012, "DA", date);
  dicom_put_text(set, 0x00080013, "TM", time);
  dicom_put_text(set, 0x00080016, "UI", kind->sop_class);
  dicom_put_text(set, 0x00080018, "UI", uid);
  dicom_put_text(set, 0x00080020, "DA", dicom_put_date(or_empty(study->study_date)));
  dicom_put_text(set, 0x00080023, "DA", date);
  if (kind->is_document) {
    dicom_put_text(set, 0x0008002a, "DT", ""); /* AcquisitionDateTime */
  }
  dicom_put_text(set, 0x00080030, "TM", dicom_put_time(or_empty(study->study_time)));
  dicom_put_text(set, 0x00080033, "TM", time);
  dicom_put_text(set, 0x00080050, "SH", or_empty(study->accession_number));
  dicom_put_text(set, 0x00080060, "CS", kind->modality);
  if (kind->is_document) {
    dicom_put_text(set, 0x00080064, "CS", "WSD"); /* ConversionType: a workstation's */
  }
  dicom_put_text(set, 0x00080070, "LO", "Hilum");
  dicom_put_text(set, 0x00080090, "PN", "");
  if (kind->has_schemes) {
    put_scheme(set);
  }
  dicom_put_text(set, 0x00081030, "LO", or_empty(study->study_description));
  dicom_put_text(set, 0x0008103e, "LO", kind->series_description);
  dicom_put_text(set, 0x00081090, "LO", "Hilum");
  if (!kind->is_document) {
    dicom_put_sequence(set, 0x00081111, g_byte_array_new());
  }
}

GByteArray *
dicom_talk_set_new(const DicomTalkStudy *study, const DicomTalkKind *kind, const char *uid)
{
  GByteArray *set = g_byte_array_new();
  g_autofree char *series_name = g_strconcat(uid, " series", NULL);
  g_autofree char *series = dicom_uid_of(series_name, strlen(series_name));

  put_general(set, study, kind, uid);
  put_patient(set, study);
  dicom_put_text(set, 0x00181020, "LO", kind->software_version);
  dicom_put_text(set, 0x0020000d, "UI", or_empty(study->study_instance_uid));
  dicom_put_text(set, 0x0020000e, "UI", series);
  dicom_put_text(set, 0x00200010, "SH", or_empty(study->study_id));
  dicom_put_text(set, 0x00200011, "IS", kind->series_number);
  dicom_put_text(set, 0x00200013, "IS", "1");
  return set;
}

/* The UID is that of the object without one. */
gboolean
dicom_talk_set_write(const char *path, const DicomTalkStudy *study, const DicomTalkKind *kind,
                     const GByteArray *content, GError **error)
{
  g_autoptr(GByteArray) set = dicom_talk_set_new(study, kind, "");
  g_autofree char *uid = NULL;

  g_byte_array_append(set, content->data, content->len);
  uid = dicom_uid_of(set->data, set->len);
  g_clear_pointer(&set, g_byte_array_unref);
  set = dicom_talk_set_new(study, kind, uid);
  g_byte_array_append(set, content->data, content->len);
  return dicom_put_file(path, kind->sop_class, uid, set, error);
}
