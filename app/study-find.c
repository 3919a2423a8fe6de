/* study-find.c - where an image of a file is in a study, and which study it is in. */
#include <string.h>

#include "study.h"

/* Files of a folder that are looked at because one of them was asked for. */
#define MOST_BESIDE 4096

gboolean
app_study_find(AppStudy *study, const char *path, guint frame, guint *series, guint *index)
{
  for (guint i = 0; i < study->series->len; i++) {
    const AppStudySeries *one = study->series->pdata[i];
    for (guint j = 0; j < one->series->items->len; j++) {
      const DicomSeriesItem *item = one->series->items->pdata[j];
      for (guint k = 0; k < item->frames && strcmp(item->path, path) == 0; k++) {
        if (dicom_series_item_frame(item, k) == frame) {
          *series = i;
          *index = one->starts[j] + k;
          return TRUE;
        }
      }
    }
  }
  return FALSE;
}

/* ---- with what lies beside it --------------------------------------------------------------- */

/* A study that was exported has a folder for each series; a folder of downloads or a disc's root
 * has folders, and all that is in them would be read. */
static gboolean
is_folder_of_files(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  guint n = 0;
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (++n > MOST_BESIDE || g_file_test(path, G_FILE_TEST_IS_DIR)) {
      return FALSE;
    }
  }
  return n > 1;
}

typedef struct {
  char *file;
  guint frame;
} Around;

static void
around_free(gpointer data)
{
  Around *around = data;

  g_free(around->file);
  g_free(around);
}

AppStudy *
app_study_open_around_while(const char *file, guint frame, AppNotes *notes,
                            GCancellable *cancellable, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(file);
  AppStudy *study =
      is_folder_of_files(folder) ? app_study_open_while(folder, NULL, cancellable, NULL) : NULL;
  guint series, index;

  if (study && app_study_find(study, file, frame, &series, &index)) {
    app_notes_scan(notes, study->scan, folder);
    return study;
  }
  g_clear_pointer(&study, app_study_free);
  return app_study_open_while(file, notes, cancellable, error);
}

static void
open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Around *around = data;
  GError *error = NULL;
  AppStudy *study =
      app_study_open_around_while(around->file, around->frame, NULL, cancellable, &error);

  if (study) {
    g_task_return_pointer(task, study, (GDestroyNotify)app_study_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_open_around_async(const char *file, guint frame, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Around *around = g_new0(Around, 1);

  app_frame_cache_watch();
  around->file = g_strdup(file);
  around->frame = frame;
  g_task_set_source_tag(task, app_study_open_around_async);
  g_task_set_task_data(task, around, around_free);
  g_task_run_in_thread(task, open_in_thread);
}
