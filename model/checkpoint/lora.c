/* Low-rank adapters as PEFT saves them: adapter_config.json and adapter_model.safetensors (or
 * .bin), whose names are "base_model.model." and the module's name in the model, then
 * ".lora_A.weight" or ".lora_B.weight".
 * https://huggingface.co/docs/peft/developer_guides/checkpoint The weight of a module is W + alpha
 * / r * B A. LLaVA keeps what it trained as a whole (the projector) in non_lora_trainables.bin
 * beside it. */
#include "checkpoint/merge.h"

#include "base/error.h"
#include "checkpoint/huggingface.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  ModelCheckpoint *checkpoint;
  const char *folder;
  ModelTable table;
  bool *used; /* by entry of the table */
  float alpha;
  bool rslora;
  uint32_t n_adapted, n_replaced, rank;
} Lora;

static const char prefix[] = "base_model.model.";

static bool
read_config(Lora *lora, ModelError *err)
{
  bool found, ok, dora = false, biased = false;
  const char *type = "LORA";
  const ModelJsonNode *root, *alphas;
  uint32_t rank = 8; /* PEFT's own defaults */
  ModelJson json;

  lora->alpha = 8;
  if (!model_folder_json(lora->folder, "adapter_config.json", &json, &found, err))
    return false;
  if (!found)
    return model_fail(err, MODEL_ERROR_FORMAT,
                      "%s: the folder has no adapter_config.json, so it holds no PEFT adapter",
                      lora->folder);
  root = json.nodes;
  alphas = model_json_get(root, "alpha_pattern");
  ok = model_json_string(&json, root, "peft_type", &type, err) &&
       model_json_u32(&json, root, "r", &rank, err) &&
       model_json_float(&json, root, "lora_alpha", &lora->alpha, err) &&
       model_json_bool(&json, root, "use_rslora", &lora->rslora, err) &&
       model_json_bool(&json, root, "use_dora", &dora, err) &&
       model_json_bool(&json, root, "lora_bias", &biased, err);
  if (ok && strcmp(type, "LORA") != 0)
    ok = model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: peft_type is \"%.40s\", expected LORA",
                    json.label, type);
  if (ok && (dora || biased || (alphas && alphas->n_children)))
    ok = model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: %s is not supported", json.label,
                    dora     ? "use_dora"
                    : biased ? "lora_bias"
                             : "alpha_pattern");
  if (ok && !isfinite(lora->alpha))
    ok = model_fail(err, MODEL_ERROR_CORRUPT, "%s: lora_alpha is not a finite number", json.label);
  model_json_clear(&json);
  return ok;
}

/* NAME is a module's ".weight" in the model; PART "A" or "B". */
static const ModelTableEntry *
find_part(Lora *lora, const char *name, const char *part)
{
  static const char *const middles[] = {"", ".default"}; /* older versions name the adapter */
  int stem = (int)strlen(name) - (int)strlen(".weight");

  for (size_t i = 0; stem > 0 && i < sizeof middles / sizeof *middles; i++) {
    const ModelTableEntry *entry;
    char full[320];
    snprintf(full, sizeof full, "%s%.*s.lora_%s%s.weight", prefix, stem, name, part, middles[i]);
    entry = model_table_find(&lora->table, full);
    if (entry) {
      lora->used[entry - lora->table.entries] = true;
      return entry;
    }
  }
  return NULL;
}

static bool
adapt(Lora *lora, const ModelRole *role, const ModelTableEntry *a, const ModelTableEntry *b,
      ModelError *err)
{
  uint64_t rows = model_tensor_rows(role->tensor), columns = model_tensor_columns(role->tensor);
  const ModelTableEntry *one = a ? a : b;
  ModelMerged *merged;
  uint64_t rank;

  if (!a || !b)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: tensor %s is there without its other half",
                      one->mapping->path, one->tensor.name);
  for (int i = 0; i < 2; i++)
    if ((i ? b : a)->tensor.type == MODEL_TYPE_NOT_READ)
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: tensor %s has type %s, which is not read", one->mapping->path,
                        (i ? b : a)->tensor.name, (i ? b : a)->type_name);
  rank = a->tensor.shape[0];
  if (a->tensor.n_dims != 2 || b->tensor.n_dims != 2 || role->n_dims != 2 || rank < 1 ||
      rank > MODEL_MAX_RANK || b->tensor.shape[1] != rank || b->tensor.shape[0] != rows ||
      a->tensor.shape[1] != columns)
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: tensor %s: found halves of shape [%llu, %llu] and [%llu, %llu], "
                      "expected [r, %llu] and "
                      "[%llu, r] with r of 1 to %u: an adapter to another model",
                      one->mapping->path, a->tensor.name, (unsigned long long)rank,
                      (unsigned long long)a->tensor.shape[1],
                      (unsigned long long)b->tensor.shape[0],
                      (unsigned long long)b->tensor.shape[1], (unsigned long long)columns,
                      (unsigned long long)rows, MODEL_MAX_RANK);
  merged = model_merge_get(lora->checkpoint, role->tensor, err);
  if (!merged)
    return false;
  merged->a = a->tensor;
  merged->b = b->tensor;
  merged->scale = lora->alpha / (lora->rslora ? sqrtf((float)rank) : (float)rank);
  lora->rank = rank > lora->rank ? (uint32_t)rank : lora->rank;
  lora->n_adapted++;
  return true;
}

/* PEFT's modules_to_save: a whole tensor in place of the model's. */
static bool
replace(Lora *lora, const ModelRole *role, const ModelTableEntry *entry, ModelError *err)
{
  lora->used[entry - lora->table.entries] = true;
  if (role->rope_heads && lora->checkpoint->config.decoder.rope_adjacent)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: tensor %s cannot take the place of that of a GGUF file, whose rows are "
                      "in another order; give the Hugging Face folder",
                      entry->mapping->path, entry->tensor.name);
  lora->n_replaced++;
  return model_role_fill(role, entry, entry->tensor.name, entry->mapping->path, err);
}

static bool
match(Lora *lora, const ModelRole *role, ModelError *err)
{
  const ModelLayout *layout;

  for (uint32_t i = 0; (layout = model_layout_at(i)); i++) {
    const ModelTableEntry *a, *b, *whole;
    char name[256], full[320];
    model_layout_name(layout, role, name);
    a = find_part(lora, name, "A");
    b = find_part(lora, name, "B");
    if (a || b)
      return adapt(lora, role, a, b, err);
    snprintf(full, sizeof full, "%s%s", prefix, name);
    whole = model_table_find(&lora->table, full);
    if (whole)
      return replace(lora, role, whole, err);
  }
  return true;
}

static bool
match_all(Lora *lora, ModelError *err)
{
  ModelCheckpoint *checkpoint = lora->checkpoint;
  ModelMerge *merge;
  size_t n;
  ModelRole role;

  for (uint32_t i = 0; model_role_at(&checkpoint->config, &checkpoint->weights, i, &role); i++)
    if (role.tensor->data && !match(lora, &role, err))
      return false;
  if (checkpoint->weights.tied)
    checkpoint->weights.output = checkpoint->weights.token_embedding;
  for (uint32_t i = 0; i < lora->table.n; i++)
    if (!lora->used[i])
      return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                        "%s: tensor %s belongs to no tensor of %.200s, or is of a kind that is not "
                        "merged",
                        lora->table.entries[i].mapping->path, lora->table.entries[i].tensor.name,
                        checkpoint->path);
  if (!lora->n_adapted)
    return model_fail(err, MODEL_ERROR_CORRUPT, "%s: the adapter holds no lora_A and lora_B",
                      lora->folder);
  merge = checkpoint->merge;
  model_path_base(lora->folder, merge->lora, 100);
  n = strlen(merge->lora);
  snprintf(merge->lora + n, sizeof merge->lora - n, ", rank %u, alpha %g, %u tensors", lora->rank,
           (double)lora->alpha, lora->n_adapted);
  return true;
}

/* What was trained whole takes its place while a folder is read, and a GGUF file is none. */
static bool
check_kind(const Lora *lora, ModelError *err)
{
  ModelCheckpoint place = {.path = lora->checkpoint->path, .guard = lora->checkpoint->guard};
  ModelTable table = {0};
  bool found = false, ok;

  if (strncmp(lora->checkpoint->format, "gguf", 4) != 0)
    return true;
  ok = model_folder_file(&place, lora->folder, "non_lora_trainables", &table, &found, err);
  model_table_clear(&table);
  for (uint32_t i = 0; i < place.n_mappings; i++)
    model_mapping_free(place.mappings[i]);
  free(place.mappings);
  if (ok && found)
    ok = model_fail(
        err, MODEL_ERROR_UNSUPPORTED,
        "%s: its non_lora_trainables are merged into Hugging Face folders only, and %.200s "
        "is a GGUF file",
        lora->folder, lora->checkpoint->path);
  return ok;
}

bool
model_lora_open(ModelCheckpoint *checkpoint, const char *folder, ModelError *err)
{
  Lora lora = {.checkpoint = checkpoint, .folder = folder};
  bool ok = check_kind(&lora, err) && read_config(&lora, err) &&
            model_folder_file(checkpoint, folder, "adapter_model", &lora.table, NULL, err);

  if (ok) {
    lora.used = calloc(lora.table.n + 1, sizeof *lora.used);
    ok = lora.used ? match_all(&lora, err)
                   : model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  }
  model_table_clear(&lora.table);
  free(lora.used);
  return ok;
}

bool
model_lora_overlay(ModelCheckpoint *checkpoint, const char *folder, ModelTable *table,
                   ModelError *err)
{
  static const char *const prefixes[] = {prefix, "base_model."};
  ModelTable own = {0};
  bool found = false;
  bool ok = model_folder_file(checkpoint, folder, "non_lora_trainables", &own, &found, err);

  for (uint32_t i = 0; ok && i < own.n; i++)
    for (size_t k = 0; k < sizeof prefixes / sizeof *prefixes; k++) {
      size_t n = strlen(prefixes[k]);
      if (strncmp(own.entries[i].tensor.name, prefixes[k], n) == 0) {
        own.entries[i].tensor.name += n;
        break;
      }
    }
  ok = ok && model_table_overlay(table, &own, err);
  model_table_clear(&own);
  return ok;
}
