/* record.h - what the converters of training sets share. Private to data. */
#ifndef HILUM_DATA_DATASET_RECORD_H
#define HILUM_DATA_DATASET_RECORD_H

#include "dataset.h"
#include "dataset/scan.h"

typedef struct {
  const DataConvert *convert;
  const DataLayout *layout;
  GByteArray *out;
  DataCounts *counts;
  GArray *problems;
  guint64 line;
} DataRecordWork;

gboolean data_record_drop(DataRecordWork *work, DataDropped reason);          /* FALSE */
gboolean data_record_malformed(DataRecordWork *work, const char *format, ...) /* FALSE */
    G_GNUC_PRINTF(2, 3);
void data_record_put(DataRecordWork *work, const char *text, gsize n);
void data_record_put_text(DataRecordWork *work, const char *text);
/* One of ScienceQA's problems (LINE, N bytes) as a conversation. */
void data_record_scienceqa(DataRecordWork *work, const char *line, gsize n);

#endif
