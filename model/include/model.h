/* model.h - the LLaVA-Med core: from weights, a picture and a question to an answer.
 *
 * What this room does: reads checkpoints (Hugging Face folders and GGUF), tokenizes, renders
 * conversation templates, prepares pictures, runs the CLIP tower, the projector and the decoder,
 * and keeps one key/value timeline per session.
 * What it does not do: read DICOM or image files, print, log, exit, use the network, or keep any
 * mutable global. It uses libc, pthread and OpenBLAS alone (model/train/ is a target on top).
 *
 * Thread rule: a ModelEngine is read-only after opening and may be shared by any number of threads.
 * A ModelSession belongs to one thread at a time; only model_session_cancel() may be called from
 * another thread while it works.
 *
 * Errors: functions that can fail return false or NULL and fill *err (which may be NULL).
 */
#ifndef HILUM_MODEL_H
#define HILUM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------- */

typedef enum {
  MODEL_OK = 0,
  MODEL_ERROR_FORMAT,      /* the file is not of this format */
  MODEL_ERROR_UNSUPPORTED, /* a known format, a feature that is not read here */
  MODEL_ERROR_CORRUPT,     /* sizes, offsets, shapes or types contradict the file */
  MODEL_ERROR_TOO_LARGE,   /* over a limit in model/base/limits.h, or out of memory */
  MODEL_ERROR_IO,          /* the operating system refused */
  MODEL_ERROR_BUSY,        /* the session works already */
  MODEL_ERROR_NEWER,       /* written by a newer version */
  MODEL_ERROR_CONTEXT,     /* the question does not fit in the context */
  MODEL_ERROR_CANCELLED,   /* stopped on request before anything was answered */
  MODEL_ERROR_ARGUMENT,    /* a value that the caller gave is out of range */
} ModelErrorCode;

typedef struct {
  ModelErrorCode code;
  char message[768]; /* names file, field, what was found and what was expected */
} ModelError;

/* ---- pictures ----------------------------------------------------------------------------- */

/* A borrowed 8-bit picture, row by row, no padding between rows.
 * channels 1: grey ("L"); channels 3: R, G, B interleaved. */
typedef struct {
  uint32_t width, height, channels;
  const uint8_t *pixels; /* width * height * channels bytes */
} ModelImage;

/* ---- engine: the weights ------------------------------------------------------------------ */

typedef struct ModelEngine ModelEngine;

/* Who answers for files that are mapped. One that another process cuts short is memory that is no
 * longer there (SIGBUS), and what becomes of that signal is the program's to say, not this room's.
 * MAPPED comes before a byte of the file is read, UNMAPPED before its memory goes; INTACT says
 * whether all that was read of it can still be believed. From any thread. */
typedef struct {
  void (*mapped)(const char *path, const void *data, size_t n);
  void (*unmapped)(const void *data, size_t n);
  bool (*intact)(const void *data, size_t n);
} ModelGuard;

typedef struct {
  const char *mmproj;        /* GGUF of the tower and projector, or NULL (also for HF folders) */
  const char *vision_tower;  /* folder of a CLIP checkpoint to use, or NULL: the checkpoint's own */
  const char *template_name; /* conversation template to use, or NULL: the checkpoint's own */
  uint32_t n_threads;        /* 0: one per online core */
  const char *kernels;       /* "portable", "avx2", ...; NULL: the best of this processor */
  bool inspect; /* only to be looked at, tokenized with or converted: no weight is read, no thread
                   started; sessions and traces are refused */
  /* For model_convert() alone, which merges them into the weights; NULL: none. BASE: folder of the
   * model that the checkpoint is a delta to (LLaVA-Med v1.0 to LLaMA-7B). LORA: folder of a PEFT
   * adapter (adapter_config.json), with the projector trained beside it (non_lora_trainables). */
  const char *base, *lora;
  const ModelGuard *guard; /* NULL: none; outlives the engine */
  /* Looked at between tensors while the engine is opened and while its files are hashed: false ends
   * it (CANCELLED). NULL: always on. Outlives the engine. */
  bool (*go_on)(void *user);
  void *go_on_user;
} ModelEngineOptions;

/* Opens a Hugging Face folder or a GGUF file (ours holds everything; llama.cpp's comes in two).
 * PATH is a folder or a file. OPTIONS may be NULL. Caller frees with model_engine_free(). */
ModelEngine *model_engine_open(const char *path, const ModelEngineOptions *options,
                               ModelError *err);
/* ENGINE may be NULL. Its sessions must be gone. */
void model_engine_free(ModelEngine *engine);

/* Whether the files are still what was opened, as the guard says: after one is cut short, nothing
 * that is computed with ENGINE means anything. */
bool model_engine_is_intact(const ModelEngine *engine);

/* What a model is, for people and for the log. Strings are borrowed from the engine. */
typedef struct {
  const char *name; /* general.name, _name_or_path or the file's base name */
  const char *path;
  const char *format;        /* "gguf", "gguf+mmproj", "huggingface", "huggingface+mmproj" */
  const char *quantization;  /* type of most weight bytes: "F32", "F16", "Q8_0", "mixed Q4_K" ... */
  const char *template_name; /* conversation template in use */
  const char *tower_origin;  /* "checkpoint", "stock", "none" */
  const char *model_card;    /* text of the card inside the file, or "" */
  uint64_t n_parameters, n_weight_bytes;
  uint32_t n_layers, hidden, heads, kv_heads, head_dim, ffn, vocab, context;
  bool has_vision;
  uint32_t image_size, patch_size, n_image_tokens, vision_hidden, vision_blocks_run;
  const char *projector; /* "linear", "mlp2x_gelu", "none" */
  const char *aspect;    /* "pad", "square" */
} ModelInfo;

/* Lives as long as ENGINE. */
const ModelInfo *model_engine_info(const ModelEngine *engine);

/* SHA-256 (64 hex digits and a NUL) over the names, types, shapes and bytes of the files that make
 * up the model. Reads every byte: call it from a worker. The result does not change. */
bool model_engine_sha256(const ModelEngine *engine, char hex[65], ModelError *err);

/* Whether the model sees: CORRUPT when two very different pictures are the same to it, or look like
 * no numbers at all. Costs some hundredths of encoding a picture; true for a model without eyes. */
bool model_engine_check_sight(const ModelEngine *engine, ModelError *err);

/* Number of positions a whole picture takes in the timeline (v1.0: patches + start + end). */
uint32_t model_engine_image_positions(const ModelEngine *engine);

/* ---- encoded pictures ---------------------------------------------------------------------- */

/* An engine keeps the pictures that were encoded last, for all its sessions. They can be taken out
 * and put back, to be kept elsewhere; the bytes have a checksum and are good for the very model,
 * processor and arithmetic that KEY stands for. Any thread. */

/* SHA-256 over what the tower sees of IMAGE, and over all that the result depends on besides. */
bool model_picture_key(const ModelEngine *engine, const ModelImage *image, char key[65],
                       ModelError *err);
bool model_picture_is_kept(const ModelEngine *engine, const char key[65]);
/* Bytes of a picture that was taken out. */
size_t model_picture_bytes(const ModelEngine *engine);
/* BYTES: model_picture_bytes(). False when no picture is kept under KEY. */
bool model_picture_take(const ModelEngine *engine, const char key[65], uint8_t *bytes);
/* CORRUPT unless the N bytes are those of KEY, undamaged. */
bool model_picture_put(const ModelEngine *engine, const char key[65], const uint8_t *bytes,
                       size_t n, ModelError *err);
/* How much memory the kept ones may take; the newest is always kept. */
void model_pictures_limit(const ModelEngine *engine, uint64_t bytes);

/* ---- prompts and tokens ------------------------------------------------------------------- */

#define MODEL_IMAGE_ID (-200) /* stands for one picture in a list of ids (LLaVA's constant) */

typedef struct {
  int32_t *ids; /* owned; model_ids_clear() */
  size_t n, capacity;
} ModelIds;
void model_ids_clear(ModelIds *ids);

/* Plain SentencePiece encoding: no BOS, special strings are text. TEXT need not end in NUL. */
bool model_tokenize(const ModelEngine *engine, const char *text, size_t length, ModelIds *ids,
                    ModelError *err);
/* BOS first; special strings recognised; every piece between them encoded on its own. "<image>" is
 * text. */
bool model_tokenize_special(const ModelEngine *engine, const char *text, size_t length,
                            ModelIds *ids, ModelError *err);
/* The same, with a picture where "<image>" stands in the text, as LLaVA's tokenizer_image_token:
 * one MODEL_IMAGE_ID each (checkpoints with image start/end tokens: the written-out run of patch
 * ids). */
bool model_tokenize_prompt(const ModelEngine *engine, const char *text, size_t length,
                           ModelIds *ids, ModelError *err);
/* SentencePiece decode: valid UTF-8 (broken sequences become U+FFFD). Caller frees with free(). */
char *model_detokenize(const ModelEngine *engine, const int32_t *ids, size_t n, ModelError *err);

/* Caption-length-aware prompting and templates: see model_prompt.h. */

/* ---- session: one timeline ---------------------------------------------------------------- */

typedef struct ModelSession ModelSession;

/* How keys and values are kept. AUTO: float32 for models so small that their weights are, float16
 * else. Q8_0 takes half of float16 and a little of the accuracy. */
typedef enum { MODEL_KV_AUTO, MODEL_KV_F32, MODEL_KV_F16, MODEL_KV_Q8_0 } ModelKvType;

typedef struct {
  uint32_t context; /* positions of the timeline; 0: min(the model's context, 4096) */
  ModelKvType kv_type;
} ModelSessionOptions;

/* Bytes that keys and values of one position take. */
uint64_t model_engine_kv_bytes(const ModelEngine *engine, ModelKvType type);

/* What one session on an engine takes, in bytes, when its context is full. */
typedef struct {
  uint32_t context;      /* positions */
  uint64_t weight_bytes; /* in the form that they are computed with */
  uint64_t kv_bytes, workspace_bytes;
  uint64_t picture_bytes; /* encoding, and the pictures that are kept */
  uint64_t peak_bytes;    /* all of it, and the program */
} ModelMemory;
/* From the shapes alone: ENGINE may have been opened to be looked at. OPTIONS may be NULL;
 * N_THREADS as in ModelEngineOptions. */
void model_engine_memory(const ModelEngine *engine, const ModelSessionOptions *options,
                         uint32_t n_threads, ModelMemory *memory);

/* An empty timeline with all the memory that it will need but the picture's. ENGINE is borrowed.
 * OPTIONS may be NULL. ARGUMENT when the context is more than the model's, TOO_LARGE without
 * memory. */
ModelSession *model_session_new(ModelEngine *engine, const ModelSessionOptions *options,
                                ModelError *err);
/* SESSION may be NULL; not while it answers. */
void model_session_free(ModelSession *session);

typedef struct {
  float temperature; /* 0: greedy */
  float top_p;       /* 1: off */
  uint64_t seed;
  uint32_t max_tokens; /* most ids in the answer; 0: 512 */
  uint32_t lookup;     /* most ids that are looked up in what was said and checked together, which
                          saves time where texts repeat and changes no answer; 0: off, at most 16 */
} ModelSampling;

typedef enum { MODEL_PHASE_IMAGE, MODEL_PHASE_PROMPT, MODEL_PHASE_ANSWER } ModelPhase;

/* Called from the session's thread. PROGRESS: DONE of TOTAL steps of PHASE. TOKEN: the bytes that
 * the answer has grown by (whole UTF-8 characters only); false stops the answer (stop
 * "cancelled").*/
typedef struct {
  void (*progress)(ModelPhase phase, uint32_t done, uint32_t total, void *user);
  bool (*token)(const char *bytes, size_t length, int32_t id, void *user);
  void *user;
} ModelCallbacks;

typedef struct {
  double image_s;         /* encoding the picture; 0 when it was kept */
  double prompt_s;        /* positions computed for this turn */
  double first_token_s;   /* from the call to the first token */
  double answer_s;        /* from the first to the last token */
  uint32_t prompt_tokens; /* positions computed for this turn (picture included) */
  uint32_t answer_tokens;
  uint32_t prompt_cached_tokens; /* positions before the answer that were there already */
  bool image_cached;             /* there is a picture, and it was not encoded for this turn */
  uint32_t drafted, accepted;    /* ids looked up, and those of them that came true */
} ModelTiming;

/* What one drawn id added to the text. */
typedef struct {
  size_t end; /* bytes of the text up to here: between characters, and never less than before */
  float p;    /* probability of the id at temperature 1, before top-p */
} ModelAnswerPiece;

typedef struct {
  char *text;      /* UTF-8, stop strings cut off */
  ModelIds prompt; /* the whole timeline before the answer; a picture is one MODEL_IMAGE_ID,
                      in v1.0 its start id, one patch id per row, and its end id */
  ModelIds answer; /* generated ids, EOS not included */
  ModelAnswerPiece *pieces; /* of text, which they make up: a character that several ids spell
                         belongs to the last of them. An id whose text was cut off in part has a
                         piece, though it is not in `answer` any more */
  size_t n_pieces;
  const char *stop; /* "eos", "stop-string", "max-tokens", "context", "cancelled" (static) */
  ModelTiming timing;
} ModelAnswer;
/* Frees what ANSWER owns and empties it; an empty one may be cleared again. */
void model_answer_clear(ModelAnswer *answer);

/* Asks QUESTION (without "<image>"; the template places it). IMAGE is for the first turn, or NULL
 * for a text conversation; in later turns a non-NULL IMAGE adds one more picture. Only the ids that
 * are new are computed: what the timeline has in common with what it was before, after going back
 * or for another question about the same picture, is not. On error the timeline is as before the
 * call. After "cancelled" the partial answer is a finished turn. The question and every id of it
 * count against the context, and MODEL_ERROR_CONTEXT names both numbers. */
bool model_session_ask(ModelSession *session, const ModelImage *image, const char *question,
                       const ModelSampling *sampling, const ModelCallbacks *callbacks,
                       ModelAnswer *answer, ModelError *err);

/* A turn that was said before: QUESTION and the N ids of its ANSWER join the timeline as if they
 * had just been said. Nothing is computed: the next question does that, or model_session_prepare().
 * CONTEXT when they do not fit, ARGUMENT for an id that the model does not have. */
bool model_session_recite(ModelSession *session, const ModelImage *image, const char *question,
                          const int32_t *answer, size_t n, ModelError *err);

/* Computes beforehand what the next question will need whatever it says: the encoded picture, and
 * what its prompt begins with. ANEW: as the first question of another conversation; else of the
 * present one, which stays as it is either way. Does a piece of the work (an encoding, or some
 * positions) and says how many positions are left. May be stopped as a question may; what was done
 * before is not lost. */
bool model_session_prepare(ModelSession *session, const ModelImage *image, bool anew,
                           const ModelCallbacks *callbacks, uint32_t *left, ModelError *err);

/* What was computed of a conversation's beginning, to go on from it another day. The bytes have a
 * checksum and are good for the very model, processor, arithmetic and type of keys and values that
 * the key stands for; they hold what was said and seen. */

/* The name to keep the state behind a picture (model_picture_key()) under. */
void model_session_state_key(const ModelSession *session, const char picture[65], char key[65]);
/* Positions up to the end of PICTURE, when it is the first picture that was computed, and all of
 * it; else 0. */
uint32_t model_session_behind(const ModelSession *session, const char picture[65]);
/* WRITE and READ take all N bytes, or return false. */
typedef bool (*ModelWrite)(const void *bytes, size_t n, void *user);
typedef bool (*ModelRead)(void *bytes, size_t n, void *user);
/* Bytes that model_session_save() writes of the first POSITIONS. */
uint64_t model_session_state_bytes(const ModelSession *session, uint32_t positions);
/* IO when WRITE fails; ARGUMENT when fewer positions were computed. */
bool model_session_save(ModelSession *session, uint32_t positions, ModelWrite write, void *user,
                        ModelError *err);
/* Puts what was kept in the place of what was computed; the timeline stays. CORRUPT when it is
 * damaged or another model's, CONTEXT when it is longer than the context; then, and when READ
 * fails, everything is computed again. */
bool model_session_restore(ModelSession *session, ModelRead read, void *user, ModelError *err);

uint32_t model_session_turns(const ModelSession *session);     /* finished turns */
uint32_t model_session_positions(const ModelSession *session); /* used positions */
/* Back to just before turn TURN (0: empty). The picture's rows are kept for asking again. */
bool model_session_rewind(ModelSession *session, uint32_t turn, ModelError *err);
/* A text that answers may repeat, such as an earlier report: see ModelSampling.lookup. */
bool model_session_expect(ModelSession *session, const char *text, size_t length, ModelError *err);
/* From any thread: stop at the next layer or token. Cleared by the next call that works. */
void model_session_cancel(ModelSession *session);

/* ---- what the model sees, and traces ------------------------------------------------------ */

/* The very square that the tower gets, before /255: side * side * 3 bytes, RGB. Caller frees. */
uint8_t *model_preprocess(const ModelEngine *engine, const ModelImage *image, uint32_t *side,
                          ModelError *err);

/* The tower's features of a picture, *N_PATCHES rows of *WIDTH, as the projector gets them. Caller
 * frees. One call at a time for an engine. */
float *model_see(const ModelEngine *engine, const ModelImage *image, uint32_t *n_patches,
                 uint32_t *width, ModelError *err);

/* Every stage for one rendered prompt, for comparison with references. All arrays owned. */
typedef struct {
  uint8_t *u8; /* [side][side][3], NULL without a picture */
  uint32_t side;
  ModelIds ids; /* as model_tokenize_prompt() gives them */
  uint32_t n_positions;
  float *vision;    /* [n_patches][vision_hidden] */
  float *projected; /* [n_patches][hidden] */
  uint32_t n_patches, vision_hidden, hidden;
  float *logits; /* [vocab], after the prompt */
  uint32_t vocab;
  ModelIds greedy; /* max_tokens ids at most, stops at EOS */
  char *text;      /* decode of greedy */
} ModelTrace;
/* PROMPT is a rendered one; IMAGE stands where it says "<image>" (once), or is NULL. MAX_TOKENS 0:
 * the logits alone. On error TRACE is empty. */
bool model_trace(ModelEngine *engine, const ModelImage *image, const char *prompt,
                 uint32_t max_tokens, ModelTrace *trace, ModelError *err);
void model_trace_clear(ModelTrace *trace);

/* ---- conversion --------------------------------------------------------------------------- */

/* DONE and TOTAL in bytes; false cancels. */
typedef bool (*ModelConvertProgress)(uint64_t done, uint64_t total, void *user);

/* How much of a written file is read again and held against the source before it gets its name. */
typedef enum { MODEL_VERIFY_SAMPLE, MODEL_VERIFY_ALL, MODEL_VERIFY_NONE } ModelVerify;

typedef struct {
  const char *type;       /* "f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m" or "q4_0" */
  const char *tower_type; /* "f32", "f16", "bf16" or "q8_0" for tower and projector; NULL: float
                             types as TYPE, else q8_0 (in the second file of a pair f16) */
  const char *imatrix;    /* file of model_imatrix_write(), or NULL: all columns count alike */
  const char *card;       /* text; NULL: the model's own and a few lines on this conversion */
  ModelVerify verify;
  bool packed; /* what products read as the kernels do: such a file is used where it lies */
  bool split;  /* the pair that llama.cpp reads: OUT and, for the tower, OUT less ".gguf" and
                  "-mmproj.gguf" */
} ModelConvertOptions;

typedef struct {
  uint64_t n_tensors, n_bytes; /* of the file, or of both */
  uint64_t n_verified_rows;
  double worst_error; /* largest difference found, as a fraction of its block's largest weight */
  double seconds;
  char worst_tensor[128]; /* where, or "" */
  char sha256[65];        /* model_engine_sha256() of what was written */
} ModelConvertReport;

/* Opens the model PATH with OPEN (may be NULL) and writes it as GGUF: one file with everything
 * (decoder, tower, projector, tokenizer, template, preprocessing, card), or a pair. Norms, biases
 * and the tower's positions stay f32; rows that do not divide by a block get the next wider type.
 * The same input gives the same bytes. Written aside, verified, synced, renamed: on error OUT is
 * untouched and nothing is left beside it. REPORT may be NULL. */
bool model_convert(const char *path, const ModelEngineOptions *open,
                   const ModelConvertOptions *options, const char *out,
                   ModelConvertProgress progress, void *user, ModelConvertReport *report,
                   ModelError *err);

/* ---- importance --------------------------------------------------------------------------- */

/* How much each column of each product counts, for conversions that spend their bits by it: the
 * mean square of what its input held on real prompts. */
typedef struct ModelImatrix ModelImatrix;

/* From now on all that sessions of ENGINE compute is gathered, until model_imatrix_stop(); one at a
 * time. */
ModelImatrix *model_imatrix_gather(ModelEngine *engine, ModelError *err);
void model_imatrix_stop(ModelEngine *engine);
/* Another prompt was asked. */
void model_imatrix_count_prompt(ModelImatrix *imatrix);
/* Writes what was gathered, as a small GGUF file that llama.cpp's tools read too. */
bool model_imatrix_write(const ModelImatrix *imatrix, const char *path, ModelError *err);
ModelImatrix *model_imatrix_open(const char *path, ModelError *err);
/* IMATRIX may be NULL; not while it is gathered. */
void model_imatrix_free(ModelImatrix *imatrix);
uint32_t model_imatrix_tensors(const ModelImatrix *imatrix); /* that something is known of */
uint64_t model_imatrix_rows(const ModelImatrix *imatrix);    /* most that a product has seen */

/* SHA-256 of N bytes, as 64 hex digits. */
void model_sha256(const void *data, size_t n, char hex[65]);

#ifdef __cplusplus
}
#endif
#endif
