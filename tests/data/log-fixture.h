/* log-fixture.h - a folder of its own for each test, and rows with every field set. */
#ifndef HILUM_TESTS_DATA_LOG_FIXTURE_H
#define HILUM_TESTS_DATA_LOG_FIXTURE_H

#include "store.h"
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_C "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What a message must never hold. */
#define SECRET_NAME "Secret^Patient"
#define SECRET_ID "PID-4711"
#define SECRET_QUESTION "Does Secret^Patient have a nodule?"

typedef struct {
  char *folder, *path;
} LogFolder;

static inline void
log_folder_set_up(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  folder->folder = g_dir_make_tmp("hilum-log-XXXXXX", &error);
  g_assert_no_error(error);
  folder->path = g_build_filename(folder->folder, "log.sqlite", NULL);
}

static inline void
log_folder_remove(const char *path)
{
  g_autoptr(GDir) dir = NULL;
  const char *name;

  if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
    dir = g_dir_open(path, 0, NULL);
  }
  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    log_folder_remove(child);
  }
  g_remove(path);
}

static inline void
log_folder_tear_down(LogFolder *folder, gconstpointer data)
{
  log_folder_remove(folder->folder);
  g_free(folder->folder);
  g_free(folder->path);
}

#define LOG_TEST(name, function)                                                                   \
  g_test_add(name, LogFolder, NULL, log_folder_set_up, function, log_folder_tear_down)

static const StoreModel sample_model = {
    "demo", SHA_A, "q8_0", "/models/demo.gguf", "v1", "https://gpu.example:8000/v1"};

static const StoreImage sample_image = {
    .study_instance_uid = "1.2.3",
    .series_instance_uid = "1.2.3.4",
    .patient_id = SECRET_ID,
    .patient_name = SECRET_NAME,
    .study_date = "20240229",
    .study_description = "CHEST",
    .modality = "CT",
    .path = "/images/ct.dcm",
    .sop_instance_uid = "1.2.3.4.5",
    .sop_class = "1.2.840.10008.5.1.4.1.1.2",
    .transfer_syntax = "1.2.840.10008.1.2.1",
    .frame = 7,
    .has_window = TRUE,
    .window_center = -600.5,
    .window_width = 1500.25,
    .voi_function = "LINEAR",
    .inverted = TRUE,
    .pixels_sha256 = SHA_B,
    .sent_sha256 = SHA_C,
    .blank = TRUE,
    .body_part = "CHEST",
    .view = "PA",
    .laterality = "U",
    .warnings = "localizer,lossy",
    .region_x = 10,
    .region_y = 20,
    .region_width = 300,
    .region_height = 200,
    .turns = 3,
    .flip = TRUE,
    .has_voi_lut = TRUE,
    .voi_lut = 1,
};

static const gint32 sample_prompt_ids[] = {1, 32000, -200, G_MAXINT32, G_MININT32, 0};
static const gint32 sample_answer_ids[] = {2, 0x01020304};

static const StorePiece sample_pieces[] = {{2, 0.5f}, {9, 1.0f}};

static const StoreTurn sample_turn = {
    .question = SECRET_QUESTION,
    .answer = "No, \"none\"; DROP TABLE turns; \xe2\x80\x94 \xf0\x9f\xab\x81\n",
    .prompt_ids = sample_prompt_ids,
    .n_prompt_ids = G_N_ELEMENTS(sample_prompt_ids),
    .answer_ids = sample_answer_ids,
    .n_answer_ids = G_N_ELEMENTS(sample_answer_ids),
    .stop = "eos",
    .temperature = 0.2,
    .top_p = 0.7,
    .seed = G_MAXUINT64 - 5,
    .max_tokens = 1024,
    .image_s = 0.125,
    .prompt_s = 1.5,
    .first_token_s = 1.75,
    .answer_s = 3.0625,
    .prompt_tokens = 620,
    .answer_tokens = 2,
    .answer_form = "yes-no",
    .instruction_rule = "words<30",
    .instruction_list = "brief",
    .instruction_text = "Describe the image concisely.",
    .instruction_words = 12,
    .instruction_threshold = 30,
    .pieces = sample_pieces,
    .n_pieces = G_N_ELEMENTS(sample_pieces),
};

/* Opens, or fails the test. */
static inline StoreLog *
open_log(const char *path, gboolean read_only)
{
  g_autoptr(GError) error = NULL;
  StoreLog *log = store_log_open(path, read_only, &error);

  g_assert_no_error(error);
  g_assert_nonnull(log);
  return log;
}

static inline gint64
new_conversation(StoreLog *log)
{
  g_autoptr(GError) error = NULL;
  gint64 model = store_log_add_model(log, &sample_model, &error);
  gint64 id = model ? store_log_add_conversation(log, model, "0.1.0", 0, 0, &error) : 0;

  g_assert_no_error(error);
  g_assert_cmpint(id, >, 0);
  return id;
}

/* A turn whose question is "question NUMBER"; 0 and *error on failure. */
static inline gint64
add_numbered_turn(StoreLog *log, gint64 conversation, guint number, GError **error)
{
  g_autofree char *question = g_strdup_printf("question %u", number);
  StoreTurn turn = sample_turn;

  turn.question = question;
  return store_log_add_turn(log, conversation, &turn, error);
}

/* A whole log: one conversation of N turns on one image. Returns the conversation. */
static inline gint64
make_log(const char *path, guint n_turns)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);
  gint64 conversation = new_conversation(log);
  StoreTurn turn = sample_turn;

  turn.image = store_log_add_image(log, &sample_image, &error);
  for (guint i = 0; i < n_turns && !error; i++) {
    store_log_add_turn(log, conversation, &turn, &error);
  }
  g_assert_no_error(error);
  return conversation;
}

/* SQL through a connection that is not Hilum's and keeps none of its rules. */
static inline int
try_sql(const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
  }
  if (rc != SQLITE_OK) {
    g_test_message("%s", sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  return rc;
}

static inline void
run_sql(const char *path, const char *sql)
{
  g_assert_cmpint(try_sql(path, sql), ==, SQLITE_OK);
}

/* First column of the first row, g_free(). */
static inline char *
ask_sql(const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  char *text;

  g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  text = g_strdup((const char *)sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return text;
}

static inline void
assert_sound(const char *path)
{
  g_autofree char *integrity = ask_sql(path, "PRAGMA integrity_check");
  g_autofree char *keys = ask_sql(path, "SELECT count(*) FROM pragma_foreign_key_check");

  g_assert_cmpstr(integrity, ==, "ok");
  g_assert_cmpstr(keys, ==, "0");
}

/* An error of ours, whose message names the file, matches PATTERN after it, and holds no patient
 * data. Clears it. */
static inline void
assert_message(GError **error, int code, const char *path, const char *pattern)
{
  g_autofree char *whole = g_strconcat(path, ": ", pattern, NULL);

  g_assert_error(*error, STORE_ERROR, code);
  if (!g_pattern_match_simple(whole, (*error)->message)) {
    g_test_message("found \"%s\", expected \"%s\"", (*error)->message, whole);
    g_test_fail();
  }
  g_assert_null(strstr((*error)->message, SECRET_NAME));
  g_assert_null(strstr((*error)->message, SECRET_ID));
  g_assert_null(strstr((*error)->message, "nodule"));
  g_clear_error(error);
}

/* Opening must fail so. */
static inline void
assert_refused(const char *path, gboolean read_only, int code, const char *pattern)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, read_only, &error);

  g_assert_null(log);
  assert_message(&error, code, path, pattern);
}

#endif
