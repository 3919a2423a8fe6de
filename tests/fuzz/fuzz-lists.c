/* fuzz-lists.c - lists of pairs and training sets in every layout, through all that reads them.
 * What is written must be lines of JSON whatever was read. */
#include <string.h>

#include "fuzz.h"

#include "dataset/scan.h"
#include "pmc.h"

static void
check_lines(const GByteArray *out)
{
  static const char *const names[] = {NULL};
  const char *at = (const char *)out->data, *end = at + out->len;

  while (at < end) {
    const char *stop = memchr(at, '\n', (gsize)(end - at)), *why;
    DataValue none[1];
    gsize where;

    g_assert_nonnull(stop);
    g_assert_true(data_scan(at, (gsize)(stop - at), names, none, &why, &where));
    at = stop + 1;
  }
}

/* As lines, in pieces of STEP bytes. */
static GByteArray *
lines_of(const DataLayout *layout, const char *text, gsize n, gsize step)
{
  g_autoptr(DataUnwrap) unwrap = data_unwrap_new();
  g_autoptr(GArray) began = g_array_new(FALSE, FALSE, sizeof(guint64));
  GByteArray *lines = g_byte_array_new();
  guint64 line;

  if (!layout->container) {
    g_byte_array_append(lines, (const guint8 *)text, (guint)n);
    return lines;
  }
  for (gsize at = 0; at < n; at += step) {
    data_unwrap(unwrap, text + at, MIN(step, n - at), lines, began);
  }
  data_unwrap_end(unwrap, &line);
  return lines;
}

static void
use_pairs(const GByteArray *pairs)
{
  const PmcSelect select = {.least = 0.5, .domains = {TRUE, TRUE, TRUE, TRUE, TRUE, FALSE}};
  g_autoptr(GByteArray) out = g_byte_array_new(), decisions = g_byte_array_new(),
                        found = g_byte_array_new();
  g_autoptr(DataPhrases) phrases = data_phrases_new(1, 1, 1);
  guint64 verdicts[PMC_N_VERDICTS] = {0}, tally[DATA_N_CHOICES] = {0};
  const char *text = (const char *)pairs->data;
  DataCounts counts = {0};

  pmc_select_lines(&select, text, pairs->len, out, decisions, verdicts, &counts, NULL);
  check_lines(out);
  check_lines(decisions);
  data_phrases_find(text, pairs->len, found);
  data_phrases_count(phrases, found);
  data_phrases_settle(phrases);
  g_byte_array_set_size(found, 0);
  data_phrases_draw(phrases, text, pairs->len, found);
  data_phrases_offer(phrases, found);
  data_phrases_choose(phrases, text, pairs->len, out, tally);
}

static void
use_layout(const DataLayout *layout, const char *text, gsize n)
{
  static const DataFormat targets[] = {DATA_FORMAT_PAIRS, DATA_FORMAT_LLAVA,
                                       DATA_FORMAT_IMAGEFOLDER};
  static const double shares[] = {0.5, 0.5};
  const DataSplit split = {.seed = 1, .n_parts = 2, .n_shards = 2, .shares = shares};
  g_autoptr(GByteArray) lines = lines_of(layout, text, n, n / 3 + 1), parts = g_byte_array_new();
  g_autoptr(DataStats) stats = data_stats_new();
  g_autoptr(GArray) verbs = NULL;
  g_autofree char *plot = NULL;
  DataCounts counts = {0};

  for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
    const DataConvert convert = {.to = targets[i]};
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(DataProblem));

    g_array_set_clear_func(problems, data_problem_clear);
    if (data_convert_is_known(layout->format, targets[i])) {
      data_convert(&convert, layout, (const char *)lines->data, lines->len, out, &counts, problems);
      check_lines(out);
      if (targets[i] == DATA_FORMAT_PAIRS) {
        use_pairs(out);
      }
    }
  }
  data_stats_lines(stats, layout, (const char *)lines->data, lines->len, &counts, NULL);
  verbs = data_stats_verbs(stats, 5, 2);
  plot = data_plot_rings("fuzz", verbs);
  g_assert_true(g_utf8_validate(plot, -1, NULL));
  data_split_lines(&split, (const char *)lines->data, lines->len, parts, &counts, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  /* A zero behind, as files in memory have it, so that reading over the end is seen before it. */
  g_autofree char *text = g_malloc(n + 1);
  DataLayout layout;

  fuzz_start();
  memcpy(text, data, n);
  text[n] = '\0';
  if (data_layout_find(&layout, DATA_N_FORMATS, text, n)) {
    use_layout(&layout, text, n);
  }
  data_layout_clear(&layout);
  if (n > 0 && data_layout_find(&layout, data[0] % DATA_N_FORMATS, text + 1, n - 1)) {
    use_layout(&layout, text + 1, n - 1);
  }
  if (n > 0) {
    data_layout_clear(&layout);
  }
  return 0;
}
