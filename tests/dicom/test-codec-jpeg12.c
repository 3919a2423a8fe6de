/* test-codec-jpeg12.c - lossy JPEG of 12 bits: streams of the tests' own encoder beside a plain
 * decoder, of DCMTK's encoder beside its decoder, and damaged ones. */
#include "build.h"
#include "damage.h"
#include "dicom.h"
#include "jpeg12.h"
#include "picture.h"

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data/test_files"
#define FULL                                                                                       \
  {                                                                                                \
    0x11, 0x11, 0x11, 0x11                                                                         \
  }

static const Lossy kinds[] = {
    {41, 23, 1, FULL, 4, 0, FALSE, FALSE, 0},
    {41, 23, 1, {0x22}, 9, 3, FALSE, FALSE, 300}, /* factors mean nothing for one component */
    {64, 16, 1, FULL, 1, 0, FALSE, FALSE, 2000},
    {1, 1, 1, FULL, 16, 0, FALSE, FALSE, 100},
    {41, 23, 1, FULL, 5, 4, FALSE, TRUE, 200},
    {41, 23, 3, FULL, 8, 0, FALSE, FALSE, 50},
    {41, 23, 3, {0x22, 0x11, 0x11}, 8, 2, FALSE, FALSE, 50},
    {41, 23, 3, {0x21, 0x11, 0x11}, 60, 0, TRUE, FALSE, 50},
    {35, 37, 3, {0x12, 0x11, 0x11}, 8, 5, TRUE, FALSE, 50},
    {70, 37, 3, {0x41, 0x11, 0x21}, 8, 0, FALSE, FALSE, 50},
    {5, 40, 3, {0x22, 0x11, 0x11}, 8, 0, FALSE, FALSE, 50}, /* too narrow to smooth */
    {20, 20, 3, {0x11, 0x22, 0x12}, 8, 0, FALSE, FALSE, 50},
    {41, 23, 3, {0x22, 0x11, 0x11}, 6, 0, FALSE, TRUE, 400},
    {41, 23, 3, {0x21, 0x11, 0x11}, 6, 2, TRUE, TRUE, 400},
};

static DicomCodecJob
job_for(const Lossy *kind)
{
  DicomCodecJob job = job_of(kind->width, kind->height, kind->samples, 16);

  job.bits_stored = 12;
  return job;
}

static guint
sample_at(const Job *j, gsize i)
{
  return j->job.out[2 * i] | (guint)j->job.out[2 * i + 1] << 8;
}

/* What a component has at a place of the picture: from PLANE, as it is, or by weights of three to
 * one where it has half the resolution across, and perhaps down. */
static double
expect_at(const LossyPicture *p, guint index, const double *plane, guint x, guint y)
{
  const LossyComponent *c = &p->components[index];
  const guint stride = c->across * 8, across = p->h / c->h, down = p->v / c->v;
  const guint i = x / across, j = y / down;
  guint next_i = i, next_j = j;

  if (across == 2 && down <= 2 && c->columns > 2) {
    next_i = x % 2 == 0 ? MAX(i, 1) - 1 : MIN(i + 1, c->columns - 1);
    if (down == 2) {
      next_j = y % 2 == 0 ? MAX(j, 1) - 1 : MIN(j + 1, c->rows - 1);
    }
  }
  return (9 * plane[j * stride + i] + 3 * plane[j * stride + next_i] +
          3 * plane[next_j * stride + i] + plane[next_j * stride + next_i]) /
         16;
}

static void
compare(const LossyPicture *p, const Job *j)
{
  double worst = 0;

  for (guint c = 0; c < p->kind.samples; c++) {
    const LossyComponent *of = &p->components[c];
    const gboolean whole = of->h == p->h && of->v == p->v;
    g_autofree double *plane = lossy_decode(p, c);

    for (guint i = 0; i < p->kind.width * p->kind.height; i++) {
      const guint x = i % p->kind.width, y = i / p->kind.width;
      const double got = sample_at(j, (gsize)i * p->kind.samples + c);
      const double off = fabs(got - expect_at(p, c, plane, x, y));

      worst = MAX(worst, off);
      /* A rounding, and the 13 bits of the constants; smoothing rounds once more. */
      g_assert_cmpfloat(off, <=, whole ? 1 : 1.5);
      if (whole) {
        /* 64 coefficients are off by half a step each at the most, as is then their norm. */
        g_assert_cmpfloat(fabs(got - of->samples[y * of->across * 8 + x]), <=,
                          4 * lossy_step(&p->kind, c, 63) + 1);
      }
    }
  }
  g_test_message("%u x %u x %u: at most %.3f off", p->kind.width, p->kind.height, p->kind.samples,
                 worst);
}

static void
test_all(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(LossyPicture) picture = {0};
    g_auto(Job) j = {.job = job_for(&kinds[i])};

    lossy_make(&picture, &kinds[i]);
    g_autoptr(GByteArray) bytes = lossy_encode(&picture);
    g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len), ==, NULL);
    compare(&picture, &j);
  }
}

/* The largest coefficients that there are: no overrun, and samples of 12 bits. */
static void
test_extremes(void)
{
  static const Lossy kind = {32, 16, 1, FULL, 200, 0, FALSE, FALSE, 0};
  g_auto(LossyPicture) picture = {0};
  g_auto(Job) j = {.job = job_for(&kind)};
  gint16 *blocks;

  lossy_make(&picture, &kind);
  blocks = picture.components[0].blocks;
  for (guint k = 0; k < 8 * 64; k++) {
    blocks[k] = (gint16)((k * 7 + k / 64) % 3 == 0 ? 16383 : k % 2 ? -16383 : 0);
  }
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len), ==, NULL);
  for (guint i = 0; i < kind.width * kind.height; i++) {
    g_assert_cmpuint(sample_at(&j, i), <=, 4095);
  }
  /* Beyond black and beyond white, by DC coefficients alone. */
  memset(blocks, 0, 8 * 64 * sizeof *blocks);
  blocks[0] = -100;
  blocks[64] = 100;
  g_autoptr(GByteArray) plain = lossy_encode(&picture);
  g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, plain->data, plain->len), ==, NULL);
  g_assert_cmpuint(sample_at(&j, 0), ==, 0);
  g_assert_cmpuint(sample_at(&j, 8), ==, 4095);
  g_assert_cmpuint(sample_at(&j, 16), ==, 2048);
}

static void
test_sign(void)
{
  static const Lossy kind = {16, 8, 1, FULL, 4, 0, FALSE, FALSE, 0};
  g_auto(LossyPicture) picture = {0};
  g_auto(Job) plain = {.job = job_for(&kind)};
  g_auto(Job) with_sign = {.job = job_for(&kind)};

  with_sign.job.is_signed = TRUE;
  lossy_make(&picture, &kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  g_assert_null(job_run(&plain, dicom_codec_jpeg, bytes->data, bytes->len));
  g_assert_null(job_run(&with_sign, dicom_codec_jpeg, bytes->data, bytes->len));
  for (guint i = 0; i < kind.width * kind.height; i++) {
    const guint value = sample_at(&plain, i);

    g_assert_cmpuint(sample_at(&with_sign, i), ==, value & 0x800 ? value | 0xf000 : value);
  }
}

/* ---- lies -------------------------------------------------------------------------------------
 */

/* BYTES with those at AT replaced by N others. */
static void
expect_refused_with(const Lossy *kind, const GByteArray *bytes, guint at, const char *with, guint n,
                    const char *why)
{
  g_autofree guint8 *copy = g_memdup2(bytes->data, bytes->len);

  memcpy(copy + at, with, n);
  expect_refusal(dicom_codec_jpeg, job_for(kind), copy, bytes->len, why);
}

static void
test_frame_lies(void)
{
  const Lossy *kind = &kinds[6];
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  const guint frame = find(bytes, 0xc1), component = frame + 10;

  expect_refused_with(kind, bytes, frame + 1, "\xc9", 1, "arithmetic");
  expect_refused_with(kind, bytes, frame + 4, "\x0a", 1, "10 bits per sample");
  expect_refused_with(kind, bytes, component + 1, "\x20", 1, "sampling factors 2 x 0");
  expect_refused_with(kind, bytes, component + 1, "\x51", 1, "sampling factors 5 x 1");
  expect_refused_with(kind, bytes, component + 4, "\x33", 1, "no whole fraction");
  expect_refused_with(kind, bytes, component + 1, "\x44", 1, "18 blocks in a unit");
  expect_refused_with(kind, bytes, component + 3, "\x01", 1, "the same name");
  expect_refused_with(kind, bytes, component + 2, "\x03", 1, "a quantisation table that is not");
  expect_refused_with(kind, bytes, component + 2, "\x04", 1, "a quantisation table that is not");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 3, 8), bytes->data, bytes->len,
                 "BitsAllocated is 8");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 1, 16), bytes->data, bytes->len,
                 "SamplesPerPixel 1");
}

static void
test_table_lies(void)
{
  const Lossy *kind = &kinds[0];
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  const guint steps = find(bytes, 0xdb), codes = find(bytes, 0xc4), scan = find(bytes, 0xda);

  expect_refused_with(kind, bytes, steps + 4, "\x20", 1, "quantisation table is broken");
  expect_refused_with(kind, bytes, steps + 4, "\x04", 1, "quantisation table is broken");
  expect_refused_with(kind, bytes, steps + 69, "\x21", 1, "quantisation table is broken");
  expect_refused_with(kind, bytes, codes + 4, "\x20", 1, "Huffman table is broken");
  expect_refused_with(kind, bytes, codes + 4, "\x05", 1, "Huffman table is broken");
  expect_refused_with(kind, bytes, codes + 5, "\x03", 1, "Huffman table is broken");
  expect_refused_with(kind, bytes, codes + 21, "\x10", 1, "Huffman table that is not there");
  expect_refused_with(kind, bytes, codes + 4, "\x03", 1, "Huffman table that is not there");
  expect_refused_with(kind, bytes, scan + 4, "\x05", 1, "scan header is broken");
  expect_refused_with(kind, bytes, scan + 5, "\x07", 1, "a component that the frame has not");
  expect_refused_with(kind, bytes, scan + 6, "\x40", 1, "Huffman table that is not there");
  expect_refused_with(kind, bytes, scan + 6, "\x02", 1, "Huffman table that is not there");
  /* What stands for the spectral selection is passed over, as by every decoder. */
  g_auto(Job) j = {.job = job_for(kind)};
  memset(bytes->data + scan + 7, 0, 3);
  g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len), ==, NULL);
}

/* A segment without a meaning before the scan, and one that gives the height behind it. */
static void
test_height_behind(void)
{
  const Lossy *kind = &kinds[7];
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  const guint scan = find(bytes, 0xda);
  g_autoptr(GByteArray) lines = g_byte_array_new();

  g_byte_array_append(lines, bytes->data, scan);
  g_byte_array_append(lines, (const guint8 *)"\xff\xfe\0\4ab", 6);
  g_byte_array_append(lines, bytes->data + scan, bytes->len - scan);
  g_auto(Job) j = {.job = job_for(kind)};
  g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, lines->data, lines->len), ==, NULL);
  memcpy(lines->data + scan, "\xff\xdc\0\4\0\x17", 6);
  expect_refusal(dicom_codec_jpeg, job_for(kind), lines->data, lines->len, "B.2.5");
}

/* A run of zeros that leads out of its block, a code that no table has, and a value that no
 * coefficient can have: blocks written by hand. */
static void
test_block_lies(void)
{
  static const Lossy kind = {8, 8, 1, FULL, 4, 0, FALSE, FALSE, 0};
  static const guint runs[][3] = {{4, 0xf1, 0}, {3, 0xf0, 0xf1}, {1, 0x30, 0}};
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, &kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  const guint data = find(bytes, 0xda) + 10;

  for (guint i = 0; i <= G_N_ELEMENTS(runs); i++) {
    LosslessWriter w = {bytes, 0, 0};

    g_byte_array_set_size(bytes, data);
    lossy_put_difference(&w, 0, 0);
    for (guint n = 0; i < G_N_ELEMENTS(runs) && n < runs[i][0]; n++) {
      lossy_put_symbol(&w, 0, runs[i][1]);
      lossy_put_value(&w, 1, runs[i][1] & 15);
    }
    if (i == 1) {
      lossy_put_symbol(&w, 0, runs[i][2]); /* 48 zeros before, and 15: the 65th coefficient */
      lossy_put_value(&w, 1, 1);
    }
    if (i == G_N_ELEMENTS(runs)) {
      lossless_put(&w, 0xffff, 16);
    }
    lossless_flush(&w);
    g_byte_array_append(bytes, (const guint8 *)"\xff\xd9", 2);
    expect_refusal(dicom_codec_jpeg, job_for(&kind), bytes->data, bytes->len,
                   "in no Huffman table, or leads out of its block");
  }
}

static void
test_dc_lies(void)
{
  static const Lossy kind = {24, 8, 1, FULL, 4, 0, FALSE, FALSE, 0};
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, &kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  LosslessWriter w = {bytes, 0, 0};
  g_byte_array_set_size(bytes, find(bytes, 0xda) + 10);
  for (guint i = 0; i < 3; i++) {
    lossy_put_difference(&w, 0, 32767);
    lossy_put_symbol(&w, 0, 0);
  }
  lossless_flush(&w);
  g_byte_array_append(bytes, (const guint8 *)"\xff\xd9", 2);
  expect_refusal(dicom_codec_jpeg, job_for(&kind), bytes->data, bytes->len, "damaged");
}

/* ---- scans ------------------------------------------------------------------------------------
 */

static void
test_scan_lies(void)
{
  const Lossy *kind = &kinds[7];
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  const guint first = find(bytes, 0xda);
  guint second = first + 2;

  while (bytes->data[second] != 0xff || bytes->data[second + 1] != 0xda) {
    second++;
  }
  expect_refused_with(kind, bytes, second + 5, "\x01", 1, "comes a second time");
  expect_refused_with(kind, bytes, second, "\xff\xd9", 2, "ends before the picture does");
}

/* The scans of a progressive frame one after the other, by their headers. */
static void
test_progressive_lies(void)
{
  const Lossy *kind = &kinds[4];
  g_auto(LossyPicture) picture = {0};
  guint scans[8], n = 0;

  lossy_make(&picture, kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  for (guint i = 0; i + 1 < bytes->len; i++) {
    if (bytes->data[i] == 0xff && bytes->data[i + 1] == 0xda) {
      scans[n++] = i + 7;
    }
  }
  g_assert_cmpuint(n, ==, 7);
  expect_refused_with(kind, bytes, scans[0], "\0\5", 2, "G.1.1.1");
  expect_refused_with(kind, bytes, scans[0], "\1\5", 2, "before its component's first");
  expect_refused_with(kind, bytes, scans[0], "\0\0\x0e", 3, "G.1.1.1");
  expect_refused_with(kind, bytes, scans[0], "\0\0\x21", 3, "what has not");
  expect_refused_with(kind, bytes, scans[1], "\5\4", 2, "G.1.1.1");
  expect_refused_with(kind, bytes, scans[1], "\1\x40", 2, "G.1.1.1");
  expect_refused_with(kind, bytes, scans[2], "\5\x3f", 2, "what has come");
  expect_refused_with(kind, bytes, scans[4], "\1\x3f\x20", 3, "G.1.1.1");
  expect_refused_with(kind, bytes, scans[4], "\1\x3f\x10", 3, "what has not");
  /* T.81 does not ask for all refinements; but an end must be seen. */
  for (guint i = 1; i < n; i++) {
    g_auto(Job) j = {.job = job_for(kind)};
    g_autofree guint8 *copy = g_memdup2(bytes->data, bytes->len);

    memcpy(copy + scans[i] - 7, "\xff\xd9", 2);
    g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, copy, scans[i]), ==, NULL);
    expect_refusal(dicom_codec_jpeg, job_for(kind), bytes->data, scans[i] - 7,
                   "ends before the picture does");
  }
}

/* The end of the band in more blocks than the scan has. */
static void
test_end_run(void)
{
  static const Lossy kind = {16, 8, 1, FULL, 4, 0, FALSE, TRUE, 0};
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, &kind);
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  g_autoptr(GByteArray) whole = lossy_encode(&picture);
  for (guint run = 2; run <= 3; run++) {
    static const guint8 band[] = {1, 1, 0, 1, 63, 0};
    LosslessWriter w = {bytes, 0, 0};
    g_auto(Job) j = {.job = job_for(&kind)};

    g_byte_array_set_size(bytes, 0);
    g_byte_array_append(bytes, whole->data, find(whole, 0xda));
    lossy_scan(bytes, &picture, 0, 1, (LossyBand){0, 0, 0, 0});
    lossless_segment(bytes, 0xda, band, sizeof band);
    lossy_put_symbol(&w, 0, 0x10);
    lossless_put(&w, run - 2, 1);
    lossless_flush(&w);
    g_byte_array_append(bytes, (const guint8 *)"\xff\xd9", 2);
    const char *wrong = job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len);
    if (run == 2) {
      g_assert_cmpstr(wrong, ==, NULL);
    } else {
      g_assert_true(wrong && strstr(wrong, "run of empty blocks"));
    }
  }
}

static void
test_many_scans(void)
{
  static const Lossy kind = {8, 8, 1, FULL, 4, 0, FALSE, TRUE, 0};
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, &kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  g_byte_array_set_size(bytes, find(bytes, 0xda));
  lossy_scan(bytes, &picture, 0, 1, (LossyBand){0, 0, 0, 0});
  /* Each coefficient alone, in fourteen steps: none comes twice. */
  for (guint i = 0; i < 500; i++) {
    const guint k = 1 + i / 14, low = 13 - i % 14;

    lossy_scan(bytes, &picture, 0, 1, (LossyBand){k, k, low == 13 ? 0 : low + 1, low});
    if (i == 498) {
      g_autoptr(GByteArray) all = g_byte_array_new();
      g_auto(Job) j = {.job = job_for(&kind)};

      g_byte_array_append(all, bytes->data, bytes->len);
      g_byte_array_append(all, (const guint8 *)"\xff\xd9", 2);
      g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, all->data, all->len), ==, NULL);
    }
  }
  g_byte_array_append(bytes, (const guint8 *)"\xff\xd9", 2);
  expect_refusal(dicom_codec_jpeg, job_for(&kind), bytes->data, bytes->len, "more than 500 scans");
}

/* Cut anywhere, but for the end marker of a sequential one. */
static void
test_cut(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(LossyPicture) picture = {0};

    lossy_make(&picture, &kinds[i]);
    g_autoptr(GByteArray) bytes = lossy_encode(&picture);
    for (guint n = 0; n < bytes->len - 2; n += 1 + n / 64) {
      expect_refusal(dicom_codec_jpeg, job_for(&kinds[i]), bytes->data, n, "");
    }
    g_auto(Job) j = {.job = job_for(&kinds[i])};
    const char *wrong = job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len - 2);
    g_assert_true(kinds[i].progressive == (wrong != NULL));
  }
}

static void
test_restarts(void)
{
  const Lossy *kind = &kinds[1];
  g_auto(LossyPicture) picture = {0};

  lossy_make(&picture, kind);
  g_autoptr(GByteArray) bytes = lossy_encode(&picture);
  const guint interval = find(bytes, 0xdd), first = find(bytes, 0xd0), second = find(bytes, 0xd1);

  expect_refused_with(kind, bytes, first, "\xff\xd1", 2, "restart marker");
  expect_refused_with(kind, bytes, second, "\xff\xd2", 2, "restart marker");
  expect_refused_with(kind, bytes, interval + 5, "\4", 1, "ends before the picture does");
  expect_refused_with(kind, bytes, interval + 5, "\2", 1, "damaged");
  bytes->data[interval + 3] = 3;
  g_byte_array_remove_index(bytes, interval + 4);
  expect_refusal(dicom_codec_jpeg, job_for(kind), bytes->data, bytes->len,
                 "restart interval is broken");
}

static void
test_damage(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    const DicomCodecJob job = job_for(&kinds[i]);
    g_auto(LossyPicture) picture = {0};
    guint refused, tried;

    if (kinds[i].width < 8) {
      continue; /* a block or two, in which nearly nothing is noticed */
    }
    lossy_make(&picture, &kinds[i]);
    g_autoptr(GByteArray) bytes = lossy_encode(&picture);
    damage_run(dicom_codec_jpeg, &job, bytes, 500);
    const guint scan = find(bytes, 0xda) + 14, end = MIN(bytes->len - 2, scan + 600);
    damage_bits(dicom_codec_jpeg, &job, bytes, scan, end, &refused, &tried);
    g_test_message("kind %u: %u of %u single bits noticed", i, refused, tried);
  }
}

/* ---- others' files ----------------------------------------------------------------------------
 */

/* By a file of python3-pydicom: the code stream is found by its first markers. */
static void
test_pydicom(void)
{
  g_autofree char *file = NULL;
  gsize size;

  if (!g_file_get_contents(PYDICOM "/JPGExtended.dcm", &file, &size, NULL)) {
    g_test_skip("python3-pydicom has no JPGExtended.dcm");
    return;
  }
  const guint8 *first = memmem(file, size, "\xff\xd8\xff", 3);
  g_assert_nonnull(first);
  const gsize n = size - (gsize)(first - (const guint8 *)file);
  DicomCodecJob job = job_of(256, 1024, 1, 16);
  guint64 sum = 0;
  job.bits_stored = 12;
  g_auto(Job) j = {.job = job};
  g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, first, n), ==, NULL);
  for (gsize i = 0; i < j.job.out_bytes / 2; i++) {
    sum += sample_at(&j, i);
  }
  g_assert_cmpuint(sum, ==, 3767007); /* by DCMTK's dcmdjpeg */
  expect_refusal(dicom_codec_jpeg, job, first, n / 2, "ends before the picture does");
}

static char *
write_source(guint width, guint height, guint samples)
{
  const Lossy kind = {width, height, samples, FULL, 4, 0, FALSE, FALSE, 250};
  const Shape shape = {height,
                       width,
                       1,
                       samples,
                       16,
                       12,
                       11,
                       0,
                       samples == 3 ? "RGB" : "MONOCHROME2",
                       samples == 3 ? 0 : -1};
  g_autofree guint16 *words = g_new(guint16, width * height * samples);
  g_auto(LossyPicture) picture = {0};
  g_auto(Build) b = {0};

  lossy_make(&picture, &kind);
  for (guint i = 0; i < width * height * samples; i++) {
    const guint x = i / samples % width, y = i / samples / width;
    const LossyComponent *c = &picture.components[i % samples];

    words[i] = (guint16)c->samples[y * c->across * 8 + x];
  }
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_text(&b, 0x0020000d, "UI", "1.2.3.5");
  build_text(&b, 0x0020000e, "UI", "1.2.3.6");
  build_shape(&b, &shape);
  build_words(&b, 0x7fe00010, "OW", words, width * height * samples);
  return build_write(&b, "source.dcm");
}

static void
run_tool(const char *const *argv)
{
  g_autoptr(GError) error = NULL;
  gint status;

  g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                             NULL, &status, &error));
  g_assert_cmpint(status, ==, 0);
}

/* dcmdjpeg's stored values and ours. */
static void
compare_with_dcmtk(const char *source, const char *process, const char *quality,
                   const char *sampling)
{
  g_autofree char *encoded = g_build_filename(build_folder(), "encoded.dcm", NULL);
  g_autofree char *decoded = g_build_filename(build_folder(), "decoded.dcm", NULL);
  gsize n_ours, n_theirs;

  run_tool(
      (const char *[]){"dcmcjpeg", process, "+bt", "+q", quality, sampling, source, encoded, NULL});
  run_tool((const char *[]){"dcmdjpeg", "+cn", encoded, decoded, NULL});
  g_autoptr(DicomFrame) ours = open_frame(encoded, 0);
  g_autoptr(DicomFrame) theirs = open_frame(decoded, 0);
  const guint8 *a = dicom_frame_stored(ours, &n_ours), *b = dicom_frame_stored(theirs, &n_theirs);
  g_assert_cmpmem(a, n_ours, b, n_theirs);
}

static void
test_dcmtk(void)
{
  static const char *const processes[] = {"+ee", "+es", "+ep"};
  static const char *const samplings[] = {"+s4", "+s2", "+n1", "+cr"};
  g_autofree char *encoder = g_find_program_in_path("dcmcjpeg");
  g_autofree char *decoder = g_find_program_in_path("dcmdjpeg");

  if (!encoder || !decoder) {
    g_test_skip("DCMTK's tools are not installed");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(processes); i++) {
    g_autofree char *grey = write_source(83, 45, 1);

    compare_with_dcmtk(grey, processes[i], "95", "+s4");
    compare_with_dcmtk(grey, processes[i], "40", "+s4");
    g_autofree char *colour = write_source(83, 45, 3);
    for (guint j = 0; j < G_N_ELEMENTS(samplings); j++) {
      compare_with_dcmtk(colour, processes[i], "90", samplings[j]);
    }
  }
}

/* Files of the corpus whose values are known: NAME, and the sum of all frames. */
static void
test_corpus(void)
{
  static const char *const files[][2] = {
      {"ts-matrix-ct/ct-chest_jpeg-extended-12bit.dcm", "d6f64cfeba0b33866594798d293a0b9f"},
      {"ts-matrix-ct/ct-chest_jpeg-progressive-retired.dcm", "d6f64cfeba0b33866594798d293a0b9f"},
      {"ts-matrix-ct/ct-chest_jpeg-spectral-retired.dcm", "d6f64cfeba0b33866594798d293a0b9f"},
      {"cr-dx-mg-xa/RG2_hip_mono2_jpeg-extended.dcm", "27fa50d4cf6b31baa669e9746ce10f63"},
      {"cr-dx-mg-xa/RG3_extremity_mono1_jpeg-extended.dcm", "cc2968949ffbb6548288ffde7e5202e4"},
      {"mr-nm-pt/NM_jpeg-extended_12bit.dcm", "812050a7fc53b5735f7740b60969cb6b"},
  };
  g_autofree char *folder = shared_path("corpus/dicom");

  for (guint i = 0; folder && i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = g_build_filename(folder, files[i][0], NULL);
    gsize n;

    g_autoptr(DicomFrame) frame = open_frame(path, 0);
    const guint8 *stored = dicom_frame_stored(frame, &n);
    g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_MD5, stored, n);
    g_assert_cmpstr(sum, ==, files[i][1]);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-jpeg12/all", test_all);
  g_test_add_func("/dicom/codec-jpeg12/extremes", test_extremes);
  g_test_add_func("/dicom/codec-jpeg12/sign", test_sign);
  g_test_add_func("/dicom/codec-jpeg12/frame-lies", test_frame_lies);
  g_test_add_func("/dicom/codec-jpeg12/table-lies", test_table_lies);
  g_test_add_func("/dicom/codec-jpeg12/height-behind", test_height_behind);
  g_test_add_func("/dicom/codec-jpeg12/block-lies", test_block_lies);
  g_test_add_func("/dicom/codec-jpeg12/dc-lies", test_dc_lies);
  g_test_add_func("/dicom/codec-jpeg12/scan-lies", test_scan_lies);
  g_test_add_func("/dicom/codec-jpeg12/progressive-lies", test_progressive_lies);
  g_test_add_func("/dicom/codec-jpeg12/end-run", test_end_run);
  g_test_add_func("/dicom/codec-jpeg12/many-scans", test_many_scans);
  g_test_add_func("/dicom/codec-jpeg12/cut", test_cut);
  g_test_add_func("/dicom/codec-jpeg12/restarts", test_restarts);
  g_test_add_func("/dicom/codec-jpeg12/damage", test_damage);
  g_test_add_func("/dicom/codec-jpeg12/pydicom", test_pydicom);
  g_test_add_func("/dicom/codec-jpeg12/dcmtk", test_dcmtk);
  g_test_add_func("/dicom/codec-jpeg12/corpus", test_corpus);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
