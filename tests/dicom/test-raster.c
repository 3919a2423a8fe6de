/* test-raster.c - JPEG and PNG pictures: kinds, depths, orientation, damage. */
#include "build.h"
#include "dicom.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

static DicomFrame *
open_frame(const char *path, GError **error)
{
  g_autoptr(DicomFile) file = dicom_file_open(path, error);

  return file ? dicom_file_read_frame(file, 0, error) : NULL;
}

static void
expect_refusal(const char *path, gint code, const char *pattern)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = open_frame(path, &error);

  g_assert_null(frame);
  g_assert_error(error, DICOM_ERROR, code);
  g_test_message("%s", error->message);
  g_assert_true(g_str_has_prefix(error->message, path));
  g_assert_true(g_regex_match_simple(pattern, error->message, 0, 0));
}

/* ---- PNG ---------------------------------------------------------------------------------------
 */

typedef struct {
  guint width, height, depth, type;
  gboolean interlaced;
  png_color palette[4];
  png_byte alphas[4];
  gint n_alphas;
  png_color_16 transparent;
  gboolean has_transparent;
} Kind;

/* ROWS: as PNG stores them (16 bits big-endian), ROW_BYTES each. */
static char *
write_png(const Kind *kind, const guint8 *rows, gsize row_bytes)
{
  char *path = g_build_filename(build_folder(), "picture.png", NULL);
  FILE *f = fopen(path, "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  g_autofree png_bytep *lines = g_new(png_bytep, kind->height);

  g_assert_nonnull(f);
  png_init_io(png, f);
  png_set_IHDR(png, info, kind->width, kind->height, (int)kind->depth, (int)kind->type,
               kind->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
  if (kind->type == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, kind->palette, 4);
  }
  if (kind->n_alphas > 0 || kind->has_transparent) {
    png_set_tRNS(png, info, kind->alphas, kind->n_alphas, &kind->transparent);
  }
  for (guint y = 0; y < kind->height; y++) {
    lines[y] = (png_bytep)rows + y * row_bytes;
  }
  png_set_rows(png, info, lines);
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
  png_destroy_write_struct(&png, &info);
  fclose(f);
  return path;
}

static void
expect_stored(const char *path, const void *bytes, gsize n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = open_frame(path, &error);
  gsize got;

  g_assert_no_error(error);
  const guint8 *stored = dicom_frame_stored(frame, &got);
  g_assert_cmpmem(stored, got, bytes, n);
}

static void
test_png_grey(void)
{
  const guint8 one[] = {0xa0}, two[] = {0x1b}, four[] = {0x07, 0xf0}, eight[] = {9, 8, 7};
  const Kind kinds[] = {{3, 1, 1, PNG_COLOR_TYPE_GRAY},
                        {4, 1, 2, PNG_COLOR_TYPE_GRAY},
                        {3, 1, 4, PNG_COLOR_TYPE_GRAY},
                        {3, 1, 8, PNG_COLOR_TYPE_GRAY}};

  g_autofree char *a = write_png(&kinds[0], one, 1);
  expect_stored(a, (const guint8[]){255, 0, 255}, 3);
  g_autofree char *b = write_png(&kinds[1], two, 1);
  expect_stored(b, (const guint8[]){0, 85, 170, 255}, 4);
  g_autofree char *c = write_png(&kinds[2], four, 2);
  expect_stored(c, (const guint8[]){0, 119, 255}, 3);
  g_autofree char *d = write_png(&kinds[3], eight, 3);
  expect_stored(d, eight, 3);
}

/* Sixteen bits stay sixteen bits, shown over the range that they use. */
static void
test_png_deep(void)
{
  const Kind kind = {3, 1, 16, PNG_COLOR_TYPE_GRAY};
  const guint8 rows[6] = {0x03, 0xe8, 0x07, 0xd0, 0x0b, 0xb8};
  const guint16 expected[3] = {1000, 2000, 3000};
  g_autoptr(GError) error = NULL;
  g_autofree char *path = write_png(&kind, rows, 6);
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  double value;

  g_assert_no_error(error);
  g_assert_cmpint(dicom_file_info(file)->kind, ==, DICOM_KIND_PNG);
  g_assert_cmpuint(dicom_file_info(file)->bits_stored, ==, 16);
  g_assert_cmpstr(dicom_file_info(file)->photometric, ==, "MONOCHROME2");
  expect_stored(path, expected, 6);
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
  g_assert_true(dicom_frame_value(frame, 1, 0, &value));
  g_assert_cmpfloat(value, ==, 2000);
  g_assert_cmpint(dicom_frame_default_window(frame).voi, ==, DICOM_VOI_LINEAR);
  g_autoptr(DicomPicture) picture = dicom_frame_render(frame, NULL, &error);
  g_assert_cmpuint(picture->pixels[0], ==, 0);
  g_assert_cmpuint(picture->pixels[3], ==, 128);
  g_assert_cmpuint(picture->pixels[6], ==, 255);
}

static void
test_png_colour(void)
{
  const Kind rgb = {2, 1, 8, PNG_COLOR_TYPE_RGB};
  const guint8 pixels[6] = {1, 2, 3, 250, 251, 252};
  g_autofree char *a = write_png(&rgb, pixels, 6);
  expect_stored(a, pixels, 6);

  const Kind palette = {4,     1,
                        2,     PNG_COLOR_TYPE_PALETTE,
                        FALSE, {{1, 2, 3}, {10, 20, 30}, {100, 110, 120}, {200, 210, 220}}};
  g_autofree char *b = write_png(&palette, (const guint8[]){0x1b}, 1);
  expect_stored(b, (const guint8[]){1, 2, 3, 10, 20, 30, 100, 110, 120, 200, 210, 220}, 12);
}

/* Transparent parts are black, half transparent ones half as bright. */
static void
test_png_alpha(void)
{
  const Kind grey = {3, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA};
  g_autofree char *a = write_png(&grey, (const guint8[]){200, 0, 200, 128, 200, 255}, 6);
  expect_stored(a, (const guint8[]){0, 100, 200}, 3);

  const Kind rgba = {1, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA};
  g_autofree char *b = write_png(&rgba, (const guint8[]){255, 100, 50, 51}, 4);
  expect_stored(b, (const guint8[]){51, 20, 10}, 3);

  const Kind deep = {1, 1, 16, PNG_COLOR_TYPE_GRAY_ALPHA};
  g_autofree char *c = write_png(&deep, (const guint8[]){0x80, 0x00, 0x80, 0x00}, 4);
  expect_stored(c, (const guint16[]){16384}, 2);

  const Kind keyed = {
      2, 1, 8, PNG_COLOR_TYPE_GRAY, .transparent = {.gray = 77}, .has_transparent = TRUE};
  g_autofree char *d = write_png(&keyed, (const guint8[]){77, 78}, 2);
  expect_stored(d, (const guint8[]){0, 78}, 2);

  const Kind palette = {4,
                        1,
                        2,
                        PNG_COLOR_TYPE_PALETTE,
                        FALSE,
                        {{1, 2, 3}, {10, 20, 30}, {100, 110, 120}, {200, 210, 220}},
                        {255, 0, 255, 255},
                        4};
  g_autofree char *e = write_png(&palette, (const guint8[]){0x1b}, 1);
  expect_stored(e, (const guint8[]){1, 2, 3, 0, 0, 0, 100, 110, 120, 200, 210, 220}, 12);
}

static void
test_png_interlaced(void)
{
  const Kind kind = {16, 16, 8, PNG_COLOR_TYPE_GRAY, TRUE};
  guint8 pixels[256];

  for (guint i = 0; i < 256; i++) {
    pixels[i] = (guint8)(i * 7);
  }
  g_autofree char *path = write_png(&kind, pixels, 16);
  expect_stored(path, pixels, 256);
}

static void
test_png_damage(void)
{
  const Kind kind = {32, 32, 8, PNG_COLOR_TYPE_GRAY};
  guint8 pixels[1024];
  g_autofree char *bytes = NULL;
  gsize n;

  for (guint i = 0; i < 1024; i++) {
    pixels[i] = (guint8)g_test_rand_int();
  }
  g_autofree char *path = write_png(&kind, pixels, 32);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  for (gsize cut = 8; cut < n; cut += 5) {
    g_autofree char *part = build_write_bytes("part.png", bytes, cut);

    expect_refusal(part, DICOM_ERROR_CORRUPT, "PNG: ");
  }
  /* A flipped bit anywhere in the data is seen by a checksum. */
  for (gsize at = 60; at < n - 12; at += 50) {
    bytes[at] ^= 4;
    g_autofree char *bad = build_write_bytes("bad.png", bytes, n);
    bytes[at] ^= 4;
    expect_refusal(bad, DICOM_ERROR_CORRUPT, "PNG: ");
  }
}

/* A header of 60000 x 60000 in 70 bytes, its checksum right. */
static void
test_png_huge(void)
{
  guint8 head[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0,   0, 0,    13,
                   'I',  'H', 'D', 'R', 0,    0,    0xea, 0x60, 0,   0, 0xea, 0x60,
                   8,    0,   0,   0,   0,    0,    0,    0,    0,   0, 0,    0,
                   0,    'I', 'D', 'A', 'T',  0x35, 0xaf, 0x06, 0x1e};
  guint32 crc = 0xffffffff;

  for (guint i = 12; i < 29; i++) {
    crc ^= head[i];
    for (guint k = 0; k < 8; k++) {
      crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
  }
  crc = ~crc;
  for (guint i = 0; i < 4; i++) {
    head[29 + i] = (guint8)(crc >> (24 - 8 * i));
  }
  g_autofree char *path = build_write_bytes("huge.png", head, sizeof head);
  expect_refusal(path, DICOM_ERROR_CORRUPT, "60000 x 60000 pixels cannot be in 45 bytes");
}

/* ---- JPEG --------------------------------------------------------------------------------------
 */

typedef struct {
  guint width, height, components;
  J_COLOR_SPACE space;
  guint orientation;
  gboolean progressive;
} Jpeg;

static void
put_exif(j_compress_ptr c, guint orientation)
{
  guint8 exif[32] = {'E', 'x', 'i', 'f',  0,    0, 'M', 'M', 0, 42, 0, 0, 0,
                     8,   0,   1,   0x01, 0x12, 0, 3,   0,   0, 0,  1, 0, (guint8)orientation};

  jpeg_write_marker(c, JPEG_APP0 + 1, exif, sizeof exif);
}

/* PIXEL(x, y) fills one pixel. */
static char *
write_jpeg(const Jpeg *kind, void (*pixel)(guint x, guint y, guint8 *out))
{
  char *path = g_build_filename(build_folder(), "picture.jpg", NULL);
  FILE *f = fopen(path, "wb");
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr err;
  g_autofree guint8 *row = g_malloc0((gsize)kind->width * kind->components);

  c.err = jpeg_std_error(&err);
  jpeg_create_compress(&c);
  jpeg_stdio_dest(&c, f);
  c.image_width = kind->width;
  c.image_height = kind->height;
  c.input_components = (int)kind->components;
  c.in_color_space = kind->space;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 100, TRUE);
  for (int i = 0; i < c.num_components; i++) {
    c.comp_info[i].h_samp_factor = c.comp_info[i].v_samp_factor = 1;
  }
  if (kind->progressive) {
    jpeg_simple_progression(&c);
  }
  jpeg_start_compress(&c, TRUE);
  if (kind->orientation > 0) {
    put_exif(&c, kind->orientation);
  }
  for (guint y = 0; y < kind->height; y++) {
    for (guint x = 0; x < kind->width; x++) {
      pixel(x, y, row + x * kind->components);
    }
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  fclose(f);
  return path;
}

static void
corners(guint x, guint y, guint8 *out)
{
  /* 24 x 16: four flat quarters. */
  out[0] = x < 12 ? (y < 8 ? 20 : 200) : (y < 8 ? 90 : 150);
}

static void
expect_level(const DicomPicture *picture, guint x, guint y, guint r, guint g, guint b)
{
  const guint8 *p = picture->pixels + 3 * ((gsize)y * picture->width + x);

  /* Quality 100 and flat blocks: a few levels of rounding in the transforms at most. */
  if (ABS((gint)p[0] - (gint)r) > 4 || ABS((gint)p[1] - (gint)g) > 4 ||
      ABS((gint)p[2] - (gint)b) > 4) {
    g_error("(%u, %u) is %u %u %u, expected %u %u %u", x, y, p[0], p[1], p[2], r, g, b);
  }
}

/* EXIF orientation: the four corners of the upright picture, clockwise from the upper left. */
static void
test_jpeg_orientation(void)
{
  static const guint expected[9][4] = {{20, 90, 150, 200}, {20, 90, 150, 200}, {90, 20, 200, 150},
                                       {150, 200, 20, 90}, {200, 150, 90, 20}, {20, 200, 150, 90},
                                       {200, 20, 90, 150}, {150, 90, 20, 200}, {90, 150, 200, 20}};

  for (guint o = 0; o <= 8; o++) {
    const Jpeg kind = {24, 16, 1, JCS_GRAYSCALE, o, FALSE};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_jpeg(&kind, corners);
    g_autoptr(DicomFile) file = dicom_file_open(path, &error);

    g_assert_no_error(error);
    const DicomInfo *info = dicom_file_info(file);
    g_assert_cmpint(info->kind, ==, DICOM_KIND_JPEG);
    g_assert_cmpuint(info->columns, ==, o >= 5 ? 16 : 24);
    g_assert_cmpuint(info->rows, ==, o >= 5 ? 24 : 16);
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
    g_assert_cmpuint(dicom_frame_width(frame), ==, info->columns);
    g_assert_cmpuint(dicom_frame_height(frame), ==, info->rows);
    g_autoptr(DicomPicture) p = dicom_frame_render(frame, NULL, &error);
    const guint *e = expected[o];
    expect_level(p, 1, 1, e[0], e[0], e[0]);
    expect_level(p, p->width - 2, 1, e[1], e[1], e[1]);
    expect_level(p, p->width - 2, p->height - 2, e[2], e[2], e[2]);
    expect_level(p, 1, p->height - 2, e[3], e[3], e[3]);
  }
}

static void
orange(guint x, guint y, guint8 *out)
{
  out[0] = 250;
  out[1] = 130;
  out[2] = 30;
}

/* Inks as Adobe stores them: 255 is none. */
static void
inks(guint x, guint y, guint8 *out)
{
  out[0] = 255;
  out[1] = 128;
  out[2] = 0;
  out[3] = 200;
}

static void
test_jpeg_colour(void)
{
  g_autoptr(GError) error = NULL;
  const Jpeg rgb = {16, 16, 3, JCS_RGB, 0, TRUE};
  g_autofree char *a = write_jpeg(&rgb, orange);
  g_autoptr(DicomFrame) frame = open_frame(a, &error);
  g_assert_no_error(error);
  g_assert_true(dicom_frame_is_colour(frame));
  g_autoptr(DicomPicture) p = dicom_frame_render(frame, NULL, &error);
  expect_level(p, 8, 8, 250, 130, 30);

  const Jpeg cmyk = {16, 16, 4, JCS_CMYK, 6, FALSE};
  g_autofree char *b = write_jpeg(&cmyk, inks);
  g_autoptr(DicomFrame) inked = open_frame(b, &error);
  g_assert_no_error(error);
  g_autoptr(DicomPicture) q = dicom_frame_render(inked, NULL, &error);
  expect_level(q, 8, 8, 200, 100, 0);
}

static void
noise(guint x, guint y, guint8 *out)
{
  out[0] = (guint8)(x * 37 + y * 101 + x * y * 13);
}

/* A cut file is refused: libjpeg alone would make the rest grey and only warn. */
static void
test_jpeg_damage(void)
{
  for (guint progressive = 0; progressive < 2; progressive++) {
    const Jpeg kind = {64, 64, 1, JCS_GRAYSCALE, 0, progressive};
    g_autofree char *path = write_jpeg(&kind, noise);
    g_autofree char *bytes = NULL;
    gsize n;

    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    /* Without its very last marker, FF D9, a file has lost nothing; not even that is let pass. */
    for (gsize cut = 8; cut < n - 1; cut += 41) {
      g_autofree char *part = build_write_bytes("part.jpg", bytes, cut);

      expect_refusal(part, DICOM_ERROR_CORRUPT, "JPEG: ");
    }
    /* Any byte changed: no crash, and error and result agree. */
    for (gsize at = 3; at < n; at += 3) {
      g_autoptr(GError) error = NULL;

      bytes[at] ^= 0x55;
      g_autofree char *bad = build_write_bytes("bad.jpg", bytes, n);
      bytes[at] ^= 0x55;
      g_autoptr(DicomFrame) frame = open_frame(bad, &error);
      g_assert_true((frame == NULL) == (error != NULL));
    }
  }
}

static void
test_jpeg_huge(void)
{
  const Jpeg kind = {16, 16, 1, JCS_GRAYSCALE, 0, FALSE};
  g_autofree char *path = write_jpeg(&kind, noise);
  g_autofree char *bytes = NULL;
  gsize n, at = 0;

  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  while (at + 9 < n && !((guint8)bytes[at] == 0xff && (guint8)bytes[at + 1] == 0xc0)) {
    at++;
  }
  memcpy(bytes + at + 5, "\xff\xdc\xff\xdc", 4); /* 65500 x 65500 */
  g_autofree char *huge = build_write_bytes("huge.jpg", bytes, n);
  expect_refusal(huge, DICOM_ERROR_CORRUPT, "65500 x 65500 pixels cannot be in [0-9]+ bytes");
  /* With bytes enough to hold so many pixels the limit still stands. */
  g_autofree char *padded = g_malloc0(9 << 20);
  memcpy(padded, bytes, n);
  g_autofree char *large = build_write_bytes("large.jpg", padded, 9 << 20);
  expect_refusal(large, DICOM_ERROR_TOO_LARGE, "65500 x 65500 pixels are more than 512 MiB");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/raster/png-grey", test_png_grey);
  g_test_add_func("/dicom/raster/png-deep", test_png_deep);
  g_test_add_func("/dicom/raster/png-colour", test_png_colour);
  g_test_add_func("/dicom/raster/png-alpha", test_png_alpha);
  g_test_add_func("/dicom/raster/png-interlaced", test_png_interlaced);
  g_test_add_func("/dicom/raster/png-damage", test_png_damage);
  g_test_add_func("/dicom/raster/png-huge", test_png_huge);
  g_test_add_func("/dicom/raster/jpeg-orientation", test_jpeg_orientation);
  g_test_add_func("/dicom/raster/jpeg-colour", test_jpeg_colour);
  g_test_add_func("/dicom/raster/jpeg-damage", test_jpeg_damage);
  g_test_add_func("/dicom/raster/jpeg-huge", test_jpeg_huge);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
