#!/bin/sh
# 80-export-llava.sh - the same data and hyperparameters for LLaVA's own trainer (haotian-liu/LLaVA,
# llava/train/train_mem.py): JSON arrays, DeepSpeed configurations and torchrun commands, in
# $WORK/llava. GPUS (8) and GPUS' share of a batch (PER_GPU, 8) may be set; accumulation follows, so
# that a step has as many samples as here.
. "$(dirname "$0")/settings.sh"
: "${GPUS:=8}"
: "${PER_GPU:=8}"
: "${BASE:=mistralai/Mistral-7B-Instruct-v0.2}"
: "${TOWER:=openai/clip-vit-large-patch14-336}"
: "${VERSION:=mistral_instruct}"
to=$WORK/llava
mkdir -p "$to"

# accumulation BATCH: steps of GPUS * PER_GPU that make it up.
accumulation() {
  [ $(($1 % (GPUS * PER_GPU))) -eq 0 ] ||
    fail "a batch of $1 is not made of $GPUS GPUs with $PER_GPU samples each: set GPUS or PER_GPU"
  echo $(($1 / (GPUS * PER_GPU)))
}

# zero STAGE
zero() {
  cat <<JSON
{
  "bf16": {"enabled": "auto"},
  "fp16": {"enabled": "auto"},
  "train_micro_batch_size_per_gpu": "auto",
  "train_batch_size": "auto",
  "gradient_accumulation_steps": "auto",
  "gradient_clipping": "auto",
  "zero_optimization": {
    "stage": $1,
    "overlap_comm": true,
    "contiguous_gradients": true,
    "sub_group_size": 1e9,
    "reduce_bucket_size": "auto"$([ "$1" != 3 ] || printf ',\n    "stage3_prefetch_bucket_size": "auto",\n    "stage3_param_persistence_threshold": "auto",\n    "stage3_max_live_parameters": 1e9,\n    "stage3_max_reuse_distance": 1e9,\n    "stage3_gather_16bit_weights_on_model_save": true')
  }
}
JSON
}

# script DATA EPOCHS LR ACCUMULATE ZERO OUT OPTION...
script() {
  data=$1 epochs=$2 lr=$3 accumulate=$4 stage=$5 out=$6
  shift 6
  cat <<SH
#!/bin/sh
# Run in a checkout of LLaVA, with IMAGES and DATA as absolute paths.
set -eu
: "\${DATA:?folder of this file}" "\${IMAGES:?folder of the pictures}"
exec torchrun --nnodes="\${NODES:-1}" --nproc_per_node=$GPUS --master_port="\${PORT:-25001}" llava/train/train_mem.py \\
  --deepspeed "\$DATA/zero$stage.json" \\
  --data_path "\$DATA/$data" --image_folder "\$IMAGES" \\
  --version $VERSION --vision_tower $TOWER --mm_projector_type mlp2x_gelu \\
  --mm_vision_select_layer -2 --mm_use_im_start_end False --mm_use_im_patch_token False \\
  --image_aspect_ratio pad \\
$(for option in "$@"; do printf '  %s \\\n' "$option"; done)
  --num_train_epochs $epochs --learning_rate $lr --per_device_train_batch_size $PER_GPU \\
  --gradient_accumulation_steps $accumulate --model_max_length $MAX_LENGTH --seed $SEED \\
  --weight_decay 0. --warmup_ratio 0.03 --lr_scheduler_type cosine --max_grad_norm 1.0 \\
  --bf16 True --tf32 True --gradient_checkpointing True --lazy_preprocess True \\
  --dataloader_num_workers 4 --save_strategy steps --save_steps $SAVE_EVERY --save_total_limit 1 \\
  --logging_steps 1 --report_to none --output_dir "\$DATA/$out"
SH
}

for set in align instruct; do
  [ -s "$WORK/$set.jsonl" ] || { say "$WORK/$set.jsonl is not there: left out" && continue; }
  done_already "$to/$set.json" ||
    "$HILUM" dataset convert --in "$WORK/$set.jsonl" --to llava --out "$to/$set.json"
done
one=$(accumulation $((STAGE1_BATCH * STAGE1_ACCUMULATE)))
two=$(accumulation $((STAGE2_BATCH * STAGE2_ACCUMULATE)))
zero 2 >"$to/zero2.json"
zero 3 >"$to/zero3.json"
script align.json "$STAGE1_EPOCHS" "$STAGE1_LR" "$one" 2 stage1 \
  "--model_name_or_path $BASE" "--tune_mm_mlp_adapter True" >"$to/stage1.sh"
# shellcheck disable=SC2016 # that script's variable
script instruct.json "$STAGE2_EPOCHS" "$STAGE2_LR" "$two" 3 stage2 \
  "--model_name_or_path $BASE" '--pretrain_mm_mlp_adapter "$DATA/stage1/mm_projector.bin"' \
  "--group_by_modality_length True" >"$to/stage2.sh"
say "for LLaVA's trainer: $to"
