/* fuzz-instruct.c - what a teacher may say in place of a chat completion, what it may say in one, a
 * pair of a list from elsewhere, and examples of somebody's own. */
#include "fuzz.h"

#include <string.h>

#include "instruct.h"
#include "teacher-private.h"

static const char *
instruction(guint64 seed, gpointer user)
{
  return "Describe the image";
}

static void
check_reply(const char *text, gsize n)
{
  g_auto(AppTeacherTry) attempt = {0};

  app_teacher_read_reply(text, n, "application/json", &attempt);
  g_assert((attempt.outcome == APP_TEACHER_ANSWERED) == (attempt.text != NULL));
  g_assert((attempt.text == NULL) == (attempt.why != NULL));
  g_assert(!attempt.text || g_utf8_validate(attempt.text, -1, NULL));
  if (attempt.why) {
    fuzz_check_message(attempt.why);
  }
}

/* Whatever was said, what stays has a question, an answer and one place for the picture. */
static void
check_turns(const DataInstruct *instruct, const char *reply, gboolean is_cut)
{
  const DataPair pair = {.id = (char *)"1", .image = (char *)"1.jpg", .domain = DATA_DOMAIN_MRI};

  for (guint kind = 0; kind < DATA_N_KINDS; kind++) {
    g_autoptr(GArray) turns = data_instruct_turns(instruct, &pair, (DataKind)kind, reply, is_cut);
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint marks = 0;

    for (guint i = 0; i < turns->len; i++) {
      const DataTurn *turn = &g_array_index(turns, DataTurn, i);
      if (turn->fate == DATA_TURN_KEPT) {
        g_assert(turn->question && turn->answer);
        g_assert(g_utf8_validate(turn->answer, -1, NULL));
        g_assert(instruct->compatible || *turn->answer);
        marks += strstr(turn->question, "<image>") != NULL;
      }
    }
    g_assert(instruct->compatible || marks == (data_turns_kept(turns) > 0));
    data_instruct_write(instruct, &pair, (DataKind)kind, turns, out);
    g_assert(g_utf8_validate_len((const char *)out->data, out->len, NULL));
  }
}

static void
check_pair(const DataInstruct *instruct, const char *line, gsize n)
{
  g_auto(DataPair) pair = {0};
  g_autofree char *problem = NULL;
  DataDropped reason;

  if (data_instruct_read(instruct, line, n, &pair, &reason, &problem)) {
    g_assert(pair.id && pair.image && pair.captions->len > 0 && !problem);
    g_assert(g_utf8_validate(pair.captions->pdata[0], -1, NULL));
  } else if (problem) {
    fuzz_check_message(problem);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  g_autofree char *text = g_strndup((const char *)data, n), *reply = g_utf8_make_valid(text, -1);
  DataInstruct instruct = {.seed = n, .instruction = instruction};
  g_autofree char *problem = NULL;
  g_autoptr(DataExamples) examples = NULL;

  fuzz_start();
  check_reply((const char *)data, n);
  check_pair(&instruct, (const char *)data, n);
  check_turns(&instruct, reply, n % 2);
  instruct.compatible = TRUE;
  check_turns(&instruct, reply, FALSE);
  examples = data_examples_parse((const char *)data, n, &problem);
  g_assert((examples == NULL) == (problem != NULL));
  return 0;
}
