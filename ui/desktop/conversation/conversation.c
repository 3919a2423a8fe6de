/* conversation.c - the talk beside the picture: its life, and what it is told. */
#include "conversation/conversation-private.h"

#include <glib/gi18n.h>

#include "settings/keys.h"

G_DEFINE_FINAL_TYPE(DesktopConversation, desktop_conversation, GTK_TYPE_BOX)

static guint signals[DESKTOP_CONVERSATION_N_SIGNALS];

enum { SHOW_SURE = 1, CHECK_BLANK, N_PROPERTIES };

void
desktop_conversation_emit(DesktopConversation *self, DesktopConversationSignal signal, ...)
{
  va_list arguments;

  va_start(arguments, signal);
  g_signal_emit_valist(self, signals[signal], 0, arguments);
  va_end(arguments);
}

/* ---- what it is told ----------------------------------------------------------------------- */

void
desktop_conversation_update(DesktopConversation *self)
{
  desktop_conversation_update_chips(self);
  desktop_conversation_update_entry(self);
  desktop_conversation_update_offers(self);
}

void
desktop_conversation_set_state(DesktopConversation *self, gboolean can_ask, gboolean working)
{
  g_return_if_fail(DESKTOP_IS_CONVERSATION(self));
  if (self->can_ask != can_ask || self->working != working) {
    self->can_ask = can_ask;
    self->working = working;
    desktop_conversation_update(self);
  }
}

void
desktop_conversation_set_about(DesktopConversation *self, DesktopAbout *about)
{
  g_return_if_fail(DESKTOP_IS_CONVERSATION(self));
  if (about == self->about) {
    return;
  }
  if (!desktop_about_same(about, self->about)) {
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->add), FALSE);
  }
  g_clear_pointer(&self->about, desktop_about_unref);
  self->about = about ? desktop_about_ref(about) : NULL;
  desktop_conversation_update_chips(self);
  desktop_conversation_update_entry(self);
}

void
desktop_conversation_set_warnings(DesktopConversation *self, const char *const *sentences)
{
  g_autofree char *text = sentences ? g_strjoinv("\n", (char **)sentences) : NULL;

  gtk_label_set_text(self->warnings_label, text ? text : "");
  gtk_widget_set_visible(self->warnings, text && *text);
}

void
desktop_conversation_set_model_status(DesktopConversation *self, const char *text, gboolean busy,
                                      gboolean failed)
{
  gtk_label_set_text(self->model_label, text ? text : "");
  gtk_widget_set_visible(self->model_box, text != NULL);
  gtk_widget_set_visible(self->model_spinner, busy);
  gtk_spinner_set_spinning(GTK_SPINNER(self->model_spinner), busy);
  gtk_widget_set_visible(self->model_error, failed);
}

void
desktop_conversation_set_away(DesktopConversation *self, const char *host)
{
  g_autofree char *text =
      host ? g_strdup_printf(_("Pictures and questions are sent to %s"), host) : NULL;

  gtk_label_set_text(self->away_label, text ? text : "");
  gtk_widget_set_visible(self->away, text != NULL);
}

void
desktop_conversation_set_logged(DesktopConversation *self, gboolean logged)
{
  adw_status_page_set_description(
      self->empty_page, logged ? _("Each question is about the image and the window on the screen. "
                                   "Answers, and what they were asked on, are kept in the log.")
                               : _("Each question is about the image and the window on the screen. "
                                   "No log is kept."));
}

gboolean
desktop_conversation_get_check_blank(DesktopConversation *self)
{
  return self->check_blank;
}

/* ---- hands --------------------------------------------------------------------------------- */

static void
on_stop(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_STOP);
}

static void
on_anew(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_BEGIN_ANEW);
}

static void
on_describe(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_DESCRIBE, (guint)APP_LENGTH_AUTO);
}

static void
on_resume(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_RESUME);
}

static void
on_leave_past(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_LEAVE_PAST);
}

static void
on_go_on_here(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_GO_ON_HERE);
}

static void
on_cancel_editing(DesktopConversation *self)
{
  desktop_conversation_edit_turn(self, NULL);
  desktop_conversation_set_question(self, "");
}

static void
describe(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopConversation *self = DESKTOP_CONVERSATION(widget);
  const char *length = g_variant_get_string(parameter, NULL);

  if (gtk_widget_get_sensitive(self->describe)) {
    desktop_conversation_emit(self, DESKTOP_CONVERSATION_DESCRIBE,
                              g_str_equal(length, "brief")      ? (guint)APP_LENGTH_BRIEF
                              : g_str_equal(length, "detailed") ? (guint)APP_LENGTH_DETAILED
                                                                : (guint)APP_LENGTH_AUTO);
  }
}

static void
suggest(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_conversation_suggested(DESKTOP_CONVERSATION(widget),
                                 g_variant_get_string(parameter, NULL));
}

/* ---- class -------------------------------------------------------------------------------- */

static void
set_sure(DesktopTurnRow *row, gpointer user)
{
  desktop_turn_row_set_sure(row, DESKTOP_CONVERSATION(user)->show_sure);
}

static void
desktop_conversation_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  DesktopConversation *self = DESKTOP_CONVERSATION(object);

  if (id == SHOW_SURE) {
    self->show_sure = g_value_get_boolean(value);
    desktop_conversation_each_row(self, set_sure, self);
  } else if (id == CHECK_BLANK) {
    self->check_blank = g_value_get_boolean(value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void
desktop_conversation_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  DesktopConversation *self = DESKTOP_CONVERSATION(object);

  if (id == SHOW_SURE || id == CHECK_BLANK) {
    g_value_set_boolean(value, id == SHOW_SURE ? self->show_sure : self->check_blank);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void
bind_template(GtkWidgetClass *class)
{
  static const struct {
    const char *name;
    gssize offset;
  } children[] = {
#define CHILD(name) {#name, G_STRUCT_OFFSET(DesktopConversation, name)}
      CHILD(pages),
      CHILD(buttons),
      CHILD(empty_page),
      CHILD(list),
      CHILD(past_list),
      CHILD(scroller),
      CHILD(composer),
      CHILD(past_bar),
      CHILD(warnings),
      CHILD(model_box),
      CHILD(model_spinner),
      CHILD(model_error),
      CHILD(describe),
      CHILD(anew),
      CHILD(ask),
      CHILD(stop),
      CHILD(away),
      CHILD(add),
      CHILD(editing_box),
      CHILD(earlier_box),
      CHILD(suggest),
      CHILD(starters),
      CHILD(chips),
      CHILD(resume),
      CHILD(past_back),
      CHILD(past_spinner),
      CHILD(past_failure),
      CHILD(away_label),
      CHILD(model_label),
      CHILD(notice),
      CHILD(warnings_label),
      CHILD(past_title),
      CHILD(about_note),
      CHILD(entry),
      CHILD(add_prior),
      CHILD(go_on_here)
#undef CHILD
  };

  gtk_widget_class_set_template_from_resource(class, "/org/hilum/Hilum/conversation.ui");
  for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
    gtk_widget_class_bind_template_child_full(class, children[i].name, FALSE, children[i].offset);
  }
  gtk_widget_class_bind_template_callback(class, desktop_conversation_on_ask);
  gtk_widget_class_bind_template_callback(class, desktop_conversation_show_live);
  gtk_widget_class_bind_template_callback(class, desktop_conversation_update);
  gtk_widget_class_bind_template_callback(class, on_describe);
  gtk_widget_class_bind_template_callback(class, on_stop);
  gtk_widget_class_bind_template_callback(class, on_anew);
  gtk_widget_class_bind_template_callback(class, on_resume);
  gtk_widget_class_bind_template_callback(class, on_leave_past);
  gtk_widget_class_bind_template_callback(class, on_cancel_editing);
  gtk_widget_class_bind_template_callback(class, on_go_on_here);
}

static void
desktop_conversation_dispose(GObject *object)
{
  DesktopConversation *self = DESKTOP_CONVERSATION(object);

  g_clear_handle_id(&self->going, g_source_remove);
  g_clear_object(&self->editing);
  G_OBJECT_CLASS(desktop_conversation_parent_class)->dispose(object);
}

static void
desktop_conversation_finalize(GObject *object)
{
  DesktopConversation *self = DESKTOP_CONVERSATION(object);

  desktop_conversation_versions_clear(self);
  g_clear_pointer(&self->about, desktop_about_unref);
  G_OBJECT_CLASS(desktop_conversation_parent_class)->finalize(object);
}

static void
install_signals(void)
{
  static const struct {
    const char *name;
    guint n_types;
    GType types[3];
  } all[DESKTOP_CONVERSATION_N_SIGNALS] = {
      [DESKTOP_CONVERSATION_ASK] = {"ask", 1, {G_TYPE_STRING}},
      [DESKTOP_CONVERSATION_DESCRIBE] = {"describe", 1, {G_TYPE_UINT}},
      [DESKTOP_CONVERSATION_STOP] = {"stop", 0, {0}},
      [DESKTOP_CONVERSATION_BEGIN_ANEW] = {"begin-anew", 0, {0}},
      [DESKTOP_CONVERSATION_APPROACHED] = {"approached", 0, {0}},
      [DESKTOP_CONVERSATION_ASK_AGAIN] = {"ask-again", 2, {G_TYPE_OBJECT, G_TYPE_STRING}},
      [DESKTOP_CONVERSATION_JUDGE] = {"judge", 3, {G_TYPE_OBJECT, G_TYPE_UINT, G_TYPE_STRING}},
      [DESKTOP_CONVERSATION_CHECK] = {"check", 2, {G_TYPE_OBJECT, G_TYPE_UINT}},
      [DESKTOP_CONVERSATION_LOOK] = {"look", 1, {G_TYPE_OBJECT}},
      [DESKTOP_CONVERSATION_SHOW_ABOUT] = {"show-about", 1, {G_TYPE_POINTER}},
      [DESKTOP_CONVERSATION_RESUME] = {"resume", 0, {0}},
      [DESKTOP_CONVERSATION_LEAVE_PAST] = {"leave-past", 0, {0}},
      [DESKTOP_CONVERSATION_GO_ON_HERE] = {"go-on-here", 0, {0}}};

  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    signals[i] =
        g_signal_newv(all[i].name, DESKTOP_TYPE_CONVERSATION, G_SIGNAL_RUN_LAST, NULL, NULL, NULL,
                      NULL, G_TYPE_NONE, all[i].n_types, (GType *)all[i].types);
  }
}

static void
install_properties(GObjectClass *class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  class->set_property = desktop_conversation_set_property;
  class->get_property = desktop_conversation_get_property;
  g_object_class_install_property(class, SHOW_SURE,
                                  g_param_spec_boolean("show-sure", NULL, NULL, FALSE, flags));
  g_object_class_install_property(class, CHECK_BLANK,
                                  g_param_spec_boolean("check-blank", NULL, NULL, FALSE, flags));
}

static void
desktop_conversation_class_init(DesktopConversationClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_conversation_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_conversation_finalize;
  install_properties(G_OBJECT_CLASS(class));
  install_signals();
  g_type_ensure(DESKTOP_TYPE_QUESTION_ENTRY);
  bind_template(widget_class);
  gtk_widget_class_install_action(widget_class, "conversation.describe", "s", describe);
  gtk_widget_class_install_action(widget_class, "conversation.suggest", "s", suggest);
  gtk_widget_class_install_property_action(widget_class, "conversation.show-sure", "show-sure");
  gtk_widget_class_install_property_action(widget_class, "conversation.check-blank", "check-blank");
}

static void
desktop_conversation_init(DesktopConversation *self)
{
  desktop_conversation_versions_setup(self);
  gtk_widget_init_template(GTK_WIDGET(self));
  desktop_keys_mark(self->stop, "win.stop");
  desktop_keys_mark(self->describe, "win.describe");
  desktop_keys_mark(self->anew, "win.new-conversation");
  desktop_keys_mark(GTK_WIDGET(self->entry), "win.focus-question");
  gtk_label_set_text(self->notice, _("Research use only. Not for clinical use"));
  desktop_conversation_turns_setup(self);
  desktop_conversation_entry_setup(self);
  desktop_conversation_update(self);
}
