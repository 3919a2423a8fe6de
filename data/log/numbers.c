/* numbers.c - see numbers.h. */
#include "numbers.h"

#include <string.h>

static const struct {
  const char *name;
  gsize bytes;
} widths[STORE_N_WIDTHS] = {
    [STORE_I16] = {"i16", 2}, [STORE_I32] = {"i32", 4}, [STORE_F32] = {"f32", 4}};

G_STATIC_ASSERT(sizeof(float) == 4);

const char *
store_numbers_name(StoreWidth width)
{
  return widths[width].name;
}

gsize
store_numbers_bytes(StoreWidth width)
{
  return widths[width].bytes;
}

StoreWidth
store_numbers_width(const gint32 *numbers, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (numbers[i] < G_MININT16 || numbers[i] > G_MAXINT16) {
      return STORE_I32;
    }
  }
  return STORE_I16;
}

/* Room for N more of WIDTH. */
static guint8 *
grow(GByteArray *to, StoreWidth width, gsize n)
{
  const guint before = to->len;

  g_byte_array_set_size(to, before + (guint)(n * widths[width].bytes));
  return to->data + before;
}

void
store_numbers_append(GByteArray *to, StoreWidth width, const gint32 *numbers, gsize n)
{
  guint8 *at = grow(to, width, n);

  for (gsize i = 0; i < n; i++) {
    const gint16 narrow = GINT16_TO_LE((gint16)numbers[i]);
    const gint32 wide = GINT32_TO_LE(numbers[i]);
    memcpy(at + i * widths[width].bytes, width == STORE_I16 ? (const void *)&narrow : &wide,
           widths[width].bytes);
  }
}

void
store_numbers_append_reals(GByteArray *to, const float *numbers, gsize n)
{
  guint8 *at = grow(to, STORE_F32, n);

  for (gsize i = 0; i < n; i++) {
    guint32 bits;
    memcpy(&bits, &numbers[i], sizeof bits);
    bits = GUINT32_TO_LE(bits);
    memcpy(at + i * sizeof bits, &bits, sizeof bits);
  }
}

gint32 *
store_numbers_take(const guint8 *from, StoreWidth width, gsize n)
{
  gint32 *numbers = g_new(gint32, n);

  for (gsize i = 0; i < n; i++) {
    gint16 narrow = 0;
    gint32 wide = 0;
    if (width == STORE_I16) {
      memcpy(&narrow, from + i * sizeof narrow, sizeof narrow);
    } else {
      memcpy(&wide, from + i * sizeof wide, sizeof wide);
    }
    numbers[i] = width == STORE_I16 ? GINT16_FROM_LE(narrow) : GINT32_FROM_LE(wide);
  }
  return numbers;
}

float *
store_numbers_take_reals(const guint8 *from, gsize n)
{
  float *numbers = g_new(float, n);

  for (gsize i = 0; i < n; i++) {
    guint32 bits;
    memcpy(&bits, from + i * sizeof bits, sizeof bits);
    bits = GUINT32_FROM_LE(bits);
    memcpy(&numbers[i], &bits, sizeof bits);
  }
  return numbers;
}
