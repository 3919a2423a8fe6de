/* prescan.c - a walk over a data set before DCMTK sees it.
 *
 * Invariants of the walk:
 * 1. `depth` levels are open; levels[0] is the data set itself and never closes.
 * 2. A level with a known end lies inside the file, because every length was compared with the
 *    file's size before the level was opened.
 * 3. Sequence and item levels alternate: an item is opened in a sequence only, an element that
 * holds a sequence is read in an item or in the data set only.
 * 4. A soft level is a guess: in implicit VR only DCMTK's dictionary knows which elements of
 * defined length hold a sequence, so every value that begins with an item tag is walked like one,
 * and left without complaint where it turns out to be something else.
 */
#include "prescan.h"

#include "dicom.h"
#include "element.h"
#include "limits.h"

#include <string.h>
#include <zlib.h>

typedef struct {
  guint64 end; /* G_MAXUINT64: closed by a delimitation item */
  gboolean sequence, soft, explicit_vr, big_endian;
} Level;

typedef struct {
  DicomSource *source;
  const char *name;
  DicomLayout *layout;
  guint64 offset;
  guint depth, n_elements;
  Level levels[2 * DICOM_MAX_DEPTH + 1];
} Walk;

static gboolean G_GNUC_PRINTF(3, 4) refuse(Walk *walk, GError **error, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: %s", walk->name, what);
  return FALSE;
}

/* Leaves the innermost guess; FALSE when there is none, that is when the file is really broken. */
static gboolean
leave_soft(Walk *walk)
{
  for (guint i = walk->depth; i > 0; i--) {
    if (walk->levels[i].soft) {
      walk->offset = walk->levels[i].end;
      walk->depth = i - 1;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
open_level(Walk *walk, gboolean sequence, gboolean soft, guint64 value, guint32 length,
           gboolean implicit, GError **error)
{
  const Level *parent = &walk->levels[walk->depth];

  if (walk->depth + 1 >= G_N_ELEMENTS(walk->levels)) {
    return refuse(walk, error, "sequences are nested deeper than %d levels", DICOM_MAX_DEPTH);
  }
  walk->levels[++walk->depth] = (Level){
      .end = length == DICOM_UNDEFINED ? G_MAXUINT64 : value + length,
      .sequence = sequence,
      .soft = soft,
      .explicit_vr = parent->explicit_vr && !implicit,
      .big_endian = parent->big_endian && !implicit,
  };
  walk->offset = value;
  return TRUE;
}

/* The fragments of encapsulated pixel data (PS3.5 A.4), up to the delimitation item. */
static gboolean
walk_fragments(Walk *walk, const DicomElement *pixel, gboolean top, GError **error)
{
  const Level *level = &walk->levels[walk->depth];
  guint64 offset = pixel->value, total = 0;
  guint n = 0;
  DicomElement item;

  for (;;) {
    if (!dicom_element_read(walk->source, offset, level->explicit_vr, level->big_endian, &item)) {
      return refuse(walk, error, "PixelData (7FE0,0010) ends without a sequence delimitation item");
    }
    if (item.tag == DICOM_TAG_SEQUENCE_END) {
      break;
    }
    if (item.tag != DICOM_TAG_ITEM) {
      return refuse(walk, error,
                    "PixelData (7FE0,0010) holds (%04X,%04X) where a fragment was "
                    "expected",
                    item.tag >> 16, item.tag & 0xffff);
    }
    if (item.length > walk->source->size - item.value) {
      return refuse(walk, error,
                    "fragment %u of PixelData (7FE0,0010) is said to be %u bytes long, "
                    "but the file has only %" G_GUINT64_FORMAT " left",
                    n, item.length, walk->source->size - item.value);
    }
    if (++walk->n_elements > DICOM_MAX_ELEMENTS) {
      return refuse(walk, error, "more than %d elements", DICOM_MAX_ELEMENTS);
    }
    total += n > 0 ? item.length : 0;
    n++;
    offset = item.value + item.length;
  }
  walk->offset = item.value;
  if (top && !walk->layout->pixel_tag) {
    walk->layout->pixel_tag = pixel->tag;
    walk->layout->encapsulated = TRUE;
    walk->layout->n_fragments = n > 0 ? n - 1 : 0;
    walk->layout->pixel_length = total;
  }
  return TRUE;
}

static gboolean
begins_with_item(Walk *walk, const DicomElement *element, gboolean big_endian)
{
  static const guint8 little[4] = {0xfe, 0xff, 0x00, 0xe0}, big[4] = {0xff, 0xfe, 0xe0, 0x00};
  const guint8 *p =
      element->length >= 8 ? dicom_source_peek(walk->source, element->value, 4) : NULL;

  return p && memcmp(p, big_endian ? big : little, 4) == 0;
}

static void
note_top_element(Walk *walk, const DicomElement *element)
{
  DicomLayout *layout = walk->layout;

  if (element->tag == 0x00080016) {
    gsize n = MIN(element->length, sizeof layout->sop_class - 1);

    if (dicom_source_read(walk->source, element->value, layout->sop_class, n)) {
      layout->sop_class[n] = '\0';
      g_strchomp(layout->sop_class);
    }
  }
  if ((element->tag == 0x7fe00010 || element->tag == 0x7fe00008 || element->tag == 0x7fe00009) &&
      !layout->pixel_tag) {
    layout->pixel_tag = element->tag;
    layout->pixel_length = element->length;
  }
}

static gboolean
walk_element(Walk *walk, const DicomElement *element, GError **error)
{
  const Level *level = &walk->levels[walk->depth];
  gboolean unknown =
      level->explicit_vr && (strcmp(element->vr, "UN") == 0 || !dicom_vr_is_standard(element->vr));
  gboolean is_sequence = level->explicit_vr && strcmp(element->vr, "SQ") == 0;

  if (element->length == DICOM_UNDEFINED) {
    if (element->tag == 0x7fe00010) {
      return walk_fragments(walk, element, walk->depth == 0, error);
    }
    if (level->explicit_vr && !is_sequence && !unknown) {
      return refuse(walk, error, "(%04X,%04X) of type %s has no length", element->tag >> 16,
                    element->tag & 0xffff, element->vr);
    }
    /* PS3.5 clause 6.2.2 note: UN of undefined length is implicit VR inside. */
    return open_level(walk, TRUE, FALSE, element->value, element->length, unknown, error);
  }
  if (element->length > walk->source->size - element->value) {
    if (leave_soft(walk)) {
      return TRUE;
    }
    return refuse(walk, error,
                  "element (%04X,%04X) is said to be %u bytes long, but the file has "
                  "only %" G_GUINT64_FORMAT " left",
                  element->tag >> 16, element->tag & 0xffff, element->length,
                  walk->source->size - element->value);
  }
  /* (0028,3010) written as OB is read as a sequence by DCMTK. */
  gboolean guess = (!level->explicit_vr || element->tag == 0x00283010) && !is_sequence &&
                   begins_with_item(walk, element, level->big_endian);
  if (is_sequence || guess) {
    return open_level(walk, TRUE, guess, element->value, element->length, FALSE, error);
  }
  if (walk->depth == 0) {
    note_top_element(walk, element);
  }
  walk->offset = element->value + element->length;
  return TRUE;
}

/* Items and their delimiters (PS3.5 clause 7.5). */
static gboolean
walk_item(Walk *walk, const DicomElement *element, GError **error)
{
  const Level *level = &walk->levels[walk->depth];

  if (element->tag == DICOM_TAG_ITEM && level->sequence) {
    if (element->length != DICOM_UNDEFINED &&
        element->length > walk->source->size - element->value) {
      return leave_soft(walk) ||
             refuse(walk, error,
                    "a sequence item is said to be %u bytes long, but the file has only "
                    "%" G_GUINT64_FORMAT " left",
                    element->length, walk->source->size - element->value);
    }
    return open_level(walk, FALSE, FALSE, element->value, element->length, FALSE, error);
  }
  if (element->tag == DICOM_TAG_ITEM_END && walk->depth > 0 && !level->sequence) {
    walk->depth--;
    walk->offset = element->value;
    return TRUE;
  }
  if (element->tag == DICOM_TAG_SEQUENCE_END && walk->depth > 0) {
    walk->depth -= level->sequence ? 1 : 2;
    walk->offset = element->value;
    return TRUE;
  }
  return leave_soft(walk) ||
         refuse(walk, error, "(%04X,%04X) at byte %" G_GUINT64_FORMAT " is out of place",
                element->tag >> 16, element->tag & 0xffff, walk->offset);
}

gboolean
dicom_prescan(DicomSource *source, const char *name, const DicomMeta *meta, DicomLayout *layout,
              GError **error)
{
  g_autofree Walk *walk = g_new0(Walk, 1);
  DicomElement element;

  memset(layout, 0, sizeof *layout);
  walk->source = source;
  walk->name = name;
  walk->layout = layout;
  walk->offset = meta->data_start;
  walk->levels[0] = (Level){.end = G_MAXUINT64,
                            .explicit_vr = meta->syntax->explicit_vr,
                            .big_endian = meta->syntax->big_endian};
  for (;;) {
    const Level *level = &walk->levels[walk->depth];

    if (walk->depth > 0 && walk->offset >= level->end) {
      walk->depth--;
      continue;
    }
    if (walk->offset >= source->size && walk->depth == 0) {
      return TRUE;
    }
    if (!dicom_element_read(source, walk->offset, level->explicit_vr, level->big_endian,
                            &element)) {
      if (leave_soft(walk)) {
        continue;
      }
      return refuse(walk, error, "ends at byte %" G_GUINT64_FORMAT " inside %s", source->size,
                    walk->depth > 0 ? "a sequence" : "a data element");
    }
    if (++walk->n_elements > DICOM_MAX_ELEMENTS) {
      return refuse(walk, error, "more than %d elements", DICOM_MAX_ELEMENTS);
    }
    gboolean ok;
    if (element.tag >> 16 == 0xfffe) {
      ok = walk_item(walk, &element, error);
    } else if (level->sequence) {
      ok = leave_soft(walk) ||
           refuse(walk, error,
                  "(%04X,%04X) at byte %" G_GUINT64_FORMAT " stands where a sequence "
                  "item was expected",
                  element.tag >> 16, element.tag & 0xffff, walk->offset);
    } else {
      ok = walk_element(walk, &element, error);
    }
    if (!ok) {
      return FALSE;
    }
  }
}

/* Grows OUT by what one input chunk inflates to. */
static int
inflate_chunk(z_stream *stream, GByteArray *out, GError **error, const char *name)
{
  guint8 buffer[65536];
  int rc;

  do {
    stream->next_out = buffer;
    stream->avail_out = sizeof buffer;
    rc = inflate(stream, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                  "%s: the deflated data set is damaged after %u bytes", name, out->len);
      return Z_DATA_ERROR;
    }
    gsize got = sizeof buffer - stream->avail_out;
    if (out->len + got > DICOM_MAX_INFLATED) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
                  "%s: the deflated data set is larger than %d MiB", name,
                  (int)(DICOM_MAX_INFLATED >> 20));
      return Z_MEM_ERROR;
    }
    g_byte_array_append(out, buffer, (guint)got);
  } while (rc == Z_OK && stream->avail_out == 0);
  return rc == Z_BUF_ERROR ? Z_OK : rc;
}

DicomSource *
dicom_inflate(DicomSource *source, const char *name, guint64 offset, GError **error)
{
  g_autoptr(GByteArray) out = g_byte_array_new();
  z_stream stream = {0};
  int rc = Z_OK;

  /* PS3.5 A.5: a raw deflate stream, no zlib header. */
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: zlib cannot start", name);
    return NULL;
  }
  while (rc == Z_OK && offset < source->size) {
    guint8 chunk[16384];
    gsize n = MIN(sizeof chunk, source->size - offset);

    if (!dicom_source_read(source, offset, chunk, n)) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be read", name);
      rc = Z_ERRNO;
      break;
    }
    stream.next_in = chunk;
    stream.avail_in = (uInt)n;
    offset += n;
    rc = inflate_chunk(&stream, out, error, name);
  }
  inflateEnd(&stream);
  if (rc == Z_OK) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: the deflated data set ends early, after %u bytes", name, out->len);
  }
  if (rc != Z_STREAM_END) {
    return NULL;
  }
  gsize size = out->len;
  return dicom_source_memory(g_byte_array_free(g_steal_pointer(&out), FALSE), size);
}
