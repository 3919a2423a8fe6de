/* cmd-log.c - hilum log list|show|judge|search */
#include <stdio.h>
#include <string.h>

#include "app_person.h"
#include "app_rotate.h"
#include "app_trust.h"
#include "commands.h"
#include "pin.h"

static JsonObject *
object_member(JsonObject *object, const char *name)
{
  JsonNode *member = json_object_get_member(object, name);

  return member && JSON_NODE_HOLDS_OBJECT(member) ? json_node_get_object(member) : NULL;
}

static void
print_json_lines(JsonNode *array)
{
  JsonArray *rows = json_node_get_array(array);

  for (guint i = 0; i < json_array_get_length(rows); i++) {
    cli_print_json(json_array_get_element(rows, i));
  }
}

/* "2026-11-24 07:11:02" */
static char *
short_time(const char *time)
{
  g_autofree char *line = cli_one_line(time, 64);
  char *fraction = strpbrk(line, ".Z");

  if (fraction) {
    *fraction = '\0';
  }
  return g_strdelimit(g_steal_pointer(&line), "T", ' ');
}

static void
print_table(JsonNode *array)
{
  JsonArray *rows = json_node_get_array(array);

  if (json_array_get_length(rows) == 0) {
    cli_note("the log holds no conversation");
    return;
  }
  printf("%6s  %-19s %5s  %-8s  %s\n", "ID", "STARTED", "TURNS", "MODALITY", "QUESTION");
  for (guint i = 0; i < json_array_get_length(rows); i++) {
    JsonObject *row = json_array_get_object_element(rows, i);
    const char *snippet = json_object_get_string_member_with_default(row, "snippet", "");
    g_autofree char *question =
        json_object_get_boolean_member(row, "erased") ? g_strdup("(erased)")
        : json_object_get_boolean_member_with_default(row, "lost", FALSE)
            ? g_strdup("(lost)")
            : cli_one_line(*snippet ? snippet : cli_text_member(row, "question"), 56);
    g_autofree char *started = short_time(cli_text_member(row, "started"));
    g_autofree char *modality = cli_one_line(cli_text_member(row, "modality"), 8);
    printf("%6" G_GINT64_FORMAT "  %-19s %5" G_GINT64_FORMAT "  %-8s  %s\n",
           json_object_get_int_member(row, "id"), started, json_object_get_int_member(row, "turns"),
           modality, question);
  }
}

#define ALL_ENTRY(all)                                                                             \
  {                                                                                                \
    "all", 0, 0, G_OPTION_ARG_NONE, all, "Look into the sealed logs that it goes on from, too",    \
        NULL                                                                                       \
  }

/* Sealed logs that cannot be looked into are named; the table says of which log each part is. */
static int
show_all(const char *log, const char *words, int limit, gboolean json)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_find_all(log, words, (guint)limit, &error);
  JsonArray *rows, *missing;

  if (!node) {
    return cli_failed(error);
  }
  rows = json_object_get_array_member(json_node_get_object(node), "conversations");
  missing = json_object_get_array_member(json_node_get_object(node), "missing");
  for (guint from = 0, to; from < json_array_get_length(rows); from = to) {
    const char *file = cli_text_member(json_array_get_object_element(rows, from), "log");
    JsonArray *part = json_array_new();
    g_autoptr(JsonNode) table = json_node_init_array(json_node_alloc(), part);

    for (to = from; to < json_array_get_length(rows); to++) {
      JsonObject *row = json_array_get_object_element(rows, to);
      if (strcmp(cli_text_member(row, "log"), file) != 0) {
        break;
      }
      json_array_add_object_element(part, json_object_ref(row));
    }
    json_array_unref(part);
    if (json) {
      print_json_lines(table);
    } else {
      printf("%s%s\n", from > 0 ? "\n" : "", file);
      print_table(table);
    }
  }
  for (guint i = 0; i < json_array_get_length(missing); i++) {
    cli_note("%s cannot be looked into; 'hilum log verify' says why",
             json_array_get_string_element(missing, i));
  }
  return json_array_get_length(missing) > 0 ? CLI_FAILED : CLI_DONE;
}

static int
cmd_list(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE, all = FALSE;
  int limit = 0, status;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      CLI_LOG_ENTRY(&log),
      {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "The newest N alone (default: all)", "N"},
      ALL_ENTRY(&all),
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL, "Conversations of the log, newest first.", NULL,
                 0, 0, &status)) {
    return status;
  }
  if (limit < 0) {
    return cli_misused("--limit is %d; expected 0 (all) or more", limit);
  }
  if (all) {
    return show_all(log, NULL, limit, json);
  }
  node = app_log_list(log, (guint)limit, &error);
  if (!node) {
    return cli_failed(error);
  }
  cmd_log_note_newer(log);
  if (json) {
    print_json_lines(node);
  } else {
    print_table(node);
  }
  return CLI_DONE;
}

static int
cmd_search(int argc, char **argv)
{
  g_autofree char *log = NULL, *query = NULL;
  gboolean json = FALSE, all = FALSE;
  int limit = 0, status;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"limit", 'n', 0, G_OPTION_ARG_INT, &limit, "Show at most N (default: all)", "N"},
      ALL_ENTRY(&all),
      CLI_LOG_ENTRY(&log),
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(
          &argc, &argv, entries, NULL, "WORD...",
          "Conversations that hold all words, newest first.",
          "Looks in questions, answers and edited answers, for words that begin so, whatever "
          "their case and accents.",
          1, G_MAXINT, &status)) {
    return status;
  }
  if (limit < 0) {
    return cli_misused("--limit is %d; expected 0 (all) or more", limit);
  }
  query = g_strjoinv(" ", argv + 1);
  if (all) {
    return show_all(log, query, limit, json);
  }
  node = app_log_search(log, query, (guint)limit, &error);
  if (!node) {
    return cli_failed(error);
  }
  cmd_log_note_newer(log);
  if (json) {
    print_json_lines(node);
  } else if (json_array_get_length(json_node_get_array(node)) == 0) {
    cli_note("no conversation holds these words");
  } else {
    print_table(node);
  }
  return CLI_DONE;
}

/* "CT, CHEST, warnings: localizer, lossy" */
static void
print_kind(JsonObject *image)
{
  static const char *const facts[] = {"modality", "body_part", "view", "laterality"};
  g_autoptr(GString) text = g_string_new(NULL);
  JsonNode *warnings = json_object_get_member(image, "warnings");

  for (guint i = 0; i < G_N_ELEMENTS(facts); i++) {
    if (!json_object_get_null_member(image, facts[i])) {
      g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                             cli_text_member(image, facts[i]));
    }
  }
  if (JSON_NODE_HOLDS_ARRAY(warnings)) {
    JsonArray *names = json_node_get_array(warnings);

    for (guint i = 0; i < json_array_get_length(names); i++) {
      g_string_append_printf(text, "%s%s%s", text->len > 0 ? ", " : "", i == 0 ? "warnings: " : "",
                             json_array_get_string_element(names, i));
    }
  }
  cli_print_field("kind", "%s", text->len > 0 ? text->str : "-");
}

/* "30 x 15 at 10, 20, turned 90 degrees, mirrored"; nothing of a picture as it is stored. */
static void
print_place(JsonObject *image)
{
  JsonObject *region = object_member(image, "region");
  g_autoptr(GString) text = g_string_new(NULL);

  if (region) {
    g_string_append_printf(
        text, ", %d x %d at %d, %d", (int)json_object_get_int_member(region, "width"),
        (int)json_object_get_int_member(region, "height"),
        (int)json_object_get_int_member(region, "x"), (int)json_object_get_int_member(region, "y"));
  }
  if (json_object_get_int_member(image, "turns") > 0) {
    g_string_append_printf(text, ", turned %d degrees",
                           90 * (int)json_object_get_int_member(image, "turns"));
  }
  if (json_object_get_boolean_member(image, "flip")) {
    g_string_append(text, ", mirrored");
  }
  if (text->len > 0) {
    cli_print_field("part", "%s", text->str + 2);
  }
}

static void
print_image(JsonObject *image)
{
  cli_print_field("image", "%s, frame %d%s", cli_text_member(image, "path"),
                  (int)json_object_get_int_member(image, "frame"),
                  json_object_get_boolean_member(image, "blank") ? ", blank control" : "");
  if (!json_object_get_null_member(image, "window_center")) {
    cli_print_field("window", "%g/%g %s", json_object_get_double_member(image, "window_center"),
                    json_object_get_double_member(image, "window_width"),
                    cli_text_member(image, "voi_function"));
  }
  print_place(image);
  print_kind(image);
  cli_print_field("instance", "%s", cli_text_member(image, "sop_instance_uid"));
  cli_print_field("pixels", "sha256 %s", cli_text_member(image, "pixels_sha256"));
  cli_print_field("picture sent", "sha256 %s", cli_text_member(image, "sent_sha256"));
}

static void
print_model(JsonObject *model)
{
  const char *engine = cli_text_member(model, "engine");

  if (strcmp(engine, "local") != 0) {
    cli_print_field("model", "%s", cli_text_member(model, "name"));
    cli_print_field("sent to", "%s", engine);
    return;
  }
  cli_print_field("model", "%s (%s)", cli_text_member(model, "name"),
                  cli_text_member(model, "quantization"));
  cli_print_field("", "sha256 %s", cli_text_member(model, "sha256"));
}

static void
print_checks(JsonArray *checks)
{
  for (guint i = 0; i < json_array_get_length(checks); i++) {
    JsonObject *check = json_array_get_object_element(checks, i);
    if (json_object_get_null_member(check, "depends_on_image")) {
      cli_print_field("other seeds", "%u answers, agreement %.2f",
                      json_array_get_length(json_object_get_array_member(check, "answers")),
                      json_object_get_double_member(check, "agreement"));
    } else {
      cli_print_field("blank image", "%s",
                      json_object_get_boolean_member(check, "depends_on_image")
                          ? "another answer: it depends on the image"
                          : "the same answer: it does NOT depend on the image");
    }
  }
}

/* The newest last, which counts. */
static void
print_verdicts(JsonArray *verdicts)
{
  for (guint i = 0; i < json_array_get_length(verdicts); i++) {
    JsonObject *verdict = json_array_get_object_element(verdicts, i);
    cli_print_field("verdict", "%s by %s, %s", cli_text_member(verdict, "verdict"),
                    cli_text_member(verdict, "by"), cli_text_member(verdict, "time"));
    if (!json_object_get_null_member(verdict, "text")) {
      cli_print_field("", "%s", cli_text_member(verdict, "text"));
    }
  }
}

/* How much of a turn was proved when it was saved from a damaged log. */
static void
print_recovered(const char *proof)
{
  if (g_strcmp0(proof, "none") == 0) {
    cli_print_field("recovered",
                    "as it was found: it had been changed or lost, and nothing proves it");
  } else if (g_strcmp0(proof, "own") == 0) {
    cli_print_field("recovered", "its hash was right; what came before it was lost");
  } else if (proof) {
    cli_print_field("recovered", "as it was written");
  }
}

static void
print_turn(JsonObject *turn)
{
  JsonObject *model = object_member(turn, "model");
  JsonArray *images = json_object_get_array_member(turn, "images");
  JsonObject *instruction = object_member(turn, "instruction");
  JsonObject *sampling = object_member(turn, "sampling");
  g_autofree char *seed = app_json_text(json_object_get_member(sampling, "seed"));

  const char *imported = json_object_get_string_member_with_default(turn, "imported", NULL);

  cli_print_field("turn", "%d, %s, number %" G_GINT64_FORMAT " of the log%s%s",
                  (int)json_object_get_int_member(turn, "turn"), cli_text_member(turn, "time"),
                  json_object_get_int_member(turn, "turn_id"), imported ? ", imported " : "",
                  imported ? imported : "");
  print_model(model);
  for (guint i = 0; i < json_array_get_length(images); i++) {
    print_image(json_array_get_object_element(images, i));
  }
  cli_print_field("sampling", "temperature %g, top-p %g, seed %s, at most %d tokens",
                  json_object_get_double_member(sampling, "temperature"),
                  json_object_get_double_member(sampling, "top_p"), seed,
                  (int)json_object_get_int_member(sampling, "max_tokens"));
  if (instruction) {
    cli_print_field("instruction", "%s (rule: %s, %d words, threshold %d)",
                    cli_text_member(instruction, "list"), cli_text_member(instruction, "rule"),
                    (int)json_object_get_int_member(instruction, "words"),
                    (int)json_object_get_int_member(instruction, "threshold"));
  }
  if (json_object_get_boolean_member(turn, "erased")) {
    cli_print_field("texts", "erased: the key of this patient is gone");
  } else if (json_object_get_boolean_member_with_default(turn, "lost", FALSE)) {
    cli_print_field("texts", "lost, when the log was damaged");
  } else {
    cli_print_field("question", "%s", cli_text_member(turn, "question"));
    cli_print_field("answer", "%s", cli_text_member(turn, "answer"));
  }
  cli_print_field("ended by", "%s", cli_text_member(turn, "stop"));
  print_recovered(json_object_get_string_member_with_default(turn, "recovered_proof", NULL));
  print_checks(json_object_get_array_member(turn, "checks"));
  print_verdicts(json_object_get_array_member(turn, "verdicts"));
}

static int
cmd_show(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE, probabilities = FALSE;
  int status;
  guint64 id;
  JsonArray *turns;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      CLI_LOG_ENTRY(&log),
      CLI_JSON_ENTRY(&json),
      {"probabilities", 0, 0, G_OPTION_ARG_NONE, &probabilities,
       "With --json: how likely the model held each token of the answers", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "ID", "Every turn of one conversation.", NULL, 1, 1,
                 &status)) {
    return status;
  }
  if (!g_ascii_string_to_unsigned(argv[1], 10, 1, G_MAXINT64, &id, NULL)) {
    return cli_misused("'%s' is not the ID of a conversation; 'hilum log list' shows them",
                       argv[1]);
  }
  node = app_log_show(log, (gint64)id, &error);
  if (!node) {
    return cli_failed(error);
  }
  cmd_log_note_newer(log);
  turns = json_node_get_array(node);
  for (guint i = 0; json && !probabilities && i < json_array_get_length(turns); i++) {
    json_object_remove_member(json_array_get_object_element(turns, i), "tokens");
  }
  if (json) {
    print_json_lines(node);
    return CLI_DONE;
  }
  for (guint i = 0; i < json_array_get_length(turns); i++) {
    if (i > 0) {
      putchar('\n');
    }
    print_turn(json_array_get_object_element(turns, i));
  }
  return CLI_DONE;
}

static int
cmd_judge(int argc, char **argv)
{
  static const char *const names[] = {"accepted", "edited", "rejected", NULL};
  g_autofree char *log = NULL, *text = NULL, *name = NULL, *pin_file = NULL;
  gboolean json = FALSE;
  int status;
  guint verdict = 0;
  guint64 id;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"text", 0, 0, G_OPTION_ARG_FILENAME, &text, "With edited: what the answer should be",
       "TEXT"},
      {"as", 0, 0, G_OPTION_ARG_FILENAME, &name, "Of this person, who signs in with a PIN", "NAME"},
      {"pin-file", 0, 0, G_OPTION_ARG_FILENAME, &pin_file,
       "With --as: the PIN is the first line of FILE", "FILE"},
      CLI_LOG_ENTRY(&log),
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "TURN accepted|edited|rejected",
                 "Keeps a person's verdict beside a turn of the log; the newest counts.",
                 "TURN is the number that 'hilum log show' gives. Nothing is ever overwritten.", 2,
                 2, &status)) {
    return status;
  }
  if (!g_ascii_string_to_unsigned(argv[1], 10, 1, G_MAXINT64, &id, NULL)) {
    return cli_misused("'%s' is not the number of a turn; 'hilum log show' tells it", argv[1]);
  }
  while (names[verdict] && strcmp(argv[2], names[verdict]) != 0) {
    verdict++;
  }
  if (pin_file && !name) {
    return cli_misused("--pin-file goes with --as");
  }
  if (!names[verdict]) {
    return cli_misused("the verdict is '%s'; expected accepted, edited or rejected", argv[2]);
  }
  if (name && !cli_sign_in(log, name, pin_file, &error)) {
    return cli_failed(error);
  }
  node = app_log_judge(log, (gint64)id, (AppVerdict)verdict, text, &error);
  if (name) {
    cli_sign_out(log);
  }
  if (app_person_is_needed(error)) {
    g_prefix_error(&error, "--as NAME: ");
  }
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    JsonObject *kept = json_node_get_object(node);
    printf("%s by %s\n", cli_text_member(kept, "verdict"), cli_text_member(kept, "by"));
  }
  return CLI_DONE;
}

int
cmd_log(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"list", "list conversations, newest first", cmd_list},
      {"show", "show every turn of a conversation", cmd_show},
      {"search", "find conversations by words", cmd_search},
      {"judge", "keep a verdict on a turn", cmd_judge},
      {"person", "people who sign in with a PIN", cmd_log_person},
      {"export", "write files for others", cmd_log_export},
      {"import", "take in an export", cmd_log_import},
      {"send", "send audit messages", cmd_log_send},
      {"consent", "consent to training", cmd_log_consent},
      {"verify", "prove that nothing was changed", cmd_log_verify},
      {"checkpoint", "sign how the log stands, to be kept elsewhere", cmd_log_checkpoint},
      {"prove", "write a conversation with its proof", cmd_log_prove},
      {"check-proof", "check such a proof", cmd_log_check_proof},
      {"erase", "erase a patient's key", cmd_log_erase},
      {"protect", "say where the log's key is kept", cmd_log_protect},
      {"backup", "copy the log while it is used", cmd_log_backup},
      {"restore", "set such a copy in its place", cmd_log_restore},
      {"recover", "save what can be read of a damaged log", cmd_log_recover},
      {"rotate", "seal it, and go on in another", cmd_log_rotate},
      {"retain", "how long sealed logs are kept", cmd_log_retain},
      {"retire", "remove one whose time is over", cmd_log_retire},
      {NULL, NULL, NULL}};

  return cli_dispatch("hilum log", "Reads the conversation log.", commands, argc, argv);
}
