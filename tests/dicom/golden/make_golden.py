#!/usr/bin/python3
"""Writes render.json: pictures of pydicom's own test files, made by pydicom and numpy alone.

An independent renderer for test-golden.c: numpy does the arithmetic in double precision from the
formulas of PS3.3 C.11.1 and C.11.2, Pillow and pydicom decode. Run it again only when a case is added:

    python3 make_golden.py > render.json
"""
import hashlib
import json
import os
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixel_data_handlers.util import convert_color_space

warnings.simplefilter("ignore")
FOLDER = os.path.join(os.path.dirname(pydicom.__file__), "data", "test_files")
FILES = """CT_small.dcm ExplVR_BigEnd.dcm MR_small.dcm MR_small_RLE.dcm MR_small_bigendian.dcm
MR_small_implicit.dcm MR_small_padded.dcm SC_jpeg_no_color_transform.dcm
SC_jpeg_no_color_transform_2.dcm SC_rgb_dcmtk_+eb+cr.dcm SC_rgb_dcmtk_+eb+cy+n1.dcm
SC_rgb_dcmtk_+eb+cy+np.dcm SC_rgb_dcmtk_+eb+cy+s2.dcm SC_rgb_dcmtk_+eb+cy+s4.dcm SC_rgb_jpeg_dcmd.dcm
SC_rgb_jpeg_dcmtk.dcm SC_rgb_rle.dcm SC_rgb_rle_16bit_2frame.dcm SC_rgb_rle_2frame.dcm
SC_rgb_rle_32bit.dcm SC_rgb_small_odd.dcm SC_ybr_full_422_uncompressed.dcm image_dfl.dcm
liver_1frame.dcm liver_expb_1frame.dcm rtdose.dcm rtdose_expb.dcm rtdose_rle.dcm""".split()


def first(value):
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)


def voi(x, kind, c, w):
    if kind == "SIGMOID":
        return 255 / (1 + np.exp(-4 * (x - c) / w))
    if kind == "LINEAR":
        c, w = c - 0.5, w - 1
    return np.clip(((x - c) / w + 0.5) * 255, 0, 255) if w > 0 else np.where(x <= c, 0.0, 255.0)


def grey_cases(ds, frame):
    """Yields (window or None, picture)."""
    x = frame.astype(np.float64)
    x = x * float(ds.get("RescaleSlope", 1) or 1) + float(ds.get("RescaleIntercept", 0) or 0)
    low, high = x.min(), x.max()
    if "PixelPaddingValue" in ds:
        inside = x[frame != np.int64(np.array(ds.PixelPaddingValue).astype(frame.dtype))]
        low, high = inside.min(), inside.max()
    if ds.get("WindowCenter") not in (None, ""):
        default = ("LINEAR", first(ds.WindowCenter), first(ds.WindowWidth))
    else:
        default = ("LINEAR", low + (high - low + 1) / 2, high - low + 1)
    yield None, voi(x, *default)
    middle, span = float(x.mean()), float(high - low)
    for kind, c, w in (("LINEAR", round(middle), max(1.0, round(span / 4))),
                       ("LINEAR", round(middle), 1.0),
                       ("LINEAR_EXACT", middle, max(0.5, span / 3)),
                       ("SIGMOID", middle, max(0.5, span / 5))):
        yield [kind, c, w], voi(x, kind, c, w)


def colour(ds, frame, photometric):
    bits = int(ds.BitsStored)
    x = frame.astype(np.float64) * 255 / (2 ** bits - 1)
    if photometric.startswith("YBR"):
        return convert_color_space(frame, "YBR_FULL", "RGB").astype(np.float64)
    return x


def samples(picture, n=48):
    rows, cols = picture.shape[:2]
    out = []
    for i in range(n):
        # A fixed walk that visits all of the picture; coprime steps.
        x, y = (i * 7919 + 13) % cols, (i * 104729 + 5) % rows
        value = picture[y, x]
        rgb = [value] * 3 if np.isscalar(value) or value.ndim == 0 else list(value)
        out.append([int(x), int(y)] + [round(float(v), 3) for v in rgb])
    return out


def main():
    cases = []
    for name in FILES:
        ds = pydicom.dcmread(os.path.join(FOLDER, name))
        array = ds.pixel_array
        lossless = not ds.file_meta.TransferSyntaxUID.startswith("1.2.840.10008.1.2.4.5")
        n = int(ds.get("NumberOfFrames", 1) or 1)
        frames = array if n > 1 else array[np.newaxis]
        for index in sorted({0, n - 1}):
            frame = frames[index]
            little = np.ascontiguousarray(frame).astype(frame.dtype.newbyteorder("<"))
            base = {"file": name, "frame": index, "width": frame.shape[1], "height": frame.shape[0]}
            if lossless:
                base["stored_sha256"] = hashlib.sha256(little.tobytes()).hexdigest()
            if int(ds.SamplesPerPixel) == 1:
                for window, picture in grey_cases(ds, frame):
                    cases.append(dict(base, window=window, samples=samples(picture)))
            else:
                picture = colour(ds, frame, ds.PhotometricInterpretation)
                cases.append(dict(base, window=None, samples=samples(picture)))
    json.dump({"made_by": "make_golden.py, pydicom %s, numpy %s" % (pydicom.__version__,
                                                                    np.__version__),
               "cases": cases}, sys.stdout, separators=(",", ":"))
    print()


main()
