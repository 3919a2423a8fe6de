/* test-dataset-broken.c - the data set reader: what is broken and read all the same, and what is
 * refused. */
#include "dataset-open.h"
#include "dicom/dataset/pixels.h"

/* The data set of B opens, says DAMAGE (NULL: none), and has MODALITY and, behind it, Rows. */
static void
expect_damage(const Build *b, const char *damage)
{
  g_auto(Opened) opened = open_dataset(b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  const char *said = dicom_dataset_damage(opened.dataset);
  g_autofree char *modality = dicom_item_text(root, 0x00080060);
  double rows;

  g_test_message("%s", said);
  if (damage ? !g_regex_match_simple(damage, said, 0, 0) : said[0] != '\0') {
    g_error("\"%s\" does not match \"%s\"", said, damage ? damage : "");
  }
  g_assert_cmpstr(modality, ==, "CT");
  g_assert_cmpuint(dicom_item_numbers(root, 0x00280010, &rows, 1), ==, 1);
  g_assert_cmpfloat(rows, ==, 3);
}

static void
build_head(Build *b, const char *uid)
{
  build_start(b, uid);
  build_text(b, 0x00080060, "CS", "CT");
}

static void
test_unknown_vr(void)
{
  static const char *const vrs[] = {"??", "\0\0", "XX", "ZZ", "ab", "U "};

  for (guint i = 0; i < G_N_ELEMENTS(vrs); i++) {
    for (guint wide = 0; wide < 2; wide++) {
      g_auto(Build) b = {0};

      build_head(&b, TS_EXPLICIT);
      build_u16(&b, 0x0009);
      build_u16(&b, 0x1001);
      g_byte_array_append(b.bytes, (const guint8 *)vrs[i], 2);
      build_u16(&b, wide ? 0 : 4);
      if (wide) {
        if (!g_ascii_isupper(vrs[i][0]) || !g_ascii_isupper(vrs[i][1])) {
          continue; /* only what may be a newer VR has a 32-bit length */
        }
        build_u32(&b, 4);
      }
      g_byte_array_append(b.bytes, (const guint8 *)"abcd", 4);
      build_us(&b, 0x00280010, 3);
      expect_damage(&b, "\\(0009,1001\\) has no known value representation");
    }
  }
}

/* An element in implicit VR among explicit ones. */
static void
test_mixed_vr(void)
{
  g_auto(Build) b = {0};

  build_head(&b, TS_EXPLICIT);
  b.implicit = TRUE;
  build_bytes(&b, 0x00091001, NULL, "abcd", 4);
  b.implicit = FALSE;
  build_us(&b, 0x00280010, 3);
  expect_damage(&b, "\\(0009,1001\\) has no known value representation");
}

static void
test_other_encoding(void)
{
  for (guint declared = 0; declared < 3; declared++) {
    for (guint real = 0; real < 3; real++) {
      static const char *const uids[] = {TS_IMPLICIT, TS_EXPLICIT, TS_BIG};
      g_auto(Build) b = {0};

      build_start(&b, uids[declared]);
      b.implicit = real == 0;
      b.big = real == 2;
      build_text(&b, 0x00080060, "CS", "CT");
      build_us(&b, 0x00280010, 3);
      expect_damage(&b, declared == real ? NULL : "not encoded as TransferSyntaxUID");
    }
  }
  g_auto(Build) b = {0};
  build_start(&b, TS_DEFLATED);
  build_text(&b, 0x00080060, "CS", "CT");
  build_us(&b, 0x00280010, 3);
  expect_damage(&b, "not encoded as TransferSyntaxUID");
}

static void
test_odd_length(void)
{
  g_auto(Build) b = {0};

  build_head(&b, TS_EXPLICIT);
  build_header(&b, 0x00081030, "LO", 3);
  g_byte_array_append(b.bytes, (const guint8 *)"abc", 3);
  build_us(&b, 0x00280010, 3);
  expect_damage(&b, NULL);
}

/* A sequence that came as UN, of either length, implicit or, against the standard, explicit. */
static void
test_unknown_sequences(void)
{
  for (guint i = 0; i < 4; i++) {
    gboolean defined = i & 1, implicit = i & 2;
    g_auto(Build) b = {0};

    build_head(&b, TS_EXPLICIT);
    build_header(&b, 0x00091001, "UN", defined ? 8 + 12 : UNDEFINED);
    build_item(&b, defined ? 12 : UNDEFINED);
    b.implicit = implicit;
    build_text(&b, 0x00080060, "CS", "abcd");
    b.implicit = FALSE;
    if (!defined) {
      build_item_end(&b);
      build_close(&b);
    }
    build_us(&b, 0x00280010, 3);
    expect_damage(&b, NULL);
    g_auto(Opened) opened = open_dataset(&b);
    const DicomItem *item = dicom_item_nested(dicom_dataset_root(opened.dataset), 0x00091001, 0);
    g_assert_nonnull(item);
    g_autofree char *text = dicom_item_text(item, 0x00080060);
    g_assert_cmpstr(text, ==, "abcd");
  }
}

/* A value that begins like a sequence and is none stays a value, whatever was found inside. */
static void
test_soft_guess(void)
{
  g_auto(Build) b = {0};
  g_auto(Build) value = {.bytes = g_byte_array_new(), .implicit = TRUE};
  gsize n;

  build_item(&value, UNDEFINED);
  build_text(&value, 0x00080060, "CS", "XX");
  build_open(&value, 0x00081115);
  build_item(&value, UNDEFINED);
  build_text(&value, 0x00080061, "CS", "YY");
  build_u32(&value, 0x12345678); /* and here it breaks */
  build_u32(&value, 0x7fffffff);
  build_head(&b, TS_IMPLICIT);
  build_bytes(&b, 0x00091001, NULL, value.bytes->data, value.bytes->len);
  build_us(&b, 0x00280010, 3);
  expect_damage(&b, NULL);
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  g_assert_cmpuint(dicom_item_n_elements(root), ==, 3);
  g_assert_cmpuint(dicom_item_count(root, 0x00091001), ==, 0);
  g_autofree guint8 *bytes = dicom_item_bytes(root, 0x00091001, 1000, &n);
  g_assert_cmpmem(bytes, n, value.bytes->data, value.bytes->len);
}

/* VOILUTSequence written as OB. */
static void
test_sequence_as_bytes(void)
{
  g_auto(Build) b = {0};

  build_head(&b, TS_EXPLICIT);
  build_us(&b, 0x00280010, 3);
  build_header(&b, 0x00283010, "OB", 8 + 10);
  build_item(&b, 10);
  build_text(&b, 0x00283003, "LO", "ab");
  expect_damage(&b, NULL);
  g_auto(Opened) opened = open_dataset(&b);
  g_assert_cmpuint(dicom_item_count(dicom_dataset_root(opened.dataset), 0x00283010), ==, 1);
}

static void
test_structure(void)
{
  /* Missing delimiters at the end. */
  for (guint i = 0; i < 3; i++) {
    g_auto(Build) b = {0};

    build_head(&b, TS_EXPLICIT);
    build_us(&b, 0x00280010, 3);
    build_open(&b, 0x00400275);
    if (i > 0) {
      build_item(&b, UNDEFINED);
      build_text(&b, 0x00400007, "LO", "abcd");
    }
    if (i > 1) {
      build_item_end(&b);
    }
    expect_damage(&b, "ends at byte [0-9]+ inside a sequence");
    g_auto(Opened) opened = open_dataset(&b);
    g_assert_cmpuint(dicom_item_count(dicom_dataset_root(opened.dataset), 0x00400275), ==,
                     i > 0 ? 1 : 0);
  }
  /* The missing end of an item. */
  g_auto(Build) c = {0};
  build_head(&c, TS_EXPLICIT);
  build_open(&c, 0x00081115);
  build_item(&c, UNDEFINED);
  build_text(&c, 0x0020000e, "UI", "1.2");
  build_close(&c);
  build_us(&c, 0x00280010, 3);
  expect_damage(&c, NULL);
  /* Something else where an item should be, in a sequence with and without a length. */
  for (guint i = 0; i < 2; i++) {
    g_auto(Build) d = {0};

    build_head(&d, TS_EXPLICIT);
    build_header(&d, 0x00081115, "SQ", i == 0 ? 10 : UNDEFINED);
    build_text(&d, 0x00081090, "LO", "ab");
    build_us(&d, 0x00280010, 3);
    expect_damage(&d, "\\(0008,1090\\) at byte [0-9]+ stands where a sequence item");
  }
  /* An item longer than its sequence, an element longer than its item. */
  g_auto(Build) e = {0};
  build_head(&e, TS_EXPLICIT);
  build_header(&e, 0x00081115, "SQ", 18);
  build_item(&e, 5000);
  build_text(&e, 0x0020000e, "LO", "ab");
  build_us(&e, 0x00280010, 3);
  g_byte_array_set_size(e.bytes, e.bytes->len);
  expect_damage(&e, "item is said to be 5000 bytes long");
  g_auto(Build) f = {0};
  build_head(&f, TS_EXPLICIT);
  build_header(&f, 0x00081115, "SQ", 18);
  build_item(&f, 10);
  build_header(&f, 0x0020000e, "LO", 8);
  g_byte_array_append(f.bytes, (const guint8 *)"ab", 2);
  build_us(&f, 0x00280010, 3);
  expect_damage(&f, "\\(0020,000E\\) is longer than the item that holds it");
  /* Delimiters that close nothing. */
  g_auto(Build) g = {0};
  build_head(&g, TS_EXPLICIT);
  build_item_end(&g);
  build_close(&g);
  build_item(&g, 0);
  build_us(&g, 0x00280010, 3);
  expect_damage(&g, "\\(FFFE,E00D\\) at byte [0-9]+ is out of place; .*E0DD.*; .*E000");
}

/* Levels of unknown end are over where what holds them is. */
static void
test_limits(void)
{
  g_auto(Build) b = {0};
  build_head(&b, TS_EXPLICIT);
  build_header(&b, 0x00081115, "SQ", 18);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x0020000e, "LO", "ab");
  build_us(&b, 0x00280010, 3);
  expect_damage(&b, "a sequence or item has no end");

  /* Of an item, some bytes are left that are no header. */
  g_auto(Build) c = {0};
  build_head(&c, TS_EXPLICIT);
  build_header(&c, 0x00081115, "SQ", 21);
  build_item(&c, 13);
  build_text(&c, 0x0020000e, "LO", "ab");
  g_byte_array_append(c.bytes, (const guint8 *)"xyz", 3);
  build_us(&c, 0x00280010, 3);
  expect_damage(&c, "an item ends inside the header of an element");

  /* A guess does not reach beyond its value. */
  g_auto(Build) d = {0};
  build_head(&d, TS_IMPLICIT);
  build_header(&d, 0x00091001, NULL, 8);
  build_item(&d, UNDEFINED);
  build_us(&d, 0x00280010, 3);
  expect_damage(&d, NULL);

  /* The sequence at whose inside the file ends keeps what is there. */
  g_auto(Build) e = {0};
  build_head(&e, TS_IMPLICIT);
  build_us(&e, 0x00280010, 3);
  build_header(&e, 0x300a00b0, NULL, 5000);
  build_item(&e, 4000);
  build_text(&e, 0x00080070, "LO", "ab");
  expect_damage(&e, "\\(300A,00B0\\) is said to be 5000 bytes long");
  g_auto(Opened) opened = open_dataset(&e);
  g_assert_cmpuint(dicom_item_count(dicom_dataset_root(opened.dataset), 0x300a00b0), ==, 1);
}

static void
test_ends(void)
{
  static const guint8 zeros[500] = {0};
  static const guint16 words[4] = {1, 2, 3, 4};
  static const char *const rests[] = {"short", "no element at all",
                                      "\xff\xff\xff\xff\xff\xff\xff\xff"};
  DicomPixels pixels;

  for (guint i = 0; i < 5; i++) {
    g_auto(Build) b = {0};
    g_autoptr(GError) error = NULL;

    build_head(&b, TS_EXPLICIT);
    build_us(&b, 0x00280010, 3);
    build_words(&b, 0x7fe00010, "OW", words, 4);
    if (i == 3) {
      g_byte_array_append(b.bytes, zeros, sizeof zeros);
    } else if (i < 3) {
      g_byte_array_append(b.bytes, (const guint8 *)rests[i], (guint)strlen(rests[i]));
    } else {
      g_byte_array_set_size(b.bytes, b.bytes->len - 3);
    }
    expect_damage(&b, i == 0   ? NULL
                      : i == 4 ? "\\(7FE0,0010\\) is said to be 8 bytes long, .* only 5 left"
                               : "[0-9]+ bytes behind the pixels");
    g_auto(Opened) opened = open_dataset(&b);
    g_assert_true(dicom_pixels_find(opened.dataset, "NAME", &pixels, &error));
    g_assert_cmpuint(pixels.length, ==, i == 4 ? 5 : 8);
    g_assert_cmpint(pixels.cut, ==, i == 4);
    dicom_pixels_clear(&pixels);
  }
}

static void
test_cut_fragments(void)
{
  for (guint cut = 0; cut < 14; cut++) {
    g_auto(Build) b = {0};
    g_autoptr(GError) error = NULL;
    DicomPixels pixels;

    build_head(&b, TS_JPEG);
    build_us(&b, 0x00280010, 3);
    build_header(&b, 0x7fe00010, "OB", UNDEFINED);
    build_item(&b, 0);
    build_bytes(&b, 0xfffee000, NULL, "abcdef", 6);
    build_close(&b);
    g_byte_array_set_size(b.bytes, b.bytes->len - cut);
    expect_damage(&b, cut == 0  ? NULL
                      : cut > 8 ? "fragment 1 of PixelData .* 6 bytes long, .* only [0-5] left"
                                : "without a sequence delimitation item");
    g_auto(Opened) opened = open_dataset(&b);
    g_assert_true(dicom_pixels_find(opened.dataset, "NAME", &pixels, &error));
    g_assert_cmpuint(pixels.n_fragments, ==, 1);
    g_assert_cmpuint(pixels.length, ==, cut > 8 ? 14 - cut : 6);
    g_assert_cmpint(pixels.cut, ==, cut > 0);
    dicom_pixels_clear(&pixels);
  }
}

/* What stays refused. */
static void
test_refused(void)
{
  g_auto(Build) b = {0};

  build_head(&b, TS_EXPLICIT);
  for (guint i = 0; i < 65; i++) {
    build_open(&b, 0x00081115);
    build_item(&b, UNDEFINED);
  }
  g_auto(Opened) deep = try_dataset(&b);
  g_assert_error(deep.error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  g_assert_nonnull(strstr(deep.error->message, "NAME: sequences are nested deeper than 64"));

  g_auto(Build) c = {0};
  build_head(&c, TS_IMPLICIT);
  g_byte_array_set_size(c.bytes, c.bytes->len + 2000001 * 8);
  memset(c.bytes->data + c.bytes->len - 2000001 * 8, 0, 2000001 * 8);
  g_auto(Opened) many = try_dataset(&c);
  g_assert_error(many.error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE);
  g_assert_nonnull(strstr(many.error->message, "more than 2000000 elements"));

  g_auto(Build) d = {0};
  build_head(&d, TS_EXPLICIT);
  build_item(&d, 10);
  build_text(&d, 0x00081030, "LO", "ab");
  g_auto(Opened) item = try_dataset(&d);
  g_assert_error(item.error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  g_assert_nonnull(strstr(item.error->message, "(FFFE,E000) at byte"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/dataset/unknown-vr", test_unknown_vr);
  g_test_add_func("/dicom/dataset/mixed-vr", test_mixed_vr);
  g_test_add_func("/dicom/dataset/other-encoding", test_other_encoding);
  g_test_add_func("/dicom/dataset/odd-length", test_odd_length);
  g_test_add_func("/dicom/dataset/unknown-sequences", test_unknown_sequences);
  g_test_add_func("/dicom/dataset/soft-guess", test_soft_guess);
  g_test_add_func("/dicom/dataset/sequence-as-bytes", test_sequence_as_bytes);
  g_test_add_func("/dicom/dataset/structure", test_structure);
  g_test_add_func("/dicom/dataset/limits", test_limits);
  g_test_add_func("/dicom/dataset/ends", test_ends);
  g_test_add_func("/dicom/dataset/cut-fragments", test_cut_fragments);
  g_test_add_func("/dicom/dataset/refused", test_refused);
  return g_test_run();
}
