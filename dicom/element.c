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

gboolean
dicom_vr_is_standard(const char *vr)
{
  static const char known[] = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ "
                              "SS ST SV TM UC UI UL UN UR US UT UV ";

  for (const char *p = known; *p; p += 3) {
    if (p[0] == vr[0] && p[1] == vr[1]) {
      return TRUE;
    }
  }
  return FALSE;
}

/* Which value representations have a 32-bit length. Unknown ones of two capital letters do too,
 * because every representation added since 1993 does; other letters are taken for broken old ones.
 * DCMTK decides in the same way, and the walk in prescan.c must see what DCMTK will see. */
static gboolean
has_long_length(const char *vr)
{
  static const char long_ones[] = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";

  for (const char *p = long_ones; *p; p += 3) {
    if (p[0] == vr[0] && p[1] == vr[1]) {
      return TRUE;
    }
  }
  return !dicom_vr_is_standard(vr) && g_ascii_isupper(vr[0]) && g_ascii_isupper(vr[1]);
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
  if (!has_long_length(element->vr)) {
    element->length = read16(p + 6, big_endian);
    element->value = offset + 8;
    return TRUE;
  }
  p = dicom_source_peek(source, offset, 12);
  if (!p) {
    return FALSE;
  }
  element->length = read32(p + 8, big_endian);
  element->value = offset + 12;
  return TRUE;
}
