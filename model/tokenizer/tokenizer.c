/* tokenizer.c - the vocabulary as a map, and texts around special strings and pictures. */
#include "base/error.h"
#include "base/limits.h"
#include "tokenizer/tokenizer_private.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A chain longer than this never happens at half load with honest pieces (about 60 at a million);
 * the bound keeps a vocabulary made to collide from taking quadratic time. */
#define MAX_PROBES 1024u

#define IMAGE_MARK "<image>"
#define IMAGE_MARK_LENGTH (sizeof IMAGE_MARK - 1)

static uint32_t
hash_text(const char *text, size_t length)
{
  uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, mixed once more for the low bits */

  for (size_t i = 0; i < length; i++) {
    h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
  }
  h ^= h >> 32;
  h *= 0x9e3779b97f4a7c15u;
  return (uint32_t)(h >> 32);
}

int32_t
model_tokenizer_lookup(const ModelTokenizer *tokenizer, const char *text, size_t length)
{
  uint32_t at = hash_text(text, length) & tokenizer->slot_mask;

  if (length > tokenizer->longest) {
    return -1;
  }
  for (; tokenizer->slots[at]; at = (at + 1) & tokenizer->slot_mask) {
    const ModelPiece *p = &tokenizer->vocabulary->pieces[tokenizer->slots[at] - 1];
    if (p->length == length && memcmp(p->text, text, length) == 0) {
      return (int32_t)(tokenizer->slots[at] - 1);
    }
  }
  return -1;
}

static bool
is_mapped(const ModelTokenizer *tokenizer, uint32_t id)
{
  const ModelPiece *p = &tokenizer->vocabulary->pieces[id];
  int32_t i = (int32_t)id;

  if (p->kind == MODEL_PIECE_USER) {
    return i != tokenizer->bos && i != tokenizer->eos && i != tokenizer->id_im_patch &&
           i != tokenizer->id_im_start && i != tokenizer->id_im_end;
  }
  return p->kind == MODEL_PIECE_NORMAL || p->kind == MODEL_PIECE_UNUSED;
}

static bool
insert_piece(ModelTokenizer *tokenizer, uint32_t id, ModelError *err)
{
  const ModelPiece *p = &tokenizer->vocabulary->pieces[id];
  uint32_t at, probes = 0;

  if (p->length == 0 || p->length > MODEL_MAX_PIECE_BYTES ||
      !model_utf8_valid(p->text, p->length) || !isfinite(p->score)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "vocabulary: piece %u of %u bytes, expected 1 to %u bytes of UTF-8 with a "
                      "finite score",
                      id, p->length, MODEL_MAX_PIECE_BYTES);
  }
  at = hash_text(p->text, p->length) & tokenizer->slot_mask;
  for (; tokenizer->slots[at]; at = (at + 1) & tokenizer->slot_mask) {
    const ModelPiece *other = &tokenizer->vocabulary->pieces[tokenizer->slots[at] - 1];
    if (other->length == p->length && memcmp(other->text, p->text, p->length) == 0) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "vocabulary: pieces %u and %u have the same text, expected different ones",
                        tokenizer->slots[at] - 1, id);
    }
    if (++probes > MAX_PROBES) {
      return model_fail(err, MODEL_ERROR_CORRUPT, "vocabulary: piece %u: too many hash collisions",
                        id);
    }
  }
  tokenizer->slots[at] = id + 1;
  if (p->length > tokenizer->longest) {
    tokenizer->longest = p->length;
  }
  tokenizer->has_unused |= p->kind == MODEL_PIECE_UNUSED;
  return true;
}

/* "<0x0A>" to 10; -1: something else. SentencePiece writes capitals. */
static int
byte_of_piece(const ModelPiece *piece)
{
  static const char digits[] = "0123456789ABCDEF";
  const char *high, *low;

  if (piece->length != 6 || memcmp(piece->text, "<0x", 3) != 0 || piece->text[5] != '>' ||
      piece->text[3] == '\0' || piece->text[4] == '\0') {
    return -1;
  }
  high = strchr(digits, piece->text[3]);
  low = strchr(digits, piece->text[4]);
  return high && low ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

static bool
insert_byte(ModelTokenizer *tokenizer, uint32_t id, ModelError *err)
{
  int byte = byte_of_piece(&tokenizer->vocabulary->pieces[id]);

  if (byte < 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "vocabulary: piece %u is of type BYTE, expected a text like <0x0A>", id);
  }
  if (tokenizer->byte_ids[byte] >= 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "vocabulary: pieces %d and %u are both byte 0x%02X, expected one",
                      tokenizer->byte_ids[byte], id, (unsigned)byte);
  }
  tokenizer->byte_ids[byte] = (int32_t)id;
  return true;
}

static bool
fill_map(ModelTokenizer *tokenizer, ModelError *err)
{
  const ModelVocabulary *v = tokenizer->vocabulary;
  uint32_t n_slots = 64, missing = 0;

  while (n_slots < 2 * v->n_pieces) {
    n_slots *= 2;
  }
  tokenizer->slot_mask = n_slots - 1;
  tokenizer->slots = calloc(n_slots, sizeof *tokenizer->slots);
  if (!tokenizer->slots) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %u pieces", v->n_pieces);
  }
  for (int i = 0; i < 256; i++) {
    tokenizer->byte_ids[i] = -1;
  }
  for (uint32_t i = 0; i < v->n_pieces; i++) {
    if (v->pieces[i].kind == MODEL_PIECE_BYTE ? !insert_byte(tokenizer, i, err)
        : is_mapped(tokenizer, i)             ? !insert_piece(tokenizer, i, err)
                                              : false) {
      return false;
    }
  }
  for (int i = 0; i < 256; i++) {
    missing += tokenizer->byte_ids[i] < 0;
  }
  if (missing > 0 && tokenizer->unk < 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "vocabulary: no unknown piece and %u byte pieces missing, expected one or "
                      "the other",
                      missing);
  }
  return true;
}

/* Strings that stand for an id by themselves, and the user-defined pieces. */
static bool
fill_sets(ModelTokenizer *tokenizer, ModelError *err)
{
  const ModelVocabulary *v = tokenizer->vocabulary;
  uint32_t n_user = 0, n_special = v->n_added;

  for (uint32_t i = 0; i < v->n_pieces; i++) {
    bool mapped = is_mapped(tokenizer, i);
    n_user += mapped && v->pieces[i].kind == MODEL_PIECE_USER;
    n_special += !mapped;
  }
  if (!model_prefix_init(&tokenizer->user, n_user) ||
      !model_prefix_init(&tokenizer->special, n_special)) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %u special strings",
                      n_special);
  }
  for (uint32_t i = 0; i < v->n_pieces; i++) {
    const ModelPiece *p = &v->pieces[i];
    if (is_mapped(tokenizer, i)) {
      if (p->kind == MODEL_PIECE_USER) {
        model_prefix_add(&tokenizer->user, p->text, p->length, (int32_t)i);
      }
    } else if (p->kind != MODEL_PIECE_BYTE && p->length > 0) {
      model_prefix_add(&tokenizer->special, p->text, p->length, (int32_t)i);
    }
  }
  for (uint32_t i = 0; i < v->n_added; i++) {
    size_t length = strlen(v->added[i].text);
    if (v->added[i].id < 0 || (uint32_t)v->added[i].id >= MODEL_MAX_VOCAB ||
        length > MODEL_MAX_PIECE_BYTES) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "vocabulary: added token of %zu bytes has id %d, expected at most %u bytes "
                        "and an id from 0 to %u",
                        length, v->added[i].id, MODEL_MAX_PIECE_BYTES, MODEL_MAX_VOCAB - 1);
    }
    if (length > 0 && strcmp(v->added[i].text, IMAGE_MARK) != 0) {
      model_prefix_add(&tokenizer->special, v->added[i].text, (uint32_t)length, v->added[i].id);
    }
  }
  model_prefix_finish(&tokenizer->user);
  model_prefix_finish(&tokenizer->special);
  return true;
}

static bool
take_config(ModelTokenizer *tokenizer, const ModelConfig *config, ModelError *err)
{
  const ModelVocabulary *v = tokenizer->vocabulary;
  uint32_t side = 0;

  if (v->n_pieces == 0 || v->n_pieces > MODEL_MAX_VOCAB) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "vocabulary: %u pieces, expected 1 to %u",
                      v->n_pieces, MODEL_MAX_VOCAB);
  }
  if (v->unk < -1 || v->unk >= (int32_t)v->n_pieces) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "vocabulary: unknown piece %d, expected -1 to %u",
                      v->unk, v->n_pieces - 1);
  }
  tokenizer->unk = v->unk;
  tokenizer->bos = config->bos;
  tokenizer->eos = config->eos;
  tokenizer->image_start_end = config->image_start_end;
  tokenizer->id_im_patch = config->id_im_patch;
  tokenizer->id_im_start = config->id_im_start;
  tokenizer->id_im_end = config->id_im_end;
  if (config->has_vision && config->vision.patch_size > 0) {
    side = config->vision.image_size / config->vision.patch_size;
  }
  if (side > MODEL_MAX_IMAGE_SIDE) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%u patches across, at most %u", side,
                      MODEL_MAX_IMAGE_SIDE);
  }
  tokenizer->n_patches = side * side;
  if (config->image_start_end &&
      (config->id_im_patch < 0 || config->id_im_start < 0 || config->id_im_end < 0)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "vocabulary: <im_start>, <im_patch>, <im_end> are %d, %d, %d, expected ids",
                      config->id_im_start, config->id_im_patch, config->id_im_end);
  }
  return true;
}

ModelTokenizer *
model_tokenizer_new(const ModelVocabulary *vocabulary, const ModelConfig *config, ModelError *err)
{
  ModelTokenizer *tokenizer = calloc(1, sizeof *tokenizer);

  if (!tokenizer) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a tokenizer");
    return NULL;
  }
  tokenizer->vocabulary = vocabulary;
  if (!take_config(tokenizer, config, err) || !fill_map(tokenizer, err) ||
      !fill_sets(tokenizer, err)) {
    model_tokenizer_free(tokenizer);
    return NULL;
  }
  return tokenizer;
}

void
model_tokenizer_free(ModelTokenizer *tokenizer)
{
  if (tokenizer) {
    model_prefix_clear(&tokenizer->user);
    model_prefix_clear(&tokenizer->special);
    free(tokenizer->slots);
    free(tokenizer);
  }
}

int32_t
model_tokenizer_bos(const ModelTokenizer *tokenizer)
{
  return tokenizer->bos;
}

bool
model_tokenizer_is_stop(const ModelTokenizer *tokenizer, int32_t id)
{
  return id >= 0 && id == tokenizer->eos;
}

/* ---- plain texts -------------------------------------------------------------------------- */

typedef struct {
  char *bytes;
  size_t n;
} Normalised;

/* SentencePiece's Normalizer with the identity map: spaces to U+2581, broken bytes to U+FFFD, and,
 * where the vocabulary says so, single spaces only and none at the ends. OUT has 3 bytes for each
 * of TEXT and 3 more. A user-defined piece is copied as it is. */
static void
normalise(const ModelTokenizer *tokenizer, const char *text, size_t n, bool dummy_prefix,
          Normalised *out)
{
  bool squeeze = tokenizer->vocabulary->remove_extra_whitespaces, after_space = squeeze;
  size_t i = 0;

  while (squeeze && i < n && text[i] == ' ') {
    i++;
  }
  if (i < n && dummy_prefix && tokenizer->vocabulary->add_dummy_prefix) {
    memcpy(out->bytes, MODEL_UTF8_SPACE, 3);
    out->n = 3;
  }
  while (i < n) {
    uint32_t code;
    int32_t id;
    const char *from = text + i;
    size_t length = model_prefix_match(&tokenizer->user, from, n - i, &id), step = length;
    if (length == 0) {
      length = step = model_utf8_decode(from, n - i, &code);
    }
    if (length == 0) {
      from = MODEL_UTF8_REPLACEMENT;
      length = 3;
      step = 1;
    }
    i += step;
    while (after_space && length > 0 && *from == ' ') {
      from++;
      length--;
    }
    for (size_t k = 0; k < length; k++) {
      if (from[k] == ' ') {
        memcpy(out->bytes + out->n, MODEL_UTF8_SPACE, 3);
        out->n += 3;
      } else {
        out->bytes[out->n++] = from[k];
      }
    }
    if (length > 0) {
      after_space = squeeze && from[length - 1] == ' ';
    }
  }
  while (squeeze && out->n >= 3 && memcmp(out->bytes + out->n - 3, MODEL_UTF8_SPACE, 3) == 0) {
    out->n -= 3;
  }
}

bool
model_tokenizer_encode_part(const ModelTokenizer *tokenizer, const char *text, size_t length,
                            bool dummy_prefix, ModelIds *ids, ModelError *err)
{
  Normalised normalised = {0};
  bool done;

  if (length == 0) {
    return true;
  }
  if (length > MODEL_MAX_TEXT_BYTES) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "a text of %zu bytes, at most %u", length,
                      MODEL_MAX_TEXT_BYTES);
  }
  normalised.bytes = malloc(3 * length + 3);
  if (!normalised.bytes) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a text of %zu bytes", length);
  }
  normalise(tokenizer, text, length, dummy_prefix, &normalised);
  done = model_bpe_encode(tokenizer, normalised.bytes, normalised.n, ids, err);
  free(normalised.bytes);
  return done;
}

bool
model_tokenizer_encode(const ModelTokenizer *tokenizer, const char *text, size_t length,
                       ModelIds *ids, ModelError *err)
{
  return model_tokenizer_encode_part(tokenizer, text, length, true, ids, err);
}

/* ---- texts with special strings and pictures ---------------------------------------------- */

size_t
model_tokenizer_find_special(const ModelTokenizer *tokenizer, const char *text, size_t length,
                             size_t *at, int32_t *id)
{
  for (size_t i = 0; i < length; i++) {
    size_t found = model_prefix_match(&tokenizer->special, text + i, length - i, id);
    if (found > 0) {
      *at = i;
      return found;
    }
  }
  return 0;
}

static bool
out_of_memory(ModelIds *ids, size_t n, ModelError *err)
{
  ids->n = n;
  return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %zu ids", n);
}

bool
model_tokenizer_encode_special(const ModelTokenizer *tokenizer, const char *text, size_t length,
                               bool add_bos, ModelIds *ids, ModelError *err)
{
  size_t n = ids->n;

  if (add_bos && tokenizer->bos >= 0 && !model_ids_push(ids, tokenizer->bos)) {
    return out_of_memory(ids, n, err);
  }
  for (;;) {
    size_t at = length;
    int32_t id;
    size_t found = model_tokenizer_find_special(tokenizer, text, length, &at, &id);
    if (!model_tokenizer_encode(tokenizer, text, at, ids, err)) {
      ids->n = n;
      return false;
    }
    if (found == 0) {
      return true;
    }
    if (!model_ids_push(ids, id)) {
      return out_of_memory(ids, n, err);
    }
    text += at + found;
    length -= at + found;
  }
}

bool
model_tokenizer_push_image(const ModelTokenizer *tokenizer, ModelIds *ids)
{
  bool done;

  if (!tokenizer->image_start_end) {
    return model_ids_push(ids, MODEL_IMAGE_ID);
  }
  done = model_ids_push(ids, tokenizer->id_im_start);
  for (uint32_t i = 0; done && i < tokenizer->n_patches; i++) {
    done = model_ids_push(ids, tokenizer->id_im_patch);
  }
  return done && model_ids_push(ids, tokenizer->id_im_end);
}

bool
model_tokenizer_encode_prompt(const ModelTokenizer *tokenizer, const char *text, size_t length,
                              ModelIds *ids, ModelError *err)
{
  size_t n = ids->n;
  bool add_bos = true;

  for (;;) {
    const char *mark = memmem(text, length, IMAGE_MARK, IMAGE_MARK_LENGTH);
    size_t at = mark ? (size_t)(mark - text) : length;
    if (!model_tokenizer_encode_special(tokenizer, text, at, add_bos, ids, err)) {
      ids->n = n;
      return false;
    }
    if (!mark) {
      return true;
    }
    if (!model_tokenizer_push_image(tokenizer, ids)) {
      return out_of_memory(ids, n, err);
    }
    add_bos = false;
    text += at + IMAGE_MARK_LENGTH;
    length -= at + IMAGE_MARK_LENGTH;
  }
}
