/* verbs.h - what an instruction asks for: its verb and that verb's object. Private to data/dataset.
 */
#ifndef HILUM_DATA_DATASET_VERBS_H
#define HILUM_DATA_DATASET_VERBS_H

#include <glib.h>

/* The first verb of TEXT's first sentence that is no auxiliary, and the head of the noun phrase
 * behind it, in their base forms; "" where there is none. A word list and three rules, no parser:
 * what they agree with is in tests/bench/speed.md. */
void data_verb_noun(const char *text, char verb[32], char noun[32]);

/* The noun phrases of TEXT: runs of words between stop words, verbs and marks, in lower case and
 * base forms, each of at most four words. FOUND is called with each. */
void data_noun_phrases(const char *text, void (*found)(const char *phrase, gsize n, gpointer user),
                       gpointer user);

#endif
