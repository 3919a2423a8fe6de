/* deid-value.c - values in the place of others: UIDs, dates, pseudonyms, dummies. */
#include "deid.h"

#include "dicom/bridge/dictionary.h"

#include <string.h>

enum { HASH_BYTES = 32 };

/* HMAC-SHA256 of WHAT and VALUE with a NUL between, so that one kind of value never meets another.
 */
static void
keyed(const guint8 key[32], const char *what, const char *value, guint8 out[HASH_BYTES])
{
  g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, 32);
  gsize n = HASH_BYTES;

  g_hmac_update(hmac, (const guchar *)what, (gssize)strlen(what) + 1);
  g_hmac_update(hmac, (const guchar *)value, (gssize)strlen(value));
  g_hmac_get_digest(hmac, out, &n);
}

/* BYTES as one number in decimal. */
static void
write_decimal(const guint8 bytes[16], char out[40])
{
  guint8 rest[16];
  char digits[40];
  guint n = 0;
  gboolean more = TRUE;

  memcpy(rest, bytes, sizeof rest);
  while (more && n < sizeof digits - 1) {
    guint carry = 0;

    more = FALSE;
    for (guint i = 0; i < sizeof rest; i++) {
      guint value = carry << 8 | rest[i];

      rest[i] = (guint8)(value / 10);
      carry = value % 10;
      more = more || rest[i] != 0;
    }
    digits[n++] = (char)('0' + carry);
  }
  for (guint i = 0; i < n; i++) {
    out[i] = digits[n - 1 - i];
  }
  out[n] = '\0';
}

void
dicom_deid_uid(const guint8 key[32], const char *uid, char out[65])
{
  guint8 hash[HASH_BYTES];
  char decimal[40];

  keyed(key, "uid", uid, hash);
  hash[6] = (guint8)((hash[6] & 0x0f) | 0x80);
  hash[8] = (guint8)((hash[8] & 0x3f) | 0x80);
  write_decimal(hash, decimal);
  g_snprintf(out, 65, "2.25.%s", decimal);
}

gboolean
dicom_deid_uid_is_class(guint32 tag)
{
  /* SOPClassUID, RelatedGeneral-, OriginalSpecialized-, SOPClassesInStudy, CodingSchemeUID,
   * ContextUID, MappingResourceUID, ReferencedSOPClassUID, SOPClassesSupported,
   * AvailableTransferSyntaxUID, FlowTransferSyntaxUID, PertinentSOPClassesInStudy, -InSeries. */
  static const guint32 classes[] = {0x00080016, 0x0008001a, 0x0008001b, 0x00080062, 0x0008010c,
                                    0x00080117, 0x00080118, 0x00081150, 0x0008115a, 0x00083002,
                                    0x00340003, 0x30100052, 0x30100053};

  for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
    if (classes[i] == tag) {
      return TRUE;
    }
  }
  return FALSE;
}

char *
dicom_deid_uids(const guint8 key[32], const char *uids)
{
  g_auto(GStrv) parts = g_strsplit(uids, "\\", -1);
  g_autoptr(GString) out = g_string_new(NULL);

  for (char **part = parts; *part; part++) {
    char mapped[65] = "";
    const char *uid = g_strstrip(*part);

    if (dicom_bridge_uid_is_standard(uid)) {
      g_strlcpy(mapped, uid, sizeof mapped);
    } else if (*uid) {
      dicom_deid_uid(key, uid, mapped);
    }
    g_string_append_printf(out, "%s%s", part == parts ? "" : "\\", mapped);
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

void
dicom_deid_pseudonym(const guint8 key[32], const char *what, const char *value, char out[17])
{
  /* Without vowels and what looks alike, so that no word comes out. */
  static const char alphabet[] = "0123456789BCDFGHJKLMNPQRSTVWXZ42";
  guint8 hash[HASH_BYTES];

  G_STATIC_ASSERT(sizeof alphabet == 33);
  keyed(key, what, value, hash);
  for (guint i = 0; i < 16; i++) {
    out[i] = alphabet[hash[i] & 31];
  }
  out[16] = '\0';
}

guint
dicom_deid_days(const guint8 key[32], const char *patient)
{
  guint8 hash[HASH_BYTES];
  guint32 number;

  keyed(key, "days", patient, hash);
  memcpy(&number, hash, sizeof number);
  return 30 + GUINT32_FROM_LE(number) % 3650;
}

static guint
count_digits(const char *text)
{
  guint n = 0;

  while (g_ascii_isdigit(text[n])) {
    n++;
  }
  return n;
}

static guint
number_of(const char *text, guint n)
{
  guint value = 0;

  for (guint i = 0; i < n; i++) {
    value = value * 10 + (guint)(text[i] - '0');
  }
  return value;
}

/* One DA or DT. A date without a day is shifted from its middle and written as vaguely as it was;
 * the old form with full stops becomes a new one. */
static gboolean
shift_one(const char *text, guint days, GString *out)
{
  char joined[9] = "";
  guint n = count_digits(text);
  const char *rest = text + MIN(n, 8);
  GDate date;

  if (n == 4 && text[4] == '.' && count_digits(text + 5) == 2 && text[7] == '.' &&
      count_digits(text + 8) == 2) {
    g_snprintf(joined, sizeof joined, "%.4s%.2s%.2s", text, text + 5, text + 8);
    text = joined;
    rest = "";
    n = 8;
  }
  if (n != 4 && n != 6 && n < 8) {
    return FALSE;
  }
  n = MIN(n, 8);
  guint year = number_of(text, 4), month = n >= 6 ? number_of(text + 4, 2) : 7;
  guint day = n >= 8 ? number_of(text + 6, 2) : n >= 6 ? 15 : 1;
  if (!g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
    return FALSE;
  }
  g_date_clear(&date, 1);
  g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
  if (g_date_get_julian(&date) <= days) {
    return FALSE;
  }
  g_date_subtract_days(&date, days);
  g_autofree char *shifted =
      g_strdup_printf("%04u%02u%02u", (guint)g_date_get_year(&date), (guint)g_date_get_month(&date),
                      (guint)g_date_get_day(&date));
  /* What follows a date is a time of day and an offset from UTC, and nothing else may hide there.
   */
  if (strspn(rest, "0123456789.+-") != strlen(rest)) {
    return FALSE;
  }
  g_string_append_len(out, shifted, n);
  g_string_append(out, rest);
  return TRUE;
}

char *
dicom_deid_shift(const char *text, guint days)
{
  g_auto(GStrv) parts = g_strsplit(text, "\\", -1);
  g_autoptr(GString) out = g_string_new(NULL);

  for (char **part = parts; *part; part++) {
    const char *one = g_strstrip(*part);

    if (part != parts) {
      g_string_append_c(out, '\\');
    }
    if (*one && !shift_one(one, days, out)) {
      return NULL;
    }
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

const char *
dicom_deid_dummy(const char *vr)
{
  static const struct {
    const char *vr, *value;
  } dummies[] = {
      {"AE", "ANON"},       {"AS", "000Y"},       {"CS", "ANON"},
      {"DA", "19000101"},   {"DS", "0"},          {"DT", "19000101000000"},
      {"IS", "0"},          {"LO", "ANONYMIZED"}, {"LT", "ANONYMIZED"},
      {"PN", "ANONYMIZED"}, {"SH", "ANONYMIZED"}, {"ST", "ANONYMIZED"},
      {"TM", "000000"},     {"UC", "ANONYMIZED"}, {"UR", "urn:anonymized"},
      {"UT", "ANONYMIZED"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(dummies); i++) {
    if (strcmp(dummies[i].vr, vr) == 0) {
      return dummies[i].value;
    }
  }
  return NULL;
}

static gboolean
is_one_of(const char *vr, const char *list)
{
  return strlen(vr) == 2 && strstr(list, vr) != NULL;
}

gboolean
dicom_deid_vr_is_text(const char *vr)
{
  return is_one_of(vr, "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT");
}

gboolean
dicom_deid_vr_is_free_text(const char *vr)
{
  return is_one_of(vr, "LO LT SH ST UC UT");
}

guint
dicom_deid_vr_unit(const char *vr)
{
  if (is_one_of(vr, "AT OW SS US xs lt")) {
    return 2;
  }
  if (is_one_of(vr, "FL OF OL SL UL up")) {
    return 4;
  }
  return is_one_of(vr, "FD OD OV SV UV") ? 8 : 1;
}

gboolean
dicom_deid_scheme_is_public(const char *designator)
{
  static const char *const schemes[] = {
      "DCM",      "SCT",      "SRT",  "SNM3",   "99SDM", "LN",   "UCUM",   "RADLEX",
      "FMA",      "NCIt",     "UMLS", "UBERON", "BI",    "IBSI", "ICDO3",  "RADELEM",
      "ISO639_1", "ISO639_2", "I10",  "ACR",    "MDC",   "NEU",  "SCPECG", NULL};
  g_autofree char *name = g_strstrip(g_strdup(designator));

  return g_strv_contains(schemes, name);
}
