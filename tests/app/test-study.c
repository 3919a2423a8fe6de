/* test-study.c - what the window shows from: the cache of frames, decoding ahead, views. */
#include "study.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "decoder-pool.h"
#include "shared.h"
#include "tiny.h"

#define WAIT_SECONDS 120
#define wait_until(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 wait_end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;                      \
    while (!(condition)) {                                                                         \
      if (!g_main_context_iteration(NULL, FALSE)) {                                                \
        g_usleep(1000);                                                                            \
      }                                                                                            \
      if (g_get_monotonic_time() > wait_end) {                                                     \
        g_error("line %d: waited in vain for " #condition, __LINE__);                              \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

/* ---- the cache alone ---------------------------------------------------------------------- */

static DicomFrame *
frame_new(guint size)
{
  const TinyDicom dicom = {.rows = size, .columns = size, .uid = "1.2.3", .instance = 1};
  g_autofree char *folder = tiny_folder_new();
  g_autofree char *path = g_build_filename(folder, "a.dcm", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = NULL;
  DicomFrame *frame;

  tiny_dicom_write(path, &dicom);
  file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  frame = dicom_file_read_frame(file, 0, &error);
  g_assert_no_error(error);
  tiny_folder_free(g_steal_pointer(&folder));
  return frame;
}

/* What decoding ahead would do; the images in their order, with commas. */
static char *
fill(AppFrameGroup *group, DicomFrame *frame)
{
  GString *order = g_string_new(NULL);
  guint index;

  while (app_frame_group_next(group, &index)) {
    g_string_append_printf(order, "%s%u", order->len ? "," : "", index);
    app_frame_group_put(group, index, frame, NULL);
    g_assert_cmpuint(app_frame_cache_use().n_bytes, <=, app_frame_cache_use().limit);
    g_assert_cmpuint(order->len, <, 10000);
  }
  return g_string_free(order, FALSE);
}

/* Which are there, with commas. */
static char *
ready(AppFrameGroup *group, guint n)
{
  GString *there = g_string_new(NULL);

  for (guint i = 0; i < n; i++) {
    DicomFrame *frame = NULL;
    AppFrameState state = app_frame_group_get(group, i, NULL, &frame, NULL);

    if (state == APP_FRAME_READY) {
      g_string_append_printf(there, "%s%u", there->len ? "," : "", i);
      dicom_frame_unref(frame);
    } else if (state == APP_FRAME_TO_DO) {
      app_frame_group_put(group, i, NULL, NULL);
    }
  }
  return g_string_free(there, FALSE);
}

#define assert_text(expression, expected)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *assert_text_is = expression;                                                  \
    g_assert_cmpstr(assert_text_is, ==, expected);                                                 \
  }                                                                                                \
  G_STMT_END

static void
test_order(void)
{
  g_autoptr(DicomFrame) frame = frame_new(16);
  AppFrameGroup *group = app_frame_group_new(12);

  app_frame_cache_set_limit(0);
  assert_text(fill(group, frame), ""); /* nobody looks */
  app_frame_group_focus(group, 5, 1);
  assert_text(fill(group, frame), "5,6,7,8,4,9,10,11,3,2,1,0");
  app_frame_group_free(group);
  group = app_frame_group_new(12);
  app_frame_group_focus(group, 5, -1);
  assert_text(fill(group, frame), "5,4,3,2,6,1,0,7,8,9,10,11");
  app_frame_group_free(group);
  group = app_frame_group_new(12);
  app_frame_group_focus(group, 5, 0);
  assert_text(fill(group, frame), "5,6,4,7,3,8,2,9,1,10,0,11");
  app_frame_group_free(group);
  g_assert_cmpuint(app_frame_cache_use().n_bytes, ==, 0);
  g_assert_cmpuint(app_frame_cache_use().n_frames, ==, 0);
}

static void
test_limit(void)
{
  g_autoptr(DicomFrame) frame = frame_new(16);
  AppFrameGroup *group = app_frame_group_new(1000);
  gsize bytes = dicom_frame_bytes(frame);

  /* As it is stored, and little more. */
  g_assert_cmpuint(bytes, >=, 16 * 16 * 2);
  g_assert_cmpuint(bytes, <, 16 * 16 * 2 + 1024);
  app_frame_cache_set_limit(10 * bytes + bytes / 2);
  app_frame_group_focus(group, 0, 1);
  assert_text(fill(group, frame), "0,1,2,3,4,5,6,7,8,9");
  g_assert_cmpuint(app_frame_cache_use().n_frames, ==, 10);
  /* A step back is as near as three ahead, and stays. A jump takes all; the other way round, behind
   * becomes ahead. */
  app_frame_group_focus(group, 1, 1);
  assert_text(fill(group, frame), "");
  app_frame_group_focus(group, 5, 1);
  assert_text(fill(group, frame), "10,11,12");
  assert_text(ready(group, 20), "3,4,5,6,7,8,9,10,11,12");
  app_frame_group_focus(group, 500, 1);
  assert_text(fill(group, frame), "500,501,502,503,499,504,505,506,498,507");
  app_frame_group_focus(group, 500, -1);
  assert_text(fill(group, frame), "497,496,495,494,493");
  assert_text(ready(group, 1000), "493,494,495,496,497,498,499,500,501,502");
  app_frame_group_free(group);
}

static void
test_too_large(void)
{
  g_autoptr(DicomFrame) frame = frame_new(16);
  AppFrameGroup *group = app_frame_group_new(3);

  app_frame_cache_set_limit(100);
  app_frame_group_focus(group, 1, 1);
  /* Tried once, and then known. */
  assert_text(fill(group, frame), "1");
  g_assert_false(app_frame_group_count(group).has_next);
  assert_text(ready(group, 3), "");
  g_assert_cmpuint(app_frame_cache_use().n_bytes, ==, 0);
  app_frame_group_free(group);
}

static void
test_groups(void)
{
  g_autoptr(DicomFrame) frame = frame_new(16);
  AppFrameGroup *a = app_frame_group_new(50), *b = app_frame_group_new(50);
  AppFrameGroup *c = app_frame_group_new(50);

  app_frame_cache_set_limit(10 * dicom_frame_bytes(frame));
  app_frame_group_focus(a, 0, 1);
  g_free(fill(a, frame));
  app_frame_group_leave(a);
  app_frame_group_focus(b, 0, 1);
  g_free(fill(b, frame));
  assert_text(ready(a, 50), "");
  assert_text(ready(b, 50), "0,1,2,3,4,5,6,7,8,9");
  /* Two in sight: to each what is nearest. */
  app_frame_group_focus(a, 20, 0);
  assert_text(fill(a, frame), "20,21,19,22,18,23");
  assert_text(ready(b, 50), "0,1,2,3");
  assert_text(fill(b, frame), "");
  /* Out of sight: the one that was left longest ago goes first, its farthest first. */
  app_frame_group_leave(b);
  app_frame_group_leave(a);
  app_frame_group_focus(c, 0, 1);
  for (guint i = 0, index; i < 3; i++) {
    g_assert_true(app_frame_group_next(c, &index));
    app_frame_group_put(c, index, frame, NULL);
  }
  assert_text(ready(a, 50), "19,20,21");
  app_frame_group_free(a);
  app_frame_group_free(b);
  app_frame_group_free(c);
}

static void
test_failed(void)
{
  g_autoptr(DicomFrame) frame = frame_new(16);
  g_autoptr(GError) corrupt = g_error_new(DICOM_ERROR, DICOM_ERROR_CORRUPT, "x: corrupt");
  g_autoptr(GError) gone = g_error_new(DICOM_ERROR, DICOM_ERROR_IO, "x: gone"), error = NULL;
  AppFrameGroup *group = app_frame_group_new(3);
  DicomFrame *found = NULL;
  guint index;

  app_frame_cache_set_limit(0);
  app_frame_group_focus(group, 0, 1);
  g_assert_true(app_frame_group_next(group, &index));
  app_frame_group_put(group, index, NULL, corrupt);
  g_assert_true(app_frame_group_next(group, &index));
  app_frame_group_put(group, index, NULL, gone);
  assert_text(fill(group, frame), "2");
  app_frame_group_focus(group, 1, 1);
  assert_text(fill(group, frame), "");
  g_assert_cmpuint(app_frame_group_count(group).n_failed, ==, 2);
  g_assert_cmpint(app_frame_group_get(group, 0, NULL, &found, &error), ==, APP_FRAME_FAILED);
  g_assert_cmpstr(error->message, ==, "x: corrupt");
  /* A file may be there again. */
  g_assert_cmpint(app_frame_group_get(group, 1, NULL, &found, NULL), ==, APP_FRAME_TO_DO);
  app_frame_group_put(group, 1, frame, NULL);
  g_assert_cmpuint(app_frame_group_count(group).n_ready, ==, 2);
  g_assert_cmpuint(app_frame_group_count(group).n_failed, ==, 1);
  app_frame_group_free(group);
}

typedef struct {
  AppFrameGroup *group;
  GCancellable *cancellable;
  AppFrameState state;
} Waiter;

static gpointer
wait_in_thread(gpointer data)
{
  Waiter *waiter = data;
  DicomFrame *frame = NULL;

  waiter->state = app_frame_group_get(waiter->group, 0, waiter->cancellable, &frame, NULL);
  if (frame) {
    dicom_frame_unref(frame);
  }
  return NULL;
}

/* Nobody decodes what another thread is decoding, and nobody waits for what he does not want. */
static void
test_in_work(void)
{
  g_autoptr(DicomFrame) frame = frame_new(16);
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  Waiter patient = {app_frame_group_new(1), NULL, APP_FRAME_TO_DO};
  Waiter hasty = {patient.group, cancellable, APP_FRAME_TO_DO};
  GThread *threads[2];
  guint index;

  app_frame_cache_set_limit(0);
  app_frame_group_focus(patient.group, 0, 1);
  g_assert_true(app_frame_group_next(patient.group, &index));
  g_assert_false(app_frame_group_next(patient.group, &index));
  threads[0] = g_thread_new("patient", wait_in_thread, &patient);
  threads[1] = g_thread_new("hasty", wait_in_thread, &hasty);
  g_cancellable_cancel(cancellable);
  g_thread_join(threads[1]);
  g_assert_cmpint(hasty.state, ==, APP_FRAME_FAILED);
  app_frame_group_put(patient.group, 0, frame, NULL);
  g_thread_join(threads[0]);
  g_assert_cmpint(patient.state, ==, APP_FRAME_READY);
  app_frame_group_free(patient.group);
}

/* The system is short of memory: half goes, then half of the rest and more. */
static void
test_relief(void)
{
  g_autoptr(DicomFrame) frame = frame_new(512);
  AppFrameGroup *group = app_frame_group_new(64);
  gsize bytes = dicom_frame_bytes(frame);

  app_frame_cache_set_limit(64 * bytes);
  app_frame_group_focus(group, 0, 1);
  g_free(fill(group, frame));
  g_assert_cmpuint(app_frame_cache_use().n_frames, ==, 64);
  app_frame_cache_relieve(G_MEMORY_MONITOR_WARNING_LEVEL_LOW);
  g_assert_cmpuint(app_frame_cache_use().n_frames, ==, 32);
  assert_text(fill(group, frame), "");
  app_frame_cache_relieve(G_MEMORY_MONITOR_WARNING_LEVEL_CRITICAL);
  g_assert_cmpuint(app_frame_cache_use().n_bytes, <=, 4 << 20);
  g_assert_cmpuint(app_frame_cache_use().n_frames, ==, (4 << 20) / bytes);
  app_frame_cache_set_limit(0);
  app_frame_group_free(group);
}

static void
test_default_limit(void)
{
  gsize quarter;

  app_frame_cache_set_limit(0);
  quarter = app_frame_cache_use().limit;
  g_assert_cmpuint(quarter, ==, (gsize)sysconf(_SC_PHYS_PAGES) / 4 * (gsize)sysconf(_SC_PAGESIZE));
  g_setenv("HILUM_CACHE_MB", "3", TRUE);
  app_frame_cache_set_limit(0);
  g_assert_cmpuint(app_frame_cache_use().limit, ==, 3 << 20);
  g_unsetenv("HILUM_CACHE_MB");
  app_frame_cache_set_limit(0);
  g_assert_cmpuint(app_frame_cache_use().limit, ==, quarter);
}

/* ---- studies ------------------------------------------------------------------------------ */

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
check_view(AppStudy *study, guint index, double center)
{
  const AppWindow window = {TRUE, center, 400};
  g_autoptr(GError) error = NULL;
  AppView *view = app_study_view(study, 0, index, &window, &error);

  g_assert_no_error(error);
  g_assert_cmpfloat(view->window.center, ==, center);
  /* The first pixels of all slices are alike; that they are those of this file is for its name. */
  g_assert_cmpuint(view->picture->width, ==, 48);
  g_assert_true(strstr(view->path, "slice-") != NULL);
  g_assert_cmpint(atoi(strstr(view->path, "slice-") + 6), ==, (int)index);
  app_view_free(view);
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
    check_view(f->study, i % N, 100 + i);
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
on_view(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(GError) error = NULL;
  AppView *view = app_study_view_finish(NULL, result, &error);
  char **out = data;

  *out = g_strdup(view ? view->label : error->message);
  g_clear_pointer(&view, app_view_free);
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
  app_study_view_async(f->study, 0, N - 1, NULL, NULL, on_view, &label);
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
  app_study_view_async(f->study, 0, 7, NULL, NULL, on_view, &label);
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
  app_study_view_async(f->study, 0, 7, NULL, cancellable, on_view, &label);
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
    g_assert_null(app_study_view(f->study, 0, 4, NULL, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, "slice-04.dcm"));
  }
  check_view(f->study, 5, 100);
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
  g_assert_null(app_study_view(f->study, 0, 4, NULL, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
  g_assert_nonnull(strstr(error->message, "slice-04.dcm"));
  g_assert_cmpuint(n_decoded(&f->log), ==, 0);
  g_unsetenv("HILUM_DECODE");
  check_view(f->study, 4, 100);
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

  check_view(f->study, 0, 100);
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
  check_view(f->study, 0, 100);
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
test_facts(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  AppView *view = app_study_view(f->study, 0, 3, NULL, &error);

  g_assert_no_error(error);
  g_assert_cmpstr(view->letters.left, ==, "R");
  g_assert_cmpstr(view->letters.right, ==, "L");
  g_assert_cmpstr(view->letters.top, ==, "A");
  g_assert_cmpstr(view->letters.bottom, ==, "P");
  g_assert_cmpstr(view->calibration, ==, "patient");
  g_assert_nonnull(view->warnings);
  app_view_free(view);
  /* Kept once where they are the same. */
  app_study_focus(f->study, 0, 4, 1);
  wait_loaded(f);
  AppStudySeries *series = f->study->series->pdata[0];
  g_assert_true(series->facts[3] == series->facts[4]);
}

static void
test_picture_facts(Fixture *f, gconstpointer data)
{
  g_autofree char *path = shared_path("corpus/dicom/cxr-bitmap");
  g_autoptr(GError) error = NULL;
  AppStudy *study;
  AppView *view;

  if (!path) {
    g_test_skip("no pictures");
    return;
  }
  study = open_study(path);
  view = app_study_view(study, 0, 0, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(view->letters.left, ==, "");
  g_assert_cmpstr(view->calibration, ==, "none");
  g_assert_nonnull(view->warnings[0]);
  app_view_free(view);
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
  g_test_add_func("/app/frame-cache/order", test_order);
  g_test_add_func("/app/frame-cache/limit", test_limit);
  g_test_add_func("/app/frame-cache/too-large", test_too_large);
  g_test_add_func("/app/frame-cache/groups", test_groups);
  g_test_add_func("/app/frame-cache/failed", test_failed);
  g_test_add_func("/app/frame-cache/in-work", test_in_work);
  g_test_add_func("/app/frame-cache/relief", test_relief);
  g_test_add_func("/app/frame-cache/default-limit", test_default_limit);
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
  add("facts", test_facts);
  add("picture-facts", test_picture_facts);
  add("summary", test_summary);
  add("documents", test_documents);
  return g_test_run();
}
