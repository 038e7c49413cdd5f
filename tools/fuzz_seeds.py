#!/usr/bin/env python3
"""Writes small valid inputs for the fuzz targets to start from: FOLDER/pickle, torchscript_code, onnx, npy,
image_decode, package, dlrm, clicks, tuning_log.

They come from assets/demo, from the fuzz preset's octavo, from ONNX's own test models where Debian's
libonnx-testdata is installed, and from here. A target named NAME_fuzz reads FOLDER/NAME; tests/fuzz/seeds/NAME is added where it exists."""

import io
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
OCTAVO = ROOT / "build/fuzz/bin/octavo"
ONNX_CASES = (
    "add conv gemm matmul relu clip maxpool averagepool globalaveragepool flatten reshape concat softmax sigmoid "
    "batchnorm identity transpose quantizelinear dequantizelinear qlinearconv qlinearmatmul dynamicquantizelinear"
).split()


def npy(dtype, shape, data, version=1):
    """A numpy array file."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    length = "<H" if version == 1 else "<I"
    start = 8 + struct.calcsize(length)
    header += b" " * (-(start + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(length, len(header)) + header + data


def png(width, height, colour, bits=8, interlace=0):
    """A PNG of colour type `colour`: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. All its pixels are zero."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = (b"\0" + bytes((width * channels * bits + 7) // 8)) * height
    if interlace:
        rows = b"\0" + bytes((channels * bits + 7) // 8)  # a 1x1 picture has one pass
    palette = chunk(b"PLTE", bytes(range(6))) if colour == 3 else b""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def torchscript_seeds():
    model = ROOT / "assets/demo/shapes_resnet.pt"
    if not model.exists():
        return
    with zipfile.ZipFile(model) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl"):
                yield "pickle", pathlib.Path(name).name, archive.read(name)
            elif name.endswith(".py"):
                yield "torchscript_code", name.replace("/", "."), archive.read(name)


def onnx_seeds():
    for folder in sorted(pathlib.Path("/usr/share").glob("*onnx*")):
        for model in sorted(folder.rglob("model.onnx")):
            case = model.parent.name.removeprefix("test_")
            if case.split("_")[0] in ONNX_CASES and "bfloat16" not in case:
                yield "onnx", f"{case}.onnx", model.read_bytes()


def array_seeds():
    yield "npy", "f4.npy", npy("<f4", (2, 3), bytes(24))
    yield "npy", "u1.npy", npy("|u1", (4,), b"\1\2\3\4")
    yield "npy", "i8_version2.npy", npy("<i8", (), bytes(8), version=2)
    yield "npy", "strings.npy", npy("<U3", (2,), bytes(24))
    logits = ROOT / "assets/demo/shapes_logits.npz"
    if logits.exists():
        with zipfile.ZipFile(logits) as archive:
            for member in archive.namelist():
                yield "npy", member, archive.read(member)


def image_seeds():
    for colour, bits in ((0, 8), (0, 1), (0, 16), (2, 8), (2, 16), (3, 4), (4, 8), (6, 8)):
        yield "image_decode", f"colour{colour}_{bits}bit.png", png(3, 2, colour, bits)
    yield "image_decode", "interlaced.png", png(1, 1, 2, interlace=1)
    for picture in sorted(ROOT.glob("assets/**/*.jp*g")) + sorted(ROOT.glob("tests/**/*.jp*g")):
        yield "image_decode", picture.name, picture.read_bytes()


def package_seeds():
    """The demo's network compiled, and plans of small ones."""
    model = ROOT / "assets/demo/shapes_resnet.pt"
    with tempfile.TemporaryDirectory() as folder:
        package = pathlib.Path(folder, "shapes.tar")
        command = [OCTAVO, "compile", model, "-o", package]
        if subprocess.run(command, capture_output=True).returncode == 0 and package.exists():
            yield "package", "shapes.tar", package.read_bytes()
    for model in sorted(ROOT.glob("tests/golden/torchscript/*_traced.pt")):
        command = [OCTAVO, "inspect", "-q", model, "--input-shape", "3,8,8", "--stage=plan", "--json"]
        result = subprocess.run(command, capture_output=True)
        if result.returncode == 0:
            yield "package", f"{model.stem}.json", result.stdout


def dlrm_seeds():
    for model in sorted(ROOT.glob("tests/golden/dlrm/*.pt")) + sorted(ROOT.glob("tests/golden/dlrm/*.onnx")):
        yield "dlrm", model.name, model.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for precision in ("f32", "s8_table", "s4_codebook"):
            package = pathlib.Path(folder, precision)
            model = ROOT / "tests/golden/dlrm/dot.pt"
            command = [OCTAVO, "prepare", "dlrm", "--from", model, "--precision", precision, "-o", package]
            if subprocess.run(command, capture_output=True).returncode == 0:
                yield "dlrm", f"{precision}.json", (package / "manifest.json").read_bytes()


def click_seeds():
    """Samples of 3 dense features and tables of 5 and 7 rows, as tests/fuzz/clicks_fuzz.cpp has them."""
    yield "clicks", "lines.txt", b"1\t5\t\t-1\t68fd1e64\t80e26c9b\n0\t1\t2\t3\ta\tb\n"
    yield "clicks", "names.csv", b"Label,I1,I2,I3,C1,C2\n0,1,2,3,ff,1a\n"
    yield "clicks", "rows.bin", struct.pack("<12i", 1, 5, 0, -1, 4, 6, 0, 1, 2, 3, 0, 0)
    labels = npy("<f4", (2,), struct.pack("<2f", 0, 1))
    rows = {"X_int": npy("<f4", (2, 3), bytes(24)), "X_cat": npy("<i4", (2, 2), bytes(16)), "y": labels}
    bags = {
        "X_int": npy("<i4", (2, 3), bytes(24)),
        "offsets": npy("<i8", (2, 3), struct.pack("<6q", 0, 1, 3, 0, 0, 1)),
        "indices_0": npy("<i8", (3,), bytes(24)),
        "indices_1": npy("<i8", (1,), bytes(8)),
    }
    for name, arrays in (("rows", rows), ("bags", bags)):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for member, array in arrays.items():
                archive.writestr(f"{member}.npy", array)
        yield "clicks", f"{name}.npz", content.getvalue()


def tuning_log_seeds():
    model = ROOT / "assets/demo/shapes_resnet.pt"
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "tuning.log")
        command = [OCTAVO, "tune", model, "--trials", "2", "--output-log", log, "--output-folder", folder]
        subprocess.run(command, capture_output=True)
        if log.exists():
            yield "tuning_log", "two.jsonl", log.read_bytes()


def committed_seeds():
    for path in sorted(ROOT.glob("tests/fuzz/seeds/*/*")):
        yield path.parent.name, path.name, path.read_bytes()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: tools/fuzz_seeds.py FOLDER")
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    sources = (torchscript_seeds, onnx_seeds, array_seeds, image_seeds, package_seeds)
    sources += (dlrm_seeds, click_seeds, tuning_log_seeds, committed_seeds)
    for source in sources:
        for target, name, content in source():
            (out / target).mkdir(parents=True, exist_ok=True)
            (out / target / name).write_bytes(content)


if __name__ == "__main__":
    main()
