/* list.h - what the readers of lists share. Private to data/dataset. */
#ifndef HILUM_DATA_DATASET_LIST_H
#define HILUM_DATA_DATASET_LIST_H

#include "dataset.h"
#include "dataset/scan.h"

typedef enum {
  DATA_ROLE_ID,
  DATA_ROLE_CAPTION,
  DATA_ROLE_IMAGE,
  DATA_ROLE_PMID,
  DATA_ROLE_PMCID,
  DATA_ROLE_FIG_ID,
  DATA_ROLE_FIG_LABEL,
  DATA_ROLE_IMAGE_FILE,
  DATA_ROLE_TAR_URL,
  DATA_ROLE_IMAGE_URL,
  DATA_ROLE_LICENCE,
  DATA_ROLE_TITLE,
  DATA_N_TEXTS, /* the ones above are texts */
  DATA_ROLE_DOMAIN = DATA_N_TEXTS,
  DATA_ROLE_KEY,
  DATA_ROLE_MENTIONS,
  DATA_ROLE_FIGURES,
  DATA_ROLE_HASH,
  DATA_ROLE_URI,
  DATA_ROLE_OPEN_ACCESS,
  DATA_N_ROLES,
} DataListRole;
typedef struct {
  const DataLayout *layout;
  GByteArray *out;
  DataCounts *counts;
  GArray *problems;
  guint64 line;
  GString *scratch[DATA_N_TEXTS]; /* what a list does not spell as it is written */
  const char **names;             /* of members, ends with NULL */
} DataListWork;

/* A record, and for a figure of an article what the article says, too. */
typedef struct {
  DataValue values[DATA_N_ROLES];
  DataDomain domain;
} DataListRecord;

gboolean data_list_malformed(DataListWork *work, const char *format, ...) /* FALSE */
    G_GNUC_PRINTF(2, 3);
/* TEXT as JSON spells it. */
DataValue data_list_text_value(const char *text, gsize n);
gboolean data_list_has_text(const DataValue *value);
/* Writes RECORD as a pair, or counts why not. */
gboolean data_list_finish(DataListWork *work, DataListRecord *record);
/* A row of a table. */
void data_list_row(DataListWork *work, const char *line, gsize n);

#endif
