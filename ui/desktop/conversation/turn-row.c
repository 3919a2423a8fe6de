/* turn-row.c - one question and its answer, with what it was asked on. */
#include "conversation/turn-row.h"

#include <string.h>

/* So much of a model's SHA-256 tells models apart for the eye; the log has all of it. */
#define HASH_SHOWN 8

struct _DesktopTurnRow {
  GtkListBoxRow parent;

  /* Template widgets. */
  GtkLabel *question, *answer, *phase, *provenance, *failure, *unsaved;
  GtkWidget *working, *spinner, *footer, *failure_box, *unsaved_box, *copy;

  /* Owned. */
  char *subject;
  GString *text; /* the answer's bytes so far */
};

G_DEFINE_FINAL_TYPE(DesktopTurnRow, desktop_turn_row, GTK_TYPE_LIST_BOX_ROW)

GtkWidget *
desktop_turn_row_new(const char *question, const char *subject)
{
  DesktopTurnRow *self = g_object_new(DESKTOP_TYPE_TURN_ROW, NULL);

  gtk_label_set_text(self->question, question);
  self->subject = g_strdup(subject);
  return GTK_WIDGET(self);
}

void
desktop_turn_row_set_phase(DesktopTurnRow *self, const char *phase, guint done, guint total)
{
  g_autofree char *text = NULL;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  if (strcmp(phase, "image") == 0) {
    text = total > 0 ? g_strdup_printf("Encoding the picture… %u %%",
                                       (guint)((guint64)100 * done / total))
                     : g_strdup("Encoding the picture…");
  } else if (strcmp(phase, "sending") == 0) {
    text = g_strdup_printf("Sending the picture… %u %%",
                           total > 0 ? (guint)((guint64)100 * done / total) : 0);
  } else if (strcmp(phase, "waiting") == 0) {
    text = g_strdup("Waiting for the server…");
  } else {
    text = g_strdup(strcmp(phase, "prompt") == 0 ? "Reading the question…" : "Answering…");
  }
  gtk_label_set_text(self->phase, text);
}

void
desktop_turn_row_append(DesktopTurnRow *self, const char *bytes, gsize length)
{
  g_autofree char *shown = NULL;
  const char *end = NULL;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  g_string_append_len(self->text, bytes, (gssize)length);
  /* The rest of a character is on its way. */
  if (!g_utf8_validate_len(self->text->str, self->text->len, &end) &&
      self->text->str + self->text->len - end < 4) {
    shown = g_strndup(self->text->str, (gsize)(end - self->text->str));
  } else {
    shown = g_utf8_make_valid(self->text->str, (gssize)self->text->len);
  }
  gtk_label_set_text(self->answer, shown);
  gtk_widget_set_visible(GTK_WIDGET(self->answer), *shown != '\0');
}

/* ---- the finished turn -------------------------------------------------------------------- */

static JsonObject *
object_member(JsonObject *object, const char *name)
{
  JsonNode *member = json_object_get_member(object, name);

  return member && JSON_NODE_HOLDS_OBJECT(member) ? json_node_get_object(member) : NULL;
}

static const char *
text_member(JsonObject *object, const char *name)
{
  return object ? json_object_get_string_member_with_default(object, name, "") : "";
}

static const char *
stop_remark(const char *stop)
{
  if (strcmp(stop, "cancelled") == 0) {
    return "stopped before its end";
  }
  if (strcmp(stop, "max-tokens") == 0) {
    return "cut off at the longest answer allowed";
  }
  if (strcmp(stop, "context") == 0) {
    return "cut off: the conversation is full, start a new one";
  }
  if (strcmp(stop, "content-filter") == 0) {
    return "cut off by the server's content filter";
  }
  return NULL;
}

static char *
provenance_text(DesktopTurnRow *self, JsonObject *turn)
{
  JsonObject *model = object_member(turn, "model");
  JsonObject *instruction = object_member(turn, "instruction");
  const char *hash = text_member(model, "sha256");
  const char *remark = stop_remark(text_member(turn, "stop"));
  const char *why = text_member(turn, "interruption"), *engine = text_member(model, "engine");
  GString *text = g_string_new(NULL);

  if (remark) {
    g_string_append_printf(text, "This answer was %s.\n", remark);
  } else if (*why) {
    g_string_append_printf(text, "This answer broke off. %s\n", why);
  }
  g_string_append_printf(text, "%s\n%s", self->subject, text_member(model, "name"));
  if (*hash) {
    g_string_append_printf(text, " %.*s", HASH_SHOWN, hash);
  }
  if (*engine && strcmp(engine, "local") != 0) {
    g_string_append_printf(text, " · sent to %s", engine);
  }
  if (instruction) {
    g_string_append_printf(text, " · %s description", text_member(instruction, "list"));
  }
  g_string_append(text, " · blank control: no");
  return g_string_free(text, FALSE);
}

static void
stop_working(DesktopTurnRow *self)
{
  gtk_spinner_stop(GTK_SPINNER(self->spinner));
  gtk_widget_set_visible(self->working, FALSE);
}

void
desktop_turn_row_finish(DesktopTurnRow *self, JsonNode *node)
{
  JsonObject *turn = json_node_get_object(node);
  const char *answer = text_member(turn, "answer");
  g_autofree char *provenance = provenance_text(self, turn);

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  stop_working(self);
  /* What was asked in a description's place is known only now. */
  gtk_label_set_text(self->question, text_member(turn, "question"));
  gtk_label_set_text(self->answer, *answer ? answer : "The model gave no answer.");
  gtk_widget_set_visible(GTK_WIDGET(self->answer), TRUE);
  if (!*answer) {
    gtk_widget_add_css_class(GTK_WIDGET(self->answer), "dim-label");
  }
  gtk_widget_set_sensitive(self->copy, *answer != '\0');
  gtk_label_set_text(self->provenance, provenance);
  gtk_widget_set_visible(self->footer, TRUE);
}

void
desktop_turn_row_fail(DesktopTurnRow *self, const char *message)
{
  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  stop_working(self);
  gtk_label_set_text(self->failure, message);
  gtk_widget_set_visible(self->failure_box, TRUE);
}

void
desktop_turn_row_set_unsaved(DesktopTurnRow *self, const char *message)
{
  g_autofree char *text = message ? g_strdup_printf("Not in the log yet: %s", message) : NULL;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  gtk_label_set_text(self->unsaved, text ? text : "");
  gtk_widget_set_visible(self->unsaved_box, text != NULL);
}

const char *
desktop_turn_row_get_answer(DesktopTurnRow *self)
{
  g_return_val_if_fail(DESKTOP_IS_TURN_ROW(self), NULL);
  return gtk_label_get_text(self->answer);
}

static void
on_copy(DesktopTurnRow *self)
{
  gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)),
                         gtk_label_get_text(self->answer));
  gtk_widget_activate_action(GTK_WIDGET(self), "win.toast", "s", "Answer copied");
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_turn_row_finalize(GObject *object)
{
  DesktopTurnRow *self = DESKTOP_TURN_ROW(object);

  g_free(self->subject);
  g_string_free(self->text, TRUE);
  G_OBJECT_CLASS(desktop_turn_row_parent_class)->finalize(object);
}

static void
desktop_turn_row_class_init(DesktopTurnRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->finalize = desktop_turn_row_finalize;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/hilum/Hilum/turn-row.ui");
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, question);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, answer);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, phase);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, provenance);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, failure);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, unsaved);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, working);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, spinner);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, footer);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, failure_box);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, unsaved_box);
  gtk_widget_class_bind_template_child(widget_class, DesktopTurnRow, copy);
  gtk_widget_class_bind_template_callback(widget_class, on_copy);
}

static void
desktop_turn_row_init(DesktopTurnRow *self)
{
  self->text = g_string_new(NULL);
  gtk_widget_init_template(GTK_WIDGET(self));
}
