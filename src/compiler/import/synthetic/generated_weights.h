#pragma once
#include <cstdint>
#include <vector>

#include "octavo/tensor.h"

namespace octavo {

/// Random bits that are the same everywhere: the SplitMix64 sequence.
class RandomBits {
 public:
  explicit RandomBits(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept;
  /// Evenly spread over [0, 1).
  double fraction() noexcept { return static_cast<double>(next() >> 11U) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// The standard deviation of generated weights, in units of their scale: four uniform bytes added, divided
/// by 4.
inline constexpr double kGeneratedDeviation = 36.95;

/// s8 weights of `shape` [oc, ...] in -127..127, bell-shaped with kGeneratedDeviation, the mean of each
/// channel (all that one output reads) zero up to rounding.
Tensor generated_weights(const std::vector<std::int64_t>& shape, RandomBits& random);

/// f32 [count], evenly spread over [-limit, limit).
Tensor generated_biases(std::int64_t count, double limit, RandomBits& random);

}  // namespace octavo
