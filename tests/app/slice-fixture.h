/* slice-fixture.h - the one slice of a file with elements as a test wants them. */
#ifndef HILUM_TESTS_SLICE_FIXTURE_H
#define HILUM_TESTS_SLICE_FIXTURE_H

#include "app_slice.h"
#include "decoder.h"
#include "slice-file.h"
#include "tiny.h"

/* The image of a file with CHANGES, opened alone. */
typedef struct {
  char *folder;
  AppStudy *study;
  AppSlice *slice;
  const AppSliceFacts *facts;
} Opened;

static inline Opened
open_file(const FileElement *changes)
{
  Opened opened = {.folder = tiny_folder_new()};
  g_autofree char *path = g_build_filename(opened.folder, "a.dcm", NULL);
  g_autoptr(GError) error = NULL;

  file_write(path, changes);
  opened.study = app_study_open(path, &error);
  g_assert_no_error(error);
  opened.slice = app_study_slice(opened.study, 0, 0, NULL, &error);
  g_assert_no_error(error);
  opened.facts = app_slice_facts(opened.slice);
  return opened;
}

static inline void
close_file(Opened *opened)
{
  app_slice_unref(opened->slice);
  app_study_free(opened->study);
  tiny_folder_free(opened->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, close_file)

#endif
