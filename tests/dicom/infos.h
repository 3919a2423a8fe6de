/* infos.h - headers made by hand, and what a scan made of them as one line of text. */
#ifndef HILUM_TESTS_DICOM_INFOS_H
#define HILUM_TESTS_DICOM_INFOS_H

#include "dicom.h"
#include "dicom/info/info-fields.h"

#include <math.h>
#include <string.h>

static inline void
info_set(char **slot, const char *text)
{
  g_free(*slot);
  *slot = g_strdup(text);
}

/* A CT slice of series "1.1" of Doe^Jane with a SOPInstanceUID of its own. */
static inline DicomInfo *
info_new(const char *path)
{
  static guint n = 0;
  DicomInfo *info = g_new0(DicomInfo, 1);

  dicom_info_init(info, path);
  info_set(&info->content_name, "CT Image Storage");
  info_set(&info->patient_id, "7");
  info_set(&info->patient_name, "Doe^Jane");
  info_set(&info->study_instance_uid, "1.9");
  info_set(&info->study_date, "20200102");
  info_set(&info->series_instance_uid, "1.1");
  info_set(&info->modality, "CT");
  info->rows = info->columns = 64;
  g_free(info->sop_instance_uid);
  info->sop_instance_uid = g_strdup_printf("1.1.%u", ++n);
  return info;
}

/* Rows along x, columns along y turned by TILT degrees towards -z. */
static inline void
info_axes(double orientation[6], double tilt)
{
  const double axes[6] = {1, 0, 0, 0, cos(tilt * G_PI / 180), -sin(tilt * G_PI / 180)};

  memcpy(orientation, axes, sizeof axes);
}

static inline void
info_place(DicomInfo *info, double x, double y, double z, double tilt)
{
  info->has_position = info->has_orientation = TRUE;
  info->position[0] = x;
  info->position[1] = y;
  info->position[2] = z;
  info_axes(info->orientation, tilt);
}

static inline void
info_plane(DicomInfo *info, double z, double tilt, guint stack)
{
  DicomPlane plane = {
      .has_position = TRUE, .has_orientation = TRUE, .position = {0, 0, z}, .stack = stack};

  info_axes(plane.orientation, tilt);
  g_array_append_val(info->planes, plane);
  info->frames = info->planes->len;
}

/* Takes INFO. */
static inline void
info_collect(DicomCollector *collector, DicomInfo *info)
{
  dicom_collector_add(collector, info);
  dicom_info_free(info);
}

/* "a b[2 0 1] c": files in their order, frames where these are not as stored. */
static inline char *
info_order(const DicomSeries *series)
{
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < series->items->len; i++) {
    const DicomSeriesItem *item = series->items->pdata[i];
    g_autofree char *base = g_path_get_basename(item->path);

    g_string_append_printf(text, "%s%s", i > 0 ? " " : "", base);
    for (guint f = 0; item->frame_order && f < item->frames; f++) {
      g_string_append_printf(text, "%s%u%s", f == 0 ? "[" : " ", dicom_series_item_frame(item, f),
                             f + 1 == item->frames ? "]" : "");
    }
  }
  return g_strdup(text->str);
}

/* All notes, "; " between. */
static inline char *
info_notes(const DicomSeries *series)
{
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < series->notes->len; i++) {
    g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", (char *)series->notes->pdata[i]);
  }
  return g_strdup(text->str);
}

/* What must hold of every scan: nothing is lost, nothing is there twice. */
static inline void
info_check_scan(const DicomScan *scan)
{
  guint n_items = 0, n_series = 0, n_documents = 0;
  g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);

  for (guint i = 0; i < scan->series->len; i++) {
    const DicomSeries *series = scan->series->pdata[i];

    g_assert_cmpuint(series->items->len, >, 0);
    g_assert_cmpuint(series->stack, >=, 1);
    g_assert_cmpuint(series->stack, <=, series->n_stacks);
    for (guint s = 0; s < series->items->len; s++) {
      const DicomSeriesItem *item = series->items->pdata[s];

      n_items += g_hash_table_add(paths, item->path);
      g_assert_cmpuint(item->frames, >=, 1);
      g_assert_true(!item->frame_order || item->frame_order->len == item->frames);
    }
  }
  for (guint p = 0; p < scan->patients->len; p++) {
    const DicomPatient *patient = scan->patients->pdata[p];

    for (guint s = 0; s < patient->studies->len; s++) {
      const DicomStudy *study = patient->studies->pdata[s];

      n_documents += study->documents->len;
      for (guint i = 0; i < study->series->len; i++) {
        g_assert_true(study->series->pdata[i] == scan->series->pdata[n_series++]);
      }
    }
  }
  g_assert_cmpuint(n_series, ==, scan->series->len);
  g_assert_cmpuint(n_documents, <=, scan->documents->len);
  g_assert_cmpuint(n_items, ==, scan->n_images);
  g_assert_cmpuint(scan->refused->len, ==, scan->refused_paths->len);
  g_assert_cmpuint(scan->n_files, ==, scan->n_images + scan->documents->len + scan->refused->len);
}

#endif
