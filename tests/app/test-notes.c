/* test-notes.c - what the log is told besides questions: each thing once, and no name in the clear.
 */
#include <string.h>

#include "app_export.h"
#include "app_note.h"
#include "app_proof.h"
#include "app_slice.h"
#include "app_trust.h"
#include "private.h"
#include "secrets.h"
#include "tiny.h"
#include "wait.h"

#define N 12
#define NAME "Secretname^Ada"
#define ID "ID-4711-SECRET"
#define STUDY "1.2.3.99.4711"

typedef struct {
  char *folder, *log, *study, *model;
  AppNotes *notes;
} Fixture;

static void
write_series(const char *folder)
{
  for (guint i = 0; i < N; i++) {
    g_autofree char *uid = g_strdup_printf("1.2.3.4.%u", i + 1);
    g_autofree char *file = g_strdup_printf("%02u.dcm", i);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    const TinyDicom slice = {.rows = 8,
                             .columns = 8,
                             .uid = uid,
                             .instance = (int)i + 1,
                             .z = i,
                             .window = "300\\400",
                             .patient_name = NAME,
                             .patient_id = ID,
                             .study_uid = STUDY,
                             .series_uid = "1.2.3.99.1"};
    tiny_dicom_write(path, &slice);
  }
}

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autofree char *bad = NULL;

  f->folder = tiny_folder_new();
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  f->model = g_build_filename(f->folder, "tiny.gguf", NULL);
  f->study = g_build_filename(f->folder, "Secretfolder", NULL);
  g_assert_cmpint(g_mkdir(f->study, 0700), ==, 0);
  write_series(f->study);
  bad = g_build_filename(f->study, "secretfile.txt", NULL);
  g_assert_true(g_file_set_contents(bad, "no image at all", -1, NULL));
  f->notes = app_notes_new(f->log);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_clear_pointer(&f->notes, app_notes_unref);
  tiny_folder_free(f->folder);
  g_free(f->log);
  g_free(f->model);
  g_free(f->study);
}

/* ---- what the log says ----------------------------------------------------------------------- */

typedef struct {
  const char *kind, *action;
  guint n;
  JsonObject *body, *text; /* of the last; {…, "fields": {…}} */
  gboolean failed;
  gint64 subject;
} Found;

static void
found_clear(Found *found)
{
  g_clear_pointer(&found->body, json_object_unref);
  g_clear_pointer(&found->text, json_object_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static gboolean
look_at(const StoreEventRow *row, gpointer user, GError **error)
{
  Found *found = user;

  if (strcmp(row->kind, found->kind) == 0 &&
      (!found->action || g_strcmp0(row->action, found->action) == 0)) {
    found_clear(found);
    found->n++;
    found->body = app_json_object_read(row->body, strlen(row->body), NULL);
    found->text = row->text ? app_json_object_read(row->text, strlen(row->text), NULL) : NULL;
    found->failed = row->failed;
    found->subject = row->subject;
  }
  return TRUE;
}

static Found
find(const Fixture *f, const char *kind, const char *action)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(f->log, TRUE, &error);
  Found found = {.kind = kind, .action = action};

  g_assert_no_error(error);
  store_log_each_event(log, 1, 0, look_at, &found, &error);
  g_assert_no_error(error);
  return found;
}

static const char *
field(JsonObject *object, const char *name)
{
  g_assert_nonnull(object);
  return app_json_get_text(json_object_get_object_member(object, "fields"), name);
}

/* Ends the notes; the log is whole, and says nothing in the clear that names a patient. */
static void
close_and_verify(Fixture *f)
{
  static const char *const secrets[] = {"Secretname", ID,           STUDY,       "Secretfolder",
                                        "secretfile", "Needleword", "secretpath"};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;
  g_autoptr(GDir) dir = NULL;
  const char *name;

  g_clear_pointer(&f->notes, app_notes_unref);
  report = app_log_verify(f->log, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(json_object_get_boolean_member(json_node_get_object(report), "whole"));
  dir = g_dir_open(f->folder, 0, NULL);
  while ((name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_autofree char *bytes = NULL;
    gsize n;

    if (g_str_has_prefix(name, "log.sqlite") && g_file_get_contents(path, &bytes, &n, NULL)) {
      for (guint i = 0; i < G_N_ELEMENTS(secrets); i++) {
        g_assert_null(memmem(bytes, n, secrets[i], strlen(secrets[i])));
      }
    }
  }
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(GError) error = NULL;

  *(gpointer *)data = app_study_open_finish(result, &error);
  if (error) {
    *(gpointer *)data = g_steal_pointer(&error);
  }
}

static AppStudy *
open_study(const Fixture *f)
{
  gpointer study = NULL;

  app_notes_open_study_async(f->notes, f->study, FALSE, 0, NULL, on_opened, &study);
  wait_until(study);
  return study;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void
test_program(Fixture *f, gconstpointer data)
{
  g_auto(Found) start = {0}, stop = {0};

  close_and_verify(f);
  start = find(f, "application", "start");
  stop = find(f, "application", "stop");
  g_assert_cmpuint(start.n, ==, 1);
  g_assert_cmpuint(stop.n, ==, 1);
  g_assert_cmpstr(field(start.body, "program_version"), ==, app_version());
}

/* A folder that is opened is one import for its study, and one refusal for what is no image. */
static void
test_opened(Fixture *f, gconstpointer data)
{
  AppStudy *study = open_study(f);
  g_auto(Found) import = {0}, refused = {0};

  g_assert_cmpuint(app_study_n_series(study), ==, 1);
  app_study_free(study);
  close_and_verify(f);
  import = find(f, "import", NULL);
  g_assert_cmpuint(import.n, ==, 1);
  g_assert_cmpstr(field(import.body, "images"), ==, "12");
  g_assert_cmpstr(app_json_get_text(import.body, "modality"), ==, "CT");
  g_assert_cmpstr(app_json_get_text(import.text, "patient_id"), ==, ID);
  g_assert_cmpstr(app_json_get_text(import.text, "study_instance_uid"), ==, STUDY);
  g_assert_cmpstr(field(import.text, "from"), ==, f->study);
  g_assert_false(import.failed);

  refused = find(f, "refused", NULL);
  g_assert_cmpuint(refused.n, ==, 1);
  g_assert_cmpstr(app_json_get_text(refused.body, "action"), ==, "format");
  g_assert_true(refused.failed);
  g_assert_true(g_str_has_suffix(field(refused.text, "path"), "secretfile.txt"));
  g_assert_cmpint(refused.subject, !=, import.subject);
}

/* A file that cannot be opened at all is refused, and nothing is imported. */
static void
test_refused(Fixture *f, gconstpointer data)
{
  g_autofree char *bad = g_build_filename(f->study, "secretfile.txt", NULL);
  gpointer error = NULL;
  g_auto(Found) import = {0}, refused = {0};

  app_notes_open_study_async(f->notes, bad, FALSE, 0, NULL, on_opened, &error);
  wait_until(error);
  g_error_free(error);
  close_and_verify(f);
  import = find(f, "import", NULL);
  refused = find(f, "refused", "format");
  g_assert_cmpuint(import.n, ==, 0);
  g_assert_cmpuint(refused.n, ==, 1);
}

static void
look(const Fixture *f, AppStudy *study, guint index, double center)
{
  const AppWindow window = {.set = TRUE, .center = center, .width = 400};

  app_notes_looks_begin(f->notes);
  app_notes_look(f->notes, study, 0, index, &window);
  app_notes_looks_end(f->notes);
}

/* However long somebody scrolls, a look is one event. */
static void
test_shown(Fixture *f, gconstpointer data)
{
  AppStudy *study = open_study(f);
  g_auto(Found) shown = {0}, import = {0};

  for (guint k = 0; k < 50; k++) {
    for (guint i = 2; i < 9; i++) {
      look(f, study, i, 300);
    }
  }
  look(f, study, 5, 40);
  app_notes_looks_begin(f->notes); /* nothing is on the screen any more */
  app_notes_looks_end(f->notes);
  app_study_free(study);
  close_and_verify(f);
  shown = find(f, "shown", NULL);
  import = find(f, "import", NULL);
  g_assert_cmpuint(shown.n, ==, 1);
  g_assert_cmpstr(field(shown.body, "images"), ==, "12");
  g_assert_cmpstr(field(shown.body, "seen"), ==, "7");
  g_assert_cmpstr(field(shown.body, "first"), ==, "3");
  g_assert_cmpstr(field(shown.body, "last"), ==, "9");
  g_assert_cmpfloat(json_object_get_double_member(shown.body, "window_center"), ==, 40);
  g_assert_cmpstr(app_json_get_text(shown.text, "patient_name"), ==, NAME);
  g_assert_cmpstr(app_json_get_text(shown.text, "sop_instance_uid"), ==, "1.2.3.4.6");
  /* One patient, one key: erased together. */
  g_assert_cmpint(shown.subject, ==, import.subject);
}

/* Two looks at one series are two; one that is under way at the end of the program is told. */
static void
test_looks(Fixture *f, gconstpointer data)
{
  AppStudy *study = open_study(f);
  g_auto(Found) shown = {0};

  look(f, study, 0, 300);
  app_notes_looks_begin(f->notes);
  app_notes_looks_end(f->notes);
  look(f, study, 1, 300);
  app_study_free(study);
  close_and_verify(f);
  shown = find(f, "shown", NULL);
  g_assert_cmpuint(shown.n, ==, 2);
  g_assert_cmpstr(field(shown.body, "first"), ==, "2");
}

static void
test_setting(Fixture *f, gconstpointer data)
{
  g_auto(Found) setting = {0}, log = {0};

  app_notes_setting(f->notes, "threads", "0", "1", FALSE);
  app_notes_setting(f->notes, "threads", "1", "2", FALSE);
  app_notes_setting(f->notes, "style", "dark", "light", FALSE);
  app_notes_setting(f->notes, "style", "light", "dark", FALSE); /* back: nothing changed */
  close_and_verify(f);
  setting = find(f, "setting", "change");
  g_assert_cmpuint(setting.n, ==, 1);
  g_assert_cmpstr(field(setting.body, "name"), ==, "threads");
  g_assert_cmpstr(field(setting.body, "before"), ==, "0");
  g_assert_cmpstr(field(setting.body, "value"), ==, "2");

  f->notes = app_notes_new(f->log);
  app_notes_setting(f->notes, "log", "/secretpath/a", "/secretpath/b", TRUE);
  close_and_verify(f);
  log = find(f, "setting", "change");
  g_assert_cmpuint(log.n, ==, 2);
  g_assert_null(field(log.body, "value"));
  g_assert_cmpstr(field(log.text, "before"), ==, "/secretpath/a");
  g_assert_cmpstr(field(log.text, "value"), ==, "/secretpath/b");
}

static void
test_viewed(Fixture *f, gconstpointer data)
{
  g_auto(Found) conversation = {0}, search = {0};

  app_notes_viewed(f->notes, "conversation", 7, NULL);
  app_notes_viewed(f->notes, "search", 0, "Need");
  app_notes_viewed(f->notes, "search", 0, "Needleword");
  close_and_verify(f);
  conversation = find(f, "viewed", "conversation");
  g_assert_cmpuint(conversation.n, ==, 1);
  g_assert_cmpstr(field(conversation.body, "conversation"), ==, "7");
  search = find(f, "viewed", "search");
  g_assert_cmpuint(search.n, ==, 1);
  g_assert_cmpstr(field(search.text, "words"), ==, "Needleword");
}

/* Of all studies, or of STUDY alone. */
static char *
export_as(const Fixture *f, const char *format, const char *file, const char *study)
{
  g_autofree char *out = g_build_filename(f->folder, study ? study : format, NULL);
  g_autofree char *path = g_build_filename(out, file, NULL);
  const char *const studies[] = {study, NULL};
  const AppExportOptions options = {.log_path = f->log,
                                    .format = format,
                                    .out = out,
                                    .studies = study ? studies : NULL,
                                    .patient = APP_PATIENT_FULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = app_export(&options, NULL, NULL, &error);
  char *text = NULL;

  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(path, &text, NULL, &error));
  return text;
}

/* What the events are to others: PS3.15 A.5.3, and BALP. */
static void
test_exported(Fixture *f, gconstpointer data)
{
  static const char *const parts[] = {"110107", "Source Media", STUDY,    "Secretfolder", "110103",
                                      "110113", "FILE-REFUSED", "110131", "110155",       ID};
  AppStudy *study = open_study(f);
  g_autofree char *xml = NULL, *fhir = NULL, *one = NULL, *other = NULL;

  look(f, study, 3, 300);
  app_study_free(study);
  app_notes_setting(f->notes, "threads", "0", "2", FALSE);
  close_and_verify(f);
  xml = export_as(f, "ps315", "audit-messages.xml", NULL);
  fhir = export_as(f, "balp", "audit-events.ndjson", NULL);
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_test_message("%s", parts[i]);
    g_assert_nonnull(strstr(xml, parts[i]));
    g_assert_nonnull(strstr(fhir, parts[i]));
  }
  g_assert_null(strstr(xml, "Event of the program"));
  one = export_as(f, "ps315", "audit-messages.xml", STUDY);
  g_assert_nonnull(strstr(one, "110107"));
  g_assert_nonnull(strstr(one, "110103"));
  g_assert_null(strstr(one, "110131"));
  other = export_as(f, "ps315", "audit-messages.xml", "1.2.3.4.5.6");
  g_assert_null(strstr(other, "110107"));
}

/* ---- reviews ------------------------------------------------------------------------------- */

static AppReview *
review_new(const Fixture *f, const char *image, GError **error)
{
  const AppImageChoice choice = {.path = image};
  const AppReviewOptions options = {.model = {.model = f->model},
                                    .log_path = f->log,
                                    .image = image ? &choice : NULL,
                                    .notes = f->notes};

  return app_review_new(&options, error);
}

/* In the window the program tells of itself once, whatever reviews come and go. */
static void
test_model(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_auto(Found) loaded = {0}, failed = {0}, start = {0};

  tiny_model_write(f->folder, f->model);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(AppReview) review = review_new(f, NULL, &error);
    g_autoptr(JsonNode) model = NULL;

    g_assert_no_error(error);
    model = app_review_model(review, &error);
    g_assert_no_error(error);
  }
  g_assert_cmpint(g_unlink(f->model), ==, 0);
  g_assert_null(review_new(f, NULL, &error));
  close_and_verify(f);
  start = find(f, "application", "start");
  g_assert_cmpuint(start.n, ==, 1);
  loaded = find(f, "loaded", NULL);
  g_assert_cmpuint(loaded.n, ==, 3);
  g_assert_true(loaded.failed);
  g_assert_nonnull(field(loaded.text, "reason"));
}

/* On the command line: what is opened, refused and loaded by a question. */
static void
test_alone(Fixture *f, gconstpointer data)
{
  static const AppQuestion question = {.question = "What is it?", .sampling = {.top_p = 1}};
  g_autofree char *image = g_build_filename(f->study, "03.dcm", NULL);
  g_autofree char *bad = g_build_filename(f->study, "secretfile.txt", NULL);
  g_autofree char *absent = g_build_filename(f->study, "nothing.dcm", NULL);
  g_autoptr(GError) error = NULL;
  g_auto(Found) import = {0}, refused = {0}, loaded = {0}, viewed = {0};
  AppReview *review;

  g_clear_pointer(&f->notes, app_notes_unref);
  tiny_model_write(f->folder, f->model);
  review = review_new(f, image, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(JsonNode) answer = app_review_ask(review, &question, NULL, NULL, &error);
    g_assert_no_error(error);
  }
  app_review_free(review);
  g_assert_null(review_new(f, bad, &error));
  g_clear_error(&error);
  g_assert_null(review_new(f, absent, &error)); /* a mistake, and no file that was refused */
  g_clear_error(&error);
  json_node_unref(app_log_list(f->log, 0, &error));
  json_node_unref(app_log_show(f->log, 1, &error));
  json_node_unref(app_log_search(f->log, "Needleword", 0, &error));
  close_and_verify(f);
  import = find(f, "import", NULL);
  g_assert_cmpuint(import.n, ==, 1);
  g_assert_cmpstr(app_json_get_text(import.text, "patient_id"), ==, ID);
  refused = find(f, "refused", NULL);
  g_assert_cmpuint(refused.n, ==, 1);
  loaded = find(f, "loaded", NULL);
  g_assert_cmpuint(loaded.n, ==, 1);
  g_assert_cmpuint(strlen(field(loaded.body, "sha256")), ==, 64);
  viewed = find(f, "viewed", NULL);
  g_assert_cmpuint(viewed.n, ==, 3);
  g_assert_cmpstr(field(viewed.text, "words"), ==, "Needleword");
}

/* ---- trouble ------------------------------------------------------------------------------- */

static void
on_trouble(const char *why, guint n, gpointer user)
{
  char **told = user;

  g_free(*told);
  *told = g_strdup(why ? why : "");
}

/* What cannot be written waits, is told of, and is written later; the last word is an error. */
static void
test_trouble(Fixture *f, gconstpointer data)
{
  g_autofree char *foreign = g_build_filename(f->folder, "foreign", NULL);
  g_autofree char *told = NULL;
  AppNotes *notes;

  g_assert_true(g_file_set_contents(foreign, "a file that is no log", -1, NULL));
  notes = app_notes_new(foreign);
  app_notes_set_listener(notes, on_trouble, &told);
  app_notes_viewed(notes, "list", 0, NULL);
  wait_until(told);
  g_assert_cmpstr(told, !=, "");
  g_assert_false(app_notes_are_written(notes));
  g_assert_cmpint(g_unlink(foreign), ==, 0);
  app_notes_try_again(notes);
  wait_until(strcmp(told, "") == 0);
  wait_until(app_notes_are_written(notes));
  app_notes_unref(notes);
}

static char *
answer(gboolean again, gpointer passphrase, GError **error)
{
  return g_strdup(passphrase);
}

/* While the log is locked nothing is kept, as the window says; once it is open, it says how much
 * was not. */
static void
test_locked(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  g_auto(Found) lost = {0}, viewed = {0};

  g_clear_pointer(&f->notes, app_notes_unref);
  app_set_ask_passphrase(answer, "right");
  node = app_log_protect(f->log, "passphrase", &error);
  g_assert_no_error(error);
  app_secrets_forget_passphrase();
  app_set_ask_passphrase(answer, "wrong");
  f->notes = app_notes_new(f->log);
  app_notes_viewed(f->notes, "list", 0, NULL);
  wait_until(app_notes_are_written(f->notes)); /* or given up */
  app_notes_viewed(f->notes, "list", 0, NULL);
  app_set_ask_passphrase(answer, "right");
  app_notes_try_again(f->notes);
  app_notes_viewed(f->notes, "conversation", 5, NULL);
  wait_until(app_notes_are_written(f->notes));
  g_clear_pointer(&node, json_node_unref);
  node = app_log_protect(f->log, "file", &error);
  g_assert_no_error(error);
  app_set_ask_passphrase(NULL, NULL);
  close_and_verify(f);
  viewed = find(f, "viewed", NULL);
  g_assert_cmpuint(viewed.n, ==, 1);
  lost = find(f, "application", "not-kept");
  g_assert_cmpuint(lost.n, ==, 1);
  g_assert_true(lost.failed);
  g_assert_cmpstr(field(lost.body, "events"), ==, "3");
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer user)
{
  GError **error = user;

  g_assert_false(app_notes_close_finish(NULL, result, error));
}

static void
test_lost(Fixture *f, gconstpointer data)
{
  g_autofree char *foreign = g_build_filename(f->folder, "foreign", NULL);
  g_autofree char *left = NULL;
  g_autoptr(GError) error = NULL;
  AppNotes *notes;

  g_assert_true(g_file_set_contents(foreign, "a file that is no log", -1, NULL));
  notes = app_notes_new(foreign);
  app_notes_close_async(notes, on_ended, &error);
  wait_until(error);
  g_assert_true(g_str_has_prefix(error->message, "2 events are not in the log"));
  app_notes_unref(notes);
  g_assert_true(g_file_get_contents(foreign, &left, NULL, NULL));
  g_assert_cmpstr(left, ==, "a file that is no log");
}

/* Without a log every call does nothing. */
static void
test_none(Fixture *f, gconstpointer data)
{
  app_notes_looks_begin(NULL);
  app_notes_looks_end(NULL);
  app_notes_setting(NULL, "a", "b", "c", FALSE);
  app_notes_viewed(NULL, "list", 0, NULL);
  app_notes_try_again(NULL);
  app_notes_set_listener(NULL, NULL, NULL);
  g_assert_true(app_notes_are_written(NULL));
  g_assert_null(app_notes_ref(NULL));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*test)(Fixture *f, gconstpointer data);
  } tests[] = {{"program", test_program}, {"opened", test_opened},     {"refused", test_refused},
               {"shown", test_shown},     {"looks", test_looks},       {"setting", test_setting},
               {"viewed", test_viewed},   {"exported", test_exported}, {"model", test_model},
               {"alone", test_alone},     {"trouble", test_trouble},   {"lost", test_lost},
               {"locked", test_locked},   {"none", test_none}};

  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/app/notes/%s", tests[i].name);
    g_test_add(path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  return g_test_run();
}
