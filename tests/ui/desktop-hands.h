/* desktop-hands.h - keys and clicks of an X server for tests in this process.
 *
 * xdotool runs beside; the test goes on with its main loop meanwhile, which receives the events.
 */
#ifndef HILUM_TESTS_DESKTOP_HANDS_H
#define HILUM_TESTS_DESKTOP_HANDS_H

#include <gdk/x11/gdkx.h>
#include <gtk/gtk.h>

#include "app/wait.h"

static inline void
hands_done(GObject *source, GAsyncResult *result, gpointer done)
{
  g_autoptr(GError) error = NULL;

  g_subprocess_wait_check_finish(G_SUBPROCESS(source), result, &error);
  g_assert_no_error(error);
  *(gboolean *)done = TRUE;
}

/* Arguments of xdotool, ending with NULL. */
static inline void
hands_run(const char *const *words)
{
  g_autoptr(GPtrArray) args = g_ptr_array_new();
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GError) error = NULL;
  gboolean done = FALSE;

  g_ptr_array_add(args, (gpointer) "xdotool");
  for (gsize i = 0; words[i]; i++) {
    g_ptr_array_add(args, (gpointer)words[i]);
  }
  g_ptr_array_add(args, NULL);
  process = g_subprocess_newv((const char *const *)args->pdata, G_SUBPROCESS_FLAGS_STDOUT_SILENCE,
                              &error);
  g_assert_no_error(error);
  g_subprocess_wait_check_async(process, NULL, hands_done, &done);
  wait_until(done);
}
#define hands(...) hands_run((const char *const[]){__VA_ARGS__, NULL})

/* Gives the keyboard to the window of WIDGET, as a window manager would. */
static inline void
hands_focus(GtkWidget *widget)
{
  GdkSurface *surface = gtk_native_get_surface(gtk_widget_get_native(widget));
  g_autofree char *id = g_strdup_printf("%lu", gdk_x11_surface_get_xid(surface));

  hands("windowfocus", "--sync", id);
}

static inline void
hands_rest(void)
{
  for (guint i = 0; i < 20; i++) {
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_usleep(5000);
  }
}

/* Presses the middle of WIDGET, once it lies still. The window must lie at the corner of the
 * screen: without a window manager it does. */
static inline void
hands_click(GtkWidget *widget)
{
  GtkWidget *root = GTK_WIDGET(gtk_widget_get_root(widget));
  double x = -1, y = -1, was_x, was_y;
  g_autofree char *left = NULL, *top = NULL;

  wait_until(gtk_widget_get_mapped(widget) && gtk_widget_get_width(widget) > 0);
  do {
    was_x = x;
    was_y = y;
    hands_rest();
    gtk_widget_translate_coordinates(widget, root, gtk_widget_get_width(widget) / 2.0,
                                     gtk_widget_get_height(widget) / 2.0, &x, &y);
  } while (x != was_x || y != was_y);
  left = g_strdup_printf("%d", (int)x);
  top = g_strdup_printf("%d", (int)y);
  hands("mousemove", left, top);
  hands_rest();
  hands("click", "1");
}

#endif
