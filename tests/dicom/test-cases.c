/* test-cases.c - the broken images of tests/cases/: opened, every frame decoded and shown. */
#include "cases/cases.h"

#include "dicom.h"

static char *
read_image(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  gboolean done = file != NULL;

  for (guint i = 0; done && i < dicom_file_info(file)->frames; i++) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, i, &error);
    g_autoptr(DicomPicture) picture = frame ? dicom_frame_render(frame, NULL, &error) : NULL;

    done = picture != NULL;
  }
  g_assert_true(done == !error);
  return done ? NULL : g_strdup(error->message);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  cases_add("dicom", read_image);
  cases_add("png", read_image);
  cases_add("jpeg", read_image);
  return g_test_run();
}
