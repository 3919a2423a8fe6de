/* session_prompt.c - what a question adds to a timeline, and computing what the cache lacks of it:
 * the picture's rows, then keys and values. */
#include "engine/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "prompt/prompt.h"

/* Positions that are computed beforehand in one piece: about a second of a 7B model on two cores.
 */
#define PREPARED 192u

/* ---- the timeline grows -------------------------------------------------------------------- */

/* Appends what IDS stand for to LINE, which has room. */
static bool
ledger_add(const ModelEngine *engine, ModelLedger *line, const ModelIds *ids,
           const ModelImage *image, ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;
  uint32_t side, row = 0;
  uint8_t *square;
  char key[65];

  if (image) {
    square = model_preprocess(engine, image, &side, err);
    if (!square) {
      return false;
    }
    model_square_key(engine, square, key);
    if (!model_ledger_open_picture(line, key, square, err)) {
      return false;
    }
  }
  for (size_t i = 0; i < ids->n; i++) {
    const int32_t id = ids->ids[i];
    if (id == MODEL_IMAGE_ID) {
      while (row < engine->n_patches) {
        model_ledger_push_row(line, row++);
      }
    } else if (image && config->image_start_end && id == config->id_im_patch) {
      model_ledger_push_row(line, row++);
    } else {
      model_ledger_push_token(line, id);
    }
  }
  return true;
}

bool
model_session_extend(ModelSession *session, const ModelImage *image, const char *question,
                     ModelError *err)
{
  const ModelEngine *engine = session->engine;
  const uint32_t before = session->line.n;
  ModelIds ids = {0};
  ModelSpan span = {0};
  uint64_t positions = 0;
  bool ok = model_prompt_turn_ids(engine->tokenizer, &engine->checkpoint.config, session->n_turns,
                                  question, image != NULL, &ids, err);

  span.ids = ids.ids;
  span.n = ids.n;
  ok = ok && model_span_positions(engine, &span, image != NULL, &positions, err);
  if (ok && before + positions + 1 > session->context) {
    ok = model_fail(err, MODEL_ERROR_CONTEXT,
                    "the question needs %llu positions (%u of the conversation so far, %llu of its "
                    "own, 1 for an answer), but the context has %u",
                    (unsigned long long)(before + positions + 1), before,
                    (unsigned long long)positions, session->context);
  }
  ok = ok && ledger_add(engine, &session->line, &ids, image, err);
  for (size_t i = 0; i < ids.n && ok; i++) {
    ok = model_ids_push(&session->ids, ids.ids[i]) || model_session_no_memory(err);
  }
  model_ids_clear(&ids);
  return ok;
}

/* ---- pictures ----------------------------------------------------------------------------- */

/* The rows of picture INDEX of LINE, kept or encoded now; to be released. */
static ModelPicture *
picture_get(ModelSession *session, const ModelLedgerPicture *wanted, const ModelWatch *watch,
            ModelTiming *timing, ModelError *err)
{
  const ModelEngine *engine = session->engine;
  ModelPicture *picture = model_pictures_find(engine->pictures, wanted->key);
  const double start = model_session_now();

  if (picture) {
    timing->image_cached = true;
    return picture;
  }
  assert(wanted->square);
  picture = model_pictures_start(engine->pictures, wanted->key, err);
  if (picture && !model_picture_rows(engine, wanted->square, watch, NULL, picture->rows, err)) {
    model_pictures_release(engine->pictures, picture);
    return NULL;
  }
  if (picture) {
    model_pictures_keep(engine->pictures, picture);
    timing->image_s += model_session_now() - start;
  }
  return picture;
}

/* Gets every picture that positions FIRST .. END - 1 of LINE have rows of. */
static bool
pictures_get(ModelSession *session, const ModelLedger *line, uint32_t first, uint32_t end,
             const ModelWatch *watch, ModelPicture **pictures, ModelTiming *timing, ModelError *err)
{
  for (uint32_t i = first; i < end; i++) {
    const uint32_t index = model_slot_picture(line->slots[i]);
    if (model_slot_is_picture(line->slots[i]) && !pictures[index]) {
      pictures[index] = picture_get(session, &line->pictures[index], watch, timing, err);
      if (!pictures[index]) {
        return false;
      }
    }
  }
  return true;
}

/* ---- keys and values ---------------------------------------------------------------------- */

static ModelInput *
inputs_new(const ModelSession *session, const ModelLedger *line, uint32_t first, uint32_t end,
           ModelPicture *const *pictures, ModelError *err)
{
  const size_t hidden = session->engine->checkpoint.config.decoder.hidden;
  ModelInput *inputs = calloc(end - first, sizeof *inputs);

  if (!inputs) {
    model_session_no_memory(err);
    return NULL;
  }
  for (uint32_t i = first; i < end; i++) {
    const uint64_t slot = line->slots[i];
    if (model_slot_is_picture(slot)) {
      inputs[i - first].row =
          pictures[model_slot_picture(slot)]->rows + model_slot_value(slot) * hidden;
    } else {
      inputs[i - first].id = (int32_t)model_slot_value(slot);
    }
  }
  return inputs;
}

static bool
feed(ModelSession *session, const ModelLedger *line, uint32_t end, ModelPicture *const *pictures,
     const ModelWatch *watch, ModelTiming *timing, ModelError *err)
{
  const uint32_t first = session->cache.n;
  const double start = model_session_now();
  ModelInput *inputs = inputs_new(session, line, first, end, pictures, err);
  uint32_t done = 0;
  bool ok = inputs &&
            model_decoder_feed(&session->decoder, inputs, end - first, first, watch, &done, err);

  /* What was computed before a stop need not be computed again. */
  ok = model_ledger_follow(&session->cache, line, first + done, ok ? err : NULL) && ok;
  timing->prompt_s += model_session_now() - start;
  timing->prompt_tokens += done;
  free(inputs);
  return ok;
}

bool
model_session_compute(ModelSession *session, const ModelLedger *line, uint32_t most,
                      const ModelWatch *watch, ModelTiming *timing, ModelError *err)
{
  uint32_t first = model_ledger_common(line, &session->cache), end;
  ModelPicture **pictures = calloc(line->n_pictures + 1, sizeof *pictures);
  bool ok;

  if (!pictures) {
    return model_session_no_memory(err);
  }
  if (line->n == 0) {
    free(pictures);
    return model_fail(err, MODEL_ERROR_ARGUMENT, "the question is empty and so is its template");
  }
  /* The logits after the last position come from running it. */
  first = first < line->n ? first : line->n - 1;
  end = line->n - first < most ? line->n : first + most;
  timing->image_cached = line->n_pictures > 0;
  ok = pictures_get(session, line, first, end, watch, pictures, timing, err);
  if (ok) {
    model_ledger_cut(&session->cache, first);
    ok = feed(session, line, end, pictures, watch, timing, err);
  }
  timing->image_cached = timing->image_cached && timing->image_s == 0;
  for (uint32_t i = 0; i < line->n_pictures; i++) {
    if (pictures[i]) {
      model_pictures_release(session->engine->pictures, pictures[i]);
    }
  }
  free(pictures);
  return ok;
}

/* ---- beforehand --------------------------------------------------------------------------- */

/* The timeline as it is, with squares of its own. */
static bool
ledger_copy(const ModelSession *session, ModelLedger *line, ModelError *err)
{
  const uint32_t side = session->engine->checkpoint.config.vision.image_size;
  const size_t n = 3 * (size_t)side * side;

  if (!model_ledger_follow(line, &session->line, session->line.n, err)) {
    return false;
  }
  for (uint32_t i = 0; i < line->n_pictures; i++) {
    line->pictures[i].square = malloc(n);
    if (!line->pictures[i].square) {
      return model_session_no_memory(err);
    }
    memcpy(line->pictures[i].square, session->line.pictures[i].square, n);
  }
  return true;
}

/* LINE grows by what every question of this turn begins with. */
static bool
ledger_add_beginning(const ModelSession *session, ModelLedger *line, uint32_t turn,
                     const ModelImage *image, ModelError *err)
{
  static const char *const questions[] = {"Is", "what"}; /* any two that begin differently */
  const ModelEngine *engine = session->engine;
  ModelIds ids[2] = {{0}, {0}};
  ModelSpan span;
  uint64_t positions;
  size_t n = 0;
  bool ok = true;

  for (int i = 0; i < 2 && ok; i++) {
    ok = model_prompt_turn_ids(engine->tokenizer, &engine->checkpoint.config, turn, questions[i],
                               image != NULL, &ids[i], err);
  }
  while (ok && n < ids[0].n && n < ids[1].n && ids[0].ids[n] == ids[1].ids[n]) {
    n++;
  }
  span = (ModelSpan){.ids = ids[0].ids, .n = ids[0].n};
  ok = ok && model_span_positions(engine, &span, image != NULL, &positions, err);
  /* A question that does not fit is refused when it is asked. */
  if (ok && line->n + positions < session->context) {
    ids[0].n = n;
    ok = ledger_add(engine, line, &ids[0], image, err);
  }
  model_ids_clear(&ids[0]);
  model_ids_clear(&ids[1]);
  return ok;
}

/* Whether picture INDEX of LINE is to be encoded when positions from FIRST on are computed. One
 * that no position shows yet comes with the question. */
static bool
is_needed(const ModelLedger *line, uint32_t index, uint32_t first)
{
  bool is_shown = false;

  for (uint32_t i = 0; i < line->n; i++) {
    if (model_slot_is_picture(line->slots[i]) && model_slot_picture(line->slots[i]) == index) {
      is_shown = true;
      if (i >= first) {
        return true;
      }
    }
  }
  return !is_shown;
}

/* An encoding is a piece of work of its own. */
static bool
prepare_line(ModelSession *session, const ModelLedger *line, const ModelWatch *watch,
             uint32_t *left, ModelError *err)
{
  const uint32_t first = model_ledger_common(line, &session->cache);
  ModelTiming timing = {0};

  *left = line->n - first;
  for (uint32_t i = 0; i < line->n_pictures; i++) {
    if (is_needed(line, i, first)) {
      ModelPicture *picture = picture_get(session, &line->pictures[i], watch, &timing, err);
      if (!picture) {
        return false;
      }
      model_pictures_release(session->engine->pictures, picture);
    }
  }
  if (*left == 0 || timing.image_s > 0) {
    return true;
  }
  if (!model_session_compute(session, line, PREPARED, watch, &timing, err)) {
    return false;
  }
  *left = line->n - session->cache.n;
  return true;
}

bool
model_session_prepare(ModelSession *session, const ModelImage *image, bool anew,
                      const ModelCallbacks *callbacks, uint32_t *left, ModelError *err)
{
  const ModelWatch watch = {&session->cancel, callbacks};
  ModelLedger line = {0};
  bool ok;

  *left = 0;
  if (!model_session_begin(session, err)) {
    return false;
  }
  atomic_store(&session->cancel, false);
  ok = model_ledger_init(&line, session->context, err) &&
       (anew || ledger_copy(session, &line, err)) &&
       ledger_add_beginning(session, &line, anew ? 0 : session->n_turns, image, err) &&
       prepare_line(session, &line, &watch, left, err);
  model_ledger_clear(&line);
  model_session_end(session);
  return ok;
}
