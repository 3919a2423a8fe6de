/* test-tower.c - what a pair of towers says of a picture, by prompts and by examples. */
#include "model/clip-fixture.h"

#include "tower-private.h"

static AppTower *
open_tower(const char *folder)
{
  g_autoptr(GError) error = NULL;
  AppTower *tower = app_tower_new(folder, NULL, NULL, 2, &error);

  g_assert_no_error(error);
  return tower;
}

static char *
new_pair(ClipKind kind)
{
  char *folder = g_dir_make_tmp("hilum-tower-XXXXXX", NULL);

  g_assert_nonnull(folder);
  clip_make(folder, kind, FALSE, NULL);
  return folder;
}

static void
remove_pair(const char *folder)
{
  static const char *const names[] = {
      "config.json",           "model.safetensors",           "vocab.json", "merges.txt",
      "open_clip_config.json", "open_clip_model.safetensors", "vocab.txt"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    g_unlink(path);
  }
  g_rmdir(folder);
}

/* A class's own direction is of that class, with all the share where the scale is large. */
static void
test_classes(void)
{
  g_autofree char *folder = new_pair(CLIP_QUICK);
  g_autoptr(AppTower) tower = open_tower(folder);
  guint domains[DATA_N_DOMAINS] = {0};

  g_assert_cmpfloat_with_epsilon(tower->scale, 14.2857, 1e-3);
  tower->scale = 1e6;
  for (guint i = 0; i < tower->classes->len; i++) {
    const AppTowerClass *class = &g_array_index(tower->classes, AppTowerClass, i);
    PmcPicture seen = {.tower = -1};
    double length = 0;

    for (guint k = 0; k < tower->width; k++) {
      length += (double)class->direction[k] * class->direction[k];
    }
    g_assert_cmpfloat_with_epsilon(length, 1, 1e-5);
    app_tower_tell_by_prompts(tower, class->direction, &seen);
    g_assert_cmpint(seen.tower, ==, class->domain);
    g_assert_cmpstr(seen.tower_sees, ==, class->name);
    g_assert_cmpfloat(seen.tower_score, >, 0.99);
    domains[class->domain]++;
  }
  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    g_assert_cmpuint(domains[i], ==, 1);
  }
  g_assert_cmpuint(domains[DATA_DOMAIN_NONE], >, 10);
  remove_pair(folder);
}

/* Classes that are given: shares by hand, those of other kinds added up. */
static void
test_shares(void)
{
  g_autofree char *folder = new_pair(CLIP_QUICK);
  g_autoptr(AppTower) tower = open_tower(folder);
  const struct {
    DataDomain domain;
    const char *name;
    float x, y;
  } given[] = {{DATA_DOMAIN_MRI, NULL, 1, 0},
               {DATA_DOMAIN_NONE, "one", 0.8f, 0.6f},
               {DATA_DOMAIN_NONE, "two", 0.6f, 0.8f},
               {DATA_DOMAIN_CT_SCAN, NULL, 0, 1}};
  float picture[CLIP_WIDTH] = {1, 0};
  PmcPicture seen = {.tower = -1};

  g_array_set_size(tower->classes, 0);
  for (guint i = 0; i < G_N_ELEMENTS(given); i++) {
    AppTowerClass class = {given[i].domain, given[i].name, g_new0(float, CLIP_WIDTH)};
    class.direction[0] = given[i].x;
    class.direction[1] = given[i].y;
    g_array_append_val(tower->classes, class);
  }
  tower->scale = 2; /* e^2, e^1.6, e^1.2, e^0 = 7.389, 4.953, 3.320, 1 */
  app_tower_tell_by_prompts(tower, picture, &seen);
  g_assert_cmpint(seen.tower, ==, DATA_DOMAIN_NONE);
  g_assert_cmpstr(seen.tower_sees, ==, "one");
  g_assert_cmpfloat_with_epsilon(seen.tower_score, (4.95303 + 3.32012) / 16.66221, 1e-5);
  tower->scale = 20;
  app_tower_tell_by_prompts(tower, picture, &seen);
  g_assert_cmpint(seen.tower, ==, DATA_DOMAIN_MRI);
  g_assert_null(seen.tower_sees);
  remove_pair(folder);
}

/* The whole way, from pixels: the same as the pair's own directions say. */
static void
test_look(void)
{
  g_autofree char *folder = new_pair(CLIP_BIOMED);
  g_autoptr(AppTower) tower = open_tower(folder);
  g_autoptr(DicomPicture) picture = dicom_picture_new(40, 30);
  g_autofree float *features = NULL;
  PmcPicture seen = {.tower = -1}, again = {.tower = -1};

  for (guint i = 0; i < 40 * 30 * 3; i++) {
    picture->pixels[i] = (guint8)(i * 7);
  }
  app_tower_look(tower, picture, &seen);
  g_assert_cmpint(seen.tower, >=, 0);
  g_assert_cmpfloat(seen.tower_score, >, 0.01);
  g_assert_cmpfloat(seen.tower_score, <=, 1);
  features = app_tower_see(tower, picture, NULL);
  g_assert_nonnull(features);
  app_tower_tell_by_prompts(tower, features, &again);
  g_assert_cmpint(again.tower, ==, seen.tower);
  g_assert_cmpfloat(again.tower_score, ==, seen.tower_score);
  remove_pair(folder);
}

static void
test_refused(void)
{
  g_autofree char *folder = new_pair(CLIP_QUICK);
  g_autofree char *path = g_build_filename(folder, "merges.txt", NULL);
  g_autoptr(GError) vision = NULL, broken = NULL;

  g_assert_null(app_tower_new(folder, folder, NULL, 1, &vision));
  g_assert_error(vision, APP_ERROR, APP_ERROR_ARGUMENT);
  g_unlink(path);
  g_assert_null(app_tower_new(folder, NULL, NULL, 1, &broken));
  g_assert_nonnull(strstr(broken->message, "vocab.json with merges.txt"));
  remove_pair(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/tower/classes", test_classes);
  g_test_add_func("/app/tower/shares", test_shares);
  g_test_add_func("/app/tower/look", test_look);
  g_test_add_func("/app/tower/refused", test_refused);
  return g_test_run();
}
