#!/usr/bin/env python3
"""Makes src/data/testdata: small pictures, arrays and resize results with what Pillow and NumPy say of them.

Needs Pillow and NumPy; the build and the tests do not. Usage: tools/make_data_fixtures.py src/data/testdata
"""

import hashlib
import io
import json
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 33, 19
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def noise(count, state=1):
    """The bytes that testdata_test.h's noise() makes: a 32-bit linear congruential generator's top byte."""
    values = bytearray()
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(state >> 24)
    return bytes(values)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed_row(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def png(depth, colour_type, samples, interlace, extra=b""):
    """`samples` [height, width, channels] as integers; filter 0 throughout."""
    passes = ADAM7 if interlace else [(0, 0, 1, 1)]
    raw = b""
    for x0, y0, dx, dy in passes:
        part = samples[y0::dy, x0::dx]
        if part.size:
            raw += b"".join(b"\0" + packed_row(row.ravel().tolist(), depth) for row in part)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour_type, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9))
            + chunk(b"IEND", b""))


def pngs():
    random = np.random.default_rng(7)
    for colour_type, channels, depths in [(0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)),
                                          (4, 2, (8, 16)), (6, 4, (8, 16))]:
        for depth in depths:
            for interlace in (0, 1):
                top = 1 << depth
                samples = random.integers(0, top, (HEIGHT, WIDTH, channels))
                if colour_type == 0 and depth == 16:
                    samples[: HEIGHT // 2] %= 300  # both sides of the clip at 255
                extra = b""
                if colour_type == 3:
                    samples %= 16  # a palette of 11 colours: some indices of 4 and 8 bits lie beyond it
                    extra = chunk(b"PLTE", noise(3 * min(11, top))) + chunk(b"tRNS", b"\0\x80")
                if colour_type == 0:
                    extra = chunk(b"tRNS", b"\0\1")
                yield f"type{colour_type}_depth{depth}{'_adam7' * interlace}.png", png(depth, colour_type, samples,
                                                                                       interlace, extra)


def oversized():
    """Headers that claim far more pixels than follow; not in expected.json."""
    for side in (65280, 7936):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        yield f"bad_{side}x{side}.png", (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                                        + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def jpegs():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = np.stack([x * 7 + y * 2, 255 - x * 5, 128 + 120 * np.sin(x / 3 + y / 2), y * 13], 2)
    pixels = np.clip(waves + np.frombuffer(noise(waves.size), np.uint8).reshape(waves.shape) // 8, 0, 255)
    pixels = pixels.astype(np.uint8)
    rgb = Image.fromarray(pixels[:, :, :3], "RGB")

    def saved(image, **options):
        file = io.BytesIO()
        image.save(file, "JPEG", **options)
        return file.getvalue()

    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield f"rgb_{sampling.replace(':', '')}.jpg", saved(rgb, subsampling=sampling)
    yield "rgb_progressive.jpg", saved(rgb, progressive=True)
    yield "rgb_restarts.jpg", saved(rgb, restart_marker_blocks=1)
    yield "rgb_stored_as_rgb.jpg", saved(rgb, keep_rgb=True)
    yield "gray.jpg", saved(rgb.convert("L"))
    yield "gray_progressive.jpg", saved(rgb.convert("L"), progressive=True)
    cmyk = saved(Image.fromarray(pixels, "CMYK"), quality=95)
    yield "cmyk.jpg", cmyk
    adobe = cmyk.index(b"Adobe") + 11  # the marker's last byte: 0 means CMYK, 2 means YCCK
    yield "ycck.jpg", cmyk[:adobe] + b"\2" + cmyk[adobe + 1:]


def arrays():
    numbers = np.arange(24).reshape(2, 3, 4)
    for name in ("f2", "f4", "f8", "u1", "i1", "u2", "i2", "i4", "i8"):
        yield f"numbers_{name}.npy", numbers.astype(f"<{name}"), None
    yield "numbers_b1.npy", numbers % 2 == 1, None
    yield "numbers_fortran.npy", np.asfortranarray(numbers.astype("<f4")), None
    yield "numbers_version2.npy", numbers.astype("<f4"), (2, 0)
    yield "numbers_version3.npy", numbers.astype("<f4"), (3, 0)
    yield "scalar.npy", np.float32(2.5), None
    yield "empty.npy", np.zeros((0, 5), "<f4"), None
    yield "text.npy", np.array(["tench", "", "Übergröße", "\U0001F41F"]), None
    yield "text_fortran.npy", np.asfortranarray(np.array([["a", "b"], ["c", "d"]])), None


def resizes():
    """Pillow's result for noise of one size brought to another."""
    pairs = [(src, dst) for src in ((1, 1), (7, 5), (64, 3), (100, 75), (131, 257))
             for dst in ((1, 1), (5, 7), (64, 5), (33, 75), (100, 40), (300, 200))]
    # Both sides of the border at which Pillow 13 changes the order of its two passes.
    for dst, width in (((100, 40), 130), ((60, 60), 50), ((50, 10), 80), ((60, 60), 66), ((50, 50), 50)):
        border = dst[1] + max(0, 2 * (width - dst[0]))
        pairs += [((width, height), dst) for height in (border - 1, border, border + 1)]
    for src, dst in pairs:
        pixels = np.frombuffer(noise(src[0] * src[1] * 3), np.uint8).reshape(src[1], src[0], 3)
        image = Image.fromarray(pixels, "RGB").resize(dst, Image.Resampling.BILINEAR)
        yield {"src": src, "dst": dst, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    expected = {"pictures": {}, "resizes": list(resizes())}
    for name, content in [*pngs(), *jpegs()]:
        (folder / name).write_bytes(content)
        image = Image.open(io.BytesIO(content)).convert("RGB")
        expected["pictures"][name] = {"size": image.size, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}
    for name, content in oversized():
        (folder / name).write_bytes(content)
    for name, array, version in arrays():
        with open(folder / name, "wb") as file:
            np.lib.format.write_array(file, np.asanyarray(array), version)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main(pathlib.Path(sys.argv[1]))
