/* slice.c - one image of a study for a viewer: its life, and how it is got. */
#include "slice.h"

#include "decoder.h"

AppSlice *
app_slice_ref(AppSlice *slice)
{
  g_atomic_int_inc(&slice->n_refs);
  return slice;
}

void
app_slice_unref(AppSlice *slice)
{
  if (slice && g_atomic_int_dec_and_test(&slice->n_refs)) {
    app_slice_forget(slice);
    dicom_frame_unref(slice->frame);
    dicom_frame_unref(slice->measured);
    g_free(slice->texts);
    app_facts_unref(slice->header);
    g_free(slice->label);
    g_free(slice->path);
    g_free(slice);
  }
}

const AppSliceFacts *
app_slice_facts(const AppSlice *slice)
{
  return &slice->facts;
}

/* Takes FRAME, MEASURED and HEADER. */
static AppSlice *
slice_new(const AppStudySeries *series, guint number, guint index, DicomFrame *frame,
          DicomFrame *measured, AppFacts *header)
{
  AppSlice *slice = g_new0(AppSlice, 1);
  const DicomSeriesItem *item;
  guint at, stored;

  item = app_study_locate(series, index, &at, &stored);
  slice->n_refs = 1;
  slice->frame = frame;
  slice->measured = measured ? measured : dicom_frame_ref(frame);
  slice->header = header;
  slice->path = g_strdup(item->path);
  slice->label =
      g_strdup_printf("%s%s%u/%u", series->info.modality, *series->info.modality ? " " : "",
                      index + 1, series->info.n_images);
  slice->facts.series = number;
  slice->facts.index = index;
  slice->facts.path = slice->path;
  slice->facts.frame = stored;
  slice->facts.label = slice->label;
  app_slice_describe(slice, series, at);
  return slice;
}

AppSlice *
app_slice_new_look(AppStudy *study, AppSlice *plain, DicomFrame *look)
{
  const AppStudySeries *series = study->series->pdata[plain->facts.series];

  return slice_new(series, plain->facts.series, plain->facts.index, look,
                   dicom_frame_ref(plain->measured), g_atomic_rc_box_acquire(plain->header));
}

static AppStudySeries *
series_of(AppStudy *study, guint series, guint index)
{
  AppStudySeries *s;

  g_return_val_if_fail(series < study->series->len, NULL);
  s = study->series->pdata[series];
  g_return_val_if_fail(index < s->info.n_images, NULL);
  return s;
}

AppSlice *
app_study_peek_slice(AppStudy *study, guint series, guint index)
{
  AppStudySeries *s = series_of(study, series, index);
  AppFacts *header;
  DicomFrame *frame;
  guint item, stored;

  if (!s) {
    return NULL;
  }
  app_study_locate(s, index, &item, &stored);
  header = app_study_ref_facts(study, s, item);
  if (!header) {
    return NULL;
  }
  frame = app_frame_group_peek(s->frames, index);
  if (!frame) {
    app_facts_unref(header);
    return NULL;
  }
  return slice_new(s, series, index, frame, NULL, header);
}

/* The header of the file, which was lost on the way when the frame came, or has not been asked for.
 */
static AppFacts *
need_header(AppStudy *study, AppStudySeries *series, guint index, GCancellable *cancellable,
            GError **error)
{
  const DicomSeriesItem *found;
  guint item, stored;
  AppFacts *header;

  found = app_study_locate(series, index, &item, &stored);
  header = app_study_ref_facts(study, series, item);
  if (!header) {
    g_autoptr(DicomInfo) info = app_decoder_info(found->path, cancellable, error);

    if (!info) {
      return NULL;
    }
    app_study_take_facts(study, series, item, g_steal_pointer(&info));
    header = app_study_ref_facts(study, series, item);
  }
  return header;
}

AppSlice *
app_study_slice(AppStudy *study, guint series, guint index, GCancellable *cancellable,
                GError **error)
{
  AppStudySeries *s = series_of(study, series, index);
  g_autoptr(DicomFrame) frame = NULL;
  AppFacts *header;

  if (!s) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "there is no such image in the study");
    return NULL;
  }
  frame = app_study_frame(study, series, index, cancellable, error);
  if (!frame) {
    return NULL;
  }
  header = need_header(study, s, index, cancellable, error);
  return header ? slice_new(s, series, index, g_steal_pointer(&frame), NULL, header) : NULL;
}
