#pragma once
#include <span>
#include <vector>

#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/output_rule.h"

namespace octavo {

/// The fastest form of a convolution's OutputRule that is proven to give the same results, with its numbers.
class FastRules {
 public:
  /// `sums`: by place of `arrays`, the least and the greatest sum of products that 8-bit inputs can give,
  /// start included.
  struct SumRange {
    std::int64_t least = 0, greatest = 0;
  };
  /// Finding the residual's numbers takes AVX-512 VNNI.
  FastRules(const Conv2dProblem& p, const RuleArrays& arrays, const std::vector<SumRange>& sums);

  [[nodiscard]] OutputForm form() const noexcept { return form_; }
  /// The rule with its arrays beginning at `place`.
  [[nodiscard]] FastRule from(std::int64_t place) const noexcept;

 private:
  const RuleArrays& arrays_;
  OutputForm form_;
  FastRule rule_{};
};

/// The form that is always right.
OutputForm exact_form(const Conv2dProblem& p) noexcept;

/// The range of a channel's sums: `start` and its weights (less their zero point) times u8 inputs.
FastRules::SumRange sum_range(std::span<const std::int16_t> differences, std::int64_t start) noexcept;

}  // namespace octavo
