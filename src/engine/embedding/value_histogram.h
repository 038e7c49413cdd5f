#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace octavo {

/// Counts of values in equal bins from -limit to limit; when a value falls outside, the limit doubles and
/// bins merge. So memory does not grow, and the order of values does not matter.
class ValueHistogram {
 public:
  /// Error(invalid_model) for a value that is not finite.
  void add(std::span<const float> values);

  [[nodiscard]] const std::vector<std::int64_t>& bins() const noexcept { return bins_; }
  /// The real that stands `position` bins from the first one's beginning.
  [[nodiscard]] double value_at(double position) const noexcept;
  /// The largest magnitude.
  [[nodiscard]] float largest() const noexcept { return largest_; }
  /// The smallest and largest value.
  [[nodiscard]] float lowest() const noexcept { return lowest_; }
  [[nodiscard]] float highest() const noexcept { return highest_; }
  /// The end of the first bin below and in which at least `share` of the values lie, within what was seen.
  [[nodiscard]] float quantile(double share) const noexcept;

 private:
  void widen();

  float largest_ = 0.0F, lowest_ = 0.0F, highest_ = 0.0F;
  std::int64_t count_ = 0;
  double limit_ = 0.0;
  std::vector<std::int64_t> bins_;
};

}  // namespace octavo
