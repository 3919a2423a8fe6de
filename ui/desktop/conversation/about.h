/* about.h - what a question is about: an image as it is on the screen, and what is known of it. */
#ifndef HILUM_DESKTOP_ABOUT_H
#define HILUM_DESKTOP_ABOUT_H

#include "app.h"

G_BEGIN_DECLS

/* Immutable; counted references, of the main thread. */
typedef struct {
  AppImageChoice choice; /* its path is owned here */
  char *label;           /* "CT 45/120" */
  char *window;          /* "C 40  W 400"; "" for colour */
  char *modality;        /* "CT"; "" */
  char *body_part;       /* "CHEST"; "" */
  char **warnings;       /* what speaks against asking; ends with NULL */
} DesktopAbout;

/* Copies all; NULL texts count as "". */
DesktopAbout *desktop_about_new(const AppImageChoice *choice, const char *label, const char *window,
                                const char *modality, const char *body_part,
                                const char *const *warnings);
DesktopAbout *desktop_about_ref(DesktopAbout *about);
void desktop_about_unref(DesktopAbout *about);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DesktopAbout, desktop_about_unref)

/* Whether a model is sent the same picture of both. Either may be NULL, which is like itself. */
gboolean desktop_about_same(const DesktopAbout *a, const DesktopAbout *b);
/* What is unusual in how it is sent: "region 120 × 80, turned 90°, mirrored"; "". g_free(). */
char *desktop_about_changes(const DesktopAbout *about);
/* "CT 45/120 · C 40  W 400 · turned 90°". g_free(). */
char *desktop_about_text(const DesktopAbout *about);
/* With the file and the frame, which counts from 0 as in the log. g_free(). */
char *desktop_about_text_in_full(const DesktopAbout *about);

G_END_DECLS
#endif
