#pragma once
#include "compiler/graph/graph.h"

namespace octavo {

/// Turns a float operator between `dequantize` and `quantize` into the quantized operator, with ONNX
/// Runtime's arithmetic, wherever ONNX Runtime does (docs/numerics.md has the list).
///   before:  y = quantize(conv2d(dequantize(x), dequantize(w), dequantize(b))) scale=0.1 zero_point=3
///   after:   y = conv2d(x, w, b) scale=0.1 zero_point=3 arithmetic=ort
/// An operator whose float result somebody else reads stays as it is. Clamps that the quantization's own
/// saturation covers go. Constants that are still dequantized at the end become f32 constants.
bool qdq_to_quantized(Graph& graph);

}  // namespace octavo
