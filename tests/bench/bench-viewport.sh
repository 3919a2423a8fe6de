#!/bin/sh
# bench-viewport.sh BUILD [SECONDS [SLICES]] - the window's speed, on a display of its own: frames,
# folder to first picture, memory after 1000 slices, start to first window. One JSON object a line.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
shift
export HILUM_DECODE="$build/dicom/helper/hilum-decode" SCREEN=1280x1024x24
export GTK_A11Y=none
on_display() { sh "$here/tests/ui/test-desktop.sh" "$@"; }

on_display "$build/tests/bench/bench-viewport" "${1:-2}" "${2:-300}"
if [ "${1:-2}" != 0.1 ]; then
  # Where GDK's 60 frames a second are no limit any more.
  SCALE=2 SCREEN=2560x2048x24 on_display "$build/tests/bench/bench-viewport" "${1:-2}" "${2:-300}"
  HILUM_CACHE_MB=256 on_display "$build/tests/bench/bench-viewport" 1 1000 open
  # Warm: the third of three. Looked for without a rest between.
  on_display sh -c '
    for turn in 1 2 3; do
      start=$(date +%s%N)
      "$0" --no-log >/dev/null 2>&1 &
      until xdotool search --onlyvisible --name "^Hilum$" >/dev/null 2>&1; do
        [ $(($(date +%s%N) - start)) -lt 20000000000 ] || exit 1
      done
      end=$(date +%s%N)
      kill $!
      wait $! 2>/dev/null || :
    done
    echo "{\"what\": \"start to first window\", \"ms\": $(((end - start) / 1000000))}"
  ' "$build/ui/desktop/hilum-desktop"
fi
