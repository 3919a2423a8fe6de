/* vocabulary.c - the vocabulary beside a text tower: vocab.json and merges.txt or vocab.txt, else
 * tokenizer.json, which holds either. */
#include "clip/clip.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define MAX_BYTES (64u << 20) /* CLIP's have one megabyte */

typedef struct {
  ModelWords *words;
  ModelWordsKind kind;
  const char *folder;
  uint32_t rows; /* of the token embedding */
} Reading;

/* *FOUND: both are there. */
static bool
look_for(const char *folder, const char *a, const char *b, bool *found, ModelError *err)
{
  char *paths[] = {model_path_join(folder, a), model_path_join(folder, b)};
  const bool ok = paths[0] && paths[1];

  *found = ok && model_path_exists(paths[0]) && model_path_exists(paths[1]);
  free(paths[0]);
  free(paths[1]);
  return ok || model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
}

/* FOLDER/NAME, with a NUL behind; caller frees *DATA. */
static bool
read_text(const char *folder, const char *name, char **data, size_t *n, ModelError *err)
{
  char *path = model_path_join(folder, name);
  const bool ok = path ? model_file_read(path, MAX_BYTES, data, n, err)
                       : model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);

  free(path);
  return ok;
}

/* The next line of *AT; false: there is none. Without its ending. */
static bool
next_line(const char **at, const char *end, const char **line, size_t *n)
{
  const char *stop;

  if (*at >= end) {
    return false;
  }
  stop = memchr(*at, '\n', (size_t)(end - *at));
  *line = *at;
  *n = (size_t)((stop ? stop : end) - *at);
  *at += *n + 1;
  *n -= *n > 0 && (*line)[*n - 1] == '\r';
  return true;
}

/* {"the": 5, ...} */
static bool
add_object(const Reading *r, const ModelJson *json, const ModelJsonNode *object, ModelError *err)
{
  if (!object || object->type != MODEL_JSON_OBJECT) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: found no object that gives pieces their ids",
                      json->label);
  }
  for (const ModelJsonNode *item = object->child; item; item = item->next) {
    uint64_t id;
    if (!model_json_to_u64(item, &id) || id >= r->rows) {
      return model_fail(
          err, MODEL_ERROR_CORRUPT,
          "%s: the id of %.60s is %.60s, expected a whole number below the %u rows of "
          "the embedding",
          json->label, item->key, item->text ? item->text : model_json_type_name(item->type),
          r->rows);
    }
    if (!model_words_add(r->words, item->key, strlen(item->key), (int32_t)id, err)) {
      return model_fail_in(json->label, err);
    }
  }
  return model_words_seal(r->words, err) || model_fail_in(json->label, err);
}

/* "t h", as merges.txt has it. */
static bool
add_merge_line(const Reading *r, const char *line, size_t n, ModelError *err)
{
  const char *blank = memchr(line, ' ', n);
  const size_t left = blank ? (size_t)(blank - line) : 0;

  if (!blank || left == 0 || left + 1 == n) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "a merge is \"%.*s\", expected two pieces",
                      (int)(n < 60 ? n : 60), line);
  }
  return model_words_add_merge(r->words, line, left, blank + 1, n - left - 1, err);
}

static bool
read_merges(const Reading *r, ModelError *err)
{
  char *data = NULL;
  const char *at, *line;
  size_t n = 0, length;
  bool ok = read_text(r->folder, "merges.txt", &data, &n, err);

  at = data;
  while (ok && next_line(&at, data + n, &line, &length)) {
    if (length > 0 && (length < 8 || memcmp(line, "#version", 8) != 0)) {
      ok = add_merge_line(r, line, length, err) || model_fail_in("merges.txt", err);
    }
  }
  free(data);
  return ok;
}

static bool
read_clip_files(const Reading *r, ModelError *err)
{
  ModelJson json;
  bool found, ok;

  if (!model_folder_json(r->folder, "vocab.json", &json, &found, err)) {
    return false;
  }
  ok = add_object(r, &json, json.nodes, err) && read_merges(r, err);
  model_json_clear(&json);
  return ok;
}

/* One piece a line; its id is the line's number, from 0. */
static bool
read_lines(const Reading *r, ModelError *err)
{
  char *data = NULL;
  const char *at, *line;
  size_t n = 0, length;
  uint32_t id = 0;
  bool ok = read_text(r->folder, "vocab.txt", &data, &n, err);

  at = data;
  for (; ok && next_line(&at, data + n, &line, &length); id++) {
    if (id >= r->rows) {
      ok = model_fail(err, MODEL_ERROR_CORRUPT,
                      "vocab.txt: more lines than the %u rows of the embedding", r->rows);
    } else {
      ok = model_words_add(r->words, line, length, (int32_t)id, err);
    }
  }
  ok = ok && (model_words_seal(r->words, err) || model_fail_in("vocab.txt", err));
  free(data);
  return ok;
}

/* Merges are "t h", or ["t", "h"] in newer files. */
static bool
add_merges(const Reading *r, const ModelJson *json, const ModelJsonNode *merges, ModelError *err)
{
  for (const ModelJsonNode *item = merges && merges->type == MODEL_JSON_ARRAY ? merges->child
                                                                              : NULL;
       item; item = item->next) {
    const ModelJsonNode *left = item->child, *right = left ? left->next : NULL;
    bool ok;
    if (item->type == MODEL_JSON_STRING) {
      ok = add_merge_line(r, item->text, strlen(item->text), err);
    } else if (item->type == MODEL_JSON_ARRAY && item->n_children == 2 &&
               left->type == MODEL_JSON_STRING && right->type == MODEL_JSON_STRING) {
      ok = model_words_add_merge(r->words, left->text, strlen(left->text), right->text,
                                 strlen(right->text), err);
    } else {
      ok = model_fail(err, MODEL_ERROR_CORRUPT, "a merge is %s, expected two pieces",
                      model_json_type_name(item->type));
    }
    if (!ok) {
      return model_fail_in(json->label, err);
    }
  }
  return true;
}

static bool
read_tokenizer(const Reading *r, ModelError *err)
{
  const char *expected = r->kind == MODEL_WORDS_CLIP ? "BPE" : "WordPiece", *type = expected;
  const ModelJsonNode *model;
  ModelJson json;
  bool found, ok;

  if (!model_folder_json(r->folder, "tokenizer.json", &json, &found, err)) {
    return false;
  }
  if (!found) {
    return model_fail(err, MODEL_ERROR_FORMAT,
                      "%s: found no vocabulary: neither %s nor tokenizer.json", r->folder,
                      r->kind == MODEL_WORDS_CLIP ? "vocab.json with merges.txt" : "vocab.txt");
  }
  model = model_json_get(json.nodes, "model");
  ok = model_json_string(&json, model, "type", &type, err);
  if (ok && strcmp(type, expected) != 0) {
    ok = model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: the model is of type \"%.60s\", expected %s",
                    json.label, type, expected);
  }
  ok = ok && add_object(r, &json, model_json_get(model, "vocab"), err) &&
       (r->kind == MODEL_WORDS_BERT || add_merges(r, &json, model_json_get(model, "merges"), err));
  model_json_clear(&json);
  return ok;
}

/* Whether BERT's has small letters alone. */
static bool
read_case(const Reading *r, ModelError *err)
{
  ModelJson json;
  bool found, lower = true, ok;

  if (!model_folder_json(r->folder, "tokenizer_config.json", &json, &found, err)) {
    return false;
  }
  ok = !found || model_json_bool(&json, json.nodes, "do_lower_case", &lower, err);
  model_words_set_cased(r->words, !lower);
  model_json_clear(&json);
  return ok;
}

ModelWords *
model_clip_words_open(const char *folder, ModelWordsKind kind, uint32_t rows, ModelError *err)
{
  const Reading r = {model_words_new(kind, err), kind, folder, rows};
  const bool clip = kind == MODEL_WORDS_CLIP;
  bool found, ok;

  ok = r.words && look_for(folder, clip ? "vocab.json" : "vocab.txt",
                           clip ? "merges.txt" : "vocab.txt", &found, err);
  if (ok && !found) {
    ok = read_tokenizer(&r, err);
  } else if (ok) {
    ok = clip ? read_clip_files(&r, err) : read_lines(&r, err);
  }
  ok = ok && (clip || read_case(&r, err)) &&
       (model_words_finish(r.words, err) || model_fail_in(folder, err));
  if (!ok) {
    model_words_free(r.words);
    return NULL;
  }
  return r.words;
}
