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
JsonNode *app_dataset_convert(const AppDatasetConvertOptions *options,
                              const AppDatasetListener *listener, GError **error);

typedef struct {
  const char *file, *from; /* as in AppDatasetConvertOptions */
  const char *svg;         /* folder for plots; NULL: none */
  guint n_verbs;           /* 0: 20 */
  guint n_threads;         /* 0: one per core */
} AppStatsOptions;

/* What is in a training set or a list of captions. {file, format, records, questions, with_image,
 * domains: {name: {records, questions}}, turns: {number of questions: records}, asked and answered
 * (of pairs: captions): {texts, mean_words, median, p10, p90, under_30: share}, verbs: [{verb,
 * count, nouns: [{noun, count}]}], plots: [file], dropped: {reason: count}, seconds}. */
JsonNode *app_dataset_stats(const AppStatsOptions *options, const AppDatasetListener *listener,
                            GError **error);

typedef struct {
  const char *file;
  const char *out;   /* folder, which is there */
  const char *parts; /* "train=0.8,val=0.1,test=0.1" */
  const char *group; /* as in data/include/dataset.h; NULL: article, else picture, else id */
  guint64 seed;
  guint n_shards;  /* of each part; 0: 1 */
  gboolean array;  /* a JSON array each, not JSON Lines */
  guint n_threads; /* 0: one per core */
} AppSplitOptions;

/* Splits a set by chance so that no group is in two parts: OUT/NAME.jsonl, or
 * OUT/NAME-00000-of-00004.jsonl, as Hugging Face's loaders know them. The same seed gives the same
 * files. {file, out, group, parts: [{name, records, files: [path]}], lines, dropped: {reason:
 * count}, seconds}. */
JsonNode *app_dataset_split(const AppSplitOptions *options, const AppDatasetListener *listener,
                            GError **error);

typedef struct {
  const char *in, *from, *out; /* as in AppDatasetConvertOptions */
  guint least, most;           /* captions of a phrase: fewer do not count, more are drawn from */
  guint64 seed;
  guint n_threads; /* 0: one per core */
} AppBalanceOptions;

/* Captions by LLaVA's rule for general sets (data/include/dataset.h). {in, out, captions, chosen,
 * phrases: {all, too_rare, drawn_from}, dropped: {reason: count, all_rare and not_drawn among
 * them}, seconds}. */
JsonNode *app_dataset_balance(const AppBalanceOptions *options, const AppDatasetListener *listener,
                              GError **error);

typedef struct {
  const char *file;           /* LLaVA's JSON: an array, or JSON Lines */
  const char *images;         /* folder of its pictures; NULL: they are not looked at */
  const char *against;        /* another split, which must not share pictures with it; NULL: none */
  const char *against_images; /* its folder; NULL: the same */
  /* JSON Lines of what is alike or shared, by name: {kind: missing, unreadable, duplicate,
   * near_duplicate, shared, nearly_shared, shared_id or shared_article, name, other}. NULL: none.
   */
  const char *list;
} AppCheckOptions;

/* Whether FILE is what LLaVA's trainers read, whose pictures are there, and which of them are the
 * same, or look nearly the same (64-bit difference hashes, at most three bits apart), in it and in
 * the other split. {file, records, turns, with_image, conversatons: records that spell it so,
 * problems: {kind: count}, images: {distinct, duplicates, near_duplicates}, against: {file,
 * records, same_ids, same_articles, same_names, same_images, near_images}, ok: whether there is no
 * problem}; IMAGES and AGAINST null when not asked for. */
JsonNode *app_dataset_check(const AppCheckOptions *options, const AppDatasetListener *listener,
                            GError **error);

G_END_DECLS
#endif
