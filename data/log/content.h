/* content.h - what an event of each kind says: the members of its objects. Private to the room.
 *
 * What can name or describe a patient is put in the sealed object, the rest in the clear one.
 */
#ifndef HILUM_DATA_LOG_CONTENT_H
#define HILUM_DATA_LOG_CONTENT_H

#include "body.h"
#include "draft.h"

G_BEGIN_DECLS

typedef struct {
  gint64 model, rewound_from;
  guint rewound_turn;
  const char *program_version;
} StoreOpening; /* of a conversation */

void store_put_model(StoreDraft *draft, const StoreModel *model);
void store_put_image(StoreDraft *draft, const StoreImage *image);
void store_put_opening(StoreDraft *draft, const StoreOpening *opening);
/* CONVERSATION, NUMBER: which turn it is. */
void store_put_turn(StoreDraft *draft, gint64 conversation, gint64 number, const StoreTurn *turn);
void store_put_verdict(StoreDraft *draft, gint64 turn, const StoreVerdict *verdict);
void store_put_check(StoreDraft *draft, gint64 turn, const StoreCheck *check);
void store_put_event(StoreDraft *draft, const StoreEvent *event);

/* Texts go into STRINGS, lists are g_free()d by the caller. */
void store_get_model(StoreBody *body, StoreModel *model, GStringChunk *strings);
void store_get_image(StoreBody *body, StoreImage *image, GStringChunk *strings);
void store_get_turn(StoreBody *body, StoreTurn *turn, GStringChunk *strings);

/* The patient that IMAGE is of, or what stands for one, as bytes that differ for others. Without an
 * image: the conversation. */
void store_put_identity(GByteArray *bytes, const StoreImage *image, gint64 conversation);

G_END_DECLS
#endif
