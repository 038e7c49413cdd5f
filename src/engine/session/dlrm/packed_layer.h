#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "engine/kernels/dlrm/work.h"
#include "engine/session/dlrm/int8_numbers.h"

namespace octavo {

constexpr std::int64_t dlrm_steps(std::int64_t inputs) { return (inputs + kDlrmStep - 1) / kDlrmStep; }

/// An Int8Layer as the kernels read it, its weights elsewhere.
struct PackedLayer {
  std::int64_t steps = 0, panels = 0;
  std::int32_t src_is_signed = 0, highest = 255;
  std::vector<float> multiplier, bias;
  std::vector<std::int32_t> excess;
  std::int64_t weights_offset = 0;

  /// `places` says at which of steps * 64 packed inputs each input of `layer` lies.
  PackedLayer(const Int8Layer& layer, std::int64_t steps, bool src_is_signed);
  [[nodiscard]] std::int64_t weights_bytes() const noexcept { return panels * steps * kDlrmStepBytes; }
};

/// Writes the weights in panels; `places[k]` is where input k lies among the packed inputs.
void pack_weights(const Int8Layer& layer, std::span<const std::int64_t> places, std::int64_t steps,
                  std::int8_t* packed);

}  // namespace octavo
