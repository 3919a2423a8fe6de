/* decode.c - from ids to text, at once and as a stream (SentencePieceProcessor::Decode). */
#include "base/error.h"
#include "base/limits.h"
#include "tokenizer/tokenizer_private.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The piece that ID shows as text; NULL for control, unknown, added and absent ids. *BYTE: the byte
 * of a byte piece, else -1. */
static const ModelPiece *
visible_piece(const ModelTokenizer *tokenizer, int32_t id, int *byte)
{
  const ModelVocabulary *v = tokenizer->vocabulary;
  const ModelPiece *p;

  *byte = -1;
  if (id < 0 || (uint32_t)id >= v->n_pieces) {
    return NULL;
  }
  p = &v->pieces[id];
  if (p->kind == MODEL_PIECE_BYTE) {
    for (int i = 0; i < 256 && *byte < 0; i++) {
      if (tokenizer->byte_ids[i] == id) {
        *byte = i;
      }
    }
    return p;
  }
  if (p->kind == MODEL_PIECE_USER) {
    /* User-defined pieces that stand for a special string show nothing, as control pieces do. */
    return model_tokenizer_lookup(tokenizer, p->text, p->length) == id ? p : NULL;
  }
  return p->kind == MODEL_PIECE_NORMAL || p->kind == MODEL_PIECE_UNUSED ? p : NULL;
}

/* OUT has room for the piece's own length. */
static size_t
copy_piece(const ModelPiece *piece, size_t from, char *out)
{
  size_t n = 0;

  for (size_t i = from; i < piece->length;) {
    if (piece->length - i >= 3 && memcmp(piece->text + i, MODEL_UTF8_SPACE, 3) == 0) {
      out[n++] = ' ';
      i += 3;
    } else {
      out[n++] = piece->text[i++];
    }
  }
  return n;
}

static bool
starts_with_space(const ModelPiece *piece)
{
  return piece->length >= 3 && memcmp(piece->text, MODEL_UTF8_SPACE, 3) == 0;
}

static bool
drops_leading_space(const ModelTokenizer *tokenizer)
{
  return tokenizer->vocabulary->add_dummy_prefix || tokenizer->vocabulary->remove_extra_whitespaces;
}

size_t
model_tokenizer_bytes(const ModelTokenizer *tokenizer, int32_t id, bool first, char *out)
{
  int byte;
  const ModelPiece *p = visible_piece(tokenizer, id, &byte);

  if (!p) {
    return 0;
  }
  if (byte >= 0) {
    out[0] = (char)byte;
    return 1;
  }
  return copy_piece(p, first && drops_leading_space(tokenizer) && starts_with_space(p) ? 3 : 0,
                    out);
}

/* Raw bytes of all ids; the buffer holds MODEL_MAX_PIECE_BYTES per id. */
static size_t
gather(const ModelTokenizer *tokenizer, const int32_t *ids, size_t n, char *out)
{
  bool at_start = drops_leading_space(tokenizer);
  bool squeeze = tokenizer->vocabulary->remove_extra_whitespaces;
  size_t length = 0;

  for (size_t i = 0; i < n; i++) {
    int byte;
    const ModelPiece *p = visible_piece(tokenizer, ids[i], &byte);
    if (!p) {
      continue;
    }
    if (byte >= 0) {
      out[length++] = (char)byte;
      at_start = false;
      continue;
    }
    if (at_start && starts_with_space(p)) {
      length += copy_piece(p, 3, out + length);
      /* One dummy prefix and no more; a vocabulary without extra spaces loses all of them. */
      at_start = squeeze && length == 0;
    } else {
      length += copy_piece(p, 0, out + length);
      at_start = false;
    }
  }
  return length;
}

char *
model_tokenizer_decode(const ModelTokenizer *tokenizer, const int32_t *ids, size_t n,
                       ModelError *err)
{
  size_t capacity, length, at = 0;
  char *raw, *text;

  if (__builtin_mul_overflow(n, (size_t)tokenizer->longest + 1, &capacity) ||
      __builtin_add_overflow(capacity, 1, &capacity) || !(raw = malloc(capacity))) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for the text of %zu ids", n);
    return NULL;
  }
  length = gather(tokenizer, ids, n, raw);
  text = length < SIZE_MAX / 3 ? malloc(3 * length + 1) : NULL;
  if (!text) {
    free(raw);
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a text of %zu bytes", length);
    return NULL;
  }
  for (size_t i = 0; i < length;) {
    uint32_t code;
    size_t step = raw[i] ? model_utf8_decode(raw + i, length - i, &code) : 0;
    if (step == 0) {
      memcpy(text + at, MODEL_UTF8_REPLACEMENT, 3);
      at += 3;
      i++;
    } else {
      memcpy(text + at, raw + i, step);
      at += step;
      i += step;
    }
  }
  text[at] = '\0';
  free(raw);
  return text;
}
