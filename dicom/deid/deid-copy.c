/* deid-copy.c - values that go from the file to the copy as they are, in pieces. */
#include "deid.h"

#include "dicom/dataset/element.h"

#include <string.h>

enum {
  PIECE = 65536,          /* a multiple of every unit of byte order */
  MAX_TEXT = 1024 * 1024, /* longer texts are not looked at, and go */
  MAX_HEAD = 1024 * 1024, /* of a code stream, to be searched for comments */
};

static gboolean
fail_short(const DicomDeid *deid, const DicomElementInfo *info, GError **error)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: the file ends inside (%04X,%04X)",
              deid->name, info->tag >> 16, info->tag & 0xffff);
  return FALSE;
}

/* After a failure to write. */
static gboolean
stop(const DicomDeid *deid, GError **error)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: the copy cannot be written: %s", deid->name,
              g_strerror(dicom_deid_out_errno(deid->out)));
  return FALSE;
}

const char *
dicom_deid_copy_vr(const DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule)
{
  static const struct {
    const char *either, *one;
  } choices[] = {{"ox", "OW"}, {"lt", "OW"}, {"px", "OW"}, {"up", "UL"}};

  if (strcmp(rule->vr, "xs") == 0) {
    return info->explicit_vr ? "UN" : deid->is_signed ? "SS" : "US";
  }
  for (guint i = 0; i < G_N_ELEMENTS(choices); i++) {
    if (strcmp(rule->vr, choices[i].either) == 0) {
      return info->explicit_vr ? "UN" : choices[i].one;
    }
  }
  return rule->vr;
}

static void
swap_units(guint8 *bytes, gsize n, guint unit)
{
  for (gsize at = 0; at + unit <= n; at += unit) {
    for (guint i = 0; i < unit / 2; i++) {
      guint8 byte = bytes[at + i];

      bytes[at + i] = bytes[at + unit - 1 - i];
      bytes[at + unit - 1 - i] = byte;
    }
  }
}

/* N bytes from START on, swapped in UNITs when that is not 1. */
static gboolean
copy_bytes(DicomDeid *deid, const DicomElementInfo *info, guint64 start, guint64 n, guint unit,
           GError **error)
{
  DicomSource *source = dicom_dataset_source(deid->dataset);
  g_autofree guint8 *piece = g_malloc(MIN(n + 1, PIECE));

  for (guint64 done = 0; done < n;) {
    gsize part = MIN(n - done, PIECE);

    if (!dicom_source_read(source, start + done, piece, part)) {
      return fail_short(deid, info, error);
    }
    if (unit > 1) {
      swap_units(piece, part, unit);
    }
    if (!dicom_deid_out_bytes(deid->out, piece, part)) {
      return stop(deid, error);
    }
    done += part;
  }
  return TRUE;
}

static guint64
value_length(const DicomElementInfo *info)
{
  return MIN((guint64)info->length, info->end - info->value);
}

gboolean
dicom_deid_copy(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule,
                GError **error)
{
  guint64 n = value_length(info);
  const char *vr = dicom_deid_copy_vr(deid, info, rule);
  gboolean swap = info->big_endian != dicom_deid_out_big_endian(deid->out);

  if (n >= DICOM_UNDEFINED - 1) {
    return fail_short(deid, info, error);
  }
  dicom_deid_out_header(deid->out, info->tag, vr, (guint32)(n + n % 2));
  if (!copy_bytes(deid, info, info->value, n, swap ? dicom_deid_vr_unit(vr) : 1, error)) {
    return FALSE;
  }
  const char *pad = dicom_deid_vr_is_text(vr) && strcmp(vr, "UI") != 0 ? " " : "";
  return n % 2 == 0 || dicom_deid_out_bytes(deid->out, pad, 1) || stop(deid, error);
}

gboolean
dicom_deid_copy_zeros(DicomDeid *deid, const DicomElementInfo *info, const DicomDeidRule *rule)
{
  static const guint8 zeros[PIECE] = {0};
  guint64 n = value_length(info);

  n = MIN(n + n % 2, DICOM_UNDEFINED - 1);
  dicom_deid_out_header(deid->out, info->tag, dicom_deid_copy_vr(deid, info, rule), (guint32)n);
  for (guint64 done = 0; done < n; done += PIECE) {
    if (!dicom_deid_out_bytes(deid->out, zeros, MIN(n - done, PIECE))) {
      return FALSE;
    }
  }
  return TRUE;
}

char *
dicom_deid_copy_text(DicomDeid *deid, const DicomElementInfo *info)
{
  guint64 n = value_length(info);

  if (n > MAX_TEXT) {
    return NULL;
  }
  g_autofree char *text = g_malloc0(n + 1);
  if (!dicom_source_read(dicom_dataset_source(deid->dataset), info->value, text, n)) {
    return NULL;
  }
  g_strchomp(text);
  return g_steal_pointer(&text);
}

static void
note_container(DicomDeid *deid)
{
  static const char sentence[] = "a container around the code stream of PixelData may hold text, "
                                 "and stays";

  for (guint i = 0; i < deid->unsure->len; i++) {
    if (strcmp(deid->unsure->pdata[i], sentence) == 0) {
      return;
    }
  }
  g_ptr_array_add(deid->unsure, g_strdup(sentence));
}

/* The beginning of a fragment, its comments overwritten with blanks. *DONE: how much of it. */
static gboolean
copy_head(DicomDeid *deid, const DicomElementInfo *info, const DicomElement *fragment, gsize *done,
          GError **error)
{
  gsize n = MIN(fragment->length, MAX_HEAD);
  g_autofree guint8 *head = g_malloc(n + 1);

  if (!dicom_source_read(dicom_dataset_source(deid->dataset), fragment->value, head, n)) {
    return fail_short(deid, info, error);
  }
  if (n >= 12 && (memcmp(head, "\0\0\0\14jP  ", 8) == 0 || memcmp(head, "\0\0\0\14JXL ", 8) == 0)) {
    note_container(deid);
  }
  g_autoptr(GArray) ranges = dicom_deid_comments(head, n);
  for (guint i = 0; i < ranges->len; i++) {
    const DicomDeidRange *range = &g_array_index(ranges, DicomDeidRange, i);
    memset(head + range->start, ' ', range->n);
  }
  if (ranges->len > 0) {
    g_hash_table_add(deid->cleaned, g_strdup("PixelData"));
  }
  *done = n;
  return dicom_deid_out_bytes(deid->out, head, n) || stop(deid, error);
}

/* A file that ends inside its pixels is copied as far as it goes; the data set has noted it. Odd
 * lengths stay as they are, because offset tables count on them. */
gboolean
dicom_deid_copy_fragments(DicomDeid *deid, const DicomElementInfo *info, GError **error)
{
  DicomSource *source = dicom_dataset_source(deid->dataset);
  guint64 at = info->value;
  DicomElement fragment;

  dicom_deid_out_header(deid->out, info->tag, "OB", DICOM_UNDEFINED);
  for (guint i = 0; at < info->end; i++) {
    gsize head = 0;

    if (!dicom_element_read(source, at, info->explicit_vr, info->big_endian, &fragment) ||
        fragment.tag != DICOM_TAG_ITEM) {
      break;
    }
    fragment.length = (guint32)MIN(fragment.length, source->size - fragment.value);
    dicom_deid_out_header(deid->out, DICOM_TAG_ITEM, NULL, fragment.length);
    /* The first is the offset table. */
    if (i > 0 && !copy_head(deid, info, &fragment, &head, error)) {
      return FALSE;
    }
    if (!copy_bytes(deid, info, fragment.value + head, fragment.length - head, 1, error)) {
      return FALSE;
    }
    at = fragment.value + fragment.length;
  }
  return dicom_deid_out_header(deid->out, DICOM_TAG_SEQUENCE_END, NULL, 0) || stop(deid, error);
}
