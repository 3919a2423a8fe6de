/* history-row.c - one past conversation in a few lines. */
#include "history/history-row.h"

#include <glib/gi18n.h>

static GDateTime *
local_time(const char *iso)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso ? iso : "", utc);

  return time ? g_date_time_to_local(time) : NULL;
}

/* "Today", "Yesterday", or the date as people here write it. g_free(). */
static char *
day_of(GDateTime *time)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autoptr(GDateTime) before = g_date_time_add_days(now, -1);
  g_autofree char *day = time ? g_date_time_format(time, "%F") : g_strdup("");
  g_autofree char *today = g_date_time_format(now, "%F");
  g_autofree char *yesterday = g_date_time_format(before, "%F");

  if (g_str_equal(day, today)) {
    return g_strdup(_("Today"));
  }
  if (g_str_equal(day, yesterday)) {
    return g_strdup(_("Yesterday"));
  }
  /* Translators: a date without its time, as g_date_time_format() writes it. */
  return time ? g_date_time_format(time, _("%e %B %Y")) : g_strdup(_("At an unknown time"));
}

static GtkWidget *
line(const char *text, const char *class, int lines)
{
  GtkWidget *label = gtk_label_new(text);

  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_label_set_wrap(GTK_LABEL(label), lines > 1);
  gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_lines(GTK_LABEL(label), lines);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  if (class) {
    gtk_widget_add_css_class(label, class);
  }
  return label;
}

static char *
facts_of(const AppHistoryEntry *entry, GDateTime *time)
{
  g_autofree char *clock = time ? g_date_time_format(time, "%H:%M") : g_strdup("");
  g_autofree char *turns =
      g_strdup_printf(ngettext("%u question", "%u questions", entry->n_turns), entry->n_turns);
  const char *parts[] = {clock, entry->modality, turns, entry->model_name,
                         entry->branch_of ? _("another version") : NULL};
  GString *text = g_string_new(NULL);

  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
    if (parts[i] && *parts[i]) {
      g_string_append_printf(text, "%s%s", text->len > 0 ? " · " : "", parts[i]);
    }
  }
  return g_string_free(text, FALSE);
}

GtkWidget *
desktop_history_row_new(const AppHistoryEntry *entry)
{
  g_autoptr(GDateTime) time = local_time(entry->started);
  GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *facts;
  g_autofree char *text = facts_of(entry, time), *day = day_of(time);
  g_autofree char *clock = time ? g_date_time_format(time, "%H:%M") : g_strdup("");
  const char *asked = entry->first_question ? entry->first_question : "";
  const char *question = entry->erased ? _("Erased") : entry->lost ? _("Lost") : asked;
  const char *modality = entry->modality ? entry->modality : "";

  gtk_box_append(GTK_BOX(box), line(question, NULL, 2));
  if (entry->snippet && *entry->snippet) {
    gtk_box_append(GTK_BOX(box), line(entry->snippet, "dim-label", 3));
  }
  facts = line(text, "caption", 1);
  gtk_widget_add_css_class(facts, "dim-label");
  gtk_widget_add_css_class(facts, "numeric");
  gtk_box_append(GTK_BOX(box), facts);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
  gtk_widget_set_tooltip_text(row, question);
  gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, question,
                                 GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
  g_object_set_data_full(G_OBJECT(row), "id", g_memdup2(&entry->id, sizeof entry->id), g_free);
  g_object_set_data_full(
      G_OBJECT(row), "title",
      g_strdup_printf("%s, %s%s%s", day, clock, *modality ? " · " : "", modality), g_free);
  g_object_set_data_full(G_OBJECT(row), "day", g_steal_pointer(&day), g_free);
  return row;
}

gint64
desktop_history_row_get_id(GtkListBoxRow *row)
{
  const gint64 *id = g_object_get_data(G_OBJECT(row), "id");

  return id ? *id : 0;
}

const char *
desktop_history_row_get_title(GtkListBoxRow *row)
{
  return g_object_get_data(G_OBJECT(row), "title");
}

const char *
desktop_history_row_get_day(GtkListBoxRow *row)
{
  return g_object_get_data(G_OBJECT(row), "day");
}
