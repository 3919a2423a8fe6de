/* paper.h - pages of a document that people read: text in columns, tables and pictures, one below
 * the other, broken into pages of A4 in PDF. Private to the room.
 *
 * A page is drawn once, so "page 2 of 9" needs to be known before: the same is drawn twice, first
 * to count (app_paper_new() with N_PAGES 0), then in earnest. The same calls, fonts and creation
 * time give the same bytes. Words are laid out by Pango: any script, in its own direction.
 *
 * Thread rule: one thread at a time; distinct papers may be used by distinct threads.
 */
#ifndef HILUM_APP_PAPER_H
#define HILUM_APP_PAPER_H

#include "app.h"

G_BEGIN_DECLS

typedef enum {
  APP_PAPER_TITLE,
  APP_PAPER_HEADING,
  APP_PAPER_LABEL, /* above a text: small, bold */
  APP_PAPER_BODY,
  APP_PAPER_SMALL,
  APP_PAPER_MONO,
  APP_PAPER_FOOT,
} AppPaperStyle;

/* What a column's edge says besides its words. */
typedef enum {
  APP_PAPER_PLAIN,
  APP_PAPER_MACHINE,
  APP_PAPER_PERSON,
  APP_PAPER_WARNING
} AppPaperEdge;

/* A stretch of a column; borrowed until it was flowed. */
typedef struct {
  AppPaperStyle style;
  const char *text;
} AppPaperSpan;

typedef struct {
  const AppPaperSpan *spans;
  gsize n_spans;
  AppPaperEdge edge;
  double share; /* of the width; of all columns together at most 1 */
} AppPaperColumn;

typedef struct {
  const char *title;   /* of the document, and of each page */
  const char *notice;  /* on each page */
  const char *subject; /* what it is, for the properties of the file */
  const char *foot;    /* one line at the foot of each page */
  const char *created; /* ISO 8601, UTC */
} AppPaperLook;

typedef struct _AppPaper AppPaper;

/* LOOK is borrowed. N_PAGES: of the whole, 0: not known yet, and nothing is kept. */
AppPaper *app_paper_new(const AppPaperLook *look, guint n_pages);
guint app_paper_n_pages(AppPaper *paper); /* so far */
/* Frees it: the PDF; an empty one when it was for counting. */
GBytes *app_paper_finish(AppPaper *paper, GError **error);
void app_paper_free(AppPaper *paper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppPaper, app_paper_free)

/* COLUMNS side by side, over as many pages as it takes. */
void app_paper_columns(AppPaper *paper, const AppPaperColumn *columns, gsize n);
/* One column. */
void app_paper_text(AppPaper *paper, AppPaperStyle style, const char *text);
/* Begins a part that does not begin at the very foot of a page; NAME is in the file's outline. */
void app_paper_part(AppPaper *paper, const char *name, const char *aside);
/* NAMES_AND_VALUES: name, value, name, value, NULL; a value NULL is left out with its name. */
void app_paper_table(AppPaper *paper, const char *const *names_and_values);
/* Words 0xffRRGGBB, row by row. */
typedef struct {
  guint width, height;
  guint32 *words;
} AppPaperPicture;
/* PICTURE with a table beside it. */
void app_paper_picture(AppPaper *paper, const AppPaperPicture *picture,
                       const char *const *names_and_values);
void app_paper_space(AppPaper *paper, double points);

G_END_DECLS
#endif
