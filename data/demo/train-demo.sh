#!/bin/sh
# sh data/demo/train-demo.sh WORK_FOLDER - trains the demo model from nothing, by LLaVA-Med's stages,
# and scores it. Two cores, under two hours; about 3 GB in WORK_FOLDER. Each step is skipped when its
# result is there, and training goes on from its checkpoint, so the script can be stopped and run again.
# VQA-RAD (CC0) is taken from $HILUM_SHARED/corpus/vqa-rad (default ../shared).
#
#   stage 0  everything trains: on structured reports (a), then on reports, questions and captions (b, c).
#            It stands in for what LLaVA-Med starts from, a trained CLIP tower and a trained language
#            model, which do not exist at this size.
#   stage 1  concept alignment: the projector alone, on captions paired by the 30-word rule.
#   stage 2  instruction tuning: projector and language model, on conversations of several turns.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
demo=$top/data/demo
shared=$(cd "${HILUM_SHARED:-$top/../shared}" && pwd)
[ $# -eq 1 ] || { sed -n '2,5s/^# //p' "$0" && exit 2; }
mkdir -p "$1"
cd "$1"

# Pictures drawn, and optimizer steps of 16 samples in each stage.
pictures=${DEMO_PICTURES:-30000}
steps0a=${DEMO_STEPS0A:-3000}
steps0b=${DEMO_STEPS0B:-7000}
steps0c=${DEMO_STEPS0C:-4200}
steps1=${DEMO_STEPS1:-200}
steps2=${DEMO_STEPS2:-2400}

sh "$top/app/install.sh" build run
command -v spm_train >/dev/null || { echo "train-demo: apt-get install sentencepiece" >&2 && exit 1; }
build=${HILUM_BUILD:-$top/build}
[ -f "$build/build.ninja" ] || meson setup "$build" "$top" --buildtype=release >&2
ninja -C "$build" --quiet ui/cli/hilum
hilum=$build/ui/cli/hilum

# 1. Phantoms with known truth. The training and the evaluation set share no picture.
[ -f phantom/captions.json ] ||
  "$hilum" phantom --out phantom --seed 1 --count "$pictures" --format png --split train
[ -f eval/eval.jsonl ] ||
  "$hilum" phantom --out eval --seed 2 --count 1200 --format png --split eval

# 2. VQA-RAD by image_split: no validation image is trained on.
[ -f vqa-rad/train.json ] ||
  python3 "$demo/prepare-vqa-rad.py" "$shared/corpus/vqa-rad" vqa-rad
ln -sfn "$shared/corpus/vqa-rad/images" phantom/vqa-rad

[ -f phantom/singles.json ] || {
  python3 "$demo/reports.py" phantom/truth.jsonl >phantom/reports.json
  python3 "$demo/singles.py" phantom/instruct.json >singles.part
  mv singles.part phantom/singles.json
}

# 3. The vocabulary: 2,000 pieces, byte fallback, learnt on the project's own texts.
[ -f tokenizer.model ] || {
  python3 "$demo/texts.py" phantom/captions.json vqa-rad/train.json phantom/instruct.json \
    phantom/reports.json >texts.txt
  spm_train --input=texts.txt --model_prefix=tokenizer --model_type=bpe --vocab_size=2000 \
    --byte_fallback=true --split_digits=true --character_coverage=1.0 \
    --normalization_rule_name=identity --remove_extra_whitespaces=false --add_dummy_prefix=true \
    --user_defined_symbols='[INST],[/INST]' --minloglevel=1
}

# 4. The stages. A kind named several times is drawn as often as that many kinds.
train()
{
  out=$1
  shift
  [ -f "$out.gguf" ] || "$hilum" train --images phantom --batch 16 --accumulate 1 --beta2 0.98 \
    --seed 1 --checkpoint "checkpoint-$out" --save-every 500 --out "$out.gguf" --type f32 --json \
    --mask llama_2 "$@" >>"$out.log"
}
report=phantom/reports.json # every fact in its fixed place
ask=phantom/instruct.json   # conversations of several turns
one=phantom/singles.json    # the same questions, each alone
tell=phantom/captions.json  # captions, by the 30-word rule
real=vqa-rad/train.json
train stage0a --init-shape "name=hilum-demo,layers=4" --tokenizer tokenizer.model --data "$report" \
  --train vision,projector,llm --lr 1e-3 --weight-decay 0.01 --steps "$steps0a"
train stage0b --model stage0a.gguf --data "$report,$report,$report,$ask,$ask,$tell,$real" --seed 2 \
  --train vision,projector,llm --lr 1e-3 --weight-decay 0.01 --steps "$steps0b"
train stage0c --model stage0b.gguf --data "$report,$report,$ask,$ask,$ask,$one,$tell,$real" --seed 3 \
  --train vision,projector,llm --lr 8e-4 --weight-decay 0.01 --steps "$steps0c"
train stage1 --model stage0c.gguf --data "$tell" --train projector --lr 2e-4 --steps "$steps1"
train stage2 --model stage1.gguf --data "$ask,$ask,$one,$one,$tell,$real" --seed 4 \
  --train projector,llm --lr 5e-4 --steps "$steps2"

# 5. One small file, its scores, and its card.
[ -f plain.gguf ] || "$hilum" model convert --model stage2.gguf --type q8_0 --out plain.gguf
ln -sfn "$shared/corpus/vqa-rad" rad
score()
{
  out=$1
  shift
  [ -f "$out.json" ] || {
    "$hilum" eval vqa --model plain.gguf --out "$out.answers" --report "$out" --json "$@" >"$out.part"
    mv "$out.part" "$out.json"
  }
}
score phantom-scores --questions eval/eval.jsonl --images eval
score vqa-rad-scores --questions rad/vqa-rad.json --where image_split=validation --images rad/images \
  --train rad/vqa-rad.json --train-where image_split=train
python3 "$demo/card.py" . >CARD.md
"$hilum" model convert --model stage2.gguf --type q8_0 --card CARD.md --out hilum-demo.gguf
ls -l hilum-demo.gguf CARD.md
echo "to use them: cp $1/hilum-demo.gguf $1/CARD.md $demo/"
