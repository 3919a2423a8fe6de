/* test-log.c - what is written is read back, stays as it was, and belongs to its owner alone. */
#include "log-fixture.h"
#include "log/private.h"
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_same_image(const StoreImage *found, const StoreImage *expected)
{
  g_assert_cmpstr(found->study_instance_uid, ==, expected->study_instance_uid);
  g_assert_cmpstr(found->series_instance_uid, ==, expected->series_instance_uid);
  g_assert_cmpstr(found->patient_id, ==, expected->patient_id);
  g_assert_cmpstr(found->patient_name, ==, expected->patient_name);
  g_assert_cmpstr(found->study_date, ==, expected->study_date);
  g_assert_cmpstr(found->study_description, ==, expected->study_description);
  g_assert_cmpstr(found->modality, ==, expected->modality);
  g_assert_cmpstr(found->path, ==, expected->path);
  g_assert_cmpstr(found->sop_instance_uid, ==, expected->sop_instance_uid);
  g_assert_cmpstr(found->sop_class, ==, expected->sop_class);
  g_assert_cmpstr(found->transfer_syntax, ==, expected->transfer_syntax);
  g_assert_cmpuint(found->frame, ==, expected->frame);
  g_assert_cmpint(found->has_window, ==, expected->has_window);
  g_assert_cmpfloat(found->window_center, ==, expected->window_center);
  g_assert_cmpfloat(found->window_width, ==, expected->window_width);
  g_assert_cmpstr(found->voi_function, ==, expected->voi_function);
  g_assert_cmpint(found->inverted, ==, expected->inverted);
  g_assert_cmpstr(found->pixels_sha256, ==, expected->pixels_sha256);
  g_assert_cmpstr(found->sent_sha256, ==, expected->sent_sha256);
  g_assert_cmpint(found->blank, ==, expected->blank);
  g_assert_cmpstr(found->body_part, ==, expected->body_part);
  g_assert_cmpstr(found->view, ==, expected->view);
  g_assert_cmpstr(found->laterality, ==, expected->laterality);
  g_assert_cmpstr(found->warnings, ==, expected->warnings);
  g_assert_cmpuint(found->region_x, ==, expected->region_x);
  g_assert_cmpuint(found->region_y, ==, expected->region_y);
  g_assert_cmpuint(found->region_width, ==, expected->region_width);
  g_assert_cmpuint(found->region_height, ==, expected->region_height);
  g_assert_cmpuint(found->turns, ==, expected->turns);
  g_assert_cmpint(found->flip, ==, expected->flip);
  g_assert_cmpint(found->has_voi_lut, ==, expected->has_voi_lut);
  g_assert_cmpuint(found->voi_lut, ==, expected->voi_lut);
}

static void
assert_same_turn(const StoreTurn *found, const StoreTurn *expected)
{
  g_assert_cmpstr(found->question, ==, expected->question);
  g_assert_cmpstr(found->answer, ==, expected->answer);
  g_assert_cmpmem(found->prompt_ids, found->n_prompt_ids * 4, expected->prompt_ids,
                  expected->n_prompt_ids * 4);
  g_assert_cmpmem(found->answer_ids, found->n_answer_ids * 4, expected->answer_ids,
                  expected->n_answer_ids * 4);
  g_assert_cmpstr(found->stop, ==, expected->stop);
  g_assert_cmpfloat(found->temperature, ==, expected->temperature);
  g_assert_cmpfloat(found->top_p, ==, expected->top_p);
  g_assert_cmpuint(found->seed, ==, expected->seed);
  g_assert_cmpuint(found->max_tokens, ==, expected->max_tokens);
  g_assert_cmpfloat(found->image_s, ==, expected->image_s);
  g_assert_cmpfloat(found->prompt_s, ==, expected->prompt_s);
  g_assert_cmpfloat(found->first_token_s, ==, expected->first_token_s);
  g_assert_cmpfloat(found->answer_s, ==, expected->answer_s);
  g_assert_cmpuint(found->prompt_tokens, ==, expected->prompt_tokens);
  g_assert_cmpuint(found->answer_tokens, ==, expected->answer_tokens);
  g_assert_cmpint(found->image, ==, expected->image);
  g_assert_cmpstr(found->answer_form, ==, expected->answer_form);
  g_assert_cmpstr(found->instruction_rule, ==, expected->instruction_rule);
  g_assert_cmpstr(found->instruction_list, ==, expected->instruction_list);
  g_assert_cmpstr(found->instruction_text, ==, expected->instruction_text);
  g_assert_cmpuint(found->instruction_words, ==, expected->instruction_words);
  g_assert_cmpuint(found->instruction_threshold, ==, expected->instruction_threshold);
  g_assert_cmpmem(found->pieces, found->n_pieces * sizeof *found->pieces, expected->pieces,
                  expected->n_pieces * sizeof *expected->pieces);
}

static void
test_round_trip(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  StoreLog *log = open_log(folder->path, FALSE);
  gint64 conversation = new_conversation(log);
  StoreTurn turn = sample_turn;
  const StoreTurn bare = {.question = "", .answer = ""};

  turn.image = store_log_add_image(log, &sample_image, &error);
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), >, 0);
  g_assert_cmpint(store_log_add_turn(log, conversation, &bare, &error), >, 0);
  store_log_close(log);
  log = open_log(folder->path, TRUE);
  rows = store_log_show(log, conversation, &error);
  g_assert_no_error(error);
  store_log_close(log); /* the rows outlive the log */

  g_assert_cmpuint(rows->len, ==, 2);
  {
    const StoreTurnRow *first = rows->pdata[0];
    const StoreTurnRow *second = rows->pdata[1];
    g_assert_cmpuint(first->number, ==, 1);
    g_assert_true(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$",
                                       first->time, 0, 0));
    assert_same_turn(&first->turn, &turn);
    assert_same_image(&first->image, &sample_image);
    g_assert_cmpstr(first->model.name, ==, "demo");
    g_assert_cmpstr(first->model.sha256, ==, SHA_A);
    g_assert_cmpstr(first->model.quantization, ==, "q8_0");
    g_assert_cmpstr(first->model.path, ==, "/models/demo.gguf");
    g_assert_cmpstr(first->model.template_name, ==, "v1");
    g_assert_cmpstr(first->model.engine, ==, "https://gpu.example:8000/v1");
    g_assert_cmpuint(second->number, ==, 2);
    g_assert_cmpint(second->id, >, first->id);
    assert_same_turn(&second->turn, &bare);
    assert_same_image(&second->image, &(StoreImage){0});
  }
}

/* Ids that fit 16 bits take no more. */
static void
test_narrow_ids(LogFolder *folder, gconstpointer data)
{
  static const gint32 ids[] = {1, -200, G_MININT16, G_MAXINT16, 0};
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  const gint64 conversation = new_conversation(log);
  StoreTurn turn = sample_turn;

  turn.prompt_ids = ids;
  turn.n_prompt_ids = G_N_ELEMENTS(ids);
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), >, 0);
  rows = store_log_show(log, conversation, &error);
  g_assert_no_error(error);
  assert_same_turn(&((StoreTurnRow *)rows->pdata[0])->turn, &turn);
}

/* The bytes in the file, not only what comes back through the same code. */
/* What the file must not hold in the clear, and what it may. */
static void
test_texts_are_sealed(LogFolder *folder, gconstpointer data)
{
  static const char *const sealed[] = {SECRET_NAME,   SECRET_ID,  "nodule",
                                       "1.2.3.4",     "/images/", SHA_B,
                                       "-2147483648", "20240229", SHA_C};
  static const char *const suffixes[] = {"", "-wal", ".keys", ".head", ".pub"};
  g_autoptr(StoreLog) log = NULL;
  g_autofree char *clear = NULL;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(folder->path, suffixes[i], NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;

    g_file_get_contents(path, &bytes, &n, NULL);
    for (guint j = 0; bytes && j < G_N_ELEMENTS(sealed); j++) {
      g_assert_null(memmem(bytes, n, sealed[j], strlen(sealed[j])));
    }
  }
  clear = ask_sql(folder->path, "SELECT body FROM event WHERE kind = 'turn'");
  g_assert_nonnull(strstr(clear, "\"seed\": \"18446744073709551610\""));
}

static void
test_equal_rows_are_found_again(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  StoreModel model = sample_model;
  StoreImage image = sample_image;
  StoreImage none = {0};
  gint64 model_id = store_log_add_model(log, &model, &error);
  gint64 image_id = store_log_add_image(log, &image, &error);
  gint64 none_id = store_log_add_image(log, &none, &error);
  g_autofree char *counts = NULL;

  g_assert_cmpint(store_log_add_model(log, &model, &error), ==, model_id);
  g_assert_cmpint(store_log_add_image(log, &image, &error), ==, image_id);
  g_assert_cmpint(store_log_add_image(log, &none, &error), ==, none_id);
  g_assert_cmpint(none_id, !=, image_id);
  model.template_name = NULL;
  g_assert_cmpint(store_log_add_model(log, &model, &error), !=, model_id);
  image.window_width = 80;
  g_assert_cmpint(store_log_add_image(log, &image, &error), !=, image_id);
  image.study_description = "CHEST AGAIN"; /* a new study row, the same patient */
  g_assert_cmpint(store_log_add_image(log, &image, &error), !=, image_id);
  g_assert_no_error(error);
  counts = ask_sql(folder->path, "SELECT count(*) || ' ' || count(DISTINCT lookup) || ' ' ||"
                                 " (SELECT count(DISTINCT subject) FROM event) FROM image");
  g_assert_cmpstr(counts, ==, "4 4 2"); /* one patient, and what is of none */
}

static void
test_not_a_number(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 conversation = new_conversation(log);
  StoreImage image = sample_image;
  StoreTurn turn = sample_turn;
  g_autoptr(GPtrArray) rows = NULL;

  image.window_center = NAN;
  image.window_width = INFINITY;
  turn.image = store_log_add_image(log, &image, &error);
  g_assert_cmpint(store_log_add_image(log, &image, &error), ==, turn.image);
  turn.answer_s = NAN;
  turn.prompt_s = -INFINITY;
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), >, 0);
  rows = store_log_show(log, conversation, &error);
  g_assert_no_error(error);
  {
    const StoreTurnRow *row = rows->pdata[0];
    g_assert_true(isnan(row->turn.answer_s));
    g_assert_true(isinf(row->turn.prompt_s));
    g_assert_true(isnan(row->image.window_center));
    g_assert_true(isinf(row->image.window_width));
  }
}

static void
test_broken_utf8_is_repaired(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 conversation = new_conversation(log);
  StoreTurn turn = sample_turn;
  g_autoptr(GPtrArray) rows = NULL;

  turn.question = "M\xfcller"; /* Latin-1 */
  turn.answer = "lung \xf0\x9f";
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), >, 0);
  rows = store_log_show(log, conversation, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->turn.question, ==, "M\xef\xbf\xbdller");
  g_assert_true(
      g_str_has_prefix(((StoreTurnRow *)rows->pdata[0])->turn.answer, "lung \xef\xbf\xbd"));
}

static void
test_values_that_are_refused(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 conversation = new_conversation(log);
  StoreTurn turn = sample_turn;
  StoreImage image = sample_image;
  g_autofree char *huge = g_strnfill((4 << 20) + 1, 'x');

  turn.question = huge;
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_INVALID, folder->path,
                 "turns: question: found 4194305 bytes, expected at most 4194304");
  memset(huge, 0xff, 2 << 20); /* grows when it is repaired */
  huge[2 << 20] = '\0';
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_INVALID, folder->path,
                 "turns: question: found 6291456 bytes*");
  turn = sample_turn;
  turn.n_prompt_ids = (1 << 20) + 1; /* refused by its count, before the ids are looked at */
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_INVALID, folder->path,
                 "turns: prompt_ids: found 1048577 ids, expected at most 1048576");
  turn = sample_turn;
  turn.answer = NULL;
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_INVALID, folder->path, "turns: answer: found nothing*");
  image.sent_sha256 = "ABC";
  g_assert_cmpint(store_log_add_image(log, &image, &error), ==, 0);
  assert_message(&error, STORE_ERROR_INVALID, folder->path, "images: sent_sha256: *64 lower-case*");
  g_assert_cmpint(store_log_add_turn(log, 99, &sample_turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*conversation 99 is not in the log");
  turn = sample_turn;
  turn.image = 99;
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*image 99 is not in the log");
  g_assert_cmpint(store_log_add_conversation(log, 99, NULL, 0, 0, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*model 99 is not in the log");
  g_assert_null(store_log_show(log, 99, &error));
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "conversation 99 is not in the log");

  /* A refusal leaves no row of the image behind, and the log can be used on. */
  g_assert_cmpint(store_log_add_turn(log, conversation, &sample_turn, &error), >, 0);
  {
    g_autofree char *images = ask_sql(folder->path, "SELECT count(*) FROM image");
    g_assert_cmpstr(images, ==, "0");
  }
}

static void
test_branches(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  gint64 first = make_log(folder->path, 2);
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 model = store_log_add_model(log, &sample_model, &error);
  gint64 second = store_log_add_conversation(log, model, "0.2.0", first, 2, &error);
  g_autoptr(GPtrArray) list = NULL;
  g_autoptr(GPtrArray) rows = NULL;

  g_assert_cmpint(second, >, first);
  g_assert_cmpint(store_log_add_conversation(log, model, NULL, first, 3, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path,
                 "*conversation 1: found 2 turns, expected at least 3");
  rows = store_log_show(log, second, &error); /* no turn yet is not the same as not there */
  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 0);
  g_assert_cmpint(add_numbered_turn(log, second, 1, &error), >, 0);

  list = store_log_list(log, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(list->len, ==, 2);
  {
    const StoreConversation *newest = list->pdata[0];
    const StoreConversation *oldest = list->pdata[1];
    g_assert_cmpint(newest->id, ==, second);
    g_assert_cmpint(newest->rewound_from, ==, first);
    g_assert_cmpuint(newest->rewound_turn, ==, 2);
    g_assert_cmpuint(newest->n_turns, ==, 1);
    g_assert_cmpstr(newest->program_version, ==, "0.2.0");
    g_assert_cmpstr(newest->first_question, ==, "question 1");
    g_assert_null(newest->image_path);
    g_assert_cmpint(oldest->rewound_from, ==, 0);
    g_assert_cmpuint(oldest->n_turns, ==, 2);
    g_assert_cmpstr(oldest->first_question, ==, SECRET_QUESTION);
    g_assert_cmpstr(oldest->image_path, ==, "/images/ct.dcm");
    g_assert_cmpstr(oldest->modality, ==, "CT");
    g_assert_cmpstr(oldest->model_name, ==, "demo");
    g_assert_cmpstr(oldest->model_sha256, ==, SHA_A);
    g_assert_cmpstr(oldest->model_engine, ==, "https://gpu.example:8000/v1");
  }
  g_clear_pointer(&list, g_ptr_array_unref);
  list = store_log_list(log, 1, &error);
  g_assert_cmpuint(list->len, ==, 1);
}

/* Every table, by a connection that knows nothing of Hilum. */
static void
test_append_only(LogFolder *folder, gconstpointer data)
{
  static const struct {
    const char *table, *column;
  } tables[] = {{"event", "body"},   {"block", "event"},        {"image", "event"},
                {"model", "event"},  {"conversation", "model"}, {"turn", "number"},
                {"verdict", "turn"}, {"answer_check", "turn"}};
  static const StoreVerdict edited = {"edited", "Clear.", "ada", NULL};
  static const StoreCheckAnswer answers[] = {{"No.", 7, FALSE}};
  static const StoreCheck check = {"seeds", TRUE, 1, answers, G_N_ELEMENTS(answers)};
  g_autofree char *untold = NULL;
  g_autoptr(GError) error = NULL;
  const gint64 image = 1;
  StoreTurn turn = sample_turn;

  {
    gint64 conversation = make_log(folder->path, 0);
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    turn.image = image;
    turn.earlier_images = &image;
    turn.n_earlier_images = 1;
    g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 1);
    g_assert_cmpint(store_log_add_verdict(log, 1, &edited, &error), ==, 1);
    g_assert_cmpint(store_log_add_check(log, 1, &check, &error), ==, 1);
    g_assert_no_error(error);
  }
  run_sql(folder->path, "INSERT INTO block VALUES (1, 1, zeroblob(32))"); /* it comes with 1024 */
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
    const char *table = tables[i].table;
    const char *column = tables[i].column;
    g_autofree char *update = g_strdup_printf("UPDATE %s SET %s = 'x'", table, column);
    g_autofree char *delete = g_strdup_printf("DELETE FROM %s", table);
    g_autofree char *replace = g_strdup_printf("REPLACE INTO %s SELECT * FROM %s", table, table);
    g_autofree char *count = g_strdup_printf("SELECT count(*) FROM %s", table);
    g_autofree char *before = ask_sql(folder->path, count), *found = NULL;

    g_assert_cmpint(try_sql(folder->path, update), ==, SQLITE_CONSTRAINT);
    g_assert_cmpint(try_sql(folder->path, delete), ==, SQLITE_CONSTRAINT);
    g_assert_cmpint(try_sql(folder->path, replace), ==, SQLITE_CONSTRAINT);
    found = ask_sql(folder->path, count);
    g_assert_cmpstr(found, ==, before);
    g_assert_cmpstr(found, !=, "0");
  }
  g_assert_cmpint(try_sql(folder->path, "REPLACE INTO turn (event, conversation, number)"
                                        " SELECT event, conversation, number FROM turn"),
                  ==, SQLITE_CONSTRAINT);
  /* No table of the log is missing above. */
  untold = ask_sql(folder->path, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
  g_assert_cmpint(g_ascii_strtoll(untold, NULL, 10), ==, G_N_ELEMENTS(tables));
}

static void
test_rules_of_the_tables(LogFolder *folder, gconstpointer data)
{
#define EVENT "INSERT INTO event (seq, time, kind, subject, body, sealed, previous, hash) VALUES "
#define HASHES ", zeroblob(32), zeroblob(32))"
  static const char *const against[] = {
      EVENT "(NULL, 'yesterday', 'x', NULL, '{}', NULL" HASHES,
      EVENT "(-1, '2024-01-01T00:00:00.000Z', 'x', NULL, '{}', NULL" HASHES,
      EVENT "(NULL, '2024-01-01T00:00:00.000Z', '', NULL, '{}', NULL" HASHES,
      EVENT "(NULL, '2024-01-01T00:00:00.000Z', 'x', 1, '{}', NULL" HASHES,
      EVENT "(NULL, '2024-01-01T00:00:00.000Z', 'x', NULL, '{}', x'00'" HASHES,
      EVENT "(NULL, '2024-01-01T00:00:00.000Z', 'x', 1, x'00', x'00'" HASHES,
      EVENT "(NULL, '2024-01-01T00:00:00.000Z', 'x', NULL, '{}', NULL, zeroblob(31), zeroblob(32))",
      "INSERT INTO model (id, event, lookup) VALUES (9, 1, zeroblob(5))",
      "PRAGMA foreign_keys = ON; INSERT INTO conversation (event, model) VALUES (1, 9)",
      "INSERT INTO conversation (id, event, model, rewound_from) VALUES (5, 1, 1, 5)",
      "INSERT INTO turn (event, conversation, number) VALUES (1, 1, 0)",
  };

  make_log(folder->path, 1);
  for (guint i = 0; i < G_N_ELEMENTS(against); i++) {
    g_assert_cmpint(try_sql(folder->path, against[i]) & 0xff, ==, SQLITE_CONSTRAINT);
  }
}

static guint
mode_of(const char *path, const char *suffix)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);
  struct stat st;

  g_assert_cmpint(lstat(whole, &st), ==, 0);
  return st.st_mode & 07777;
}

static void
test_modes(LogFolder *folder, gconstpointer data)
{
  static const mode_t umasks[] = {0, 022, 0277};
  mode_t before = umask(0);

  for (guint i = 0; i < G_N_ELEMENTS(umasks); i++) {
    g_autofree char *name = g_strdup_printf("new-%u", i);
    g_autofree char *inner = g_build_filename(folder->folder, name, "deeper", NULL);
    g_autofree char *path = g_build_filename(inner, "log.sqlite", NULL);
    g_autofree char *parent = g_build_filename(folder->folder, name, NULL);
    g_autoptr(StoreLog) log = NULL;
    g_autoptr(GError) error = NULL;

    if (umasks[i] & 0200) { /* such an umask makes folders that only root can use */
      g_assert_cmpint(g_mkdir(parent, 0700), ==, 0);
    }
    umask(umasks[i]);
    log = store_log_open(path, FALSE, &error);
    umask(0);
    g_assert_no_error(error);
    new_conversation(log);
    g_assert_cmpuint(mode_of(inner, ""), ==, 0700);
    g_assert_cmpuint(mode_of(parent, "") & 077, ==, 0);
    g_assert_cmpuint(mode_of(path, ""), ==, 0600);
    g_assert_cmpuint(mode_of(path, "-wal"), ==, 0600);
    g_assert_cmpuint(mode_of(path, "-shm"), ==, 0600);
  }
  umask(before);
}

static void
test_wide_modes_are_tightened(LogFolder *folder, gconstpointer data)
{
  StoreLog *first;
  StoreLog *second;
  g_autofree char *wal = g_strconcat(folder->path, "-wal", NULL);

  make_log(folder->path, 1);
  g_assert_cmpint(g_chmod(folder->path, 0664), ==, 0);
  store_log_close(open_log(folder->path, TRUE)); /* reading changes nothing */
  g_assert_cmpuint(mode_of(folder->path, ""), ==, 0664);
  first = open_log(folder->path, FALSE);
  g_assert_cmpuint(mode_of(folder->path, ""), ==, 0600);
  new_conversation(first);
  g_assert_cmpint(g_chmod(wal, 0644), ==, 0);
  second = open_log(folder->path, FALSE);
  g_assert_cmpuint(mode_of(folder->path, "-wal"), ==, 0600);
  store_log_close(second);
  store_log_close(first);
}

static void
test_settings(LogFolder *folder, gconstpointer data)
{
  static const struct {
    const char *pragma, *value;
  } settings[] = {
      {"journal_mode", "wal"},          {"synchronous", "2"},     {"foreign_keys", "1"},
      {"trusted_schema", "0"},          {"cell_size_check", "1"}, {"temp_store", "2"},
      {"application_id", "1212763213"}, {"user_version", "5"},    {"busy_timeout", "10000"}};
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
    g_autofree char *sql = g_strdup_printf("PRAGMA %s", settings[i].pragma);
    sqlite3_stmt *statement = NULL;
    g_assert_cmpint(sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    g_assert_cmpstr((const char *)sqlite3_column_text(statement, 0), ==, settings[i].value);
    sqlite3_finalize(statement);
  }
}

static void
test_reading_only(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *missing = g_build_filename(folder->folder, "no", "log.sqlite", NULL);
  g_autoptr(StoreLog) log = NULL;
  gint64 conversation;

  assert_refused(folder->path, TRUE, STORE_ERROR_NOT_FOUND, "*No such file*");
  g_assert_false(g_file_test(folder->path, G_FILE_TEST_EXISTS));
  assert_refused(missing, TRUE, STORE_ERROR_NOT_FOUND, "*No such file*");
  conversation = make_log(folder->path, 1);
  log = open_log(folder->path, TRUE);
  g_assert_cmpint(store_log_add_turn(log, conversation, &sample_turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_IO, folder->path, "adding a turn: *reading only*");
}

/* In a child that is nobody, for root may write everywhere: the log of a folder that cannot be
 * written is read, and one whose newest turns are still in -wal is refused. */
static int
read_as_nobody(const char *path, const char *hot)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  g_autoptr(StoreLog) refused = NULL;

  if (geteuid() == 0 &&
      (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)) {
    return 10;
  }
  log = store_log_open(path, TRUE, &error);
  rows = log ? store_log_show(log, 1, &error) : NULL;
  if (!rows || rows->len != 3) {
    g_printerr("%s\n", error ? error->message : "wrong count");
    return 11;
  }
  refused = store_log_open(hot, TRUE, &error);
  return refused || !g_error_matches(error, STORE_ERROR, STORE_ERROR_IO) ||
                 !strstr(error->message, "newest turns")
             ? 12
             : 0;
}

static void
copy_file(const char *from, const char *from_suffix, const char *to, const char *to_suffix)
{
  g_autofree char *source = g_strconcat(from, from_suffix, NULL);
  g_autofree char *target = g_strconcat(to, to_suffix, NULL);
  g_autofree char *bytes = NULL;
  gsize length = 0;

  g_assert_true(g_file_get_contents(source, &bytes, &length, NULL));
  g_assert_true(g_file_set_contents(target, bytes, (gssize)length, NULL));
  g_assert_cmpint(g_chmod(target, 0644), ==, 0);
  /* A key must be the reader's own, who is nobody when the test is run by root. */
  g_assert_true(geteuid() != 0 || chown(target, 65534, 65534) == 0);
}

static void
test_folder_that_cannot_be_written(LogFolder *folder, gconstpointer data)
{
  static const char *const keys[] = {".keys", ".key"};
  g_autofree char *hot = g_build_filename(folder->folder, "hot.sqlite", NULL);
  g_autoptr(StoreLog) log = NULL;
  int status = 0;
  pid_t child;

  make_log(folder->path, 3);
  log = open_log(folder->path, FALSE);
  new_conversation(log); /* in -wal while the log is open */
  copy_file(folder->path, "", hot, "");
  copy_file(folder->path, "-wal", hot, "-wal");
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    copy_file(folder->path, keys[i], hot, keys[i]);
    copy_file(folder->path, keys[i], folder->path, keys[i]); /* readable to all */
  }
  g_clear_pointer(&log, store_log_close);
  g_assert_cmpint(g_chmod(folder->path, 0644), ==, 0);
  g_assert_cmpint(g_chmod(folder->folder, 0555), ==, 0);
  child = fork();
  if (child == 0) {
    _exit(read_as_nobody(folder->path, hot));
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_assert_cmpint(g_chmod(folder->folder, 0700), ==, 0);
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void
test_default_path(void)
{
  g_autofree char *path = store_default_path();
  g_autofree char *end = g_build_filename("hilum", "log.sqlite", NULL);

  g_assert_true(g_path_is_absolute(path));
  g_assert_true(g_str_has_suffix(path, end));
}

static void
test_busy(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  gint64 conversation = make_log(folder->path, 1);
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  sqlite3 *other = NULL;

  store_log_set_busy_timeout(log, 20);
  g_assert_cmpint(sqlite3_open(folder->path, &other), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint(store_log_add_turn(log, conversation, &sample_turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_BUSY, folder->path, "adding a turn: another program*");
  sqlite3_close(other);
  g_assert_cmpint(store_log_add_turn(log, conversation, &sample_turn, &error), >, 0);
  g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/log/round-trip", test_round_trip);
  LOG_TEST("/log/narrow-ids", test_narrow_ids);
  LOG_TEST("/log/texts-are-sealed", test_texts_are_sealed);
  LOG_TEST("/log/equal-rows-are-found-again", test_equal_rows_are_found_again);
  LOG_TEST("/log/not-a-number", test_not_a_number);
  LOG_TEST("/log/broken-utf8-is-repaired", test_broken_utf8_is_repaired);
  LOG_TEST("/log/values-that-are-refused", test_values_that_are_refused);
  LOG_TEST("/log/branches", test_branches);
  LOG_TEST("/log/append-only", test_append_only);
  LOG_TEST("/log/rules-of-the-tables", test_rules_of_the_tables);
  LOG_TEST("/log/modes", test_modes);
  LOG_TEST("/log/wide-modes-are-tightened", test_wide_modes_are_tightened);
  LOG_TEST("/log/settings", test_settings);
  LOG_TEST("/log/reading-only", test_reading_only);
  LOG_TEST("/log/folder-that-cannot-be-written", test_folder_that_cannot_be_written);
  LOG_TEST("/log/busy", test_busy);
  g_test_add_func("/log/default-path", test_default_path);
  return g_test_run();
}
