/* person.c - people who sign in at a log: see app_person.h.
 *
 * 1. Who is signed in is one state of the program, guarded by its mutex, which is never held while
 *    a log is read or written. It counts for the log with that id alone.
 * 2. A connection learns of it when it is opened (app_log_open_at()), and a lasting one before it
 *    writes.
 */
#include "person.h"

#include <glib/gi18n.h>
#include <string.h>

#include "private.h"
#include "store_person.h"
#include "trust.h"

static struct {
  GMutex mutex;
  char *log_id; /* NULL: nobody is signed in */
  char *name;
  gint64 id, session; /* events: that enrolled the person, that began the session */
} state;

/* ---- who ----------------------------------------------------------------------------------- */

static void
forget(void)
{
  g_mutex_lock(&state.mutex);
  g_clear_pointer(&state.log_id, g_free);
  g_clear_pointer(&state.name, g_free);
  state.id = state.session = 0;
  g_mutex_unlock(&state.mutex);
}

static void
remember(StoreLog *log, const StorePerson *person, gint64 session)
{
  forget();
  g_mutex_lock(&state.mutex);
  state.log_id = g_strdup(store_log_id(log));
  state.name = g_strdup(person->name);
  state.id = person->id;
  state.session = session;
  g_mutex_unlock(&state.mutex);
}

char *
app_person_who(void)
{
  char *name;

  g_mutex_lock(&state.mutex);
  name = g_strdup(state.name);
  g_mutex_unlock(&state.mutex);
  return name;
}

/* Who is signed in at LOG, or NULL. g_free(). */
static char *
who_at(StoreLog *log, gint64 *id, gint64 *session)
{
  char *name = NULL;

  g_mutex_lock(&state.mutex);
  if (state.log_id && strcmp(state.log_id, store_log_id(log)) == 0) {
    name = g_strdup(state.name);
  }
  *id = name ? state.id : 0;
  *session = name ? state.session : 0;
  g_mutex_unlock(&state.mutex);
  return name;
}

void
app_person_apply(StoreLog *log)
{
  gint64 id, session;
  g_autofree char *name = who_at(log, &id, &session);

  store_log_set_person(log, name);
}

static gboolean
is_enrolled(GPtrArray *people, gint64 id)
{
  for (guint i = 0; i < people->len; i++) {
    if (((const StorePerson *)people->pdata[i])->id == id) {
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
app_person_may_judge(StoreLog *log, char **person, GError **error)
{
  gboolean required = FALSE;
  g_autoptr(GPtrArray) people = store_log_people(log, &required, error);
  gint64 id, session;
  g_autofree char *name = who_at(log, &id, &session);

  if (!people) {
    return FALSE;
  }
  if (name && !is_enrolled(people, id)) { /* removed meanwhile, here or by another program */
    forget();
    store_log_set_person(log, NULL);
    g_clear_pointer(&name, g_free);
    required = TRUE;
  }
  if (required && !name) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_PERSON,
                        _("A verdict needs somebody who is signed in with a PIN"));
    return FALSE;
  }
  *person = g_steal_pointer(&name);
  return TRUE;
}

/* ---- what is asked for ---------------------------------------------------------------------- */

static gboolean
sign_in(StoreLog *log, const AppPersonWish *wish, guint *wait, GError **error)
{
  g_autoptr(StorePerson) person = NULL;
  gint64 session = store_log_sign_in(log, wish->name, wish->pin, &person, wait, error);

  if (session) {
    remember(log, person, session);
  }
  return session != 0;
}

/* Out they are, even where the log cannot be told. */
static gboolean
sign_out(StoreLog *log, const char *why, GError **error)
{
  gint64 id, session;
  g_autofree char *name = who_at(log, &id, &session);

  forget();
  return !name || store_log_sign_out(log, session, why, error);
}

static gboolean
removed(StoreLog *log, const char *name, GError **error)
{
  g_autoptr(GPtrArray) people = NULL;
  gint64 id, session;
  g_autofree char *who = NULL;

  if (!store_log_remove_person(log, name, error)) {
    return FALSE;
  }
  people = store_log_people(log, NULL, error);
  who = who_at(log, &id, &session);
  return people && (!who || is_enrolled(people, id) || sign_out(log, "removed", error));
}

static gboolean
do_it(StoreLog *log, const AppPersonWish *wish, guint *wait, GError **error)
{
  switch (wish->deed) {
  case APP_PERSON_ENROL:
    return store_log_enrol(log, wish->name, wish->role, wish->pin, error) != 0;
  case APP_PERSON_REMOVE:
    return removed(log, wish->name, error);
  case APP_PERSON_REQUIRE:
    return store_log_require_person(log, wish->required, error);
  case APP_PERSON_PIN:
    return store_log_change_pin(log, wish->name, wish->pin, wish->next, wait, error);
  case APP_PERSON_IN:
    return sign_in(log, wish, wait, error);
  case APP_PERSON_OUT:
    return sign_out(log, wish->why, error);
  case APP_PERSON_LIST:
    return TRUE;
  }
  return FALSE;
}

static JsonNode *
report(StoreLog *log, GError **error)
{
  gboolean required = FALSE;
  g_autoptr(GPtrArray) people = store_log_people(log, &required, error);
  gint64 id, session;
  g_autofree char *name = who_at(log, &id, &session);
  JsonObject *object;
  JsonArray *array;

  if (!people) {
    return NULL;
  }
  object = json_object_new();
  array = json_array_sized_new(people->len);
  json_object_set_boolean_member(object, "required", required);
  app_json_set_text(object, "signed_in", name);
  for (guint i = 0; i < people->len; i++) {
    const StorePerson *person = people->pdata[i];
    JsonObject *one = json_object_new();
    app_json_set_text(one, "name", person->name);
    app_json_set_text(one, "role", person->role);
    json_object_set_int_member(one, "enrolled", person->id);
    app_json_set_text(one, "since", person->since);
    app_json_set_text(one, "last", person->last);
    json_object_set_int_member(one, "wrong", person->wrong);
    json_array_add_object_element(array, one);
  }
  json_object_set_array_member(object, "people", array);
  return app_json_node(object);
}

JsonNode *
app_person_do(const char *log_path, const AppPersonWish *wish, guint *wait, GError **error)
{
  g_autoptr(StoreLog) log = NULL;

  if (wait) {
    *wait = 0;
  }
  if (wish->deed == APP_PERSON_OUT) {
    g_autofree char *who = app_person_who();
    if (!who) {
      return app_json_node(json_object_new());
    }
  }
  /* Nobody is enrolled in a log by asking who is: that must be there. */
  log = wish->deed == APP_PERSON_LIST    ? app_log_open(log_path, error)
        : wish->deed == APP_PERSON_ENROL ? app_log_open_at(log_path, FALSE, error)
                                         : app_log_open_there(log_path, error);
  if (!log) {
    if (wish->deed == APP_PERSON_OUT) {
      forget();
    }
    return NULL;
  }
  return do_it(log, wish, wait, error) ? report(log, error) : NULL;
}

/* ---- on a thread ------------------------------------------------------------------------------
 */

typedef struct {
  AppPersonWish wish;
  char *log_path, *name, *role, *pin, *next, *why;
  guint wait;
} Doing;

static void
wipe(char *text)
{
  if (text) {
    explicit_bzero(text, strlen(text));
    g_free(text);
  }
}

static void
doing_free(gpointer data)
{
  Doing *doing = data;

  g_free(doing->log_path);
  g_free(doing->name);
  g_free(doing->role);
  g_free(doing->why);
  wipe(doing->pin);
  wipe(doing->next);
  g_free(doing);
}

static void
json_node_release(gpointer node)
{
  json_node_unref(node);
}

static void
do_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Doing *doing = data;
  GError *error = NULL;
  JsonNode *node = app_person_do(doing->log_path, &doing->wish, &doing->wait, &error);

  if (node) {
    g_task_return_pointer(task, node, json_node_release);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_person_do_async(const char *log_path, const AppPersonWish *wish, GAsyncReadyCallback callback,
                    gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user);
  Doing *doing = g_new0(Doing, 1);

  doing->log_path = g_strdup(log_path);
  doing->wish = *wish;
  doing->wish.name = doing->name = g_strdup(wish->name);
  doing->wish.role = doing->role = g_strdup(wish->role);
  doing->wish.pin = doing->pin = g_strdup(wish->pin);
  doing->wish.next = doing->next = g_strdup(wish->next);
  doing->wish.why = doing->why = g_strdup(wish->why);
  g_task_set_source_tag(task, app_person_do_async);
  g_task_set_task_data(task, doing, doing_free);
  g_task_run_in_thread(task, do_in_thread);
}

JsonNode *
app_person_do_finish(GAsyncResult *result, guint *wait, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  if (wait) {
    *wait = ((const Doing *)g_task_get_task_data(G_TASK(result)))->wait;
  }
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- in words ---------------------------------------------------------------------------------
 */

gboolean
app_person_is_refused(const GError *error)
{
  return g_error_matches(error, STORE_ERROR, STORE_ERROR_REFUSED);
}

gboolean
app_person_is_needed(const GError *error)
{
  return g_error_matches(error, APP_ERROR, APP_ERROR_PERSON);
}

const char *
app_pin_problem(const char *pin)
{
  switch (store_pin_check(pin)) {
  case STORE_PIN_GOOD:
    return NULL;
  case STORE_PIN_SHORT:
    return _("A PIN has at least four characters");
  case STORE_PIN_LONG:
    return _("A PIN has at most 64 characters");
  case STORE_PIN_SIMPLE:
    return _("Such a PIN is guessed first");
  case STORE_PIN_ODD:
    break;
  }
  return _("Such a PIN cannot be typed everywhere");
}

const char *
app_person_name_problem(const char *name)
{
  return store_person_name_is_good(name)
             ? NULL
             : _("A name has letters, at most 64 characters, and no blanks around it");
}
