#!/bin/sh
# 40-instruct.sh - conversations of several turns by way of a teacher: stage 2's training set.
# With TEACHER=https://... captions leave this machine; its key is in HILUM_TEACHER_KEY.
# Writes $WORK/instruct.jsonl; the journal beside it keeps what the teacher answered.
. "$(dirname "$0")/settings.sh"
out=$WORK/instruct.jsonl
done_already "$out" && exit 0
[ -n "$TEACHER" ] || fail "TEACHER is not set: https://..., or model:PATH"
set -- --in "$WORK/selected.jsonl" --out "$out" --report "$WORK/instruct-report.jsonl" \
  --images "$IMAGES" --teacher "$TEACHER" --limit "$INSTRUCT_LIMIT" --seed "$SEED"
[ -z "$TEACHER_MODEL" ] || set -- "$@" --teacher-model "$TEACHER_MODEL"
[ "$MENTIONS" != yes ] || set -- "$@" --mentions
# shellcheck disable=SC2086 # words on purpose
"$HILUM" dataset instruct "$@" $INSTRUCT_OPTIONS
[ -s "$out" ] || { rm -f "$out" && fail "nothing that the teacher said is of use: $WORK/instruct-report.jsonl"; }
"$HILUM" dataset stats "$out"
