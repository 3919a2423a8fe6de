/* info.c - DicomInfo from a data set. */
#include "content.h"
#include "file.h"
#include "limits.h"
#include "tags.h"

#include <string.h>

static void
set_text(char **slot, const DicomItem *item, guint32 tag)
{
  g_free(*slot);
  *slot = dicom_item_text(item, tag);
}

static gboolean
number(const DicomItem *item, guint32 tag, double *value)
{
  return dicom_item_numbers(item, tag, value, 1) == 1;
}

/* A whole number from LOW to HIGH; FALSE and an error when the attribute is there and is none, or
 * when it is missing and FALLBACK is negative. */
static gboolean
whole(const DicomFile *file, const DicomItem *item, guint32 tag, const char *keyword, gint64 low,
      gint64 high, gint64 fallback, guint *out, GError **error)
{
  double value;

  if (!number(item, tag, &value)) {
    if (!dicom_item_has(item, tag) && fallback >= 0) {
      *out = (guint)fallback;
      return TRUE;
    }
    g_set_error(
        error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
        "%s: %s is %s; expected a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
        file->name, keyword, dicom_item_has(item, tag) ? "not a number" : "missing", low, high);
    return FALSE;
  }
  if (value < (double)low || value > (double)high || value != (double)(gint64)value) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: %s is %g; expected a whole number from %" G_GINT64_FORMAT
                " to %" G_GINT64_FORMAT,
                file->name, keyword, value, low, high);
    return FALSE;
  }
  *out = (guint)value;
  return TRUE;
}

static void
read_texts(DicomInfo *info, const DicomItem *root)
{
  set_text(&info->sop_class, root, TAG_SOPClassUID);
  set_text(&info->sop_instance_uid, root, TAG_SOPInstanceUID);
  set_text(&info->study_instance_uid, root, TAG_StudyInstanceUID);
  set_text(&info->series_instance_uid, root, TAG_SeriesInstanceUID);
  set_text(&info->frame_of_reference_uid, root, TAG_FrameOfReferenceUID);
  set_text(&info->modality, root, TAG_Modality);
  set_text(&info->photometric, root, TAG_PhotometricInterpretation);
  set_text(&info->voi_lut_function, root, TAG_VOILUTFunction);
  set_text(&info->rescale_type, root, TAG_RescaleType);
  set_text(&info->patient_name, root, TAG_PatientName);
  set_text(&info->patient_id, root, TAG_PatientID);
  set_text(&info->patient_birth_date, root, TAG_PatientBirthDate);
  set_text(&info->patient_sex, root, TAG_PatientSex);
  set_text(&info->study_id, root, TAG_StudyID);
  set_text(&info->study_date, root, TAG_StudyDate);
  set_text(&info->study_time, root, TAG_StudyTime);
  set_text(&info->accession_number, root, TAG_AccessionNumber);
  set_text(&info->study_description, root, TAG_StudyDescription);
  set_text(&info->series_description, root, TAG_SeriesDescription);
  set_text(&info->image_comments, root, TAG_ImageComments);
  set_text(&info->body_part_examined, root, TAG_BodyPartExamined);
  set_text(&info->view_position, root, TAG_ViewPosition);
  set_text(&info->laterality, root, TAG_ImageLaterality);
  if (!info->laterality[0]) {
    set_text(&info->laterality, root, TAG_Laterality);
  }
  set_text(&info->burned_in_annotation, root, TAG_BurnedInAnnotation);
}

static void
read_windows(DicomInfo *info, const DicomItem *root)
{
  double centers[DICOM_MAX_WINDOWS], widths[DICOM_MAX_WINDOWS];
  guint n = MIN(dicom_item_numbers(root, TAG_WindowCenter, centers, DICOM_MAX_WINDOWS),
                dicom_item_numbers(root, TAG_WindowWidth, widths, DICOM_MAX_WINDOWS));

  g_array_append_vals(info->window_center, centers, n);
  g_array_append_vals(info->window_width, widths, n);
  g_autofree char *explanations = dicom_item_text(root, TAG_WindowCenterWidthExplanation);
  if (explanations[0]) {
    g_auto(GStrv) parts = g_strsplit(explanations, "\\", DICOM_MAX_WINDOWS);

    for (guint i = 0; parts[i]; i++) {
      g_ptr_array_add(info->window_explanation, g_strdup(g_strstrip(parts[i])));
    }
  }
  if (!info->voi_lut_function[0]) {
    g_free(info->voi_lut_function);
    info->voi_lut_function = g_strdup("LINEAR");
  }
  info->n_voi_luts = MIN(dicom_item_count(root, TAG_VOILUTSequence), DICOM_MAX_WINDOWS);
}

/* Of an enhanced object: the macro of the first frame, else the shared one. */
static const DicomItem *
group_item(const DicomItem *root, guint32 macro)
{
  static const guint32 groups[] = {TAG_PerFrameFunctionalGroupsSequence,
                                   TAG_SharedFunctionalGroupsSequence};

  for (guint i = 0; i < G_N_ELEMENTS(groups); i++) {
    const DicomItem *group = dicom_item_nested(root, groups[i], 0);
    const DicomItem *item = group ? dicom_item_nested(group, macro, 0) : NULL;

    if (item) {
      return item;
    }
  }
  return root;
}

static void
read_geometry(DicomInfo *info, const DicomItem *root)
{
  const DicomItem *measures = group_item(root, TAG_PixelMeasuresSequence);

  info->has_position = dicom_item_numbers(group_item(root, TAG_PlanePositionSequence),
                                          TAG_ImagePositionPatient, info->position, 3) == 3;
  info->has_orientation =
      dicom_item_numbers(group_item(root, TAG_PlaneOrientationSequence),
                         TAG_ImageOrientationPatient, info->orientation, 6) == 6;
  if (dicom_item_numbers(measures, TAG_PixelSpacing, info->spacing, 2) == 2) {
    info->has_spacing = TRUE;
    g_free(info->spacing_source);
    info->spacing_source = g_strdup("PixelSpacing");
  } else if (dicom_item_numbers(root, TAG_ImagerPixelSpacing, info->spacing, 2) == 2) {
    /* At the detector, not in the patient; whoever shows a length has to say so. */
    info->has_spacing = TRUE;
    g_free(info->spacing_source);
    info->spacing_source = g_strdup("ImagerPixelSpacing");
  }
  if (info->spacing[0] <= 0 || info->spacing[1] <= 0) {
    info->has_spacing = FALSE;
  }
  number(measures, TAG_SliceThickness, &info->slice_thickness);
  number(root, TAG_FrameTime, &info->frame_time_ms);
}

static void
read_place(DicomInfo *info, const DicomItem *root)
{
  double value;

  if (number(root, TAG_SeriesNumber, &value)) {
    info->series_number = (gint)CLAMP(value, G_MININT, G_MAXINT);
  }
  if (number(root, TAG_InstanceNumber, &value)) {
    info->instance_number = (gint)CLAMP(value, G_MININT, G_MAXINT);
  }
}

/* PS3.3 C.7.6.3: the image pixel module, and what follows from it. */
static gboolean
read_pixel_module(DicomFile *file, const DicomItem *root, GError **error)
{
  DicomInfo *info = &file->info;
  gboolean is_float = file->pixels.tag != TAG_PixelData;
  guint top;

  if (!whole(file, root, TAG_Rows, "Rows", 1, 65535, -1, &info->rows, error) ||
      !whole(file, root, TAG_Columns, "Columns", 1, 65535, -1, &info->columns, error) ||
      !whole(file, root, TAG_NumberOfFrames, "NumberOfFrames", 1, DICOM_MAX_FRAMES, 1,
             &info->frames, error) ||
      !whole(file, root, TAG_SamplesPerPixel, "SamplesPerPixel", 1, 4, 1, &info->samples, error) ||
      !whole(file, root, TAG_BitsAllocated, "BitsAllocated", 1, 64, is_float ? 32 : -1,
             &info->bits_allocated, error)) {
    return FALSE;
  }
  top = info->bits_allocated;
  if (!whole(file, root, TAG_BitsStored, "BitsStored", 0, 65535, top, &info->bits_stored, error)) {
    return FALSE;
  }
  /* All the bits that are there, where the number of those that count makes no sense. */
  if (info->bits_stored == 0 || info->bits_stored > top) {
    info->bits_stored = top;
  }
  if (!whole(file, root, TAG_HighBit, "HighBit", 0, 65535, info->bits_stored - 1, &info->high_bit,
             error) ||
      !whole(file, root, TAG_PixelRepresentation, "PixelRepresentation", 0, 1, 0,
             &info->pixel_representation, error) ||
      !whole(file, root, TAG_PlanarConfiguration, "PlanarConfiguration", 0, 1, 0, &info->planar,
             error)) {
    return FALSE;
  }
  info->has_planar = dicom_item_has(root, TAG_PlanarConfiguration);
  info->has_bits = !is_float;
  return TRUE;
}

void
dicom_info_read_content(DicomFile *file)
{
  DicomInfo *info = &file->info;
  const DicomItem *root = dicom_dataset_root(file->dataset);

  set_text(&info->sop_class, root, TAG_SOPClassUID);
  const char *uid = info->sop_class[0] ? info->sop_class : file->meta.media_sop_class;
  const char *name = dicom_content_of_class(uid, &info->content);
  if (!name) {
    info->content = file->pixels.tag ? DICOM_CONTENT_IMAGE : DICOM_CONTENT_OTHER;
  }
  g_free(info->content_name);
  info->content_name = g_strdup(name ? name : uid);
}

gboolean
dicom_info_read(DicomFile *file, GError **error)
{
  DicomInfo *info = &file->info;
  const DicomItem *root = dicom_dataset_root(file->dataset);
  g_autofree char *lossy = dicom_item_text(root, TAG_LossyImageCompression);
  g_autofree char *shape = dicom_item_text(root, TAG_PresentationLUTShape);

  g_free(info->transfer_syntax);
  info->transfer_syntax = g_strdup(file->meta.syntax_uid);
  read_texts(info, root);
  if (!info->photometric[0] && info->content == DICOM_CONTENT_IMAGE) {
    /* As nearly every object without it is meant. */
    double samples;

    g_free(info->photometric);
    info->photometric = g_strdup(
        number(root, TAG_SamplesPerPixel, &samples) && samples == 3 ? "RGB" : "MONOCHROME2");
  }
  if (info->content == DICOM_CONTENT_IMAGE && !read_pixel_module(file, root, error)) {
    return FALSE;
  }
  read_windows(info, root);
  read_geometry(info, root);
  read_place(info, root);
  info->has_modality_lut = dicom_item_count(root, TAG_ModalityLUTSequence) > 0;
  info->has_rescale = number(root, TAG_RescaleSlope, &info->slope);
  if (!info->has_rescale) {
    info->slope = 1;
  }
  info->has_rescale = number(root, TAG_RescaleIntercept, &info->intercept) || info->has_rescale;
  info->inverse_shape = strcmp(shape, "INVERSE") == 0;
  info->lossy = strcmp(lossy, "01") == 0 || (file->meta.syntax && file->meta.syntax->lossy);
  return TRUE;
}
