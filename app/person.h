/* person.h - who is signed in, for what writes to a log. */
#ifndef HILUM_APP_PERSON_PRIVATE_H
#define HILUM_APP_PERSON_PRIVATE_H

#include "app_person.h"
#include "store.h"

G_BEGIN_DECLS

/* What LOG is told from now on is the doing of who is signed in at it, or of nobody. */
void app_person_apply(StoreLog *log);
/* Whether a verdict can go into LOG: *person is who signed in (g_free()) or NULL. */
gboolean app_person_may_judge(StoreLog *log, char **person, GError **error);

G_END_DECLS
#endif
