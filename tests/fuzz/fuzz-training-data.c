/* fuzz-training-data.c - data sets in LLaVA's format: a JSON array, or a record a line. */
#include "fuzz.h"

#include "train-data.h"

#define MOST_RECORDS 100

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  const int fd = fuzz_descriptor(data, n);
  g_autoptr(GError) error = NULL;
  g_autoptr(AppTrainData) set = NULL;
  char path[32];

  fuzz_start();
  fuzz_path(fd, path);
  set = app_train_data_open(path, &error);
  fuzz_check_error(set != NULL, error);
  for (guint64 i = 0; set && i < MIN(app_train_data_count(set), MOST_RECORDS); i++) {
    g_autoptr(GError) wrong = NULL;
    g_autoptr(AppTrainRecord) record = app_train_data_read(set, i, &wrong);

    fuzz_check_error(record != NULL, wrong);
  }
  close(fd);
  return 0;
}
