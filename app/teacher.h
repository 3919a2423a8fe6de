/* teacher.h - texts asked for by the thousand from a language model: in parallel, answers in order,
 * none paid for twice. Not for other rooms.
 *
 * The model is on a server that speaks OpenAI's chat completions, or in this program. With a
 * server, and only then, what is asked leaves the machine. Each answer is written to a journal
 * before anyone sees it; a question whose answer is there is not asked again, whatever ended the
 * run before. What a server says in an answer's place is counted by its kind, and ends nothing but
 * its own question.
 *
 * Thread rule: one thread at a time; callbacks come on the thread that runs.
 */
#ifndef HILUM_APP_TEACHER_H
#define HILUM_APP_TEACHER_H

#include "private.h"

G_BEGIN_DECLS

/* What became of a question. */
typedef enum {
  APP_TEACHER_ANSWERED,
  /* Final: kept in the journal, and asked again by `ask_failed` alone. */
  APP_TEACHER_EMPTY,    /* an answer without a word */
  APP_TEACHER_NONSENSE, /* no chat completion: not JSON, a web page, another shape, no UTF-8 */
  APP_TEACHER_TOO_LONG, /* more than APP_TEACHER_MAX_REPLY bytes */
  APP_TEACHER_FILTERED, /* the server's filter took the answer */
  APP_TEACHER_REFUSED,  /* who answers does not take this question (HTTP 400, 413, 422; no context)
                         */
  /* Not final: the next run asks again. */
  APP_TEACHER_BUSY,       /* HTTP 429, however long it was waited for */
  APP_TEACHER_FAILED,     /* HTTP 5xx */
  APP_TEACHER_SILENT,     /* nothing came in time */
  APP_TEACHER_CONNECTION, /* there is none, it broke, or the server could not prove who it is */
  APP_TEACHER_DENIED,     /* HTTP 401, 403, 404 or a redirect: ends the asking */
  APP_TEACHER_NOT_ASKED,  /* the asking had ended */
  APP_N_TEACHER_OUTCOMES,
} AppTeacherOutcome;
/* "answered", "empty", "nonsense", "too_long", ... Static. */
const char *app_teacher_outcome_name(AppTeacherOutcome outcome);

/* Bytes of a reply. An answer of the greatest length has some 100 KiB. */
#define APP_TEACHER_MAX_REPLY (2u << 20)
#define APP_TEACHER_MAX_PARALLEL 64u

typedef struct {
  AppRemoteOptions remote; /* with a URL: in place of MODEL; its role says what to call it */
  AppModelOptions model;   /* in this program */
  const char *journal;     /* file, made when it is not there */
  AppSampling sampling;    /* max_tokens 0: 1024 */
  guint n_parallel;        /* questions under way at once; 0: 4 (1 for a model in this program) */
  guint n_tries;           /* of one question; 0: 5 */
  guint wait_ms;           /* before the second try, twice as long before each next; 0: 1000 */
  guint64 most_tokens;     /* of questions and answers, those in the journal too; 0: no limit */
  double most_cost;        /* the same in money; 0: no limit */
  double price_in, price_out; /* of a million tokens of questions, of answers */
  gboolean ask_failed;        /* final failures of the journal are asked again */
} AppTeacherOptions;

typedef struct _AppTeacher AppTeacher;

/* Opens the journal (one run at a time has it) and, without a URL, the model. Nothing is sent.
 * ARGUMENT: values out of range. Strings of OPTIONS are borrowed. */
AppTeacher *app_teacher_new(const AppTeacherOptions *options, GError **error);
void app_teacher_free(AppTeacher *teacher); /* TEACHER may be NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTeacher, app_teacher_free)

/* Who answers: "gpt-4 on api.example", or the model's name. Borrowed. */
const char *app_teacher_name(const AppTeacher *teacher);
/* Whether what is asked leaves this machine. */
gboolean app_teacher_leaves(const AppTeacher *teacher);
/* Lines of the journal that could not be read and are left alone, and whether its last one was cut
 * off by the end of an earlier run (and is gone). */
guint app_teacher_damaged(const AppTeacher *teacher, gboolean *torn);

/* One question: messages, in order. */
typedef struct _AppTeacherRequest AppTeacherRequest;
/* ROLE: "system", "user" or "assistant" (static). Copies TEXT. */
void app_teacher_say(AppTeacherRequest *request, const char *role, const char *text);

typedef struct {
  AppTeacherOutcome outcome;
  const char *text;  /* ANSWERED: UTF-8, as it was said; else NULL */
  const char *why;   /* not ANSWERED: for people, without what was asked; else NULL */
  const char *model; /* as the server called it, or NULL */
  gboolean is_cut;   /* ANSWERED, and the answer came to max_tokens */
  gboolean is_kept;  /* out of the journal */
  guint tries;       /* requests that were sent for it, now */
  guint64 tokens_in, tokens_out;
  gboolean is_estimate; /* the server did not count them */
  char key[65];         /* SHA-256 of model, sampling and messages: its name in the journal */
} AppTeacherReply;

/* How it stands. */
typedef struct {
  guint64 outcomes[APP_N_TEACHER_OUTCOMES]; /* of the questions whose end is known */
  guint64 kept;                             /* of them: out of the journal */
  guint64 requests, tries_again;            /* sent; those of them that were no first try */
  guint64 tokens_in, tokens_out;            /* now */
  guint64 spent_tokens;                     /* those in the journal too */
  double cost, spent_cost;                  /* the same in money */
  guint under_way;                          /* questions */
  gint64 waits_us;                          /* until the server may be asked again; 0: it may */
  const char *ended; /* why nothing is asked any more: "tokens", "cost", "denied", "gone",
                        "journal"; NULL: it is asked. Static */
} AppTeacherCounts;

typedef struct {
  /* Fills REQUEST; *ITEM comes back with the reply. FALSE: there are no more questions. */
  gboolean (*next)(AppTeacherRequest *request, gpointer *item, gpointer user);
  /* In the order of the questions, once for each. Takes ITEM. FALSE ends the run with *ERROR. */
  gboolean (*reply)(gpointer item, const AppTeacherReply *reply, gpointer user, GError **error);
  /* Some times a second; FALSE: nothing more is asked. May be NULL. */
  gboolean (*go_on)(const AppTeacherCounts *counts, gpointer user);
  void (*free_item)(gpointer item); /* of those that got no reply; may be NULL */
  gpointer user;
} AppTeacherSource;

/* Asks what SOURCE asks. When the asking ends early (see `ended`), the rest of the questions gets
 * what the journal has, or NOT_ASKED: every question gets its reply. CANCELLED after go_on() said
 * so: what is under way has 20 s to be answered, into the journal; the rest gets no reply. */
gboolean app_teacher_run(AppTeacher *teacher, const AppTeacherSource *source, GError **error);
void app_teacher_counts(AppTeacher *teacher, AppTeacherCounts *counts);
/* Why the asking ended, for people, or NULL. Borrowed until the next run. */
const char *app_teacher_ended(const AppTeacher *teacher);

G_END_DECLS
#endif
