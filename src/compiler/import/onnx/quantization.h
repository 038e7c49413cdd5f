#pragma once
#include "compiler/import/onnx/onnx_node.h"

namespace octavo::onnx_import {

/// Scale and zero point as ONNX operators give them, in two inputs, and the dtype that the zero point's type
/// stands for.
struct QuantizedType {
  Quantization quantization;
  DType dtype = DType::u8;
};

/// Inputs `scale` and `zero_point` (which may be absent: zero, u8) as constants; one entry per index along
/// `axis`, or one for the whole tensor, then `axis` does not matter. Nothing when the model computes them.
/// Error(invalid_model) for a scale that is not positive, or when the counts differ.
std::optional<QuantizedType> read_quantization(OnnxNode& node, std::size_t scale, std::size_t zero_point,
                                               std::int64_t axis = -1);
/// The same where only constants will do: Error(unsupported) otherwise.
QuantizedType expect_quantization(OnnxNode& node, std::size_t scale, std::size_t zero_point,
                                  std::int64_t axis = -1);

/// Input `index`, whose integers mean what `quantization` says: a constant, a graph input, or a value that
/// has that quantization. kNoValue when it is a value that already means something else.
ValueId quantized_value(OnnxNode& node, std::size_t index, const Quantization& quantization);
/// The same; Error(unsupported) instead of kNoValue.
ValueId expect_quantized_value(OnnxNode& node, std::size_t index, const Quantization& quantization);

/// The one element of a constant, or of a dequantized constant, as a real; nothing when the model computes
/// it.
std::optional<double> known_scalar(OnnxNode& node, std::size_t index, std::string_view what);

/// The attributes of a quantized result, by ONNX Runtime's arithmetic.
Attributes result_attributes(const QuantizedType& type);
Attributes joined(Attributes a, const Attributes& b);

/// A matrix with its extents swapped: constants and dequantized constants swap their data, so that they stay
/// constants.
ValueId transposed_matrix(OnnxNode& node, ValueId matrix);

}  // namespace octavo::onnx_import
