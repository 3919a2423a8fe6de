/* wire.c - structures as bytes and back; see wire.h. */
#include "wire.h"

#include "dicom/limits.h"

#include <math.h>
#include <string.h>

/* One text: a value that the reader keeps whole is far shorter. */
#define MAX_TEXT ((guint32)1 << 20)

typedef struct {
  const guint8 *at;
  gsize left;
} Reader;

/* ---- packing ------------------------------------------------------------------------------ */

static void
put(GByteArray *out, const void *bytes, gsize n)
{
  g_byte_array_append(out, bytes, (guint)n);
}

static void
put_u32(GByteArray *out, guint32 value)
{
  put(out, &value, sizeof value);
}

static void
put_text(GByteArray *out, const char *text)
{
  gsize n = text ? MIN(strlen(text), MAX_TEXT) : 0;

  put_u32(out, (guint32)n);
  if (n > 0) {
    put(out, text, n);
  }
}

static void
put_lut(GByteArray *out, const DicomLut *lut)
{
  put_u32(out, lut ? lut->n : 0);
  if (lut) {
    put(out, &lut->first, sizeof lut->first);
    put_u32(out, lut->bits);
    put(out, lut->data, (gsize)lut->n * sizeof *lut->data);
  }
}

static void put_fields(GByteArray *out, const WireLayout *layout, const guint8 *object);

static void
put_array(GByteArray *out, const WireField *field, const void *slot)
{
  const GArray *array = *(GArray *const *)slot;
  const GPtrArray *pointers = *(GPtrArray *const *)slot;
  guint n = !array                                                  ? 0
            : field->type == WIRE_TEXTS || field->type == WIRE_LUTS ? pointers->len
                                                                    : array->len;

  put_u32(out, n);
  for (guint i = 0; i < n; i++) {
    switch (field->type) {
    case WIRE_TEXTS:
      put_text(out, pointers->pdata[i]);
      break;
    case WIRE_LUTS:
      put_lut(out, pointers->pdata[i]);
      break;
    case WIRE_NUMBERS:
      put(out, &g_array_index(array, double, i), sizeof(double));
      break;
    default:
      put_fields(out, field->of, (const guint8 *)array->data + i * field->of->size);
      break;
    }
  }
}

static void
put_fields(GByteArray *out, const WireLayout *layout, const guint8 *object)
{
  for (guint i = 0; i < layout->n_fields; i++) {
    const WireField *field = &layout->fields[i];
    const void *slot = object + field->offset;

    switch (field->type) {
    case WIRE_BOOL:
    case WIRE_UINT:
    case WIRE_INT:
      put(out, slot, sizeof(guint32));
      break;
    case WIRE_DOUBLE:
      put(out, slot, field->max * sizeof(double));
      break;
    case WIRE_TEXT:
    case WIRE_PATH:
      put_text(out, *(char *const *)slot);
      break;
    case WIRE_LUT:
      put_lut(out, *(DicomLut *const *)slot);
      break;
    default:
      put_array(out, field, slot);
      break;
    }
  }
}

GBytes *
dicom_wire_pack(const WireLayout *layout, const void *object)
{
  GByteArray *out = g_byte_array_sized_new(1024);

  G_STATIC_ASSERT(sizeof(DicomKind) == 4 && sizeof(gboolean) == 4 && sizeof(guint) == 4);
  put_fields(out, layout, object);
  return g_byte_array_free_to_bytes(out);
}

/* ---- unpacking ---------------------------------------------------------------------------- */

static gboolean
take(Reader *in, void *out, gsize n)
{
  if (n > in->left) {
    return FALSE;
  }
  memcpy(out, in->at, n);
  in->at += n;
  in->left -= n;
  return TRUE;
}

static gboolean
take_u32(Reader *in, guint32 max, guint32 *value)
{
  return take(in, value, sizeof *value) && *value <= max;
}

static gboolean
take_doubles(Reader *in, double *values, guint n)
{
  if (!take(in, values, n * sizeof *values)) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (!isfinite(values[i])) {
      values[i] = 0;
      return FALSE;
    }
  }
  return TRUE;
}

/* NULL: not there, or not what the field holds. */
static char *
take_text(Reader *in, gboolean any_bytes)
{
  const char *start;
  guint32 n;

  if (!take_u32(in, MAX_TEXT, &n) || n > in->left) {
    return NULL;
  }
  start = (const char *)in->at;
  in->at += n;
  in->left -= n;
  if (any_bytes ? memchr(start, 0, n) != NULL : !g_utf8_validate_len(start, n, NULL)) {
    return NULL;
  }
  return g_strndup(start, n);
}

/* FALSE: broken. A table of no entries is none. */
static gboolean
take_lut(Reader *in, DicomLut **out)
{
  DicomLut lut = {0};

  if (!take_u32(in, DICOM_MAX_LUT_WORDS, &lut.n)) {
    return FALSE;
  }
  if (lut.n == 0) {
    return TRUE;
  }
  /* PS3.3 C.11.1.1.1: the first input is a signed or unsigned word, outputs have up to 16 bits. */
  if (!take(in, &lut.first, sizeof lut.first) || lut.first < G_MININT16 ||
      lut.first > G_MAXUINT16 || !take_u32(in, 16, &lut.bits) || lut.bits == 0 ||
      in->left / sizeof *lut.data < lut.n) {
    return FALSE;
  }
  lut.data = g_new(guint16, lut.n);
  take(in, lut.data, (gsize)lut.n * sizeof *lut.data);
  *out = g_memdup2(&lut, sizeof lut);
  return TRUE;
}

static gboolean take_fields(Reader *in, const WireLayout *layout, guint8 *object,
                            const char **wrong);

static gboolean
take_element(Reader *in, const WireField *field, gpointer array, const char **wrong)
{
  switch (field->type) {
  case WIRE_TEXTS: {
    char *text = take_text(in, FALSE);

    if (text) {
      g_ptr_array_add(array, text);
    }
    return text != NULL;
  }
  case WIRE_LUTS: {
    DicomLut *lut = NULL;

    if (take_lut(in, &lut) && lut) {
      g_ptr_array_add(array, lut);
    }
    return lut != NULL;
  }
  case WIRE_NUMBERS: {
    double number;

    if (!take_doubles(in, &number, 1)) {
      return FALSE;
    }
    g_array_append_val((GArray *)array, number);
    return TRUE;
  }
  default: {
    GArray *items = array;

    g_array_set_size(items, items->len + 1); /* zeros */
    return take_fields(in, field->of, (guint8 *)items->data + (items->len - 1) * field->of->size,
                       wrong);
  }
  }
}

static gboolean
take_array(Reader *in, const WireField *field, void *slot, const char **wrong)
{
  guint32 n;

  /* Every element takes four bytes or more, so that a lie about N costs no memory. */
  if (!take_u32(in, field->max, &n) || n > in->left / 4) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (!take_element(in, field, *(gpointer *)slot, wrong)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
take_string(Reader *in, const WireField *field, char **slot)
{
  char *text = take_text(in, field->type == WIRE_PATH);

  if (text) {
    g_free(*slot);
    *slot = text;
  }
  return text != NULL;
}

static gboolean
take_field(Reader *in, const WireField *field, void *slot, const char **wrong)
{
  switch (field->type) {
  case WIRE_BOOL:
  case WIRE_UINT: {
    guint32 value;

    if (!take_u32(in, field->type == WIRE_BOOL ? 1 : field->max, &value)) {
      return FALSE;
    }
    memcpy(slot, &value, sizeof value);
    return TRUE;
  }
  case WIRE_INT:
    return take(in, slot, sizeof(gint));
  case WIRE_DOUBLE:
    return take_doubles(in, slot, field->max);
  case WIRE_TEXT:
  case WIRE_PATH:
    return take_string(in, field, slot);
  case WIRE_LUT:
    return take_lut(in, slot);
  default:
    return take_array(in, field, slot, wrong);
  }
}

static gboolean
take_fields(Reader *in, const WireLayout *layout, guint8 *object, const char **wrong)
{
  for (guint i = 0; i < layout->n_fields; i++) {
    const WireField *field = &layout->fields[i];

    if (!take_field(in, field, object + field->offset, wrong)) {
      *wrong = *wrong ? *wrong : field->name;
      return FALSE;
    }
  }
  return TRUE;
}

static void
make_empty(const WireLayout *layout, guint8 *object)
{
  for (guint i = 0; i < layout->n_fields; i++) {
    const WireField *field = &layout->fields[i];
    void *slot = object + field->offset;

    switch (field->type) {
    case WIRE_TEXT:
    case WIRE_PATH:
      *(char **)slot = g_strdup("");
      break;
    case WIRE_TEXTS:
      *(GPtrArray **)slot = g_ptr_array_new_with_free_func(g_free);
      break;
    case WIRE_LUTS:
      *(GPtrArray **)slot = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_lut_free);
      break;
    case WIRE_NUMBERS:
      *(GArray **)slot = g_array_new(FALSE, TRUE, sizeof(double));
      break;
    case WIRE_ITEMS:
      *(GArray **)slot = g_array_new(FALSE, TRUE, (guint)field->of->size);
      break;
    default:
      break;
    }
  }
}

gboolean
dicom_wire_unpack(const WireLayout *layout, void *object, const guint8 *bytes, gsize n,
                  GError **error)
{
  Reader in = {bytes, n};
  const char *wrong = NULL;

  make_empty(layout, object);
  if (!take_fields(&in, layout, object, &wrong)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                "the decoding process answered nonsense: %s of the %s cannot be", wrong,
                layout->name);
    return FALSE;
  }
  if (in.left > 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                "the decoding process answered nonsense: %" G_GSIZE_FORMAT
                " bytes follow the %s, expected none",
                in.left, layout->name);
    return FALSE;
  }
  return TRUE;
}

/* ---- checking ----------------------------------------------------------------------------- */

static gboolean
are_finite(const double *values, guint n)
{
  for (guint i = 0; i < n; i++) {
    if (!isfinite(values[i])) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
is_text(const char *text, WireType type)
{
  return text && strlen(text) <= MAX_TEXT && (type == WIRE_PATH || g_utf8_validate(text, -1, NULL));
}

static gboolean
is_lut(const DicomLut *lut)
{
  return lut->data && lut->n > 0 && lut->n <= DICOM_MAX_LUT_WORDS && lut->first >= G_MININT16 &&
         lut->first <= G_MAXUINT16 && lut->bits > 0 && lut->bits <= 16;
}

static gboolean
check_array(const WireField *field, const void *slot, const char **wrong)
{
  const GArray *array = *(GArray *const *)slot;
  const GPtrArray *pointers = *(GPtrArray *const *)slot;

  if (!array) {
    return TRUE;
  }
  if (field->type == WIRE_NUMBERS) {
    return array->len <= field->max &&
           are_finite((const double *)(gpointer)array->data, array->len);
  }
  if (field->type == WIRE_ITEMS) {
    gboolean ok = array->len <= field->max;

    for (guint i = 0; ok && i < array->len; i++) {
      ok = dicom_wire_check(field->of, array->data + i * field->of->size, wrong);
    }
    return ok;
  }
  for (guint i = 0; i < pointers->len; i++) {
    if (field->type == WIRE_TEXTS ? !is_text(pointers->pdata[i], WIRE_TEXT)
                                  : !is_lut(pointers->pdata[i])) {
      return FALSE;
    }
  }
  return pointers->len <= field->max;
}

static gboolean
check_field(const WireField *field, const void *slot, const char **wrong)
{
  switch (field->type) {
  case WIRE_BOOL:
    return *(const guint *)slot <= 1;
  case WIRE_UINT:
    return *(const guint *)slot <= field->max;
  case WIRE_INT:
    return TRUE;
  case WIRE_DOUBLE:
    return are_finite(slot, field->max);
  case WIRE_TEXT:
  case WIRE_PATH:
    return is_text(*(char *const *)slot, field->type);
  case WIRE_LUT: {
    const DicomLut *lut = *(DicomLut *const *)slot;

    return !lut || is_lut(lut);
  }
  default:
    return check_array(field, slot, wrong);
  }
}

gboolean
dicom_wire_check(const WireLayout *layout, const void *object, const char **field)
{
  *field = NULL;
  for (guint i = 0; i < layout->n_fields; i++) {
    const WireField *f = &layout->fields[i];

    if (!check_field(f, (const guint8 *)object + f->offset, field)) {
      *field = *field ? *field : f->name;
      return FALSE;
    }
  }
  return TRUE;
}
