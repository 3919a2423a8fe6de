/* test-talk.c - a conversation as a structured report and as a PDF in an envelope: others read it,
 * and we do. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "dicom.h"
#include "dicom_key_object.h"
#include "dicom_phantom.h"
#include "dicom_talk.h"

#define CT "1.2.840.10008.5.1.4.1.1.2"
#define XA "1.2.840.10008.5.1.4.1.1.12.1"
#define PDF_TEXT "%PDF-1.5\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"

typedef struct {
  char *folder, *path;
  DicomFile *source;
  GDateTime *created;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *image = NULL;
  PhantomTruth truth;

  f->folder = g_dir_make_tmp("hilum-test-XXXXXX", &error);
  g_assert_no_error(error);
  f->path = g_build_filename(f->folder, "talk.dcm", NULL);
  image = g_build_filename(f->folder, "image.dcm", NULL);
  phantom_truth_of_kind(1, 2, PHANTOM_CHEST_CT, &truth);
  phantom_resize(&truth, PHANTOM_MIN_SIZE);
  g_assert_true(phantom_write_dicom(&truth, NULL, image, FALSE, &error));
  f->source = dicom_file_open(image, &error);
  g_assert_no_error(error);
  f->created = g_date_time_new_utc(2026, 8, 3, 10, 11, 12);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_autofree char *image = g_build_filename(f->folder, "image.dcm", NULL);

  dicom_file_free(f->source);
  g_date_time_unref(f->created);
  g_unlink(image);
  g_unlink(f->path);
  g_assert_cmpint(g_rmdir(f->folder), ==, 0);
  g_free(f->path);
  g_free(f->folder);
}

static const char *const parameters[] = {"Template llava-med", "Seed 7", NULL};
static const char *const checks[] = {"On a blank picture the answer differed.", NULL};

/* Two turns about three images of two studies; the second of the turns has no text. */
static gboolean
write_report(Fixture *f, GError **error)
{
  const char *study = dicom_file_info(f->source)->study_instance_uid;
  const DicomTalkImage images[] = {{CT, "1.2.9.1", "1.2.3.200", study, 0, "CT"},
                                   {XA, "1.2.9.22", "1.2.3.201", study, 12, "XA"},
                                   {CT, "1.2.9.3", "1.2.4.200", "1.2.4.100", 0, NULL}};
  const DicomTalkVerdict verdicts[] = {
      {"accepted", NULL, "Doe^Jane", "2026-08-03T09:00:00Z"},
      {"edited", "No nodule.\nA granuloma: \xc3\xbc\xc3\xa4.", "Roe^R", "2026-08-03T09:01:00Z"}};
  const DicomTalkTurn turns[] = {{"2026-08-03T08:00:00Z", "Is there a nodule?",
                                  "Yes, on the \\left.\n\x07Upper lobe.", "LLaVA-Med",
                                  "sha256 0123", parameters, checks, images, 1, verdicts, 2},
                                 {"2026-08-03T08:01:00Z", NULL, NULL, "LLaVA-Med", "sha256 0123",
                                  parameters, NULL, images, 3, NULL, 0}};
  const DicomTalk talk = {
      "Conversation 3",   "Research use only, not for clinical use.", "0.1.0", f->created, turns,
      G_N_ELEMENTS(turns)};

  const DicomTalkStudy whose = dicom_talk_study(dicom_file_info(f->source));

  return dicom_talk_write(f->path, &whose, &talk, error);
}

static gboolean
write_pdf(Fixture *f, const char *text, GError **error)
{
  const char *study = dicom_file_info(f->source)->study_instance_uid;
  const DicomTalkImage images[] = {{CT, "1.2.9.1", "1.2.3.200", study, 0, "CT"},
                                   {CT, "1.2.9.1", "1.2.3.200", study, 0, "CT"}};
  const DicomTalkPdf about = {"Conversation 3", "0.1.0", f->created, TRUE, images, 2};
  g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

  const DicomTalkStudy whose = dicom_talk_study(dicom_file_info(f->source));

  return dicom_talk_write_pdf(f->path, &whose, &about, bytes, error);
}

/* What TOOL says of the file and, to OUT, NULL: nothing is written; NULL: it is not there. */
static char *
ask_tool(const char *tool, const char *path, const char *out)
{
  g_autofree char *found = g_find_program_in_path(tool);
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GError) error = NULL;
  char *said = NULL;

  if (!found) {
    g_autofree char *why = g_strdup_printf("NOT READ BY OTHERS: there is no %s", tool);

    g_test_skip(why);
    return NULL;
  }
  process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                             &error, found, path, out, NULL);
  g_assert_no_error(error);
  g_subprocess_communicate_utf8(process, NULL, NULL, &said, NULL, &error);
  g_assert_no_error(error);
  g_test_message("%s", said);
  return said;
}

static void
assert_same_study(Fixture *f, const DicomInfo *info)
{
  const DicomInfo *source = dicom_file_info(f->source);

  g_assert_cmpstr(info->damage, ==, "");
  g_assert_cmpstr(info->patient_name, ==, source->patient_name);
  g_assert_cmpstr(info->patient_id, ==, source->patient_id);
  g_assert_cmpstr(info->study_instance_uid, ==, source->study_instance_uid);
  g_assert_cmpstr(info->study_date, ==, source->study_date);
  g_assert_cmpstr(info->series_instance_uid, !=, source->series_instance_uid);
  g_assert_true(g_str_has_prefix(info->sop_instance_uid, "2.25."));
}

static void
test_read(Fixture *f, gconstpointer data)
{
  static const char *const said[] = {"Imaging Measurement Report",
                                     "Research use only",
                                     "Is there a nodule?",
                                     "Machine-made answer, not verified",
                                     "Yes, on the \\left.",
                                     "LLaVA-Med",
                                     "sha256 0123",
                                     "Seed 7",
                                     "On a blank picture",
                                     "Roe, R",
                                     "A granuloma: \xc3\xbc\xc3\xa4.",
                                     "Replaced by the reader's own text",
                                     "[left out of this document]",
                                     "Doe, Jane"};
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = NULL;
  g_autofree char *text = NULL;

  g_assert_true(write_report(f, &error));
  file = dicom_file_open(f->path, &error);
  g_assert_no_error(error);
  assert_same_study(f, dicom_file_info(file));
  g_assert_cmpint(dicom_file_info(file)->content, ==, DICOM_CONTENT_REPORT);
  g_assert_cmpuint(dicom_file_info(file)->referenced_instances->len, ==, 3);
  text = dicom_file_report_text(file, &error);
  g_assert_no_error(error);
  g_test_message("%s", text);
  for (guint i = 0; i < G_N_ELEMENTS(said); i++) {
    if (!strstr(text, said[i])) {
      g_test_message("not there: %s", said[i]);
      g_test_fail();
    }
  }
}

static void
test_dciodvfy(Fixture *f, gconstpointer data)
{
  g_autofree char *said = NULL;

  g_assert_true(write_report(f, NULL));
  said = ask_tool("dciodvfy", f->path, NULL);
  if (said) {
    g_assert_nonnull(strstr(said, "EnhancedSR"));
    g_assert_null(strstr(said, "Error"));
  }
}

static void
test_dsrdump(Fixture *f, gconstpointer data)
{
  g_autofree char *said = NULL;

  g_assert_true(write_report(f, NULL));
  said = ask_tool("dsrdump", f->path, NULL);
  if (said) {
    g_assert_nonnull(strstr(said, "Enhanced SR Document"));
    g_assert_nonnull(strstr(said, "UNVERIFIED"));
    g_assert_nonnull(strstr(said, "<inferred from IMAGE:=(XA image,,12)>"));
    g_assert_nonnull(strstr(said, "Machine-made answer"));
    /* each image once, and of what kind it is where that is known */
    g_assert_nonnull(strstr(said, "<contains CONTAINER:(,,\"Image Library\")=SEPARATE>"));
    g_assert_nonnull(strstr(said, "<contains IMAGE:=(XA image,)>"));
    g_assert_nonnull(strstr(said, "<has acq context CODE:(,,\"Modality\")=(XA"));
    g_assert_null(strstr(said, "E: "));
    /* What it warns of is its own: "The VR checker does not support ... ISO_IR 192". */
    g_assert_null(strstr(said, "W: Reading"));
    g_assert_null(strstr(said, "violates"));
  }
}

static void
test_pdf_read(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_true(write_pdf(f, PDF_TEXT, &error));
  file = dicom_file_open(f->path, &error);
  g_assert_no_error(error);
  assert_same_study(f, dicom_file_info(file));
  g_assert_cmpint(dicom_file_info(file)->content, ==, DICOM_CONTENT_PDF);
  g_assert_cmpstr(dicom_file_info(file)->document_title, ==, "Conversation 3");
  bytes = dicom_file_pdf(file, &error);
  g_assert_no_error(error);
  g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), PDF_TEXT,
                  strlen(PDF_TEXT));
}

static void
test_pdf_dciodvfy(Fixture *f, gconstpointer data)
{
  g_autofree char *said = NULL;

  g_assert_true(write_pdf(f, PDF_TEXT, NULL));
  said = ask_tool("dciodvfy", f->path, NULL);
  if (said) {
    g_assert_nonnull(strstr(said, "EncapsulatedPDF"));
    g_assert_null(strstr(said, "Error"));
  }
}

static void
test_pdf_dcm2pdf(Fixture *f, gconstpointer data)
{
  g_autofree char *out = g_build_filename(f->folder, "out.pdf", NULL), *said = NULL;
  g_autofree char *text = NULL;

  g_assert_true(write_pdf(f, PDF_TEXT, NULL));
  said = ask_tool("dcm2pdf", f->path, out);
  if (said) {
    g_assert_true(g_file_get_contents(out, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, PDF_TEXT);
    g_unlink(out);
  }
}

/* Nothing is drawn by lot: the same conversation is the same file. */
static void
test_same(Fixture *f, gconstpointer data)
{
  g_autofree char *one = NULL, *other = NULL;
  gsize n_one, n_other;

  g_assert_true(write_report(f, NULL));
  g_assert_true(g_file_get_contents(f->path, &one, &n_one, NULL));
  g_assert_true(write_report(f, NULL));
  g_assert_true(g_file_get_contents(f->path, &other, &n_other, NULL));
  g_assert_cmpmem(one, n_one, other, n_other);
}

static void
test_refused(Fixture *f, gconstpointer data)
{
  const DicomTalkImage nameless = {CT, "", "1.2.3.200", "1.2.3.100", 0, NULL};
  DicomTalkTurn turn = {.question = "?",
                        .answer = "!",
                        .algorithm = "m",
                        .version = "v",
                        .images = &nameless,
                        .n_images = 1};
  const DicomTalkStudy whose = dicom_talk_study(dicom_file_info(f->source));
  DicomTalk talk = {"C", "N", "0.1.0", f->created, &turn, 1};
  g_autoptr(GError) error = NULL;

  g_assert_false(dicom_talk_write(f->path, &whose, &talk, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_assert_nonnull(strstr(error->message, "SOPInstanceUID"));
  g_clear_error(&error);
  turn.n_images = 0;
  g_assert_false(dicom_talk_write(f->path, &whose, &talk, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_clear_error(&error);
  talk.n_turns = 0;
  g_assert_false(dicom_talk_write(f->path, &whose, &talk, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_clear_error(&error);
  g_assert_false(write_pdf(f, "<html>", &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/dicom/talk/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  add("read", test_read);
  add("dciodvfy", test_dciodvfy);
  add("dsrdump", test_dsrdump);
  add("pdf/read", test_pdf_read);
  add("pdf/dciodvfy", test_pdf_dciodvfy);
  add("pdf/dcm2pdf", test_pdf_dcm2pdf);
  add("same", test_same);
  add("refused", test_refused);
  return g_test_run();
}
