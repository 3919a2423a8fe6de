"""card.py WORK_FOLDER [CARD.md] - prints the demo model's card from what train-demo.sh left there: the
reports of `hilum eval vqa --json`, and the logs of training. With a card, only its scores are new."""
import json
import os
import re
import sys


def read(name):
    with open(os.path.join(work, name), encoding='utf-8') as f:
        return json.load(f)


def percent(group, name):
    return f"{100 * group[name]:.1f} [{100 * group[name + '_low']:.1f}, {100 * group[name + '_high']:.1f}]"


def table(report, closed_score, open_score):
    trained = any(g['train_majority'] for g in report['groups'])
    out = ['| kind | type | questions | score, % [95 %] | blank picture, % | the picture adds, % [95 %] '
           '| most frequent answer, % |' + (' that of training, % |' if trained else ''),
           '|---|---|---|---|---|---|---|' + ('---|' if trained else '')]
    for g in report['groups']:
        name = closed_score if g['answer_type'] == 'CLOSED' else open_score
        gain = percent(g['blank'], 'gain_exact' if name == 'exact' else 'gain')
        row = (f"| {g['kind']} | {g['answer_type'].lower()} | {g['n']} | {percent(g, name)} | "
               f"{100 * g['blank'][name]:.1f} | {gain} | {100 * g['majority']:.1f} |")
        if trained:
            row += f" {100 * g['train_majority'][name]:.1f} |" if g['train_majority'] else ' – |'
        out.append(row)
    return '\n'.join(out)


def all_of(report, kind):
    return next(g for g in report['groups'] if g['kind'] == 'all' and g['answer_type'] == kind)


def changed(report):
    groups = [all_of(report, kind) for kind in ('CLOSED', 'OPEN')]
    return sum(g['n'] * g['blank']['changed'] for g in groups) / sum(g['n'] for g in groups)


def command(report):
    return f"""```
{report['command']}
```

Hilum {report['version']}; model `{report['model_sha256']}`, questions `{report['files']['questions']['sha256']}` (SHA-256)."""


def scores():
    phantom, rad = read('phantom-scores.json'), read('vqa-rad-scores.json')
    leak, closed, open_ = rad['leak'], all_of(rad, 'CLOSED')['published'], all_of(rad, 'OPEN')['published']
    return f"""## What it scores

All answers greedy, asked and scored by `hilum eval vqa`. The blank picture is the same model with a uniform picture in
the image's place; what the picture adds is the difference, question by question. Intervals are 95 % bootstrap intervals
over questions.

### Held-out phantoms (another seed; closed answers balanced within each kind)

{command(phantom)} The questions are those of
`hilum phantom --out eval --seed 2 --count 1200 --format png --split eval`.

Exact answers. {100 * changed(phantom):.0f} % of the answers change when the picture is blank.

{table(phantom, 'exact', 'exact')}

### VQA-RAD, validation images (never trained on)

{command(rad)}

Closed: strict accuracy. Open: token recall. "Most frequent answer" is the share of the set's own most frequent answer,
"that of training" what the most frequent answer of the training split would score. {leak['same_images']} of the
{leak['images']} images are in the training split byte by byte, and {leak['near_images']} more look nearly like one of it.

{table(rad, 'closed', 'recall')}

By LLaVA-Med's own scripts: closed {100 * closed['closed_substring']:.1f} % (run_eval_batch.py) and
{100 * closed['closed_strict']:.1f} % (run_eval.py), open {100 * open_['recall']:.1f} %. As a reference, on the official
test split and not on this one: LLaVA-Med without fine-tuning 61.4 % and 28.2 %, fine-tuned 84.2 % and 61.5 % (Li et al.
2023, arXiv:2306.00890)."""


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
if len(sys.argv) > 2:
    with open(sys.argv[2], encoding='utf-8') as f:
        print(re.sub(r'## What it scores\n.*?(?=\n\n## What it cannot do)', lambda _: scores(), f.read(), flags=re.S), end='')
    sys.exit()
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

{scores()}

## What it cannot do

- Anything on real patients: on VQA-RAD it is near what the question alone gives; where it is above, the interval says
  how far that can be trusted.
- Findings that the phantoms do not draw, other modalities, other views, sizes in millimetres, comparisons, reports.
- Small things: it sees 112 x 112 pixels, 64 patches. Counting, sizes and zones of small lesions are its weakest kinds,
  as the table shows; kidney stones and small liver lesions are often missed.
- Questions in words that it never saw; any language but English; saying that it does not know.""")
