/* conversation-check.c - asking the same again, at the terminal. */
#include "app_trust.h"
#include "conversation.h"

const char *const cli_check_names[] = {"blank", "seeds", NULL};

static JsonNode *
wait_for_check(CliTalk *talk, guint turn, AppCheck check, GError **error)
{
  JsonNode *node;

  app_review_check_async(talk->review, turn, check, 0, talk->cancellable, cli_talk_on_result, talk);
  g_main_loop_run(talk->loop);
  node = app_review_check_finish(talk->review, talk->result, error);
  g_clear_object(&talk->result);
  return node;
}

static void
show_check(JsonObject *check)
{
  JsonArray *answers = json_object_get_array_member(check, "answers");

  for (guint i = 0; i < json_array_get_length(answers); i++) {
    JsonObject *answer = json_array_get_object_element(answers, i);
    g_autofree char *seed = app_json_text(json_object_get_member(answer, "seed"));
    g_autofree char *line = cli_one_line(cli_text_member(answer, "answer"), 400);
    if (json_object_get_null_member(check, "depends_on_image")) {
      cli_note("seed %s: %s", seed, line);
    } else {
      cli_note("%s, likeliest: %s",
               json_object_get_boolean_member(answer, "blank") ? "blank picture" : "picture", line);
    }
  }
  if (json_object_get_null_member(check, "depends_on_image")) {
    cli_note("agreement of the answers: %.2f%s", json_object_get_double_member(check, "agreement"),
             json_object_get_boolean_member(check, "same") ? " (all say the same)" : "");
  } else if (!json_object_get_boolean_member(check, "depends_on_image")) {
    cli_note("THE ANSWER DOES NOT DEPEND ON THE PICTURE");
  }
}

int
cli_talk_check(CliTalk *talk, JsonObject *turn)
{
  JsonArray *array = talk->options->checks ? json_array_new() : NULL;
  int status = CLI_DONE;

  for (char **name = talk->options->checks; name && *name; name++) {
    const guint number = (guint)json_object_get_int_member(turn, "turn") - 1;
    g_autoptr(GError) error = NULL;
    guint check = 0;
    JsonNode *node;

    cli_parse_choice("check", *name, cli_check_names, &check);
    node = wait_for_check(talk, number, (AppCheck)check, &error);
    if (!node) {
      cli_note("not checked (%s): %s", *name, error->message);
      status = CLI_FAILED;
      continue;
    }
    if (!talk->options->json) {
      show_check(json_node_get_object(node));
    }
    json_array_add_element(array, node);
  }
  if (array) {
    json_object_set_array_member(turn, "checks", array);
  }
  return status;
}
