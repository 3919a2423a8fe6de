/* problem.h - what is wrong with which line. Private to data. */
#ifndef HILUM_DATA_DATASET_PROBLEM_H
#define HILUM_DATA_DATASET_PROBLEM_H

#include "dataset.h"

/* PROBLEMS (of DataProblem) may be NULL: nobody wants to know. */
void data_problem_add(GArray *problems, guint64 line, const char *format, ...) G_GNUC_PRINTF(3, 4);
void data_problem_add_va(GArray *problems, guint64 line, const char *format, va_list arguments)
    G_GNUC_PRINTF(3, 0);

#endif
