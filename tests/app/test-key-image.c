/* test-key-image.c - marked images are counted, remembered for each study, and saved. */
#include <string.h>

#include "app_key_image.h"
#include "decoder.h"
#include "dicom_key_object.h"
#include "study.h"
#include "tiny.h"
#include "wait.h"

typedef struct {
  char *folder, *kept;
  AppStudy *study;
} Fixture;

typedef struct {
  gboolean done, ok;
  guint n;
  GError *error;
} Answer;

static void
write_image(const char *folder, const char *name, TinyDicom dicom)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);

  dicom.rows = dicom.columns = 8;
  dicom.patient_name = "DOE^JANE";
  tiny_dicom_write(path, &dicom);
}

static AppStudy *
open_study(const char *folder)
{
  g_autoptr(GError) error = NULL;
  AppStudy *study = app_study_open(folder, &error);

  g_assert_no_error(error);
  return study;
}

/* A stack of three, a cine of four, and an older study of one. */
static void
set_up(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
  f->kept = tiny_folder_new();
  for (guint i = 0; i < 3; i++) {
    g_autofree char *uid = g_strdup_printf("1.2.1.%u", i + 1);
    g_autofree char *name = g_strdup_printf("a%u.dcm", i);

    write_image(f->folder, name, (TinyDicom){.uid = uid, .z = i, .study_date = "20250101"});
  }
  write_image(
      f->folder, "cine.dcm",
      (TinyDicom){
          .uid = "1.2.2.1", .frames = 4, .series_uid = "1.2.3.201", .study_date = "20250101"});
  write_image(f->folder, "old.dcm",
              (TinyDicom){.uid = "1.2.4.1",
                          .series_uid = "1.2.3.301",
                          .study_uid = "1.2.3.300",
                          .study_date = "20240101"});
  f->study = open_study(f->folder);
  g_assert_cmpuint(app_study_n_series(f->study), ==, 3);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_clear_pointer(&f->study, app_study_free);
  tiny_folder_free(f->folder);
  tiny_folder_free(f->kept);
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->ok = app_study_load_keys_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static void
load(AppStudy *study, const char *kept)
{
  Answer answer = {0};

  app_study_load_keys_async(study, kept, NULL, on_loaded, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  g_assert_true(answer.ok);
}

static void
on_remembered(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->ok = app_study_remember_keys_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static void
remember(AppStudy *study)
{
  Answer answer = {0};

  app_study_remember_keys_async(study, on_remembered, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->n = app_study_save_keys_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static Answer
save(AppStudy *study, const char *path)
{
  Answer answer = {0};

  app_study_save_keys_async(study, path, NULL, on_saved, &answer);
  wait_until(answer.done);
  return answer;
}

static void
check_keys(AppStudy *study, guint series, const char *expected)
{
  g_autoptr(GArray) keys = app_study_keys(study, series);
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < keys->len; i++) {
    g_string_append_printf(text, "%s%u", i > 0 ? " " : "", g_array_index(keys, guint, i));
  }
  g_assert_cmpstr(text->str, ==, expected);
  g_assert_cmpuint(app_study_n_keys(study, series), ==, keys->len);
}

static void
test_marks(Fixture *f, gconstpointer data)
{
  check_keys(f->study, 1, "");
  app_study_set_key(f->study, 1, 2, TRUE);
  app_study_set_key(f->study, 1, 0, TRUE);
  app_study_set_key(f->study, 1, 0, TRUE);
  check_keys(f->study, 1, "0 2");
  g_assert_true(app_study_is_key(f->study, 1, 2));
  g_assert_false(app_study_is_key(f->study, 1, 1));
  g_assert_false(app_study_is_key(f->study, 2, 2));
  app_study_set_key(f->study, 1, 2, FALSE);
  app_study_set_key(f->study, 1, 1, FALSE);
  check_keys(f->study, 1, "0");
}

/* Series 0 is the older study's; the cine is the last. */
static void
test_remembered(Fixture *f, gconstpointer data)
{
  load(f->study, f->kept);
  check_keys(f->study, 1, "");
  app_study_set_key(f->study, 0, 0, TRUE);
  app_study_set_key(f->study, 1, 1, TRUE);
  app_study_set_key(f->study, 2, 0, TRUE);
  app_study_set_key(f->study, 2, 3, TRUE);
  remember(f->study);
  app_study_free(f->study);
  f->study = open_study(f->folder);
  check_keys(f->study, 1, "");
  load(f->study, f->kept);
  check_keys(f->study, 0, "0");
  check_keys(f->study, 1, "1");
  check_keys(f->study, 2, "0 3");

  /* None is remembered as well. */
  app_study_set_key(f->study, 1, 1, FALSE);
  app_study_set_key(f->study, 2, 0, FALSE);
  app_study_set_key(f->study, 2, 3, FALSE);
  remember(f->study);
  app_study_free(f->study);
  f->study = open_study(f->folder);
  load(f->study, f->kept);
  check_keys(f->study, 0, "0");
  check_keys(f->study, 1, "");
  check_keys(f->study, 2, "");
}

/* A mark that is set, and remembered, before the disk has told of those of before. */
static void
test_fast_hand(Fixture *f, gconstpointer data)
{
  Answer loaded = {0}, remembered = {0};

  load(f->study, f->kept);
  app_study_set_key(f->study, 1, 1, TRUE);
  remember(f->study);
  app_study_free(f->study);
  f->study = open_study(f->folder);
  g_mutex_lock(&f->study->key_lock);
  app_study_load_keys_async(f->study, f->kept, NULL, on_loaded, &loaded);
  app_study_set_key(f->study, 1, 2, TRUE);
  app_study_remember_keys_async(f->study, on_remembered, &remembered);
  g_mutex_unlock(&f->study->key_lock);
  wait_until(loaded.done && remembered.done);
  check_keys(f->study, 1, "1 2");
  app_study_free(f->study);
  f->study = open_study(f->folder);
  load(f->study, f->kept);
  check_keys(f->study, 1, "1 2");
}

static void
test_not_remembered(Fixture *f, gconstpointer data)
{
  g_autoptr(GDir) dir = NULL;

  load(f->study, NULL);
  app_study_set_key(f->study, 1, 1, TRUE);
  remember(f->study);
  dir = g_dir_open(f->kept, 0, NULL);
  g_assert_null(g_dir_read_name(dir));
}

/* Where nothing can be written, that is said, and the marks stay. */
static void
test_cannot_remember(Fixture *f, gconstpointer data)
{
  g_autofree char *file = g_build_filename(f->kept, "file", NULL);
  g_autofree char *folder = g_build_filename(file, "key-images", NULL);
  Answer answer = {0};

  g_assert_true(g_file_set_contents(file, "", 0, NULL));
  load(f->study, folder);
  app_study_set_key(f->study, 1, 1, TRUE);
  app_study_remember_keys_async(f->study, on_remembered, &answer);
  wait_until(answer.done);
  g_assert_false(answer.ok);
  g_assert_nonnull(strstr(answer.error->message, "key-images"));
  g_clear_error(&answer.error);
  check_keys(f->study, 1, "1");
}

static void
test_damaged(Fixture *f, gconstpointer data)
{
  static const char *const texts[] = {
      "{", "[]", "{\"key_images\": 3}",
      "{\"key_images\": [3, {\"sop_instance_uid\": 7, \"frames\": 1}, "
      "{\"sop_instance_uid\": \"1.2.2.1\", \"frames\": [0, -1, 99, \"x\", 2]}]}"};
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "1.2.3.100", -1);
  g_autofree char *name = g_strconcat(hash, ".json", NULL);
  g_autofree char *path = g_build_filename(f->kept, name, NULL);

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GError) error = NULL;
    AppStudy *study = open_study(f->folder);
    Answer answer = {0};

    g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
    app_study_load_keys_async(study, f->kept, NULL, on_loaded, &answer);
    wait_until(answer.done);
    g_assert_cmpint(answer.ok, ==, i >= 2);
    g_clear_error(&answer.error);
    check_keys(study, 2, i == 3 ? "1" : "");
    app_study_free(study);
  }
}

static void
test_saved(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "keys.dcm", NULL);
  g_autofree char *second = g_build_filename(f->folder, "keys-2.dcm", NULL);
  g_autoptr(DicomInfo) info = NULL;
  g_autoptr(GError) error = NULL;
  Answer answer = save(f->study, path);

  g_assert_error(answer.error, APP_ERROR, APP_ERROR_ARGUMENT);
  g_clear_error(&answer.error);
  app_study_set_key(f->study, 0, 0, TRUE);
  app_study_set_key(f->study, 1, 2, TRUE);
  app_study_set_key(f->study, 2, 1, TRUE);
  app_study_set_key(f->study, 2, 3, TRUE);
  answer = save(f->study, path);
  g_assert_no_error(answer.error);
  g_assert_cmpuint(answer.n, ==, 2);
  info = app_decoder_info(second, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(info->referenced_instances->len, ==, 2);

  /* They lie beside the images now, and say the same to who opens the folder. */
  app_study_free(f->study);
  f->study = open_study(f->folder);
  g_assert_cmpuint(app_study_n_documents(f->study), ==, 2);
  load(f->study, f->kept);
  check_keys(f->study, 0, "0");
  check_keys(f->study, 1, "2");
  check_keys(f->study, 2, "1 3");
}

/* Selections of others: one names frames of the cine, another names more, a third all of it. */
static void
test_of_others(Fixture *f, gconstpointer data)
{
  static const guint frames[2][2] = {{1, 3}, {3, 4}};
  static const char *const expected[] = {"0 2", "0 2 3", "0 1 2 3"};
  g_autofree char *image = g_build_filename(f->folder, "cine.dcm", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomInfo) info = app_decoder_info(image, NULL, &error);

  g_assert_no_error(error);
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    const DicomKeyImage key = {info->sop_class, info->sop_instance_uid, info->series_instance_uid,
                               i < 2 ? frames[i] : NULL, i < 2 ? 2 : 0};
    g_autofree char *name = g_strdup_printf("other-%u.dcm", i);
    g_autofree char *path = g_build_filename(f->folder, name, NULL);

    g_assert_true(dicom_key_object_write(path, info, &key, 1, &error));
    app_study_free(f->study);
    f->study = open_study(f->folder);
    load(f->study, NULL);
    check_keys(f->study, 1, "");
    check_keys(f->study, 2, expected[i]);
  }
}

static void
test_save_fails(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "nowhere", "keys.dcm", NULL);
  Answer answer;

  app_study_set_key(f->study, 1, 2, TRUE);
  answer = save(f->study, path);
  g_assert_error(answer.error, APP_ERROR, APP_ERROR_FAILED);
  g_clear_error(&answer.error);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/app/key-image/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  add("marks", test_marks);
  add("remembered", test_remembered);
  add("fast-hand", test_fast_hand);
  add("not-remembered", test_not_remembered);
  add("cannot-remember", test_cannot_remember);
  add("damaged", test_damaged);
  add("saved", test_saved);
  add("of-others", test_of_others);
  add("save-fails", test_save_fails);
  return g_test_run();
}
