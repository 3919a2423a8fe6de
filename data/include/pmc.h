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

G_END_DECLS
#endif
