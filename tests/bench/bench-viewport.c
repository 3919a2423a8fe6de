/* bench-viewport.c [SECONDS [SLICES]] - the real widgets on a display: frames a second while
 * windowing, zooming and scrolling, beside a bare widget that shows prepared textures; how long
 * a folder takes to its first picture; what a thousand slices weigh.
 *
 * Verifies first: what the viewport puts on the screen is, pixel for pixel, what app_slice_draw()
 * makes for its placement. Run by bench-viewport.sh, which brings a display. A part that is
 * measured and the bare widget take turns, and ratios are medians over the turns.
 */
#include <adwaita.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/tiny.h"
#include "app/wait.h"
#include "app_phantom.h"
#include "viewer/viewport.h"
#include "window/window-private.h"

#define WIDTH 1000
#define HEIGHT 900
#define TURNS 5

static double
seconds_now(void)
{
  return (double)g_get_monotonic_time() / G_USEC_PER_SEC;
}

/* Of processor time that this thread has had. */
static double
thread_seconds(void)
{
  struct rusage usage;

  getrusage(RUSAGE_THREAD, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

static double
median(double *values, guint n)
{
  qsort(values, n, sizeof *values, compare_doubles);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* ---- the bare widget ---------------------------------------------------------------------- */

#define BENCH_TYPE_BARE (bench_bare_get_type())
G_DECLARE_FINAL_TYPE(BenchBare, bench_bare, BENCH, BARE, GtkWidget)
struct _BenchBare {
  GtkWidget parent;
  GdkTexture *textures[2]; /* in turn: the same one twice is not drawn again */
  graphene_rect_t area;
  guint n;
};
G_DEFINE_FINAL_TYPE(BenchBare, bench_bare, GTK_TYPE_WIDGET)

static void
bench_bare_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  BenchBare *self = BENCH_BARE(widget);

  gtk_snapshot_append_color(snapshot, &(GdkRGBA){0, 0, 0, 1},
                            &GRAPHENE_RECT_INIT(0, 0, WIDTH, HEIGHT));
  gtk_snapshot_append_texture(snapshot, self->textures[self->n++ % 2], &self->area);
}

static void
bench_bare_dispose(GObject *object)
{
  g_clear_object(&BENCH_BARE(object)->textures[0]);
  g_clear_object(&BENCH_BARE(object)->textures[1]);
  G_OBJECT_CLASS(bench_bare_parent_class)->dispose(object);
}

static void
bench_bare_class_init(BenchBareClass *class)
{
  G_OBJECT_CLASS(class)->dispose = bench_bare_dispose;
  GTK_WIDGET_CLASS(class)->snapshot = bench_bare_snapshot;
}

static void
bench_bare_init(BenchBare *self)
{
}

/* ---- frames ------------------------------------------------------------------------------- */

typedef struct {
  GtkWindow *window;
  DesktopViewport *viewport;
  BenchBare *bare;
  GtkWidget *shown; /* one of the two */
  void (*step)(DesktopViewport *viewport, guint n);
  guint n_steps, n_frames;
  gboolean fresh; /* a drawing has arrived since the last frame */
} Bench;

static gboolean
on_tick(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  Bench *bench = data;

  if (bench->shown == GTK_WIDGET(bench->bare)) {
    gtk_widget_queue_draw(bench->shown);
  } else {
    bench->step(bench->viewport, bench->n_steps++);
  }
  return G_SOURCE_CONTINUE;
}

/* A frame counts when it shows something new. */
static void
on_painted(GdkFrameClock *clock, Bench *bench)
{
  if (bench->shown == GTK_WIDGET(bench->bare) || bench->fresh) {
    bench->n_frames++;
  }
  bench->fresh = FALSE;
}

static void
on_changed(DesktopViewport *viewport, Bench *bench)
{
  bench->fresh = TRUE;
}

typedef struct {
  double per_second, main_ms;
} Rate;

static Rate
run(Bench *bench, GtkWidget *widget, double seconds)
{
  guint tick;
  double start, processor;
  GdkFrameClock *clock;
  gulong painted, changed;
  Rate rate;

  gtk_window_set_child(bench->window, widget);
  bench->shown = widget;
  wait_until(gtk_widget_get_mapped(widget) && gtk_widget_get_width(widget) == WIDTH);
  wait_until(widget != GTK_WIDGET(bench->viewport) || desktop_viewport_get_slice(bench->viewport));
  clock = gtk_widget_get_frame_clock(widget);
  tick = gtk_widget_add_tick_callback(widget, on_tick, bench, NULL);
  painted = g_signal_connect(clock, "after-paint", G_CALLBACK(on_painted), bench);
  changed = g_signal_connect(bench->viewport, "changed", G_CALLBACK(on_changed), bench);
  start = seconds_now();
  processor = thread_seconds();
  bench->n_frames = 0;
  while (seconds_now() < start + seconds) {
    g_main_context_iteration(NULL, TRUE);
  }
  rate.per_second = bench->n_frames / (seconds_now() - start);
  rate.main_ms = 1000 * (thread_seconds() - processor) / MAX(bench->n_frames, 1);
  gtk_widget_remove_tick_callback(widget, tick);
  g_signal_handler_disconnect(clock, painted);
  g_signal_handler_disconnect(bench->viewport, changed);
  return rate;
}

static void
compare(Bench *bench, const char *what, void (*step)(DesktopViewport *, guint), double seconds)
{
  double ours[TURNS], bare[TURNS], ratio[TURNS], ours_ms[TURNS], bare_ms[TURNS];

  bench->step = step;
  for (guint i = 0; i < TURNS; i++) {
    Rate a = run(bench, GTK_WIDGET(bench->viewport), seconds);
    Rate b = run(bench, GTK_WIDGET(bench->bare), seconds);

    ours[i] = a.per_second;
    bare[i] = b.per_second;
    ratio[i] = a.per_second / b.per_second;
    ours_ms[i] = a.main_ms;
    bare_ms[i] = b.main_ms;
  }
  printf("{\"what\": \"%s\", \"width\": %d, \"height\": %d, \"scale\": %d, \"frames_s\": %.1f, "
         "\"bare_frames_s\": %.1f, \"ratio\": %.3f, \"main_ms\": %.2f, \"bare_main_ms\": %.2f}\n",
         what, WIDTH, HEIGHT, gtk_widget_get_scale_factor(GTK_WIDGET(bench->viewport)),
         median(ours, TURNS), median(bare, TURNS), median(ratio, TURNS), median(ours_ms, TURNS),
         median(bare_ms, TURNS));
  fflush(stdout);
}

static void
step_window(DesktopViewport *viewport, guint n)
{
  const AppWindow window = {.set = TRUE, .center = 40 + n % 200, .width = 300 + n % 150};

  desktop_viewport_set_window(viewport, &window);
}

static void
step_scroll(DesktopViewport *viewport, guint n)
{
  guint all = desktop_viewport_get_info(viewport)->n_images;

  desktop_viewport_go_to(viewport, n % all, 1);
}

static void
step_zoom(DesktopViewport *viewport, guint n)
{
  AppPlacement placement = {0};

  desktop_viewport_get_placement(viewport, &placement);
  placement.scale = 1 + (n % 100) / 50.0;
  desktop_viewport_set_placement(viewport, &placement);
}

/* ---- verified ----------------------------------------------------------------------------- */

/* The drawing of the widget beside app's own, away from the letters in the middle of the sides. */
static void
verify(DesktopViewport *viewport)
{
  AppSlice *slice = desktop_viewport_get_slice(viewport);
  AppPlacement placement;
  AppWindow window;
  g_autoptr(GError) error = NULL;
  g_autoptr(AppCanvas) canvas = NULL;
  cairo_surface_t *surface;
  cairo_t *cr;
  GtkSnapshot *snapshot;
  GskRenderNode *node;
  const guint32 *expected;
  guint64 n = 0;

  if (gtk_widget_get_scale_factor(GTK_WIDGET(viewport)) != 1) {
    return; /* the surface below has the scale of 1 */
  }
  surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
  cr = cairo_create(surface);
  snapshot = gtk_snapshot_new();
  g_object_set(viewport, "texts", FALSE, NULL);
  g_assert_true(desktop_viewport_get_placement(viewport, &placement));
  g_assert_true(desktop_viewport_get_window(viewport, &window));
  canvas = app_slice_draw(slice, &window, &placement, &error);
  g_assert_no_error(error);
  GTK_WIDGET_GET_CLASS(viewport)->snapshot(GTK_WIDGET(viewport), snapshot);
  node = gtk_snapshot_free_to_node(snapshot);
  gsk_render_node_draw(node, cr);
  gsk_render_node_unref(node);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
  expected = g_bytes_get_data(canvas->pixels, NULL);
  for (guint y = 50; y < canvas->height - 50; y++) {
    const guint32 *row =
        (const guint32 *)(gpointer)(cairo_image_surface_get_data(surface) +
                                    (gsize)(canvas->y + y) *
                                        (gsize)cairo_image_surface_get_stride(surface));
    for (guint x = 100; x < canvas->width - 100; x++) {
      g_assert_cmphex(row[canvas->x + x] & 0xffffff, ==,
                      expected[(gsize)y * canvas->width + x] & 0xffffff);
      n++;
    }
  }
  cairo_surface_destroy(surface);
  g_object_set(viewport, "texts", TRUE, NULL);
  printf("{\"what\": \"verified\", \"pixels\": %" G_GUINT64_FORMAT "}\n", n);
}

/* ---- data --------------------------------------------------------------------------------- */

static void
write_stack(const char *folder, guint n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;
  AppPhantomOptions options;

  app_phantom_options_init(&options);
  options.out = folder;
  options.format = APP_PHANTOM_DICOM;
  options.size = 512;
  options.stack = n;
  report = app_phantom_write(&options, NULL, NULL, &error);
  g_assert_no_error(error);
}

static void
write_large(const char *folder)
{
  g_autofree char *path = g_build_filename(folder, "large.dcm", NULL);
  const TinyDicom dicom = {.rows = 2500,
                           .columns = 2048,
                           .uid = "1.2.3.4",
                           .window = "200\\400",
                           .patient_name = "DOE^JANE",
                           .modality = "DX",
                           .series_description = "Large"};

  tiny_dicom_write(path, &dicom);
}

/* ---- the parts ---------------------------------------------------------------------------- */

static Bench
bench_new(const char *path, AppStudy **study)
{
  Bench bench = {0};
  g_autoptr(GError) error = NULL;

  *study = app_study_open(path, &error);
  g_assert_no_error(error);
  bench.window = GTK_WINDOW(gtk_window_new());
  gtk_window_set_decorated(bench.window, FALSE);
  gtk_window_set_default_size(bench.window, WIDTH, HEIGHT);
  bench.viewport = g_object_ref_sink(g_object_new(DESKTOP_TYPE_VIEWPORT, NULL));
  bench.bare = g_object_ref_sink(g_object_new(BENCH_TYPE_BARE, NULL));
  gtk_window_set_child(bench.window, GTK_WIDGET(bench.viewport));
  gtk_window_present(bench.window);
  desktop_viewport_set_study(bench.viewport, *study);
  desktop_viewport_set_series(bench.viewport, 0, 0);
  wait_until(desktop_viewport_get_slice(bench.viewport));
  return bench;
}

static void
bench_free(Bench *bench, AppStudy *study)
{
  desktop_viewport_set_study(bench->viewport, NULL);
  gtk_window_destroy(bench->window);
  g_object_unref(bench->viewport);
  g_object_unref(bench->bare);
  app_study_free(study);
}

/* What the bare widget shows: the very pixels of the viewport, in two windows. */
static void
prepare_bare(Bench *bench)
{
  AppSlice *slice = desktop_viewport_get_slice(bench->viewport);
  float scale = (float)gtk_widget_get_scale_factor(GTK_WIDGET(bench->viewport));
  AppPlacement placement;

  g_assert_true(desktop_viewport_get_placement(bench->viewport, &placement));
  for (guint i = 0; i < 2; i++) {
    const AppWindow window = {.set = TRUE, .center = 100 * i, .width = 400};
    g_autoptr(AppCanvas) canvas = app_slice_draw(slice, &window, &placement, NULL);

    g_assert_nonnull(canvas);
    app_canvas_pack(canvas);
    bench->bare->textures[i] =
        gdk_memory_texture_new((int)canvas->width, (int)canvas->height, GDK_MEMORY_R8G8B8,
                               canvas->pixels, (gsize)canvas->width * 3);
    bench->bare->area =
        GRAPHENE_RECT_INIT((float)canvas->x / scale, (float)canvas->y / scale,
                           (float)canvas->width / scale, (float)canvas->height / scale);
  }
}

static void
decode_all(DesktopViewport *viewport, AppStudy *study)
{
  guint n = desktop_viewport_get_info(viewport)->n_images;

  for (guint i = 0; i < n; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(AppSlice) slice = app_study_slice(study, 0, i, NULL, &error);
    g_assert_no_error(error);
  }
}

static void
bench_stack(const char *folder, double seconds)
{
  AppStudy *study;
  Bench bench = bench_new(folder, &study);

  verify(bench.viewport);
  decode_all(bench.viewport, study);
  prepare_bare(&bench);
  compare(&bench, "windowing 512 x 512", step_window, seconds);
  compare(&bench, "scrolling cached slices of 512 x 512", step_scroll, seconds);
  compare(&bench, "zooming 512 x 512", step_zoom, seconds);
  bench_free(&bench, study);
}

static void
bench_large(const char *folder, double seconds)
{
  AppStudy *study;
  Bench bench = bench_new(folder, &study);

  verify(bench.viewport);
  prepare_bare(&bench);
  compare(&bench, "windowing 2048 x 2500", step_window, seconds);
  bench_free(&bench, study);
}

static double
resident_mb(void)
{
  g_autofree char *text = NULL;
  unsigned long long pages = 0;

  g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
  g_assert_nonnull(strchr(text, ' '));
  pages = g_ascii_strtoull(strchr(text, ' '), NULL, 10);
  return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

/* A folder is chosen in the whole window: to the first picture on the screen, and, when all slices
 * were seen, what they weigh. */
static void
bench_open(const char *folder, guint n)
{
  const AppReviewOptions options = {.no_log = TRUE};
  DesktopWindow *window = desktop_window_new(NULL, &options);
  g_autoptr(GFile) file = g_file_new_for_path(folder);
  DesktopViewport *viewport = desktop_window_viewport(window);
  double times[3], start, empty;

  g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
  gtk_window_present(GTK_WINDOW(window));
  wait_until(gtk_widget_get_mapped(GTK_WIDGET(window)));
  empty = resident_mb();
  for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
    AppSlice *before = desktop_viewport_get_slice(viewport);

    start = seconds_now();
    desktop_window_open_files(window, (GFile *[]){file}, 1);
    wait_until(desktop_viewport_get_slice(viewport) != before &&
               desktop_viewport_get_slice(viewport));
    times[i] = seconds_now() - start;
  }
  printf("{\"what\": \"folder to first picture\", \"slices\": %u, \"first_ms\": %.0f, ", n,
         1000 * times[0]);
  printf("\"ms\": %.0f}\n", 1000 * median(times, G_N_ELEMENTS(times)));
  for (guint i = 0; i < n; i++) {
    desktop_viewport_go_to(viewport, i, 1);
    wait_until(desktop_viewport_get_slice(viewport) &&
               app_slice_facts(desktop_viewport_get_slice(viewport))->index == i);
  }
  printf("{\"what\": \"memory after all slices\", \"slices\": %u, \"mb\": %.0f, \"before_mb\": "
         "%.0f, \"cache_mb\": %s}\n",
         n, resident_mb(), empty, g_getenv("HILUM_CACHE_MB") ? g_getenv("HILUM_CACHE_MB") : "null");
  fflush(stdout);
  gtk_window_close(GTK_WINDOW(window));
  wait_until(!window);
}

int
main(int argc, char **argv)
{
  double seconds = argc > 1 ? g_ascii_strtod(argv[1], NULL) : 2;
  guint n = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 300;
  gboolean opens = argc > 3 && strcmp(argv[3], "open") == 0;
  char *stack = tiny_folder_new(), *large = tiny_folder_new();

  adw_init();
  write_stack(stack, MAX(n, 2));
  if (opens) {
    bench_open(stack, MAX(n, 2));
  } else {
    write_large(large);
    bench_stack(stack, seconds);
    bench_large(large, seconds);
  }
  tiny_folder_free(stack);
  tiny_folder_free(large);
  return 0;
}
