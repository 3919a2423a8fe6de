#!/bin/sh
# peers.sh - other engines and ours, side by side on the same file; prints one JSON object a line.
#
#   LLAMA_BENCH=…/llama-bench IK_BENCH=…/llama-bench HILUM=build/ui/cli/hilum \
#     sh tests/bench/peers.sh [--prompt N] [--tokens N] [--repeats N] [--threads N] MODEL.gguf...
#
# MODEL.gguf is a decoder that all of them read (`hilum model random --part decoder`, or half of
# what `hilum model convert --split` writes). Engines whose variable is not set are left out; nothing
# is built or fetched here. With MMPROJ, ours is measured with a picture too; LLAMA_MTMD (the peer's
# multimodal command) and IMAGE give its time beside it. QUIET is put before every command (such as
# "chrt -f 10"). Each engine has its turn on each file before the next one, and prompts and tokens
# are runs of their own, so that none is long.
set -eu

prompt=512 tokens=16 repeats=3 threads=$(nproc)
while [ $# -gt 0 ]; do
  case $1 in
  --prompt) prompt=$2; shift 2 ;;
  --tokens) tokens=$2; shift 2 ;;
  --repeats) repeats=$2; shift 2 ;;
  --threads) threads=$2; shift 2 ;;
  --*) echo "peers.sh: unknown option $1" >&2; exit 2 ;;
  *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "peers.sh: name at least one model" >&2; exit 2; }
quiet=${QUIET-}

# ENGINE BENCH MODEL: both figures of a program that takes llama-bench's options.
peer() {
  for work in "-p $prompt -n 0" "-p 0 -n $tokens"; do
    # shellcheck disable=SC2086 # several words on purpose
    OMP_NUM_THREADS=$threads $quiet "$2" -m "$3" -t "$threads" -r "$repeats" $work -o json \
      2>/dev/null | python3 -c '
import json, os, sys
engine, model = sys.argv[1:]
text = sys.stdin.read()
start = text.find("[")
for row in json.loads(text[start:]) if start >= 0 else []:
    what = "prompt_tokens_per_s" if row["n_prompt"] else "decode_tokens_per_s"
    samples = sorted(row["samples_ts"])
    print(json.dumps({"engine": engine, "model": os.path.basename(model), "threads": row["n_threads"],
                      "what": what, "median": samples[len(samples) // 2],
                      "least": samples[0], "most": samples[-1]}), flush=True)
if start < 0:
    print(json.dumps({"engine": engine, "model": os.path.basename(model), "error": "no result"}))
' "$1" "$3"
  done
}

# The peer's time for a picture, and until it says something.
picture() {
  # shellcheck disable=SC2086
  $quiet "$LLAMA_MTMD" -m "$1" --mmproj "$MMPROJ" --image "$IMAGE" -n 2 -t "$threads" --no-warmup \
    --chat-template vicuna --perf --log-verbosity 4 -p "Describe the lungs, the heart and the bones \
in this image, and say what has changed since the last one was made." 2>&1 | python3 -c '
import json, os, re, sys
text = sys.stdin.read()
encoded = re.search(r"encoding done in (\d+) ms", text)
prompt = re.search(r"prompt eval time = +([\d.]+) ms / +(\d+) tokens", text)
print(json.dumps({"engine": "llama.cpp", "model": os.path.basename(sys.argv[1]),
                  "image_s": int(encoded[1]) / 1e3 if encoded else None,
                  "first_token_s": float(prompt[1]) / 1e3 if prompt else None,
                  "first_positions": int(prompt[2]) if prompt else None}), flush=True)
' "$1"
}

ours() {
  # shellcheck disable=SC2086
  $quiet "$HILUM" bench --model "$1" ${MMPROJ:+--mmproj "$MMPROJ" --image} --threads "$threads" \
    --prompt "$prompt" --tokens "$tokens" --repeats "$repeats" --json | python3 -c '
import json, os, sys
row = json.loads(sys.stdin.read())
print(json.dumps({"engine": "hilum", "model": os.path.basename(sys.argv[1]), **{k: row[k] for k in row
                  if k != "model"}}), flush=True)
' "$1"
}

for model in "$@"; do
  [ -z "${LLAMA_BENCH-}" ] || peer llama.cpp "$LLAMA_BENCH" "$model"
  [ -z "${IK_BENCH-}" ] || peer ik_llama.cpp "$IK_BENCH" "$model"
  [ -z "${LLAMA_MTMD-}" ] || [ -z "${MMPROJ-}" ] || [ -z "${IMAGE-}" ] || picture "$model"
  [ -z "${HILUM-}" ] || ours "$model"
done
