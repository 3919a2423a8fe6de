/* conversation.h - what `hilum ask` and `hilum describe` share: image, sampling, log and the
 * streaming of answers. */
#ifndef HILUM_CLI_CONVERSATION_H
#define HILUM_CLI_CONVERSATION_H

#include "cli.h"

typedef struct {
  CliModel model;
  CliEngine engine;
  char *image, *window, *log, *seed;
  double temperature, top_p;
  char *region, **checks; /* names */
  int frame, max_tokens, lookup, turn;
  gboolean flip, greedy, blank, no_log, no_cache, lookup_log, json, probabilities;

  AppImageChoice choice; /* made from the above */
  AppSampling sampling;
} CliTalkOptions;
void cli_talk_options_clear(CliTalkOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliTalkOptions, cli_talk_options_clear)

/* Parses the shared options and ENTRIES, and checks the values. As cli_parse(). */
gboolean cli_talk_parse(CliTalkOptions *options, int *argc, char ***argv,
                        const GOptionEntry *entries, const char *summary, int *status);

typedef struct {
  const CliTalkOptions *options;
  AppReview *review;
  gboolean show_questions; /* on standard error, above each answer */

  /* of the question under way */
  GMainLoop *loop;
  GCancellable *cancellable;
  GAsyncResult *result;
  gboolean line_open; /* the terminal's line holds text of the answer */
} CliTalk;

/* Opens model and log and says on standard error who will answer. NULL: complained, *status is
 * what to exit with. */
CliTalk *cli_talk_open(const CliTalkOptions *options, int *status);
void cli_talk_close(CliTalk *talk);
/* A question about the image will come. */
void cli_talk_prepare(CliTalk *talk);
/* In the order of AppCheck. */
extern const char *const cli_check_names[];
/* Makes the checks that the options name and sets "checks" of TURN, if any. Returns the exit
 * status.
 */
int cli_talk_check(CliTalk *talk, JsonObject *turn);
void cli_talk_on_result(GObject *source, GAsyncResult *result, gpointer talk); /* ends the loop */
/* Fills in image and sampling, asks, prints, logs. Returns the exit status. */
int cli_talk_ask(CliTalk *talk, AppQuestion *question);

#endif
