/* pdf-write.c - a PDF as an object of a study (PS3.3 A.45.1, C.24.2). */
#include <string.h>

#include "dicom/document/talk.h"
#include "dicom/limits.h"

#define ENCAPSULATED_PDF "1.2.840.10008.5.1.4.1.1.104.1"

static void
put_u32_element(GByteArray *to, guint32 tag, guint32 value)
{
  const guint8 bytes[12] = {(guint8)(tag >> 16),
                            (guint8)(tag >> 24),
                            (guint8)tag,
                            (guint8)(tag >> 8),
                            'U',
                            'L',
                            4,
                            0,
                            (guint8)value,
                            (guint8)(value >> 8),
                            (guint8)(value >> 16),
                            (guint8)(value >> 24)};

  g_byte_array_append(to, bytes, sizeof bytes);
}

static void
put_sources(GByteArray *to, const DicomTalkPdf *about)
{
  g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
  GByteArray *items = g_byte_array_new();

  for (gsize i = 0; i < about->n_images; i++) {
    if (g_hash_table_add(done, (gpointer)about->images[i].sop_instance_uid)) {
      dicom_put_item(items, dicom_talk_reference(&about->images[i], FALSE));
    }
  }
  dicom_put_sequence(to, 0x00420013, items);
}

static GByteArray *
content_new(const DicomTalkPdf *about, const guint8 *bytes, gsize n)
{
  GByteArray *content = g_byte_array_new();

  dicom_put_text(content, 0x00280301, "CS", about->names_patient ? "YES" : "NO");
  dicom_put_sequence(content, 0x0040a043, g_byte_array_new()); /* no code says what it is */
  dicom_put_text(content, 0x0040a493, "CS", "UNVERIFIED");
  dicom_put_text(content, 0x00420010, "ST", about->title);
  dicom_put_long(content, 0x00420011, "OB", bytes, n);
  dicom_put_text(content, 0x00420012, "LO", "application/pdf");
  if (about->n_images > 0) {
    put_sources(content, about);
  }
  put_u32_element(content, 0x00420015, (guint32)n);
  return content;
}

gboolean
dicom_talk_write_pdf(const char *path, const DicomTalkStudy *study, const DicomTalkPdf *about,
                     GBytes *pdf, GError **error)
{
  const DicomTalkKind kind = {.sop_class = ENCAPSULATED_PDF,
                              .modality = "DOC",
                              .series_description = "Questions to a machine (research)",
                              .series_number = "9002",
                              .software_version = about->software_version,
                              .created = about->created,
                              .is_document = TRUE};
  g_autofree char *name = g_filename_display_name(path);
  gsize n;
  const guint8 *bytes = g_bytes_get_data(pdf, &n);
  g_autoptr(GByteArray) content = NULL;

  if (n < 4 || memcmp(bytes, "%PDF", 4) != 0 || n > DICOM_MAX_PDF) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: the document is no PDF of at most %" G_GSIZE_FORMAT " bytes", name,
                DICOM_MAX_PDF);
    return FALSE;
  }
  if (!dicom_talk_check(path, study, about->images, about->n_images, error)) {
    return FALSE;
  }
  content = content_new(about, bytes, n);
  return dicom_talk_set_write(path, study, &kind, content, error);
}
