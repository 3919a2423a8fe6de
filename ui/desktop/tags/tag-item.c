/* tag-item.c - one element of a file, as a line of the tag browser. */
#include "tags/tag-item.h"

#include <string.h>

struct _DesktopTagItem {
  GObject parent;

  AppTag *tag;
  char *folded; /* all columns, a line each, to be searched */
  gboolean found;
};

G_DEFINE_FINAL_TYPE(DesktopTagItem, desktop_tag_item, G_TYPE_OBJECT)

static guint changed_signal;

DesktopTagItem *
desktop_tag_item_new(AppTag *tag)
{
  DesktopTagItem *item = g_object_new(DESKTOP_TYPE_TAG_ITEM, NULL);

  desktop_tag_item_take(item, tag);
  return item;
}

void
desktop_tag_item_take(DesktopTagItem *item, AppTag *tag)
{
  g_autofree char *text =
      g_strdup_printf("%s\n%s\n%s\n%s", tag->tag, tag->vr, tag->keyword, tag->value);

  g_clear_pointer(&item->tag, app_tag_free);
  g_free(item->folded);
  item->tag = tag;
  item->folded = g_utf8_casefold(text, -1);
  g_signal_emit(item, changed_signal, 0);
}

const AppTag *
desktop_tag_item_get(const DesktopTagItem *item)
{
  return item->tag;
}

gboolean
desktop_tag_item_matches(const DesktopTagItem *item, const char *text)
{
  return strstr(item->folded, text) != NULL;
}

void
desktop_tag_item_set_found(DesktopTagItem *item, gboolean found)
{
  item->found = found;
}

gboolean
desktop_tag_item_is_found(const DesktopTagItem *item)
{
  return item->found;
}

char *
desktop_tag_item_row(const DesktopTagItem *item)
{
  const AppTag *tag = item->tag;

  return g_strdup_printf("%s\t%s\t%s\t%s", tag->tag, tag->vr, tag->keyword, tag->value);
}

static void
desktop_tag_item_finalize(GObject *object)
{
  DesktopTagItem *item = DESKTOP_TAG_ITEM(object);

  g_clear_pointer(&item->tag, app_tag_free);
  g_free(item->folded);
  G_OBJECT_CLASS(desktop_tag_item_parent_class)->finalize(object);
}

static void
desktop_tag_item_class_init(DesktopTagItemClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_tag_item_finalize;
  changed_signal = g_signal_new("changed", DESKTOP_TYPE_TAG_ITEM, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void
desktop_tag_item_init(DesktopTagItem *item)
{
}
