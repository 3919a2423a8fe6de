/* slice-facts.c - what is said of a slice: values, lengths, plane, windows, and lines of text. */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "slice.h"

/* ---- lengths ------------------------------------------------------------------------------ */

/* Beyond these no scanner, film or microscope has pixels: mm. */
#define LEAST_MM 1e-6
#define LARGEST_MM 1e3
#define LARGEST_ASPECT 100

static gboolean
is_size(double mm)
{
  return mm >= LEAST_MM && mm <= LARGEST_MM;
}

/* How PixelSpacing of a projection came to be what it is in the patient (PS3.3 10.7.1.3). */
static const char *
calibration_by_type(const char *type)
{
  if (strcmp(type, "FIDUCIAL") == 0) {
    return _("calibrated by a fiducial");
  }
  return strcmp(type, "GEOMETRY") == 0 ? _("calibrated by geometry") : _("calibrated");
}

static void
describe_detector(AppSlice *slice, const DicomInfo *info)
{
  AppSliceFacts *facts = &slice->facts;
  double factor = info->magnification;

  /* EstimatedRadiographicMagnificationFactor: at the detector, all is that much larger (PS3.3
   * C.8.7.5.1.1, 10.7.1.1). */
  if (strcmp(info->spacing_source, "ImagerPixelSpacing") == 0 && factor > 1 && factor < 10) {
    facts->mm_x /= factor;
    facts->mm_y /= factor;
    slice->calibration = g_strdup_printf(_("estimated, magnification %.2f"), factor);
  } else {
    slice->calibration = g_strdup(_("at the detector"));
  }
}

static void
describe_lengths(AppSlice *slice)
{
  const DicomInfo *info = slice->header->info;
  AppSliceFacts *facts = &slice->facts;
  DicomPlane plane = dicom_info_plane(info, facts->frame);
  const double *spacing = plane.has_spacing ? plane.spacing : info->spacing;
  const char *worth = dicom_info_calibration(info);
  double aspect = plane.has_spacing ? plane.spacing[0] / plane.spacing[1] : info->pixel_aspect;

  facts->pixel_aspect = aspect >= 1.0 / LARGEST_ASPECT && aspect <= LARGEST_ASPECT ? aspect : 1;
  if ((!info->has_spacing && !plane.has_spacing) || strcmp(worth, "none") == 0 ||
      !is_size(spacing[0]) || !is_size(spacing[1])) {
    if (!info->has_spacing && info->regions->len > 0) {
      slice->calibration = g_strdup(_("ultrasound region"));
    }
    return;
  }
  facts->mm_x = spacing[1];
  facts->mm_y = spacing[0];
  if (strcmp(worth, "detector") == 0) {
    describe_detector(slice, info);
  } else if (strcmp(info->spacing_source, "UltrasoundRegion") == 0) {
    slice->calibration = g_strdup(_("ultrasound region"));
  } else if (info->spacing_calibration[0]) {
    slice->calibration = g_strdup(calibration_by_type(info->spacing_calibration));
  } else {
    slice->calibration = g_strdup(_("Pixel Spacing"));
  }
}

/* ---- plane -------------------------------------------------------------------------------- */

static double
dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* FALSE: it is none, by more than rounding to a few digits does. */
static gboolean
make_unit(const double from[3], double to[3])
{
  double length = sqrt(dot(from, from));

  if (!(length > 0.9 && length < 1.1)) {
    return FALSE;
  }
  for (guint i = 0; i < 3; i++) {
    to[i] = from[i] / length;
  }
  return TRUE;
}

static void
describe_plane(AppSlice *slice)
{
  const DicomInfo *info = slice->header->info;
  DicomPlane from = dicom_info_plane(info, slice->facts.frame);
  AppPlane *plane = &slice->plane;

  if (!from.has_position || !from.has_orientation || !from.has_spacing ||
      !is_size(from.spacing[0]) || !is_size(from.spacing[1]) ||
      !make_unit(from.orientation, plane->row) || !make_unit(from.orientation + 3, plane->column) ||
      fabs(dot(plane->row, plane->column)) > 0.01) {
    return;
  }
  for (guint i = 0; i < 3; i++) {
    if (!(fabs(from.position[i]) < 1e6)) {
      return;
    }
    plane->origin[i] = from.position[i];
  }
  plane->spacing_x = from.spacing[1];
  plane->spacing_y = from.spacing[0];
  plane->frame_of_reference_uid =
      info->frame_of_reference_uid[0] ? info->frame_of_reference_uid : NULL;
  slice->facts.plane = plane;
}

/* ---- values ------------------------------------------------------------------------------- */

/* Units of PET (PS3.3 C.8.9.1.1.3), and RescaleType of all others (C.11.1.1.2); CT without one has
 * HU (C.8.2.1). */
static const char *
unit_of(const DicomInfo *info)
{
  static const char *const units[][2] = {{"BQML", "Bq/ml"},  {"CNTS", "counts"}, {"GML", "g/ml"},
                                         {"PROPCPS", "cps"}, {"CPS", "cps"},     {"NONE", ""},
                                         {"US", ""}}; /* "unspecified" */
  const char *unit = info->units[0] ? info->units : info->rescale_type;

  if (!info->units[0] && !info->has_rescale && !info->has_modality_lut) {
    return "";
  }
  for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
    if (strcmp(unit, units[i][0]) == 0) {
      return units[i][1];
    }
  }
  return unit[0] || strcmp(info->modality, "CT") != 0 ? unit : "HU";
}

static void
describe_values(AppSlice *slice)
{
  AppSliceFacts *facts = &slice->facts;
  const DicomInfo *info = slice->header->info;
  DicomWindow window = dicom_frame_default_window(slice->frame);

  facts->width = dicom_frame_width(slice->frame);
  facts->height = dicom_frame_height(slice->frame);
  facts->is_colour = dicom_frame_is_colour(slice->frame);
  facts->has_covers = dicom_frame_has_covers(slice->frame);
  facts->modality = info->modality;
  facts->body_part = info->body_part_examined;
  facts->unit = "";
  if (facts->is_colour) {
    return;
  }
  facts->unit = unit_of(info);
  facts->suv_factor = info->suv_factor;
  dicom_frame_range(slice->frame, &facts->low, &facts->high);
  facts->window = app_window_of(&window);
  if (!facts->window.set) {
    /* Where a drag starts. */
    facts->window.center = (facts->low + facts->high) / 2;
    facts->window.width = MAX(facts->high - facts->low, 1);
  }
}

static void
add_preset(AppSlice *slice, const GPtrArray *names, guint i, const char *fallback,
           const DicomWindow *window)
{
  const char *name = i < names->len ? names->pdata[i] : "";
  AppPreset *preset = &slice->presets[slice->facts.n_presets++];

  preset->name = *name ? g_strdup(name) : g_strdup_printf("%s %u", fallback, i + 1);
  preset->window = app_window_of(window);
}

static void
describe_presets(AppSlice *slice)
{
  guint n_windows = dicom_frame_n_windows(slice->frame);
  guint n_luts = dicom_frame_n_voi_luts(slice->frame);
  const DicomInfo *info = slice->header->info;
  /* The header names the image's own windows, not those of a presentation state. */
  g_autoptr(GPtrArray) none = g_ptr_array_new();
  gboolean own = slice->frame == slice->measured;

  if (slice->facts.is_colour) {
    return;
  }
  slice->presets = g_new0(AppPreset, n_windows + n_luts);
  slice->facts.presets = slice->presets;
  for (guint i = 0; i < n_windows; i++) {
    DicomWindow window = dicom_frame_window(slice->frame, i);

    add_preset(slice, own ? info->window_explanation : none, i, _("Window"), &window);
  }
  for (guint i = 0; i < n_luts; i++) {
    DicomWindow window = dicom_frame_lut_window(slice->frame, i);

    add_preset(slice, own ? info->lut_explanation : none, i, _("Table"), &window);
  }
}

/* ---- lines -------------------------------------------------------------------------------- */

/* Takes LINE; empty ones are left out. */
static void
add_line(GPtrArray *lines, char *line)
{
  if (line && *g_strstrip(line)) {
    g_ptr_array_add(lines, line);
  } else {
    g_free(line);
  }
}

static char **
end_lines(GPtrArray *lines)
{
  g_ptr_array_add(lines, NULL);
  return (char **)g_ptr_array_free(lines, FALSE);
}

/* PS3.5 6.2.1: the first group of "Doe^John^^Dr.^" as "Doe, John"; the whole where there is none.
 */
static char *
person_name(const char *text)
{
  g_auto(GStrv) groups = g_strsplit(text, "=", 2);
  g_auto(GStrv) parts = groups[0] ? g_strsplit(groups[0], "^", 5) : NULL;
  GString *name = g_string_new(parts ? parts[0] : NULL);

  for (guint i = 1; parts && parts[0] && i < 3 && parts[i]; i++) {
    if (*parts[i]) {
      g_string_append_printf(name, "%s%s", i == 1 && name->len > 0 ? ", " : " ", parts[i]);
    }
  }
  return g_string_free(name, FALSE);
}

/* DA as a date by the locale; what is none stays as it is. g_free(). */
static char *
date_text(const char *text)
{
  guint64 number =
      strlen(text) == 8 && strspn(text, "0123456789") == 8 ? g_ascii_strtoull(text, NULL, 10) : 0;
  guint year = (guint)(number / 10000), month = (guint)(number / 100 % 100);
  guint day = (guint)(number % 100);
  char shown[64] = "";

  if (year > 0 && g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
    GDate date;

    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
    g_date_strftime(shown, sizeof shown, "%x", &date);
  }
  return g_strdup(shown[0] ? shown : text);
}

/* TM as hours and minutes, else "". g_free(). */
static char *
time_text(const char *text)
{
  return strspn(text, "0123456789") >= 4 ? g_strdup_printf("%.2s:%.2s", text, text + 2)
                                         : g_strdup("");
}

static char *
join_two(const char *a, const char *between, const char *b)
{
  return g_strconcat(a, *a && *b ? between : "", b, NULL);
}

static void
describe_patient(AppSlice *slice)
{
  const DicomInfo *info = slice->header->info;
  GPtrArray *lines = g_ptr_array_new();
  g_autofree char *birth = date_text(info->patient_birth_date);

  add_line(lines, person_name(info->patient_name));
  add_line(lines, g_strdup(info->patient_id));
  add_line(lines, join_two(birth, " · ", info->patient_sex));
  slice->facts.patient_lines = end_lines(lines);
}

static void
describe_study(AppSlice *slice)
{
  const DicomInfo *info = slice->header->info;
  GPtrArray *lines = g_ptr_array_new();
  g_autofree char *date = date_text(info->study_date), *at = time_text(info->study_time);

  add_line(lines, g_strdup(info->study_description));
  add_line(lines, join_two(date, " ", at));
  add_line(lines, g_strdup(info->accession_number));
  slice->facts.study_lines = end_lines(lines);
}

/* Where the slice lies along the axis of the patient that it is most at right angles to: "H 12.5
 * mm". g_free(). */
static char *
position_text(const AppPlane *plane)
{
  static const char positive[] = "LPH", negative[] = "RAF";
  const double *r = plane->row, *c = plane->column;
  const double normal[3] = {r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2],
                            r[0] * c[1] - r[1] * c[0]};
  guint best = 0;

  for (guint i = 1; i < 3; i++) {
    best = fabs(normal[i]) > fabs(normal[best]) ? i : best;
  }
  double along = plane->origin[best];
  return g_strdup_printf(_("%c %.1f mm"), along < 0 ? negative[best] : positive[best], fabs(along));
}

static void
describe_image(AppSlice *slice, const AppSeriesInfo *series)
{
  const DicomInfo *info = slice->header->info;
  GPtrArray *lines = g_ptr_array_new();
  g_autofree char *place = slice->facts.plane ? position_text(slice->facts.plane) : g_strdup("");
  g_autofree char *thick = info->slice_thickness > 0 && info->slice_thickness < LARGEST_MM
                               ? g_strdup_printf(_("thickness %.2f mm"), info->slice_thickness)
                               : g_strdup("");
  char **parts[2] = {&place, &thick};

  add_line(lines, g_strdup(series->title));
  add_line(lines, g_strdup(slice->label));
  /* A number and its unit do not part, however narrow the viewport is. */
  for (guint i = 0; i < 2; i++) {
    g_auto(GStrv) words = g_strsplit(*parts[i], " ", -1);

    g_free(*parts[i]);
    *parts[i] = g_strjoinv("\u00a0", words);
  }
  add_line(lines, join_two(place, " · ", thick));
  slice->facts.image_lines = end_lines(lines);
}

/* ---- notices ------------------------------------------------------------------------------ */

/* Of one kind of compression: "12.5:1"; of several, one after the other, all of them. */
static char *
lossy_text(const DicomInfo *info)
{
  g_auto(GStrv) values = g_strsplit(info->lossy_ratio, "\\", 8);
  g_autoptr(GString) ratios = g_string_new(NULL);

  for (guint i = 0; values[i]; i++) {
    double ratio = g_ascii_strtod(values[i], NULL);

    if (ratio > 1 && ratio < 1e6) {
      g_string_append_printf(ratios, "%s%.*f:1", ratios->len > 0 ? ", " : "", ratio < 10, ratio);
    }
  }
  return ratios->len > 0 ? g_strdup_printf(_("Lossy compression %s"), ratios->str)
                         : g_strdup(_("Lossy compression"));
}

/* How many times farther away the neighbour in DIRECTION is than the slices of the series are from
 * each other; 1 where that is not known. */
static double
gap_of(const DicomSeries *series, guint item, int direction)
{
  const DicomSeriesItem *here = series->items->pdata[item], *there;
  gint64 next = (gint64)item + direction;

  if (!series->sorted_by_geometry || !(series->spacing > 0) || next < 0 ||
      next >= series->items->len) {
    return 1;
  }
  there = series->items->pdata[next];
  return here->frames == 1 && there->frames == 1 && here->has_position && there->has_position
             ? fabs(here->along - there->along) / series->spacing
             : 1;
}

/* From here on a slice is missing; and so much is not regular any more (dicom/study/stack-notes.c
 * has the same limits). */
#define MISSING 1.5
#define IRREGULAR 0.1
#define ROUNDING_MM 0.11

static void
add_gap_notice(GPtrArray *lines, const DicomSeries *series, guint item)
{
  double down = gap_of(series, item, -1), up = gap_of(series, item, 1);
  gboolean before = down > MISSING, after = up > MISSING;
  double most = MAX(IRREGULAR, series->spacing > 0 ? ROUNDING_MM / series->spacing : 0);

  if (before || after) {
    add_line(lines, g_strdup(before && after ? _("Slices missing before and after this one")
                             : before        ? _("Slices missing before this one")
                                             : _("Slices missing after this one")));
  } else if (fabs(down - 1) > most || fabs(up - 1) > most) {
    add_line(lines, g_strdup(_("Irregular slice spacing")));
  }
}

static void
describe_notices(AppSlice *slice, const DicomSeries *series, guint item)
{
  const DicomInfo *info = slice->header->info;
  GPtrArray *lines = g_ptr_array_new();

  if (info->lossy) {
    add_line(lines, lossy_text(info));
  }
  if (info->damage[0]) {
    add_line(lines, g_strdup_printf(_("Damaged file: %s"), info->damage));
  }
  if (info->has_gantry_tilt && fabs(info->gantry_tilt) >= 0.5 && fabs(info->gantry_tilt) < 90) {
    add_line(lines, g_strdup_printf(_("Gantry tilt %.1f°"), info->gantry_tilt));
  }
  add_gap_notice(lines, series, item);
  if (strcmp(info->presentation_intent, "FOR PROCESSING") == 0) {
    add_line(lines, g_strdup(_("For processing, not for presentation")));
  }
  if (!slice->calibration) {
    add_line(lines, g_strdup(_("Pixel size unknown: no lengths")));
  }
  slice->facts.notices = end_lines(lines);
}

/* ---- all of it ---------------------------------------------------------------------------- */

void
app_slice_describe(AppSlice *slice, const AppStudySeries *series, guint item)
{
  AppSliceFacts *facts = &slice->facts;

  describe_values(slice);
  describe_lengths(slice);
  describe_plane(slice);
  describe_presets(slice);
  facts->calibration = slice->calibration ? slice->calibration : "";
  facts->letters = app_facts_letters(slice->header, facts->frame);
  describe_patient(slice);
  describe_study(slice);
  describe_image(slice, &series->info);
  describe_notices(slice, series->series, item);
  facts->warnings = slice->header->warnings;
  facts->frame_time_ms = slice->header->info->frame_time_ms;
}

void
app_slice_forget(AppSlice *slice)
{
  for (guint i = 0; i < slice->facts.n_presets; i++) {
    g_free(slice->presets[i].name);
  }
  g_free(slice->presets);
  g_free(slice->calibration);
  g_strfreev(slice->facts.patient_lines);
  g_strfreev(slice->facts.study_lines);
  g_strfreev(slice->facts.image_lines);
  g_strfreev(slice->facts.notices);
}
