/* test-codec-jpegls.c - whole JPEG-LS streams: what CharLS encodes, decoded by it and by ours, and
 * what it cannot encode. */
#include "jpegls-encode.h"
#include "jpegls-stream.h"

/* Ours gives what CharLS does, and both what went in but for NEAR. (The encoder of CharLS 2.4
 * forgets the fourth component of interleaved samples when it looks for the end of a run.) */
static void
expect_same_stream(const Kind *kind, const GByteArray *stream, guint bits_allocated)
{
  const gsize bytes = bytes_of(kind);
  const gint most = kind->samples == 4 && kind->mode == SAMPLE ? 65535 : (gint)kind->near;
  g_autofree guint8 *second = second_opinion(kind, stream);
  g_auto(Job) j = {.job = job_for(kind, bits_allocated)};

  g_assert_nonnull(second);
  g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, stream->data, stream->len), ==, NULL);
  for (gsize i = 0; i < samples_of(kind); i++) {
    const gsize pixel = i / kind->samples, c = i % kind->samples;
    const guint got = word_of(j.job.out + i * bits_allocated / 8, bits_allocated / 8);
    const guint16 *words = (const guint16 *)(const void *)second;
    const gsize at = place(kind, pixel, c);
    const guint wanted = bytes == 2 ? words[at] : second[at];
    const guint value = value_of(kind, (guint)(pixel % kind->width),
                                 kind->first_row + (guint)(pixel / kind->width), (guint)c);

    if (got != wanted || ABS((gint)got - (gint)value) > most) {
      g_error("%u x %u x %u, %u bits, NEAR %u, mode %d, picture %d: sample %" G_GSIZE_FORMAT
              " is %u; by CharLS %u, and %u went in",
              kind->width, kind->height, kind->samples, kind->precision, kind->near,
              (int)kind->mode, (int)kind->picture, i, got, wanted, value);
    }
  }
}

static void
expect_same(const Kind *kind)
{
  g_autoptr(GByteArray) stream = encode(kind);

  expect_same_stream(kind, stream, kind->precision > 8 ? 16 : 8);
}

/* ---- whole -------------------------------------------------------------------------------------
 */

static void
all_modes(Kind kind)
{
  static const struct {
    guint samples;
    charls_interleave_mode mode;
  } modes[] = {{1, NONE}, {2, NONE}, {3, NONE}, {3, LINE}, {3, SAMPLE}, {4, LINE}, {4, SAMPLE}};

  for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
    kind.samples = modes[i].samples;
    kind.mode = modes[i].mode;
    if (kind.mode == SAMPLE && kind.preset.reset_value != 64 && kind.preset.reset_value != 0) {
      continue; /* where the encoder of CharLS 2.4.1 writes beyond its memory */
    }
    expect_same(&kind);
  }
}

static void
test_every_kind(void)
{
  static const guint nears[] = {0, 1, 2, 3, 10, 60};

  for (guint precision = 2; precision <= 16; precision++) {
    for (guint i = 0; i < G_N_ELEMENTS(nears); i++) {
      for (guint picture = 0; picture < N_PICTURES; picture++) {
        Kind kind = usual;

        kind.precision = precision;
        kind.near = nears[i];
        kind.picture = (Picture)picture;
        if (nears[i] <= ((1u << precision) - 1) / 2) {
          all_modes(kind);
        }
      }
    }
  }
}

static void
test_every_size(void)
{
  static const guint sizes[][2] = {{1, 1}, {2, 1}, {1, 2},  {1, 61},   {61, 1},
                                   {2, 2}, {3, 5}, {64, 3}, {300, 40}, {4097, 3}};

  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    for (guint picture = 0; picture < N_PICTURES; picture++) {
      for (guint precision = 8; precision <= 16; precision += 8) {
        const Kind kind = {.width = sizes[i][0],
                           .height = sizes[i][1],
                           .precision = precision,
                           .picture = (Picture)picture};
        all_modes(kind);
      }
    }
  }
}

/* A run of J 15 needs 65536 constant samples and more; and contexts halve very often. */
static void
test_large(void)
{
  Kind kind = {.width = 2000, .height = 300, .samples = 1, .precision = 12, .picture = CONSTANT};

  expect_same(&kind);
  kind.picture = SPIKES;
  expect_same(&kind);
  kind.picture = NOISE;
  expect_same(&kind);
}

/* MAXVAL is all ones: CharLS 2.4.1 limits predictions by its bits, which is wrong for any other. */
static void
test_presets(void)
{
  static const struct {
    guint precision, near;
    charls_jpegls_pc_parameters preset; /* MAXVAL, T1, T2, T3, RESET */
  } cases[] = {
      {8, 0, {255, 3, 7, 21, 64}},      {8, 0, {255, 9, 9, 9, 3}},
      {8, 0, {255, 1, 2, 255, 255}},    {8, 2, {255, 9, 17, 35, 64}},
      {8, 0, {0, 0, 0, 0, 11}},         {12, 0, {4095, 18, 67, 276, 64}},
      {12, 4, {4095, 18, 67, 276, 16}}, {16, 0, {65535, 18, 67, 276, 64}},
      {16, 0, {65535, 1, 1, 1, 1000}},  {16, 7, {65535, 40, 500, 900, 9}},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    for (guint picture = 0; picture < N_PICTURES; picture++) {
      Kind kind = usual;

      kind.width = 83;
      kind.precision = cases[i].precision;
      kind.near = cases[i].near;
      kind.preset = cases[i].preset;
      kind.picture = (Picture)picture;
      all_modes(kind);
    }
  }
}

static void
test_transforms(void)
{
  for (guint transform = 1; transform <= 3; transform++) {
    for (guint mode = 1; mode <= 2; mode++) {
      for (guint picture = 0; picture < N_PICTURES; picture++) {
        for (guint precision = 8; precision <= 16; precision += 8) {
          Kind kind = usual;

          kind.samples = 3;
          kind.precision = precision;
          kind.mode = (charls_interleave_mode)mode;
          kind.transform = (charls_color_transformation)transform;
          kind.picture = (Picture)picture;
          expect_same(&kind);
        }
      }
    }
  }
}

/* Few bits in 16, and the sign that DICOM gives them. */
static void
test_words(void)
{
  for (guint precision = 2; precision <= 16; precision++) {
    Kind kind = usual;

    kind.precision = precision;
    g_autoptr(GByteArray) stream = encode(&kind);
    expect_same_stream(&kind, stream, 16);
    g_auto(Job) j = {.job = job_for(&kind, 16)};
    j.job.is_signed = TRUE;
    g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, stream->data, stream->len), ==, NULL);
    for (guint i = 0; i < kind.width * kind.height; i++) {
      const gint wanted = (gint)value_of(&kind, i % kind.width, i / kind.width, 0);
      const gint top = 1 << precision;

      g_assert_cmpint((gint16)word_of(j.job.out + 2 * i, 2), ==,
                      wanted >= top / 2 ? wanted - top : wanted);
    }
  }
}

/* What CharLS cannot encode: values up to any MAXVAL, RESET other than 64 in interleaved samples,
 * two components together. */
static void
expect_by_the_letter(const Kind *kind, LsPicture p)
{
  const gsize n = samples_of(kind);
  g_autofree guint16 *values = g_new(guint16, n);
  g_auto(Job) j = {.job = job_for(kind, 16)};

  p.columns = (gint)kind->width;
  p.rows = (gint)kind->height;
  p.samples = (gint)kind->samples;
  for (gsize i = 0; i < n; i++) {
    const gsize pixel = i / kind->samples;

    values[i] = (guint16)value_of(kind, (guint)(pixel % kind->width), (guint)(pixel / kind->width),
                                  (guint)(i % kind->samples));
  }
  g_autoptr(GByteArray) stream = ls_encode_picture(&p, values);
  g_assert_cmpstr(job_run(&j, dicom_codec_jpegls, stream->data, stream->len), ==, NULL);
  for (gsize i = 0; i < n; i++) {
    if (word_of(j.job.out + 2 * i, 2) != values[i]) {
      g_error("MAXVAL %d, NEAR %d, RESET %d, mode %d, picture %d: sample %" G_GSIZE_FORMAT
              " is %u instead of %u",
              p.maxval, p.near, p.reset, p.interleave, (int)kind->picture, i,
              word_of(j.job.out + 2 * i, 2), values[i]);
    }
  }
}

static void
test_by_the_letter(void)
{
  static const LsPicture cases[] = {
      {.precision = 8, .maxval = 255, .t1 = 3, .t2 = 7, .t3 = 21, .reset = 64},
      {.precision = 8, .maxval = 255, .t1 = 3, .t2 = 7, .t3 = 21, .reset = 3},
      {.precision = 8, .maxval = 200, .t1 = 3, .t2 = 7, .t3 = 21, .reset = 31},
      {.precision = 8, .maxval = 128, .t1 = 3, .t2 = 7, .t3 = 21, .reset = 64},
      {.precision = 8, .maxval = 1, .t1 = 1, .t2 = 1, .t3 = 1, .reset = 64},
      {.precision = 8, .near = 2, .maxval = 200, .t1 = 9, .t2 = 17, .t3 = 35, .reset = 255},
      {.precision = 8, .near = 100, .maxval = 201, .t1 = 101, .t2 = 101, .t3 = 101, .reset = 9},
      {.precision = 2, .maxval = 2, .t1 = 1, .t2 = 1, .t3 = 2, .reset = 5},
      {.precision = 12, .maxval = 3000, .t1 = 5, .t2 = 500, .t3 = 2000, .reset = 255},
      {.precision = 16, .maxval = 65535, .t1 = 1, .t2 = 1, .t3 = 1, .reset = 65535},
      {.precision = 16,
       .near = 255,
       .maxval = 50000,
       .t1 = 999,
       .t2 = 2000,
       .t3 = 9000,
       .reset = 8},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    for (guint picture = 0; picture < N_PICTURES; picture++) {
      for (guint samples = 1; samples <= 4; samples++) {
        for (guint mode = samples > 1; mode <= (samples > 1 ? 2 : 0); mode++) {
          LsPicture p = cases[i];
          const Kind kind = {.width = 83,
                             .height = 41,
                             .samples = samples,
                             .precision = (guint)p.precision,
                             .preset = {.maximum_sample_value = p.maxval},
                             .picture = (Picture)picture};

          p.interleave = (gint)mode;
          expect_by_the_letter(&kind, p);
        }
      }
    }
  }
}

/* ---- by hand -----------------------------------------------------------------------------------
 */

static void
test_restarts(void)
{
  for (guint interval = 1; interval < 32; interval += 5) {
    for (guint mode = 0; mode <= 2; mode++) {
      for (guint picture = 0; picture < N_PICTURES; picture++) {
        Kind kind = usual;

        kind.samples = mode > 0 ? 3 : 1;
        kind.mode = (charls_interleave_mode)mode;
        kind.picture = (Picture)picture;
        g_autoptr(GByteArray) stream = with_restarts(&kind, interval);
        expect_same_stream(&kind, stream, 16);
      }
    }
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/codec-jpegls/every-kind", test_every_kind);
  g_test_add_func("/dicom/codec-jpegls/every-size", test_every_size);
  g_test_add_func("/dicom/codec-jpegls/large", test_large);
  g_test_add_func("/dicom/codec-jpegls/presets", test_presets);
  g_test_add_func("/dicom/codec-jpegls/by-the-letter", test_by_the_letter);
  g_test_add_func("/dicom/codec-jpegls/transforms", test_transforms);
  g_test_add_func("/dicom/codec-jpegls/words", test_words);
  g_test_add_func("/dicom/codec-jpegls/restarts", test_restarts);
  return g_test_run();
}
