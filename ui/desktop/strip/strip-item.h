/* strip-item.h - one line of the strip: a study, a series, a key image, a document.
 *
 * Signal "changed": something that is shown of it is another.
 */
#ifndef HILUM_DESKTOP_STRIP_ITEM_H
#define HILUM_DESKTOP_STRIP_ITEM_H

#include <gtk/gtk.h>

#include "app.h"

G_BEGIN_DECLS

typedef enum {
  DESKTOP_STRIP_STUDY,    /* a heading: date, description, current or prior */
  DESKTOP_STRIP_HEADING,  /* a heading in one word */
  DESKTOP_STRIP_SERIES,   /* has a thumbnail */
  DESKTOP_STRIP_IMAGE,    /* a key image; has a thumbnail */
  DESKTOP_STRIP_DOCUMENT, /* a report, a PDF ... */
} DesktopStripKind;

#define DESKTOP_TYPE_STRIP_ITEM (desktop_strip_item_get_type())
G_DECLARE_FINAL_TYPE(DesktopStripItem, desktop_strip_item, DESKTOP, STRIP_ITEM, GObject)

struct _DesktopStripItem {
  GObject parent;

  DesktopStripKind kind;
  guint series; /* SERIES and IMAGE */
  guint index;  /* IMAGE: of the series; DOCUMENT: its number */

  /* Owned; never NULL. */
  char *title, *subtitle, *tag;
  char **notes; /* what is odd about it */

  gboolean opens; /* a document that does */
  gboolean is_presentation;
  gboolean is_pdf;
  guint n_keys; /* key images among those of a series */

  /* Of the series that is being decoded: */
  gboolean is_loading;
  guint n_images, n_ready, n_failed;

  /* Owned. ASKED: a thumbnail was asked for, or there will be none. */
  GdkTexture *thumbnail;
  gboolean asked;
};

DesktopStripItem *desktop_strip_item_new_study(const AppSeriesInfo *info, gboolean many_patients,
                                               gboolean is_current);
DesktopStripItem *desktop_strip_item_new_heading(const char *title);
DesktopStripItem *desktop_strip_item_new_series(guint series, const AppSeriesInfo *info);
DesktopStripItem *desktop_strip_item_new_image(guint series, guint index,
                                               const AppSeriesInfo *info);
DesktopStripItem *desktop_strip_item_new_document(guint index, const AppDocument *document);

void desktop_strip_item_changed(DesktopStripItem *item);
gboolean desktop_strip_item_has_thumbnail(const DesktopStripItem *item); /* is to have one */
/* Of the line as a whole, for who does not see it. g_free(). */
char *desktop_strip_item_description(const DesktopStripItem *item);
/* "87 of 120 loaded, 2 refused", or "" when nothing is to be said. g_free(). */
char *desktop_strip_item_progress(const DesktopStripItem *item);
/* YYYYMMDD for people, by locale; g_free(). */
char *desktop_strip_date(const char *date);

G_END_DECLS
#endif
