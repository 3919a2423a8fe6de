/* cues.h - what a caption says of the kind of its picture. Private to data/pmc. */
#ifndef HILUM_DATA_PMC_CUES_H
#define HILUM_DATA_PMC_CUES_H

#include "dataset.h"

/* Kinds are those of DataDomain, and one more: pictures that are known to be of another kind. */
#define PMC_OTHER DATA_DOMAIN_NONE

typedef struct {
  double scores[DATA_N_DOMAINS];   /* 0 .. 1; [PMC_OTHER]: of something else */
  guint first[DATA_N_DOMAINS];     /* the word that spoke of it first; G_MAXUINT: none */
  guint sentences[DATA_N_DOMAINS]; /* in which sentence that was */
  double several;                  /* 0 .. 1: of several panels */
  GPtrArray *words;                /* of char *: what was found, "ct: ct scan" */
} PmcCues;
void pmc_cues_clear(PmcCues *cues);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PmcCues, pmc_cues_clear)

/* CAPTION is UTF-8. */
void pmc_cues_find(PmcCues *cues, const char *caption);

#endif
