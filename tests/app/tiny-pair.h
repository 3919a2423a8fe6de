/* tiny-pair.h - a folder with a slice and a cine. */
#ifndef HILUM_TESTS_TINY_PAIR_H
#define HILUM_TESTS_TINY_PAIR_H

#include "tiny.h"

typedef struct {
  char *folder, *ct, *cine;
} TinyPair;

/* The slice has 20 rows and 30 columns; the cine has three frames of ROWS and COLUMNS. */
static inline void
tiny_pair_write(TinyPair *pair, guint rows, guint columns)
{
  const TinyDicom ct = {.rows = 20,
                        .columns = 30,
                        .uid = "1.2.3.1",
                        .instance = 1,
                        .window = "300\\400",
                        .series_description = "Axial"};
  const TinyDicom cine = {
      .rows = rows, .columns = columns, .frames = 3, .uid = "1.2.3.2", .instance = 2};

  pair->folder = tiny_folder_new();
  pair->ct = g_build_filename(pair->folder, "a.dcm", NULL);
  pair->cine = g_build_filename(pair->folder, "b.dcm", NULL);
  tiny_dicom_write(pair->ct, &ct);
  tiny_dicom_write(pair->cine, &cine);
}

static inline void
tiny_pair_free(TinyPair *pair)
{
  g_free(pair->ct);
  g_free(pair->cine);
  tiny_folder_free(pair->folder);
}

#endif
