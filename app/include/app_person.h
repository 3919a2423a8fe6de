/* app_person.h - people who sign in at a log with a PIN, beside the system's user.
 *
 * One at a time in a program. Who is signed in stands in every event that the program writes to
 * that log from then on, and in verdicts. A PIN is never kept: it is borrowed, or copied into
 * memory that is wiped. LOG_PATH NULL: the default place. Reports are JSON objects with the keys of
 * `hilum log person --json`. What is shown of a person is a name that somebody at this place typed:
 * data/THREATS.md says what a PIN proves.
 */
#ifndef HILUM_APP_PERSON_H
#define HILUM_APP_PERSON_H

#include "app.h"

G_BEGIN_DECLS

/* Who is signed in, or NULL. g_free(). Any thread. */
char *app_person_who(void);

typedef enum {
  APP_PERSON_LIST,
  APP_PERSON_ENROL,   /* NAME, ROLE (may be NULL), PIN */
  APP_PERSON_REMOVE,  /* NAME */
  APP_PERSON_REQUIRE, /* REQUIRED: whether a verdict needs somebody who signed in */
  APP_PERSON_PIN,     /* NAME, PIN, NEXT: the new one */
  APP_PERSON_IN,      /* NAME, PIN */
  APP_PERSON_OUT,     /* WHY: "asked", "idle", "end"; nothing happens where nobody is signed in */
} AppPersonDeed;

typedef struct {
  AppPersonDeed deed;
  const char *name, *role, *pin, *next, *why;
  gboolean required;
} AppPersonWish;

/* What stands afterwards: {required, signed_in: name or null, people: [{name, role, enrolled:
 * number of the event, since, last, wrong}]}. After a wrong PIN *wait (may be NULL) is how many
 * seconds no other is looked at. */
JsonNode *app_person_do(const char *log_path, const AppPersonWish *wish, guint *wait,
                        GError **error);
/* The same on a thread; all is copied. */
void app_person_do_async(const char *log_path, const AppPersonWish *wish,
                         GAsyncReadyCallback callback, gpointer user);
JsonNode *app_person_do_finish(GAsyncResult *result, guint *wait, GError **error);

/* ERROR says that a PIN is wrong, or too soon. */
gboolean app_person_is_refused(const GError *error);
/* ERROR says that a verdict needs somebody who is signed in. */
gboolean app_person_is_needed(const GError *error);

/* What is wrong with what was typed, for people, or NULL. */
const char *app_pin_problem(const char *pin);
const char *app_person_name_problem(const char *name);

G_END_DECLS
#endif
