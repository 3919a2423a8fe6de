#!/bin/sh
# test-scripts.sh HILUM - data/scripts as a user runs them, small: all of LLaVA-Med with the demo model, once
# whole, then again, in parts, and on what is broken. Speaks TAP.
set -u
hilum=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
scripts=$top/data/scripts
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
export HILUM="$hilum" HILUM_SHARED="${HILUM_SHARED:-$top/../shared}"
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" OPENBLAS_NUM_THREADS=1
n=0

# ok NAME COMMAND...
ok() {
  n=$((n + 1))
  label=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    echo "ok $n $label"
  else
    sed 's/^/# /' "$work/said"
    echo "not ok $n $label"
  fi
}

# A teacher that always says the same.
cat >"$work/teacher.py" <<'P'
import http.server, json, sys
class Teacher(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a):
        pass
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        said = ('User: What kind of image is this?\n\nAssistant: It is a radiological image.\n\n'
                'User: What can be seen?\n\nAssistant: The image shows the organs of this region.')
        body = json.dumps({'choices': [{'message': {'role': 'assistant', 'content': said}, 'finish_reason': 'stop'}],
                           'usage': {'prompt_tokens': 10, 'completion_tokens': 20}}).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(('127.0.0.1', 0), Teacher)
open(sys.argv[1], 'w').write(str(server.server_port))
server.serve_forever()
P
python3 "$work/teacher.py" "$work/port" &
server=$!
i=0
while [ ! -s "$work/port" ] && [ $i -lt 100 ]; do sleep 0.1 && i=$((i + 1)); done
TEACHER=http://127.0.0.1:$(cat "$work/port")/v1
export TEACHER TEACHER_MODEL=parrot INSTRUCT_OPTIONS=

# ---- all of it -----------------------------------------------------------------------------------

tiny() { sh "$scripts/tiny.sh" "$work/tiny"; }
all_there() {
  cd "$work/tiny/work" &&
    for file in selected.jsonl align.jsonl instruct.jsonl stage1.gguf stage2.gguf eval/scores.json \
      llava/align.json llava/instruct.json llava/zero2.json llava/zero3.json llava/stage1.sh llava/stage2.sh; do
      [ -s "$file" ] || { echo "$file is missing" && return 1; }
    done
}
stamps() { (cd "$work/tiny/work" && stat -c '%n %Y %i' selected.jsonl align.jsonl instruct.jsonl stage1.gguf stage2.gguf eval/scores.json); }
ok 'tiny.sh runs' tiny
ok 'every step has its result' all_there
stamps >"$work/before" 2>&1
again() { tiny && stamps | cmp - "$work/before"; }
ok 'again nothing is made again' again
resume() { rm "$work/tiny/work/stage2.gguf" "$work/tiny/work/eval/scores.json" && tiny && all_there; }
ok 'what is taken away is made again' resume
valid() {
  cd "$work/tiny/work/llava" && python3 - <<'P' && sh -n stage1.sh && sh -n stage2.sh
import json
for name in ('zero2.json', 'zero3.json'):
    zero = json.load(open(name))['zero_optimization']
    assert zero['stage'] == int(name[4]) and zero['overlap_comm'] and zero['contiguous_gradients']
for name in ('align.json', 'instruct.json'):
    for record in json.load(open(name)):
        turns = record['conversations']
        assert record['image'] and [t['from'] for t in turns] == ['human', 'gpt'] * (len(turns) // 2)
        assert turns[0]['value'].count('<image>') == 1
P
}
ok 'LLaVA finds JSON, configurations and shell that can be read' valid
batch() { ! env WORK="$work/tiny/work" GPUS=3 sh "$scripts/80-export-llava.sh"; }
ok 'a batch that cannot be divided is refused' batch

# ---- in parts ------------------------------------------------------------------------------------

same_pairs() { sort "$1" >"$work/one" && sort "$work/tiny/work/align.jsonl" | cmp - "$work/one"; }
parallel_run() {
  env WORK="$work/parallel" PACKAGES="$work/tiny/packages" sh "$scripts/parallel.sh" 3 2 &&
    same_pairs "$work/parallel/align.jsonl"
}
if command -v parallel >/dev/null; then
  ok 'three tasks of GNU parallel make the same pairs' parallel_run
  half() {
    rm "$work/parallel/align.jsonl" "$work/parallel/selected/00002-of-00003.jsonl" "$work/parallel/selected.jsonl" &&
      parallel_run
  }
  ok 'a task that is missing is run again, and it alone' half
else
  n=$((n + 2))
  echo "ok $((n - 1)) three tasks of GNU parallel make the same pairs # SKIP parallel is not installed"
  echo "ok $n a task that is missing is run again # SKIP parallel is not installed"
fi

# sbatch, as far as slurm.sh needs it: runs each task at once and says a number.
mkdir "$work/bin"
cat >"$work/bin/sbatch" <<'S'
#!/bin/sh
tasks=1 array=
for option in "$@"; do
  case $option in
  --array=*) array=yes tasks=${option##*-} ;;
  --dependency=afterok:) exit 1 ;;
  --wrap=*) wrap=${option#--wrap=} ;;
  SHARD=*) wrap=$option ;;
  esac
done
task=1
while [ $task -le "$tasks" ]; do
  if [ -n "$array" ]; then SLURM_ARRAY_TASK_ID=$task sh -c "$wrap" >&2 || exit 1; else sh -c "$wrap" >&2 || exit 1; fi
  task=$((task + 1))
done
echo "$$;cluster"
S
chmod +x "$work/bin/sbatch"
slurm() {
  env PATH="$work/bin:$PATH" WORK="$work/slurm" PACKAGES="$work/tiny/packages" sh "$scripts/slurm.sh" 4 &&
    same_pairs "$work/slurm/align.jsonl"
}
ok 'four tasks of an array make the same pairs' slurm

# ---- what is broken ------------------------------------------------------------------------------

broken() {
  mkdir -p "$work/broken" "$work/tricks/x" && cp "$work/tiny/packages/PMC1.tar.gz" "$work/broken/" || return 1
  head -c 2000 "$work/tiny/packages/PMC1.tar.gz" >"$work/broken/PMC2.tar.gz" # half a download
  printf '<article><body>' >"$work/broken/cut.nxml"
  printf '<!DOCTYPE article [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><article><body>&b;</body></article>' \
    >"$work/broken/bomb.nxml"
  printf '\377\376 no text' >"$work/broken/bytes.xml"
  : >"$work/broken/empty.nxml"
  printf 'x' >"$work/tricks/evil.nxml"
  tar -C "$work/tricks/x" -czPf "$work/broken/PMC3.tar.gz" ../evil.nxml # its name leads out
  env WORK="$work/broken-work" PACKAGES="$work/broken" sh "$scripts/run.sh" figures select align >"$work/log" 2>&1 ||
    { cat "$work/log" && return 1; }
  cat "$work/log"
  for name in PMC2 PMC3 cut.nxml bytes.xml empty.nxml; do
    grep -q "$name" "$work/log" || { echo "$name is not named" && return 1; }
  done
  same_pairs "$work/broken-work/align.jsonl"
}
ok 'broken packages and articles are named and stop nothing' broken
full() {
  env WORK="$work/full" PACKAGES="$work/tiny/packages" sh -c "ulimit -f 1; sh '$scripts/10-figures.sh'" && return 1
  [ ! -e "$work/full/figures/00001-of-00001.jsonl" ]
}
ok 'a full disk is a failure and leaves no half result' full

# ---- downloads -----------------------------------------------------------------------------------

store=$work/store
mkdir -p "$store/packages"
cp "$work/tiny/packages/PMC1.tar.gz" "$store/packages/"
for k in 1 2; do
  printf '{"pair_id": "1_F%s", "pmc_tar_url": "file://%s/packages/PMC1.tar.gz", "image_file_path": "PMC1/g.jpg"}\n' "$k" "$store"
done >"$store/llava_med_image_urls.jsonl"
printf '{"pair_id": "2_F1", "pmc_tar_url": "file://%s/packages/gone.tar.gz", "image_file_path": "x"}\n' "$store" \
  >>"$store/llava_med_image_urls.jsonl"
download() {
  mkdir -p "$work/down/lists" && head -c 50 "$store/llava_med_image_urls.jsonl" >"$work/down/lists/llava_med_image_urls.jsonl.part"
  env WORK="$work/down" LISTS_URL="file://$store" sh "$scripts/00-download.sh" image-urls packages || return 1
  cmp "$store/llava_med_image_urls.jsonl" "$work/down/lists/llava_med_image_urls.jsonl" &&
    cmp "$store/packages/PMC1.tar.gz" "$work/down/packages/PMC1.tar.gz" &&
    grep -q gone.tar.gz "$work/down/lists/lost-1-of-1.txt"
}
if command -v curl >/dev/null; then
  ok 'downloads go on where they broke off, and name what is gone' download
else
  n=$((n + 1)) && echo "ok $n downloads # SKIP curl is not installed"
fi
nothing() { ! env WORK="$work/none" sh "$scripts/00-download.sh" && [ -z "$(ls "$work/none" 2>/dev/null)" ]; }
ok 'nothing is fetched that is not named' nothing
echo "1..$n"
