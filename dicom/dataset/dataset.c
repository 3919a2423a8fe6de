/* dataset.c - the walk over a data set (PS3.5 clause 7) that makes its tree.
 *
 * Invariants of the walk:
 * 1. `depth` levels are open; levels[0] is the data set itself, whose end is the source's.
 * 2. A level with a known end lies inside the source, and no level reaches beyond the known end of
 *    one around it.
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
#include "dataset-walk.h"
#include "inflate.h"

#include <string.h>

#define TAG_ARGS(tag) (tag) >> 16, (tag)&0xffff

/* ---- elements ----------------------------------------------------------------------------------
 */

static gboolean
count_element(DicomWalk *walk, GError **error)
{
  if (walk->no_memory) {
    return dicom_walk_refuse(walk, DICOM_ERROR_TOO_LARGE, error, "needs more memory than there is");
  }
  if (++walk->n_elements > DICOM_MAX_ELEMENTS) {
    return dicom_walk_refuse(walk, DICOM_ERROR_TOO_LARGE, error, "more than %d elements",
                             DICOM_MAX_ELEMENTS);
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
keep_fragment(DicomWalk *walk, guint64 offset, guint32 length)
{
  guint64 *offsets = dicom_level_push(walk, &walk->offsets, sizeof(guint64), 1);
  guint32 *lengths = dicom_level_push(walk, &walk->lengths, sizeof(guint32), 1);

  if (offsets && lengths) {
    *offsets = offset;
    *lengths = length;
  }
}

/* The fragments of encapsulated pixel data (PS3.5 A.4), up to the delimitation item. Their headers
 * are read one by one: the buffer is to keep the header of the object. */
static gboolean
walk_fragments(DicomWalk *walk, DicomNode *node, gboolean keep, GError **error)
{
  const gboolean big_endian = node->flags & DICOM_NODE_BIG_ENDIAN;
  guint64 offset = node->value;
  guint8 p[8];

  for (;;) {
    if (!dicom_source_read(walk->source, offset, p, 8)) {
      dicom_walk_damage(walk, "PixelData (7FE0,0010) ends without a sequence delimitation item");
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
      dicom_walk_damage(walk,
                        "PixelData (7FE0,0010) holds (%04X,%04X) where a fragment was expected",
                        TAG_ARGS(tag));
      break;
    }
    if (!count_element(walk, error)) {
      return FALSE;
    }
    if (length > rest) {
      dicom_walk_damage(
          walk,
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
begins_with_item(DicomWalk *walk, guint64 offset, guint64 most, gboolean big_endian)
{
  static const guint8 little[4] = {0xfe, 0xff, 0x00, 0xe0}, big[4] = {0xff, 0xfe, 0xe0, 0x00};
  const guint8 *p = most >= 8 ? dicom_source_peek(walk->source, offset, 8) : NULL;

  return p && memcmp(p, big_endian ? big : little, 4) == 0;
}

/* PS3.5 clause 6.2.2 note 2: a sequence written as UN is implicit VR, little-endian inside. Some
 * are not; the first element tells. */
static gboolean
unknown_is_explicit(DicomWalk *walk, guint64 value)
{
  const guint8 *p = dicom_source_peek(walk->source, value, 16);

  return p && dicom_vr_is_standard((const char *)p + 12);
}

typedef enum { VALUE, SEQUENCE, GUESS, FRAGMENTS } Shape;

static Shape
shape_of(DicomWalk *walk, const DicomElement *element, const DicomNode *node, gboolean unknown)
{
  const DicomLevel *level = &walk->levels[walk->depth];
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
  if (!open || !begins_with_item(walk, element->value, node->end - node->value, big_endian)) {
    return VALUE;
  }
  /* Where the file ends inside, what is there of a sequence is better than none of it. */
  return node->flags & DICOM_NODE_CUT ? SEQUENCE : GUESS;
}

/* Cuts a length that leads out of the source or of the item around it. */
static guint64
find_end(DicomWalk *walk, const DicomElement *element, DicomNode *node)
{
  const DicomLevel *level = &walk->levels[walk->depth];
  guint64 rest = walk->source->size - element->value;

  if (element->length == DICOM_UNDEFINED) {
    return DICOM_UNKNOWN_END;
  }
  if (element->length > rest) {
    guint64 end =
        level->end == DICOM_UNKNOWN_END ? walk->source->size : MAX(level->end, element->value);

    dicom_walk_damage(walk,
                      "element (%04X,%04X) is said to be %u bytes long, but the file has only "
                      "%" G_GUINT64_FORMAT " left",
                      TAG_ARGS(element->tag), element->length, rest);
    node->flags |= DICOM_NODE_CUT;
    return end;
  }
  guint64 end = element->value + element->length;
  if (end > level->end && level->end >= element->value &&
      dicom_element_plausible(walk->source, level->end, level->explicit_vr, level->big_endian)) {
    dicom_walk_damage(walk, "element (%04X,%04X) is longer than the item that holds it",
                      TAG_ARGS(element->tag));
    end = level->end;
  }
  return end;
}

/* Adds NODE to what is open, and moves on: behind it, or into it. */
static gboolean
place_element(DicomWalk *walk, DicomNode *node, Shape shape, gboolean unknown, GError **error)
{
  gboolean root_pixels = walk->depth == 0 && is_pixel_tag(node->tag);

  walk->seen_pixels = walk->seen_pixels || root_pixels;
  if (shape == FRAGMENTS) {
    gboolean keep = root_pixels && walk->offsets.n == 0;

    node->flags |= DICOM_NODE_FRAGMENTS;
    if (!walk_fragments(walk, node, keep, error)) {
      return FALSE;
    }
    walk->dataset->fragments_cut =
        keep ? (node->flags & DICOM_NODE_CUT) != 0 : walk->dataset->fragments_cut;
  } else if (shape == VALUE) {
    walk->offset = node->end;
  } else {
    node->flags |= DICOM_NODE_SEQUENCE;
  }
  DicomNode *room = dicom_level_push(walk, &walk->wait_nodes, sizeof *node, 1);
  if (room) {
    *room = *node;
  }
  if (shape == VALUE || shape == FRAGMENTS || !room) {
    return TRUE;
  }
  if (!dicom_level_open(walk, TRUE, node->value, node->end, error)) {
    return FALSE;
  }
  DicomLevel *level = &walk->levels[walk->depth];
  level->soft = shape == GUESS;
  if (unknown) {
    level->explicit_vr = unknown_is_explicit(walk, node->value);
    level->big_endian = FALSE;
  }
  return TRUE;
}

static gboolean
take_element(DicomWalk *walk, const DicomElement *element, GError **error)
{
  const DicomLevel *level = &walk->levels[walk->depth];
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
  if (element->length != DICOM_UNDEFINED && element->length > level->limit - element->value &&
      dicom_level_leave_soft(walk)) {
    return TRUE;
  }
  node.end = find_end(walk, element, &node);
  if (element->vr_is_odd) {
    dicom_walk_damage(walk, "element (%04X,%04X) has no known value representation",
                      TAG_ARGS(element->tag));
  }
  return place_element(walk, &node, shape_of(walk, element, &node, unknown), unknown, error);
}

/* ---- items and their delimiters (PS3.5 clause 7.5) ---------------------------------------------
 */

static gboolean
open_item(DicomWalk *walk, const DicomElement *element, GError **error)
{
  const DicomLevel *level = &walk->levels[walk->depth];
  guint64 rest = walk->source->size - element->value, end = DICOM_UNKNOWN_END;

  if (element->length != DICOM_UNDEFINED) {
    if (element->length > rest) {
      if (dicom_level_leave_soft(walk)) {
        return TRUE;
      }
      dicom_walk_damage(walk,
                        "a sequence item is said to be %u bytes long, but the file has only "
                        "%" G_GUINT64_FORMAT " left",
                        element->length, rest);
      /* In a sequence of unknown length the delimiters may still be there. */
      end = level->end == DICOM_UNKNOWN_END ? DICOM_UNKNOWN_END : MAX(level->end, element->value);
    } else {
      end = element->value + element->length;
      if (end > level->end) {
        if (dicom_level_leave_soft(walk)) {
          return TRUE;
        }
        dicom_walk_damage(walk, "a sequence item is longer than the sequence that holds it");
        end = MAX(level->end, element->value);
      }
    }
  }
  return dicom_level_open(walk, FALSE, element->value, end, error);
}

static gboolean
take_delimiter(DicomWalk *walk, const DicomElement *element, GError **error)
{
  const DicomLevel *level = &walk->levels[walk->depth];

  if (element->tag == DICOM_TAG_ITEM && level->sequence) {
    return open_item(walk, element, error);
  }
  if (element->tag == DICOM_TAG_ITEM_END && walk->depth > 0 && !level->sequence) {
    dicom_level_close(walk, element->value);
    walk->offset = element->value;
    return TRUE;
  }
  if (element->tag == DICOM_TAG_SEQUENCE_END && walk->depth > 0) {
    if (!level->sequence) {
      dicom_level_close(walk, walk->offset);
    }
    dicom_level_close(walk, element->value);
    walk->offset = element->value;
    return TRUE;
  }
  if (dicom_level_leave_soft(walk)) {
    return TRUE;
  }
  if (element->tag == DICOM_TAG_ITEM && element->length > 0 && !walk->seen_pixels) {
    return dicom_walk_refuse(walk, DICOM_ERROR_CORRUPT, error,
                             "(%04X,%04X) at byte %" G_GUINT64_FORMAT
                             " is out of place: an item of no sequence",
                             TAG_ARGS(element->tag), walk->offset);
  }
  dicom_walk_damage(walk, "(%04X,%04X) at byte %" G_GUINT64_FORMAT " is out of place",
                    TAG_ARGS(element->tag), walk->offset);
  walk->offset = element->value;
  return TRUE;
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

/* Behind the pixels, zeros or other bytes that are no element end the data set. */
static gboolean
is_trailing(DicomWalk *walk, const DicomElement *element)
{
  return walk->depth == 0 && walk->seen_pixels &&
         !dicom_element_plausible(walk->source, walk->offset, walk->levels[0].explicit_vr,
                                  walk->levels[0].big_endian) &&
         element->tag >> 16 != 0xfffe;
}

static gboolean
take_next(DicomWalk *walk, gboolean *done, GError **error)
{
  const DicomLevel *level = &walk->levels[walk->depth];
  DicomElement element;

  if (!dicom_element_read(walk->source, walk->offset, level->explicit_vr, level->big_endian,
                          &element)) {
    if (dicom_level_leave_soft(walk)) {
      return TRUE;
    }
    if (walk->depth > 0 || !walk->seen_pixels) {
      dicom_walk_damage(walk, "ends at byte %" G_GUINT64_FORMAT " inside %s", walk->source->size,
                        walk->depth > 0 ? "a sequence" : "a data element");
    }
    *done = TRUE;
    return TRUE;
  }
  if (!count_element(walk, error)) {
    return FALSE;
  }
  if (element.value > level->limit) {
    /* Fewer bytes than a header are left of what holds this. */
    if (!dicom_level_leave_soft(walk)) {
      dicom_walk_damage(walk, "an item ends inside the header of an element");
      walk->offset = level->limit;
    }
    return TRUE;
  }
  if (is_trailing(walk, &element)) {
    dicom_walk_damage(walk, "%" G_GUINT64_FORMAT " bytes behind the pixels are no data elements",
                      walk->source->size - walk->offset);
    *done = TRUE;
    return TRUE;
  }
  if (element.tag >> 16 == 0xfffe) {
    return take_delimiter(walk, &element, error);
  }
  if (level->sequence) {
    if (!level->soft) {
      dicom_walk_damage(walk,
                        "(%04X,%04X) at byte %" G_GUINT64_FORMAT
                        " stands where a sequence item was expected",
                        TAG_ARGS(element.tag), walk->offset);
    }
    dicom_level_recover(walk);
    return TRUE;
  }
  return take_element(walk, &element, error);
}

/* Neither a delimitation item nor an end that is known, and the level around it is over. */
static void
close_without_end(DicomWalk *walk)
{
  if (dicom_level_leave_soft(walk)) {
    return;
  }
  if (walk->offset >= walk->source->size) {
    dicom_walk_damage(walk, "ends at byte %" G_GUINT64_FORMAT " inside a sequence",
                      walk->source->size);
  } else {
    dicom_walk_damage(walk, "a sequence or item has no end");
  }
  dicom_level_close(walk, walk->offset);
}

static gboolean
walk_all(DicomWalk *walk, GError **error)
{
  gboolean done = FALSE;

  while (!done) {
    const DicomLevel *level = &walk->levels[walk->depth];

    if (walk->offset >= level->end && walk->depth > 0) {
      dicom_level_close(walk, level->end);
    } else if (walk->offset >= level->limit && walk->depth > 0) {
      close_without_end(walk);
    } else if (walk->offset >= walk->source->size) {
      break;
    } else if (!take_next(walk, &done, error)) {
      return FALSE;
    }
  }
  while (walk->depth > 0) {
    dicom_level_close(walk, walk->source->size);
  }
  /* The data set itself closes like an item; there is a level below none to return to. */
  walk->levels[1] = walk->levels[0];
  walk->depth = 1;
  dicom_level_close(walk, walk->source->size);
  dicom_level_settle(walk, &walk->wait_items, 0, &walk->items, sizeof(DicomItem));
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
take_arrays(DicomDataset *dataset, DicomWalk *walk)
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
  dataset->orders = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  if (meta->deflated) {
    dataset->inflated = dicom_inflate(source, name, meta->data_start, error);
    if (!dataset->inflated) {
      return NULL;
    }
  }
  g_autofree DicomWalk *walk = g_new0(DicomWalk, 1);
  walk->dataset = dataset;
  walk->source = dicom_dataset_source(dataset);
  walk->name = name;
  walk->offset = meta->deflated ? 0 : meta->data_start;
  walk->levels[0] = (DicomLevel){
      .end = walk->source->size,
      .limit = walk->source->size,
      .explicit_vr = meta->explicit_vr,
      .big_endian = meta->big_endian,
  };
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
    g_hash_table_unref(dataset->orders);
    g_free(dataset->nodes);
    g_free(dataset->items);
    g_free(dataset->fragment_offsets);
    g_free(dataset->fragment_lengths);
    g_string_free(dataset->damage, TRUE);
    g_free(dataset);
  }
}
