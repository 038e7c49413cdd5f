#!/usr/bin/env python3
"""Writes torchvision's quantizable families as TorchScript files with what PyTorch says of them.

For every family and file form: FOLDER/FAMILY_FORM.pt, and once per set of quantized weights FOLDER/FAMILY_{eager,fx}.npz
with `x` f32 [3,3,H,W] and `y`, the model's output for it. Weights are random (fixed seed), batch norms are given the
statistics of the calibration pictures, activations use 7 bits (fbgemm's default), so that no kernel of PyTorch saturates.

    make_torchvision_models.py FOLDER [FAMILY ...]

Needs torch and torchvision; nothing of Octavo's build or tests does.
"""
import pathlib
import sys
import warnings

import numpy as np
import torch
import torchvision
from torch.ao.quantization import convert, get_default_qconfig, get_default_qconfig_mapping, prepare
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
from torch.utils.mobile_optimizer import optimize_for_mobile

SIZES = {"resnet18": 224, "mobilenet_v2": 224, "mobilenet_v3_large": 224, "shufflenet_v2_x1_0": 224, "googlenet": 224,
         "inception_v3": 299, "resnet50": 224, "resnext101_32x8d": 224}


def float_model(family, quantizable):
    torch.manual_seed(1)
    models = torchvision.models.quantization if quantizable else torchvision.models
    options = {}
    if family in ("googlenet", "inception_v3"):
        options = {"aux_logits": False, "init_weights": True, "transform_input": True}
    if quantizable:
        options["quantize"] = False
    return getattr(models, family)(weights=None, **options)


def set_statistics(model, x):
    """Gives every batch norm the mean and variance of what it sees, layer after layer."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    with torch.no_grad():
        model(x)
    return model.eval()


def eager(family, x):
    model = set_statistics(float_model(family, True), x)
    model.fuse_model()
    model.qconfig = get_default_qconfig("fbgemm")
    prepare(model, inplace=True)
    model(x)
    return convert(model, inplace=True)


def fx(family, x):
    model = set_statistics(float_model(family, False), x)
    model = prepare_fx(model, get_default_qconfig_mapping("fbgemm"), (x,))
    model(x)
    return convert_fx(model)


def save(script, path, optimized=False):
    if optimized:
        optimize_for_mobile(script).save(str(path))
    else:
        script.save(str(path))
    print(path.name, path.stat().st_size, flush=True)


def first(y):
    return y if isinstance(y, torch.Tensor) else y[0]


def attempt(what, act):
    try:
        act()
    except Exception as error:  # PyTorch refuses some combinations; the others are still wanted
        print("PyTorch refuses", what, type(error).__name__, str(error).splitlines()[0], flush=True)


def make(family, folder):
    size = SIZES[family]
    torch.manual_seed(7)
    x = torch.nn.functional.interpolate(torch.randn(3, 3, 19, 19), size=(size, size), mode="bilinear") * 1.5
    one = x[:1]
    model = eager(family, x)
    with torch.no_grad():
        np.savez(folder / f"{family}_eager.npz", x=x.numpy(), y=first(model(x)).numpy())
        traced = torch.jit.trace(model, one)
        save(traced, folder / f"{family}_traced.pt")
        attempt(f"{family} traced_frozen", lambda: save(torch.jit.freeze(traced), folder / f"{family}_traced_frozen.pt"))
        attempt(f"{family} traced_mobile", lambda: save(traced, folder / f"{family}_traced_mobile.pt", True))
        attempt(f"{family} scripted", lambda: save(torch.jit.script(model), folder / f"{family}_scripted.pt"))
        attempt(f"{family} frozen",
                lambda: save(torch.jit.freeze(torch.jit.script(model)), folder / f"{family}_frozen.pt"))
        attempt(f"{family} mobile", lambda: save(torch.jit.script(model), folder / f"{family}_mobile.pt", True))
        quantized = fx(family, x)
        np.savez(folder / f"{family}_fx.npz", x=x.numpy(), y=first(quantized(x)).numpy())
        save(torch.jit.trace(quantized, one), folder / f"{family}_fx_traced.pt")
        attempt(f"{family} fx_scripted", lambda: save(torch.jit.script(quantized), folder / f"{family}_fx_scripted.pt"))
        attempt(f"{family} fx_frozen",
                lambda: save(torch.jit.freeze(torch.jit.script(quantized)), folder / f"{family}_fx_frozen.pt"))


def main():
    warnings.filterwarnings("ignore")
    torch.backends.quantized.engine = "fbgemm"
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for family in sys.argv[2:] or SIZES:
        attempt(family, lambda: make(family, folder))


main()
