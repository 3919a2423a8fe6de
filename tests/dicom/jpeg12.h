/* jpeg12.h - a small encoder of lossy JPEG with 12 bits (T.81 annexes F and G), and a plain decoder
 * of what it wrote, in double precision, for tests.
 *
 * Components are made at their own resolution, so that nothing is assumed of down-sampling. */
#ifndef HILUM_TESTS_DICOM_JPEG12_H
#define HILUM_TESTS_DICOM_JPEG12_H

#include "lossless.h"

#include <math.h>

typedef struct {
  guint width, height, samples;
  guint8 factors[4];  /* horizontal and vertical, four bits each; 0x11 */
  guint step;         /* of the quantisation: of the DC, and more with each coefficient */
  guint restart_mcus; /* 0: none */
  gboolean separate;  /* a scan for each component */
  gboolean progressive;
  guint noise; /* added to the smooth picture */
} Lossy;

typedef struct {
  guint h, v, columns, rows, across, down; /* blocks; padded to whole MCUs */
  guint used_across, used_down;            /* blocks with samples */
  double *samples;                         /* padded; before the transform */
  gint16 *blocks;                          /* quantised, in zigzag order */
} LossyComponent;

typedef struct {
  Lossy kind;
  guint h, v, mcus_across, mcus_down;
  LossyComponent components[4];
} LossyPicture;

/* ---- the picture ------------------------------------------------------------------------------
 */

/* Figure A.6 */
static inline void
lossy_place(guint k, guint *u, guint *v)
{
  guint x = 0, y = 0;

  for (guint i = 0; i < k; i++) {
    const gboolean up = (x + y) % 2 == 0;

    if (up ? x == 7 : y == 7) {
      x += up ? 0 : 1;
      y += up ? 1 : 0;
    } else if (up) {
      x++;
      y -= y > 0;
    } else {
      y++;
      x -= x > 0;
    }
  }
  *u = x;
  *v = y;
}

static inline guint
lossy_step(const Lossy *kind, guint component, guint k)
{
  return kind->step + (k * (component > 0 ? 3 : 1) * kind->step + 7) / 16;
}

static inline double
lossy_cosine(guint x, guint u)
{
  return cos((2 * x + 1) * u * G_PI / 16) * (u == 0 ? sqrt(0.125) : 0.5);
}

/* A.3.3 */
static inline void
lossy_forward(const LossyPicture *p, guint index, guint bx, guint by)
{
  const LossyComponent *c = &p->components[index];
  gint16 *block = c->blocks + (by * c->across + bx) * 64;

  for (guint k = 0; k < 64; k++) {
    guint u, v;
    double sum = 0;

    lossy_place(k, &u, &v);
    for (guint y = 0; y < 8; y++) {
      for (guint x = 0; x < 8; x++) {
        sum += (c->samples[(by * 8 + y) * c->across * 8 + bx * 8 + x] - 2048) * lossy_cosine(x, u) *
               lossy_cosine(y, v);
      }
    }
    block[k] = (gint16)lrint(sum / lossy_step(&p->kind, index, k));
  }
}

static inline void
lossy_clear(LossyPicture *p)
{
  for (guint i = 0; i < 4; i++) {
    g_free(p->components[i].samples);
    g_free(p->components[i].blocks);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LossyPicture, lossy_clear)

static inline void
lossy_make(LossyPicture *p, const Lossy *kind)
{
  g_autoptr(GRand) draw = g_rand_new_with_seed(1974);

  memset(p, 0, sizeof *p);
  p->kind = *kind;
  for (guint i = 0; i < kind->samples; i++) {
    p->h = MAX(p->h, kind->samples == 1 ? 1 : kind->factors[i] >> 4);
    p->v = MAX(p->v, kind->samples == 1 ? 1 : kind->factors[i] & 15);
  }
  p->mcus_across = (kind->width + 8 * p->h - 1) / (8 * p->h);
  p->mcus_down = (kind->height + 8 * p->v - 1) / (8 * p->v);
  for (guint i = 0; i < kind->samples; i++) {
    LossyComponent *c = &p->components[i];

    c->h = kind->samples == 1 ? 1 : kind->factors[i] >> 4;
    c->v = kind->samples == 1 ? 1 : kind->factors[i] & 15;
    c->columns = (kind->width * c->h + p->h - 1) / p->h;
    c->rows = (kind->height * c->v + p->v - 1) / p->v;
    c->across = p->mcus_across * c->h;
    c->down = p->mcus_down * c->v;
    c->used_across = (c->columns + 7) / 8;
    c->used_down = (c->rows + 7) / 8;
    c->samples = g_new(double, c->across * c->down * 64);
    c->blocks = g_new(gint16, c->across * c->down * 64);
    for (guint y = 0; y < c->down * 8; y++) {
      for (guint x = 0; x < c->across * 8; x++) {
        const double level = 2048 + 1800 * sin(x / (9.0 + i)) * cos(y / (7.0 + 2 * i)) +
                             g_rand_double_range(draw, -1, 1) * kind->noise;

        c->samples[y * c->across * 8 + x] = CLAMP(round(level), 0, 4095);
      }
    }
    for (guint j = 0; j < c->across * c->down; j++) {
      lossy_forward(p, i, j % c->across, j / c->across);
    }
  }
}

/* The samples of a component as the code stream has them, in double precision: A.3.3 again. */
static inline double *
lossy_decode(const LossyPicture *p, guint index)
{
  const LossyComponent *c = &p->components[index];
  double *out = g_new0(double, c->across * c->down * 64);

  for (guint j = 0; j < c->across * c->down; j++) {
    double *first = out + j / c->across * 64 * c->across + j % c->across * 8;

    for (guint i = 0; i < 64; i++) {
      double sum = 2048;

      for (guint k = 0; k < 64; k++) {
        guint u, v;

        lossy_place(k, &u, &v);
        sum += c->blocks[j * 64 + k] * (double)lossy_step(&p->kind, index, k) *
               lossy_cosine(i % 8, u) * lossy_cosine(i / 8, v);
      }
      first[i / 8 * 8 * c->across + i % 8] = CLAMP(sum, 0, 4095);
    }
  }
  return out;
}

/* ---- the code stream --------------------------------------------------------------------------
 */

/* The codes of AC symbols: every byte, 200 of eight bits and 56 of sixteen, in an order in which
 * neither common nor rare ones come first, and another for each table. Those of DC categories are
 * lossless.h's, of 2 to 15 bits. */
#define LOSSY_SHORT 200

static inline guint
lossy_symbol(guint table, guint rank)
{
  return (rank * 73 + 41 * table) & 255;
}

static inline guint
lossy_category(guint table, guint rank)
{
  return (rank + 5 * table) % 16;
}

static inline void
lossy_put_symbol(LosslessWriter *w, guint table, guint symbol)
{
  guint rank = 0;

  while (lossy_symbol(table, rank) != symbol) {
    rank++;
  }
  if (rank < LOSSY_SHORT) {
    lossless_put(w, rank, 8);
  } else {
    lossless_put(w, (LOSSY_SHORT << 8) + rank - LOSSY_SHORT, 16);
  }
}

static inline guint
lossy_bits_of(gint value)
{
  guint n = 0;

  while (ABS(value) >> n != 0) {
    n++;
  }
  return n;
}

static inline void
lossy_put_value(LosslessWriter *w, gint value, guint n)
{
  lossless_put(w, (guint)(value < 0 ? value - 1 : value) & ((1u << n) - 1), n);
}

static inline void
lossy_put_difference(LosslessWriter *w, guint table, gint difference)
{
  const guint category = lossy_bits_of(difference);
  guint rank = 0;

  while (lossy_category(table, rank) != category) {
    rank++;
  }
  const guint length = rank < 3 ? 2 : rank;
  lossless_put(w, rank < 3 ? rank : (1u << length) - 2, length);
  lossy_put_value(w, difference, category);
}

typedef struct {
  guint first, last, high, low; /* Ss, Se, Ah, Al */
} LossyBand;

/* What a progressive scan of AC coefficients still has to write: blocks that are at their end, and
 * the bits that correct their coefficients. */
typedef struct {
  LosslessWriter w;
  LossyBand band;
  gint predictions[4];
  guint end_run;
  GByteArray *corrections;
} LossyScan;

static inline void
lossy_put_bits(LossyScan *s, GByteArray *bits)
{
  for (guint i = 0; i < bits->len; i++) {
    lossless_put(&s->w, bits->data[i], 1);
  }
  g_byte_array_set_size(bits, 0);
}

static inline void
lossy_put_end_run(LossyScan *s, guint table)
{
  guint n = 0;

  if (s->end_run > 0) {
    while (s->end_run >> (n + 1) != 0) {
      n++;
    }
    lossy_put_symbol(&s->w, table, n << 4);
    lossless_put(&s->w, s->end_run & ((1u << n) - 1), n);
    s->end_run = 0;
    lossy_put_bits(s, s->corrections);
  }
}

/* F.1.2 */
static inline void
lossy_sequential_block(LossyScan *s, guint table, gint *prediction, const gint16 *block)
{
  guint run = 0;

  lossy_put_difference(&s->w, table, block[0] - *prediction);
  *prediction = block[0];
  for (guint k = 1; k < 64; k++) {
    if (block[k] == 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) {
      lossy_put_symbol(&s->w, table, 0xf0);
    }
    const guint n = lossy_bits_of(block[k]);
    lossy_put_symbol(&s->w, table, run << 4 | n);
    lossy_put_value(&s->w, block[k], n);
    run = 0;
  }
  if (run > 0) {
    lossy_put_symbol(&s->w, table, 0);
  }
}

/* G.1.2.1: arithmetic shift. */
static inline void
lossy_dc_block(LossyScan *s, guint table, gint *prediction, const gint16 *block)
{
  const gint value = block[0] >> s->band.low;

  if (s->band.high > 0) {
    lossless_put(&s->w, (guint)value & 1, 1);
    return;
  }
  lossy_put_difference(&s->w, table, value - *prediction);
  *prediction = value;
}

/* G.1.2.2 and, where HIGH is set, G.1.2.3: division. Runs of sixteen zeros are put off until a new
 * coefficient follows, and then each has the corrections that belong to it. */
static inline void
lossy_ac_block(LossyScan *s, guint table, const gint16 *block)
{
  g_autoptr(GByteArray) bits = g_byte_array_new();
  guint run = 0, last_new = 0;

  for (guint k = s->band.first; k <= s->band.last; k++) {
    const gint value = block[k] / (1 << s->band.low);

    if (value != 0 && (s->band.high == 0 || ABS(value) == 1)) {
      last_new = k;
    }
  }
  for (guint k = s->band.first; k <= s->band.last; k++) {
    const gint value = block[k] / (1 << s->band.low);

    if (value == 0) {
      run++;
      if (run == 16 && k < last_new) {
        lossy_put_end_run(s, table);
        lossy_put_symbol(&s->w, table, 0xf0);
        lossy_put_bits(s, bits);
        run = 0;
      }
    } else if (s->band.high > 0 && ABS(value) > 1) {
      const guint8 bit = ABS(value) & 1;

      g_byte_array_append(bits, &bit, 1);
    } else {
      const guint n = lossy_bits_of(value);

      lossy_put_end_run(s, table);
      lossy_put_symbol(&s->w, table, run << 4 | n);
      lossy_put_value(&s->w, value, n);
      lossy_put_bits(s, bits);
      run = 0;
    }
  }
  if (run > 0 || bits->len > 0) {
    s->end_run++;
    g_byte_array_append(s->corrections, bits->data, bits->len);
    if (s->end_run == 0x7fff) {
      lossy_put_end_run(s, table);
    }
  }
}

static inline void
lossy_block(LossyScan *s, const LossyPicture *p, guint index, const gint16 *block)
{
  const guint table = index > 0;

  if (!p->kind.progressive) {
    lossy_sequential_block(s, table, &s->predictions[index], block);
  } else if (s->band.first == 0) {
    lossy_dc_block(s, table, &s->predictions[index], block);
  } else {
    lossy_ac_block(s, table, block);
  }
}

static inline void
lossy_restart(LossyScan *s, guint table, guint number)
{
  const guint8 marker[2] = {0xff, (guint8)(0xd0 + number % 8)};

  lossy_put_end_run(s, table);
  lossless_flush(&s->w);
  g_byte_array_append(s->w.bytes, marker, 2);
  memset(s->predictions, 0, sizeof s->predictions);
}

/* The scan of components FIRST to END - 1. */
static inline void
lossy_scan(GByteArray *out, const LossyPicture *p, guint first, guint end, LossyBand band)
{
  g_autoptr(GByteArray) corrections = g_byte_array_new();
  LossyScan s = {.w = {out, 0, 0}, .band = band, .corrections = corrections};
  const LossyComponent *alone = end - first == 1 ? &p->components[first] : NULL;
  const guint across = alone ? alone->used_across : p->mcus_across;
  const guint mcus = across * (alone ? alone->used_down : p->mcus_down);
  guint8 header[12] = {(guint8)(end - first)};
  guint n = 1, restarts = 0;

  for (guint c = first; c < end; c++) {
    header[n++] = (guint8)(c + 1);
    header[n++] = c > 0 ? 0x11 : 0;
  }
  header[n++] = (guint8)band.first;
  header[n++] = (guint8)band.last;
  header[n++] = (guint8)(band.high << 4 | band.low);
  lossless_segment(out, 0xda, header, n);
  for (guint i = 0; i < mcus; i++) {
    if (p->kind.restart_mcus > 0 && i > 0 && i % p->kind.restart_mcus == 0) {
      lossy_restart(&s, first > 0, restarts++);
    }
    for (guint c = first; c < end; c++) {
      const LossyComponent *of = &p->components[c];

      for (guint j = 0; j < (alone ? 1 : of->h * of->v); j++) {
        const guint x = alone ? i % across : i % across * of->h + j % of->h;
        const guint y = alone ? i / across : i / across * of->v + j / of->h;

        lossy_block(&s, p, c, of->blocks + (y * of->across + x) * 64);
      }
    }
  }
  lossy_put_end_run(&s, first > 0);
  lossless_flush(&s.w);
}

/* Two quantisation tables, the second in 16 bits, and two of codes for each class. */
static inline void
lossy_tables(GByteArray *out, const Lossy *kind)
{
  guint8 steps[1 + 64 + 1 + 128] = {0}, codes[17 + 256];

  for (guint k = 0; k < 64; k++) {
    const guint first = lossy_step(kind, 0, k), second = lossy_step(kind, 1, k);

    steps[1 + k] = (guint8)MIN(first, 255);
    steps[66 + 2 * k] = (guint8)(second >> 8);
    steps[67 + 2 * k] = (guint8)second;
  }
  steps[65] = 0x11;
  lossless_segment(out, 0xdb, steps, sizeof steps);
  for (guint table = 0; table < 2; table++) {
    codes[0] = (guint8)table;
    memcpy(codes + 1, lossless_counts, 16);
    codes[16] = 0; /* DC has 16 categories, and no code of 16 bits */
    for (guint rank = 0; rank < 16; rank++) {
      codes[17 + rank] = (guint8)lossy_category(table, rank);
    }
    lossless_segment(out, 0xc4, codes, 17 + 16);
    memset(codes, 0, 17);
    codes[0] = (guint8)(0x10 | table);
    codes[8] = LOSSY_SHORT;
    codes[16] = 256 - LOSSY_SHORT;
    for (guint rank = 0; rank < 256; rank++) {
      codes[17 + rank] = (guint8)lossy_symbol(table, rank);
    }
    lossless_segment(out, 0xc4, codes, sizeof codes);
  }
}

static inline GByteArray *
lossy_encode(const LossyPicture *p)
{
  static const LossyBand script[] = {{0, 0, 0, 1},  {1, 5, 0, 2},  {6, 63, 0, 2}, {0, 0, 1, 0},
                                     {1, 63, 2, 1}, {1, 20, 1, 0}, {21, 63, 1, 0}};
  static const guint8 start[2] = {0xff, 0xd8}, end[2] = {0xff, 0xd9};
  const Lossy *kind = &p->kind;
  const guint8 restart[2] = {(guint8)(kind->restart_mcus >> 8), (guint8)kind->restart_mcus};
  guint8 frame[18] = {12,
                      (guint8)(kind->height >> 8),
                      (guint8)kind->height,
                      (guint8)(kind->width >> 8),
                      (guint8)kind->width,
                      (guint8)kind->samples};
  GByteArray *out = g_byte_array_new();

  g_byte_array_append(out, start, 2);
  lossy_tables(out, kind);
  for (guint c = 0; c < kind->samples; c++) {
    frame[6 + 3 * c] = (guint8)(c + 1);
    frame[7 + 3 * c] = kind->factors[c];
    frame[8 + 3 * c] = c > 0;
  }
  lossless_segment(out, kind->progressive ? 0xc2 : 0xc1, frame, 6 + 3 * kind->samples);
  if (kind->restart_mcus > 0) {
    lossless_segment(out, 0xdd, restart, 2);
  }
  if (!kind->progressive) {
    for (guint c = 0; kind->separate && c < kind->samples; c++) {
      lossy_scan(out, p, c, c + 1, (LossyBand){0, 63, 0, 0});
    }
    if (!kind->separate) {
      lossy_scan(out, p, 0, kind->samples, (LossyBand){0, 63, 0, 0});
    }
  }
  for (guint i = 0; kind->progressive && i < G_N_ELEMENTS(script); i++) {
    const gboolean together = script[i].first == 0 && !kind->separate;

    for (guint c = 0; c < (together ? 1 : kind->samples); c++) {
      lossy_scan(out, p, c, together ? kind->samples : c + 1, script[i]);
    }
  }
  g_byte_array_append(out, end, 2);
  return out;
}

#endif
