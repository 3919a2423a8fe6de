/* sentencepiece.c - reads a SentencePiece ModelProto (tokenizer.model, sentencepiece_model.proto).
 *
 * The file is a protobuf message. The reader below knows the wire format only as far as this
 * message needs it and believes nothing: every length is held against the bytes that are left,
 * every known field must have its wire type, groups are refused, unknown fields are passed over.
 * Two passes: the first counts pieces and bytes of text, the second copies them, so that memory
 * follows the file.
 */
#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { TYPE_UNIGRAM = 1, TYPE_BPE = 2 };

typedef struct {
  const uint8_t *at, *end;
} Wire;

typedef struct {
  uint32_t number, type;
  uint64_t value;       /* varint and fixed types */
  const uint8_t *bytes; /* WIRE_BYTES, value bytes long */
} Field;

/* A text field of the trainer spec; borrowed from the file. */
typedef struct {
  const uint8_t *at;
  size_t n;
} Text;

typedef struct {
  uint64_t n_pieces, n_text;
  int64_t model_type;
  bool byte_fallback, suffix;
  Text bos, eos, pad;
  Text normalizer;
  bool charsmap, denormalizer, dummy_prefix, remove_whitespaces, escape_whitespaces;
} Proto;

static bool
read_varint(Wire *wire, uint64_t *value)
{
  uint64_t v = 0;

  for (unsigned shift = 0; shift < 70; shift += 7) {
    uint8_t byte;
    if (wire->at == wire->end) {
      return false;
    }
    byte = *wire->at++;
    if (shift == 63 && byte > 1) {
      return false; /* the tenth byte has room for one bit */
    }
    v |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = v;
      return true;
    }
  }
  return false;
}

static bool
read_fixed(Wire *wire, unsigned n, uint64_t *value)
{
  uint64_t v = 0;

  if ((size_t)(wire->end - wire->at) < n) {
    return false;
  }
  for (unsigned i = 0; i < n; i++) {
    v |= (uint64_t)wire->at[i] << (8 * i);
  }
  wire->at += n;
  *value = v;
  return true;
}

/* One field; false when the bytes are no protobuf. Call while wire->at < wire->end. */
static bool
read_field(Wire *wire, Field *field)
{
  uint64_t key;

  if (!read_varint(wire, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff) {
    return false;
  }
  *field = (Field){.number = (uint32_t)(key >> 3), .type = (uint32_t)(key & 7)};
  switch (field->type) {
  case WIRE_VARINT:
    return read_varint(wire, &field->value);
  case WIRE_64:
    return read_fixed(wire, 8, &field->value);
  case WIRE_32:
    return read_fixed(wire, 4, &field->value);
  case WIRE_BYTES:
    if (!read_varint(wire, &field->value) || field->value > (uint64_t)(wire->end - wire->at)) {
      return false;
    }
    field->bytes = wire->at;
    wire->at += field->value;
    return true;
  default:
    return false; /* groups are not used by any version of this message */
  }
}

static Wire
sub_message(const Field *field)
{
  return (Wire){field->bytes, field->bytes + field->value};
}

static bool
broken(const char *label, const char *part, ModelError *err)
{
  return model_fail(
      err, MODEL_ERROR_CORRUPT,
      "%s: %s: truncated or mistyped field, expected SentencePiece's protobuf message", label,
      part);
}

static bool
read_trainer(Wire wire, Proto *proto)
{
  while (wire.at < wire.end) {
    static const struct {
      uint32_t number, type;
    } known[] = {{3, WIRE_VARINT}, {24, WIRE_VARINT}, {35, WIRE_VARINT},
                 {46, WIRE_BYTES}, {47, WIRE_BYTES},  {48, WIRE_BYTES}};
    Field f;
    Text text;
    if (!read_field(&wire, &f)) {
      return false;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
      if (f.number == known[i].number && f.type != known[i].type) {
        return false;
      }
    }
    text = (Text){f.bytes, (size_t)f.value};
    switch (f.number) {
    case 3:
      proto->model_type = (int64_t)f.value;
      break;
    case 24:
      proto->suffix = f.value != 0;
      break;
    case 35:
      proto->byte_fallback = f.value != 0;
      break;
    case 46:
      proto->bos = text;
      break;
    case 47:
      proto->eos = text;
      break;
    case 48:
      proto->pad = text;
      break;
    default:
      break;
    }
  }
  return true;
}

/* DENORMALIZER: only whether it does anything is of interest. */
static bool
read_normalizer(Wire wire, bool denormalizer, Proto *proto)
{
  while (wire.at < wire.end) {
    Field f;
    if (!read_field(&wire, &f)) {
      return false;
    }
    if (f.number >= 1 && f.number <= 5 && f.type != (f.number <= 2 ? WIRE_BYTES : WIRE_VARINT)) {
      return false;
    }
    if (denormalizer) {
      proto->denormalizer |= f.number == 2 && f.value > 0;
      continue;
    }
    switch (f.number) {
    case 1:
      proto->normalizer = (Text){f.bytes, (size_t)f.value};
      break;
    case 2:
      proto->charsmap = f.value > 0;
      break;
    case 3:
      proto->dummy_prefix = f.value != 0;
      break;
    case 4:
      proto->remove_whitespaces = f.value != 0;
      break;
    case 5:
      proto->escape_whitespaces = f.value != 0;
      break;
    default:
      break;
    }
  }
  return true;
}

/* TEXT of PIECE points into the file. INDEX is for messages. */
static bool
read_piece(Wire wire, uint64_t index, const char *label, ModelPiece *piece, ModelError *err)
{
  char part[48];

  snprintf(part, sizeof part, "piece %" PRIu64, index);
  *piece = (ModelPiece){.kind = MODEL_PIECE_NORMAL};
  while (wire.at < wire.end) {
    Field f;
    if (!read_field(&wire, &f) || (f.number == 1 && f.type != WIRE_BYTES) ||
        (f.number == 2 && f.type != WIRE_32) || (f.number == 3 && f.type != WIRE_VARINT)) {
      return broken(label, part, err);
    }
    if (f.number == 1) {
      if (f.value > MODEL_MAX_PIECE_BYTES) {
        return model_fail(err, MODEL_ERROR_TOO_LARGE,
                          "%s: %s: text of %" PRIu64 " bytes, at most %u are read", label, part,
                          f.value, MODEL_MAX_PIECE_BYTES);
      }
      piece->text = (const char *)f.bytes;
      piece->length = (uint32_t)f.value;
    } else if (f.number == 2) {
      uint32_t bits = (uint32_t)f.value;
      memcpy(&piece->score, &bits, sizeof bits);
    } else if (f.number == 3) {
      if (f.value < MODEL_PIECE_NORMAL || f.value > MODEL_PIECE_BYTE) {
        return model_fail(err, MODEL_ERROR_CORRUPT, "%s: %s: type %" PRIu64 ", expected 1 to 6",
                          label, part, f.value);
      }
      piece->kind = (uint8_t)f.value;
    }
  }
  if (piece->length == 0 || !model_utf8_valid(piece->text, piece->length)) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: %s: its text is %s, expected UTF-8", label,
                      part, piece->length == 0 ? "empty" : "not UTF-8");
  }
  if (!isfinite(piece->score)) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: %s: score is not a finite number", label,
                      part);
  }
  return true;
}

/* First pass: everything but the pieces, and how many those are. */
static bool
survey(const uint8_t *data, size_t n, const char *label, Proto *proto, ModelError *err)
{
  Wire wire = {data, data + n};

  *proto = (Proto){.model_type = TYPE_UNIGRAM,
                   .dummy_prefix = true,
                   .remove_whitespaces = true,
                   .escape_whitespaces = true};
  while (wire.at < wire.end) {
    size_t at = (size_t)(wire.at - data);
    const char *part = "file";
    ModelPiece piece;
    Field f;
    bool good = read_field(&wire, &f);
    if (good && (f.number == 1 || f.number == 2 || f.number == 3 || f.number == 5)) {
      part = f.number == 1 ? "pieces" : f.number == 2 ? "trainer_spec" : "normalizer_spec";
      good = f.type == WIRE_BYTES;
    }
    if (good && f.number == 2) {
      good = read_trainer(sub_message(&f), proto);
    } else if (good && (f.number == 3 || f.number == 5)) {
      good = read_normalizer(sub_message(&f), f.number == 5, proto);
    } else if (good && f.number == 1) {
      if (!read_piece(sub_message(&f), proto->n_pieces, label, &piece, err)) {
        return false;
      }
      proto->n_pieces++;
      proto->n_text += piece.length;
    }
    if (!good && proto->n_pieces == 0) {
      return model_fail(err, MODEL_ERROR_FORMAT, "%s: not a SentencePiece model", label);
    }
    if (!good) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: %s at byte %zu of %zu: truncated or mistyped field, expected "
                        "SentencePiece's protobuf message",
                        label, part, at, n);
    }
    if (proto->n_pieces > MODEL_MAX_VOCAB) {
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: more than %u pieces", label,
                        MODEL_MAX_VOCAB);
    }
  }
  if (proto->n_pieces == 0) {
    return model_fail(err, MODEL_ERROR_FORMAT, "%s: not a SentencePiece model (no pieces)", label);
  }
  return true;
}

static bool
text_is(Text text, const char *literal)
{
  return text.n == strlen(literal) && memcmp(text.at, literal, text.n) == 0;
}

/* What the encoder here does not do is refused, never approximated. */
static bool
check_supported(const Proto *proto, const char *label, ModelError *err)
{
  if (proto->model_type != TYPE_BPE) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: trainer_spec.model_type is %" PRId64 ", only 2 (BPE) is read", label,
                      proto->model_type);
  }
  if (proto->charsmap && !text_is(proto->normalizer, "identity")) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: normalizer_spec has a character map (\"%.*s\"), only \"identity\" is "
                      "read",
                      label, (int)(proto->normalizer.n > 64 ? 64 : proto->normalizer.n),
                      proto->normalizer.n > 0 ? (const char *)proto->normalizer.at : "");
  }
  if (proto->denormalizer || proto->suffix || !proto->escape_whitespaces) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: %s is not read here", label,
                      proto->denormalizer ? "denormalizer_spec.precompiled_charsmap"
                      : proto->suffix     ? "trainer_spec.treat_whitespace_as_suffix"
                                          : "normalizer_spec.escape_whitespaces = false");
  }
  return true;
}

/* SentencePiece finds bos, eos and pad by their text among the control pieces. */
static int32_t
find_control(const ModelVocabulary *vocabulary, Text text, const char *by_default)
{
  if (text.n == 0) {
    text = (Text){(const uint8_t *)by_default, strlen(by_default)};
  }
  for (uint32_t i = 0; i < vocabulary->n_pieces; i++) {
    const ModelPiece *p = &vocabulary->pieces[i];
    if (p->kind == MODEL_PIECE_CONTROL && p->length == text.n &&
        memcmp(p->text, text.at, text.n) == 0) {
      return (int32_t)i;
    }
  }
  return -1;
}

static bool
check_kinds(const ModelVocabulary *vocabulary, const Proto *proto, const char *label,
            ModelError *err)
{
  uint32_t n_unknown = 0, n_bytes = 0;

  for (uint32_t i = 0; i < vocabulary->n_pieces; i++) {
    n_unknown += vocabulary->pieces[i].kind == MODEL_PIECE_UNKNOWN;
    n_bytes += vocabulary->pieces[i].kind == MODEL_PIECE_BYTE;
  }
  if (n_unknown != 1) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: %u pieces of type UNKNOWN, expected 1", label,
                      n_unknown);
  }
  if (n_bytes != (proto->byte_fallback ? 256u : 0u)) {
    return model_fail(
        err, MODEL_ERROR_CORRUPT, "%s: %u pieces of type BYTE, expected %u with byte_fallback %s",
        label, n_bytes, proto->byte_fallback ? 256u : 0u, proto->byte_fallback ? "on" : "off");
  }
  return true;
}

/* Second pass. The survey has read the very same bytes without an error. */
static bool
copy_pieces(const uint8_t *data, size_t n, const char *label, ModelVocabulary *vocabulary,
            ModelError *err)
{
  Wire wire = {data, data + n};
  char *text = vocabulary->storage;

  while (wire.at < wire.end) {
    Field f;
    ModelPiece piece;
    if (!read_field(&wire, &f)) {
      return broken(label, "file", err);
    }
    if (f.number != 1) {
      continue;
    }
    if (!read_piece(sub_message(&f), vocabulary->n_pieces, label, &piece, err)) {
      return false;
    }
    memcpy(text, piece.text, piece.length);
    piece.text = text;
    text += piece.length;
    if (piece.kind == MODEL_PIECE_UNKNOWN) {
      vocabulary->unk = (int32_t)vocabulary->n_pieces;
    }
    vocabulary->pieces[vocabulary->n_pieces++] = piece;
  }
  return true;
}

bool
model_vocabulary_parse(const uint8_t *data, size_t n, const char *label,
                       ModelVocabulary *vocabulary, ModelError *err)
{
  ModelVocabulary made = {.bos = -1, .eos = -1, .unk = -1, .pad = -1};
  Proto proto;

  *vocabulary = made;
  if (n == 0) {
    return model_fail(err, MODEL_ERROR_FORMAT, "%s: empty, expected a SentencePiece model", label);
  }
  if (!survey(data, n, label, &proto, err) || !check_supported(&proto, label, err)) {
    return false;
  }
  made.pieces = calloc((size_t)proto.n_pieces, sizeof *made.pieces);
  made.storage = malloc((size_t)proto.n_text);
  if (!made.pieces || !made.storage) {
    model_vocabulary_clear(&made);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory for %" PRIu64 " pieces", label,
                      proto.n_pieces);
  }
  if (!copy_pieces(data, n, label, &made, err) || !check_kinds(&made, &proto, label, err)) {
    model_vocabulary_clear(&made);
    return false;
  }
  made.add_dummy_prefix = proto.dummy_prefix;
  made.remove_extra_whitespaces = proto.remove_whitespaces;
  made.bos = find_control(&made, proto.bos, "<s>");
  made.eos = find_control(&made, proto.eos, "</s>");
  made.pad = find_control(&made, proto.pad, "<pad>");
  *vocabulary = made;
  return true;
}

void
model_vocabulary_clear(ModelVocabulary *vocabulary)
{
  for (uint32_t i = 0; i < vocabulary->n_added; i++) {
    free(vocabulary->added[i].text);
  }
  free(vocabulary->added);
  free(vocabulary->pieces);
  free(vocabulary->storage);
  *vocabulary = (ModelVocabulary){.bos = -1, .eos = -1, .unk = -1, .pad = -1};
}
