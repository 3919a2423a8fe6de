/* dataset-instruct.c - hilum dataset instruct: pairs to conversations, by way of a teacher. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app_instruct.h"
#include "dataset-show.h"

#define LOCAL "model:"
#define MOST_THREADS 256

typedef struct {
  AppInstructOptions options; /* strings borrowed from the fields below */
  char *in, *out, *report, *journal, *images, *examples, *kinds, *seed;
  char *teacher, *name, *ca_file, *proxy;
  int limit, shots, timeout, parallel, tries, max_tokens, threads, context;
  gint64 most_tokens;
  double temperature, wait_s, most_cost, price_in, price_out;
  gboolean mentions, compatible, insecure, ask_failed, print_examples, json;
} Asked;

static void
asked_clear(Asked *a)
{
  char **const texts[] = {&a->in,    &a->out,  &a->report,  &a->journal, &a->images,  &a->examples,
                          &a->kinds, &a->seed, &a->teacher, &a->name,    &a->ca_file, &a->proxy};

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_clear_pointer(texts[i], g_free);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

/* ---- what goes on ---------------------------------------------------------------------------- */

typedef struct {
  gint64 shown;
  gboolean terminal, has_price;
} Show;

static void
on_ready(const char *who, gboolean leaves, gpointer user)
{
  cli_note(leaves ? "the teacher is %s: captions leave this machine" : "the teacher is %s", who);
}

static void
on_problem(const char *text, gpointer user)
{
  const Show *show = user;

  if (show->terminal && show->shown > 0) {
    fputc('\n', stderr);
  }
  cli_note("%s", text);
}

/* On a terminal on one line; else one line a minute. */
static gboolean
on_go_on(const AppInstructProgress *p, gpointer user)
{
  Show *show = user;
  const gint64 now = g_get_monotonic_time();
  g_autofree char *cost = show->has_price ? g_strdup_printf(", cost %.4f", p->cost) : NULL;
  g_autofree char *wait =
      p->waits_s > 0 ? g_strdup_printf(", the server wants %.0f s", p->waits_s) : NULL;

  if (now - show->shown > (show->terminal ? 500000 : 60 * G_USEC_PER_SEC)) {
    if (show->terminal || show->shown > 0) {
      fprintf(stderr,
              "%s%" G_GUINT64_FORMAT " written, %" G_GUINT64_FORMAT " answered (%" G_GUINT64_FORMAT
              " from the journal), %" G_GUINT64_FORMAT " failed, %u under way, %" G_GUINT64_FORMAT
              " tokens%s%s",
              show->terminal ? "\r" : "hilum: ", p->written, p->answered, p->from_journal,
              p->failed, p->under_way, p->tokens, cost ? cost : "", wait ? wait : "");
      fputs(show->terminal ? "\033[K" : "\n", stderr);
    }
    show->shown = now;
  }
  return !cli_is_interrupted();
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  const gint64 written = json_object_get_int_member(o, "written");

  cli_print_field("written", "%s: %" G_GINT64_FORMAT " records of %" G_GINT64_FORMAT,
                  cli_text_member(o, "out"), written, json_object_get_int_member(o, "records"));
  cli_print_counts("kinds", json_object_get_object_member(o, "kinds"));
  cli_print_counts("no pairs", json_object_get_object_member(o, "dropped"));
  cli_print_counts("unanswered", json_object_get_object_member(o, "unanswered"));
  cli_print_field(
      "unusable",
      "%" G_GINT64_FORMAT " without a turn, %" G_GINT64_FORMAT " with none that may stay",
      json_object_get_int_member(o, "no_turns"), json_object_get_int_member(o, "no_turn_left"));
  cli_print_counts("turns", json_object_get_object_member(o, "turns"));
  cli_print_field("asked",
                  "%" G_GINT64_FORMAT " requests, %" G_GINT64_FORMAT
                  " of them again; %" G_GINT64_FORMAT " answers from the journal",
                  json_object_get_int_member(o, "requests"),
                  json_object_get_int_member(o, "tries_again"),
                  json_object_get_int_member(o, "from_journal"));
  cli_print_field("tokens", "%" G_GINT64_FORMAT " in, %" G_GINT64_FORMAT " out",
                  json_object_get_int_member(o, "tokens_in"),
                  json_object_get_int_member(o, "tokens_out"));
  if (!json_object_get_null_member(o, "cost")) {
    cli_print_field("cost", "%.4f; %.4f with what the journal holds",
                    json_object_get_double_member(o, "cost"),
                    json_object_get_double_member(o, "spent_cost"));
  }
}

/* A limit that was reached is what was asked for; a server that is gone is not. */
static int
status_of(JsonNode *report)
{
  JsonObject *o = json_node_get_object(report);
  const char *ended =
      json_object_get_null_member(o, "ended") ? NULL : json_object_get_string_member(o, "ended");

  if (!ended) {
    return CLI_DONE;
  }
  cli_note("not everything was asked: %s; the same command goes on",
           cli_text_member(o, "ended_text"));
  return strcmp(ended, "tokens") == 0 || strcmp(ended, "cost") == 0 ? CLI_DONE : CLI_FAILED;
}

static int
run(const Asked *asked)
{
  Show show = {.terminal = isatty(STDERR_FILENO) == 1,
               .has_price = asked->price_in > 0 || asked->price_out > 0};
  const AppInstructListener listener = {on_ready, on_problem, on_go_on, &show};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  cli_catch_interrupt();
  report = app_dataset_instruct(&asked->options, &listener, &error);
  if (show.terminal && show.shown > 0) {
    fputc('\n', stderr);
  }
  if (!report) {
    return cli_failed(error);
  }
  if (asked->json) {
    cli_print_json(report);
  } else {
    print_report(report);
  }
  return cli_finish_output(status_of(report));
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static gboolean
is_count(const char *option, gint64 found, gint64 most)
{
  if (found < 0 || found > most) {
    cli_misused("--%s: found %" G_GINT64_FORMAT ", expected at most %" G_GINT64_FORMAT, option,
                found, most);
    return FALSE;
  }
  return TRUE;
}

static gboolean
is_amount(const char *option, double found, double most)
{
  if (!(found >= 0 && found <= most)) {
    cli_misused("--%s: found %g, expected 0 to %g", option, found, most);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_numbers(const Asked *a)
{
  return is_count("limit", a->limit, G_MAXINT) && is_count("shots", a->shots, 100) &&
         is_count("parallel", a->parallel, 64) && is_count("tries", a->tries, 100) &&
         is_count("max-tokens", a->max_tokens, 65536) &&
         is_count("threads", a->threads, MOST_THREADS) &&
         is_count("context", a->context, G_MAXINT) &&
         is_count("teacher-timeout", a->timeout, 86400) &&
         is_count("most-tokens", a->most_tokens, G_MAXINT64) &&
         is_amount("temperature", a->temperature, 2) && is_amount("retry-wait", a->wait_s, 3600) &&
         is_amount("most-cost", a->most_cost, 1e12) && is_amount("price-in", a->price_in, 1e9) &&
         is_amount("price-out", a->price_out, 1e9);
}

/* A server's address, or "model:PATH". */
static gboolean
choose_teacher(Asked *a)
{
  AppInstructOptions *o = &a->options;

  if (g_str_has_prefix(a->teacher, LOCAL)) {
    if (a->name || a->ca_file || a->proxy || a->timeout || a->insecure || a->parallel > 1) {
      cli_misused("--teacher-... and --parallel go with a server, and %s is none", a->teacher);
      return FALSE;
    }
    o->model = (AppModelOptions){.model = a->teacher + strlen(LOCAL),
                                 .n_threads = (guint)a->threads,
                                 .context = (guint)a->context};
    return TRUE;
  }
  if (a->threads || a->context) {
    cli_misused("--%s goes with a model in this program (--teacher model:PATH)",
                a->threads ? "threads" : "context");
    return FALSE;
  }
  o->teacher = (AppRemoteOptions){.role = "teacher",
                                  .url = a->teacher,
                                  .model = a->name,
                                  .ca_file = a->ca_file,
                                  .proxy = a->proxy,
                                  .insecure = a->insecure,
                                  .timeout_s = (guint)a->timeout};
  return TRUE;
}

static gboolean
choose(Asked *a)
{
  AppInstructOptions *o = &a->options;

  if (!a->in || !a->out || !a->teacher) {
    cli_misused("--in, --out and --teacher are needed");
    return FALSE;
  }
  o->seed = 1;
  if (!check_numbers(a) || (a->seed && !cli_parse_seed(a->seed, &o->seed)) || !choose_teacher(a)) {
    return FALSE;
  }
  o->in = a->in;
  o->out = a->out;
  o->report = a->report;
  o->journal = a->journal;
  o->images = a->images;
  o->examples = a->examples;
  o->kinds = a->kinds;
  o->n_examples = (guint)a->shots;
  o->mentions = a->mentions;
  o->compatible = a->compatible;
  o->limit = (guint64)a->limit;
  o->sampling = (AppSampling){.temperature = a->temperature,
                              .top_p = 1,
                              .seed = o->seed,
                              .max_tokens = (guint)a->max_tokens};
  o->n_parallel = (guint)a->parallel;
  o->n_tries = (guint)a->tries;
  o->wait_ms = (guint)(a->wait_s * 1000);
  o->most_tokens = (guint64)a->most_tokens;
  o->most_cost = a->most_cost;
  o->price_in = a->price_in;
  o->price_out = a->price_out;
  o->ask_failed = a->ask_failed;
  return TRUE;
}

/* Of the teacher, beside those of the command itself. */
static GOptionGroup *
teacher_group(Asked *a)
{
  GOptionGroup *group = g_option_group_new("teacher", "Teacher Options:", "", NULL, NULL);
  const GOptionEntry entries[] = {
      {"teacher", 0, 0, G_OPTION_ARG_FILENAME, &a->teacher,
       "A server that speaks OpenAI's chat completions: CAPTIONS LEAVE THIS MACHINE; its key is in "
       "HILUM_TEACHER_KEY. Or model:PATH, a model in this program",
       "URL"},
      {"teacher-model", 0, 0, G_OPTION_ARG_FILENAME, &a->name, "Which of the server's models",
       "NAME"},
      {"teacher-ca", 0, 0, G_OPTION_ARG_FILENAME, &a->ca_file,
       "Certificate of the authority that vouches for the server (default: the system's)", "FILE"},
      {"teacher-proxy", 0, 0, G_OPTION_ARG_FILENAME, &a->proxy,
       "Proxy on the way to the server (default: none, whatever the environment says)", "URL"},
      {"teacher-timeout", 0, 0, G_OPTION_ARG_INT, &a->timeout,
       "Longest wait for an answer (default: 300)", "SECONDS"},
      {"teacher-insecure", 0, 0, G_OPTION_ARG_NONE, &a->insecure,
       "Allow http:// to another machine: captions go unencrypted", NULL},
      {"parallel", 0, 0, G_OPTION_ARG_INT, &a->parallel,
       "Questions to the server at once (default: 4, at most 64)", "N"},
      {"tries", 0, 0, G_OPTION_ARG_INT, &a->tries, "Tries for one question (default: 5)", "N"},
      {"retry-wait", 0, 0, G_OPTION_ARG_DOUBLE, &a->wait_s,
       "Before the second try; twice as long before each next (default: 1)", "SECONDS"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &a->max_tokens,
       "Most tokens of an answer (default: 1024)", "N"},
      {"temperature", 0, 0, G_OPTION_ARG_DOUBLE, &a->temperature, "Temperature (default: 0)", "T"},
      {"price-in", 0, 0, G_OPTION_ARG_DOUBLE, &a->price_in,
       "Price of a million tokens of questions", "P"},
      {"price-out", 0, 0, G_OPTION_ARG_DOUBLE, &a->price_out,
       "Price of a million tokens of answers", "P"},
      {"most-tokens", 0, 0, G_OPTION_ARG_INT64, &a->most_tokens,
       "Ask no more than comes to so many tokens, those of the journal too", "N"},
      {"most-cost", 0, 0, G_OPTION_ARG_DOUBLE, &a->most_cost, "The same in money", "P"},
      {"ask-failed", 0, 0, G_OPTION_ARG_NONE, &a->ask_failed,
       "Ask again what the journal says the teacher had no usable answer to", NULL},
      {"threads", 0, 0, G_OPTION_ARG_INT, &a->threads,
       "Threads of a model in this program (default: one per core)", "N"},
      {"context", 0, 0, G_OPTION_ARG_INT, &a->context, "Its context (default: the model's)", "N"},
      {NULL}};

  g_option_group_add_entries(group, entries);
  return group;
}

int
cmd_dataset_instruct(int argc, char **argv)
{
  g_auto(Asked) a = {.shots = 2};
  const GOptionEntry entries[] = {
      {"in", 'i', 0, G_OPTION_ARG_FILENAME, &a.in, "Pairs, as hilum pmc figures writes them",
       "FILE"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out,
       "JSON array to write; JSON Lines when its name ends in .jsonl", "FILE"},
      {"report", 0, 0, G_OPTION_ARG_FILENAME, &a.report,
       "JSON Lines: why each record and each turn is in or out", "FILE"},
      {"journal", 0, 0, G_OPTION_ARG_FILENAME, &a.journal,
       "The teacher's answers, none of which is asked for twice (default: OUT.journal)", "FILE"},
      {"kind", 0, 0, G_OPTION_ARG_FILENAME, &a.kinds,
       "conversation, detail, reasoning, or several with commas between (default: conversation)",
       "KIND"},
      {"mentions", 0, 0, G_OPTION_ARG_NONE, &a.mentions,
       "Tell the teacher what the article says of the figure, besides its caption", NULL},
      {"compatible", 0, 0, G_OPTION_ARG_NONE, &a.compatible,
       "Clean replies as LLaVA-Med's script does, capitals and <image> lost with it", NULL},
      {"shots", 0, 0, G_OPTION_ARG_INT, &a.shots,
       "Examples that the teacher is shown, of the picture's own kind first (default: 2)", "N"},
      {"examples", 0, 0, G_OPTION_ARG_FILENAME, &a.examples,
       "Examples of your own (default: those of --print-examples)", "FILE"},
      {"print-examples", 0, 0, G_OPTION_ARG_NONE, &a.print_examples,
       "Print the built-in examples as such a file, and do nothing else", NULL},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &a.images,
       "Leave out pairs whose picture is not in this folder", "DIR"},
      {"limit", 0, 0, G_OPTION_ARG_INT, &a.limit, "The first N pairs alone", "N"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &a.seed, "Seed (default: 1)", "N"},
      CLI_JSON_ENTRY(&a.json),
      {NULL}};
  int status;

  if (!cli_parse(
          &argc, &argv, entries, teacher_group(&a), NULL,
          "Makes conversations of several turns of pairs of picture and caption, by way of a "
          "teacher: a\nlanguage model that reads the caption and writes as if it saw the "
          "picture. Nothing leaves this\nmachine unless --teacher names a server.",
          "Ctrl-C, a kill or a limit that is reached lose nothing: the same command goes on, "
          "and asks for no\nanswer that the journal holds.",
          0, 0, &status)) {
    return status;
  }
  if (a.print_examples) {
    g_autofree char *text = app_dataset_instruct_examples();
    puts(text);
    return cli_finish_output(CLI_DONE);
  }
  return choose(&a) ? run(&a) : CLI_MISUSED;
}
