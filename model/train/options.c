/* options.c - names of parts, LLaVA-Med's defaults, and the shape of a model to start from nothing.
 */
#include "base/error.h"
#include "train.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
train_parts_parse(const char *names, unsigned *parts, ModelError *err)
{
  static const struct {
    const char *name;
    unsigned part;
  } table[] = {{"vision", TRAIN_VISION}, {"projector", TRAIN_PROJECTOR}, {"llm", TRAIN_LLM}};
  unsigned found = 0;

  for (const char *at = names; *at; at += *at == ',') {
    size_t n = strcspn(at, ",");
    unsigned part = 0;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
      if (strlen(table[i].name) == n && memcmp(table[i].name, at, n) == 0) {
        part = table[i].part;
      }
    }
    if (!part) {
      return model_fail(err, MODEL_ERROR_ARGUMENT,
                        "what trains: \"%.*s\", expected vision, projector or llm, with commas",
                        (int)(n < 64 ? n : 64), at);
    }
    found |= part;
    at += n;
  }
  if (!found) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "what trains: nothing, expected vision, projector or llm, with commas");
  }
  *parts = found;
  return true;
}

void
train_options_init(TrainOptions *options)
{
  *options = (TrainOptions){.parts = TRAIN_PROJECTOR | TRAIN_LLM,
                            .mask = "llama_2",
                            .beta1 = 0.9,
                            .beta2 = 0.999,
                            .eps = 1e-8,
                            .clip_norm = 1.0,
                            .warmup_ratio = 0.03,
                            .batch = 16,
                            .accumulate = 8,
                            .max_length = 2048};
}

void
train_shape_init(TrainShape *shape)
{
  *shape = (TrainShape){.image_size = 112,
                        .patch_size = 14,
                        .vision_hidden = 192,
                        .vision_blocks = 6,
                        .vision_heads = 4,
                        .vision_ffn = 768,
                        .hidden = 256,
                        .layers = 6,
                        .heads = 4,
                        .kv_heads = 4,
                        .ffn = 704,
                        .context = 1024,
                        .theta = 10000.0f,
                        .projector = "mlp2x_gelu",
                        .template_name = "mistral_instruct",
                        .name = "hilum"};
}

/* One "key=value"; both end in NUL. */
static bool
set_field(const char *key, const char *value, TrainShape *shape)
{
  const struct {
    const char *key;
    uint32_t *field;
  } numbers[] = {
      {"image_size", &shape->image_size},
      {"patch_size", &shape->patch_size},
      {"vision_hidden", &shape->vision_hidden},
      {"vision_blocks", &shape->vision_blocks},
      {"vision_heads", &shape->vision_heads},
      {"vision_ffn", &shape->vision_ffn},
      {"hidden", &shape->hidden},
      {"layers", &shape->layers},
      {"heads", &shape->heads},
      {"kv_heads", &shape->kv_heads},
      {"ffn", &shape->ffn},
      {"context", &shape->context},
  };
  const struct {
    const char *key;
    const char **field;
  } names[] = {{"projector", &shape->projector},
               {"template", &shape->template_name},
               {"name", &shape->name}};
  char *end;
  unsigned long long number;

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(key, names[i].key) == 0) {
      *names[i].field = value;
      return *value != '\0';
    }
  }
  if (strcmp(key, "theta") == 0) {
    shape->theta = strtof(value, &end);
    return *value && !*end && shape->theta >= 1.0f && shape->theta < 1e12f;
  }
  errno = 0;
  number = strtoull(value, &end, 10);
  if (!*value || *end || errno || *value == '-') {
    return false;
  }
  if (strcmp(key, "tied") == 0) {
    shape->tied = number != 0;
    return number < 2;
  }
  if (strcmp(key, "seed") == 0) {
    shape->seed = number;
    return true;
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (strcmp(key, numbers[i].key) == 0) {
      *numbers[i].field = (uint32_t)number;
      return number > 0 && number <= UINT32_MAX;
    }
  }
  return false;
}

bool
train_shape_parse(const char *text, TrainShape *shape, char storage[TRAIN_SHAPE_TEXT],
                  ModelError *err)
{
  size_t n = strlen(text);
  char *at = storage, *end = storage + n;

  if (n >= TRAIN_SHAPE_TEXT) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "shape: %zu bytes, expected fewer than %d", n,
                      TRAIN_SHAPE_TEXT);
  }
  memcpy(storage, text, n + 1);
  while (at < end) {
    char *next = at + strcspn(at, ","), *value;

    *next = '\0';
    value = strchr(at, '=');
    if (!value) {
      return model_fail(err, MODEL_ERROR_ARGUMENT, "shape: \"%s\", expected key=value", at);
    }
    *value++ = '\0';
    if (!set_field(at, value, shape)) {
      return model_fail(err, MODEL_ERROR_ARGUMENT, "shape: %s=%s is not understood", at, value);
    }
    at = next + 1;
  }
  return true;
}
