# settings.sh - what the steps share; each reads it first. Every setting may come from the environment,
# or from a file that LLAVA_MED_SETTINGS names.
# shellcheck shell=sh disable=SC2034 # read by the steps
# shellcheck disable=SC1090 # the user's own file
[ -z "${LLAVA_MED_SETTINGS:-}" ] || . "$LLAVA_MED_SETTINGS"
set -eu

: "${WORK:=llava-med}"    # everything is written below it
: "${HILUM:=hilum}"       # the program
: "${SEED:=1}"
: "${SHARD:=1}"           # this task, of
: "${SHARDS:=1}"          # so many; schedulers set both
: "${THREADS:=0}"         # 0: one per core

: "${PACKAGES:=$WORK/packages}" # PMC's packages, articles, or folders of both
: "${IMAGES:=$WORK/images}"     # pictures, PAIR_ID.jpg each
: "${DOMAINS:=chest_xray,mri,histology,gross,ct_scan}"
: "${SCORE:=0.5}"               # that a selection needs
: "${LOOK:=yes}"                # look at pictures when selecting, too
: "${TOWER:=}"                  # BiomedCLIP's folder, or CLIP's, that sees their kinds
: "${TARGET:=}"                 # alignment pairs: 600000, or ct_scan=100000,...; empty: all

: "${TEACHER:=}"                # https://... or model:PATH; empty: no instruct data
: "${TEACHER_MODEL:=}"
: "${MENTIONS:=yes}"            # tell it what the article says (LLaVA-Med's 60K-IM)
: "${INSTRUCT_LIMIT:=60000}"
: "${INSTRUCT_OPTIONS:=}"       # more for hilum dataset instruct

# LLaVA-Med's table of hyperparameters (arXiv 2306.00890, appendix; its scripts).
: "${MODEL:=}"                  # to start from: a folder or GGUF file; stage 1 needs it
: "${MASK:=llama_2}"
: "${MAX_LENGTH:=2048}"
: "${STAGE1_LR:=2e-3}"
: "${STAGE1_BATCH:=16}"
: "${STAGE1_ACCUMULATE:=8}"     # 128 in all
: "${STAGE1_EPOCHS:=1}"
: "${STAGE2_LR:=2e-5}"
: "${STAGE2_BATCH:=16}"
: "${STAGE2_ACCUMULATE:=8}"
: "${STAGE2_EPOCHS:=3}"
: "${STEPS:=}"                  # of each stage, in place of epochs (for a try)
: "${SAVE_EVERY:=500}"
: "${TYPE:=f16}"

: "${EVAL_QUESTIONS:=}"         # VQA-RAD, SLAKE, PathVQA or VQA-Med 2019, as published
: "${EVAL_IMAGES:=}"
: "${EVAL_LIMIT:=}"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() { say "$*" && exit 1; }

# done_already FILE: it is there, so the step that makes it is not done again.
done_already() {
  [ -s "$1" ] || return 1
  say "$1 is there already"
}

# part NAME: the file of this task's share.
part() { printf '%s/%s/%05d-of-%05d.jsonl' "$WORK" "$1" "$SHARD" "$SHARDS"; }

# join NAME FILE: the shares of all tasks, in order, as one file; fails when one is missing.
join() {
  done_already "$2" && return
  rm -f "$2.part"
  i=1
  while [ "$i" -le "$SHARDS" ]; do
    file=$(printf '%s/%s/%05d-of-%05d.jsonl' "$WORK" "$1" "$i" "$SHARDS")
    [ -f "$file" ] || fail "$file is missing: task $i of $SHARDS has not ended"
    cat "$file" >>"$2.part"
    i=$((i + 1))
  done
  mv "$2.part" "$2"
}

mkdir -p "$WORK"
