"""Counts the test cases (TAP lines) of a Meson test log and prints "N passed, N failed".

A program that crashes, times out or ends before its plan counts as one failure more, so that a
test cannot vanish. Skipped cases are named, loudly, and count as neither.

    summarise.py LOG [TAP...]

Files TAP hold lines of other runs, "ok NAME..." and "not ok NAME...", which count too; one without
any is a failure.
"""
import json
import re
import sys

CASE = re.compile(r'^(\s*)(not )?ok\b\s*(\d+)?\s*(.*)$')


def count(record):
    """-> (passed, failed names, skipped names) of one test program"""
    passed, failed, skipped = 0, [], []
    for line in record.get('stdout', '').splitlines():
        match = CASE.match(line)
        if not match or match.group(1):
            continue
        name = f"{record['name']} {match.group(4)}"
        if '# SKIP' in line.upper():
            skipped.append(name)
        elif match.group(2):
            failed.append(name)
        else:
            passed += 1
    if record['result'] == 'SKIP' and not skipped:
        skipped.append(record['name'])
    if record['result'] not in ('OK', 'SKIP') and not failed:
        failed.append(f"{record['name']}: {record['result']}, exit status {record['returncode']}")
    if record['result'] == 'OK' and record['name'].startswith('hilum:bench'):
        passed += 1  # a benchmark checks first and times second; it speaks JSON, not TAP
    elif record['result'] == 'OK' and not passed and not skipped:
        failed.append(f"{record['name']}: ran no case")
    return passed, failed, skipped


def count_lines(path):
    """-> (passed, failed names) of a file of TAP lines"""
    with open(path, encoding='utf-8', errors='replace') as lines:
        cases = [match for match in map(CASE.match, lines) if match]
    failed = [match.group(4) for match in cases if match.group(2)]
    if not cases:
        failed.append(f'{path}: ran no case')
    return len(cases) - len([match for match in cases if match.group(2)]), failed


def main(path, more):
    passed, failed, skipped = 0, [], []
    with open(path, encoding='utf-8') as log:
        for line in log:
            one = count(json.loads(line))
            passed += one[0]
            failed += one[1]
            skipped += one[2]
    for tap in more:
        one = count_lines(tap)
        passed += one[0]
        failed += one[1]
    for name in skipped:
        print('skipped:', name, file=sys.stderr)
    if skipped:
        print(f'{len(skipped)} CASES WERE SKIPPED (named above)', file=sys.stderr)
    for name in failed:
        print('failed:', name)
    print(f'{passed} passed, {len(failed)} failed')
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
