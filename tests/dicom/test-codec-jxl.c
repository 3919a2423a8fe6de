/* test-codec-jxl.c - JPEG XL: streams made by libjxl's encoder, whole and damaged. */
#include "codec-job.h"

#ifdef HILUM_HAVE_JXL
#include <jxl/encode.h>

typedef struct {
  guint samples, precision;
  gboolean container, lossy;
} Kind;

#define WIDTH 53
#define HEIGHT 37

static guint
value_of(const Kind *kind, gsize i)
{
  guint top = (1u << kind->precision) - 1;

  return i == 0 ? 0 : i == 1 ? top : (guint)(i * top / (WIDTH * HEIGHT * kind->samples));
}

/* libjxl 0.7 takes integers of 8 or 16 bits stretched to their full range. */
static GByteArray *
pixels_of(const Kind *kind)
{
  guint full = kind->precision > 8 ? 65535 : 255, top = (1u << kind->precision) - 1;
  GByteArray *bytes = g_byte_array_new();

  for (gsize i = 0; i < WIDTH * HEIGHT * kind->samples; i++) {
    guint value = (guint)(((guint64)value_of(kind, i) * full + top / 2) / top);
    guint8 p[2] = {(guint8)value, (guint8)(value >> 8)};

    g_byte_array_append(bytes, p, full > 255 ? 2 : 1);
  }
  return bytes;
}

static GByteArray *
encode(const Kind *kind)
{
  GByteArray *out = g_byte_array_new();
  g_autoptr(GByteArray) pixels = pixels_of(kind);
  JxlEncoder *encoder = JxlEncoderCreate(NULL);
  JxlEncoderFrameSettings *settings = JxlEncoderFrameSettingsCreate(encoder, NULL);
  JxlPixelFormat format = {kind->samples, kind->precision > 8 ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8,
                           JXL_LITTLE_ENDIAN, 0};
  JxlBasicInfo info;
  JxlColorEncoding colour;
  guint8 buffer[4096];
  JxlEncoderStatus status;

  JxlEncoderInitBasicInfo(&info);
  info.xsize = WIDTH;
  info.ysize = HEIGHT;
  info.bits_per_sample = kind->precision;
  info.num_color_channels = kind->samples;
  info.uses_original_profile = !kind->lossy;
  JxlColorEncodingSetToSRGB(&colour, kind->samples == 1);
  g_assert_cmpint(JxlEncoderUseContainer(encoder, kind->container), ==, JXL_ENC_SUCCESS);
  g_assert_cmpint(JxlEncoderSetBasicInfo(encoder, &info), ==, JXL_ENC_SUCCESS);
  g_assert_cmpint(JxlEncoderSetColorEncoding(encoder, &colour), ==, JXL_ENC_SUCCESS);
  JxlEncoderSetFrameLossless(settings, !kind->lossy);
  g_assert_cmpint(JxlEncoderAddImageFrame(settings, &format, pixels->data, pixels->len), ==,
                  JXL_ENC_SUCCESS);
  JxlEncoderCloseInput(encoder);
  do {
    guint8 *next = buffer;
    size_t left = sizeof buffer;

    status = JxlEncoderProcessOutput(encoder, &next, &left);
    g_byte_array_append(out, buffer, (guint)(next - buffer));
  } while (status == JXL_ENC_NEED_MORE_OUTPUT);
  g_assert_cmpint(status, ==, JXL_ENC_SUCCESS);
  JxlEncoderDestroy(encoder);
  return out;
}

static Job
job_for(const Kind *kind)
{
  Job j = {0};

  j.job.columns = WIDTH;
  j.job.rows = HEIGHT;
  j.job.samples = kind->samples;
  j.job.bits_allocated = kind->precision > 8 ? 16 : 8;
  j.job.bits_stored = kind->precision;
  return j;
}

static guint
got_value(const DicomCodecJob *job, gsize i)
{
  return job->bits_allocated == 8 ? job->out[i]
                                  : (job->out[2 * i] | (guint)job->out[2 * i + 1] << 8);
}

static void
test_lossless(void)
{
  static const Kind kinds[] = {{1, 8, FALSE, FALSE},  {1, 16, FALSE, FALSE}, {1, 12, FALSE, FALSE},
                               {1, 12, TRUE, FALSE},  {3, 8, FALSE, FALSE},  {3, 16, TRUE, FALSE},
                               {1, 10, FALSE, FALSE}, {1, 1, FALSE, FALSE}};

  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autoptr(GByteArray) bytes = encode(&kinds[k]);
    g_auto(Job) j = job_for(&kinds[k]);

    g_assert_cmpstr(job_run(&j, dicom_codec_jxl, bytes->data, bytes->len), ==, NULL);
    for (gsize i = 0; i < WIDTH * HEIGHT * kinds[k].samples; i++) {
      g_assert_cmpuint(got_value(&j.job, i), ==, value_of(&kinds[k], i));
    }
    if (kinds[k].samples == 3) {
      g_assert_cmpint(j.job.colour, ==, COLOUR_RGB);
    }
  }
}

/* Twelve bits of two's complement, as PixelRepresentation 1 says. */
static void
test_signed(void)
{
  const Kind kind = {1, 12, FALSE, FALSE};
  g_autoptr(GByteArray) bytes = encode(&kind);
  g_auto(Job) j = job_for(&kind);

  j.job.is_signed = TRUE;
  g_assert_cmpstr(job_run(&j, dicom_codec_jxl, bytes->data, bytes->len), ==, NULL);
  for (gsize i = 0; i < WIDTH * HEIGHT; i++) {
    gint value = (gint)value_of(&kind, i);

    g_assert_cmpint((gint16)got_value(&j.job, i), ==, value >= 2048 ? value - 4096 : value);
  }
}

/* At the default distance a ramp stays within 6 grey levels, but for the two extremes side by side
 * and the pixels around them. */
static void
test_lossy(void)
{
  const Kind kind = {3, 8, FALSE, TRUE};
  g_autoptr(GByteArray) bytes = encode(&kind);
  g_auto(Job) j = job_for(&kind);
  guint far = 0;

  g_assert_cmpstr(job_run(&j, dicom_codec_jxl, bytes->data, bytes->len), ==, NULL);
  for (gsize i = 0; i < WIDTH * HEIGHT * 3; i++) {
    far += ABS((gint)got_value(&j.job, i) - (gint)value_of(&kind, i)) > 6;
  }
  g_assert_cmpuint(far, <, WIDTH * HEIGHT * 3 / 10);
}

static void
expect_refusal(Job *j, const GByteArray *bytes, gsize n, const char *words)
{
  const char *wrong = job_run(j, dicom_codec_jxl, bytes->data, n);

  g_assert_nonnull(wrong);
  if (!strstr(wrong, words)) {
    g_error("\"%s\" does not say \"%s\"", wrong, words);
  }
}

static void
test_refusals(void)
{
  const Kind kind = {1, 12, FALSE, FALSE};
  g_autoptr(GByteArray) bytes = encode(&kind);
  g_auto(Job) j = job_for(&kind);

  j.job.columns++;
  expect_refusal(&j, bytes, bytes->len, "53 x 37 pixels of 1 samples; Columns x Rows is 54 x 37");
  j.job.columns--;
  j.job.samples = 3;
  expect_refusal(&j, bytes, bytes->len, "SamplesPerPixel 3");
  j.job.samples = 1;
  j.job.bits_allocated = 8;
  expect_refusal(&j, bytes, bytes->len, "12 bits per sample; BitsAllocated is 8");
  j.job.bits_allocated = 32;
  expect_refusal(&j, bytes, bytes->len, "expected 8 or 16");
  j.job.bits_allocated = 16;
  for (gsize n = 0; n < bytes->len; n++) {
    expect_refusal(&j, bytes, n, "JPEG XL");
  }
}

/* Any bytes: no signal, nothing written beyond the picture. */
static void
test_damage(void)
{
  static const Kind kinds[] = {{1, 12, FALSE, FALSE}, {3, 8, FALSE, TRUE}};
  g_autoptr(GRand) random = g_rand_new_with_seed(18181);
  guint refused = 0, rounds = 300;

  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autoptr(GByteArray) bytes = encode(&kinds[k]);

    for (guint round = 0; round < rounds; round++) {
      g_autofree guint8 *copy = g_memdup2(bytes->data, bytes->len);
      g_auto(Job) j = job_for(&kinds[k]);

      copy[g_rand_int_range(random, 0, (gint32)bytes->len)] ^=
          (guint8)g_rand_int_range(random, 1, 256);
      refused += job_run(&j, dicom_codec_jxl, copy, bytes->len) != NULL;
    }
  }
  g_test_message("%u of %u damaged streams refused", refused, 2 * rounds);
  g_assert_cmpuint(refused, >, 0);
}

#else

static void
test_absent(void)
{
  g_auto(Job) j = {0};

  j.job.columns = j.job.rows = j.job.samples = 1;
  j.job.bits_allocated = 8;
  const char *wrong = job_run(&j, dicom_codec_jxl, (const guint8 *)"\xff\x0a", 2);
  g_assert_nonnull(strstr(wrong, "no JPEG XL"));
}

#endif

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#ifdef HILUM_HAVE_JXL
  g_test_add_func("/dicom/codec-jxl/lossless", test_lossless);
  g_test_add_func("/dicom/codec-jxl/signed", test_signed);
  g_test_add_func("/dicom/codec-jxl/lossy", test_lossy);
  g_test_add_func("/dicom/codec-jxl/refusals", test_refusals);
  g_test_add_func("/dicom/codec-jxl/damage", test_damage);
#else
  g_test_add_func("/dicom/codec-jxl/absent", test_absent);
#endif
  return g_test_run();
}
