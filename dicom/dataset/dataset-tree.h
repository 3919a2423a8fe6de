/* dataset-tree.h - how a data set is held in memory: for dataset*.c and pixels.c alone.
 *
 * Elements of one item lie next to each other in NODES, items of one sequence in ITEMS, so that
 * each is found by its index. An item is complete before the item around it, which is why the root
 * is the last of ITEMS. */
#ifndef HILUM_DICOM_DATASET_TREE_H
#define HILUM_DICOM_DATASET_TREE_H

#include "dataset.h"

enum {
  DICOM_NODE_SEQUENCE = 1,
  DICOM_NODE_FRAGMENTS = 2,
  DICOM_NODE_EXPLICIT = 4,
  DICOM_NODE_BIG_ENDIAN = 8,
  DICOM_NODE_CUT = 16, /* the source ends inside */
  DICOM_NODE_ODD = 32, /* explicit, but of no known value representation */
};

typedef struct {
  guint64 value, end; /* offsets of the value and of what follows it */
  guint32 tag, length;
  guint32 first_item, n_items; /* of a sequence */
  char vr[2];                  /* zeros in implicit VR */
  guint8 flags, header;        /* HEADER bytes stand before the value */
} DicomNode;

struct _DicomItem {
  const DicomDataset *dataset;
  guint32 first, n;
  guint32 parent;  /* index of the item around it; of the root: its own */
  gboolean sorted; /* by ascending tags */
};

struct _DicomDataset {
  DicomSource *source;   /* borrowed */
  DicomSource *inflated; /* owned, NULL when the source itself is read */
  DicomNode *nodes;
  DicomItem *items;
  guint n_nodes, n_items;
  /* of PixelData in the root; the first is the basic offset table */
  guint64 *fragment_offsets;
  guint32 *fragment_lengths;
  guint n_fragments;
  gboolean fragments_cut;
  GString *damage;
  GHashTable
      *orders; /* dataset-find.c: of large items in no order, from DicomItem * to guint32 * */
};

/* The first element of that tag, NULL when there is none. */
const DicomNode *dicom_item_find(const DicomItem *item, guint32 tag);
/* dataset-vr.c: the value representation of a tag for implicit VR and UN; "" for text of one line,
 * sequences, and what this program does not read. */
const char *dicom_vr_of_tag(guint32 tag);

#endif
