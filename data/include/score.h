/* score.h - how close an answer is to its reference. Pure functions, any thread.
 *
 * Two families. The strict scores are this program's own, and mean what their names say. The
 * published ones are LLaVA-Med's, for comparison with its tables, with their known weaknesses:
 * "abnormal" holds "normal" (and "no"), and a word said twice makes up for one not said.
 *
 * Strict normal form: lower case, punctuation as white space (a point or comma between digits
 * stays), the words zero to ten as digits, the articles a, an, the left out.
 */
#ifndef HILUM_SCORE_H
#define HILUM_SCORE_H

#include <glib.h>

G_BEGIN_DECLS

/* ---- strict scores ------------------------------------------------------------------------- */

/* Words of the normal form, NULL-terminated; g_strfreev(). */
char **data_score_words(const char *text);
/* Same words in the same order. */
gboolean data_score_exact(const char *prediction, const char *reference);
/* LLaVA-Med's open score: share of the reference's words (as a multiset) that the prediction holds,
 * 0 to 1; 0 when either is empty. */
double data_score_recall(const char *prediction, const char *reference);
/* Strict closed score. Reference yes or no: the prediction's first yes or no is it. Any other
 * reference: its words occur in the prediction one after another. */
gboolean data_score_closed(const char *prediction, const char *reference);
/* 95 % percentile bootstrap interval of the mean of N values; the same seed gives the same bounds.
 */
void data_score_interval(const double *values, gsize n, guint64 seed, double *low, double *high);
/* The same of 100 times the ratio of the means of B and A, which belong together pair by pair. */
void data_score_ratio_interval(const double *a, const double *b, gsize n, guint64 seed, double *low,
                               double *high);

/* ---- published scores (LLaVA-Med v1.0, llava/eval) ------------------------------------------ */

/* Its normal form (normalize_word, after the VQA challenge's); g_free(). */
char *data_score_normal(const char *text);

typedef struct {
  double exact, f1, precision, recall; /* of words, 0 to 1; RECALL is its open score */
  double bleu, bleu_n[3];              /* of one to four words; of one, two, three alone */
  /* The reference's letters occur in the prediction: run_eval_batch.py's closed score, and its open
   * accuracy. */
  gboolean contained;
  /* And the letters of "yes" or "no" do: run_eval.py's closed score. (Its code counts no wrong
   * answer that says yes or no, which can make any model perfect; here they are counted.) */
  gboolean closed_strict;
} DataScorePublished;
void data_score_published(const char *prediction, const char *reference, DataScorePublished *score);

/* ---- other rules --------------------------------------------------------------------------- */

/* LLaVA's rule for ScienceQA: the answer is a letter, begins with one and ". ", or says "The answer
 * is X". The index of the choice; -1: none of N_CHOICES. */
int data_score_choice(const char *answer, guint n_choices);

/* What a judge says: two scores from 0 to 10 and nothing else on its first line that says anything.
 * FALSE: it does not. */
gboolean data_score_verdict(const char *reply, double *first, double *second);

/* ---- published tables ---------------------------------------------------------------------- */

/* A row of LLaVA-Med's table: open score and closed accuracy in percent; below 0: not told. */
typedef struct {
  const char *model;
  double open, closed;
  gboolean open_is_accuracy; /* as those authors count, and no recall */
} DataPublishedVqa;
/* The table of DATASET ("vqa-rad", "slake", "pathvqa"), and where it is from; NULL: none. */
const DataPublishedVqa *data_published_vqa(const char *dataset, guint *n_rows, const char **source);

/* A row of a table of judged answers: MODEL's relative scores, in the order of GROUPS. */
typedef struct {
  const char *model;
  double scores[8]; /* below 0: not told */
} DataPublishedJudge;
/* The table of BENCH ("llava-med", "llava-bench-coco", "llava-bench-wild"). GROUPS ends with NULL.
 */
const DataPublishedJudge *data_published_judge(const char *bench, guint *n_rows,
                                               const char *const **groups, const char **source);

G_END_DECLS
#endif
