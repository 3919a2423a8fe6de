/* output-private.h - one thing that leaves the program, shared by output*.c.
 *
 * An output is a copy of what was shown when it was asked for: the viewport may go on meanwhile.
 * What runs on another thread holds the program, so that a file that was asked for is written.
 */
#ifndef HILUM_DESKTOP_OUTPUT_PRIVATE_H
#define HILUM_DESKTOP_OUTPUT_PRIVATE_H

#include "app_output.h"
#include "output/output.h"

G_BEGIN_DECLS

typedef struct {
  GtkWidget *window; /* a reference */
  AppOutput picture; /* its slice is a reference */
  AppOutput screen;  /* its pixels are a reference, or NULL */
  char *window_text; /* "C 40  W 400" */
  const char *warning;
  DesktopOutputKind kind;
  char *path; /* to be written, or NULL */

  /* Of a page. */
  gboolean with_texts;
  GtkWidget *texts_check; /* of the dialog, or NULL */
  AppCanvas *canvas;
} DesktopOutput;

/* NULL: VIEWPORT shows nothing, which was told. */
DesktopOutput *desktop_output_new(DesktopViewport *viewport);
void desktop_output_free(DesktopOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DesktopOutput, desktop_output_free)
void desktop_output_begin_job(void);
void desktop_output_end_job(void);
void desktop_output_tell(DesktopOutput *output, const char *text);

/* output-warning.c. Calls GO_ON, which takes OUTPUT, when there is nothing to warn of or a person
 * goes on all the same; VERB is the button's, "_Save". OUTPUT is taken. */
typedef void (*DesktopOutputGoOn)(DesktopOutput *output);
void desktop_output_confirm(DesktopOutput *output, const char *verb, DesktopOutputGoOn go_on);

/* output-page.c: draws the page that is printed, WIDTH by HEIGHT points. */
void desktop_output_draw_page(const DesktopOutput *output, cairo_t *cairo, double width,
                              double height);

G_END_DECLS
#endif
