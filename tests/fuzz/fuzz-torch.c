/* fuzz-torch.c - one file of torch.save(): its archive, its pickle, and that every tensor lies
 * inside. */
#include "fuzz.h"

#include "checkpoint/table.h"

/* Touches both ends of every tensor's bytes: AddressSanitizer does not see a read past a mapping
 * within its last page, the sum does not matter. */
static unsigned
touch(const ModelMapping *mapping, const ModelTable *table)
{
  unsigned sum = 0;

  for (uint32_t i = 0; i < table->n; i++) {
    const ModelTensor *tensor = &table->entries[i].tensor;

    g_assert(tensor->n_bytes <= mapping->size);
    if (tensor->n_bytes > 0) {
      g_assert(tensor->data >= mapping->data);
      g_assert(tensor->data + tensor->n_bytes <= mapping->data + mapping->size);
      sum += tensor->data[0] + tensor->data[tensor->n_bytes - 1];
    }
    g_assert(model_table_find(table, tensor->name) == &table->entries[i]);
  }
  return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  const int fd = fuzz_descriptor(data, n);
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  ModelError err = {0};
  char path[32];

  fuzz_start();
  fuzz_path(fd, path);
  if (model_mapping_open(path, &mapping, &err) && model_torch_read(mapping, &table, &err) &&
      model_table_seal(&table, &err)) {
    volatile unsigned sum = touch(mapping, &table);
    (void)sum;
  } else {
    fuzz_check_message(err.message);
  }
  model_table_clear(&table);
  model_mapping_free(mapping);
  close(fd);
  return 0;
}
