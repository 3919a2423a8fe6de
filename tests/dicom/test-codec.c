/* test-codec.c - RLE, JPEG and JPEG-LS: streams made here, by libjpeg-turbo's encoder and by that
 * of CharLS, whole and damaged. */
#include "damage.h"

#include <charls/charls.h>

/* ---- RLE ---------------------------------------------------------------------------------------
 */

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

/* ---- JPEG-LS -----------------------------------------------------------------------------------
 */

typedef struct {
  guint samples, precision, near;
  charls_interleave_mode mode;
  charls_color_transformation transform;
} LsKind;

#define LS_WIDTH 37
#define LS_HEIGHT 29

static guint
ls_value(const LsKind *kind, guint x, guint y, guint c)
{
  const guint noise = (x * 2654435761u + y * 40503u + c * 97u) >> 29;

  return ((x * (3 + c) + y * 7) * ((1u << kind->precision) / 512 + 1) + noise) &
         ((1u << kind->precision) - 1);
}

static GByteArray *
ls_encode(const LsKind *kind)
{
  const charls_frame_info frame = {LS_WIDTH, LS_HEIGHT, (gint32)kind->precision,
                                   (gint32)kind->samples};
  const gsize bytes = kind->precision > 8 ? 2 : 1, n = LS_WIDTH * LS_HEIGHT * kind->samples;
  g_autofree guint8 *in = g_malloc(n * bytes);
  charls_jpegls_encoder *encoder = charls_jpegls_encoder_create();
  GByteArray *out = g_byte_array_new();
  size_t size;

  for (gsize i = 0; i < n; i++) {
    const gboolean planar = kind->mode == CHARLS_INTERLEAVE_MODE_NONE;
    const gsize pixel = planar ? i % (LS_WIDTH * LS_HEIGHT) : i / kind->samples;
    const gsize c = planar ? i / (LS_WIDTH * LS_HEIGHT) : i % kind->samples;
    const guint value =
        ls_value(kind, (guint)(pixel % LS_WIDTH), (guint)(pixel / LS_WIDTH), (guint)c);

    in[i * bytes] = (guint8)value;
    in[i * bytes + bytes - 1] = (guint8)(value >> (8 * (bytes - 1)));
  }
  g_assert_cmpint(charls_jpegls_encoder_set_frame_info(encoder, &frame), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_near_lossless(encoder, (gint32)kind->near), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_interleave_mode(encoder, kind->mode), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_set_color_transformation(encoder, kind->transform), ==, 0);
  g_byte_array_set_size(out, (guint)(2 * n * bytes + 1024));
  g_assert_cmpint(charls_jpegls_encoder_set_destination_buffer(encoder, out->data, out->len), ==,
                  0);
  g_assert_cmpint(charls_jpegls_encoder_encode_from_buffer(encoder, in, n * bytes, 0), ==, 0);
  g_assert_cmpint(charls_jpegls_encoder_get_bytes_written(encoder, &size), ==, 0);
  charls_jpegls_encoder_destroy(encoder);
  g_byte_array_set_size(out, (guint)size);
  return out;
}

static void
expect_ls(const LsKind *kind, guint bits_allocated, gboolean is_signed)
{
  g_autoptr(GByteArray) bytes = ls_encode(kind);
  g_auto(Job) j = {.job = job_of(LS_WIDTH, LS_HEIGHT, kind->samples, bits_allocated)};

  j.job.bits_stored = kind->precision;
  j.job.is_signed = is_signed;
  g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, bytes->data, bytes->len), ==, NULL);
  for (guint i = 0; i < LS_WIDTH * LS_HEIGHT * kind->samples; i++) {
    const guint pixel = i / kind->samples;
    const gint wanted = (gint)ls_value(kind, pixel % LS_WIDTH, pixel / LS_WIDTH, i % kind->samples);
    const gint top = 1 << kind->precision;
    gint got =
        bits_allocated == 8 ? j.job.out[i] : (gint16)(j.job.out[2 * i] | j.job.out[2 * i + 1] << 8);

    if (is_signed) {
      g_assert_cmpint(got, ==, wanted >= top / 2 ? wanted - top : wanted);
    } else {
      got &= 0xffff;
      g_assert_cmpint(ABS(got - wanted), <=, kind->near);
    }
  }
}

static void
test_jpegls(void)
{
  static const guint precisions[] = {2, 7, 8, 10, 12, 16};

  for (guint i = 0; i < G_N_ELEMENTS(precisions); i++) {
    for (guint mode = 0; mode <= 2; mode++) {
      for (guint near = 0; near <= (precisions[i] < 7 ? 0 : 3); near += 3) {
        const LsKind colour = {3, precisions[i], near, (charls_interleave_mode)mode,
                               CHARLS_COLOR_TRANSFORMATION_NONE};
        const LsKind grey = {1, precisions[i], near, CHARLS_INTERLEAVE_MODE_NONE,
                             CHARLS_COLOR_TRANSFORMATION_NONE};

        expect_ls(&colour, precisions[i] > 8 ? 16 : 8, FALSE);
        expect_ls(&colour, 16, FALSE);
        expect_ls(&grey, 16, FALSE);
      }
    }
  }
  for (guint transform = 1; transform <= 3; transform++) {
    for (guint mode = 1; mode <= 2; mode++) {
      const LsKind kind = {3, 8, 0, (charls_interleave_mode)mode,
                           (charls_color_transformation)transform};

      expect_ls(&kind, 8, FALSE);
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(precisions); i++) {
    const LsKind grey = {1, precisions[i], 0, CHARLS_INTERLEAVE_MODE_NONE,
                         CHARLS_COLOR_TRANSFORMATION_NONE};

    expect_ls(&grey, 16, TRUE);
  }
}

static void
test_jpegls_lies(void)
{
  const LsKind kind = {1, 12, 0, CHARLS_INTERLEAVE_MODE_NONE, CHARLS_COLOR_TRANSFORMATION_NONE};
  g_autoptr(GByteArray) bytes = ls_encode(&kind);
  const guint frame = find(bytes, 0xf7);
  DicomCodecJob job = job_of(LS_WIDTH, LS_HEIGHT, 1, 16);

  expect_refusal(dicom_codec_jpegls, job_of(LS_HEIGHT, LS_WIDTH, 1, 16), bytes->data, bytes->len,
                 "holds 37 x 29 pixels of 1 samples; Columns x Rows is 29 x 37");
  expect_refusal(dicom_codec_jpegls, job_of(LS_WIDTH, LS_HEIGHT, 3, 16), bytes->data, bytes->len,
                 "SamplesPerPixel 3");
  expect_refusal(dicom_codec_jpegls, job_of(LS_WIDTH, LS_HEIGHT, 1, 8), bytes->data, bytes->len,
                 "12 bits per sample; BitsAllocated is 8");
  expect_refusal(dicom_codec_jpegls, job, (const guint8 *)"RIFF", 4, "begins with 52 49");
  for (guint n = 4; n < bytes->len - 2; n += 1 + n / 64) {
    expect_refusal(dicom_codec_jpegls, job, bytes->data, n, "CharLS: ");
  }
  bytes->data[frame + 5] = 0x75;
  bytes->data[frame + 6] = 0x30;
  expect_refusal(dicom_codec_jpegls, job_of(LS_WIDTH, 30000, 1, 16), bytes->data, bytes->len,
                 "too short for the picture");
}

static void
test_jpegls_damage(void)
{
  static const LsKind kinds_ls[] = {
      {1, 12, 0, CHARLS_INTERLEAVE_MODE_NONE, CHARLS_COLOR_TRANSFORMATION_NONE},
      {3, 8, 0, CHARLS_INTERLEAVE_MODE_NONE, CHARLS_COLOR_TRANSFORMATION_NONE},
      {3, 8, 2, CHARLS_INTERLEAVE_MODE_LINE, CHARLS_COLOR_TRANSFORMATION_NONE},
      {3, 8, 0, CHARLS_INTERLEAVE_MODE_SAMPLE, CHARLS_COLOR_TRANSFORMATION_HP2},
  };

  for (guint i = 0; i < G_N_ELEMENTS(kinds_ls); i++) {
    const DicomCodecJob job =
        job_of(LS_WIDTH, LS_HEIGHT, kinds_ls[i].samples, kinds_ls[i].precision > 8 ? 16 : 8);
    g_autoptr(GByteArray) bytes = ls_encode(&kinds_ls[i]);
    guint refused, tried;

    damage_run(dicom_codec_jpegls, &job, bytes, 500);
    damage_bits(dicom_codec_jpegls, &job, bytes, find(bytes, 0xda) + 14, bytes->len - 2, &refused,
                &tried);
    g_test_message("kind %u: %u of %u single bits noticed", i, refused, tried);
  }
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
  g_test_add_func("/dicom/codec/jpegls", test_jpegls);
  g_test_add_func("/dicom/codec/jpegls-lies", test_jpegls_lies);
  g_test_add_func("/dicom/codec/jpegls-damage", test_jpegls_damage);
  return g_test_run();
}
