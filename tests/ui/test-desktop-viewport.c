/* test-desktop-viewport.c - one pane of pictures, with a real mouse and a real keyboard.
 *
 * A picture of 48 x 40 pixels fills a viewport of 480 x 400: each pixel is 10 x 10 on the screen,
 * and half a millimetre in the patient. xdotool is the hands.
 */
#include <adwaita.h>
#include <math.h>
#include <string.h>

#include "desktop-fixture.h"
#include "settings/keys.h"
#include "viewer/viewport.h"

#define N_SLICES 10
#define WIDTH 480
#define HEIGHT 400

typedef struct {
  char *folder;
  DesktopSettings *settings;
  AppStudy *study;
  GtkWindow *window;
  DesktopViewport *viewport;
} Fixture;

static const char *
label(Fixture *f)
{
  AppSlice *slice = desktop_viewport_get_slice(f->viewport);

  return slice ? app_slice_facts(slice)->label : "";
}

static void
setup(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  f->folder = fixture_study_new(N_SLICES);
  f->settings = desktop_settings_new(&error);
  g_assert_no_error(error);
  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  f->window = GTK_WINDOW(gtk_window_new());
  gtk_window_set_decorated(f->window, FALSE);
  gtk_window_set_default_size(f->window, WIDTH, HEIGHT);
  f->viewport = g_object_new(DESKTOP_TYPE_VIEWPORT, NULL);
  desktop_keys_attach(f->settings, GTK_WIDGET(f->viewport), "view.");
  gtk_window_set_child(f->window, GTK_WIDGET(f->viewport));
  desktop_viewport_set_study(f->viewport, f->study);
  desktop_viewport_set_series(f->viewport, 0, 0);
  gtk_window_present(f->window);
  wait_until(g_str_equal(label(f), "CT 1/10"));
  g_assert_cmpint(gtk_widget_get_width(GTK_WIDGET(f->viewport)), ==, WIDTH);
  g_assert_cmpint(gtk_widget_get_height(GTK_WIDGET(f->viewport)), ==, HEIGHT);
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gpointer viewport = f->viewport;

  desktop_viewport_set_study(f->viewport, NULL);
  app_study_free(f->study);
  g_object_add_weak_pointer(viewport, &viewport);
  gtk_window_destroy(f->window);
  wait_until(!viewport);
  g_object_unref(f->settings);
  tiny_folder_free(f->folder);
}

/* ---- hands -------------------------------------------------------------------------------- */

static void
on_done(GObject *process, GAsyncResult *result, gpointer done)
{
  g_assert_true(g_subprocess_wait_check_finish(G_SUBPROCESS(process), result, NULL));
  *(gboolean *)done = TRUE;
}

/* COMMANDS of xdotool, with a space between. What they did may be still on its way. */
static void
hands(const char *commands)
{
  g_autofree char *line = g_strconcat("xdotool ", commands, NULL);
  g_auto(GStrv) words = g_strsplit(line, " ", -1);
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocess) process =
      g_subprocess_newv((const char *const *)words, G_SUBPROCESS_FLAGS_NONE, &error);
  gboolean done = FALSE;

  g_assert_no_error(error);
  g_subprocess_wait_check_async(process, NULL, on_done, &done);
  wait_until(done);
}

/* From one point to another, with some in between and some rest at the end. */
static void
drag(int button, int x0, int y0, int x1, int y1)
{
  g_autofree char *commands = g_strdup_printf(
      "mousemove %d %d sleep 0.05 mousedown %d mousemove %d %d sleep 0.05 mousemove %d %d sleep "
      "0.1 mouseup %d sleep 0.05",
      x0, y0, button, (x0 + x1) / 2, (y0 + y1) / 2, x1, y1, button);

  hands(commands);
}

static void
key(Fixture *f, const char *name)
{
  g_autofree char *commands = g_strdup_printf("key %s", name);

  gtk_widget_grab_focus(GTK_WIDGET(f->viewport));
  wait_until(gtk_window_is_active(f->window));
  hands(commands);
}

/* No window manager gives the keyboard to who is clicked. */
static void
take_keyboard(Fixture *f)
{
  g_autofree char *title = g_strdup_printf("viewport-%p", (gpointer)f);
  g_autofree char *commands = g_strdup_printf("search --sync --name %s windowfocus --sync", title);

  gtk_window_set_title(f->window, title);
  hands(commands);
  wait_until(gtk_window_is_active(f->window));
}

/* ---- what is shown ------------------------------------------------------------------------ */

static AppWindow
grey(Fixture *f)
{
  AppWindow window = {0};

  g_assert_true(desktop_viewport_get_window(f->viewport, &window));
  return window;
}

static AppPlacement
lie(Fixture *f)
{
  AppPlacement placement = {0};

  g_assert_true(desktop_viewport_get_placement(f->viewport, &placement));
  return placement;
}

/* The point of the stored picture at X, Y of the viewport. */
static void
picture_at(Fixture *f, double x, double y, double point[2])
{
  AppPlacement placement = lie(f);

  app_placement_to_picture(&placement, app_slice_facts(desktop_viewport_get_slice(f->viewport)), x,
                           y, &point[0], &point[1]);
}

static char *
letters(Fixture *f)
{
  AppPlacement placement = lie(f);
  AppLetters all =
      app_placement_letters(&placement, app_slice_facts(desktop_viewport_get_slice(f->viewport)));

  return g_strconcat(all.left, all.right, all.top, all.bottom, NULL);
}

static gboolean
has_letters(Fixture *f, const char *expected)
{
  g_autofree char *shown = letters(f);

  return g_str_equal(shown, expected);
}

static guint32
pixel(cairo_surface_t *surface, int x, int y)
{
  const unsigned char *row =
      cairo_image_surface_get_data(surface) + y * cairo_image_surface_get_stride(surface);
  guint32 value;

  memcpy(&value, row + 4 * x, 4);
  return value & 0xffffffu;
}

/* What the viewport draws, on a background that is not its own. */
static cairo_surface_t *
draw(Fixture *f)
{
  cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
  cairo_t *cr = cairo_create(surface);
  GtkSnapshot *snapshot = gtk_snapshot_new();
  GskRenderNode *node;

  GTK_WIDGET_GET_CLASS(f->viewport)->snapshot(GTK_WIDGET(f->viewport), snapshot);
  node = gtk_snapshot_free_to_node(snapshot);
  cairo_set_source_rgb(cr, 1, 0, 0);
  cairo_paint(cr);
  gsk_render_node_draw(node, cr);
  gsk_render_node_unref(node);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
  return surface;
}

/* ---- picture ------------------------------------------------------------------------------ */

/* Each pixel as THE picture has it: value through the window of 200/400 by PS3.3 C.11.2.1.2. */
static void
test_picture(Fixture *f, gconstpointer data)
{
  cairo_surface_t *surface;

  desktop_viewport_set_smooth(f->viewport, FALSE);
  g_object_set(f->viewport, "texts", FALSE, NULL);
  wait_until(!lie(f).smooth);
  surface = draw(f);
  for (guint y = 2; y < 40; y += 3) {
    for (guint x = 7; x < 48; x += 5) {
      double value = tiny_value(x, y, 0) - 100.0;
      double level = ((value - (200 - 0.5)) / (400 - 1) + 0.5) * 255;
      guint32 expected = (guint32)(CLAMP(level, 0, 255) + 0.5) * 0x010101u;

      if (x < 22 || x > 26) { /* letters stand in the middle */
        g_assert_cmphex(pixel(surface, (int)(10 * x + 1), (int)(10 * y + 8)), ==, expected);
        g_assert_cmphex(pixel(surface, (int)(10 * x + 8), (int)(10 * y + 1)), ==, expected);
      }
    }
  }
  cairo_surface_destroy(surface);
  /* Nothing is shown: black, and no word of what was. */
  desktop_viewport_set_study(f->viewport, NULL);
  surface = draw(f);
  g_assert_cmphex(pixel(surface, 8, 8), ==, 0);
  g_assert_cmphex(pixel(surface, 240, 200), ==, 0);
  cairo_surface_destroy(surface);
}

/* Text is read on white as on black: white strokes with black beside them. */
static void
test_legible(Fixture *f, gconstpointer data)
{
  const AppWindow white = {.set = TRUE, .center = -5000, .width = 1};
  cairo_surface_t *surface;
  guint n_black = 0;

  desktop_viewport_set_window(f->viewport, &white);
  wait_until(grey(f).center == -5000);
  surface = draw(f);
  g_assert_cmphex(pixel(surface, 240, 150), ==, 0xffffff);
  for (int y = HEIGHT - 40; y < HEIGHT; y++) {
    for (int x = 0; x < 120; x++) {
      n_black += (pixel(surface, x, y) & 0xff) < 80;
    }
  }
  g_assert_cmpuint(n_black, >, 200);
  cairo_surface_destroy(surface);
}

/* ---- scrolling ---------------------------------------------------------------------------- */

typedef struct {
  guint index;
  int direction, series;
} Heard;

static void
on_moved(DesktopViewport *viewport, guint index, int direction, Heard *heard)
{
  heard->index = index;
  heard->direction = direction;
}

static void
on_series(DesktopViewport *viewport, int steps, Heard *heard)
{
  heard->series += steps;
}

static void
test_scroll(Fixture *f, gconstpointer data)
{
  Heard heard = {0};

  take_keyboard(f);
  g_signal_connect(f->viewport, "moved", G_CALLBACK(on_moved), &heard);
  g_signal_connect(f->viewport, "series-step", G_CALLBACK(on_series), &heard);
  hands("mousemove 200 200 click 5 click 5");
  wait_until(g_str_equal(label(f), "CT 3/10"));
  g_assert_cmpint(heard.direction, ==, 1);
  hands("click 4");
  wait_until(g_str_equal(label(f), "CT 2/10"));
  g_assert_cmpint(heard.direction, ==, -1);
  key(f, "Down");
  wait_until(g_str_equal(label(f), "CT 3/10"));
  key(f, "Up");
  wait_until(g_str_equal(label(f), "CT 2/10"));
  key(f, "End");
  wait_until(g_str_equal(label(f), "CT 10/10"));
  g_assert_cmpint(heard.direction, ==, 0);
  key(f, "Home");
  wait_until(g_str_equal(label(f), "CT 1/10"));
  key(f, "Next");
  wait_until(heard.series == 1);
  key(f, "Prior");
  wait_until(heard.series == 0);
  /* Who only follows does not lead others. */
  heard.index = 99;
  desktop_viewport_follow(f->viewport, 7);
  wait_until(g_str_equal(label(f), "CT 8/10"));
  g_assert_cmpuint(heard.index, ==, 99);
  key(f, "s");
  wait_until(g_str_equal(desktop_viewport_get_tool(f->viewport), "scroll"));
  drag(1, 200, 300, 200, 100); /* ten images for the height of 400 */
  wait_until(g_str_equal(label(f), "CT 3/10"));
}

/* ---- grey scale --------------------------------------------------------------------------- */

static void
test_window(Fixture *f, gconstpointer data)
{
  const AppSliceFacts *facts = app_slice_facts(desktop_viewport_get_slice(f->viewport));
  double range = facts->high - facts->low, step = range / 1000; /* the facts go with the slice */

  take_keyboard(f);
  g_assert_cmpfloat(grey(f).center, ==, 200);
  drag(1, 100, 100, 200, 150);
  wait_until(grey(f).width == round(400 + 100 * step));
  g_assert_cmpfloat(grey(f).center, ==, round(200 + 50 * step));
  key(f, "BackSpace");
  wait_until(grey(f).width == 400 && grey(f).center == 200);
  /* Fine and coarse. A trembling hand means nothing. */
  hands("keydown Shift_L");
  drag(1, 100, 100, 200, 100);
  hands("keyup Shift_L");
  wait_until(grey(f).width == round(400 + 20 * step));
  g_assert_cmpfloat(grey(f).center, ==, 200);
  hands("mousemove 300 300 click --repeat 2 --delay 20 1");
  wait_until(grey(f).width == 400);
  hands("keydown Control_L");
  drag(1, 100, 100, 200, 100);
  hands("keyup Control_L");
  wait_until(grey(f).width == round(400 + 500 * step));
  key(f, "BackSpace");
  wait_until(grey(f).width == 400);
  drag(1, 100, 100, 102, 101);
  key(f, "0");
  wait_until(grey(f).width == round(range));
  key(f, "i");
  wait_until(grey(f).invert);
  key(f, "1"); /* the file's own; what is inverted stays so */
  wait_until(grey(f).width == 400 && grey(f).invert);
  key(f, "i");
  wait_until(!grey(f).invert);
  key(f, "ctrl+Right");
  wait_until(grey(f).width > 400);
}

static void
test_presets(Fixture *f, gconstpointer data)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(f->settings);
  g_autofree char *own = desktop_viewport_preset_name(f->viewport, 1), *lung = NULL;
  g_autofree char *none = desktop_viewport_preset_name(f->viewport, 2);

  g_assert_nonnull(own);
  g_assert_null(none);
  desktop_viewport_set_presets(f->viewport, presets);
  lung = desktop_viewport_preset_name(f->viewport, 2);
  g_assert_cmpstr(lung, ==, "Lung (1500/\u2212600)");
  take_keyboard(f);
  key(f, "2");
  wait_until(grey(f).width == 1500 && grey(f).center == -600);
}

/* ---- zoom, pan, turns --------------------------------------------------------------------- */

static void
check_point(const double a[2], const double b[2])
{
  /* Of a picture's pixel; a scale is a ratio of doubles, and nothing else is rounded. */
  g_assert_cmpfloat_with_epsilon(a[0], b[0], 1e-6);
  g_assert_cmpfloat_with_epsilon(a[1], b[1], 1e-6);
}

static void
test_zoom(Fixture *f, gconstpointer data)
{
  double before[2], after[2];

  take_keyboard(f);
  picture_at(f, 130, 310, before);
  hands("mousemove 130 310 sleep 0.1 keydown Control_L click 4 click 4 click 4 keyup Control_L");
  wait_until(fabs(lie(f).scale - 10 * pow(1.15, 3)) < 1e-9);
  picture_at(f, 130, 310, after);
  check_point(before, after);
  /* Right drag: about where it began. */
  picture_at(f, 300, 120, before);
  drag(3, 300, 120, 300, 60);
  wait_until(fabs(lie(f).scale - 10 * pow(1.15, 3) * exp(60 / 150.0)) < 1e-9);
  picture_at(f, 300, 120, after);
  check_point(before, after);
  /* Middle drag: the picture goes with the hand. */
  picture_at(f, 200, 200, before);
  drag(2, 200, 200, 250, 170);
  picture_at(f, 250, 170, after);
  wait_until((picture_at(f, 250, 170, after), fabs(after[0] - before[0]) < 1e-6));
  check_point(before, after);
  key(f, "equal");
  wait_until(lie(f).scale == 10);
  key(f, "asterisk");
  wait_until(lie(f).scale == 1);
  key(f, "plus");
  wait_until(fabs(lie(f).scale - 2.5) < 1e-9 || lie(f).scale > 1);
  key(f, "BackSpace");
  wait_until(lie(f).scale == 10);
  /* A zoomed picture stays zoomed through the stack, and turned it turns about its middle. */
  picture_at(f, 130, 310, before);
  hands("mousemove 130 310 sleep 0.1 keydown Control_L click 4 keyup Control_L");
  wait_until(lie(f).scale > 11);
  key(f, "Down");
  wait_until(g_str_equal(label(f), "CT 2/10"));
  g_assert_cmpfloat_with_epsilon(lie(f).scale, 11.5, 1e-9);
  picture_at(f, 240, 200, before);
  key(f, "r");
  wait_until(lie(f).turns == 1);
  picture_at(f, 240, 200, after);
  check_point(before, after);
}

static void
test_turns(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *key, *letters;
    guint turns;
    gboolean flip;
  } steps[] = {{"r", "PARL", 1, FALSE}, {"r", "LRPA", 2, FALSE}, {"l", "PARL", 1, FALSE},
               {"h", "APRL", 1, TRUE},  {"r", "LRAP", 0, TRUE},  {"l", "APRL", 1, TRUE},
               {"v", "APLR", 3, FALSE}, {"h", "PALR", 3, TRUE},  {"BackSpace", "RLAP", 0, FALSE}};

  take_keyboard(f);
  g_assert_true(has_letters(f, "RLAP"));
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    AppImageChoice choice;

    key(f, steps[i].key);
    wait_until(has_letters(f, steps[i].letters));
    g_assert_true(desktop_viewport_get_choice(f->viewport, &choice));
    g_assert_cmpuint(choice.turns, ==, steps[i].turns);
    g_assert_cmpint(choice.flip, ==, steps[i].flip);
  }
}

/* ---- annotations -------------------------------------------------------------------------- */

static DesktopAnnotations *
annotate(Fixture *f)
{
  DesktopAnnotations *annotations = desktop_annotations_new();

  desktop_viewport_set_annotations(f->viewport, annotations);
  g_object_unref(annotations); /* the viewport keeps them */
  return annotations;
}

static const char *
text_of(Fixture *f, DesktopAnnotations *all, guint i)
{
  const DesktopAnnotation *a =
      desktop_annotations_get(all, 0, desktop_viewport_get_index(f->viewport), i);

  return a ? desktop_annotations_text(all, a->id, desktop_viewport_get_slice(f->viewport)) : "";
}

static gboolean
says(Fixture *f, DesktopAnnotations *all, guint i, const char *expected)
{
  return g_str_has_prefix(text_of(f, all, i), expected);
}

/* A tenth of a pixel to a step of the mouse, half a millimetre to a pixel. */
static void
test_distance(Fixture *f, gconstpointer data)
{
  DesktopAnnotations *all = annotate(f);

  take_keyboard(f);
  key(f, "d");
  wait_until(g_str_equal(desktop_viewport_get_tool(f->viewport), "distance"));
  drag(1, 100, 100, 400, 100);
  wait_until(says(f, all, 0, "15.0 mm\n"));
  g_assert_cmpstr(strchr(text_of(f, all, 0), '\n') + 1, ==, "Pixel Spacing");
  /* The same with a click at either end. */
  hands("mousemove 50 300 sleep 0.05 click 1 mousemove 200 250 sleep 0.05 mousemove 50 380 sleep "
        "0.05 click 1");
  wait_until(says(f, all, 1, "4.0 mm\n"));
  /* A handle is moved, whatever the tool: 3-4-5. */
  key(f, "w");
  drag(1, 50, 380, 110, 380);
  wait_until(says(f, all, 1, "5.0 mm\n"));
  g_assert_cmpfloat(grey(f).width, ==, 400);
  /* The whole of it by its line; Escape lets go, Delete removes what is selected. */
  drag(1, 250, 100, 270, 150);
  wait_until(desktop_annotations_get(all, 0, 0, 0)->points[0][0] == 12);
  g_assert_cmpfloat(desktop_annotations_get(all, 0, 0, 0)->points[1][1], ==, 15);
  g_assert_true(says(f, all, 0, "15.0 mm\n"));
  key(f, "Escape");
  key(f, "Delete");
  g_assert_nonnull(desktop_annotations_get(all, 0, 0, 1));
  hands("mousemove 80 340 sleep 0.05 click 1");
  key(f, "Delete");
  wait_until(!desktop_annotations_get(all, 0, 0, 1));
  g_assert_true(says(f, all, 0, "15.0 mm\n"));
}

static void
test_cancel(Fixture *f, gconstpointer data)
{
  DesktopAnnotations *all = annotate(f);

  take_keyboard(f);
  key(f, "d");
  hands("mousemove 100 100 sleep 0.05 mousedown 1 mousemove 300 300 sleep 0.1 key Escape sleep "
        "0.05 mousemove 310 310 mouseup 1 sleep 0.05");
  g_assert_null(desktop_annotations_get(all, 0, 0, 0));
  drag(1, 100, 100, 400, 100);
  wait_until(says(f, all, 0, "15.0 mm\n"));
  hands("mousemove 400 100 sleep 0.05 mousedown 1 mousemove 300 300 sleep 0.1");
  wait_until(!says(f, all, 0, "15.0 mm\n"));
  hands("key Escape sleep 0.05 mousemove 310 310 mouseup 1 sleep 0.05");
  wait_until(says(f, all, 0, "15.0 mm\n"));
  /* A click alone measures nothing: a second click at the same place. */
  hands("mousemove 200 300 sleep 0.05 click 1 sleep 0.5 click 1");
  g_assert_null(desktop_annotations_get(all, 0, 0, 1));
}

static void
test_angle(Fixture *f, gconstpointer data)
{
  DesktopAnnotations *all = annotate(f);

  take_keyboard(f);
  key(f, "a");
  drag(1, 300, 100, 100, 100);
  hands("mousemove 150 200 sleep 0.05 mousemove 250 250 sleep 0.05 click 1");
  wait_until(says(f, all, 0, "45.0°"));
}

static void
test_statistics(Fixture *f, gconstpointer data)
{
  DesktopAnnotations *all = annotate(f);
  g_autofree char *expected = NULL;
  double sum = 0, low = INFINITY, high = -INFINITY;

  take_keyboard(f);
  key(f, "t");
  drag(1, 102, 103, 202, 183); /* pixels whose centre is inside: 10 to 19, 10 to 17 */
  for (guint y = 10; y < 18; y++) {
    for (guint x = 10; x < 20; x++) {
      double value = tiny_value(x, y, 0) - 100.0;
      sum += value;
      low = MIN(low, value);
      high = MAX(high, value);
    }
  }
  expected = g_strdup_printf("mean %.1f", sum / 80);
  wait_until(says(f, all, 0, expected));
  /* 10 by 8 pixels of half a millimetre. */
  g_assert_nonnull(strstr(text_of(f, all, 0), "\n20.0 mm²"));
  g_free(expected);
  expected = g_strdup_printf("\nmin %.0f  max %.0f\n", low, high);
  g_assert_nonnull(strstr(text_of(f, all, 0), expected));
  key(f, "e");
  drag(1, 300, 200, 400, 300);
  wait_until(desktop_annotations_get(all, 0, 0, 1));
  g_assert_nonnull(strstr(text_of(f, all, 1), "\n19.6 mm²")); /* pi * 2.5 * 2.5 */
}

/* What is drawn on an image stays there: not on its neighbour, and there again on the way back. */
static void
test_survive(Fixture *f, gconstpointer data)
{
  DesktopAnnotations *all = annotate(f);
  cairo_surface_t *with, *without, *again;

  take_keyboard(f);
  g_object_set(f->viewport, "texts", FALSE, NULL);
  key(f, "d");
  drag(1, 100, 105, 400, 105);
  wait_until(says(f, all, 0, "15.0 mm\n"));
  key(f, "Escape");
  with = draw(f);
  /* Yellow, where all else is grey. */
  g_assert_cmphex(pixel(with, 150, 105) >> 16, >, 0x40 + (pixel(with, 150, 105) & 0xff));
  desktop_viewport_step(f->viewport, 1);
  wait_until(g_str_equal(label(f), "CT 2/10"));
  without = draw(f);
  g_assert_cmphex(pixel(without, 150, 105) >> 16, ==, pixel(without, 150, 105) & 0xff);
  desktop_viewport_step(f->viewport, -1);
  wait_until(g_str_equal(label(f), "CT 1/10"));
  again = draw(f);
  g_assert_cmphex(pixel(again, 150, 105), ==, pixel(with, 150, 105));
  cairo_surface_destroy(with);
  cairo_surface_destroy(without);
  cairo_surface_destroy(again);
}

static void
count(gpointer viewport, guint *n)
{
  (*n)++;
}

static void
test_region(Fixture *f, gconstpointer data)
{
  AppImageChoice choice;
  AppRegion region;
  guint n = 0;

  take_keyboard(f);
  g_assert_true(desktop_viewport_get_choice(f->viewport, &choice));
  g_assert_true(g_str_has_suffix(choice.path, "slice-00.dcm"));
  g_assert_false(choice.window.set); /* the file's own */
  g_assert_cmpuint(choice.region.width, ==, 0);
  key(f, "q");
  g_signal_connect(f->viewport, "changed", G_CALLBACK(count), &n);
  drag(1, 105, 98, 198, 301); /* pixels that it touches */
  wait_until(desktop_viewport_get_region(f->viewport, &region));
  g_assert_cmpuint(region.x, ==, 10);
  g_assert_cmpuint(region.y, ==, 9);
  g_assert_cmpuint(region.width, ==, 10);
  g_assert_cmpuint(region.height, ==, 22);
  g_assert_cmpuint(n, >, 0);
  /* An image has one; another image has none. In a turned picture it is where it was drawn. */
  drag(1, 300, 100, 350, 150);
  wait_until(desktop_viewport_get_region(f->viewport, &region) && region.x == 30);
  desktop_viewport_step(f->viewport, 1);
  wait_until(g_str_equal(label(f), "CT 2/10"));
  g_assert_false(desktop_viewport_get_region(f->viewport, &region));
  g_assert_cmpuint(region.width, ==, 0);
  key(f, "h");
  wait_until(lie(f).flip);
  drag(1, 10, 10, 60, 60);
  wait_until(desktop_viewport_get_region(f->viewport, &region));
  g_assert_cmpuint(region.x, ==, 42);
  g_assert_true(desktop_viewport_get_choice(f->viewport, &choice));
  g_assert_cmpuint(choice.region.x, ==, 42);
  g_assert_cmpuint(choice.region.width, ==, 5);
  g_assert_true(choice.flip);
}

/* ---- words -------------------------------------------------------------------------------- */

static void
check_description(Fixture *f, const char *expected)
{
  g_autofree char *text = desktop_viewport_description(f->viewport);

  g_assert_cmpstr(text, ==, expected);
}

static void
test_description(Fixture *f, gconstpointer data)
{
  const AppWindow window = {.set = TRUE, .center = -600, .width = 1500, .invert = TRUE};

  gtk_test_accessible_assert_role(f->viewport, GTK_ACCESSIBLE_ROLE_IMG);
  check_description(f, "CT slice 1 of 10, window 400/200, 48 by 40 pixels, left edge R, right edge "
                       "L, top edge A, bottom edge P");
  desktop_viewport_set_window(f->viewport, &window);
  desktop_viewport_step(f->viewport, 3);
  wait_until(g_str_equal(label(f), "CT 4/10"));
  check_description(f, "CT slice 4 of 10, window 1500/\u2212600, inverted, 48 by 40 pixels, left "
                       "edge R, right edge L, top edge A, bottom edge P");
  /* It is told once hands rest. */
  for (;;) {
    g_autofree char *told = gtk_test_accessible_check_property(
        GTK_ACCESSIBLE(f->viewport), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
        "CT slice 4 of 10, window 1500/\u2212600, inverted, 48 by 40 pixels, left edge R, right "
        "edge L, top edge A, bottom edge P");
    if (!told) {
      break;
    }
    g_main_context_iteration(NULL, TRUE);
  }
  desktop_viewport_set_study(f->viewport, NULL);
  check_description(f, "No image is shown");
}

/* ---- geometry alone ----------------------------------------------------------------------- */

static void
test_geometry(void)
{
  DesktopAnnotation box = {.kind = DESKTOP_ANNOTATION_RECTANGLE, .points = {{10, 20}, {30, 50}}};
  DesktopAnnotation line = {.kind = DESKTOP_ANNOTATION_DISTANCE, .points = {{0, 0}, {10, 0}}};
  double h[DESKTOP_ANNOTATION_HANDLES][2];
  AppRegion region;

  g_assert_cmpuint(desktop_annotation_handles(&box, h), ==, 4);
  g_assert_cmpint(desktop_annotation_grip(box.kind, h, 31, 19, 3), ==, 1);
  g_assert_cmpint(desktop_annotation_grip(box.kind, h, 9, 51, 3), ==, 3);
  g_assert_cmpint(desktop_annotation_grip(box.kind, h, 20, 48, 3), ==, DESKTOP_GRIP_BODY);
  g_assert_cmpint(desktop_annotation_grip(box.kind, h, 20, 35, 3), ==, DESKTOP_GRIP_NONE);
  g_assert_cmpint(desktop_annotation_grip(DESKTOP_ANNOTATION_ELLIPSE, h, 20, 21, 3), ==,
                  DESKTOP_GRIP_BODY);
  g_assert_cmpint(desktop_annotation_grip(DESKTOP_ANNOTATION_ELLIPSE, h, 20, 35, 3), ==,
                  DESKTOP_GRIP_NONE);
  /* The corner across stays. */
  desktop_annotation_move_handle(&box, 1, 40, 10);
  g_assert_cmpfloat(box.points[0][0], ==, 10);
  g_assert_cmpfloat(box.points[0][1], ==, 10);
  g_assert_cmpfloat(box.points[1][0], ==, 40);
  g_assert_cmpfloat(box.points[1][1], ==, 50);
  desktop_annotation_move(&box, -15, 60);
  desktop_annotation_keep_inside(&box, 100, 100);
  g_assert_cmpfloat(box.points[0][0], ==, 0);
  g_assert_cmpfloat(box.points[1][0], ==, 30);
  g_assert_cmpfloat(box.points[1][1], ==, 100);
  g_assert_cmpfloat(box.points[0][1], ==, 60);
  g_assert_true(desktop_annotation_region(&box, 20, 80, &region));
  g_assert_cmpuint(region.width, ==, 20);
  g_assert_cmpuint(region.height, ==, 20);
  g_assert_false(desktop_annotation_region(&box, 20, 60, &region));
  g_assert_cmpuint(desktop_annotation_handles(&line, h), ==, 2);
  g_assert_cmpint(desktop_annotation_grip(line.kind, h, 5, 2, 3), ==, DESKTOP_GRIP_BODY);
  g_assert_cmpint(desktop_annotation_grip(line.kind, h, 12, 0, 3), ==, 1);
  g_assert_cmpint(desktop_annotation_grip(line.kind, h, 15, 0, 3), ==, DESKTOP_GRIP_NONE);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {
      {"picture", test_picture}, {"legible", test_legible},        {"scroll", test_scroll},
      {"window", test_window},   {"presets", test_presets},        {"zoom", test_zoom},
      {"turns", test_turns},     {"distance", test_distance},      {"cancel", test_cancel},
      {"angle", test_angle},     {"statistics", test_statistics},  {"survive", test_survive},
      {"region", test_region},   {"description", test_description}};

  /* So that accessible properties can be read without a bus. */
  g_setenv("GTK_A11Y", "test", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  g_test_add_func("/desktop/viewport/geometry", test_geometry);
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/viewport/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
