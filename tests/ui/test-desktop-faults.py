#!/usr/bin/python3
"""test-desktop-faults.py - what goes wrong around the running program: it goes on, loses nothing,
and says what helps.

See atspi_program.py. Speaks TAP.
"""

import http.server
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

from atspi_program import (BINARY, CLI, DEBUG, WAIT_SECONDS, Program, demo_model, hands, logged, run,
                           wait)


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


def test_model_cut_short(scratch, study):
    """The model's file is cut short in its place: no crash, no invented answer, and with a whole
    file there again the same window asks on."""
    model = os.path.join(scratch, "cut.gguf")
    whole = os.path.join(scratch, "whole.gguf")
    # As float32, weights are read where they lie in the file.
    subprocess.run([CLI, "model", "convert", "--type", "f32", "--out", model], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = os.path.join(scratch, "cut.sqlite")
    program = Program(log, "--model", model, study)
    try:
        program.shows("of 12")
        program.ask_and_wait("Is it a CT?")
        shutil.copy(model, whole)
        os.truncate(model, 4096)
        # It comes back into the entry at once.
        hands("windowfocus", "--sync", program.window)
        program.key("ctrl+l")
        hands("type", "--delay", "10", "Is there a nodule?")
        program.key("Return")
        program.find("label", "file was changed or cut short while it was in use")
        program.find("label", "There is no model to ask: .*cut[.]gguf")
        assert len(logged(log)) == 1
        # Pictures are shown all the same.
        program.to_picture()
        program.key("End")
        program.shows("12 of 12")
        # The file is there again.
        os.replace(whole, model)
        program.press(program.find("push button", "^(_)?Try Again"))
        program.ask_and_wait("Is there a nodule?")
        wait(lambda: len(logged(log)) == 2, "the answer in the log")
        program.quit()
    finally:
        program.end()


def test_disk_full(scratch, study):
    """The log cannot grow: the answer is shown with a word that it is not in the log; with room
    again, the next one takes it along."""
    log = os.path.join(scratch, "full.sqlite")
    program = Program(log, study)
    try:
        program.shows("of 12")
        program.ask_and_wait("Is it a CT?")
        wait(lambda: len(logged(log)) == 1, "the first turn in the log")
        limit = resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (1, limit[1]))
        program.ask("Is there a nodule?")
        program.find("label", "^Not in the log yet: .*disk full")
        assert len(logged(log)) == 1
        resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, limit)
        program.ask_and_wait("On which side?")
        wait(lambda: [turn["question"] for turn in logged(log)] ==
             ["Is it a CT?", "Is there a nodule?", "On which side?"], "all in the log")
        wait(lambda: not program.has("label", "^Not in the log yet: "), "the word to be gone")
        program.quit()
    finally:
        program.end()


class SlowServer(http.server.BaseHTTPRequestHandler):
    """Answers in words without end, ten a second."""

    def do_POST(self):  # the name is the library's
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while True:
                piece = {"choices": [{"index": 0, "delta": {"content": "word "}}]}
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass

    def log_message(self, *arguments):
        """Says nothing."""


def test_closed_in_answer(scratch, study):
    """The window is closed in the middle of an answer: what was said by then is in the log."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log = os.path.join(scratch, "closed.sqlite")
    program = Program(log, "--engine", f"http://127.0.0.1:{server.server_port}/v1",
                      "--engine-model", "m", study)
    try:
        program.shows("of 12")
        program.ask("Describe everything that you see.")
        program.find("label", "^word word")
        program.key("ctrl+w")
        assert program.process.wait(timeout=WAIT_SECONDS) == 0, program.process.returncode
        turns = logged(log)
        assert [turn["stop"] for turn in turns] == ["cancelled"], turns
        assert turns[0]["answer"].startswith("word word"), turns
    finally:
        program.end()
        server.shutdown()


TESTS = [test_model_replaced, test_two_processes, test_second_start, test_helper_killed,
         test_files_vanish, test_model_cut_short, test_disk_full, test_closed_in_answer]


if __name__ == "__main__":
    sys.exit(run(TESTS))
