#pragma once
#include <cstdint>

#include "base/random.h"

namespace octavo {

/// Draws ranks 1..count with probability proportional to rank^-exponent, without a table, by rejection from
/// the integral of x^-exponent (Hörmann and Derflinger 1996, "Rejection-inversion").
class Zipf {
 public:
  /// `count` >= 1, `exponent` >= 0 (0 is uniform).
  Zipf(std::int64_t count, double exponent) noexcept;
  std::int64_t draw(Random& random) const noexcept;

 private:
  [[nodiscard]] double integral(double x) const noexcept;
  [[nodiscard]] double inverse(double area) const noexcept;

  double count_;
  double exponent_;
  double low_;   ///< areas drawn lie between low_ …
  double high_;  ///< … and high_
};

}  // namespace octavo
