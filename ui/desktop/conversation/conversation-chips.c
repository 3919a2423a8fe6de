/* conversation-chips.c - exactly what the next question will be sent with. */
#include <glib/gi18n.h>

#include "conversation/conversation-private.h"
#include "conversation/image-chip.h"

GPtrArray *
desktop_conversation_images(DesktopConversation *self)
{
  GPtrArray *images = g_ptr_array_new();

  for (guint i = 0; i < self->live->len; i++) {
    DesktopAbout *about = desktop_turn_row_get_asked(self->live->pdata[i])->about;
    if (!desktop_conversation_knows(self, about, i)) {
      g_ptr_array_add(images, about);
    }
  }
  return images;
}

gboolean
desktop_conversation_knows(DesktopConversation *self, const DesktopAbout *about, guint n_turns)
{
  gboolean known = FALSE;

  for (guint i = 0; i < MIN(n_turns, self->live->len) && !known; i++) {
    known = desktop_about_same(desktop_turn_row_get_asked(self->live->pdata[i])->about, about);
  }
  return known;
}

gboolean
desktop_conversation_adds(DesktopConversation *self)
{
  return gtk_widget_get_visible(self->add) &&
         gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(self->add));
}

void
desktop_conversation_set_adds(DesktopConversation *self, gboolean adds)
{
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->add), adds);
}

void
desktop_conversation_set_has_prior(DesktopConversation *self, gboolean has_prior)
{
  if (self->has_prior != has_prior) {
    self->has_prior = has_prior;
    desktop_conversation_update_chips(self);
  }
}

/* ---- chips --------------------------------------------------------------------------------- */

static void
on_look(DesktopImageChip *chip, DesktopSeen *seen, DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_LOOK, seen);
}

static void
on_show_image(DesktopImageChip *chip, DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_SHOW_ABOUT,
                            desktop_image_chip_get_about(chip));
}

static void
on_leave_out(DesktopImageChip *chip, DesktopConversation *self)
{
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->add), FALSE);
}

static void
set_chip(DesktopConversation *self, guint index, DesktopAbout *about, DesktopChipKind kind)
{
  GtkWidget *chip = gtk_widget_get_first_child(self->chips);

  for (guint i = 0; chip && i < index; i++) {
    chip = gtk_widget_get_next_sibling(chip);
  }
  if (!chip) {
    chip = desktop_image_chip_new();
    g_signal_connect_object(chip, "look", G_CALLBACK(on_look), self, 0);
    g_signal_connect_object(chip, "show-image", G_CALLBACK(on_show_image), self, 0);
    g_signal_connect_object(chip, "leave-out", G_CALLBACK(on_leave_out), self, 0);
    gtk_box_append(GTK_BOX(self->chips), chip);
  }
  desktop_image_chip_set(DESKTOP_IMAGE_CHIP(chip), about, kind,
                         desktop_about_same(about, self->about));
}

static void
drop_chips_from(DesktopConversation *self, guint index)
{
  GtkWidget *chip = gtk_widget_get_first_child(self->chips);

  for (guint i = 0; chip; i++) {
    GtkWidget *next = gtk_widget_get_next_sibling(chip);
    if (i >= index) {
      gtk_box_remove(GTK_BOX(self->chips), chip);
    }
    chip = next;
  }
}

static const char *
note(DesktopConversation *self, gboolean goes_on)
{
  if (self->live->len == 0 || !self->about || goes_on) {
    return "";
  }
  return desktop_conversation_adds(self) ? _("Joins the conversation") : _("Begins a new one");
}

void
desktop_conversation_update_chips(DesktopConversation *self)
{
  g_autoptr(GPtrArray) images = desktop_conversation_images(self);
  gboolean goes_on = self->about && desktop_conversation_knows(self, self->about, G_MAXUINT);
  gboolean can_add = self->about && images->len > 0 && !goes_on && !self->editing;
  gboolean can_add_prior = images->len > 0 && goes_on && self->has_prior && !self->editing;
  guint n = 0;

  gtk_widget_set_visible(self->add, can_add);
  gtk_widget_set_visible(self->add_prior, can_add_prior);
  for (guint i = 0; i < images->len && (goes_on || desktop_conversation_adds(self)); i++) {
    set_chip(self, n++, images->pdata[i], DESKTOP_CHIP_KNOWN);
  }
  if (self->about && !goes_on) {
    set_chip(self, n++, self->about,
             desktop_conversation_adds(self) ? DESKTOP_CHIP_ADDED : DESKTOP_CHIP_NEW);
  }
  drop_chips_from(self, n);
  gtk_widget_set_visible(self->chips, n > 0);
  gtk_label_set_text(self->about_note, note(self, goes_on));
  gtk_widget_set_visible(gtk_widget_get_parent(self->add), can_add || can_add_prior);
}
