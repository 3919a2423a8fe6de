/* test-slice-facts.c - what headers say of a slice: windows, units, lengths, notices, SUV. */
#include <math.h>
#include <string.h>

#include "slice-fixture.h"

/* ---- windows ------------------------------------------------------------------------------ */

static guint
grey_at(const Opened *o, const AppWindow *window, guint x, guint y)
{
  const AppPlacement placement = {.width = 8, .height = 4, .scale = 1, .x = 4, .y = 2};
  g_autoptr(GError) error = NULL;
  AppSliceFacts *facts = (AppSliceFacts *)o->facts;
  double aspect = facts->pixel_aspect;

  facts->pixel_aspect = 1; /* it is ours alone */
  g_autoptr(AppCanvas) canvas = app_slice_draw(o->slice, window, &placement, &error);
  facts->pixel_aspect = aspect;
  g_assert_no_error(error);
  return ((const guint32 *)g_bytes_get_data(canvas->pixels, NULL))[8 * y + x] & 0xff;
}

/* Two windows, one with a name; and two tables, of which one maps 0 to 7 to the steps of 8 bits. */
static void
test_presets(void)
{
  static const guint16 rising[8] = {0, 10, 20, 30, 40, 50, 60, 70};
  static const guint16 falling[8] = {255, 200, 150, 100, 50, 25, 10, 0};
  static const FileElement tables[2][4] = {
      {{0x00283002, "US", "8\\0\\8"},
       {0x00283003, "LO", "BONE"},
       {0x00283006, "OW", NULL, NULL, rising, 16},
       {0}},
      {{0x00283002, "US", "8\\0\\8"}, {0x00283006, "OW", NULL, NULL, falling, 16}, {0}}};
  const FileElement changes[] = {{0x00281050, "DS", "40\\300"},
                                 {0x00281051, "DS", "400\\1500"},
                                 {0x00281055, "LO", "\\BONE W"},
                                 {0x00283010, "SQ", NULL, tables[0]},
                                 {0}};
  const FileElement alone[] = {{0x00283010, "SQ", NULL, tables[1]}, {0}};
  g_auto(Opened) o = open_file(changes), only = open_file(alone);

  g_assert_cmpuint(o.facts->n_presets, ==, 3);
  g_assert_cmpstr(o.facts->presets[0].name, ==, "Window 1");
  g_assert_cmpstr(o.facts->presets[1].name, ==, "BONE W");
  g_assert_cmpfloat(o.facts->presets[1].window.center, ==, 300);
  g_assert_cmpfloat(o.facts->presets[1].window.width, ==, 1500);
  g_assert_cmpuint(o.facts->presets[1].window.lut, ==, 0);
  g_assert_cmpstr(o.facts->presets[2].name, ==, "BONE");
  g_assert_cmpuint(o.facts->presets[2].window.lut, ==, 1);
  g_assert_cmpuint(grey_at(&o, &o.facts->presets[2].window, 3, 0), ==, 30);
  g_assert_cmpuint(o.facts->window.lut, ==, 0);
  /* Without a window, the table is the file's own. */
  g_assert_cmpuint(only.facts->n_presets, ==, 1);
  g_assert_cmpstr(only.facts->presets[0].name, ==, "Table 1");
  g_assert_true(only.facts->window.set);
  g_assert_cmpuint(only.facts->window.lut, ==, 1);
  g_assert_cmpuint(grey_at(&only, NULL, 2, 0), ==, 150);
  AppWindow inverted = only.facts->window;
  inverted.invert = TRUE;
  g_assert_cmpuint(grey_at(&only, &inverted, 2, 0), ==, 105);
}

/* ---- units -------------------------------------------------------------------------------- */

static void
check_unit(const FileElement *changes, const char *unit)
{
  g_auto(Opened) o = open_file(changes);

  g_assert_cmpstr(o.facts->unit, ==, unit);
}

static void
test_units(void)
{
  static const FileElement ct[] = {{0x00281052, "DS", "-1024"}, {0x00281053, "DS", "1"}, {0}};
  static const FileElement mr[] = {{0x00080060, "CS", "MR"}, {0x00281052, "DS", "0"}, {0}};
  static const FileElement us[] = {{0x00281052, "DS", "0"}, {0x00281054, "LO", "US"}, {0}};
  static const FileElement hu[] = {
      {0x00080060, "CS", "OT"}, {0x00281052, "DS", "0"}, {0x00281054, "LO", "Z_EFF"}, {0}};
  static const FileElement pt[] = {{0x00080060, "CS", "PT"}, {0x00541001, "CS", "BQML"}, {0}};

  check_unit(NULL, "");
  check_unit(ct, "HU");
  check_unit(mr, "");
  check_unit(us, "");
  check_unit(hu, "Z_EFF");
  check_unit(pt, "Bq/ml");
}

/* ---- lengths ------------------------------------------------------------------------------ */

static void
check_lengths(const FileElement *changes, const char *calibration, double mm_x, double mm_y,
              double aspect)
{
  g_auto(Opened) o = open_file(changes);

  g_assert_cmpstr(o.facts->calibration, ==, calibration);
  g_assert_cmpfloat_with_epsilon(o.facts->mm_x, mm_x, 1e-12);
  g_assert_cmpfloat_with_epsilon(o.facts->mm_y, mm_y, 1e-12);
  g_assert_cmpfloat_with_epsilon(o.facts->pixel_aspect, aspect, 1e-12);
}

#define NO_PLANE                                                                                   \
  {0x00200032},                                                                                    \
  {                                                                                                \
    0x00200037                                                                                     \
  }
#define DX {0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.1"}, {0x00080060, "CS", "DX"}, NO_PLANE

static void
test_lengths(void)
{
  static const FileElement detector[] = {DX, {0x00280030}, {0x00181164, "DS", "0.2\\0.1"}, {0}};
  static const FileElement enlarged[] = {
      DX, {0x00280030}, {0x00181164, "DS", "0.2\\0.1"}, {0x00181114, "DS", "1.25"}, {0}};
  static const FileElement plain[] = {DX, {0x00280030, "DS", "0.2\\0.1"}, {0}};
  static const FileElement fiducial[] = {
      DX, {0x00280030, "DS", "0.2\\0.1"}, {0x00280a02, "CS", "FIDUCIAL"}, {0}};
  static const FileElement geometry[] = {
      DX, {0x00280030, "DS", "0.2\\0.1"}, {0x00280a02, "CS", "GEOMETRY"}, {0}};
  static const FileElement capture[] = {{0x00080060, "CS", "OT"}, NO_PLANE, {0}};
  static const FileElement aspect[] = {NO_PLANE, {0x00280030}, {0x00280034, "IS", "4\\3"}, {0}};

  check_lengths(NULL, "Pixel Spacing", 0.25, 0.5, 2);
  check_lengths(detector, "at the detector", 0.1, 0.2, 2);
  check_lengths(enlarged, "estimated, magnification 1.25", 0.08, 0.16, 2);
  check_lengths(plain, "at the detector", 0.1, 0.2, 2);
  check_lengths(fiducial, "calibrated by a fiducial", 0.1, 0.2, 2);
  check_lengths(geometry, "calibrated by geometry", 0.1, 0.2, 2);
  check_lengths(capture, "", 0, 0, 2);
  check_lengths(aspect, "", 0, 0, 4.0 / 3);
}

#define US                                                                                         \
  {0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.6.1"},                                               \
  {                                                                                                \
    0x00080060, "CS", "US"                                                                         \
  }
#define REGION(format, left, right, delta_x, delta_y)                                              \
  {                                                                                                \
    {0x00186012, "US", format}, {0x00186018, "UL", left}, {0x0018601a, "UL", "0"},                 \
        {0x0018601c, "UL", right}, {0x0018601e, "UL", "3"}, {0x00186024, "US", "3"},               \
        {0x00186026, "US", "3"}, {0x0018602c, "FD", delta_x}, {0x0018602e, "FD", delta_y},         \
    {                                                                                              \
      0                                                                                            \
    }                                                                                              \
  }

static void
check_distance(const Opened *o, double from_x, double to_x, double mm)
{
  const double from[2] = {from_x, 1}, to[2] = {to_x, 1};
  AppStatistics statistics;
  double distance;
  gboolean known = app_slice_distance(o->slice, from, to, &distance);
  const double corner[2] = {to_x, 3};

  app_slice_statistics(o->slice, APP_SHAPE_RECTANGLE, from, corner, &statistics);
  g_assert_true(statistics.has_area == known);
  g_assert_true(known == (mm > 0));
  if (known) {
    g_assert_cmpfloat_with_epsilon(distance, mm, 1e-12);
  }
}

/* A length holds inside of a region alone. */
static void
test_ultrasound(void)
{
  static const FileElement region[] = REGION("1", "0", "4", "-0.02", "0.03");
  static const FileElement changes[] = {
      US, NO_PLANE, {0x00280030}, {0x00186011, "SQ", NULL, region}, {0}};
  g_auto(Opened) o = open_file(changes);

  check_lengths(changes, "ultrasound region", 0.2, 0.3, 1.5);
  check_distance(&o, 1, 4, 0.6);
  check_distance(&o, 0, 5, 1);
  check_distance(&o, 4, 5.5, 0);
  check_distance(&o, 6, 7, 0);
}

static void
test_other_regions(void)
{
  static const FileElement trace[] = REGION("3", "0", "4", "0.02", "0.03"); /* of a spectrum */
  static const FileElement none[] = REGION("1", "4", "2", "0.02", "0.03");
  static const FileElement odd[] = REGION("1", "0", "4", "nan", "0.03");
  static const FileElement *const regions[] = {trace, none, odd};

  for (guint i = 0; i < G_N_ELEMENTS(regions); i++) {
    const FileElement changes[] = {
        US, NO_PLANE, {0x00280030}, {0x00186011, "SQ", NULL, regions[i]}, {0}};
    g_auto(Opened) o = open_file(changes);

    g_assert_cmpstr(o.facts->calibration, ==, "");
    check_distance(&o, 1, 3, 0);
  }
}

/* Numbers that are none, or that nothing has. */
static void
test_hostile_lengths(void)
{
  static const char *const spacings[] = {"NAN\\NAN",     "0\\0",  "-1\\-1", "1e-300\\1", "1e300\\1",
                                         "inf\\1",       "1",     "1\\0",   "\\",        "1e9\\1e9",
                                         "1e-12\\1e-12", "0.5\\x"};

  for (guint i = 0; i < G_N_ELEMENTS(spacings); i++) {
    const FileElement changes[] = {{0x00280030, "DS", spacings[i]}, {0}};
    g_auto(Opened) o = open_file(changes);

    g_assert_cmpfloat(o.facts->mm_x, ==, 0);
    g_assert_cmpstr(o.facts->calibration, ==, "");
    g_assert_true(o.facts->pixel_aspect >= 0.01 && o.facts->pixel_aspect <= 100);
    g_assert_null(o.facts->plane);
  }
}

static void
test_hostile_plane(void)
{
  static const FileElement bad[][3] = {{{0x00200037, "DS", "0\\0\\0\\0\\0\\0"}, {0}},
                                       {{0x00200037, "DS", "1\\0\\0\\1\\0\\0"}, {0}},
                                       {{0x00200037, "DS", "nan\\0\\0\\0\\1\\0"}, {0}},
                                       {{0x00200037, "DS", "1e200\\0\\0\\0\\1\\0"}, {0}},
                                       {{0x00200032, "DS", "1e200\\0\\0"}, {0}},
                                       {{0x00200032, "DS", "0\\0"}, {0}}};

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_auto(Opened) o = open_file(bad[i]);

    g_assert_null(o.facts->plane);
  }
}

/* ---- notices ------------------------------------------------------------------------------ */

static void
check_notices(const FileElement *changes, const char *expected)
{
  g_auto(Opened) o = open_file(changes);
  g_autofree char *text = g_strjoinv("|", o.facts->notices);

  g_assert_cmpstr(text, ==, expected);
}

static void
test_notices(void)
{
  static const FileElement lossy[] = {{0x00282110, "CS", "01"}, {0x00282112, "DS", "9.5\\20"}, {0}};
  static const FileElement unclear[] = {{0x00282110, "CS", "01"}, {0x00282112, "DS", "nan"}, {0}};
  static const FileElement tilt[] = {{0x00181120, "DS", "-12.5"}, {0}};
  static const FileElement size[] = {{0x00280030}, {0}};
  static const FileElement damage[] = {{0x00280101, "US", "0"}, {0}};

  static const FileElement raw[] = {{0x00080068, "CS", "FOR PROCESSING"}, {0}};

  check_notices(NULL, "");
  check_notices(raw, "For processing, not for presentation");
  check_notices(lossy, "Lossy compression 9.5:1, 20:1");
  check_notices(unclear, "Lossy compression");
  check_notices(tilt, "Gantry tilt -12.5\xc2\xb0");
  check_notices(size, "Pixel size unknown: no lengths");
  check_notices(damage, "Damaged file: BitsStored is 0, or more than BitsAllocated");
}

static void
test_lines(void)
{
  static const FileElement changes[] = {{0x00080020, "DA", "20240131"},
                                        {0x00080030, "TM", "081530.5"},
                                        {0x00080050, "SH", "ACC 9"},
                                        {0x00081030, "LO", "Head"},
                                        {0x0008103e, "LO", "Sagittal"},
                                        {0x00100010, "PN", "Doe^John^Q=\xe9"},
                                        {0x00100020, "LO", "7"},
                                        {0x00100030, "DA", "odd"},
                                        {0x00100040, "CS", "M"},
                                        {0x00180050, "DS", "2.5"},
                                        {0x00200032, "DS", "-11\\19\\32"},
                                        {0x00200037, "DS", "0\\1\\0\\0\\0\\-1"},
                                        {0}};
  g_auto(Opened) o = open_file(changes);
  g_autofree char *patient = g_strjoinv("|", o.facts->patient_lines);
  g_autofree char *study = g_strjoinv("|", o.facts->study_lines);
  g_autofree char *image = g_strjoinv("|", o.facts->image_lines);

  g_assert_cmpstr(patient, ==, "Doe, John Q|7|odd \xc2\xb7 M");
  g_assert_cmpstr(study, ==, "Head|01/31/24 08:15|ACC 9");
  g_assert_cmpstr(image, ==, "Sagittal|CT 1/1|R\u00a011.0\u00a0mm · thickness\u00a02.50\u00a0mm");
}

/* ---- SUV ---------------------------------------------------------------------------------- */

#define DRUG(start, dose, half)                                                                    \
  {                                                                                                \
    {0x00181072, "TM", start}, {0x00181074, "DS", dose}, {0x00181075, "DS", half},                 \
    {                                                                                              \
      0                                                                                            \
    }                                                                                              \
  }
static const FileElement drug[] = DRUG("080000", "400000000", "3600");
static const FileElement pet[] = {{0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.128"},
                                  {0x00080021, "DA", "20240131"},
                                  {0x00080022, "DA", "20240131"},
                                  {0x00080031, "TM", "100000"},
                                  {0x00080032, "TM", "100500"},
                                  {0x00080060, "CS", "PT"},
                                  {0x00101030, "DS", "80"},
                                  {0x00280051, "CS", "NORM\\DECY\\ATTN\\SCAT"},
                                  {0x00281052, "DS", "0"},
                                  {0x00281053, "DS", "10"},
                                  {0x00540016, "SQ", NULL, drug},
                                  {0x00541001, "CS", "BQML"},
                                  {0x00541102, "CS", "START"},
                                  {0}};

/* Of PET with one element changed; NAN: there is none. */
static double
suv_with(const FileElement *change)
{
  FileElement elements[G_N_ELEMENTS(pet) + 1];
  AppProbe probe;

  memcpy(elements, pet, sizeof pet);
  for (guint i = 0; change; i++) {
    if (elements[i].tag == change->tag || elements[i].tag == 0) {
      if (elements[i].tag == 0) {
        elements[i + 1] = elements[i];
      }
      elements[i] = *change;
      break;
    }
  }
  g_auto(Opened) o = open_file(elements);
  g_assert_true(app_slice_probe(o.slice, 4.5, 1.5, &probe)); /* 104 stored: 1040 Bq/ml */
  g_assert_cmpfloat(probe.value, ==, 1040);
  return probe.has_suv ? probe.suv : NAN;
}

static void
test_suv(void)
{
  static const FileElement dated[] = {{0x00181074, "DS", "400000000"},
                                      {0x00181075, "DS", "3600"},
                                      {0x00181078, "DT", "20240130220000.000000+0100"},
                                      {0}};
  const FileElement yesterday = {0x00540016, "SQ", NULL, dated};

  /* Two half lives: 1040 * 80000 / 1e8. */
  g_assert_cmpfloat_with_epsilon(suv_with(NULL), 0.832, 1e-12);
  /* Twelve. */
  g_assert_cmpfloat_with_epsilon(suv_with(&yesterday), 1040 * 80000 / (4e8 / 4096), 1e-6);
}

static void
test_no_suv(void)
{
  static const FileElement later[] = DRUG("100001", "400000000", "3600");
  static const FileElement no_dose[] = DRUG("080000", "0", "3600");
  static const FileElement no_life[] = DRUG("080000", "400000000", NULL);
  static const FileElement odd_time[] = DRUG("8 am", "400000000", "3600");
  static const FileElement bad_life[] = DRUG("080000", "400000000", "-3600");
  static const FileElement changes[] = {
      {0x00541001, "CS", "CNTS"},
      {0x00541102, "CS", "ADMIN"},
      {0x00541102, "CS", "NONE"},
      {0x00280051, "CS", "DECY"},
      {0x00280051, "CS", "ATTN"},
      {0x00280051},
      {0x00101030, "DS", "0"},
      {0x00101030},
      {0x00101030, "DS", "1e9"},
      {0x00080060, "CS", "NM"},
      {0x00080031, "TM", "100501"},
      {0x00080031, "TM", "9999"},
      {0x00080021},
      {0x00080032},
      {0x00540016},
      {0x00540016, "SQ", NULL, later},
      {0x00540016, "SQ", NULL, no_dose},
      {0x00540016, "SQ", NULL, no_life},
      {0x00540016, "SQ", NULL, odd_time},
      {0x00540016, "SQ", NULL, bad_life},
  };

  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    g_assert_true(isnan(suv_with(&changes[i])));
  }
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/slice-facts/presets", test_presets);
  g_test_add_func("/slice-facts/units", test_units);
  g_test_add_func("/slice-facts/lengths", test_lengths);
  g_test_add_func("/slice-facts/ultrasound", test_ultrasound);
  g_test_add_func("/slice-facts/other-regions", test_other_regions);
  g_test_add_func("/slice-facts/hostile-lengths", test_hostile_lengths);
  g_test_add_func("/slice-facts/hostile-plane", test_hostile_plane);
  g_test_add_func("/slice-facts/notices", test_notices);
  g_test_add_func("/slice-facts/lines", test_lines);
  g_test_add_func("/slice-facts/suv", test_suv);
  g_test_add_func("/slice-facts/no-suv", test_no_suv);
  status = g_test_run();
  app_decoder_stop();
  return status;
}
