/* proof-words.c - see proof-words.h. */
#include "record/proof-words.h"

#include <glib/gi18n.h>

const char *
desktop_proof_title(JsonObject *report)
{
  return json_object_get_boolean_member(report, "whole") ? _("The Log Is Whole")
                                                         : _("The Log Was Changed");
}

char *
desktop_proof_words(JsonObject *report)
{
  const gint64 first = json_object_get_int_member(report, "first");
  const char *found = json_object_get_string_member_with_default(report, "found", "");
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, first);
  g_autofree char *events =
      g_strdup_printf("%" G_GINT64_FORMAT, json_object_get_int_member(report, "events"));
  g_autofree char *later =
      g_strdup_printf("%" G_GINT64_FORMAT, json_object_get_int_member(report, "unsigned_events"));

  if (json_object_get_boolean_member(report, "whole") && g_str_equal(later, "0")) {
    return g_strdup_printf(_("Each of %s events is as it was written and in its place, and all of "
                             "them are signed."),
                           events);
  }
  if (json_object_get_boolean_member(report, "whole")) {
    return g_strdup_printf(_("Each of %s events is as it was written and in its place; %s of them "
                             "came after the last signature."),
                           events, later);
  }
  return first > 0 ? g_strdup_printf(_("Event %s is the first that is not as it should be: %s"),
                                     number, found)
                   : g_strdup(found);
}
