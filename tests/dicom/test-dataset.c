/* test-dataset.c - the data set reader: values, sequences, pixels, elements in file order. */
#include "dataset-open.h"
#include "dicom/dataset/pixels.h"

static void
test_numbers(void)
{
  g_auto(Build) b = {0};
  build_start(&b, TS_EXPLICIT);
  const float fl[2] = {1.5f, -2.25f};
  const guint16 us[3] = {1, 65535, 7};
  double v[4];

  build_text(&b, 0x00181060, "DS", "1.5\\-2e3\\ 7 ");
  build_bytes(&b, 0x00189073, "FL", fl, 8);
  build_text(&b, 0x00200011, "IS", "12");
  build_text(&b, 0x00200013, "IS", "1A");
  build_text(&b, 0x00201041, "DS", "1e999");
  build_words(&b, 0x00283002, "US", us, 3);
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00181060, v, 4), ==, 3);
  g_assert_cmpfloat(v[0], ==, 1.5);
  g_assert_cmpfloat(v[1], ==, -2000);
  g_assert_cmpfloat(v[2], ==, 7);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00181060, v, 1), ==, 1);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00189073, v, 4), ==, 2);
  g_assert_cmpfloat(v[1], ==, -2.25);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00200011, v, 4), ==, 1);
  g_assert_cmpfloat(v[0], ==, 12);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00200013, v, 4), ==, 0);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00201041, v, 4), ==, 0);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00283002, v, 4), ==, 3);
  g_assert_cmpfloat(v[1], ==, 65535);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00280010, v, 4), ==, 0);
  g_assert_true(dicom_item_has(root, 0x00200013));
  g_assert_false(dicom_item_has(root, 0x00280010));
}

static void
test_sequences(void)
{
  g_auto(Build) b = {0};
  build_start(&b, TS_EXPLICIT);
  static const guint16 words[3] = {1, 0x8001, 3};

  build_open(&b, 0x00283010);
  for (guint i = 0; i < 2; i++) {
    build_item(&b, UNDEFINED);
    build_text(&b, 0x00283003, "LO", i == 0 ? "first" : "second");
    build_words(&b, 0x00283006, "OW", words, 3);
    build_item_end(&b);
  }
  build_close(&b);
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  g_assert_cmpuint(dicom_item_count(root, 0x00283010), ==, 2);
  g_assert_cmpuint(dicom_item_count(root, 0x00283000), ==, 0);
  g_assert_null(dicom_item_nested(root, 0x00283010, 2));
  g_assert_null(dicom_item_nested(root, 0x00283000, 0));
  const DicomItem *item = dicom_item_nested(root, 0x00283010, 1);
  g_autofree char *text = dicom_item_text(item, 0x00283003);
  g_assert_cmpstr(text, ==, "second");
  gsize n;
  g_autofree guint16 *read = dicom_item_words(item, 0x00283006, 10, &n);
  g_assert_cmpmem(read, n * 2, words, 6);
  g_assert_null(dicom_item_words(item, 0x00283006, 2, &n));
  g_assert_cmpuint(n, ==, 0);
  g_assert_null(dicom_item_words(root, 0x00283010, 1000, &n));
  g_assert_cmpuint(dicom_item_count(item, 0x00283003), ==, 0);
}

static void
test_character_sets(void)
{
  static const struct {
    const char *charset, *raw, *expected;
  } cases[] = {
      {"ISO_IR 100", "\xc4nne", "Änne"},
      {"ISO_IR 192", "\xe7\x8e\x8b", "王"},
      {"ISO_IR 144", "\xbb\xee\xda", "Люк"},
      {"GB18030", "\xcd\xf5", "王"},
      /* The examples of PS3.5 annex H.3. */
      {"\\ISO 2022 IR 87", "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
       "Yamada^Tarou=山田^太郎"},
      {"ISO 2022 IR 13\\ISO 2022 IR 87",
       "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"},
      {"\\ISO 2022 IR 149", "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7",
       "Hong^Gildong=洪^吉洞"},
      {"ISO_IR 192", "\xff\xfe", "��"},
      {"ISO_IR 999", "\xc4", "�"},
      /* In a name, '^' is a delimiter. */
      {"ISO 2022 IR 100\\ISO 2022 IR 126", "\x1b-F\xc4^\xc4", "Δ^Ä"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(Build) b = {0};
    build_start(&b, TS_EXPLICIT);

    build_text(&b, 0x00080005, "CS", cases[i].charset);
    build_text(&b, 0x00100010, "PN", cases[i].raw);
    g_auto(Opened) opened = open_dataset(&b);
    g_autofree char *text = dicom_item_text(dicom_dataset_root(opened.dataset), 0x00100010);
    g_assert_cmpstr(text, ==, cases[i].expected);
    g_autofree char *none = dicom_item_text(dicom_dataset_root(opened.dataset), 0x00100020);
    g_assert_cmpstr(none, ==, "");
  }
}

/* Values of any size are read from the right place. */
static void
test_large_values(void)
{
  g_auto(Build) b = {0};
  g_autofree guint16 *words = g_new(guint16, 30000);
  gsize n;

  build_start(&b, TS_EXPLICIT);
  for (guint i = 0; i < 30000; i++) {
    words[i] = (guint16)(i * 3);
  }
  build_words(&b, 0x00281201, "OW", words, 30000);
  build_text(&b, 0x00400280, "ST", "behind");
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  g_autofree guint16 *read = dicom_item_words(root, 0x00281201, 65536, &n);
  g_assert_cmpmem(read, n * 2, words, 60000);
  g_assert_null(dicom_item_words(root, 0x00281201, 29999, &n));
  g_autofree guint8 *bytes = dicom_item_bytes(root, 0x00281201, 60000, &n);
  g_assert_cmpmem(bytes, n, words, 60000);
  g_autofree char *text = dicom_item_text(root, 0x00400280);
  g_assert_cmpstr(text, ==, "behind");
}

static void
test_native_pixels(void)
{
  static const guint16 words[4] = {0x0102, 0x0304, 0x0506, 0x0708};

  for (guint big = 0; big < 2; big++) {
    g_auto(Build) b = {0};
    g_autoptr(GError) error = NULL;
    DicomPixels pixels;
    guint16 part[2];
    guint8 bytes[3];

    build_start(&b, big ? TS_BIG : TS_EXPLICIT);
    build_us(&b, 0x00280010, 2);
    build_words(&b, 0x7fe00010, "OW", words, 4);
    g_auto(Opened) opened = open_dataset(&b);
    g_assert_true(dicom_pixels_find(opened.dataset, "NAME", &pixels, &error));
    g_assert_cmphex(pixels.tag, ==, 0x7fe00010);
    g_assert_cmpuint(pixels.length, ==, 8);
    g_assert_false(pixels.encapsulated || pixels.cut);
    g_assert_true(
        dicom_pixels_native(&pixels, opened.source, "NAME", 2, 2, (guint8 *)part, 4, &error));
    g_assert_cmpmem(part, 4, words + 1, 4);
    /* Single bytes from the middle of words: in OW they are turned too. */
    g_assert_true(dicom_pixels_native(&pixels, opened.source, "NAME", 1, 1, bytes, 3, &error));
    g_assert_cmpmem(bytes, 3, (const guint8 *)words + 1, 3);
    g_assert_false(
        dicom_pixels_native(&pixels, opened.source, "NAME", 6, 2, (guint8 *)part, 4, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
    g_assert_true(g_str_has_prefix(error->message, "NAME: "));
    dicom_pixels_clear(&pixels);
  }
}

/* Four fragments in all; TABLE of offsets or none. */
static void
build_fragments(Build *b, const guint32 *table, guint n_table)
{
  build_start(b, TS_JPEG);
  build_us(b, 0x00280002, 1);
  build_header(b, 0x7fe00010, "OB", UNDEFINED);
  build_item(b, n_table * 4);
  for (guint i = 0; i < n_table; i++) {
    build_u32(b, table[i]);
  }
  build_bytes(b, 0xfffee000, NULL, "\xff\xd8\xff\xe0", 4);
  build_bytes(b, 0xfffee000, NULL, "efghij", 6);
  build_bytes(b, 0xfffee000, NULL, "\xff\xd8\xff\xdb", 4);
  build_bytes(b, 0xfffee000, NULL, "kl", 2);
  build_close(b);
}

static void
test_fragments(void)
{
  static const guint32 good[2] = {0, 26}, bad[2] = {0, 25};

  for (guint i = 0; i < 3; i++) {
    g_auto(Build) b = {0};
    g_autoptr(GError) error = NULL;
    DicomPixels pixels;
    guint first, last;
    gsize n;

    build_fragments(&b, i == 0 ? good : bad, i == 2 ? 0 : 2);
    g_auto(Opened) opened = open_dataset(&b);
    g_assert_cmpstr(dicom_dataset_damage(opened.dataset), ==, "");
    g_assert_true(dicom_pixels_find(opened.dataset, "NAME", &pixels, &error));
    g_assert_true(pixels.encapsulated);
    g_assert_cmpuint(pixels.n_fragments, ==, 4);
    g_assert_cmpuint(pixels.length, ==, 16);
    g_assert_true(dicom_pixels_frame(&pixels, opened.source, "NAME", 0, 2, &first, &last, &error));
    g_assert_cmpuint(first, ==, 0);
    g_assert_cmpuint(last, ==, 1);
    g_assert_true(dicom_pixels_frame(&pixels, opened.source, "NAME", 1, 2, &first, &last, &error));
    g_assert_cmpuint(first, ==, 2);
    g_assert_cmpuint(last, ==, 3);
    g_autofree guint8 *joined = dicom_pixels_join(&pixels, opened.source, "NAME", 0, 1, &n, &error);
    g_assert_cmpmem(joined, n,
                    "\xff\xd8\xff\xe0"
                    "efghij",
                    10);
    for (guint k = 0; k < 16; k++) {
      g_assert_cmphex(joined[n + k], ==, 0);
    }
    g_assert_true(dicom_pixels_frame(&pixels, opened.source, "NAME", 0, 1, &first, &last, &error));
    g_assert_cmpuint(last, ==, 3);
    g_assert_true(dicom_pixels_frame(&pixels, opened.source, "NAME", 3, 4, &first, &last, &error));
    g_assert_cmpuint(first, ==, 3);
    g_assert_false(dicom_pixels_frame(&pixels, opened.source, "NAME", 2, 3, &first, &last, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_null(dicom_pixels_join(&pixels, opened.source, "NAME", 3, 4, &n, &error));
    g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
    dicom_pixels_clear(&pixels);
  }
}

/* ---- elements in file order --------------------------------------------------------------------
 */

static void
test_elements(void)
{
  g_auto(Build) b = {0};
  DicomElementInfo info;

  build_start(&b, TS_EXPLICIT);
  gsize start = b.bytes->len;
  build_text(&b, 0x00080060, "CS", "CT");
  build_open(&b, 0x00081115);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x0020000e, "UI", "1.2");
  build_item_end(&b);
  build_item(&b, 0);
  build_close(&b);
  build_header(&b, 0x7fe00010, "OB", UNDEFINED);
  build_item(&b, 0);
  build_bytes(&b, 0xfffee000, NULL, "abcd", 4);
  build_close(&b);
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  g_assert_cmpuint(dicom_item_n_elements(root), ==, 3);
  g_assert_true(dicom_item_element(root, 0, &info));
  g_assert_cmphex(info.tag, ==, 0x00080060);
  g_assert_cmpstr(info.vr, ==, "CS");
  g_assert_cmpuint(info.header, ==, start);
  g_assert_cmpuint(info.value, ==, start + 8);
  g_assert_cmpuint(info.end, ==, start + 10);
  g_assert_true(info.explicit_vr && !info.big_endian && !info.is_sequence);
  g_assert_true(dicom_item_element(root, 1, &info));
  g_assert_true(info.is_sequence && info.length == UNDEFINED);
  g_assert_cmpuint(info.n_items, ==, 2);
  g_assert_cmpuint(info.header, ==, start + 10);
  guint64 behind = info.end;
  const DicomItem *item = dicom_item_element_item(root, 1, 0);
  g_assert_true(dicom_item_element(item, 0, &info));
  g_assert_cmphex(info.tag, ==, 0x0020000e);
  g_assert_cmpuint(dicom_item_n_elements(dicom_item_element_item(root, 1, 1)), ==, 0);
  g_assert_null(dicom_item_element_item(root, 1, 2));
  g_assert_null(dicom_item_element_item(root, 0, 0));
  g_assert_true(dicom_item_element(root, 2, &info));
  g_assert_true(info.is_fragments);
  g_assert_cmpuint(info.header, ==, behind);
  g_assert_cmpuint(info.end, ==, b.bytes->len);
  g_assert_false(dicom_item_element(root, 3, &info));
}

/* In implicit VR only the tag says what a value is. */
static void
test_implicit(void)
{
  g_auto(Build) b = {0};
  const double fd = 0.25;
  double v[4];

  build_start(&b, TS_IMPLICIT);
  build_bytes(&b, 0x0018602c, "FD", &fd, 8);
  build_text(&b, 0x00200013, "IS", " 12 ");
  build_us(&b, 0x00280010, 0x3030); /* which is "00" in ASCII */
  build_us(&b, 0x60000010, 7);
  build_us(&b, 0x60020010, 8);
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  g_assert_cmpuint(dicom_item_numbers(root, 0x0018602c, v, 4), ==, 1);
  g_assert_cmpfloat(v[0], ==, 0.25);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00200013, v, 4), ==, 1);
  g_assert_cmpfloat(v[0], ==, 12);
  g_assert_cmpuint(dicom_item_numbers(root, 0x00280010, v, 4), ==, 1);
  g_assert_cmpfloat(v[0], ==, 0x3030);
  g_assert_cmpuint(dicom_item_numbers(root, 0x60000010, v, 4), ==, 1);
  g_assert_cmpuint(dicom_item_numbers(root, 0x60020010, v, 4), ==, 1);
  g_assert_cmpfloat(v[0], ==, 8);
  g_autofree char *text = dicom_item_text(root, 0x00280010);
  g_assert_cmpstr(text, ==, "12336");
}

static void
test_text(void)
{
  g_auto(Build) b = {0};
  const guint16 us[2] = {1, 65535};
  const float fl = 0.1f;

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080008, "CS", "ORIGINAL \\ PRIMARY\\ ");
  build_bytes(&b, 0x00080018, "UI", "1.2\0", 4);
  build_text(&b, 0x00080060, "CS", "    ");
  build_bytes(&b, 0x00189073, "FL", &fl, 4);
  build_text(&b, 0x00204000, "LT", " a \\ b ");
  build_words(&b, 0x00283002, "US", us, 2);
  build_bytes(&b, 0x00420011, "OB", "abcd", 4);
  g_auto(Opened) opened = open_dataset(&b);
  const DicomItem *root = dicom_dataset_root(opened.dataset);
  static const struct {
    guint32 tag;
    const char *text;
  } cases[] = {
      {0x00080008, "ORIGINAL\\PRIMARY\\"},
      {0x00080018, "1.2"},
      {0x00080060, ""},
      {0x00189073, "0.100000001"},
      {0x00204000, "a \\ b"},
      {0x00283002, "1\\65535"},
      {0x00420011, ""},
      {0x00420012, ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = dicom_item_text(root, cases[i].tag);

    g_assert_cmpstr(text, ==, cases[i].text);
  }
  g_assert_false(dicom_item_has(root, 0x00080060));
  g_assert_true(dicom_item_has(root, 0x00420011));
}

/* Few and many elements from the last to the first, some of them twice: the first of two counts. */
static void
test_no_order(void)
{
  static const guint sizes[] = {2, 64, 65, 5000};

  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_auto(Build) b = {0};
    build_start(&b, TS_EXPLICIT);
    for (guint k = sizes[i]; k > 0; k--) {
      g_autofree char *text = g_strdup_printf("%u", k);
      build_text(&b, 0x00410000 + 2 * k, "LO", text);
      if (k % 7 == 0) {
        build_text(&b, 0x00410000 + 2 * k, "LO", "again");
      }
    }
    g_auto(Opened) opened = open_dataset(&b);
    const DicomItem *root = dicom_dataset_root(opened.dataset);
    for (guint k = 1; k <= sizes[i]; k++) {
      g_autofree char *text = dicom_item_text(root, 0x00410000 + 2 * k);
      g_autofree char *expected = g_strdup_printf("%u", k);
      g_assert_cmpstr(text, ==, expected);
      g_assert_false(dicom_item_has(root, 0x00410001 + 2 * k));
    }
    g_assert_false(dicom_item_has(root, 0));
    g_assert_false(dicom_item_has(root, 0xffffffff));
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/dataset/numbers", test_numbers);
  g_test_add_func("/dicom/dataset/sequences", test_sequences);
  g_test_add_func("/dicom/dataset/no-order", test_no_order);
  g_test_add_func("/dicom/dataset/character-sets", test_character_sets);
  g_test_add_func("/dicom/dataset/large-values", test_large_values);
  g_test_add_func("/dicom/dataset/native-pixels", test_native_pixels);
  g_test_add_func("/dicom/dataset/fragments", test_fragments);
  g_test_add_func("/dicom/dataset/elements", test_elements);
  g_test_add_func("/dicom/dataset/implicit", test_implicit);
  g_test_add_func("/dicom/dataset/text", test_text);
  return g_test_run();
}
