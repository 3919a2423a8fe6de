/* test-export-talk.c - a conversation as PDF: what others read of it, page by page. */
#include "export-fixture.h"

static void
set_up(ExportFixture *f, gconstpointer data)
{
  export_set_up(f);
}

static void
tear_down(ExportFixture *f, gconstpointer data)
{
  export_tear_down(f);
}

static GBytes *
draw(ExportFixture *f, gboolean text, gboolean patient)
{
  const StoreMask mask = {.patient = patient ? STORE_PATIENT_FULL : STORE_PATIENT_NONE,
                          .text = text};
  g_autoptr(GPtrArray) masked = g_ptr_array_new_with_free_func((GDestroyNotify)store_masked_free);
  g_autoptr(GPtrArray) turns = g_ptr_array_new();
  const AppExportConversation of = {&f->conversation, turns, f->turns};
  const AppExportTalk talk = {&of, text, patient, EXPORT_HEAD, EXPORT_TIME};
  g_autoptr(GError) error = NULL;
  GBytes *pdf;

  for (guint i = 0; i < f->turns->len; i++) {
    g_ptr_array_add(masked, store_mask_turn(&mask, f->turns->pdata[i]));
    g_ptr_array_add(turns, (gpointer)store_masked_turn(masked->pdata[i]));
  }
  pdf = app_export_talk_pdf(&talk, &error);
  g_assert_no_error(error);
  g_assert_cmpmem(g_bytes_get_data(pdf, NULL), 5, "%PDF-", 5);
  return pdf;
}

/* What TOOL, of poppler, says of PDF with OPTION; NULL: it is not there. */
static char *
ask(ExportFixture *f, const char *tool, const char *option, GBytes *pdf)
{
  g_autofree char *found = g_find_program_in_path(tool);
  g_autofree char *path = g_build_filename(f->folder, "talk.pdf", NULL);
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GError) error = NULL;
  const gboolean is_text = strcmp(tool, "pdftotext") == 0;
  char *said = NULL;

  if (!found) {
    g_test_skip("THE PDF IS NOT READ: there is no pdftotext (poppler-utils)");
    return NULL;
  }
  g_assert_true(g_file_set_contents(path, g_bytes_get_data(pdf, NULL),
                                    (gssize)g_bytes_get_size(pdf), &error));
  if (g_getenv("HILUM_KEEP_PDF")) {
    g_file_set_contents(g_getenv("HILUM_KEEP_PDF"), g_bytes_get_data(pdf, NULL),
                        (gssize)g_bytes_get_size(pdf), NULL);
  }
  process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                             &error, found, option, path, is_text ? "-" : NULL, NULL);
  g_assert_no_error(error);
  g_subprocess_communicate_utf8(process, NULL, NULL, &said, NULL, &error);
  g_assert_no_error(error);
  return said;
}

static void
assert_says(const char *text, const char *what)
{
  if (!strstr(text, what)) {
    g_test_message("'%s' is not in: %s", what, text);
    g_test_fail();
  }
}

static guint
count(const char *text, const char *what)
{
  guint n = 0;

  for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) {
    n++;
  }
  return n;
}

static void
talk(ExportFixture *f)
{
  StoreExportTurn *turn = export_turn(f, "Is there a nodule in the left lung?",
                                      "Yes, there is a nodule in the left upper lobe.");

  export_judge(turn, "accepted", NULL);
  export_judge(turn, "edited", "There is a calcified granuloma of 6 mm.");
  export_check(turn, "blank", FALSE, 0);
  export_check(turn, "seeds", FALSE, 0.625);
  export_turn(f,
              "\xd9\x87\xd9\x84 \xd9\x87\xd9\x86\xd8\xa7\xd9\x83 \xd8\xb9\xd9\x82\xd9\x8a"
              "\xd8\xaf\xd8\xa9\xd8\x9f Gr\xc3\xb6\xc3\x9f"
              "e?",
              "No.");
}

static void
test_says(ExportFixture *f, gconstpointer data)
{
  static const char *const said[] = {"Conversation 12",
                                     "PHANTOM",
                                     "LLaVA-Med v1.5 Mistral 7B",
                                     "0123456789abcdef",
                                     "Is there a nodule in the left lung?",
                                     "Yes, there is a nodule in the left upper",
                                     "machine-made, not verified",
                                     "Accepted by Dr. Jane Doe",
                                     "superseded",
                                     "Replaced by own words by Dr. Jane Doe",
                                     "There is a calcified granuloma",
                                     "depends on the picture",
                                     "agreement 62.5 %",
                                     "seed 7",
                                     "mistral_instruct",
                                     "centre -600, width 1500",
                                     "Nobody has judged this answer.",
                                     "About the picture of turn 1.",
                                     "Gr\xc3\xb6\xc3\x9f"
                                     "e",
                                     "root qY5cYd3m0eK2m1nXq2m3v5J7t0J3b2cTtN5b8YyXw1E=",
                                     "42 events",
                                     "2026-11-25 09:30:12 UTC",
                                     "Page 1 of "};
  g_autoptr(GBytes) pdf = NULL;
  g_autofree char *text = NULL;

  talk(f);
  pdf = draw(f, TRUE, TRUE);
  text = ask(f, "pdftotext", "-layout", pdf);
  for (guint i = 0; text && i < G_N_ELEMENTS(said); i++) {
    assert_says(text, said[i]);
  }
  if (text) {
    g_assert_null(strstr(text, "is not shown"));
  }
}

static void
test_properties(ExportFixture *f, gconstpointer data)
{
  g_autoptr(GBytes) pdf = NULL;
  g_autofree char *said = NULL;

  talk(f);
  pdf = draw(f, TRUE, TRUE);
  said = ask(f, "pdfinfo", "-isodates", pdf);
  if (said) {
    assert_says(said, "Title:           Conversation 12");
    assert_says(said, "Creator:         Hilum");
    assert_says(said, "CreationDate:    2026-11-26T11:04:05Z");
    assert_says(said, "A4");
  }
}

static void
test_same(ExportFixture *f, gconstpointer data)
{
  g_autoptr(GBytes) one = NULL, other = NULL;

  talk(f);
  one = draw(f, TRUE, TRUE);
  other = draw(f, TRUE, TRUE);
  g_assert_true(g_bytes_equal(one, other));
}

/* Every line of long texts is there once, whatever the pages; each page has its head and foot. */
static void
test_long(ExportFixture *f, gconstpointer data)
{
  g_autoptr(GString) answer = g_string_new(NULL), own = g_string_new(NULL);
  g_autoptr(GBytes) pdf = NULL;
  g_autofree char *text = NULL, *info = NULL;
  guint n_pages;

  for (guint i = 0; i < 1500; i++) {
    g_string_append_printf(answer, "Line A%05u of the answer, which is long.\n", i);
  }
  for (guint i = 0; i < 400; i++) {
    g_string_append_printf(own, "word B%05u ", i);
  }
  export_judge(export_turn(f, "All of it?", answer->str), "edited", own->str);
  export_turn(f, "And now?", "Done.");
  pdf = draw(f, TRUE, TRUE);
  text = ask(f, "pdftotext", "-layout", pdf);
  info = ask(f, "pdfinfo", "-isodates", pdf);
  if (!text || !info) {
    return;
  }
  for (guint i = 0; i < 1500; i++) {
    g_autofree char *a = g_strdup_printf("A%05u", i), *b = g_strdup_printf("B%05u", i);

    g_assert_cmpuint(count(text, a), ==, 1);
    g_assert_cmpuint(count(text, b), ==, i < 400 ? 1 : 0);
  }
  n_pages = (guint)g_ascii_strtoull(strstr(info, "Pages:") + 6, NULL, 10);
  g_assert_cmpuint(n_pages, >, 20);
  g_assert_cmpuint(count(text, "Research use only, not for clinical use."), ==, 2 * n_pages + 1);
  g_assert_cmpuint(count(text, "Head of the log on"), ==, n_pages);
  for (guint i = 1; i <= n_pages; i++) {
    g_autofree char *page = g_strdup_printf("Page %u of %u", i, n_pages);

    assert_says(text, page);
  }
}

/* What has no break in it, what is no UTF-8, and what is empty. */
static void
test_odd(ExportFixture *f, gconstpointer data)
{
  g_autofree char *solid = g_strnfill(60000, 'x');
  g_autoptr(GString) lines = g_string_new(NULL);
  g_autoptr(GBytes) pdf = NULL;

  for (guint i = 0; i < 20000; i++) {
    g_string_append_c(lines, '\n');
  }
  export_judge(export_turn(f, "", solid), "edited", "");
  export_turn(f, lines->str, "\xff\xfe broken \xc3");
  pdf = draw(f, TRUE, TRUE);
  g_assert_cmpuint(g_bytes_get_size(pdf), >, 1000);
}

static void
test_without(ExportFixture *f, gconstpointer data)
{
  g_autoptr(GBytes) pdf = NULL;
  g_autofree char *text = NULL;

  talk(f);
  pdf = draw(f, FALSE, FALSE);
  text = ask(f, "pdftotext", "-layout", pdf);
  if (text) {
    assert_says(text, "[left out of this export]");
    assert_says(text, "Dr. Jane Doe");
    g_assert_null(strstr(text, "nodule"));
    g_assert_null(strstr(text, "granuloma"));
    g_assert_null(strstr(text, "PHANTOM"));
    g_assert_null(strstr(text, f->image_path));
    g_assert_null(strstr(text, f->image.sop_instance_uid));
  }
}

/* A picture that is no longer what was asked about is not shown, and that is said. */
static void
test_gone(ExportFixture *f, gconstpointer data)
{
  g_autoptr(GBytes) whole = NULL, changed = NULL, gone = NULL;
  g_autofree char *said = NULL, *secret = NULL;

  talk(f);
  whole = draw(f, TRUE, TRUE);
  for (guint i = 0; i < f->turns->len; i++) {
    StoreExportTurn *turn = f->turns->pdata[i];
    ((StoreTurnRow *)turn->row)->image.sent_sha256 =
        "ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  }
  changed = draw(f, TRUE, TRUE);
  g_assert_cmpuint(g_bytes_get_size(changed) + 10000, <, g_bytes_get_size(whole));
  g_unlink(f->image_path);
  gone = draw(f, TRUE, TRUE);
  said = ask(f, "pdftotext", "-layout", gone);
  if (said) {
    assert_says(said, "The picture is not shown");
  }
  g_clear_pointer(&gone, g_bytes_unref);
  gone = draw(f, TRUE, FALSE);
  secret = ask(f, "pdftotext", "-layout", gone);
  if (secret) {
    assert_says(secret, "The picture is not shown");
    g_assert_null(strstr(secret, f->folder));
  }
}

/* A bitmap may show a name, and nothing says whether it does. */
static void
test_bitmap(ExportFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "picture.png", NULL);
  g_autoptr(DicomPicture) picture = dicom_picture_new(2000, 900);
  g_autoptr(GBytes) with = NULL, without = NULL;
  g_autofree char *said = NULL, *left_out = NULL;

  for (gsize i = 0; i < 3u * 2000 * 900; i++) {
    picture->pixels[i] = (guint8)(i * 2654435761u >> 13);
  }
  g_assert_true(dicom_picture_write_png(picture, path, NULL));
  f->image = export_image(f, path, (AppWindow){0});
  export_turn(f, "What is it?", "Noise.");
  with = draw(f, TRUE, TRUE);
  said = ask(f, "pdftotext", "-layout", with);
  without = draw(f, TRUE, FALSE);
  left_out = ask(f, "pdftotext", "-layout", without);
  if (said && left_out) {
    assert_says(said, "printed smaller");
    assert_says(left_out, "may name the patient");
    g_assert_cmpuint(g_bytes_get_size(without) + 100000, <, g_bytes_get_size(with));
  }
}

static void
add(const char *name, void (*test)(ExportFixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/app/export-talk/%s", name);

  g_test_add(path, ExportFixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  add("says", test_says);
  add("properties", test_properties);
  add("same", test_same);
  add("long", test_long);
  add("odd", test_odd);
  add("without", test_without);
  add("gone", test_gone);
  add("bitmap", test_bitmap);
  return g_test_run();
}
