/* lut.c - lookup tables (PS3.3 C.7.9, C.11.1, C.11.2). */
#include "lut.h"

#include "dicom/limits.h"
#include "dicom/tags.h"

static DicomLut *
fail_lut(const char *name, const char *keyword, const char *what, GError **error)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: %s: %s", name, keyword, what);
  return NULL;
}

/* Number of entries, first mapped value, bits (PS3.3 C.11.1.1.1). */
static gboolean
read_descriptor(const DicomItem *item, guint32 tag, gboolean signed_input, DicomLut *lut)
{
  double values[3];

  if (dicom_item_numbers(item, tag, values, 3) != 3) {
    return FALSE;
  }
  guint16 n = (guint16)(gint32)values[0], first = (guint16)(gint32)values[1];

  lut->n = n == 0 ? 65536 : n;
  lut->first = signed_input ? (gint16)first : first;
  lut->bits = (guint)CLAMP(values[2], 1, 16);
  return TRUE;
}

/* Entries of 8 bits come two to a word or one to a word; the length tells. */
static gboolean
take_entries(DicomLut *lut, const guint16 *words, gsize n_words)
{
  gboolean packed = lut->bits <= 8 && n_words < lut->n && n_words * 2 >= lut->n;
  guint largest = 0;

  if (!packed && n_words < lut->n) {
    return FALSE;
  }
  lut->data = g_new(guint16, lut->n);
  for (guint i = 0; i < lut->n; i++) {
    guint entry = packed ? words[i / 2] >> (i % 2 * 8) & 0xff : words[i];

    lut->data[i] = (guint16)entry;
    largest = MAX(largest, entry);
  }
  while (lut->bits < 16 && largest >> lut->bits) {
    lut->bits++; /* the descriptor says fewer bits than the entries have */
  }
  return TRUE;
}

DicomLut *
dicom_lut_read(const DicomItem *item, const char *keyword, gboolean signed_input, const char *name,
               GError **error)
{
  g_autofree guint16 *words = NULL;
  gsize n_words;
  DicomLut lut = {0};

  if (!read_descriptor(item, TAG_LUTDescriptor, signed_input, &lut)) {
    return fail_lut(name, keyword, "LUTDescriptor needs three numbers", error);
  }
  words = dicom_item_words(item, TAG_LUTData, DICOM_MAX_LUT_WORDS, &n_words);
  if (!words || !take_entries(&lut, words, n_words)) {
    return fail_lut(name, keyword, "LUTData is shorter than LUTDescriptor says", error);
  }
  return g_memdup2(&lut, sizeof lut);
}

/* Segmented palettes (PS3.3 C.7.9.2): runs, lines, and copies of earlier segments. An indirect
 * segment may point at segments only that are not indirect themselves, so there is no recursion. */
typedef struct {
  const guint16 *words;
  gsize n_words;
  gboolean bytes; /* each word holds one byte of an 8-bit table */
  DicomLut *lut;
  guint filled;
} Segments;

static gboolean
put(Segments *s, guint entry)
{
  if (s->filled < s->lut->n) {
    s->lut->data[s->filled++] = (guint16)entry;
    return TRUE;
  }
  return FALSE;
}

/* Expands the segment at *AT and moves on; FALSE when it is broken. */
static gboolean
expand_plain(Segments *s, gsize *at)
{
  if (*at + 2 > s->n_words) {
    return FALSE;
  }
  guint kind = s->words[*at], length = s->words[*at + 1];

  *at += 2;
  if (kind == 0) {
    for (guint i = 0; i < length; i++) {
      if (*at >= s->n_words || !put(s, s->words[(*at)++])) {
        return FALSE;
      }
    }
    return TRUE;
  }
  if (kind != 1 || *at >= s->n_words || s->filled == 0) {
    return FALSE;
  }
  gint from = s->lut->data[s->filled - 1], to = s->words[(*at)++];
  for (guint i = 1; i <= length; i++) {
    /* Rounded division; the operands have 33 bits at most. */
    gint64 step = (gint64)(to - from) * i * 2;

    if (!put(s, (guint)(from + (step + (step < 0 ? -(gint64)length : (gint64)length)) /
                                   (2 * (gint64)length)))) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
expand_segments(Segments *s)
{
  gsize at = 0;

  while (at + 2 <= s->n_words && s->filled < s->lut->n) {
    if (s->words[at] != 2) {
      if (!expand_plain(s, &at)) {
        return FALSE;
      }
      continue;
    }
    /* The offset of the copied segment counts bytes and takes 32 bits, whatever an entry takes. */
    guint width = s->bytes ? 4 : 2;
    gsize from = 0;

    if (at + 2 + width > s->n_words) {
      return FALSE;
    }
    for (guint i = 0; i < width; i++) {
      from |= (gsize)s->words[at + 2 + i] << (s->bytes ? 8 * i : 16 * i);
    }
    from = s->bytes ? from : from / 2;
    guint copies = s->words[at + 1];
    at += 2 + width;
    for (guint i = 0; i < copies; i++) {
      if (from >= s->n_words || !expand_plain(s, &from)) {
        return FALSE;
      }
    }
  }
  return s->filled == s->lut->n;
}

static DicomLut *
read_channel(const DicomItem *root, guint channel, gboolean signed_input, const char *name,
             GError **error)
{
  static const char *keywords[3] = {"RedPaletteColorLookupTable", "GreenPaletteColorLookupTable",
                                    "BluePaletteColorLookupTable"};
  g_autofree guint16 *words = NULL;
  gsize n_words;
  DicomLut lut = {0};

  if (!read_descriptor(root, TAG_RedPaletteDescriptor + channel, signed_input, &lut)) {
    return fail_lut(name, keywords[channel], "the descriptor needs three numbers", error);
  }
  words = dicom_item_words(root, TAG_RedPaletteData + channel, DICOM_MAX_LUT_WORDS, &n_words);
  if (words) {
    if (!take_entries(&lut, words, n_words)) {
      return fail_lut(name, keywords[channel], "the data are shorter than the descriptor says",
                      error);
    }
    return g_memdup2(&lut, sizeof lut);
  }
  words =
      dicom_item_words(root, TAG_SegmentedRedPaletteData + channel, DICOM_MAX_LUT_WORDS, &n_words);
  if (!words) {
    return fail_lut(name, keywords[channel], "the data are missing or too large", error);
  }
  if (lut.bits <= 8) {
    /* The codes of a segmented table are as wide as its entries. */
    guint16 *bytes = g_new(guint16, n_words * 2);

    for (gsize i = 0; i < n_words * 2; i++) {
      bytes[i] = words[i / 2] >> (i % 2 * 8) & 0xff;
    }
    g_free(words);
    words = bytes;
    n_words *= 2;
  }
  lut.data = g_new0(guint16, lut.n);
  Segments segments = {.words = words, .n_words = n_words, .bytes = lut.bits <= 8, .lut = &lut};
  if (!expand_segments(&segments)) {
    g_free(lut.data);
    return fail_lut(name, keywords[channel], "the segmented data are broken", error);
  }
  return g_memdup2(&lut, sizeof lut);
}

gboolean
dicom_palette_read(const DicomItem *root, gboolean signed_input, DicomLut *palette[3],
                   const char *name, GError **error)
{
  guint bits = 8;

  for (guint i = 0; i < 3; i++) {
    palette[i] = read_channel(root, i, signed_input, name, error);
    if (!palette[i]) {
      return FALSE;
    }
    /* Tables that are called 16 bits deep and hold 8 are common. */
    for (guint k = 0; k < palette[i]->n; k++) {
      bits = palette[i]->data[k] > 0xff ? 16 : bits;
    }
  }
  for (guint i = 0; i < 3; i++) {
    palette[i]->bits = bits;
  }
  return TRUE;
}
