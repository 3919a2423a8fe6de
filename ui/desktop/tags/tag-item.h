/* tag-item.h - one element of a file, as a line of the tag browser. */
#ifndef HILUM_DESKTOP_TAG_ITEM_H
#define HILUM_DESKTOP_TAG_ITEM_H

#include <glib-object.h>

#include "app_slice.h"

G_BEGIN_DECLS

/* Signal "changed": another file's element of the same place. */
#define DESKTOP_TYPE_TAG_ITEM (desktop_tag_item_get_type())
G_DECLARE_FINAL_TYPE(DesktopTagItem, desktop_tag_item, DESKTOP, TAG_ITEM, GObject)

/* Takes TAG. */
DesktopTagItem *desktop_tag_item_new(AppTag *tag);
void desktop_tag_item_take(DesktopTagItem *item, AppTag *tag);
const AppTag *desktop_tag_item_get(const DesktopTagItem *item);
/* Whether one of its columns holds TEXT, which is folded by g_utf8_casefold(). */
gboolean desktop_tag_item_matches(const DesktopTagItem *item, const char *text);
/* Whether it is to be seen: because it was found, or because something inside of it was. */
void desktop_tag_item_set_found(DesktopTagItem *item, gboolean found);
gboolean desktop_tag_item_is_found(const DesktopTagItem *item);
/* "(0010,0010) PN PatientName Doe^Jane", with tabs between. g_free(). */
char *desktop_tag_item_row(const DesktopTagItem *item);

G_END_DECLS
#endif
