/* app_pmc.h - from PubMed Central's articles to pairs of a figure and its caption. */
#ifndef HILUM_APP_PMC_H
#define HILUM_APP_PMC_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  const char *const *paths; /* articles, packages, folders of them; ends with NULL */
  const char *out;          /* JSON Lines; NULL: to LINE below */
  /* Folder for the JPEG images of packages, each as PAIR_ID.jpg; NULL: none is taken. */
  const char *images;
} AppPmcOptions;

typedef struct {
  void (*line)(const char *line, gsize n, gpointer user); /* without a line break */
  void (*problem)(const char *text, gpointer user);       /* of one article; the run goes on */
  gboolean (*go_on)(guint articles, guint figures, gpointer user); /* FALSE cancels */
  gpointer user;
} AppPmcListener;

/* {out, articles, figures, failed, without_caption, images, images_missing, seconds}. */
JsonNode *app_pmc_figures(const AppPmcOptions *options, const AppPmcListener *listener,
                          GError **error);

G_END_DECLS
#endif
