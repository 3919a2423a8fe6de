/* test-panels.c - panels, letters and colours in figures that are drawn here. */
#include "panels.h"

/* A picture of WIDTH x HEIGHT at X, Y of INTO: a lighter disc on a grey ground with some grain. */
static void
draw(DicomPicture *into, guint x, guint y, guint width, guint height, guint8 ground)
{
  for (guint row = 0; row < height; row++) {
    for (guint column = 0; column < width; column++) {
      guint8 *p = into->pixels + 3 * ((gsize)(y + row) * into->width + x + column);
      const double dx = 2.0 * column / width - 1, dy = 2.0 * row / height - 1;
      const guint8 grain = (guint8)((column * 7919 + row * 104729) % 23);

      p[0] = p[1] = p[2] = dx * dx + dy * dy < 0.6 ? 150 + grain : ground + (ground ? grain : 0);
    }
  }
}

static void
fill(DicomPicture *into, guint x, guint y, guint width, guint height, guint8 grey)
{
  for (guint row = y; row < y + height; row++) {
    for (guint column = x; column < x + width; column++) {
      guint8 *p = into->pixels + 3 * ((gsize)row * into->width + column);
      p[0] = p[1] = p[2] = grey;
    }
  }
}

/* COLUMNS x ROWS of panels with gutters of GAP pixels. */
static DicomPicture *
mosaic(guint columns, guint rows, guint gap, guint8 gutter, guint8 ground)
{
  const guint width = 220, height = 180;
  DicomPicture *picture =
      dicom_picture_new(columns * (width + gap) - gap, rows * (height + gap) - gap);

  fill(picture, 0, 0, picture->width, picture->height, gutter);
  for (guint y = 0; y < rows; y++) {
    for (guint x = 0; x < columns; x++) {
      draw(picture, x * (width + gap), y * (height + gap), width, height, ground);
    }
  }
  return picture;
}

static PmcPicture
look(const DicomPicture *picture)
{
  PmcPicture seen = {.tower = -1};

  app_panels_look(picture, &seen);
  g_assert_true(seen.readable);
  g_assert_cmpuint(seen.width, ==, picture->width);
  return seen;
}

static void
test_gutters(void)
{
  static const guint8 gutters[] = {255, 0, 20};

  for (guint k = 0; k < G_N_ELEMENTS(gutters); k++) {
    for (guint columns = 1; columns <= 3; columns++) {
      for (guint rows = 1; rows <= 3; rows++) {
        g_autoptr(DicomPicture) picture = mosaic(columns, rows, 9, gutters[k], 90);
        g_test_message("%u x %u, gutters of %u", columns, rows, gutters[k]);
        g_assert_cmpuint(look(picture).panels, ==, columns * rows);
      }
    }
  }
}

/* A margin is no gutter; nor is the black between two legs, which touch it in a few places. */
static void
test_single(void)
{
  g_autoptr(DicomPicture) margin = mosaic(1, 1, 0, 255, 90), legs = mosaic(2, 1, 20, 0, 0),
                          tiny = dicom_picture_new(3, 2);

  fill(margin, 0, 0, margin->width, 30, 255);
  fill(margin, 0, 0, 30, margin->height, 255);
  g_assert_cmpuint(look(margin).panels, ==, 1);
  g_assert_cmpuint(look(margin).letters, ==, 0);
  g_assert_cmpuint(look(legs).panels, ==, 1);
  g_assert_cmpuint(look(tiny).panels, ==, 1);
}

/* A white box with something like an "I" in it. */
static void
letter(DicomPicture *picture, guint x, guint y)
{
  fill(picture, x, y, 24, 24, 255);
  fill(picture, x + 10, y + 4, 4, 16, 0);
}

static void
test_letters(void)
{
  g_autoptr(DicomPicture) picture = mosaic(2, 2, 0, 0, 90);

  g_assert_cmpuint(look(picture).letters, ==, 0);
  letter(picture, 4, 4);
  g_assert_cmpuint(look(picture).letters, ==, 0); /* one alone says "R", or nothing */
  letter(picture, 224, 4);
  g_assert_cmpuint(look(picture).letters, ==, 2);
  letter(picture, 4, 184);
  g_assert_cmpuint(look(picture).letters, ==, 3);
  letter(picture, 260, 210); /* stands in no row or column */
  g_assert_cmpuint(look(picture).letters, ==, 3);
}

static void
test_colours(void)
{
  g_autoptr(DicomPicture) picture = mosaic(1, 1, 0, 0, 90);

  g_assert_cmpfloat(look(picture).coloured, ==, 0);
  for (guint i = 0; i < picture->width * picture->height / 2; i++) {
    picture->pixels[3 * i] = 250;
  }
  g_assert_cmpfloat_with_epsilon(look(picture).coloured, 0.5, 0.02); /* a row more or less */
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/panels/gutters", test_gutters);
  g_test_add_func("/panels/single", test_single);
  g_test_add_func("/panels/letters", test_letters);
  g_test_add_func("/panels/colours", test_colours);
  return g_test_run();
}
