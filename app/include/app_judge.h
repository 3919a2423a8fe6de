/* app_judge.h - chat answers judged by a language model against reference answers, as LLaVA and
 * LLaVA-Med are scored. */
#ifndef HILUM_APP_JUDGE_H
#define HILUM_APP_JUDGE_H

#include "app_eval.h"

G_BEGIN_DECLS

typedef enum {
  APP_JUDGE_BOTH,      /* each question twice, so that the order favours nobody */
  APP_JUDGE_REFERENCE, /* the reference first, as published */
  APP_JUDGE_MODEL,     /* the model's answer first */
} AppJudgeOrders;

typedef struct {
  /* LLaVA-Med's questions, which bring their context and reference, or LLaVA-Bench's. */
  const char *questions;
  const char *context;   /* LLaVA-Bench's captions and boxes by image; or NULL */
  const char *reference; /* lines of {question_id, text}; NULL: the questions' own gpt4_answer */
  const char *answers;   /* the same of the model that is judged */
  const char *rules;     /* {CATEGORY: {role, prompt}}; NULL: this program's own words */
  const char *const *reviews; /* files of earlier judgements: no judge is asked; or NULL */
  const char *bench;          /* whose table stands beside; NULL: by content */
  const char *out;            /* file of the reviews; its journal is beside it. Needed to ask */
  AppRemoteOptions judge;     /* role "judge"; with a URL, and only then, texts leave the machine */
  AppModelOptions model;      /* a judge in this program, where there is no URL */
  AppJudgeOrders orders;
  double temperature;
  guint n_parallel, max_tokens;          /* 0: 4, 1024 */
  guint64 most_tokens;                   /* 0: no limit */
  double most_cost, price_in, price_out; /* of a million tokens */
  gboolean ask_failed;
  guint limit; /* most questions; 0: all */
  guint64 seed;
  const char *command;
} AppJudgeOptions;

typedef struct {
  void (*problem)(const char *text, gpointer user);
  gboolean (*go_on)(guint done, guint total, double cost, gpointer user); /* FALSE: no more */
  gpointer user;
} AppJudgeListener;

/* {type: "judge", bench, judge, model, questions, reviews, unparsable, not_judged, half_judged,
 * groups: [{by, kind, n, reference_mean, model_mean, mean_of_ratios, ratio_of_means, with _low and
 * _high, wins, ties, losses}], orders: {reference_first: {...}, model_first: {...}}, position: the
 * first answer's score less the second's, ...}; ratios in percent. A reply in which no two scores
 * are found is kept, counted and never scored. Whatever ended the asking, what there is is scored.
 */
JsonNode *app_eval_judge(const AppJudgeOptions *options, const AppJudgeListener *listener,
                         GError **error);

G_END_DECLS
#endif
