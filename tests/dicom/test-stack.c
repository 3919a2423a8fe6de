/* test-stack.c - the geometry of stacks: order, tilt, gaps, twins, phases, several stacks. */
#include "infos.h"

/* A slice as a row of a table; what is 0 is absent. */
typedef struct {
  const char *name;
  double y, z, tilt; /* TILT of the axes; NAN: no geometry */
  gint number, temporal, acquisition;
  double echo;
  guint rows;
  const char *image_type;
} Slice;

static DicomScan *
scan_slices(const Slice *slices, guint n, double tag)
{
  DicomCollector *collector = dicom_collector_new();

  for (guint i = 0; i < n; i++) {
    const Slice *s = &slices[i];
    DicomInfo *info = info_new(s->name);

    info->instance_number = s->number;
    info->temporal_position = s->temporal;
    info->acquisition_number = s->acquisition;
    info->echo_time = s->echo;
    info->rows = s->rows ? s->rows : info->rows;
    if (!isnan(s->tilt)) {
      info_place(info, 0, s->y, s->z, s->tilt);
    }
    if (s->image_type) {
      info_set(&info->image_type, s->image_type);
    }
    info->has_gantry_tilt = tag != 0;
    info->gantry_tilt = tag;
    info_collect(collector, info);
  }
  DicomScan *scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->n_images, ==, n);
  return scan;
}

/* EXPECTED: for each stack "order | notes", by lines. */
static void
expect_scan(const DicomScan *scan, const char *expected)
{
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < scan->series->len; i++) {
    g_autofree char *order = info_order(scan->series->pdata[i]);
    g_autofree char *notes = info_notes(scan->series->pdata[i]);

    g_string_append_printf(text, "%s%s | %s", i > 0 ? "\n" : "", order, notes);
  }
  g_assert_cmpstr(text->str, ==, expected);
}

#define EXPECT(slices, tag, expected)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr(DicomScan) scan_ = scan_slices(slices, G_N_ELEMENTS(slices), tag);                   \
    expect_scan(scan_, expected);                                                                  \
  }                                                                                                \
  G_STMT_END

static void
test_tilt(void)
{
  /* Axes turned by 15 degrees, the table moving along z: the lean is 15 degrees too. */
  const Slice tilted[] = {{"a", 0, 0, 15}, {"b", 0, 5, 15}, {"c", 0, 10, 15}};
  /* Along the normal, which is (0, sin, cos): as if resampled. */
  const Slice straight[] = {{"a", 0, 0, 15}, {"b", 2.588, 9.659, 15}, {"c", 5.176, 19.319, 15}};
  const Slice axial[] = {{"a", 0, 0, 0}, {"b", 0, 5, 0}};
  /* Rounding to a tenth is no tilt. */
  const Slice rounded[] = {{"a", 0, 0, 0}, {"b", 0.1, 5, 0}, {"c", 0, 10, 0}};
  const Slice sloping[] = {{"a", 0, 0, 0}, {"b", 0.1, 5, 0}, {"c", 0.2, 10, 0}};
  const Slice bent[] = {{"a", 0, 0, 0}, {"b", 40, 5, 0}, {"c", 0, 10, 0}};

  EXPECT(tilted, 15, "a b c | gantry tilt 15.0 degrees");
  EXPECT(tilted, -15, "a b c | gantry tilt -15.0 degrees");
  EXPECT(tilted, 0,
         "a b c | gantry tilt 15.0 degrees by the positions of the slices; GantryDetectorTilt is "
         "absent");
  EXPECT(tilted, 20,
         "a b c | gantry tilt 20.0 degrees by GantryDetectorTilt, but 15.0 degrees by the "
         "positions of the slices");
  EXPECT(straight, 15,
         "a b c | gantry tilt 15.0 degrees by GantryDetectorTilt, but the slices are stacked "
         "straight");
  EXPECT(axial, 0.3, "a b | ");
  EXPECT(rounded, 0, "a b c | ");
  EXPECT(sloping, 0, "a b c | ");
  EXPECT(bent, 0, "a b c | the slices do not lie in a straight line: one is 40.0 mm beside it");
}

static void
test_spacing(void)
{
  const Slice even[] = {{"c", 0, 5, 0}, {"a", 0, 0, 0}, {"b", 0, 2.5, 0}, {"d", 0, 7.4, 0}};
  const Slice one[] = {{"a", 0, 0, 0}, {"b", 0, 2, 0}, {"c", 0, 6, 0}, {"d", 0, 8, 0}};
  const Slice two[] = {{"a", 0, 0, 0}, {"b", 0, 6, 0}, {"c", 0, 8, 0}};
  const Slice odd[] = {
      {"a", 0, 0, 0}, {"b", 0, 2, 0}, {"c", 0, 5, 0}, {"d", 0, 7, 0}, {"e", 0, 9, 0}};
  /* A head in two thicknesses: nothing is missing. */
  const Slice head[] = {{"a", 0, 0, 0}, {"b", 0, 2, 0},  {"c", 0, 4, 0},  {"d", 0, 6, 0},
                        {"e", 0, 8, 0}, {"f", 0, 12, 0}, {"g", 0, 16, 0}, {"h", 0, 20, 0}};

  EXPECT(even, 0, "a b c d | ");
  EXPECT(one, 0, "a b c d | 1 slice is missing between images 2 and 3");
  EXPECT(two, 0, "a b c | 2 slices are missing between images 1 and 2");
  EXPECT(
      odd, 0,
      "a b c d e | the spacing is irregular: 2.00 to 3.00 mm between neighbours, median 2.00 mm");
  EXPECT(head, 0,
         "a b c d e f g h | the spacing is irregular: 2.00 to 4.00 mm between neighbours, median "
         "2.00 mm");
  g_autoptr(DicomScan) scan = scan_slices(even, G_N_ELEMENTS(even), 0);
  const DicomSeries *series = scan->series->pdata[0];
  g_assert_true(series->sorted_by_geometry);
  g_assert_cmpfloat_with_epsilon(series->spacing, 2.5, 1e-9);
  g_assert_cmpfloat(((DicomSeriesItem *)series->items->pdata[3])->along, ==, 7.4);
}

/* Many gaps: a few are said, the rest is summed up. */
static void
test_many_gaps(void)
{
  Slice slices[120];
  char names[120][8];
  double z = 0;

  for (guint i = 0; i < G_N_ELEMENTS(slices); i++) {
    z += i % 10 == 5 ? 3 : 1;
    g_snprintf(names[i], sizeof names[i], "s%u", i);
    slices[i] = (Slice){.name = names[i], .z = z};
  }
  g_autoptr(DicomScan) scan = scan_slices(slices, G_N_ELEMENTS(slices), 0);
  g_autofree char *notes = info_notes(scan->series->pdata[0]);
  g_assert_true(g_str_has_prefix(notes, "2 slices are missing between images 5 and 6; "));
  g_assert_true(g_str_has_suffix(notes, "; slices are missing at 6 more places"));
}

static void
test_same_places(void)
{
  const Slice some[] = {
      {"a", 0, 0, 0, 1}, {"b", 0, 2, 0, 3}, {"c", 0, 2.0004, 0, 2}, {"d", 0, 4, 0, 4}};
  const Slice all[] = {{"a", 0, 5, 0, 30}, {"b", 0, 5, 0, 4}};
  const Slice twice[] = {
      {"a", 0, 0, 0, 1}, {"b", 0, 0, 0, 2}, {"c", 0, 2, 0, 3}, {"d", 0, 2, 0, 4}};

  EXPECT(some, 0, "a c b d | images 2 and 3 lie at the same position");
  EXPECT(all, 0, "b a | all 2 images lie at the same position; ordered by InstanceNumber");
  EXPECT(twice, 0,
         "a b c d | every position is there 2 times, and neither TemporalPositionIdentifier, "
         "AcquisitionNumber nor EchoTime tells the passes apart");
}

/* EXPECTED as before, with "#" for "stack I of the N of this series, which differ in". */
static void
expect_stacks(const Slice *slices, guint n, const char *expected)
{
  g_autoptr(DicomScan) scan = scan_slices(slices, n, 0);
  g_auto(GStrv) parts = g_strsplit(expected, "#", -1);
  g_autoptr(GString) text = g_string_new(parts[0]);

  for (guint i = 1; parts[i]; i++) {
    g_string_append_printf(text, "stack %u of the %u of this series, which differ in%s", i,
                           scan->series->len, parts[i]);
  }
  expect_scan(scan, text->str);
}

#define EXPECT_STACKS(slices, expected) expect_stacks(slices, G_N_ELEMENTS(slices), expected)

static void
test_phases(void)
{
  const Slice temporal[] = {{"a", 0, 0, 0, 1, 2, 5}, {"b", 0, 0, 0, 2, 1, 5},
                            {"c", 0, 2, 0, 3, 2, 5}, {"d", 0, 2, 0, 4, 1, 5},
                            {"e", 0, 4, 0, 5, 2, 5}, {"f", 0, 4, 0, 6, 1, 5}};
  /* The second acquisition lacks a slice. */
  const Slice acquisition[] = {{"a", 0, 0, 0, 1, 0, 1}, {"b", 0, 2, 0, 2, 0, 1},
                               {"c", 0, 4, 0, 3, 0, 1}, {"d", 0, 6, 0, 4, 0, 1},
                               {"e", 0, 0, 0, 5, 0, 2}, {"f", 0, 2, 0, 6, 0, 2},
                               {"g", 0, 6, 0, 7, 0, 2}};
  const Slice echo[] = {{"a", 0, 0, 0, 1, 0, 1, 4.6},
                        {"b", 0, 0, 0, 2, 0, 2, 2.3},
                        {"c", 0, 2, 0, 3, 0, 3, 4.6},
                        {"d", 0, 2, 0, 4, 0, 4, 2.3}};
  /* Two echoes in each of two phases. */
  const Slice both[] = {{"a", 0, 0, 0, 1, 1, 0, 1}, {"b", 0, 2, 0, 2, 1, 0, 1},
                        {"c", 0, 0, 0, 3, 1, 0, 2}, {"d", 0, 2, 0, 4, 1, 0, 2},
                        {"e", 0, 0, 0, 5, 2, 0, 1}, {"f", 0, 2, 0, 6, 2, 0, 1},
                        {"g", 0, 0, 0, 7, 2, 0, 2}, {"h", 0, 2, 0, 8, 2, 0, 2}};

  /* The first acquisition would be a single image. */
  const Slice unclean[] = {
      {"a", 0, 0, 0, 1, 0, 1}, {"b", 0, 0, 0, 2, 0, 2}, {"c", 0, 2, 0, 3, 0, 2}};

  EXPECT_STACKS(temporal, "a c e | # TemporalPositionIdentifier\n"
                          "b d f | # TemporalPositionIdentifier");
  EXPECT_STACKS(acquisition, "a b c d | # AcquisitionNumber\n"
                             "e f g | # AcquisitionNumber; 1 slice is missing between images 2 "
                             "and 3");
  EXPECT_STACKS(echo, "a c | # EchoTime\nb d | # EchoTime");
  EXPECT_STACKS(both, "a b | # TemporalPositionIdentifier, EchoTime\n"
                      "c d | # TemporalPositionIdentifier, EchoTime\n"
                      "e f | # TemporalPositionIdentifier, EchoTime\n"
                      "g h | # TemporalPositionIdentifier, EchoTime");
  EXPECT(unclean, 0, "a b c | images 1 and 2 lie at the same position");
}

static void
test_kinds(void)
{
  const char *scout = "ORIGINAL\\PRIMARY\\LOCALIZER";
  const Slice localizer[] = {{"s", 0, 0, 90, 1, .image_type = scout},
                             {"a", 0, 4, 0, 3},
                             {"b", 0, 0, 0, 4, .image_type = "ORIGINAL\\PRIMARY\\AXIAL\\LOCALIZER"},
                             {"c", 0, 2, 0, 2}};
  const Slice directions[] = {
      {"a", 0, 0, 0, 1}, {"b", 0, 2, 0, 2}, {"c", 0, 0, 90, 3}, {"d", 2, 0, 90, 4}};
  const Slice sizes[] = {{"a", 0, 0, 0, 1},
                         {"b", 0, 2, 0, 2},
                         {"c", 0, 1, 0, 3, .rows = 32},
                         {"d", 0, 3, 0, 4, .rows = 32}};
  const Slice lost[] = {{"a", 0, 2, 0, 2}, {"b", 0, 0, NAN, 1}};
  const Slice pilot[] = {{"a", 0, 0, 0, 2}, {"b", 0, 0, 45, 3}, {"c", 0, 0, 90, 1}};
  const Slice films[] = {{"a", 0, 0, NAN, 2}, {"b", 0, 0, NAN, 1, .rows = 32}};

  EXPECT_STACKS(localizer, "s | # ImageType (localisers)\nb c a | # ImageType (localisers)");
  EXPECT_STACKS(directions, "a b | # orientation\nc d | # orientation");
  EXPECT_STACKS(sizes, "a b | # image size\nc d | # image size");
  EXPECT(lost, 0, "b a | 1 of 2 images do not say where they lie; ordered by InstanceNumber");
  EXPECT(pilot, 0, "c a b | the 3 images lie in different orientations; ordered by InstanceNumber");
  EXPECT(films, 0, "b a | ");
  g_autoptr(DicomScan) scan = scan_slices(localizer, G_N_ELEMENTS(localizer), 0);
  g_assert_true(((DicomSeries *)scan->series->pdata[0])->is_localizer);
  g_assert_false(((DicomSeries *)scan->series->pdata[1])->is_localizer);
}

/* Values that are none must not reach the arithmetic. */
static void
test_nonsense(void)
{
  const double values[] = {NAN, INFINITY, -INFINITY, 1e300, 0};

  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    for (guint k = 0; k < 9; k++) {
      DicomCollector *collector = dicom_collector_new();

      for (guint n = 0; n < 4; n++) {
        g_autofree char *name = g_strdup_printf("f%u", n);
        DicomInfo *info = info_new(name);

        info_place(info, 0, 0, n, 0);
        if (n == 2) {
          *(k < 3 ? &info->position[k] : &info->orientation[k - 3]) = values[i];
        }
        info->has_gantry_tilt = TRUE;
        info->gantry_tilt = values[i];
        info->instance_number = (gint)n;
        info_collect(collector, info);
      }
      g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
      info_check_scan(scan);
      g_assert_cmpuint(scan->n_images, ==, 4);
      g_assert_cmpuint(scan->series->len, <=, 2);
      for (guint n = 0; n < scan->series->len; n++) {
        g_autofree char *notes = info_notes(scan->series->pdata[n]);
        g_assert_cmpuint(strlen(notes), <, 250); /* no number of hundreds of digits */
        g_assert_null(strstr(notes, "inf"));
        g_assert_null(strstr(notes, "nan"));
      }
    }
  }
}

/* Every image in a direction of its own, and many of them: kept together, and soon. */
static void
test_rotation(void)
{
  DicomCollector *collector = dicom_collector_new();

  for (guint i = 0; i < 3000; i++) {
    g_autofree char *name = g_strdup_printf("f%u", i);
    DicomInfo *info = info_new(name);

    info_place(info, 0, 0, 0, i * 0.12);
    info->instance_number = (gint)(3000 - i);
    info_collect(collector, info);
  }
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->series->len, ==, 1);
  g_autofree char *notes = info_notes(scan->series->pdata[0]);
  g_assert_cmpstr(notes, ==,
                  "the 3000 images lie in different orientations; ordered by InstanceNumber");
}

/* ---- objects of several frames -------------------------------------------------------------- */

static void
test_frames(void)
{
  DicomCollector *collector = dicom_collector_new();
  DicomInfo *shuffled = info_new("shuffled"), *two = info_new("two"), *cine = info_new("cine");
  DicomInfo *echoes = info_new("echoes"), *gap = info_new("gap");

  info_plane(shuffled, 4, 0, 0);
  info_plane(shuffled, 0, 0, 0);
  info_plane(shuffled, 2, 0, 0);
  info_set(&shuffled->series_instance_uid, "1.1");
  info_plane(two, 3, 0, 1);
  info_plane(two, 5, 90, 2);
  info_plane(two, 1, 0, 1);
  info_plane(two, 7, 90, 2);
  info_set(&two->series_instance_uid, "1.2");
  cine->frames = 20;
  cine->frame_time_ms = 40;
  info_set(&cine->series_instance_uid, "1.3");
  info_plane(echoes, 0, 0, 0);
  info_plane(echoes, 0, 0, 0);
  info_plane(echoes, 2, 0, 0);
  info_plane(echoes, 2, 0, 0);
  info_set(&echoes->series_instance_uid, "1.4");
  info_plane(gap, 0, 0, 0);
  info_plane(gap, 2, 0, 0);
  info_plane(gap, 4, 0, 0);
  info_plane(gap, 8, 0, 0);
  info_set(&gap->series_instance_uid, "1.5");
  DicomInfo *infos[] = {shuffled, two, cine, echoes, gap};
  for (guint i = 0; i < G_N_ELEMENTS(infos); i++) {
    infos[i]->series_number = (gint)i + 1;
    info_collect(collector, infos[i]);
  }
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  g_assert_cmpuint(scan->n_images, ==, 5);
  /* Of "two": along the second normal (0, 1, 0) both frames lie at one place. */
  expect_scan(scan, "shuffled[1 2 0] | \n"
                    "two[2 0] | stack 1 of the 2 of this series, which differ in StackID\n"
                    "two[1 3] | stack 2 of the 2 of this series, which differ in StackID\n"
                    "cine | \n"
                    "echoes | every position is there 2 times\n"
                    "gap | 1 slice is missing between images 3 and 4");
  const DicomSeries *film = scan->series->pdata[3];
  g_assert_cmpfloat(film->frame_time_ms, ==, 40);
  g_assert_cmpuint(((DicomSeriesItem *)film->items->pdata[0])->frames, ==, 20);
}

/* Single images and films in one series: each film is a stack. */
static void
test_films(void)
{
  DicomCollector *collector = dicom_collector_new();
  const guint frames[] = {1, 30, 1, 12};

  for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
    g_autofree char *name = g_strdup_printf("f%u", i);
    DicomInfo *info = info_new(name);

    info_set(&info->modality, "US");
    info->instance_number = (gint)i + 1;
    info->frames = frames[i];
    info->frame_time_ms = frames[i] > 1 ? 1000.0 / frames[i] : 0;
    info_collect(collector, info);
  }
  g_autoptr(DicomScan) scan = dicom_collector_finish(collector);
  info_check_scan(scan);
  const char *note = "stack 2 of the 3 of this series; each object of several frames stands alone";
  g_assert_cmpuint(scan->series->len, ==, 3);
  const DicomSeries *stills = scan->series->pdata[0], *film = scan->series->pdata[1];
  g_assert_cmpuint(stills->items->len, ==, 2);
  g_assert_cmpuint(film->items->len, ==, 1);
  g_assert_cmpstr(film->notes->pdata[0], ==, note);
  g_assert_cmpuint(((DicomSeriesItem *)film->items->pdata[0])->frames, ==, 30);
  g_assert_cmpfloat_with_epsilon(film->frame_time_ms, 1000.0 / 30, 1e-9);
  g_assert_cmpfloat(stills->frame_time_ms, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/stack/tilt", test_tilt);
  g_test_add_func("/dicom/stack/spacing", test_spacing);
  g_test_add_func("/dicom/stack/many-gaps", test_many_gaps);
  g_test_add_func("/dicom/stack/same-places", test_same_places);
  g_test_add_func("/dicom/stack/phases", test_phases);
  g_test_add_func("/dicom/stack/kinds", test_kinds);
  g_test_add_func("/dicom/stack/nonsense", test_nonsense);
  g_test_add_func("/dicom/stack/rotation", test_rotation);
  g_test_add_func("/dicom/stack/frames", test_frames);
  g_test_add_func("/dicom/stack/films", test_films);
  return g_test_run();
}
