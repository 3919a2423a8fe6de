/* phantom.h - what the phantom files of app share. */
#ifndef HILUM_APP_PHANTOM_PRIVATE_H
#define HILUM_APP_PHANTOM_PRIVATE_H

#include "app_phantom.h"
#include "dicom_phantom.h"

G_BEGIN_DECLS

/* A caption of TRUTH, or one phrasing each of all its questions. The phrasing depends on the
 * truth's seed and index alone. */
char *app_phantom_caption_of(const PhantomTruth *truth, gboolean detailed);
GPtrArray *app_phantom_questions_of(const PhantomTruth *truth);

/* A small generator for choices of words: splitmix64, the same on every machine. */
typedef struct {
  guint64 state;
} PhantomWords;
PhantomWords phantom_words(guint64 seed, guint64 index, guint64 use);
guint phantom_words_below(PhantomWords *words, guint n);
/* Text with "{a}" and the like put in: PAIRS is name, value, ..., NULL. g_free(). */
char *phantom_words_fill(const char *pattern, const char *const *pairs);

/* ---- the choice of questions -------------------------------------------------------------- */

/* One question that was taken. */
typedef struct {
  AppPhantomQuestion *question;
  guint64 index; /* of the phantom */
  guint picture; /* its place in the set */
} PhantomTaken;

typedef struct _PhantomBalance PhantomBalance;
/* At most PER_IMAGE questions each; SLACK 0 for exact balance. EASY_WEIGHT: how many times rarer
 * than other kinds those about modality and region are. */
PhantomBalance *phantom_balance_new(guint slack, guint per_image, guint easy_weight);
void phantom_balance_free(PhantomBalance *balance);
/* Takes questions about the next phantom, PICTURE in its set. */
void phantom_balance_choose(PhantomBalance *balance, const PhantomTruth *truth, guint picture);
/* Drops the latest questions whose answer is ahead of the rarest of its key: at the end of a set.
 */
void phantom_balance_cut(PhantomBalance *balance);
guint phantom_balance_count(const PhantomBalance *balance);
/* NULL past the end. */
const PhantomTaken *phantom_balance_get(const PhantomBalance *balance, guint i);

G_END_DECLS
#endif
