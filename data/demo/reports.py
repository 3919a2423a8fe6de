"""reports.py TRUTH.jsonl - prints a LLaVA data set of structured reports, one per phantom.

Every fact of a picture has its fixed place in the report, present or not. So a word of it cannot be
guessed from the words before, and each is about the picture: the densest supervision that a text can
give a vision tower that starts from nothing.
"""
import json
import sys

QUESTION = 'List all findings.'
NUMBERS = ['none', 'one', 'two', 'three', 'four', 'five', 'six']


def side_of(findings, name):
    sides = [f['side'] or 'present' for f in findings if f['name'] == name]
    return sides[0] if sides else 'none'


def listed(findings):
    """how many, and then each one's size and zone, from the top of the picture down"""
    each = [('large' if f['large'] else 'small') + (' ' + f['zone'] if f['zone'] else '')
            for f in sorted(findings, key=lambda f: f['y_mm'])]
    return NUMBERS[len(each)] + (' (' + ', '.join(each) + ')' if each else '')


def report(truth):
    findings = truth['findings']
    named = {n: [f for f in findings if f['name'] == n] for n in ('nodule', 'liver cyst', 'liver mass')}
    lines = [('X-ray' if truth['modality'] == 'CR' else 'CT') + ' of the ' + truth['body_part'].lower()]
    if truth['kind'] == 'chest-cr':
        lines += ['Heart: ' + ('enlarged' if truth['heart_enlarged'] else 'normal'),
                  'Pacemaker: ' + side_of(findings, 'pacemaker')]
    if truth['body_part'] == 'CHEST':
        lines += ['Effusion: ' + side_of(findings, 'pleural effusion')]
        lines += [f'Nodules {side}: ' + listed([f for f in named['nodule'] if f['side'] == side])
                  for side in ('right', 'left')]
        lines += ['All nodules: ' + NUMBERS[len(named['nodule'])]]
    if truth['kind'] == 'abdomen-ct':
        lines += ['Kidney stone: ' + side_of(findings, 'kidney stone'),
                  'Kidney cyst: ' + side_of(findings, 'kidney cyst'),
                  'Liver cysts: ' + listed(named['liver cyst']),
                  'Liver masses: ' + listed(named['liver mass'])]
    if truth['kind'] == 'head-ct':
        lines += ['Hemorrhage: ' + side_of(findings, 'hemorrhage'),
                  'Infarct: ' + side_of(findings, 'infarct'),
                  'Ventricles: ' + ('enlarged' if truth['ventricles_enlarged'] else 'normal')]
    return '. '.join(lines) + '.'


samples = []
with open(sys.argv[1], encoding='utf-8') as f:
    for row in map(json.loads, f):
        samples.append({'id': row['id'] + '-report', 'image': row['image'], 'conversations': [
            {'from': 'human', 'value': '<image>\n' + QUESTION},
            {'from': 'gpt', 'value': report(row)}]})
json.dump(samples, sys.stdout, indent=0)
