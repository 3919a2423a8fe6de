/* bench-record.c - a log of many turns: how fast it grows, is verified, searched and listed.
 *
 *   bench-record [--turns N] [--append N] [--folder DIR] [--keep] [--reuse] [--only WHAT]…
 *
 * What is found is held against what was put in; then it is timed. Beside each figure stands a
 * plain peer on the same bytes: SQLite inserts with the same pragmas, `sha256sum` of the log's
 * file, fdatasync of a file that grows as the log does. One JSON object a line. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log/private.h"
#include "log/write.h"
#include "record.h"

enum {
  TURNS_EACH = 5,  /* of a conversation */
  IMAGE_EACH = 20, /* turns about one image */
  BATCH = 2000,    /* turns a transaction, while the log is filled */
  PROMPT_IDS = 700,
  ANSWER_IDS = 90,
  ANSWER_BYTES = 300,
  QUESTION_BYTES = 60,
  ROUNDS = 20,
  RARE_EACH = 20000, /* turns, of which one has the rare word */
};

typedef struct {
  int turns, appended;
  char *folder, *path;
  char **only;
  gboolean keep, reuse;
  GRand *rand;
  GPtrArray *words; /* made up: as long as a language's, a few of them often */
  StoreLog *log;
  gint64 model, image, conversation;
  gint64 conversations;
} Bench;

static void
check(gboolean ok, GError *error)
{
  if (!ok) {
    g_error("%s", error ? error->message : "it failed");
  }
}

static double
now(void)
{
  return (double)g_get_monotonic_time() * 1e-6;
}

static double
peak_mb(void)
{
  struct rusage usage;

  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* The value that a share of PART of TIMES is at most. */
static double
quantile(GArray *times, double part)
{
  g_array_sort(times, compare_doubles);
  return g_array_index(times, double, (guint)(part * (times->len - 1)));
}

/* ---- what is asked and answered -------------------------------------------------------------- */

static GPtrArray *
make_words(GRand *rand)
{
  static const char *const parts[] = {"al",  "be", "cor", "de", "en", "fi", "gra",
                                      "hy",  "in", "ka",  "lo", "me", "no", "op",
                                      "pul", "ra", "si",  "te", "us", "ve"};
  GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

  for (int i = 0; i < 8000; i++) {
    GString *word = g_string_new("");
    for (int n = g_rand_int_range(rand, 2, 5); n > 0; n--) {
      g_string_append(word, parts[g_rand_int_range(rand, 0, G_N_ELEMENTS(parts))]);
    }
    g_ptr_array_add(words, g_string_free(word, FALSE));
  }
  return words;
}

/* Until TEXT has so many BYTES; the n-th word is the rarer the larger its n. */
static void
append_words(Bench *b, GString *text, gsize bytes)
{
  while (text->len < bytes) {
    const double u = g_rand_double(b->rand);
    g_string_append_c(text, ' ');
    g_string_append(text, b->words->pdata[(guint)(pow((double)b->words->len, u) - 1)]);
  }
}

typedef struct {
  GString *question, *answer;
  gint32 prompt_ids[PROMPT_IDS], answer_ids[ANSWER_IDS];
  StorePiece pieces[ANSWER_IDS];
  StoreTurn turn;
} Text;

/* Turn NUMBER of the log. "opacity" is in all, "effusion" in every third, "zebra" in one of many;
 * "leftward" and "rightward" each in half of the conversations and never in the same. */
static void
write_text(Bench *b, gint64 number, Text *text)
{
  g_string_assign(text->question, "Is there an opacity");
  append_words(b, text->question, QUESTION_BYTES);
  g_string_printf(text->answer, "%s%s%s",
                  number / TURNS_EACH % 2 ? "A leftward finding" : "A rightward finding",
                  number % 3 == 0 ? " with effusion" : "",
                  number % RARE_EACH == 7 ? " and zebra stripes" : "");
  append_words(b, text->answer, ANSWER_BYTES);
  for (int i = 0; i < PROMPT_IDS; i++) {
    text->prompt_ids[i] = g_rand_int_range(b->rand, 3, 32000);
  }
  for (guint i = 0; i < ANSWER_IDS; i++) {
    text->answer_ids[i] = g_rand_int_range(b->rand, 3, 32000);
    text->pieces[i].end = (guint)text->answer->len * (i + 1) / ANSWER_IDS;
    text->pieces[i].p = (float)g_rand_double(b->rand);
  }
  text->turn = (StoreTurn){
      .question = text->question->str,
      .answer = text->answer->str,
      .prompt_ids = text->prompt_ids,
      .n_prompt_ids = PROMPT_IDS,
      .answer_ids = text->answer_ids,
      .n_answer_ids = ANSWER_IDS,
      .pieces = text->pieces,
      .n_pieces = ANSWER_IDS,
      .stop = "eos",
      .temperature = 0.2,
      .top_p = 0.7,
      .seed = (guint64)number,
      .max_tokens = 1024,
      .prompt_s = 1.5,
      .first_token_s = 1.75,
      .answer_s = 4.5,
      .prompt_tokens = PROMPT_IDS,
      .answer_tokens = ANSWER_IDS,
      .image = b->image,
      .answer_form = "free",
  };
}

/* ---- filling --------------------------------------------------------------------------------- */

static void
next_image(Bench *b, gint64 number, GError **error)
{
  g_autofree char *id = g_strdup_printf("P%07" G_GINT64_FORMAT, number / IMAGE_EACH);
  g_autofree char *uid = g_strdup_printf("1.2.826.0.1.%" G_GINT64_FORMAT, number / IMAGE_EACH + 1);
  const StoreImage image = {.patient_id = id,
                            .patient_name = "Test^Patient",
                            .study_instance_uid = uid,
                            .series_instance_uid = uid,
                            .sop_instance_uid = uid,
                            .path = "/images/chest/one.dcm",
                            .modality = "CR",
                            .has_window = TRUE,
                            .window_center = 40,
                            .window_width = 400};

  b->image = store_write_image(b->log, &image, NULL, error);
}

/* Within a transaction. */
static void
add_turn(Bench *b, gint64 number, Text *text)
{
  const StoreOpening opening = {.model = b->model, .program_version = "1.0"};
  g_autoptr(GError) error = NULL;

  if (number % IMAGE_EACH == 0) {
    next_image(b, number, &error);
    check(b->image > 0, error);
  }
  if (number % TURNS_EACH == 0) {
    b->conversation = store_write_conversation(b->log, &opening, NULL, &error);
    check(b->conversation > 0, error);
  }
  write_text(b, number, text);
  check(store_write_turn(b->log, b->conversation, &text->turn, NULL, &error) > 0, error);
}

static void
set_synchronous(sqlite3 *db, const char *how)
{
  g_autofree char *sql = g_strdup_printf("PRAGMA synchronous = %s", how);

  g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

static void
open_log(Bench *b)
{
  g_autoptr(GError) error = NULL;

  b->log = store_log_open(b->path, FALSE, &error);
  check(b->log != NULL, error);
}

static void
fill(Bench *b, Text *text)
{
  const StoreModel model = {.name = "demo", .quantization = "q8_0", .template_name = "v1"};
  const double began = now();
  g_autoptr(GError) error = NULL;

  open_log(b);
  b->model = store_log_add_model(b->log, &model, &error);
  check(b->model > 0, error);
  set_synchronous(b->log->db, "OFF");
  for (gint64 i = 0; i < b->turns;) {
    check(store_begin(b->log, "filling", &error), error);
    for (const gint64 end = MIN(i + BATCH, b->turns); i < end; i++) {
      add_turn(b, i, text);
    }
    check(store_finish(b->log, "filling", 1, &error) == 1, error);
  }
  set_synchronous(b->log->db, "FULL");
  printf("{\"what\": \"fill\", \"turns\": %d, \"seconds\": %.1f, \"us_each\": %.1f}\n", b->turns,
         now() - began, (now() - began) * 1e6 / b->turns);
}

/* ---- appending ------------------------------------------------------------------------------- */

/* A plain table of the same bytes. */
typedef struct {
  sqlite3 *db;
  sqlite3_stmt *insert;
  int fd; /* a file that grows by as much and is synchronised, and nothing else */
  guint8 *bytes;
  gsize n;
} Peer;

static void
peer_open(Peer *peer, Bench *b, gsize n)
{
  g_autofree char *path = g_strconcat(b->path, "-peer", NULL);
  g_autofree char *raw = g_strconcat(b->path, "-raw", NULL);

  g_assert_cmpint(sqlite3_open(path, &peer->db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(peer->db,
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA secure_delete = ON;"
                               "CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB)",
                               NULL, NULL, NULL),
                  ==, SQLITE_OK);
  g_assert_cmpint(
      sqlite3_prepare_v2(peer->db, "INSERT INTO t (bytes) VALUES (?1)", -1, &peer->insert, NULL),
      ==, SQLITE_OK);
  peer->fd = open(raw, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert_cmpint(peer->fd, >=, 0);
  peer->n = n;
  peer->bytes = g_malloc(n);
  for (gsize i = 0; i < n; i++) {
    peer->bytes[i] = (guint8)g_rand_int(b->rand);
  }
}

static void
peer_close(Peer *peer, Bench *b)
{
  sqlite3_finalize(peer->insert);
  sqlite3_close(peer->db);
  close(peer->fd);
  g_free(peer->bytes);
  for (guint i = 0; i < 4; i++) {
    const char *const ends[] = {"-peer", "-peer-wal", "-peer-shm", "-raw"};
    g_autofree char *path = g_strconcat(b->path, ends[i], NULL);
    g_unlink(path);
  }
}

static double
time_plain(Peer *peer)
{
  const double began = now();

  sqlite3_bind_blob(peer->insert, 1, peer->bytes, (int)peer->n, SQLITE_STATIC);
  g_assert_cmpint(sqlite3_step(peer->insert), ==, SQLITE_DONE);
  sqlite3_reset(peer->insert);
  return now() - began;
}

static double
time_raw(Peer *peer)
{
  const double began = now();

  g_assert_cmpint(write(peer->fd, peer->bytes, peer->n), ==, (gssize)peer->n);
  g_assert_cmpint(fdatasync(peer->fd), ==, 0);
  return now() - began;
}

/* Bytes of the newest event. */
static gsize
event_bytes(Bench *b)
{
  sqlite3_stmt *statement = NULL;
  gsize n;

  g_assert_cmpint(sqlite3_prepare_v2(b->log->db,
                                     "SELECT length(CAST(body AS BLOB)) + length(sealed) FROM event"
                                     " WHERE kind = 'turn' ORDER BY seq DESC LIMIT 1",
                                     -1, &statement, NULL),
                  ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  n = (gsize)sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return n;
}

/* Ours, the plain insert and the bare fdatasync take turns. */
static void
append(Bench *b, Text *text)
{
  g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(double));
  g_autoptr(GArray) plain = g_array_new(FALSE, FALSE, sizeof(double));
  g_autoptr(GArray) raw = g_array_new(FALSE, FALSE, sizeof(double));
  g_autoptr(GError) error = NULL;
  Peer peer;
  double median;

  peer_open(&peer, b, event_bytes(b) + 64);
  for (int i = 0; i < b->appended; i++) {
    double took, began;
    write_text(b, b->turns - 1, text); /* of the last conversation, and of its words */
    began = now();
    check(store_log_add_turn(b->log, b->conversation, &text->turn, &error) > 0, error);
    took = now() - began;
    g_array_append_val(ours, took);
    took = time_plain(&peer);
    g_array_append_val(plain, took);
    took = time_raw(&peer);
    g_array_append_val(raw, took);
  }
  median = quantile(ours, 0.5);
  printf("{\"what\": \"append\", \"bytes\": %zu, \"ms\": %.3f, \"ms_worst\": %.3f, "
         "\"fsync_ms\": %.3f, \"beyond_fsync_ms\": %.3f, \"plain_insert_ms\": %.3f, "
         "\"ratio\": %.2f}\n",
         peer.n, median * 1e3, quantile(ours, 1) * 1e3, quantile(raw, 0.5) * 1e3,
         (median - quantile(raw, 0.5)) * 1e3, quantile(plain, 0.5) * 1e3,
         median / quantile(plain, 0.5));
  peer_close(&peer, b);
}

/* ---- verifying ------------------------------------------------------------------------------- */

static double
time_sha256sum(const char *path)
{
  const char *argv[] = {"sha256sum", path, NULL};
  const double began = now();
  g_autoptr(GError) error = NULL;
  int status = 0;

  check(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, &status, &error) &&
            g_spawn_check_wait_status(status, &error),
        error);
  return now() - began;
}

static gpointer
work_in_thread(gpointer data)
{
  gpointer *pair = data;

  ((StoreWork)pair[0])(pair[1]);
  return NULL;
}

/* As app/hands.c does. */
static void
work_at_once(StoreWork work, gpointer *items, guint n, gpointer user)
{
  g_autofree gpointer *pairs = g_new(gpointer, 2 * n);
  g_autofree GThread **threads = g_new(GThread *, n);

  for (guint i = 1; i < n; i++) {
    pairs[2 * i] = (gpointer)work;
    pairs[2 * i + 1] = items[i];
    threads[i] = g_thread_new("hand", work_in_thread, &pairs[2 * i]);
  }
  work(items[0]);
  for (guint i = 1; i < n; i++) {
    g_thread_join(threads[i]);
  }
}

static void
verify(Bench *b, guint n_hands)
{
  const StoreHands hands = {.n = n_hands, .run = work_at_once};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreReport) report = NULL;
  const double bytes = (double)store_file_size(b->path, "");
  double began, ours, theirs = time_sha256sum(b->path);

  began = now();
  report = store_log_verify_with(b->log, NULL, &hands, NULL, NULL, &error);
  ours = now() - began;
  check(report != NULL, error);
  if (!report->whole) {
    g_error("%s", report->found);
  }
  g_assert_cmpint(report->events, >=, b->turns);
  theirs = MIN(theirs, time_sha256sum(b->path));
  printf("{\"what\": \"verify\", \"threads\": %u, \"events\": %" G_GINT64_FORMAT
         ", \"checkpoints\": %u, "
         "\"seconds\": %.2f, \"rows_per_s\": %.0f, \"mb_per_s\": %.0f, "
         "\"sha256sum_mb_per_s\": %.0f, \"ratio\": %.2f}\n",
         n_hands, report->events, report->checkpoints, ours, (double)report->events / ours,
         bytes / ours / 1e6, bytes / theirs / 1e6, theirs / ours);
}

/* ---- looking --------------------------------------------------------------------------------- */

static double
search_once(Bench *b, const char *query, gint64 expected)
{
  const double began = now();
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) rows = store_log_search(b->log, query, 50, &error);
  const double took = now() - began;

  check(rows != NULL, error);
  g_assert_cmpint(rows->len, ==, MIN(expected, 50));
  return took;
}

static void
search(Bench *b, const char *name, const char *query, gint64 expected)
{
  g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));

  for (int i = 0; i < ROUNDS; i++) {
    const double took = search_once(b, query, expected);
    g_array_append_val(times, took);
  }
  printf("{\"what\": \"search\", \"words\": \"%s\", \"found\": %" G_GINT64_FORMAT
         ", \"ms\": %.2f, \"ms_worst\": %.2f}\n",
         name, MIN(expected, 50), quantile(times, 0.5) * 1e3, quantile(times, 1) * 1e3);
  fflush(stdout);
}

static void
list(Bench *b)
{
  g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));

  for (int i = 0; i < ROUNDS; i++) {
    const double began = now();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = store_log_list(b->log, 50, &error);
    const double took = now() - began;

    check(rows != NULL, error);
    g_assert_cmpint(rows->len, ==, MIN(b->conversations, 50));
    g_array_append_val(times, took);
  }
  printf("{\"what\": \"list\", \"ms\": %.2f, \"ms_worst\": %.2f}\n", quantile(times, 0.5) * 1e3,
         quantile(times, 1) * 1e3);
}

static void
look(Bench *b)
{
  const gint64 rare = b->turns > 7 ? (b->turns - 8) / RARE_EACH + 1 : 0;
  const double began = now();
  double built;

  search_once(b, "zebra", rare);
  built = now() - began;
  printf("{\"what\": \"index\", \"seconds\": %.1f, \"us_each\": %.1f, \"mb\": %.0f, "
         "\"peak_rss_mb\": %.0f}\n",
         built, built * 1e6 / b->turns, (double)store_file_size(b->path, ".index") / 1e6,
         peak_mb());
  fflush(stdout);
  search(b, "rare", "zebra", rare);
  search(b, "in all", "opacity", b->conversations);
  search(b, "beginning of all", "op", b->conversations);
  search(b, "one letter", "o", b->conversations);
  search(b, "two, both common", "opacity effusion", b->conversations);
  search(b, "two, one rare", "opacity zebra", rare);
  search(b, "two common, never together", "leftward rightward", 0);
  search(b, "none", "quagga", 0);
}

static void
time_open(Bench *b)
{
  double began, close_s, open_s;

  began = now();
  store_log_close(b->log);
  close_s = now() - began;
  began = now();
  open_log(b);
  open_s = now() - began;
  g_assert_null(store_log_trouble(b->log));
  printf("{\"what\": \"open\", \"ms\": %.1f, \"close_ms\": %.1f, \"log_mb\": %.0f}\n", open_s * 1e3,
         close_s * 1e3, (double)store_file_size(b->path, "") / 1e6);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void
remove_folder(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    g_unlink(child);
  }
  g_rmdir(path);
}

static gboolean
wanted(Bench *b, const char *what)
{
  return !b->only || g_strv_contains((const char *const *)b->only, what);
}

static void
run(Bench *b)
{
  Text text = {.question = g_string_new(""), .answer = g_string_new("")};

  b->conversations = (b->turns + TURNS_EACH - 1) / TURNS_EACH;
  b->words = make_words(b->rand);
  if (b->reuse) {
    open_log(b);
    b->conversation = b->conversations;
    b->image = 1;
  } else {
    fill(b, &text);
  }
  fflush(stdout);
  if (wanted(b, "append")) {
    append(b, &text);
    time_open(b);
    fflush(stdout);
  }
  if (wanted(b, "verify")) {
    verify(b, 1);
    verify(b, g_get_num_processors());
    fflush(stdout);
  }
  if (wanted(b, "list")) {
    list(b);
  }
  if (wanted(b, "search")) {
    look(b);
  }
  printf("{\"what\": \"memory\", \"peak_rss_mb\": %.0f}\n", peak_mb());
  store_log_close(b->log);
  g_string_free(text.question, TRUE);
  g_string_free(text.answer, TRUE);
  g_ptr_array_unref(b->words);
}

int
main(int argc, char **argv)
{
  Bench b = {.turns = 1000000, .appended = 200};
  const GOptionEntry entries[] = {
      {"turns", 0, 0, G_OPTION_ARG_INT, &b.turns, "of the log", "N"},
      {"append", 0, 0, G_OPTION_ARG_INT, &b.appended, "turns that are timed one by one", "N"},
      {"folder", 0, 0, G_OPTION_ARG_FILENAME, &b.folder, "where the log is made", "DIR"},
      {"keep", 0, 0, G_OPTION_ARG_NONE, &b.keep, "leave the log there", NULL},
      {"reuse", 0, 0, G_OPTION_ARG_NONE, &b.reuse, "take the log that lies there", NULL},
      {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &b.only, "append, verify, list or search", "WHAT"},
      {0},
  };
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;

  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || b.turns < 1 || b.appended < 1) {
    g_printerr("%s\n", error ? error->message : "expected numbers above 0");
    return 2;
  }
  if (!b.folder) {
    b.folder = g_dir_make_tmp("hilum-bench-XXXXXX", &error);
    check(b.folder != NULL, error);
  }
  g_mkdir_with_parents(b.folder, 0700);
  b.path = g_build_filename(b.folder, "log.sqlite", NULL);
  b.rand = g_rand_new_with_seed(6);
  run(&b);
  if (!b.keep) {
    remove_folder(b.folder);
  }
  g_rand_free(b.rand);
  g_strfreev(b.only);
  g_free(b.path);
  g_free(b.folder);
  return 0;
}
