#!/bin/sh
# slurm.sh N - figures, select and align as arrays of N tasks of Slurm, each step when the one before has
# ended well; SBATCH_OPTIONS='--partition=long --time=24:00:00'. $WORK must be where all nodes see it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
[ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0" && exit 2; }
export WORK HILUM IMAGES PACKAGES DOMAINS SCORE LOOK TOWER TARGET SEED SHARDS="$1"
after=

# submit ARRAY COMMAND: as a job behind the last one.
submit() {
  # shellcheck disable=SC2086 # words on purpose
  id=$(sbatch --parsable --export=ALL ${SBATCH_OPTIONS:-} ${after:+--dependency=afterok:$after} \
    ${1:+--array=1-$1} --job-name="hilum-$2" --output="$WORK/slurm-%A-%a.log" \
    --wrap "SHARD=\${SLURM_ARRAY_TASK_ID:-1} sh '$here/$2' ${3:-}")
  after=${id%%;*}
  say "$2 ${3:-}: job $after"
}

submit "$SHARDS" 10-figures.sh
submit "$SHARDS" 20-select.sh
submit '' 30-align.sh merge
submit "$SHARDS" 30-align.sh
submit '' 30-align.sh join
