/* tokenizer.ggml.*: a SentencePiece vocabulary in a GGUF file. */
#include "checkpoint/gguf.h"
#include "checkpoint/huggingface.h"

#include "base/error.h"
#include "base/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A list NAME with as many items as there are tokens. */
static bool
find_list(const ModelGguf *gguf, const char *name, ModelGgufType type, ModelGgufType or_type,
          uint64_t count, const ModelGgufKey **key, ModelError *err)
{
  *key = model_gguf_find(gguf, name);
  if (!*key)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s is missing", gguf->mapping->path, name);
  if ((*key)->type != MODEL_GGUF_ARRAY ||
      ((*key)->item_type != type && (*key)->item_type != or_type))
    return model_fail(
        err, MODEL_ERROR_CORRUPT,
        "%s: key %s has value type %u of items of type %u, expected a list of type %u",
        gguf->mapping->path, name, (unsigned)(*key)->type, (unsigned)(*key)->item_type,
        (unsigned)type);
  if (count != UINT64_MAX && (*key)->count != count)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: key %s has %llu items, expected %llu",
                      gguf->mapping->path, name, (unsigned long long)(*key)->count,
                      (unsigned long long)count);
  return true;
}

static bool
read_pieces(const ModelGguf *gguf, ModelVocabulary *vocabulary, ModelError *err)
{
  const ModelGgufKey *tokens, *scores, *types;
  const uint8_t *at;

  if (!find_list(gguf, "tokenizer.ggml.tokens", MODEL_GGUF_STRING, MODEL_GGUF_STRING, UINT64_MAX,
                 &tokens, err) ||
      !find_list(gguf, "tokenizer.ggml.scores", MODEL_GGUF_F32, MODEL_GGUF_F32, tokens->count,
                 &scores, err) ||
      !find_list(gguf, "tokenizer.ggml.token_type", MODEL_GGUF_I32, MODEL_GGUF_U32, tokens->count,
                 &types, err))
    return false;
  if (tokens->count == 0 || tokens->count > MODEL_MAX_VOCAB)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: %llu tokens, expected 1 to %u",
                      gguf->mapping->path, (unsigned long long)tokens->count, MODEL_MAX_VOCAB);
  vocabulary->pieces = calloc(tokens->count, sizeof *vocabulary->pieces);
  if (!vocabulary->pieces)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", gguf->mapping->path);
  at = tokens->value;
  for (; vocabulary->n_pieces < tokens->count; vocabulary->n_pieces++) {
    uint32_t i = vocabulary->n_pieces;
    ModelPiece *piece = &vocabulary->pieces[i];
    int32_t kind = model_gguf_item_i32(types, i);
    uint64_t length;
    piece->text = model_gguf_item_string(&at, &length);
    piece->score = model_gguf_item_float(scores, i);
    if (length > MODEL_MAX_PIECE_BYTES || !isfinite(piece->score) || kind < MODEL_PIECE_NORMAL ||
        kind > MODEL_PIECE_BYTE)
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: token %u has %llu bytes, score %g and type %d, expected at most %u "
                        "bytes, a finite score and type 1 to 6",
                        gguf->mapping->path, i, (unsigned long long)length, (double)piece->score,
                        (int)kind, MODEL_MAX_PIECE_BYTES);
    piece->length = (uint32_t)length;
    piece->kind = (uint8_t)kind;
  }
  return true;
}

static bool
piece_is(const ModelPiece *piece, const char *text)
{
  return piece->length == strlen(text) && memcmp(piece->text, text, piece->length) == 0;
}

/* llama.cpp's converters append added tokens as user-defined (or control) ones and fill tables up
 * with unused ones. The latter, and the placeholders of the Hugging Face conversion, are padding;
 * the former are what stands behind the SentencePiece pieces. N_PIECES: from our own files. */
static bool
split_added(const ModelGguf *gguf, ModelVocabulary *vocabulary, uint32_t n_pieces, uint32_t *vocab,
            ModelError *err)
{
  uint32_t n = vocabulary->n_pieces;

  if (n_pieces == 0) {
    while (n > 1 && (vocabulary->pieces[n - 1].kind == MODEL_PIECE_UNUSED ||
                     piece_is(&vocabulary->pieces[n - 1], "<image>") ||
                     (piece_is(&vocabulary->pieces[n - 1], "<pad>") && n - 1 > 2)))
      n--;
    for (n_pieces = n; n_pieces > 1; n_pieces--) {
      const ModelPiece *last = &vocabulary->pieces[n_pieces - 1];
      if (last->kind != MODEL_PIECE_USER && (last->kind != MODEL_PIECE_CONTROL || n_pieces <= 3))
        break;
    }
  }
  if (n_pieces > n)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: hilum.n_pieces is %u, but there are %u tokens",
                      gguf->mapping->path, n_pieces, n);
  vocabulary->n_pieces = n_pieces;
  *vocab = n;
  if (n == n_pieces)
    return true;
  if (n - n_pieces > MODEL_MAX_ADDED)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: %u added tokens, at most %u are read",
                      gguf->mapping->path, n - n_pieces, MODEL_MAX_ADDED);
  vocabulary->added = calloc(n - n_pieces, sizeof *vocabulary->added);
  if (!vocabulary->added)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", gguf->mapping->path);
  for (uint32_t i = n_pieces; i < n; i++) {
    const ModelPiece *piece = &vocabulary->pieces[i];
    ModelAddedToken *added = &vocabulary->added[vocabulary->n_added];
    if (piece->kind == MODEL_PIECE_UNUSED) /* a hole */
      continue;
    if (!piece->length || memchr(piece->text, 0, piece->length))
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: token %u, which is added text, is empty or holds a zero byte",
                        gguf->mapping->path, i);
    added->text = strndup(piece->text, piece->length);
    if (!added->text)
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", gguf->mapping->path);
    added->id = (int32_t)i;
    vocabulary->n_added++;
  }
  return true;
}

static bool
read_id(const ModelGguf *gguf, const char *name, uint32_t vocab, int32_t *id, ModelError *err)
{
  int64_t value = *id;

  if (!model_gguf_i64(gguf, name, &value, err))
    return false;
  /* llama.cpp writes 0xFFFFFFFF for none; the padding token may be among what was cut off. */
  *id = value >= 0 && value < vocab ? (int32_t)value : -1;
  return true;
}

static bool
read_ids(ModelCheckpoint *checkpoint, const ModelGguf *gguf, bool ours, ModelError *err)
{
  ModelVocabulary *vocabulary = &checkpoint->vocabulary;
  ModelConfig *config = &checkpoint->config;
  uint32_t vocab = config->decoder.vocab;

  /* llama.cpp's defaults for a SentencePiece vocabulary; our own files say what there is. */
  vocabulary->bos = ours ? -1 : 1;
  vocabulary->eos = ours ? -1 : 2;
  vocabulary->unk = ours ? -1 : 0;
  vocabulary->pad = -1;
  if (!read_id(gguf, "tokenizer.ggml.bos_token_id", vocab, &vocabulary->bos, err) ||
      !read_id(gguf, "tokenizer.ggml.eos_token_id", vocab, &vocabulary->eos, err) ||
      !read_id(gguf, "tokenizer.ggml.unknown_token_id", vocab, &vocabulary->unk, err) ||
      !read_id(gguf, "tokenizer.ggml.padding_token_id", vocab, &vocabulary->pad, err))
    return false;
  config->bos = vocabulary->bos;
  config->eos = vocabulary->eos;
  config->pad = vocabulary->pad;
  if (config->bos < 0 || config->eos < 0)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the tokens that begin (%d) and end (%d) a text are not among the %u",
                      gguf->mapping->path, (int)config->bos, (int)config->eos, vocab);
  return true;
}

bool
model_gguf_vocabulary(ModelCheckpoint *checkpoint, const ModelGguf *gguf, bool ours,
                      ModelError *err)
{
  ModelVocabulary *vocabulary = &checkpoint->vocabulary;
  uint32_t n_pieces = 0;
  const char *model = "";
  uint64_t length = 0;

  if (!model_gguf_string(gguf, "tokenizer.ggml.model", &model, &length, err))
    return false;
  if (!model_gguf_string_is(gguf, "tokenizer.ggml.model", "llama"))
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: tokenizer.ggml.model is \"%.*s\", expected llama (SentencePiece BPE)",
                      gguf->mapping->path, length < 60 ? (int)length : 60, model);
  vocabulary->add_dummy_prefix = true;
  if (!model_gguf_u32(gguf, "hilum.n_pieces", &n_pieces, err) ||
      !read_pieces(gguf, vocabulary, err) ||
      !split_added(gguf, vocabulary, n_pieces, &checkpoint->config.decoder.vocab, err) ||
      !model_gguf_bool(gguf, "tokenizer.ggml.add_space_prefix", &vocabulary->add_dummy_prefix,
                       err) ||
      !model_gguf_bool(gguf, "tokenizer.ggml.remove_extra_whitespaces",
                       &vocabulary->remove_extra_whitespaces, err))
    return false;
  model_vocabulary_image_ids(vocabulary, &checkpoint->config);
  return read_ids(checkpoint, gguf, ours, err);
}
