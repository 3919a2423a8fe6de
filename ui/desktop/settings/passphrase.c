/* passphrase.c - asks the user for the passphrase of a log, whichever thread opens it.
 *
 * Invariants:
 * 1. A thread that asks sleeps until its question is answered or refused; the main loop does
 *    either. A question lives on the asker's stack and is touched under the mutex alone.
 * 2. One dialog at a time; it and its fields are the main thread's. What is answered there is the
 *    answer to everyone who waits for the same, and so is a refusal: nobody is asked twice.
 * 3. A dialog goes away with its window, which refuses; without a window there is nobody to ask.
 */
#include "settings/passphrase.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

#include "app_secrets.h"

typedef struct {
  gboolean again; /* for a new one */
  gboolean answered;
  char *passphrase; /* NULL: refused */
} Question;

static struct {
  GMutex mutex;
  GCond answered;
  GQueue waiting;   /* of Question */
  gboolean refused; /* the passphrase in use */
  gboolean heard;   /* one was given already: it was wrong if that is asked again */
  GtkWidget *dialog;
  gboolean gone; /* it is closed and has not answered yet */
} state;

static gboolean show(gpointer nothing);

/* ---- answering --------------------------------------------------------------------------------
 */

/* PASSPHRASE may be NULL. All who wait for a passphrase in use, or the first for a new one. */
static void
answer(gboolean again, const char *passphrase)
{
  GList *next;
  gboolean more = TRUE;

  g_mutex_lock(&state.mutex);
  for (GList *l = state.waiting.head; l && more; l = next) {
    Question *question = l->data;
    next = l->next;
    if (question->again == again) {
      question->passphrase = g_strdup(passphrase);
      question->answered = TRUE;
      g_queue_delete_link(&state.waiting, l);
      more = !again;
    }
  }
  if (again) {
    state.heard = FALSE;
  } else {
    state.refused = !passphrase;
    state.heard = passphrase != NULL;
  }
  more = state.waiting.length > 0;
  g_cond_broadcast(&state.answered);
  g_mutex_unlock(&state.mutex);
  if (more) {
    g_idle_add(show, NULL);
  }
}

/* ---- the dialog -------------------------------------------------------------------------------
 */

/* Of a dialog whose widgets may be gone: it answers after it has closed. */
static const char *
text_of(GtkWidget *dialog, const char *name)
{
  GtkEntryBuffer *buffer = g_object_get_data(G_OBJECT(dialog), name);

  return buffer ? gtk_entry_buffer_get_text(buffer) : NULL;
}

static void
on_typed(GtkEditable *entry, GtkWidget *dialog)
{
  const char *first = text_of(dialog, "first"), *second = text_of(dialog, "second");

  adw_message_dialog_set_response_enabled(ADW_MESSAGE_DIALOG(dialog), "use",
                                          *first && (!second || g_str_equal(first, second)));
}

static void
on_response(AdwMessageDialog *dialog, const char *response, gpointer again)
{
  if (state.dialog == GTK_WIDGET(dialog)) {
    state.dialog = NULL;
    state.gone = FALSE;
    answer(GPOINTER_TO_INT(again),
           g_str_equal(response, "use") ? text_of(GTK_WIDGET(dialog), "first") : NULL);
  }
}

static gboolean
refuse(gpointer again)
{
  if (state.gone) { /* not answered since */
    state.gone = FALSE;
    state.dialog = NULL;
    answer(GPOINTER_TO_INT(again), NULL);
  }
  return G_SOURCE_REMOVE;
}

static void
on_window_gone(GtkWidget *dialog)
{
  if (state.dialog == dialog) {
    state.dialog = NULL;
    state.gone = FALSE;
    answer(g_object_get_data(G_OBJECT(dialog), "second") != NULL, NULL);
    gtk_window_destroy(GTK_WINDOW(dialog));
  }
}

/* With its window, and without a word; or an answer comes right behind. Until then there is no
 * other dialog. */
static void
on_destroy(GtkWidget *dialog, gpointer again)
{
  if (state.dialog == dialog) {
    state.gone = TRUE;
    g_idle_add(refuse, again);
  }
}

static void
on_peek(GtkEntry *entry)
{
  gtk_entry_set_visibility(entry, !gtk_entry_get_visibility(entry));
}

/* Not a GtkPasswordEntry: that of GTK 4.8 is told of its text's end after its own, when a key that
 * is under way closes the dialog. The memory is as safe. */
static GtkWidget *
add_entry(GtkWidget *dialog, GtkWidget *box, const char *name, const char *label)
{
  g_autoptr(GtkEntryBuffer) buffer = gtk_password_entry_buffer_new();
  GtkWidget *entry = gtk_entry_new_with_buffer(buffer);

  g_object_set(entry, "visibility", FALSE, "activates-default", TRUE, "placeholder-text", label,
               "input-purpose", GTK_INPUT_PURPOSE_PASSWORD, "secondary-icon-name",
               "view-reveal-symbolic", "secondary-icon-tooltip-text", _("Show or Hide the Text"),
               NULL);
  g_signal_connect(entry, "icon-press", G_CALLBACK(on_peek), NULL);
  gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_object_set_data_full(G_OBJECT(dialog), name, g_object_ref(buffer), g_object_unref);
  g_signal_connect(entry, "changed", G_CALLBACK(on_typed), dialog);
  gtk_box_append(GTK_BOX(box), entry);
  return entry;
}

static GtkWidget *
dialog_new(GtkWindow *window, gboolean again, gboolean wrong)
{
  const char *body =
      again   ? _("What is in the log can be read with it alone. Nobody can find it again: keep it "
                    "where it is safe.")
      : wrong ? _("That passphrase does not open the log. Without the right one nothing of it can "
                  "be read, and nothing is kept in it.")
              : _("The log of conversations is sealed with a passphrase. Without it nothing of the "
                  "log can be read, and nothing is kept in it.");
  GtkWidget *dialog = adw_message_dialog_new(
      window, again ? _("New Passphrase of the Log") : _("Passphrase of the Log"), body);
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *entry;

  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel",
                                   again ? _("_Cancel") : _("_Go On Without"), "use",
                                   again ? _("_Use") : _("_Open the Log"), NULL);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "use",
                                             ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_response_enabled(ADW_MESSAGE_DIALOG(dialog), "use", FALSE);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "use");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  entry = add_entry(dialog, box, "first", _("Passphrase"));
  if (again) {
    add_entry(dialog, box, "second", _("The same again"));
  }
  adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), box);
  g_signal_connect(dialog, "response", G_CALLBACK(on_response), GINT_TO_POINTER(again));
  g_signal_connect(dialog, "destroy", G_CALLBACK(on_destroy), GINT_TO_POINTER(again));
  gtk_window_set_focus(GTK_WINDOW(dialog), entry);
  return dialog;
}

/* The one in use, or any that is on the screen. */
static GtkWindow *
window_to_ask_over(void)
{
  GListModel *windows = gtk_window_get_toplevels();
  GtkWindow *found = NULL;

  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(windows, i);
    if (gtk_widget_get_mapped(GTK_WIDGET(window)) && (!found || gtk_window_is_active(window))) {
      found = window;
    }
  }
  return found;
}

static gboolean
show(gpointer nothing)
{
  GtkWindow *window = window_to_ask_over();
  const Question *first;
  gboolean again = FALSE, wrong, waits;

  g_mutex_lock(&state.mutex);
  first = g_queue_peek_head(&state.waiting);
  waits = first != NULL;
  if (first) {
    again = first->again;
  }
  wrong = state.heard;
  g_mutex_unlock(&state.mutex);
  if (!waits || state.dialog) {
    return G_SOURCE_REMOVE;
  }
  if (!window) {
    answer(again, NULL);
    return G_SOURCE_REMOVE;
  }
  state.dialog = dialog_new(window, again, wrong);
  /* A closed window is destroyed when its jobs are over, and one of them may be waiting here. */
  g_signal_connect_object(window, "unmap", G_CALLBACK(on_window_gone), state.dialog,
                          G_CONNECT_SWAPPED);
  gtk_window_present(GTK_WINDOW(state.dialog));
  return G_SOURCE_REMOVE;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

static char *
ask(gboolean again, gpointer nothing, GError **error)
{
  Question question = {.again = again};
  gboolean waits;

  g_mutex_lock(&state.mutex);
  /* The main thread would wait for itself. */
  waits = !g_main_context_is_owner(NULL) && (again || !state.refused);
  if (waits) {
    g_queue_push_tail(&state.waiting, &question);
    g_idle_add_full(G_PRIORITY_DEFAULT, show, NULL, NULL);
  }
  while (waits && !question.answered) {
    g_cond_wait(&state.answered, &state.mutex);
  }
  g_mutex_unlock(&state.mutex);
  if (!question.passphrase) {
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                        _("the log is locked: its passphrase was not given"));
  }
  return question.passphrase;
}

void
desktop_passphrase_attach(void)
{
  desktop_passphrase_again();
  app_set_ask_passphrase(ask, NULL);
  app_set_ask_again(TRUE);
}

void
desktop_passphrase_again(void)
{
  g_mutex_lock(&state.mutex);
  state.refused = FALSE;
  state.heard = FALSE;
  g_mutex_unlock(&state.mutex);
}
