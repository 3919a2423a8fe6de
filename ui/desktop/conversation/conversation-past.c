/* conversation-past.c - a conversation of the log, to be read, and to be gone on with. */
#include <glib/gi18n.h>

#include "conversation/conversation-private.h"
#include "conversation/turn-row-private.h"

/* ---- a turn of the log --------------------------------------------------------------------- */

static char *
label_of(JsonObject *image)
{
  const char *modality = desktop_turn_text(image, "modality");
  const char *part = desktop_turn_text(image, "body_part");
  g_autofree char *name = g_path_get_basename(desktop_turn_text(image, "path"));
  g_autofree char *shown = g_filename_display_name(name);

  return g_strdup_printf("%s%s%s%s%s", modality, *modality ? " " : "", part, *part ? " " : "",
                         *modality || *part ? "" : shown);
}

static guint
number(JsonObject *object, const char *name)
{
  return (guint)CLAMP(desktop_turn_number(object, name, 0), 0, G_MAXINT);
}

static gboolean
flag(JsonObject *object, const char *name)
{
  JsonNode *member = object ? json_object_get_member(object, name) : NULL;

  return member && json_node_get_value_type(member) == G_TYPE_BOOLEAN &&
         json_node_get_boolean(member);
}

static DesktopAbout *
about_of(JsonObject *image)
{
  JsonObject *region = desktop_turn_object(image, "region");
  double width = desktop_turn_number(image, "window_width", 0);
  double center = desktop_turn_number(image, "window_center", 0);
  AppImageChoice choice = {.path = desktop_turn_text(image, "path"),
                           .frame = number(image, "frame"),
                           .window = {width > 0, center, width, 0, flag(image, "inverted")},
                           .blank = flag(image, "blank"),
                           .region = {number(region, "x"), number(region, "y"),
                                      number(region, "width"), number(region, "height")},
                           .turns = number(image, "turns"),
                           .flip = flag(image, "flip")};
  g_autofree char *label = g_strchomp(label_of(image));
  g_autofree char *window = width > 0 ? g_strdup_printf("C %g  W %g", center, width) : NULL;

  return desktop_about_new(&choice, label, window, desktop_turn_text(image, "modality"),
                           desktop_turn_text(image, "body_part"), NULL);
}

static GtkWidget *
row_of(JsonNode *node)
{
  JsonObject *turn = json_node_get_object(node);
  JsonObject *image = desktop_turn_object(turn, "image");
  g_autoptr(DesktopAbout) about = about_of(image);
  g_autoptr(DesktopQuestion) question =
      desktop_question_new(desktop_turn_text(turn, "question"), APP_LENGTH_AUTO, about);
  GtkWidget *row = desktop_turn_row_new(question);

  desktop_turn_row_finish(DESKTOP_TURN_ROW(row), node);
  return row;
}

/* ---- showing ------------------------------------------------------------------------------- */

static void
empty(DesktopConversation *self)
{
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child(GTK_WIDGET(self->past_list)))) {
    gtk_list_box_remove(self->past_list, row);
  }
}

gboolean
desktop_conversation_is_past(DesktopConversation *self)
{
  return gtk_widget_get_visible(self->past_bar);
}

DesktopAbout *
desktop_conversation_past_about(DesktopConversation *self)
{
  GtkWidget *row = gtk_widget_get_last_child(GTK_WIDGET(self->past_list));
  DesktopAbout *about = row ? desktop_turn_row_get_asked(DESKTOP_TURN_ROW(row))->about : NULL;

  return about && *about->choice.path ? about : NULL;
}

void
desktop_conversation_show_past(DesktopConversation *self, const char *title, JsonArray *turns)
{
  empty(self);
  for (guint i = 0; i < json_array_get_length(turns); i++) {
    JsonNode *node = json_array_get_element(turns, i);
    if (JSON_NODE_HOLDS_OBJECT(node)) {
      GtkWidget *row = row_of(node);
      desktop_conversation_connect_row(self, DESKTOP_TURN_ROW(row));
      gtk_list_box_append(self->past_list, row);
    }
  }
  gtk_label_set_text(self->past_title, title);
  gtk_stack_set_visible_child_name(self->pages, "past");
  gtk_widget_set_visible(self->composer, FALSE);
  gtk_widget_set_visible(self->past_bar, TRUE);
  desktop_conversation_set_past_state(self, FALSE, FALSE, NULL);
  desktop_conversation_update(self);
  gtk_widget_grab_focus(self->past_back);
}

void
desktop_conversation_set_past_state(DesktopConversation *self, gboolean can_resume, gboolean busy,
                                    const char *message)
{
  gtk_widget_set_sensitive(self->resume, can_resume && !busy);
  gtk_spinner_set_spinning(GTK_SPINNER(self->past_spinner), busy);
  gtk_widget_set_visible(self->past_spinner, busy);
  gtk_label_set_text(GTK_LABEL(self->past_failure), message ? message : "");
  gtk_widget_set_visible(self->past_failure, message != NULL);
}

/* Its turns are the model's timeline now. */
static void
take_over(DesktopConversation *self)
{
  GtkWidget *row = gtk_widget_get_first_child(GTK_WIDGET(self->past_list));

  g_ptr_array_set_size(self->live, 0);
  if (row && gtk_widget_get_first_child(GTK_WIDGET(self->list))) {
    g_autofree char *text =
        g_strdup_printf(_("Continued · %s"), gtk_label_get_text(self->past_title));
    desktop_conversation_add_divider(self, text);
  }
  while ((row = gtk_widget_get_first_child(GTK_WIDGET(self->past_list)))) {
    g_object_ref(row);
    gtk_list_box_remove(self->past_list, row);
    gtk_list_box_append(self->list, row);
    g_ptr_array_add(self->live, row); /* its reference */
  }
  self->at_end = TRUE;
}

void
desktop_conversation_leave_past(DesktopConversation *self, gboolean is_taken_over)
{
  gboolean has_turns;

  if (is_taken_over) {
    take_over(self);
  } else {
    empty(self);
  }
  has_turns = gtk_widget_get_first_child(GTK_WIDGET(self->list)) != NULL;
  gtk_stack_set_visible_child_name(self->pages, has_turns ? "turns" : "empty");
  gtk_widget_set_visible(self->past_bar, FALSE);
  gtk_widget_set_visible(self->composer, TRUE);
  desktop_conversation_update(self);
  desktop_conversation_focus_entry(self);
}
