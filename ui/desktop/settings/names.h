/* names.h - names for who cannot see: GTK 4.8 gives a button with a picture none. */
#ifndef HILUM_DESKTOP_NAMES_H
#define HILUM_DESKTOP_NAMES_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Names every button below ROOT that shows a picture alone by its tooltip, without the keys in it;
 * now and whenever the tooltip changes. A name that was given otherwise is to be the tooltip's. */
void desktop_names_by_tooltips(GtkWidget *root);

G_END_DECLS
#endif
