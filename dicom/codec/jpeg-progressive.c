/* jpeg-progressive.c - scans of progressive JPEG (T.81 annex G): each brings some coefficients, or
 * one more bit of them. */
#include "jpeg12.h"

static const char *
check_header(const Jpeg12 *jpeg)
{
  const gboolean is_dc = jpeg->first == 0;

  if (jpeg->last > 63 || jpeg->first > jpeg->last || (is_dc && jpeg->last != 0) ||
      (!is_dc && jpeg->n_scan != 1) || jpeg->low > 13 ||
      (jpeg->high != 0 && jpeg->low + 1 != jpeg->high)) {
    return "a progressive scan's coefficients or bits are not what T.81 G.1.1.1 allows";
  }
  for (guint i = 0; i < jpeg->n_scan; i++) {
    const JpegComponent *c = jpeg->scan[i];

    if (is_dc ? jpeg->high == 0 && (!c->dc->defined || c->dc->largest > JPEG_LARGEST_DC)
              : !c->ac->defined) {
      return "a scan names a Huffman table that is not there, or is for something else";
    }
    if (!is_dc && c->precision[0] < 0) {
      return "a progressive scan comes before its component's first";
    }
  }
  return NULL;
}

const char *
dicom_jpeg_progressive_start(Jpeg12 *jpeg)
{
  const char *wrong = check_header(jpeg);

  for (guint i = 0; !wrong && i < jpeg->n_scan; i++) {
    for (guint k = jpeg->first; k <= jpeg->last; k++) {
      gint8 *precision = &jpeg->scan[i]->precision[k];

      if (jpeg->high == 0 ? *precision >= 0 : *precision != (gint)jpeg->high) {
        return "a progressive scan brings what has come, or refines what has not";
      }
      *precision = (gint8)jpeg->low;
    }
  }
  return wrong;
}

static inline guint
take_bits(JpegBits *b, guint n)
{
  if (b->count < n) {
    jpeg_fill(b);
  }
  const guint bits = n > 0 ? (guint)(b->bits >> (64 - n)) : 0;
  b->bits <<= n;
  b->count -= n;
  return bits;
}

/* G.1.2.1 */
static void
dc_block(Jpeg12 *jpeg, JpegComponent *component, gint16 *coefficients)
{
  JpegBits *b = &jpeg->bits;

  if (jpeg->high > 0) {
    coefficients[0] = (gint16)(coefficients[0] | (gint)(take_bits(b, 1) << jpeg->low));
    return;
  }
  jpeg_fill(b);
  component->prediction += jpeg_take(b, component->dc);
  const gint64 value = component->prediction * ((gint64)1 << jpeg->low);
  if (value != (gint16)value) {
    b->bad = TRUE;
    component->prediction = 0;
    return;
  }
  coefficients[0] = (gint16)value;
}

/* A symbol that says where coefficients are: the run before one, and its category; or category 0,
 * with a run of 15 for sixteen zeros, or less for the end of the band in this and further blocks.
 * Leaves at least 24 bits; VALUE has been taken when there is a category. */
static inline JpegEntry
take_ac(JpegBits *b, const JpegTable *table, gint *value)
{
  jpeg_fill(b);
  JpegEntry entry = table->lookup[b->bits >> (64 - JPEG_LOOKUP_BITS)];
  if (entry.total > 0) {
    b->bits <<= entry.length;
    b->count -= entry.length;
  } else {
    const guint symbol = jpeg_take_symbol(b, table);

    entry.category = symbol & 15;
    entry.run = (guint8)(symbol >> 4);
  }
  *value = entry.category > 0 ? jpeg_take_value(b, entry.category) : 0;
  return entry;
}

/* The end of the band in this block and in some behind it (G.1.2.2). */
static inline void
start_end_run(Jpeg12 *jpeg, guint run)
{
  jpeg->end_run = (1u << run) + take_bits(&jpeg->bits, run);
}

/* G.1.2.2 */
static void
ac_block(Jpeg12 *jpeg, const JpegTable *table, gint16 *coefficients, guint64 *present)
{
  guint k = jpeg->first;

  while (k <= jpeg->last) {
    gint value;
    const JpegEntry entry = take_ac(&jpeg->bits, table, &value);

    if (entry.category == 0 && entry.run < 15) {
      start_end_run(jpeg, entry.run);
      jpeg->end_run--;
      return;
    }
    k += entry.run;
    const gint shifted = value * (1 << jpeg->low);
    if (k > jpeg->last || ABS(shifted) > G_MAXINT16) {
      jpeg->bits.bad = TRUE;
      return;
    }
    if (entry.category > 0) {
      coefficients[k] = (gint16)shifted;
      *present |= (guint64)1 << k;
    }
    k++;
  }
}

/* One more bit of each coefficient of WHICH, all of them other than 0. Only bits above this one
 * have come, so none runs over. */
static inline void
refine(Jpeg12 *jpeg, gint16 *coefficients, guint64 which)
{
  JpegBits *b = &jpeg->bits;
  const guint low = jpeg->low;

  for (; which != 0; which &= which - 1) {
    gint16 *c = &coefficients[__builtin_ctzll(which)];

    if (G_UNLIKELY(b->count == 0)) {
      jpeg_fill(b);
    }
    const gint away = (*c >> 15 | 1) * (1 << low), bit = (gint)(b->bits >> 63);
    *c = (gint16)(*c + (away & -bit));
    b->bits <<= 1;
    b->count--;
  }
}

/* G.1.2.3. The coefficients that are 0, and those that are not, are known beforehand: steps go from
 * one to the next, and not from each to its neighbour. */
static void
ac_refinement(Jpeg12 *jpeg, const JpegTable *table, gint16 *coefficients, guint64 *present)
{
  guint64 band = ~(guint64)0 >> (63 - jpeg->last) & ~(guint64)0 << jpeg->first;
  const guint64 before = *present;

  while (jpeg->end_run == 0 && band != 0) {
    gint value;
    const JpegEntry entry = take_ac(&jpeg->bits, table, &value);
    guint64 zeros = band & ~before;

    if (entry.category == 0 && entry.run < 15) {
      start_end_run(jpeg, entry.run);
      break;
    }
    for (guint i = 0; i < entry.run; i++) {
      zeros &= zeros - 1;
    }
    if (zeros == 0 || entry.category > 1) {
      jpeg->bits.bad = TRUE;
      return;
    }
    const guint64 here = zeros & -zeros;
    refine(jpeg, coefficients, band & before & (here - 1));
    if (entry.category > 0) {
      coefficients[__builtin_ctzll(here)] = (gint16)(value * (1 << jpeg->low));
      *present |= here;
    }
    band &= ~(here | (here - 1));
  }
  if (jpeg->end_run > 0) {
    refine(jpeg, coefficients, band & before);
    jpeg->end_run--;
  }
}

void
dicom_jpeg_progressive_block(Jpeg12 *jpeg, JpegComponent *component, gsize index)
{
  gint16 *coefficients = component->coefficients + index * JPEG_BLOCK;
  guint64 *present = &component->present[index];

  if (jpeg->first == 0) {
    dc_block(jpeg, component, coefficients);
  } else if (jpeg->high > 0) {
    ac_refinement(jpeg, component->ac, coefficients, present);
  } else {
    ac_block(jpeg, component->ac, coefficients, present);
  }
}

guint
dicom_jpeg_progressive_pass(Jpeg12 *jpeg, guint n)
{
  const guint passed = jpeg->first > 0 && jpeg->high == 0 ? MIN(jpeg->end_run, n) : 0;

  jpeg->end_run -= passed;
  return passed;
}
