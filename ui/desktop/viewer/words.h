/* words.h - lines of text that are read on any picture, black or white.
 *
 * Each line is drawn once, white (or what colour is asked for) with a black edge, into a texture of
 * device pixels, and then only copied: shadows and outlines are too dear for every frame.
 */
#ifndef HILUM_DESKTOP_WORDS_H
#define HILUM_DESKTOP_WORDS_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct _DesktopWords DesktopWords;

typedef enum {
  DESKTOP_WORDS_PLAIN,
  DESKTOP_WORDS_STRONG,
  DESKTOP_WORDS_LETTER,     /* orientation */
  DESKTOP_WORDS_WARNING,    /* amber; it says so in words, too */
  DESKTOP_WORDS_STATED,     /* of a presentation state: light green, told in words elsewhere */
  DESKTOP_WORDS_MESSAGE,    /* in the picture's place, centred */
  DESKTOP_WORDS_RIGHT = 16, /* with one of these: aligned to the right */
} DesktopWordsStyle;

/* WIDGET is borrowed: its font, its scale. */
DesktopWords *desktop_words_new(GtkWidget *widget);
void desktop_words_free(DesktopWords *words);
/* The font or the scale are others now. */
void desktop_words_forget(DesktopWords *words);

/* The size of TEXT, wrapped at MOST logical pixels; in logical pixels. */
void desktop_words_measure(DesktopWords *words, const char *text, DesktopWordsStyle style, int most,
                           int *width, int *height);
/* With its top left corner at X, Y, rounded to whole device pixels. */
void desktop_words_snapshot(DesktopWords *words, GtkSnapshot *snapshot, const char *text,
                            DesktopWordsStyle style, int most, double x, double y);

G_END_DECLS
#endif
