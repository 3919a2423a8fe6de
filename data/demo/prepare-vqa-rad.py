"""prepare-vqa-rad.py VQA_RAD_DIR OUT - VQA-RAD (CC0) as conversations to train on.

VQA_RAD_DIR holds vqa-rad.json and images/; its key image_split (train, validation) never lets an
image occur in both. Writes OUT/train.json in LLaVA's format: one sample per image and per six
questions, several turns each.
"""
import json
import os
import random
import sys

TURNS = 6       # questions of one image that go into one conversation
ROUNDS = 4      # differently ordered conversations per image, so that no order is learnt


def clean(text):
    return ' '.join(str(text).split())


def main(source, out):
    with open(os.path.join(source, 'vqa-rad.json'), encoding='utf-8') as f:
        rows = json.load(f)
    draw = random.Random(2018)
    by_image = {}
    for row in rows:
        if row['image_split'] == 'train':
            by_image.setdefault(row['image_name'], []).append(row)
    samples = []
    for name, asked in sorted(by_image.items()):
        for round_ in range(ROUNDS):
            draw.shuffle(asked)
            for start in range(0, len(asked), TURNS):
                turns = []
                for row in asked[start:start + TURNS]:
                    turns.append({'from': 'human', 'value': clean(row['question'])})
                    turns.append({'from': 'gpt', 'value': clean(row['answer']).capitalize()
                                  if clean(row['answer']).lower() in ('yes', 'no')
                                  else clean(row['answer'])})
                turns[0]['value'] = '<image>\n' + turns[0]['value']
                samples.append({'id': f"{name}-{round_}-{start}", 'image': 'vqa-rad/' + name, 'conversations': turns})
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, 'train.json'), 'w', encoding='utf-8') as f:
        json.dump(samples, f, ensure_ascii=False, indent=0)
    print(f'{len(samples)} conversations about {len(by_image)} images', file=sys.stderr)


main(*sys.argv[1:])
