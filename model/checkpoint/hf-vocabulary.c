/* The vocabulary of a Hugging Face folder: tokenizer.model, tokens added behind it, and which of
 * them begin, end and pad a text. */
#include "checkpoint/huggingface.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TOKENIZER_BYTES (64u << 20) /* Llama's has half a megabyte */

static bool
add_token(ModelVocabulary *vocabulary, const char *text, uint64_t id, const char *label,
          ModelError *err)
{
  ModelAddedToken *grown;

  for (uint32_t i = 0; i < vocabulary->n_added; i++)
    if ((uint64_t)vocabulary->added[i].id == id) {
      if (strcmp(vocabulary->added[i].text, text) == 0)
        return true;
      return model_fail(err, MODEL_ERROR_CORRUPT, "%s: id %llu is both %.60s and %.60s", label,
                        (unsigned long long)id, vocabulary->added[i].text, text);
    }
  if (vocabulary->n_added >= MODEL_MAX_ADDED)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: more than %u added tokens", label,
                      MODEL_MAX_ADDED);
  grown = realloc(vocabulary->added, (vocabulary->n_added + 1) * sizeof *grown);
  if (!grown)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", label);
  vocabulary->added = grown;
  grown[vocabulary->n_added].id = (int32_t)id;
  grown[vocabulary->n_added].text = strdup(text);
  if (!grown[vocabulary->n_added].text)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", label);
  vocabulary->n_added++;
  return true;
}

typedef struct {
  ModelVocabulary *vocabulary;
  bool converted;
  uint64_t rows;
} Added;

/* Tokens of the SentencePiece model itself are listed as added too by some tools; ids without a row
 * in the table cannot be used. */
static bool
consider(const Added *added, const ModelJson *json, const char *text, uint64_t id, ModelError *err)
{
  if (id < added->vocabulary->n_pieces || id >= added->rows || !*text)
    return true;
  if (added->converted && (strcmp(text, "<image>") == 0 || strcmp(text, "<pad>") == 0))
    return true;
  return add_token(added->vocabulary, text, id, json->label, err);
}

static bool
read_added_tokens(const Added *added, const char *folder, ModelError *err)
{
  ModelJson json;
  bool found, ok = true;

  if (!model_folder_json(folder, "added_tokens.json", &json, &found, err))
    return false;
  if (!found)
    return true;
  for (const ModelJsonNode *item = json.nodes->child; ok && item; item = item->next) {
    uint64_t id;
    if (!model_json_to_u64(item, &id) || id >= MODEL_MAX_VOCAB)
      ok = model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the id of %.60s is %.60s, expected a whole number below %u", json.label,
                      item->key, item->text ? item->text : model_json_type_name(item->type),
                      MODEL_MAX_VOCAB);
    else
      ok = consider(added, &json, item->key, id, err);
  }
  model_json_clear(&json);
  return ok;
}

/* Newer folders: {"32000": {"content": "<image>", ...}}. */
static bool
read_added_decoder(const Added *added, const ModelJson *json, ModelError *err)
{
  const ModelJsonNode *list = model_json_get(json->nodes, "added_tokens_decoder");

  for (const ModelJsonNode *item = list && list->type == MODEL_JSON_OBJECT ? list->child : NULL;
       item; item = item->next) {
    const ModelJsonNode *content = model_json_get(item, "content");
    char *end;
    unsigned long id = strtoul(item->key, &end, 10);
    if (*end || !*item->key || id >= MODEL_MAX_VOCAB || !content ||
        content->type != MODEL_JSON_STRING)
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: added_tokens_decoder: %.60s is not an id with a string \"content\"",
                        json->label, item->key);
    if (!consider(added, json, content->text, id, err))
      return false;
  }
  return true;
}

static int
compare_added(const void *a, const void *b)
{
  const ModelAddedToken *x = a, *y = b;

  return x->id < y->id ? -1 : x->id > y->id;
}

/* ---- special tokens ----------------------------------------------------------------------- */

static int32_t
find_token(const ModelVocabulary *vocabulary, const char *text)
{
  size_t n = strlen(text);

  for (uint32_t i = 0; i < vocabulary->n_added; i++)
    if (strcmp(vocabulary->added[i].text, text) == 0)
      return vocabulary->added[i].id;
  for (uint32_t i = 0; n && i < vocabulary->n_pieces; i++)
    if (vocabulary->pieces[i].length == n && memcmp(vocabulary->pieces[i].text, text, n) == 0)
      return (int32_t)i;
  return -1;
}

typedef struct {
  const char *text_key, *id_key;
  int32_t *id;
} Special;

/* "bos_token": "<s>" or {"content": "<s>"}; ids where no text is given. Only what is not known yet
 * is filled, and only with ids that the model has. */
static void
read_specials(const ModelJson *json, const ModelVocabulary *vocabulary, const Special *specials,
              uint32_t vocab)
{
  for (int i = 0; i < 3; i++) {
    const ModelJsonNode *text = model_json_get(json->nodes, specials[i].text_key);
    const ModelJsonNode *id = model_json_get(json->nodes, specials[i].id_key);
    uint64_t value;
    if (text && text->type == MODEL_JSON_OBJECT)
      text = model_json_get(text, "content");
    if (id && id->type == MODEL_JSON_ARRAY)
      id = id->child;
    if (*specials[i].id < 0 && text && text->type == MODEL_JSON_STRING)
      *specials[i].id = find_token(vocabulary, text->text);
    if (*specials[i].id < 0 && id && model_json_to_u64(id, &value) && value < vocab)
      *specials[i].id = (int32_t)value;
  }
}

/* The real ones: config.json of LLaVA-Med v1.0 holds 0, 1 and -1, while its tokenizer begins and
 * ends with "</s>". So the tokenizer's own files come first, and config.json of v1.0 never. */
static bool
find_specials(ModelCheckpoint *checkpoint, const char *folder, const ModelJson *config_json,
              ModelError *err)
{
  static const char *const files[] = {"special_tokens_map.json", "tokenizer_config.json",
                                      "generation_config.json"};
  ModelVocabulary *vocabulary = &checkpoint->vocabulary;
  ModelConfig *config = &checkpoint->config;
  int32_t bos = -1, eos = -1, pad = -1;
  const Special specials[3] = {{"bos_token", "bos_token_id", &bos},
                               {"eos_token", "eos_token_id", &eos},
                               {"pad_token", "pad_token_id", &pad}};

  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    ModelJson json;
    bool found;
    if (!model_folder_json(folder, files[i], &json, &found, err))
      return false;
    if (found)
      read_specials(&json, vocabulary, specials, config->decoder.vocab);
    model_json_clear(&json);
  }
  if (!config->image_start_end)
    read_specials(config_json, vocabulary, specials, config->decoder.vocab);
  if (config->image_start_end && bos < 0)
    bos = find_token(vocabulary, "</s>");
  config->bos = bos >= 0 ? bos : vocabulary->bos;
  config->eos = eos >= 0 ? eos : vocabulary->eos;
  config->pad = pad >= 0 ? pad : vocabulary->pad;
  vocabulary->bos = config->bos;
  vocabulary->eos = config->eos;
  vocabulary->pad = config->pad;
  if (config->bos < 0 || config->eos < 0)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: found no token that begins (%d) or ends (%d) a text", folder,
                      (int)config->bos, (int)config->eos);
  return true;
}

void
model_vocabulary_image_ids(const ModelVocabulary *vocabulary, ModelConfig *config)
{
  config->id_im_patch = find_token(vocabulary, "<im_patch>");
  config->id_im_start = find_token(vocabulary, "<im_start>");
  config->id_im_end = find_token(vocabulary, "<im_end>");
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool
read_pieces(ModelVocabulary *vocabulary, const char *folder, ModelError *err)
{
  char *path = model_path_join(folder, "tokenizer.model"), *data = NULL;
  size_t n = 0;
  bool ok;

  if (!path)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  if (!model_path_exists(path)) {
    free(path);
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: there is no tokenizer.model; other tokenizer files are not read",
                      folder);
  }
  ok = model_file_read(path, MAX_TOKENIZER_BYTES, &data, &n, err) &&
       model_vocabulary_parse((const uint8_t *)data, n, path, vocabulary, err);
  free(data);
  free(path);
  return ok;
}

bool
model_folder_vocabulary(ModelCheckpoint *checkpoint, const char *folder, const ModelJson *json,
                        bool converted, uint64_t rows, ModelError *err)
{
  ModelVocabulary *vocabulary = &checkpoint->vocabulary;
  ModelConfig *config = &checkpoint->config;
  Added added = {vocabulary, converted, rows < MODEL_MAX_VOCAB ? rows : MODEL_MAX_VOCAB};
  ModelJson tokenizer;
  bool found, ok;

  if (!read_pieces(vocabulary, folder, err) || !read_added_tokens(&added, folder, err) ||
      !model_folder_json(folder, "tokenizer_config.json", &tokenizer, &found, err))
    return false;
  ok = !found || read_added_decoder(&added, &tokenizer, err);
  model_json_clear(&tokenizer);
  if (!ok)
    return false;
  if (vocabulary->n_pieces > rows)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tokenizer.model has %u pieces, the token embedding %llu rows", folder,
                      vocabulary->n_pieces, (unsigned long long)rows);
  config->decoder.vocab = vocabulary->n_pieces;
  if (vocabulary->n_added) {
    qsort(vocabulary->added, vocabulary->n_added, sizeof *vocabulary->added, compare_added);
    config->decoder.vocab = (uint32_t)vocabulary->added[vocabulary->n_added - 1].id + 1;
  }
  model_vocabulary_image_ids(vocabulary, config);
  if (config->image_start_end &&
      (config->id_im_patch < 0 || config->id_im_start < 0 || config->id_im_end < 0))
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: mm_use_im_start_end is set, but added_tokens.json lacks one of "
                      "<im_patch>, <im_start>, <im_end>",
                      folder);
  return find_specials(checkpoint, folder, json, err);
}
