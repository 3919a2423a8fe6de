/* picture.h - opening and rendering what must open and render. */
#ifndef HILUM_TESTS_DICOM_PICTURE_H
#define HILUM_TESTS_DICOM_PICTURE_H

#include "dicom.h"

static inline DicomFrame *
open_frame(const char *path, guint index)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  g_assert_no_error(error);
  DicomFrame *frame = dicom_file_read_frame(file, index, &error);
  g_assert_no_error(error);
  return frame;
}

static inline DicomPicture *
render(const DicomFrame *frame, const DicomWindow *window)
{
  g_autoptr(GError) error = NULL;
  DicomPicture *picture = dicom_frame_render(frame, window, &error);

  g_assert_no_error(error);
  return picture;
}

#endif
