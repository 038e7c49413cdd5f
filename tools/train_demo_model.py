#!/usr/bin/env python3
"""Makes everything in assets/demo: the int8 network and the pictures that `octavo demo` shows.

    python3 -m venv venv && venv/bin/pip install torch numpy pillow
    venv/bin/python tools/train_demo_model.py            # about six minutes on one core

The pictures are drawn here: ten kinds of shape in random colours, places and rotations on cluttered, noisy grounds,
32x32 RGB. A residual network of 78 thousand weights learns them in float, is quantized after training the way
PyTorch's fbgemm back end does it (7-bit activations, one weight scale per channel), traced and saved.

    shapes_resnet.pt     TorchScript, input f32 [n,3,32,32]: (pixel / 255 - 0.5) / 0.5, RGB
    shapes_test.png      200 pictures the network has not seen, 20 per class: one row of tiles a class
    shapes_logits.npz    `logits` f32 [200,10], what PyTorch's int8 network says of them, row by row; `label` i64 [200]
    classes.txt          the names, one a line

The same seeds draw the same pictures everywhere; the weights repeat on the same version of PyTorch and CPU only,
so rerun it whole: the four files belong together.
"""

import argparse
import io
import math
import pathlib
import time
import warnings
import zipfile

import numpy as np
import torch
import torch.ao.quantization as quantization
from PIL import Image, ImageDraw, ImageFilter
from torch import nn
from torch.nn import functional as F

SIDE = 32  # pixels of a picture
FINE = 8  # subpixels per pixel and axis while drawing: the box filter over them is the anti-aliasing
TEST_PER_CLASS = 20

# ---- shapes: outlines around (0, 0), none farther out than 1 -------------------------------------------------------


def regular(corners, inner=None):
    """A regular polygon; with `inner` a star whose inner corners lie at that radius."""
    radii = [1.0] if inner is None else [1.0, inner]
    count = corners * len(radii)
    turns = [2 * math.pi * i / count for i in range(count)]
    return [(radii[i % len(radii)] * math.sin(t), -radii[i % len(radii)] * math.cos(t)) for i, t in enumerate(turns)]


def disc(radius=1.0, x=0.0):
    return [(x + radius * px, radius * py) for px, py in regular(64)]


def heart():
    points = []
    for i in range(64):
        t = 2 * math.pi * i / 64
        height = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((math.sin(t) ** 3, -height / 17))
    return points


def cross(arm=0.33):
    a, b = arm, 0.94
    return [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]


ARROW = [(0, -1), (0.75, -0.1), (0.27, -0.1), (0.27, 0.95), (-0.27, 0.95), (-0.27, -0.1), (-0.75, -0.1)]

# Class name -> (outline, hole cut out of it or None).
SHAPES = {
    "circle": (disc(), None),
    "square": (regular(4), None),
    "triangle": (regular(3), None),
    "star": (regular(5, 0.42), None),
    "cross": (cross(), None),
    "ring": (disc(), disc(0.55)),
    "heart": (heart(), None),
    "crescent": (disc(), disc(0.82, 0.5)),
    "arrow": (ARROW, None),
    "hexagon": (regular(6), None),
}
CLASSES = list(SHAPES)

# ---- pictures ------------------------------------------------------------------------------------------------------


def coverage(draw):
    """What `draw` paints on a fine canvas, as f32 [SIDE,SIDE,1] in 0..1."""
    canvas = Image.new("L", (SIDE * FINE, SIDE * FINE))
    draw(canvas)
    return np.asarray(canvas.reduce(FINE), dtype=np.float32)[:, :, None] / 255


def paint_shape(canvas, shape, centre, radius, angle):
    cos, sin = radius * math.cos(angle), radius * math.sin(angle)
    outline, hole = shape
    for points, value in ((outline, 255), (hole, 0)):
        if points:
            turned = [(x * cos - y * sin, x * sin + y * cos) for x, y in points]
            placed = [(FINE * (centre[0] + x), FINE * (centre[1] + y)) for x, y in turned]
            ImageDraw.Draw(canvas).polygon(placed, fill=value)


def ground(rng):
    """A gradient between two colours: f32 [SIDE,SIDE,3] in 0..1."""
    first = np.clip(rng.uniform(0.15, 0.9) + rng.uniform(-0.25, 0.25, 3), 0, 1)
    second = np.clip(first + rng.uniform(-0.3, 0.3, 3), 0, 1)
    angle = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1) - 0.5
    mix = np.clip(0.5 + x * math.cos(angle) + y * math.sin(angle), 0, 1)[:, :, None]
    return first * (1 - mix) + second * mix


def with_clutter(picture, count, rng):
    """`count` lines and blots over the picture, in colours near its own."""
    for _ in range(count):
        ends = list(rng.uniform(-4, SIDE + 4, 4) * FINE)
        if rng.random() < 0.5:
            width = int(rng.uniform(0.6, 2.0) * FINE)
            mark = coverage(lambda canvas: ImageDraw.Draw(canvas).line(ends, fill=255, width=width))
        else:
            left, top, size = ends[0], ends[1], rng.uniform(2, 6) * FINE
            box = [left, top, left + size, top + size]
            mark = coverage(lambda canvas: ImageDraw.Draw(canvas).ellipse(box, fill=255))
        tint = np.clip(picture.mean(axis=(0, 1)) + rng.uniform(-0.35, 0.35, 3), 0, 1)
        picture = picture + mark * rng.uniform(0.4, 0.9) * (tint - picture)
    return picture


def colour_unlike(rng, other):
    """A colour that stands out from `other` in brightness or hue."""
    while True:
        colour = rng.uniform(0, 1, 3)
        if np.linalg.norm(colour - other) > 0.4:
            return colour


def picture_of(name, rng):
    """One picture of the class: u8 [SIDE,SIDE,3]."""
    picture = with_clutter(ground(rng), rng.integers(2, 6), rng)
    radius = rng.uniform(6.0, 13.5)
    slack = max(0.0, SIDE / 2 - radius - 0.5)
    centre = SIDE / 2 + rng.uniform(-slack, slack, 2)
    angle = rng.uniform(0, 2 * math.pi)
    fine = Image.new("L", (SIDE * FINE, SIDE * FINE))
    paint_shape(fine, SHAPES[name], centre, radius, angle)
    soft = fine.filter(ImageFilter.BoxBlur(FINE))
    shadow = coverage(lambda canvas: canvas.paste(soft, (FINE, FINE)))
    picture = picture * (1 - 0.35 * shadow)
    fill = colour_unlike(rng, picture.mean(axis=(0, 1)))
    shade = 1 + rng.uniform(0.0, 0.3) * (0.5 - np.linspace(0, 1, SIDE))[:, None, None]
    shape = coverage(lambda canvas: canvas.paste(fine))
    picture = picture * (1 - shape) + shape * np.clip(fill * shade, 0, 1)
    picture = with_clutter(picture, rng.integers(0, 4), rng)  # something may stand before it
    picture = picture + rng.normal(0, rng.uniform(0.005, 0.04), picture.shape)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)


def pictures(per_class, seed):
    """`per_class` pictures of each class, class after class: u8 [10 * per_class,SIDE,SIDE,3] and their labels."""
    rng = np.random.default_rng(seed)
    drawn = [picture_of(name, rng) for name in CLASSES for _ in range(per_class)]
    return np.stack(drawn), torch.arange(len(CLASSES)).repeat_interleave(per_class)


def network_input(drawn):
    return ((torch.from_numpy(drawn).to(torch.float32) / 255 - 0.5) / 0.5).permute(0, 3, 1, 2).contiguous()


# ---- the network ---------------------------------------------------------------------------------------------------


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the size changes."""

    def __init__(self, ic, oc, stride):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(ic, oc, 3, stride, 1, bias=False), nn.BatchNorm2d(oc), nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(oc, oc, 3, 1, 1, bias=False), nn.BatchNorm2d(oc)
        self.shortcut = nn.Identity()
        if stride != 1 or ic != oc:
            self.shortcut = nn.Sequential(nn.Conv2d(ic, oc, 1, stride, bias=False), nn.BatchNorm2d(oc))
        self.add = torch.ao.nn.quantized.FloatFunctional()

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.add.add_relu(y, self.shortcut(x))

    def fuse(self):
        quantization.fuse_modules(self, [["conv1", "bn1", "relu"], ["conv2", "bn2"]], inplace=True)
        if isinstance(self.shortcut, nn.Sequential):
            quantization.fuse_modules(self.shortcut, [["0", "1"]], inplace=True)


class ShapesResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        self.blocks = nn.Sequential(Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2))
        self.pool, self.linear = nn.AdaptiveAvgPool2d(1), nn.Linear(64, len(CLASSES))

    def forward(self, x):
        y = self.blocks(self.relu(self.bn(self.conv(self.quant(x)))))
        return self.dequant(self.linear(torch.flatten(self.pool(y), 1)))

    def fuse(self):
        quantization.fuse_modules(self, [["conv", "bn", "relu"]], inplace=True)
        for block in self.blocks:
            block.fuse()


def accuracy(network, images, labels):
    with torch.no_grad():
        hits = [(network(x).argmax(1) == y).sum() for x, y in zip(images.split(200), labels.split(200))]
    return float(sum(hits)) / len(labels)


def train(network, images, labels, epochs):
    batch = 64
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=2e-3)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    network.to(memory_format=torch.channels_last).train()
    for epoch in range(epochs):
        start, total = time.monotonic(), 0.0
        order = torch.randperm(len(images))
        for picked in order[: len(order) // batch * batch].split(batch):
            x = images[picked]
            if torch.rand(()) < 0.5:
                x = x.flip(3)
            x = x.contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(network(x), labels[picked], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(picked)
        seconds = time.monotonic() - start
        print(f"epoch {epoch + 1}/{epochs}: loss {total / len(images):.4f}, {seconds:.0f} s", flush=True)
    network.eval()


def quantize(network, calibration):
    """Eager post-training quantization for fbgemm, the way of PyTorch's own quantized ResNets."""
    torch.backends.quantized.engine = "fbgemm"
    network.fuse()
    network.qconfig = quantization.get_default_qconfig("fbgemm")
    quantization.prepare(network, inplace=True)
    with torch.no_grad():
        for x in calibration.split(200):
            network(x)
    return quantization.convert(network)


# ---- files ---------------------------------------------------------------------------------------------------------


def write_sheet(path, drawn):
    """One row of tiles a class."""
    rows = drawn.reshape(len(CLASSES), TEST_PER_CLASS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
    Image.fromarray(rows.reshape(len(CLASSES) * SIDE, TEST_PER_CLASS * SIDE, 3)).save(path, optimize=True)


def save_without_debug_info(path, traced):
    """What torch.jit.save writes, less the debug entries: they hold paths of the machine that ran this."""
    whole = io.BytesIO()
    torch.jit.save(traced, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as kept:
        for old in source.infolist():
            if old.filename.endswith(".debug_pkl"):
                continue
            name = f"{path.stem}/{old.filename.partition('/')[2]}"
            entry = zipfile.ZipInfo(name)  # dated 1980, so that the same network gives the same file
            entry.compress_type = old.compress_type
            if old.compress_type == zipfile.ZIP_STORED:  # as PyTorch does: the data begins at a multiple of 64
                begin = kept.fp.tell() + 30 + len(name) + 4
                entry.extra = b"FB" + (-begin % 64).to_bytes(2, "little") + b"Z" * (-begin % 64)
            kept.writestr(entry, source.read(old))


def main():
    parser = argparse.ArgumentParser(description="Makes the network and the pictures of `octavo demo`.")
    assets = pathlib.Path(__file__).parent.parent / "assets"
    parser.add_argument("--output-folder", type=pathlib.Path, default=assets / "demo")
    parser.add_argument("--train-per-class", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=14)
    args = parser.parse_args()

    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=UserWarning)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    start = time.monotonic()
    train_pictures, train_labels = pictures(args.train_per_class, seed=1)
    check_pictures, check_labels = pictures(200, seed=2)
    test_pictures, test_labels = pictures(TEST_PER_CLASS, seed=3)
    print(f"drew {len(train_pictures)} pictures in {time.monotonic() - start:.0f} s", flush=True)

    train_images, check_images = network_input(train_pictures), network_input(check_pictures)
    network = ShapesResNet()
    train(network, train_images, train_labels, args.epochs)
    print(f"float: {accuracy(network, check_images, check_labels):.2%} of {len(check_labels)} unseen pictures")
    network = quantize(network, train_images[torch.randperm(len(train_images))[:1000]])
    print(f"int8:  {accuracy(network, check_images, check_labels):.2%}")

    folder = args.output_folder
    folder.mkdir(parents=True, exist_ok=True)
    test_images = network_input(test_pictures)
    traced = torch.jit.trace(network, test_images[:1])
    with torch.no_grad():
        logits = traced(test_images)
    print(f"the sheet: {float((logits.argmax(1) == test_labels).float().mean()):.2%} of {len(test_labels)}")
    save_without_debug_info(folder / "shapes_resnet.pt", traced)
    write_sheet(folder / "shapes_test.png", test_pictures)
    np.savez(folder / "shapes_logits.npz", logits=logits.numpy(), label=test_labels.numpy())
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    for path in sorted(folder.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
