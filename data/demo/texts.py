"""texts.py DATASET.json... - prints every text of LLaVA data sets, a line each, to learn a vocabulary on."""
import json
import sys

for path in sys.argv[1:]:
    with open(path, encoding='utf-8') as f:
        for sample in json.load(f):
            for turn in sample['conversations']:
                print(' '.join(turn['value'].replace('<image>', ' ').split()))
