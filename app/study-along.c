/* study-along.c - stacks of two examinations beside each other: which image goes with which.
 *
 * Frames of reference of two examinations have nothing in common, so a place in one is no place in
 * the other. What both have is mm along the stack.
 */
#include <math.h>

#include "app_slice.h"
#include "study.h"

/* Stacks that lean more than this to each other show different planes: cosine of 15 degrees. */
#define ALIKE 0.966

static double
along_of(const AppStudySeries *series, guint index)
{
  guint item_at = 0, frame = 0;
  const DicomSeriesItem *item = app_study_locate(series, index, &item_at, &frame);
  const guint k = index - series->starts[item_at];

  return item->alongs && k < item->alongs->len ? g_array_index(item->alongs, double, k)
                                               : item->along;
}

/* 1: both count the same way along one line; -1: opposite ways; 0: no stacks, or other planes. */
static int
direction(const AppStudySeries *a, const AppStudySeries *b)
{
  double cosine = 0;

  if (!a->series->has_normal || !b->series->has_normal) {
    return 0;
  }
  for (guint i = 0; i < 3; i++) {
    cosine += a->series->normal[i] * b->series->normal[i];
  }
  return cosine > ALIKE ? 1 : cosine < -ALIKE ? -1 : 0;
}

static guint
nearest_to(const AppStudySeries *series, double along)
{
  double best = INFINITY;
  guint found = 0;

  for (guint i = 0; i < series->info.n_images; i++) {
    double distance = fabs(along_of(series, i) - along);

    if (distance < best) {
      best = distance;
      found = i;
    }
  }
  return found;
}

static const AppStudySeries *
series_of(AppStudy *study, guint series, guint index)
{
  const AppStudySeries *one = series < study->series->len ? study->series->pdata[series] : NULL;

  return one && index < one->info.n_images ? one : NULL;
}

gboolean
app_study_along(AppStudy *study, guint series, guint from, guint index, guint other, guint beside,
                guint *found)
{
  const AppStudySeries *a = series_of(study, series, from);
  const AppStudySeries *b = series_of(study, other, beside);
  int way;

  g_return_val_if_fail(a && b && series_of(study, series, index), FALSE);
  way = direction(a, b);
  if (way == 0) {
    return FALSE;
  }
  *found = nearest_to(b, along_of(b, beside) + way * (along_of(a, index) - along_of(a, from)));
  return TRUE;
}

guint
app_study_beside(AppStudy *study, guint series, guint index, guint other)
{
  const AppStudySeries *a = series_of(study, series, index);
  const AppStudySeries *b = series_of(study, other, 0);
  guint last;
  double low, high, start, end, share;
  int way;

  g_return_val_if_fail(a && b, 0);
  last = a->info.n_images - 1;
  way = direction(a, b);
  if (way == 0 || last == 0) {
    return 0;
  }
  low = along_of(a, 0);
  high = along_of(a, last);
  start = along_of(b, 0);
  end = along_of(b, b->info.n_images - 1);
  share = high != low ? (along_of(a, index) - low) / (high - low) : 0;
  /* Both ends are ends of the patient, whichever comes first in its own stack. */
  if (way * (high - low) * (end - start) < 0) {
    share = 1 - share;
  }
  return nearest_to(b, start + share * (end - start));
}
