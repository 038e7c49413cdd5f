#pragma once
#include <cstdint>

#include "compiler/graph/graph.h"

namespace octavo {

/// ResNet-50 v1.5 (the stride sits in the 3x3 convolutions) as PyTorch's fbgemm back end quantizes it: input
/// `x` f32 [N,3,224,224], 7-bit activations, s8 weights with a scale per channel, `output` f32 [N,1000].
/// Weights, biases and scales are generated, the same ones for the same seed. Its activations use their range
/// and seldom saturate, so it takes the time that a trained one takes; what it says of a picture means
/// nothing.
Graph synthetic_resnet50(std::uint64_t seed = 1);

}  // namespace octavo
