#pragma once
#include <optional>
#include <span>
#include <vector>

#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/output_rule.h"

namespace octavo {

/// What of a window's weights (less their zero point) is negative and positive, summed: all that the sums of
/// products with u8 inputs lie between.
struct WindowSums {
  std::int64_t negative = 0, positive = 0;
  [[nodiscard]] std::int64_t total() const noexcept { return negative + positive; }
};
WindowSums window_sums(std::span<const std::int16_t> differences) noexcept;

/// A real bias, in units of the sums, as the sums' s32 start and an f32 that is added to their f32.
struct SplitBias {
  std::int32_t start;
  float addend;
};
/// `bias` in two parts that give every stored result between 0 and 255 steps from the zero point that adding
/// it in one rounding gives: rint(f32(f32(s + start) + addend) * multiplier) against rint(f32(f32(s) + bias)
/// * multiplier) for all s between `least` and `greatest`. None where that cannot be proven.
std::optional<SplitBias> split_bias(double bias, float multiplier, std::int64_t least, std::int64_t greatest);

/// How a convolution's OutputRule is followed.
class FastRules {
 public:
  /// By the form that is always right.
  FastRules(const Conv2dProblem& p, const RuleArrays& arrays);
  /// By the fastest form that is proven to give the same results. `windows`: by place of `arrays`. Finding
  /// the residual's numbers takes AVX-512 VNNI.
  FastRules(const Conv2dProblem& p, const RuleArrays& arrays, const std::vector<WindowSums>& windows);

  [[nodiscard]] OutputForm form() const noexcept { return form_; }
  /// The rule with its arrays beginning at `place`.
  [[nodiscard]] FastRule from(std::int64_t place) const noexcept;

 private:
  /// Fills in FastRule's start and addend; false where a bias has no proven parts.
  bool split_biases(const std::vector<WindowSums>& windows);

  const RuleArrays* arrays_;
  Tensor start_, addend_;  ///< FastRule's
  OutputForm form_ = OutputForm::real;
  FastRule rule_{};
};

}  // namespace octavo
