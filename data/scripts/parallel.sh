#!/bin/sh
# parallel.sh N [JOBS] - figures, select and align as N tasks, JOBS at once (default: one per core), by
# GNU parallel; on several machines with PARALLEL_OPTIONS='--sshloginfile FILE' and a shared $WORK.
# A task that failed is run again once; what is there already is not made again.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
[ $# -gt 0 ] || { sed -n '2,4s/^# //p' "$0" && exit 2; }
export WORK HILUM IMAGES PACKAGES DOMAINS SCORE LOOK TOWER TARGET SEED SHARDS="$1"
export THREADS=1
jobs=${2:-100%}

# each STEP: all tasks of it.
each() {
  # shellcheck disable=SC2086 # words on purpose
  seq 1 "$SHARDS" | parallel --no-notice --halt soon,fail=20% --retries 2 --jobs "$jobs" \
    ${PARALLEL_OPTIONS:-} --env WORK --env HILUM --env IMAGES --env PACKAGES --env DOMAINS --env SCORE \
    --env LOOK --env TOWER --env TARGET --env SEED --env SHARDS --env THREADS "SHARD={} sh $here/$1"
}

each 10-figures.sh
each 20-select.sh
SHARD=1 sh "$here/30-align.sh" merge
each 30-align.sh
sh "$here/30-align.sh" join
