/* window-hang.c - which images are shown side by side when a study is opened. */
#include "window/window-hang.h"

#include <string.h>

#include "app_slice.h"

#define NONE G_MAXUINT

static gboolean
is_one_of(const char *text, const char *const *list)
{
  return text && g_strv_contains(list, text);
}

static gboolean
is_radiograph(const AppSeriesInfo *info)
{
  return is_one_of(info->modality, (const char *const[]){"CR", "DX", "RG", NULL});
}

static gboolean
is_lateral(const AppSeriesInfo *info)
{
  return is_one_of(info->view_position,
                   (const char *const[]){"LL", "RL", "LAT", "LATERAL", "LLD", "RLD", NULL});
}

/* How well a series begins a study: higher is better. */
static int
rank(const AppSeriesInfo *info)
{
  int points = 0;

  if (!info->is_localizer) {
    points += 8;
  }
  if (strstr(info->image_type, "PRIMARY")) {
    points += 2;
  }
  if (strstr(info->image_type, "AXIAL") && info->n_images > 1) {
    points += 4;
  }
  if (is_radiograph(info) && !is_lateral(info)) {
    points += 1;
  }
  return points;
}

/* The same was done; what says nothing of its part may show any. */
static gboolean
is_alike(const AppSeriesInfo *a, const AppSeriesInfo *b)
{
  return strcmp(a->modality, b->modality) == 0 &&
         (!*a->body_part || !*b->body_part || strcmp(a->body_part, b->body_part) == 0);
}

/* The best series of a study of a patient; alike to LIKE, when it is told. The first of equals. */
static guint
best(AppStudy *study, guint patient, guint number, const AppSeriesInfo *like)
{
  guint found = NONE;
  int most = -1;

  for (guint i = 0; i < app_study_n_series(study); i++) {
    const AppSeriesInfo *info = app_study_series(study, i);
    int points = rank(info);

    if (info->patient != patient || info->study != number || (like && !is_alike(info, like))) {
      continue;
    }
    if (like && strcmp(info->body_part, like->body_part) == 0) {
      points += 16;
    }
    if (like && strcmp(info->view_position, like->view_position) == 0) {
      points += 2;
    }
    if (points > most) {
      most = points;
      found = i;
    }
  }
  return found;
}

static void
put(DesktopHanging *hanging, guint series, guint index)
{
  hanging->panes[hanging->n].series = series;
  hanging->panes[hanging->n].index = index;
  hanging->n++;
}

guint
desktop_hang_prior(AppStudy *study, guint series, guint before)
{
  const AppSeriesInfo *current = app_study_series(study, series);
  guint number = NONE, found = NONE;

  for (guint i = 0; i < app_study_n_series(study); i++) {
    const AppSeriesInfo *info = app_study_series(study, i);

    /* Studies of a patient are in order of date. */
    if (info->patient == current->patient && info->study < before &&
        (number == NONE || info->study > number)) {
      guint one = best(study, info->patient, info->study, current);
      if (one != NONE) {
        number = info->study;
        found = one;
      }
    }
  }
  return found;
}

guint
desktop_hang_latest(AppStudy *study, guint series)
{
  const AppSeriesInfo *own = app_study_series(study, series);
  guint found = desktop_hang_prior(study, series, NONE);

  return found != NONE && app_study_series(study, found)->study > own->study ? found : NONE;
}

/* Further radiographs of the study; views of one series count each. */
static void
add_views(AppStudy *study, const AppSeriesInfo *first, guint first_series, DesktopHanging *hanging,
          guint most)
{
  for (guint k = 1; k < first->n_images && hanging->n < most; k++) {
    put(hanging, first_series, k);
  }
  for (guint i = 0; i < app_study_n_series(study) && hanging->n < most; i++) {
    const AppSeriesInfo *info = app_study_series(study, i);

    if (i != first_series && info->patient == first->patient && info->study == first->study &&
        strcmp(info->modality, first->modality) == 0 && !info->is_localizer) {
      put(hanging, i, 0);
    }
  }
}

/* The newest study of the patient who comes first. */
static guint
newest_study(AppStudy *study)
{
  guint patient = app_study_series(study, 0)->patient, newest = app_study_series(study, 0)->study;

  for (guint i = 1; i < app_study_n_series(study); i++) {
    const AppSeriesInfo *info = app_study_series(study, i);
    if (info->patient == patient) {
      newest = MAX(newest, info->study);
    }
  }
  return newest;
}

void
desktop_hang(AppStudy *study, DesktopHanging *hanging)
{
  const AppSeriesInfo *info;
  guint series, prior;

  *hanging = (DesktopHanging){.columns = 1, .rows = 1};
  if (app_study_n_series(study) == 0) {
    return;
  }
  series = best(study, app_study_series(study, 0)->patient, newest_study(study), NULL);
  info = app_study_series(study, series);
  put(hanging, series, 0);
  prior = desktop_hang_prior(study, series, info->study);
  if (prior != NONE) {
    put(hanging, prior, app_study_beside(study, series, 0, prior));
  } else if (strcmp(info->modality, "MG") == 0) {
    add_views(study, info, series, hanging, 4);
  } else if (is_radiograph(info)) {
    add_views(study, info, series, hanging, 2);
  }
  hanging->columns = hanging->n > 1 ? 2 : 1;
  hanging->rows = hanging->n > 2 ? 2 : 1;
}
