#!/usr/bin/python3
"""test-desktop-atspi.py - a day's work in the running program, through a screen reader's eyes.

See atspi_program.py. Speaks TAP.
"""

import os
import re
import subprocess
import sys

from atspi_program import (Atspi, Program, focus_and_press, hands, logged, run, wait,
                           wait_briefly)


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


TESTS = [test_names, test_focus_order, test_session, test_german, test_dialogs, test_change_key]


if __name__ == "__main__":
    sys.exit(run(TESTS))
