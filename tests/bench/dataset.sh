#!/bin/sh
# sh tests/bench/dataset.sh HILUM CAPTIONS.tsv [N] - concept alignment of N pairs (default 3,000,000)
# beside a careful Python script, side by side: seconds, MB/s and peak memory of each, as JSON Lines.
# RUNNER: a command that runs each of them ("chrt -f 10"); PEER: pairs for the script (default: all).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
hilum=$1 captions=$2 n=${3:-3000000}
peer=${PEER:-$n}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/pairs.py" "$captions" "$n" >"$work/pairs.jsonl"
pairs=$work/pairs.jsonl

# run NAME COMMAND... : one JSON line
run() {
  name=$1
  shift
  # shellcheck disable=SC2086 # words on purpose
  ${RUNNER:-} python3 - "$name" "$(stat -c %s "$pairs")" "$@" <<'P'
import json, resource, subprocess, sys, time
name, size, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
start = time.monotonic()
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({'name': name, 'seconds': round(seconds, 3), 'mb_per_s': round(size / seconds / 1e6, 1),
                  'peak_mib': round(peak / 1024, 1), 'mb': round(size / 1e6, 1)}))
P
}

cat "$work/pairs.jsonl" >/dev/null
for threads in 1 2; do
  run "hilum, $threads threads" "$hilum" dataset align --in "$work/pairs.jsonl" \
    --out "$work/ours-$threads.jsonl" --threads "$threads" --json
done
cmp "$work/ours-1.jsonl" "$work/ours-2.jsonl"
rm -f "$work/ours-1.jsonl"
run 'hilum, a sample of a fifth' "$hilum" dataset align --in "$work/pairs.jsonl" --out "$work/part.jsonl" \
  --target "$((n / 5))" --json
rm -f "$work/part.jsonl"
run 'dd, reading and writing alone' dd if="$work/pairs.jsonl" of="$work/copy" bs=4M conv=fsync status=none
rm -f "$work/copy"
if [ "$peer" != "$n" ]; then
  pairs=$work/fewer.jsonl
  head -n "$peer" "$work/pairs.jsonl" >"$pairs"
  head -n "$peer" "$work/ours-2.jsonl" >"$work/fewer"
  mv "$work/fewer" "$work/ours-2.jsonl"
fi
run python "${PYTHON:-python3}" "$here/align.py" "$pairs" "$work/python.jsonl" 1
test "$(wc -l <"$work/python.jsonl")" = "$(wc -l <"$work/ours-2.jsonl")"
