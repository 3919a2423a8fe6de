#!/bin/sh
# sh tests/fuzz/run.sh [--seconds N | --runs N] [TARGET...] - builds the libFuzzer targets with clang
# under AddressSanitizer and UndefinedBehaviorSanitizer, makes their seeds, and runs each target for
# so many seconds (default: 60) or inputs. One line a target: "ok" or "not ok", and what it covered;
# "N passed, N failed" at the end. Finds are kept in build-fuzz/finds, the grown corpus beside it, so
# that the next run goes on from there.
#   BUILD   another build folder than build-fuzz
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build-fuzz}
limit=-max_total_time=60
targets=

while [ $# -gt 0 ]; do
  case $1 in
  --seconds | --runs)
    case ${2:-} in
    '' | *[!0-9]*) echo "tests/fuzz/run.sh: $1 wants a number" >&2 && exit 2 ;;
    esac
    limit=-max_total_time=$2
    [ "$1" = --seconds ] || limit=-runs=$2
    shift
    ;;
  --help) sed -n '2,7s/^# //p' "$0" && exit 0 ;;
  -*) echo "tests/fuzz/run.sh: unknown option $1 (see --help)" >&2 && exit 2 ;;
  *) targets="$targets $1" ;;
  esac
  shift
done

if ! command -v clang >/dev/null; then
  echo "tests/fuzz/run.sh: clang is not installed" >&2
  exit 1
fi
if [ ! -f "$build/build.ninja" ]; then
  cache=$(command -v ccache || true)
  CC="$cache clang" CXX="$cache clang++" meson setup "$build" "$top" \
    -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
    -Dc_args=-fsanitize=fuzzer-no-link -Dcpp_args=-fsanitize=fuzzer-no-link >&2
fi
if [ -z "$targets" ]; then
  targets=$(ninja -C "$build" -t targets all |
    sed -n 's|^tests/fuzz/fuzz-\([a-z-]*\): .*|\1|p' | grep -v -e '-sample$' -e '^seeds$')
fi
programs=tests/fuzz/fuzz-seeds
for target in $targets; do
  programs="$programs tests/fuzz/fuzz-$target"
done
# shellcheck disable=SC2086 # names are words on purpose
ninja -C "$build" --quiet $programs >&2

# A find ends the run: UndefinedBehaviorSanitizer too, twenty seconds (five, on a machine that is busy
# and under the sanitizers), and a block of memory that no small file is
# worth. OpenBLAS must not start threads.
export ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
export LSAN_OPTIONS="suppressions=$top/tests/house/lsan.supp:print_suppressions=0"
export OPENBLAS_NUM_THREADS=1
shared=${HILUM_SHARED:-$top/../shared}/corpus

passed=0 failed=0
for target in $targets; do
  corpus=$build/corpus/$target seeds=$build/seeds/$target finds=$build/finds/$target
  log=$build/fuzz-$target.log
  mkdir -p "$corpus" "$finds"
  rm -rf "$seeds" && mkdir -p "$seeds"
  case $target in
  dicom* | deid) more=$shared/dicom longest=65536 ;;
  raster) more=$shared/dicom/cxr-bitmap longest=32768 ;;
  clip | gguf | huggingface | safetensors) more= longest=32768 ;;
  *) more= longest=4096 ;;
  esac
  # shellcheck disable=SC2086 # none or one
  "$build/tests/fuzz/fuzz-seeds" "$target" "$seeds" $more
  case $target in
  json | training-data | lists | evaluation | safetensors | huggingface | clip) words=json ;;
  deid) words=dicom ;;
  *) words=${target%%-*} ;;
  esac
  dictionary=
  [ ! -f "$top/tests/fuzz/$words.dict" ] || dictionary=-dict=$top/tests/fuzz/$words.dict
  # shellcheck disable=SC2086 # no dictionary: no word
  if "$build/tests/fuzz/fuzz-$target" "$limit" -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=20 \
    -max_len=$longest $dictionary -artifact_prefix="$finds/" -print_final_stats=1 "$corpus" \
    "$seeds" >"$log" 2>&1; then
    passed=$((passed + 1)) word=ok
  else
    failed=$((failed + 1)) word='not ok'
  fi
  echo "$word fuzz/$target: $(awk '
    /cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
    /number_of_executed_units/ { runs = $2 }
    /peak_rss_mb/ { rss = $2 }
    /^(SUMMARY|==[0-9]+== ERROR)/ && !found { found = $0 }
    /^artifact_prefix/ { sub(/.*written to /, ""); kept = $0 }
    END { printf "runs=%s cov=%s peak_mb=%s %s %s", runs, cov, rss, found, kept }' "$log")"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
