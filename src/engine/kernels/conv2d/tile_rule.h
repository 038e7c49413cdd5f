#pragma once
#include <vector>

#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/tile_block.h"

namespace octavo {

/// The fastest form of a convolution's OutputRule that is proven to give the same results, with its numbers.
class TileRules {
 public:
  /// `sums`: by channel, the least and the greatest sum of products that 8-bit inputs can give, start
  /// included.
  struct SumRange {
    std::int64_t least = 0, greatest = 0;
  };
  TileRules(const Conv2dProblem& p, const RuleArrays& arrays, const std::vector<SumRange>& sums);

  [[nodiscard]] TileForm form() const noexcept { return form_; }
  /// The rule with its arrays beginning at `place`.
  [[nodiscard]] TileRule from(std::int64_t place) const noexcept;

 private:
  const RuleArrays& arrays_;
  TileForm form_;
  TileRule rule_{};
};

}  // namespace octavo
