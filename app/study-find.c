/* study-find.c - where an image of a file is in a study that is open. */
#include <string.h>

#include "study.h"

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
