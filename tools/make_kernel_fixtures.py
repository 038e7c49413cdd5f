#!/usr/bin/env python3
"""Writes tests/golden/kernels/*.txt: what PyTorch and ONNX Runtime compute for small kernel problems.

Needs numpy, torch, onnx and onnxruntime, on a CPU with AVX2; the build and the tests need none of them. Inputs are
not stored but drawn from a number sequence that the test repeats (`random`), or are 0, 1, 2, ... (`ramp`)."""

import os
import warnings

import numpy as np
import onnx
import onnxruntime
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
FOLDER = os.path.join(os.path.dirname(__file__), "..", "tests", "golden", "kernels")
RANDOM = np.random.default_rng(20240229)
F32 = np.float32


def sequence(seed, count):
    state, values = seed, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(state >> 40)
    return np.array(values, dtype=np.int64)


class Case:
    """One problem with its operands, as text."""

    def __init__(self, problem, **parameters):
        self.lines = [f"problem {problem}"]
        self.lines += [f"parameter {name} {value!r}" for name, value in parameters.items()]

    def quantized(self, count, scale, zero_point, ramp=False):
        if ramp:
            self.lines.append(f"input u8 {float(scale).hex()} {zero_point} ramp 0 {count}")
            return np.arange(count, dtype=np.uint8)
        seed = int(RANDOM.integers(1 << 30))
        self.lines.append(f"input u8 {float(scale).hex()} {zero_point} random {seed} {count}")
        return (sequence(seed, count) >> 16).astype(np.uint8)

    def reals(self, count):
        seed = int(RANDOM.integers(1 << 30))
        self.lines.append(f"input f32 - 0 random {seed} {count}")
        return ((sequence(seed, count) - (1 << 23)) / F32(1 << 20)).astype(F32)

    def output(self, array, scale=None, zero_point=0):
        dtype = {"uint8": "u8", "float32": "f32"}[str(array.dtype)]
        scale = "-" if scale is None else float(scale).hex()
        self.lines.append(f"output {dtype} {scale} {zero_point} {np.ascontiguousarray(array).tobytes().hex()}")
        return self


def write(name, cases):
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, name + ".txt"), "w") as file:
        file.write("# Made by tools/make_kernel_fixtures.py; see there.\n")
        for case in cases:
            file.write("\n".join(case.lines) + "\n")


def scale():
    return F32(np.exp(RANDOM.uniform(np.log(0.002), np.log(0.2))))


def zero_point():
    return int(RANDOM.integers(256))


def quantized(stored, scale_, zero_point_):
    return torch._make_per_tensor_quantized_tensor(torch.from_numpy(stored.copy()), float(scale_), zero_point_)


def image(stored, shape, scale_, zero_point_, channels_last):
    """A quantized NCHW tensor of values that are stored channels last, in that memory format or a contiguous one."""
    n, h, w, c = shape
    x = quantized(stored.reshape(n, h, w, c), scale_, zero_point_).permute(0, 3, 1, 2)
    return x if channels_last else x.contiguous()


def channels_last(y):
    return y.int_repr().permute(0, 2, 3, 1).contiguous().numpy()


def make_convert():
    for kind in range(6):
        s, z = scale(), zero_point()
        case = Case("convert kind=quantize c3 s50 channels_last1" if kind < 3 else "convert kind=quantize s150")
        x = case.reals(150)
        q = torch.quantize_per_tensor(torch.from_numpy(x), float(s), z, torch.quint8).int_repr().numpy()
        yield case.output(q.reshape(3, 50).T if kind < 3 else q, s, z)
    case = Case("convert kind=dequantize x=u8 y=f32 s64")
    s, z = scale(), zero_point()
    yield case.output(quantized(case.quantized(64, s, z), s, z).dequantize().numpy())


def make_binary():
    for kind, activation, operator in (("add", "none", torch.ops.quantized.add),
                                       ("add", "relu", torch.ops.quantized.add_relu),
                                       ("mul", "none", torch.ops.quantized.mul),
                                       ("mul", "relu", torch.ops.quantized.mul_relu)):
        for _ in range(8):
            case = Case(f"binary kind={kind} dims=400 a_strides=1 b_strides=1 activation={activation}")
            (sa, za), (sb, zb), zy = (scale(), zero_point()), (scale(), zero_point()), zero_point()
            sy = F32(sa + sb) if kind == "add" else F32(sa * sb * 99)
            a = quantized(case.quantized(400, sa, za), sa, za)
            b = quantized(case.quantized(400, sb, zb), sb, zb)
            yield case.output(operator(a, b, float(sy), zy).int_repr().numpy(), sy, zy)


def make_unary():
    functional = torch.nn.functional
    for _ in range(6):
        s, z = scale(), zero_point()
        sy, zy = scale(), zero_point()
        x = lambda case: quantized(case.quantized(256, s, z, ramp=True), s, z)
        for kind in ("sigmoid", "hardsigmoid"):
            case = Case(f"unary kind={kind} count256")
            y = torch.sigmoid(x(case)) if kind == "sigmoid" else functional.hardsigmoid(x(case))
            yield case.output(y.int_repr().numpy(), y.q_scale(), y.q_zero_point())
        case = Case("unary kind=hardswish count256")
        yield case.output(torch.ops.quantized.hardswish(x(case), float(sy), zy).int_repr().numpy(), sy, zy)
        case = Case("unary kind=leaky_relu count256", alpha=0.2)
        yield case.output(torch.ops.quantized.leaky_relu(x(case), 0.2, False, float(sy), zy).int_repr().numpy(), sy, zy)
        case = Case("unary kind=relu count256")
        yield case.output(torch.relu(x(case)).int_repr().numpy(), s, z)
        case = Case("unary kind=tanh count256")
        y = torch.tanh(x(case))
        yield case.output(y.int_repr().numpy(), y.q_scale(), y.q_zero_point())


def pooled(problem, shape, rounding, function):
    n, h, w, c = shape
    s, z = scale(), zero_point()
    case = Case(f"pool {problem} n{n} c{c} ih{h} iw{w} rounding={rounding}")
    x = image(case.quantized(n * h * w * c, s, z), shape, s, z, rounding == "channels_last")
    return case.output(channels_last(function(x)), s, z)


def make_pool():
    functional = torch.nn.functional
    for rounding in ("channels_last", "contiguous"):
        for c in (3, 40):
            yield pooled("kind=max oh4 ow5 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1", (2, 8, 9, c), rounding,
                         lambda x: functional.max_pool2d(x, 3, 2, 1))
            yield pooled("kind=adaptive_average oh1 ow1", (2, 7, 7, c), rounding,
                         lambda x: functional.adaptive_avg_pool2d(x, 1))
            yield pooled("kind=adaptive_average oh1 ow1", (1, 8, 8, c), rounding,
                         lambda x: functional.adaptive_avg_pool2d(x, 1))
            yield pooled("kind=adaptive_average oh3 ow2", (1, 8, 7, c), rounding,
                         lambda x: functional.adaptive_avg_pool2d(x, (3, 2)))
            for pad in (False, True):
                yield pooled(f"kind=average oh4 ow5 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1 count_include_pad{int(pad)}",
                             (1, 7, 9, c), rounding,
                             lambda x: functional.avg_pool2d(x, 3, 2, 1, count_include_pad=pad))
            yield pooled("kind=average oh4 ow4 kh2 kw2 sh2 sw2", (1, 8, 8, c), rounding,
                         lambda x: functional.avg_pool2d(x, 2))


def make_reduce():
    for h, w, c in ((1, 1, 5), (4, 4, 5), (7, 7, 1), (7, 7, 3), (7, 7, 45), (8, 8, 70), (14, 14, 7), (33, 32, 41)):
        case = Case(f"reduce kind=mean x=f32 y=f32 outer2 count{h * w} inner{c}")
        x = torch.from_numpy(case.reals(2 * h * w * c).reshape(2, h, w, c)).permute(0, 3, 1, 2)
        yield case.output(torch.mean(x, [2, 3]).numpy())
        # PyTorch refuses a quantized mean where a tensor is contiguous in both orders.
        for rounding in (0, 1) if h * w > 1 and c > 1 else ():
            s, z = scale(), zero_point()
            case = Case(f"reduce kind=mean x=u8 y=u8 outer2 count{h * w} inner{c} rounding{rounding}")
            q = image(case.quantized(2 * h * w * c, s, z), (2, h, w, c), s, z, rounding == 0)
            yield case.output(torch.mean(q, [2, 3]).int_repr().numpy(), s, z)
    for count in (5, 8, 50, 513):
        case = Case(f"reduce kind=sum x=f32 y=f32 outer3 count{count}")
        yield case.output(torch.sum(torch.from_numpy(case.reals(3 * count).reshape(3, count)), 1).numpy())


def make_concat():
    for _ in range(4):
        case = Case("concat outer10 widths=7,5,64")
        parts = []
        for width in (7, 5, 64):
            s, z = scale(), zero_point()
            parts.append(quantized(case.quantized(10 * width, s, z).reshape(10, width), s, z))
        sy, zy = scale(), zero_point()
        yield case.output(torch.ops.quantized.cat(parts, 1, float(sy), zy).int_repr().numpy(), sy, zy)


def run_onnx(operator, inputs, domain="com.microsoft", **attributes):
    """One node on arrays; an input that is a scalar becomes an initializer, as scales and zero points must be."""
    names = [f"i{i}" for i in range(len(inputs))]
    make = onnx.helper
    results = ["y", "ys", "yz"] if operator == "DynamicQuantizeLinear" else ["y"]
    node = make.make_node(operator, names, results, domain=domain, **attributes)
    dtype = lambda x: make.np_dtype_to_tensor_dtype(np.asarray(x).dtype)
    wanted = make.make_tensor_value_info("y", onnx.TensorProto.UINT8, None)
    graph = make.make_graph(
        [node], "g", [make.make_tensor_value_info(n, dtype(x), x.shape) for n, x in zip(names, inputs) if x.ndim],
        [wanted], [onnx.numpy_helper.from_array(np.asarray(x), n) for n, x in zip(names, inputs) if not x.ndim])
    opsets = [make.make_opsetid("", 17), make.make_opsetid("com.microsoft", 1)]
    model = make.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {n: x for n, x in zip(names, inputs) if x.ndim})[0]


def scalars(scale_, zero_point_):
    return [np.array(scale_, F32), np.array(zero_point_, np.uint8)]


def make_onnx():
    for kind, operator in (("add", "QLinearAdd"), ("mul", "QLinearMul")):
        for _ in range(6):
            case = Case(f"binary kind={kind} dims=400 a_strides=1 b_strides=1 arithmetic=ort")
            (sa, za), (sb, zb), zy = (scale(), zero_point()), (scale(), zero_point()), zero_point()
            sy = F32(sa + sb) if kind == "add" else F32(sa * sb * 99)
            a, b = case.quantized(400, sa, za), case.quantized(400, sb, zb)
            y = run_onnx(operator, [a, *scalars(sa, za), b, *scalars(sb, zb), *scalars(sy, zy)])
            yield case.output(y, sy, zy)
    for _ in range(3):
        (s, z), (sy, zy) = (scale(), zero_point()), (scale(), zero_point())
        case = Case("pool kind=adaptive_average c20 ih7 iw7 oh1 ow1 rounding=ort")
        x = case.quantized(7 * 7 * 20, s, z).reshape(1, 7, 7, 20).transpose(0, 3, 1, 2).copy()
        y = run_onnx("QLinearGlobalAveragePool", [x, *scalars(s, z), *scalars(sy, zy)], channels_last=0)
        yield case.output(y.transpose(0, 2, 3, 1), sy, zy)
        for pad in (0, 1):
            case = Case(f"pool kind=average c20 ih7 iw7 oh4 ow4 kh3 kw3 sh2 sw2 pt1 pl1 pb1 pr1 count_include_pad{pad} "
                        "rounding=ort")
            x = case.quantized(7 * 7 * 20, s, z).reshape(1, 7, 7, 20).transpose(0, 3, 1, 2).copy()
            y = run_onnx("QLinearAveragePool", [x, *scalars(s, z), *scalars(sy, zy)], kernel_shape=[3, 3],
                         strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=pad)
            yield case.output(y.transpose(0, 2, 3, 1), sy, zy)
        case = Case("convert kind=quantize s300 arithmetic=ort")
        y = run_onnx("QuantizeLinear", [case.reals(300), *scalars(s, z)], domain="")
        yield case.output(y, s, z)
        case = Case("dynamic_quantize count100")
        yield case.output(run_onnx("DynamicQuantizeLinear", [case.reals(100)], domain=""))


if __name__ == "__main__":
    for maker in (make_convert, make_binary, make_unary, make_pool, make_reduce, make_concat, make_onnx):
        write(maker.__name__.removeprefix("make_"), maker())
