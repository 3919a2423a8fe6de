#!/bin/sh
# 70-evaluate.sh - scores stage 2's model (or MODEL_UNDER_TEST) on $EVAL_QUESTIONS. Goes on where it was.
# Writes $WORK/eval/answers.jsonl and $WORK/eval/scores.json.
. "$(dirname "$0")/settings.sh"
out=$WORK/eval/scores.json
done_already "$out" && exit 0
[ -n "$EVAL_QUESTIONS" ] || fail "EVAL_QUESTIONS is not set: questions as VQA-RAD, SLAKE, PathVQA have them"
mkdir -p "$WORK/eval"
set -- --model "${MODEL_UNDER_TEST:-$WORK/stage2.gguf}" --questions "$EVAL_QUESTIONS" \
  --out "$WORK/eval/answers.jsonl" --seed "$SEED"
[ -z "$EVAL_IMAGES" ] || set -- "$@" --images "$EVAL_IMAGES"
[ -z "$EVAL_LIMIT" ] || set -- "$@" --limit "$EVAL_LIMIT"
"$HILUM" eval vqa "$@" --json >"$out.part"
mv "$out.part" "$out"
