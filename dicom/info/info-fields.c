/* info-fields.c - every field of DicomInfo, and what is done to all of them. */
#include "info-fields.h"

#include <string.h>

#define FIELD(name, kind, n)                                                                       \
  {                                                                                                \
#name, DICOM_FIELD_##kind, G_STRUCT_OFFSET(DicomInfo, name), n                                 \
  }

/* In the order of dicom.h. */
const DicomInfoField dicom_info_fields[] = {
    FIELD(kind, ENUM, DICOM_KIND_PNG + 1),
    FIELD(content, ENUM, DICOM_CONTENT_OTHER + 1),
    FIELD(content_name, TEXT, 1),
    FIELD(path, TEXT, 1),
    FIELD(damage, TEXT, 1),
    FIELD(transfer_syntax, TEXT, 1),
    FIELD(sop_class, TEXT, 1),
    FIELD(sop_instance_uid, TEXT, 1),
    FIELD(study_instance_uid, TEXT, 1),
    FIELD(series_instance_uid, TEXT, 1),
    FIELD(frame_of_reference_uid, TEXT, 1),
    FIELD(modality, TEXT, 1),
    FIELD(photometric, TEXT, 1),
    FIELD(rows, UINT, 1),
    FIELD(columns, UINT, 1),
    FIELD(frames, UINT, 1),
    FIELD(samples, UINT, 1),
    FIELD(planar, UINT, 1),
    FIELD(bits_allocated, UINT, 1),
    FIELD(bits_stored, UINT, 1),
    FIELD(high_bit, UINT, 1),
    FIELD(pixel_representation, UINT, 1),
    FIELD(has_planar, BOOLEAN, 1),
    FIELD(has_bits, BOOLEAN, 1),
    FIELD(window_center, DOUBLES, 1),
    FIELD(window_width, DOUBLES, 1),
    FIELD(window_explanation, TEXTS, 1),
    FIELD(voi_lut_function, TEXT, 1),
    FIELD(n_voi_luts, UINT, 1),
    FIELD(lut_explanation, TEXTS, 1),
    FIELD(has_modality_lut, BOOLEAN, 1),
    FIELD(has_rescale, BOOLEAN, 1),
    FIELD(slope, DOUBLE, 1),
    FIELD(intercept, DOUBLE, 1),
    FIELD(rescale_type, TEXT, 1),
    FIELD(units, TEXT, 1),
    FIELD(suv_factor, DOUBLE, 1),
    FIELD(inverse_shape, BOOLEAN, 1),
    FIELD(lossy, BOOLEAN, 1),
    FIELD(patient_name, TEXT, 1),
    FIELD(patient_id, TEXT, 1),
    FIELD(patient_birth_date, TEXT, 1),
    FIELD(patient_sex, TEXT, 1),
    FIELD(study_id, TEXT, 1),
    FIELD(study_date, TEXT, 1),
    FIELD(study_time, TEXT, 1),
    FIELD(accession_number, TEXT, 1),
    FIELD(study_description, TEXT, 1),
    FIELD(series_description, TEXT, 1),
    FIELD(image_comments, TEXT, 1),
    FIELD(body_part_examined, TEXT, 1),
    FIELD(view_position, TEXT, 1),
    FIELD(laterality, TEXT, 1),
    FIELD(burned_in_annotation, TEXT, 1),
    FIELD(image_type, TEXT, 1),
    FIELD(conversion_type, TEXT, 1),
    FIELD(presentation_intent, TEXT, 1),
    FIELD(patient_species, TEXT, 1),
    FIELD(lossy_ratio, TEXT, 1),
    FIELD(lossy_method, TEXT, 1),
    FIELD(animal_hint, TEXT, 1),
    FIELD(patient_orientation, TEXT, 1),
    FIELD(manufacturer, TEXT, 1),
    FIELD(manufacturer_model, TEXT, 1),
    FIELD(recognizable_visual_features, TEXT, 1),
    FIELD(content_label, TEXT, 1),
    FIELD(content_description, TEXT, 1),
    FIELD(document_title, TEXT, 1),
    FIELD(content_creator, TEXT, 1),
    FIELD(presentation_date, TEXT, 1),
    FIELD(referenced_files, TEXTS, 1),
    FIELD(referenced_instances, TEXTS, 1),
    FIELD(referenced_frames, TEXTS, 1),
    FIELD(series_number, INT, 1),
    FIELD(instance_number, INT, 1),
    FIELD(acquisition_number, INT, 1),
    FIELD(echo_time, DOUBLE, 1),
    FIELD(temporal_position, INT, 1),
    FIELD(has_position, BOOLEAN, 1),
    FIELD(has_orientation, BOOLEAN, 1),
    FIELD(has_spacing, BOOLEAN, 1),
    FIELD(position, DOUBLE, 3),
    FIELD(orientation, DOUBLE, 6),
    FIELD(spacing, DOUBLE, 2),
    FIELD(pixel_aspect, DOUBLE, 1),
    FIELD(spacing_source, TEXT, 1),
    FIELD(regions, DOUBLES, 1),
    FIELD(spacing_calibration, TEXT, 1),
    FIELD(magnification, DOUBLE, 1),
    FIELD(slice_thickness, DOUBLE, 1),
    FIELD(spacing_between_slices, DOUBLE, 1),
    FIELD(has_gantry_tilt, BOOLEAN, 1),
    FIELD(gantry_tilt, DOUBLE, 1),
    FIELD(frame_time_ms, DOUBLE, 1),
    FIELD(planes, PLANES, 1),
};
const guint dicom_info_n_fields = G_N_ELEMENTS(dicom_info_fields);

#define AT(type, info, field) ((type *)G_STRUCT_MEMBER_P(info, (field)->offset))

void
dicom_info_init(DicomInfo *info, const char *path)
{
  memset(info, 0, sizeof *info);
  for (guint i = 0; i < dicom_info_n_fields; i++) {
    const DicomInfoField *field = &dicom_info_fields[i];

    if (field->kind == DICOM_FIELD_TEXT) {
      *AT(char *, info, field) = g_strdup("");
    } else if (field->kind == DICOM_FIELD_DOUBLES) {
      *AT(GArray *, info, field) = g_array_new(FALSE, FALSE, sizeof(double));
    } else if (field->kind == DICOM_FIELD_PLANES) {
      *AT(GArray *, info, field) = g_array_new(FALSE, FALSE, sizeof(DicomPlane));
    } else if (field->kind == DICOM_FIELD_TEXTS) {
      *AT(GPtrArray *, info, field) = g_ptr_array_new_with_free_func(g_free);
    }
  }
  g_free(info->path);
  info->path = g_strdup(path);
  info->slope = 1;
  info->frames = info->samples = 1;
}

void
dicom_info_clear(DicomInfo *info)
{
  for (guint i = 0; i < dicom_info_n_fields; i++) {
    const DicomInfoField *field = &dicom_info_fields[i];

    if (field->kind == DICOM_FIELD_TEXT) {
      g_clear_pointer(AT(char *, info, field), g_free);
    } else if (field->kind == DICOM_FIELD_DOUBLES || field->kind == DICOM_FIELD_PLANES) {
      g_clear_pointer(AT(GArray *, info, field), g_array_unref);
    } else if (field->kind == DICOM_FIELD_TEXTS) {
      g_clear_pointer(AT(GPtrArray *, info, field), g_ptr_array_unref);
    }
  }
}

static gpointer
copy_text(gconstpointer text, gpointer unused)
{
  (void)unused;
  return g_strdup(text);
}

DicomInfo *
dicom_info_copy(const DicomInfo *info)
{
  DicomInfo *copy = g_memdup2(info, sizeof *info); /* the plain fields are done */

  for (guint i = 0; i < dicom_info_n_fields; i++) {
    const DicomInfoField *field = &dicom_info_fields[i];

    if (field->kind == DICOM_FIELD_TEXT) {
      *AT(char *, copy, field) = g_strdup(*AT(char *, info, field));
    } else if (field->kind == DICOM_FIELD_DOUBLES || field->kind == DICOM_FIELD_PLANES) {
      *AT(GArray *, copy, field) = g_array_copy(*AT(GArray *, info, field));
    } else if (field->kind == DICOM_FIELD_TEXTS) {
      GPtrArray *texts = g_ptr_array_copy(*AT(GPtrArray *, info, field), copy_text, NULL);

      g_ptr_array_set_free_func(texts, g_free);
      *AT(GPtrArray *, copy, field) = texts;
    }
  }
  return copy;
}

void
dicom_info_free(DicomInfo *info)
{
  if (info) {
    dicom_info_clear(info);
    g_free(info);
  }
}

DicomPlane
dicom_info_plane(const DicomInfo *info, guint frame)
{
  if (info->planes->len > 0) {
    const DicomPlane none = {0};

    return frame < info->planes->len ? g_array_index(info->planes, DicomPlane, frame) : none;
  }
  DicomPlane plane = {.has_position = info->has_position,
                      .has_orientation = info->has_orientation,
                      .has_spacing = info->has_spacing};
  memcpy(plane.position, info->position, sizeof plane.position);
  memcpy(plane.orientation, info->orientation, sizeof plane.orientation);
  memcpy(plane.spacing, info->spacing, sizeof plane.spacing);
  return plane;
}

char *
dicom_info_class_text(const DicomInfo *info, const char *uid)
{
  if (!uid[0]) {
    return g_strdup("missing");
  }
  /* A class without a name goes by its UID. */
  return info->content_name[0] && strcmp(info->content_name, uid) != 0
             ? g_strdup_printf("%s (%s)", uid, info->content_name)
             : g_strdup(uid);
}

const char *
dicom_content_name(DicomContent content)
{
  static const char *const names[] = {"image",        "report",   "pdf",       "presentation-state",
                                      "radiotherapy", "waveform", "directory", "other"};

  return (guint)content < G_N_ELEMENTS(names) ? names[content] : "other";
}
