#!/usr/bin/python3
"""test-desktop-atspi.py - the running program as a screen reader sees it, driven by hands.

$HILUM_DESKTOP_BIN opens phantom studies with the demo model on the display and bus at hand (run by
test-desktop.sh); xdotool is the hands, AT-SPI the eyes. Every wait is for something to be true:
the limit is there to end a hang. Speaks TAP.
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


# ---- what is tried -------------------------------------------------------------------------

def test_names(scratch, study):
    """Whatever can be focused or pressed has a role and a name for who cannot see it."""
    program = Program(os.path.join(scratch, "names.sqlite"), study)
    try:
        program.shows("of 12")
        nameless = [f"{node.get_role_name()} {node.get_description()!r}"
                    for node in program.all()
                    if node.get_state_set().contains(Atspi.StateType.FOCUSABLE)
                    and node.get_role_name() in ("push button", "toggle button", "text", "image",
                                                 "check box", "list", "combo box")
                    and re.match(r"$|Gtk|Adw|Desktop", node.get_name() or "")]
        assert not nameless, nameless
        assert program.frame.get_parent().get_name() == "hilum-desktop"
        for role, name in (("image", "^Image"), ("text", "^Question"), ("list", "^Conversation"),
                           ("tool bar", "."), ("push button", "^Main [Mm]enu")):
            program.find(role, name)
    finally:
        program.end()


def test_focus_order(scratch, study):
    """Tab goes as one reads: series, picture, question."""
    program = Program(os.path.join(scratch, "order.sqlite"), study)
    try:
        program.shows("of 12")
        program.to_picture()
        order = []
        for _ in range(60):
            before = program.focused()
            program.key("Tab")
            wait_briefly(lambda seen=before: program.focused() not in (seen, None))
            node = program.focused()
            order.append((node.get_role_name(), node.get_name()) if node else ("", ""))
            if order[-1][0] == "image":
                break
        roles = [role for role, _ in order]
        assert roles[-1] == "image", order
        assert ("text", "Question") in order, order
        # Round once from the picture: the conversation's end comes before the header bar's begin.
        question = order.index(("text", "Question"))
        menu = next(i for i, (_, name) in enumerate(order) if name.lower() == "main menu")
        assert question < menu, order
    finally:
        program.end()


def test_session(scratch, study):
    """A day's work: look, measure, ask, follow up, stop, judge, search, go on another day."""
    log = os.path.join(scratch, "session.sqlite")
    program = Program(log, study)
    try:
        program.shows("(slice|image) 1 of 12")
        # scroll
        x, y = program.to_picture()
        program.key("Down", "Down")
        program.shows("(slice|image) 3 of 12")
        hands("click", "5")
        program.shows("(slice|image) 4 of 12")
        program.key("End")
        program.shows("(slice|image) 12 of 12")
        program.key("Home")
        program.shows("(slice|image) 1 of 12")
        # window
        before = program.shows("window (\\S+?)/(\\S+?),").groups()
        hands("mousemove", str(x), str(y), "mousedown", "1", "mousemove", str(x + 60), str(y + 30),
              "mousemove", str(x + 120), str(y + 60), "mouseup", "1")
        wait(lambda: (now := re.search("window (\\S+?)/(\\S+?),", program.picture())) and
             now.groups() != before, "another window")
        program.key("BackSpace")
        program.shows(f"window {re.escape(before[0])}/{re.escape(before[1])},")
        # measure
        program.key("d")
        hands("mousemove", str(x), str(y), "mousedown", "1", "mousemove", str(x + 30), str(y),
              "mousemove", str(x + 80), str(y), "mouseup", "1")
        program.shows("[0-9] mm")
        program.key("w")
        # ask, follow up
        program.ask_and_wait("Is there a nodule?")
        wait(lambda: (node := program.focused()) and node.get_role_name() in ("label", "text"),
             "the answer to be announced by the focus")
        program.ask_and_wait("On which side?")
        wait(lambda: len(logged(log)) >= 2, "two turns in the log")
        # verdict
        program.press(program.find("push button", "^Accept the answer"))
        program.find("label", "^Accepted by ")
        # stop: whether it comes before the answer's end or after it, the next question is answered
        program.ask("Describe everything that you see.")
        program.key("Escape")
        program.ask_and_wait("Is it a CT?")
        n_turns = len(logged(log))
        assert n_turns >= 3, n_turns
        program.quit()
        # another day: search and go on
        program = Program(log, study)
        program.shows("(slice|image) 1 of 12")
        wait(lambda: (program.key("ctrl+h"), wait_briefly(
            lambda: (node := program.focused()) and node.get_role_name() in ("text", "entry") and
            node.get_name() != "Question"))[1], "the focus on the search")
        hands("type", "--delay", "10", "nodule")
        row = program.find("list item", "nodule")
        focus_and_press(program, row)
        go_on = program.find("push button", "Go On")
        wait(lambda: go_on.get_state_set().contains(Atspi.StateType.SENSITIVE), "going on")
        program.press(go_on)
        program.ask_and_wait("And now?")
        wait(lambda: len(logged(log)) > n_turns, "the new turn in the log")
        program.quit()
    finally:
        program.end()


def focus_and_press(program, row):
    """Rows of lists have no action in AT-SPI (GTK 4.8): by mouse, then."""
    x, y = program.place(row)
    hands("mousemove", "--sync", str(x), str(y))
    hands("click", "1")


def test_dialogs(scratch, study):
    """Keys, preferences and models open by keys, have names, and close by Escape."""
    program = Program(os.path.join(scratch, "dialogs.sqlite"), study)
    try:
        program.shows("of 12")
        for keys, name in (("ctrl+question", "Next image"), ("ctrl+comma", "Style"),
                           ("ctrl+m", "Demo model")):
            wait(lambda pressed=keys, expected=name: (
                hands("windowfocus", "--sync", program.window), program.key(pressed),
                wait_briefly(lambda: program.has(None, expected)))[2], f"{name} after {keys}")
            application = program.frame.get_parent()
            program.key("Escape")
            wait(lambda: application.get_child_count() == 1 or (program.key("Escape"), False)[1],
                 f"the dialog of {keys} to be gone")
    finally:
        program.end()


def test_change_key(scratch, study):
    """Other keys for describing: pressed in the preferences, they count at once."""
    program = Program(os.path.join(scratch, "keys.sqlite"), study)
    try:
        program.shows("of 12")
        wait(lambda: (hands("windowfocus", "--sync", program.window), program.key("ctrl+comma"),
                      wait_briefly(lambda: program.has(None, "^Style$")))[2], "the preferences")
        focus_and_press(program, program.find(None, "^Keys$"))

        def asked():
            # A button that is not in sight yet does nothing.
            if not program.has("label", "^Press the new keys"):
                program.find("push button", "^Describe the image: Change").do_action(0)
            return wait_briefly(lambda: program.has("label", "^Press the new keys"))

        wait(asked, "the dialog")

        def pressed():
            # The dialog has the focus of nobody until it gets it: there is no window manager.
            for window in hands("search", "--onlyvisible", "--name", "Change Keys").split():
                hands("windowfocus", "--sync", window)
            program.key("ctrl+k")
            return wait_briefly(lambda: any(
                node.get_state_set().contains(Atspi.StateType.SENSITIVE)
                for node in program.all("push button", "^(_Set )?Set$")))

        wait(pressed, "keys that can be set")
        program.key("Return")
        application = program.frame.get_parent()
        wait(lambda: not program.has("label", "^Press the new keys"), "the dialog to be gone")
        wait(lambda: application.get_child_count() == 1 or (program.key("Escape"), False)[1],
             "the preferences to be gone")
        wait(lambda: (hands("windowfocus", "--sync", program.window), program.key("ctrl+k"),
                      wait_briefly(lambda: program.turns() == 1))[2], "a description")
    finally:
        program.end()


def test_two_processes(scratch, study):
    """Another process writes to the same log meanwhile: both are answered, both are kept."""
    log = os.path.join(scratch, "shared.sqlite")
    image = os.path.join(study, sorted(os.listdir(study))[0])
    program = Program(log, study)
    other = None
    try:
        program.shows("of 12")
        program.ask_and_wait("Is there a nodule?")
        other = subprocess.Popen([CLI, "ask", "--log", log, "--image", image] +
                                 ["--question", "Is it a CT?"] * 5, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        program.ask_and_wait("On which side?")
        assert other.wait(timeout=WAIT_SECONDS) == 0, other.returncode
        wait(lambda: sorted(turn["question"] for turn in logged(log)) ==
             ["Is it a CT?"] * 5 + ["Is there a nodule?", "On which side?"], "all in the log")
    finally:
        program.end()
        if other:
            other.kill()


def test_second_start(scratch, study):
    """A second start opens its file in the window that is there, and ends."""
    variables = {"XDG_DATA_HOME": os.path.join(scratch, "data"),
                 "XDG_CACHE_HOME": os.path.join(scratch, "cache")}
    environment = dict(os.environ, G_DEBUG=DEBUG, **variables)
    one = os.path.join(study, sorted(os.listdir(study))[0])
    first = subprocess.Popen([BINARY, study], env=environment)
    try:
        program = Program.__new__(Program)
        program.process = first
        program.frame = wait(program._find_frame, "the window")
        program.shows("of 12")
        second = subprocess.run([BINARY, one], env=environment, timeout=WAIT_SECONDS, check=False)
        assert second.returncode == 0, second.returncode
        program.shows("1 of 1")
        assert first.poll() is None
    finally:
        first.terminate()
        first.wait(timeout=WAIT_SECONDS)


def test_helper_killed(scratch, study):
    """Decoding helpers that are killed are started again: the next images are shown."""
    program = Program(os.path.join(scratch, "killed.sqlite"), study)
    try:
        program.shows("1 of 12")
        children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(program.process.pid)],
                                  capture_output=True, text=True, check=False).stdout
        helpers = [int(line.split()[0]) for line in children.splitlines()
                   if line.split()[1].startswith("hilum-decod")]
        for helper in helpers:
            os.kill(helper, signal.SIGKILL)
        program.to_picture()
        program.key("End")
        program.shows("12 of 12")
        program.ask_and_wait("Is it a CT?")
    finally:
        program.end()


def test_files_vanish(scratch, study):
    """The study's folder goes away while it is shown: what is there stays, the rest is said."""
    copy = os.path.join(scratch, "vanishing")
    shutil.copytree(study, copy)
    program = Program(os.path.join(scratch, "vanish.sqlite"), copy)
    try:
        program.shows("1 of 12")
        shutil.rmtree(copy)
        program.to_picture()
        for _ in range(11):
            program.key("Down")
        wait(lambda: re.search("12 of 12", program.picture()) or program.has("label", "[.]dcm"),
             "the last image, or why it is not there")
        program.quit()
    finally:
        program.end()


def test_model_replaced(scratch, study):
    """Another file takes the model's place while it is in use: the loaded one answers on, and the
    next start says what is wrong with the other."""
    model = os.path.join(scratch, "model.gguf")
    other = os.path.join(scratch, "other.gguf")
    shutil.copy(demo_model(), model)
    with open(other, "wb") as file:
        file.write(b"no model at all")
    log = os.path.join(scratch, "replaced.sqlite")
    program = Program(log, "--model", model, study)
    try:
        program.shows("of 12")
        program.ask_and_wait("Is it a CT?")
        os.replace(other, model)
        program.ask_and_wait("Is there a nodule?")
        wait(lambda: len(logged(log)) == 2, "both in the log")
        program.quit()
        program = Program(log, "--model", model, study)
        program.shows("of 12")
        program.find("label", "There is no model to ask: .*model[.]gguf")
        program.quit()
    finally:
        program.end()


def test_german(scratch, study):
    """Words and numbers as Germans write them, on the screen; in the log as ever."""
    places = os.path.join(scratch, "places")
    os.mkdir(places)
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8",
                           os.path.join(places, "de_DE.UTF-8")], capture_output=True, check=False)
    if made.returncode != 0:
        print("# THERE IS NO GERMAN PLACE TO TRY: the package locales is missing")
        return
    log = os.path.join(scratch, "german.sqlite")
    program = Program(log, study, LOCPATH=places, LC_ALL="de_DE.UTF-8", LANGUAGE="de")
    try:
        program.shows("(Schicht|Bild) 1 von 12, Fenster ")
        program.find("text", "^Frage$")
        program.to_picture()
        hands("type", "d")
        x, y = program.place(program.find("image", "^(Image|Bild)"))
        hands("mousemove", str(x), str(y), "mousedown", "1", "mousemove", str(x + 30), str(y),
              "mousemove", str(x + 81), str(y), "mouseup", "1")
        program.shows("[0-9],[0-9] mm")
        program.ask_and_wait("Is there a nodule?")
        turn = wait(lambda: logged(log), "the turn in the log")[0]
        assert turn["sampling"]["temperature"] == 0.2, turn["sampling"]
        assert isinstance(turn["image"]["window_width"], (int, float)), turn["image"]
    finally:
        program.end()


def demo_model():
    """The demo model's file, as the program itself finds it."""
    info = subprocess.run([CLI, "model", "info", "--json"], capture_output=True, text=True,
                          check=True).stdout
    return json.loads(info)["path"]


TESTS = [test_names, test_focus_order, test_session, test_german, test_dialogs, test_change_key,
         test_model_replaced, test_two_processes, test_second_start, test_helper_killed, test_files_vanish]


def main():
    Atspi.init()
    chosen = [t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
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


if __name__ == "__main__":
    sys.exit(main())
