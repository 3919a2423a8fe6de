/* seen.c - what the model saw of an image: the very square, pixel by pixel.
 *
 * Each of its pixels becomes a square of whole device pixels: nothing is smoothed, because the
 * question is what the model could see at all.
 */
#include "conversation/seen.h"

#include <glib/gi18n.h>
#include <string.h>

/* The square is enlarged by the largest whole factor that keeps within this. */
#define SIDE 448

struct _DesktopSeen {
  GtkBox parent;

  GtkStack *pages;
  GtkWidget *picture, *zoom;
  GtkLabel *failure, *caption;

  /* Owned. */
  DesktopAbout *about;
  GBytes *pixels; /* RGB; NULL: none yet */
  guint width, height;
};

G_DEFINE_FINAL_TYPE(DesktopSeen, desktop_seen, GTK_TYPE_BOX)

DesktopAbout *
desktop_seen_get_about(DesktopSeen *self)
{
  return self->about;
}

gboolean
desktop_seen_has_picture(DesktopSeen *self)
{
  return self->pixels != NULL;
}

/* Each pixel as FACTOR by FACTOR. */
static GdkTexture *
enlarge(const guint8 *rgb, guint width, guint height, guint factor)
{
  const gsize stride = (gsize)width * factor * 3;
  guint8 *out = g_malloc(stride * height * factor);
  g_autoptr(GBytes) bytes = NULL;

  for (guint y = 0; y < height; y++) {
    guint8 *row = out + (gsize)y * factor * stride;
    for (guint x = 0; x < width * factor; x++) {
      memcpy(row + (gsize)x * 3, rgb + ((gsize)y * width + x / factor) * 3, 3);
    }
    for (guint i = 1; i < factor; i++) {
      memcpy(row + i * stride, row, stride);
    }
  }
  bytes = g_bytes_new_take(out, stride * height * factor);
  return gdk_memory_texture_new((int)(width * factor), (int)(height * factor), GDK_MEMORY_R8G8B8,
                                bytes, stride);
}

static void
show_picture(DesktopSeen *self)
{
  guint scale = (guint)MAX(gtk_widget_get_scale_factor(GTK_WIDGET(self)), 1);
  guint longest = MAX(MAX(self->width, self->height), 1);
  guint factor = MAX(SIDE * scale / longest, 1);
  g_autoptr(GdkTexture) texture = NULL;

  if (!self->pixels) {
    return;
  }
  if (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(self->zoom))) {
    factor *= 2;
  }
  texture = enlarge(g_bytes_get_data(self->pixels, NULL), self->width, self->height, factor);
  gtk_picture_set_paintable(GTK_PICTURE(self->picture), GDK_PAINTABLE(texture));
  gtk_widget_set_size_request(self->picture, (int)(self->width * factor / scale),
                              (int)(self->height * factor / scale));
}

void
desktop_seen_take(DesktopSeen *self, const AppPicture *picture)
{
  g_autofree char *about = desktop_about_text(self->about);
  g_autofree char *caption = g_strdup_printf(_("%u × %u pixels are all that the model gets of it"),
                                             picture->width, picture->height);
  g_autofree char *name = g_strdup_printf(_("What the model sees of %s"), about);

  g_clear_pointer(&self->pixels, g_bytes_unref);
  self->pixels = g_bytes_new(picture->pixels, (gsize)picture->width * picture->height * 3);
  self->width = picture->width;
  self->height = picture->height;
  show_picture(self);
  gtk_label_set_text(self->caption, caption);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->picture), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                 GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, caption, -1);
  gtk_widget_set_sensitive(self->zoom, TRUE);
  gtk_stack_set_visible_child_name(self->pages, "picture");
}

void
desktop_seen_fail(DesktopSeen *self, const char *message)
{
  gtk_label_set_text(self->failure, message);
  gtk_stack_set_visible_child_name(self->pages, "failure");
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_seen_finalize(GObject *object)
{
  DesktopSeen *self = DESKTOP_SEEN(object);

  g_clear_pointer(&self->about, desktop_about_unref);
  g_clear_pointer(&self->pixels, g_bytes_unref);
  G_OBJECT_CLASS(desktop_seen_parent_class)->finalize(object);
}

static void
desktop_seen_class_init(DesktopSeenClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_seen_finalize;
}

static GtkWidget *
pages_new(DesktopSeen *self)
{
  GtkWidget *pages = gtk_stack_new(), *spinner = gtk_spinner_new();
  GtkWidget *scroller = gtk_scrolled_window_new();

  self->pages = GTK_STACK(pages);
  self->picture = gtk_picture_new();
  self->failure = GTK_LABEL(gtk_label_new(NULL));
  gtk_spinner_start(GTK_SPINNER(spinner));
  gtk_widget_set_size_request(spinner, 24, 24);
  gtk_widget_set_halign(spinner, GTK_ALIGN_CENTER);
  gtk_widget_set_valign(spinner, GTK_ALIGN_CENTER);
  gtk_picture_set_can_shrink(GTK_PICTURE(self->picture), FALSE);
  gtk_widget_set_halign(self->picture, GTK_ALIGN_CENTER);
  gtk_widget_set_valign(self->picture, GTK_ALIGN_CENTER);
  gtk_label_set_wrap(self->failure, TRUE);
  gtk_label_set_wrap_mode(self->failure, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars(self->failure, 40);
  gtk_widget_set_size_request(scroller, 340, 340);
  gtk_scrolled_window_set_propagate_natural_width(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_width(GTK_SCROLLED_WINDOW(scroller), SIDE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), SIDE);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->picture);
  gtk_stack_add_named(self->pages, spinner, "waiting");
  gtk_stack_add_named(self->pages, scroller, "picture");
  gtk_stack_add_named(self->pages, GTK_WIDGET(self->failure), "failure");
  return pages;
}

static void
desktop_seen_init(DesktopSeen *self)
{
  GtkWidget *bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *title = gtk_label_new(_("What the Model Sees"));

  gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing(GTK_BOX(self), 8);
  gtk_widget_add_css_class(title, "heading");
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_widget_set_hexpand(title, TRUE);
  self->zoom = gtk_toggle_button_new();
  gtk_button_set_icon_name(GTK_BUTTON(self->zoom), "zoom-in-symbolic");
  gtk_widget_set_tooltip_text(self->zoom, _("Twice as Large"));
  gtk_widget_set_sensitive(self->zoom, FALSE);
  gtk_widget_add_css_class(self->zoom, "flat");
  g_signal_connect_swapped(self->zoom, "toggled", G_CALLBACK(show_picture), self);
  gtk_box_append(GTK_BOX(bar), title);
  gtk_box_append(GTK_BOX(bar), self->zoom);
  self->caption = GTK_LABEL(gtk_label_new(NULL));
  gtk_label_set_wrap(self->caption, TRUE);
  gtk_label_set_xalign(self->caption, 0);
  gtk_label_set_max_width_chars(self->caption, 40);
  gtk_widget_add_css_class(GTK_WIDGET(self->caption), "caption");
  gtk_widget_add_css_class(GTK_WIDGET(self->caption), "numeric");
  gtk_box_append(GTK_BOX(self), bar);
  gtk_box_append(GTK_BOX(self), pages_new(self));
  gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->caption));
}

GtkWidget *
desktop_seen_new(DesktopAbout *about)
{
  DesktopSeen *self = g_object_new(DESKTOP_TYPE_SEEN, NULL);

  self->about = desktop_about_ref(about);
  return GTK_WIDGET(self);
}
