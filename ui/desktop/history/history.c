/* history.c - past conversations: found by their words, opened, gone on with.
 *
 * One search runs at a time; a newer wish cancels it. What it finds takes the place of what is
 * shown at once, so that the list never flickers empty between two letters.
 */
#include "history/history.h"

#include <glib/gi18n.h>

#include "app_trust.h"
#include "history/history-row.h"

/* More is found by more words. */
#define MOST 200

struct _DesktopHistory {
  GtkBox parent;

  /* Template widgets. */
  GtkSearchEntry *entry;
  GtkStack *pages;
  GtkListBox *list;
  AdwStatusPage *empty_page, *failure_page;
  GtkLabel *count;

  /* Owned. */
  char *path;
  GCancellable *searching; /* NULL: none */
  char *words;             /* what was looked for last; NULL: nothing yet */

  gboolean kept, stale;
};

G_DEFINE_FINAL_TYPE(DesktopHistory, desktop_history, GTK_TYPE_BOX)

enum { CHOSEN, SEARCHED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- searching ----------------------------------------------------------------------------- */

typedef struct {
  DesktopHistory *self;
  GCancellable *cancellable; /* tells whether it is the newest */
} Search;

static void
search_free(Search *search)
{
  g_object_unref(search->cancellable);
  g_object_unref(search->self);
  g_free(search);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Search, search_free)

static void
show_count(DesktopHistory *self, guint n)
{
  g_autofree char *text =
      n < MOST ? g_strdup_printf(ngettext("%u conversation", "%u conversations", n), n)
               : g_strdup_printf(_("The newest %u; more words find the others"), n);

  gtk_label_set_text(self->count, n > 0 ? text : "");
}

static void
show_entries(DesktopHistory *self, GPtrArray *entries)
{
  gboolean has_query = *gtk_editable_get_text(GTK_EDITABLE(self->entry)) != '\0';
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child(GTK_WIDGET(self->list)))) {
    gtk_list_box_remove(self->list, row);
  }
  for (guint i = 0; i < entries->len; i++) {
    gtk_list_box_append(self->list, desktop_history_row_new(entries->pdata[i]));
  }
  show_count(self, entries->len);
  adw_status_page_set_title(self->empty_page,
                            has_query ? _("Nothing Found") : _("No Conversations Yet"));
  adw_status_page_set_description(
      self->empty_page,
      has_query ? _("Words are looked for in questions, answers and what people made of them.")
                : _("What is asked and answered will be found here."));
  gtk_stack_set_visible_child_name(self->pages, entries->len > 0 ? "list" : "empty");
}

static void
show_failure(DesktopHistory *self, const char *message)
{
  g_autofree char *plain = g_markup_escape_text(message, -1);

  gtk_label_set_text(self->count, "");
  adw_status_page_set_description(self->failure_page, plain);
  gtk_stack_set_visible_child_name(self->pages, "failure");
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Search) search = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) entries = app_history_search_finish(result, &error);
  DesktopHistory *self = search->self;

  if (search->cancellable != self->searching) {
    return;
  }
  g_clear_object(&self->searching);
  if (entries) {
    show_entries(self, entries);
  } else {
    show_failure(self, error->message);
  }
}

static void
stop(DesktopHistory *self)
{
  if (self->searching) {
    g_cancellable_cancel(self->searching);
    g_clear_object(&self->searching);
  }
}

static void
look(DesktopHistory *self)
{
  const char *words = gtk_editable_get_text(GTK_EDITABLE(self->entry));
  Search *search;

  stop(self);
  self->stale = FALSE;
  g_free(self->words);
  self->words = g_strdup(words);
  if (!self->kept) {
    show_failure(self, _("No log is kept, so nothing is remembered."));
    return;
  }
  self->searching = g_cancellable_new();
  search = g_new0(Search, 1);
  search->self = g_object_ref(self);
  search->cancellable = g_object_ref(self->searching);
  app_history_search_async(self->path, words, MOST, self->searching, on_found, search);
  if (*words) {
    g_signal_emit(self, signals[SEARCHED], 0, words);
  }
}

/* The entry tells of its text when nothing was typed, too: rows that have the focus stay then. */
static void
on_words(DesktopHistory *self)
{
  if (g_strcmp0(gtk_editable_get_text(GTK_EDITABLE(self->entry)), self->words) != 0) {
    look(self);
  }
}

/* ---- what it is told ----------------------------------------------------------------------- */

void
desktop_history_set_log(DesktopHistory *self, const char *path, gboolean kept)
{
  g_free(self->path);
  self->path = g_strdup(path);
  self->kept = kept;
  desktop_history_refresh(self);
}

void
desktop_history_refresh(DesktopHistory *self)
{
  if (gtk_widget_get_mapped(GTK_WIDGET(self))) {
    look(self);
  } else {
    self->stale = TRUE;
  }
}

void
desktop_history_focus(DesktopHistory *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

GArray *
desktop_history_dup_found(DesktopHistory *self)
{
  GArray *ids = NULL;
  GtkListBoxRow *row;

  for (int i = 0; *gtk_editable_get_text(GTK_EDITABLE(self->entry)) &&
                  (row = gtk_list_box_get_row_at_index(self->list, i));
       i++) {
    const gint64 id = desktop_history_row_get_id(row);

    ids = ids ? ids : g_array_new(FALSE, FALSE, sizeof id);
    g_array_append_val(ids, id);
  }
  return ids;
}

gboolean
desktop_history_is_searching(DesktopHistory *self)
{
  return self->searching != NULL;
}

/* ---- hands --------------------------------------------------------------------------------- */

static void
on_chosen(DesktopHistory *self, GtkListBoxRow *row)
{
  g_signal_emit(self, signals[CHOSEN], 0, desktop_history_row_get_id(row),
                desktop_history_row_get_title(row));
}

/* From the entry into the list. */
static void
on_entered(DesktopHistory *self)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index(self->list, 0);

  if (row) {
    gtk_widget_grab_focus(GTK_WIDGET(row));
  }
}

static void
day_header(GtkListBoxRow *row, GtkListBoxRow *before, gpointer data)
{
  const char *day = desktop_history_row_get_day(row);
  GtkWidget *label;

  if (before && g_strcmp0(day, desktop_history_row_get_day(before)) == 0) {
    gtk_list_box_row_set_header(row, NULL);
    return;
  }
  label = gtk_label_new(day);
  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_widget_add_css_class(label, "caption-heading");
  gtk_widget_add_css_class(label, "history-day");
  gtk_list_box_row_set_header(row, label);
}

/* ---- class --------------------------------------------------------------------------------- */

static void
desktop_history_map(GtkWidget *widget)
{
  DesktopHistory *self = DESKTOP_HISTORY(widget);

  GTK_WIDGET_CLASS(desktop_history_parent_class)->map(widget);
  if (self->stale) {
    look(self);
  }
}

static void
desktop_history_dispose(GObject *object)
{
  stop(DESKTOP_HISTORY(object));
  G_OBJECT_CLASS(desktop_history_parent_class)->dispose(object);
}

static void
desktop_history_finalize(GObject *object)
{
  g_free(DESKTOP_HISTORY(object)->path);
  g_free(DESKTOP_HISTORY(object)->words);
  G_OBJECT_CLASS(desktop_history_parent_class)->finalize(object);
}

static void
desktop_history_class_init(DesktopHistoryClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_history_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_history_finalize;
  widget_class->map = desktop_history_map;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/hilum/Hilum/history.ui");
  gtk_widget_class_bind_template_child(widget_class, DesktopHistory, entry);
  gtk_widget_class_bind_template_child(widget_class, DesktopHistory, pages);
  gtk_widget_class_bind_template_child(widget_class, DesktopHistory, list);
  gtk_widget_class_bind_template_child(widget_class, DesktopHistory, empty_page);
  gtk_widget_class_bind_template_child(widget_class, DesktopHistory, failure_page);
  gtk_widget_class_bind_template_child(widget_class, DesktopHistory, count);
  gtk_widget_class_bind_template_callback(widget_class, on_words);
  gtk_widget_class_bind_template_callback(widget_class, on_chosen);
  gtk_widget_class_bind_template_callback(widget_class, on_entered);
  signals[CHOSEN] = g_signal_new("chosen", DESKTOP_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 2, G_TYPE_INT64, G_TYPE_STRING);
  signals[SEARCHED] = g_signal_new("searched", DESKTOP_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
desktop_history_init(DesktopHistory *self)
{
  self->kept = TRUE;
  self->stale = TRUE;
  gtk_widget_init_template(GTK_WIDGET(self));
  gtk_list_box_set_header_func(self->list, day_header, NULL, NULL);
}
