/* tower-examples.c - kinds of pictures by their likeness to examples.
 *
 * A picture's features are taken from the mean of all examples (without that all pictures look
 * alike to CLIP) and made one long. Its kind is that of the nearest mean, its score the softmax of
 * the likenesses over TEMPERATURE.
 */
#include <math.h>
#include <string.h>

#include "tower-private.h"

#define TEMPERATURE 0.1
#define MOST_EXAMPLES 2000u

/* FEATURES from the centre, one long; g_free(). */
static double *
direction(const AppTower *tower, const float *features)
{
  double *from = g_new(double, tower->width), sum = 0;

  for (guint k = 0; k < tower->width; k++) {
    from[k] = features[k] - tower->centre[k];
    sum += from[k] * from[k];
  }
  for (guint k = 0; k < tower->width; k++) {
    from[k] /= sqrt(sum) + 1e-12;
  }
  return from;
}

/* The likeness of DIRECTION to the mean of KIND, EXCEPT one direction that is in it (or NULL). */
static double
likeness(const AppTower *tower, guint kind, const double *towards, const double *except)
{
  double dot = 0, sum = 0;

  for (guint k = 0; k < tower->width; k++) {
    const double mean = tower->means[kind][k] - (except ? except[k] : 0);
    dot += mean * towards[k];
    sum += mean * mean;
  }
  return dot / (sqrt(sum) + 1e-12);
}

/* OF: the kind that an example is of, which must not be like itself; -1: it is none. */
static guint
tell(const AppTower *tower, const double *towards, gint of, double *score)
{
  double likenesses[DATA_N_DOMAINS], sum = 0;
  guint best = DATA_N_DOMAINS;

  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    if (tower->counts[i] > 0) {
      likenesses[i] = likeness(tower, i, towards, (gint)i == of ? towards : NULL);
      best = best == DATA_N_DOMAINS || likenesses[i] > likenesses[best] ? i : best;
    }
  }
  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    sum += tower->counts[i] > 0 ? exp((likenesses[i] - likenesses[best]) / TEMPERATURE) : 0;
  }
  *score = 1 / sum;
  return best;
}

void
app_tower_tell_by_examples(const AppTower *tower, const float *features, PmcPicture *seen)
{
  g_autofree double *towards = direction(tower, features);

  seen->tower = (gint)tell(tower, towards, -1, &seen->tower_score);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
add_folder(AppTower *tower, const char *folder, guint kind, GError **error)
{
  g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  const char *name;

  while (names && (name = g_dir_read_name(names))) {
    g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
  }
  g_ptr_array_sort(paths, compare_names);
  for (guint i = 0; i < paths->len && tower->examples->len < MOST_EXAMPLES; i++) {
    g_autoptr(DicomPicture) picture = app_tower_picture(paths->pdata[i], error);
    AppTowerExample example = {kind, picture ? app_tower_see(tower, picture, error) : NULL};

    if (!example.features) {
      return FALSE;
    }
    g_array_append_val(tower->examples, example);
    tower->counts[kind]++;
  }
  return TRUE;
}

static void
learn(AppTower *tower)
{
  const guint n = tower->examples->len;
  guint right = 0;

  tower->centre = g_new0(double, tower->width);
  for (guint i = 0; i < n; i++) {
    for (guint k = 0; k < tower->width; k++) {
      tower->centre[k] += g_array_index(tower->examples, AppTowerExample, i).features[k] / n;
    }
  }
  for (guint i = 0; i < n; i++) {
    const AppTowerExample *example = &g_array_index(tower->examples, AppTowerExample, i);
    g_autofree double *towards = direction(tower, example->features);
    double **mean = &tower->means[example->kind];

    *mean = *mean ? *mean : g_new0(double, tower->width);
    for (guint k = 0; k < tower->width; k++) {
      (*mean)[k] += towards[k];
    }
  }
  for (guint i = 0; i < n; i++) {
    const AppTowerExample *example = &g_array_index(tower->examples, AppTowerExample, i);
    g_autofree double *towards = direction(tower, example->features);
    double score;

    right += tell(tower, towards, (gint)example->kind, &score) == example->kind;
  }
  tower->accuracy = n > 0 ? (double)right / n : 0;
}

gboolean
app_tower_learn(AppTower *tower, const char *examples, GError **error)
{
  guint n_kinds = 0;

  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    g_autofree char *folder = g_build_filename(examples, data_domain_name((DataDomain)i), NULL);
    if (!add_folder(tower, folder, i, error)) {
      return FALSE;
    }
    n_kinds += tower->counts[i] > 1;
    if (tower->counts[i] == 1 || (i == DATA_DOMAIN_NONE && n_kinds < 2)) {
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                  "%s: expected folders called chest_xray, mri, histology, gross, ct_scan and "
                  "none, at least two of them, with two pictures or more in each",
                  examples);
      return FALSE;
    }
  }
  learn(tower);
  return TRUE;
}
