#!/usr/bin/python3
"""Images beside DCMTK's: scan headers, decode, read a series, look through windows.

    images.py [--quick] [--only BENCHES] [--repeats N] [--markdown | --readme FILE] [--json FILE]

Two programs do the work, bench-images (ours) and dcmtk-peer (DCMTK's library in a loop); this one
makes the files, compares what the two read, and only then lets them run in turn, A B A B, so that
whatever else the machine does falls on both. It prints one JSON object per line, or tables.

--quick: few files, once each, for what is compared. --only: of scan,decode,series,window.
Environment: HILUM_BIN, HILUM_DECODE, BENCH_IMAGES, DCMTK_PEER (see images.sh); HILUM_SHARED adds
real files.

Rates are by processor time where one thread works, by the wall clock where several do.
"""
import argparse
import concurrent.futures
import datetime
import glob
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

JPEG = "1.2.840.10008.1.2.4."
# Transfer syntaxes that DCMTK reads too: UID, name, what Debian's tools make it with, for which
# pictures ("16": 12 of 16 bits, "8", "rgb").
SYNTAXES = [
    ("1.2.840.10008.1.2", "Implicit VR Little Endian", ["dcmconv", "+ti"], "16 rgb"),
    ("1.2.840.10008.1.2.1", "Explicit VR Little Endian", ["dcmconv", "+te"], "16 rgb"),
    ("1.2.840.10008.1.2.2", "Explicit VR Big Endian", ["dcmconv", "+tb"], "16 rgb"),
    ("1.2.840.10008.1.2.1.99", "Deflated", ["dcmconv", "+td"], "16 rgb"),
    ("1.2.840.10008.1.2.5", "RLE", ["dcmcrle"], "16 rgb"),
    (JPEG + "50", "JPEG baseline", ["dcmcjpeg", "+eb"], "8 rgb"),
    (JPEG + "51", "JPEG extended, 12 bits", ["dcmcjpeg", "+ee", "+bt"], "16"),
    (JPEG + "53", "JPEG spectral selection", ["dcmcjpeg", "+es", "+be"], "8"),
    (JPEG + "55", "JPEG progressive", ["dcmcjpeg", "+ep", "+be"], "8"),
    (JPEG + "57", "JPEG lossless", ["dcmcjpeg", "+el"], "16"),
    (JPEG + "70", "JPEG lossless, first order", ["dcmcjpeg", "+e1"], "16 rgb"),
    (JPEG + "80", "JPEG-LS", ["dcmcjpls", "+el"], "16 rgb"),
    (JPEG + "81", "JPEG-LS near-lossless", ["dcmcjpls", "+en"], "16"),
]
# And those that it does not read.
ALONE = {
    JPEG + "90": "JPEG 2000, lossless", JPEG + "91": "JPEG 2000",
    JPEG + "110": "JPEG XL, lossless", JPEG + "111": "JPEG XL of a JPEG", JPEG + "112": "JPEG XL",
    JPEG + "201": "HTJ2K, lossless", JPEG + "202": "HTJ2K, lossless, RPCL", JPEG + "203": "HTJ2K",
    "1.2.840.10008.1.2.8.1": "Deflated frames",
}
NAMES = {**{uid: name for uid, name, _, _ in SYNTAXES}, **ALONE}
# libjpeg-turbo and DCMTK's libjpeg round the same transform alike; one level is left for others
# (ITU-T T.83 allows one in a coefficient).
LOSSY = {JPEG + "50": 1, JPEG + "51": 1, JPEG + "53": 1, JPEG + "55": 1}
PYDICOM = "/usr/lib/python3/dist-packages/pydicom/data/test_files"


def fail(message):
    sys.exit(f"images.py: {message}")


# ---- the two programs ----------------------------------------------------------------------------


class Worker:
    """One of the two programs; answers requests until it is closed."""

    def __init__(self, name, variable):
        path = os.environ.get(variable)
        if not path:
            fail(f"{variable} is not set; run images.sh")
        self.name = name
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def try_to(self, *words):
        """The answer's words: "ok" and what was asked for, or "error" and why."""
        self.process.stdin.write("\t".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n").split("\t")

    def ask(self, *words):
        answer = self.try_to(*words)
        if answer[0] != "ok":
            fail(f"{self.name}, asked for {words[0]}: {' '.join(answer) or 'it died'}")
        return answer[1:]

    def measure(self, *words):
        """What was done, seconds by the wall clock, seconds of the processor."""
        return tuple(float(x) for x in self.ask(*words))

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            fail(f"{self.name} ended with {self.process.returncode}")


class Peers:
    def __init__(self, folder):
        self.ours, self.dcmtk = Worker("bench-images", "BENCH_IMAGES"), \
            Worker("dcmtk-peer", "DCMTK_PEER")
        self.folder = folder
        self.n_lists = 0

    def list(self, paths):
        """The path of a file that names PATHS."""
        self.n_lists += 1
        name = os.path.join(self.folder, f"list-{self.n_lists}")
        with open(name, "w", encoding="utf-8") as f:
            f.write("\n".join(paths) + "\n")
        return name

    def bytes(self, worker, operation, paths, *more):
        out = os.path.join(self.folder, "bytes")
        worker.ask(operation, self.list(paths), out, *more)
        with open(out, "rb") as f:
            data = f.read()
        os.unlink(out)
        return data

    def close(self):
        self.ours.close()
        self.dcmtk.close()


def tool_seconds(command):
    """Wall clock and processor seconds of a command, of what it started too."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        fail(f"{' '.join(command[:3])} … ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


class Bench:
    def __init__(self, options, peers, made):
        self.options, self.peers, self.made = options, peers, made
        self.rows = []

    def wants(self, name):
        return not self.options.only or name in self.options.only.split(",")

    def note(self, **row):
        row = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in row.items()}
        self.rows.append(row)
        text = json.dumps(row)
        if self.options.json:
            self.options.json.write(text + "\n")
            self.options.json.flush()
        if not (self.options.markdown or self.options.readme):
            print(text, flush=True)

    def rounds(self, once, most=2000):
        """So many that a measurement takes about as long as the options say."""
        if self.options.quick:
            return 1
        _, wall, cpu = once()
        return max(1, min(most, round(self.options.seconds / max(min(wall, cpu), 1e-5))))

    def pair(self, ours, dcmtk, rounds=True):
        """Both in turn. Each is called with a number of rounds and gives (done, wall, cpu)."""
        n_ours = self.rounds(lambda: ours(1)) if rounds else 1
        n_dcmtk = self.rounds(lambda: dcmtk(1)) if rounds else 1
        a, b = [], []
        for _ in range(self.options.repeats):
            a.append(ours(n_ours))
            b.append(dcmtk(n_dcmtk))
        return Pair(a, b)


class Pair:
    """Rates of two programs that ran in turn, and how they compare."""

    def __init__(self, ours, dcmtk):
        self.ours, self.dcmtk = ours, dcmtk

    @staticmethod
    def rate(runs, by):
        return statistics.median(r[0] / max(r[by], 1e-9) for r in runs)

    def ratio(self, by):
        """The median of the pairs': what is slow for a while is so for both of a pair."""
        return statistics.median((a[0] / max(a[by], 1e-9)) / (b[0] / max(b[by], 1e-9))
                                 for a, b in zip(self.ours, self.dcmtk))

    def fields(self, unit, scale=1.0, by=2):
        other = 3 - by
        return {f"ours_{unit}": self.rate(self.ours, by) * scale,
                f"dcmtk_{unit}": self.rate(self.dcmtk, by) * scale,
                "ratio": self.ratio(by),
                "ratio_wall" if by == 2 else "ratio_cpu": self.ratio(other)}


# ---- files ---------------------------------------------------------------------------------------


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{' '.join(command)}: {done.stderr.strip()}")


def transfer_syntax(path):
    return str(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[])
               .file_meta.TransferSyntaxUID)


def write_as(dataset, path, **changes):
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, write_like_original=False)
    return path


class Made:
    """Pictures by `hilum phantom`, in every transfer syntax that Debian's tools can write."""

    def __init__(self, folder, quick):
        self.folder, self.quick = folder, quick
        self.hilum = os.environ.get("HILUM_BIN") or fail("HILUM_BIN is not set; run images.sh")
        self.n_slices = 8 if quick else 120
        self.size = 128 if quick else 512
        self.stack = os.path.join(folder, "explicit")
        run(self.hilum, "phantom", f"--stack={self.n_slices}", f"--size={self.size}",
            "--out", self.stack)
        self.pictures = {"ct": self.slices(self.stack)[self.n_slices // 2]}
        self.pictures["ct8"] = self.make_grey8()
        self.pictures["rgb"] = self.make_rgb()
        self.pictures["cr"] = self.make_radiograph()

    @staticmethod
    def slices(folder):
        return sorted(glob.glob(os.path.join(folder, "*.dcm")))

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_grey8(self):
        ds = pydicom.dcmread(self.pictures["ct"])
        eight = (ds.pixel_array >> (ds.BitsStored - 8)).astype(np.uint8)
        for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept",
                        "RescaleType", "PixelPaddingValue"):
            if keyword in ds:
                delattr(ds, keyword)
        ds.PixelData = eight.tobytes()
        ds["PixelData"].VR = "OW"
        return write_as(ds, self.path("ct8.dcm"), BitsAllocated=8, BitsStored=8, HighBit=7)

    def make_rgb(self):
        """Three slices as red, green and blue."""
        files = self.slices(self.stack)
        middle = len(files) // 2
        ds = pydicom.dcmread(self.pictures["ct8"])
        planes = [pydicom.dcmread(p) for p in files[middle - 2:middle + 1]]
        ds.PixelData = np.stack([(p.pixel_array >> (p.BitsStored - 8)).astype(np.uint8)
                                 for p in planes], axis=-1).tobytes()
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        return write_as(ds, self.path("rgb.dcm"), SamplesPerPixel=3, PlanarConfiguration=0,
                        PhotometricInterpretation="RGB")

    def make_radiograph(self):
        """2048 x 2500, the size of a large radiograph: a phantom, cut at the sides."""
        size = 256 if self.quick else 2500
        run(self.hilum, "phantom", "--kind=chest-cr", "--count=1", f"--size={size}", "--out",
            self.path("cr"))
        ds = pydicom.dcmread(glob.glob(self.path("cr/**/*.dcm"), recursive=True)[0])
        columns = size * 2048 // 2500
        left = (size - columns) // 2
        ds.PixelData = np.ascontiguousarray(ds.pixel_array[:, left:left + columns]).tobytes()
        return write_as(ds, self.path("cr.dcm"), Columns=columns)

    def encode(self, picture, syntax):
        """The picture in the transfer syntax; made once."""
        uid, _, command, kinds = syntax
        kind = {"ct": "16", "cr": "16", "ct8": "8", "rgb": "rgb"}[picture]
        if kind not in kinds.split():
            return None
        path = self.path(f"{picture}-{uid}.dcm")
        if not os.path.exists(path):
            run(*command, self.pictures[picture], path)
            if transfer_syntax(path) != uid:
                fail(f"{command[0]} wrote {transfer_syntax(path)}; expected {uid}")
        return path

    def encode_stack(self, name, command):
        """The whole stack; the folder of it."""
        folder = self.path(name)
        if not os.path.isdir(folder):
            os.mkdir(folder)
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(lambda p: run(*command, p, os.path.join(folder, os.path.basename(p))),
                              self.slices(self.stack)))
        return folder

    def linked(self, path, n):
        """N names for the file."""
        copy = self.path("linked.dcm")
        names = [self.path(f"linked-{i}.dcm") for i in range(n)]
        shutil.copyfile(path, copy)
        for name in names:
            if os.path.exists(name):
                os.unlink(name)
            os.link(copy, name)
        return names

    def deflated_frames(self):
        """PS3.5 A.4.14: a raw deflate stream for each frame. No tool of Debian 12 writes it."""
        path = self.path("ct-deflated-frame.dcm")
        ds = pydicom.dcmread(self.pictures["ct"])
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(ds.PixelData) + packer.flush()
        ds.PixelData = encapsulate([packed + bytes(len(packed) % 2)])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        # pydicom does not write a transfer syntax that it does not know: one as long stands in.
        ds.file_meta.TransferSyntaxUID = UID(JPEG + "50")
        write_as(ds, path)
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(data.replace(b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.8.1\0", 1))
        return path


def shared(path):
    root = os.environ.get("HILUM_SHARED") or \
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared")
    path = os.path.join(root, "corpus", "dicom", path)
    return path if os.path.exists(path) else None


def expected_md5():
    """Rows of the corpus' own table by path; some have an md5 of the stored values."""
    path = shared("EXPECTED.tsv")
    if not path:
        return {}
    with open(path, encoding="utf-8") as f:
        keys = f.readline().rstrip("\n").split("\t")
        rows = [dict(zip(keys, line.rstrip("\n").split("\t"))) for line in f]
    return {r["file"]: r for r in rows}


# ---- scan ----------------------------------------------------------------------------------------


def bench_scan(bench):
    folders = {"phantom": bench.made.stack}
    if not bench.options.quick:
        folders["phantom, JPEG-LS"] = bench.made.encode_stack("jpegls", ["dcmcjpls", "+el"])
    chest = shared("series-ct-chest-120-jpegls")
    if chest:
        folders["chest CT (real)"] = chest
    for what, folder in folders.items():
        scan_folder(bench, what, folder)


def scan_folder(bench, what, folder):
    peers, made = bench.peers, bench.made
    files = made.slices(folder)
    all_files, whole = peers.list(files), peers.list([folder])
    found, n_series = peers.ours.ask("images", whole)
    if (int(found), int(n_series)) != (len(files), 1):
        fail(f"{folder}: {found} images in {n_series} series; expected {len(files)} in 1")
    peers.dcmtk.ask("headers", all_files, 1)
    common = {"bench": "scan", "what": what, "files": len(files)}

    pair = bench.pair(lambda n: peers.ours.measure("headers", all_files, n),
                      lambda n: peers.dcmtk.measure("headers", all_files, n))
    bench.note(**common, how="library", **pair.fields("files_s"))
    pair = bench.pair(lambda n: peers.ours.measure("scan", whole, n),
                      lambda n: peers.dcmtk.measure("headers", all_files, n))
    bench.note(**common, how="helpers", **pair.fields("files_s", by=1))

    def ours(_):
        return (len(files), *tool_seconds([made.hilum, "image", "list", folder]))

    def dump(_):
        return (len(files), *tool_seconds(["dcmdump", *files]))

    def dump_each(_):
        each = [tool_seconds(["dcmdump", f]) for f in files[:20]]
        return (len(each), sum(e[0] for e in each), sum(e[1] for e in each))

    pair = bench.pair(ours, dump, rounds=False)
    bench.note(**common, how="command, dcmdump once", **pair.fields("files_s", by=1))
    pair = bench.pair(ours, dump_each, rounds=False)
    bench.note(**common, how="command, dcmdump per file", **pair.fields("files_s", by=1))


# ---- decode --------------------------------------------------------------------------------------


def verify(bench, path, uid):
    """Both read the same stored values; FALSE: the other one reads none."""
    peers = bench.peers
    a = peers.bytes(peers.ours, "stored", [path])
    b = peers.bytes(peers.dcmtk, "stored", [path])
    if len(a) != len(b):
        fail(f"{path}: {len(a)} bytes of stored values, DCMTK has {len(b)}")
    if a == b:
        return
    header = pydicom.dcmread(path, stop_before_pixels=True)
    kind = ("<i" if header.PixelRepresentation else "<u") + str(header.BitsAllocated // 8)
    apart = int(np.abs(np.frombuffer(a, kind).astype(np.int64) -
                       np.frombuffer(b, kind).astype(np.int64)).max())
    if apart > LOSSY.get(uid, 0):
        fail(f"{path}: stored values are up to {apart} apart from DCMTK's")


def decode_pair(bench, what, path, uid):
    peers = bench.peers
    verify(bench, path, uid)
    name = peers.list([path])
    pair = bench.pair(lambda n: peers.ours.measure("decode", name, n),
                      lambda n: peers.dcmtk.measure("decode", name, n))
    row = pair.fields("mpix_s", 1e-6)
    common = {"bench": "decode", "syntax": uid, "name": NAMES[uid], "what": what,
              "file": os.path.basename(path)}
    bench.note(**common, how="library", **row)
    header = pydicom.dcmread(path, stop_before_pixels=True)
    if int(header.get("NumberOfFrames") or 1) == 1:
        # A helper keeps the last files open; none of these is among them when its turn comes.
        several = peers.list(bench.made.linked(path, 6))
        pair = bench.pair(lambda n: peers.ours.measure("helper", several, n, 1),
                          lambda n: peers.dcmtk.measure("decode", several, n))
        bench.note(**common, how="helper", **pair.fields("mpix_s", 1e-6))
        decode_tools(bench, path, uid, common, header.Rows * header.Columns * 1.0)


def decode_tools(bench, path, uid, common, pixels):
    """A process for each file, a PNG from each process."""
    tool = "dcml2pnm" if uid in (JPEG + "80", JPEG + "81") else "dcmj2pnm"
    # Ours takes the file's own window, or the range of the values.
    has_window = "WindowCenter" in pydicom.dcmread(path, stop_before_pixels=True)
    window = ["+Wi", "1"] if has_window else ["+Wm"]
    out = bench.made.path("tool.png")

    def ours(_):
        return (pixels, *tool_seconds([bench.made.hilum, "image", "render", path, "--out", out]))

    def dcmtk(_):
        return (pixels, *tool_seconds([tool, "+on", *window, path, out]))

    pair = bench.pair(ours, dcmtk, rounds=False)
    bench.note(**common, how=tool, **pair.fields("mpix_s", 1e-6))


def bench_decode(bench):
    pictures = ["ct", "ct8", "rgb"] + ([] if bench.options.quick else ["cr"])
    for syntax in SYNTAXES:
        for picture in pictures:
            path = bench.made.encode(picture, syntax)
            if path:
                decode_pair(bench, picture, path, syntax[0])
    for pattern in ("ts-matrix-ct/*.dcm", "cr-dx-mg-xa/*jpeg-baseline*.dcm",
                    "cr-dx-mg-xa/*jpegls*.dcm"):
        root = shared(".")
        for path in sorted(glob.glob(os.path.join(root, pattern))) if root else []:
            uid = transfer_syntax(path)
            if uid in NAMES and uid not in ALONE and not bench.options.quick:
                decode_pair(bench, "real", path, uid)
    decode_alone(bench)


def decode_alone(bench):
    """What DCMTK does not read, compared with a reference that is not ours; of the real files, the
    two largest of a transfer syntax."""
    peers, expected = bench.peers, expected_md5()
    candidates = [(bench.made.deflated_frames(), bench.made.pictures["ct"])]
    small = os.path.join(PYDICOM, "MR_small_jp2klossless.dcm")
    if os.path.exists(small):
        candidates.append((small, os.path.join(PYDICOM, "MR_small.dcm")))
    root = shared(".")
    for uid in ALONE if root and not bench.options.quick else []:
        rows = [r for r in expected.values() if r["transfer_syntax"] == uid and
                r["expect"].startswith("open") and os.path.exists(os.path.join(root, r["file"]))]
        rows.sort(key=lambda r: (-int(r["rows"] or 0) * int(r["cols"] or 0), r["file"]))
        candidates += [(os.path.join(root, r["file"]),
                        r["md5_pixels"] if r["lossless"] == "Y" else None) for r in rows[:2]]
    for path, reference in candidates:
        measure_alone(bench, peers, path, reference)


def measure_alone(bench, peers, path, reference):
    uid = transfer_syntax(path)
    name = peers.list([path])
    if uid.startswith(JPEG + "11") and peers.ours.try_to("decode", name, 1)[0] != "ok":
        print(f"images.py: no libjxl in this build: {os.path.basename(path)} left out",
              file=sys.stderr)
        return
    values = peers.bytes(peers.ours, "stored", [path])
    if reference and os.path.exists(reference):
        same = values == peers.bytes(peers.dcmtk, "stored", [reference])
    else:
        same = not reference or hashlib.md5(values).hexdigest() == reference
    if not same:
        fail(f"{path}: stored values are not those of the reference")
    rounds = bench.rounds(lambda: peers.ours.measure("decode", name, 1))
    runs = [peers.ours.measure("decode", name, rounds) for _ in range(bench.options.repeats)]
    row = {"bench": "decode", "syntax": uid, "name": ALONE[uid], "what": "alone",
           "file": os.path.basename(path), "how": "library",
           "ours_mpix_s": Pair.rate(runs, 2) * 1e-6}
    stream = code_stream(path)
    tool, suffix = ("djxl", ".jxl") if uid.startswith(JPEG + "11") else ("opj_decompress", ".j2k")
    if shutil.which(tool) and stream and uid != "1.2.840.10008.1.2.8.1":
        given, out = bench.made.path("stream" + suffix), bench.made.path("stream.ppm")
        with open(given, "wb") as f:
            f.write(stream)
        command = [tool, given, out] if tool == "djxl" else [tool, "-i", given, "-o", out]
        header = pydicom.dcmread(path, stop_before_pixels=True)
        pixels = header.Rows * header.Columns
        row[f"{tool}_mpix_s"] = 1e-6 * statistics.median(
            pixels / max(tool_seconds(command)[1], 1e-9) for _ in range(bench.options.repeats))
    bench.note(**row)


def code_stream(path):
    """Of the only frame; None when there are several."""
    ds = pydicom.dcmread(path)
    frames = int(ds.get("NumberOfFrames") or 1)
    return b"".join(pydicom.encaps.decode_data_sequence(ds.PixelData)) if frames == 1 else None


# ---- series --------------------------------------------------------------------------------------


def bench_series(bench):
    made = bench.made
    stacks = [("phantom", JPEG + "80", made.encode_stack("jpegls", ["dcmcjpls", "+el"])),
              ("phantom", JPEG + "70", made.encode_stack("sv1", ["dcmcjpeg", "+e1"])),
              ("phantom", "1.2.840.10008.1.2.5", made.encode_stack("rle", ["dcmcrle"]))]
    chest = shared("series-ct-chest-120-jpegls")
    if chest and not bench.options.quick:
        stacks.append(("chest CT (real)", JPEG + "80", chest))
    for what, uid, folder in stacks:
        measure_series(bench, what, uid, folder)


def measure_series(bench, what, uid, folder):
    peers = bench.peers
    files = bench.made.slices(folder)
    names, whole = peers.list(files), peers.list([folder])
    a, b = (peers.bytes(w, "stored", files) for w in (peers.ours, peers.dcmtk))
    if a != b:
        fail(f"{folder}: stored values differ from DCMTK's")
    common = {"bench": "series", "syntax": uid, "name": NAMES[uid], "what": what,
              "files": len(files)}
    window = ("-", 40, 400)
    cores = os.cpu_count()
    for threads in sorted({1, min(2, cores), cores}):
        pair = bench.pair(lambda n, t=threads: peers.ours.measure("helper", names, n, t),
                          lambda n: peers.dcmtk.measure("decode", names, n), rounds=False)
        bench.note(**common, how=f"{threads} helpers", **pair.fields("mpix_s", 1e-6, by=1))
    for how, operation in (("first picture", "first"), ("first picture, cold", "cold")):
        pair = bench.pair(lambda n, o=operation: peers.ours.measure(o, whole, n, *window),
                          lambda n: peers.dcmtk.measure("first", names, n, *window), rounds=False)
        bench.note(**common, how=how, **pair.fields("per_s", by=1))


# ---- window --------------------------------------------------------------------------------------


def bench_window(bench):
    peers = bench.peers
    for what, center, width in (("ct", 40, 400), ("cr", 2048, 3000)):
        path = bench.made.pictures[what]
        name, window = peers.list([path]), ("-", center, width)
        a, b = (np.frombuffer(peers.bytes(w, "grey", [path], *window), np.uint8).astype(int)
                for w in (peers.ours, peers.dcmtk))
        if a.size != b.size or np.abs(a - b).max() > 1:
            fail(f"{what}: greys differ from DCMTK's by more than one level")
        header = pydicom.dcmread(path, stop_before_pixels=True)
        for how in ("window", "window-rgb"):
            pair = bench.pair(lambda n, h=how: peers.ours.measure(h, name, n, *window),
                              lambda n: peers.dcmtk.measure("window", name, n, *window))
            bench.note(bench="window", what=what, columns=int(header.Columns),
                       rows=int(header.Rows), how="grey" if how == "window" else "rgb",
                       apart=int(np.abs(a - b).max()), **pair.fields("frames_s"))


# ---- tables --------------------------------------------------------------------------------------


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown processor"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def table(head, rows):
    if not rows:
        return []
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(r) + " |" for r in rows] + [""]


def three(row, unit):
    return [number(row[f"ours_{unit}"]), number(row[f"dcmtk_{unit}"])]


def decode_table(rows):
    """One line for a picture in a transfer syntax; library, helper and tool side by side."""
    lines, cells = [], {}
    for row in rows:
        if "ratio" in row:
            how = row["how"] if row["how"] in ("library", "helper") else "tool"
            cells.setdefault((row["name"], row["syntax"], row["what"], row["file"]), {})[how] = row
    for (name, uid, what, file), cell in cells.items():
        library = cell["library"]
        lines.append([f"{name} ({uid})", what if what != "real" else f"`{file}`",
                      *three(library, "mpix_s"), number(library["ratio"]),
                      *(number(cell[how]["ratio"]) if how in cell else "" for how in
                        ("helper", "tool"))])
    return table(["transfer syntax", "picture", "ours, Mpixel/s", "DCMTK, Mpixel/s", "ratio",
                  "through a helper", "command"], lines)


def shortfalls(rows):
    """What is slower than it must be. DCMTK has no sandbox, its process runs when the clock starts,
    and it makes greys only: what is beside that has no limit here."""
    found = []
    for row in rows:
        need = 1.7 if row["how"] == "2 helpers" else 1.0
        if row["how"] in ("1 helpers", "helper", "first picture, cold", "rgb"):
            continue
        if row.get("ratio", need) < need:
            found.append(f"{row['bench']} {row.get('name', '')} {row['what']}, {row['how']}: "
                         f"{number(row['ratio'])} (expected {need})")
    return found


def markdown(bench, load):
    by = {name: [r for r in bench.rows if r["bench"] == name]
          for name in ("scan", "decode", "series", "window")}
    lines = [f"{datetime.date.today().isoformat()}, {os.cpu_count()} cores, {processor()}, load "
             f"average {load:.1f} at the start, {bench.options.repeats} repeats.", ""]
    lines += ["### Header scan", ""]
    lines += table(["folder", "files", "how", "ours, files/s", "DCMTK, files/s", "ratio"],
                   [[r["what"], str(r["files"]), r["how"], *three(r, "files_s"),
                     number(r["ratio"])] for r in by["scan"]])
    lines += ["### Decode", ""] + decode_table(by["decode"])
    alone = [r for r in by["decode"] if r["what"] == "alone"]
    tools = ("opj_decompress", "djxl")
    lines += table(["not read by DCMTK", "file", "ours, Mpixel/s", *tools],
                   [[f"{r['name']} ({r['syntax']})", f"`{r['file']}`", number(r["ours_mpix_s"]),
                     *(number(r[f"{t}_mpix_s"]) if f"{t}_mpix_s" in r else "" for t in tools)]
                    for r in alone])
    lines += ["### Series", ""]
    lines += table(["series", "files", "how", "ours, Mpixel/s", "DCMTK, Mpixel/s", "ratio",
                    "by processor time"],
                   [[f"{r['name']}, {r['what']}", str(r["files"]), r["how"], *three(r, "mpix_s"),
                     number(r["ratio"]), number(r["ratio_cpu"])] for r in by["series"]
                    if "ours_mpix_s" in r])
    lines += table(["series", "files", "how", "ours, ms", "DCMTK, ms", "ratio"],
                   [[f"{r['name']}, {r['what']}", str(r["files"]), r["how"],
                     number(1e3 / r["ours_per_s"]), number(1e3 / r["dcmtk_per_s"]),
                     number(r["ratio"])] for r in by["series"] if "ours_per_s" in r])
    lines += ["### Window to 8 bits", ""]
    lines += table(["picture", "how", "ours, frames/s", "DCMTK, frames/s", "ratio"],
                   [[f"{r['columns']} × {r['rows']}", r["how"], *three(r, "frames_s"),
                     number(r["ratio"])] for r in by["window"]])
    short = shortfalls(bench.rows)
    lines += ["### Short of what is asked for", ""]
    lines += [f"- {s}" for s in short] or ["Nothing."]
    return "\n".join(lines) + "\n"


def write_readme(path, text):
    """Puts TEXT behind the line that says so."""
    mark = "<!-- What follows is written by images.py --readme. -->\n"
    with open(path, encoding="utf-8") as f:
        old = f.read()
    if mark not in old:
        fail(f"{path} has no line {mark.strip()}")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(old.split(mark)[0] + mark + "\n" + text)
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--readme")
    parser.add_argument("--json", type=argparse.FileType("w", encoding="utf-8"))
    options = parser.parse_args()
    options.repeats = options.repeats or (1 if options.quick else 7)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="hilum-bench-") as folder:
        peers = Peers(folder)
        bench = Bench(options, peers, Made(folder, options.quick))
        for name, benchmark in (("scan", bench_scan), ("decode", bench_decode),
                                ("series", bench_series), ("window", bench_window)):
            if bench.wants(name):
                benchmark(bench)
        peers.close()
    if options.readme:
        write_readme(options.readme, markdown(bench, load))
    elif options.markdown:
        print(markdown(bench, load), end="")


main()
