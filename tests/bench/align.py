"""align.py IN OUT SEED - concept alignment as a careful Python script does it: one pass, one line at a
time, json from the standard library. The peer of `hilum dataset align` in tests/bench/dataset.sh."""
import json
import random
import sys

BRIEF = ['Describe the image concisely.', 'Provide a brief description of the given image.',
         'Offer a succinct explanation of the picture presented.',
         'Summarize the visual content of the image.']
DETAILED = ['Describe the following image in detail',
            'Provide a detailed description of the given image',
            'Give an elaborate explanation of the image you see',
            'Share a comprehensive rundown of the presented image']


def main():
    source, target, seed = sys.argv[1:]
    draw = random.Random(int(seed))
    written = 0
    with open(source, encoding='utf-8') as lines, open(target, 'w', encoding='utf-8') as out:
        for line in lines:
            pair = json.loads(line)
            caption, words = pair['fig_caption'], len(pair['fig_caption'].split())
            if words == 0:
                continue
            question = draw.choice(BRIEF if words < 30 else DETAILED)
            value = f'<image>\n{question}' if draw.random() < 0.5 else f'{question}\n<image>'
            out.write(json.dumps({'id': pair['pair_id'], 'image': pair['pair_id'] + '.jpg',
                                  'conversations': [{'from': 'human', 'value': value},
                                                    {'from': 'gpt', 'value': caption}]},
                                 ensure_ascii=False) + '\n')
            written += 1
    print(written)


main()
