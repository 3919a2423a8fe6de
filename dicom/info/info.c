/* info.c - DicomInfo from a data set. */
#include "content.h"
#include "dicom/file.h"
#include "info.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <string.h>

void
dicom_info_set_text(char **slot, const DicomItem *item, guint32 tag)
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
#define TEXT(field, keyword)                                                                       \
  {                                                                                                \
    G_STRUCT_OFFSET(DicomInfo, field), TAG_##keyword                                               \
  }
  static const struct {
    gsize offset;
    guint32 tag;
  } texts[] = {
      TEXT(sop_instance_uid, SOPInstanceUID),
      TEXT(study_instance_uid, StudyInstanceUID),
      TEXT(series_instance_uid, SeriesInstanceUID),
      TEXT(frame_of_reference_uid, FrameOfReferenceUID),
      TEXT(modality, Modality),
      TEXT(photometric, PhotometricInterpretation),
      TEXT(voi_lut_function, VOILUTFunction),
      TEXT(rescale_type, RescaleType),
      TEXT(units, Units),
      TEXT(patient_name, PatientName),
      TEXT(patient_id, PatientID),
      TEXT(patient_birth_date, PatientBirthDate),
      TEXT(patient_sex, PatientSex),
      TEXT(study_id, StudyID),
      TEXT(study_date, StudyDate),
      TEXT(study_time, StudyTime),
      TEXT(accession_number, AccessionNumber),
      TEXT(study_description, StudyDescription),
      TEXT(series_description, SeriesDescription),
      TEXT(image_comments, ImageComments),
      TEXT(body_part_examined, BodyPartExamined),
      TEXT(view_position, ViewPosition),
      TEXT(laterality, ImageLaterality),
      TEXT(burned_in_annotation, BurnedInAnnotation),
      TEXT(image_type, ImageType),
      TEXT(conversion_type, ConversionType),
      TEXT(presentation_intent, PresentationIntentType),
      TEXT(lossy_ratio, LossyImageCompressionRatio),
      TEXT(lossy_method, LossyImageCompressionMethod),
      TEXT(patient_orientation, PatientOrientation),
      TEXT(manufacturer, Manufacturer),
      TEXT(manufacturer_model, ManufacturerModelName),
      TEXT(recognizable_visual_features, RecognizableVisualFeatures),
  };
#undef TEXT

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    dicom_info_set_text((char **)G_STRUCT_MEMBER_P(info, texts[i].offset), root, texts[i].tag);
  }
  if (!info->laterality[0]) {
    dicom_info_set_text(&info->laterality, root, TAG_Laterality);
  }
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
  for (guint i = 0; i < info->n_voi_luts; i++) {
    g_ptr_array_add(
        info->lut_explanation,
        dicom_item_text(dicom_item_nested(root, TAG_VOILUTSequence, i), TAG_LUTExplanation));
  }
}

const DicomItem *
dicom_info_group(const DicomItem *root, guint frame, guint32 macro)
{
  const DicomItem *own = dicom_item_nested(root, TAG_PerFrameFunctionalGroupsSequence, frame);
  const DicomItem *item = own ? dicom_item_nested(own, macro, 0) : NULL;

  if (!item) {
    const DicomItem *shared = dicom_item_nested(root, TAG_SharedFunctionalGroupsSequence, 0);

    item = shared ? dicom_item_nested(shared, macro, 0) : NULL;
  }
  return item ? item : root;
}

static void
set_integer(gint *slot, const DicomItem *item, guint32 tag)
{
  double value;

  if (number(item, tag, &value)) {
    *slot = (gint)CLAMP(value, G_MININT, G_MAXINT);
  }
}

static void
read_place(DicomInfo *info, const DicomItem *root)
{
  set_integer(&info->series_number, root, TAG_SeriesNumber);
  set_integer(&info->instance_number, root, TAG_InstanceNumber);
  set_integer(&info->acquisition_number, root, TAG_AcquisitionNumber);
  set_integer(&info->temporal_position, root, TAG_TemporalPositionIdentifier);
  if (!number(root, TAG_EchoTime, &info->echo_time)) {
    number(dicom_info_group(root, 0, TAG_MREchoSequence), TAG_EffectiveEchoTime, &info->echo_time);
  }
}

/* As present.c takes it; of an enhanced object, that of the first frame. */
static void
read_rescale(DicomInfo *info, const DicomItem *root)
{
  const DicomItem *rescale = dicom_info_group(root, 0, TAG_PixelValueTransformationSequence);

  info->has_modality_lut = dicom_item_count(root, TAG_ModalityLUTSequence) > 0;
  info->has_rescale = number(rescale, TAG_RescaleSlope, &info->slope);
  if (!info->has_rescale) {
    info->slope = 1;
  }
  info->has_rescale = number(rescale, TAG_RescaleIntercept, &info->intercept) || info->has_rescale;
  if (!info->rescale_type[0]) {
    dicom_info_set_text(&info->rescale_type, rescale, TAG_RescaleType);
  }
}

/* Adds to what was wrong and could be lived with. */
static void
note(DicomInfo *info, const char *what)
{
  char *all = info->damage[0] ? g_strconcat(info->damage, "; ", what, NULL) : g_strdup(what);

  g_free(info->damage);
  info->damage = all;
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
    note(info, "BitsStored is 0, or more than BitsAllocated");
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

  dicom_info_set_text(&info->sop_class, root, TAG_SOPClassUID);
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

  g_free(info->damage);
  info->damage = g_strdup(dicom_dataset_damage(file->dataset));
  g_free(info->transfer_syntax);
  info->transfer_syntax = g_strdup(file->meta.syntax_uid);
  read_texts(info, root);
  if (!info->photometric[0] && info->content == DICOM_CONTENT_IMAGE) {
    /* As nearly every object without it is meant. */
    double samples;

    g_free(info->photometric);
    info->photometric = g_strdup(
        number(root, TAG_SamplesPerPixel, &samples) && samples == 3 ? "RGB" : "MONOCHROME2");
    note(info, "PhotometricInterpretation is missing");
  }
  if (info->content == DICOM_CONTENT_IMAGE && !read_pixel_module(file, root, error)) {
    return FALSE;
  }
  read_windows(info, root);
  dicom_info_read_geometry(info, root);
  dicom_info_read_subject(info, root);
  read_place(info, root);
  read_rescale(info, root);
  info->suv_factor = dicom_info_suv_factor(root);
  info->inverse_shape = strcmp(shape, "INVERSE") == 0;
  info->lossy = strcmp(lossy, "01") == 0 || (file->meta.syntax && file->meta.syntax->lossy);
  return TRUE;
}
