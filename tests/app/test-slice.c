/* test-slice.c - slices of a study: what is said of them, and how they are drawn. */
#include <string.h>

#include "decoder.h"
#include "slice.h"
#include "shared.h"
#include "slice-twin.h"
#include "tiny.h"
#include "wait.h"

typedef struct {
  char *folder;
  AppStudy *study;
} Fixture;

#define N 5

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  f->folder = tiny_folder_new();
  for (guint i = 0; i < N; i++) {
    g_autofree char *name = g_strdup_printf("slice-%02u.dcm", i);
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_autofree char *uid = g_strdup_printf("1.2.3.4.%u", i + 1);
    const TinyDicom dicom = {.rows = 40,
                             .columns = 48,
                             .uid = uid,
                             .instance = (int)i + 1,
                             /* One is missing between the third and the fourth. */
                             .z = i < 3 ? i : i + 1,
                             .window = "200\\400",
                             .patient_name = "Doe^Jane^^Dr.",
                             .study_description = "Chest",
                             .series_description = "Axial"};
    tiny_dicom_write(path, &dicom);
  }
  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_clear_pointer(&f->study, app_study_free);
  app_decoder_stop();
  wait_until(app_frame_cache_use().n_bytes == 0);
  tiny_folder_free(f->folder);
}

static AppSlice *
get_slice(Fixture *f, guint index)
{
  g_autoptr(GError) error = NULL;
  AppSlice *slice = app_study_slice(f->study, 0, index, NULL, &error);

  g_assert_no_error(error);
  return slice;
}

/* ---- getting ------------------------------------------------------------------------------ */

static void
test_peek(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) first = NULL, again = NULL;

  g_assert_null(app_study_peek_slice(f->study, 0, 2));
  first = get_slice(f, 2);
  again = app_study_peek_slice(f->study, 0, 2);
  g_assert_nonnull(again);
  g_assert_true(first->frame == again->frame);
  g_assert_null(app_study_peek_slice(f->study, 0, 3));
}

/* Of any number of pixels, also of what is no multiple of the four that are packed in a turn. */
static void
test_packed(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 1);

  for (guint width = 1; width < 10; width++) {
    AppPlacement placement = {.width = width, .height = 7, .scale = 1, .smooth = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(AppCanvas) canvas = app_slice_draw(slice, NULL, &placement, &error);
    g_autoptr(AppCanvas) packed = app_slice_draw(slice, NULL, &placement, NULL);
    const guint32 *words = g_bytes_get_data(canvas->pixels, NULL);
    const guint8 *bytes;

    g_assert_no_error(error);
    app_canvas_pack(packed);
    bytes = g_bytes_get_data(packed->pixels, NULL);
    g_assert_cmpuint(g_bytes_get_size(packed->pixels), ==, 3 * packed->width * packed->height);
    g_assert_cmpuint(packed->width * packed->height, >, 0);
    for (guint i = 0; i < canvas->width * canvas->height; i++) {
      g_assert_cmphex(words[i] & 0xffffff, ==,
                      (guint)bytes[3 * i] << 16 | (guint)bytes[3 * i + 1] << 8 | bytes[3 * i + 2]);
    }
  }
}

/* A slice goes on after its study. */
static void
test_outlives(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 1);
  AppPlacement placement = {.width = 40, .height = 40};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppCanvas) canvas = NULL;

  g_clear_pointer(&f->study, app_study_free);
  wait_until(app_frame_cache_use().n_bytes == 0);
  canvas = app_slice_draw(slice, NULL, &placement, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(canvas->width, ==, 40);
  g_assert_cmpstr(app_slice_facts(slice)->label, ==, "CT 2/5");
}

static void
test_no_slice(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(f->folder, "slice-03.dcm", NULL);

  g_assert_cmpint(g_remove(path), ==, 0);
  g_assert_null(app_study_slice(f->study, 0, 3, NULL, &error));
  g_assert_nonnull(strstr(error->message, "slice-03.dcm"));
  g_assert_null(app_study_peek_slice(f->study, 0, 3));
}

/* ---- facts -------------------------------------------------------------------------------- */

static void
test_facts(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 3);
  const AppSliceFacts *facts = app_slice_facts(slice);

  g_assert_cmpuint(facts->series, ==, 0);
  g_assert_cmpuint(facts->index, ==, 3);
  g_assert_true(g_str_has_suffix(facts->path, "slice-03.dcm"));
  g_assert_cmpuint(facts->frame, ==, 0);
  g_assert_cmpuint(facts->width, ==, 48);
  g_assert_cmpuint(facts->height, ==, 40);
  g_assert_cmpstr(facts->label, ==, "CT 4/5");
  g_assert_cmpstr(facts->modality, ==, "CT");
  g_assert_cmpstr(facts->unit, ==, "HU");
  g_assert_false(facts->is_colour);
  g_assert_cmpfloat(facts->low, ==, -100);
  g_assert_true(facts->window.set);
  g_assert_cmpfloat(facts->window.center, ==, 200);
  g_assert_cmpfloat(facts->window.width, ==, 400);
  g_assert_cmpfloat(facts->pixel_aspect, ==, 1);
  g_assert_cmpfloat(facts->mm_x, ==, 0.5);
  g_assert_cmpstr(facts->calibration, ==, "Pixel Spacing");
  g_assert_cmpstr(facts->letters.left, ==, "R");
  g_assert_cmpstr(facts->letters.top, ==, "A");
  g_assert_nonnull(facts->plane);
  g_assert_cmpfloat(facts->plane->origin[2], ==, 4);
  g_assert_cmpfloat(facts->plane->column[1], ==, 1);
  g_assert_null(facts->plane->frame_of_reference_uid);
  g_assert_cmpuint(facts->n_presets, ==, 1);
  g_assert_cmpstr(facts->presets[0].name, ==, "Window 1");
  g_assert_cmpstr(facts->patient_lines[0], ==, "Doe, Jane");
  g_assert_cmpstr(facts->patient_lines[1], ==, "ID-77");
  g_assert_cmpstr(facts->study_lines[0], ==, "Chest");
  g_assert_cmpstr(facts->image_lines[0], ==, "Axial");
  g_assert_cmpstr(facts->image_lines[1], ==, "CT 4/5");
  g_assert_cmpstr(facts->image_lines[2], ==, "H\u00a04.0\u00a0mm");
  g_assert_null(facts->image_lines[3]);
  g_assert_cmpstr(facts->notices[0], ==, "Slices missing before this one");
  g_assert_null(facts->notices[1]);
}

/* ---- placement ---------------------------------------------------------------------------- */

static void
test_placement(void)
{
  AppSliceFacts facts = {.width = 100, .height = 50, .pixel_aspect = 1};
  AppPlacement placement = {.width = 300, .height = 200};
  double x, y;

  app_placement_fit(&placement, &facts);
  g_assert_cmpfloat(placement.scale, ==, 3);
  app_placement_to_canvas(&placement, &facts, 0, 0, &x, &y);
  g_assert_cmpfloat(x, ==, 0);
  g_assert_cmpfloat(y, ==, 25);
  placement.turns = 1; /* the top left corner goes to the top right */
  app_placement_fit(&placement, &facts);
  g_assert_cmpfloat(placement.scale, ==, 2);
  app_placement_to_canvas(&placement, &facts, 0, 0, &x, &y);
  g_assert_cmpfloat(x, ==, 200);
  g_assert_cmpfloat(y, ==, 0);
  placement.flip = TRUE;
  app_placement_to_canvas(&placement, &facts, 0, 0, &x, &y);
  g_assert_cmpfloat(x, ==, 100);
  g_assert_cmpfloat(y, ==, 0);
  /* Pixels twice as high as wide. */
  facts.pixel_aspect = 2;
  placement = (AppPlacement){.width = 300, .height = 200};
  app_placement_fit(&placement, &facts);
  g_assert_cmpfloat(placement.scale, ==, 2);
  app_placement_to_canvas(&placement, &facts, 50, 50, &x, &y);
  g_assert_cmpfloat(x, ==, 150);
  g_assert_cmpfloat(y, ==, 200);
}

static void
test_there_and_back(void)
{
  const AppSliceFacts facts = {.width = 100, .height = 50, .pixel_aspect = 1.25};

  for (guint i = 0; i < 8; i++) {
    const AppPlacement placement = {.width = 301,
                                    .height = 200,
                                    .scale = 1.7,
                                    .x = 31,
                                    .y = 22,
                                    .turns = i % 4,
                                    .flip = i >= 4};
    double x, y, back_x, back_y;

    app_placement_to_picture(&placement, &facts, 12.25, 77, &x, &y);
    app_placement_to_canvas(&placement, &facts, x, y, &back_x, &back_y);
    g_assert_cmpfloat_with_epsilon(back_x, 12.25, 1e-9);
    g_assert_cmpfloat_with_epsilon(back_y, 77, 1e-9);
  }
}

static void
test_letters(void)
{
  const AppSliceFacts facts = {.letters = {"R", "L", "A", "P"}};
  static const char *const expected[8] = {"RLAP", "PARL", "LRPA", "APLR",
                                          "LRAP", "APRL", "RLPA", "PALR"};

  for (guint i = 0; i < 8; i++) {
    const AppPlacement placement = {.turns = i % 4, .flip = i >= 4};
    AppLetters l = app_placement_letters(&placement, &facts);
    g_autofree char *text = g_strconcat(l.left, l.right, l.top, l.bottom, NULL);

    g_assert_cmpstr(text, ==, expected[i]);
  }
}

/* ---- drawing ------------------------------------------------------------------------------ */

static guint8 *
plain_picture(AppSlice *slice)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomPicture) picture = dicom_frame_render(slice->frame, NULL, &error);

  g_assert_no_error(error);
  return g_steal_pointer(&picture->pixels);
}

static void
check_against_twin(AppSlice *slice, const guint8 *rgb, const AppPlacement *placement)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(AppCanvas) canvas = app_slice_draw(slice, NULL, placement, &error);

  g_assert_no_error(error);
  g_assert_cmpuint(g_bytes_get_size(canvas->pixels), ==, canvas->width * canvas->height * 4);
  /* Half a grey is rounding; the sums of 15 bits add two thousandths for each of the at most some
   * dozen weights. */
  g_assert_cmpfloat(twin_difference(canvas, rgb, app_slice_facts(slice), placement, 1), <=, 0.6);
}

static const double scales[] = {0.07, 0.3, 0.51, 0.999, 1, 1.6, 7.3};

/* At any scale and place, all eight ways round, square pixels and others. */
static void
check_all_ways(AppSlice *slice)
{
  g_autofree guint8 *rgb = plain_picture(slice);

  for (guint s = 0; s < G_N_ELEMENTS(scales); s++) {
    for (guint way = 0; way < 16; way++) {
      const AppPlacement placement = {.width = 61,
                                      .height = 47,
                                      .scale = scales[s],
                                      .x = 20.3,
                                      .y = 17.6,
                                      .turns = way % 4,
                                      .flip = way / 4 % 2,
                                      .smooth = way / 8};

      check_against_twin(slice, rgb, &placement);
    }
  }
}

static void
test_draw(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 2);

  check_all_ways(slice);
  slice->facts.pixel_aspect = 1.75; /* it is ours alone */
  check_all_ways(slice);
}

static void
test_draw_colour(void)
{
  g_autofree char *path = shared_path("corpus/dicom/colour");
  g_autoptr(GError) error = NULL;
  guint n_colour = 0;
  AppStudy *study;

  if (!path) {
    g_test_skip("no colour pictures");
    return;
  }
  study = app_study_open(path, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < app_study_n_series(study) && n_colour < 1; i++) {
    g_autoptr(AppSlice) slice = app_study_slice(study, i, 0, NULL, NULL);
    const AppWindow window = {.set = TRUE, .center = 3, .width = 5};

    if (slice && app_slice_facts(slice)->is_colour) {
      const AppPlacement placement = {.width = 50, .height = 40, .turns = 1, .smooth = TRUE};
      AppPlacement fitted = placement;
      g_autofree guint8 *rgb = plain_picture(slice);

      app_placement_fit(&fitted, app_slice_facts(slice));
      check_against_twin(slice, rgb, &fitted);
      g_autoptr(AppCanvas) canvas = app_slice_draw(slice, &window, &fitted, &error);
      g_assert_no_error(error); /* another image's window is none of a colour picture's */
      n_colour++;
    }
  }
  g_assert_cmpuint(n_colour, ==, 1);
  app_study_free(study);
}

/* Thin and tiny pictures, which are somewhere on the canvas at every scale. */
static void
test_thin(void)
{
  static const guint sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {2, 3}};
  char *folder = tiny_folder_new();
  g_autofree char *path = g_build_filename(folder, "thin.dcm", NULL);

  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    const TinyDicom dicom = {.rows = sizes[i][1], .columns = sizes[i][0], .uid = "1.2.3.4.5"};
    g_autoptr(GError) error = NULL;

    tiny_dicom_write(path, &dicom);
    AppStudy *study = app_study_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(AppSlice) slice = app_study_slice(study, 0, 0, NULL, &error);
    g_assert_no_error(error);
    g_autofree guint8 *rgb = plain_picture(slice);
    for (guint way = 0; way < 16; way++) {
      AppPlacement placement = {
          .width = 31, .height = 33, .turns = way % 4, .flip = way / 4 % 2, .smooth = way / 8};

      app_placement_fit(&placement, app_slice_facts(slice));
      check_against_twin(slice, rgb, &placement);
      placement.scale *= 0.01;
      check_against_twin(slice, rgb, &placement);
    }
    app_study_free(study);
  }
  tiny_folder_free(folder);
}

/* Whatever the corpus has that opens: said, drawn, probed and measured. */
static void
try_slice(AppSlice *slice)
{
  const AppSliceFacts *facts = app_slice_facts(slice);
  const double from[2] = {0, 0}, to[2] = {facts->width, facts->height};
  AppStatistics statistics;
  AppProbe probe;

  g_assert_nonnull(facts->calibration);
  g_assert_true(facts->pixel_aspect > 0);
  g_assert_true(app_slice_probe(slice, facts->width / 2.0, facts->height / 2.0, &probe));
  app_slice_statistics(slice, APP_SHAPE_ELLIPSE, from, to, &statistics);
  for (guint i = 0; i <= facts->n_presets; i++) {
    AppPlacement placement = {.width = 64, .height = 48, .turns = i % 4, .smooth = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(AppCanvas) canvas = app_slice_draw(
        slice, i < facts->n_presets ? &facts->presets[i].window : NULL, &placement, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(canvas->width, >, 0);
    g_assert_cmpuint(canvas->width, <=, 64);
    g_assert_cmpuint(canvas->height, <=, 48);
  }
}

static void
test_corpus(void)
{
  static const char *const folders[] = {"bits-luts", "colour", "enhanced-multiframe", "cr-dx-mg-xa",
                                        "mr-nm-pt"};
  guint n_slices = 0, n_planes = 0, n_covered = 0;

  for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_autofree char *name = g_strconcat("corpus/dicom/", folders[i], NULL);
    g_autofree char *folder = shared_path(name);
    g_autoptr(GError) error = NULL;

    if (!folder) {
      g_test_skip("no files from elsewhere");
      return;
    }
    AppStudy *study = app_study_open(folder, &error);
    g_assert_no_error(error);
    for (guint s = 0; s < app_study_n_series(study); s++) {
      guint last = app_study_series(study, s)->n_images - 1;
      g_autoptr(AppSlice) slice = app_study_slice(study, s, last, NULL, NULL);

      if (slice) {
        try_slice(slice);
        n_slices++;
        n_planes += app_slice_facts(slice)->plane != NULL;
        n_covered += app_slice_facts(slice)->has_covers;
      }
    }
    app_study_free(study);
  }
  g_test_message("%u slices, %u with a plane, %u with shutters or overlays", n_slices, n_planes,
                 n_covered);
  g_assert_cmpuint(n_slices, >, 40);
  g_assert_cmpuint(n_planes, >, 10);
  g_assert_cmpuint(n_covered, >, 0);
}

static void
test_nothing_to_see(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 0);
  const AppPlacement beside = {.width = 50, .height = 50, .scale = 1, .x = 1000, .y = 20};
  const AppPlacement none = {.width = 0, .height = 50};
  const AppPlacement *both[] = {&beside, &none};

  for (guint i = 0; i < 2; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(AppCanvas) canvas = app_slice_draw(slice, NULL, both[i], &error);

    g_assert_no_error(error);
    g_assert_cmpuint(canvas->width, ==, 0);
    g_assert_cmpuint(canvas->height, ==, 0);
    g_assert_cmpuint(g_bytes_get_size(canvas->pixels), ==, 0);
  }
}

static void
test_hostile_placement(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 0);
  static const double values[] = {NAN, INFINITY, -INFINITY, 0, -1, 1e300, 1e-300};
  AppPlacement huge = {.width = G_MAXUINT, .height = G_MAXUINT, .scale = 1};
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    for (guint k = 0; k < 3; k++) {
      AppPlacement placement = {.width = 30,
                                .height = 20,
                                .scale = k == 0 ? values[i] : 2,
                                .x = k == 1 ? values[i] : 3,
                                .y = k == 2 ? values[i] : 4,
                                .turns = 4000000003u,
                                .flip = 77};
      g_autoptr(AppCanvas) canvas = app_slice_draw(slice, NULL, &placement, &error);

      g_assert_no_error(error);
      g_assert_cmpuint(canvas->width, <=, 30);
    }
  }
  g_assert_null(app_slice_draw(slice, NULL, &huge, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
}

static guint
first_grey(AppSlice *slice, const AppWindow *window)
{
  const AppPlacement placement = {.width = 48, .height = 40, .scale = 1, .x = 24, .y = 20};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppCanvas) canvas = app_slice_draw(slice, window, &placement, &error);

  g_assert_no_error(error);
  return ((const guint32 *)g_bytes_get_data(canvas->pixels, NULL))[20] & 0xff;
}

/* Value 140 - 100: a window above it is black, and inverted it is white. */
static void
test_window(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 0);
  AppWindow window = {.set = TRUE, .center = 900, .width = 100};

  g_assert_cmpuint(first_grey(slice, &window), ==, 0);
  window.invert = TRUE;
  g_assert_cmpuint(first_grey(slice, &window), ==, 255);
  window = (AppWindow){.set = TRUE, .center = -900, .width = 100};
  g_assert_cmpuint(first_grey(slice, &window), ==, 255);
  window = (AppWindow){.invert = TRUE};
  g_assert_cmpuint(first_grey(slice, &window), ==, 255 - first_grey(slice, NULL));
}

static void
test_bad_window(Fixture *f, gconstpointer data)
{
  g_autoptr(AppSlice) slice = get_slice(f, 0);
  const AppWindow bad[] = {{.set = TRUE, .center = NAN, .width = 100},
                           {.set = TRUE, .center = 1, .width = 0},
                           {.set = TRUE, .center = 1, .width = INFINITY},
                           {.set = TRUE, .lut = 1},
                           {.set = TRUE, .lut = G_MAXUINT}};
  const AppPlacement placement = {.width = 48, .height = 40};

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;

    g_assert_null(app_slice_draw(slice, &bad[i], &placement, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  }
}

/* ---- on a thread -------------------------------------------------------------------------- */

typedef struct {
  gboolean done;
  AppDrawn *drawn;
  AppCanvas *thumbnail;
  GError *error;
} Answer;

static void
on_drawn(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->drawn = app_study_draw_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static void
on_thumbnail(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->thumbnail = app_study_thumbnail_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static void
test_async(Fixture *f, gconstpointer data)
{
  AppDrawing drawing = {.index = 4, .placement = {.width = 96, .height = 120}};
  Answer answer = {0};

  app_study_draw_async(f->study, &drawing, NULL, on_drawn, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  g_assert_cmpuint(app_slice_facts(answer.drawn->slice)->index, ==, 4);
  g_assert_cmpfloat(answer.drawn->placement.scale, ==, 2);
  g_assert_cmpfloat(answer.drawn->placement.x, ==, 24);
  g_assert_true(answer.drawn->window.set);
  g_assert_cmpfloat(answer.drawn->window.center, ==, 200);
  g_assert_cmpuint(answer.drawn->canvas->y, ==, 20);
  g_assert_cmpuint(answer.drawn->canvas->height, ==, 80);
  app_drawn_free(answer.drawn);
}

static void
test_async_cancelled(Fixture *f, gconstpointer data)
{
  AppDrawing drawing = {.index = 4, .placement = {.width = 96, .height = 120}};
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  Answer answer = {0};

  g_cancellable_cancel(cancellable);
  app_study_draw_async(f->study, &drawing, cancellable, on_drawn, &answer);
  wait_until(answer.done);
  g_assert_error(answer.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null(answer.drawn);
  g_clear_error(&answer.error);
  g_assert_null(app_study_peek_slice(f->study, 0, 4));
}

static void
test_thumbnail(Fixture *f, gconstpointer data)
{
  Answer answer = {0};

  app_study_thumbnail_async(f->study, 0, 24, NULL, on_thumbnail, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  g_assert_cmpuint(answer.thumbnail->width, ==, 24);
  g_assert_cmpuint(answer.thumbnail->height, ==, 20);
  app_canvas_free(answer.thumbnail);
  g_autoptr(AppSlice) middle = app_study_peek_slice(f->study, 0, 2);
  g_assert_nonnull(middle);
}

typedef struct {
  gboolean done;
  GPtrArray *tags;
  GError *error;
} Tags;

static void
on_tags(GObject *source, GAsyncResult *result, gpointer data)
{
  Tags *answer = data;

  answer->tags = app_study_tags_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static void
test_tags(Fixture *f, gconstpointer data)
{
  Tags answer = {0};
  gboolean found = FALSE;

  app_study_tags_async(f->study, 0, 3, NULL, on_tags, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  for (guint i = 0; i < answer.tags->len; i++) {
    const AppTag *tag = answer.tags->pdata[i];

    g_assert_cmpstr(tag->tag, !=, "(7FE0,0010)");
    if (strcmp(tag->tag, "(0010,0010)") == 0) {
      g_assert_cmpstr(tag->vr, ==, "PN");
      g_assert_cmpstr(tag->keyword, ==, "PatientName");
      g_assert_cmpstr(tag->value, ==, "Doe^Jane^^Dr.");
      g_assert_cmpuint(tag->depth, ==, 0);
      found = TRUE;
    }
  }
  g_assert_true(found);
  g_ptr_array_unref(answer.tags);
}

static void
test_no_tags(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "slice-03.dcm", NULL);
  Tags answer = {0};

  g_assert_cmpint(g_remove(path), ==, 0);
  app_study_tags_async(f->study, 0, 3, NULL, on_tags, &answer);
  wait_until(answer.done);
  g_assert_null(answer.tags);
  g_assert_nonnull(strstr(answer.error->message, "slice-03.dcm"));
  g_assert_null(strstr(answer.error->message, "Jane"));
  g_clear_error(&answer.error);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define add(name, test) g_test_add("/slice/" name, Fixture, NULL, set_up, test, tear_down)
  add("peek", test_peek);
  add("packed", test_packed);
  add("outlives", test_outlives);
  add("no-slice", test_no_slice);
  add("facts", test_facts);
  g_test_add_func("/slice/placement", test_placement);
  g_test_add_func("/slice/there-and-back", test_there_and_back);
  g_test_add_func("/slice/letters", test_letters);
  add("draw", test_draw);
  g_test_add_func("/slice/draw-colour", test_draw_colour);
  g_test_add_func("/slice/thin", test_thin);
  g_test_add_func("/slice/corpus", test_corpus);
  add("nothing-to-see", test_nothing_to_see);
  add("hostile-placement", test_hostile_placement);
  add("window", test_window);
  add("bad-window", test_bad_window);
  add("async", test_async);
  add("async-cancelled", test_async_cancelled);
  add("thumbnail", test_thumbnail);
  add("tags", test_tags);
  add("no-tags", test_no_tags);
#undef add
  return g_test_run();
}
