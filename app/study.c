/* study.c - what the window shows: the series and the documents of a file or folder. */
#include "slice.h"
#include "study.h"

#include "decoder.h"

#include <glib/gi18n.h>
#include <string.h>

static void
series_free(gpointer data)
{
  AppStudySeries *series = data;

  for (guint i = 0; series->facts && i < series->series->items->len; i++) {
    g_clear_pointer(&series->facts[i], app_facts_unref);
  }
  g_free(series->facts);
  g_clear_pointer(&series->frames, app_frame_group_free);
  g_clear_pointer(&series->keys, g_array_unref);
  g_strfreev(series->info.notes);
  g_free(series->info.title);
  g_free(series->info.subtitle);
  g_free(series->info.modality);
  g_free(series->info.patient_name);
  g_free(series->info.study_date);
  g_free(series->info.study_description);
  g_free(series->info.body_part);
  g_free(series->info.view_position);
  g_free(series->info.laterality);
  g_free(series->info.image_type);
  g_free(series->starts);
  g_free(series);
}

static void
document_free(gpointer data)
{
  AppDocument *document = data;

  g_free(document->title);
  g_free(document->kind);
  g_free(document->path);
  g_free(document);
}

static gpointer
destroy(gpointer data)
{
  AppStudy *study = data;

  g_clear_pointer(&study->series, g_ptr_array_unref);
  g_clear_pointer(&study->documents, g_ptr_array_unref);
  g_clear_pointer(&study->presentations, g_ptr_array_unref);
  g_queue_clear_full(&study->looks, (GDestroyNotify)app_slice_unref);
  g_clear_pointer(&study->scan, dicom_scan_free);
  g_clear_pointer(&study->context, g_main_context_unref);
  g_free(study->refused);
  g_free(study->summary);
  g_free(study->key_folder);
  g_mutex_clear(&study->key_lock);
  g_mutex_clear(&study->lock);
  g_free(study);
  app_slice_forget_pictures();
  app_frame_cache_trim();
  return NULL;
}

/* Giving gigabytes back to the system takes a while, which a window does not have. */
void
app_study_unref(AppStudy *study)
{
  GThread *thread;

  if (!g_atomic_int_dec_and_test(&study->n_refs)) {
    return;
  }
  thread = g_thread_try_new("hilum-close", destroy, study, NULL);
  if (thread) {
    g_thread_unref(thread);
  } else {
    destroy(study);
  }
}

AppStudy *
app_study_ref(AppStudy *study)
{
  g_atomic_int_inc(&study->n_refs);
  return study;
}

void
app_study_free(AppStudy *study)
{
  if (study) {
    app_prefetch_forget(study);
    app_study_set_listener(study, NULL, NULL);
    app_study_unref(study);
  }
}

static char *
series_title(const DicomSeries *series)
{
  if (series->series_description && *series->series_description) {
    return g_strdup(series->series_description);
  }
  if (series->series_number > 0) {
    return g_strdup_printf(_("Series %d"), series->series_number);
  }
  if (series->items->len > 0) {
    const DicomSeriesItem *item = series->items->pdata[0];
    return g_path_get_basename(item->path);
  }
  return g_strdup(_("Series"));
}

static char **
strings_copy(const GPtrArray *from)
{
  char **strings = g_new0(char *, from->len + 1);

  for (guint i = 0; i < from->len; i++) {
    strings[i] = g_strdup(from->pdata[i]);
  }
  return strings;
}

static AppBurnedIn
burned_in(const DicomSeries *series)
{
  /* Secondary captures and what is like them (PS3.4 B.5), and modalities with a screen of text. */
  static const char capture[] = "1.2.840.10008.5.1.4.1.1.7";
  static const char *const usual[] = {"US", "IVUS", "SC", "OT", "ES", "XC", "GM"};

  if (strcmp(series->burned_in_annotation, "YES") == 0) {
    return APP_BURNED_IN_YES;
  }
  if (strcmp(series->burned_in_annotation, "NO") == 0) {
    return APP_BURNED_IN_NO;
  }
  if (!*series->sop_class || g_str_has_prefix(series->sop_class, capture)) {
    return APP_BURNED_IN_MAYBE;
  }
  for (guint i = 0; i < G_N_ELEMENTS(usual); i++) {
    if (strcmp(series->modality, usual[i]) == 0) {
      return APP_BURNED_IN_MAYBE;
    }
  }
  return APP_BURNED_IN_NO;
}

char *
app_person_text(const char *name)
{
  g_auto(GStrv) writings = g_strsplit(name, "=", 2);
  g_auto(GStrv) parts = g_strsplit(writings[0] ? writings[0] : "", "^", 4);
  GString *text = g_string_new(NULL);

  for (guint i = 0; parts[i] && i < 3; i++) {
    if (*g_strstrip(parts[i])) {
      g_string_append_printf(text, "%s%s", text->len == 0 ? "" : i == 1 ? ", " : " ", parts[i]);
    }
  }
  return g_string_free(text, FALSE);
}

static void
describe_series(AppSeriesInfo *info, const DicomSeries *from)
{
  info->patient_name = app_person_text(from->patient_name);
  info->study_date = g_strdup(from->study_date);
  info->study_description = g_strdup(from->study_description);
  info->body_part = g_strdup(from->body_part_examined);
  info->view_position = g_strdup(from->view_position);
  info->laterality = g_strdup(from->laterality);
  info->image_type = g_strdup(from->image_type);
  info->burned_in = burned_in(from);
}

static AppStudySeries *
series_new(DicomSeries *from)
{
  AppStudySeries *series = g_new0(AppStudySeries, 1);
  g_autofree char *images = NULL;
  guint n = from->items->len;
  guint total = 0;

  series->series = from;
  series->starts = g_new(guint, n + 1);
  for (guint i = 0; i < n; i++) {
    const DicomSeriesItem *item = from->items->pdata[i];
    series->starts[i] = total;
    total += MIN(MAX(item->frames, 1), G_MAXINT - total);
  }
  series->starts[n] = total;
  series->frames = app_frame_group_new(total);
  series->facts = g_new0(AppFacts *, n);
  series->info.notes = strings_copy(from->notes);
  series->info.frame_time_ms = from->frame_time_ms;
  series->info.is_localizer = from->is_localizer;
  series->info.title = series_title(from);
  series->info.modality = g_strdup(from->modality ? from->modality : "");
  describe_series(&series->info, from);
  series->info.n_images = total;
  images = g_strdup_printf(ngettext("%u image", "%u images", total), total);
  series->info.subtitle =
      g_strdup_printf("%s%s%s", series->info.modality, *series->info.modality ? " · " : "", images);
  return series;
}

static AppDocument *
document_new(const DicomDocument *from)
{
  AppDocument *document = g_new0(AppDocument, 1);

  document->path = g_strdup(from->path);
  document->title = *from->title ? g_strdup(from->title) : g_path_get_basename(from->path);
  document->kind = g_strdup(from->content_name);
  /* Every one of them is called so. */
  if (g_str_has_suffix(document->kind, " Storage")) {
    document->kind[strlen(document->kind) - strlen(" Storage")] = '\0';
  }
  document->study = G_MAXUINT;
  document->has_text = from->content == DICOM_CONTENT_REPORT;
  document->is_pdf = from->content == DICOM_CONTENT_PDF;
  return document;
}

static char *
summary_text(const DicomScan *scan)
{
  guint n_refused = scan->refused->len, n_files = scan->n_files;
  GString *text = g_string_new(NULL);

  /* Translators: so many files of all that were found are shown */
  g_string_append_printf(text, ngettext("%u of %u file shown", "%u of %u files shown", n_files),
                         n_files - MIN(n_refused, n_files), n_files);
  if (n_refused > 0) {
    g_string_append_printf(text, ngettext(", %u refused", ", %u refused", n_refused), n_refused);
  }
  return g_string_free(text, FALSE);
}

/* Names are told from ROOT on, the folder that was opened: who opened it knows where it is. */
static char *
refused_text(GPtrArray *refused, const char *root)
{
  g_autofree char *shown = g_filename_display_name(root);
  g_autofree char *prefix =
      g_str_has_suffix(shown, "/") ? g_strdup(shown) : g_strconcat(shown, "/", NULL);
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < refused->len; i++) {
    g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", (const char *)refused->pdata[i]);
  }
  g_string_replace(text, prefix, "", 0);
  return g_string_free(text, FALSE);
}

/* Says of every series and document whose it is. */
static void
place_in_tree(AppStudy *study)
{
  const DicomScan *scan = study->scan;
  g_autoptr(GHashTable) found = g_hash_table_new(NULL, NULL); /* the scan's -> its twin here */
  guint n_studies = 0;

  for (guint i = 0; i < scan->series->len; i++) {
    g_hash_table_insert(found, scan->series->pdata[i], study->series->pdata[i]);
  }
  for (guint i = 0; i < scan->documents->len; i++) {
    g_hash_table_insert(found, scan->documents->pdata[i], study->documents->pdata[i]);
  }
  for (guint p = 0; p < scan->patients->len; p++) {
    const DicomPatient *patient = scan->patients->pdata[p];

    for (guint s = 0; s < patient->studies->len; s++, n_studies++) {
      const DicomStudy *from = patient->studies->pdata[s];

      for (guint i = 0; i < from->series->len; i++) {
        AppStudySeries *series = g_hash_table_lookup(found, from->series->pdata[i]);

        series->info.patient = p;
        series->info.study = n_studies;
      }
      for (guint i = 0; i < from->documents->len; i++) {
        AppDocument *document = g_hash_table_lookup(found, from->documents->pdata[i]);

        document->study = n_studies;
      }
    }
  }
}

/* Takes SCAN. */
static AppStudy *
study_new(DicomScan *scan, const char *path)
{
  AppStudy *study = g_new0(AppStudy, 1);
  guint n_presentations = 0;

  study->n_refs = 1;
  g_mutex_init(&study->lock);
  g_mutex_init(&study->key_lock);
  study->series = g_ptr_array_new_with_free_func(series_free);
  study->documents = g_ptr_array_new_with_free_func(document_free);
  study->scan = scan;
  study->refused = refused_text(scan->refused, path);
  study->summary = summary_text(scan);
  for (guint i = 0; i < scan->series->len; i++) {
    g_ptr_array_add(study->series, series_new(scan->series->pdata[i]));
  }
  for (guint i = 0; i < scan->documents->len; i++) {
    const DicomDocument *from = scan->documents->pdata[i];
    AppDocument *document = document_new(from);

    /* In the order of app_presentations_new(). */
    document->presentation = from->content == DICOM_CONTENT_PRESENTATION ? ++n_presentations : 0;
    g_ptr_array_add(study->documents, document);
  }
  study->presentations = app_presentations_new(scan);
  place_in_tree(study);
  return study;
}

AppStudy *
app_study_open_while(const char *path, AppNotes *notes, GCancellable *cancellable, GError **error)
{
  const char *const paths[] = {path, NULL};
  g_autoptr(DicomScan) scan = app_decoder_scan(paths, NULL, NULL, cancellable, error);

  if (g_cancellable_is_cancelled(cancellable)) {
    g_clear_error(error);
    g_cancellable_set_error_if_cancelled(cancellable, error);
    return NULL;
  }
  if (!scan) {
    return NULL;
  }
  app_notes_scan(notes, scan, path);
  if (scan->series->len == 0 && scan->documents->len == 0) {
    g_autofree char *why = refused_text(scan->refused, path);
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, _("%s: no image to show%s%s"), path,
                *why ? "; " : "", why);
    return NULL;
  }
  return study_new(g_steal_pointer(&scan), path);
}

AppStudy *
app_study_open(const char *path, GError **error)
{
  return app_study_open_while(path, NULL, NULL, error);
}

static void
open_in_thread(GTask *task, gpointer source, gpointer path, GCancellable *cancellable)
{
  GError *error = NULL;
  AppStudy *study = app_study_open_while(path, NULL, cancellable, &error);

  if (study) {
    g_task_return_pointer(task, study, (GDestroyNotify)app_study_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_open_async(const char *path, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  app_frame_cache_watch();
  g_task_set_source_tag(task, app_study_open_async);
  g_task_set_task_data(task, g_strdup(path), g_free);
  g_task_run_in_thread(task, open_in_thread);
}

AppStudy *
app_study_open_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

guint
app_study_n_series(AppStudy *study)
{
  return study->series->len;
}

const AppSeriesInfo *
app_study_series(AppStudy *study, guint series)
{
  const AppStudySeries *s;

  g_return_val_if_fail(series < study->series->len, NULL);
  s = study->series->pdata[series];
  return &s->info;
}

const char *
app_study_refused(AppStudy *study, guint *n_refused)
{
  if (n_refused) {
    *n_refused = study->scan->refused->len;
  }
  return study->refused;
}

const char *
app_study_summary(AppStudy *study)
{
  return study->summary;
}

guint
app_study_n_documents(AppStudy *study)
{
  return study->documents->len;
}

const AppDocument *
app_study_document(AppStudy *study, guint document)
{
  g_return_val_if_fail(document < study->documents->len, NULL);
  return study->documents->pdata[document];
}
