#!/bin/sh
# run.sh MODEL_CROSS SOURCE BUILD - speaks TAP. Builds the model room for AArch64 without OpenBLAS in
# BUILD, runs it there under qemu, and compares with MODEL_CROSS, the same program of this machine:
# kernels beside their portable twin, and the greedy ids of the demo model and of the tiny golden
# ones.
set -eu
native=$1 source=$2 build=$3
cross=$build/tests/cross/model-cross
shared=${HILUM_SHARED:-$source/../shared}/vectors
log=$build.log

for program in aarch64-linux-gnu-gcc qemu-aarch64; do
  if ! command -v $program >/dev/null; then
    echo "1..0 # SKIP NO $program: nothing is known about other processors"
    exit 0
  fi
done

models=data/demo/hilum-demo.gguf
for type in Q4_0 Q4_K_M Q5_K_M Q6_K Q8_0; do
  [ ! -f "$shared/A-v15-tiny/gguf/llm-$type.gguf" ] || models="$models A-v15-tiny/$type"
done
[ ! -f "$shared/C-odd/gguf/llm-Q4_K_M.gguf" ] || models="$models C-odd/Q4_K_M"

set -- $models
echo "1..$((3 + $#))"
number=0
ok() {
  number=$((number + 1))
  echo "ok $number - $1"
}
not_ok() {
  number=$((number + 1))
  echo "not ok $number - $1"
  sed 's/^/# /' "$log"
}
check() {
  name=$1
  shift
  if "$@" >"$log" 2>&1; then ok "$name"; else not_ok "$name"; fi
}

there() { qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu "$cross" "$@"; }

make_it() {
  if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" "$source" --cross-file "$source/tests/cross/aarch64.ini" \
      -Drooms=model -Dopenblas=disabled -Db_sanitize=none
  fi
  ninja -C "$build" tests/cross/model-cross
}

# KERNELS that there must be, and the processor's NAME for qemu.
twins() {
  qemu-aarch64 -cpu "$2" -L /usr/aarch64-linux-gnu "$cross" twins >"$build/twins" &&
    cat "$build/twins" && grep -qx "kernels: $1" "$build/twins"
}

# For each question the float32 lines of both agree, and all packed ones, as far as each
# goes: it ends where a choice is close.
same_ids() {
  "$native" ids "$@" >"$build/here" && there ids "$@" >"$build/there" &&
    cat "$build/here" "$build/there" &&
    grep -q '^packed.*: [0-9]' "$build/there" && grep -q '^float32.*: [0-9]' "$build/there" &&
    awk -F: '{
      n = split($2, id, " ")
      for (i = 1; i <= n; i++) {
        if (($1, i) in seen && seen[$1, i] != id[i]) { print "differs: " $0; exit 1 }
        seen[$1, i] = id[i]
      }
    }' "$build/here" "$build/there"
}

check "the model room builds for AArch64" make_it
check "kernels have the bits of their portable twin" twins "neon portable" max
check "a processor without dot products has the portable ones" twins portable cortex-a53
for model; do
  case $model in
  data/*) check "ids of $model" same_ids "$source/$model" ;;
  *)
    folder=$shared/${model%/*}/gguf
    check "ids of $model" same_ids "$folder/llm-${model#*/}.gguf" "$folder/mmproj-f16.gguf"
    ;;
  esac
done
