/* person.h - who may sign in at a log, as its events tell. Private to the room. */
#ifndef HILUM_DATA_LOG_PERSON_H
#define HILUM_DATA_LOG_PERSON_H

#include "keys.h"
#include "private.h"
#include "store_person.h"

G_BEGIN_DECLS

#define STORE_PIN_SALT_BYTES 16u
#define STORE_PIN_HASH_BYTES 32u

/* What a PIN is held against. */
typedef struct {
  guint8 salt[STORE_PIN_SALT_BYTES], hash[STORE_PIN_HASH_BYTES];
  guint64 operations, memory;  /* of Argon2id; memory in bytes */
  guint8 key[STORE_KEY_BYTES]; /* what the hash is keyed with, where KEYED; else a key of the log */
  gboolean keyed;              /* it was made in a log that this one goes on from */
  gboolean there;              /* FALSE: the log is locked */
} StorePin;

/* When something was, by all clocks at hand. */
typedef struct {
  gint64 wall;   /* microseconds since 1970, or 0: unknown */
  gint64 uptime; /* microseconds since the machine started, while it sleeps, too */
  char boot[37]; /* which start of the machine; "": unknown */
} StoreMoment;

typedef struct {
  StorePerson person;
  StorePin pin;
  StoreMoment refused; /* the last wrong PIN, while person.wrong is not 0 */
} StorePersonState;

/* Read from events 1 to UPTO. */
typedef struct _StorePeople {
  gint64 upto;
  gint64 kept;            /* as far as LOG.people goes */
  gboolean required, any; /* ANY: there is an event that tells of people */
  GPtrArray *people;      /* of StorePersonState */
} StorePeople;
void store_people_free(StorePeople *people);
/* What the log's events tell up to its last; kept with LOG, who owns it. */
StorePeople *store_people_read(StoreLog *log, GError **error);
StorePerson *store_person_copy(const StorePerson *from);
/* NULL: nobody is called so. */
StorePersonState *store_people_find(StorePeople *people, const char *name);

/* ---- person-file.c ------------------------------------------------------------------------ */

/* Keeps PEOPLE in LOG.people when much was read for it; what fails is no loss. */
void store_people_remember(StoreLog *log, StorePeople *people);
/* Fills PEOPLE, which is empty, from there; where it cannot, it stays empty. */
void store_people_recall(StoreLog *log, StorePeople *people);

/* ---- person-sign.c ------------------------------------------------------------------------ */

/* Enrols in NEXT, which goes on from LOG, who is enrolled in LOG: with the same PIN, and as many
 * wrong ones; and whether a verdict needs one of them. */
gboolean store_people_carry(StoreLog *log, StoreLog *next, GError **error);
/* LOG was recovered, and what it lost may have been that a verdict needs a person: where it tells
 * of people at all, a verdict needs one from now on. */
gboolean store_people_recovered(StoreLog *log, GError **error);

/* ---- person-pin.c ------------------------------------------------------------------------- */

/* A new one for PIN_TEXT. */
gboolean store_pin_make(StoreLog *log, const char *pin_text, StorePin *pin, GError **error);
/* *right: whether PIN_TEXT is the one that PIN was made for. */
gboolean store_pin_look(StoreLog *log, const char *pin_text, const StorePin *pin, gboolean *right,
                        GError **error);
/* Makes a PIN of LOG one that another log can look at: with the key that it needs. */
gboolean store_pin_carry(StoreLog *log, StorePin *pin, GError **error);
/* Its sealed members: salt, hash, operations, memory, and pin_key where it has one of its own; how
 * many they are. The texts live in STRINGS. */
gsize store_pin_put(const StorePin *pin, StoreField fields[5], GStringChunk *strings);
/* Sets *pin; FALSE where a member is not what it should be. KEY: or NULL. */
gboolean store_pin_get(StorePin *pin, const char *salt, const char *hash, const char *operations,
                       const char *memory, const char *key);
StoreMoment store_moment_now(StoreLog *log);
/* Seconds from now that a person with WRONG wrong PINs, the last of them THEN, has to wait. */
guint store_pin_wait(guint wrong, const StoreMoment *then, const StoreMoment *now);

G_END_DECLS
#endif
