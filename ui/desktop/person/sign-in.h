/* sign-in.h - asks who is there, and for their PIN. */
#ifndef HILUM_DESKTOP_SIGN_IN_H
#define HILUM_DESKTOP_SIGN_IN_H

#include <adwaita.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* NAME and PIN are borrowed for the call; NULL: the person thought better of it. */
typedef void (*DesktopSignInFunc)(const char *name, const char *pin, gpointer user);
/* A dialog over PARENT with PEOPLE, objects with "name" and "role" (app_person.h), of whom CHOSEN
 * comes first to hand; MESSAGE: what is to be said, or NULL. FUNC is called once, or, where the
 * dialog goes with its window, not at all; USER is freed by FREE_USER in any case. */
GtkWidget *desktop_sign_in_new(GtkWindow *parent, JsonArray *people, guint chosen,
                               const char *message, DesktopSignInFunc func, gpointer user,
                               GDestroyNotify free_user);

G_END_DECLS
#endif
