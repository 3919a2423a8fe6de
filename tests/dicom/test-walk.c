/* test-walk.c - which files a walk finds, in which order, and where it does not go. */
#include "build.h"
#include "dicom.h"
#include "dicom/study/directory.h"
#include "dicom/limits.h"
#include "dicom/study/names.h"

#include <sys/stat.h>
#include <unistd.h>

static char *
in_folder(const char *name)
{
  return g_build_filename(build_folder(), name, NULL);
}

/* An empty file, and the folders above it. */
static void
touch(const char *name)
{
  g_autofree char *path = in_folder(name), *above = g_path_get_dirname(path);

  g_assert_cmpint(g_mkdir_with_parents(above, 0700), ==, 0);
  g_assert_true(g_file_set_contents_full(path, "", 0, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void
link_to(const char *target, const char *name)
{
  g_autofree char *path = in_folder(name);

  g_assert_cmpint(symlink(target, path), ==, 0);
}

/* Walks NAMES below the test's folder (joined by blanks); the files found, as the test named them,
 * " | " and what was refused. */
static char *
walk(const char *names)
{
  g_auto(GStrv) parts = g_strsplit(names, " ", -1);
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GError) error = NULL;

  for (guint i = 0; parts[i]; i++) {
    g_ptr_array_add(paths, in_folder(parts[i]));
  }
  g_ptr_array_add(paths, NULL);
  g_assert_true(dicom_walk((const char *const *)paths->pdata, NULL, NULL, files, refused, &error));
  g_assert_no_error(error);
  for (guint i = 0; i < files->len; i++) {
    g_string_append_printf(text, "%s ", (char *)files->pdata[i] + strlen(build_folder()) + 1);
  }
  for (guint i = 0; i < refused->len; i++) {
    g_string_append_printf(text, "| %s", (char *)refused->pdata[i] + strlen(build_folder()) + 1);
  }
  return g_strdup(text->str);
}

static void
expect(const char *names, const char *expected)
{
  g_autofree char *found = walk(names);

  g_assert_cmpstr(found, ==, expected);
}

static void
test_order(void)
{
  touch("order/im10");
  touch("order/im9");
  touch("order/im2/x");
  touch("order/im1");
  touch("order/im2/010");
  touch("order/im2/9");
  touch("order/im2.dcm");
  expect("order", "order/im1 order/im2/9 order/im2/010 order/im2/x order/im2.dcm order/im9 "
                  "order/im10 ");
  /* Each once, whichever way it is named. */
  expect("order/im2 order order/im2/x order/im9 order/../order/im1",
         "order/im1 order/im2/9 order/im2/010 order/im2/x order/im2.dcm order/im9 order/im10 ");
  expect("order/im9", "order/im9 ");
}

static void
test_names(void)
{
  const char *const ordered[] = {"",
                                 "/",
                                 "a",
                                 "a/b",
                                 "a/z",
                                 "a-b",
                                 "a1",
                                 "a01",
                                 "a2",
                                 "a2b",
                                 "a10",
                                 "a10000000000000000000000",
                                 "a10000000000000000000001",
                                 "b"};

  for (guint i = 0; i < G_N_ELEMENTS(ordered); i++) {
    for (guint k = 0; k < G_N_ELEMENTS(ordered); k++) {
      gint got = dicom_compare_names(ordered[i], ordered[k]), expected = i < k ? -1 : i > k;

      /* "a1" and "a01" are one number; then the bytes decide. */
      if (!(i == 6 && k == 7) && !(i == 7 && k == 6)) {
        g_assert_cmpint(CLAMP(got, -1, 1), ==, expected);
      }
      g_assert_cmpint(CLAMP(got, -1, 1), ==,
                      -CLAMP(dicom_compare_names(ordered[k], ordered[i]), -1, 1));
    }
  }
}

static void
test_links_and_devices(void)
{
  touch("outside/secret");
  touch("links/a");
  touch("links/below/b");
  link_to("a", "links/good");
  link_to("../outside/secret", "links/bad");
  link_to(".", "links/circle");
  link_to("below", "links/folder");
  link_to("nowhere", "links/broken");
  g_autofree char *pipe = in_folder("links/pipe");
  g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
  expect("links", "links/a links/below/b links/good "
                  "| links/bad: is a link that leads out of the folder"
                  "| links/broken: is a link to nothing"
                  "| links/circle: is a link to a folder; these are not followed"
                  "| links/folder: is a link to a folder; these are not followed"
                  "| links/pipe: is not a regular file");
  /* Named by the user, a link is followed, and a pipe is not waited for. */
  expect("links/bad links/pipe", "links/bad | links/pipe: is not a regular file");
  expect("links/folder", "links/folder/b ");
}

static void
test_depth(void)
{
  g_autoptr(GString) name = g_string_new("deep");

  for (guint i = 0; i <= DICOM_MAX_FOLDER_DEPTH; i++) {
    g_string_append(name, "/d");
  }
  g_string_append(name, "/f");
  touch(name->str);
  g_autofree char *found = walk("deep");
  g_assert_true(g_str_has_prefix(found, "| deep/d/d"));
  g_assert_true(g_str_has_suffix(found, "/d: folders are nested too deeply"));
}

static gboolean
stop(guint done, guint total, gpointer user)
{
  g_assert_cmpuint(total, ==, 0);
  *(guint *)user += 1;
  return FALSE;
}

static void
test_errors(void)
{
  g_autofree char *missing = in_folder("missing");
  const char *const paths[] = {build_folder(), NULL}, *const lost[] = {missing, NULL};
  const char *const none[] = {NULL};
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  guint calls = 0;

  g_assert_false(dicom_walk(paths, stop, &calls, files, refused, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
  g_assert_cmpuint(calls, ==, 1);
  g_clear_error(&error);
  g_assert_false(dicom_walk(lost, NULL, NULL, files, refused, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
  g_assert_nonnull(strstr(error->message, "missing: there is no such file or folder"));
  g_clear_error(&error);
  g_assert_true(dicom_walk(none, NULL, NULL, files, refused, &error));
}

/* The names of a DICOMDIR, as discs spell them, and where they must not lead. */
static void
test_directory(void)
{
  static const struct {
    const char *name, *found; /* FOUND NULL: */
    const char *why;
  } rows[] = {
      {"IMAGES/IM1", "disc/IMAGES/IM1", NULL},
      {"images/im1", "disc/IMAGES/IM1", NULL},
      {"IMAGES/IM2", "disc/IMAGES/im2.;1", NULL},
      {"IMAGES/IM3", "disc/IMAGES/IM3;12", NULL},
      {"IMAGES/IM4;1", "disc/IMAGES/im4", NULL},
      {"IMAGES/IM5", NULL, "is not there"},
      {"IMAGES", NULL, "is not a regular file"},
      {"IMAGES/IM1/X", NULL, "is not there"},
      {"../beside", NULL, "is no name within its folder"},
      {"IMAGES/../IMAGES/IM1", NULL, "is no name within its folder"},
      {"/etc/passwd", NULL, "is no name within its folder"},
      {"IMAGES//IM1", NULL, "is no name within its folder"},
      {"./IMAGES/IM1", NULL, "is no name within its folder"},
      {"", NULL, "is not there"},
      {"OUT/beside", NULL, "is a link that leads out of the folder"},
      {"LINK", NULL, "is a link that leads out of the folder"},
      {"INNER", "disc/INNER", NULL},
  };
  DicomDirectory *directory = dicom_directory_new();
  g_autofree char *path = in_folder("disc/DICOMDIR");

  touch("beside");
  touch("disc/IMAGES/IM1");
  touch("disc/IMAGES/im2.;1");
  touch("disc/IMAGES/IM3;12");
  touch("disc/IMAGES/im4");
  link_to("..", "disc/OUT");
  link_to("../beside", "disc/LINK");
  link_to("IMAGES/IM1", "disc/INNER");
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *why = NULL;
    g_autofree char *found = dicom_directory_find(directory, path, rows[i].name, &why);

    g_test_message("%s", rows[i].name);
    g_assert_cmpstr(found ? found + strlen(build_folder()) + 1 : NULL, ==, rows[i].found);
    g_assert_cmpstr(found ? NULL : why, ==, rows[i].why);
  }
  dicom_directory_free(directory);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/walk/order", test_order);
  g_test_add_func("/dicom/walk/names", test_names);
  g_test_add_func("/dicom/walk/links-and-devices", test_links_and_devices);
  g_test_add_func("/dicom/walk/depth", test_depth);
  g_test_add_func("/dicom/walk/errors", test_errors);
  g_test_add_func("/dicom/walk/directory", test_directory);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
