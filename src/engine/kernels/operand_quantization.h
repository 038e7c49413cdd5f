#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/kernels/kernel.h"
#include "engine/kernels/quantized_math.h"

namespace octavo {

/// Scale and zero point of one whole tensor.
struct TensorQuantization {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
};

/// Scale and zero point of every channel of a tensor.
struct ChannelQuantization {
  std::vector<float> scales;
  std::vector<std::int32_t> zero_points;
};

/// 8-bit integers.
[[nodiscard]] bool is_stored_integer(DType dtype) noexcept;
/// The values that u8, s8, u16 or s16 can hold.
[[nodiscard]] StoredRange stored_range(DType dtype) noexcept;

/// XOR with it makes u8 of what an 8-bit `dtype` stores, and the zero point grows by it: 0x80 for s8, 0 for
/// u8.
constexpr std::uint8_t flip_to_u8(DType dtype) noexcept { return dtype == DType::s8 ? 0x80 : 0; }

/// How `operand` is quantized; plain numbers have scale 1 and zero point 0. Error(invalid_argument) naming
/// `what` when it is quantized along an axis, when the zero point is none of the dtype's values, or when
/// vectors are missing.
TensorQuantization tensor_quantization(const Operand& operand, std::string_view what);
/// The same channel by channel, along axis 0; a per-tensor quantization is repeated.
ChannelQuantization channel_quantization(const Operand& operand, std::int64_t channels,
                                         std::string_view what);

}  // namespace octavo
