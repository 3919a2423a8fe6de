/* test-codec.c - RLE: streams made here, whole and damaged. */
#include "damage.h"

/* PS3.5 G.3.1: runs of two and more, the rest literally. */
static void
append_segment(GByteArray *out, const guint8 *in, gsize n, gsize stride)
{
  for (gsize i = 0; i < n;) {
    gsize run = 1, end = i + 1;
    guint8 head[2];

    while (i + run < n && run < 128 && in[(i + run) * stride] == in[i * stride]) {
      run++;
    }
    if (run > 1) {
      head[0] = (guint8)(257 - run);
      head[1] = in[i * stride];
      g_byte_array_append(out, head, 2);
      i += run;
      continue;
    }
    while (end < n && end - i < 128 && in[end * stride] != in[(end - 1) * stride]) {
      end++;
    }
    head[0] = (guint8)(end - i - 1);
    g_byte_array_append(out, head, 1);
    for (; i < end; i++) {
      g_byte_array_append(out, in + i * stride, 1);
    }
  }
}

static GByteArray *
rle_encode(const guint8 *in, gsize n_pixels, guint samples, guint bytes)
{
  GByteArray *out = g_byte_array_new();

  g_byte_array_set_size(out, 64);
  memset(out->data, 0, 64);
  out->data[0] = (guint8)(samples * bytes);
  for (guint i = 0; i < samples * bytes; i++) {
    const guint32 at = GUINT32_TO_LE(out->len);

    memcpy(out->data + 4 + 4 * i, &at, 4);
    append_segment(out, in + i / bytes * bytes + (bytes - 1 - i % bytes), n_pixels,
                   (gsize)samples * bytes);
    if (out->len % 2) {
      g_byte_array_append(out, (const guint8 *)"", 1);
    }
  }
  return out;
}

/* Long runs, short ones, and noise. */
static guint8 *
make_bytes(gsize n)
{
  guint8 *bytes = g_malloc(n);
  g_autoptr(GRand) draw = g_rand_new_with_seed(7);

  for (gsize i = 0; i < n; i++) {
    bytes[i] = i < n / 3   ? (guint8)(i / 700)
               : i < n / 2 ? (guint8)(i / 5)
                           : (guint8)g_rand_int_range(draw, 0, i % 50 < 25 ? 2 : 256);
  }
  return bytes;
}

static void
test_rle(void)
{
  for (guint samples = 1; samples <= 3; samples += 2) {
    for (guint bytes = 1; bytes <= 4; bytes *= 2) {
      for (guint rows = 1; rows < 90; rows += 11) {
        const gsize n = 97 * (gsize)rows;
        g_autofree guint8 *in = make_bytes(n * samples * bytes);
        g_autoptr(GByteArray) out = rle_encode(in, n, samples, bytes);
        g_auto(Job) j = {.job = job_of(97, rows, samples, 8 * bytes)};

        g_assert_null(job_run(&j, dicom_codec_rle, out->data, out->len));
        g_assert_cmpmem(j.job.out, j.job.out_bytes, in, n * samples * bytes);
        g_assert_cmpint(j.job.colour, ==, samples == 1 ? COLOUR_GREY : COLOUR_RGB);
      }
    }
  }
}

static void
test_rle_one_bit(void)
{
  for (guint columns = 1; columns < 70; columns++) {
    const gsize n = 13 * (gsize)columns, n_packed = (n + 7) / 8;
    g_autofree guint8 *in = make_bytes(n_packed);
    g_autoptr(GByteArray) out = rle_encode(in, n_packed, 1, 1);
    g_auto(Job) j = {.job = job_of(columns, 13, 1, 1)};

    g_assert_null(job_run(&j, dicom_codec_rle, out->data, out->len));
    for (gsize i = 0; i < n; i++) {
      g_assert_cmpuint(j.job.out[i], ==, in[i / 8] >> (i % 8) & 1);
    }
  }
}

/* A frame of one segment: the header and DATA. */
static GByteArray *
one_segment(const guint8 *data, gsize n)
{
  GByteArray *out = rle_encode(data, 0, 1, 1);

  g_byte_array_append(out, data, (guint)n);
  return out;
}

static void
test_rle_tolerance(void)
{
  static const struct {
    guint8 data[8];
    guint n;
    gboolean shown;
  } cases[] = {
      {{3, 1, 2, 3, 4}, 5, TRUE},
      {{3, 1, 2, 3, 4, 0}, 6, TRUE},        /* padded */
      {{5, 1, 2, 3, 4, 5, 6}, 7, TRUE},     /* goes on behind the picture */
      {{128, 128, 3, 1, 2, 3, 4}, 7, TRUE}, /* nothing, twice */
      {{9, 1, 2, 3, 4}, 5, TRUE},           /* cut off, but all is there */
      {{1, 1, 2, 1, 3, 4}, 6, TRUE},        /* two runs */
      {{9, 1, 2, 3}, 4, FALSE},             /* cut off */
      {{255, 1, 1, 3}, 4, FALSE},           /* cut off in a second run */
      {{255}, 1, FALSE},                    /* a run of nothing */
      {{0}, 0, FALSE},                      /* nothing at all */
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) out = one_segment(cases[i].data, cases[i].n);
    g_auto(Job) j = {.job = job_of(2, 2, 1, 8)};
    const char *wrong = job_run(&j, dicom_codec_rle, out->data, out->len);

    if (cases[i].shown) {
      g_assert_cmpstr(wrong, ==, NULL);
      g_assert_cmpmem(j.job.out, 4, "\1\2\3\4", 4);
    } else {
      g_assert_cmpstr(wrong, ==, "an RLE segment ends before its pixels do");
    }
  }
}

static void
test_rle_lies(void)
{
  g_autofree guint8 *in = make_bytes(64 * 64 * 2);
  g_autoptr(GByteArray) out = rle_encode(in, 64 * 64, 1, 2);
  DicomCodecJob job = job_of(64, 64, 1, 16);

  expect_refusal(dicom_codec_rle, job_of(8, 8, 1, 16), out->data, 63, "shorter than 64 bytes");
  for (gsize n = 64; n < out->len - 1; n += 7) {
    expect_refusal(dicom_codec_rle, job, out->data, n, "");
  }
  expect_refusal(dicom_codec_rle, job_of(64, 64, 1, 8), out->data, out->len, "number of RLE");
  expect_refusal(dicom_codec_rle, job_of(64, 64, 1, 24), out->data, out->len,
                 "BitsAllocated is 24");
  expect_refusal(dicom_codec_rle, job_of(4000, 4000, 1, 16), out->data, out->len, "too short");
  out->data[4] = 63;
  expect_refusal(dicom_codec_rle, job, out->data, out->len, "begins outside");
  out->data[4] = 64;
  out->data[11] = 1;
  expect_refusal(dicom_codec_rle, job, out->data, out->len, "begins outside");
}

static void
test_rle_damage(void)
{
  for (guint samples = 1; samples <= 3; samples += 2) {
    const DicomCodecJob job = job_of(60, 50, samples, 16);
    g_autofree guint8 *in = make_bytes(60 * 50 * 6);
    g_autoptr(GByteArray) out = rle_encode(in, 60 * 50, samples, 2);

    damage_run(dicom_codec_rle, &job, out, 2000);
  }
  const DicomCodecJob bits = job_of(120, 50, 1, 1);
  g_autofree guint8 *in = make_bytes(750);
  g_autoptr(GByteArray) out = rle_encode(in, 750, 1, 1);
  damage_run(dicom_codec_rle, &bits, out, 2000);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec/rle", test_rle);
  g_test_add_func("/dicom/codec/rle-one-bit", test_rle_one_bit);
  g_test_add_func("/dicom/codec/rle-tolerance", test_rle_tolerance);
  g_test_add_func("/dicom/codec/rle-lies", test_rle_lies);
  g_test_add_func("/dicom/codec/rle-damage", test_rle_damage);
  return g_test_run();
}
