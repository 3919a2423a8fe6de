/* instruct.c - replies to turns, turns to records and to the story of what became of them. */
#include "instruct.h"

#include <string.h>

#include "dataset/chance.h"
#include "dataset/instruct-turns.h"
#include "json-text.h"

const char *
data_kind_name(DataKind kind)
{
  static const char *const names[] = {"conversation", "detail", "reasoning"};

  return names[kind];
}

const char *
data_turn_fate_name(DataTurnFate fate)
{
  static const char *const names[] = {
      "kept",       "no_answer", "no_question",    "empty",        "cut",     "marker",
      "characters", "refusal",   "question_tells", "answer_tells", "repeated"};

  G_STATIC_ASSERT(G_N_ELEMENTS(names) == DATA_N_TURN_FATES);
  return names[fate];
}

/* ---- turns --------------------------------------------------------------------------------- */

static void
turn_clear(gpointer data)
{
  DataTurn *turn = data;

  g_free(turn->question);
  g_free(turn->answer);
  g_free(turn->phrase);
  g_free(turn->removed);
}

GArray *
data_turns_new(void)
{
  GArray *turns = g_array_new(FALSE, FALSE, sizeof(DataTurn));

  g_array_set_clear_func(turns, turn_clear);
  return turns;
}

void
data_turns_add(GArray *turns, char *question, char *answer, DataTurnFate fate)
{
  const DataTurn turn = {.question = question, .answer = answer, .fate = fate};

  g_array_append_val(turns, turn);
}

guint
data_turns_kept(const GArray *turns)
{
  guint n = 0;

  for (guint i = 0; i < turns->len; i++) {
    n += g_array_index(turns, DataTurn, i).fate == DATA_TURN_KEPT;
  }
  return n;
}

/* Of one record, its own for each end. */
enum { FOR_PLACE = 101, FOR_QUESTION = 102 };

static guint64
number_of(const DataInstruct *instruct, const DataPair *pair, DataKind kind, guint end)
{
  return data_chance_for(data_chance_text(instruct->seed, pair->id, strlen(pair->id)),
                         end + 16 * (guint64)kind);
}

GArray *
data_instruct_turns(const DataInstruct *instruct, const DataPair *pair, DataKind kind,
                    const char *reply, gboolean is_cut)
{
  const gboolean image_first = number_of(instruct, pair, kind, FOR_PLACE) & 1;
  const gboolean whole = kind == DATA_KIND_DETAIL;
  GArray *turns;

  if (whole) {
    turns = data_turns_whole(
        instruct->instruction(number_of(instruct, pair, kind, FOR_QUESTION), instruct->user),
        reply);
  } else {
    turns = instruct->compatible ? data_turns_compatible_split(reply) : data_turns_split(reply);
  }
  if (instruct->compatible) {
    data_turns_place_mark(turns, image_first);
    data_turns_compatible_clean(turns);
  } else {
    data_turns_strict_clean(turns, is_cut, whole);
    data_turns_place_mark(turns, image_first);
  }
  return turns;
}

/* ---- records ------------------------------------------------------------------------------- */

static void
append_domain(GString *out, DataDomain domain)
{
  store_json_append_name(out, "domain");
  g_string_append_c(out, '{');
  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    store_json_append_name(out, data_domain_name((DataDomain)i));
    g_string_append(out, domain == i ? "true" : "false");
  }
  g_string_append_c(out, '}');
}

static void
append_said(GString *out, const char *from, const char *value, gboolean first)
{
  g_string_append(out, first ? "{" : ", {");
  store_json_append_member(out, "from", from);
  store_json_append_member(out, "value", value);
  g_string_append_c(out, '}');
}

void
data_instruct_write(const DataInstruct *instruct, const DataPair *pair, DataKind kind,
                    const GArray *turns, GByteArray *out)
{
  g_autoptr(GString) text = g_string_new("{");
  g_autofree char *id = instruct->many_kinds
                            ? g_strconcat(pair->id, "_", data_kind_name(kind), NULL)
                            : g_strdup(pair->id);
  gboolean first = TRUE;

  store_json_append_member(text, "id", id);
  store_json_append_member(text, "image", pair->image);
  if (pair->domain != DATA_DOMAIN_NONE) {
    append_domain(text, pair->domain);
  }
  store_json_append_member(text, "type", data_kind_name(kind));
  store_json_append_name(text, "conversations");
  g_string_append_c(text, '[');
  for (guint i = 0; i < turns->len; i++) {
    const DataTurn *turn = &g_array_index(turns, DataTurn, i);
    if (turn->fate == DATA_TURN_KEPT) {
      append_said(text, "human", turn->question, first);
      append_said(text, "gpt", turn->answer, FALSE);
      first = FALSE;
    }
  }
  g_string_append(text, instruct->array ? "]}" : "]}\n");
  if (instruct->array) {
    g_byte_array_append(out, (const guint8 *)",\n", 2);
  }
  g_byte_array_append(out, (const guint8 *)text->str, (guint)text->len);
}

/* ---- why ----------------------------------------------------------------------------------- */

static void
append_turns(GString *out, const GArray *turns)
{
  for (guint i = 0; i < turns->len; i++) {
    const DataTurn *turn = &g_array_index(turns, DataTurn, i);

    g_string_append(out, i > 0 ? ", {" : "{");
    store_json_append_name(out, "turn");
    g_string_append_printf(out, "%u", i + 1);
    store_json_append_name(out, "in");
    g_string_append(out, turn->fate == DATA_TURN_KEPT ? "true" : "false");
    store_json_append_member(out, "why", data_turn_fate_name(turn->fate));
    store_json_append_member(out, "phrase", turn->phrase);
    store_json_append_member(out, "removed", turn->removed);
    g_string_append_c(out, '}');
  }
}

void
data_story_write(const DataStory *story, GByteArray *out)
{
  g_autoptr(GString) text = g_string_new("{");

  store_json_append_name(text, "line");
  g_string_append_printf(text, "%" G_GUINT64_FORMAT, story->line);
  store_json_append_member(text, "id", story->id);
  store_json_append_member(text, "kind", story->kind);
  store_json_append_name(text, "in");
  g_string_append(text, strcmp(story->why, "kept") == 0 ? "true" : "false");
  store_json_append_member(text, "why", story->why);
  store_json_append_member(text, "detail", story->detail);
  store_json_append_member(text, "request", story->request);
  store_json_append_name(text, "tokens_in");
  g_string_append_printf(text, "%" G_GUINT64_FORMAT, story->tokens_in);
  store_json_append_name(text, "tokens_out");
  g_string_append_printf(text, "%" G_GUINT64_FORMAT, story->tokens_out);
  store_json_append_name(text, "from_journal");
  g_string_append(text, story->is_kept ? "true" : "false");
  store_json_append_name(text, "turns");
  g_string_append_c(text, '[');
  if (story->turns) {
    append_turns(text, story->turns);
  }
  g_string_append(text, "]}\n");
  g_byte_array_append(out, (const guint8 *)text->str, (guint)text->len);
}

const char *
data_instruct_count(DataInstructCounts *counts, const DataPair *pair, DataKind kind,
                    const GArray *turns)
{
  gboolean any = FALSE;

  for (guint i = 0; i < turns->len; i++) {
    const DataTurn *turn = &g_array_index(turns, DataTurn, i);

    counts->fates[turn->fate]++;
    counts->edited += turn->fate == DATA_TURN_KEPT && turn->removed;
    any |= turn->fate == DATA_TURN_KEPT;
  }
  if (!any) {
    *(turns->len > 0 ? &counts->no_turn_left : &counts->no_turns) += 1;
    return turns->len > 0 ? "no_turn_left" : "no_turns";
  }
  counts->written++;
  counts->kinds[kind]++;
  counts->domains[pair->domain]++;
  return "kept";
}
