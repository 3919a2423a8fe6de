/* turn-check.c - what asking the same again brought to light. */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/turn-row-private.h"

/* Below this, the answers say different things. */
#define AGREES 0.6

static char *
other_answers(JsonObject *result)
{
  JsonArray *answers = desktop_turn_array(result, "answers");
  guint n = answers ? json_array_get_length(answers) : 0;
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < n; i++) {
    JsonObject *other = json_array_get_object_element(answers, i);
    const char *answer = desktop_turn_text(other, "answer");
    g_string_append_printf(text, "%s%u. %s", i > 0 ? "\n" : "", i + 1,
                           *answer ? answer : _("(no answer)"));
  }
  return g_string_free(text, FALSE);
}

static gboolean
flag(JsonObject *object, const char *name, gboolean otherwise)
{
  JsonNode *member = json_object_get_member(object, name);

  return member && json_node_get_value_type(member) == G_TYPE_BOOLEAN
             ? json_node_get_boolean(member)
             : otherwise;
}

/* For people; *BAD: it speaks against the answer. */
static char *
verdict_of(JsonObject *result, gboolean *bad)
{
  JsonArray *answers = desktop_turn_array(result, "answers");
  guint n = answers ? json_array_get_length(answers) : 0;
  double agreement = desktop_turn_number(result, "agreement", 0);

  if (g_str_equal(desktop_turn_text(result, "check"), "blank")) {
    *bad = !flag(result, "depends_on_image", TRUE);
    return g_strdup(*bad ? _("Does not depend on the picture: a blank one gets the same answer.")
                         : _("Depends on the picture: a blank one gets another answer."));
  }
  *bad = agreement < AGREES && !flag(result, "same", FALSE);
  if (flag(result, "same", FALSE)) {
    return g_strdup_printf(
        ngettext("%u other seed gives the same answer.", "%u other seeds give the same answer.", n),
        n);
  }
  return g_strdup_printf(ngettext("With %u other seed, %.0f %% of the words agree.",
                                  "With %u other seeds, %.0f %% of the words agree.", n),
                         n, 100 * agreement);
}

static void
show(DesktopTurnRow *self, gboolean checking)
{
  const char *asking = _("Asking again in the background…");
  g_autofree char *text =
      checking && self->check_text ? g_strdup_printf("%s\n%s", self->check_text, asking) : NULL;

  gtk_label_set_text(self->check, text               ? text
                                  : checking         ? asking
                                  : self->check_text ? self->check_text
                                                     : "");
  gtk_spinner_set_spinning(GTK_SPINNER(self->check_spinner), checking);
  gtk_widget_set_visible(self->check_spinner, checking);
  gtk_widget_set_visible(self->check_icon, self->check_text && !checking);
  gtk_widget_set_visible(self->check_box, self->check_text || checking);
  desktop_turn_row_update_actions(self);
}

void
desktop_turn_row_set_checking(DesktopTurnRow *self, gboolean checking)
{
  show(self, checking);
}

/* Both kinds of check may be made of one answer, and neither hides the other. */
static void
add_text(DesktopTurnRow *self, const char *text)
{
  char *was = self->check_text;

  if (!was || !strstr(was, text)) {
    self->check_text = was ? g_strdup_printf("%s\n%s", was, text) : g_strdup(text);
    g_free(was);
  }
}

void
desktop_turn_row_take_check(DesktopTurnRow *self, JsonObject *result, const char *message)
{
  gboolean bad = TRUE;
  g_autofree char *text = result ? verdict_of(result, &bad) : g_strdup(message);
  g_autofree char *others = result ? other_answers(result) : g_strdup("");
  gboolean is_first = self->check_text == NULL;

  if (text) {
    add_text(self, text);
    if (*others) {
      gtk_label_set_text(self->others, others);
      gtk_widget_set_visible(self->others_button, TRUE);
    }
    if (bad || is_first) {
      gtk_image_set_from_icon_name(GTK_IMAGE(self->check_icon),
                                   bad ? "dialog-warning-symbolic" : "object-select-symbolic");
    }
    if (bad) { /* loud; what speaks for the answer is quiet */
      gtk_widget_add_css_class(self->check_icon, "warning");
      gtk_widget_add_css_class(self->check_box, "notice");
    }
  }
  show(self, FALSE);
}

void
desktop_turn_row_take_checks(DesktopTurnRow *self, JsonArray *checks)
{
  guint n = checks ? json_array_get_length(checks) : 0;

  for (guint i = 0; i < n; i++) {
    desktop_turn_row_take_check(self, json_array_get_object_element(checks, i), NULL);
  }
}
