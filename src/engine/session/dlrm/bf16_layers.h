#pragma once
#include <cstdint>
#include <vector>

#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// A fully connected layer: y[n] = r(max(bias[n] + sum over k of x[k] * weights[n][k], 0)).
/// The last layer of the top MLP gives the sum itself: the logit.
struct Bf16Layer {
  std::int64_t inputs = 0, outputs = 0;
  std::vector<std::uint16_t> weights;  ///< r(weight), [outputs][inputs]
  std::vector<float> bias;
};

/// A DLRM in bf16, that is f32 cut to 8 significant bits; r(v) is the bf16 nearest to v, ties to even. Rules,
/// with x the dense vector and e[t] the sum of table t's rows in f32:
///   dense features  r(value)
///   x               what the bottom MLP gives
///   e[t]            r(value)
///   dots            r(the product of two vectors)
///   top MLP         of [x, dots] or, for `cat`, [x, e[0], ...]
///   score           1 / (1 + exp(-logit)) in f32
/// The product of two bf16 is exact in f32. Products and bias are added up in f32 in any order and grouping,
/// each addition rounded to nearest even: CPUs differ there. What is smaller than 2^-126, operand, product or
/// sum, may count as zero: vdpbf16ps, tdpbf16ps and vcvtne2ps2bf16 do that. Where a sum is beyond f32 nothing
/// is promised.
struct Bf16Layers {
  std::vector<Bf16Layer> bottom, top;
};

/// Error(invalid_model) when a weight is not finite, or not in bf16.
Bf16Layers bf16_layers(const DlrmData& data);

}  // namespace octavo
