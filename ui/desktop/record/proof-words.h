/* proof-words.h - what a verification of the log found, as people read it. */
#ifndef HILUM_DESKTOP_PROOF_WORDS_H
#define HILUM_DESKTOP_PROOF_WORDS_H

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* REPORT: what app_log_verify() tells. Static. */
const char *desktop_proof_title(JsonObject *report);
/* A sentence or two. g_free(). */
char *desktop_proof_words(JsonObject *report);

G_END_DECLS
#endif
