"""selection.py HILUM LIST... [--half tuned|held|fifty] [--wrong] - how often `hilum pmc select` is right about captions.

LISTs hold the captions that tests/data/select-labels.tsv labels (corpus/roco, MedICaT's public sample, the fifty
of LLaVA-Med's chat evaluation).
"Selected" is right when the caption is of one panel and of the kind that it was selected as. Prints one JSON
line per half and kind: precision and recall with Wilson's 95 % intervals. --wrong also names what went wrong.
"""
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

KINDS = ['chest_xray', 'ct_scan', 'mri', 'histology', 'gross']


def interval(right, of):
    if of == 0:
        return None
    z, p = 1.96, right / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return [round(centre - half, 3), round(centre + half, 3)]


def decisions(hilum, lists):
    found = {}
    with tempfile.TemporaryDirectory() as work:
        for path in lists:
            subprocess.run([hilum, 'pmc', 'select', '--in', path, '--out', os.path.join(work, 'o.jsonl'),
                            '--decisions', os.path.join(work, 'd.jsonl')], check=True, stdout=subprocess.DEVNULL)
            for line in open(os.path.join(work, 'd.jsonl'), encoding='utf-8'):
                decision = json.loads(line)
                found[decision['pair_id']] = decision
    return found


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith('--')]
    wrong = '--wrong' in sys.argv
    halves = [sys.argv[sys.argv.index('--half') + 1]] if '--half' in sys.argv else ['tuned', 'held', 'fifty']
    arguments = [a for a in arguments if a not in ('tuned', 'held', 'fifty')]
    found = decisions(arguments[0], arguments[1:])
    labels = Path(__file__).parent.parent / 'data' / 'select-labels.tsv'
    rows = [line.rstrip('\n').split('\t') for line in open(labels, encoding='utf-8') if not line.startswith('#')][1:]
    for half in halves:
        mine = [r for r in rows if r[1] == half and r[0] in found]
        if not mine:
            continue
        for kind in ['all'] + KINDS:
            hits = said = true = 0
            for name, _, label, panels in mine:
                decision = found[name]
                chosen = decision['domain'] if decision['verdict'] == 'selected' else None
                wanted = label if panels == 'one' and label != 'none' else None
                if kind == 'all' and wrong and chosen != wanted:
                    print(f'# {name} is {label}, {panels}: {decision["verdict"]} {decision["domain"]} '
                          f'{decision["score"]} {decision["reasons"]}')
                if kind in ('all', chosen):
                    said += chosen is not None
                    hits += chosen is not None and chosen == wanted
                true += wanted is not None and kind in ('all', wanted)
            print(json.dumps({'half': half, 'kind': kind, 'captions': len(mine), 'selected': said, 'true': true,
                              'precision': round(hits / said, 3) if said else None,
                              'precision_ci': interval(hits, said),
                              'recall': round(hits / true, 3) if true else None, 'recall_ci': interval(hits, true)}))


main()
