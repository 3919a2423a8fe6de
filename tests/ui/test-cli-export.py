"""test-cli-export.py - what leaves a log: formats against their schemas, masks, sets that come back,
syslog into a real rsyslog. Speaks TAP. $HILUM_BIN is the command; argv[1] the top of the sources.
"""
import base64
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

TOP = sys.argv[1]
HILUM = os.environ['HILUM_BIN']
RSYSLOGD = shutil.which('rsyslogd') or '/usr/sbin/rsyslogd'
NAME, QUESTION, EDITED = 'Zyx^Testperson', '=Is there a "nodule", Zyx?', '-no\r\nnone'
results = []


def run(*args, status=0, **more):
    done = subprocess.run([HILUM, *args], capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    return done


def export(work, name, *args, status=0):
    out = os.path.join(work, name)
    run('log', 'export', '--log', os.path.join(work, 'log.sqlite'), '--out', out, *args,
        status=status)
    return out


def lines(path):
    with open(path, encoding='utf-8', newline='') as file:
        return file.read().split('\n')[:-1]


def whole(folder):
    """All bytes of a folder's files, as one text."""
    text = ''
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), encoding='utf-8', errors='replace') as file:
                text += file.read()
    return text


def check(test):
    results.append(test)
    return test


def make_log(work):
    run('phantom', '--kind', 'chest-cr', '--count', '1', '--seed', '3', '--out', os.path.join(work, 'images'))
    images = [os.path.join(root, name) for root, _, names in os.walk(os.path.join(work, 'images'))
              for name in names if name.endswith('.dcm')]
    image = sorted(images)[0]
    log = os.path.join(work, 'log.sqlite')
    for question in (QUESTION, 'Is it a chest?'):
        run('ask', '--log', log, '--image', image, '-q', question, '--max-tokens', '4', '--seed', '1')
    run('log', 'judge', '--log', log, '1', 'edited', '--text', EDITED, status=0)
    return image


@check
def json_lines_fit_their_schema(work):
    out = export(work, 'a', '--format', 'jsonl', '--text', '--patient', 'full')
    turns = [json.loads(line) for line in lines(os.path.join(out, 'turns.jsonl'))]
    assert len(turns) == 2 and turns[0]['question'] == QUESTION
    assert turns[0]['verdicts'][-1]['text'] == EDITED
    try:
        import jsonschema
    except ImportError:
        print('# SKIP: python3-jsonschema is not installed: schema not checked')
        return
    with open(os.path.join(TOP, 'data/export/turn.schema.json'), encoding='utf-8') as file:
        schema = json.load(file)
    for folder in (out, export(work, 'a2', '--format', 'jsonl')):
        for line in lines(os.path.join(folder, 'turns.jsonl')):
            jsonschema.validate(json.loads(line), schema)


@check
def the_manifest_tells_of_each_file(work):
    out = os.path.join(work, 'a')
    with open(os.path.join(out, 'manifest.json'), encoding='utf-8') as file:
        manifest = json.load(file)
    listed = {entry['name']: entry for entry in manifest['files']}
    assert set(listed) | {'manifest.json'} == set(os.listdir(out))
    for name, entry in listed.items():
        hashed = subprocess.run(['sha256sum', os.path.join(out, name)], capture_output=True,
                                text=True, check=True).stdout.split()[0]
        assert entry['sha256'] == hashed and entry['bytes'] == os.path.getsize(os.path.join(out, name))
    assert manifest['head'].startswith('hilum-log/') and manifest['turns'] == 2


@check
def without_text_and_patient_nothing_of_either_leaves(work):
    turn = json.loads(lines(os.path.join(work, 'a', 'turns.jsonl'))[0])
    image = turn['images'][-1]
    secrets = [image[name] for name in ('patient_id', 'patient_name', 'study_instance_uid',
                                        'sop_instance_uid', 'path', 'sent_sha256') if image[name]]
    assert len(secrets) >= 4
    for kind in ('jsonl', 'csv', 'balp', 'ps315'):
        text = whole(export(work, 'bare-' + kind, '--format', kind))
        text += ' '.join(base64.b64decode(value).decode() for value in
                         re.findall(r'value="([A-Za-z0-9+/=]+)"', text))
        for secret in secrets + ['nodule', 'prompt_ids": [']:
            assert secret not in text, (kind, secret)
    for kind in ('balp', 'ps315'):
        assert 'nodule' not in whole(export(work, 'full-' + kind, '--format', kind, '--text',
                                            '--patient', 'full'))


@check
def pseudonyms_are_the_same_for_the_same(work):
    turns = [json.loads(line) for line in
             lines(os.path.join(export(work, 'p', '--format', 'jsonl', '--patient', 'pseudonym'),
                                'turns.jsonl'))]
    uids = {turn['images'][-1]['study_instance_uid'] for turn in turns}
    assert len(uids) == 1 and re.fullmatch(r'2\.25\.[1-9][0-9]{0,38}', uids.pop())
    assert turns[0]['images'][-1]['patient_name'] is None
    assert turns[0]['images'][-1]['path'] is None


@check
def csv_is_read_back_and_runs_no_formula(work):
    out = export(work, 'c', '--format', 'csv', '--text', '--patient', 'full')
    with open(os.path.join(out, 'turns.csv'), encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file, strict=True))
    assert len(rows) == 2 and rows[0]['question'] == "'" + QUESTION
    assert rows[0]['verdict_text'] == "'" + EDITED and None not in rows[0]


@check
def audit_messages_are_of_the_standard_s_schema(work):
    out = os.path.join(work, 'full-ps315')
    path = os.path.join(out, 'audit-messages.xml')
    done = subprocess.run(['xmllint', '--noout', '--relaxng',
                           os.path.join(TOP, 'tests/data/audit-message.rng'), path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ids = {event.get('csd-code') for event in xml.parse(path).iter('EventID')}
    assert {'110103', '110106'} <= ids, ids


@check
def frames_of_syslog_count_their_octets(work):
    with open(os.path.join(work, 'full-ps315', 'audit-messages.syslog'), 'rb') as file:
        data = file.read()
    n = 0
    while data:
        length, data = data.split(b' ', 1)
        message, data = data[:int(length)], data[int(length):]
        head, body = message.split(b'\xef\xbb\xbf', 1)
        assert re.fullmatch(rb'<(85|84|83|82)>1 \S+ \S+ hilum - DICOM\+RFC3881 - ', head), head
        assert b'\n' not in message
        xml.fromstring(body)
        n += 1
    assert n >= 3


DCM = 'http://dicom.nema.org/resources/ontology/DCM'
TERMS = 'http://terminology.hl7.org/CodeSystem/'


def conforms(event, profile):
    """The rules of IHE BALP's profiles Read, PatientRead, Update and PatientUpdate (published with
    ITI.BasicAudit, read on 2026-11-26), one by one; slices are open and go by what they say."""
    update, patient = 'Update' in profile, 'Patient' in profile
    one = lambda many: len(many) == 1
    is_code = lambda coding, system, *codes: coding['system'] == system and coding['code'] in codes
    assert is_code(event['type'], TERMS + 'audit-event-type', 'rest')
    assert one([code for code in event['subtype'] if is_code(
        code, 'http://hl7.org/fhir/restful-interaction',
        *(('update', 'patch') if update else ('read', 'vread')))])
    assert event['action'] == ('U' if update else 'R') and event['outcome'] == '0'
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z', event['recorded'])

    def agents(system, *codes):
        return [agent for agent in event['agent']
                if any(is_code(coding, system, *codes) for coding in agent['type']['coding'])]

    assert len(event['agent']) >= 2
    for role in ('110152', '110153'):  # client and server, which the program is both
        found = agents(DCM, role)
        assert one(found) and found[0]['who'] and found[0]['network'] and 'media' not in found[0]
    users = agents(TERMS + 'v3-ParticipationType', *(('AUT', 'INF', 'CST') if update else ('IRCP',)))
    assert one(users) and users[0]['who'] and users[0]['requestor'] is True
    assert 'media' not in users[0] and 'network' not in users[0]
    assert one([agent for agent in event['agent'] if agent['requestor']])
    data = [entity for entity in event['entity']
            if is_code(entity['type'], TERMS + 'audit-entity-type', '2')]
    assert one(data) and data[0]['what']
    assert is_code(data[0]['role'], TERMS + 'object-role', '4', '3', '20')
    people = [entity for entity in event['entity']
              if is_code(entity['type'], TERMS + 'audit-entity-type', '1')]
    assert len(people) == (1 if patient else 0)
    for entity in people:
        assert is_code(entity['role'], TERMS + 'object-role', '1')
        assert entity['what']['type'] == 'Patient' and entity['what']['identifier']['value']


def no_empty_values(value):
    """FHIR has no empty objects, arrays or texts (R4, 2.6.2)."""
    if isinstance(value, dict):
        return bool(value) and all(no_empty_values(part) for part in value.values())
    if isinstance(value, list):
        return bool(value) and all(no_empty_values(part) for part in value)
    return value is not None and value != ''


@check
def fhir_events_are_as_balp_has_them(work):
    out = os.path.join(work, 'full-balp')
    events = [json.loads(line) for line in lines(os.path.join(out, 'audit-events.ndjson'))]
    with open(os.path.join(out, 'audit-events.bundle.json'), encoding='utf-8') as file:
        bundle = json.load(file)
    assert [entry['resource'] for entry in bundle['entry']] == events
    assert bundle['resourceType'] == 'Bundle' and bundle['type'] == 'collection'
    claimed = []
    for event in events:
        assert event['resourceType'] == 'AuditEvent' and event['type']['code']
        assert event['recorded'] and event['source']['observer'] and event['outcome'] in '04812'
        assert all('who' in agent and 'requestor' in agent for agent in event['agent'])
        assert no_empty_values(event), event
        for profile in event.get('meta', {}).get('profile', []):
            base, _, name = profile.rpartition('/IHE.BasicAudit.')
            assert base == 'https://profiles.ihe.net/ITI/BALP/StructureDefinition'
            conforms(event, name)
            claimed.append(name)
    assert claimed.count('PatientRead') == 2 and claimed.count('PatientUpdate') == 1, claimed


@check
def choices_of_conversation_and_date_hold(work):
    out = export(work, 'd', '--format', 'jsonl', '--conversation', '2', '--text')
    assert [json.loads(line)['conversation']['id'] for line in
            lines(os.path.join(out, 'turns.jsonl'))] == [2]
    for args in (['--since', '2999-01-01'], ['--until', '1999'], ['--study', '1.2.3']):
        out = export(work, 'd' + args[0], '--format', 'jsonl', *args)
        assert lines(os.path.join(out, 'turns.jsonl')) == []
    export(work, 'e', '--format', 'jsonl', '--since', '31.12.1999', status=2)
    export(work, 'e', '--format', 'word', status=2)
    export(work, 'e', '--format', 'jsonl', '--conversation', '99', status=1)
    export(work, 'a', '--format', 'jsonl', status=2)
    assert not [name for name in os.listdir(work) if name.startswith('e')]


@check
def a_set_comes_back_as_it_was(work):
    other = os.path.join(work, 'other.sqlite')
    first = json.loads(run('log', 'import', '--log', other, os.path.join(work, 'a'), '--json').stdout)
    again = json.loads(run('log', 'import', '--log', other, os.path.join(work, 'a'), '--json').stdout)
    assert (first['conversations'], first['turns'], first['skipped']) == (2, 2, 0)
    assert (again['conversations'], again['skipped']) == (0, 2)
    run('log', 'export', '--log', other, '--out', os.path.join(work, 'b'), '--format', 'jsonl',
        '--text', '--patient', 'full')
    for mine, theirs in zip(lines(os.path.join(work, 'a', 'turns.jsonl')),
                            lines(os.path.join(work, 'b', 'turns.jsonl')), strict=True):
        mine, theirs = (re.sub(r'"(turn_)?id": \d+', '', line) for line in (mine, theirs))
        assert mine == theirs  # times, too: they are of when it was first written
    for number in ('1', '2'):
        mine, theirs = (json.loads(run('log', 'show', number, '--log', log, '--json').stdout.split('\n')[0])
                        for log in (os.path.join(work, 'log.sqlite'), other))
        assert mine['time'] == theirs['time'] and mine['imported'] is None
        assert theirs['imported'] > theirs['time']


@check
def a_set_that_does_not_fit_changes_nothing(work):
    source = os.path.join(work, 'a')

    def refused(name, change, words):
        folder = os.path.join(work, 'bad-' + name)
        shutil.copytree(source, folder)
        change(folder)
        log = os.path.join(work, 'bad.sqlite')
        message = run('log', 'import', '--log', log, folder, status=1).stderr
        assert words in message and 'nothing was imported' in message, message
        assert not os.path.exists(log) and 'nodule' not in message

    def rewrite(path, change):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        with open(path, 'w', encoding='utf-8') as file:
            file.write(change(text))

    def sealed_anew(folder, change):
        path = os.path.join(folder, 'turns.jsonl')
        rewrite(path, change)
        hashed = subprocess.run(['sha256sum', path], capture_output=True, text=True,
                                check=True).stdout.split()[0]
        with open(os.path.join(folder, 'manifest.json'), encoding='utf-8') as file:
            manifest = json.load(file)
        manifest['files'][0].update(sha256=hashed, bytes=os.path.getsize(path))
        with open(os.path.join(folder, 'manifest.json'), 'w', encoding='utf-8') as file:
            json.dump(manifest, file)

    turns, manifest = 'turns.jsonl', 'manifest.json'
    refused('half', lambda f: os.unlink(os.path.join(f, manifest)), 'there is none')
    refused('byte', lambda f: rewrite(os.path.join(f, turns), lambda t: t.replace('nodule', 'nodula')),
            'the file was changed')
    refused('cut', lambda f: os.truncate(os.path.join(f, turns), 100), 'by the manifest')
    refused('more', lambda f: open(os.path.join(f, 'x'), 'w', encoding='utf-8').close(),
            'is not in the manifest')
    refused('other', lambda f: rewrite(os.path.join(f, manifest), lambda t: '{}'), 'no manifest')
    refused('newer', lambda f: rewrite(os.path.join(f, manifest), lambda t: re.sub(
        r'"hilum_export" : 1', '"hilum_export" : 2', t)), 'newer Hilum')
    refused('link', lambda f: (os.unlink(os.path.join(f, turns)),
                               os.symlink('/etc/passwd', os.path.join(f, turns))), turns)
    refused('line', lambda f: sealed_anew(f, lambda t: t.replace('"turn": 1', '"turn": "1"', 1)),
            'line 1: "turn"')
    refused('lost', lambda f: sealed_anew(f, lambda t: t.split('\n', 1)[1]), 'by the manifest')
    refused('deep', lambda f: sealed_anew(f, lambda t: '[' * 100000 + t), 'line 1')


@check
def an_export_that_is_ended_leaves_nothing(work):
    folder, log = os.path.join(work, 'many'), os.path.join(work, 'many.sqlite')
    os.mkdir(folder)
    turn = json.loads(lines(os.path.join(work, 'a', 'turns.jsonl'))[0])
    with open(os.path.join(folder, 'turns.jsonl'), 'w', encoding='utf-8') as file:
        for number in range(1500):
            turn['conversation']['id'], turn['turn'] = number // 10 + 1, number % 10 + 1
            file.write(json.dumps(turn) + '\n')
    with open(os.path.join(folder, 'turns.jsonl'), 'rb') as file:
        data = file.read()
    with open(os.path.join(folder, 'manifest.json'), 'w', encoding='utf-8') as file:
        json.dump({'hilum_export': 1, 'format': 'jsonl', 'text': True, 'conversations': 150,
                   'turns': 1500, 'files': [{'name': 'turns.jsonl', 'bytes': len(data),
                                             'sha256': hashlib.sha256(data).hexdigest()}]}, file)
    run('log', 'import', '--log', log, folder)
    place = os.path.join(work, 'ended')
    os.mkdir(place)
    stopped = 0
    for wait in (0.03, 0.06, 0.1, 0.15):
        child = subprocess.Popen([HILUM, 'log', 'export', '--log', log, '--format', 'jsonl', '--out',
                                  os.path.join(place, 'x')], stderr=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL)
        time.sleep(wait)
        child.send_signal(signal.SIGINT)
        status = child.wait(60)
        assert (os.listdir(place) == ['x']) == (status == 0), (status, os.listdir(place))
        assert status == 0 or os.listdir(place) == []
        shutil.rmtree(os.path.join(place, 'x'), ignore_errors=True)
        stopped += status != 0
    assert stopped > 0


@check
def an_export_is_an_event(work):
    events = [json.loads(line) for line in
              lines(os.path.join(work, 'full-balp', 'audit-events.ndjson'))]
    exports = [event for event in events if event['type']['code'] == '110106']
    details = [{d['type']: d['valueString'] for d in event['entity'][0]['detail']}
               for event in exports]
    with open(os.path.join(work, 'a', 'manifest.json'), 'rb') as file:
        manifest = hashlib.sha256(file.read()).hexdigest()
    assert any(found.get('manifest_sha256') == manifest for found in details), details


@check
def training_needs_consent(work):
    log = os.path.join(work, 'log.sqlite')
    export(work, 't', '--format', 'llava', status=2)
    export(work, 't', '--format', 'llava', '--text', status=1)
    assert json.loads(run('log', 'consent', '--log', log, '--give', '--json').stdout)['given']
    out = export(work, 't', '--format', 'llava', '--text')
    with open(os.path.join(out, 'training.json'), encoding='utf-8') as file:
        records = json.load(file)
    for record in records:
        assert os.path.exists(os.path.join(out, 'images', record['image']))
        assert record['conversations'][1] == {'from': 'gpt', 'value': EDITED}
    with open(os.path.join(out, 'manifest.json'), encoding='utf-8') as file:
        left_out = json.load(file)['left_out']
    assert any('neither accepted' in item['why'] for item in left_out['items'])
    assert len(records) == 1 and not os.path.exists(os.path.join(out, 'copies'))
    assert not json.loads(run('log', 'consent', '--log', log, '--withdraw', '--json').stdout)['given']
    export(work, 't2', '--format', 'llava', '--text', status=1)


# ---- syslog -------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def certificate(work):
    def openssl(*args):
        subprocess.run(['openssl', *args], cwd=work, capture_output=True, check=True)
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem',
            '-days', '2', '-subj', '/CN=test authority')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'srv.key', '-out', 'srv.csr', '-subj',
            '/CN=localhost')
    with open(os.path.join(work, 'san'), 'w', encoding='utf-8') as file:
        file.write('subjectAltName=DNS:localhost\n')
    openssl('x509', '-req', '-in', 'srv.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
            '-out', 'srv.pem', '-days', '2', '-extfile', 'san')


def with_rsyslog(work, tls, body):
    port, out = free_port(), os.path.join(work, 'received-tls' if tls else 'received')
    driver = 'StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon"' if tls else ''
    files = ''.join(f'DefaultNetstreamDriver{what}File="{work}/{name}" ' for what, name in
                    (('CA', 'ca.pem'), ('Cert', 'srv.pem'), ('Key', 'srv.key'))) if tls else ''
    conf = os.path.join(work, 'rsyslog.conf')
    with open(conf, 'w', encoding='utf-8') as file:
        file.write(f'global(workDirectory="{work}" maxMessageSize="64k" {files})\n'
                   f'module(load="imtcp" {driver})\n'
                   'template(name="raw" type="string" string="%rawmsg-after-pri%\\n")\n'
                   f'input(type="imtcp" port="{port}" address="127.0.0.1")\n'
                   f'action(type="omfile" file="{out}" template="raw")\n')
    server = subprocess.Popen([RSYSLOGD, '-n', '-f', conf, '-i', os.path.join(work, 'pid')],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(('127.0.0.1', port)) == 0:
                    break
            time.sleep(0.05)
        body(port, out)
    finally:
        server.terminate()
        server.wait(20)


def received(path, n):
    for _ in range(200):
        if os.path.exists(path) and len(lines(path)) >= n:
            break
        time.sleep(0.05)
    return lines(path) if os.path.exists(path) else []


def send_twice(work, scheme, *more):
    def body(port, out):
        address = f'{scheme}://localhost:{port}'
        args = ('log', 'send', '--log', os.path.join(work, 'log.sqlite'), '--to', address, '--json')
        first = json.loads(run(*args, *more).stdout)
        second = json.loads(run(*args, *more).stdout)
        assert first['sent'] >= 5 and second['sent'] == 0 and second['last'] == first['last'], (first, second)
        run('log', 'consent', '--log', os.path.join(work, 'log.sqlite'), '--give')
        assert json.loads(run(*args, *more).stdout)['sent'] == 1
        got = received(out, first['sent'] + 1)
        assert len(got) == first['sent'] + 1, len(got)
        for line in got:
            xml.fromstring(line[line.index('<AuditMessage>'):])
            assert 'nodule' not in line
        if scheme == 'tls':
            message = run(*args, '--ca', os.path.join(work, 'other.pem'), status=0).stdout
            assert json.loads(message)['sent'] == 0  # nothing to send: no connection
            run('log', 'consent', '--log', os.path.join(work, 'log.sqlite'), '--withdraw')
            run(*args, '--ca', '/etc/hostname', status=1)
            assert len(received(out, 0)) == len(got)
    return body


@check
def rsyslog_gets_each_message_once(work):
    if not os.path.exists(RSYSLOGD):
        print('# SKIP: rsyslog is not installed: nothing was sent over tcp')
        return
    with_rsyslog(work, False, send_twice(work, 'tcp'))


@check
def rsyslog_gets_each_message_once_over_tls(work):
    if not os.path.exists(RSYSLOGD) or not shutil.which('openssl') or not any(
            'lmnsd_gtls.so' in names for _, _, names in os.walk('/usr/lib')):
        print('# SKIP: rsyslog-gnutls or openssl is not installed: nothing was sent over TLS')
        return
    certificate(work)
    with_rsyslog(work, True, send_twice(work, 'tls', '--ca', os.path.join(work, 'ca.pem')))


@check
def addresses_that_are_none_are_refused(work):
    log = os.path.join(work, 'log.sqlite')
    for address in ('localhost:514', 'udp://localhost:514', 'tls://', 'tls://a@b:1', 'tls://h:1/x'):
        run('log', 'send', '--log', log, '--to', address, status=2)
    run('log', 'send', '--log', log, '--to', f'tcp://127.0.0.1:{free_port()}', status=1)


def main():
    failed = 0
    print(f'1..{len(results)}')
    with tempfile.TemporaryDirectory(prefix='hilum-export-') as work:
        os.environ['XDG_DATA_HOME'] = os.path.join(work, 'data')
        make_log(work)
        for number, test in enumerate(results, 1):
            name = test.__name__.replace('_', ' ')
            try:
                test(work)
                print(f'ok {number} {name}')
            except (AssertionError, OSError, ValueError, KeyError, IndexError,
                    subprocess.SubprocessError) as problem:
                failed += 1
                print(f'not ok {number} {name}')
                for line in repr(problem)[:2000].split('\n'):
                    print(f'# {line}')
            sys.stdout.flush()
    return failed > 0


sys.exit(main())
