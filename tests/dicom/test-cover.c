/* test-cover.c - display shutters and overlay planes of an image: on the screen, and nowhere else.
 */
#include <string.h>

#include "build.h"
#include "dicom.h"
#include "dicom_remote.h"

#define W 6
#define H 4

/* How an element is added to the file. */
typedef void (*Adder)(Build *b);

static DicomFrame *
read_frame(Adder adder, guint n_frames, guint index)
{
  const Shape shape = {H, W, n_frames, 1, 16, 12, 11, 0, "MONOCHROME2", -1};
  g_autofree guint16 *pixels = g_new0(guint16, (gsize)W * H * MAX(n_frames, 1));
  g_autoptr(GError) error = NULL;
  g_auto(Build) b = {0};

  for (gsize i = 0; i < (gsize)W * H * MAX(n_frames, 1); i++) {
    /* Of every third pixel, bit 13 is set: beside the value. */
    pixels[i] = (guint16)(0x7ff | (i % 3 == 0 ? 0x2000 : 0));
  }
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  build_text(&b, 0x00281050, "DS", "2048");
  build_text(&b, 0x00281051, "DS", "4096");
  if (adder) {
    adder(&b);
  }
  build_words(&b, 0x7fe00010, "OW", pixels, (gsize)W * H * MAX(n_frames, 1));
  g_autofree char *path = build_write_bytes("cover.dcm", b.bytes->data, b.bytes->len);
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  DicomFrame *frame = dicom_file_read_frame(file, index, &error);
  g_assert_no_error(error);
  return frame;
}

/* The covers as they arrive at the other end: a letter for each pixel, rows with blanks between.
 * '.' is nothing, 's' the shutter's grey 51, 'w' white. */
static char *
covers_of(Adder adder, guint n_frames, guint index)
{
  g_autoptr(DicomFrame) frame = read_frame(adder, n_frames, index);
  g_autoptr(GBytes) head = dicom_frame_pack(frame);
  gsize n_bytes;
  const guint8 *stored = dicom_frame_stored(frame, &n_bytes);
  g_autoptr(GBytes) pixels = g_bytes_new(stored, n_bytes);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) there =
      dicom_frame_unpack(g_bytes_get_data(head, NULL), g_bytes_get_size(head), pixels, &error);
  guint8 grey[W * H], plain[W * H], rgb[3 * W * H] = {0};
  GString *text = g_string_new(NULL);

  g_assert_no_error(error);
  g_assert_true(dicom_frame_render_grey8(there, NULL, grey, &error));
  memcpy(plain, grey, sizeof plain);
  for (guint i = 0; i < W * H; i++) {
    g_assert_cmpuint(plain[i], ==, 127); /* the picture itself knows nothing of them */
  }
  dicom_frame_draw_covers(there, grey, 1);
  dicom_frame_draw_covers(there, rgb, 3);
  for (guint i = 0; i < W * H; i++) {
    if (i > 0 && i % W == 0) {
      g_string_append_c(text, ' ');
    }
    g_string_append_c(text, grey[i] == 127   ? '.'
                            : grey[i] == 51  ? 's'
                            : grey[i] == 255 ? 'w'
                                             : '?');
    g_assert_cmpuint(rgb[3 * i], ==, grey[i] == 127 ? 0 : grey[i]);
    g_assert_cmpuint(rgb[3 * i + 2], ==, rgb[3 * i]);
  }
  g_assert_true(dicom_frame_has_covers(there) == (strcspn(text->str, "sw?") < text->len));
  return g_string_free(text, FALSE);
}

static void
check(Adder adder, const char *expected)
{
  g_autofree char *found = covers_of(adder, 0, 0);

  g_assert_cmpstr(found, ==, expected);
}

#define NOTHING "...... ...... ...... ......"

static void
add_ss2(Build *b, guint32 tag, gint first, gint second)
{
  build_header(b, tag, "SS", 4);
  build_u16(b, (guint)first & 0xffff);
  build_u16(b, (guint)second & 0xffff);
}

static void
add_overlay(Build *b, guint32 group, guint rows, guint columns, gint top, gint left,
            const guint16 *words, gsize n)
{
  build_us(b, 0x60000010 + group, rows);
  build_us(b, 0x60000011 + group, columns);
  build_text(b, 0x60000040 + group, "CS", "G");
  add_ss2(b, 0x60000050 + group, top, left);
  build_us(b, 0x60000100 + group, 1);
  build_us(b, 0x60000102 + group, 0);
  build_words(b, 0x60003000 + group, "OW", words, n);
}

/* Two rows of three: 101 011, the lowest bit first. */
static const guint16 small[1] = {0x35};

static void
add_small(Build *b)
{
  add_overlay(b, 0, 2, 3, 2, 3, small, 1);
}

static void
add_outside(Build *b)
{
  add_overlay(b, 0, 2, 3, 0, 0, small, 1);        /* its last row and two columns are seen */
  add_overlay(b, 0x1e0000, 2, 3, 4, 5, small, 1); /* its first row and two columns */
  add_overlay(b, 0x40000, 2, 3, -30000, 30000, small, 1); /* nothing of it */
}

static void
add_embedded(Build *b)
{
  build_us(b, 0x60000010, H);
  build_us(b, 0x60000011, W);
  build_us(b, 0x60000100, 16);
  build_us(b, 0x60000102, 13);
}

static void
add_embedded_in_value(Build *b)
{
  build_us(b, 0x60000010, H);
  build_us(b, 0x60000011, W);
  build_us(b, 0x60000100, 16);
  build_us(b, 0x60000102, 11);
}

static void
add_short(Build *b)
{
  add_overlay(b, 0, 65535, 65535, 1, 1, small, 1);
}

static void
add_no_size(Build *b)
{
  add_overlay(b, 0, 0, 3, 1, 1, small, 1);
  add_overlay(b, 0x20000, 2, 0, 1, 1, small, 1);
}

static void
test_overlay(void)
{
  check(NULL, NOTHING);
  check(add_small, "...... ..w.w. ...ww. ......");
  check(add_outside, "ww.... ...... ...... ....w.");
  check(add_embedded, "w..w.. w..w.. w..w.. w..w..");
}

static void
test_broken_overlay(void)
{
  check(add_embedded_in_value, NOTHING);
  check(add_short, NOTHING);
  check(add_no_size, NOTHING);
}

static void
add_two_frames(Build *b)
{
  static const guint16 planes[1] = {0x1 | 0x2 << 2}; /* one pixel by two: 10, then 01 */

  build_text(b, 0x60000015, "IS", "2");
  build_us(b, 0x60000051, 2);
  add_overlay(b, 0, 1, 2, 1, 1, planes, 1);
}

static void
test_frames(void)
{
  static const char *const expected[4] = {NOTHING, "w..... ...... ...... ......",
                                          ".w.... ...... ...... ......", NOTHING};

  for (guint i = 0; i < 4; i++) {
    g_autofree char *found = covers_of(add_two_frames, 4, i);

    g_assert_cmpstr(found, ==, expected[i]);
  }
  g_autofree char *all = covers_of(add_small, 4, 3);
  g_assert_cmpstr(all, ==, "...... ..w.w. ...ww. ......");
}

static void
add_shutter(Build *b)
{
  build_text(b, 0x00181600, "CS", "RECTANGULAR");
  build_text(b, 0x00181602, "IS", "2");
  build_text(b, 0x00181604, "IS", "4");
  build_text(b, 0x00181606, "IS", "2");
  build_text(b, 0x00181608, "IS", "3");
  build_us(b, 0x00181622, 51 * 257);
}

static void
add_both(Build *b)
{
  add_shutter(b);
  add_small(b);
}

static void
add_broken_shutter(Build *b)
{
  build_text(b, 0x00181600, "CS", "RECTANGULAR\\CIRCULAR");
  build_text(b, 0x00181602, "IS", "2");
  add_small(b);
}

static void
add_no_shutter(Build *b)
{
  build_text(b, 0x00181600, "CS", "BITMAP");
}

static void
test_shutter(void)
{
  check(add_shutter, "ssssss s...ss s...ss ssssss");
  check(add_both, "ssssss s.w.ws s..wws ssssss"); /* an overlay is above it */
  check(add_broken_shutter, "...... ..w.w. ...ww. ......");
  check(add_no_shutter, NOTHING);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cover/overlay", test_overlay);
  g_test_add_func("/cover/broken-overlay", test_broken_overlay);
  g_test_add_func("/cover/frames", test_frames);
  g_test_add_func("/cover/shutter", test_shutter);
  return g_test_run();
}
