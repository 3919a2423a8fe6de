/* dataset-instruct.h - what the files of `hilum dataset instruct` share. */
#ifndef HILUM_APP_DATASET_INSTRUCT_H
#define HILUM_APP_DATASET_INSTRUCT_H

#include "app_instruct.h"
#include "instruct.h"
#include "out.h"
#include "records.h"
#include "teacher.h"

G_BEGIN_DECLS

typedef struct {
  const AppInstructOptions *options;
  const AppInstructListener *listener;
  DataInstruct instruct;
  DataExamples *examples;
  guint kinds; /* of DataKind, as bits */
  char *journal;

  AppTeacher *teacher;
  AppRecords *records;
  AppOut *out, *report; /* REPORT NULL: none */
  gpointer subject;     /* the pair that is asked about; NULL: the next one */
  guint next_kind;      /* of it */
  GByteArray *before;   /* stories that wait for the next question */

  DataInstructCounts counts;
  guint64 unanswered[APP_N_TEACHER_OUTCOMES]; /* ANSWERED: those that were */
  guint n_problems, damaged;
  gboolean torn;
  guint64 bytes;
} AppInstructRun;

/* Checks the options and reads the examples. */
gboolean app_instruct_prepare(AppInstructRun *run, GError **error);
JsonNode *app_instruct_report(const AppInstructRun *run, double seconds);

G_END_DECLS
#endif
