#!/bin/sh
# 20-select.sh - single-panel figures of the five kinds, of this task's pairs. LIST=FILE: of that list
# instead (PMC-15M's, MedICaT, ROCO, ...: what hilum dataset convert reads), of lines.
# Writes $WORK/selected/I-of-N.jsonl, and beside it why each pair is in or out.
. "$(dirname "$0")/settings.sh"
out=$(part selected)
done_already "$out" && exit 0
mkdir -p "$WORK/selected" "$WORK/decisions"
in=${LIST:-$(part figures)}
[ -f "$in" ] || fail "$in is missing (10-figures.sh makes it)"
set -- --in "$in" --out "$out" --decisions "$(part decisions)" --domains "$DOMAINS" --score "$SCORE" \
  --threads "$THREADS"
[ -z "${LIST:-}" ] || [ "$SHARDS" = 1 ] || set -- "$@" --shard "$SHARD/$SHARDS"
[ "$LOOK" != yes ] || set -- "$@" --images "$IMAGES" ${TOWER:+--tower "$TOWER"}
if [ -s "$in" ]; then
  "$HILUM" pmc select "$@"
else
  : >"$out"
fi
