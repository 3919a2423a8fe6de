/* test-bridge.c - DCMTK behind its C header: attributes, character sets, fragments, silence. */
#include "build.h"
#include "dicom/bridge/bridge.h"
#include "dicom.h"

#include <math.h>
#include <stdio.h>

static DicomBridge *
open_bridge(Build *b, guint64 start)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = build_write(b, "bridge.dcm");
  DicomBridge *bridge = dicom_bridge_open(path, "NAME", start, TS_EXPLICIT, &error);

  g_assert_no_error(error);
  return bridge;
}

static guint64
start_explicit(Build *b)
{
  build_start(b, TS_EXPLICIT);
  return b->bytes->len;
}

static void
test_numbers(void)
{
  g_auto(Build) b = {0};
  guint64 start = start_explicit(&b);
  const float fl[2] = {1.5f, -2.25f};
  const guint16 us[3] = {1, 65535, 7};
  double v[4];

  build_text(&b, 0x00181060, "DS", "1.5\\-2e3\\ 7 ");
  build_bytes(&b, 0x00189073, "FL", fl, 8);
  build_text(&b, 0x00200011, "IS", "12");
  build_text(&b, 0x00200013, "IS", "1A");
  build_text(&b, 0x00201041, "DS", "1e999");
  build_words(&b, 0x00283002, "US", us, 3);
  g_autoptr(DicomBridge) bridge = open_bridge(&b, start);
  const DicomItem *root = dicom_bridge_root(bridge);
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
  guint64 start = start_explicit(&b);
  static const guint16 words[3] = {1, 0x8001, 3};

  build_open(&b, 0x00283010);
  for (guint i = 0; i < 2; i++) {
    build_item(&b, UNDEFINED);
    build_text(&b, 0x00283003, "LO", i == 0 ? "first" : "second");
    build_words(&b, 0x00283006, "OW", words, 3);
    build_item_end(&b);
  }
  build_close(&b);
  g_autoptr(DicomBridge) bridge = open_bridge(&b, start);
  const DicomItem *root = dicom_bridge_root(bridge);
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
    guint64 start = start_explicit(&b);

    build_text(&b, 0x00080005, "CS", cases[i].charset);
    build_text(&b, 0x00100010, "PN", cases[i].raw);
    g_autoptr(DicomBridge) bridge = open_bridge(&b, start);
    g_autofree char *text = dicom_item_text(dicom_bridge_root(bridge), 0x00100010);
    g_assert_cmpstr(text, ==, cases[i].expected);
    g_autofree char *none = dicom_item_text(dicom_bridge_root(bridge), 0x00100020);
    g_assert_cmpstr(none, ==, "");
  }
}

/* Values above the header limit stay on disk and are read from the right place. */
static void
test_large_values(void)
{
  g_auto(Build) b = {0};
  guint64 start = start_explicit(&b);
  g_autofree guint16 *words = g_new(guint16, 30000);
  g_autoptr(GError) error = NULL;
  guint16 part[3];
  gsize n;

  for (guint i = 0; i < 30000; i++) {
    words[i] = (guint16)(i * 3);
  }
  build_words(&b, 0x00281201, "OW", words, 30000);
  build_words(&b, 0x7fe00010, "OW", words, 30000);
  g_autoptr(DicomBridge) bridge = open_bridge(&b, start);
  g_autofree guint16 *read = dicom_item_words(dicom_bridge_root(bridge), 0x00281201, 65536, &n);
  g_assert_cmpmem(read, n * 2, words, 60000);
  g_assert_false(dicom_bridge_is_encapsulated(bridge));
  g_assert_true(dicom_bridge_native(bridge, 0x7fe00010, 59994, part, 6, &error));
  g_assert_cmpmem(part, 6, words + 29997, 6);
  g_assert_false(dicom_bridge_native(bridge, 0x7fe00010, 59996, part, 6, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  g_assert_true(g_str_has_prefix(error->message, "NAME: "));
  g_clear_error(&error);
  g_assert_false(dicom_bridge_native(bridge, 0x7fe00008, 0, part, 6, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
}

static void
test_fragments(void)
{
  g_auto(Build) b = {0};
  g_autoptr(GError) error = NULL;
  guint8 head[8];
  gsize got, length, n;
  guint fragment;

  build_start(&b, TS_RLE);
  guint64 start = b.bytes->len;
  build_us(&b, 0x00280002, 1);
  build_header(&b, 0x7fe00010, "OB", UNDEFINED);
  build_item(&b, 0);
  build_bytes(&b, 0xfffee000, NULL, "abcd", 4);
  build_bytes(&b, 0xfffee000, NULL, "efghij", 6);
  build_close(&b);
  g_autofree char *path = build_write(&b, "fragments.dcm");
  g_autoptr(DicomBridge) bridge = dicom_bridge_open(path, "NAME", start, TS_RLE, &error);
  g_assert_no_error(error);
  g_assert_true(dicom_bridge_is_encapsulated(bridge));
  g_assert_true(dicom_bridge_peek_fragment(bridge, 2, head, 3, &got, &length, &error));
  g_assert_cmpmem(head, got, "efg", 3);
  g_assert_cmpuint(length, ==, 6);
  g_assert_true(dicom_bridge_first_fragment(bridge, 1, 2, &fragment, &error));
  g_assert_cmpuint(fragment, ==, 2);
  g_autofree guint8 *joined = dicom_bridge_join_fragments(bridge, 1, 2, 100, &n, &error);
  g_assert_cmpmem(joined, n, "abcdefghij", 10);
  g_assert_null(dicom_bridge_join_fragments(bridge, 1, 2, 9, &n, &error));
  g_clear_error(&error);
  g_assert_false(dicom_bridge_peek_fragment(bridge, 3, head, 3, &got, &length, &error));
  g_clear_error(&error);
  g_assert_false(dicom_bridge_first_fragment(bridge, 2, 3, &fragment, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
}

static void
test_names(void)
{
  g_autoptr(GError) error = NULL;

  g_assert_true(dicom_bridge_init(&error));
  g_assert_cmpstr(dicom_bridge_uid_name("1.2.840.10008.5.1.4.1.1.2"), ==, "CTImageStorage");
  g_assert_null(dicom_bridge_uid_name("1.2.3.4.5"));
}

/* The environment may name a dictionary that is not there. */
static void
test_dictionary(void)
{
  if (g_test_subprocess()) {
    g_auto(Build) b = {0};
    g_autoptr(GError) error = NULL;

    g_setenv("DCMDICTPATH", "/nowhere/dicom.dic", TRUE);
    build_start(&b, TS_IMPLICIT);
    guint64 start = b.bytes->len;
    build_open(&b, 0x00081115);
    build_item(&b, 14);
    build_text(&b, 0x0020000e, "UI", "1.2.3");
    build_close(&b);
    build_text(&b, 0x00200011, "IS", "12");
    g_autofree char *path = build_write(&b, "implicit.dcm");
    g_autoptr(DicomBridge) bridge = dicom_bridge_open(path, "NAME", start, TS_IMPLICIT, &error);
    double value;

    g_assert_no_error(error);
    g_assert_cmpuint(dicom_item_count(dicom_bridge_root(bridge), 0x00081115), ==, 1);
    g_assert_cmpuint(dicom_item_numbers(dicom_bridge_root(bridge), 0x00200011, &value, 1), ==, 1);
    build_remove(build_folder());
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
}

/* DCMTK prints nothing, though it has much to say about this file. */
static void
test_silence(void)
{
  if (g_test_subprocess()) {
    g_auto(Build) b = {0};
    guint64 start = start_explicit(&b);

    build_text(&b, 0x00080060, "CS", "CT");
    build_text(&b, 0x00080020, "??", "x");
    build_bytes(&b, 0x00100010, "US", "abc", 3);
    build_text(&b, 0x00080060, "CS", "MR");
    g_autofree char *path = build_write(&b, "noise.dcm");
    DicomBridge *bridge = dicom_bridge_open(path, "NAME", start, TS_EXPLICIT, NULL);
    g_clear_pointer(&bridge, dicom_bridge_free);
    build_remove(build_folder());
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/bridge/numbers", test_numbers);
  g_test_add_func("/dicom/bridge/sequences", test_sequences);
  g_test_add_func("/dicom/bridge/character-sets", test_character_sets);
  g_test_add_func("/dicom/bridge/large-values", test_large_values);
  g_test_add_func("/dicom/bridge/fragments", test_fragments);
  g_test_add_func("/dicom/bridge/names", test_names);
  g_test_add_func("/dicom/bridge/dictionary", test_dictionary);
  g_test_add_func("/dicom/bridge/silence", test_silence);
  int rc = g_test_run();
  build_remove(build_folder());
  return rc;
}
