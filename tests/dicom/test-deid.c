/* test-deid.c - copies without the patient: whole files, made here and from the corpus. */
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>

#include "build.h"
#include "dicom/dataset/dataset.h"
#include "dicom/deid/deid.h"
#include "shared.h"

#define SECRET "SECRET"
static const guint8 key[32] = "0123456789abcdef0123456789abcde";

static char *
out_folder(const char *name)
{
  return g_build_filename(build_folder(), name, NULL);
}

/* Decodes in this process, which the application never does. */
static DicomFrame *
read_frame(guint frame, gpointer user, GError **error)
{
  g_autoptr(DicomFile) file = dicom_file_open(user, error);

  return file ? dicom_file_read_frame(file, frame, error) : NULL;
}

static DicomDeidReport *
copy(const char *path, const char *folder, DicomDeidOptions options, GError **error)
{
  DicomDeidReport *report = NULL;

  memcpy(options.key, key, sizeof key);
  gboolean done =
      dicom_deid_file(path, folder, &options, read_frame, (gpointer)path, &report, error);
  g_assert_true(done == (report != NULL));
  return report;
}

static DicomDeidReport *
copy_well(const char *path, const char *folder, DicomDeidOptions options)
{
  g_autoptr(GError) error = NULL;
  DicomDeidReport *report = copy(path, folder, options, &error);

  g_assert_no_error(error);
  return report;
}

static gboolean
lists(const GPtrArray *list, const char *keyword)
{
  for (guint i = 0; i < list->len; i++) {
    if (strcmp(list->pdata[i], keyword) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

/* A file that is open for looking at its elements. */
typedef struct {
  DicomSource *source;
  DicomDataset *dataset;
  DicomMeta meta;
} Look;

static void
look_clear(Look *look)
{
  g_clear_pointer(&look->dataset, dicom_dataset_free);
  g_clear_pointer(&look->source, dicom_source_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static gboolean
look_at(Look *look, const char *path)
{
  look->source = dicom_source_open(path, NULL);
  if (!look->source || !dicom_meta_read(look->source, path, &look->meta, NULL)) {
    return FALSE;
  }
  look->dataset = dicom_dataset_read(look->source, path, &look->meta, NULL);
  return look->dataset != NULL;
}

static void
assert_text(const DicomItem *item, guint32 tag, const char *expected)
{
  g_autofree char *text = dicom_item_text(item, tag);

  g_assert_cmpstr(text, ==, expected);
}

static void
add_private_and_overlays(Build *b)
{
  static const guint8 bits[2] = {0xff, 0x01};

  build_text(b, 0x60003000, "LT", SECRET " overlay");
  build_us(b, 0x60000010, 1);
  build_bytes(b, 0x60003000, "OW", bits, sizeof bits);
}

static void
add_nested(Build *b)
{
  build_open(b, 0x00081140); /* ReferencedImageSequence */
  build_item(b, UNDEFINED);
  build_bytes(b, 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2", 25);
  build_bytes(b, 0x00081155, "UI", "1.2.3.4", 7);
  build_text(b, 0x00091001, "LO", SECRET " private");
  build_open(b, 0x0040a170); /* PurposeOfReferenceCodeSequence */
  build_item(b, UNDEFINED);
  build_text(b, 0x00080100, "SH", "121311");
  build_text(b, 0x00080102, "SH", "DCM");
  build_text(b, 0x00080104, "LO", "Localizer");
  build_text(b, 0x00100010, "PN", SECRET "^NESTED");
  build_item_end(b);
  build_close(b);
  build_item_end(b);
  build_close(b);
}

/* An image with something to hide in every corner. */
static void
fill(Build *b, const char *modality, const char *burned, const Shape *shape, const void *pixels,
     gsize n)
{
  static const guint16 icon[2] = {0x4553, 0x5243};

  build_text(b, 0x00080005, "CS", "ISO_IR 100");
  build_bytes(b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2", 25);
  build_bytes(b, 0x00080018, "UI", "1.2.3.4", 7);
  build_text(b, 0x00080020, "DA", "20240301");
  build_text(b, 0x00080030, "TM", "123456");
  build_text(b, 0x00080050, "SH", SECRET "A");
  build_text(b, 0x00080060, "CS", modality);
  build_text(b, 0x00080070, "LO", "Maker");
  build_text(b, 0x00080080, "LO", SECRET " hospital");
  build_text(b, 0x00080090, "PN", SECRET "^DR");
  build_text(b, 0x00081030, "LO", "CT CHEST " SECRET);
  add_nested(b);
  build_text(b, 0x00090010, "LO", SECRET " CREATOR");
  build_text(b, 0x00091001, "LO", SECRET " private");
  build_text(b, 0x00100010, "PN", SECRET "^NAME");
  build_text(b, 0x00100020, "LO", SECRET "ID");
  build_text(b, 0x00100030, "DA", "19501231");
  build_text(b, 0x00101010, "AS", "073Y");
  build_text(b, 0x00180024, "SH", "se/" SECRET "id");
  build_text(b, 0x00181000, "LO", "DEVICE 4711");
  build_bytes(b, 0x0020000d, "UI", "1.2.3", 5);
  build_bytes(b, 0x0020000e, "UI", "1.2.3.1", 7);
  build_text(b, 0x00200010, "SH", SECRET "S");
  build_text(b, 0x00204000, "LT", SECRET " comment");
  build_shape(b, shape);
  if (burned) {
    build_text(b, 0x00280301, "CS", burned);
  }
  build_open(b, 0x00880200);
  build_item(b, UNDEFINED);
  build_words(b, 0x7fe00010, "OW", icon, 2);
  build_item_end(b);
  build_close(b);
  build_text(b, 0x00fe0001, "LO", SECRET " unknown");
  add_private_and_overlays(b);
  if (shape->bits == 16) {
    build_words(b, 0x7fe00010, "OW", pixels, n / 2);
  } else {
    build_bytes(b, 0x7fe00010, "OB", pixels, n);
  }
}

static const Shape grey = {2, 3, 0, 1, 16, 12, 11, 0, "MONOCHROME2", -1};
static const guint16 grey_pixels[6] = {1, 2, 3, 4, 5, 4000};

static char *
write_grey(const char *syntax, const char *name)
{
  g_auto(Build) b = {0};

  build_start(&b, syntax);
  fill(&b, "CT", NULL, &grey, grey_pixels, sizeof grey_pixels);
  return build_write(&b, name);
}

/* The bytes of the data set, inflated. */
static gboolean
has_bytes(const Look *look, const char *needle, gsize n)
{
  DicomSource *source = dicom_dataset_source(look->dataset);
  g_autofree guint8 *bytes = g_malloc(source->size + 1);

  g_assert_true(dicom_source_read(source, 0, bytes, source->size));
  return memmem(bytes, source->size, needle, n) != NULL;
}

static void
check_copy(const char *path, const char *syntax)
{
  g_auto(Look) look = {0};
  char uid[65];

  g_assert_true(look_at(&look, path));
  g_assert_cmpstr(look.meta.syntax_uid, ==, syntax);
  g_assert_cmpstr(dicom_dataset_damage(look.dataset), ==, "");
  g_assert_false(has_bytes(&look, SECRET, strlen(SECRET)));
  g_assert_false(has_bytes(&look, "DEVICE 4711", 11));
  g_assert_false(has_bytes(&look, "1.2.3.4", 7));
  g_assert_false(has_bytes(&look, "20240301", 8));
  const DicomItem *root = dicom_dataset_root(look.dataset);
  dicom_deid_uid(key, "1.2.3.4", uid);
  assert_text(root, 0x00080018, uid);
  const DicomItem *reference = dicom_item_nested(root, 0x00081140, 0);
  g_assert_nonnull(reference);
  assert_text(reference, 0x00081155, uid);
  assert_text(reference, 0x00081150, "1.2.840.10008.5.1.4.1.1.2");
  const DicomItem *code = dicom_item_nested(reference, 0x0040a170, 0);
  g_assert_nonnull(code);
  assert_text(code, 0x00080100, "121311");
  assert_text(code, 0x00080104, "Localizer");
  dicom_deid_uid(key, "1.2.3", uid);
  assert_text(root, 0x0020000d, uid);
  g_autofree char *name = dicom_item_text(root, 0x00100010);
  g_autofree char *id = dicom_item_text(root, 0x00100020);
  g_assert_cmpstr(name, ==, id);
  g_assert_cmpuint(strlen(id), ==, 16);
  assert_text(root, 0x00080070, "Maker");
  assert_text(root, 0x00180024, "ANONYMIZED");
  assert_text(root, 0x00120062, "YES");
  assert_text(root, 0x00280303, "REMOVED");
  g_assert_cmpuint(dicom_item_count(root, 0x00120064), ==, 1);
  assert_text(dicom_item_nested(root, 0x00120064, 0), 0x00080100, "113100");
  gsize n;
  g_autofree guint16 *words = dicom_item_words(root, 0x7fe00010, 100, &n);
  g_assert_cmpmem(words, n * 2, grey_pixels, sizeof grey_pixels);
}

static void
test_syntaxes(void)
{
  static const char *const syntaxes[] = {TS_EXPLICIT, TS_IMPLICIT, TS_BIG};

  for (guint i = 0; i < G_N_ELEMENTS(syntaxes); i++) {
    g_autofree char *path = write_grey(syntaxes[i], "in.dcm");
    g_autofree char *folder = out_folder(syntaxes[i]);
    g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});

    g_test_message("%s", syntaxes[i]);
    g_assert_true(g_str_has_prefix(report->path, folder));
    g_assert_true(g_str_has_suffix(report->path, ".dcm"));
    g_assert_nonnull(strstr(report->path, report->sop_instance_uid));
    check_copy(report->path, syntaxes[i]);
    g_assert_true(lists(report->removed, "InstitutionName") ||
                  lists(report->replaced, "InstitutionName"));
    g_assert_true(lists(report->removed, "(0009,1001)"));
    g_assert_true(lists(report->replaced, "PatientName"));
    g_assert_true(lists(report->kept, "Manufacturer"));
    g_assert_true(lists(report->replaced, "SequenceName"));
    g_assert_cmpuint(report->unsure->len, ==, 0);
  }
}

/* A slip in the VR of Rows does not cost the copy its rows. */
static void
test_odd_vr(void)
{
  static const guint8 rows[] = {0x28, 0, 0x10, 0, 'U', 'S'};
  g_autofree char *path = write_grey(TS_EXPLICIT, "odd.dcm");
  g_autofree char *folder = out_folder("odd");
  g_autofree char *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n;

  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  char *found = memmem(bytes, n, rows, sizeof rows);
  g_assert_nonnull(found);
  found[4] = '&';
  g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
  g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});
  g_autoptr(DicomFile) file = dicom_file_open(report->path, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(dicom_file_info(file)->rows, ==, 2);
}

/* A meta header and nothing behind it. */
static void
test_nothing(void)
{
  g_auto(Build) b = {0};
  g_autofree char *path = NULL;
  g_autofree char *folder = out_folder("nothing");
  g_autoptr(GError) error = NULL;

  build_start(&b, TS_EXPLICIT);
  path = build_write(&b, "nothing.dcm");
  g_assert_null(copy(path, folder, (DicomDeidOptions){0}, &error));
  g_assert_nonnull(error);
}

static void
test_deflated(void)
{
  g_auto(Build) b = {0}, plain = {0};
  g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_RAW, 9);
  guint8 packed[4096];
  gsize read, written;

  build_start(&plain, NULL);
  fill(&plain, "CT", NULL, &grey, grey_pixels, sizeof grey_pixels);
  g_converter_convert(G_CONVERTER(compressor), plain.bytes->data, plain.bytes->len, packed,
                      sizeof packed, G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
  build_start(&b, TS_DEFLATED);
  g_byte_array_append(b.bytes, packed, (guint)written);
  g_autofree char *path = build_write(&b, "deflated.dcm");
  g_autofree char *folder = out_folder("deflated");
  g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});
  check_copy(report->path, TS_DEFLATED);
}

static void
test_options(void)
{
  g_autofree char *path = write_grey(TS_EXPLICIT, "options.dcm");
  g_autofree char *folder = out_folder("options");
  g_autoptr(DicomDeidReport) report = copy_well(path, folder,
                                                (DicomDeidOptions){.modified_dates = TRUE,
                                                                   .retain_device = TRUE,
                                                                   .clean_descriptors = TRUE,
                                                                   .clean_graphics = TRUE});
  g_auto(Look) look = {0};

  g_assert_true(look_at(&look, report->path));
  const DicomItem *root = dicom_dataset_root(look.dataset);
  g_autofree char *date = dicom_deid_shift("20240301", dicom_deid_days(key, "id\n" SECRET "ID"));
  assert_text(root, 0x00080020, date);
  assert_text(root, 0x00080030, "123456");
  assert_text(root, 0x00100030, "");
  assert_text(root, 0x00181000, "DEVICE 4711");
  assert_text(root, 0x00081030, "CT CHEST");
  g_assert_false(dicom_item_has(root, 0x00204000));
  assert_text(root, 0x00280303, "MODIFIED");
  g_assert_cmpuint(dicom_item_count(root, 0x00120064), ==, 5);
  g_assert_true(lists(report->cleaned, "StudyDescription"));
  g_assert_true(lists(report->removed, "ImageComments"));
  g_assert_true(lists(report->kept, "DeviceSerialNumber"));
}

static void
count_files(const char *folder, guint *n)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      count_files(path, n);
    } else {
      *n += 1;
    }
  }
}

static void
assert_refused(const char *path, DicomDeidOptions options, gint code, const char *words)
{
  g_autofree char *folder = out_folder("refused");
  g_autoptr(GError) error = NULL;
  DicomDeidReport *report = copy(path, folder, options, &error);
  guint n = 0;

  g_assert_null(report);
  g_assert_error(error, DICOM_ERROR, code);
  g_assert_nonnull(strstr(error->message, words));
  g_assert_null(strstr(error->message, SECRET));
  count_files(folder, &n);
  g_assert_cmpuint(n, ==, 0);
}

static void
test_never_over(void)
{
  g_autofree char *path = write_grey(TS_EXPLICIT, "twice.dcm");
  g_autofree char *folder = out_folder("twice");
  g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});
  g_autoptr(GError) error = NULL;
  guint n = 0;

  g_assert_null(copy(path, folder, (DicomDeidOptions){0}, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_IO);
  g_assert_nonnull(strstr(error->message, "already"));
  count_files(folder, &n);
  g_assert_cmpuint(n, ==, 1);
}

static void
test_refused(void)
{
  g_auto(Build) burned = {0}, pdf = {0}, directory = {0}, nameless = {0};
  const DicomRect away = {5, 5, 1, 1};

  build_start(&burned, TS_EXPLICIT);
  fill(&burned, "CT", "YES", &grey, grey_pixels, sizeof grey_pixels);
  g_autofree char *path = build_write(&burned, "burned.dcm");
  assert_refused(path, (DicomDeidOptions){0}, DICOM_ERROR_UNSUPPORTED, "BurnedInAnnotation");
  assert_refused(path, (DicomDeidOptions){.clean_pixels = TRUE}, DICOM_ERROR_UNSUPPORTED,
                 "BurnedInAnnotation");
  assert_refused(path, (DicomDeidOptions){.blank = &away, .n_blank = 1}, DICOM_ERROR_UNSUPPORTED,
                 "outside the image");
  build_start(&pdf, TS_EXPLICIT);
  build_bytes(&pdf, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.104.1", 29);
  build_bytes(&pdf, 0x00080018, "UI", "1.2.3.4", 7);
  build_bytes(&pdf, 0x00420011, "OB", SECRET, 6);
  g_autofree char *second = build_write(&pdf, "pdf.dcm");
  assert_refused(second, (DicomDeidOptions){0}, DICOM_ERROR_UNSUPPORTED, "EncapsulatedDocument");
  build_start(&directory, TS_EXPLICIT);
  build_bytes(&directory, 0x00080016, "UI", "1.2.840.10008.1.3.10", 20);
  g_autofree char *third = build_write(&directory, "directory.dcm");
  assert_refused(third, (DicomDeidOptions){0}, DICOM_ERROR_UNSUPPORTED, "DICOMDIR");
  build_start(&nameless, TS_EXPLICIT);
  build_text(&nameless, 0x00080060, "CS", "CT");
  g_autofree char *fourth = build_write(&nameless, "nameless.dcm");
  assert_refused(fourth, (DicomDeidOptions){0}, DICOM_ERROR_UNSUPPORTED, "SOPInstanceUID");
  g_autofree char *fifth = build_write_bytes("text.txt", "no image at all", 15);
  assert_refused(fifth, (DicomDeidOptions){0}, DICOM_ERROR_FORMAT, "DICOM");
}

static void
add_region(Build *b, guint32 x0, guint32 y0, guint32 x1, guint32 y1)
{
  const guint32 values[4] = {x0, y0, x1, y1};

  build_open(b, 0x00186011);
  build_item(b, UNDEFINED);
  for (guint i = 0; i < 4; i++) {
    build_header(b, 0x00186018 + 2 * i, "UL", 4);
    build_u32(b, values[i]);
  }
  build_item_end(b);
  build_close(b);
}

static char *
write_colour(const char *name)
{
  static const Shape shape = {2, 2, 2, 3, 8, 8, 7, 0, "RGB", 1};
  guint8 pixels[24];
  g_auto(Build) b = {0};

  for (guint i = 0; i < sizeof pixels; i++) {
    pixels[i] = (guint8)(i + 1);
  }
  build_start(&b, TS_IMPLICIT);
  build_bytes(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.3.1", 27);
  build_bytes(&b, 0x00080018, "UI", "1.2.3.4", 7);
  build_text(&b, 0x00080060, "CS", "US");
  add_region(&b, 1, 0, 1, 1);
  build_shape(&b, &shape);
  build_bytes(&b, 0x7fe00010, "OB", pixels, sizeof pixels);
  return build_write(&b, name);
}

static void
test_regions(void)
{
  /* Frames of 2 x 2; the left column lies outside, the rest is told by planes. */
  static const guint8 expected[24] = {0, 0, 0, 2,  6,  10, 0, 0, 0, 4,  8,  12,
                                      0, 0, 0, 14, 18, 22, 0, 0, 0, 16, 20, 24};
  g_autofree char *path = write_colour("us.dcm");
  g_autofree char *folder = out_folder("us"), *untouched = out_folder("us-unsure");
  g_autoptr(DicomDeidReport) report =
      copy_well(path, folder, (DicomDeidOptions){.clean_pixels = TRUE});
  g_autoptr(DicomDeidReport) unsure = copy_well(path, untouched, (DicomDeidOptions){0});
  g_auto(Look) look = {0};
  gsize n;

  g_assert_cmpuint(unsure->unsure->len, ==, 1);
  g_assert_cmpuint(unsure->blanked->len, ==, 0);
  g_assert_cmpuint(report->unsure->len, ==, 1);
  g_assert_true(lists(report->blanked, "outside 1,0,1,2"));
  g_assert_true(look_at(&look, report->path));
  g_assert_cmpstr(look.meta.syntax_uid, ==, TS_EXPLICIT);
  const DicomItem *root = dicom_dataset_root(look.dataset);
  g_autofree guint8 *bytes = dicom_item_bytes(root, 0x7fe00010, 100, &n);
  g_assert_cmpmem(bytes, n, expected, sizeof expected);
  assert_text(root, 0x00280006, "0");
  /* Nobody has looked inside the region. */
  g_assert_false(dicom_item_has(root, 0x00280301));
  assert_text(root, 0x00280010, "2");
  assert_text(dicom_item_nested(root, 0x00120064, 1), 0x00080100, "113101");
}

static void
test_rectangles(void)
{
  static const struct {
    const char *photometric;
    guint sign;
    guint16 black;
  } cases[] = {{"MONOCHROME2", 0, 0},
               {"MONOCHROME1", 0, 4095},
               {"MONOCHROME2", 1, 0xf800},
               {"MONOCHROME1", 1, 2047}};
  static const guint16 pixels[6] = {1, 2, 3, 4, 5, 6};
  const DicomRect rects[2] = {{1, 0, 1, 1}, {2, 1, 9, 9}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    Shape shape = grey;
    g_auto(Build) b = {0};
    g_auto(Look) look = {0};
    gsize n;

    shape.photometric = cases[i].photometric;
    shape.sign = cases[i].sign;
    build_start(&b, TS_BIG);
    fill(&b, "CT", "YES", &shape, pixels, sizeof pixels);
    g_autofree char *path = build_write(&b, "rect.dcm");
    g_autofree char *name = g_strdup_printf("rect-%u", i);
    g_autofree char *folder = out_folder(name);
    g_autoptr(DicomDeidReport) report =
        copy_well(path, folder, (DicomDeidOptions){.blank = rects, .n_blank = 2});
    g_assert_true(look_at(&look, report->path));
    const DicomItem *root = dicom_dataset_root(look.dataset);
    g_autofree guint16 *words = dicom_item_words(root, 0x7fe00010, 100, &n);
    const guint16 expected[6] = {1, cases[i].black, 3, 4, 5, cases[i].black};
    g_test_message("%s %u", cases[i].photometric, cases[i].sign);
    g_assert_cmpmem(words, n * 2, expected, sizeof expected);
    g_assert_false(has_bytes(&look, SECRET, strlen(SECRET)));
    assert_text(root, 0x00280301, "NO");
    assert_text(root, 0x00280010, "2"); /* was big endian */
    assert_text(root, 0x00280011, "3");
  }
}

static void
test_code_stream_comment(void)
{
  static const guint8 jpeg[] = {0xff, 0xd8, 0xff, 0xfe, 0,   8,    'S',
                                'E',  'C',  'R',  'E',  'T', 0xff, 0xd9};
  Shape shape = grey;
  g_auto(Build) b = {0};
  g_auto(Look) look = {0};

  build_start(&b, TS_JPEG);
  build_ids(&b);
  build_text(&b, 0x00280301, "CS", "NO");
  build_shape(&b, &shape);
  build_header(&b, 0x7fe00010, "OB", UNDEFINED);
  build_item(&b, 0);
  build_item(&b, sizeof jpeg);
  g_byte_array_append(b.bytes, jpeg, sizeof jpeg);
  build_close(&b);
  g_autofree char *path = build_write(&b, "comment.dcm");
  g_autofree char *folder = out_folder("comment");
  g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});
  g_assert_true(look_at(&look, report->path));
  g_assert_false(has_bytes(&look, SECRET, strlen(SECRET)));
  g_assert_true(has_bytes(&look, "\xff\xfe\0\x08      \xff\xd9", 12));
  g_assert_true(lists(report->cleaned, "PixelData"));
}

/* What the program sees and cannot mend is said. */
static void
test_doubts(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_text(&b, 0x00280301, "CS", "NO");
  build_shape(&b, &grey);
  build_text(&b, 0x00280302, "CS", "YES");
  build_us(&b, 0x60000100, 16);
  build_us(&b, 0x60000102, 12);
  build_words(&b, 0x7fe00010, "OW", grey_pixels, 6);
  g_autofree char *path = build_write(&b, "doubts.dcm");
  g_autofree char *folder = out_folder("doubts");
  g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});
  g_assert_cmpuint(report->unsure->len, ==, 2);
  g_assert_true(lists(report->removed, "OverlayBitPosition"));
}

/* Structured content: texts and local codes become dummies, public codes and numbers stay. */
static void
test_structured(void)
{
  g_auto(Build) b = {0};
  g_auto(Look) look = {0};

  build_start(&b, TS_EXPLICIT);
  build_bytes(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11", 29);
  build_bytes(&b, 0x00080018, "UI", "1.2.3.4", 7);
  build_open(&b, 0x0040a730);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x0040a040, "CS", "TEXT");
  build_open(&b, 0x0040a043);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x00080100, "SH", "121071");
  build_text(&b, 0x00080102, "SH", "DCM");
  build_text(&b, 0x00080104, "LO", "Finding");
  build_item_end(&b);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x00080100, "SH", SECRET);
  build_text(&b, 0x00080102, "SH", "99LOCAL");
  build_text(&b, 0x00080104, "LO", SECRET);
  build_item_end(&b);
  build_close(&b);
  build_open(&b, 0x00401101); /* PersonIdentificationCodeSequence: a public scheme is no excuse */
  build_item(&b, UNDEFINED);
  build_text(&b, 0x00080100, "SH", SECRET);
  build_text(&b, 0x00080102, "SH", "DCM");
  build_text(&b, 0x00080104, "LO", SECRET);
  build_item_end(&b);
  build_close(&b);
  build_text(&b, 0x0040a123, "PN", SECRET "^NAME");
  build_text(&b, 0x0040a160, "UT", "Dr. " SECRET);
  build_item_end(&b);
  build_close(&b);
  g_autofree char *path = build_write(&b, "sr.dcm");
  g_autofree char *folder = out_folder("sr");
  g_autoptr(DicomDeidReport) report = copy_well(path, folder, (DicomDeidOptions){0});
  g_assert_cmpuint(report->unsure->len, ==, 1);
  g_assert_true(look_at(&look, report->path));
  g_assert_false(has_bytes(&look, SECRET, strlen(SECRET)));
  const DicomItem *item = dicom_item_nested(dicom_dataset_root(look.dataset), 0x0040a730, 0);
  assert_text(item, 0x0040a040, "TEXT");
  assert_text(item, 0x0040a160, "ANONYMIZED");
  assert_text(dicom_item_nested(item, 0x0040a043, 0), 0x00080104, "Finding");
  assert_text(dicom_item_nested(item, 0x0040a043, 1), 0x00080104, "ANONYMIZED");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/deid/file/syntaxes", test_syntaxes);
  g_test_add_func("/deid/file/odd-vr", test_odd_vr);
  g_test_add_func("/deid/file/nothing", test_nothing);
  g_test_add_func("/deid/file/deflated", test_deflated);
  g_test_add_func("/deid/file/options", test_options);
  g_test_add_func("/deid/file/never-over", test_never_over);
  g_test_add_func("/deid/file/refused", test_refused);
  g_test_add_func("/deid/file/regions", test_regions);
  g_test_add_func("/deid/file/rectangles", test_rectangles);
  g_test_add_func("/deid/file/code-stream-comment", test_code_stream_comment);
  g_test_add_func("/deid/file/doubts", test_doubts);
  g_test_add_func("/deid/file/structured", test_structured);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
