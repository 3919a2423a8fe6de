/* merkle.h - the Merkle tree of RFC 6962 (section 2.1) over the rows of a log. Private to the room.
 *
 * A leaf is SHA-256(0x00 | bytes of the row), a node SHA-256(0x01 | left | right). A tree that
 * grows is kept as the roots of its perfect parts, at most 64 hashes, whatever its size. Proofs are
 * made from the hashes of the leaves, which the caller has.
 *
 * Thread rule: plain data.
 */
#ifndef HILUM_DATA_MERKLE_H
#define HILUM_DATA_MERKLE_H

#include <glib.h>

G_BEGIN_DECLS

#define STORE_HASH_BYTES 32u

typedef struct {
  guint8 bytes[STORE_HASH_BYTES];
} StoreHash;

StoreHash store_hash(const void *bytes, gsize n);
StoreHash store_hash_leaf(const void *bytes, gsize n);
/* In constant time. */
gboolean store_hash_equal(const StoreHash *a, const StoreHash *b);

/* All zero: the empty tree. */
typedef struct {
  guint64 size; /* leaves */
  StoreHash
      parts[64]; /* roots of the perfect parts, from left to right: one for each bit of SIZE */
} StoreMerkle;

void store_merkle_add(StoreMerkle *tree, const StoreHash *leaf);
/* Of the empty tree: SHA-256 of nothing. */
StoreHash store_merkle_root(const StoreMerkle *tree);

/* The root of the tree whose first leaves are those of HIGH, each the root of a perfect part larger
 * than all of LOW, and whose last are those of LOW. */
StoreHash store_merkle_join(const StoreMerkle *high, const StoreMerkle *low);
/* The same, where LOW is not empty and has this root. */
StoreHash store_merkle_root_with(const StoreMerkle *high, const StoreHash *low);

/* The hash of leaf INDEX. */
typedef StoreHash (*StoreLeafAt)(guint64 index, gpointer user);
/* MTH(D[first:first + n]): the root over N leaves from FIRST on. */
StoreHash store_merkle_subtree(guint64 first, guint64 n, StoreLeafAt leaf, gpointer user);

/* PATH(m, D[n]) (2.1.1): the hashes that lead from leaf INDEX to the root over SIZE leaves, the
 * lowest first; of StoreHash. INDEX < SIZE. */
GArray *store_merkle_path(guint64 index, guint64 size, StoreLeafAt leaf, gpointer user);
gboolean store_merkle_check_path(guint64 index, guint64 size, const StoreHash *leaf,
                                 const GArray *path, const StoreHash *root);

/* PROOF(m, D[n]) (2.1.2): that the tree of OLD leaves is the beginning of that of SIZE. OLD <=
 * SIZE; empty when they are equal or OLD is 0. */
GArray *store_merkle_consistency(guint64 old, guint64 size, StoreLeafAt leaf, gpointer user);
gboolean store_merkle_check_consistency(guint64 old, guint64 size, const GArray *proof,
                                        const StoreHash *old_root, const StoreHash *root);

G_END_DECLS
#endif
