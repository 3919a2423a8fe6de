/* turn-csv.c - a turn as one record of CSV (RFC 4180). */
#include "export/text.h"

#include <math.h>
#include <string.h>

/* Spreadsheets take what begins so for a formula, also behind a blank that they drop; the wide
 * forms too, where East Asian input is on (OWASP, "CSV Injection"). */
static gboolean
is_formula(const char *text)
{
  static const char *const starts[] = {"=",  "+",  "-",  "@",  "\t", "\r",
                                       "\n", "＝", "＋", "－", "＠"};

  while (*text == ' ') {
    text++;
  }
  for (guint i = 0; i < G_N_ELEMENTS(starts); i++) {
    if (g_str_has_prefix(text, starts[i])) {
      return TRUE;
    }
  }
  return FALSE;
}

static void
comma(GString *out)
{
  if (out->len > 0 && out->str[out->len - 1] != '\n') {
    g_string_append_c(out, ',');
  }
}

static void
append_text(GString *out, const char *text)
{
  g_autofree char *valid =
      text && !g_utf8_validate(text, -1, NULL) ? g_utf8_make_valid(text, -1) : NULL;

  comma(out);
  if (!text) {
    return;
  }
  g_string_append_c(out, '"');
  if (is_formula(text)) {
    g_string_append_c(out, '\'');
  }
  for (const char *p = valid ? valid : text; *p; p++) {
    if (*p == '"') {
      g_string_append_c(out, '"');
    }
    g_string_append_c(out, *p);
  }
  g_string_append_c(out, '"');
}

static void
append_int(GString *out, gint64 value)
{
  comma(out);
  g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
}

static void
append_real(GString *out, double value)
{
  comma(out);
  store_text_append_real(out, value);
}

static void
append_image(GString *out, const StoreImage *image)
{
  append_text(out, image->patient_id);
  append_text(out, image->patient_name);
  append_text(out, image->study_date);
  append_text(out, image->study_instance_uid);
  append_text(out, image->series_instance_uid);
  append_text(out, image->sop_instance_uid);
  append_text(out, image->path);
  append_int(out, image->frame);
  append_text(out, image->modality);
  append_text(out, image->body_part);
  append_text(out, image->view);
  append_text(out, image->laterality);
  append_text(out, image->warnings);
  append_real(out, image->has_window ? image->window_center : NAN);
  append_real(out, image->has_window ? image->window_width : NAN);
  append_text(out, image->pixels_sha256);
  append_text(out, image->sent_sha256);
  append_text(out, image->blank ? "yes" : "no");
}

static const StoreCheck *
last_check(const GPtrArray *checks, const char *kind)
{
  for (guint i = checks ? checks->len : 0; i > 0; i--) {
    const StoreCheckRow *row = checks->pdata[i - 1];
    if (g_strcmp0(row->check.kind, kind) == 0) {
      return &row->check;
    }
  }
  return NULL;
}

static void
append_trust(GString *out, const StoreExportTurn *turn)
{
  const guint n = turn->verdicts ? turn->verdicts->len : 0;
  const StoreVerdictRow *verdict = n > 0 ? turn->verdicts->pdata[n - 1] : NULL;
  const StoreCheck *blank = last_check(turn->checks, "blank");
  const StoreCheck *seeds = last_check(turn->checks, "seeds");

  append_text(out, verdict ? verdict->verdict.verdict : NULL);
  append_text(out, verdict ? verdict->verdict.text : NULL);
  append_text(out, verdict ? verdict->verdict.user_name : NULL);
  append_text(out, verdict ? verdict->verdict.real_name : NULL);
  append_text(out, verdict ? verdict->time : NULL);
  append_text(out, !blank ? NULL : blank->same ? "no" : "yes");
  append_real(out, seeds ? seeds->agreement : NAN);
  append_text(out, verdict ? verdict->verdict.person : NULL);
}

/* In the order in which store_export_csv() writes them. */
static const char *const columns[] = {
    "conversation",
    "started",
    "turn",
    "turn_id",
    "time",
    "model",
    "model_sha256",
    "engine",
    "patient_id",
    "patient_name",
    "study_date",
    "study_instance_uid",
    "series_instance_uid",
    "sop_instance_uid",
    "path",
    "frame",
    "modality",
    "body_part",
    "view",
    "laterality",
    "warnings",
    "window_center",
    "window_width",
    "pixels_sha256",
    "sent_sha256",
    "blank",
    "question",
    "answer",
    "stop",
    "temperature",
    "top_p",
    "seed",
    "verdict",
    "verdict_text",
    "verdict_by",
    "verdict_by_name",
    "verdict_time",
    "depends_on_image",
    "seed_agreement",
    "verdict_by_person",
};

void
store_export_csv_header(GString *out)
{
  for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
    g_string_append_printf(out, "%s%s", i > 0 ? "," : "", columns[i]);
  }
  g_string_append(out, "\r\n");
}

void
store_export_csv(GString *out, const StoreExportTurn *turn)
{
  static const StoreImage none = {0};
  const StoreTurnRow *row = turn->row;

  append_int(out, turn->conversation->id);
  append_text(out, turn->conversation->started);
  append_int(out, row->number);
  append_int(out, row->id);
  append_text(out, row->time);
  append_text(out, row->model.name);
  append_text(out, row->model.sha256);
  append_text(out, row->model.engine ? row->model.engine : "local");
  append_image(out, row->turn.image != 0 ? &row->image : &none);
  append_text(out, row->turn.question);
  append_text(out, row->turn.answer);
  append_text(out, row->turn.stop);
  append_real(out, row->turn.temperature);
  append_real(out, row->turn.top_p);
  comma(out);
  g_string_append_printf(out, "%" G_GUINT64_FORMAT, row->turn.seed);
  append_trust(out, turn);
  g_string_append(out, "\r\n");
}
