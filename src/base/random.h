#pragma once
#include <cmath>
#include <cstdint>

namespace octavo {

/// A well-mixed 64-bit value of a counter (the finalizer of SplitMix64, Steele, Lea and Flood 2014): equal
/// counters give equal values on every machine, in any order.
constexpr std::uint64_t mixed(std::uint64_t counter) noexcept {
  counter += 0x9e3779b97f4a7c15U;
  counter = (counter ^ (counter >> 30U)) * 0xbf58476d1ce4e5b9U;
  counter = (counter ^ (counter >> 27U)) * 0x94d049bb133111ebU;
  return counter ^ (counter >> 31U);
}

/// Numbers that a seed determines.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(mixed(seed)) {}
  std::uint64_t bits() noexcept { return mixed(state_++); }
  /// In [0, 1), with 53 bits.
  double uniform() noexcept { return static_cast<double>(bits() >> 11U) * 0x1p-53; }
  /// Of mean 0 and deviation 1 (Box and Muller's formula).
  double normal() noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace octavo
