/* key-image-save.c - the marked images as DICOM Key Object Selections. */
#include "app_key_image.h"

#include <string.h>

#include "decoder.h"
#include "dicom_key_object.h"
#include "study.h"

typedef struct {
  AppStudy *study;
  char *path;
  guint n; /* files written */
} Saving;

static void
saving_free(gpointer data)
{
  Saving *saving = data;

  app_study_unref(saving->study);
  g_free(saving->path);
  g_free(saving);
}

/* What is pointed at, of one study. */
typedef struct {
  GArray *images;    /* of DicomKeyImage; texts are the scan's */
  GPtrArray *frames; /* of GArray *, behind their frames */
  const char *path;  /* file of the first */
} Selection;

static void
selection_clear(Selection *selection)
{
  g_array_unref(selection->images);
  g_ptr_array_unref(selection->frames);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Selection, selection_clear)

/* The frames of ITEM among KEYS, from 1; NULL: none. */
static GArray *
frames_of(const AppStudySeries *series, guint item, const GArray *keys)
{
  const DicomSeriesItem *from = series->series->items->pdata[item];
  guint first = series->starts[item], end = series->starts[item + 1];
  GArray *frames = NULL;

  for (guint i = 0; i < keys->len; i++) {
    guint index = g_array_index(keys, guint, i), frame;

    if (index >= first && index < end) {
      frame = dicom_series_item_frame(from, index - first) + 1;
      frames = frames ? frames : g_array_new(FALSE, FALSE, sizeof(guint));
      g_array_append_val(frames, frame);
    }
  }
  return frames;
}

static void
select_series(Selection *selection, const AppStudySeries *series, const GArray *keys)
{
  for (guint i = 0; keys->len > 0 && i < series->series->items->len; i++) {
    const DicomSeriesItem *item = series->series->items->pdata[i];
    GArray *frames = frames_of(series, i, keys);
    gboolean is_single = item->frames == 1 && !item->frame_order;
    DicomKeyImage image = {series->series->sop_class, item->sop_instance_uid,
                           series->series->series_instance_uid, NULL, 0};

    if (!frames) {
      continue;
    }
    if (!is_single) {
      image.frames = (const guint *)(gpointer)frames->data;
      image.n_frames = frames->len;
    }
    g_ptr_array_add(selection->frames, frames);
    g_array_append_val(selection->images, image);
    selection->path = selection->path ? selection->path : item->path;
  }
}

/* "keys.dcm", then "keys-2.dcm". */
static char *
name_of(const Saving *saving)
{
  const char *dot = strrchr(saving->path, '.'), *slash = strrchr(saving->path, '/');

  if (saving->n == 0) {
    return g_strdup(saving->path);
  }
  if (!dot || (slash && dot < slash)) {
    dot = saving->path + strlen(saving->path);
  }
  return g_strdup_printf("%.*s-%u%s", (int)(dot - saving->path), saving->path, saving->n + 1, dot);
}

static gboolean
save_study(Saving *saving, const DicomStudy *of, GCancellable *cancellable, GError **error)
{
  g_auto(Selection)
      selection = {g_array_new(FALSE, FALSE, sizeof(DicomKeyImage)),
                   g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref), NULL};
  g_autoptr(DicomInfo) header = NULL;
  g_autofree char *path = NULL;

  for (guint i = 0; i < saving->study->series->len; i++) {
    const AppStudySeries *series = saving->study->series->pdata[i];
    g_autoptr(GArray) keys = NULL;

    if (g_strcmp0(series->series->study_instance_uid, of->study_instance_uid) == 0) {
      keys = app_study_keys(saving->study, i);
      select_series(&selection, series, keys);
    }
  }
  if (selection.images->len == 0) {
    return TRUE;
  }
  header = app_decoder_info(selection.path, cancellable, error);
  path = name_of(saving);
  if (!header || !app_file_has_folder(path, error) ||
      !dicom_key_object_write(path, header, (const DicomKeyImage *)(gpointer)selection.images->data,
                              selection.images->len, error)) {
    return FALSE;
  }
  saving->n++;
  return TRUE;
}

static gboolean
save_all(Saving *saving, GCancellable *cancellable, GError **error)
{
  const DicomScan *scan = saving->study->scan;

  for (guint p = 0; p < scan->patients->len; p++) {
    const DicomPatient *patient = scan->patients->pdata[p];

    for (guint s = 0; s < patient->studies->len; s++) {
      if (!save_study(saving, patient->studies->pdata[s], cancellable, error)) {
        return FALSE;
      }
    }
  }
  if (saving->n == 0) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT, "no image is marked");
  }
  return saving->n > 0;
}

static void
save_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Saving *saving = data;
  GError *error = NULL;

  if (save_all(saving, cancellable, &error)) {
    g_task_return_int(task, (gssize)saving->n);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_save_keys_async(AppStudy *study, const char *path, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Saving *saving = g_new0(Saving, 1);

  saving->study = app_study_ref(study);
  saving->path = g_strdup(path);
  g_task_set_source_tag(task, app_study_save_keys_async);
  g_task_set_task_data(task, saving, saving_free);
  g_task_run_in_thread(task, save_in_thread);
}

guint
app_study_save_keys_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  gssize n;

  g_return_val_if_fail(g_task_is_valid(result, NULL), 0);
  n = g_task_propagate_int(G_TASK(result), error);
  return n > 0 ? (guint)n : 0;
}
