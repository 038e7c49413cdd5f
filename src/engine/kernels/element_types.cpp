#include "engine/kernels/element_types.h"

#include <cmath>

#include "base/fail.h"

namespace octavo {

Affine affine_of(std::string_view family, const Operand& operand) {
  const Quantization* quantization = operand.quantization;
  if (quantization == nullptr || quantization->scales.size() != 1 || quantization->zero_points.size() != 1 ||
      !quantization->is_per_tensor()) {
    fail(ErrorCode::invalid_argument, "{}: a {} operand needs one scale and one zero point", family,
         dtype_name(operand.dtype));
  }
  const float scale = quantization->scale();
  const std::int32_t zero_point = quantization->zero_point();
  const StoredRange range = stored_range(operand.dtype);
  if (!std::isfinite(scale) || scale <= 0) {
    fail(ErrorCode::invalid_argument, "{}: scale {} of a quantized operand", family, scale);
  }
  if (zero_point < range.lowest || zero_point > range.highest) {
    fail(ErrorCode::invalid_argument, "{}: zero point {} outside of {}", family, zero_point,
         dtype_name(operand.dtype));
  }
  return {scale, 1.0F / scale, zero_point, range};
}

}  // namespace octavo
