#include <array>

#include "base/fail.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

/// PyTorch's numbers for its quantized dtypes.
constexpr std::int64_t kQInt8 = 12;
constexpr std::int64_t kQUInt8 = 13;

/// self, scale, zero_point, dtype
Value quantize_per_tensor(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const std::int64_t dtype = call.integer(3);
  if (dtype != kQInt8 && dtype != kQUInt8) {
    fail(ErrorCode::unsupported, "quantized dtype {} (13 = quint8 and 12 = qint8 are)", dtype);
  }
  return call.builder().emit(
      "quantize", {x.id},
      quantized_result(call.real(1), call.integer(2), dtype == kQInt8 ? DType::s8 : DType::u8),
      {.channels_last = x.layout.channels_last, .dense = true});
}

Value dequantize(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  if (!call.builder().type(x).quantization) return x;
  return call.builder().emit("dequantize", {x.id}, {},
                             {.channels_last = x.layout.channels_last, .dense = true});
}

constexpr std::array<OpRow, 2> kRows{{
    {"torch.quantize_per_tensor", "self scale zero_point dtype", quantize_per_tensor},
    {"torch.dequantize", "self", dequantize},
}};

}  // namespace

std::span<const OpRow> quantize_rows() { return kRows; }

}  // namespace octavo::torchscript
