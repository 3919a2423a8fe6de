/* test-study.c - what the window shows from: decoding ahead, views, what the data say. */
#include "app_slice.h"
#include "study.h"

#include <string.h>
#include <unistd.h>

#include "decoder-pool.h"
#include "shared.h"
#include "tiny.h"
#include "wait.h"

typedef struct {
  GMutex lock;
  GCond changed;
  GString *decoded; /* "ahead 5", for each: "5", for the screen: "s5"; with commas */
  guint n;
  gboolean closed;  /* a gate in the way of decoding ahead, */
  guint n_pass;     /* that so many pass all the same */
  guint jump_after; /* and then to JUMP_TO; 0: never */
  guint jump_to;
  AppStudy *jumping;
} Log;

typedef struct {
  char *folder;
  AppStudy *study;
  Log log;
  guint n_told;
  AppStudyProgress told;
} Fixture;

#define N 30

static void
on_decode(guint series, guint index, gboolean ahead, gpointer data)
{
  Log *log = data;
  guint n;

  g_mutex_lock(&log->lock);
  g_string_append_printf(log->decoded, "%s%s%u", log->decoded->len ? "," : "", ahead ? "" : "s",
                         index);
  n = ++log->n;
  g_cond_broadcast(&log->changed);
  while (ahead && log->closed && log->n_pass == 0) {
    g_cond_wait(&log->changed, &log->lock);
  }
  log->n_pass -= ahead && log->n_pass > 0;
  g_mutex_unlock(&log->lock);
  if (n == log->jump_after) {
    app_study_focus(log->jumping, 0, log->jump_to, 0);
  }
}

static guint
n_decoded(Log *log)
{
  guint n;

  g_mutex_lock(&log->lock);
  n = log->n;
  g_mutex_unlock(&log->lock);
  return n;
}

static void
set_gate(Log *log, gboolean closed)
{
  g_mutex_lock(&log->lock);
  log->closed = closed;
  g_cond_broadcast(&log->changed);
  g_mutex_unlock(&log->lock);
}

static void
let_one_pass(Log *log)
{
  g_mutex_lock(&log->lock);
  log->n_pass = 1;
  g_cond_broadcast(&log->changed);
  g_mutex_unlock(&log->lock);
}

static void
on_progress(const AppStudyProgress *progress, gpointer data)
{
  Fixture *f = data;

  f->n_told++;
  f->told = *progress;
}

static char *
study_write(guint n)
{
  char *folder = tiny_folder_new();

  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("slice-%02u.dcm", i);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *uid = g_strdup_printf("1.2.3.4.%u", i + 1);
    const TinyDicom dicom = {.rows = 40,
                             .columns = 48,
                             .uid = uid,
                             .instance = (int)i + 1,
                             .z = i,
                             .window = "200\\400",
                             .series_description = "Axial"};
    tiny_dicom_write(path, &dicom);
  }
  return folder;
}

static AppStudy *
open_study(const char *folder)
{
  g_autoptr(GError) error = NULL;
  AppStudy *study = app_study_open(folder, &error);

  g_assert_no_error(error);
  return study;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  app_frame_cache_set_limit(0);
  app_prefetch_set_threads(0);
  f->folder = study_write(N);
  f->study = open_study(f->folder);
  g_mutex_init(&f->log.lock);
  g_cond_init(&f->log.changed);
  f->log.decoded = g_string_new(NULL);
  f->study->hook = on_decode;
  f->study->hook_user = &f->log;
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_clear_pointer(&f->study, app_study_free);
  app_decoder_stop();
  wait_until(app_frame_cache_use().n_bytes == 0); /* on a thread of its own */
  g_string_free(f->log.decoded, TRUE);
  tiny_folder_free(f->folder);
}

static void
wait_loaded(Fixture *f)
{
  app_study_set_listener(f->study, on_progress, f);
  app_study_note_progress(f->study);
  f->told.is_loading = TRUE;
  wait_until(!f->told.is_loading);
}

static void
check_slice(AppStudy *study, guint index, double center)
{
  const AppWindow window = {.set = TRUE, .center = center, .width = 400};
  const AppPlacement placement = {.width = 8, .height = 8};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppSlice) slice = app_study_slice(study, 0, index, NULL, &error);
  g_assert_no_error(error);
  g_autoptr(AppCanvas) canvas = app_slice_draw(slice, &window, &placement, &error);
  const AppSliceFacts *facts = app_slice_facts(slice);

  g_assert_no_error(error);
  /* The first pixels of all slices are alike; that they are those of this file is for its name. */
  g_assert_cmpuint(facts->width, ==, 48);
  g_assert_true(strstr(facts->path, "slice-") != NULL);
  g_assert_cmpuint(g_ascii_strtoull(strstr(facts->path, "slice-") + 6, NULL, 10), ==, index);
}

/* Scrolling through what has been decoded, at any window, decodes nothing. */
static void
test_scroll(Fixture *f, gconstpointer data)
{
  app_study_focus(f->study, 0, 0, 1);
  wait_loaded(f);
  g_assert_cmpuint(f->told.n_ready, ==, N);
  g_assert_cmpuint(f->told.n_images, ==, N);
  g_assert_cmpuint(n_decoded(&f->log), ==, N);
  for (guint i = 0; i < 3 * N; i++) {
    app_study_focus(f->study, 0, i % N, 1);
    check_slice(f->study, i % N, 100 + i);
  }
  g_assert_cmpuint(n_decoded(&f->log), ==, N);
}

static void
test_direction(Fixture *f, gconstpointer data)
{
  app_prefetch_set_threads(1);
  app_study_focus(f->study, 0, 10, 1);
  wait_loaded(f);
  g_assert_cmpstr(f->log.decoded->str, ==,
                  "10,11,12,13,9,14,15,16,8,17,18,19,7,20,21,22,6,23,24,25,5,26,27,28,4,29,3,2,1,"
                  "0");
}

/* After a jump nothing is decoded any more for where the hands were. */
static void
test_jump(Fixture *f, gconstpointer data)
{
  app_prefetch_set_threads(1);
  f->log.jumping = f->study;
  f->log.jump_after = 3;
  f->log.jump_to = 20;
  app_study_focus(f->study, 0, 2, 1);
  wait_loaded(f);
  g_assert_true(g_str_has_prefix(f->log.decoded->str, "2,3,4,20,21,19,22,18,"));
  g_assert_cmpuint(n_decoded(&f->log), ==, N);
}

static void
on_drawn(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(AppDrawn) drawn = app_study_draw_finish(NULL, result, &error);
  char **out = data;

  *out = g_strdup(drawn ? app_slice_facts(drawn->slice)->label : error->message);
}

/* *LABEL is set when it is done: what the picture is called, or what is wrong. */
static void
draw(AppStudy *study, guint index, GCancellable *cancellable, char **label)
{
  const AppDrawing drawing = {.index = index, .placement = {.width = 48, .height = 40}};

  app_study_draw_async(study, &drawing, cancellable, on_drawn, label);
}

/* With every helper at work ahead, the next one that is free is for the screen. */
static void
test_screen_first(Fixture *f, gconstpointer data)
{
  g_autofree char *label = NULL;
  guint n = app_decoder_n_helpers();
  g_auto(GStrv) order = NULL;

  set_gate(&f->log, TRUE);
  app_study_focus(f->study, 0, 0, 1);
  wait_until(n_decoded(&f->log) == n); /* all helpers are taken */
  draw(f->study, N - 1, NULL, &label);
  wait_until(app_helper_is_wanted());
  let_one_pass(&f->log);
  wait_until(n_decoded(&f->log) > n);
  set_gate(&f->log, FALSE);
  wait_until(label);
  g_assert_cmpstr(label, ==, "CT 30/30");
  wait_loaded(f);
  order = g_strsplit(f->log.decoded->str, ",", -1);
  g_assert_cmpstr(order[n], ==, "s29");
  g_assert_cmpuint(n_decoded(&f->log), ==, N);
}

/* What is decoded ahead anyway is waited for, and not decoded twice. */
static void
test_screen_waits(Fixture *f, gconstpointer data)
{
  g_autofree char *label = NULL;

  app_prefetch_set_threads(1);
  set_gate(&f->log, TRUE);
  app_study_focus(f->study, 0, 7, 1);
  wait_until(n_decoded(&f->log) == 1);
  draw(f->study, 7, NULL, &label);
  set_gate(&f->log, FALSE);
  wait_until(label);
  g_assert_cmpstr(label, ==, "CT 8/30");
  wait_loaded(f);
  g_assert_cmpuint(n_decoded(&f->log), ==, N);
}

static void
test_screen_cancelled(Fixture *f, gconstpointer data)
{
  g_autofree char *label = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new();

  app_prefetch_set_threads(1);
  set_gate(&f->log, TRUE);
  app_study_focus(f->study, 0, 7, 1);
  wait_until(n_decoded(&f->log) == 1);
  draw(f->study, 7, cancellable, &label);
  g_cancellable_cancel(cancellable);
  wait_until(label);
  set_gate(&f->log, FALSE);
  wait_loaded(f);
  g_assert_cmpuint(f->told.n_ready, ==, N);
  g_assert_cmpuint(f->told.n_failed, ==, 0);
}

/* A study that is closed costs the frame in work, and no other. */
static void
test_close(Fixture *f, gconstpointer data)
{
  AppStudy *study = app_study_ref(f->study);

  app_prefetch_set_threads(1);
  set_gate(&f->log, TRUE);
  app_study_focus(f->study, 0, 0, 1);
  wait_until(n_decoded(&f->log) == 1);
  g_clear_pointer(&f->study, app_study_free);
  set_gate(&f->log, FALSE);
  wait_until(g_atomic_int_get(&study->n_refs) == 1); /* the thread has let go */
  g_usleep(G_USEC_PER_SEC / 5);                      /* and would have gone on by now */
  g_assert_cmpuint(n_decoded(&f->log), ==, 1);
  app_study_unref(study);
}

static void
cut_file(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  GStatBuf status;

  g_assert_cmpint(g_stat(path, &status), ==, 0);
  g_assert_cmpint(truncate(path, status.st_size - 2000), ==, 0);
}

/* One that cannot be decoded has its message in its place; it is tried once, and the rest goes on.
 * Cut after the headers were read, as while a folder is still being copied. */
static void
test_error(Fixture *f, gconstpointer data)
{
  cut_file(f->folder, "slice-04.dcm");
  app_study_focus(f->study, 0, 0, 1);
  wait_loaded(f);
  g_assert_cmpuint(f->told.n_ready, ==, N - 1);
  g_assert_cmpuint(f->told.n_failed, ==, 1);
  for (guint i = 0; i < 3; i++) {
    g_autoptr(GError) error = NULL;

    app_study_focus(f->study, 0, i, 1);
    wait_loaded(f);
    g_assert_null(app_study_slice(f->study, 0, 4, NULL, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, "slice-04.dcm"));
  }
  check_slice(f->study, 5, 100);
  g_assert_cmpuint(n_decoded(&f->log), ==, N);
}

/* Where no helper can be had, no file is to blame. */
static void
test_no_helper(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  app_decoder_stop();
  g_setenv("HILUM_DECODE", "/nonexistent/hilum-decode", TRUE);
  app_study_focus(f->study, 0, 0, 1);
  g_assert_null(app_study_slice(f->study, 0, 4, NULL, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
  g_assert_nonnull(strstr(error->message, "slice-04.dcm"));
  g_assert_cmpuint(n_decoded(&f->log), ==, 0);
  g_unsetenv("HILUM_DECODE");
  check_slice(f->study, 4, 100);
  app_study_focus(f->study, 0, 0, 1);
  wait_loaded(f);
  g_assert_cmpuint(f->told.n_ready, ==, N);
  g_assert_cmpuint(f->told.n_failed, ==, 0);
}

/* Two windows share one limit, and each keeps what is nearest to it. */
static void
test_two_studies(Fixture *f, gconstpointer data)
{
  AppStudySeries *first = f->study->series->pdata[0], *second;
  AppStudy *other;
  DicomFrame *frame;

  check_slice(f->study, 0, 100);
  g_assert_cmpint(app_frame_group_get(first->frames, 0, NULL, &frame, NULL), ==, APP_FRAME_READY);
  app_frame_cache_set_limit(20 * dicom_frame_bytes(frame));
  dicom_frame_unref(frame);
  app_study_focus(f->study, 0, 0, 1);
  wait_loaded(f);
  g_assert_cmpuint(app_frame_group_count(first->frames).n_ready, ==, 20);
  other = open_study(f->folder);
  second = other->series->pdata[0];
  app_study_focus(other, 0, 0, 1);
  wait_until(app_frame_group_count(second->frames).n_ready == 10 &&
             app_frame_group_count(second->frames).n_in_work == 0);
  g_assert_cmpuint(app_frame_group_count(first->frames).n_ready, ==, 10);
  g_assert_cmpuint(app_frame_cache_use().n_bytes, <=, app_frame_cache_use().limit);
  app_study_free(other);
}

/* The series that is left makes room for the one that is looked at. */
static void
test_two_series(Fixture *f, gconstpointer data)
{
  const TinyDicom cine = {
      .rows = 40, .columns = 48, .frames = 25, .uid = "1.2.3.9", .instance = 99, .z = 99};
  g_autofree char *path = g_build_filename(f->folder, "cine.dcm", NULL);
  AppStudy *study;
  guint slices = 0;
  gsize bytes;

  tiny_dicom_write(path, &cine);
  study = open_study(f->folder);
  g_assert_cmpuint(app_study_n_series(study), ==, 2);
  slices = app_study_series(study, 1)->n_images == N;
  check_slice(f->study, 0, 100);
  bytes = app_frame_cache_use().n_bytes;
  app_frame_cache_set_limit(20 * bytes);
  AppStudySeries *a = study->series->pdata[slices], *b = study->series->pdata[1 - slices];
  app_study_focus(study, slices, 0, 1);
  wait_until(app_frame_group_count(a->frames).n_ready == 20);
  app_study_focus(study, 1 - slices, 0, 1);
  wait_until(app_frame_group_count(b->frames).n_ready == 20);
  g_assert_cmpuint(app_frame_group_count(a->frames).n_ready, ==, 0);
  app_study_free(study);
}

/* At most ten a second, and a last one. */
static void
test_progress(Fixture *f, gconstpointer data)
{
  gint64 start = g_get_monotonic_time(), ms;

  app_study_focus(f->study, 0, 0, 1);
  wait_loaded(f);
  ms = (g_get_monotonic_time() - start) / 1000;
  g_assert_cmpuint(f->n_told, >=, 1);
  g_assert_cmpint(f->n_told, <=, ms / 100 + 1);
  app_study_set_listener(f->study, NULL, NULL);
  f->n_told = 0;
  app_study_focus(f->study, 0, 3, 1);
  for (guint i = 0; i < 200; i++) {
    g_main_context_iteration(NULL, FALSE);
    g_usleep(1000);
  }
  g_assert_cmpuint(f->n_told, ==, 0);
}

/* ---- what the data say -------------------------------------------------------------------- */

static void
test_picture_facts(Fixture *f, gconstpointer data)
{
  g_autofree char *path = shared_path("corpus/dicom/cxr-bitmap");
  g_autoptr(GError) error = NULL;
  const AppSliceFacts *facts;
  AppStudy *study;

  if (!path) {
    g_test_skip("no pictures");
    return;
  }
  study = open_study(path);
  g_autoptr(AppSlice) slice = app_study_slice(study, 0, 0, NULL, &error);
  g_assert_no_error(error);
  facts = app_slice_facts(slice);
  g_assert_cmpstr(facts->letters.left, ==, "");
  g_assert_cmpstr(facts->calibration, ==, "");
  g_assert_cmpfloat(facts->mm_x, ==, 0);
  g_assert_nonnull(facts->warnings[0]);
  app_study_free(study);
}

static void
test_summary(Fixture *f, gconstpointer data)
{
  g_autofree char *bad = g_build_filename(f->folder, "bad.dcm", NULL);
  g_autofree char *gap = g_build_filename(f->folder, "slice-11.dcm", NULL);
  AppStudy *study;
  const AppSeriesInfo *info;
  guint n_refused = 0;

  g_assert_cmpstr(app_study_summary(f->study), ==, "30 of 30 files shown");
  g_assert_cmpuint(g_strv_length(app_study_series(f->study, 0)->notes), ==, 0);
  g_assert_true(g_file_set_contents(bad, "\x89PNG\r\n\x1a\n but no more", -1, NULL));
  g_assert_cmpint(g_remove(gap), ==, 0);
  study = open_study(f->folder);
  g_assert_cmpstr(app_study_summary(study), ==, "29 of 30 files shown, 1 refused");
  g_assert_true(g_str_has_prefix(app_study_refused(study, &n_refused), "bad.dcm: "));
  g_assert_cmpuint(n_refused, ==, 1);
  info = app_study_series(study, 0);
  g_assert_cmpuint(g_strv_length(info->notes), ==, 1);
  g_assert_nonnull(strstr(info->notes[0], "missing"));
  g_assert_cmpfloat(info->frame_time_ms, ==, 0);
  app_study_free(study);
}

/* Two studies of one patient and one of another: whose a series is, and what it shows. */
static void
test_tree(Fixture *f, gconstpointer data)
{
  static const TinyDicom images[] = {
      {.uid = "1.9.1",
       .study_uid = "1.8.2",
       .series_uid = "1.7.2",
       .study_date = "20250301",
       .patient_id = "A",
       .body_part = "CHEST",
       .view_position = "PA",
       .burned_in = "NO"},
      {.uid = "1.9.2",
       .study_uid = "1.8.1",
       .series_uid = "1.7.1",
       .study_date = "20240301",
       .patient_id = "A",
       .study_description = "Before",
       .class_uid = "1.2.840.10008.5.1.4.1.1.7"},
      {.uid = "1.9.3", .study_uid = "1.8.3", .series_uid = "1.7.3", .patient_id = "B"},
      {.uid = "1.9.4",
       .study_uid = "1.8.3",
       .series_uid = "1.7.3",
       .patient_id = "B",
       .z = 1,
       .burned_in = "YES"}};
  g_autofree char *folder = tiny_folder_new();
  const AppSeriesInfo *info;
  AppStudy *study;

  for (guint i = 0; i < G_N_ELEMENTS(images); i++) {
    g_autofree char *name = g_strdup_printf("%u.dcm", i);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    TinyDicom image = images[i];

    image.rows = image.columns = 8;
    image.patient_name = "DOE^JANE";
    tiny_dicom_write(path, &image);
  }
  study = open_study(folder);
  g_assert_cmpuint(app_study_n_series(study), ==, 3);
  info = app_study_series(study, 0);
  g_assert_cmpuint(info->patient, ==, 0);
  g_assert_cmpuint(info->study, ==, 0);
  g_assert_cmpstr(info->study_date, ==, "20240301");
  g_assert_cmpstr(info->study_description, ==, "Before");
  g_assert_cmpstr(info->view_position, ==, "");
  g_assert_cmpint(info->burned_in, ==, APP_BURNED_IN_MAYBE);
  info = app_study_series(study, 1);
  g_assert_cmpuint(info->patient, ==, 0);
  g_assert_cmpuint(info->study, ==, 1);
  g_assert_cmpstr(info->study_date, ==, "20250301");
  g_assert_cmpstr(info->body_part, ==, "CHEST");
  g_assert_cmpstr(info->view_position, ==, "PA");
  g_assert_cmpint(info->burned_in, ==, APP_BURNED_IN_NO);
  info = app_study_series(study, 2);
  g_assert_cmpuint(info->patient, ==, 1);
  g_assert_cmpuint(info->study, ==, 2);
  g_assert_cmpint(info->burned_in, ==, APP_BURNED_IN_YES);
  app_study_free(study);
  tiny_folder_remove(folder);
}

static void
test_documents(Fixture *f, gconstpointer data)
{
  const char *report = "/usr/lib/python3/dist-packages/pydicom/data/test_files/reportsi.dcm";
  g_autoptr(GError) error = NULL;
  AppStudy *study;

  if (!g_file_test(report, G_FILE_TEST_EXISTS)) {
    g_test_skip("python3-pydicom is not there");
    return;
  }
  /* Nothing but a document is a study, too. */
  study = open_study(report);
  g_assert_cmpuint(app_study_n_series(study), ==, 0);
  g_assert_cmpuint(app_study_n_documents(study), ==, 1);
  g_assert_true(app_study_document(study, 0)->has_text);
  g_assert_false(app_study_document(study, 0)->is_pdf);
  g_assert_cmpstr(app_study_document(study, 0)->title, !=, "");
  g_assert_nonnull(strstr(app_study_document(study, 0)->kind, "SR"));
  g_assert_cmpstr(app_study_summary(study), ==, "1 of 1 file shown");
  app_study_free(study);
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/app/study/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_unsetenv("HILUM_CACHE_MB");
  g_test_init(&argc, &argv, NULL);
  add("scroll", test_scroll);
  add("direction", test_direction);
  add("jump", test_jump);
  add("screen-first", test_screen_first);
  add("screen-waits", test_screen_waits);
  add("screen-cancelled", test_screen_cancelled);
  add("close", test_close);
  add("error", test_error);
  add("no-helper", test_no_helper);
  add("two-studies", test_two_studies);
  add("two-series", test_two_series);
  add("progress", test_progress);
  add("picture-facts", test_picture_facts);
  add("summary", test_summary);
  add("tree", test_tree);
  add("documents", test_documents);
  return g_test_run();
}
