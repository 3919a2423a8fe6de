#!/usr/bin/python3
"""Writes the broken files of this folder: make.py [--check]

Each case is a folder FORMAT-WHAT-IS-WRONG with `input`, and `expect`: the word "opens", or a regular
expression that the refusal's message must match. The inputs are committed, because what fuzzing
finds has no recipe and the tests should read all cases alike; this script is the recipe of those
that have one, and --check says whether it still makes them.
"""
import os
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = {}

IMPLICIT = '1.2.840.10008.1.2'
EXPLICIT = '1.2.840.10008.1.2.1'
DEFLATED = '1.2.840.10008.1.2.1.99'
RLE = '1.2.840.10008.1.2.5'
JPEG = '1.2.840.10008.1.2.4.50'
LOSSLESS = '1.2.840.10008.1.2.4.70'
JPEGLS = '1.2.840.10008.1.2.4.80'
J2K = '1.2.840.10008.1.2.4.90'
MPEG2 = '1.2.840.10008.1.2.4.100'
UNDEFINED = 0xffffffff


def case(name, data, expect):
    assert name not in CASES, name
    assert len(data) < 16384, name
    CASES[name] = (data, expect)


# ---- DICOM -------------------------------------------------------------------------------------

def element(tag, vr, value, length=None):
    if isinstance(value, str):
        value = value.encode() + (b'' if len(value) % 2 == 0 else b'\0' if vr == 'UI' else b' ')
    elif isinstance(value, int):
        value = struct.pack('<H', value)
    length = len(value) if length is None else length
    head = struct.pack('<HH', tag >> 16, tag & 0xffff) + vr.encode()
    if vr in ('OB', 'OW', 'OF', 'OD', 'SQ', 'UN', 'UT'):
        return head + b'\0\0' + struct.pack('<I', length) + value
    return head + struct.pack('<H', length) + value


def item(value=b'', length=None):
    return struct.pack('<HHI', 0xfffe, 0xe000, len(value) if length is None else length) + value


END_ITEM = struct.pack('<HHI', 0xfffe, 0xe00d, 0)
END_SEQUENCE = struct.pack('<HHI', 0xfffe, 0xe0dd, 0)


def meta(syntax=EXPLICIT):
    inner = element(0x00020010, 'UI', syntax) if syntax else b''
    return bytes(128) + b'DICM' + element(0x00020000, 'UL', struct.pack('<I', len(inner))) + inner


def ids():
    return (element(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.7') +
            element(0x00080018, 'UI', '1.2.3.4') + element(0x00080060, 'CS', 'OT'))


def shape(rows=4, columns=4, frames=None, samples=1, bits=8, stored=None, high=None, sign=0,
          photometric='MONOCHROME2', planar=None):
    stored = bits if stored is None else stored
    out = element(0x00280002, 'US', samples) + element(0x00280004, 'CS', photometric)
    if planar is not None:
        out += element(0x00280006, 'US', planar)
    if frames is not None:
        out += element(0x00280008, 'IS', str(frames))
    return out + b''.join(element(tag, 'US', value) for tag, value in (
        (0x00280010, rows), (0x00280011, columns), (0x00280100, bits), (0x00280101, stored),
        (0x00280102, stored - 1 if high is None else high), (0x00280103, sign)))


PIXELS = element(0x7fe00010, 'OW', bytes(range(16)))


def image(more=b'', pixels=PIXELS, syntax=EXPLICIT, **kinds):
    return meta(syntax) + ids() + shape(**kinds) + more + pixels


def fragments(*parts, table=b'', end=True):
    return (element(0x7fe00010, 'OB', b'', UNDEFINED) + item(table) +
            b''.join(part if part[:2] == b'\xfe\xff' else item(part) for part in parts) +
            (END_SEQUENCE if end else b''))


def encoded(syntax, code, **kinds):
    return image(pixels=fragments(code + b'\0' * (len(code) % 2)), syntax=syntax, **kinds)


def jpeg_header(frame, rows, columns, bits=8, scan=b'\0\x3f\0'):
    """Start, frame header, scan header, and no data."""
    return (b'\xff\xd8\xff' + bytes([frame]) + struct.pack('>HBHHB', 11, bits, rows, columns, 1) +
            b'\1\x11\0' + b'\xff\xda' + struct.pack('>HB', 8, 1) + b'\1\0' + scan)


def rle(segments, *offsets):
    return struct.pack('<16I', segments, *(list(offsets) + [0] * (15 - len(offsets))))


def j2k_header(width, height):
    size = struct.pack('>HIIIIIIIIH', 0, width, height, 0, 0, width, height, 0, 0, 1) + b'\7\1\1'
    return b'\xff\x4f\xff\x51' + struct.pack('>H', len(size) + 2) + size


def nested(depth, length):
    """A sequence in a sequence: of undefined length, or each of the right one."""
    inner = b''
    for _ in range(depth):
        if length:
            inner = element(0x00081115, 'SQ', item(inner))
        else:
            inner = (element(0x00081115, 'SQ', item(inner + END_ITEM, UNDEFINED) + END_SEQUENCE,
                             UNDEFINED))
    return inner


def lut(descriptor, entries):
    return element(0x00283010, 'SQ', item(
        element(0x00283002, 'US', struct.pack('<3H', *descriptor)) +
        element(0x00283006, 'OW', struct.pack(f'<{len(entries)}H', *entries))))


def dicom_structure():
    good = image()
    case('dicom-good', good, 'opens')
    case('dicom-cut-in-meta', good[:150], 'TransferSyntaxUID|element')
    case('dicom-cut-after-magic', good[:132], 'TransferSyntaxUID|element')
    case('dicom-cut-in-header', good[:230], '0008,0060')
    case('dicom-cut-in-pixels', good[:-6], '7FE0,0010|PixelData')
    case('dicom-not-dicom', b'This is a letter, and no picture.\n' * 5, 'DICOM')
    case('dicom-no-meta-vr-above-ascii', b'\x08\0\x05\0\xc1\xff\2\0ab' * 20, 'DICOM|element')
    case('dicom-meta-length-lies', good.replace(
        element(0x00020000, 'UL', struct.pack('<I', len(element(0x00020010, 'UI', EXPLICIT)))),
        element(0x00020000, 'UL', struct.pack('<I', 0xfffffff0))), 'opens')
    case('dicom-syntax-unknown', image(syntax='1.2.3.99'), '1\\.2\\.3\\.99')
    case('dicom-syntax-video', encoded(MPEG2, b'\0\0\1\xb3'), 'MPEG')
    case('dicom-vr-unknown', image(element(0x00091001, '??', b'ab')), 'opens')
    case('dicom-length-beyond-end', meta() + ids() + element(0x00200010, 'OB', b'', 0x7ffffff0),
         '0020,0010')
    case('dicom-undefined-length-text', image(element(0x00204000, 'UT', b'text', UNDEFINED)), 'sequence item|UT')
    case('dicom-undefined-length-pixels', image(pixels=element(0x7fe00010, 'OW', bytes(16),
                                                               UNDEFINED)), 'PixelData')
    case('dicom-nested-deep', image(nested(100, False)), 'nest|deep|depth')
    case('dicom-nested-deep-lengths', image(nested(100, True)), 'nest|deep|depth')
    case('dicom-sequence-without-end', image(element(0x00081115, 'SQ', item(b'', UNDEFINED),
                                                     UNDEFINED), pixels=b''), 'inside a sequence')
    case('dicom-item-at-root', image(item(b'', UNDEFINED)), 'FFFE,E000')
    case('dicom-item-longer-than-sequence', image(
        element(0x00081115, 'SQ', item(b'abcd', 0x1000))), 'opens')
    case('dicom-big-endian-claimed', image(syntax='1.2.840.10008.1.2.2'), 'opens')
    case('dicom-deflate-garbage', meta(DEFLATED) + b'\xff\xfe\xfd' * 40, 'deflate|inflate')
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeeze.compress(ids() + shape() + element(0x7fe00010, 'OB', bytes(12 << 20)))
    case('dicom-deflate-bomb', meta(DEFLATED) + bomb + squeeze.flush(), 'opens')


def dicom_shape():
    case('dicom-picture-65535-square', image(rows=65535, columns=65535, bits=16,
                                             pixels=element(0x7fe00010, 'OW', bytes(500))),
         'PixelData|pixel')
    case('dicom-rows-zero', image(rows=0), 'Rows')
    case('dicom-frames-two-billion', image(frames=2147483647), 'NumberOfFrames|frames')
    case('dicom-frames-negative', image(frames=-3), 'NumberOfFrames|opens')
    case('dicom-samples-zero', image(samples=0), 'SamplesPerPixel')
    case('dicom-samples-seven', image(samples=7), 'SamplesPerPixel')
    case('dicom-bits-thirteen', image(bits=13), 'BitsAllocated')
    case('dicom-bits-stored-above-allocated', image(bits=8, stored=12), 'opens')
    case('dicom-high-bit-above-allocated', image(bits=8, high=200), 'opens|HighBit')
    case('dicom-pixels-empty', image(pixels=element(0x7fe00010, 'OW', b'')), 'PixelData has 0')
    case('dicom-pixels-in-item-only', meta() + ids() + element(
        0x00880200, 'SQ', item(shape() + PIXELS)), 'no PixelData')
    case('dicom-palette-missing', image(photometric='PALETTE COLOR'), 'Palette')


    case('dicom-photometric-cut-letter',
         image(photometric='MONOCHROME99999\u00e4'), 'Photometric')
    case('dicom-empty-meta', bytes.fromhex('0200 1000 423d 0200 3000'), '.')


def dicom_show():
    case('dicom-window-negative', image(element(0x00281050, 'DS', '10') +
                                        element(0x00281051, 'DS', '-4')), 'opens')
    case('dicom-window-no-number', image(element(0x00281050, 'DS', '1e999\\nan') +
                                         element(0x00281051, 'DS', 'wide\\-inf')), 'opens')
    case('dicom-rescale-zero', image(element(0x00281052, 'DS', '1e308') +
                                     element(0x00281053, 'DS', '0')), 'opens')
    case('dicom-lut-bits-77', image(lut((4, 0, 77), (0, 1, 2, 3))), 'opens')
    case('dicom-lut-fewer-entries', image(lut((0, 0, 16), (0, 1, 2, 3))), 'LUTData')
    case('dicom-charset-unknown', image(element(0x00080005, 'CS', 'ISO_IR 9999') +
                                        element(0x00100020, 'LO', 'id')), 'opens')


def dicom_code_streams():
    case('dicom-fragment-beyond-end', image(
        syntax=RLE, pixels=fragments(item(b'\1\0', 0x7ffffff0), end=False)), 'fragment|RLE')
    case('dicom-fragment-none', image(syntax=RLE, pixels=fragments()), 'fragment')
    case('dicom-fragment-no-item', image(
        syntax=RLE, pixels=element(0x7fe00010, 'OB', PIXELS, UNDEFINED)), 'fragment')
    one = rle(1, 64) + b'\xf1\7'
    case('dicom-rle-good', image(syntax=RLE, pixels=fragments(one)), 'opens')
    case('dicom-offset-table-beyond', image(
        syntax=RLE, frames=2,
        pixels=fragments(one, one, one, table=struct.pack('<2I', 0, 0x7fffffff))), 'fragments of PixelData')
    case('dicom-offset-table-inside', image(
        syntax=RLE, frames=2,
        pixels=fragments(one, one, one, table=struct.pack('<2I', 0, 17))), 'fragments of PixelData')
    case('dicom-rle-segment-beyond', encoded(RLE, rle(1, 0x10000) + b'\xf1\7'), 'RLE')
    case('dicom-rle-segment-in-header', encoded(RLE, rle(1, 4) + b'\xf1\7'), 'RLE')
    case('dicom-rle-sixteen-segments', encoded(RLE, rle(16, 64) + b'\xf1\7'), 'RLE')
    case('dicom-rle-too-short', encoded(RLE, rle(1, 64) + b'\0\7'), 'RLE')
    case('dicom-rle-picture-too-large', image(
        syntax=RLE, pixels=fragments(one), rows=60000, columns=60000), 'Rows 60000')
    case('dicom-jpeg-other-size', encoded(JPEG, jpeg_header(0xc0, 60, 50)), '50 x 60')
    case('dicom-jpeg-empty', encoded(JPEG, b'\xff\xd8\xff\xd9'), 'header|JPEG')
    case('dicom-jpeg-no-tables', encoded(JPEG, jpeg_header(0xc0, 4, 4) + b'\x55' * 40), 'table')
    case('dicom-jpeg-lossless-predictor-9', encoded(
        LOSSLESS, jpeg_header(0xc3, 4, 4, scan=b'\x09\0\0') + b'\x55' * 40), 'predictor|Huffman')
    case('dicom-jpegls-other-size', encoded(JPEGLS, jpeg_header(0xf7, 65535, 65535)), 'interleave mode|65535')
    case('dicom-j2k-other-size', encoded(J2K, j2k_header(60000, 60000)), 'JPEG 2000')
    case('dicom-j2k-no-tiles', encoded(J2K, j2k_header(4, 4)), 'JPEG 2000')


# ---- pictures ----------------------------------------------------------------------------------

def chunk(kind, data):
    return (struct.pack('>I', len(data)) + kind + data +
            struct.pack('>I', zlib.crc32(kind + data)))


def pictures():
    magic = b'\x89PNG\r\n\x1a\n'
    head = struct.pack('>IIBBBBB', 4, 4, 8, 0, 0, 0, 0)
    rows = zlib.compress(b'\0abcd' * 4)
    case('png-good', magic + chunk(b'IHDR', head) + chunk(b'IDAT', rows) + chunk(b'IEND', b''),
         'opens')
    case('png-huge', magic + chunk(b'IHDR', struct.pack('>IIBBBBB', 60000, 60000, 8, 0, 0, 0, 0)) +
         chunk(b'IDAT', rows) + chunk(b'IEND', b''), '60000 x 60000')
    case('png-cut', magic + chunk(b'IHDR', head) + chunk(b'IDAT', rows)[:-8], 'PNG')
    case('png-no-data', magic + chunk(b'IHDR', head) + chunk(b'IEND', b''), 'PNG')
    case('png-checksum', magic + chunk(b'IHDR', head)[:-1] + b'?' + chunk(b'IDAT', rows), 'PNG')
    case('png-text-bomb', magic + chunk(b'IHDR', head) + chunk(
        b'zTXt', b'a\0\0' + zlib.compress(bytes(8 << 20), 9)) + chunk(b'IDAT', rows) +
         chunk(b'IEND', b''), 'opens')
    case('jpeg-huge', jpeg_header(0xc0, 65000, 65000) + b'\x55' * 60, 'JPEG')
    case('jpeg-empty', b'\xff\xd8\xff\xd9', 'JPEG')
    case('jpeg-lossless', jpeg_header(0xc3, 4, 4, scan=b'\1\0\0') + b'\x55' * 20, 'JPEG')


# ---- models ------------------------------------------------------------------------------------

def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack('<Q', len(value)) + value


def key(name, kind, value):
    return text(name) + struct.pack('<I', kind) + value


def tensor(name, dims, kind, offset):
    return (text(name) + struct.pack('<I', len(dims)) + struct.pack(f'<{len(dims)}Q', *dims) +
            struct.pack('<IQ', kind, offset))


def gguf(keys=(), tensors=(), data=b'', version=3, n_keys=None, n_tensors=None):
    out = b'GGUF' + struct.pack('<IQQ', version, len(tensors) if n_tensors is None else n_tensors,
                                len(keys) if n_keys is None else n_keys)
    out += b''.join(keys) + b''.join(tensors)
    return out + b'\0' * (-len(out) % 32) + data


def models():
    llama = key('general.architecture', 8, text('llama'))
    u32 = struct.pack('<I', 1)
    case('gguf-cut-in-head', b'GGUF\3\0\0\0\1', 'GGUF')
    case('gguf-version-99', gguf(version=99), 'version 99')
    case('gguf-keys-without-end', gguf(n_keys=1 << 60), 'GGUF')
    case('gguf-tensors-without-end', gguf([llama], n_tensors=1 << 60), 'GGUF')
    case('gguf-string-beyond-end', gguf([struct.pack('<Q', (1 << 63) - 1) + b'name']), 'GGUF')
    case('gguf-key-twice', gguf([llama, llama]), 'twice')
    case('gguf-value-type-77', gguf([key('a', 77, u32)]), 'type 77')
    case('gguf-key-no-text', gguf([key(b'a\xff\x1b[2Jb', 77, u32)]), 'key a\\?\\?\\[2Jb')
    case('gguf-list-of-lists', gguf([key('a', 9, struct.pack('<IQ', 9, 1) * 40)]), 'GGUF')
    case('gguf-list-beyond-end', gguf([key('a', 9, struct.pack('<IQ', 10, 1 << 61))]), 'GGUF')
    case('gguf-alignment-0', gguf([key('general.alignment', 4, struct.pack('<I', 0))],
                                  [tensor('a', (4,), 0, 0)], bytes(16)), 'alignment')
    case('gguf-tensor-beyond-end', gguf([llama], [tensor('a', (4,), 0, 1 << 40)], bytes(16)),
         'tensor a')
    case('gguf-shape-overflows', gguf([llama], [tensor('a', (1 << 33, 1 << 33), 0, 0)], bytes(16)),
         'tensor a')
    case('gguf-tensors-overlap', gguf([llama], [tensor('a', (8,), 0, 0), tensor('b', (8,), 0, 0)],
                                      bytes(32)), 'overlap|share')

    def weights(header, data=b''):
        return struct.pack('<Q', len(header)) + header.encode() + data

    one = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    case('safetensors-good', weights('{' + one + '}', bytes(8)), 'opens')
    case('safetensors-header-beyond-end', struct.pack('<Q', 1 << 62) + b'{}', 'header')
    case('safetensors-no-json', weights('{' + one, bytes(8)), 'JSON')
    case('safetensors-shape-overflows', weights(
        '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}', bytes(8)),
         'tensor a')
    case('safetensors-offsets-backward', weights(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', bytes(8)), 'tensor a')
    case('safetensors-offsets-beyond-end', weights(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,80]}}', bytes(8)), 'tensor a')
    case('safetensors-overlap', weights('{' + one + ',' + one.replace('"a"', '"b"') + '}',
                                        bytes(8)), 'overlap|share')
    case('safetensors-twice', weights('{' + one + ',' + one.replace('0,8', '8,16') + '}',
                                      bytes(16)), 'twice')

    case('json-good', b'{"a": [1, 2.5, "t"]}', 'opens')
    case('json-nested-deep', b'[' * 2000 + b']' * 2000, 'nest|deep')
    case('json-cut', b'{"a": [1, 2', 'JSON')
    case('json-two-values', b'{} {}', 'JSON')
    case('json-lone-surrogate', b'"\\ud800"', 'JSON')
    case('json-nul', b'"a\\u0000b"', 'JSON')
    case('json-broken-utf-8', b'"\xc3("', 'JSON')
    case('json-number', b'[01]', 'JSON')
    case('json-comment', b'{} // no', 'JSON')

    def piece(value, kind=1):
        return b'\x0a' + bytes([len(value) + 4, 0x0a, len(value)]) + value + bytes([0x18, kind])

    bpe = b'\x12\2\x18\2'
    case('tokenizer-good', piece(b'<unk>', 2) + piece(b'a') + bpe, 'opens')
    case('tokenizer-empty', bpe, 'piece')
    case('tokenizer-unigram', piece(b'<unk>', 2) + b'\x12\2\x18\1', 'model_type')
    case('tokenizer-varint-without-end', piece(b'<unk>', 2) + b'\xff' * 40, 'truncated')
    case('tokenizer-length-beyond-end', piece(b'<unk>', 2) + b'\x0a\xff\xff\xff\xff\7', 'truncated')
    case('tokenizer-piece-twice', piece(b'<unk>', 2) + piece(b'a') * 2 + bpe, 'same text')
    case('tokenizer-piece-no-text', piece(b'<unk>', 2) + piece(b'\xff\xfe') + bpe, 'UTF-8')
    case('tokenizer-score-no-number', piece(b'<unk>', 2) +
         b'\x0a\x08\x0a\1a\x15\0\0\xc0\x7f' + bpe, 'finite')


def main(check):
    wrong = 0
    for make in (dicom_structure, dicom_shape, dicom_show, dicom_code_streams, pictures, models):
        make()
    for name, (data, expect) in CASES.items():
        folder = os.path.join(HERE, name)
        for file, content in (('input', data), ('expect', expect.encode() + b'\n')):
            path = os.path.join(folder, file)
            if check:
                with open(path, 'rb') as old:
                    if old.read() != content:
                        print(f'# {path} is not what make.py makes')
                        wrong += 1
            else:
                os.makedirs(folder, exist_ok=True)
                with open(path, 'wb') as new:
                    new.write(content)
    if check:
        print(f"1..1\n{'not ok' if wrong else 'ok'} 1 {len(CASES)} cases are what make.py makes")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1:] == ['--check']))
