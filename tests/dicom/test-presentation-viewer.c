/* test-presentation-viewer.c - a frame with a presentation state as a viewer takes it: straight,
 * what is drawn aside as covers, and what of it is left out. */
#include "dicom/frame.h"
#include "state.h"

static guint the_turns;
static gboolean the_flip, the_rest;
static const char *the_slope;

static void
layer(Build *b)
{
  begin(b, 0x00700060);
  text(b, 0x00700002, "CS", "LAYER");
  text(b, 0x00700062, "IS", "1");
  build_us(b, 0x00700066, 0x8000);
  end(b);
}

static void
graphic(Build *b)
{
  static const float points[] = {1.5f, 1.5f, 6.5f, 1.5f, 6.5f, 4.5f};

  begin(b, 0x00700009);
  text(b, 0x00700005, "CS", "PIXEL");
  build_us(b, 0x00700020, 2);
  build_us(b, 0x00700021, 3);
  floats(b, 0x00700022, points, 6);
  text(b, 0x00700023, "CS", "POLYLINE");
  text(b, 0x00700024, "CS", the_rest ? "Y" : "N");
  end(b);
}

static void
words(Build *b)
{
  static const float anchor[] = {2, 5};

  begin(b, 0x00700008);
  text(b, 0x00700004, "CS", "PIXEL");
  text(b, 0x00700006, "ST", "A word");
  floats(b, 0x00700014, anchor, 2);
  text(b, 0x00700015, "CS", "Y");
  end(b);
}

static void
whole_state(Build *b)
{
  static const gint32 corners[2][2] = {{2, 1}, {7, 5}};

  text(b, 0x00181600, "CS", "RECTANGULAR");
  text(b, 0x00181602, "IS", "1");
  text(b, 0x00181604, "IS", "7");
  text(b, 0x00181606, "IS", "1");
  text(b, 0x00181608, "IS", "5");
  build_us(b, 0x00181622, 0x4040);
  study_and_series(b);
  text(b, 0x00281052, "DS", "0");
  text(b, 0x00281053, "DS", the_slope);
  begin(b, 0x00700001);
  reference(b, "1.2.3.4", NULL);
  text(b, 0x00700002, "CS", "LAYER");
  words(b);
  graphic(b);
  end(b);
  text(b, 0x00700041, "CS", the_flip ? "Y" : "N");
  build_us(b, 0x00700042, 90 * the_turns);
  begin(b, 0x0070005a);
  build_bytes(b, 0x00700052, "SL", corners[0], 8);
  build_bytes(b, 0x00700053, "SL", corners[1], 8);
  text(b, 0x00700100, "CS", the_rest ? "TRUE SIZE" : "SCALE TO FIT");
  end(b);
  if (the_rest) {
    layer(b);
    text(b, 0x60001001, "CS", "LAYER");
  }
  text(b, 0x20500020, "CS", the_rest ? "INVERSE" : "IDENTITY");
}

static DicomFrame *
look(const char *image)
{
  g_autofree char *state = write_state(whole_state);

  return with_state(image, 0, state);
}

/* Pixel X, Y of the stored image in a picture turned and mirrored as asked for. */
static void
to_turned(guint x, guint y, guint *px, guint *py)
{
  guint w = W, h = H;

  *px = x;
  *py = y;
  for (guint i = 0; i < the_turns; i++) {
    guint held = *px, side = w;

    *px = h - 1 - *py;
    *py = held;
    w = h;
    h = side;
  }
  *px = the_flip ? w - 1 - *px : *px;
}

/* What lies straight, with its covers drawn, is the state's picture turned back: of all eight. */
static void
test_straight(void)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);

  the_slope = "1";
  for (guint k = 0; k < 8; k++) {
    the_turns = k % 4;
    the_flip = k >= 4;
    the_rest = FALSE;
    g_autoptr(DicomFrame) frame = look(image);
    g_autoptr(DicomPicture) turned = render(frame, NULL);
    g_autoptr(GError) error = NULL;
    guint turns, covered = 0;
    gboolean flip;
    double x, y, area[4];
    guint8 bare[W * H], pixels[W * H];

    dicom_frame_straighten(frame, &turns, &flip);
    g_assert_cmpuint(turns, ==, the_turns);
    g_assert_cmpint(flip, ==, the_flip);
    g_assert_cmpuint(dicom_frame_width(frame), ==, W);
    g_assert_true(dicom_frame_has_covers(frame));
    g_assert_true(dicom_frame_render_grey8(frame, NULL, bare, &error));
    memcpy(pixels, bare, sizeof bare);
    dicom_frame_draw_covers(frame, pixels, 1);
    for (guint i = 0; i < W * H; i++) {
      guint px, py;

      to_turned(i % W, i / W, &px, &py);
      g_assert_cmpuint(pixels[i], ==, at(turned, px, py));
      covered += pixels[i] != bare[i];
    }
    g_assert_cmpuint(covered, >=,
                     9 + W + H - 1 - 3); /* the lines; the shutter beside some of them */
    g_assert_cmpuint(dicom_frame_n_texts(frame), ==, 1);
    g_assert_cmpstr(dicom_frame_text(frame, 0, &x, &y), ==, "A word");
    g_assert_cmpfloat(x, ==, 2);
    g_assert_cmpfloat(y, ==, 5);
    g_assert_true(dicom_frame_displayed_area(frame, area));
    g_assert_cmpfloat(area[0], ==, 1);
    g_assert_cmpfloat(area[1], ==, 0);
    g_assert_cmpfloat(area[2], ==, 7);
    g_assert_cmpfloat(area[3], ==, 5);
    g_assert_cmpuint(dicom_frame_left_out(frame), ==, 0);
  }
}

static void
test_left_out(void)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);

  the_slope = "1";
  the_turns = 0;
  the_rest = TRUE;
  g_autoptr(DicomFrame) frame = look(image);
  g_assert_cmpuint(dicom_frame_left_out(frame), ==, DICOM_LEFT_OUT_ALL);
}

/* Whether a question about the image itself can have the same greys. */
static void
test_greys(void)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);
  g_autoptr(DicomFile) file = dicom_file_open(image, NULL);
  g_autoptr(DicomFrame) plain = dicom_file_read_frame(file, 0, NULL);
  gboolean inverts;

  the_rest = FALSE;
  the_slope = "1";
  g_autoptr(DicomFrame) same = look(image);
  g_assert_true(dicom_frame_same_values(plain, same));
  g_assert_true(dicom_frame_same_greys(plain, same, &inverts));
  g_assert_false(inverts);
  the_rest = TRUE;
  g_autoptr(DicomFrame) inverse = look(image);
  g_assert_true(dicom_frame_same_greys(plain, inverse, &inverts));
  g_assert_true(inverts);
  the_slope = "2";
  g_autoptr(DicomFrame) other = look(image);
  g_assert_false(dicom_frame_same_values(plain, other));
  g_assert_false(dicom_frame_same_greys(plain, other, &inverts));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/presentation-viewer/straight", test_straight);
  g_test_add_func("/dicom/presentation-viewer/left-out", test_left_out);
  g_test_add_func("/dicom/presentation-viewer/greys", test_greys);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
