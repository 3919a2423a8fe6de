// attributes.cc - values of data elements as plain C.
#include "internal.h"

#include <dcmtk/dcmdata/dcspchrs.h>

#include <cmath>

static DcmElement *
find(const DicomItem *item, guint32 tag)
{
  DcmElement *element = nullptr;

  if (unwrap(item)->findAndGetElement(key(tag), element).bad()) {
    return nullptr;
  }
  return element;
}

gboolean
dicom_item_has(const DicomItem *item, guint32 tag)
{
  try {
    DcmElement *element = find(item, tag);

    return element && !element->isEmpty();
  } catch (...) {
    return FALSE;
  }
}

// One run of Japanese text: two-byte codes after the ESCAPE that chose them, or single bytes
// (ISO_IR 13 is the single-byte part of Shift-JIS). Illegible bytes stay for g_utf8_make_valid().
static void
append_japanese(std::string *out, const std::string &escape, const std::string &run)
{
  const std::string whole = escape.empty() ? run : escape + run + "\033(B";
  char *text = g_convert(whole.data(), static_cast<gssize>(whole.size()), "UTF-8",
                         escape.empty() ? "CP932" : "ISO-2022-JP-2", nullptr, nullptr, nullptr);

  *out += text ? text : run;
  g_free(text);
}

// Japanese by escape sequences (PS3.5 clause 6.1.2.5 and annex H): the C library's converter, which
// DCMTK was built with, does not know these sets by the names that DCMTK gives them.
static std::string
from_japanese(const std::string &raw)
{
  std::string out, escape;
  size_t at = 0;

  while (at < raw.size()) {
    const size_t next = raw.find('\033', at);
    const size_t end = next == std::string::npos ? raw.size() : next;

    append_japanese(&out, escape, raw.substr(at, end - at));
    if (next == std::string::npos) {
      break;
    }
    // ESC $ B and ESC $ ( D choose two-byte sets, any other sequence here has three bytes.
    const bool wide = raw.compare(next, 2, "\033$") == 0;
    const size_t length = raw.compare(next, 3, "\033$(") == 0 ? 4 : 3;
    escape = wide ? raw.substr(next, length) : "";
    at = next + length;
  }
  return out;
}

// To UTF-8 by the data set's SpecificCharacterSet. A text that does not fit its declared character
// set is kept as far as it is legible, because a wrong letter is no reason to refuse an image.
static char *
to_utf8(DcmItem *item, const OFString &raw)
{
  if (g_str_is_ascii(raw.c_str()) && raw.find('\033') == OFString_npos) {
    return g_strdup(raw.c_str());
  }
  DcmSpecificCharacterSet converter;
  DcmItem *root = item->getRootItem();
  OFString out, charset;

  if (root && converter.selectCharacterSet(*root).good() &&
      converter.convertString(raw, out, "\\^=").good()) {
    return g_utf8_make_valid(out.c_str(), -1);
  }
  if (root && root->findAndGetOFStringArray(DCM_SpecificCharacterSet, charset).good() &&
      (charset.find("IR 87") != OFString_npos || charset.find("IR 13") != OFString_npos ||
       charset.find("IR 159") != OFString_npos)) {
    return g_utf8_make_valid(from_japanese(raw.c_str()).c_str(), -1);
  }
  return g_utf8_make_valid(raw.c_str(), -1);
}

char *
dicom_item_text(const DicomItem *item, guint32 tag)
{
  try {
    DcmElement *element = find(item, tag);
    OFString raw;

    if (element && element->getOFStringArray(raw).good()) {
      char *text = to_utf8(unwrap(item), raw);

      return g_strstrip(text);
    }
  } catch (...) {
    // As if absent: text is never needed to show a picture.
  }
  return g_strdup("");
}

// A decimal string must be a number from end to end: "1A" is not 1.
static bool
parse_number(const OFString &text, double *value)
{
  char *end = nullptr;
  const char *begin = text.c_str();

  *value = g_ascii_strtod(begin, &end);
  if (end == begin) {
    return false;
  }
  while (g_ascii_isspace(*end)) {
    end++;
  }
  return *end == '\0' && std::isfinite(*value);
}

static bool
get_number(DcmElement *element, guint index, double *value)
{
  OFCondition status = EC_IllegalCall;
  Uint16 us = 0;
  Sint16 ss = 0;
  Uint32 ul = 0;
  Sint32 sl = 0;
  Float32 fl = 0;
  Float64 fd = 0;

  switch (element->ident()) {
  case EVR_US:
  case EVR_xs:
    status = element->getUint16(us, index);
    *value = us;
    break;
  case EVR_SS:
    status = element->getSint16(ss, index);
    *value = ss;
    break;
  case EVR_UL:
  case EVR_up:
    status = element->getUint32(ul, index);
    *value = ul;
    break;
  case EVR_SL:
    status = element->getSint32(sl, index);
    *value = sl;
    break;
  case EVR_FL:
    status = element->getFloat32(fl, index);
    *value = static_cast<double>(fl);
    break;
  case EVR_FD:
    status = element->getFloat64(fd, index);
    *value = fd;
    break;
  default: {
    OFString text;

    return element->getOFString(text, index).good() && parse_number(text, value);
  }
  }
  return status.good() && std::isfinite(*value);
}

guint
dicom_item_numbers(const DicomItem *item, guint32 tag, double *values, guint max)
{
  guint n = 0;

  try {
    DcmElement *element = find(item, tag);
    const unsigned long vm = element ? element->getVM() : 0;

    while (n < max && n < vm && get_number(element, n, &values[n])) {
      n++;
    }
  } catch (...) {
    // What was read so far is what there is.
  }
  return n;
}

guint16 *
dicom_item_words(const DicomItem *item, guint32 tag, gsize max_words, gsize *n_words)
{
  *n_words = 0;
  try {
    DcmElement *element = find(item, tag);
    const gsize length = element && element->isLeaf() ? element->getLength() : 0;

    if (length < 2 || length / 2 > max_words) {
      return nullptr;
    }
    guint16 *words = g_try_new0(guint16, length / 2);
    if (!words) {
      return nullptr;
    }
    // Elements say their words in the machine's order, whatever the file had.
    if (element
            ->getPartialValue(words, 0, static_cast<Uint32>(length / 2 * 2), nullptr,
                              EBO_LittleEndian)
            .bad()) {
      g_free(words);
      return nullptr;
    }
    *n_words = length / 2;
    for (gsize i = 0; i < *n_words; i++) {
      words[i] = GUINT16_FROM_LE(words[i]);
    }
    return words;
  } catch (...) {
    return nullptr;
  }
}

guint
dicom_item_count(const DicomItem *item, guint32 tag)
{
  try {
    DcmElement *element = find(item, tag);
    DcmSequenceOfItems *sequence = element && element->ident() == EVR_SQ
                                       ? dynamic_cast<DcmSequenceOfItems *>(element)
                                       : nullptr;

    return sequence ? static_cast<guint>(sequence->card()) : 0;
  } catch (...) {
    return 0;
  }
}

const DicomItem *
dicom_item_nested(const DicomItem *item, guint32 tag, guint index)
{
  try {
    if (index >= dicom_item_count(item, tag)) {
      return nullptr;
    }
    DcmSequenceOfItems *sequence = dynamic_cast<DcmSequenceOfItems *>(find(item, tag));
    DcmItem *nested = sequence ? sequence->getItem(index) : nullptr;

    return reinterpret_cast<const DicomItem *>(nested);
  } catch (...) {
    return nullptr;
  }
}
