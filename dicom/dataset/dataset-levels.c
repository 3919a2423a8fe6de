/* dataset-levels.c - the open sequences and items of the walk in dataset.c. */
#include "dataset-walk.h"

#include <string.h>

#define MOST_DAMAGE 300 /* characters of the description */

gboolean
dicom_walk_refuse(DicomWalk *walk, DicomError code, GError **error, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, DICOM_ERROR, code, "%s: %s", walk->name, what);
  return FALSE;
}

void
dicom_walk_damage(DicomWalk *walk, const char *format, ...)
{
  GString *text = walk->dataset->damage;
  va_list args;

  if (text->len > MOST_DAMAGE) {
    return;
  }
  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  if (!strstr(text->str, what)) {
    g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", what);
  }
}

/* ---- the stacks --------------------------------------------------------------------------------
 */

gpointer
dicom_level_push(DicomWalk *walk, DicomStack *stack, gsize size, guint count)
{
  if (count > stack->room - stack->n) {
    guint room = MAX(MAX(stack->room * 2, 64), stack->n + count); /* below 2^23 by the limits */
    gpointer data = g_try_realloc_n(stack->data, room, size);

    if (!data) {
      walk->no_memory = TRUE;
      return NULL;
    }
    stack->data = data;
    stack->room = room;
  }
  stack->n += count;
  return (char *)stack->data + (gsize)(stack->n - count) * size;
}

guint
dicom_level_settle(DicomWalk *walk, DicomStack *from, guint height, DicomStack *to, gsize size)
{
  guint n = from->n - height, first = to->n;
  gpointer room = n > 0 ? dicom_level_push(walk, to, size, n) : NULL;

  if (room) {
    memcpy(room, (char *)from->data + (gsize)height * size, n * size);
  }
  from->n = height;
  return first;
}

static DicomNode *
waiting_node(DicomWalk *walk, guint index)
{
  /* There is no array before the first element: an empty item in an empty data set. */
  return walk->wait_nodes.data ? (DicomNode *)walk->wait_nodes.data + index : NULL;
}

/* ---- levels ------------------------------------------------------------------------------------
 */

gboolean
dicom_level_open(DicomWalk *walk, gboolean sequence, guint64 value, guint64 end, GError **error)
{
  const DicomLevel *parent = &walk->levels[walk->depth];

  if (walk->depth + 1 >= G_N_ELEMENTS(walk->levels)) {
    return dicom_walk_refuse(walk, DICOM_ERROR_CORRUPT, error,
                             "sequences are nested deeper than %d levels", DICOM_MAX_DEPTH);
  }
  walk->levels[++walk->depth] = (DicomLevel){
      .end = end,
      .limit = MIN(end, parent->limit),
      .sequence = sequence,
      .explicit_vr = parent->explicit_vr,
      .big_endian = parent->big_endian,
      .wait_nodes = walk->wait_nodes.n,
      .wait_items = walk->wait_items.n,
      .done_nodes = walk->nodes.n,
      .done_items = walk->items.n,
  };
  walk->offset = value;
  return TRUE;
}

void
dicom_level_close(DicomWalk *walk, guint64 at)
{
  const DicomLevel *level = &walk->levels[walk->depth--];

  if (level->sequence) {
    guint n = walk->wait_items.n - level->wait_items;
    DicomNode *node = waiting_node(walk, level->wait_nodes - 1);

    node->first_item = dicom_level_settle(walk, &walk->wait_items, level->wait_items, &walk->items,
                                          sizeof(DicomItem));
    node->n_items = n;
    node->end = at;
    return;
  }
  guint n = walk->wait_nodes.n - level->wait_nodes;
  const DicomNode *first = waiting_node(walk, level->wait_nodes);
  DicomItem item = {.dataset = walk->dataset, .n = n, .sorted = TRUE};
  for (guint i = 1; i < n; i++) {
    item.sorted = item.sorted && first[i - 1].tag < first[i].tag;
  }
  item.first = dicom_level_settle(walk, &walk->wait_nodes, level->wait_nodes, &walk->nodes,
                                  sizeof(DicomNode));
  DicomItem *room = dicom_level_push(walk, &walk->wait_items, sizeof(DicomItem), 1);
  if (room) {
    *room = item;
  }
}

gboolean
dicom_level_leave_soft(DicomWalk *walk)
{
  guint i = walk->depth;

  while (i > 0 && !walk->levels[i].soft) {
    i--;
  }
  if (i == 0) {
    return FALSE;
  }
  const DicomLevel *level = &walk->levels[i];
  walk->wait_nodes.n = level->wait_nodes;
  walk->wait_items.n = level->wait_items;
  walk->nodes.n = level->done_nodes;
  walk->items.n = level->done_items;
  waiting_node(walk, level->wait_nodes - 1)->flags &= (guint8)~DICOM_NODE_SEQUENCE;
  walk->offset = level->end;
  walk->depth = i - 1;
  return TRUE;
}

void
dicom_level_recover(DicomWalk *walk)
{
  guint i = walk->depth;

  if (dicom_level_leave_soft(walk)) {
    return;
  }
  while (i > 0 &&
         (walk->levels[i].end == DICOM_UNKNOWN_END || walk->levels[i].end <= walk->offset)) {
    i--;
  }
  guint64 end = i > 0 ? walk->levels[i].end : walk->offset;
  guint target = i > 0 ? i : walk->depth;
  while (walk->depth >= target && walk->depth > 0) {
    dicom_level_close(walk, end);
  }
  walk->offset = end;
}
