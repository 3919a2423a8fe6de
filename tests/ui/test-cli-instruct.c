/* test-cli-instruct.c - hilum dataset instruct, from outside: what is asked, written and said, what
 * a kill and a full disk leave, and what a teacher may do. */
#include <string.h>

#include "app/tiny.h"
#include "cli-run.h"
#include "mock-server.h"

#define KEY "sk-Hq7mTz90aLb"
#define N_PAIRS 40u
#define JSON_OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define SAYS(text)                                                                                 \
  JSON_OK "{\"model\": \"served\", \"choices\": [{\"message\": {\"content\": \"" text "\"}, "      \
          "\"finish_reason\": \"stop\"}], \"usage\": {\"prompt_tokens\": 300, "                    \
          "\"completion_tokens\": 20}}"

typedef struct {
  MockServer *server;
  char *folder, *pairs, *out, *report, *journal;
} Fixture;

/* The caption of the last message, which is the question, comes again in the answer. */
static char **
answer(const char *request, gpointer user)
{
  const char *last = g_strrstr(request, "Finding "), *end = last ? strpbrk(last, ".\\\"") : NULL;
  g_autofree char *finding = end ? g_strndup(last, (gsize)(end - last)) : g_strdup("?");
  g_autofree char *reply = g_strdup_printf(
      SAYS("User: What is seen?\\n\\nAssistant: Sorry, I cannot view the image.\\n\\nUser: Which "
           "one?\\n\\nAssistant: Based on the caption, %s on MRI.\\n\\nUser: More?\\n\\nAssistant: "
           "The caption is short."),
      finding);
  const char *pieces[] = {user ? MOCK_PAUSE : reply, user ? reply : NULL, NULL};

  return g_strdupv((char **)pieces);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GString) text = g_string_new(NULL);

  f->server = mock_server_new();
  f->server->answer = answer;
  f->folder = tiny_folder_new();
  f->pairs = g_build_filename(f->folder, "pairs.jsonl", NULL);
  f->out = g_build_filename(f->folder, "out.jsonl", NULL);
  f->report = g_build_filename(f->folder, "report.jsonl", NULL);
  f->journal = g_strconcat(f->out, ".journal", NULL);
  for (guint i = 0; i < N_PAIRS; i++) {
    g_string_append_printf(text,
                           "{\"pair_id\": \"%u_F1\", \"fig_caption\": \"Finding %u.\", "
                           "\"in_text_mention\": [\"We saw it.\"], \"domain\": \"%s\"}\n",
                           i, i, i % 2 ? "mri" : "ct_scan");
  }
  g_assert_true(g_file_set_contents(f->pairs, text->str, -1, NULL));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  mock_server_free(f->server);
  g_free(f->pairs);
  g_free(f->out);
  g_free(f->report);
  g_free(f->journal);
  tiny_folder_free(f->folder);
}

#define INSTRUCT(f) "dataset", "instruct", "--in", (f)->pairs, "--out", (f)->out
#define TEACHER(f)                                                                                 \
  "--teacher", (f)->server->url, "--teacher-model", "asked-for", "--retry-wait", "0.001"

static char *
contents(const char *path)
{
  char *text = NULL;

  g_file_get_contents(path, &text, NULL, NULL);
  return text;
}

static JsonNode *
report_of(const CliRun *run, gint status)
{
  JsonNode *node;

  g_test_message("%s", run->err);
  g_assert_cmpint(run->status, ==, status);
  g_assert_null(strstr(run->err, KEY));
  node = json_from_string(run->out, NULL);
  g_assert_nonnull(node);
  return node;
}

static gint64
count_of(JsonNode *node, const char *group, const char *name)
{
  JsonObject *o = json_node_get_object(node);

  return json_object_get_int_member(group ? json_object_get_object_member(o, group) : o, name);
}

static guint
lines_of(const char *path)
{
  g_autofree char *text = contents(path);
  guint n = 0;

  for (const char *at = text; at && *at; at++) {
    n += *at == '\n';
  }
  return n;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void
test_run(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL, first = NULL, story = NULL;
  g_autofree char *out = NULL, *stories = NULL;
  g_auto(GStrv) lines = NULL, told = NULL;
  JsonArray *turns;

  cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), "--report", f->report, "--price-in", "2",
          "--price-out", "10", "--json", NULL);
  node = report_of(&run, 0);
  g_assert_nonnull(strstr(run.err, "the teacher is asked-for on 127.0.0.1"));
  g_assert_null(strstr(run.err, "leave")); /* it is on this machine */
  g_assert_cmpint(count_of(node, NULL, "written"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, "kinds", "conversation"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, "domains", "mri"), ==, N_PAIRS / 2);
  g_assert_cmpint(count_of(node, "turns", "kept"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, "turns", "refusal"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, "turns", "answer_tells"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, NULL, "edited"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, NULL, "requests"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, NULL, "tokens_in"), ==, 300 * N_PAIRS);
  g_assert_cmpfloat_with_epsilon(json_object_get_double_member(json_node_get_object(node), "cost"),
                                 N_PAIRS * (300 * 2 + 20 * 10) / 1e6, 1e-9);
  out = contents(f->out);
  lines = g_strsplit(out, "\n", -1);
  first = json_from_string(lines[3], NULL);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(first), "id"), ==, "3_F1");
  turns = json_object_get_array_member(json_node_get_object(first), "conversations");
  g_assert_cmpuint(json_array_get_length(turns), ==, 2);
  g_assert_nonnull(strstr(
      json_object_get_string_member(json_array_get_object_element(turns, 0), "value"), "<image>"));
  g_assert_cmpstr(json_object_get_string_member(json_array_get_object_element(turns, 1), "value"),
                  ==, "Finding 3 on MRI.");
  stories = contents(f->report);
  told = g_strsplit(stories, "\n", -1);
  g_assert_cmpuint(g_strv_length(told), ==, N_PAIRS + 1);
  story = json_from_string(told[3], NULL);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(story), "line"), ==, 4);
  turns = json_object_get_array_member(json_node_get_object(story), "turns");
  g_assert_cmpstr(json_object_get_string_member(json_array_get_object_element(turns, 0), "phrase"),
                  ==, "sorry");
}

/* The same bytes for any number of questions at once, out of the journal, and as an array. */
static void
test_same(Fixture *f, gconstpointer data)
{
  static const char *const parallel[] = {"1", "3", "8", "8"};
  g_autofree char *expected = NULL;

  for (guint i = 0; i < G_N_ELEMENTS(parallel); i++) {
    g_auto(CliRun) run = {0};
    g_autofree char *out = NULL;

    if (i < 3) {
      g_unlink(f->journal);
    }
    cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), "--parallel", parallel[i], NULL);
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(strstr(run.out, "40 records of 40"));
    out = contents(f->out);
    expected = expected ? expected : g_strdup(out);
    g_assert_cmpstr(out, ==, expected);
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 3 * N_PAIRS);
  g_autofree char *array = g_build_filename(f->folder, "out.json", NULL), *text = NULL;
  g_autoptr(JsonNode) node = NULL;
  g_auto(CliRun) run = {0}, check = {0};
  cli_run(&run, NULL, "dataset", "instruct", "--in", f->pairs, "--out", array, "--journal",
          f->journal, TEACHER(f), NULL);
  g_assert_cmpint(run.status, ==, 0);
  text = contents(array);
  node = json_from_string(text, NULL);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(node)), ==, N_PAIRS);
  cli_run(&check, NULL, "dataset", "check", array, NULL);
  g_assert_cmpint(check.status, ==, 0);
}

static void
test_kinds(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) run = {0}, compatible = {0};
  g_autoptr(JsonNode) node = NULL, other = NULL;
  g_autofree char *out = NULL, *small = NULL;

  cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), "--kind", "reasoning,conversation", "--limit", "3",
          "--mentions", "--shots", "1", "--json", NULL);
  node = report_of(&run, 0);
  g_assert_cmpint(count_of(node, NULL, "pairs"), ==, 3);
  g_assert_cmpint(count_of(node, NULL, "written"), ==, 6);
  out = contents(f->out);
  g_assert_nonnull(strstr(out, "\"id\": \"2_F1_reasoning\""));
  g_assert_nonnull(strstr(mock_body(f->server, 0), "\\n\\nFigure Context:\\n\\t- We saw it."));
  cli_run(&compatible, NULL, INSTRUCT(f), TEACHER(f), "--limit", "3", "--compatible", "--mentions",
          "--shots", "1", "--json", NULL);
  other = report_of(&compatible, 0);
  g_assert_cmpint(count_of(other, NULL, "from_journal"), ==, 3);
  small = contents(f->out);
  g_assert_nonnull(strstr(small, "\"Finding 2 on mri.\""));
  g_assert_null(strstr(small, "<image>"));
}

static void
test_examples(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) print = {0}, same = {0}, other = {0}, bad = {0};
  g_autofree char *file = g_build_filename(f->folder, "examples.txt", NULL), *text = NULL;

  cli_run(&print, NULL, "dataset", "instruct", "--print-examples", NULL);
  g_assert_cmpint(print.status, ==, 0);
  g_assert_true(g_file_set_contents(file, print.out, -1, NULL));
  cli_run(&same, NULL, INSTRUCT(f), TEACHER(f), "--limit", "1", NULL);
  cli_run(&other, NULL, INSTRUCT(f), TEACHER(f), "--limit", "1", "--examples", file, NULL);
  g_assert_cmpint(other.status, ==, 0);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 1); /* the same question */
  text = g_strconcat(print.out, "\n== brain\n", NULL);
  g_assert_true(g_file_set_contents(file, text, -1, NULL));
  cli_run(&bad, NULL, INSTRUCT(f), TEACHER(f), "--examples", file, NULL);
  g_assert_cmpint(bad.status, ==, 2);
  g_assert_nonnull(strstr(bad.err, "examples.txt: line "));
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

/* Each fault is named and counted, and the run goes on. */
static void
test_faults(Fixture *f, gconstpointer data)
{
  g_autofree char *much = g_strnfill(10u << 20, 'x');
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL;
  g_autofree char *stories = NULL;

  for (guint i = 0; i < 2; i++) {
    mock_reply(f->server, JSON_OK, NULL);
  }
  mock_reply(f->server, "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", NULL);
  mock_reply(f->server, SAYS("User: Q?\\n\\nAssistant: A."), NULL);
  for (guint i = 0; i < 2; i++) {
    mock_reply(f->server, JSON_OK "{\"choices\": [{\"message\": {\"content\": \"", much, "\"}}]}",
               NULL);
  }
  for (guint i = 0; i < 2; i++) {
    mock_reply(f->server, SAYS("half \\ud800"), NULL);
  }
  for (guint i = 0; i < 5; i++) {
    mock_reply(f->server, "", NULL); /* the connection ends */
  }
  mock_reply(f->server, SAYS("I would rather not."), NULL);
  mock_reply(f->server,
             "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>", NULL);
  cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), "--parallel", "1", "--report", f->report, "--json",
          NULL);
  node = report_of(&run, 0);
  g_assert_cmpint(count_of(node, "unanswered", "nonsense"), ==, 2);
  g_assert_cmpint(count_of(node, "unanswered", "too_long"), ==, 1);
  g_assert_cmpint(count_of(node, "unanswered", "connection"), ==, 1);
  g_assert_cmpint(count_of(node, NULL, "no_turns"), ==, 1);
  g_assert_cmpint(count_of(node, NULL, "records"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, NULL, "written"), ==, N_PAIRS - 5);
  g_assert_nonnull(strstr(run.err, "pairs.jsonl: line 1: 0_F1: the teacher: nothing at all"));
  g_assert_nonnull(strstr(run.err, "pairs.jsonl: line 3: 2_F1: the teacher: a reply of more than"));
  g_assert_nonnull(strstr(run.err, "line 4: 3_F1: the teacher: "));
  stories = contents(f->report);
  g_assert_nonnull(strstr(stories, "\"id\": \"5_F1\", \"kind\": \"conversation\", \"in\": false, "
                                   "\"why\": \"no_turns\""));
  g_assert_cmpuint(lines_of(f->report), ==, N_PAIRS);
}

/* Lines that are no pairs are told in their places. */
static void
test_bad_lines(Fixture *f, gconstpointer data)
{
  static const char lines[] = "not JSON\n{\"id\": \"a\", \"caption\": \"Finding 1.\"}\n"
                              "{\"id\": \"b\"}\n\n{\"caption\": \"x\"}\n"
                              "{\"id\": \"c\", \"caption\": \"Finding 2.\"}\n{\"id\": 5}\n";
  static const char *const expected[] = {"malformed", "kept", "no_caption",
                                         "no_id",     "kept", "malformed"};
  static const guint numbers[] = {1, 2, 3, 5, 6, 7};
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL;
  g_autofree char *stories = NULL;
  g_auto(GStrv) told = NULL;

  g_assert_true(g_file_set_contents(f->pairs, lines, -1, NULL));
  cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), "--report", f->report, "--json", NULL);
  node = report_of(&run, 0);
  g_assert_cmpint(count_of(node, NULL, "written"), ==, 2);
  g_assert_cmpint(count_of(node, "dropped", "malformed"), ==, 2);
  g_assert_nonnull(strstr(run.err, "pairs.jsonl: line 7: id: found a number, expected a string"));
  stories = contents(f->report);
  told = g_strsplit(stories, "\n", -1);
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autoptr(JsonNode) story = json_from_string(told[i], NULL);
    g_assert_nonnull(story);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(story), "line"), ==,
                    numbers[i]);
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(story), "why"), ==,
                    expected[i]);
  }
}

/* ---- ends that nobody planned --------------------------------------------------------------- */

static GSubprocess *
start(Fixture *f, const char *parallel)
{
  g_autoptr(GError) error = NULL;
  GSubprocess *process = g_subprocess_new(
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error,
      g_getenv("HILUM_BIN"), INSTRUCT(f), TEACHER(f), "--parallel", parallel, NULL);

  g_assert_no_error(error);
  return process;
}

static void
wait_for_requests(Fixture *f, guint n)
{
  for (guint i = 0; mock_n_requests(f->server) < n; i++) {
    g_assert_cmpuint(i, <, 60000);
    g_usleep(1000);
  }
}

/* How often each question came to the server. */
static void
count_questions(Fixture *f, guint counts[N_PAIRS])
{
  memset(counts, 0, N_PAIRS * sizeof *counts);
  for (guint i = 0; i < mock_n_requests(f->server); i++) {
    const char *last = g_strrstr(mock_body(f->server, i), "Finding ");
    counts[g_ascii_strtoull(last + 8, NULL, 10)]++;
  }
}

static void
test_kill(Fixture *f, gconstpointer data)
{
  g_autoptr(GSubprocess) process = NULL;
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL;
  guint counts[N_PAIRS], kept, again = 0;

  f->server->user = f; /* answers take a while */
  process = start(f, "2");
  wait_for_requests(f, 12);
  g_subprocess_force_exit(process);
  g_subprocess_wait(process, NULL, NULL);
  g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
  kept = lines_of(f->journal) - 1;
  g_assert_cmpuint(kept, >=, 8);
  f->server->user = NULL;
  cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), "--json", NULL);
  node = report_of(&run, 0);
  g_assert_cmpint(count_of(node, NULL, "written"), ==, N_PAIRS);
  g_assert_cmpint(count_of(node, NULL, "from_journal"), ==, kept);
  count_questions(f, counts);
  for (guint i = 0; i < N_PAIRS; i++) {
    g_assert_cmpuint(counts[i], >=, 1);
    again += counts[i] - 1;
  }
  /* Only what was under way when it ended, and had no answer yet, came twice. */
  g_assert_cmpuint(again, <=, 2);
  g_assert_cmpuint(mock_n_requests(f->server), ==, N_PAIRS + again);
}

static void
test_interrupt(Fixture *f, gconstpointer data)
{
  g_autoptr(GSubprocess) process = NULL;
  g_auto(CliRun) run = {0};
  guint counts[N_PAIRS];

  f->server->user = f;
  process = start(f, "2");
  wait_for_requests(f, 8);
  g_subprocess_send_signal(process, SIGINT);
  g_subprocess_wait(process, NULL, NULL);
  g_assert_true(g_subprocess_get_if_exited(process));
  g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 1);
  g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
  f->server->user = NULL;
  cli_run(&run, NULL, INSTRUCT(f), TEACHER(f), NULL);
  g_assert_cmpint(run.status, ==, 0);
  /* What was under way was still answered: nothing came twice. */
  count_questions(f, counts);
  for (guint i = 0; i < N_PAIRS; i++) {
    g_assert_cmpuint(counts[i], ==, 1);
  }
}

/* First there is no room for the journal, then none for the data set. */
static void
test_full_disk(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) first = {0}, second = {0}, whole = {0};
  g_autoptr(JsonNode) node = NULL, last = NULL;
  g_autofree char *journal = NULL;
  guint asked;

  cli_run_limited(&first, 3000, INSTRUCT(f), TEACHER(f), "--parallel", "1", "--json", NULL);
  node = report_of(&first, 1);
  asked = mock_n_requests(f->server);
  g_assert_cmpuint(asked, <, N_PAIRS);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "ended"), ==,
                  "journal");
  g_assert_nonnull(strstr(first.err, "the journal cannot be written"));
  g_assert_cmpint(count_of(node, "unanswered", "not_asked"), ==, N_PAIRS - asked);
  journal = contents(f->journal);
  g_assert_true(g_str_has_suffix(journal, "}\n"));
  g_unlink(f->out);
  cli_run(&whole, NULL, INSTRUCT(f), TEACHER(f), "--json", NULL);
  last = report_of(&whole, 0);
  g_assert_cmpint(count_of(last, NULL, "written"), ==, N_PAIRS);
  g_unlink(f->out);
  cli_run_limited(&second, 3000, INSTRUCT(f), TEACHER(f), NULL);
  g_assert_cmpint(second.status, ==, 1);
  g_assert_nonnull(strstr(second.err, "out.jsonl: cannot be written"));
  g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
}

static void
test_limits(Fixture *f, gconstpointer data)
{
  g_auto(CliRun) tokens = {0}, gone = {0}, denied = {0};
  g_autoptr(JsonNode) node = NULL, no_one = NULL;

  cli_run(&tokens, NULL, INSTRUCT(f), TEACHER(f), "--most-tokens", "9000", "--json", NULL);
  node = report_of(&tokens, 0);
  g_assert_cmpint(count_of(node, NULL, "spent_tokens"), <=, 9000);
  g_assert_cmpint(count_of(node, NULL, "written"), >=, 2);
  g_assert_cmpint(count_of(node, "unanswered", "not_asked"), >, 0);
  g_assert_nonnull(strstr(tokens.err, "not everything was asked: the limit of tokens is reached"));
  g_unlink(f->journal);
  cli_run(&gone, NULL, INSTRUCT(f), "--teacher", "http://127.0.0.1:1", "--teacher-model", "m",
          "--retry-wait", "0.001", "--json", NULL);
  no_one = report_of(&gone, 1);
  g_assert_cmpint(count_of(no_one, NULL, "written"), ==, 0);
  g_assert_nonnull(strstr(gone.err, "questions in a row had no answer"));
  mock_reply(f->server, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", NULL);
  cli_run(&denied, NULL, INSTRUCT(f), TEACHER(f), "--parallel", "1", NULL);
  g_assert_cmpint(denied.status, ==, 1);
  g_assert_nonnull(strstr(denied.err, "HTTP 401, the server does not accept the key"));
}

/* ---- the model in this program -------------------------------------------------------------- */

static void
test_local(Fixture *f, gconstpointer data)
{
  g_autofree char *model = g_build_filename(f->folder, "tiny.gguf", NULL);
  g_autofree char *teacher = g_strconcat("model:", model, NULL), *first = NULL, *second = NULL;
  g_auto(CliRun) run = {0}, again = {0};
  g_autoptr(JsonNode) node = NULL;

  tiny_model_write(f->folder, model);
  cli_run(&run, NULL, INSTRUCT(f), "--teacher", teacher, "--shots", "0", "--kind", "detail",
          "--max-tokens", "12", "--limit", "2", "--report", f->report, "--json", NULL);
  node = report_of(&run, 0);
  g_assert_cmpint(count_of(node, NULL, "records"), ==, 2);
  g_assert_cmpint(count_of(node, NULL, "requests"), ==, 2);
  g_assert_cmpuint(lines_of(f->report), ==, 2);
  first = contents(f->report);
  g_unlink(f->journal);
  cli_run(&again, NULL, INSTRUCT(f), "--teacher", teacher, "--shots", "0", "--kind", "detail",
          "--max-tokens", "12", "--limit", "2", "--report", f->report, NULL);
  second = contents(f->report);
  g_assert_cmpstr(first, ==, second);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

static void
test_misused(Fixture *f, gconstpointer data)
{
  static const char *const cases[][8] = {
      {NULL},
      {"--teacher", "@", NULL},
      {"--teacher", "http://gpu.example", "--teacher-model", "m"},
      {"--teacher", "@", "--teacher-model", "m", "--kind", "poem"},
      {"--teacher", "@", "--teacher-model", "m", "--kind", "detail,detail"},
      {"--teacher", "@", "--teacher-model", "m", "--parallel", "65"},
      {"--teacher", "@", "--teacher-model", "m", "--most-cost", "5"},
      {"--teacher", "@", "--teacher-model", "m", "--temperature", "-1"},
      {"--teacher", "@", "--teacher-model", "m", "--threads", "2"},
      {"--teacher", "model:x", "--teacher-model", "m"},
      {"--teacher", "@", "--teacher-model", "m", "--journal", "%"},
      {"--teacher", "@", "--teacher-model", "m", "--report", "%"}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const char *args[16] = {INSTRUCT(f)};
    g_auto(CliRun) run = {0};

    for (guint j = 0; j < 8 && cases[i][j]; j++) {
      args[6 + j] = strcmp(cases[i][j], "@") == 0   ? f->server->url
                    : strcmp(cases[i][j], "%") == 0 ? f->pairs
                                                    : cases[i][j];
    }
    g_test_message("case %u", i);
    cli_runv(&run, NULL, args);
    g_test_message("%s", run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
  g_assert_cmpuint(lines_of(f->pairs), ==, N_PAIRS);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *f, gconstpointer data);
  } tests[] = {{"/cli-instruct/run", test_run},
               {"/cli-instruct/same", test_same},
               {"/cli-instruct/kinds", test_kinds},
               {"/cli-instruct/examples", test_examples},
               {"/cli-instruct/faults", test_faults},
               {"/cli-instruct/bad-lines", test_bad_lines},
               {"/cli-instruct/kill", test_kill},
               {"/cli-instruct/interrupt", test_interrupt},
               {"/cli-instruct/full-disk", test_full_disk},
               {"/cli-instruct/limits", test_limits},
               {"/cli-instruct/local", test_local},
               {"/cli-instruct/misused", test_misused}};

  g_setenv("HILUM_TEACHER_KEY", KEY, TRUE);
  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  }
  return g_test_run();
}
