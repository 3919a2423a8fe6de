/* test-presentation.c - grayscale presentation states: greys, turning and shutters by formulas
 * worked out by hand, with DCMTK's dcmp2pgm for a second opinion. */
#include "dicom/frame.h"
#include "state.h"

#include <gio/gio.h>
#include <math.h>

/* ---- second opinion ----------------------------------------------------------------------------
 */

/* DCMTK's picture of frame INDEX; NULL without dcmp2pgm. */
static guint8 *
dcmtk_picture(const char *image, const char *state, guint index, guint w, guint h)
{
  g_autofree char *out = g_build_filename(build_folder(), "dcmtk.pgm", NULL);
  g_autofree char *tool = g_find_program_in_path("dcmp2pgm");
  g_autofree char *number = g_strdup_printf("%u", index + 1);
  g_autofree char *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n;

  if (!tool) {
    g_test_message("dcmp2pgm is not installed: NO SECOND OPINION");
    return NULL;
  }
  g_autoptr(GSubprocess) process = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, &error, tool, "-q",
                                                    "-p", state, "-f", number, image, out, NULL);
  g_assert_no_error(error);
  g_assert_true(g_subprocess_wait_check(process, NULL, &error));
  g_assert_true(g_file_get_contents(out, &bytes, &n, &error));
  g_assert_cmpuint(n, >, (gsize)w * h);
  return g_memdup2(bytes + n - (gsize)w * h, (gsize)w * h);
}

/* Within one level: DCMTK cuts off where we round. */
static void
compare_with_dcmtk(const DicomFrame *frame, const char *image, const char *state, guint index)
{
  guint w = dicom_frame_width(frame), h = dicom_frame_height(frame);
  g_autofree guint8 *theirs = dcmtk_picture(image, state, index, w, h);
  g_autoptr(DicomPicture) ours = render(frame, NULL);

  for (guint i = 0; theirs && i < w * h; i++) {
    if (ABS(ours->pixels[3 * i] - theirs[i]) > 1) {
      g_error("pixel %u, %u is %u, DCMTK's is %u", i % w, i / w, ours->pixels[3 * i], theirs[i]);
    }
  }
}

/* ---- greys -------------------------------------------------------------------------------------
 */

static void
image_window(Build *b)
{
  text(b, 0x00281050, "DS", "100");
  text(b, 0x00281051, "DS", "10");
}

/* PS3.4 N.2: neither the image's window nor its MONOCHROME1 count; without VOI it is all 12 bits.
 */
static void
test_identity(void)
{
  g_autofree char *image = write_image("MONOCHROME1", image_window);
  g_autofree char *state = write_state(plain_state);
  g_autoptr(DicomFrame) frame = with_state(image, 0, state);
  g_autoptr(DicomPicture) picture = render(frame, NULL);

  for (guint i = 0; i < W * H; i++) {
    double expected = pixel(i % W, i / W, 0) * 255.0 / 4095;

    g_assert_cmpfloat(fabs(picture->pixels[3 * i] - expected), <=, 0.51);
  }
  compare_with_dcmtk(frame, image, state, 0);
}

static void
greys_state(Build *b)
{
  study_and_series(b);
  text(b, 0x00281052, "DS", "-1000");
  text(b, 0x00281053, "DS", "2");
  text(b, 0x00281054, "LO", "US");
  build_open(b, 0x00283110);
  build_item(b, UNDEFINED);
  reference(b, "1.2.3.4", "1");
  text(b, 0x00281050, "DS", "1500");
  text(b, 0x00281051, "DS", "2000");
  build_item_end(b);
  build_item(b, UNDEFINED);
  reference(b, "1.2.3.4", "2\\5");
  text(b, 0x00281050, "DS", "2500");
  text(b, 0x00281051, "DS", "1000");
  build_item_end(b);
  build_close(b);
  dcmtk_needs(b, "INVERSE");
}

static void
test_window_of_frame(void)
{
  static const double windows[2][2] = {{1500, 2000}, {2500, 1000}};
  g_autofree char *image = write_image("MONOCHROME2", image_window);
  g_autofree char *state = write_state(greys_state);

  for (guint f = 0; f < 2; f++) {
    g_autoptr(DicomFrame) frame = with_state(image, f, state);
    g_autoptr(DicomPicture) picture = render(frame, NULL);
    double value, c = windows[f][0] - 0.5, w = windows[f][1] - 1;

    g_assert_true(dicom_frame_value(frame, 2, 1, &value));
    g_assert_cmpfloat(value, ==, pixel(2, 1, f) * 2.0 - 1000);
    for (guint i = 0; i < W * H; i++) {
      double y = ((pixel(i % W, i / W, f) * 2.0 - 1000 - c) / w + 0.5) * 255;

      g_assert_cmpfloat(fabs(picture->pixels[3 * i] - (255 - CLAMP(y, 0, 255))), <=, 0.51);
    }
    compare_with_dcmtk(frame, image, state, f);
  }
}

static void
lut_item(Build *b, guint n, guint first, guint bits, double power)
{
  const guint16 descriptor[3] = {(guint16)n, (guint16)first, (guint16)bits};
  g_autofree guint16 *data = g_new(guint16, n);

  for (guint i = 0; i < n; i++) {
    data[i] = (guint16)(pow((double)i / (n - 1), power) * ((1 << bits) - 1) + 0.5);
  }
  build_words(b, 0x00283002, "US", descriptor, 3);
  build_words(b, 0x00283006, "OW", data, n);
}

static void
tables_state(Build *b)
{
  study_and_series(b);
  begin(b, 0x00283000);
  lut_item(b, 4096, 0, 12, 0.5);
  text(b, 0x00283004, "LO", "OD");
  end(b);
  begin(b, 0x00283110);
  begin(b, 0x00283010);
  lut_item(b, 3000, 800, 10, 2);
  end(b);
  end(b);
  dcmtk_needs(b, NULL);
  begin(b, 0x20500010);
  lut_item(b, 256, 0, 12, 1.5);
  end(b);
}

static void
test_tables(void)
{
  g_autofree char *image = write_image("MONOCHROME2", image_window);
  g_autofree char *state = write_state(tables_state);
  g_autoptr(DicomFrame) frame = with_state(image, 1, state);
  g_autoptr(DicomPicture) picture = render(frame, NULL);
  DicomWindow window = dicom_frame_default_window(frame);

  g_assert_cmpint(window.voi, ==, DICOM_VOI_LUT);
  for (guint i = 0; i < W * H; i++) {
    double modality = round(pow(pixel(i % W, i / W, 1) / 4095.0, 0.5) * 4095);
    double voi = pow(CLAMP((modality - 800) / 2999, 0, 1), 2);
    double shown = pow(voi, 1.5) * 255;

    /* The tables round to 10 bits and 256 entries: at its steepest the last one turns half an entry
     * into 0.75 levels; half a level more is our own rounding. */
    g_assert_cmpfloat(fabs(picture->pixels[3 * i] - shown), <=, 1.3);
  }
  compare_with_dcmtk(frame, image, state, 1);
  /* A window that the reader asks for replaces the VOI, and goes through the presentation LUT. */
  const DicomWindow asked = {.voi = DICOM_VOI_LINEAR_EXACT, .center = 2048, .width = 4096};
  g_autoptr(DicomPicture) other = render(frame, &asked);
  double half = pow(round(pow(pixel(3, 2, 1) / 4095.0, 0.5) * 4095) / 4096, 1.5) * 255;
  g_assert_cmpfloat(fabs(at(other, 3, 2) - half), <=, 1.3);
}

/* ---- turning -----------------------------------------------------------------------------------
 */

static guint the_turns;
static gboolean the_flip;

static void
turned_state(Build *b)
{
  study_and_series(b);
  text(b, 0x00700041, "CS", the_flip ? "Y" : "N");
  build_us(b, 0x00700042, 90 * the_turns);
  dcmtk_needs(b, "IDENTITY");
}

static void
test_turns(void)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);

  for (guint k = 0; k < 8; k++) {
    the_turns = k % 4;
    the_flip = k >= 4;
    g_autofree char *state = write_state(turned_state);
    g_autoptr(DicomFrame) frame = with_state(image, 0, state);
    g_autoptr(DicomPicture) picture = render(frame, NULL);
    guint w = the_turns % 2 ? H : W, h = the_turns % 2 ? W : H;

    compare_with_dcmtk(frame, image, state, 0);
    g_assert_cmpuint(picture->width, ==, w);
    g_assert_cmpuint(picture->height, ==, h);
    g_assert_cmpuint(dicom_frame_width(frame), ==, w);
    for (guint y = 0; y < H; y++) {
      for (guint x = 0; x < W; x++) {
        /* A quarter clockwise: the left column becomes the upper row, from bottom to top. */
        guint px = x, py = y, pw = W, ph = H;

        for (guint t = 0; t < the_turns; t++) {
          guint held = px, side = pw;

          px = ph - 1 - py;
          py = held;
          pw = ph;
          ph = side;
        }
        px = the_flip ? pw - 1 - px : px;
        double value;
        g_assert_true(dicom_frame_value(frame, px, py, &value));
        g_assert_cmpfloat(value, ==, pixel(x, y, 0));
        g_assert_cmpfloat(fabs(at(picture, px, py) - pixel(x, y, 0) * 255.0 / 4095), <=, 0.51);
      }
    }
  }
}

/* Larger than a tile, and no multiple of it. */
static void
test_large_turn(void)
{
  g_autoptr(DicomFrame) frame = dicom_frame_new(150, 70, 1, SAMPLE_U8);

  frame->n_bytes = 150 * 70;
  frame->stored = g_malloc(frame->n_bytes);
  for (guint i = 0; i < frame->n_bytes; i++) {
    frame->stored[i] = (guint8)(i * 7 + i / 150);
  }
  frame->ready_8bit = TRUE;
  dicom_frame_find_range(frame);
  for (guint k = 0; k < 8; k++) {
    frame->turns = k % 4;
    frame->flip = k >= 4;
    g_autoptr(DicomPicture) picture = render(frame, NULL);
    for (guint y = 0; y < picture->height; y++) {
      for (guint x = 0; x < picture->width; x++) {
        double value;

        g_assert_true(dicom_frame_value(frame, x, y, &value));
        g_assert_cmpuint(at(picture, x, y), ==, (guint)value);
      }
    }
  }
}

/* ---- shutters: dcmp2pgm draws none -------------------------------------------------------------
 */

static const char *the_shapes;

static void
shutter_state(Build *b)
{
  text(b, 0x00181600, "CS", the_shapes);
  if (strstr(the_shapes, "RECT")) {
    text(b, 0x00181602, "IS", "3");
    text(b, 0x00181604, "IS", "8");
    text(b, 0x00181606, "IS", "2");
    text(b, 0x00181608, "IS", "5");
  }
  if (strstr(the_shapes, "CIRC")) {
    text(b, 0x00181610, "IS", "3\\5");
    text(b, 0x00181612, "IS", "2");
  }
  if (strstr(the_shapes, "POLY")) {
    text(b, 0x00181620, "IS", "1\\1\\1\\9\\6\\5");
  }
  build_us(b, 0x00181622, 0x8080);
  study_and_series(b);
  dcmtk_needs(b, "IDENTITY");
}

/* x from the left and y from the top, both from 1. */
static gboolean
is_inside(const char *shapes, double x, double y)
{
  gboolean inside = TRUE;

  if (strstr(shapes, "RECT")) {
    inside = inside && x >= 3 && x <= 8 && y >= 2 && y <= 5;
  }
  if (strstr(shapes, "CIRC")) {
    inside = inside && hypot(x - 5, y - 3) <= 2;
  }
  if (strstr(shapes, "POLY")) {
    /* Below the upper edge, and between lines from its ends to 5, 6. */
    inside = inside && y < 6 && x >= 1 + (y - 1) * 4 / 5 && x <= 9 - (y - 1) * 4 / 5;
  }
  return inside;
}

static void
test_shutters(void)
{
  static const char *const cases[] = {"RECTANGULAR", "CIRCULAR", "POLYGONAL",
                                      "RECTANGULAR\\CIRCULAR", "POLYGONAL\\RECTANGULAR"};
  g_autofree char *image = write_image("MONOCHROME2", NULL);

  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    the_shapes = cases[k];
    g_autofree char *state = write_state(shutter_state);
    g_autoptr(DicomFrame) frame = with_state(image, 0, state);
    g_autoptr(DicomPicture) picture = render(frame, NULL);
    DicomWindow window = dicom_frame_default_window(frame);
    window.invert = TRUE;
    g_autoptr(DicomPicture) turned = render(frame, &window);

    for (guint i = 0; i < W * H; i++) {
      gboolean inside = is_inside(cases[k], i % W + 1.0, i / W + 1.0);
      double grey = inside ? pixel(i % W, i / W, 0) * 255.0 / 4095 : 128;

      g_assert_cmpfloat(fabs(picture->pixels[3 * i] - grey), <=, 0.51);
      g_assert_cmpuint(turned->pixels[3 * i], ==, 255 - picture->pixels[3 * i]);
    }
  }
}

static void
test_damage(void)
{
  static const More kinds[] = {greys_state, tables_state, turned_state, shutter_state};

  the_shapes = "RECTANGULAR\\CIRCULAR\\POLYGONAL";
  damage_states(kinds, G_N_ELEMENTS(kinds));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/presentation/identity", test_identity);
  g_test_add_func("/dicom/presentation/window-of-frame", test_window_of_frame);
  g_test_add_func("/dicom/presentation/tables", test_tables);
  g_test_add_func("/dicom/presentation/turns", test_turns);
  g_test_add_func("/dicom/presentation/large-turn", test_large_turn);
  g_test_add_func("/dicom/presentation/shutters", test_shutters);
  g_test_add_func("/dicom/presentation/damage", test_damage);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
