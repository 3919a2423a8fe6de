/* strip-row.c - a line of the strip as it is seen.
 *
 * Invariant: the labels, the picture and the name for screen readers say what `item` says.
 */
#include "strip/strip-row.h"

#include <glib/gi18n.h>

/* More are in the tooltip. */
#define MAX_NOTES 2

struct _DesktopStripRow {
  GtkBox parent;

  GtkWidget *frame, *picture, *icon, *tag, *keys, *notes, *progress, *bar;
  GtkLabel *title, *subtitle;

  /* Owned. */
  DesktopStripItem *item;
};

G_DEFINE_FINAL_TYPE(DesktopStripRow, desktop_strip_row, GTK_TYPE_BOX)

GtkWidget *
desktop_strip_row_new(void)
{
  return g_object_new(DESKTOP_TYPE_STRIP_ROW, NULL);
}

DesktopStripItem *
desktop_strip_row_get_item(DesktopStripRow *self)
{
  return self->item;
}

/* ---- what it says -------------------------------------------------------------------------- */

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

static void
empty(GtkWidget *box)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child(box))) {
    gtk_box_remove(GTK_BOX(box), child);
  }
}

static void
add_note(GtkWidget *box, const char *text, gboolean wrap)
{
  GtkWidget *label = small_label(text);

  gtk_label_set_wrap(GTK_LABEL(label), wrap);
  gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_lines(GTK_LABEL(label), 3);
  gtk_box_append(GTK_BOX(box), label);
}

static void
show_notes(DesktopStripRow *self)
{
  char **notes = self->item->notes;
  guint n = g_strv_length(notes), n_shown = n > MAX_NOTES ? MAX_NOTES - 1 : n;
  GtkWidget *lines = gtk_widget_get_last_child(self->notes);
  g_autofree char *all = g_strjoinv("\n", notes);

  gtk_widget_set_visible(self->notes, n > 0);
  gtk_widget_set_tooltip_text(self->notes, all);
  empty(lines);
  for (guint i = 0; i < n_shown; i++) {
    add_note(lines, notes[i], TRUE);
  }
  if (n > n_shown) {
    g_autofree char *more =
        g_strdup_printf(ngettext("and %u more", "and %u more", n - n_shown), n - n_shown);
    add_note(lines, more, FALSE);
  }
}

static void
show_picture(DesktopStripRow *self)
{
  const DesktopStripItem *item = self->item;
  gboolean has_thumbnail = desktop_strip_item_has_thumbnail(item);

  gtk_widget_set_visible(self->frame, has_thumbnail);
  gtk_widget_set_visible(self->icon, item->kind == DESKTOP_STRIP_DOCUMENT);
  gtk_image_set_from_paintable(GTK_IMAGE(self->picture), GDK_PAINTABLE(item->thumbnail));
  if (item->kind == DESKTOP_STRIP_DOCUMENT) {
    gtk_image_set_from_icon_name(GTK_IMAGE(self->icon),
                                 item->is_pdf            ? "document-save-symbolic"
                                 : item->is_presentation ? "image-x-generic-symbolic"
                                 : item->opens           ? "text-x-generic-symbolic"
                                                         : "package-x-generic-symbolic");
  }
}

static void
show_progress(DesktopStripRow *self)
{
  const DesktopStripItem *item = self->item;
  g_autofree char *text = desktop_strip_item_progress(item);
  guint n = MAX(item->n_images, 1);

  gtk_label_set_text(GTK_LABEL(self->progress), text);
  gtk_widget_set_visible(self->progress, *text != '\0');
  gtk_widget_set_visible(self->bar, item->is_loading);
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->bar),
                                MIN((double)(item->n_ready + item->n_failed) / n, 1));
}

static void
show_keys(DesktopStripRow *self)
{
  g_autofree char *text = g_strdup_printf("%u", self->item->n_keys);
  g_autofree char *tip = g_strdup_printf(
      ngettext("%u key image", "%u key images", self->item->n_keys), self->item->n_keys);

  gtk_widget_set_visible(self->keys, self->item->n_keys > 0);
  gtk_widget_set_tooltip_text(self->keys, tip);
  gtk_label_set_text(GTK_LABEL(gtk_widget_get_last_child(self->keys)), text);
}

/* The list's own widget around the row is what a screen reader stops at. */
static void
show_name(DesktopStripRow *self)
{
  g_autofree char *name = desktop_strip_item_description(self->item);
  GtkWidget *around = gtk_widget_get_parent(GTK_WIDGET(self));

  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  if (around) {
    gtk_accessible_update_property(GTK_ACCESSIBLE(around), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  }
}

static void
update(DesktopStripRow *self)
{
  const DesktopStripItem *item = self->item;
  gboolean is_heading = item->kind == DESKTOP_STRIP_STUDY || item->kind == DESKTOP_STRIP_HEADING;
  GtkWidget *title = GTK_WIDGET(self->title);

  gtk_label_set_text(self->title, item->title);
  gtk_widget_set_tooltip_text(title, item->title);
  gtk_label_set_text(self->subtitle, item->subtitle);
  gtk_widget_set_visible(GTK_WIDGET(self->subtitle), *item->subtitle != '\0');
  gtk_label_set_text(GTK_LABEL(self->tag), item->tag);
  gtk_widget_set_visible(self->tag, *item->tag != '\0');
  if (is_heading) {
    gtk_widget_add_css_class(title, "heading");
    gtk_widget_add_css_class(GTK_WIDGET(self), "heading-row");
  } else {
    gtk_widget_remove_css_class(title, "heading");
    gtk_widget_remove_css_class(GTK_WIDGET(self), "heading-row");
  }
  gtk_widget_set_tooltip_text(GTK_WIDGET(self), item->kind != DESKTOP_STRIP_DOCUMENT ? NULL
                                                : item->is_presentation ? _("Show the Image by It")
                                                : item->is_pdf          ? _("Save PDF…")
                                                : item->opens           ? _("Read the Report")
                                                                        : item->subtitle);
  show_picture(self);
  show_notes(self);
  show_progress(self);
  show_keys(self);
  show_name(self);
}

void
desktop_strip_row_set_item(DesktopStripRow *self, DesktopStripItem *item)
{
  if (self->item) {
    g_signal_handlers_disconnect_by_data(self->item, self);
  }
  g_set_object(&self->item, item);
  if (item) {
    g_signal_connect_swapped(item, "changed", G_CALLBACK(update), self);
    update(self);
  } else {
    gtk_image_clear(GTK_IMAGE(self->picture));
  }
}

/* ---- carrying a series to a pane ------------------------------------------------------------ */

static GdkContentProvider *
on_drag_prepare(GtkDragSource *source, double x, double y, DesktopStripRow *self)
{
  if (!self->item || self->item->kind != DESKTOP_STRIP_SERIES) {
    return NULL;
  }
  return gdk_content_provider_new_typed(G_TYPE_UINT, self->item->series);
}

static void
on_drag_begin(GtkDragSource *source, GdkDrag *drag, DesktopStripRow *self)
{
  if (self->item && self->item->thumbnail) {
    gtk_drag_source_set_icon(source, GDK_PAINTABLE(self->item->thumbnail), 0, 0);
  }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
desktop_strip_row_dispose(GObject *object)
{
  DesktopStripRow *self = DESKTOP_STRIP_ROW(object);

  if (self->item) {
    g_signal_handlers_disconnect_by_data(self->item, self);
    g_clear_object(&self->item);
  }
  G_OBJECT_CLASS(desktop_strip_row_parent_class)->dispose(object);
}

static void
desktop_strip_row_class_init(DesktopStripRowClass *class)
{
  G_OBJECT_CLASS(class)->dispose = desktop_strip_row_dispose;
  gtk_widget_class_set_css_name(GTK_WIDGET_CLASS(class), "striprow");
  gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_GROUP);
}

/* A picture of fixed size, black where there is none yet. */
static GtkWidget *
make_frame(DesktopStripRow *self)
{
  GtkWidget *frame = gtk_overlay_new();
  GtkWidget *count = gtk_label_new("");

  self->picture = gtk_image_new();
  gtk_image_set_pixel_size(GTK_IMAGE(self->picture), DESKTOP_STRIP_THUMBNAIL);
  gtk_widget_set_overflow(frame, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_valign(frame, GTK_ALIGN_START);
  gtk_widget_add_css_class(frame, "thumbnail");
  gtk_overlay_set_child(GTK_OVERLAY(frame), self->picture);

  self->keys = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
  gtk_box_append(GTK_BOX(self->keys), gtk_image_new_from_icon_name("starred-symbolic"));
  gtk_box_append(GTK_BOX(self->keys), count);
  gtk_widget_set_halign(self->keys, GTK_ALIGN_END);
  gtk_widget_set_valign(self->keys, GTK_ALIGN_END);
  gtk_widget_add_css_class(self->keys, "keys");
  gtk_overlay_add_overlay(GTK_OVERLAY(frame), self->keys);
  return frame;
}

static GtkWidget *
make_title(DesktopStripRow *self)
{
  GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

  self->title = GTK_LABEL(gtk_label_new(""));
  gtk_label_set_xalign(self->title, 0);
  gtk_label_set_wrap(self->title, TRUE);
  gtk_label_set_wrap_mode(self->title, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_lines(self->title, 2);
  gtk_label_set_ellipsize(self->title, PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand(GTK_WIDGET(self->title), TRUE);
  self->tag = gtk_label_new("");
  gtk_widget_set_valign(self->tag, GTK_ALIGN_START);
  gtk_widget_add_css_class(self->tag, "tag");
  gtk_box_append(GTK_BOX(line), GTK_WIDGET(self->title));
  gtk_box_append(GTK_BOX(line), self->tag);
  return line;
}

static GtkWidget *
make_notes(void)
{
  GtkWidget *notes = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *warning = gtk_image_new_from_icon_name("dialog-warning-symbolic");

  gtk_widget_add_css_class(warning, "warning");
  gtk_widget_set_valign(warning, GTK_ALIGN_START);
  gtk_box_append(GTK_BOX(notes), warning);
  gtk_box_append(GTK_BOX(notes), gtk_box_new(GTK_ORIENTATION_VERTICAL, 2));
  gtk_widget_set_hexpand(gtk_widget_get_last_child(notes), TRUE);
  return notes;
}

static void
desktop_strip_row_init(DesktopStripRow *self)
{
  GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  GtkDragSource *drag = gtk_drag_source_new();

  gtk_box_set_spacing(GTK_BOX(self), 10);
  self->frame = make_frame(self);
  self->icon = gtk_image_new();
  gtk_widget_set_valign(self->icon, GTK_ALIGN_START);
  self->notes = make_notes();
  self->subtitle = GTK_LABEL(small_label(""));
  self->progress = small_label("");
  gtk_widget_add_css_class(self->progress, "numeric");
  self->bar = gtk_progress_bar_new();
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Images of the series that are loaded"), -1);
  gtk_widget_set_hexpand(texts, TRUE);
  gtk_widget_set_valign(texts, GTK_ALIGN_CENTER);
  gtk_box_append(GTK_BOX(texts), make_title(self));
  gtk_box_append(GTK_BOX(texts), GTK_WIDGET(self->subtitle));
  gtk_box_append(GTK_BOX(texts), self->progress);
  gtk_box_append(GTK_BOX(texts), self->bar);
  gtk_box_append(GTK_BOX(texts), self->notes);
  gtk_box_append(GTK_BOX(self), self->frame);
  gtk_box_append(GTK_BOX(self), self->icon);
  gtk_box_append(GTK_BOX(self), texts);

  gtk_drag_source_set_actions(drag, GDK_ACTION_COPY);
  g_signal_connect(drag, "prepare", G_CALLBACK(on_drag_prepare), self);
  g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drag));
}
