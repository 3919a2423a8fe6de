/* stack.c - images of one series become stacks, ordered by geometry (PS3.3 C.7.6.2). */
#include "stack.h"

#include <math.h>
#include <string.h>

/* The cosine of about a degree. */
#define SAME_DIRECTION 0.9998
/* Closer positions than this are one place: mm, far below any slice spacing. */
#define SAME_PLACE 1e-3
/* Positions farther from the origin are no positions: mm; a table is two metres long. */
#define FARTHEST 1e6
/* More kinds of images than this are not stacks but, for instance, a rotation. */
#define MAX_KINDS 32

void
dicom_stack_free(DicomStack *stack)
{
  if (stack) {
    g_array_unref(stack->slices);
    g_ptr_array_unref(stack->notes);
    g_free(stack);
  }
}

static DicomStack *
stack_new(guint split)
{
  DicomStack *stack = g_new0(DicomStack, 1);

  stack->slices = g_array_new(FALSE, FALSE, sizeof(DicomSlice));
  stack->notes = g_ptr_array_new_with_free_func(g_free);
  stack->split = split;
  return stack;
}

static DicomSlice *
slice_at(const GArray *slices, guint i)
{
  return &g_array_index(slices, DicomSlice, i);
}

static double
dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* FALSE when it is no direction. */
static gboolean
normalise(double v[3])
{
  double length = sqrt(dot(v, v));

  if (!(length > 0.5 && length < 2)) {
    return FALSE;
  }
  for (guint i = 0; i < 3; i++) {
    v[i] /= length;
  }
  return TRUE;
}

void
dicom_slice_place(DicomSlice *slice, const DicomPlane *plane)
{
  const double *o = plane->orientation, *p = plane->position;
  double *n = slice->normal;

  slice->stack_id = plane->stack;
  slice->has_geometry = FALSE;
  if (!plane->has_position || !plane->has_orientation ||
      !(fabs(p[0]) < FARTHEST && fabs(p[1]) < FARTHEST && fabs(p[2]) < FARTHEST)) {
    return;
  }
  memcpy(slice->position, p, sizeof slice->position);
  memcpy(slice->row, o, sizeof slice->row);
  memcpy(slice->column, o + 3, sizeof slice->column);
  n[0] = o[1] * o[5] - o[2] * o[4];
  n[1] = o[2] * o[3] - o[0] * o[5];
  n[2] = o[0] * o[4] - o[1] * o[3];
  slice->has_geometry = normalise(slice->row) && normalise(slice->column) && normalise(n);
}

gboolean
dicom_is_localizer(const char *image_type)
{
  g_auto(GStrv) values = g_strsplit(image_type, "\\", 4);

  return g_strv_length(values) >= 3 && strcmp(g_strstrip(values[2]), "LOCALIZER") == 0;
}

gboolean
dicom_slices_are_parallel(const DicomSlice *a, const DicomSlice *b)
{
  return dot(a->normal, b->normal) >= SAME_DIRECTION && dot(a->row, b->row) >= SAME_DIRECTION;
}

/* ---- order -------------------------------------------------------------------------------- */

static gint
by_number(const DicomSlice *a, const DicomSlice *b)
{
  if (a->number != b->number) {
    return a->number < b->number ? -1 : 1;
  }
  return a->index < b->index ? -1 : a->index > b->index;
}

static gint
compare_number(gconstpointer a, gconstpointer b)
{
  return by_number(a, b);
}

static gint
compare_along(gconstpointer a, gconstpointer b)
{
  const DicomSlice *x = a, *y = b;

  return x->along < y->along ? -1 : x->along > y->along ? 1 : by_number(x, y);
}

static gint
compare_place(gconstpointer a, gconstpointer b)
{
  const DicomSlice *x = a, *y = b;

  return x->place != y->place ? (x->place < y->place ? -1 : 1) : by_number(x, y);
}

/* Number of places. Afterwards the slices are in order, those at one place by their numbers. */
static guint
find_places(GArray *slices)
{
  guint place = 0;

  g_array_sort(slices, compare_along);
  for (guint i = 0; i < slices->len; i++) {
    DicomSlice *slice = slice_at(slices, i);

    if (i > 0 && slice->along - slice_at(slices, i - 1)->along > SAME_PLACE) {
      place++;
    }
    slice->place = place;
  }
  g_array_sort(slices, compare_place);
  return place + 1;
}

/* All images have a place, face the same way, and are not all at the same spot. */
static gboolean
sort_by_geometry(GArray *slices, guint *n_places)
{
  DicomSlice first = *slice_at(slices, 0);
  gboolean parallel = TRUE;

  *n_places = 0;
  for (guint i = 0; i < slices->len; i++) {
    DicomSlice *slice = slice_at(slices, i);

    if (!slice->has_geometry) {
      return FALSE;
    }
    parallel = parallel && dicom_slices_are_parallel(&first, slice);
    slice->along = dot(slice->position, first.normal);
  }
  if (!parallel) {
    return FALSE;
  }
  *n_places = find_places(slices);
  return *n_places > 1;
}

/* ---- phases and echoes ---------------------------------------------------------------------- */

static gint
compare_key(const DicomSlice *a, const DicomSlice *b, guint key)
{
  gint order = 0;

  if (key & DICOM_SPLIT_TEMPORAL) {
    order = (a->temporal_position > b->temporal_position) -
            (a->temporal_position < b->temporal_position);
  }
  if (order == 0 && (key & DICOM_SPLIT_ACQUISITION)) {
    order = (a->acquisition > b->acquisition) - (a->acquisition < b->acquisition);
  }
  if (order == 0 && (key & DICOM_SPLIT_ECHO)) {
    order = (a->echo_time > b->echo_time) - (a->echo_time < b->echo_time);
  }
  return order;
}

static gint
compare_phase(gconstpointer a, gconstpointer b, gpointer key)
{
  gint order = compare_key(a, b, GPOINTER_TO_UINT(key));

  return order != 0 ? order : compare_place(a, b);
}

/* SLICES are in phases by KEY when none of these has two images at one place, or only one image.
 * Sorts them; the stacks come in the order of the key. NULL when they are not. */
static GPtrArray *
try_phases(GArray *slices, guint key)
{
  g_autoptr(GPtrArray) phases = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_stack_free);
  DicomStack *phase = NULL;

  g_array_sort_with_data(slices, compare_phase, GUINT_TO_POINTER(key));
  for (guint i = 0; i < slices->len; i++) {
    const DicomSlice *slice = slice_at(slices, i);
    const DicomSlice *before = i > 0 ? slice_at(slices, i - 1) : NULL;

    if (!before || compare_key(before, slice, key) != 0) {
      if (phase && phase->slices->len < 2) {
        return NULL;
      }
      phase = stack_new(key);
      g_ptr_array_add(phases, phase);
    } else if (before->place == slice->place) {
      return NULL;
    }
    g_array_append_vals(phase->slices, slice, 1);
  }
  return phases->len > 1 && phase->slices->len > 1 ? g_steal_pointer(&phases) : NULL;
}

/* The places are there several times: by which attribute do the images become clean stacks? */
static GPtrArray *
split_phases(const GArray *slices)
{
  static const guint keys[] = {DICOM_SPLIT_TEMPORAL,
                               DICOM_SPLIT_ACQUISITION,
                               DICOM_SPLIT_ECHO,
                               DICOM_SPLIT_TEMPORAL | DICOM_SPLIT_ECHO,
                               DICOM_SPLIT_ACQUISITION | DICOM_SPLIT_ECHO,
                               DICOM_SPLIT_TEMPORAL | DICOM_SPLIT_ACQUISITION | DICOM_SPLIT_ECHO};
  g_autoptr(GArray) copy = g_array_copy((GArray *)slices);

  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    GPtrArray *phases = try_phases(copy, keys[i]);
    if (phases) {
      return phases;
    }
  }
  return NULL;
}

/* ---- kinds of images ------------------------------------------------------------------------ */

/* What divides A from B, as DicomSplit. Images without geometry, radiographs for instance, are
 * often of different sizes, and nobody scrolls through them: there size divides nothing. */
static guint
difference(const DicomSlice *a, const DicomSlice *b)
{
  guint split = 0;

  if (a->has_geometry != b->has_geometry) {
    return DICOM_SPLIT_POSITION;
  }
  if (a->has_geometry) {
    split |= dicom_slices_are_parallel(a, b) ? 0 : DICOM_SPLIT_ORIENTATION;
    split |= a->rows == b->rows && a->columns == b->columns ? 0 : DICOM_SPLIT_SIZE;
  }
  return split;
}

/* Adds a stack for each kind of image to KINDS; FALSE when there are too many. */
static gboolean
find_kinds(const GArray *slices, GPtrArray *kinds)
{
  guint split = 0;

  for (guint i = 0; i < slices->len; i++) {
    const DicomSlice *slice = slice_at(slices, i);
    DicomStack *own = NULL;

    for (guint k = 0; k < kinds->len && !own; k++) {
      DicomStack *kind = kinds->pdata[k];
      own = difference(slice_at(kind->slices, 0), slice) == 0 ? kind : NULL;
    }
    if (!own) {
      if (kinds->len == MAX_KINDS) {
        return FALSE;
      }
      own = stack_new(0);
      g_ptr_array_add(kinds, own);
      split |= difference(slice_at(slices, 0), slice);
    }
    g_array_append_vals(own->slices, slice, 1);
  }
  for (guint k = 0; k < kinds->len; k++) {
    ((DicomStack *)kinds->pdata[k])->split = split;
  }
  return TRUE;
}

static void
move_stacks(GPtrArray *to, GPtrArray *from, guint split)
{
  for (guint i = 0; i < from->len; i++) {
    DicomStack *stack = from->pdata[i];

    stack->split |= split;
    g_ptr_array_add(to, stack);
    from->pdata[i] = NULL;
  }
}

/* Images of several kinds become several stacks, unless that would only scatter them: three
 * localisers in three directions are seen better together. */
static void
split_kinds(const GArray *slices, guint split, GPtrArray *stacks)
{
  g_autoptr(GPtrArray) kinds = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_stack_free);

  if (!find_kinds(slices, kinds) || 2 * kinds->len > slices->len) {
    DicomStack *whole = stack_new(0);

    g_array_append_vals(whole->slices, slices->data, slices->len);
    g_ptr_array_set_size(kinds, 0);
    g_ptr_array_add(kinds, whole);
  }
  move_stacks(stacks, kinds, split);
}

static guint
class_of(const DicomSlice *slice)
{
  return slice->stack_id * 2 + (slice->is_localizer ? 1 : 0);
}

static gint
compare_class(gconstpointer a, gconstpointer b)
{
  guint x = class_of(a), y = class_of(b);
  guint i = ((const DicomSlice *)a)->index, j = ((const DicomSlice *)b)->index;

  return x != y ? (x < y ? -1 : 1) : i < j ? -1 : i > j;
}

/* Localisers and stacks of different StackID (PS3.3 C.7.6.16.2.2) are always apart. */
static GPtrArray *
split_classes(const GArray *slices)
{
  GPtrArray *stacks = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_stack_free);
  g_autoptr(GArray) sorted = g_array_copy((GArray *)slices);
  guint split = 0;

  g_array_sort(sorted, compare_class);
  for (guint i = 0; i < sorted->len; i++) {
    const DicomSlice *first = slice_at(sorted, 0), *slice = slice_at(sorted, i);

    split |= first->stack_id != slice->stack_id ? DICOM_SPLIT_STACK_ID : 0;
    split |= first->is_localizer != slice->is_localizer ? DICOM_SPLIT_LOCALIZER : 0;
  }
  for (guint i = 0, end; i < sorted->len; i = end) {
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(DicomSlice));

    for (end = i;
         end < sorted->len && class_of(slice_at(sorted, end)) == class_of(slice_at(sorted, i));
         end++) {
    }
    g_array_append_vals(own, slice_at(sorted, i), end - i);
    split_kinds(own, split, stacks);
  }
  return stacks;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void
find_normal(DicomStack *stack)
{
  const DicomSlice *first = slice_at(stack->slices, 0);

  memcpy(stack->normal, first->normal, sizeof stack->normal);
  stack->has_normal = TRUE;
  for (guint i = 0; i < stack->slices->len; i++) {
    const DicomSlice *slice = slice_at(stack->slices, i);

    stack->has_normal =
        stack->has_normal && slice->has_geometry && dicom_slices_are_parallel(first, slice);
  }
}

/* Order and notes. Whether there are images at one place beside others. */
static gboolean
settle(DicomStack *stack)
{
  guint n_places;

  stack->is_localizer = slice_at(stack->slices, 0)->is_localizer;
  find_normal(stack); /* of the same slice that sorting goes by */
  stack->sorted_by_geometry = sort_by_geometry(stack->slices, &n_places);
  if (!stack->sorted_by_geometry) {
    g_array_sort(stack->slices, compare_number);
    for (guint i = 0; i < stack->slices->len; i++) {
      DicomSlice *slice = slice_at(stack->slices, i);
      slice->along = !slice->has_geometry ? 0
                     : stack->has_normal  ? dot(slice->position, stack->normal)
                                          : dot(slice->position, slice->normal);
    }
  }
  return stack->sorted_by_geometry && n_places < stack->slices->len;
}

/* Takes STACK. */
static void
finish(GPtrArray *done, DicomStack *stack, const DicomStackFacts *facts)
{
  g_autoptr(GPtrArray) phases = settle(stack) ? split_phases(stack->slices) : NULL;

  for (guint i = 0; phases && i < phases->len; i++) {
    DicomStack *phase = phases->pdata[i];

    settle(phase);
    phase->split |= stack->split;
    dicom_stack_note(phase, facts);
    g_ptr_array_add(done, phase);
    phases->pdata[i] = NULL;
  }
  if (phases) {
    dicom_stack_free(stack);
  } else {
    dicom_stack_note(stack, facts);
    g_ptr_array_add(done, stack);
  }
}

GPtrArray *
dicom_stacks_make(const GArray *slices, const DicomStackFacts *facts)
{
  GPtrArray *done = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_stack_free);
  g_autoptr(GPtrArray) stacks = split_classes(slices);

  for (guint i = 0; i < stacks->len; i++) {
    finish(done, stacks->pdata[i], facts);
    stacks->pdata[i] = NULL;
  }
  return done;
}
