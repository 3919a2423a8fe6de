#!/bin/sh
# 50-stage1.sh - concept alignment: the projector alone. Goes on from its checkpoint.
# Writes $WORK/stage1.gguf.
. "$(dirname "$0")/settings.sh"
out=$WORK/stage1.gguf
done_already "$out" && exit 0
[ -n "$MODEL" ] || fail "MODEL is not set: the model that training starts from"
"$HILUM" dataset check "$WORK/align.jsonl" >&2
set -- --model "$MODEL" --data "$WORK/align.jsonl" --images "$IMAGES" --train projector --mask "$MASK" --lr "$STAGE1_LR" \
  --batch "$STAGE1_BATCH" --accumulate "$STAGE1_ACCUMULATE" --max-length "$MAX_LENGTH" --seed "$SEED" \
  --checkpoint "$WORK/stage1.checkpoint" --save-every "$SAVE_EVERY" --type "$TYPE" --out "$out"
if [ -n "$STEPS" ]; then set -- "$@" --steps "$STEPS"; else set -- "$@" --epochs "$STAGE1_EPOCHS"; fi
"$HILUM" train "$@"
