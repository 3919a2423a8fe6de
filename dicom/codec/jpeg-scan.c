/* jpeg-scan.c - scans of 12-bit JPEG, and the blocks of sequential ones (T.81 annexes B.2.3 and F).
 */
#include "codec-check.h"
#include "jpeg12.h"

#define MAX_BLOCKS_IN_MCU 10 /* B.2.3 */

/* ---- blocks ------------------------------------------------------------------------------------
 */

/* What the loop over a block's coefficients knows. */
typedef struct {
  guint k, last;
} Place;

/* One AC coefficient, at most 27 bits but where it goes slowly, which leaves 24. FALSE: the block
 * is at its end. */
static inline __attribute__((always_inline)) gboolean
take_ac(JpegBits *b, const JpegTable *table, const guint16 *steps, gint32 *block, Place *place)
{
  JpegEntry entry = table->lookup[b->bits >> (64 - JPEG_LOOKUP_BITS)];
  gint value;

  if (G_LIKELY(entry.total > 0)) {
    const guint64 behind = b->bits << entry.length;
    const gint magnitude = (gint)(behind >> 1 >> (63 - entry.category));
    const gint negative = (gint)(~behind >> 63);

    value = magnitude - ((negative << entry.category) - negative);
    b->bits <<= entry.total;
    b->count -= entry.total;
  } else {
    const guint symbol = jpeg_take_symbol(b, table);

    entry.category = symbol & 15;
    entry.run = (guint8)(symbol >> 4);
    value = entry.category > 0 ? jpeg_take_value(b, entry.category) : 0;
    jpeg_fill_slowly(b);
  }
  place->k += entry.run;
  if (entry.category > 0) {
    block[dicom_jpeg_natural[place->k]] = value * steps[place->k];
    place->last = place->k;
  } else if (entry.run < 15) {
    b->bad |= entry.run > 0;
    return FALSE;
  }
  place->k++;
  return place->k < JPEG_BLOCK;
}

/* F.2.2.1 and F.2.2.2, dequantised, into a BLOCK of zeros. Returns the last coefficient that is
 * other than 0. */
static guint
take_block(JpegBits *state, JpegComponent *c, gint32 *block)
{
  const JpegTable *ac = c->ac;
  const guint16 *steps = c->steps;
  JpegBits bits = *state;
  Place place = {1, 0};

  jpeg_fill(&bits);
  c->prediction += jpeg_take(&bits, c->dc);
  if (c->prediction != (gint16)c->prediction) {
    bits.bad = TRUE;
    c->prediction = 0;
  }
  block[0] = c->prediction * steps[0];
  gboolean going = take_ac(&bits, ac, steps, block, &place);
  while (going) {
    jpeg_fill(&bits);
    going = take_ac(&bits, ac, steps, block, &place) && take_ac(&bits, ac, steps, block, &place);
  }
  bits.bad |= place.k > JPEG_BLOCK;
  *state = bits;
  return place.last;
}

static void
decode_block(Jpeg12 *jpeg, JpegComponent *c, guint x, guint y)
{
  guint16 samples[JPEG_BLOCK] __attribute__((aligned(16)));

  if (c->coefficients) {
    dicom_jpeg_progressive_block(jpeg, c, (gsize)y * c->padded_across + x);
    return;
  }
  const guint last = take_block(&jpeg->bits, c, jpeg->block);
  dicom_jpeg_idct(jpeg->block, last, samples);
  if (last > 0) {
    memset(jpeg->block, 0, sizeof jpeg->block);
  }
  dicom_jpeg_lay_down(jpeg, c, x, y, samples);
}

/* ---- scans -------------------------------------------------------------------------------------
 */

static const char *
check_bits(const Jpeg12 *jpeg)
{
  if (jpeg->bits.padding > jpeg->bits.count) {
    return "the code stream ends before the picture does";
  }
  if (jpeg->bits.bad) {
    return "the code stream is damaged: a code is in no Huffman table, or leads out of its block";
  }
  return NULL;
}

static const char *
end_interval(Jpeg12 *jpeg)
{
  const char *wrong = check_bits(jpeg);

  if (!wrong && jpeg->end_run > 0) {
    wrong = "the code stream is damaged: a run of empty blocks goes on behind its scan";
  }
  return wrong;
}

static const char *
restart(Jpeg12 *jpeg, guint number)
{
  const char *wrong = end_interval(jpeg);

  for (guint i = 0; i < jpeg->n_scan; i++) {
    jpeg->scan[i]->prediction = 0;
  }
  return wrong ? wrong : dicom_jpeg_restart(&jpeg->bits, number);
}

/* The MCU in column X and row Y of MCUs (A.2). */
static void
decode_mcu(Jpeg12 *jpeg, guint x, guint y)
{
  if (jpeg->n_scan == 1) {
    decode_block(jpeg, jpeg->scan[0], x, y);
    return;
  }
  for (guint i = 0; i < jpeg->n_scan; i++) {
    JpegComponent *c = jpeg->scan[i];

    for (guint j = 0; j < c->h * c->v; j++) {
      decode_block(jpeg, c, x * c->h + j % c->h, y * c->v + j / c->h);
    }
  }
}

static const char *
decode_scan(Jpeg12 *jpeg)
{
  const gboolean alone = jpeg->n_scan == 1;
  const guint across = alone ? jpeg->scan[0]->blocks_across : jpeg->mcus_across;
  const guint down = alone ? jpeg->scan[0]->blocks_down : jpeg->mcus_down;
  guint left = jpeg->restart_interval, restarts = 0; /* MCUs of this interval */
  const char *wrong = NULL;

  for (guint y = 0; !wrong && y < down; y++) {
    for (guint x = 0; !wrong && x < across;) {
      if (jpeg->restart_interval > 0 && left == 0) {
        wrong = restart(jpeg, restarts++);
        left = jpeg->restart_interval;
      }
      const guint most = jpeg->restart_interval > 0 ? MIN(left, across - x) : across - x;
      guint n = jpeg->end_run > 0 ? dicom_jpeg_progressive_pass(jpeg, most) : 0;
      if (n == 0 && !wrong) {
        decode_mcu(jpeg, x, y);
        n = 1;
      }
      x += n;
      left -= n;
    }
    wrong = wrong ? wrong : check_bits(jpeg);
  }
  if (!wrong) {
    wrong = end_interval(jpeg);
  }
  return wrong ? wrong : dicom_jpeg_end_interval(&jpeg->bits);
}

/* The quantisation table of a component, when its first scan begins. */
static gboolean
latch_steps(Jpeg12 *jpeg, JpegComponent *c)
{
  if (!c->has_steps) {
    if (c->q > 3 || !jpeg->has_steps[c->q]) {
      return FALSE;
    }
    memcpy(c->steps, jpeg->steps[c->q], sizeof jpeg->steps[0]);
    c->has_steps = TRUE;
  }
  return TRUE;
}

static const char *
add_to_scan(Jpeg12 *jpeg, guint id, guint tables)
{
  guint i = 0;

  while (i < jpeg->n_components && jpeg->components[i].id != id) {
    i++;
  }
  if (i == jpeg->n_components) {
    return "a scan holds a component that the frame has not";
  }
  JpegComponent *c = &jpeg->components[i];
  for (guint j = 0; j < jpeg->n_scan; j++) {
    if (jpeg->scan[j] == c) {
      return "a scan holds a component twice";
    }
  }
  if (!c->coefficients && c->has_steps) {
    return "a component comes a second time";
  }
  if (!latch_steps(jpeg, c)) {
    return "a component names a quantisation table that is not there";
  }
  if (tables >> 4 > 3 || (tables & 15) > 3) {
    return "a scan names a Huffman table that is not there";
  }
  c->dc = &jpeg->dc[tables >> 4];
  c->ac = &jpeg->ac[tables & 15];
  c->prediction = 0;
  jpeg->scan[jpeg->n_scan++] = c;
  return NULL;
}

/* Without the spectral selection, which has no meaning here and which some encoders set to 0. */
static const char *
check_sequential(const Jpeg12 *jpeg)
{
  for (guint i = 0; i < jpeg->n_scan; i++) {
    const JpegComponent *c = jpeg->scan[i];

    if (!c->dc->defined || c->dc->largest > JPEG_LARGEST_DC || !c->ac->defined) {
      return "a scan names a Huffman table that is not there, or is for something else";
    }
  }
  return NULL;
}

/* B.2.3 */
static const char *
read_scan_header(Jpeg12 *jpeg, const DicomJpegSegment *segment)
{
  const guint8 *p = segment->data;
  const guint n = segment->n > 0 ? p[0] : 0;
  const char *wrong = NULL;
  guint blocks = 0;

  if (n < 1 || n > 4 || segment->n < 4 + 2 * (gsize)n) {
    return "the code stream's scan header is broken";
  }
  jpeg->n_scan = 0;
  for (guint i = 0; !wrong && i < n; i++) {
    wrong = add_to_scan(jpeg, p[1 + 2 * i], p[2 + 2 * i]);
    blocks += wrong ? 0 : jpeg->scan[i]->h * jpeg->scan[i]->v;
  }
  if (!wrong && n > 1 && blocks > MAX_BLOCKS_IN_MCU) {
    wrong = dicom_codec_say(jpeg->job, "a scan has %u blocks in a unit; T.81 allows %d", blocks,
                            MAX_BLOCKS_IN_MCU);
  }
  jpeg->first = p[1 + 2 * n];
  jpeg->last = p[2 + 2 * n];
  jpeg->high = p[3 + 2 * n] >> 4;
  jpeg->low = p[3 + 2 * n] & 15;
  jpeg->end_run = 0;
  if (wrong) {
    return wrong;
  }
  return jpeg->header->frame_marker == MARKER_SOF2 ? dicom_jpeg_progressive_start(jpeg)
                                                   : check_sequential(jpeg);
}

const char *
dicom_jpeg_scan(Jpeg12 *jpeg, const DicomJpegSegment *segment, gsize *at)
{
  const DicomCodecJob *job = jpeg->job;
  const char *wrong = read_scan_header(jpeg, segment);

  if (!wrong) {
    jpeg->bits = (JpegBits){.at = job->data + *at, .end = job->data + job->n};
    wrong = decode_scan(jpeg);
    *at = (gsize)(jpeg->bits.at - job->data);
  }
  return wrong;
}
