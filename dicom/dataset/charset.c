/* charset.c - text of a data set as UTF-8 (PS3.3 C.12.1.1.2, PS3.5 clauses 6.1.2 and 6.1.3).
 *
 * A byte below 80 belongs to the code element G0, one above to G1; escape sequences say which
 * character set stands in either, and at delimiters both return to what the first value of
 * SpecificCharacterSet says. */
#include "dataset.h"

#include <string.h>

#define ESCAPE 0x1b
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

typedef enum { G0_ASCII, G0_JIS_X0208, G0_JIS_X0212 } G0;

/* By defined term: the number of the registry, the name for iconv, the final bytes of the escape
 * sequence that brings it to G1. */
typedef struct {
  guint number;
  const char *iconv, *escape;
} Set;

static const Set sets[] = {
    {100, "ISO-8859-1", "-A"},
    {101, "ISO-8859-2", "-B"},
    {109, "ISO-8859-3", "-C"},
    {110, "ISO-8859-4", "-D"},
    {144, "ISO-8859-5", "-L"},
    {127, "ISO-8859-6", "-G"},
    {126, "ISO-8859-7", "-F"},
    {138, "ISO-8859-8", "-H"},
    {148, "ISO-8859-9", "-M"},
    {203, "ISO-8859-15", "-b"},
    {166, "TIS-620", "-T"},
    /* JIS X 0201: its katakana stand in the same place in the code page, and its yen sign, which is
     * the delimiter of values, must stay a backslash. */
    {13, "CP932", ")I"},
    {149, "EUC-KR", "$)C"},
    {58, "EUC-CN", "$)A"},
};

typedef struct {
  gboolean whole_utf8;       /* ISO_IR 192 */
  const char *whole;         /* GB18030, GBK: a converter for all of it, without escapes */
  const char *first, *spare; /* G1 by the first value; by any other one that needs no G0 */
  gboolean known;            /* the first value is one of the standard's, or understood */
} Terms;

static const Set *
set_by_number(guint number)
{
  for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
    if (sets[i].number == number) {
      return &sets[i];
    }
  }
  return NULL;
}

/* Capital letters and digits only: "ISO_IR 100", "ISO-IR 100" and "iso ir100" are one. */
static void
normalize(const char *term, gsize n, char out[24])
{
  gsize k = 0;

  for (gsize i = 0; i < n && k < 23; i++) {
    if (g_ascii_isalnum(term[i])) {
      out[k++] = g_ascii_toupper(term[i]);
    }
  }
  out[k] = '\0';
}

/* Names that are not the standard's and that people write all the same. */
static guint
number_of_alias(const char *name)
{
  static const struct {
    const char *name;
    guint number;
  } aliases[] = {
      {"ISO88591", 100}, {"LATIN1", 100},   {"WINDOWS1252", 100}, {"CP1252", 100},
      {"ISO88592", 101}, {"LATIN2", 101},   {"ISO88593", 109},    {"ISO88594", 110},
      {"ISO88595", 144}, {"ISO88596", 127}, {"ISO88597", 126},    {"ISO88598", 138},
      {"ISO88599", 148}, {"LATIN5", 148},   {"ISO885915", 203},   {"LATIN9", 203},
      {"TIS620", 166},   {"SHIFTJIS", 13},  {"EUCKR", 149},       {"KSC5601", 149},
      {"GB2312", 58},    {"EUCCN", 58},
  };

  for (guint i = 0; i < G_N_ELEMENTS(aliases); i++) {
    if (strcmp(aliases[i].name, name) == 0) {
      return aliases[i].number;
    }
  }
  return 0;
}

/* The registry's number of a term, 0 when it names none. */
static guint
number_of(const char *name)
{
  const char *at = g_str_has_prefix(name, "ISO2022") ? name + 7
                   : g_str_has_prefix(name, "ISO")   ? name + 3
                                                     : name;

  if (g_str_has_prefix(at, "IR") && g_ascii_isdigit(at[2])) {
    return (guint)g_ascii_strtoull(at + 2, NULL, 10);
  }
  return number_of_alias(name);
}

static void
take_term(Terms *terms, const char *term, gsize n, gboolean first)
{
  char name[24];

  normalize(term, n, name);
  guint number = number_of(name);
  const Set *set = set_by_number(number);
  if (number == 192 || strcmp(name, "UTF8") == 0) {
    terms->whole_utf8 = terms->known = TRUE;
  } else if (strcmp(name, "GB18030") == 0 || strcmp(name, "GBK") == 0) {
    terms->whole = "GB18030"; /* of which GBK is a part */
    terms->known = TRUE;
  } else if (set && first) {
    terms->first = set->iconv;
    terms->known = TRUE;
  } else if (set && !terms->spare) {
    terms->spare = set->iconv;
  }
  if (first && (number == 6 || number == 87 || number == 159)) {
    terms->known = TRUE;
  }
}

static Terms
read_terms(const char *charsets)
{
  Terms terms = {0};
  const char *at = charsets;

  for (gboolean first = TRUE;; first = FALSE) {
    gsize n = strcspn(at, "\\");

    take_term(&terms, at, n, first);
    if (at[n] == '\0') {
      return terms;
    }
    at += n + 1;
  }
}

/* N bytes in the converter's character set FROM; what it does not know becomes U+FFFD, UNIT bytes
 * of it at a time. */
static void
append_converted(GString *out, const char *bytes, gsize n, const char *from, gsize unit)
{
  while (n > 0) {
    gsize read = 0, written = 0;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_convert(bytes, (gssize)n, "UTF-8", from, &read, &written, &error);

    if (text && read == n) {
      g_string_append_len(out, text, (gssize)written);
      return;
    }
    if (read > n || (error && error->code == G_CONVERT_ERROR_NO_CONVERSION)) {
      read = 0;
    }
    g_autofree char *good =
        read > 0 ? g_convert(bytes, (gssize)read, "UTF-8", from, NULL, &written, NULL) : NULL;
    if (good) {
      g_string_append_len(out, good, (gssize)written);
    } else {
      read = 0;
    }
    g_string_append(out, REPLACEMENT);
    read = MIN(n, read + unit);
    bytes += read;
    n -= read;
  }
}

static void
append_high(GString *out, const guint8 *bytes, gsize n, const char *g1)
{
  if (!g1) {
    for (gsize i = 0; i < n; i++) {
      g_string_append(out, REPLACEMENT);
    }
  } else if (strcmp(g1, "ISO-8859-1") == 0) {
    for (gsize i = 0; i < n; i++) {
      g_string_append_unichar(out, bytes[i]);
    }
  } else {
    append_converted(out, (const char *)bytes, n, g1, g_str_has_prefix(g1, "EUC") ? 2 : 1);
  }
}

/* Pairs of seven-bit codes, as EUC-JP writes them with the high bits set. */
static void
append_japanese(GString *out, const guint8 *bytes, gsize n, G0 g0)
{
  g_autoptr(GString) euc = g_string_sized_new(n * 3 / 2 + 1);

  for (gsize i = 0; i + 1 < n; i += 2) {
    if (g0 == G0_JIS_X0212) {
      g_string_append_c(euc, (char)0x8f);
    }
    g_string_append_c(euc, (char)(bytes[i] | 0x80));
    g_string_append_c(euc, (char)(bytes[i + 1] | 0x80));
  }
  append_converted(out, euc->str, euc->len, "EUC-JP", g0 == G0_JIS_X0212 ? 3 : 2);
  if (n % 2) {
    g_string_append(out, REPLACEMENT);
  }
}

/* Length of the escape sequence at P, with what it chooses; unknown ones are skipped whole (ISO
 * 2022: intermediate bytes 20 to 2F, then one final byte). */
static gsize
take_escape(const guint8 *p, gsize n, G0 *g0, const char **g1)
{
  gsize length = 1;

  while (length < n && p[length] >= 0x20 && p[length] <= 0x2f) {
    length++;
  }
  if (length < n && length == 1 && p[1] == '$') {
    length++; /* ESC $ B has no intermediate byte after the dollar */
  }
  length = MIN(n, length + 1);
  const char *code = (const char *)p + 1;
  const gsize n_code = length - 1;
  if (n_code == 2 && (memcmp(code, "$B", 2) == 0 || memcmp(code, "$@", 2) == 0)) {
    *g0 = G0_JIS_X0208;
  } else if (n_code == 3 && memcmp(code, "$(D", 3) == 0) {
    *g0 = G0_JIS_X0212;
  } else if (n_code == 2 && code[0] == '(') {
    *g0 = G0_ASCII;
  }
  for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
    if (strlen(sets[i].escape) == n_code && memcmp(code, sets[i].escape, n_code) == 0) {
      *g1 = sets[i].iconv;
    }
  }
  return length;
}

/* PS3.5 clause 6.1.2.5.3: where the character sets return to the first ones. */
static gboolean
resets(guint8 byte, gboolean is_name)
{
  return byte == '\\' || byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r' ||
         (is_name && (byte == '^' || byte == '='));
}

static char *
convert_extended(const guint8 *p, gsize n, const Terms *terms, gboolean is_name)
{
  const char *initial = terms->first ? terms->first : terms->spare, *g1 = initial;
  g_autoptr(GString) out = g_string_sized_new(n * 2);
  G0 g0 = G0_ASCII;
  gsize i = 0;

  while (i < n) {
    gsize run = 1;

    if (p[i] == ESCAPE) {
      run = take_escape(p + i, n - i, &g0, &g1);
    } else if (p[i] >= 0x80) {
      while (i + run < n && p[i + run] >= 0x80) {
        run++;
      }
      append_high(out, p + i, run, g1);
    } else if (g0 != G0_ASCII && p[i] > 0x20) {
      while (i + run < n && p[i + run] > 0x20 && p[i + run] < 0x80) {
        run++;
      }
      append_japanese(out, p + i, run, g0);
    } else {
      g_string_append_c(out, (char)p[i]);
      if (resets(p[i], is_name)) {
        g0 = G0_ASCII;
        g1 = initial;
      }
    }
    i += run;
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean
is_plain(const char *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if ((guint8)bytes[i] >= 0x80 || bytes[i] == ESCAPE) {
      return FALSE;
    }
  }
  return TRUE;
}

char *
dicom_charset_to_utf8(const char *bytes, gsize n, const char *charsets, gboolean is_name)
{
  if (is_plain(bytes, n)) {
    return g_strndup(bytes, n);
  }
  Terms terms = read_terms(charsets);
  gboolean escapes = memchr(bytes, ESCAPE, n) != NULL;
  if (terms.whole) {
    g_autoptr(GString) out = g_string_new(NULL);

    append_converted(out, bytes, n, terms.whole, 1);
    return g_string_free(g_steal_pointer(&out), FALSE);
  }
  /* Where no character set is named that this program knows, UTF-8 is taken for what it is. */
  if (terms.whole_utf8 || (!terms.known && !escapes && !terms.spare)) {
    return g_utf8_make_valid(bytes, (gssize)n);
  }
  return convert_extended((const guint8 *)bytes, n, &terms, is_name);
}

void
dicom_charset_load(void)
{
  static const char *const others[] = {"GB18030", "EUC-JP"};

  /* Left open on purpose: the C library keeps a converter loaded while it is in use. */
  for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
    g_iconv_open("UTF-8", sets[i].iconv);
  }
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    g_iconv_open("UTF-8", others[i]);
  }
}
