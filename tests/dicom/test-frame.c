/* test-frame.c - stored values of one frame: native layouts, RLE, JPEG, and frames by number. */
#include "build.h"
#include "dicom.h"

#include <math.h>
#include <stdio.h>

#include <jpeglib.h>

static DicomFrame *
read_frame(const char *path, guint index, GError **error)
{
  g_autoptr(DicomFile) file = dicom_file_open(path, error);

  return file ? dicom_file_read_frame(file, index, error) : NULL;
}

static void
expect_stored(const char *path, guint index, const void *bytes, gsize n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = read_frame(path, index, &error);
  gsize got;

  g_assert_no_error(error);
  const guint8 *stored = dicom_frame_stored(frame, &got);
  g_assert_cmpmem(stored, got, bytes, n);
}

static void
expect_refusal(const char *path, const char *pattern)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = read_frame(path, 0, &error);

  g_assert_null(frame);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  g_test_message("%s", error->message);
  g_assert_true(g_str_has_prefix(error->message, path));
  if (!g_regex_match_simple(pattern, error->message, 0, 0)) {
    g_error("\"%s\" does not match \"%s\"", error->message, pattern);
  }
}

static char *
write_native(const char *uid, const Shape *shape, const char *vr, const void *bytes, gsize n)
{
  g_auto(Build) b = {0};

  build_start(&b, uid);
  build_ids(&b);
  build_shape(&b, shape);
  if (strcmp(vr, "OW") == 0) {
    build_words(&b, 0x7fe00010, vr, bytes, n / 2);
  } else {
    build_bytes(&b, 0x7fe00010, vr, bytes, n);
  }
  return build_write(&b, "native.dcm");
}

/* Frame N is read without the others, odd frame sizes included. */
static void
test_frames_by_number(void)
{
  const Shape shape = {1, 3, 4, 1, 8, 8, 7, 0, "MONOCHROME2", -1};
  const guint8 pixels[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  g_autofree char *path = write_native(TS_EXPLICIT, &shape, "OB", pixels, 12);

  for (guint i = 0; i < 4; i++) {
    expect_stored(path, i, pixels + 3 * i, 3);
  }
}

static void
test_one_bit(void)
{
  /* Three frames of five pixels: 11010 00111 10000, lowest bit first. */
  const Shape shape = {1, 5, 3, 1, 1, 1, 0, 0, "MONOCHROME2", -1};
  static const guint8 frames[3][5] = {{1, 1, 0, 1, 0}, {0, 0, 1, 1, 1}, {1, 0, 0, 0, 0}};
  const char *uids[] = {TS_EXPLICIT, TS_BIG, TS_IMPLICIT};
  guint bits = 0;

  for (guint i = 0; i < 15; i++) {
    bits |= (guint)frames[i / 5][i % 5] << i;
  }
  guint16 word = (guint16)bits;
  for (guint u = 0; u < G_N_ELEMENTS(uids); u++) {
    g_autofree char *path = write_native(uids[u], &shape, "OW", &word, 2);

    for (guint i = 0; i < 3; i++) {
      expect_stored(path, i, frames[i], 5);
    }
  }
}

static void
test_planes_and_422(void)
{
  const Shape planes = {1, 2, 2, 3, 8, 8, 7, 0, "RGB", 1};
  const guint8 by_plane[12] = {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
  const guint8 by_pixel[2][6] = {{1, 3, 5, 2, 4, 6}, {11, 13, 15, 12, 14, 16}};
  g_autofree char *path = write_native(TS_EXPLICIT, &planes, "OB", by_plane, 12);
  expect_stored(path, 0, by_pixel[0], 6);
  expect_stored(path, 1, by_pixel[1], 6);

  const Shape half = {1, 2, 2, 3, 8, 8, 7, 0, "YBR_FULL_422", 0};
  const guint8 groups[8] = {10, 20, 30, 40, 50, 60, 70, 80};
  const guint8 whole[2][6] = {{10, 30, 40, 20, 30, 40}, {50, 70, 80, 60, 70, 80}};
  g_autofree char *sub = write_native(TS_EXPLICIT, &half, "OB", groups, 8);
  expect_stored(sub, 0, whole[0], 6);
  expect_stored(sub, 1, whole[1], 6);
}

/* 32 bits in big endian: the words come in the file's order too. */
static void
test_wide_big_endian(void)
{
  const Shape shape = {1, 2, 1, 1, 32, 32, 31, 0, "MONOCHROME2", -1};
  const guint16 words[4] = {0x0001, 0x86a0, 0xdead, 0xbeef}; /* high word first */
  const guint32 values[2] = {100000, 0xdeadbeef};
  g_autofree char *path = write_native(TS_BIG, &shape, "OW", words, 8);

  expect_stored(path, 0, values, 8);
}

static void
test_float(void)
{
  const float values[3] = {-1.5f, 0.25f, 1e6f};
  g_autoptr(GError) error = NULL;
  g_auto(Build) b = {0};
  double low, high, value;

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_us(&b, 0x00280002, 1);
  build_text(&b, 0x00280004, "CS", "MONOCHROME2");
  build_us(&b, 0x00280010, 1);
  build_us(&b, 0x00280011, 3);
  build_us(&b, 0x00280100, 32);
  build_bytes(&b, 0x7fe00008, "OF", values, sizeof values);
  g_autofree char *path = build_write(&b, "float.dcm");
  g_autoptr(DicomFrame) frame = read_frame(path, 0, &error);
  g_assert_no_error(error);
  dicom_frame_range(frame, &low, &high);
  g_assert_cmpfloat(low, ==, -1.5);
  g_assert_cmpfloat(high, ==, 1e6);
  g_assert_true(dicom_frame_value(frame, 1, 0, &value));
  g_assert_cmpfloat(value, ==, 0.25);
  g_autoptr(DicomPicture) picture = dicom_frame_render(frame, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(picture->pixels[0], ==, 0);
  g_assert_cmpuint(picture->pixels[6], ==, 255);
}

/* BitsStored and HighBit: value = stored bits above the shift, with their sign. */
static void
test_bits(void)
{
  const Shape shape = {1, 4, 1, 1, 16, 10, 12, 1, "MONOCHROME2", -1};
  const guint16 words[4] = {0x0008 | 0xe007, 0x0ff8, 0x1000, 0x1ff8};
  const double expected[4] = {1, 511, -512, -1};
  g_autofree char *path = write_native(TS_EXPLICIT, &shape, "OW", words, 8);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = read_frame(path, 0, &error);
  double value;

  g_assert_no_error(error);
  for (guint i = 0; i < 4; i++) {
    g_assert_true(dicom_frame_value(frame, i, 0, &value));
    g_assert_cmpfloat(value, ==, expected[i]);
  }
  g_assert_false(dicom_frame_value(frame, 4, 0, &value));
  g_assert_false(dicom_frame_value(frame, 0, 1, &value));
  expect_stored(path, 0, words, 8);
}

static void
test_summary_and_sha(void)
{
  const Shape shape = {1, 2, 2, 1, 16, 12, 11, 1, "MONOCHROME2", -1};
  const guint16 words[4] = {5, 0xfffe, 4095, 7};
  g_autofree char *path = write_native(TS_EXPLICIT, &shape, "OW", words, 8);
  g_autofree char *md5 = g_compute_checksum_for_data(G_CHECKSUM_MD5, (guint8 *)words, 8);
  g_autofree char *sha = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)words, 4);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  char found[33];
  double low, high;

  g_assert_no_error(error);
  g_assert_true(dicom_file_pixel_summary(file, NULL, NULL, found, &low, &high, &error));
  g_assert_cmpstr(found, ==, md5);
  /* Containers, as numpy sees them: 4095 is not -1 here. */
  g_assert_cmpfloat(low, ==, -2);
  g_assert_cmpfloat(high, ==, 4095);
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
  g_assert_cmpstr(dicom_frame_sha256(frame), ==, sha);
  g_assert_cmpuint(dicom_frame_bytes(frame), >=, 4);
  g_assert_false(dicom_frame_is_colour(frame));
}

/* ---- encapsulated ------------------------------------------------------------------------------
 */

typedef struct {
  const guint8 *bytes;
  gsize n;
} Fragment;

static char *
write_fragments(const char *uid, const Shape *shape, const Fragment *fragments, guint n,
                const guint32 *offsets, guint n_offsets)
{
  g_auto(Build) b = {0};

  build_start(&b, uid);
  build_ids(&b);
  build_shape(&b, shape);
  build_header(&b, 0x7fe00010, "OB", UNDEFINED);
  build_item(&b, 4 * n_offsets);
  for (guint i = 0; i < n_offsets; i++) {
    build_u32(&b, offsets[i]);
  }
  for (guint i = 0; i < n; i++) {
    build_bytes(&b, 0xfffee000, NULL, fragments[i].bytes, fragments[i].n);
  }
  build_close(&b);
  return build_write(&b, "fragments.dcm");
}

/* Two segments (high bytes, low bytes) of six pixels: 0x0102 three times, then 0x0203 0x0204
 * 0x0205. */
static const guint8 rle[64 + 12] = {
    2, 0,    0, 0, 64, 0, 0, 0, 68, 0, 0, 0, [64] = 0xfe, 1, 0xfe, 2, /* low */ 0xfe,
    2, 0x80, 2, 3, 4,  5,
};
static const guint16 rle_pixels[6] = {0x0102, 0x0102, 0x0102, 0x0203, 0x0204, 0x0205};

static void
test_rle(void)
{
  const Shape shape = {2, 3, 1, 1, 16, 16, 15, 0, "MONOCHROME2", -1};
  const Fragment whole = {rle, sizeof rle};
  const Fragment parts[2] = {{rle, 70}, {rle + 70, sizeof rle - 70}};
  g_autofree char *one = write_fragments(TS_RLE, &shape, &whole, 1, NULL, 0);
  expect_stored(one, 0, rle_pixels, sizeof rle_pixels);
  g_autofree char *two = write_fragments(TS_RLE, &shape, parts, 2, NULL, 0);
  expect_stored(two, 0, rle_pixels, sizeof rle_pixels);

  /* Every way of cutting it short is an error, not black pixels. */
  for (gsize n = 2; n < 74; n += 2) {
    const Fragment cut = {rle, n};
    g_autofree char *path = write_fragments(TS_RLE, &shape, &cut, 1, NULL, 0);

    expect_refusal(path, "RLE");
  }
}

static void
test_rle_lies(void)
{
  const Shape shape = {2, 3, 1, 1, 16, 16, 15, 0, "MONOCHROME2", -1};
  guint8 bad[sizeof rle];
  const Fragment fragment = {bad, sizeof bad};

  memcpy(bad, rle, sizeof bad);
  bad[0] = 3;
  g_autofree char *count = write_fragments(TS_RLE, &shape, &fragment, 1, NULL, 0);
  expect_refusal(count, "number of RLE segments");
  memcpy(bad, rle, sizeof bad);
  bad[9] = 0xff;
  g_autofree char *offset = write_fragments(TS_RLE, &shape, &fragment, 1, NULL, 0);
  expect_refusal(offset, "segment begins outside");
  const Shape huge = {16000, 16000, 1, 1, 16, 16, 15, 0, "MONOCHROME2", -1};
  memcpy(bad, rle, sizeof bad);
  g_autofree char *large = write_fragments(TS_RLE, &huge, &fragment, 1, NULL, 0);
  expect_refusal(large, "too short for the picture");
}

/* A grey JPEG of W x H whose pixels are all LEVEL. */
static guint8 *
make_jpeg(guint w, guint h, guint level, gsize *n)
{
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr err;
  g_autofree guint8 *row = g_malloc(w);
  unsigned char *out = NULL;
  unsigned long size = 0;

  memset(row, (int)level, w);
  c.err = jpeg_std_error(&err);
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, &out, &size);
  c.image_width = w;
  c.image_height = h;
  c.input_components = 1;
  c.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 95, TRUE);
  jpeg_start_compress(&c, TRUE);
  for (guint y = 0; y < h; y++) {
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  guint8 *copy = g_memdup2(out, size);
  free(out);
  *n = size;
  return copy;
}

static void
expect_level(const char *path, guint index, guint level)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = read_frame(path, index, &error);
  gsize n;

  g_assert_no_error(error);
  const guint8 *stored = dicom_frame_stored(frame, &n);
  /* One step of quantisation at quality 95. */
  g_assert_cmpint(ABS((gint)stored[0] - (gint)level), <=, 1);
  g_assert_cmpint(ABS((gint)stored[n - 1] - (gint)level), <=, 1);
}

/* Frames found in any order: one fragment each, by the offset table, and by their markers. */
static void
test_jpeg_frames(void)
{
  const Shape shape = {16, 24, 3, 1, 8, 8, 7, 0, "MONOCHROME2", -1};
  static const guint levels[3] = {40, 120, 220};
  Fragment whole[3], halves[6];
  guint32 offsets[3], at = 0;
  guint8 *jpegs[3];

  for (guint i = 0; i < 3; i++) {
    gsize n;

    jpegs[i] = make_jpeg(24, 16, levels[i], &n);
    gsize cut = n / 2 / 2 * 2;
    whole[i] = (Fragment){jpegs[i], n};
    halves[2 * i] = (Fragment){jpegs[i], cut};
    halves[2 * i + 1] = (Fragment){jpegs[i] + cut, n - cut};
    offsets[i] = at;
    at += 8 + (guint32)cut + 8 + (guint32)(n - cut + (n - cut) % 2);
  }
  for (guint way = 0; way < 3; way++) {
    g_autofree char *path = way == 0   ? write_fragments(TS_JPEG, &shape, whole, 3, NULL, 0)
                            : way == 1 ? write_fragments(TS_JPEG, &shape, halves, 6, offsets, 3)
                                       : write_fragments(TS_JPEG, &shape, halves, 6, NULL, 0);

    for (guint i = 3; i-- > 0;) {
      expect_level(path, i, levels[i]);
    }
  }
  for (guint i = 0; i < 3; i++) {
    g_free(jpegs[i]);
  }
}

/* Eight bits in the code stream, sixteen allocated. */
static void
test_jpeg_narrow(void)
{
  const Shape shape = {8, 8, 1, 1, 16, 8, 7, 0, "MONOCHROME2", -1};
  g_autoptr(GError) error = NULL;
  Fragment fragment;
  g_autofree guint8 *jpeg = make_jpeg(8, 8, 99, &fragment.n);
  gsize n;

  fragment.bytes = jpeg;
  g_autofree char *path = write_fragments(TS_JPEG, &shape, &fragment, 1, NULL, 0);
  g_autoptr(DicomFrame) frame = read_frame(path, 0, &error);
  g_assert_no_error(error);
  const guint8 *stored = dicom_frame_stored(frame, &n);
  g_assert_cmpuint(n, ==, 128);
  for (guint i = 0; i < 64; i++) {
    g_assert_cmpint(ABS((gint)stored[2 * i] - 99), <=, 1);
    g_assert_cmpuint(stored[2 * i + 1], ==, 0);
  }
}

static void
test_jpeg_lies(void)
{
  const Shape other = {8, 16, 1, 1, 8, 8, 7, 0, "MONOCHROME2", -1};
  const Shape same = {64, 64, 1, 1, 8, 8, 7, 0, "MONOCHROME2", -1};
  Fragment fragment;
  g_autofree guint8 *jpeg = make_jpeg(64, 64, 99, &fragment.n);

  fragment.bytes = jpeg;
  g_autofree char *size = write_fragments(TS_JPEG, &other, &fragment, 1, NULL, 0);
  expect_refusal(size, "holds 64 x 64 pixels of 1 samples; Columns x Rows is 16 x 8");
  const Fragment noise = {(const guint8 *)"no JPEG at all, no", 18};
  g_autofree char *none = write_fragments(TS_JPEG, &same, &noise, 1, NULL, 0);
  expect_refusal(none, "begins with 6E 6F; expected a JPEG code stream");
  gsize n = fragment.n;
  for (fragment.n = 4; fragment.n < n - 4; fragment.n += 10) {
    g_autofree char *cut = write_fragments(TS_JPEG, &same, &fragment, 1, NULL, 0);

    expect_refusal(cut, "");
  }
  g_autofree char *frames = write_fragments(TS_JPEG, &same, NULL, 0, NULL, 0);
  expect_refusal(frames, "PixelData has no fragment");
}

/* A row of values is what the pixels are one by one, however they are stored. */
static void
check_values(const Shape *shape, const char *padding, const char *slope)
{
  g_autoptr(GError) error = NULL;
  g_auto(Build) b = {0};
  guint8 bytes[40 * 2 * 2];

  for (guint i = 0; i < sizeof bytes; i++) {
    bytes[i] = (guint8)(i * 73 + i / 7);
  }
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, shape);
  if (padding) {
    build_us(&b, 0x00280120, (guint)g_ascii_strtoull(padding, NULL, 10));
  }
  build_text(&b, 0x00281052, "DS", "-1000");
  build_text(&b, 0x00281053, "DS", slope);
  build_bytes(&b, 0x7fe00010, "OW", bytes, shape->bits / 8 * 80);
  g_autofree char *path = build_write(&b, "values.dcm");
  g_autoptr(DicomFrame) frame = read_frame(path, 0, &error);
  g_assert_no_error(error);
  for (guint y = 0; y < 2; y++) {
    double values[37];

    dicom_frame_values(frame, 3, y, 37, values);
    for (guint i = 0; i < 37; i++) {
      double stored, value;
      gboolean is_padding;

      g_assert_true(dicom_frame_probe(frame, 3 + i, y, &stored, &value, &is_padding));
      g_assert_true(is_padding || !isfinite(value) ? isnan(values[i]) : values[i] == value);
    }
  }
}

static void
test_values(void)
{
  for (guint sign = 0; sign < 2; sign++) {
    const Shape whole = {2, 40, 0, 1, 16, 16, 15, sign, "MONOCHROME2", -1};
    const Shape twelve = {2, 40, 0, 1, 16, 12, 11, sign, "MONOCHROME2", -1};
    const Shape upper = {2, 40, 0, 1, 16, 12, 15, sign, "MONOCHROME2", -1};
    const Shape eight = {2, 40, 0, 1, 8, 8, 7, sign, "MONOCHROME1", -1};
    const Shape *shapes[] = {&whole, &twelve, &upper, &eight};

    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
      check_values(shapes[i], NULL, "1.5");
      check_values(shapes[i], "73", "1");
      check_values(shapes[i], NULL, "1e307");
    }
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/frame/values", test_values);
  g_test_add_func("/dicom/frame/frames-by-number", test_frames_by_number);
  g_test_add_func("/dicom/frame/one-bit", test_one_bit);
  g_test_add_func("/dicom/frame/planes-and-422", test_planes_and_422);
  g_test_add_func("/dicom/frame/wide-big-endian", test_wide_big_endian);
  g_test_add_func("/dicom/frame/float", test_float);
  g_test_add_func("/dicom/frame/bits", test_bits);
  g_test_add_func("/dicom/frame/summary-and-sha", test_summary_and_sha);
  g_test_add_func("/dicom/frame/rle", test_rle);
  g_test_add_func("/dicom/frame/rle-lies", test_rle_lies);
  g_test_add_func("/dicom/frame/jpeg-frames", test_jpeg_frames);
  g_test_add_func("/dicom/frame/jpeg-narrow", test_jpeg_narrow);
  g_test_add_func("/dicom/frame/jpeg-lies", test_jpeg_lies);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
