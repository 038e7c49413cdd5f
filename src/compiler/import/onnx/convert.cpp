#include "compiler/import/onnx/convert.h"

namespace octavo::onnx_import {

const Converter* find_converter(std::string_view domain, std::string_view op) noexcept {
  for (auto* family :
       {conv_converters, matrix_converters, pool_converters, elementwise_converters, constant_converters,
        shape_converters, slice_converters, reduce_converters, quantize_converters, qlinear_converters}) {
    for (const Converter& converter : family()) {
      if (converter.domain == domain && converter.op == op) return &converter;
    }
  }
  return nullptr;
}

}  // namespace octavo::onnx_import
