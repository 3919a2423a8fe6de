/* dataset-value.c - values of the elements of a data set (PS3.5 clause 6). */
#include "dataset-tree.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

#define VR(a, b) ((guint)(guint8)(a) << 8 | (guint8)(b))

/* ---- finding -----------------------------------------------------------------------------------
 */

const DicomItem *
dicom_dataset_root(const DicomDataset *dataset)
{
  return &dataset->items[dataset->n_items - 1];
}

DicomSource *
dicom_dataset_source(const DicomDataset *dataset)
{
  return dataset->inflated ? dataset->inflated : dataset->source;
}

const char *
dicom_dataset_damage(const DicomDataset *dataset)
{
  return dataset->damage->str;
}

guint
dicom_item_n_elements(const DicomItem *item)
{
  return item->n;
}

gboolean
dicom_item_element(const DicomItem *item, guint index, DicomElementInfo *info)
{
  if (index >= item->n) {
    return FALSE;
  }
  const DicomNode *node = &item->dataset->nodes[item->first + index];
  *info = (DicomElementInfo){.tag = node->tag,
                             .length = node->length,
                             .vr = {node->vr[0], node->vr[1], '\0'},
                             .header = node->value - node->header,
                             .value = node->value,
                             .end = node->end,
                             .is_sequence = (node->flags & DICOM_NODE_SEQUENCE) != 0,
                             .is_fragments = (node->flags & DICOM_NODE_FRAGMENTS) != 0,
                             .explicit_vr = (node->flags & DICOM_NODE_EXPLICIT) != 0,
                             .big_endian = (node->flags & DICOM_NODE_BIG_ENDIAN) != 0,
                             .n_items = node->n_items};
  return TRUE;
}

const DicomItem *
dicom_item_element_item(const DicomItem *item, guint index, guint item_index)
{
  const DicomNode *node = index < item->n ? &item->dataset->nodes[item->first + index] : NULL;

  return node && item_index < node->n_items ? &item->dataset->items[node->first_item + item_index]
                                            : NULL;
}

guint
dicom_item_count(const DicomItem *item, guint32 tag)
{
  const DicomNode *node = dicom_item_find(item, tag);

  return node ? node->n_items : 0;
}

const DicomItem *
dicom_item_nested(const DicomItem *item, guint32 tag, guint index)
{
  const DicomNode *node = dicom_item_find(item, tag);

  return node && index < node->n_items ? &item->dataset->items[node->first_item + index] : NULL;
}

/* ---- what a value is ---------------------------------------------------------------------------
 */

/* The value representation, by the file or by what the tag stands for; zero: text. */
static guint
vr_of(const DicomNode *node)
{
  gboolean known =
      node->vr[0] && !(node->flags & DICOM_NODE_ODD) && !(node->vr[0] == 'U' && node->vr[1] == 'N');
  const char *vr = known ? node->vr : dicom_vr_of_tag(node->tag);

  return vr[0] ? VR(vr[0], vr[1]) : 0;
}

/* Bytes of one number, 0 when the value is text. */
static guint
number_bytes(guint vr)
{
  switch (vr) {
  case VR('U', 'S'):
  case VR('S', 'S'):
  case VR('O', 'W'):
    return 2;
  case VR('U', 'L'):
  case VR('S', 'L'):
  case VR('F', 'L'):
  case VR('A', 'T'):
  case VR('O', 'F'):
  case VR('O', 'L'):
    return 4;
  case VR('F', 'D'):
  case VR('U', 'V'):
  case VR('S', 'V'):
  case VR('O', 'D'):
  case VR('O', 'V'):
    return 8;
  case VR('O', 'B'):
    return 1;
  default:
    return 0;
  }
}

/* A sequence that came as UN is little-endian inside, and so is a value that came as UN. */
static gboolean
is_big_endian(const DicomNode *node)
{
  return (node->flags & DICOM_NODE_BIG_ENDIAN) && !(node->vr[0] == 'U' && node->vr[1] == 'N');
}

/* At most MOST bytes of the value; *OWNED is to be freed. NULL when there is none. */
static const guint8 *
value_bytes(const DicomItem *item, const DicomNode *node, gsize most, gsize *n, guint8 **owned)
{
  DicomSource *source = dicom_dataset_source(item->dataset);
  guint64 length = node->end - node->value;

  *owned = NULL;
  *n = 0;
  if (node->flags & (DICOM_NODE_SEQUENCE | DICOM_NODE_FRAGMENTS) || length == 0) {
    return NULL;
  }
  *n = (gsize)MIN(length, most);
  if (*n <= 1024) {
    return dicom_source_peek(source, node->value, *n);
  }
  *owned = g_try_malloc(*n);
  if (*owned && dicom_source_read(source, node->value, *owned, *n)) {
    return *owned;
  }
  g_clear_pointer(owned, g_free);
  *n = 0;
  return NULL;
}

static gboolean
is_padding(char c)
{
  return c == ' ' || c == '\0';
}

gboolean
dicom_item_has(const DicomItem *item, guint32 tag)
{
  const DicomNode *node = dicom_item_find(item, tag);
  g_autofree guint8 *owned = NULL;
  gsize n;

  if (!node) {
    return FALSE;
  }
  if (node->flags & (DICOM_NODE_SEQUENCE | DICOM_NODE_FRAGMENTS)) {
    return node->n_items > 0 || node->flags & DICOM_NODE_FRAGMENTS;
  }
  if (number_bytes(vr_of(node)) > 0 || node->end - node->value > 64) {
    return node->end > node->value;
  }
  /* Text of nothing but padding says nothing. */
  const guint8 *bytes = value_bytes(item, node, 64, &n, &owned);
  for (gsize i = 0; bytes && i < n; i++) {
    if (!is_padding((char)bytes[i])) {
      return TRUE;
    }
  }
  return FALSE;
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

static guint64
read_word(const guint8 *p, guint bytes, gboolean big_endian)
{
  guint64 value = 0;

  for (guint i = 0; i < bytes; i++) {
    value |= (guint64)p[big_endian ? bytes - 1 - i : i] << (8 * i);
  }
  return value;
}

static double
read_number(const guint8 *p, guint vr, gboolean big_endian)
{
  guint64 word = read_word(p, number_bytes(vr), big_endian);
  guint32 half = (guint32)word;
  float single;
  double result;

  switch (vr) {
  case VR('S', 'S'):
    return (gint16)(guint16)word;
  case VR('S', 'L'):
    return (gint32)half;
  case VR('S', 'V'):
    return (double)(gint64)word;
  case VR('F', 'L'):
  case VR('O', 'F'):
    memcpy(&single, &half, sizeof single);
    return (double)single;
  case VR('F', 'D'):
  case VR('O', 'D'):
    memcpy(&result, &word, sizeof result);
    return result;
  default:
    return (double)word;
  }
}

/* A decimal string must be a number from end to end: "1A" is not 1 (PS3.5 table 6.2-1, DS). */
static gboolean
parse_decimal(const char *text, gsize n, double *value)
{
  char buffer[64], *end;

  while (n > 0 && (is_padding(*text) || g_ascii_isspace(*text))) {
    text++;
    n--;
  }
  while (n > 0 && (is_padding(text[n - 1]) || g_ascii_isspace(text[n - 1]))) {
    n--;
  }
  /* strtod() would take "inf", "nan" and "0x10" too, and more digits than anybody needs. */
  if (n == 0 || n >= sizeof buffer || strspn(text, "+-.0123456789eE") < n) {
    return FALSE;
  }
  memcpy(buffer, text, n);
  buffer[n] = '\0';
  double number = g_ascii_strtod(buffer, &end);
  if (*end != '\0' || end == buffer || !isfinite(number)) {
    return FALSE;
  }
  *value = number;
  return TRUE;
}

static guint
parse_decimals(const char *text, gsize n, double *values, guint max)
{
  guint count = 0;

  while (count < max) {
    const char *slash = memchr(text, '\\', n);
    gsize length = slash ? (gsize)(slash - text) : n;

    if (!parse_decimal(text, length, &values[count])) {
      break;
    }
    count++;
    if (!slash) {
      break;
    }
    text += length + 1;
    n -= length + 1;
  }
  return count;
}

guint
dicom_item_numbers(const DicomItem *item, guint32 tag, double *values, guint max)
{
  const DicomNode *node = dicom_item_find(item, tag);
  const guint vr = node ? vr_of(node) : 0, bytes = number_bytes(vr);
  g_autofree guint8 *owned = NULL;
  guint count = 0;
  gsize n;

  if (!node) {
    return 0;
  }
  const guint8 *p =
      value_bytes(item, node, bytes > 0 ? (gsize)bytes * max : DICOM_MAX_TEXT, &n, &owned);
  if (!p) {
    return 0;
  }
  if (bytes == 0) {
    return parse_decimals((const char *)p, n, values, max);
  }
  while (count < max && (gsize)(count + 1) * bytes <= n) {
    double value = read_number(p + (gsize)count * bytes, vr, is_big_endian(node));

    if (!isfinite(value)) {
      break;
    }
    values[count++] = value;
  }
  return count;
}

/* ---- text --------------------------------------------------------------------------------------
 */

static char *
numbers_as_text(const guint8 *p, gsize n, guint vr, gboolean big_endian)
{
  guint bytes = number_bytes(vr);
  g_autoptr(GString) text = g_string_new(NULL);

  for (gsize i = 0; i + bytes <= n; i += bytes) {
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    guint64 word = read_word(p + i, bytes, big_endian);

    if (i > 0) {
      g_string_append_c(text, '\\');
    }
    if (vr == VR('A', 'T')) { /* two words, each in the file's byte order */
      guint group = (guint)read_word(p + i, 2, big_endian);
      guint element = (guint)read_word(p + i + 2, 2, big_endian);

      g_string_append_printf(text, "(%04X,%04X)", group, element);
    } else if (vr == VR('U', 'V')) {
      g_string_append_printf(text, "%" G_GUINT64_FORMAT, word);
    } else if (vr == VR('S', 'V')) {
      g_string_append_printf(text, "%" G_GINT64_FORMAT, (gint64)word);
    } else {
      const char *format = vr == VR('F', 'L') ? "%.9g" : "%.17g";

      g_string_append(
          text, g_ascii_formatd(buffer, sizeof buffer, format, read_number(p + i, vr, big_endian)));
    }
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The nearest SpecificCharacterSet around (PS3.5 clause 6.1.2.3), as it is in the file. */
static char *
charsets_of(const DicomItem *item)
{
  const DicomDataset *dataset = item->dataset;

  for (;;) {
    const DicomNode *node = dicom_item_find(item, TAG_SpecificCharacterSet);
    g_autofree guint8 *owned = NULL;
    gsize n;
    const guint8 *p = node ? value_bytes(item, node, 256, &n, &owned) : NULL;

    if (p) {
      return g_strndup((const char *)p, n);
    }
    if (&dataset->items[item->parent] == item) {
      return g_strdup("");
    }
    item = &dataset->items[item->parent];
  }
}

/* Cuts padding off both ends, and around the backslashes where these separate values. */
static void
trim_values(char *text, gboolean several)
{
  char *out = text;

  for (char *part = text;;) {
    char *slash = several ? strchr(part, '\\') : NULL, *end = slash ? slash : part + strlen(part);
    char *last = end;

    while (part < last && g_ascii_isspace(*part)) {
      part++;
    }
    while (last > part && g_ascii_isspace(last[-1])) {
      last--;
    }
    memmove(out, part, (gsize)(last - part));
    out += last - part;
    if (!slash) {
      *out = '\0';
      return;
    }
    *out++ = '\\';
    part = end + 1;
  }
}

char *
dicom_item_text(const DicomItem *item, guint32 tag)
{
  const DicomNode *node = dicom_item_find(item, tag);
  g_autofree guint8 *owned = NULL;
  gsize n;

  const guint8 *p = node ? value_bytes(item, node, DICOM_MAX_TEXT, &n, &owned) : NULL;
  if (!p) {
    return g_strdup("");
  }
  guint vr = vr_of(node);
  if (number_bytes(vr) > 0) {
    gboolean bulk = vr >> 8 == 'O';

    return bulk ? g_strdup("") : numbers_as_text(p, n, vr, is_big_endian(node));
  }
  /* The value's bytes are borrowed from a buffer that looking for the character set may change. */
  g_autofree char *raw = g_strndup((const char *)p, n);
  gsize length = strlen(raw);
  gboolean plain = TRUE;
  for (gsize i = 0; i < length && plain; i++) {
    plain = (guint8)raw[i] < 0x80 && raw[i] != 0x1b;
  }
  g_autofree char *text = NULL;
  if (plain) {
    text = g_steal_pointer(&raw);
  } else {
    g_autofree char *charsets = charsets_of(item);

    text = dicom_charset_to_utf8(raw, length, charsets, vr == VR('P', 'N'));
  }
  trim_values(text, vr != VR('L', 'T') && vr != VR('S', 'T') && vr != VR('U', 'T'));
  return g_steal_pointer(&text);
}

/* ---- bytes -------------------------------------------------------------------------------------
 */

guint8 *
dicom_item_bytes(const DicomItem *item, guint32 tag, gsize max, gsize *n)
{
  const DicomNode *node = dicom_item_find(item, tag);
  guint8 *owned = NULL;

  *n = 0;
  if (!node || node->end - node->value > max) {
    return NULL;
  }
  const guint8 *p = value_bytes(item, node, max, n, &owned);
  return owned ? owned : g_memdup2(p, *n);
}

guint16 *
dicom_item_words(const DicomItem *item, guint32 tag, gsize max_words, gsize *n_words)
{
  const DicomNode *node = dicom_item_find(item, tag);
  gsize n;

  *n_words = 0;
  /* A last byte that makes no word is left out. */
  g_autofree guint8 *bytes = node ? dicom_item_bytes(item, tag, max_words * 2 + 1, &n) : NULL;
  if (!bytes || n < 2) {
    return NULL;
  }
  gboolean swapped = is_big_endian(node) && !(node->vr[0] == 'O' && node->vr[1] == 'B');
  guint16 *words = g_try_new(guint16, n / 2);
  if (!words) {
    return NULL;
  }
  for (gsize i = 0; i < n / 2; i++) {
    words[i] = (guint16)read_word(bytes + 2 * i, 2, swapped);
  }
  *n_words = n / 2;
  return words;
}
