/* test-series.c - folders become series: grouping, order, refusals, links, cancelling. */
#include "build.h"
#include "dicom.h"
#include "shared.h"

#include <unistd.h>

typedef struct {
  const char *name, *series, *sop;
  const char *position, *orientation; /* NULL: absent */
  int number;                         /* 0: absent */
} Slice;

#define AXIAL "1\\0\\0\\0\\1\\0"
#define SAGITTAL "0\\1\\0\\0\\0\\-1"
/* Tilted by 30 degrees about x: the positions below move along y and z at once. */
#define TILTED "1\\0\\0\\0\\0.8660254\\-0.5"

static void
write_slice(const char *folder, const Slice *s)
{
  g_auto(Build) b = {0};
  const Shape shape = {1, 2, 0, 1, 16, 16, 15, 0, "MONOCHROME2", -1};
  const guint16 words[2] = {1, 2};
  g_autofree char *number = g_strdup_printf("%d", s->number);
  g_autofree char *path = g_build_filename(folder, s->name, NULL);

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
  build_text(&b, 0x00080018, "UI", s->sop);
  build_text(&b, 0x00080060, "CS", "CT");
  build_text(&b, 0x0008103e, "LO", "a series");
  build_text(&b, 0x0020000d, "UI", "1.9");
  build_text(&b, 0x0020000e, "UI", s->series);
  if (s->number) {
    build_text(&b, 0x00200013, "IS", number);
  }
  if (s->position) {
    build_text(&b, 0x00200032, "DS", s->position);
  }
  if (s->orientation) {
    build_text(&b, 0x00200037, "DS", s->orientation);
  }
  build_shape(&b, &shape);
  build_words(&b, 0x7fe00010, "OW", words, 2);
  g_assert_true(g_file_set_contents(path, (char *)b.bytes->data, b.bytes->len, NULL));
}

static char *
new_folder(const char *name)
{
  char *folder = g_build_filename(build_folder(), name, NULL);

  g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
  return folder;
}

static DicomScan *
scan(const char *path)
{
  g_autoptr(GError) error = NULL;
  DicomScan *found = dicom_scan(path, NULL, NULL, &error);

  g_assert_no_error(error);
  return found;
}

/* The names of the series' files in its order, joined by spaces. */
static char *
order(const DicomSeries *series)
{
  g_autoptr(GString) names = g_string_new(NULL);

  for (guint i = 0; i < series->items->len; i++) {
    const DicomSeriesItem *item = series->items->pdata[i];
    g_autofree char *base = g_path_get_basename(item->path);

    g_string_append_printf(names, "%s%s", i > 0 ? " " : "", base);
  }
  return g_strdup(names->str);
}

static void
expect_order(const char *name, const Slice *slices, guint n, gboolean geometry,
             const char *expected)
{
  g_autofree char *folder = new_folder(name);

  for (guint i = 0; i < n; i++) {
    write_slice(folder, &slices[i]);
  }
  g_autoptr(DicomScan) found = scan(folder);
  g_assert_cmpuint(found->n_files, ==, n);
  g_assert_cmpuint(found->refused->len, ==, 0);
  g_assert_cmpuint(found->series->len, ==, 1);
  const DicomSeries *series = found->series->pdata[0];
  g_autofree char *names = order(series);
  g_assert_cmpstr(names, ==, expected);
  g_assert_cmpint(series->sorted_by_geometry, ==, geometry);
  g_assert_cmpstr(series->modality, ==, "CT");
  g_assert_cmpstr(series->study_instance_uid, ==, "1.9");
  g_assert_cmpstr(series->series_description, ==, "a series");
}

/* Along the normal, whatever the numbers say. */
static void
test_geometry(void)
{
  const Slice axial[] = {{"a", "1.1", "1.1.1", "0\\0\\30", AXIAL, 1},
                         {"b", "1.1", "1.1.2", "0\\0\\-10.5", AXIAL, 2},
                         {"c", "1.1", "1.1.3", "0\\0\\10", AXIAL, 3}};
  /* Normal of (0,1,0) x (0,0,-1): -x. */
  const Slice sagittal[] = {{"a", "1.1", "1.1.1", "1\\0\\0", SAGITTAL, 1},
                            {"b", "1.1", "1.1.2", "3\\0\\0", SAGITTAL, 2},
                            {"c", "1.1", "1.1.3", "2\\9\\9", SAGITTAL, 3}};
  const Slice tilted[] = {{"a", "1.1", "1.1.1", "0\\10\\17.3", TILTED, 1},
                          {"b", "1.1", "1.1.2", "0\\0\\0", TILTED, 2},
                          {"c", "1.1", "1.1.3", "0\\5\\8.6", TILTED, 3}};

  expect_order("axial", axial, 3, TRUE, "b c a");
  expect_order("sagittal", sagittal, 3, TRUE, "b c a");
  expect_order("tilted", tilted, 3, TRUE, "b c a");
}

/* Without a common geometry: InstanceNumber; without that: the path, 2 before 10. */
static void
test_numbers_and_names(void)
{
  const Slice scout[] = {{"a", "1.1", "1.1.1", "0\\0\\0", AXIAL, 3},
                         {"b", "1.1", "1.1.2", "0\\0\\5", SAGITTAL, 1},
                         {"c", "1.1", "1.1.3", "0\\0\\9", AXIAL, 2}};
  const Slice same[] = {{"a", "1.1", "1.1.1", "0\\0\\5", AXIAL, 30},
                        {"b", "1.1", "1.1.2", "0\\0\\5", AXIAL, 4}};
  const Slice lost[] = {{"a", "1.1", "1.1.1", "0\\0\\5", AXIAL, 2},
                        {"b", "1.1", "1.1.2", NULL, NULL, 1}};
  const Slice names[] = {{"im10", "1.1", "1.1.1", NULL, NULL, 0},
                         {"im9", "1.1", "1.1.2", NULL, NULL, 0},
                         {"im2", "1.1", "1.1.3", NULL, NULL, 0}};
  const Slice broken[] = {{"a", "1.1", "1.1.1", "0\\0\\5", "0\\0\\0\\0\\0\\0", 2},
                          {"b", "1.1", "1.1.2", "0\\0\\6", "0\\0\\0\\0\\0\\0", 1}};

  expect_order("scout", scout, 3, FALSE, "b c a");
  expect_order("same", same, 2, FALSE, "b a");
  expect_order("lost", lost, 2, FALSE, "b a");
  expect_order("names", names, 3, FALSE, "im2 im9 im10");
  expect_order("broken", broken, 2, FALSE, "b a");
}

/* Two series in two folders, a letter, a report, a directory, a twin. */
static void
test_mixed_folder(void)
{
  g_autofree char *folder = new_folder("mixed");
  g_autofree char *below = new_folder("mixed/below");
  const Slice a = {"a", "1.1", "1.1.1", "0\\0\\2", AXIAL, 1};
  const Slice b = {"b", "1.1", "1.1.2", "0\\0\\1", AXIAL, 2};
  const Slice c = {"c", "1.2", "1.2.1", NULL, NULL, 1};
  const Slice twin = {"twin", "1.1", "1.1.1", "0\\0\\2", AXIAL, 1};

  write_slice(folder, &a);
  write_slice(below, &b);
  write_slice(below, &c);
  write_slice(below, &twin);
  g_autofree char *letter = g_build_filename(folder, "letter.txt", NULL);
  g_assert_true(g_file_set_contents(letter, "Dear colleague", -1, NULL));
  g_auto(Build) d = {0};
  build_start(&d, TS_EXPLICIT);
  build_text(&d, 0x00080016, "UI", "1.2.840.10008.1.3.10");
  g_autofree char *dicomdir = g_build_filename(folder, "DICOMDIR", NULL);
  g_assert_true(g_file_set_contents(dicomdir, (char *)d.bytes->data, d.bytes->len, NULL));

  g_autoptr(DicomScan) found = scan(folder);
  g_assert_cmpuint(found->n_files, ==, 6);
  g_assert_cmpuint(found->series->len, ==, 2);
  const DicomSeries *first = found->series->pdata[0];
  g_autofree char *names = order(first);
  g_assert_cmpstr(names, ==, "b a");
  const DicomSeriesItem *item = first->items->pdata[1];
  g_assert_cmpstr(item->sop_instance_uid, ==, "1.1.1");
  g_assert_cmpuint(item->frames, ==, 1);
  g_assert_true(item->has_position);
  g_assert_cmpfloat(item->along, ==, 2);
  /* A DICOMDIR is no image, whether it is known for what it is or not. */
  g_assert_cmpuint(found->n_images, ==, 3);
  g_assert_cmpuint(found->refused->len + found->documents->len, ==, 3);
  g_assert_cmpuint(found->refused->len, >=, 2);
  g_autofree char *all =
      g_strdup_printf("%s\n%s", (char *)found->refused->pdata[found->refused->len - 2],
                      (char *)found->refused->pdata[found->refused->len - 1]);
  g_test_message("%s", all);
  g_assert_nonnull(strstr(all, "mixed/letter.txt: is neither DICOM, JPEG nor PNG"));
  g_assert_nonnull(strstr(all, "below/twin: has the same SOPInstanceUID as "));
}

/* A link in a circle, one out of the folder, one to a file inside. */
static void
test_links(void)
{
  g_autofree char *folder = new_folder("links");
  g_autofree char *circle = g_build_filename(folder, "circle", NULL);
  g_autofree char *out = g_build_filename(folder, "out", NULL);
  g_autofree char *inside = g_build_filename(folder, "inside", NULL);
  g_autofree char *outside = new_folder("outside");
  const Slice a = {"a", "1.1", "1.1.1", NULL, NULL, 1};

  write_slice(folder, &a);
  write_slice(outside, &a);
  g_autofree char *target = g_build_filename(outside, "a", NULL);
  g_assert_cmpint(symlink(folder, circle), ==, 0);
  g_assert_cmpint(symlink(target, out), ==, 0);
  g_assert_cmpint(symlink("a", inside), ==, 0);
  g_autoptr(DicomScan) found = scan(folder);
  /* The file, the link to it, which is a twin, and two links that are not followed. */
  g_assert_cmpuint(found->n_files, ==, 4);
  g_assert_cmpuint(found->n_images, ==, 1);
  g_assert_cmpuint(found->series->len, ==, 1);
  g_assert_cmpuint(found->refused->len, ==, 3);
}

static void
test_single_files(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = new_folder("single");
  g_autofree char *missing = g_build_filename(folder, "missing", NULL);
  g_autofree char *path = g_build_filename(folder, "a", NULL);
  const Slice a = {"a", "1.1", "1.1.1", NULL, NULL, 1};

  g_autoptr(DicomScan) empty = scan(folder);
  g_assert_cmpuint(empty->n_files + empty->series->len + empty->refused->len, ==, 0);
  write_slice(folder, &a);
  g_autoptr(DicomScan) one = scan(path);
  g_assert_cmpuint(one->series->len, ==, 1);
  g_assert_null(dicom_scan(missing, NULL, NULL, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);

  /* Pictures stand alone, also two in one folder. */
  g_autofree char *pictures = new_folder("pictures");
  for (guint i = 0; i < 2; i++) {
    g_autoptr(DicomPicture) picture = dicom_picture_new(2, 2);
    g_autofree char *name = g_strdup_printf("%u.png", i);
    g_autofree char *png = g_build_filename(pictures, name, NULL);

    g_assert_true(dicom_picture_write_png(picture, png, NULL));
  }
  g_autoptr(DicomScan) two = scan(pictures);
  g_assert_cmpuint(two->series->len, ==, 2);
}

typedef struct {
  guint calls, stop_at, last_done, total;
} Counter;

static gboolean
count(guint done, guint total, gpointer user)
{
  Counter *counter = user;

  if (total > 0) { /* files are found before any is read */
    g_assert_cmpuint(done, <=, total);
    g_assert_true(done >= counter->last_done || counter->total == 0);
  }
  counter->last_done = done;
  counter->total = total;
  counter->calls++;
  return counter->calls != counter->stop_at;
}

static void
test_progress_and_cancel(void)
{
  g_autofree char *folder = new_folder("progress");
  Counter all = {0};

  for (guint i = 0; i < 5; i++) {
    g_autofree char *name = g_strdup_printf("f%u", i);
    g_autofree char *sop = g_strdup_printf("1.1.%u", i + 1);
    const Slice s = {name, "1.1", sop, NULL, NULL, (int)i + 1};

    write_slice(folder, &s);
  }
  g_autoptr(DicomScan) found = dicom_scan(folder, count, &all, NULL);
  g_assert_nonnull(found);
  g_assert_cmpuint(all.last_done, ==, 5);
  g_assert_cmpuint(all.total, ==, 5);
  /* Cancelled at the n-th call, for every n: an error each time, and nothing left over. */
  for (guint n = 1; n <= all.calls; n++) {
    g_autoptr(GError) error = NULL;
    Counter counter = {.stop_at = n};

    g_assert_null(dicom_scan(folder, count, &counter, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
    g_assert_cmpuint(counter.calls, ==, n);
  }
}

/* Real series, and their order against the numbers in the files' names. */
static void
test_real_series(void)
{
  g_autofree char *chest = shared_path("corpus/dicom/series-ct-chest-120-jpegls");
  gint64 start = g_get_monotonic_time();

  if (!chest) {
    return;
  }
  g_autoptr(DicomScan) found = scan(chest);
  g_test_message("%u headers in %.3f s", found->n_files,
                 (double)(g_get_monotonic_time() - start) / 1e6);
  g_assert_cmpuint(found->series->len, ==, 1);
  const DicomSeries *series = found->series->pdata[0];
  g_assert_cmpuint(series->items->len, >, 100);
  g_assert_true(series->sorted_by_geometry);
  for (guint i = 1; i < series->items->len; i++) {
    const DicomSeriesItem *a = series->items->pdata[i - 1], *b = series->items->pdata[i];

    g_assert_cmpfloat(a->along, <, b->along);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/series/geometry", test_geometry);
  g_test_add_func("/dicom/series/numbers-and-names", test_numbers_and_names);
  g_test_add_func("/dicom/series/mixed-folder", test_mixed_folder);
  g_test_add_func("/dicom/series/links", test_links);
  g_test_add_func("/dicom/series/single-files", test_single_files);
  g_test_add_func("/dicom/series/progress-and-cancel", test_progress_and_cancel);
  g_test_add_func("/dicom/series/real-series", test_real_series);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
