#!/usr/bin/env python3
"""Writes tests/problems/pytorch_cases.txt: small quantized layers computed by PyTorch's fbgemm engine, which the
reference kernels must equal. Needs torch and numpy; the tests need only the file.

A case is a line `case PROBLEM` and lines `NAME: numbers`: x, w, bias, residual, y (channels last), and
NAME_quantization: scales, then as many zero points. Usage: tools/make_kernel_cases.py > tests/problems/pytorch_cases.txt
"""
import numpy as np
import torch

torch.backends.quantized.engine = "fbgemm"
random = np.random.RandomState(7)


def show(name, values):
    flat = np.asarray(values).reshape(-1)
    print(f"{name}:", *(f"{v:.9g}" if flat.dtype.kind == "f" else str(v) for v in flat))


def show_quantization(name, scales, zero_points):
    numbers = [f"{np.float32(s):.9g}" for s in scales] + [str(z) for z in zero_points]
    print(f"{name}_quantization:", *numbers)


def channels_last(q):
    return q.int_repr().permute(0, 2, 3, 1).numpy() if q.dim() == 4 else q.int_repr().numpy()


def random_input(shape):
    # 7 bits: on CPUs without VNNI fbgemm's sums of pairs saturate beyond.
    scale, zero_point = float(np.float32(random.uniform(0.01, 0.05))), int(random.randint(0, 128))
    stored = torch.from_numpy(random.randint(0, 128, shape).astype(np.uint8))
    return torch._make_per_tensor_quantized_tensor(stored, scale, zero_point)


def random_weights(shape, per_tensor=False):
    stored = torch.from_numpy(random.randint(-128, 128, shape).astype(np.int8))
    if per_tensor:
        return torch._make_per_tensor_quantized_tensor(stored, float(np.float32(random.uniform(0.002, 0.02))), 0)
    scales = torch.from_numpy(random.uniform(0.002, 0.02, shape[0]).astype(np.float32)).double()
    zero_points = torch.zeros(shape[0], dtype=torch.long)
    return torch._make_per_channel_quantized_tensor(stored, scales, zero_points, 0)


def show_operands(x, w, bias, y):
    show_quantization("x", [x.q_scale()], [x.q_zero_point()])
    if w.qscheme() == torch.per_tensor_affine:
        show_quantization("w", [w.q_scale()], [w.q_zero_point()])
    else:
        show_quantization("w", w.q_per_channel_scales().tolist(), w.q_per_channel_zero_points().tolist())
    show_quantization("y", [y.q_scale()], [y.q_zero_point()])
    show("x", channels_last(x))
    show("w", w.int_repr().numpy())
    if bias is not None:
        show("bias", bias.numpy())
    show("y", channels_last(y))


def conv_case(ic, size, oc, k, stride, pad, groups, relu, with_bias, add=None, per_tensor=False):
    x = random_input((1, ic, size, size)).contiguous(memory_format=torch.channels_last)
    w = random_weights((oc, ic // groups, k, k), per_tensor)
    bias = torch.from_numpy(random.uniform(-1, 1, oc).astype(np.float32)) if with_bias else None
    packed = torch.ops.quantized.conv2d_prepack(w, bias, [stride] * 2, [pad] * 2, [1, 1], groups)
    op = torch.ops.quantized.conv2d_relu if relu and add is None else torch.ops.quantized.conv2d
    scale, zero_point = float(np.float32(random.uniform(0.05, 0.2))), int(random.randint(20, 100))
    y = op(x, packed, scale, zero_point)
    problem = f"case conv2d ic{ic} ih{size} iw{size} oc{oc} kh{k} kw{k} sh{stride} sw{stride}"
    problem += f" pt{pad} pl{pad} pb{pad} pr{pad} g{groups}" + (" bias=f32" if with_bias else "")
    if add is None:
        print(problem + (" activation=relu" if relu else ""))
        show_operands(x, w, bias, y)
        return
    residual = random_input(tuple(y.shape)).contiguous(memory_format=torch.channels_last)
    total = getattr(torch.ops.quantized, add)(y, residual, float(np.float32(0.11)), 31)
    print(problem + " residual1" + (" activation=relu" if add == "add_relu" else ""))
    show_operands(x, w, bias, total)
    show_quantization("conv", [scale], [zero_point])
    show_quantization("residual", [residual.q_scale()], [residual.q_zero_point()])
    show("residual", channels_last(residual))


def linear_case(m, ic, oc, relu):
    x, w = random_input((m, ic)), random_weights((oc, ic))
    bias = torch.from_numpy(random.uniform(-1, 1, oc).astype(np.float32))
    packed = torch.ops.quantized.linear_prepack(w, bias)
    op = torch.ops.quantized.linear_relu if relu else torch.ops.quantized.linear
    y = op(x, packed, 0.07, 55)
    print(f"case linear m{m} ic{ic} oc{oc} bias=f32" + (" activation=relu" if relu else ""))
    show_operands(x, w, bias, y)


print("# Made by tools/make_kernel_cases.py with PyTorch", torch.__version__.split("+")[0] + ", engine fbgemm.")
conv_case(ic=8, size=5, oc=6, k=3, stride=1, pad=1, groups=1, relu=True, with_bias=True)
conv_case(ic=3, size=7, oc=5, k=3, stride=2, pad=1, groups=1, relu=False, with_bias=False)
conv_case(ic=8, size=4, oc=8, k=1, stride=1, pad=0, groups=1, relu=False, with_bias=True)
conv_case(ic=8, size=5, oc=8, k=3, stride=1, pad=1, groups=2, relu=True, with_bias=True)
conv_case(ic=16, size=4, oc=16, k=3, stride=1, pad=1, groups=16, relu=True, with_bias=True)
conv_case(ic=8, size=4, oc=8, k=1, stride=1, pad=0, groups=1, relu=False, with_bias=True, add="add")
conv_case(ic=8, size=4, oc=8, k=3, stride=1, pad=1, groups=1, relu=False, with_bias=True, add="add_relu")
conv_case(ic=8, size=6, oc=16, k=3, stride=1, pad=1, groups=1, relu=False, with_bias=True, per_tensor=True)
linear_case(m=3, ic=20, oc=7, relu=False)
linear_case(m=2, ic=33, oc=9, relu=True)
