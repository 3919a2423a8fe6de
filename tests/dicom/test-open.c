/* test-open.c - recognising files, reading headers, and refusing with a message. */
#include "build.h"
#include "dicom.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const Shape small = {.rows = 2,
                            .columns = 3,
                            .samples = 1,
                            .bits = 16,
                            .stored = 12,
                            .high = 11,
                            .photometric = "MONOCHROME2",
                            .planar = -1};
static const guint16 six[6] = {0, 1, 2, 1000, 2000, 4095};

/* A whole good file. */
static void
build_good(Build *b, const char *uid)
{
  build_start(b, uid);
  build_ids(b);
  build_shape(b, &small);
  build_text(b, 0x00281050, "DS", "40\\50.5");
  build_text(b, 0x00281051, "DS", "400\\100");
  build_words(b, 0x7fe00010, "OW", six, 6);
}

static void
expect_pixels(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  gsize n;

  g_assert_no_error(error);
  g_assert_cmpuint(dicom_file_info(file)->rows, ==, 2);
  g_assert_cmpuint(dicom_file_info(file)->columns, ==, 3);
  g_assert_cmpuint(dicom_file_info(file)->frames, ==, 1);
  g_assert_cmpuint(dicom_file_info(file)->window_center->len, ==, 2);
  g_assert_cmpfloat(g_array_index(dicom_file_info(file)->window_center, double, 1), ==, 50.5);
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, 0, &error);
  g_assert_no_error(error);
  const guint8 *stored = dicom_frame_stored(frame, &n);
  g_assert_cmpmem(stored, n, six, sizeof six); /* this machine is little-endian */
  g_assert_null(dicom_file_read_frame(file, 1, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
}

/* The file must be refused with CODE and a message that names it and matches PATTERN. */
static void
expect_refusal(const char *path, gint code, const char *pattern)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_autoptr(DicomFrame) frame = file ? dicom_file_read_frame(file, 0, &error) : NULL;

  g_assert_null(frame);
  g_assert_nonnull(error);
  g_test_message("%s", error->message);
  g_assert_true(error->domain == DICOM_ERROR);
  g_assert_cmpint(error->code, ==, code);
  g_assert_true(g_str_has_prefix(error->message, path));
  if (!g_regex_match_simple(pattern, error->message, 0, 0)) {
    g_error("\"%s\" does not match \"%s\"", error->message, pattern);
  }
}

static void
test_encodings(void)
{
  static const char *const uids[] = {TS_IMPLICIT, TS_EXPLICIT, TS_BIG};

  for (guint i = 0; i < G_N_ELEMENTS(uids); i++) {
    g_auto(Build) b = {0};

    build_good(&b, uids[i]);
    g_autofree char *path = build_write(&b, "encoding.dcm");
    expect_pixels(path);
  }
}

/* Without preamble and meta information, and with a preamble alone. */
static void
test_bare_data_sets(void)
{
  for (guint i = 0; i < 4; i++) {
    g_auto(Build) b = {.implicit = i == 0, .big = i == 2};
    guint8 preamble[132] = {0};

    build_good(&b, NULL);
    if (i == 3) {
      memcpy(preamble + 128, "DICM", 4);
      g_byte_array_prepend(b.bytes, preamble, sizeof preamble);
    }
    g_autofree char *path = build_write(&b, "bare.dcm");
    expect_pixels(path);
  }
}

static void
deflate_rest(Build *b, guint keep)
{
  z_stream z = {0};
  guint8 out[65536];

  g_assert_cmpint(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
  g_autoptr(GByteArray) squeezed = g_byte_array_new();
  z.next_in = b->bytes->data + keep;
  z.avail_in = b->bytes->len - keep;
  do {
    z.next_out = out;
    z.avail_out = sizeof out;
    deflate(&z, Z_FINISH);
    g_byte_array_append(squeezed, out, (guint)(sizeof out - z.avail_out));
  } while (z.avail_out == 0);
  deflateEnd(&z);
  g_byte_array_set_size(b->bytes, keep);
  g_byte_array_append(b->bytes, squeezed->data, squeezed->len);
}

static void
test_deflated(void)
{
  g_auto(Build) b = {0};
  guint meta = 132 + 8 + 22;

  build_good(&b, TS_DEFLATED);
  deflate_rest(&b, meta);
  g_autofree char *path = build_write(&b, "deflated.dcm");
  expect_pixels(path);
  b.bytes->len -= 5;
  g_autofree char *cut = build_write(&b, "deflated-cut.dcm");
  expect_refusal(cut, DICOM_ERROR_CORRUPT, "deflated data set ends early");
  memset(b.bytes->data + meta, 0xff, 8);
  g_autofree char *bad = build_write(&b, "deflated-bad.dcm");
  expect_refusal(bad, DICOM_ERROR_CORRUPT, "deflated data set is damaged");
}

/* 300 MB of zeros in 300 kB. */
static void
test_deflate_bomb(void)
{
  g_auto(Build) b = {0};
  gsize n = (gsize)300 << 20;
  g_autofree guint8 *zeros = g_malloc0(n);

  build_start(&b, TS_DEFLATED);
  guint meta = b.bytes->len;
  build_ids(&b);
  build_bytes(&b, 0x7fe00010, "OW", zeros, n);
  deflate_rest(&b, meta);
  g_assert_cmpuint(b.bytes->len, <, 1 << 20);
  g_autofree char *path = build_write(&b, "bomb.dcm");
  expect_refusal(path, DICOM_ERROR_TOO_LARGE, "larger than 256 MiB");
}

static void
test_info(void)
{
  g_autoptr(GError) error = NULL;
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080005, "CS", "ISO_IR 100");
  build_ids(&b);
  build_text(&b, 0x00080020, "DA", "20240102");
  build_text(&b, 0x00081030, "LO",
             "Thorax \xfc"
             "ber");
  build_text(&b, 0x00100010, "PN", "M\xfcller^Anna");
  build_text(&b, 0x00180050, "DS", "2.5");
  build_text(&b, 0x00181164, "DS", "0.2\\0.3");
  build_text(&b, 0x0020000e, "UI", "1.2.3");
  build_text(&b, 0x00200011, "IS", "7");
  build_text(&b, 0x00200013, "IS", "-3");
  build_text(&b, 0x00200032, "DS", "1\\2\\3.5");
  build_text(&b, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
  build_shape(&b, &small);
  build_text(&b, 0x00281050, "DS", "40");
  build_text(&b, 0x00281051, "DS", "400");
  build_text(&b, 0x00281052, "DS", "-1024");
  build_text(&b, 0x00281053, "DS", "2");
  build_text(&b, 0x00281055, "LO", "BRAIN\\BONE");
  build_text(&b, 0x00281056, "CS", "SIGMOID");
  build_text(&b, 0x00282110, "CS", "01");
  build_text(&b, 0x20500020, "CS", "INVERSE");
  build_words(&b, 0x7fe00010, "OW", six, 6);
  g_autofree char *path = build_write(&b, "info.dcm");
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  const DicomInfo *info = dicom_file_info(file);
  g_assert_cmpint(info->kind, ==, DICOM_KIND_DICOM);
  g_assert_cmpstr(info->path, ==, path);
  g_assert_cmpstr(info->transfer_syntax, ==, TS_EXPLICIT);
  g_assert_cmpstr(info->sop_instance_uid, ==, "1.2.3.4");
  g_assert_cmpstr(info->series_instance_uid, ==, "1.2.3");
  g_assert_cmpstr(info->study_date, ==, "20240102");
  g_assert_cmpstr(info->study_description, ==, "Thorax über");
  g_assert_cmpstr(info->patient_name, ==, "Müller^Anna");
  g_assert_cmpstr(info->voi_lut_function, ==, "SIGMOID");
  g_assert_cmpstr(info->spacing_source, ==, "ImagerPixelSpacing");
  g_assert_cmpstr(info->patient_id, ==, "");
  g_assert_cmpuint(info->window_explanation->len, ==, 2);
  g_assert_cmpstr(info->window_explanation->pdata[1], ==, "BONE");
  g_assert_cmpint(info->series_number, ==, 7);
  g_assert_cmpint(info->instance_number, ==, -3);
  g_assert_true(info->has_position && info->has_orientation && info->has_spacing);
  g_assert_cmpfloat(info->position[2], ==, 3.5);
  g_assert_cmpfloat(info->orientation[4], ==, 1);
  g_assert_cmpfloat(info->spacing[0], ==, 0.2);
  g_assert_cmpfloat(info->spacing[1], ==, 0.3);
  g_assert_cmpfloat(info->slice_thickness, ==, 2.5);
  g_assert_true(info->has_rescale && info->has_bits && info->inverse_shape && info->lossy);
  g_assert_false(info->has_planar || info->has_modality_lut);
  g_assert_cmpfloat(info->slope, ==, 2);
  g_assert_cmpfloat(info->intercept, ==, -1024);
}

static void
test_other_syntaxes(void)
{
  static const struct {
    const char *uid, *pattern;
  } cases[] = {
      {"1.2.840.10008.1.2.4.103", "1\\.2\\.840\\.10008\\.1\\.2\\.4\\.103 \\(MPEG-4 AVC/H.264 "
                                  "BD-compatible High Profile\\) is video"},
      {"1.2.840.10008.1.2.4.108", "4\\.108 \\(HEVC/H.265 Main 10 Profile\\) is video"},
      {"1.2.840.10008.1.2.4.94", "4\\.94 \\(JPIP Referenced\\) .* uses no network"},
      {"1.2.840.10008.1.2.4.58", "4\\.58 \\(JPEG Lossless \\(Process 15\\)\\) is a retired form"},
      {"1.2.840.10008.1.2.9.77", "2\\.9\\.77 is newer than this program"},
      {"1.2.840.113619.5.2", "1\\.2\\.840\\.113619\\.5\\.2 is a maker's own"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(Build) b = {0};

    build_good(&b, cases[i].uid);
    g_autofree char *path = build_write(&b, "syntax.dcm");
    expect_refusal(path, DICOM_ERROR_UNSUPPORTED, cases[i].pattern);
  }
}

static void
test_no_image(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11");
  g_autofree char *path = build_write(&b, "sr.dcm");
  expect_refusal(path, DICOM_ERROR_UNSUPPORTED,
                 "is no image: SOPClassUID is 1\\.2\\.840\\.10008\\.5\\.1\\.4\\.1\\.1\\.88\\.11 "
                 "\\(Basic Text SR");
}

static void
test_not_dicom(void)
{
  g_autofree char *text = build_write_bytes("text", "Hello, this is a letter to a friend.", 36);
  g_autofree char *empty = build_write_bytes("empty", "", 0);
  g_autofree char *missing = g_build_filename(build_folder(), "missing", NULL);
  g_autofree char *fifo = g_build_filename(build_folder(), "fifo", NULL);

  expect_refusal(text, DICOM_ERROR_FORMAT, "neither DICOM, JPEG nor PNG");
  expect_refusal(empty, DICOM_ERROR_FORMAT, "is empty");
  expect_refusal(missing, DICOM_ERROR_IO, "cannot be opened");
  expect_refusal(build_folder(), DICOM_ERROR_IO, "not a regular file");
  g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
  expect_refusal(fifo, DICOM_ERROR_IO, "not a regular file");
}

/* Every prefix of a good file is refused, and none of them brings the program down. */
static void
test_every_prefix(void)
{
  static const char *const uids[] = {TS_IMPLICIT, TS_EXPLICIT, TS_BIG};

  for (guint i = 0; i < G_N_ELEMENTS(uids); i++) {
    g_auto(Build) b = {0};

    build_good(&b, uids[i]);
    for (gsize n = 0; n < b.bytes->len; n++) {
      g_autofree char *path = build_write_bytes("prefix.dcm", b.bytes->data, n);
      g_autoptr(GError) error = NULL;
      g_autoptr(DicomFile) file = dicom_file_open(path, &error);

      /* Cut between two elements it is a header without pixels, and well formed. */
      g_assert_true(!file || dicom_file_info(file)->content == DICOM_CONTENT_OTHER);
      g_autoptr(DicomFrame) frame = file ? dicom_file_read_frame(file, 0, &error) : NULL;
      g_assert_null(frame);
      g_assert_true(error && error->domain == DICOM_ERROR &&
                    g_str_has_prefix(error->message, path));
    }
  }
}

/* Every byte of the data set changed in three ways: whatever comes out, error and result agree. */
static void
test_every_byte(void)
{
  static const guint8 values[] = {0x00, 0x80, 0xff};
  g_auto(Build) b = {0};

  build_good(&b, TS_EXPLICIT);
  for (guint at = 132; at < b.bytes->len; at++) {
    for (guint k = 0; k < G_N_ELEMENTS(values); k++) {
      guint8 held = b.bytes->data[at];
      g_autoptr(GError) error = NULL;

      b.bytes->data[at] = values[k];
      g_autofree char *path = build_write(&b, "byte.dcm");
      b.bytes->data[at] = held;
      g_autoptr(DicomFile) file = dicom_file_open(path, &error);
      g_assert_true((file == NULL) == (error != NULL));
      g_autoptr(DicomFrame) frame = file ? dicom_file_read_frame(file, 0, &error) : NULL;
      g_assert_true((frame == NULL) == (error != NULL));
    }
  }
}

/* DEPTH sequences in each other, of undefined or defined length. */
static char *
write_nested(guint depth, gboolean implicit, gboolean defined)
{
  g_auto(Build) b = {0};

  build_start(&b, implicit ? TS_IMPLICIT : TS_EXPLICIT);
  build_ids(&b);
  for (guint i = 0; i < depth; i++) {
    /* In explicit VR 12 + 8 bytes a level, in implicit 8 + 8. */
    guint32 level = implicit ? 16 : 20, rest = (depth - i) * level - (implicit ? 8 : 12);

    build_header(&b, 0x00081115, "SQ", defined ? rest : UNDEFINED);
    build_item(&b, defined ? rest - 8 : UNDEFINED);
  }
  for (guint i = 0; i < depth && !defined; i++) {
    build_item_end(&b);
    build_close(&b);
  }
  build_shape(&b, &small);
  build_words(&b, 0x7fe00010, "OW", six, 6);
  return build_write(&b, "nested.dcm");
}

static void
test_nesting(void)
{
  for (guint i = 0; i < 4; i++) {
    gboolean implicit = i & 1, defined = i & 2;
    g_autoptr(GError) error = NULL;
    g_autofree char *fine = write_nested(64, implicit, defined);
    g_autoptr(DicomFile) file = dicom_file_open(fine, &error);

    g_assert_no_error(error);
    g_autofree char *deep = write_nested(65, implicit, defined);
    expect_refusal(deep, DICOM_ERROR_CORRUPT, "nested deeper than 64");
    g_autofree char *abyss = write_nested(200000, implicit, defined);
    expect_refusal(abyss, DICOM_ERROR_CORRUPT, "nested deeper than 64");
  }
}

/* A value that only looks like a sequence is no reason to refuse, in implicit VR. */
static void
test_no_sequence(void)
{
  static const guint8 looks[12] = {0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4};
  g_autoptr(GError) error = NULL;
  g_auto(Build) b = {0};

  build_start(&b, TS_IMPLICIT);
  build_ids(&b);
  build_bytes(&b, 0x00091001, "OB", looks, sizeof looks);
  build_shape(&b, &small);
  build_words(&b, 0x7fe00010, "OW", six, 6);
  g_autofree char *path = build_write(&b, "looks.dcm");
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
}

static void
test_lying_structure(void)
{
  g_auto(Build) a = {0};
  build_start(&a, TS_EXPLICIT);
  build_ids(&a);
  build_header(&a, 0x00091001, "OB", 0x7ffffff0);
  g_autofree char *element = build_write(&a, "element.dcm");
  expect_refusal(element, DICOM_ERROR_CORRUPT,
                 "\\(0009,1001\\) is said to be 2147483632 bytes long, .* only 0 left");

  g_auto(Build) b = {0};
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_open(&b, 0x00081115);
  build_item(&b, 5000);
  g_autofree char *item = build_write(&b, "item.dcm");
  expect_refusal(item, DICOM_ERROR_CORRUPT, "item is said to be 5000 bytes");

  g_auto(Build) c = {0};
  build_start(&c, TS_EXPLICIT);
  build_ids(&c);
  build_open(&c, 0x00081115);
  build_text(&c, 0x00080060, "CS", "CT");
  g_autofree char *no_item = build_write(&c, "no-item.dcm");
  expect_refusal(no_item, DICOM_ERROR_CORRUPT, "\\(0008,0060\\) .*sequence item was expected");

  g_auto(Build) d = {0};
  build_start(&d, TS_EXPLICIT);
  build_close(&d);
  g_autofree char *stray = build_write(&d, "stray.dcm");
  expect_refusal(stray, DICOM_ERROR_CORRUPT, "\\(FFFE,E0DD\\) at byte [0-9]+ is out of place");

  g_auto(Build) e = {0};
  build_start(&e, TS_JPEG);
  build_ids(&e);
  build_header(&e, 0x7fe00010, "OB", UNDEFINED);
  build_item(&e, 0);
  g_autofree char *no_end = build_write(&e, "no-end.dcm");
  expect_refusal(no_end, DICOM_ERROR_CORRUPT, "without a sequence delimitation item");
}

/* A file whose pixel module is SHAPE, with N_WORDS words of pixels. */
static char *
write_shape(const Shape *shape, gsize n_words)
{
  g_auto(Build) b = {0};
  g_autofree guint16 *words = g_new0(guint16, n_words + 1);

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, shape);
  build_words(&b, 0x7fe00010, "OW", words, n_words);
  return build_write(&b, "shape.dcm");
}

static void
test_lying_shape(void)
{
  static const struct {
    Shape shape;
    gint code;
    const char *pattern;
  } cases[] = {
      {{65535, 65535, 1, 1, 16, 16, 15, 0, "MONOCHROME2", -1},
       DICOM_ERROR_TOO_LARGE,
       "Rows 65535 x Columns 65535"},
      {{300, 300, 1, 1, 16, 16, 15, 0, "MONOCHROME2", -1},
       DICOM_ERROR_CORRUPT,
       "PixelData has 12 bytes; Rows 300 .* needs 180000"},
      {{2, 3, 2, 1, 16, 16, 15, 0, "MONOCHROME2", -1}, DICOM_ERROR_CORRUPT, "needs 24"},
      {{2, 3, 200000, 1, 16, 16, 15, 0, "MONOCHROME2", -1},
       DICOM_ERROR_CORRUPT,
       "NumberOfFrames is 200000"},
      {{0, 3, 1, 1, 16, 16, 15, 0, "MONOCHROME2", -1}, DICOM_ERROR_CORRUPT, "Rows is 0"},
      {{2, 3, 1, 1, 12, 12, 11, 0, "MONOCHROME2", -1},
       DICOM_ERROR_UNSUPPORTED,
       "BitsAllocated is 12"},
      {{2, 3, 1, 1, 16, 12, 11, 2, "MONOCHROME2", -1},
       DICOM_ERROR_CORRUPT,
       "PixelRepresentation is 2"},
      {{2, 3, 1, 3, 8, 8, 7, 0, "MONOCHROME2", 0},
       DICOM_ERROR_UNSUPPORTED,
       "\"MONOCHROME2\" with SamplesPerPixel 3"},
      {{2, 3, 1, 1, 16, 12, 11, 0, "HSV", -1}, DICOM_ERROR_UNSUPPORTED, "\"HSV\""},
      {{2, 2, 1, 3, 8, 8, 7, 0, "RGB", 2}, DICOM_ERROR_CORRUPT, "PlanarConfiguration is 2"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = write_shape(&cases[i].shape, 6);

    expect_refusal(path, cases[i].code, cases[i].pattern);
  }
}

static void
test_missing_attributes(void)
{
  g_auto(Build) b = {0};
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_words(&b, 0x7fe00010, "OW", six, 6);
  g_autofree char *nothing = build_write(&b, "nothing.dcm");
  expect_refusal(nothing, DICOM_ERROR_CORRUPT, "Rows is missing");

  g_auto(Build) c = {0};
  build_start(&c, TS_EXPLICIT);
  build_ids(&c);
  build_text(&c, 0x00280008, "IS", "1A");
  Shape shape = small;
  shape.frames = 0;
  build_shape(&c, &shape);
  build_words(&c, 0x7fe00010, "OW", six, 6);
  g_autofree char *frames = build_write(&c, "frames.dcm");
  expect_refusal(frames, DICOM_ERROR_CORRUPT, "NumberOfFrames is not a number");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/open/encodings", test_encodings);
  g_test_add_func("/dicom/open/bare-data-sets", test_bare_data_sets);
  g_test_add_func("/dicom/open/deflated", test_deflated);
  g_test_add_func("/dicom/open/deflate-bomb", test_deflate_bomb);
  g_test_add_func("/dicom/open/info", test_info);
  g_test_add_func("/dicom/open/other-syntaxes", test_other_syntaxes);
  g_test_add_func("/dicom/open/no-image", test_no_image);
  g_test_add_func("/dicom/open/not-dicom", test_not_dicom);
  g_test_add_func("/dicom/open/every-prefix", test_every_prefix);
  g_test_add_func("/dicom/open/every-byte", test_every_byte);
  g_test_add_func("/dicom/open/nesting", test_nesting);
  g_test_add_func("/dicom/open/no-sequence", test_no_sequence);
  g_test_add_func("/dicom/open/lying-structure", test_lying_structure);
  g_test_add_func("/dicom/open/lying-shape", test_lying_shape);
  g_test_add_func("/dicom/open/missing-attributes", test_missing_attributes);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
