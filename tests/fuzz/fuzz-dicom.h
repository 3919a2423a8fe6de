/* fuzz-dicom.h - everything that a viewer does with a file. */
#ifndef HILUM_TESTS_FUZZ_DICOM_H
#define HILUM_TESTS_FUZZ_DICOM_H

#include "fuzz.h"

#include "dicom.h"
#include "dicom_gate.h"

#define FUZZ_MOST_FRAMES 3

static inline void
fuzz_frame(DicomFile *file, guint index)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, index, &error);

  fuzz_check_error(frame != NULL, error);
  if (frame) {
    g_autoptr(DicomPicture) picture = dicom_frame_render(frame, NULL, &error);

    fuzz_check_error(picture != NULL, error);
    if (picture) {
      dicom_frame_draw_covers(frame, picture->pixels, 3);
    }
    g_assert(dicom_frame_width(frame) > 0 && dicom_frame_height(frame) > 0);
  }
}

/* INFO's texts are text. */
static inline void
fuzz_info(const DicomInfo *info)
{
  const char *const texts[] = {
      info->patient_name,        info->patient_id,      info->study_description,
      info->series_description,  info->image_comments,  info->content_label,
      info->content_description, info->document_title,  info->image_type,
      info->patient_species,     info->manufacturer,    info->modality,
      info->photometric,         info->transfer_syntax, info->sop_instance_uid,
      info->content_name};

  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_assert(texts[i] && g_utf8_validate(texts[i], -1, NULL));
  }
  g_assert(info->window_center->len == info->window_width->len);
}

/* What is concluded from a header alone. */
static inline void
fuzz_conclude(const DicomInfo *info)
{
  g_autoptr(DicomGate) gate = dicom_gate_judge(info);
  g_autoptr(DicomCollector) collector = dicom_collector_new();
  g_autoptr(DicomScan) scan = NULL;
  GPtrArray *wanted;

  g_assert(gate && dicom_info_calibration(info));
  for (guint i = 0; i < MIN(info->frames, FUZZ_MOST_FRAMES); i++) {
    dicom_info_letters(info, i);
    dicom_info_plane(info, i);
  }
  /* Twice, so that there is something to sort. */
  dicom_collector_add(collector, info);
  dicom_collector_add(collector, info);
  wanted = dicom_collector_wanted(collector);
  g_clear_pointer(&wanted, g_ptr_array_unref);
  scan = dicom_collector_finish(g_steal_pointer(&collector));
  g_assert(scan);
}

/* What is no image. */
static inline void
fuzz_document(DicomFile *file)
{
  g_autoptr(GError) no_text = NULL, no_pdf = NULL;
  g_autofree char *text = dicom_file_report_text(file, &no_text);
  g_autoptr(GBytes) pdf = dicom_file_pdf(file, &no_pdf);

  fuzz_check_error(text != NULL, no_text);
  fuzz_check_error(pdf != NULL, no_pdf);
  g_assert(!text || g_utf8_validate(text, -1, NULL));
}

/* All frames in one go, where that is little work. */
static inline void
fuzz_summary(DicomFile *file)
{
  const DicomInfo *info = dicom_file_info(file);
  g_autoptr(GError) error = NULL;
  double low, high;
  char md5[33];

  if ((guint64)info->rows * info->columns * info->frames * info->samples <= 1u << 20) {
    const gboolean done = dicom_file_pixel_summary(file, NULL, NULL, md5, &low, &high, &error);

    fuzz_check_error(done, error);
  }
}

static inline void
fuzz_dicom(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = NULL;

  fuzz_start();
  file = dicom_file_open_fd(fuzz_descriptor(data, n), "fuzz.dcm", &error);
  fuzz_check_error(file != NULL, error);
  if (file) {
    const DicomInfo *info = dicom_file_info(file);

    fuzz_info(info);
    fuzz_conclude(info);
    for (guint i = 0; i < MIN(info->frames, FUZZ_MOST_FRAMES); i++) {
      fuzz_frame(file, i);
    }
    if (info->frames > FUZZ_MOST_FRAMES) {
      fuzz_frame(file, info->frames - 1);
    }
    fuzz_summary(file);
    fuzz_document(file);
    g_autoptr(GPtrArray) tags = dicom_file_tags(file);
    for (guint i = 0; i < tags->len; i++) {
      const DicomTag *tag = tags->pdata[i];

      g_assert(g_utf8_validate(tag->value, -1, NULL) && !strchr(tag->value, '\n'));
    }
  }
}

#endif
