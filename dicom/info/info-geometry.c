/* info-geometry.c - where the frames of an object lie, how large their pixels are, how fast they
 * follow each other. */
#include "info.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

static gboolean
number(const DicomItem *item, guint32 tag, double *value)
{
  return dicom_item_numbers(item, tag, value, 1) == 1;
}

static gboolean
is_spacing(const double spacing[2])
{
  return spacing[0] > 0 && spacing[1] > 0;
}

/* ---- planes ------------------------------------------------------------------------------------
 */

static void
read_plane(const DicomItem *position, const DicomItem *orientation, const DicomItem *measures,
           DicomPlane *plane)
{
  plane->has_position =
      dicom_item_numbers(position, TAG_ImagePositionPatient, plane->position, 3) == 3;
  plane->has_orientation =
      dicom_item_numbers(orientation, TAG_ImageOrientationPatient, plane->orientation, 6) == 6;
  plane->has_spacing = dicom_item_numbers(measures, TAG_PixelSpacing, plane->spacing, 2) == 2 &&
                       is_spacing(plane->spacing);
}

/* StackID (PS3.3 C.7.6.16.2.2) as a number, by the order in which the names appear. */
static guint
stack_number(GHashTable *stacks, const DicomItem *root, guint frame)
{
  const DicomItem *content = dicom_info_group(root, frame, TAG_FrameContentSequence);
  g_autofree char *name = dicom_item_text(content, TAG_StackID);

  if (!name[0]) {
    return 0;
  }
  guint number = GPOINTER_TO_UINT(g_hash_table_lookup(stacks, name));
  if (number == 0) {
    number = g_hash_table_size(stacks) + 1;
    g_hash_table_insert(stacks, g_steal_pointer(&name), GUINT_TO_POINTER(number));
  }
  return number;
}

static void
read_planes(DicomInfo *info, const DicomItem *root)
{
  g_autoptr(GHashTable) stacks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gboolean any = FALSE;

  if (dicom_item_count(root, TAG_PerFrameFunctionalGroupsSequence) == 0) {
    return;
  }
  for (guint i = 0; i < info->frames; i++) {
    DicomPlane plane = {0};

    read_plane(dicom_info_group(root, i, TAG_PlanePositionSequence),
               dicom_info_group(root, i, TAG_PlaneOrientationSequence),
               dicom_info_group(root, i, TAG_PixelMeasuresSequence), &plane);
    plane.stack = stack_number(stacks, root, i);
    any = any || plane.has_position || plane.has_orientation || plane.has_spacing;
    g_array_append_val(info->planes, plane);
  }
  if (!any) {
    g_array_set_size(info->planes, 0);
  }
}

/* ---- spacing -----------------------------------------------------------------------------------
 */

static void
set_spacing(DicomInfo *info, const double spacing[2], const char *source)
{
  memcpy(info->spacing, spacing, sizeof info->spacing);
  info->has_spacing = TRUE;
  g_free(info->spacing_source);
  info->spacing_source = g_strdup(source);
}

/* PS3.3 C.8.5.5: a region with a picture of tissue, both of whose axes are centimetres. */
static gboolean
read_region(const DicomItem *region, double out[6])
{
  enum { TISSUE = 1, CENTIMETRES = 3 };
  static const guint32 edges[4] = {TAG_RegionLocationMinX0, TAG_RegionLocationMinY0,
                                   TAG_RegionLocationMaxX1, TAG_RegionLocationMaxY1};
  double format = TISSUE, units[2] = {0}, delta[2] = {0};

  number(region, TAG_RegionSpatialFormat, &format);
  if (format != TISSUE || !number(region, TAG_PhysicalUnitsXDirection, &units[0]) ||
      !number(region, TAG_PhysicalUnitsYDirection, &units[1]) || units[0] != CENTIMETRES ||
      units[1] != CENTIMETRES || !number(region, TAG_PhysicalDeltaX, &delta[0]) ||
      !number(region, TAG_PhysicalDeltaY, &delta[1])) {
    return FALSE;
  }
  for (guint i = 0; i < 4; i++) {
    if (!number(region, edges[i], &out[i])) {
      if (dicom_item_has(region, edges[i])) {
        return FALSE;
      }
      out[i] = i < 2 ? 0 : G_MAXUINT16; /* it does not say: all of the picture */
    }
  }
  out[2]++; /* the last pixel is inside */
  out[3]++;
  out[4] = fabs(delta[0]) * 10;
  out[5] = fabs(delta[1]) * 10;
  return out[4] > 0 && out[5] > 0 && isfinite(out[4] + out[5]) && out[0] < out[2] &&
         out[1] < out[3];
}

static void
read_regions(DicomInfo *info, const DicomItem *root)
{
  guint n = MIN(dicom_item_count(root, TAG_SequenceOfUltrasoundRegions), DICOM_MAX_WINDOWS);

  for (guint i = 0; i < n && info->regions->len + 6 <= DICOM_MAX_WINDOWS; i++) {
    double region[6];

    if (read_region(dicom_item_nested(root, TAG_SequenceOfUltrasoundRegions, i), region)) {
      g_array_append_vals(info->regions, region, 6);
    }
  }
}

/* The pixel size of all regions, when they say the same. */
static gboolean
same_in_regions(const DicomInfo *info, double spacing[2])
{
  const double *r = (const double *)(gpointer)info->regions->data;

  for (guint i = 0; i < info->regions->len; i += 6) {
    if (fabs(r[i + 4] - r[4]) > 1e-6 * r[4] || fabs(r[i + 5] - r[5]) > 1e-6 * r[5]) {
      return FALSE;
    }
  }
  if (info->regions->len > 0) {
    spacing[0] = r[5];
    spacing[1] = r[4];
  }
  return info->regions->len > 0;
}

/* PS3.3 C.7.6.3.1.7: vertical size and horizontal size of a pixel, as whole numbers. */
static void
read_aspect(DicomInfo *info, const DicomItem *root)
{
  double ratio[2];

  if (info->has_spacing) {
    info->pixel_aspect = info->spacing[0] / info->spacing[1];
  } else if (dicom_item_numbers(root, TAG_PixelAspectRatio, ratio, 2) == 2 && is_spacing(ratio)) {
    info->pixel_aspect = ratio[0] / ratio[1];
  }
  if (!isfinite(info->pixel_aspect)) {
    info->pixel_aspect = 0;
  }
}

static void
read_spacing(DicomInfo *info, const DicomItem *root)
{
  const DicomItem *measures = dicom_info_group(root, 0, TAG_PixelMeasuresSequence);
  /* At the detector, or on the film, and not in the patient: whoever shows a length has to say so.
   */
  static const struct {
    guint32 tag;
    const char *name;
  } others[] = {{TAG_ImagerPixelSpacing, "ImagerPixelSpacing"},
                {TAG_NominalScannedPixelSpacing, "NominalScannedPixelSpacing"}};
  double spacing[2] = {0};

  if (dicom_item_numbers(measures, TAG_PixelSpacing, spacing, 2) == 2 && is_spacing(spacing)) {
    set_spacing(info, spacing, "PixelSpacing");
  }
  for (guint i = 0; i < G_N_ELEMENTS(others) && !info->has_spacing; i++) {
    if (dicom_item_numbers(root, others[i].tag, spacing, 2) == 2 && is_spacing(spacing)) {
      set_spacing(info, spacing, others[i].name);
    }
  }
  read_regions(info, root);
  if (!info->has_spacing && same_in_regions(info, spacing)) {
    set_spacing(info, spacing, "UltrasoundRegion");
  }
  read_aspect(info, root);
  dicom_info_set_text(&info->spacing_calibration, root, TAG_PixelSpacingCalibrationType);
  number(root, TAG_EstimatedRadiographicMagnificationFactor, &info->magnification);
  number(measures, TAG_SliceThickness, &info->slice_thickness);
  number(measures, TAG_SpacingBetweenSlices, &info->spacing_between_slices);
}

/* ---- time --------------------------------------------------------------------------------------
 */

/* FrameTimeVector (PS3.3 C.7.6.5.1.2) begins with the offset of the first frame, which is 0. */
static double
mean_increment(const DicomItem *root)
{
  g_autofree double *values = g_new(double, DICOM_MAX_FRAMES);
  guint n = dicom_item_numbers(root, TAG_FrameTimeVector, values, DICOM_MAX_FRAMES);
  double sum = 0;

  for (guint i = 1; i < n; i++) {
    sum += values[i];
  }
  return n > 1 ? sum / (n - 1) : 0;
}

static double
read_frame_time(const DicomItem *root)
{
  static const guint32 rates[] = {TAG_CineRate, TAG_RecommendedDisplayFrameRate};
  double value;

  if (number(root, TAG_FrameTime, &value) && value > 0) {
    return value;
  }
  if (dicom_item_has(root, TAG_FrameTimeVector)) {
    value = mean_increment(root);
    if (value > 0) {
      return value;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
    if (number(root, rates[i], &value) && value > 0) {
      return 1000 / value;
    }
  }
  return 0;
}

void
dicom_info_read_geometry(DicomInfo *info, const DicomItem *root)
{
  const DicomItem *tilt = dicom_info_group(root, 0, TAG_CTAcquisitionDetailsSequence);
  DicomPlane first = {0};

  read_plane(dicom_info_group(root, 0, TAG_PlanePositionSequence),
             dicom_info_group(root, 0, TAG_PlaneOrientationSequence), root, &first);
  info->has_position = first.has_position;
  info->has_orientation = first.has_orientation;
  memcpy(info->position, first.position, sizeof info->position);
  memcpy(info->orientation, first.orientation, sizeof info->orientation);
  read_spacing(info, root);
  info->has_gantry_tilt = number(tilt, TAG_GantryDetectorTilt, &info->gantry_tilt);
  info->frame_time_ms = read_frame_time(root);
  read_planes(info, root);
}
