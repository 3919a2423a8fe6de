/* cmd-log-person.c - hilum log person add|list|remove|pin|require */
#include <stdio.h>
#include <string.h>

#include "app_person.h"
#include "commands.h"
#include "passphrase.h"
#include "pin.h"

#define PIN_ENTRY(file, what)                                                                      \
  {                                                                                                \
    "pin-file", 0, 0, G_OPTION_ARG_FILENAME, file, what, "FILE"                                    \
  }

static void
print_people(JsonObject *object)
{
  JsonArray *people = json_object_get_array_member(object, "people");

  for (guint i = 0; i < json_array_get_length(people); i++) {
    JsonObject *person = json_array_get_object_element(people, i);
    const char *role = json_object_get_string_member_with_default(person, "role", NULL);
    const char *last = json_object_get_string_member_with_default(person, "last", NULL);

    printf("%s%s%s%s\n", cli_text_member(person, "name"), role ? " (" : "", role ? role : "",
           role ? ")" : "");
    cli_print_field("since", "%s", cli_text_member(person, "since"));
    cli_print_field("signed in", "%s", last ? last : "never");
    if (json_object_get_int_member(person, "wrong") > 0) {
      cli_print_field("wrong PINs", "%d since", (int)json_object_get_int_member(person, "wrong"));
    }
  }
  cli_note(json_object_get_boolean_member(object, "required")
               ? "a verdict needs somebody who is signed in"
               : "a verdict needs nobody who is signed in");
}

/* Does WISH and prints what it came to: DONE about the person, or everybody. */
static int
do_it(const char *log, const AppPersonWish *wish, gboolean json, const char *done)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_person_do(log, wish, NULL, &error);

  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else if (done) {
    printf("%s\n", done);
  } else {
    print_people(json_node_get_object(node));
  }
  return CLI_DONE;
}

static int
cmd_list(int argc, char **argv)
{
  const AppPersonWish wish = {APP_PERSON_LIST};
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status;
  const GOptionEntry entries[] = {CLI_LOG_ENTRY(&log), CLI_JSON_ENTRY(&json), {NULL}};

  return cli_parse(&argc, &argv, entries, NULL, NULL, "Who may sign in with a PIN.", NULL, 0, 0,
                   &status)
             ? do_it(log, &wish, json, NULL)
             : status;
}

static int
cmd_add(int argc, char **argv)
{
  g_autofree char *log = NULL, *role = NULL, *file = NULL;
  gboolean json = FALSE;
  int status;
  char *pin;
  g_autoptr(GError) error = NULL;
  AppPersonWish wish = {APP_PERSON_ENROL};
  const GOptionEntry entries[] = {
      {"role", 0, 0, G_OPTION_ARG_FILENAME, &role, "What the person is, or their number", "TEXT"},
      PIN_ENTRY(&file, "The PIN is the first line of FILE (a number: of that descriptor)"),
      CLI_LOG_ENTRY(&log),
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "NAME",
                 "Enrols somebody who can sign in for verdicts; the PIN is asked for at the "
                 "terminal.",
                 "Six characters or more are better than the four that a PIN must have.", 1, 1,
                 &status)) {
    return status;
  }
  if (app_person_name_problem(argv[1])) {
    return cli_misused("%s", app_person_name_problem(argv[1]));
  }
  pin = cli_pin(file, TRUE, &error);
  if (!pin) {
    return cli_failed(error);
  }
  wish.name = argv[1];
  wish.role = role;
  wish.pin = pin;
  status = do_it(log, &wish, json, "enrolled");
  cli_wipe(&pin);
  return status;
}

static int
cmd_remove(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status;
  AppPersonWish wish = {APP_PERSON_REMOVE};
  const GOptionEntry entries[] = {CLI_LOG_ENTRY(&log), CLI_JSON_ENTRY(&json), {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "NAME",
                 "Removes somebody: nobody signs in under that name again until it is enrolled "
                 "again. What the person did stays in the log.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  wish.name = argv[1];
  return do_it(log, &wish, json, "removed");
}

static int
cmd_pin(int argc, char **argv)
{
  g_autofree char *log = NULL, *file = NULL, *next_file = NULL;
  gboolean json = FALSE;
  int status;
  char *pin, *next;
  g_autoptr(GError) error = NULL;
  AppPersonWish wish = {APP_PERSON_PIN};
  const GOptionEntry entries[] = {PIN_ENTRY(&file, "The present PIN is the first line of FILE"),
                                  {"new-pin-file", 0, 0, G_OPTION_ARG_FILENAME, &next_file,
                                   "The new one, the same way", "FILE"},
                                  CLI_LOG_ENTRY(&log),
                                  CLI_JSON_ENTRY(&json),
                                  {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "NAME",
                 "Changes a person's PIN. One that was forgotten cannot be changed: remove the "
                 "person and add them again.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  pin = cli_pin(file, FALSE, &error);
  next = pin ? cli_pin(next_file, TRUE, &error) : NULL;
  if (!next) {
    cli_wipe(&pin);
    return cli_failed(error);
  }
  wish.name = argv[1];
  wish.pin = pin;
  wish.next = next;
  status = do_it(log, &wish, json, "changed");
  cli_wipe(&pin);
  cli_wipe(&next);
  return status;
}

static int
cmd_require(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status;
  AppPersonWish wish = {APP_PERSON_REQUIRE};
  const GOptionEntry entries[] = {CLI_LOG_ENTRY(&log), CLI_JSON_ENTRY(&json), {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "yes|no",
                 "Whether a verdict needs somebody who is signed in.", NULL, 1, 1, &status)) {
    return status;
  }
  wish.required = strcmp(argv[1], "yes") == 0;
  if (!wish.required && strcmp(argv[1], "no") != 0) {
    return cli_misused("found '%s', expected yes or no", argv[1]);
  }
  return do_it(log, &wish, json,
               wish.required ? "verdicts need somebody who is signed in"
                             : "verdicts need nobody who is signed in");
}

int
cmd_log_person(int argc, char **argv)
{
  static const CliCommand commands[] = {{"list", "who may sign in", cmd_list},
                                        {"add", "enrol somebody with a PIN", cmd_add},
                                        {"remove", "remove somebody", cmd_remove},
                                        {"pin", "change a PIN", cmd_pin},
                                        {"require", "whether verdicts need one", cmd_require},
                                        {NULL, NULL, NULL}};

  return cli_dispatch("hilum log person", "People who sign in with a PIN, for verdicts.", commands,
                      argc, argv);
}
