/* scienceqa.c - ScienceQA's problems as the conversations that LLaVA trains on.
 *
 * Two letters' worth of words say what a question and its answer are made of: Q question, C
 * context, M choices; A answer, L lecture, E explanation, P as a plan with headings. The texts are
 * put together as LLaVA's own files have them, to the byte: two blanks become one (once), blanks at
 * the ends go, and so do "Question: " and "Answer: " wherever they stand.
 */
#include "dataset/record.h"

#include <string.h>

#include "json-text.h"

#define MOST_CHOICES 5u
#define NOTHING "N/A"

static const char *const question_shapes[] = {"QCM", "CQM", NULL};
static const char *const answer_shapes[] = {"A", "ALE", "LEA", "LA", "EA", "LEPA", NULL};

enum { QUESTION, CHOICES, ANSWER, HINT, IMAGE, SPLIT, LECTURE, SOLUTION, KEY, N_MEMBERS };
static const char *const members[] = {"question", "choices", "answer",   "hint", "image",
                                      "split",    "lecture", "solution", "@key", NULL};

typedef struct {
  GString *texts[N_MEMBERS]; /* decoded; CHOICES as "(A) one (B) two" */
  char letter;               /* of the answer */
  gboolean has_image;
} Problem;

static void
problem_init(Problem *problem)
{
  for (guint i = 0; i < N_MEMBERS; i++) {
    problem->texts[i] = g_string_new(NULL);
  }
}

static void
problem_clear(Problem *problem)
{
  for (guint i = 0; i < N_MEMBERS; i++) {
    g_string_free(problem->texts[i], TRUE);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Problem, problem_clear)

gboolean
data_scienceqa_is_shape(const char *shape)
{
  g_auto(GStrv) parts = g_strsplit(shape, "-", 2);

  return g_strv_length(parts) == 2 && g_strv_contains(question_shapes, parts[0]) &&
         g_strv_contains(answer_shapes, parts[1]);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static gboolean
read_choices(DataRecordWork *work, const DataValue *values, Problem *problem)
{
  DataValue choice;
  gsize at = 0;
  guint n = 0;
  const DataValue *answer = &values[ANSWER];

  while (data_array_next(&values[CHOICES], &at, &choice)) {
    if (choice.kind != DATA_VALUE_STRING || n == MOST_CHOICES) {
      return data_record_malformed(work, "choices: expected at most %u strings", MOST_CHOICES);
    }
    g_string_append_printf(problem->texts[CHOICES], "%s(%c) ", n ? " " : "", 'A' + n);
    data_value_decode(&choice, problem->texts[CHOICES]);
    n++;
  }
  if (n == 0) {
    return data_record_malformed(work, "choices: found %s, expected an array of strings",
                                 data_value_what(&values[CHOICES]));
  }
  if (answer->kind != DATA_VALUE_OTHER || answer->n != 1 || *answer->text < '0' ||
      *answer->text >= (char)('0' + n)) {
    return data_record_malformed(work, "answer: expected the number of one of %u choices", n);
  }
  problem->letter = (char)('A' + (*answer->text - '0'));
  return TRUE;
}

/* FALSE: it is malformed, or of another split. */
static gboolean
read_problem(DataRecordWork *work, const char *line, gsize n, Problem *problem)
{
  static const guint texts[] = {QUESTION, HINT, IMAGE, SPLIT, LECTURE, SOLUTION, KEY};
  DataValue values[N_MEMBERS];
  const char *why;
  gsize at;

  if (!data_scan(line, n, members, values, &why, &at)) {
    return data_record_malformed(work, "%s, at byte %" G_GSIZE_FORMAT, why, at + 1);
  }
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    const DataValue *value = &values[texts[i]];
    if (value->kind == DATA_VALUE_OTHER) {
      return data_record_malformed(work, "%s: found %s, expected a string", members[texts[i]],
                                   data_value_what(value));
    }
    if (value->kind == DATA_VALUE_STRING) {
      data_value_decode(value, problem->texts[texts[i]]);
    }
  }
  if (values[KEY].kind != DATA_VALUE_STRING) {
    return data_record_drop(work, DATA_DROPPED_NO_ID);
  }
  if (work->convert->split && strcmp(problem->texts[SPLIT]->str, work->convert->split) != 0) {
    return data_record_drop(work, DATA_DROPPED_NOT_SAMPLED);
  }
  problem->has_image = problem->texts[IMAGE]->len > 0;
  return read_choices(work, values, problem);
}

/* ---- putting together --------------------------------------------------------------------------
 */

static void
tidy(GString *text, const char *heading)
{
  g_string_replace(text, "  ", " ", 0);
  g_strstrip(text->str);
  g_string_truncate(text, strlen(text->str));
  if (g_str_has_prefix(text->str, heading)) {
    g_string_replace(text, heading, "", 0);
  }
}

static GString *
ask(const Problem *problem, const char *shape)
{
  GString *text = g_string_new(NULL);
  g_autofree char *context = g_strstrip(g_strdup(problem->texts[HINT]->str));

  if (!*context) {
    g_free(context);
    context = g_strdup(NOTHING);
  }
  if (*shape == 'C') {
    g_string_append_printf(text, "Context: %s\nQuestion: %s\n", context,
                           problem->texts[QUESTION]->str);
  } else {
    g_string_append_printf(text, "Question: %s\nContext: %s\n", problem->texts[QUESTION]->str,
                           context);
  }
  g_string_append_printf(text, "Options: %s\n", problem->texts[CHOICES]->str);
  tidy(text, "Question: ");
  return text;
}

static gboolean
is_blank(const GString *text)
{
  return strspn(text->str, " \t\r\n") == text->len;
}

static GString *
answer(const Problem *problem, const char *shape)
{
  GString *text = g_string_new(NULL);
  const GString *lecture = problem->texts[LECTURE], *solution = problem->texts[SOLUTION];

  if (strcmp(shape, "LEPA") == 0) {
    if (!is_blank(lecture)) {
      g_string_append_printf(text, "LECTURE: %s\n", lecture->str);
    }
    if (!is_blank(solution)) {
      g_string_append_printf(text, "SOLUTION: %s\n", solution->str);
    }
    g_string_append_printf(text, "###\nANSWER: %c.", problem->letter);
  } else if (*shape == 'A') {
    g_string_append_printf(text, "Answer: The answer is %c.", problem->letter);
    if (shape[1]) {
      g_string_append_printf(text, " BECAUSE: %s %s", lecture->str, solution->str);
    }
  } else {
    g_string_append(text, "Answer: ");
    if (*shape == 'L') {
      g_string_append_printf(text, "%s ", lecture->str);
    }
    if (strchr(shape, 'E')) {
      g_string_append_printf(text, "%s ", solution->str);
    }
    g_string_append_printf(text, "The answer is %c.", problem->letter);
  }
  tidy(text, "Answer: ");
  if (g_str_has_suffix(text->str, "BECAUSE:")) {
    g_string_truncate(text, text->len - strlen("BECAUSE:"));
    g_strchomp(text->str);
    g_string_truncate(text, strlen(text->str));
  }
  return text;
}

void
data_record_scienceqa(DataRecordWork *work, const char *line, gsize n)
{
  const char *shape = work->convert->shape ? work->convert->shape : "QCM-LEA";
  g_auto(Problem) problem = {0};
  g_autoptr(GString) question = NULL, reply = NULL, json = g_string_new(NULL);
  g_autofree char *image = NULL;

  problem_init(&problem);
  if (!read_problem(work, line, n, &problem)) {
    return;
  }
  /* Where a text says "\n" in letters, a line break is meant. */
  g_string_replace(problem.texts[LECTURE], "\\n", "\n", 0);
  g_string_replace(problem.texts[SOLUTION], "\\n", "\n", 0);
  question = ask(&problem, shape);
  reply = answer(&problem, strchr(shape, '-') + 1);
  g_string_append_c(json, '{');
  store_json_append_member(json, "id", problem.texts[KEY]->str);
  if (problem.has_image) {
    image = g_strconcat(problem.texts[KEY]->str, "/", problem.texts[IMAGE]->str, NULL);
    store_json_append_member(json, "image", image);
    g_string_append(question, "\n<image>");
  }
  g_string_append(json, ", \"conversations\": [{\"from\": \"human\", \"value\": ");
  store_json_append(json, question->str, question->len);
  g_string_append(json, "}, {\"from\": \"gpt\", \"value\": ");
  store_json_append(json, reply->str, reply->len);
  g_string_append(json, "}]}");
  data_record_put_text(work, work->convert->array ? ",\n" : "");
  data_record_put(work, json->str, json->len);
  data_record_put_text(work, work->convert->array ? "" : "\n");
  work->counts->written++;
}
