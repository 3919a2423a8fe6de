#!/bin/sh
# sh ui/desktop/screenshots.sh FOLDER [STATE...] - pictures of the window in a dozen states, made from
# phantoms with the demo model on a display of its own, one PNG a state. Each is to be looked at.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${HILUM_BUILD:-$top/build}
if [ $# -lt 1 ]; then
  echo "usage: sh ui/desktop/screenshots.sh FOLDER [STATE...]" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
for need in Xvfb dbus-run-session xdotool import; do
  if ! command -v "$need" >/dev/null; then
    echo "screenshots.sh: there is no $need" >&2
    exit 1
  fi
done
scratch=$(mktemp -d)
server=
dpi=
program=
end() {
  [ -z "$program" ] || kill "$program" 2>/dev/null || true
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
trap end EXIT
export GDK_BACKEND=x11 GSK_RENDERER=cairo GDK_DEBUG=gl-disable GTK_A11Y=none
unset WAYLAND_DISPLAY XAUTHORITY GTK_THEME 2>/dev/null || true
XDG_CONFIG_HOME=$scratch/config XDG_DATA_HOME=$scratch/data XDG_CACHE_HOME=$scratch/cache
export XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME GSETTINGS_BACKEND=keyfile
mkdir -p "$XDG_CONFIG_HOME" "$XDG_DATA_HOME" "$XDG_CACHE_HOME"

# ---- something to show ----------------------------------------------------------------------
hilum=$build/ui/cli/hilum
"$hilum" phantom --out "$scratch/p" --seed 7 --count 2 --kind chest-cr >/dev/null 2>&1
mkdir -p "$scratch/study"
mv "$scratch/p/images" "$scratch/study/chest-radiographs"
"$hilum" phantom --out "$scratch/study/ct" --seed 7 --stack 48 >/dev/null 2>&1
chest=$scratch/study/chest-radiographs ct=$scratch/study/ct

# ---- hands ----------------------------------------------------------------------------------
# start SIZE SCALE STYLE [ARGUMENT...] - a fresh display and program.
start() {
  size=$1 scale=$2 style=$3
  shift 3
  mkdir -p "$XDG_CONFIG_HOME/glib-2.0/settings"
  printf '[org/hilum/Hilum]\nstyle='"'%s'"'\nwindow-size=(%s, %s)\n' "$style" \
    "$((${size%x*} / scale))" "$((${size#*x} / scale))" >"$XDG_CONFIG_HOME/glib-2.0/settings/keyfile"
  : >"$scratch/display"
  Xvfb -displayfd 3 -screen 0 "${size}x24" -nolisten tcp -noreset 3>"$scratch/display" \
    >/dev/null 2>&1 &
  server=$!
  until [ -s "$scratch/display" ]; do sleep 0.1; done
  DISPLAY=:$(cat "$scratch/display")
  export DISPLAY
  # 150 %: letters grow, and all that is measured by them; GTK 4 scales by whole numbers alone.
  [ -z "$dpi" ] || xprop -root -f RESOURCE_MANAGER 8s -set RESOURCE_MANAGER "Xft.dpi: $dpi"
  : >"$scratch/pid"
  GDK_SCALE=$scale dbus-run-session -- sh -c 'echo $$ >"$0"; exec "$@"' "$scratch/pid" \
    "$build/ui/desktop/hilum-desktop" --log "$scratch/log.sqlite" "$@" \
    >/dev/null 2>"$scratch/err" </dev/null &
  until xdotool search --onlyvisible --name Hilum >/dev/null 2>&1; do sleep 0.2; done
  program=$(cat "$scratch/pid")
  xdotool mousemove $((${size%x*} / 2)) $((${size#*x} * 2 / 5))
  settle
}
# settle - until the screen stands still, and the model is there.
settle() {
  before=
  calm=0
  tries=0
  while [ $calm -lt 4 ] && [ $tries -lt 100 ]; do
    sleep 0.4
    now=$(import -window root rgb:- | cksum)
    if [ "$now" = "$before" ]; then calm=$((calm + 1)); else calm=0; fi
    before=$now
    tries=$((tries + 1))
  done
}
# take STATE - the picture, and the end.
take() {
  settle
  import -window root -depth 8 -define png:compression-level=9 "$out/$1.png"
  kill "$program" 2>/dev/null || true
  while kill -0 "$program" 2>/dev/null; do sleep 0.1; done
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  grep -v dbus-daemon "$scratch/err" | sed "s/^/$1: /" >&2 || true
  program='' server=''
  echo "$out/$1.png"
}
keys() {
  for k in "$@"; do
    xdotool key --delay 20 "$k"
    sleep 0.3
  done
}
say() {
  keys ctrl+l ctrl+a
  xdotool type --delay 15 "$1"
  keys Return
  settle
}
click() {
  xdotool mousemove "$1" "$2" click 1
  sleep 0.5
}
drag() {
  xdotool mousemove "$1" "$2" mousedown 1 mousemove $((($1 + $3) / 2)) $((($2 + $4) / 2)) mousemove "$3" "$4" \
    mouseup 1
  sleep 0.3
}

# ---- states ---------------------------------------------------------------------------------
state() {
  case $1 in
    empty) start 1280x800 1 dark ;;
    ct) start 1280x800 1 dark "$ct"; keys Home; for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do keys Down; done ;;
    chest) start 1280x800 1 dark "$chest"; keys ctrl+2 ;;
    four) start 1440x900 1 dark "$scratch/study"; keys ctrl+4 ;;
    annotations)
      start 1280x800 1 dark "$ct"
      keys d; drag 150 450 746 450
      keys e; drag 410 300 480 370
      keys a; drag 280 590 455 540; xdotool mousemove 600 590 click 1; sleep 0.3
      keys w ;;
    cursor)
      start 1280x800 1 dark "$ct"
      keys t Return Return
      for _ in 1 2 3 4 5 6 7; do keys Right Down; done ;;
    tags) start 1280x800 1 dark "$ct"; keys ctrl+t ;;
    asking) start 1280x800 1 dark "$chest"; keys ctrl+l; xdotool type --delay 15 "Is there a pleural effusion? On which side?" ;;
    answered)
      start 1280x800 1 dark "$chest"
      say "Is there a pleural effusion?"
      say "On which side?"
      click 1252 457 ;; # details of the second
    history) start 1280x800 1 dark "$chest"; say "Is there a nodule?"; keys ctrl+h ;;
    preferences) start 1280x800 1 dark "$ct"; keys ctrl+comma ;;
    models) start 1280x800 1 dark "$ct"; keys ctrl+m ;;
    shortcuts) start 1280x800 1 dark "$ct"; keys ctrl+question ;;
    light) start 1280x800 1 light "$ct"; say "What organ is shown?" ;;
    contrast)
      export ADW_DEBUG_HIGH_CONTRAST=1
      start 1280x800 1 light "$chest"
      unset ADW_DEBUG_HIGH_CONTRAST
      say "Is there a nodule?" ;;
    half)
      dpi=144
      start 1536x1050 1 dark "$scratch/study"
      dpi=
      say "What organ is shown?" ;;
    small) start 1024x700 1 dark "$scratch/study"; say "What organ is shown?" ;;
    twice) start 2048x1400 2 dark "$scratch/study"; say "What organ is shown?" ;;
    german) LANGUAGE=de LC_ALL=C.UTF-8; export LANGUAGE LC_ALL; start 1024x700 1 dark "$ct"; say "What organ is shown?"; unset LANGUAGE LC_ALL ;;
    *)
      echo "screenshots.sh: there is no state $1" >&2
      exit 2 ;;
  esac
  take "$1"
}
[ $# -gt 0 ] || set -- empty ct chest four annotations cursor tags asking answered history preferences models \
  shortcuts light contrast small half twice german
for s in "$@"; do
  state "$s"
done
