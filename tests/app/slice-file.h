/* slice-file.h - small DICOM files of one's own elements, for what headers say of a picture. */
#ifndef HILUM_TESTS_SLICE_FILE_H
#define HILUM_TESTS_SLICE_FILE_H

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

/* TEXT: numbers of binary VRs in decimal, separated by backslashes. ITEMS: of one item of a
 * sequence; ends with tag 0. BYTES: instead of TEXT. TEXT NULL and neither: the element is left
 * out.
 */
typedef struct _FileElement FileElement;
struct _FileElement {
  guint32 tag;
  const char *vr, *text;
  const FileElement *items;
  const void *bytes;
  guint n_bytes;
};

static inline void
file_number(GByteArray *to, guint64 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++) {
    const guint8 byte = (guint8)(value >> (8 * i));

    g_byte_array_append(to, &byte, 1);
  }
}

static inline GByteArray *
file_value(const FileElement *element)
{
  GByteArray *value = g_byte_array_new();
  g_auto(GStrv) parts = g_strsplit(element->text ? element->text : "", "\\", -1);
  guint bytes = strcmp(element->vr, "US") == 0 || strcmp(element->vr, "SS") == 0   ? 2
                : strcmp(element->vr, "UL") == 0 || strcmp(element->vr, "SL") == 0 ? 4
                                                                                   : 0;

  if (element->bytes) {
    g_byte_array_append(value, element->bytes, element->n_bytes);
  } else if (strcmp(element->vr, "FD") == 0) {
    for (guint i = 0; parts[i]; i++) {
      double number = g_ascii_strtod(parts[i], NULL);

      g_byte_array_append(value, (const guint8 *)&number, sizeof number);
    }
  } else if (bytes > 0) {
    for (guint i = 0; parts[i]; i++) {
      file_number(value, (guint64)g_ascii_strtoll(parts[i], NULL, 10), bytes);
    }
  } else if (element->text) {
    g_byte_array_append(value, (const guint8 *)element->text, (guint)strlen(element->text));
  }
  if (value->len % 2 == 1) {
    const guint8 pad = strcmp(element->vr, "UI") == 0 || element->bytes ? 0 : ' ';

    g_byte_array_append(value, &pad, 1);
  }
  return value;
}

static inline void file_element(GByteArray *to, const FileElement *element);

static inline void
file_items(GByteArray *to, const FileElement *items)
{
  g_autoptr(GByteArray) item = g_byte_array_new();

  for (; items->tag; items++) {
    file_element(item, items);
  }
  file_number(to, 0xe000fffe, 4);
  file_number(to, item->len, 4);
  g_byte_array_append(to, item->data, item->len);
}

static inline void
file_element(GByteArray *to, const FileElement *element)
{
  g_autoptr(GByteArray) value = element->items ? g_byte_array_new() : file_value(element);
  gboolean wide = element->vr[0] == 'O' || strcmp(element->vr, "SQ") == 0 ||
                  strcmp(element->vr, "UT") == 0 || strcmp(element->vr, "UN") == 0;

  if (element->items) {
    file_items(value, element->items);
  }
  file_number(to, element->tag >> 16, 2);
  file_number(to, element->tag & 0xffff, 2);
  g_byte_array_append(to, (const guint8 *)element->vr, 2);
  file_number(to, wide ? 0 : value->len, 2);
  if (wide) {
    file_number(to, value->len, 4);
  }
  g_byte_array_append(to, value->data, value->len);
}

/* Eight columns, four rows: values 100 * row + column as 16 bits, "0.5\0.25" mm, a CT. */
static const guint16 file_pixels[32] = {0,   1,   2,   3,   4,   5,   6,   7,   100, 101, 102,
                                        103, 104, 105, 106, 107, 200, 201, 202, 203, 204, 205,
                                        206, 207, 300, 301, 302, 303, 304, 305, 306, 307};
static const FileElement file_default[] = {
    {0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2"},
    {0x00080018, "UI", "1.2.3.4.5"},
    {0x00080060, "CS", "CT"},
    {0x0020000d, "UI", "1.2.3"},
    {0x0020000e, "UI", "1.2.3.4"},
    {0x00200032, "DS", "10\\20\\30"},
    {0x00200037, "DS", "1\\0\\0\\0\\1\\0"},
    {0x00200052, "UI", "1.2.77"},
    {0x00280002, "US", "1"},
    {0x00280004, "CS", "MONOCHROME2"},
    {0x00280010, "US", "4"},
    {0x00280011, "US", "8"},
    {0x00280030, "DS", "0.5\\0.25"},
    {0x00280100, "US", "16"},
    {0x00280101, "US", "16"},
    {0x00280102, "US", "15"},
    {0x00280103, "US", "0"},
    {0x7fe00010, "OW", NULL, NULL, file_pixels, sizeof file_pixels},
};

static inline gint
file_compare(gconstpointer a, gconstpointer b)
{
  const FileElement *x = a, *y = b;

  return x->tag < y->tag ? -1 : x->tag > y->tag;
}

/* ELEMENT in the place of the one with its tag, or beside the others. */
static inline void
file_set(GArray *elements, const FileElement *element)
{
  for (guint i = 0; i < elements->len; i++) {
    if (g_array_index(elements, FileElement, i).tag == element->tag) {
      g_array_index(elements, FileElement, i) = *element;
      return;
    }
  }
  g_array_append_vals(elements, element, 1);
}

static inline void
file_append(GByteArray *to, const FileElement *elements, guint n)
{
  for (guint i = 0; i < n; i++) {
    if (elements[i].text || elements[i].items || elements[i].bytes) {
      file_element(to, &elements[i]);
    }
  }
}

/* Writes the default elements with those of CHANGES (ends with tag 0) in their place or beside
 * them. */
static inline void
file_write(const char *path, const FileElement *changes)
{
  static const FileElement meta[] = {{0x00020001, "OB", NULL, NULL, "\0\1", 2},
                                     {0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.2"},
                                     {0x00020003, "UI", "1.2.3.4.5"},
                                     {0x00020010, "UI", "1.2.840.10008.1.2.1"},
                                     {0x00020012, "UI", "1.2.3.4"}};
  g_autoptr(GArray) elements = g_array_new(FALSE, FALSE, sizeof(FileElement));
  g_autoptr(GByteArray) file = g_byte_array_new(), head = g_byte_array_new();
  g_autoptr(GError) error = NULL;
  const guint8 preamble[128] = {0};

  g_array_append_vals(elements, file_default, G_N_ELEMENTS(file_default));
  for (; changes && changes->tag; changes++) {
    file_set(elements, changes);
  }
  g_array_sort(elements, file_compare);
  file_append(head, meta, G_N_ELEMENTS(meta));
  g_autofree char *length = g_strdup_printf("%u", head->len);
  const FileElement group_length = {0x00020000, "UL", length};
  g_byte_array_append(file, preamble, sizeof preamble);
  g_byte_array_append(file, (const guint8 *)"DICM", 4);
  file_element(file, &group_length);
  g_byte_array_append(file, head->data, head->len);
  file_append(file, (const FileElement *)(gpointer)elements->data, elements->len);
  g_file_set_contents(path, (const char *)file->data, (gssize)file->len, &error);
  g_assert_no_error(error);
}

#endif
