#!/bin/sh
# 30-align.sh - concept alignment data of all tasks' selected pairs: stage 1's training set.
# Writes $WORK/selected.jsonl and $WORK/align.jsonl. As task I of N it makes its share of the latter in
# $WORK/align/, from which the last call, 30-align.sh join, makes the whole.
. "$(dirname "$0")/settings.sh"
mkdir -p "$WORK/align"
if [ "${1:-}" = join ]; then
  join align "$WORK/align.jsonl"
  exit 0
fi
done_already "$WORK/align.jsonl" && exit 0
[ -f "$WORK/selected.jsonl" ] || [ "$SHARD" = 1 ] || fail "$WORK/selected.jsonl: run 30-align.sh merge first"
join selected "$WORK/selected.jsonl"
[ "${1:-}" != merge ] || exit 0
[ -s "$WORK/selected.jsonl" ] || fail "no pair was selected: see $WORK/decisions"
out=$WORK/align.jsonl
set -- --in "$WORK/selected.jsonl" --images "$IMAGES" --seed "$SEED" --threads "$THREADS"
[ -z "$TARGET" ] || set -- "$@" --target "$TARGET"
if [ "$SHARDS" != 1 ]; then
  out=$(part align)
  done_already "$out" && exit 0
  set -- "$@" --shard "$SHARD/$SHARDS"
fi
"$HILUM" dataset align "$@" --out "$out"
