/* scan.c - a whole scan in this process; the application scans through helpers. */
#include "dicom.h"

typedef struct {
  DicomScanProgress progress;
  gpointer user;
  guint done, total;
} Reading;

/* FALSE: cancelled. */
static gboolean
read_headers(DicomCollector *collector, GPtrArray *files, Reading *reading, GError **error)
{
  reading->total += files->len;
  for (guint i = 0; i < files->len; i++) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(DicomFile) file = dicom_file_open(files->pdata[i], &problem);

    if (file) {
      dicom_collector_add(collector, dicom_file_info(file));
    } else {
      dicom_collector_refuse_as(collector, files->pdata[i], problem->message,
                                dicom_refusal_kind(problem));
    }
    reading->done++;
    if (reading->progress && !reading->progress(reading->done, reading->total, reading->user)) {
      g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_IO, "the scan was cancelled");
      return FALSE;
    }
  }
  return TRUE;
}

DicomScan *
dicom_scan(const char *path, DicomScanProgress progress, gpointer user, GError **error)
{
  const char *const paths[] = {path, NULL};
  g_autoptr(DicomCollector) collector = dicom_collector_new();
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
  Reading reading = {progress, user, 0, 0};

  if (!dicom_walk(paths, progress, user, files, refused, error)) {
    return NULL;
  }
  for (guint i = 0; i < refused->len; i++) {
    dicom_collector_refuse(collector, NULL, refused->pdata[i]);
  }
  if (!read_headers(collector, files, &reading, error)) {
    return NULL;
  }
  g_autoptr(GPtrArray) wanted = dicom_collector_wanted(collector);
  if (!read_headers(collector, wanted, &reading, error)) {
    return NULL;
  }
  return dicom_collector_finish(g_steal_pointer(&collector));
}
