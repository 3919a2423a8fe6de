"""pairs.py CAPTIONS.tsv N - N pairs as JSON Lines, to standard output: the captions (last column) again
and again, each pair with an id of its own."""
import json
import sys


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    with open(path, encoding='utf-8') as rows:
        captions = [json.dumps(row.rstrip('\n').split('\t')[-1], ensure_ascii=False)
                    for row in rows][1:]
    domains = ['chest_xray', 'mri', 'histology', 'gross', 'ct_scan']
    for first in range(0, count, len(captions)):
        sys.stdout.write(''.join(
            f'{{"pair_id": "{10000000 + first + i}_F1", "pmid": "{10000000 + first + i}", '
            f'"fig_id": "F1", "fig_label": "Figure 1", "fig_caption": {caption}, '
            f'"in_text_mention": null, "domain": "{domains[(first + i) % 5]}"}}\n'
            for i, caption in enumerate(captions[:count - first])))


main()
