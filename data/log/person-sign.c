/* person-sign.c - people come, go, sign in and out: new events of the kind "session" (person.c). */
#include <sodium.h>
#include <string.h>

#include "person.h"
#include "write.h"

#define MOST_FIELDS 8u

/* An event that is being put together. */
typedef struct {
  StoreEvent event;
  StoreField fields[MOST_FIELDS], sealed[MOST_FIELDS];
  GStringChunk *strings;
} Session;

static void
session_init(Session *session, const char *action)
{
  session->event.kind = "session";
  session->event.action = action;
  session->event.fields = session->fields;
  session->event.sealed = session->sealed;
  session->strings = g_string_chunk_new(256);
}

static void
session_clear(Session *session)
{
  g_clear_pointer(&session->strings, g_string_chunk_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static void
say(Session *session, const char *name, const char *text)
{
  if (text && session->event.n_fields < MOST_FIELDS) {
    session->fields[session->event.n_fields++] =
        (StoreField){name, g_string_chunk_insert(session->strings, text)};
  }
}

static void
seal(Session *session, const char *name, const char *text)
{
  if (text && session->event.n_sealed < MOST_FIELDS) {
    session->sealed[session->event.n_sealed++] =
        (StoreField){name, g_string_chunk_insert(session->strings, text)};
  }
}

static void
say_number(Session *session, const char *name, gint64 number)
{
  g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

  say(session, name, text);
}

static void
say_person(Session *session, const StorePerson *person)
{
  say(session, "name", person->name);
  say(session, "role", person->role);
  say_number(session, "enrolled", person->id);
}

/* Before anything else is sealed. */
static void
seal_pin(Session *session, const StorePin *pin)
{
  session->event.n_sealed = store_pin_put(pin, session->sealed, session->strings);
}

/* ---- being enrolled -------------------------------------------------------------------------- */

static gboolean
check_pin(StoreLog *log, const char *pin, GError **error)
{
  static const char *const found[] = {
      [STORE_PIN_SHORT] = "fewer characters than that",
      [STORE_PIN_LONG] = "more characters than that",
      [STORE_PIN_SIMPLE] = "one that is guessed first (1111, 1234)",
      [STORE_PIN_ODD] = "what nobody can type",
  };
  const StorePinCheck check = store_pin_check(pin);

  return check == STORE_PIN_GOOD || store_fail(error, STORE_ERROR_INVALID, log->name,
                                               "the PIN: found %s, expected %u to %u characters",
                                               found[check], STORE_PIN_LEAST, STORE_PIN_MOST);
}

static gint64
write_enrolled(StoreLog *log, const char *name, const char *role, const StorePin *pin,
               GError **error)
{
  g_auto(Session) session = {0};
  StorePeople *people = store_people_read(log, error);

  session_init(&session, "enrolled");
  if (!people) {
    return 0;
  }
  if (store_people_find(people, name) || people->people->len >= STORE_PEOPLE_MOST) {
    store_fail(error, STORE_ERROR_INVALID, log->name, "%s",
               people->people->len >= STORE_PEOPLE_MOST
                   ? "enrolling: the log has as many people as it can have"
                   : "enrolling: somebody of that name is enrolled already");
    return 0;
  }
  say(&session, "name", name);
  say(&session, "role", role && *role ? role : NULL);
  seal_pin(&session, pin);
  return store_write_event(log, &session.event, error);
}

gint64
store_log_enrol(StoreLog *log, const char *name, const char *role, const char *pin, GError **error)
{
  static const char doing[] = "enrolling";
  StorePin made = {0};
  gint64 id;

  g_return_val_if_fail(log && name && pin, 0);
  if (!store_person_name_is_good(name) || (role && *role && !store_person_name_is_good(role))) {
    store_fail(error, STORE_ERROR_INVALID, log->name,
               "enrolling: the %s: found something else, expected at most %u characters on one "
               "line, without blanks around them",
               store_person_name_is_good(name) ? "role" : "name", STORE_PERSON_NAME_MOST);
    return 0;
  }
  if (!check_pin(log, pin, error) || !store_pin_make(log, pin, &made, error) ||
      !store_begin(log, doing, error)) {
    return 0;
  }
  id = store_finish(log, doing, write_enrolled(log, name, role, &made, error), error);
  sodium_memzero(&made, sizeof made);
  return id;
}

/* NULL with *error set: nobody. */
static StorePersonState *
require(StoreLog *log, const char *name, const char *doing, GError **error)
{
  StorePeople *people = store_people_read(log, error);
  StorePersonState *state = people ? store_people_find(people, name) : NULL;

  if (people && !state) {
    store_fail(error, STORE_ERROR_NOT_FOUND, log->name, "%s: nobody of that name is enrolled",
               doing);
  }
  return state;
}

static gint64
write_removed(StoreLog *log, const char *name, const char *doing, GError **error)
{
  g_auto(Session) session = {0};
  const StorePersonState *state = require(log, name, doing, error);

  session_init(&session, "removed");
  if (!state) {
    return 0;
  }
  say_person(&session, &state->person);
  return store_write_event(log, &session.event, error);
}

gboolean
store_log_remove_person(StoreLog *log, const char *name, GError **error)
{
  static const char doing[] = "removing a person";

  g_return_val_if_fail(log && name, FALSE);
  return store_begin(log, doing, error) &&
         store_finish(log, doing, write_removed(log, name, doing, error), error) != 0;
}

static gint64
write_required(StoreLog *log, gboolean required, const char *doing, GError **error)
{
  g_auto(Session) session = {0};
  const StorePeople *people = store_people_read(log, error);

  session_init(&session, required ? "required" : "optional");
  if (!people) {
    return 0;
  }
  if (required && people->people->len == 0) {
    store_fail(error, STORE_ERROR_INVALID, log->name, "%s: nobody is enrolled who could sign in",
               doing);
    return 0;
  }
  return store_write_event(log, &session.event, error);
}

gboolean
store_log_require_person(StoreLog *log, gboolean required, GError **error)
{
  static const char doing[] = "requiring a person for verdicts";

  g_return_val_if_fail(log, FALSE);
  return store_begin(log, doing, error) &&
         store_finish(log, doing, write_required(log, required, doing, error), error) != 0;
}

/* ---- signing in ------------------------------------------------------------------------------ */

/* What became of a PIN that was looked at. */
typedef struct {
  gboolean right, too_soon;
  guint wait;
} Look;

/* Writes that a PIN was refused: its event, or 0. */
static gint64
write_refused(StoreLog *log, const StorePersonState *state, const StoreMoment *now,
              const Look *look, GError **error)
{
  g_auto(Session) session = {0};
  g_autofree char *uptime = g_strdup_printf("%" G_GINT64_FORMAT, now->uptime);
  /* Whoever typed it is not known to be the one who is signed in. */
  g_autofree char *person = g_steal_pointer(&log->person);
  gint64 event;

  session_init(&session, "refused");
  session.event.failed = TRUE;
  say_person(&session, &state->person);
  say(&session, "too_soon", look->too_soon ? "true" : NULL);
  seal(&session, "boot", now->boot);
  seal(&session, "uptime", uptime);
  event = store_write_event(log, &session.event, error);
  log->person = g_steal_pointer(&person);
  return event;
}

/* Within a transaction: looks at PIN, and where it is wrong writes that: 0 with *error set when
 * even that cannot be done, else the event or (it is right) -1. */
static gint64
look(StoreLog *log, const StorePersonState *state, const char *pin, Look *found, GError **error)
{
  const StoreMoment now = store_moment_now(log);
  gint64 event;

  found->wait = store_pin_wait(state->person.wrong, &state->refused, &now);
  found->too_soon = found->wait > 0;
  if (!found->too_soon && !store_pin_look(log, pin, &state->pin, &found->right, error)) {
    return 0;
  }
  if (found->right) {
    return -1;
  }
  event = write_refused(log, state, &now, found, error);
  if (event && !found->too_soon) {
    found->wait = store_pin_wait(state->person.wrong + 1, &now, &now);
  }
  return event;
}

static void
refuse(StoreLog *log, const Look *look, guint *wait, GError **error)
{
  if (wait) {
    *wait = look->wait;
  }
  if (look->too_soon) {
    store_fail(error, STORE_ERROR_REFUSED, log->name,
               "too many wrong PINs: the next is looked at in %u s", look->wait);
  } else if (look->wait > 0) {
    store_fail(error, STORE_ERROR_REFUSED, log->name,
               "the PIN is wrong: the next is looked at in %u s", look->wait);
  } else {
    store_fail(error, STORE_ERROR_REFUSED, log->name, "the PIN is wrong");
  }
}

static gint64
write_pin(StoreLog *log, const StorePersonState *state, const StorePin *pin, GError **error)
{
  g_auto(Session) session = {0};

  session_init(&session, "pin-changed");
  say_person(&session, &state->person);
  seal_pin(&session, pin);
  return store_write_event(log, &session.event, error);
}

gboolean
store_log_change_pin(StoreLog *log, const char *name, const char *pin, const char *next,
                     guint *wait, GError **error)
{
  static const char doing[] = "changing a PIN";
  StorePersonState *state;
  StorePin made = {0};
  Look found = {0};
  gint64 event = 0;

  g_return_val_if_fail(log && name && pin && next, FALSE);
  if (!check_pin(log, next, error) || !store_pin_make(log, next, &made, error) ||
      !store_begin(log, doing, error)) {
    return FALSE;
  }
  state = require(log, name, doing, error);
  event = state ? look(log, state, pin, &found, error) : 0;
  if (event == -1) {
    event = write_pin(log, state, &made, error);
  }
  sodium_memzero(&made, sizeof made);
  event = store_finish(log, doing, event, error);
  if (event && !found.right) {
    refuse(log, &found, wait, error);
  }
  return event && found.right;
}

static gint64
write_out(StoreLog *log, gint64 session_number, const char *why, GError **error)
{
  g_auto(Session) session = {0};

  session_init(&session, "out");
  say(&session, "name", log->person);
  if (session_number > 0) {
    say_number(&session, "session", session_number);
  }
  say(&session, "why", why);
  return store_write_event(log, &session.event, error);
}

static gint64
write_in(StoreLog *log, const StorePersonState *state, GError **error)
{
  g_auto(Session) session = {0};

  session_init(&session, "in");
  say_person(&session, &state->person);
  store_log_set_person(log, state->person.name);
  return store_write_event(log, &session.event, error);
}

gint64
store_log_sign_in(StoreLog *log, const char *name, const char *pin, StorePerson **person,
                  guint *wait, GError **error)
{
  static const char doing[] = "signing in";
  g_autofree char *before = NULL;
  g_autoptr(StorePerson) who = NULL;
  StorePersonState *state;
  Look found = {0};
  gint64 event;

  g_return_val_if_fail(log && name && pin, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  before = g_strdup(log->person);
  state = require(log, name, doing, error);
  event = state ? look(log, state, pin, &found, error) : 0;
  if (event == -1) {
    who = store_person_copy(&state->person);
    event = !before || write_out(log, 0, "other", error) ? write_in(log, state, error) : 0;
  }
  event = store_finish(log, doing, event, error);
  if (!event || !found.right) {
    store_log_set_person(log, before);
  }
  if (event && !found.right) {
    refuse(log, &found, wait, error);
    return 0;
  }
  if (event && person) {
    *person = g_steal_pointer(&who);
  }
  return event;
}

gboolean
store_log_sign_out(StoreLog *log, gint64 session, const char *why, GError **error)
{
  static const char doing[] = "signing out";
  gboolean done;

  g_return_val_if_fail(log && log->person && why, FALSE);
  done = store_begin(log, doing, error) &&
         store_finish(log, doing, write_out(log, session, why, error), error) != 0;
  store_log_set_person(log, NULL);
  return done;
}

/* ---- into another log ------------------------------------------------------------------------ */

/* Who was kept waiting is so from now on. */
static void
carry_wrong(Session *session, StoreLog *next, const StorePersonState *state)
{
  const StoreMoment now = store_moment_now(next);
  g_autofree char *uptime = g_strdup_printf("%" G_GINT64_FORMAT, now.uptime);

  if (state->person.wrong > 0) {
    say_number(session, "wrong", state->person.wrong);
    seal(session, "boot", now.boot);
    seal(session, "uptime", uptime);
  }
}

static gboolean
carry(StoreLog *log, StoreLog *next, const StorePersonState *state, GError **error)
{
  g_auto(Session) session = {0};
  StorePin pin = state->pin;
  gboolean good = !pin.there || store_pin_carry(log, &pin, error);

  session_init(&session, "enrolled");
  say_person(&session, &state->person);
  say(&session, "since", state->person.since);
  say(&session, "last", state->person.last);
  if (good && pin.there) { /* a log that was recovered may have lost it */
    seal_pin(&session, &pin);
    carry_wrong(&session, next, state);
  }
  sodium_memzero(&pin, sizeof pin);
  return good && store_write_event(next, &session.event, error) != 0;
}

static gint64
write_carried(StoreLog *log, const StorePeople *people, StoreLog *next, GError **error)
{
  g_auto(Session) session = {0};

  for (guint i = 0; i < people->people->len; i++) {
    if (!carry(log, next, people->people->pdata[i], error)) {
      return 0;
    }
  }
  session_init(&session, "required");
  return people->required ? store_write_event(next, &session.event, error) : 1;
}

gboolean
store_people_carry(StoreLog *log, StoreLog *next, GError **error)
{
  static const char doing[] = "enrolling those of the log before";
  const StorePeople *people = store_people_read(log, error);

  if (!people || (people->people->len == 0 && !people->required)) {
    return people != NULL;
  }
  return store_begin(next, doing, error) &&
         store_finish(next, doing, write_carried(log, people, next, error), error) != 0;
}

gboolean
store_people_recovered(StoreLog *log, GError **error)
{
  g_autoptr(GError) local = NULL;
  g_auto(Session) session = {0};
  const StorePeople *people = store_people_read(log, &local);

  /* Where what is left cannot be read, no verdict can be given either. */
  if (!people || !people->any || people->required) {
    return TRUE;
  }
  session_init(&session, "required");
  say(&session, "why", "recovered");
  return store_log_add_event(log, &session.event, error) != 0;
}
