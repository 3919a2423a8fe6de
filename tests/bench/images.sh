#!/bin/sh
# sh tests/bench/images.sh [--quick] [--only scan,decode,series,window] [--repeats N]
#   [--markdown | --readme FILE] [--json FILE] - builds what is measured and runs images.py: JSON,
# one object per line, or tables. A quiet machine, please: it says how busy it was.
#   --readme tests/bench/README.md   writes the tables where they belong
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

build=${HILUM_BENCH_BUILD:-$top/build-bench}
if [ ! -f "$build/build.ninja" ]; then
  meson setup "$build" "$top" >&2 # as people build it: optimised, no sanitizers
fi
ninja -C "$build" --quiet ui/cli/hilum dicom/helper/hilum-decode tests/bench/bench-images \
  tests/bench/dcmtk-peer >&2
export HILUM_BIN="$build/ui/cli/hilum" HILUM_DECODE="$build/dicom/helper/hilum-decode"
export BENCH_IMAGES="$build/tests/bench/bench-images" DCMTK_PEER="$build/tests/bench/dcmtk-peer"
export HILUM_SHARED="${HILUM_SHARED:-$top/../shared}"
exec /usr/bin/python3 "$top/tests/bench/images.py" "$@"
