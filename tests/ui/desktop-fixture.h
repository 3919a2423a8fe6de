/* desktop-fixture.h - waiting, and small studies, for the tests of the window. */
#ifndef HILUM_TESTS_DESKTOP_FIXTURE_H
#define HILUM_TESTS_DESKTOP_FIXTURE_H

#include "app/tiny.h"
#include "app/wait.h"

/* N slices of 48 x 40, 16 bits, values -100 to 899, window 200/400. */
static inline char *
fixture_study_new(guint n)
{
  char *folder = tiny_folder_new();

  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("slice-%02u.dcm", i);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *uid = g_strdup_printf("1.2.3.4.%u", i + 1);
    const TinyDicom dicom = {.rows = 40,
                             .columns = 48,
                             .uid = uid,
                             .instance = (int)i + 1,
                             .z = i,
                             .window = "200\\400",
                             .patient_name = "DOE^JANE",
                             .series_description = "Axial"};
    tiny_dicom_write(path, &dicom);
  }
  return folder;
}

#endif
