#!/bin/sh
# test-desktop.sh PROGRAM [ARGUMENT...] - runs a test of the window on a display of its own.
set -eu
for need in xvfb-run Xvfb dbus-run-session xdotool; do
  if ! command -v "$need" >/dev/null; then
    echo "1..0 # SKIP THE WINDOW IS NOT TESTED: there is no $need"
    exit 0
  fi
done
# No GPU (and no GL driver, which leaks as it is unloaded), no settings of the user, no warning
# overlooked.
export GDK_BACKEND=x11 GSK_RENDERER=cairo GDK_DEBUG=gl-disable
export GSETTINGS_BACKEND=memory G_DEBUG=fatal-warnings
unset WAYLAND_DISPLAY GTK_THEME GDK_SCALE 2>/dev/null || true
exec xvfb-run -a -s "-screen 0 1280x800x24" dbus-run-session -- "$@"
