/* output.h - what a viewport shows leaves the program: copied, saved, printed.
 *
 * Each is told where it may name a person: by text in the pixels, which nobody can take out, or by
 * the text over them. How it went is said by the action "win.toast" of the window. Drawing,
 * encoding and writing are app's, off the main thread.
 */
#ifndef HILUM_DESKTOP_OUTPUT_H
#define HILUM_DESKTOP_OUTPUT_H

#include <adwaita.h>

#include "app.h"
#include "viewer/viewport.h"

G_BEGIN_DECLS

typedef enum { DESKTOP_OUTPUT_PICTURE, DESKTOP_OUTPUT_SCREEN } DesktopOutputKind;

/* The picture alone to the clipboard, as PNG. */
void desktop_output_copy(DesktopViewport *viewport);
/* Asks where, warns, and writes a PNG: of the picture alone at its own resolution, or of the screen
 * with text and drawings. */
void desktop_output_save(DesktopViewport *viewport, DesktopOutputKind kind);
/* The same without asking. */
void desktop_output_save_to(DesktopViewport *viewport, DesktopOutputKind kind, const char *path);
/* Warns, asks, and prints a page. */
void desktop_output_print(DesktopViewport *viewport);
/* The same into a PDF, without asking. */
void desktop_output_print_to(DesktopViewport *viewport, gboolean with_texts, const char *path);

/* What is wrong with giving the picture away, for people; NULL: nothing that is known. Static. */
const char *desktop_output_warning(DesktopViewport *viewport);

G_END_DECLS
#endif
