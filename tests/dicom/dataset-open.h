/* dataset-open.h - reads a data set that was made in memory. */
#ifndef HILUM_TESTS_DATASET_OPEN_H
#define HILUM_TESTS_DATASET_OPEN_H

#include "build.h"
#include "dicom.h"
#include "dicom/dataset/dataset.h"

typedef struct {
  DicomSource *source;
  DicomDataset *dataset;
  GError *error;
} Opened;

static inline void
opened_clear(Opened *opened)
{
  g_clear_pointer(&opened->dataset, dicom_dataset_free);
  g_clear_pointer(&opened->source, dicom_source_free);
  g_clear_error(&opened->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

/* DATASET or ERROR is set. */
static inline Opened
try_dataset(const Build *b)
{
  Opened opened = {
      .source = dicom_source_memory(g_memdup2(b->bytes->data, b->bytes->len), b->bytes->len)};
  DicomMeta meta;

  if (dicom_meta_read(opened.source, "NAME", &meta, &opened.error)) {
    opened.dataset = dicom_dataset_read(opened.source, "NAME", &meta, &opened.error);
  }
  return opened;
}

static inline Opened
open_dataset(const Build *b)
{
  Opened opened = try_dataset(b);

  g_assert_no_error(opened.error);
  return opened;
}

#endif
