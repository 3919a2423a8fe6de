/* test-presentation-graphics.c - what presentation states draw and write, and those that are
 * refused.
 */
#include "dicom/frame.h"
#include "dicom_remote.h"
#include "shared.h"
#include "state.h"

#include <math.h>

static guint the_turns;
static gboolean the_flip;

/* ---- graphics ----------------------------------------------------------------------------------
 */

typedef struct {
  const char *type, *units;
  float points[8];
  guint n;
} Graphic;

static Graphic the_graphic;

static void
put_graphic(Build *b, const Graphic *g)
{
  begin(b, 0x00700009);
  text(b, 0x00700005, "CS", g->units);
  build_us(b, 0x00700020, 2);
  build_us(b, 0x00700021, g->n);
  floats(b, 0x00700022, g->points, 2 * g->n);
  text(b, 0x00700023, "CS", g->type);
  text(b, 0x00700024, "CS", "N");
  end(b);
}

static void
graphic_state(Build *b)
{
  study_and_series(b);
  begin(b, 0x00700001);
  reference(b, "1.2.3.4", NULL);
  text(b, 0x00700002, "CS", "LAYER");
  put_graphic(b, &the_graphic);
  end(b);
  text(b, 0x00700041, "CS", the_flip ? "Y" : "N");
  build_us(b, 0x00700042, 90 * the_turns);
  dcmtk_needs(b, "IDENTITY");
}

static guint
count_strokes(const DicomPicture *a, const DicomPicture *b)
{
  guint n = 0;

  for (gsize i = 0; i < (gsize)a->width * a->height; i++) {
    n += a->pixels[3 * i] != b->pixels[3 * i];
  }
  return n;
}

static DicomPicture *
draw(const char *image, const Graphic *graphic, guint turns, gboolean flip)
{
  the_graphic = *graphic;
  the_turns = turns;
  the_flip = flip;
  g_autofree char *state = write_state(graphic_state);
  g_autoptr(DicomFrame) frame = with_state(image, 0, state);

  return render(frame, NULL);
}

static void
test_graphics(void)
{
  static const struct {
    Graphic graphic;
    guint x, y;        /* a pixel of the stored image that it goes through */
    guint least, most; /* pixels in all */
  } cases[] = {
      {{"POLYLINE", "PIXEL", {1.5, 2.5, 7.5, 2.5}, 2}, 4, 2, 7, 7},
      {{"POLYLINE", "PIXEL", {0.5, 0.5, 5.5, 5.5, 8.5, 5.5}, 3}, 3, 3, 9, 9},
      {{"INTERPOLATED", "PIXEL", {8.5, 0.5, 8.5, 5.5}, 2}, 8, 5, 6, 6},
      {{"POINT", "PIXEL", {4.5, 3.5}, 1}, 4, 3, 12, 13},
      {{"CIRCLE", "PIXEL", {4.5, 3, 6.4, 3}, 2}, 6, 3, 8, 20},
      {{"ELLIPSE", "PIXEL", {1.5, 3, 7.5, 3, 4.5, 1.5, 4.5, 4.5}, 4}, 7, 3, 10, 24},
      {{"POLYLINE", "DISPLAY", {0.5, 0, 0.5, 1}, 2}, 4, 0, 6, 6},
  };
  g_autofree char *image = write_image("MONOCHROME2", NULL);
  g_autofree char *state = write_state(plain_state);
  g_autoptr(DicomFrame) frame = with_state(image, 0, state);
  g_autoptr(DicomPicture) bare = render(frame, NULL);

  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autoptr(DicomPicture) picture = draw(image, &cases[k].graphic, 0, FALSE);
    guint n = count_strokes(bare, picture);
    guint8 before = at(bare, cases[k].x, cases[k].y), after = at(picture, cases[k].x, cases[k].y);

    g_test_message("case %u: %u pixels", k, n);
    g_assert_cmpuint(after, ==, before < 128 ? 255 : 0);
    g_assert_cmpuint(n, >=, cases[k].least);
    g_assert_cmpuint(n, <=, cases[k].most);
  }
  /* A line in the left column is in the upper row when turned, and in the right one when mirrored.
   */
  static const Graphic left = {"POLYLINE", "PIXEL", {0.5, 0.5, 0.5, 5.5}, 2};
  g_autoptr(DicomPicture) turned = draw(image, &left, 1, FALSE);
  g_autoptr(DicomPicture) mirrored = draw(image, &left, 0, TRUE);
  for (guint i = 0; i < H; i++) {
    g_assert_cmpuint(at(turned, i, 0), ==, pixel(0, H - 1 - i, 0) < 2056 ? 255 : 0);
    g_assert_cmpuint(at(mirrored, W - 1, i), ==, pixel(0, i, 0) < 2056 ? 255 : 0);
    g_assert_cmpuint(at(turned, i, 1) % 255, !=, 0);
  }
  /* Parts of the display are parts of it after turning. */
  static const Graphic top = {"POLYLINE", "DISPLAY", {0, 0, 1, 0}, 2};
  g_autoptr(DicomPicture) upper = draw(image, &top, 1, TRUE);
  for (guint i = 0; i < H; i++) {
    g_assert_cmpuint(at(upper, i, 0) % 255, ==, 0);
  }
  /* Far outside, huge, or nothing at all: no pixel, no time. */
  static const Graphic far[] = {{"POLYLINE", "PIXEL", {-1e8f, -5, 1e8f, -5}, 2},
                                {"CIRCLE", "PIXEL", {0, 0, 1e8f, 0}, 2},
                                {"ELLIPSE", "PIXEL", {20, 20, 20, 20, 20, 20, 20, 20}, 4}};
  for (guint k = 0; k < G_N_ELEMENTS(far); k++) {
    g_autoptr(DicomPicture) picture = draw(image, &far[k], 0, FALSE);

    g_assert_cmpuint(count_strokes(bare, picture), ==, 0);
  }
}

static void
text_state(Build *b)
{
  const float box[2] = {0.25f, 0.5f}, anchor[2] = {2, 1};

  study_and_series(b);
  build_open(b, 0x00700001);
  for (guint other = 0; other < 2; other++) {
    build_item(b, UNDEFINED);
    reference(b, other ? "1.2.3.4444" : "1.2.3.4", NULL);
    build_open(b, 0x00700008);
    build_item(b, UNDEFINED);
    text(b, 0x00700003, "CS", "DISPLAY");
    text(b, 0x00700006, "ST", "boxed");
    floats(b, 0x00700010, box, 2);
    floats(b, 0x00700011, box, 2);
    build_item_end(b);
    build_item(b, UNDEFINED);
    text(b, 0x00700004, "CS", "PIXEL");
    text(b, 0x00700006, "ST", "two\r\nlines");
    floats(b, 0x00700014, anchor, 2);
    text(b, 0x00700015, "CS", "Y");
    build_item_end(b);
    build_close(b);
    build_item_end(b);
  }
  build_close(b);
  build_us(b, 0x00700042, 90);
  begin(b, 0x0070005a);
  build_bytes(b, 0x00700052, "SL", "\1\0\0\0\6\0\0\0", 8); /* after turning, top left */
  build_bytes(b, 0x00700053, "SL", "\4\0\0\0\3\0\0\0", 8);
  end(b);
}

/* Turned a quarter, what was x is y; the area is columns 1 to 4 and rows 3 to 6 of the image. */
static void
test_texts(void)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);
  g_autofree char *state = write_state(text_state);
  g_autoptr(DicomFrame) frame = with_state(image, 0, state);
  double x, y, area[4];

  g_assert_true(dicom_frame_displayed_area(frame, area));
  g_assert_cmpfloat(area[0], ==, 0);
  g_assert_cmpfloat(area[1], ==, 0);
  g_assert_cmpfloat(area[2], ==, 4);
  g_assert_cmpfloat(area[3], ==, 4);
  g_assert_cmpuint(dicom_frame_n_texts(frame), ==, 2);
  g_assert_cmpstr(dicom_frame_text(frame, 0, &x, &y), ==, "boxed");
  g_assert_cmpfloat(x, ==, 1);
  g_assert_cmpfloat(y, ==, 2);
  g_assert_cmpstr(dicom_frame_text(frame, 1, &x, &y), ==, "two\r\nlines");
  g_assert_cmpfloat(x, ==, H - 1);
  g_assert_cmpfloat(y, ==, 2);
}

/* ---- refusing ----------------------------------------------------------------------------------
 */

static void
no_turn(Build *b)
{
  study_and_series(b);
  build_us(b, 0x00700042, 45);
}

static void
bitmap_shutter(Build *b)
{
  text(b, 0x00181600, "CS", "RECTANGULAR\\BITMAP");
  text(b, 0x00181602, "IS", "1");
  text(b, 0x00181604, "IS", "2");
  text(b, 0x00181606, "IS", "1");
  text(b, 0x00181608, "IS", "2");
}

static void
no_radius(Build *b)
{
  text(b, 0x00181600, "CS", "CIRCULAR");
  text(b, 0x00181610, "IS", "1\\2");
}

static void
two_corners(Build *b)
{
  text(b, 0x00181600, "CS", "POLYGONAL");
  text(b, 0x00181620, "IS", "1\\2\\3\\4");
}

static void
short_table(Build *b)
{
  begin(b, 0x20500010);
  build_words(b, 0x00283002, "US", (const guint16[3]){16, 0, 8}, 3);
  build_words(b, 0x00283006, "OW", (const guint16[2]){16, 0}, 2);
  end(b);
}

static void
subtraction(Build *b)
{
  begin(b, 0x00286100);
  text(b, 0x00286101, "CS", "AVG_SUB");
  end(b);
}

static void
expect_refusal(const char *image, const char *state, guint index, const char *words)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = try_state(image, index, state, &error);

  g_assert_null(frame);
  g_assert_nonnull(error);
  if (!strstr(error->message, words) || !g_str_has_prefix(error->message, build_folder())) {
    g_error("\"%s\" does not say \"%s\"", error->message, words);
  }
}

static void
test_refused(void)
{
  static const struct {
    More more;
    const char *words;
  } cases[] = {{no_turn, "ImageRotation"},
               {bitmap_shutter, "ShutterShape"},
               {no_radius, "CIRCULAR needs"},
               {two_corners, "POLYGONAL needs"},
               {short_table, "PresentationLUTSequence"},
               {subtraction, "MaskSubtractionSequence"}};
  g_autofree char *image = write_image("MONOCHROME2", NULL);

  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *state = write_state(cases[k].more);

    expect_refusal(image, state, 0, cases[k].words);
  }
  static const struct {
    Graphic graphic;
    const char *words;
  } graphics[] = {{{"CURVE", "PIXEL", {1, 2, 3, 4}, 2}, "GraphicType"},
                  {{"ELLIPSE", "PIXEL", {1, 2, 3, 4}, 2}, "fewer points"},
                  {{"POLYLINE", "MATRIX", {1, 2, 3, 4}, 2}, "units"},
                  {{"POLYLINE", "PIXEL", {1, NAN, 3, 4}, 2}, "fewer points"},
                  {{"POLYLINE", "PIXEL", {1, 3e38f, 3, 4}, 2}, "coordinate"}};
  for (guint k = 0; k < G_N_ELEMENTS(graphics); k++) {
    the_graphic = graphics[k].graphic;
    g_autofree char *state = write_state(graphic_state);

    expect_refusal(image, state, 0, graphics[k].words);
  }
}

static void
test_other_image(void)
{
  g_autofree char *image = write_image("MONOCHROME2", NULL);
  static const struct {
    const char *sop_class, *uid, *frames, *words;
  } cases[] = {{GSPS, "1.2.3.44", NULL, "is not about this image"},
               {GSPS, "1.2.3.4", "1", "with frame 2"},
               {"1.2.840.10008.5.1.4.1.1.11.2", "1.2.3.4", NULL, "Color"}};

  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_auto(Build) b = {0};

    start_state(&b, cases[k].sop_class, cases[k].uid, cases[k].frames);
    g_autofree char *state = build_write(&b, "state.dcm");
    expect_refusal(image, state, 1, cases[k].words);
  }
  expect_refusal(image, image, 0, "no presentation state");
  /* A frame that was refused is as it was. */
  g_autofree char *state = write_state(short_table);
  g_autoptr(DicomFile) file = dicom_file_open(image, NULL), other = dicom_file_open(state, NULL);
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, NULL);
  g_autoptr(GBytes) before = dicom_frame_pack(frame);
  g_assert_false(dicom_frame_apply_presentation(frame, dicom_file_info(file), 0, other, NULL));
  g_autoptr(GBytes) after = dicom_frame_pack(frame);
  g_assert_true(g_bytes_equal(before, after));
}

static void
test_damage(void)
{
  static const More kinds[] = {graphic_state, text_state};

  the_graphic = (Graphic){"ELLIPSE", "PIXEL", {1.5, 3, 7.5, 3, 4.5, 1.5, 4.5, 4.5}, 4};
  damage_states(kinds, G_N_ELEMENTS(kinds));
}

/* A real one, of an analysis program: outlines, and texts beside them. Its image is not there; one
 * of the same size and name stands for it. */
static void
test_corpus(void)
{
  g_autofree char *path = shared_path("corpus/dicom/non-image/PR_gsps.dcm");
  g_autoptr(GError) error = NULL;
  g_auto(Build) b = {0};
  const Shape shape = {3023, 2516, 0, 1, 8, 8, 7, 0, "MONOCHROME2", -1};

  if (!path) {
    return;
  }
  g_autoptr(DicomFile) state = dicom_file_open(path, &error);
  g_assert_no_error(error);
  const char *uid = dicom_file_info(state)->referenced_instances->pdata[0];
  g_autofree guint8 *grey = g_malloc0((gsize)shape.rows * shape.columns + 1);
  build_start(&b, TS_EXPLICIT);
  text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.1");
  build_bytes(&b, 0x00080018, "UI", uid, strlen(uid));
  build_shape(&b, &shape);
  build_bytes(&b, 0x7fe00010, "OB", grey, (gsize)shape.rows * shape.columns);
  g_autofree char *image = build_write(&b, "large.dcm");
  g_autoptr(DicomFrame) frame = with_state(image, 0, path);
  g_autoptr(DicomPicture) picture = render(frame, NULL);
  guint n = 0;
  double x, y;

  for (gsize i = 0; i < (gsize)picture->width * picture->height; i++) {
    n += picture->pixels[3 * i] == 255;
  }
  g_assert_cmpuint(n, >, 1000);
  g_assert_cmpuint(n, <, 50000);
  g_assert_cmpuint(dicom_frame_n_texts(frame), ==, 4);
  g_assert_cmpstr(dicom_frame_text(frame, 0, &x, &y), ==, "98%");
  g_assert_cmpfloat(x, ==, 2089);
  g_assert_cmpfloat(y, ==, 1853);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/presentation-graphics/graphics", test_graphics);
  g_test_add_func("/dicom/presentation-graphics/texts", test_texts);
  g_test_add_func("/dicom/presentation-graphics/refused", test_refused);
  g_test_add_func("/dicom/presentation-graphics/other-image", test_other_image);
  g_test_add_func("/dicom/presentation-graphics/damage", test_damage);
  g_test_add_func("/dicom/presentation-graphics/corpus", test_corpus);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
