#!/bin/sh
# run.sh [STEP...] - the steps, one after the other on this machine: figures select align instruct
# stage1 stage2 evaluate export-llava (default: all but the last). Each is skipped when its result is
# there; stopped, the same command goes on.
here=$(cd "$(dirname "$0")" && pwd)
set -eu
[ $# -gt 0 ] || set -- figures select align instruct stage1 stage2 evaluate
for step in "$@"; do
  script=$(find "$here" -name "[0-9][0-9]-$step.sh")
  [ -n "$script" ] || { echo "run.sh: there is no step $step" >&2 && exit 2; }
  sh "$script"
done
