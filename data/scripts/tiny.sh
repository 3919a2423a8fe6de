#!/bin/sh
# tiny.sh FOLDER - all of it in minutes on two cores, with the demo model: articles of
# $HILUM_SHARED/corpus/pmc-nxml when they are there, and one article with phantoms as its figures, which
# is written here; figures, select, align, instruct, stage 1, stage 2, evaluate, export. What comes out is
# a test that the steps fit together, and no model.
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,5s/^# //p' "$0" && exit 2; }
export WORK="$1/work" PACKAGES="$1/packages" HILUM="${HILUM:-hilum}"
export MODEL="${MODEL:-$here/../demo/hilum-demo.gguf}"
export STEPS=2 STAGE1_BATCH=4 STAGE1_ACCUMULATE=2 STAGE2_BATCH=4 STAGE2_ACCUMULATE=2 MAX_LENGTH=256
export TEACHER="${TEACHER:-model:$here/../demo/hilum-demo.gguf}" INSTRUCT_LIMIT=4
export INSTRUCT_OPTIONS="${INSTRUCT_OPTIONS:---max-tokens 32 --shots 1}"
export EVAL_QUESTIONS="$1/eval/eval.jsonl" EVAL_LIMIT=6 GPUS=1 PER_GPU=4
. "$here/settings.sh"
mkdir -p "$PACKAGES"

# 1. Phantoms, and an article whose figures they are, in a package as PMC has them.
[ -f "$1/phantoms/captions.json" ] ||
  "$HILUM" phantom --out "$1/phantoms" --seed 1 --count 24 --size 64 --format png --split train >/dev/null
[ -f "$EVAL_QUESTIONS" ] ||
  "$HILUM" phantom --out "$1/eval" --seed 2 --count 6 --size 64 --format png --split eval >/dev/null
if ! done_already "$PACKAGES/PMC1.tar.gz"; then
  rm -rf "$1/PMC1" && mkdir "$1/PMC1"
  python3 - "$1/phantoms" "$1/PMC1" <<'P'
import json, shutil, sys
from xml.sax.saxutils import escape
phantoms, to = sys.argv[1:]
figures = []
for i, record in enumerate(json.load(open(phantoms + '/captions.json'))):
    shutil.copy(f"{phantoms}/{record['image']}", f'{to}/g{i}.jpg')
    caption = escape(record['conversations'][1]['value'])
    figures.append(f'<p>See <xref ref-type="fig" rid="F{i}">Figure {i}</xref>.</p><fig id="F{i}"><label>Figure {i}'
                   f'</label><caption><p>{caption}</p></caption><graphic xlink:href="g{i}"/></fig>')
open(to + '/a.nxml', 'w').write(
    '<article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta><article-id pub-id-type="pmid">1'
    '</article-id></article-meta></front><body>' + ''.join(figures) + '</body></article>')
P
  tar -C "$1" -czf "$PACKAGES/PMC1.tar.gz.part" PMC1
  mv "$PACKAGES/PMC1.tar.gz.part" "$PACKAGES/PMC1.tar.gz"
fi
[ ! -d "${HILUM_SHARED:-}/corpus/pmc-nxml" ] || cp "$HILUM_SHARED"/corpus/pmc-nxml/*.nxml "$PACKAGES"

# 2. The steps. The demo model is no teacher: when nothing that it says is of use, stage 2 takes the
# phantoms' own conversations.
sh "$here/run.sh" figures select align
sh "$here/run.sh" instruct || say "no conversation came of the teacher"
sh "$here/run.sh" stage1
if [ ! -s "$WORK/instruct.jsonl" ]; then
  say "stage 2 on the phantoms' own conversations"
  export DATA="$1/phantoms/instruct.json" IMAGES="$1/phantoms"
fi
sh "$here/run.sh" stage2
unset DATA
export IMAGES="$WORK/images" EVAL_IMAGES="$1/eval"
sh "$here/run.sh" evaluate export-llava
say "done: $WORK"
