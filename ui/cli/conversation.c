/* conversation.c - one conversation at the terminal. */
#include "conversation.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* LLaVA-Med's own demo samples with these. */
#define DEFAULT_TEMPERATURE 0.2
#define DEFAULT_TOP_P 0.7

/* ---- options ------------------------------------------------------------------------------ */

void
cli_talk_options_clear(CliTalkOptions *o)
{
  cli_model_clear(&o->model);
  cli_engine_clear(&o->engine);
  g_clear_pointer(&o->image, g_free);
  g_clear_pointer(&o->window, g_free);
  g_clear_pointer(&o->region, g_free);
  g_clear_pointer(&o->checks, g_strfreev);
  g_clear_pointer(&o->log, g_free);
  g_clear_pointer(&o->seed, g_free);
}

static gboolean
parse_entries(CliTalkOptions *o, int *argc, char ***argv, const GOptionEntry *own,
              const char *summary, int *status)
{
  const GOptionEntry shared[] = {
      {"image", 'i', 0, G_OPTION_ARG_FILENAME, &o->image, "DICOM, JPEG or PNG file", "FILE"},
      {"frame", 0, 0, G_OPTION_ARG_INT, &o->frame,
       "Frame of a multi-frame file, counted from 0 (default: 0)", "N"},
      {"window", 0, 0, G_OPTION_ARG_FILENAME, &o->window,
       "Window center and width (default: the file's own)", "C/W"},
      {"region", 0, 0, G_OPTION_ARG_FILENAME, &o->region,
       "Ask about a part of the picture: column and row of its corner, width and height in pixels",
       "X,Y,W,H"},
      {"turn", 0, 0, G_OPTION_ARG_INT, &o->turn,
       "Turn the picture clockwise by N right angles, 0 to 3 (default: 0)", "N"},
      {"flip", 0, 0, G_OPTION_ARG_NONE, &o->flip, "Then mirror it left to right", NULL},
      {"blank-image", 0, 0, G_OPTION_ARG_NONE, &o->blank,
       "Put a blank picture in the image's place, as a control", NULL},
      {"check", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->checks,
       "Ask the same again: on a blank picture (blank), or with other seeds (seeds)", "CHECK"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &o->max_tokens,
       "Most tokens of an answer (default: 512; describe: by the instruction)", "N"},
      {"temperature", 0, 0, G_OPTION_ARG_DOUBLE, &o->temperature,
       "Spread of the sampling (default: 0.2)", "T"},
      {"top-p", 0, 0, G_OPTION_ARG_DOUBLE, &o->top_p,
       "Share of probability that is sampled from (default: 0.7)", "P"},
      {"greedy", 0, 0, G_OPTION_ARG_NONE, &o->greedy,
       "Always the likeliest token: the answer is repeatable", NULL},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &o->seed,
       "Seed of the sampling (default: random, told and logged)", "N"},
      CLI_LOG_ENTRY(&o->log),
      {"no-log", 0, 0, G_OPTION_ARG_NONE, &o->no_log, "Keep no log", NULL},
      {"no-cache", 0, 0, G_OPTION_ARG_NONE, &o->no_cache,
       "Keep nothing on disk that would save computing it again", NULL},
      {"lookup", 0, 0, G_OPTION_ARG_INT, &o->lookup,
       "Look at most N tokens at a time up in what was said, which saves time and changes no "
       "answer "
       "(0: off; default: 16)",
       "N"},
      {"lookup-log", 0, 0, G_OPTION_ARG_NONE, &o->lookup_log,
       "With --lookup: look in earlier answers of the log as well", NULL},
      CLI_JSON_ENTRY(&o->json),
      {"probabilities", 0, 0, G_OPTION_ARG_NONE, &o->probabilities,
       "With --json: how likely the model held each token of the answer", NULL},
      {NULL}};
  g_autoptr(GArray) all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
  GOptionGroup *group = cli_model_group(&o->model);

  for (const GOptionEntry *e = own; e->long_name; e++) {
    g_array_append_vals(all, e, 1);
  }
  g_array_append_vals(all, shared, G_N_ELEMENTS(shared) - 1);
  cli_engine_add(group, &o->engine);
  return cli_parse(argc, argv, (const GOptionEntry *)(gpointer)all->data, group, NULL, summary,
                   "Answers go to standard output, everything else to standard error.\n" APP_NOTICE,
                   0, 0, status);
}

static gboolean
check_sampling(CliTalkOptions *o)
{
  guint64 seed = 0;
  g_autoptr(GError) error = NULL;

  if (o->max_tokens < 0) {
    cli_misused("--max-tokens is %d; expected a positive number", o->max_tokens);
    return FALSE;
  }
  if (o->lookup < 0 || o->lookup > APP_MOST_LOOKUP) {
    cli_misused("--lookup is %d; expected 0 (off) to %d", o->lookup, APP_MOST_LOOKUP);
    return FALSE;
  }
  if (o->seed && !cli_parse_seed(o->seed, &seed)) {
    return FALSE;
  }
  /* A greedy answer is repeatable as it stands, and so is the choice of an instruction then. */
  if (!o->seed && !o->greedy) {
    seed = g_random_int();
  }
  o->sampling = (AppSampling){.temperature = o->greedy ? 0 : o->temperature,
                              .top_p = o->greedy ? 1 : o->top_p,
                              .seed = seed,
                              .max_tokens = (guint)o->max_tokens,
                              .lookup = (guint)o->lookup};
  if (!app_sampling_check(&o->sampling, &error)) {
    cli_failed(error);
    return FALSE;
  }
  return TRUE;
}

/* "X,Y,W,H" */
static gboolean
parse_region(const char *text, AppRegion *region)
{
  g_auto(GStrv) parts = g_strsplit(text, ",", 5);
  guint *const numbers[] = {&region->x, &region->y, &region->width, &region->height};
  gboolean ok = g_strv_length(parts) == G_N_ELEMENTS(numbers);

  for (guint i = 0; i < G_N_ELEMENTS(numbers) && ok; i++) {
    guint64 value = 0;
    ok = g_ascii_string_to_unsigned(parts[i], 10, i < 2 ? 0 : 1, G_MAXINT32, &value, NULL);
    *numbers[i] = (guint)value;
  }
  if (!ok) {
    cli_misused("--region is '%s'; expected X,Y,WIDTH,HEIGHT in pixels, such as 0,0,256,256", text);
  }
  return ok;
}

static gboolean
check_place(CliTalkOptions *o)
{
  if (o->turn < 0 || o->turn > 3) {
    cli_misused("--turn is %d; expected 0 to 3 right angles", o->turn);
    return FALSE;
  }
  if (o->region && !parse_region(o->region, &o->choice.region)) {
    return FALSE;
  }
  o->choice.turns = (guint)o->turn;
  o->choice.flip = o->flip;
  return TRUE;
}

static gboolean
check_image(CliTalkOptions *o)
{
  g_autoptr(GError) error = NULL;

  if (o->frame < 0) {
    cli_misused("--frame is %d; frames are counted from 0", o->frame);
    return FALSE;
  }
  if (o->window && !app_window_parse(o->window, &o->choice.window, &error)) {
    cli_failed(error);
    return FALSE;
  }
  if (!o->image && (o->window || o->blank || o->region || o->flip || o->turn > 0 || o->frame > 0)) {
    cli_misused("--%s goes with an image; --image is missing", o->window     ? "window"
                                                               : o->blank    ? "blank-image"
                                                               : o->region   ? "region"
                                                               : o->flip     ? "flip"
                                                               : o->turn > 0 ? "turn"
                                                                             : "frame");
    return FALSE;
  }
  if (!check_place(o)) {
    return FALSE;
  }
  o->choice.path = o->image;
  o->choice.frame = (guint)o->frame;
  o->choice.blank = o->blank;
  return TRUE;
}

gboolean
cli_talk_parse(CliTalkOptions *o, int *argc, char ***argv, const GOptionEntry *entries,
               const char *summary, int *status)
{
  o->temperature = DEFAULT_TEMPERATURE;
  o->top_p = DEFAULT_TOP_P;
  o->lookup = APP_MOST_LOOKUP;
  if (!parse_entries(o, argc, argv, entries, summary, status)) {
    return FALSE;
  }
  *status = CLI_MISUSED;
  for (char **name = o->checks; name && *name; name++) {
    guint check;
    if (!cli_parse_choice("check", *name, cli_check_names, &check)) {
      return FALSE;
    }
  }
  if (o->log && o->no_log) {
    cli_misused("--log and --no-log exclude each other");
    return FALSE;
  }
  if (!check_sampling(o) || !check_image(o) || !cli_model_finish(&o->model) ||
      !cli_engine_finish(&o->engine, &o->model)) {
    return FALSE;
  }
  *status = CLI_DONE;
  return TRUE;
}

/* ---- opening ------------------------------------------------------------------------------ */

/* Only a model without eyes is asked without an image. Said before there is a log, and before every
 * byte of the weights is read for their hash. */
static gboolean
check_blind(const CliModel *model, int *status)
{
  g_autoptr(GError) error = NULL;
  gboolean has_vision = FALSE;

  if (!app_model_has_vision(&model->model, &has_vision, &error)) {
    *status = cli_failed(error);
    return FALSE;
  }
  if (has_vision) {
    *status = cli_misused("--image says what to look at; it is missing");
  }
  return !has_vision;
}

static void
say_who_answers(const CliTalkOptions *options, AppReview *review)
{
  const char *name = app_review_model_name(review);

  if (options->engine.host) {
    cli_note("%s on %s answers: %s there. %s", name, options->engine.host,
             options->image ? "the picture and all questions are sent" : "all questions are sent",
             APP_NOTICE);
    return;
  }
  cli_note("%s answers%s. %s", name,
           options->model.path ? "" : " (the demo model; --model names another)", APP_NOTICE);
}

CliTalk *
cli_talk_open(const CliTalkOptions *options, int *status)
{
  const AppReviewOptions review_options = {.model = options->model.model,
                                           .remote = options->engine.remote,
                                           .log_path = options->log,
                                           .no_log = options->no_log,
                                           .no_cache = options->no_cache,
                                           .lookup_log = options->lookup_log,
                                           .image = options->image ? &options->choice : NULL};
  g_autoptr(GError) error = NULL;
  AppReview *review;
  CliTalk *talk;

  /* Whether a server's model has eyes, the server knows. */
  if (!options->image && !options->engine.host && !check_blind(&options->model, status)) {
    return NULL;
  }
  review = app_review_new(&review_options, &error);
  if (!review) {
    *status = cli_failed(error);
    return NULL;
  }
  say_who_answers(options, review);
  g_auto(GStrv) warnings = app_review_warnings(review);
  for (char **warning = warnings; *warning; warning++) {
    cli_note("warning: %s", *warning);
  }
  if (!options->greedy && !options->seed && options->temperature > 0) {
    cli_note("seed %" G_GUINT64_FORMAT, options->sampling.seed);
  }
  talk = g_new0(CliTalk, 1);
  talk->options = options;
  talk->review = review;
  talk->loop = g_main_loop_new(NULL, FALSE);
  return talk;
}

void
cli_talk_close(CliTalk *talk)
{
  app_review_free(talk->review);
  g_main_loop_unref(talk->loop);
  g_free(talk);
}

void
cli_talk_prepare(CliTalk *talk)
{
  if (talk->options->image) {
    app_review_prepare(talk->review, &talk->options->choice);
  }
}

/* ---- asking ------------------------------------------------------------------------------- */

/* A word on standard error while the terminal waits for the first token. */
static void
show_phase(const char *phase, guint done, guint total, gpointer user)
{
  CliTalk *talk = user;

  if (talk->line_open || !isatty(STDERR_FILENO)) {
    return;
  }
  if (strcmp(phase, "image") == 0) {
    fprintf(stderr, "\rlooking at the image %3u %%\r", total > 0 ? 100 * done / total : 0);
  } else if (strcmp(phase, "sending") == 0) {
    fprintf(stderr, "\rsending the picture  %3u %%\r", total > 0 ? 100 * done / total : 0);
  } else if (strcmp(phase, "waiting") == 0) {
    fputs("\rwaiting for the server    \r", stderr);
  } else {
    fputs("\r                          \r", stderr);
  }
}

static void
show_text(const char *bytes, gsize length, gpointer user)
{
  CliTalk *talk = user;

  if (talk->options->json) {
    return;
  }
  talk->line_open = TRUE;
  if (isatty(STDOUT_FILENO)) {
    g_autofree char *text = cli_harmless(g_strndup(bytes, length));
    fputs(text, stdout);
  } else {
    fwrite(bytes, 1, length, stdout);
  }
  fflush(stdout);
}

void
cli_talk_on_result(GObject *source, GAsyncResult *result, gpointer user)
{
  CliTalk *talk = user;

  talk->result = g_object_ref(result);
  g_main_loop_quit(talk->loop);
}

static gboolean
on_interrupt(gpointer user)
{
  CliTalk *talk = user;

  g_cancellable_cancel(talk->cancellable);
  return G_SOURCE_CONTINUE;
}

static JsonNode *
wait_for_answer(CliTalk *talk, const AppQuestion *question, GError **error)
{
  const AppListener listener = {show_text, show_phase, talk};
  JsonNode *node;

  talk->line_open = FALSE;
  app_review_ask_async(talk->review, question, &listener, talk->cancellable, cli_talk_on_result,
                       talk);
  g_main_loop_run(talk->loop);
  node = app_review_ask_finish(talk->review, talk->result, error);
  g_clear_object(&talk->result);
  return node;
}

static void
show_instruction(JsonObject *turn)
{
  JsonObject *i = json_object_has_member(turn, "instruction")
                      ? json_object_get_object_member(turn, "instruction")
                      : NULL;

  if (i) {
    cli_note("%s description (rule: %s, %d words, threshold %d): \"%s\"",
             json_object_get_string_member(i, "list"), json_object_get_string_member(i, "rule"),
             (int)json_object_get_int_member(i, "words"),
             (int)json_object_get_int_member(i, "threshold"),
             json_object_get_string_member(i, "text"));
  }
}

static int
report_answer(CliTalk *talk, JsonNode *node)
{
  JsonObject *turn = json_node_get_object(node);
  const char *stop = json_object_get_string_member_with_default(turn, "stop", "");
  g_autoptr(GError) error = NULL;
  int status = CLI_DONE;

  if (!talk->options->json) {
    putchar('\n');
    fflush(stdout);
    show_instruction(turn);
  }
  status = cli_talk_check(talk, turn);
  if (talk->options->json) {
    if (!talk->options->probabilities) {
      json_object_remove_member(turn, "tokens");
    }
    cli_print_json(node);
  }
  if (strcmp(stop, "max-tokens") == 0 || strcmp(stop, "context") == 0) {
    cli_note("the answer was cut off (%s)", stop);
  } else if (strcmp(stop, "cancelled") == 0) {
    cli_note("interrupted; what was said is kept");
    status = CLI_FAILED;
  } else if (strcmp(stop, "interrupted") == 0) {
    cli_note("the answer broke off, and what was said is kept: %s",
             cli_text_member(turn, "interruption"));
    status = CLI_FAILED;
  } else if (strcmp(stop, "content-filter") == 0) {
    cli_note("the server held back the rest of the answer (content filter)");
  }
  if (!app_review_save(talk->review, &error)) {
    cli_note("THE ANSWER IS NOT IN THE LOG: %s", error->message);
    status = CLI_FAILED;
  }
  return status;
}

int
cli_talk_ask(CliTalk *talk, AppQuestion *question)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  guint on_signal;
  int status;

  question->sampling = talk->options->sampling;
  question->image = talk->options->image ? &talk->options->choice : NULL;
  if (talk->show_questions && !talk->options->json) {
    fflush(stdout);
    fprintf(stderr, "? %s\n", question->question);
  }
  /* From here on to the end of the report Ctrl-C stops the answer, not the program. */
  talk->cancellable = g_cancellable_new();
  on_signal = g_unix_signal_add(SIGINT, on_interrupt, talk);
  node = wait_for_answer(talk, question, &error);
  status = node ? report_answer(talk, node) : cli_failed(error);
  g_source_remove(on_signal);
  g_clear_object(&talk->cancellable);
  return status;
}
