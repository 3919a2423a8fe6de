/* stretch.h - some events that follow each other, looked at for themselves. Private to the room.
 *
 * What a stretch says holds given the hash that its first event names as that of the event before;
 * verify.c joins stretches, and so they may be looked at in any order, and by several threads.
 */
#ifndef HILUM_DATA_LOG_STRETCH_H
#define HILUM_DATA_LOG_STRETCH_H

#include "derived.h"
#include "row.h"

G_BEGIN_DECLS

/* With the event's number. */
#define STORE_STRETCH_UNLINKED                                                                     \
  "event %" G_GINT64_FORMAT " does not follow the one before it: one of the two is another"

typedef struct {
  guint index;
  gint64 first, last; /* to be looked at; FIRST begins a block */
  gint64 done;        /* the last event that is as it should be; FIRST - 1: none */
  StoreHash before;   /* that the first names */
  StoreHash end;      /* of event DONE */
  GArray *blocks;     /* of StoreHash: the roots of the blocks up to DONE */
  StoreHash rest;     /* the root over the events behind them; none where DONE ends a block */
  GArray *rests;      /* of StoreHash: the same for each of the sizes that were asked for */
  gint64 counts[STORE_N_DERIVED];    /* events of each kind */
  gboolean differs[STORE_N_DERIVED]; /* a row of it may not be what its event says */
  char *first_time, *last_time;      /* of the events that tell one; NULL: none does */
  gint64 first_timed;
  gint64 clock_back, clock_back_first;
  char *found; /* behind DONE, or NULL */
  gint64 event;
  GError *error; /* the rest could not be looked at */
} StoreStretch;

StoreStretch *store_stretch_new(guint index, gint64 first, gint64 last);
void store_stretch_free(StoreStretch *stretch);

/* FALSE ends the looking. */
typedef gboolean (*StoreStretchGoOn)(const StoreStretch *stretch, guint events, gpointer user);

/* Looks at it on LOG's connection. SIZES: of guint64, ascending; those within the stretch get
 * RESTS. GO_ON is called every so many events, and once with those that are left. */
void store_stretch_look(StoreStretch *stretch, StoreLog *log, StoreDerived *derived,
                        const GArray *sizes, StoreStretchGoOn go_on, gpointer user);
/* The first of SIZES that is at least SIZE. */
guint store_stretch_size_from(const GArray *sizes, guint64 size);

G_END_DECLS
#endif
