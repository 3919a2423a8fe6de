/* slice-tags.c - the elements of an image's file, for the tag browser. */
#include <string.h>

#include "decoder.h"
#include "slice.h"

void
app_tag_free(AppTag *tag)
{
  if (tag) {
    g_free(tag->tag);
    g_free(tag->vr);
    g_free(tag->keyword);
    g_free(tag->value);
    g_free(tag);
  }
}

static AppTag *
tag_new(const DicomTag *from)
{
  AppTag *tag = g_new0(AppTag, 1);
  char vr[3];
  const char *keyword = dicom_attribute_name(from->tag, vr);

  tag->depth = from->depth;
  tag->tag = g_strdup_printf("(%04X,%04X)", from->tag >> 16, from->tag & 0xffff);
  tag->vr = g_strdup(from->vr[0] ? from->vr : vr);
  tag->keyword = g_strdup(keyword);
  tag->value = g_strdup(from->value);
  if (from->tag == 0) { /* there are more */
    tag->tag[0] = '\0';
    g_free(tag->value);
    tag->value = g_strdup("\xe2\x80\xa6");
  }
  return tag;
}

static void
tags_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr(GPtrArray) from = NULL;
  GPtrArray *tags;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  from = app_decoder_tags(data, cancellable, &error);
  if (!from) {
    g_task_return_error(task, error);
    return;
  }
  tags = g_ptr_array_new_with_free_func((GDestroyNotify)app_tag_free);
  for (guint i = 0; i < from->len; i++) {
    g_ptr_array_add(tags, tag_new(from->pdata[i]));
  }
  g_task_return_pointer(task, tags, (GDestroyNotify)g_ptr_array_unref);
}

void
app_study_tags_async(AppStudy *study, guint series, guint index, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  const AppStudySeries *s;
  guint item, frame;

  g_return_if_fail(series < study->series->len);
  s = study->series->pdata[series];
  g_return_if_fail(index < s->info.n_images);
  g_task_set_source_tag(task, app_study_tags_async);
  g_task_set_task_data(task, g_strdup(app_study_locate(s, index, &item, &frame)->path), g_free);
  g_task_run_in_thread(task, tags_in_thread);
}

GPtrArray *
app_study_tags_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
