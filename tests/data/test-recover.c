/* test-recover.c - damaged logs: set aside as they are, and all that can be read goes on in a new
 * log that proves itself; whatever fails on the way leaves the old log or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault-vfs.h"
#include "log-fixture.h"
#include "log/private.h"
#include "record.h"
#include "shared.h"
#include "store_person.h"

#define ERASED_NAME "Erased^Patient"

/* ---- a log with some of everything ----------------------------------------------------------- */

/* Conversation 1: 3 turns on one image, a verdict and a check; 2: rewound from it, a turn without
 * an image; 3: of a patient who was erased. */
typedef struct {
  gint64 events;
} Made;

static gint64
add_image_of(StoreLog *log, const char *patient, const char *uid)
{
  g_autoptr(GError) error = NULL;
  StoreImage image = sample_image;
  gint64 id;

  image.patient_id = image.patient_name = patient;
  image.sop_instance_uid = uid;
  id = store_log_add_image(log, &image, &error);
  g_assert_no_error(error);
  return id;
}

static gint64
add_turn_on(StoreLog *log, gint64 conversation, gint64 image, const char *question)
{
  g_autoptr(GError) error = NULL;
  StoreTurn turn = sample_turn;
  gint64 id;

  turn.question = question;
  turn.image = image;
  id = store_log_add_turn(log, conversation, &turn, &error);
  g_assert_no_error(error);
  return id;
}

static void
add_opinions(StoreLog *log, gint64 turn)
{
  const StoreVerdict verdict = {"edited", "A nodule, after all.", "ada", "Ada Lovelace"};
  const StoreCheckAnswer answers[] = {{"Yes.", 1, FALSE}, {"No.", 2, TRUE}};
  const StoreCheck check = {"seeds", FALSE, 0.5, answers, 2};
  const StoreField field = {"path", "/home/ada/export"};
  const StoreEvent event = {.kind = "export", .action = "csv", .sealed = &field, .n_sealed = 1};
  g_autoptr(GError) error = NULL;

  store_log_add_verdict(log, turn, &verdict, &error);
  g_assert_no_error(error);
  store_log_add_check(log, turn, &check, &error);
  g_assert_no_error(error);
  store_log_add_event(log, &event, &error);
  g_assert_no_error(error);
}

static Made
make_rich_log(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);
  gint64 first = new_conversation(log), image = add_image_of(log, SECRET_NAME, "1.2.3.1");
  gint64 second, third, erased, turn;
  g_autofree char *count = NULL;
  Made made;

  for (guint i = 1; i <= 3; i++) {
    g_autofree char *question = g_strdup_printf("question %u", i);
    turn = add_turn_on(log, first, image, question);
  }
  add_opinions(log, turn);
  second = store_log_add_conversation(log, 1, "0.1.0", first, 2, &error);
  g_assert_no_error(error);
  add_turn_on(log, second, 0, "question 4");
  third = store_log_add_conversation(log, 1, "0.1.0", 0, 0, &error);
  erased = add_image_of(log, ERASED_NAME, "1.2.3.2");
  add_turn_on(log, third, erased, "question of the erased");
  g_assert_true(store_log_erase(log, third, "asked for", NULL, NULL, &error));
  g_assert_no_error(error);
  add_turn_on(log, second, image, "question 5");
  g_clear_pointer(&log, store_log_close);
  count = ask_sql(path, "SELECT count(*) FROM event");
  made.events = g_ascii_strtoll(count, NULL, 10);
  return made;
}

/* ---- what must be true afterwards ------------------------------------------------------------ */

static StoreRecovery *
recover(const char *path)
{
  g_autoptr(GError) error = NULL;
  StoreRecovery *recovery = store_recover(path, NULL, NULL, NULL, &error);

  g_assert_no_error(error);
  g_assert_nonnull(recovery);
  return recovery;
}

static gboolean
exists(const char *path, const char *suffix)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);
  struct stat st;

  return lstat(whole, &st) == 0;
}

/* The log at PATH proves itself, and all its conversations can be read. Returns how many turns have
 * their question. */
static guint
assert_usable(const char *path, gint64 least)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);
  g_autoptr(StoreReport) report = store_log_verify(log, NULL, NULL, NULL, &error);
  g_autoptr(GPtrArray) list = NULL;
  guint questions = 0;

  g_assert_no_error(error);
  g_assert_cmpstr(report->found, ==, NULL);
  g_assert_cmpint(report->events, >=, least);
  g_assert_cmpint(report->signed_events, ==, report->events);
  g_assert_cmpint(report->clock_back, ==, 0);
  g_assert_null(store_log_trouble(log));
  list = store_log_list(log, 0, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < list->len; i++) {
    g_autoptr(GPtrArray) rows =
        store_log_show(log, ((StoreConversation *)list->pdata[i])->id, &error);
    g_assert_no_error(error);
    for (guint j = 0; j < rows->len; j++) {
      const StoreTurnRow *row = rows->pdata[j];
      g_autoptr(GPtrArray) verdicts = store_log_verdicts(log, row->id, &error);
      g_autoptr(GPtrArray) checks = store_log_checks(log, row->id, &error);
      g_assert_no_error(error);
      g_assert_cmpuint(row->number, ==, j + 1);
      g_assert_null(strstr(row->turn.question, "erased"));
      questions += g_str_has_prefix(row->turn.question, "question ");
    }
  }
  g_clear_pointer(&log, store_log_close);
  assert_sound(path);
  return questions;
}

static void
assert_nothing_left(LogFolder *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir))) {
    g_assert_null(strstr(name, ".new-"));
    g_assert_false(g_str_has_suffix(name, ".recover"));
  }
}

/* What PATH held is under the name of the set-aside log, byte for byte. */
static void
assert_set_aside(const StoreRecovery *recovery, const char *bytes, gsize n)
{
  g_autofree char *found = NULL;
  gsize n_found = 0;

  g_assert_true(g_file_get_contents(recovery->set_aside, &found, &n_found, NULL));
  g_assert_cmpmem(found, n_found, bytes, n);
  g_assert_true(exists(recovery->set_aside, ".keys"));
  g_assert_true(exists(recovery->set_aside, ".key"));
}

/* Recovers PATH, whose log had MADE, and looks at all of it. */
static StoreRecovery *
recover_and_check(LogFolder *folder, const Made *made, guint questions)
{
  g_autofree char *bytes = NULL;
  gsize n = 0;
  StoreRecovery *recovery;
  guint found;

  g_assert_true(g_file_get_contents(folder->path, &bytes, &n, NULL));
  recovery = recover(folder->path);
  g_assert_true(recovery->needed);
  assert_set_aside(recovery, bytes, n);
  g_assert_cmpint(recovery->events_read, ==,
                  recovery->events_recovered + recovery->events_unreadable);
  g_assert_cmpint(recovery->events_read + recovery->events_lost, ==, made->events);
  g_assert_cmpstr(recovery->log_id, !=, recovery->previous_log_id);
  found = assert_usable(folder->path, recovery->events_recovered + 2);
  g_test_message("read %d lost %d (%s) unreadable %d unproved %d texts lost %d placeholders %d",
                 (int)recovery->events_read, (int)recovery->events_lost, recovery->lost,
                 (int)recovery->events_unreadable, (int)recovery->events_unproved,
                 (int)recovery->texts_lost, (int)recovery->placeholders);
  g_assert_cmpuint(found, >=, questions);
  assert_nothing_left(folder);
  return recovery;
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void
overwrite(const char *path, gint64 at, gsize n, gboolean random)
{
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  g_autofree guint8 *bytes = g_malloc0(n);

  for (gsize i = 0; random && i < n; i++) {
    bytes[i] = (guint8)g_test_rand_int();
  }
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(pwrite(fd, bytes, n, at), ==, (gssize)n);
  close(fd);
}

static void
test_whole(LogFolder *folder, gconstpointer data)
{
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr(StoreRecovery) recovery = NULL;
  gsize n = 0, n_after = 0;

  make_rich_log(folder->path);
  g_assert_true(g_file_get_contents(folder->path, &before, &n, NULL));
  recovery = recover(folder->path);
  g_assert_false(recovery->needed);
  g_assert_null(recovery->set_aside);
  g_assert_true(g_file_get_contents(folder->path, &after, &n_after, NULL));
  g_assert_cmpmem(before, n, after, n_after);
  assert_nothing_left(folder);
}

static char *
body_of(const char *path, gint64 was)
{
  g_autofree char *sql = g_strdup_printf(
      "SELECT body FROM event WHERE json_extract(body, '$.recovered_event') = %" G_GINT64_FORMAT,
      was);

  return ask_sql(path, sql);
}

/* A row that was changed: its text is there, and said to be proved by nothing. */
static void
test_changed(LogFolder *folder, gconstpointer data)
{
  const Made made = make_rich_log(folder->path);
  g_autoptr(StoreRecovery) recovery = NULL;
  g_autofree char *body = NULL, *next = NULL, *before = NULL, *first = NULL, *time = NULL;

  run_sql(folder->path,
          "DROP TRIGGER event_no_update;"
          "UPDATE event SET body = replace(body, '\"eos\"', '\"eoS\"') WHERE seq = 6");
  recovery = recover_and_check(folder, &made, 5);
  g_assert_cmpint(recovery->events_lost, ==, 0);
  g_assert_cmpint(recovery->events_unproved, ==,
                  2); /* and the one behind it, which no row leads to */
  g_assert_cmpint(recovery->last_proved_event, ==, 0);
  body = body_of(folder->path, 6);
  g_assert_nonnull(strstr(body, "\"eoS\""));
  g_assert_nonnull(strstr(body, "\"recovered_proof\": \"none\", \"recovered_text\": \"unproved\""));
  next = body_of(folder->path, 7);
  g_assert_nonnull(strstr(next, "\"recovered_proof\": \"own\""));
  before = body_of(folder->path, 5);
  g_assert_nonnull(strstr(before, "\"recovered_proof\": \"chained\""));
  g_assert_nonnull(strstr(before, g_get_user_name()));
  first = ask_sql(folder->path, "SELECT body FROM event WHERE seq = 1");
  g_assert_nonnull(strstr(first, recovery->previous_log_id));
  g_assert_nonnull(strstr(first, "\"events_changed\": \"1\""));
  g_assert_nonnull(strstr(first, ".corrupt-"));
}

static void
test_erased_stays(LogFolder *folder, gconstpointer data)
{
  const Made made = make_rich_log(folder->path);
  g_autoptr(StoreRecovery) recovery = NULL, again = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL, found = NULL;
  g_autoptr(GError) error = NULL;

  run_sql(folder->path, "DROP TABLE answer_check; DROP TABLE block;");
  recovery = recover_and_check(folder, &made, 5);
  g_assert_cmpint(recovery->texts_erased, ==, 2); /* the image and the turn */
  g_assert_cmpint(recovery->texts_lost, ==, 0);
  g_assert_cmpint(recovery->events_recovered, ==, made.events);
  g_assert_cmpint(recovery->placeholders, ==, 0);
  g_assert_cmpint(recovery->last_proved_event, ==, made.events);
  log = open_log(folder->path, FALSE);
  rows = store_log_show(log, 3, &error);
  g_assert_no_error(error);
  g_assert_true(((StoreTurnRow *)rows->pdata[0])->erased);
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->turn.question, ==, "");
  found = store_log_search(log, "nodule", 0, &error); /* of an edited answer */
  g_assert_no_error(error);
  g_assert_cmpuint(found->len, ==, 1);
  /* The patient's images are found again, and what is erased now is. */
  g_assert_cmpint(add_image_of(log, SECRET_NAME, "1.2.3.1"), ==, 1);
  g_assert_true(store_log_erase(log, 1, "asked for", NULL, NULL, &error));
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  g_assert_cmpuint(assert_usable(folder->path, 0), ==, 1); /* question 4, of no image */
}

/* Rows of a kind that others refer to. */
static void
test_lost_rows(LogFolder *folder, gconstpointer data)
{
  static const char *const kinds[] = {"model", "image", "conversation", "turn", "verdict", "check"};

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    LogFolder own;
    Made made;
    g_autofree char *sql = g_strdup_printf(
        "PRAGMA foreign_keys = OFF; DROP TRIGGER event_no_delete; DELETE FROM event WHERE seq ="
        " (SELECT min(seq) FROM event WHERE kind = '%s')",
        kinds[i]);
    g_autoptr(StoreRecovery) recovery = NULL;

    log_folder_set_up(&own, NULL);
    made = make_rich_log(own.path);
    run_sql(own.path, sql);
    recovery = recover_and_check(&own, &made, strcmp(kinds[i], "turn") == 0 ? 4 : 5);
    g_assert_cmpint(recovery->events_lost, ==, 1);
    g_assert_cmpint(recovery->placeholders, ==,
                    strcmp(kinds[i], "conversation") == 0 ? 2 /* and a model */
                    : strcmp(kinds[i], "verdict") == 0 || strcmp(kinds[i], "check") == 0 ? 0
                                                                                         : 1);
    log_folder_tear_down(&own, NULL);
  }
}

/* A turn of which only what was made of it is left. */
static void
test_orphan(LogFolder *folder, gconstpointer data)
{
  const Made made = make_rich_log(folder->path);
  g_autoptr(StoreRecovery) recovery = NULL;
  g_autofree char *count = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;

  run_sql(folder->path, "PRAGMA foreign_keys = OFF; DROP TRIGGER event_no_delete;"
                        "DELETE FROM event WHERE json_extract(body, '$.id') = 3 AND kind = 'turn'");
  recovery = recover_and_check(folder, &made, 4);
  g_assert_cmpint(recovery->placeholders, ==, 3); /* model, conversation, turn */
  log = open_log(folder->path, TRUE);
  rows = store_log_show(log, 4, &error);
  g_assert_no_error(error);
  g_assert_true(((StoreTurnRow *)rows->pdata[0])->lost);
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->recovered, ==, "none");
  g_ptr_array_unref(rows);
  rows = store_log_show(log, 1, &error);
  g_assert_false(((StoreTurnRow *)rows->pdata[0])->lost);
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->recovered, ==, "chained");
  count = ask_sql(folder->path, "SELECT count(*) FROM verdict AS v JOIN turn AS t ON t.id = v.turn"
                                " WHERE t.conversation = 4 AND t.id = 3");
  g_assert_cmpstr(count, ==, "1");
}

static void
test_tables(LogFolder *folder, gconstpointer data)
{
  static const char *const damages[] = {
      "DROP TABLE block",
      "DROP TABLE model; DROP TABLE image; DROP TABLE turn",
      "DROP TRIGGER event_no_delete",
      "DROP INDEX turn_by_conversation",
      "DROP TRIGGER turn_no_delete; DELETE FROM turn WHERE id = 2",
      "CREATE TABLE foreigner (text)"};

  for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
    LogFolder own;
    Made made;
    g_autofree char *sql = g_strconcat("PRAGMA foreign_keys = OFF;", damages[i], NULL);
    g_autoptr(StoreRecovery) recovery = NULL;

    log_folder_set_up(&own, NULL);
    made = make_rich_log(own.path);
    run_sql(own.path, sql);
    recovery = recover_and_check(&own, &made, 5);
    g_assert_cmpint(recovery->events_lost + recovery->events_unproved, ==, 0);
    g_assert_cmpint(recovery->last_proved_event, ==, made.events);
    log_folder_tear_down(&own, NULL);
  }
}

static void
test_files(LogFolder *folder, gconstpointer data)
{
  for (guint i = 0; i < 6; i++) {
    LogFolder own;
    Made made;
    g_autofree char *head = NULL;
    g_autoptr(StoreRecovery) recovery = NULL;
    struct stat st;

    log_folder_set_up(&own, NULL);
    made = make_rich_log(own.path);
    head = g_strconcat(own.path, ".head", NULL);
    g_assert_cmpint(stat(own.path, &st), ==, 0);
    switch (i) {
    case 0: /* the header */
      overwrite(own.path, 0, 100, FALSE);
      break;
    case 1: /* the first page, which leads to all others */
      overwrite(own.path, 0, 4096, TRUE);
      break;
    case 2:
      g_assert_cmpint(truncate(own.path, st.st_size / 2), ==, 0);
      break;
    case 3:
      g_assert_cmpint(truncate(own.path, 0), ==, 0);
      break;
    case 4: /* what is no checkpoint */
      overwrite(head, 200, 50, TRUE);
      break;
    default: /* more rows than there are */
      run_sql(own.path, "PRAGMA foreign_keys = OFF; DROP TRIGGER event_no_delete;"
                        "DELETE FROM event WHERE seq > 8");
    }
    recovery = recover_and_check(&own, &made, i == 0 || i == 1 || i == 4 ? 5 : 0);
    g_assert_cmpint(recovery->events_lost, ==,
                    i == 3   ? made.events
                    : i == 5 ? made.events - 8
                    : i == 2 ? recovery->events_lost
                             : 0);
    log_folder_tear_down(&own, NULL);
  }
}

/* Every page of a small log in turn: only what lay on it is lost. */
static void
test_pages(LogFolder *folder, gconstpointer data)
{
  const gboolean random = GPOINTER_TO_INT(data);
  const guint step = test_rounds(1) > 1 ? 1 : 4;
  guint pages = 0, damaged = 0;
  gint64 lost = 0;

  fault_arm(0, FAULT_IO, FALSE);
  for (guint page = (guint)g_test_rand_int_range(0, (gint32)step);; page += step) {
    LogFolder own;
    Made made;
    g_autoptr(StoreRecovery) recovery = NULL;
    struct stat st;

    log_folder_set_up(&own, NULL);
    made = make_rich_log(own.path);
    g_assert_cmpint(stat(own.path, &st), ==, 0);
    pages = (guint)(st.st_size / 4096);
    if (page < pages) {
      overwrite(own.path, (gint64)page * 4096, 4096, random);
      recovery = recover(own.path);
      if (recovery->needed) {
        damaged++;
        g_assert_cmpint(recovery->events_read + recovery->events_lost, ==, made.events);
        lost += recovery->events_lost;
        assert_nothing_left(&own);
      }
      assert_usable(own.path, recovery->events_recovered);
    }
    log_folder_tear_down(&own, NULL);
    if (page >= pages) {
      break;
    }
  }
  g_test_message("%u pages, %u damaged, %d events lost", pages, damaged, (int)lost);
  g_assert_cmpuint(damaged, >, 2);
}

/* Rows that lie in the -wal alone. */
static void
test_wal(LogFolder *folder, gconstpointer data)
{
  const Made made = make_rich_log(folder->path);
  g_autoptr(StoreRecovery) recovery = NULL;
  Made more = {made.events + 2};
  g_autofree char *last = NULL;
  int status = 0;
  pid_t child = fork();

  if (child == 0) {
    StoreLog *log = open_log(folder->path, FALSE);
    add_turn_on(log, 1, 1, "question 6");
    add_turn_on(log, 1, 1, "question 7");
    _exit(0); /* as a power cut: nothing is closed */
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_assert_cmpint(status, ==, 0);
  g_assert_true(exists(folder->path, "-wal"));
  overwrite(folder->path, 0, 3 * 4096, FALSE); /* the first page is in the -wal, the others not */
  recovery = recover_and_check(folder, &more, 5);
  last = body_of(folder->path, more.events);
  g_assert_nonnull(strstr(last, "\"number\": 5"));
  g_assert_true(exists(recovery->set_aside, "-wal"));
}

/* More than a block, and rows longer than a page. */
static void
test_large(LogFolder *folder, gconstpointer data)
{
  g_autofree char *long_text = g_strnfill(300000, 'x');
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreRecovery) recovery = NULL;
  const StoreEvent event = {.kind = "viewed"};
  StoreTurn turn = sample_turn;
  StoreLog *log;
  Made made = {0};
  g_autofree char *count = NULL;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  g_assert_cmpint(sqlite3_exec(log->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), ==, 0);
  turn.answer = long_text;
  turn.question = "question 1";
  g_assert_cmpint(store_log_add_turn(log, 1, &turn, &error), >, 0);
  for (guint i = 0; i < 2100; i++) {
    store_log_add_event(log, &event, &error);
  }
  g_assert_no_error(error);
  store_log_close(log);
  count = ask_sql(folder->path, "SELECT count(*) FROM event");
  made.events = g_ascii_strtoll(count, NULL, 10);
  run_sql(folder->path, "DROP TRIGGER block_no_delete; DELETE FROM block");
  recovery = recover_and_check(folder, &made, 1);
  g_assert_cmpint(recovery->events_recovered, ==, made.events);
  g_assert_cmpint(recovery->last_proved_event, ==, made.events);
  log = open_log(folder->path, TRUE);
  {
    g_autoptr(GPtrArray) rows = store_log_show(log, 1, &error);
    g_assert_cmpuint(strlen(((StoreTurnRow *)rows->pdata[1])->turn.answer), ==, 300000);
  }
  store_log_close(log);
}

/* What was recovered can be recovered again. */
static void
test_again(LogFolder *folder, gconstpointer data)
{
  Made made = make_rich_log(folder->path);
  g_autoptr(StoreRecovery) recovery = NULL, again = NULL;
  g_autofree char *body = NULL;

  run_sql(folder->path, "PRAGMA foreign_keys = OFF; DROP TABLE turn");
  recovery = recover_and_check(folder, &made, 5);
  made.events += 2;
  run_sql(folder->path, "PRAGMA foreign_keys = OFF; DROP TABLE turn");
  again = recover_and_check(folder, &made, 5);
  g_assert_cmpstr(again->set_aside, !=, recovery->set_aside);
  g_assert_cmpstr(again->previous_log_id, ==, recovery->log_id);
  g_assert_true(exists(recovery->set_aside, ""));
  body = body_of(folder->path, 7); /* which was 6 */
  g_assert_null(strstr(body, "\"recovered_event\": 6,"));
  g_assert_nonnull(strstr(body, "\"recovered_event\": 7,"));
}

/* ---- refused --------------------------------------------------------------------------------- */

static gboolean
refuse(gint64 done, gint64 total, gpointer user)
{
  return FALSE;
}

static void
assert_untouched(LogFolder *folder, const char *bytes, gsize n)
{
  g_autofree char *after = NULL;
  g_autoptr(GDir) dir = g_dir_open(folder->folder, 0, NULL);
  const char *name;
  gsize n_after = 0;

  g_assert_true(g_file_get_contents(folder->path, &after, &n_after, NULL));
  g_assert_cmpmem(bytes, n, after, n_after);
  while ((name = g_dir_read_name(dir))) {
    g_assert_null(strstr(name, ".corrupt-"));
  }
  assert_nothing_left(folder);
}

static void
test_refused(LogFolder *folder, gconstpointer data)
{
  g_autofree char *keys = g_strconcat(folder->path, ".keys", NULL);
  g_autofree char *key = g_strconcat(folder->path, ".key", NULL);
  g_autofree char *away = g_strconcat(folder->path, ".away", NULL);
  g_autofree char *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n = 0;

  make_rich_log(folder->path);
  run_sql(folder->path, "PRAGMA foreign_keys = OFF; DROP TABLE turn");
  g_assert_true(g_file_get_contents(folder->path, &bytes, &n, NULL));
  g_rename(keys, away);
  g_assert_null(store_recover(folder->path, NULL, NULL, NULL, &error));
  assert_message(&error, STORE_ERROR_LOCKED, folder->path, "*keys*missing*put them back first");
  assert_untouched(folder, bytes, n);
  g_rename(away, keys);
  g_rename(key, away);
  g_assert_null(store_recover(folder->path, NULL, NULL, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_clear_error(&error);
  assert_untouched(folder, bytes, n);
  g_rename(away, key);
  g_assert_null(store_recover(folder->path, NULL, refuse, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_CANCELLED);
  g_clear_error(&error);
  assert_untouched(folder, bytes, n);
}

static void
test_foreign(LogFolder *folder, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n = 0;

  run_sql(folder->path, "CREATE TABLE mine (text)");
  g_assert_true(g_file_get_contents(folder->path, &bytes, &n, NULL));
  g_assert_null(store_recover(folder->path, NULL, NULL, NULL, &error));
  assert_message(&error, STORE_ERROR_FORMAT, folder->path, "*not a Hilum log");
  assert_untouched(folder, bytes, n);
  g_remove(folder->path);
  g_assert_null(store_recover(folder->path, NULL, NULL, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
}

/* While another program has it open. */
static void
test_busy(LogFolder *folder, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n = 0;
  int ready[2], status = 0;
  pid_t child;
  char byte;

  make_rich_log(folder->path);
  run_sql(folder->path, "DROP TRIGGER event_no_update;"
                        "UPDATE event SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 6");
  run_sql(folder->path, "CREATE TRIGGER event_no_update BEFORE UPDATE ON event\n"
                        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END");
  g_assert_cmpint(pipe(ready), ==, 0);
  child = fork();
  if (child == 0) {
    StoreLog *log = open_log(folder->path, FALSE);
    g_assert_cmpint(write(ready[1], log ? "y" : "n", 1), ==, 1);
    pause();
    _exit(0);
  }
  g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
  g_assert_true(g_file_get_contents(folder->path, &bytes, &n, NULL));
  g_assert_null(store_recover(folder->path, NULL, NULL, NULL, &error));
  assert_message(&error, STORE_ERROR_BUSY, folder->path, "another program is using the log*");
  assert_untouched(folder, bytes, n);
  kill(child, SIGKILL);
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  close(ready[0]);
  close(ready[1]);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* Calls of ours that change a folder: the Nth kills the process. */
static guint rename_kill, renames;

static void
count_rename(void)
{
  if (++renames == rename_kill) {
    kill(getpid(), SIGKILL);
  }
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);
int
renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
  count_rename();
  return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

int rename(const char *from, const char *to);
int
rename(const char *from, const char *to)
{
  count_rename();
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fsync(int fd);
int
fsync(int fd)
{
  count_rename();
  return (int)syscall(SYS_fsync, fd);
}

int unlink(const char *path);
int
unlink(const char *path)
{
  count_rename();
  return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static int
recover_child(const char *path, guint fault_at, FaultKind kind, guint kill_at)
{
  int status = 0;
  pid_t child = fork();

  if (child == 0) {
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreRecovery) recovery = NULL;
    fault_arm(fault_at, kind, FALSE);
    renames = 0;
    rename_kill = kill_at;
    recovery = store_recover(path, NULL, NULL, NULL, &error);
    _exit(recovery ? fault.hits ? 2 : 0 : 1);
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  return status;
}

/* Whatever happened: a second try ends well, nothing is lost, and the damaged log is somewhere. */
static void
assert_saved(LogFolder *folder, const Made *made, const char *bytes, gsize n)
{
  g_autoptr(StoreRecovery) recovery = recover(folder->path);
  g_autoptr(GDir) dir = NULL;
  const char *name;
  guint aside = 0;

  g_assert_cmpuint(assert_usable(folder->path, made->events), ==, 5);
  dir = g_dir_open(folder->folder, 0, NULL);
  while ((name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder->folder, name, NULL), *found = NULL;
    gsize n_found = 0;
    if (strstr(name, ".corrupt-") && g_str_has_suffix(name, "Z")) {
      g_assert_true(g_file_get_contents(path, &found, &n_found, NULL));
      g_assert_cmpmem(found, n_found, bytes, n);
      aside++;
    }
  }
  g_assert_cmpuint(aside, ==, 1);
  g_assert_false(exists(folder->path, ".recover"));
}

static guint
next_call(guint at)
{
  return test_rounds(1) > 1 ? at + 1 : at < 4 ? at + 1 : at + 1 + at / 2;
}

typedef enum { CALL_FAILS, CALL_KILLS, FOLDER_KILLS } Way;

static gboolean
run_fault(Way way, guint at)
{
  LogFolder own;
  Made made;
  g_autofree char *bytes = NULL;
  gsize n = 0;
  int status;
  gboolean clean;

  fault_arm(0, FAULT_IO, FALSE);
  log_folder_set_up(&own, NULL);
  made = make_rich_log(own.path);
  run_sql(own.path, "PRAGMA foreign_keys = OFF; DROP TABLE turn");
  g_assert_true(g_file_get_contents(own.path, &bytes, &n, NULL));
  status = recover_child(own.path, way == FOLDER_KILLS ? 0 : at,
                         way == CALL_FAILS ? FAULT_IO : FAULT_KILL, way == FOLDER_KILLS ? at : 0);
  clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
    g_assert_true(way == CALL_FAILS);
    assert_untouched(&own, bytes, n);
  }
  if (exists(own.path, ".recover")) {
    /* Whoever opens the log next finishes it. */
    g_autoptr(StoreLog) log = open_log(own.path, FALSE);
    g_assert_false(exists(own.path, ".recover"));
  }
  assert_saved(&own, &made, bytes, n);
  log_folder_tear_down(&own, NULL);
  return clean;
}

static void
test_faults(LogFolder *folder, gconstpointer data)
{
  const Way way = (Way)GPOINTER_TO_INT(data);
  guint at = 1;

  while (at < 100000 && !run_fault(way, at)) {
    at = way == FOLDER_KILLS ? at + 1 : next_call(at);
  }
  g_test_message("up to call %u", at);
  g_assert_cmpuint(at, >, 12);
  g_assert_cmpuint(at, <, 100000);
}

/* ---- people ---------------------------------------------------------------------------------- */

/* Ann is enrolled, verdicts need her (MUST), and the events that WHERE finds are lost. Whether a
 * verdict needs a person in what is recovered, where N are enrolled. */
static gboolean
needs_person(const char *where, gboolean must, guint n)
{
  LogFolder own;
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreRecovery) recovery = NULL;
  g_autoptr(GPtrArray) people = NULL;
  g_autofree char *sql =
      g_strdup_printf("DROP TRIGGER event_no_delete; DELETE FROM event WHERE %s", where);
  gboolean required = FALSE;

  log_folder_set_up(&own, NULL);
  make_rich_log(own.path);
  log = open_log(own.path, FALSE);
  g_assert_cmpint(store_log_enrol(log, "Ann", NULL, "4711-x", &error), >, 0);
  g_assert_true(!must || store_log_require_person(log, TRUE, &error));
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  run_sql(own.path, sql);
  recovery = recover(own.path);
  g_assert_true(recovery->needed);
  assert_usable(own.path, 1);
  log = open_log(own.path, FALSE);
  people = store_log_people(log, &required, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(people->len, ==, n);
  if (n > 0) {
    g_assert_cmpint(store_log_sign_in(log, "Ann", "4711-x", NULL, NULL, &error), >, 0);
  }
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  log_folder_tear_down(&own, NULL);
  return required;
}

/* That a verdict needs a person is never lost without a word: who is enrolled signs in with the
 * same PIN. */
static void
test_people(LogFolder *folder, gconstpointer data)
{
  g_assert_true(needs_person("seq = 6", TRUE, 1));
  g_assert_true(needs_person("json_extract(body, '$.action') = 'required'", TRUE, 1));
  g_assert_true(needs_person("json_extract(body, '$.action') = 'enrolled'", TRUE, 0));
  /* That it did not is not known. */
  g_assert_true(needs_person("seq = 6", FALSE, 1));
  g_assert_false(needs_person("kind = 'session'", TRUE, 0)); /* nothing tells of people */
}

#define FAULT_TEST(name, way)                                                                      \
  g_test_add(name, LogFolder, GINT_TO_POINTER(way), log_folder_set_up, test_faults,                \
             log_folder_tear_down)

int
main(int argc, char **argv)
{
  fault_install();
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/recover/whole", test_whole);
  LOG_TEST("/recover/changed", test_changed);
  LOG_TEST("/recover/erased-stays", test_erased_stays);
  LOG_TEST("/recover/lost-rows", test_lost_rows);
  LOG_TEST("/recover/orphan", test_orphan);
  LOG_TEST("/recover/tables", test_tables);
  LOG_TEST("/recover/files", test_files);
  g_test_add("/recover/pages/zeroed", LogFolder, GINT_TO_POINTER(FALSE), log_folder_set_up,
             test_pages, log_folder_tear_down);
  g_test_add("/recover/pages/random", LogFolder, GINT_TO_POINTER(TRUE), log_folder_set_up,
             test_pages, log_folder_tear_down);
  LOG_TEST("/recover/wal", test_wal);
  LOG_TEST("/recover/large", test_large);
  LOG_TEST("/recover/again", test_again);
  LOG_TEST("/recover/refused", test_refused);
  LOG_TEST("/recover/foreign", test_foreign);
  LOG_TEST("/recover/busy", test_busy);
  LOG_TEST("/recover/people", test_people);
  FAULT_TEST("/recover/faults", CALL_FAILS);
  FAULT_TEST("/recover/kills", CALL_KILLS);
  FAULT_TEST("/recover/kills-between-files", FOLDER_KILLS);
  return g_test_run();
}
