/* test-codec-jpeg.c - lossy JPEG: streams made by libjpeg-turbo's encoder, whole and damaged. */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

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

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-jpeg/all", test_jpeg);
  g_test_add_func("/dicom/codec-jpeg/colour", test_jpeg_colour);
  g_test_add_func("/dicom/codec-jpeg/wide", test_jpeg_wide);
  g_test_add_func("/dicom/codec-jpeg/lies", test_jpeg_lies);
  g_test_add_func("/dicom/codec-jpeg/scans", test_jpeg_scans);
  g_test_add_func("/dicom/codec-jpeg/cut", test_jpeg_cut);
  g_test_add_func("/dicom/codec-jpeg/damage", test_jpeg_damage);
  return g_test_run();
}
