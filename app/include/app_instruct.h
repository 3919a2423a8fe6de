/* app_instruct.h - conversations of several turns out of pairs of picture and caption, by way of a
 * language model that reads and does not see. */
#ifndef HILUM_APP_INSTRUCT_H
#define HILUM_APP_INSTRUCT_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  const char *in;       /* pairs: JSON Lines, or one JSON array */
  const char *out;      /* ".jsonl": JSON Lines; else one JSON array, as LLaVA's trainers read */
  const char *report;   /* JSON Lines: why each record is in or out; NULL: none */
  const char *journal;  /* of the teacher's answers; NULL: OUT and ".journal" */
  const char *images;   /* folder that a pair's picture must be in; NULL: not looked for */
  const char *examples; /* file of examples; NULL: those that are built in */
  const char *kinds;    /* "conversation,detail,reasoning" or some of them; NULL: conversation */
  guint n_examples;     /* at most so many are shown */
  gboolean mentions;    /* the teacher is told what the article says of the figure */
  gboolean compatible;  /* replies become turns as LLaVA-Med's own script has it */
  guint64 seed;
  guint64 limit; /* so many pairs from the beginning; 0: all */

  AppRemoteOptions teacher; /* with a URL: on a server */
  AppModelOptions model;    /* else in this program; its `model` is set */
  AppSampling sampling;
  guint n_parallel, n_tries, wait_ms; /* 0: the defaults, see `hilum dataset instruct --help` */
  guint64 most_tokens;
  double most_cost, price_in, price_out; /* of a million tokens */
  gboolean ask_failed;
} AppInstructOptions;

/* How it stands. */
typedef struct {
  guint64 lines, written, answered, from_journal, failed;
  guint under_way;
  guint64 tokens; /* spent, those of the journal too */
  double cost;    /* the same in money */
  double waits_s; /* until the server may be asked again */
} AppInstructProgress;

typedef struct {
  void (*ready)(const char *who, gboolean leaves, gpointer user);        /* LEAVES: this machine */
  void (*problem)(const char *text, gpointer user);                      /* the run goes on */
  gboolean (*go_on)(const AppInstructProgress *progress, gpointer user); /* FALSE cancels */
  gpointer user;
} AppInstructListener;

/* Asks the teacher about each pair and writes what comes of it, in the order of the pairs: the same
 * for any number of questions at once, given the same answers. {in, out, report, journal, teacher,
 * compatible, lines, pairs, records: asked about or known; written, kinds: {name: written},
 * domains: {name: written}, dropped: {reason: lines}, unanswered: {reason: records}, no_turns,
 * no_turn_left: records; turns: {fate: count}, edited: turns, requests, tries_again, from_journal,
 * tokens_in, tokens_out, spent_tokens, cost, spent_cost, ended: why the asking ended early
 * ("tokens", "cost", "denied", "gone", "journal"), or null; ended_text, journal_damaged: lines,
 * journal_torn, bytes_out, seconds}. Costs are null without prices. CANCELLED: nothing was written
 * but the journal. */
JsonNode *app_dataset_instruct(const AppInstructOptions *options,
                               const AppInstructListener *listener, GError **error);

/* The examples that are built in, as the text of a file. g_free(). */
char *app_dataset_instruct_examples(void);

G_END_DECLS
#endif
