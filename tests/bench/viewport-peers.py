"""viewport-peers.py BUILD - the window beside Aeskulap and AMIDE, on one series of 300 slices.

Each program gets a display of its own; a part of the screen is looked at again and again, and the
time counts from which on it stays as it is at the end. Printed, one JSON object a line: seconds
from the start to the picture (AMIDE: to the series in its list, a click is needed for its
picture), resident memory, and seconds from the first of 299 turns of the wheel to the last slice.
Other programs differ in the size that they show the picture at; ours is the largest.
"""

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SLICES = 300


def descendants(pid):
    out = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, check=False).stdout
    for child in out.split():
        yield int(child)
        yield from descendants(int(child))


def resident_mb(pid):
    total = 0
    for child in descendants(pid):
        try:
            with open(f"/proc/{child}/status", encoding="ascii", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        if "dbus" not in text.split("\n", 1)[0] and "VmRSS:" in text:
            total += int(text.split("VmRSS:")[1].split()[0])
    return total // 1024


class Screen:
    def __init__(self, crop):
        self.crop = crop
        self.home = tempfile.mkdtemp()
        reads, writes = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writes], stderr=subprocess.DEVNULL)
        self.env = dict(os.environ, DISPLAY=":" + os.read(reads, 16).decode().strip(), HOME=self.home,
                        GDK_BACKEND="x11", GSK_RENDERER="cairo", GDK_DEBUG="gl-disable",
                        GSETTINGS_BACKEND="memory", GTK_A11Y="none", NO_AT_BRIDGE="1")

    def look(self):
        shot = subprocess.run(["import", "-silent", "-window", "root", "-crop", self.crop, "-depth", "8", "gray:-"],
                              env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
        return hashlib.sha256(shot).digest()

    def settled(self, seconds):
        """Seconds from now until the screen is as it is after SECONDS."""
        start, seen = time.monotonic(), []
        while time.monotonic() < start + seconds:
            at = time.monotonic() - start
            seen.append((at, self.look()))
        changes = [i for i in range(1, len(seen)) if seen[i][1] != seen[i - 1][1]]
        return seen[changes[-1]][0] if changes else 0.0

    def close(self):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def measure(name, crop, wheel_at, command):
    screen = Screen(crop)
    program = subprocess.Popen(["dbus-run-session", "--", *command], env=screen.env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    row = {"program": name, "start_to_picture_s": round(screen.settled(6), 2)}
    row["resident_mb"] = resident_mb(program.pid)
    if wheel_at:
        subprocess.run(["xdotool", "mousemove", *wheel_at, "sleep", "0.5"], env=screen.env, check=True)
        turns = subprocess.Popen(["xdotool", "click", "--repeat", str(SLICES - 1), "--delay", "1", "5"], env=screen.env)
        row["scroll_all_s"] = round(screen.settled(6), 2)
        turns.wait()
    print(json.dumps(row), flush=True)
    for child in list(descendants(program.pid)):
        try:
            os.kill(child, 15)
        except OSError:
            pass
    program.wait()
    screen.close()


def main():
    build = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp()
    stack = os.path.join(folder, "stack")
    try:
        subprocess.run([os.path.join(build, "ui/cli/hilum"), "phantom", "--stack", str(SLICES), "--size", "512",
                        "--out", stack], check=True, stdout=subprocess.DEVNULL)
        files = sorted(glob.glob(os.path.join(stack, "*.dcm")))
        for _ in range(3):
            measure("hilum-desktop", "200x100+500+300", ("500", "400"),
                    [os.path.join(build, "ui/desktop/hilum-desktop"), "--no-log", stack])
            if shutil.which("aeskulap"):
                measure("aeskulap", "100x60+560+500", ("630", "540"), ["aeskulap", *files])
            if shutil.which("amide"):
                measure("amide", "200x30+100+110", None, ["amide", files[0]])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
