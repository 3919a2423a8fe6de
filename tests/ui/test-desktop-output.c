/* test-desktop-output.c - what leaves the window by real events: copies, files, pages, key images;
 * and the panes that fold. */
#include <glib/gstdio.h>
#include <string.h>

#include "app_key_image.h"
#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "output/output-private.h"
#include "window/window-private.h"

typedef struct {
  char *folder, *study, *log;
  AppReviewOptions options;
  DesktopWindow *window; /* NULL once it is finalised */
  GdkTexture *pasted;
  gboolean read;
} Fixture;

static DesktopWindow *
window_new(Fixture *f)
{
  DesktopWindow *window = desktop_window_new(NULL, &f->options);

  gtk_window_set_default_size(GTK_WINDOW(window), 1200, 700);
  gtk_window_present(GTK_WINDOW(window));
  return window;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
  f->study = fixture_study_new(5);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  f->options = (AppReviewOptions){.log_path = f->log};
  f->window = window_new(f);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
}

static void
close_window(Fixture *f)
{
  gtk_window_close(GTK_WINDOW(f->window));
  wait_until(!f->window);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  if (f->window) {
    close_window(f);
  }
  g_clear_object(&f->pasted);
  tiny_folder_free(f->folder);
  tiny_folder_free(f->study);
  g_free(f->log);
}

static DesktopViewport *
viewport(Fixture *f)
{
  return desktop_window_viewport(f->window);
}

static void
pause_a_while(void)
{
  for (guint i = 0; i < 300; i++) {
    g_main_context_iteration(NULL, FALSE);
    g_usleep(1000);
  }
}

static void
open_path(Fixture *f, const char *path)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  AppStudy *before = f->window->study;

  desktop_window_open_files(f->window, &file, 1);
  wait_until(f->window->study && f->window->study != before);
  wait_until(desktop_viewport_get_slice(viewport(f)));
  wait_until(gtk_widget_get_width(GTK_WIDGET(viewport(f))) > 100);
  hands_focus(GTK_WIDGET(f->window));
  gtk_widget_grab_focus(GTK_WIDGET(viewport(f)));
  wait_until(gtk_window_is_active(GTK_WINDOW(f->window)));
  pause_a_while(); /* drawn once */
}

/* Presses KEY until CONDITION holds: without a window manager the first keys of a new window may be
 * nobody's. A key that was heard is not pressed again before it could do what it does. */
#define press_until(key, condition)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gboolean holds = FALSE;                                                                        \
    for (guint presses = 0; presses < 10 && !holds; presses++) {                                   \
      gint64 end = g_get_monotonic_time() + 3 * G_USEC_PER_SEC;                                    \
      hands("key", key);                                                                           \
      while (!(holds = (condition)) && g_get_monotonic_time() < end) {                             \
        if (!g_main_context_iteration(NULL, FALSE)) {                                              \
          g_usleep(1000);                                                                          \
        }                                                                                          \
      }                                                                                            \
    }                                                                                              \
    g_assert_true(holds);                                                                          \
  }                                                                                                \
  G_STMT_END

/* Keys of the whole window are the application's, and there is none here: the session's test
 * presses them. */
static void
act(Fixture *f, const char *action)
{
  g_assert_true(gtk_widget_activate_action(GTK_WIDGET(f->window), action, NULL));
}

/* A window beside the one under test, or NULL. */
static GtkWindow *
other_window(Fixture *f)
{
  GListModel *all = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(all, i);
    if (window != GTK_WINDOW(f->window) && gtk_widget_get_visible(GTK_WIDGET(window))) {
      return window;
    }
  }
  return NULL;
}

/* ---- copying -------------------------------------------------------------------------------- */

static void
on_texture(GObject *clipboard, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;

  g_clear_object(&f->pasted);
  f->pasted = gdk_clipboard_read_texture_finish(GDK_CLIPBOARD(clipboard), result, NULL);
  f->read = TRUE;
}

static gboolean
paste(Fixture *f)
{
  f->read = FALSE;
  gdk_clipboard_read_texture_async(gtk_widget_get_clipboard(GTK_WIDGET(f->window)), NULL,
                                   on_texture, f);
  wait_until(f->read);
  return f->pasted != NULL;
}

static void
test_copy(Fixture *f, gconstpointer data)
{
  const AppWindow window = {.set = TRUE, .center = 400, .width = 800};
  AppWindow shown = {0};
  guint32 pixels[48 * 40];

  open_path(f, f->study);
  desktop_viewport_set_window(viewport(f), &window);
  wait_until(desktop_viewport_get_window(viewport(f), &shown) && shown.width == 800);
  press_until("ctrl+c", paste(f));
  /* The stored picture in the window of the screen, whatever the size on the screen. */
  g_assert_cmpint(gdk_texture_get_width(f->pasted), ==, 48);
  g_assert_cmpint(gdk_texture_get_height(f->pasted), ==, 40);
  gdk_texture_download(f->pasted, (guchar *)pixels, sizeof pixels / 40);
  for (guint i = 0; i < G_N_ELEMENTS(pixels); i += 17) {
    double value = (double)tiny_value(i % 48, i / 48, 0) - 100;
    double grey = CLAMP(((value - 399.5) / 799 + 0.5) * 255, 0, 255);
    g_assert_cmpfloat_with_epsilon((double)(pixels[i] & 255), grey, 1.01); /* rounding */
  }
}

/* Turned on the screen, turned in the copy. */
static void
test_copy_turned(Fixture *f, gconstpointer data)
{
  AppPlacement placement = {0};

  open_path(f, f->study);
  /* Once: a key that is pressed until something happens may turn it twice. */
  g_assert_true(gtk_widget_activate_action(GTK_WIDGET(viewport(f)), "view.rotate", "i", 1));
  wait_until(desktop_viewport_get_placement(viewport(f), &placement) && placement.turns == 1);
  /* What another test copied may still be there. */
  press_until("ctrl+c", paste(f) && gdk_texture_get_width(f->pasted) == 40);
  g_assert_cmpint(gdk_texture_get_height(f->pasted), ==, 48);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void
png_size(const char *path, guint *width, guint *height)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GError) error = NULL;
  g_autoptr(GdkTexture) texture = gdk_texture_new_from_file(file, &error);

  g_assert_no_error(error);
  *width = (guint)gdk_texture_get_width(texture);
  *height = (guint)gdk_texture_get_height(texture);
}

static void
test_save(Fixture *f, gconstpointer data)
{
  g_autofree char *picture = g_build_filename(f->folder, "picture.png", NULL);
  g_autofree char *screen = g_build_filename(f->folder, "screen.png", NULL);
  guint width, height;

  open_path(f, f->study);
  desktop_output_save_to(viewport(f), DESKTOP_OUTPUT_PICTURE, picture);
  desktop_output_save_to(viewport(f), DESKTOP_OUTPUT_SCREEN, screen);
  wait_until(g_file_test(picture, G_FILE_TEST_EXISTS) && g_file_test(screen, G_FILE_TEST_EXISTS));
  png_size(picture, &width, &height);
  g_assert_cmpuint(width, ==, 48);
  g_assert_cmpuint(height, ==, 40);
  png_size(screen, &width, &height);
  g_assert_cmpuint(width, ==, (guint)gtk_widget_get_width(GTK_WIDGET(viewport(f))));
  g_assert_cmpuint(height, ==, (guint)gtk_widget_get_height(GTK_WIDGET(viewport(f))));
}

/* By key, through the dialog, with the text on the screen: a warning before anything is written. */
static void
test_save_dialog(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "CT-1.png", NULL);
  GtkWindow *dialog;
  guint width, height;

  /* Which is where the dialog begins. */
  g_assert_cmpint(g_chdir(f->folder), ==, 0);
  open_path(f, f->study);
  act(f, "win.save-screen");
  wait_until(GTK_IS_FILE_CHOOSER(other_window(f)));
  dialog = other_window(f);
  wait_until(gtk_widget_get_mapped(GTK_WIDGET(dialog)));
  /* Modal: keys of the window are the dialog's. */
  press_until("Return", other_window(f) != dialog);
  wait_until(ADW_IS_MESSAGE_DIALOG(other_window(f)));
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
  adw_message_dialog_response(ADW_MESSAGE_DIALOG(other_window(f)), "go-on");
  gtk_window_destroy(other_window(f));
  wait_until(g_file_test(path, G_FILE_TEST_EXISTS));
  png_size(path, &width, &height);
  g_assert_cmpuint(width, ==, (guint)gtk_widget_get_width(GTK_WIDGET(viewport(f))));
}

/* The window goes while it asks where. */
static void
test_save_closed(Fixture *f, gconstpointer data)
{
  open_path(f, f->study);
  act(f, "win.save-picture");
  wait_until(GTK_IS_FILE_CHOOSER(other_window(f)));
  /* GTK complains of a folder that it was reading. */
  pause_a_while();
  close_window(f);
  wait_until(!other_window(f));
}

/* ---- pages ---------------------------------------------------------------------------------- */

static char *
page_text(const char *path)
{
  g_autofree char *tool = g_find_program_in_path("pdftotext");
  const char *const args[] = {tool, path, "-", NULL};
  g_autoptr(GError) error = NULL;
  char *out = NULL;

  if (tool) {
    g_assert_true(g_spawn_sync(NULL, (char **)args, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                               NULL, &error));
    g_assert_no_error(error);
  }
  return out;
}

static void
test_print(Fixture *f, gconstpointer data)
{
  const gboolean with_texts = GPOINTER_TO_INT(data);
  g_autofree char *path = g_build_filename(f->folder, "page.pdf", NULL), *bytes = NULL;
  g_autofree char *text = NULL;
  gsize n = 0;

  open_path(f, f->study);
  desktop_output_print_to(viewport(f), with_texts, path);
  wait_until(g_file_get_contents(path, &bytes, &n, NULL) && n > 100 &&
             memmem(bytes, n, "%%EOF", 5));
  g_assert_true(memcmp(bytes, "%PDF", 4) == 0);
  g_assert_null(memmem(bytes, n, "DOE", 3)); /* in its own fields */
  text = page_text(path);
  if (!text) {
    g_test_skip("THE PAGE IS NOT READ: there is no pdftotext");
    return;
  }
  g_assert_nonnull(strstr(text, APP_NOTICE));
  g_assert_nonnull(strstr(text, "CT 1/5"));
  g_assert_true((strstr(text, "DOE") != NULL) == with_texts);
}

/* Pixels of rows FROM to TO of SURFACE that are not paper. */
static guint
n_inked(cairo_surface_t *surface, int from, int to)
{
  int width = cairo_image_surface_get_width(surface), stride;
  guint n = 0;

  cairo_surface_flush(surface);
  stride = cairo_image_surface_get_stride(surface) / 4;
  for (int y = from; y < to; y++) {
    const guint32 *row =
        (const guint32 *)(gpointer)cairo_image_surface_get_data(surface) + y * stride;
    for (int x = 0; x < width; x++) {
      n += (row[x] & 0xffffff) != 0xffffff;
    }
  }
  return n;
}

static void
on_canvas(GObject *source, GAsyncResult *result, gpointer canvas)
{
  *(AppCanvas **)canvas = app_output_canvas_finish(result, NULL);
}

/* The page itself: names at the top only when asked for, the picture, the notice at the end. */
static void
test_page(Fixture *f, gconstpointer data)
{
  const char *out = g_getenv("HILUM_TEST_PAGE");
  DesktopOutput *output;
  guint top[2] = {0, 0};

  open_path(f, f->study);
  output = desktop_output_new(viewport(f));
  app_output_canvas_async(&output->picture, NULL, on_canvas, &output->canvas);
  wait_until(output->canvas);
  for (guint i = 0; i < 2; i++) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 500, 700);
    cairo_t *cairo = cairo_create(surface);

    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    output->with_texts = i == 1;
    desktop_output_draw_page(output, cairo, 500, 700);
    top[i] = n_inked(surface, 0, 25);
    g_assert_cmpuint(n_inked(surface, 300, 310), >, 10 * 400);
    g_assert_cmpuint(n_inked(surface, 690, 700), >, 50);
    if (out && i == 1) {
      cairo_surface_write_to_png(surface, out);
    }
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
  }
  g_assert_cmpuint(top[0], ==, 0);
  g_assert_cmpuint(top[1], >, 50);
  desktop_output_free(output);
}

/* ---- warnings ------------------------------------------------------------------------------- */

static void
test_warning(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = tiny_folder_new();
  g_autofree char *path = g_build_filename(folder, "a.dcm", NULL);
  const TinyDicom dicom = {
      .rows = 40, .columns = 48, .uid = "1.2.1", .patient_name = "DOE^JANE", .burned_in = "YES"};

  tiny_dicom_write(path, &dicom);
  open_path(f, f->study);
  g_assert_null(desktop_output_warning(viewport(f)));
  open_path(f, folder);
  g_assert_nonnull(desktop_output_warning(viewport(f)));
  act(f, "win.print");
  wait_until(ADW_IS_MESSAGE_DIALOG(other_window(f)));
  hands_focus(GTK_WIDGET(other_window(f)));
  press_until("Escape", !other_window(f));
  tiny_folder_remove(folder);
}

/* With nothing shown there is nothing to give away. */
static void
test_nothing(Fixture *f, gconstpointer data)
{
  g_assert_false(desktop_viewport_get_slice(viewport(f)) != NULL);
  desktop_output_copy(viewport(f));
  desktop_output_save(viewport(f), DESKTOP_OUTPUT_PICTURE);
  desktop_output_save(viewport(f), DESKTOP_OUTPUT_SCREEN);
  desktop_output_print(viewport(f));
  gtk_widget_activate_action(GTK_WIDGET(f->window), "image.mark", NULL);
  g_assert_null(other_window(f));
}

/* ---- key images ----------------------------------------------------------------------------- */

static void
test_key_image(Fixture *f, gconstpointer data)
{
  g_autofree char *kept = g_build_filename(f->folder, "key-images", NULL), *text = NULL;

  open_path(f, f->study);
  press_until("Down", app_slice_facts(desktop_viewport_get_slice(viewport(f)))->index == 1);
  press_until("k", app_study_is_key(f->window->study, 0, 1));
  g_assert_true(gtk_revealer_get_reveal_child(f->window->series_pane));
  text = desktop_viewport_description(viewport(f));
  g_assert_nonnull(strstr(text, "key image"));
  wait_until(g_file_test(kept, G_FILE_TEST_IS_DIR));
  /* A letter in a question is a letter. */
  act(f, "win.focus-question");
  hands("type", "--delay", "5", "kkk");
  /* Opened again, it is there again. */
  close_window(f);
  f->window = window_new(f);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  open_path(f, f->study);
  wait_until(app_study_is_key(f->window->study, 0, 1));
  wait_until(gtk_revealer_get_reveal_child(f->window->series_pane));
  press_until("Down", app_slice_facts(desktop_viewport_get_slice(viewport(f)))->index == 1);
  press_until("k", !app_study_is_key(f->window->study, 0, 1));
}

/* ---- folding -------------------------------------------------------------------------------- */

static void
test_fold(Fixture *f, gconstpointer data)
{
  GtkWidget *side;

  open_path(f, f->study);
  side = f->window->side_pane;
  /* Nothing to choose from: folded by itself, until a hand wants it. */
  g_assert_false(gtk_revealer_get_reveal_child(f->window->series_pane));
  act(f, "win.toggle-series");
  wait_until(gtk_revealer_get_reveal_child(f->window->series_pane));
  g_assert_true(gtk_toggle_button_get_active(f->window->series_toggle));
  act(f, "win.toggle-series");
  wait_until(!gtk_revealer_get_reveal_child(f->window->series_pane));
  g_assert_true(gtk_widget_get_visible(side));
  act(f, "win.toggle-conversation");
  wait_until(!gtk_widget_get_visible(side));
  g_assert_false(gtk_toggle_button_get_active(f->window->conversation_toggle));
  /* Remembered. */
  close_window(f);
  f->window = window_new(f);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  g_assert_false(gtk_widget_get_visible(f->window->side_pane));
  hands_focus(GTK_WIDGET(f->window));
  wait_until(gtk_widget_get_width(GTK_WIDGET(f->window->conversation_toggle)) > 0);
  hands_click(GTK_WIDGET(f->window->conversation_toggle));
  wait_until(gtk_widget_get_visible(f->window->side_pane));
  g_assert_true(gtk_toggle_button_get_active(f->window->conversation_toggle));
}

static int
width_of(GtkWidget *widget)
{
  return gtk_widget_get_width(widget);
}

/* As wide as hands made them, in the next window as well, and there to be changed again. */
static void
test_widths(Fixture *f, gconstpointer data)
{
  GtkPaned *side;

  open_path(f, f->study);
  act(f, "win.toggle-series");
  side = f->window->side_paned;
  wait_until(width_of(GTK_WIDGET(f->window->strip)) == 252);
  wait_until(width_of(f->window->side_pane) == 360);
  gtk_paned_set_position(f->window->series_paned, 300);
  wait_until(width_of(GTK_WIDGET(f->window->strip)) == 300);
  gtk_paned_set_position(side, gtk_paned_get_position(side) - 71);
  wait_until(width_of(f->window->side_pane) == 431);
  close_window(f);
  f->window = window_new(f);
  g_object_add_weak_pointer(G_OBJECT(f->window), (gpointer *)&f->window);
  open_path(f, f->study);
  act(f, "win.toggle-series");
  wait_until(width_of(GTK_WIDGET(f->window->strip)) == 300);
  wait_until(width_of(f->window->side_pane) == 431);
  side = f->window->side_paned;
  wait_until(f->window->placing == 0);
  gtk_paned_set_position(side, gtk_paned_get_position(side) + 50);
  wait_until(width_of(f->window->side_pane) == 381);
  /* Folded away, it keeps what it had. */
  act(f, "win.toggle-conversation");
  wait_until(!gtk_widget_get_mapped(f->window->side_pane));
  act(f, "win.toggle-conversation");
  wait_until(width_of(f->window->side_pane) == 381);
}

static void
test_tags(Fixture *f, gconstpointer data)
{
  open_path(f, f->study);
  act(f, "win.tags");
  wait_until(f->window->tags);
  wait_until(other_window(f) == GTK_WINDOW(f->window->tags));
  /* It goes with the window. */
  close_window(f);
  wait_until(!other_window(f));
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer), gconstpointer data)
{
  g_autofree char *path = g_strdup_printf("/desktop/output/%s", name);

  g_test_add(path, Fixture, data, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GTK_A11Y", "none", TRUE);
  adw_init();
  add("copy", test_copy, NULL);
  add("copy-turned", test_copy_turned, NULL);
  add("save", test_save, NULL);
  add("save-dialog", test_save_dialog, NULL);
  add("save-closed", test_save_closed, NULL);
  add("print", test_print, NULL);
  add("print-texts", test_print, GINT_TO_POINTER(TRUE));
  add("page", test_page, NULL);
  add("warning", test_warning, NULL);
  add("nothing", test_nothing, NULL);
  add("key-image", test_key_image, NULL);
  add("fold", test_fold, NULL);
  add("widths", test_widths, NULL);
  add("tags", test_tags, NULL);
  return g_test_run();
}
