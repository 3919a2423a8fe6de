#!/bin/sh
# sh tests/run.sh [--long] [--sanitize] [--werror] [ROOM...] - installs what is missing, builds, runs
# every test (of the rooms named), and prints "N passed, N failed" as its last line.
#   --long      also the long fuzzing, fault and benchmark loops, and libFuzzer for two minutes a
#               target (of all rooms, or of "fuzz")
#   --sanitize  a build under AddressSanitizer and UndefinedBehaviorSanitizer instead
#   --werror    warnings are errors
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

build=$top/build-test
options=
suites=
while [ $# -gt 0 ]; do
  case $1 in
  --long) HILUM_TEST_LONG=1 && export HILUM_TEST_LONG ;;
  --sanitize)
    build=$top/build-sanitize
    # Leaks inside GTK's and fontconfig's caches are not ours; tests/house/lsan.supp lists them.
    options="$options -Db_sanitize=address,undefined -Db_lundef=false"
    ;;
  --werror) options="$options --werror" ;;
  --help) sed -n '2,7s/^# //p' "$0" && exit 0 ;;
  -*) echo "tests/run.sh: unknown option $1 (see --help)" >&2 && exit 2 ;;
  *) suites="$suites --suite $1" ;;
  esac
  shift
done

export ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export LSAN_OPTIONS="suppressions=$top/tests/house/lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
export OPENBLAS_NUM_THREADS=1
HILUM_SHARED=${HILUM_SHARED:-$top/../shared}
if [ -d "$HILUM_SHARED" ]; then
  HILUM_SHARED=$(cd "$HILUM_SHARED" && pwd)
else
  echo "tests/run.sh: NO SHARED DATA at $HILUM_SHARED: golden numbers and real inputs are not" \
    "compared; only data that the tests make themselves, or that Debian ships, are used" >&2
fi
export HILUM_SHARED

sh "$top/app/install.sh" run build test
# shellcheck disable=SC2086 # options and suites are words on purpose
{
  if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" "$top" $options >&2
  fi
  ninja -C "$build" --quiet >&2
  meson test -C "$build" --no-rebuild --print-errorlogs $suites >&2 || true
}
also=
case "${HILUM_TEST_LONG:-}:$suites " in
1:" " | 1:*" fuzz "*)
  also=$build/meson-logs/fuzz.tap
  sh "$top/tests/fuzz/run.sh" --seconds 120 >"$also" || true
  cat "$also" >&2
  ;;
esac
# shellcheck disable=SC2086 # a file or none
exec python3 "$top/tests/house/summarise.py" "$build/meson-logs/testlog.json" $also
