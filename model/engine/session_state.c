/* session_state.c - keys and values of a conversation's beginning, out of a session and back.
 *
 * "HilumKeV", then 32 bits each: version, layout of keys and values, positions, pictures; the
 * engine's identity (64 hex digits); what stands at each position (64 bits, see ledger.h); the
 * pictures' keys (64 hex digits each); keys and values; a checksum of all that (128
 * bits). Numbers are as in memory: the identity is good for one machine alone. */
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/error.h"
#include "base/sha256.h"

#define VERSION 1u
#define KEY 64u
#define PART ((size_t)1 << 20) /* what is summed up while it is in the processor's cache */

typedef struct {
  char magic[8];
  uint32_t version, layout, n, n_pictures;
  char identity[KEY];
} Header;

void
model_session_state_key(const ModelSession *session, const char picture[65], char key[65])
{
  const uint32_t numbers[] = {VERSION, model_decoder_layout(&session->decoder)};
  ModelSha256 sha;

  model_sha256_init(&sha);
  model_sha256_update(&sha, session->engine->identity, KEY);
  model_sha256_update(&sha, numbers, sizeof numbers);
  model_sha256_update(&sha, picture, KEY);
  model_sha256_finish(&sha, key);
}

uint32_t
model_session_behind(const ModelSession *session, const char picture[65])
{
  const ModelLedger *cache = &session->cache;
  uint32_t n = 0, rows = 0;

  if (cache->n_pictures == 0 || strcmp(cache->pictures[0].key, picture) != 0) {
    return 0;
  }
  while (n < cache->n && rows < session->engine->n_patches) {
    rows += model_slot_is_picture(cache->slots[n++]);
  }
  return rows == session->engine->n_patches ? n : 0;
}

static uint32_t
pictures_in(const ModelLedger *cache, uint32_t n)
{
  uint32_t pictures = 0;

  for (uint32_t i = 0; i < n; i++) {
    if (model_slot_is_picture(cache->slots[i])) {
      pictures = model_slot_picture(cache->slots[i]) + 1;
    }
  }
  return pictures;
}

uint64_t
model_session_state_bytes(const ModelSession *session, uint32_t positions)
{
  uint64_t bytes;

  model_decoder_state(&session->decoder, positions, &bytes);
  return bytes + sizeof(Header) + positions * sizeof(uint64_t) +
         (uint64_t)KEY * pictures_in(&session->cache, positions) + MODEL_CHECKSUM_BYTES;
}

/* ---- out ---------------------------------------------------------------------------------- */

typedef struct {
  ModelWrite write;
  ModelRead read;
  void *user;
  ModelChecksum sum;
} Flow;

static bool
put(Flow *flow, const void *bytes, size_t n)
{
  bool ok = true;

  for (size_t at = 0; at < n && ok; at += PART) {
    const size_t part = n - at < PART ? n - at : PART;
    model_checksum_update(&flow->sum, (const uint8_t *)bytes + at, part);
    ok = flow->write((const uint8_t *)bytes + at, part, flow->user);
  }
  return ok;
}

static bool
put_all(const ModelSession *session, uint32_t n, Flow *flow)
{
  const ModelLedger *cache = &session->cache;
  Header header = {.version = VERSION,
                   .layout = model_decoder_layout(&session->decoder),
                   .n = n,
                   .n_pictures = pictures_in(cache, n)};
  uint8_t sum[MODEL_CHECKSUM_BYTES], *memory;
  uint64_t bytes;
  bool ok;

  memcpy(header.magic, "HilumKeV", sizeof header.magic);
  memcpy(header.identity, session->engine->identity, KEY);
  ok = put(flow, &header, sizeof header) && put(flow, cache->slots, n * sizeof *cache->slots);
  for (uint32_t i = 0; i < header.n_pictures && ok; i++) {
    ok = put(flow, cache->pictures[i].key, KEY);
  }
  memory = model_decoder_state(&session->decoder, n, &bytes);
  ok = ok && put(flow, memory, bytes);
  model_checksum_finish(&flow->sum, sum);
  return ok && flow->write(sum, sizeof sum, flow->user);
}

bool
model_session_save(ModelSession *session, uint32_t positions, ModelWrite write, void *user,
                   ModelError *err)
{
  Flow flow = {.write = write, .user = user};
  bool ok;

  if (!model_session_begin(session, err)) {
    return false;
  }
  model_checksum_init(&flow.sum);
  if (positions == 0 || positions > session->cache.n) {
    ok = model_fail(err, MODEL_ERROR_ARGUMENT, "positions: found %u, expected 1 to %u", positions,
                    session->cache.n);
  } else {
    ok = put_all(session, positions, &flow) ||
         model_fail(err, MODEL_ERROR_IO, "the state of a conversation could not be written");
  }
  model_session_end(session);
  return ok;
}

/* ---- in ----------------------------------------------------------------------------------- */

static bool
cut_short(ModelError *err)
{
  return model_fail(err, MODEL_ERROR_CORRUPT, "state of a conversation: it is cut short");
}

static bool
get(Flow *flow, void *bytes, size_t n, ModelError *err)
{
  for (size_t at = 0; at < n; at += PART) {
    const size_t part = n - at < PART ? n - at : PART;
    if (!flow->read((uint8_t *)bytes + at, part, flow->user)) {
      return cut_short(err);
    }
    model_checksum_update(&flow->sum, (const uint8_t *)bytes + at, part);
  }
  return true;
}

static bool
get_header(const ModelSession *session, Flow *flow, Header *header, ModelError *err)
{
  if (!get(flow, header, sizeof *header, err)) {
    return false;
  }
  if (memcmp(header->magic, "HilumKeV", sizeof header->magic) != 0 || header->version != VERSION) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "state of a conversation: found something else, or version %u",
                      header->version);
  }
  if (header->layout != model_decoder_layout(&session->decoder) ||
      memcmp(header->identity, session->engine->identity, KEY) != 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "state of a conversation: it is another model's");
  }
  if (header->n == 0 || header->n_pictures > header->n) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "state of a conversation: found %u positions and %u pictures", header->n,
                      header->n_pictures);
  }
  if (header->n > session->context) {
    return model_fail(err, MODEL_ERROR_CONTEXT,
                      "the state of a conversation has %u positions, but the context has %u",
                      header->n, session->context);
  }
  return true;
}

/* Slots as the ledger's own functions would have made them. */
static bool
check_slots(const ModelSession *session, const Header *header, ModelError *err)
{
  const ModelEngine *engine = session->engine;
  uint32_t seen = 0;

  for (uint32_t i = 0; i < header->n; i++) {
    const uint64_t slot = session->cache.slots[i];
    const uint32_t picture = model_slot_picture(slot), value = model_slot_value(slot);
    const bool is_picture = model_slot_is_picture(slot);
    if (is_picture ? picture > seen || value >= engine->n_patches
                   : picture > 0 || value >= engine->checkpoint.config.decoder.vocab) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "state of a conversation: position %u stands for nothing", i);
    }
    seen = is_picture && picture == seen ? seen + 1 : seen;
  }
  if (seen != header->n_pictures) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "state of a conversation: found %u pictures, expected %u", seen,
                      header->n_pictures);
  }
  return true;
}

static bool
get_pictures(ModelSession *session, const Header *header, Flow *flow, ModelError *err)
{
  for (uint32_t i = 0; i < header->n_pictures; i++) {
    char key[KEY + 1] = {0};
    if (!get(flow, key, KEY, err) || !model_ledger_open_picture(&session->cache, key, NULL, err)) {
      return false;
    }
  }
  return true;
}

static bool
get_all(ModelSession *session, Flow *flow, ModelError *err)
{
  uint8_t expected[MODEL_CHECKSUM_BYTES], found[MODEL_CHECKSUM_BYTES], *memory;
  uint64_t bytes;
  Header header;

  if (!get_header(session, flow, &header, err) ||
      !get(flow, session->cache.slots, header.n * sizeof *session->cache.slots, err) ||
      !check_slots(session, &header, err) || !get_pictures(session, &header, flow, err)) {
    return false;
  }
  memory = model_decoder_state(&session->decoder, header.n, &bytes);
  if (!get(flow, memory, bytes, err)) {
    return false;
  }
  model_checksum_finish(&flow->sum, expected);
  if (!flow->read(found, sizeof found, flow->user)) {
    return cut_short(err);
  }
  if (memcmp(expected, found, sizeof found) != 0) {
    return model_fail(err, MODEL_ERROR_CORRUPT, "state of a conversation: it is damaged");
  }
  session->cache.n = header.n;
  return true;
}

bool
model_session_restore(ModelSession *session, ModelRead read, void *user, ModelError *err)
{
  Flow flow = {.read = read, .user = user};
  bool ok;

  if (!model_session_begin(session, err)) {
    return false;
  }
  model_checksum_init(&flow.sum);
  model_ledger_cut(&session->cache, 0);
  ok = get_all(session, &flow, err);
  if (!ok) {
    model_ledger_cut(&session->cache, 0); /* pictures without positions go, too */
  }
  model_session_end(session);
  return ok;
}
