/* keys.h - the keys of a log. Private to the room.
 *
 * LOG.keys is an SQLite file of mode 0600 beside the log. One root key (32 bytes) wraps all others
 * (XChaCha20-Poly1305): the seed of the Ed25519 key that signs checkpoints, a key of the log that
 * what is derived from it is sealed with (index, caches, pseudonyms), and one key for each subject.
 * The root key itself is kept by the Secret Service, or comes from a passphrase (Argon2id), or lies
 * in LOG.key, a file of mode 0600, which protects against nobody who can read the folder.
 *
 * A subject is a patient, or what stands for one: texts about it are sealed under its key, and once
 * that is erased nobody reads them again. Its number is given once and never again.
 *
 * Thread rule: one StoreKeys belongs to one thread at a time; several processes may share the file.
 * SECRETS, where they are given, are copied, and their USER must live until the keys are closed:
 * another process may put another root key in its place meanwhile. A LOG.key that others could read
 * is tightened and gets another root key; one in the place of which lies another user's file, or a
 * link, is refused. Errors: LOCKED when the root key is not to be had (no keyring, wrong or no
 * passphrase, LOG.key missing); CORRUPT when a key was changed. Keys are wiped from memory when let
 * go.
 */
#ifndef HILUM_DATA_LOG_KEYS_H
#define HILUM_DATA_LOG_KEYS_H

#include "note.h"
#include "store.h"

G_BEGIN_DECLS

#define STORE_KEY_BYTES 32u

typedef struct _StoreKeys StoreKeys;

/* Makes LOG.keys (INVALID when it is there; a file that was only begun is none) for the log at
 * LOG_PATH. LOG_ID: 32 hexadecimal digits;
 * NULL: random ones, or those of a making that was cut short. SECRETS may be NULL: then only
 * STORE_PROTECTION_FILE can be had. */
StoreKeys *store_keys_make(const char *log_path, const char *log_id, StoreProtection protection,
                           const StoreSecrets *secrets, GError **error);
/* Makes keys for the log at LOG_PATH that are protected as OTHER's are: under a passphrase they have
 * OTHER's root key, so that what opens the one opens the other and nobody is asked; else one of
 * their own, in a place of its own. */
StoreKeys *store_keys_make_like(const char *log_path, StoreKeys *other, GError **error);
/* Destroys the keys: the root key where it lies, and all bytes of LOG.keys; they are no more when
 * it returns. What is under them can never be read again. What was cut short can be done again. */
gboolean store_keys_destroy(const char *log_path, const char *log_id, const StoreSecrets *secrets,
                            GError **error);
/* NOT_FOUND when there is no LOG.keys. READ_ONLY: no subject can be made or erased. */
StoreKeys *store_keys_open(const char *log_path, gboolean read_only, const StoreSecrets *secrets,
                           GError **error);
void store_keys_close(StoreKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreKeys, store_keys_close)

const char *store_keys_log_id(StoreKeys *keys);
StoreProtection store_keys_protection(StoreKeys *keys);
/* All keys are wrapped anew under a new root key, the old root key is forgotten where it was kept,
 * and the old file is overwritten. */
gboolean store_keys_protect(StoreKeys *keys, StoreProtection protection,
                            const StoreSecrets *secrets, GError **error);

/* The log's signing key under the name NAME (store_signer_init()). */
gboolean store_keys_signer(StoreKeys *keys, const char *name, StoreSigner *signer, GError **error);
/* A key of the log for PURPOSE ("index", "pseudonym", "image"): always the same one. */
gboolean store_keys_derive(StoreKeys *keys, const char *purpose, guint8 key[STORE_KEY_BYTES],
                           GError **error);

/* The number of the subject that IDENTITY (N bytes: a patient's ID, say) stands for; it is found by
 * a keyed hash, and the file holds no identity. Where there is none, MAKE makes one, with a number
 * above AT_LEAST and above all that the file ever gave (durable when this returns); else 0 without
 * an error is the answer. An erased subject is not found again: the same identity is then a new
 * one. */
gboolean store_keys_find_subject(StoreKeys *keys, const void *identity, gsize n, gboolean make,
                                 gint64 at_least, gint64 *subject, GError **error);
/* *there is FALSE when the key was erased (or never was): no error. */
gboolean store_keys_get_subject(StoreKeys *keys, gint64 subject, guint8 key[STORE_KEY_BYTES],
                                gboolean *there, GError **error);
/* Overwrites and removes the key, and wraps the others under a new root key where the root key is
 * one that can be replaced without asking (keyring, file), so that old copies of LOG.keys open no
 * more. NOT_FOUND when there is none. */
gboolean store_keys_erase_subject(StoreKeys *keys, gint64 subject, const StoreSecrets *secrets,
                                  GError **error);

G_END_DECLS
#endif
