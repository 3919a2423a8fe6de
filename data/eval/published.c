/* published.c - what others published, to stand beside a score as a reference (score.h).
 *
 * Results swing widely with the number of epochs and the details of a score: this is no pass mark.
 */
#include <string.h>

#include "score.h"

#define SOURCE_VQA                                                                                 \
  "LLaVA-Med (Li et al. 2023, arXiv:2306.00890), table of the v1.0 repository "                    \
  "(images/llava_med_vqa.png) and llava/notebook/run_eval_metrics.ipynb; the literature's rows "   \
  "report an accuracy in the open column"

typedef struct {
  const char *model;
  gboolean open_is_accuracy;
  double scores[6]; /* open and closed of VQA-RAD, SLAKE, PathVQA; below 0: not told */
} Row;

static const Row VQA[] = {
    {"LLaVA, fine-tuned", FALSE, {50.00, 65.07, 78.18, 63.22, 7.74, 63.20}},
    {"LLaVA-Med (from LLaVA), fine-tuned", FALSE, {61.52, 84.19, 83.08, 85.34, 37.95, 91.21}},
    {"LLaVA-Med (from Vicuna), fine-tuned", FALSE, {64.39, 81.98, 84.71, 83.17, 38.87, 91.65}},
    {"LLaVA-Med (BioMedCLIP), fine-tuned", FALSE, {64.75, 83.09, 87.11, 86.78, 39.60, 91.09}},
    {"LLaVA-Med 13B, fine-tuned", FALSE, {64.58, 77.94, 84.97, 85.58, 38.82, 92.39}},
    {"LLaVA-Med 60K-IM, zero-shot", FALSE, {28.23, 61.40, 39.17, 52.16, 12.30, 54.05}},
    {"LLaVA, zero-shot", FALSE, {20.74, 59.19, 26.82, 50.24, 8.74, 45.65}},
    {"LLaVA-Med stage 1 only, zero-shot", FALSE, {15.27, 12.50, 18.55, 13.46, 6.26, 13.51}},
    {"VL Enc-Dec", TRUE, {71.49, 82.47, -1, -1, 71.49, 85.61}},
    {"Q2ATransformer", TRUE, {79.19, 81.20, -1, -1, 54.85, 88.85}},
    {"Prefix T. Medical LM", TRUE, {-1, -1, 84.30, 82.01, 40.00, 87.00}},
    {"PubMedCLIP", TRUE, {60.10, 80.00, 78.40, 82.50, -1, -1}},
    {"BiomedCLIP", TRUE, {67.60, 79.80, 82.05, 89.70, -1, -1}},
    {"M2I2", TRUE, {66.50, 83.50, 74.70, 91.10, 36.30, 88.00}},
};

#define N_VQA G_N_ELEMENTS(VQA)

/* The table by data set, each without the rows that say nothing of it. */
typedef struct {
  DataPublishedVqa rows[3][N_VQA];
  guint n[3];
} Tables;

static gpointer
build_tables(gpointer unused)
{
  Tables *tables = g_new0(Tables, 1);

  for (guint set = 0; set < 3; set++) {
    for (guint i = 0; i < N_VQA; i++) {
      const double open = VQA[i].scores[2 * set], closed = VQA[i].scores[2 * set + 1];
      if (closed >= 0) {
        tables->rows[set][tables->n[set]++] =
            (DataPublishedVqa){VQA[i].model, open, closed, VQA[i].open_is_accuracy};
      }
    }
  }
  return tables;
}

const DataPublishedVqa *
data_published_vqa(const char *dataset, guint *n_rows, const char **source)
{
  static const char *const names[] = {"vqa-rad", "slake", "pathvqa"};
  static GOnce once = G_ONCE_INIT;
  const Tables *tables = g_once(&once, build_tables, NULL);

  for (guint set = 0; dataset && set < G_N_ELEMENTS(names); set++) {
    if (strcmp(names[set], dataset) == 0) {
      *n_rows = tables->n[set];
      *source = SOURCE_VQA;
      return tables->rows[set];
    }
  }
  *n_rows = 0;
  *source = NULL;
  return NULL;
}

/* ---- judged answers ---------------------------------------------------------------------------
 */

static const char *const MED_GROUPS[] = {"conversation",
                                         "detailed_description",
                                         "chest_xray",
                                         "mri",
                                         "histology",
                                         "gross",
                                         "ct_scan",
                                         "all",
                                         NULL};
static const DataPublishedJudge MED[] = {
    {"LLaVA", {39.4, 26.2, 41.6, 33.4, 38.4, 32.9, 33.4, 36.1}},
    {"LLaVA-Med stage 1", {22.6, 25.2, 25.8, 19.0, 24.8, 24.7, 22.2, 23.3}},
    {"LLaVA-Med 10K", {42.4, 32.5, 46.1, 36.7, 43.5, 34.7, 37.5, 39.9}},
    {"LLaVA-Med 60K", {53.7, 36.9, 57.3, 39.8, 49.8, 47.4, 52.4, 49.4}},
    {"LLaVA-Med 60K-IM", {55.1, 36.4, 56.2, 40.4, 52.7, 51.8, 50.1, 50.2}},
};

static const char *const BENCH_GROUPS[] = {"conv", "detail", "complex", "all", NULL};
static const DataPublishedJudge COCO[] = {{"LLaVA-13B v1", {83.1, 75.3, 96.5, 85.1}}};
static const DataPublishedJudge WILD[] = {
    {"LLaVA-13B v1 336, beam 1", {64.3, 55.9, 81.7, 70.1}},
    {"LLaVA-13B v1 336, beam 5", {68.4, 59.9, 84.3, 73.5}},
    {"LLaVA-1.5 7B", {-1, -1, -1, 65.4}},
    {"LLaVA-1.5 13B", {-1, -1, -1, 72.5}},
    {"LLaVA-1.6 Mistral 7B", {-1, -1, -1, 83.2}},
    {"Bard-0718", {83.7, 69.7, 78.7, 77.8}},
    {"Bing-Chat-0629", {59.6, 52.2, 90.1, 71.5}},
};

static const struct {
  const char *bench;
  const DataPublishedJudge *rows;
  guint n_rows;
  const char *const *groups;
  const char *source;
} JUDGED[] = {
    {"llava-med", MED, G_N_ELEMENTS(MED), MED_GROUPS,
     "LLaVA-Med (Li et al. 2023, arXiv:2306.00890), images/llava_med_chat.png of the v1.0 "
     "repository; judge gpt-4-0314; means of ratios"},
    {"llava-bench-coco", COCO, G_N_ELEMENTS(COCO), BENCH_GROUPS,
     "LLaVA (Liu et al. 2023, arXiv:2304.08485); judge gpt-4; ratios of means. 85.1 is of the "
     "abstract; its parts were not read again"},
    {"llava-bench-wild", WILD, G_N_ELEMENTS(WILD), BENCH_GROUPS,
     "LLaVA's docs/LLaVA_Bench.md and docs/MODEL_ZOO.md; judge gpt-4-0314; ratios of means"},
};

const DataPublishedJudge *
data_published_judge(const char *bench, guint *n_rows, const char *const **groups,
                     const char **source)
{
  for (guint i = 0; bench && i < G_N_ELEMENTS(JUDGED); i++) {
    if (strcmp(JUDGED[i].bench, bench) == 0) {
      *n_rows = JUDGED[i].n_rows;
      *groups = JUDGED[i].groups;
      *source = JUDGED[i].source;
      return JUDGED[i].rows;
    }
  }
  *n_rows = 0;
  *groups = NULL;
  *source = NULL;
  return NULL;
}
