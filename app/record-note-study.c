/* record-note-study.c - what the log is told of files and models: opened, refused, loaded. */
#include <string.h>

#include "record-note.h"
#include "study.h"

/* Events of one opening at most: what is over it is told as a number. */
#define MOST_STUDIES 1000u
#define MOST_REFUSED 64u

void
app_note_set_series(AppNote *note, const DicomSeries *series, const DicomSeriesItem *item)
{
  const StoreImage about = {.study_instance_uid = series->study_instance_uid,
                            .series_instance_uid = series->series_instance_uid,
                            .patient_id = series->patient_id,
                            .patient_name = series->patient_name,
                            .study_date = series->study_date,
                            .study_description = series->study_description,
                            .modality = series->modality,
                            .sop_class = series->sop_class,
                            .path = item ? item->path : NULL,
                            .sop_instance_uid = item ? item->sop_instance_uid : NULL,
                            .body_part = series->body_part_examined,
                            .view = series->view_position,
                            .laterality = series->laterality};

  app_note_set_about(note, &about);
}

/* ---- opened -------------------------------------------------------------------------------- */

static guint
images_of(const DicomStudy *study)
{
  guint n = 0;

  for (guint i = 0; i < study->series->len; i++) {
    const DicomSeries *series = study->series->pdata[i];
    for (guint j = 0; j < series->items->len; j++) {
      const DicomSeriesItem *item = series->items->pdata[j];
      n += MIN(MAX(item->frames, 1), G_MAXINT - n);
    }
  }
  return n;
}

/* A study is of one patient: its texts are sealed under that one's key. */
static AppNote *
study_note(const DicomPatient *patient, const DicomStudy *study, const char *path)
{
  AppNote *note = app_note_new("import", "open");
  const DicomSeries *series = study->series->len > 0 ? study->series->pdata[0] : NULL;
  const DicomSeriesItem *item = series && series->items->len > 0 ? series->items->pdata[0] : NULL;
  const StoreImage about = {.study_instance_uid = study->study_instance_uid,
                            .patient_id = patient->patient_id,
                            .patient_name = patient->name,
                            .study_date = study->date,
                            .study_description = study->description,
                            .path = path};

  if (series) {
    app_note_set_series(note, series, item);
    /* The study, not its first image, was opened; but an image of no study is known by its file. */
    if (note->about.study_instance_uid) {
      note->about.series_instance_uid = note->about.sop_instance_uid = note->about.path = NULL;
    }
  } else {
    app_note_set_about(note, &about);
  }
  app_note_set_number(note, "series", study->series->len);
  app_note_set_number(note, "images", images_of(study));
  app_note_set_number(note, "documents", study->documents->len);
  app_note_seal(note, "from", path);
  return note;
}

static AppNote *
more_note(const char *kind, const char *action, guint n, const char *path)
{
  AppNote *note = app_note_new(kind, action);

  app_note_set_number(note, "more", n);
  app_note_seal(note, "from", path);
  return note;
}

/* REASON begins with the path, which is told apart. */
static AppNote *
refused_note(const char *path, const char *reason, const char *kind, const char *from)
{
  AppNote *note = app_note_new("refused", kind);
  const gsize n = strlen(path);

  note->failed = TRUE;
  app_note_seal(note, "path", path);
  app_note_seal(note, "reason",
                strncmp(reason, path, n) == 0 && strncmp(reason + n, ": ", 2) == 0 ? reason + n + 2
                                                                                   : reason);
  app_note_seal(note, "from", from);
  return note;
}

void
app_notes_scan(AppNotes *notes, const DicomScan *scan, const char *path)
{
  g_autofree char *from = notes ? g_filename_display_name(path) : NULL;
  guint n = 0;

  if (!notes) {
    return;
  }
  for (guint p = 0; p < scan->patients->len; p++) {
    const DicomPatient *patient = scan->patients->pdata[p];
    for (guint s = 0; s < patient->studies->len; s++) {
      if (n++ < MOST_STUDIES) {
        app_notes_push(notes, study_note(patient, patient->studies->pdata[s], from));
      }
    }
  }
  if (n > MOST_STUDIES) {
    app_notes_push(notes, more_note("import", "open", n - MOST_STUDIES, from));
  }
  for (guint i = 0; i < MIN(scan->refused->len, MOST_REFUSED); i++) {
    app_notes_push(notes, refused_note(scan->refused_paths->pdata[i], scan->refused->pdata[i],
                                       scan->refused_kinds->pdata[i], from));
  }
  if (scan->refused->len > MOST_REFUSED) {
    app_notes_push(notes, more_note("refused", "more", scan->refused->len - MOST_REFUSED, from));
  }
}

/* ---- opening ------------------------------------------------------------------------------- */

typedef struct {
  AppNotes *notes;
  char *path;
  gboolean around;
  guint frame;
} Opening;

static void
opening_free(gpointer data)
{
  Opening *opening = data;

  app_notes_unref(opening->notes);
  g_free(opening->path);
  g_free(opening);
}

static void
open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Opening *opening = data;
  GError *error = NULL;
  AppStudy *study = opening->around
                        ? app_study_open_around_while(opening->path, opening->frame, opening->notes,
                                                      cancellable, &error)
                        : app_study_open_while(opening->path, opening->notes, cancellable, &error);

  if (study) {
    g_task_return_pointer(task, study, (GDestroyNotify)app_study_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_notes_open_study_async(AppNotes *notes, const char *path, gboolean around, guint frame,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Opening *opening = g_new0(Opening, 1);

  app_frame_cache_watch();
  opening->notes = app_notes_ref(notes);
  opening->path = g_strdup(path);
  opening->around = around;
  opening->frame = frame;
  g_task_set_source_tag(task, app_notes_open_study_async);
  g_task_set_task_data(task, opening, opening_free);
  g_task_run_in_thread(task, open_in_thread);
}

/* ---- one file, one model ------------------------------------------------------------------- */

AppNote *
app_note_new_file(const char *path, const DicomInfo *info, const GError *error)
{
  g_autofree char *name = g_filename_display_name(path);
  AppNote *note;

  if (!info) {
    return refused_note(name, error ? error->message : "", dicom_refusal_kind(error), NULL);
  }
  const StoreImage about = {.study_instance_uid = info->study_instance_uid,
                            .series_instance_uid = info->series_instance_uid,
                            .patient_id = info->patient_id,
                            .patient_name = info->patient_name,
                            .study_date = info->study_date,
                            .study_description = info->study_description,
                            .modality = info->modality,
                            .path = info->path,
                            .sop_instance_uid = info->sop_instance_uid,
                            .sop_class = info->sop_class};
  note = app_note_new("import", "open");
  app_note_set_about(note, &about);
  app_note_seal(note, "from", name);
  return note;
}

AppNote *
app_note_new_model(const StoreModel *model, const GError *error)
{
  AppNote *note = app_note_new("loaded", "model");

  note->failed = error != NULL;
  app_note_set(note, "name", model->name);
  app_note_set(note, "sha256", model->sha256);
  app_note_set(note, "quantization", model->quantization);
  app_note_set(note, "engine", app_engine_text(model->engine));
  app_note_seal(note, "path", model->path);
  app_note_seal(note, "reason", error ? error->message : NULL);
  return note;
}
