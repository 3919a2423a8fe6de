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

/* ---- what is in a set (stats.c, plot.c) ------------------------------------------------------ */

#define DATA_MOST_WORDS 1024u /* longer texts count as this long */
typedef struct {
  guint64 texts, words, lengths[DATA_MOST_WORDS + 1]; /* how many have so many words */
} DataLengths;
/* The length below which SHARE of the texts are. */
guint data_lengths_quantile(const DataLengths *lengths, double share);

#define DATA_MOST_TURNS 16u /* more questions count as so many */
typedef struct {
  guint64 records, questions, with_image;
  guint64 domains[DATA_N_DOMAINS], domain_questions[DATA_N_DOMAINS];
  guint64 turns[DATA_MOST_TURNS + 1]; /* records with so many questions */
  DataLengths asked, answered;        /* of pairs the captions are answers */
  GHashTable *pairs;                  /* "verb noun" of questions to their number */
} DataStats;
DataStats *data_stats_new(void);
void data_stats_free(DataStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DataStats, data_stats_free)
void data_stats_add(DataStats *stats, const DataStats *more);
/* Counts each record of BYTES (N, whole lines), a training set or a list of captions. */
void data_stats_lines(DataStats *stats, const DataLayout *layout, const char *bytes, gsize n,
                      DataCounts *counts, GArray *problems);

typedef struct {
  char *name;
  guint64 count;
  GArray *parts; /* of DataShare; NULL: none */
} DataShare;
void data_share_clear(gpointer share);
/* The MOST most frequent verbs, each with its MOST_NOUNS most frequent nouns. Of DataShare. */
GArray *data_stats_verbs(const DataStats *stats, guint most, guint most_nouns);

/* Pictures as SVG, in one light and one dark style by prefers-color-scheme. g_free(). TITLE and
 * names are any UTF-8. */
char *data_plot_bars(const char *title, const GArray *shares);
/* Columns of how many texts have so many words, WIDTH words each. */
char *data_plot_lengths(const char *title, const DataLengths *lengths, guint width);
/* Two rings: verbs, and their nouns around them. */
char *data_plot_rings(const char *title, const GArray *shares);

/* ---- splitting (split.c) --------------------------------------------------------------------- */

typedef struct {
  guint64 seed;
  guint n_parts, n_shards; /* at least 1 */
  const double *shares;    /* of N_PARTS; they add up to 1 */
  /* What must not be torn apart: "article" (what pair_ids have before the "_"), "image", "id", the
   * name of a member, or NULL: the article, else the image, else the id. */
  const char *group;
} DataSplit;
/* Each record of BYTES (N, whole lines; any layout with ids) to OUT, as guint32 part * N_SHARDS +
 * shard, guint32 length in the machine's order, and the record without a line break. Records of a
 * group have one part, those of a part spread over its shards by chance. */
void data_split_lines(const DataSplit *split, const char *bytes, gsize n, GByteArray *out,
                      DataCounts *counts, GArray *problems);

/* ---- balancing concepts (balance.c) ------------------------------------------------------------
 *
 * As LLaVA picked 595K of CC3M's pairs (arXiv 2304.08485, appendix): noun phrases that fewer than
 * LEAST captions have are passed over; of each other phrase all captions are in, or MOST of them
 * drawn at random. Three passes: find and count, draw and offer, choose. A caption's phrases are
 * known by 64-bit numbers; memory grows with the phrases (some 24 bytes each), not with the
 * captions. Counting and offering are for one thread, the others may run side by side. */

typedef struct _DataPhrases DataPhrases;
DataPhrases *data_phrases_new(guint least, guint most, guint64 seed);
void data_phrases_free(DataPhrases *phrases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DataPhrases, data_phrases_free)
/* BYTES are lines of pairs in all of these. FOUND gets, and the second takes, what travels from
 * thread to thread. */
void data_phrases_find(const char *bytes, gsize n, GByteArray *found);
void data_phrases_count(DataPhrases *phrases, const GByteArray *found);
void data_phrases_settle(DataPhrases *phrases); /* when all are counted */
void data_phrases_draw(const DataPhrases *phrases, const char *bytes, gsize n, GByteArray *found);
void data_phrases_offer(DataPhrases *phrases, const GByteArray *found);
typedef enum { DATA_CHOSEN, DATA_ALL_RARE, DATA_NOT_DRAWN, DATA_N_CHOICES } DataChoice;
/* Lines that are in, to OUT. TALLY counts by DataChoice. */
void data_phrases_choose(const DataPhrases *phrases, const char *bytes, gsize n, GByteArray *out,
                         guint64 tally[DATA_N_CHOICES]);
/* How many phrases there are; of how many captions are drawn; how many are too rare. */
void data_phrases_sizes(const DataPhrases *phrases, guint64 *all, guint64 *drawn, guint64 *rare);

G_END_DECLS
#endif
