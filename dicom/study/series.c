/* series.c - the images of a series become DicomSeries, one for each stack. */
#include "collect.h"

#include <string.h>

static void
item_free(gpointer data)
{
  DicomSeriesItem *item = data;

  g_free(item->path);
  g_free(item->sop_instance_uid);
  g_clear_pointer(&item->frame_order, g_array_unref);
  g_clear_pointer(&item->alongs, g_array_unref);
  g_free(item);
}

void
dicom_series_free(DicomSeries *series)
{
  if (series) {
    g_free(series->series_instance_uid);
    g_free(series->study_instance_uid);
    g_free(series->modality);
    g_free(series->series_description);
    g_free(series->study_description);
    g_free(series->patient_name);
    g_free(series->patient_id);
    g_free(series->study_date);
    g_free(series->sop_class);
    g_free(series->image_type);
    g_free(series->body_part_examined);
    g_free(series->view_position);
    g_free(series->laterality);
    g_free(series->burned_in_annotation);
    g_free(series->frame_of_reference_uid);
    g_ptr_array_unref(series->items);
    g_ptr_array_unref(series->notes);
    g_free(series);
  }
}

guint
dicom_series_item_frame(const DicomSeriesItem *item, guint index)
{
  g_return_val_if_fail(index < item->frames, 0);
  return item->frame_order ? g_array_index(item->frame_order, guint, index) : index;
}

/* ---- stacks of one series ------------------------------------------------------------------- */

typedef struct {
  DicomSeries *series;
  gint number; /* the lowest InstanceNumber */
  guint rank;
} Made;

static DicomSeries *
series_new(const DicomRecord *record, DicomStack *stack)
{
  DicomSeries *series = g_new0(DicomSeries, 1);

  series->series_instance_uid = g_strdup(record->series_instance_uid);
  series->study_instance_uid = g_strdup(record->study_instance_uid);
  series->modality = g_strdup(record->modality);
  series->series_description = g_strdup(record->series_description);
  series->study_description = g_strdup(record->study_description);
  series->patient_name = g_strdup(record->patient_name);
  series->patient_id = g_strdup(record->patient_id);
  series->study_date = g_strdup(record->study_date);
  series->sop_class = g_strdup(record->sop_class);
  series->image_type = g_strdup(record->image_type);
  series->body_part_examined = g_strdup(record->body_part);
  series->view_position = g_strdup(record->view_position);
  series->laterality = g_strdup(record->laterality);
  series->burned_in_annotation = g_strdup(record->burned_in);
  series->series_number = record->series_number;
  series->frame_time_ms = record->frame_time_ms;
  series->items = g_ptr_array_new_with_free_func(item_free);
  series->sorted_by_geometry = stack->sorted_by_geometry;
  series->is_localizer = stack->is_localizer;
  series->spacing = stack->spacing;
  series->has_normal = stack->has_normal;
  memcpy(series->normal, stack->normal, sizeof series->normal);
  series->frame_of_reference_uid = g_strdup(record->frame_of_reference_uid);
  series->notes = g_steal_pointer(&stack->notes);
  stack->notes = g_ptr_array_new();
  return series;
}

static DicomSeriesItem *
add_item(DicomSeries *series, const DicomRecord *record, const DicomSlice *slice, guint n_frames)
{
  DicomSeriesItem *item = g_new0(DicomSeriesItem, 1);

  /* One image with text in its pixels is enough. */
  if (strcmp(record->burned_in, "YES") == 0 && strcmp(series->burned_in_annotation, "YES") != 0) {
    g_free(series->burned_in_annotation);
    series->burned_in_annotation = g_strdup(record->burned_in);
  }
  if (strcmp(record->frame_of_reference_uid, series->frame_of_reference_uid) != 0) {
    series->frame_of_reference_uid[0] = '\0';
  }
  item->path = g_strdup(record->path);
  item->frames = n_frames;
  item->sop_instance_uid = g_strdup(record->sop_instance_uid);
  item->instance_number = record->slice.number;
  item->has_position = slice->has_geometry;
  item->along = slice->along;
  g_ptr_array_add(series->items, item);
  return item;
}

static void
made_add(GArray *made, DicomSeries *series, gint number)
{
  Made one = {series, number, made->len};

  g_array_append_val(made, one);
}

/* Files of one image each. Returns what divides their stacks. */
static guint
make_of_images(GPtrArray *records, GArray *made)
{
  g_autoptr(GArray) slices = g_array_new(FALSE, FALSE, sizeof(DicomSlice));
  DicomStackFacts facts = {FALSE, FALSE};
  g_autoptr(GPtrArray) stacks = NULL;
  guint split = 0;

  for (guint i = 0; i < records->len; i++) {
    const DicomRecord *record = records->pdata[i];

    if (!record->frame_stacks) {
      DicomSlice slice = record->slice;
      slice.index = i;
      g_array_append_val(slices, slice);
      facts.is_ct = facts.is_ct || strcmp(record->modality, "CT") == 0;
    }
  }
  if (slices->len == 0) {
    return 0;
  }
  stacks = dicom_stacks_make(slices, &facts);
  for (guint i = 0; i < stacks->len; i++) {
    DicomStack *stack = stacks->pdata[i];
    const DicomSlice *slice = &g_array_index(stack->slices, DicomSlice, 0);
    DicomSeries *series = series_new(records->pdata[slice->index], stack);
    gint number = G_MAXINT;

    for (guint s = 0; s < stack->slices->len; s++) {
      slice = &g_array_index(stack->slices, DicomSlice, s);
      number = MIN(number, slice->number);
      add_item(series, records->pdata[slice->index], slice, 1);
    }
    split |= stack->split;
    made_add(made, series, number);
  }
  return split;
}

/* One object of several frames. */
static guint
make_of_frames(const DicomRecord *record, gboolean alone, GArray *made)
{
  guint split = alone ? 0 : DICOM_SPLIT_FRAMES;

  for (guint i = 0; i < record->frame_stacks->len; i++) {
    DicomFrameStack *own = record->frame_stacks->pdata[i];
    DicomSeries *series = series_new(record, own->stack);
    DicomSeriesItem *item =
        add_item(series, record, &g_array_index(own->stack->slices, DicomSlice, 0), own->n_frames);

    item->frame_order = g_steal_pointer(&own->order);
    item->alongs = g_steal_pointer(&own->alongs);
    split |= own->stack->split;
    made_add(made, series, record->slice.number);
  }
  return split;
}

static gint
compare_made(gconstpointer a, gconstpointer b)
{
  const Made *x = a, *y = b;

  if (x->number != y->number) {
    return x->number < y->number ? -1 : 1;
  }
  return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void
note_split(DicomSeries *series, guint split)
{
  g_autofree char *what = dicom_split_text(split);
  g_autoptr(GString) text = g_string_new(NULL);

  g_string_printf(text, "stack %u of the %u of this series", series->stack, series->n_stacks);
  if (*what) {
    g_string_append_printf(text, ", which differ in %s", what);
  }
  if (split & DICOM_SPLIT_FRAMES) {
    g_string_append(text, "; each object of several frames stands alone");
  }
  g_ptr_array_insert(series->notes, 0, g_strdup(text->str));
}

GPtrArray *
dicom_series_make(GPtrArray *records)
{
  GPtrArray *result = g_ptr_array_new();
  g_autoptr(GArray) made = g_array_new(FALSE, FALSE, sizeof(Made));
  guint split = make_of_images(records, made);

  for (guint i = 0; i < records->len; i++) {
    const DicomRecord *record = records->pdata[i];

    if (record->frame_stacks) {
      split |= make_of_frames(record, records->len == 1, made);
    }
  }
  g_array_sort(made, compare_made);
  for (guint i = 0; i < made->len; i++) {
    DicomSeries *series = g_array_index(made, Made, i).series;

    series->stack = i + 1;
    series->n_stacks = made->len;
    if (made->len > 1) {
      note_split(series, split);
    }
    g_ptr_array_add(result, series);
  }
  return result;
}
