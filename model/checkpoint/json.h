/* json.h - a small strict JSON reader (RFC 8259) for configurations and safetensors headers.
 *
 * Strict: UTF-8 only, no NaN, no comments, no text after the value, no U+0000 in strings. Nesting
 * is limited to MODEL_MAX_JSON_DEPTH without recursion, size to MODEL_MAX_JSON_BYTES, the number of
 * values to MODEL_MAX_JSON_VALUES. Of a key that is there twice the last one counts, as in Python.
 * Numbers do not depend on the locale. Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_JSON_H
#define HILUM_MODEL_CHECKPOINT_JSON_H

#include "model.h"

#define MODEL_MAX_JSON_VALUES (1u << 20) /* a safetensors header has about seven per tensor */

typedef enum {
  MODEL_JSON_NULL,
  MODEL_JSON_FALSE,
  MODEL_JSON_TRUE,
  MODEL_JSON_NUMBER,
  MODEL_JSON_STRING,
  MODEL_JSON_ARRAY,
  MODEL_JSON_OBJECT,
} ModelJsonType;

typedef struct ModelJsonNode ModelJsonNode;
struct ModelJsonNode {
  ModelJsonType type;
  uint32_t n_children;
  const char *key;  /* in an object; else NULL */
  const char *text; /* a string's value, or a number as it was written */
  double number;
  ModelJsonNode *child, *last, *next, *parent;
};

typedef struct {
  ModelJsonNode *nodes; /* nodes[0] is the root */
  char *strings;
  char *label; /* the file's name, for messages */
} ModelJson;

bool model_json_parse(const char *text, size_t n, const char *label, ModelJson *json,
                      ModelError *err);
/* Reads a file. */
bool model_json_read(const char *path, ModelJson *json, ModelError *err);
void model_json_clear(ModelJson *json);

/* Member KEY of OBJECT; NULL when absent, null, or OBJECT is NULL or no object. */
const ModelJsonNode *model_json_get(const ModelJsonNode *object, const char *key);

/* Typed members. An absent or null member leaves *out as it is and is no error; a member of another
 * kind or out of range is one, and its message names the file, the key, and what was found. */
bool model_json_u32(const ModelJson *json, const ModelJsonNode *object, const char *key,
                    uint32_t *out, ModelError *err);
bool model_json_i32(const ModelJson *json, const ModelJsonNode *object, const char *key,
                    int32_t *out, ModelError *err);
bool model_json_float(const ModelJson *json, const ModelJsonNode *object, const char *key,
                      float *out, ModelError *err);
bool model_json_bool(const ModelJson *json, const ModelJsonNode *object, const char *key, bool *out,
                     ModelError *err);
/* Borrowed from JSON. */
bool model_json_string(const ModelJson *json, const ModelJsonNode *object, const char *key,
                       const char **out, ModelError *err);
/* A list of three numbers. */
bool model_json_triple(const ModelJson *json, const ModelJsonNode *object, const char *key,
                       float out[3], ModelError *err);
/* A number without sign, fraction and exponent that fits; false otherwise, without a message. */
bool model_json_to_u64(const ModelJsonNode *node, uint64_t *out);
const char *model_json_type_name(ModelJsonType type);

#endif
