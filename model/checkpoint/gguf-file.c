#include "checkpoint/gguf-file.h"

#include "base/error.h"
#include "base/limits.h"
#include "kernels/packed.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ALIGNMENT (1u << 20)

typedef struct {
  const ModelMapping *mapping;
  uint64_t at;
  ModelError *err;
} Cursor;

/* The next N bytes, or NULL with a message that names what was to be read. */
static const uint8_t *
take(Cursor *c, uint64_t n, const char *what)
{
  const uint8_t *bytes = c->mapping->data + c->at;

  if (n > c->mapping->size - c->at) {
    model_fail(c->err, MODEL_ERROR_CORRUPT,
               "%s: GGUF, byte %llu: %s takes %llu bytes, but %llu are left in the file",
               c->mapping->path, (unsigned long long)c->at, what, (unsigned long long)n,
               (unsigned long long)(c->mapping->size - c->at));
    return NULL;
  }
  c->at += n;
  return bytes;
}

static uint64_t
little(const uint8_t *bytes, unsigned n)
{
  uint64_t value = 0;

  while (n--)
    value = value << 8 | bytes[n];
  return value;
}

static bool
take_u32(Cursor *c, const char *what, uint32_t *value)
{
  const uint8_t *bytes = take(c, 4, what);

  if (bytes)
    *value = (uint32_t)little(bytes, 4);
  return bytes;
}

static bool
take_u64(Cursor *c, const char *what, uint64_t *value)
{
  const uint8_t *bytes = take(c, 8, what);

  if (bytes)
    *value = little(bytes, 8);
  return bytes;
}

static bool
take_string(Cursor *c, const char *what, const char **text, uint64_t *length)
{
  if (!take_u64(c, what, length))
    return false;
  *text = (const char *)take(c, *length, what);
  return *text;
}

/* Bytes of one number of TYPE; 0: no number. */
static unsigned
number_bytes(uint32_t type)
{
  static const uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  return type < sizeof bytes ? bytes[type] : 0;
}

/* ---- keys --------------------------------------------------------------------------------- */

static bool
bad_type(const Cursor *c, const ModelGgufKey *key, uint32_t type)
{
  return model_fail(c->err, MODEL_ERROR_CORRUPT, "%s: GGUF, byte %llu: key %.*s has value type %u",
                    c->mapping->path, (unsigned long long)c->at, (int)key->name_length, key->name,
                    type);
}

static bool
read_list(Cursor *c, ModelGgufKey *key)
{
  uint32_t type;
  uint64_t n_bytes;
  unsigned size;

  if (!take_u32(c, "the type of a list", &type) ||
      !take_u64(c, "the length of a list", &key->count))
    return false;
  key->item_type = type;
  key->value = c->mapping->data + c->at;
  if (type == MODEL_GGUF_STRING) {
    /* Walked once, so that nothing needs a check later. */
    for (uint64_t i = 0; i < key->count; i++) {
      const char *text;
      uint64_t length;
      if (!take_string(c, "a string of a list", &text, &length))
        return false;
    }
    return true;
  }
  size = number_bytes(type);
  if (!size)
    return bad_type(c, key, type);
  if (__builtin_mul_overflow(key->count, size, &n_bytes))
    n_bytes = UINT64_MAX;
  return take(c, n_bytes, "a list of numbers");
}

static bool
read_key(Cursor *c, ModelGgufKey *key)
{
  uint32_t type;

  if (!take_string(c, "the name of a key", &key->name, &key->name_length))
    return false;
  if (key->name_length >= MODEL_MAX_NAME)
    return model_fail(c->err, MODEL_ERROR_TOO_LARGE,
                      "%s: GGUF, byte %llu: a key of %llu bytes, at most %u are read",
                      c->mapping->path, (unsigned long long)c->at,
                      (unsigned long long)key->name_length, MODEL_MAX_NAME - 1);
  if (!take_u32(c, "the type of a value", &type))
    return false;
  key->type = type;
  if (type == MODEL_GGUF_STRING)
    return take_string(c, "a string", (const char **)&key->value, &key->count);
  if (type == MODEL_GGUF_ARRAY)
    return read_list(c, key);
  if (!number_bytes(type))
    return bad_type(c, key, type);
  key->value = take(c, number_bytes(type), "a number");
  return key->value;
}

static bool
same_name(const ModelGgufKey *a, const ModelGgufKey *b)
{
  return a->name_length == b->name_length && memcmp(a->name, b->name, a->name_length) == 0;
}

static bool
read_keys(Cursor *c, ModelGguf *gguf, uint64_t n_keys)
{
  /* The shortest key takes 13 bytes. */
  if (n_keys > (c->mapping->size - c->at) / 13)
    return model_fail(c->err, MODEL_ERROR_CORRUPT,
                      "%s: GGUF: %llu keys do not fit into the %llu bytes of the file",
                      c->mapping->path, (unsigned long long)n_keys,
                      (unsigned long long)c->mapping->size);
  if (n_keys > MODEL_GGUF_MAX_KEYS)
    return model_fail(c->err, MODEL_ERROR_TOO_LARGE, "%s: GGUF: %llu keys, at most %u are read",
                      c->mapping->path, (unsigned long long)n_keys, MODEL_GGUF_MAX_KEYS);
  gguf->keys = calloc(n_keys + 1, sizeof *gguf->keys);
  if (!gguf->keys)
    return model_fail(c->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", c->mapping->path);
  for (; gguf->n_keys < n_keys; gguf->n_keys++) {
    const ModelGgufKey *key = &gguf->keys[gguf->n_keys];
    if (!read_key(c, &gguf->keys[gguf->n_keys]))
      return false;
    for (uint32_t i = 0; i < gguf->n_keys; i++)
      if (same_name(key, &gguf->keys[i]))
        return model_fail(c->err, MODEL_ERROR_CORRUPT, "%s: GGUF: key %.*s is there twice",
                          c->mapping->path, (int)key->name_length, key->name);
  }
  return true;
}

/* ---- tensors ------------------------------------------------------------------------------ */

/* ggml's types that are known but not read. */
static const char *
other_type_name(uint32_t type)
{
  static const char *const names[] = {
      [9] = "Q8_1",   [15] = "Q8_K",  [17] = "IQ2_XS", [18] = "IQ3_XXS", [19] = "IQ1_S",
      [21] = "IQ3_S", [22] = "IQ2_S", [23] = "IQ4_XS", [24] = "I8",      [25] = "I16",
      [26] = "I32",   [27] = "I64",   [28] = "F64",    [29] = "IQ1_M",   [34] = "TQ1_0",
      [35] = "TQ2_0", [39] = "MXFP4",
  };

  return type < sizeof names / sizeof *names && names[type] ? names[type] : "unknown";
}

static bool
read_shape(Cursor *c, ModelTensor *tensor, uint64_t *n_values)
{
  uint32_t n_dims;

  if (!take_u32(c, "the number of dimensions", &n_dims))
    return false;
  if (n_dims < 1 || n_dims > 4)
    return model_fail(c->err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s has %u dimensions, expected 1 to 4", c->mapping->path,
                      tensor->name, n_dims);
  tensor->n_dims = n_dims;
  *n_values = 1;
  for (uint32_t i = 0; i < n_dims; i++) {
    uint64_t size;
    if (!take_u64(c, "a dimension", &size))
      return false;
    if (size == 0 || __builtin_mul_overflow(*n_values, size, n_values) ||
        *n_values > (uint64_t)INT64_MAX)
      return model_fail(c->err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: dimension %u is %llu, which makes the tensor empty or "
                        "overflows",
                        c->mapping->path, tensor->name, i, (unsigned long long)size);
    tensor->shape[n_dims - 1 - i] = size; /* the file has the fastest dimension first */
  }
  return true;
}

static bool
read_name(Cursor *c, ModelTensor *tensor, char **names)
{
  const char *text;
  uint64_t length;

  if (!take_string(c, "the name of a tensor", &text, &length))
    return false;
  if (length == 0 || length >= MODEL_MAX_NAME || memchr(text, '\0', length))
    return model_fail(c->err, MODEL_ERROR_CORRUPT,
                      "%s: GGUF, byte %llu: a tensor name of %llu bytes, expected 1 to %u without "
                      "a zero",
                      c->mapping->path, (unsigned long long)c->at, (unsigned long long)length,
                      MODEL_MAX_NAME - 1);
  memcpy(*names, text, length);
  (*names)[length] = '\0';
  tensor->name = *names;
  *names += length + 1;
  return true;
}

/* Everything but the data; *offset is relative to where the data begin. */
static bool
read_info(Cursor *c, ModelTableEntry *entry, char **names, uint64_t *offset)
{
  ModelTensor *tensor = &entry->tensor;
  uint64_t n_values = 0, fastest;
  uint32_t type;

  if (!read_name(c, tensor, names) || !read_shape(c, tensor, &n_values) ||
      !take_u32(c, "the type of a tensor", &type) || !take_u64(c, "the offset of a tensor", offset))
    return false;
  tensor->type = (ModelType)type;
  entry->type_name = model_type_name(tensor->type);
  if (!entry->type_name)
    return model_fail(c->err, MODEL_ERROR_UNSUPPORTED,
                      "%s: tensor %s has type %u (%s), which is not read", c->mapping->path,
                      tensor->name, type, other_type_name(type));
  fastest = tensor->shape[tensor->n_dims - 1];
  tensor->n_bytes = model_type_bytes(tensor->type, n_values / fastest, fastest);
  if (tensor->type != model_type_plain(tensor->type) && tensor->n_dims != 2)
    tensor->n_bytes = 0;
  if (!tensor->n_bytes)
    return model_fail(c->err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s: rows of %llu values are not whole blocks of %s",
                      c->mapping->path, tensor->name, (unsigned long long)fastest,
                      entry->type_name);
  return true;
}

static bool
place_tensors(Cursor *c, ModelGguf *gguf, const uint64_t *offsets, ModelByteSpan *spans,
              uint64_t alignment)
{
  const ModelMapping *mapping = c->mapping;
  uint64_t start, size;

  if (__builtin_add_overflow(c->at, alignment - 1, &start))
    start = UINT64_MAX;
  start &= ~(alignment - 1);
  size = start < mapping->size ? mapping->size - start : 0;
  for (uint32_t i = 0; i < gguf->table.n; i++) {
    ModelTensor *tensor = &gguf->table.entries[i].tensor;
    if (offsets[i] % alignment != 0)
      return model_fail(c->err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: offset %llu is not a multiple of the alignment %llu",
                        mapping->path, tensor->name, (unsigned long long)offsets[i],
                        (unsigned long long)alignment);
    if (offsets[i] > size || tensor->n_bytes > size - offsets[i])
      return model_fail(c->err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: %llu bytes at offset %llu, but the file has %llu bytes of "
                        "data",
                        mapping->path, tensor->name, (unsigned long long)tensor->n_bytes,
                        (unsigned long long)offsets[i], (unsigned long long)size);
    tensor->data = mapping->data + start + offsets[i];
    if (tensor->type != model_type_plain(tensor->type) &&
        (uintptr_t)tensor->data % MODEL_PACKED_ALIGNMENT != 0)
      return model_fail(c->err, MODEL_ERROR_CORRUPT,
                        "%s: tensor %s: packed rows begin at byte %llu, expected a multiple of %u",
                        mapping->path, tensor->name, (unsigned long long)(start + offsets[i]),
                        MODEL_PACKED_ALIGNMENT);
    spans[i] = (ModelByteSpan){offsets[i], offsets[i] + tensor->n_bytes, tensor->name};
  }
  return model_spans_check(spans, gguf->table.n, mapping->path, c->err);
}

static bool
read_tensors(Cursor *c, ModelMapping *mapping, ModelGguf *gguf, uint64_t n_tensors,
             uint64_t alignment)
{
  uint64_t left = mapping->size - c->at, n_names, *offsets;
  ModelByteSpan *spans;
  char *names;
  bool ok = true;

  /* The shortest description takes 32 bytes. */
  if (n_tensors > left / 32)
    return model_fail(c->err, MODEL_ERROR_CORRUPT,
                      "%s: GGUF: %llu tensors do not fit into the %llu bytes of the file",
                      mapping->path, (unsigned long long)n_tensors,
                      (unsigned long long)mapping->size);
  if (n_tensors > MODEL_MAX_TENSORS)
    return model_fail(c->err, MODEL_ERROR_TOO_LARGE, "%s: GGUF: %llu tensors, at most %u are read",
                      mapping->path, (unsigned long long)n_tensors, MODEL_MAX_TENSORS);
  n_names = n_tensors * MODEL_MAX_NAME < left ? n_tensors * MODEL_MAX_NAME : left;
  offsets = calloc(n_tensors + 1, sizeof *offsets);
  spans = calloc(n_tensors + 1, sizeof *spans);
  names = mapping->names = malloc(n_names + n_tensors + 1);
  if (!offsets || !spans || !names)
    ok = model_fail(c->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", mapping->path);
  for (uint64_t i = 0; ok && i < n_tensors; i++) {
    ModelTableEntry entry = {.mapping = mapping};
    ok = read_info(c, &entry, &names, &offsets[i]) && model_table_add(&gguf->table, &entry, c->err);
  }
  ok = ok && place_tensors(c, gguf, offsets, spans, alignment) &&
       model_table_seal(&gguf->table, c->err);
  free(offsets);
  free(spans);
  return ok;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool
read_version(Cursor *c)
{
  const char *path = c->mapping->path;
  uint32_t version;

  if (c->mapping->size < 4 || memcmp(c->mapping->data, "GGUF", 4) != 0)
    return model_fail(c->err, MODEL_ERROR_FORMAT,
                      "%s: neither a folder nor a GGUF file (it does not begin with \"GGUF\")",
                      path);
  c->at = 4;
  if (!take_u32(c, "the version", &version))
    return false;
  if (version == 2 || version == 3)
    return true;
  if (version != 0 && (version & 0xFFFF) == 0)
    return model_fail(c->err, MODEL_ERROR_UNSUPPORTED, "%s: a big-endian GGUF file is not read",
                      path);
  return model_fail(c->err, version > 3 ? MODEL_ERROR_NEWER : MODEL_ERROR_UNSUPPORTED,
                    "%s: GGUF version %u, expected 2 or 3", path, version);
}

bool
model_gguf_parse(ModelMapping *mapping, ModelGguf *gguf, ModelError *err)
{
  Cursor c = {.mapping = mapping, .err = err};
  uint64_t n_tensors, n_keys;
  uint32_t alignment = 32;

  memset(gguf, 0, sizeof *gguf);
  gguf->mapping = mapping;
  if (!read_version(&c) || !take_u64(&c, "the number of tensors", &n_tensors) ||
      !take_u64(&c, "the number of keys", &n_keys) || !read_keys(&c, gguf, n_keys) ||
      !model_gguf_u32(gguf, "general.alignment", &alignment, err))
    return false;
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > MAX_ALIGNMENT)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: general.alignment is %u, expected a power of two up to %u",
                      mapping->path, alignment, MAX_ALIGNMENT);
  return read_tensors(&c, mapping, gguf, n_tensors, alignment);
}

void
model_gguf_clear(ModelGguf *gguf)
{
  free(gguf->keys);
  model_table_clear(&gguf->table);
  memset(gguf, 0, sizeof *gguf);
}

/* ---- getters ------------------------------------------------------------------------------ */

const ModelGgufKey *
model_gguf_find(const ModelGguf *gguf, const char *name)
{
  size_t length = strlen(name);

  for (uint32_t i = 0; i < gguf->n_keys; i++)
    if (gguf->keys[i].name_length == length && memcmp(gguf->keys[i].name, name, length) == 0)
      return &gguf->keys[i];
  return NULL;
}

static bool
wrong(const ModelGguf *gguf, const char *name, const char *expected, ModelError *err)
{
  return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s has value type %u, expected %s",
                    gguf->mapping->path, name, (unsigned)model_gguf_find(gguf, name)->type,
                    expected);
}

bool
model_gguf_i64(const ModelGguf *gguf, const char *name, int64_t *out, ModelError *err)
{
  const ModelGgufKey *key = model_gguf_find(gguf, name);

  if (!key)
    return true;
  switch (key->type) {
  case MODEL_GGUF_U8:
  case MODEL_GGUF_U16:
  case MODEL_GGUF_U32:
    *out = (int64_t)little(key->value, number_bytes(key->type));
    return true;
  case MODEL_GGUF_U64:
    if (little(key->value, 8) > (uint64_t)INT64_MAX)
      return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s is %llu, which is too large",
                        gguf->mapping->path, name, (unsigned long long)little(key->value, 8));
    *out = (int64_t)little(key->value, 8);
    return true;
  case MODEL_GGUF_I8:
    *out = (int8_t)key->value[0];
    return true;
  case MODEL_GGUF_I16:
    *out = (int16_t)little(key->value, 2);
    return true;
  case MODEL_GGUF_I32:
    *out = (int32_t)little(key->value, 4);
    return true;
  case MODEL_GGUF_I64:
    *out = (int64_t)little(key->value, 8);
    return true;
  default:
    return wrong(gguf, name, "a whole number", err);
  }
}

bool
model_gguf_u32(const ModelGguf *gguf, const char *name, uint32_t *out, ModelError *err)
{
  int64_t value = *out;

  if (!model_gguf_i64(gguf, name, &value, err))
    return false;
  if (value < 0 || value > UINT32_MAX)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s is %lld, expected 0 to 4294967295",
                      gguf->mapping->path, name, (long long)value);
  *out = (uint32_t)value;
  return true;
}

bool
model_gguf_float(const ModelGguf *gguf, const char *name, float *out, ModelError *err)
{
  const ModelGgufKey *key = model_gguf_find(gguf, name);
  double wide;

  if (!key)
    return true;
  if (key->type != MODEL_GGUF_F32 && key->type != MODEL_GGUF_F64)
    return wrong(gguf, name, "a number with a fraction", err);
  if (key->type == MODEL_GGUF_F32) {
    *out = model_gguf_item_float(key, 0);
  } else {
    memcpy(&wide, key->value, 8);
    *out = fabs(wide) <= FLT_MAX ? (float)wide : NAN;
  }
  if (!isfinite(*out))
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s is not a finite number",
                      gguf->mapping->path, name);
  return true;
}

bool
model_gguf_bool(const ModelGguf *gguf, const char *name, bool *out, ModelError *err)
{
  const ModelGgufKey *key = model_gguf_find(gguf, name);

  if (!key)
    return true;
  if (key->type != MODEL_GGUF_BOOL)
    return wrong(gguf, name, "true or false", err);
  if (key->value[0] > 1)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s is %u, expected 0 or 1",
                      gguf->mapping->path, name, key->value[0]);
  *out = key->value[0] == 1;
  return true;
}

bool
model_gguf_string(const ModelGguf *gguf, const char *name, const char **text, uint64_t *length,
                  ModelError *err)
{
  const ModelGgufKey *key = model_gguf_find(gguf, name);

  if (!key)
    return true;
  if (key->type != MODEL_GGUF_STRING)
    return wrong(gguf, name, "a string", err);
  *text = (const char *)key->value;
  *length = key->count;
  return true;
}

bool
model_gguf_string_is(const ModelGguf *gguf, const char *name, const char *text)
{
  const ModelGgufKey *key = model_gguf_find(gguf, name);

  return key && key->type == MODEL_GGUF_STRING && key->count == strlen(text) &&
         memcmp(key->value, text, key->count) == 0;
}

int32_t
model_gguf_item_i32(const ModelGgufKey *key, uint64_t index)
{
  return (int32_t)little(key->value + 4 * index, 4);
}

float
model_gguf_item_float(const ModelGgufKey *key, uint64_t index)
{
  uint32_t bits = (uint32_t)little(key->value + 4 * index, 4);
  float value;

  memcpy(&value, &bits, 4);
  return value;
}

const char *
model_gguf_item_string(const uint8_t **at, uint64_t *length)
{
  const char *text = (const char *)*at + 8;

  *length = little(*at, 8);
  *at += 8 + *length;
  return text;
}
