/* window-tags.c - the tag browser beside the window. */
#include "window/window-private.h"

void
desktop_window_update_tags(DesktopWindow *self)
{
  AppSlice *slice = desktop_viewport_get_slice(desktop_window_viewport(self));

  if (!self->tags) {
    return;
  }
  if (slice && self->study) {
    const AppSliceFacts *facts = app_slice_facts(slice);
    desktop_tags_show(self->tags, self->study, facts->series, facts->index, facts->label);
  } else {
    desktop_tags_show(self->tags, NULL, 0, 0, NULL);
  }
}

static void
on_tags(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);

  if (!self->tags) {
    self->tags = desktop_tags_new(GTK_WINDOW(self));
    g_object_add_weak_pointer(G_OBJECT(self->tags), (gpointer *)&self->tags);
    desktop_window_update_tags(self);
  }
  gtk_window_present(GTK_WINDOW(self->tags));
}

void
desktop_window_tags_class_setup(DesktopWindowClass *class)
{
  gtk_widget_class_install_action(GTK_WIDGET_CLASS(class), "win.tags", NULL, on_tags);
}
