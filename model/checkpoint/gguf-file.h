/* gguf-file.h - the GGUF container (versions 2 and 3, little-endian): keys and tensors, checked.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Private to model/checkpoint.
 *
 * After model_gguf_parse() every key's value lies inside the file, every string of every list too,
 * and every tensor's bytes. Numbers are read through the getters, for they are not aligned. */
#ifndef HILUM_MODEL_CHECKPOINT_GGUF_FILE_H
#define HILUM_MODEL_CHECKPOINT_GGUF_FILE_H

#include "checkpoint/table.h"

#define MODEL_GGUF_MAX_KEYS 4096u /* llama.cpp writes about fifty */

typedef enum {
  MODEL_GGUF_U8,
  MODEL_GGUF_I8,
  MODEL_GGUF_U16,
  MODEL_GGUF_I16,
  MODEL_GGUF_U32,
  MODEL_GGUF_I32,
  MODEL_GGUF_F32,
  MODEL_GGUF_BOOL,
  MODEL_GGUF_STRING,
  MODEL_GGUF_ARRAY,
  MODEL_GGUF_U64,
  MODEL_GGUF_I64,
  MODEL_GGUF_F64,
} ModelGgufType;

typedef struct {
  const char *name; /* not NUL-terminated */
  uint64_t name_length;
  ModelGgufType type, item_type; /* item_type: of a list */
  uint64_t count;                /* items of a list; bytes of a string */
  const uint8_t *value;          /* of a string its text, of a list its first item */
} ModelGgufKey;

typedef struct {
  const ModelMapping *mapping;
  ModelGgufKey *keys;
  uint32_t n_keys;
  ModelTable table;
} ModelGguf;

bool model_gguf_parse(ModelMapping *mapping, ModelGguf *gguf, ModelError *err);
void model_gguf_clear(ModelGguf *gguf);

/* NULL when absent. */
const ModelGgufKey *model_gguf_find(const ModelGguf *gguf, const char *name);
/* An absent key leaves *out as it is; a value of another kind or out of range is an error. Whole
 * numbers of any width are taken; for a float F32 and F64. */
bool model_gguf_i64(const ModelGguf *gguf, const char *name, int64_t *out, ModelError *err);
bool model_gguf_u32(const ModelGguf *gguf, const char *name, uint32_t *out, ModelError *err);
bool model_gguf_float(const ModelGguf *gguf, const char *name, float *out, ModelError *err);
bool model_gguf_bool(const ModelGguf *gguf, const char *name, bool *out, ModelError *err);
/* *text is borrowed and not NUL-terminated. */
bool model_gguf_string(const ModelGguf *gguf, const char *name, const char **text, uint64_t *length,
                       ModelError *err);
/* Whether the string NAME is TEXT; false when absent or of another kind. */
bool model_gguf_string_is(const ModelGguf *gguf, const char *name, const char *text);

/* Item INDEX of a list of whole numbers or floats of 32 bits. */
int32_t model_gguf_item_i32(const ModelGgufKey *key, uint64_t index);
float model_gguf_item_float(const ModelGgufKey *key, uint64_t index);
/* The string at *at of a list of strings; *at moves behind it. */
const char *model_gguf_item_string(const uint8_t **at, uint64_t *length);

#endif
