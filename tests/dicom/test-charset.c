/* test-charset.c - text in every character set of PS3.3 C.12.1.1.2. The examples are those of PS3.5
 * annexes H to K, and the names in the files that pydicom ships, which pydicom reads the same. */
#include "dicom.h"
#include "dicom/dataset/dataset.h"
#include "shared.h"

#include <string.h>

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data/charset_files"

typedef struct {
  const char *charsets, *raw, *expected;
} Case;

static void
expect(const Case *cases, guint n, gboolean is_name)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *text =
        dicom_charset_to_utf8(cases[i].raw, strlen(cases[i].raw), cases[i].charsets, is_name);

    g_assert_cmpstr(text, ==, cases[i].expected);
  }
}

static void
test_single_byte(void)
{
  static const Case cases[] = {
      {"", "plain", "plain"},
      {"ISO_IR 6", "plain", "plain"},
      {"ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme"},
      {"ISO_IR 101", "\xb3\xb6", "łś"},
      {"ISO_IR 109", "\xa6\xb6", "Ĥĥ"},
      {"ISO_IR 110", "\xe0", "ā"},
      {"ISO_IR 144", "\xbb\xee\xda\x63\x65\xdc\xd1yp\xd3", "Люкceмбypг"},
      {"ISO_IR 127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"},
      {"ISO_IR 126", "\xc4\xe9\xef\xed", "Διον"},
      {"ISO_IR 138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"},
      {"ISO_IR 148", "\xfe\xdd", "şİ"},
      {"ISO_IR 203", "\xa4", "€"},
      {"ISO_IR 166", "\xa1\xd2", "กา"},
      {"ISO_IR 13", "\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"},
  };

  expect(cases, G_N_ELEMENTS(cases), TRUE);
}

static void
test_whole(void)
{
  static const Case cases[] = {
      {"ISO_IR 192", "Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1",
       "Wang^XiaoDong=王^小東"},
      {"GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"},
      {"GBK", "\xcd\xf5", "王"},
      /* The second byte of a character may look like a backslash, and is none. */
      {"GB18030", "\x81\x5c\\\xcd\xf5", "乗\\王"},
  };

  expect(cases, G_N_ELEMENTS(cases), TRUE);
}

static void
test_escapes(void)
{
  static const Case cases[] = {
      /* Annex H.3, with 94-character sets, and katakana before. */
      {"\\ISO 2022 IR 87",
       "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
       "Yamada^Tarou=山田^太郎=やまだ^たろう"},
      {"ISO 2022 IR 13\\ISO 2022 IR 87",
       "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^"
       "\x1b$B$?$m$&\x1b(J",
       "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"},
      {"\\ISO 2022 IR 87\\ISO 2022 IR 159", "\x1b$(D\x30\x21\x1b(B", "丂"},
      /* In a two-byte set, what looks like a delimiter is half a character. */
      {"\\ISO 2022 IR 87", "\x1b$B\x30\x5c\x30\x5e\x30\x3d\x1b(B\\a", "移緯綾\\a"},
      /* Annex I.2. */
      {"\\ISO 2022 IR 149",
       "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6"
       "\xb5\xbf",
       "Hong^Gildong=洪^吉洞=홍^길동"},
      /* Without the second escape, as some write it. */
      {"\\ISO 2022 IR 149", "\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7", "洪^吉洞"},
      {"ISO 2022 IR 149", "\xfb\xf3", "洪"},
      /* Annex K.2. */
      {"\\ISO 2022 IR 58",
       "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东="},
      /* Single-byte sets with code extensions, and the return to the first at delimiters. */
      {"ISO 2022 IR 100\\ISO 2022 IR 126", "\xc4\x1b-F\xc4^\xc4", "ÄΔ^Ä"},
      {"ISO 2022 IR 100\\ISO 2022 IR 126", "\x1b-F\xc4\\\xc4\n\x1b-F\xc4", "Δ\\Ä\nΔ"},
      {"ISO 2022 IR 6\\ISO 2022 IR 144", "\x1b-L\xbb\xee\xda", "Люк"},
      {"ISO 2022 IR 100\\ISO 2022 IR 166", "\x1b-T\xa1", "ก"},
      {"ISO 2022 IR 100\\ISO 2022 IR 203", "\x1b-b\xa4", "€"},
      {"ISO 2022 IR 6\\ISO 2022 IR 13", "\x1b)I\xd4", "ﾔ"},
  };
  static const Case no_name[] = {
      {"ISO 2022 IR 100\\ISO 2022 IR 126", "\x1b-F\xc4^\xc4", "Δ^Δ"},
  };

  expect(cases, G_N_ELEMENTS(cases), TRUE);
  expect(no_name, G_N_ELEMENTS(no_name), FALSE);
}

/* What people write, and what they mean by it. */
static void
test_wrong_names(void)
{
  static const Case cases[] = {
      {"ISO IR 100", "\xc4", "Ä"},
      {"ISO_IR100", "\xc4", "Ä"},
      {"ISO-IR 100", "\xc4", "Ä"},
      {"ISO_IR_100", "\xc4", "Ä"},
      {"iso_ir 100 ", "\xc4", "Ä"},
      {"ISO 8859-1", "\xc4", "Ä"},
      {"ISO-8859-1", "\xc4", "Ä"},
      {"latin-1", "\xc4", "Ä"},
      {"latin1", "\xc4", "Ä"},
      {"ISO_IR 2022 100", "\xc4", "\xef\xbf\xbd"},
      {"ISO-8859-15", "\xa4", "€"},
      {"UTF-8", "\xe7\x8e\x8b", "王"},
      {"utf8", "\xe7\x8e\x8b", "王"},
      {"ISO 2022 IR 192", "\xe7\x8e\x8b", "王"},
      {"GB2312", "\xcd\xf5", "王"},
      {"ISO 2022 IR 144", "\xbb", "Л"},
      {"Shift_JIS", "\xd4", "ﾔ"},
      /* Nothing or nonsense is named: UTF-8 speaks for itself, other bytes are illegible. */
      {"", "\xe7\x8e\x8b", "王"},
      {"ISO_IR 999", "\xe7\x8e\x8b", "王"},
      {"ISO_IR 999", "\xc4", "\xef\xbf\xbd"},
      {"ISO_IR 192", "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
  };

  expect(cases, G_N_ELEMENTS(cases), TRUE);
}

/* Illegible bytes are replaced one by one; what is around them stays. */
static void
test_illegible(void)
{
  static const Case cases[] = {
      {"ISO_IR 138",
       "a\xdf\xf9"
       "b",
       "a‗שb"},
      {"ISO_IR 138",
       "a\xc0\xf9"
       "b",
       "a\xef\xbf\xbdשb"},
      {"\\ISO 2022 IR 149", "\x1b$)C\xc9\xa1\xfb\xf3", "\xef\xbf\xbd洪"},
      {"\\ISO 2022 IR 149", "\x1b$)C\xfb", "\xef\xbf\xbd"},
      {"\\ISO 2022 IR 87", "\x1b$B;3E", "山\xef\xbf\xbd"},
      {"\\ISO 2022 IR 87", "a\x1b", "a"},
      {"\\ISO 2022 IR 87", "a\x1b$", "a"},
      {"\\ISO 2022 IR 87", "a\x1b(?b", "ab"},
  };

  expect(cases, G_N_ELEMENTS(cases), TRUE);
}

/* Whatever the bytes and the names are, UTF-8 comes out. */
static void
test_any_bytes(void)
{
  static const char *const charsets[] = {"",
                                         "ISO_IR 100",
                                         "ISO_IR 127",
                                         "ISO_IR 166",
                                         "ISO_IR 13",
                                         "ISO_IR 192",
                                         "GB18030",
                                         "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159",
                                         "\\ISO 2022 IR 149",
                                         "\\ISO 2022 IR 58",
                                         "\\\\\\\\",
                                         "ISO 2022 IR 100\\ISO 2022 IR 101\\ISO 2022 IR 109"};
  static const char *const escapes[] = {"\x1b$B", "\x1b$(D", "\x1b$)C", "\x1b$)A",
                                        "\x1b-F", "\x1b(J",  "\x1b)I"};
  g_autoptr(GRand) draw = g_rand_new_with_seed(7);

  for (guint i = 0; i < 2000; i++) {
    g_autoptr(GString) raw = g_string_new(NULL);

    for (guint k = 0; k < 12; k++) {
      if (g_rand_int_range(draw, 0, 6) == 0) {
        g_string_append(raw, escapes[g_rand_int_range(draw, 0, G_N_ELEMENTS(escapes))]);
      } else {
        g_string_append_c(raw, (char)g_rand_int_range(draw, 1, 256));
      }
    }
    g_autofree char *text = dicom_charset_to_utf8(
        raw->str, raw->len, charsets[i % G_N_ELEMENTS(charsets)], g_rand_boolean(draw));
    g_assert_true(g_utf8_validate(text, -1, NULL));
  }
}

/* ---- files -------------------------------------------------------------------------------------
 */

static char *
name_in(const char *path, guint32 sequence)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomSource) source = dicom_source_open(path, &error);
  DicomMeta meta;

  g_assert_no_error(error);
  g_assert_true(dicom_meta_read(source, path, &meta, &error));
  g_autoptr(DicomDataset) dataset = dicom_dataset_read(source, path, &meta, &error);
  g_assert_no_error(error);
  const DicomItem *item = dicom_dataset_root(dataset);
  item = sequence ? dicom_item_nested(item, sequence, 0) : item;
  g_assert_nonnull(item);
  return dicom_item_text(item, 0x00100010);
}

static void
test_files(void)
{
  static const struct {
    const char *file, *name;
    guint32 sequence; /* in whose first item the name is */
  } files[] = {
      {"chrArab.dcm", "قباني^لنزار", 0},
      {"chrFren.dcm", "Buc^Jérôme", 0},
      {"chrFrenMulti.dcm", "Buc^Jérôme", 0},
      {"chrGerm.dcm", "Äneas^Rüdiger", 0},
      {"chrGreek.dcm", "Διονυσιος", 0},
      {"chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう", 0},
      {"chrH32.dcm", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", 0},
      {"chrHbrw.dcm", "שרון^דבורה", 0},
      {"chrI2.dcm", "Hong^Gildong=洪^吉洞=홍^길동", 0},
      {"chrJapMulti.dcm", "やまだ^たろう", 0},
      {"chrJapMultiExplicitIR6.dcm", "やまだ^たろう", 0},
      {"chrKoreanMulti.dcm", "김희중", 0},
      {"chrRuss.dcm", "Люкceмбypг", 0},
      /* The item has a SpecificCharacterSet of its own; in the second it is the data set's. */
      {"chrSQEncoding.dcm", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", 0x00321064},
      {"chrSQEncoding1.dcm", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", 0x00321064},
      {"chrX1.dcm", "Wang^XiaoDong=王^小東=", 0},
      {"chrX2.dcm", "Wang^XiaoDong=王^小东=", 0},
  };
  g_autofree char *corpus = shared_path("corpus/dicom/charsets");
  const char *const folders[] = {PYDICOM, corpus};
  guint n = 0;

  for (guint k = 0; k < G_N_ELEMENTS(folders) && folders[k]; k++) {
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
      g_autofree char *path = g_build_filename(folders[k], files[i].file, NULL);

      if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_autofree char *name = name_in(path, files[i].sequence);

        g_assert_cmpstr(name, ==, files[i].name);
        n++;
      }
    }
  }
  g_test_message("%u files", n);
  g_assert_cmpuint(n, >=, G_N_ELEMENTS(files));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/charset/single-byte", test_single_byte);
  g_test_add_func("/dicom/charset/whole", test_whole);
  g_test_add_func("/dicom/charset/escapes", test_escapes);
  g_test_add_func("/dicom/charset/wrong-names", test_wrong_names);
  g_test_add_func("/dicom/charset/illegible", test_illegible);
  g_test_add_func("/dicom/charset/any-bytes", test_any_bytes);
  g_test_add_func("/dicom/charset/files", test_files);
  return g_test_run();
}
