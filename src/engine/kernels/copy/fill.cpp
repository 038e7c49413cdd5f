#include "engine/kernels/copy/fill.h"

#include <cstring>

#include "base/fail.h"
#include "engine/kernels/element_types.h"

namespace octavo {

std::array<std::byte, 8> fill_bytes(const CopyProblem& problem, const Operands& operands) {
  const DType dtype = operands.output.dtype;
  const double fill = operands.parameter("fill");
  if (dtype_bytes(dtype) != problem.bytes) {
    fail(ErrorCode::invalid_argument, "copy: {} output for elements of {} bytes", dtype_name(dtype),
         problem.bytes);
  }
  if (is_half_float(dtype) && fill != 0) {
    fail(ErrorCode::unsupported, "copy: filling {} with {}", dtype_name(dtype), fill);
  }
  std::array<std::byte, 8> bytes{};
  visit_type(dtype, [&](auto zero) {
    const auto value = saturated<decltype(zero)>(fill);
    std::memcpy(bytes.data(), &value, sizeof(value));
  });
  return bytes;
}

}  // namespace octavo
