/* test-along.c - stacks of two examinations: which image of one goes with which of the other. */
#include <glib.h>

#include "app_slice.h"
#include "tiny.h"

typedef struct {
  const char *name;
  guint n;
  double start, step;
  const char *orientation;
} Stack;

static const char flipped[] = "-1\\0\\0\\0\\1\\0", coronal[] = "1\\0\\0\\0\\0\\-1";
/* In the order of their studies. 8 degrees of gantry tilt: cos 8° and sin 8°. */
static const Stack stacks[] = {
    {"a", 21, -300, 1, NULL},  {"b", 11, 900, 2, NULL},
    {"c", 6, 100, 4, flipped}, {"d", 5, 0, 3, coronal},
    {"e", 1, 0, 1, NULL},      {"f", 21, 0, 1, "1\\0\\0\\0\\0.9902681\\0.1391731"}};

static char *
make_folder(void)
{
  char *folder = tiny_folder_new();
  guint n = 0;

  for (guint s = 0; s < G_N_ELEMENTS(stacks); s++) {
    g_autofree char *study = g_strdup_printf("1.4.%u", s);
    g_autofree char *series = g_strdup_printf("1.4.%u.1", s);
    g_autofree char *date = g_strdup_printf("202%u0101", s);
    for (guint i = 0; i < stacks[s].n; i++, n++) {
      g_autofree char *path = g_strdup_printf("%s/%03u.dcm", folder, n);
      g_autofree char *uid = g_strdup_printf("1.5.%u", n);
      double at = stacks[s].start + i * stacks[s].step;
      g_autofree char *position = g_strdup_printf("0\\%g\\0", at);
      TinyDicom file = {.rows = 8,
                        .columns = 8,
                        .uid = uid,
                        .instance = (int)i + 1,
                        .z = at,
                        .study_uid = study,
                        .study_date = date,
                        .series_uid = series,
                        .frame_of_reference = series,
                        .orientation = stacks[s].orientation,
                        .position = stacks[s].orientation == coronal ? position : NULL};
      tiny_dicom_write(path, &file);
    }
  }
  return folder;
}

static guint
along(AppStudy *study, guint series, guint from, guint index, guint other, guint beside)
{
  guint found = 777;

  g_assert_true(app_study_along(study, series, from, index, other, beside, &found));
  return found;
}

static void
test_along(void)
{
  g_autofree char *folder = make_folder();
  g_autoptr(GError) error = NULL;
  AppStudy *study = app_study_open(folder, &error);
  guint found;

  g_assert_no_error(error);
  g_assert_cmpuint(app_study_n_series(study), ==, G_N_ELEMENTS(stacks));
  /* So many mm on are so many mm on, from wherever they stand. */
  g_assert_cmpuint(along(study, 0, 10, 10, 1, 5), ==, 5);
  g_assert_cmpuint(along(study, 0, 10, 14, 1, 5), ==, 7);
  g_assert_cmpuint(along(study, 0, 10, 8, 1, 9), ==, 8);
  g_assert_cmpuint(along(study, 1, 5, 7, 0, 2), ==, 6);
  /* Beyond an end there is the end, and nothing is lost on the way back. */
  g_assert_cmpuint(along(study, 0, 10, 20, 1, 9), ==, 10);
  g_assert_cmpuint(along(study, 0, 10, 0, 1, 1), ==, 0);
  /* Seen from the other side it goes the other way. */
  g_assert_cmpuint(along(study, 0, 0, 8, 2, 5), ==, 3);
  g_assert_cmpuint(along(study, 2, 5, 3, 0, 0), ==, 8);
  /* A tilted gantry is no other plane, a coronal stack is one, and one image is no stack. */
  g_assert_cmpuint(along(study, 0, 0, 5, 5, 0), ==, 5);
  g_assert_false(app_study_along(study, 0, 0, 1, 3, 0, &found));
  app_study_free(study);
  tiny_folder_free(g_steal_pointer(&folder));
}

static void
test_beside(void)
{
  g_autofree char *folder = make_folder();
  g_autoptr(GError) error = NULL;
  AppStudy *study = app_study_open(folder, &error);

  g_assert_no_error(error);
  g_assert_cmpuint(app_study_beside(study, 0, 0, 1), ==, 0);
  g_assert_cmpuint(app_study_beside(study, 0, 10, 1), ==, 5);
  g_assert_cmpuint(app_study_beside(study, 0, 20, 1), ==, 10);
  g_assert_cmpuint(app_study_beside(study, 1, 5, 0), ==, 10);
  /* The feet are the feet in both. */
  g_assert_cmpuint(app_study_beside(study, 0, 0, 2), ==, 5);
  g_assert_cmpuint(app_study_beside(study, 0, 16, 2), ==, 1);
  g_assert_cmpuint(app_study_beside(study, 0, 16, 3), ==, 0);
  g_assert_cmpuint(app_study_beside(study, 4, 0, 0), ==, 0);
  app_study_free(study);
  tiny_folder_free(g_steal_pointer(&folder));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/along/along", test_along);
  g_test_add_func("/along/beside", test_beside);
  return g_test_run();
}
