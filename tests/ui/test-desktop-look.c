/* test-desktop-look.c - how an image looks by what files say of it: its own VOI LUT, and
 * presentation states, on the screen.
 *
 * An image of 8 x 4 pixels, 100 * row + column, in a viewport of 480 x 240: cells of 60 x 60.
 */
#include <adwaita.h>
#include <math.h>

#include "app_presentation.h"
#include "app/slice-file.h"
#include "desktop-fixture.h"
#include "viewer/viewport.h"
#include "window/window-private.h"

#define WIDTH 480
#define HEIGHT 240
#define GSPS "1.2.840.10008.5.1.4.1.1.11.1"
#define IMAGE "1.2.3.4.5"

typedef struct {
  char *folder;
  AppStudy *study;
  GtkWindow *window;
  DesktopViewport *viewport;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
}

static void
show(Fixture *f)
{
  g_autoptr(GError) error = NULL;

  f->study = app_study_open(f->folder, &error);
  g_assert_no_error(error);
  f->window = GTK_WINDOW(gtk_window_new());
  gtk_window_set_decorated(f->window, FALSE);
  gtk_window_set_default_size(f->window, WIDTH, HEIGHT);
  f->viewport = g_object_new(DESKTOP_TYPE_VIEWPORT, "texts", FALSE, "smooth", FALSE, NULL);
  gtk_window_set_child(f->window, GTK_WIDGET(f->viewport));
  desktop_viewport_set_study(f->viewport, f->study);
  desktop_viewport_set_series(f->viewport, 0, 0);
  gtk_window_present(f->window);
  wait_until(desktop_viewport_get_slice(f->viewport));
  wait_until(gtk_widget_get_width(GTK_WIDGET(f->viewport)) == WIDTH);
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gpointer viewport = f->viewport;

  if (viewport) {
    desktop_viewport_set_study(f->viewport, NULL);
    g_object_add_weak_pointer(viewport, &viewport);
    gtk_window_destroy(f->window);
    wait_until(!viewport);
  }
  g_clear_pointer(&f->study, app_study_free);
  tiny_folder_free(f->folder);
}

static void
write_file(Fixture *f, const char *name, const FileElement *changes)
{
  g_autofree char *path = g_build_filename(f->folder, name, NULL);

  file_write(path, changes);
}

static const AppSliceFacts *
facts(Fixture *f)
{
  return app_slice_facts(desktop_viewport_get_slice(f->viewport));
}

static AppPlacement
lie(Fixture *f)
{
  AppPlacement placement = {0};

  g_assert_true(desktop_viewport_get_placement(f->viewport, &placement));
  return placement;
}

/* The grey at X, Y of the stored picture, as it is on the screen. */
static guint
grey(Fixture *f, double x, double y)
{
  AppPlacement placement = lie(f);
  cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
  cairo_t *cr = cairo_create(surface);
  GtkSnapshot *snapshot = gtk_snapshot_new();
  GskRenderNode *node;
  double left, top;
  guint value;

  GTK_WIDGET_GET_CLASS(f->viewport)->snapshot(GTK_WIDGET(f->viewport), snapshot);
  node = gtk_snapshot_free_to_node(snapshot);
  gsk_render_node_draw(node, cr);
  gsk_render_node_unref(node);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
  app_placement_to_canvas(&placement, facts(f), x, y, &left, &top);
  value = cairo_image_surface_get_data(
      surface)[(int)top * cairo_image_surface_get_stride(surface) + 4 * (int)left];
  cairo_surface_destroy(surface);
  return value;
}

/* Beside the letters and the scale bar. */
static guint
grey_of(Fixture *f, guint column, guint row)
{
  return grey(f, column + 0.3, row + 0.3);
}

static guint
by_window(double value, double center, double width)
{
  double level = ((value - (center - 0.5)) / (width - 1) + 0.5) * 255;

  return (guint)(CLAMP(level, 0, 255) + 0.5);
}

/* ---- the file's own table ----------------------------------------------------------------- */

#define LUT_N 308

static guint
table(guint value)
{
  return value * 37 % 251;
}

static void
test_voi_lut(Fixture *f, gconstpointer data)
{
  guint16 entries[LUT_N];
  g_autofree char *text = NULL, *name = NULL;
  AppWindow window;

  for (guint i = 0; i < LUT_N; i++) {
    entries[i] = (guint16)table(i);
  }
  const FileElement lut[] = {{0x00283002, "US", "308\\0\\8"},
                             {0x00283003, "LO", "Steps"},
                             {0x00283006, "OW", NULL, NULL, entries, sizeof entries},
                             {0}};
  const FileElement changes[] = {{0x00280030, "DS", NULL}, {0x00283010, "SQ", NULL, lut}, {0}};
  write_file(f, "image.dcm", changes);
  show(f);
  for (guint i = 0; i < 32; i++) {
    g_assert_cmpuint(grey_of(f, i % 8, i / 8), ==, table(100 * (i / 8) + i % 8));
  }
  text = desktop_viewport_window_text(f->viewport);
  name = desktop_viewport_preset_name(f->viewport, 1);
  g_assert_cmpstr(text, ==, "Steps");
  g_assert_cmpstr(name, ==, "Steps");
  /* A window in its place, upside down, and back to the table. */
  window = (AppWindow){.set = TRUE, .center = 150, .width = 300, .invert = TRUE};
  desktop_viewport_set_window(f->viewport, &window);
  wait_until(grey_of(f, 3, 2) == 255 - by_window(203, 150, 300));
  gtk_widget_activate_action(GTK_WIDGET(f->viewport), "view.preset", "i", 1);
  wait_until(grey_of(f, 3, 2) == 255 - table(203));
  gtk_widget_activate_action(GTK_WIDGET(f->viewport), "view.invert", NULL);
  wait_until(grey_of(f, 3, 2) == table(203));
  g_assert_true(desktop_viewport_get_window(f->viewport, &window));
  g_assert_cmpuint(window.lut, ==, 1);
}

/* ---- presentation states ------------------------------------------------------------------ */

static const FileElement image[] = {{0x00280030, "DS", NULL}, {0}};

/* About IMAGE, or UID; of one window, and MORE (without sequences of references). */
static void
write_state(Fixture *f, const char *name, const char *uid, const FileElement *more)
{
  const FileElement reference[] = {
      {0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2"}, {0x00081155, "UI", uid}, {0}};
  const FileElement series[] = {
      {0x00081140, "SQ", NULL, reference}, {0x0020000e, "UI", "1.2.3.4"}, {0}};
  const FileElement window[] = {{0x00281050, "DS", "150"}, {0x00281051, "DS", "200"}, {0}};
  const FileElement base[] = {
      {0x00080016, "UI", GSPS},       {0x00080018, "UI", name},
      {0x00080060, "CS", "PR"},       {0x00081115, "SQ", NULL, series},
      {0x0020000e, "UI", "1.2.3.99"}, {0x00200032, "DS", NULL},
      {0x00200037, "DS", NULL},       {0x00200052, "UI", NULL},
      {0x00280002, "US", NULL},       {0x00280004, "CS", NULL},
      {0x00280010, "US", NULL},       {0x00280011, "US", NULL},
      {0x00280030, "DS", NULL},       {0x00280100, "US", NULL},
      {0x00280101, "US", NULL},       {0x00280102, "US", NULL},
      {0x00280103, "US", NULL},       {0x00283110, "SQ", NULL, window},
      {0x00700080, "CS", "LABEL"},    {0x00700081, "LO", "Middle"},
      {0x00700082, "DA", "20250301"}, {0x00700084, "PN", "Doe^Jane"},
      {0x7fe00010, "OW", NULL},
  };
  g_autoptr(GArray) elements = g_array_new(TRUE, TRUE, sizeof(FileElement));
  g_autofree char *file = g_strconcat(name, ".dcm", NULL);

  g_array_append_vals(elements, base, G_N_ELEMENTS(base));
  for (; more && more->tag; more++) {
    g_array_append_vals(elements, more, 1);
  }
  write_file(f, file, (const FileElement *)(gpointer)elements->data);
}

static gboolean
has_notice(Fixture *f, const char *text)
{
  return g_strv_contains((const char *const *)facts(f)->notices, text);
}

static const float anchor[] = {2, 1};
static const FileElement words[] = {{0x00700004, "CS", "PIXEL"},
                                    {0x00700006, "ST", "Here"},
                                    {0x00700014, "FL", NULL, NULL, anchor, sizeof anchor},
                                    {0x00700015, "CS", "Y"},
                                    {0}};
static const FileElement annotation[] = {{0x00700008, "SQ", NULL, words}, {0}};
static const FileElement turned[] = {{0x00181600, "CS", "RECTANGULAR"},
                                     {0x00181602, "IS", "1"},
                                     {0x00181604, "IS", "7"},
                                     {0x00181606, "IS", "1"},
                                     {0x00181608, "IS", "4"},
                                     {0x00181622, "US", "16448"},
                                     {0x00700001, "SQ", NULL, annotation},
                                     {0x00700041, "CS", "Y"},
                                     {0x00700042, "US", "90"},
                                     {0}};

/* Chosen, the image lies and looks as the state says; without it, as before. */
static void
test_state(Fixture *f, gconstpointer data)
{
  g_autofree char *name = NULL, *said = NULL;
  AppImageChoice choice = {0};
  AppProbe probe;
  AppWindow window;

  write_file(f, "image.dcm", image);
  write_state(f, "1.2.3.91", IMAGE, turned);
  write_state(f, "1.2.3.92", "1.2.3.4.6", NULL);
  show(f);
  g_assert_cmpuint(app_study_n_presentations(f->study), ==, 2);
  guint n = app_study_presentation_refers(f->study, 0, 0, 0) ? 1 : 2;
  name = desktop_viewport_presentation_name(f->viewport, n);
  g_assert_true(g_str_has_prefix(name, "As saved by Doe, Jane · Middle · "));
  g_assert_null(desktop_viewport_presentation_name(f->viewport, 3 - n));

  desktop_viewport_next_presentation(f->viewport);
  wait_until(facts(f)->presentation == n);
  g_assert_cmpuint(lie(f).turns, ==, 1);
  g_assert_true(lie(f).flip);
  g_assert_true(has_notice(f, "Presentation state: Middle"));
  for (guint i = 0; i < 32; i++) {
    guint column = i % 8, row = i / 8;

    /* The text is seen at its point, and its black edge beside it. */
    if (!(column >= 2 && row >= 1 && row <= 2)) {
      g_assert_cmpuint(grey_of(f, column, row), ==,
                       column == 7 ? 64 : by_window(100.0 * row + column, 150, 200));
    }
  }
  g_assert_cmpuint(facts(f)->n_texts, ==, 1);
  g_assert_cmpstr(facts(f)->texts[0].text, ==, "Here");
  /* What is measured and asked about is the image. */
  g_assert_true(app_slice_probe(desktop_viewport_get_slice(f->viewport), 7.5, 3.5, &probe));
  g_assert_cmpfloat(probe.value, ==, 307);
  g_assert_true(desktop_viewport_get_choice(f->viewport, &choice));
  g_assert_true(choice.window.set);
  g_assert_cmpfloat(choice.window.center, ==, 150);
  g_assert_cmpfloat(choice.window.width, ==, 200);
  g_assert_cmpuint(choice.turns, ==, 1);
  said = desktop_viewport_description(f->viewport);
  g_assert_nonnull(strstr(said, "Presentation state: Middle"));
  /* What it draws can be hidden. */
  g_object_set(f->viewport, "covers", FALSE, NULL);
  wait_until(lie(f).bare);
  g_assert_cmpuint(grey_of(f, 7, 3), ==, by_window(307, 150, 200));
  g_assert_cmpuint(grey_of(f, 2, 1), ==, by_window(102, 150, 200));
  g_object_set(f->viewport, "covers", TRUE, NULL);
  /* Hands go on from there, and resetting goes back there. */
  gtk_widget_activate_action(GTK_WIDGET(f->viewport), "view.rotate", "i", 1);
  wait_until(lie(f).turns == 0);
  window = (AppWindow){.set = TRUE, .center = 50, .width = 60};
  desktop_viewport_set_window(f->viewport, &window);
  wait_until(desktop_viewport_get_window(f->viewport, &window) && window.center == 50);
  gtk_widget_activate_action(GTK_WIDGET(f->viewport), "view.reset", NULL);
  wait_until(lie(f).turns == 1 && desktop_viewport_get_window(f->viewport, &window) &&
             window.center == 150);
  /* After the last of them comes none. */
  gtk_widget_activate_action(GTK_WIDGET(f->viewport), "view.next-presentation", NULL);
  wait_until(facts(f)->presentation == 0);
  g_assert_cmpuint(lie(f).turns, ==, 0);
  g_assert_cmpuint(grey_of(f, 7, 0), ==, by_window(7, 154, 308));
}

/* The part that it wants to be seen fills the viewport. */
static void
test_area(Fixture *f, gconstpointer data)
{
  static const FileElement area[] = {
      {0x00700052, "SL", "3\\2"}, {0x00700053, "SL", "6\\3"}, {0x00700100, "CS", "TRUE SIZE"}, {0}};
  static const FileElement more[] = {{0x0070005a, "SQ", NULL, area}, {0}};

  write_file(f, "image.dcm", image);
  write_state(f, "1.2.3.91", IMAGE, more);
  show(f);
  desktop_viewport_set_presentation(f->viewport, 1);
  wait_until(facts(f)->presentation == 1);
  g_assert_cmpfloat(lie(f).scale, ==, 120);
  g_assert_cmpfloat(lie(f).x, ==, 4);
  g_assert_cmpfloat(lie(f).y, ==, 2);
  g_assert_true(has_notice(f, "Not shown of it: true size"));
}

/* Greys that no window makes of the image itself: questions have its own, and it is said. */
static void
test_other_values(Fixture *f, gconstpointer data)
{
  static const FileElement more[] = {
      {0x00281052, "DS", "10"}, {0x00281053, "DS", "2"}, {0x00281054, "LO", "US"}, {0}};
  g_autofree char *asked = NULL;
  AppImageChoice choice = {0};
  AppProbe probe;

  write_file(f, "image.dcm", image);
  write_state(f, "1.2.3.91", IMAGE, more);
  show(f);
  desktop_viewport_set_presentation(f->viewport, 1);
  wait_until(facts(f)->presentation == 1);
  g_assert_cmpuint(grey_of(f, 1, 0), ==, by_window(2 * 1 + 10, 150, 200));
  g_assert_true(app_slice_probe(desktop_viewport_get_slice(f->viewport), 1.5, 0.5, &probe));
  g_assert_cmpfloat(probe.value, ==, 1);
  g_assert_true(has_notice(f, "Questions are about the image without it"));
  g_assert_true(desktop_viewport_get_choice(f->viewport, &choice));
  g_assert_false(choice.window.set);
  asked = desktop_viewport_asked_window_text(f->viewport);
  g_assert_cmpstr(asked, ==, "the image's own window");
}

/* What cannot be applied leaves the image as it is, and says so. */
static void
test_refused(Fixture *f, gconstpointer data)
{
  static const FileElement mask[] = {{0x00286101, "CS", "AVG_SUB"}, {0}};
  static const FileElement more[] = {{0x00286100, "SQ", NULL, mask}, {0}};
  g_autofree char *said = NULL;

  write_file(f, "image.dcm", image);
  write_state(f, "1.2.3.91", IMAGE, more);
  show(f);
  desktop_viewport_set_presentation(f->viewport, 1);
  do {
    g_main_context_iteration(NULL, TRUE);
    g_free(said);
    said = desktop_viewport_description(f->viewport);
  } while (!strstr(said, "Presentation state not applied: MaskSubtractionSequence"));
  g_assert_null(strstr(said, f->folder));
  g_assert_cmpuint(facts(f)->presentation, ==, 0);
  g_assert_cmpuint(grey_of(f, 7, 0), ==, by_window(7, 154, 308));
}

/* ---- chosen from the menu ----------------------------------------------------------------- */

/* The target of the item that begins with PREFIX, or NULL. */
static GVariant *
find_target(DesktopWindow *window, const char *prefix)
{
  g_autoptr(GMenuModel) menu = desktop_window_presets_menu(window);

  for (int i = 0; i < g_menu_model_get_n_items(menu); i++) {
    g_autoptr(GMenuModel) section = g_menu_model_get_item_link(menu, i, G_MENU_LINK_SECTION);

    for (int k = 0; section && k < g_menu_model_get_n_items(section); k++) {
      g_autofree char *label = NULL;

      g_menu_model_get_item_attribute(section, k, "label", "s", &label);
      if (label && g_str_has_prefix(label, prefix)) {
        return g_menu_model_get_item_attribute_value(section, k, "target", NULL);
      }
    }
  }
  return NULL;
}

static guint
chosen(DesktopWindow *window)
{
  guint presentation;

  g_object_get(window, "presentation", &presentation, NULL);
  return presentation;
}

static void
test_menu(Fixture *f, gconstpointer data)
{
  const AppReviewOptions options = {.no_log = TRUE};
  DesktopWindow *window = desktop_window_new(NULL, &options);
  g_autoptr(GFile) file = g_file_new_for_path(f->folder);
  DesktopViewport *viewport = desktop_window_viewport(window);
  g_autoptr(GVariant) none = NULL, state = NULL;

  write_file(f, "image.dcm", image);
  write_state(f, "1.2.3.91", IMAGE, turned);
  g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
  gtk_window_present(GTK_WINDOW(window));
  desktop_window_open_files(window, &file, 1);
  wait_until(desktop_viewport_get_slice(viewport));
  none = find_target(window, "None");
  state = find_target(window, "As saved by Doe");
  g_assert_nonnull(none);
  g_assert_nonnull(state);
  g_assert_cmpuint(chosen(window), ==, 0);
  gtk_widget_activate_action_variant(GTK_WIDGET(window), "view.presentation", state);
  wait_until(app_slice_facts(desktop_viewport_get_slice(viewport))->presentation == 1);
  g_assert_cmpuint(chosen(window), ==, 1);
  gtk_widget_activate_action_variant(GTK_WIDGET(window), "view.presentation", none);
  wait_until(app_slice_facts(desktop_viewport_get_slice(viewport))->presentation == 0);
  g_assert_cmpuint(chosen(window), ==, 0);
  /* From the list of what the study holds. */
  g_assert_cmpuint(app_study_document(window->study, 0)->presentation, ==, 1);
  desktop_window_open_document(window, 0);
  wait_until(app_slice_facts(desktop_viewport_get_slice(viewport))->presentation == 1);
  g_assert_cmpuint(chosen(window), ==, 1);
  gtk_window_close(GTK_WINDOW(window));
  wait_until(!window);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {{"voi-lut", test_voi_lut},           {"state", test_state},     {"area", test_area},
               {"other-values", test_other_values}, {"refused", test_refused}, {"menu", test_menu}};

  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/look/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
