#!/bin/sh
# 00-download.sh NAME... - fetches lists and packages, only those named, with curl; goes on where a
# download broke off. Nothing else in this folder, and nothing in Hilum, uses the network by itself.
#
#   image-urls     llava_med_image_urls.jsonl   (129 MB; CC BY-NC 4.0, see LLaVA-Med's README)
#   fig-captions   llava_med_instruct_fig_captions.json   (169 MB; the same)
#   file-list      oa_file_list.csv, all packages of PubMed Central's open access subset
#   packages       the packages in $WORK/lists/urls.txt, or of FILE with packages=FILE, this task's share
#
# The lists live in a Git LFS store and may move: LISTS_URL and PMC_URL say where to look.
. "$(dirname "$0")/settings.sh"
: "${LISTS_URL:=https://media.githubusercontent.com/media/microsoft/LLaVA-Med/main/data}"
: "${PMC_URL:=https://ftp.ncbi.nlm.nih.gov/pub/pmc}"
lists=$WORK/lists
[ $# -gt 0 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" && exit 2; }
mkdir -p "$lists" "$PACKAGES"

# fetch URL FILE: whole, or not at all; what came of it stays aside and is gone on with.
fetch() {
  done_already "$2" && return
  curl --fail --location --silent --show-error --retry 5 --continue-at - --output "$2.part" "$1" &&
    mv "$2.part" "$2"
}

packages() {
  [ -f "$1" ] || fail "$1: no such list (hilum dataset convert --to urls makes one)"
  lost=$lists/lost-$SHARD-of-$SHARDS.txt
  : >"$lost"
  awk -v i="$SHARD" -v n="$SHARDS" 'NR % n == i % n' "$1" | while read -r url; do
    name=${url##*/}
    case $name in
    *.tar.gz | *.tgz) ;;
    *) say "$url: no package" && echo "$url" >>"$lost" && continue ;;
    esac
    # Many of the addresses are gone: each is named, none ends the rest.
    fetch "$url" "$PACKAGES/$name" || { say "$url: not fetched" && echo "$url" >>"$lost"; }
  done
  say "$(wc -l <"$lost") of this task's packages could not be fetched: $lost"
}

for name in "$@"; do
  case $name in
  image-urls)
    fetch "$LISTS_URL/llava_med_image_urls.jsonl" "$lists/llava_med_image_urls.jsonl"
    done_already "$lists/urls.txt" ||
      "$HILUM" dataset convert --in "$lists/llava_med_image_urls.jsonl" --to urls --out "$lists/urls.txt"
    ;;
  fig-captions)
    fetch "$LISTS_URL/instruct/llava_med_instruct_fig_captions.json" \
      "$lists/llava_med_instruct_fig_captions.json"
    ;;
  file-list) fetch "$PMC_URL/oa_file_list.csv" "$lists/oa_file_list.csv" ;;
  packages) packages "$lists/urls.txt" ;;
  packages=*) packages "${name#packages=}" ;;
  *) fail "$name: expected image-urls, fig-captions, file-list, packages or packages=FILE" ;;
  esac
done
