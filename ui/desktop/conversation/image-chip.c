/* image-chip.c - one image of a question, in a few words; opened, what the model sees of it.
 *
 * What the popover holds is made when it is opened, for the image of that moment.
 */
#include "conversation/image-chip.h"

#include <glib/gi18n.h>

struct _DesktopImageChip {
  AdwBin parent;

  GtkWidget *button, *icon, *label;

  /* Owned. */
  DesktopAbout *about;
  DesktopChipKind kind;
  gboolean is_shown;
};

G_DEFINE_FINAL_TYPE(DesktopImageChip, desktop_image_chip, ADW_TYPE_BIN)

enum { LOOK, SHOW, LEAVE_OUT, N_SIGNALS };
static guint signals[N_SIGNALS];

DesktopAbout *
desktop_image_chip_get_about(DesktopImageChip *self)
{
  return self->about;
}

void
desktop_image_chip_open(DesktopImageChip *self)
{
  gtk_menu_button_popup(GTK_MENU_BUTTON(self->button));
}

/* ---- opened ------------------------------------------------------------------------------- */

static void
on_show(DesktopImageChip *self)
{
  gtk_menu_button_popdown(GTK_MENU_BUTTON(self->button));
  g_signal_emit(self, signals[SHOW], 0);
}

static void
on_leave_out(DesktopImageChip *self)
{
  gtk_menu_button_popdown(GTK_MENU_BUTTON(self->button));
  g_signal_emit(self, signals[LEAVE_OUT], 0);
}

static const char *
kind_text(DesktopChipKind kind)
{
  switch (kind) {
  case DESKTOP_CHIP_KNOWN:
    return _("The conversation is about this image.");
  case DESKTOP_CHIP_ADDED:
    return _("The next question adds this image to the conversation.");
  case DESKTOP_CHIP_NEW:
  default:
    return _("The next question is sent with this image.");
  }
}

static void
create_popover(GtkMenuButton *button, gpointer data)
{
  DesktopImageChip *self = data;
  GtkWidget *popover = gtk_popover_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8), *more;
  GtkWidget *seen = desktop_seen_new(self->about);

  gtk_box_append(GTK_BOX(box), seen);
  if (!self->is_shown) {
    more = gtk_button_new_with_mnemonic(_("Show This _Image"));
    g_signal_connect_object(more, "clicked", G_CALLBACK(on_show), self, G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(box), more);
  }
  if (self->kind == DESKTOP_CHIP_ADDED) {
    more = gtk_button_new_with_mnemonic(_("_Leave It Out"));
    g_signal_connect_object(more, "clicked", G_CALLBACK(on_leave_out), self, G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(box), more);
  }
  gtk_popover_set_child(GTK_POPOVER(popover), box);
  gtk_menu_button_set_popover(button, popover);
  g_signal_emit(self, signals[LOOK], 0, seen);
}

/* ---- the face ----------------------------------------------------------------------------- */

void
desktop_image_chip_set(DesktopImageChip *self, DesktopAbout *about, DesktopChipKind kind,
                       gboolean is_shown)
{
  g_autofree char *text = NULL, *full = NULL, *tip = NULL;

  if (self->about == about && self->kind == kind && self->is_shown == is_shown) {
    return;
  }
  text = desktop_about_text(about);
  full = desktop_about_text_in_full(about);
  tip = g_strdup_printf("%s\n%s", full, kind_text(kind));
  desktop_about_ref(about);
  g_clear_pointer(&self->about, desktop_about_unref);
  self->about = about;
  self->kind = kind;
  self->is_shown = is_shown;
  gtk_label_set_text(GTK_LABEL(self->label), text);
  gtk_image_set_from_icon_name(GTK_IMAGE(self->icon), kind == DESKTOP_CHIP_ADDED
                                                          ? "list-add-symbolic"
                                                          : "image-x-generic-symbolic");
  gtk_widget_set_tooltip_text(self->button, tip);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->button), GTK_ACCESSIBLE_PROPERTY_LABEL, text,
                                 GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, kind_text(kind), -1);
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_image_chip_finalize(GObject *object)
{
  g_clear_pointer(&DESKTOP_IMAGE_CHIP(object)->about, desktop_about_unref);
  G_OBJECT_CLASS(desktop_image_chip_parent_class)->finalize(object);
}

static void
desktop_image_chip_class_init(DesktopImageChipClass *class)
{
  const GType type = DESKTOP_TYPE_IMAGE_CHIP;

  G_OBJECT_CLASS(class)->finalize = desktop_image_chip_finalize;
  signals[LOOK] = g_signal_new("look", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                               DESKTOP_TYPE_SEEN);
  signals[SHOW] =
      g_signal_new("show-image", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[LEAVE_OUT] =
      g_signal_new("leave-out", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
desktop_image_chip_init(DesktopImageChip *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

  self->button = gtk_menu_button_new();
  self->icon = gtk_image_new();
  self->label = gtk_label_new(NULL);
  gtk_label_set_ellipsize(GTK_LABEL(self->label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_add_css_class(self->label, "numeric");
  gtk_box_append(GTK_BOX(box), self->icon);
  gtk_box_append(GTK_BOX(box), self->label);
  gtk_menu_button_set_child(GTK_MENU_BUTTON(self->button), box);
  gtk_menu_button_set_direction(GTK_MENU_BUTTON(self->button), GTK_ARROW_UP);
  gtk_menu_button_set_create_popup_func(GTK_MENU_BUTTON(self->button), create_popover, self, NULL);
  gtk_widget_add_css_class(self->button, "chip");
  gtk_widget_set_halign(GTK_WIDGET(self), GTK_ALIGN_START);
  adw_bin_set_child(ADW_BIN(self), self->button);
}

GtkWidget *
desktop_image_chip_new(void)
{
  return g_object_new(DESKTOP_TYPE_IMAGE_CHIP, NULL);
}
