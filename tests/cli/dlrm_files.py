"""DLRM checkpoints as PyTorch saves them, made with nothing but the standard library."""

import io
import random
import struct
import zipfile


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value):
    return b"J" + struct.pack("<i", value)


def integers(values):
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(key, shape):
    """An f32 tensor of this shape, the whole of storage `key`."""
    elements = 1
    for extent in shape:
        elements *= extent
    strides = [shape[1], 1] if len(shape) == 2 else [1]
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu") + integer(elements) + b"tQ"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + integer(0) + integers(shape) + integers(strides)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


def shapes_of(rows, dim):
    """A DLRM with 2 dense features, 2-4-dim, tables of `rows` x dim, a dot interaction, 3-1."""
    shapes = {f"emb_l.{t}.weight": [count, dim] for t, count in enumerate(rows)}
    width = dim + len(rows) * (len(rows) + 1) // 2
    layers = {"bot_l.0": (4, 2), "bot_l.2": (dim, 4), "top_l.0": (3, width), "top_l.2": (1, 3)}
    for name, (outputs, inputs) in layers.items():
        shapes[f"{name}.weight"] = [outputs, inputs]
        shapes[f"{name}.bias"] = [outputs]
    return shapes


def checkpoint(rows, dim=4, seed=1, zip64=False):
    """The bytes of a checkpoint with random weights; with `zip64`, members carry 64-bit sizes as in files over 4 GB."""
    generator = random.Random(seed)
    items = b""
    members = {}
    for key, (name, shape) in enumerate(shapes_of(rows, dim).items()):
        elements = shape[0] * (shape[1] if len(shape) == 2 else 1)
        # Halves of 16-bit patterns between 0.125 and 0.25, of either sign: quick to make many of.
        words = generator.randbytes(2 * elements)
        data = bytearray(4 * elements)
        data[0::4] = words[0::2]
        data[2::4] = bytes(elements)
        data[3::4] = bytes((0x3E if b & 1 else 0xBE) for b in words[1::2])
        members[f"m/data/{key}"] = bytes(data)
        items += text(name) + tensor(key, shape)
    pickle = b"\x80\x02}(" + text("state_dict") + b"ccollections\nOrderedDict\n)R(" + items + b"uu."
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("m/data.pkl", pickle)
        for name, data in members.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(data)
    return file.getvalue()
