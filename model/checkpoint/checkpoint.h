/* checkpoint.h - what every reader (Hugging Face folder, GGUF) delivers: a configuration, a table
 * of memory-mapped tensors by role, and a vocabulary. Private to model/.
 *
 * Invariants: every tensor's data lies inside a mapping that the checkpoint owns, its shape has
 * been checked against the configuration, its byte size against the file. Shapes are row-major
 * (PyTorch order: shape[0] = rows = outputs, shape[n-1] = columns = inputs, contiguous).
 */
#ifndef HILUM_MODEL_CHECKPOINT_H
#define HILUM_MODEL_CHECKPOINT_H

#include "model.h"

/* Numbers are ggml's, but for the packed ones, which are ours (kernels/packed.h): 1000 more than
 * the type whose values they hold. */
typedef enum {
  MODEL_TYPE_F32 = 0,
  MODEL_TYPE_F16 = 1,
  MODEL_TYPE_Q4_0 = 2,
  MODEL_TYPE_Q4_1 = 3,
  MODEL_TYPE_Q5_0 = 6,
  MODEL_TYPE_Q5_1 = 7,
  MODEL_TYPE_Q8_0 = 8,
  MODEL_TYPE_Q2_K = 10,
  MODEL_TYPE_Q3_K = 11,
  MODEL_TYPE_Q4_K = 12,
  MODEL_TYPE_Q5_K = 13,
  MODEL_TYPE_Q6_K = 14,
  MODEL_TYPE_IQ2_XXS = 16,
  MODEL_TYPE_IQ4_NL = 20,
  MODEL_TYPE_BF16 = 30,
  MODEL_TYPE_PACKED_Q4_0 = 1002,
  MODEL_TYPE_PACKED_Q8_0 = 1008,
  MODEL_TYPE_PACKED_Q4_K = 1012,
  MODEL_TYPE_PACKED_Q5_K = 1013,
  MODEL_TYPE_PACKED_Q6_K = 1014,
} ModelType;

typedef struct {
  const char *name;    /* as in the file; NULL: not present */
  const uint8_t *data; /* not necessarily aligned beyond 1 byte in safetensors: read with memcpy */
  uint64_t n_bytes;
  uint64_t shape[4];
  uint32_t n_dims;
  ModelType type;
} ModelTensor;

/* rows = shape[0] (or 1 for a vector), columns = product of the rest. */
uint64_t model_tensor_rows(const ModelTensor *tensor);
uint64_t model_tensor_columns(const ModelTensor *tensor);
/* Bytes of one row of N columns; 0 when N does not divide by the type's block or it is unknown. */
uint64_t model_type_row_bytes(ModelType type, uint64_t n_columns);
const char *model_type_name(ModelType type); /* "Q8_0", "PACKED_Q8_0"; NULL when unknown */
/* The type whose values TYPE holds: of a packed one that which was packed. */
ModelType model_type_plain(ModelType type);
/* Bytes of ROWS rows, for packed types too; 0 when the columns do not divide or it is too much. */
uint64_t model_type_bytes(ModelType type, uint64_t rows, uint64_t columns);
/* Dequantises N_ROWS rows from FIRST_ROW into out[n_rows][columns]. No allocation. */
void model_tensor_read_rows(const ModelTensor *tensor, uint64_t first_row, uint64_t n_rows,
                            float *out);
/* Quantises N columns to a type that quantize.h writes. */
void model_type_write_row(ModelType type, const float *in, uint64_t n_columns, uint8_t *out);

/* ---- configuration ------------------------------------------------------------------------ */

typedef enum { MODEL_ASPECT_PAD, MODEL_ASPECT_SQUARE } ModelAspect;
typedef enum {
  MODEL_PROJECTOR_NONE,
  MODEL_PROJECTOR_LINEAR,
  MODEL_PROJECTOR_MLP2X_GELU
} ModelProjectorKind;

typedef struct {
  uint32_t image_size, patch_size, hidden, heads, ffn;
  uint32_t blocks_stored, blocks_run; /* run = hidden state -2: stored - 1 in whole towers */
  float eps;
  float mean[3], std[3];
  bool gelu_erf;   /* false: CLIP's quick_gelu */
  bool round_crop; /* the square's place is rounded as torchvision does; false: down, as CLIP's own
                    */
} ModelVisionConfig;
/* CLIP's, which hold where a file does not say. */
extern const float model_clip_mean[3], model_clip_std[3];

typedef struct {
  uint32_t hidden, layers, heads, kv_heads, head_dim, ffn, vocab, context;
  float theta, eps;
  bool rope_adjacent; /* GGUF's permuted q/k rows: pairs (2i, 2i+1); else rotate-half (i, i+d/2) */
} ModelDecoderConfig;

typedef struct {
  bool has_vision;
  ModelVisionConfig vision;
  ModelProjectorKind projector;
  ModelAspect aspect;
  ModelDecoderConfig decoder;
  bool image_start_end; /* v1.0: <im_start> <im_patch>*n <im_end> inside the text */
  int32_t id_im_patch, id_im_start, id_im_end; /* -1 when absent */
  int32_t bos, eos, pad; /* the REAL ones (v1.0: bos 2), never the bogus ones of config.json */
  char template_name[64];
  char name[128];
} ModelConfig;

/* ---- weights by role ---------------------------------------------------------------------- */

typedef struct {
  ModelTensor ln1_w, ln1_b, q_w, q_b, k_w, k_b, v_w, v_b, o_w, o_b; /* [hidden(,hidden)] */
  ModelTensor ln2_w, ln2_b, fc1_w, fc1_b, fc2_w, fc2_b;             /* [ffn,hidden], [hidden,ffn] */
} ModelVisionBlock;

typedef struct {
  ModelTensor attn_norm; /* [hidden] */
  ModelTensor q, k, v,
      o; /* [heads*head_dim,hidden], [kv*head_dim,hidden] x2, [hidden,heads*head_dim] */
  ModelTensor ffn_norm;       /* [hidden] */
  ModelTensor gate, up, down; /* [ffn,hidden] x2, [hidden,ffn] */
} ModelLayer;

typedef struct {
  ModelTensor class_embedding;    /* [vision hidden] */
  ModelTensor patch_embedding;    /* [vision hidden, 3, patch, patch] */
  ModelTensor position_embedding; /* [1 + patches, vision hidden] */
  ModelTensor pre_ln_w, pre_ln_b;
  ModelTensor post_ln_w, post_ln_b; /* may be absent */
  ModelVisionBlock *blocks;         /* blocks_stored of them */
  ModelTensor mm_w[2], mm_b[2];     /* projector: linear uses [0]; mlp2x [0] then [1] */
  ModelTensor token_embedding;      /* [vocab, hidden] */
  ModelLayer *layers;
  ModelTensor output_norm; /* [hidden] */
  ModelTensor output;      /* [vocab, hidden]; a copy of token_embedding when tied */
  bool tied;
} ModelWeights;

/* ---- vocabulary --------------------------------------------------------------------------- */

typedef enum {
  MODEL_PIECE_NORMAL = 1,
  MODEL_PIECE_UNKNOWN = 2,
  MODEL_PIECE_CONTROL = 3,
  MODEL_PIECE_USER = 4,
  MODEL_PIECE_UNUSED = 5,
  MODEL_PIECE_BYTE = 6,
} ModelPieceKind;

typedef struct {
  const char *text; /* UTF-8, U+2581 for space; not NUL-terminated */
  uint32_t length;
  float score;
  uint8_t kind; /* ModelPieceKind */
} ModelPiece;

typedef struct {
  char *text;
  int32_t id;
} ModelAddedToken;

typedef struct {
  ModelPiece *pieces; /* owned array; texts point into the mapping or into `storage` */
  uint32_t n_pieces;
  ModelAddedToken *added; /* owned; tokens after the SentencePiece vocabulary */
  uint32_t n_added;
  char *storage;
  bool add_dummy_prefix;
  bool remove_extra_whitespaces;
  int32_t bos, eos, unk, pad; /* -1: none */
} ModelVocabulary;
void model_vocabulary_clear(ModelVocabulary *vocabulary);
/* Parses a SentencePiece ModelProto (tokenizer.model). Texts are copied. LABEL is for messages.
 * (Implemented in tokenizer/sentencepiece.c.) */
bool model_vocabulary_parse(const uint8_t *data, size_t n, const char *label,
                            ModelVocabulary *vocabulary, ModelError *err);

/* ---- the checkpoint ----------------------------------------------------------------------- */

typedef struct ModelMapping ModelMapping;
typedef struct ModelMerge ModelMerge; /* merge.h */

typedef struct {
  ModelConfig config;
  ModelWeights weights;
  ModelVocabulary vocabulary;
  char *path, *card;
  const char *format, *tower_origin; /* static */
  ModelMapping **mappings;           /* the files, in a defined order, for the identity */
  uint32_t n_mappings;
  ModelMerge *merge; /* what the weights are to be merged with; NULL: they are what they are */
  const ModelGuard *guard;   /* of the mappings; NULL: none */
  bool (*go_on)(void *user); /* NULL: always */
  void *go_on_user;
} ModelCheckpoint;

/* Reads PATH (and options->mmproj / vision_tower / base / lora). Options may be NULL. A delta
 * without its base is refused. */
bool model_checkpoint_open(const char *path, const ModelEngineOptions *options,
                           ModelCheckpoint *checkpoint, ModelError *err);
void model_checkpoint_close(ModelCheckpoint *checkpoint);
/* False: whoever opened it wants no more. */
bool model_checkpoint_go_on(const ModelCheckpoint *checkpoint, ModelError *err);
/* Whether the files are still what was mapped. */
bool model_checkpoint_is_intact(const ModelCheckpoint *checkpoint);

/* Iterates over all tensors by their ORIGINAL LLaVA names
 * ("model.layers.0.self_attn.q_proj.weight", "model.mm_projector.0.weight",
 * "model.vision_tower.vision_tower.vision_model.…"), whatever the file calls them. Order is fixed.
 * NULL past the end. NAME receives up to 256 bytes. */
const ModelTensor *model_checkpoint_tensor(const ModelCheckpoint *checkpoint, uint32_t index,
                                           char name[256]);

#endif
