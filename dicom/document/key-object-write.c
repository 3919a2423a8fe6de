/* key-object-write.c - a Key Object Selection document as a Part 10 file (PS3.3 A.35.4).
 *
 * Explicit VR little endian, all lengths defined: sequences are made from the inside out.
 */
#include "dicom_key_object.h"

#include <string.h>

#define KEY_OBJECT_STORAGE "1.2.840.10008.5.1.4.1.1.88.59"
#define EXPLICIT_LITTLE_ENDIAN "1.2.840.10008.1.2.1"
/* This program as a writer of files (PS3.10 7.1). */
#define IMPLEMENTATION_UID "2.25.261235444999018948144348839455885061829"
/* More frames do not fit a value of IS (PS3.5 7.1.2: 16 bits of length, some of 8 bytes each). */
#define MAX_FRAMES 8000

/* ---- elements ------------------------------------------------------------------------------ */

static void
put_u16(GByteArray *to, guint value)
{
  const guint8 bytes[2] = {(guint8)value, (guint8)(value >> 8)};

  g_byte_array_append(to, bytes, sizeof bytes);
}

static void
put_u32(GByteArray *to, guint32 value)
{
  put_u16(to, value & 0xffff);
  put_u16(to, value >> 16);
}

static void
put_tag(GByteArray *to, guint32 tag)
{
  put_u16(to, tag >> 16);
  put_u16(to, tag & 0xffff);
}

static void
put_text(GByteArray *to, guint32 tag, const char *vr, const char *text)
{
  gsize n = MIN(strlen(text), G_MAXUINT16 - 1);
  const guint8 pad = strcmp(vr, "UI") == 0 ? 0 : ' ';

  put_tag(to, tag);
  g_byte_array_append(to, (const guint8 *)vr, 2);
  put_u16(to, (guint)(n + (n & 1)));
  g_byte_array_append(to, (const guint8 *)text, (guint)n);
  if (n & 1) {
    g_byte_array_append(to, &pad, 1);
  }
}

static void
put_long(GByteArray *to, guint32 tag, const char *vr, const guint8 *bytes, guint n)
{
  put_tag(to, tag);
  g_byte_array_append(to, (const guint8 *)vr, 2);
  put_u16(to, 0);
  put_u32(to, n);
  if (n > 0) {
    g_byte_array_append(to, bytes, n);
  }
}

/* Takes CONTENT: an item more in ITEMS. */
static void
put_item(GByteArray *items, GByteArray *content)
{
  put_tag(items, 0xfffee000);
  put_u32(items, content->len);
  g_byte_array_append(items, content->data, content->len);
  g_byte_array_unref(content);
}

/* Takes ITEMS. */
static void
put_sequence(GByteArray *to, guint32 tag, GByteArray *items)
{
  put_long(to, tag, "SQ", items->data, items->len);
  g_byte_array_unref(items);
}

/* A sequence of one item; takes CONTENT. */
static void
put_single(GByteArray *to, guint32 tag, GByteArray *content)
{
  GByteArray *items = g_byte_array_new();

  put_item(items, content);
  put_sequence(to, tag, items);
}

/* A code of the scheme DCM (PS3.3 8.8). */
static void
put_code(GByteArray *to, guint32 tag, const char *value, const char *meaning)
{
  GByteArray *code = g_byte_array_new();

  put_text(code, 0x00080100, "SH", value);
  put_text(code, 0x00080102, "SH", "DCM");
  put_text(code, 0x00080104, "LO", meaning);
  put_single(to, tag, code);
}

/* ---- values -------------------------------------------------------------------------------- */

char *
dicom_uid_new(void)
{
  g_autofree char *uuid = g_uuid_string_random();
  char digits[48];
  gsize at = sizeof digits - 1;
  unsigned __int128 rest = 0;

  for (const char *c = uuid; *c; c++) {
    if (g_ascii_isxdigit(*c)) {
      rest = rest << 4 | (unsigned)g_ascii_xdigit_value(*c);
    }
  }
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest > 0);
  return g_strconcat("2.25.", digits + at, NULL);
}

/* What is no date is left out: the attribute may be empty, not wrong. */
static const char *
date_or_none(const char *text)
{
  gsize n = strspn(text, "0123456789");

  return n == 8 && text[n] == '\0' ? text : "";
}

static const char *
time_or_none(const char *text)
{
  gsize n = strspn(text, "0123456789");

  return n >= 2 && n <= 6 && n % 2 == 0 && (text[n] == '\0' || text[n] == '.') ? text : "";
}

static const char *
sex_or_none(const char *text)
{
  return strcmp(text, "M") == 0 || strcmp(text, "F") == 0 || strcmp(text, "O") == 0 ? text : "";
}

/* ---- references ---------------------------------------------------------------------------- */

/* The SOP instance, with its frames in the content tree (PS3.3 table 10-3). */
static GByteArray *
reference_new(const DicomKeyImage *image, gboolean with_frames)
{
  GByteArray *reference = g_byte_array_new();

  put_text(reference, 0x00081150, "UI", image->sop_class);
  put_text(reference, 0x00081155, "UI", image->sop_instance_uid);
  if (with_frames && image->frames && image->n_frames > 0) {
    g_autoptr(GString) frames = g_string_new(NULL);

    for (guint i = 0; i < MIN(image->n_frames, MAX_FRAMES); i++) {
      g_string_append_printf(frames, "%s%u", i > 0 ? "\\" : "", image->frames[i]);
    }
    put_text(reference, 0x00081160, "IS", frames->str);
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
        put_item(instances, reference_new(&images[k], FALSE));
      }
    }
    put_sequence(series, 0x00081199, instances); /* ReferencedSOPSequence */
    put_text(series, 0x0020000e, "UI", uid);
    put_item(all, series);
  }
  put_sequence(study, 0x00081115, all); /* ReferencedSeriesSequence */
  put_text(study, 0x0020000d, "UI", header->study_instance_uid);
  put_single(to, 0x0040a375, study);
}

/* The tree of TID 2010: the images that the title is about. */
static void
put_images(GByteArray *to, const DicomKeyImage *images, guint n)
{
  GByteArray *content = g_byte_array_new();

  for (guint i = 0; i < n; i++) {
    GByteArray *item = g_byte_array_new();

    put_single(item, 0x00081199, reference_new(&images[i], TRUE));
    put_text(item, 0x0040a010, "CS", "CONTAINS");
    put_text(item, 0x0040a040, "CS", "IMAGE");
    put_item(content, item);
  }
  put_sequence(to, 0x0040a730, content);
}

/* SR Document Content (PS3.3 C.17.3), with the evidence among it: tags are in order. */
static void
put_document(GByteArray *to, const DicomInfo *header, const DicomKeyImage *images, guint n)
{
  GByteArray *template = g_byte_array_new();

  put_text(to, 0x0040a040, "CS", "CONTAINER");
  put_code(to, 0x0040a043, "113000", "Of Interest");
  put_text(to, 0x0040a050, "CS", "SEPARATE");
  put_evidence(to, header, images, n);
  put_text(template, 0x00080105, "CS", "DCMR");
  put_text(template, 0x0040db00, "CS", "2010");
  put_single(to, 0x0040a504, template);
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

  put_text(set, 0x00080005, "CS", "ISO_IR 192");
  put_text(set, 0x00080016, "UI", KEY_OBJECT_STORAGE);
  put_text(set, 0x00080018, "UI", uid);
  put_text(set, 0x00080020, "DA", date_or_none(header->study_date));
  put_text(set, 0x00080023, "DA", date);
  put_text(set, 0x00080030, "TM", time_or_none(header->study_time));
  put_text(set, 0x00080033, "TM", time);
  put_text(set, 0x00080050, "SH", header->accession_number);
  put_text(set, 0x00080060, "CS", "KO");
  put_text(set, 0x00080070, "LO", "Hilum");
  put_text(set, 0x00080090, "PN", "");
  put_text(set, 0x00081030, "LO", header->study_description);
  put_text(set, 0x0008103e, "LO", "Key images");
  put_sequence(set, 0x00081111, g_byte_array_new()); /* ReferencedPerformedProcedureStepSequence */
  put_text(set, 0x00100010, "PN", header->patient_name);
  put_text(set, 0x00100020, "LO", header->patient_id);
  put_text(set, 0x00100030, "DA", date_or_none(header->patient_birth_date));
  put_text(set, 0x00100040, "CS", sex_or_none(header->patient_sex));
  put_text(set, 0x0020000d, "UI", header->study_instance_uid);
  put_text(set, 0x0020000e, "UI", series);
  put_text(set, 0x00200010, "SH", header->study_id);
  put_text(set, 0x00200011, "IS", "9000"); /* behind what the scanner made */
  put_text(set, 0x00200013, "IS", "1");
  put_document(set, header, images, n);
  return set;
}

static GByteArray *
meta_new(const char *uid)
{
  static const guint8 version[] = {0, 1};
  GByteArray *meta = g_byte_array_new(), *body = g_byte_array_new();
  guint8 length[4];

  put_long(body, 0x00020001, "OB", version, sizeof version);
  put_text(body, 0x00020002, "UI", KEY_OBJECT_STORAGE);
  put_text(body, 0x00020003, "UI", uid);
  put_text(body, 0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN);
  put_text(body, 0x00020012, "UI", IMPLEMENTATION_UID);
  put_text(body, 0x00020013, "SH", "HILUM");
  for (guint i = 0; i < sizeof length; i++) {
    length[i] = (guint8)(body->len >> (8 * i));
  }
  put_tag(meta, 0x00020000);
  g_byte_array_append(meta, (const guint8 *)"UL", 2);
  put_u16(meta, sizeof length);
  g_byte_array_append(meta, length, sizeof length);
  g_byte_array_append(meta, body->data, body->len);
  g_byte_array_unref(body);
  return meta;
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
  static const guint8 preamble[128] = {0};
  g_autofree char *uid = dicom_uid_new();
  g_autoptr(GByteArray) file = NULL, meta = NULL, set = NULL;

  if (!is_complete(path, header, images, n, error)) {
    return FALSE;
  }
  file = g_byte_array_new();
  meta = meta_new(uid);
  set = data_set_new(header, uid, images, n);
  g_byte_array_append(file, preamble, sizeof preamble);
  g_byte_array_append(file, (const guint8 *)"DICM", 4);
  g_byte_array_append(file, meta->data, meta->len);
  g_byte_array_append(file, set->data, set->len);
  return g_file_set_contents_full(path, (const char *)file->data, file->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0644, error);
}
