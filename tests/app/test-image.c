/* test-image.c - facts, renderings, stored values and views of images. */
#include <string.h>

#include "app_slice.h"
#include "dicom/build.h"
#include "tiny-pair.h"

static void
set_up(TinyPair *f, gconstpointer data)
{
  tiny_pair_write(f, 20, 30);
}

static void
tear_down(TinyPair *f, gconstpointer data)
{
  tiny_pair_free(f);
}

static void
test_window_parse(void)
{
  static const char *const wrong[] = {"",      "40",     "40/",   "/400", "40/400/1", "40/0",
                                      "40/-1", "nan/40", "1/inf", "a/b",  "40 400"};
  AppWindow window = {0};

  g_assert_true(app_window_parse("-600.5/1500", &window, NULL));
  g_assert_true(window.set);
  g_assert_cmpfloat(window.center, ==, -600.5);
  g_assert_cmpfloat(window.width, ==, 1500);
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(app_window_parse(wrong[i], &window, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  }
}

static void
test_info(TinyPair *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_image_info(f->ct, TRUE, &error);
  g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
  g_autofree char *text = NULL, *expected = NULL;
  guint low = G_MAXUINT, high = 0;

  g_assert_no_error(error);
  for (guint y = 0; y < 20; y++) {
    for (guint x = 0; x < 30; x++) {
      guint v = tiny_value(x, y, 0);
      const guint8 bytes[2] = {(guint8)v, (guint8)(v >> 8)};
      g_checksum_update(md5, bytes, 2);
      low = MIN(low, v);
      high = MAX(high, v);
    }
  }
  text = app_json_text(node);
  expected = g_strdup_printf(
      "{\"file\": \"%s\", \"transfer_syntax\": \"1.2.840.10008.1.2.1\", \"sop_class\": "
      "\"1.2.840.10008.5.1.4.1.1.2\", \"modality\": \"CT\", \"rows\": 20, \"cols\": 30, "
      "\"frames\": 1, \"samples\": 1, \"photometric\": \"MONOCHROME2\", \"planar\": null, "
      "\"bits_alloc\": 16, \"bits_stored\": 16, \"pixel_rep\": 0, \"window_center\": [300.0], "
      "\"window_width\": [400.0], \"slope\": 1.0, \"intercept\": -100.0, \"md5_pixels\": \"%s\", "
      "\"pix_min\": %u.0, \"pix_max\": %u.0, \"content\": \"image\", "
      "\"content_name\": \"CT Image Storage\", "
      "\"transfer_syntax_name\": \"Explicit VR Little Endian\", \"title\": null, \"body_part\": "
      "null, "
      "\"view\": null, \"laterality\": null, \"warnings\": [], \"warning_texts\": [], "
      "\"image_type\": null, \"orientation\": {\"left\": \"R\", \"right\": \"L\", "
      "\"top\": \"A\", \"bottom\": \"P\"}, \"spacing_mm\": [0.5, 0.5], "
      "\"calibration\": \"patient\", \"frame_rate\": null, \"burned_in_annotation\": null, "
      "\"lossy\": false, \"damage\": null}",
      f->ct, g_checksum_get_string(md5), low, high);
  g_assert_cmpstr(text, ==, expected);
}

static void
test_decode(TinyPair *f, gconstpointer data)
{
  g_autofree char *raw = g_build_filename(f->folder, "frame.raw", NULL);
  g_autofree char *npy = g_build_filename(f->folder, "frame.npy", NULL);
  g_autofree char *bytes = NULL, *array = NULL;
  g_autoptr(GError) error = NULL;
  gsize n, n_array;

  g_assert_true(app_image_decode(f->cine, 2, raw, &error));
  g_assert_true(app_image_decode(f->cine, 2, npy, &error));
  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(raw, &bytes, &n, NULL));
  g_assert_true(g_file_get_contents(npy, &array, &n_array, NULL));
  g_assert_cmpuint(n, ==, 20 * 30 * 2);
  for (guint i = 0; i < 20 * 30; i++) {
    guint v = (guint8)bytes[2 * i] | (guint)(guint8)bytes[2 * i + 1] << 8;
    g_assert_cmpuint(v, ==, tiny_value(i % 30, i / 30, 2));
  }
  g_assert_cmpmem(array, 8, "\x93NUMPY\x01\x00", 8);
  g_assert_cmpuint((n_array - n) % 64, ==, 0);
  g_assert_nonnull(g_strstr_len(array + 10, 54, "'descr': '<u2'"));
  g_assert_nonnull(g_strstr_len(array + 10, 100, "'shape': (20, 30,)"));
  g_assert_cmpmem(array + n_array - n, n, bytes, n);

  g_assert_false(app_image_decode(f->cine, 3, raw, &error));
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, f->cine));
}

static void
test_render_again(TinyPair *f, gconstpointer data)
{
  g_autofree char *png = g_build_filename(f->folder, "z.png", NULL);
  g_autofree char *again = g_build_filename(f->folder, "zz.png", NULL);
  g_autofree char *first = NULL, *second = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) info = NULL;
  JsonObject *o;
  const AppWindow window = {TRUE, 40, 400};
  gsize n_first, n_second;

  g_assert_true(app_image_render(f->ct, 0, NULL, &window, png, &error));
  g_assert_no_error(error);
  info = app_image_info(png, TRUE, &error);
  g_assert_no_error(error);
  o = json_node_get_object(info);
  g_assert_cmpint(json_object_get_int_member(o, "rows"), ==, 20);
  g_assert_cmpint(json_object_get_int_member(o, "cols"), ==, 30);
  g_assert_cmpstr(json_object_get_string_member(o, "transfer_syntax"), ==, "PNG");
  g_assert_cmpstr(json_object_get_string_member(o, "content"), ==, "image");
  g_assert_true(json_object_get_null_member(o, "content_name"));
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(o, "warnings")), ==, 1);
  /* Windowed bytes are final: rendering the PNG gives itself. */
  g_assert_true(app_image_render(png, 0, NULL, NULL, again, &error));
  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(png, &first, &n_first, NULL));
  g_assert_true(g_file_get_contents(again, &second, &n_second, NULL));
  g_assert_cmpmem(first, n_first, second, n_second);
}

/* A state that turns the picture of the CT a quarter: through the helper, and into the PNG. */
static void
test_presentation(TinyPair *f, gconstpointer data)
{
  g_autofree char *state = g_build_filename(f->folder, "state.dcm", NULL);
  g_autofree char *png = g_build_filename(f->folder, "turned.png", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) info = NULL;
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.11.1");
  build_text(&b, 0x00080018, "UI", "1.2.3.9");
  build_open(&b, 0x00081115);
  build_item(&b, UNDEFINED);
  build_open(&b, 0x00081140);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x00081155, "UI", "1.2.3.1");
  build_item_end(&b);
  build_close(&b);
  build_item_end(&b);
  build_close(&b);
  build_us(&b, 0x00700042, 90);
  build_text(&b, 0x20500020, "CS", "IDENTITY");
  g_assert_true(
      g_file_set_contents(state, (const char *)b.bytes->data, (gssize)b.bytes->len, NULL));
  g_assert_true(app_image_render(f->ct, 0, state, NULL, png, &error));
  g_assert_no_error(error);
  info = app_image_info(png, FALSE, &error);
  g_assert_no_error(error);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(info), "rows"), ==, 30);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(info), "cols"), ==, 20);
  /* About another image, no state at all, not there. */
  g_assert_false(app_image_render(f->cine, 0, state, NULL, png, &error));
  g_assert_nonnull(strstr(error->message, "is not about this image"));
  g_assert_true(g_str_has_prefix(error->message, state));
  g_clear_error(&error);
  g_assert_false(app_image_render(f->ct, 0, f->cine, NULL, png, &error));
  g_assert_nonnull(strstr(error->message, "is no presentation state"));
  g_clear_error(&error);
  g_assert_false(app_image_render(f->ct, 0, "/nowhere.dcm", NULL, png, &error));
  g_assert_nonnull(strstr(error->message, "/nowhere.dcm"));
}

static void
test_bad_output(TinyPair *f, gconstpointer data)
{
  g_autofree char *nowhere = g_build_filename(f->folder, "missing", "x.npy", NULL);
  g_autoptr(GError) error = NULL;

  g_assert_false(app_image_decode(f->ct, 0, nowhere, &error));
  g_assert_nonnull(strstr(error->message, nowhere));
  g_clear_error(&error);
  g_assert_false(app_image_render(f->ct, 0, NULL, NULL, nowhere, &error));
  g_assert_nonnull(error);
}

/* ---- studies ------------------------------------------------------------------------------ */

static void
test_study(TinyPair *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *junk = g_build_filename(f->folder, "junk.txt", NULL);
  AppStudy *study;
  const AppSeriesInfo *info;
  guint n_refused = 0;

  g_assert_true(g_file_set_contents(junk, "no image", -1, NULL));
  study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(app_study_n_series(study), ==, 2); /* a slice, and a film by itself */
  info = app_study_series(study, 1);
  g_assert_cmpuint(info->n_images, ==, 3);
  g_assert_cmpstr(info->modality, ==, "CT");
  app_study_refused(study, &n_refused);
  g_assert_cmpuint(n_refused, <=, 1);

  for (guint i = 0; i < 4; i++) {
    g_autoptr(AppSlice) slice = app_study_slice(study, i > 0, i > 0 ? i - 1 : 0, NULL, &error);
    g_assert_no_error(error);
    const AppSliceFacts *facts = app_slice_facts(slice);

    g_assert_cmpuint(facts->width, ==, 30);
    g_assert_cmpuint(facts->height, ==, 20);
    g_assert_false(facts->is_colour);
    g_assert_cmpstr(facts->path, ==, i > 0 ? f->cine : f->ct);
    g_assert_cmpuint(facts->frame, ==, i > 0 ? i - 1 : 0);
  }
  app_study_free(study);
}

typedef struct {
  GMainLoop *loop;
  GAsyncResult *result;
} Waiting;

static void
on_done(GObject *source, GAsyncResult *result, gpointer user)
{
  Waiting *waiting = user;

  waiting->result = g_object_ref(result);
  g_main_loop_quit(waiting->loop);
}

static void
test_study_async(TinyPair *f, gconstpointer data)
{
  Waiting waiting = {g_main_loop_new(NULL, FALSE), NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(GCancellable) cancelled = g_cancellable_new();
  const AppDrawing drawing = {.series = 1, .index = 1, .placement = {.width = 60, .height = 60}};
  AppStudy *study;

  app_study_open_async(f->folder, NULL, on_done, &waiting);
  g_main_loop_run(waiting.loop);
  study = app_study_open_finish(waiting.result, &error);
  g_clear_object(&waiting.result);
  g_assert_no_error(error);

  app_study_draw_async(study, &drawing, NULL, on_done, &waiting);
  app_study_free(study); /* the drawing under way holds on to it */
  g_main_loop_run(waiting.loop);
  g_autoptr(AppDrawn) drawn = app_study_draw_finish(NULL, waiting.result, &error);
  g_clear_object(&waiting.result);
  g_assert_no_error(error);
  g_assert_cmpuint(drawn->canvas->width, ==, 60);

  g_cancellable_cancel(cancelled);
  app_study_open_async(f->folder, cancelled, on_done, &waiting);
  g_main_loop_run(waiting.loop);
  g_assert_null(app_study_open_finish(waiting.result, &error));
  g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_object(&waiting.result);
  g_main_loop_unref(waiting.loop);
}

static void
test_no_study(TinyPair *f, gconstpointer data)
{
  g_autofree char *empty = tiny_folder_new();
  g_autoptr(GError) error = NULL;

  g_assert_null(app_study_open(empty, &error));
  g_assert_nonnull(strstr(error->message, empty));
  g_clear_error(&error);
  g_rmdir(empty);
  g_assert_null(app_study_open(empty, &error));
  g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/image/window-parse", test_window_parse);
  g_test_add("/image/info", TinyPair, NULL, set_up, test_info, tear_down);
  g_test_add("/image/decode", TinyPair, NULL, set_up, test_decode, tear_down);
  g_test_add("/image/render-again", TinyPair, NULL, set_up, test_render_again, tear_down);
  g_test_add("/image/presentation", TinyPair, NULL, set_up, test_presentation, tear_down);
  g_test_add("/image/bad-output", TinyPair, NULL, set_up, test_bad_output, tear_down);
  g_test_add("/study/views", TinyPair, NULL, set_up, test_study, tear_down);
  g_test_add("/study/async", TinyPair, NULL, set_up, test_study_async, tear_down);
  g_test_add("/study/none", TinyPair, NULL, set_up, test_no_study, tear_down);
  return g_test_run();
}
