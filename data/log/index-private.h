/* index-private.h - a connection to a sealed database, between index-file.c (opening and writing)
 * and index-vfs.c (pages, and the file as SQLite sees it).
 */
#ifndef HILUM_DATA_LOG_INDEX_PRIVATE_H
#define HILUM_DATA_LOG_INDEX_PRIVATE_H

#include <sodium.h>
#include <sqlite3.h>

#include "index-file.h"

#define STORE_SEALED_NONCE (gsize) crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define STORE_SEALED_TAG (gsize) crypto_aead_xchacha20poly1305_ietf_ABYTES
#define STORE_SEALED_RESERVED (STORE_SEALED_NONCE + STORE_SEALED_TAG)

/* What PATH-busy holds. */
#define STORE_SEALED_WRITING 'w'
#define STORE_SEALED_IDLE '-'

/* What a connection has: the VFS that SQLite knows it by. */
typedef struct {
  sqlite3_vfs base; /* first */
  sqlite3_vfs *real;
  char *vfs_name, *name; /* as messages show it */
  guint8 *key;           /* in locked memory */
  int busy;              /* PATH-busy, -1 where there is none to be had */
  gboolean writing, read_only;
} StoreSealed;

StoreSealed *store_sealed_new(const char *path, const guint8 key[32], gboolean read_only);
void store_sealed_free(StoreSealed *sealed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreSealed, store_sealed_free)
/* Of a connection. */
StoreSealed *store_sealed_of(sqlite3 *db);

/* The byte in PATH-busy. */
char store_sealed_mark(int busy);

#endif
