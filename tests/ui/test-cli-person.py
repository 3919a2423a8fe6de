"""test-cli-person.py - people who sign in with a PIN on the command line, and what leaves a log
about them. Speaks TAP. $HILUM_BIN is the command; argv[1] the top of the sources.
"""
import base64
import csv
import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

TOP = sys.argv[1]
HILUM = os.environ['HILUM_BIN']
ANN, PIN, OTHER = 'Dr. Ann Ångström', '4711-x', '80-20-17'
results = []


def run(*args, status=0, **more):
    done = subprocess.run([HILUM, *args], capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    assert PIN not in done.stdout + done.stderr and OTHER not in done.stdout + done.stderr, args
    return done


def check(test):
    results.append(test)
    return test


def log_of(work):
    return os.path.join(work, 'log.sqlite')


def person(work, *args, **more):
    return run('log', 'person', *args, '--log', log_of(work), **more)


def pin_file(work, pin):
    path = os.path.join(work, 'pin')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(pin + '\nnothing of this line\n')
    return path


def read_until(terminal, words):
    said = b''
    until = time.monotonic() + 60
    while words not in said.decode(errors='replace'):
        assert time.monotonic() < until and select.select([terminal], [], [], 60)[0], said
        said += os.read(terminal, 4096)
    return said


def type_at_a_terminal(args, answers):
    """What was shown while ANSWERS, pairs of what is waited for and what is typed, were given."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(HILUM, [HILUM, *args])
    shown = b''
    for words, answer in answers:
        shown += read_until(terminal, words)
        os.write(terminal, answer.encode() + b'\n')
    try:
        while select.select([terminal], [], [], 60)[0]:
            part = os.read(terminal, 4096)
            if not part:
                break
            shown += part
    except OSError:
        pass
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def make_log(work):
    run('phantom', '--kind', 'chest-cr', '--count', '1', '--seed', '3', '--out',
        os.path.join(work, 'images'))
    images = [os.path.join(root, name) for root, _, names in os.walk(os.path.join(work, 'images'))
              for name in names if name.endswith('.dcm')]
    run('ask', '--log', log_of(work), '--image', sorted(images)[0], '-q', 'Is it a chest?',
        '--max-tokens', '4', '--seed', '1')


@check
def one_is_enrolled_and_listed(work):
    person(work, 'add', ANN, '--role', 'Radiologist', '--pin-file', pin_file(work, PIN))
    person(work, 'add', ANN.upper(), '--pin-file', pin_file(work, OTHER), status=1)
    listed = json.loads(person(work, 'list', '--json').stdout)
    assert list(listed) == ['required', 'signed_in', 'people'], listed
    assert listed['required'] is False and listed['signed_in'] is None
    one, = listed['people']
    assert list(one) == ['name', 'role', 'enrolled', 'since', 'last', 'wrong'], one
    assert (one['name'], one['role'], one['last'], one['wrong']) == (ANN, 'Radiologist', None, 0)
    assert ANN in person(work, 'list').stdout


@check
def a_pin_is_typed_and_not_shown(work):
    status, shown = type_at_a_terminal(
        ['log', 'person', 'add', 'Bert', '--log', log_of(work)],
        [('New PIN: ', OTHER), ('The same again: ', OTHER)])
    assert status == 0 and OTHER not in shown, (status, shown)
    status, shown = type_at_a_terminal(
        ['log', 'judge', '1', 'rejected', '--as', 'bert', '--log', log_of(work)],
        [('PIN: ', OTHER)])
    assert status == 0 and OTHER not in shown and 'rejected by Bert (' in shown, (status, shown)


@check
def a_verdict_says_who_signed_in(work):
    judge = ('log', 'judge', '1', 'edited', '--text', 'A chest.', '--log', log_of(work), '--json')
    reading, writing = os.pipe()
    os.write(writing, PIN.encode() + b'\n')
    os.close(writing)
    verdict = json.loads(run(*judge, '--as', ANN, '--pin-file', str(reading),
                             pass_fds=(reading,)).stdout)
    os.close(reading)
    assert verdict['person'] == ANN and verdict['by'].startswith(ANN + ' ('), verdict
    run(*judge, '--as', ANN, '--pin-file', pin_file(work, OTHER), status=1)
    run(*judge, '--as', 'Nobody', '--pin-file', pin_file(work, OTHER), status=1)
    run(*judge, '--pin-file', pin_file(work, OTHER), status=2)
    assert ANN in run('log', 'show', '1', '--log', log_of(work)).stdout
    assert json.loads(person(work, 'list', '--json').stdout)['people'][0]['wrong'] == 1


@check
def verdicts_can_need_somebody(work):
    judge = ('log', 'judge', '1', 'accepted', '--log', log_of(work))
    person(work, 'require', 'yes')
    assert '--as' in run(*judge, status=1).stderr
    run(*judge, '--as', ANN, '--pin-file', pin_file(work, PIN))
    person(work, 'require', 'maybe', status=2)
    person(work, 'require', 'no')
    run(*judge)


@check
def exports_say_who_signed_in(work):
    out = os.path.join(work, 'out')
    os.mkdir(out)
    for kind in ('jsonl', 'csv', 'balp', 'ps315', 'pdf', 'sr'):
        run('log', 'export', '--log', log_of(work), '--out', os.path.join(out, kind), '--format',
            kind, '--text', '--patient', 'full')
    read = {}
    for root, _, names in os.walk(out):
        for name in names:
            with open(os.path.join(root, name), encoding='utf-8', errors='replace') as file:
                kind = os.path.relpath(root, out).split(os.sep)[0]
                read[kind] = read.get(kind, '') + file.read()
    with open(os.path.join(out, 'jsonl', 'turns.jsonl'), encoding='utf-8') as file:
        turn = json.loads(file.readline())
    assert [verdict['person'] for verdict in turn['verdicts']] == ['Bert', ANN, ANN, None]
    with open(os.path.join(out, 'csv', 'turns.csv'), encoding='utf-8-sig', newline='') as file:
        row = next(csv.DictReader(file))
    assert row['verdict'] == 'accepted' and row['verdict_by_person'] == '', row
    with open(os.path.join(out, 'balp', 'audit-events.ndjson'), encoding='utf-8') as file:
        events = [json.loads(line) for line in file]
    logins = [event for event in events
              for code in event.get('subtype', []) if code['code'] == '110122']
    assert any(event['outcome'] == '4' for event in logins), 'a refused PIN'
    assert any(agent['who'].get('identifier', {}).get('value') == ANN
               for event in logins for agent in event['agent']), logins[0]
    assert f'UserID="{ANN}"' in read['ps315']
    assert ANN in read['sr'] or ANN.encode().decode('latin-1') in read['sr']
    # What a PIN is held against leaves in no form.
    everything = ' '.join(read.values())
    everything += ' '.join(base64.b64decode(value).decode(errors='replace') for value in
                           re.findall(r'[vV]alue[A-Za-z0-9]*"?[=:] ?"([A-Za-z0-9+/]+=*)"', everything)
                           if len(value) % 4 == 0)
    for secret in (PIN, OTHER, 'argon2', '67108864', 'salt'):
        assert secret not in everything, secret


@check
def an_export_brings_persons_along(work):
    there = os.path.join(work, 'there.sqlite')
    run('log', 'import', os.path.join(work, 'out', 'jsonl'), '--log', there)
    run('log', 'export', '--log', there, '--out', os.path.join(work, 'again'), '--format', 'jsonl',
        '--text', '--patient', 'full')
    with open(os.path.join(work, 'again', 'turns.jsonl'), encoding='utf-8') as file:
        turn = json.loads(file.readline())
    assert [verdict['person'] for verdict in turn['verdicts']] == ['Bert', ANN, ANN, None]


@check
def a_pin_is_changed_and_a_person_removed(work):
    new = os.path.join(work, 'new-pin')
    with open(new, 'w', encoding='utf-8') as file:
        file.write(OTHER)
    simple = os.path.join(work, 'simple-pin')
    with open(simple, 'w', encoding='utf-8') as file:
        file.write('1234')
    person(work, 'pin', ANN, '--pin-file', new, '--new-pin-file', new, status=1)
    person(work, 'pin', ANN, '--pin-file', pin_file(work, PIN), '--new-pin-file', simple, status=1)
    person(work, 'pin', ANN, '--pin-file', pin_file(work, PIN), '--new-pin-file', new)
    judge = ('log', 'judge', '1', 'accepted', '--log', log_of(work), '--as', ANN)
    run(*judge, '--pin-file', pin_file(work, PIN), status=1)
    run(*judge, '--pin-file', new)
    person(work, 'remove', ANN)
    run(*judge, '--pin-file', new, status=1)
    person(work, 'remove', ANN, status=1)
    whole = json.loads(run('log', 'verify', '--log', log_of(work), '--json').stdout)
    assert whole['whole'] is True


@check
def guessing_takes_long(work):
    judge = ('log', 'judge', '1', 'accepted', '--log', log_of(work), '--as', 'Bert')
    for _ in range(5):
        run(*judge, '--pin-file', pin_file(work, 'wrong-pin'), status=1)
    assert re.search(r'in \d+ s', run(*judge, '--pin-file', pin_file(work, OTHER), status=1).stderr)


@check
def what_is_no_log_is_left_alone(work):
    path = os.path.join(work, 'other.txt')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('x' * 4096)
    run('log', 'person', 'add', 'X', '--pin-file', pin_file(work, PIN), '--log', path, status=1)
    with open(path, encoding='utf-8') as file:
        assert file.read() == 'x' * 4096
    run('log', 'person', 'list', '--log', os.path.join(work, 'none.sqlite'), status=1)
    run('log', 'person', 'require', 'yes', '--log', os.path.join(work, 'none.sqlite'), status=1)
    assert not os.path.exists(os.path.join(work, 'none.sqlite'))
    person(work, 'add', ' X ', '--pin-file', pin_file(work, PIN), status=2)
    person(work, 'add', 'X', '--pin-file', os.path.join(work, 'no-file'), status=1)


def main():
    failed = 0
    print(f'1..{len(results)}')
    with tempfile.TemporaryDirectory(prefix='hilum-person-') as work:
        os.environ['XDG_DATA_HOME'] = os.path.join(work, 'data')
        make_log(work)
        for number, test in enumerate(results, 1):
            name = test.__name__.replace('_', ' ')
            try:
                test(work)
                print(f'ok {number} {name}')
            except (AssertionError, OSError, ValueError, KeyError, IndexError, StopIteration,
                    subprocess.SubprocessError) as problem:
                failed += 1
                print(f'not ok {number} {name}')
                for line in repr(problem)[:2000].split('\n'):
                    print(f'# {line}')
            sys.stdout.flush()
    return failed > 0


sys.exit(main())
