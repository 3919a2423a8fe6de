#!/bin/sh
# check-share.sh DESKTOP_FILE METAINFO SCHEMA ICON... - what desktops and shops read of the program, held
# against their own validators. Speaks TAP.
set -eu
entry=$1 metainfo=$2 schema=$3
shift 3
n=0
# report NAME PROGRAM ARGUMENT... - one test, skipped loudly where the program is not there.
report() {
  n=$((n + 1))
  name=$1
  shift
  if ! command -v "$1" >/dev/null; then
    echo "ok $n $name # SKIP THERE IS NO $1"
  elif output=$("$@" 2>&1); then
    echo "ok $n $name"
  else
    echo "not ok $n $name"
    echo "$output" | sed 's/^/# /'
  fi
}
report "desktop file" desktop-file-validate "$entry"
report "metainfo" appstreamcli validate --no-net "$metainfo"
report "schema" glib-compile-schemas --strict --dry-run "$(dirname "$schema")"
for manual in "$@"; do
  report "$(basename "$manual")" env LC_ALL=C.UTF-8 MANROFFSEQ='' sh -c \
    'problems=$(man --warnings -l "$1" 2>&1 >/dev/null); [ -z "$problems" ] || { echo "$problems"; exit 1; }' \
    man "$manual"
done
echo "1..$n"
