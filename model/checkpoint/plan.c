#include "checkpoint/plan.h"

#include "base/error.h"
#include "checkpoint/imatrix.h"
#include "kernels/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
parse_types(ModelPlan *plan, const ModelWriteOptions *options, ModelError *err)
{
  char names[128] = "";
  const char *tower = options->tower_type ? options->tower_type : options->type, *name;

  for (int i = 0; (name = model_mix_name((ModelMix)i)); i++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "", name);
  if (!model_mix_parse(options->type, &plan->mix))
    return model_fail(err, MODEL_ERROR_ARGUMENT, "type \"%.40s\", expected one of %s",
                      options->type, names);
  if (!model_mix_parse(tower, &plan->tower_mix) ||
      (options->tower_type && plan->tower_mix > MODEL_MIX_Q8_0))
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "type \"%.40s\" of the tower, expected f32, f16, bf16 or q8_0",
                      options->tower_type);
  return true;
}

static bool
check_role(const ModelRole *role, ModelError *err)
{
  const ModelTensor *tensor = role->tensor;
  bool fits = tensor->data && tensor->n_dims == role->n_dims && model_type_name(tensor->type);

  for (uint32_t i = 0; fits && i < role->n_dims; i++)
    fits = tensor->shape[i] == role->shape[i];
  fits = fits &&
         model_type_bytes(tensor->type, model_tensor_rows(tensor), model_tensor_columns(tensor));
  return fits || model_fail(err, MODEL_ERROR_ARGUMENT,
                            "tensor %s is missing or not of its configured shape", role->name);
}

static bool
is_part(const ModelRole *role, ModelFileParts parts)
{
  if (role->optional && (!role->tensor->data || parts == MODEL_FILE_PICTURE))
    return false;
  return parts == MODEL_FILE_WHOLE ||
         (role->part == MODEL_PART_DECODER) == (parts == MODEL_FILE_DECODER);
}

/* What products read; of a tied embedding rows are read too. */
static bool
is_multiplied(const ModelRole *role, const ModelCheckpoint *checkpoint)
{
  return role->n_dims == 2 && role->tensor != &checkpoint->weights.token_embedding &&
         role->tensor != &checkpoint->weights.position_embedding;
}

static void
place(ModelPlan *plan, ModelPlanTensor *tensor)
{
  bool packed = tensor->type != model_type_plain(tensor->type);

  tensor->rows = model_tensor_rows(tensor->role.tensor);
  tensor->columns = model_tensor_columns(tensor->role.tensor);
  tensor->unit_rows = packed ? MODEL_GROUP_ROWS : 1;
  tensor->unit_bytes = packed ? model_packed_group_bytes(tensor->type, tensor->columns)
                              : model_type_row_bytes(tensor->type, tensor->columns);
  tensor->n_units = (tensor->rows + tensor->unit_rows - 1) / tensor->unit_rows;
  tensor->n_bytes = tensor->n_units * tensor->unit_bytes;
  tensor->padding = (plan->alignment - tensor->n_bytes % plan->alignment) % plan->alignment;
  tensor->offset = plan->n_bytes;
  plan->n_bytes += tensor->n_bytes + tensor->padding;
}

static bool
add(ModelPlan *plan, const ModelRole *role, const ModelCheckpoint *checkpoint,
    const ModelImatrix *imatrix, ModelError *err)
{
  ModelMix mix = role->part == MODEL_PART_DECODER ? plan->mix : plan->tower_mix;
  ModelPlanTensor *tensor = &plan->tensors[plan->n];

  if (!check_role(role, err))
    return false;
  tensor->role = *role;
  tensor->type = model_mix_type(mix, role->gguf, role->n_dims, role->shape,
                                checkpoint->config.decoder.layers, checkpoint->weights.tied);
  if (plan->alignment == MODEL_GGUF_PACKED_ALIGNMENT && is_multiplied(role, checkpoint) &&
      model_type_plain(model_packed_type(tensor->type)) == tensor->type)
    tensor->type = model_packed_type(tensor->type);
  place(plan, tensor);
  if (imatrix)
    tensor->importance = model_imatrix_lookup(imatrix, role->gguf, tensor->columns);
  plan->n++;
  return true;
}

bool
model_plan_init(ModelPlan *plan, const ModelCheckpoint *checkpoint,
                const ModelWriteOptions *options, ModelError *err)
{
  /* The roles point into weights for the readers' sake; nothing is changed here. */
  ModelWeights *weights = (ModelWeights *)&checkpoint->weights;
  ModelConfig config = checkpoint->config;
  uint32_t n_roles = 0;
  bool ok = true;
  ModelRole role;

  memset(plan, 0, sizeof *plan);
  if (!parse_types(plan, options, err))
    return false;
  plan->alignment = options->packed ? MODEL_GGUF_PACKED_ALIGNMENT : MODEL_GGUF_ALIGNMENT;
  if (options->parts == MODEL_FILE_PICTURE)
    config.vision.blocks_stored = config.vision.blocks_run;
  while (model_role_at(&config, weights, n_roles, &role))
    n_roles++;
  plan->tensors = calloc(n_roles, sizeof *plan->tensors);
  if (!plan->tensors)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%u tensors: out of memory", n_roles);
  for (uint32_t i = 0; ok && model_role_at(&config, weights, i, &role); i++)
    ok = !is_part(&role, options->parts) || add(plan, &role, checkpoint, options->imatrix, err);
  if (!ok)
    model_plan_clear(plan);
  return ok;
}

void
model_plan_clear(ModelPlan *plan)
{
  free(plan->tensors);
  memset(plan, 0, sizeof *plan);
}

bool
model_gguf_plan_bytes(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                      uint64_t *n_bytes, ModelError *err)
{
  ModelPlan plan;

  if (!model_plan_init(&plan, checkpoint, options, err))
    return false;
  *n_bytes = plan.n_bytes;
  model_plan_clear(&plan);
  return true;
}
