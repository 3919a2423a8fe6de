/* select.c - which figures are of one panel and of which kind, with the reasons. */
#include "pmc.h"

#include <string.h>

#include "dataset/problem.h"
#include "dataset/scan.h"
#include "json-text.h"
#include "pmc/cues.h"

#define SEVERAL 0.5     /* from here on it has several panels */
#define STRONG 0.6      /* so much speaks for a kind that it is no side remark */
#define COLOURED 0.25   /* more coloured pixels than arrows and labels make */
#define TOWER_ALONE 0.8 /* so sure must a tower be where the caption says nothing */

const char *
pmc_verdict_name(PmcVerdict verdict)
{
  static const char *const names[] = {"selected",      "no_caption", "several_panels", "no_kind",
                                      "other_kind",    "mixed",      "not_asked",      "coloured",
                                      "tower_differs", "no_picture", "unreadable"};
  G_STATIC_ASSERT(G_N_ELEMENTS(names) == PMC_N_VERDICTS);
  return names[verdict];
}

void
pmc_decision_clear(PmcDecision *decision)
{
  g_clear_pointer(&decision->reasons, g_ptr_array_unref);
}

static void G_GNUC_PRINTF(2, 3) reason(PmcDecision *decision, const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  g_ptr_array_add(decision->reasons, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

/* ---- deciding ----------------------------------------------------------------------------------
 */

/* The kind of the five for which most speaks; of equals the one that is spoken of first. */
static DataDomain
likeliest(const PmcCues *cues, DataDomain except)
{
  DataDomain best = DATA_DOMAIN_NONE;

  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    if (i != except && cues->scores[i] > 0 &&
        (best == DATA_DOMAIN_NONE || cues->scores[i] > cues->scores[best] ||
         (cues->scores[i] == cues->scores[best] && cues->first[i] < cues->first[best]))) {
      best = (DataDomain)i;
    }
  }
  return best;
}

/* Of two kinds for which much speaks the picture is of the one that the first sentence names. */
static DataDomain
settle(const PmcCues *cues, DataDomain a, guint b)
{
  return cues->first[a] < cues->first[b] ? a : (DataDomain)b;
}

static PmcVerdict
judge_words(const PmcSelect *select, const PmcCues *cues, PmcDecision *decision)
{
  DataDomain best = likeliest(cues, DATA_DOMAIN_NONE), second;

  decision->domain = best;
  if (best == DATA_DOMAIN_NONE) {
    return cues->scores[PMC_OTHER] > 0 ? PMC_OTHER_KIND : PMC_NO_KIND;
  }
  second = likeliest(cues, best);
  if (second != DATA_DOMAIN_NONE && cues->scores[second] >= STRONG &&
      cues->scores[best] >= STRONG) {
    if (cues->sentences[best] == cues->sentences[second]) {
      decision->score = cues->scores[best];
      return PMC_MIXED;
    }
    best = settle(cues, best, second);
  }
  decision->domain = best;
  decision->score = cues->scores[best];
  if (cues->scores[PMC_OTHER] >= STRONG && decision->score >= STRONG
          ? settle(cues, best, PMC_OTHER) != best
          : cues->scores[PMC_OTHER] > decision->score) {
    return PMC_OTHER_KIND;
  }
  return decision->score < select->least ? PMC_NO_KIND : PMC_SELECTED;
}

static PmcVerdict
judge_tower(const PmcSelect *select, PmcDecision *decision, PmcVerdict verdict)
{
  const PmcPicture *picture = &decision->picture;
  const char *name, *sees = picture->tower_sees;

  if (picture->tower < 0) {
    return verdict;
  }
  name = picture->tower == DATA_DOMAIN_NONE ? "another kind"
                                            : data_domain_name((DataDomain)picture->tower);
  reason(decision, "tower: %s%s%s%s, %.2f", name, sees ? " (" : "", sees ? sees : "",
         sees ? ")" : "", picture->tower_score);
  if (verdict == PMC_SELECTED) {
    if ((gint)decision->domain == picture->tower) {
      decision->score = 1 - (1 - decision->score) * (1 - picture->tower_score);
      return verdict;
    }
    return picture->tower_score >= STRONG ? PMC_TOWER_DIFFERS : verdict;
  }
  if (verdict == PMC_NO_KIND && picture->tower != DATA_DOMAIN_NONE &&
      picture->tower_score >= MAX(TOWER_ALONE, select->least)) {
    decision->domain = (DataDomain)picture->tower;
    decision->score = picture->tower_score;
    return PMC_SELECTED;
  }
  return verdict;
}

static PmcVerdict
judge_picture(const PmcSelect *select, PmcDecision *decision, PmcVerdict verdict)
{
  const PmcPicture *picture = &decision->picture;
  const gboolean grey = decision->domain == DATA_DOMAIN_CT_SCAN ||
                        decision->domain == DATA_DOMAIN_MRI ||
                        decision->domain == DATA_DOMAIN_CHEST_XRAY;

  if (!picture->readable) {
    return PMC_UNREADABLE;
  }
  if (picture->panels > 1 || picture->letters > 1) {
    reason(decision, "picture: %u panels, %u letters", picture->panels, picture->letters);
    decision->several = 1 - (1 - decision->several) * (picture->panels > 1 ? 0.1 : 0.2);
    return PMC_SEVERAL_PANELS;
  }
  verdict = judge_tower(select, decision, verdict);
  if (verdict == PMC_SELECTED && grey && picture->coloured > COLOURED) {
    reason(decision, "picture: %.0f %% of it coloured", 100 * picture->coloured);
    return PMC_COLOURED;
  }
  return verdict;
}

void
pmc_select(const PmcSelect *select, const char *caption, const char *image, PmcDecision *decision)
{
  g_auto(PmcCues) cues = {0};
  PmcVerdict verdict;

  *decision = (PmcDecision){.domain = DATA_DOMAIN_NONE, .picture = {.panels = 1, .tower = -1}};
  if (!caption || !*caption) {
    decision->reasons = g_ptr_array_new_with_free_func(g_free);
    decision->verdict = PMC_NO_CAPTION;
    return;
  }
  pmc_cues_find(&cues, caption);
  decision->reasons = g_ptr_array_ref(cues.words);
  decision->several = cues.several;
  verdict = judge_words(select, &cues, decision);
  if (cues.several >= SEVERAL) {
    verdict = PMC_SEVERAL_PANELS;
  }
  /* Pictures take a thousand times as long as words: only where they can change something. */
  if (select->look && (verdict == PMC_SELECTED || verdict == PMC_NO_KIND)) {
    decision->seen = select->look(image, &decision->picture, select->user);
    verdict = decision->seen            ? judge_picture(select, decision, verdict)
              : verdict == PMC_SELECTED ? PMC_NO_PICTURE
                                        : verdict;
  }
  if (verdict == PMC_SELECTED && !select->domains[decision->domain]) {
    verdict = PMC_NOT_ASKED;
  }
  decision->verdict = verdict;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

enum { PAIR_ID, ID, FIG_CAPTION, CAPTION, IMAGE, N_MEMBERS };
static const char *const members[] = {"pair_id", "id", "fig_caption", "caption", "image", NULL};

typedef struct {
  const PmcSelect *select;
  GByteArray *out, *decisions;
  guint64 *verdicts;
  DataCounts *counts;
  GArray *problems;
  guint64 line;
  GString *caption, *image, *json;
} Work;

static void
append_reasons(GString *json, const PmcDecision *decision)
{
  g_string_append(json, ", \"reasons\": [");
  for (guint i = 0; i < decision->reasons->len; i++) {
    const char *text = decision->reasons->pdata[i];
    g_string_append(json, i ? ", " : "");
    store_json_append(json, text, strlen(text));
  }
  g_string_append_c(json, ']');
}

/* With two decimals, whatever the language. */
static void
append_number(GString *json, double value)
{
  char text[16];

  g_string_append(json, g_ascii_formatd(text, sizeof text, "%.2f", value));
}

static void
append_share(GString *json, const char *name, double value)
{
  g_string_append_printf(json, ", \"%s\": ", name);
  append_number(json, value);
}

static void
append_tower(GString *json, const PmcPicture *picture)
{
  if (picture->tower < 0) {
    g_string_append(json, ", \"tower\": null");
    return;
  }
  g_string_append_printf(json, ", \"tower\": {\"kind\": \"%s\", \"sees\": ",
                         data_domain_name((DataDomain)picture->tower));
  g_string_append_printf(json, picture->tower_sees ? "\"%s\"" : "null", picture->tower_sees);
  append_share(json, "score", picture->tower_score);
  g_string_append_c(json, '}');
}

static void
put_decision(Work *work, const DataValue *id, const PmcDecision *decision)
{
  GString *json = work->json;

  g_string_assign(json, "{\"pair_id\": \"");
  g_string_append_len(json, id->text, (gssize)id->n);
  g_string_append_printf(
      json, "\", \"verdict\": \"%s\", \"domain\": ", pmc_verdict_name(decision->verdict));
  g_string_append_printf(json, decision->domain == DATA_DOMAIN_NONE ? "null" : "\"%s\"",
                         data_domain_name(decision->domain));
  append_share(json, "score", decision->score);
  append_share(json, "several_panels", decision->several);
  append_reasons(json, decision);
  if (decision->seen && decision->picture.readable) {
    g_string_append_printf(json,
                           ", \"picture\": {\"width\": %u, \"height\": %u, \"panels\": %u, "
                           "\"letters\": %u",
                           decision->picture.width, decision->picture.height,
                           decision->picture.panels, decision->picture.letters);
    append_share(json, "coloured", decision->picture.coloured);
    append_tower(json, &decision->picture);
    g_string_append_c(json, '}');
  } else {
    g_string_append(json, ", \"picture\": null");
  }
  g_string_append(json, "}\n");
  g_byte_array_append(work->decisions, (const guint8 *)json->str, (guint)json->len);
}

static void
put_selected(Work *work, const char *line, gsize n, const PmcDecision *decision)
{
  const gsize blanks = strspn(line, " \t");
  const DataValue object = {DATA_VALUE_OTHER, FALSE, line + blanks, n - blanks};
  DataValue name, value;
  GString *json = work->json;

  g_string_assign(json, "{");
  for (gsize at = 0; data_object_next(&object, &at, &name, &value);) {
    const char *quote = value.kind == DATA_VALUE_STRING ? "\"" : "";

    if (!data_value_is(&name, "domain") && !data_value_is(&name, "select")) {
      g_string_append(json, json->len > 1 ? ", \"" : "\"");
      g_string_append_len(json, name.text, (gssize)name.n);
      g_string_append_printf(json, "\": %s", quote);
      g_string_append_len(json, value.text, (gssize)value.n);
      g_string_append(json, quote);
    }
  }
  g_string_append_printf(
      json, ", \"domain\": \"%s\", \"select\": {\"score\": ", data_domain_name(decision->domain));
  append_number(json, decision->score);
  append_reasons(json, decision);
  g_string_append(json, "}}\n");
  g_byte_array_append(work->out, (const guint8 *)json->str, (guint)json->len);
  work->counts->written++;
  work->counts->domains[decision->domain]++;
}

static void
malformed(Work *work, const char *member, const char *what)
{
  work->counts->dropped[DATA_DROPPED_MALFORMED]++;
  data_problem_add(work->problems, work->line, "%s%s%s", member ? member : "",
                   member ? ": expected a string, found " : "", what);
}

static void
work_line(Work *work, const char *line, gsize n)
{
  g_auto(PmcDecision) decision = {0};
  DataValue v[N_MEMBERS];
  const DataValue *id, *caption;
  const char *why;
  gsize at;

  if (n > DATA_MOST_LINE_BYTES || !data_scan(line, n, members, v, &why, &at)) {
    malformed(work, NULL, n > DATA_MOST_LINE_BYTES ? "longer than any pair" : why);
    return;
  }
  for (guint i = 0; i < N_MEMBERS; i++) {
    if (v[i].kind == DATA_VALUE_OTHER) {
      malformed(work, members[i], data_value_what(&v[i]));
      return;
    }
  }
  id = &v[v[PAIR_ID].kind == DATA_VALUE_STRING ? PAIR_ID : ID];
  caption = &v[v[FIG_CAPTION].kind == DATA_VALUE_STRING ? FIG_CAPTION : CAPTION];
  if (id->kind != DATA_VALUE_STRING || id->n == 0) {
    work->counts->dropped[DATA_DROPPED_NO_ID]++;
    return;
  }
  g_string_truncate(work->caption, 0);
  g_string_truncate(work->image, 0);
  if (caption->kind == DATA_VALUE_STRING) {
    data_value_decode(caption, work->caption);
  }
  data_value_decode(v[IMAGE].kind == DATA_VALUE_STRING ? &v[IMAGE] : id, work->image);
  g_string_append(work->image, v[IMAGE].kind == DATA_VALUE_STRING ? "" : ".jpg");
  pmc_select(work->select, work->caption->str, work->image->str, &decision);
  work->verdicts[decision.verdict]++;
  if (work->decisions) {
    put_decision(work, id, &decision);
  }
  if (decision.verdict == PMC_SELECTED) {
    put_selected(work, line, n, &decision);
  }
}

void
pmc_select_lines(const PmcSelect *select, const char *bytes, gsize n, GByteArray *out,
                 GByteArray *decisions, guint64 verdicts[PMC_N_VERDICTS], DataCounts *counts,
                 GArray *problems)
{
  g_autoptr(GString) caption = g_string_new(NULL), image = g_string_new(NULL),
                     json = g_string_new(NULL);
  Work work = {select, out, decisions, verdicts, counts, problems, 0, caption, image, json};
  const char *end = bytes + n;

  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);
    gsize text = length;

    while (text > 0 && g_ascii_isspace(bytes[text - 1])) {
      text--;
    }
    if (text > 0) {
      work_line(&work, bytes, text);
    }
    work.line++;
    bytes += length + (stop != NULL);
  }
  counts->lines += work.line;
}
