/* draft.c - see draft.h. */
#include "draft.h"

#include "json-text.h"
#include "limits.h"
#include "numbers.h"
#include "private.h"
#include <math.h>
#include <string.h>

void
store_draft_init(StoreDraft *draft, const char *name, const char *what, GError **error)
{
  *draft = (StoreDraft){.name = name, .what = what, .error = error};
  for (guint i = 0; i < STORE_N_PLACES; i++) {
    draft->json[i] = g_string_new("{");
  }
  draft->numbers = g_byte_array_new();
}

void
store_draft_clear(StoreDraft *draft)
{
  for (guint i = 0; i < STORE_N_PLACES; i++) {
    if (draft->json[i]) {
      g_string_free(draft->json[i], TRUE);
      draft->json[i] = NULL;
    }
  }
  g_clear_pointer(&draft->numbers, g_byte_array_unref);
}

gboolean
store_draft_end(StoreDraft *draft)
{
  for (guint i = 0; i < STORE_N_PLACES; i++) {
    g_string_append_c(draft->json[i], '}');
  }
  return !draft->failed;
}

void
store_draft_refuse(StoreDraft *draft, const char *field, const char *found, const char *expected)
{
  if (!draft->failed) {
    draft->failed = TRUE;
    store_fail(draft->error, STORE_ERROR_INVALID, draft->name, "%s: %s: found %s, expected %s",
               draft->what, field, found, expected);
  }
}

static void
refuse_count(StoreDraft *draft, const char *field, gsize found, const char *of, guint most)
{
  g_autofree char *count = g_strdup_printf("%" G_GSIZE_FORMAT " %s", found, of);
  g_autofree char *expected = g_strdup_printf("at most %u", most);

  store_draft_refuse(draft, field, count, expected);
}

/* TEXT as a JSON string. */
static void
append_text(StoreDraft *draft, GString *json, const char *field, const char *text)
{
  gsize length = strlen(text);
  g_autofree char *valid = NULL;

  if (length <= STORE_MAX_TEXT && !g_utf8_validate_len(text, length, NULL)) {
    valid = g_utf8_make_valid(text, (gssize)length); /* at most three times as long */
    length = strlen(valid);
  }
  if (length > STORE_MAX_TEXT) {
    refuse_count(draft, field, length, "bytes", STORE_MAX_TEXT);
    return;
  }
  store_json_append(json, valid ? valid : text, length);
}

/* Where the value of FIELD goes, or NULL after a failure. */
static GString *
begin(StoreDraft *draft, StorePlace place, const char *field)
{
  if (draft->failed) {
    return NULL;
  }
  store_json_append_name(draft->json[place], field);
  return draft->json[place];
}

void
store_draft_text(StoreDraft *draft, StorePlace place, const char *field, const char *text)
{
  GString *json = text ? begin(draft, place, field) : NULL;

  if (json) {
    append_text(draft, json, field, text);
  }
}

void
store_draft_sha256(StoreDraft *draft, StorePlace place, const char *field, const char *text)
{
  if (text && (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)) {
    store_draft_refuse(draft, field, "something else", "64 lower-case hexadecimal digits");
    return;
  }
  store_draft_text(draft, place, field, text);
}

void
store_draft_int(StoreDraft *draft, StorePlace place, const char *field, gint64 value)
{
  GString *json = begin(draft, place, field);

  if (json) {
    g_string_append_printf(json, "%" G_GINT64_FORMAT, value);
  }
}

/* As text: many readers of JSON keep numbers as doubles. */
void
store_draft_uint64(StoreDraft *draft, StorePlace place, const char *field, guint64 value)
{
  GString *json = begin(draft, place, field);

  if (json) {
    g_string_append_printf(json, "\"%" G_GUINT64_FORMAT "\"", value);
  }
}

void
store_draft_flag(StoreDraft *draft, StorePlace place, const char *field, gboolean value)
{
  GString *json = begin(draft, place, field);

  if (json) {
    g_string_append(json, value ? "true" : "false");
  }
}

static void
append_real(GString *json, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (isfinite(value)) {
    g_string_append(json, g_ascii_dtostr(text, sizeof text, value));
  } else {
    g_string_append(json, isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"");
  }
}

void
store_draft_real(StoreDraft *draft, StorePlace place, const char *field, double value)
{
  GString *json = begin(draft, place, field);

  if (json) {
    append_real(json, value);
  }
}

/* Where the COUNT numbers of WIDTH that come next will lie. */
static void
append_where(StoreDraft *draft, GString *json, StoreWidth width, gsize count)
{
  g_string_append_printf(json, "{\"%s\": %" G_GSIZE_FORMAT ", \"at\": %u}",
                         store_numbers_name(width), count, draft->numbers->len);
}

static void
append_numbers(StoreDraft *draft, GString *json, const gint32 *numbers, gsize count)
{
  const StoreWidth width = store_numbers_width(numbers, count);

  append_where(draft, json, width, count);
  store_numbers_append(draft->numbers, width, numbers, count);
}

void
store_draft_ids(StoreDraft *draft, const char *field, const gint32 *ids, gsize count)
{
  GString *json;

  if (count > STORE_MAX_IDS) {
    refuse_count(draft, field, count, "ids", STORE_MAX_IDS);
    return;
  }
  json = begin(draft, STORE_SEALED, field);
  if (json) {
    append_numbers(draft, json, ids, count);
  }
}

void
store_draft_rows(StoreDraft *draft, StorePlace place, const char *field, const gint64 *rows,
                 gsize count)
{
  GString *json = begin(draft, place, field);

  if (!json) {
    return;
  }
  g_string_append_c(json, '[');
  for (gsize i = 0; i < count; i++) {
    g_string_append_printf(json, "%s%" G_GINT64_FORMAT, i ? "," : "", rows[i]);
  }
  g_string_append_c(json, ']');
}

void
store_draft_pieces(StoreDraft *draft, const char *field, const StorePiece *pieces, gsize count)
{
  g_autofree gint32 *ends = NULL;
  g_autofree float *p = NULL;
  GString *json;

  if (pieces && count > STORE_MAX_IDS) {
    refuse_count(draft, field, count, "pieces", STORE_MAX_IDS);
    return;
  }
  json = pieces ? begin(draft, STORE_SEALED, field) : NULL;
  if (!json) {
    return;
  }
  ends = g_new(gint32, count);
  p = g_new(float, count);
  for (gsize i = 0; i < count; i++) {
    ends[i] = (gint32)pieces[i].end; /* an answer is shorter than 2^31: STORE_MAX_TEXT */
    p[i] = pieces[i].p;
  }
  g_string_append(json, "{\"ends\": ");
  append_numbers(draft, json, ends, count);
  g_string_append(json, ", \"p\": ");
  append_where(draft, json, STORE_F32, count);
  store_numbers_append_reals(draft->numbers, p, count);
  g_string_append_c(json, '}');
}

void
store_draft_fields(StoreDraft *draft, StorePlace place, const char *field, const StoreField *fields,
                   gsize count)
{
  GString *json = count ? begin(draft, place, field) : NULL;

  if (!json) {
    return;
  }
  g_string_append_c(json, '{');
  for (gsize i = 0; i < count && !draft->failed; i++) {
    store_json_append_name(json, fields[i].name);
    if (fields[i].text) {
      append_text(draft, json, fields[i].name, fields[i].text);
    } else {
      g_string_append(json, "null");
    }
  }
  g_string_append_c(json, '}');
}

void
store_draft_answers(StoreDraft *draft, StorePlace place, const char *field,
                    const StoreCheckAnswer *answers, gsize count)
{
  GString *json = begin(draft, place, field);

  if (!json) {
    return;
  }
  g_string_append_c(json, '[');
  for (gsize i = 0; i < count && !draft->failed; i++) {
    if (!answers[i].answer) {
      store_draft_refuse(draft, "answer", "nothing", "a text");
      return;
    }
    g_string_append(json, i ? ",{\"answer\": " : "{\"answer\": ");
    append_text(draft, json, "answer", answers[i].answer);
    g_string_append_printf(json, ", \"seed\": \"%" G_GUINT64_FORMAT "\", \"blank\": %s}",
                           answers[i].seed, answers[i].blank ? "true" : "false");
  }
  g_string_append_c(json, ']');
}
