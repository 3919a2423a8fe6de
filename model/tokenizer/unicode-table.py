"""unicode-table.py > unicode-table.h - what unicode.c knows of characters, from Python's copy of the
Unicode Character Database. Run by hand when a newer one is wanted; clang-format leaves the result.
"""
import sys
import unicodedata

ALL = range(0x110000)
# Ideographs of older sets that stand for others: a third of the table, and nobody's words.
COMPATIBILITY = (range(0xF900, 0xFB00), range(0x2F800, 0x2FA20))


def runs(values):
    """[(first, last, value)] of neighbours with equal values, None left out."""
    out = []
    for code, value in values:
        if value is None:
            continue
        if out and out[-1][1] == code - 1 and out[-1][2] == value:
            out[-1][1] = code
        else:
            out.append([code, code, value])
    return out


def lower_runs():
    """[first, last, step, by]: every STEPth from first to last has its small letter BY further on."""
    pairs = [(c, ord(chr(c).lower()) - c) for c in ALL
             if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
    out = []
    for code, by in pairs:
        last = out[-1] if out else None
        step = code - last[1] if last else 0
        if last and last[3] == by and step in (1, 2) and last[2] in (0, step):
            last[1], last[2] = code, step
        else:
            out.append([code, code, 0, by])
    return [[first, last, step or 1, by] for first, last, step, by in out]


def decompositions():
    out = {}
    for code in ALL:
        text = unicodedata.decomposition(chr(code))
        if text and text[0] != '<' and not any(code in r for r in COMPATIBILITY):
            parts = [int(p, 16) for p in text.split()]
            out[code] = (parts + [0])[:2]
    return out


def lines(items):
    line = ' '
    for item in items:
        if len(line) + len(item) + 1 > 99:
            print(line)
            line = ' '
        line += ' ' + item if line.strip() else ' ' + item
    print(line)


def table(declaration, items):
    print(f'\nstatic const {declaration}[] = {{')
    lines(items)
    print('};')


def main():
    print('/* unicode-table.h - made by unicode-table.py of Unicode '
          + unicodedata.unidata_version + '. Private to unicode.c. */')
    print('/* clang-format off */')
    for name, kinds in (('letters', ('L',)), ('numbers', ('N',)), ('punctuation', ('P',)),
                        ('marks', ('Mn',)), ('controls', ('Cc', 'Cf', 'Co'))):
        found = runs((c, 1 if unicodedata.category(chr(c)).startswith(kinds) else None) for c in ALL)
        table(f'Range {name}', (f'{{{a:#x},{b:#x}}},' for a, b, _ in found))
    classes = runs((c, unicodedata.combining(chr(c)) or None) for c in ALL)
    table('Class classes', (f'{{{a:#x},{b:#x},{k}}},' for a, b, k in classes))
    table('Lower lowers', (f'{{{a:#x},{b:#x},{s},{d}}},' for a, b, s, d in lower_runs()))
    parts = decompositions()
    table('Parts parts', (f'{{{c:#x},{a:#x},{b:#x}}},' for c, (a, b) in sorted(parts.items())))
    order = {c: i for i, c in enumerate(sorted(parts))}
    composed = sorted((a, b, order[c]) for c, (a, b) in parts.items()
                      if b and unicodedata.normalize('NFC', chr(c)) == chr(c))
    table('uint16_t composed', (f'{i},' for _, _, i in composed))


if __name__ == '__main__':
    sys.exit(main())
