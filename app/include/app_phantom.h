/* app_phantom.h - data sets of synthetic pictures with known truth: captions, questions, answers.
 *
 * The pictures come from the dicom room's phantoms; here the truth becomes text, and both become
 * folders in LLaVA's layout. Everything is a pure function of the seed.
 *
 * Questions are balanced so that the text alone does not answer them: within each key (one meaning
 * of a question about one kind of picture, such as "is there a nodule in the left lung? - chest
 * CR") all answers come equally often, in evaluation sets exactly, in training sets but for a few.
 *
 * Thread rule: pure functions and one folder writer, any thread. Errors: DICOM_ERROR, APP_ERROR,
 * G_FILE_ERROR.
 */
#ifndef HILUM_APP_PHANTOM_H
#define HILUM_APP_PHANTOM_H

#include "app.h"

G_BEGIN_DECLS

/* ---- single phantoms ------------------------------------------------------------------------ */

/* Draws phantom (SEED, INDEX) through its default window into RGB, SIDE * SIDE * 3 bytes: the
 * picture that the writer below puts into files of that size. SIDE from 32 to 4096. */
gboolean app_phantom_picture(guint64 seed, guint64 index, guint side, guint8 *rgb);

/* Its caption: under 30 words, or 30 and more (as model_prompt_words() counts). g_free(). */
char *app_phantom_caption(guint64 seed, guint64 index, gboolean detailed);

typedef struct {
  const char *kind;  /* what the report groups by: "presence", "side", "count" ...; static */
  gboolean closed;   /* Yes or No */
  const char *about; /* the thing asked about: "nodule", "heart", "modality" ...; static */
  char key[64];      /* what is balanced: "side-presence/nodule/left/chest-cr" */
  const char *const *answers; /* all answers that this key can have; static */
  guint n_answers, answer;    /* how many, and the true one */
  char *question;
} AppPhantomQuestion;
void app_phantom_question_free(AppPhantomQuestion *question);
/* Everything that can be asked about phantom (SEED, INDEX), each in one of its phrasings. Elements
 * are AppPhantomQuestion *, freed with the array. */
GPtrArray *app_phantom_questions(guint64 seed, guint64 index);

/* ---- folders -------------------------------------------------------------------------------- */

typedef enum { APP_PHANTOM_PNG, APP_PHANTOM_DICOM } AppPhantomFormat;
typedef enum { APP_PHANTOM_TRAIN = 1, APP_PHANTOM_EVAL = 2 } AppPhantomSplit;

/* Evaluation phantoms are numbered from here, so that no seed puts one picture into both splits. */
#define APP_PHANTOM_EVAL_FIRST ((guint64)1 << 32)

typedef struct {
  const char *out; /* folder, made when it is not there */
  guint64 seed;
  guint count;       /* pictures */
  const char *kinds; /* "chest-cr,head-ct"; NULL: all, in the demo model's mix */
  AppPhantomFormat format;
  AppPhantomSplit split;
  guint questions_per_image;
  guint size;  /* pixels a side */
  guint stack; /* instead: one CT series of so many slices; 0: none */
} AppPhantomOptions;
void app_phantom_options_init(AppPhantomOptions *options);

/* Writes OUT/images/..., truth.jsonl, captions.json (LLaVA: id, image, domain, conversations; the
 * instruction by the 30-word rule), and for the train split instruct.json (conversations of several
 * turns), for the eval split eval.jsonl (question_id, image, text, answer, answer_type, kind, key).
 * The JSON files come last, after the pictures are on the disk. Returns what was written:
 * {out, split, images, captions, turns, seconds, balance: {kind: {answer: n}}}. */
JsonNode *app_phantom_write(const AppPhantomOptions *options, AppProgress progress, gpointer user,
                            GError **error);

G_END_DECLS
#endif
