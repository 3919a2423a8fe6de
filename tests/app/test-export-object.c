/* test-export-object.c - exports of a log as PDFs, structured reports and PDFs in DICOM, whole. */
#include "app_export.h"
#include "decoder.h"
#include "export-fixture.h"

typedef struct {
  ExportFixture export;
  char *log, *out;
} Fixture;

static gint64
add_turn(StoreLog *log, gint64 conversation, const StoreImage *image, const char *question,
         const char *answer)
{
  g_autoptr(GError) error = NULL;
  const gint64 id = store_log_add_image(log, image, &error);
  const StoreTurn turn = {.question = question,
                          .answer = answer,
                          .stop = "eos",
                          .max_tokens = 64,
                          .image = id,
                          .answer_form = "free"};
  gint64 added;

  g_assert_no_error(error);
  added = store_log_add_turn(log, conversation, &turn, &error);
  g_assert_no_error(error);
  return added;
}

static gint64
add_conversation(StoreLog *log)
{
  const StoreModel model = {.name = "demo",
                            .sha256 = "0123456789abcdef0123456789abcdef"
                                      "0123456789abcdef0123456789abcdef"};
  g_autoptr(GError) error = NULL;
  const gint64 id = store_log_add_model(log, &model, &error);
  gint64 added;

  g_assert_no_error(error);
  added = store_log_add_conversation(log, id, "0.1.0", 0, 0, &error);
  g_assert_no_error(error);
  return added;
}

/* A conversation about a CT slice, one about a PNG, one about slices of two patients. */
static void
set_up(Fixture *f, gconstpointer data)
{
  const StoreVerdict verdict = {"edited", "A granuloma.", "jdoe", "Jane Doe"};
  g_autofree char *png = NULL;
  g_autoptr(DicomPicture) picture = dicom_picture_new(20, 10);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  StoreImage other;
  gint64 turn, talk;

  export_set_up(&f->export);
  f->log = g_build_filename(f->export.folder, "log.sqlite", NULL);
  f->out = g_build_filename(f->export.folder, "out", NULL);
  png = g_build_filename(f->export.folder, "picture.png", NULL);
  g_assert_true(dicom_picture_write_png(picture, png, NULL));
  log = store_log_open(f->log, FALSE, &error);
  g_assert_no_error(error);
  turn = add_turn(log, add_conversation(log), &f->export.image, "A nodule?", "Yes, 8 mm.");
  g_assert_true(store_log_add_verdict(log, turn, &verdict, &error));
  other = export_image(&f->export, png, (AppWindow){0});
  add_turn(log, add_conversation(log), &other, "What is it?", "Noise.");
  talk = add_conversation(log);
  add_turn(log, talk, &f->export.image, "One?", "Yes.");
  other = f->export.image;
  other.patient_id = "ANOTHER";
  other.sop_instance_uid = "1.2.3.4";
  add_turn(log, talk, &other, "Two?", "No.");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_free(f->log);
  g_free(f->out);
  export_tear_down(&f->export);
}

static JsonObject *export(Fixture *f, const char *format, AppPatient patient, GError **error)
{
  const AppExportOptions options = {
      .log_path = f->log, .format = format, .out = f->out, .text = TRUE, .patient = patient};
  g_autoptr(JsonNode) node = app_export(&options, NULL, NULL, error);

  return node ? json_object_ref(json_node_get_object(node)) : NULL;
}

static void
assert_same_study(Fixture *f, const DicomInfo *info)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomInfo) source = app_decoder_info(f->export.image_path, NULL, &error);

  g_assert_no_error(error);
  g_assert_cmpstr(info->study_instance_uid, ==, source->study_instance_uid);
  g_assert_cmpstr(info->patient_name, ==, source->patient_name);
  g_assert_cmpstr(info->patient_id, ==, source->patient_id);
  g_assert_cmpstr(info->patient_sex, ==, source->patient_sex);
  g_assert_cmpstr(info->study_time, ==, source->study_time);
}

/* TOOL finds no error in PATH. */
static void
assert_valid(const char *tool, const char *path)
{
  g_autofree char *found = g_find_program_in_path(tool);
  g_autoptr(GSubprocess) process = NULL;
  g_autofree char *said = NULL;

  if (!found) {
    g_test_message("NOT VALIDATED: there is no %s", tool);
    return;
  }
  process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, NULL,
                             found, path, NULL);
  g_subprocess_communicate_utf8(process, NULL, NULL, &said, NULL, NULL);
  g_test_message("%s", said);
  g_assert_null(strstr(said, "Error"));
  g_assert_null(strstr(said, "E: "));
  g_assert_null(strstr(said, "dubious"));
}

static void
test_report(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->out, "conversation-1.dcm", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) report = export(f, "sr", APP_PATIENT_FULL, &error);
  g_autoptr(DicomInfo) info = NULL;
  g_autoptr(JsonNode) text = NULL;
  const char *words;

  g_assert_no_error(error);
  /* A PNG is of no study, and two patients have none together: both are told. */
  g_assert_cmpint(json_object_get_int_member(report, "left_out"), ==, 2);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(report, "files")), ==, 1);
  info = app_decoder_info(path, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpint(info->content, ==, DICOM_CONTENT_REPORT);
  assert_same_study(f, info);
  assert_valid("dciodvfy", path);
  assert_valid("dsrdump", path);
  text = app_image_text(path, &error);
  g_assert_no_error(error);
  words = json_object_get_string_member(json_node_get_object(text), "text");
  g_assert_nonnull(strstr(words, "Yes, 8 mm."));
  g_assert_nonnull(strstr(words, "A granuloma."));
  g_assert_nonnull(strstr(words, "sha256:0123456789abcdef"));
  g_assert_nonnull(strstr(words, f->export.image.sent_sha256));
}

static void
test_envelope(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->out, "conversation-1.dcm", NULL);
  g_autofree char *pdf = g_build_filename(f->export.folder, "again.pdf", NULL), *bytes = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) report = export(f, "encapsulated-pdf", APP_PATIENT_FULL, &error);
  g_autoptr(DicomInfo) info = NULL;
  g_autoptr(JsonNode) extracted = NULL;

  g_assert_no_error(error);
  info = app_decoder_info(path, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpint(info->content, ==, DICOM_CONTENT_PDF);
  assert_same_study(f, info);
  assert_valid("dciodvfy", path);
  extracted = app_image_extract(path, pdf, &error);
  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(pdf, &bytes, NULL, NULL));
  g_assert_true(g_str_has_prefix(bytes, "%PDF-1.5"));
}

/* Where the image's file is gone, the log says whose it was. */
static void
test_gone(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->out, "conversation-1.dcm", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) report = NULL;
  g_autoptr(DicomInfo) info = NULL;

  g_unlink(f->export.image_path);
  report = export(f, "sr", APP_PATIENT_FULL, &error);
  g_assert_no_error(error);
  info = app_decoder_info(path, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(info->study_instance_uid, ==, f->export.image.study_instance_uid);
  g_assert_cmpstr(info->patient_name, ==, f->export.image.patient_name);
  assert_valid("dciodvfy", path);
}

static void
test_pages(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) report = export(f, "pdf", APP_PATIENT_NONE, &error);

  g_assert_no_error(error);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(report, "files")), ==, 3);
  for (guint i = 1; i <= 3; i++) {
    g_autofree char *name = g_strdup_printf("conversation-%u.pdf", i);
    g_autofree char *path = g_build_filename(f->out, name, NULL), *bytes = NULL;

    g_assert_true(g_file_get_contents(path, &bytes, NULL, NULL));
    g_assert_true(g_str_has_prefix(bytes, "%PDF-1.5"));
  }
}

/* An object of a study without its patient would be nobody's. */
static void
test_refused(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  g_assert_null(export(f, "sr", APP_PATIENT_NONE, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/app/export-object/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_autofree char *config = tiny_folder_new();
  int status;

  g_setenv("XDG_CONFIG_HOME", config, TRUE);
  g_setenv("XDG_DATA_HOME", config, TRUE);
  g_test_init(&argc, &argv, NULL);
  add("report", test_report);
  add("envelope", test_envelope);
  add("gone", test_gone);
  add("pages", test_pages);
  add("refused", test_refused);
  status = g_test_run();
  tiny_folder_free(g_steal_pointer(&config));
  return status;
}
