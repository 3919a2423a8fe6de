/* test-deid-value.c - the table of de-identification, and values in the place of others. */
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "dicom/bridge/dictionary.h"
#include "dicom/deid/deid.h"
#include "shared.h"

static const guint8 key[32] = "0123456789abcdef0123456789abcde";
static const guint8 other_key[32] = "another key of thirty-two bytes";

static void
test_table_order(void)
{
  guint n, n_patterns, unknown = 0;
  const DicomDeidRow *rows = dicom_deid_rows(&n);

  dicom_deid_patterns(&n_patterns);
  g_assert_cmpuint(n + n_patterns, ==, 621);
  for (guint i = 0; i < n; i++) {
    char vr[3];
    const char *keyword;

    g_assert_true(i == 0 || rows[i - 1].tag < rows[i].tag);
    g_assert_true(dicom_deid_row(rows[i].tag) == &rows[i]);
    if (dicom_bridge_attribute(rows[i].tag, vr, &keyword)) {
      g_assert_cmpstr(keyword, ==, rows[i].keyword);
      g_assert_cmpstr(vr, ==, rows[i].vr);
    } else {
      unknown++;
    }
  }
  /* Attributes that are newer than Debian 12's DCMTK. */
  g_assert_cmpuint(unknown, <=, 20);
  g_assert_null(dicom_deid_row(0x00280010));
  g_assert_nonnull(dicom_deid_row(0x00091001));
  g_assert_cmpstr(dicom_deid_row(0x601e3000)->keyword, ==, "OverlayData");
  g_assert_cmpstr(dicom_deid_row(0x50043000)->keyword, ==, "CurveData");
}

/* Small letters and digits, without "'s" and notes. */
static char *
plain(const char *name)
{
  GString *out = g_string_new(NULL);

  for (const char *p = name; *p && *p != '\n'; p++) {
    /* A typographic apostrophe is three bytes. */
    gsize quote = *p == '\'' ? 1 : g_str_has_prefix(p, "\u2019") ? 3 : 0;

    if (quote > 0 && p[quote] == 's') {
      p += quote;
    } else if (g_ascii_isalnum(*p)) {
      g_string_append_c(out, g_ascii_tolower(*p));
    }
  }
  return g_string_free(out, FALSE);
}

static guint
options_of(JsonObject *object)
{
  const struct {
    const char *column;
    char letter;
    guint option;
  } columns[] = {{"rtnLongModifDatesOpt", 'C', DICOM_DEID_DATES},
                 {"rtnDevIdOpt", 'K', DICOM_DEID_DEVICE},
                 {"rtnDevIdOpt", 'C', DICOM_DEID_DEVICE_C},
                 {"cleanDescOpt", 'C', DICOM_DEID_DESC},
                 {"cleanGraphOpt", 'C', DICOM_DEID_GRAPH},
                 {"cleanStructContOpt", 'C', DICOM_DEID_CONTENT}};
  guint options = 0;

  for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
    const char *value = json_object_get_string_member_with_default(object, columns[i].column, "");
    if (value[0] == columns[i].letter) {
      options |= columns[i].option;
    }
  }
  return options;
}

static void
check_row(JsonObject *object)
{
  const char *id = json_object_get_string_member(object, "id");
  g_autofree char *name = plain(json_object_get_string_member(object, "name"));
  g_autofree char *tag_text = g_strdup(id);
  guint64 tag = 0x00090000;

  g_strdelimit(tag_text, "x", '0');
  if (!g_str_has_prefix(id, "gggg")) {
    g_assert_true(g_ascii_string_to_unsigned(tag_text, 16, 0, G_MAXUINT32, &tag, NULL));
  }
  const DicomDeidRow *row = dicom_deid_row((guint32)tag);
  g_assert_nonnull(row);
  g_autofree char *keyword = plain(row->keyword);
  g_test_message("%s", id);
  g_assert_cmpstr(keyword, ==, name);
  g_assert_cmpstr(dicom_deid_code_name(row->code), ==,
                  json_object_get_string_member(object, "basicProfile"));
  g_assert_cmpuint(row->options, ==, options_of(object));
}

static void
test_table_standard(void)
{
  g_autofree char *path =
      shared_path("corpus/dicom-standard/confidentiality_profile_attributes.json");
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;

  if (!path) {
    return;
  }
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  JsonArray *array = json_node_get_array(json_parser_get_root(parser));
  g_assert_cmpuint(json_array_get_length(array), ==, 621);
  for (guint i = 0; i < json_array_get_length(array); i++) {
    check_row(json_array_get_object_element(array, i));
  }
}

static void
test_uid(void)
{
  char a[65], b[65];
  g_autofree char *both = NULL;

  dicom_deid_uid(key, "1.2.3.4", a);
  dicom_deid_uid(key, "1.2.3.4", b);
  g_assert_cmpstr(a, ==, b);
  g_assert_true(g_str_has_prefix(a, "2.25.") && strlen(a) <= 44);
  g_assert_true(a[5] != '0');
  g_assert_cmpuint(strspn(a, "0123456789."), ==, strlen(a));
  dicom_deid_uid(key, "1.2.3.5", b);
  g_assert_cmpstr(a, !=, b);
  dicom_deid_uid(other_key, "1.2.3.4", b);
  g_assert_cmpstr(a, !=, b);
  both = dicom_deid_uids(key, "1.2.3.4 \\1.2.840.10008.1.2.1\\");
  g_autofree char *expected = g_strdup_printf("%s\\1.2.840.10008.1.2.1\\", a);
  g_assert_cmpstr(both, ==, expected);
  /* Under the standard's root, but not the standard's. */
  g_autofree char *alien = dicom_deid_uids(key, "1.2.840.10008.9.9.9.9");
  g_assert_true(g_str_has_prefix(alien, "2.25."));
  g_assert_true(dicom_deid_uid_is_class(0x00080016));
  g_assert_false(dicom_deid_uid_is_class(0x00080018));
}

/* HMAC-SHA256("0123…", "uid" NUL "1.2.3.4") with the UUID bits set, computed by Python's hmac. */
static void
test_uid_known(void)
{
  char uid[65];

  dicom_deid_uid(key, "1.2.3.4", uid);
  g_assert_cmpstr(uid, ==, "2.25.305365083146354260756362693493163934135");
}

static void
test_pseudonym(void)
{
  char a[17], b[17];

  dicom_deid_pseudonym(key, "patient", "id\n4711", a);
  dicom_deid_pseudonym(key, "patient", "id\n4711", b);
  g_assert_cmpstr(a, ==, b);
  g_assert_cmpuint(strlen(a), ==, 16);
  g_assert_null(strpbrk(a, "AEIOUaeiou"));
  dicom_deid_pseudonym(key, "accession", "id\n4711", b);
  g_assert_cmpstr(a, !=, b);
}

static void
test_dates(void)
{
  static const struct {
    const char *before;
    guint days;
    const char *after; /* NULL: refused */
  } cases[] = {
      {"20240301", 1, "20240229"},
      {"20230301", 1, "20230228"},
      {"2004.01.19", 19, "20031231"},
      {"20240301\\20240302", 1, "20240229\\20240301"},
      {"20240301123456.123+0100", 1, "20240229123456.123+0100"},
      {"202403", 31, "202402"},
      {"2024", 366, "2023"},
      {"", 5, ""},
      {"\\20240302", 1, "\\20240301"},
      {"20241301", 1, NULL},
      {"20240230", 1, NULL},
      {"yesterday", 1, NULL},
      {"20240301 Miller", 1, NULL},
      {"20240", 1, NULL},
      {"00010101", 400, NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *after = dicom_deid_shift(cases[i].before, cases[i].days);
    g_assert_cmpstr(after, ==, cases[i].after);
  }
  g_assert_cmpuint(dicom_deid_days(key, "id\n1"), ==, dicom_deid_days(key, "id\n1"));
  for (guint i = 0; i < 200; i++) {
    g_autofree char *patient = g_strdup_printf("id\n%u", i);
    guint days = dicom_deid_days(key, patient);
    g_assert_true(days >= 30 && days < 3680);
  }
}

static void
test_clean(void)
{
  static const struct {
    const char *before, *after;
  } cases[] = {
      {"CT Chest w/ contrast, Dr. Miller", "CT Chest w contrast"},
      {"AX T2 FLAIR 4711", "AX T2 FLAIR"},
      {"Schädel", ""},
      {"M\xc3\xbcller HEADACHE", ""},
      {"", ""},
      {"x", ""},
      {"headheadheadheadheadhead", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *after = dicom_deid_clean(cases[i].before);
    g_assert_cmpstr(after, ==, cases[i].after);
  }
}

/* Every word of the vocabulary is found, which it would not be if the order were wrong. */
static void
test_clean_vocabulary(void)
{
  static const char all[] = "2D ABD AX CHEST COR CT DX FLAIR HEAD KNEE LIVER MR NECK PA SAG SPINE "
                            "T1 T2 US WRIST XA XRAY";
  g_autofree char *after = dicom_deid_clean(all);

  g_assert_cmpstr(after, ==, all);
}

static void
test_word(void)
{
  g_assert_true(dicom_deid_has_word("scan of Miller", "MILLER"));
  g_assert_true(dicom_deid_has_word("Miller", "Miller"));
  g_assert_true(dicom_deid_has_word("Millers/miller", "MILLER"));
  g_assert_false(dicom_deid_has_word("Millers", "MILLER"));
  g_assert_false(dicom_deid_has_word("aMiller", "MILLER"));
  g_assert_false(dicom_deid_has_word("Mill", "MILLER"));
  g_assert_false(dicom_deid_has_word("", "MILLER"));
}

static void
test_comments(void)
{
  static const guint8 jpeg[] = {
      0xff, 0xd8, 0xff, 0xe0, 0,    16, 'J', 'F', 'I', 'F',  0,    1,   1,    0,    0,  1, 0,
      1,    0,    0,    0xff, 0xfe, 0,  7,   'M', 'i', 'l',  'l',  'r', 0xff, 0xe1, 0,  6, 'E',
      'x',  'i',  'f',  0xff, 0xda, 0,  4,   1,   2,   0xff, 0xfe, 0,   4,    'n',  'o'};
  static const guint8 j2k[] = {0xff, 0x4f, 0xff, 0x64, 0, 8, 0, 1, 'N', 'a', 'm', 'e', 0xff, 0x90};
  g_autoptr(GArray) a = dicom_deid_comments(jpeg, sizeof jpeg);
  g_autoptr(GArray) b = dicom_deid_comments(j2k, sizeof j2k);

  g_assert_cmpuint(a->len, ==, 2);
  g_assert_cmpuint(g_array_index(a, DicomDeidRange, 0).start, ==, 24);
  g_assert_cmpuint(g_array_index(a, DicomDeidRange, 0).n, ==, 5);
  g_assert_cmpuint(g_array_index(a, DicomDeidRange, 1).start, ==, 33);
  g_assert_cmpuint(g_array_index(a, DicomDeidRange, 1).n, ==, 4);
  g_assert_cmpuint(b->len, ==, 1);
  g_assert_cmpuint(g_array_index(b, DicomDeidRange, 0).start, ==, 8);
  g_assert_cmpuint(g_array_index(b, DicomDeidRange, 0).n, ==, 4);
  /* A length beyond the end, cut heads, nothing. */
  for (gsize n = 0; n < sizeof jpeg; n++) {
    g_autofree guint8 *cut = g_memdup2(jpeg, n);
    g_autoptr(GArray) ranges = dicom_deid_comments(cut, n);
    for (guint i = 0; i < ranges->len; i++) {
      const DicomDeidRange *range = &g_array_index(ranges, DicomDeidRange, i);
      g_assert_cmpuint(range->start + range->n, <=, n);
    }
  }
}

static DicomDeidRule
rule_for(const DicomDeidOptions *options, guint32 tag, const char *vr, gboolean is_sequence)
{
  DicomElementInfo info = {
      .tag = tag, .length = 4, .explicit_vr = TRUE, .is_sequence = is_sequence};

  g_strlcpy(info.vr, vr, sizeof info.vr);
  return dicom_deid_rule(options, &info, DICOM_DEID_NORMAL, FALSE);
}

static void
test_rules(void)
{
  static const DicomDeidOptions basic = {0}, all = {.modified_dates = TRUE,
                                                    .retain_device = TRUE,
                                                    .clean_descriptors = TRUE,
                                                    .clean_graphics = TRUE};
  static const struct {
    guint32 tag;
    const char *vr;
    gboolean is_sequence;
    DicomDeidAct basic, all;
  } cases[] = {
      {0x00100010, "PN", FALSE, DICOM_DEID_ACT_PSEUDONYM, DICOM_DEID_ACT_PSEUDONYM},
      {0x00100030, "DA", FALSE, DICOM_DEID_ACT_EMPTY, DICOM_DEID_ACT_EMPTY},
      {0x00080020, "DA", FALSE, DICOM_DEID_ACT_EMPTY, DICOM_DEID_ACT_SHIFT},
      {0x00080030, "TM", FALSE, DICOM_DEID_ACT_EMPTY, DICOM_DEID_ACT_KEEP},
      {0x00080018, "UI", FALSE, DICOM_DEID_ACT_UID, DICOM_DEID_ACT_UID},
      {0x00080016, "UI", FALSE, DICOM_DEID_ACT_KEEP, DICOM_DEID_ACT_KEEP},
      {0x00081030, "LO", FALSE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_CLEAN},
      {0x00181000, "LO", FALSE, DICOM_DEID_ACT_DUMMY, DICOM_DEID_ACT_KEEP},
      {0x00081010, "SH", FALSE, DICOM_DEID_ACT_DUMMY, DICOM_DEID_ACT_KEEP},
      {0x00880200, "SQ", TRUE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      {0x00081140, "SQ", TRUE, DICOM_DEID_ACT_KEEP, DICOM_DEID_ACT_KEEP},
      {0x00280010, "US", FALSE, DICOM_DEID_ACT_KEEP, DICOM_DEID_ACT_KEEP},
      /* text in the place of a number, a sequence in the place of text, unknown, private */
      {0x00280010, "LO", FALSE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      {0x00080070, "SQ", TRUE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      {0x00fe0001, "LO", FALSE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      {0x00090010, "LO", FALSE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      {0x60000010, "US", FALSE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      /* beyond the table */
      {0x00081190, "UR", FALSE, DICOM_DEID_ACT_REMOVE, DICOM_DEID_ACT_REMOVE},
      {0x00280000, "UL", FALSE, DICOM_DEID_ACT_DROP, DICOM_DEID_ACT_DROP},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("%08x", cases[i].tag);
    DicomDeidRule rule = rule_for(&basic, cases[i].tag, cases[i].vr, cases[i].is_sequence);
    g_assert_cmpint(rule.act, ==, cases[i].basic);
    rule = rule_for(&all, cases[i].tag, cases[i].vr, cases[i].is_sequence);
    g_assert_cmpint(rule.act, ==, cases[i].all);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/deid/table/order", test_table_order);
  g_test_add_func("/deid/table/standard", test_table_standard);
  g_test_add_func("/deid/value/uid", test_uid);
  g_test_add_func("/deid/value/uid-known", test_uid_known);
  g_test_add_func("/deid/value/pseudonym", test_pseudonym);
  g_test_add_func("/deid/value/dates", test_dates);
  g_test_add_func("/deid/value/clean", test_clean);
  g_test_add_func("/deid/value/vocabulary", test_clean_vocabulary);
  g_test_add_func("/deid/value/word", test_word);
  g_test_add_func("/deid/comments", test_comments);
  g_test_add_func("/deid/rules", test_rules);
  return g_test_run();
}
