/* test-native.c - pixel data without compression: each form in which a frame can lie (PS3.5 clause
 * 8), against arrays written out by hand. */
#include "native-case.h"

#include <math.h>

#define FLOATS 0x7fe00008
#define DOUBLES 0x7fe00009

/* rows, columns, frames, samples, bits, stored, high, sign, photometric, planar */
static const Case cases[] = {
    {"bits",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     GREY(1, 8, 1, 1, 0),
     2,
     {0xb1, 0},
     8,
     {1, 0, 0, 0, 1, 1, 0, 1}},
    /* Frames of nine bits: the second begins inside a byte. */
    {"bits-unaligned",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     GREY(3, 3, 2, 1, 0),
     4,
     {0x55, 0x05, 0x03, 0},
     18,
     {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1}},
    {"bits-big-bytes",
     TS_BIG,
     PIXELS,
     "OB",
     GREY(3, 3, 2, 1, 0),
     4,
     {0x55, 0x05, 0x03, 0},
     18,
     {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1}},
    {"bits-big-words",
     TS_BIG,
     PIXELS,
     "OW",
     GREY(3, 3, 2, 1, 0),
     4,
     {0x05, 0x55, 0, 0x03},
     18,
     {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1}},
    {"bytes",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     GREY(1, 3, 2, 8, 0),
     6,
     {1, 2, 3, 4, 5, 255},
     6,
     {1, 2, 3, 4, 5, 255}},
    {"bytes-implicit",
     TS_IMPLICIT,
     PIXELS,
     "OW",
     GREY(1, 3, 2, 8, 0),
     6,
     {1, 2, 3, 4, 5, 255},
     6,
     {1, 2, 3, 4, 5, 255}},
    {"bytes-odd",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     GREY(1, 3, 3, 8, 1),
     10,
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 0},
     9,
     {1, 2, 3, 4, 5, 6, 7, 8, 9}},
    {"bytes-big-bytes",
     TS_BIG,
     PIXELS,
     "OB",
     GREY(1, 3, 3, 8, 0),
     10,
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 0},
     9,
     {1, 2, 3, 4, 5, 6, 7, 8, 9}},
    /* Bytes two by two in words that are turned; the second frame begins in the middle of one. */
    {"bytes-big-words",
     TS_BIG,
     PIXELS,
     "OW",
     GREY(1, 3, 3, 8, 0),
     10,
     {2, 1, 4, 3, 6, 5, 8, 7, 0, 9},
     9,
     {1, 2, 3, 4, 5, 6, 7, 8, 9}},
    {"words",
     TS_EXPLICIT,
     PIXELS,
     "OW",
     GREY(1, 2, 2, 16, 1),
     8,
     {1, 2, 3, 4, 5, 6, 7, 0xff},
     8,
     {1, 2, 3, 4, 5, 6, 7, 0xff}},
    {"words-big",
     TS_BIG,
     PIXELS,
     "OW",
     GREY(1, 2, 2, 16, 1),
     8,
     {2, 1, 4, 3, 6, 5, 0xff, 7},
     8,
     {1, 2, 3, 4, 5, 6, 7, 0xff}},
    {"long",
     TS_EXPLICIT,
     PIXELS,
     "OW",
     GREY(1, 1, 2, 32, 0),
     8,
     {1, 2, 3, 4, 5, 6, 7, 8},
     8,
     {1, 2, 3, 4, 5, 6, 7, 8}},
    {"long-big",
     TS_BIG,
     PIXELS,
     "OW",
     GREY(1, 1, 2, 32, 0),
     8,
     {4, 3, 2, 1, 8, 7, 6, 5},
     8,
     {1, 2, 3, 4, 5, 6, 7, 8}},
    {"long-big-ol",
     TS_BIG,
     PIXELS,
     "OL",
     GREY(1, 1, 2, 32, 0),
     8,
     {4, 3, 2, 1, 8, 7, 6, 5},
     8,
     {1, 2, 3, 4, 5, 6, 7, 8}},
    {"rgb",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     {1, 2, 1, 3, 8, 8, 7, 0, "RGB", 0},
     6,
     {1, 2, 3, 4, 5, 6},
     6,
     {1, 2, 3, 4, 5, 6}},
    {"rgb-planar",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     {1, 2, 2, 3, 8, 8, 7, 0, "RGB", 1},
     12,
     {1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16},
     12,
     {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}},
    {"rgb-planar-words",
     TS_EXPLICIT,
     PIXELS,
     "OW",
     {1, 2, 1, 3, 16, 16, 15, 0, "RGB", 1},
     12,
     {1, 11, 4, 14, 2, 12, 5, 15, 3, 13, 6, 16},
     12,
     {1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16}},
    {"rgb-planar-big",
     TS_BIG,
     PIXELS,
     "OW",
     {1, 2, 1, 3, 16, 16, 15, 0, "RGB", 1},
     12,
     {11, 1, 14, 4, 12, 2, 15, 5, 13, 3, 16, 6},
     12,
     {1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16}},
    {"rgb-long",
     TS_EXPLICIT,
     PIXELS,
     "OW",
     {1, 1, 1, 3, 32, 32, 31, 0, "RGB", 0},
     12,
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
     12,
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
    {"ybr-422",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     {1, 4, 2, 3, 8, 8, 7, 0, "YBR_FULL_422", 0},
     16,
     {1, 2, 70, 80, 3, 4, 71, 81, 5, 6, 72, 82, 7, 8, 73, 83},
     24,
     {1, 70, 80, 2, 70, 80, 3, 71, 81, 4, 71, 81, 5, 72, 82, 6, 72, 82, 7, 73, 83, 8, 73, 83}},
    /* Says 422, and has three whole samples for every pixel. */
    {"ybr-422-whole",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     {1, 2, 1, 3, 8, 8, 7, 0, "YBR_FULL_422", 0},
     6,
     {1, 2, 3, 4, 5, 6},
     6,
     {1, 2, 3, 4, 5, 6}},
    {"ybr-full-planar",
     TS_EXPLICIT,
     PIXELS,
     "OB",
     {1, 2, 1, 3, 8, 8, 7, 0, "YBR_FULL", 1},
     6,
     {1, 4, 2, 5, 3, 6},
     6,
     {1, 2, 3, 4, 5, 6}},
    {"float",
     TS_EXPLICIT,
     FLOATS,
     "OF",
     GREY(1, 2, 1, 32, 0),
     8,
     {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0},
     8,
     {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}},
    {"float-big",
     TS_BIG,
     FLOATS,
     "OF",
     GREY(1, 2, 1, 32, 0),
     8,
     {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0},
     8,
     {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}},
    {"double",
     TS_EXPLICIT,
     DOUBLES,
     "OD",
     GREY(1, 1, 2, 64, 0),
     16,
     {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8},
     16,
     {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8}},
    {"double-big",
     TS_BIG,
     DOUBLES,
     "OD",
     GREY(1, 1, 2, 64, 0),
     16,
     {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1},
     16,
     {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8}},
};

static void
build_case(Build *b, const Case *c)
{
  build_start(b, c->uid);
  build_ids(b);
  build_shape(b, &c->shape);
}

static void
test_form(gconstpointer data)
{
  const Case *c = data;
  g_auto(Build) b = {0};

  build_case(&b, c);
  build_bytes(&b, c->tag, c->vr, c->file, c->n_file);
  g_autofree char *path = build_write(&b, "native.dcm");
  expect_frames(path, c);
}

/* Frames of many pixels, which are rearranged part by part: 2 of 131 x 127 pixels, an odd number of
 * bits each. */
#define SIDE_X 131
#define SIDE_Y 127
#define MANY (SIDE_X * SIDE_Y)

static guint8
noise(guint i)
{
  return (guint8)((i * 2654435761u) >> 24);
}

/* Sample SAMPLE of pixel I of frame FRAME, where a plain frame has the next byte of noise. */
static guint8
noise_at(guint frame, guint i, guint sample, guint samples)
{
  return noise((frame * MANY + i) * samples + sample);
}

static void
expect_noise(const char *path, guint samples, gboolean bits, gboolean subsampled)
{
  for (guint f = 0; f < 2; f++) {
    g_autoptr(DicomFrame) frame = open_frame(path, f);
    gsize n;
    const guint8 *stored = dicom_frame_stored(frame, &n);

    g_assert_cmpuint(n, ==, MANY * samples);
    for (guint i = 0; i < MANY; i++) {
      for (guint s = 0; s < samples; s++) {
        guint8 want = noise_at(f, subsampled && s > 0 ? i & ~1u : i, s, samples);

        g_assert_cmpuint(stored[i * samples + s], ==, bits ? want & 1 : want);
      }
    }
  }
}

static char *
write_noise(const char *uid, const char *vr, const Shape *shape, const GByteArray *value)
{
  g_auto(Build) b = {0};
  g_autoptr(GByteArray) words = g_byte_array_new();

  g_byte_array_append(words, value->data, value->len);
  build_start(&b, uid);
  build_ids(&b);
  build_shape(&b, shape);
  for (guint i = 0; b.big && i + 1 < words->len; i += 2) {
    words->data[i] = value->data[i + 1];
    words->data[i + 1] = value->data[i];
  }
  build_bytes(&b, PIXELS, vr, words->data, words->len);
  return build_write(&b, "many.dcm");
}

static void
test_many(void)
{
  static const char *const uids[] = {TS_EXPLICIT, TS_BIG};
  const Shape one = {SIDE_Y, SIDE_X, 2, 1, 1, 1, 0, 0, "MONOCHROME2", -1};
  const Shape planes = {SIDE_Y, SIDE_X, 2, 3, 8, 8, 7, 0, "RGB", 1};
  const Shape shared = {SIDE_Y, SIDE_X, 2, 3, 8, 8, 7, 0, "YBR_FULL_422", 0};

  for (guint u = 0; u < G_N_ELEMENTS(uids); u++) {
    g_autoptr(GByteArray) bits = g_byte_array_new();
    g_autoptr(GByteArray) colours = g_byte_array_new();
    g_autoptr(GByteArray) groups = g_byte_array_new();

    g_byte_array_set_size(bits, (2 * MANY + 7) / 8 + 1);
    memset(bits->data, 0, bits->len);
    g_byte_array_set_size(colours, 2 * 3 * MANY);
    for (guint f = 0; f < 2; f++) {
      for (guint i = 0; i < MANY; i++) {
        guint at = f * MANY + i;

        bits->data[at / 8] |= (guint8)((noise_at(f, i, 0, 1) & 1) << (at % 8));
        for (guint s = 0; s < 3; s++) {
          colours->data[(f * 3 + s) * MANY + i] = noise_at(f, i, s, 3);
        }
        if (i % 2 == 0) {
          guint8 group[4] = {noise_at(f, i, 0, 3), noise_at(f, i + 1, 0, 3), noise_at(f, i, 1, 3),
                             noise_at(f, i, 2, 3)};

          g_byte_array_append(groups, group, 4);
        }
      }
    }
    g_byte_array_set_size(bits, bits->len & ~1u);
    g_autofree char *a = write_noise(uids[u], "OW", &one, bits);
    expect_noise(a, 1, TRUE, FALSE);
    g_autofree char *c = write_noise(uids[u], "OW", &planes, colours);
    expect_noise(c, 3, FALSE, FALSE);
    g_autofree char *g = write_noise(uids[u], "OW", &shared, groups);
    expect_noise(g, 3, FALSE, TRUE);
  }
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

/* One byte, or one frame, less than the header needs. */
static void
test_too_short(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Case *c = &cases[i];
    g_auto(Build) b = {0};

    if (strcmp(c->name, "ybr-422-whole") == 0) {
      continue; /* enough, then, for 422 */
    }
    build_case(&b, c);
    build_bytes(&b, c->tag, c->vr, c->file, c->n_file - 2);
    g_autofree char *path = build_write(&b, "native.dcm");
    expect_refusal(path, "needs");
  }
}

/* The file ends inside the value. */
static void
test_cut(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Case *c = &cases[i];
    g_auto(Build) b = {0};

    build_case(&b, c);
    build_bytes(&b, c->tag, c->vr, c->file, c->n_file);
    b.bytes->len -= strcmp(c->name, "ybr-422-whole") == 0 ? 3 : 2;
    g_autofree char *path = build_write(&b, "native.dcm");
    expect_refusal(path, "bytes");
  }
}

static void
test_refused_forms(void)
{
  static const struct {
    guint32 tag;
    const char *vr;
    Shape shape;
    const char *words;
  } refused[] = {
      {PIXELS, "OB", {2, 2, 1, 4, 8, 8, 7, 0, "ARGB", 0}, "ARGB"},
      {PIXELS, "OB", {2, 2, 1, 4, 8, 8, 7, 0, "CMYK", 0}, "CMYK"},
      {PIXELS, "OB", {2, 2, 1, 3, 8, 8, 7, 0, "HSV", 0}, "HSV"},
      {PIXELS, "OB", {2, 2, 1, 3, 8, 8, 7, 0, "YBR_PARTIAL_420", 0}, "YBR_PARTIAL_420"},
      {PIXELS, "OB", {2, 2, 1, 3, 8, 8, 7, 0, "MONOCHROME2", 0}, "SamplesPerPixel 3"},
      {PIXELS, "OB", {2, 2, 1, 1, 8, 8, 7, 0, "RGB", 0}, "SamplesPerPixel 1"},
      {PIXELS, "OW", GREY(2, 2, 1, 12, 0), "BitsAllocated is 12"},
      {PIXELS, "OW", GREY(2, 2, 1, 64, 0), "BitsAllocated is 64"},
      {PIXELS, "OB", {2, 2, 1, 3, 1, 1, 0, 0, "RGB", 0}, "BitsAllocated is 1"},
      {FLOATS, "OF", GREY(2, 2, 1, 16, 0), "BitsAllocated is 16"},
      {DOUBLES, "OD", GREY(2, 2, 1, 32, 0), "BitsAllocated is 32"},
      {PIXELS, "OW", GREY(65535, 65535, 1, 16, 0), "MiB"},
      {PIXELS, "OW", GREY(16000, 16000, 100000, 16, 0), "needs 51200000000000"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
    g_auto(Build) b = {0};
    guint8 zeros[64] = {0};

    build_start(&b, TS_EXPLICIT);
    build_ids(&b);
    build_shape(&b, &refused[i].shape);
    build_bytes(&b, refused[i].tag, refused[i].vr, zeros, sizeof zeros);
    g_autofree char *path = build_write(&b, "native.dcm");
    expect_refusal(path, refused[i].words);
  }
}

/* ---- numbers that are none ---------------------------------------------------------------------
 */

static void
test_nan(void)
{
  const float values[4] = {NAN, -1.5f, INFINITY, 2.25f};
  const Shape shape = GREY(2, 2, 1, 32, 0);
  g_auto(Build) b = {0};
  double low, high;

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  build_bytes(&b, FLOATS, "OF", values, sizeof values);
  g_autofree char *path = build_write(&b, "nan.dcm");
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  dicom_frame_range(frame, &low, &high);
  g_assert_cmpfloat(low, ==, -1.5);
  g_assert_cmpfloat(high, ==, 2.25);
  g_autoptr(DicomPicture) picture = render(frame, NULL);
  g_assert_cmpuint(picture->pixels[3], ==, 0);
  g_assert_cmpuint(picture->pixels[9], ==, 255);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *name = g_strconcat("/dicom/native/", cases[i].name, NULL);

    g_test_add_data_func(name, &cases[i], test_form);
  }
  g_test_add_func("/dicom/native/many", test_many);
  g_test_add_func("/dicom/native/too-short", test_too_short);
  g_test_add_func("/dicom/native/cut", test_cut);
  g_test_add_func("/dicom/native/refused-forms", test_refused_forms);
  g_test_add_func("/dicom/native/nan", test_nan);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
