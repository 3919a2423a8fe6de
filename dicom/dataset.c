/* dataset.c - the walk over a data set (PS3.5 clause 7) that makes its tree.
 *
 * Invariants of the walk:
 * 1. `depth` levels are open; levels[0] is the data set itself, whose end is the source's.
 * 2. A level with a known end lies inside the source: lengths are cut when the level is opened.
 * 3. Sequence and item levels alternate: an item is opened in a sequence only, an element that
 *    holds a sequence is read in an item or in the data set only.
 * 4. Elements and items of levels that are open wait on two stacks, those of inner levels on top;
 *    closing a level moves its own to the arrays of the data set.
 * 5. A soft level is a guess: without a dictionary nothing says which elements of defined length
 *    hold a sequence, so a value that begins with an item is walked like one, and left a value,
 *    without complaint, where it turns out to be something else.
 * 6. Every step moves forward in the source or closes a level, and each costs the same. What was
 *    wrong is noted as damage and walked around; only what would cost too much is refused.
 */
#include "dataset-tree.h"

#include "dicom.h"
#include "inflate.h"
#include "limits.h"

#include <string.h>

#define UNKNOWN_END G_MAXUINT64
#define MOST_DAMAGE 300 /* characters of the description */

typedef struct {
  guint64 end; /* UNKNOWN_END: closed by a delimitation item */
  gboolean sequence, soft, explicit_vr, big_endian;
  guint wait_nodes, wait_items; /* heights of the stacks when the level was opened */
  guint done_nodes, done_items; /* and of what was finished, to take it back */
} Level;

typedef struct {
  gpointer data;
  guint n, room;
} Stack;

typedef struct {
  DicomDataset *dataset;
  DicomSource *source;
  const char *name;
  guint64 offset;
  guint depth, n_elements;
  gboolean seen_pixels; /* PixelData of the root is behind us */
  gboolean no_memory;
  Stack wait_nodes, wait_items, nodes, items, offsets, lengths;
  Level levels[2 * DICOM_MAX_DEPTH + 1];
} Walk;

static gboolean G_GNUC_PRINTF(4, 5)
    refuse(Walk *walk, DicomError code, GError **error, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, DICOM_ERROR, code, "%s: %s", walk->name, what);
  return FALSE;
}

/* Notes what was wrong, once each kind and not without end. */
static void G_GNUC_PRINTF(2, 3) damage(Walk *walk, const char *format, ...)
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

#define TAG_ARGS(tag) (tag) >> 16, (tag)&0xffff

/* ---- the stacks --------------------------------------------------------------------------------
 */

/* Room for COUNT more of SIZE bytes; NULL, and the walk ends, when there is no memory. */
static gpointer
push(Walk *walk, Stack *stack, gsize size, guint count)
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

/* Moves what lies on FROM above HEIGHT to the end of TO; the index of its first there. */
static guint
settle(Walk *walk, Stack *from, guint height, Stack *to, gsize size)
{
  guint n = from->n - height, first = to->n;
  gpointer room = n > 0 ? push(walk, to, size, n) : NULL;

  if (room) {
    memcpy(room, (char *)from->data + (gsize)height * size, n * size);
  }
  from->n = height;
  return first;
}

static DicomNode *
waiting_node(Walk *walk, guint index)
{
  return (DicomNode *)walk->wait_nodes.data + index;
}

/* ---- levels ------------------------------------------------------------------------------------
 */

static gboolean
open_level(Walk *walk, gboolean sequence, guint64 value, guint64 end, GError **error)
{
  const Level *parent = &walk->levels[walk->depth];

  if (walk->depth + 1 >= G_N_ELEMENTS(walk->levels)) {
    return refuse(walk, DICOM_ERROR_CORRUPT, error, "sequences are nested deeper than %d levels",
                  DICOM_MAX_DEPTH);
  }
  walk->levels[++walk->depth] = (Level){
      .end = end,
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

/* The innermost level is complete at AT, where what follows it begins. */
static void
close_level(Walk *walk, guint64 at)
{
  const Level *level = &walk->levels[walk->depth--];

  if (level->sequence) {
    guint n = walk->wait_items.n - level->wait_items;
    DicomNode *node = waiting_node(walk, level->wait_nodes - 1);

    node->first_item =
        settle(walk, &walk->wait_items, level->wait_items, &walk->items, sizeof(DicomItem));
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
  item.first = settle(walk, &walk->wait_nodes, level->wait_nodes, &walk->nodes, sizeof(DicomNode));
  DicomItem *room = push(walk, &walk->wait_items, sizeof(DicomItem), 1);
  if (room) {
    *room = item;
  }
}

/* Leaves the innermost guess, whose element is a value after all; FALSE when there is none. */
static gboolean
leave_soft(Walk *walk)
{
  guint i = walk->depth;

  while (i > 0 && !walk->levels[i].soft) {
    i--;
  }
  if (i == 0) {
    return FALSE;
  }
  const Level *level = &walk->levels[i];
  walk->wait_nodes.n = level->wait_nodes;
  walk->wait_items.n = level->wait_items;
  walk->nodes.n = level->done_nodes;
  walk->items.n = level->done_items;
  waiting_node(walk, level->wait_nodes - 1)->flags &= (guint8)~DICOM_NODE_SEQUENCE;
  walk->offset = level->end;
  walk->depth = i - 1;
  return TRUE;
}

/* Walks around what cannot be read at this place: up to the end of the innermost level that has a
 * known one, else as if the sequence around it were complete. */
static void
recover(Walk *walk)
{
  guint i = walk->depth;

  if (leave_soft(walk)) {
    return;
  }
  while (i > 0 && (walk->levels[i].end == UNKNOWN_END || walk->levels[i].end <= walk->offset)) {
    i--;
  }
  guint64 end = i > 0 ? walk->levels[i].end : walk->offset;
  guint target = i > 0 ? i : walk->depth;
  while (walk->depth >= target && walk->depth > 0) {
    close_level(walk, end);
  }
  walk->offset = end;
}

/* ---- elements ----------------------------------------------------------------------------------
 */

static gboolean
count_element(Walk *walk, GError **error)
{
  if (walk->no_memory) {
    return refuse(walk, DICOM_ERROR_TOO_LARGE, error, "needs more memory than there is");
  }
  if (++walk->n_elements > DICOM_MAX_ELEMENTS) {
    return refuse(walk, DICOM_ERROR_TOO_LARGE, error, "more than %d elements", DICOM_MAX_ELEMENTS);
  }
  return TRUE;
}

static gboolean
is_pixel_tag(guint32 tag)
{
  return tag == 0x7fe00010 || tag == 0x7fe00008 || tag == 0x7fe00009;
}

/* Keeps where a fragment of the root's PixelData lies. */
static void
keep_fragment(Walk *walk, guint64 offset, guint32 length)
{
  guint64 *offsets = push(walk, &walk->offsets, sizeof(guint64), 1);
  guint32 *lengths = push(walk, &walk->lengths, sizeof(guint32), 1);

  if (offsets && lengths) {
    *offsets = offset;
    *lengths = length;
  }
}

/* The fragments of encapsulated pixel data (PS3.5 A.4), up to the delimitation item. Their headers
 * are read one by one: the buffer is to keep the header of the object. */
static gboolean
walk_fragments(Walk *walk, DicomNode *node, gboolean keep, GError **error)
{
  const gboolean big_endian = node->flags & DICOM_NODE_BIG_ENDIAN;
  guint64 offset = node->value;
  guint8 p[8];

  for (;;) {
    if (!dicom_source_read(walk->source, offset, p, 8)) {
      damage(walk, "PixelData (7FE0,0010) ends without a sequence delimitation item");
      node->flags |= DICOM_NODE_CUT;
      offset = walk->source->size;
      break;
    }
    guint64 rest = walk->source->size - offset - 8;
    guint32 group = big_endian ? (guint32)p[0] << 8 | p[1] : (guint32)p[1] << 8 | p[0];
    guint32 element = big_endian ? (guint32)p[2] << 8 | p[3] : (guint32)p[3] << 8 | p[2];
    guint32 length = big_endian
                         ? (guint32)p[4] << 24 | (guint32)p[5] << 16 | (guint32)p[6] << 8 | p[7]
                         : (guint32)p[7] << 24 | (guint32)p[6] << 16 | (guint32)p[5] << 8 | p[4];
    guint32 tag = group << 16 | element;
    if (tag == DICOM_TAG_SEQUENCE_END) {
      offset += 8;
      break;
    }
    if (tag != DICOM_TAG_ITEM) {
      damage(walk, "PixelData (7FE0,0010) holds (%04X,%04X) where a fragment was expected",
             TAG_ARGS(tag));
      break;
    }
    if (!count_element(walk, error)) {
      return FALSE;
    }
    if (length > rest) {
      damage(walk,
             "fragment %u of PixelData (7FE0,0010) is said to be %u bytes long, but the file has "
             "only %" G_GUINT64_FORMAT " left",
             walk->offsets.n, length, rest);
      node->flags |= DICOM_NODE_CUT;
      length = (guint32)rest;
    }
    if (keep) {
      keep_fragment(walk, offset + 8, length);
    }
    offset += 8 + (guint64)length;
  }
  node->end = walk->offset = offset;
  return TRUE;
}

/* Whether the value at OFFSET begins with an item, of at most MOST bytes. */
static gboolean
begins_with_item(Walk *walk, guint64 offset, guint64 most, gboolean big_endian)
{
  static const guint8 little[4] = {0xfe, 0xff, 0x00, 0xe0}, big[4] = {0xff, 0xfe, 0xe0, 0x00};
  const guint8 *p = most >= 8 ? dicom_source_peek(walk->source, offset, 8) : NULL;

  return p && memcmp(p, big_endian ? big : little, 4) == 0;
}

/* PS3.5 clause 6.2.2 note 2: a sequence written as UN is implicit VR, little-endian inside. Some
 * are not; the first element tells. */
static gboolean
unknown_is_explicit(Walk *walk, guint64 value)
{
  const guint8 *p = dicom_source_peek(walk->source, value, 16);

  return p && dicom_vr_is_standard((const char *)p + 12);
}

typedef enum { VALUE, SEQUENCE, GUESS, FRAGMENTS } Shape;

static Shape
shape_of(Walk *walk, const DicomElement *element, const DicomNode *node, gboolean unknown)
{
  const Level *level = &walk->levels[walk->depth];
  gboolean big_endian = level->big_endian && !unknown;

  if (level->explicit_vr && memcmp(element->vr, "SQ", 2) == 0) {
    return SEQUENCE;
  }
  if (element->length == DICOM_UNDEFINED) {
    gboolean bytes = level->explicit_vr && element->vr[0] == 'O';

    return element->tag == 0x7fe00010 || bytes ? FRAGMENTS : SEQUENCE;
  }
  if (element->tag >> 16 == 0x7fe0) {
    return VALUE;
  }
  /* VOILUTSequence is found as OB; GDCM once wrote it so. */
  gboolean open = !level->explicit_vr || unknown || element->tag == 0x00283010;
  return open && begins_with_item(walk, element->value, node->end - node->value, big_endian)
             ? GUESS
             : VALUE;
}

/* Cuts a length that leads out of the source or of the item around it. */
static guint64
find_end(Walk *walk, const DicomElement *element, DicomNode *node)
{
  const Level *level = &walk->levels[walk->depth];
  guint64 rest = walk->source->size - element->value;

  if (element->length == DICOM_UNDEFINED) {
    return UNKNOWN_END;
  }
  if (element->length > rest) {
    guint64 end = level->end == UNKNOWN_END ? walk->source->size : MAX(level->end, element->value);

    damage(walk,
           "element (%04X,%04X) is said to be %u bytes long, but the file has only "
           "%" G_GUINT64_FORMAT " left",
           TAG_ARGS(element->tag), element->length, rest);
    node->flags |= DICOM_NODE_CUT;
    return end;
  }
  guint64 end = element->value + element->length;
  if (end > level->end && level->end >= element->value &&
      dicom_element_plausible(walk->source, level->end, level->explicit_vr, level->big_endian)) {
    damage(walk, "element (%04X,%04X) is longer than the item that holds it",
           TAG_ARGS(element->tag));
    end = level->end;
  }
  return end;
}

static gboolean
take_element(Walk *walk, const DicomElement *element, GError **error)
{
  const Level *level = &walk->levels[walk->depth];
  gboolean unknown =
      level->explicit_vr && (element->vr_is_odd || memcmp(element->vr, "UN", 2) == 0);
  DicomNode node = {.tag = element->tag,
                    .length = element->length,
                    .value = element->value,
                    .vr = {element->vr[0], element->vr[1]},
                    .header = (guint8)(element->value - walk->offset)};

  node.flags = (guint8)((level->explicit_vr ? DICOM_NODE_EXPLICIT : 0) |
                        (level->big_endian ? DICOM_NODE_BIG_ENDIAN : 0) |
                        (element->vr_is_odd ? DICOM_NODE_ODD : 0));
  if (element->length != DICOM_UNDEFINED && element->length > walk->source->size - element->value &&
      leave_soft(walk)) {
    return TRUE;
  }
  node.end = find_end(walk, element, &node);
  if (element->vr_is_odd) {
    damage(walk, "element (%04X,%04X) has no known value representation", TAG_ARGS(element->tag));
  }
  Shape shape = shape_of(walk, element, &node, unknown);
  gboolean root_pixels = walk->depth == 0 && is_pixel_tag(element->tag);
  walk->seen_pixels = walk->seen_pixels || root_pixels;
  if (shape == FRAGMENTS) {
    gboolean keep = root_pixels && walk->offsets.n == 0;

    node.flags |= DICOM_NODE_FRAGMENTS;
    if (!walk_fragments(walk, &node, keep, error)) {
      return FALSE;
    }
    walk->dataset->fragments_cut =
        keep ? (node.flags & DICOM_NODE_CUT) != 0 : walk->dataset->fragments_cut;
  } else if (shape != VALUE) {
    node.flags |= DICOM_NODE_SEQUENCE;
  }
  DicomNode *room = push(walk, &walk->wait_nodes, sizeof node, 1);
  if (room) {
    *room = node;
  }
  if (shape == VALUE) {
    walk->offset = node.end;
  } else if (shape != FRAGMENTS && room) {
    if (!open_level(walk, TRUE, node.value, node.end, error)) {
      return FALSE;
    }
    walk->levels[walk->depth].soft = shape == GUESS;
    if (unknown) {
      walk->levels[walk->depth].explicit_vr = unknown_is_explicit(walk, node.value);
      walk->levels[walk->depth].big_endian = FALSE;
    }
  }
  return TRUE;
}

/* ---- items and their delimiters (PS3.5 clause 7.5) ---------------------------------------------
 */

static gboolean
open_item(Walk *walk, const DicomElement *element, GError **error)
{
  const Level *level = &walk->levels[walk->depth];
  guint64 rest = walk->source->size - element->value, end = UNKNOWN_END;

  if (element->length != DICOM_UNDEFINED) {
    if (element->length > rest) {
      if (leave_soft(walk)) {
        return TRUE;
      }
      damage(walk,
             "a sequence item is said to be %u bytes long, but the file has only "
             "%" G_GUINT64_FORMAT " left",
             element->length, rest);
      /* In a sequence of unknown length the delimiters may still be there. */
      end = level->end == UNKNOWN_END ? UNKNOWN_END : MAX(level->end, element->value);
    } else {
      end = element->value + element->length;
      if (end > level->end) {
        if (leave_soft(walk)) {
          return TRUE;
        }
        damage(walk, "a sequence item is longer than the sequence that holds it");
        end = MAX(level->end, element->value);
      }
    }
  }
  return open_level(walk, FALSE, element->value, end, error);
}

static gboolean
take_delimiter(Walk *walk, const DicomElement *element, GError **error)
{
  const Level *level = &walk->levels[walk->depth];

  if (element->tag == DICOM_TAG_ITEM && level->sequence) {
    return open_item(walk, element, error);
  }
  if (element->tag == DICOM_TAG_ITEM_END && walk->depth > 0 && !level->sequence) {
    close_level(walk, element->value);
    walk->offset = element->value;
    return TRUE;
  }
  if (element->tag == DICOM_TAG_SEQUENCE_END && walk->depth > 0) {
    if (!level->sequence) {
      close_level(walk, walk->offset);
    }
    close_level(walk, element->value);
    walk->offset = element->value;
    return TRUE;
  }
  if (leave_soft(walk)) {
    return TRUE;
  }
  if (element->tag == DICOM_TAG_ITEM && element->length > 0 && !walk->seen_pixels) {
    return refuse(walk, DICOM_ERROR_CORRUPT, error,
                  "(%04X,%04X) at byte %" G_GUINT64_FORMAT
                  " is out of place: an item of no sequence",
                  TAG_ARGS(element->tag), walk->offset);
  }
  damage(walk, "(%04X,%04X) at byte %" G_GUINT64_FORMAT " is out of place", TAG_ARGS(element->tag),
         walk->offset);
  walk->offset = element->value;
  return TRUE;
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

/* Behind the pixels, zeros or other bytes that are no element end the data set. */
static gboolean
is_trailing(Walk *walk, const DicomElement *element)
{
  return walk->depth == 0 && walk->seen_pixels &&
         !dicom_element_plausible(walk->source, walk->offset, walk->levels[0].explicit_vr,
                                  walk->levels[0].big_endian) &&
         element->tag >> 16 != 0xfffe;
}

static gboolean
take_next(Walk *walk, gboolean *done, GError **error)
{
  const Level *level = &walk->levels[walk->depth];
  DicomElement element;

  if (!dicom_element_read(walk->source, walk->offset, level->explicit_vr, level->big_endian,
                          &element)) {
    if (leave_soft(walk)) {
      return TRUE;
    }
    if (walk->depth > 0 || !walk->seen_pixels) {
      damage(walk, "ends at byte %" G_GUINT64_FORMAT " inside %s", walk->source->size,
             walk->depth > 0 ? "a sequence" : "a data element");
    }
    *done = TRUE;
    return TRUE;
  }
  if (!count_element(walk, error)) {
    return FALSE;
  }
  if (is_trailing(walk, &element)) {
    damage(walk, "%" G_GUINT64_FORMAT " bytes behind the pixels are no data elements",
           walk->source->size - walk->offset);
    *done = TRUE;
    return TRUE;
  }
  if (element.tag >> 16 == 0xfffe) {
    return take_delimiter(walk, &element, error);
  }
  if (level->sequence) {
    if (!level->soft) {
      damage(walk,
             "(%04X,%04X) at byte %" G_GUINT64_FORMAT " stands where a sequence item was expected",
             TAG_ARGS(element.tag), walk->offset);
    }
    recover(walk);
    return TRUE;
  }
  return take_element(walk, &element, error);
}

static gboolean
walk_all(Walk *walk, GError **error)
{
  gboolean done = FALSE;

  while (!done) {
    const Level *level = &walk->levels[walk->depth];

    if (walk->offset >= level->end && walk->depth > 0) {
      close_level(walk, level->end);
    } else if (walk->offset >= walk->source->size) {
      if (walk->depth == 0) {
        break;
      }
      if (!leave_soft(walk)) {
        damage(walk, "ends at byte %" G_GUINT64_FORMAT " inside a sequence", walk->source->size);
        break;
      }
    } else if (!take_next(walk, &done, error)) {
      return FALSE;
    }
  }
  while (walk->depth > 0) {
    close_level(walk, walk->source->size);
  }
  /* The data set itself closes like an item; there is a level below none to return to. */
  walk->levels[1] = walk->levels[0];
  walk->depth = 1;
  close_level(walk, walk->source->size);
  settle(walk, &walk->wait_items, 0, &walk->items, sizeof(DicomItem));
  return count_element(walk, error);
}

/* Each item learns which item it is part of. */
static void
link_parents(DicomDataset *dataset)
{
  for (guint i = 0; i < dataset->n_items; i++) {
    const DicomItem *item = &dataset->items[i];

    for (guint k = 0; k < item->n; k++) {
      const DicomNode *node = &dataset->nodes[item->first + k];

      for (guint m = 0; m < node->n_items; m++) {
        dataset->items[node->first_item + m].parent = i;
      }
    }
  }
  dataset->items[dataset->n_items - 1].parent = dataset->n_items - 1;
}

static void
take_arrays(DicomDataset *dataset, Walk *walk)
{
  dataset->nodes = walk->nodes.data;
  dataset->n_nodes = walk->nodes.n;
  dataset->items = walk->items.data;
  dataset->n_items = walk->items.n;
  dataset->fragment_offsets = walk->offsets.data;
  dataset->fragment_lengths = walk->lengths.data;
  dataset->n_fragments = MIN(walk->offsets.n, walk->lengths.n);
  g_free(walk->wait_nodes.data);
  g_free(walk->wait_items.data);
}

DicomDataset *
dicom_dataset_read(DicomSource *source, const char *name, const DicomMeta *meta, GError **error)
{
  g_autoptr(DicomDataset) dataset = g_new0(DicomDataset, 1);

  dataset->source = source;
  dataset->damage = g_string_new(meta->damage);
  if (meta->deflated) {
    dataset->inflated = dicom_inflate(source, name, meta->data_start, error);
    if (!dataset->inflated) {
      return NULL;
    }
  }
  g_autofree Walk *walk = g_new0(Walk, 1);
  walk->dataset = dataset;
  walk->source = dicom_dataset_source(dataset);
  walk->name = name;
  walk->offset = meta->deflated ? 0 : meta->data_start;
  walk->levels[0] = (Level){
      .end = walk->source->size, .explicit_vr = meta->explicit_vr, .big_endian = meta->big_endian};
  gboolean ok = walk_all(walk, error);
  take_arrays(dataset, walk);
  if (!ok) {
    return NULL;
  }
  link_parents(dataset);
  return g_steal_pointer(&dataset);
}

void
dicom_dataset_free(DicomDataset *dataset)
{
  if (dataset) {
    g_clear_pointer(&dataset->inflated, dicom_source_free);
    g_free(dataset->nodes);
    g_free(dataset->items);
    g_free(dataset->fragment_offsets);
    g_free(dataset->fragment_lengths);
    g_string_free(dataset->damage, TRUE);
    g_free(dataset);
  }
}
