/* test-person.c - people who sign in at a log with a PIN. */
#include "log/person.h"
#include "log/private.h"
#include "rotate-fixture.h"
#include "store_person.h"

#define ANN "Dr. Ann Ångström"
#define PIN "4711-x"
#define OTHER_PIN "8020ö1"

static void
enrol(StoreLog *log, const char *name, const char *role, const char *pin)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpint(store_log_enrol(log, name, role, pin, &error), >, 0);
  g_assert_no_error(error);
}

static gboolean
sign_in(StoreLog *log, const char *name, const char *pin, guint *wait)
{
  g_autoptr(GError) error = NULL;
  gint64 session = store_log_sign_in(log, name, pin, NULL, wait, &error);

  if (!session) {
    g_assert_error(error, STORE_ERROR, STORE_ERROR_REFUSED);
    /* Who reads the message over a shoulder learns no name. */
    g_assert_null(strstr(error->message, name));
    g_assert_true(!*pin || !strstr(error->message, pin));
  } else {
    g_assert_no_error(error);
  }
  return session != 0;
}

/* "enrolled in refused! ..." of all events of the kind; all of them about PERSON's name. */
static gboolean
add_action(const StoreEventRow *event, gpointer user, GError **error)
{
  GString *all = user;

  if (strcmp(event->kind, "session") == 0) {
    g_string_append_printf(all, "%s%s%s%s ", event->action, event->failed ? "!" : "",
                           event->person ? "@" : "", event->person ? event->person : "");
    /* Neither a PIN nor what it is held against is readable to all. */
    g_assert_null(strstr(event->body, "hash"));
    g_assert_null(strstr(event->body, "salt"));
    g_assert_null(strstr(event->body, "pin_key"));
    g_assert_null(strstr(event->body, PIN));
    g_assert_true(!event->text || !strstr(event->text, PIN));
  }
  return TRUE;
}

static char *
actions(StoreLog *log)
{
  g_autoptr(GError) error = NULL;
  GString *all = g_string_new(NULL);

  g_assert_true(store_log_each_event(log, 1, 0, add_action, all, &error));
  g_assert_no_error(error);
  return g_strchomp(g_string_free(all, FALSE));
}

static gboolean
keep_person(const StoreEventRow *event, gpointer user, GError **error)
{
  char **person = user;

  g_free(*person);
  *person = g_strdup(event->person);
  return TRUE;
}

static void
test_one_comes_and_goes(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autoptr(StorePerson) person = NULL;
  g_autoptr(GPtrArray) people = NULL;
  g_autofree char *all = NULL, *last = NULL;
  const StoreEvent event = {.kind = "viewed"};
  const StorePerson *row;
  gint64 session;
  guint wait = 7;

  enrol(log, ANN, "Radiologist", PIN);
  session = store_log_sign_in(log, "dr. ann ångström", PIN, &person, &wait, &error);
  g_assert_no_error(error);
  g_assert_cmpint(session, >, 0);
  g_assert_cmpstr(person->name, ==, ANN); /* as enrolled, not as typed */
  g_assert_cmpstr(person->role, ==, "Radiologist");
  g_assert_cmpint(store_log_add_event(log, &event, &error), >, 0);
  g_assert_true(store_log_each_event(log, 1, 0, keep_person, &last, &error));
  g_assert_cmpstr(last, ==, ANN);
  g_assert_true(store_log_sign_out(log, session, "asked", &error));
  g_assert_no_error(error);
  g_assert_cmpint(store_log_add_event(log, &event, &error), >, 0);
  g_assert_true(store_log_each_event(log, 1, 0, keep_person, &last, &error));
  g_assert_null(last);

  people = store_log_people(log, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(people->len, ==, 1);
  row = people->pdata[0];
  g_assert_cmpstr(row->name, ==, ANN);
  g_assert_nonnull(row->since);
  g_assert_nonnull(row->last);
  g_assert_cmpuint(row->wrong, ==, 0);
  all = actions(log);
  g_assert_cmpstr(all, ==, "enrolled in@" ANN " out@" ANN);
}

/* Each refusal is an event, and no name of who is signed in stands with it. */
static void
test_wrong_pins(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autofree char *all = NULL;
  guint wait = 0;

  enrol(log, ANN, NULL, PIN);
  enrol(log, "Bert", NULL, PIN);
  g_assert_true(sign_in(log, "Bert", PIN, NULL));
  for (guint i = 1; i < STORE_PIN_FREE; i++) {
    g_assert_false(sign_in(log, ANN, i == 1 ? "" : "4711-y", &wait));
    g_assert_cmpuint(wait, ==, 0);
  }
  g_assert_false(sign_in(log, ANN, OTHER_PIN, &wait));
  g_assert_cmpuint(wait, ==, 30);
  g_assert_false(sign_in(log, ANN, PIN, &wait)); /* right, and too soon */
  g_assert_cmpuint(wait, >, 25);
  g_assert_cmpuint(wait, <=, 30);
  /* A new start of the program forgets nothing; setting the clock helps nobody. */
  store_log_close(g_steal_pointer(&log));
  log = open_log(folder->path, FALSE);
  log->clock_offset = G_TIME_SPAN_DAY;
  g_assert_false(sign_in(log, ANN, PIN, &wait));
  g_assert_cmpuint(wait, >, 20);
  log->clock_offset = 0;
  /* Time does. A wrong one then costs a minute. */
  log->boot_offset = 31 * G_TIME_SPAN_SECOND;
  g_assert_false(sign_in(log, ANN, "4711-z", &wait));
  g_assert_cmpuint(wait, ==, 60);
  log->boot_offset = 92 * G_TIME_SPAN_SECOND;
  g_assert_true(sign_in(log, ANN, PIN, &wait));
  /* The right one ends the counting. */
  g_assert_false(sign_in(log, ANN, "4711-z", &wait));
  g_assert_cmpuint(wait, ==, 0);
  all = actions(log);
  g_assert_cmpstr(all, ==,
                  "enrolled enrolled in@Bert refused! refused! refused! refused! refused! refused! "
                  "refused! refused! in@" ANN " refused!");
}

static void
test_waiting(void)
{
  const gint64 second = G_USEC_PER_SEC;
  const StoreMoment then = {1000 * second, 500 * second, "a"};
  const struct {
    guint wrong;
    StoreMoment now;
    guint wait;
  } cases[] = {
      {4, {1000 * second, 500 * second, "a"}, 0},
      {5, {1000 * second, 500 * second, "a"}, 30},
      {5, {9999 * second, 510 * second, "a"}, 20}, /* the clock was set on */
      {5, {0, 529 * second + 1, "a"}, 1},          /* and back */
      {5, {0, 530 * second, "a"}, 0},
      {8, {1000 * second, 500 * second, "a"}, 240},
      {9, {1000 * second, 500 * second, "a"}, 480},
      {10, {1000 * second, 500 * second, "a"}, 900},
      {G_MAXUINT, {1000 * second, 500 * second, "a"}, 900},
      /* Another start, or another machine: the clock on the wall. */
      {5, {1010 * second, 5 * second, "b"}, 20},
      {5, {1010 * second, 9999 * second, "b"}, 20},
      {5, {1010 * second, 9999 * second, ""}, 20},
      /* Its battery is empty: what it has run. */
      {5, {0, 10 * second, "b"}, 20},
      {5, {0, 31 * second, "b"}, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u", i);
    g_assert_cmpuint(store_pin_wait(cases[i].wrong, &then, &cases[i].now), ==, cases[i].wait);
  }
}

static void
test_pin_is_changed(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autofree char *all = NULL;
  guint wait = 7;

  enrol(log, ANN, NULL, PIN);
  g_assert_false(store_log_change_pin(log, ANN, "0000", OTHER_PIN, &wait, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_REFUSED);
  g_assert_cmpuint(wait, ==, 0);
  g_clear_error(&error);
  g_assert_false(store_log_change_pin(log, ANN, PIN, "1234", NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_true(store_log_change_pin(log, ANN, PIN, OTHER_PIN, NULL, &error));
  g_assert_no_error(error);
  g_assert_false(sign_in(log, ANN, PIN, NULL));
  /* The same letter as another keyboard makes it. */
  g_assert_true(sign_in(log, ANN,
                        "8020o\xcc\x88"
                        "1",
                        NULL));
  all = actions(log);
  g_assert_cmpstr(all, ==, "enrolled refused! pin-changed refused! in@" ANN);
}

static void
test_names_and_pins(LogFolder *folder, gconstpointer data)
{
  static const char *const names[] = {
      "",
      " Ann",
      "Ann ",
      "A\nB",
      "A\xe2\x80\xae"
      "Bert", /* turns what follows */
      "\xff\xff",
      "...",
      "0123456789012345678901234567890123456789012345678901234567890123x"};
  static const struct {
    const char *pin;
    StorePinCheck check;
  } pins[] = {{"", STORE_PIN_SHORT},
              {"123", STORE_PIN_SHORT},
              {"ööö", STORE_PIN_SHORT},
              {"1111", STORE_PIN_SIMPLE},
              {"öööö", STORE_PIN_SIMPLE},
              {"34567", STORE_PIN_SIMPLE},
              {"9876", STORE_PIN_SIMPLE},
              {"1357", STORE_PIN_GOOD},
              {"abcd", STORE_PIN_GOOD},
              {"12\t45", STORE_PIN_ODD},
              {"\xff\xff\xff\xff", STORE_PIN_ODD},
              {"1298", STORE_PIN_GOOD}};
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autofree char *lengthy = g_strnfill(STORE_PIN_MOST + 1, 'x'), *all = NULL;
  g_autoptr(GPtrArray) people = NULL;
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_test_message("name %u", i);
    g_assert_cmpint(store_log_enrol(log, names[i], NULL, PIN, &error), ==, 0);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
    g_clear_error(&error);
  }
  for (guint i = 0; i < G_N_ELEMENTS(pins); i++) {
    g_test_message("PIN %u", i);
    g_assert_cmpint(store_pin_check(pins[i].pin), ==, pins[i].check);
  }
  g_assert_cmpint(store_pin_check(lengthy), ==, STORE_PIN_LONG);
  g_assert_cmpint(store_log_enrol(log, ANN, NULL, "1111", &error), ==, 0);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  enrol(log, ANN, NULL, PIN);
  /* Nobody takes the one for the other. */
  g_assert_cmpint(store_log_enrol(log, "DR. ANN A\xcc\x8aNGSTRÖM", NULL, PIN, &error), ==, 0);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_cmpint(store_log_sign_in(log, "nobody", PIN, NULL, NULL, &error), ==, 0);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  g_clear_error(&error);
  people = store_log_people(log, NULL, &error);
  g_assert_cmpuint(people->len, ==, 1);
  all = actions(log); /* a name that is nobody's is not written down: it may have been a PIN */
  g_assert_cmpstr(all, ==, "enrolled");
}

static void
test_removed(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE), other = open_log(folder->path, FALSE);
  g_autoptr(GPtrArray) people = NULL;
  gboolean required = FALSE;

  g_assert_false(store_log_require_person(log, TRUE, &error)); /* of whom? */
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  enrol(log, ANN, NULL, PIN);
  g_assert_true(store_log_require_person(log, TRUE, &error));
  g_assert_no_error(error);
  g_ptr_array_unref(store_log_people(other, &required, &error)); /* read here before */
  g_assert_true(required);
  g_assert_true(store_log_remove_person(log, ANN, &error));
  g_assert_no_error(error);
  g_assert_cmpint(store_log_sign_in(other, ANN, PIN, NULL, NULL, &error), ==, 0);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  g_clear_error(&error);
  g_assert_false(store_log_remove_person(other, ANN, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  g_clear_error(&error);
  enrol(other, ANN, NULL, OTHER_PIN); /* the same name, another PIN and id */
  g_assert_true(sign_in(log, ANN, OTHER_PIN, NULL));
  g_assert_true(store_log_require_person(log, FALSE, &error));
  people = store_log_people(other, &required, &error);
  g_assert_false(required);
  g_assert_cmpuint(people->len, ==, 1);
}

/* Who cannot open the texts sees who there is, and cannot look at a PIN. */
static void
test_locked(LogFolder *folder, gconstpointer data)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autoptr(GPtrArray) people = NULL;

  enrol(log, ANN, NULL, PIN);
  store_log_close(g_steal_pointer(&log));
  log = store_log_open_with(folder->path, &how, &error);
  g_assert_no_error(error);
  people = store_log_people(log, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(people->len, ==, 1);
  g_assert_cmpint(store_log_sign_in(log, ANN, PIN, NULL, NULL, &error), ==, 0);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_IO);
}

/* A PIN is worth nothing in another log, and its hash is another each time. */
static void
test_hash(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(folder->folder, "other.sqlite", NULL);
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE),
                      other = store_log_open(path, FALSE, &error);
  StorePin pin = {0}, again = {0};
  gboolean right = FALSE;

  g_assert_no_error(error);
  g_assert_true(store_pin_make(log, PIN, &pin, &error));
  g_assert_true(store_pin_make(log, PIN, &again, &error));
  g_assert_cmpint(memcmp(pin.hash, again.hash, sizeof pin.hash), !=, 0);
  g_assert_true(store_pin_look(log, PIN, &pin, &right, &error));
  g_assert_true(right);
  g_assert_true(store_pin_look(log, PIN "x", &pin, &right, &error));
  g_assert_false(right);
  g_assert_true(store_pin_look(other, PIN, &pin, &right, &error));
  g_assert_false(right);
  g_assert_false(store_pin_get(&pin, NULL, NULL, "2", "67108864", NULL));
}

/* A verdict keeps who had signed in beside the system's user. */
static void
test_verdict(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  const StoreTurn turn = {.question = "?", .answer = "!"};
  const StoreVerdict verdicts[] = {{"accepted", NULL, "ward", "Ward 3", ANN},
                                   {"rejected", NULL, "ward", NULL}};
  gint64 model = store_log_add_model(log, &sample_model, &error);
  gint64 talk = store_log_add_conversation(log, model, "1", 0, 0, &error);
  gint64 id = store_log_add_turn(log, talk, &turn, &error);
  g_autoptr(GPtrArray) rows = NULL;
  const StoreVerdictRow *row;

  for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++) {
    g_assert_cmpint(store_log_add_verdict(log, id, &verdicts[i], &error), >, 0);
    g_assert_no_error(error);
  }
  rows = store_log_verdicts(log, id, &error);
  g_assert_no_error(error);
  g_ptr_array_set_free_func(rows, (GDestroyNotify)store_verdict_row_free);
  row = rows->pdata[0];
  g_assert_cmpstr(row->verdict.person, ==, ANN);
  g_assert_cmpstr(row->verdict.user_name, ==, "ward");
  row = rows->pdata[1];
  g_assert_null(row->verdict.person);
}

/* Asked of a log that is opened anew. *kept: as far as LOG.people was believed. */
static guint
wrong_of_ann(const char *path, gint64 *kept)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);
  StorePeople *people = store_people_read(log, &error);
  const StorePersonState *state = people ? store_people_find(people, ANN) : NULL;

  g_assert_no_error(error);
  g_assert_true(people->required);
  *kept = people->kept;
  return state ? state->person.wrong : G_MAXUINT;
}

/* LOG.people saves reading, and changes nothing of what is read. */
static void
test_file(LogFolder *folder, gconstpointer data)
{
  const StoreEvent event = {.kind = "viewed"};
  g_autofree char *file = g_strconcat(folder->path, ".people", NULL), *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gint64 kept = 0;
  gsize n = 0;
  guint wait;

  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_cmpint(sqlite3_exec(log->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), ==, 0);
    enrol(log, ANN, "Radiologist", PIN);
    g_assert_true(store_log_require_person(log, TRUE, &error));
    g_assert_false(sign_in(log, ANN, OTHER_PIN, &wait));
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS)); /* so little is not worth it */
    for (guint i = 0; i < 2100; i++) {
      g_assert_cmpint(store_log_add_event(log, &event, &error), >, 0);
    }
    g_assert_nonnull(store_people_read(log, &error));
  }
  g_assert_true(g_file_get_contents(file, &bytes, &n, NULL));
  g_assert_null(g_strstr_len(bytes, (gssize)n, "Ann"));
  g_assert_cmpuint(wrong_of_ann(folder->path, &kept), ==, 1);
  g_assert_cmpint(kept, >, 2100);
  /* An older one than the log: what came since is read. */
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_false(sign_in(log, ANN, OTHER_PIN, &wait));
    g_assert_true(sign_in(log, ANN, PIN, &wait));
    g_assert_false(sign_in(log, ANN, OTHER_PIN, &wait));
    g_assert_false(sign_in(log, ANN, OTHER_PIN, &wait));
  }
  g_assert_cmpuint(wrong_of_ann(folder->path, &kept), ==, 2);
  g_assert_cmpint(kept, >, 2100);
  /* Damaged, cut short, or of a log that was once longer or another: as if there were none. */
  for (guint i = 0; i < 3; i++) {
    g_autofree char *bad = g_memdup2(bytes, n);
    bad[i == 0 ? 3 : n / 2] ^= 1;
    g_assert_true(g_file_set_contents(file, bad, i == 2 ? 20 : (gssize)n, NULL));
    g_assert_cmpuint(wrong_of_ann(folder->path, &kept), ==, 2);
    g_assert_cmpint(kept, ==, 0); /* opened for reading: it is not written either */
  }
  {
    /* It goes with its log. */
    g_autofree char *archive = in_folder(folder, "log-0001.sqlite.people");
    g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
    g_assert_true(exists(archive, ""));
    g_assert_false(exists(file, ""));
    g_assert_cmpuint(wrong_of_ann(folder->path, &kept), ==, 2);
    g_assert_cmpint(kept, ==, 0);
  }
  {
    g_autofree char *other = g_build_filename(folder->folder, "other.sqlite", NULL);
    g_autofree char *beside = g_strconcat(other, ".people", NULL);
    g_autoptr(StoreLog) log = open_log(other, FALSE);
    g_assert_true(g_file_set_contents(beside, bytes, (gssize)n, NULL));
    g_assert_cmpuint(store_people_read(log, &error)->people->len, ==, 0);
  }
}

/* ---- in the log that goes on ----------------------------------------------------------------- */

#define BEN "Ben"
#define NEW_PIN "5-2-5-1"

static void
rotate_away(LogFolder *folder, StoreLog **log)
{
  StoreLink *link;

  g_clear_pointer(log, store_log_close);
  link = rotate(folder->path, NULL, 0);
  store_link_free(link);
  *log = open_log(folder->path, FALSE);
}

static void
assert_people(StoreLog *log, guint n, gboolean must)
{
  g_autoptr(GError) error = NULL;
  gboolean required = !must;
  g_autoptr(GPtrArray) people = store_log_people(log, &required, &error);

  g_assert_no_error(error);
  g_assert_cmpuint(people->len, ==, n);
  g_assert_cmpint(required, ==, must);
}

static void
assert_same_person(const StorePerson *now, const StorePerson *then)
{
  g_assert_cmpstr(now->name, ==, then->name);
  g_assert_cmpstr(now->role, ==, then->role);
  g_assert_cmpstr(now->since, ==, then->since);
  g_assert_cmpstr(now->last, ==, then->last);
  g_assert_cmpuint(now->wrong, ==, then->wrong);
}

static void
test_rotated(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autoptr(GPtrArray) before = NULL, after = NULL;
  g_autofree char *all = NULL;

  enrol(log, ANN, "Radiologist", PIN);
  enrol(log, BEN, NULL, OTHER_PIN);
  enrol(log, "Gone", NULL, PIN);
  g_assert_true(store_log_remove_person(log, "Gone", &error));
  g_assert_true(store_log_require_person(log, TRUE, &error));
  g_assert_true(sign_in(log, ANN, PIN, NULL));
  g_assert_false(sign_in(log, BEN, PIN, NULL));
  before = store_log_people(log, NULL, &error);
  rotate_away(folder, &log);
  assert_people(log, 2, TRUE);
  after = store_log_people(log, NULL, &error);
  for (guint i = 0; i < 2; i++) {
    assert_same_person(after->pdata[i], before->pdata[i]);
  }
  all = actions(log); /* and nothing of a PIN is readable */
  g_assert_cmpstr(all, ==, "enrolled enrolled required");
  g_assert_false(sign_in(log, ANN, OTHER_PIN, NULL));
  g_assert_true(sign_in(log, ANN, PIN, NULL));
  g_assert_false(sign_in(log, BEN, PIN, NULL));
  g_assert_true(sign_in(log, BEN, OTHER_PIN, NULL));
  assert_links_whole(folder->path, 1);

  /* Once more: one PIN of the first log, one of the second. */
  g_assert_true(store_log_change_pin(log, BEN, OTHER_PIN, NEW_PIN, NULL, &error));
  g_assert_no_error(error);
  rotate_away(folder, &log);
  assert_people(log, 2, TRUE);
  g_assert_false(sign_in(log, BEN, OTHER_PIN, NULL));
  g_assert_true(sign_in(log, BEN, NEW_PIN, NULL));
  g_assert_true(sign_in(log, ANN, PIN, NULL));
  g_clear_pointer(&log, store_log_close);
  assert_whole(folder->path);
  assert_links_whole(folder->path, 2);
}

/* What is optional stays so, and who guessed waits on. */
static void
test_rotated_waiting(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  guint wait = 0;

  enrol(log, ANN, NULL, PIN);
  for (guint i = 0; i < STORE_PIN_FREE; i++) {
    g_assert_false(sign_in(log, ANN, OTHER_PIN, NULL));
  }
  rotate_away(folder, &log);
  assert_people(log, 1, FALSE);
  g_assert_false(sign_in(log, ANN, PIN, &wait));
  g_assert_cmpuint(wait, >, 0);
  log->boot_offset = (gint64)wait * G_USEC_PER_SEC;
  log->clock_offset = log->boot_offset;
  g_assert_true(sign_in(log, ANN, PIN, NULL));
}

/* Nobody to enrol, nothing to say. */
static void
test_rotated_alone(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autofree char *all = NULL;

  rotate_away(folder, &log);
  all = actions(log);
  g_assert_cmpstr(all, ==, "");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/person/waiting", test_waiting);
  LOG_TEST("/person/one-comes-and-goes", test_one_comes_and_goes);
  LOG_TEST("/person/wrong-pins", test_wrong_pins);
  LOG_TEST("/person/pin-is-changed", test_pin_is_changed);
  LOG_TEST("/person/names-and-pins", test_names_and_pins);
  LOG_TEST("/person/removed", test_removed);
  LOG_TEST("/person/locked", test_locked);
  LOG_TEST("/person/file", test_file);
  LOG_TEST("/person/hash", test_hash);
  LOG_TEST("/person/verdict", test_verdict);
  LOG_TEST("/person/rotated", test_rotated);
  LOG_TEST("/person/rotated-waiting", test_rotated_waiting);
  LOG_TEST("/person/rotated-alone", test_rotated_alone);
  return g_test_run();
}
