#!/bin/sh
# test-desktop.sh PROGRAM [ARGUMENT...] - runs a test of the window on a display of its own.
set -eu
for need in Xvfb dbus-run-session xdotool; do
  if ! command -v "$need" >/dev/null; then
    echo "1..0 # SKIP THE WINDOW IS NOT TESTED: there is no $need"
    exit 0
  fi
done
# No GPU (and no GL driver, which leaks as it is unloaded), no settings of the user, no warning
# overlooked.
export GDK_BACKEND=x11 GSK_RENDERER=cairo GDK_DEBUG=gl-disable
export GSETTINGS_BACKEND=memory G_DEBUG=fatal-warnings HILUM_LOG_PROTECTION=file
unset WAYLAND_DISPLAY GTK_THEME GDK_SCALE 2>/dev/null || true
if [ -n "${SCALE:-}" ]; then
  export GDK_SCALE="$SCALE"
fi

# The file chooser's libraries have no frame pointers: what they leak is known as theirs (lsan.supp) only
# when stacks are walked the slow way.
case $1 in
*-desktop-output | *-desktop-models | *-desktop-record) export ASAN_OPTIONS="${ASAN_OPTIONS:-}:fast_unwind_on_malloc=0" ;;
esac

# No key repeats itself (-r): where the machine is busy, one is held longer than hands would.
# The server picks a free display itself and says which: two tests that start at once cannot collide.
folder=$(mktemp -d)
Xvfb -r -displayfd 3 -screen 0 "${SCREEN:-1280x800x24}" -nolisten tcp -noreset 3>"$folder/display" 2>"$folder/log" &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
waited=0
until [ -s "$folder/display" ]; do
  if ! kill -0 "$server" 2>/dev/null || [ "$waited" -ge 600 ]; then
    cat "$folder/log" >&2
    echo "Bail out! Xvfb does not start"
    exit 1
  fi
  sleep 0.1
  waited=$((waited + 1))
done
DISPLAY=:$(cat "$folder/display")
export DISPLAY
unset XAUTHORITY 2>/dev/null || true
# What the bus starts speaks as well; the test alone speaks TAP.
dbus-run-session -- sh -c 'exec "$@" >&3 3>&-' sh "$@" 3>&1 >&2
