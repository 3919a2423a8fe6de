/* app_dataset.h - training sets from pairs of picture and caption. */
#ifndef HILUM_APP_DATASET_H
#define HILUM_APP_DATASET_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  const char *in;     /* pairs: JSON Lines, or a list of another kind (app_dataset_convert()) */
  const char *from;   /* which kind; NULL: by what it says */
  const char *out;    /* ".jsonl": JSON Lines; else one JSON array, as LLaVA's trainers read */
  const char *images; /* folder that a pair's picture must be in; NULL: not looked for */
  guint64 seed;
  guint n_threads; /* 0: one per core */
  /* "600000": so many of all; "ct_scan=100000,mri=50000": so many of each; NULL: all. */
  const char *target;
  guint shard, n_shards; /* SHARD of 1 .. N_SHARDS; 0 of 0: the whole */
} AppAlignOptions;

typedef struct {
  void (*problem)(const char *text, gpointer user);               /* of one line; the run goes on */
  gboolean (*go_on)(guint64 bytes, guint64 total, gpointer user); /* FALSE cancels */
  gpointer user;
} AppDatasetListener;

/* Concept alignment by the caption-length rule. The same seed gives the same bytes on any number of
 * threads, and the shards' JSON Lines one behind the other are those of the whole. Memory does not
 * depend on the input's size. {in, out, shard, lines, written, brief, detailed, dropped: {reason:
 * count}, domains: {name: count}, bytes_in, bytes_out, seconds}. */
JsonNode *app_dataset_align(const AppAlignOptions *options, const AppDatasetListener *listener,
                            GError **error);

typedef struct {
  const char *in, *out;
  const char *from;  /* the kind of list (data/include/dataset.h names them); NULL: what it says */
  const char *to;    /* "pairs", "llava", "imagefolder", or "urls": addresses of packages or
                        pictures, each once; NULL: "llava" of a training set, else "pairs" */
  const char *split; /* of ScienceQA's problems; NULL: all */
  const char *shape; /* of ScienceQA's questions and answers; NULL: "QCM-LEA" */
  guint n_threads;   /* 0: one per core */
} AppDatasetConvertOptions;

/* Lists that people have to pairs, and training sets from layout to layout: LLaVA's JSON array, or
 * lines when OUT ends in ".jsonl", and Hugging Face's folder of images (metadata.jsonl). {in, out,
 * from, to, lines, written, dropped: {reason: count}, bytes_out, seconds}. */
JsonNode *app_dataset_convert(const AppDatasetConvertOptions *options, const AppDatasetListener *listener,
                              GError **error);

typedef struct {
  const char *file;           /* LLaVA's JSON: an array, or JSON Lines */
  const char *images;         /* folder of its pictures; NULL: they are not looked at */
  const char *against;        /* another split, which must not share pictures with it; NULL: none */
  const char *against_images; /* its folder; NULL: the same */
} AppCheckOptions;

/* Whether FILE is what LLaVA's trainers read, whose pictures are there, and which of them are the
 * same, or look nearly the same (64-bit difference hashes, at most three bits apart), in it and in
 * the other split. {file, records, turns, with_image, conversatons: records that spell it so,
 * problems: {kind: count}, images: {distinct, duplicates, near_duplicates}, against: {file,
 * records, same_ids, same_names, same_images, near_images}, ok: whether there is no problem};
 * IMAGES and AGAINST null when not asked for. */
JsonNode *app_dataset_check(const AppCheckOptions *options, const AppDatasetListener *listener,
                            GError **error);

G_END_DECLS
#endif
