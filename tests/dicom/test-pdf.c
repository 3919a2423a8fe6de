/* test-pdf.c - encapsulated PDFs: the document to the byte, or the reason. */
#include "report-build.h"
#include "shared.h"

#include <unistd.h>

#define ENCAPSULATED_PDF "1.2.840.10008.5.1.4.1.1.104.1"

typedef struct {
  const char *mime, *bytes;
  gsize n;
  guint32 length;        /* EncapsulatedDocumentLength, 0: absent */
  gsize expected;        /* bytes of the document, 0: refused */
  const char *complaint; /* part of the message */
} PdfCase;

#define PDF(text) text, sizeof text - 1
#define TYPE "application/pdf"

static GBytes *
pdf_of(const PdfCase *c, gsize chop, GError **error)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", ENCAPSULATED_PDF);
  build_text(&b, 0x00080060, "CS", "DOC");
  if (c->bytes) {
    build_bytes(&b, 0x00420011, "OB", c->bytes, c->n);
  }
  if (c->mime) {
    build_text(&b, 0x00420012, "LO", c->mime);
  }
  if (c->length > 0) {
    build_header(&b, 0x00420015, "UL", 4);
    build_u32(&b, c->length);
  }
  g_byte_array_set_size(b.bytes, b.bytes->len - (guint)chop);
  g_autofree char *path = build_write(&b, "pdf.dcm");
  g_autoptr(DicomFile) file = dicom_file_open(path, error);
  return file ? dicom_file_pdf(file, error) : NULL;
}

static void
test_pdf(void)
{
  static const PdfCase cases[] = {
      {TYPE, PDF("%PDF-1.4\nx\n%%EOF\n"), 17, 17, NULL},
      {TYPE, PDF("%PDF-1.4\nx\n%%EOF\n"), 0, 17, NULL},    /* a zero is added, and taken off */
      {TYPE, PDF("%PDF-1.4\nxy\n%%EOF\n"), 0, 18, NULL},   /* none was needed */
      {TYPE, PDF("%PDF-1.4\nx\n%%EOF\n\0"), 18, 18, NULL}, /* the document's own zero */
      {TYPE, PDF("%PDF-1.4\nxy\n%%EOF"), 5, 17, NULL},     /* a length that cannot be */
      {TYPE, PDF("%PDF-1.4\nxy\n%%EOF"), 4000, 17, NULL},
      {TYPE, PDF("%PDF-1.4 without an en"), 0, 22, NULL},
      {TYPE, PDF("%PDF-1.4 without an end"), 0, 24, NULL},  /* whose is the zero? */
      {"APPLICATION/PDF", PDF("\n\n  %PDF-"), 0, 10, NULL}, /* the zero is nobody's end */
      {NULL, PDF("%PDF-1.4\n"), 9, 9, NULL},
      {TYPE, PDF("%PD"), 0, 0, "EncapsulatedDocument is something else; expected %PDF"},
      {TYPE, PDF("PK\003\004 and so on"), 0, 0, "is a ZIP archive; expected %PDF within its first"},
      {TYPE, PDF("<?xml version"), 0, 0, "is XML"},
      {"text/XML", PDF("%PDF-1.4\n"), 0, 0, "MIMETypeOfEncapsulatedDocument is text/XML; expected"},
      {"Doe, Jane", PDF("%PDF-1.4\n"), 0, 0, "is no MIME type; expected application/pdf"},
      {TYPE, NULL, 0, 0, 0, "EncapsulatedDocument is missing"},
      {TYPE, PDF(""), 0, 0, "EncapsulatedDocument is empty"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const PdfCase *c = &cases[i];
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) pdf = pdf_of(c, 0, &error);

    g_test_message("case %u: %s", i, error ? error->message : "a document");
    if (c->expected > 0) {
      g_assert_no_error(error);
      g_assert_cmpuint(g_bytes_get_size(pdf), ==, c->expected);
      g_assert_cmpmem(g_bytes_get_data(pdf, NULL), MIN(c->n, c->expected), c->bytes,
                      MIN(c->n, c->expected));
    } else {
      g_assert_null(pdf);
      g_assert_nonnull(error);
      assert_has(error->message, c->complaint);
      g_assert_null(strstr(error->message, "Doe"));
    }
  }
}

/* The beginning may be anywhere in the first 1024 bytes; the end of the file may be missing. */
static void
test_pdf_places(void)
{
  g_autofree char *bytes = g_strnfill(3000, ' ');
  PdfCase c = {NULL, bytes, 3000, 0, 0, NULL};
  g_autoptr(GError) error = NULL, late = NULL, cut = NULL;

  memcpy(bytes + 1020, "%PDF", 4);
  g_autoptr(GBytes) early = pdf_of(&c, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(g_bytes_get_size(early), ==, 3000);
  memcpy(bytes + 1020, " %PDF", 5);
  g_assert_null(pdf_of(&c, 0, &late));
  g_assert_error(late, DICOM_ERROR, DICOM_ERROR_FORMAT);
  memcpy(bytes, "%PDF", 4);
  g_assert_null(pdf_of(&c, 100, &cut));
  g_assert_error(cut, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  assert_has(cut->message,
             "EncapsulatedDocument is said to be 3000 bytes long, but 2900 are there");
}

static void
test_pdf_too_large(void)
{
  g_auto(Build) b = {0};
  g_autoptr(GError) error = NULL;
  guint32 size = (guint32)DICOM_MAX_PDF + 2;

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", ENCAPSULATED_PDF);
  build_header(&b, 0x00420011, "OB", size);
  g_autofree char *path = build_write(&b, "large.dcm");
  g_assert_cmpint(truncate(path, (off_t)b.bytes->len + size), ==, 0); /* a hole takes no space */
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  g_assert_null(dicom_file_pdf(file, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE);
  assert_has(error->message, "has 268435458 bytes; the limit is 268435456");
}

static void
test_pdf_corpus(void)
{
  g_autofree char *path = shared_path("corpus/dicom/non-image/encapsulated-pdf.dcm");
  g_autoptr(GError) error = NULL;

  if (!path) {
    return;
  }
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  g_autoptr(GBytes) pdf = dicom_file_pdf(file, &error);
  g_assert_no_error(error);
  gsize n;
  const char *bytes = g_bytes_get_data(pdf, &n);
  g_assert_cmpuint(n, ==, 20575); /* 20576 with the padding, by pydicom */
  g_assert_cmpmem(bytes, 8, "%PDF-1.4", 8);
  g_assert_cmpmem(bytes + n - 6, 6, "%%EOF\n", 6);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/pdf/bytes", test_pdf);
  g_test_add_func("/dicom/pdf/places", test_pdf_places);
  g_test_add_func("/dicom/pdf/too-large", test_pdf_too_large);
  g_test_add_func("/dicom/pdf/corpus", test_pdf_corpus);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
