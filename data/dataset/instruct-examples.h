/* instruct-examples.h - what a teacher is shown of the work. Private to data. */
#ifndef HILUM_DATA_DATASET_INSTRUCT_EXAMPLES_H
#define HILUM_DATA_DATASET_INSTRUCT_EXAMPLES_H

#include "instruct.h"

typedef struct {
  DataPair pair;               /* without id and picture */
  gboolean is_photo;           /* of everyday life: captions and boxes */
  char *replies[DATA_N_KINDS]; /* what is made of it, or NULL */
} DataExample;

struct _DataExamples {
  GPtrArray *all; /* of DataExample */
};

#endif
