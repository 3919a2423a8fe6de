#!/bin/sh
# 60-stage2.sh - instruction tuning: projector and language model. Goes on from its checkpoint.
# DATA=FILE,... in place of $WORK/instruct.jsonl. Writes $WORK/stage2.gguf.
. "$(dirname "$0")/settings.sh"
out=$WORK/stage2.gguf
done_already "$out" && exit 0
set -- --model "$WORK/stage1.gguf" --data "${DATA:-$WORK/instruct.jsonl}" --images "$IMAGES" \
  --train projector,llm --mask "$MASK" --lr "$STAGE2_LR" --batch "$STAGE2_BATCH" \
  --accumulate "$STAGE2_ACCUMULATE" --max-length "$MAX_LENGTH" --seed "$SEED" \
  --checkpoint "$WORK/stage2.checkpoint" --save-every "$SAVE_EVERY" --type "$TYPE" --out "$out"
if [ -n "$STEPS" ]; then set -- "$@" --steps "$STEPS"; else set -- "$@" --epochs "$STAGE2_EPOCHS"; fi
"$HILUM" train "$@"
