/* recover-scan.h - what is left of a damaged log: its rows, and how well each is proved. Private to
 * the room.
 *
 * Rows are known by what they look like and by their own hash, whatever became of the rest. Where
 * they lie is kept in an SQLite file of its own, so that memory does not grow with the log; their
 * texts stay where they are.
 */
#ifndef HILUM_DATA_LOG_RECOVER_SCAN_H
#define HILUM_DATA_LOG_RECOVER_SCAN_H

#include "record.h"
#include "recover-pages.h"
#include "row.h"

G_BEGIN_DECLS

/* How much of a row is proved. */
typedef enum {
  STORE_PROOF_SIGNED,  /* a checkpoint covers it */
  STORE_PROOF_CHAINED, /* its hash is right, and it follows the row before it */
  STORE_PROOF_OWN,     /* its hash is right; what came before it is lost */
  STORE_PROOF_NONE,    /* it is not what its hash is of */
} StoreProof;
const char *store_proof_name(StoreProof proof); /* "signed", "chained", "own", "none" */

/* The kinds that have tables of their own. */
typedef enum {
  STORE_KIND_MODEL,
  STORE_KIND_IMAGE,
  STORE_KIND_CONVERSATION,
  STORE_KIND_TURN,
  STORE_KIND_VERDICT,
  STORE_KIND_CHECK,
  STORE_N_KINDS, /* another */
} StoreKind;
StoreKind store_kind_of(const char *kind);

typedef struct {
  gint64 rows;               /* that are left */
  gint64 changed;            /* of these: those that are not what their hash is of */
  gint64 last;               /* the highest number that there was, as far as that is known */
  gint64 proved;             /* the first so many are as they were signed */
  char root[65];             /* over these, as it was signed; "" for none */
  char log_id[33];           /* as the first event says, "" where that is lost */
  GString *lost;             /* which are lost: "17, 20-31", or the beginning of such a list */
  gint64 ids[STORE_N_KINDS]; /* the highest of each kind */
} StoreFound;
void store_found_clear(StoreFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreFound, store_found_clear)

/* A row as it was left; its texts lie in buffers of the scan's, until the next. */
typedef struct {
  StoreRow row;
  StoreProof proof;
} StoreLeft;

typedef struct _StoreScan StoreScan;
/* Looks for rows in PAGES, and holds them against the checkpoints (of StoreHead, by size). SCRATCH:
 * the file to make. PROGRESS from 0 to store_pages_count() of twice as many. */
StoreScan *store_scan_new(StorePages *pages, const char *scratch, const char *name,
                          GPtrArray *heads, StoreProgress progress, gpointer user,
                          StoreFound *found, GError **error);
void store_scan_free(StoreScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreScan, store_scan_free)
/* Whether a row whose hash is right is the model, image ... ID; or turn NUMBER of CONVERSATION. */
gboolean store_scan_has_id(StoreScan *scan, StoreKind kind, gint64 id);
gboolean store_scan_has_turn(StoreScan *scan, gint64 conversation, gint64 number);
/* The next row in order; *more FALSE at the end. */
gboolean store_scan_next(StoreScan *scan, StoreLeft *left, gboolean *more, GError **error);

G_END_DECLS
#endif
