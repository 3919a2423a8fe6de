/* test-deid-corpus.c - no identifier of a real file survives in its copy, and every pixel does. */
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>

#include "build.h"
#include "dicom/bridge/dictionary.h"
#include "dicom/dataset/dataset.h"
#include "dicom/deid/deid.h"
#include "shared.h"

static const guint8 key[32] = "0123456789abcdef0123456789abcde";

typedef struct {
  guint n_files, n_copied, n_refused, n_unsure, n_values, n_pixels, n_leaks, n_invalid;
  GHashTable *why; /* of refusals: how many */
} Tally;

/* ---- the identifiers of a file ---------------------------------------------------------------
 */

static gboolean
is_identifier(guint32 tag, const char *vr)
{
  static const guint32 tags[] = {0x00080050, 0x00080080, 0x00080081, 0x00081010, 0x00081040,
                                 0x00100020, 0x00101000, 0x00101040, 0x00181000, 0x00200010,
                                 0x00380010, 0x00401001, 0x00400253};

  for (guint i = 0; i < G_N_ELEMENTS(tags); i++) {
    if (tags[i] == tag) {
      return TRUE;
    }
  }
  if (strcmp(vr, "UI") == 0) {
    return !dicom_deid_uid_is_class(tag);
  }
  return strcmp(vr, "PN") == 0 || strcmp(vr, "DA") == 0 || strcmp(vr, "DT") == 0;
}

static void
collect_value(DicomSource *source, const DicomElementInfo *info, gboolean is_uid,
              GHashTable *values)
{
  guint64 n = info->end - info->value;
  g_autofree char *text = NULL;

  if (n > 65536) {
    return;
  }
  text = g_malloc0(n + 1);
  if (!dicom_source_read(source, info->value, text, n)) {
    return;
  }
  g_auto(GStrv) parts = g_strsplit(text, "\\", -1);
  for (char **part = parts; *part; part++) {
    const char *value = g_strstrip(*part);
    if (strlen(value) > 3 && !(is_uid && dicom_bridge_uid_is_standard(value))) {
      g_hash_table_add(values, g_strdup(value));
    }
  }
}

/* Every item of the data set, in any order. */
static void
collect(const DicomDataset *dataset, GHashTable *values, GString *makers)
{
  g_autoptr(GPtrArray) items = g_ptr_array_new();

  g_ptr_array_add(items, (gpointer)dicom_dataset_root(dataset));
  while (items->len > 0) {
    const DicomItem *item = g_ptr_array_steal_index(items, items->len - 1);
    g_autofree char *maker = dicom_item_text(item, 0x00080070);
    g_autofree char *model = dicom_item_text(item, 0x00081090);

    g_string_append_printf(makers, "%s\n%s\n", maker, model);
    for (guint i = 0; i < dicom_item_n_elements(item); i++) {
      DicomElementInfo info;
      const char *keyword;
      char vr[3] = "";

      g_assert_true(dicom_item_element(item, i, &info));
      for (guint k = 0; k < info.n_items; k++) {
        g_ptr_array_add(items, (gpointer)dicom_item_element_item(item, i, k));
      }
      if (!info.is_sequence && !info.is_fragments &&
          dicom_bridge_attribute(info.tag, vr, &keyword) && is_identifier(info.tag, vr)) {
        collect_value(dicom_dataset_source(dataset), &info, strcmp(vr, "UI") == 0, values);
      }
    }
  }
}

/* ---- the copy --------------------------------------------------------------------------------
 */

/* The bytes of the data set but for the value of PixelData, where any pattern may be. */
static GByteArray *
bytes_but_pixels(const DicomDataset *dataset)
{
  DicomSource *source = dicom_dataset_source(dataset);
  const DicomItem *root = dicom_dataset_root(dataset);
  GByteArray *bytes = g_byte_array_new();
  guint64 from = 0, hole = source->size, after = source->size;

  for (guint i = 0; i < dicom_item_n_elements(root); i++) {
    DicomElementInfo info;
    g_assert_true(dicom_item_element(root, i, &info));
    if (info.tag >> 16 == 0x7fe0) {
      hole = info.value;
      after = info.end;
    }
  }
  g_byte_array_set_size(bytes, (guint)(hole - from + source->size - after));
  g_assert_true(dicom_source_read(source, from, bytes->data, hole));
  g_assert_true(
      dicom_source_read(source, after, bytes->data + hole, (gsize)(source->size - after)));
  return bytes;
}

/* Whether VALUE stands in BYTES as a whole: between backslashes, padding and other binary. */
static gboolean
has_value(const GByteArray *bytes, const char *value)
{
  gsize n = strlen(value);
  const guint8 *at = bytes->data, *end = bytes->data + bytes->len;
  gboolean digits = strspn(value, "0123456789") == n;

  while ((at = memmem(at, (gsize)(end - at), value, n)) != NULL) {
    gboolean left = at > bytes->data && g_ascii_isalnum(at[-1]);
    gboolean right = at + n < end && g_ascii_isalnum(at[n]);
    /* Short numbers begin and end many a UID. */
    if (digits ? !left && !right : !left || !right) {
      return TRUE;
    }
    at++;
  }
  return FALSE;
}

/* What the copy may say all the same: our own words, and the makers of scanners and programs, after
 * whom fields of public samples are named. */
static gboolean
is_excused(const char *makers, const char *value)
{
  static const char *const own[] = {"REMOVED", "ANONYMIZED", "19000101", NULL};

  return strstr(makers, value) || g_strv_contains(own, value);
}

static gboolean
look(const char *path, DicomSource **source, DicomDataset **dataset)
{
  DicomMeta meta;

  *source = dicom_source_open(path, NULL);
  if (!*source || !dicom_meta_read(*source, path, &meta, NULL)) {
    return FALSE;
  }
  *dataset = dicom_dataset_read(*source, path, &meta, NULL);
  return *dataset != NULL;
}

static void
check_values(const char *relative, const char *in, const char *out, Tally *tally)
{
  g_autoptr(DicomSource) source = NULL, copy_source = NULL;
  g_autoptr(DicomDataset) dataset = NULL, copy = NULL;
  g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GString) makers = g_string_new(NULL);
  GHashTableIter iter;
  gpointer value;

  g_assert_true(look(in, &source, &dataset));
  g_assert_true(look(out, &copy_source, &copy));
  collect(dataset, values, makers);
  g_autoptr(GByteArray) bytes = bytes_but_pixels(copy);
  g_hash_table_iter_init(&iter, values);
  while (g_hash_table_iter_next(&iter, &value, NULL)) {
    tally->n_values++;
    if (has_value(bytes, value) && !is_excused(makers->str, value)) {
      tally->n_leaks++;
      /* Not the value itself, but enough to find it by. */
      g_test_message("%s: an identifier of %" G_GSIZE_FORMAT " bytes is left", relative,
                     strlen(value));
      if (g_getenv("HILUM_TEST_SHOW"))
        g_test_message("VALUE %s", (char *)value);
    }
  }
}

static void
check_pixels(const char *relative, DicomFile *file, const char *out, Tally *tally)
{
  g_autoptr(GError) error = NULL;
  char before[33] = "", after[33] = "";
  double low, high;

  if (dicom_file_info(file)->content != DICOM_CONTENT_IMAGE ||
      !dicom_file_pixel_summary(file, NULL, NULL, before, &low, &high, NULL)) {
    return;
  }
  g_autoptr(DicomFile) copy = dicom_file_open(out, &error);
  g_test_message("%s", relative);
  g_assert_no_error(error);
  g_assert_true(dicom_file_pixel_summary(copy, NULL, NULL, after, &low, &high, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(before, ==, after);
  tally->n_pixels++;
}

/* ---- validity: dicom3tools' dciodvfy has no more to say than of the original ------------------
 */

/* Its lines that begin with "Error", as a set. */
static GHashTable *
find_errors(const char *path)
{
  const char *const argv[] = {"dciodvfy", path, NULL};
  GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GRegex) uid = g_regex_new("UID [0-9.]+|<[0-9.]{8,}>", G_REGEX_RAW, 0, NULL);
  g_autoptr(GError) error = NULL;
  g_autofree char *err = NULL;

  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
               NULL, NULL, &err, NULL, &error);
  g_assert_no_error(error);
  g_auto(GStrv) lines = g_strsplit(err, "\n", -1);
  for (char **line = lines; *line; line++) {
    if (g_str_has_prefix(*line, "Error")) {
      /* But for UIDs that it quotes. */
      g_hash_table_add(set, g_regex_replace(uid, *line, -1, 0, "UID", 0, NULL));
    }
  }
  return set;
}

static guint
check_validity(const char *relative, const char *path, const char *out, DicomDeidOptions options)
{
  g_autoptr(DicomDeidReport) report = NULL;
  g_autoptr(GError) error = NULL;
  GHashTableIter iter;
  gpointer line;
  guint n = 0;

  memcpy(options.key, key, sizeof key);
  dicom_deid_file(path, out, &options, NULL, NULL, &report, &error);
  g_assert_no_error(error);
  g_autoptr(GHashTable) before = find_errors(path), after = find_errors(report->path);
  g_hash_table_iter_init(&iter, after);
  while (g_hash_table_iter_next(&iter, &line, NULL)) {
    if (!g_hash_table_contains(before, line)) {
      g_test_message("%s: new: %s", relative, (char *)line);
      n++;
    }
  }
  g_test_message("%s: %u errors before, %u after", relative, g_hash_table_size(before),
                 g_hash_table_size(after));
  g_unlink(report->path);
  return n;
}

static void
check_file(const char *relative, const char *path, const char *folder, Tally *tally)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, NULL);
  g_autoptr(DicomDeidReport) report = NULL;
  DicomDeidOptions options = {0};

  if (!file || dicom_file_info(file)->kind != DICOM_KIND_DICOM) {
    return;
  }
  tally->n_files++;
  memcpy(options.key, key, sizeof key);
  if (!dicom_deid_file(path, folder, &options, NULL, NULL, &report, &error)) {
    const char *words = strstr(error->message, ": ");
    char *why = g_strdup(words ? words + 2 : "");
    gpointer n = g_hash_table_lookup(tally->why, why);

    tally->n_refused++;
    g_hash_table_insert(tally->why, why, GUINT_TO_POINTER(GPOINTER_TO_UINT(n) + 1));
    return;
  }
  tally->n_copied++;
  tally->n_unsure += report->unsure->len > 0;
  check_values(relative, path, report->path, tally);
  check_pixels(relative, file, report->path, tally);
  g_unlink(report->path);
  /* Of what is broken, dciodvfy sees less than we do, and less to complain about. */
  if (g_getenv("HILUM_TEST_LONG") && !g_str_has_prefix(relative, "hostile") &&
      !g_str_has_prefix(relative, "broken")) {
    tally->n_invalid += check_validity(relative, path, folder, (DicomDeidOptions){0});
  }
}

static void
check_folder(const char *top, const char *relative, const char *out, Tally *tally)
{
  g_autofree char *folder = g_build_filename(top, relative, NULL);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *below = *relative ? g_build_filename(relative, name, NULL) : g_strdup(name);
    g_autofree char *path = g_build_filename(top, below, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      check_folder(top, below, out, tally);
    } else {
      check_file(below, path, out, tally);
    }
  }
}

static void
report_tally(const Tally *tally)
{
  GHashTableIter iter;
  gpointer why, n;

  g_test_message("%u files open; %u copied (%u unsure), %u refused; %u identifiers looked for, %u "
                 "left; pixels compared in %u",
                 tally->n_files, tally->n_copied, tally->n_unsure, tally->n_refused,
                 tally->n_values, tally->n_leaks, tally->n_pixels);
  g_hash_table_iter_init(&iter, tally->why);
  while (g_hash_table_iter_next(&iter, &why, &n)) {
    g_test_message("refused %u: %s", GPOINTER_TO_UINT(n), (char *)why);
  }
}

static void
test_tree(gconstpointer data)
{
  const char *name = data;
  g_autofree char *top = g_path_is_absolute(name) ? g_strdup(name) : shared_path(name);
  g_autofree char *out = g_build_filename(build_folder(), "copies", NULL);
  g_autoptr(GHashTable) why = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Tally tally = {.why = why};

  if (!top) {
    return;
  }
  if (!g_file_test(top, G_FILE_TEST_IS_DIR)) {
    g_test_skip("python3-pydicom's files are not there");
    return;
  }
  check_folder(top, "", out, &tally);
  report_tally(&tally);
  g_assert_cmpuint(tally.n_leaks, ==, 0);
  g_assert_cmpuint(tally.n_invalid, ==, 0);
  g_assert_cmpuint(tally.n_copied, >, 0);
}

static void
test_validity(void)
{
  static const char *const files[] = {
      "enhanced-multiframe/enhanced-CT_2frames_supplemental-palette.dcm",
      "enhanced-multiframe/enhanced-MR_10frames.dcm",
      "enhanced-multiframe/enhanced-MR_philips_fmap.dcm",
      "mr-nm-pt/MR_small_bigendian.dcm",
      "mr-nm-pt/NM_heart_13frames_16bit.dcm",
      "mr-nm-pt/PT_ge_jpeg-lossless_signed.dcm",
      "mr-nm-pt/OP_fundus_jpeg-lossless.dcm",
      "cr-dx-mg-xa/RG3_extremity_mono1_jpeg-extended.dcm",
      "cr-dx-mg-xa/XA_96frames_512_jpeg-baseline.dcm",
      "cr-dx-mg-xa/CR_teeth_modality-lut-sequence.dcm",
      "colour/US_palette_philips_implicit.dcm",
      "colour/US_ybr-full-422_jpeg_30frames.dcm",
      "colour/SM_wsi_tiles_rgb.dcm",
      "charsets/chrH32.dcm",
      "non-image/ECG_waveform.dcm",
      "non-image/PR_gsps.dcm",
      "non-image/RTPLAN.dcm",
      "non-image/RTSTRUCT.dcm",
      "non-image/RWVM.dcm",
      "non-image/SR_highdicom.dcm",
      "non-image/SR_tid1500_dcmqi.dcm",
      "non-image/SR_deflated_dcm4che.dcm",
      "series-ct-chest-raw8/000121.dcm",
      "series-ct-3slice-with-seg/03.dcm",
  };
  const DicomDeidOptions all = {.modified_dates = TRUE,
                                .retain_device = TRUE,
                                .clean_descriptors = TRUE,
                                .clean_graphics = TRUE};
  g_autofree char *tool = g_find_program_in_path("dciodvfy");
  g_autofree char *out = g_build_filename(build_folder(), "valid", NULL);
  guint n_new = 0;

  if (!tool) {
    g_test_skip("dciodvfy is not there");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *name = g_build_filename("corpus/dicom", files[i], NULL);
    g_autofree char *path = shared_path(name);
    if (!path) {
      return;
    }
    n_new += check_validity(files[i], path, out, (DicomDeidOptions){0});
    n_new += check_validity(files[i], path, out, all);
  }
  g_assert_cmpuint(n_new, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/deid/corpus/pydicom",
                       "/usr/lib/python3/dist-packages/pydicom/data/test_files", test_tree);
  g_test_add_data_func("/deid/corpus/shared", "corpus/dicom", test_tree);
  g_test_add_func("/deid/corpus/validity", test_validity);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
