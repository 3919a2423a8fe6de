/* wire-tags.c - the elements of a data set as bytes: a text with a line for each. */
#include "dicom/limits.h"
#include "dicom_remote.h"
#include "wire.h"

#include <string.h>

GBytes *
dicom_tags_pack(const GPtrArray *tags)
{
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < tags->len; i++) {
    const DicomTag *tag = tags->pdata[i];

    g_string_append_printf(text, "%u\t%08x\t%s\t%s\n", tag->depth, tag->tag, tag->vr, tag->value);
  }
  return g_string_free_to_bytes(text);
}

static gboolean
is_vr(const char *vr)
{
  return !*vr || (strlen(vr) == 2 && g_ascii_isupper(vr[0]) && g_ascii_isupper(vr[1]));
}

/* A line without its end. NULL: it is none. */
static DicomTag *
take_line(const char *line, guint before)
{
  g_auto(GStrv) parts = g_strsplit(line, "\t", 4);
  g_autoptr(DicomTag) tag = g_new0(DicomTag, 1);
  guint64 depth, number;

  if (g_strv_length(parts) != 4 || !is_vr(parts[2]) || strlen(parts[1]) != 8 ||
      !g_ascii_string_to_unsigned(parts[0], 10, 0, DICOM_MAX_DEPTH + 1, &depth, NULL) ||
      !g_ascii_string_to_unsigned(parts[1], 16, 0, G_MAXUINT32, &number, NULL) ||
      depth > before + 1) {
    return NULL;
  }
  tag->depth = (guint)depth;
  tag->tag = (guint32)number;
  g_strlcpy(tag->vr, parts[2], sizeof tag->vr);
  tag->value = dicom_tag_line(parts[3]);
  return g_steal_pointer(&tag);
}

GPtrArray *
dicom_tags_unpack(const guint8 *bytes, gsize n, GError **error)
{
  g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_tag_free);
  const char *at = (const char *)bytes, *end = at + n;
  guint depth = 0;

  if (n > 0 && !g_utf8_validate_len(at, n, NULL)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                "the decoding process answered nonsense: elements that are not UTF-8");
    return NULL;
  }
  while (at < end) {
    const char *stop = memchr(at, '\n', (gsize)(end - at));
    g_autofree char *line = stop ? g_strndup(at, (gsize)(stop - at)) : NULL;
    DicomTag *tag = line && tags->len <= DICOM_MAX_TAGS ? take_line(line, depth) : NULL;

    if (!tag) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                  "the decoding process answered nonsense: element %u cannot be", tags->len);
      return NULL;
    }
    depth = tag->depth;
    g_ptr_array_add(tags, tag);
    at = stop + 1;
  }
  return g_steal_pointer(&tags);
}
