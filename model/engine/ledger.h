/* ledger.h - what each position of a timeline stands for, or each position of a key/value cache was
 * computed from: a token, or one row of a picture. Two ledgers that begin alike have the same keys
 * and values there, so comparing them tells how much need not be computed again. Private to
 * model/engine. */
#ifndef HILUM_MODEL_LEDGER_H
#define HILUM_MODEL_LEDGER_H

#include "model.h"

typedef struct {
  char key[65];    /* model_picture_key() */
  uint8_t *square; /* what the tower sees, owned; NULL where it is not needed */
} ModelLedgerPicture;

/* Pictures are numbered as they come, so equal beginnings have equal slots. */
typedef struct {
  uint64_t *slots; /* [capacity] */
  uint32_t n, capacity;
  ModelLedgerPicture *pictures;
  uint32_t n_pictures, pictures_capacity;
} ModelLedger;

#define MODEL_SLOT_PICTURE (UINT64_C(1) << 63)

static inline bool
model_slot_is_picture(uint64_t slot)
{
  return (slot & MODEL_SLOT_PICTURE) != 0;
}

static inline uint32_t
model_slot_picture(uint64_t slot)
{
  return (uint32_t)(slot >> 32) & 0x7fffffffu;
}

/* The picture's row, or the token's id. */
static inline uint32_t
model_slot_value(uint64_t slot)
{
  return (uint32_t)slot;
}

bool model_ledger_init(ModelLedger *ledger, uint32_t capacity, ModelError *err);
void model_ledger_clear(ModelLedger *ledger);

/* There must be room in the three that add. */
void model_ledger_push_token(ModelLedger *ledger, int32_t id);
/* Another picture; rows that follow are its own. SQUARE is taken over, also on failure; may be
 * NULL. */
bool model_ledger_open_picture(ModelLedger *ledger, const char key[65], uint8_t *square,
                               ModelError *err);
void model_ledger_push_row(ModelLedger *ledger, uint32_t row);

/* Forgets position N and all behind it. */
void model_ledger_cut(ModelLedger *ledger, uint32_t n);
/* Number of positions in which both begin alike. */
uint32_t model_ledger_common(const ModelLedger *a, const ModelLedger *b);
/* Appends positions to->n .. END - 1 of FROM to TO, which is like FROM so far. Squares stay where
 * they are. */
bool model_ledger_follow(ModelLedger *to, const ModelLedger *from, uint32_t end, ModelError *err);

#endif
