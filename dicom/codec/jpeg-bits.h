/* jpeg-bits.h - the bits of a JPEG scan and its Huffman codes (T.81 annexes C, F.2.2, G.2 and H).
 * Private to the room's own decoders of JPEG, into which these functions must be inlined. */
#ifndef HILUM_DICOM_JPEG_BITS_H
#define HILUM_DICOM_JPEG_BITS_H

#include "jpeg-header.h"

#include <string.h>

#define JPEG_LOOKUP_BITS 12

/* A code of at most JPEG_LOOKUP_BITS bits, found by the bits that begin with it. TOTAL is 0 for
 * what must be looked at slowly. */
typedef struct {
  guint8 total;  /* bits of the code and of the value behind it */
  guint8 length; /* of the code */
  guint8 category;
  guint8 run; /* of zeros before the value; AC coefficients only */
} JpegEntry;

typedef struct {
  gboolean defined;
  JpegEntry lookup[1 << JPEG_LOOKUP_BITS];
  guint32 limit[17]; /* the first code beyond those of a length, as 16 bits; by length */
  gint32 first[17];  /* symbol index = code + first[length] */
  guint8 symbols[256];
  guint largest;                /* symbol */
  guint zero_code, zero_length; /* of category 0; length 0: it has no code */
} JpegTable;

/* Bits not yet used, from the highest of BITS down. At a marker and at the end of the data zeros
 * follow, and are counted. */
typedef struct {
  guint64 bits;
  guint count;
  const guint8 *at, *end;
  gsize padding;        /* zero bits that were added, the last ones of COUNT */
  gboolean bad;         /* a code that the table does not have */
  gboolean saw_16;      /* category 16 was met */
  guint extra_after_16; /* bits behind its code: none (T.81 H.1.2.2), or 16 by a wrong encoder */
} JpegBits;

/* What the bits ahead look like where each component goes on as predicted, as a background does:
 * the codes of category 0 of one pixel, again and again. */
typedef struct {
  guint64 pattern;
  guint period; /* bits of one pixel */
  guint shift;  /* what leaves the fewest pixels that make it worth while; 64: never */
} JpegRun;

/* One byte after another: where 0xFF is near, or the end. */
static G_GNUC_UNUSED void __attribute__((noinline)) jpeg_fill_slowly(JpegBits *b)
{
  while (b->count < 56) {
    guint64 byte = 0;

    if (b->at >= b->end || (*b->at == 0xff && b->at[1] != 0)) {
      b->padding += 8; /* b->at[1] is there, since zeros follow the data */
    } else {
      byte = *b->at;
      b->at += byte == 0xff ? 2 : 1;
    }
    b->count += 8;
    b->bits |= byte << (64 - b->count);
  }
}

/* At least 56 bits. */
static inline void
jpeg_fill(JpegBits *b)
{
  guint64 next;

  /* 16 zero bytes follow the data, so reading eight is allowed up to their end. */
  memcpy(&next, b->at, 8);
  next = GUINT64_FROM_BE(next);
  const guint64 inverse = ~next;
  const guint64 has_ff = (inverse - G_GUINT64_CONSTANT(0x0101010101010101)) & next &
                         G_GUINT64_CONSTANT(0x8080808080808080);
  if (G_LIKELY(has_ff == 0 && b->end - b->at >= 8)) {
    b->bits |= next >> b->count; /* COUNT is below 64 here, see jpeg_take() */
    b->at += (63 - b->count) >> 3;
    b->count |= 56;
  } else {
    jpeg_fill_slowly(b);
  }
}

/* The next symbol (F.2.2.3) without a look into the lookup; leaves at least 40 bits. */
static G_GNUC_UNUSED guint __attribute__((noinline))
jpeg_take_symbol(JpegBits *b, const JpegTable *table)
{
  guint length = 1;

  jpeg_fill_slowly(b);
  const guint32 ahead = (guint32)(b->bits >> 48);
  while (length <= 16 && ahead >= table->limit[length]) {
    length++;
  }
  if (length > 16) {
    b->bad = TRUE;
    return 0;
  }
  b->bits <<= length;
  b->count -= length;
  return table->symbols[((gint32)(ahead >> (16 - length)) + table->first[length]) & 0xff];
}

/* The N bits behind a code, 1 to 16, as a value of that category (F.1.2.1.1). */
static inline gint
jpeg_take_value(JpegBits *b, guint n)
{
  const gint magnitude = (gint)(b->bits >> (64 - n));
  const gboolean positive = b->bits >> 63 != 0;

  b->bits <<= n;
  b->count -= n;
  return positive ? magnitude : magnitude - ((1 << n) - 1);
}

/* A difference, and category 16; leaves at least 56 bits, as the callers count on. */
static G_GNUC_UNUSED gint __attribute__((noinline))
jpeg_take_slowly(JpegBits *b, const JpegTable *table)
{
  const guint category = jpeg_take_symbol(b, table);
  const guint extra = category < 16 ? category : category == 16 ? b->extra_after_16 : 0;
  gint difference = category == 16 ? 32768 : 0;

  b->bad = b->bad || category > 16;
  b->saw_16 = b->saw_16 || category == 16;
  if (extra > 0) {
    difference = jpeg_take_value(b, extra);
  }
  jpeg_fill_slowly(b);
  return difference;
}

/* The next difference. At most 28 bits are used, so that one jpeg_fill() serves two of these. */
static inline gint
jpeg_take(JpegBits *b, const JpegTable *table)
{
  const JpegEntry entry = table->lookup[b->bits >> (64 - JPEG_LOOKUP_BITS)];

  if (G_UNLIKELY(entry.total == 0)) {
    return jpeg_take_slowly(b, table);
  }
  const guint64 behind = b->bits << entry.length;
  const gint magnitude = (gint)(behind >> 1 >> (63 - entry.category));
  const gint negative = (gint)(~behind >> 63);
  b->bits <<= entry.total;
  b->count -= entry.total;
  return magnitude - ((negative << entry.category) - negative);
}

/* How many pixels from here on are as predicted, after jpeg_fill(): 0 for a few. */
static inline guint
jpeg_run(JpegBits *b, const JpegRun *run, guint most)
{
  const guint64 other = b->bits ^ run->pattern;

  if (G_LIKELY(run->shift == 64 || other >> run->shift != 0)) {
    return 0;
  }
  const guint alike = other == 0 ? 56 : MIN((guint)__builtin_clzll(other), 56u);
  const guint n = MIN(alike / run->period, most);
  b->bits <<= n * run->period;
  b->count -= n * run->period;
  return n;
}

/* B.2.4.2: the tables of a DHT segment, to DC and AC of four each; AC may be NULL: they are passed
 * over. FALSE: it is broken. */
gboolean dicom_jpeg_read_tables(const DicomJpegSegment *segment, JpegTable *dc, JpegTable *ac);
/* The end of a scan or of a restart interval: leaves the reader at the marker, empty. NULL, or what
 * is wrong. */
const char *dicom_jpeg_end_interval(JpegBits *bits);
/* The same, and then over the NUMBER-th restart marker, from 0 on. */
const char *dicom_jpeg_restart(JpegBits *bits, guint number);

#endif
