#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "octavo/tensor.h"

namespace octavo {

/// What a Problem reads or writes of one tensor, counted from the tensor's first element.
struct OperandSize {
  std::optional<DType> dtype;  ///< nothing: any dtype of `element_bytes`
  std::int64_t element_bytes = 1;
  std::int64_t elements = 0;  ///< at a batch of 1
  std::int64_t growth = 0;    ///< elements that every further unit of batch adds

  /// An operand that the batch multiplies.
  static OperandSize growing(DType dtype, std::int64_t elements) {
    return {dtype, dtype_bytes(dtype), elements, elements};
  }
  /// An operand that is the same for every batch.
  static OperandSize fixed(DType dtype, std::int64_t elements) {
    return {dtype, dtype_bytes(dtype), elements, 0};
  }
};

/// All operands of one Problem. A session gives a kernel no tensor that is smaller. No number overflows when
/// a Problem that passed its `check` makes them.
struct StepSizes {
  std::vector<OperandSize> inputs;
  OperandSize output;
};

}  // namespace octavo
