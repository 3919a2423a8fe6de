/* person.c - people who sign in at the log: read from its events, and told of in new ones.
 *
 * 1. What is known of people is what events say, in their order. Each change reads on to the log's
 *    last event under the write lock, and is decided by that: two programs at once count as one.
 * 2. A wrong PIN is an event before anybody hears that it was wrong.
 */
#include "person.h"

#include <sodium.h>
#include <string.h>

#include "keys.h"
#include "row.h"
#include "write.h"

static void
clear_person(StorePerson *person)
{
  g_free(person->name);
  g_free(person->role);
  g_free(person->since);
  g_free(person->last);
}

void
store_person_free(StorePerson *person)
{
  if (person) {
    clear_person(person);
    g_free(person);
  }
}

static void
state_free(gpointer data)
{
  StorePersonState *state = data;

  clear_person(&state->person);
  sodium_memzero(&state->pin, sizeof state->pin);
  g_free(state);
}

void
store_people_free(StorePeople *people)
{
  if (people) {
    g_ptr_array_unref(people->people);
    g_free(people);
  }
}

/* ---- names ----------------------------------------------------------------------------------- */

gboolean
store_person_name_is_good(const char *name)
{
  gboolean visible = FALSE;

  if (!name || strnlen(name, STORE_PERSON_NAME_MOST * 6 + 1) > STORE_PERSON_NAME_MOST * 6 ||
      !g_utf8_validate(name, -1, NULL) || g_utf8_strlen(name, -1) > (glong)STORE_PERSON_NAME_MOST) {
    return FALSE;
  }
  for (const char *at = name; *at; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ||
        g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR ||
        g_unichar_type(c) == G_UNICODE_PARAGRAPH_SEPARATOR) {
      return FALSE;
    }
    visible |= g_unichar_isalnum(c);
  }
  return visible && !g_unichar_isspace(g_utf8_get_char(name)) &&
         !g_unichar_isspace(g_utf8_get_char(g_utf8_prev_char(name + strlen(name))));
}

/* What two names that people would take for the same have in common. g_free(). */
static char *
fold(const char *name)
{
  g_autofree char *valid = g_utf8_make_valid(name, -1);
  g_autofree char *normal = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL);

  return g_utf8_casefold(normal, -1);
}

StorePersonState *
store_people_find(StorePeople *people, const char *name)
{
  g_autofree char *wanted = fold(name);

  for (guint i = 0; i < people->people->len; i++) {
    StorePersonState *state = people->people->pdata[i];
    g_autofree char *folded = fold(state->person.name);
    if (strcmp(folded, wanted) == 0) {
      return state;
    }
  }
  return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The members of an event that stand in FIELDS, in both places. What is borrowed lives as BODY. */
static StoreBody
fields_of(StoreBody *body)
{
  StoreBody fields = *body;

  for (guint i = 0; i < STORE_N_PLACES; i++) {
    JsonNode *node = body->json[i] ? json_object_get_member(body->json[i], "fields") : NULL;
    fields.json[i] = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  }
  return fields;
}

static void
read_pin(StoreBody *fields, StorePin *pin)
{
  const char *salt = store_body_text(fields, STORE_SEALED, "salt", STORE_NULLABLE);
  const char *hash = store_body_text(fields, STORE_SEALED, "hash", STORE_NULLABLE);
  const char *operations = store_body_text(fields, STORE_SEALED, "operations", STORE_NULLABLE);
  const char *memory = store_body_text(fields, STORE_SEALED, "memory", STORE_NULLABLE);
  const char *key = store_body_text(fields, STORE_SEALED, "pin_key", STORE_NULLABLE);

  pin->there = FALSE;
  if (fields->json[STORE_SEALED] && !store_pin_get(pin, salt, hash, operations, memory, key)) {
    store_body_corrupt(fields, "hash", "found something else, expected what a PIN is held against");
  }
}

static void
read_moment(StoreBody *fields, const char *time, StoreMoment *moment)
{
  g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(time, NULL);
  const char *boot = store_body_text(fields, STORE_SEALED, "boot", STORE_NULLABLE);

  moment->wall =
      date ? g_date_time_to_unix(date) * G_USEC_PER_SEC + g_date_time_get_microsecond(date) : 0;
  moment->uptime = (gint64)MIN(store_body_uint64(fields, STORE_SEALED, "uptime"), G_MAXINT64);
  g_strlcpy(moment->boot, boot ? boot : "", sizeof moment->boot);
}

/* What is told of a person who was enrolled in the log that this one goes on from. */
static void
read_carried(StoreBody *fields, const char *time, StorePersonState *state)
{
  const char *since = store_body_text(fields, STORE_CLEAR, "since", STORE_NULLABLE);
  const char *last = store_body_text(fields, STORE_CLEAR, "last", STORE_NULLABLE);
  const char *wrong = store_body_text(fields, STORE_CLEAR, "wrong", STORE_NULLABLE);
  guint64 n = 0;

  if (since) {
    g_free(state->person.since);
    state->person.since = g_strdup(since);
  }
  state->person.last = g_strdup(last);
  if (wrong && !g_ascii_string_to_unsigned(wrong, 10, 0, G_MAXUINT, &n, NULL)) {
    store_body_corrupt(fields, "wrong", "found something else, expected a number of wrong PINs");
  } else if (wrong) {
    state->person.wrong = (guint)n;
    read_moment(fields, time, &state->refused);
  }
}

/* RECOVERED: that somebody of the name was removed before may have been lost. */
static void
enrol(StorePeople *people, StoreBody *fields, const char *time, gint64 number, gboolean recovered)
{
  const char *name = store_body_text(fields, STORE_CLEAR, "name", STORE_REQUIRED);
  const char *role = store_body_text(fields, STORE_CLEAR, "role", STORE_NULLABLE);
  StorePersonState *state;

  if (recovered && name && (state = store_people_find(people, name))) {
    g_ptr_array_remove(people->people, state);
  }
  if (fields->failed || !store_person_name_is_good(name) || store_people_find(people, name) ||
      people->people->len >= STORE_PEOPLE_MOST) {
    store_body_corrupt(fields, "name", "found none that can be enrolled, expected one");
    return;
  }
  state = g_new0(StorePersonState, 1);
  state->person = (StorePerson){
      .id = number, .name = g_strdup(name), .role = g_strdup(role), .since = g_strdup(time)};
  g_ptr_array_add(people->people, state);
  read_pin(fields, &state->pin);
  read_carried(fields, time, state);
}

/* An event of kind "session" about somebody who is enrolled. */
static void
tell_of(StorePeople *people, StorePersonState *state, const char *action, StoreBody *fields,
        const char *time)
{
  if (strcmp(action, "removed") == 0) {
    g_ptr_array_remove(people->people, state);
  } else if (strcmp(action, "pin-changed") == 0) {
    state->person.wrong = 0;
    read_pin(fields, &state->pin);
  } else if (strcmp(action, "in") == 0) {
    state->person.wrong = 0;
    g_free(state->person.last);
    state->person.last = g_strdup(time);
  } else if (strcmp(action, "refused") == 0 &&
             !store_body_text(fields, STORE_CLEAR, "too_soon", STORE_NULLABLE)) {
    state->person.wrong += state->person.wrong < G_MAXUINT;
    read_moment(fields, time, &state->refused);
  }
}

static gboolean
take_event(StoreLog *log, StorePeople *people, gint64 number, GError **error)
{
  g_auto(StoreBody) body = {0};
  g_autofree char *time = NULL;
  StoreBody fields;
  StorePersonState *state;
  const char *action, *name;

  if (!store_row_open(log, number, "session", &body, &time, NULL, error)) {
    return FALSE;
  }
  fields = fields_of(&body);
  action = store_body_text(&body, STORE_CLEAR, "action", STORE_REQUIRED);
  name = store_body_text(&fields, STORE_CLEAR, "name", STORE_NULLABLE);
  if (body.failed || fields.failed) {
    return FALSE;
  }
  people->any = TRUE;
  if (strcmp(action, "enrolled") == 0) {
    enrol(people, &fields, time, number,
          json_object_has_member(body.json[STORE_CLEAR], "recovered_event"));
  } else if (strcmp(action, "required") == 0 || strcmp(action, "optional") == 0) {
    people->required = strcmp(action, "required") == 0;
  } else if (name && (state = store_people_find(people, name))) {
    tell_of(people, state, action, &fields, time);
  }
  return !body.failed && !fields.failed;
}

/* A failure in the middle leaves PEOPLE as far as it was read: the next reading goes on there, and
 * fails there. */
static gboolean
read_on(StoreLog *log, StorePeople *people, GError **error)
{
  static const char doing[] = "reading who may sign in";
  g_autoptr(StoreStatement) statement = NULL;
  gint64 next = 0;

  if (!store_row_next(log, doing, &next, error)) {
    return FALSE;
  }
  statement = store_statement(log, STORE_SQL_SESSIONS, doing, error);
  if (!statement) {
    return FALSE;
  }
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  store_bind_int(&binder, people->upto + 1);
  store_bind_int(&binder, next - 1);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "event", 0, 0, FALSE, error};
    gint64 number;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (more) {
      number = store_read_int(&reader, "seq", people->upto + 1, next - 1);
      if (reader.failed || !take_event(log, people, number, error)) {
        return FALSE;
      }
      people->upto = number;
    }
  }
  people->upto = next - 1;
  return TRUE;
}

StorePeople *
store_people_read(StoreLog *log, GError **error)
{
  if (!log->people) {
    log->people = g_new0(StorePeople, 1);
    log->people->people = g_ptr_array_new_with_free_func(state_free);
    store_people_recall(log, log->people);
  }
  if (!read_on(log, log->people, error)) {
    return NULL;
  }
  store_people_remember(log, log->people);
  return log->people;
}

StorePerson *
store_person_copy(const StorePerson *from)
{
  StorePerson *person = g_memdup2(from, sizeof *from);

  person->name = g_strdup(from->name);
  person->role = g_strdup(from->role);
  person->since = g_strdup(from->since);
  person->last = g_strdup(from->last);
  return person;
}

GPtrArray *
store_log_people(StoreLog *log, gboolean *required, GError **error)
{
  StorePeople *people;
  GPtrArray *rows;

  g_return_val_if_fail(log, NULL);
  people = store_people_read(log, error);
  if (!people) {
    return NULL;
  }
  if (required) {
    *required = people->required;
  }
  rows = g_ptr_array_new_with_free_func((GDestroyNotify)store_person_free);
  for (guint i = 0; i < people->people->len; i++) {
    const StorePersonState *state = people->people->pdata[i];
    g_ptr_array_add(rows, store_person_copy(&state->person));
  }
  return rows;
}
