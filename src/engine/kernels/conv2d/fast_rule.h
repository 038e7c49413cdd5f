#pragma once
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
  const RuleArrays* arrays_;
  OutputForm form_ = OutputForm::real;
  FastRule rule_{};
};

}  // namespace octavo
