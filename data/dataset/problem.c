/* problem.c - see problem.h; and the counts that go with it. */
#include "dataset/problem.h"

void
data_problem_clear(gpointer problem)
{
  g_clear_pointer(&((DataProblem *)problem)->text, g_free);
}

void
data_problem_add_va(GArray *problems, guint64 line, const char *format, va_list arguments)
{
  if (problems) {
    const DataProblem problem = {line, g_strdup_vprintf(format, arguments)};
    g_array_append_val(problems, problem);
  }
}

void
data_problem_add(GArray *problems, guint64 line, const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  data_problem_add_va(problems, line, format, arguments);
  va_end(arguments);
}

const char *
data_dropped_name(DataDropped reason)
{
  static const char *const names[] = {"malformed", "no_id", "no_caption", "no_image",
                                      "not_sampled"};
  return names[reason];
}

void
data_counts_add(DataCounts *counts, const DataCounts *more)
{
  counts->lines += more->lines;
  counts->written += more->written;
  counts->brief += more->brief;
  counts->detailed += more->detailed;
  for (guint i = 0; i < DATA_N_DROPPED; i++) {
    counts->dropped[i] += more->dropped[i];
  }
  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    counts->domains[i] += more->domains[i];
  }
}
