/* merkle.c - see merkle.h. Checks follow RFC 9162, 2.1.3.2 and 2.1.4.2, which work on the same
 * proofs as RFC 6962. */
#include "merkle.h"

#include "sha256.h"
#include <sodium.h>
#include <string.h>

StoreHash
store_hash(const void *bytes, gsize n)
{
  StoreMessage message = {.bytes = bytes, .n = n};
  StoreHash hash;

  store_sha256(&message);
  memcpy(hash.bytes, message.hash, sizeof hash.bytes);
  return hash;
}

StoreHash
store_hash_leaf(const void *bytes, gsize n)
{
  guint8 small[1 + STORE_HASH_BYTES] = {0};
  g_autofree guint8 *all = n > STORE_HASH_BYTES ? g_malloc(1 + n) : NULL;
  guint8 *whole = all ? all : small;

  whole[0] = 0;
  if (n) {
    memcpy(whole + 1, bytes, n);
  }
  return store_hash(whole, 1 + n);
}

static StoreHash
hash_node(const StoreHash *left, const StoreHash *right)
{
  guint8 all[1 + 2 * STORE_HASH_BYTES];

  all[0] = 1;
  memcpy(all + 1, left->bytes, STORE_HASH_BYTES);
  memcpy(all + 1 + STORE_HASH_BYTES, right->bytes, STORE_HASH_BYTES);
  return store_hash(all, sizeof all);
}

gboolean
store_hash_equal(const StoreHash *a, const StoreHash *b)
{
  return sodium_memcmp(a->bytes, b->bytes, STORE_HASH_BYTES) == 0;
}

/* ---- a tree that grows ---------------------------------------------------------------------- */

static guint
n_parts(guint64 size)
{
  return (guint)__builtin_popcountll(size);
}

void
store_merkle_add(StoreMerkle *tree, const StoreHash *leaf)
{
  guint n = n_parts(tree->size);
  StoreHash node = *leaf;

  /* Each perfect part as large as what has just come joins it. */
  for (guint64 bits = tree->size; bits & 1; bits >>= 1) {
    node = hash_node(&tree->parts[--n], &node);
  }
  tree->parts[n] = node;
  tree->size++;
}

StoreHash
store_merkle_root(const StoreMerkle *tree)
{
  guint n = n_parts(tree->size);
  StoreHash root;

  if (n == 0) {
    return store_hash("", 0);
  }
  root = tree->parts[--n];
  while (n > 0) {
    root = hash_node(&tree->parts[--n], &root);
  }
  return root;
}

StoreHash
store_merkle_root_with(const StoreMerkle *high, const StoreHash *low)
{
  guint n = n_parts(high->size);
  StoreHash root = *low;

  while (n > 0) {
    root = hash_node(&high->parts[--n], &root);
  }
  return root;
}

StoreHash
store_merkle_join(const StoreMerkle *high, const StoreMerkle *low)
{
  const StoreHash root = store_merkle_root(low->size ? low : high);

  return low->size ? store_merkle_root_with(high, &root) : root;
}

StoreHash
store_merkle_subtree(guint64 first, guint64 n, StoreLeafAt leaf, gpointer user)
{
  StoreMerkle tree = {0};

  for (guint64 i = 0; i < n; i++) {
    const StoreHash hash = leaf(first + i, user);
    store_merkle_add(&tree, &hash);
  }
  return store_merkle_root(&tree);
}

/* ---- proofs ---------------------------------------------------------------------------------- */

/* The largest power of two below N, which is at least 2. */
static guint64
split_of(guint64 n)
{
  return G_GUINT64_CONSTANT(1) << (63 - __builtin_clzll(n - 1));
}

static void
append_subtree(GArray *proof, guint64 first, guint64 n, StoreLeafAt leaf, gpointer user)
{
  const StoreHash hash = store_merkle_subtree(first, n, leaf, user);

  g_array_append_val(proof, hash);
}

static GArray *
reversed(GArray *proof)
{
  for (guint i = 0; i < proof->len / 2; i++) {
    StoreHash *a = &g_array_index(proof, StoreHash, i),
              *b = &g_array_index(proof, StoreHash, proof->len - 1 - i), swap = *a;
    *a = *b;
    *b = swap;
  }
  return proof;
}

GArray *
store_merkle_path(guint64 index, guint64 size, StoreLeafAt leaf, gpointer user)
{
  GArray *path = g_array_new(FALSE, FALSE, sizeof(StoreHash));
  guint64 first = 0;

  g_return_val_if_fail(index < size, path);
  while (size > 1) {
    const guint64 k = split_of(size);

    if (index < k) {
      append_subtree(path, first + k, size - k, leaf, user);
      size = k;
    } else {
      append_subtree(path, first, k, leaf, user);
      first += k;
      index -= k;
      size -= k;
    }
  }
  return reversed(path);
}

gboolean
store_merkle_check_path(guint64 index, guint64 size, const StoreHash *leaf, const GArray *path,
                        const StoreHash *root)
{
  guint64 at = index, last = size - 1;
  StoreHash node = *leaf;

  if (index >= size) {
    return FALSE;
  }
  for (guint i = 0; i < path->len; i++) {
    const StoreHash *other = &g_array_index(path, StoreHash, i);

    if (last == 0) {
      return FALSE;
    }
    if (at & 1 || at == last) {
      node = hash_node(other, &node);
      while (!(at & 1) && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      node = hash_node(&node, other);
    }
    at >>= 1;
    last >>= 1;
  }
  return last == 0 && store_hash_equal(&node, root);
}

GArray *
store_merkle_consistency(guint64 old, guint64 size, StoreLeafAt leaf, gpointer user)
{
  GArray *proof = g_array_new(FALSE, FALSE, sizeof(StoreHash));
  guint64 first = 0, m = old, n = size;
  gboolean whole = TRUE; /* what is left of OLD is a whole tree that the verifier knows */

  g_return_val_if_fail(old <= size, proof);
  if (old == 0 || old == size) {
    return proof;
  }
  while (m != n) {
    const guint64 k = split_of(n);

    if (m <= k) {
      append_subtree(proof, first + k, n - k, leaf, user);
      n = k;
    } else {
      append_subtree(proof, first, k, leaf, user);
      first += k;
      m -= k;
      n -= k;
      whole = FALSE;
    }
  }
  if (!whole) {
    append_subtree(proof, first, m, leaf, user);
  }
  return reversed(proof);
}

gboolean
store_merkle_check_consistency(guint64 old, guint64 size, const GArray *proof,
                               const StoreHash *old_root, const StoreHash *root)
{
  guint64 at = old - 1, last = size - 1;
  StoreHash from, to;
  guint i = 0;

  if (old > size) {
    return FALSE;
  }
  if (old == 0 || old == size) {
    /* Nothing is shown about a tree of no leaves but its root. */
    const StoreHash nothing = store_hash("", 0);
    return proof->len == 0 && store_hash_equal(old_root, old == 0 ? &nothing : root);
  }
  while (at & 1) {
    at >>= 1;
    last >>= 1;
  }
  if (at == 0) { /* OLD is a power of two: its root is a node of the tree */
    from = *old_root;
  } else if (proof->len > 0) {
    from = g_array_index(proof, StoreHash, i++);
  } else {
    return FALSE;
  }
  to = from;
  for (; i < proof->len; i++) {
    const StoreHash *other = &g_array_index(proof, StoreHash, i);

    if (last == 0) {
      return FALSE;
    }
    if (at & 1 || at == last) {
      from = hash_node(other, &from);
      to = hash_node(other, &to);
      while (!(at & 1) && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      to = hash_node(&to, other);
    }
    at >>= 1;
    last >>= 1;
  }
  return last == 0 && store_hash_equal(&from, old_root) && store_hash_equal(&to, root);
}
