/* test-desktop-layout.c - panes side by side: what hangs where, which is active, what goes along.
 */
#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "window/window-private.h"

typedef struct {
  char *folder;
  AppReviewOptions options;
  DesktopWindow *window; /* borrowed; NULL once it is finalised */
  guint n_files;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
  f->options = (AppReviewOptions){.no_log = TRUE};
  f->window = desktop_window_new(NULL, &f->options);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  gtk_window_present(GTK_WINDOW(f->window));
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gtk_window_close(GTK_WINDOW(f->window));
  wait_until(f->window == NULL);
  tiny_folder_free(f->folder);
}

/* One file more; what CHANGES leaves out is as it usually is. */
static void
add(Fixture *f, TinyDicom changes)
{
  g_autofree char *path = g_strdup_printf("%s/%03u.dcm", f->folder, f->n_files);
  g_autofree char *uid = g_strdup_printf("1.2.9.%u", ++f->n_files);

  changes.rows = 40;
  changes.columns = 48;
  changes.uid = uid;
  changes.instance = (int)f->n_files;
  tiny_dicom_write(path, &changes);
}

static void
add_axial(Fixture *f, const char *series, guint n, double step)
{
  g_autofree char *name = g_strconcat("Axial ", series, NULL);

  for (guint i = 0; i < n; i++) {
    add(f, (TinyDicom){.z = i * step,
                       .series_uid = series,
                       .series_description = name,
                       .image_type = "ORIGINAL\\PRIMARY\\AXIAL",
                       .frame_of_reference = "1.2.7"});
  }
}

static void
open_folder(Fixture *f)
{
  g_autoptr(GFile) file = g_file_new_for_path(f->folder);

  desktop_window_open_files(f->window, &file, 1);
  wait_until(f->window->study);
  wait_until(desktop_viewport_get_slice(desktop_window_viewport(f->window)));
}

static const char *
title(Fixture *f, guint pane)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(f->window->panes[pane]);

  return info ? info->title : "";
}

static char *
layout(Fixture *f)
{
  return desktop_window_get_layout(f->window);
}

#define check_layout(f, expected)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *check_name = layout(f);                                                       \
    g_assert_cmpstr(check_name, ==, expected);                                                     \
  }                                                                                                \
  G_STMT_END

/* ---- what hangs where --------------------------------------------------------------------- */

static void
test_views(Fixture *f, gconstpointer data)
{
  add(f, (TinyDicom){.modality = "CR",
                     .series_uid = "1.1",
                     .view_position = "LL",
                     .series_description = "lateral"});
  add(f, (TinyDicom){.modality = "CR",
                     .series_uid = "1.2",
                     .view_position = "PA",
                     .series_description = "frontal"});
  open_folder(f);
  check_layout(f, "1x2");
  g_assert_cmpstr(title(f, 0), ==, "frontal");
  g_assert_cmpstr(title(f, 1), ==, "lateral");
  g_assert_true(gtk_widget_get_visible(GTK_WIDGET(f->window->panes[1])));
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(f->window->panes[2])));
}

static void
test_prior(Fixture *f, gconstpointer data)
{
  const struct {
    const char *study, *date, *series, *body;
  } all[] = {{"1.5", "20230105", "old chest", "CHEST"},
             {"1.5", "20230105", "old hand", "HAND"},
             {"1.6", "20250105", "new chest", "CHEST"},
             {"1.4", "20200105", "oldest chest", "CHEST"}};

  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    g_autofree char *uid = g_strdup_printf("1.8.%zu", i);
    add(f, (TinyDicom){.modality = "DX",
                       .study_uid = all[i].study,
                       .study_date = all[i].date,
                       .series_uid = uid,
                       .series_description = all[i].series,
                       .body_part = all[i].body});
  }
  open_folder(f);
  check_layout(f, "1x2");
  g_assert_cmpstr(title(f, 0), ==, "new chest");
  g_assert_cmpstr(title(f, 1), ==, "old chest");
}

static void
test_stack(Fixture *f, gconstpointer data)
{
  add(f, (TinyDicom){.series_uid = "1.1",
                     .series_description = "scout",
                     .image_type = "ORIGINAL\\PRIMARY\\LOCALIZER"});
  add_axial(f, "1.2", 4, 1);
  open_folder(f);
  check_layout(f, "1x1");
  g_assert_cmpstr(title(f, 0), ==, "Axial 1.2");
}

/* ---- layouts ------------------------------------------------------------------------------ */

static void
test_layouts(Fixture *f, gconstpointer data)
{
  DesktopWindow *w = f->window;

  add_axial(f, "1.1", 3, 1);
  add_axial(f, "1.2", 3, 1);
  add_axial(f, "1.3", 3, 1);
  open_folder(f);
  check_layout(f, "1x1");
  gtk_widget_activate_action(GTK_WIDGET(w), "win.layout", "s", "2x2");
  check_layout(f, "2x2");
  g_assert_cmpstr(title(f, 1), ==, "Axial 1.2");
  g_assert_cmpstr(title(f, 2), ==, "Axial 1.3");
  g_assert_cmpuint(desktop_viewport_get_series(w->panes[3]), ==, G_MAXUINT);
  /* The one that is picked is the one that is asked about, and that a series goes to. */
  gtk_widget_grab_focus(GTK_WIDGET(w->panes[2]));
  wait_until(desktop_window_viewport(w) == w->panes[2]);
  g_assert_cmpstr(adw_window_title_get_title(w->title), ==, "Axial 1.3");
  desktop_window_select_series(w, 0);
  g_assert_cmpstr(title(f, 2), ==, "Axial 1.1");
  g_signal_emit_by_name(w->panes[3], "series-dropped", 1);
  g_assert_true(desktop_window_viewport(w) == w->panes[3]);
  g_assert_cmpstr(title(f, 3), ==, "Axial 1.2");
  wait_until(desktop_viewport_get_slice(w->panes[3]));
  gtk_widget_activate_action(GTK_WIDGET(w->panes[3]), "view.series", "i", 1);
  g_assert_cmpstr(title(f, 3), ==, "Axial 1.3");
  gtk_widget_activate_action(GTK_WIDGET(w->panes[3]), "view.series", "i", 1); /* the last */
  g_assert_cmpstr(title(f, 3), ==, "Axial 1.3");
  /* What is active stays to be seen. */
  gtk_widget_activate_action(GTK_WIDGET(w), "win.layout", "s", "2x1");
  check_layout(f, "2x1");
  g_assert_true(desktop_window_viewport(w) == w->panes[0]);
  gtk_widget_activate_action(GTK_WIDGET(w), "win.layout", "s", "3x7");
  check_layout(f, "2x1");
}

static void
test_tool(Fixture *f, gconstpointer data)
{
  DesktopWindow *w = f->window;

  add_axial(f, "1.1", 3, 1);
  open_folder(f);
  gtk_widget_activate_action(GTK_WIDGET(w), "view.tool", "s", "distance");
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    g_assert_cmpstr(desktop_viewport_get_tool(w->panes[i]), ==, "distance");
  }
  gtk_widget_activate_action(GTK_WIDGET(w->panes[0]), "view.tool", "s", "pan");
  g_assert_cmpstr(desktop_viewport_get_tool(w->panes[3]), ==, "pan");
  /* From the bar to the active pane. */
  gtk_widget_activate_action(GTK_WIDGET(w), "view.step", "i", 2);
  g_assert_cmpuint(desktop_viewport_get_index(w->panes[0]), ==, 2);
}

/* ---- going together ----------------------------------------------------------------------- */

static guint
index_of(Fixture *f, guint pane)
{
  return desktop_viewport_get_index(f->window->panes[pane]);
}

static void
test_linked(Fixture *f, gconstpointer data)
{
  DesktopWindow *w = f->window;

  add_axial(f, "1.1", 13, 1);
  add_axial(f, "1.2", 5, 3);
  add(f, (TinyDicom){.series_uid = "1.3",
                     .series_description = "Elsewhere",
                     .frame_of_reference = "1.2.8"});
  add(f, (TinyDicom){.series_uid = "1.3",
                     .series_description = "Elsewhere",
                     .frame_of_reference = "1.2.8",
                     .z = 9});
  open_folder(f);
  gtk_widget_activate_action(GTK_WIDGET(w), "win.layout", "s", "2x2");
  wait_until(desktop_viewport_get_slice(w->panes[2]));
  desktop_viewport_step(w->panes[0], 9);
  wait_until(index_of(f, 1) == 3);
  g_assert_cmpuint(index_of(f, 2), ==, 0); /* it lies elsewhere */
  /* By whoever is active. */
  gtk_widget_grab_focus(GTK_WIDGET(w->panes[1]));
  wait_until(desktop_window_viewport(w) == w->panes[1]);
  desktop_viewport_step(w->panes[1], -2);
  wait_until(index_of(f, 0) == 3);
  gtk_widget_activate_action(GTK_WIDGET(w), "win.linked", NULL);
  g_assert_false(w->linked);
  desktop_viewport_step(w->panes[1], 3);
  wait_until(
      g_str_equal(app_slice_facts(desktop_viewport_get_slice(w->panes[1]))->label, "CT 5/5"));
  g_assert_cmpuint(index_of(f, 0), ==, 3);
}

/* ---- with a prior --------------------------------------------------------------------------- */

/* A stack of N slices from Z on; FLIPPED: seen from the other side, so that it counts the other
 * way. */
static void
add_stack(Fixture *f, const char *study, const char *date, const char *name, const char *body,
          guint n, double z, double step, gboolean flipped)
{
  g_autofree char *series = g_strconcat(study, ".1", NULL);
  g_autofree char *frame = g_strconcat(study, ".2", NULL);

  for (guint i = 0; i < n; i++) {
    add(f, (TinyDicom){.z = z + i * step,
                       .study_uid = study,
                       .study_date = date,
                       .series_uid = series,
                       .series_description = name,
                       .body_part = body,
                       .image_type = "ORIGINAL\\PRIMARY\\AXIAL",
                       .orientation = flipped ? "-1\\0\\0\\0\\1\\0" : NULL,
                       .frame_of_reference = frame});
  }
}

static gboolean
compare(Fixture *f)
{
  return gtk_widget_activate_action(GTK_WIDGET(f->window), "image.compare", NULL);
}

/* One press puts the prior beside; the next one an older one; both go along by the millimetre. */
static void
test_compare(Fixture *f, gconstpointer data)
{
  DesktopWindow *w = f->window;
  AppWindow window = {.set = TRUE, .center = 77, .width = 555}, there;

  add_stack(f, "1.31", "20250105", "new", "CHEST", 21, -300, 1, FALSE);
  add_stack(f, "1.32", "20240105", "other part", "HEAD", 4, 0, 1, FALSE);
  add_stack(f, "1.33", "20230105", "old", "CHEST", 11, 900, 2, FALSE);
  add_stack(f, "1.34", "20200105", "oldest", "CHEST", 6, 100, 4, TRUE);
  open_folder(f);
  check_layout(f, "1x2"); /* as it hangs */
  g_assert_cmpstr(title(f, 1), ==, "old");
  wait_until(gtk_widget_get_visible(w->compare));
  gtk_widget_activate_action(GTK_WIDGET(w), "win.layout", "s", "1x1");
  desktop_viewport_go_to(w->panes[0], 10, 0);
  desktop_viewport_set_window(w->panes[0], &window);
  wait_until(
      g_str_equal(app_slice_facts(desktop_viewport_get_slice(w->panes[0]))->label, "CT 11/21"));
  wait_until(desktop_viewport_get_window(w->panes[0], &there) && there.width == 555);

  g_assert_true(compare(f));
  check_layout(f, "1x2");
  g_assert_cmpstr(title(f, 0), ==, "new");
  g_assert_cmpuint(index_of(f, 0), ==, 10);
  g_assert_cmpstr(title(f, 1), ==, "old");
  g_assert_cmpuint(index_of(f, 1), ==, 5); /* the middle of it, too */
  wait_until(desktop_viewport_get_window(w->panes[1], &there) && there.width == 555);
  g_assert_cmpfloat(there.center, ==, 77);
  desktop_viewport_step(w->panes[0], 6); /* by 6 mm */
  wait_until(index_of(f, 1) == 8);
  gtk_widget_grab_focus(GTK_WIDGET(w->panes[1]));
  wait_until(desktop_window_viewport(w) == w->panes[1]);
  desktop_viewport_step(w->panes[1], -4);
  wait_until(index_of(f, 0) == 8);

  /* Aligned by eye: unlinked, moved, linked again. */
  gtk_widget_activate_action(GTK_WIDGET(w), "win.linked", NULL);
  desktop_viewport_step(w->panes[1], 2);
  wait_until(
      g_str_equal(app_slice_facts(desktop_viewport_get_slice(w->panes[1]))->label, "CT 7/11"));
  gtk_widget_activate_action(GTK_WIDGET(w), "win.linked", NULL);
  g_assert_cmpuint(index_of(f, 0), ==, 8);
  desktop_viewport_step(w->panes[1], 1);
  wait_until(index_of(f, 0) == 10);

  /* From the prior, the same pair; from the current, the one before; and round again. */
  g_assert_true(compare(f));
  g_assert_cmpstr(title(f, 0), ==, "old");
  g_assert_cmpstr(title(f, 1), ==, "oldest");
  /* They look from opposite sides: the last of one is the first of the other. */
  desktop_viewport_go_to(w->panes[0], 10, 0);
  wait_until(index_of(f, 1) == 0);
  desktop_window_select_series(w, desktop_viewport_get_series(w->panes[1]));
  g_assert_cmpstr(title(f, 0), ==, "oldest");
  g_assert_true(compare(f));
  g_assert_cmpstr(title(f, 0), ==, "new");
  g_assert_cmpstr(title(f, 1), ==, "oldest");
  g_assert_true(compare(f));
  g_assert_cmpstr(title(f, 1), ==, "old");
  g_assert_true(compare(f));
  g_assert_cmpstr(title(f, 1), ==, "oldest");
}

static void
test_no_prior(Fixture *f, gconstpointer data)
{
  add_stack(f, "1.31", "20250105", "new", "CHEST", 3, 0, 1, FALSE);
  add_stack(f, "1.32", "20240105", "other part", "HEAD", 3, 0, 1, FALSE);
  open_folder(f);
  check_layout(f, "1x1");
  g_assert_false(gtk_widget_get_visible(f->window->compare));
  g_assert_true(compare(f)); /* says so */
  check_layout(f, "1x1");
}

static guint
n_green(DesktopViewport *viewport)
{
  int width = gtk_widget_get_width(GTK_WIDGET(viewport));
  int height = gtk_widget_get_height(GTK_WIDGET(viewport));
  cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create(surface);
  GtkSnapshot *snapshot = gtk_snapshot_new();
  GskRenderNode *node;
  guint n = 0;

  GTK_WIDGET_GET_CLASS(viewport)->snapshot(GTK_WIDGET(viewport), snapshot);
  node = gtk_snapshot_free_to_node(snapshot);
  gsk_render_node_draw(node, cr);
  gsk_render_node_unref(node);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
  for (int y = 0; y < height; y++) {
    const guint8 *row = cairo_image_surface_get_data(surface) +
                        (gsize)y * (gsize)cairo_image_surface_get_stride(surface);
    for (int x = 0; x < width; x++) {
      n += row[4 * x + 1] > row[4 * x] + 60 && row[4 * x + 1] > row[4 * x + 2] + 60;
    }
  }
  cairo_surface_destroy(surface);
  return n;
}

/* Where the active image cuts another there is a line, and none where it does not. */
static void
test_reference(Fixture *f, gconstpointer data)
{
  DesktopWindow *w = f->window;

  add_axial(f, "1.1", 9, 1);
  add(f, (TinyDicom){.series_uid = "1.2",
                     .series_description = "Coronal",
                     .orientation = "1\\0\\0\\0\\0\\-1",
                     .position = "0\\10\\10",
                     .frame_of_reference = "1.2.7"});
  open_folder(f);
  gtk_widget_activate_action(GTK_WIDGET(w), "win.layout", "s", "1x2");
  wait_until(desktop_viewport_get_slice(w->panes[1]));
  wait_until(n_green(w->panes[1]) > 100);
  g_assert_cmpuint(n_green(w->panes[0]), ==, 0);
  gtk_widget_grab_focus(GTK_WIDGET(w->panes[1]));
  wait_until(desktop_window_viewport(w) == w->panes[1]);
  wait_until(n_green(w->panes[0]) > 100);
  g_assert_cmpuint(n_green(w->panes[1]), ==, 0);
}

/* ---- menus -------------------------------------------------------------------------------- */

/* The item of an open menu with TEXT, or NULL. */
static GtkWidget *
find_item(GtkWidget *widget, const char *text)
{
  GtkWidget *found = NULL;

  if (g_strcmp0(G_OBJECT_TYPE_NAME(widget), "GtkModelButton") == 0) {
    g_autofree char *shown = NULL;

    g_object_get(widget, "text", &shown, NULL);
    if (g_strcmp0(shown, text) == 0) {
      return widget;
    }
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child && !found;
       child = gtk_widget_get_next_sibling(child)) {
    found = find_item(child, text);
  }
  return found;
}

static gboolean
is_chosen(GtkMenuButton *button, const char *text)
{
  GtkWidget *item = find_item(GTK_WIDGET(gtk_menu_button_get_popover(button)), text);
  gboolean active;

  g_assert_nonnull(item);
  g_object_get(item, "active", &active, NULL);
  return active;
}

static void
press(GtkMenuButton *button, const char *text)
{
  /* Not shown: GTK 4.8 loses its way when a menu comes and goes below the pointer. */
  g_signal_emit_by_name(find_item(GTK_WIDGET(gtk_menu_button_get_popover(button)), text),
                        "clicked");
}

/* What is in force has its mark, and each item does what it says. */
static void
test_menus(Fixture *f, gconstpointer data)
{
  DesktopWindow *w = f->window;
  gboolean shown = TRUE;

  add_axial(f, "1.1", 3, 1);
  open_folder(f);
  g_assert_true(is_chosen(w->layout, "One"));
  g_assert_false(is_chosen(w->layout, "Side by Side"));
  press(w->layout, "Four");
  check_layout(f, "2x2");
  g_assert_true(is_chosen(w->layout, "Four"));
  g_assert_false(is_chosen(w->layout, "One"));
  g_assert_true(is_chosen(w->tools, "Grey Scale"));
  press(w->tools, "Angle");
  g_assert_cmpstr(desktop_viewport_get_tool(w->panes[0]), ==, "angle");
  g_assert_true(is_chosen(w->tools, "Angle"));
  g_assert_true(is_chosen(w->lie, "Text over the Image"));
  press(w->lie, "Text over the Image");
  g_assert_false(is_chosen(w->lie, "Text over the Image"));
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    g_object_get(w->panes[i], "texts", &shown, NULL);
    g_assert_false(shown);
  }
  /* One of them by its key: the others and the menu follow. */
  gtk_widget_activate_action(GTK_WIDGET(w->panes[2]), "view.smooth", NULL);
  g_assert_false(is_chosen(w->lie, "Smooth when Enlarged"));
  g_object_get(w->panes[1], "smooth", &shown, NULL);
  g_assert_false(shown);
  gtk_widget_activate_action(GTK_WIDGET(w), "view.covers", NULL);
  g_object_get(w->panes[3], "covers", &shown, NULL);
  g_assert_false(shown);
}

static char *
key_of(GtkMenuButton *button, const char *action)
{
  GMenuModel *menu = gtk_menu_button_get_menu_model(button);

  for (int i = 0; i < g_menu_model_get_n_items(menu); i++) {
    g_autoptr(GMenuModel) section = g_menu_model_get_item_link(menu, i, G_MENU_LINK_SECTION);
    GMenuModel *items = section ? section : menu;

    for (int k = 0; k < g_menu_model_get_n_items(items); k++) {
      g_autofree char *name = NULL;
      char *key = NULL;

      g_menu_model_get_item_attribute(items, k, "action", "s", &name);
      if (g_strcmp0(name, action) == 0) {
        g_menu_model_get_item_attribute(items, k, "accel", "s", &key);
        return key;
      }
    }
  }
  return NULL;
}

static void
check_key(GtkMenuButton *button, const char *action, const char *expected)
{
  g_autofree char *key = key_of(button, action);

  g_assert_cmpstr(key, ==, expected);
}

/* Keys of images stand in the menus too, those in force. */
static void
test_keys(Fixture *f, gconstpointer data)
{
  static const char *const other[] = {"<Alt>k", NULL};
  DesktopWindow *w = f->window;
  const DesktopKey *mark = desktop_keys_find("image.mark");

  check_key(w->main, "image.mark", "k");
  check_key(w->main, "image.copy", "<Control>c");
  check_key(w->lie, "view.texts", "o");
  check_key(w->lie, "view.zoom", "plus");
  check_key(w->layout, "win.layout", "<Control>1");
  desktop_keys_set(w->settings, mark, other);
  check_key(w->main, "image.mark", "<Alt>k");
  desktop_keys_set(w->settings, mark, NULL);
  check_key(w->main, "image.mark", "k");
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {
      {"views", test_views},         {"prior", test_prior},     {"stack", test_stack},
      {"layouts", test_layouts},     {"tool", test_tool},       {"linked", test_linked},
      {"reference", test_reference}, {"compare", test_compare}, {"no-prior", test_no_prior},
      {"menus", test_menus},         {"keys", test_keys}};

  g_setenv("GTK_A11Y", "none", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/desktop/layout/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, setup, tests[i].run, teardown);
  }
  return g_test_run();
}
