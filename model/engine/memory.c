/* memory.c - what running a model takes, from its shapes alone. What is counted here is taken in
 * weights.c, decoder.c, vision.c, pool.c, session.c and pictures.c; tests hold the sum against what
 * a process really takes. */
#include "engine/engine.h"

#include <unistd.h>

#include "base/limits.h"
#include "engine/pictures.h"
#include "kernels/kv.h"

/* The program itself, its libraries, stacks, and what the allocator rounds up. */
#define PROGRAM_BYTES (UINT64_C(48) << 20)

static uint64_t
decoder_bytes(const ModelDecoderConfig *c, uint64_t chunk)
{
  const uint64_t q_dim = (uint64_t)c->heads * c->head_dim;
  const uint64_t kv_dim = (uint64_t)c->kv_heads * c->head_dim;
  const uint64_t row = 2 * (kv_dim + c->hidden + q_dim + c->ffn) + c->head_dim;

  /* Logits, and the sampler's probabilities and order. */
  return chunk * row * sizeof(float) + c->vocab * (sizeof(float) + 12);
}

static uint64_t
pool_bytes(const ModelEngine *engine, uint64_t n_threads)
{
  const ModelConfig *config = &engine->checkpoint.config;
  const uint64_t online = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
  uint64_t m, columns, activations = 0;

  n_threads = n_threads > 0 ? n_threads : online;
  n_threads = n_threads < MODEL_MAX_THREADS ? n_threads : MODEL_MAX_THREADS;
  if (engine->packs) {
    model_engine_widest(config, false, &m, &columns);
    activations = model_activations_bytes(m, columns);
    model_engine_widest(config, true, &m, &columns);
    if (model_activations_bytes(m, columns) > activations) {
      activations = model_activations_bytes(m, columns);
    }
  }
  return n_threads * MODEL_POOL_SCRATCH * sizeof(float) + 2 * activations;
}

static uint64_t
picture_bytes(const ModelEngine *engine)
{
  const ModelVisionConfig *v = &engine->checkpoint.config.vision;
  const uint64_t hidden = engine->checkpoint.config.decoder.hidden;
  const uint64_t n = engine->n_patches, patch = 3 * (uint64_t)v->patch_size * v->patch_size;
  const uint64_t rows = n * hidden * sizeof(float);
  const uint64_t square = 3 * (uint64_t)v->image_size * v->image_size;
  uint64_t bytes;

  if (!engine->checkpoint.config.has_vision) {
    return 0;
  }
  bytes = (n + 1) * (6 * (uint64_t)v->hidden + (patch > v->ffn ? patch : v->ffn)) * sizeof(float);
  bytes += (n + MODEL_KV_TILE) * 2 * v->hidden * sizeof(float); /* keys and values */
  bytes += square * 5;                                          /* as bytes and as float32 */
  bytes += n * v->hidden * sizeof(float) + 2 * rows;            /* features, projector */
  return bytes + (rows > MODEL_PICTURES_BYTES ? rows : MODEL_PICTURES_BYTES);
}

void
model_engine_memory(const ModelEngine *engine, const ModelSessionOptions *options,
                    uint32_t n_threads, ModelMemory *memory)
{
  const ModelDecoderConfig *c = &engine->checkpoint.config.decoder;
  const ModelKvType type = options ? options->kv_type : MODEL_KV_AUTO;
  const uint64_t context = model_engine_context(engine, options);
  const uint64_t tiles = (context + MODEL_KV_TILE - 1) / MODEL_KV_TILE;

  *memory = (ModelMemory){
      .context = (uint32_t)context,
      .weight_bytes = engine->resident_bytes,
      .kv_bytes = tiles * MODEL_KV_TILE * model_engine_kv_bytes(engine, type),
      .workspace_bytes =
          decoder_bytes(c, context < MODEL_PREFILL_CHUNK ? context : MODEL_PREFILL_CHUNK) +
          pool_bytes(engine, n_threads) + context * sizeof(uint64_t),
      .picture_bytes = picture_bytes(engine),
  };
  memory->peak_bytes = memory->weight_bytes + memory->kv_bytes + memory->workspace_bytes +
                       memory->picture_bytes + PROGRAM_BYTES;
}
