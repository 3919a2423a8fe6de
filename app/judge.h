/* judge.h - what the files of judging share. Not for others. */
#ifndef HILUM_APP_JUDGE_PRIVATE_H
#define HILUM_APP_JUDGE_PRIVATE_H

#include "app_judge.h"
#include "eval.h"

G_BEGIN_DECLS

/* ---- what is judged (judge-item.c) ---------------------------------------------------------- */

typedef struct {
  char *id, *text; /* the question, without marks of pictures */
  char *category;  /* "conversation", "detail", ... */
  char *domain;    /* "mri", ...; NULL: not told */
  char *image;     /* NULL: none */
  char *context;   /* what the judge is told of the picture; or NULL */
  char *reference, *answer;
  guint64 line;
} AppJudgeItem;

typedef struct {
  GPtrArray *items;  /* of AppJudgeItem, whole ones alone */
  GHashTable *rules; /* category to a JsonObject {role, prompt}; NULL: none */
  const char *bench; /* static or borrowed */
  char *model;       /* that the answers name, or NULL */
  char *questions_sha256, *answers_sha256, *reference_sha256, *context_sha256, *rules_sha256;
} AppJudgeSet;
void app_judge_set_clear(AppJudgeSet *set);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppJudgeSet, app_judge_set_clear)
gboolean app_judge_set_read(const AppJudgeOptions *options, AppEvalSay *say, AppJudgeSet *set,
                            GError **error);
/* The first of LLaVA-Med's domains that is true of OBJECT; g_free(). NULL: none. */
char *app_judge_domain(JsonObject *object);
/* A category without what LLaVA-Bench puts before it; g_free(). NULL: none. */
char *app_judge_category(JsonObject *object);

/* What the judge is asked; MODEL_FIRST: the answers change places. g_free(). */
char *app_judge_question(const AppJudgeSet *set, const AppJudgeItem *item, gboolean model_first);
const char *app_judge_system(void);

/* ---- what was said (judge-review.c, judge-score.c) ------------------------------------------ */

typedef struct {
  char *id, *category, *domain; /* DOMAIN may be NULL */
  gboolean model_first;
  gboolean is_parsed;
  gboolean is_wild; /* of a file that calls its categories as LLaVA-Bench (In-the-Wild) does */
  double reference, model; /* scores */
} AppJudgeReview;
void app_judge_review_free(gpointer review);
/* Reads TEXT, what a judge said. */
AppJudgeReview *app_judge_review_new(const AppJudgeItem *item, gboolean model_first,
                                     const char *text);
/* One line of JSON, with TEXT as it was said, for a file that LLaVA's own scripts read, too. */
char *app_judge_review_line(const AppJudgeReview *review, const char *text, const char *judge);
/* Reviews of earlier runs and of LLaVA's scripts, added to REVIEWS. */
gboolean app_judge_reviews_read(const char *path, AppEvalSay *say, GPtrArray *reviews,
                                char **sha256, GError **error);

/* Sets "reviews", "unparsable", "half_judged", "questions", "groups", "orders" and "position". */
void app_judge_score(JsonObject *report, GPtrArray *reviews, guint64 seed);
/* {source, groups, rows: [{model, scores}]} */
JsonObject *app_judge_published(const char *bench);

G_END_DECLS
#endif
