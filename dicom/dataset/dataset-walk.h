/* dataset-walk.h - the state of the walk in dataset.c, and its levels. For dataset.c and
 * dataset-levels.c alone. */
#ifndef HILUM_DICOM_DATASET_WALK_H
#define HILUM_DICOM_DATASET_WALK_H

#include "dataset-tree.h"
#include "dicom.h"
#include "dicom/limits.h"

#define DICOM_UNKNOWN_END G_MAXUINT64

typedef struct {
  guint64 end;   /* DICOM_UNKNOWN_END: closed by a delimitation item */
  guint64 limit; /* the nearest known end, its own or that of a level around it */
  gboolean sequence, soft, explicit_vr, big_endian;
  guint wait_nodes, wait_items; /* heights of the stacks when the level was opened */
  guint done_nodes, done_items; /* and of what was finished, to take it back */
} DicomLevel;

typedef struct {
  gpointer data;
  guint n, room;
} DicomStack;

typedef struct {
  DicomDataset *dataset;
  DicomSource *source;
  const char *name;
  guint64 offset;
  guint depth, n_elements;
  gboolean seen_pixels; /* PixelData of the root is behind us */
  gboolean no_memory;
  DicomStack wait_nodes, wait_items, nodes, items, offsets, lengths;
  DicomLevel levels[2 * DICOM_MAX_DEPTH + 1];
} DicomWalk;

gboolean dicom_walk_refuse(DicomWalk *walk, DicomError code, GError **error, const char *format,
                           ...) G_GNUC_PRINTF(4, 5);
/* Notes what was wrong, once each kind and not without end. */
void dicom_walk_damage(DicomWalk *walk, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Room for COUNT more of SIZE bytes; NULL, and the walk ends, when there is no memory. */
gpointer dicom_level_push(DicomWalk *walk, DicomStack *stack, gsize size, guint count);
/* Moves what lies on FROM above HEIGHT to the end of TO; the index of its first there. */
guint dicom_level_settle(DicomWalk *walk, DicomStack *from, guint height, DicomStack *to,
                         gsize size);
gboolean dicom_level_open(DicomWalk *walk, gboolean sequence, guint64 value, guint64 end,
                          GError **error);
/* The innermost level is complete at AT, where what follows it begins. */
void dicom_level_close(DicomWalk *walk, guint64 at);
/* Leaves the innermost guess, whose element is a value after all; FALSE when there is none. */
gboolean dicom_level_leave_soft(DicomWalk *walk);
/* Walks around what cannot be read at this place: up to the end of the innermost level that has a
 * known one, else as if the sequence around it were complete. */
void dicom_level_recover(DicomWalk *walk);

#endif
