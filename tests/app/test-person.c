/* test-person.c - who is signed in at a log stands in what the program writes to it. */
#include <glib/gstdio.h>
#include <string.h>

#include "app_person.h"
#include "app_trust.h"
#include "logbook.h"
#include "person.h"
#include "private.h"
#include "record.h"
#include "store.h"
#include "store_person.h"
#include "trust.h"

#define PIN "47-11"

typedef struct {
  char *folder, *path, *other;
  gint64 turn;
} Fixture;

static void
make_log(const char *path, gint64 *turn_id)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, FALSE, &error);
  const StoreModel model = {.name = "demo"};
  const StoreTurn turn = {.question = "?", .answer = "!"};
  gint64 talk;

  g_assert_no_error(error);
  talk =
      store_log_add_conversation(log, store_log_add_model(log, &model, &error), "1", 0, 0, &error);
  *turn_id = store_log_add_turn(log, talk, &turn, &error);
  g_assert_no_error(error);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp("hilum-person-XXXXXX", NULL);
  fixture->path = g_build_filename(fixture->folder, "log.sqlite", NULL);
  fixture->other = g_build_filename(fixture->folder, "other.sqlite", NULL);
  make_log(fixture->path, &fixture->turn);
}

static JsonObject *
done(const char *path, const AppPersonWish *wish)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_person_do(path, wish, NULL, &error);

  g_assert_no_error(error);
  return json_object_ref(json_node_get_object(node));
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  const AppPersonWish out = {APP_PERSON_OUT, .why = "end"};
  g_autoptr(GDir) folder = NULL;
  const char *name;

  json_object_unref(done(fixture->path, &out));
  folder = g_dir_open(fixture->folder, 0, NULL);
  while ((name = g_dir_read_name(folder))) {
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
    g_remove(path);
  }
  g_rmdir(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->path);
  g_free(fixture->other);
}

static void
enrol(const char *path, const char *name)
{
  const AppPersonWish wish = {APP_PERSON_ENROL, .name = name, .role = "Radiologist", .pin = PIN};

  json_object_unref(done(path, &wish));
}

static gboolean
add_event(const StoreEventRow *event, gpointer user, GError **error)
{
  g_string_append_printf(user, "%s%s%s@%s ", event->kind, event->action ? "-" : "",
                         event->action ? event->action : "", event->person ? event->person : "");
  return TRUE;
}

/* "verdict@Ann ...", from the event FIRST on. */
static char *
events(const char *path, gint64 first)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, TRUE, &error);
  GString *all = g_string_new(NULL);

  g_assert_no_error(error);
  g_assert_true(store_log_each_event(log, first, 0, add_event, all, &error));
  return g_strchomp(g_string_free(all, FALSE));
}

static void
test_verdict(Fixture *fixture, gconstpointer data)
{
  const AppPersonWish in = {APP_PERSON_IN, .name = "ann", .pin = PIN};
  const AppPersonWish out = {APP_PERSON_OUT, .why = "asked"};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) was_in = NULL, was_out = NULL;
  g_autoptr(JsonNode) verdict = NULL, later = NULL;
  g_autofree char *who = NULL, *all = NULL, *by = NULL;

  enrol(fixture->path, "Ann");
  was_in = done(fixture->path, &in);
  g_assert_cmpstr(json_object_get_string_member(was_in, "signed_in"), ==, "Ann");
  who = app_person_who();
  g_assert_cmpstr(who, ==, "Ann");
  verdict = app_log_judge(fixture->path, fixture->turn, APP_VERDICT_ACCEPTED, NULL, &error);
  g_assert_no_error(error);
  by = g_strdup_printf("Ann (%s)", g_get_user_name());
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(verdict), "by"), ==, by);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(verdict), "person"), ==,
                  "Ann");
  was_out = done(fixture->path, &out);
  g_assert_true(json_object_get_null_member(was_out, "signed_in"));
  g_assert_null(app_person_who());
  later = app_log_judge(fixture->path, fixture->turn, APP_VERDICT_REJECTED, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(json_object_get_null_member(json_node_get_object(later), "person"));
  all = events(fixture->path, 5);
  g_assert_cmpstr(all, ==, "session-enrolled@ session-in@Ann verdict@Ann session-out@Ann verdict@");
}

static void
test_required(Fixture *fixture, gconstpointer data)
{
  const AppPersonWish require = {APP_PERSON_REQUIRE, .required = TRUE};
  const AppPersonWish in = {APP_PERSON_IN, .name = "Ann", .pin = PIN};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) required = NULL, was_in = NULL;
  g_autoptr(JsonNode) verdict = NULL;
  g_autoptr(StoreLog) log = NULL;

  enrol(fixture->path, "Ann");
  required = done(fixture->path, &require);
  g_assert_true(json_object_get_boolean_member(required, "required"));
  g_assert_null(app_log_judge(fixture->path, fixture->turn, APP_VERDICT_ACCEPTED, NULL, &error));
  g_assert_true(app_person_is_needed(error));
  g_clear_error(&error);
  was_in = done(fixture->path, &in);
  verdict = app_log_judge(fixture->path, fixture->turn, APP_VERDICT_ACCEPTED, NULL, &error);
  g_assert_no_error(error);
  /* Another program removes her: her session is worth nothing from now on. */
  log = store_log_open(fixture->path, FALSE, &error);
  g_assert_true(store_log_remove_person(log, "Ann", &error));
  g_assert_null(app_log_judge(fixture->path, fixture->turn, APP_VERDICT_ACCEPTED, NULL, &error));
  g_assert_true(app_person_is_needed(error));
  g_assert_null(app_person_who());
}

/* Neither who may judge nor that they have to sign in is lost with the log that is full. */
static void
test_required_in_the_next(Fixture *fixture, gconstpointer data)
{
  const AppPersonWish require = {APP_PERSON_REQUIRE, .required = TRUE};
  const AppPersonWish in = {APP_PERSON_IN, .name = "Ann", .pin = PIN};
  const StoreOpen how = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) required = NULL, was_in = NULL;
  g_autoptr(JsonNode) verdict = NULL;
  g_autoptr(StoreLink) link = NULL;

  enrol(fixture->path, "Ann");
  required = done(fixture->path, &require);
  link = store_log_rotate(fixture->path, &how, &error);
  g_assert_no_error(error);
  make_log(fixture->path, &fixture->turn);
  g_assert_null(app_log_judge(fixture->path, fixture->turn, APP_VERDICT_ACCEPTED, NULL, &error));
  g_assert_true(app_person_is_needed(error));
  g_clear_error(&error);
  was_in = done(fixture->path, &in);
  verdict = app_log_judge(fixture->path, fixture->turn, APP_VERDICT_ACCEPTED, NULL, &error);
  g_assert_no_error(error);
  g_assert_nonnull(verdict);
}

/* What one has done at one log is not told of at another. */
static void
test_another_log(Fixture *fixture, gconstpointer data)
{
  const AppPersonWish in = {APP_PERSON_IN, .name = "Ann", .pin = PIN};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) was_in = NULL;
  g_autoptr(JsonNode) verdict = NULL;
  gint64 turn = 0;

  make_log(fixture->other, &turn);
  enrol(fixture->path, "Ann");
  was_in = done(fixture->path, &in);
  verdict = app_log_judge(fixture->other, turn, APP_VERDICT_ACCEPTED, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(json_object_get_null_member(json_node_get_object(verdict), "person"));
}

/* The logbook stays open while people come and go. */
static void
test_logbook(Fixture *fixture, gconstpointer data)
{
  const AppPersonWish in = {APP_PERSON_IN, .name = "Ann", .pin = PIN};
  const AppPersonWish out = {APP_PERSON_OUT, .why = "idle"};
  const StoreModel model = {.name = "demo"};
  const StoreTurn turn = {.question = "?", .answer = "!"};
  g_autoptr(GError) error = NULL;
  AppLogbook *book = app_logbook_open(fixture->path, TRUE, &error);
  AppConversation *talk = app_conversation_answered_by(app_conversation_new(NULL, 0), "demo", 0);
  g_autofree char *all = NULL;

  g_assert_no_error(error);
  enrol(fixture->path, "Ann");
  json_object_unref(done(fixture->path, &in));
  app_turn_id_unref(app_logbook_add(book, talk, &turn, NULL, 0));
  g_assert_true(app_logbook_save(book, &model, &error));
  json_object_unref(done(fixture->path, &out));
  app_turn_id_unref(app_logbook_add(book, talk, &turn, NULL, 0));
  g_assert_true(app_logbook_save(book, &model, &error));
  app_conversation_unref(talk);
  app_logbook_close(book);
  all = events(fixture->path, 6);
  g_assert_cmpstr(all, ==,
                  "session-enrolled@ session-in@Ann loaded-model@Ann conversation@Ann turn@Ann "
                  "session-out@Ann turn@ application-stop@");
}

typedef struct {
  GMainLoop *loop;
  JsonNode *node;
  guint wait;
  GError *error;
} Waiting;

static void
on_done(GObject *source, GAsyncResult *result, gpointer user)
{
  Waiting *waiting = user;

  waiting->node = app_person_do_finish(result, &waiting->wait, &waiting->error);
  g_main_loop_quit(waiting->loop);
}

static void
test_thread(Fixture *fixture, gconstpointer data)
{
  char pin[] = "00-00";
  const AppPersonWish in = {APP_PERSON_IN, .name = "Ann", .pin = pin};
  Waiting waiting = {g_main_loop_new(NULL, FALSE)};

  enrol(fixture->path, "Ann");
  for (guint i = 0; i <= 6; i++) {
    memcpy(pin, i % 6 == 0 ? PIN : "00-00", sizeof pin);
    app_person_do_async(fixture->path, &in, on_done, &waiting);
    memset(pin, 'x', sizeof pin - 1); /* it was copied */
    g_main_loop_run(waiting.loop);
    if (i == 0) {
      g_assert_no_error(waiting.error);
      g_clear_pointer(&waiting.node, json_node_unref);
      continue;
    }
    g_assert_null(waiting.node);
    g_assert_true(app_person_is_refused(waiting.error));
    g_assert_cmpint(waiting.wait > 0, ==, i >= 5);
    g_clear_error(&waiting.error);
  }
  g_main_loop_unref(waiting.loop);
}

static void
test_words(void)
{
  g_assert_null(app_pin_problem("1397"));
  g_assert_nonnull(app_pin_problem("139"));
  g_assert_nonnull(app_pin_problem("1111"));
  g_assert_null(app_person_name_problem("Dr. Ann"));
  g_assert_nonnull(app_person_name_problem(""));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/person/words", test_words);
  g_test_add("/person/verdict", Fixture, NULL, set_up, test_verdict, tear_down);
  g_test_add("/person/required", Fixture, NULL, set_up, test_required, tear_down);
  g_test_add("/person/required-in-the-next", Fixture, NULL, set_up, test_required_in_the_next,
             tear_down);
  g_test_add("/person/another-log", Fixture, NULL, set_up, test_another_log, tear_down);
  g_test_add("/person/logbook", Fixture, NULL, set_up, test_logbook, tear_down);
  g_test_add("/person/thread", Fixture, NULL, set_up, test_thread, tear_down);
  return g_test_run();
}
