/* dataset.h - training sets as lines of JSON: pairs of picture and caption become conversations.
 *
 * What this room does here: reads lines, writes lines, counts, and says what is wrong with which
 * line. What it does not do: choose instructions or look at pictures (its caller hands it that as
 * callbacks), open files, start threads.
 *
 * Every line is worked on by itself, with a random number of its own that comes from the seed and
 * its pair_id: pieces of a file give the same lines wherever, in whatever order and beside whatever
 * others they are worked on.
 *
 * Thread rule: functions keep nothing; distinct calls may run side by side.
 */
#ifndef HILUM_DATASET_H
#define HILUM_DATASET_H

#include <glib.h>

G_BEGIN_DECLS

/* A line longer than this is malformed: LLaVA-Med's longest have some 20 KiB. */
#define DATA_MOST_LINE_BYTES (16u << 20)

typedef enum {
  DATA_DOMAIN_CHEST_XRAY,
  DATA_DOMAIN_MRI,
  DATA_DOMAIN_HISTOLOGY,
  DATA_DOMAIN_GROSS,
  DATA_DOMAIN_CT_SCAN,
  DATA_DOMAIN_NONE, /* not said, or another */
  DATA_N_DOMAINS,
} DataDomain;
/* "chest_xray", "mri", "histology", "gross", "ct_scan"; "none". Static. */
const char *data_domain_name(DataDomain domain);

/* Why a pair is not in the set. */
typedef enum {
  DATA_DROPPED_MALFORMED,   /* no JSON object, or a member of the wrong type: see the problems */
  DATA_DROPPED_NO_ID,       /* no pair_id (or id) */
  DATA_DROPPED_NO_CAPTION,  /* no fig_caption (or caption), or no word in it */
  DATA_DROPPED_NO_IMAGE,    /* the picture is not in the folder */
  DATA_DROPPED_NOT_SAMPLED, /* beyond the target */
  DATA_N_DROPPED,
} DataDropped;
/* "malformed", "no_id", "no_caption", "no_image", "not_sampled". Static. */
const char *data_dropped_name(DataDropped reason);

typedef struct {
  guint64 lines, written, brief, detailed;
  guint64 dropped[DATA_N_DROPPED];
  guint64 domains[DATA_N_DOMAINS]; /* of those written */
} DataCounts;
void data_counts_add(DataCounts *counts, const DataCounts *more);

typedef struct {
  guint64 line; /* from 0, of the piece */
  char *text;   /* what is wrong, without the file's name */
} DataProblem;
void data_problem_clear(gpointer problem);

/* Pairs are sampled by numbers of their own, the smallest first: those below LIMIT of their domain
 * (or of all, where DOMAINS is FALSE: limits[DATA_DOMAIN_NONE]) are in. */
typedef struct {
  gboolean domains;
  guint64 limits[DATA_N_DOMAINS];
} DataSample;

typedef struct {
  guint64 seed;
  /* The instruction for CAPTION (N bytes of UTF-8, zero behind) by SEED; static. *BRIEF: asks for a
   * brief answer. NULL: the caption has no word. */
  const char *(*instruction)(const char *caption, gsize n, guint64 seed, gboolean *brief,
                             gpointer user);
  /* Whether the picture NAME is there; NULL: all are. */
  gboolean (*has_image)(const char *name, gpointer user);
  gpointer user;
  gboolean array;           /* of one JSON array: each element begins with ",\n" */
  const DataSample *sample; /* NULL: all */
} DataAlign;

/* Concept alignment (LLaVA-Med 3.1): each line of BYTES (N, whole lines) that is a pair becomes one
 * conversation of one turn in OUT: the instruction, with "<image>" before or behind it at random,
 * and the caption as it is. PROBLEMS: of DataProblem. */
void data_align(const DataAlign *align, const char *bytes, gsize n, GByteArray *out,
                DataCounts *counts, GArray *problems);

/* What a pair is sampled by. */
typedef struct {
  guint64 number;
  DataDomain domain;
} DataTicket;
/* Tickets (of DataTicket) of the lines that data_align() would write with SAMPLE NULL. */
void data_align_tickets(const DataAlign *align, const char *bytes, gsize n, GArray *tickets);

G_END_DECLS
#endif
