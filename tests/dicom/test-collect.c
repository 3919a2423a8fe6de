/* test-collect.c - headers in any order become one tree: patients, twins, documents, DICOMDIRs. */
#include "build.h"
#include "infos.h"
#include "shared.h"

/* The tree as text: "patient(study:series series ...)", where a series is its files in brackets. */
static char *
tree(const DicomScan *scan)
{
  g_autoptr(GString) text = g_string_new(NULL);

  info_check_scan(scan);
  for (guint p = 0; p < scan->patients->len; p++) {
    const DicomPatient *patient = scan->patients->pdata[p];

    g_string_append_printf(text, "%s%s/%s(", p > 0 ? " " : "", patient->name, patient->patient_id);
    for (guint s = 0; s < patient->studies->len; s++) {
      const DicomStudy *study = patient->studies->pdata[s];

      g_string_append_printf(text, "%s%s:", s > 0 ? " " : "", study->study_instance_uid);
      for (guint i = 0; i < study->series->len; i++) {
        g_autofree char *order = info_order(study->series->pdata[i]);
        g_string_append_printf(text, "[%s]", order);
      }
      for (guint i = 0; i < study->documents->len; i++) {
        const DicomDocument *document = study->documents->pdata[i];
        g_string_append_printf(text, "<%s>", document->path);
      }
    }
    g_string_append_c(text, ')');
  }
  return g_strdup(text->str);
}

typedef struct {
  const char *path, *name, *id, *study, *date, *series;
  gint number;
  DicomContent content;
} File;

static DicomInfo *
file_info(const File *file)
{
  DicomInfo *info = info_new(file->path);

  info_set(&info->patient_name, file->name);
  info_set(&info->patient_id, file->id);
  info_set(&info->study_instance_uid, file->study);
  info_set(&info->study_date, file->date);
  info_set(&info->series_instance_uid, file->series);
  info->series_number = file->number;
  info->content = file->content;
  return info;
}

/* Whatever the order in which they come. */
static void
expect_tree(const File *files, guint n, const char *expected)
{
  for (guint turn = 0; turn < n; turn++) {
    DicomCollector *collector = dicom_collector_new();

    for (guint i = 0; i < n; i++) {
      info_collect(collector, file_info(&files[(i * 5 + turn) % n]));
    }
    g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
    g_autofree char *text = tree(scan);
    g_assert_cmpstr(text, ==, expected);
  }
}

static void
test_tree(void)
{
  const File files[] = {
      {"f1", "Roe^Mary", "8", "1.5", "20200101", "1.5.1", 1, DICOM_CONTENT_IMAGE},
      {"f2", "Doe^Jane", "7", "1.4", "20210101", "1.4.2", 2, DICOM_CONTENT_IMAGE},
      {"f3", "Doe^Jane", "7", "1.4", "20210101", "1.4.1", 1, DICOM_CONTENT_IMAGE},
      {"f10", "Doe^Jane", "7", "1.4", "20210101", "1.4.1", 1, DICOM_CONTENT_IMAGE},
      {"f4", "DOE^JANE^^", "7", "1.3", "20200101", "1.3.1", 1, DICOM_CONTENT_IMAGE},
      {"f5", "Doe^Jane", "7", "1.2", "", "1.2.1", 1, DICOM_CONTENT_IMAGE},
      {"f6", "Doe^Jane", "7", "1.4", "20210101", "1.4.9", 1, DICOM_CONTENT_REPORT},
  };

  /* Patients as first seen; studies by date, undated last; series by number. */
  expect_tree(files, G_N_ELEMENTS(files),
              "Roe^Mary/8(1.5:[f1]) Doe^Jane/7(1.3:[f4] 1.4:[f3 f10][f2]<f6> 1.2:[f5])");
}

/* One id for two persons, one study for two persons, nobody's objects. */
static void
test_identity(void)
{
  const File files[] = {
      {"a", "Doe^Jane", "7", "1.1", "", "1.1.1", 1, DICOM_CONTENT_IMAGE},
      {"b", "Roe^Mary", "7", "1.2", "", "1.2.1", 1, DICOM_CONTENT_IMAGE},
      {"c", "", "", "1.1", "", "1.1.2", 2, DICOM_CONTENT_REPORT},
      {"d", "", "7", "1.1", "", "1.1.3", 3, DICOM_CONTENT_IMAGE},
      {"e", "", "9", "1.1", "", "1.1.4", 4, DICOM_CONTENT_IMAGE},
      {"f", "", "", "1.3", "", "1.3.1", 1, DICOM_CONTENT_IMAGE},
      {"g", "", "", "1.4", "", "1.4.1", 1, DICOM_CONTENT_IMAGE},
      {"h", "", "", "", "", "", 1, DICOM_CONTENT_IMAGE},
      {"i", "", "", "", "", "", 1, DICOM_CONTENT_IMAGE},
      {"k", "Anonymous", "", "1.5", "", "1.5.1", 1, DICOM_CONTENT_IMAGE},
      {"l", "Anonymous", "", "1.6", "", "1.6.1", 1, DICOM_CONTENT_IMAGE},
      {"m", "", "", "1.6", "", "1.6.2", 2, DICOM_CONTENT_IMAGE},
      /* A series that is in two patients is two series. */
      {"j", "Roe^Mary", "7", "1.1", "", "1.1.1", 1, DICOM_CONTENT_IMAGE},
  };

  expect_tree(files, G_N_ELEMENTS(files),
              "Doe^Jane/7(1.1:[a][d]<c>) Roe^Mary/7(1.1:[j] 1.2:[b]) /9(1.1:[e]) /(1.3:[f]) "
              "/(1.4:[g]) /(:[h][i]) Anonymous/(1.5:[k]) Anonymous/(1.6:[l]) /(1.6:[m])");
}

static void
test_twins(void)
{
  for (guint turn = 0; turn < 3; turn++) {
    DicomCollector *collector = dicom_collector_new();
    const char *const names[] = {"x/a", "x/b", "x/c"};

    for (guint i = 0; i < 3; i++) {
      DicomInfo *info = info_new(names[(i + turn) % 3]);
      info_set(&info->sop_instance_uid, "1.1.1");
      info_collect(collector, info);
    }
    /* The same path again is the same file, and objects without a UID are no twins. */
    DicomInfo *again = info_new("x/a");
    info_set(&again->sop_instance_uid, "1.1.1");
    info_collect(collector, again);
    for (guint i = 0; i < 2; i++) {
      DicomInfo *info = info_new(i ? "x/d" : "x/e");
      info_set(&info->sop_instance_uid, "");
      info_collect(collector, info);
    }
    g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
    g_autofree char *text = tree(scan);
    g_assert_cmpstr(text, ==, "Doe^Jane/7(1.9:[a d e])");
    g_assert_cmpuint(scan->n_files, ==, 5);
    g_assert_cmpstr(scan->refused->pdata[0], ==, "x/b: has the same SOPInstanceUID as x/a");
    g_assert_cmpstr(scan->refused->pdata[1], ==, "x/c: has the same SOPInstanceUID as x/a");
    g_assert_cmpstr(scan->refused_paths->pdata[1], ==, "x/c");
  }
}

static void
test_refusals(void)
{
  DicomCollector *collector = dicom_collector_new();

  dicom_collector_refuse(collector, "b: odd", "b: odd: is too large");
  dicom_collector_refuse(collector, "a", "is a letter");
  dicom_collector_refuse(collector, NULL, "c/d: is not a regular file");
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->n_files, ==, 3);
  g_assert_cmpstr(scan->refused->pdata[0], ==, "a: is a letter");
  g_assert_cmpstr(scan->refused->pdata[1], ==, "b: odd: is too large");
  g_assert_cmpstr(scan->refused_paths->pdata[1], ==, "b: odd");
  g_assert_cmpstr(scan->refused->pdata[2], ==, "c/d: is not a regular file");
  g_assert_cmpstr(scan->refused_paths->pdata[2], ==, "c/d");
}

static void
test_documents(void)
{
  DicomCollector *collector = dicom_collector_new();
  DicomInfo *state = info_new("state"), *directory = info_new("DICOMDIR");

  state->content = DICOM_CONTENT_PRESENTATION;
  info_set(&state->content_label, "LABEL");
  info_set(&state->content_description, "described");
  info_set(&state->content_name, "Grayscale Softcopy Presentation State Storage");
  g_ptr_array_add(state->referenced_instances, g_strdup("1.1.1"));
  info_collect(collector, state);
  directory->content = DICOM_CONTENT_DIRECTORY;
  info_collect(collector, directory);
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->n_files, ==, 2);
  g_assert_cmpuint(scan->n_images, ==, 0);
  g_assert_cmpuint(scan->patients->len, ==, 1); /* the state's; a DICOMDIR is nobody's */
  g_assert_cmpuint(scan->documents->len, ==, 2);
  const DicomDocument *document = scan->documents->pdata[1];
  g_assert_cmpint(document->content, ==, DICOM_CONTENT_PRESENTATION);
  g_assert_cmpstr(document->path, ==, "state");
  g_assert_cmpstr(document->title, ==, "described");
  g_assert_cmpstr(document->patient_id, ==, "7");
  g_assert_cmpuint(document->referenced_instances->len, ==, 1);
}

/* ---- DICOMDIR ----------------------------------------------------------------------------- */

static char *
touch(const char *name)
{
  char *path = g_build_filename(build_folder(), name, NULL);
  g_autofree char *above = g_path_get_dirname(path);

  g_assert_cmpint(g_mkdir_with_parents(above, 0700), ==, 0);
  g_assert_true(g_file_set_contents_full(path, "", 0, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  return path;
}

static void
add_directory(DicomCollector *collector, const char *path, const char *const *names)
{
  DicomInfo *info = info_new(path);

  info->content = DICOM_CONTENT_DIRECTORY;
  for (guint i = 0; names[i]; i++) {
    g_ptr_array_add(info->referenced_files, g_strdup(names[i]));
  }
  info_collect(collector, info);
}

static void
test_directory(void)
{
  const char *const names[] = {"IM/1", "IM/2", "IM/3", "IM/4", "../out", "IM/1", NULL};
  DicomCollector *collector = dicom_collector_new();
  g_autofree char *path = touch("disc/DICOMDIR"), *other = touch("disc/DICOMDIR.bak");
  g_autofree char *one = touch("disc/IM/1"), *second = touch("disc/IM/2.;1");
  g_autofree char *three = touch("disc/IM/3");
  g_autofree char *beside = touch("disc/beside"), *out = touch("out");

  add_directory(collector, path, names);
  add_directory(collector, other, names);
  info_collect(collector, info_new(beside));
  /* The first is known already, though by another spelling of its path; the third was refused. */
  g_autofree char *odd = g_build_filename(build_folder(), "disc", "..", "disc", "IM", "1", NULL);
  info_collect(collector, info_new(odd));
  dicom_collector_refuse(collector, three, "is damaged");
  g_autoptr(GPtrArray) wanted = dicom_collector_wanted(collector);
  g_assert_cmpuint(wanted->len, ==, 1);
  g_assert_cmpstr(wanted->pdata[0], ==, second);
  g_autoptr(GPtrArray) again = dicom_collector_wanted(collector);
  g_assert_cmpuint(again->len, ==, 0);
  info_collect(collector, info_new(wanted->pdata[0]));

  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->n_images, ==, 3);
  g_assert_cmpuint(scan->documents->len, ==, 2);
  g_autoptr(GString) refused = g_string_new(NULL);
  for (guint i = 0; i < scan->refused->len; i++) {
    g_string_append_printf(refused, "%s\n",
                           (char *)scan->refused->pdata[i] + strlen(build_folder()) + 1);
  }
  g_assert_cmpstr(refused->str, ==,
                  "disc/../out: DICOMDIR names ../out, which is no name within its folder\n"
                  "disc/IM/3: is damaged\n"
                  "disc/IM/4: DICOMDIR names IM/4, which is not there\n");
}

/* What was wanted and not read is not lost. */
static void
test_unread(void)
{
  const char *const names[] = {"IM1", NULL};

  for (guint asked = 0; asked < 2; asked++) {
    DicomCollector *collector = dicom_collector_new();
    g_autofree char *path = touch("unread/DICOMDIR"), *one = touch("unread/IM1");

    add_directory(collector, path, names);
    if (asked) {
      g_autoptr(GPtrArray) wanted = dicom_collector_wanted(collector);
      g_assert_cmpuint(wanted->len, ==, 1);
    }
    g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
    info_check_scan(scan);
    g_assert_cmpuint(scan->refused->len, ==, 1);
    g_assert_nonnull(
        strstr(scan->refused->pdata[0], "IM1: DICOMDIR names IM1, which was not read"));
  }
}

/* Ten thousand headers; the time is only told. */
static void
test_many(void)
{
  DicomCollector *collector = dicom_collector_new();
  DicomInfo *info = info_new("");
  gint64 start = g_get_monotonic_time();

  for (guint i = 0; i < 10000; i++) {
    info_place(info, 0, 0, (i * 7919) % 10000 % 500, 0);
    g_free(info->path);
    info->path = g_strdup_printf("folder/im%u", (i * 7919) % 10000);
    g_free(info->sop_instance_uid);
    info->sop_instance_uid = g_strdup_printf("1.2.%u", i);
    g_free(info->series_instance_uid);
    info->series_instance_uid = g_strdup_printf("1.3.%u", (i * 7919) % 10000 / 500);
    dicom_collector_add(collector, info);
  }
  dicom_info_free(info);
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  g_test_message("10000 headers in %.3f s", (double)(g_get_monotonic_time() - start) / 1e6);
  info_check_scan(scan);
  g_assert_cmpuint(scan->series->len, ==, 20);
  for (guint i = 0; i < 20; i++) {
    const DicomSeries *series = scan->series->pdata[i];
    g_assert_cmpuint(series->items->len, ==, 500);
    g_assert_cmpuint(series->notes->len, ==, 0);
    g_assert_cmpfloat(series->spacing, ==, 1);
  }
}

/* ---- real files --------------------------------------------------------------------------- */

/* A study in two folders, of which some files are the same. */
static void
test_real_twins(void)
{
  g_autofree char *chest = shared_path("corpus/dicom/series-ct-chest-120-jpegls");
  g_autofree char *raw = shared_path("corpus/dicom/series-ct-chest-raw8");
  DicomCollector *collector = dicom_collector_new();
  const char *const folders[] = {chest, raw, NULL};
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

  if (!chest || !raw) {
    dicom_collector_free(collector);
    return;
  }
  g_assert_true(dicom_walk(folders, NULL, NULL, files, refused, NULL));
  for (guint i = 0; i < files->len; i++) {
    g_autoptr(DicomFile) file = dicom_file_open(files->pdata[i], NULL);

    dicom_collector_add(collector, dicom_file_info(file));
    g_hash_table_add(uids, g_strdup(dicom_file_info(file)->sop_instance_uid));
  }
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->n_files, ==, files->len);
  g_assert_cmpuint(scan->n_images, ==, g_hash_table_size(uids));
  g_assert_cmpuint(scan->refused->len, ==, files->len - g_hash_table_size(uids));
  for (guint i = 0; i < scan->refused->len; i++) {
    g_assert_nonnull(strstr(scan->refused->pdata[i], ": has the same SOPInstanceUID as "));
  }
}

static void
expect_note(const char *folder, const char *note)
{
  g_autofree char *path = shared_path(folder);
  gboolean found = FALSE;

  if (path) {
    g_autoptr(DicomScan) scan = dicom_scan(path, NULL, NULL, NULL);

    info_check_scan(scan);
    for (guint i = 0; i < scan->series->len; i++) {
      g_autofree char *notes = info_notes(scan->series->pdata[i]);
      g_test_message("%s: %s", folder, notes);
      found = found || strstr(notes, note);
    }
    g_assert_true(found);
  }
}

static void
test_real_notes(void)
{
  expect_note("corpus/dicom/series-ct-head-gantrytilt-28-jpegls", "gantry tilt 18.5 degrees");
  expect_note("corpus/dicom/series-ct-head-gantrytilt-28-jpegls",
              "the spacing is irregular: 1.08 to 7.00 mm between neighbours, median 4.00 mm");
  expect_note("corpus/dicom/series-ct-broken-geometry", "all 4 images lie at the same position");
  expect_note("corpus/dicom/dicomdir", "161 slices are missing between images 1 and 2");
  expect_note("corpus/dicom/dicomdir", "the 3 images lie in different orientations");
  expect_note("corpus/dicom/enhanced-multiframe", "every position is there 2 times");
}

/* A disc by its DICOMDIR alone, and a DICOMDIR whose disc is lost. */
static void
test_real_directory(void)
{
  g_autofree char *path = shared_path("corpus/dicom/dicomdir/DICOMDIR");
  g_autofree char *alone = touch("alone/DICOMDIR"), *bytes = NULL;
  gsize n;

  if (!path) {
    return;
  }
  g_autoptr(DicomScan) disc = dicom_scan(path, NULL, NULL, NULL);
  info_check_scan(disc);
  g_assert_cmpuint(disc->n_images, >, 20);
  g_assert_cmpuint(disc->documents->len, ==, 1);
  g_assert_cmpuint(disc->patients->len, ==, 2);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(alone, bytes, (gssize)n, NULL));
  g_autoptr(DicomScan) lost = dicom_scan(alone, NULL, NULL, NULL);
  info_check_scan(lost);
  g_assert_cmpuint(lost->n_images, ==, 0);
  g_assert_cmpuint(lost->refused->len, ==, disc->n_images + disc->refused->len);
  g_assert_nonnull(strstr(lost->refused->pdata[0], ": DICOMDIR names "));
  g_assert_true(g_str_has_suffix(lost->refused->pdata[0], ", which is not there"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/collect/tree", test_tree);
  g_test_add_func("/dicom/collect/identity", test_identity);
  g_test_add_func("/dicom/collect/twins", test_twins);
  g_test_add_func("/dicom/collect/refusals", test_refusals);
  g_test_add_func("/dicom/collect/documents", test_documents);
  g_test_add_func("/dicom/collect/directory", test_directory);
  g_test_add_func("/dicom/collect/unread", test_unread);
  g_test_add_func("/dicom/collect/many", test_many);
  g_test_add_func("/dicom/collect/real-twins", test_real_twins);
  g_test_add_func("/dicom/collect/real-notes", test_real_notes);
  g_test_add_func("/dicom/collect/real-directory", test_real_directory);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
