/* frame.c - stored values of one frame, and their meaning (PS3.3 C.7.6.3, C.11.1). */
#include "frame.h"

#include <math.h>
#include <string.h>

static GMutex sha_lock;

void
dicom_lut_free(DicomLut *lut)
{
  if (lut) {
    g_free(lut->data);
    g_free(lut);
  }
}

gsize
dicom_sample_bytes(DicomSampleType type)
{
  static const guint8 bytes[] = {1, 1, 2, 2, 4, 4, 4, 8};

  return bytes[type];
}

DicomFrame *
dicom_frame_new(guint width, guint height, guint samples, DicomSampleType type)
{
  DicomFrame *frame = g_new0(DicomFrame, 1);

  frame->refs = 1;
  frame->width = width;
  frame->height = height;
  frame->samples = samples;
  frame->type = type;
  frame->bits_stored = (guint)dicom_sample_bytes(type) * 8;
  frame->slope = 1;
  frame->windows = g_array_new(FALSE, TRUE, sizeof(DicomWindow));
  frame->voi_luts = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_lut_free);
  frame->marks = g_array_new(FALSE, TRUE, sizeof(DicomMark));
  frame->covers = g_array_new(FALSE, TRUE, sizeof(DicomMark));
  frame->texts = g_ptr_array_new_with_free_func(g_free);
  frame->text_points = g_array_new(FALSE, TRUE, sizeof(double));
  return frame;
}

DicomFrame *
dicom_frame_ref(DicomFrame *frame)
{
  g_atomic_int_inc(&frame->refs);
  return frame;
}

void
dicom_frame_unref(DicomFrame *frame)
{
  if (!g_atomic_int_dec_and_test(&frame->refs)) {
    return;
  }
  if (frame->owner) {
    g_bytes_unref(frame->owner);
  } else {
    g_free(frame->stored);
  }
  g_free(frame->sha256);
  dicom_lut_free(frame->modality);
  for (guint i = 0; i < 3; i++) {
    dicom_lut_free(frame->palette[i]);
  }
  dicom_lut_free(frame->presentation);
  g_array_unref(frame->windows);
  g_ptr_array_unref(frame->voi_luts);
  g_array_unref(frame->marks);
  g_array_unref(frame->covers);
  g_ptr_array_unref(frame->texts);
  g_array_unref(frame->text_points);
  g_free(frame);
}

guint
dicom_frame_width(const DicomFrame *frame)
{
  return frame->turns % 2 ? frame->height : frame->width;
}

guint
dicom_frame_height(const DicomFrame *frame)
{
  return frame->turns % 2 ? frame->width : frame->height;
}

guint
dicom_frame_samples(const DicomFrame *frame)
{
  return frame->samples;
}

static gsize
lut_bytes(const DicomLut *lut)
{
  return lut ? sizeof *lut + lut->n * sizeof lut->data[0] : 0;
}

gsize
dicom_frame_bytes(const DicomFrame *frame)
{
  gsize n = frame->n_bytes + sizeof *frame + frame->marks->len * sizeof(DicomMark);

  n += frame->covers->len * sizeof(DicomMark);
  n += lut_bytes(frame->modality) + lut_bytes(frame->presentation);
  /* A palette may be larger than the picture. */
  for (guint i = 0; i < 3; i++) {
    n += lut_bytes(frame->palette[i]);
  }
  for (guint i = 0; i < frame->voi_luts->len; i++) {
    n += lut_bytes(frame->voi_luts->pdata[i]);
  }
  return n;
}

gboolean
dicom_frame_is_colour(const DicomFrame *frame)
{
  return frame->colour != COLOUR_GREY;
}

const guint8 *
dicom_frame_stored(const DicomFrame *frame, gsize *n_bytes)
{
  *n_bytes = frame->n_bytes;
  return frame->stored;
}

const char *
dicom_frame_sha256(DicomFrame *frame)
{
  g_mutex_lock(&sha_lock);
  if (!frame->sha256) {
    frame->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, frame->stored, frame->n_bytes);
  }
  g_mutex_unlock(&sha_lock);
  return frame->sha256;
}

double
dicom_frame_sample(const DicomFrame *frame, gsize index)
{
  const guint8 *p = frame->stored + index * dicom_sample_bytes(frame->type);

  switch (frame->type) {
  case SAMPLE_U8:
  case SAMPLE_S8:
    return dicom_frame_cut(frame, p[0]);
  case SAMPLE_U16:
  case SAMPLE_S16:
    return dicom_frame_cut(frame, p[0] | (guint32)p[1] << 8);
  case SAMPLE_U32:
  case SAMPLE_S32: {
    guint32 raw;

    memcpy(&raw, p, sizeof raw);
    return dicom_frame_cut(frame, GUINT32_FROM_LE(raw));
  }
  case SAMPLE_F32: {
    guint32 raw;
    float value;

    memcpy(&raw, p, sizeof raw);
    raw = GUINT32_FROM_LE(raw);
    memcpy(&value, &raw, sizeof value);
    return (double)value;
  }
  case SAMPLE_F64:
  default: {
    guint64 raw;
    double value;

    memcpy(&raw, p, sizeof raw);
    raw = GUINT64_FROM_LE(raw);
    memcpy(&value, &raw, sizeof value);
    return value;
  }
  }
}

double
dicom_frame_modality(const DicomFrame *frame, double stored)
{
  const DicomLut *lut = frame->modality;

  if (!lut) {
    return stored * frame->slope + frame->intercept;
  }
  double index = stored - lut->first;

  /* So that what is no number is taken for the first. */
  return !(index > 0)          ? lut->data[0]
         : index >= lut->n - 1 ? lut->data[lut->n - 1]
                               : lut->data[(gsize)index];
}

gsize
dicom_frame_index(const DicomFrame *frame, guint x, guint y)
{
  gsize w = frame->width, h = frame->height;
  gsize across = frame->flip ? dicom_frame_width(frame) - 1 - x : x;

  switch (frame->turns) {
  case 1:
    return (h - 1 - across) * w + y;
  case 2:
    return (h - 1 - y) * w + (w - 1 - across);
  case 3:
    return across * w + (w - 1 - y);
  default:
    return y * w + across;
  }
}

gboolean
dicom_frame_value(const DicomFrame *frame, guint x, guint y, double *value)
{
  if (x >= dicom_frame_width(frame) || y >= dicom_frame_height(frame) ||
      frame->colour != COLOUR_GREY) {
    return FALSE;
  }
  *value = dicom_frame_modality(frame, dicom_frame_sample(frame, dicom_frame_index(frame, x, y)));
  return TRUE;
}

gboolean
dicom_frame_probe(const DicomFrame *frame, guint x, guint y, double *stored, double *value,
                  gboolean *is_padding)
{
  if (x >= dicom_frame_width(frame) || y >= dicom_frame_height(frame) ||
      frame->colour != COLOUR_GREY) {
    return FALSE;
  }
  *stored = dicom_frame_sample(frame, dicom_frame_index(frame, x, y));
  *value = dicom_frame_modality(frame, *stored);
  *is_padding = dicom_frame_is_padding(frame, *stored);
  return TRUE;
}

/* Values as they lie in memory, words whose bits are all value: most of CT, MR and radiographs. */
static void
plain_values(const DicomFrame *frame, gsize at, guint n, double *values)
{
  const guint8 *in = frame->stored + 2 * at;
  const double slope = frame->slope, intercept = frame->intercept;
  const guint16 mask = (guint16)((1u << frame->bits_stored) - 1);

  if (frame->is_signed) {
    const guint up = 16 - frame->bits_stored;

    for (guint i = 0; i < n; i++) {
      gint16 word = (gint16)(guint16)((in[2 * i] | in[2 * i + 1] << 8) << up);

      values[i] = (word >> up) * slope + intercept;
    }
    return;
  }
  for (guint i = 0; i < n; i++) {
    values[i] = ((in[2 * i] | in[2 * i + 1] << 8) & mask) * slope + intercept;
  }
}

void
dicom_frame_values(const DicomFrame *frame, guint x, guint y, guint n, double *values)
{
  if (dicom_sample_bytes(frame->type) == 2 && !frame->modality && !frame->has_padding &&
      frame->shift == 0 && frame->turns == 0 && !frame->flip && fabs(frame->slope) < 1e100 &&
      fabs(frame->intercept) < 1e100) {
    plain_values(frame, (gsize)y * frame->width + x, n, values);
    return;
  }
  gsize at = dicom_frame_index(frame, x, y);
  /* From one pixel to the next is the same step all along a row. */
  gsize step = n > 1 ? dicom_frame_index(frame, x + 1, y) - at : 0;

  for (guint i = 0; i < n; i++, at += step) {
    double stored = dicom_frame_sample(frame, at);
    double value = dicom_frame_modality(frame, stored);

    values[i] = !isfinite(value) || dicom_frame_is_padding(frame, stored) ? NAN : value;
  }
}

guint
dicom_frame_n_texts(const DicomFrame *frame)
{
  return frame->texts->len;
}

const char *
dicom_frame_text(const DicomFrame *frame, guint i, double *x, double *y)
{
  *x = g_array_index(frame->text_points, double, 2 * i);
  *y = g_array_index(frame->text_points, double, 2 * i + 1);
  return frame->texts->pdata[i];
}

gboolean
dicom_frame_displayed_area(const DicomFrame *frame, double area[4])
{
  memcpy(area, frame->area, sizeof frame->area);
  return frame->has_area;
}

void
dicom_frame_range(const DicomFrame *frame, double *low, double *high)
{
  dicom_frame_need_range(frame);
  *low = frame->low;
  *high = frame->high;
}

gboolean
dicom_frame_is_padding(const DicomFrame *frame, double stored)
{
  return isnan(stored) ||
         (frame->has_padding && stored >= frame->padding_low && stored <= frame->padding_high);
}

/* Which samples of at most 16 bits occur; the range then costs a pass over 65536 flags whatever the
 * modality LUT does, since a table need not be monotonic. */
static void
mark_words(const DicomFrame *frame, guint8 *seen)
{
  gsize n = (gsize)frame->width * frame->height * frame->samples;
  const guint8 *in = frame->stored;

  if (dicom_sample_bytes(frame->type) == 1) {
    for (gsize i = 0; i < n; i++) {
      seen[in[i]] = 1;
    }
    return;
  }
  for (gsize i = 0; i < n; i++, in += 2) {
    seen[in[0] | (guint)in[1] << 8] = 1;
  }
}

static void
widen(DicomFrame *frame, double stored)
{
  if (isfinite(stored) && !dicom_frame_is_padding(frame, stored)) {
    double value = dicom_frame_modality(frame, stored);

    if (isfinite(value)) {
      frame->low = MIN(frame->low, value);
      frame->high = MAX(frame->high, value);
    }
  }
}

/* The loops over all words of a frame are compiled for two instruction sets, of which the program
 * chooses when it starts: they are as fast as memory then. Sanitizers instrument the chooser, which
 * runs before they are ready. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif
/* Words in one go: a number that is known, so that the compiler makes vectors of the loops. */
#define WORDS 512

typedef struct {
  gint16 least, most;
} Extremes;

static inline gint16
word_at(const guint8 *in, guint i)
{
  guint16 word;

  memcpy(&word, in + 2 * i, sizeof word);
  return (gint16)GUINT16_FROM_LE(word);
}

/* Of WORDS words, each turned by FLIP: 0, or 8000 to order unsigned ones like signed ones. */
static inline Extremes
block_extremes(const guint8 *restrict in, gint16 flip)
{
  gint16 least = G_MAXINT16, most = G_MININT16;

  for (guint k = 0; k < WORDS; k++) {
    gint16 word = word_at(in, k) ^ flip;

    least = least < word ? least : word;
    most = most > word ? most : word;
  }
  return (Extremes){least, most};
}

static inline void
widen_extremes(Extremes *extremes, Extremes by)
{
  extremes->least = MIN(extremes->least, by.least);
  extremes->most = MAX(extremes->most, by.most);
}

/* Of whole blocks, as signed words and as turned ones. Where all words of a block are of one sign,
 * the one follows from the other. */
CLONES static void
find_extremes(const guint8 *restrict in, gsize n_blocks, Extremes *as_signed, Extremes *turned)
{
  const gint16 flip = G_MININT16;
  Extremes all = *as_signed, all_turned = *turned;

  for (gsize b = 0; b < n_blocks; b++, in += 2 * WORDS) {
    Extremes block = block_extremes(in, 0);
    Extremes other = {block.least ^ flip, block.most ^ flip};

    if (block.least < 0 && block.most >= 0) {
      other = block_extremes(in, flip);
    }
    widen_extremes(&all, block);
    widen_extremes(&all_turned, other);
  }
  *as_signed = all;
  *turned = all_turned;
}

/* The N words of the frame's end that make no block, the last one over and over behind them. */
static void
fill_block(const guint8 *in, gsize n, guint8 block[2 * WORDS])
{
  memcpy(block, in, 2 * n);
  for (; n < WORDS; n++) {
    memcpy(block + 2 * n, block + 2 * n - 2, 2);
  }
}

/* The extremes of N words as signed and as unsigned ones. */
static void
word_extremes(const guint8 *in, gsize n, gint low[2], gint high[2])
{
  Extremes as_signed = {G_MAXINT16, G_MININT16}, turned = as_signed;
  guint8 rest[2 * WORDS];

  find_extremes(in, n / WORDS, &as_signed, &turned);
  if (n % WORDS > 0) {
    fill_block(in + 2 * (n - n % WORDS), n % WORDS, rest);
    find_extremes(rest, 1, &as_signed, &turned);
  }
  low[TRUE] = as_signed.least;
  high[TRUE] = as_signed.most;
  low[FALSE] = turned.least + 32768;
  high[FALSE] = turned.most + 32768;
}

/* Of those words of whole blocks, turned by FLIP, that are not from PAD_LOW to PAD_HIGH. */
CLONES static void
find_beside_padding(const guint8 *restrict in, gsize n_blocks, gint16 flip, const Extremes *padding,
                    Extremes *extremes)
{
  const gint16 pad_low = padding->least, pad_high = padding->most;
  gint16 least = extremes->least, most = extremes->most;

  for (gsize b = 0; b < n_blocks; b++, in += 2 * WORDS) {
    for (guint k = 0; k < WORDS; k++) {
      gint16 word = word_at(in, k) ^ flip;
      gboolean is_padding = word >= pad_low && word <= pad_high;
      gint16 up = is_padding ? G_MAXINT16 : word, down = is_padding ? G_MININT16 : word;

      least = least < up ? least : up;
      most = most > down ? most : down;
    }
  }
  extremes->least = least;
  extremes->most = most;
}

/* The extremes of the words beside padding; FALSE when there are none. */
static gboolean
extremes_beside_padding(const guint8 *in, gsize n, guint16 flip, const Extremes *padding, gint *low,
                        gint *high)
{
  Extremes extremes = {G_MAXINT16, G_MININT16};
  guint8 rest[2 * WORDS];

  find_beside_padding(in, n / WORDS, (gint16)flip, padding, &extremes);
  if (n % WORDS > 0) {
    fill_block(in + 2 * (n - n % WORDS), n % WORDS, rest);
    find_beside_padding(rest, 1, (gint16)flip, padding, &extremes);
  }
  *low = extremes.least + (flip ? 32768 : 0);
  *high = extremes.most + (flip ? 32768 : 0);
  return extremes.least <= extremes.most;
}

/* A limit of the padding, a whole number inside the range of words turned by FLIP. */
static gint16
pad_limit(double limit, guint16 flip)
{
  return (gint16)(CLAMP(limit, flip ? 0 : G_MININT16, flip ? G_MAXUINT16 : G_MAXINT16) -
                  (flip ? 32768 : 0));
}

/* Where sixteen bits are values as they are and grow with them: no table of what occurs is needed.
 */
static gboolean
find_plain_range(DicomFrame *frame)
{
  gsize n = (gsize)frame->width * frame->height * frame->samples;
  gint least[2], most[2];
  double pad_low = ceil(frame->padding_low), pad_high = floor(frame->padding_high);

  if (dicom_sample_bytes(frame->type) != 2 || frame->modality || frame->shift != 0 || n == 0) {
    return FALSE;
  }
  word_extremes(frame->stored, n, least, most);
  gboolean sign = most[TRUE] - least[TRUE] < most[FALSE] - least[FALSE];
  guint16 flip = sign ? 0 : 0x8000;
  gint low = least[sign], high = most[sign];
  if (dicom_frame_cut(frame, (guint32)low & 0xffff) != low ||
      dicom_frame_cut(frame, (guint32)high & 0xffff) != high) {
    return FALSE;
  }
  frame->raw_known = TRUE;
  frame->raw_signed = sign;
  frame->raw_low = low;
  frame->raw_high = high;
  Extremes padding = {pad_limit(pad_low, flip), pad_limit(pad_high, flip)};
  if (frame->has_padding && pad_low <= high && pad_high >= low &&
      !extremes_beside_padding(frame->stored, n, flip, &padding, &low, &high)) {
    return TRUE; /* nothing but padding */
  }
  frame->low = MIN(dicom_frame_modality(frame, low), dicom_frame_modality(frame, high));
  frame->high = MAX(dicom_frame_modality(frame, low), dicom_frame_modality(frame, high));
  if (!(frame->low <= frame->high)) { /* a slope that is no number */
    frame->low = INFINITY;
    frame->high = -INFINITY;
  }
  return TRUE;
}

static void
find_word_range(DicomFrame *frame)
{
  gint top = dicom_sample_bytes(frame->type) == 1 ? 256 : 65536;
  g_autofree guint8 *seen = g_malloc0(65536);
  gint low = top, high = -1, signed_low = top, signed_high = -top;

  mark_words(frame, seen);
  for (gint i = 0; i < top; i++) {
    if (seen[i]) {
      gint as_signed = i >= top / 2 ? i - top : i;

      low = MIN(low, i);
      high = MAX(high, i);
      signed_low = MIN(signed_low, as_signed);
      signed_high = MAX(signed_high, as_signed);
      widen(frame, dicom_frame_cut(frame, (guint32)i));
    }
  }
  frame->raw_known = TRUE;
  frame->raw_signed = signed_high - signed_low < high - low;
  frame->raw_low = frame->raw_signed ? signed_low : low;
  frame->raw_high = frame->raw_signed ? signed_high : high;
}

static void
find_range(DicomFrame *frame)
{
  if (frame->colour != COLOUR_GREY) {
    frame->low = 0;
    frame->high = ldexp(1, (int)frame->bits_stored) - 1;
    return;
  }
  frame->low = INFINITY;
  frame->high = -INFINITY;
  if (find_plain_range(frame)) {
    /* done */
  } else if (dicom_sample_bytes(frame->type) <= 2) {
    find_word_range(frame);
  } else {
    gsize n = (gsize)frame->width * frame->height * frame->samples;

    for (gsize i = 0; i < n; i++) {
      widen(frame, dicom_frame_sample(frame, i));
    }
  }
  if (frame->low > frame->high) {
    frame->low = frame->high = 0; /* nothing but padding */
  }
}

void
dicom_frame_need_range(const DicomFrame *frame)
{
  DicomFrame *mine = (DicomFrame *)frame; /* nobody sees the range before it is found */

  if (g_once_init_enter(&mine->ranged)) {
    find_range(mine);
    g_once_init_leave(&mine->ranged, TRUE);
  }
}

void
dicom_frame_find_range(DicomFrame *frame)
{
  frame->ranged = FALSE;
  dicom_frame_need_range(frame);
}

void
dicom_frame_stored_range(const DicomFrame *frame, double *low, double *high)
{
  DicomFrame plain = *frame; /* borrows everything */
  gsize n = (gsize)frame->width * frame->height * frame->samples;

  if (dicom_sample_bytes(frame->type) == 2 && n > 0) {
    gint least[2], most[2];

    word_extremes(frame->stored, n, least, most);
    *low = fmin(*low, least[frame->type == SAMPLE_S16]);
    *high = fmax(*high, most[frame->type == SAMPLE_S16]);
    return;
  }
  plain.shift = 0;
  plain.bits_stored = (guint)dicom_sample_bytes(frame->type) * 8;
  plain.is_signed =
      frame->type == SAMPLE_S8 || frame->type == SAMPLE_S16 || frame->type == SAMPLE_S32;
  for (gsize i = 0; i < n; i++) {
    double value = dicom_frame_sample(&plain, i);

    *low = fmin(*low, value);
    *high = fmax(*high, value);
  }
}

const char *
dicom_frame_numpy_type(const DicomFrame *frame)
{
  static const char *const names[] = {"|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<f4", "<f8"};

  return names[frame->type];
}
