/* safetensors: eight bytes of header length (little-endian), a JSON header, the data.
 * https://github.com/huggingface/safetensors#format */
#include "checkpoint/table.h"

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *name;
  uint32_t bytes;
  ModelType type;
} DType;

static const DType *
find_dtype(const char *name)
{
  static const DType dtypes[] = {
      {"F32", 4, MODEL_TYPE_F32},          {"F16", 2, MODEL_TYPE_F16},
      {"BF16", 2, MODEL_TYPE_BF16},        {"F64", 8, MODEL_TYPE_NOT_READ},
      {"I64", 8, MODEL_TYPE_NOT_READ},     {"U64", 8, MODEL_TYPE_NOT_READ},
      {"I32", 4, MODEL_TYPE_NOT_READ},     {"U32", 4, MODEL_TYPE_NOT_READ},
      {"I16", 2, MODEL_TYPE_NOT_READ},     {"U16", 2, MODEL_TYPE_NOT_READ},
      {"I8", 1, MODEL_TYPE_NOT_READ},      {"U8", 1, MODEL_TYPE_NOT_READ},
      {"BOOL", 1, MODEL_TYPE_NOT_READ},    {"F8_E4M3", 1, MODEL_TYPE_NOT_READ},
      {"F8_E5M2", 1, MODEL_TYPE_NOT_READ}, {"F8_E8M0", 1, MODEL_TYPE_NOT_READ},
  };

  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
    if (strcmp(dtypes[i].name, name) == 0)
      return &dtypes[i];
  return NULL;
}

static bool
read_shape(const ModelMapping *mapping, const ModelJsonNode *item, ModelTableEntry *entry,
           uint64_t *n_values, ModelError *err)
{
  const ModelJsonNode *shape = model_json_get(item, "shape");
  ModelTensor *tensor = &entry->tensor;

  if (!shape || shape->type != MODEL_JSON_ARRAY)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s has no list \"shape\"",
                      mapping->path, tensor->name);
  *n_values = 1;
  for (const ModelJsonNode *d = shape->child; d; d = d->next) {
    uint64_t size;
    if (!model_json_to_u64(d, &size))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: \"shape\" holds %s, expected whole numbers", mapping->path,
                        tensor->name, d->text ? d->text : model_json_type_name(d->type));
    if (__builtin_mul_overflow(*n_values, size, n_values))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: the product of its \"shape\" overflows", mapping->path,
                        tensor->name);
    if (tensor->n_dims < 4)
      tensor->shape[tensor->n_dims++] = size;
    else
      tensor->type = MODEL_TYPE_NOT_READ; /* no role has five dimensions */
  }
  return true;
}

static bool
read_tensor(const ModelMapping *mapping, const ModelJsonNode *item, uint64_t data_start,
            ModelTableEntry *entry, ModelError *err)
{
  uint64_t data_size = mapping->size - data_start, begin, end, n_values = 0, n_bytes;
  const ModelJsonNode *dtype = model_json_get(item, "dtype");
  const ModelJsonNode *offsets = model_json_get(item, "data_offsets");
  ModelTensor *tensor = &entry->tensor;
  const DType *type;

  if (!dtype || dtype->type != MODEL_JSON_STRING)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s has no string \"dtype\"",
                      mapping->path, tensor->name);
  type = find_dtype(dtype->text);
  if (!type)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: tensor %s: dtype %.40s is not known; F32, F16 and BF16 are read",
                      mapping->path, tensor->name, dtype->text);
  tensor->type = type->type;
  entry->type_name = type->name;
  if (!read_shape(mapping, item, entry, &n_values, err))
    return false;
  if (!offsets || offsets->type != MODEL_JSON_ARRAY || offsets->n_children != 2 ||
      !model_json_to_u64(offsets->child, &begin) || !model_json_to_u64(offsets->last, &end))
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s has no \"data_offsets\" of two whole numbers", mapping->path,
                      tensor->name);
  if (begin > end || end > data_size)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s: data_offsets [%llu, %llu] are not within the %llu bytes of "
                      "data",
                      mapping->path, tensor->name, (unsigned long long)begin,
                      (unsigned long long)end, (unsigned long long)data_size);
  if (__builtin_mul_overflow(n_values, type->bytes, &n_bytes) || n_bytes != end - begin)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s: found %llu bytes, expected %llu values of %s", mapping->path,
                      tensor->name, (unsigned long long)(end - begin), (unsigned long long)n_values,
                      type->name);
  tensor->data = mapping->data + data_start + begin;
  tensor->n_bytes = n_bytes;
  return true;
}

static bool
read_header(ModelMapping *mapping, const ModelJsonNode *root, uint64_t data_start,
            ModelTable *table, ModelByteSpan *spans, ModelError *err)
{
  char *names = mapping->names;
  size_t n_spans = 0;

  for (const ModelJsonNode *item = root->child; item; item = item->next) {
    ModelTableEntry entry = {.mapping = mapping};
    size_t length = strlen(item->key);
    if (strcmp(item->key, "__metadata__") == 0)
      continue;
    if (length >= MODEL_MAX_NAME)
      return model_fail(err, MODEL_ERROR_TOO_LARGE,
                        "%s: a tensor name of %zu bytes (%.40s...), at most %u are read",
                        mapping->path, length, item->key, MODEL_MAX_NAME - 1);
    memcpy(names, item->key, length + 1);
    entry.tensor.name = names;
    names += length + 1;
    if (!read_tensor(mapping, item, data_start, &entry, err) ||
        !model_table_add(table, &entry, err))
      return false;
    if (entry.tensor.n_bytes) {
      uint64_t begin = (uint64_t)(entry.tensor.data - mapping->data);
      spans[n_spans++] = (ModelByteSpan){begin, begin + entry.tensor.n_bytes, entry.tensor.name};
    }
  }
  return model_spans_check(spans, n_spans, mapping->path, err);
}

bool
model_safetensors_read(ModelMapping *mapping, ModelTable *table, ModelError *err)
{
  uint64_t length = 0, data_start;
  ModelJson json;
  ModelByteSpan *spans;
  bool ok;

  if (mapping->size < 9)
    return model_fail(err, MODEL_ERROR_FORMAT, "%s: %llu bytes are too few for a safetensors file",
                      mapping->path, (unsigned long long)mapping->size);
  for (int i = 7; i >= 0; i--)
    length = length << 8 | mapping->data[i];
  if (__builtin_add_overflow(length, 8, &data_start) || data_start > mapping->size)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: header length %llu, but the file has %llu bytes", mapping->path,
                      (unsigned long long)length, (unsigned long long)mapping->size);
  if (!model_json_parse((const char *)mapping->data + 8, length, mapping->path, &json, err))
    return false;
  if (json.nodes->type != MODEL_JSON_OBJECT) {
    model_fail(err, MODEL_ERROR_CORRUPT, "%s: the header is %s, expected an object", mapping->path,
               model_json_type_name(json.nodes->type));
    model_json_clear(&json);
    return false;
  }
  mapping->names = malloc(length + 1);
  spans = calloc((size_t)json.nodes->n_children + 1, sizeof *spans);
  if (mapping->names && spans)
    ok = read_header(mapping, json.nodes, data_start, table, spans, err);
  else
    ok = model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", mapping->path);
  free(spans);
  model_json_clear(&json);
  return ok;
}
