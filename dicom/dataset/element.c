/* element.c - one data element header (PS3.5 clause 7.1). */
#include "element.h"

#include <string.h>

static guint16
read16(const guint8 *p, gboolean big_endian)
{
  return (guint16)(big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static guint32
read32(const guint8 *p, gboolean big_endian)
{
  guint32 first = read16(p, big_endian), second = read16(p + 2, big_endian);

  return big_endian ? first << 16 | second : second << 16 | first;
}

/* Bytes of the length field: 2 or 4, 0 for what is not in PS3.5 table 6.2-1. */
static guint
length_bytes(const char *vr)
{
#define VR(a, b) ((guint8)(a) << 8 | (guint8)(b))
  switch (VR(vr[0], vr[1])) {
  case VR('A', 'E'):
  case VR('A', 'S'):
  case VR('A', 'T'):
  case VR('C', 'S'):
  case VR('D', 'A'):
  case VR('D', 'S'):
  case VR('D', 'T'):
  case VR('F', 'D'):
  case VR('F', 'L'):
  case VR('I', 'S'):
  case VR('L', 'O'):
  case VR('L', 'T'):
  case VR('P', 'N'):
  case VR('S', 'H'):
  case VR('S', 'L'):
  case VR('S', 'S'):
  case VR('S', 'T'):
  case VR('T', 'M'):
  case VR('U', 'I'):
  case VR('U', 'L'):
  case VR('U', 'S'):
    return 2;
  case VR('O', 'B'):
  case VR('O', 'D'):
  case VR('O', 'F'):
  case VR('O', 'L'):
  case VR('O', 'V'):
  case VR('O', 'W'):
  case VR('S', 'Q'):
  case VR('S', 'V'):
  case VR('U', 'C'):
  case VR('U', 'N'):
  case VR('U', 'R'):
  case VR('U', 'T'):
  case VR('U', 'V'):
    return 4;
  default:
    return 0;
  }
#undef VR
}

gboolean
dicom_vr_is_standard(const char *vr)
{
  return length_bytes(vr) > 0;
}

gboolean
dicom_element_plausible(DicomSource *source, guint64 offset, gboolean explicit_vr,
                        gboolean big_endian)
{
  const guint8 *p = dicom_source_peek(source, offset, 8);

  if (!p) {
    return offset == source->size;
  }
  guint32 tag = (guint32)read16(p, big_endian) << 16 | read16(p + 2, big_endian);
  guint32 length = read32(p + 4, big_endian);
  guint64 header = 8;
  if (tag >> 16 == 0xfffe) {
    return tag == DICOM_TAG_ITEM || tag == DICOM_TAG_ITEM_END || tag == DICOM_TAG_SEQUENCE_END;
  }
  if (tag >> 16 == 0) {
    return FALSE;
  }
  if (explicit_vr) {
    guint bytes = length_bytes((const char *)p + 4);

    if (bytes == 4) {
      header = 12;
      p = dicom_source_peek(source, offset, 12);
      length = p ? read32(p + 8, big_endian) : 0;
    } else if (bytes == 2) {
      length = read16(p + 6, big_endian);
    }
    if (!p || bytes == 0) {
      return FALSE;
    }
  }
  return length == DICOM_UNDEFINED || length <= source->size - offset - header;
}

/* What may follow an element of an unknown value representation: a sensible element, or another one
 * like it. */
static gboolean
may_follow(DicomSource *source, guint64 offset, const guint8 *head, gboolean big_endian)
{
  if (dicom_element_plausible(source, offset, TRUE, big_endian)) {
    return TRUE;
  }
  const guint8 *p = dicom_source_peek(source, offset, 8);
  return p && p[0] == head[0] && p[1] == head[1] && g_ascii_isupper(p[4]) && g_ascii_isupper(p[5]);
}

/* An unknown value representation: the first of the three forms behind which an element may begin.
 * Those of two capital letters are most likely new ones, which have had long lengths since 1993. */
static gboolean
read_odd(DicomSource *source, guint64 offset, gboolean big_endian, DicomElement *element)
{
  const guint8 *p = dicom_source_peek(source, offset, 8);
  guint8 head[12] = {0};
  gboolean has_long;

  if (!p) {
    return FALSE;
  }
  memcpy(head, p, 8);
  p = dicom_source_peek(source, offset, 12);
  has_long = p != NULL;
  if (p) {
    memcpy(head, p, 12);
  }
  const gboolean capitals = g_ascii_isupper(head[4]) && g_ascii_isupper(head[5]);
  const struct {
    gboolean possible;
    guint32 length;
    guint64 header;
  } forms[3] = {
      {has_long && capitals, read32(head + 8, big_endian), 12},
      {TRUE, read16(head + 6, big_endian), 8},
      {!capitals, read32(head + 4, big_endian), 8},
  };
  guint chosen = forms[0].possible ? 0 : 1;
  for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
    guint64 value = offset + forms[i].header;

    if (forms[i].possible && value <= source->size && forms[i].length <= source->size - value &&
        may_follow(source, value + forms[i].length, head, big_endian)) {
      chosen = i;
      break;
    }
  }
  element->length = forms[chosen].length;
  element->value = offset + forms[chosen].header;
  if (chosen == 2) {
    element->vr[0] = '\0';
  }
  return TRUE;
}

gboolean
dicom_element_read(DicomSource *source, guint64 offset, gboolean explicit_vr, gboolean big_endian,
                   DicomElement *element)
{
  const guint8 *p = dicom_source_peek(source, offset, 8);

  if (!p) {
    return FALSE;
  }
  memset(element, 0, sizeof *element);
  element->tag = (guint32)read16(p, big_endian) << 16 | read16(p + 2, big_endian);
  if (!explicit_vr || element->tag >> 16 == 0xfffe) {
    element->length = read32(p + 4, big_endian);
    element->value = offset + 8;
    return TRUE;
  }
  memcpy(element->vr, p + 4, 2);
  guint bytes = length_bytes(element->vr);
  if (bytes == 2) {
    element->length = read16(p + 6, big_endian);
    element->value = offset + 8;
    return TRUE;
  }
  if (bytes == 0) {
    element->vr_is_odd = TRUE;
    return read_odd(source, offset, big_endian, element);
  }
  p = dicom_source_peek(source, offset, 12);
  if (!p) {
    return FALSE;
  }
  element->length = read32(p + 8, big_endian);
  element->value = offset + 12;
  return TRUE;
}
