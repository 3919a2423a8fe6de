/* pdf.c - the document of an encapsulated PDF (PS3.3 A.45.1, C.24.2). */
#include "dicom/file.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <string.h>

/* Where "%PDF" may begin (ISO 32000-1 annex H, implementation note 13). */
#define HEAD_BYTES 1024

static gboolean
refuse(const DicomFile *file, GError **error, DicomError code, const char *what)
{
  g_set_error(error, DICOM_ERROR, code, "%s: %s", file->name, what);
  return FALSE;
}

/* MIME types are of few kinds of characters (RFC 6838 4.2); anything else is not repeated. */
static gboolean
is_mime(const char *text)
{
  gsize n = strlen(text);

  return n > 0 && n <= 64 &&
         strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+.-_") == n;
}

static gboolean
check_kind(const DicomFile *file, const DicomItem *root, GError **error)
{
  const DicomInfo *info = &file->info;
  g_autofree char *mime = root ? dicom_item_text(root, TAG_MIMETypeOfEncapsulatedDocument) : NULL;

  if (!root ||
      (info->content != DICOM_CONTENT_PDF && (info->content != DICOM_CONTENT_OTHER || !mime[0]))) {
    g_autofree char *class = dicom_info_class_text(info, info->sop_class);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: is no encapsulated PDF: SOPClassUID is %s", file->name, class);
    return FALSE;
  }
  if (mime[0] && g_ascii_strcasecmp(mime, "application/pdf") != 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: MIMETypeOfEncapsulatedDocument is %s; expected application/pdf", file->name,
                is_mime(mime) ? mime : "no MIME type");
    return FALSE;
  }
  return TRUE;
}

/* The element is there, whole, of bytes, and not too large. */
static gboolean
check_element(const DicomFile *file, const DicomItem *root, GError **error)
{
  DicomElementInfo element = {0};
  guint n = dicom_item_n_elements(root);
  gboolean found = FALSE;

  for (guint i = 0; i < n && !found; i++) {
    found = dicom_item_element(root, i, &element) && element.tag == TAG_EncapsulatedDocument;
  }
  if (!found) {
    return refuse(file, error, DICOM_ERROR_CORRUPT, "EncapsulatedDocument is missing");
  }
  if (element.is_sequence || element.is_fragments) {
    return refuse(file, error, DICOM_ERROR_CORRUPT,
                  "EncapsulatedDocument is a sequence; expected bytes");
  }
  guint64 length = element.end - element.value;
  if (element.length > length) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: EncapsulatedDocument is said to be %u bytes long, but %" G_GUINT64_FORMAT
                " are there",
                file->name, element.length, length);
    return FALSE;
  }
  if (length == 0) {
    return refuse(file, error, DICOM_ERROR_CORRUPT, "EncapsulatedDocument is empty");
  }
  if (length > DICOM_MAX_PDF) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
                "%s: EncapsulatedDocument has %" G_GUINT64_FORMAT
                " bytes; the limit is %" G_GSIZE_FORMAT,
                file->name, length, DICOM_MAX_PDF);
    return FALSE;
  }
  return TRUE;
}

/* What it seems to be instead, for the message; never the bytes of a text. */
static const char *
kind_of(const guint8 *bytes, gsize n)
{
  static const struct {
    const char *magic, *name;
  } kinds[] = {
      {"PK\003\004", "a ZIP archive"},
      {"<?xml", "XML"},
      {"{\\rtf", "RTF"},
      {"\xff\xd8\xff", "a JPEG picture"},
      {"\x89PNG", "a PNG picture"},
      {"%!PS", "PostScript"},
      {"\x1f\x8b", "gzip"},
      {"II*", "TIFF"},
      {"MM", "TIFF"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    gsize length = strlen(kinds[i].magic);

    if (n >= length && memcmp(bytes, kinds[i].magic, length) == 0) {
      return kinds[i].name;
    }
  }
  return "something else";
}

static gboolean
begins_as_pdf(const guint8 *bytes, gsize n)
{
  const gsize last = MIN(n, HEAD_BYTES);

  for (gsize i = 0; i + 4 <= last; i++) {
    if (memcmp(bytes + i, "%PDF", 4) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

/* The length without the byte that makes it even (PS3.5 clause 7.1.1): by
 * EncapsulatedDocumentLength where that can be, else a zero behind the document's own end. */
static gsize
without_padding(const DicomItem *root, const guint8 *bytes, gsize n)
{
  double length;

  if (dicom_item_numbers(root, TAG_EncapsulatedDocumentLength, &length, 1) == 1 &&
      (length == (double)n || length == (double)n - 1)) {
    return (gsize)length;
  }
  if (bytes[n - 1] != 0) {
    return n;
  }
  gsize end = n - 1;
  while (end > 0 && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r' || bytes[end - 1] == ' ')) {
    end--;
  }
  return end >= 5 && memcmp(bytes + end - 5, "%%EOF", 5) == 0 ? n - 1 : n;
}

GBytes *
dicom_file_pdf(DicomFile *file, GError **error)
{
  const DicomItem *root = file->dataset ? dicom_dataset_root(file->dataset) : NULL;
  g_autofree guint8 *bytes = NULL;
  gsize n;

  if (!check_kind(file, root, error) || !check_element(file, root, error)) {
    return NULL;
  }
  bytes = dicom_item_bytes(root, TAG_EncapsulatedDocument, DICOM_MAX_PDF, &n);
  if (!bytes || n == 0) {
    refuse(file, error, DICOM_ERROR_IO,
           "EncapsulatedDocument could not be read, or there is no memory for it");
    return NULL;
  }
  if (!begins_as_pdf(bytes, n)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_FORMAT,
                "%s: EncapsulatedDocument is %s; expected %%PDF within its first %d bytes",
                file->name, kind_of(bytes, n), HEAD_BYTES);
    return NULL;
  }
  n = without_padding(root, bytes, n);
  return g_bytes_new_take(g_steal_pointer(&bytes), n);
}
