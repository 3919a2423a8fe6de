/* jpeg12.h - what the files of the decoder of 12-bit JPEG share: codec-jpeg12.c, jpeg-scan.c,
 * jpeg-progressive.c, jpeg-idct.c, jpeg-upsample.c. Private to them. */
#ifndef HILUM_DICOM_JPEG12_H
#define HILUM_DICOM_JPEG12_H

#include "jpeg-bits.h"

/* Coefficients of a block; where a run of zeros is added to the last of them, it leads at most 15
 * further. */
#define JPEG_BLOCK 64
#define JPEG_BLOCK_AND_RUN (JPEG_BLOCK + 15)

#define JPEG_LARGEST_DC 15 /* category of a difference (F.1.2.1.1) */

typedef struct {
  guint id, h, v; /* sampling factors (T.81 A.1.1) */
  guint q;        /* of the quantisation table */
  guint columns, rows;
  guint blocks_across, blocks_down; /* that have samples of the picture */
  guint padded_across, padded_down; /* whole MCUs of scans with several components */
  /* Zigzag order; zeros where no coefficient is. The table as it was at the component's first scan
   * (as libjpeg has it; T.81 lets it not change between). */
  guint16 steps[JPEG_BLOCK_AND_RUN];
  gboolean has_steps;
  guint16 *plane; /* samples, padded; NULL for those that go into the picture at once */
  /* Of a progressive frame, by block, padded: in zigzag order, and a bit for each AC coefficient
   * that is other than 0. */
  gint16 *coefficients;
  guint64 *present;
  gint8 precision[JPEG_BLOCK]; /* progressive: the lowest bit that has come, -1: none; zigzag */
  gint prediction;             /* of the next DC coefficient */
  const JpegTable *dc, *ac;    /* of the current scan */
} JpegComponent;

typedef struct {
  DicomCodecJob *job;
  const DicomJpegHeader *header;
  JpegTable dc[4], ac[4];
  guint16 steps[4][JPEG_BLOCK]; /* quantisation tables, zigzag order */
  gboolean has_steps[4];
  guint restart_interval; /* in MCUs; 0: none */
  guint h, v;             /* the largest sampling factors */
  guint mcus_across, mcus_down;
  guint n_components;
  JpegComponent components[4];
  JpegBits bits;

  /* the current scan */
  guint n_scan;
  JpegComponent *scan[4];
  guint first, last; /* coefficients, in zigzag order: Ss and Se */
  guint high, low;   /* the bit that came before, and the one that comes: Ah and Al */
  gint32 block[JPEG_BLOCK] __attribute__((aligned(16))); /* zeros between blocks, but for the DC */
  guint end_run; /* blocks that have no more coefficients in this band */
} Jpeg12;

/* Where the coefficients lie in their block, in the order in which they come (figure A.6). */
extern const guint8 dicom_jpeg_natural[JPEG_BLOCK_AND_RUN];

/* A sample of 12 bits from a dequantised block in natural order, of which no coefficient behind
 * LAST (in zigzag order) is other than 0. */
void dicom_jpeg_idct(const gint32 block[JPEG_BLOCK], guint last, guint16 samples[JPEG_BLOCK]);

/* The samples of a block, in column X and row Y of blocks, to where they belong. */
void dicom_jpeg_lay_down(const Jpeg12 *jpeg, const JpegComponent *component, guint x, guint y,
                         const guint16 samples[JPEG_BLOCK]);

/* A scan, from the segment of its header on; the data begin at *AT, which moves to their end. NULL,
 * or what is wrong. */
const char *dicom_jpeg_scan(Jpeg12 *jpeg, const DicomJpegSegment *segment, gsize *at);

/* NULL, or why the current scan of a progressive frame cannot be; notes what it brings. */
const char *dicom_jpeg_progressive_start(Jpeg12 *jpeg);
/* The component's block INDEX in the current scan; what is wrong shows in jpeg->bits. */
void dicom_jpeg_progressive_block(Jpeg12 *jpeg, JpegComponent *component, gsize index);
/* How many of N blocks the current scan passes over without a bit. */
guint dicom_jpeg_progressive_pass(Jpeg12 *jpeg, guint n);

/* Lays the samples of component INDEX, which has a plane, into the picture. */
void dicom_jpeg_upsample(const Jpeg12 *jpeg, guint index);

/* VALUE as a sample of the picture. */
static inline void
jpeg_put(guint8 *out, guint16 value)
{
  const guint16 sample = GUINT16_TO_LE(value);

  memcpy(out, &sample, sizeof sample);
}

#endif
