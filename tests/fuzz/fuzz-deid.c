/* fuzz-deid.c - a copy without the patient of any file: written and sound, or not there.
 *
 * Input: one byte of options, and the file. */
#include "fuzz-dicom.h"

#include "dicom_deid.h"

static DicomFrame *
read_frame(guint frame, gpointer user, GError **error)
{
  const int *fd = user;
  g_autoptr(DicomFile) file = dicom_file_open_fd(dup(*fd), "fuzz.dcm", error);

  return file ? dicom_file_read_frame(file, frame, error) : NULL;
}

/* Removes what is below FOLDER; returns how many files that were. */
static guint
empty(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      n += empty(path);
      g_rmdir(path);
    } else {
      n++;
      g_unlink(path);
    }
  }
  return n;
}

static char *folder;

static void
remove_folder(void)
{
  empty(folder);
  g_rmdir(folder);
  g_free(folder);
}

/* In memory where there is such a folder: every copy is synced. */
static void
make_folder(void)
{
  folder = g_strdup("/dev/shm/hilum-deid-XXXXXX");
  if (!g_mkdtemp(folder)) {
    g_free(folder);
    folder = g_dir_make_tmp("hilum-deid-XXXXXX", NULL);
  }
  g_assert(folder);
  atexit(remove_folder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static const DicomRect corner = {0, 0, 3, 2};
  FuzzInput input = {data, n};
  const unsigned choices = fuzz_u8(&input);
  const DicomDeidOptions options = {.modified_dates = choices & 1,
                                    .retain_device = choices >> 1 & 1,
                                    .clean_descriptors = choices >> 2 & 1,
                                    .clean_graphics = choices >> 3 & 1,
                                    .clean_pixels = choices >> 4 & 1,
                                    .blank = &corner,
                                    .n_blank = choices >> 5 & 1,
                                    .key = {1, 2, 3}};
  int fd = fuzz_descriptor(input.data, input.n);
  g_autoptr(DicomDeidReport) report = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) whole = NULL;
  char path[32];
  gboolean done;

  fuzz_start();
  if (!folder) {
    make_folder();
  }
  fuzz_path(fd, path);
  done = dicom_deid_file(path, folder, &options, read_frame, &fd, &report, &error);
  fuzz_check_error(done, error);
  whole = done ? dicom_file_open_fd(dup(fd), "fuzz.dcm", NULL) : NULL;
  if (whole) {
    /* What could be opened before can be opened now. */
    g_autoptr(DicomFile) copy = dicom_file_open(report->path, &error);

    g_assert_no_error(error);
    g_assert(copy);
  }
  g_clear_pointer(&error, g_error_free);
  g_assert(empty(folder) == (done ? 1 : 0));
  close(fd);
  return 0;
}
