/* test-codec-lossless.c - lossless JPEG: streams of an encoder of our own, whole and damaged. */
#include "damage.h"
#include "lossless.h"

/* Background, a smooth part, noise, and both ends of the range. */
static guint16 *
make_values(const Lossless *l)
{
  const gsize n = (gsize)l->width * l->height * l->samples;
  const guint top = (1u << l->precision) - 1;
  guint16 *values = g_new(guint16, n + 1);
  g_autoptr(GRand) draw = g_rand_new_with_seed(81);

  for (gsize i = 0; i < n; i++) {
    const gsize x = i / l->samples % l->width, y = i / l->samples / l->width;
    guint value = y < l->height / 4 ? top / 3 : (guint)((x * 5 + y * 3) * (top / 64 + 1) / 8);

    if (y > l->height / 2) {
      value = (guint)g_rand_int_range(draw, 0, (gint32)top + 1);
    } else if (x > l->width / 2 && y >= l->height / 4) {
      value += (guint)g_rand_int_range(draw, 0, 4);
    }
    if (y == l->height / 3 && x % 4 == 1) {
      value = x % 8 == 1 ? top : 0;
    }
    if (y == l->height / 3 && x % 4 == 3) {
      value = value & 1 ? (top + 1) / 2 : 0;
    }
    values[i] = (guint16)((value & top) >> l->point_transform << l->point_transform);
  }
  return values;
}

static DicomCodecJob
job_for(const Lossless *l)
{
  DicomCodecJob job = {.columns = l->width,
                       .rows = l->height,
                       .samples = l->samples,
                       .bits_allocated = l->precision > 8 ? 16 : 8,
                       .bits_stored = l->precision};

  return job;
}

static guint
sample_at(const DicomCodecJob *job, gsize i)
{
  return job->bits_allocated == 8 ? job->out[i] : job->out[2 * i] | (guint)job->out[2 * i + 1] << 8;
}

static void
expect_values(const Lossless *l, DicomCodecJob job, const guint16 *values, const GByteArray *bytes)
{
  g_auto(Job) j = {.job = job};
  const gsize n = (gsize)l->width * l->height * l->samples;
  const char *wrong = job_run(&j, dicom_codec_jpeg_lossless, bytes->data, bytes->len);

  if (wrong) {
    g_error("predictor %u, %u bits, %u samples: %s", l->predictor, l->precision, l->samples, wrong);
  }
  for (gsize i = 0; i < n; i++) {
    if (sample_at(&j.job, i) != values[i]) {
      g_error("predictor %u, %u bits, %u samples, restart %u, separate %d: sample %" G_GSIZE_FORMAT
              " is %u, not %u",
              l->predictor, l->precision, l->samples, l->restart_rows, l->separate, i,
              sample_at(&j.job, i), values[i]);
    }
  }
}

static void
expect_same(const Lossless *l)
{
  g_autofree guint16 *values = make_values(l);
  g_autoptr(GByteArray) bytes = lossless_encode(l, values);

  expect_values(l, job_for(l), values, bytes);
}

static void
test_all_ways(void)
{
  static const guint precisions[] = {2, 7, 8, 10, 12, 15, 16}, restarts[] = {0, 1, 3},
                     samples[] = {1, 2, 3, 4};

  for (guint predictor = 1; predictor <= 7; predictor++) {
    for (guint p = 0; p < G_N_ELEMENTS(precisions); p++) {
      for (guint s = 0; s < G_N_ELEMENTS(samples); s++) {
        for (guint r = 0; r < G_N_ELEMENTS(restarts); r++) {
          Lossless l = {47, 23, samples[s], precisions[p], predictor, 0, restarts[r], FALSE, 0};

          expect_same(&l);
          l.separate = TRUE;
          expect_same(&l);
          l.point_transform = precisions[p] / 3;
          expect_same(&l);
        }
      }
    }
  }
}

static void
test_sizes(void)
{
  for (guint width = 1; width <= 20; width++) {
    for (guint height = 1; height <= 3; height++) {
      for (guint samples = 1; samples <= 3; samples += 2) {
        const Lossless l = {width, height, samples, 12, 4, 0, 0, FALSE, 0};

        expect_same(&l);
      }
    }
  }
}

/* Runs of what was predicted, as long as the bits that are looked at, longer, and to the row's end.
 */
static void
test_background(void)
{
  for (guint every = 1; every < 90; every++) {
    const Lossless l = {200, 6, 1 + 2 * (every % 2), 12, 1 + every % 7, 0, 0, FALSE, 0};
    const gsize n = (gsize)l.width * l.height * l.samples;
    g_autofree guint16 *values = g_new0(guint16, n);

    for (gsize i = 0; i < n; i++) {
      values[i] = (guint16)(i / every * 7 & 4095);
    }
    g_autoptr(GByteArray) bytes = lossless_encode(&l, values);
    expect_values(&l, job_for(&l), values, bytes);
  }
}

static void
test_sign(void)
{
  const Lossless l = {30, 20, 1, 12, 1, 0, 0, FALSE, 0};
  const gsize n = 30 * 20;
  g_autofree guint16 *values = make_values(&l);
  g_autoptr(GByteArray) bytes = lossless_encode(&l, values);
  DicomCodecJob job = job_for(&l);

  job.is_signed = TRUE;
  for (gsize i = 0; i < n; i++) {
    values[i] |= values[i] & 0x800 ? 0xf000 : 0;
  }
  expect_values(&l, job, values, bytes);
  /* An encoder that left the sign in the bits above its precision. */
  g_autoptr(GByteArray) wide = lossless_encode(&l, values);
  expect_values(&l, job, values, wide);
}

/* The difference of 32768 is category 16, without bits behind it; some encoders write 16. */
static void
test_category_16(void)
{
  Lossless l = {64, 4, 1, 16, 1, 0, 0, FALSE, 0};
  g_autofree guint16 *values = g_new0(guint16, 64 * 4);

  for (guint i = 0; i < 64 * 4; i++) {
    values[i] = (guint16)(i / 5 % 2 ? 32768 + i / 64 : i / 64);
  }
  g_autoptr(GByteArray) right = lossless_encode(&l, values);
  expect_values(&l, job_for(&l), values, right);
  l.extra_after_16 = 16;
  g_autoptr(GByteArray) wrong = lossless_encode(&l, values);
  expect_values(&l, job_for(&l), values, wrong);
}

static void
test_cut_and_surplus(void)
{
  const Lossless l = {40, 20, 1, 12, 1, 0, 4, FALSE, 0};
  g_autofree guint16 *values = make_values(&l);
  g_autoptr(GByteArray) bytes = lossless_encode(&l, values);
  const guint whole = bytes->len;

  for (guint cut = 3; cut < whole; cut++) {
    g_autoptr(GByteArray) part = g_byte_array_new();
    g_byte_array_append(part, bytes->data, whole - cut);
    expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), part->data, part->len, "");
  }
  /* Only the end marker is missing, or a byte too many is there. */
  g_autoptr(GByteArray) no_end = g_byte_array_new();
  g_byte_array_append(no_end, bytes->data, whole - 2);
  expect_values(&l, job_for(&l), values, no_end);
  g_byte_array_append(no_end, (const guint8 *)"\0\xff\xd9", 3);
  expect_values(&l, job_for(&l), values, no_end);
  g_byte_array_set_size(no_end, whole - 2);
  g_byte_array_append(no_end, (const guint8 *)"\1\2\3\4\xff\xd9", 6);
  expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), no_end->data, no_end->len,
                 "goes on behind its last row");
  bytes->data[find(bytes, 0xd2) + 1] = 0xd3;
  expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), bytes->data, bytes->len, "restart marker");
}

static void
test_lies(void)
{
  const Lossless l = {40, 20, 1, 12, 1, 0, 0, FALSE, 0};
  g_autofree guint16 *values = make_values(&l);
  g_autoptr(GByteArray) bytes = lossless_encode(&l, values);
  const guint frame = find(bytes, 0xc3), scan = find(bytes, 0xda), table = find(bytes, 0xc4);
  DicomCodecJob job = job_for(&l);

  job.rows = 21;
  expect_refusal(dicom_codec_jpeg_lossless, job, bytes->data, bytes->len,
                 "holds 40 x 20 pixels of 1 samples; Columns x Rows is 40 x 21, SamplesPerPixel 1");
  job = job_for(&l);
  job.bits_allocated = 8;
  expect_refusal(dicom_codec_jpeg_lossless, job, bytes->data, bytes->len,
                 "12 bits per sample; BitsAllocated is 8");
  job = job_for(&l);
#define WITH(at, value, why)                                                                       \
  do {                                                                                             \
    const guint8 held = bytes->data[at];                                                           \
    bytes->data[at] = (value);                                                                     \
    expect_refusal(dicom_codec_jpeg_lossless, job, bytes->data, bytes->len, why);                  \
    bytes->data[at] = held;                                                                        \
  } while (0)
  WITH(frame + 1, 0xc0, "no lossless JPEG");
  WITH(frame + 4, 1, "no lossless JPEG");
  WITH(frame + 4, 17, "17 bits per sample");
  WITH(scan + 5, 9, "component that the frame has not");
  WITH(scan + 6, 0x10, "Huffman table that is not there");
  WITH(scan + 7, 0, "predictor 0");
  WITH(scan + 7, 8, "predictor 8");
  WITH(scan + 9, 12, "point transform 12");
  WITH(scan + 4, 0, "scan header is broken");
  WITH(table + 5, 3, "Huffman table is broken");
  WITH(1, 0xd9, "expected a JPEG code stream");
#undef WITH
  expect_values(&l, job, values, bytes);
  job.columns = job.rows = 65535;
  bytes->data[frame + 5] = bytes->data[frame + 6] = bytes->data[frame + 7] =
      bytes->data[frame + 8] = 0xff;
  job.columns = 4000;
  bytes->data[frame + 7] = 4000 >> 8;
  bytes->data[frame + 8] = 4000 & 255;
  job.rows = 100;
  bytes->data[frame + 5] = 0;
  bytes->data[frame + 6] = 100;
  expect_refusal(dicom_codec_jpeg_lossless, job, bytes->data, bytes->len,
                 "too short for the picture");
}

/* Two components of one scan are the same, or none comes for the third. */
static void
test_scans(void)
{
  const Lossless l = {9, 9, 3, 8, 1, 0, 0, TRUE, 0};
  g_autofree guint16 *values = make_values(&l);
  g_autoptr(GByteArray) bytes = lossless_encode(&l, values);
  guint scans[3], n = 0;

  for (guint i = 0; i + 1 < bytes->len; i++) {
    if (bytes->data[i] == 0xff && bytes->data[i + 1] == 0xda && n < 3) {
      scans[n++] = i;
    }
  }
  bytes->data[scans[1] + 5] = 1;
  expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), bytes->data, bytes->len,
                 "or a second time");
  bytes->data[scans[1] + 5] = 2;
  g_byte_array_set_size(bytes, scans[2]);
  expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), bytes->data, bytes->len,
                 "ends before the picture does");
  g_byte_array_append(bytes, (const guint8 *)"\xff\xd9", 2);
  expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), bytes->data, bytes->len,
                 "before all components have come");
}

static void
test_beyond_precision(void)
{
  const Lossless l = {9, 9, 1, 12, 1, 0, 0, FALSE, 0};
  g_autofree guint16 *values = make_values(&l);

  values[40] = 4096;
  g_autoptr(GByteArray) bytes = lossless_encode(&l, values);
  expect_refusal(dicom_codec_jpeg_lossless, job_for(&l), bytes->data, bytes->len,
                 "a sample is beyond its precision");
}

static void
test_damage(void)
{
  static const Lossless kinds[] = {{64, 40, 1, 12, 1, 0, 0, FALSE, 0},
                                   {64, 40, 1, 16, 4, 0, 5, FALSE, 0},
                                   {32, 20, 3, 8, 7, 0, 0, FALSE, 0},
                                   {32, 20, 3, 8, 5, 1, 2, TRUE, 0}};

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autofree guint16 *values = make_values(&kinds[i]);
    g_autoptr(GByteArray) bytes = lossless_encode(&kinds[i], values);
    const DicomCodecJob job = job_for(&kinds[i]);
    guint refused, tried;

    damage_run(dicom_codec_jpeg, &job, bytes, 1000);
    damage_bits(dicom_codec_jpeg, &job, bytes, find(bytes, 0xda) + 10, bytes->len - 2, &refused,
                &tried);
    g_test_message("%u of %u single bits noticed", refused, tried);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-lossless/all-ways", test_all_ways);
  g_test_add_func("/dicom/codec-lossless/sizes", test_sizes);
  g_test_add_func("/dicom/codec-lossless/background", test_background);
  g_test_add_func("/dicom/codec-lossless/sign", test_sign);
  g_test_add_func("/dicom/codec-lossless/category-16", test_category_16);
  g_test_add_func("/dicom/codec-lossless/cut-and-surplus", test_cut_and_surplus);
  g_test_add_func("/dicom/codec-lossless/lies", test_lies);
  g_test_add_func("/dicom/codec-lossless/scans", test_scans);
  g_test_add_func("/dicom/codec-lossless/beyond-precision", test_beyond_precision);
  g_test_add_func("/dicom/codec-lossless/damage", test_damage);
  return g_test_run();
}
