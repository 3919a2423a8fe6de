#!/bin/sh
# app/install.sh KIND... - installs the Debian packages of app/packages.txt that are missing, for the
# kinds named (run, build, test). Does nothing, quickly, when all are there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=
for kind in "$@"; do
  for package in $(sed -n "s/^$kind //p" "$here/packages.txt"); do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
      missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "hilum: these Debian packages are needed:$missing" >&2
  echo "hilum: this is not a Debian system; install their like by hand" >&2
  exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "hilum: as root, run: apt-get install$missing" >&2
  exit 1
fi
echo "hilum: installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the lists are words on purpose
{
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends $missing
} >&2
