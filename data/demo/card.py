"""card.py WORK_FOLDER - prints the demo model's card from the scores that train-demo.sh wrote there."""
import json
import os
import sys


def read(name):
    with open(os.path.join(work, name), encoding='utf-8') as f:
        return json.load(f)


def rows(name):
    with open(os.path.join(work, name), encoding='utf-8') as f:
        return [r for r in map(json.loads, f) if 'question_id' in r]


def groups(report):
    return {(g['kind'], g['answer_type']): g for g in report['groups']}


def percent(group, name):
    return f"{100 * group[name]:.1f} [{100 * group[name + '_low']:.1f}, {100 * group[name + '_high']:.1f}]"


def table(seen, blank, closed_score, open_score):
    out = ['| kind | type | questions | score, % [95 %] | blank picture, % | most frequent answer, % |',
           '|---|---|---|---|---|---|']
    blank = groups(blank)
    for (kind, type_), g in groups(seen).items():
        name = closed_score if type_ == 'CLOSED' else open_score
        out.append(f"| {kind} | {type_.lower()} | {g['n']} | {percent(g, name)} | "
                   f"{100 * blank[kind, type_][name]:.1f} | {100 * g['majority']:.1f} |")
    return '\n'.join(out)


def changed():
    seen, blank = rows('phantom-scores.rows'), rows('phantom-blank.rows')
    assert [r['question_id'] for r in seen] == [r['question_id'] for r in blank]
    return sum(a['answer'] != b['answer'] for a, b in zip(seen, blank)) / len(seen)


def training(name):
    """samples, steps, seconds of one stage, from its log's last progress line"""
    last = {}
    with open(os.path.join(work, name + '.log'), encoding='utf-8') as f:
        for line in f:
            row = json.loads(line)
            if 'step' in row:
                last = row
    return f"{last['steps']} steps of {last['samples'] // last['step']} samples, " \
           f"{last['seconds'] / 60:.0f} min"


work = sys.argv[1]
phantom, phantom_blank = read('phantom-scores.json'), read('phantom-blank.json')
rad, rad_blank = read('vqa-rad-scores.json'), read('vqa-rad-blank.json')
print(f"""# Hilum's demo model

**Research use only, not for clinical use.** This is a toy that shows that the program works. It knows drawings of
chests, abdomens and heads, and a little of VQA-RAD. It knows no medicine, and its answers about real patients mean
nothing.

## What it is

A LLaVA as LLaVA-Med builds it, from nothing: a CLIP-like tower (112 x 112 pixels, patches of 14, 6 blocks of width 192,
all of them run), an `mlp2x_gelu` projector, a Llama decoder (4 layers of width 256), a SentencePiece vocabulary of
2,000 pieces with byte fallback, the template `mistral_instruct`. Stored as Q8_0.

## What it was trained on, and how

`data/demo/train-demo.sh` is the whole recipe; it runs on two cores.

- Synthetic phantoms (`hilum phantom`): 30,000 pictures with captions and question-answer conversations.
- VQA-RAD (Lau et al. 2018, CC0), the 233 images whose `image_split` is `train`.

| stage | trains | took |
|---|---|---|
| 0a, structured reports; 0 stands in for a trained tower and language model | vision, projector, llm | {training('stage0a')} |
| 0b, reports, conversations, captions, VQA-RAD | vision, projector, llm | {training('stage0b')} |
| 0c, the same with single questions | vision, projector, llm | {training('stage0c')} |
| 1, concept alignment on captions | projector | {training('stage1')} |
| 2, instruction tuning on conversations, single questions, captions, VQA-RAD | projector, llm | {training('stage2')} |

## What it scores

All answers greedy, scored by `hilum eval vqa`. The blank picture is the same model with a uniform picture in the
image's place. Intervals are 95 % bootstrap intervals over questions.

### Held-out phantoms (another seed; closed answers balanced within each kind)

Exact answers. {100 * changed():.0f} % of the answers change when the picture is blank.

{table(phantom, phantom_blank, 'exact', 'exact')}

### VQA-RAD, validation images (never trained on)

Closed: strict accuracy. Open: token recall. "Most frequent answer" is the share of the set's own most frequent answer.

{table(rad, rad_blank, 'closed', 'recall')}

## What it cannot do

- Anything on real patients: on VQA-RAD it is near what the question alone gives; where it is above, the interval says
  how far that can be trusted.
- Findings that the phantoms do not draw, other modalities, other views, sizes in millimetres, comparisons, reports.
- Small things: it sees 112 x 112 pixels, 64 patches. Counting, sizes and zones of small lesions are its weakest kinds,
  as the table shows; kidney stones and small liver lesions are often missed.
- Questions in words that it never saw; any language but English; saying that it does not know.""")
