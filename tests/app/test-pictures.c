/* test-pictures.c - one picture is one picture: what training prepares, what `ask` sends and what a
 * trace shows are the same bytes, for every kind of file. */
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "app_train.h"
#include "private.h"
#include "tiny.h"
#include "train-pictures.h"

#define SIDE 28 /* of the tiny model's tower */

typedef struct {
  char *folder, *model;
  ModelEngine *engine;
  TrainRun *run;
} Fixture;

static guint8
grey_value(guint x, guint y)
{
  return (guint8)(40 + (x * 5 + y * 3) % 160);
}

static void
write_grey_png(const char *path, guint width, guint height)
{
  g_autofree guint8 *rows = g_malloc((gsize)width * height);
  png_image image = {
      .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_GRAY};

  for (guint y = 0; y < height; y++) {
    for (guint x = 0; x < width; x++) {
      rows[y * width + x] = grey_value(x, y);
    }
  }
  g_assert_true(png_image_write_to_file(&image, path, 0, rows, 0, NULL));
}

static void
write_jpeg(const char *path, guint width, guint height, int components)
{
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr err;
  g_autofree guint8 *row = g_malloc((gsize)width * 3);
  FILE *file = fopen(path, "wb");

  g_assert_nonnull(file);
  c.err = jpeg_std_error(&err);
  jpeg_create_compress(&c);
  jpeg_stdio_dest(&c, file);
  c.image_width = width;
  c.image_height = height;
  c.input_components = components;
  c.in_color_space = components == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&c);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < height) {
    for (guint i = 0; i < width * (guint)components; i++) {
      row[i] = grey_value(i, c.next_scanline * 7);
    }
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  fclose(file);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  const TinyDicom ct = {
      .rows = 40, .columns = 60, .uid = "1.2.3.1", .instance = 1, .window = "300\\400"};
  g_autofree char *grey = NULL, *colour = NULL, *grey_jpeg = NULL, *dicom = NULL;
  TrainOptions options;
  ModelError failure = {0};

  f->folder = tiny_folder_new();
  f->model = g_build_filename(f->folder, "tiny.gguf", NULL);
  grey = g_build_filename(f->folder, "grey.png", NULL);
  grey_jpeg = g_build_filename(f->folder, "grey.jpg", NULL);
  colour = g_build_filename(f->folder, "colour.jpg", NULL);
  dicom = g_build_filename(f->folder, "ct.dcm", NULL);
  tiny_model_write(f->folder, f->model);
  write_grey_png(grey, 60, 40);
  write_jpeg(grey_jpeg, 40, 60, 1);
  write_jpeg(colour, 40, 60, 3);
  tiny_dicom_write(dicom, &ct);
  f->engine = model_engine_open(f->model, NULL, &failure);
  g_assert_nonnull(f->engine);
  train_options_init(&options);
  options.parts = TRAIN_PROJECTOR;
  options.n_threads = 1;
  f->run = train_run_new(f->model, NULL, &options, &failure);
  g_assert_nonnull(f->run);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  train_run_free(f->run);
  model_engine_free(f->engine);
  g_free(f->model);
  tiny_folder_free(f->folder);
}

static char *
traced_sha256(Fixture *f, const char *path)
{
  const AppModelOptions options = {.model = f->model, .n_threads = 1};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_model_trace(&options, path, "<image> x", 0, NULL, &error);

  g_assert_no_error(error);
  return g_strdup(json_object_get_string_member(
      json_object_get_object_member(json_node_get_object(node), "preprocess"), "u8_sha256"));
}

/* PAD: what the first pixel's surroundings are padded with; grey pictures with the average of the
 * tower's mean colour, all others with that colour. */
static void
check(Fixture *f, const char *name, const guint8 pad[3])
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(f->folder, name, NULL);
  g_autoptr(AppShot) shot = app_shot_new(&(AppImageChoice){.path = path}, &error);
  g_autofree char *traced = traced_sha256(f, path);
  ModelError failure = {0};
  ModelImage asked, kept, decoded;
  char sha256[65];
  guint32 side = 0;
  guint8 *square;

  g_assert_no_error(error);
  asked = app_shot_image(shot);
  square = model_preprocess(f->engine, &asked, &side, &failure);
  g_assert_nonnull(square);
  g_assert_cmpuint(side, ==, SIDE);
  g_assert_cmpmem(square, 3, pad, 3);
  model_sha256(square, SIDE * SIDE * 3, sha256);
  g_assert_cmpstr(traced, ==, sha256);

  /* Kept ahead of the run, and decoded anew each time because there is no room. */
  for (int room = 1; room >= 0; room--) {
    g_autoptr(AppTrainPictures) pictures =
        app_train_pictures_new(f->run, f->folder, room ? 1 << 20 : 0);
    ModelImage *image = room ? &kept : &decoded;

    g_assert_true(app_train_pictures_add(pictures, name, &error) == (room == 1));
    g_assert_no_error(error);
    g_assert_true(app_train_pictures_get(pictures, name, image, &error));
    g_assert_cmpuint(image->width, ==, SIDE);
    g_assert_cmpuint(image->height, ==, SIDE);
    g_assert_cmpuint(image->channels, ==, 3);
    g_assert_cmpmem(image->pixels, SIDE * SIDE * 3, square, SIDE * SIDE * 3);
  }
  free(square);
}

static void
test_same(Fixture *f, gconstpointer data)
{
  static const guint8 grey[3] = {114, 114, 114}, colour[3] = {122, 116, 104};

  check(f, "grey.png", grey);
  check(f, "grey.jpg", grey);
  check(f, "colour.jpg", colour);
  check(f, "ct.dcm", colour);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add("/app/pictures/same", Fixture, NULL, set_up, test_same, tear_down);
  return g_test_run();
}
