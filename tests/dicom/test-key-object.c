/* test-key-object.c - a Key Object Selection is written as others expect it. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "dicom.h"
#include "dicom_key_object.h"
#include "dicom_phantom.h"

#define CT "1.2.840.10008.5.1.4.1.1.2"
#define XA "1.2.840.10008.5.1.4.1.1.12.1" /* may have frames */

typedef struct {
  char *folder, *path;
  DicomFile *source;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *image = NULL;
  PhantomTruth truth;

  f->folder = g_dir_make_tmp("hilum-test-XXXXXX", &error);
  g_assert_no_error(error);
  f->path = g_build_filename(f->folder, "keys.dcm", NULL);
  image = g_build_filename(f->folder, "image.dcm", NULL);
  phantom_truth_of_kind(1, 2, PHANTOM_CHEST_CT, &truth);
  phantom_resize(&truth, PHANTOM_MIN_SIZE);
  g_assert_true(phantom_write_dicom(&truth, NULL, image, FALSE, &error));
  f->source = dicom_file_open(image, &error);
  g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_autofree char *image = g_build_filename(f->folder, "image.dcm", NULL);

  dicom_file_free(f->source);
  g_unlink(image);
  g_unlink(f->path);
  g_assert_cmpint(g_rmdir(f->folder), ==, 0);
  g_free(f->path);
  g_free(f->folder);
}

static void
write_keys(Fixture *f)
{
  static const guint frames[] = {1, 12};
  const DicomKeyImage images[] = {{CT, "1.2.9.1", "1.2.3.200", NULL, 0},
                                  {XA, "1.2.9.22", "1.2.3.201", frames, 2},
                                  {CT, "1.2.9.3", "1.2.3.200", NULL, 0}};
  g_autoptr(GError) error = NULL;

  g_assert_true(dicom_key_object_write(f->path, dicom_file_info(f->source), images,
                                       G_N_ELEMENTS(images), &error));
  g_assert_no_error(error);
}

static void
test_read(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = NULL;
  g_autofree char *text = NULL;
  const DicomInfo *info, *source = dicom_file_info(f->source);

  write_keys(f);
  file = dicom_file_open(f->path, &error);
  g_assert_no_error(error);
  info = dicom_file_info(file);
  g_assert_cmpstr(info->damage, ==, "");
  g_assert_cmpint(info->content, ==, DICOM_CONTENT_REPORT);
  g_assert_cmpstr(info->patient_name, ==, source->patient_name);
  g_assert_cmpstr(info->patient_id, ==, source->patient_id);
  g_assert_cmpstr(info->study_instance_uid, ==, source->study_instance_uid);
  g_assert_cmpstr(info->study_date, ==, source->study_date);
  g_assert_cmpstr(info->series_instance_uid, !=, source->series_instance_uid);
  g_assert_cmpuint(info->referenced_instances->len, ==, 3);
  g_assert_true(
      g_ptr_array_find_with_equal_func(info->referenced_instances, "1.2.9.22", g_str_equal, NULL));
  g_assert_cmpuint(info->referenced_frames->len, ==, 3);
  for (guint i = 0; i < 3; i++) {
    gboolean has_frames = g_str_equal(info->referenced_instances->pdata[i], "1.2.9.22");
    g_assert_cmpstr(info->referenced_frames->pdata[i], ==, has_frames ? "1\\12" : "");
  }
  text = dicom_file_report_text(file, &error);
  g_assert_no_error(error);
  g_assert_nonnull(strstr(text, "Of Interest"));
}

/* What TOOL, of Debian, says of the file; NULL: it is not there. */
static char *
ask_tool(const char *tool, const char *path)
{
  g_autofree char *found = g_find_program_in_path(tool);
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GError) error = NULL;
  char *out = NULL;

  if (!found) {
    return NULL;
  }
  process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                             &error, found, path, NULL);
  g_assert_no_error(error);
  g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, &error);
  g_assert_no_error(error);
  return out;
}

static void
test_dciodvfy(Fixture *f, gconstpointer data)
{
  g_autofree char *said = NULL;

  write_keys(f);
  said = ask_tool("dciodvfy", f->path);
  if (!said) {
    g_test_skip("THE KEY OBJECT IS NOT VALIDATED: there is no dciodvfy (dicom3tools)");
    return;
  }
  g_test_message("%s", said);
  g_assert_nonnull(strstr(said, "KeyObjectSelectionDocument"));
  g_assert_null(strstr(said, "Error"));
}

static void
test_dsrdump(Fixture *f, gconstpointer data)
{
  g_autofree char *said = NULL;

  write_keys(f);
  said = ask_tool("dsrdump", f->path);
  if (!said) {
    g_test_skip("THE KEY OBJECT IS NOT READ BY DCMTK: there is no dsrdump (dcmtk)");
    return;
  }
  g_test_message("%s", said);
  g_assert_nonnull(strstr(said, "Key Object Selection Document"));
  g_assert_nonnull(strstr(said, "Of Interest"));
  g_assert_nonnull(strstr(said, "<contains IMAGE:=(XA image,,1,...)>"));
  g_assert_null(strstr(said, "E: "));
}

static void
test_refused(Fixture *f, gconstpointer data)
{
  const DicomKeyImage nameless = {CT, "", "1.2.3.200", NULL, 0};
  g_autoptr(GError) error = NULL;

  g_assert_false(dicom_key_object_write(f->path, dicom_file_info(f->source), &nameless, 1, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_assert_nonnull(strstr(error->message, "SOPInstanceUID"));
  g_clear_error(&error);
  g_assert_false(dicom_key_object_write(f->path, dicom_file_info(f->source), NULL, 0, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

static void
test_uid(void)
{
  g_autofree char *one = dicom_uid_new(), *other = dicom_uid_new();

  g_assert_cmpstr(one, !=, other);
  g_assert_true(g_str_has_prefix(one, "2.25."));
  g_assert_cmpuint(strlen(one), <=, 64);
  g_assert_cmpuint(strspn(one, "0123456789."), ==, strlen(one));
  g_assert_cmpint(one[5], !=, '0');
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/dicom/key-object/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  add("read", test_read);
  add("dciodvfy", test_dciodvfy);
  add("dsrdump", test_dsrdump);
  add("refused", test_refused);
  g_test_add_func("/dicom/key-object/uid", test_uid);
  return g_test_run();
}
