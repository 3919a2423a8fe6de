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

G_END_DECLS
#endif
