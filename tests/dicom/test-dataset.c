/* test-dataset.c - the data set reader: values, sequences, what is broken and read all the same. */
#include "build.h"
#include "dicom.h"
#include "dicom/dataset.h"
#include "dicom/pixels.h"

#include <math.h>

typedef struct {
  DicomSource *source;
  DicomDataset *dataset;
  GError *error;
} Opened;

static void
opened_clear(Opened *opened)
{
  g_clear_pointer(&opened->dataset, dicom_dataset_free);
  g_clear_pointer(&opened->source, dicom_source_free);
  g_clear_error(&opened->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

/* DATASET or ERROR is set. */
static Opened
try_dataset(const Build *b)
{
  Opened opened = {
      .source = dicom_source_memory(g_memdup2(b->bytes->data, b->bytes->len), b->bytes->len)};
  DicomMeta meta;

  if (dicom_meta_read(opened.source, "NAME", &meta, &opened.error)) {
    opened.dataset = dicom_dataset_read(opened.source, "NAME", &meta, &opened.error);
  }
  return opened;
}

static Opened
open_dataset(const Build *b)
{
  Opened opened = try_dataset(b);

  g_assert_no_error(opened.error);
  return opened;
}

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

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/dataset/numbers", test_numbers);
  g_test_add_func("/dicom/dataset/sequences", test_sequences);
  g_test_add_func("/dicom/dataset/character-sets", test_character_sets);
  g_test_add_func("/dicom/dataset/large-values", test_large_values);
  g_test_add_func("/dicom/dataset/native-pixels", test_native_pixels);
  g_test_add_func("/dicom/dataset/fragments", test_fragments);
  return g_test_run();
}
