/* window-pane.c - the list of what the study holds: series, documents, and what was refused. */
#include "window/window-private.h"

/* More are in the tooltip. */
#define MAX_NOTES 2

static GtkWidget *
small_label(const char *text)
{
  GtkWidget *label = gtk_label_new(text);

  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class(label, "caption");
  gtk_widget_add_css_class(label, "dim-label");
  return label;
}

static GtkWidget *
row_box(const char *title_text, const char *subtitle)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *title = gtk_label_new(title_text);

  gtk_label_set_ellipsize(GTK_LABEL(title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_tooltip_text(title, title_text);
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), small_label(subtitle));
  return box;
}

/* ---- series ------------------------------------------------------------------------------- */

static void
add_notes(GtkWidget *row, char **notes)
{
  guint n = g_strv_length(notes), n_shown = n > MAX_NOTES ? MAX_NOTES - 1 : n;
  GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *lines = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *icon = gtk_image_new_from_icon_name("dialog-warning-symbolic");
  g_autofree char *all = g_strjoinv("\n", notes);

  gtk_widget_add_css_class(icon, "warning");
  gtk_widget_set_valign(icon, GTK_ALIGN_START);
  for (guint i = 0; i < n_shown; i++) {
    GtkWidget *label = small_label(notes[i]);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_lines(GTK_LABEL(label), 3);
    gtk_box_append(GTK_BOX(lines), label);
  }
  if (n > n_shown) {
    g_autofree char *more = g_strdup_printf("and %u more", n - n_shown);
    gtk_box_append(GTK_BOX(lines), small_label(more));
  }
  gtk_widget_set_tooltip_text(line, all);
  gtk_box_append(GTK_BOX(line), icon);
  gtk_box_append(GTK_BOX(line), lines);
  gtk_box_append(GTK_BOX(row), line);
}

static GtkWidget *
series_row(const AppSeriesInfo *info)
{
  g_autofree char *subtitle =
      info->is_localizer ? g_strdup_printf("%s · localizer", info->subtitle) : NULL;
  GtkWidget *box = row_box(info->title, subtitle ? subtitle : info->subtitle);

  if (info->notes[0]) {
    add_notes(box, info->notes);
  }
  return box;
}

static void
on_series_selected(GtkListBox *list, GtkListBoxRow *row, DesktopWindow *self)
{
  if (row && self->study) {
    desktop_window_select_series(self, (guint)gtk_list_box_row_get_index(row));
  }
}

/* ---- documents ---------------------------------------------------------------------------- */

static GtkWidget *
document_row(const AppDocument *document)
{
  GtkWidget *row = gtk_list_box_row_new();
  GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *box = row_box(document->title, document->kind);
  GtkWidget *icon = gtk_image_new_from_icon_name(document->has_text ? "text-x-generic-symbolic"
                                                 : document->is_pdf ? "document-save-symbolic"
                                                                    : "package-x-generic-symbolic");

  gtk_widget_set_hexpand(box, TRUE);
  gtk_box_append(GTK_BOX(line), icon);
  gtk_box_append(GTK_BOX(line), box);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), line);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), document->has_text || document->is_pdf);
  gtk_widget_set_tooltip_text(row, document->has_text ? "Read the Report"
                                   : document->is_pdf ? "Save PDF…"
                                                      : document->kind);
  return row;
}

static void
on_document_activated(GtkListBox *list, GtkListBoxRow *row, DesktopWindow *self)
{
  if (self->study) {
    desktop_window_open_document(self, (guint)gtk_list_box_row_get_index(row));
  }
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void
empty_list(GtkListBox *list)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child(GTK_WIDGET(list)))) {
    gtk_list_box_remove(list, child);
  }
}

static void
show_summary(DesktopWindow *self)
{
  guint n_refused = 0;
  const char *why = app_study_refused(self->study, &n_refused);
  const char *summary = app_study_summary(self->study);
  g_auto(GStrv) reasons = g_strsplit(why, "\n", -1);
  g_autofree char *spaced = g_strjoinv("\n\n", reasons);

  gtk_label_set_text(self->summary_label, summary);
  gtk_menu_button_set_label(self->refused_button, summary);
  gtk_label_set_text(self->refused_text, spaced);
  gtk_widget_set_visible(GTK_WIDGET(self->summary_label), n_refused == 0);
  gtk_widget_set_visible(GTK_WIDGET(self->refused_button), n_refused > 0);
}

void
desktop_window_fill_pane(DesktopWindow *self)
{
  guint n = app_study_n_series(self->study), n_documents = app_study_n_documents(self->study);
  gboolean is_odd = n != 1 || n_documents > 0;
  guint n_refused = 0;

  empty_list(self->series_list);
  empty_list(self->documents_list);
  for (guint i = 0; i < n; i++) {
    const AppSeriesInfo *info = app_study_series(self->study, i);

    gtk_list_box_append(self->series_list, series_row(info));
    is_odd = is_odd || info->notes[0];
  }
  for (guint i = 0; i < n_documents; i++) {
    gtk_list_box_append(self->documents_list, document_row(app_study_document(self->study, i)));
  }
  gtk_widget_set_visible(GTK_WIDGET(self->series_list), n > 0);
  gtk_widget_set_visible(self->documents_title, n_documents > 0);
  gtk_widget_set_visible(GTK_WIDGET(self->documents_list), n_documents > 0);
  show_summary(self);
  app_study_refused(self->study, &n_refused);
  /* One series with nothing to say of it needs no list. */
  gtk_widget_set_visible(self->series_pane, is_odd || n_refused > 0);
  gtk_list_box_select_row(self->series_list, gtk_list_box_get_row_at_index(self->series_list, 0));
}

void
desktop_window_pane_setup(DesktopWindow *self)
{
  g_signal_connect(self->series_list, "row-selected", G_CALLBACK(on_series_selected), self);
  g_signal_connect(self->documents_list, "row-activated", G_CALLBACK(on_document_activated), self);
}
