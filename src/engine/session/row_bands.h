#pragma once
#include <span>
#include <vector>

#include "engine/session/band_order.h"
#include "engine/session/prepared_plan.h"
#include "engine/session/walk_order.h"

namespace octavo {

/// In which order a leg's steps run. With more than one band, consecutive steps of a single image whose
/// activations are large and whose weights are small go down the image together, band of rows by band, so
/// that what one writes is still near when the next one reads it; others run whole. Results do not depend on
/// it. `base` says where each tensor is.
std::vector<BandStep> steps_in_bands(const Plan& plan, std::span<const PreparedStep> steps, const Leg& leg,
                                     int bands, int threads, std::span<std::byte* const> base);

}  // namespace octavo
