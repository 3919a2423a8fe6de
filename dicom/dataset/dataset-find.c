/* dataset-find.c - the element of a tag in an item.
 *
 * Elements come in the order of their tags (PS3.5 clause 7.1), and most items have few. A large one
 * in another order is searched by an index made once: loops over the items of a sequence look it up
 * for each, and a file must not make that the square of its size. */
#include "dataset-tree.h"

/* Elements up to which an item in no order is read through. */
#define FEW 64

static gint
compare_places(gconstpointer a, gconstpointer b, gpointer nodes)
{
  const guint32 one = *(const guint32 *)a, other = *(const guint32 *)b;
  const guint32 tag = ((const DicomNode *)nodes)[one].tag;
  const guint32 other_tag = ((const DicomNode *)nodes)[other].tag;

  if (tag != other_tag) {
    return tag < other_tag ? -1 : 1;
  }
  return one < other ? -1 : one > other; /* the first of several comes first */
}

/* Places of the elements of ITEM by their tags, owned by the data set; NULL without memory. */
static const guint32 *
order_of(const DicomItem *item, const DicomNode *nodes)
{
  GHashTable *orders = item->dataset->orders;
  guint32 *order = g_hash_table_lookup(orders, item);

  if (!order) {
    order = g_try_new(guint32, item->n);
    if (!order) {
      return NULL;
    }
    for (guint32 i = 0; i < item->n; i++) {
      order[i] = i;
    }
    g_qsort_with_data(order, (gint)item->n, sizeof *order, compare_places, (gpointer)nodes);
    g_hash_table_insert(orders, (gpointer)item, order);
  }
  return order;
}

const DicomNode *
dicom_item_find(const DicomItem *item, guint32 tag)
{
  if (item->n == 0) {
    return NULL; /* and there may be no nodes at all */
  }
  const DicomNode *nodes = item->dataset->nodes + item->first;
  const guint32 *order = item->sorted || item->n <= FEW ? NULL : order_of(item, nodes);
  guint low = 0, high = item->n;

  if (!item->sorted && !order) {
    for (guint i = 0; i < item->n; i++) {
      if (nodes[i].tag == tag) {
        return &nodes[i];
      }
    }
    return NULL;
  }
  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (nodes[order ? order[middle] : middle].tag < tag) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const DicomNode *node = low < item->n ? &nodes[order ? order[low] : low] : NULL;
  return node && node->tag == tag ? node : NULL;
}
