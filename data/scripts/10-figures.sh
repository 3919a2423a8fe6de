#!/bin/sh
# 10-figures.sh - articles and packages to pairs, this task's share of them; pictures to $IMAGES.
# Writes $WORK/figures/I-of-N.jsonl, which is there whole or not at all.
. "$(dirname "$0")/settings.sh"
out=$(part figures)
done_already "$out" && exit 0
mkdir -p "$WORK/figures" "$IMAGES"
[ -d "$PACKAGES" ] || fail "$PACKAGES: no such folder (see 00-download.sh)"
list=$out.list
find "$PACKAGES" -type f \( -name '*.tar.gz' -o -name '*.tgz' -o -name '*.nxml' -o -name '*.xml' \) |
  LC_ALL=C sort | awk -v i="$SHARD" -v n="$SHARDS" 'NR % n == i % n' >"$list"
rm -f "$list".*
split -l 5000 -d -a 4 "$list" "$list."
: >"$out.part"
for some in "$list".*; do
  [ -f "$some" ] || { say "there are fewer articles than tasks" && break; }
  # One call: its output is one file.
  xargs -d '\n' -x -n 5000 "$HILUM" pmc figures --images "$IMAGES" --out "$out.some" <"$some"
  cat "$out.some" >>"$out.part"
done
rm -f "$list" "$list".* "$out.some"
mv "$out.part" "$out"
