/* meta.c - PS3.10 clause 7: preamble and file meta information. */
#include "meta.h"

#include "dicom.h"
#include "element.h"

#include <string.h>

/* Copies a UID value, without its padding; nothing when it is no UID (PS3.5 clause 9.1). */
static gboolean
read_uid(DicomSource *source, const DicomElement *element, char out[65])
{
  guint8 bytes[64] = {0};
  gsize n = MIN(element->length, sizeof bytes);

  if (!dicom_source_read(source, element->value, bytes, n)) {
    return FALSE;
  }
  for (gsize i = 0; i < n; i++) {
    if (bytes[i] == '\0' || bytes[i] == ' ') {
      n = i;
    } else if (!g_ascii_isdigit(bytes[i]) && bytes[i] != '.') {
      n = 0;
    }
  }
  memcpy(out, bytes, n);
  out[n] = '\0';
  return TRUE;
}

/* The encoding of a data set without a name for it, from its first element: a value representation
 * in the third pair of bytes means explicit VR; a small even group number tells the byte order. */
static const DicomSyntax *
guess_syntax(DicomSource *source, guint64 offset)
{
  const guint8 *p = dicom_source_peek(source, offset, 8);
  DicomElement element;

  if (!p) {
    return NULL;
  }
  guint little = p[0] | (guint)p[1] << 8, big = p[1] | (guint)p[0] << 8;
  gboolean big_endian = little > 0x00ff && big <= 0x00ff;
  guint group = big_endian ? big : little;
  char vr[3] = {(char)p[4], (char)p[5], '\0'};
  gboolean explicit_vr = dicom_vr_is_standard(vr);

  if (group < 2 || group > 0x0050 || group & 1 || (big_endian && !explicit_vr)) {
    return NULL;
  }
  if (!dicom_element_read(source, offset, explicit_vr, big_endian, &element)) {
    return NULL;
  }
  if (element.length != DICOM_UNDEFINED && element.length > source->size - element.value) {
    return NULL;
  }
  return dicom_syntax_find(big_endian    ? DICOM_SYNTAX_BIG_ENDIAN
                           : explicit_vr ? DICOM_SYNTAX_EXPLICIT
                                         : DICOM_SYNTAX_IMPLICIT);
}

static gboolean
read_group_2(DicomSource *source, const char *name, DicomMeta *meta, GError **error)
{
  guint64 offset = meta->data_start;
  DicomElement element;

  while (dicom_element_read(source, offset, TRUE, FALSE, &element) && element.tag >> 16 == 0x0002) {
    if (element.length > source->size - element.value) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                  "%s: meta element (0002,%04X) is said to be %u bytes long, but the file has only "
                  "%" G_GUINT64_FORMAT " left",
                  name, element.tag & 0xffff, element.length, source->size - element.value);
      return FALSE;
    }
    if ((element.tag == 0x00020010 && !read_uid(source, &element, meta->syntax_uid)) ||
        (element.tag == 0x00020002 && !read_uid(source, &element, meta->media_sop_class))) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be read", name);
      return FALSE;
    }
    meta->has_meta = TRUE;
    offset = element.value + element.length;
  }
  meta->data_start = offset;
  return TRUE;
}

/* Believes the first element more than the transfer syntax: objects that were converted without
 * their meta information are common. */
static void
find_encoding(DicomSource *source, DicomMeta *meta)
{
  const DicomSyntax *declared = meta->syntax, *seen = guess_syntax(source, meta->data_start);
  DicomElement element;

  meta->damage = "";
  if (declared) {
    meta->explicit_vr = declared->explicit_vr;
    meta->big_endian = declared->big_endian;
    meta->deflated = declared->deflated;
  }
  if (!seen || (declared && !declared->deflated && declared->explicit_vr == seen->explicit_vr &&
                declared->big_endian == seen->big_endian)) {
    return;
  }
  /* Two elements in a row are no accident, of deflated bytes either. */
  if (dicom_element_read(source, meta->data_start, seen->explicit_vr, seen->big_endian, &element) &&
      (element.length == DICOM_UNDEFINED ||
       dicom_element_plausible(source, element.value + element.length, seen->explicit_vr,
                               seen->big_endian))) {
    meta->explicit_vr = seen->explicit_vr;
    meta->big_endian = seen->big_endian;
    meta->deflated = FALSE;
    meta->damage =
        declared ? "the data set is not encoded as TransferSyntaxUID (0002,0010) says" : "";
  }
}

gboolean
dicom_meta_read(DicomSource *source, const char *name, DicomMeta *meta, GError **error)
{
  const guint8 *magic = dicom_source_peek(source, 128, 4);

  memset(meta, 0, sizeof *meta);
  if (magic && memcmp(magic, "DICM", 4) == 0) {
    meta->has_preamble = TRUE;
    meta->data_start = 132;
  }
  const guint8 *first = dicom_source_peek(source, meta->data_start, 8);
  if (first && first[0] == 2 && first[1] == 0) {
    if (!read_group_2(source, name, meta, error)) {
      return FALSE;
    }
  }
  if (meta->syntax_uid[0]) {
    meta->syntax = dicom_syntax_find(meta->syntax_uid);
    find_encoding(source, meta);
    return TRUE;
  }
  meta->syntax = guess_syntax(source, meta->data_start);
  if (meta->syntax) {
    find_encoding(source, meta);
    if (meta->has_preamble) {
      meta->damage = "TransferSyntaxUID (0002,0010) is missing, or no UID";
    }
    return TRUE;
  }
  if (meta->has_preamble || meta->has_meta) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: no TransferSyntaxUID (0002,0010), and no data element was found at byte "
                "%" G_GUINT64_FORMAT,
                name, meta->data_start);
  } else {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_FORMAT, "%s: is %s", name,
                source->size == 0 ? "empty" : "neither DICOM, JPEG nor PNG");
  }
  return FALSE;
}
