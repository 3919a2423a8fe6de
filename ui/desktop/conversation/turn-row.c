/* turn-row.c - one question and its answer: its life, and what can be done with it. */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/turn-row-private.h"

G_DEFINE_FINAL_TYPE(DesktopTurnRow, desktop_turn_row, GTK_TYPE_LIST_BOX_ROW)

enum { AGAIN, EDIT, SWITCH, JUDGED, CHECK, LOOK, N_SIGNALS };
static guint signals[N_SIGNALS];

void
desktop_turn_row_update_actions(DesktopTurnRow *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  gboolean is_over = (self->turn || self->is_failed) && !self->is_erased;
  gboolean has_answer = self->turn && !self->is_erased && *gtk_label_get_text(self->answer) != '\0';
  gboolean can_check = self->turn && !self->is_erased && (self->offers & DESKTOP_TURN_CHECK) &&
                       !gtk_widget_get_visible(self->check_spinner);

  gtk_widget_action_set_enabled(widget, "turn.again", is_over && self->offers & DESKTOP_TURN_AGAIN);
  gtk_widget_action_set_enabled(widget, "turn.edit", is_over && self->offers & DESKTOP_TURN_AGAIN);
  gtk_widget_action_set_enabled(widget, "turn.check-blank", can_check);
  gtk_widget_action_set_enabled(widget, "turn.check-seeds", can_check);
  gtk_widget_action_set_enabled(widget, "turn.copy-answer", has_answer);
  gtk_widget_action_set_enabled(widget, "turn.copy-turn", self->turn && !self->is_erased);
  desktop_verdict_bar_set_can_judge(self->verdict, has_answer &&
                                                       self->offers & DESKTOP_TURN_JUDGE &&
                                                       desktop_turn_row_get_id(self) != 0);
}

void
desktop_turn_row_set_offers(DesktopTurnRow *self, DesktopTurnOffers offers)
{
  self->offers = offers;
  desktop_turn_row_update_actions(self);
}

GtkWidget *
desktop_turn_row_new(const DesktopQuestion *question)
{
  DesktopTurnRow *self = g_object_new(DESKTOP_TYPE_TURN_ROW, NULL);

  self->asked = desktop_question_copy(question);
  gtk_label_set_text(self->question, desktop_question_title(question));
  desktop_turn_row_start_clock(self);
  return GTK_WIDGET(self);
}

void
desktop_turn_row_set_version(DesktopTurnRow *self, guint number, guint count)
{
  g_autofree char *text = g_strdup_printf(_("%u of %u"), number, count);

  gtk_label_set_text(self->version, text);
  gtk_widget_set_visible(self->versions, count > 1);
  gtk_widget_set_sensitive(self->back, number > 1);
  gtk_widget_set_sensitive(self->on, number < count);
}

void
desktop_turn_row_focus_version(DesktopTurnRow *self, int step)
{
  GtkWidget *wanted = step < 0 ? self->back : self->on;
  GtkWidget *other = step < 0 ? self->on : self->back;

  gtk_widget_grab_focus(gtk_widget_get_sensitive(wanted) ? wanted : other);
}

/* ---- the finished turn -------------------------------------------------------------------- */

/* The key of its texts is gone: there is nothing to judge, to copy or to ask again. */
static void
take_erased(DesktopTurnRow *self, gboolean lost)
{
  gtk_label_set_text(self->question, lost ? _("Lost") : _("Erased"));
  gtk_label_set_text(self->answer,
                     lost ? _("The question and its answer were lost when the log was damaged.")
                          : _("The question and its answer were erased. That they were "
                              "there, and when, the log still proves."));
  gtk_widget_add_css_class(GTK_WIDGET(self->answer), "dim-label");
}

static void
take_verdicts(DesktopTurnRow *self, JsonArray *verdicts)
{
  guint n = verdicts ? json_array_get_length(verdicts) : 0;

  /* In the order of time: the newest counts. */
  if (n > 0) {
    desktop_verdict_bar_take(self->verdict, json_array_get_object_element(verdicts, n - 1));
  }
}

void
desktop_turn_row_finish(DesktopTurnRow *self, JsonNode *node)
{
  JsonObject *turn = json_node_get_object(node);
  const char *answer = desktop_turn_text(turn, "answer");
  g_autofree char *summary = NULL;
  gboolean lost;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self) && !self->turn);
  self->turn = json_node_ref(node);
  lost = json_object_get_boolean_member_with_default(turn, "lost", FALSE);
  self->is_erased = lost || json_object_get_boolean_member_with_default(turn, "erased", FALSE);
  desktop_turn_row_stop_clock(self);
  desktop_turn_row_flush(self);
  summary = desktop_turn_row_summary(self);
  /* What was asked in a description's place is known only now. */
  gtk_label_set_text(self->question, desktop_turn_text(turn, "question"));
  gtk_label_set_text(self->answer, *answer ? answer : _("The model gave no answer."));
  gtk_widget_set_visible(GTK_WIDGET(self->answer), TRUE);
  if (!*answer) {
    gtk_widget_add_css_class(GTK_WIDGET(self->answer), "dim-label");
  }
  desktop_turn_row_take_pieces(self, turn, answer);
  desktop_verdict_bar_set_answer(self->verdict, answer);
  gtk_label_set_text(self->provenance, summary);
  gtk_widget_set_visible(self->footer, TRUE);
  if (self->is_erased) {
    take_erased(self, lost);
  } else {
    take_verdicts(self, desktop_turn_array(turn, "verdicts"));
    desktop_turn_row_take_checks(self, desktop_turn_array(turn, "checks"));
  }
  desktop_turn_row_update_actions(self);
}

void
desktop_turn_row_fail(DesktopTurnRow *self, const char *message)
{
  g_return_if_fail(DESKTOP_IS_TURN_ROW(self) && !self->turn);
  self->is_failed = TRUE;
  desktop_turn_row_stop_clock(self);
  desktop_turn_row_flush(self);
  gtk_label_set_text(self->failure, message);
  gtk_widget_set_visible(self->failure_box, TRUE);
  /* For its menu: it can be asked again. */
  gtk_widget_set_visible(self->footer, TRUE);
  gtk_widget_set_visible(self->details_button, FALSE);
  desktop_turn_row_update_actions(self);
}

void
desktop_turn_row_set_unsaved(DesktopTurnRow *self, const char *message)
{
  g_autofree char *text = message ? g_strdup_printf(_("Not in the log yet: %s"), message) : NULL;

  g_return_if_fail(DESKTOP_IS_TURN_ROW(self));
  gtk_label_set_text(self->unsaved, text ? text : "");
  gtk_widget_set_visible(self->unsaved_box, text != NULL);
}

void
desktop_turn_row_take_verdict(DesktopTurnRow *self, JsonObject *verdict)
{
  desktop_verdict_bar_take(self->verdict, verdict);
}

/* ---- what others ask ---------------------------------------------------------------------- */

gint64
desktop_turn_row_get_id(DesktopTurnRow *self)
{
  return self->turn ? (gint64)desktop_turn_number(json_node_get_object(self->turn), "turn_id", 0)
                    : 0;
}

void
desktop_turn_row_set_conversation(DesktopTurnRow *self, gint64 conversation)
{
  self->conversation = conversation;
}

gint64
desktop_turn_row_get_conversation(DesktopTurnRow *self)
{
  if (self->conversation == 0 && self->turn) {
    return (gint64)desktop_turn_number(json_node_get_object(self->turn), "conversation", 0);
  }
  return self->conversation;
}

gboolean
desktop_turn_row_is_answered(DesktopTurnRow *self)
{
  return self->turn != NULL;
}

gboolean
desktop_turn_row_is_failed(DesktopTurnRow *self)
{
  return self->is_failed;
}

const DesktopQuestion *
desktop_turn_row_get_asked(DesktopTurnRow *self)
{
  return self->asked;
}

const char *
desktop_turn_row_get_question(DesktopTurnRow *self)
{
  return gtk_label_get_text(self->question);
}

const char *
desktop_turn_row_get_answer(DesktopTurnRow *self)
{
  g_return_val_if_fail(DESKTOP_IS_TURN_ROW(self), NULL);
  desktop_turn_row_flush(self);
  return gtk_label_get_text(self->answer);
}

void
desktop_turn_row_focus_answer(DesktopTurnRow *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self->answer));
  /* A label that gets the focus selects all of itself. */
  gtk_label_select_region(self->answer, 0, 0);
}

/* ---- hands -------------------------------------------------------------------------------- */

static void
copy(DesktopTurnRow *self, const char *text, const char *told)
{
  gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), text);
  gtk_widget_activate_action(GTK_WIDGET(self), "win.toast", "s", told);
}

static void
on_copy_answer(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopTurnRow *self = DESKTOP_TURN_ROW(widget);

  copy(self, gtk_label_get_text(self->answer), _("Answer copied"));
}

static void
on_copy_turn(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopTurnRow *self = DESKTOP_TURN_ROW(widget);
  g_autofree char *details = desktop_turn_row_details_text(self);
  const char *verdict = desktop_verdict_bar_get_text(self->verdict);
  g_autofree char *text =
      g_strdup_printf("%s\n\n%s\n\n%s\n%s%s%s\n", gtk_label_get_text(self->question),
                      gtk_label_get_text(self->answer), details, verdict, *verdict ? "\n" : "",
                      _("Research use only. Not for clinical use"));

  copy(self, text, _("Question, answer and details copied"));
}

static void
on_again(GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit(widget, signals[AGAIN], 0);
}

static void
on_edit(GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit(widget, signals[EDIT], 0);
}

static void
on_check_blank(GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit(widget, signals[CHECK], 0, (guint)APP_CHECK_BLANK);
}

static void
on_check_seeds(GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit(widget, signals[CHECK], 0, (guint)APP_CHECK_SEEDS);
}

static void
on_back(DesktopTurnRow *self)
{
  g_signal_emit(self, signals[SWITCH], 0, -1);
}

static void
on_on(DesktopTurnRow *self)
{
  g_signal_emit(self, signals[SWITCH], 0, 1);
}

static void
on_judge(DesktopTurnRow *self, guint verdict, const char *text)
{
  g_signal_emit(self, signals[JUDGED], 0, verdict, text);
}

static void
on_details(DesktopTurnRow *self)
{
  gboolean open = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(self->details_button));

  if (open) {
    desktop_turn_row_fill_details(self);
  }
  gtk_widget_set_visible(GTK_WIDGET(self->details), open);
  gtk_revealer_set_reveal_child(self->details, open);
  gtk_accessible_update_state(GTK_ACCESSIBLE(self->details_button), GTK_ACCESSIBLE_STATE_EXPANDED,
                              open, -1);
}

static void
on_others(DesktopTurnRow *self)
{
  gboolean open = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(self->others_button));

  gtk_widget_set_visible(GTK_WIDGET(self->others_revealer), open);
  gtk_revealer_set_reveal_child(self->others_revealer, open);
  gtk_accessible_update_state(GTK_ACCESSIBLE(self->others_button), GTK_ACCESSIBLE_STATE_EXPANDED,
                              open, -1);
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_turn_row_dispose(GObject *object)
{
  DesktopTurnRow *self = DESKTOP_TURN_ROW(object);

  desktop_turn_row_stop_clock(self);
  g_clear_handle_id(&self->flushing, g_source_remove);
  G_OBJECT_CLASS(desktop_turn_row_parent_class)->dispose(object);
}

static void
desktop_turn_row_finalize(GObject *object)
{
  DesktopTurnRow *self = DESKTOP_TURN_ROW(object);

  g_clear_pointer(&self->asked, desktop_question_free);
  g_clear_pointer(&self->turn, json_node_unref);
  g_clear_pointer(&self->pieces, g_array_unref);
  g_string_free(self->text, TRUE);
  g_free(self->phase_text);
  g_free(self->check_text);
  G_OBJECT_CLASS(desktop_turn_row_parent_class)->finalize(object);
}

static void
bind_template(GtkWidgetClass *class)
{
  static const struct {
    const char *name;
    gssize offset;
  } children[] = {
#define CHILD(name) {#name, G_STRUCT_OFFSET(DesktopTurnRow, name)}
      CHILD(question),        CHILD(answer),        CHILD(phase),        CHILD(provenance),
      CHILD(failure),         CHILD(unsaved),       CHILD(version),      CHILD(legend),
      CHILD(check),           CHILD(others),        CHILD(working),      CHILD(spinner),
      CHILD(footer),          CHILD(failure_box),   CHILD(unsaved_box),  CHILD(buttons),
      CHILD(versions),        CHILD(back),          CHILD(on),           CHILD(check_box),
      CHILD(check_icon),      CHILD(check_spinner), CHILD(details),      CHILD(details_button),
      CHILD(others_revealer), CHILD(verdict),       CHILD(others_button)
#undef CHILD
  };

  gtk_widget_class_set_template_from_resource(class, "/org/hilum/Hilum/turn-row.ui");
  for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
    gtk_widget_class_bind_template_child_full(class, children[i].name, FALSE, children[i].offset);
  }
  gtk_widget_class_bind_template_callback(class, on_back);
  gtk_widget_class_bind_template_callback(class, on_on);
  gtk_widget_class_bind_template_callback(class, on_judge);
  gtk_widget_class_bind_template_callback(class, on_details);
  gtk_widget_class_bind_template_callback(class, on_others);
  gtk_widget_class_bind_template_callback(class, desktop_turn_row_tooltip);
}

static void
desktop_turn_row_class_init(DesktopTurnRowClass *class)
{
  const GType type = DESKTOP_TYPE_TURN_ROW;
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_turn_row_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_turn_row_finalize;
  g_type_ensure(DESKTOP_TYPE_VERDICT_BAR);
  bind_template(widget_class);
  gtk_widget_class_install_action(widget_class, "turn.copy-answer", NULL, on_copy_answer);
  gtk_widget_class_install_action(widget_class, "turn.copy-turn", NULL, on_copy_turn);
  gtk_widget_class_install_action(widget_class, "turn.again", NULL, on_again);
  gtk_widget_class_install_action(widget_class, "turn.edit", NULL, on_edit);
  gtk_widget_class_install_action(widget_class, "turn.check-blank", NULL, on_check_blank);
  gtk_widget_class_install_action(widget_class, "turn.check-seeds", NULL, on_check_seeds);
  signals[AGAIN] =
      g_signal_new("again", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[EDIT] =
      g_signal_new("edit", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SWITCH] = g_signal_new("switch", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_INT);
  signals[JUDGED] = g_signal_new("judge", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 2, G_TYPE_UINT, G_TYPE_STRING);
  signals[CHECK] = g_signal_new("check", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                1, G_TYPE_UINT);
  signals[LOOK] = g_signal_new("look", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                               DESKTOP_TYPE_SEEN);
}

static void
desktop_turn_row_init(DesktopTurnRow *self)
{
  self->text = g_string_new(NULL);
  gtk_widget_init_template(GTK_WIDGET(self));
  /* At the end of the verdict's line: one line of buttons for an answer. */
  g_object_ref(self->buttons);
  gtk_box_remove(GTK_BOX(self->footer), self->buttons);
  desktop_verdict_bar_add_action(self->verdict, self->buttons);
  g_object_unref(self->buttons);
  desktop_turn_row_update_actions(self);
}
