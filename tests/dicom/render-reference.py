#!/usr/bin/python3
"""An independent renderer: numpy and pydicom, from the words of PS3.3, in double precision.

    render-reference.py make FOLDER     writes DICOM files of every kind of grey and colour
    render-reference.py serve           compares pictures that test-render-reference.c sends

Served on standard input: a line of JSON, then the stored values, then one RGB picture for each
window. Answered on standard output: a line of JSON. The header is read here, by pydicom; the
stored values come from the program under test, whose decoders other tests check, because pydicom
decodes little.
"""
import json
import os
import shutil
import subprocess
import sys
import traceback
import warnings

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

warnings.simplefilter("ignore")
pydicom.config.convert_wrong_length_to_UN = True

GREY = ("MONOCHROME1", "MONOCHROME2")
JPEG = {"1.2.840.10008.1.2.4.%d" % k for k in (50, 51, 53, 55)}
JPEG_LOSSLESS = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
JPEG_XL = {"1.2.840.10008.1.2.4.%d" % k for k in (110, 111, 112)}
JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
PLAIN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
         "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"}

# Where DCMTK 3.6.7 is not followed, and by which clause.
CONTRADICTION = ("PS3.3 C.7.6.3.1.2: MONOCHROME1 is white at its lowest; IDENTITY is not allowed "
                 "with it (C.8.11.1.1.2), and what is required prevails over what is optional")
DCMTK_DIFFERS = {
    "monochrome1-identity.dcm": CONTRADICTION,
    "monochrome1-identity-padding.dcm": CONTRADICTION,
    "monochrome1-identity-window.dcm": CONTRADICTION,
    "palette-16-holding-8.dcm": "C.7.6.3.1.6 would have it black all over; nobody means that",
    "voi-lut-more-bits.dcm": "C.11.1.1.1: the entries do not fit the bits that they are said to "
                             "have; DCMTK cuts them off, we believe the entries",
    "rtdose_expb.dcm": "PS3.5 8.1.1: 32-bit cells in OW are two words; DCMTK swaps them",
    "rtdose_expb_1frame.dcm": "as rtdose_expb.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm": "says RGB; its code stream has two components at half the "
                                  "resolution, as chroma has and green and blue have not",
}


# ---- header -------------------------------------------------------------------------------------


def numbers(item, keyword):
    """The values of a numeric attribute, up to the first that is none (PS3.5 6.2: DS)."""
    raw = item.get_item(pydicom.tag.Tag(keyword)) if keyword in item else None
    if raw is None:
        return []
    if raw.VR == "DS" and isinstance(raw.value, bytes):
        value = raw.value.decode("latin-1").rstrip(" \0").split("\\")
    else:
        value = item[keyword].value
    if value is None or value == "":
        return []
    if not isinstance(value, (list, pydicom.multival.MultiValue)):
        value = [value]
    result = []
    for v in value:
        try:
            result.append(float(v))
        except (TypeError, ValueError):
            break
        if raw.VR == "DS" and not np.isfinite(result[-1]):
            return result[:-1]  # PS3.5 6.2: a DS has digits, sign, point and exponent only
    return result


def group(ds, frame, macro):
    """PS3.3 C.7.6.16: the macro of the frame, else the shared one, else the data set."""
    own = ds.get("PerFrameFunctionalGroupsSequence") or []
    shared = ds.get("SharedFunctionalGroupsSequence") or []
    for item in ([own[frame]] if frame < len(own) else []) + list(shared[:1]):
        if item.get(macro):
            return item[macro][0]
    return ds


class Table:
    """PS3.3 C.11.1.1: number of entries (0 is 65536), first value mapped, bits."""

    def __init__(self, descriptor, data, signed):
        n, first, bits = [int(v) for v in descriptor]
        n &= 0xffff
        first &= 0xffff
        self.first = first - 65536 if signed and first >= 32768 else first
        self.n = n or 65536
        if isinstance(data, (bytes, bytearray)):
            words = np.frombuffer(data[: len(data) // 2 * 2], "<u2")
        else:
            words = np.array(data if hasattr(data, "__len__") else [data]).astype("<u2")
        if len(words) >= self.n:
            self.data = words[: self.n].astype(int)
        elif bits <= 8 and 2 * len(words) >= self.n:
            # C.11.1.1.1: 8-bit entries packed two to a word, the first in the low byte.
            self.data = np.frombuffer(words.tobytes(), "u1")[: self.n].astype(int)
        else:
            raise ValueError("a table shorter than its descriptor says")
        self.bits = max(bits, int(self.data.max()).bit_length())

    def __call__(self, x):
        return self.data[np.clip(np.floor(x) - self.first, 0, self.n - 1).astype(int)]


def table_of(item, signed):
    return Table(item.LUTDescriptor, item.LUTData, signed)


def segments(words, n, wide):
    """C.7.9.2: discrete, linear and indirect segments to N entries."""
    out = []

    def expand(at):
        kind, length = words[at], words[at + 1]
        if kind == 0:
            out.extend(words[at + 2: at + 2 + length])
            return at + 2 + length
        assert kind == 1
        start, end = out[-1], words[at + 2]
        out.extend(int(round(start + (end - start) * k / length)) for k in range(1, length + 1))
        return at + 3

    at = 0
    while at + 2 <= len(words) and len(out) < n:
        if words[at] == 2:
            count = words[at + 1]
            if wide:
                offset, at = (words[at + 2] | words[at + 3] << 16) // 2, at + 4
            else:
                offset = sum(words[at + 2 + k] << 8 * k for k in range(4))
                at += 6
            for _ in range(count):
                offset = expand(offset)
        else:
            at = expand(at)
    return out[:n]


def palette_of(ds, signed):
    tables = []
    for colour in ("Red", "Green", "Blue"):
        d = ds[colour + "PaletteColorLookupTableDescriptor"].value
        segmented = ds.get("Segmented" + colour + "PaletteColorLookupTableData")
        if segmented is None:
            tables.append(Table(d, ds[colour + "PaletteColorLookupTableData"].value, signed))
            continue
        bits = int(d[2])
        codes = np.frombuffer(segmented, "u1" if bits <= 8 else "<u2").astype(int).tolist()
        data = segments(codes, (int(d[0]) & 0xffff) or 65536, bits > 8)
        tables.append(Table([d[0], d[1], 16], data, signed))
    # Tables that are said to be 16 bits deep and hold 8 are common; C.7.6.3.1.6 knows no such
    # thing, but a picture that is black all over is nobody's intention.
    deep = max(int(t.data.max()) for t in tables) > 255
    return tables, 65535 if deep else 255


# ---- grey ---------------------------------------------------------------------------------------


def voi(x, kind, c, w):
    """C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2."""
    if kind == "SIGMOID":
        with np.errstate(over="ignore"):
            return 255 / (1 + np.exp(-4 * (x - c) / w))
    if kind == "LINEAR" and w >= 1:
        # Width below 1 is not allowed for LINEAR; such windows are meant as LINEAR_EXACT.
        c, w = c - 0.5, w - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        y = ((x - c) / w + 0.5) * 255
    return np.where(x <= c - w / 2, 0, np.where(x > c + w / 2, 255, y))


class Grey:
    def __init__(self, ds, frame, kind):
        self.ds = ds
        self.real = kind in ("f32", "f64")
        self.signed = not self.real and kind[0] == "s"
        self.bits = self.high = 0
        if not self.real:
            allocated = int(ds.BitsAllocated)
            self.bits = int(ds.get("BitsStored") or allocated)
            high = ds.get("HighBit")
            self.shift = max(0, int(high) + 1 - self.bits) if high is not None else 0
            if allocated == 1 or (high is not None and int(high) >= allocated):
                self.shift = 0
            if allocated == 1:
                self.bits = 8
        self.inverse = (ds.PhotometricInterpretation == "MONOCHROME1"
                        or ds.get("PresentationLUTShape") == "INVERSE")
        transform = group(ds, frame, "PixelValueTransformationSequence")
        self.of_frame = transform is not ds
        self.table = None
        self.slope, self.intercept = 1.0, 0.0
        if ds.get("ModalityLUTSequence"):
            self.table = table_of(ds.ModalityLUTSequence[0], self.signed)
        else:
            self.slope = (numbers(transform, "RescaleSlope") or [1.0])[0]
            self.intercept = (numbers(transform, "RescaleIntercept") or [0.0])[0]
            if self.slope == 0 or not np.isfinite(self.slope):
                self.slope = 1.0
            if not np.isfinite(self.intercept):
                self.intercept = 0.0
        # C.11.2.1.1: the first value mapped is signed if what the modality LUT gives can be.
        lut_signed = self.table is None and (self.signed or self.intercept < 0 or self.slope < 0)
        self.luts = [table_of(i, lut_signed) for i in ds.get("VOILUTSequence") or []]
        view = group(ds, frame, "FrameVOILUTSequence")
        function = view.get("VOILUTFunction") or "LINEAR"
        if function not in ("SIGMOID", "LINEAR_EXACT"):
            function = "LINEAR"
        pairs = zip(numbers(view, "WindowCenter"), numbers(view, "WindowWidth"))
        self.windows = [(function, c, w) for c, w in pairs
                        if np.isfinite(c) and np.isfinite(w) and w > 0]
        self.padding = self.read_padding(kind)

    def read_padding(self, kind):
        prefix = {"f32": "Float", "f64": "DoubleFloat"}.get(kind, "")
        value = numbers(self.ds, prefix + "PixelPaddingValue")
        limit = numbers(self.ds, prefix + "PixelPaddingRangeLimit") or value
        if not value or np.isnan(value[0]):
            return None
        ends = [value[0], limit[0]]
        if not self.real:
            # C.7.5.1.1.2: of the type of the pixels, whatever the VR in the file says.
            ends = [int(e) & 0xffff for e in ends]
            if self.signed:
                half = 1 << (min(self.bits, 16) - 1)
                ends = [e - 65536 if e >= half else e for e in ends]
        return min(ends), max(ends)

    def cut(self, stored):
        """BitsStored below HighBit, with their sign (PS3.5 8.1.1)."""
        if self.real:
            return stored.astype(float)
        v = (stored.astype(np.int64) >> self.shift) & ((1 << self.bits) - 1)
        if self.signed:
            v = np.where(v >> (self.bits - 1) & 1, v - (1 << self.bits), v)
        return v.astype(float)

    def modality(self, x):
        return self.table(x).astype(float) if self.table else x * self.slope + self.intercept

    def render(self, stored, window):
        """Greys as real numbers; and which of the values were padding."""
        x = self.cut(stored)
        padding = np.isnan(x)
        if self.padding:
            padding |= (x >= self.padding[0]) & (x <= self.padding[1])
        v = self.modality(np.where(np.isnan(x), 0, x))
        kind, invert = window["voi"], window.get("invert", False)
        c, w = window.get("center"), window.get("width")
        if kind == "default":
            if self.windows:
                kind, c, w = self.windows[0]
            elif self.luts:
                kind, window = "LUT", {"lut": 0}
            else:
                kind = "range"
        if kind == "LUT":
            lut = self.luts[window["lut"]]
            y = lut(v) * 255.0 / ((1 << lut.bits) - 1)
        elif kind == "range":
            # Nothing is said: the lowest value becomes black, the highest white.
            inside = v[~padding & np.isfinite(v)]
            low, high = (inside.min(), inside.max()) if inside.size else (0.0, 0.0)
            if high > low:
                y = (v - low) / (high - low) * 255
            else:
                y = np.full(v.shape, 255.0 / 2) if inside.size else np.zeros(v.shape)
                if high == low and inside.size:
                    y = voi(v, "LINEAR_EXACT", low, 1)
        else:
            y = voi(v, kind, c, w)
        y = np.clip(y, 0, 255)
        if self.inverse != invert:
            y = 255 - y
        # C.7.5.1.1.2: padding is not part of the image. It is black, in either polarity, until the
        # reader inverts the screen.
        return np.where(padding, 255.0 if invert else 0.0, y), padding


def grey_picture(grey, stored, window):
    """Of at most 16 bits, each value is worked out once."""
    values, where = np.unique(stored, return_inverse=True)
    y, padding = grey.render(values, window)
    return y[where], padding[where]


# ---- colour -------------------------------------------------------------------------------------


def ybr_full(p):
    """C.7.6.3.1.2."""
    y, cb, cr = p[:, 0], p[:, 1] - 128, p[:, 2] - 128
    return np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], 1)


def ybr_partial(p):
    """C.7.6.3.1.2, of ITU-R BT.601's reduced range."""
    y, cb, cr = 1.1644 * (p[:, 0] - 16), p[:, 1] - 128, p[:, 2] - 128
    return np.stack([y + 1.5960 * cr, y - 0.3917 * cb - 0.8129 * cr, y + 2.0173 * cb], 1)


def jpeg_is_ybr(path):
    """What the code stream says of its own colours (T.81 B.2, JFIF, Adobe's APP14)."""
    data = pydicom.dcmread(path, force=True).PixelData
    stream = data[data.index(b"\xff\xd8\xff"):]
    at, jfif, adobe = 2, False, None
    while at + 4 <= len(stream) and stream[at] == 0xff:
        marker, length = stream[at + 1], stream[at + 2] << 8 | stream[at + 3]
        body = stream[at + 4: at + 2 + length]
        if marker == 0xe0 and body[:4] == b"JFIF":
            jfif = True
        if marker == 0xee and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        if 0xc0 <= marker <= 0xc2:
            sampling = {body[7 + 3 * k] for k in range(body[5])}
            return adobe == 1 if adobe is not None else jfif or len(sampling) > 1
        at += 2 + length
    return False


def colour_picture(ds, path, stored, samples):
    pi = str(ds.PhotometricInterpretation)
    syntax = str(ds.file_meta.get("TransferSyntaxUID", ""))
    if pi == "PALETTE COLOR":
        tables, top = palette_of(ds, int(ds.get("PixelRepresentation") or 0) == 1)
        bits, signed = int(ds.BitsStored), int(ds.get("PixelRepresentation") or 0) == 1
        x = stored.astype(np.int64) & ((1 << bits) - 1)
        if signed:
            x = np.where(x >> (bits - 1), x - (1 << bits), x)
        return np.stack([t(x) * 255.0 / top for t in tables], 1)
    bits = int(ds.BitsStored)
    p = stored.reshape(-1, samples).astype(float)
    p = np.clip(p, 0, None) * 255 / ((1 << bits) - 1)
    if bits > 8:
        p = np.round(p)  # the transform is one of bytes
    # JPEG XL is RGB when it is decoded, whatever the JPEG was that it may have been made of.
    is_ybr = pi in ("YBR_FULL", "YBR_FULL_422") and syntax not in JPEG_XL
    if pi == "RGB" and syntax in JPEG:
        is_ybr = jpeg_is_ybr(path)
    if pi == "YBR_PARTIAL_422":
        p = ybr_partial(p)
    elif is_ybr:
        p = ybr_full(p)
    # YBR_RCT and YBR_ICT: the decoder of JPEG 2000 gives RGB (PS3.5 8.2.4).
    return np.clip(p, 0, 255)


# ---- comparing ----------------------------------------------------------------------------------

KINDS = {"u8": "u1", "s8": "i1", "u16": "<u2", "s16": "<i2", "u32": "<u4", "s32": "<i4",
         "f32": "<f4", "f64": "<f8"}


def farthest(ours, theirs):
    d = np.abs(ours.astype(float) - theirs)
    at = int(d.argmax())
    return float(d.flat[at]), at


def dcmtk_tool(syntax):
    return ("dcmj2pnm" if syntax in JPEG | JPEG_LOSSLESS else "dcml2pnm" if syntax in JPEG_LS
            else "dcm2pnm" if syntax in PLAIN else None)


def dcmtk_picture(tool, path, frame, arguments):
    """Pixels of a binary PGM or PPM on standard output; None when the tool refuses."""
    done = subprocess.run([tool, "-q", "+op", "+F", str(frame + 1)] + arguments + [path],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    fields = done.stdout.split(None, 4)[:4] if done.returncode == 0 else []
    if len(fields) < 4 or fields[0] not in (b"P5", b"P6"):
        return None
    samples = 3 if fields[0] == b"P6" else 1
    count = int(fields[1]) * int(fields[2]) * samples
    pixels = np.frombuffer(done.stdout[-count:], "u1").reshape(-1, samples)
    return np.repeat(pixels, 3, 1) if samples == 1 else pixels


def second_opinion(request, ds, grey, picture, padding, limit):
    """DCMTK's picture beside ours: "" or what is wrong, None when there is none."""
    tool = dcmtk_tool(str(ds.file_meta.get("TransferSyntaxUID", "")))
    name, window = request["name"], request["windows"][0]
    if tool is None or name in DCMTK_DIFFERS or not shutil.which(tool):
        return None
    arguments = ["-O"]  # overlays are not part of this picture
    if grey:
        kind = grey.windows[0][0] if grey.windows else "LUT" if grey.luts else "range"
        if window["function"] == "LINEAR_EXACT" or grey.of_frame:
            return None  # DCMTK 3.6.7 knows LINEAR and SIGMOID, and no C.7.6.16.2.9
        arguments += (["+Wl", "1"] if kind == "LUT"
                      else ["+Wm"] if kind == "range" and not grey.padding
                      else ["+Ww", "%.17g" % window["center"], "%.17g" % window["width"]])
        if kind == "SIGMOID":
            arguments += ["+Wfs"]
    theirs = dcmtk_picture(tool, request["path"], request["frame"], arguments)
    if theirs is None:
        return None
    if theirs.shape != picture.shape:
        return "DCMTK's picture has another size"
    keep = ~padding if padding is not None else np.ones(len(picture), bool)
    if not keep.any():
        return ""
    worst, at = farthest(picture[keep], theirs[keep].astype(float))
    # Half a level of rounding here, and up to one of cutting off there. Colour out of a JPEG was
    # rounded twice more: its decoder's inverse transform differs, and so does that to RGB.
    return "" if worst <= limit else "DCMTK: pixel %d is %d, theirs is %d" % (
        at // 3, picture[keep].flat[at], theirs[keep].flat[at])


def judge(request, stored, pictures):
    ds = pydicom.dcmread(request["path"], force=True, stop_before_pixels=True)
    if not hasattr(ds, "file_meta"):
        ds.file_meta = FileMetaDataset()
    frame, samples = request["frame"], request["samples"]
    pi = str(ds.get("PhotometricInterpretation", ""))
    if not pi and samples == 1:
        # Without it an object breaks C.7.6.3; grey of one sample is shown as what nearly all are.
        pi = ds.PhotometricInterpretation = "MONOCHROME2"
    stored = np.frombuffer(stored, KINDS[request["type"]])
    answer = {"status": "ok", "text": "", "second": None, "worst": 0.0}
    grey = Grey(ds, frame, request["type"]) if pi in GREY else None
    padding = None
    # Our own rounding is half a level; the upper byte of a palette's words is up to one from theirs.
    limit = 1.0
    for k, window in enumerate(request["windows"]):
        ours = np.frombuffer(pictures[k], "u1").reshape(-1, 3)
        if grey:
            y, padding = grey_picture(grey, stored, window)
            expected = np.repeat(y[:, None], 3, 1)
        else:
            if k > 0:
                break
            expected = colour_picture(ds, request["path"], stored, samples)
        worst, at = farthest(ours, expected)
        answer["worst"] = max(answer["worst"], worst)
        if not worst <= limit:
            answer.update(status="wrong", text="window %d (%s): pixel %d is %d, expected %.2f" % (
                k, window["voi"], at // 3, ours.flat[at], expected.flat[at]))
            return answer
    if request["second"]:
        ours = np.frombuffer(pictures[0], "u1").reshape(-1, 3)
        first_padding = grey_picture(grey, stored, request["windows"][0])[1] if grey else None
        answer["second"] = second_opinion(request, ds, grey, ours, first_padding, 1 if grey else 2)
    return answer


def serve():
    source, sink = sys.stdin.buffer, sys.stdout
    while True:
        line = source.readline()
        if not line:
            return
        request = json.loads(line)
        stored = source.read(request["bytes"])
        size = request["width"] * request["height"] * 3
        pictures = [source.read(size) for _ in request["windows"]]
        try:
            answer = judge(request, stored, pictures)
        except Exception as e:  # a header that pydicom does not read: nothing to compare with
            # Without the words of the exception, which may be the patient's.
            answer = {"status": "skip", "second": None, "worst": 0.0, "text": "%s in line %d" % (
                type(e).__name__, traceback.extract_tb(e.__traceback__)[-1].lineno)}
        print(json.dumps(answer), file=sink, flush=True)


# ---- files of its own ---------------------------------------------------------------------------


def base(pixels, pi="MONOCHROME2", bits=None, **more):
    """A data set around PIXELS: rows x columns, rows x columns x 3, or frames x rows x columns."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "1.2.3.4.5"
    colour = pixels.ndim == 3 and pi not in GREY + ("PALETTE COLOR",)
    if pixels.ndim == 3 and not colour:
        ds.NumberOfFrames = pixels.shape[0]
        ds.Rows, ds.Columns = pixels.shape[1:]
    else:
        ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = pi
    ds.BitsAllocated = pixels.itemsize * 8
    if pixels.dtype.kind == "f":
        name = "FloatPixelData" if pixels.itemsize == 4 else "DoubleFloatPixelData"
        setattr(ds, name, pixels.tobytes())
    else:
        ds.BitsStored = bits or pixels.itemsize * 8
        ds.HighBit = ds.BitsStored - 1
        ds.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
        if colour:
            ds.PlanarConfiguration = 0
        ds.PixelData = pixels.tobytes()
        ds["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def lut(first, data, bits, count=None, packed=False, first_signed=False):
    item = Dataset()
    count = len(data) if count is None else count
    raw = np.asarray(data, "u1").tobytes() if packed else np.asarray(data, "<u2").tobytes()
    item.add_new(0x00283002, "SS" if first_signed else "US",
                 [count - 65536 if first_signed and count > 32767 else count,
                  first if first_signed else first & 0xffff, bits])
    item.add_new(0x00283006, "OW", raw + b"\0" * (len(raw) % 2))
    return item


def palettes(ds, n, first, bits, reds, segmented=False):
    for k, colour in enumerate(("Red", "Green", "Blue")):
        setattr(ds, colour + "PaletteColorLookupTableDescriptor", [n & 0xffff, first, bits])
        ds[colour + "PaletteColorLookupTableDescriptor"].VR = "US"
        name = ("Segmented" if segmented else "") + colour + "PaletteColorLookupTableData"
        raw = reds[k].tobytes()
        setattr(ds, name, raw + b"\0" * (len(raw) % 2))
        ds[name].VR = "OW"
    return ds


def raw_text(ds, tag, text):
    """A DS as it is, which pydicom would not write otherwise."""
    value = text.encode() + b" " * (len(text) % 2)
    tag = pydicom.tag.Tag(tag)
    ds[tag] = RawDataElement(tag, "DS", len(value), value, 0, False, True)


def grey_cases():
    r = np.random.default_rng(3)
    u16 = r.integers(0, 4096, (24, 31)).astype("<u2")
    s16 = r.integers(-2048, 2048, (24, 31)).astype("<i2")
    u8 = r.integers(0, 256, (24, 32)).astype("u1")
    full = r.integers(0, 65536, (24, 31)).astype("<u2")
    for pi in GREY:
        for shape in (None, "IDENTITY", "INVERSE"):
            more = {"PresentationLUTShape": shape} if shape else {}
            name = "%s-%s" % (pi.lower(), (shape or "none").lower())
            yield name, base(u16, pi, 12, **more)
            yield name + "-window", base(u16, pi, 12, WindowCenter=1200, WindowWidth=900, **more)
            yield name + "-padding", base(u16, pi, 12, PixelPaddingValue=4000,
                                          PixelPaddingRangeLimit=4095, **more)
        yield pi.lower() + "-signed", base(s16, pi, 16, RescaleSlope="1.5",
                                           RescaleIntercept="-7.25")
        yield pi.lower() + "-signed12", base(s16 & 0xfff, pi, 12, PixelRepresentation=1)
        yield pi.lower() + "-signed-padding", base(s16, pi, 16, PixelPaddingValue=-2000)
        yield pi.lower() + "-8bit", base(u8, pi)
        yield pi.lower() + "-8bit-signed", base(u8.view("i1"), pi)
    yield "padding-below", base(u16, "MONOCHROME2", 12, PixelPaddingValue=50,
                                PixelPaddingRangeLimit=0)
    yield "padding-all", base(u16 * 0 + 5, "MONOCHROME1", 12, PixelPaddingValue=5)
    yield "flat", base(u16 * 0 + 5, "MONOCHROME2", 12)
    yield "high-bit-15", base((u16 << 4) | 7, "MONOCHROME2", 12, HighBit=15)
    yield "overlay-bits", base(u16 | 0xa000, "MONOCHROME2", 12)
    yield "slope-negative", base(u16, "MONOCHROME2", 12, RescaleSlope=-1, RescaleIntercept=100,
                                 WindowCenter=-1500, WindowWidth=2000)
    yield "slope-zero", base(u16, "MONOCHROME2", 12, RescaleSlope=0, RescaleIntercept=0)
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        for c, w in ((2048, 4096), (1000.5, 333.25), (2000, 1), (2000, 2), (2000, 0.5)):
            yield "%s-%g-%g" % (function.lower(), c, w), base(
                u16, "MONOCHROME2", 12, VOILUTFunction=function, WindowCenter=str(c),
                WindowWidth=str(w))
    yield "windows-several", base(u16, "MONOCHROME2", 12, WindowCenter=["1000", "2000", "3000"],
                                  WindowWidth=["100", "200", "300"])
    yield "windows-more-centers", base(u16, "MONOCHROME2", 12, WindowCenter=["1000", "2000"],
                                       WindowWidth="700")
    for width in ("0", "-5", "NaN", "inf", "1e999", "abc", ""):
        ds = base(u16, "MONOCHROME2", 12)
        raw_text(ds, 0x00281050, "1000\\2000")
        raw_text(ds, 0x00281051, width + "\\800")
        yield "width-" + (width or "empty"), ds
    yield "full16", base(full, "MONOCHROME2")
    yield "full16-signed", base(full.view("<i2"), "MONOCHROME1")
    yield "32bit", base((full.astype("<u4") << 12) + 3, "MONOCHROME2")
    yield "32bit-signed", base(full.astype("<i4") - 40000, "MONOCHROME1", RescaleSlope="0.001")
    real = r.normal(0, 50, (24, 31))
    real[0, :3] = [np.nan, np.inf, -np.inf]
    for dtype, prefix in (("<f4", "Float"), ("<f8", "DoubleFloat")):
        for pi in GREY:
            yield prefix.lower() + "-" + pi.lower(), base(real.astype(dtype), pi)
        padded = real.astype(dtype)
        padded[3:6] = -1000
        ds = base(padded, "MONOCHROME1", WindowCenter=0, WindowWidth=100)
        setattr(ds, prefix + "PixelPaddingValue", -1000.0)
        setattr(ds, prefix + "PixelPaddingRangeLimit", -900.0)
        yield prefix.lower() + "-padding", ds


def table_cases():
    r = np.random.default_rng(4)
    u16 = r.integers(0, 4096, (24, 31)).astype("<u2")
    s16 = r.integers(-2048, 2048, (24, 31)).astype("<i2")
    wide = np.arange(65536) // 3
    up = np.sort(r.integers(0, 4096, 1000))
    eight = np.sort(r.integers(0, 256, 1001))

    def modality(pixels, item, **more):
        return base(pixels, "MONOCHROME2", ModalityLUTSequence=Sequence([item]), **more)

    def views(pixels, items, **more):
        return base(pixels, "MONOCHROME2", VOILUTSequence=Sequence(items), **more)

    yield "modality-lut", modality(u16, lut(1000, r.integers(0, 65536, 2000), 16))
    yield "modality-lut-signed", modality(s16, lut(-900, up, 16))
    yield "modality-lut-signed-ss", modality(s16, lut(-900, up, 16, first_signed=True))
    yield "modality-lut-packed", modality(u16, lut(1500, eight, 8, packed=True))
    yield "modality-lut-8-in-words", modality(u16, lut(1500, eight, 8))
    yield "modality-lut-65536", modality(u16, lut(0, wide, 16, count=0))
    yield "modality-lut-window", modality(u16, lut(0, wide, 16, count=0), WindowCenter=700,
                                          WindowWidth=500)
    yield "voi-lut", views(u16, [lut(1000, up, 12)])
    yield "voi-lut-several", views(u16, [lut(1000, up, 12), lut(500, up[::-1], 12),
                                         lut(0, eight, 8, packed=True)])
    yield "voi-lut-signed", views(s16, [lut(-500, up, 12)])
    yield "voi-lut-intercept", views(u16, [lut(-500, up, 12)], RescaleSlope=1,
                                     RescaleIntercept=-1024)
    yield "voi-lut-fraction", views(u16, [lut(200, up, 12)], RescaleSlope="0.37",
                                    RescaleIntercept=0)
    yield "voi-lut-65536", views(u16, [lut(0, wide, 16, count=0)])
    yield "voi-lut-more-bits", views(u16, [lut(1000, up, 10)])
    yield "voi-lut-and-window", views(u16, [lut(1000, up, 12)], WindowCenter=2000,
                                      WindowWidth=1000)
    one = views(u16, [lut(1000, up, 12)], PhotometricInterpretation="MONOCHROME1")
    one.PresentationLUTShape = "INVERSE"
    yield "voi-lut-inverse", one


def colour_cases():
    r = np.random.default_rng(5)
    rgb = r.integers(0, 256, (24, 30, 3)).astype("u1")
    deep = r.integers(0, 65536, (24, 30, 3)).astype("<u2")
    yield "rgb", base(rgb, "RGB")
    planar = base(rgb, "RGB", PlanarConfiguration=1)
    planar.PixelData = rgb.transpose(2, 0, 1).tobytes()
    yield "rgb-planar", planar
    yield "rgb-16", base(deep, "RGB")
    yield "rgb-12", base(deep >> 4, "RGB", 12)
    yield "ybr-full", base(rgb, "YBR_FULL")
    planar = base(rgb, "YBR_FULL", PlanarConfiguration=1)
    planar.PixelData = rgb.transpose(2, 0, 1).tobytes()
    yield "ybr-full-planar", planar
    for pi in ("YBR_FULL_422", "YBR_PARTIAL_422"):
        half = base(rgb, pi)
        # C.7.6.3.1.2: Y1 Y2 Cb Cr, the chroma sited with the first.
        pairs = rgb.reshape(24, 15, 2, 3)
        half.PixelData = np.stack([pairs[:, :, 0, 0], pairs[:, :, 1, 0], pairs[:, :, 0, 1],
                                   pairs[:, :, 0, 2]], 2).tobytes()
        yield pi.lower(), half
    u8 = r.integers(0, 256, (24, 30)).astype("u1")
    u16 = r.integers(0, 3000, (24, 30)).astype("<u2")
    small = [r.integers(0, 256, 200).astype("u1") for _ in range(3)]
    large = [r.integers(0, 65536, 2000).astype("<u2") for _ in range(3)]
    yield "palette-8", palettes(base(u8, "PALETTE COLOR"), 200, 20, 8, small)
    yield "palette-8-in-words", palettes(base(u8, "PALETTE COLOR"), 200, 20, 8,
                                         [t.astype("<u2") for t in small])
    yield "palette-16", palettes(base(u16, "PALETTE COLOR", 12), 2000, 500, 16, large)
    yield "palette-16-holding-8", palettes(base(u8, "PALETTE COLOR"), 200, 0, 16,
                                           [t.astype("<u2") for t in small])
    whole = [(np.arange(65536) * k % 65536).astype("<u2") for k in (1, 3, 20)]
    yield "palette-65536", palettes(base(u16, "PALETTE COLOR", 16), 0, 0, 16, whole)
    # Discrete, linear and indirect segments.
    codes = [0, 2, 1000 * 5, 40000, 1, 100, 900, 1, 60, 65535, 2, 2, 4 * 2, 0, 0, 3, 7, 8, 9]
    yield "palette-segmented-16", palettes(base(u16, "PALETTE COLOR", 12), 325, 40, 16,
                                           [np.array(codes, "<u2")] * 3, True)
    codes = [0, 2, 10, 200, 1, 60, 30, 1, 40, 255, 2, 2, 4, 0, 0, 0, 0, 3, 7, 8, 9]
    yield "palette-segmented-8", palettes(base(u8, "PALETTE COLOR"), 205, 0, 8,
                                          [np.array(codes, "u1")] * 3, True)


def frame_case():
    """Windows and rescale of each frame, and shared ones where a frame has none."""
    r = np.random.default_rng(6)
    ds = base(r.integers(0, 4096, (3, 12, 14)).astype("<u2"), "MONOCHROME2", 12)

    def macro(keyword, **values):
        item = Dataset()
        for k, v in values.items():
            setattr(item, k, v)
        outer = Dataset()
        setattr(outer, keyword, Sequence([item]))
        return outer

    shared = macro("FrameVOILUTSequence", WindowCenter=1000, WindowWidth=2000)
    shared.update(macro("PixelValueTransformationSequence", RescaleSlope=2, RescaleIntercept=-500,
                        RescaleType="US"))
    first = macro("FrameVOILUTSequence", WindowCenter=3000, WindowWidth=500,
                  VOILUTFunction="SIGMOID")
    last = macro("PixelValueTransformationSequence", RescaleSlope=1, RescaleIntercept=0,
                 RescaleType="US")
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence([first, Dataset(), last])
    return ds


def make(folder):
    cases = list(grey_cases()) + list(table_cases()) + list(colour_cases())
    cases.append(("windows-per-frame", frame_case()))
    for name, ds in cases:
        ds.is_little_endian, ds.is_implicit_VR = True, False
        ds.save_as(os.path.join(folder, name + ".dcm"), write_like_original=False)
    print(len(cases))


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 3:
        make(sys.argv[2])
    elif sys.argv[1:] == ["serve"]:
        serve()
    else:
        sys.exit(__doc__)
