/* strip-item.c - one line of the strip: a study, a series, a key image, a document. */
#include "strip/strip-item.h"

#include <glib/gi18n.h>
#include <string.h>

G_DEFINE_FINAL_TYPE(DesktopStripItem, desktop_strip_item, G_TYPE_OBJECT)

static guint changed_signal;

char *
desktop_strip_date(const char *date)
{
  g_autoptr(GDateTime) time = NULL;
  guint64 number = 0;

  if (strlen(date) == 8 && g_ascii_string_to_unsigned(date, 10, 0, G_MAXUINT32, &number, NULL)) {
    time = g_date_time_new_utc((gint)(number / 10000), (gint)(number / 100 % 100),
                               (gint)(number % 100), 0, 0, 0);
  }
  /* Translators: the date of a study; see strftime(3). */
  return time ? g_date_time_format(time, _("%-e %B %Y")) : g_strdup(date);
}

static DesktopStripItem *
item_new(DesktopStripKind kind, const char *title, const char *subtitle)
{
  DesktopStripItem *item = g_object_new(DESKTOP_TYPE_STRIP_ITEM, NULL);

  item->kind = kind;
  item->title = g_strdup(title);
  item->subtitle = g_strdup(subtitle);
  item->tag = g_strdup("");
  item->notes = g_new0(char *, 1);
  return item;
}

DesktopStripItem *
desktop_strip_item_new_study(const AppSeriesInfo *info, gboolean many_patients, gboolean is_current)
{
  g_autofree char *date = desktop_strip_date(info->study_date);
  g_autoptr(GString) text = g_string_new(info->study_description);
  DesktopStripItem *item;

  if (many_patients && *info->patient_name) {
    g_string_prepend(text, text->len > 0 ? " · " : "");
    g_string_prepend(text, info->patient_name);
  }
  item = item_new(DESKTOP_STRIP_STUDY, *date ? date : _("Study Without a Date"), text->str);
  g_free(item->tag);
  /* Translators: of the studies of a patient the newest, and those before it */
  item->tag = g_strdup(is_current ? _("Current") : _("Prior"));
  return item;
}

DesktopStripItem *
desktop_strip_item_new_heading(const char *title)
{
  return item_new(DESKTOP_STRIP_HEADING, title, "");
}

DesktopStripItem *
desktop_strip_item_new_series(guint series, const AppSeriesInfo *info)
{
  g_autofree char *images =
      g_strdup_printf(ngettext("%u image", "%u images", info->n_images), info->n_images);
  g_autofree char *subtitle =
      g_strdup_printf("%s%s%s", info->modality, *info->modality ? " · " : "", images);
  DesktopStripItem *item = item_new(DESKTOP_STRIP_SERIES, info->title, subtitle);

  item->series = series;
  item->n_images = info->n_images;
  g_strfreev(item->notes);
  item->notes = g_strdupv(info->notes);
  if (info->is_localizer) {
    g_free(item->tag);
    item->tag = g_strdup(_("Localizer"));
  }
  return item;
}

DesktopStripItem *
desktop_strip_item_new_image(guint series, guint index, const AppSeriesInfo *info)
{
  g_autofree char *title = g_strdup_printf(_("Image %u of %u"), index + 1, info->n_images);
  DesktopStripItem *item = item_new(DESKTOP_STRIP_IMAGE, title, info->title);

  item->series = series;
  item->index = index;
  return item;
}

DesktopStripItem *
desktop_strip_item_new_document(guint index, const AppDocument *document)
{
  DesktopStripItem *item = item_new(DESKTOP_STRIP_DOCUMENT, document->title, document->kind);

  item->index = index;
  item->opens = document->has_text || document->is_pdf || document->presentation > 0;
  item->is_pdf = document->is_pdf;
  item->is_presentation = document->presentation > 0;
  return item;
}

void
desktop_strip_item_changed(DesktopStripItem *item)
{
  g_signal_emit(item, changed_signal, 0);
}

gboolean
desktop_strip_item_has_thumbnail(const DesktopStripItem *item)
{
  return item->kind == DESKTOP_STRIP_SERIES || item->kind == DESKTOP_STRIP_IMAGE;
}

char *
desktop_strip_item_progress(const DesktopStripItem *item)
{
  g_autofree char *loaded = NULL, *refused = NULL;

  if (item->kind != DESKTOP_STRIP_SERIES || (!item->is_loading && item->n_failed == 0)) {
    return g_strdup("");
  }
  loaded = g_strdup_printf(_("%u of %u loaded"), item->n_ready, item->n_images);
  if (item->n_failed == 0) {
    return g_steal_pointer(&loaded);
  }
  refused = g_strdup_printf(ngettext("%u refused", "%u refused", item->n_failed), item->n_failed);
  return g_strdup_printf("%s, %s", loaded, refused);
}

char *
desktop_strip_item_description(const DesktopStripItem *item)
{
  g_autoptr(GString) text = g_string_new(item->title);
  g_autofree char *progress = desktop_strip_item_progress(item);
  g_autofree char *notes = g_strjoinv(", ", item->notes);
  const char *const parts[] = {item->tag, item->subtitle, progress, notes};

  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    if (*parts[i]) {
      g_string_append_printf(text, ", %s", parts[i]);
    }
  }
  if (item->n_keys > 0) {
    g_string_append(text, ", ");
    g_string_append_printf(text, ngettext("%u key image", "%u key images", item->n_keys),
                           item->n_keys);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
desktop_strip_item_finalize(GObject *object)
{
  DesktopStripItem *item = DESKTOP_STRIP_ITEM(object);

  g_free(item->title);
  g_free(item->subtitle);
  g_free(item->tag);
  g_strfreev(item->notes);
  g_clear_object(&item->thumbnail);
  G_OBJECT_CLASS(desktop_strip_item_parent_class)->finalize(object);
}

static void
desktop_strip_item_class_init(DesktopStripItemClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_strip_item_finalize;
  changed_signal = g_signal_new("changed", DESKTOP_TYPE_STRIP_ITEM, G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 0);
}

static void
desktop_strip_item_init(DesktopStripItem *item)
{
}
