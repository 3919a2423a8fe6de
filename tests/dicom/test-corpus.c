/* test-corpus.c - real files and their known pixels: corpus/dicom/EXPECTED.tsv.
 *
 * Every file is read in a child process of its own with bounded memory and time, as hostile files
 * are among them; a signal is a failure whatever the row says. Rows that must open are compared
 * field by field and by the MD5 of their decoded pixels. */
#include "dicom.h"
#include "shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_LIMIT 0 /* its shadow memory alone is terabytes */
#define SECONDS 120
#else
#define MEMORY_LIMIT ((rlim_t)2 << 30)
#define SECONDS 10
#endif

typedef struct {
  char **names;    /* of the columns */
  GPtrArray *rows; /* of char ** */
  char *folder;
} Table;

static void
table_clear(Table *table)
{
  g_strfreev(table->names);
  g_clear_pointer(&table->rows, g_ptr_array_unref);
  g_free(table->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_clear)

static gboolean
table_load(Table *table)
{
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;

  table->folder = shared_path("corpus/dicom");
  if (!table->folder) {
    return FALSE;
  }
  path = g_build_filename(table->folder, "EXPECTED.tsv", NULL);
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  table->names = g_strsplit(lines[0], "\t", -1);
  table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  for (guint i = 1; lines[i]; i++) {
    char **row = g_strsplit(lines[i], "\t", -1);

    if (g_strv_length(row) == g_strv_length(table->names)) {
      g_ptr_array_add(table->rows, row);
    } else {
      g_strfreev(row);
    }
  }
  g_assert_cmpuint(table->rows->len, >, 100);
  return TRUE;
}

static const char *
cell(const Table *table, guint row, const char *name)
{
  for (guint i = 0; table->names[i]; i++) {
    if (strcmp(table->names[i], name) == 0) {
      return ((char **)table->rows->pdata[row])[i];
    }
  }
  g_error("EXPECTED.tsv has no column %s", name);
}

/* ---- the child ---------------------------------------------------------------------------------
 */

static void
print_numbers(FILE *out, const GArray *numbers)
{
  for (guint i = 0; i < numbers->len; i++) {
    fprintf(out, "%s%.17g", i > 0 ? "," : "", g_array_index(numbers, double, i));
  }
  fputc('\n', out);
}

/* "name=value" lines about PATH, or "error=message". */
static void
describe(const char *path, FILE *out)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  char md5[33];
  double low, high;

  if (!file) {
    fprintf(out, "error=%s\n", error->message);
    return;
  }
  const DicomInfo *info = dicom_file_info(file);
  fprintf(out, "transfer_syntax=%s\nsop_class=%s\nmodality=%s\nphotometric=%s\n",
          info->transfer_syntax, info->sop_class, info->modality, info->photometric);
  fprintf(out, "rows=%u\ncols=%u\nframes=%u\nsamples=%u\nplanar=%u\n", info->rows, info->columns,
          info->frames, info->samples, info->planar);
  fprintf(out, "bits_alloc=%u\nbits_stored=%u\npixel_rep=%u\nslope=%.17g\nintercept=%.17g\n",
          info->bits_allocated, info->bits_stored, info->pixel_representation, info->slope,
          info->intercept);
  fputs("window_center=", out);
  print_numbers(out, info->window_center);
  fputs("window_width=", out);
  print_numbers(out, info->window_width);
  if (!dicom_file_pixel_summary(file, NULL, NULL, md5, &low, &high, &error)) {
    fprintf(out, "error=%s\n", error->message);
    return;
  }
  fprintf(out, "md5_pixels=%s\npix_min=%.17g\npix_max=%.17g\n", md5, low, high);
  for (guint i = 0; i < info->frames; i += MAX(1, info->frames / 2)) {
    g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, i, &error);
    g_autoptr(DicomPicture) picture = frame ? dicom_frame_render(frame, NULL, &error) : NULL;

    if (!picture) {
      fprintf(out, "error=%s\n", error->message);
      return;
    }
  }
  fputs("rendered=yes\n", out);
}

typedef struct {
  int status; /* of waitpid() */
  GHashTable *values;
} Report;

static void
report_clear(Report *report)
{
  g_clear_pointer(&report->values, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, report_clear)

static const char *
said(const Report *report, const char *name)
{
  const char *value = g_hash_table_lookup(report->values, name);

  return value ? value : "";
}

static void
run_child(const char *path, int out)
{
  struct rlimit memory = {MEMORY_LIMIT, MEMORY_LIMIT}, core = {0, 0};
  FILE *stream = fdopen(out, "w");

  setrlimit(RLIMIT_CORE, &core);
  if (MEMORY_LIMIT > 0) {
    setrlimit(RLIMIT_AS, &memory);
  }
  alarm(SECONDS);
  describe(path, stream);
  fflush(stream);
  _exit(0);
}

static void
probe(const char *path, Report *report)
{
  int ends[2];
  g_autoptr(GString) text = g_string_new(NULL);
  char buffer[4096];
  ssize_t n;

  g_assert_cmpint(pipe(ends), ==, 0);
  fflush(stdout);
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    close(ends[0]);
    run_child(path, ends[1]);
  }
  close(ends[1]);
  while ((n = read(ends[0], buffer, sizeof buffer)) > 0) {
    g_string_append_len(text, buffer, n);
  }
  close(ends[0]);
  g_assert_cmpint(waitpid(pid, &report->status, 0), ==, pid);
  report->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    char *equals = strchr(lines[i], '=');

    if (equals) {
      *equals = '\0';
      g_hash_table_insert(report->values, g_strdup(lines[i]), g_strdup(equals + 1));
    }
  }
}

/* ---- comparing ---------------------------------------------------------------------------------
 */

/* "[35, 35]", "35" and "35,35" as numbers; equal to 1e-6 relative, the precision of the table. */
static gboolean
same_numbers(const char *expected, const char *found)
{
  g_autofree char *clean = g_strdup(expected);

  g_strdelimit(clean, "[]", ' ');
  g_auto(GStrv) a = g_strsplit(clean, ",", -1);
  g_auto(GStrv) b = g_strsplit(found, ",", -1);
  if (g_strv_length(a) != g_strv_length(b)) {
    return FALSE;
  }
  for (guint i = 0; a[i]; i++) {
    double x = g_ascii_strtod(a[i], NULL), y = g_ascii_strtod(b[i], NULL);

    if (!(fabs(x - y) <= 1e-6 * fmax(1, fabs(x)))) {
      return FALSE;
    }
  }
  return TRUE;
}

static guint
compare_fields(const Table *table, guint row, const Report *report)
{
  static const char *const texts[] = {"transfer_syntax", "sop_class", "modality", "photometric"};
  static const char *const numbers[] = {
      "rows",        "cols",      "frames",        "samples",      "planar", "bits_alloc",
      "bits_stored", "pixel_rep", "window_center", "window_width", "slope",  "intercept"};
  const char *file = cell(table, row, "file");
  guint wrong = 0;

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    if (strcmp(cell(table, row, texts[i]), said(report, texts[i])) != 0) {
      g_test_message("%s: %s is %s, expected %s", file, texts[i], said(report, texts[i]),
                     cell(table, row, texts[i]));
      wrong++;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    const char *expected = cell(table, row, numbers[i]);

    /* An empty cell: the attribute is absent, and what stands for it is ours to choose. */
    if (expected[0] && !same_numbers(expected, said(report, numbers[i]))) {
      g_test_message("%s: %s is %s, expected %s", file, numbers[i], said(report, numbers[i]),
                     expected);
      wrong++;
    }
  }
  return wrong;
}

static guint
compare_pixels(const Table *table, guint row, const Report *report)
{
  const char *file = cell(table, row, "file");

  if (strcmp(cell(table, row, "md5_pixels"), said(report, "md5_pixels")) != 0) {
    g_test_message("%s: md5_pixels is \"%s\", expected %s (%s)", file, said(report, "md5_pixels"),
                   cell(table, row, "md5_pixels"), said(report, "error"));
    return 1;
  }
  if (!same_numbers(cell(table, row, "pix_min"), said(report, "pix_min")) ||
      !same_numbers(cell(table, row, "pix_max"), said(report, "pix_max"))) {
    g_test_message("%s: pixels from %s to %s, expected %s to %s", file, said(report, "pix_min"),
                   said(report, "pix_max"), cell(table, row, "pix_min"),
                   cell(table, row, "pix_max"));
    return 1;
  }
  return 0;
}

static void
test_rows_that_open(void)
{
  g_auto(Table) table = {0};
  guint n = 0, n_md5 = 0, wrong = 0;

  if (!table_load(&table)) {
    return;
  }
  for (guint i = 0; i < table.rows->len; i++) {
    const char *file = cell(&table, i, "file");
    g_autofree char *path = g_build_filename(table.folder, file, NULL);
    g_auto(Report) report = {0};

    if (strcmp(cell(&table, i, "expect"), "open") != 0) {
      continue;
    }
    probe(path, &report);
    n++;
    if (report.status != 0 || strcmp(said(&report, "rendered"), "yes") != 0) {
      g_test_message("%s: status %d, %s", file, report.status, said(&report, "error"));
      wrong++;
      continue;
    }
    /* The table describes pictures that are no DICOM in Pillow's words. */
    if (!g_str_has_prefix(file, "cxr-bitmap/")) {
      wrong += compare_fields(&table, i, &report);
    }
    /* Decoders of lossy files may differ in the last place; ours is the one of the table. */
    if (cell(&table, i, "md5_pixels")[0]) {
      wrong += compare_pixels(&table, i, &report);
      n_md5++;
    }
  }
  g_test_message("%u files open, %u compared by MD5, %u differences", n, n_md5, wrong);
  g_assert_cmpuint(n, >, 100);
  g_assert_cmpuint(wrong, ==, 0);
}

static void
test_rows_of_other_codecs(void)
{
  g_auto(Table) table = {0};
  guint n = 0, shown = 0, n_md5 = 0, wrong = 0;

  if (!table_load(&table)) {
    return;
  }
  for (guint i = 0; i < table.rows->len; i++) {
    g_autofree char *path = g_build_filename(table.folder, cell(&table, i, "file"), NULL);
    g_auto(Report) report = {0};

    if (!g_str_has_prefix(cell(&table, i, "expect"), "open-needs-")) {
      continue;
    }
    probe(path, &report);
    n++;
    g_assert_cmpint(report.status, ==, 0);
    if (strcmp(said(&report, "rendered"), "yes") != 0) {
      /* A build without libjxl says so; nothing else is left unread. */
      g_test_message("%s: %s", cell(&table, i, "file"), said(&report, "error"));
      g_assert_cmpstr(cell(&table, i, "expect"), ==, "open-needs-libjxl");
      g_assert_nonnull(strstr(said(&report, "error"), "no JPEG XL"));
      continue;
    }
    shown++;
    wrong += compare_fields(&table, i, &report);
    if (cell(&table, i, "md5_pixels")[0]) {
      wrong += compare_pixels(&table, i, &report);
      n_md5++;
    }
  }
  g_test_message("%u of %u shown, %u compared by MD5, %u differences", shown, n, n_md5, wrong);
  g_assert_cmpuint(n, >, 0);
  g_assert_cmpuint(shown, >, 0);
  g_assert_cmpuint(wrong, ==, 0);
}

/* Objects without a picture name their kind; directories too. */
static void
test_rows_without_picture(void)
{
  g_auto(Table) table = {0};
  guint n = 0;

  if (!table_load(&table)) {
    return;
  }
  for (guint i = 0; i < table.rows->len; i++) {
    const char *expect = cell(&table, i, "expect"), *uid = cell(&table, i, "sop_class");
    g_autofree char *path = g_build_filename(table.folder, cell(&table, i, "file"), NULL);
    g_auto(Report) report = {0};

    if (strcmp(expect, "non-image") != 0 && strcmp(expect, "dicomdir") != 0) {
      continue;
    }
    probe(path, &report);
    n++;
    g_assert_cmpint(report.status, ==, 0);
    g_test_message("%s", said(&report, "error"));
    g_assert_cmpstr(said(&report, "error"), !=, "");
    if (uid[0]) {
      g_assert_nonnull(strstr(said(&report, "error"), uid));
    }
  }
  g_assert_cmpuint(n, >, 0);
}

/* What became of the rows of one outcome. */
typedef struct {
  guint shown, refused;
  guint same, other, none; /* pixels that are known: equal, other ones, none at all */
} Tally;

/* What the row says must not happen; NULL when all is well. */
static const char *
what_is_wrong(const char *path, const char *expect, const Report *report, gboolean shown)
{
  const char *message = said(report, "error");

  if (report->status != 0) {
    return "the child ended badly";
  }
  if (!shown && !g_str_has_prefix(message, path)) {
    return "no message, or one that does not begin with the file";
  }
  if (shown && (g_str_has_prefix(expect, "refuse") || g_str_has_prefix(expect, "gz"))) {
    return "shown";
  }
  if (g_str_has_prefix(expect, "gz") && !strstr(message, "gunzip")) {
    return "the message does not say what to do";
  }
  return NULL;
}

static void
count_pixels(const Table *table, guint row, const Report *report, Tally *tally, guint *wrong)
{
  const char *md5 = cell(table, row, "md5_pixels"), *found = said(report, "md5_pixels");

  if (!md5[0] || strcmp(cell(table, row, "lossless"), "Y") != 0) {
    return;
  }
  if (!found[0]) {
    g_test_message("%s: known pixels, but: %s", cell(table, row, "file"), said(report, "error"));
    tally->none++;
  } else if (strcmp(md5, found) == 0) {
    tally->same++;
  } else {
    g_test_message("%s: other pixels than the known ones", cell(table, row, "file"));
    tally->other++;
    *wrong += 1;
  }
}

static void
run_outcome(const Table *table, const char *outcome, Tally *tally, guint *wrong)
{
  for (guint i = 0; i < table->rows->len; i++) {
    const char *expect = cell(table, i, "expect");
    g_autofree char *path = g_build_filename(table->folder, cell(table, i, "file"), NULL);
    g_auto(Report) report = {0};

    if (strcmp(expect, outcome) != 0 &&
        !(strcmp(outcome, "gz") == 0 && g_str_has_prefix(expect, "gz"))) {
      continue;
    }
    probe(path, &report);
    gboolean shown = strcmp(said(&report, "rendered"), "yes") == 0;
    const char *problem = what_is_wrong(path, expect, &report, shown);
    if (problem) {
      g_test_message("%s (%s): %s; status %d, %s", path, expect, problem, report.status,
                     said(&report, "error"));
      *wrong += 1;
    }
    tally->shown += shown;
    tally->refused += !shown;
    count_pixels(table, i, &report, tally, wrong);
  }
  g_test_message("%s: %u shown, %u refused; known pixels: %u equal, %u others, %u none", outcome,
                 tally->shown, tally->refused, tally->same, tally->other, tally->none);
}

/* Broken and hostile files: no signal, no hang, a message that begins with the file's name, never
 * other pixels than the known ones; and what can be shown is shown. */
static void
test_rows_that_may_fail(void)
{
  g_auto(Table) table = {0};
  Tally hostile = {0}, decodable = {0}, explained = {0}, refused = {0}, packed = {0};
  guint wrong = 0;

  if (!table_load(&table)) {
    return;
  }
  run_outcome(&table, "no-crash", &hostile, &wrong);
  run_outcome(&table, "no-crash; show if decodable", &decodable, &wrong);
  run_outcome(&table, "dcmtk-cannot; explain", &explained, &wrong);
  run_outcome(&table, "refuse-with-message", &refused, &wrong);
  run_outcome(&table, "gz", &packed, &wrong);
  g_assert_cmpuint(hostile.shown + hostile.refused, >, 100);
  /* What is shown of hostile files may be refused one day, but not much of it. */
  g_assert_cmpuint(hostile.same * 10, >=, (hostile.same + hostile.other + hostile.none) * 9);
  g_assert_cmpuint(decodable.none, ==, 0);
  g_assert_cmpuint(explained.none, ==, 0);
  g_assert_cmpuint(wrong, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/corpus/rows-that-open", test_rows_that_open);
  g_test_add_func("/dicom/corpus/rows-of-other-codecs", test_rows_of_other_codecs);
  g_test_add_func("/dicom/corpus/rows-without-picture", test_rows_without_picture);
  g_test_add_func("/dicom/corpus/rows-that-may-fail", test_rows_that_may_fail);
  return g_test_run();
}
