"""atspi_program.py - the running program as a screen reader sees it, driven by hands.

$HILUM_DESKTOP_BIN opens phantom studies with the demo model on the display and bus at hand (run by
test-desktop.sh); xdotool is the hands, AT-SPI the eyes. Every wait is for something to be true:
the limit is there to end a hang.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

# No warning of the program may be overlooked; libatspi has its own about what vanishes meanwhile.
DEBUG = os.environ.pop("G_DEBUG", "")

try:
    import gi
    gi.require_version("Atspi", "2.0")
    from gi.repository import Atspi
except (ImportError, ValueError) as missing:
    print(f"1..0 # SKIP THE WINDOW IS NOT TRIED WITH A SCREEN READER: {missing}")
    sys.exit(0)

WAIT_SECONDS = int(os.environ.get("HILUM_TEST_WAIT", "120"))
BINARY = os.environ["HILUM_DESKTOP_BIN"]
CLI = os.environ["HILUM_BIN"]


def wait(condition, what):
    """What CONDITION returns once it is true."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    if "HILUM_TEST_SHOTS" in os.environ:
        subprocess.run(["import", "-window", "root",
                        os.path.join(os.environ["HILUM_TEST_SHOTS"], "waited.png")], check=False)
    raise AssertionError(f"waited in vain for {what}")


def hands(*arguments):
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True,
                          check=False).stdout


def below(node, depth=0):
    """NODE and all that is below it, in reading order. What vanishes meanwhile is left out."""
    yield node
    try:
        children = [node.get_child_at_index(i) for i in range(node.get_child_count())]
    except gi.repository.GLib.Error:
        return
    for child in children:
        if child and depth < 60:
            yield from below(child, depth + 1)


class Program:
    """A running Hilum."""

    def __init__(self, log, *arguments, **variables):
        environment = dict(os.environ, G_DEBUG=DEBUG, **variables)
        self.process = subprocess.Popen([BINARY, "--log", log, *arguments], env=environment)
        self.frame = wait(self._find_frame, "the window")
        self.window = wait(lambda: hands("search", "--onlyvisible", "--pid", str(self.process.pid),
                                         "--name", "Hilum").split(), "X's window")[0]
        hands("windowfocus", "--sync", self.window)

    def _find_frame(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the program ended with {self.process.returncode}")
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            application = desktop.get_child_at_index(i)
            try:
                if application and application.get_process_id() == self.process.pid:
                    return application.get_child_at_index(0)
            except gi.repository.GLib.Error:
                pass
        return None

    def all(self, role=None, name=None):
        """Every widget of ROLE whose name, or what it says, matches NAME."""
        for node in below(self.frame.get_parent()):
            try:
                if (role is None or node.get_role_name() == role) and (
                        name is None or re.search(name, node.get_name() or "")):
                    yield node
            except gi.repository.GLib.Error:
                pass

    def find(self, role=None, name=None):
        return wait(lambda: next(self.all(role, name), None), f"a {role} named {name}")

    def has(self, role=None, name=None):
        return next(self.all(role, name), None) is not None

    def picture(self):
        """The text twin of the picture."""
        for node in self.all("image", "^(Image|Bild)"):
            text = node.get_description()
            if text:
                return text
        return ""

    def shows(self, pattern):
        return wait(lambda: re.search(pattern, self.picture()),
                    f"a picture with {pattern}; it is {self.picture()!r}")

    def focused(self):
        for node in self.all():
            try:
                if node.get_state_set().contains(Atspi.StateType.FOCUSED):
                    return node
            except gi.repository.GLib.Error:
                pass
        return None

    def place(self, node):
        """The middle of NODE, on the screen. The window is at its corner: there is no manager."""
        box = node.get_extents(Atspi.CoordType.WINDOW)
        return box.x + box.width // 2, box.y + box.height // 2

    def to_picture(self):
        """Puts focus and pointer on the picture, and says where the pointer is."""
        x, y = self.place(self.find("image", "^(Image|Bild)"))
        hands("mousemove", "--sync", str(x), str(y))
        hands("click", "1")
        wait(lambda: (node := self.focused()) and node.get_role_name() == "image",
             "the focus on the picture")
        return x, y

    def key(self, *keys):
        hands("key", "--delay", "20", *keys)

    def press(self, node):
        assert node.do_action(0), f"{node.get_name()} cannot be pressed"

    def turns(self):
        """Rows of the conversation that are answered."""
        return sum(1 for _ in self.all("push button", "^(Accept the [Aa]nswer|Antwort annehmen)"))

    def ask(self, question):
        """Types QUESTION and sends it; the model may still be loading, and then Enter does
        nothing."""
        entry = self.find("text", "^(Question|Frage)$")
        before = self.turns()

        def typed():
            hands("windowfocus", "--sync", self.window)
            self.key("ctrl+l")
            self.key("ctrl+a")
            hands("type", "--delay", "10", question)
            return wait_briefly(lambda: entry.get_text(0, -1) == question)

        wait(typed, "the question in its entry")
        wait(lambda: (self.key("Return"), wait_briefly(lambda: entry.get_text(0, -1) == ""))[1],
             "the question to be taken")
        return before

    def ask_and_wait(self, question):
        before = self.ask(question)
        wait(lambda: self.turns() > before, f"an answer to {question!r}")

    def quit(self):
        self.key("ctrl+q")
        assert self.process.wait(timeout=WAIT_SECONDS) == 0, self.process.returncode

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()


def wait_briefly(condition, seconds=3):
    """Whether CONDITION comes true soon; what failed is tried again by who calls."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def logged(log):
    """Turns in the log, oldest first."""
    rows = subprocess.run([CLI, "log", "list", "--json", "--log", log], capture_output=True,
                          text=True, check=False).stdout.splitlines()
    turns = []
    for row in reversed(rows):
        shown = subprocess.run([CLI, "log", "show", str(json.loads(row)["id"]), "--json", "--log",
                                log], capture_output=True, text=True, check=False).stdout
        turns += [json.loads(line) for line in shown.splitlines()]
    return turns


def focus_and_press(program, row):
    """Rows of lists have no action in AT-SPI (GTK 4.8): by mouse, then."""
    x, y = program.place(row)
    hands("mousemove", "--sync", str(x), str(y))
    hands("click", "1")


def demo_model():
    """The demo model's file, as the program itself finds it."""
    info = subprocess.run([CLI, "model", "info", "--json"], capture_output=True, text=True,
                          check=True).stdout
    return json.loads(info)["path"]


def run(tests):
    """Each of TESTS that the arguments name, or all, with a study of twelve slices. Speaks TAP."""
    Atspi.init()
    chosen = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    good = True
    scratch = tempfile.mkdtemp(prefix="hilum-atspi-")
    study = os.path.join(scratch, "ct")
    subprocess.run([CLI, "phantom", "--out", study, "--seed", "7", "--stack", "12"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"1..{len(chosen)}")
    for number, test in enumerate(chosen, 1):
        try:
            test(scratch, study)
            print(f"ok {number} {test.__name__}", flush=True)
        except Exception:  # every failure is one test's
            good = False
            print(f"not ok {number} {test.__name__}")
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()),
                  flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    return 0 if good else 1
