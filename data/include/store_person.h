/* store_person.h - people who sign in at a log with a PIN, beside the system's user.
 *
 * On a shared workstation the system knows one account, and several people judge answers there.
 * They are kept as events of the log, of kind "session": "enrolled", "removed", "pin-changed",
 * "required" and "optional" (whether a verdict needs a person), "in", "out", "refused" (a wrong
 * PIN). So nobody comes, goes, or fails to unseen, and no table is needed. Who does so is in each
 * event; who signed in is in all events from then on (store_log_set_person()). THREATS.md says what
 * a PIN proves.
 *
 * What a PIN is held against is sealed. It is Argon2id of a hash of the PIN that is keyed with a
 * key of the log: without the root key there is nothing to guess at. Wrong PINs are counted from
 * the log: after the fifth in a row the next is not looked at for half a minute, then one, two, ...
 * at most fifteen, by a clock that nobody sets, over restarts of the program.
 *
 * A log that goes on from another (record.h) begins with "enrolled" for each who was, and
 * "required" where it was: PINs and wrong ones count on. One that was recovered and tells of people
 * says "required" in any case.
 *
 * PINs are borrowed and never copied but into memory that is wiped. Looking at one takes a tenth of
 * a second, in which nobody else writes to the log. Thread rule and errors: those of store.h;
 * REFUSED: a PIN is wrong, or it is not yet time for another.
 */
#ifndef HILUM_STORE_PERSON_H
#define HILUM_STORE_PERSON_H

#include "store.h"

G_BEGIN_DECLS

#define STORE_PIN_LEAST 4u /* characters */
#define STORE_PIN_MOST 64u
#define STORE_PERSON_NAME_MOST 64u /* what a component of a DICOM name (PN) holds */
#define STORE_PEOPLE_MOST 1000u
#define STORE_PIN_FREE 5u /* wrong ones in a row that cost no waiting */

typedef struct {
  gint64 id;         /* the event that enrolled the person */
  char *name, *role; /* ROLE: or NULL */
  char *since;       /* ISO 8601, UTC */
  char *last;        /* when they signed in last, or NULL */
  guint wrong;       /* PINs since the last right one */
} StorePerson;
void store_person_free(StorePerson *person);

typedef enum {
  STORE_PIN_GOOD,
  STORE_PIN_SHORT,
  STORE_PIN_LONG,
  STORE_PIN_SIMPLE, /* one character over and over, or digits in their order */
  STORE_PIN_ODD,    /* no text, or with control characters */
} StorePinCheck;
StorePinCheck store_pin_check(const char *pin);
/* Whether NAME can be a person's: some text of at most 64 characters on one line, none of which
 * hides or turns others. */
gboolean store_person_name_is_good(const char *name);

/* Those who are enrolled, in the order in which they were, of StorePerson. *required (may be NULL):
 * whether a verdict needs one of them. */
GPtrArray *store_log_people(StoreLog *log, gboolean *required, GError **error);
/* The person's id, or 0. INVALID: a name that is none or is taken (whatever its case), or a PIN
 * that store_pin_check() is against. */
gint64 store_log_enrol(StoreLog *log, const char *name, const char *role, const char *pin,
                       GError **error);
/* NOT_FOUND: nobody of that name is enrolled. */
gboolean store_log_remove_person(StoreLog *log, const char *name, GError **error);
/* INVALID: nobody is enrolled who could sign in. */
gboolean store_log_require_person(StoreLog *log, gboolean required, GError **error);

/* *wait (may be NULL): seconds before another PIN is looked at. */
gboolean store_log_change_pin(StoreLog *log, const char *name, const char *pin, const char *next,
                              guint *wait, GError **error);
/* The number of the session, or 0. *person (may be NULL): who it is, as they were enrolled;
 * store_person_free(). From now on LOG's events are that person's; whoever was signed in is signed
 * out in the same breath ("other"). */
gint64 store_log_sign_in(StoreLog *log, const char *name, const char *pin, StorePerson **person,
                         guint *wait, GError **error);
/* WHY: "asked", "idle", "end", "removed". The log's events are nobody's but the system user's
 * again, even where this fails. */
gboolean store_log_sign_out(StoreLog *log, gint64 session, const char *why, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StorePerson, store_person_free)

G_END_DECLS
#endif
