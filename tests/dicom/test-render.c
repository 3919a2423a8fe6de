/* test-render.c - THE picture, against the standard's formulas worked out by hand. */
#include "build.h"
#include "dicom.h"
#include "dicom/frame.h"
#include "picture.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* The first N pixels of the picture, all three channels equal. */
static void
expect_grey(const DicomFrame *frame, const DicomWindow *window, const guint8 *expected, guint n)
{
  g_autoptr(DicomPicture) picture = render(frame, window);

  for (guint i = 0; i < n; i++) {
    const guint8 *p = picture->pixels + 3 * i;

    if (p[0] != expected[i] || p[1] != expected[i] || p[2] != expected[i]) {
      g_error("pixel %u is %u %u %u, expected %u", i, p[0], p[1], p[2], expected[i]);
    }
  }
}

typedef void (*More)(Build *);

/* Eight pixels in one row, unsigned or signed, with what MORE adds in front of the pixels. */
static char *
write_row(const char *photometric, gboolean is_signed, const guint16 *words, More before,
          More after)
{
  g_auto(Build) b = {0};
  const Shape shape = {1, 8, 0, 1, 16, 16, 15, is_signed, photometric, -1};

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  if (before) {
    before(&b);
  }
  if (after) {
    after(&b);
  }
  build_words(&b, 0x7fe00010, "OW", words, 8);
  return build_write(&b, "row.dcm");
}

static const guint16 ramp[8] = {0, 10, 20, 30, 40, 50, 60, 70};

static void
window_35_40(Build *b)
{
  build_text(b, 0x00281050, "DS", "35");
  build_text(b, 0x00281051, "DS", "40");
}

/* C.11.2.1.2.1: y = ((x - 34.5) / 39 + 0.5) * 255, from 15 on and up to 54. */
static void
test_linear(void)
{
  static const guint8 linear[8] = {0, 0, 33, 98, 163, 229, 255, 255};
  /* LINEAR_EXACT: y = ((x - 35) / 40 + 0.5) * 255. */
  static const guint8 exact[8] = {0, 0, 32, 96, 159, 223, 255, 255};
  const DicomWindow asked = {.voi = DICOM_VOI_LINEAR_EXACT, .center = 35, .width = 40};
  g_autofree char *path = write_row("MONOCHROME2", FALSE, ramp, window_35_40, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  DicomWindow window = dicom_frame_default_window(frame);

  g_assert_cmpint(window.voi, ==, DICOM_VOI_LINEAR);
  g_assert_cmpfloat(window.center, ==, 35);
  expect_grey(frame, NULL, linear, 8);
  expect_grey(frame, &window, linear, 8);
  expect_grey(frame, &asked, exact, 8);
}

static void
sigmoid_35_40(Build *b)
{
  window_35_40(b);
  build_text(b, 0x00281056, "CS", "SIGMOID");
}

static void
test_sigmoid(void)
{
  guint8 expected[8];
  g_autofree char *path = write_row("MONOCHROME2", FALSE, ramp, sigmoid_35_40, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);

  for (guint i = 0; i < 8; i++) {
    expected[i] = (guint8)(255 / (1 + exp(-4 * (ramp[i] - 35.0) / 40)) + 0.5);
  }
  g_assert_cmpint(dicom_frame_default_window(frame).voi, ==, DICOM_VOI_SIGMOID);
  expect_grey(frame, NULL, expected, 8);
}

/* Width 1 is a step; below 1 there is no standard formula; nonsense falls back to the range. */
static void
test_narrow_windows(void)
{
  static const guint8 step[8] = {0, 0, 0, 0, 255, 255, 255, 255};
  static const guint8 range[8] = {0, 36, 73, 109, 146, 182, 219, 255};
  g_autofree char *path = write_row("MONOCHROME2", FALSE, ramp, NULL, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  DicomWindow window = {.voi = DICOM_VOI_LINEAR, .center = 35, .width = 1};

  expect_grey(frame, &window, step, 8);
  window.width = 0.25;
  expect_grey(frame, &window, step, 8);
  window.center = 1e300;
  expect_grey(frame, &window, (const guint8[8]){0}, 8);
  window.width = 0;
  expect_grey(frame, &window, range, 8);
  window.width = NAN;
  expect_grey(frame, &window, range, 8);
  window = (DicomWindow){.voi = DICOM_VOI_LUT, .lut = 3};
  expect_grey(frame, &window, range, 8);
  expect_grey(frame, NULL, range, 8);
}

static void
inverse_shape(Build *b)
{
  build_text(b, 0x20500020, "CS", "INVERSE");
}

/* Once, not twice: MONOCHROME1, INVERSE, and both together give the same picture. */
static void
test_inversion(void)
{
  static const guint8 plain[8] = {0, 36, 73, 109, 146, 182, 219, 255};
  static const guint8 turned[8] = {255, 219, 182, 146, 109, 73, 36, 0};
  const struct {
    const char *photometric;
    More shape;
  } cases[] = {
      {"MONOCHROME1", NULL}, {"MONOCHROME2", inverse_shape}, {"MONOCHROME1", inverse_shape}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = write_row(cases[i].photometric, FALSE, ramp, NULL, cases[i].shape);
    g_autoptr(DicomFrame) frame = open_frame(path, 0);
    DicomWindow window = dicom_frame_default_window(frame);

    expect_grey(frame, NULL, turned, 8);
    window.invert = TRUE;
    expect_grey(frame, &window, plain, 8);
  }
}

static void
rescale(Build *b)
{
  build_text(b, 0x00281050, "DS", "0");
  build_text(b, 0x00281051, "DS", "256");
  build_text(b, 0x00281052, "DS", "-100");
  build_text(b, 0x00281053, "DS", "2");
}

/* HU: value * 2 - 100, and the window counts in them. Signed stored values. */
static void
test_rescale(void)
{
  static const guint16 words[8] = {0, 50, 100, 0xffce /* -50 */, 0x7fff, 0x8000, 20, 80};
  static const double values[8] = {-100, 0, 100, -200, 65434, -65636, -60, 60};
  guint8 expected[8];
  g_autofree char *path = write_row("MONOCHROME2", TRUE, words, rescale, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  double value, low, high;

  for (guint i = 0; i < 8; i++) {
    double y = ((values[i] + 0.5) / 255 + 0.5) * 255;

    expected[i] = (guint8)(CLAMP(y, 0, 255) + 0.5);
    g_assert_true(dicom_frame_value(frame, i, 0, &value));
    g_assert_cmpfloat(value, ==, values[i]);
  }
  expect_grey(frame, NULL, expected, 8);
  dicom_frame_range(frame, &low, &high);
  g_assert_cmpfloat(low, ==, -65636);
  g_assert_cmpfloat(high, ==, 65434);
}

static void
padding_range(Build *b)
{
  build_us(b, 0x00280120, 60);
  build_us(b, 0x00280121, 70);
}

/* Neither part of the range nor drawn through it: black in either polarity, until the reader turns
 * the whole picture. */
static void
test_padding(void)
{
  static const guint8 plain[8] = {0, 51, 102, 153, 204, 255, 0, 0};
  static const guint8 inverse[8] = {255, 204, 153, 102, 51, 0, 0, 0};
  static const guint8 turned[8] = {0, 51, 102, 153, 204, 255, 255, 255};
  g_autofree char *path = write_row("MONOCHROME2", FALSE, ramp, padding_range, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  double low, high;

  dicom_frame_range(frame, &low, &high);
  g_assert_cmpfloat(low, ==, 0);
  g_assert_cmpfloat(high, ==, 50);
  expect_grey(frame, NULL, plain, 8);

  g_autofree char *path1 = write_row("MONOCHROME1", FALSE, ramp, padding_range, NULL);
  g_autoptr(DicomFrame) frame1 = open_frame(path1, 0);
  DicomWindow window = dicom_frame_default_window(frame1);
  expect_grey(frame1, NULL, inverse, 8);
  window.invert = TRUE;
  expect_grey(frame1, &window, turned, 8);
}

static void
padding_wrong_type(Build *b)
{
  build_us(b, 0x00280120, 0xf830); /* -2000, said to be unsigned */
}

static void
test_padding_of_signed(void)
{
  static const guint16 words[8] = {0xf830, 0, 100, 200, 300, 400, 500, 0xffff};
  g_autofree char *path = write_row("MONOCHROME2", TRUE, words, padding_wrong_type, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  double low, high;

  dicom_frame_range(frame, &low, &high);
  g_assert_cmpfloat(low, ==, -1);
  g_assert_cmpfloat(high, ==, 500);
}

/* The picture in bytes and the one in RGB, for every width around a turn of the loops. */
static void
test_grey8(void)
{
  g_autoptr(GError) error = NULL;
  guint8 out[40];

  for (guint is_signed = 0; is_signed < 2; is_signed++) {
    for (guint width = 1; width <= 20; width++) {
      g_auto(Build) b = {0};
      const Shape shape = {2, width, 0, 1, 16, 16, 15, is_signed, "MONOCHROME2", -1};
      guint16 words[40];

      for (guint i = 0; i < 2 * width; i++) {
        words[i] = (guint16)g_test_rand_int();
      }
      build_start(&b, TS_EXPLICIT);
      build_ids(&b);
      build_shape(&b, &shape);
      build_words(&b, 0x7fe00010, "OW", words, 2 * width);
      g_autofree char *path = build_write(&b, "grey8.dcm");
      g_autoptr(DicomFrame) frame = open_frame(path, 0);
      g_autoptr(DicomPicture) picture = render(frame, NULL);
      g_assert_true(dicom_frame_render_grey8(frame, NULL, out, &error));
      g_assert_no_error(error);
      for (guint i = 0; i < 6 * width; i++) {
        g_assert_cmpuint(picture->pixels[i], ==, out[i / 3]);
      }
    }
  }
}

/* What is said of the samples saves time; nothing else may depend on it. */
static void
test_unknown_range(void)
{
  static const guint16 words[8] = {0xf830, 0, 100, 200, 300, 400, 500, 0xffff};
  g_autofree char *path = write_row("MONOCHROME2", TRUE, words, rescale, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  g_autoptr(DicomPicture) known = render(frame, NULL);

  g_assert_true(frame->ranged);
  g_assert_true(frame->raw_known);
  g_assert_true(frame->raw_signed);
  g_assert_cmpint(frame->raw_low, ==, -2000);
  g_assert_cmpint(frame->raw_high, ==, 500);
  frame->raw_known = FALSE;
  g_autoptr(DicomPicture) unknown = render(frame, NULL);
  g_assert_cmpmem(known->pixels, 24, unknown->pixels, 24);
  /* A lie gives a wrong picture, and no more than that. */
  frame->raw_known = TRUE;
  frame->raw_low = G_MAXINT;
  frame->raw_high = G_MININT;
  g_autoptr(DicomPicture) empty = render(frame, NULL);
  frame->raw_low = G_MININT;
  frame->raw_high = G_MAXINT;
  g_autoptr(DicomPicture) full = render(frame, NULL);
  g_assert_cmpmem(known->pixels, 24, full->pixels, 24);
}

static void
put_lut(Build *b, guint n, guint first, guint bits, const guint16 *entries, gsize n_words)
{
  const guint16 descriptor[3] = {(guint16)n, (guint16)first, (guint16)bits};

  build_item(b, UNDEFINED);
  build_words(b, 0x00283002, "US", descriptor, 3);
  build_words(b, 0x00283006, "OW", entries, n_words);
  build_item_end(b);
}

static void
voi_luts(Build *b)
{
  static const guint16 up[4] = {0, 1000, 2000, 4095}, packed[2] = {0x4000, 0xff80};

  build_open(b, 0x00283010);
  put_lut(b, 4, 20, 12, up, 4);
  put_lut(b, 4, 20, 8, packed, 2); /* two entries to a word */
  build_close(b);
}

static void
test_voi_lut(void)
{
  static const guint16 words[8] = {0, 20, 21, 22, 23, 24, 100, 65535};
  static const guint8 first[8] = {0, 0, 62, 125, 255, 255, 255, 255};
  static const guint8 second[8] = {0, 0, 64, 128, 255, 255, 255, 255};
  g_autofree char *path = write_row("MONOCHROME2", FALSE, words, voi_luts, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  DicomWindow window = dicom_frame_default_window(frame);

  g_assert_cmpint(window.voi, ==, DICOM_VOI_LUT);
  g_assert_cmpuint(window.lut, ==, 0);
  expect_grey(frame, NULL, first, 8);
  window.lut = 1;
  expect_grey(frame, &window, second, 8);
}

static void
modality_lut(Build *b)
{
  static const guint16 entries[3] = {500, 100, 900};

  build_open(b, 0x00283000);
  put_lut(b, 3, 0xfffe /* -2 */, 16, entries, 3);
  build_close(b);
}

static void
test_modality_lut(void)
{
  static const guint16 words[8] = {0xfff0, 0xfffe, 0xffff, 0, 1, 2, 3, 4};
  static const double values[8] = {500, 500, 100, 900, 900, 900, 900, 900};
  g_autofree char *path = write_row("MONOCHROME2", TRUE, words, modality_lut, NULL);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  double value, low, high;

  for (guint i = 0; i < 8; i++) {
    g_assert_true(dicom_frame_value(frame, i, 0, &value));
    g_assert_cmpfloat(value, ==, values[i]);
  }
  dicom_frame_range(frame, &low, &high);
  g_assert_cmpfloat(low, ==, 100);
  g_assert_cmpfloat(high, ==, 900);
  expect_grey(frame, NULL, (const guint8[4]){128, 128, 0, 255}, 4);
}

static void
short_lut(Build *b)
{
  static const guint16 entries[3] = {1, 2, 3};

  build_open(b, 0x00283010);
  put_lut(b, 100, 0, 16, entries, 3);
  build_close(b);
}

static void
test_broken_lut(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = write_row("MONOCHROME2", FALSE, ramp, short_lut, NULL);
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  g_assert_no_error(error);
  g_assert_null(dicom_file_read_frame(file, 0, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  g_assert_nonnull(strstr(error->message, "VOILUTSequence: LUTData is shorter"));
}

/* Windows of an enhanced object: the frame's own, and the shared rescale. */
static void
test_functional_groups(void)
{
  g_auto(Build) b = {0};
  const Shape shape = {1, 2, 2, 1, 16, 16, 15, 0, "MONOCHROME2", -1};
  const guint16 words[4] = {10, 20, 10, 20};
  static const char *const centers[2] = {"100", "300"};

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  build_open(&b, 0x52009229);
  build_item(&b, UNDEFINED);
  build_open(&b, 0x00289145);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x00281052, "DS", "5");
  build_text(&b, 0x00281053, "DS", "10");
  build_item_end(&b);
  build_close(&b);
  build_item_end(&b);
  build_close(&b);
  build_open(&b, 0x52009230);
  for (guint i = 0; i < 2; i++) {
    build_item(&b, UNDEFINED);
    build_open(&b, 0x00289132);
    build_item(&b, UNDEFINED);
    build_text(&b, 0x00281050, "DS", centers[i]);
    build_text(&b, 0x00281051, "DS", "50");
    build_item_end(&b);
    build_close(&b);
    build_item_end(&b);
  }
  build_close(&b);
  build_words(&b, 0x7fe00010, "OW", words, 4);
  g_autofree char *path = build_write(&b, "enhanced.dcm");
  for (guint i = 0; i < 2; i++) {
    g_autoptr(DicomFrame) frame = open_frame(path, i);
    double value;

    g_assert_cmpfloat(dicom_frame_default_window(frame).center, ==, i == 0 ? 100 : 300);
    g_assert_true(dicom_frame_value(frame, 1, 0, &value));
    g_assert_cmpfloat(value, ==, 205);
  }
}

/* ---- colour ------------------------------------------------------------------------------------
 */

static void
expect_rgb(const DicomPicture *picture, guint pixel, guint r, guint g, guint b)
{
  const guint8 *p = picture->pixels + 3 * pixel;

  if (p[0] != r || p[1] != g || p[2] != b) {
    g_error("pixel %u is %u %u %u, expected %u %u %u", pixel, p[0], p[1], p[2], r, g, b);
  }
}

static char *
write_colour(const Shape *shape, const char *vr, const void *bytes, gsize n)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, shape);
  if (strcmp(vr, "OW") == 0) {
    build_words(&b, 0x7fe00010, vr, bytes, n / 2);
  } else {
    build_bytes(&b, 0x7fe00010, vr, bytes, n);
  }
  return build_write(&b, "colour.dcm");
}

static void
test_rgb(void)
{
  const Shape shape = {1, 2, 0, 3, 8, 8, 7, 0, "RGB", 0};
  const guint8 pixels[6] = {10, 20, 30, 200, 100, 50};
  g_autofree char *path = write_colour(&shape, "OB", pixels, 6);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  g_autoptr(DicomPicture) picture = render(frame, NULL);
  double value;

  g_assert_true(dicom_frame_is_colour(frame));
  g_assert_false(dicom_frame_value(frame, 0, 0, &value));
  g_assert_cmpint(dicom_frame_default_window(frame).voi, ==, DICOM_VOI_NONE);
  g_assert_cmpmem(picture->pixels, 6, pixels, 6);
  /* A window that was asked for works on each channel. */
  const DicomWindow window = {.voi = DICOM_VOI_LINEAR, .center = 128, .width = 256, .invert = TRUE};
  g_autoptr(DicomPicture) inverted = render(frame, &window);
  expect_rgb(inverted, 0, 245, 235, 225);

  const Shape deep = {1, 2, 0, 3, 16, 16, 15, 0, "RGB", 0};
  const guint16 words[6] = {0, 32768, 65535, 257, 514, 25700};
  g_autofree char *path16 = write_colour(&deep, "OW", words, 12);
  g_autoptr(DicomFrame) frame16 = open_frame(path16, 0);
  g_autoptr(DicomPicture) picture16 = render(frame16, NULL);
  expect_rgb(picture16, 0, 0, 128, 255);
  expect_rgb(picture16, 1, 1, 2, 100);
}

/* PS3.3 C.7.6.3.1.2, worked out by hand. */
static void
test_ybr(void)
{
  const Shape shape = {1, 4, 0, 3, 8, 8, 7, 0, "YBR_FULL", 0};
  const guint8 pixels[12] = {100, 128, 128, 100, 228, 128, 100, 128, 228, 255, 255, 255};
  g_autofree char *path = write_colour(&shape, "OB", pixels, 12);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  g_autoptr(DicomPicture) picture = render(frame, NULL);

  expect_rgb(picture, 0, 100, 100, 100);
  expect_rgb(picture, 1, 100, 66, 255);
  expect_rgb(picture, 2, 240, 29, 100);
  expect_rgb(picture, 3, 255, 121, 255);
}

static char *
write_palette(guint n, guint first, guint bits, guint32 data_tag, const char *vr,
              const guint16 *words, gsize n_words)
{
  g_auto(Build) b = {0};
  const Shape shape = {1, 4, 0, 1, 8, 8, 7, 0, "PALETTE COLOR", -1};
  const guint8 pixels[4] = {0, 1, 2, 200};
  const guint16 descriptor[3] = {(guint16)n, (guint16)first, (guint16)bits};

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  for (guint i = 0; i < 3; i++) {
    build_words(&b, 0x00281101 + i, "US", descriptor, 3);
  }
  for (guint i = 0; i < 3; i++) {
    build_words(&b, data_tag + i, vr, words, n_words);
  }
  build_bytes(&b, 0x7fe00010, "OB", pixels, 4);
  return build_write(&b, "palette.dcm");
}

static void
expect_palette(const char *path, guint a, guint b, guint c, guint d)
{
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  g_autoptr(DicomPicture) picture = render(frame, NULL);

  expect_rgb(picture, 0, a, a, a);
  expect_rgb(picture, 1, b, b, b);
  expect_rgb(picture, 2, c, c, c);
  expect_rgb(picture, 3, d, d, d);
}

static void
test_palettes(void)
{
  static const guint16 deep[3] = {0x0a00, 0x8000, 0xff00}, low[3] = {1, 2, 77};
  static const guint16 packed[2] = {0x2010, 0x0030};
  /* 10 and 20, a line of 3 more up to 80, then the first segment again. */
  static const guint16 segments[] = {0, 2, 0x0a00, 0x1400, 1, 3, 0x5000, 2, 1, 0, 0};
  static const guint16 bytes[] = {0x0200, 0x140a, 0x0301, 0x0250, 0x0001, 0x0000, 0};

  g_autofree char *sixteen = write_palette(3, 0, 16, 0x00281201, "OW", deep, 3);
  expect_palette(sixteen, 10, 128, 255, 255);
  g_autofree char *shifted = write_palette(3, 1, 16, 0x00281201, "OW", deep, 3);
  expect_palette(shifted, 10, 10, 128, 255);
  /* Called 16 bits deep, and holding 8. */
  g_autofree char *shallow = write_palette(3, 0, 16, 0x00281201, "OW", low, 3);
  expect_palette(shallow, 1, 2, 77, 77);
  g_autofree char *two = write_palette(3, 0, 8, 0x00281201, "OW", packed, 2);
  expect_palette(two, 0x10, 0x20, 0x30, 0x30);
  g_autofree char *segmented = write_palette(7, 0, 16, 0x00281221, "OW", segments, 11);
  expect_palette(segmented, 10, 20, 40, 20);
  g_autofree char *eight = write_palette(7, 0, 8, 0x00281221, "OW", bytes, 7);
  expect_palette(eight, 10, 20, 40, 20);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = open_frame(eight, 0);
  guint8 out[4];
  g_assert_false(dicom_frame_render_grey8(frame, NULL, out, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
}

/* ---- PNG ---------------------------------------------------------------------------------------
 */

static void
test_write_png(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomPicture) picture = dicom_picture_new(5, 3);
  g_autofree char *path = g_build_filename(build_folder(), "out.png", NULL);
  g_autofree char *nowhere = g_build_filename(build_folder(), "no", "where.png", NULL);

  for (guint i = 0; i < 45; i++) {
    picture->pixels[i] = (guint8)(i * 5);
  }
  g_assert_true(dicom_picture_write_png(picture, path, &error));
  g_assert_no_error(error);
  g_autoptr(DicomFrame) frame = open_frame(path, 0);
  g_autoptr(DicomPicture) again = render(frame, NULL);
  g_autofree char *a = dicom_picture_sha256(picture);
  g_autofree char *b = dicom_picture_sha256(again);
  g_assert_cmpstr(a, ==, b);
  g_assert_cmpuint(dicom_frame_samples(frame), ==, 3);
  for (guint i = 0; i < 45; i++) {
    picture->pixels[i] = (guint8)(i / 3 * 15);
  }
  /* A grey picture has three samples too. */
  g_assert_true(dicom_picture_write_png(picture, path, &error));
  g_autoptr(DicomFrame) grey = open_frame(path, 0);
  g_autoptr(DicomPicture) twice = render(grey, NULL);
  g_assert_cmpmem(picture->pixels, 45, twice->pixels, 45);
  g_assert_cmpuint(dicom_frame_samples(grey), ==, 3);
  g_autoptr(GBytes) bytes = dicom_picture_png(picture, &error);
  g_autofree char *written = NULL;
  gsize n_written = 0;
  g_assert_true(g_file_get_contents(path, &written, &n_written, NULL));
  g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), written, n_written);
  g_assert_false(dicom_picture_write_png(picture, nowhere, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
  g_assert_nonnull(strstr(error->message, "no/where.png"));
}

/* A full disk leaves neither a file nor what was written aside. A limit on the size of files stands
 * for the disk. */
static void
test_full_disk(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomPicture) picture = dicom_picture_new(300, 300);
  g_autofree char *folder = g_build_filename(build_folder(), "full", NULL);
  g_autofree char *path = g_build_filename(folder, "x.png", NULL);
  struct rlimit before, small;

  g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
  for (guint i = 0; i < 300 * 300 * 3; i++) {
    picture->pixels[i] = (guint8)g_test_rand_int();
  }
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
  for (rlim_t size = 0; size <= 65536; size = size * 4 + 1) {
    small = before;
    small.rlim_cur = size;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    gboolean ok = dicom_picture_write_png(picture, path, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    g_assert_false(ok);
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_clear_error(&error);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
  }
  g_assert_true(dicom_picture_write_png(picture, path, &error));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/render/linear", test_linear);
  g_test_add_func("/dicom/render/sigmoid", test_sigmoid);
  g_test_add_func("/dicom/render/narrow-windows", test_narrow_windows);
  g_test_add_func("/dicom/render/inversion", test_inversion);
  g_test_add_func("/dicom/render/rescale", test_rescale);
  g_test_add_func("/dicom/render/padding", test_padding);
  g_test_add_func("/dicom/render/padding-of-signed", test_padding_of_signed);
  g_test_add_func("/dicom/render/grey8", test_grey8);
  g_test_add_func("/dicom/render/unknown-range", test_unknown_range);
  g_test_add_func("/dicom/render/voi-lut", test_voi_lut);
  g_test_add_func("/dicom/render/modality-lut", test_modality_lut);
  g_test_add_func("/dicom/render/broken-lut", test_broken_lut);
  g_test_add_func("/dicom/render/functional-groups", test_functional_groups);
  g_test_add_func("/dicom/render/rgb", test_rgb);
  g_test_add_func("/dicom/render/ybr", test_ybr);
  g_test_add_func("/dicom/render/palettes", test_palettes);
  g_test_add_func("/dicom/render/write-png", test_write_png);
  g_test_add_func("/dicom/render/full-disk", test_full_disk);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
