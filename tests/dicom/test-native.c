/* test-native.c - pixel data without compression: each form in which a frame can lie (PS3.5 clause
 * 8), against arrays written out by hand. */
#include "build.h"
#include "dicom.h"
#include "picture.h"

#include <math.h>
#include <zlib.h>

#define PIXELS 0x7fe00010
#define FLOATS 0x7fe00008
#define DOUBLES 0x7fe00009
#define TS_DEFLATED_FRAME "1.2.840.10008.1.2.8.1"

typedef struct {
  const char *name, *uid;
  guint32 tag;
  const char *vr;
  Shape shape;
  guint n_file;
  guint8 file[32]; /* the value of PixelData */
  guint n_want;
  guint8 want[48]; /* of all frames */
} Case;

#define GREY(rows, columns, frames, bits, sign)                                                    \
  {                                                                                                \
    rows, columns, frames, 1, bits, bits, bits - 1, sign, "MONOCHROME2", -1                        \
  }

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
expect_frames(const char *path, const Case *c)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  guint at = 0;

  g_assert_no_error(error);
  for (guint i = 0; i < c->shape.frames; i++) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, i, &error);
    gsize n;

    g_assert_no_error(error);
    const guint8 *stored = dicom_frame_stored(frame, &n);
    g_assert_cmpuint(at + n, <=, c->n_want);
    g_assert_cmpmem(stored, n, c->want + at, n);
    at += (guint)n;
    g_autoptr(DicomPicture) picture = render(frame, NULL);
    g_assert_cmpuint(picture->width, ==, c->shape.columns);
  }
  g_assert_cmpuint(at, ==, c->n_want);
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

/* ---- refusals ----------------------------------------------------------------------------------
 */

static void
expect_refusal(const char *path, const char *words)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  if (file) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);

    g_assert_null(frame);
  }
  g_assert_nonnull(error);
  g_test_message("%s", error->message);
  g_assert_true(g_str_has_prefix(error->message, path));
  if (!strstr(error->message, words)) {
    g_error("\"%s\" does not say \"%s\"", error->message, words);
  }
}

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

/* ---- deflated frames ---------------------------------------------------------------------------
 */

static GByteArray *
deflate_bytes(const guint8 *data, gsize n)
{
  GByteArray *out = g_byte_array_new();
  z_stream stream = {0};

  g_byte_array_set_size(out, (guint)n + 100);
  g_assert_cmpint(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), ==,
                  Z_OK);
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)n;
  stream.next_out = out->data;
  stream.avail_out = out->len;
  g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
  g_byte_array_set_size(out, (guint)stream.total_out);
  deflateEnd(&stream);
  return out;
}

/* Native frames of N bytes each, every one deflated into a fragment; CUT bytes of it left out. */
static char *
write_deflated(const Case *c, gsize n, guint cut)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_DEFLATED_FRAME);
  build_ids(&b);
  build_shape(&b, &c->shape);
  build_header(&b, PIXELS, "OB", UNDEFINED);
  build_item(&b, 0);
  for (guint i = 0; i < c->shape.frames; i++) {
    g_autoptr(GByteArray) frame = deflate_bytes(c->file + i * n, n);

    build_bytes(&b, 0xfffee000, NULL, frame->data, frame->len - MIN(cut, frame->len));
  }
  build_close(&b);
  return build_write(&b, "deflated.dcm");
}

static const Case deflated[] = {
    {"bits", NULL, 0, NULL, GREY(2, 6, 2, 1, 0), 4, {0x55, 0x05, 0x03, 0}, 24, {1, 0, 1, 0, 1, 0,
                                                                                1, 0, 1, 0, 1, 0,
                                                                                1, 1, 0, 0, 0, 0,
                                                                                0, 0, 0, 0, 0, 0}},
    {"bytes-odd", NULL, 0, NULL, GREY(1, 3, 2, 8, 0), 6, {1, 2, 3, 4, 5, 6}, 6, {1, 2, 3, 4, 5, 6}},
    /* Three bytes and a padding one. */
    {"bytes-padded",
     NULL,
     0,
     NULL,
     GREY(1, 3, 2, 8, 0),
     8,
     {1, 2, 3, 0, 4, 5, 6, 0},
     6,
     {1, 2, 3, 4, 5, 6}},
    {"words", NULL, 0, NULL, GREY(1, 2, 1, 16, 1), 4, {1, 2, 3, 0xff}, 4, {1, 2, 3, 0xff}},
    {"rgb-planar",
     NULL,
     0,
     NULL,
     {1, 2, 1, 3, 8, 8, 7, 0, "RGB", 1},
     6,
     {1, 4, 2, 5, 3, 6},
     6,
     {1, 2, 3, 4, 5, 6}},
};

static void
test_deflated(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(deflated); i++) {
    const Case *c = &deflated[i];
    g_autofree char *path = write_deflated(c, c->n_file / c->shape.frames, 0);

    expect_frames(path, c);
  }
}

static void
test_deflated_refused(void)
{
  Case c = deflated[3];
  g_autofree char *cut = write_deflated(&c, 4, 3);

  expect_refusal(cut, "ends before the picture does");
  g_autofree char *empty = write_deflated(&c, 4, 1000);
  expect_refusal(empty, "too short");
  g_autofree char *less = write_deflated(&c, 3, 0);
  expect_refusal(less, "ends before the picture does");
  g_autofree char *more = write_deflated(&c, 8, 0);
  expect_refusal(more, "does not end with the picture");
  c.file[4] = 1; /* what would be padding is no zero */
  g_autofree char *odd = write_deflated(&c, 5, 0);
  expect_refusal(odd, "does not end with the picture");
  c.shape.rows = 20000;
  g_autofree char *huge = write_deflated(&c, 4, 0);
  expect_refusal(huge, "too short");
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
  g_test_add_func("/dicom/native/too-short", test_too_short);
  g_test_add_func("/dicom/native/cut", test_cut);
  g_test_add_func("/dicom/native/refused-forms", test_refused_forms);
  g_test_add_func("/dicom/native/deflated", test_deflated);
  g_test_add_func("/dicom/native/deflated-refused", test_deflated_refused);
  g_test_add_func("/dicom/native/nan", test_nan);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
