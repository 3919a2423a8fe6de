/* test-decoder.c - the pool of decoding helpers: the same pictures as in this process, and what
 * becomes of files whose helper dies, hangs or never starts. */
#include "decoder.h"
#include "app.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "dicom_remote.h"
#include "shared.h"
#include "tiny-pair.h"

static void
set_up(TinyPair *f, gconstpointer data)
{
  tiny_pair_write(f, 800, 700);
}

static void
tear_down(TinyPair *f, gconstpointer data)
{
  app_decoder_stop();
  tiny_pair_free(f);
}

/* ---- the same as in this process ---------------------------------------------------------- */

static void
check_info(const DicomInfo *a, const DicomInfo *b)
{
  g_autoptr(GBytes) x = dicom_info_pack(a), y = dicom_info_pack(b);

  g_assert_true(g_bytes_equal(x, y));
}

static void
check_frame(DicomFile *file, const char *path, guint index)
{
  g_autoptr(GError) error = NULL, here = NULL;
  g_autoptr(DicomFrame) a = dicom_file_read_frame(file, index, &here);
  g_autoptr(DicomFrame) b = app_decoder_frame(path, index, NULL, NULL, &error);

  g_assert_true(!a == !b);
  if (!a) {
    g_assert_cmpint(here->code, ==, error->code);
    g_assert_cmpstr(here->message, ==, error->message);
    return;
  }
  g_autoptr(GBytes) x = dicom_frame_pack(a), y = dicom_frame_pack(b);
  g_assert_true(g_bytes_equal(x, y));
  g_assert_cmpstr(dicom_frame_sha256(a), ==, dicom_frame_sha256(b));
  g_assert_cmpstr(dicom_frame_numpy_type(a), ==, dicom_frame_numpy_type(b));
  g_autoptr(DicomPicture) p = dicom_frame_render(a, NULL, NULL);
  g_autoptr(DicomPicture) q = dicom_frame_render(b, NULL, NULL);
  gsize n = (gsize)p->width * p->height * 3;
  g_assert_cmpmem(p->pixels, n, q->pixels, n);
}

static void
check_summary(DicomFile *file, const char *path)
{
  g_autoptr(GError) here = NULL, error = NULL;
  char md5[2][33];
  double low[2], high[2];
  gboolean a = dicom_file_pixel_summary(file, NULL, NULL, md5[0], &low[0], &high[0], &here);
  gboolean b = app_decoder_summary(path, md5[1], &low[1], &high[1], NULL, &error);

  g_assert_true(a == b);
  if (!a) {
    g_assert_cmpstr(here->message, ==, error->message);
    return;
  }
  g_assert_cmpstr(md5[0], ==, md5[1]);
  g_assert_cmpfloat(low[0], ==, low[1]);
  g_assert_cmpfloat(high[0], ==, high[1]);
}

static void
check_same(const char *path)
{
  g_autoptr(GError) here = NULL, error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &here);
  g_autoptr(DicomInfo) info = app_decoder_info(path, NULL, &error);

  g_autofree char *shown = g_filename_display_name(path);
  g_test_message("%s", shown);
  if (!file || !info) {
    g_assert_true(!file && !info);
    g_assert_cmpint(here->code, ==, error->code);
    g_assert_cmpstr(here->message, ==, error->message);
    return;
  }
  check_info(dicom_file_info(file), info);
  check_frame(file, path, 0);
  check_frame(file, path, info->frames - 1);
  check_frame(file, path, info->frames);
  if (info->frames <= 8) {
    check_summary(file, path);
  }
}

static void
test_same(TinyPair *f, gconstpointer data)
{
  g_autofree char *missing = g_build_filename(f->folder, "none.dcm", NULL);
  g_autofree char *junk = g_build_filename(f->folder, "junk", NULL);
  g_autofree char *odd = g_build_filename(f->folder, "umlaut-\xe4.dcm", NULL);
  g_autofree char *bytes = NULL;
  gsize n;

  g_assert_true(g_file_set_contents(junk, "no image", -1, NULL));
  g_assert_true(g_file_get_contents(f->ct, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(odd, bytes, (gssize)n, NULL));
  check_same(f->ct);
  check_same(f->cine);
  check_same(missing);
  check_same(junk);
  check_same(odd); /* no UTF-8 */
  check_same(f->folder);
  g_assert_cmpint(truncate(f->cine, 5000), ==, 0);
  check_same(f->cine);
}

/* Real files: all character sets, one or a few of everything else. */
static void
test_corpus(void)
{
  static const char *const folders[] = {
      "charsets", "colour",    "bits-luts",  "ts-matrix-ct", "other-codecs", "wg04-reference",
      "mr-nm-pt", "non-image", "cxr-bitmap", "htj2k",        "broken"};
  g_autofree char *root = shared_path("corpus/dicom");

  if (!root) {
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_autofree char *folder = g_build_filename(root, folders[i], NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint most = strcmp(folders[i], "charsets") == 0 ? G_MAXUINT : test_rounds(6);
    const char *name;

    for (guint n = 0; dir && n < most && (name = g_dir_read_name(dir)); n++) {
      g_autofree char *path = g_build_filename(folder, name, NULL);

      if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        check_same(path);
      }
    }
  }
  app_decoder_stop();
}

/* ---- helpers that die --------------------------------------------------------------------- */

/* Process ids of this process' helpers. */
static GArray *
find_helpers(void)
{
  GArray *found = g_array_new(FALSE, FALSE, sizeof(pid_t));
  g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(proc))) {
    g_autofree char *path = g_build_filename("/proc", name, "stat", NULL);
    g_autofree char *stat = NULL;
    pid_t pid = (pid_t)g_ascii_strtoll(name, NULL, 10);
    const char *end;
    int parent = 0;
    char state;

    if (pid > 0 && g_file_get_contents(path, &stat, NULL, NULL) && strstr(stat, "(hilum-decode)") &&
        (end = strrchr(stat, ')')) && sscanf(end, ") %c %d", &state, &parent) == 2 &&
        parent == getpid() && state != 'Z') {
      g_array_append_val(found, pid);
    }
  }
  return found;
}

static void
signal_helpers(int number)
{
  g_autoptr(GArray) pids = find_helpers();

  g_assert_cmpuint(pids->len, >, 0);
  for (guint i = 0; i < pids->len; i++) {
    g_assert_cmpint(kill(g_array_index(pids, pid_t, i), number), ==, 0);
  }
}

static void
must_read(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomInfo) info = app_decoder_info(path, NULL, &error);

  g_assert_no_error(error);
  g_assert_nonnull(info);
}

static gpointer
read_in_thread(gpointer path)
{
  GError *error = NULL;

  g_assert_null(app_decoder_info(path, NULL, &error));
  return error;
}

/* The helper is stopped, is asked, and is killed before it can answer. */
static void
test_killed(TinyPair *f, gconstpointer data)
{
  GThread *thread;
  g_autoptr(GError) error = NULL;

  must_read(f->ct);
  signal_helpers(SIGSTOP);
  thread = g_thread_new("reader", read_in_thread, f->cine);
  g_usleep(200000);
  signal_helpers(SIGKILL);
  error = g_thread_join(thread);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
  g_assert_nonnull(strstr(error->message, f->cine));
  g_assert_nonnull(strstr(error->message, "signal 9"));
  must_read(f->cine);
  must_read(f->ct);
}

/* One that ends while nobody asks it anything costs no file at all. */
static void
test_killed_idle(TinyPair *f, gconstpointer data)
{
  must_read(f->ct);
  signal_helpers(SIGKILL);
  g_usleep(50000);
  must_read(f->ct);
}

static void
test_late(TinyPair *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  gint64 before;

  must_read(f->ct);
  g_setenv("HILUM_DECODE_TIMEOUT_MS", "300", TRUE);
  signal_helpers(SIGSTOP);
  before = g_get_monotonic_time();
  error = read_in_thread(f->cine);
  g_assert_cmpint(g_get_monotonic_time() - before, >=, 290000);
  g_unsetenv("HILUM_DECODE_TIMEOUT_MS");
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
  g_assert_nonnull(strstr(error->message, f->cine));
  g_assert_nonnull(strstr(error->message, "too long"));
  must_read(f->cine);
}

static gpointer
cancel_later(gpointer cancellable)
{
  g_usleep(100000);
  g_cancellable_cancel(cancellable);
  return NULL;
}

static void
test_cancelled(TinyPair *f, gconstpointer data)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  g_autoptr(GError) error = NULL, again = NULL;
  GThread *thread;

  must_read(f->ct);
  signal_helpers(SIGSTOP);
  thread = g_thread_new("cancel", cancel_later, cancellable);
  g_assert_null(app_decoder_frame(f->cine, 0, NULL, cancellable, &error));
  g_thread_join(thread);
  g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  /* The answer is owed; a helper that goes on gives it, and it is nobody's. */
  signal_helpers(SIGCONT);
  must_read(f->ct);
  check_same(f->cine);
  g_assert_null(app_decoder_info(f->ct, cancellable, &again));
  g_assert_error(again, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* ---- helpers that never were -------------------------------------------------------------- */

static void
test_no_program(TinyPair *f, gconstpointer data)
{
  g_autofree char *program = g_strdup(g_getenv("HILUM_DECODE"));
  g_autofree char *nowhere = g_build_filename(f->folder, "nowhere", NULL);
  g_autoptr(GError) error = NULL;

  app_decoder_stop();
  g_setenv("HILUM_DECODE", nowhere, TRUE);
  g_assert_null(app_decoder_info(f->ct, NULL, &error));
  g_setenv("HILUM_DECODE", program, TRUE);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
  g_assert_nonnull(strstr(error->message, nowhere));
  g_assert_nonnull(strstr(error->message, f->ct));
  must_read(f->ct);
}

/* A program that ends at once is not started for every file of a folder. */
static void
test_crash_loop(TinyPair *f, gconstpointer data)
{
  g_autofree char *program = g_strdup(g_getenv("HILUM_DECODE"));
  g_autofree char *broken = g_build_filename(f->folder, "broken.sh", NULL);
  g_autofree char *count = g_build_filename(f->folder, "count", NULL);
  g_autofree char *text = g_strdup_printf("#!/bin/sh\necho x >>'%s'\nexit 3\n", count);
  g_autofree char *lines = NULL;

  app_decoder_stop();
  g_assert_true(g_file_set_contents_full(broken, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
  g_setenv("HILUM_DECODE", broken, TRUE);
  for (guint i = 0; i < 50; i++) {
    g_autoptr(GError) error = NULL;

    g_assert_null(app_decoder_info(f->ct, NULL, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
    g_assert_nonnull(strstr(error->message, "exit status 3"));
    g_assert_nonnull(strstr(error->message, f->ct));
  }
  g_assert_true(g_file_get_contents(count, &lines, NULL, NULL));
  g_assert_cmpuint(strlen(lines), <, 2 * 10);
  g_setenv("HILUM_DECODE", program, TRUE);
  g_usleep(2100000); /* after a pause it is tried again */
  must_read(f->ct);
  g_unlink(broken);
  g_unlink(count);
}

/* ---- many at once ------------------------------------------------------------------------- */

typedef struct {
  GPtrArray *paths;
  gint next, failed;
} Many;

static gpointer
read_many(gpointer data)
{
  Many *many = data;
  gint i;

  while ((i = g_atomic_int_add(&many->next, 1)) < (gint)many->paths->len) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DicomFrame) frame = app_decoder_frame(many->paths->pdata[i], 0, NULL, NULL, &error);
    double value;

    if (!frame || !dicom_frame_value(frame, 1, 0, &value) || value != 7 - 100 + i) {
      g_atomic_int_inc(&many->failed);
    }
  }
  return NULL;
}

/* Each file has its own values, so that an answer that went astray is seen. */
static void
test_many(TinyPair *f, gconstpointer data)
{
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  Many many = {paths, 0, 0};
  GThread *threads[4];

  for (int i = 0; i < 200; i++) {
    g_autofree char *name = g_strdup_printf("many-%d.dcm", i);
    char *path = g_build_filename(f->folder, name, NULL);
    const TinyDicom d = {.rows = 3, .columns = 4, .uid = "1.2.3.9", .instance = i};
    g_autofree char *bytes = NULL;
    gsize n;

    tiny_dicom_write(path, &d);
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    guint8 *second = (guint8 *)bytes + n - 3 * 4 * 2 + 2;
    second[0] = (guint8)(7 + i);
    second[1] = (guint8)((7 + i) >> 8);
    g_assert_true(
        g_file_set_contents_full(path, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    g_ptr_array_add(paths, path);
  }
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
    threads[i] = g_thread_new("many", read_many, &many);
  }
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
    g_thread_join(threads[i]);
  }
  g_assert_cmpint(many.failed, ==, 0);
  g_autoptr(GArray) helpers = find_helpers();
  g_assert_cmpuint(helpers->len, <=, app_decoder_n_helpers());
}

/* ---- scanning ----------------------------------------------------------------------------- */

static void
check_scans(const DicomScan *a, const DicomScan *b)
{
  g_assert_cmpuint(a->n_files, ==, b->n_files);
  g_assert_cmpuint(a->n_images, ==, b->n_images);
  g_assert_cmpuint(a->documents->len, ==, b->documents->len);
  g_assert_cmpuint(a->refused->len, ==, b->refused->len);
  for (guint i = 0; i < a->refused->len; i++) {
    g_assert_cmpstr(a->refused->pdata[i], ==, b->refused->pdata[i]);
  }
  g_assert_cmpuint(a->series->len, ==, b->series->len);
  for (guint i = 0; i < a->series->len; i++) {
    const DicomSeries *x = a->series->pdata[i], *y = b->series->pdata[i];

    g_assert_cmpstr(x->series_instance_uid, ==, y->series_instance_uid);
    g_assert_cmpuint(x->items->len, ==, y->items->len);
    for (guint k = 0; k < x->items->len; k++) {
      const DicomSeriesItem *p = x->items->pdata[k], *q = y->items->pdata[k];

      g_assert_cmpstr(p->path, ==, q->path);
      g_assert_cmpfloat(p->along, ==, q->along);
    }
  }
}

static void
check_scan(const char *path)
{
  const char *const paths[] = {path, NULL};
  g_autoptr(GError) here = NULL, error = NULL;
  g_autoptr(DicomScan) a = dicom_scan(path, NULL, NULL, &here);
  g_autoptr(DicomScan) b = app_decoder_scan(paths, NULL, NULL, NULL, &error);

  g_assert_true(!a == !b);
  if (a) {
    check_scans(a, b);
  } else {
    g_assert_cmpstr(here->message, ==, error->message);
  }
}

static void
write_slices(TinyPair *f, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("slice-%u.dcm", i);
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_autofree char *uid = g_strdup_printf("1.2.3.7.%u", i);
    const TinyDicom d = {
        .rows = 4, .columns = 4, .uid = uid, .instance = (int)i, .z = (double)(i * 7 % n)};

    tiny_dicom_write(path, &d);
  }
}

static void
test_scan(TinyPair *f, gconstpointer data)
{
  g_autofree char *junk = g_build_filename(f->folder, "junk", NULL);
  g_autofree char *nowhere = g_build_filename(f->folder, "nowhere", NULL);

  g_assert_true(g_file_set_contents(junk, "no image", -1, NULL));
  write_slices(f, 60);
  check_scan(f->folder);
  check_scan(f->ct);
  check_scan(junk);
  check_scan(nowhere);
}

static void
test_scan_corpus(void)
{
  g_autofree char *root = shared_path("corpus/dicom");

  if (root) {
    check_scan(root);
    app_decoder_stop();
  }
}

typedef struct {
  guint calls, last, total;
  guint stop_at; /* files */
} Progress;

static gboolean
on_progress(guint done, guint total, gpointer user)
{
  Progress *progress = user;

  g_assert_true(total == 0 || done <= total);
  progress->calls++;
  progress->last = done;
  progress->total = total;
  return total == 0 || progress->stop_at == 0 || done < progress->stop_at;
}

static void
test_scan_progress(TinyPair *f, gconstpointer data)
{
  const char *const paths[] = {f->folder, NULL};
  Progress progress = {0}, stopping = {.stop_at = 1};
  g_autoptr(GError) error = NULL, again = NULL;
  g_autoptr(GCancellable) cancelled = g_cancellable_new();

  write_slices(f, 60);
  g_autoptr(DicomScan) scan = app_decoder_scan(paths, on_progress, &progress, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(progress.last, ==, 62);
  g_assert_cmpuint(progress.total, ==, 62);
  g_assert_cmpuint(progress.calls, <, 62);

  g_assert_null(app_decoder_scan(paths, on_progress, &stopping, NULL, &error));
  g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_cancellable_cancel(cancelled);
  g_assert_null(app_decoder_scan(paths, NULL, NULL, cancelled, &again));
  g_assert_error(again, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  must_read(f->ct);
}

/* Every helper is stopped with questions under way and killed: each costs one file, the others of
 * its questions are asked again. */
static gpointer
kill_later(gpointer data)
{
  g_usleep(300000);
  signal_helpers(SIGKILL);
  return NULL;
}

static void
test_scan_killed(TinyPair *f, gconstpointer data)
{
  const char *const paths[] = {f->folder, NULL};
  g_autoptr(GError) error = NULL;
  GThread *thread;

  write_slices(f, 60);
  app_decoder_stop();
  app_decoder_warm();
  must_read(f->ct);
  g_autoptr(DicomScan) whole = app_decoder_scan(paths, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(whole->refused->len, ==, 0);
  signal_helpers(SIGSTOP);
  thread = g_thread_new("kill", kill_later, NULL);
  g_autoptr(DicomScan) scan = app_decoder_scan(paths, NULL, NULL, NULL, &error);
  g_thread_join(thread);
  g_assert_no_error(error);
  g_assert_cmpuint(scan->n_files, ==, 62);
  g_assert_cmpuint(scan->refused->len, >=, 1);
  g_assert_cmpuint(scan->refused->len, <=, app_decoder_n_helpers());
  g_assert_nonnull(strstr(scan->refused->pdata[0], "signal 9"));
}

/* ---- the sandbox -------------------------------------------------------------------------- */

static gint n_warnings;

static void
count_warning(const char *text)
{
  g_atomic_int_inc(&n_warnings);
  g_assert_nonnull(strstr(text, "filter of system calls"));
}

static void
test_sandbox(TinyPair *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  DicomSandbox sandbox;

  app_set_warning(count_warning);
  g_assert_true(app_decoder_sandbox(&sandbox, &error));
  g_assert_no_error(error);
  if (!sandbox.filtered) {
    g_assert_cmpint(n_warnings, ==, 1);
    g_test_skip(sandbox.note);
    return;
  }
  g_assert_cmpstr(sandbox.note, ==, "");
  g_assert_true(sandbox.open_denied);
  g_assert_true(sandbox.write_denied);
  g_assert_true(sandbox.connect_denied);
  g_assert_true(sandbox.fork_denied);
  g_assert_cmpint(n_warnings, ==, 0);
  /* Trying it did no harm. */
  must_read(f->ct);
}

/* A kernel that knows no seccomp: files are read all the same, and it is said, once. */
static void
test_no_filter(TinyPair *f, gconstpointer data)
{
  g_autofree char *program = g_strdup(g_getenv("HILUM_DECODE"));
  const char *without = g_getenv("HILUM_NO_SECCOMP");
  g_autoptr(GError) error = NULL;
  DicomSandbox sandbox;

  g_assert_nonnull(without);
  app_decoder_stop();
  n_warnings = 0;
  app_set_warning(count_warning);
  g_setenv("HILUM_REAL_DECODE", program, TRUE);
  g_setenv("HILUM_DECODE", without, TRUE);
  must_read(f->ct);
  app_decoder_stop(); /* another helper, and no other warning */
  must_read(f->cine);
  g_assert_true(app_decoder_sandbox(&sandbox, &error));
  app_decoder_stop();
  g_setenv("HILUM_DECODE", program, TRUE);
  g_assert_false(sandbox.filtered);
  g_assert_cmpstr(sandbox.note, !=, "");
  g_assert_cmpint(n_warnings, ==, 1);
}

/* Helpers end when the application's end of the socket closes, and leave nothing behind. */
static void
test_stop(TinyPair *f, gconstpointer data)
{
  app_decoder_warm();
  must_read(f->ct);
  g_autoptr(GArray) before = find_helpers();
  g_assert_cmpuint(before->len, ==, app_decoder_n_helpers());
  app_decoder_stop();
  g_autoptr(GArray) after = find_helpers();
  g_assert_cmpuint(after->len, ==, 0);
  must_read(f->ct);
}

#define ADD(name, test) g_test_add("/decoder/" name, TinyPair, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("same", test_same);
  g_test_add_func("/decoder/corpus", test_corpus);
  ADD("killed", test_killed);
  ADD("killed-idle", test_killed_idle);
  ADD("late", test_late);
  ADD("cancelled", test_cancelled);
  ADD("no-program", test_no_program);
  ADD("crash-loop", test_crash_loop);
  ADD("many", test_many);
  ADD("scan", test_scan);
  g_test_add_func("/decoder/scan-corpus", test_scan_corpus);
  ADD("scan-progress", test_scan_progress);
  ADD("scan-killed", test_scan_killed);
  ADD("sandbox", test_sandbox);
  ADD("no-filter", test_no_filter);
  ADD("stop", test_stop);
  return g_test_run();
}
