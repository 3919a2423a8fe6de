/* test-codec.c - RLE, JPEG and JPEG-LS: streams made here, by libjpeg-turbo's encoder and by that
 * of CharLS, whole and damaged. */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>

#include <charls/charls.h>
#include <jpeglib.h>

static void
expect_refusal(DicomCodec codec, DicomCodecJob job, const guint8 *data, gsize n, const char *why)
{
  g_auto(Job) j = {.job = job};
  const char *wrong = job_run(&j, codec, data, n);

  if (!wrong || !strstr(wrong, why)) {
    g_error("\"%s\" says nothing of \"%s\"", wrong ? wrong : "(shown)", why);
  }
}

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

static DicomCodecJob
job_of(guint columns, guint rows, guint samples, guint bits)
{
  DicomCodecJob job = {.columns = columns,
                       .rows = rows,
                       .samples = samples,
                       .bits_allocated = bits,
                       .bits_stored = bits};

  return job;
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

/* ---- JPEG --------------------------------------------------------------------------------------
 */

typedef struct {
  guint width, height, samples;
  J_COLOR_SPACE space; /* in the code stream */
  gboolean halved;     /* chroma at half the resolution, both ways */
  gboolean progressive, jfif, adobe;
  guint restart_rows;
} Kind;

/* Smooth, so that little is lost at the best quality. */
static guint8
level_at(const Kind *kind, guint x, guint y, guint c)
{
  return (guint8)(20 +
                  (x * (3 + c) + y * (2 + 2 * c)) * 200 / (kind->width * 5 + kind->height * 6));
}

static GByteArray *
jpeg_encode(const Kind *kind)
{
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr errors;
  g_autofree guint8 *row = g_malloc((gsize)kind->width * kind->samples);
  unsigned char *bytes = NULL;
  unsigned long n = 0;

  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, &bytes, &n);
  c.image_width = kind->width;
  c.image_height = kind->height;
  c.input_components = (int)kind->samples;
  c.in_color_space = kind->space;
  jpeg_set_defaults(&c);
  jpeg_set_colorspace(&c, kind->space);
  jpeg_set_quality(&c, 100, TRUE);
  c.write_JFIF_header = kind->jfif;
  c.write_Adobe_marker = kind->adobe;
  c.comp_info[0].h_samp_factor = c.comp_info[0].v_samp_factor = kind->halved ? 2 : 1;
  c.restart_in_rows = (int)kind->restart_rows;
  if (kind->progressive) {
    jpeg_simple_progression(&c);
  }
  jpeg_start_compress(&c, TRUE);
  for (guint y = 0; y < kind->height; y++) {
    for (guint i = 0; i < kind->width * kind->samples; i++) {
      row[i] = level_at(kind, i / kind->samples, y, i % kind->samples);
    }
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  GByteArray *out = g_byte_array_new();
  g_byte_array_append(out, bytes, (guint)n);
  free(bytes);
  return out;
}

static DicomCodecJob
jpeg_job(const Kind *kind)
{
  return job_of(kind->width, kind->height, kind->samples, 8);
}

#define YCC JCS_YCbCr
#define GREY JCS_GRAYSCALE
static const Kind kinds[] = {
    {41, 23, 1, GREY, FALSE, FALSE, TRUE, FALSE, 0},
    {41, 23, 1, GREY, TRUE, FALSE, FALSE, FALSE,
     1}, /* factors of 2 mean nothing for one component */
    {41, 23, 1, GREY, FALSE, TRUE, FALSE, FALSE, 0},
    {41, 23, 3, YCC, FALSE, FALSE, TRUE, FALSE, 0},
    {41, 23, 3, YCC, TRUE, FALSE, FALSE, FALSE, 0},
    {41, 23, 3, YCC, TRUE, TRUE, FALSE, TRUE, 1},
    {41, 23, 3, JCS_RGB, FALSE, FALSE, FALSE, TRUE, 0},
    {41, 23, 3, JCS_RGB, FALSE, TRUE, FALSE, FALSE, 0},
};

static void
test_jpeg(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    const Kind *kind = &kinds[i];
    g_autoptr(GByteArray) bytes = jpeg_encode(kind);
    g_auto(Job) j = {.job = jpeg_job(kind)};

    g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len), ==, NULL);
    for (guint y = 0; y < kind->height; y++) {
      for (guint x = 0; x < kind->width * kind->samples; x++) {
        const gint got = j.job.out[y * kind->width * kind->samples + x];

        /* Quantisation by one and two roundings; the slope of chroma at half the resolution and
         * of edges that are not whole blocks. */
        g_assert_cmpint(ABS(got - level_at(kind, x / kind->samples, y, x % kind->samples)), <=, 4);
      }
    }
  }
}

/* What the data set says, what the markers say, and what it is. */
static void
test_jpeg_colour(void)
{
  static const struct {
    Kind kind;
    const char *photometric;
    DicomColour colour;
  } cases[] = {
      {{16, 16, 1, GREY, FALSE, FALSE, TRUE, FALSE, 0}, "MONOCHROME1", COLOUR_GREY},
      {{16, 16, 1, GREY, FALSE, FALSE, TRUE, FALSE, 0}, "PALETTE COLOR", COLOUR_PALETTE},
      {{16, 16, 3, YCC, FALSE, FALSE, FALSE, FALSE, 0}, "YBR_FULL", COLOUR_YBR_FULL},
      {{16, 16, 3, YCC, TRUE, FALSE, FALSE, FALSE, 0}, "YBR_FULL_422", COLOUR_YBR_FULL},
      {{16, 16, 3, YCC, TRUE, FALSE, FALSE, FALSE, 0}, "YBR_PARTIAL_422", COLOUR_YBR_PARTIAL},
      {{16, 16, 3, JCS_RGB, FALSE, FALSE, FALSE, FALSE, 0}, "RGB", COLOUR_RGB},
      {{16, 16, 3, YCC, FALSE, FALSE, TRUE, FALSE, 0}, "RGB", COLOUR_YBR_FULL},
      {{16, 16, 3, YCC, TRUE, FALSE, FALSE, FALSE, 0}, "RGB", COLOUR_YBR_FULL},
      {{16, 16, 3, YCC, FALSE, FALSE, FALSE, TRUE, 0}, "RGB", COLOUR_YBR_FULL},
      {{16, 16, 3, JCS_RGB, FALSE, FALSE, FALSE, TRUE, 0}, "YBR_FULL", COLOUR_RGB},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = jpeg_encode(&cases[i].kind);
    g_auto(Job) j = {.job = jpeg_job(&cases[i].kind)};

    j.job.photometric = cases[i].photometric;
    g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len), ==, NULL);
    g_assert_cmpint(j.job.colour, ==, cases[i].colour);
    g_assert_cmpint(ABS((gint)j.job.out[0] - 20), <=, 4);
  }
}

/* Eight bits in the code stream, sixteen allocated. */
static void
test_jpeg_wide(void)
{
  g_autoptr(GByteArray) bytes = jpeg_encode(&kinds[0]);

  for (guint is_signed = 0; is_signed < 2; is_signed++) {
    g_auto(Job) narrow = {.job = jpeg_job(&kinds[0])};
    g_auto(Job) wide = {.job = job_of(41, 23, 1, 16)};

    wide.job.bits_stored = 8;
    wide.job.is_signed = (gboolean)is_signed;
    g_assert_null(job_run(&narrow, dicom_codec_jpeg, bytes->data, bytes->len));
    g_assert_null(job_run(&wide, dicom_codec_jpeg, bytes->data, bytes->len));
    for (guint i = 0; i < 41 * 23; i++) {
      const guint8 low = narrow.job.out[i];

      g_assert_cmpuint(wide.job.out[2 * i], ==, low);
      g_assert_cmpuint(wide.job.out[2 * i + 1], ==, is_signed && low >= 128 ? 255 : 0);
    }
  }
}

static guint
find(const GByteArray *bytes, guint marker)
{
  for (guint i = 0; i + 1 < bytes->len; i++) {
    if (bytes->data[i] == 0xff && bytes->data[i + 1] == marker) {
      return i;
    }
  }
  g_assert_not_reached();
}

static void
test_jpeg_lies(void)
{
  static const struct {
    guint marker;
    const char *why;
  } processes[] = {{0xc5, "hierarchical"}, {0xc9, "arithmetic"},   {0xca, "arithmetic"},
                   {0xcb, "arithmetic"},   {0xcd, "hierarchical"}, {0xf7, "JPEG-LS"}};
  g_autoptr(GByteArray) bytes = jpeg_encode(&kinds[0]);
  const guint frame = find(bytes, 0xc0);

  for (guint i = 0; i < G_N_ELEMENTS(processes); i++) {
    bytes->data[frame + 1] = (guint8)processes[i].marker;
    expect_refusal(dicom_codec_jpeg, jpeg_job(&kinds[0]), bytes->data, bytes->len,
                   processes[i].why);
  }
  bytes->data[frame + 1] = 0xc0;
  expect_refusal(dicom_codec_jpeg, job_of(23, 41, 1, 8), bytes->data, bytes->len,
                 "holds 41 x 23 pixels of 1 samples; Columns x Rows is 23 x 41");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 3, 8), bytes->data, bytes->len,
                 "SamplesPerPixel 3");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 1, 32), bytes->data, bytes->len,
                 "BitsAllocated is 32");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 1, 8), (const guint8 *)"no JPEG", 7,
                 "begins with 6E 6F");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 1, 8), bytes->data, frame, "no frame header");
  expect_refusal(dicom_codec_jpeg, job_of(41, 23, 1, 8), NULL, 0, "begins with 00 00");
  bytes->data[frame + 5] = bytes->data[frame + 7] = 60000 >> 8;
  bytes->data[frame + 6] = bytes->data[frame + 8] = 60000 & 255;
  DicomCodecJob huge = job_of(60000, 60000, 1, 8);
  guint8 byte;
  huge.data = bytes->data;
  huge.n = bytes->len;
  huge.out = &byte; /* no memory is touched */
  huge.out_bytes = (gsize)60000 * 60000;
  huge.photometric = "MONOCHROME2";
  g_assert_nonnull(strstr(dicom_codec_jpeg(&huge), "too short for the picture"));
}

/* Each scan costs a pass over the picture and may bring nothing new. */
static void
test_jpeg_scans(void)
{
  g_autoptr(GByteArray) bytes = jpeg_encode(&kinds[2]);
  const guint first = find(bytes, 0xc4), scan = find(bytes, 0xda);
  guint end = scan + 2;

  while (bytes->data[end] != 0xff || bytes->data[end + 1] == 0) {
    end++;
  }
  /* The first scan brings the DC coefficients without their lowest bit: let it be all of them, so
   * that the same may come again. */
  bytes->data[scan + 9] = 0;
  g_autofree guint8 *copy = g_memdup2(bytes->data + first, end - first);
  g_byte_array_set_size(bytes, end);
  for (guint i = 0; i < 400; i++) {
    g_byte_array_append(bytes, copy, end - first);
  }
  const guint allowed = bytes->len;
  for (guint i = 0; i < 400; i++) {
    g_byte_array_append(bytes, copy, end - first);
  }
  g_byte_array_append(bytes, (const guint8 *)"\xff\xd9", 2);
  expect_refusal(dicom_codec_jpeg, jpeg_job(&kinds[2]), bytes->data, bytes->len,
                 "more than 500 scans");
  bytes->data[allowed] = 0xff;
  bytes->data[allowed + 1] = 0xd9;
  g_auto(Job) j = {.job = jpeg_job(&kinds[2])};
  g_assert_cmpstr(job_run(&j, dicom_codec_jpeg, bytes->data, allowed + 2), ==, NULL);
}

/* Cut anywhere, but for the end marker of a sequential one. */
static void
test_jpeg_cut(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autoptr(GByteArray) bytes = jpeg_encode(&kinds[i]);

    for (guint n = 0; n < bytes->len - 2; n += 1 + n / 64) {
      expect_refusal(dicom_codec_jpeg, jpeg_job(&kinds[i]), bytes->data, n, "");
    }
    g_auto(Job) j = {.job = jpeg_job(&kinds[i])};
    const char *wrong = job_run(&j, dicom_codec_jpeg, bytes->data, bytes->len - 2);
    g_assert_true(kinds[i].progressive == (wrong != NULL));
  }
}

static void
test_jpeg_damage(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    const DicomCodecJob job = jpeg_job(&kinds[i]);
    g_autoptr(GByteArray) bytes = jpeg_encode(&kinds[i]);
    guint refused, tried;

    damage_run(dicom_codec_jpeg, &job, bytes, 500);
    damage_bits(dicom_codec_jpeg, &job, bytes, find(bytes, 0xda) + 14, bytes->len - 2, &refused,
                &tried);
    g_test_message("kind %u: %u of %u single bits noticed", i, refused, tried);
  }
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
  g_test_add_func("/dicom/codec/jpeg", test_jpeg);
  g_test_add_func("/dicom/codec/jpeg-colour", test_jpeg_colour);
  g_test_add_func("/dicom/codec/jpeg-wide", test_jpeg_wide);
  g_test_add_func("/dicom/codec/jpeg-lies", test_jpeg_lies);
  g_test_add_func("/dicom/codec/jpeg-scans", test_jpeg_scans);
  g_test_add_func("/dicom/codec/jpeg-cut", test_jpeg_cut);
  g_test_add_func("/dicom/codec/jpeg-damage", test_jpeg_damage);
  g_test_add_func("/dicom/codec/jpegls", test_jpegls);
  g_test_add_func("/dicom/codec/jpegls-lies", test_jpegls_lies);
  g_test_add_func("/dicom/codec/jpegls-damage", test_jpegls_damage);
  return g_test_run();
}
