/* test-codec-j2k.c - JPEG 2000: streams made by OpenJPEG's encoder, whole and damaged. */
#include "codec-job.h"
#include "dicom/limits.h"

#include <openjpeg.h>
#include <stdio.h>

typedef struct {
  guint width, height, components, precision;
  gboolean is_signed, mct, lossy;
  guint tile; /* side, 0: one tile */
  guint layers;
} Shape;

/* ---- encoding ----------------------------------------------------------------------------------
 */

static OPJ_SIZE_T
write_bytes(void *data, OPJ_SIZE_T n, void *user)
{
  g_byte_array_append(user, data, (guint)n);
  return n;
}

static OPJ_BOOL
seek_bytes(OPJ_OFF_T at, void *user)
{
  g_byte_array_set_size(user, (guint)at);
  return OPJ_TRUE;
}

/* Skipping forward while writing leaves a hole. */
static OPJ_OFF_T
skip_bytes(OPJ_OFF_T n, void *user)
{
  GByteArray *bytes = user;

  g_byte_array_set_size(bytes, bytes->len + (guint)n);
  return n;
}

/* Sample I of component C: a smooth ramp with some noise, from the least to the greatest value. */
static gint
value_of(const Shape *s, guint c, guint x, guint y)
{
  guint32 noise = (x * 2654435761u + y * 40503u + c * 97u) >> 29;
  gint64 range = (gint64)1 << s->precision, low = s->is_signed ? -range / 2 : 0;
  gint64 ramp = (gint64)(x + 2 * y + 5 * c) * range / (s->width + 2 * s->height + 20);

  if (x == 0 && y == 0) {
    return (gint)low;
  }
  if (x == 1 && y == 0) {
    return (gint)(low + range - 1);
  }
  return (gint)(low + MIN(ramp + noise, range - 1));
}

static opj_image_t *
make_image(const Shape *s)
{
  opj_image_cmptparm_t parameters[4] = {0};

  for (guint c = 0; c < s->components; c++) {
    parameters[c].dx = parameters[c].dy = 1;
    parameters[c].w = s->width;
    parameters[c].h = s->height;
    parameters[c].prec = s->precision;
    parameters[c].sgnd = s->is_signed;
  }
  opj_image_t *image = opj_image_create(s->components, parameters,
                                        s->components == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY);
  image->x1 = s->width;
  image->y1 = s->height;
  for (guint c = 0; c < s->components; c++) {
    for (guint y = 0; y < s->height; y++) {
      for (guint x = 0; x < s->width; x++) {
        image->comps[c].data[y * s->width + x] = value_of(s, c, x, y);
      }
    }
  }
  return image;
}

static GByteArray *
encode(const Shape *s, OPJ_CODEC_FORMAT format)
{
  GByteArray *bytes = g_byte_array_new();
  opj_cparameters_t parameters;
  opj_image_t *image = make_image(s);
  opj_codec_t *codec = opj_create_compress(format);
  opj_stream_t *stream = opj_stream_create(1 << 20, OPJ_FALSE);

  opj_set_default_encoder_parameters(&parameters);
  parameters.tcp_numlayers = 1;
  parameters.cp_disto_alloc = 1;
  parameters.tcp_rates[0] = s->lossy ? 20 : 0;
  parameters.irreversible = s->lossy;
  parameters.numresolution = 3;
  parameters.tcp_mct = (char)s->mct;
  if (s->tile > 0) {
    parameters.tile_size_on = OPJ_TRUE;
    parameters.cp_tdx = parameters.cp_tdy = (int)s->tile;
  }
  opj_stream_set_user_data(stream, bytes, NULL);
  opj_stream_set_write_function(stream, write_bytes);
  opj_stream_set_seek_function(stream, seek_bytes);
  opj_stream_set_skip_function(stream, skip_bytes);
  g_assert_true(opj_setup_encoder(codec, &parameters, image));
  g_assert_true(opj_start_compress(codec, image, stream));
  g_assert_true(opj_encode(codec, stream));
  g_assert_true(opj_end_compress(codec, stream));
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  return bytes;
}

/* ---- whole streams -----------------------------------------------------------------------------
 */

static gint
got_value(const DicomCodecJob *job, gsize i)
{
  gint32 value = 0;

  for (guint b = 0; b < job->bits_allocated / 8; b++) {
    value |= (gint32)((guint32)job->out[i * job->bits_allocated / 8 + b] << (8 * b));
  }
  if (job->is_signed && job->bits_allocated < 32 && value >> (job->bits_allocated - 1) & 1) {
    value -= (gint32)1 << job->bits_allocated;
  }
  return value;
}

static void
expect_values(const Shape *s, const DicomCodecJob *job, gint tolerance)
{
  for (guint y = 0; y < s->height; y++) {
    for (guint x = 0; x < s->width; x++) {
      for (guint c = 0; c < s->components; c++) {
        gint got = got_value(job, ((gsize)y * s->width + x) * s->components + c);

        g_assert_cmpint(ABS(got - value_of(s, c, x, y)), <=, tolerance);
      }
    }
  }
}

static Job
job_for(const Shape *s, guint bits_allocated)
{
  Job j = {0};

  j.job.columns = s->width;
  j.job.rows = s->height;
  j.job.samples = s->components;
  j.job.bits_allocated = bits_allocated;
  j.job.bits_stored = s->precision;
  j.job.is_signed = s->is_signed;
  return j;
}

static void
test_lossless(void)
{
  static const Shape shapes[] = {
      {61, 43, 1, 8, FALSE, FALSE, FALSE, 0, 1},   {61, 43, 1, 8, TRUE, FALSE, FALSE, 0, 1},
      {61, 43, 1, 12, FALSE, FALSE, FALSE, 0, 1},  {61, 43, 1, 12, TRUE, FALSE, FALSE, 0, 1},
      {61, 43, 1, 16, FALSE, FALSE, FALSE, 0, 1},  {61, 43, 1, 16, TRUE, FALSE, FALSE, 0, 1},
      {61, 43, 1, 12, FALSE, FALSE, FALSE, 16, 1}, {61, 43, 3, 8, FALSE, TRUE, FALSE, 0, 1},
      {61, 43, 3, 8, FALSE, TRUE, FALSE, 32, 1},   {61, 43, 3, 8, FALSE, FALSE, FALSE, 0, 1},
      {61, 43, 3, 16, FALSE, TRUE, FALSE, 0, 1},   {61, 43, 1, 1, FALSE, FALSE, FALSE, 0, 1},
  };

  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    g_autoptr(GByteArray) bytes = encode(&shapes[i], OPJ_CODEC_J2K);

    for (guint bits = shapes[i].precision > 8 ? 16 : 8; bits <= 32; bits *= 2) {
      g_auto(Job) j = job_for(&shapes[i], bits);

      g_assert_cmpstr(job_run(&j, dicom_codec_j2k, bytes->data, bytes->len), ==, NULL);
      expect_values(&shapes[i], &j.job, 0);
    }
  }
}

/* The container that DICOM forbids and some writers leave. */
static void
test_container(void)
{
  const Shape shape = {40, 30, 1, 12, FALSE, FALSE, FALSE, 0, 1};
  g_autoptr(GByteArray) bytes = encode(&shape, OPJ_CODEC_JP2);
  g_auto(Job) j = job_for(&shape, 16);

  g_assert_cmpstr(job_run(&j, dicom_codec_j2k, bytes->data, bytes->len), ==, NULL);
  expect_values(&shape, &j.job, 0);
  for (gsize n = 0; n < 85; n++) { /* the boxes before the code stream */
    g_assert_nonnull(job_run(&j, dicom_codec_j2k, bytes->data, n));
  }
}

/* At 20:1 a smooth ramp of 8 bits stays within 8 grey levels, away from the two extreme pixels that
 * the test puts beside each other. */
static void
test_lossy(void)
{
  const Shape shape = {200, 160, 3, 8, FALSE, TRUE, TRUE, 0, 1};
  g_autoptr(GByteArray) bytes = encode(&shape, OPJ_CODEC_J2K);
  g_auto(Job) j = job_for(&shape, 8);
  guint far = 0;

  j.job.photometric = "YBR_ICT";
  g_assert_cmpstr(job_run(&j, dicom_codec_j2k, bytes->data, bytes->len), ==, NULL);
  for (gsize i = 0; i < j.job.out_bytes; i++) {
    guint pixel = (guint)(i / 3);

    far += ABS(got_value(&j.job, i) -
               value_of(&shape, (guint)(i % 3), pixel % shape.width, pixel / shape.width)) > 8;
  }
  g_assert_cmpuint(far, <, 3 * 8 * 8);
  g_assert_cmpint(j.job.colour, ==, COLOUR_RGB);
}

/* A transform that the code stream names is undone; without one the photometric interpretation
 * says what the components are. */
static void
test_colour(void)
{
  static const struct {
    gboolean mct;
    const char *photometric;
    DicomColour colour;
  } cases[] = {{TRUE, "YBR_RCT", COLOUR_RGB},        {TRUE, "RGB", COLOUR_RGB},
               {FALSE, "RGB", COLOUR_RGB},           {FALSE, "YBR_RCT", COLOUR_RGB},
               {FALSE, "YBR_FULL", COLOUR_YBR_FULL}, {TRUE, "YBR_FULL", COLOUR_RGB}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Shape shape = {16, 16, 3, 8, FALSE, cases[i].mct, FALSE, 0, 1};
    g_autoptr(GByteArray) bytes = encode(&shape, OPJ_CODEC_J2K);
    g_auto(Job) j = job_for(&shape, 8);

    j.job.photometric = cases[i].photometric;
    g_assert_cmpstr(job_run(&j, dicom_codec_j2k, bytes->data, bytes->len), ==, NULL);
    g_assert_cmpint(j.job.colour, ==, cases[i].colour);
    expect_values(&shape, &j.job, 0);
  }
}

/* PixelRepresentation decides what the pattern means, and the sign goes up to BitsAllocated. */
static void
test_sign_of_the_object(void)
{
  const Shape plain = {32, 32, 1, 13, FALSE, FALSE, FALSE, 0, 1};
  const Shape with_sign = {32, 32, 1, 13, TRUE, FALSE, FALSE, 0, 1};
  g_autoptr(GByteArray) bytes = encode(&plain, OPJ_CODEC_J2K);
  g_autoptr(GByteArray) signed_bytes = encode(&with_sign, OPJ_CODEC_J2K);
  g_auto(Job) j = job_for(&plain, 16);
  g_auto(Job) k = job_for(&with_sign, 16);

  j.job.is_signed = TRUE;
  g_assert_cmpstr(job_run(&j, dicom_codec_j2k, bytes->data, bytes->len), ==, NULL);
  k.job.is_signed = FALSE;
  g_assert_cmpstr(job_run(&k, dicom_codec_j2k, signed_bytes->data, signed_bytes->len), ==, NULL);
  for (guint i = 0; i < 32 * 32; i++) {
    gint is = value_of(&plain, 0, i % 32, i / 32), was = value_of(&with_sign, 0, i % 32, i / 32);

    g_assert_cmpint(got_value(&j.job, i), ==, is >= 4096 ? is - 8192 : is);
    g_assert_cmpint(got_value(&k.job, i), ==, was < 0 ? was + 8192 : was);
  }
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

static void
expect_refusal(const GByteArray *bytes, const Job *like, const char *words)
{
  g_auto(Job) j = {like->job, NULL};

  j.job.out = NULL;
  const char *wrong = job_run(&j, dicom_codec_j2k, bytes->data, bytes->len);
  g_assert_nonnull(wrong);
  g_test_message("%s", wrong);
  g_assert_nonnull(strstr(wrong, words));
}

static void
test_header_against_job(void)
{
  const Shape shape = {33, 21, 1, 12, FALSE, FALSE, FALSE, 0, 1};
  g_autoptr(GByteArray) bytes = encode(&shape, OPJ_CODEC_J2K);
  Job j = job_for(&shape, 16);

  j.job.columns = 34;
  expect_refusal(bytes, &j, "33 x 21 pixels of 1 samples; Columns x Rows is 34 x 21");
  j.job.columns = 33;
  j.job.rows = 20;
  expect_refusal(bytes, &j, "33 x 21");
  j.job.rows = 21;
  j.job.samples = 3;
  expect_refusal(bytes, &j, "SamplesPerPixel 3");
  j.job.samples = 1;
  j.job.bits_allocated = 8;
  expect_refusal(bytes, &j, "12 bits per sample; BitsAllocated is 8");
}

static void
put32(GByteArray *bytes, guint at, guint32 value)
{
  for (guint i = 0; i < 4; i++) {
    bytes->data[at + i] = (guint8)(value >> (24 - 8 * i));
  }
}

static void
test_hostile_header(void)
{
  const Shape shape = {32, 32, 1, 8, FALSE, FALSE, FALSE, 0, 1};
  Job j = job_for(&shape, 8);
  static const struct {
    guint at;
    guint32 value;
    const char *words;
  } cases[] = {
      {8, 0, "impossible size"},      {12, 0xffffffff, "more than 4096 tiles"},
      {24, 0, "impossible size"},     {24, 0xffffffff, ""},
      {32, 64, "impossible size"},    {16, 32, "impossible size"},
      {40, 0xffff0702, "components"}, {24, 1, "JPEG 2000"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bytes = encode(&shape, OPJ_CODEC_J2K);

    put32(bytes, cases[i].at, cases[i].value);
    if (cases[i].words[0]) {
      expect_refusal(bytes, &j, cases[i].words);
    } else {
      g_auto(Job) k = job_for(&shape, 8);
      job_run(&k, dicom_codec_j2k, bytes->data, bytes->len);
    }
  }
  /* 128 x 128 tiles of one pixel each. */
  const Shape large = {128, 128, 1, 8, FALSE, FALSE, FALSE, 0, 1};
  g_autoptr(GByteArray) bytes = encode(&large, OPJ_CODEC_J2K);
  Job k = job_for(&large, 8);
  put32(bytes, 24, 1);
  put32(bytes, 28, 1);
  expect_refusal(bytes, &k, "more than 4096 tiles");
  expect_refusal(bytes, &j, "more than 4096 tiles");
}

static void
test_other_bytes(void)
{
  const Shape shape = {32, 32, 1, 8, FALSE, FALSE, FALSE, 0, 1};
  Job j = job_for(&shape, 8);
  g_autoptr(GByteArray) bytes = g_byte_array_new();

  expect_refusal(bytes, &j, "no JPEG 2000");
  g_byte_array_append(bytes, (const guint8 *)"\xff\xd8\xff\xe0 a JPEG", 11);
  expect_refusal(bytes, &j, "no JPEG 2000");
}

/* Of one tile and of many: what is cut is refused wherever the cut is, unless only the end marker
 * is gone. */
static void
test_cut(void)
{
  static const Shape shapes[] = {{64, 48, 1, 12, FALSE, FALSE, FALSE, 0, 1},
                                 {64, 48, 1, 12, FALSE, FALSE, FALSE, 16, 1},
                                 {64, 48, 3, 8, FALSE, TRUE, FALSE, 32, 1}};

  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    g_autoptr(GByteArray) bytes = encode(&shapes[i], OPJ_CODEC_J2K);

    for (gsize n = 0; n < bytes->len; n += n < 200 ? 1 : 37) {
      g_auto(Job) j = job_for(&shapes[i], 16);

      if (n + 2 <= bytes->len) {
        g_assert_nonnull(job_run(&j, dicom_codec_j2k, bytes->data, MIN(n, bytes->len - 3)));
      }
    }
    g_auto(Job) j = job_for(&shapes[i], 16);
    g_assert_cmpstr(job_run(&j, dicom_codec_j2k, bytes->data, bytes->len - 2), ==, NULL);
    expect_values(&shapes[i], &j.job, 0);
  }
}

/* Any bytes: no signal, nothing written beyond the picture, a reason where there is no picture. */
static void
test_damage(void)
{
  static const Shape shapes[] = {{64, 48, 1, 12, FALSE, FALSE, FALSE, 16, 1},
                                 {64, 48, 3, 8, FALSE, TRUE, FALSE, 0, 1}};
  g_autoptr(GRand) random = g_rand_new_with_seed(20240229);
  guint refused = 0, rounds = 1500;

  for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
    g_autoptr(GByteArray) bytes = encode(&shapes[i], OPJ_CODEC_J2K);

    for (guint round = 0; round < rounds; round++) {
      g_autofree guint8 *copy = g_memdup2(bytes->data, bytes->len);
      guint hits = (guint)g_rand_int_range(random, 1, 5);
      g_auto(Job) j = job_for(&shapes[i], 16);

      for (guint hit = 0; hit < hits; hit++) {
        gint32 end = (gint32)(round % 2 ? bytes->len : MIN(bytes->len, 160));

        copy[g_rand_int_range(random, 0, end)] = (guint8)g_rand_int(random);
      }
      refused += job_run(&j, dicom_codec_j2k, copy, bytes->len) != NULL;
    }
  }
  g_test_message("%u of %u damaged streams refused", refused, 2 * rounds);
  g_assert_cmpuint(refused, >, rounds / 4);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-j2k/lossless", test_lossless);
  g_test_add_func("/dicom/codec-j2k/container", test_container);
  g_test_add_func("/dicom/codec-j2k/lossy", test_lossy);
  g_test_add_func("/dicom/codec-j2k/colour", test_colour);
  g_test_add_func("/dicom/codec-j2k/sign-of-the-object", test_sign_of_the_object);
  g_test_add_func("/dicom/codec-j2k/header-against-job", test_header_against_job);
  g_test_add_func("/dicom/codec-j2k/hostile-header", test_hostile_header);
  g_test_add_func("/dicom/codec-j2k/other-bytes", test_other_bytes);
  g_test_add_func("/dicom/codec-j2k/cut", test_cut);
  g_test_add_func("/dicom/codec-j2k/damage", test_damage);
  return g_test_run();
}
