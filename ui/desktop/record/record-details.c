/* record-details.c - all that one event says, below the list. */
#include "record/record-private.h"

#include <glib/gi18n.h>

/* Of the names in the log those that are met most; the others stand as they are in it. */
static const char *
title_of(const char *name)
{
  static const struct {
    const char *name, *title;
  } titles[] = {{"action", N_("Action")},
                {"answer", N_("Answer")},
                {"body_part", N_("Body part")},
                {"conversation", N_("Conversation")},
                {"format", N_("Format")},
                {"id", N_("Number")},
                {"image", N_("Image")},
                {"key", N_("Setting")},
                {"modality", N_("Modality")},
                {"model", N_("Model")},
                {"name", N_("Name")},
                {"outcome", N_("Outcome")},
                {"path", N_("Path")},
                {"patient_id", N_("Patient ID")},
                {"patient_name", N_("Patient")},
                {"person", N_("Signed in")},
                {"place", N_("Place")},
                {"program", N_("Program")},
                {"program_version", N_("Version of the program")},
                {"question", N_("Question")},
                {"reason", N_("Reason")},
                {"study_date", N_("Date of the study")},
                {"study_description", N_("Study")},
                {"text", N_("Text")},
                {"turn", N_("Turn")},
                {"user", N_("User")},
                {"user_real_name", N_("Full name")},
                {"value", N_("Value")},
                {"verdict", N_("Verdict")},
                {"warnings", N_("Warnings")}};

  for (guint i = 0; i < G_N_ELEMENTS(titles); i++) {
    if (g_str_equal(titles[i].name, name)) {
      return _(titles[i].title);
    }
  }
  return name;
}

static void
add_row(DesktopRecord *self, int row, const char *name, const char *value)
{
  GtkWidget *title = gtk_label_new(name), *text = gtk_label_new(value);

  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_label_set_yalign(GTK_LABEL(title), 0);
  gtk_widget_add_css_class(title, "dim-label");
  gtk_label_set_xalign(GTK_LABEL(text), 0);
  gtk_label_set_wrap(GTK_LABEL(text), TRUE);
  gtk_label_set_wrap_mode(GTK_LABEL(text), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable(GTK_LABEL(text), TRUE);
  gtk_widget_set_hexpand(text, TRUE);
  gtk_accessible_update_relation(GTK_ACCESSIBLE(text), GTK_ACCESSIBLE_RELATION_LABELLED_BY, title,
                                 NULL, -1);
  gtk_grid_attach(self->facts, title, 0, row, 1, 1);
  gtk_grid_attach(self->facts, text, 1, row, 1, 1);
}

static void
fill(DesktopRecord *self, const AppEvent *event)
{
  GtkWidget *child;
  int row = 0;

  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self->facts)))) {
    gtk_grid_remove(self->facts, child);
  }
  for (guint i = 0; event && i + 1 < event->fields->len; i += 2) {
    add_row(self, row++, title_of(event->fields->pdata[i]), event->fields->pdata[i + 1]);
  }
  if (event && *event->sha256) {
    add_row(self, row, "SHA-256", event->sha256);
  }
}

/* g_free(). */
static char *
caption_of(const AppEvent *event)
{
  g_autofree char *time = NULL;

  if (!event) {
    return g_strdup(_("Select an event to see all that it says."));
  }
  if (!*event->kind) { /* it could not be read */
    return g_strdup("");
  }
  time = desktop_record_time(event->time);
  return g_strdup_printf("%s · %s%s%s", time, event->who, event->erased ? "\n" : "",
                         event->erased ? _("Its texts were erased with the patient's key.") : "");
}

/* There is room for them before an event is selected: the lines stay where they are under the
 * pointer, which may be about to press once more. */
void
desktop_record_show_details(DesktopRecord *self, const AppEvent *event)
{
  const gboolean leads = event && event->conversation != 0;
  g_autofree char *caption = caption_of(event);

  gtk_widget_action_set_enabled(GTK_WIDGET(self), "record.open", leads);
  gtk_label_set_text(self->event_title, event ? app_event_title(event->kind, event->action) : "");
  gtk_widget_set_visible(GTK_WIDGET(self->event_title), event != NULL);
  gtk_label_set_text(self->event_caption, caption);
  fill(self, event);
  gtk_widget_set_visible(self->open, leads);
}
