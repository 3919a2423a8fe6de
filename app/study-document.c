/* study-document.c - the files of a study that are no images: their text, their PDF. */
#include "study.h"

#include "decoder.h"

#include <string.h>

typedef struct {
  AppStudy *study;
  const AppDocument *document;
  char *out;
} Reading;

static void
reading_free(gpointer data)
{
  Reading *reading = data;

  app_study_unref(reading->study);
  g_free(reading->out);
  g_free(reading);
}

static Reading *
reading_new(AppStudy *study, guint document, const char *out)
{
  Reading *reading = g_new0(Reading, 1);

  reading->study = app_study_ref(study);
  reading->document = app_study_document(study, document);
  reading->out = g_strdup(out);
  return reading;
}

static void
text_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Reading *reading = data;
  GError *error = NULL;
  char *text;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  text = app_decoder_report_text(reading->document->path, &error);
  if (text) {
    g_task_return_pointer(task, text, g_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_document_text_async(AppStudy *study, guint document, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_return_if_fail(document < study->documents->len);
  g_task_set_source_tag(task, app_study_document_text_async);
  g_task_set_task_data(task, reading_new(study, document, NULL), reading_free);
  g_task_run_in_thread(task, text_in_thread);
}

char *
app_study_document_text_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* What is written under a name that other programs open must be what it says it is. */
static gboolean
save(const Reading *reading, GError **error)
{
  g_autoptr(GBytes) pdf = app_decoder_pdf(reading->document->path, error);
  gsize n;
  const char *bytes;

  if (!pdf) {
    return FALSE;
  }
  bytes = g_bytes_get_data(pdf, &n);
  if (n < 4 || memcmp(bytes, "%PDF", 4) != 0) {
    g_autofree char *name = g_filename_display_name(reading->document->path);

    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: EncapsulatedDocument does not begin with %%PDF", name);
    return FALSE;
  }
  return app_file_write(reading->out, bytes, n, error);
}

static void
save_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (save(data, &error)) {
    g_task_return_boolean(task, TRUE);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_document_save_async(AppStudy *study, guint document, const char *path,
                              GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user);

  g_return_if_fail(document < study->documents->len);
  g_task_set_source_tag(task, app_study_document_save_async);
  g_task_set_task_data(task, reading_new(study, document, path), reading_free);
  g_task_run_in_thread(task, save_in_thread);
}

gboolean
app_study_document_save_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}
