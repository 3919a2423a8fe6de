#!/bin/sh
# sh app/start.sh - installs what is missing, builds, and opens Hilum on a sample study.
# Without a display it answers a question about the sample in the terminal instead.
# A file or folder named after it is opened in the sample's place.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=${HILUM_BUILD:-$top/build}
sample=$build/sample-study

sh "$top/app/install.sh" run build
[ -f "$build/build.ninja" ] || meson setup "$build" "$top" --buildtype=release >&2
ninja -C "$build" --quiet ui/cli/hilum ui/desktop/hilum-desktop >&2

# The sample: a few synthetic chest radiographs and a synthetic CT stack, made once.
if [ ! -f "$sample.complete" ]; then
  rm -rf "$sample" "$sample.part"
  "$build/ui/cli/hilum" phantom --out "$sample.part" --seed 7 --count 3 --kind chest-cr >&2
  "$build/ui/cli/hilum" phantom --out "$sample/ct-stack" --seed 7 --stack 48 >&2
  mv "$sample.part/images" "$sample/chest-radiographs"
  rm -rf "$sample.part"
  touch "$sample.complete"
fi

if [ $# -gt 0 ]; then
  study=$1
else
  study=$sample
fi

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  exec "$build/ui/desktop/hilum-desktop" "$study"
fi

image=$study
if [ -d "$study" ]; then
  image=$(find "$study" -type f -name '*.dcm' | sort | head -n 1)
fi
echo "hilum: no display; asking in the terminal about $image" >&2
exec "$build/ui/cli/hilum" ask --image "$image" --greedy \
  --question "What modality is this?" \
  --question "Which body region is shown?" \
  --question "Is there a nodule?"
