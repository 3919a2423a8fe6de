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

/* ---- lists that people have (list.c, layout.c, unwrap.c) ------------------------------------- */

typedef enum {
  DATA_FORMAT_PAIRS,        /* pair_id (id), fig_caption (caption): what this project writes */
  DATA_FORMAT_PMC15M,       /* BiomedCLIP's: an article a line, with its "figures" */
  DATA_FORMAT_IMAGE_URLS,   /* llava_med_image_urls.jsonl: where pictures are; no captions */
  DATA_FORMAT_FIG_CAPTIONS, /* llava_med_instruct_fig_captions.json: {domain: [pair, ...]} */
  DATA_FORMAT_MEDICAT,      /* pdf_hash, fig_uri, s2_caption, s2orc_references */
  DATA_FORMAT_ROCO,         /* a table, of tabs or commas, with or without a row of names */
  DATA_FORMAT_CC3M,         /* a table of caption and address */
  DATA_FORMAT_IMAGEFOLDER,  /* Hugging Face's metadata.jsonl: file_name, text */
  DATA_FORMAT_LLAVA,        /* conversations */
  DATA_FORMAT_SCIENCEQA,    /* problems.json: {number: {question, choices, ...}} */
  DATA_N_FORMATS,           /* none of them */
} DataFormat;
/* "pairs", "pmc15m", "image-urls", "fig-captions", "medicat", "roco", "cc3m", "imagefolder",
 * "llava", "scienceqa". Static. */
const char *data_format_name(DataFormat format);
DataFormat data_format_of_name(const char *name); /* DATA_N_FORMATS: none is called so */

#define DATA_N_COLUMNS 5u
typedef struct {
  DataFormat format;
  gboolean container; /* records lie within one JSON value, not one a line: see DataUnwrap */
  /* Of a table. Which column is id, caption, picture, file of the article, address; -1: none. */
  char separator;
  gint columns[DATA_N_COLUMNS];
  char *header; /* the row of names; NULL: there is none */
} DataLayout;
void data_layout_clear(DataLayout *layout);
/* How a file is laid out that begins with HEAD (N bytes; 64 KiB are enough). FORMAT as somebody
 * said, or DATA_N_FORMATS: by what the first record says. FALSE: it is nothing that is known. */
gboolean data_layout_find(DataLayout *layout, DataFormat format, const char *head, gsize n);

/* The records of one JSON value that a file is, {"name": [record, ...]}, {"name": record} or
 * [record, ...], as lines: each on one, with the name it lay under as its first member "@key". */
typedef struct _DataUnwrap DataUnwrap;
DataUnwrap *data_unwrap_new(void);
void data_unwrap_free(DataUnwrap *unwrap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DataUnwrap, data_unwrap_free)
/* The next N bytes of the file. LINES (of guint64) gets the line, from 0, where each record began.
 */
void data_unwrap(DataUnwrap *unwrap, const char *bytes, gsize n, GByteArray *out, GArray *lines);
/* At the end of the file. FALSE: it ends too early (a download that broke off), within what would
 * have begun on *LINE. */
gboolean data_unwrap_end(const DataUnwrap *unwrap, guint64 *line);

/* Each record of BYTES (N, whole lines) that is a picture with a caption becomes one or more lines
 * of a pair in OUT, with the members that `hilum pmc figures` writes, as far as the list knows
 * them. Members that are not known are passed over; one of the wrong type makes its record
 * malformed. A caption's own "Figure 3." goes where a list keeps the label in it (MedICaT). */
void data_list_pairs(const DataLayout *layout, const char *bytes, gsize n, GByteArray *out,
                     DataCounts *counts, GArray *problems);

/* ---- training sets from layout to layout (record.c, scienceqa.c) ----------------------------- */

typedef struct {
  DataFormat to;     /* PAIRS, LLAVA or IMAGEFOLDER */
  gboolean array;    /* of one JSON array: each element begins with ",\n" */
  const char *split; /* of ScienceQA: problems of this one alone; NULL: all */
  const char *shape; /* of ScienceQA: what question and answer are made of; NULL: "QCM-LEA" */
} DataConvert;
/* Whether there is a way from FROM to TO. */
gboolean data_convert_is_known(DataFormat from, DataFormat to);
/* "QCM-A", "QCM-ALE", "QCM-LEA", "QCM-LEPA", and so with "CQM". */
gboolean data_scienceqa_is_shape(const char *shape);
/* Each record of BYTES (N, whole lines) in the layout that CONVERT asks for. Members that have no
 * name of their own in it travel as they are; "conversatons" becomes "conversations". */
void data_convert(const DataConvert *convert, const DataLayout *layout, const char *bytes, gsize n,
                  GByteArray *out, DataCounts *counts, GArray *problems);

G_END_DECLS
#endif
