/* pmc.h - PubMed Central's articles and their figures as data.
 *
 * What this room does here: reads JATS articles (NXML files, folders, and the packages that PMC
 * publishes, as streams) and gives their figures one by one, with caption and the sentences that
 * cite them. What it does not do: fetch anything, look at pictures, write files.
 *
 * Thread rule: functions are synchronous and keep nothing; distinct calls may run side by side.
 * Errors: GError of domain STORE_ERROR (store.h). What is wrong with one article is told to the
 * caller of a walk and ends nothing.
 */
#ifndef HILUM_PMC_H
#define HILUM_PMC_H

#include <glib.h>

#include "dataset.h"

G_BEGIN_DECLS

/* Texts are UTF-8 with single spaces, NULL where the article does not say. */
typedef struct {
  const char *pair_id; /* "<pmid>_<fig_id>"; "PMC<pmcid>_<fig_id>" without a PubMed number */
  const char *pmid, *pmcid;
  const char *fig_id, *fig_label, *fig_caption;
  const char *const *in_text_mention; /* sentences, in order, each once; ends with NULL */
  const char *image;                  /* as the article names it, mostly without a suffix */
  const char *licence;                /* its address, else its text */
  const char *article_title;
  guint year; /* of the first publication; 0: not said */
} PmcFigure;
/* FIGURE is borrowed. FALSE ends the reading with CANCELLED as its reason. */
typedef gboolean (*PmcFigureFound)(const PmcFigure *figure, gpointer user);

/* FIGURE as one line of JSON (without a line break) with the names of the members above as keys;
 * *N: its bytes. g_free(). */
char *pmc_figure_line(const PmcFigure *figure, gsize *n);

/* The figures of one article, in order. NAME is for messages. *N_FOUND (may be NULL) counts them.
 * Entities that the document declares itself are not expanded, nothing is fetched, and a document
 * of over 64 MiB, or nested deeper than 256 elements, is refused. FALSE with FORMAT: no JATS
 * article; CORRUPT: broken XML. */
gboolean pmc_article_figures(const char *bytes, gsize n, const char *name, PmcFigureFound found,
                             gpointer user, guint *n_found, GError **error);

typedef struct {
  PmcFigureFound figure;
  /* An article was read, or FAILURE says why not, as a sentence that names it. */
  void (*article)(const char *name, const GError *failure, gpointer user);
  /* A package begins; what comes is in it, until the next. May be NULL. */
  void (*package)(const char *name, gpointer user);
  /* An image of a package passes by, "FOLDER/file.jpg", with its bytes; FALSE from it: not wanted.
   * May be NULL, then images are skipped unread. */
  gboolean (*wants_image)(const char *name, gpointer user);
  void (*image)(const char *name, const void *bytes, gsize n, gpointer user);
  /* Between two articles and two files of a package; FALSE cancels. May be NULL. */
  gboolean (*go_on)(gpointer user);
  gpointer user;
} PmcVisitor;
/* PATH: an article (.nxml, .xml), a package (.tar.gz, .tgz, .tar), or a folder of such, in the
 * order of their names as bytes. FALSE: PATH cannot be read at all, or it was cancelled. */
gboolean pmc_visit(const char *path, const PmcVisitor *visitor, GError **error);

/* Where sentences of TEXT end: of guint, byte offsets behind each, the last one at its end. */
GArray *pmc_sentences(const char *text);

/* ---- selecting (select.c, cues.c) ------------------------------------------------------------
 *
 * Single-panel figures of LLaVA-Med's five kinds (arXiv 2306.00890, 3.1; how its authors picked
 * them was never published): by the words of the caption, and by what the caller sees in the
 * picture. */

typedef enum {
  PMC_SELECTED,
  PMC_NO_CAPTION,
  PMC_SEVERAL_PANELS, /* by the caption's letters, the picture's gutters or its letters */
  PMC_NO_KIND,        /* nothing speaks for one of the five, or not enough */
  PMC_OTHER_KIND,     /* more speaks for another: an ultrasound, a graph */
  PMC_MIXED,          /* as much speaks for two of them */
  PMC_NOT_ASKED,      /* one of the five, and not asked for */
  PMC_COLOURED,       /* an X-ray, CT or MR picture in colours: a fusion, a drawing */
  PMC_TOWER_DIFFERS,  /* the vision tower sees another kind than the caption says */
  PMC_NO_PICTURE,     /* it is not in the folder */
  PMC_UNREADABLE,     /* it is there and cannot be read */
  PMC_N_VERDICTS,
} PmcVerdict;
/* "selected", "no_caption", "several_panels", "no_kind", ... Static. */
const char *pmc_verdict_name(PmcVerdict verdict);

/* What is seen in a picture. */
typedef struct {
  gboolean readable;
  guint width, height;
  guint panels;    /* that gutters divide it into; 1: none do */
  guint letters;   /* in corners of panels, as "A" and "B" */
  double coloured; /* share of its pixels that are not grey */
  /* What a vision tower says: a DataDomain, DATA_DOMAIN_NONE for another kind; below 0: not asked.
   */
  gint tower;
  double tower_score;     /* 0 .. 1 */
  const char *tower_sees; /* which other kind, static; NULL: it does not say */
} PmcPicture;

typedef struct {
  double least;                     /* score that is enough, 0 .. 1 */
  gboolean domains[DATA_N_DOMAINS]; /* which are asked for */
  /* Looks at the picture NAME; FALSE: it is not there. NULL: captions alone. */
  gboolean (*look)(const char *name, PmcPicture *picture, gpointer user);
  gpointer user;
} PmcSelect;

typedef struct {
  PmcVerdict verdict;
  DataDomain domain; /* of the five the likeliest; NONE */
  double score;      /* how much speaks for it, 0 .. 1 */
  double several;    /* for several panels */
  gboolean seen;     /* PICTURE is filled */
  PmcPicture picture;
  GPtrArray *reasons; /* of char * */
} PmcDecision;
void pmc_decision_clear(PmcDecision *decision);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PmcDecision, pmc_decision_clear)
/* CAPTION is UTF-8; IMAGE the picture's name. */
void pmc_select(const PmcSelect *select, const char *caption, const char *image,
                PmcDecision *decision);

/* Each line of BYTES (N, whole lines) that is a pair: those selected go to OUT, with their "domain"
 * and a member "select" ({score, reasons}); what was decided of each, and why, to DECISIONS, which
 * may be NULL. VERDICTS counts. */
void pmc_select_lines(const PmcSelect *select, const char *bytes, gsize n, GByteArray *out,
                      GByteArray *decisions, guint64 verdicts[PMC_N_VERDICTS], DataCounts *counts,
                      GArray *problems);

G_END_DECLS
#endif
