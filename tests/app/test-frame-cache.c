/* test-frame-cache.c - the cache of frames alone: its order, its limit, who goes first. */
#include "frame-cache.h"

#include <string.h>
#include <unistd.h>

#include "tiny.h"

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
  return g_test_run();
}
