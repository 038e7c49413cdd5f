#pragma once
#include <cstdint>

#include "compiler/graph/graph.h"

namespace octavo {

/// ResNet-50 v1.5 (the stride sits in the 3x3 convolutions) as PyTorch's fbgemm back end quantizes it: one
/// input f32 [N,3,224,224], 7-bit activations, s8 weights with a scale per channel, one output f32 [N,1000].
/// Weights, biases and scales are generated: the same seed gives the same network everywhere, and its
/// activations use their range instead of saturating, so it takes the time that a trained one takes. What it
/// says of a picture means nothing.
Graph synthetic_resnet50(std::uint64_t seed = 1);

}  // namespace octavo
