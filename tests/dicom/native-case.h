/* native-case.h - pixels as they lie in a file, and the arrays that must come of them. */
#ifndef HILUM_TESTS_DICOM_NATIVE_CASE_H
#define HILUM_TESTS_DICOM_NATIVE_CASE_H

#include "build.h"
#include "dicom.h"
#include "picture.h"

#define PIXELS 0x7fe00010

typedef struct {
  const char *name, *uid;
  guint32 tag;
  const char *vr;
  Shape shape;
  guint n_file;
  guint8 file[32]; /* the value of PixelData */
  guint n_want;
  guint8 want[48]; /* of all frames */
} Case;

#define GREY(rows, columns, frames, bits, sign)                                                    \
  {                                                                                                \
    rows, columns, frames, 1, bits, bits, bits - 1, sign, "MONOCHROME2", -1                        \
  }

static inline void
expect_frames(const char *path, const Case *c)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  guint at = 0;

  g_assert_no_error(error);
  for (guint i = 0; i < c->shape.frames; i++) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, i, &error);
    gsize n;

    g_assert_no_error(error);
    const guint8 *stored = dicom_frame_stored(frame, &n);
    g_assert_cmpuint(at + n, <=, c->n_want);
    g_assert_cmpmem(stored, n, c->want + at, n);
    at += (guint)n;
    g_autoptr(DicomPicture) picture = render(frame, NULL);
    g_assert_cmpuint(picture->width, ==, c->shape.columns);
  }
  g_assert_cmpuint(at, ==, c->n_want);
}

static inline void
expect_refusal(const char *path, const char *words)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  if (file) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);

    g_assert_null(frame);
  }
  g_assert_nonnull(error);
  g_test_message("%s", error->message);
  g_assert_true(g_str_has_prefix(error->message, path));
  if (!strstr(error->message, words)) {
    g_error("\"%s\" does not say \"%s\"", error->message, words);
  }
}

#endif
