#!/usr/bin/env python3
"""Writes the small TorchScript models of tests/golden/torchscript, with inputs and PyTorch's outputs beside them.

NAME.pt, and NAME.npz with `x` f32 [3,C,H,W] and `y`. Weights are random with a fixed seed. Two networks, chosen so that
together they use every operator of torchvision's quantizable families: `residual` (conv, add, add_relu, pools, slices,
channel padding, flatten, linear) and `mobile` (depthwise, hardswish, squeeze-and-excite, cat, chunk, channel shuffle,
leaky_relu, relu6, mean, softmax). Each comes traced (with a literal batch of 1), scripted and frozen; `residual` also
with per-tensor weights and 8-bit activations, in the mobile optimizer's form (packed parameters as attributes of the
root), and quantized by FX.

    make_torchscript_fixtures.py FOLDER

Needs torch; nothing of Octavo's build or tests does. Debug members, which nobody reads here, are left out of the files.
"""
import io
import pathlib
import sys
import warnings
import zipfile

import numpy as np
import torch
from torch import nn
from torch.ao.nn.quantized import FloatFunctional
from torch.ao.quantization import (DeQuantStub, QuantStub, convert, default_qconfig,
                                   fuse_modules, get_default_qconfig, get_default_qconfig_mapping, prepare)
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx


class Block(nn.Module):
    def __init__(self, ic, oc, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(ic, oc, 3, stride, 1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(oc, oc, 3, 1, 1, groups=2)
        self.skip = FloatFunctional()
        self.stride = stride
        self.more = (oc - ic) // 2

    def forward(self, x):
        y = self.conv2(self.relu1(self.conv1(x)))
        if self.stride != 1:
            x = nn.functional.pad(x[:, :, ::2, ::2], [0, 0, 0, 0, self.more, self.more], "constant", 0.0)
        return self.skip.add_relu(y, x)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant = QuantStub()
        self.conv1 = nn.Conv2d(3, 4, 3, 1, 1)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layers = nn.Sequential(Block(4, 4, 1), Block(4, 8, 2))
        self.skip = FloatFunctional()
        self.avgpool = nn.AvgPool2d(2, 1)
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.dropout = nn.Dropout(0.2)
        self.fc1 = nn.Linear(32, 8)
        self.relu2 = nn.ReLU()
        self.fc2 = nn.Linear(8, 5)
        self.dequant = DeQuantStub()

    def forward(self, x):
        x = self.layers(self.maxpool(self.relu(self.conv1(self.quant(x)))))
        x = self.pool(self.skip.add(self.avgpool(x), self.avgpool(x)))
        x = self.dropout(torch.flatten(x, 1))
        return self.dequant(self.fc2(self.relu2(self.fc1(x))))

    def fuse(self):
        pairs = [["conv1", "relu"], ["fc1", "relu2"], ["layers.0.conv1", "layers.0.relu1"],
                 ["layers.1.conv1", "layers.1.relu1"]]
        return fuse_modules(self, pairs)


class FxResidual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 1, 1)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 4, 1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x) + x)
        x = torch.cat([x, x], 1).reshape(x.shape[0], 2, 4, 8, 8).mean([1, 3, 4])
        return self.fc(x)


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant = QuantStub()
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1)
        self.swish = nn.Hardswish()
        self.depthwise = nn.Conv2d(8, 8, 3, 1, 1, groups=8)
        self.relu6 = nn.ReLU6()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(8, 4, 1)
        self.fc2 = nn.Conv2d(4, 8, 1)
        self.gate = nn.Hardsigmoid()
        self.scale = FloatFunctional()
        self.branch = nn.Conv2d(4, 4, 1)
        self.leaky = nn.LeakyReLU(0.1)
        self.cat = FloatFunctional()
        self.last = nn.Conv2d(8, 6, 1)
        self.identity = nn.Identity()
        self.dequant = DeQuantStub()

    def forward(self, x):
        x = self.relu6(self.depthwise(self.swish(self.conv1(self.quant(x)))))
        x = self.scale.mul(self.gate(self.fc2(self.fc1(self.squeeze(x)))), x)
        a, b = x.chunk(2, dim=1)
        x = self.cat.cat([a, self.leaky(self.branch(b))], dim=1)
        n, c, h, w = x.size()
        x = x.view(n, 2, c // 2, h, w)
        x = torch.transpose(x, 1, 2).contiguous().view(n, c, h, w)
        x = self.identity(self.last(x)).mean([2, 3])
        return torch.softmax(self.dequant(x), 1)

    def fuse(self):
        return self


def slim(script, path):
    """Saves without debug members, code deflated, everything else stored as PyTorch does."""
    whole = io.BytesIO()
    torch.jit.save(script, whole)
    with zipfile.ZipFile(whole) as src, zipfile.ZipFile(path, "w") as dst:
        for name in src.namelist():
            if name.endswith(".debug_pkl") or "/.data/" in name or "/traced_inputs" in name:
                continue
            kind = zipfile.ZIP_DEFLATED if name.endswith(".py") else zipfile.ZIP_STORED
            info = zipfile.ZipInfo(path.stem + name[name.index("/"):])
            info.compress_type = kind
            dst.writestr(info, src.read(name))


def quantized(model, qconfig, x):
    torch.manual_seed(3)
    model = model().eval().fuse()
    model.qconfig = qconfig
    prepare(model, inplace=True)
    model(x)
    return convert(model, inplace=True)


class Hoisted(nn.Module):
    """A conv the way the mobile optimizer leaves it: its parameters are an attribute of the root."""

    def __init__(self, weight, bias):
        super().__init__()
        self.hoisted = torch.ops.quantized.conv2d_prepack(weight, bias, [1, 1], [1, 1], [1, 1], 1)

    def forward(self, x):
        x = torch.quantize_per_tensor(x, 0.05, 100, torch.quint8)
        x = torch.ops.quantized.conv2d_relu(x, self.hoisted, 0.02, 3)
        return torch.dequantize(torch.reshape(torch.nn.functional.adaptive_avg_pool2d(x, [1, 1]), [1, -1]))


def main():
    warnings.filterwarnings("ignore")
    torch.backends.quantized.engine = "fbgemm"
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    big = torch.randn(3, 3, 16, 16)
    small = torch.randn(3, 3, 8, 8)
    narrow = get_default_qconfig("fbgemm")
    with torch.no_grad():
        for name, model, x in (("residual", Residual, big), ("mobile", Mobile, small)):
            done = quantized(model, narrow, x)
            for form, script in (("traced", torch.jit.trace(done, x[:1])), ("scripted", torch.jit.script(done)),
                                 ("frozen", torch.jit.freeze(torch.jit.script(done)))):
                slim(script, folder / f"{name}_{form}.pt")
                np.savez_compressed(folder / f"{name}_{form}.npz", x=x.numpy(), y=done(x).numpy())
        done = quantized(Residual, default_qconfig, big)
        slim(torch.jit.trace(done, big[:1]), folder / "residual_per_tensor_traced.pt")
        np.savez_compressed(folder / "residual_per_tensor_traced.npz", x=big.numpy(), y=done(big).numpy())
        torch.manual_seed(4)
        fx = prepare_fx(FxResidual().eval(), get_default_qconfig_mapping("fbgemm"), (small,))
        fx(small)
        fx = convert_fx(fx)
        slim(torch.jit.trace(fx, small[:1]), folder / "residual_fx_traced.pt")
        np.savez_compressed(folder / "residual_fx_traced.npz", x=small.numpy(), y=fx(small).numpy())
        weight = torch.quantize_per_tensor(torch.randn(4, 3, 3, 3), 0.02, 0, torch.qint8)
        weight = weight.contiguous(memory_format=torch.channels_last)
        hoisted = torch.jit.trace(Hoisted(weight, torch.randn(4)), small[:1])
        slim(hoisted, folder / "hoisted_traced.pt")
        y = torch.cat([hoisted(small[i:i + 1]) for i in range(3)])  # its literal batch of 1 is PyTorch's limit, not ours
        np.savez_compressed(folder / "hoisted_traced.npz", x=small.numpy(), y=y.numpy())


main()
