/* bench-slice.c - our share of a frame: from stored values to the bytes of a texture.
 *
 * Each case is first held against a plain twin (tests/app/slice-twin.h), then timed: one JSON
 * object a line, medians and the worst of twenty, in ms. "window": another window each time, which
 * is the 8-bit picture and the resampling; "pan": the picture is kept, and only resampled. One
 * thread.
 *
 *   bench-slice [ROUNDS]
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "app_slice.h"
#include "tests/app/slice-file.h"
#include "tests/app/slice-twin.h"

#define CANVAS_WIDTH 1000
#define CANVAS_HEIGHT 900

typedef struct {
  const char *name;
  guint width, height, channels;
  double scale; /* 0: fitted */
  guint turns;
  gboolean smooth;
  guint density; /* device pixels for a logical one; 0: one */
} Case;

static const Case cases[] = {
    {"512 fit", 512, 512, 1, 0, 0, TRUE},
    {"512 fit, nearest", 512, 512, 1, 0, 0, FALSE},
    {"512 fit, turned", 512, 512, 1, 0, 1, TRUE},
    {"512 at 1:1", 512, 512, 1, 1, 0, TRUE},
    {"512 times 4", 512, 512, 1, 4, 0, TRUE},
    {"512 fit, colour", 512, 512, 3, 0, 0, TRUE},
    {"512 fit, 200 %", 512, 512, 1, 0, 0, TRUE, 2},
    {"2048x2500 fit, 200 %", 2048, 2500, 1, 0, 0, TRUE, 2},
    {"2048x2500 fit", 2048, 2500, 1, 0, 0, TRUE},
    {"2048x2500 fit, turned", 2048, 2500, 1, 0, 1, TRUE},
    {"2048x2500 at 1:1", 2048, 2500, 1, 1, 0, TRUE},
    {"2048x2500 times 2", 2048, 2500, 1, 2, 0, TRUE},
};

static AppSlice *
make_slice(const char *folder, const Case *c)
{
  gsize n = (gsize)c->width * c->height * c->channels, n_bytes = c->channels == 1 ? 2 * n : n;
  g_autofree guint8 *pixels = g_malloc(n_bytes);
  g_autofree char *path = g_build_filename(folder, "bench.dcm", NULL);
  g_autofree char *rows = g_strdup_printf("%u", c->height);
  g_autofree char *columns = g_strdup_printf("%u", c->width);
  g_autoptr(GError) error = NULL;
  guint32 state = 1;

  for (gsize i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    guint value = (guint)(i % c->width) + (state >> 22); /* a ramp with noise, 12 bits */

    if (c->channels == 1) {
      pixels[2 * i] = (guint8)value;
      pixels[2 * i + 1] = (guint8)(value >> 8);
    } else {
      pixels[i] = (guint8)value;
    }
  }
  const FileElement grey[] = {{0x00280010, "US", rows},
                              {0x00280011, "US", columns},
                              {0x00280030, "DS", "0.2\\0.2"},
                              {0x00281050, "DS", "1500"},
                              {0x00281051, "DS", "3000"},
                              {0x7fe00010, "OW", NULL, NULL, pixels, (guint)n_bytes},
                              {0}};
  const FileElement colour[] = {{0x00280002, "US", "3"},
                                {0x00280004, "CS", "RGB"},
                                {0x00280006, "US", "0"},
                                {0x00280010, "US", rows},
                                {0x00280011, "US", columns},
                                {0x00280030, "DS", "0.2\\0.2"},
                                {0x00280100, "US", "8"},
                                {0x00280101, "US", "8"},
                                {0x00280102, "US", "7"},
                                {0x7fe00010, "OB", NULL, NULL, pixels, (guint)n_bytes},
                                {0}};
  file_write(path, c->channels == 1 ? grey : colour);
  AppStudy *study = app_study_open(path, &error);
  g_assert_no_error(error);
  AppSlice *slice = app_study_slice(study, 0, 0, NULL, &error);
  g_assert_no_error(error);
  app_study_free(study);
  g_remove(path);
  return slice;
}

static AppCanvas *
draw(AppSlice *slice, const AppWindow *window, const AppPlacement *placement)
{
  g_autoptr(GError) error = NULL;
  AppCanvas *canvas = app_slice_draw(slice, window, placement, &error);

  g_assert_no_error(error);
  return canvas;
}

/* The picture at 1:1 is what the twin resamples: that it is right is for tests/dicom. */
static guint8 *
whole_picture(AppSlice *slice, const Case *c)
{
  const AppPlacement plain = {c->width,        c->height, 1,     c->width / 2.0,
                              c->height / 2.0, 0,         FALSE, FALSE};
  g_autoptr(AppCanvas) canvas = draw(slice, NULL, &plain);
  const guint32 *words = g_bytes_get_data(canvas->pixels, NULL);
  gsize n = (gsize)c->width * c->height;
  guint8 *rgb = g_malloc(3 * n);

  for (gsize i = 0; i < n; i++) {
    rgb[3 * i] = (guint8)(words[i] >> 16);
    rgb[3 * i + 1] = (guint8)(words[i] >> 8);
    rgb[3 * i + 2] = (guint8)words[i];
  }
  return rgb;
}

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

static void
time_case(AppSlice *slice, const Case *c, AppPlacement placement, gboolean windowing, guint rounds)
{
  g_autofree double *ms = g_new(double, rounds);
  AppWindow window = {.set = TRUE, .center = 1500, .width = 3000};

  for (guint i = 0; i < rounds + 2; i++) {
    if (windowing) {
      window.width += 1;
    } else {
      placement.x += i % 2 ? 0.37 : -0.37;
    }
    gint64 start = g_get_monotonic_time();
    g_autoptr(AppCanvas) canvas = draw(slice, &window, &placement);
    app_canvas_pack(canvas);
    if (i >= 2) {
      ms[i - 2] = (double)(g_get_monotonic_time() - start) / 1000;
    }
  }
  qsort(ms, rounds, sizeof *ms, compare);
  printf("{\"bench\": \"slice\", \"case\": \"%s\", \"step\": \"%s\", \"canvas\": \"%ux%u\", "
         "\"ms_median\": %.3f, \"ms_worst\": %.3f, \"rounds\": %u}\n",
         c->name, windowing ? "window" : "pan", placement.width, placement.height, ms[rounds / 2],
         ms[rounds - 1], rounds);
  fflush(stdout);
}

int
main(int argc, char **argv)
{
  guint rounds = argc > 1 ? (guint)CLAMP(g_ascii_strtoull(argv[1], NULL, 10), 1, 10000) : 20;
  g_autofree char *folder = g_dir_make_tmp("hilum-bench-XXXXXX", NULL);

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Case *c = &cases[i];
    g_autoptr(AppSlice) slice = make_slice(folder, c);
    g_autofree guint8 *rgb = whole_picture(slice, c);
    AppPlacement placement = {.width = CANVAS_WIDTH * MAX(c->density, 1),
                              .height = CANVAS_HEIGHT * MAX(c->density, 1),
                              .scale = c->scale,
                              .x = c->width / 2.0,
                              .y = c->height / 2.0,
                              .turns = c->turns,
                              .smooth = c->smooth};

    if (!(placement.scale > 0)) {
      app_placement_fit(&placement, app_slice_facts(slice));
    }
    g_autoptr(AppCanvas) canvas = draw(slice, NULL, &placement);
    double worst = twin_difference(canvas, rgb, app_slice_facts(slice), &placement, 61);
    if (!(worst <= 0.6)) { /* as in test-slice.c */
      fprintf(stderr, "%s: %g greys beside the twin\n", c->name, worst);
      return 1;
    }
    if (c->channels == 1) {
      time_case(slice, c, placement, TRUE, rounds);
    }
    time_case(slice, c, placement, FALSE, rounds);
  }
  g_rmdir(folder);
  return 0;
}
