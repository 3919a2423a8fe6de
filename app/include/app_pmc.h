/* app_pmc.h - from PubMed Central's articles to pairs of a figure and its caption. */
#ifndef HILUM_APP_PMC_H
#define HILUM_APP_PMC_H

#include "app_dataset.h"

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

typedef struct {
  const char *in;        /* pairs, or a list of another kind (app_dataset.h) */
  const char *from;      /* which kind; NULL: by what it says */
  const char *out;       /* JSON Lines of the pairs that are selected */
  const char *decisions; /* JSON Lines, one of each pair, with the reasons; NULL: none */
  const char *images;    /* folder of the pictures; NULL: captions alone */
  const char *domains;   /* "ct_scan,mri"; NULL: all five */
  double least;          /* score that is enough; 0: 0.5 */
  /* TOWER: a CLIP checkpoint (BiomedCLIP, CLIP), whose tower of pictures looks and compares with
   * prompts, or a model, which compares with EXAMPLES: folders, called as the kinds, of pictures.
   * A CLIP checkpoint compares with these as well, if they are given. VISION_TOWER: a CLIP
   * checkpoint in the place of a model's tower. All NULL: none looks; EXAMPLES alone: the demo
   * model's does. */
  const char *examples, *tower, *vision_tower;
  guint n_threads;       /* 0: one per core */
  guint shard, n_shards; /* SHARD of 1 .. N_SHARDS; 0 of 0: the whole */
} AppPmcSelectOptions;

/* Single-panel figures of the five kinds, by caption cues, picture tests, and the likeness to
 * prompts or examples that a vision tower sees. {in, out, decisions, shard, lines, selected,
 * verdicts: {name: count}, domains: {name: count}, malformed, no_id, tower: {by: "prompts" or
 * "examples", examples, left_out_accuracy: share of the examples that the others tell right,
 * classes, prompts} or null, seconds}. */
JsonNode *app_pmc_select(const AppPmcSelectOptions *options, const AppDatasetListener *listener,
                         GError **error);

G_END_DECLS
#endif
