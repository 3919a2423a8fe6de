/* note.h - signed notes and checkpoints, as c2sp.org/signed-note and c2sp.org/tlog-checkpoint
 * define them. Private to the room.
 *
 * A checkpoint's text is three lines: the log's name, how many rows it has, and the base64 of the
 * Merkle root over them. A signature line is "— NAME BASE64", of four bytes of the key's id and the
 * 64 of an Ed25519 signature over the text.
 */
#ifndef HILUM_DATA_NOTE_H
#define HILUM_DATA_NOTE_H

#include "merkle.h"

G_BEGIN_DECLS

#define STORE_NOTE_MOST_BYTES 65536u
#define STORE_NAME_MOST_BYTES 255u

typedef struct {
  char *name; /* of the log: no spaces, no '+', no control characters */
  guint8 public_key[32];
} StoreVerifier;
void store_verifier_clear(StoreVerifier *verifier);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreVerifier, store_verifier_clear)

typedef struct {
  StoreVerifier verifier;
  guint8 secret_key[64]; /* libsodium's: seed and public key; wiped when cleared */
} StoreSigner;
void store_signer_clear(StoreSigner *signer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreSigner, store_signer_clear)

/* SEED: 32 bytes. FALSE with INVALID when NAME is no name. */
gboolean store_signer_init(StoreSigner *signer, const char *name, const guint8 seed[32],
                           GError **error);

/* "NAME+HEX OF THE KEY'S ID+BASE64 OF 0x01 AND THE KEY": what LOG.pub holds. g_free(). */
char *store_verifier_text(const StoreVerifier *verifier);
/* A line break behind it is allowed. FORMAT when it is none. */
gboolean store_verifier_parse(StoreVerifier *verifier, const char *text, GError **error);

/* TEXT, which ends with a line break, with a blank line and the signature behind it. g_free(). */
char *store_note_sign(const StoreSigner *signer, const char *text);
/* Whether NOTE is signed by VERIFIER; then *TEXT (may be NULL), g_free(). Signatures of others are
 * passed over, a false one of VERIFIER's own is an error. */
gboolean store_note_open(const StoreVerifier *verifier, const char *note, char **text,
                         GError **error);

typedef struct {
  guint64 size;
  StoreHash root;
} StoreCheckpoint;
/* g_free(). */
char *store_checkpoint_text(const char *name, const StoreCheckpoint *checkpoint);
/* NAME is what the first line must say. */
gboolean store_checkpoint_parse(StoreCheckpoint *checkpoint, const char *text, const char *name,
                                GError **error);

G_END_DECLS
#endif
