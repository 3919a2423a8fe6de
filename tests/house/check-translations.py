"""check-translations.py SOURCE - holds the words that people see against ui/translations.

POTFILES names every file that has any, and nothing else; each language is valid, and has all of
them (xgettext and msgfmt say so). Speaks TAP.
"""

import itertools
import os
import re
import subprocess
import sys
import tempfile

MARKED = re.compile(r'\b[CN]?_\("|\bngettext\(|translatable="(yes|1)"|<(summary|description|name|caption)>')


def marked_files(top):
    """Files below ui/desktop, and of app and dicom, with words for gettext."""
    found = set()
    walks = [os.walk(os.path.join(top, *folder.split("/")))
             for folder in ("ui/desktop", "app", "dicom")]
    for folder, _, names in itertools.chain(*walks):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith((".c", ".h", ".ui", ".desktop.in", ".metainfo.xml.in")):
                continue
            with open(path, encoding="utf-8") as file:
                if MARKED.search(file.read()) or name.endswith(".desktop.in"):
                    found.add(os.path.relpath(path, top))
    return found


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def check(number, name, problems):
    print(f"{'not ok' if problems else 'ok'} {number} {name}")
    for problem in problems:
        print(f"# {problem}")
    return not problems


def main():
    top = sys.argv[1]
    folder = os.path.join(top, "ui", "translations")
    listed = lines(os.path.join(folder, "POTFILES"))
    languages = lines(os.path.join(folder, "LINGUAS"))
    there = marked_files(top)
    good = True

    print(f"1..{1 + 2 * len(languages)}")
    problems = [f"{path} has words and is not in POTFILES" for path in sorted(there - set(listed))]
    problems += [f"{path} is in POTFILES and has no words" for path in sorted(set(listed) - there)]
    good &= check(1, "POTFILES names what has words", problems)

    with tempfile.TemporaryDirectory() as scratch:
        template = os.path.join(scratch, "hilum.pot")
        subprocess.run(
            ["xgettext", "--from-code=UTF-8", "--keyword=_", "--keyword=N_", "--keyword=C_:1c,2",
             "--keyword=ngettext:1,2", "--force-po", "-o", template, "-D", top] + listed,
            check=True, capture_output=True)
        for i, language in enumerate(languages):
            words = os.path.join(folder, language + ".po")
            valid = subprocess.run(["msgfmt", "--check", "-o", os.devnull, words],
                                   capture_output=True, text=True, check=False)
            good &= check(2 + 2 * i, f"{language} is valid",
                          valid.stderr.splitlines() if valid.returncode else [])
            merged = os.path.join(scratch, language + ".po")
            subprocess.run(["msgmerge", "-q", "--no-fuzzy-matching", "-o", merged, words, template],
                           check=True, capture_output=True)
            missing = subprocess.run(["msgattrib", "--untranslated", "--no-obsolete", merged],
                                     capture_output=True, text=True, check=True)
            left = [line for line in missing.stdout.splitlines() if line.startswith("msgid")][1:]
            good &= check(3 + 2 * i, f"{language} is complete", left)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
