/* instruct.h - pairs of picture and caption become conversations of several turns, by way of a
 * teacher who reads and does not see (LLaVA, arXiv 2304.08485, 4; LLaVA-Med, arXiv
 * 2306.00890, 3.2).
 *
 * What this room does here: reads pairs, says what a teacher is told, turns what it says into
 * turns, and says of each why it is in or out. What it does not do: ask anyone (its caller is the
 * teacher's hand and mouth), choose instructions, look at pictures, open files, start threads.
 *
 * Two ways to treat a reply. Compatible: LLaVA-Med's own, step by step, with its faults: what
 * follows a phrase that was cut off becomes lower case, and a first turn that goes takes "<image>"
 * with it. Else: capital letters stay, "<image>" is in the first turn that stays, Yes and No stay,
 * and more of what gives the caption away is seen.
 *
 * Thread rule: functions keep nothing but what GLib compiles once; distinct calls may run side by
 * side.
 */
#ifndef HILUM_INSTRUCT_H
#define HILUM_INSTRUCT_H

#include "dataset.h"

G_BEGIN_DECLS

typedef enum {
  DATA_KIND_CONVERSATION, /* questions and answers about what is seen */
  DATA_KIND_DETAIL,       /* one long description */
  DATA_KIND_REASONING,    /* one question that takes thought, and its answer */
  DATA_N_KINDS,
} DataKind;
/* "conversation", "detail", "reasoning". Static. */
const char *data_kind_name(DataKind kind);

/* ---- a pair --------------------------------------------------------------------------------- */

typedef struct {
  char *category;
  double x1, y1, x2, y2; /* parts of width and height, from the top left corner */
} DataBox;

/* What a line says of one picture. Texts are UTF-8 without a zero. */
typedef struct {
  char *id, *image;
  DataDomain domain;
  char *label;         /* "Figure 2", or NULL */
  GPtrArray *captions; /* of char *, at least one */
  GPtrArray *mentions; /* of char *: sentences that cite the figure */
  GArray *boxes;       /* of DataBox */
} DataPair;
void data_pair_clear(DataPair *pair);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DataPair, data_pair_clear)

/* ---- examples ------------------------------------------------------------------------------- */

/* What a teacher is shown of the work before it is asked for it. */
typedef struct _DataExamples DataExamples;
/* Those that are built in. */
DataExamples *data_examples_new(void);
/* Out of a text in the form of data_examples_text(). NULL: *PROBLEM (g_free()) says in which line
 * what is wrong. */
DataExamples *data_examples_parse(const char *text, gsize n, char **problem);
void data_examples_free(DataExamples *examples);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DataExamples, data_examples_free)
/* The built-in ones as the text that they are made of: to be read, and to begin one's own with.
 * g_free(). */
char *data_examples_text(void);

/* ---- the work ------------------------------------------------------------------------------- */

typedef struct {
  guint64 seed;
  gboolean mentions;   /* the teacher is told what the article says of the figure (60K-IM) */
  gboolean compatible; /* see above */
  gboolean array;      /* of one JSON array: each element begins with ",\n" */
  gboolean many_kinds; /* of one pair come several records: their ids end in the kind */
  guint n_examples;    /* at most so many are shown */
  const DataExamples *examples;
  /* The question that a detailed description answers, by SEED; static. */
  const char *(*instruction)(guint64 seed, gpointer user);
  /* Whether the picture NAME is there; NULL: all are. */
  gboolean (*has_image)(const char *name, gpointer user);
  gpointer user;
} DataInstruct;

/* One line (N bytes). FALSE: *REASON says why it is no pair, *PROBLEM (g_free()) what is wrong with
 * it, or NULL. */
gboolean data_instruct_read(const DataInstruct *instruct, const char *line, gsize n, DataPair *pair,
                            DataDropped *reason, char **problem);

typedef void (*DataSay)(const char *role, const char *text, gpointer user);
/* What the teacher is told of PAIR, message by message: "system", then "user" and "assistant" in
 * turn, "user" at the end. ROLE is static. */
void data_instruct_ask(const DataInstruct *instruct, const DataPair *pair, DataKind kind,
                       DataSay say, gpointer user);

/* What becomes of a turn. */
typedef enum {
  DATA_TURN_KEPT,
  DATA_TURN_NO_ANSWER,      /* a question alone, or with two answers */
  DATA_TURN_NO_QUESTION,    /* an answer alone */
  DATA_TURN_EMPTY,          /* question or answer says nothing */
  DATA_TURN_CUT,            /* the reply ended within it */
  DATA_TURN_MARKER,         /* it holds what steers models: "</s>", "[INST]" */
  DATA_TURN_CHARACTERS,     /* it holds characters that are none */
  DATA_TURN_REFUSAL,        /* the teacher says that it sees nothing */
  DATA_TURN_QUESTION_TELLS, /* the question gives away that there is a caption */
  DATA_TURN_ANSWER_TELLS,   /* the answer does, in a way that cannot be cut out */
  DATA_TURN_REPEATED,       /* its question was asked before */
  DATA_N_TURN_FATES,
} DataTurnFate;
/* "kept", "no_answer", "no_question", "empty", "cut", ... Static. */
const char *data_turn_fate_name(DataTurnFate fate);

typedef struct {
  char *question, *answer; /* as they are written, if KEPT */
  DataTurnFate fate;
  char *phrase;  /* what the fate goes by, or NULL */
  char *removed; /* what was cut out of the answer, or NULL */
} DataTurn;

/* What REPLY makes of PAIR: turns (of DataTurn, which the array frees) in the order of the reply.
 * IS_CUT: the reply ended where it had to. */
GArray *data_instruct_turns(const DataInstruct *instruct, const DataPair *pair, DataKind kind,
                            const char *reply, gboolean is_cut);
guint data_turns_kept(const GArray *turns);
/* Those that are kept as one record in OUT. */
void data_instruct_write(const DataInstruct *instruct, const DataPair *pair, DataKind kind,
                         const GArray *turns, GByteArray *out);

/* ---- why ------------------------------------------------------------------------------------ */

/* What became of one record, or of a line that is no pair. */
typedef struct {
  guint64 line;        /* from 1 */
  const char *id;      /* or NULL */
  const char *kind;    /* or NULL */
  const char *why;     /* "kept", "no_turns", "no_turn_left", a DataDropped's name, a teacher's */
  const char *detail;  /* for people, or NULL */
  const char *request; /* its name in the teacher's journal, or NULL */
  guint64 tokens_in, tokens_out;
  gboolean is_kept;    /* answered out of the journal */
  const GArray *turns; /* or NULL */
} DataStory;
/* As one line of JSON: {line, id, kind, in, why, detail, request, tokens_in, tokens_out,
 * from_journal, turns: [{turn, in, why, phrase, removed}]}. */
void data_story_write(const DataStory *story, GByteArray *out);

typedef struct {
  guint64 lines, pairs, written, no_turns, no_turn_left;
  guint64 dropped[DATA_N_DROPPED]; /* lines */
  guint64 fates[DATA_N_TURN_FATES];
  guint64 edited; /* turns that are kept without a part of their answer */
  guint64 kinds[DATA_N_KINDS], domains[DATA_N_DOMAINS]; /* of those written */
} DataInstructCounts;
/* Adds a record whose reply came. Returns its `why`. */
const char *data_instruct_count(DataInstructCounts *counts, const DataPair *pair, DataKind kind,
                                const GArray *turns);

G_END_DECLS
#endif
