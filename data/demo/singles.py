"""singles.py INSTRUCT.json - prints the same data set with every question in a conversation of its own.

In a conversation of several turns an answer can lean on the answers before; alone it has only the picture.
"""
import json
import sys

with open(sys.argv[1], encoding='utf-8') as f:
    samples = json.load(f)
singles = []
for sample in samples:
    turns = sample['conversations']
    for at in range(0, len(turns), 2):
        question = turns[at]['value'].replace('<image>', '').strip()
        singles.append({'id': f"{sample['id']}-{at // 2}", 'image': sample['image'], 'conversations': [
            {'from': 'human', 'value': question}, turns[at + 1]]})
json.dump(singles, sys.stdout, indent=0)
