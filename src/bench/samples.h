#pragma once
#include <cstdint>
#include <vector>

#include "octavo/session.h"

namespace octavo::bench {

/// The samples that a measurement scores: one tensor for each input of a model, with as many rows.
struct Samples {
  std::int64_t count = 0;
  std::vector<Tensor> inputs;  ///< in the order of Package::inputs
};

/// Samples for inputs of any kind, the same for the same seed: normalized pixels (-2 to 2) for floats, 0 and
/// 1 for integers.
Samples made_up_samples(const std::vector<PortInfo>& ports, std::int64_t count, std::uint64_t seed);

/// `samples` again and again until there are at least `count`.
Samples repeated(const std::vector<PortInfo>& ports, Samples samples, std::int64_t count);

}  // namespace octavo::bench
