/* seeds.h - the files that fuzzing starts from, made anew for every run. */
#ifndef HILUM_TESTS_FUZZ_SEEDS_H
#define HILUM_TESTS_FUZZ_SEEDS_H

#include <glib.h>

/* Larger seeds make slow runs and no better ones. */
#define SEED_MOST_BYTES (64u << 10)

typedef struct {
  const char *folder; /* where they go */
  char **more;        /* folders of real files, NULL at the end */
  guint n;
} Seeds;

/* Writes one, unless it is too large. */
void seeds_add(Seeds *seeds, const void *data, gsize n);
/* Calls FOUND with every file below FOLDER that is not too large. */
typedef void (*SeedFound)(Seeds *seeds, const guint8 *data, gsize n);
void seeds_find(Seeds *seeds, const char *folder, SeedFound found);

/* seeds-model.c */
void seeds_json(Seeds *seeds);
void seeds_training_data(Seeds *seeds);
void seeds_lists(Seeds *seeds);
void seeds_remote(Seeds *seeds);
void seeds_instruct(Seeds *seeds);
void seeds_vocabulary(Seeds *seeds);
void seeds_text(Seeds *seeds);
void seeds_safetensors(Seeds *seeds);
void seeds_torch(Seeds *seeds);
void seeds_huggingface(Seeds *seeds);
void seeds_gguf(Seeds *seeds);
void seeds_clip(Seeds *seeds);
/* seeds-evaluation.c */
void seeds_evaluation(Seeds *seeds);
/* seeds-raster.c */
void seeds_raster(Seeds *seeds);
/* seeds-dicom.c */
void seeds_dicom(Seeds *seeds);
void seeds_dicom_built(Seeds *seeds); /* without files from elsewhere */
/* seeds-codec.c */
void seeds_dicom_codec(Seeds *seeds);
/* seeds-dicom-parts.c */
void seeds_deid(Seeds *seeds);
void seeds_wire(Seeds *seeds);
void seeds_charset(Seeds *seeds);

#endif
