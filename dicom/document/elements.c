/* elements.c - all elements of a data set, as lines for people (PS3.5 clause 7).
 *
 * The tree is walked with a stack of its own. Values are cut to what fits a line; pixels and other
 * bulk data are told by their size. The names of attributes are not given here: whoever shows the
 * lines looks them up by the tag, so that the helper needs no dictionary.
 */
#include "dicom/file.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <string.h>

#define ITEM 0xfffee000u

typedef struct {
  const DicomItem *item;
  guint next;      /* element */
  guint next_item; /* of the element before NEXT, if that is a sequence */
} Level;

typedef struct {
  Level levels[DICOM_MAX_DEPTH + 2];
  guint depth;
  GPtrArray *tags;
} Walk;

void
dicom_tag_free(DicomTag *tag)
{
  if (tag) {
    g_free(tag->value);
    g_free(tag);
  }
}

/* Takes VALUE. */
static void
add(Walk *walk, guint32 number, const char *vr, char *value)
{
  DicomTag *tag = g_new0(DicomTag, 1);

  tag->depth = walk->depth;
  tag->tag = number;
  g_strlcpy(tag->vr, vr, sizeof tag->vr);
  tag->value = value;
  g_ptr_array_add(walk->tags, tag);
}

/* ---- values ------------------------------------------------------------------------------- */

static char *
bytes_text(guint64 n)
{
  return g_strdup_printf("%" G_GUINT64_FORMAT " bytes", n);
}

/* One line of at most DICOM_MAX_TAG_CHARS characters: what controls a terminal or breaks a line
 * becomes a blank. */
char *
dicom_tag_line(const char *text)
{
  GString *line = g_string_new(NULL);
  guint n = 0;

  for (const char *p = text; *p; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);

    if (n++ == DICOM_MAX_TAG_CHARS) {
      g_string_append(line, "\xe2\x80\xa6"); /* … */
      break;
    }
    g_string_append_unichar(line, g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029 ? ' ' : c);
  }
  return g_string_free(line, FALSE);
}

/* Whether most of it is made to be read: values of unknown VR may be anything. */
static gboolean
is_legible(const char *text, guint64 n_bytes)
{
  guint n = 0, odd = 0;

  for (const char *p = text; *p && n < DICOM_MAX_TAG_CHARS; p = g_utf8_next_char(p), n++) {
    gunichar c = g_utf8_get_char(p);

    odd += c == 0xfffd || (c < 0x20 && c != '\t' && c != '\n' && c != '\r');
  }
  /* Text ends at a zero byte, and padding is one. */
  return odd == 0 && strlen(text) + 2 >= MIN(n_bytes, n);
}

static char *
value_of(const DicomItem *item, const DicomElementInfo *info)
{
  guint64 n = info->end - info->value;
  gboolean unknown = !info->vr[0] || strcmp(info->vr, "UN") == 0;

  if (n == 0) {
    return g_strdup("");
  }
  if (info->is_fragments || info->vr[0] == 'O' || (unknown && n > DICOM_MAX_TEXT)) {
    return bytes_text(n);
  }
  g_autofree char *text = dicom_item_text(item, info->tag);
  if (unknown && !is_legible(text, n)) {
    return bytes_text(n);
  }
  return dicom_tag_line(text);
}

/* ---- the tree ----------------------------------------------------------------------------- */

static gboolean
is_pixels(guint32 tag)
{
  return tag == TAG_PixelData || tag == TAG_FloatPixelData || tag == TAG_DoubleFloatPixelData;
}

/* Goes into the next item of the sequence that was met last. FALSE: there is none. */
static gboolean
enter_item(Walk *walk)
{
  Level *level = &walk->levels[walk->depth];
  const DicomItem *item;

  if (level->next == 0 || walk->depth + 1 >= G_N_ELEMENTS(walk->levels)) {
    return FALSE;
  }
  item = dicom_item_element_item(level->item, level->next - 1, level->next_item);
  if (!item) {
    return FALSE;
  }
  level->next_item++;
  walk->depth++;
  walk->levels[walk->depth] = (Level){.item = item};
  add(walk, ITEM, "", g_strdup_printf("%u", level->next_item));
  return TRUE;
}

/* The next element of the item under way. FALSE: it has no more. */
static gboolean
take_element(Walk *walk)
{
  Level *level = &walk->levels[walk->depth];
  DicomElementInfo info;

  if (!dicom_item_element(level->item, level->next, &info)) {
    return FALSE;
  }
  level->next++;
  level->next_item = 0;
  if (!is_pixels(info.tag) || walk->depth > 0) {
    add(walk, info.tag, info.is_sequence ? "SQ" : info.vr,
        info.is_sequence ? g_strdup("") : value_of(level->item, &info));
  }
  return TRUE;
}

GPtrArray *
dicom_file_tags(DicomFile *file)
{
  g_autofree Walk *walk = g_new0(Walk, 1);

  walk->tags = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_tag_free);
  if (!file->dataset) {
    return walk->tags;
  }
  if (file->meta.syntax_uid[0]) {
    add(walk, TAG_TransferSyntaxUID, "UI", dicom_tag_line(file->meta.syntax_uid));
  }
  walk->levels[0].item = dicom_dataset_root(file->dataset);
  for (;;) {
    if (walk->tags->len >= DICOM_MAX_TAGS) {
      add(walk, 0, "", g_strdup(""));
      break;
    }
    if (enter_item(walk) || take_element(walk)) {
      continue;
    }
    if (walk->depth == 0) {
      break;
    }
    walk->depth--;
  }
  return walk->tags;
}
