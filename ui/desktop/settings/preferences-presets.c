/* preferences-presets.c - the list of windows for CT: rows that unfold to be edited. */
#include <glib/gi18n.h>
#include <math.h>

#include "settings/preferences-private.h"

/* What a row edits. */
typedef struct {
  DesktopPreferences *preferences;
  guint index;
  AdwEntryRow *name, *width, *center;
  GtkLabel *problem;
} PresetRow;

/* ---- numbers ------------------------------------------------------------------------------ */

/* As people of this place write them; a true minus is read as well. */
static gboolean
read_number(const char *text, double *number)
{
  g_autofree char *plain = g_strstrip(g_strdup(text));
  g_auto(GStrv) parts = g_strsplit(plain, "\u2212", -1);
  g_autofree char *ascii = g_strjoinv("-", parts);
  char *end;

  *number = g_strtod(ascii, &end);
  return end != ascii && *end == '\0' && isfinite(*number);
}

static char *
number_text(double number)
{
  return g_strdup_printf("%s%.10g", number < 0 ? "\u2212" : "", fabs(number));
}

/* ---- one row ------------------------------------------------------------------------------ */

static char *
problem_of(PresetRow *row, double *width, double *center)
{
  if (!read_number(gtk_editable_get_text(GTK_EDITABLE(row->width)), width)) {
    return g_strdup(_("The width must be a number"));
  }
  if (!read_number(gtk_editable_get_text(GTK_EDITABLE(row->center)), center)) {
    return g_strdup(_("The centre must be a number"));
  }
  return desktop_preset_problem(gtk_editable_get_text(GTK_EDITABLE(row->name)), *width, *center);
}

/* A wrong one says so below the entries, and cannot be applied. */
static void
on_edited(PresetRow *row)
{
  double width, center;
  g_autofree char *problem = problem_of(row, &width, &center);

  gtk_label_set_text(row->problem, problem ? problem : "");
  gtk_widget_set_visible(gtk_widget_get_ancestor(GTK_WIDGET(row->problem), GTK_TYPE_LIST_BOX_ROW),
                         problem != NULL);
}

static void
on_apply(PresetRow *row)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(row->preferences->settings);
  double width, center;
  g_autofree char *problem = problem_of(row, &width, &center);

  if (!problem && row->index < presets->len) {
    DesktopPreset *preset = presets->pdata[row->index];
    g_free(preset->name);
    preset->name = g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(row->name))));
    preset->width = width;
    preset->center = center;
    desktop_settings_set_presets(row->preferences->settings, presets);
  }
}

static void
on_remove(PresetRow *row)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(row->preferences->settings);

  if (row->index < presets->len) {
    g_ptr_array_remove_index(presets, row->index);
    desktop_settings_set_presets(row->preferences->settings, presets);
  }
}

static void
on_earlier(PresetRow *row)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(row->preferences->settings);

  if (row->index > 0 && row->index < presets->len) {
    gpointer preset = presets->pdata[row->index];
    presets->pdata[row->index] = presets->pdata[row->index - 1];
    presets->pdata[row->index - 1] = preset;
    desktop_settings_set_presets(row->preferences->settings, presets);
  }
}

static AdwEntryRow *
entry_new(PresetRow *row, const char *title, const char *text)
{
  GtkWidget *entry = adw_entry_row_new();

  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(entry), title);
  gtk_editable_set_text(GTK_EDITABLE(entry), text);
  adw_entry_row_set_show_apply_button(ADW_ENTRY_ROW(entry), TRUE);
  g_signal_connect_swapped(entry, "apply", G_CALLBACK(on_apply), row);
  g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_edited), row);
  return ADW_ENTRY_ROW(entry);
}

static GtkWidget *
button_new(PresetRow *row, const char *icon, const char *tooltip, GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name(icon);

  gtk_widget_set_tooltip_text(button, tooltip);
  gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class(button, "flat");
  g_signal_connect_swapped(button, "clicked", callback, row);
  return button;
}

static GtkWidget *
problem_row_new(PresetRow *row)
{
  GtkWidget *list_row = gtk_list_box_row_new();
  GtkWidget *label = gtk_label_new("");

  row->problem = GTK_LABEL(label);
  gtk_label_set_xalign(row->problem, 0);
  gtk_label_set_wrap(row->problem, TRUE);
  gtk_widget_add_css_class(label, "error");
  gtk_widget_add_css_class(label, "preset-problem");
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(list_row), label);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(list_row), FALSE);
  gtk_widget_set_visible(list_row, FALSE);
  return list_row;
}

static GtkWidget *
preset_row_new(DesktopPreferences *self, guint index, const DesktopPreset *preset)
{
  GtkWidget *widget = adw_expander_row_new();
  PresetRow *row = g_new0(PresetRow, 1);
  g_autofree char *width = number_text(preset->width), *center = number_text(preset->center);
  /* The usual ones have usual names in other languages, too. */
  g_autofree char *title = g_markup_escape_text(_(preset->name), -1);
  g_autofree char *subtitle = g_strdup_printf(_("Width %s, centre %s"), width, center);

  row->preferences = self;
  row->index = index;
  row->name = entry_new(row, _("Name"), preset->name);
  row->width = entry_new(row, _("Width in HU"), width);
  row->center = entry_new(row, _("Centre in HU"), center);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(widget), title);
  adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(widget), subtitle);
  adw_expander_row_add_row(ADW_EXPANDER_ROW(widget), GTK_WIDGET(row->name));
  adw_expander_row_add_row(ADW_EXPANDER_ROW(widget), GTK_WIDGET(row->width));
  adw_expander_row_add_row(ADW_EXPANDER_ROW(widget), GTK_WIDGET(row->center));
  adw_expander_row_add_row(ADW_EXPANDER_ROW(widget), problem_row_new(row));
  /* Actions stand right of each other in the order in which they are added. */
  adw_expander_row_add_action(
      ADW_EXPANDER_ROW(widget),
      button_new(row, "user-trash-symbolic", _("Remove"), G_CALLBACK(on_remove)));
  if (index > 0) {
    adw_expander_row_add_action(
        ADW_EXPANDER_ROW(widget),
        button_new(row, "go-up-symbolic", _("Move Up"), G_CALLBACK(on_earlier)));
  }
  g_object_set_data_full(G_OBJECT(widget), "preset", row, g_free);
  return widget;
}

/* ---- the list ----------------------------------------------------------------------------- */

static void
fill(DesktopPreferences *self)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(self->settings);

  for (guint i = 0; i < self->preset_rows->len; i++) {
    adw_preferences_group_remove(self->presets, self->preset_rows->pdata[i]);
  }
  g_ptr_array_set_size(self->preset_rows, 0);
  for (guint i = 0; i < presets->len; i++) {
    GtkWidget *row = preset_row_new(self, i, presets->pdata[i]);
    adw_preferences_group_add(self->presets, row);
    g_ptr_array_add(self->preset_rows, row);
  }
}

/* Rows are made anew from an idle, because what asks for it sits in one of them. */
static gboolean
fill_later(gpointer self)
{
  fill(self);
  return G_SOURCE_REMOVE;
}

static void
on_changed(DesktopPreferences *self)
{
  g_idle_add_full(G_PRIORITY_HIGH_IDLE, fill_later, g_object_ref(self), g_object_unref);
}

static void
on_add(DesktopPreferences *self)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(self->settings);

  g_ptr_array_add(presets, desktop_preset_new(_("New window"), 400, 40));
  desktop_settings_set_presets(self->settings, presets);
}

static void
on_reset(DesktopPreferences *self)
{
  g_settings_reset(desktop_settings_peek(self->settings), DESKTOP_SETTING_PRESETS);
}

void
desktop_preferences_presets_setup(DesktopPreferences *self)
{
  g_signal_connect_swapped(self->preset_add, "clicked", G_CALLBACK(on_add), self);
  g_signal_connect_swapped(self->preset_reset, "clicked", G_CALLBACK(on_reset), self);
  g_signal_connect_object(desktop_settings_peek(self->settings),
                          "changed::" DESKTOP_SETTING_PRESETS, G_CALLBACK(on_changed), self,
                          G_CONNECT_SWAPPED);
  fill(self);
}
