#include "engine/kernels/operand_quantization.h"

#include "base/fail.h"

namespace octavo {
namespace {

void check_zero_point(const Operand& operand, std::int32_t zero_point, std::string_view what) {
  const StoredRange range = stored_range(operand.dtype);
  if (zero_point < range.lowest || zero_point > range.highest) {
    fail(ErrorCode::invalid_argument, "{} of dtype {} has zero point {}", what, dtype_name(operand.dtype),
         zero_point);
  }
}

}  // namespace

bool is_stored_integer(DType dtype) noexcept { return dtype == DType::u8 || dtype == DType::s8; }

StoredRange stored_range(DType dtype) noexcept {
  switch (dtype) {
    case DType::s8:
      return {-128, 127};
    case DType::u16:
      return {0, 65535};
    case DType::s16:
      return {-32768, 32767};
    default:
      return {0, 255};
  }
}

TensorQuantization tensor_quantization(const Operand& operand, std::string_view what) {
  if (operand.quantization == nullptr) return {};
  const Quantization& q = *operand.quantization;
  if (!q.is_per_tensor() || q.scales.size() != 1 || q.zero_points.size() != 1) {
    fail(ErrorCode::invalid_argument,
         "{} is quantized along axis {} with {} scales, expected one for the tensor", what, q.axis,
         q.scales.size());
  }
  if (is_stored_integer(operand.dtype)) check_zero_point(operand, q.zero_point(), what);
  return {q.scale(), q.zero_point()};
}

ChannelQuantization channel_quantization(const Operand& operand, std::int64_t channels,
                                         std::string_view what) {
  const auto count = static_cast<std::size_t>(channels);
  if (operand.quantization == nullptr || operand.quantization->is_per_tensor()) {
    const TensorQuantization q = tensor_quantization(operand, what);
    return {std::vector<float>(count, q.scale), std::vector<std::int32_t>(count, q.zero_point)};
  }
  const Quantization& q = *operand.quantization;
  if (q.axis != 0 || q.scales.size() != count || q.zero_points.size() != count) {
    fail(ErrorCode::invalid_argument, "{} is quantized along axis {} with {} scales, expected axis 0 with {}",
         what, q.axis, q.scales.size(), channels);
  }
  for (std::int32_t zero_point : q.zero_points) check_zero_point(operand, zero_point, what);
  return {q.scales, q.zero_points};
}

}  // namespace octavo
