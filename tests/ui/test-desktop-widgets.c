/* test-desktop-widgets.c - the rows of a conversation. */
#include <adwaita.h>
#include <string.h>

#include "conversation/conversation.h"

/* ---- conversation ------------------------------------------------------------------------- */

static void
test_row_text(void)
{
  g_autoptr(GtkWidget) widget = g_object_ref_sink(desktop_turn_row_new("Why?", "CT 2/3"));
  DesktopTurnRow *row = DESKTOP_TURN_ROW(widget);

  desktop_turn_row_set_phase(row, "image", 1, 2);
  desktop_turn_row_set_phase(row, "image", 0, 0);
  desktop_turn_row_set_phase(row, "prompt", 0, 0);
  desktop_turn_row_append(row, "a\xe2\x82", 3); /* two thirds of a euro sign */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a");
  desktop_turn_row_append(row, "\xac!", 2);
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a\u20ac!");
  desktop_turn_row_append(row, "\xff\xff\xff\xff<b>", 7); /* never a character, and no markup */
  g_assert_cmpstr(desktop_turn_row_get_answer(row), ==, "a\u20ac!\ufffd\ufffd\ufffd\ufffd<b>");
}

static void
count_asked(DesktopConversation *conversation, const char *question, GString *heard)
{
  g_string_append_printf(heard, "%s;", question);
}

static void
test_asking(void)
{
  g_autoptr(GtkWidget) widget = g_object_ref_sink(g_object_new(DESKTOP_TYPE_CONVERSATION, NULL));
  DesktopConversation *conversation = DESKTOP_CONVERSATION(widget);
  GtkEditable *entry = desktop_conversation_get_entry(conversation);
  g_autoptr(GString) heard = g_string_new(NULL);

  g_signal_connect(conversation, "ask", G_CALLBACK(count_asked), heard);
  gtk_editable_set_text(entry, "too early");
  g_signal_emit_by_name(entry, "activate");
  desktop_conversation_set_state(conversation, TRUE, FALSE);
  gtk_editable_set_text(entry, "   ");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpstr(heard->str, ==, "");
  gtk_editable_set_text(entry, "  a nodule? ");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpstr(heard->str, ==, "a nodule?;");
  /* The question leaves the entry only once it is a turn. */
  g_assert_cmpstr(gtk_editable_get_text(entry), ==, "  a nodule? ");
  desktop_conversation_add_turn(conversation, "a nodule?", "CT");
  g_assert_cmpstr(gtk_editable_get_text(entry), ==, "");
  desktop_conversation_set_state(conversation, TRUE, TRUE);
  gtk_editable_set_text(entry, "meanwhile");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpstr(heard->str, ==, "a nodule?;");
}

int
main(int argc, char **argv)
{
  /* So that accessible properties can be read without a bus. */
  g_setenv("GTK_A11Y", "test", TRUE);
  g_test_init(&argc, &argv, NULL);
  adw_init();
  g_test_add_func("/desktop/conversation/row-text", test_row_text);
  g_test_add_func("/desktop/conversation/asking", test_asking);
  return g_test_run();
}
