/* output-warning.c - says, before a picture goes away, whom it may name. */
#include "output/output-private.h"

#include <glib/gi18n.h>

typedef struct {
  DesktopOutput *output;
  DesktopOutputGoOn go_on;
} Question;

/* The text over the picture: whether a name, a number or a date of birth is among it. */
static gboolean
shows_patient(const DesktopOutput *output)
{
  char **lines = app_slice_facts(output->picture.slice)->patient_lines;

  return output->kind == DESKTOP_OUTPUT_SCREEN && lines && lines[0];
}

static void
on_response(AdwMessageDialog *dialog, const char *response, gpointer data)
{
  Question *question = data;

  if (g_str_equal(response, "go-on")) {
    question->go_on(question->output);
  } else {
    desktop_output_free(question->output);
  }
  g_free(question);
}

void
desktop_output_confirm(DesktopOutput *output, const char *verb, DesktopOutputGoOn go_on)
{
  const char *text =
      shows_patient(output) ? _("The text in the corners says who the patient is.") : NULL;
  g_autofree char *both = g_strjoin(text && output->warning ? "\n\n" : "", text ? text : "",
                                    output->warning ? output->warning : "", NULL);
  GtkWidget *dialog;
  Question *question;

  if (!*both) {
    go_on(output);
    return;
  }
  question = g_new0(Question, 1);
  question->output = output;
  question->go_on = go_on;
  dialog = adw_message_dialog_new(GTK_WINDOW(output->window), _("The Patient May Be Named"), both);
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "go-on",
                                   verb, NULL);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "go-on",
                                             ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  g_signal_connect(dialog, "response", G_CALLBACK(on_response), question);
  g_signal_connect_object(output->window, "unrealize", G_CALLBACK(gtk_window_close), dialog,
                          G_CONNECT_SWAPPED);
  gtk_window_present(GTK_WINDOW(dialog));
}
