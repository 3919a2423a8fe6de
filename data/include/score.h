/* score.h - how close an answer is to its reference. Pure functions, any thread.
 *
 * Normal form: lower case, punctuation as white space (a point or comma between digits stays), the
 * words zero to ten as digits, the articles a, an, the left out.
 */
#ifndef HILUM_SCORE_H
#define HILUM_SCORE_H

#include <glib.h>

G_BEGIN_DECLS

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

G_END_DECLS
#endif
