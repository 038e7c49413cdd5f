#pragma once
#include <cstdint>

#include "package/plan.h"

namespace octavo::cli {

/// Multiply-accumulate operations for one image in the convolutions and linear layers of a plan: for each,
/// the elements of its result times the weights that one of them takes. Products of two computed tensors do
/// not count.
std::int64_t macs_per_image(const Plan& plan);

}  // namespace octavo::cli
