/* vocabulary.c - a vocabulary of any size that can spell everything. */
#include "random/random.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK "\xe2\x96\x81"
#define FIRST_LETTERS (3u + 256u)
#define STORAGE_OF_PIECE                                                                           \
  8u /* the longest, a byte piece or a blank and three letters, has 6 bytes */

typedef struct {
  ModelVocabulary *v;
  uint32_t n; /* pieces wanted */
  size_t at;  /* of the storage */
} Maker;

/* False once there are enough. */
static bool
add(Maker *m, ModelPieceKind kind, const char *text)
{
  ModelPiece *piece = &m->v->pieces[m->v->n_pieces];
  size_t length = strlen(text);

  if (m->v->n_pieces == m->n)
    return false;
  memcpy(m->v->storage + m->at, text, length);
  *piece = (ModelPiece){.text = m->v->storage + m->at,
                        .length = (uint32_t)length,
                        .kind = (uint8_t)kind,
                        /* What stands earlier is merged earlier; unmergeable pieces have none. */
                        .score = kind == MODEL_PIECE_NORMAL ? -(float)m->v->n_pieces : 0};
  m->at += length;
  m->v->n_pieces++;
  return true;
}

/* The frequent letters first, so that small vocabularies have the useful pairs. */
static const char letters[] = "etaoinshrdlcumwfgypbvkjxqz";

static void
add_groups(Maker *m)
{
  char text[STORAGE_OF_PIECE];
  bool more = true;

  for (int i = 0; more && letters[i]; i++) {
    snprintf(text, sizeof text, BLANK "%c", letters[i]);
    more = add(m, MODEL_PIECE_NORMAL, text);
  }
  for (int blank = 0; blank < 2; blank++)
    for (int i = 0; more && i < 26 * 26; i++) {
      snprintf(text, sizeof text, "%s%c%c", blank ? BLANK : "", letters[i / 26], letters[i % 26]);
      more = add(m, MODEL_PIECE_NORMAL, text);
    }
  for (int blank = 1; blank >= 0; blank--)
    for (int i = 0; more && i < 26 * 26 * 26; i++) {
      snprintf(text, sizeof text, "%s%c%c%c", blank ? BLANK : "", letters[i / 26 / 26],
               letters[i / 26 % 26], letters[i % 26]);
      more = add(m, MODEL_PIECE_NORMAL, text);
    }
  /* More than all these are never asked for by a shape; unused ones fill up. */
  for (uint32_t i = 0; more; i++) {
    snprintf(text, sizeof text, "#%u", i % 1000000);
    more = add(m, MODEL_PIECE_UNUSED, text);
  }
}

static bool
add_images(const ModelConfig *config, ModelVocabulary *v)
{
  static const char *const texts[] = {"[PAD]", "<im_patch>", "<im_start>", "<im_end>"};
  uint32_t n = config->image_start_end ? 4 : 0;

  if (n == 0)
    return true;
  v->added = calloc(n, sizeof *v->added);
  for (uint32_t i = 0; v->added && i < n; i++) {
    v->added[i] = (ModelAddedToken){strdup(texts[i]), (int32_t)(v->n_pieces + i)};
    if (!v->added[i].text)
      return false;
    v->n_added++;
  }
  return v->added != NULL;
}

bool
model_random_vocabulary(const ModelConfig *config, ModelVocabulary *v, ModelError *err)
{
  Maker m = {.v = v, .n = config->decoder.vocab - (config->image_start_end ? 4 : 0)};
  char text[STORAGE_OF_PIECE] = "";

  *v = (ModelVocabulary){.add_dummy_prefix = true,
                         .bos = config->bos,
                         .eos = config->eos,
                         .unk = 0,
                         .pad = config->pad};
  v->pieces = calloc(m.n, sizeof *v->pieces);
  v->storage = malloc((size_t)m.n * STORAGE_OF_PIECE);
  if (!v->pieces || !v->storage)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %u pieces", m.n);
  add(&m, MODEL_PIECE_UNKNOWN, "<unk>");
  add(&m, MODEL_PIECE_CONTROL, "<s>");
  add(&m, MODEL_PIECE_CONTROL, "</s>");
  for (unsigned byte = 0; byte < 256; byte++) {
    snprintf(text, sizeof text, "<0x%02X>", byte);
    add(&m, MODEL_PIECE_BYTE, text);
  }
  add(&m, MODEL_PIECE_NORMAL, BLANK);
  for (char c = '!'; c <= '~'; c++) {
    snprintf(text, sizeof text, "%c", c);
    add(&m, MODEL_PIECE_NORMAL, text);
  }
  add_groups(&m);
  return add_images(config, v) || model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory");
}
