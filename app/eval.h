/* eval.h - what the files of evaluation share. Not for others. */
#ifndef HILUM_APP_EVAL_PRIVATE_H
#define HILUM_APP_EVAL_PRIVATE_H

#include "app_eval.h"
#include "private.h"
#include "records.h"

G_BEGIN_DECLS

/* ---- what is wrong with input (eval-problem.c) ---------------------------------------------- */

typedef enum {
  APP_EVAL_BAD_RECORD,     /* of a file of questions */
  APP_EVAL_NO_REFERENCE,   /* a question without a known answer */
  APP_EVAL_NO_IMAGE,       /* it is not in the folder */
  APP_EVAL_BAD_IMAGE,      /* it cannot be read */
  APP_EVAL_NOT_ANSWERED,   /* the model failed */
  APP_EVAL_NOT_SAVED,      /* an answer could not be written; it is scored */
  APP_EVAL_BAD_ANSWER,     /* a line of a file of answers */
  APP_EVAL_NO_QUESTION,    /* an answer that belongs to no question */
  APP_EVAL_AMBIGUOUS,      /* an answer that may belong to several questions */
  APP_EVAL_ANSWERED_TWICE, /* the first counts */
  APP_EVAL_UNANSWERED,     /* a question that the file of answers leaves out */
  APP_EVAL_UNPARSABLE,     /* what a judge said */
  APP_N_EVAL_PROBLEMS,
} AppEvalProblem;

typedef struct {
  const AppEvalListener *listener; /* may be NULL */
  guint64 counts[APP_N_EVAL_PROBLEMS];
  guint64 other_rows, other_languages; /* passed over as asked for */
} AppEvalSay;
/* PATH: line LINE: ...; LINE 0: of the whole file. The first 20 of a kind are said, all counted. */
void app_eval_say(AppEvalSay *say, AppEvalProblem problem, const char *path, guint64 line,
                  const char *format, ...) G_GNUC_PRINTF(5, 6);
/* {bad_records: 0, ..., other_rows, other_languages} */
JsonObject *app_eval_left_out(const AppEvalSay *say);

/* ---- foreign JSON (eval-json.c); NULL: absent, or of another type ---------------------------- */

/* A string, or a number written as one; g_free(). */
char *app_eval_text(JsonObject *object, const char *name);
const char *app_eval_string(JsonNode *node);
JsonArray *app_eval_array(JsonObject *object, const char *name);
/* What turn I of a conversation says. */
const char *app_eval_turn(JsonArray *turns, guint i);
/* The object that RECORD is; NULL with *WHY. */
JsonObject *app_eval_object(const AppRecord *record, char **why);

/* ---- questions (eval-question.c, eval-format.c) --------------------------------------------- */

typedef struct {
  char *id, *text, *reference, *kind;
  char *organ, *modality; /* NULL: not told */
  char *image;            /* as the file names it */
  char *path;             /* below the folder; NULL: not looked for */
  GPtrArray *references;  /* of char *: what counts as right; at least one */
  gboolean closed;
  guint64 line;
  guint record;                /* counted over all of the file, from 0 */
  char *answer, *blank_answer; /* NULL: none */
} AppEvalQuestion;
void app_eval_question_free(AppEvalQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppEvalQuestion, app_eval_question_free)

typedef struct {
  const char *path, *images;
  const char *format; /* NULL: by content */
  const char *const *where;
  const char *language;
  guint limit;
  gboolean unscored;        /* questions without a known answer are taken, too */
  gboolean images_optional; /* and those without their image */
} AppEvalSource;

typedef struct {
  GPtrArray *questions; /* of AppEvalQuestion */
  const char *format;   /* static */
  char *sha256;         /* of the file */
} AppEvalSet;
void app_eval_set_clear(AppEvalSet *set);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppEvalSet, app_eval_set_clear)
gboolean app_eval_set_read(const AppEvalSource *source, AppEvalSay *say, AppEvalSet *set,
                           GError **error);

/* One record in a known format; adds to QUESTIONS what it asks. FALSE with why, for people. */
typedef struct {
  const char *name;
  gboolean is_text; /* lines of text, no JSON */
  gboolean (*fits)(JsonObject *object);
  gboolean (*read)(JsonObject *object, GPtrArray *questions, char **why);
  gboolean (*read_line)(const char *line, GPtrArray *questions, char **why);
} AppEvalFormat;
extern const AppEvalFormat app_eval_formats[]; /* ends with a NULL name */
/* QUESTION of its parts, which are taken; REFERENCES NULL: the reference alone. */
AppEvalQuestion *app_eval_question_new(char *id, char *text, char *reference);

/* ---- answers (eval-answer.c, eval-journal.c) ------------------------------------------------ */

/* How answers found their questions. */
typedef struct {
  guint by_row, by_id, by_text;
  char *model; /* the one that all lines name; NULL: none, or several */
  char *sha256;
} AppEvalPairing;
void app_eval_pairing_clear(AppEvalPairing *pairing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppEvalPairing, app_eval_pairing_clear)
/* Reads PATH and gives each question its answer, or its answer without a picture (BLANK). */
gboolean app_eval_answers_read(const char *path, gboolean blank, GPtrArray *questions,
                               AppEvalSay *say, AppEvalPairing *pairing, GError **error);

typedef struct _AppEvalJournal AppEvalJournal;
/* Opens or makes PATH; questions that it answers get their answers. RUN names model, questions and
 * settings: a file of another run is refused. */
AppEvalJournal *app_eval_journal_open(const char *path, const char *run, const char *model,
                                      GPtrArray *questions, AppEvalSay *say, GError **error);
/* What cannot be written is said, and is no failure. */
void app_eval_journal_add(AppEvalJournal *journal, const AppEvalQuestion *question, gboolean blank,
                          AppEvalSay *say);
void app_eval_journal_close(AppEvalJournal *journal); /* may be NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppEvalJournal, app_eval_journal_close)

/* ---- asking (eval-run.c) -------------------------------------------------------------------- */

typedef struct {
  char *model, *sha256, *engine; /* who answered; SHA256 and ENGINE may be NULL */
  guint images, encoded;         /* distinct images asked about; how often one was encoded */
  gboolean counts_encoded;
} AppEvalRun;
void app_eval_run_clear(AppEvalRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppEvalRun, app_eval_run_clear)
gboolean app_eval_ask(const AppEvalOptions *options, AppEvalSet *set, AppEvalSay *say,
                      AppEvalRun *run, GCancellable *cancellable, GError **error);

/* ---- scores (eval-score.c) ------------------------------------------------------------------ */

/* ROW of AppEvalListener. */
JsonNode *app_eval_row(const AppEvalQuestion *question);
/* By kind, organ or modality, and type. TRAIN: questions of the training split, or NULL. */
typedef enum { APP_EVAL_BY_KIND, APP_EVAL_BY_ORGAN, APP_EVAL_BY_MODALITY } AppEvalBy;
JsonArray *app_eval_groups(GPtrArray *questions, GPtrArray *train, AppEvalBy by, guint64 seed);
/* Sets NAME, NAME_low and NAME_high. */
void app_eval_set_mean(JsonObject *object, const char *name, const double *values, guint n,
                       guint64 seed);

/* ---- beside the scores (eval-train.c) ------------------------------------------------------- */

/* Where no training split is named: another split of the same file, by the key that WHERE names
 * one by, or the file beside it that is called so. OPTIONS gets both, from *PATH and *WHERE, which
 * own them. */
void app_eval_guess_train(AppEvalOptions *options, char **path, char ***where);
/* {file, sha256, images, train_images, same_names, same_images, near_images, share, questions,
 * questions_on_shared}: by content, of the images in SET that TRAIN has, too. */
JsonObject *app_eval_leak(const AppEvalOptions *options, const AppEvalSet *set,
                          const AppEvalSet *train, AppEvalSay *say, GError **error);
/* {source, rows: [...]} of DATASET's published table. */
JsonObject *app_eval_published(const char *dataset);
/* {path, sha256}, or null */
void app_eval_set_file(JsonObject *object, const char *member, const char *path,
                       const char *sha256);

G_END_DECLS
#endif
