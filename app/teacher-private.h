/* teacher-private.h - what the files of the teacher share. */
#ifndef HILUM_APP_TEACHER_PRIVATE_H
#define HILUM_APP_TEACHER_PRIVATE_H

#include "backend.h"
#include "remote-http.h"
#include "remote.h"
#include "teacher-journal.h"

G_BEGIN_DECLS

#define APP_TEACHER_MAX_TOKENS 1024u
/* Bytes of an answer's text: as JSON in the journal it stays below APP_JSON_MAX_OBJECT. */
#define APP_TEACHER_MAX_TEXT (512u << 10)

typedef struct {
  const char *role; /* static */
  char *text;
} AppTeacherMessage;

struct _AppTeacherRequest {
  GArray *messages; /* of AppTeacherMessage */
};

/* What one try came to. Strings are owned. */
typedef struct {
  AppTeacherOutcome outcome;
  char *text, *why, *model;
  gboolean is_cut;
  gboolean is_asked;  /* it may have been computed, and paid for */
  gboolean has_usage; /* the server counted */
  guint64 tokens_in, tokens_out;
  guint wait_s;         /* the server said when to come again; 0: it did not */
  gboolean other_limit; /* the server wants max_completion_tokens in place of max_tokens */
} AppTeacherTry;
void app_teacher_try_clear(AppTeacherTry *attempt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppTeacherTry, app_teacher_try_clear)

/* ---- one question on its way (teacher-run.c) ------------------------------------------------ */

typedef enum {
  APP_JOB_NEW,     /* of the running thread */
  APP_JOB_WORKING, /* a worker's, or on the way to one */
  APP_JOB_DONE,    /* of the running thread again */
} AppJobState;

typedef struct {
  AppTeacherRequest request;
  gpointer item;
  AppJobState state;   /* under the teacher's lock */
  gboolean is_offered; /* of the running thread: it is working or done */
  char key[65];
  guint tries;
  AppTeacherTry end; /* tokens: of all tries */
  gboolean is_kept, is_estimate;
  guint64 reserved_tokens;
  double reserved_cost;
} AppTeacherJob;

/* ---- the teacher ---------------------------------------------------------------------------- */

struct _AppTeacher {
  AppTeacherOptions options; /* with defaults filled in */
  char *name, *identity;     /* for people; for keys */
  AppJournal *journal;
  AppJournalFacts facts;
  gboolean is_remote;
  AppRemoteAddress address;
  char *bearer;        /* the server's key; NULL: none */
  AppBackend *backend; /* the model in this program */
  GPtrArray *recited;  /* of char *: questions and answers that its conversation begins with */

  GMutex lock; /* of all that follows */
  GCond changed;
  AppTeacherCounts counts;
  char *ended_text;
  guint64 reserved_tokens;
  double reserved_cost;
  gint64 not_before;     /* µs: the server asked to be left alone */
  guint failed_in_a_row; /* questions */
  gboolean other_limit;  /* see AppTeacherTry */
  gboolean stopping;     /* go_on() said no */
  gint halt;             /* atomic: whatever is under way ends */
};

/* One who asks; of one thread. */
typedef struct {
  AppTeacher *teacher;
  AppHttp *http; /* NULL: the model in this program */
  GThread *thread;
  GAsyncQueue *jobs; /* of AppTeacherJob; borrowed */
} AppTeacherWorker;

/* ---- teacher.c ------------------------------------------------------------------------------ */

double app_teacher_cost(const AppTeacher *teacher, guint64 tokens_in, guint64 tokens_out);
void app_teacher_request_clear(AppTeacherRequest *request);
/* SHA-256 over identity, sampling and messages. */
void app_teacher_key(const AppTeacher *teacher, const AppTeacherRequest *request, char key[65]);
/* Tokens that REQUEST may come to, by a careful guess. */
void app_teacher_most(const AppTeacher *teacher, const AppTeacherRequest *request,
                      guint64 *tokens_in, guint64 *tokens_out);
/* Nothing is asked from now on; REASON as in AppTeacherCounts. Under the lock; the first counts. */
void app_teacher_end(AppTeacher *teacher, const char *reason, const char *text);

/* ---- teacher-ask.c -------------------------------------------------------------------------- */

/* All tries of JOB, until it is answered or it is no use. */
void app_teacher_ask(AppTeacherWorker *worker, AppTeacherJob *job);

/* ---- teacher-http.c ------------------------------------------------------------------------- */

AppHttp *app_teacher_http_new(const AppTeacher *teacher, GError **error);
void app_teacher_http_try(AppTeacherWorker *worker, const AppTeacherRequest *request,
                          AppTeacherTry *attempt);
GString *app_teacher_body(const AppTeacher *teacher, const AppTeacherRequest *request,
                          gboolean other_limit);
/* What a body of HTTP 200 says. Nothing of it is believed further than it is looked at. */
void app_teacher_read_reply(const char *body, gsize n, const char *content_type,
                            AppTeacherTry *attempt);

/* ---- teacher-local.c ------------------------------------------------------------------------ */

gboolean app_teacher_local_open(AppTeacher *teacher, GError **error);
void app_teacher_local_try(AppTeacher *teacher, const AppTeacherRequest *request,
                           AppTeacherTry *attempt);

G_END_DECLS
#endif
