/* study-presentation.c - which presentation states there are, and which images they are about. */
#include "app_presentation.h"

#include <string.h>

#include "study.h"

/* AppPresentation is what callers see of it. */
typedef struct {
  AppPresentation info;
  const DicomDocument *document; /* of the scan */
  GHashTable *frames;            /* SOPInstanceUID -> "2\\5", from 1; "": all; borrowed */
} Presentation;

static void
presentation_free(gpointer data)
{
  Presentation *presentation = data;

  g_free(presentation->info.name);
  g_free(presentation->info.creator);
  g_free(presentation->info.date);
  g_hash_table_unref(presentation->frames);
  g_free(presentation);
}

static Presentation *
presentation_new(const DicomDocument *document)
{
  Presentation *presentation = g_new0(Presentation, 1);

  presentation->info.name = g_strdup(document->title);
  presentation->info.creator = app_person_text(document->creator);
  presentation->info.date = g_strdup(document->date);
  presentation->document = document;
  presentation->frames = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < document->referenced_instances->len; i++) {
    const char *frames =
        i < document->referenced_frames->len ? document->referenced_frames->pdata[i] : "";

    g_hash_table_insert(presentation->frames, document->referenced_instances->pdata[i],
                        (gpointer)frames);
  }
  return presentation;
}

GPtrArray *
app_presentations_new(const DicomScan *scan)
{
  GPtrArray *all = g_ptr_array_new_with_free_func(presentation_free);

  for (guint i = 0; i < scan->documents->len; i++) {
    const DicomDocument *document = scan->documents->pdata[i];

    if (document->content == DICOM_CONTENT_PRESENTATION) {
      g_ptr_array_add(all, presentation_new(document));
    }
  }
  return all;
}

guint
app_study_n_presentations(AppStudy *study)
{
  return study->presentations->len;
}

const AppPresentation *
app_study_presentation(AppStudy *study, guint presentation)
{
  g_return_val_if_fail(presentation < study->presentations->len, NULL);
  return study->presentations->pdata[presentation];
}

const char *
app_study_presentation_path(AppStudy *study, guint presentation)
{
  const Presentation *found = study->presentations->pdata[presentation];

  return found->document->path;
}

static gboolean
has_number(const char *frames, guint number)
{
  g_auto(GStrv) parts = g_strsplit(frames, "\\", -1);

  for (guint i = 0; parts[i]; i++) {
    if (g_ascii_strtoull(parts[i], NULL, 10) == number) {
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
app_study_presentation_refers(AppStudy *study, guint presentation, guint series, guint index)
{
  const Presentation *found;
  const AppStudySeries *s;
  const DicomSeriesItem *item;
  const char *frames;
  guint at, frame;

  g_return_val_if_fail(presentation < study->presentations->len, FALSE);
  g_return_val_if_fail(series < study->series->len, FALSE);
  found = study->presentations->pdata[presentation];
  s = study->series->pdata[series];
  if (index >= s->info.n_images) {
    return FALSE;
  }
  item = app_study_locate(s, index, &at, &frame);
  frames = g_hash_table_lookup(found->frames, item->sop_instance_uid);
  return frames && (!*frames || has_number(frames, frame + 1));
}

gboolean
app_study_presentation_image(AppStudy *study, guint presentation, guint *series, guint *index)
{
  for (*series = 0; *series < study->series->len; (*series)++) {
    guint n = app_study_series(study, *series)->n_images;

    for (*index = 0; *index < n; (*index)++) {
      if (app_study_presentation_refers(study, presentation, *series, *index)) {
        return TRUE;
      }
    }
  }
  return FALSE;
}
