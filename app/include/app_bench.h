/* app_bench.h - measuring: how fast a model is here, and how near two models are. Reports as in
 * app.h. */
#ifndef HILUM_APP_BENCH_H
#define HILUM_APP_BENCH_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  AppModelOptions model; /* its context is that of the conversation */
  guint prompt, tokens, depth, question, repeats;
  gboolean image;     /* the first question has a picture */
  gboolean limits;    /* measure the machine's limits first */
  guint64 read_bytes; /* the buffer to measure reading with */
  double seconds;     /* of computing, for each kind of product */
} AppBenchOptions;

/* After each measurement: WHAT was measured, DONE of TOTAL. FALSE cancels. */
typedef gboolean (*AppBenchProgress)(const char *what, guint done, guint total, gpointer user);

/* {prompt_tokens_per_s, decode_tokens_per_s, image_s, first_token_s, follow_up_first_token_s,
 * peak_rss_bytes, bandwidth_fraction, int8_fraction, ...}; null where nothing was measured. */
JsonNode *app_bench(const AppBenchOptions *options, AppBenchProgress progress, gpointer user,
                    GError **error);

/* B beside A, the reference, over texts that both are given token by token: of PATH (NULL: a report
 * and a story of our own), as a whole, or line by line, each a text of its own, with LINES. WINDOW:
 * positions; 0: 512, or the models' context. {a, b, texts, window, positions, mean_kl, median_kl,
 * p99_kl, max_kl, agreement, perplexity_a, perplexity_b}. */
JsonNode *app_model_compare(const AppModelOptions *a, const AppModelOptions *b, const char *path,
                            gboolean lines, guint window, GError **error);

G_END_DECLS
#endif
