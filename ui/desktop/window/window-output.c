/* window-output.c - the active pane's picture: copied, saved, printed. */
#include "window/window-private.h"

#include "output/output.h"

static void
on_copy(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_output_copy(desktop_window_viewport(DESKTOP_WINDOW(widget)));
}

static void
on_save(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopOutputKind kind =
      g_str_equal(name, "win.save-screen") ? DESKTOP_OUTPUT_SCREEN : DESKTOP_OUTPUT_PICTURE;

  desktop_output_save(desktop_window_viewport(DESKTOP_WINDOW(widget)), kind);
}

static void
on_print(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_output_print(desktop_window_viewport(DESKTOP_WINDOW(widget)));
}

void
desktop_window_update_output(DesktopWindow *self)
{
  static const char *const actions[] = {"image.copy", "image.mark", "win.save-picture",
                                        "win.save-screen", "win.print"};
  /* As soon as there is a series: who is faster than its first image is told so. */
  gboolean shown = desktop_window_series_info(self) != NULL;

  for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
    gtk_widget_action_set_enabled(GTK_WIDGET(self), actions[i], shown);
  }
}

void
desktop_window_output_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  gtk_widget_class_install_action(class, "image.copy", NULL, on_copy);
  gtk_widget_class_install_action(class, "win.save-picture", NULL, on_save);
  gtk_widget_class_install_action(class, "win.save-screen", NULL, on_save);
  gtk_widget_class_install_action(class, "win.print", NULL, on_print);
}
