/* tags.c - the tag browser: all elements of the file of an image, to be searched and copied. */
#include "tags/tags-private.h"

#include <glib/gi18n.h>
#include <string.h>

G_DEFINE_FINAL_TYPE(DesktopTags, desktop_tags, ADW_TYPE_WINDOW)

/* ---- what is there -------------------------------------------------------------------------- */

static void
show_count(DesktopTags *self)
{
  guint n = self->n_found;
  guint all = g_list_model_get_n_items(G_LIST_MODEL(self->store));
  g_autofree char *text =
      n == all ? g_strdup_printf(ngettext("%u element", "%u elements", all), all)
               : g_strdup_printf(ngettext("%u of %u element", "%u of %u elements", all), n, all);

  gtk_label_set_text(self->count, all > 0 ? text : "");
  gtk_stack_set_visible_child_name(self->pages, n > 0 ? "list" : "nothing");
  if (n == 0 && all > 0) {
    adw_status_page_set_icon_name(self->nothing, "edit-find-symbolic");
    adw_status_page_set_title(self->nothing, _("Nothing Found"));
    adw_status_page_set_description(self->nothing,
                                    _("No tag, name or value of this file has these letters."));
  }
}

/* Marks what has the letters searched for, and the sequences that it is in: a code value says
 * little without what it is the code of. */
static void
find(DesktopTags *self)
{
  GListModel *all = G_LIST_MODEL(self->store);
  gint64 wanted = -1; /* depth of the sequence around what was found last; -1: of none */

  self->n_found = 0;
  for (guint i = g_list_model_get_n_items(all); i > 0; i--) {
    g_autoptr(DesktopTagItem) item = g_list_model_get_item(all, i - 1);
    gint64 depth = desktop_tag_item_get(item)->depth;
    gboolean matches = desktop_tag_item_matches(item, self->text);

    desktop_tag_item_set_found(item, matches || depth == wanted);
    self->n_found += matches;
    if (matches || depth == wanted) {
      wanted = depth - 1;
    }
  }
  gtk_filter_changed(gtk_filter_list_model_get_filter(self->found), GTK_FILTER_CHANGE_DIFFERENT);
  show_count(self);
}

static void
show_message(DesktopTags *self, const char *title, const char *message)
{
  g_autofree char *plain = g_markup_escape_text(message, -1);

  g_list_store_remove_all(self->store);
  find(self);
  adw_status_page_set_icon_name(self->nothing, "text-x-generic-symbolic");
  adw_status_page_set_title(self->nothing, title);
  adw_status_page_set_description(self->nothing, plain);
}

/* Images of a series have the same elements: then only the values change, and who has scrolled to
 * one stays there. */
static gboolean
has_same_places(DesktopTags *self, GPtrArray *tags)
{
  guint n = g_list_model_get_n_items(G_LIST_MODEL(self->store));

  for (guint i = 0; n == tags->len && i < n; i++) {
    g_autoptr(DesktopTagItem) item = g_list_model_get_item(G_LIST_MODEL(self->store), i);
    const AppTag *old = desktop_tag_item_get(item), *tag = tags->pdata[i];

    if (old->depth != tag->depth || strcmp(old->tag, tag->tag) != 0) {
      return FALSE;
    }
  }
  return n == tags->len && n > 0;
}

/* Takes the elements of TAGS. */
static void
take_tags(DesktopTags *self, GPtrArray *tags)
{
  gboolean same = has_same_places(self, tags);
  g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_object_unref);
  gsize n = 0;
  g_autofree gpointer *all = g_ptr_array_steal(tags, &n);

  for (gsize i = 0; i < n; i++) {
    if (same) {
      g_autoptr(DesktopTagItem) item = g_list_model_get_item(G_LIST_MODEL(self->store), (guint)i);
      desktop_tag_item_take(item, all[i]);
    } else {
      g_ptr_array_add(items, desktop_tag_item_new(all[i]));
    }
  }
  if (!same) {
    g_list_store_splice(self->store, 0, g_list_model_get_n_items(G_LIST_MODEL(self->store)),
                        items->pdata, items->len);
  }
  find(self);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void read_tags(DesktopTags *self);

static void
on_tags(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopTags) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) tags = app_study_tags_finish(self->study, result, &error);
  gboolean is_wanted = !g_cancellable_is_cancelled(self->reading);

  g_clear_object(&self->reading);
  if (is_wanted && tags) {
    take_tags(self, tags);
  } else if (is_wanted) {
    show_message(self, _("Cannot Read the File"), error->message);
  }
  if (self->again) {
    read_tags(self);
  }
}

static void
read_tags(DesktopTags *self)
{
  self->again = self->reading != NULL;
  if (self->study && !self->reading) {
    self->reading = g_cancellable_new();
    app_study_tags_async(self->study, self->series, self->index, self->reading, on_tags,
                         g_object_ref(self));
  }
}

void
desktop_tags_show(DesktopTags *self, AppStudy *study, guint series, guint index, const char *label)
{
  gboolean same_study = study == self->study;

  if (same_study && (!study || (series == self->series && index == self->index))) {
    return;
  }
  if (self->reading && !same_study) {
    g_cancellable_cancel(self->reading);
  }
  self->study = study;
  self->series = series;
  self->index = index;
  adw_window_title_set_subtitle(self->title, study ? label : "");
  if (study) {
    read_tags(self);
  } else {
    self->again = FALSE;
    show_message(self, _("No Image Is Shown"), "");
  }
}

/* ---- searching and copying ------------------------------------------------------------------ */

static gboolean
is_found(gpointer item, gpointer unused)
{
  return desktop_tag_item_is_found(item);
}

static void
on_search(GtkSearchEntry *search, DesktopTags *self)
{
  g_autofree char *text = g_strdup(gtk_editable_get_text(GTK_EDITABLE(search)));

  g_free(self->text);
  self->text = g_utf8_casefold(g_strstrip(text), -1);
  find(self);
}

/* Into the list, where arrows go on. */
static void
on_search_done(GtkSearchEntry *search, DesktopTags *self)
{
  gtk_widget_child_focus(GTK_WIDGET(self->view), GTK_DIR_TAB_FORWARD);
}

static void
on_copy(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopTags *self = DESKTOP_TAGS(widget);
  DesktopTagItem *item = gtk_single_selection_get_selected_item(self->selection);
  g_autofree char *row = item ? desktop_tag_item_row(item) : NULL;

  if (item) {
    gdk_clipboard_set_text(gtk_widget_get_clipboard(widget),
                           strcmp(name, "tags.copy-row") == 0 ? row
                                                              : desktop_tag_item_get(item)->value);
  }
}

static void
on_find(GtkWidget *widget, const char *name, GVariant *parameter)
{
  gtk_widget_grab_focus(GTK_WIDGET(DESKTOP_TAGS(widget)->search));
}

static void
on_selected(DesktopTags *self)
{
  gboolean can_copy = gtk_single_selection_get_selected_item(self->selection) != NULL;

  gtk_widget_action_set_enabled(GTK_WIDGET(self), "tags.copy-value", can_copy);
  gtk_widget_action_set_enabled(GTK_WIDGET(self), "tags.copy-row", can_copy);
}

/* ---- life ----------------------------------------------------------------------------------- */

DesktopTags *
desktop_tags_new(GtkWindow *beside)
{
  return g_object_new(DESKTOP_TYPE_TAGS, "transient-for", beside, "destroy-with-parent", TRUE,
                      NULL);
}

static void
desktop_tags_dispose(GObject *object)
{
  DesktopTags *self = DESKTOP_TAGS(object);

  self->study = NULL;
  self->again = FALSE;
  if (self->reading) {
    g_cancellable_cancel(self->reading);
  }
  G_OBJECT_CLASS(desktop_tags_parent_class)->dispose(object);
}

static void
desktop_tags_finalize(GObject *object)
{
  DesktopTags *self = DESKTOP_TAGS(object);

  g_clear_object(&self->selection);
  g_clear_object(&self->found);
  g_clear_object(&self->store);
  g_free(self->text);
  G_OBJECT_CLASS(desktop_tags_parent_class)->finalize(object);
}

static void
desktop_tags_class_init(DesktopTagsClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_tags_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_tags_finalize;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/hilum/Hilum/tags.ui");
  gtk_widget_class_bind_template_child(widget_class, DesktopTags, title);
  gtk_widget_class_bind_template_child(widget_class, DesktopTags, search);
  gtk_widget_class_bind_template_child(widget_class, DesktopTags, view);
  gtk_widget_class_bind_template_child(widget_class, DesktopTags, pages);
  gtk_widget_class_bind_template_child(widget_class, DesktopTags, nothing);
  gtk_widget_class_bind_template_child(widget_class, DesktopTags, count);
  gtk_widget_class_install_action(widget_class, "tags.copy-value", NULL, on_copy);
  gtk_widget_class_install_action(widget_class, "tags.copy-row", NULL, on_copy);
  gtk_widget_class_install_action(widget_class, "tags.find", NULL, on_find);
  gtk_widget_class_add_binding_action(widget_class, GDK_KEY_f, GDK_CONTROL_MASK, "tags.find", NULL);
  gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding_action(widget_class, GDK_KEY_w, GDK_CONTROL_MASK, "window.close",
                                      NULL);
}

/* Of the list alone: the search entry copies its own text. */
static void
bind_keys(DesktopTags *self)
{
  GtkEventController *keys = gtk_shortcut_controller_new();

  gtk_shortcut_controller_add_shortcut(
      GTK_SHORTCUT_CONTROLLER(keys),
      gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_c, GDK_CONTROL_MASK),
                       gtk_named_action_new("tags.copy-value")));
  gtk_shortcut_controller_add_shortcut(
      GTK_SHORTCUT_CONTROLLER(keys),
      gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_c, GDK_CONTROL_MASK | GDK_SHIFT_MASK),
                       gtk_named_action_new("tags.copy-row")));
  gtk_widget_add_controller(GTK_WIDGET(self->view), keys);
}

static void
desktop_tags_init(DesktopTags *self)
{
  GtkFilter *filter;

  gtk_widget_init_template(GTK_WIDGET(self));
  self->text = g_strdup("");
  self->store = g_list_store_new(DESKTOP_TYPE_TAG_ITEM);
  filter = GTK_FILTER(gtk_custom_filter_new(is_found, NULL, NULL));
  self->found = gtk_filter_list_model_new(G_LIST_MODEL(g_object_ref(self->store)), filter);
  self->selection = gtk_single_selection_new(G_LIST_MODEL(g_object_ref(self->found)));
  gtk_single_selection_set_autoselect(self->selection, FALSE);
  g_signal_connect_object(self->selection, "notify::selected-item", G_CALLBACK(on_selected), self,
                          G_CONNECT_SWAPPED);
  desktop_tags_add_columns(self->view);
  gtk_column_view_set_model(self->view, GTK_SELECTION_MODEL(self->selection));
  g_signal_connect_object(self->search, "search-changed", G_CALLBACK(on_search), self, 0);
  g_signal_connect_object(self->search, "activate", G_CALLBACK(on_search_done), self, 0);
  g_signal_connect_object(self->search, "stop-search", G_CALLBACK(gtk_window_close), self,
                          G_CONNECT_SWAPPED);
  bind_keys(self);
  gtk_window_set_focus(GTK_WINDOW(self), GTK_WIDGET(self->search));
  on_selected(self);
  show_message(self, _("No Image Is Shown"), "");
}
