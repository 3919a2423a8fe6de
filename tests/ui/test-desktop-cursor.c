/* test-desktop-cursor.c - measuring by keyboard alone, with a real keyboard.
 *
 * A picture of 48 x 40 pixels fills a viewport of 480 x 400: each pixel is 10 x 10 on the screen,
 * and half a millimetre in the patient.
 */
#include <adwaita.h>
#include <math.h>
#include <string.h>

#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "settings/keys.h"
#include "viewer/viewport.h"

typedef struct {
  char *folder;
  DesktopSettings *settings;
  AppStudy *study;
  GtkWindow *window;
  DesktopViewport *viewport;
  DesktopAnnotations *all;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  f->folder = fixture_study_new(12);
  f->settings = desktop_settings_new(&error);
  g_assert_no_error(error);
  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  f->window = GTK_WINDOW(gtk_window_new());
  gtk_window_set_decorated(f->window, FALSE);
  gtk_window_set_default_size(f->window, 480, 400);
  f->viewport = g_object_new(DESKTOP_TYPE_VIEWPORT, NULL);
  f->all = desktop_annotations_new();
  desktop_viewport_set_annotations(f->viewport, f->all);
  desktop_keys_attach(f->settings, GTK_WIDGET(f->viewport), "view.");
  gtk_window_set_child(f->window, GTK_WIDGET(f->viewport));
  desktop_viewport_set_study(f->viewport, f->study);
  desktop_viewport_set_series(f->viewport, 0, 0);
  gtk_window_present(f->window);
  wait_until(desktop_viewport_get_slice(f->viewport));
  wait_until(gtk_widget_get_width(GTK_WIDGET(f->viewport)) == 480);
  hands_focus(GTK_WIDGET(f->viewport));
  gtk_widget_grab_focus(GTK_WIDGET(f->viewport));
  wait_until(gtk_window_is_active(f->window));
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
  g_object_unref(f->all);
  g_object_unref(f->settings);
  tiny_folder_free(f->folder);
}

static void
press(const char *name, guint times)
{
  g_autofree char *count = g_strdup_printf("%u", times);

  hands("key", "--delay", "1", "--repeat", count, "--repeat-delay", "1", name);
  hands_rest();
}

static gboolean
told(Fixture *f, const char *text)
{
  g_autofree char *description = desktop_viewport_description(f->viewport);

  return strstr(description, text) != NULL;
}

static void
check_told(Fixture *f, const char *text)
{
  g_autofree char *description = desktop_viewport_description(f->viewport);

  if (!strstr(description, text)) {
    g_error("expected “%s” in “%s”", text, description);
  }
}

static const DesktopAnnotation *
get(Fixture *f, guint i)
{
  return desktop_annotations_get(f->all, 0, 0, i);
}

/* Of a drawing with N points, from the cursor's own place on. */
static void
check_points(const DesktopAnnotation *a, const double points[][2], guint n)
{
  g_assert_nonnull(a);
  for (guint i = 0; i < n; i++) {
    g_assert_cmpfloat(fabs(a->points[i][0] - points[i][0]), <, 1e-6);
    g_assert_cmpfloat(fabs(a->points[i][1] - points[i][1]), <, 1e-6);
  }
}

static void
test_distance(Fixture *f, gconstpointer data)
{
  static const double whole[][2] = {{24.5, 20.5}, {34.5, 20.5}};
  static const double edited[][2] = {{24.5, 20.5}, {34.5, 25.5}};

  press("d", 1);
  g_assert_cmpstr(desktop_viewport_get_tool(f->viewport), ==, "distance");
  press("Return", 1); /* the cursor */
  g_assert_null(get(f, 0));
  press("Return", 1);
  check_told(f, "Distance, point 2 of 2");
  press("Right", 10);
  check_told(f, "Distance, point 2 of 2: 5.0 mm Pixel Spacing");
  g_assert_null(get(f, 0));
  press("Return", 1);
  check_points(get(f, 0), whole, 2);
  check_told(f, "Distance: 5.0 mm Pixel Spacing");
  g_assert_cmpuint(desktop_viewport_get_index(f->viewport), ==, 0);
  /* Taken up by its end, moved, and put down; then let go as it was. */
  press("Return", 1);
  press("Down", 5);
  press("Return", 1);
  check_points(get(f, 0), edited, 2);
  press("Return", 1);
  press("Left", 3);
  press("Escape", 1);
  check_points(get(f, 0), edited, 2);
  press("Delete", 1);
  g_assert_null(get(f, 0));
}

static void
test_angle(Fixture *f, gconstpointer data)
{
  press("a", 1);
  press("m", 1);
  press("Return", 1);
  press("Up", 8);
  press("Return", 1);
  check_told(f, "Angle, point 3 of 3");
  press("Right", 8);
  press("Return", 1);
  check_told(f, "Angle: 90.0°");
}

static void
test_boxes(Fixture *f, gconstpointer data)
{
  static const char *const keys[] = {"e", "t", "q"};
  AppRegion region;

  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    press(keys[i], 1);
    press("m", 1);
    press("Return", 1);
    press("Right", 6);
    press("Down", 4);
    press("Return", 1);
    g_assert_nonnull(get(f, i));
    if (i < 2) {
      check_told(f, i == 0 ? "Ellipse: mean " : "Rectangle: mean ");
    }
    /* Away from there, for the next begins in the middle again. */
    press("Escape", 2);
    desktop_viewport_set_placement(
        f->viewport, &(AppPlacement){.scale = 10 + i, .x = 12 + 8 * i, .y = 8 + 3 * i});
    hands_rest();
  }
  g_assert_true(desktop_viewport_get_region(f->viewport, &region));
  g_assert_cmpuint(region.width, >=, 6);
}

/* The value under the cursor, whatever the tool; arrows are images' again when it is gone. */
static void
test_probe(Fixture *f, gconstpointer data)
{
  g_autofree char *value = g_strdup_printf("%d", (int)tiny_value(26, 20, 0) - 100);

  press("m", 1);
  press("Right", 2);
  check_told(f, value);
  check_told(f, "x\u00a026\u00a0\u00a0y\u00a020");
  press("Escape", 1);
  g_assert_false(told(f, "x\u00a026"));
  press("Down", 1);
  g_assert_cmpuint(desktop_viewport_get_index(f->viewport), ==, 1);
  /* Nothing is drawn by Enter with a tool that draws nothing. */
  press("Return", 2);
  g_assert_null(desktop_annotations_get(f->all, 0, 1, 0));
}

/* At one to one an arrow is ten pixels, with Shift one; on a turned picture it goes where it
 * points. */
static void
test_steps(Fixture *f, gconstpointer data)
{
  press("asterisk", 1);
  press("m", 1);
  press("Right", 1);
  check_told(f, "x\u00a034\u00a0\u00a0y\u00a020");
  press("shift+Right", 3);
  check_told(f, "x\u00a037\u00a0\u00a0y\u00a020");
  press("shift+Up", 2);
  check_told(f, "x\u00a037\u00a0\u00a0y\u00a018");
  press("Left", 9); /* no farther than the first column */
  check_told(f, "x\u00a00" "\u00a0\u00a0y\u00a018");
  press("r", 1);
  press("shift+Right", 4); /* to the right is up, as it is stored */
  check_told(f, "x\u00a00" "\u00a0\u00a0y\u00a014");
  press("h", 1);
  press("shift+Right", 1);
  check_told(f, "x\u00a00" "\u00a0\u00a0y\u00a015");
  g_assert_cmpuint(desktop_viewport_get_index(f->viewport), ==, 0);
}

/* Enlarged, the picture follows. */
static void
test_sight(Fixture *f, gconstpointer data)
{
  AppPlacement placement;

  desktop_viewport_set_placement(f->viewport, &(AppPlacement){.scale = 60, .x = 24, .y = 20});
  hands_rest();
  press("m", 1);
  press("Right", 15);
  hands_rest();
  g_assert_true(desktop_viewport_get_placement(f->viewport, &placement));
  g_assert_cmpfloat(placement.x, >, 30);
  check_told(f, "x\u00a039\u00a0\u00a0y\u00a020");
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"distance", test_distance}, {"angle", test_angle}, {"boxes", test_boxes},
               {"probe", test_probe},       {"steps", test_steps}, {"sight", test_sight}};

  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/cursor/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
