/* key-object-write.c - a Key Object Selection document as a Part 10 file (PS3.3 A.35.4). */
#include "dicom_key_object.h"

#include <string.h>

#include "dicom/document/put.h"

#define KEY_OBJECT_STORAGE "1.2.840.10008.5.1.4.1.1.88.59"
/* More frames do not fit a value of IS (PS3.5 7.1.2: 16 bits of length, some of 8 bytes each). */
#define MAX_FRAMES 8000

/* ---- references ---------------------------------------------------------------------------- */

/* The SOP instance, with its frames in the content tree (PS3.3 table 10-3). */
static GByteArray *
reference_new(const DicomKeyImage *image, gboolean with_frames)
{
  GByteArray *reference = g_byte_array_new();

  dicom_put_text(reference, 0x00081150, "UI", image->sop_class);
  dicom_put_text(reference, 0x00081155, "UI", image->sop_instance_uid);
  if (with_frames && image->frames && image->n_frames > 0) {
    g_autoptr(GString) frames = g_string_new(NULL);

    for (guint i = 0; i < MIN(image->n_frames, MAX_FRAMES); i++) {
      g_string_append_printf(frames, "%s%u", i > 0 ? "\\" : "", image->frames[i]);
    }
    dicom_put_text(reference, 0x00081160, "IS", frames->str);
  }
  return reference;
}

/* CurrentRequestedProcedureEvidenceSequence (PS3.3 C.17.2): each series once, each image once. */
static void
put_evidence(GByteArray *to, const DicomInfo *header, const DicomKeyImage *images, guint n)
{
  GByteArray *study = g_byte_array_new(), *all = g_byte_array_new();
  g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

  for (guint i = 0; i < n; i++) {
    const char *uid = images[i].series_instance_uid;
    GByteArray *series, *instances;

    if (!g_hash_table_add(done, (gpointer)uid)) {
      continue;
    }
    series = g_byte_array_new();
    instances = g_byte_array_new();
    for (guint k = i; k < n; k++) {
      if (strcmp(images[k].series_instance_uid, uid) == 0) {
        dicom_put_item(instances, reference_new(&images[k], FALSE));
      }
    }
    dicom_put_sequence(series, 0x00081199, instances); /* ReferencedSOPSequence */
    dicom_put_text(series, 0x0020000e, "UI", uid);
    dicom_put_item(all, series);
  }
  dicom_put_sequence(study, 0x00081115, all); /* ReferencedSeriesSequence */
  dicom_put_text(study, 0x0020000d, "UI", header->study_instance_uid);
  dicom_put_single(to, 0x0040a375, study);
}

/* The tree of TID 2010: the images that the title is about. */
static void
put_images(GByteArray *to, const DicomKeyImage *images, guint n)
{
  GByteArray *content = g_byte_array_new();

  for (guint i = 0; i < n; i++) {
    GByteArray *item = g_byte_array_new();

    dicom_put_single(item, 0x00081199, reference_new(&images[i], TRUE));
    dicom_put_text(item, 0x0040a010, "CS", "CONTAINS");
    dicom_put_text(item, 0x0040a040, "CS", "IMAGE");
    dicom_put_item(content, item);
  }
  dicom_put_sequence(to, 0x0040a730, content);
}

/* SR Document Content (PS3.3 C.17.3), with the evidence among it: tags are in order. */
static void
put_document(GByteArray *to, const DicomInfo *header, const DicomKeyImage *images, guint n)
{
  static const DicomCode title = {"113000", "DCM", "Of Interest"};
  GByteArray *template = g_byte_array_new();

  dicom_put_text(to, 0x0040a040, "CS", "CONTAINER");
  dicom_put_code(to, 0x0040a043, &title);
  dicom_put_text(to, 0x0040a050, "CS", "SEPARATE");
  put_evidence(to, header, images, n);
  dicom_put_text(template, 0x00080105, "CS", "DCMR");
  dicom_put_text(template, 0x0040db00, "CS", "2010");
  dicom_put_single(to, 0x0040a504, template);
  put_images(to, images, n);
}

/* ---- the file ------------------------------------------------------------------------------ */

static GByteArray *
data_set_new(const DicomInfo *header, const char *uid, const DicomKeyImage *images, guint n)
{
  GByteArray *set = g_byte_array_new();
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autofree char *date = g_date_time_format(now, "%Y%m%d");
  g_autofree char *time = g_date_time_format(now, "%H%M%S");
  g_autofree char *series = dicom_uid_new();

  dicom_put_text(set, 0x00080005, "CS", "ISO_IR 192");
  dicom_put_text(set, 0x00080016, "UI", KEY_OBJECT_STORAGE);
  dicom_put_text(set, 0x00080018, "UI", uid);
  dicom_put_text(set, 0x00080020, "DA", dicom_put_date(header->study_date));
  dicom_put_text(set, 0x00080023, "DA", date);
  dicom_put_text(set, 0x00080030, "TM", dicom_put_time(header->study_time));
  dicom_put_text(set, 0x00080033, "TM", time);
  dicom_put_text(set, 0x00080050, "SH", header->accession_number);
  dicom_put_text(set, 0x00080060, "CS", "KO");
  dicom_put_text(set, 0x00080070, "LO", "Hilum");
  dicom_put_text(set, 0x00080090, "PN", "");
  dicom_put_text(set, 0x00081030, "LO", header->study_description);
  dicom_put_text(set, 0x0008103e, "LO", "Key images");
  dicom_put_sequence(set, 0x00081111,
                     g_byte_array_new()); /* ReferencedPerformedProcedureStepSequence */
  dicom_put_text(set, 0x00100010, "PN", header->patient_name);
  dicom_put_text(set, 0x00100020, "LO", header->patient_id);
  dicom_put_text(set, 0x00100030, "DA", dicom_put_date(header->patient_birth_date));
  dicom_put_text(set, 0x00100040, "CS", dicom_put_sex(header->patient_sex));
  dicom_put_text(set, 0x0020000d, "UI", header->study_instance_uid);
  dicom_put_text(set, 0x0020000e, "UI", series);
  dicom_put_text(set, 0x00200010, "SH", header->study_id);
  dicom_put_text(set, 0x00200011, "IS", "9000"); /* behind what the scanner made */
  dicom_put_text(set, 0x00200013, "IS", "1");
  put_document(set, header, images, n);
  return set;
}

static gboolean
is_complete(const char *path, const DicomInfo *header, const DicomKeyImage *images, guint n,
            GError **error)
{
  const char *missing = n == 0                         ? "an image"
                        : !*header->study_instance_uid ? "StudyInstanceUID"
                                                       : NULL;

  for (guint i = 0; i < n && !missing; i++) {
    missing = !*images[i].sop_class             ? "SOPClassUID"
              : !*images[i].sop_instance_uid    ? "SOPInstanceUID"
              : !*images[i].series_instance_uid ? "SeriesInstanceUID"
                                                : NULL;
  }
  if (missing) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: a key object cannot be made: %s is missing", name, missing);
  }
  return !missing;
}

gboolean
dicom_key_object_write(const char *path, const DicomInfo *header, const DicomKeyImage *images,
                       guint n, GError **error)
{
  g_autofree char *uid = dicom_uid_new();
  g_autoptr(GByteArray) set = NULL;

  if (!is_complete(path, header, images, n, error)) {
    return FALSE;
  }
  set = data_set_new(header, uid, images, n);
  return dicom_put_file(path, KEY_OBJECT_STORAGE, uid, set, error);
}
