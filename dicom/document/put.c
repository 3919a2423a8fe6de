/* put.c - elements of documents that are written, and the file around them (PS3.5 7, PS3.10 7). */
#include "dicom/document/put.h"

#include <string.h>

#include "dicom_key_object.h"

#define EXPLICIT_LITTLE_ENDIAN "1.2.840.10008.1.2.1"
/* This program as a writer of files (PS3.10 7.1). */
#define IMPLEMENTATION_UID "2.25.261235444999018948144348839455885061829"

/* ---- elements ------------------------------------------------------------------------------ */

static void
put_u16(GByteArray *to, guint value)
{
  const guint8 bytes[2] = {(guint8)value, (guint8)(value >> 8)};

  g_byte_array_append(to, bytes, sizeof bytes);
}

static void
put_u32(GByteArray *to, guint32 value)
{
  put_u16(to, value & 0xffff);
  put_u16(to, value >> 16);
}

static void
put_tag(GByteArray *to, guint32 tag)
{
  put_u16(to, tag >> 16);
  put_u16(to, tag & 0xffff);
}

/* Characters that a value of VR may have (PS3.5 6.2); 0: what 16 bits of length allow. */
static glong
most_characters(const char *vr)
{
  static const struct {
    char vr[3];
    glong most;
  } most[] = {{"SH", 16}, {"LO", 64}, {"PN", 64}, {"UI", 64}, {"CS", 0}, {"DA", 8}, {"ST", 1024}};

  for (guint i = 0; i < G_N_ELEMENTS(most); i++) {
    if (strcmp(vr, most[i].vr) == 0) {
      return most[i].most;
    }
  }
  return 0;
}

/* TEXT as a value of VR. PN has up to three groups, each of which may be as long. */
static char *
fit(const char *vr, const char *text)
{
  const gboolean is_words = strcmp(vr, "SH") == 0 || strcmp(vr, "LO") == 0 || strcmp(vr, "PN") == 0;
  const gboolean is_name = strcmp(vr, "PN") == 0;
  const glong most = most_characters(vr);
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *out = g_string_new(NULL);
  glong n = 0;

  for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
    gunichar character = g_utf8_get_char(c);
    const gboolean is_blank = character < 32 || character == 127 || (is_words && character == '\\');

    n = is_name && character == '=' ? 0 : n + 1;
    if ((most == 0 || n <= most) && out->len < G_MAXUINT16 - 8) {
      g_string_append_unichar(out, is_blank ? ' ' : character);
    }
  }
  return g_string_free(out, FALSE);
}

void
dicom_put_text(GByteArray *to, guint32 tag, const char *vr, const char *text)
{
  const guint8 pad = strcmp(vr, "UI") == 0 ? 0 : ' ';
  g_autofree char *value = fit(vr, text);
  gsize n = strlen(value);

  put_tag(to, tag);
  g_byte_array_append(to, (const guint8 *)vr, 2);
  put_u16(to, (guint)(n + (n & 1)));
  g_byte_array_append(to, (const guint8 *)value, (guint)n);
  if (n & 1) {
    g_byte_array_append(to, &pad, 1);
  }
}

void
dicom_put_long(GByteArray *to, guint32 tag, const char *vr, const guint8 *bytes, gsize n)
{
  const guint8 pad = strcmp(vr, "UT") == 0 ? ' ' : 0;

  put_tag(to, tag);
  g_byte_array_append(to, (const guint8 *)vr, 2);
  put_u16(to, 0);
  put_u32(to, (guint32)(n + (n & 1)));
  if (n > 0) {
    g_byte_array_append(to, bytes, (guint)n);
  }
  if (n & 1) {
    g_byte_array_append(to, &pad, 1);
  }
}

void
dicom_put_item(GByteArray *items, GByteArray *content)
{
  put_tag(items, 0xfffee000);
  put_u32(items, content->len);
  g_byte_array_append(items, content->data, content->len);
  g_byte_array_unref(content);
}

void
dicom_put_sequence(GByteArray *to, guint32 tag, GByteArray *items)
{
  dicom_put_long(to, tag, "SQ", items->data, items->len);
  g_byte_array_unref(items);
}

void
dicom_put_single(GByteArray *to, guint32 tag, GByteArray *content)
{
  GByteArray *items = g_byte_array_new();

  dicom_put_item(items, content);
  dicom_put_sequence(to, tag, items);
}

void
dicom_put_code(GByteArray *to, guint32 tag, const DicomCode *code)
{
  GByteArray *item = g_byte_array_new();

  dicom_put_text(item, 0x00080100, "SH", code->value);
  dicom_put_text(item, 0x00080102, "SH", code->scheme);
  dicom_put_text(item, 0x00080104, "LO", code->meaning);
  dicom_put_single(to, tag, item);
}

/* ---- values -------------------------------------------------------------------------------- */

/* The number of 128 bits that HEX has, as the last component of a UID (PS3.5 B.2). */
static char *
uid_of(const char *hex)
{
  char digits[48];
  gsize at = sizeof digits - 1;
  unsigned __int128 rest = 0;
  guint n = 0;

  for (const char *c = hex; *c && n < 32; c++) {
    if (g_ascii_isxdigit(*c)) {
      rest = rest << 4 | (unsigned)g_ascii_xdigit_value(*c);
      n++;
    }
  }
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest > 0);
  return g_strconcat("2.25.", digits + at, NULL);
}

char *
dicom_uid_new(void)
{
  g_autofree char *uuid = g_uuid_string_random();

  return uid_of(uuid);
}

char *
dicom_uid_of(const void *bytes, gsize n)
{
  g_autofree char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, n);

  hex[12] = '8';
  hex[16] = "89ab"[g_ascii_xdigit_value(hex[16]) & 3];
  return uid_of(hex);
}

const char *
dicom_put_date(const char *text)
{
  gsize n = strspn(text, "0123456789");

  return n == 8 && text[n] == '\0' ? text : "";
}

const char *
dicom_put_time(const char *text)
{
  gsize n = strspn(text, "0123456789");

  return n >= 2 && n <= 6 && n % 2 == 0 && (text[n] == '\0' || text[n] == '.') ? text : "";
}

const char *
dicom_put_sex(const char *text)
{
  return strcmp(text, "M") == 0 || strcmp(text, "F") == 0 || strcmp(text, "O") == 0 ? text : "";
}

/* ---- the file ------------------------------------------------------------------------------ */

static GByteArray *
meta_new(const char *sop_class, const char *uid)
{
  static const guint8 version[] = {0, 1};
  GByteArray *meta = g_byte_array_new(), *body = g_byte_array_new();

  dicom_put_long(body, 0x00020001, "OB", version, sizeof version);
  dicom_put_text(body, 0x00020002, "UI", sop_class);
  dicom_put_text(body, 0x00020003, "UI", uid);
  dicom_put_text(body, 0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN);
  dicom_put_text(body, 0x00020012, "UI", IMPLEMENTATION_UID);
  dicom_put_text(body, 0x00020013, "SH", "HILUM");
  put_tag(meta, 0x00020000);
  g_byte_array_append(meta, (const guint8 *)"UL", 2);
  put_u16(meta, 4);
  put_u32(meta, body->len);
  g_byte_array_append(meta, body->data, body->len);
  g_byte_array_unref(body);
  return meta;
}

gboolean
dicom_put_file(const char *path, const char *sop_class, const char *uid, const GByteArray *set,
               GError **error)
{
  static const guint8 preamble[128] = {0};
  g_autoptr(GByteArray) file = g_byte_array_new(), meta = meta_new(sop_class, uid);

  g_byte_array_append(file, preamble, sizeof preamble);
  g_byte_array_append(file, (const guint8 *)"DICM", 4);
  g_byte_array_append(file, meta->data, meta->len);
  g_byte_array_append(file, set->data, set->len);
  return g_file_set_contents_full(path, (const char *)file->data, file->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0644, error);
}
