/* test-slice-measure.c - values, lengths, statistics and planes, against numbers worked out by
 * hand.
 */
#include <math.h>

#include "slice-fixture.h"
#include "wait.h"

/* ---- probe -------------------------------------------------------------------------------- */

static void
test_probe(void)
{
  const FileElement changes[] = {
      {0x00281052, "DS", "-1000"}, {0x00281053, "DS", "2"}, {0x00280120, "US", "307"}, {0}};
  g_auto(Opened) o = open_file(changes);
  AppProbe probe;

  g_assert_true(app_slice_probe(o.slice, 3.99, 2, &probe));
  g_assert_cmpuint(probe.x, ==, 3);
  g_assert_cmpuint(probe.y, ==, 2);
  g_assert_true(probe.has_value);
  g_assert_cmpfloat(probe.stored, ==, 203);
  g_assert_cmpfloat(probe.value, ==, -594);
  g_assert_false(probe.is_padding);
  g_assert_false(probe.has_suv);
  g_assert_true(probe.has_position);
  g_assert_cmpfloat(probe.position[0], ==, 10.75);
  g_assert_cmpfloat(probe.position[1], ==, 21);
  g_assert_cmpfloat(probe.position[2], ==, 30);
  g_assert_true(app_slice_probe(o.slice, 7, 3, &probe));
  g_assert_true(probe.is_padding);
}

static void
test_probe_outside(void)
{
  g_auto(Opened) o = open_file(NULL);
  static const double outside[][2] = {{-0.01, 0}, {0, -1},       {8, 0},         {0, 4},
                                      {NAN, 0},   {0, INFINITY}, {-INFINITY, 0}, {1e300, 1}};
  AppProbe probe;

  for (guint i = 0; i < G_N_ELEMENTS(outside); i++) {
    g_assert_false(app_slice_probe(o.slice, outside[i][0], outside[i][1], &probe));
  }
}

static void
test_probe_colour(void)
{
  static const guint8 rgb[] = {1, 2, 3, 40, 50, 60};
  const FileElement changes[] = {{0x00280002, "US", "3"},
                                 {0x00280004, "CS", "RGB"},
                                 {0x00280006, "US", "0"},
                                 {0x00280010, "US", "1"},
                                 {0x00280011, "US", "2"},
                                 {0x00280100, "US", "8"},
                                 {0x00280101, "US", "8"},
                                 {0x00280102, "US", "7"},
                                 {0x7fe00010, "OB", NULL, NULL, rgb, 6},
                                 {0}};
  g_auto(Opened) o = open_file(changes);
  const double from[2] = {0, 0}, to[2] = {2, 1};
  AppStatistics statistics;
  AppProbe probe;

  g_assert_true(app_slice_facts(o.slice)->is_colour);
  g_assert_true(app_slice_probe(o.slice, 1.5, 0.5, &probe));
  g_assert_false(probe.has_value);
  g_assert_cmpuint(probe.rgb[0], ==, 40);
  g_assert_cmpuint(probe.rgb[1], ==, 50);
  g_assert_cmpuint(probe.rgb[2], ==, 60);
  g_assert_false(app_slice_statistics(o.slice, APP_SHAPE_RECTANGLE, from, to, &statistics));
}

/* ---- lengths and angles ------------------------------------------------------------------- */

static void
test_distance(void)
{
  g_auto(Opened) o = open_file(NULL);
  const double a[2] = {0, 0}, b[2] = {6, 4}; /* 1.5 mm by 2 mm */
  double distance;

  g_assert_true(app_slice_distance(o.slice, a, b, &distance));
  g_assert_cmpfloat(distance, ==, 2.5);
}

/* Nothing is known of a length, but that pixels are twice as high as wide. */
static void
test_distance_unknown(void)
{
  const FileElement changes[] = {{0x00280030}, {0x00280034, "IS", "2\\1"}, {0}};
  g_auto(Opened) o = open_file(changes);
  const double a[2] = {0, 0}, b[2] = {3, 2};
  double distance;

  g_assert_cmpfloat(app_slice_facts(o.slice)->pixel_aspect, ==, 2);
  g_assert_cmpfloat(app_slice_facts(o.slice)->mm_x, ==, 0);
  g_assert_false(app_slice_distance(o.slice, a, b, &distance));
  g_assert_cmpfloat(distance, ==, 5);
}

static void
test_angle(void)
{
  const FileElement square[] = {{0x00280030, "DS", "0.5\\0.5"}, {0}};
  g_auto(Opened) o = open_file(square), high = open_file(NULL);
  const double apex[2] = {1, 1}, right[2] = {4, 1}, down[2] = {1, 3}, left[2] = {0, 1};
  const double slope[2] = {2, 2};

  g_assert_cmpfloat(app_slice_angle(o.slice, right, apex, down), ==, 90);
  g_assert_cmpfloat(app_slice_angle(o.slice, right, apex, left), ==, 180);
  g_assert_cmpfloat(app_slice_angle(o.slice, right, apex, right), ==, 0);
  g_assert_cmpfloat_with_epsilon(app_slice_angle(o.slice, right, apex, slope), 45, 1e-12);
  /* Pixels of 0.25 mm by 0.5 mm. */
  g_assert_cmpfloat_with_epsilon(app_slice_angle(high.slice, right, apex, slope),
                                 atan(2) * 180 / G_PI, 1e-12);
}

/* ---- statistics --------------------------------------------------------------------------- */

/* Columns 1 to 3 and rows 1 and 2: 101, 102, 103, 201, 202, 203. */
static void
test_rectangle(void)
{
  g_auto(Opened) o = open_file(NULL);
  const double from[2] = {3.6, 2.6}, to[2] = {0.6, 0.9}; /* centres at 1.5 2.5 3.5, 1.5 2.5 */
  AppStatistics s;

  g_assert_true(app_slice_statistics(o.slice, APP_SHAPE_RECTANGLE, from, to, &s));
  g_assert_cmpuint(s.n, ==, 6);
  g_assert_cmpfloat(s.mean, ==, 152);
  /* Differences -51 -50 -49 49 50 51: squares 15004. */
  g_assert_cmpfloat_with_epsilon(s.sd, sqrt(15004.0 / 5), 1e-12);
  g_assert_cmpfloat(s.minimum, ==, 101);
  g_assert_cmpfloat(s.maximum, ==, 203);
  g_assert_true(s.has_area);
  g_assert_cmpfloat_with_epsilon(s.area, 3 * 0.25 * 1.7 * 0.5, 1e-12);
}

/* Round 4, 2 with half axes 3 and 1.6: rows 1 and 2 (0.5 off: half a width of 3 * sqrt(1 - 25/256)
 * = 2.85) hold the centres 1.5 to 6.5, rows 0 and 3 (1.5 off: 1.04) hold 3.5 and 4.5. */
static void
test_ellipse(void)
{
  g_auto(Opened) o = open_file(NULL);
  const double from[2] = {1, 0.4}, to[2] = {7, 3.6};
  AppStatistics s;

  g_assert_true(app_slice_statistics(o.slice, APP_SHAPE_ELLIPSE, from, to, &s));
  g_assert_cmpuint(s.n, ==, 6 + 6 + 2 + 2);
  g_assert_cmpfloat_with_epsilon(s.mean, 153.5, 1e-12);
  /* Variation across: 12 values of (2.5 1.5 0.5)^2, 4 of 0.5^2: 36; down: 12 * 2500 + 4 * 22500. */
  g_assert_cmpfloat_with_epsilon(s.sd, sqrt((36 + 120000.0) / 15), 1e-9);
  g_assert_cmpfloat(s.minimum, ==, 3);
  g_assert_cmpfloat(s.maximum, ==, 304);
  g_assert_cmpfloat_with_epsilon(s.area, G_PI * 3 * 0.25 * 1.6 * 0.5, 1e-12);
}

static void
test_one_pixel(void)
{
  const FileElement changes[] = {{0x00280030}, {0x00280120, "US", "0"}, {0}};
  g_auto(Opened) o = open_file(changes);
  const double from[2] = {-1000, -1000}, to[2] = {1.6, 0.6}; /* 0, which is padding, and 1 */
  AppStatistics s;

  g_assert_true(app_slice_statistics(o.slice, APP_SHAPE_RECTANGLE, from, to, &s));
  g_assert_cmpuint(s.n, ==, 1);
  g_assert_cmpfloat(s.mean, ==, 1);
  g_assert_cmpfloat(s.sd, ==, 0);
  g_assert_false(s.has_area);
}

static void
test_no_pixel(void)
{
  g_auto(Opened) o = open_file(NULL);
  static const double boxes[][4] = {{0.6, 0, 1.4, 4},      {9, 0, 20, 4},
                                    {2, 2, 2, 2},          {NAN, 0, 1, 1},
                                    {0, 0, INFINITY, 100}, {0, -1e300, 1, -1e299}};
  AppStatistics s;

  for (guint i = 0; i < G_N_ELEMENTS(boxes); i++) {
    for (guint shape = 0; shape < 2; shape++) {
      g_assert_false(app_slice_statistics(o.slice, (AppShape)shape, boxes[i], boxes[i] + 2, &s));
    }
  }
  const double from[2] = {-1e300, -1e300}, to[2] = {1e300, 1e300};
  g_assert_true(app_slice_statistics(o.slice, APP_SHAPE_RECTANGLE, from, to, &s));
  g_assert_cmpuint(s.n, ==, 32);
}

/* ---- planes ------------------------------------------------------------------------------- */

/* An axial slice at z = 30 from 10 - 0.125 to 11.875 across and from 19.75 to 21.75 down, and a
 * sagittal one at x = 11 whose rows run to the back from 19 and whose columns run to the feet. */
static void
test_reference_line(void)
{
  const FileElement changes[] = {{0x00200032, "DS", "11\\19\\32"},
                                 {0x00200037, "DS", "0\\1\\0\\0\\0\\-1"},
                                 {0x00280030, "DS", "1\\0.5"},
                                 {0}};
  g_auto(Opened) axial = open_file(NULL), sagittal = open_file(changes);
  double from[2], to[2];

  /* The sagittal image is 4 mm wide, from y = 18.75 to 22.75: all of the axial one. */
  g_assert_true(app_slice_reference_line(axial.slice, sagittal.slice, from, to));
  g_assert_cmpfloat_with_epsilon(from[0], 4.5, 1e-9);
  g_assert_cmpfloat_with_epsilon(to[0], 4.5, 1e-9);
  g_assert_cmpfloat_with_epsilon(MIN(from[1], to[1]), 0, 1e-9);
  g_assert_cmpfloat_with_epsilon(MAX(from[1], to[1]), 4, 1e-9);
  /* The axial one in the sagittal: z = 30 is 2.5 rows down; from y = 19.75 to 21.75. */
  g_assert_true(app_slice_reference_line(sagittal.slice, axial.slice, from, to));
  g_assert_cmpfloat_with_epsilon(from[1], 2.5, 1e-9);
  g_assert_cmpfloat_with_epsilon(to[1], 2.5, 1e-9);
  g_assert_cmpfloat_with_epsilon(MIN(from[0], to[0]), 2, 1e-9);
  g_assert_cmpfloat_with_epsilon(MAX(from[0], to[0]), 6, 1e-9);
}

static void
test_no_line(void)
{
  static const FileElement others[][4] = {
      {{0x00200032, "DS", "10\\20\\35"}, {0}}, /* parallel */
      {{0x00200032, "DS", "11\\19\\32"},       /* other frame of reference */
       {0x00200037, "DS", "0\\1\\0\\0\\0\\-1"},
       {0x00200052, "UI", "1.2.78"},
       {0}},
      {{0x00200032, "DS", "11\\19\\32"},
       {0x00200037, "DS", "0\\1\\0\\0\\0\\-1"},
       {0x00200052},
       {0}},
      {{0x00200032, "DS", "11\\40\\32"}, {0x00200037, "DS", "0\\1\\0\\0\\0\\-1"}, {0}}, /* beside */
      {{0x00200032}, {0}},
      {{0x00200037, "DS", "0\\0\\0\\0\\0\\0"}, {0}},
      {{0x00200037, "DS", "1\\0\\0\\1\\0\\0"}, {0}},
      {{0x00200032, "DS", "1e99\\0\\0"}, {0x00200037, "DS", "0\\1\\0\\0\\0\\-1"}, {0}},
  };
  g_auto(Opened) axial = open_file(NULL);
  double from[2], to[2];

  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    g_auto(Opened) other = open_file(others[i]);

    g_assert_false(app_slice_reference_line(axial.slice, other.slice, from, to));
    g_assert_false(app_slice_reference_line(other.slice, axial.slice, from, to));
  }
}

static void
test_nearest(void)
{
  char *folder = tiny_folder_new();
  g_autoptr(GError) error = NULL;
  AppStudy *study;
  guint index = 77;

  for (guint i = 0; i < 4; i++) {
    g_autofree char *name = g_strdup_printf("%u.dcm", i), *uid = g_strdup_printf("1.2.3.%u", i);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *position = g_strdup_printf("10\\20\\%u", 10 * i);
    const FileElement changes[] = {
        {0x00080018, "UI", uid}, {0x00200032, "DS", position}, {0x00200013, "IS", "1"}, {0}};

    file_write(path, changes);
  }
  study = app_study_open(folder, &error);
  g_assert_no_error(error);
  const double point[3] = {1000, -1000, 14}, far[3] = {0, 0, 1e6}, odd[3] = {0, 0, NAN};
  g_assert_true(app_study_nearest(study, 0, "1.2.77", point, &index));
  g_assert_cmpuint(index, ==, 1);
  g_assert_true(app_study_nearest(study, 0, "1.2.77", far, &index));
  g_assert_cmpuint(index, ==, 3);
  g_assert_false(app_study_nearest(study, 0, "1.2.77", odd, &index));
  g_assert_false(app_study_nearest(study, 0, "1.2.78", point, &index));
  g_assert_false(app_study_nearest(study, 0, NULL, point, &index));
  app_study_free(study);
  tiny_folder_free(folder);
}

/* Slices at 0, 10, 21.5, 31.5 and 51.5 mm. */
static void
test_gaps(void)
{
  static const char *const positions[] = {"0\\0\\0", "0\\0\\10", "0\\0\\21.5", "0\\0\\31.5",
                                          "0\\0\\51.5"};
  static const char *const expected[] = {NULL, "Irregular slice spacing", "Irregular slice spacing",
                                         "Slices missing after this one",
                                         "Slices missing before this one"};
  char *folder = tiny_folder_new();
  g_autoptr(GError) error = NULL;
  AppStudy *study;

  for (guint i = 0; i < G_N_ELEMENTS(positions); i++) {
    g_autofree char *name = g_strdup_printf("%u.dcm", i), *uid = g_strdup_printf("1.2.3.%u", i);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    const FileElement changes[] = {{0x00080018, "UI", uid}, {0x00200032, "DS", positions[i]}, {0}};

    file_write(path, changes);
  }
  study = app_study_open(folder, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < G_N_ELEMENTS(positions); i++) {
    g_autoptr(AppSlice) slice = app_study_slice(study, 0, i, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(app_slice_facts(slice)->notices[0], ==, expected[i]);
  }
  app_study_free(study);
  tiny_folder_free(folder);
}

/* ---- what is drawn over it ---------------------------------------------------------------- */

static guint
first_word(AppSlice *slice, gboolean bare)
{
  const AppPlacement placement = {
      .width = 8, .height = 8, .scale = 1, .x = 4, .y = 2, .bare = bare};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppCanvas) canvas = app_slice_draw(slice, NULL, &placement, &error);

  g_assert_no_error(error);
  return ((const guint32 *)g_bytes_get_data(canvas->pixels, NULL))[0] & 0xff;
}

/* An overlay of one pixel: it is on the screen, not in what others get of the picture. */
static void
test_covers(void)
{
  const FileElement changes[] = {{0x60000010, "US", "1"},
                                 {0x60000011, "US", "1"},
                                 {0x60000050, "SS", "1\\1"},
                                 {0x60000100, "US", "1"},
                                 {0x60000102, "US", "0"},
                                 {0x60003000, "OW", NULL, NULL, "\1\0", 2},
                                 {0}};
  g_auto(Opened) covered = open_file(changes), plain = open_file(NULL);

  g_assert_true(app_slice_facts(covered.slice)->has_covers);
  g_assert_false(app_slice_facts(plain.slice)->has_covers);
  g_assert_cmpuint(first_word(covered.slice, FALSE), ==, 255);
  g_assert_cmpuint(first_word(covered.slice, TRUE), ==, 0);
  g_assert_cmpuint(first_word(covered.slice, FALSE), ==, 255);
  g_assert_cmpuint(first_word(plain.slice, FALSE), ==, 0);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/slice-measure/probe", test_probe);
  g_test_add_func("/slice-measure/probe-outside", test_probe_outside);
  g_test_add_func("/slice-measure/probe-colour", test_probe_colour);
  g_test_add_func("/slice-measure/distance", test_distance);
  g_test_add_func("/slice-measure/distance-unknown", test_distance_unknown);
  g_test_add_func("/slice-measure/angle", test_angle);
  g_test_add_func("/slice-measure/rectangle", test_rectangle);
  g_test_add_func("/slice-measure/ellipse", test_ellipse);
  g_test_add_func("/slice-measure/one-pixel", test_one_pixel);
  g_test_add_func("/slice-measure/no-pixel", test_no_pixel);
  g_test_add_func("/slice-measure/reference-line", test_reference_line);
  g_test_add_func("/slice-measure/no-line", test_no_line);
  g_test_add_func("/slice-measure/nearest", test_nearest);
  g_test_add_func("/slice-measure/covers", test_covers);
  g_test_add_func("/slice-measure/gaps", test_gaps);
  status = g_test_run();
  app_decoder_stop();
  return status;
}
