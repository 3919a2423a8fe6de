/* ledger.c - what each position stands for. */
#include "engine/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool
out_of_memory(ModelError *err)
{
  return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for what a timeline holds");
}

bool
model_ledger_init(ModelLedger *ledger, uint32_t capacity, ModelError *err)
{
  *ledger = (ModelLedger){.capacity = capacity};
  ledger->slots = calloc(capacity, sizeof *ledger->slots);
  return ledger->slots || out_of_memory(err);
}

void
model_ledger_clear(ModelLedger *ledger)
{
  model_ledger_cut(ledger, 0);
  free(ledger->slots);
  free(ledger->pictures);
  *ledger = (ModelLedger){0};
}

void
model_ledger_push_token(ModelLedger *ledger, int32_t id)
{
  assert(ledger->n < ledger->capacity && id >= 0);
  ledger->slots[ledger->n++] = (uint32_t)id;
}

bool
model_ledger_open_picture(ModelLedger *ledger, const char key[65], uint8_t *square, ModelError *err)
{
  if (ledger->n_pictures == ledger->pictures_capacity) {
    const uint32_t capacity = ledger->pictures_capacity ? 2 * ledger->pictures_capacity : 4;
    ModelLedgerPicture *moved = realloc(ledger->pictures, capacity * sizeof *moved);
    if (!moved) {
      free(square);
      return out_of_memory(err);
    }
    ledger->pictures = moved;
    ledger->pictures_capacity = capacity;
  }
  memcpy(ledger->pictures[ledger->n_pictures].key, key, 65);
  ledger->pictures[ledger->n_pictures++].square = square;
  return true;
}

void
model_ledger_push_row(ModelLedger *ledger, uint32_t row)
{
  assert(ledger->n < ledger->capacity && ledger->n_pictures > 0);
  ledger->slots[ledger->n++] = MODEL_SLOT_PICTURE | (uint64_t)(ledger->n_pictures - 1) << 32 | row;
}

void
model_ledger_cut(ModelLedger *ledger, uint32_t n)
{
  uint32_t kept = 0;

  ledger->n = n < ledger->n ? n : ledger->n;
  for (uint32_t i = ledger->n; i-- > 0 && kept == 0;) {
    if (model_slot_is_picture(ledger->slots[i])) {
      kept = model_slot_picture(ledger->slots[i]) + 1;
    }
  }
  while (ledger->n_pictures > kept) {
    free(ledger->pictures[--ledger->n_pictures].square);
  }
}

uint32_t
model_ledger_common(const ModelLedger *a, const ModelLedger *b)
{
  const uint32_t n = a->n < b->n ? a->n : b->n;
  uint32_t i = 0;

  while (i < n && a->slots[i] == b->slots[i] &&
         (!model_slot_is_picture(a->slots[i]) ||
          strcmp(a->pictures[model_slot_picture(a->slots[i])].key,
                 b->pictures[model_slot_picture(b->slots[i])].key) == 0)) {
    i++;
  }
  return i;
}

bool
model_ledger_follow(ModelLedger *to, const ModelLedger *from, uint32_t end, ModelError *err)
{
  assert(end <= from->n && end <= to->capacity);
  while (to->n < end) {
    const uint64_t slot = from->slots[to->n];
    if (model_slot_is_picture(slot) && model_slot_picture(slot) == to->n_pictures &&
        !model_ledger_open_picture(to, from->pictures[to->n_pictures].key, NULL, err)) {
      return false;
    }
    to->slots[to->n++] = slot;
  }
  return true;
}
