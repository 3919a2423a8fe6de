/* test-output.c - pictures that leave the program are the ones that the window makes. */
#include <string.h>

#include "app_output.h"
#include "slice-fixture.h"
#include "study.h"
#include "wait.h"

enum { WIDTH = 10, HEIGHT = 6 };

typedef struct {
  char *folder;
  AppStudy *study;
  AppSlice *slice;
} Fixture;

typedef struct {
  gboolean done;
  GBytes *png;
  AppCanvas *canvas;
  GError *error;
} Answer;

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  const TinyDicom dicom = {
      .rows = HEIGHT, .columns = WIDTH, .uid = "1.2.1", .patient_name = "DOE^JANE"};

  f->folder = tiny_folder_new();
  path = g_build_filename(f->folder, "a.dcm", NULL);
  tiny_dicom_write(path, &dicom);
  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  f->slice = app_study_slice(f->study, 0, 0, NULL, &error);
  g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  app_slice_unref(f->slice);
  app_study_free(f->study);
  tiny_folder_free(f->folder);
}

static void
on_canvas(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->canvas = app_output_canvas_finish(result, &answer->error);
  answer->done = TRUE;
}

static void
on_png(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->png = app_output_png_finish(result, &answer->error);
  answer->done = TRUE;
}

static AppCanvas *
get_canvas(const AppOutput *output)
{
  Answer answer = {0};

  app_output_canvas_async(output, NULL, on_canvas, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  return answer.canvas;
}

/* The grey that window 400/800 gives to pixel X, Y (PS3.3 C.11.2.1.2), as 0xFFRRGGBB. */
static guint32
expected(guint x, guint y)
{
  double value = (double)tiny_value(x, y, 0) - 100;
  double grey = ((value - (400 - 0.5)) / (800 - 1) + 0.5) * 255;
  guint32 level = (guint32)(CLAMP(grey, 0, 255) + 0.5);

  return 0xff000000 | level << 16 | level << 8 | level;
}

static void
assert_near(guint32 is, guint32 wanted)
{
  /* How the renderer rounds is its own test's business. */
  g_assert_cmpint(ABS((int)(is & 255) - (int)(wanted & 255)), <=, 1);
  g_assert_cmphex(is >> 24, ==, 255);
}

static void
test_picture(Fixture *f, gconstpointer data)
{
  const AppOutput output = {.slice = f->slice,
                            .window = {.set = TRUE, .center = 400, .width = 800}};
  g_autoptr(AppCanvas) canvas = get_canvas(&output);
  const guint32 *pixels = g_bytes_get_data(canvas->pixels, NULL);

  g_assert_cmpuint(canvas->width, ==, WIDTH);
  g_assert_cmpuint(canvas->height, ==, HEIGHT);
  for (guint y = 0; y < HEIGHT; y++) {
    for (guint x = 0; x < WIDTH; x++) {
      assert_near(pixels[y * WIDTH + x], expected(x, y));
    }
  }
}

/* Turned clockwise once, then mirrored: what was at the top left is at the top left again, and rows
 * have become columns. */
static void
test_turned(Fixture *f, gconstpointer data)
{
  const AppOutput output = {.slice = f->slice,
                            .window = {.set = TRUE, .center = 400, .width = 800},
                            .turns = 1,
                            .flip = TRUE};
  g_autoptr(AppCanvas) canvas = get_canvas(&output);
  const guint32 *pixels = g_bytes_get_data(canvas->pixels, NULL);

  g_assert_cmpuint(canvas->width, ==, HEIGHT);
  g_assert_cmpuint(canvas->height, ==, WIDTH);
  for (guint y = 0; y < WIDTH; y++) {
    for (guint x = 0; x < HEIGHT; x++) {
      assert_near(pixels[y * HEIGHT + x], expected(y, x));
    }
  }
}

static void
test_file(Fixture *f, gconstpointer data)
{
  const AppOutput output = {.slice = f->slice};
  g_autofree char *path = g_build_filename(f->folder, "out.png", NULL), *bytes = NULL;
  g_autofree char *nowhere = g_build_filename(f->folder, "nowhere", "out.png", NULL);
  g_autofree char *rendered = g_build_filename(f->folder, "rendered.png", NULL), *other = NULL;
  g_autofree char *from = g_build_filename(f->folder, "a.dcm", NULL);
  g_autoptr(GError) error = NULL;
  Answer answer = {0};
  gsize n, n_other;

  app_output_png_async(&output, path, NULL, on_png, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_cmpmem(bytes, n, g_bytes_get_data(answer.png, NULL), g_bytes_get_size(answer.png));
  g_bytes_unref(answer.png);
  /* The very file that the command line writes; and nobody's name in it. */
  g_assert_true(app_image_render(from, 0, NULL, NULL, rendered, &error));
  g_assert_true(g_file_get_contents(rendered, &other, &n_other, NULL));
  g_assert_cmpmem(bytes, n, other, n_other);
  g_assert_null(memmem(bytes, n, "DOE", 3));
  answer = (Answer){0};
  app_output_png_async(&output, nowhere, NULL, on_png, &answer);
  wait_until(answer.done);
  g_assert_error(answer.error, APP_ERROR, APP_ERROR_FAILED);
  g_clear_error(&answer.error);
}

/* Overlays of the file stay on the screen: they may name the patient. */
static void
test_bare(Fixture *f, gconstpointer data)
{
  const FileElement changes[] = {{0x60000010, "US", "1"},
                                 {0x60000011, "US", "1"},
                                 {0x60000050, "SS", "1\\1"},
                                 {0x60000100, "US", "1"},
                                 {0x60000102, "US", "0"},
                                 {0x60003000, "OW", NULL, NULL, "\1\0", 2},
                                 {0}};
  g_auto(Opened) covered = open_file(changes);
  const AppOutput output = {.slice = covered.slice};
  g_autoptr(AppCanvas) canvas = get_canvas(&output);

  g_assert_true(covered.facts->has_covers);
  g_assert_cmphex(((const guint32 *)g_bytes_get_data(canvas->pixels, NULL))[0], ==, 0xff000000);
}

static void
test_pixels(Fixture *f, gconstpointer data)
{
  static const guint32 pixels[] = {0xff112233, 0xff445566};
  g_autoptr(GBytes) bytes = g_bytes_new_static(pixels, sizeof pixels);
  AppOutput output = {.pixels = bytes, .width = 2, .height = 1};
  g_autoptr(AppCanvas) canvas = get_canvas(&output);
  Answer answer = {0};

  g_assert_cmpmem(g_bytes_get_data(canvas->pixels, NULL), 8, pixels, 8);
  output.width = 3;
  app_output_png_async(&output, NULL, NULL, on_png, &answer);
  wait_until(answer.done);
  g_assert_error(answer.error, APP_ERROR, APP_ERROR_ARGUMENT);
  g_clear_error(&answer.error);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/app/output/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  add("picture", test_picture);
  add("turned", test_turned);
  add("file", test_file);
  add("bare", test_bare);
  add("pixels", test_pixels);
  return g_test_run();
}
