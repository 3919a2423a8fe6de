/* seeds-raster.c - seeds of JPEG and PNG pictures: every kind that the readers tell apart. */
#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <png.h>

static void
collect(png_structp png, png_bytep data, png_size_t n)
{
  g_byte_array_append(png_get_io_ptr(png), data, (guint)n);
}

static void
add_png(Seeds *seeds, int type, int depth, int interlace)
{
  static const png_color colours[2] = {{0, 0, 0}, {255, 128, 0}};
  static const png_byte alphas[1] = {128};
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  guint8 rows[9][128];
  png_bytep lines[9];

  for (guint y = 0; y < 9; y++) {
    for (guint x = 0; x < sizeof rows[y]; x++) {
      rows[y][x] = (guint8)(type == PNG_COLOR_TYPE_PALETTE ? (x + y) & 1 : 7 * x + 11 * y);
    }
    lines[y] = rows[y];
  }
  png_set_write_fn(png, bytes, collect, NULL);
  png_set_IHDR(png, info, 11, 9, depth, type, interlace, 0, 0);
  if (type == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, colours, 2);
    png_set_tRNS(png, info, alphas, 1, NULL);
  }
  png_set_gAMA(png, info, 0.45455);
  png_set_rows(png, info, lines);
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
  png_destroy_write_struct(&png, &info);
  seeds_add(seeds, bytes->data, bytes->len);
}

typedef enum { PLAIN, PROGRESSIVE, ARITHMETIC, RESTARTS, ORIENTED } JpegKind;

static void
add_jpeg(Seeds *seeds, J_COLOR_SPACE space, guint samples, JpegKind kind)
{
  static const guint8 exif[] = {'E',  'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                                0x01, 0x12, 0,   3,   0, 0, 0,   1,   0, 6,  0, 0, 0, 0, 0, 0};
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr errors;
  unsigned char *out = NULL;
  unsigned long n = 0;
  guint8 row[19 * 4];
  JSAMPROW rows[1] = {row};

  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, &out, &n);
  c.image_width = 19;
  c.image_height = 17;
  c.input_components = (int)samples;
  c.in_color_space = space;
  jpeg_set_defaults(&c);
  if (kind == PROGRESSIVE) {
    jpeg_simple_progression(&c);
  }
  c.arith_code = kind == ARITHMETIC;
  c.restart_interval = kind == RESTARTS ? 1 : 0;
  jpeg_start_compress(&c, TRUE);
  if (kind == ORIENTED) {
    jpeg_write_marker(&c, JPEG_APP0 + 1, exif, sizeof exif);
  }
  for (guint y = 0; y < 17; y++) {
    for (guint x = 0; x < 19 * samples; x++) {
      row[x] = (guint8)(x * 9 + y * y);
    }
    jpeg_write_scanlines(&c, rows, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  seeds_add(seeds, out, n);
  free(out);
}

static void
add_picture(Seeds *seeds, const guint8 *data, gsize n)
{
  if (n > 4 && ((data[0] == 0xff && data[1] == 0xd8) || (data[0] == 0x89 && data[1] == 'P'))) {
    seeds_add(seeds, data, n);
  }
}

void
seeds_raster(Seeds *seeds)
{
  for (int depth = 1; depth <= 16; depth *= 2) {
    add_png(seeds, PNG_COLOR_TYPE_GRAY, depth, PNG_INTERLACE_NONE);
  }
  for (int depth = 8; depth <= 16; depth *= 2) {
    add_png(seeds, PNG_COLOR_TYPE_RGB, depth, PNG_INTERLACE_ADAM7);
    add_png(seeds, PNG_COLOR_TYPE_RGB_ALPHA, depth, PNG_INTERLACE_NONE);
    add_png(seeds, PNG_COLOR_TYPE_GRAY_ALPHA, depth, PNG_INTERLACE_ADAM7);
  }
  add_png(seeds, PNG_COLOR_TYPE_PALETTE, 8, PNG_INTERLACE_NONE);
  for (JpegKind kind = PLAIN; kind <= ORIENTED; kind++) {
    add_jpeg(seeds, JCS_GRAYSCALE, 1, kind);
    add_jpeg(seeds, JCS_RGB, 3, kind);
  }
  add_jpeg(seeds, JCS_CMYK, 4, PLAIN);
  for (char **more = seeds->more; more && *more; more++) {
    seeds_find(seeds, *more, add_picture);
  }
}
